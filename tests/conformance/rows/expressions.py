"""Operators, literals, calls, subscripts, strings."""

import math

import numpy as np
from support.programs import array

from ..table import category

row = category("Expressions")


@row("`+`, `-`, `*`, `/`, `**`, on numbers", 0.7, 1.9)
def arithmetic(x, y):
    return (x + y) * (x - y) / (1.0 + x * y) ** 2 + x**y


@row("unary `-`, `+`", 0.7)
def signs(x):
    return -x * +x - (-(x**3))


@row("`//` and `%`", 7.3, 2.1)
def quotient_and_remainder(x, y):
    return (x // y) * x + (x % y) ** 2


@row("`divmod`", 7.3, 2.1)
def by_divmod(x, y):
    q, r = divmod(x, y)
    return q * r + r * y


@row("`@`", array(2, 3), array(3))
def matrix_times_vector(a, v):
    return np.sum((a @ v) ** 2)


@row("operators on arrays, with broadcasting", array(2, 3), array(3))
def broadcast_operators(m, v):
    return np.sum((m + v) * (m - 2.0) / (1.0 + v**2) + v[:2, None] * 0.5)


@row("bitwise operators on masks, `&`, `|`, `^`, `~`", array(5))
def masks(x):
    inside = (x > -1.0) & (x < 1.0) | (x > 5.0)
    outside = ~inside ^ np.zeros(5, bool)
    return np.sum(x[inside] ** 2) + np.sum(np.where(outside, x, 0.0))


@row("shifts and bits of integers, `<<`, `>>`", array(4))
def shifted_integers(x):
    n = 1 << 2
    n >>= 1
    n |= 1
    n &= 3
    n ^= 0
    n <<= 1
    return x[n // 3] * x[~n + 8] * n


@row("comparison of arrays as numbers", array(4))
def comparison_as_a_number(x):
    return np.sum((x > 0) * x * x)


@row("integer literals, `True` as a number, large and complex literals", 0.7)
def literals(x):
    return x * 3 + True * x**2 + x * 1e-3 + (2.0 + 0.5j).real * x + x * 1_000 + x * 0x10


@row("a conditional expression as an operand", 0.7)
def conditional_operand(x):
    return 2.0 * (x if x > 0 else -x) + (1 if x else 2) * x


@row("a lambda that is called at once", 0.7)
def immediate_lambda(x):
    return (lambda t, s=2.0: t * s + x)(np.sin(x))


@row("attribute access on a module and an array", array(2, 3))
def attributes(m):
    return np.sum(m.T @ m) * m.shape[0] + m.real[0, 0] * np.pi + m.size * m.ndim


@row("methods of arrays", array(2, 3))
def array_methods(m):
    return m.sum() * m.mean(axis=0).max() + m.dot(m.T).trace() + m.reshape(3, 2).flatten()[2]


@row("subscripts: integers, negative, tuples", array(3, 4))
def subscripts(m):
    return m[0, 1] * m[-1, -2] + m[1][2] ** 2 + m[(2, 0)]


@row("slices, with steps and negative bounds", array(6))
def slices(x):
    return np.sum(x[1:4] * x[::-2]) + np.sum(x[-3:] ** 2) + np.sum(x[:-4]) + np.sum(x[:])


@row("`...` and `None` in a subscript", array(2, 3))
def ellipsis_and_newaxis(m):
    return np.sum(m[..., None, 0] * m[None, :, 1:2].sum(axis=0)) + np.sum(m[...] ** 2)


@row("fancy subscripts: lists and integer arrays", array(5))
def fancy_subscripts(x):
    order = np.array([0, 0, 3])
    return np.sum(x[order] ** 2) + np.sum(x[[4, 1]] * x[order[:2]])


@row("boolean subscripts", array(6))
def boolean_subscripts(x):
    return np.sum(x[x > 0] ** 2) + np.sum(x[np.array([True, False] * 3)])


@row("a slice object, `slice(a, b)`, `np.s_`", array(5))
def slice_objects(x):
    part = slice(1, 4)
    return np.sum(x[part] ** 2) + np.sum(x[np.s_[::2]])


@row("an active index that is computed from the values", array(4))
def computed_index(x):
    i = int(np.argmax(x))
    return x[i] ** 2 + x[np.argsort(x)[0]]


@row("f-strings, with formats and conversions", 0.7)
def formatted(x):
    text = f"x = {x:.3f} {x!r:>10} {{}} {'nested ' + f'{x}'}"
    return x * x * len(text[:3])


@row("`%` and `format` of text", 0.7)
def formatted_by_methods(x):
    text = "%.2f and %s" % (x, x) + "{:.1f}".format(x)
    return x * (2.0 if text else 3.0)


@row("text and bytes as constants", 0.7)
def constants_of_text(x):
    kind = "a" + "b" * 2
    return x**3 if kind == "abb" and b"x" != b"y" else x


@row("tuple, list, dict and set displays", 0.7)
def displays(x):
    t = (x, x * x)
    xs = [t[0], np.sin(x)]
    d = {"a": xs[1], **{"b": t[1]}}
    s = {1, 2}
    return d["a"] * d["b"] * xs[0] + len(s) * x


@row("indexing a display", 0.7, 1)
def indexed_display(x, i):
    return (x, x * x, x**3)[i] + [np.sin(x), np.cos(x)][i] * {0: x, 1: 2.0 * x}[i]


@row("concatenation and repetition of lists and tuples", 0.7)
def joined_lists(x):
    xs = [x, x * x] + [2.0 * x] * 2
    t = (x,) * 2 + (np.sin(x),)
    return sum(xs) * sum(t)


@row("`len`, `abs`, `round`, `min`, `max`, `sum`, `pow`", array(4))
def builtins(x):
    y = abs(x[0]) + min(x) * max(x[1], x[2]) + sum(x, 0.5) + pow(x[3], 2)
    return y * len(x) + round(x[0])


@row("functions of `math`", 0.7)
def math_functions(x):
    return math.sin(x) * math.exp(x) + math.hypot(x, 1.0) + math.log(x, 2) * math.pi


@row("`math.floor`, `math.ceil`, `np.sign`, `np.round`: steps", 2.3)
def steps(x):
    return math.floor(x) * x + math.ceil(x) * x**2 + np.sign(x) * x + np.round(x) * x


@row("evaluation order of operands with effects", array(2))
def evaluation_order(x):
    def first():
        x[0] = x[0] * 2.0
        return x[0]

    def second():
        x[0] = x[0] + 1.0
        return x[0]

    return first() * second() - x[0]


@row("the operand is read before a call changes it", array(2))
def read_before_it_changes(x):
    def change():
        x[0] = 5.0
        return x[1]

    return x[0] * change() + x[0]


@row("keyword arguments of NumPy functions", array(2, 3))
def keywords(m):
    return np.sum(np.sum(m, axis=1, keepdims=True) ** 2) + np.mean(m, axis=0)[1]


@row("a long chain of operations in one expression", 0.7)
def long_chain(x):
    return (((((x + 1) * x + 2) * x + 3) * x + 4) * x + 5) * x + 6


@row("comparison with an array's `item`", array(3))
def compared_item(x):
    return x[0] if x[0].item() > 10 else x[1] ** 2


@row("`np.where`, `np.select`, `np.piecewise`-like choices", array(5))
def array_choices(x):
    y = np.where(x > 0, x**2, -x)
    return np.sum(y) + np.sum(np.clip(x, -0.5, 0.5) * x)


@row("`await`", 0.7, status="refused", says="async", instead="call a plain function")
def awaits(x):
    async def slow(y):
        return y * y

    async def wait():
        return await slow(x)

    return wait().send(None)
