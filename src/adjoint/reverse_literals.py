"""The backward sweep of `np.array([a, b])`, written out: d_a is d_z[0], d_b is d_z[1]."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from . import core
from .core import Atom, Const, Op
from .infer import constant
from .types import FLOAT, Array, Scalar

_OF_LISTS = frozenset({np.array, np.asarray, np.stack})


def literal(reverse: Any, op: Op, value: Atom) -> bool:
    """Give each value of a list that is written out its part of the array's cotangent.

    False where the list may be another one by now, or where ranks are not known: the rule serves.
    """
    z = op.target
    if z is None or not isinstance(z.type, Array) or not isinstance(value.type, Array):
        return False
    parts = _parts_of(reverse, op)
    if parts is None:
        return False
    dims = z.type.dims or ()
    for index, atom in parts.items():
        if reverse.is_active(atom):
            t = replace(value.type, dims=dims[len(index) :])
            reverse.d.add(atom, _part(reverse, value, index, t))
    return True


def _part(reverse: Any, value: Atom, index: tuple[int, ...], t: Array) -> Atom:
    """value[index], without an array where only its elements are read."""
    made = reverse.b.made(value)
    if made is not None and t.dims == ():
        part = (_parts_of(reverse, made) or {}).get(index)
        if part is not None and part.type in (t, FLOAT):
            return part
    place = constant(index if len(index) > 1 else index[0])
    return reverse.b.op(operator.getitem, value, place, type=t)


def _parts_of(reverse: Any, op: Op) -> dict[tuple[int, ...], Atom] | None:
    """The values that an array is put together of, by index; None where that is not known."""
    t = op.target.type if op.target is not None else None
    if op.fn not in _OF_LISTS or len(op.args) != 1 or not isinstance(t, Array) or t.dims is None:
        return None
    dtype = op.kwargs.get("dtype")
    if op.kwargs.keys() - {"dtype"} or dtype is not None and not _is_float(dtype):
        return None
    parts = dict(_walk(reverse, op.args[0], (), reverse.b.home.get(op.target)))
    ranks = all(_rank(atom) == len(t.dims) - len(index) for index, atom in parts.items())
    return parts if ranks and () not in parts else None


def _is_float(dtype: Any) -> bool:
    return isinstance(dtype, Const) and np.dtype(dtype.value).kind in "fc"


def _walk(
    reverse: Any, atom: Atom, index: tuple[int, ...], home: Any
) -> Iterator[tuple[Any, Atom]]:
    """The values in a list of lists that is written out in a block, with their indices.

    A loop or a branch hands on the cotangents of what it reads: of a list from outside it, not of
    the values in that.
    """
    made = reverse.b.definition(atom, core.LIST) or reverse.b.definition(atom, core.TUPLE)
    if made is None or reverse.b.home.get(atom) is not home:
        yield index, atom
        return
    for i, part in enumerate(made.args):
        yield from _walk(reverse, part, (*index, i), home)


def _rank(atom: Atom) -> int | None:
    """The rank of a value; None where it is not known."""
    if isinstance(atom.type, Scalar):
        return 0
    dims = atom.type.dims if isinstance(atom.type, Array) else None
    return None if dims is None else len(dims)
