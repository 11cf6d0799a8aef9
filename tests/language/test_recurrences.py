"""Loops that fill an array element by element: what they cost, and that nobody can tell."""

import warnings

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad

programs = []
program = table(programs)


@program(0.5, 0.1, array(5))
def approach(start, rate, target):
    x = np.zeros(len(target) + 1)
    x[0] = start
    for i in range(len(target)):
        x[i + 1] = x[i] + rate * (target[i] - x[i])
    return np.mean((x[1:] - target) ** 2)


@program(array(5), 0.5)
def from_zero(x, k):
    y = np.zeros(6)
    for i in range(5):
        y[i + 1] = y[i] * k + x[i]
    return np.sum(y**2)


@program(array(5), array(6))
def from_what_was_there(x, y):
    s = np.sum(y)
    for i in range(len(x)):
        y[i + 1] = y[i] * x[i] - y[i + 1]
    return s * np.sum(y**2)


@program(array(5))
def read_right_after_it_is_stored(x):
    y = np.zeros(5)
    s = 0.0
    for i in range(5):
        y[i] = x[i] * x[0]
        s = s + y[i] * y[i] * x[i]
    return s * np.sum(y)


@program(array(6))
def two_steps_back(x):
    y = np.zeros(7)
    y[0], y[1] = x[0], x[1]
    for i in range(1, 6):
        y[i + 1] = y[i] * y[i - 1] + x[i]
    return np.sum(y * y)


@program(array(5))
def read_in_a_branch(x):
    y = np.zeros(6)
    y[0] = 0.3
    for i in range(5):
        v = x[i]
        if y[i] > x[i]:
            v = v * y[i]
        y[i + 1] = v + y[i]
    return np.sum(y * y)


@program(array(5))
def stored_in_a_branch(x):
    y = np.ones(6)
    for i in range(5):
        if x[i] > 0:
            y[i + 1] = y[i] * x[i]
    return np.sum(y * y)


@program(array(5))
def divides(x):
    y = np.zeros(6)
    y[0] = 1.0
    for i in range(5):
        y[i + 1] = (y[i] + 1) / (x[i] * x[i] + 1) + y[i] ** 2 / 8
    return np.sum(y * y)


@program(array(5))
def calls_functions(x):
    y = np.zeros(6)
    y[0] = 1.0
    for i in range(5):
        y[i + 1] = np.sin(y[i]) + np.exp(-x[i]) * max(y[i], 0.2)
    return np.sum(y * y)


@program(array(5))
def stored_twice(x):
    y = np.zeros(6)
    y[0] = 1.0
    for i in range(5):
        y[i + 1] = y[i] * x[i]
        y[0] = y[i + 1] + 1
    return np.sum(y * y)


@program(array(5))
def changed_through_a_view_as_well(x):
    y = np.zeros(6)
    part = y[2:]
    for i in range(5):
        y[i + 1] = y[i] * x[i] + x[0]
        part *= 1.5
    return np.sum(y * y)


@program(array(5))
def left_early(x):
    y = np.zeros(6)
    y[0] = 0.2
    for i in range(5):
        y[i + 1] = y[i] + x[i] * x[i]
        if y[i + 1] > 1.0:
            break
    return np.sum(y * y)


@program(array(4), array(4))
def two_arrays_at_once(x, v):
    p, q = np.zeros(5), np.zeros(5)
    p[0] = x[0]
    q[0] = v[0]
    for i in range(4):
        p[i + 1] = p[i] + 0.1 * q[i]
        q[i + 1] = q[i] - 0.1 * p[i + 1] * x[i]
    return np.sum(p * p) + np.sum(q * q)


@program(array(3, 4))
def rows(m):
    y = np.zeros((4, 4))
    for i in range(3):
        y[i + 1] = y[i] * m[i] + m[0]
    return np.sum(y * y)


@program(array(4), array(4))
def nested(x, w):
    total = 0.0
    for k in range(4):
        y = np.zeros(5)
        y[0] = x[k]
        for i in range(4):
            y[i + 1] = y[i] * w[i] + x[k]
        total = total + np.sum(y * y)
    return total


@program(array(5), array(5))
def walked(x, y):
    s = 0.0
    for i, (a, b) in enumerate(zip(x, y)):
        s = s * a + b * i - x[i] * 0.5
    return s * s


@program(array(5))
def walked_and_changed(x):
    s = 1.0
    for i, a in enumerate(x):
        s = s * a + 0.5
        x[i] = s
    return s * np.sum(x)


@program(array(4, dtype=np.float32))
def rounded_by_the_store(x):
    y = np.zeros(5, dtype=np.float32)
    y[0] = 0.3
    for i in range(4):
        y[i + 1] = y[i] * x[i] + 0.1
    return np.sum(y * y)


@program(array(5))
def rank_0_start(x):
    y = np.zeros(6)
    start = x.sum()
    y[0] = start
    for i in range(5):
        y[i + 1] = y[i] + x[i] * start
    return np.sum(y * y) * start


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


def filled(start, rate, target):
    x = np.zeros(len(target) + 1)
    x[0] = start
    for i in range(len(target)):
        x[i + 1] = x[i] + rate * (target[i] - x[i])
    return np.sum(x)


def test_elements_are_carried_and_read_from_lists():
    text = ad.source(filled, 0.5, 0.1, np.ones(4), argnums=(0, 1))
    assert "target_list = target.tolist()" in text
    assert "x[i]" not in text.split("# return")[0].replace("x[i + 1]", "")
    assert "tape.append(diff)" in text


def test_empty_arrays_are_not_read():
    assert filled(0.5, 0.1, np.ones(0)) == ad.value_and_grad(filled)(0.5, 0.1, np.ones(0))[0]

    def nothing_to_carry(x):
        y = np.ones(len(x))
        for i in range(len(x) - 1):
            y[i + 1] = y[i] * x[i]
        return np.sum(y)

    np.testing.assert_array_equal(ad.grad(nothing_to_carry)(np.ones(0)), np.ones(0))


def test_a_division_by_zero_stays_numpys():
    def quotients(x, k):
        y = np.zeros(len(x) + 1)
        y[0] = k
        for i in range(len(x)):
            y[i + 1] = x[i] / y[i]
        return np.sum(y)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        value, _ = ad.value_and_grad(quotients)(np.ones(1), 0.0)
    assert value == np.inf


def test_an_array_of_rank_0_is_not_changed():
    start = np.array(0.5)
    ad.value_and_grad(filled)(start, 0.1, np.ones(3))
    assert start == 0.5


def test_the_result_keeps_its_type():
    def last(x):
        y = np.zeros(len(x) + 1)
        for i in range(len(x)):
            y[i + 1] = y[i] + x[i]
        return y[-1]

    value, _ = ad.value_and_grad(last)(np.ones(3))
    assert type(value) is np.float64

    def total(x):
        s = 0.0
        for v in x:
            s = s + v * v
        return s

    value, _ = ad.value_and_grad(total)(np.ones(3))
    assert type(value) is type(total(np.ones(3)))
