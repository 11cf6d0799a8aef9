"""Every rule in forward mode, as the compiler uses it: known types, single precision, no types."""

import numpy as np
import pytest

import adjoint as ad

from .cases import CASES
from .running import (
    assert_same,
    each,
    function_of,
    generic_jvp,
    inner,
    is_summable,
    leaves,
    nested,
    random_like,
    slope,
)
from .test_compiled import HAVE_ARRAYS, copies, doubled, halved, named

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def directions(case, rng, args):
    """A tangent for each argument: a direction for those that move, zeros or None for others."""
    return [
        as_given(case.direction(rng, i, a), a) if i in case.active else still(a)
        for i, a in enumerate(args)
    ]


def as_given(t, a):
    if not hasattr(a, "dtype"):
        return type(a)(t)
    return np.asarray(t, a.dtype)


def still(a):
    """The tangent of an argument that does not move."""
    if isinstance(a, (list, tuple)):
        return type(a)(map(still, a))
    if isinstance(a, (float, complex)) and not hasattr(a, "dtype"):
        return 0.0
    if hasattr(a, "dtype") and a.dtype.kind in "fc":
        return np.zeros_like(a)
    return None


def assert_beside(tangent, value):
    """A tangent has the structure, shape and dtype of its value; None for what cannot move."""
    if nested(value):
        assert type(tangent) is type(value) and len(tangent) == len(value)
        for t, v in zip(tangent, value):
            assert_beside(t, v)
    elif np.asarray(value).dtype.kind in "fc":
        assert np.shape(tangent) == np.shape(value)
        assert np.asarray(tangent).dtype == np.asarray(value).dtype
    else:
        assert tangent is None


def weigh(cotangent, tangent):
    """The real part of sum(cotangent * tangent), a None counting as zeros."""
    pairs = zip(leaves(cotangent), leaves(tangent))
    return sum(inner(c, t) for c, t in pairs if t is not None)


@named(CASES)
def test_against_differences(case):
    rng = np.random.default_rng(7)
    fn, args = function_of(case.source_text), case.args(rng)
    tangents = directions(case, rng, args)
    before, given = copies(args), copies(tangents)
    value, tangent = ad.jvp(fn, tuple(args), tuple(tangents))
    assert_same(value, fn(*args))
    assert_beside(tangent, value)
    cotangent = random_like(rng, value)
    together = 0.0
    for i in case.active:
        only = [t if k == i else still(args[k]) for k, t in enumerate(tangents)]
        _, alone = ad.jvp(fn, tuple(args), tuple(only))
        want = slope(fn, args, i, tangents[i], cotangent)
        assert weigh(cotangent, alone) == pytest.approx(want, rel=1e-6, abs=1e-6), i
        together += weigh(cotangent, alone)
    assert weigh(cotangent, tangent) == pytest.approx(together, rel=1e-9, abs=1e-9)
    for a, b in zip([*args, *tangents], [*before, *given]):
        np.testing.assert_array_equal(a, b)


@named(CASES)
def test_against_reverse(case):
    rng = np.random.default_rng(7)
    fn, args = function_of(case.source_text), case.args(rng)
    tangents = directions(case, rng, args)
    value, pullback = ad.vjp(fn, *args)
    cotangent = random_like(rng, value)
    pulled = pullback(cotangent)
    want = sum(inner(pulled[i], tangents[i]) for i in case.active)
    _, tangent = ad.jvp(fn, tuple(args), tuple(tangents))
    assert weigh(cotangent, tangent) == pytest.approx(want, rel=1e-9, abs=1e-9)


@named(CASES)
def test_without_types(case):
    rng = np.random.default_rng(7)
    fn, args = function_of(case.source_text), case.args(rng)
    tangents = directions(case, rng, args)
    compiled = generic_jvp(fn, len(args), case.active)
    value, tangent = compiled.run(*args, *(tangents[i] for i in case.active))
    assert_same(value, fn(*args))
    assert_beside(tangent, value)
    _, want = ad.jvp(fn, tuple(args), tuple(tangents))
    for got, exact in zip(leaves(tangent), leaves(want)):
        if exact is not None:
            np.testing.assert_allclose(got, exact, rtol=1e-9, atol=1e-9)


@named(HAVE_ARRAYS)
@pytest.mark.parametrize("which", ["all", "even", "odd"])
def test_single_precision(case, which):
    """The tangent has the dtype of the value, and is near that in double precision."""
    rng = np.random.default_rng(7)
    wanted = {"all": lambda i: True, "even": lambda i: i % 2 == 0, "odd": lambda i: i % 2 == 1}
    args = halved(case.args(rng), wanted[which])
    fn = function_of(case.source_text)
    tangents = directions(case, rng, args)
    value, tangent = ad.jvp(fn, tuple(args), tuple(tangents))
    assert_same(value, fn(*args))
    assert_beside(tangent, value)
    _, exact = ad.jvp(fn, tuple(doubled(args)), tuple(map(doubled, tangents)))

    def near(got, want):
        if want is not None:
            atol = 1e-4 * max(1.0, float(np.max(np.abs(want), initial=0)))
            np.testing.assert_allclose(got, want, rtol=0, atol=atol)

    each(near, tangent, exact)


def squares_text(case):
    """The text of a function that returns the sum of the squares of the case's value."""
    return case.source_text.rstrip().replace("return ", "z = ") + "; return np.sum(z * z)\n"


@named(list(filter(is_summable, CASES)))
def test_second_order(case):
    """The gradient, in forward mode: against its differences."""
    rng = np.random.default_rng(7)
    fn, args = function_of(squares_text(case)), case.args(rng)
    tangents = directions(case, rng, args)
    gradient = ad.grad(fn, argnums=case.active)
    _, got = ad.jvp(gradient, tuple(args), tuple(tangents))
    ends = []
    for step in (1e-5, -1e-5):
        moved = [a + step * t if i in case.active else a
                 for i, (a, t) in enumerate(zip(args, tangents))]  # fmt: skip
        ends.append(gradient(*moved))
    for k, (up, down) in enumerate(zip(*ends)):
        want = (np.asarray(up) - np.asarray(down)) / 2e-5
        near = 1e-5 * max(1.0, float(np.max(np.abs(want), initial=0)))
        np.testing.assert_allclose(got[k], want, rtol=0, atol=near, err_msg=str(case.active[k]))
