"""Covariances and correlations. Variances and deviations are in reductions.py."""

import numpy as np

from .helpers import inline, static
from .template import d, rule


def _real_rows(x, rowvar):
    return (rowvar or x.ndim == 1) and not np.iscomplexobj(x)


def _real_columns(x, rowvar):
    return not rowvar and x.ndim == 2 and not np.iscomplexobj(x)


def _real_vectors(x, y):
    return all(np.ndim(v) == 1 and not np.iscomplexobj(v) for v in (x, y))


@static
def lost(bias, ddof):
    """How many degrees of freedom the mean takes."""
    return ddof if ddof is not None else (0 if bias else 1)


@inline
def deviations(x):
    """Of each row from its mean."""
    return x - np.mean(x, axis=-1, keepdims=True)


@inline
def symmetric_sum(g):
    return 2 * g if np.ndim(g) == 0 else g + g.T


@inline
def times(x, y):
    """The product of two matrices, of which one may be a number."""
    return x * y if np.ndim(x) == 0 or np.ndim(y) == 0 else x @ y


@inline
def shaped(g, c):
    """The covariance of one variable is a number."""
    return np.reshape(g, ()) if np.ndim(c) == 0 else g


@rule(np.cov, when=_real_rows)
def cov(c, x, *, rowvar=True, bias=False, ddof=None):
    """c == e @ e.T / n; the mean's own variation adds nothing, as in np.var."""
    e = deviations(x)
    n = x.shape[-1] - lost(bias, ddof)
    d[c] = shaped(symmetric_sum(e @ d[x].T) / n, c)
    d[x] += times(symmetric_sum(d[c] / n), e)


@rule(np.cov, when=_real_columns)
def cov_of_columns(c, x, *, rowvar=True, bias=False, ddof=None):
    e = x - np.mean(x, axis=0)
    n = x.shape[0] - lost(bias, ddof)
    d[c] = shaped(symmetric_sum(e.T @ d[x]) / n, c)
    d[x] += times(e, symmetric_sum(d[c] / n))


@rule(np.cov, when=_real_vectors)
def cov_of_two(c, x, y, *, bias=False, ddof=None):
    e = deviations(np.stack([x, y]))
    n = x.shape[0] - lost(bias, ddof)
    d[c] = symmetric_sum(e @ np.stack([d[x], d[y]]).T) / n
    g = symmetric_sum(d[c] / n) @ e
    d[x] += g[0]
    d[y] += g[1]


# r == u @ u.T, where the rows of u are deviations, divided by their norms


@inline
def norms(e):
    return np.sqrt(np.sum(e * e, axis=-1, keepdims=True))


@inline
def across(v, u):
    """The part of each row that is orthogonal to that of u."""
    return v - u * np.sum(u * v, axis=-1, keepdims=True)


def _matrix_rows(x):
    return x.ndim == 2 and x.shape[0] != 1 and not np.iscomplexobj(x)


@rule(np.corrcoef, when=_matrix_rows)
def corrcoef(r, x):
    e = deviations(x)
    s = norms(e)
    u = e / s
    d[r] = symmetric_sum(u @ across(d[x] / s, u).T)
    d[x] += across(symmetric_sum(d[r]) @ u, u) / s


@rule(np.corrcoef, when=_real_vectors)
def corrcoef_of_two(r, x, y):
    e = deviations(np.stack([x, y]))
    s = norms(e)
    u = e / s
    d[r] = symmetric_sum(u @ across(np.stack([d[x], d[y]]) / s, u).T)
    g = across(symmetric_sum(d[r]) @ u, u) / s
    d[x] += g[0]
    d[y] += g[1]
