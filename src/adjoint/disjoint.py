"""Indices that certainly name different elements, and such that together name them all.

`d_x[:, 1] = b` may follow `d_x[:, 0] = a` where it would else have to be added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import core
from .core import Atom, Const
from .types import Array, Type

ALL = slice(None)
_UNKNOWN: Any = object()


def are_disjoint(a: Atom, b: Atom, definitions: Any) -> bool:
    """Whether two indices differ in a number for the same axis."""
    for i, j in zip(_entries(a, definitions), _entries(b, definitions)):
        if _is_int(i) and _is_int(j):
            if i != j and (i < 0) == (j < 0):
                return True
        elif not (_keeps_axes(i) and _keeps_axes(j)):
            return False
    return False


def cover(indices: Sequence[Atom], t: Type, definitions: Any) -> bool:
    """Whether indices are all the numbers for one axis, with all of the other axes."""
    if not isinstance(t, Array) or t.dims is None:
        return False
    found: set[tuple[int, int]] = set()
    for index in indices:
        entries = _entries(index, definitions)
        numbers = [(axis, i) for axis, i in enumerate(entries) if _is_int(i)]
        if len(numbers) != 1 or numbers[0][1] < 0:
            return False
        if not all(_is_int(e) or (isinstance(e, slice) and e == ALL) for e in entries):
            return False
        found.add(numbers[0])
    axes = {axis for axis, _ in found}
    return len(axes) == 1 and len(found) == t.dims[axes.pop()]


def _entries(index: Atom, definitions: Any) -> tuple[Any, ...]:
    """The numbers and slices of an index."""
    if isinstance(index, Const):
        return index.value if isinstance(index.value, tuple) else (index.value,)
    made = definitions.get(index)
    if made is None or made.fn is not core.TUPLE:
        return (_UNKNOWN,)
    return tuple(a.value if isinstance(a, Const) else _UNKNOWN for a in made.args)


def _is_int(entry: Any) -> bool:
    return isinstance(entry, (int, np.integer)) and not isinstance(entry, bool)


def _keeps_axes(entry: Any) -> bool:
    """Whether what follows in an index is for the next axis."""
    return isinstance(entry, slice) or _is_int(entry)
