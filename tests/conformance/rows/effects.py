"""What a function does besides its result."""

import random
import time

import numpy as np
from support.programs import array

from ..table import category

row = category("Effects and the world outside")


@row.no_effect("`print`", 0.7)
def prints(x):
    print("x is", x)
    y = x * x
    print(f"{y:.3f}", end="!\n")
    return y


@row.no_effect("`print` in a loop and in a helper", array(3))
def prints_in_a_loop(x):
    def report(i, value):
        print(i, round(float(value), 6))
        return value

    total = 0.0
    for i, value in enumerate(x):
        total += report(i, value**2)
    return total


@row.no_effect("`print` of an array, a list and a dict", array(2))
def prints_containers(x):
    print(x, [x[0], 1], {"x": x[1]})
    return np.sum(x * x)


LOG = []


@row.no_effect("a list of the module that is appended to", 0.7, reset=LOG.clear)
def logs(x):
    LOG.append(round(x, 3))
    return x * x * len(LOG)


@row.no_effect("`time`", 0.7)
def takes_time(x):
    start = time.perf_counter()
    assert time.perf_counter() >= start
    return x * x


@row.no_effect("random numbers of a seeded generator", array(3))
def with_noise(x):
    rng = np.random.default_rng(3)
    noise = rng.normal(size=3)
    return np.sum((x + noise) ** 2) * random.Random(1).random()


@row("a random number scaled by an active value", 0.7)
def reparametrised(x):
    rng = np.random.default_rng(3)
    return np.sum((x * rng.standard_normal(4) + 1.0) ** 2)


@row.no_effect("a comment, a type comment, a docstring", 0.7)
def documented(x):
    # A comment.
    y = x * x  # type: float
    "A text that stands alone."
    return y


@row.no_effect("files and text streams", 0.7)
def writes_text(x):
    import io

    stream = io.StringIO()
    stream.write(f"{x}\n")
    return x * x * len(stream.getvalue().splitlines())


@row.no_effect("work that the result does not need", 0.7)
def unneeded(x):
    y = np.exp(x)
    z = y * y
    return x * x


@row.no_effect("a result that does not depend on the argument", 0.7)
def constant_result(x):
    return 3.0


@row(
    "a list argument of which an element changes in place and another is replaced",
    [array(2), array(2)],
)
def element_changed_and_replaced(xs):
    total = np.sum(xs[0] * xs[1])
    xs[1] += 0.5
    xs[0] = 0.117
    return total
