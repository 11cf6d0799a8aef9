"""Clipping of gradients: in place and not, what is left as it is, and what is refused."""

import math

import numpy as np
import pytest

from adjoint import optim


def test_the_norm_of_all_is_brought_down():
    grads = {"w": np.array([[3.0], [0.0]]), "b": [np.array([4.0])]}
    w = grads["w"]
    assert optim.clip_grad_norm_(grads, 2.5) == 5.0
    assert grads["w"] is w
    np.testing.assert_allclose(w.ravel(), [1.5, 0.0], rtol=1e-6)
    np.testing.assert_allclose(grads["b"][0], [2.0], rtol=1e-6)


def test_small_gradients_stay_bit_for_bit():
    g = np.array([0.1, 0.2])
    optim.clip_grad_norm_([g], 1.0)
    assert g.tolist() == [0.1, 0.2]


def test_an_array_that_occurs_twice_counts_once():
    g = np.array([3.0, 4.0])
    assert optim.clip_grad_norm_([g, g], 1.0) == 5.0
    np.testing.assert_allclose(g, [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_norms_beyond_the_range_of_squares(size):
    g = np.array([3.0, 4.0], "float32") * np.float32(size)
    assert math.isclose(optim.clip_grad_norm_([g], np.inf), 5 * size, rel_tol=1e-6)
    half = np.full(40000, 3.0, "float16")
    assert math.isclose(optim.clip_grad_norm_([half], 1e9), 600.0, rel_tol=1e-3)


def test_pure_versions_leave_their_arguments():
    grads = {"w": np.array([3.0, 4.0])}
    clipped, norm = optim.clip_grad_norm(grads, 1.0)
    assert norm == 5.0 and grads["w"].tolist() == [3.0, 4.0]
    np.testing.assert_allclose(clipped["w"], [0.6, 0.8], rtol=1e-6)
    assert optim.clip_grad_value(grads, 3.5)["w"].tolist() == [3.0, 3.5]
    assert grads["w"].tolist() == [3.0, 4.0]


def test_no_gradients():
    assert optim.clip_grad_norm_([], 1.0) == 0.0
    assert optim.clip_grad_norm_([np.zeros((0, 3))], 1.0, norm_type=np.inf) == 0.0


def test_a_norm_that_is_not_finite():
    g = np.array([1.0, np.nan])
    with pytest.raises(ValueError, match="the norm of the gradients is nan"):
        optim.clip_grad_norm_([g], 1.0, error_if_nonfinite=True)
    assert g[0] == 1.0
    assert math.isnan(optim.clip_grad_norm_([g], 1.0)) and np.isnan(g).all()
    assert optim.clip_grad_norm_([np.array([np.inf])], np.inf, error_if_nonfinite=False) == np.inf


def test_what_is_refused():
    good, frozen = np.ones(2), np.ones(2)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="gradient b is read-only"):
        optim.clip_grad_norm_({"a": good, "b": frozen}, 0.1)
    with pytest.raises(TypeError, match="gradient 1 is no array of floats: float"):
        optim.clip_grad_norm_([good, 2.0], 0.1)
    with pytest.raises(ValueError, match="max_norm must be at least 0"):
        optim.clip_grad_norm_([good], -1.0)
    with pytest.raises(ValueError, match="norm_type must be greater than 0"):
        optim.clip_grad_norm_([good], 1.0, 0)
    with pytest.raises(ValueError, match="clip_value must be at least 0"):
        optim.clip_grad_value_([good], np.nan)
    assert good.tolist() == [1.0, 1.0]
