"""Names, assignment, deletion, unpacking."""

import numpy as np
from support.programs import array

from ..table import category

row = category("Names and assignment")


@row("assignment", 1.3)
def kinetic_energy(v):
    mass = 2.0
    energy = 0.5 * mass * v**2
    return energy


@row("a name that is assigned again", 0.7)
def squared_three_times(x):
    x = x * x
    x = x * x
    x = x * x
    return x


@row("a name that changes its type", array(3))
def number_then_array(x):
    y = 2.0
    y = y * x
    y = np.sum(y)
    return y * y


@row("chained assignment, `a = b = value`", 0.7)
def both_names(x):
    a = b = np.sin(x)
    a = a * 2
    return a * b


@row("two names of one number", 0.7)
def name_of_a_number(x):
    y = x
    y += 1.0
    return x * y


@row("augmented assignment, every arithmetic operator", 2.3)
def every_augmented(x):
    y = x
    y += 1.5
    y -= 0.5 * x
    y *= x
    y /= 1.0 + x
    y **= 2
    y //= 0.01
    y %= 700.0
    return y + x * x


@row("`@=`", array(2, 2), array(2, 2))
def matrix_product_in_place(a, b):
    a @= b
    return np.sum(a * a)


@row("annotated assignment, `y: float = x`", 0.7)
def annotated(x: float) -> float:
    y: float = np.exp(x)
    z: "float"
    z = y * x
    return z


@row("an annotated attribute and item, without a value", 0.7)
def annotated_places(x):
    values = [x, x * x]
    values[0]: float = 2.0 * x
    values[1]: float
    return values[0] * values[1]


@row("unpacking a tuple", 0.7)
def unpacked_pair(x):
    a, b = x * x, np.sin(x)
    return a * b


@row("unpacking nested tuples and lists", 0.7)
def unpacked_nested(x):
    (a, [b, c]), d = (x, [x * x, np.sin(x)]), np.cos(x)
    return a * b + c * d


@row("unpacking an array", array(3))
def unpacked_array(x):
    a, b, c = x
    return a * b * c


@row("unpacking rows of a matrix", array(2, 3))
def unpacked_rows(m):
    first, second = m
    return first @ second


@row("starred target, `first, *rest = xs`", array(4))
def head_and_tail(x):
    first, *middle, last = x
    return first * last + sum(middle) * first


@row("starred target in a list pattern", 0.7)
def starred_in_list(x):
    [a, *rest] = x, x * x, x**3
    return a * rest[0] + rest[-1]


@row("swap, `a, b = b, a`", 0.7, 1.9)
def swapped_numbers(x, y):
    x, y = y, x
    return x / (1.0 + y * y)


@row("assignment to items in one statement, in order", array(3))
def items_in_order(x):
    i = 0
    i, x[i] = 1, x[1] * x[2]
    return x[0] * x[i]


@row("walrus, `(y := e)`", 0.7)
def walrus(x):
    return (y := np.sin(x)) * y + y


@row("walrus in a condition", 3.7)
def walrus_in_a_condition(x):
    if (root := np.sqrt(x)) > 1.0:
        return root * x
    return x


@row("walrus in a `while` test", 0.9)
def walrus_in_a_while(x):
    total = 0.0
    while (term := x * np.exp(-total)) > 0.3:
        total += term
    return total


@row("walrus in a comprehension binds in the function", 0.7)
def walrus_in_a_comprehension(x):
    last = x
    powers = [last := last * x for _ in range(3)]
    return sum(powers) * last


@row("`del` of a name", 0.7)
def deleted_name(x):
    y = x * x
    z = y * 2.0
    del y
    return z * x


@row("`del` of several names", 0.7)
def deleted_names(x):
    a, b = x, x * x
    c = a * b
    del a, b
    return c


@row.no_effect("`pass`, a docstring, a constant as a statement", 0.7)
def nothing_happens(x):
    """A function with statements that do nothing."""
    pass
    ...
    1.5
    return x * x


@row("`global`, a global that is read", 0.7)
def reads_a_global(x):
    global GAIN
    return GAIN * x * x


GAIN = 1.5
TALLY = 0.0


def forget_the_tally():
    global TALLY
    TALLY = 0.0


@row("`global`, a global that is written and read again", 0.7, reset=forget_the_tally)
def writes_a_global(x):
    global TALLY
    TALLY = x * x
    TALLY += x
    return TALLY * 2.0


def add_to_tally(value):
    global TALLY
    TALLY = TALLY + value


@row("`global`, written by a helper", 0.7, reset=forget_the_tally)
def helper_writes_a_global(x):
    add_to_tally(x * x)
    add_to_tally(np.sin(x))
    return TALLY


@row("`nonlocal`, written by an inner function", 0.7)
def inner_function_counts_up(x):
    total = 0.0

    def add(value):
        nonlocal total
        total += value

    add(x)
    add(x * x)
    return total


@row("`nonlocal`, a counter that is kept between calls of a closure", 0.7)
def accumulating_closure(x):
    def accumulator():
        total = 1.0

        def multiply(value):
            nonlocal total
            total *= value
            return total

        return multiply

    running = accumulator()
    return running(x) + running(np.sin(x)) + running(2.0 * x)


@row("a local name that hides a builtin", array(3))
def hides_a_builtin(x):
    sum = np.sum(x)
    max = sum * sum
    return max


@row("names with letters beyond ASCII", 0.7)
def greek(θ):
    λ = 2.0
    return np.exp(-λ * θ)


@row("`import` inside the function", 0.7)
def local_import(x):
    import math

    return math.sin(x) * x


@row("`from ... import ... as ...` inside the function", 0.7)
def local_from_import(x):
    from math import cos as cosine
    from math import sin

    return sin(x) * cosine(x)


@row("several statements on a line", 0.7)
def on_one_line(x):
    a = x * x; b = np.sin(a)  # fmt: skip
    return a * b
