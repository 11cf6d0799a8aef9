"""Function object -> tree, at the user's places."""

import functools
import linecache
import sys
import types

import gast
import numpy as np
import pytest

import adjoint as ad
from adjoint import same_code
from adjoint.parse import defaults_of, parse_function


def plain(x, y=2.0, *, z=3.0):
    """A text."""
    return x * y * z


def returned(source):
    """The text of what a function returns."""
    node = source.node
    if isinstance(node, gast.Lambda):
        return gast.unparse(node.body).strip()
    found = [n for n in node.body if isinstance(n, gast.Return)]
    return gast.unparse(found[-1].value).strip()


def line_in_file(source, node):
    return linecache.getline(source.filename, source.origin(node).line).strip()


def test_source_of_a_function():
    source = parse_function(plain)
    assert source.name == "plain"
    assert source.filename == __file__
    assert source.globals is globals()
    assert source.cells == {}
    assert source.defaults == {"y": 2.0, "z": 3.0}
    assert isinstance(source.node, gast.FunctionDef)
    assert [a.id for a in source.node.args.args] == ["x", "y"]


def test_defaults_of():
    def f(a, /, b, c=1, *rest, d, e=2, **others):
        pass

    assert defaults_of(f) == {"c": 1, "e": 2}


def test_places_are_those_of_the_file():
    source = parse_function(plain)
    result = source.node.body[-1]
    assert line_in_file(source, result) == "return x * y * z"
    origin = source.origin(result.value)
    assert origin.function == "plain"
    line = linecache.getline(origin.filename, origin.line)
    assert line[origin.col : origin.end_col] == "x * y * z"
    assert origin.text == "return x * y * z"


def test_places_in_nested_and_indented_functions():
    def outer():
        if True:

            def inner(x):
                y = x + 1
                return y * 2

            return inner

    source = parse_function(outer())
    first, last = source.node.body
    assert line_in_file(source, first) == "y = x + 1"
    origin = source.origin(last.value)
    line = linecache.getline(origin.filename, origin.line)
    assert line[origin.col : origin.end_col] == "y * 2"


def test_cells():
    k = 2.0

    def f(x):
        return x * k

    source = parse_function(f)
    assert list(source.cells) == ["k"]
    assert source.cells["k"].cell_contents == 2.0
    k = 3.0
    assert source.cells["k"].cell_contents == 3.0


class Example:
    def method(self, x):
        return x * 7

    @staticmethod
    def static(x):
        return x * 8

    @property
    def prop(self):
        return 9

    class Inner:
        def method(self, x):
            return x * 10


def test_methods():
    assert returned(parse_function(Example.method)) == "x * 7"
    assert returned(parse_function(Example.static)) == "x * 8"
    assert returned(parse_function(Example.prop.fget)) == "9"
    assert returned(parse_function(Example.Inner.method)) == "x * 10"


def decorator(f):
    @functools.wraps(f)
    def run(*args):
        return f(*args)

    return run


@decorator
@decorator
def decorated(x):
    return x * 11


def test_decorated_functions():
    assert returned(parse_function(decorated)) == "f(*args)"
    inner = decorated.__wrapped__.__wrapped__
    assert returned(parse_function(inner)) == "x * 11"
    assert ad.grad(decorated)(2.0) == 11.0


def test_functions_of_one_name():
    def f(x):
        return x * 1

    first = f

    def f(x):
        return x * 2

    assert returned(parse_function(first)) == "x * 1"
    assert returned(parse_function(f)) == "x * 2"


def test_lambdas():
    one, two = lambda x: x * 1, lambda x: x * 2
    assert returned(parse_function(one)) == "x * 1"
    assert returned(parse_function(two)) == "x * 2"
    nested = lambda x: (lambda y: y * 3)(x)
    assert returned(parse_function(nested)) == "(lambda y: y * 3)(x)"
    default = lambda x, k=4: x * k
    assert parse_function(default).defaults == {"k": 4}


