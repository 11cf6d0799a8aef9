"""Gradients, pullbacks and tangents by the recorded form."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from ..compile import arrays_in
from ..differentiable import is_exact
from ..errors import AliasingError
from ..frames import MANY, room_for
from ..runtime.generic import rebuild, unit_seed
from . import operations as op
from .calls import call
from .forward import Forward
from .levels import Level, Number, View, inside, state
from .memory import is_array, owner_of
from .reverse import Reverse, Sweep, zeros

_REST = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def bind(
    signature: inspect.Signature, wrt: tuple[str, ...], *args: Any, **kwargs: Any
) -> inspect.BoundArguments:
    """The arguments of a call, and the defaults of those that are differentiated by."""
    bound = signature.bind(*args, **kwargs)
    for name in wrt:
        if name not in bound.arguments:
            bound.arguments[name] = signature.parameters[name].default
    return bound


class Isolated:
    """The arguments of one run: those that are differentiated by are copies of their own.

    A number of its own is needed because a number is known by its identity, and the argument may
    be the very object that a constant of the function is. What the function does to the copies is
    done to the caller's arrays and containers afterwards.
    """

    def __init__(self, bound: inspect.BoundArguments, wrt: tuple[str, ...], level: Level) -> None:
        self.level = level
        self.originals: dict[int, tuple[Any, Any]] = {}  # copy -> (copy, original)
        self.given = list(arrays_in(bound.arguments))
        self.places: dict[str, Any] = {}
        self.values = {name: _at_entry(bound.arguments[name]) for name in wrt}
        for name in wrt:
            value = bound.arguments[name]
            kind = bound.signature.parameters[name].kind
            bound.arguments[name] = self._rest(value) if kind in _REST else self.isolate(value)
        self.copies = {name: bound.arguments[name] for name in wrt}

    def _rest(self, value: Any) -> Any:
        """What `*args` or `**kwargs` took: beside a float argument, an int is a count."""
        if is_exact(value):
            return self.isolate(value)
        parts = value.values() if isinstance(value, dict) else value
        made = [v if is_exact(v) else self.isolate(v) for v in parts]
        return dict(zip(value, made)) if isinstance(value, dict) else tuple(made)

    def isolate(self, value: Any) -> Any:
        made: Any
        if isinstance(value, dict):
            made = {k: self.isolate(v) for k, v in value.items()}
        elif isinstance(value, (list, tuple)):
            made = rebuild(value, [self.isolate(v) for v in value])
        elif is_array(value):
            made = call(np.copy, value) if value.dtype.kind in "fc" else value.copy()
        elif isinstance(value, bool) or not isinstance(value, (int, float, complex, np.generic)):
            return value
        elif isinstance(value, int):
            return op.Promoted(value)
        else:
            return op.mul(value, 1 if isinstance(value, op.Promoted) else 1.0)
        self.originals[id(made)] = made, value
        return made

    def check_apart(self, name: str) -> None:
        """Refuse arguments that share memory with one that was changed."""
        copies = {id(original): made for made, original in self.originals.values()}
        changed = [
            a for a in self.given
            if id(owner_of(copies.get(id(a), a))) in self.level.changed
        ]  # fmt: skip
        for array in changed:
            for other in self.given:
                if (
                    other is not array
                    and np.may_share_memory(array, other)
                    or (other is array and sum(g is array for g in self.given) > 1)
                ):
                    raise AliasingError(
                        f"`{name}` changes an argument in place that shares memory with another",
                        None,
                        "Pass copies.",
                    )

    def write_back(self) -> None:
        """Let the caller see what the function did to its arguments."""
        for made, original in self.originals.values():
            if isinstance(original, dict):
                self._write_dict(original, made)
            elif isinstance(original, list):
                if not self._same(original, made):
                    original[:] = map(self.given_for, made)
            elif is_array(original) and id(owner_of(made)) in self.level.changed:
                op.set_item(original, ..., made)

    def _write_dict(self, original: dict[Any, Any], made: dict[Any, Any]) -> None:
        if list(original) != list(made) or not self._same(original.values(), made.values()):
            parts = {k: self.given_for(v) for k, v in made.items()}
            original.clear()
            original.update(parts)

    def _same(self, originals: Any, made: Any) -> bool:
        pairs = list(zip(originals, map(self.given_for, made)))
        return len(originals) == len(made) and all(
            a is b or (isinstance(a, (int, float, complex)) and a == b) for a, b in pairs
        )

    def given_for(self, part: Any) -> Any:
        """What the caller gave where the function got a copy."""
        return self.originals[id(part)][1] if id(part) in self.originals else part


def _at_entry(value: Any) -> Any:
    """The same structure, which what the function does to the argument leaves as it is."""
    if isinstance(value, dict):
        return {k: _at_entry(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return rebuild(value, [_at_entry(v) for v in value])
    return value


def _deep() -> Any:
    """A call of the user's takes several frames here: let it go as deep as it could by itself."""
    if state.levels:
        return nullcontext()
    return room_for(min(3 * sys.getrecursionlimit(), MANY))


