"""The rules of the checks of what users' rules give: see runtime/own_rules.py."""

from ..runtime.generic import fit
from ..runtime.own_rules import by_rule, tangent_by_rule
from .template import d, rule


@rule(by_rule)
def by_rule_rule(z, y, x, cotangent, origin, name):
    """Fits y to x, as `fit` does."""
    d[z, x] = 0
    d[z, cotangent] = 0
    d[z] = fit(d[y], x)
    d[y] += fit(d[z], y)


@rule(tangent_by_rule)
def tangent_by_rule_rule(z, y, x, origin):
    """Spreads y to the shape of x."""
    d[z, x] = 0
    d[z] = fit(d[y], x)
    d[y] += fit(d[z], y)
