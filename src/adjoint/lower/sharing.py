"""What the statements of a derivative may share memory with.

Lowering notes this of each operation when it makes it. A derivative pass makes operations without
lowering; where a user's function goes on with what they give, they are noted afterwards.
"""

from __future__ import annotations

from typing import Any

from .. import core
from ..builder import is_mutable
from ..core import Atom, Block, Const, For, If, Loop, Op, Var
from ..types import is_container
from .expressions import is_shared


def note_sharing(lowering: Any, block: Block) -> None:
    """Note for every statement of a block what its results may share with its operands."""
    for stmt in core.walk(block):
        if isinstance(stmt, Op):
            _note_op(lowering, stmt)
        elif isinstance(stmt, If):
            for side in (stmt.then, stmt.orelse):
                _note_same(lowering, stmt.results, side.yields)
        else:
            _note_loop(lowering, stmt)


def _note_op(lowering: Any, op: Op) -> None:
    if op.target is not None and is_mutable(op.target.type):
        if op.fn is reversed or _is_own(op.fn):
            _note_same(lowering, [op.target] * len(op.args), op.args)
        else:
            lowering.note_aliases(op.fn, list(op.args), op.target, op.kwargs)
    if op.fn in (core.APPEND, core.STORE) and is_container(op.args[0].type):
        part = op.args[-1]
        if is_shared(part):
            lowering.aliases.put(part.root, op.args[0].root)  # type: ignore[union-attr]
    if op.fn is core.POP and op.target is not None and is_mutable(op.target.type):
        lowering.aliases.taken(op.target.root, op.args[0].root)  # type: ignore[union-attr]


def _note_loop(lowering: Any, loop: Loop) -> None:
    for entered in (loop.inits, loop.body.yields[:-1]):
        _note_same(lowering, loop.params, entered)
        _note_same(lowering, loop.results, entered)
    if not isinstance(loop, For):
        return
    for item, source in zip(loop.items, loop.iterables, strict=True):
        if item is None or not is_mutable(item.type) or isinstance(source, Const):
            continue
        if is_container(source.type):
            lowering.aliases.taken(item, source.root)
        else:
            lowering.aliases.same(item, source.root)


def _note_same(lowering: Any, results: list[Var], sources: list[Atom]) -> None:
    for result, source in zip(results, sources, strict=False):
        if is_mutable(result.type) and is_shared(source):
            lowering.aliases.same(result.root, source.root)


def _is_own(fn: Any) -> bool:
    """Whether a function is one of our helpers, some of which return what they are given."""
    return str(getattr(fn, "__module__", "")).startswith("adjoint.")
