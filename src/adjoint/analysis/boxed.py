"""Which numbers may be arrays of rank 0 that others hold too: `x += 1` would change them there.

NumPy's operations give numbers that nothing changes. But an argument may be a 0-d array, and so are
all results of rank 0 of other array modules.

>>> from ..core import Block, Function, Op, Var
>>> from ..types import Array
>>> x, y = (Var(n, Array(np.dtype(float), ())) for n in "xy")
>>> body = Block([Op(y, np.sin, [x])], [y])
>>> boxed_vars(Function("f", [x], body)) == {x}
True
"""

from __future__ import annotations

import operator

import numpy as np

from .. import core
from ..core import Atom, Block, For, Function, If, Loop, Op, Var
from ..types import Array
from ..views import has_ellipsis

# Reductions, whose results of rank 0 are NumPy's numbers.
_REDUCTIONS = frozenset(
    {np.sum, np.mean, np.max, np.min, np.prod, np.var, np.std, np.dot, np.vdot, np.trace,
     np.linalg.norm, np.linalg.det}
)  # fmt: skip


def boxed_vars(function: Function) -> set[Var]:
    """The variables that may hold a 0-d array."""
    boxed = set(filter(_is_box, function.params))
    sources: list[tuple[Var, Atom]] = []
    _collect(function.body, boxed, sources)
    while True:
        more = {v for v, source in sources if source in boxed} - boxed
        if not more:
            return boxed
        boxed |= more


def _collect(block: Block, boxed: set[Var], sources: list[tuple[Var, Atom]]) -> None:
    for stmt in block.stmts:
        if isinstance(stmt, Op):
            boxed.update(v for v in core.defined_by(stmt) if _is_box(v) and not _gives_number(stmt))
        elif isinstance(stmt, If):
            for side in (stmt.then, stmt.orelse):
                sources += zip(stmt.results, side.yields)
        elif isinstance(stmt, Loop):
            for values in (stmt.inits, stmt.body.yields):
                sources += zip(stmt.params, values)
                sources += zip(stmt.results, values)
            if isinstance(stmt, For):
                boxed.update(v for v in stmt.items if v is not None and _is_box(v))
        for inner in core.blocks_of(stmt):
            _collect(inner, boxed, sources)


def _is_box(var: Var) -> bool:
    return isinstance(var.type, Array) and var.type.dims == ()


def _gives_number(op: Op) -> bool:
    """Whether an operation gives a NumPy number, not an array of rank 0."""
    if op.target is None or op.version is not None:
        return False
    if not isinstance(op.target.type, Array) or op.target.type.module != "numpy":
        return False
    if op.fn is operator.getitem:
        return isinstance(op.args[0].type, Array) and not has_ellipsis(op.args[1])
    return isinstance(op.fn, np.ufunc) or op.fn in _REDUCTIONS
