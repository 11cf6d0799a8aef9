"""Pooling: its values next to PyTorch's, ties, nan, derivatives, errors."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.nn.functional.pooling import (
    avg_pool2d,
    max_pool2d,
    max_pool2d_with_positions,
    pick2d,
    unpick2d,
)
from adjoint.testing import check_grads

POOLINGS = [
    ((2, 3, 8, 8), dict(kernel_size=2)),
    ((2, 3, 7, 9), dict(kernel_size=2)),  # the last row and column are in no window
    ((2, 3, 7, 9), dict(kernel_size=(3, 2))),
    ((2, 3, 7, 9), dict(kernel_size=3, stride=1)),
    ((2, 3, 7, 9), dict(kernel_size=3, stride=2, padding=1)),
    ((2, 3, 7, 9), dict(kernel_size=(2, 5), stride=(3, 2), padding=(1, 2))),
    ((2, 3, 9, 9), dict(kernel_size=2, stride=3)),
    ((1, 1, 1, 1), dict(kernel_size=1)),
    ((1, 1, 20, 20), dict(kernel_size=17)),
]
poolings = pytest.mark.parametrize(
    ("images", "options"), POOLINGS, ids=[f"{x}-{o}" for x, o in POOLINGS]
)


def drawn(images, dtype=np.float64):
    return np.random.default_rng(0).normal(size=images).astype(dtype)


def compare_with_torch(ours, theirs, x):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    tensor = torch.tensor(x, requires_grad=True)
    want = theirs(torch, tensor)
    got, pullback = ad.vjp(ours, x)
    assert got.dtype == x.dtype
    np.testing.assert_allclose(got, want.detach(), rtol=1e-6)
    cotangent = drawn(got.shape, x.dtype)
    want.backward(torch.tensor(cotangent))
    (found,) = pullback(cotangent)
    assert found.dtype == x.dtype
    np.testing.assert_allclose(found, tensor.grad, rtol=1e-5, atol=1e-6)


@poolings
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_max_as_in_torch(images, options, dtype):
    compare_with_torch(
        lambda x: max_pool2d(x, **options),
        lambda torch, x: torch.nn.functional.max_pool2d(x, **options),
        drawn(images, dtype),
    )


@poolings
def test_ties_as_in_torch(images, options):
    """Few different numbers, so that most windows have ties."""
    compare_with_torch(
        lambda x: max_pool2d(x, **options),
        lambda torch, x: torch.nn.functional.max_pool2d(x, **options),
        np.round(drawn(images)),
    )


@poolings
@pytest.mark.parametrize("count_include_pad", [True, False])
def test_mean_as_in_torch(images, options, count_include_pad):
    options = options | dict(count_include_pad=count_include_pad)
    compare_with_torch(
        lambda x: avg_pool2d(x, **options),
        lambda torch, x: torch.nn.functional.avg_pool2d(x, **options),
        drawn(images),
    )


@poolings
def test_derivatives(images, options):
    x = np.random.default_rng(3).permutation(np.prod(images)).reshape(images) / 7.0
    check_grads(lambda x: np.sum(max_pool2d(x, **options) ** 3) / 1e3, (x,), order=2)
    check_grads(lambda x: np.sum(avg_pool2d(x, **options) ** 3) / 1e3, (x,), order=2)


def test_first_of_the_largest_takes_all():
    x = np.array([[0.0, 3.0, 3.0], [3.0, 3.0, 1.0]]).reshape(1, 1, 2, 3)
    found = ad.grad(lambda x: np.sum(max_pool2d(x, (2, 3))))(x)
    np.testing.assert_array_equal(found[0, 0], [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])


def test_nan_is_the_largest():
    x = drawn((1, 1, 4, 4))
    x[0, 0, 1, 0] = np.nan
    pooled = max_pool2d(x, 2)
    assert np.isnan(pooled[0, 0, 0, 0]) and np.isnan(pooled).sum() == 1
    assert max_pool2d_with_positions(x, 2)[1][0, 0, 0, 0] == 2


def test_minus_infinity_is_not_padding():
    x = np.full((1, 1, 4, 4), -np.inf)
    pooled, positions = max_pool2d_with_positions(x, 3, 2, 1)
    assert np.all(pooled == -np.inf)
    assert positions[0, 0, 0, 0] == 4  # the first element that is no padding
    found = ad.vjp(lambda x: max_pool2d(x, 3, 2, 1), x)[1](np.ones((1, 1, 2, 2)))[0]
    assert found.sum() == 4


def test_whole_numbers():
    x = np.arange(-8, 8).reshape(1, 1, 4, 4)
    for kernel_size, stride in ((2, 2), (3, 1)):
        found = max_pool2d(x, kernel_size, stride)
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(found, max_pool2d(x * 1.0, kernel_size, stride))


def test_position_in_large_windows():
    x = np.zeros((1, 1, 20, 20))
    x[0, 0, 19, 18] = 1.0
    pooled, positions = max_pool2d_with_positions(x, 20)
    assert positions[0, 0, 0, 0] == 398
    np.testing.assert_array_equal(unpick2d(pooled, positions, x.shape, 20), x)
    np.testing.assert_array_equal(pick2d(x, positions, 20), pooled)


def test_windows_that_overlap_add_up():
    x = np.zeros((1, 1, 3, 3))
    x[0, 0, 1, 1] = 1.0
    found = ad.grad(lambda x: np.sum(max_pool2d(x, 2, 1)))(x)
    assert found[0, 0, 1, 1] == 4


def test_of_no_images():
    x = np.ones((0, 2, 6, 6), np.float32)
    for pool in (max_pool2d, avg_pool2d):
        value, pullback = ad.vjp(lambda x, pool=pool: pool(x, 2), x)
        assert value.shape == (0, 2, 3, 3) and value.dtype == np.float32
        assert pullback(value)[0].shape == x.shape


def test_arrays_that_are_not_contiguous():
    x = drawn((4, 3, 8, 6))
    for other in (np.asfortranarray(x), np.repeat(x, 2, axis=3)[..., ::2]):
        for pool in (max_pool2d, avg_pool2d):
            want, pullback = ad.vjp(lambda x, pool=pool: pool(x, 2), x)
            got, theirs = ad.vjp(lambda x, pool=pool: pool(x, 2), other)
            np.testing.assert_array_equal(got, want)
            np.testing.assert_array_equal(theirs(np.asfortranarray(got)), pullback(want))


X = np.ones((2, 3, 6, 6))
REFUSED = [
    (lambda: max_pool2d(X[0], 2), r"max_pool2d: expected x of shape \(N, C, H, W\); got \(3, 6, 6"),
    (lambda: avg_pool2d(X, 7), r"avg_pool2d: expected x of at least \(7, 7\).*\(2, 3, 6, 6\)"),
    (lambda: max_pool2d(X, 0), "max_pool2d: expected kernel_size of 1 or more"),
    (lambda: max_pool2d(X, 2, 0), "max_pool2d: expected stride of 1 or more"),
    (lambda: max_pool2d(X, 2, padding=2), "padding between 0 and half of kernel_size=2; got 2"),
    (lambda: max_pool2d(X, 2.0), "max_pool2d: kernel_size is an int or two, not 2.0"),
    (lambda: pick2d(X, np.zeros((2, 3, 2, 2), int), 2), r"pick2d: expected an array of shape \(2,"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
