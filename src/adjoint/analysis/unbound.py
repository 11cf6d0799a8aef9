"""Which variables may have no value, as Python says of a name that a loop has not bound.

>>> from ..core import UNDEFINED, Block, Const, For, Function, Op, Var
>>> from ..types import BOOL, FLOAT, Range
>>> n, p, v, r, flag = Var("n", Range()), *(Var(x, FLOAT) for x in "pvr"), Var("flag", BOOL)
>>> body = Block([Op(v, abs, [p])], [v, Const(False, BOOL)])
>>> loop = For([p], [UNDEFINED], body, [r], items=[None], iterables=[n])
>>> function = Function("f", [n], Block([loop, Op(flag, core.IS, [r])], [r]))
>>> unbound_vars(function) == {p, r}, checked_vars(function) == {r, v}
(True, True)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .. import core
from ..core import UNDEFINED, Atom, Function, If, Loop, Op, Var
from ..runtime.generic import zeros_like


def unbound_vars(function: Function) -> set[Var]:
    """The variables that may have no value, and zeros, which may be like one from a record."""
    flows = list(_flows(function))
    found = {to for to, of in flows if of is UNDEFINED}
    for stmt in core.walk(function.body):
        if isinstance(stmt, Op) and stmt.fn is zeros_like and stmt.target is not None:
            found.add(stmt.target)
    return _reached(found, flows)


def checked_vars(function: Function) -> set[Var]:
    """The variables of which it is asked whether they have a value, perhaps by another name."""
    tests = (s for s in core.walk(function.body) if isinstance(s, Op) and s.fn is core.IS)
    flows = [(of, to) for to, of in _flows(function) if isinstance(of, Var)]
    return _reached({s.args[0] for s in tests if isinstance(s.args[0], Var)}, flows[::-1])


def _reached(found: set[Var], flows: Sequence[tuple[Var, Atom]]) -> set[Var]:
    """The variables that are reached from some of them. flows: (to, of)"""
    grown = True
    while grown:
        grown = False
        for to, of in flows:
            if of in found and to not in found:
                found.add(to)
                grown = True
    return found


def _flows(function: Function) -> Iterator[tuple[Var, Atom]]:
    """Which variable may be what, after a branch or in a loop."""
    for stmt in core.walk(function.body):
        if isinstance(stmt, If):
            for side in (stmt.then, stmt.orelse):
                yield from zip(stmt.results, side.yields)
        elif isinstance(stmt, Loop):
            for ends in (stmt.inits, stmt.body.yields):
                yield from zip(stmt.params, ends)
                yield from zip(stmt.results, ends)
