"""The functions of `operator`: `operator.mul(x, y)` is lowered as `x * y` is."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import gast

from ..core import Atom
from .expressions import UNARY
from .invocation import Invocation

_BINARY: dict[Any, type] = {
    operator.add: gast.Add,
    operator.sub: gast.Sub,
    operator.mul: gast.Mult,
    operator.truediv: gast.Div,
    operator.floordiv: gast.FloorDiv,
    operator.mod: gast.Mod,
    operator.pow: gast.Pow,
    operator.matmul: gast.MatMult,
}
_UNARY: dict[Any, type] = {operator.neg: gast.USub, operator.pos: gast.UAdd}


def _binary(op: type) -> Callable[..., Atom]:
    def handle(lowering: Invocation, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
        left, right = args
        return lowering.binary(op, left, right, node)

    return handle


def _unary(op: type) -> Callable[..., Atom]:
    def handle(lowering: Invocation, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
        return lowering.op(UNARY[op], args[0], style="operator")

    return handle


def _getitem(lowering: Invocation, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    return lowering.subscript(args[0], args[1], node)


SYMBOLS: dict[Any, Callable[..., Atom]] = {
    **{fn: _binary(op) for fn, op in _BINARY.items()},
    **{fn: _unary(op) for fn, op in _UNARY.items()},
    operator.getitem: _getitem,
}
