"""`match`: literals, sequences, mappings, classes, captures, guards, alternatives."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad
from adjoint.types import is_sequence

programs = []
program = table(programs)


@dataclass
class Circle:
    radius: float


class Box(NamedTuple):
    width: float
    height: float


class Named:
    __match_args__ = ("x", "name")

    def __init__(self, x, name):
        self.x, self.name = x, name


@program(0.7, "cos")
@program(0.7, "sin")
def text(x, name):
    match name:
        case "sin":
            y = np.sin(x)
        case "cos" | "cosine":
            y = np.cos(x)
        case _:
            y = x
    return y * x


@program(2.5)
@program(3.5)
@program(-1.5)
def values_of_the_run(x):
    match x:
        case 2.0 | 3.0:
            return x * x
        case y if y > 3:
            return y**3
        case -1:
            return 5 * x
    return x


@program([0.5, 1.2, -0.7])
@program([0.5])
@program([0.5, 2.0])
def sequences(xs):
    match xs:
        case []:
            return 0.0
        case [a]:
            return a * a
        case [a, b]:
            return a * b
        case [first, *middle, last]:
            return first * sum(middle) * last


@program(0.7)
def nested(x):
    match (x, (np.sin(x), [x * x, 3]), {"k": x}):
        case (a, (b, [c, 4]), _):
            return a
        case (a, (b, [c, 3]) as pair, {"k": k, **rest}):
            return a * b + c * pair[0] * k + len(rest)


@program(0.7, 2)
def guard_that_falls_through(x, n):
    y = x
    match n:
        case k if k > 5:
            y = x * k
        case k if x > 100:
            y = x * k * 2
        case 2:
            y = y * k * x
    return y


@program(0.7)
def classes(x):
    total = 0.0
    for shape in (Circle(x), Box(x, 2 * x), Named(x, "a"), Named(x, "b"), 3.0, None):
        match shape:
            case Circle(radius=r):
                total = total + r * r
            case Box(w, h):
                total = total + w * h
            case Named(v, "b"):
                total = total + v * 5
            case Named(v, name) if name == "a":
                total = total + v * v * v
            case float(v) | int(v):
                total = total + v * x
            case None:
                total = total * x
    return total


@program(array(4))
def in_a_loop(x):
    total = 0.0
    for i, value in enumerate(x):
        match i % 3:
            case 0:
                continue
            case 1 if value > 10:
                break
            case k:
                total += k * value**2
    return total * k


@program({"kind": "scale", "factor": 2.5, "shift": 0.3})
def mappings(step):
    match step:
        case {"kind": "none"}:
            return 0.0
        case {"kind": "scale", "factor": k, **rest}:
            return k * k + rest["shift"]


def array_taken_apart(x):
    match x:
        case [a, _, _]:
            return a
        case y:
            return np.sum(y * y)


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


def test_texts_are_decided_when_compiled():
    assert ad.source(text, 0.7, "sin").count("if") == 0


def test_a_value_that_fits():
    assert ad.value_and_grad(values_of_the_run)(2.0) == (4.0, 4.0)
    assert ad.value_and_grad(values_of_the_run)(3.0) == (9.0, 6.0)
    assert ad.value_and_grad(values_of_the_run)(-1.0) == (-5.0, 5.0)


def unknown_alternative(x):
    match (x, 2 * x):
        case (1.0, y) | (y, 1.0):  # here
            return y
    return x


def test_an_array_is_no_sequence_before_numpy_2_5():
    x = np.array([1.0, 2.0, 3.0])
    if is_sequence(np.ndarray):
        with pytest.raises(ad.UnsupportedSyntaxError, match="taken apart by a pattern"):
            ad.grad(array_taken_apart)(x)
    else:
        np.testing.assert_array_equal(ad.grad(array_taken_apart)(x), 2 * x)


def test_refused(typed_only):
    with pytest.raises(ad.UnsupportedSyntaxError, match="which alternative of this pattern"):
        ad.grad(unknown_alternative)(0.5)
