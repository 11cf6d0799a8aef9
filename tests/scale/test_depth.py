"""Deep nesting, and recursion to Python's own limit."""

import sys
import threading

import numpy as np
import pytest
from support.made import function

import adjoint as ad
from adjoint.errors import UnsupportedSyntaxError
from adjoint.frames import room_for


def central(f, x, *rest):
    return (f(x + 1e-6, *rest) - f(x - 1e-6, *rest)) / 2e-6


@pytest.mark.parametrize(
    "body",
    [
        "    return " + "np.sin(" * 190 + "x" + ")" * 190,
        "    return " + "(1.0 + 0.5 * x * " * 190 + "x" + ")" * 190,
        "    return " + "-" * 500 + "x",
        "    return x" + ".reshape((1,))" * 300 + ".sum()",
        "    return " + " ** ".join(["x"] * 80),
        "    return " + " + ".join(f"(x if x > {i}.0 else 2.0 * x)" for i in range(90)),
    ],
    ids=["calls", "operators", "signs", "methods", "powers", "conditions"],
)
def test_deep_expressions(body, tmp_path):
    f = function(f"def f(x):\n    x = np.asarray(x)\n{body}\n", tmp_path)
    assert ad.grad(f)(0.7) == pytest.approx(float(central(f, 0.7)), rel=1e-4)


def test_as_many_nested_loops_as_python_allows(tmp_path):
    text = "".join("    " * (i + 1) + f"for i{i} in range(1):\n" for i in range(20))
    f = function(f"def f(x):\n{text}{'    ' * 21}x = np.sin(x)\n    return x\n", tmp_path)
    assert ad.grad(f)(0.7) == pytest.approx(np.cos(0.7))


def test_as_many_nested_branches_as_python_allows(tmp_path):
    text = "".join(" " * (i + 1) + f"if x > {-i}.0:\n" for i in range(98))
    f = function(f"def f(x):\n{text}{' ' * 99}x = np.sin(x)\n return x\n", tmp_path)
    assert ad.grad(f)(0.7) == pytest.approx(np.cos(0.7))


def test_many_cases_are_a_chain_of_elifs(tmp_path):
    cases = "".join(f"    elif x < {i}.0:\n        y = x * {i}.5\n" for i in range(1, 120))
    f = function(f"def f(x):\n    if x < 0:\n        y = x\n{cases}    return y\n", tmp_path)
    assert ad.grad(f)(90.5) == 91.5
    assert ad.grad(f)(-1.0) == 1.0


def test_what_python_cannot_nest_is_refused_in_words(tmp_path):
    loops = "".join("    " * (i + 1) + f"for i{i} in range(1):\n" for i in range(11))
    inner = f"def g(x):\n{loops}{'    ' * 12}x = np.sin(x)\n    return x\n\n\n"
    call = f"def f(x):\n{loops}{'    ' * 12}x = g(x)\n    return x\n"
    f = function(inner + call, tmp_path)
    with pytest.raises(UnsupportedSyntaxError, match=r"in f: .* nested too deeply for Python"):
        ad.source(f, 0.7)


def power(x, n):
    if n == 0:
        return 1.0
    return x * power(x, n - 1)


def even(x, n):
    if n == 0:
        return x
    return np.sin(odd(x, n - 1))


def odd(x, n):
    if n == 0:
        return x * 2
    return np.cos(even(x, n - 1)) * x


def summed(x, n):
    s = 0.0
    if n > 0:
        for i in range(2):
            s = s + x[i] * 0.001
        s = s + np.sum(summed(x, n - 1)) * 0.5
    return s


def depth():
    frame, count = sys._getframe(1), 0
    while frame is not None:
        frame, count = frame.f_back, count + 1
    return count


@pytest.mark.parametrize("f, x", [(power, 1.001), (even, 0.3), (summed, np.ones(3))])
@pytest.mark.parametrize("mode", ["grad", "vjp", "jvp"])
def test_recursion_to_pythons_own_limit(f, x, mode):
    """Where the function fits on the stack, its derivative does, even when it is compiled there."""
    n = sys.getrecursionlimit() - depth() - 20
    f(x, n)
    if mode == "grad":
        assert np.isfinite(ad.grad(f)(x, n)).all()
    elif mode == "vjp":
        assert np.isfinite(ad.vjp(f, x, n)[1](1.0)[0]).all()
    else:
        assert np.isfinite(ad.jvp(f, (x, n), (x, None))[1]).all()


def test_the_first_call_may_be_deep_in_a_recursion():
    gradient = ad.grad(lambda x: np.sum(np.sin(x)))

    def down(n):
        return down(n - 1) if n else gradient(np.zeros(2))

    found = down(sys.getrecursionlimit() - depth() - 40)
    assert list(found) == [1.0, 1.0]


def test_a_recursion_without_end_is_no_zero():
    def endless(x):
        return x * endless(x)

    limit = sys.getrecursionlimit()
    with pytest.raises((RecursionError, UnsupportedSyntaxError)):
        ad.grad(endless)(1.0)
    assert sys.getrecursionlimit() == limit


def test_recursion_beyond_the_limit_is_pythons_own_error_in_the_users_lines():
    limit = sys.getrecursionlimit()
    with pytest.raises(RecursionError) as caught:
        ad.grad(power)(1.0, 10 * limit)
    assert sys.getrecursionlimit() == limit
    names = [entry.name for entry in caught.traceback]
    assert names.count("power") > limit / 2


def test_the_limit_is_put_back_when_the_last_thread_has_left():
    limit = sys.getrecursionlimit()
    inside, leave = threading.Event(), threading.Event()

    def stay():
        with room_for(300):
            inside.set()
            leave.wait()

    thread = threading.Thread(target=stay)
    with room_for(100):
        thread.start()
        inside.wait()
    assert sys.getrecursionlimit() == limit + 300
    leave.set()
    thread.join()
    assert sys.getrecursionlimit() == limit


def checked(x, n):
    if n < 0:
        raise ValueError("negative")
    if n == 0:
        return x
    return x * checked(x, n - 1)


def test_a_recursive_call_without_use_still_raises():
    def f(x, n):
        checked(x, n)
        return x * x

    assert ad.grad(f)(3.0, 2) == 6.0
    with pytest.raises(ValueError, match="negative"):
        ad.grad(f)(3.0, -1)
