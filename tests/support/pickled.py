"""Derivatives at the top of a module, where other processes find them."""

import numpy as np

import adjoint as ad


def f(x):
    return x * x


def v(x):
    return np.array([1.0, 2.0]) * x


gradient = ad.grad(f)
second = ad.grad(ad.grad(f))
both = ad.value_and_grad(f)
each = ad.elementwise_grad(f)
matrix = ad.jacobian(v)
curvature = ad.hessian(f)


@ad.grad
def decorated(x):
    return x**3


@ad.grad(argnums=1)
def by_second(k, x):
    return k * x


@ad.value_and_grad
def decorated_both(x):
    return x**3


@ad.jacobian
def decorated_matrix(x):
    return np.array([1.0, 2.0]) * x


def tangent(x):
    return ad.jvp(f, (x,), (1.0,))


class Parabola:
    def __init__(self, k):
        self.k = k

    def at(self, x):
        return self.k * x * x

    @ad.grad(argnums=1)
    def slope(self, x):
        return self.k * x * x


slope_of_two = Parabola(2.0).slope
slope_of_method = ad.grad(Parabola(2.0).at)

EXPECTED = {  # at 3.0
    "gradient": 6.0,
    "second": 2.0,
    "both": (9.0, 6.0),
    "each": 6.0,
    "matrix": [1.0, 2.0],
    "curvature": 2.0,
    "decorated": 27.0,
    "decorated_both": (27.0, 27.0),
    "decorated_matrix": [1.0, 2.0],
    "tangent": (9.0, 6.0),
    "slope_of_two": 12.0,
    "slope_of_method": 12.0,
}


def all_at_three(names):
    """What every process computes; threads of the parent are not in it."""
    return [plain(globals()[name](3.0)) for name in names]


def plain(value):
    return value.tolist() if isinstance(value, np.ndarray) else value
