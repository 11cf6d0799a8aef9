"""Every rule as the compiler uses it: known types, single precision, mixed, and no known types."""

import types

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms, rules
from adjoint.testing import check_grads

from .case import fn_text
from .cases import CASES
from .running import (
    assert_like,
    assert_same,
    function_of,
    generic_vjp,
    inner,
    is_summable,
    number_text,
    random_like,
    slope,
)

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def named(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def copies(args):
    return [a.copy() if isinstance(a, np.ndarray) else a for a in args]


_HALF = {"f": np.float32, "c": np.complex64}


def halved(args, which=lambda i: True):
    """The arguments, arrays at the positions asked for in single precision."""
    return [
        a.astype(_HALF.get(a.dtype.kind, a.dtype)) if isinstance(a, np.ndarray) and which(i) else a
        for i, a in enumerate(args)
    ]


def check_gradients(case, fn, args, cotangent, gradients, rng):
    for i in case.active:
        assert_like(gradients[i], args[i])
        direction = case.direction(rng, i, args[i])
        want = slope(fn, args, i, direction, cotangent)
        assert inner(gradients[i], direction) == pytest.approx(want, rel=1e-6, abs=1e-6), i


@named(CASES)
def test_against_differences(case):
    rng = np.random.default_rng(7)
    fn, args = function_of(case.source_text), case.args(rng)
    before = copies(args)
    value, pullback = ad.vjp(fn, *args)
    assert_same(value, fn(*args))
    cotangent = random_like(rng, value)
    gradients = pullback(cotangent)
    check_gradients(case, fn, args, cotangent, gradients, rng)
    for again, first in zip(pullback(cotangent), gradients):
        if first is not None:
            assert_same(again, first)
    for a, b in zip(args, before):
        np.testing.assert_array_equal(a, b)


@named(list(filter(is_summable, CASES)))
def test_gradient_of_a_number(case):
    """The cotangent is the number 1, written out and spread, or one element among zeros."""
    rng = np.random.default_rng(7)
    args = case.args(rng)
    half = halved(args)
    for part in ("sum", "element"):
        fn = function_of(number_text(case, args, part))
        gradient = ad.grad(fn, argnums=case.active)
        gradients = dict(zip(case.active, gradient(*args)))
        check_gradients(case, fn, args, np.ones(()), gradients, rng)
        if part == "sum":
            for i, single in zip(case.active, gradient(*half)):
                assert_like(single, half[i])


@named(CASES)
def test_without_types(case):
    rng = np.random.default_rng(7)
    fn, args = function_of(case.source_text), case.args(rng)
    before = copies(args)
    compiled = generic_vjp(fn, len(args), case.active)
    value, saved = compiled.run(*args)
    assert_same(value, fn(*args))
    cotangent = random_like(rng, value)
    found = dict(zip(case.active, compiled.backward(saved, cotangent)))
    check_gradients(case, fn, args, cotangent, found, rng)
    for a, b in zip(args, before):
        np.testing.assert_array_equal(a, b)


def doubled(tree):
    if isinstance(tree, (list, tuple)):
        return [doubled(part) for part in tree]
    if isinstance(tree, (np.ndarray, np.generic)) and tree.dtype.kind in _HALF:
        return tree.astype({"f": np.float64, "c": np.complex128}[tree.dtype.kind])
    return tree


def check_precision(case, args, rng):
    """Values as NumPy's, gradients in their arguments' dtypes, near those in double precision."""
    fn = function_of(case.source_text)
    value, pullback = ad.vjp(fn, *args)
    assert_same(value, fn(*args))
    cotangent = random_like(rng, value)
    gradients = pullback(cotangent)
    exact = ad.vjp(fn, *doubled(args))[1](doubled(cotangent))
    for i in case.active:
        want = exact[i]
        assert_like(gradients[i], args[i])
        near = 1e-4 * max(1.0, float(np.max(np.abs(want), initial=0)))
        np.testing.assert_allclose(gradients[i], want, rtol=0, atol=near)


HAVE_ARRAYS = [
    case
    for case in CASES
    if any(isinstance(case.args(np.random.default_rng(0))[i], np.ndarray) for i in case.active)
]


@named(HAVE_ARRAYS)
def test_single_precision(case):
    rng = np.random.default_rng(7)
    check_precision(case, halved(case.args(rng)), rng)


@named([case for case in HAVE_ARRAYS if len(case.active) > 1])
def test_mixed_precision(case):
    rng = np.random.default_rng(7)
    args = case.args(rng)
    for parity in (0, 1):
        check_precision(case, halved(args, lambda i, parity=parity: i % 2 == parity), rng)


# Shapes that one gradient object meets one after the other: new sizes, 1 where there was n, 0.
PAIRS = [
    ((3, 4), (3, 4)), ((5, 2), (5, 2)), ((3, 4), (4,)), ((4, 4), (4,)), ((3, 4), (1, 4)),
    ((3, 1), (1, 4)), ((1, 1), (3, 4)), ((1, 4), (1, 4)), ((1, 1), (1, 1)), ((2, 3), (1,)),
    ((3,), (3,)), ((1,), (5,)), ((), (3,)), ((3,), ()), ((), ()), ((0, 4), (1, 4)),
    ((0, 4), (4,)), ((1, 0), (3, 1)), ((2, 3, 4), (3, 1)), ((2, 1, 4), (3, 4)), ((6, 7), (6, 7)),
]  # fmt: skip
SHAPES = [
    (3, 4), (5, 6), (4, 4), (1, 4), (3, 1), (1, 1), (2, 9), (3, 0), (0, 4), (0, 0), (7, 3),
]  # fmt: skip
SQUARES = [(3, 3), (4, 4), (1, 1), (2, 3, 3), (5, 4, 4), (1, 2, 2), (2, 1, 1), (0, 3, 3), (2, 2)]
PRODUCTS = [
    ((3, 4), (4, 5)), ((2, 6), (6, 3)), ((3, 3), (3, 3)), ((1, 4), (4, 1)), ((3, 1), (1, 5)),
    ((4,), (4, 2)), ((1,), (1, 2)), ((2, 4), (4,)), ((4,), (4,)), ((1,), (1,)),
    ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((1, 3, 4), (2, 4, 5)), ((2, 3, 4), (1, 4, 5)),
    ((6, 1, 3, 4), (2, 4, 5)), ((0, 4), (4, 2)), ((3, 0), (0, 2)), ((2, 3, 4), (4,)),
]  # fmt: skip
SOLVES = [
    ((3, 3), (3,)), ((4, 4), (4,)), ((1, 1), (1,)), ((3, 3), (3, 2)), ((3, 3), (3, 3)),
    ((1, 1), (1, 4)), ((2, 3, 3), (3, 2)), ((2, 3, 3), (2, 3, 1)), ((1, 2, 2), (5, 2, 2)),
]  # fmt: skip

SERIES = [
    *((f"np.sum({e})", 0.5, PAIRS) for e in (
        "x + y", "x - y", "x * y", "x / y", "x ** y", "np.arctan2(x, y)", "np.hypot(x, y)",
        "np.maximum(x, y)", "np.where(x > y, x, y)", "np.logaddexp(x, y)", "x * y + x",
        "(x - y) ** 2", "np.clip(x, 0.7, y + 1)", "x * np.sum(y)", "(x + 1) * (y + 2) * x")),
    *((f"np.sum({e})", 0.5, SHAPES) for e in (
        "np.sin(x)", "np.sum(x, axis=0) ** 2", "np.sum(x, axis=1, keepdims=True) * x",
        "np.cumsum(x, axis=1) ** 2", "np.prod(x, axis=0)", "np.concatenate([x, x * x])",
        "np.stack([x, x * x], axis=1) ** 2", "x.T @ x", "np.tile(x, (2, 2)) ** 2",
        "np.tril(x) ** 2", "np.roll(x, 1) * x",
        "np.exp(x - np.sum(x, axis=-1, keepdims=True))", "np.reshape(x, -1) ** 2",
        "x[:, ::-1] * x", "x[1:] * x[:-1]", "x[:, :1] * x", "np.linalg.norm(x)",
        "np.squeeze(x) ** 2", "np.einsum('ij,ij->i', x, x) ** 2", "x ** 2 * x.shape[0]",
        "np.pad(x, 1) ** 2", "np.repeat(x, 2, axis=1) ** 2", "np.broadcast_to(x, (2,) + x.shape)")),
    *((f"np.sum({e})", 0.5, [s for s in SHAPES if 0 not in s]) for e in (
        "np.max(x, axis=0)", "np.diff(x, axis=0) ** 2", "np.mean(x) * x",
        "np.var(x, axis=1)", "np.std(x + x * x)",
        "np.median(x, axis=0)", "np.sort(x, axis=1) * x", "x[0] * x[-1]", "x[:, 0]")),
    *((f"np.sum({e})", 0.0, SQUARES) for e in (
        "np.linalg.det(x)", "np.linalg.inv(x)", "np.linalg.slogdet(x)[1]",
        "np.trace(x, axis1=-2, axis2=-1) ** 2", "x @ x", "np.swapaxes(x, -1, -2) * x",
        "np.linalg.cholesky(x @ np.swapaxes(x, -1, -2))")),
    *((f"np.sum({e})", 0.0, PRODUCTS) for e in ("x @ y", "np.matmul(x, y) ** 2")),
    ("np.sum(np.linalg.solve(x, y))", 0.0, SOLVES),
    ("np.sum(np.dot(x, y) ** 2)", 0.0, [p for p in PRODUCTS if len(p[1]) < 3]),
]  # fmt: skip


def made(rng, shape, offset):
    """Positive numbers, or square matrices that can be inverted."""
    if offset or len(shape) < 2 or shape[-1] != shape[-2]:
        return np.asarray(rng.uniform(0.5, 1.5, shape))
    return rng.uniform(-0.3, 0.3, shape) + 2 * np.eye(shape[-1])


@pytest.mark.parametrize(("text", "offset", "shapes"), SERIES, ids=[s[0] for s in SERIES])
def test_one_gradient_for_many_shapes(text, offset, shapes):
    count = 2 if isinstance(shapes[0][0], tuple) else 1
    fn = function_of(f"def f({', '.join('xy'[:count])}):\n    return {text}\n")
    gradient = ad.value_and_grad(fn, argnums=tuple(range(count)))
    rng = np.random.default_rng(3)
    for shape in [*shapes, *shapes[::-1]]:
        args = [made(rng, s, offset) for s in (shape if count == 2 else [shape])]
        value, found = gradient(*args)
        assert_same(value, fn(*args))
        for i, (got, arg) in enumerate(zip(found, args)):
            assert_like(got, arg)
            direction = np.asarray(rng.normal(size=arg.shape))
            want = slope(fn, args, i, direction, np.ones(()))
            assert inner(got, direction) == pytest.approx(want, rel=1e-6, abs=1e-6), shape


OF_LISTS = [
    "np.choose([0, 1, 1], [x, x * x])",
    "np.select([[True, False, True], [True, True, False]], [x, x * x], x)",
    "np.bincount([0, 2, 2], x * x)",
    "np.linalg.cross([1.0, 2.0, 3.0], x)",
    "np.quantile([x[0], x[1], 2 * x[2]], 0.3)",
]


@pytest.mark.parametrize("form", ["typed", "recorded"])
@pytest.mark.parametrize("call", OF_LISTS)
def test_operands_that_are_lists(call, form):
    fn = function_of(f"def f(x):\n    return np.sum(np.sin({call}))\n")
    with forms.only(form):
        check_grads(fn, (np.array([0.5, 2.0, 0.7]),))


REFUSED_CALLS = [
    ("np.var(x, where=x > 0)", "var", "where"),
    ("np.sum(x, where=x > 0, initial=1.0)", "sum", "initial"),
    ("np.max(x, initial=0.5)", "max", "initial"),
    ("np.sum(np.add(x, x, where=x > 0))", "add", "where"),
    ("np.linalg.norm(x, ord='nuc', axis=(0, 1))", "norm", ""),
    ("np.sum(np.linalg.qr(np.ones((2, 3)) * x, mode='complete')[0])", "qr", ""),
    ("np.percentile(x, 30, method='midpoint')", "percentile", ""),
    ("np.fft.hfft(x)", "hfft", ""),
    ("np.linalg.cond(x * np.eye(3))", "cond", ""),
]


@pytest.mark.parametrize(
    ("call", "name", "keyword"), REFUSED_CALLS, ids=[r[0] for r in REFUSED_CALLS]
)
def test_call_that_no_rule_covers(call, name, keyword, typed_only):
    fn = function_of(f"def f(x):\n    return {call}\n")
    with pytest.raises(ad.NoDerivativeError) as caught:
        ad.grad(fn)(np.array([1.0, 2.0, 3.0]))
    message = str(caught.value)
    assert name in message and keyword in message and ":2, in f" in message
    assert len(message.splitlines()) > 3  # where, the line, the place in it, what to do


@pytest.mark.parametrize("fn", sorted(rules.REFUSED, key=lambda fn: fn.__name__))
def test_refused_functions_say_what_to_do(fn, typed_only):
    text = fn_text(fn)
    if isinstance(fn, types.MethodDescriptorType):
        text = f"np.ndarray.{fn.__name__}"
    call = function_of(f"def f(x):\n    return {text}(x)\n")
    with pytest.raises(ad.NoDerivativeError) as caught:
        ad.vjp(call, np.ones((2, 2)))
    assert rules.REFUSED[fn].split(",")[0].split(";")[0][:30] in str(caught.value)


@pytest.mark.parametrize(
    "argument", [np.arange(3), np.array([True]), [np.arange(3)], "text", None, True]
)
def test_arguments_without_a_derivative(argument):
    fn = function_of("def f(x):\n    return 2.0\n")
    with pytest.raises(ad.ArgumentError, match="`x`"):
        ad.grad(fn)(argument)


def test_constant_options_need_no_rule():
    """What does not vary may be computed with any function and any keyword."""
    fn = function_of("def f(x, y):\n    return x * np.sum(y, where=y > 0) + np.percentile(y, 50)\n")
    assert ad.grad(fn)(2.0, np.array([1.0, -1.0, 3.0])) == 4.0
