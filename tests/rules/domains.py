"""Operands for the table of cases: what they are made of, and in which directions they may move."""

import numpy as np


class Operand:
    """Makes one argument. `active`: it has a derivative. `text`: how a case writes it."""

    active = True
    text = "{}"

    def __init__(self, make, active=True, text="{}", single=True):
        self.make, self.active, self.text = make, active, text
        self.single = single  # whether it can be had in single precision

    def value(self, rng, dtype=np.float64):
        return self.make(rng, dtype)

    def direction(self, rng, value):
        """A random direction for the value to move in."""
        if isinstance(value, float):
            return float(rng.normal())
        t = rng.normal(size=value.shape)
        if np.iscomplexobj(value):
            t = t + 1j * rng.normal(size=value.shape)
        if self.text != "{}":
            t = (t + np.swapaxes(t, -1, -2)) / 2
        return t.astype(value.dtype)


class Sequence:
    """A list of operands, which are parameters of their own."""

    def __init__(self, *items):
        self.items = [operand(i) for i in items]


class Literal:
    """A value that the case writes out, where it would else be taken for a shape."""

    def __init__(self, value):
        self.value = value


def operand(x):
    """Shapes mean arrays of that shape."""
    if isinstance(x, tuple):
        return normal(*x)
    return x if isinstance(x, (Operand, Sequence, Literal)) else Literal(x)


def fixed(one):
    """The same operand, not to be moved."""
    return Operand(one.make, active=False, single=one.single)


def normal(*shape):
    return Operand(lambda rng, dtype: np.asarray(rng.normal(size=shape)).astype(dtype))


def within(low, high, *shape):
    return Operand(lambda rng, dtype: np.asarray(rng.uniform(low, high, shape)).astype(dtype))


def positive(*shape):
    return within(0.5, 2, *shape)


def far_from_zero(*shape):
    def make(rng, dtype):
        return (rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)).astype(dtype)

    return Operand(make)


def distinct(*shape):
    """No two numbers near each other, so that their order stays."""

    def make(rng, dtype):
        n = int(np.prod(shape))
        return (
            ((rng.permutation(n) - n / 2 + rng.uniform(0.2, 0.4, n)) / 3)
            .reshape(shape)
            .astype(dtype)
        )

    return Operand(make)


def increasing(n):
    return Operand(lambda rng, dtype: np.cumsum(rng.uniform(0.5, 1.5, n)).astype(dtype))


def with_zeros(*shape):
    """Some numbers are exactly 0."""

    def make(rng, dtype):
        x = rng.normal(size=shape)
        x.reshape(-1)[:: max(2, x.size // 3)] = 0
        return x.astype(dtype)

    return Operand(make)


def with_nan(*shape):
    """Some are nan, and the others lie apart."""

    def make(rng, dtype):
        x = distinct(*shape).value(rng, dtype)
        x[..., 1] = np.nan
        return x

    return Operand(make)


def ragged(rows, columns):
    """A triangle of nan: no two rows or columns have equally many, and the others lie apart."""

    def make(rng, dtype):
        x = distinct(rows, columns).value(rng, dtype)
        i, j = np.indices(x.shape)
        x[(i + j) % max(x.shape) + 1 < i] = np.nan
        return x

    return Operand(make)


def complex_(*shape):
    def make(rng, dtype):
        return rng.normal(size=shape) + 1j * rng.normal(size=shape)

    return Operand(make, single=False)


def well_conditioned(*shape):
    """Square matrices, or any with independent rows or columns, far from singular."""
    shape = shape * 2 if len(shape) == 1 else shape

    def make(rng, dtype):
        return (rng.normal(size=shape) / 3 + 2 * np.eye(*shape[-2:])).astype(dtype)

    return Operand(make)


def spread_values(*shape):
    """Matrices with singular values that lie apart."""

    def make(rng, dtype):
        u, s, v = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
        return ((u * (1.0 + np.arange(s.shape[-1]))) @ v).astype(dtype)

    return Operand(make)


SYMMETRIC = "({0} + np.swapaxes({0}, -1, -2)) / 2"


def spd(*shape):
    """Symmetric positive definite matrices with eigenvalues that lie apart; written symmetric."""
    shape = shape * 2 if len(shape) == 1 else shape

    def make(rng, dtype):
        q = np.linalg.qr(rng.normal(size=shape))[0]
        return ((q * (1.0 + np.arange(shape[-1]))) @ np.swapaxes(q, -1, -2)).astype(dtype)

    return Operand(make, text=SYMMETRIC)


def ints(high, *shape):
    return Operand(lambda rng, dtype: rng.integers(0, high, shape), active=False)


def mask(*shape):
    return Operand(lambda rng, dtype: rng.random(shape) < 0.5, active=False)


def number(low=-2.0, high=2.0):
    """A Python float."""
    return Operand(lambda rng, dtype: float(rng.uniform(low, high)), single=False)
