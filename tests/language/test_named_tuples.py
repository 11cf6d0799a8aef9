"""Named tuples whose class says what operators do: the recorded form asks it."""

from collections import namedtuple
from typing import NamedTuple

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms


class Own(NamedTuple):
    a: float
    b: float

    def __neg__(self):
        return Own(self.a * self.a, -self.b)

    def __add__(self, other):
        return Own(self.a + other.a, self.b * other.b)

    def __rmul__(self, k):
        return Own(self.a * k, self.b * k)

    def __getitem__(self, i):
        return 7.0 * self.a

    def __len__(self):
        return 5

    def __bool__(self):
        return False


PROGRAMS = [
    lambda p: (-Own(p[0], p[1])).a,
    lambda p: (Own(p[0], p[1]) + Own(p[1], p[1])).b,
    lambda p: (3 * Own(p[0], p[1])).b,
    lambda p: Own(p[0], p[1])[1] ** 2,
    lambda p: len(Own(p[0], p[1])) * p[0],
    lambda p: p[0] if Own(p[0], p[1]) else p[1],
]


@pytest.mark.parametrize("fn", PROGRAMS)
def test_its_operators_are_asked(fn):
    p = np.array([0.3, 0.9])
    assert ad.value_and_grad(fn)(p)[0] == fn(p)
    ad.testing.check_grads(fn, (p,))
    with forms.only("typed"), pytest.raises(ad.UnsupportedSyntaxError, match="named tuple"):
        ad.grad(fn)(p)


def test_as_an_argument():
    def f(t):
        return (t + t).b

    t = Own(0.3, 0.9)
    value, gradient = ad.value_and_grad(f)(t)
    assert value == f(t)
    assert (gradient.a, gradient.b) == (0.0, 1.8)


Plain = namedtuple("Plain", "a b")


class WithMethods(NamedTuple):
    a: float
    b: float = 2.0

    def total(self):
        return self.a + self.b


def test_others_are_taken_apart():
    def f(p):
        plain, other = Plain(p * 2, p[0]), WithMethods(p[1])
        return np.sum(plain.a * plain[1]) * other.total() * len(plain)

    with forms.only("typed"):
        ad.testing.check_grads(f, (np.array([0.3, 0.9]),))