def test_lambdas_that_differ_in_a_constant_or_a_name():
    a, b = 1.0, 2.0
    fs = [lambda x: x * 1.0, lambda x: x * 1, lambda x: x * True, lambda x: x * a, lambda x: x * b]
    texts = [returned(parse_function(f)) for f in fs]
    assert texts == ["x * 1.0", "x * 1", "x * True", "x * a", "x * b"]
    gs = (lambda x: np.sin(x), lambda x: np.cos(x))
    assert [returned(parse_function(g)) for g in gs] == ["np.sin(x)", "np.cos(x)"]


def test_lambdas_that_hold_lambdas_and_comprehensions():
    fs = [lambda x: sum([v * 2 for v in x]), lambda x: sum([v * 3 for v in x])]
    assert ["2" in returned(parse_function(f)) for f in fs] == [True, False]
    gs = [lambda x: (lambda y: y * 2)(x), lambda x: (lambda y: y * 3)(x)]
    assert [ad.grad(g)(1.0) for g in gs] == [2.0, 3.0]


def test_equal_lambdas():
    fs = [lambda x: x * 5, lambda x: x * 5]
    assert [returned(parse_function(f)) for f in fs] == ["x * 5", "x * 5"]


def test_lambda_over_lines_and_in_arguments():
    kept = []
    kept.append(
        lambda x: x
        * 6
    )  # fmt: skip
    functools.reduce(lambda a, f: kept.append(f), [lambda x: x * 7, lambda x: x * 8], None)
    assert [returned(parse_function(f)) for f in kept] == ["x * 6", "x * 7", "x * 8"]


def test_default_of_a_parameter_is_a_lambda():
    def f(x, g=lambda v: v * 2):
        return g(x)

    assert returned(parse_function(f)) == "g(x)"
    assert returned(parse_function(f.__defaults__[0])) == "v * 2"
    assert ad.grad(f)(1.0) == 2.0


def test_texts_keep_their_lines():
    def f(x, unit="m"):
        text = """a
        b"""
        return x * 2.0 if text == "a\n        b" else x * 3.0

    assert ad.grad(f)(1.0) == 2.0


def write(tmp_path, text, name="made.py"):
    path = tmp_path / name
    path.write_text(text)
    scope = {"np": np, "__name__": "made"}
    exec(compile(text, str(path), "exec"), scope)
    return scope, str(path)


def test_tabs_continuations_and_semicolons(tmp_path):
    scope, path = write(
        tmp_path,
        "if True:\n\tdef f(x):\n\t\ty = x * \\\n\t\t\t2; z = y * x\n\t\treturn (z +\ny)\n",
    )
    source = parse_function(scope["f"])
    assert returned(source) == "z + y"
    assert ad.grad(scope["f"])(3.0) == 14.0


def test_text_at_the_margin(tmp_path):
    scope, _ = write(
        tmp_path,
        'def outer():\n    def f(x):\n        """Text\nat the margin\n"""\n'
        "        # indented\n# not indented\n        return x * 3\n    return f\nf = outer()\n",
    )
    source = parse_function(scope["f"])
    assert returned(source) == "x * 3"
    assert source.origin(source.node.body[-1]).line == 8
    assert ad.grad(scope["f"])(3.0) == 3.0


def test_one_line_functions(tmp_path):
    scope, _ = write(tmp_path, "def f(x): return x * 3\ndef g(x): y = x; return y * 4\n")
    assert returned(parse_function(scope["f"])) == "x * 3"
    assert returned(parse_function(scope["g"])) == "y * 4"


def test_unicode_places(tmp_path, typed_only):
    scope, path = write(tmp_path, 'def f(x):\n    s = "äöü"; y = undefined(x)\n    return y\n')
    with pytest.raises(ad.UnsupportedSyntaxError) as caught:
        ad.grad(scope["f"])(2.0)
    lines = str(caught.value).splitlines()
    start = lines[2].index("^")
    assert lines[1][start : start + lines[2].count("^")] == "undefined"


