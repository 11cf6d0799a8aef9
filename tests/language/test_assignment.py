"""Straight-line code: rebinding, augmented assignment, packing and unpacking."""

# ruff: noqa: PIE790

import math

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad

programs = []
program = table(programs)


@program(2.0)
def polynomial(x):
    return x**2 + 2 * x + 1


@program(array(4))
def rebinding(x):
    x = x * 2
    x = np.sin(x)
    x = x * x
    return x.sum()


@program(array(3), 1.5)
def rebinding_changes_the_type(x, k):
    y = k
    y = x * y
    y = np.sum(y) * k
    y = [y, y * k]
    return y[0] * y[1]


@program(1.3)
def augmented_names(x):
    y = x
    y += 2 * x
    y *= y
    y -= x
    y /= x + 4
    y **= 2
    return y


@program(array(3))
def augmented_array_has_two_names(x):
    y = x * 2
    z = y
    y *= 2
    return np.sum(z * x)


@program(array(3))
def augmented_array_alternately(x):
    y = x * 2
    z = y
    y *= x
    z += y
    y -= z * 0.5
    return np.sum(z * y)


@program(array(3))
def augmented_rebinding_is_no_alias(x):
    y = x * 2
    z = y
    y = y * 2
    return np.sum(z * y)


@program(array(3), array(3))
def augmented_all_operators(x, y):
    z = x + 3
    z += y
    z -= 2 * y
    z *= y
    z /= y * y + 1
    z **= 2
    return np.sum(z)


@program(array(3))
def augmented_by_itself(x):
    y = x * 1.0
    y *= y
    y += y
    return np.sum(y)


@program(array(3), array(2, 3))
def augmented_broadcasts_the_right_side(b, x):
    y = x * x
    y += b
    y *= b
    return np.sum(y)


@program(array(4))
def augmented_elements(x):
    y = x * 1.0
    y[0] += x[1]
    y[1] *= y[0]
    y[-1] -= y[1] * x[0]
    y[2] **= 2
    y[3] /= 2.0
    return np.sum(y * y)


@program(array(5))
def augmented_slices(x):
    y = x * 1.0
    y[1:3] += x[2:4]
    y[:2] *= y[3:]
    y[::2] -= 1.0
    return np.sum(y * x)


@program(array(5))
def augmented_overlapping_slices(x):
    y = x * 1.0
    y[1:] += y[:-1]
    y[:-1] *= y[1:]
    return np.sum(y * y)


@program(1.2, -0.7)
def packing(x, y):
    pair = x * y, x + y
    a, b = pair
    a, b = b, a
    return a * a * b


@program(1.2, -0.7)
def swapping(x, y):
    x, y = y, x
    x, y = x * y, x - y
    return x * y * y


@program(1.2, -0.7)
def nested_unpacking(x, y):
    (a, (b, c)), d = (x, (y, x * y)), y
    [e, f] = [a * b, c * d]
    return e * f + c


@program(0.3)
def starred_unpacking(x):
    first, *middle, last = x, x * 2, x * x, math.sin(x)
    *init, end = middle
    return first * middle[1] + last * init[0] + end


@program(array(3))
def unpacking_an_array(x):
    a, b, c = x
    return a * b + math.sin(c)


@program(array(2, 3))
def unpacking_rows(x):
    a, b = x
    return np.sum(a * b * a)


@program(array(3), array(3))
def chained_assignment(x, y):
    a = b = x * y
    a = a * 2
    return np.sum(a * b)


@program(array(3))
def chained_assignment_of_one_array(x):
    a = b = x * 2
    a += x
    return np.sum(a * b)


@program(0.4)
def walrus(x):
    y = (z := x * x) + z
    return y * z if (w := z * 3) > 0 else w


@program(0.4)
def annotated(x: float) -> float:
    y: float = x * x
    z: float
    z = y * x
    return z


@program(array(3))
def unused_results(x):
    np.log(x * x + 1)
    y = x * x
    y * 2
    dead = np.exp(y)
    dead = dead * 2
    return np.sum(y)


@program(array(3))
def constant_result(x):
    return 3.0


@program(array(3), 2.0)
def argument_not_used(x, y):
    return y * y


@program(array(3), 2.0)
def argument_overwritten_before_use(x, y):
    x = np.ones(3) * y
    return np.sum(x)


@program(array(3))
def argument_is_the_result_of_sum(x):
    return sum(x)


@program(2.5)
def argument_is_the_result(x):
    return x


@program(2.5)
def same_value_many_times(x):
    return x + x + x * x + x


@program(2.5)
def delete_a_name(x):
    y = x * x
    z = y * 2
    del y
    return z


@program(2.5)
def docstring_and_pass(x):
    """Says nothing."""
    pass
    "a text that stands alone"
    return x * x


@program(array(3), np.float32)
def dtype_as_argument(x, dtype):
    return np.sum(x * np.ones(3, dtype=dtype))


@program(array(2, 2), array(2, 2))
def matrix_product_in_place_of_names(x, y):
    z = x @ y
    z = z @ z.T
    return np.trace(z)


@program(array(5))
def star_of_an_array(x):
    first, *middle, last = x
    *most, z = middle
    return first * sum(middle) + last * z + most[0] * len(middle)


@program(1.5)
def unpacked_generators(x):
    a, b, *c = (x * k for k in range(1, 5))
    p, q = (x * k for k in range(2, 4))
    return a * b + sum(c) + p * q


@program(1.5)
def imports_inside(x):
    from math import cos
    from math import sin as s

    from numpy import linalg

    return s(x) * cos(x) + linalg.norm(np.array([x, 2.0]))


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


def test_too_few_values_for_a_star():
    def f(x):
        a, *b, c = x
        return a * c + sum(b)

    np.testing.assert_array_equal(ad.grad(f)(np.array([2.0, 5.0, 3.0])), [3, 1, 2])
    with pytest.raises(ValueError, match="not enough values to unpack .expected at least 2"):
        ad.grad(f)(np.ones(0))
    with pytest.raises(ValueError, match="not enough values to unpack .expected at least 2"):
        ad.grad(f)(np.ones(1))
