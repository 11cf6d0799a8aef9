"""Convolution: values next to PyTorch's and to sums written out, derivatives, errors, threads."""

import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import adjoint as ad
from adjoint.nn.functional.convolution import conv2d, conv2d_input, conv2d_weight
from adjoint.testing import check_grads

# images, filters, options
CONVOLUTIONS = [
    ((2, 1, 8, 8), (4, 1, 3, 3), dict(padding=1)),
    ((2, 3, 7, 9), (4, 3, 3, 2), {}),
    ((1, 3, 7, 9), (4, 3, 1, 1), {}),
    ((3, 2, 9, 6), (5, 2, 3, 3), dict(stride=2, padding=1)),
    ((3, 2, 9, 6), (5, 2, 2, 3), dict(stride=(3, 1), padding=(0, 2))),
    ((2, 2, 9, 8), (3, 2, 3, 2), dict(dilation=2)),
    ((2, 2, 9, 8), (3, 2, 3, 2), dict(dilation=(2, 3), stride=(1, 2), padding=(3, 1))),
    ((2, 2, 9, 8), (3, 2, 4, 3), dict(padding="same")),
    ((2, 2, 9, 8), (3, 2, 4, 3), dict(padding="same", dilation=(1, 2))),
    ((2, 2, 9, 8), (3, 2, 4, 3), dict(padding="valid", stride=2)),
    ((2, 4, 6, 6), (6, 2, 3, 3), dict(groups=2, padding=1)),
    ((2, 4, 6, 6), (8, 1, 3, 3), dict(groups=4, stride=2)),
    ((2, 4, 5, 5), (3, 4, 5, 5), {}),
    ((2, 1, 2, 2), (1, 1, 3, 3), dict(padding=5)),
    ((70, 8, 12, 12), (4, 8, 3, 3), dict(padding=1)),  # more than one block
]
IDS = [f"{x}-{w}-{o}" for x, w, o in CONVOLUTIONS]
convolutions = pytest.mark.parametrize(("images", "filters", "options"), CONVOLUTIONS, ids=IDS)


def drawn(images, filters, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=s).astype(dtype) for s in (images, filters, filters[:1]))


