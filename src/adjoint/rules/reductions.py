"""Reductions: sums, means, extremes, spreads."""

import numpy as np

from .helpers import conj, count, keep, nonzero_or_one, re, unreduce
from .template import d, rule

# Of a list they reduce the array that NumPy makes of it.
REDUCTIONS = frozenset(
    {np.sum, np.mean, np.max, np.amax, np.min, np.amin, np.prod, np.var, np.std, np.median,
     np.quantile, np.percentile}
)  # fmt: skip


@rule(np.sum)
def sum_(y, x, axis=None, keepdims=False):
    d[y] = np.sum(d[x], axis=axis, keepdims=keepdims)
    d[x] += unreduce(d[y], x, axis, keepdims)


@rule(np.sum)
def sum_where(y, x, axis=None, keepdims=False, *, where):
    """What is left out counts as 0."""
    d[y] = np.sum(np.where(where, d[x], 0), axis=axis, keepdims=keepdims)
    d[x] += np.where(where, unreduce(d[y], x, axis, keepdims), 0)


@rule(np.nansum)
def nansum(y, x, axis=None, keepdims=False):
    """A nan counts as the constant 0."""
    d[y] = np.sum(np.where(np.isnan(x), 0, d[x]), axis=axis, keepdims=keepdims)
    d[x] += np.where(np.isnan(x), 0, keep(d[y], axis, keepdims))


@rule(np.mean)
def mean(y, x, axis=None, keepdims=False):
    d[y] = np.mean(d[x], axis=axis, keepdims=keepdims)
    d[x] += unreduce(d[y] / count(x, axis), x, axis, keepdims)


@rule(np.mean)
def mean_where(y, x, axis=None, keepdims=False, *, where):
    n = np.sum(np.broadcast_to(where, x.shape), axis=axis, keepdims=keepdims, dtype=y.dtype)
    d[y] = np.sum(np.where(where, d[x], 0), axis=axis, keepdims=keepdims) / n
    d[x] += np.where(where, unreduce(d[y] / n, x, axis, keepdims), 0)


@rule(np.nanmean)
def nanmean(y, x, axis=None, keepdims=False):
    """A nan does not count."""
    n = np.sum(~np.isnan(x), axis=axis, keepdims=keepdims, dtype=y.dtype)
    d[y] = np.sum(np.where(np.isnan(x), 0, d[x]), axis=axis, keepdims=keepdims) / n
    d[x] += np.where(np.isnan(x), 0, keep(d[y] / n, axis, keepdims))


@rule(np.nanvar, when=lambda x: not np.iscomplexobj(x))
def nanvar(y, x, axis=None, ddof=0, keepdims=False):
    """A nan does not count."""
    e = np.where(np.isnan(x), 0, x - np.nanmean(x, axis=axis, keepdims=True))
    n = np.sum(~np.isnan(x), axis=axis, keepdims=keepdims, dtype=y.dtype) - ddof
    d[y] = 2 * np.sum(e * d[x], axis=axis, keepdims=keepdims) / n
    d[x] += keep(2 * d[y] / n, axis, keepdims) * e


@rule(np.nanstd, when=lambda x: not np.iscomplexobj(x))
def nanstd(y, x, axis=None, ddof=0, keepdims=False):
    """A nan does not count; 0 where the spread is 0, as for a norm."""
    e = np.where(np.isnan(x), 0, x - np.nanmean(x, axis=axis, keepdims=True))
    n = np.sum(~np.isnan(x), axis=axis, keepdims=keepdims, dtype=y.dtype) - ddof
    scale = n * nonzero_or_one(y)
    d[y] = np.sum(e * d[x], axis=axis, keepdims=keepdims) / scale
    d[x] += keep(d[y] / scale, axis, keepdims) * e


@rule(np.average, when=lambda weights: weights is None)
def average_unweighted(y, x, axis=None, weights=None, *, keepdims=False):
    d[y] = np.mean(d[x], axis=axis, keepdims=keepdims)
    d[x] += unreduce(d[y] / count(x, axis), x, axis, keepdims)


@rule(np.average, when=lambda x, weights: weights.ndim == x.ndim)
def average(y, x, axis=None, weights=None, *, keepdims=False):
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    e = x - keep(y, axis, keepdims)
    d[y] = np.sum(d[x] * weights + e * d[weights], axis=axis, keepdims=keepdims) / total
    d[x] += keep(d[y] / total, axis, keepdims) * weights
    d[weights] += keep(d[y] / total, axis, keepdims) * e


@rule(np.max, np.amax, np.min, np.amin)
def max_(y, x, axis=None, keepdims=False):
    """Equal extremes share equally; a nan among x makes the derivatives nan."""
    tie = x == keep(y, axis, keepdims)
    ties = np.sum(tie, axis=axis, keepdims=keepdims, dtype=x.dtype)
    d[y] = np.sum(tie * d[x], axis=axis, keepdims=keepdims) / ties
    d[x] += tie * keep(d[y] / ties, axis, keepdims)


@rule(np.nanmax, np.nanmin)
def nanmax(y, x, axis=None, keepdims=False):
    """Equal extremes share equally; a nan has no part."""
    tie = x == keep(y, axis, keepdims)
    ties = np.sum(tie, axis=axis, keepdims=keepdims, dtype=x.dtype)
    d[y] = np.sum(np.where(tie, d[x], 0), axis=axis, keepdims=keepdims) / ties
    d[x] += np.where(tie, keep(d[y] / ties, axis, keepdims), 0)


@rule(np.ptp)
def ptp(y, x, axis=None, keepdims=False):
    """max - min; equal extremes share equally."""
    top = x == np.max(x, axis=axis, keepdims=True)
    low = x == np.min(x, axis=axis, keepdims=True)
    tops = np.sum(top, axis=axis, keepdims=keepdims, dtype=x.dtype)
    lows = np.sum(low, axis=axis, keepdims=keepdims, dtype=x.dtype)
    d[y] = (
        np.sum(top * d[x], axis=axis, keepdims=keepdims) / tops
        - np.sum(low * d[x], axis=axis, keepdims=keepdims) / lows
    )
    d[x] += top * keep(d[y] / tops, axis, keepdims)
    d[x] -= low * keep(d[y] / lows, axis, keepdims)


@rule(np.var)
def var(y, x, axis=None, ddof=0, keepdims=False):
    """The mean's own variation adds nothing: deviations from it sum to 0."""
    e = x - np.mean(x, axis=axis, keepdims=True)
    scale = 2 / (count(x, axis) - ddof)
    d[y] = scale * np.sum(re(conj(e) * d[x]), axis=axis, keepdims=keepdims)
    d[x] += keep(scale * d[y], axis, keepdims) * conj(e)


@rule(np.std)
def std(y, x, axis=None, ddof=0, keepdims=False):
    """0 where the spread is 0, as for a norm."""
    e = x - np.mean(x, axis=axis, keepdims=True)
    scale = (count(x, axis) - ddof) * nonzero_or_one(y)
    d[y] = np.sum(re(conj(e) * d[x]), axis=axis, keepdims=keepdims) / scale
    d[x] += keep(d[y] / scale, axis, keepdims) * conj(e)
