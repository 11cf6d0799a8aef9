"""When the recorded form is used, and what it says of itself."""

import linecache
import traceback

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms
from adjoint.lower import aliases


def caught(x):
    try:
        return 1.0 / x
    except ZeroDivisionError:
        return 3.0 * x


def test_it_serves_where_the_compiler_refuses():
    with forms.only("typed"), pytest.raises(ad.UnsupportedSyntaxError, match="`try`"):
        ad.grad(caught)(2.0)
    assert ad.grad(caught)(2.0) == -0.25
    assert ad.grad(caught)(0.0) == 3.0
    assert ad.value_and_grad(caught)(0.0) == (0.0, 3.0)
    value, pullback = ad.vjp(caught, 2.0)
    assert (value, pullback(4.0), pullback(8.0)) == (0.5, (-1.0,), (-2.0,))
    assert ad.jvp(caught, (2.0,), (3.0,)) == (0.5, -0.75)


def test_compiled_code_is_preferred():
    assert "record" not in ad.source(lambda x: x * x, 2.0)
    assert "record.truediv(1.0, x)" in ad.source(caught, 2.0)


def test_it_serves_where_aliases_take_too_long_to_find(monkeypatch):
    def f(x):
        xs = [x, x * 2.0]
        for _ in range(2):
            xs[0], xs[1] = xs[1], xs[0] * 3.0
            xs.append(xs[0])
        return np.sum(xs[0] * xs[1])

    expected = ad.grad(f)(np.array([1.0, 2.0]))
    monkeypatch.setattr(aliases, "_MOST", 0)
    with forms.only("typed"), pytest.raises(ad.UnsupportedSyntaxError, match="too long to find"):
        ad.grad(f)(np.array([1.0, 2.0]))
    np.testing.assert_allclose(ad.grad(f)(np.array([1.0, 2.0])), expected)


def swallows(x):
    try:
        return np.linalg.eig(x)[0][0]
    except Exception:
        return 0.0


def test_a_refusal_is_not_swallowed_by_the_function():
    with pytest.raises(ad.NoDerivativeError, match="eig"):
        ad.grad(swallows)(np.eye(2))


def test_errors_of_the_function_show_its_own_lines():
    def fails(x):
        try:
            return x[5]
        finally:
            x[0] = 0.0

    with pytest.raises(IndexError) as raised:
        ad.grad(fails)(np.ones(3))
    lines = [f.line for f in traceback.extract_tb(raised.value.__traceback__)]
    assert "return x[5]" in lines


def test_refusals_name_the_line():
    def f(x):
        try:
            y = eval("x * x")
        finally:
            pass
        return y

    with pytest.raises(ad.UnsupportedSyntaxError) as raised:
        ad.grad(f)(2.0)
    assert linecache.getline(__file__, raised.value.origin.line).strip() == 'y = eval("x * x")'


def test_argument_that_is_also_a_constant():
    # The literal and the argument are one object, as constants of one file are.
    argument = 1.5

    def f(x):
        try:
            return x * 1.5
        finally:
            pass

    assert ad.grad(f)(argument) == 1.5


def test_argument_that_is_also_a_global_array():
    def f(x):
        try:
            return np.sum(x * WEIGHTS)
        finally:
            pass

    np.testing.assert_array_equal(ad.grad(f)(WEIGHTS), WEIGHTS)


WEIGHTS = np.array([1.0, 2.0, 3.0])


def test_effects_on_arguments_happen_once():
    def f(x, log):
        try:
            x[0] *= 2
            log.append(float(x[0]))
            return np.sum(x * x)
        finally:
            pass

    x, log = np.array([3.0, 4.0]), []
    np.testing.assert_array_equal(ad.grad(f)(x, log), [24.0, 8.0])
    np.testing.assert_array_equal(x, [6.0, 4.0])
    assert log == [6.0]


def test_a_pullback_is_not_disturbed_by_later_changes():
    def f(x, a):
        try:
            return a * x * x
        finally:
            pass

    x, a = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    _, pullback = ad.vjp(f, x, a)
    x[:] = a[:] = 0.0
    for _ in range(2):
        d_x, d_a = pullback(np.ones(2))
        np.testing.assert_array_equal(d_x, [6.0, 16.0])
        np.testing.assert_array_equal(d_a, [1.0, 4.0])


def test_arguments_that_share_memory():
    def changed(x, y):
        try:
            x[0] = 0.0
            return np.sum(x * y)
        finally:
            pass

    def only_read(x, y):
        try:
            return np.sum(x * y)
        finally:
            pass

    x = np.array([1.0, 2.0])
    with pytest.raises(ad.AliasingError, match="shares memory"):
        ad.grad(changed)(x, x)
    np.testing.assert_array_equal(ad.grad(only_read)(x, x), x)


@pytest.mark.parametrize("argnums", [0, 1, (0, 1)])
def test_containers_keep_their_structure(argnums):
    def f(params, x):
        try:
            return np.sum(params["w"] * x["a"][0]) * params["b"]
        finally:
            pass

    params = {"w": np.ones(2), "b": 2, "name": "n"}
    x = {"a": (np.array([1.0, 2.0]), None)}
    d_params = {"w": np.array([2.0, 4.0]), "b": 3.0, "name": None}
    d_x = {"a": (np.array([2.0, 2.0]), None)}
    want = {0: d_params, 1: d_x, (0, 1): (d_params, d_x)}[argnums]
    np.testing.assert_equal(ad.grad(f, argnums=argnums)(params, x), want)
