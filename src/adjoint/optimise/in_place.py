"""Carry out elementwise steps of the backward sweep in memory that is not needed any more.

    d_z = d_h * (1 - h * h)   becomes   d_h *= 1 - h * h

where d_h was made by the sweep itself, has the type of the result, and is read nowhere else. Large
networks spend as much time on fetching new memory as on arithmetic.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from .. import core
from ..builder import MAYBE_VIEWS, VIEWS
from ..core import Function, Intrinsic, Op, Var
from ..types import Array

_COMMUTATIVE = frozenset({np.add, np.multiply})
_ELEMENTWISE = _COMMUTATIVE | {np.subtract, np.true_divide}


def reuse_memory(function: Function) -> None:
    """Let elementwise operations overwrite an operand that dies with them, in place."""
    uses: Counter[Var] = Counter()
    changed: set[Var] = set()
    states: dict[Var, list[Var]] = {}  # object -> its later versions
    for stmt in core.walk(function.body):
        for var in [*core.defined_by(stmt), *core.defined_inside(stmt)]:
            if var.root is not var:
                states.setdefault(var.root, []).append(var)
        atoms = core.read_by(stmt) + [a for b in core.blocks_of(stmt) for a in b.yields]
        uses.update(a for a in atoms if isinstance(a, Var))
        if isinstance(stmt, Op) and stmt.version is not None:
            changed.add(stmt.version.root)
    uses.update(a for a in function.body.yields if isinstance(a, Var))
    blocks = [function.body]
    while blocks:
        block = blocks.pop()
        made: dict[Var, Op] = {}
        for stmt in block.stmts:
            blocks += core.blocks_of(stmt)
            if not isinstance(stmt, Op) or stmt.target is None:
                continue
            position = _reusable(stmt, made, uses, changed)
            if position is not None:
                later = states.pop(stmt.target, [])
                root = _overwrite(stmt, position)
                for var in later:
                    var.root = root
                states.setdefault(root, []).extend(later)
                made[stmt.version] = stmt  # type: ignore[index]
            elif stmt.backward and _is_fresh(stmt):
                made[stmt.target] = stmt


def _reusable(op: Op, made: dict[Var, Op], uses: Counter[Var], changed: set[Var]) -> int | None:
    """The position of an operand whose memory the result may take."""
    if not (op.backward and op.style == "operator" and op.fn in _ELEMENTWISE):
        return None
    assert op.target is not None
    for position, atom in enumerate(op.args):
        if position == 1 and op.fn not in _COMMUTATIVE:
            break
        if (
            isinstance(atom, Var)
            and atom in made
            and atom.root.named
            and uses[atom] == 1
            and atom not in changed
            and isinstance(atom.type, Array)
            and atom.type.dims
            and atom.type == op.target.type
        ):
            return position
    return None


def _overwrite(op: Op, position: int) -> Var:
    """Let the result take an operand's memory; returns the object that it now is a state of."""
    reused, other = op.args[position], op.args[1 - position]
    assert isinstance(reused, Var) and op.target is not None
    op.args = [reused, other]
    op.version, op.target = op.target, None
    op.version.root = reused.root
    op.style = "inplace"
    return reused.root


def _is_fresh(op: Op) -> bool:
    """Whether the result is memory of its own, not an operand or a part of one."""
    if isinstance(op.fn, Intrinsic) or op.fn in VIEWS or op.fn in MAYBE_VIEWS:
        return False
    return isinstance(op.fn, np.ufunc) or op.fn in (np.sum, np.copy, np.zeros_like)
