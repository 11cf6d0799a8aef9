"""Readable names for values that the user gave none."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from . import core
from .core import Atom, Intrinsic, Var

_OPERATORS: dict[Any, str] = {
    np.add: "total",
    np.subtract: "diff",
    np.multiply: "prod",
    np.true_divide: "ratio",
    np.power: "power",
    np.negative: "neg",
    np.matmul: "dot",
    np.remainder: "rest",
    np.floor_divide: "whole",
    np.transpose: "trans",
    np.broadcast_to: "full",
    np.sum: "sum_",
    np.max: "top",
    np.min: "low",
    np.mean: "mean",
    np.absolute: "size",
    operator.getitem: "item",
    np.less: "less",
    np.greater: "more",
    np.less_equal: "at_most",
    np.greater_equal: "at_least",
    np.equal: "same",
    np.not_equal: "differs",
    np.where: "pick",
    len: "count",
}
_INTRINSICS: dict[Intrinsic, str] = {
    core.TUPLE: "pair",
    core.LIST: "items",
    core.DICT: "table",
    core.SLICE: "part",
    core.RANGE: "steps",
    core.NOT: "unless",
    core.CALL: "result",
    core.PURE_CALL: "result",
    core.CALL_CORE: "result",
}


def for_operation(fn: Any, args: list[Atom], style: str) -> str:
    """A name for the result of an operation: `exp_z` for np.exp(z), `prod` for a * b."""
    if isinstance(fn, Intrinsic):
        if fn is core.ATTRIBUTE:
            return str(args[1].value)  # type: ignore[union-attr]
        return _INTRINSICS.get(fn, "test")
    if fn is operator.getitem and isinstance(args[1], core.Const):
        key = args[1].value
        if isinstance(key, str) and key.isidentifier():
            return key
    if fn is operator.getitem and isinstance(args[0], Var) and args[0].named:
        index = args[1]
        if isinstance(index, Var) and index.named and index.name.isidentifier():
            return f"{args[0].name}_{index.name}"
    try:
        known = _OPERATORS.get(fn)
    except TypeError:
        known = None
    if known is not None:
        return known
    base = getattr(fn, "__name__", "value").strip("_") or "value"
    first = args[0] if args else None
    if len(args) == 1 and isinstance(first, Var) and first.named:
        return f"{base}_{first.name}"
    return base if base not in _SHADOWED else f"{base}_"


_SHADOWED = frozenset(
    {"abs", "all", "any", "float", "int", "max", "min", "pow", "round", "sum", "len"}
)
