"""The rules of what generated code calls where types are not known: see runtime/generic.py.

They take numbers, arrays and containers alike, and None for a zero of any shape.
"""

from ..runtime.generic import (
    add,
    add_item,
    as_gradient,
    as_list,
    as_tangent,
    copy,
    fill_up,
    fit,
    fit_tangent,
    gather_stored,
    heads,
    repeat_like,
    scatter_last,
    unit_seed,
    unit_seeds,
    unrepeat,
    zeros_like,
)
from .template import d, rule, zero_derivative

zero_derivative(unit_seed, unit_seeds, zeros_like)


@rule(add)
def add_rule(z, a, b):
    d[z] = add(d[a], d[b])
    d[a] += d[z]
    d[b] += d[z]


@rule(add_item)
def add_item_rule(z, container, key, value):
    d[z, key] = 0
    d[z] = add_item(d[container], key, d[value])
    d[container] += d[z]
    d[value] += d[z][key]


@rule(fit)
def fit_rule(z, y, x):
    """What was summed is spread, and what was spread is summed."""
    d[z, x] = 0
    d[z] = fit(d[y], x)
    d[y] += fit(d[z], y)


@rule(as_gradient)
def as_gradient_rule(z, y, x):
    d[z, x] = 0
    d[z] = as_gradient(d[y], x)
    d[y] += d[z]


@rule(fit_tangent)
def fit_tangent_rule(z, y, x):
    d[z, x] = 0
    d[z] = fit_tangent(d[y], x)
    d[y] += fit(d[z], y)


@rule(as_tangent)
def as_tangent_rule(z, y, x):
    d[z, x] = 0
    d[z] = as_tangent(d[y], x)
    d[y] += fit(d[z], y)


@rule(copy)
def copy_rule(z, x):
    d[z] = d[x]
    d[x] += d[z]


@rule(as_list)
def as_list_rule(z, x):
    d[z] = as_list(d[x])
    d[x] += fill_up(d[z], x)


@rule(fill_up)
def fill_up_rule(z, y, xs):
    d[z, xs] = 0
    d[z] = fill_up(d[y], xs)
    d[y] += heads(d[z], y)


@rule(heads)
def heads_rule(z, y, xs):
    d[z, xs] = 0
    d[z] = heads(d[y], xs)
    d[y] += fill_up(d[z], y)


@rule(unrepeat)
def unrepeat_rule(z, y, xs):
    d[z, xs] = 0
    d[z] = unrepeat(d[y], xs)
    d[y] += repeat_like(d[z], y)


@rule(repeat_like)
def repeat_like_rule(z, y, xs):
    d[z, xs] = 0
    d[z] = repeat_like(d[y], xs)
    d[y] += unrepeat(d[z], y)


@rule(gather_stored)
def gather_stored_rule(z, y, index):
    d[z, index] = 0
    d[z] = gather_stored(d[y], index)
    d[y] += scatter_last(d[z], y, index)


@rule(scatter_last)
def scatter_last_rule(z, y, x, index):
    d[z, index] = 0
    d[z, x] = 0
    d[z] = scatter_last(d[y], x, index)
    d[y] += gather_stored(d[z], index)
