"""Python's own functions on numbers. `abs` is np.absolute, `pow` np.power, `divmod` np.divmod."""

import builtins
import math

import numpy as np

from .runtime import copies, others_last, share, unstack_like
from .template import d, rule

# Python's functions that are another spelling of one of NumPy's, whose rules they have.
ALIASES = {builtins.abs: np.absolute, builtins.pow: np.power}


def _sequence(xs):
    return isinstance(xs, (list, tuple))


@rule(builtins.max)
def max_(z, x, y):
    """Equal numbers share equally."""
    d[z, x] = (x > y) + (x == y) / 2
    d[z, y] = (y > x) + (x == y) / 2


@rule(builtins.min)
def min_(z, x, y):
    """Equal numbers share equally."""
    d[z, x] = (x < y) + (x == y) / 2
    d[z, y] = (y < x) + (x == y) / 2


@rule(builtins.max, builtins.min, when=_sequence)
def max_of(z, xs):
    """Equal numbers share equally."""
    d[z] = np.dot(np.array(share(1.0, z, xs)), np.array(d[xs]))
    d[xs] += share(d[z], z, xs)


@rule(builtins.max, builtins.min, when=lambda xs: xs.ndim == 1)
def max_of_array(z, xs):
    """Equal numbers share equally."""
    share = (xs == z) / np.sum(xs == z, dtype=xs.dtype)
    d[z] = np.sum(share * d[xs])
    d[xs] += d[z] * share


@rule(share)
def share_rule(parts, y, z, xs):
    d[parts, z] = 0
    d[parts, xs] = 0
    d[parts] = share(d[y], z, xs)
    d[y] += np.dot(np.array(share(1.0, z, xs)), np.array(d[parts]))


@rule(builtins.sum, when=_sequence)
def sum_(z, xs, start=0):
    d[z] = sum(d[xs], d[start])
    d[xs] += copies(d[z], len(xs))
    d[start] += d[z]


@rule(builtins.sum, when=lambda xs: xs.ndim > 0)
def sum_of_array(z, xs, start=0):
    d[z] = d[start] + np.sum(d[xs], axis=0)
    d[xs] += np.broadcast_to(d[z], xs.shape)
    d[start] += d[z]


@rule(copies)
def copies_rule(z, y, n):
    d[z] = copies(d[y], n)
    d[y] += sum(d[z])


@rule(math.fsum, when=_sequence)
def fsum(z, xs):
    d[z] = math.fsum(d[xs])
    d[xs] += copies(d[z], len(xs))


@rule(math.fsum, when=lambda xs: xs.ndim > 0)
def fsum_of_array(z, xs):
    d[z] = np.sum(d[xs])
    d[xs] += np.broadcast_to(d[z], xs.shape)


@rule(math.prod, when=_sequence)
def prod(z, xs, *, start=1):
    """Right at zeros among xs, where z / x is not."""
    rest = others_last(np.array(xs))
    d[z] = start * np.dot(rest, np.array(d[xs])) + d[start] * np.prod(np.array(xs))
    d[xs] += unstack_like(d[z] * start * rest, xs)
    d[start] += d[z] * np.prod(np.array(xs))
