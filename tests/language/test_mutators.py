"""Functions and methods of NumPy that change an array."""

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad
from adjoint.testing import check_grads

programs = []
program = table(programs)


@program(array(4), array(4))
def out_of_elementwise_functions(x, r):
    z = np.zeros_like(x)
    np.multiply(x, r, out=z)
    np.sin(z, out=z)
    w = np.add(z, x, z)
    np.subtract(w, r, out=(w,))
    return np.sum(w * z * r)


@program(array(3, 4), array(4))
def out_of_products_and_sums(m, r):
    z = np.empty(3)
    np.dot(m, r, out=z)
    y = np.zeros(4)
    m.sum(axis=0, out=y)
    np.matmul(m, y, out=z)
    np.cumsum(z, out=z)
    m.max(axis=0, out=y)
    return np.sum(z * z) * np.sum(y)


@program(array(4), array(4))
def out_where(x, r):
    z = np.zeros_like(x)
    np.log(x, out=z, where=x > 0)
    np.divide(r, x, out=z, where=(x < 0))
    np.multiply(z, 2.0, out=z, where=r > 0)
    return np.sum(z * z * r)


@program(np.array([1.0, 0.0, 4.0]), np.array([1.0, 2.0, 3.0]))
def out_where_a_divisor_is_not_zero(x, r):
    z = np.ones_like(r)
    np.divide(r, x, out=z, where=x > 0.5)
    return np.sum(z * z)


@program(array(3, 4), array(4))
def out_where_a_row_serves_all_rows(m, r):
    z = m * m
    np.add(m, r, out=z, where=r > 0)
    np.add(m, r, out=z, where=True)
    return np.sum(z * m)


@program(array(4))
def out_of_no_array(x):
    y = np.multiply(x, 2, out=None)
    return np.sum(np.multiply(y, x, None))


@program(array(3, 4), array(4))
def copyto(m, r):
    np.copyto(m[0], r)
    np.copyto(m, 2.0, where=m > 1)
    np.copyto(m, r * r, where=m < -1)
    np.copyto(m[1:], m[:-1])
    return np.sum(m * m)


@program(array(4), array(4))
def add_at(x, r):
    i = np.array([0, 2, 0])
    np.add.at(x, i, r[:3])
    np.subtract.at(x, i, r[1])
    np.add.at(x, slice(1, 3), r[2:])
    np.add.at(r, x > 0, x[0])
    return np.sum(x * x * r)


def other_functions_at(x, r):
    i = np.array([0, 2, 0, 2])
    y = np.exp(x)
    np.multiply.at(y, i, r)
    np.multiply.at(y, [1, 1], 3.0)
    np.divide.at(y, i[:2], 2 + r[0] * r[0])
    np.negative.at(y, [3, 3, 3])
    np.maximum.at(y, x > 0, r[0])
    np.multiply.at(y, np.zeros(0, int), r[1])
    return np.sum(y * y * r)


def multiply_at_rows(x, r):
    np.multiply.at(x, np.array([0, 3, 0, 1, 0]), r)
    np.multiply.at(x, (np.array([1, 1]), np.array([2, 2])), r[0, :2])
    return np.sum(x * x)


@program(array(4, 3), array(5, 3))
def add_at_rows(x, r):
    np.add.at(x, np.array([0, 3, 0, 1, 0]), r)
    np.add.at(x, (np.array([1, 1]), np.array([2, 2])), r[0, :2])
    return np.sum(x * x)


@program(array(3, 3), array(3))
def fill_diagonal(m, x):
    np.fill_diagonal(m, x[0])
    y = m * m
    np.fill_diagonal(y, x)
    return np.sum(y * m)


@program(array(2, 3), array(3, 2), 1.5)
def fill_diagonal_of_other_shapes(a, b, k):
    np.fill_diagonal(a, k)
    np.fill_diagonal(b, k * k)
    return np.sum(a @ b)


