"""Gradients, pullbacks and tangents by the recorded form."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from ..compile import check_outside, mutables_beside, mutables_in, overlap
from ..differentiable import is_exact
from ..errors import AliasingError
from ..frames import MANY, room_for
from ..runtime.generic import rebuild, unit_seed
from ..runtime.shared_parts import Copies, Path, Unfollowed, ties
from ..runtime.structs import is_struct
from . import operations as op
from . import origins
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
        self.objects: list[tuple[Any, Any, dict[str, Any]]] = []  # (copy, original, attributes)
        self.given = list(mutables_in(bound.arguments))
        self.beside = [v for v in bound.arguments.values() if hasattr(v, "__dict__")]
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
        elif is_struct(value.__class__):
            return self._isolated_object(value)
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

    def _isolated_object(self, value: Any) -> Any:
        """A copy of an object with parts; what it has beside them is the caller's."""
        copies = Copies(self.isolate)
        try:
            made = copies.copy(value)
        except Unfollowed as error:
            raise op.refuse(origins.unsupported(
                f"the attribute `{error}` of a {type(value).__name__} that is differentiated by "
                "holds a part of it", "Write a method, or keep the part in a list or a dict.",
            )) from None  # fmt: skip
        self.originals.update((id(a), (a, b)) for a, b in copies.made)
        self.objects += [
            (copy, original, dict(copy.__dict__))
            for copy, original in copies.made
            if is_struct(original.__class__)
        ]
        return made

    def check_apart(self, fn: Any) -> None:
        """Refuse what shares memory with an argument that was changed."""
        name = getattr(fn, "__name__", "the function")
        changed = {id(a): a for made, a in self.originals.values() if self._is_changed(a, made)}
        if not changed and not self.level.changed:
            return
        check_outside(changed.values(), fn)
        given = [*self.given, *(one for v in self.beside for one in mutables_beside(v))]
        for position, one in enumerate(given):
            if id(one) not in changed and not self._is_written(one):
                continue
            if any(overlap(one, b) for k, b in enumerate(given) if k != position):
                raise AliasingError(
                    f"`{name}` changes an argument in place that shares memory with another",
                    None,
                    "Pass copies.",
                )

    def write_back(self) -> None:
        """Let the caller see what the function did to its arguments."""
        for made, original in self.originals.values():
            if not self._is_changed(original, made):
                continue
            if isinstance(original, dict):
                parts = {k: self.given_for(v) for k, v in made.items()}
                original.clear()
                original.update(parts)
            elif isinstance(original, list):
                original[:] = map(self.given_for, made)
            else:
                op.set_item(original, ..., made)
        for made, original, before in self.objects:
            self._write_attributes(original, made.__dict__, before)

    def _write_attributes(self, original: Any, now: dict[str, Any], before: dict[str, Any]) -> None:
        """The attributes that the function has assigned or deleted."""
        for name, value in now.items():
            if name not in before or value is not before[name]:
                original.__dict__[name] = self.given_for(value)
        for name in before:
            if name not in now:
                original.__dict__.pop(name, None)

    def _is_changed(self, original: Any, made: Any) -> bool:
        """Whether the function changed its copy of an array, list or dict."""
        if isinstance(original, dict):
            return list(original) != list(made) or not self._same(original.values(), made.values())
        if isinstance(original, list):
            return not self._same(original, made)
        return self._is_written(made)

    def _is_written(self, value: Any) -> bool:
        return is_array(value) and id(owner_of(value)) in self.level.changed

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
    return Copies(_at_entry).parts(value) if is_struct(value.__class__) else value


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
        arguments.check_apart(fn)
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
    if is_struct(value.__class__):
        return {k: _activate(level, v) for k, v in value.__tree_flatten__().items()}
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
    if is_struct(value.__class__):
        return _gradient_object(sweep, place, value)
    if place is None:
        return None
    d = sweep.read(place)
    if isinstance(place, Number):
        return zeros(place) if d is None else d
    return np.zeros_like(value) if d is None else call(np.copy, d)


def _gradient_object(sweep: Sweep, places: dict[str, Any], value: Any) -> Any:
    """The same for an object with parts: one cotangent for what is a part at two places."""

    def by_path(part: Any, place: Any, path: Path) -> Any:
        if path in again:
            return made[again[path]]
        if is_struct(part.__class__):
            made[path] = part.__tree_unflatten__({
                k: by_path(v, place[k], (*path, k)) for k, v in part.__tree_flatten__().items()
            })  # fmt: skip
        else:
            made[path] = _gradient(sweep, place, part)
        return made[path]

    again = dict(ties(value))
    made: dict[Path, Any] = {}
    return by_path(value, places, ())


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
    if is_struct(cotangent.__class__):
        cotangent = cotangent.__tree_flatten__()
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
    if is_struct(value.__class__):
        return {k: _places(level, v) for k, v in value.__tree_flatten__().items()}
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
    if is_struct(t.__class__):
        t = t.__tree_flatten__()
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
    if is_struct(value.__class__):
        return Copies(functools.partial(_tangent, level)).parts(value)
    t = level.tangent(value)
    if t is not None:
        return call(np.copy, t) if is_array(t) else t
    if not op.varies(value):
        return None
    return np.zeros_like(value) if is_array(value) else type(value)(0)
