"""Branches, conditional expressions, boolean operators and comparisons."""

import math

import numpy as np
import pytest
from support.programs import array, check_program, table

programs = []
program = table(programs)


def each(*choices):
    """The same function for several lists of arguments: each goes its own way."""

    def add(fn):
        for args in choices:
            program(*args)(fn)
        return fn

    return add


@each((0.5, 3.0), (3.0, 0.5), (-1.0, 2.0))
def if_elif_else(x, y):
    if x > y:
        z = x * y
    elif x > 0:
        z = x * x * y
    else:
        z = y * math.sin(x)
    return z * x


@each((0.5,), (-0.5,))
def if_without_else(x):
    y = x
    if x > 0:
        y = y * x
        y = y + 1
    return y * y


@each((0.5,), (-0.5,))
def defined_on_both_paths(x):
    if x > 0:
        a = x * 2
        b = a * a
    else:
        b = x
        a = b * 3
    return a * b


@each((0.5,), (-0.5,))
def defined_on_one_path_and_used_there(x):
    if x > 0:
        a = x * x
    if x > 0:
        y = a * 3
    else:
        y = x
    return y


@each((0.5, 2.0), (-0.5, 2.0), (0.5, -2.0), (-0.5, -2.0))
def nested(x, y):
    z = x
    if x > 0:
        if y > 0:
            z = z * y
        else:
            z = z - y * x
        z = z * 2
    else:
        if y > 0:
            w = x * y
            z = w * w
    return z * x


@each((0.5,), (1.5,), (2.5,))
def early_returns(x):
    if x < 1:
        return x * 2
    y = x * x
    if x < 2:
        return y * x
    return y + math.sin(y)


@each((0.5,), (-0.5,), (3.0,))
def early_return_nested(x):
    if x > 0:
        y = x * x
        if y > 4:
            return y * 3
        y = y * x
    else:
        y = -x
    return y * 2


@each((array(3),))
def branch_on_an_array_element(x):
    if x[0] > x[1]:
        return x[0] * x[2]
    else:
        return np.sum(x * x)


@each((array(3), True), (array(3), False))
def branch_on_a_flag(x, flag):
    if flag:
        x = x * 2
    return np.sum(x * x) if flag else np.sum(x)


@each((array(3), "sum"), (array(3), "mean"))
def branch_on_a_text(x, how):
    if how == "sum":
        return np.sum(x * x)
    elif how == "mean":
        return np.mean(x * x)
    raise ValueError(how)


@each((array(3), None), (array(3), 2.0))
def branch_on_none(x, k):
    if k is None:
        k = 3.0
    return np.sum(x) * k


@each((array(3), 2), (array(3), 3), (array(3), 0))
def branch_on_an_int(x, n):
    if n:
        x = x * n
    if n % 2 == 1:
        x = x * x
    return np.sum(x)


@each((0.5,), (-0.5,))
def branch_changes_the_type(x):
    y = 0
    if x > 0:
        y = x * x
    return y * 2 + x


@each((0.5,), (-0.5,))
def branch_int_or_float(x):
    y = 1
    if x > 0:
        y = x
    else:
        y = 2
    return x * y


@each((array(3), 1.0), (array(3), -1.0))
def branch_scalar_or_array(x, k):
    y = 0.0
    if k > 0:
        y = x * k
    return np.sum(y * x) + k


@each((array(3), 1.0), (array(3), -1.0))
def branch_row_or_matrix(x, k):
    if k > 0:
        y = x * k
    else:
        y = np.outer(x, x) * k
    return np.sum(y * y)


@each((array(4), 1.0), (array(4), -1.0))
def branch_different_lengths(x, k):
    y = x[:2] if k > 0 else x
    return np.sum(y * y) * k


@each((array(3), 1.0), (array(3), -1.0))
def branch_one_or_many(x, k):
    y = x[:1] if k > 0 else x
    return np.sum(y * x) * k


@each((array(3), 1.0), (array(3), -1.0))
def branch_changes_in_place(x, k):
    y = x * 2
    if k > 0:
        y *= x
    else:
        y[0] = k
    return np.sum(y * y)


@each((array(3), 1.0), (array(3), -1.0))
def branch_changes_one_alias_in_place(x, k):
    y = x * 2
    z = y
    if k > 0:
        z += k
    return np.sum(y * z * x)


