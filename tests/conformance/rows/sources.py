"""Where the source of a function comes from, and functions without source."""

import functools
import math
import operator

import numpy as np
import scipy.special
from support.programs import array

import adjoint as ad

from ..table import category, in_a_file_of_its_own

row = category("Sources of functions")

row.of("a lambda", lambda x: x * x * 3.0, 0.7)
PAIR = (lambda x: x * x, lambda x: np.sin(x) * 5.0)
row.of("a lambda that shares its line with another: the first", PAIR[0], 0.7)
row.of("a lambda that shares its line with another: the second", PAIR[1], 0.7)
row.of("a lambda in a call, over several lines", functools.partial(
    lambda x, k: (
        x * k
    ), k=2.0,
), 0.7)  # fmt: skip
row.of("a lambda in a lambda", (lambda k: lambda x: k * x * x)(3.0), 0.7)


class Model:
    """A model with methods."""

    def __init__(self, k):
        self.k = k

    def cubed(self, x):
        return self.k * x**3

    @classmethod
    def squared(cls, x):
        return x**2

    @staticmethod
    def doubled(x):
        return np.sin(2.0 * x)

    def __call__(self, x):
        return self.k * x


def decorator(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs) * 2.0

    return wrapper


@decorator
def decorated(x):
    return x * x


def with_options(x, k=2.0, *, shift=0.0):
    return k * x * x + shift


row.of("a bound method", Model(2.0).cubed, 0.7)
row.of("a method of a class, with its object", Model.cubed, Model(2.0), 0.7, wrt=(1,))
row.of("a classmethod", Model.squared, 0.7)
row.of("a staticmethod", Model.doubled, 0.7)
row.of("a callable object", Model(2.0), 0.7)
row.of("a decorated function", decorated, 0.7)
row.of("`functools.partial`", functools.partial(with_options, k=3.0, shift=1.0), 0.7)
row.of("`functools.partial` of a positional argument", functools.partial(operator.mul, 2.0), 0.7)
row.of("`functools.lru_cache` around a function", functools.lru_cache(with_options), 0.7)

row.of("a ufunc, `grad(np.sin)`", np.sin, 0.7)
row.of("a NumPy function, `grad(np.sum)`", np.sum, array(2, 3))
row.of(
    "a NumPy function with keyword arguments", functools.partial(np.linalg.norm, ord=2), array(3)
)
row.of("a function of two arrays, `grad(np.dot)`", np.dot, array(3), array(3))
row.of("a function of `math`", math.sin, 0.7)
row.of("a function of `operator`", operator.mul, 0.7, 1.9)
row.of("a builtin, `grad(abs)`", abs, -0.7)
row.of("a builtin of a list, `grad(sum)`", sum, [0.7, 1.9])
row.of("a builtin that tells no signature, `grad(max)`", max, 0.7, 1.9)
row.of("a builtin type, `grad(float)`", float, 0.7)


def unnamed_argument(first, /, second, *rest, key=1.0):
    return first * second * sum(rest, start=key)


row.of("positional-only and star-parameters", unnamed_argument, 0.7, 1.9, 0.3, wrt=(0, 1))

CELL = in_a_file_of_its_own(
    """
    def squared(x):
        return x * x

    def in_a_cell(x):
        return squared(x) * np.sin(x)

    shorts = [lambda x: x * 2.0, lambda x: x ** 3]
    """
)
row.of("a function of a notebook's cell or a REPL", CELL["in_a_cell"], 0.7)
row.of("a lambda of a notebook's cell", CELL["shorts"][1], 0.7)

WITHOUT_SOURCE = {"np": np}
exec("def from_exec(x):\n    return x * np.sin(x)\n", WITHOUT_SOURCE)
row.of("the result of `ad.grad`", ad.grad(lambda x: x**4 * 0.5), 0.7)


@row("a helper of another module", 0.7)
def helper_of_another_module(x):
    import colorsys

    r, g, b = colorsys.hsv_to_rgb(0.3, x, 0.8)
    return r * g + b


@row.refused(
    "a function of the standard library that checks types",
    [0.7, 1.9, 0.4],
    says="linear_regression",
    instead="NumPy's functions",
)
def standard_library(xs):
    import statistics

    return statistics.linear_regression([1.0, 2.0, 4.0], xs).slope ** 2


row.refused(
    "a function made by `exec` without a file",
    0.7,
    error=ad.SourceUnavailableError,
    says="from_exec",
    instead="write it to a file, or add its text to `linecache`",
    names_line=False,
)(WITHOUT_SOURCE["from_exec"])


@row.refused(
    "a helper made by `exec` without a file, on the active path",
    0.7,
    error=ad.AdjointError,
    says="from_exec",
    instead="write it to a file, or give it a rule",
)
def helper_without_source(x):
    return WITHOUT_SOURCE["from_exec"](x) * x


row.refused(
    "a C function without a rule",
    0.7,
    error=ad.SourceUnavailableError,
    says="spence",
    instead="give it a rule",
    names_line=False,
)(scipy.special.spence)


@row.refused(
    "a C function without a rule, on the active path",
    0.7,
    error=ad.NoDerivativeError,
    says="spence",
    instead="give it a rule",
)
def active_c_function(x):
    return scipy.special.spence(x) * x


@row.no_effect("a C function without a rule, beside the active path", 0.7)
def inactive_c_function(x):
    return float(scipy.special.spence(2.0)) * x * x


@row.refused(
    "`eval` of an active value",
    0.7,
    says="eval",
    instead="the expression itself",
)
def evaluates(x):
    return eval("x * x") * x


@row.refused("`eval` of constants", 0.7, says="eval", instead="the expression itself")
def evaluates_constants(x):
    return eval("2.0 + 1.0") * x * x


@row.refused(
    "`np.vectorize`, `np.frompyfunc`, `np.apply_along_axis`",
    array(3),
    says="vectorize",
    instead="a loop or a comprehension",
)
def vectorised(x):
    return np.sum(np.vectorize(lambda v: v * v)(x))


@row("`locals()`", 0.7)
def reads_locals(x):
    y = x * x
    return locals()["y"] * x
