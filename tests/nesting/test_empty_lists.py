"""Derivatives of derivatives where a list stays empty for the arguments at hand."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms

PROGRAMS = []


def program(fn):
    PROGRAMS.append(fn)
    return fn


@program
def guarded_stack(p, t):
    xs = []
    for i in range(2):
        if p[i] > t:
            xs.append(p * p[i])
    if len(xs) > 0:
        return np.sum(np.stack(xs) ** 2)
    return np.sum(p**3)


@program
def guarded_concatenation(p, t):
    xs = []
    for i in range(2):
        if p[i] > t:
            xs.append(p * p[i])
    return np.sum(np.concatenate(xs) ** 2) if xs else np.sum(p**3)


@program
def array_of_numbers(p, t):
    xs = [v * v for v in p if v > t]
    return np.sum(np.array(xs) ** 2) + p[0] ** 3


@program
def array_of_arrays(p, t):
    xs = [v * p for v in p if v > t]
    return np.sum(np.asarray(xs) ** 2) + p[0] ** 3


@program
def array_of_lists(p, t):
    xs = [[v * v, v] for v in p if v > t]
    return np.sum(np.array(xs) ** 3) + p[0] ** 3


@program
def array_of_a_mask(p, t):
    z = p[p > t]
    return np.sum(np.array([v * v for v in z])) + np.sum(p**3)


@program
def lists_of_a_branch(p, t):
    xs, ys = [], []
    for v in p:
        if v > t:
            xs.append(v * v)
        else:
            ys.append(v)
    mean = np.mean(np.array(ys) ** 3) if ys else 1.0
    return (np.sum(np.stack(xs)) if len(xs) > 0 else 0.0) + mean * p[1]


@pytest.mark.parametrize("form", forms.BOTH)
@pytest.mark.parametrize("t", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("fn", PROGRAMS, ids=lambda fn: fn.__name__)
def test_up_to_the_third_derivative(fn, t, form):
    along = np.array([1.0, 0.5])

    def slope(p):
        return np.sum(ad.grad(fn)(p, t) * along)

    def bend(p):
        return np.sum(ad.grad(slope)(p) * along)

    p = np.array([0.3, 0.9])
    with forms.only(form):
        ad.testing.check_grads(slope, (p,), order=1)
        ad.testing.check_grads(bend, (p,), order=1, modes=("reverse",))
