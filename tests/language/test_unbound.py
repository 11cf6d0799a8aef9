"""Names without a value on the path that is taken: an error of Python's class, never a zero."""

import math

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad
from adjoint.testing import check_grads

programs = []
program = table(programs)


def in_a_branch(x, c):
    if c > 0:
        y = x * x
    return y


def in_the_other_branch(x, c):
    if c > 0:
        pass
    else:
        y = math.sin(x)
    return y


def in_two_of_three(x, c):
    if c > 1:
        y = x * x
    elif c > 0:
        y = x + 1
    return y * 2


def in_a_loop(x, n):
    for i in range(n):
        y = x * i
    return y


def counter_of_a_loop(x, n):
    for i in range(n):  # noqa: B007
        pass
    return x * i


def in_a_while(x, limit):
    while x < limit:
        y = x * x
        x = x * 2
    return y


def deleted_in_a_branch(x, c):
    y = x * x
    if c < 0:
        del y
    return y


def read_in_a_later_iteration(x, n):
    total = 0.0
    for i in range(n):
        if i != 1:
            y = x * i
        total += y
    return total


def augmented(x, c):
    if c > 0:
        y = x
    y += x
    return y


def read_by_a_helper(x, c):
    def helper():
        return y * x

    if c > 0:
        y = x
    return helper()


def last_of(x, n):
    for i in range(n):
        item = x * i
    return item


def second_call_has_no_value(x, n):
    return last_of(x, n) * last_of(x, n - 2)


# the function, arguments with which it has a value, and arguments with which it has none
MAY_BE_UNBOUND = [
    (in_a_branch, (2.0, 1.0), (2.0, -1.0)),
    (in_the_other_branch, (2.0, -1.0), (2.0, 1.0)),
    (in_two_of_three, (2.0, 0.5), (2.0, -1.0)),
    (in_a_loop, (2.0, 3), (2.0, 0)),
    (counter_of_a_loop, (2.0, 3), (2.0, 0)),
    (in_a_while, (1.0, 3.0), (4.0, 3.0)),
    (deleted_in_a_branch, (2.0, 1.0), (2.0, -1.0)),
    (augmented, (2.0, 1.0), (2.0, -1.0)),
    (read_by_a_helper, (2.0, 1.0), (2.0, -1.0)),
    (second_call_has_no_value, (2.0, 4), (2.0, 2)),
]


@pytest.mark.parametrize("fn, good, bad", MAY_BE_UNBOUND, ids=lambda v: getattr(v, "__name__", ""))
def test_unbound_name_raises_as_in_python(fn, good, bad):
    with pytest.raises(NameError):
        fn(*bad)
    for derivative in (ad.grad(fn), ad.value_and_grad(fn), lambda *args: ad.vjp(fn, *args)):
        with pytest.raises(UnboundLocalError, match="cannot access local variable '(y|i|item)'"):
            derivative(*bad)
    numerical = (fn(good[0] + 1e-6, *good[1:]) - fn(good[0] - 1e-6, *good[1:])) / 2e-6
    assert ad.grad(fn)(*good) == pytest.approx(numerical, rel=1e-6)


@program(array(4))
def value_from_the_iteration_before(x):
    total = 0.0
    for i in range(len(x)):
        if i > 0:
            total += previous * x[i]  # noqa: F821
        previous = x[i] * x[i]  # noqa: F841
    return total


@program(2.0)
def always_bound_by_a_constant_range(x):
    for i in range(3):
        y = x * (i + 1)
    return y * i


@program(1.1)
def only_left_by_return(x):
    while True:
        y = x * x
        if y > 3:
            return y * x
        x = x * 1.5


@program(3.0)
def deleted_and_given_again(x):
    y = x * x
    del y
    y = x * 3
    return y * y


@program(0.5, 0)
def not_bound_and_not_read(x, n):
    for _ in range(n):
        v = [x * 2.0, x]
    if x > 1.0:
        v = [x, x * x]
    if n > 0 or x > 1.0:
        x = x * sum(v)
    return x * x


@program(0.5, array(3), 0, wrt=(0,))
def arrays_not_bound_and_not_read(x, w, n):
    for _ in range(n):
        v = [w * 1.0, w]
    if x > 1.0:
        v = [w * x, w]
    if n > 0 or x > 1.0:
        x = x * np.sum(v[0])
    return x * x


@program(0.5, array(2), 2)
def list_twice_in_itself_by_nested_loops(x, w, n):
    for _ in range(2):
        for _ in range(n):
            xs = [w * w, x * w]
            v = [xs, xs]
            v[1][0] = sum([x * e for e in w])
    total = 0.0
    for e in v:
        total += np.sum(e[0]) + np.sum(e[1])
    return total * total


def list_from_nested_loops(x, n):
    for _ in range(2):
        for _ in range(n):
            xs = [np.std(x) for _ in range(3)]
    return np.sum(x * x) if n == 0 else sum(xs)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_list_that_is_not_bound_in_some_iterations(n):
    """Its cotangent is walked, copied and consumed by a loop: where there is none, none of it."""
    check_grads(lambda x: list_from_nested_loops(x, n), (np.array([0.6, 0.9, -0.4]),), order=2)


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


def test_a_constant_range_needs_no_check():
    assert "Unbound" not in ad.source(always_bound_by_a_constant_range, 2.0)


def test_check_of_a_branch_tests_its_condition():
    text = ad.source(in_a_branch, 2.0, 1.0)
    assert "if not more:\n        raise UnboundLocalError(" in text
    assert "y = None" not in text


# -- functions that end without `return` ----------------------------------------------------------


def half_returns(x):
    if x > 0:
        return x * x


def no_number_for_negatives(x):
    y = half_returns(x)
    return -x if y is None else y


def returns_from_a_loop(x):
    for i in range(3):
        if x * i > 1:
            return x * i


def test_result_none_is_refused_on_its_path():
    assert ad.grad(half_returns)(3.0) == 6.0
    with pytest.raises(TypeError, match="`half_returns` returns None here"):
        ad.grad(half_returns)(-3.0)
    assert ad.grad(returns_from_a_loop)(0.75) == 2.0
    with pytest.raises(TypeError, match="`returns_from_a_loop` returns None here"):
        ad.grad(returns_from_a_loop)(0.25)


@pytest.mark.parametrize("x, value, slope", [(3.0, 9.0, 6.0), (-3.0, 3.0, -1.0)])
def test_helper_that_returns_none_on_a_path(x, value, slope):
    assert ad.value_and_grad(no_number_for_negatives)(x) == (value, slope)


def test_unbound_in_arrays():
    def f(x):
        for row in x:
            last = row * 2
        return np.sum(last * last)

    np.testing.assert_array_equal(ad.grad(f)(np.ones((2, 2))), [[0, 0], [8, 8]])
    with pytest.raises(UnboundLocalError):
        ad.grad(f)(np.ones((0, 2)))
