"""In the mode of `detect_anomaly`: a check of each float after the statement that has computed it.

Needs: everything else to be done. Later passes would take a check for a use of the value.

A value that is checked has two uses, so that it is printed as a statement of its own. What only
hands values on is not checked, and neither is memory that nothing has been computed into yet.

>>> from ..core import Block, Function, Op, Var, show
>>> from ..types import FLOAT
>>> x, y = (Var(n, FLOAT) for n in "xy")
>>> f = Function("f", [x], Block([Op(y, abs, [x])], [y]))
>>> check_values(f, "nan")
>>> print(show(f))
f(x: float)
  y: float = abs(x)
   = check(y, what='nan')
  yield y
"""

from __future__ import annotations

from .. import core
from ..core import Atom, Block, Function, Intrinsic, Op, Stmt, Var, While
from ..infer import constant
from ..runtime.checks import hands_on
from ..types import Array, Scalar, Type, Unknown

_CALLS = {core.CALL, core.PURE_CALL, core.CALL_CORE}


def check_values(function: Function, what: str) -> None:
    """Put checks for nan (`what`: "nan"), or also for infinite values ("inf"), into a function."""
    _check(function.body, what)


def _check(block: Block, what: str) -> None:
    stmts: list[Stmt] = []
    for stmt in block.stmts:
        stmts.append(stmt)
        if isinstance(stmt, While):
            _check(stmt.body, what)  # and not the condition, which is an expression
            continue
        for inner in core.blocks_of(stmt):
            _check(inner, what)
        value = _computed(stmt)
        if value is not None:
            stmts.append(_check_of(value, stmt, what))  # type: ignore[arg-type]
    block.stmts = stmts


def _check_of(value: Var, op: Op, what: str) -> Op:
    options: dict[str, Atom] = {"what": constant(what)}
    if op.backward or op.tangent:
        options["sweep"] = constant("tangent" if op.tangent else "backward")
    return Op(None, core.CHECK, [value], options, "", op.origin, None, op.backward, op.tangent)


def _computed(stmt: Stmt) -> Var | None:
    """The float that a statement has computed."""
    if not isinstance(stmt, Op):
        return None
    value = stmt.target if stmt.version is None else stmt.version
    if value is None or not _may_be_float(value.type):
        return None
    if isinstance(stmt.fn, Intrinsic):
        return value if stmt.fn in _CALLS else None
    return None if hands_on(stmt.fn) else value


def _may_be_float(t: Type) -> bool:
    if isinstance(t, Scalar):
        return t.kind in ("float", "complex")
    return isinstance(t, Unknown) or isinstance(t, Array) and t.element.kind in "fc"
