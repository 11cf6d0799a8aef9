"""Products, running sums and products, differences, integrals."""

import numpy as np

from .helpers import (
    column,
    head,
    inline,
    inverse_permutation,
    keep,
    minus_one_to,
    reduced_last,
    reversed_cumsum,
    tail,
    widths,
)
from .runtime import others_last, recurrence, ungradient
from .template import d, named, rule


@inline
def others(x, axis):
    """For every element the product of the others that are reduced with it."""
    if axis is None:
        return np.reshape(others_last(np.reshape(x, -1)), np.shape(x))
    if isinstance(axis, tuple):
        ends = np.transpose(x, reduced_last(x.ndim, axis))
        flat = np.reshape(ends, ends.shape[: -len(axis)] + (-1,))
        back = np.reshape(others_last(flat), ends.shape)
        return np.transpose(back, inverse_permutation(reduced_last(x.ndim, axis)))
    return np.moveaxis(others_last(np.moveaxis(x, axis, -1)), -1, axis)


@rule(np.prod)
def prod(y, x, axis=None, keepdims=False):
    """Right at zeros among x, where y / x is not."""
    rest = others(x, axis)
    d[y] = np.sum(rest * d[x], axis=axis, keepdims=keepdims)
    d[x] += keep(d[y], axis, keepdims) * rest


@rule(np.prod)
def prod_where(y, x, axis=None, keepdims=False, *, where):
    """What is left out counts as 1."""
    rest = others(np.where(where, x, 1), axis)
    d[y] = np.sum(np.where(where, rest * d[x], 0), axis=axis, keepdims=keepdims)
    d[x] += np.where(where, keep(d[y], axis, keepdims) * rest, 0)


@rule(others_last, when=lambda x: x.ndim > 0)
def others_last_rule(y, x):
    """y[j] is the product of row j of a matrix that repeats x and has 1 on its diagonal."""
    eye = np.eye(x.shape[-1], dtype=x.dtype)
    rest = others_last(np.where(eye, 1, np.expand_dims(x, -2))) * (1 - eye)
    d[y] = np.sum(rest * np.expand_dims(d[x], -2), axis=-1)
    d[x] += np.sum(rest * column(d[y]), axis=-2)


@rule(np.nanprod)
def nanprod(y, x, axis=None, keepdims=False):
    """A nan counts as the constant 1."""
    rest = others(np.where(np.isnan(x), 1, x), axis)
    d[y] = np.sum(np.where(np.isnan(x), 0, rest * d[x]), axis=axis, keepdims=keepdims)
    d[x] += np.where(np.isnan(x), 0, keep(d[y], axis, keepdims) * rest)


@rule(np.cumsum, when=lambda axis: axis is not None)
def cumsum(y, x, axis=None):
    d[y] = np.cumsum(d[x], axis=axis)
    d[x] += reversed_cumsum(d[y], axis)


@rule(np.cumsum)
def cumsum_flat(y, x, axis=None):
    d[y] = np.cumsum(d[x])
    d[x] += np.reshape(reversed_cumsum(d[y], 0), x.shape)


@rule(*named(np, "cumulative_sum"), when=lambda axis: axis is not None)
def cumulative_sum(y, x, axis=None):
    d[y] = np.cumsum(d[x], axis=axis)
    d[x] += reversed_cumsum(d[y], axis)


@rule(*named(np, "cumulative_sum"))
def cumulative_sum_flat(y, x, axis=None):
    """Of a vector only."""
    d[y] = np.cumsum(d[x])
    d[x] += reversed_cumsum(d[y], 0)


@rule(np.nancumsum, when=lambda axis: axis is not None)
def nancumsum(y, x, axis=None):
    """A nan counts as the constant 0."""
    d[y] = np.cumsum(np.where(np.isnan(x), 0, d[x]), axis=axis)
    d[x] += np.where(np.isnan(x), 0, reversed_cumsum(d[y], axis))


@rule(np.nancumsum)
def nancumsum_flat(y, x, axis=None):
    """A nan counts as the constant 0."""
    d[y] = np.cumsum(np.where(np.isnan(x), 0, d[x]))
    d[x] += np.where(np.isnan(x), 0, np.reshape(reversed_cumsum(d[y], 0), x.shape))


@inline
def shifted(y):
    """y along axis 0, one later and with 0 first."""
    return np.concatenate([np.zeros_like(y[:1]), y[:-1]])


@inline
def recurrence_back(a, g):
    """c along axis 0, where c[i] == a[i + 1] * c[i + 1] + g[i]: the transpose in b."""
    later = np.concatenate([np.zeros_like(a[:1]), np.flip(a[1:], 0)])
    return np.flip(recurrence(later, np.flip(g, 0)), 0)


@rule(recurrence)
def recurrence_rule(s, a, b):
    """s[i] == a[i] * s[i - 1] + b[i]."""
    d[s] = recurrence(a, d[b] + d[a] * shifted(s))
    c = recurrence_back(a, d[s])
    d[b] += c
    d[a] += c * shifted(s)


@inline
def previous(y):
    """y along axis 0, one later and with 1 first."""
    return np.concatenate([np.ones_like(y[:1]), y[:-1]])


