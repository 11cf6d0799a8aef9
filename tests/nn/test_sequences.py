"""All steps of a long short-term memory: the forms agree with the steps written out."""

import numpy as np
import pytest

import adjoint as ad
import adjoint.nn.functional as F
from adjoint import forms, nn
from adjoint.nn import kernels
from adjoint.nn.functional.sequences import (
    lstm_steps,
    lstm_steps_backward,
    lstm_steps_written_out,
)
from adjoint.testing import check_grads


def operands(dtype, steps=4, samples=3, size=5):
    rng = np.random.default_rng(0)
    shapes = (steps, samples, 4 * size), (samples, size), (samples, size), (4 * size, size)
    inputs, h, c, w = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    return [inputs, h, c, w / np.sqrt(size).astype(dtype)]


def cotangents(dtype, steps=4, samples=3, size=5):
    rng = np.random.default_rng(1)
    shapes = (steps, samples, size), (samples, size), (samples, size)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def tolerance(dtype):
    return dict(rtol=1e-5, atol=3e-6) if dtype == np.float32 else dict(rtol=1e-11, atol=1e-14)


# Blocks of the compiled form are of 16 samples for a size of 64, and of 32 for one of 45.
SIZES = [(4, 3, 5), (1, 1, 1), (0, 2, 3), (3, 0, 2), (3, 33, 64), (2, 40, 45), (2, 3, 100)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", SIZES)
def test_all_steps_are_one_after_the_other(form, sizes, dtype):
    given = operands(dtype, *sizes)
    found = lstm_steps(*given)
    for got, want in zip(found[:3], lstm_steps_written_out(*given)):
        np.testing.assert_allclose(got, want, **tolerance(dtype))
        assert got.dtype == dtype
        assert not any(np.shares_memory(got, x) for x in given)
    assert not np.shares_memory(found[0], found[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("arrange", [lambda x: x, np.asfortranarray, lambda x: x[::-1][::-1]])
def test_the_transpose_is_that_of_the_steps_written_out(form, sizes, dtype, arrange):
    given = [arrange(x) for x in operands(dtype, *sizes)]
    d_given = [arrange(d) for d in cotangents(dtype, *sizes)]
    copies = [x.copy() for x in (*given, *d_given)]
    _, _, _, memories, gates = lstm_steps(*given)
    found = lstm_steps_backward(gates, memories, *given[2:], *d_given)
    _, pullback = ad.vjp(lambda *given: lstm_steps_written_out(*given)[:3], *given)
    for got, want in zip(found, pullback(tuple(d_given))):
        np.testing.assert_allclose(got, want, **tolerance(dtype))
        assert got.dtype == dtype
        assert not any(np.shares_memory(got, x) for x in (*given, *d_given))
    for x, copy in zip((*given, *d_given), copies):
        np.testing.assert_array_equal(x, copy)


def test_without_scipy_the_steps_are_taken_one_by_one(monkeypatch):
    pytest.importorskip("numba", reason="Numba is not installed")
    from adjoint.nn.kernels import numba_sequences

    given = operands(np.float32)
    d_given = cotangents(np.float32)
    monkeypatch.setattr(kernels, "form", "numba")
    compiled = lstm_steps(*given)
    d_compiled = lstm_steps_backward(compiled[4], compiled[3], *given[2:], *d_given)
    monkeypatch.setattr(numba_sequences, "_has_blas", lambda: False)
    by_step = lstm_steps(*given)
    d_by_step = lstm_steps_backward(by_step[4], by_step[3], *given[2:], *d_given)
    for got, want in zip((*compiled, *d_compiled), (*by_step, *d_by_step)):
        np.testing.assert_allclose(got, want, **tolerance(np.float32))


def test_arrays_of_several_dtypes(form):
    inputs, h, c, w = operands(np.float64)
    found = lstm_steps(inputs.astype(np.float32), h, c, w)
    for got, want in zip(found, lstm_steps(inputs, h, c, w)):
        np.testing.assert_allclose(got, want, atol=1e-6)
        assert got.dtype == np.float64


def test_tanh_in_single_precision():
    pytest.importorskip("numba", reason="Numba is not installed")
    from adjoint.nn.kernels import compiled_sequences

    x = np.concatenate((np.linspace(-12, 12, 100_001), np.geomspace(1e-30, 1, 10_001)))
    x = np.float32([*x, np.inf, -np.inf, 0.0])[None]
    found = np.empty_like(x)
    compiled_sequences._tanh(x, found)
    expected = np.tanh(x.astype(np.float64))
    np.testing.assert_allclose(found, expected, rtol=3.6e-7)
    assert np.all(np.abs(found) <= 1)
    np.testing.assert_array_equal(found[np.abs(x) > 9.1], np.sign(x[np.abs(x) > 9.1]))
    compiled_sequences._tanh(np.full((1, 1), np.nan, np.float32), found)
    assert np.isnan(found[0, 0])


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        (((2, 3, 8), (3, 2), (3, 2), (8, 3)), r"w_hh of \(4 \* size, size\); got .* \(8, 3\)"),
        (((2, 3, 9), (3, 2), (3, 2), (8, 2)), r"lstm_steps: .* got \(2, 3, 9\)"),
        (((3, 8), (3, 2), (3, 2), (8, 2)), r"of shape \(T, N, 4 \* size\)"),
        (((2, 3, 8), (3, 2), (4, 2), (8, 2)), r"h and c of \(N, size\)"),
        (((2, 3, 8), (2,), (2,), (8, 2)), r"h and c of \(N, size\)"),
    ],
)
def test_other_shapes_are_refused(form, shapes, text):
    with pytest.raises(ValueError, match=text):
        lstm_steps(*map(np.ones, shapes))


@pytest.mark.parametrize("changed", range(7))
def test_the_transpose_refuses_other_shapes(form, changed):
    given = operands(np.float64)
    _, _, _, memories, gates = lstm_steps(*given)
    arrays = [gates, memories, *given[2:], *cotangents(np.float64)]
    arrays[changed] = arrays[changed][..., :1]
    with pytest.raises(ValueError, match="lstm_steps_backward: expected"):
        lstm_steps_backward(*arrays)


# -- derivatives ----------------------------------------------------------------------------


def loss(inputs, h, c, w_hh):
    outputs, h, c, _, _ = lstm_steps(inputs, h, c, w_hh)
    return np.sum(outputs**3) + np.sum(np.sin(h)) + np.sum(c**2)


def slope(inputs, h, c, w_hh):
    d_inputs, d_h, d_c, d_w = ad.grad(loss, argnums=(0, 1, 2, 3))(inputs, h, c, w_hh)
    return np.sum(d_inputs**2) + np.sum(d_h**3) + np.sum(d_c * c) + np.sum(d_w**2)


@pytest.mark.parametrize("f", [loss, slope])
@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("used", ["typed", "recorded"])
def test_derivatives(form, f, mode, used):
    with forms.only(used):
        check_grads(f, operands(np.float64, 3, 2, 2), modes=(mode,))


def test_second_derivatives_go_through_the_steps_written_out():
    given = operands(np.float64)
    gradient = ad.grad(loss)
    assert "lstm_steps_backward(" in ad.source(gradient, *given)
    for source in (ad.source(slope, *given), ad.source(loss, *given, mode="forward")):
        assert "lstm_steps" not in source and "lstm_cell(" in source


def changed_later(inputs, w_hh):
    c = np.ones_like(inputs[0, :, :2])
    outputs, h, c, _, _ = lstm_steps(inputs, c, c, w_hh)
    outputs *= 2.0
    h *= h
    inputs *= 3.0
    return np.sum(outputs**2) + np.sum(h) + np.sum(c) + np.sum(inputs**2)


@pytest.mark.parametrize("used", ["typed", "recorded"])
def test_what_is_changed_later_is_kept_before(used):
    inputs, _, _, w_hh = operands(np.float64, 3, 2, 2)
    with forms.only(used):
        check_grads(changed_later, (inputs, w_hh))


def reads_outputs(net, x):
    return np.sum(np.sin(net(x)[0]))


def reads_h(net, x):
    return np.sum(np.sin(net(x)[1][0]))


def reads_c(net, x):
    return np.sum(np.sin(net(x)[1][1]))


def reads_all(net, x):
    outputs, (h, c) = net(x)
    return np.sum(np.sin(outputs)) + np.sum(h * c)


@pytest.mark.parametrize("f", [reads_outputs, reads_h, reads_c, reads_all])
def test_each_result_of_a_layer(form, f):
    """What is read of a layer decides which cotangents there are."""
    net = nn.LSTM(2, 3, dtype=np.float64, generator=np.random.default_rng(0))
    with forms.only("typed"):
        check_grads(f, (net, np.random.default_rng(1).standard_normal((4, 2, 2))))


def test_one_product_gathers_the_cotangent_of_the_weights():
    net = nn.LSTM(2, 3, generator=np.random.default_rng(0))
    source = ad.source(lambda net, x: np.sum(net(x)[0] ** 2), net, np.ones((4, 2, 2), np.float32))
    assert "for " not in source
    assert source.count("lstm_steps_backward(gates, memories, ") == 1


def test_sequence_without_steps(form):
    state = np.ones((2, 3))
    w_ih, w_hh = np.ones((12, 2)), np.ones((12, 3))
    outputs, h, c = F.lstm_sequence(np.ones((0, 2, 2)), state, state, w_ih, w_hh, None, None)
    assert outputs.shape == (0, 2, 3)
    np.testing.assert_array_equal(h, state)
    np.testing.assert_array_equal(c, state)
