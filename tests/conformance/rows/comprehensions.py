"""Comprehensions and generator expressions."""

import math

import numpy as np
from support.programs import array

from ..table import category

row = category("Comprehensions")


@row("a list comprehension", array(4))
def list_comprehension(x):
    squares = [v**2 for v in x]
    return sum(squares) * squares[0]


@row("with a condition, and several", array(5))
def filtered(x):
    return sum([v**2 for v in x if v > -0.5 if v < 2.0])


@row("with a condition that depends on position", array(4))
def by_position(x):
    return sum([v * i for i, v in enumerate(x) if i % 2])


@row("nested `for`, the second depends on the first", array(3))
def nested_for(x):
    return sum([x[i] * x[j] for i in range(3) for j in range(i + 1)])


@row("a comprehension in a comprehension", array(2, 3))
def nested_comprehension(m):
    transposed = [[m[i, j] for i in range(2)] for j in range(3)]
    return transposed[2][0] * transposed[0][1]


@row("`np.array` of a comprehension", array(3))
def array_of_a_comprehension(x):
    table = np.array([[a * b for a in x] for b in x])
    return np.sum(np.sin(table))


@row("a dict comprehension", 0.7)
def dict_comprehension(x):
    powers = {k: x**k for k in range(1, 4)}
    return powers[1] * powers[3] + sum(powers.values())


@row("a dict comprehension over items, with a condition", {"a": 0.5, "b": 1.5, "c": -0.4})
def filtered_dict(params):
    positive = {k: v * v for k, v in params.items() if v > 0}
    return sum(positive.values()) * params["c"]


@row("a set comprehension of what is not differentiated", array(4))
def set_comprehension(x):
    parities = {i % 2 for i in range(4)}
    total = 0.0
    for p in sorted(parities):
        total += x[p] ** 2
    return total


@row("a set comprehension of active numbers", 0.7)
def set_of_active_numbers(x):
    return sum({x * k for k in range(3)}) * x


@row("a generator expression in `sum`", array(4))
def sum_of_a_generator(x):
    return sum(v * v for v in x)


@row("a generator expression in `min`, `max`", array(4))
def extremes_of_a_generator(x):
    return max(v * v for v in x) + min(math.sin(v) for v in x)


@row("a generator expression in `any`, `all`", array(4))
def tested_by_a_generator(x):
    if any(v > 100 for v in x) or not all(v < 200 for v in x):
        return np.sum(x)
    return np.sum(x**2)


@row("a generator expression in `list`, `tuple`, `dict`, `sorted`", array(3))
def made_from_generators(x):
    a = list(v * 2 for v in x)
    b = tuple(v * v for v in x)
    c = dict((i, v) for i, v in enumerate(x))
    d = sorted(-v for v in x)
    return a[0] * b[1] + c[2] * d[0]


@row("a generator expression in a NumPy function, by `list`", array(3))
def array_from_a_generator(x):
    z = np.array(list(np.sin(v) for v in x))
    return z @ z


@row("`np.fromiter`", array(3))
def array_from_an_iterator(x):
    return np.sum(np.fromiter((v * v for v in x), float))


@row("a generator expression in `math.prod`, `math.fsum`", array(3))
def products_of_generators(x):
    return math.prod(1.0 + v for v in x) + math.fsum(v * v for v in x)


@row("a generator expression in `str.join`, for its effect", 0.7)
def joined(x):
    text = ", ".join(f"{x * k:.2f}" for k in range(3))
    return x * x * len(text)


@row("a generator expression that is walked later, with late binding", 0.7)
def walked_later(x):
    k = 2.0
    values = (k * x * i for i in range(3))
    k = 3.0
    total = 0.0
    for value in values:
        total += value**2
    return total


@row("a generator expression that is consumed in part", array(4))
def consumed_in_part(x):
    squares = (v * v for v in x)
    first = next(squares)
    second = next(squares)
    return first * second


@row("unpacking a generator expression", array(3))
def unpacked_generator(x):
    a, *rest = (v * v for v in x)
    return a * rest[1] + sum([*(np.sin(v) for v in rest)])


@row("a comprehension's name hides a name outside", array(3))
def hidden_name(x):
    v = 2.0
    total = sum([v * v for v in x])
    return total * v


@row("a call in a comprehension that changes an array", array(3))
def changes_in_a_comprehension(x):
    y = np.zeros(3)

    def put(i):
        y[i] = x[i] ** 2
        return y[i]

    values = [put(i) for i in range(3)]
    return sum(values) * np.sum(y)


@row("a starred list display", array(3))
def starred_display(x):
    values = [1.0, *x, *(2.0 * x)]
    return sum(v * v for v in values)


@row.refused(
    "an async comprehension",
    0.7,
    says="async",
    instead="a plain comprehension",
)
def async_comprehension(x):
    async def values():
        yield x

    async def collect():
        return [v async for v in values()]

    return collect().send(None)
