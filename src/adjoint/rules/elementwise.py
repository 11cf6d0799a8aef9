"""Smooth functions, element by element. What has kinks is in selection.py."""

import math

import numpy as np

from .helpers import conj, nonzero_or_one
from .template import d, rule


@rule(np.exp)
def exp(z, x):
    d[z, x] = z


@rule(np.exp2)
def exp2(z, x):
    d[z, x] = z * math.log(2)


@rule(np.expm1)
def expm1(z, x):
    d[z, x] = z + 1


@rule(np.log)
def log(z, x):
    d[z, x] = 1 / x


@rule(np.log2)
def log2(z, x):
    d[z, x] = 1 / (x * math.log(2))


@rule(np.log10)
def log10(z, x):
    d[z, x] = 1 / (x * math.log(10))


@rule(np.log1p)
def log1p(z, x):
    d[z, x] = 1 / (x + 1)


@rule(np.sqrt)
def sqrt(z, x):
    """Infinite at 0, as it is."""
    d[z, x] = 0.5 / z


@rule(np.cbrt)
def cbrt(z, x):
    """Infinite at 0, as it is."""
    d[z, x] = 1 / (3 * z * z)


@rule(np.sin)
def sin(z, x):
    d[z, x] = np.cos(x)


@rule(np.cos)
def cos(z, x):
    d[z, x] = -np.sin(x)


@rule(np.tan)
def tan(z, x):
    d[z, x] = 1 + z * z


@rule(np.arcsin)
def arcsin(z, x):
    d[z, x] = 1 / np.sqrt(1 - x * x)


@rule(np.arccos)
def arccos(z, x):
    d[z, x] = -1 / np.sqrt(1 - x * x)


@rule(np.arctan)
def arctan(z, x):
    d[z, x] = 1 / (1 + x * x)


@rule(np.sinh)
def sinh(z, x):
    d[z, x] = np.cosh(x)


@rule(np.cosh)
def cosh(z, x):
    d[z, x] = np.sinh(x)


@rule(np.tanh)
def tanh(z, x):
    d[z, x] = 1 - z * z


@rule(np.arcsinh, when=lambda x: not np.iscomplexobj(x))
def arcsinh(z, x):
    d[z, x] = 1 / np.hypot(x, 1)  # x * x would overflow before hypot does


@rule(np.arcsinh)
def arcsinh_complex(z, x):
    d[z, x] = 1 / np.sqrt(x * x + 1)


@rule(np.arccosh)
def arccosh(z, x):
    d[z, x] = 1 / (np.sqrt(x - 1) * np.sqrt(x + 1))  # one root would take the wrong branch


@rule(np.arctanh)
def arctanh(z, x):
    d[z, x] = 1 / (1 - x * x)


@rule(np.arctan2)
def arctan2(z, y, x):
    d[z, y] = x / (x * x + y * y)
    d[z, x] = -y / (x * x + y * y)


@rule(np.hypot)
def hypot(z, x, y):
    """0 at the origin, as for a norm."""
    d[z, x] = x / nonzero_or_one(z)
    d[z, y] = y / nonzero_or_one(z)


@rule(np.deg2rad, np.radians)
def deg2rad(z, x):
    d[z, x] = math.pi / 180


@rule(np.rad2deg, np.degrees)
def rad2deg(z, x):
    d[z, x] = 180 / math.pi


@rule(np.logaddexp)
def logaddexp(z, x, y):
    """Of two arguments of -inf, neither contributes."""
    d[z, x] = np.exp(x - np.where(z == -np.inf, 0, z))
    d[z, y] = np.exp(y - np.where(z == -np.inf, 0, z))


@rule(np.logaddexp2)
def logaddexp2(z, x, y):
    """Of two arguments of -inf, neither contributes."""
    d[z, x] = np.exp2(x - np.where(z == -np.inf, 0, z))
    d[z, y] = np.exp2(y - np.where(z == -np.inf, 0, z))


@rule(np.sinc)
def sinc(z, x):
    """(cos(pi * x) - sinc(x)) / x, which cancels near 0: there the first terms of its series."""
    near = np.abs(x) < 0.01
    s = (math.pi * x) ** 2
    d[z, x] = np.where(
        near,
        math.pi**2 * x * (-1 / 3 + s / 30 - s * s / 840),
        (np.cos(math.pi * x) - z) / np.where(near, 1, x),
    )


@rule(np.ldexp)
def ldexp(z, x, i):
    d[z, x] = np.ldexp(np.ones_like(x), i)
    d[z, i] = 0


@rule(np.modf)
def modf(z, x):
    """The whole part is a step function."""
    d[z] = (d[x], np.zeros_like(z[1]))
    d[x] += d[z][0]


@rule(np.unwrap)
def unwrap(z, p, discont=None, axis=-1, *, period=6.283185307179586):
    """What it adds is a step function."""
    d[z, p] = 1


# complex numbers: cotangents pair by the real part of sum(d_z * t_z), without conjugation, so that
# a holomorphic function's partial is its derivative (as in JAX and HIPS autograd)


@rule(np.conjugate, when=lambda x: not np.iscomplexobj(x))
def conjugate_real(z, x):
    d[z, x] = 1


@rule(np.conjugate)
def conjugate(z, x):
    d[z] = np.conjugate(d[x])
    d[x] += np.conjugate(d[z])


@rule(np.real, when=lambda x: not np.iscomplexobj(x))
def real_real(z, x):
    d[z, x] = 1


@rule(np.real)
def real(z, x):
    d[z] = np.real(d[x])
    d[x] += d[z]


@rule(np.imag, when=lambda x: not np.iscomplexobj(x))
def imag_real(z, x):
    d[z, x] = 0


@rule(np.imag)
def imag(z, x):
    d[z] = np.imag(d[x])
    d[x] += -1j * d[z]


@rule(np.real_if_close, when=lambda x: not np.iscomplexobj(x))
def real_if_close(z, x):
    d[z, x] = 1


@rule(np.angle, when=lambda x: not np.iscomplexobj(x))
def angle_real(z, x, deg=False):
    """0 or pi."""
    d[z, x] = 0


@rule(np.angle, when=lambda deg: not deg)
def angle(z, x, deg=False):
    """log(x) == log(abs(x)) + 1j * angle(x)."""
    d[z] = np.imag(d[x] / x)
    d[x] += -1j * d[z] / x


@rule(np.absolute, when=lambda x: np.iscomplexobj(x))
def absolute_complex(z, x):
    """0 at 0."""
    d[z] = np.real(conj(x) * d[x]) / nonzero_or_one(z)
    d[x] += d[z] * conj(x) / nonzero_or_one(z)


@rule(np.sign, when=lambda x: not np.iscomplexobj(x))
def sign(z, x):
    d[z, x] = 0
