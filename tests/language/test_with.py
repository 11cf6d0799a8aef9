"""`with`: the manager is entered once, around the same statements, and left by every way."""

import contextlib
import threading
import warnings

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad

programs = []
program = table(programs)

log = []


class Manager:
    """Notes when it is entered and left, and by which error."""

    factor = 3.0

    def __init__(self, name="m"):
        self.name = name

    def __enter__(self):
        log.append(f"enter {self.name}")
        return self

    def __exit__(self, kind, error, trace):
        log.append(f"leave {self.name} {getattr(kind, '__name__', None)}")


class Swallowing(Manager):
    def __exit__(self, kind, error, trace):
        return kind is ValueError


@contextlib.contextmanager
def scope(name):
    log.append(f"enter {name}")
    try:
        yield name
    finally:
        log.append(f"leave {name}")


@contextlib.contextmanager
def catching():
    try:
        yield
    except ValueError:
        pass


manager = Manager("outer")
lock = threading.Lock()


@program(array(3))
def error_state(x):
    with np.errstate(divide="ignore"):
        y = np.log(np.abs(x))
    return np.sum(y * x)


@program(array(3), 2.0)
def returns_from_inside(x, k):
    with np.errstate(all="warn"), lock:
        if k > 1:
            return np.sum(x * x) * k
        k = k * 3
    return k * x[0]


@program(array(3))
def several_managers(x):
    with Manager() as m, scope("s") as name:
        y = x * x if m is not None and name == "s" else x
    return np.sum(y)


@program(1.1)
def in_a_loop(x):
    for i in range(4):
        with scope(i):
            if i == 1:
                continue
            x = x * x + i
            if i == 2:
                break
    return x


@program(array(2), 1.0)
def in_branches(x, k):
    if k > 0:
        with scope("then"):
            y = np.sin(x)
    else:
        with scope("else"):
            y = np.cos(x)
    return np.sum(y * k)


def helper_with(x):
    with scope("helper"):
        return x * x


@program(1.5)
def in_a_helper(x):
    return helper_with(x) * helper_with(2 * x)


@program(1.5)
def manager_from_outside(x):
    with manager:
        y = x * x
    return y * x


@program(1.5, 2.0)
def value_of_a_null_context(x, k):
    with contextlib.nullcontext(x * x) as y, contextlib.nullcontext():
        z = y * k
    return z


@program(1.5)
def constants_inside(x):
    with scope("a"), ad.no_grad():
        pass
    return x * x


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


@pytest.mark.parametrize("case", programs, ids=str)
def test_managers_are_entered_once_and_in_order(case):
    log.clear()
    case.fn(*case.arguments())
    want = list(log)
    for derivative in (ad.grad, ad.value_and_grad):
        log.clear()
        derivative(case.fn)(*case.arguments())
        assert log == want
    log.clear()
    _, pullback = ad.vjp(case.fn, *case.arguments())
    pullback(1.0)
    assert log == want


def test_an_error_leaves_the_manager():
    def f(x):
        with Manager("a"), scope("b"):
            y = x * x
            if x > 0:
                raise KeyError("positive")
        return y

    log.clear()
    with pytest.raises(KeyError):
        ad.grad(f)(2.0)
    assert log == ["enter a", "enter b", "leave b", "leave a KeyError"]
    assert ad.grad(f)(-2.0) == -4.0


def test_error_of_an_operation_is_raised_inside():
    def f(x):
        with np.errstate(all="raise"):
            y = np.log(x)
        return np.sum(y)

    with pytest.raises(FloatingPointError):
        ad.value_and_grad(f)(np.array([0.0, 1.0]))
    assert np.geterr()["divide"] == "warn"


def test_derivative_of_what_is_silenced_is_silent():
    def f(x):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.sum(np.sqrt(x))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(ad.grad(f)(np.array([0.0, 1.0])), [np.inf, 0.5])


def test_file_is_read_inside(tmp_path):
    path = tmp_path / "scale.txt"
    path.write_text("2.5")

    def f(x):
        with open(path) as file:
            scale = float(file.read())
        return x * x * scale

    assert ad.value_and_grad(f)(3.0) == (22.5, 15.0)


def test_printed():
    def f(x):
        with scope("a"):
            y = np.exp(x)
        return np.sum(y)

    text = ad.source(f, np.ones(2))
    assert "    with scope('a'):\n        y = np.exp(x)\n    return y.copy()\n" in text


def suppressed(x):
    y = x
    with contextlib.suppress(ValueError):
        y = x * x
    return y


def swallowed(x):
    y = x
    with Swallowing():
        y = x * x
    return y


def caught(x):
    y = x
    with catching():
        y = x * x
    return y


@pytest.mark.parametrize("fn", [suppressed, swallowed, caught])
def test_refused(fn, typed_only):
    with pytest.raises(ad.UnsupportedSyntaxError, match="may swallow errors"):
        ad.grad(fn)(2.0)
