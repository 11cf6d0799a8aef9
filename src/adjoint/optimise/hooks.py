"""Take out the points at which hooks were: what is handed on there is the value itself.

>>> from ..core import HOOK, Block, Function, Op, Var, show
>>> from ..types import FLOAT
>>> x, y, z = (Var(n, FLOAT) for n in "xyz")
>>> f = Function("f", [x], Block([Op(y, HOOK, [x]), Op(z, abs, [y])], [z]))
>>> remove_hooks(f)
>>> print(show(f))
f(x: float)
  z: float = abs(x)
  yield z
"""

from __future__ import annotations

from .. import core
from ..core import Atom, Block, Function, Op, Var


def remove_hooks(function: Function) -> None:
    """Let the uses of what a hook hands on read the value itself, in place."""
    hooks = [s for s in core.walk(function.body) if isinstance(s, Op) and s.fn is core.HOOK]
    if not hooks:
        return
    changed = {
        s.version.root
        for s in core.walk(function.body)
        if isinstance(s, Op) and s.version is not None
    }
    same: dict[Var, Atom] = {}
    for op in hooks:
        assert op.target is not None
        if op.target in changed:
            op.args, op.kwargs = op.args[:1], {}  # another name for what is changed in place
        else:
            same[op.target] = op.args[0]
            value = op.args[0]
            if isinstance(value, Var) and op.target.named and not value.named:
                value.name, value.named = op.target.name, True

    def first(atom: Atom) -> Atom:
        while isinstance(atom, Var) and atom in same:
            atom = same[atom]
        return atom

    core.rewrite(function.body, first)
    _drop(function.body, same)


def _drop(block: Block, same: dict[Var, Atom]) -> None:
    block.stmts = [s for s in block.stmts if not (isinstance(s, Op) and s.target in same)]
    for stmt in block.stmts:
        for inner in core.blocks_of(stmt):
            _drop(inner, same)
