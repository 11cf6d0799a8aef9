"""`pull` and `push` as calls of plain functions, so that they can be differentiated again.

The cotangents that `pull` gives are the result of a function of the cotangent and the operands,
which can be written down: it calls `ad.vjp`. Its derivative is another `pull`, and so on.
"""

from __future__ import annotations

import functools
import itertools
import linecache
from collections.abc import Callable
from typing import Any

from .pull import Place, caller

_MOST = 1024  # functions kept
_numbers = itertools.count(1)  # of the files that the functions stand in, for tracebacks


@functools.lru_cache(maxsize=_MOST)
def pulling(
    fn: Any, count: int, keywords: tuple[str, ...], places: tuple[Place, ...]
) -> Callable[..., Any]:
    """A function of a cotangent and all operands of `fn`: the cotangents of those at `places`."""
    from ..api import vjp

    names = _names(count, keywords)
    moving = [names[i] for i in _positions(count, keywords, places)]
    return _made(
        fn,
        f"def pulling(cotangent, {', '.join(names)}):\n"
        f"    along = lambda {', '.join(moving)}: call({', '.join(names)})\n"
        f"    value, pullback = vjp(along, {', '.join(moving)})\n"
        "    return pullback(cotangent)\n",
        {"vjp": vjp, "call": caller(fn, count, keywords)},
        lambda place: place != 0 and _original(count, keywords, place - 1),
    )


@functools.lru_cache(maxsize=_MOST)
def pushing(
    fn: Any, count: int, keywords: tuple[str, ...], places: tuple[Place, ...]
) -> Callable[..., Any]:
    """A function of all operands of `fn` and of the tangents of those at `places`: its tangent."""
    from ..pushforward import jvp

    names = _names(count, keywords)
    moving = [names[i] for i in _positions(count, keywords, places)]
    tangents = [f"t_{n}" for n in moving]
    return _made(
        fn,
        f"def pushing({', '.join([*names, *tangents])}):\n"
        f"    along = lambda {', '.join(moving)}: call({', '.join(names)})\n"
        f"    return jvp(along, ({', '.join(moving)},), ({', '.join(tangents)},))[1]\n",
        {"jvp": jvp, "call": caller(fn, count, keywords)},
        lambda place: place < len(names) and _original(count, keywords, place),
    )


def _names(count: int, keywords: tuple[str, ...]) -> list[str]:
    return [f"x{i}" for i in range(count)] + list(keywords)


def _positions(count: int, keywords: tuple[str, ...], places: tuple[Place, ...]) -> list[int]:
    return [p if isinstance(p, int) else count + keywords.index(p) for p in places]


def _original(count: int, keywords: tuple[str, ...], position: int) -> Place:
    return position if position < count else keywords[position - count]


def _made(fn: Any, text: str, scope: dict[str, Any], original: Any) -> Callable[..., Any]:
    name = f"<derivative of {getattr(fn, '__name__', 'function')} #{next(_numbers)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), scope)
    made: Callable[..., Any] = next(v for k, v in scope.items() if k in ("pulling", "pushing"))
    made.__adjoint_of__ = fn, original  # type: ignore[attr-defined]
    return made
