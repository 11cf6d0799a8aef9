"""A few hundred random programs, and the small ones on which the compiler once failed."""

import signal
import sys
import time

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms, types

from .check import BAD, ILL, OK, REFUSED, WRONG, check
from .found import FOUND
from .grammar import generate
from .running import Timeout, forget, time_limit

SEEDS = range(0, 300, 20)


@pytest.mark.parametrize("first", SEEDS)
def test_random_programs(first):
    for seed in range(first, first + 20):
        outcome = check(generate(seed), first=True)
        forget()
        if outcome.kind in BAD:
            pytest.fail(
                f"seed {seed}: {outcome.kind} {outcome.detail}\n"
                f"python -m tests.fuzz --show --seed {seed}",
                pytrace=False,
            )


@pytest.mark.parametrize("first", range(4724, 4824, 25))
def test_random_programs_as_of_large_arrays(first, monkeypatch):
    """All arrays are overwritten and released like large ones."""
    monkeypatch.setattr(types, "_LARGE", 0)
    with forms.only("typed"):
        test_random_programs(first)


@pytest.mark.parametrize("form", forms.BOTH)
@pytest.mark.parametrize("name", FOUND)
def test_found(name, form):
    with forms.only(form):
        outcome = check(FOUND[name], thorough=True, first=True)
    if outcome.kind not in (OK, REFUSED):
        pytest.fail(f"{outcome.kind} {outcome.detail}\n{FOUND[name]}", pytrace=False)


def test_generator_is_deterministic():
    assert generate(7) == generate(7)
    assert generate(7) != generate(8)


OVERFLOWS = """import numpy as np
import adjoint as ad
def f(p):
    with np.errstate({options}):
        v = np.exp({factor} * p)
        w = np.where(v > 1e9, p, v * v)
    return np.sum(w)
def arguments():
    return (np.array([0.7, 0.3]),)
"""


@pytest.mark.parametrize("options", ["all='ignore'", "over='ignore'", ""])
def test_a_nan_gradient_of_what_overflows_is_not_said_to_be_wrong(options):
    assert check(OVERFLOWS.format(options=options, factor=1e4)).kind == ILL
    assert check(OVERFLOWS.format(options=options, factor=1.0)).kind == OK


def test_a_nan_gradient_of_finite_values_is_wrong(monkeypatch):
    def broken(f, **options):
        def run(*args):
            value, gradients = right(f, **options)(*args)
            return value, tuple(g * np.nan for g in gradients)

        run.source = ""
        return run

    right = ad.value_and_grad
    monkeypatch.setattr(ad, "value_and_grad", broken)
    assert check(OVERFLOWS.format(options="all='ignore'", factor=1.0)).kind == WRONG


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer of the platform's")
def test_a_limit_that_a_finaliser_swallows_comes_again():
    class Busy:
        def __del__(self):
            work(0.2)

    def work(seconds):
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    with pytest.raises(Timeout), time_limit(0.1):
        sys.unraisablehook, hook = lambda _: None, sys.unraisablehook
        try:
            Busy()
        finally:
            sys.unraisablehook = hook
        work(5.0)
