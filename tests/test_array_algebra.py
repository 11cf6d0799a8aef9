"""What the backward sweep computes of products and quotients of arrays, and how often."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import testing

X, Y = np.linspace(0.3, 1.3, 6).reshape(2, 3), np.linspace(0.5, 1.7, 6).reshape(2, 3)


def backward(fn, *args, argnums=(0, 1)):
    """The lines of the derivative, checked against differences."""
    testing.check_grads(fn, args, order=2)
    return [line.strip() for line in ad.source(fn, *args, argnums=argnums).splitlines()]


def operations(text, sign):
    lines = [line for line in text if not line.startswith("#")]
    return sum(line.count(f" {sign} ") + line.count(f" {sign}= ") for line in lines)


def test_cotangent_of_a_numerator_serves_the_denominator():
    def loss(x, y):
        z = x / y
        return np.sum(z * np.sin(z))

    text = backward(loss, X, Y)
    assert operations(text, "/") == 2
    assert any("d_y = -(d_x * z)" in line for line in text)


def test_broadcast_quotient():
    def loss(x, y):
        z = x / y[:1]
        return np.sum(z * np.sin(z)) + np.sum(x[:, :1] / y)

    backward(loss, X, Y)


def test_complex_quotient():
    def loss(x, y):
        z = (x + 1j * y) / (y - 0.5j * x)
        w = 1 / (x * 1j + y)
        return np.sum(np.abs(z) ** 2) + np.sum((z * w * w).real)

    backward(loss, X, Y)


def test_derivative_of_a_reciprocal_is_its_square():
    def loss(x, y):
        p = 1 / (1 + np.exp(-x))
        return np.sum(p * y)

    text = backward(loss, X, Y)
    assert operations(text, "/") == 1
    assert any("p * p" in line for line in text)


def test_reciprocal_that_is_changed_in_place():
    def loss(x, y):
        q = x * y
        p = 1 / q
        s = np.sum(p * x)
        p *= 2.0
        p[0] = 1.0
        return s + np.sum(p * p * y)

    backward(loss, X, Y)


def test_denominator_that_is_changed_in_place():
    def loss(x, y):
        q = x * y
        p = 1 / q
        z = x / q
        q += 1.0
        return np.sum(p * q) + np.sum(z * z * q)

    backward(loss, X, Y)


def test_equal_terms_are_counted():
    def loss(x, y):
        return np.sum(np.sin(0.3 * x * x) * y)

    text = backward(loss, X, Y, argnums=0)
    assert sum(line.count("2 *") + line.count("*= 2") for line in text) == 1
    assert sum(line.count("0.3") for line in text if not line.startswith("#")) == 1


def cubic(x, y):
    return np.sum(np.sin(0.3 * x * x * x) * y)


def products_of_two(x, y):
    return np.sum(0.5 * x * y * x * y)


def terms_that_cancel(x, y):
    return np.sum(np.sin(2.0 * x * y - x * 2.0 * y) * y + x * y)


def named_factors(x, y):
    c = 0.3 * x
    return np.sum(np.cos(c * x) * y + c * y * x)


def over_axes(x, y):
    return np.sum(0.3 * x[:1] * x[:1] * y) + np.sum(0.5 * x * x[:, :1] * y)


@pytest.mark.parametrize(
    "fn", [cubic, products_of_two, terms_that_cancel, named_factors, over_axes]
)
def test_sums_of_products(fn):
    backward(fn, X, Y)


def test_product_with_a_changed_factor_is_not_shared():
    def loss(x, y):
        a = np.sin(x)
        p = a * y
        a += 1.0
        return np.sum(p * a) + np.sum(y * a * p)

    backward(loss, X, Y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_overflows_and_is_not_selected_leaves_no_nan(dtype):
    def huber(x, y):
        square = 0.5 * x * x
        return np.sum(np.where(np.abs(x) < 1, square, np.abs(x)) * y)

    def by_exp(x, y):
        tail = x * np.exp(x)
        return np.sum(np.where(x < 1, tail, x) * y)

    outlier = dtype(np.finfo(dtype).max ** 0.6)
    x, y = np.array([0.5, outlier], dtype), np.ones(2, dtype)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(ad.grad(huber)(x, y), [0.5, 1])
        edge = dtype(np.log(np.finfo(dtype).max) * 0.999)
        x = np.array([0.5, edge], dtype)
        np.testing.assert_allclose(ad.grad(by_exp)(x, y), [1.5 * np.exp(dtype(0.5)), 1], rtol=1e-5)
