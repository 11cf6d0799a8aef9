"""Callables given to the operators directly, and functions whose source is hard to read."""

import functools
import linecache
import math
import operator
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import adjoint as ad

x = np.array([1.0, 2.0])
square = np.array([[1.0, 2.0], [3.0, 4.0]])


class Scaled:
    def __init__(self, k):
        self.k = k

    def method(self, x, y=1.0):
        return self.k * x * x * y

    @classmethod
    def made(cls, x):
        return 3 * x

    @staticmethod
    def plain(x):
        return 4 * x

    def __call__(self, x, y=1.0):
        return self.k * x * y


scaled = Scaled(2.0)


def doubled(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        return 2 * fn(*args, **kwargs)

    return inner


@doubled
def wrapped(x, k=1.0):
    return x * x * k


@functools.lru_cache
def cached(x):
    return x * x


DIRECT = [
    (np.sum, (x,), [1, 1]),
    (np.prod, (x,), [2, 1]),
    (np.mean, (square,), np.full((2, 2), 0.25)),
    (np.max, (x,), [0, 1]),
    (np.linalg.norm, (x,), x / np.sqrt(5)),
    (np.linalg.det, (square,), [[4, -3], [-2, 1]]),
    (np.dot, (x, 3 * x), 3 * x),
    (np.sin, (0.0,), 1),
    (np.add, (1.0, 2.0), 1),
    (np.ndarray.sum, (x,), [1, 1]),
    (x.dot, (x,), x),
    (math.sin, (0.0,), 1),
    (math.erf, (0.0,), 2 / math.sqrt(math.pi)),
    (math.hypot, (3.0, 4.0), 0.6),
    (math.floor, (1.5,), 0),
    (abs, (-2.0,), -1),
    (max, (2.0, 1.0), 1),
    (min, (2.0, 1.0), 0),
    (max, (1.0, 3.0, 2.0), 0),
    (max, ([2.0, 1.0],), [1, 0]),
    (sum, ([2.0, 1.0],), [1, 1]),
    (pow, (2.0, 3), 12),
    (float, (2.0,), 1),
    (operator.mul, (2.0, 3.0), 3),
    (operator.truediv, (2.0, 4.0), 0.25),
    (operator.neg, (2.0,), -1),
    (scaled.method, (3.0,), 12),
    (scaled.method, (3.0, 2.0), 24),
    (scaled, (3.0,), 2),
    (Scaled.made, (3.0,), 3),
    (Scaled.plain, (3.0,), 4),
    (functools.partial(pow, 2.0), (3.0,), 8 * math.log(2)),
    (functools.partial(np.sum, axis=None), (x,), [1, 1]),
    (functools.partial(scaled, y=5.0), (3.0,), 10),
    (functools.partial(functools.partial(lambda a, b, c: a * b * c, 2.0), 3.0), (1.0,), 6),
    (wrapped, (3.0,), 12),
    (wrapped, (3.0, 2.0), 24),
    (cached, (3.0,), 6),
    (functools.lru_cache(lambda v: v * v), (3.0,), 6),
]


def same(found, expected):
    if isinstance(expected, list) and isinstance(found, list):
        return found == expected
    return np.allclose(found, expected)


@pytest.mark.parametrize(("fn", "args", "expected"), DIRECT)
def test_a_callable_given_directly(fn, args, expected):
    g = ad.grad(fn)
    assert same(g(*args), expected)
    assert same(g(*args), expected)
    assert same(ad.vjp(fn, *args)[1](1.0)[0], expected)
    assert g.source.startswith(("import", "def", "from"))


@pytest.mark.parametrize(("fn", "args", "expected"), DIRECT)
def test_a_callable_called_by_a_function(fn, args, expected):
    def f(first):
        return fn(first, *args[1:]) * 2.0

    doubled = [2 * e for e in expected] if isinstance(args[0], list) else 2 * np.array(expected)
    assert same(ad.grad(f)(args[0]), doubled)


def test_keyword_arguments():
    assert ad.grad(np.sum)(square, axis=None).tolist() == [[1, 1], [1, 1]]
    assert ad.grad(np.sum)(square[:1], axis=1, keepdims=True).tolist() == [[1, 1]]
    assert ad.grad(np.mean)(square, keepdims=False).tolist() == [[0.25] * 2] * 2
    assert ad.grad(np.sum, argnames="a")(a=x).tolist() == [1, 1]
    assert ad.grad(scaled, argnames="y")(3.0, y=2.0) == 6
    assert ad.grad(scaled)(3.0, y=2.0) == 4
    assert ad.grad(wrapped)(3.0, k=2.0) == 12 * 2
    assert ad.grad(wrapped, argnames="k")(3.0, k=2.0) == 18
    g = ad.grad(np.sum)
    assert [g(square[:1], axis=1).tolist(), g(square[:, :1], axis=0).tolist()] == [
        [[1, 1]], [[1], [1]]
    ]  # fmt: skip
    assert ad.vjp(np.sum, square, 0)[1](x)[0].tolist() == [[1, 2], [1, 2]]
    assert ad.vjp(np.sum, square, 1)[1](x)[0].tolist() == [[1, 1], [2, 2]]
    with pytest.raises(ad.OutputError, match="^in sum: `sum` returns an array of shape"):
        ad.grad(np.sum)(square, axis=0)
    assert ad.vjp(functools.partial(np.sum, axis=0), square)[1](x)[0].tolist() == [[1, 2], [1, 2]]


def plainly_doubled(fn):
    def inner(*args, **kwargs):
        return 2 * fn(*args, **kwargs)

    return inner


def test_arguments_that_only_args_takes():
    @plainly_doubled
    def f(x, y, *, k=1.0):
        return x * y * k

    g = ad.grad(f)
    assert [g(2.0, 3.0), g(2.0, 3.0, k=5.0), g(2.0, np.float32(3.0))] == [6, 30, 6]
    assert ad.grad(f, argnums=1)(2.0, 3.0) == 4
    assert ad.grad(f, argnums=(0, 1))(2.0, 3.0) == (6, 4)
    assert ad.value_and_grad(f)(2.0, 3.0) == (12, 6)
    assert ad.vjp(f, 2.0, 3.0)[1](1.0) == (6, 4)
    assert ad.grad(lambda *xs: sum(x * x for x in xs), argnums=2)(1.0, 2.0, 3.0) == 6
    assert ad.grad(lambda x, *rest: x * rest[0], argnums=1)(2.0, 3.0) == 2
    with pytest.raises(TypeError):
        ad.grad(f, argnums=2)(2.0, 3.0)


def test_the_printed_form():
    text = ad.source(np.sum, x)
    assert '"""Gradient of sum with respect to `a`."""' in text
    assert "return np.ones_like(a)" in text
    assert "return math.cos(x)" in ad.source(math.sin, 1.0)


@pytest.mark.parametrize(
    ("fn", "name"),
    [
        (math.gamma, "math.gamma"),
        (operator.itemgetter(0), "operator.itemgetter(0)"),
        (np.frompyfunc(abs, 1, 1), "abs"),
        (str.upper, None),
        (3.0, None),
    ],
)
def test_what_has_no_derivative(fn, name):
    with pytest.raises(ad.AdjointError) as caught:
        ad.grad(fn)(2.0)
    if name is not None:
        assert isinstance(caught.value, ad.SourceUnavailableError)
        assert name in str(caught.value)
        assert "@ad.rule(" in str(caught.value)
        assert "ad.d[z, " in str(caught.value)


def test_a_function_of_c_inside():
    with pytest.raises(ad.NoDerivativeError) as caught:
        ad.grad(lambda x: math.gamma(x) * 2)(2.0)
    assert "math.gamma" in str(caught.value)
    special = pytest.importorskip("scipy.special")
    with pytest.raises(ad.NoDerivativeError) as caught:
        ad.grad(lambda x: special.jv(1.0, x) * 2)(2.0)
    assert "@ad.rule(scipy.special.jv)\n" in str(caught.value)
    assert "def jv_rule(z, x1, x2): ad.d[z, x2] = ..." in str(caught.value)


def test_lambdas_that_share_a_line():
    one, two, three = (lambda x: x * 2), (lambda x: x * 3), [lambda x, k=k: x * k for k in (4, 5)]
    assert [ad.grad(f)(1.0) for f in (one, two, *three)] == [2, 3, 4, 5]


def test_functions_made_by_exec():
    scope = {"np": np}
    exec("def made(x): return np.sin(x) * x\nshort = lambda x: x * x", scope)
    for name in ("made", "short"):
        with pytest.raises(ad.SourceUnavailableError, match="cannot be read") as caught:
            ad.grad(scope[name])(2.0)
        assert "@ad.adjoint_of(" in str(caught.value)
    made = scope["made"]
    with pytest.raises(ad.NoDerivativeError, match="made, whose source cannot be read,"):
        ad.grad(lambda x: made(x) * 2)(2.0)
    assert ad.grad(lambda x: made(3.0) * x)(2.0) == made(3.0)


def test_functions_whose_text_is_known():
    text = "def cell(x):\n    return x * 13\nshort = lambda x: x * 14\n"
    name = "<cell of a notebook>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope = {}
    exec(compile(text, name, "exec"), scope)
    assert ad.grad(scope["cell"])(2.0) == 13
    assert ad.grad(scope["short"])(2.0) == 14


def test_a_function_of_another_module():
    import colorsys

    g = ad.grad(lambda x: colorsys.rgb_to_yiq(x, 0.1, 0.2)[0])
    assert g(0.3) == pytest.approx(0.30)
    assert ad.grad(lambda x: math.fsum([x, 2 * x]))(1.0) == 3


PROGRAM = """
import adjoint as ad

def f(x):
    return x * x

try:
    print(ad.grad(f)(3.0))
except ad.SourceUnavailableError as error:
    print("refused", "cannot be read" in str(error))
"""


@pytest.mark.parametrize("way", ["-c", "-"])
def test_programs_without_a_file(way):
    text = textwrap.dedent(PROGRAM)
    run = subprocess.run(
        [sys.executable, way, *([text] if way == "-c" else [])],
        input=text if way == "-" else None, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert run.stdout.strip() in ("6.0", "refused True")
    if sys.version_info < (3, 13):
        assert run.stdout.strip() == "refused True"
