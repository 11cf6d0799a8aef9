"""Every rule on the arrays of another module: the strict stand-in for CuPy, and CuPy itself.

The functions under test are written with `import numpy as np`; the derivative has to call the
module that its arrays belong to, whose results must be NumPy's.
"""

import numpy as np
import pytest
from support.strict_arrays import StrictArray, strict

import adjoint as ad

from .cases import CASES
from .running import assert_same, each, function_of, generic_vjp, random_like

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
    found = pulled(each(lambda c, v: module.asarray(c) if isinstance(v, array) else c, cotangent, got))
    for i in case.active:
        if isinstance(args[i], np.ndarray):
            assert isinstance(found[i], array), type(found[i])
        assert_near(back(found[i]), gradients[i])
    for before, after in zip(args, theirs):
        np.testing.assert_array_equal(back(after), before)


def assert_near(got, want):
    assert_same(got, want, rtol=1e-9, atol=1e-9)


@named(CASES)
def test_on_strict_arrays(case):
    check(case, strict, StrictArray, lambda fn, args: ad.vjp(fn, *args))


@named(CASES)
def test_on_strict_arrays_without_types(case):
    def run(fn, args):
        compiled = generic_vjp(fn, len(args), case.active)
        value, saved = compiled.run(*args)
        return value, lambda cotangent: dict(
            zip(case.active, compiled.backward(saved, cotangent))
        )

    check(case, strict, StrictArray, run)
