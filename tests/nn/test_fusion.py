"""Convolution, rectifier and pooling in one step: when it is done, and that nothing changes."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import nn
from adjoint.nn.functional.convolution import conv2d
from adjoint.nn.functional.pooling import max_pool2d
from adjoint.testing import check_grads

FUSED = "conv2d_relu_max_pool2d"


def relu(x):
    return np.where(x > 0, x, 0)


def layer(x, w, b):
    return max_pool2d(relu(conv2d(x, w, b, padding=1)), 2)


def loss(x, w, b):
    return np.sum(layer(x, w, b) ** 2)


def without_bias(x, w):
    return np.sum(max_pool2d(relu(conv2d(x, w, stride=2)), 3, 1, 1) ** 2)


def read_twice(x, w, b):
    z = conv2d(x, w, b, padding=1)
    h = relu(z)
    return np.sum(max_pool2d(h, 2) ** 2) + np.sum(z)


def rectified_read_twice(x, w, b):
    h = relu(conv2d(x, w, b, padding=1))
    return np.sum(max_pool2d(h, 2) ** 2) + np.sum(h)


def changed_between(x, w, b):
    w = w * 1.0
    z = conv2d(x, w, b, padding=1)
    w[:] = 0.0
    return np.sum(max_pool2d(relu(z), 2) ** 2)


def other_threshold(x, w, b):
    z = conv2d(x, w, b, padding=1)
    return np.sum(max_pool2d(np.where(z > 0.5, z, 0), 2) ** 2)


def shared_at_zero(x, w, b):
    """np.maximum has another derivative at 0 than the rectifier."""
    return np.sum(max_pool2d(np.maximum(conv2d(x, w, b, padding=1), 0), 2) ** 2)


def drawn(seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    shapes = (3, 2, 8, 6), (4, 2, 3, 3), (4,)
    return tuple(rng.normal(size=s).astype(dtype) for s in shapes)


def test_chain_is_one_step():
    text = ad.source(loss, *drawn(), argnums=(1, 2))
    assert f"{FUSED}(x, w, b, 2, padding=1)" in text
    assert "unpick2d" not in text and "conv2d_input" not in text


def test_layers_in_a_row_are_one_step():
    """`__call__` of a module packs its arguments into a tuple, which reads them once more."""
    convolution = nn.Conv2d(2, 4, 3, padding=1, dtype=np.float64)
    relu, pool = nn.ReLU(), nn.MaxPool2d(2)

    def loss(x, convolution):
        return np.sum(pool(relu(convolution(x))) ** 2)

    x = drawn()[0]
    assert FUSED in ad.source(loss, x, convolution, argnums=(0, 1))
    check_grads(loss, (x, convolution), argnums=(0, 1))


def test_chain_without_bias():
    assert f"{FUSED}(x, w, None, 3, pool_stride=1, pool_padding=1, stride=2)" in ad.source(
        without_bias, *drawn()[:2]
    )
    check_grads(without_bias, drawn()[:2], order=2)


@pytest.mark.parametrize(
    "fn", [read_twice, rectified_read_twice, changed_between, other_threshold, shared_at_zero]
)
def test_what_is_read_elsewhere_stays(fn):
    assert FUSED not in ad.source(fn, *drawn())
    check_grads(fn, drawn())


def test_derivatives_of_one_step():
    check_grads(loss, drawn(), order=2)


def test_in_a_branch_and_a_loop():
    def network(x, w, b, deep):
        for _ in range(2):
            x = layer(x, w, b)
        if deep:
            x = layer(x, w, b)
        return np.sum(x**2)

    rng = np.random.default_rng(0)
    args = rng.normal(size=(2, 3, 16, 16)), rng.normal(size=(3, 3, 3, 3)), rng.normal(size=3)
    assert FUSED in ad.source(network, *args, True)
    for deep in (True, False):
        check_grads(lambda x, w, b, deep=deep: network(x, w, b, deep), args)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_as_in_steps(dtype):
    args = drawn(dtype=dtype)
    value, pullback = ad.vjp(layer, *args)
    assert value.dtype == dtype
    np.testing.assert_allclose(value, layer(*args), rtol=1e-5, atol=1e-5)
    d = np.random.default_rng(2).normal(size=value.shape).astype(dtype)

    def in_steps(x, w, b):
        z = conv2d(x, w, b, padding=1)
        return max_pool2d(relu(z), 2), z  # z is seen, so that nothing is put together

    _, steps = ad.vjp(in_steps, *args)
    zeros = np.zeros((3, 4, 8, 6), dtype)
    for a, b in zip(pullback(d), steps((d, zeros))):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_dead_and_exact_zeros():
    """Where nothing is above 0, nothing has a derivative: as in PyTorch, at 0 as well."""
    x, w, b = drawn()
    found = ad.grad(loss, argnums=(0, 1, 2))(np.zeros_like(x), w, np.zeros_like(b))
    assert not any(d.any() for d in found)
    found = ad.grad(loss, argnums=(0, 1, 2))(x, w, b - 100)
    assert not any(d.any() for d in found)


def test_nan_stays():
    x, w, b = drawn()
    x[0, 0, 0, 0] = np.nan
    assert np.isnan(ad.value_and_grad(loss)(x, w, b)[0])


def test_as_in_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    args = drawn()
    tensors = [torch.tensor(a, requires_grad=True) for a in args]
    f = torch.nn.functional
    theirs = (f.max_pool2d(f.relu(f.conv2d(*tensors, padding=1)), 2) ** 2).sum()
    theirs.backward()
    value, found = ad.value_and_grad(loss, argnums=(0, 1, 2))(*args)
    assert value == pytest.approx(theirs.item())
    for a, t in zip(found, tensors):
        np.testing.assert_allclose(a, t.grad, rtol=1e-9, atol=1e-9)


def test_errors_name_the_steps():
    x, w, b = drawn()
    with pytest.raises(ValueError, match=r"conv2d: expected bias of shape \(4,\)"):
        ad.grad(loss)(x, w, b[1:])
    with pytest.raises(ValueError, match="max_pool2d: expected x of at least"):
        ad.grad(loss)(x[:, :, :1, :1], w, b)
