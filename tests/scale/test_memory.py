"""What is kept is bounded, and nothing keeps a user's functions and arrays alive."""

import gc
import linecache
import tracemalloc
import weakref

import numpy as np
import pytest

import adjoint as ad
from adjoint import compile as compile_module
from adjoint import infer


def kept_lines():
    return sum(name.startswith(("<adjoint of", "<call of")) for name in linecache.cache)


def test_the_text_of_a_derivative_goes_with_it():
    gc.collect()
    before = kept_lines()

    def use():
        f = lambda x: np.sum(np.sin(x))
        gradient = ad.grad(f)
        gradient(np.ones(3))
        assert kept_lines() == before + 1

    use()
    gc.collect()
    assert kept_lines() == before


def test_many_signatures_leave_a_bounded_number_of_entries(monkeypatch):
    monkeypatch.setattr(compile_module, "_MOST_PATTERNS", 8)
    monkeypatch.setattr(compile_module, "_MOST_SIGNATURES", 32)
    gc.collect()
    before = kept_lines()

    def f(parts):
        return sum(p * p for p in parts)

    gradient = ad.grad(f)
    for n in range(1, 40):
        assert gradient([1.0] * n) == [2.0] * n
    compiler = gradient._compiler
    assert len(compiler.patterns) == 8
    assert len(compiler.exact) <= 32
    gc.collect()
    assert kept_lines() - before <= 8 + 32


def test_ten_thousand_signatures():
    """Sizes of one pattern compile nothing, and are forgotten after a while."""

    def f(x):
        return np.sum(np.sin(x) * x)

    gradient = ad.grad(f)
    arrays = np.zeros(10_001)
    gradient(arrays[:2])
    gradient(arrays[:1])
    gc.collect()
    tracemalloc.start()
    try:
        for n in range(2, 1000):
            gradient._compiler.find((arrays[:n],), {})
        first = tracemalloc.get_traced_memory()[0]
        for n in range(1000, 10_000):
            gradient._compiler.find((arrays[:n],), {})
        grown = tracemalloc.get_traced_memory()[0] - first
    finally:
        tracemalloc.stop()
    assert len(gradient._compiler.patterns) == 2
    assert len(gradient._compiler.exact) <= 512
    assert grown < 200_000


def test_types_of_results_are_kept_within_bounds(monkeypatch):
    monkeypatch.setattr(infer, "_MOST_RESULTS", 10)

    def f(x, shape):
        return np.sum(np.moveaxis(x.reshape(shape), 0, -1) * 2)

    for n in range(1, 30):
        assert list(ad.grad(f)(np.ones(2), (1,) * n + (2,))) == [2.0, 2.0]
        assert 0 < len(infer._cache) <= 10


def operate(operator, f, x):
    if operator == "grad":
        ad.grad(f)(x)
    elif operator == "value_and_grad":
        ad.value_and_grad(f)(x)
    elif operator == "vjp":
        ad.vjp(f, x)[1](1.0)
    elif operator == "jvp":
        ad.jvp(f, (x,), (x,))
    else:
        ad.source(f, x)


OPERATORS = ["grad", "value_and_grad", "vjp", "jvp", "source"]


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_local_function_and_what_it_closes_over_are_collectable(operator):
    def make():
        weights = np.ones(5)

        def f(x):
            return np.sum(np.sin(x) * weights)

        operate(operator, f, np.ones(5))
        return weakref.ref(f), weakref.ref(weights)

    refs = make()
    gc.collect()
    assert [r() for r in refs] == [None, None]


@pytest.mark.parametrize("operator", OPERATORS)
def test_arguments_of_the_last_call_are_collectable(operator):
    def f(x):
        return np.sum(np.sin(x) * x)

    x = np.ones(5)
    operate(operator, f, x)
    gradient = ad.grad(f)
    gradient(x)
    ref = weakref.ref(x)
    del x
    gc.collect()
    assert ref() is None


def test_a_pullback_keeps_what_it_reads_and_no_more():
    def f(x, large):
        return np.sum(x * x) + np.sum(large)

    x, large = np.ones(4), np.ones(1000)
    _, pullback = ad.vjp(f, x, large)
    refs = weakref.ref(x), weakref.ref(large)
    del x, large
    gc.collect()
    assert [r() for r in refs] == [None, None]
    np.testing.assert_array_equal(pullback(1.0)[0], np.full(4, 2.0))


class Model:
    def __init__(self):
        self.w = np.ones(3)

    def loss(self, x):
        return np.sum(np.sin(x) * self.w)


@pytest.mark.parametrize("operator", ["grad", "value_and_grad", "source"])
def test_instances_are_collectable(operator):
    model = Model()
    operate(operator, model.loss, np.ones(3))
    refs = weakref.ref(model), weakref.ref(model.w)
    del model
    gc.collect()
    assert [r() for r in refs] == [None, None]


@pytest.mark.parametrize("operator", ["vjp", "jvp"])
def test_methods_given_to_vjp_and_jvp_are_kept_for_a_while(operator):
    refs = []
    for _ in range(30):
        model = Model()
        operate(operator, model.loss, np.ones(3))
        refs.append(weakref.ref(model))
    del model
    gc.collect()
    assert sum(r() is not None for r in refs) <= 16


def test_equal_instances_are_not_taken_for_one_another():
    class Scale:
        def __init__(self, k):
            self.k = k

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 0

        def __call__(self, x):
            return self.k * x

        def method(self, x):
            return self.k * x

    for k in (2.0, 3.0):
        assert ad.vjp(Scale(k), 1.0)[1](1.0) == (k,)
        assert ad.vjp(Scale(k).method, 1.0)[1](1.0) == (k,)
        assert ad.jvp(Scale(k).method, (1.0,), (1.0,)) == (k, k)


def bytes_for_each(f, x, n):
    """The peak of memory of a gradient, by iteration."""
    gradient = ad.grad(f)
    gradient(x, 10)
    gc.collect()
    tracemalloc.start()
    try:
        gradient(x, n)
        return tracemalloc.get_traced_memory()[1] / n
    finally:
        tracemalloc.stop()


def recurrence(x, n):
    h = 0.5
    for _ in range(n):
        h = 0.9 * h + x
    return h


def logistic(x, n):
    h = 0.5
    for _ in range(n):
        h = x * h * (1 - h)
    return h


def branching(x, n):
    h = 0.5
    for i in range(n):
        if i % 2:
            h = x * h
        else:
            h = h * h
    return h


def whiles(x, n):
    i = 0
    h = 0.5
    while i < n:
        h = x * h * (1 - h)
        i += 1
    return h


@pytest.mark.parametrize(
    "f, most",
    [
        (recurrence, 2),  # nothing is read: the record is a range
        (logistic, 40),  # one float, and its place in a list
        (branching, 120),  # and the flag, in a tuple
        (whiles, 60),
    ],
)
def test_memory_of_an_iteration(f, most):
    """A list's place takes 8 bytes, a float 24, a tuple 40 and more."""
    assert bytes_for_each(f, 0.9, 20_000) < most
