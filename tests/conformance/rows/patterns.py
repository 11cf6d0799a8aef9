"""`match` and its patterns."""

from dataclasses import dataclass

import numpy as np
from support.programs import array

from ..table import category

row = category("Patterns")


@row("`match` with literals and `_`", 0.7, "cos")
def by_name(x, name):
    match name:
        case "sin":
            y = np.sin(x)
        case "cos":
            y = np.cos(x)
        case _:
            y = x
    return y * x


@row("a pattern with alternatives, `a | b`", 0.7, 2)
def alternatives(x, k):
    match k:
        case 0 | 1:
            return x
        case 2 | 3:
            return x**k
    return 0.0 * x


@row("a capture pattern", 0.7)
def captures(x):
    match x * x:
        case y:
            return y * x


@row("a guard", 0.7)
def guarded_cases(x):
    match x:
        case y if y > 1:
            return y
        case y if y > 0:
            return np.sin(y) * x
        case _:
            return -x


@row("sequence patterns, with a star", [0.5, 1.2, -0.7])
def sequences(xs):
    match xs:
        case []:
            return 0.0
        case [a]:
            return a
        case [first, *rest]:
            return first * sum(rest)


@row("nested sequence patterns and `as`", 0.7)
def nested_sequences(x):
    match (x, (np.sin(x), x * x)):
        case (a, (b, c) as pair):
            return a * b + c * pair[0]
    return x


@row("mapping patterns, with the rest", {"kind": "scale", "factor": 2.5, "shift": 0.3})
def mappings(step):
    match step:
        case {"kind": "scale", "factor": k, **rest}:
            return k * k + rest["shift"]
        case {"kind": "none"}:
            return 0.0
    return 1.0


@dataclass
class Circle:
    radius: float


@dataclass
class Rectangle:
    width: float
    height: float


def area(shape):
    match shape:
        case Circle(radius=r):
            return np.pi * r**2
        case Rectangle(w, h):
            return w * h
    raise TypeError("no such shape")


@row("class patterns, by position and by keyword", 0.7)
def class_patterns(x):
    return area(Circle(x)) * area(Rectangle(x, np.sin(x)))


@row("class patterns of builtin types, `float()`, `int(n)`", 0.7)
def builtin_class_patterns(x):
    match x:
        case int(n):
            return n
        case float(value):
            return value**3
    return 0.0


@row("value patterns with dots, and singletons", 0.7, None)
def dotted_values(x, option):
    match option:
        case np.pi:
            return x
        case True | False:
            return 2.0 * x
        case None:
            return x * x
    return 0.0


@row("a literal pattern on an active value", 2.0)
def literal_of_active_value(x):
    match x:
        case 3.0:
            return x
        case _:
            return x * x


@row("`match` in a loop, with `continue` and `break`", array(4))
def match_in_a_loop(x):
    total = 0.0
    for i, value in enumerate(x):
        match i:
            case 0:
                continue
            case 3:
                break
            case k:
                total += k * value**2
    return total


@row("a pattern that fails after it has bound names", 0.7)
def partly_matched(x):
    match (x, x * x, 3):
        case (a, b, 4):
            y = a
        case (a, b, 3):
            y = b * a
    return y
