"""Every rule on the arrays of another module: the strict stand-in for CuPy, and CuPy itself.

The functions under test are written with `import numpy as np`; the derivative has to call the
module that its arrays belong to, whose results must be NumPy's.
"""

import numpy as np
import pytest
from support.strict_arrays import StrictArray, strict

import adjoint as ad

from .case import MODULES
from .cases import CASES, handed_on, why_not_on_cupy
from .running import (
    assert_same,
    each,
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


def moved(tree, asarray):
    """The same structure with its arrays in another module."""
    return each(lambda x: asarray(x) if isinstance(x, np.ndarray) else x, tree)


def back(tree):
    """The same structure in NumPy, where results of rank 0 are arrays too."""
    return each(lambda x: x.get() if hasattr(x, "get") else x, tree)


def check(case, module, array, run):
    """Value and gradients equal NumPy's, and are arrays of the module."""
    rng = np.random.default_rng(7)
    fn, args = function_of(case.source_text), case.args(rng)
    value, pullback = ad.vjp(fn, *args)
    cotangent = random_like(rng, value)
    gradients = pullback(cotangent)
    theirs = moved(args, module.asarray)
    got, pulled = run(fn, theirs)
    assert_near(back(got), value)
    found = pulled(
        each(lambda c, v: module.asarray(c) if isinstance(v, array) else c, cotangent, got)
    )
    for i in case.active:
        if isinstance(args[i], np.ndarray):
            assert isinstance(found[i], array), type(found[i])
        assert_near(back(found[i]), gradients[i])
    for before, after in zip(args, theirs):
        np.testing.assert_array_equal(back(after), before)


def assert_near(got, want):
    assert_same(got, want, rtol=1e-9, atol=1e-9)


def generic(fn, args, case):
    compiled = generic_vjp(fn, len(args), case.active)
    value, saved = compiled.run(*args)
    return value, lambda cotangent: dict(zip(case.active, compiled.backward(saved, cotangent)))


RUNNABLE = [case for case in CASES if why_not_on_cupy(case) is None]
DECLARED = [case for case in CASES if why_not_on_cupy(case) is not None]


@named(RUNNABLE)
def test_on_strict_arrays(case):
    check(case, strict, StrictArray, lambda fn, args: ad.vjp(fn, *args))


@named(list(filter(handed_on, RUNNABLE)))
def test_on_strict_arrays_without_types(case):
    check(case, strict, StrictArray, lambda fn, args: generic(fn, args, case))


@named(list(filter(is_summable, RUNNABLE)))
def test_gradient_of_a_number(case):
    """The cotangent is the number 1, where CuPy's functions take no plain number."""
    rng = np.random.default_rng(7)
    args = case.args(rng)
    for part in ("sum", "element"):
        fn = function_of(number_text(case, args, part))
        found = ad.grad(fn, argnums=case.active)(*moved(args, strict.asarray))
        for i, gradient in zip(case.active, found):
            assert isinstance(gradient, StrictArray) == isinstance(args[i], np.ndarray)
            direction = case.direction(rng, i, args[i])
            want = slope(fn, args, i, direction, np.ones(()))
            assert inner(back(gradient), direction) == pytest.approx(want, rel=1e-6, abs=1e-6)


@named(DECLARED)
def test_what_is_declared_does_not_run(case):
    fn = function_of(case.source_text, MODULES | {"np": strict})
    args = moved(case.args(np.random.default_rng(7)), strict.asarray)
    with pytest.raises((AttributeError, TypeError)):
        fn(*args)


@pytest.mark.gpu
@named(RUNNABLE)
def test_on_cupy(case):
    import cupy

    check(case, cupy, cupy.ndarray, lambda fn, args: ad.vjp(fn, *args))
    if handed_on(case):
        check(case, cupy, cupy.ndarray, lambda fn, args: generic(fn, args, case))
