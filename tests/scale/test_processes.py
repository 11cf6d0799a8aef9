"""Derivatives in other processes: fork, spawn, pickle, copies."""

import copy
import multiprocessing
import os
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from support import pickled

import adjoint as ad
from adjoint.locking import compiling

NAMES = list(pickled.EXPECTED)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("called", [False, True], ids=["new", "called"])
@pytest.mark.parametrize(
    "again",
    [lambda f: pickle.loads(pickle.dumps(f)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_copies_work(name, called, again):
    made = getattr(pickled, name)
    if called:
        made(3.0)
    assert pickled.plain(again(made)(3.0)) == pickled.EXPECTED[name]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_a_decorator_made_is_found_by_its_name(protocol):
    for name in ("decorated", "by_second", "decorated_both", "decorated_matrix"):
        made = getattr(pickled, name)
        assert pickle.loads(pickle.dumps(made, protocol)) is made


def test_local_functions_are_not_pickled_as_in_python():
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(ad.grad(lambda x: x * x))


def test_names_and_signatures_are_those_of_the_function():
    import inspect

    for made in (pickled.gradient, pickled.matrix, pickled.curvature):
        assert made.__module__ == pickled.__name__
        assert list(inspect.signature(made).parameters) == ["x"]


START_METHODS = multiprocessing.get_all_start_methods()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("method", START_METHODS)
def test_pools_of_processes(method):
    context = multiprocessing.get_context(method)
    with context.Pool(1) as pool:
        assert pool.map(pickled.gradient, [1.0, 2.0]) == [2.0, 4.0]
        assert pool.map(pickled.decorated, [1.0, 2.0]) == [3.0, 12.0]
        found = pool.apply(pickled.all_at_three, (NAMES,))
    assert found == list(pickled.EXPECTED.values())


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_executors():
    context = multiprocessing.get_context("fork" if "fork" in START_METHODS else "spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert list(pool.map(pickled.second, [1.0, 2.0])) == [2.0, 2.0]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_while_another_thread_compiles():
    """The child has the lock as the thread left it, and not the thread."""

    def f(x):
        return np.sin(x) * x

    held, leave = threading.Event(), threading.Event()

    def hold():
        with compiling():
            held.set()
            leave.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if abs(ad.grad(f)(1.0) - (np.sin(1.0) + np.cos(1.0))) < 1e-12 else 1)
    _, status = os.waitpid(child, 0)
    leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0
