"""Forward mode: each operation carries tangents along as it runs.

The tangent of a number is a number, that of an array lies in shadow memory, as cotangents do in
`reverse.py`, and is changed in place together with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import anomaly
from ..runtime.own_rules import tangent_by_rule
from . import operations as op
from . import origins, templates
from .checks import check_tangent
from .fitting import fit_number
from .levels import Level, Number, View
from .memory import is_array, owner_of, view_of
from .reverse import flat_memory


class Forward(Level):
    def __init__(self) -> None:
        super().__init__()
        self.tangents: dict[int, Any] = {}  # of numbers
        self.shadows: dict[int, Any] = {}  # of memory

    def tangent(self, value: Any) -> Any:
        """The tangent of a value; None for zero."""
        if isinstance(value, (list, tuple)):
            parts = [self.tangent(v) for v in value]
            if all(p is None for p in parts):
                return None
            return [_zero(v) if p is None else p for p, v in zip(parts, value)]
        if isinstance(value, dict):
            found = {k: self.tangent(v) for k, v in value.items()}
            if all(p is None for p in found.values()):
                return None
            return {k: _zero(value[k]) if p is None else p for k, p in found.items()}
        place = self.place(value)
        if isinstance(place, Number):
            return self.tangents[place.index]
        return None if place is None else self.view(place)

    def view(self, place: View) -> Any:
        index = place.memory.index
        if index not in self.shadows:
            self.shadows[index] = flat_memory(place.memory)
        return view_of(self.shadows[index], place.geometry)

    def set(self, value: Any, t: Any) -> None:
        """Give a new value its tangent."""
        if t is None or not op.varies(value):
            return
        if isinstance(value, (list, tuple)):
            for v, part in zip(value, t):
                self.set(v, part)
            return
        if isinstance(value, dict):
            for key, v in value.items():
                self.set(v, t[key])
            return
        place = self.activate(value)
        if isinstance(place, Number):
            is_complex = isinstance(value, (complex, np.complexfloating))
            t = op.calls().call(fit_number, t, place.dtype, is_complex)
            self.tangents[place.index] = t
        else:
            op.set_item(self.view(place), ..., t)

    def note(self, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> None:
        if self.place(value) is not None:
            return  # a view of what is active already, or the very same number
        rule, bound = templates.choose(fn, args, kwargs, self.is_active)
        active = frozenset(n for n, operand in bound.items() if self.place(operand) is not None)
        template = templates.pushforward(rule, active)
        bound[rule.output] = value
        tangents = []
        for name in template.derivatives:
            t = self.tangent(bound[name])
            tangents.append(_zero(bound[name]) if t is None else t)
        t = template(*tangents, *(bound[n] for n in template.values))
        if template.rule.own and t is not None:
            t = op.calls().call(tangent_by_rule, t, value, template.rule.function)
        if anomaly.threads:
            check_tangent(t)
        self.set(value, t)

    def note_element(self, x: Any, index: Any, value: Any) -> None:
        self.set(value, op.item(self.tangent(x), index))

    def note_store(self, x: Any, index: Any, value: Any) -> None:
        if x.dtype.kind not in "fc":
            op.varies(x)
            return
        t = None if value is None else self.tangent(value)
        if t is None and not self.is_active(x):
            return
        place = self.activate(x)
        assert isinstance(place, View)
        if owner_of(x).base is not None:
            raise origins.aliasing("a store into memory that is shared with other objects",
                                   "Take a copy of the array.")  # fmt: skip
        op.set_item(self.view(place), index, 0 if t is None else t)

    def note_hook(self, x: Any, value: Any, hook: Any, values: tuple[Any, ...]) -> None:
        if value is not x:
            self.set(value, self.tangent(x))

    def note_add_at(self, x: Any, index: Any, value: Any) -> None:
        if x.dtype.kind in "fc":
            place = self.activate(x)
            assert isinstance(place, View)
            op.calls().method(np.add, "at", self.view(place), index, self.tangent(value))


def _zero(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_zero(v) for v in value]
    if isinstance(value, dict):
        return {k: _zero(v) for k, v in value.items()}
    if is_array(value):
        return np.zeros_like(value, dtype=value.dtype if value.dtype.kind in "fc" else float)
    return 0.0
