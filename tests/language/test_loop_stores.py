"""Loops that read each element of an array once: its cotangent is stored, not added to zeros."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.testing import check_grads

X = np.array([0.3, -0.7, 1.1, 0.4, -0.2])
TABLE = np.arange(15.0).reshape(3, 5) / 7 - 1


def each_once(x):
    s = 0.0
    for i in range(len(x)):
        s = s * 0.5 + x[i] ** 2
    return s


def from_the_second_on(x):
    s = 0.0
    for i in range(1, len(x)):
        s = s * 0.5 + x[i] ** 2
    return s


def every_other(x):
    s = 0.0
    for i in range(0, len(x), 2):
        s = s * 0.5 + x[i] ** 2
    return s


def backwards(x):
    s = 0.0
    for i in range(len(x) - 1, -1, -1):
        s = s * 0.5 + x[i] ** 2
    return s


def from_both_ends(x):
    """The counter is negative at first, and names the same elements again later."""
    s = 0.0
    for i in range(-3, 4):
        s = s * 0.5 + x[i] ** 2
    return s


def two_neighbours(x):
    s = 0.0
    for i in range(1, len(x)):
        s = s * 0.5 + x[i] * x[i - 1]
    return s


def again_and_again(x):
    s = 0.0
    for _ in range(3):
        for i in range(len(x)):
            s = s * 0.5 + x[i] ** 2
    return s


def some(x):
    s = 0.0
    for i in range(len(x)):
        if x[i] > 0:
            s = s * 0.5 + x[i] ** 2
    return s


def until_it_is_enough(x):
    s = 0.0
    for i in range(len(x)):
        s = s * 0.5 + x[i] ** 2
        if s > 0.5:
            break
    return s


def beside_a_shorter_one(x):
    s = 0.0
    for i, factor in zip(range(len(x)), (2.0, 3.0)):
        s = s * 0.5 + factor * x[i] ** 2
    return s


def read_afterwards_as_well(x):
    s = 0.0
    for i in range(len(x)):
        s = s * 0.5 + x[i] ** 2
    return s * np.sum(x)


def folded(x):
    """Two values of the counter name one element."""
    s = 0.0
    for i in range(len(x)):
        s = s * 0.5 + x[i % 2] ** 2
    return s


def rows(a):
    s = np.zeros(5)
    for i in range(len(a)):
        s = s * 0.5 + a[i] ** 2
    return np.sum(s)


def columns(a):
    s = np.zeros(3)
    for j in range(a.shape[1]):
        s = s * 0.5 + a[:, j] ** 2
    return np.sum(s)


def one_row(a):
    s = 0.0
    for j in range(a.shape[1]):
        s = s * 0.5 + a[1, j] ** 2
    return s


def diagonal(a):
    s = 0.0
    for i in range(len(a)):
        s = s * 0.5 + a[i, i] ** 2
    return s


def rows_broadcast(a):
    s = 0.0
    for i in range(len(a)):
        s = s + np.sum(a[i])
    return s * s


def picked(a):
    where = np.array([0, 0, 2])
    s = np.zeros(3)
    for i in range(len(a)):
        s = s * 0.5 + a[i, where] ** 2
    return np.sum(s)


CASES = [
    *((f, X) for f in (
        each_once, from_the_second_on, every_other, backwards, from_both_ends, two_neighbours,
        again_and_again, some, until_it_is_enough, beside_a_shorter_one, read_afterwards_as_well,
        folded,
    )),
    *((f, TABLE) for f in (rows, columns, one_row, diagonal, rows_broadcast, picked)),
]  # fmt: skip


@pytest.mark.parametrize(("f", "x"), CASES, ids=[f.__name__ for f, _ in CASES])
def test_the_cotangent_is_right(f, x):
    check_grads(f, (x,), order=2)


@pytest.mark.parametrize("f", [each_once, backwards, read_afterwards_as_well])
def test_no_iteration_at_all(f):
    np.testing.assert_array_equal(ad.grad(f)(np.zeros(0)), np.zeros(0))


@pytest.mark.parametrize(("f", "x"), [(each_once, X), (rows, TABLE), (columns, TABLE)])
def test_what_is_stored_needs_no_zeros(f, x):
    source = ad.source(f, x)
    assert "np.empty_like(" in source and "zeros_like" not in source and "] +=" not in source


@pytest.mark.parametrize(
    ("f", "x"), [(from_the_second_on, X), (every_other, X), (one_row, TABLE), (diagonal, TABLE)]
)
def test_what_is_stored_in_parts_needs_zeros(f, x):
    source = ad.source(f, x)
    assert "np.zeros_like(" in source and "] +=" not in source


@pytest.mark.parametrize("f", [from_both_ends, again_and_again, folded])
def test_what_is_met_again_is_added_to(f):
    assert "] +=" in ad.source(f, X)


def test_pulled_back_twice():
    _, pull = ad.vjp(each_once, X)
    first, second = pull(1.0), pull(2.0)
    np.testing.assert_array_equal(2 * first[0], second[0])
