"""Arrays of rank 0 that are arrays, as CuPy's are: changed in place, for all who hold them."""

import numpy as np
from support.strict_arrays import strict

import adjoint as ad


def two_names(x):
    s = np.sum(x)
    t = s
    s += 1.0
    return t * s


def test_an_array_of_rank_0_is_changed_for_both_names():
    x = strict.asarray(np.array([1.0, 2.0]))
    value, gradient = ad.value_and_grad(two_names)(x)
    assert float(value) == 16.0  # (3 + 1)**2, as CuPy computes it; NumPy's numbers give 3 * 4
    np.testing.assert_allclose(gradient.get(), [8.0, 8.0])


def test_a_number_is_changed_for_one_name():
    value, gradient = ad.value_and_grad(two_names)(np.array([1.0, 2.0]))
    assert value == 12.0
    np.testing.assert_allclose(gradient, [7.0, 7.0])