@rule(np.cumprod, *named(np, "cumulative_prod"), when=lambda axis: axis is not None)
def cumprod(y, x, axis=None):
    """y[i] == x[i] * y[i - 1], so that no division is needed and zeros among x do no harm."""
    a = np.moveaxis(x, axis, 0)
    before = previous(np.moveaxis(y, axis, 0))
    d[y] = np.moveaxis(recurrence(a, before * np.moveaxis(d[x], axis, 0)), 0, axis)
    d[x] += np.moveaxis(before * recurrence_back(a, np.moveaxis(d[y], axis, 0)), 0, axis)


@rule(np.cumprod, *named(np, "cumulative_prod"))
def cumprod_flat(y, x, axis=None):
    """y[i] == x[i] * y[i - 1], so that no division is needed and zeros among x do no harm."""
    a = np.reshape(x, -1)
    d[y] = recurrence(a, previous(y) * np.reshape(d[x], -1))
    d[x] += np.reshape(previous(y) * recurrence_back(a, d[y]), x.shape)


@rule(np.nancumprod, when=lambda axis: axis is not None)
def nancumprod(y, x, axis=None):
    """A nan counts as the constant 1."""
    a = np.moveaxis(np.where(np.isnan(x), 1, x), axis, 0)
    before = previous(np.moveaxis(y, axis, 0))
    moved = np.moveaxis(np.where(np.isnan(x), 0, d[x]), axis, 0)
    d[y] = np.moveaxis(recurrence(a, before * moved), 0, axis)
    g = np.moveaxis(before * recurrence_back(a, np.moveaxis(d[y], axis, 0)), 0, axis)
    d[x] += np.where(np.isnan(x), 0, g)


@rule(np.nancumprod)
def nancumprod_flat(y, x, axis=None):
    """A nan counts as the constant 1."""
    a = np.reshape(np.where(np.isnan(x), 1, x), -1)
    d[y] = recurrence(a, previous(y) * np.reshape(np.where(np.isnan(x), 0, d[x]), -1))
    g = np.reshape(previous(y) * recurrence_back(a, d[y]), x.shape)
    d[x] += np.where(np.isnan(x), 0, g)


@rule(np.ediff1d)
def ediff1d(y, x):
    """Of the elements in a row."""
    d[y] = np.diff(np.reshape(d[x], -1))
    d[x] -= np.reshape(np.diff(np.pad(d[y], 1)), x.shape)


@rule(np.gradient, when=lambda x, axis: x.ndim == 1 or isinstance(axis, int))
def gradient(z, x, *, axis=None):
    """Along one axis, or of a vector."""
    d[z] = np.gradient(d[x], axis=axis)
    d[x] += ungradient(d[z], 0 if axis is None else axis)


def _one_distance(x, dx, axis):
    return np.ndim(dx) == 0 and (x.ndim == 1 or isinstance(axis, int))


@rule(np.gradient, when=_one_distance)
def gradient_of_spaced(z, x, dx, *, axis=None):
    """The points have one distance."""
    d[z] = np.gradient(d[x], dx, axis=axis) - d[dx] * z / dx
    d[x] += ungradient(d[z], 0 if axis is None else axis) / dx
    d[dx] -= d[z] * z / dx


@rule(np.gradient, when=lambda x: x.ndim == 2)
def gradient_of_plane(z, x):
    d[z] = np.gradient(d[x])
    d[x] += ungradient(d[z][0], 0) + ungradient(d[z][1], 1)


@rule(ungradient)
def ungradient_rule(x, z, axis):
    d[x] = ungradient(d[z], axis)
    d[z] += np.gradient(d[x], axis=axis)


@rule(np.diff)
def diff(y, x, n=1, axis=-1):
    """The transpose of a difference is the negative difference between outer zeros."""
    d[y] = np.diff(d[x], n=n, axis=axis)
    d[x] += minus_one_to(n) * np.diff(np.pad(d[y], widths(x.ndim, axis, n, n)), n=n, axis=axis)


@inline
def to_neighbours(d, ndim, axis):
    """The transpose of the sum of neighbours."""
    return np.pad(d, widths(ndim, axis, 0, 1)) + np.pad(d, widths(ndim, axis, 1, 0))


@inline
def from_steps(d, ndim, axis):
    """The transpose of the difference of neighbours."""
    return np.pad(d, widths(ndim, axis, 1, 0)) - np.pad(d, widths(ndim, axis, 0, 1))


@rule(np.trapezoid, when=lambda x: x is None)
def trapezoid_even(z, y, x=None, dx=1.0, axis=-1):
    means = (tail(y, 1, axis) + head(y, -1, axis)) / 2
    d[z] = np.trapezoid(d[y], dx=dx, axis=axis) + np.sum(d[dx] * means, axis=axis)
    d[y] += to_neighbours(np.broadcast_to(keep(d[z] * (dx / 2), axis), means.shape), y.ndim, axis)
    d[dx] += keep(d[z], axis) * means


@rule(np.trapezoid, when=lambda y, x, axis: x.ndim == y.ndim or x.ndim == 1 and axis == -1)
def trapezoid(z, y, x=None, dx=1.0, axis=-1):
    means = (tail(y, 1, axis) + head(y, -1, axis)) / 2
    d[z] = np.trapezoid(d[y], x, axis=axis) + np.sum(np.diff(d[x], axis=axis) * means, axis=axis)
    d[y] += to_neighbours(keep(d[z] / 2, axis) * np.diff(x, axis=axis), y.ndim, axis)
    d[x] += from_steps(keep(d[z], axis) * means, y.ndim, axis)
