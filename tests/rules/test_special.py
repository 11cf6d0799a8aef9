"""Derivatives at ties, kinks and zeros, and of what is not finite."""

import builtins
import math

import numpy as np
import pytest

from adjoint import rules

from .direct import Run

NAN, INF = np.nan, np.inf


def reverse(fn, *args, seed=None, active=None, **options):
    """The cotangents of the inputs, in order; of the active ones only, where names are given."""
    from .case import Case
    from .direct import choose
    from .domains import Literal, Operand

    operands = [Operand(lambda rng, dtype, a=a: a, active=isinstance(a, (float, np.ndarray)))
                if isinstance(a, (float, np.ndarray)) else Literal(a) for a in args]  # fmt: skip
    case = Case(fn, operands, options)
    flat = [a for a in args if isinstance(a, (float, np.ndarray))]
    rule, inputs = choose(case, rules.lookup(fn), flat)
    output = fn(*args, **options)
    names = active or list(rule.differentiable)
    run = Run(rule, inputs, output, names)
    found = run.reverse(np.ones_like(output) if seed is None else seed)
    return [found[n] for n in names]


def array(*xs):
    return np.array(xs, float)


def check(got, *expected):
    for g, e in zip(got, expected, strict=True):
        np.testing.assert_array_equal(g, e)


def test_equal_arguments_share():
    for f in (np.maximum, np.minimum, np.fmax, np.fmin):
        check(reverse(f, array(1.0), array(1.0)), [0.5], [0.5])
    for f in (builtins.max, builtins.min):
        check(reverse(f, 1.0, 1.0), 0.5, 0.5)


def test_equal_extremes_share():
    for f in (np.max, np.amax, np.min, np.amin, np.nanmax):
        check(reverse(f, array(2, 2, 2)), [1 / 3] * 3)
    check(reverse(np.max, array(1, 2, 2)), [0, 0.5, 0.5])
    check(reverse(np.max, np.array([[1.0, 2], [2, 2]]), axis=0), [[0, 0.5], [1, 0.5]])
    check(reverse(np.linalg.norm, array(-2, 2), ord=INF), [-0.5, 0.5])


def test_zero_at_kinks():
    zero = array(0)
    for f in (np.absolute, np.fabs, np.linalg.norm, np.std):
        check(reverse(f, zero), [0])
    check(reverse(np.absolute, np.zeros(1, complex)), [0])
    check(reverse(np.hypot, zero, zero), [0], [0])
    check(reverse(np.linalg.norm, np.zeros((2, 2)), axis=0), np.zeros((2, 2)))
    check(reverse(np.linalg.norm, array(0, 0), ord=3), [0, 0])
    check(reverse(np.linalg.norm, array(0, 2), ord=3), [0, 1])
    check(reverse(math.fabs, 0.0), 0)
    check(reverse(math.hypot, 0.0, 0.0), 0, 0)


def test_power_at_zero():
    check(reverse(np.power, array(0), array(0)), [0], [0])
    check(reverse(np.power, array(0), array(2)), [0], [0])
    check(reverse(np.power, array(0), array(1)), [1], [0])
    check(reverse(np.power, array(0), 2, active=["x"]), [0])
    check(reverse(np.power, array(-2), array(2), active=["x"]), [-4])
    check(reverse(math.pow, 0.0, 0.0), 0, 0)
    check(reverse(math.pow, 0.0, 2.0), 0, 0)


def test_sinc_at_zero():
    check(reverse(np.sinc, array(0)), [0])


def test_product_with_zeros():
    check(reverse(np.prod, array(0, 2, 3)), [6, 0, 0])
    check(reverse(np.prod, array(0, 0, 3)), [0, 0, 0])
    check(reverse(np.cumprod, array(0, 2, 3)), [9, 0, 0])


def test_clip_at_its_bounds():
    check(reverse(np.clip, array(0, 1, 2, 3, 4), 1, 3, active=["x"]), [0, 1, 1, 1, 0])
    x, low, high = array(0, 5), array(3, 3), array(1, 1)
    check(reverse(np.clip, x, low, high), [0, 0], [0, 0], [1, 1])


def test_what_is_not_selected_does_not_leak():
    bad = np.array([NAN, INF])
    c = np.array([True, False])
    check(reverse(np.where, c, bad, bad, seed=bad, active=["x", "y"]), [NAN, 0], [0, INF])
    check(reverse(np.maximum, array(2, 1), array(1, 2), seed=bad), [NAN, 0], [0, INF])
    check(reverse(np.clip, array(0, 1), 1, 2, seed=array(INF, 3), active=["x"]), [0, 3])
    check(reverse(np.nan_to_num, array(NAN, 1), seed=array(INF, 3)), [0, 3])
    check(reverse(np.nansum, array(NAN, 1), seed=INF), [0, INF])
    check(reverse(np.nanmax, array(NAN, 1, 2), seed=INF), [0, 0, INF])
    check(reverse(np.fmax, array(NAN, 1), array(2, NAN), seed=bad), [0, INF], [NAN, 0])


def test_nan_is_not_made_zero():
    with np.errstate(all="ignore"):
        (g,) = reverse(np.max, array(1, NAN))
    assert np.isnan(g).all()


def test_logaddexp_of_nothing():
    check(reverse(np.logaddexp, array(-INF), array(-INF)), [0], [0])
    check(reverse(np.logaddexp, array(-INF), array(1)), [0], [1])


def test_eigenvalues_that_are_equal():
    (g,) = reverse(np.linalg.eigh, np.eye(3), seed=(np.ones(3), np.zeros((3, 3))))
    np.testing.assert_allclose(g, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("name", ["normal", "laplace", "logistic", "gumbel"])
def test_random_location_and_scale(name):
    """The same draw at another location and scale."""
    for owner in (np.random, np.random.Generator):
        (rule,) = rules.lookup(getattr(owner, name))
        standard = getattr(np.random.default_rng(5), name)(size=4)
        z = 2 + 3 * standard
        run = Run(rule, {"loc": 2.0, "scale": 3.0}, z, ["loc", "scale"])
        found = run.reverse(np.ones(4))
        np.testing.assert_allclose(found["loc"], 4)
        np.testing.assert_allclose(found["scale"], standard.sum())


def test_random_scale():
    standard = np.random.default_rng(5).exponential(size=4)
    for owner in (np.random, np.random.Generator):
        for name in ("exponential", "rayleigh"):
            (rule,) = rules.lookup(getattr(owner, name))
            found = Run(rule, {"scale": 3.0}, 3 * standard, ["scale"]).reverse(np.ones(4))
            np.testing.assert_allclose(found["scale"], standard.sum())
        (rule,) = rules.lookup(owner.uniform)
        u = np.array([0.25, 0.5])
        found = Run(rule, {"low": 1.0, "high": 3.0}, 1 + 2 * u, ["low", "high"]).reverse(np.ones(2))
        np.testing.assert_allclose([found["low"], found["high"]], [1.25, 0.75])
        (rule,) = rules.lookup(owner.lognormal)
        z = np.exp(1 + 2 * u)
        inputs = {"mean": 1.0, "sigma": 2.0}
        found = Run(rule, inputs, z, ["mean", "sigma"]).reverse(np.ones(2))
        np.testing.assert_allclose([found["mean"], found["sigma"]], [z.sum(), (z * u).sum()])
