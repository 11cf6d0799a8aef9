"""Arrays that are put together of values: `np.array([a, b])`."""

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad
from adjoint.testing import check_grads

programs = []
program = table(programs)


@program(0.4, 1.5)
def rotation(a, b):
    turned = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ np.array([b, 1.0])
    return turned[0] * turned[1] ** 2


@program(array(3), array(3))
def rows(x, y):
    m = np.array([x, x * y, np.ones(3)])
    return np.sum(m[0] * m[1]) + np.sum(np.stack([y, m[2]]) ** 3)


@program(array(2, 3))
def halves_as_rows(x):
    """The parts of a cotangent are views of it: what is added to one is in no other."""
    m = np.stack([x[0], x[1], x[0]])
    m[1] *= x[0]
    return np.sum(m**2 * m[2])


@program(0.7, 1.2)
def element_of_the_list_changed(a, b):
    xs = [a, b]
    xs[0] = xs[0] * b
    v = np.array(xs)
    xs[1] = a
    return v[0] * v[1] + np.sum(np.array(xs) ** 2)


@program(array(3))
def array_changed_in_the_list(x):
    y = x * 2.0
    xs = [y, x]
    y *= x
    m = np.array(xs)
    y += 1.0
    return np.sum(m[0] * m[1]) + np.sum(xs[0] * y)


@program(0.7, 1.2)
def read_twice(a, b):
    v = np.array((a * b, b, a))
    return np.sum(v) * v[0] + np.max(v)


@program(0.7, 1.2)
def elements_alone(a, b):
    return np.sum(np.array([a * b, a])) + np.array([a, 2.0]) @ np.array([b, a])


@program(0.7, 2)
def among_ints(a, n):
    return np.sum(np.array([n, a, True]) ** 2)


@program(0.7, 1.2)
def complex_numbers(a, b):
    z = np.array([a, 1j * b])
    return np.abs(z[0] * z[1] + z[1] ** 2)


@program(0.7, array(2))
def numbers_and_elements(a, x):
    m = np.array([[a, x[0]], [x[1], a * a]])
    return np.linalg.det(m) + m[0, 1]


@program(array(3), 3)
def in_a_loop(x, n):
    y = x
    for i in range(n):
        y = y + 0.1 * np.array([y[1], -y[0] * x[2], y[i]])
    return np.sum(y**2)


@program(0.7, 1.2, 3)
def of_a_list_from_outside_the_loop(a, b, n):
    xs = [a * b, [a, b]]
    y = np.ones(2)
    for _ in range(n):
        y *= np.array(xs[1])
        if n > 1:
            y = y + np.stack([xs[0], b])
    return np.sum(y)


@program(0.7, 2)
def of_one_list_in_each_iteration(a, n):
    xs = [a, 0.5, a]
    y = np.full(3, 0.5)
    for _ in range(n):
        y *= np.array(xs)
    return np.sum(y)


@program(0.7, 1.0)
def of_a_list_from_outside_the_branch(a, c):
    xs = [a, a * a]
    if c > 0:
        y = np.array(xs) * c
    else:
        y = np.zeros(2)
    return np.sum(y * y)


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


@pytest.mark.parametrize("case", programs, ids=str)
def test_second_order(case):
    if case.wrt == tuple(range(len(case.args))):
        check_grads(case.fn, tuple(case.arguments()), order=2)


def test_cotangents_have_the_precision_of_each_value():
    def f(a, x):
        return np.sum(np.array([a * 2.0, x[0]]) ** 2)

    d_a, d_x = ad.grad(f, argnums=(0, 1))(np.float32(0.5), np.ones(2))
    assert type(d_a) is np.float32 and d_x.dtype == np.float64
    d_a, d_x = ad.grad(f, argnums=(0, 1))(0.5, np.ones(2, np.float32))
    assert type(d_a) is float and d_x.dtype == np.float32


def test_no_list_of_cotangents_is_made():
    text = ad.source(rotation, 0.4, 1.5)
    assert "unstack" not in text and "d_array[0]" not in text
