"""What the backward sweeps of loops record, and what they need not repeat."""

import functools

import numpy as np
import pytest

import adjoint as ad


def shown(fn, *args):
    return ad.source(fn, *args, argnums=tuple(range(2)))


def harvest(x, a, b, limit, steps):
    total = 0.0
    for _ in range(steps):
        if x < limit:
            x = x + b * a * x
        else:
            x = x - b * x * x
        total += x * x
    return total / steps


def test_a_record_holds_only_what_is_read():
    text = shown(harvest, 0.5, 1.1, 0.9, 0.7, 5)
    assert "tape.append(x)" in text
    assert "None" not in text


def test_what_iterations_do_not_change_is_computed_once():
    text = shown(harvest, 0.5, 1.1, 0.9, 0.7, 5)
    before, _, body = text.partition("in reversed(tape):")
    assert "= 2 * d_total" in before and "d_total" not in body
    assert "= b * a" in before.split("return")[-1]


def test_records_of_one_entry_keep_their_values():
    found = ad.grad(harvest, argnums=(0, 1))(0.5, 1.1, 0.9, 0.7, 6)
    step = 1e-6
    for i, each in enumerate(found):
        args = [0.5, 1.1]
        args[i] += step
        high = harvest(*args, 0.9, 0.7, 6)
        args[i] -= 2 * step
        assert each == pytest.approx((high - harvest(*args, 0.9, 0.7, 6)) / (2 * step), rel=1e-6)


def test_a_value_that_only_some_iterations_have_is_not_computed_early():
    """p is None in the record of an iteration of the outer loop that did not set it."""

    def f(x, flags):
        y = x
        p = None
        for flag in flags:
            if flag:
                p = x * y
            for _ in range(2):
                if flag:
                    y = y * p * 3.0
        return y

    def plain(x, flags):
        return f(x, flags)

    for flags in ([False, True, False], [True, False], [False]):
        expected = (plain(0.7 + 1e-6, flags) - plain(0.7 - 1e-6, flags)) / 2e-6
        assert ad.grad(f)(0.7, flags) == pytest.approx(expected, rel=1e-5)


def test_a_loop_that_does_not_run_warns_of_nothing():
    def f(x, big, n):
        y = 0.0
        for _ in range(n):
            y = y + x * (big * big) * 2
        return y + x

    assert ad.grad(f)(1.0, 1e300, 0) == 1.0
    with np.errstate(all="raise"):
        assert ad.grad(f)(np.float64(1.0), np.float64(1e300), 0) == 1.0


def test_loops_in_loops_take_out_what_each_can():
    def f(x, a, rows):
        total = 0.0
        for row in rows:
            for v in row:
                total = total + a * a * v * x
        return total / 7

    rows = [[1.0, 2.0], [3.0]]
    found = ad.grad(f, argnums=(0, 1))(0.5, 1.5, rows)
    assert found == pytest.approx((1.5**2 * 6 / 7, 2 * 1.5 * 6 * 0.5 / 7))


def test_a_cotangent_of_one_is_not_multiplied_by():
    def f(x, steps):
        total = 0.0
        for _ in range(steps):
            x = x * 0.5
            total += x * x
        return total

    text = ad.source(f, 3.0, 4)
    assert "d_x += 2 * x" in text and "d_total" not in text
    assert ad.grad(f)(3.0, 4) == pytest.approx(2 * 3.0 * sum(0.25**k for k in range(1, 5)))


def test_halves_of_a_lambda_have_names_that_python_takes():
    f = functools.partial(lambda a, x: np.sum(x * x) * a, 2.0)
    x = np.ones(2)
    np.testing.assert_array_equal(ad.vjp(f, x)[1](1.0)[0], [4.0, 4.0])
    np.testing.assert_array_equal(ad.jacobian(f)(x), [4.0, 4.0])
