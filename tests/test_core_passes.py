"""The core, as `lower` makes it, and the analyses that read it."""

import numpy as np

from adjoint import core
from adjoint.analysis.activity import active_vars
from adjoint.analysis.overwrites import Overwrites
from adjoint.lower import lower_function
from adjoint.lower.aliases import Aliases
from adjoint.request import Argument
from adjoint.types import FLOAT, Array, Dict, List, Symbols, Tuple, type_of


def lowered(fn, *args, wrt=(0,)):
    symbols = Symbols()
    names = fn.__code__.co_varnames[: fn.__code__.co_argcount]
    arguments = [
        Argument(n, type_of(v, symbols, promote=i in wrt), i in wrt)
        for i, (n, v) in enumerate(zip(names, args, strict=True))
    ]
    return lower_function(fn, arguments)[0]


def check(function):
    """What holds for every function in the core: each variable is defined once, before its use."""
    assert len(function.body.yields) == 1
    defined = set(function.params)
    _check_block(function.body, defined, set(function.params))


def _check_block(block, visible, seen):
    visible = set(visible)

    def read(atom):
        if isinstance(atom, core.Var) and atom.external is None:
            assert atom in visible, f"{atom} is read before it is defined"

    def define(var):
        assert var not in seen, f"{var} is defined twice"
        seen.add(var)

    for stmt in block.stmts:
        for atom in core.read_by(stmt):
            read(atom)
        if isinstance(stmt, core.Loop):
            assert len(stmt.params) == len(stmt.inits) == len(stmt.results)
            assert len(stmt.body.yields) == len(stmt.params) + 1
        if isinstance(stmt, core.For):
            assert len(stmt.items) == len(stmt.iterables)
        if isinstance(stmt, core.If):
            assert len(stmt.results) == len(stmt.then.yields) == len(stmt.orelse.yields)
        for var in core.defined_inside(stmt):
            define(var)
        inner = visible | set(core.defined_inside(stmt))
        for sub in core.blocks_of(stmt):
            _check_block(sub, inner, seen)
        for var in core.defined_by(stmt):
            define(var)
            visible.add(var)
    for atom in block.yields:
        read(atom)


def straight(x):
    y = x * 2
    y = y + x
    return np.sum(y * y)


def branches(x, k):
    if k > 0:
        y = x * k
    else:
        return np.sum(x)
    return np.sum(y)


def loops(x):
    s = 0.0
    for i in range(3):
        for v in x:
            if v > i:
                break
            s = s + v
        else:
            continue
        s = s * 2
    while s > 100:
        s = s / 2
    return s


def stores(x):
    y = np.zeros(3)
    for i in range(3):
        y[i] = x[i]
        y *= 2
    xs = []
    xs.append(y)
    d = {"a": xs}
    d["b"] = y
    return np.sum(d["a"][0] * d["b"])


def recursive(x, n):
    return x if n == 0 else x * recursive(x, n - 1)


def calls(x):
    def inner(y, k=2.0):
        return y * k

    return np.sum(inner(x) + sum([inner(v, k=v) for v in x]))


def test_core_is_single_assignment():
    x = np.ones(3)
    for fn, args in [
        (straight, (x,)), (branches, (x, 1.0)), (loops, (x,)), (stores, (x,)),
        (recursive, (2.0, 3)), (calls, (x,)),
    ]:  # fmt: skip
        check(lowered(fn, *args))


def test_show():
    text = core.show(lowered(straight, np.ones(3)))
    assert text.splitlines()[0] == "straight(x: float64[a])"
    assert "y: float64[a] = multiply(x, 2)" in text
    assert text.splitlines()[-1].startswith("  yield ")


def test_every_statement_has_a_place():
    function = lowered(stores, np.ones(3))
    for stmt in core.walk(function.body):
        assert stmt.origin is not None
        assert stmt.origin.function == "stores"


def test_versions_share_a_root():
    function = lowered(stores, np.ones(3))
    changes = [s for s in core.walk(function.body) if isinstance(s, core.Op) and s.version]
    assert len(changes) >= 4
    for op in changes:
        assert op.version.root is op.args[0].root
        assert op.version is not op.args[0]


def test_names_are_the_users():
    function = lowered(straight, np.ones(3))
    named = [v.name for s in core.walk(function.body) for v in core.defined_by(s) if v.named]
    assert named == ["y", "y"]


def test_constants_are_folded():
    def f(x):
        n = 2 * 3
        if n > 5 and not n == 7:
            return x * (n - 1)
        return x * undefined  # noqa: F821

    function = lowered(f, 2.0)
    (op,) = function.body.stmts
    assert op.fn is np.multiply
    assert op.args[1].value == 5


def test_equal_operations_are_carried_out_once():
    def f(x):
        return np.sum(x) * np.sum(x) + len(x.shape)

    ops = [s.fn for s in lowered(f, np.ones(3)).body.stmts]
    assert ops.count(np.sum) == 1


