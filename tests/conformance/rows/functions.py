"""Functions: arguments, closures, recursion, functions as values."""

import functools
import itertools
import math
import operator

import numpy as np
from support.programs import array

from ..table import category

row = category("Functions")


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


def affine(x, slope=2.0, *, shift=0.0):
    return slope * x + shift


@row("a helper of the module", 0.7)
def calls_a_helper(x):
    return logistic(x) * logistic(2.0 * x)


@row("default and keyword-only arguments", 0.7)
def default_arguments(x):
    return affine(x) * affine(x, 3.0) * affine(x, shift=x) * affine(shift=1.0, slope=x, x=x)


@row("a default that is a parameter of the function around", 0.7)
def default_from_outside(x):
    def power(y, scale=x * x):
        return y**2 * scale

    return power(x) + power(x, 2.0)


@row("positional-only parameters, `/`", 0.7)
def positional_only(x):
    def f(a, b, /, c):
        return a * b + c

    return f(x, x * x, c=np.sin(x))


@row("`*args` and `**kwargs`", 0.7)
def star_parameters(x):
    def total(*values, **named):
        return sum(values) * named["scale"] + len(named)

    return total(x, x * x, scale=np.sin(x))


@row("star-arguments in a call, `f(*xs)`, `f(**options)`", 0.7)
def star_arguments(x):
    def f(a, b, c=1.0):
        return a * b + c

    xs = [x, np.sin(x)]
    return f(*xs) + f(*xs, c=x) + f(*xs[:1], **{"b": x, "c": 2.0}) + f(*(x * k for k in (1, 2)))


@row("arguments that are handed on", 0.7)
def handed_on(x):
    def inner(a, b, c=0.0):
        return a * b - c

    def outer(*args, **kwargs):
        return inner(*args, **kwargs)

    return outer(x, x * x, c=np.sin(x))


@row("`*args` of the differentiated function that are constant", 0.7, 1.9, -0.4, wrt=(0,))
def any_number(x, *values):
    total = x
    for v in values:
        total = total * (x + v * v)
    return total


@row("a default argument of the differentiated function", 0.7)
def own_default(x, power=3):
    return x**power


@row("a nested function and a closure", 0.7)
def closure(x):
    scale = x * x

    def scaled(y):
        return scale * y

    return scaled(x) + scaled(np.sin(x))


@row("a closure sees a later binding", 0.7)
def late_binding(x):
    def scaled(y):
        return scale * y

    scale = 2.0
    first = scaled(x)
    scale = x
    return first + scaled(x)


@row("closures over a loop variable bind late", 0.7)
def closures_in_a_loop(x):
    functions = []
    for k in range(3):
        functions.append(lambda y: y**k)
    return functions[0](x) + functions[1](x) * functions[2](x)


@row("closures that bind a loop variable by a default", 0.7)
def bound_by_default(x):
    functions = [lambda y, k=k: y * k for k in range(1, 4)]
    return functions[0](x) * functions[2](x)


@row("a function that returns a function", 0.7)
def function_factory(x):
    def power(n):
        def raised(y):
            return y**n

        return raised

    return power(2)(x) * power(3)(x)


@row("a function that returns a closure over an active value", 0.7)
def active_factory(x):
    def scaled_by(k):
        return lambda y: k * y

    f = scaled_by(x)
    return f(x) + f(2.0)


@row("a function as an argument", 0.7)
def function_argument(x):
    def twice(f, y):
        return f(f(y))

    return twice(np.sin, x) + twice(lambda y: y * x, x)


@row("functions in a list or a dict", 0.7, "square")
def functions_in_containers(x, name):
    table = {"square": lambda y: y * y, "sin": np.sin}
    y = table[name](x)
    for f in [np.sin, np.cos, math.exp]:
        y = f(y)
    return y


@row("composition of functions", 0.7)
def composition(x):
    def compose(*functions):
        def composed(y):
            for f in functions:
                y = f(y)
            return y

        return composed

    return compose(np.sin, np.exp, lambda y: y * y)(x)


@row("`functools.partial`", 0.7)
def partial(x):
    steep = functools.partial(affine, slope=3.0)
    fixed = functools.partial(affine, x)
    return steep(x) * fixed(slope=x, shift=1.0)


@row("`functools.reduce`", array(4))
def reduced(x):
    return functools.reduce(lambda a, b: a * 0.5 + b, x, 1.0) + functools.reduce(operator.mul, x)


@row("`functools.wraps` and a decorator that wraps", 0.7)
def decorated(x):
    def doubled(f):
        @functools.wraps(f)
        def wrapper(*args, **kwargs):
            return 2.0 * f(*args, **kwargs)

        return wrapper

    @doubled
    def square(y):
        return y * y

    return square(x) * x


@row("a decorator with arguments", 0.7)
def decorated_with_arguments(x):
    def scaled(k):
        def decorate(f):
            return lambda y: k * f(y)

        return decorate

    @scaled(3.0)
    @scaled(x)
    def cube(y):
        return y**3

    return cube(x)


