"""Calls: helpers, closures, lambdas, partials, recursion."""

# ruff: noqa: C417

import functools
import math

import numpy as np
import pytest
from support.programs import array, check_program, table

programs = []
program = table(programs)


def scale(x, k=2.0):
    y = x * k
    return y, np.sum(y)


def power(x, *, n=2):
    return x**n


def weighted(*terms, weight=1.0, **rest):
    s = 0.0
    for t in terms:
        s = s + t * weight
    for v in rest.values():
        s = s * v
    return s


def clip(x):
    if x > 1:
        return x * 0 + 1
    if x < -1:
        return x * 0 - 1
    return x


def nothing(x):
    x * 2


def add_into(y, x):
    y += x
    return y


def fill(y, x):
    for i in range(len(x)):
        y[i] = x[i] * x[i]


def total(xs):
    s = 0.0
    for x in xs:
        s = s + np.sum(x)
    return s


def apply(f, *args, **kwargs):
    return f(*args, **kwargs)


@program(array(3))
def several_results(x):
    a, s = scale(x)
    b, t = scale(a, k=3.0)
    return s * t + np.sum(b * a)


@program(array(3), 1.5)
def keyword_arguments(x, k):
    a, s = scale(k=k, x=x)
    return s * k + np.sum(power(a, n=3))


@program(array(6), -0.3)
def bounds_by_the_keywords_of_arrays(x, low):
    return np.sum(x.clip(max=0.8, min=low) ** 2) * np.sum(x.clip(min=low) + x.clip(max=-low))


@program(1.5, 2.5)
def star_arguments(x, y):
    return weighted(x, y, x * y, weight=y, a=x, b=3.0)


@program(1.5, 2.5)
def star_arguments_unpacked(x, y):
    args = (x, y)
    kwargs = {"weight": x * y, "a": y}
    return weighted(*args, x, **kwargs)


@program(1.5)
def helper_with_early_returns(x):
    return clip(x) * clip(x / 2) + clip(-x * 3)


@program(array(4))
def helper_in_a_loop(x):
    s = 1.0
    for v in x:
        s = s + clip(v) * s
    return s


@program(2.0)
def helper_returns_none(x):
    y = nothing(x)
    return x * x if y is None else x


@program(array(3))
def helper_changes_its_argument(x):
    y = x * 2
    add_into(y, x * x)
    return np.sum(y * y)


@program(array(3))
def helper_changes_and_returns_its_argument(x):
    y = x * 2
    z = add_into(y, x * x)
    z += y
    return np.sum(y * z)


@program(array(3))
def helper_fills_its_argument(x):
    y = np.zeros(3)
    fill(y, x)
    return np.sum(y * x)


@program(array(3), array(2))
def helper_of_a_list(x, y):
    return total([x, y, x * x]) * total((y,))


@program(array(3))
def functions_as_arguments(x):
    return apply(np.sum, x) * apply(power, x[0], n=3) + apply(lambda v: v @ v, x)


@program(1.4)
def nested_definition(x):
    def inner(y, k=2.0):
        z = y * k
        return z * x

    return inner(x) + inner(x * x, k=x)


@program(0.7)
def closure_over_a_result(x):
    k = x * 2

    def f(y):
        return y * k

    g = lambda z: f(z) + k
    return g(x) * f(k)


@program(0.7)
def closure_binds_late(x):
    k = x

    def f(y):
        return y * k

    a = f(x)
    k = x * x
    return a + f(x)


@program(0.7)
def lambdas_on_one_line(x):
    f, g = lambda v: v * v, lambda v: v + x
    return f(x) * g(x)


@program(0.7)
def lambdas_in_a_list(x):
    s = 0.0
    for f in [lambda v: v * v, math.sin, lambda v: v + x]:
        s = s + f(x)
    return s


@program(0.7)
def lambdas_in_a_dict(x):
    table_of = {"square": lambda v: v * v, "sine": math.sin}
    return table_of["square"](x) + table_of["sine"](x)


@program(0.7)
def lambda_default_binds_early(x):
    s = 0.0
    fs = []
    k = x
    f = lambda v, k=k: v * k
    k = x * x
    s = f(x) + k
    fs.append(s)
    return fs[0]


