"""Branches and conditions."""

import numpy as np
from support.programs import array

from ..table import category

row = category("Branches")


@row("`if`, `elif`, `else`", -1.2)
def huber(x):
    if x > 1.0:
        loss = x - 0.5
    elif x < -1.0:
        loss = -x - 0.5
    else:
        loss = 0.5 * x * x
    return loss * x


@row("`if` without `else`", 1.7)
def clipped_above(x):
    y = x * x
    if y > 2.0:
        y = 2.0 + np.log(y - 1.0)
    return y


@row("nested `if`", 0.4, -0.8)
def quadrant(x, y):
    if x > 0:
        if y > 0:
            r = x * y
        else:
            r = x - y * y
    else:
        r = np.exp(x)
    return r * r


@row("a name bound in one branch only, read where it is bound", 0.7)
def bound_in_one_branch(x):
    if x > 0:
        y = np.sqrt(x)
    if x > 0:
        return y * x
    return x


@row("branches that bind values of different kinds", array(3), True)
def number_or_array(x, mean):
    if mean:
        y = np.mean(x)
    else:
        y = x
    return np.sum(y * y)


@row("branches that bind values of different kinds, by a test at run time", array(3))
def number_or_array_by_value(x):
    y = np.mean(x) if x[0] > x[1] else x
    return np.sum(y * y * 2.0)


@row("a conditional expression", 0.7)
def softplus(x):
    return np.log1p(np.exp(x)) if x < 20 else x


@row("nested conditional expressions", -0.4)
def piecewise(x):
    return x * x if x > 1 else np.sin(x) if x > 0 else np.exp(x)


@row("`and` and `or` in a test", 0.7, 1.9)
def both_tests(x, y):
    if x > 0 and y > 0 or x < -5:
        return x * y
    return x + y


@row("`and` and `or` that return a value", 0.7, 0.0, wrt=(0,))
def value_of_or(x, y):
    first = y or x * x
    second = x and np.sin(x)
    return first * second


@row("`not`", 0.7)
def negated_test(x):
    if not x > 1:
        return np.cos(x)
    return x


@row("short-circuit: the second operand is not evaluated", 0.0)
def guarded_division(x):
    if x != 0 and abs(1 / x) < 2:
        return 1 / x
    return x * x + 3.0 * x


@row("chained comparison", 0.7)
def in_a_band(x):
    if -1.0 < x <= 1.0 != 5.0:
        return 1.0 - x * x
    return 0.0 * x


@row("every comparison operator", 0.7, 2.0)
def every_comparison(x, y):
    total = 0.0
    if x < y:
        total += x
    if x <= y:
        total += x**2
    if y > x:
        total += x**3
    if y >= x:
        total += y
    if x == x:
        total += y**2
    if x != y:
        total += x * y
    return total


@row("`is`, `is not`, with `None`", 0.7, None)
def optional_argument(x, offset):
    y = x * x
    if offset is not None:
        y = y + offset
    if offset is None:
        y = y * 2.0
    return y


@row("`in`, `not in`", 0.7, "tanh")
def activation_by_name(x, name):
    if name in ("tanh", "sigmoid"):
        y = np.tanh(x)
    else:
        y = np.maximum(x, 0.0)
    if name not in {"relu": 1}:
        y = y * x
    return y


@row("`isinstance`", 0.7)
def checked_type(x):
    if isinstance(x, (int, float)):
        return x * x
    return np.sum(x)


@row("a test on a flag, decided for each flag", 0.7, False)
def flagged(x, linear):
    if linear:
        return x
    return np.sin(x) * x


@row("a test on `ndim`, `shape`, `size`, `len`, `dtype`", array(2, 3))
def by_its_shape(x):
    if x.ndim == 2 and x.shape[0] < len(x[0]) and x.size == 6 and x.dtype == np.float64:
        return np.sum(x[0] * x[1])
    return np.sum(x)


@row("a test with `np.any`, `np.all`, `np.allclose`", array(3))
def by_its_elements(x):
    if np.any(x > 100) or not np.all(np.isfinite(x)) or np.allclose(x, 0.0):
        return np.sum(x)
    return np.sum(x**3)


@row("an array of one element as a test", array(1))
def truth_of_an_array(x):
    if x * x:
        return np.sum(x**3)
    return np.sum(x)


@row("a test that reads a value changed in the branch before", 0.7)
def tests_in_sequence(x):
    if x > 0:
        x = -x
    if x < 0:
        x = x * x
    return x * 3.0


@row("functions chosen by a branch", 0.7)
def chosen_function(x):
    f = np.sin if x > 0 else np.cos
    return f(x) * x


@row("a branch on the result of a helper", 0.7)
def helper_decides(x):
    def converged(a, b):
        return abs(a - b) < 0.5

    y = np.cos(x)
    if converged(x, y):
        return x * y
    return x + y
