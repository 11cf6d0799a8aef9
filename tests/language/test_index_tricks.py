"""np.r_ and np.c_, which join what is written between brackets, and objects that do otherwise."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms
from adjoint.testing import check_grads


def rows(x, y):
    return np.sum(np.sin(np.r_[x, 2 * y, x]))


def columns(x, y):
    return np.sum(np.sin(np.c_[x, x * y]))


def one(x, y):
    return np.sum(np.r_[x * y] ** 2)


def in_a_loop(x, y):
    for _ in range(3):
        x = np.r_[x[1:], y[:1] * x[0]]
    return np.sum(x * y)


def with_a_number(x, y):
    return np.sum(np.r_[x, 2.0] * np.r_[2.0, y])


def as_a_row(x, y):
    return np.sum(np.r_["r", x, y])


def matrix(x, y):
    return np.sum(np.bmat([[x, y]]))


@pytest.mark.parametrize("form", ["typed", "recorded"])
@pytest.mark.parametrize("fn", [rows, columns, one, in_a_loop])
def test_arrays_are_joined(fn, form):
    with forms.only(form):
        check_grads(fn, (np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.5, -1.0])))


@pytest.mark.parametrize("fn", [with_a_number, as_a_row, matrix])
def test_what_else_they_make_is_refused(fn):
    with pytest.raises(ad.NoDerivativeError):
        ad.grad(fn)(np.ones(3), np.ones(3))


def test_of_constants_they_are_constants():
    def f(x):
        return np.sum(x * np.r_[0:3]) + np.r_[np.ones(2), 5][2] * x[0]

    np.testing.assert_array_equal(ad.grad(f)(np.ones(3)), [5, 1, 2])