def test_long_sums(tmp_path):
    terms = " + ".join(["x"] * 600)
    scope, _ = write(tmp_path, f"def f(x):\n    return {terms}\n")
    limit = sys.getrecursionlimit()
    assert isinstance(parse_function(scope["f"]).node, gast.FunctionDef)
    assert sys.getrecursionlimit() == limit


def test_a_file_that_has_changed(tmp_path):
    scope, path = write(tmp_path, "def f(x):\n    return x * 2\n")
    f = scope["f"]
    assert ad.grad(f)(1.0) == 2.0
    with open(path, "w") as file:
        file.write("# nothing\n")
    fresh = types.FunctionType(f.__code__.replace(co_name="f"), f.__globals__, "f")
    assert ad.grad(fresh)(1.0) == 2.0  # the tree that was read belongs to this code


def test_a_file_that_is_gone(tmp_path):
    scope, path = write(tmp_path, "def f(x):\n    return x * 2\n")
    import os

    os.remove(path)
    with pytest.raises(ad.SourceUnavailableError, match="`f` cannot be read"):
        parse_function(scope["f"])


CHANGES = [
    ("def f(x):\n    return x * 2\n", "def f(x):\n    return x * 3\n"),
    ("def f(x):\n    return x * 2\n", "def f(y):\n    return y * 2\n"),
    ("def f(x):\n    return x * 2\n", "def g(x):\n    return x * 2\n"),
    ("def f(x):\n    return x * 2\n", "\n# moved\n\ndef f(x):\n    return x * 2\n"),
    ("def f(x):\n    return x * 2\n", "def f(x):\n    return x * (\n"),
    ("def f(x):\n    return np.sin(x)\n", "def f(x):\n    return np.cos(x)\n"),
    ("def f(x):\n    return [v * 2 for v in x]\n", "def f(x):\n    return [v * 3 for v in x]\n"),
    ("\n\ndef f(x):\n    return x\n", "def f(x): return x"),
    (
        "def f(x):\n    if x > 0:\n        x = 1\n        y = 2\n    return x\n",
        "def f(x):\n    if x > 0:\n        x = 1\n    y = 2\n    return x\n",
    ),
    (
        "def f(x):\n    for i in x:\n        y = 1\n    return np.sum(x)\n",
        "def f(x):\n    for i in x:\n        y = 1\n        return np.sum(x)\n",
    ),
    ("f = lambda x: x * 2\n", "f = lambda x: x * 3\n"),
    ("f = lambda x: x * 2\n", "f = lambda x: x * 2.0\n"),
    ("f = lambda x: x * 2\n", "f = 3\n"),
    ("f = lambda x: g(x, (1, 2))\n", "f = lambda x: g(x, (1, 2.0))\n"),
    ("f = lambda x: g(x, (1, (0.0,)))\n", "f = lambda x: g(x, (1, (-0.0,)))\n"),
    ("f = lambda x: x * 0j\n", "f = lambda x: x * -0j\n"),
    ("f = lambda x: x * 2\n", "\nf = lambda x: x * 2\n"),
    ("f, g = lambda x: x * 2, lambda x: x\n", "f, g = lambda x: x * 3, lambda x: -x\n"),
]


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_other_text_is_not_taken_for_the_function(tmp_path, before, after):
    scope, path = write(tmp_path, before)
    with open(path, "w") as file:
        file.write(after)
    linecache.checkcache(path)
    with pytest.raises(ad.SourceUnavailableError, match="not what the function was compiled from"):
        parse_function(scope["f"])


