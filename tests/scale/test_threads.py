"""First calls from many threads at once."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import adjoint as ad
from adjoint import pipeline

THREADS = 32


def at_once(calls):
    """The results of calls that are let go together, each in a thread of its own."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture
def compilations(monkeypatch):
    """The names of the functions that are compiled, as they are."""
    found = []
    derive = pipeline.derive

    def counted(fn, *args):
        found.append(fn.__name__)
        return derive(fn, *args)

    monkeypatch.setattr(pipeline, "derive", counted)
    return found


def loss(w, x):
    h = np.tanh(x @ w)
    if np.sum(h) > 0:
        h = h * 2
    return np.sum(h * h)


def test_one_compilation_for_many_first_calls(compilations):
    gradient = ad.grad(loss)
    arrays = [np.full((3, 2), k / 50) for k in range(THREADS)]
    x = np.ones((4, 3))
    found = at_once([lambda w=w: gradient(w, x) for w in arrays])
    assert compilations == ["loss"]
    for w, each in zip(arrays, found):
        np.testing.assert_array_equal(each, ad.grad(loss)(w, x))


@pytest.mark.parametrize("operator", ["vjp", "jvp"])
def test_one_compilation_for_many_pullbacks(operator, compilations):
    def f(x):
        return np.sin(x) * x

    if operator == "vjp":
        calls = [lambda k=k: ad.vjp(f, float(k))[1](1.0)[0] for k in range(THREADS)]
    else:
        calls = [lambda k=k: ad.jvp(f, (float(k),), (1.0,))[1] for k in range(THREADS)]
    found = at_once(calls)
    assert len(compilations) <= 2  # two threads may make a compiler each, and the later one is kept
    np.testing.assert_allclose(found, [np.sin(k) + k * np.cos(k) for k in range(THREADS)])


def test_functions_of_many_threads_in_parallel():
    def make(k):
        def f(x):
            y = x * k
            for _ in range(k):
                y = np.sin(y) + x
            return y

        return f

    functions = [make(k) for k in range(THREADS)]
    found = at_once([lambda f=f: ad.grad(f)(0.3) for f in functions])
    step = 1e-6
    for f, each in zip(functions, found):
        assert each == pytest.approx((f(0.3 + step) - f(0.3 - step)) / (2 * step), abs=1e-6)


def test_new_signatures_while_others_run(compilations):
    def f(x):
        return np.sum(x * x * x)

    gradient = ad.grad(f)
    shapes = [(2,), (2, 3), (1, 2, 3), (), (1,)]

    def calls(number):
        for k in range(40):
            x = np.full(shapes[(number + k) % len(shapes)], 2.0)
            np.testing.assert_allclose(gradient(x), np.full(x.shape, 12.0))
        return True

    assert all(at_once([lambda n=n: calls(n) for n in range(8)]))
    assert len(compilations) == len(shapes)


def test_helpers_that_change_while_threads_run():
    """Each call sees the helper before or after a change, never a mixture."""
    scale = [1.0]

    def f(x):
        return factor() * x

    def factor():
        return scale[0]

    gradient = ad.grad(f)
    stop = threading.Event()

    def change():
        while not stop.is_set():
            scale[0] = 2.0 if scale[0] == 1.0 else 1.0

    thread = threading.Thread(target=change)
    thread.start()
    try:
        found = {gradient(3.0) for _ in range(300)}
    finally:
        stop.set()
        thread.join()
    assert found <= {1.0, 2.0}


def test_errors_in_threads_are_told_in_the_users_lines():
    def f(x, n):
        y = x * 2
        return np.sum(y / n)

    gradient = ad.grad(f)
    gradient(1.0, 2)

    def failing():
        with pytest.raises(ZeroDivisionError) as caught:
            gradient(1.0, 0)
        return [entry.name for entry in caught.traceback]

    for names in at_once([failing] * 8):
        assert "f" in names


FIRST_CALLS = """
import threading

import numpy as np

import adjoint as ad
from adjoint.rules import lookup
from benchmarks.cold import first_loss, inputs

args, found = inputs(), []
start = threading.Barrier(32)


def call():
    start.wait()
    assert lookup(np.linalg.det)
    found.append(ad.grad(first_loss)(*args))


threads = [threading.Thread(target=call) for _ in range(32)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(found) == 32, found
for one in found:
    for name, value in one.items():
        np.testing.assert_array_equal(value, found[0][name])
"""


def test_the_first_calls_of_a_process():
    """Modules, rules and the classes of the compiler are made ready while all threads ask."""
    root = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join((str(root / "src"), str(root)))
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-W", "error", "-c", FIRST_CALLS]
    subprocess.run(command, env=environment, check=True, timeout=120)
