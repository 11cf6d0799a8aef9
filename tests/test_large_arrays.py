"""Large arrays are released, and overwritten, when they are read for the last time.

Every array counts as large here. What is compared is the same derivative where none does.
"""

import copy
import re

import numpy as np
import pytest

import adjoint as ad
from adjoint import testing, types

X, Y = np.linspace(-1.2, 1.3, 12).reshape(4, 3), np.linspace(0.4, 1.7, 12).reshape(4, 3)


@pytest.fixture
def large(monkeypatch):
    monkeypatch.setattr(types, "_LARGE", 0)


def lines(source):
    return [line.strip() for line in source.splitlines()]


def check(fn, *args, argnums=(0, 1)):
    """Value and gradients, twice, next to those of a function of which nothing counts as large."""
    before = copy.deepcopy(args)
    derivative = ad.value_and_grad(fn, argnums)
    found = [derivative(*args), derivative(*args)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(types, "_LARGE", 1 << 40)
        expected = ad.value_and_grad(fn, argnums)(*args)
    for value, gradients in found:
        np.testing.assert_array_equal(value, expected[0])
        for mine, theirs in zip(gradients, expected[1], strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-13)
    for given, kept in zip(args, before, strict=True):
        np.testing.assert_array_equal(given, kept)
    testing.check_grads(fn, args, order=2)
    return lines(derivative.source)


# -- what is overwritten, and what is not ------------------------------------------------------


def test_square_of_an_array_that_dies(large):
    def loss(x, y):
        h = np.tanh(x @ y.T)
        return np.sum(h @ y)

    text = check(loss, X, Y)
    assert "h *= h" in text
    assert "d_h *= 1 - h" in text


def test_function_of_an_array_that_dies(large):
    def loss(x, y):
        total = x * y
        return np.sum(np.maximum(total, 0) * y)

    text = check(loss, X, Y)
    assert "total = np.sign(total)" in text
    assert "total *= 0.5" in text


def test_small_arrays_are_not_released():
    def loss(x, y):
        h = np.tanh(x * y)
        return np.sum(np.exp(h) * y)

    text = check(loss, X, Y)
    assert not any(line.startswith("del ") or line == "h *= h" for line in text)


def returns_it(x, y):
    h = np.tanh(x * y)
    return np.sum(h * y), h


@pytest.mark.parametrize("operator", [ad.grad, ad.value_and_grad])
def test_an_array_that_is_returned_keeps_its_value(large, operator):
    result = operator(returns_it, has_aux=True)(X, Y)
    aux = result[1] if operator is ad.grad else result[0][1]
    np.testing.assert_array_equal(aux, np.tanh(X * Y))


def through_a_view(x, y):
    h = np.tanh(x * y)
    t = h.T
    return np.sum(h * y) + np.sum(np.exp(t) * t)


def through_an_element(x, y):
    h = np.tanh(x * y)
    row = h[1]
    return np.sum(h * y) + np.sum(row * row * y[2])


def through_a_reshape(x, y):
    h = np.tanh(x * y)
    flat = h.reshape(-1)
    return np.sum(h * y) + flat @ flat


def through_conj(x, y):
    h = np.tanh(x * y)
    c = h.conj()  # h itself
    return np.sum(h * y) + np.sum(np.sin(c) * c)


def through_a_slice_that_is_kept(x, y):
    h = np.tanh(x * y)
    parts = [h[:2], h[2:]]
    return np.sum(h * y) + np.sum(parts[0] * parts[1] * parts[0])


def through_a_branch(x, y):
    h = np.tanh(x * y)
    g = h if np.sum(x) > 100 else np.exp(h)
    return np.sum(h * y) + np.sum(g * g)


def through_a_loop(x, y):
    h = np.tanh(x * y)
    total = np.sum(h * y)
    for i in range(3):
        total = total + np.sum(h[i] * y[i] ** 2)
    return total


def carried_by_a_loop(x, y):
    h = np.tanh(x * y)
    for _ in range(3):
        h = np.tanh(h * y) * h
    return np.sum(h)


def of_two_names(x, y):
    h = np.tanh(x * y)
    g = h
    return np.sum(h * y) + np.sum(g**3)


def in_two_orders(x, y):
    a, b = np.tanh(x), np.tanh(y)
    if np.sum(x) > 0:
        a, b = b, a
    return np.sum(a * a * b) + np.sum(np.sin(b))


def changed_in_place(x, y):
    h = np.tanh(x * y)
    s = np.sum(h * y)
    h += x
    h[0] = 0.0
    return s + np.sum(np.tanh(h) * h)


def changed_through_a_view(x, y):
    h = np.tanh(x * y)
    s = np.sum(h * y)
    row = h[1]
    row *= 2.0
    return s + np.sum(h * h * x)


def broadcast(x, y):
    h = np.tanh(x[:, :1])
    return np.sum(h * y) + np.sum(np.maximum(h, 0.1) * y)


def single_precision(x, y):
    h = np.tanh((x * y).astype(np.float32))
    return np.sum(h * y)


def whole_numbers(x, y):
    n = np.argsort(x, axis=0)
    return np.sum(x * n) + np.sum((n * n) * y)


def of_rank_0(x, y):
    h = np.tanh(np.sum(x))
    return np.sum(h * y) + h * h


def within_a_context(x, y):
    with np.errstate(all="ignore"):
        h = np.tanh(x * y)
        g = np.exp(h)
    return np.sum(g * h * y)


def with_a_helper(x, y):
    def layer(z):
        h = np.tanh(z)
        return np.maximum(h * y, 0) + h

    return np.sum(layer(layer(x)))


def by_recursion(x, y, n=3):
    if n == 0:
        return np.sum(np.tanh(x) * y)
    h = np.tanh(x * y)
    return by_recursion(h, y, n - 1) + np.sum(h * h)


def by_recursion_from_3(x, y):
    return by_recursion(x, y, 3)


@pytest.mark.parametrize(
    "fn",
    [
        through_a_view, through_an_element, through_a_reshape, through_conj,
        through_a_slice_that_is_kept, through_a_branch, through_a_loop, carried_by_a_loop,
        of_two_names, in_two_orders, changed_in_place, changed_through_a_view, broadcast,
        single_precision, whole_numbers, of_rank_0, within_a_context, with_a_helper,
        by_recursion_from_3,
    ],
)  # fmt: skip
def test_what_shares_its_memory(large, fn):
    if fn is single_precision:
        args = X.astype(np.float32), Y.astype(np.float32)
        value, gradients = ad.value_and_grad(fn, (0, 1))(*args)
        assert [g.dtype for g in gradients] == [np.float32] * 2
        exact = ad.grad(lambda x, y: np.sum(np.tanh(x * y) * y), (0, 1))(X, Y)
        for mine, theirs in zip(gradients, exact, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-5)
        return
    check(fn, X, Y)


def test_an_array_that_a_function_has_kept(large):
    seen = []

    def loss(x, y):
        h = np.tanh(x * y)
        seen.append(h)
        return np.sum(h * y)

    ad.grad(loss)(X, Y)
    np.testing.assert_array_equal(seen[0], np.tanh(X * Y))


def test_a_pullback_is_called_twice(large):
    def f(x, y):
        h = np.tanh(x * y)
        return np.maximum(h * y, 0.1) + h

    value, pullback = ad.vjp(f, X, Y)
    kept = value.copy()
    first = pullback(np.ones_like(value))
    assert all(map(np.array_equal, first, pullback(np.ones_like(value))))
    np.testing.assert_array_equal(value, kept)
    np.testing.assert_array_equal(value, f(X, Y))


def test_values_and_tangents(large):
    """A tangent between the steps overwrites nothing that a later step reads."""

    def f(x, y):
        h = np.tanh(x * y)
        return np.sum(np.sin(h)) + np.sum(np.maximum(h, 0) * h)

    value, tangent = ad.jvp(f, (X, Y), (Y, X))
    np.testing.assert_array_equal(value, f(X, Y))
    d_x, d_y = ad.grad(f, (0, 1))(X, Y)
    np.testing.assert_allclose(tangent, np.sum(d_x * Y) + np.sum(d_y * X))


def test_a_hook_sees_the_cotangent(large):
    seen = []

    def loss(x, y):
        h = np.tanh(x * y)
        h = ad.register_hook(h, lambda d: seen.append(d.copy()))
        return np.sum(h * h * y)

    d_x = ad.grad(loss)(X, Y)
    h = np.tanh(X * Y)
    np.testing.assert_allclose(seen[0], 2 * h * Y)
    np.testing.assert_allclose(d_x, 2 * h * Y * (1 - h * h) * Y)


def test_anomalies_are_found(large):
    def loss(x, y):
        h = np.tanh(x * y)
        return np.sum(np.sqrt(h) * y)

    with np.errstate(invalid="ignore"), ad.detect_anomaly(), pytest.raises(ad.AnomalyError):
        ad.grad(loss)(X, Y)
    with ad.detect_anomaly():
        ad.grad(loss)(np.abs(X) + 0.1, Y)


def test_an_exception_half_way(large):
    def loss(x, y, fail):
        h = np.tanh(x * y)
        with ad.insert_grad_of(h) as d_h:
            d_h = checked(d_h, fail)
        return np.sum(h * h * y)

    def checked(d, fail):
        if fail:
            raise ValueError("half way")
        return d

    derivative = ad.grad(loss)
    x = X.copy()
    expected = derivative(x, Y, False)
    with pytest.raises(ValueError, match="half way"):
        derivative(x, Y, True)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(derivative(x, Y, False), expected)


# -- what is released --------------------------------------------------------------------------


def test_arrays_are_released_after_their_last_use(large):
    def loss(x, y):
        a = np.exp(x)
        b = np.sin(a * y) / a
        return np.sum(b * b * x)

    text = check(loss, X, Y)
    released = [n for line in text if line.startswith("del ") for n in line[4:].split(", ")]
    assert {"b", "d_b"} <= set(released)
    assert len(set(released)) == len(released)
    for name in released:
        at = next(i for i, line in enumerate(text) if re.match(rf"del .*\b{name}\b", line))
        assert not any(re.search(rf"\b{name}\b", line) for line in text[at + 1 :])


def test_sizes_decide_by_the_example():
    def loss(x, y):
        h = np.tanh(x * y)
        g = np.tanh(h * x)
        return np.sum(g * g * y)

    big = np.ones((400, 100))
    small = ad.source(loss, X, Y)
    assert "del " not in small
    assert "del g" in ad.source(loss, big, big)
    derivative = ad.grad(loss)
    derivative(big, big)
    np.testing.assert_allclose(derivative(X, Y), ad.grad(loss)(X, Y))  # code of the large ones


@pytest.mark.parametrize("activation", [np.tanh, lambda z: np.maximum(z, 0)])
def test_peak_of_a_network(activation):
    import tracemalloc

    def loss(w, v, x):
        h = activation(x @ w)
        return np.sum(np.sin(h @ v))

    rng = np.random.default_rng(0)
    args = [rng.normal(size=s).astype(np.float32) for s in ((64, 512), (512, 10), (512, 64))]
    derivative = ad.grad(loss, (0, 1))
    derivative(*args)
    tracemalloc.start()
    try:
        derivative(*args)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        derivative(*args)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < 3.3 * 512 * 512 * 4  # three arrays of the size of h