def _run(
    fn: Callable[..., Any], bound: inspect.BoundArguments, wrt: tuple[str, ...], level: Level
) -> tuple[Any, Isolated]:
    """Call the function at a new level; (its value, its arguments)."""
    arguments = Isolated(bound, wrt, level)
    active: dict[str, Any] = {n: _activate(level, v) for n, v in arguments.copies.items()}
    arguments.places = active
    if isinstance(level, Forward):
        return None, arguments
    return _call(fn, bound, level, arguments), arguments


def _call(
    fn: Callable[..., Any], bound: inspect.BoundArguments, level: Level, arguments: Isolated
) -> Any:
    try:
        with _deep(), inside(level):
            value = call(fn, *bound.args, **bound.kwargs)
        if level.failure is not None:
            raise level.failure  # it was caught by the function itself
        arguments.check_apart(getattr(fn, "__name__", "the function"))
    finally:
        if level.failure is None:
            arguments.write_back()
    return value


def _activate(level: Level, value: Any) -> Any:
    """Make the numbers and arrays in an argument active; their places, in its structure."""
    if isinstance(value, dict):
        return {k: _activate(level, v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_activate(level, v) for v in value]
    return level.activate(value) if op.varies(value) else None


def gradient(
    fn: Callable[..., Any],
    bound: inspect.BoundArguments,
    wrt: tuple[str, ...],
    *,
    with_value: bool,
    single: bool,
    has_aux: bool,
    whole: bool = False,
) -> Any:
    """The gradients by the arguments named in `wrt`, with the value or what goes beside it.

    whole: of the sum of the value, which may be an array.
    """
    level = Reverse()
    result, arguments = _run(fn, bound, wrt, level)
    value = result[0] if has_aux else result
    seed = np.ones_like(value)[()] if whole else unit_seed(value)
    sweep = Sweep()
    sweep.add(level.place(value), seed)
    with _deep():
        sweep.run(level.entries, last=True)
    found = tuple(_gradient(sweep, arguments.places[n], arguments.values[n]) for n in wrt)
    gradients = found[0] if single else found
    if with_value:
        return result, gradients
    return (gradients, result[1]) if has_aux else gradients


def _gradient(sweep: Sweep, place: Any, value: Any) -> Any:
    """The cotangent of an argument in its structure; None for what is not differentiable."""
    if isinstance(value, dict):
        return {k: _gradient(sweep, place[k], v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return rebuild(value, [_gradient(sweep, p, v) for p, v in zip(place, value)])
    if place is None:
        return None
    d = sweep.read(place)
    if isinstance(place, Number):
        return zeros(place) if d is None else d
    return np.zeros_like(value) if d is None else call(np.copy, d)


class Pullback:
    """Takes a cotangent of the value to those of the arguments; made by `vjp`."""

    def __init__(self, level: Reverse, out: Any, arguments: Isolated, value: Any) -> None:
        self.level, self.out, self.arguments, self.value = level, out, arguments, value

    def __call__(self, cotangent: Any) -> dict[str, Any]:
        sweep = Sweep()
        _seed(sweep, self.out, cotangent)
        with _deep():
            sweep.run(self.level.entries, last=False)
        places, values = self.arguments.places, self.arguments.values
        return {n: _gradient(sweep, places[n], values[n]) for n in places}


def _seed(sweep: Sweep, place: Any, cotangent: Any) -> None:
    if isinstance(place, dict):
        for key, inner in place.items():
            _seed(sweep, inner, cotangent[key])
    elif isinstance(place, list):
        for inner, part in zip(place, cotangent):
            _seed(sweep, inner, part)
    elif place is not None:
        sweep.add(place, cotangent)


def _places(level: Level, value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _places(level, v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_places(level, v) for v in value]
    return level.place(value)


def pullback(
    fn: Callable[..., Any], bound: inspect.BoundArguments, wrt: tuple[str, ...]
) -> tuple[Any, Pullback]:
    """The value, and the function from its cotangent to those of the arguments by name."""
    level = Reverse()
    value, arguments = _run(fn, bound, wrt, level)
    level.settle()
    return value, Pullback(level, _places(level, value), arguments, value)


def pushforward(
    fn: Callable[..., Any], bound: inspect.BoundArguments, tangents: dict[str, Any]
) -> tuple[Any, Any]:
    """The value and its tangent, from tangents of the arguments by name."""
    level = Forward()
    _, arguments = _run(fn, bound, tuple(tangents), level)
    for name, t in tangents.items():
        _set_tangent(level, arguments.places[name], t)
    value = _call(fn, bound, level, arguments)
    return value, _tangent(level, value)


def _set_tangent(level: Forward, place: Any, t: Any) -> None:
    if isinstance(place, dict):
        for key, inner in place.items():
            _set_tangent(level, inner, t[key])
    elif isinstance(place, list):
        for inner, part in zip(place, t):
            _set_tangent(level, inner, part)
    elif isinstance(place, Number):
        level.tangents[place.index] = t
    elif isinstance(place, View):
        op.set_item(level.view(place), ..., t)


def _tangent(level: Forward, value: Any) -> Any:
    """The tangent of a result in its structure; None for what is not differentiable."""
    if isinstance(value, dict):
        return {k: _tangent(level, v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return rebuild(value, [_tangent(level, v) for v in value])
    t = level.tangent(value)
    if t is not None:
        return call(np.copy, t) if is_array(t) else t
    if not op.varies(value):
        return None
    return np.zeros_like(value) if is_array(value) else type(value)(0)
