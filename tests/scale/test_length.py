"""Long functions: the work of the passes grows with the length, and nothing overflows."""

import sys

import numpy as np
import pytest
from support.made import function

import adjoint as ad

X = 0.7
V = np.linspace(0.1, 1.0, 3)
V5 = np.linspace(0.1, 1.0, 6)


def lines(pattern, count):
    return "".join(pattern.format(i=i, after=i + 1, k=i % 5) for i in range(count))


FORMS = {
    "names": (
        lambda n: (
            "def f(v0):\n"
            + lines("    v{after} = np.sin(v{i}) * 0.9 + {k}.5\n", n)
            + f"    return v{n}\n"
        ),
        (X,),
    ),
    "one name": (
        lambda n: "def f(v):\n" + lines("    v = np.sin(v) * 0.9 + {k}.5\n", n) + "    return v\n",
        (X,),
    ),
    "arrays": (
        lambda n: (
            "def f(v, w):\n"
            + lines("    v = np.sin(v) * w + {k}.5\n", n)
            + "    return np.sum(v)\n"
        ),
        (V, V),
    ),
    "branches": (
        lambda n: (
            "def f(v):\n"
            + lines(
                "    if v > {k}.5:\n        v = v * 0.5\n"
                "    else:\n        v = np.sin(v) + {k}.25\n",
                n,
            )
            + "    return v\n"
        ),
        (X,),
    ),
    "loops": (
        lambda n: (
            "def f(v):\n"
            + lines("    for i in range(3):\n        v = np.sin(v) * 0.9 + {k}.5\n", n)
            + "    return v\n"
        ),
        (X,),
    ),
    "whiles": (
        lambda n: (
            "def f(v):\n"
            + lines("    while v > {k}.5:\n        v = v * 0.5\n    v = v + 0.3\n", n)
            + "    return v\n"
        ),
        (X,),
    ),
    "one loop": (
        lambda n: (
            "def f(v0):\n    for i in range(2):\n"
            + lines("        v{after} = np.sin(v{i}) * 0.9 + {k}.5\n", n)
            + f"        v0 = v{n} * 0.5\n    return v0\n"
        ),
        (X,),
    ),
    "branches in a loop": (
        lambda n: (
            "def f(v):\n    for i in range(2):\n"
            + lines(
                "        if v > {k}.5:\n            a = np.sin(v)\n            v = a * a + 0.75\n",
                n,
            )
            + "    return v\n"
        ),
        (X,),
    ),
    "loop in a branch": (
        lambda n: (
            "def f(v0):\n    for i in range(2):\n        if v0 > -9.0:\n"
            + lines("            v{after} = np.sin(v{i}) * 0.9 + {k}.5\n", n)
            + f"            v0 = v{n} * 0.5\n    return v0\n"
        ),
        (X,),
    ),
    "terms": (
        lambda n: "def f(x):\n    return " + " + ".join(f"{i % 7}.5 * x" for i in range(n)) + "\n",
        (X,),
    ),
    "factors": (
        lambda n: (
            "def f(x):\n    return " + " * ".join(f"(0.3 + x + {i}e-3)" for i in range(n)) + "\n"
        ),
        (X,),
    ),
    "calls": (
        lambda n: (
            "def g(a, b):\n    return np.sin(a) * b + a\n\n\ndef f(v):\n    w = v * 0.5\n"
            + lines("    v = g(v, w) * 0.7\n", n)
            + "    return v\n"
        ),
        (X,),
    ),
    "elements": (
        lambda n: (
            "def f(x):\n    return " + " + ".join(f"x[{i % 6}] ** 2" for i in range(n)) + "\n"
        ),
        (V5,),
    ),
    "stores": (
        lambda n: (
            f"def f(x):\n    y = np.zeros({n})\n"
            + lines("    y[{i}] = x * {k}.5\n", n)
            + "    return np.sum(y * y)\n"
        ),
        (X,),
    ),
    "in place": (
        lambda n: (
            "def f(x):\n    y = x * 2\n"
            + lines("    y *= x * 0.5 + 0.7\n    y[{k}] = x[0]\n", n)
            + "    return np.sum(y)\n"
        ),
        (V5,),
    ),
}


def slope(f, args):
    """The derivative along the first argument, by central differences."""
    x, *rest = args
    step = 1e-6
    return (f(x + step, *rest) - f(x - step, *rest)) / (2 * step)


@pytest.mark.parametrize("form", FORMS)
def test_long_functions_have_the_right_gradient(form, tmp_path):
    text, args = FORMS[form]
    f = function(text(60), tmp_path)
    found = ad.grad(f)(*args)
    assert np.sum(found) == pytest.approx(slope(f, args), rel=1e-4, abs=1e-7)


class Work:
    """Counts the calls of Python functions: work that does not depend on the machine."""

    def __enter__(self):
        self.calls = 0
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)

    def _count(self, frame, event, arg):
        self.calls += event == "call" or event == "c_call"


def work(text, args, directory):
    gradient = ad.grad(function(text, directory))
    with Work() as done:
        gradient(*args)
    return done.calls


@pytest.mark.parametrize("form", FORMS)
def test_twice_the_length_is_about_twice_the_work(form, tmp_path):
    text, args = FORMS[form]
    work(text(5), args, tmp_path)  # reads the rules
    once, twice = (work(text(n), args, tmp_path) for n in (30, 60))
    assert twice < 2.5 * once


def test_each_value_meets_the_changes_of_its_own_array(tmp_path):
    """A few calls for each pair of a value and a change would be most of the work."""
    text, args = FORMS["in place"]
    work(text(5), args, tmp_path)
    once, twice = (work(text(n), args, tmp_path) for n in (200, 400))
    assert twice < 2.2 * once


@pytest.mark.parametrize(("form", "n"), [("names", 600), ("terms", 2000)])
def test_thousands_of_operations(form, n, tmp_path):
    text, args = FORMS[form]
    f = function(text(n), tmp_path)
    assert ad.grad(f)(*args) == pytest.approx(slope(f, args), rel=1e-4, abs=1e-7)


def test_names_of_many_versions_are_told_apart(tmp_path):
    """Each version of v is needed by the backward sweep, where new ones are named as well."""
    text, args = FORMS["one name"]
    source = ad.source(function(text(100), tmp_path), *args)
    assert "v_99" in source and "v_100" not in source
