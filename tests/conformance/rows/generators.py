"""Generator functions."""

import itertools

import numpy as np
from support.programs import array

from ..table import category

row = category("Generators")


@row("a generator function, walked by `for`", array(4))
def pairs_of_neighbours(x):
    def neighbours(values):
        for i in range(len(values) - 1):
            yield values[i], values[i + 1]

    total = 0.0
    for a, b in neighbours(x):
        total += (b - a) ** 2
    return total


@row("a generator with state, walked in part", 0.7)
def logistic_map(x):
    def orbit(y):
        while True:
            yield y
            y = 3.2 * y * (1.0 - y)

    total = 0.0
    for k, y in enumerate(orbit(x)):
        if k > 4:
            break
        total += y
    return total


@row("`sum`, `list`, `max` of a generator function", array(3))
def consumed_by_builtins(x):
    def squares():
        for v in x:
            yield v * v

    return sum(squares()) * list(squares())[1] + max(squares())


@row("`next` and `send`", 0.7)
def sends(x):
    def running():
        total = 0.0
        while True:
            value = yield total
            total = total * 0.5 + value

    average = running()
    next(average)
    average.send(x)
    return average.send(x * x) * x


@row("`yield from`", array(3))
def delegates(x):
    def halves(v):
        yield v / 2.0
        yield v * v

    def everything(values):
        for v in values:
            yield from halves(v)

    return sum(everything(x))


@row("the value of `yield from`", 0.7)
def value_of_yield_from(x):
    def counted(y):
        yield y
        return y * y

    def outer(y):
        result = yield from counted(y)
        yield result * x

    return sum(outer(x))


@row("`return` in a generator, and `StopIteration`", 0.7)
def stop_iteration(x):
    def one(y):
        yield y
        return y * y

    values = one(x)
    first = next(values)
    try:
        next(values)
    except StopIteration as stop:
        return stop.value * first
    return first


@row("`try` and `finally` in a generator that is closed", array(2))
def closed_generator(x):
    def careful():
        try:
            yield x[0] ** 2
            yield x[1] ** 2
        finally:
            x[0] = 3.0

    values = careful()
    first = next(values)
    values.close()
    return first * x[0] + x[1]


@row("a generator that changes an array between its values", array(3))
def changes_between(x):
    def steps(v):
        for i in range(3):
            v[i] *= 2.0
            yield v[i]

    total = 0.0
    for value in steps(x):
        total += value * x[0]
    return total


@row("generators in `zip`, `enumerate`, `itertools`", array(4))
def generators_combined(x):
    def shifted(by):
        for v in x:
            yield v + by

    total = 0.0
    for i, (a, b) in enumerate(zip(shifted(0.5), shifted(1.0))):
        total += i * a * b
    return total + sum(itertools.islice(shifted(2.0), 2))


@row("a recursive generator", [0.5, [1.2, [-0.3, 0.7]]])
def flattened(tree):
    def leaves(node):
        if isinstance(node, list):
            for child in node:
                yield from leaves(child)
        else:
            yield node

    return sum(np.sin(v) * v for v in leaves(tree))


@row("a class with `__iter__` as a generator", array(3))
def iterable_class(x):
    class Grid:
        def __init__(self, values):
            self.values = values

        def __iter__(self):
            for v in self.values:
                yield v * v

    return sum(Grid(x)) + sum(np.sin(v) for v in Grid(x))


@row("a class with `__next__`", 0.7)
def iterator_class(x):
    class Powers:
        def __init__(self, base, n):
            self.base, self.n, self.value = base, n, 1.0

        def __iter__(self):
            return self

        def __next__(self):
            if self.n == 0:
                raise StopIteration
            self.n -= 1
            self.value = self.value * self.base
            return self.value

    return sum(Powers(x, 4))


@row.refused(
    "a generator function as the function itself",
    0.7,
    says="generator",
    instead="return the sum or the list of what is yielded",
    names_line=False,
    modes=("reverse",),
)
def yields(x):
    yield x * x
