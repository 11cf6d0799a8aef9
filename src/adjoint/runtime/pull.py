"""The derivative of a single operation whose rule depends on types known only at run time."""

from __future__ import annotations

import functools
import linecache
import operator
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import anomaly
from ..frames import MANY, room_for
from ..locking import compiling
from ..rules import own
from ..rules.advice import name_of
from ..rules.own import FunctionRule
from ..types import Symbols, freeze, type_of
from .generic import is_differentiable, zeros_like

_MOST = 1024  # compiled forms kept
_compiled: OrderedDict[Any, Any] = OrderedDict()

Place = int | str  # of an operand: its position, or its keyword


def pull(
    fn: Any, cotangent: Any, operands: tuple[Any, ...], places: tuple[Place, ...], keywords: Any
) -> tuple[Any, ...]:
    """The cotangents of the operands at `places` of `fn(*operands, **keywords)`.

    None, which is a zero of any shape, for what turns out to have no derivative.
    """
    given: dict[Place, Any] = dict(enumerate(operands)) | (keywords or {})
    wrt = tuple(p for p in places if is_differentiable(given[p]))
    if cotangent is None or not wrt:
        return (None,) * len(places)
    compiled = find(fn, given, wrt, "vjp")
    value, saved = compiled.run(*given.values())
    if isinstance(value, tuple):
        cotangent = tuple(zeros_like(v) if c is None else c for c, v in zip(cotangent, value))
    found = dict(zip(wrt, compiled.backward(saved, cotangent), strict=True))
    return tuple(found.get(p) for p in places)


def find(fn: Any, given: dict[Place, Any], wrt: tuple[Place, ...], mode: str) -> Any:
    """The compiled derivative for operands of these types, options counting by value."""
    from ..request import Argument

    symbols = Symbols()
    options = [p not in wrt and _by_value(fn, p, v) for p, v in given.items()]
    types = [
        None if option else type_of(v, symbols, promote=p in wrt)
        for (p, v), option in zip(given.items(), options, strict=True)
    ]
    described = tuple(
        freeze(v) if t is None else t for t, v in zip(types, given.values(), strict=True)
    )
    key = (fn, mode, wrt, tuple(given), described, own.version, anomaly.checks())
    made = _compiled.get(key)
    if made is not None:
        return made
    arguments = [
        Argument(_name(p), type_of(v, symbols) if t is None else t, p in wrt, t is None, v)
        for (p, v), t in zip(given.items(), types, strict=True)
    ]
    with compiling(), room_for(MANY):
        made = _compiled.get(key)
        if made is None:
            made = _compiled[key] = _compile(fn, arguments, given, wrt, symbols, mode)
            if len(_compiled) > _MOST:
                _compiled.popitem(last=False)
    return made


def _compile(
    fn: Any,
    arguments: Any,
    given: dict[Place, Any],
    wrt: tuple[Place, ...],
    symbols: Symbols,
    mode: str,
) -> Any:
    from ..compile import build
    from ..errors import AdjointError, NoDerivativeError
    from ..pipeline import derive
    from ..request import Request

    count = sum(isinstance(p, int) for p in given)
    call = caller(fn, count, tuple(p for p in given if isinstance(p, str)))
    names = tuple(map(_name, wrt))
    try:
        made = derive(call, arguments, Request(mode, names), symbols, ", ".join(map(_name, given)))
    except AdjointError as error:
        # The line is that of the call made up here; the traceback shows the user's.
        raise type(error)(error.what, None, error.advice) from None
    if not {"pull", "push"}.isdisjoint(made.emitted.bindings):
        raise NoDerivativeError(
            f"the derivative of {name_of(fn)} is not known for these operands",
            None,
            "Write it with other functions, or give the function a rule of your own.",
        )
    return build(made.emitted, made.guards, call)


def _name(place: Place) -> str:
    return f"x{place}" if isinstance(place, int) else place


def _by_value(fn: Any, place: Place, value: Any) -> bool:
    """Whether an argument is compiled in: an option, whose value a rule may look at."""
    if value is None or isinstance(value, (bool, str, type, np.dtype)):
        return True
    return not _holds_array(value) and fn is not operator.getitem and _is_option(fn, place)


def _is_option(fn: Any, place: Place) -> bool:
    """Whether the rules of fn take no derivative by this argument."""
    from ..rules import lookup
    from ..rules.binding import positional_names

    if hasattr(fn, "__adjoint_of__"):
        fn, original = fn.__adjoint_of__
        place = original(place)
        return place is not False and _is_option(fn, place)
    for rule in lookup(fn):
        if isinstance(rule, FunctionRule):
            return False
        names = [p.name for p in rule.params]
        name = place
        if isinstance(place, int):
            own = positional_names(fn)
            name = (
                own[place]
                if place < len(own) and own[place] in names
                else (names[place] if place < len(names) else names[-1])
            )
        if name in rule.differentiable:
            return False
    return True


def _holds_array(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_array, value))
    return hasattr(value, "dtype") and hasattr(value, "shape")


@functools.lru_cache(maxsize=_MOST)
def caller(fn: Any, count: int, keywords: tuple[str, ...]) -> Callable[..., Any]:
    """A plain function that calls `fn` with so many operands and these keywords."""
    names = [f"x{i}" for i in range(count)]
    passed = [*names, *(f"{k}={k}" for k in keywords)]
    text = f"def call({', '.join([*names, *keywords])}):\n    return fn({', '.join(passed)})\n"
    filename = f"<call of {getattr(fn, '__name__', 'function')} #{id(fn)}, {count} {keywords}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    scope: dict[str, Any] = {"fn": fn}
    exec(compile(text, filename, "exec"), scope)
    call: Callable[..., Any] = scope["call"]
    weakref.finalize(call, linecache.cache.pop, filename, None).atexit = False
    return call
