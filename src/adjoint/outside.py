"""What a pullback reads of values from outside its function: as they were when the function ran.

Before the cotangent comes, a name outside may be bound anew, and an array that it, or an attribute,
stands for may be changed. So a forward half hands on what its backward half reads of them, arrays
as copies.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from . import core
from .analysis.memory import shared_operands
from .builder import Builder, is_mutable
from .core import Atom, Block, If, Op, Stmt, Var
from .runtime import generic
from .types import Array, Struct


def as_they_are(atoms: Iterable[Atom], block: Block, builder: Builder) -> list[Atom]:
    """Values at the end of a block, those copied that may have memory which others can change."""
    outside = _from_outside(block)
    return [_copied(a, builder) if _is_in(a, outside) else a for a in atoms]


def _copied(atom: Atom, builder: Builder) -> Atom:
    if isinstance(atom, Var) and atom.external is not None and isinstance(atom.type, Array):
        return builder.op(np.copy, atom, style="method", type=atom.type)
    return builder.op(generic.copy, atom, type=atom.type)  # a branch may have left it without value


def _is_in(atom: Atom | None, outside: set[Var]) -> bool:
    if not isinstance(atom, Var) or not is_mutable(atom.type):
        return False
    return atom.root.external is not None or atom in outside


def _from_outside(block: Block) -> set[Var]:
    """The variables that may be, share or hold what is reached from outside."""
    found = {
        stmt.target
        for stmt in core.walk(block)
        if isinstance(stmt, Op) and stmt.fn is core.ATTRIBUTE and stmt.target is not None
        and not isinstance(stmt.args[0].type, Struct)  # of which parts are arguments
    }  # fmt: skip
    before = -1
    while before != len(found):
        before = len(found)
        for stmt in core.walk(block):
            for target, sources in _flows(stmt):
                if any(_is_in(s, found) for s in sources):
                    found.add(target)
    return found


def _flows(stmt: Stmt) -> Iterable[tuple[Var, Iterable[Atom]]]:
    """Which variables a statement may give the memory of which others."""
    if isinstance(stmt, Op):
        holds_parts = stmt.version is not None and not isinstance(stmt.version.type, Array)
        sources = stmt.args if holds_parts else shared_operands(stmt)
        return [(v, sources) for v in core.defined_by(stmt)]
    if isinstance(stmt, If):
        ends = zip(stmt.then.yields, stmt.orelse.yields, strict=True)
        return zip(stmt.results, ends, strict=True)
    rows = zip(stmt.params, stmt.inits, stmt.body.yields, stmt.results)
    flows: list[tuple[Var, Iterable[Atom]]] = []
    for param, init, end, result in rows:
        flows += [(param, (init, end)), (result, (param,))]
    if isinstance(stmt, core.For):
        walked = zip(stmt.items, stmt.iterables, strict=True)
        flows += [(item, (source,)) for item, source in walked if item is not None]
    return flows
