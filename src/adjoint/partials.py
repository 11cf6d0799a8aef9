"""Partial derivatives as factors: counted where they are equal, and multiplied with what moves."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .core import Atom, Const
from .infer import constant

Counts = dict[Atom | None, int]  # partial (None: 1) -> how often it stands in the sum


def count_partial(b: Builder, partial: Atom, counts: Counts) -> None:
    """Count equal partials, signs apart: x * x has twice the partial x, and x - x has none."""
    sign = 1
    negative = b.definition(partial, np.negative)
    if negative is not None:
        partial, sign = negative.args[0], -1
    one: Atom | None = partial
    if isinstance(partial, Const) and partial.path is None and partial.value in (1, -1):
        one, sign = None, sign * int(partial.value)
    counts[one] = counts.get(one, 0) + sign


def scaled(b: Builder, value: Atom, partial: Atom | None, count: int) -> Atom:
    """count * value * partial, the number taken to the value first."""
    if abs(count) > 1:
        value = b.op(np.multiply, constant(abs(count)), value, style="operator")
    if partial is not None:
        value = b.op(np.multiply, value, partial, style="operator")
    return value if count > 0 else b.op(np.negative, value, style="operator")


def is_zero(expr: object) -> bool:
    """Whether a partial is written as the number 0."""
    return type(expr).__name__ == "Constant" and expr.value == 0  # type: ignore[attr-defined]
