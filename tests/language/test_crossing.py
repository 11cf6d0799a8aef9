"""A part of an array that is stored into another part of it."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms

X = np.arange(1.0, 10.0).reshape(3, 3) / 7


def column_into_row(m):
    m[1] = m[:, 2]
    return np.sum(m * m)


def transposed_column_into_row(m):
    m[1] = m.T[-1]
    return np.sum(m * m)


def copied_by_function(m):
    np.copyto(m[1], m[:, 2])
    return np.sum(m * m)


@pytest.mark.parametrize("fn", [column_into_row, transposed_column_into_row, copied_by_function])
def test_parts_that_cross(fn):
    with forms.only("typed"), pytest.raises(ad.UnsupportedSyntaxError, match="may cross"):
        ad.grad(fn)(X.copy())
    plain = X.copy()
    fn(plain)
    copied = X.copy()
    copied[1] = X[:, 2]
    if np.array_equal(plain, copied):  # this NumPy copies first
        want = 2 * copied
        stored, want[1] = want[1].copy(), 0.0
        want[:, 2] += stored
        np.testing.assert_allclose(ad.grad(fn)(X.copy()), want)
    else:
        with pytest.raises(ad.AliasingError, match="crosses it"):
            ad.grad(fn)(X.copy())


def shifted(m):
    m[1:] = m[:-1]
    m[:, 1:] = m[:, :-1]
    return np.sum(m * m * np.arange(9.0).reshape(3, 3))


def test_parts_that_are_cut_out_alike():
    def differences(m, eps=1e-6):
        found = np.zeros_like(m)
        for place in np.ndindex(m.shape):
            ends = []
            for sign in (1, -1):
                moved = m.copy()
                moved[place] += sign * eps
                ends.append(shifted(moved))
            found[place] = (ends[0] - ends[1]) / (2 * eps)
        return found

    for form in forms.BOTH:
        with forms.only(form):
            np.testing.assert_allclose(ad.grad(shifted)(X.copy()), differences(X), rtol=1e-6)
