"""What every test may use: a seeded generator, and the skipping of GPU tests without a GPU."""

import functools

import numpy as np
import pytest

from adjoint import forms
from adjoint.rules import own

forms.strict = True  # what the compiler stumbles over is shown, and not covered


@pytest.fixture
def rng():
    """A NumPy random generator that gives every test the same numbers on every run."""
    return np.random.default_rng(20240607)


@pytest.fixture
def typed_only():
    """What the typed compiler refuses is refused, and not made in the recorded form."""
    with forms.only("typed"):
        yield


@pytest.fixture(autouse=True)
def rules_of_the_test_only():
    """The rules that a test gives to functions are those of this test."""
    before, version = {fn: list(rules) for fn, rules in own._RULES.items()}, own.version
    yield
    if own.version != version:
        own._RULES.clear()
        own._RULES.update(before)
        own.version += 1


@functools.cache
def why_no_gpu():
    """The reason why CuPy cannot compute on this machine; None where it can."""
    try:
        import cupy
    except ImportError:
        return "CuPy is not installed"
    return None if cupy.is_available() else "CuPy finds no CUDA device"


def pytest_runtest_setup(item):
    if item.get_closest_marker("gpu") and why_no_gpu():
        pytest.skip(why_no_gpu())
