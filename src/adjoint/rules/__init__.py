"""The rules: what the derivative of each function is.

`lookup(fn)` finds a callable's rules; template.py says what a rule looks like. Each module is one
domain of mathematics. Rules that many programs never ask for are imported when one does.
"""

from ..errors import RuleError
from . import (  # noqa: F401  (importing registers)
    arithmetic,
    builtins_,
    checks,
    creation,
    elementwise,
    generic,
    indexing,
    interpolation,
    own,
    polynomials,
    products,
    quantiles,
    reductions,
    scans,
    selection,
    shape,
    statistics,
    zero,
)
from .methods import ATTRIBUTES, METHODS, VARARG_METHODS
from .template import (
    REFUSED,
    RULES,
    WRITTEN_OUT,
    ZERO,
    Line,
    Rule,
    d,
    import_late,
    not_differentiable,
    rule,
    zero_derivative,
)

__all__ = [
    "ATTRIBUTES", "METHODS", "REFUSED", "RULES", "VARARG_METHODS", "WRITTEN_OUT", "ZERO",
    "Line", "Rule", "RuleError", "d", "is_zero", "lookup", "not_differentiable", "refusal", "rule",
    "zero_derivative",
]  # fmt: skip


def lookup(fn):
    """The callable's rules in the order in which they are to be tried; none known: ().

    Those of the user come first; ours serve where none of them holds.
    """
    found = own.rules_of(fn)
    return (*found, *RULES.get(fn, ())) if found else RULES.get(fn, ())


def is_zero(fn):
    """Whether the result of fn has no derivative by nature, and the user has given it none."""
    import_late(fn)
    return fn in ZERO and not own.has_rule(fn)


def refusal(fn):
    """Why fn is refused and what to do instead, or None."""
    return REFUSED.get(fn)
