"""Which variables a derivative goes through.

A variable is *varied* when it depends on an argument that is differentiated, *useful* when the
result depends on it, in both cases through operations that have a derivative; it is *active* when
it is both. Only active variables get cotangents (Hascoet & Pascual, "The Tapenade automatic
differentiation tool", 2013, section 4.2).
"""

from __future__ import annotations

from collections.abc import Iterable

from .. import core
from ..control import stop_gradient
from ..core import Atom, Block, For, Function, If, Op, Var, While
from ..rules import ZERO, own
from ..types import Struct, carries_derivative

# Operations that look at the form of a value, not at its contents.
_FORM = frozenset(
    {core.NOT, core.IS, core.IS_NOT, core.IN, core.RANGE, core.SLICE,
     core.ASSERT, core.RAISE}
)  # fmt: skip


_STILL = frozenset({stop_gradient, len})
_FORM_ATTRIBUTES = frozenset({"shape", "ndim", "size", "dtype", "itemsize", "nbytes"})


def blocks_derivative(op: Op) -> bool:
    """Whether the result of an operation does not vary with its operands, by nature."""
    if op.fn is core.ATTRIBUTE:
        if isinstance(op.args[0].type, Struct):
            return True  # no part of it, by which it could be differentiated
        return op.args[1].value in _FORM_ATTRIBUTES  # type: ignore[union-attr]
    if isinstance(op.fn, core.Intrinsic):
        return op.fn in _FORM
    try:
        return op.fn in _STILL or op.fn in ZERO and not own.has_rule(op.fn)
    except TypeError:
        return False


def active_vars(function: Function, wrt: Iterable[Var]) -> set[Var]:
    varied = varied_vars(function.body, wrt)
    useful = useful_vars(function.body, [function.result])
    return {v for v in varied & useful if carries_derivative(v.type)}


def varied_vars(body: Block, wrt: Iterable[Var]) -> set[Var]:
    varied = set(wrt)
    _forward(body, varied)
    return varied


def _forward(block: Block, varied: set[Var]) -> None:
    def is_varied(atom: Atom) -> bool:
        return isinstance(atom, Var) and atom in varied

    for stmt in block.stmts:
        if isinstance(stmt, Op):
            if blocks_derivative(stmt) or not any(map(is_varied, stmt.operands())):
                continue
            for var in core.defined_by(stmt):
                if carries_derivative(var.type):
                    varied.add(var)
        elif isinstance(stmt, If):
            _forward(stmt.then, varied)
            _forward(stmt.orelse, varied)
            for result, a, b in zip(
                stmt.results, stmt.then.yields, stmt.orelse.yields, strict=True
            ):
                if (is_varied(a) or is_varied(b)) and carries_derivative(result.type):
                    varied.add(result)
        else:
            if isinstance(stmt, For):
                for item, source in zip(stmt.items, stmt.iterables, strict=True):
                    if item is not None and is_varied(source) and carries_derivative(item.type):
                        varied.add(item)
            changed = True
            while changed:
                changed = False
                if isinstance(stmt, While):
                    _forward(stmt.cond, varied)
                _forward(stmt.body, varied)
                rows = zip(stmt.params, stmt.inits, stmt.body.yields, stmt.results)
                for param, init, end, result in rows:
                    if not (is_varied(init) or is_varied(end)):
                        continue
                    for var in (param, result):
                        if var not in varied and carries_derivative(var.type):
                            varied.add(var)
                            changed = True


def useful_vars(body: Block, results: Iterable[Atom]) -> set[Var]:
    useful = {a for a in results if isinstance(a, Var)}
    _backward(body, useful)
    return useful


def _backward(block: Block, useful: set[Var]) -> None:
    def need(atom: Atom) -> None:
        if isinstance(atom, Var):
            useful.add(atom)

    for stmt in reversed(block.stmts):
        if isinstance(stmt, Op):
            if blocks_derivative(stmt):
                continue
            if any(var in useful for var in core.defined_by(stmt)):
                for atom in stmt.operands():
                    need(atom)
        elif isinstance(stmt, If):
            for result, a, b in zip(
                stmt.results, stmt.then.yields, stmt.orelse.yields, strict=True
            ):
                if result in useful:
                    need(a)
                    need(b)
            _backward(stmt.then, useful)
            _backward(stmt.orelse, useful)
        else:
            before = -1
            while before != len(useful):
                before = len(useful)
                rows = zip(stmt.params, stmt.inits, stmt.body.yields, stmt.results)
                for param, init, end, result in rows:
                    if result in useful or param in useful:
                        need(end)
                        need(init)
                        useful.add(param)
                _backward(stmt.body, useful)
            if isinstance(stmt, For):
                for item, source in zip(stmt.items, stmt.iterables, strict=True):
                    if item in useful:
                        need(source)