@program(0.7)
def lambda_called_at_once(x):
    return (lambda a, b: a * b + a)(x, x * x)


@program(0.7)
def returned_closure(x):
    def make(k):
        def f(y):
            return y * k

        return f

    double, by_x = make(2.0), make(x)
    return double(x) * by_x(x)


@program(0.7)
def partial_inside(x):
    f = functools.partial(apply, power, n=3)
    return f(x)


@program(array(3))
def map_a_function(x):
    def sq(v):
        return v * v

    return sum([sq(v) for v in x])


def factorial(x, n):
    if n <= 1:
        return x
    return x * factorial(x * 1.1, n - 1)


@program(1.2, 4)
def recursion(x, n):
    return factorial(x, n)


@program(1.2, 4)
def recursion_of_itself(x, n):
    if n == 0:
        return x
    return x * recursion_of_itself(x + 1, n - 1) * 0.5


def is_even_power(x, n):
    if n == 0:
        return x
    return x * is_odd_power(x, n - 1)


def is_odd_power(x, n):
    if n == 0:
        return x * 2
    return x + is_even_power(x * x, n - 1)


@program(1.1, 3)
def mutual_recursion(x, n):
    return is_even_power(x, n) + is_odd_power(x, n)


def tree(x, depth):
    if depth == 0:
        return x * x
    return tree(x * 0.5, depth - 1) * tree(x + 1, depth - 1)


@program(0.8, 3)
def recursion_twice(x, n):
    return tree(x, n)


def halve(x):
    if len(x) == 1:
        return x[0]
    middle = len(x) // 2
    return halve(x[:middle]) * halve(x[middle:]) + x[0]


@program(array(5))
def recursion_over_parts_of_an_array(x):
    return halve(x)


def countdown(x, y, n):
    if n == 0:
        return x, y
    return countdown(y, x * y, n - 1)


@program(1.1, 0.9, 3)
def recursion_with_several_results(x, y, n):
    a, b = countdown(x, y, n)
    return a * b + a


@program(1.1, 5)
def local_recursion(x, n):
    def inner(y, k):
        return y if k == 0 else y * inner(y * 0.9, k - 1)

    return inner(x, n)


@program(array(3), 2.0)
def composed(x, k):
    def compose(*fs):
        def run(v):
            for f in fs:
                v = f(v)
            return v

        return run

    return compose(lambda v: v * k, np.sin, np.sum)(x)


def shadow(np_, x):
    sum_ = x * 2
    return np_.sum(sum_)


@program(array(3))
def module_as_argument_of_a_helper(x):
    return shadow(np, x)


@functools.wraps(power)
def wrapped(*args, **kwargs):
    return power(*args, **kwargs) * 2


@program(1.5)
def wrapped_function(x):
    return wrapped(x, n=3)


def logged(f):
    @functools.wraps(f)
    def run(*args, **kwargs):
        result = f(*args, **kwargs)
        return result * 3

    return run


@logged
def decorated(x, y=2.0):
    return x * x * y


@program(1.5)
def decorated_function(x):
    return decorated(x) + decorated(x, y=x)


@program(1.5)
def decorated_nested_function(x):
    @logged
    def inner(y):
        return y * x

    return inner(x)


@program(1.5, 2.5)
def math_functions(x, y):
    return math.exp(math.sin(x)) * math.pow(x, y) + math.hypot(x, y) - math.atan2(y, x)


@program(1.5, -2.5)
def builtin_functions(x, y):
    return max(x, y) * abs(y) + min(x, y, 0.3) + pow(x, 3) + sum((x, y), x) + float(x)


@program(array(4))
def builtins_of_arrays(x):
    return max(x) * min(x) + sum(x * x) + abs(x).sum()


@program(array(3))
def map_builtin(x):
    return sum(map(lambda v: v * v, x)) * sum(map(math.sin, [x[0], x[1]]))


@program(array(3))
def method_chain(x):
    return (x * 2).reshape(3, 1).T.copy().ravel().dot(x).sum()


@program(array(3))
def prints(x):
    y = x * x
    if x[0] > 100:
        print("y =", y)
    return y.sum()


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)
