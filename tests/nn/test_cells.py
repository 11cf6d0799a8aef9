"""The step of a long short-term memory: its forms agree, it refuses other shapes, and it closes."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms
from adjoint.nn.functional.cells import lstm_cell, lstm_cell_backward
from adjoint.testing import check_grads

SHAPES = {"inputs": (3, 20), "hidden": (3, 20), "c": (3, 5)}


def operands(dtype, *shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_is_what_the_equations_say(form, dtype):
    inputs, hidden, c = operands(dtype, *SHAPES.values())
    h, next_c, gates = lstm_cell(inputs, hidden, c)
    i, f, g, o = np.split(inputs + hidden, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    tolerance = dict(rtol=1e-5, atol=1e-6) if dtype == np.float32 else {}
    np.testing.assert_allclose(gates, np.concatenate((i, f, g, o), axis=1), **tolerance)
    np.testing.assert_allclose(next_c, f * c + i * g, **tolerance)
    np.testing.assert_allclose(h, o * np.tanh(f * c + i * g), **tolerance)
    assert {h.dtype, next_c.dtype, gates.dtype} == {np.dtype(dtype)}


def test_no_operand_is_changed(form):
    given = operands(np.float64, *SHAPES.values())
    copies = [each.copy() for each in given]
    h, next_c, gates = lstm_cell(*given)
    lstm_cell_backward(gates, given[2], next_c, h, h)
    for each, copy in zip(given, copies):
        np.testing.assert_array_equal(each, copy)


@pytest.mark.parametrize("arrange", [lambda x: x, np.asfortranarray, lambda x: x[::-1][::-1]])
def test_the_transpose_is_that_of_the_derivative(form, arrange):
    """<lstm_cell_backward(d), t> is <d, jvp(t)>, whatever the arrays look like in memory."""
    given = [arrange(x) for x in operands(np.float64, *SHAPES.values())]
    tangents = operands(np.float64, *SHAPES.values())[::-1]
    tangents = [np.resize(t, x.shape) for t, x in zip(tangents, given)]
    h, next_c, gates = lstm_cell(*given)
    d_h, d_next_c = operands(np.float64, h.shape, h.shape)
    d_gates, d_c = lstm_cell_backward(gates, given[2], next_c, arrange(d_h), arrange(d_next_c))
    step = 1e-6
    ahead = lstm_cell(*[x + step * t for x, t in zip(given, tangents)])
    behind = lstm_cell(*[x - step * t for x, t in zip(given, tangents)])
    along = [(a - b) / (2 * step) for a, b in zip(ahead, behind)]
    want = np.sum(d_h * along[0]) + np.sum(d_next_c * along[1])
    got = np.sum(d_gates * (tangents[0] + tangents[1])) + np.sum(d_c * tangents[2])
    np.testing.assert_allclose(got, want, rtol=1e-7)


def test_arrays_of_several_dtypes(form):
    inputs, hidden, c = operands(np.float64, *SHAPES.values())
    whole = np.ones_like(c, dtype=np.int64)
    expected = lstm_cell(inputs, hidden, whole.astype(float))
    for got, want in zip(lstm_cell(inputs, hidden, whole), expected):
        np.testing.assert_allclose(got, want)
    single = lstm_cell(inputs.astype(np.float32), hidden, c)
    np.testing.assert_allclose(single[0], lstm_cell(inputs, hidden, c)[0], atol=1e-6)
    assert single[0].dtype == np.float64


@pytest.mark.parametrize("n", [0, 1])
def test_few_samples(form, n):
    h, c, gates = lstm_cell(np.ones((n, 4)), np.ones((n, 4)), np.ones((n, 1)))
    assert h.shape == c.shape == (n, 1) and gates.shape == (n, 4)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x, c: lstm_cell(x, x[:1], c), r"lstm_cell: expected gates of shape \(3, 20\)"),
        (lambda x, c: lstm_cell(x[:, :15], x[:, :15], c), r"got \(3, 15\)"),
        (lambda x, c: lstm_cell(x, x, c[0]), r"expected c of shape \(N, size\); got \(5,\)"),
        (lambda x, c: lstm_cell_backward(x, c, c, c[:2], c), r"\(3, 5\); got \(2, 5\)"),
        (lambda x, c: lstm_cell_backward(x[:2], c, c, c, c), r"\(3, 20\) for c of shape \(3, 5\)"),
    ],
)
def test_other_shapes_are_refused(form, call, text):
    with pytest.raises(ValueError, match=text):
        call(np.ones((3, 20)), np.ones((3, 5)))


X = np.random.default_rng(1).standard_normal((4, 2, 2))


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_derivatives_up_to_the_third(form, mode):
    def loss(w_ih, w_hh):
        h = c = np.zeros((2, 3))
        total = 0.0
        for x in X:
            h, c, _ = lstm_cell(x @ w_ih.T, h @ w_hh.T, c)
            total += np.sum(h**2)
        return total

    def slope(w_ih, w_hh):
        d_ih, d_hh = ad.grad(loss, argnums=(0, 1))(w_ih, w_hh)
        return np.sum(d_ih**3) + np.sum(d_hh**3)

    def bend(w_ih, w_hh):
        return np.sum(ad.grad(slope, argnums=1)(w_ih, w_hh) ** 2)

    weights = tuple(operands(np.float64, (12, 2), (12, 3)))
    for f in (loss, slope, bend):
        check_grads(f, weights, modes=(mode,))


def in_turn(inputs, c, w):
    h = np.zeros_like(c)
    for x in inputs:
        h, c, gates = lstm_cell(x, h @ w, c)
    return np.mean(h**2)


def test_the_derivative_keeps_the_gates_and_nothing_before_them():
    inputs, c, w = operands(np.float64, (3, 2, 8), (2, 2), (2, 8))
    source = ad.source(in_turn, inputs, c, w, argnums=2)
    assert "h_1, c_1, gates = lstm_cell(x, h @ w, c)" in source
    assert "tape.append((gates, c, h))" in source
    assert "np.split" not in source


def changed_later(inputs, c):
    h, next_c, gates = lstm_cell(inputs, 0.5 * inputs, c)
    next_c *= 3.0
    gates *= gates
    return np.sum(h * next_c) + np.sum(gates**2)


def test_results_that_are_changed_later_are_kept_before():
    given = operands(np.float64, (2, 8), (2, 2))
    with forms.only("typed"):
        check_grads(changed_later, given)
