"""Medians, quantiles and percentiles: means of two neighbours in sorted order, or one element.

Where a mean is taken, equal elements have the order that np.argsort gives them; where the result is
one of the elements, those that equal it share. By q, at an element: the slope to its right.

Hyndman and Fan (1996), "Sample Quantiles in Statistical Packages", has the methods.
"""

import numpy as np

from .helpers import inline, inverse_permutation, item, keep, reduced_last, static
from .runtime import scatter, unstack_like, untake_along_axis
from .template import d, rule

# a, b of the methods that interpolate: of n elements, the quantile q is at the place
# n * q + a + q * (1 - a - b), counted from 1.
_INTERPOLATE = {
    "linear": (1, 1),
    "hazen": (0.5, 0.5),
    "weibull": (0, 0),
    "interpolated_inverted_cdf": (0, 1),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
_SELECT = ("lower", "higher", "nearest", "inverted_cdf", "closest_observation")


def _of_numbers(q):
    return isinstance(q, (list, tuple)) or np.ndim(q) < 2


def _interpolates(q, method):
    return _of_numbers(q) and method in _INTERPOLATE


def _selects(q, method):
    return _of_numbers(q) and method in _SELECT


# the elements that are reduced to one, as lines along one axis


@inline
def in_lines(x, axis):
    """x with the reduced axes made one, unless there is one."""
    if axis is None:
        return x if x.ndim == 1 else np.reshape(x, -1)
    if isinstance(axis, tuple):
        ends = np.transpose(x, reduced_last(x.ndim, axis))
        return np.reshape(ends, ends.shape[: -len(axis)] + (-1,))
    return x


@inline
def from_lines(lines, x, axis):
    """The transpose of `in_lines`."""
    if axis is None:
        return lines if x.ndim == 1 else np.reshape(lines, x.shape)
    if isinstance(axis, tuple):
        ends = np.transpose(x, reduced_last(x.ndim, axis)).shape
        return np.transpose(
            np.reshape(lines, ends), inverse_permutation(reduced_last(x.ndim, axis))
        )
    return lines


@static
def line_axis(ndim, axis):
    """The axis that the lines go along."""
    if axis is None or ndim == 1:
        return 0
    return -1 if isinstance(axis, tuple) else axis


@inline
def picked(lines, i, axis):
    """The i-th of each line, or several of each, which lie along the lines."""
    if lines.ndim == 1:
        return lines[i]
    if np.ndim(i) == lines.ndim:
        return np.take_along_axis(lines, i, axis)
    return item(np.take_along_axis(lines, np.expand_dims(i, axis), axis), 0, axis)


@inline
def unpicked(d, lines, i, axis):
    """The transpose of `picked`."""
    if lines.ndim == 1:
        return scatter(d, lines, i)
    if np.ndim(i) == lines.ndim:
        return untake_along_axis(d, lines, i, axis)
    return untake_along_axis(np.expand_dims(d, axis), lines, np.expand_dims(i, axis), axis)


# q is a number, or several, in a vector or a list: then they are the first axis of the result


@inline
def several(q):
    return isinstance(q, (list, tuple)) or np.ndim(q) == 1


@inline
def along_lines(q, ndim, axis):
    """q so that it broadcasts with several elements of each line."""
    p = np.asarray(q) if isinstance(q, (list, tuple)) else q
    if np.ndim(p) == 0 or ndim == 1 or axis == -1:
        return p
    return np.reshape(p, one_long(ndim, axis))


@static
def one_long(ndim, axis):
    """The shape of a vector along one of several axes."""
    return tuple(-1 if i == axis % ndim else 1 for i in range(ndim))


@static
def all_but(ndim, axis):
    return tuple(i for i in range(ndim) if i != axis % ndim)


@static
def later(ndim, axis):
    """The reduced axes where there is one more in front."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    return tuple(a % ndim + 1 for a in (axis if isinstance(axis, tuple) else (axis,)))


@inline
def as_result(w, y, q, axis):
    """Elements of the lines in the shape of the result."""
    if several(q) and axis != 0:
        return np.reshape(np.moveaxis(w, axis, 0), y.shape)
    return np.reshape(w, y.shape)


@inline
def from_result(d, q, x, axis, keepdims):
    """The transpose of `as_result`."""
    if several(q):
        each = np.squeeze(d, later(x.ndim, axis)) if keepdims else d
        along = line_axis(x.ndim, axis)
        return each if along == 0 else np.moveaxis(each, 0, along)
    if not keepdims or np.ndim(d) == 0:
        return d
    return np.reshape(d, ()) if axis is None else np.squeeze(d, axis)


@inline
def to_q(w, q, axis):
    """The cotangents of q, which has an element for each line."""
    if isinstance(q, (list, tuple)):
        return unstack_like(np.sum(w, axis=all_but(w.ndim, axis)), q)
    if np.ndim(q) == 1:
        return np.sum(w, axis=all_but(w.ndim, axis))
    return w


# where in a line the quantile lies


@static
def parameters(method):
    """a and b of a method that interpolates."""
    return _INTERPOLATE[method]


@inline
def as_fraction(q, whole):
    """q, or each of several, in parts of 1."""
    p = np.asarray(q) if isinstance(q, (list, tuple)) else q
    return p if whole == 1 else p / whole


@inline
def place(q, n, method):
    """How far from the first of n elements."""
    if method == "linear":
        return q * (n - 1)
    a, b = parameters(method)
    p = n * q + (a + q * (1 - a - b) - 1)
    return min(max(p, 0), n - 1) if np.ndim(p) == 0 else np.clip(p, 0, n - 1)


@inline
def slope_of_place(p, n, method, whole):
    """The derivative of the place by q, which counts parts of `whole`."""
    if method == "linear":
        return n - 1 if whole == 1 else (n - 1) / whole
    a, b = parameters(method)
    inside = (p > 0) & (p < n - 1)
    return (n + 1 - a - b) / whole * (inside if np.ndim(p) == 0 else inside.astype(p.dtype))


@inline
def place_before(p, n):
    """The last place up to p that has one after it; -1, the same as 0, where n == 1."""
    if np.ndim(p) == 0:
        return min(int(p), n - 2)
    return np.minimum(np.floor(p), n - 2)


@inline
def index(i):
    """A place, or an array of places, to index with."""
    return i if np.ndim(i) == 0 else i.astype(int)


@rule(np.median)
def median(y, x, axis=None, *, keepdims=False):
    """The two middle elements may be one."""
    lines = in_lines(x, axis)
    along = line_axis(x.ndim, axis)
    order = np.argsort(lines, axis=along)
    low = item(order, (lines.shape[along] - 1) // 2, along)
    high = item(order, lines.shape[along] // 2, along)
    moved = in_lines(d[x], axis)
    d[y] = np.reshape((picked(moved, low, along) + picked(moved, high, along)) / 2, y.shape)
    half = from_result(d[y] / 2, 0.5, x, axis, keepdims)
    d[x] += from_lines(unpicked(half, lines, low, along), x, axis)
    d[x] += from_lines(unpicked(half, lines, high, along), x, axis)


@inline
def between(lines, t, low, high, axis):
    """What lies t of the way from one element of each line to another."""
    return (1 - t) * picked(lines, low, axis) + t * picked(lines, high, axis)


def _interpolation(fn, whole):
    """The rule of a function whose q counts parts of `whole`."""

    @rule(fn, when=_interpolates)
    def quantile(y, x, q, axis=None, *, method="linear", keepdims=False):
        lines = in_lines(x, axis)
        along = line_axis(x.ndim, axis)
        n = lines.shape[along]
        order = np.argsort(lines, axis=along)
        p = place(as_fraction(q, whole), n, method)
        i = place_before(p, n)
        low = item(order, index(i), along)
        high = item(order, index(i + 1), along)
        t = along_lines(p - i, lines.ndim, along)  # how far p is from i to i + 1
        step = picked(lines, high, along) - picked(lines, low, along)
        slope = step * along_lines(slope_of_place(p, n, method, whole), lines.ndim, along)
        moved = in_lines(d[x], axis)
        varied = between(moved, t, low, high, along) + slope * along_lines(d[q], lines.ndim, along)
        d[y] = as_result(varied, y, q, along)
        g = from_result(d[y], q, x, axis, keepdims)
        d[x] += from_lines(unpicked((1 - t) * g, lines, low, along), x, axis)
        d[x] += from_lines(unpicked(t * g, lines, high, along), x, axis)
        d[q] += to_q(slope * g, q, along)


_interpolation(np.quantile, 1)
_interpolation(np.percentile, 100)


@inline
def reduced_axes(q, ndim, axis):
    """The axes of x that are reduced, where each of several quantiles is a layer in front."""
    return later(ndim, axis) if several(q) else axis


@inline
def beside(y, q, x, axis, keepdims):
    """The result, or its cotangent, so that it broadcasts with x."""
    return keep(y, reduced_axes(q, x.ndim, axis), keepdims)


@rule(np.quantile, np.percentile, when=_selects)
def selected_quantile(y, x, q, axis=None, *, method, keepdims=False):
    """One of the elements."""
    tie = x == beside(y, q, x, axis, keepdims)
    axes = reduced_axes(q, x.ndim, axis)
    ties = np.sum(tie, axis=axes, keepdims=keepdims, dtype=x.dtype)
    d[y] = np.sum(tie * d[x], axis=axes, keepdims=keepdims) / ties
    d[x] += tie * beside(d[y] / ties, q, x, axis, keepdims)


# nan has no part: it comes last in sorted order, and lines may have different lengths


@inline
def numbers_in(lines, axis):
    """How many elements of each line are not nan, in the dtype of the lines."""
    return np.sum(~np.isnan(lines), axis=axis, keepdims=True, dtype=lines.dtype)


@inline
def nan_place_before(p, n):
    """The last place up to p that has one after it; 0 where n < 2."""
    return np.clip(np.floor(p), 0, np.maximum(n - 2, 0))


@rule(np.nanmedian)
def nanmedian(y, x, axis=None, *, keepdims=False):
    """The two middle elements may be one."""
    lines = in_lines(x, axis)
    along = line_axis(x.ndim, axis)
    order = np.argsort(lines, axis=along)
    n = np.sum(~np.isnan(lines), axis=along, keepdims=True)
    low = np.take_along_axis(order, np.maximum(n - 1, 0) // 2, along)
    high = np.take_along_axis(order, n // 2, along)
    moved = in_lines(d[x], axis)
    d[y] = np.reshape((picked(moved, low, along) + picked(moved, high, along)) / 2, y.shape)
    half = np.reshape(d[y] / 2, low.shape)
    d[x] += from_lines(unpicked(half, lines, low, along), x, axis)
    d[x] += from_lines(unpicked(half, lines, high, along), x, axis)


@inline
def nan_from_result(d, q, x, axis, keepdims, places):
    """The transpose of `as_result`, where the places of one quantile have an axis too."""
    if several(q):
        return from_result(d, q, x, axis, keepdims)
    return np.reshape(d, places.shape)


def _nan_interpolation(fn, whole):
    @rule(fn, when=_interpolates)
    def nanquantile(y, x, q, axis=None, *, method="linear", keepdims=False):
        lines = in_lines(x, axis)
        along = line_axis(x.ndim, axis)
        n = numbers_in(lines, along)
        order = np.argsort(lines, axis=along)
        p = place(along_lines(as_fraction(q, whole), lines.ndim, along), n, method)
        i = nan_place_before(p, n)
        low = np.take_along_axis(order, index(i), along)
        high = np.take_along_axis(order, index(np.minimum(i + 1, np.maximum(n - 1, 0))), along)
        t = p - i  # how far p is from i to i + 1
        step = picked(lines, high, along) - picked(lines, low, along)
        slope = step * slope_of_place(p, n, method, whole)
        moved = in_lines(d[x], axis)
        varied = between(moved, t, low, high, along) + slope * along_lines(d[q], lines.ndim, along)
        d[y] = as_result(varied, y, q, along)
        g = nan_from_result(d[y], q, x, axis, keepdims, low)
        d[x] += from_lines(unpicked((1 - t) * g, lines, low, along), x, axis)
        d[x] += from_lines(unpicked(t * g, lines, high, along), x, axis)
        d[q] += to_q(slope * g, q, along)


_nan_interpolation(np.nanquantile, 1)
_nan_interpolation(np.nanpercentile, 100)


@rule(np.nanquantile, np.nanpercentile, when=_selects)
def selected_nanquantile(y, x, q, axis=None, *, method, keepdims=False):
    """One of the elements."""
    tie = x == beside(y, q, x, axis, keepdims)
    axes = reduced_axes(q, x.ndim, axis)
    ties = np.sum(tie, axis=axes, keepdims=keepdims, dtype=x.dtype)
    d[y] = np.sum(np.where(tie, d[x], 0), axis=axes, keepdims=keepdims) / ties
    d[x] += np.where(tie, beside(d[y] / ties, q, x, axis, keepdims), 0)
