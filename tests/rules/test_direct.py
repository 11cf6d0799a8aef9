"""Every rule's mathematics, argument by argument, on the table of cases, without the compiler."""

import numpy as np
import pytest

from adjoint import rules

from .cases import CASES, SINGLE
from .direct import Run, choose, inner, nested, tangents, varying


def named(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def prepared(case, seed=7):
    rng = np.random.default_rng(seed)
    args = case.args(rng)
    rule, inputs = choose(case, rules.lookup(case.fn), args)
    positional, keywords = case.bound(args)
    return rng, args, rule, Run(rule, inputs, case.fn(*positional, **keywords), varying(case, rule))


def random_like(rng, z):
    if nested(z):
        return [random_like(rng, e) for e in z]
    t = rng.normal(size=np.shape(z))
    if np.iscomplexobj(z):
        t = t + 1j * rng.normal(size=np.shape(z))
    return np.asarray(t)


def moves(case, rng, args):
    """(index, direction) of every operand that can move."""
    for i in case.active:
        yield i, case.direction(rng, i, args[i])


def differences(case, args, i, t, h=1e-6):
    def at(step):
        moved = list(args)
        moved[i] = args[i] + step * t
        positional, keywords = case.bound(moved)
        return case.fn(*positional, **keywords)

    def slope(a, b):
        if nested(a):
            return [slope(x, y) for x, y in zip(a, b)]
        return (np.asarray(a) - np.asarray(b)) / (2 * h)

    return slope(at(h), at(-h))


def assert_close(a, b, rtol, atol):
    if nested(b):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            assert_close(x, y, rtol, atol)
    else:
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


@named(CASES)
def test_forward_against_differences(case):
    rng, args, rule, run = prepared(case)
    for i, t in moves(case, rng, args):
        got = run.forward(tangents(case, rule, args, i, t))
        assert_close(got, differences(case, args, i, t), 2e-7, 2e-7)


@named(CASES)
def test_reverse_against_forward(case):
    rng, args, rule, run = prepared(case)
    seed = random_like(rng, run.output)
    found = run.reverse(seed)
    for i, t in moves(case, rng, args):
        moving = tangents(case, rule, args, i, t)
        left = inner(seed, run.forward(moving))
        right = sum(inner(found[n], moving[n]) for n in found)
        assert left == pytest.approx(right, rel=1e-10, abs=1e-11)


@named(SINGLE)
def test_single_precision_stays(case):
    rng, args, rule, run = prepared(case)
    if is_double(run.output):
        return  # the function itself computes in double precision
    run.reverse(single(random_like(rng, run.output)))
    for i, t in moves(case, rng, args):
        run.forward(tangents(case, rule, args, i, t))
    for e in run.raw:
        check_single(e)


def is_double(z):
    return any(map(is_double, z)) if nested(z) else np.asarray(z).dtype.itemsize > (
        8 if np.iscomplexobj(z) else 4)  # fmt: skip


def single(t):
    if nested(t):
        return [single(e) for e in t]
    return t.astype(np.complex64 if np.iscomplexobj(t) else np.float32)


def check_single(e):
    if nested(e):
        for x in e:
            check_single(x)
    elif hasattr(e, "dtype"):
        assert e.dtype not in (np.float64, np.complex128)


@named(CASES)
def test_source_text_is_the_call(case):
    args = case.args(np.random.default_rng(3))
    positional, keywords = case.bound(args)
    assert_close(case.call(*args), case.fn(*positional, **keywords), 1e-9, 1e-9)
