"""Functions with kinks or steps, and selections.

Masks, not products, select a derivative: `0 * inf` is nan, and what is not selected must not leak.
The exception is a maximum with a number, whose speed counts more: there an infinite cotangent of an
element that is not selected gives nan, as in JAX.
"""

import numpy as np

from .runtime import unchoose, unselect
from .template import d, rule


@rule(np.absolute, np.fabs)
def absolute(z, x):
    """0 at 0."""
    d[z, x] = np.sign(x)


@rule(np.copysign)
def copysign(z, x, y):
    """0 at x == 0, as abs."""
    d[z, x] = np.sign(x) * np.copysign(1, y)
    d[z, y] = 0


@rule(np.heaviside)
def heaviside(z, x, h):
    d[z, x] = 0
    d[z] = np.where(x == 0, d[h], 0)
    d[h] += np.where(x == 0, d[z], 0)


def _is_number(x):
    return type(x) in (int, float)


@rule(np.maximum, when=lambda y: _is_number(y))
def maximum_of_number(z, x, y):
    """Half at a tie. By signs, several times faster than np.where: relu's inner loop."""
    d[z, x] = 0.5 + 0.5 * np.sign(x - y)


@rule(np.maximum, when=lambda x: _is_number(x))
def maximum_from_number(z, x, y):
    d[z, y] = 0.5 + 0.5 * np.sign(y - x)


@rule(np.minimum, when=lambda y: _is_number(y))
def minimum_of_number(z, x, y):
    """Half at a tie."""
    d[z, x] = 0.5 - 0.5 * np.sign(x - y)


@rule(np.minimum, when=lambda x: _is_number(x))
def minimum_from_number(z, x, y):
    d[z, y] = 0.5 - 0.5 * np.sign(y - x)


@rule(np.maximum)
def maximum(z, x, y):
    """Equal arguments share equally."""
    d[z] = np.where(x == y, (d[x] + d[y]) / 2, np.where(x > y, d[x], d[y]))
    d[x] += np.where(x > y, d[z], np.where(x == y, d[z] / 2, 0))
    d[y] += np.where(y > x, d[z], np.where(x == y, d[z] / 2, 0))


@rule(np.minimum)
def minimum(z, x, y):
    """Equal arguments share equally."""
    d[z] = np.where(x == y, (d[x] + d[y]) / 2, np.where(x < y, d[x], d[y]))
    d[x] += np.where(x < y, d[z], np.where(x == y, d[z] / 2, 0))
    d[y] += np.where(y < x, d[z], np.where(x == y, d[z] / 2, 0))


@rule(np.fmax)
def fmax(z, x, y):
    """Equal arguments share equally; a nan has no part unless both are nan."""
    d[z] = np.where(x == y, (d[x] + d[y]) / 2, np.where((x > y) | np.isnan(y), d[x], d[y]))
    d[x] += np.where((x > y) | np.isnan(y), d[z], np.where(x == y, d[z] / 2, 0))
    d[y] += np.where((x > y) | np.isnan(y), 0, np.where(x == y, d[z] / 2, d[z]))


@rule(np.fmin)
def fmin(z, x, y):
    """Equal arguments share equally; a nan has no part unless both are nan."""
    d[z] = np.where(x == y, (d[x] + d[y]) / 2, np.where((x < y) | np.isnan(y), d[x], d[y]))
    d[x] += np.where((x < y) | np.isnan(y), d[z], np.where(x == y, d[z] / 2, 0))
    d[y] += np.where((x < y) | np.isnan(y), 0, np.where(x == y, d[z] / 2, d[z]))


@rule(np.clip, when=lambda a_min, a_max: a_min is not None and a_max is not None)
def clip(z, x, a_min, a_max):
    """At a bound the derivative is the argument's. Where a_min > a_max the result is a_max."""
    d[z] = np.where((x > a_max) | (a_min > a_max), d[a_max], np.where(x < a_min, d[a_min], d[x]))
    d[x] += np.where((x < a_min) | (x > a_max), 0, d[z])
    d[a_min] += np.where((x < a_min) & (a_min <= a_max), d[z], 0)
    d[a_max] += np.where((x > a_max) | (a_min > a_max), d[z], 0)


@rule(np.clip, when=lambda a_min, a_max: a_min is not None and a_max is None)
def clip_below(z, x, a_min, a_max=None):
    """At the bound the derivative is the argument's."""
    d[z] = np.where(x < a_min, d[a_min], d[x])
    d[x] += np.where(x < a_min, 0, d[z])
    d[a_min] += np.where(x < a_min, d[z], 0)


@rule(np.clip, when=lambda a_min, a_max: a_min is None and a_max is not None)
def clip_above(z, x, a_min=None, a_max=None):
    """At the bound the derivative is the argument's."""
    d[z] = np.where(x > a_max, d[a_max], d[x])
    d[x] += np.where(x > a_max, 0, d[z])
    d[a_max] += np.where(x > a_max, d[z], 0)


@rule(np.where)
def where(z, condition, x, y):
    d[z, condition] = 0
    d[z] = np.where(condition, d[x], d[y])
    d[x] += np.where(condition, d[z], 0)
    d[y] += np.where(condition, 0, d[z])


@rule(np.select)
def select(z, condlist, choicelist, default=0):
    d[z] = np.select(condlist, d[choicelist], d[default])
    d[choicelist] += unselect(d[z], condlist)
    d[default] += np.select(condlist, [0] * len(condlist), d[z])


@rule(unselect)
def unselect_rule(parts, y, condlist):
    d[parts] = unselect(d[y], condlist)
    d[y] += np.select(condlist, d[parts], 0)


@rule(np.choose)
def choose(z, a, choices):
    d[z, a] = 0
    d[z] = np.choose(a, d[choices])
    d[choices] += unchoose(d[z], a, choices)


@rule(unchoose)
def unchoose_rule(parts, y, a, choices):
    d[parts, a] = 0
    d[parts, choices] = 0
    d[parts] = unchoose(d[y], a, choices)
    d[y] += np.choose(a, d[parts])


@rule(np.nan_to_num)
def nan_to_num(z, x, nan=0.0, posinf=None, neginf=None):
    """What was replaced is a constant."""
    d[z] = np.where(np.isfinite(x), d[x], 0)
    d[x] += np.where(np.isfinite(x), d[z], 0)
