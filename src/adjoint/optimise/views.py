"""Print what is done through views as the user wrote it.

    row = A[i]; row[0] = x; A = through(A, row); row = A[i]; y = row[1]

becomes `row = A[i]; row[0] = x; y = row[1]`: `through` needs no code, and a view that is made anew,
because its array has changed, is the object that there is already.
"""

from __future__ import annotations

from typing import Any

from .. import core
from ..core import Atom, Block, Const, Function, Op, Var
from ..structure import rename
from ..types import freeze
from ..views import is_view


def settle_views(function: Function) -> None:
    """Drop `through`, and the views that are made once more under the same name, in place."""
    if not any(isinstance(s, Op) and s.version is not None for s in core.walk(function.body)):
        return
    renamed: dict[Var, Atom] = {}
    _settle(function.body, renamed, [{}])

    rename(function, renamed)


def _settle(block: Block, renamed: dict[Var, Atom], known: list[dict[Any, Var]]) -> None:
    kept = []
    for stmt in block.stmts:
        if isinstance(stmt, Op) and stmt.fn is core.THROUGH:
            assert stmt.version is not None and isinstance(stmt.args[0], Var)
            renamed[stmt.version] = stmt.args[0]
            continue
        if isinstance(stmt, Op) and stmt.target is not None and is_view(stmt):
            key = _key(stmt, renamed)
            first = next((k[key] for k in known if key in k), None)
            if first is not None and first.name == stmt.target.name:
                renamed[stmt.target] = first
                continue
            if first is None and stmt.target.named:
                known[-1][key] = stmt.target
        for inner in core.blocks_of(stmt):
            _settle(inner, renamed, [*known, {}])
        kept.append(stmt)
    block.stmts = kept


def _key(op: Op, renamed: dict[Var, Atom]) -> Any:
    """Two views of one key are one: of the same object, at the same index."""
    source = op.args[0]
    while isinstance(source, Var) and source in renamed:
        source = renamed[source]
    assert isinstance(source, Var)
    root = renamed.get(source.root, source.root)
    rest = [*op.args[1:], *op.kwargs.values()]
    return op.fn, root, tuple(map(_atom_key, rest)), tuple(op.kwargs)


def _atom_key(atom: Atom) -> Any:
    return (freeze(atom.value), atom.path) if isinstance(atom, Const) else atom
