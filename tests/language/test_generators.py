"""Generator functions and kept generator expressions, where loops and builtins walk them."""

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad

programs = []
program = table(programs)


def powers(x, n):
    y = x
    for _ in range(n):
        yield y
        y = y * x


def orbit(x):
    while True:
        yield x
        x = 3.2 * x * (1.0 - x)


def leaves(tree):
    if isinstance(tree, (list, tuple)):
        for part in tree:
            yield from leaves(part)
    else:
        yield tree


class Series:
    def __init__(self, x, n):
        self.x, self.n = x, n
        self.asked = 0

    def __iter__(self):
        for i in range(self.n):
            self.asked += 1
            yield self.x * i


@program(1.5, 4)
def summed(x, n):
    total = 0.0
    for y in powers(x, n):
        total += y * y
    return total


@program(0.3)
def left_by_break(x):
    total = 0.0
    for k, y in enumerate(orbit(x)):
        if k > 4:
            break
        total += y
    return total * k


@program(0.9)
def counted_inside_of_one_that_is_counted(x):
    total = 0.0
    for i, y in enumerate(powers(x, 4)):
        if y > 0.8:
            total += i * y * y
        else:
            for j, z in enumerate(powers(y, 4), 2):
                total += j * z**3 * (i + 1)
                if z < 0.4:
                    break
    return total


@program(0.9)
def counted_in_a_loop_of_one_that_is_counted(x):
    total = 0.0
    for i, y in enumerate(powers(x, 4)):
        total += i * y
        for _ in range(i):
            for j, z in enumerate(powers(y, 3)):
                if i == 1 and j == 2:
                    break
                if i == 3:
                    return total
                total += j * z * z
    return total


@program(0.3)
def left_by_return(x):
    total = 0.0
    for y in orbit(x):
        total = total + y
        if total > 2.0:
            return total * y
    return total


@program(1.5, 5)
def continue_and_else(x, n):
    total = 0.0
    for y in powers(x, n):
        if y < 3.0:
            continue
        total += y
    else:
        total = total * x
    return total


@program(1.5, 5)
def else_is_skipped(x, n):
    for y in powers(x, n):
        if y > 3.0:
            break
    else:
        y = y * 100
    return y


@program(array(3))
def consumed_by_builtins(x):
    def squares():
        for v in x:
            yield v * v

    return sum(squares()) * list(squares())[1] + max(squares()) + np.sum(np.array(list(squares())))


@program(1.5)
def yields_one_by_one(x):
    def three():
        yield x
        if x > 1:
            yield x * x
        yield 3.0 * x

    total = 0.0
    for k, y in enumerate(three(), 1):
        total = total * x + k * y
    return total


@program(1.5)
def body_changes_what_the_generator_reads(x):
    k = 1.0

    def steps():
        for i in range(3):
            yield k * i

    total = 0.0
    for step in steps():
        k = k + x
        total = total + step * k
    return total


@program(1.5)
def generators_on_generators(x):
    def shifted(values, by):
        for v in values:
            yield v + by
            yield v - by

    total = 1.0
    for v in shifted(shifted(powers(x, 2), 0.5), x):
        total = total * v
    return total


@program([1.5, (2.0, [0.5]), -1.0])
def recursive_over_a_tree(tree):
    total = 0.0
    for k, leaf in enumerate(leaves(tree)):
        total = total + leaf * leaf * (k + 1)
    return total


@program(1.5)
def iterable_object(x):
    s = Series(x, 4)
    total = 0.0
    for value in s:
        total += value * value
    return total * s.asked + sum(list(s))


@program(1.5)
def delegates(x):
    def inner(y):
        yield y
        yield y * y

    def outer():
        yield from inner(x)
        yield from [x, 2.0]
        yield from (x * k for k in range(3))

    total = 0.0
    for v in outer():
        total = total * 0.5 + v
    return total


@program(1.5)
def kept_expression_is_bound_late(x):
    k = 2.0
    values = (k * x * i for i in range(3) if i != 1)
    k = 3.0
    total = 0.0
    for value in values:
        total += value**2
    return total


@program(array(2, 3))
def kept_expression_of_two_loops(x):
    products = (row[i] * row[j] for row in x for i in range(3) for j in range(i))
    return sum(products)


@program(1.5)
def loop_in_a_loop(x):
    total = 0.0
    for i in range(3):
        for y in powers(x, 2):
            total += y * i
            if total > 5.0:
                break
    return total


@program(1.5)
def bare_yields_count(x):
    def ticks(n):
        for _ in range(n):
            yield

    for tick in ticks(3):
        x = x * x if tick is None else x
    return x


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


def test_printed():
    text = ad.source(summed, 1.5, 4)
    lines = [line.strip() for line in text.splitlines() if "#" not in line]
    assert sum(line.startswith("for ") for line in lines) == 2
    assert not any("yield" in line or "powers" in line for line in lines)


def walked_twice(x):
    values = powers(x, 3)
    first = sum(values)
    return first + sum(values)  # here


def walked_in_a_loop(x):
    values = powers(x, 3)
    total = 0.0
    for _ in range(2):
        for v in values:  # here
            total = total + v
    return total


def asked_for_one(x):
    values = powers(x, 3)
    return next(values) * x  # here


def kept_in_a_list(x):
    made = []
    for i in range(2):
        made.append(powers(x, i))  # here
    return sum(made[1])


def walked_beside_another(x):
    total = 0.0
    for k, (v, w) in enumerate(zip([1.0, 2.0], powers(x, 2), strict=False)):  # here
        total = total + v * w * k
    return total


@pytest.mark.parametrize(
    "fn, says",
    [
        (walked_beside_another, "`zip` of a generator"),
        (walked_twice, "walked a second time"),
        (walked_in_a_loop, "walked a second time, or in a loop"),
        (asked_for_one, "given to `next`"),
        (kept_in_a_list, "put into a list"),
    ],
)
def test_refused(fn, says, typed_only):
    with pytest.raises(ad.UnsupportedSyntaxError, match=says):
        ad.grad(fn)(1.5)
