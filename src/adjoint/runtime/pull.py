"""The derivative of a single operation whose rule depends on types known only at run time."""

from __future__ import annotations

import functools
import linecache
from typing import Any


def pull(
    fn: Any, cotangent: Any, operands: tuple[Any, ...], positions: tuple[int, ...], keywords: Any
) -> tuple[Any, ...]:
    """The cotangents of the operands at `positions` of `fn(*operands, **keywords)`."""
    from ..api import vjp

    options = keywords or {}
    cotangents = vjp(_caller(fn, len(operands), tuple(options)), *operands, *options.values())[1](
        cotangent
    )
    return tuple(cotangents[p] for p in positions)


@functools.lru_cache(maxsize=1024)
def _caller(fn: Any, count: int, keywords: tuple[str, ...]) -> Any:
    """A plain function that calls `fn` with so many operands and these keywords."""
    names = [f"x{i}" for i in range(count)]
    passed = [*names, *(f"{k}={k}" for k in keywords)]
    text = f"def call({', '.join([*names, *keywords])}):\n    return fn({', '.join(passed)})\n"
    filename = f"<call of {getattr(fn, '__name__', 'function')} #{id(fn)}, {count} {keywords}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    scope = {"fn": fn}
    exec(compile(text, filename, "exec"), scope)
    return scope["call"]