def test_free_vars_and_walk():
    function = lowered(loops, np.ones(3))
    assert core.free_vars(function.body) == function.params
    assert any(isinstance(s, core.While) for s in core.walk(function.body))
    assert sum(isinstance(s, core.For) for s in core.walk(function.body)) == 2


def test_rewrite():
    function = lowered(straight, np.ones(3))
    (x,) = function.params
    other = core.Var("other", x.type)
    core.rewrite(function.body, lambda a: other if a is x else a)
    assert core.free_vars(function.body) == [other]


# -- activity -----------------------------------------------------------------------------------


def active_names(fn, *args, wrt=(0,)):
    function = lowered(fn, *args, wrt=wrt)
    active = active_vars(function, [function.params[i] for i in wrt])
    return sorted({v.name for v in active if v.named})


def test_activity_of_straight_code():
    def f(x, k):
        a = x * 2
        b = k * 2
        c = np.floor(a)
        d = a * b
        e = np.exp(a)
        assert e > 0
        return d + c

    assert active_names(f, 2.0, 3.0) == ["a", "d", "x"]
    assert active_names(f, 2.0, 3.0, wrt=(1,)) == ["b", "d", "k"]


def test_activity_through_loops():
    def f(x, k):
        a = 0.0
        b = 0.0
        n = 0
        for v in x:
            a = a + v * k
            b = b + k
            n = n + 1
        return a * n + b

    assert active_names(f, np.ones(3), 2.0) == ["a", "v", "x"]
    assert active_names(f, np.ones(3), 2.0, wrt=(1,)) == ["a", "b", "k"]


def test_activity_through_stores():
    def f(x):
        y = np.zeros(3)
        z = np.zeros(3)
        y[0] = x[0]
        z[0] = 1.0
        return np.sum(y * z)

    assert active_names(f, np.ones(3)) == ["x", "y"]


def test_activity_of_form_and_contents():
    def f(x):
        n = x.shape[0]
        k = len(x) * 2
        return np.sum(x) * n * k

    assert active_names(f, np.ones(3)) == ["x"]


# -- overwrites and aliases ---------------------------------------------------------------------


def stale_names(fn, *args):
    function = lowered(fn, *args)
    overwrites = Overwrites(function)
    found = [v for s in core.walk(function.body) for v in core.defined_by(s)]
    return sorted({v.name for v in [*function.params, *found] if overwrites.is_stale(v)})


def test_overwrites_in_straight_code():
    def f(x):
        y = x * 2
        z = x * 3
        s = np.sum(y * z)
        y[0] = 1.0
        return s * np.sum(y)

    assert stale_names(f, np.ones(3)) == ["y"]


def test_overwrites_of_arguments_and_views():
    def f(x):
        v = x[1:]
        s = np.sum(v * v)
        x[0] = 1.0
        return s

    assert {"v", "x"} <= set(stale_names(f, np.ones(3)))


def test_nothing_is_overwritten():
    assert stale_names(straight, np.ones(3)) == []
    assert stale_names(loops, np.ones(3)) == []


A1 = Array(np.dtype(float), None)


def variables(*types):
    return [core.Var(f"v{i}", t) for i, t in enumerate(types)]


def test_aliases_of_views():
    aliases = Aliases()
    a, view, other = variables(A1, A1, A1)
    aliases.same(a, view)
    assert aliases.of(a) == [view]
    assert aliases.of(view) == [a]
    assert aliases.of(other) == []


def test_aliases_of_elements():
    aliases = Aliases()
    a, b, xs, e, f = variables(A1, A1, List(A1), A1, A1)
    aliases.put(a, xs, 0)
    aliases.put(b, xs, 1)
    aliases.taken(e, xs, 0)
    aliases.taken(f, xs)
    # a is in xs, and is what was taken at 0, and perhaps what was taken somewhere
    assert set(aliases.of(a)) == {xs, e, f}
    assert set(aliases.of(b)) == {xs, f}
    assert set(aliases.of(e)) == {xs, a, f}
    assert set(aliases.of(f)) == {xs, a, b, e}


def test_a_change_of_a_container_is_none_of_its_elements():
    aliases = Aliases()
    a, xs, outer, b = variables(A1, List(A1), Tuple((List(A1),)), A1)
    aliases.put(a, xs, 0)
    aliases.put(xs, outer, 0)
    aliases.taken(b, xs, 0)
    assert aliases.of(xs) == [outer]


def test_two_containers_that_share_an_element():
    aliases = Aliases()
    a, xs, ys, k = variables(A1, List(A1), Dict(A1), FLOAT)
    aliases.put(a, xs, 0)
    aliases.put(a, ys, "a")
    assert set(aliases.of(a)) == {xs, ys}
    assert aliases.of(xs) == []
    assert aliases.of(k) == []
