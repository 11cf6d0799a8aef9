"""np.polyval, np.polyfit and np.vander: coefficients from the highest power to the lowest."""

import numpy as np

from .helpers import column, inline
from .runtime import exponents
from .template import d, rule, zero_derivative

zero_derivative(exponents)


@inline
def slopes(k, x):
    """The derivatives of column(x) ** k."""
    return k * column(x) ** np.where(k == 0, k, k - 1)


@inline
def derived(p):
    """The coefficients of a polynomial's derivative."""
    return p[:-1] * exponents(p.size, p)[:-1]


@rule(np.polyval, when=lambda p, x: np.ndim(p) == 1 and np.ndim(x) == 0)
def polyval_of_number(z, p, x):
    d[z] = np.polyval(d[p], x) + np.polyval(derived(p), x) * d[x]
    d[p] += d[z] * x ** exponents(p.size, p)
    d[x] += np.polyval(derived(p), x) * d[z]


@rule(np.polyval, when=lambda p: np.ndim(p) == 1)
def polyval(z, p, x):
    d[z] = np.polyval(d[p], x) + np.polyval(derived(p), x) * d[x]
    d[p] += np.reshape(d[z], -1) @ column(np.reshape(x, -1)) ** exponents(p.size, p)
    d[x] += np.polyval(derived(p), x) * d[z]


@rule(np.vander, when=lambda increasing: not increasing)
def vander(z, x, N=None, increasing=False):
    k = exponents(z.shape[-1], x)
    d[z] = slopes(k, x) * column(d[x])
    d[x] += np.sum(slopes(k, x) * d[z], axis=-1)


@rule(np.vander)
def vander_increasing(z, x, N=None, increasing=False):
    k = exponents(z.shape[-1], x)[::-1]
    d[z] = slopes(k, x) * column(d[x])
    d[x] += np.sum(slopes(k, x) * d[z], axis=-1)


@rule(np.polyfit, when=lambda y: y.ndim == 1)
def polyfit(p, x, y, deg):
    """p == inv(v.T @ v) @ v.T @ y: Golub and Pereyra (1973) for its change with v."""
    v = np.vander(x, deg + 1)
    inverse = np.linalg.pinv(v)
    rest = y - v @ p
    change = slopes(exponents(deg + 1, x), x) * column(d[x])
    d[p] = inverse @ (d[y] - change @ p) + inverse @ inverse.T @ (change.T @ rest)
    g = inverse.T @ d[p]
    d[y] += g
    d[x] += np.sum(
        (np.outer(rest, inverse @ g) - np.outer(g, p)) * slopes(exponents(deg + 1, x), x), axis=-1
    )
