"""Shifts by a maximum that cancel: the derivative through them is zero.

A stable softmax subtracts the row's maximum before it takes the exponential, and the result does
not depend on what was subtracted. Differentiating the maximum would add several passes over the
array to find zeros. This analysis follows a maximum m through the program, as if m grew by c:

    shift k   the value grows by k * c             (m itself, x - m, log of a scale)
    scale k   the value is multiplied by exp(k * c)   (exp of a shift, sums along the axis)

When every value that leaves the chain has k = 0, the result does not depend on m at all.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import core
from ..core import Atom, Block, Const, Function, Op, Var
from ..rules import own
from ..types import Array, dims_of, is_many
from .activity import blocks_derivative

_MAXIMA = frozenset({np.max, np.amax, np.min, np.amin})


@dataclass(frozen=True)
class _Change:
    """How a value changes with c. `kept`: the reduced axis is there with size 1 or more."""

    scale: bool
    k: float
    axis: int | None  # counted from the end; None: c is one number
    rank: int
    kept: bool = True


class _Unknown(Exception):
    """The value changes in another way."""


def cancelling(function: Function) -> set[Var]:
    """The maxima of a function on which its result does not depend."""
    found: set[Var] = set()
    made = {s.target: s for s in core.walk(function.body) if isinstance(s, Op) and s.target}
    blocks = [function.body]
    while blocks:
        block = blocks.pop()
        for position, stmt in enumerate(block.stmts):
            blocks += core.blocks_of(stmt)
            if isinstance(stmt, Op) and stmt.fn in _MAXIMA and stmt.target is not None:
                change = _of_maximum(stmt)
                if change is not None and _cancels(block, position, stmt.target, change, made):
                    found.add(stmt.target)
    return found


def _option(op: Op, name: str, position: int, default: Any) -> Any:
    atom: Atom | None = op.kwargs.get(name)
    if atom is None and len(op.args) > position:
        atom = op.args[position]
    if atom is None:
        return default
    return atom.value if isinstance(atom, Const) else _Unknown


def _of_maximum(op: Op) -> _Change | None:
    if own.has_rule(op.fn):
        return None
    dims = dims_of(op.args[0].type)
    if dims is None or not isinstance(op.args[0].type, Array):
        return None
    axis, keepdims = _option(op, "axis", 1, None), _option(op, "keepdims", 4, False)
    if axis is None and keepdims is False:
        return _Change(False, 1, None, 0)
    if type(axis) is int and keepdims in (True, False):
        axis = axis - len(dims) if axis >= 0 else axis
        return _Change(False, 1, axis, len(dims), keepdims)
    return None


def _cancels(block: Block, position: int, start: Var, change: _Change, made: dict[Var, Op]) -> bool:
    changes: dict[Var, _Change] = {start: change}
    for stmt in block.stmts[position + 1 :]:
        if not isinstance(stmt, Op):
            free = core.read_by(stmt) + [v for b in core.blocks_of(stmt) for v in core.free_vars(b)]
            if any(a in changes for a in free if isinstance(a, Var)):
                return False
            continue
        if not any(a in changes for a in stmt.operands() if isinstance(a, Var)):
            continue
        if stmt.target is None or stmt.version is not None:
            return False
        if blocks_derivative(stmt):
            continue
        try:
            result = _follow(stmt, changes, made)
        except _Unknown:
            return False
        if result.k != 0:
            changes[stmt.target] = result
    return not any(a in changes for a in block.yields if isinstance(a, Var))


def _follow(op: Op, changes: dict[Var, _Change], made: dict[Var, Op]) -> _Change:
    """How the result of an operation changes, where its derivative is that of its mathematics."""
    if own.has_rule(op.fn):
        raise _Unknown
    operands = [changes.get(a) if isinstance(a, Var) else None for a in op.args]
    moving = [c for c in operands if c is not None]
    if len(moving) != sum(a in changes for a in op.operands() if isinstance(a, Var)):
        raise _Unknown
    first = moving[0]
    if any((c.axis, c.rank, c.kept) != (first.axis, first.rank, first.kept) for c in moving):
        raise _Unknown
    if op.fn in (np.add, np.subtract, np.multiply, np.true_divide):
        return _arithmetic(op, operands, first)
    if op.fn is np.negative:
        return first if first.scale else replace(first, k=-first.k)
    if op.fn is np.exp and not first.scale:
        return replace(first, scale=True)
    if op.fn is np.log and first.scale:
        return replace(first, scale=False)
    if op.fn is np.sqrt and first.scale:
        return replace(first, k=first.k / 2)
    if op.fn is np.sum and first.scale:
        return _reduced(op, first)
    if op.fn in _MAXIMA and not first.scale:
        return _reduced(op, first)
    if op.fn is operator.getitem and operands[0] is not None:
        return _element(op, first, made)
    if op.fn is np.expand_dims and not first.kept and isinstance(op.args[1], Const):
        axis = op.args[1].value
        if type(axis) is int and (axis - first.rank if axis >= 0 else axis) == first.axis:
            return replace(first, kept=True)
    raise _Unknown


def _arithmetic(op: Op, operands: list[_Change | None], first: _Change) -> _Change:
    rank = first.rank if first.kept else first.rank - 1
    result = dims_of(op.target.type) if op.target is not None else None
    if first.axis is not None and (result is None or len(result) != rank):
        raise _Unknown
    if any(c is not None and c.scale != first.scale for c in operands):
        raise _Unknown
    ks = [0.0 if c is None else c.k for c in operands]
    sums = op.fn in (np.add, np.subtract)
    if sums is first.scale:
        # Sums of scales need the same scale on both sides; a shift may be multiplied by a number.
        if sums and None not in operands and ks[0] == ks[1]:
            return first
        number = next((a for a, c in zip(op.args, operands, strict=True) if c is None), None)
        if not sums and isinstance(number, Const) and isinstance(number.value, (int, float)):
            if op.fn is np.multiply:
                return replace(first, k=first.k * number.value)
            if operands[0] is not None:
                return replace(first, k=first.k / number.value)
        raise _Unknown
    sign = 1 if op.fn in (np.add, np.multiply) else -1
    return replace(first, k=ks[0] + sign * ks[1])


def _reduced(op: Op, change: _Change) -> _Change:
    """A sum or a maximum along the axis on which c does not depend."""
    axis, keepdims = _option(op, "axis", 1, None), _option(op, "keepdims", 4, False)
    if change.axis is None:
        return change
    if not change.kept or type(axis) is not int or keepdims not in (True, False):
        raise _Unknown
    if (axis - change.rank if axis >= 0 else axis) != change.axis:
        raise _Unknown
    return replace(change, kept=keepdims)


def _element(op: Op, change: _Change, made: dict[Var, Op]) -> _Change:
    """One element of each row, x[np.arange(n), labels]: row i's c goes with element i."""
    if change.axis is None:
        return change
    source, result = dims_of(op.args[0].type), dims_of(op.target.type) if op.target else None
    if change.rank == 2 and change.axis == -1 and change.kept and source and result:
        if (
            len(result) == 1
            and _counts_rows(op.args[1], made)
            and (result[0] == source[0] or (is_many(result[0]) and is_many(source[0])))
        ):
            return replace(change, kept=False)
    raise _Unknown


def _counts_rows(index: Atom, made: dict[Var, Op]) -> bool:
    """Whether an index pairs np.arange(n) with a line of columns."""
    pair = made.get(index) if isinstance(index, Var) else None
    if pair is None or pair.fn is not core.TUPLE or len(pair.args) != 2:
        return False
    rows = made.get(pair.args[0]) if isinstance(pair.args[0], Var) else None
    return rows is not None and rows.fn is np.arange and len(rows.args) == 1 and not rows.kwargs
