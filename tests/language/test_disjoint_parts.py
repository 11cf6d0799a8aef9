"""Contributions to different elements are stored, and only those to the same one are added."""

import numpy as np
import pytest

import adjoint as ad


def columns(x):
    return np.sum(x[:, 0] * x[:, 1] + x[:, 2])


def one_column_twice(x):
    return np.sum(x[:, 0] * x[:, 1]) + np.sum(x[:, 0] ** 3)


def from_both_ends(x):
    return np.sum(x[:, 1] * x[:, -1] * x[:, 0])


def rows_and_columns(x):
    return np.sum(x[0]) * np.sum(x[:, 0])


def after_a_new_axis(x):
    return np.sum(x[np.newaxis, 1] * x[0]) + np.sum(x[..., 1] ** 2)


def some_columns(x):
    return np.sum(x[:, 0] * x[:, 1])


def one_element_of_a_column(x):
    y = x[:, :1] * 2
    return np.sin(y[-1, 0])


def by_arrays_of_one(x):
    return np.sum(x[np.array([0])] * x[np.array([1])]) + np.sum(x[[0], 1] * x[[0], 2])


FUNCTIONS = [
    by_arrays_of_one,
    one_element_of_a_column,
    columns, one_column_twice, from_both_ends, rows_and_columns, after_a_new_axis, some_columns,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_right(function):
    x = np.random.default_rng(0).normal(size=(4, 3))
    ad.testing.check_grads(function, (x,), order=2)


def parts_of_known_size(x):
    y = x.reshape(len(x), 2, 3)
    return np.sum(y[:, 0] * y[:, 1])


def test_parts_that_are_all_need_no_zeros():
    x = np.random.default_rng(0).normal(size=(4, 6))
    text = ad.source(parts_of_known_size, x)
    assert "zeros" not in text and "+=" not in text
    ad.testing.check_grads(parts_of_known_size, (x,), order=2)


def test_parts_that_are_not_all_need_zeros():
    text = ad.source(some_columns, np.ones((4, 3)))
    assert "zeros" in text and "+=" not in text


def test_numbers_that_may_be_one_element_are_added():
    text = ad.source(from_both_ends, np.ones((4, 3)))
    assert "+=" in text
