"""The rules: what the derivative of each function is.

`lookup(fn)` finds a callable's rules; template.py says what a rule looks like. Each module is one
domain of mathematics. Rules for what NumPy itself imports late are imported late too.
"""

from . import (  # noqa: F401  (importing registers)
    arithmetic,
    builtins_,
    creation,
    elementwise,
    indexing,
    interpolation,
    linalg,
    norms,
    products,
    reductions,
    scalar_math,
    scans,
    selection,
    shape,
    zero,
)
from .methods import ATTRIBUTES, METHODS, VARARG_METHODS
from .template import (
    REFUSED,
    RULES,
    ZERO,
    Line,
    Rule,
    RuleError,
    d,
    import_late,
    not_differentiable,
    rule,
    zero_derivative,
)

__all__ = [
    "ATTRIBUTES", "METHODS", "REFUSED", "RULES", "VARARG_METHODS", "ZERO",
    "Line", "Rule", "RuleError", "d", "is_zero", "lookup", "not_differentiable", "refusal", "rule",
    "zero_derivative",
]  # fmt: skip


def lookup(fn):
    """The callable's rules in the order in which they are to be tried; none known: ()."""
    return RULES.get(fn, ())


def is_zero(fn):
    """Whether the result of fn has no derivative by nature."""
    import_late(fn)
    return fn in ZERO


def refusal(fn):
    """Why fn is refused and what to do instead, or None."""
    return REFUSED.get(fn)
