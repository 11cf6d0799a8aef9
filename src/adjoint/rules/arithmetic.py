"""Arithmetic: the operators of Python and their NumPy functions, on numbers and arrays."""

import builtins

import numpy as np

from .helpers import nonzero_or_one
from .template import d, rule


@rule(np.add)
def add(z, x, y):
    d[z, x] = 1
    d[z, y] = 1


@rule(np.subtract)
def subtract(z, x, y):
    d[z, x] = 1
    d[z, y] = -1


@rule(np.multiply)
def multiply(z, x, y):
    d[z, x] = y
    d[z, y] = x


@rule(np.true_divide)
def true_divide(z, x, y):
    d[z, x] = 1 / y
    d[z, y] = -(z / y)


@rule(np.positive)
def positive(z, x):
    d[z, x] = 1


@rule(np.negative)
def negative(z, x):
    d[z, x] = -1


@rule(np.square)
def square(z, x):
    d[z, x] = 2 * x


@rule(np.reciprocal)
def reciprocal(z, x):
    d[z, x] = -(z * z)


@rule(np.power, np.float_power, when=lambda y: isinstance(y, (int, float)) and y == 0)
def power_zero(z, x, y):
    """x ** 0 is 1, at x == 0 too."""
    d[z, x] = 0
    d[z, y] = np.log(nonzero_or_one(x))


@rule(np.power, np.float_power, when=lambda y: isinstance(y, (int, float)))
def power_known(z, x, y):
    """The exponent is a literal, so that the compiler folds `y - 1`."""
    d[z, x] = y * x ** (y - 1)
    d[z, y] = z * np.log(nonzero_or_one(x))


@rule(np.power, np.float_power)
def power(z, x, y):
    """0 ** 0 has derivative 0 by its base, and 0 ** y has derivative 0 by y."""
    d[z, x] = y * x ** np.where(y == 0, 1, y - 1)
    d[z, y] = z * np.log(nonzero_or_one(x))


@rule(np.divmod, builtins.divmod)
def divmod_(qr, x, y):
    """x == q * y + r, where q is a step function."""
    d[qr] = (np.zeros_like(qr[0]), d[x] - qr[0] * d[y])
    d[x] += d[qr][1]
    d[y] -= d[qr][1] * qr[0]


@rule(np.remainder)
def remainder(z, x, y):
    """z == x - floor(x / y) * y, where the floor is a step function."""
    d[z, x] = 1
    d[z, y] = -np.floor(x / y)


@rule(np.fmod)
def fmod(z, x, y):
    """z == x - trunc(x / y) * y, where trunc is a step function."""
    d[z, x] = 1
    d[z, y] = -np.trunc(x / y)
