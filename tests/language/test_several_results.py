"""Functions of several results, of which the program changes some in place."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms
from adjoint.nn.functional.cells import lstm_cell

PROGRAMS = {}  # function -> the forms that take it


def program(*taken):
    def add(fn):
        PROGRAMS[fn] = taken
        return fn

    return add


@program("typed", "recorded")
def values_scaled(a):
    w, v = np.linalg.eigh(a + a.T)
    w *= 2.0
    return np.sum(w) + np.sum(v[0] ** 2 * w)


@program("typed", "recorded")
def both_changed(a):
    w, v = np.linalg.eigh(a + a.T)
    w *= 2.0
    u = np.sum(v[0] ** 2 * w)
    v[0] = 1.0
    return u + np.sum(v * w)


@program("typed", "recorded")
def read_later(a):
    r = np.linalg.eigh(a + a.T)
    t = np.sin(a)
    v = r[1]
    w = r[0]
    v *= 2.0
    return np.sum(w) + np.sum(v[0] ** 2 * w) + np.sum(t)


@program("typed", "recorded")
def in_a_loop(a):
    s = 0.0
    for i in range(3):
        r = np.linalg.eigh(a + a.T + i * np.eye(2))
        t = np.sin(a)
        w = r[0]
        w *= w
        s = s + np.sum(w * t[0])
    return s


@program("typed", "recorded")
def in_branches(a):
    w, v = np.linalg.eigh(a + a.T)
    if a[0, 0] > 0:
        w += v[0]
    else:
        v -= 1.0
    return np.sum(w * w) + np.sum(v[1])


@program("typed", "recorded")
def factors(a):
    q, r = np.linalg.qr(a)
    q *= 2.0
    r[0, 0] = 0.0
    return np.sum(q @ r) + np.sum(r * r)


@program("recorded")
def read_twice(a):
    r = np.linalg.eigh(a + a.T)
    w = r[0]
    w += 1.0
    again = r[0]
    again *= w
    return np.sum(again * r[1][0])


@program("recorded")
def by_a_helper(a):
    def scale(w):
        w *= 3.0

    r = np.linalg.eigh(a + a.T)
    scale(r[0])
    return np.sum(r[1][0] ** 2 * np.sin(a)) + np.sum(r[0])


@program("recorded")
def in_a_list(a):
    r = np.linalg.eigh(a + a.T)
    xs = [r[0], a[0] * 2]
    for x in xs:
        x *= 2.0
    return np.sum(xs[0] * r[1][0] ** 2) + np.sum(xs[1])


@program("recorded")
def singular_vectors(a):
    r = np.linalg.svd(a)
    u = r[0]
    u[0] = 0.0
    s = r[1]
    return np.sum((u * s) @ r[2])


@program("recorded")
def cell(a):
    x = np.concatenate((a, a * 2, a * 3, a * 4), axis=1)
    r = lstm_cell(x, x * 0.5, a)
    gates = r[2]
    gates *= 3.0
    c = r[1]
    c *= 2.0
    return np.sum(r[0]) + np.sum(c * np.sin(a)) + np.sum(gates**2)


@pytest.mark.parametrize("form", forms.BOTH)
@pytest.mark.parametrize("fn", PROGRAMS, ids=lambda fn: fn.__name__)
def test_all_derivatives(fn, form):
    a = np.array([[2.0, 0.3], [0.4, 1.0]])
    with forms.only(form):
        if form not in PROGRAMS[fn]:
            with pytest.raises(ad.AdjointError):
                ad.grad(fn)(a)
            return
        assert ad.value_and_grad(fn)(a)[0] == fn(a)
        ad.testing.check_grads(fn, (a,), order=2)
        slope = lambda a: np.sum(ad.grad(fn)(a) ** 2)
        ad.testing.check_grads(slope, (a,))


def test_only_what_is_changed_is_copied():
    text = ad.source(values_scaled, np.eye(2))
    assert text.count("copy(") == 1, text
    assert "copy(w)" in text, text
