"""Conversions on the active path."""

import numpy as np
from support.programs import array

import adjoint as ad

from ..table import category

row = category("Conversions")


@row("`float(x)` of a number", 0.7)
def to_float(x):
    return float(x * x) * x


@row("`float(x)` of an array of one element, `x.item()`", array(1))
def one_element(x):
    return float((x * x)[0]) * x.item() + x.sum().item()


@row("`float` of a NumPy number", array(3))
def numpy_number(x):
    return float(np.sum(x * x)) * float(x[0])


@row.no_effect("`int(x)`, a step: derivative zero", 2.7)
def to_int(x):
    return int(x) * x * x


@row.no_effect("`bool(x)`", 2.7)
def to_bool(x):
    return bool(x) * x * x


@row("`complex(x)`, `.real`, `.imag`, `conjugate`", 0.7)
def to_complex(x):
    z = complex(x, x * x)
    w = z * z.conjugate()
    return w.real + (z * z).imag


@row("complex arithmetic of arrays, `np.real`, `np.imag`, `np.abs`, `np.angle`", array(3))
def complex_arrays(x):
    z = np.exp(1j * x) * (1.0 + x)
    return np.sum(np.real(z) * np.imag(z)) + np.sum(np.abs(z) ** 2) + np.sum(z.real)


@row("`np.asarray`, `np.array` of a number and of a list", 0.7)
def to_array(x):
    y = np.asarray(x) * x
    z = np.array([x, x * x, 1.0])
    return y * np.sum(z * z)


@row("`np.array` of nested lists", 0.7)
def nested_lists_to_array(x):
    m = np.array([[x, 1.0], [x * x, np.sin(x)]])
    return np.sum(m @ m)


@row("`np.array` of a list of arrays", array(3))
def arrays_to_array(x):
    m = np.array([x, x * x, np.ones(3)])
    return np.sum(m @ m)


@row(
    "`tolist`",
    array(2, 2),
)
def to_list(x):
    rows = (x * x).tolist()
    return rows[0][1] * rows[1][0] + sum(rows[0])


@row("`list(x)`, `tuple(x)` of an array", array(3))
def list_of_array(x):
    xs = list(x)
    xs[0] = xs[1] * xs[2]
    a, b, c = tuple(x)
    return sum(xs) * a * b * c


@row(
    "`astype(float)`, `astype(np.float32)`",
    array(3, dtype=np.float32),
    first_only="not checked, differences of float32 are too coarse",
)
def as_type(x):
    y = x.astype(np.float64)
    return np.sum(y * y) * y[0]


@row("`np.float64(x)`, `np.float32(2.0)`", 0.7)
def numpy_scalars(x):
    return np.float64(x) * np.float64(x * x) * np.float32(2.0)


@row("`astype(int)` for an index", array(4))
def as_index(x):
    order = (np.abs(x) * 2).astype(int) % 4
    return np.sum(x[order] ** 2) * x[int(order[0])]


@row("integers beside floats", 0.7, 3)
def integers_beside_floats(x, n):
    return x**n + n * x + x * (n // 2)


@row("an `np.int64` and an integer array as arguments", array(4), np.array([0, 2, 2]))
def integer_array(x, order):
    return np.sum(x[order] ** 2 * order)


@row("a Python int that is differentiated by", 3, 0.7, wrt=(1,))
def int_argument(n, x):
    return n * x * x


@row("`np.float64` as an argument and as the result", np.float64(0.7), wrt=(0,))
def numpy_number_argument(x):
    return np.square(x) * x


@row("an array without axes", np.array(0.7))
def rank_zero(x):
    y = np.array(x * x)
    y[...] = y * x
    return y


@row("a result that is an array of one element", array(3))
def one_element_result(x):
    return np.sum(x * x, keepdims=True)


@row("`np.nan_to_num`, `np.isnan`, `np.isfinite`", array(3))
def cleaned(x):
    y = np.where(np.isfinite(x), x, 0.0)
    return np.sum(np.nan_to_num(y) ** 2)


@row("a conversion in the middle of a loop", array(4))
def converts_in_a_loop(x):
    total = 0.0
    for value in x.tolist():
        total = float(total) + value**2
    return np.float64(total) * x[0]


@row("`np.array(xs).sum().item()` in `math` functions", [0.7, 1.9])
def back_and_forth(xs):
    import math

    return math.sqrt(np.array(xs).sum().item()) * math.exp(np.float64(xs[0]))


@row.refused(
    "`float` of text made from an active value",
    0.7,
    says="text",
    instead="the value itself",
)
def through_text(x):
    return float(f"{x * x:.17g}") * x


@row.refused(
    "an integer array to differentiate by",
    np.array([1, 2, 3]),
    wrt=(0,),
    error=ad.ArgumentError,
    says="int",
    instead="`x.astype(float)`",
    names_line=False,
    modes=("reverse",),
)
def integer_to_differentiate_by(x):
    return np.sum(x * x)


@row.refused(
    "a complex result",
    0.7,
    error=ad.OutputError,
    says="complex",
    instead="its real part, or its absolute value",
    names_line=False,
    modes=("reverse",),
)
def complex_result(x):
    return x + 1j * x


@row.refused(
    "a result with several elements",
    array(3),
    error=ad.OutputError,
    says="shape",
    instead="a sum, or `ad.jacobian`",
    names_line=False,
    modes=("reverse",),
)
def several_results(x):
    return x * x


@row.refused(
    "a result that is a bool",
    0.7,
    error=ad.OutputError,
    says="bool",
    instead="the number itself",
    names_line=False,
    modes=("reverse",),
)
def truth_as_a_result(x):
    return x > 0


@row.refused(
    "a result that is not a number",
    0.7,
    error=ad.OutputError,
    says="None",
    instead="`return` the number",
    names_line=False,
    modes=("reverse",),
)
def nothing_returned(x):
    x * x


@row.refused(
    "`fractions.Fraction`, `decimal.Decimal` of an active value",
    0.75,
    says="Fraction",
    instead="floats",
)
def fraction(x):
    from fractions import Fraction

    return float(Fraction(x) * 2) * x