UNCHANGED = """
import os.path as osp, math
from math import sin as s
try:
    import math as m
except ImportError:
    pass

K = 2.0

def deco(f, *rest):
    return f

@deco
@deco
def decorated(x, g=lambda v: v * 3, *, h=(lambda v: v, lambda v: -v)):
    "A text"
    return x * K

def recursive(x, n):
    return x if n == 0 else recursive(x, n - 1) * m.cos(x) * s(x)

def outer(k):
    j = k
    def inner(x):
        nonlocal j
        j = j + 1
        def inmost(y):
            return inner(y) if k > 100 else y * j
        return inmost(x) * k
    return inner

inner = outer(2.0)

class Net:
    __hidden = 3.0
    lam = lambda self, x: self.__hidden * x

    def method(self, x):
        return x * self.__hidden * super().__hash__()

    @property
    def prop(self):
        return [v for v in (1, 2)]

    def nested(self):
        def local(x):
            return self.__private(x)
        return local, lambda x: self.__private(x)

    def __private(self, x):
        if __debug__:
            assert x > 0, f"{x:.3f} is negative"
        return m.sin(x)

net = Net()
local, lam = net.nested()
lines = lambda x: (
    x
    * 2
)
private = Net._Net__private
several = [lambda x: x * 1.0, lambda x: x * 1, lambda x: x * True, lambda x: -0.0 * x]

def shadows(K, outer=1):
    import os
    def shadows(K):
        return K
    with open(os.devnull) as f:
        for i, (a, *b) in enumerate(K):
            if (c := a) and b:
                yield c
    try:
        return {**{}, "a": 1}
    except (ValueError, TypeError) as e:
        raise KeyError from e
    finally:
        del f

async def coroutine(x):
    async with x as y:
        return await y
"""


def test_text_that_is_the_function_is_found(tmp_path):
    scope, _ = write(tmp_path, UNCHANGED)
    net = scope["net"]
    found = [
        *(scope[n] for n in ("decorated", "recursive", "outer", "inner", "local", "lam", "lines")),
        *scope["several"], scope["private"], type(net).method, type(net).prop.fget, type(net).lam,
        scope["decorated"].__defaults__[0], *scope["decorated"].__kwdefaults__["h"],
        type(net).nested, scope["deco"],
    ]  # fmt: skip
    for fn in found:
        assert isinstance(parse_function(fn).node, (gast.FunctionDef, gast.Lambda))
    for name in ("shadows", "coroutine"):
        with pytest.raises(ad.UnsupportedSyntaxError):
            parse_function(scope[name])


def test_text_is_compared_without_a_look_at_instructions(tmp_path, monkeypatch):
    """They are a slow way, for what is rare: most functions compile to the same code."""
    text = "\n\ndef f(x):\n"
    text += "    g = lambda v: np.tanh(v).sum()\n    return sin(x) + g(x) + np.linalg.norm(x)\n"
    monkeypatch.setattr(same_code, "_instructions", None)
    for imports in ("import numpy as np\nfrom math import sin", "import math\nsin = math.sin"):
        scope, _ = write(tmp_path, imports + text)
        assert isinstance(parse_function(scope["f"]).node, gast.FunctionDef)


def test_a_function_that_is_not_deeper_than_its_def_at_every_line(tmp_path):
    """What is found by depth is then not the whole function, and no Python."""
    text = '@deco\ndef f(x, unit="""\nm""",\nk=3):\n    return x * k\n\ndef g(x): return x\n'
    scope, _ = write(tmp_path, "def deco(f): return f\n" + text)
    source = parse_function(scope["f"])
    assert returned(source) == "x * k"
    assert source.origin(source.node.body[0]).line == 6


def test_notebook_cells():
    text = "def cell(x):\n    return x * 13\n"
    name = "<ipython-input-1-adjoint>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope = {}
    exec(compile(text, name, "exec"), scope)
    assert returned(parse_function(scope["cell"])) == "x * 13"
    assert ad.grad(scope["cell"])(2.0) == 13.0


def test_made_by_exec():
    scope = {}
    exec("def made(x): return x\nother = lambda x: x", scope)
    for name in ("made", "other"):
        with pytest.raises(ad.SourceUnavailableError):
            parse_function(scope[name])