@program(array(3, 4), array(3))
def put_along_axis(m, r):
    np.put_along_axis(m, np.argmax(m, axis=1)[:, None], r[:, None], 1)
    np.put_along_axis(m, np.argmin(m, axis=0)[None], 2.0, 0)
    np.put_along_axis(r, np.array([2, 0]), m[0, :2], 0)
    return np.sum(m * m) * np.sum(r)


@program(array(3, 4), array(4))
def place_and_putmask(m, r):
    np.put(r, [1, 2], 3.0)
    r.put(0, r[3])
    np.place(m, m > 0.5, r[1])
    np.putmask(m, m < -0.5, m * r)
    np.putmask(m, m < -0.9, r[3])
    return np.sum(m * m * r)


@program(array(6), array(2))
def put_of_several_values(x, v):
    np.put(x, np.argsort(v) * 2, v)
    return np.sum(x * x)


@program(array(3, 4), array(4))
def sorted_in_place(m, r):
    r.sort()
    s = np.sum(m * r * r)
    m.sort(axis=0)
    m[1].sort()
    r.partition(2)
    return s + np.sum(m * m * r)


@program(array(3, 4), 2.0)
def filled_in_place(m, k):
    s = np.sum(m * m)
    m[2].fill(k * k)
    m.T.fill(s) if k > 5 else m[:, 1].fill(k)
    return s * np.sum(m)


@program(array(4))
def clipped_and_cleaned_in_place(x):
    y = x * 2
    np.nan_to_num(y, copy=False)
    np.clip(y, -1, 1, out=y)
    y.clip(-0.7, 0.7, out=y)
    s = np.sum(y)
    np.round(x, out=y)
    return s * np.sum(y * x)


@program(array(4), array(4))
def out_of_a_helper_of_the_users(x, r):
    def square(a, out):
        out[...] = a * a
        return out

    z = np.zeros(4)
    square(x, out=z)
    square(z, z[:])
    return np.sum(z * r)


@program(array(4))
def constants_in_place(x):
    k = np.ones(4)
    np.multiply(k, 2.0, out=k)
    s = np.sum(k * x * x)
    k[1:].fill(3.0)
    np.add.at(k, [0, 0], 1.0)
    return s * np.sum(k * x)


@program(array(4))
def constants_shuffled(x):
    rng = np.random.default_rng(0)
    k = np.arange(4.0)
    s = 0.0
    for i in range(3):
        s = s + np.sum(x * k) * np.sum(k[:2]) * x[i]
        rng.shuffle(k)
    return s


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


@pytest.mark.parametrize("fn", [other_functions_at, multiply_at_rows])
def test_other_functions_at_are_recorded(fn):
    rng = np.random.default_rng(3)
    args = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    if fn is other_functions_at:
        args = args[0][:, 0].copy(), args[1][:4, 0].copy()
    assert ad.value_and_grad(fn)(*map(np.copy, args))[0] == fn(*map(np.copy, args))
    check_grads(fn, args, order=2)


def test_out_in_float32():
    def rounded(x):
        y = np.zeros(4, dtype=np.float32)
        np.multiply(x, x, out=y, casting="same_kind")
        return np.sum(y * y)

    x = np.linspace(0.5, 2, 4)
    np.testing.assert_allclose(ad.grad(rounded)(x), 4 * x**3, rtol=1e-6)


def test_out_is_printed_as_it_was_written():
    def product(x, r):
        z = np.zeros_like(x)
        np.multiply(x, r, out=z)
        np.sin(z, out=z)
        return np.sum(z)

    text = ad.source(product, np.ones(3), np.ones(3))
    assert "np.multiply(x, r, out=z)" in text
    assert "\n    np.sin(z, out=z)" not in text  # its result is not needed
    assert "z[...]" not in text


def test_what_was_overwritten_as_a_whole_needs_no_zeros():
    def reused(x):
        buffer = np.zeros(3)
        s = 0.0
        for v in x:
            np.multiply(x, v, out=buffer)
            s = s + np.sum(buffer**3)
        return s

    text = ad.source(reused, np.ones(3))
    assert "d_buffer = np.zeros" not in text.split("for v")[-1]
