"""Reverse mode: operations are noted as they run, and the notes are walked backwards.

The cotangent of a number is a number, that of an array lies in shadow memory (`memory.py`): a view
has the matching view of its owner's shadow. A store takes the cotangent of what was stored, and
leaves zero for what stood there before. A value that the backward sweep reads and that is about to
be overwritten is copied just before (once for each operation that reads it).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import anomaly
from ..errors import Origin
from ..rules.runtime import may_repeat
from ..runtime.generic import gather_stored, rebuild
from ..runtime.own_rules import by_rule
from . import operations as op
from . import origins, templates
from .checks import check_cotangents
from .fitting import fit_array, fit_number, fit_sequence, kept_index
from .hooks import Hooked
from .levels import Level, Memory, Number, View, state
from .memory import element_indices, is_array, owner_of, view_of


class Reverse(Level):
    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Any] = []
        self.kept: dict[int, list[tuple[list[Any], int]]] = {}  # owner -> where values of it stand

    def note(self, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> None:
        if self.place(value) is not None:
            return  # a view of what is active already, or the very same number
        rule, bound = templates.choose(fn, args, kwargs, self.is_active)
        places = {name: self.place(operand) for name, operand in bound.items()}
        active = frozenset(name for name, place in places.items() if place is not None)
        template = templates.pullback(rule, active)
        bound[rule.output] = value
        values: list[Any] = []
        for name in template.values:
            if name in template.shapes:
                values.append(_stand_in(bound[name]))
            else:
                self.keep(values, bound[name])
        targets = [places[name] for name in template.targets]
        entry = Applied(template, values, targets, self.result(value))
        if anomaly.checks() is not None:
            entry.origin = origins.here()
        self.entries.append(entry)

    def keep(self, values: list[Any], value: Any) -> None:
        """Append a value that the backward sweep reads."""
        if isinstance(value, list):
            inner: list[Any] = []
            for part in value:
                self.keep(inner, part)
            values.append(inner)
            return
        if isinstance(value, tuple):
            values.append(_copied(value))  # whose parts cannot be replaced by copies later
            return
        if is_array(value) and state.detached.is_copy(value):
            # A noted one: the part of a complex array varies at the levels around.
            values.append(op.calls().call(np.copy, value))
            return
        values.append(value)
        if is_array(value):
            place = values, len(values) - 1
            self.kept.setdefault(id(owner_of(value)), []).append(place)

    def result(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [self.result(v) for v in value]
        if isinstance(value, dict):
            return {k: self.result(v) for k, v in value.items()}
        return self.activate(value) if op.varies(value) else None

    def note_element(self, x: Any, index: Any, value: Any) -> None:
        if op.varies(value):
            place = self.place_of_array(x)
            self.entries.append(Element(place, kept_index(index), self.activate(value)))

    def note_store(self, x: Any, index: Any, value: Any) -> None:
        if x.dtype.kind not in "fc":
            op.varies(x)  # refuses an array of objects
            return  # what is rounded to an integer does not vary
        source = self.place(value) if value is not None else None
        if source is None and not self.is_active(x):
            return
        place = self.activate(x)
        assert isinstance(place, View)
        if place.geometry.overlaps_itself(x.itemsize) or _is_foreign(x):
            raise origins.aliasing(
                "a store into a view some of whose elements share memory",
                "Take a copy of the view.",
            )
        self.entries.append(Stored(place, kept_index(index), source))

    def note_add_at(self, x: Any, index: Any, value: Any) -> None:
        if x.dtype.kind in "fc":
            self.entries.append(AddedAt(self.activate(x), kept_index(index), self.place(value)))

    def note_hook(self, x: Any, value: Any, hook: Any, values: tuple[Any, ...]) -> None:
        kept: list[Any] = []
        for one in values:
            self.keep(kept, one)
        out = None if value is x else self.result(value)
        self.entries.append(Hooked(self.place(x), out, value, hook, kept))

    def note_setting(self, entry: Any) -> None:
        self.entries.append(entry)

    def before_change(self, x: Any) -> None:
        super().before_change(x)
        for values, k in self.kept.pop(id(owner_of(x)), ()):
            values[k] = op.calls().call(np.copy, values[k])

    def settle(self) -> None:
        """Copy whatever the backward sweep reads, so that later changes of it are not seen."""
        for kept in self.kept.values():
            for values, k in kept:
                values[k] = op.calls().call(np.copy, values[k])
        self.kept.clear()


def _copied(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return rebuild(value, [_copied(v) for v in value])
    return op.calls().call(np.copy, value) if is_array(value) else value


def _stand_in(value: Any) -> Any:
    """What has the shape and dtype of a value, and no memory to speak of."""
    if isinstance(value, (list, tuple)):
        return [_stand_in(v) for v in value]
    if isinstance(value, np.ndarray):
        return np.broadcast_to(np.empty((), value.dtype), value.shape)
    return value


def _is_foreign(array: Any) -> bool:
    """Whether memory may be reached by other arrays than those that `base` leads to."""
    return owner_of(array).base is not None


class Applied:
    """An operation with a rule."""

    __slots__ = ("template", "values", "targets", "out", "origin")

    def __init__(self, template: Any, values: list[Any], targets: list[Any], out: Any) -> None:
        self.template, self.values, self.targets, self.out = template, values, targets, out
        self.origin: Origin | None = None  # known only where cotangents are checked

    def pull(self, sweep: Sweep) -> None:
        d = sweep.take(self.out)
        if d is None:
            return
        cotangents = (d,) if self.template.derivatives else ()
        parts = self.template(*cotangents, *self.values)
        if self.origin is not None:
            check_cotangents(self.template.rule.fn, parts, self.origin)
        for name, place, part in zip(self.template.targets, self.targets, parts):
            if part is not None:
                if self.template.rule.own:
                    rule = self.template.rule.function
                    part = op.calls().call(by_rule, part, shape_of(place), d, rule, name)
                sweep.add(place, part)


class Element:
    """value = x[index], a copy"""

    __slots__ = ("place", "index", "out")

    def __init__(self, place: Any, index: Any, out: Any) -> None:
        self.place, self.index, self.out = place, index, out

    def pull(self, sweep: Sweep) -> None:
        d = sweep.take(self.out)
        if d is not None:
            sweep.add_at(self.place, self.index, d)


class Stored:
    """x[index] = value; `source` is None for a constant"""

    __slots__ = ("place", "index", "source")

    def __init__(self, place: View, index: Any, source: Any) -> None:
        self.place, self.index, self.source = place, index, source

    def pull(self, sweep: Sweep) -> None:
        d = sweep.view(self.place, make=False)
        if d is None:
            return
        if self.index is ... and self.place.is_whole:
            del sweep.shadows[self.place.memory.index]
            part = d
        else:
            if self.source is not None and may_repeat(self.index):
                part = op.calls().call(gather_stored, d, self.index)
            else:
                part = op.item(d, self.index)
                if is_array(part):
                    part = op.calls().call(np.copy, part)
            op.set_item(d, self.index, 0)
        if self.source is not None:
            sweep.add(self.source, part)


class AddedAt:
    """np.add.at(x, index, value)"""

    __slots__ = ("place", "index", "source")

    def __init__(self, place: Any, index: Any, source: Any) -> None:
        self.place, self.index, self.source = place, index, source

    def pull(self, sweep: Sweep) -> None:
        d = sweep.view(self.place, make=False)
        if d is not None:
            sweep.add(self.source, op.item(d, self.index))


class Sweep:
    """One walk backwards: the cotangents of numbers, and the shadows of memory."""

    def __init__(self) -> None:
        self.numbers: dict[int, Any] = {}
        self.shadows: dict[int, Any] = {}
        self.settings: list[Any] = []  # of NumPy's errors, to be restored

    def run(self, entries: list[Any], *, last: bool) -> None:
        """Pull every entry; the `last` walk lets go of each as it is done."""
        try:
            if last:
                while entries:
                    entries.pop().pull(self)
            else:
                for entry in reversed(entries):
                    entry.pull(self)
        finally:
            while self.settings:
                np.seterr(**self.settings.pop())

    def take(self, place: Any) -> Any:
        """The cotangent of a result that was new, which nothing reads after this; None for zero."""
        d = _once(place, self.read(place))
        self._drop(place)
        return d

    def _drop(self, place: Any) -> None:
        if isinstance(place, Number):
            self.numbers.pop(place.index, None)
        elif isinstance(place, View):
            self.shadows.pop(place.memory.index, None)
        elif place is not None:
            for part in place.values() if isinstance(place, dict) else place:
                self._drop(part)

    def read(self, place: Any) -> Any:
        """The cotangent at a place; None for zero."""
        if isinstance(place, (list, dict)):
            parts = {k: self.read(p) for k, p in _items(place)}
            if all(p is None for p in parts.values()):
                return None
            full = {k: zeros(place[k]) if p is None else p for k, p in parts.items()}
            return full if isinstance(place, dict) else list(full.values())
        if isinstance(place, Number):
            return self.numbers.get(place.index)
        return None if place is None else self.view(place, make=False)

    def view(self, place: View, *, make: bool) -> Any:
        """The view of the shadow that matches an array; None, or zeros, where there is none."""
        memory = place.memory
        flat = self.shadows.get(memory.index)
        if flat is None:
            if not make:
                return None
            flat = self.shadows[memory.index] = flat_memory(memory)
        return view_of(flat, place.geometry)

    def add(self, place: Any, d: Any) -> None:
        """Add a contribution to the cotangent at a place."""
        if place is None or d is None:
            return
        if isinstance(place, (list, dict)):
            if not isinstance(d, (list, tuple, dict)):
                d = _fitted_sequence(place, d)
            for key, inner in _items(place):
                if inner is not None:
                    self.add(inner, op.item(d, key))
        elif isinstance(place, Number):
            d = _fitted_number(place, d)
            before = self.numbers.get(place.index)
            self.numbers[place.index] = d if before is None else op.add(before, d)
        else:
            self._add_array(place, d)

    def _add_array(self, place: View, d: Any) -> None:
        is_complex = place.dtype.kind == "c"
        if state.levels:
            d = op.calls().call(fit_array, d, place.shape, is_complex)
        elif np.shape(d) != place.shape or not is_complex and np.iscomplexobj(d):
            d = fit_array(d, place.shape, is_complex)
        is_first = place.memory.index not in self.shadows
        view = self.view(place, make=True)
        if place.geometry.overlaps_itself(place.dtype.itemsize):
            self._add_repeated(place, d)
        elif is_first and place.is_whole:
            op.set_item(view, ..., d)
        elif state.levels:
            op.set_item(view, ..., op.add(view, d))
        else:
            np.add(view, d, out=view, casting="same_kind")

    def _add_repeated(self, place: View, d: Any) -> None:
        """Into a view of which several elements are one place in memory."""
        memory = place.memory
        indices = element_indices(memory.size, place.geometry, memory.dtype.itemsize)
        flat = self.shadows[memory.index]
        op.calls().method(np.add, "at", flat, indices, d)

    def add_at(self, place: View, index: Any, d: Any) -> None:
        """Add to elements of the cotangent of an array."""
        view = self.view(place, make=True)
        if place.geometry.overlaps_itself(place.dtype.itemsize):
            dense = np.zeros(place.shape, place.dtype)
            op.set_item(dense, index, d)
            self._add_repeated(place, dense)
        elif may_repeat(index):
            op.calls().method(np.add, "at", view, index, d)
        elif state.levels:
            op.set_item(view, index, op.add(op.item(view, index), d))
        else:
            view[index] += d


def _once(place: Any, d: Any) -> Any:
    """The cotangent of a result; where its elements share memory, one of them has all of it.

    np.broadcast_to(x, 3) is one number seen three times: its cotangent is that of the number.
    """
    if isinstance(d, (list, dict)):
        parts = {k: _once(p, d[k]) for k, p in _items(place)}
        return parts if isinstance(d, dict) else list(parts.values())
    if not isinstance(place, View) or d is None:
        return d
    itemsize = place.dtype.itemsize
    if not place.geometry.overlaps_itself(itemsize):
        return d
    seen = element_indices(place.memory.size, place.geometry, itemsize)
    _, first = np.unique(seen, return_index=True)
    where = np.unravel_index(first, place.shape)
    whole = np.zeros(place.shape, place.dtype)
    op.set_item(whole, where, op.item(d, where))
    return whole


def _items(place: Any) -> list[tuple[Any, Any]]:
    return list(place.items() if isinstance(place, dict) else enumerate(place))


def _fitted_sequence(place: Any, d: Any) -> Any:
    """A contribution that is an array, to a list that NumPy took for one."""
    shape = _shape_of(place)
    if shape is None or np.shape(d) == shape:
        return d
    return op.calls().call(fit_sequence, d, shape)


def _shape_of(place: Any) -> tuple[int, ...] | None:
    """The shape that a list of these places has as an array; None where it holds no place."""
    if isinstance(place, View):
        return place.shape
    if not isinstance(place, list):
        return () if isinstance(place, Number) else None
    row = next((shape for shape in map(_shape_of, place) if shape is not None), None)
    return None if row is None else (len(place), *row)


def _fitted_number(place: Number, d: Any) -> Any:
    if place.dtype is None and d.__class__ is place.value.__class__ is not op.Promoted:
        return d
    is_complex = isinstance(place.value, complex) or getattr(place.dtype, "kind", "") == "c"
    return op.calls().call(fit_number, d, place.dtype, is_complex)


def flat_memory(memory: Memory) -> Any:
    """Zeros for a shadow of memory."""
    if memory.module is np.ndarray or issubclass(memory.module, np.ndarray):
        return np.zeros(memory.size, memory.dtype)
    from ..types import array_module, array_namespace

    return array_namespace(array_module(memory.module) or "numpy").zeros(memory.size, memory.dtype)


def shape_of(place: Any) -> Any:
    """What has the shape and dtype of the value at a place."""
    if isinstance(place, list):
        return [shape_of(p) for p in place]
    if isinstance(place, dict):
        return {k: shape_of(p) for k, p in place.items()}
    if isinstance(place, View):
        return np.broadcast_to(np.empty((), place.dtype), place.shape)
    return None if place is None else place.value


def zeros(place: Any) -> Any:
    """A cotangent or tangent that is zero."""
    if isinstance(place, list):
        return [zeros(p) for p in place]
    if isinstance(place, dict):
        return {k: zeros(p) for k, p in place.items()}
    if isinstance(place, Number):
        return 0.0 if place.dtype is None else place.dtype.type(0)
    return None if place is None else view_of(flat_memory(place.memory), place.geometry)