@each((array(3), 1.0), (array(3), -1.0))
def branch_overwrites_what_was_read(x, k):
    y = x * 2
    s = np.sum(y * y)
    if k > 0:
        y[1] = k
        s = s + np.sum(y * x)
    return s * np.sum(y)


@each((0.5,), (-0.5,))
def ternary(x):
    y = x * x if x > 0 else -x
    return (y if y < 0.3 else y * 2) * (1 if x > 0 else x)


@each((0.5,), (-0.5,), (1.5,))
def ternary_nested(x):
    return x * 2 if x < 0 else x * x if x < 1 else math.exp(x)


@each((0.5, 0.2), (0.4, 0.7))
def and_or_values(x, y):
    a = x and y
    b = x or y
    return a * 3 + b * b + x


@each((0.5,), (-0.5,))
def boolean_tests(x):
    positive = x > 0
    small = abs(x) < 1
    if positive and small:
        x = x * 2
    if not positive or not small:
        x = x * 3
    return x * x


@each((0.5,), (1.5,), (-0.5,))
def chained_comparison(x):
    if 0 < x < 1:
        return x * x
    if 1 <= x <= 2 != 3:
        return x * 2
    return -x


@each((0.5,), (-0.5,))
def short_circuit_protects(x):
    if x > 0 and math.sqrt(x) > 0.1:
        return math.sqrt(x)
    return x


@each((0.5,), (-0.5,))
def same_test_twice(x):
    a = x
    if x > 0:
        a = a * x
    b = a
    if x > 0:
        b = b * a
    return a * b


@each((0.5,), (-0.5,))
def variable_tested_changes(x):
    y = x
    if y > 0:
        y = -y
        if y > 0:
            y = y * 100
        else:
            y = y * y
    if y > 0:
        y = y * x
    return y


@each((0.7, 2), (0.7, 5))
def in_a_tuple(x, n):
    if n in (1, 2, 3):
        return x * x
    return x if n not in (4, 6) else 0.0


@each((array(3), 1.0), (array(3), -1.0))
def swapped_by_a_branch(x, k):
    a, b = x * 2, x * x
    if k > 0:
        a, b = b, a
    return np.sum(a * k + b * b * a)


@each((array(3), 1.0), (array(3), -1.0))
def containers_in_branches(x, k):
    if k > 0:
        pair = (x, k)
    else:
        pair = (x * x, k * k)
    a, b = pair
    return np.sum(a) * b


@each((array(3), 1.0), (array(3), -1.0))
def lists_in_branches(x, k):
    parts = [x * k]
    if k > 0:
        parts.append(x * x)
    total = 0.0
    for p in parts:
        total = total + np.sum(p * p)
    return total


@each((array(3), 1.0), (array(3), -1.0))
def dicts_in_branches(x, k):
    d = {"a": x}
    if k > 0:
        d["a"] = x * x
    else:
        d = {"a": x * k}
    return np.sum(d["a"])


@each((0.5,), (-0.5,))
def result_of_a_branch_not_used(x):
    if x > 0:
        y = x * 3
    else:
        y = 1.0
    del y
    return x * x


@each((0.5,), (-0.5,))
def empty_branch(x):
    if x > 0:
        pass
    else:
        x = x * 2
    return x * x


@each((array(2, 2), 1.0), (array(2, 2), -1.0))
def transposed_by_a_branch(x, k):
    y = x
    if k > 0:
        y = x.T
    return np.sum(y @ x * k)


@each((array(3), 1.0), (array(3), -1.0))
def alias_by_a_branch(x, k):
    y = x if k > 0 else x * 2
    return np.sum(y * x)


@each((0.5,), (-0.5,))
def zero_of_one_path(x):
    y = 0.0 if x < 0 else x
    return y


@program(array(3), -2.0)
def array_or_number_that_grows(x, k):
    p = x * 1.0 if k > 0 else k * x[0]
    p -= 1.0
    return np.sum(p * p)


@program(array(3), 2.0)
def array_or_number_that_grows_as_an_array(x, k):
    p = x * 1.0 if k > 0 else k * x[0]
    p *= k
    return np.sum(p * p)


@each((array(3), 2.0), (array(3), -2.0))
def array_or_number_with_two_names(x, k):
    p = x * 1.0 if k > 0 else k * x[0]
    v = p
    p -= 1.0
    return np.sum(v * v) + np.sum(p)


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)
