"""Where large arrays are released: `del h`, after the line that reads it last.

A function's variables keep what they hold until it returns. So without this, each array of a long
derivative is in memory of its own, which the system has to fetch page by page; that takes as long
as the arithmetic. Whether an array is large is known for the example that the code is made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from . import core
from .analysis.memory import returns_operand
from .core import Atom, Block, Function, If, Intrinsic, Loop, Op, Stmt, Var
from .names import Names
from .types import Symbols, is_large


def releases(
    function: Function, folded: Mapping[Var, Op], names: Names, symbols: Symbols
) -> dict[int, list[str]]:
    """Position of a statement of the function -> the names that are not needed after it."""
    stmts = function.body.stmts
    large = {
        s.target
        for s in stmts
        if isinstance(s, Op) and _is_fresh(s) and s.target and is_large(s.target.type, symbols)
    }
    released = {names[v] for v in large if v not in folded}
    if not released:
        return {}
    last: dict[str, int] = {}
    latest = 0  # the last statement that needs memory for a large array
    for position, stmt in enumerate([*stmts, None]):
        if isinstance(stmt, Op) and stmt.target in folded:
            continue
        if isinstance(stmt, (If, Loop)) or _is_made_anew(stmt):
            latest = position
        for var in _mentioned(stmt, function, folded):
            if var in large and (var in folded or isinstance(stmt, Op) and var is stmt.target):
                latest = position
            if var not in folded and var.external is None and (name := names.get(var)) is not None:
                last[name] = position
    found: dict[int, list[str]] = {}
    for name, position in last.items():
        if name in released and position < latest:
            found.setdefault(position, []).append(name)
    return found


def _mentioned(stmt: Stmt | None, function: Function, folded: Mapping[Var, Op]) -> Iterator[Var]:
    """The variables in the printed form of a statement; None: of the return."""
    if stmt is None:
        yield from _within(function.body.yields, folded)
        return
    for each in core.walk(Block([stmt])):
        yield from core.defined_by(each)
        yield from core.defined_inside(each)
        yield from _within(core.read_by(each), folded)
        for block in core.blocks_of(each):
            yield from _within(block.yields, folded)


def _within(atoms: list[Atom], folded: Mapping[Var, Op]) -> Iterator[Var]:
    todo = list(atoms)
    while todo:
        atom = todo.pop()
        if isinstance(atom, Var):
            yield atom
            if atom in folded:
                todo += folded[atom].operands()


def _is_made_anew(stmt: Stmt | None) -> bool:
    """Whether this is `z = np.sign(z)`."""
    return (
        isinstance(stmt, Op)
        and isinstance(stmt.fn, np.ufunc)
        and stmt.version is not None
        and len(stmt.args) == 1
    )


def _is_fresh(op: Op) -> bool:
    """Whether the result is memory of its own."""
    return not isinstance(op.fn, Intrinsic) and not returns_operand(op.fn)