@row("`functools.lru_cache` on a helper of constants", 0.7)
def cached_constants(x):
    @functools.lru_cache
    def coefficient(k):
        return 1.0 / math.factorial(k)

    return sum(coefficient(k) * x**k for k in range(4)) + coefficient(2) * x


@row("`map`, `filter`", array(4))
def mapped(x):
    squares = list(map(lambda v: v * v, x))
    small = filter(lambda v: v < 1.0, squares)
    return sum(small) + sum(map(operator.mul, squares, x))


@row("`sorted` by key, reversed", array(4))
def sorted_by_key(x):
    ordered = sorted(x, key=lambda v: -abs(v))
    last = sorted(x, reverse=True)[-1]
    return ordered[0] * ordered[1] + last**2


@row("`max`, `min` by key", array(4))
def largest_by_key(x):
    return max(x, key=abs) ** 2 * min(x, key=lambda v: abs(v - 1.0))


@row("functions of `operator`", 0.7)
def operators_as_functions(x):
    pair = {"a": x, "b": operator.mul(x, x)}
    return operator.add(pair["b"], operator.neg(pair["a"])) * operator.pow(x, 2)


@row(
    "`itertools.accumulate`",
    array(4),
)
def accumulated(x):
    return sum(itertools.accumulate(x)) + list(itertools.accumulate(x, operator.mul))[-1]


@row("recursion", 0.7)
def recursion(x):
    def power(y, n):
        return 1.0 if n == 0 else y * power(y, n - 1)

    return power(x, 5)


@row("recursion on active values", 5.0)
def active_recursion(x):
    def halved(y):
        return y if y < 1.0 else np.sin(y) + halved(y / 2.0)

    return halved(x)


@row("mutual recursion", 0.7)
def mutual_recursion(x):
    def even(y, n):
        return y if n == 0 else odd(y * x, n - 1)

    def odd(y, n):
        return np.sin(even(y, n - 1))

    return even(x, 4)


@row("recursion of the differentiated function itself", 0.7, 4)
def recursive_itself(x, n):
    if n == 0:
        return x
    return np.sin(x) * recursive_itself(x * 1.1, n - 1)


@row("recursion over a nested list", [0.5, [1.2, [-0.3, 0.7]]])
def sum_of_a_tree(tree):
    total = 0.0
    for node in tree:
        total += sum_of_a_tree(node) * 2.0 if isinstance(node, list) else node**2
    return total


@row("a helper that changes its argument", array(3))
def helper_changes_array(x):
    def normalise(v):
        v /= np.sqrt(v @ v)
        return v

    y = normalise(x)
    return np.sum(y[0] * x**2)


@row("a helper that returns its argument", array(3))
def helper_returns_argument(x):
    def same(v):
        return v

    y = same(x)
    y[0] = y[1] * 2.0
    return np.sum(x * x)


@row("a function attribute", 0.7)
def function_attribute(x):
    def f(y):
        return y * f.scale

    f.scale = x
    return f(x)


@row("a lambda with a conditional and defaults", 0.7)
def conditional_lambda(x):
    relu = lambda y, slope=0.1: y if y > 0 else slope * y
    return relu(x) * relu(-x)


@row("an inner function that is not called", 0.7)
def not_called(x):
    def unused(y):
        return y / 0

    return x * x


@row("a helper called with arrays and with numbers", array(3))
def polymorphic_helper(x):
    def squared(y):
        return y * y

    return np.sum(squared(x)) + squared(x[0]) + squared(2)


@row("annotations and default of a keyword-only parameter", 0.7)
def annotated_parameters(x):
    def f(a: float, *, b: float = 2.0, **rest: float) -> float:
        return a * b + sum(rest.values())

    return f(x, b=x, c=x * x)


row.text(
    "type parameters of a function and `type` aliases",
    """
    def f(x):
        type Number = float

        def twice[T](y: T) -> T:
            return y + y

        def together[*Ts, **P](*ys: *Ts) -> float:
            return sum(ys)

        return twice(x) * together(x, x * x)
    """,
    0.7,
    since=(3, 12),
)


@row.refused(
    "`async def` as the function itself",
    0.7,
    says="async",
    instead="`def`: nothing of a derivative can wait",
    names_line=False,
)
async def asynchronous(x):
    return x * x


@row.refused(
    "`async for` and `async with`",
    0.7,
    says="async",
    instead="`for` and `with`",
)
def asynchronous_statements(x):
    async def values():
        yield x

    async def total():
        result = 0.0
        async for v in values():
            result += v
        async with None:
            pass
        return result

    return total().send(None)


@row("a branch that reads a view of what a recursive function gives", array(3), 1)
def branch_after_recursion(x, n):
    def same(v, k):
        return v if k <= 0 else same(v * 1.0, k - 1)

    v = same(x, 1)
    w = x.copy() if n > 0 else np.sin(v[None])
    return w[1] * v[0]


@row("a recursive function that returns its argument, which is changed afterwards", array(3), 1)
def result_of_recursion_is_changed(x, n):
    def same(v, k):
        return v if k <= 0 else same(v, k - 1)

    v = same(np.exp(x), n)
    v += 0.5
    return np.sum(v)
