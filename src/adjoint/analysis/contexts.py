"""Which operation starts the `with` block that another one ends."""

from __future__ import annotations

from .. import core
from ..core import Op, Stmt


def entries(stmts: list[Stmt]) -> dict[Op, Op]:
    """LEAVE -> ENTER, of the blocks that start and end among these statements."""
    found: dict[Op, Op] = {}
    opened: list[Op] = []
    for stmt in stmts:
        if isinstance(stmt, Op) and stmt.fn is core.ENTER:
            opened.append(stmt)
        elif isinstance(stmt, Op) and stmt.fn is core.LEAVE:
            found[stmt] = opened.pop()
    return found