def by_sums(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The definition, one window at a time."""
    stride, dilation = np.broadcast_to(stride, 2), np.broadcast_to(dilation, 2)
    if padding == "same":
        whole = dilation * (np.array(weight.shape[2:]) - 1)
        around = [(n // 2, n - n // 2) for n in whole]
    else:
        padding = np.broadcast_to(0 if padding == "valid" else padding, 2)
        around = [(n, n) for n in padding]
    x = np.pad(x, [(0, 0), (0, 0), *around])
    h, w = weight.shape[2:]
    rows = (x.shape[2] - dilation[0] * (h - 1) - 1) // stride[0] + 1
    columns = (x.shape[3] - dilation[1] * (w - 1) - 1) // stride[1] + 1
    out = np.empty((len(x), len(weight), rows, columns))
    of_group, filters = weight.shape[1], len(weight) // groups
    for o, i, j in itertools.product(range(len(weight)), range(rows), range(columns)):
        group = o // filters
        top, left = i * stride[0], j * stride[1]
        window = x[
            :, group * of_group : (group + 1) * of_group,
            top : top + dilation[0] * h : dilation[0], left : left + dilation[1] * w : dilation[1],
        ]  # fmt: skip
        out[:, o, i, j] = np.sum(window[:, :, :h, :w] * weight[o], axis=(1, 2, 3)) + bias[o]
    return out


@convolutions
def test_values_are_the_sums(images, filters, options):
    x, weight, bias = drawn(images, filters)
    want = by_sums(x, weight, bias, **options)
    np.testing.assert_allclose(conv2d(x, weight, bias, **options), want, rtol=0, atol=1e-11)
    without = conv2d(x, weight, **options)
    np.testing.assert_allclose(without, want - bias[:, None, None], rtol=0, atol=1e-11)


@convolutions
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_as_in_torch(images, filters, options, dtype):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    args = drawn(images, filters, dtype)
    tensors = [torch.tensor(a, requires_grad=True) for a in args]
    theirs = torch.nn.functional.conv2d(*tensors, **options)
    ours, pullback = ad.vjp(lambda x, w, b: conv2d(x, w, b, **options), *args)
    assert ours.dtype == dtype
    near = dict(rtol=1e-4, atol=2e-3) if dtype == np.float32 else dict(rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(ours, theirs.detach(), **near)
    cotangent = np.random.default_rng(1).normal(size=ours.shape).astype(dtype)
    theirs.backward(torch.tensor(cotangent))
    for found, tensor in zip(pullback(cotangent), tensors):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, tensor.grad, **near)


@pytest.mark.parametrize("number", [1, 3, 4, 6, 8, 10, 13])
def test_derivatives(number):
    images, filters, options = CONVOLUTIONS[number]

    def f(x, weight, bias):
        return np.sum(conv2d(x, weight, bias, **options) ** 3)

    x, weight, bias = drawn(images, filters)
    check_grads(f, (x, weight / 3, bias), order=2)


def test_input_gradient_is_left_out_where_nobody_asks():
    def f(weight, x):
        return np.sum(conv2d(x, weight, padding=1) ** 2)

    x, weight, _ = drawn((2, 2, 5, 5), (3, 2, 3, 3))
    assert "conv2d_input" not in ad.source(f, weight, x)
    assert "conv2d_weight" in ad.source(f, weight, x)


def test_a_derivative_serves_other_sizes():
    def f(x, weight, bias):
        return np.sum(conv2d(x, weight, bias, padding=1) ** 2)

    gradient = ad.grad(f, argnums=(0, 1, 2))
    for images, filters in [
        ((2, 3, 6, 6), (4, 3, 3, 3)), ((5, 3, 8, 7), (4, 3, 3, 3)), ((1, 1, 1, 1), (1, 1, 1, 1)),
        ((4, 4, 4, 4), (4, 4, 4, 4)), ((3, 2, 3, 5), (1, 2, 3, 1)), ((0, 2, 3, 5), (1, 2, 3, 1)),
    ]:  # fmt: skip
        args = drawn(images, filters)
        found = gradient(*args)
        d = 2 * conv2d(*args, padding=1)
        want = (
            conv2d_input(images, args[1], d, padding=1),
            conv2d_weight(args[0], filters, d, padding=1),
            d.sum(axis=(0, 2, 3)),
        )
        for a, b in zip(found, want):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


def test_of_no_images():
    x, weight, bias = np.ones((0, 2, 5, 5)), np.ones((3, 2, 3, 3)), np.ones(3)
    assert conv2d(x, weight, bias).shape == (0, 3, 3, 3)
    value, pullback = ad.vjp(conv2d, x, weight, bias)
    found = pullback(np.ones((0, 3, 3, 3)))
    assert [d.shape for d in found] == [x.shape, weight.shape, bias.shape]
    assert not found[1].any() and not found[2].any()


def test_arrays_that_are_not_contiguous():
    x, weight, bias = drawn((5, 3, 8, 7), (4, 3, 3, 2))
    others = (
        np.ascontiguousarray(x.transpose(3, 2, 1, 0)).transpose(3, 2, 1, 0),
        np.repeat(weight, 2, axis=3)[..., ::2],
        np.repeat(bias, 3)[::3],
    )
    want, pullback = ad.vjp(conv2d, x, weight, bias)
    got, theirs = ad.vjp(conv2d, *others)
    np.testing.assert_allclose(got, want, atol=1e-12)
    d = np.random.default_rng(0).normal(size=want.shape)
    for a, b in zip(theirs(np.asfortranarray(d)[:, :, :, :]), pullback(d)):
        np.testing.assert_allclose(a, b, atol=1e-11)
    reversed_images = conv2d(x[::-1, :, ::-1], weight)
    np.testing.assert_allclose(reversed_images, conv2d(x[::-1, :, ::-1].copy(), weight), atol=1e-12)


def test_dtypes_together():
    x, weight, bias = drawn((2, 3, 6, 6), (4, 3, 3, 3), np.float32)
    assert conv2d(x, weight, bias.astype(np.float64)).dtype == np.float64
    assert conv2d(x, weight.astype(np.float64)).dtype == np.float64

    def f(x, weight):
        return np.sum(conv2d(x, weight))

    d_x, d_weight = ad.grad(f, argnums=(0, 1))(x, weight.astype(np.float64))
    assert (d_x.dtype, d_weight.dtype) == (np.float32, np.float64)


def test_arguments_stay_as_they_are():
    args = drawn((2, 3, 6, 6), (4, 3, 3, 3))
    before = [a.copy() for a in args]
    value, pullback = ad.vjp(conv2d, *args)
    pullback(value)
    for a, b in zip(args, before):
        np.testing.assert_array_equal(a, b)


def test_threads_share_nothing():
    gradient = ad.grad(lambda w, x: np.sum(conv2d(x, w, padding=1) ** 2))
    weight = drawn((1, 3, 3, 3), (4, 3, 3, 3))[1]
    inputs = [drawn((n, 3, 9, 9), (4, 3, 3, 3), seed=n)[0] for n in range(1, 13)]
    want = [gradient(weight, x) for x in inputs]
    with ThreadPoolExecutor(6) as pool:
        for _ in range(5):
            for a, b in zip(pool.map(lambda x: gradient(weight, x), inputs), want):
                np.testing.assert_array_equal(a, b)


X = np.ones((2, 4, 6, 6))
REFUSED = [
    (lambda: conv2d(X[0], np.ones((3, 4, 3, 3))), r"x of shape \(N, C, H, W\); got \(4, 6, 6\)"),
    (lambda: conv2d(X, np.ones((3, 3, 3, 3))), r"weight of shape \(O, 4, h, w\).*got \(3, 3, 3"),
    (lambda: conv2d(X, np.ones((4, 3, 3))), r"weight of shape \(O, 4, h, w\).*got \(4, 3, 3\)"),
    (lambda: conv2d(X, np.ones((3, 2, 3, 3)), groups=2), r"O divisible by groups=2.*got \(3, 2"),
    (lambda: conv2d(X, np.ones((3, 4, 3, 3)), groups=3), "groups that divide the 4 channels"),
    (lambda: conv2d(X, np.ones((3, 4, 3, 3)), groups=0), "groups=0"),
    (lambda: conv2d(X, np.ones((3, 4, 3, 3)), np.ones(4)), r"bias of shape \(3,\).*got \(4,\)"),
    (lambda: conv2d(X, np.ones((3, 4, 7, 3))), r"at least \(7, 3\) rows and columns.*\(2, 4, 6, 6"),
    (lambda: conv2d(X, np.ones((3, 4, 3, 3)), stride=0), "stride of 1 or more; got 0"),
    (lambda: conv2d(X, np.ones((3, 4, 3, 3)), stride=(1, 2, 3)), "stride is an int or two"),
    (lambda: conv2d(X, np.ones((3, 4, 3, 3)), stride=1.5), "stride is an int or two, not 1.5"),
    (lambda: conv2d(X, np.ones((3, 4, 3, 3)), padding=-1), "padding of 0 or more; got -1"),
    (lambda: conv2d(X, np.ones((3, 4, 3, 3)), padding="full"), 'is "same", "valid" or numbers'),
    (lambda: conv2d(X, np.ones((3, 4, 3, 3)), padding="same", stride=2), "is for stride=1"),
    (lambda: conv2d(X, np.ones((3, 4, 3, 3)), dilation=0), "dilation of 1 or more"),
    (lambda: conv2d_input((2, 4, 6, 6), np.ones((3, 4, 3, 3)), X), r"shape \(2, 3, 4, 4\).*got"),
    (lambda: conv2d_weight(X, (3, 4, 3, 3), X), r"grad_output of shape \(2, 3, 4, 4\)"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert str(caught.value).startswith("conv2d")


def test_refused_within_a_derivative():
    with pytest.raises(ValueError, match="conv2d: expected weight"):
        ad.grad(lambda w: np.sum(conv2d(X, w)))(np.ones((3, 3, 3, 3)))


def test_plain_derivatives_import_no_networks():
    code = (
        "import sys, numpy as np, adjoint as ad; ad.grad(np.sum)(np.ones(3)); "
        "sys.exit(any(m.startswith(('adjoint.nn', 'numba')) for m in sys.modules))"
    )
    there = str(Path(ad.__file__).parents[1])
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": there}
    )
