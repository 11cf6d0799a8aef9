"""A transpose that is left out of a derivative: its array may be changed after it was taken."""

import numpy as np
import pytest

import adjoint as ad


def copied_transpose(x, w):
    v = w * 1.0
    t = np.ascontiguousarray(v.T)
    y = np.sum((x @ t) ** 2)
    v *= 2.0
    return y + np.sum(v)


def transposed_product(x, w):
    v = w * 1.0
    a = v.T @ x.T
    y = np.sum(np.sin(a.T))
    v *= 2.0
    return y + np.sum(v)


@pytest.mark.parametrize(
    "function, shape", [(copied_transpose, (2, 3)), (transposed_product, (3, 2))]
)
def test_a_change_after_it_is_not_seen(function, shape):
    rng = np.random.default_rng(0)
    ad.testing.check_grads(function, (rng.normal(size=(4, 3)), rng.normal(size=shape)), order=2)


def element_of_a_transpose(x, w):
    """The cotangent of x is a product, and is added to through its transpose."""
    v = np.transpose(x)
    m = np.array([[v[0][0], 1.0], [2.0, v[1][0]]])
    return np.sum(np.sin(x @ m)) * np.sum(w)


def row_of_a_transpose_that_is_changed(x, w):
    y = x @ w
    row = y.T[0]
    row *= 2.0
    return np.sum((y @ w) ** 2) + np.sum(np.swapaxes(y, 0, 1)[1] ** 3)


def parts_of_views_of_products(x, w):
    y = (x.T @ w).T
    z = np.moveaxis(y, 0, 1)
    return y.T[0][1] * 2 + np.sum((y @ w) ** 2) + z[1][0] * np.swapaxes(y, 0, 1)[1, 1]


@pytest.mark.parametrize(
    "function",
    [
        element_of_a_transpose,
        row_of_a_transpose_that_is_changed,
        parts_of_views_of_products,
    ],
)
def test_a_cotangent_is_added_to_through_its_transpose(function):
    rng = np.random.default_rng(0)
    ad.testing.check_grads(function, (rng.normal(size=(2, 2)), rng.normal(size=(2, 2))), order=2)
