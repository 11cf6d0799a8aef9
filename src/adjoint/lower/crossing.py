"""Stores of a part of an array into another part of the same array.

NumPy copies the part first where the two overlap, but not in every case: `m[1] = m[:, 2]`, a column
into a row that it crosses, reads an element that it has overwritten (NumPy 2.4). So only stores are
taken whose parts are cut out alike, `m[1:] = m[:-1]`.
"""

from __future__ import annotations

import operator
from typing import Any

from ..core import Atom, Const, Var
from ..types import Array, Object, Scalar, Tuple, Type


def may_cross(lowering: Any, container: Atom, index: Atom, value: Atom) -> bool:
    """Whether what is stored may be a part of the same array, cut out in another way."""
    if not isinstance(value, Var) or not isinstance(container, Var):
        return False
    if not isinstance(container.type, Array):
        return False
    if not isinstance(value.type, Array) or value.type.dims == ():
        return False
    if not lowering.aliases.may_share(value.root, container.root):
        return False
    family = [container.root, value.root, *lowering.aliases.of(container.root)]
    if all(isinstance(v.type, Array) and len(v.type.dims or (0, 0)) < 2 for v in family):
        return False
    source = _part_of(lowering, value)
    if isinstance(index, Const) and index.value is ...:
        target = _part_of(lowering, container)
    else:
        target = container.root, _cut(index)
    return source is None or source != target


def _part_of(lowering: Any, part: Var) -> tuple[Var, tuple[str, ...]] | None:
    """The array that a part is cut out of, and how; None where it is made in another way."""
    made = lowering.b.definition(part, operator.getitem)
    if made is None or not isinstance(made.args[0], Var):
        return None
    return made.args[0].root, _cut(made.args[1])


def _cut(index: Atom) -> tuple[str, ...]:
    """How an index cuts a part out, axis by axis."""
    if isinstance(index, Const):
        parts = index.value if isinstance(index.value, tuple) else (index.value,)
        return tuple("int" if isinstance(p, int) else type(p).__name__ for p in parts)
    types: tuple[Type, ...] = (index.type,)
    if isinstance(index.type, Tuple):
        types = index.type.items
    return tuple(map(_kind, types))


def _kind(t: Type) -> str:
    if isinstance(t, Scalar) or isinstance(t, Array) and t.dims == ():
        return "int"
    return t.cls.__name__ if isinstance(t, Object) else str(t)
