"""The operators: what they accept, how gradients are arranged, what they keep and share."""

import copy
import functools
import gc
import math
import pickle
import threading
import weakref
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms, pipeline


def loss(w, x, *, scale=1.0):
    """A loss."""
    return np.sum((x @ w) ** 2) * scale


def square(x):
    """x times x."""
    return x * x


@ad.grad
def decorated(x):
    """The derivative of a cube."""
    return x**3


@ad.grad(argnums=(0, 1))
def decorated_with_arguments(x, y):
    return x * x * y


@ad.value_and_grad
def decorated_value(x):
    return x**3


class Model:
    """A class with differentiated methods."""

    rate = 2.0

    def __init__(self, k=3.0):
        self.k = k

    def cube(self, x):
        return x**3

    @ad.grad(argnums=1)
    def slope(self, x):
        return x * x

    @ad.grad(argnames="x")
    def slope_by_name(self, x, y=2.0):
        return x * x * y

    @staticmethod
    @ad.grad
    def static(x):
        return x * x

    @staticmethod
    def plain_static(x):
        return x * x

    @classmethod
    def of_class(cls, x):
        return x * x * 2

    def __call__(self, x):
        return x * x


# -- arguments of the operators -----------------------------------------------------------------


def two(x, y):
    return x * x * y


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 12.0),
        ({"argnums": 0}, 12.0),
        ({"argnums": 1}, 4.0),
        ({"argnums": -1}, 4.0),
        ({"argnums": -2}, 12.0),
        ({"argnums": (0,)}, (12.0,)),
        ({"argnums": (0, 1)}, (12.0, 4.0)),
        ({"argnums": (1, 0)}, (4.0, 12.0)),
        ({"argnums": (-1, 0)}, (4.0, 12.0)),
        ({"argnums": [0, 1]}, (12.0, 4.0)),
        ({"argnums": ()}, ()),
        ({"argnames": "y"}, 4.0),
        ({"argnames": "x"}, 12.0),
        ({"argnames": ("y",)}, {"y": 4.0}),
        ({"argnames": ("y", "x")}, {"y": 4.0, "x": 12.0}),
        ({"argnames": ["x", "y"]}, {"x": 12.0, "y": 4.0}),
        ({"argnums": 0, "argnames": "y"}, (12.0, 4.0)),
        ({"argnums": (0,), "argnames": "y"}, ((12.0,), 4.0)),
        ({"argnums": 0, "argnames": ("y",)}, (12.0, {"y": 4.0})),
        ({"argnums": 1, "argnames": ("x",)}, (4.0, {"x": 12.0})),
    ],
)
def test_arrangement_of_gradients(options, expected):
    result = ad.grad(two, **options)(2.0, 3.0)
    assert result == expected
    assert type(result) is type(expected)
    value, gradient = ad.value_and_grad(two, **options)(2.0, 3.0)
    assert value == 12.0
    assert gradient == expected


@pytest.mark.parametrize("call", [
    lambda g: g(2.0, 3.0),
    lambda g: g(2.0, y=3.0),
    lambda g: g(x=2.0, y=3.0),
    lambda g: g(y=3.0, x=2.0),
])  # fmt: skip
def test_keyword_calls(call):
    assert call(ad.grad(two)) == 12.0
    assert call(ad.grad(two, argnums=1)) == 4.0
    assert call(ad.value_and_grad(two, argnums=(0, 1))) == (12.0, (12.0, 4.0))


def test_wrong_calls_are_type_errors():
    g = ad.grad(two)
    for call in (lambda: g(2.0), lambda: g(2.0, 3.0, 4.0), lambda: g(2.0, z=1.0), lambda: g()):
        with pytest.raises(TypeError):
            call()


def test_positional_only_and_keyword_only():
    def f(x, /, y, *, z=2.0):
        return x * y * z

    assert ad.grad(f)(3.0, 5.0) == 10.0
    assert ad.grad(f, argnames=("y", "z"))(3.0, y=5.0, z=1.0) == {"y": 3.0, "z": 15.0}
    assert ad.grad(f, argnames="z")(3.0, 5.0) == 15.0


def test_star_arguments():
    def f(x, *rest, k=1.0, **options):
        s = x
        for r in rest:
            s = s * r
        for v in options.values():
            s = s + v * x
        return s * k

    assert ad.grad(f)(2.0) == 1.0
    assert ad.grad(f)(2.0, 3.0, 4.0) == 12.0
    assert ad.grad(f)(2.0, 3.0, k=2.0, a=5.0, b=7.0) == 30.0
    assert ad.grad(f, argnames="k")(2.0, 3.0, k=2.0) == 6.0


@pytest.mark.parametrize("as_decorator", [False, True])
def test_has_aux(as_decorator):
    def f(x, y):
        z = x * y
        return np.sum(z * z), {"z": z, "note": "text", "n": 3}

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    make = ad.grad(has_aux=True) if as_decorator else functools.partial(ad.grad, has_aux=True)
    gradient, aux = make(f)(x, y)
    np.testing.assert_array_equal(gradient, 2 * x * y * y)
    np.testing.assert_array_equal(aux["z"], x * y)
    assert aux["note"] == "text"
    assert aux["n"] == 3
    (value, aux), gradient = ad.value_and_grad(f, has_aux=True)(x, y)
    assert value == 73.0
    np.testing.assert_array_equal(aux["z"], x * y)
    np.testing.assert_array_equal(gradient, 2 * x * y * y)
    gradients, aux = ad.grad(f, argnums=(0, 1), has_aux=True)(x, y)
    assert len(gradients) == 2
    gradients, aux = ad.grad(f, argnames=("x",), has_aux=True)(x, y)
    assert list(gradients) == ["x"]


def test_has_aux_of_helper_and_branches():
    def inner(x):
        return (x * x, "small") if x < 1 else (x, "large")

    g = ad.grad(lambda x: inner(x), has_aux=True)
    assert g(0.5) == (1.0, "small")
    assert g(2.0) == (1.0, "large")


# -- decorators and methods ---------------------------------------------------------------------


def test_decorators():
    assert decorated(2.0) == 12.0
    assert decorated_with_arguments(2.0, 3.0) == (12.0, 4.0)
    assert decorated_value(2.0) == (8.0, 12.0)
    assert decorated.__name__ == "decorated"
    assert decorated.__doc__ == "The derivative of a cube."
    assert decorated.__module__ == __name__
    assert decorated.primal(2.0) == 8.0


def test_method_decorators():
    model = Model()
    assert model.slope(3.0) == 6.0
    assert model.slope(x=3.0) == 6.0
    assert Model.slope(model, 3.0) == 6.0
    assert model.slope_by_name(3.0) == 12.0
    assert model.slope_by_name(3.0, y=1.0) == 6.0
    assert Model.static(3.0) == 6.0
    assert model.static(3.0) == 6.0


def test_bound_methods():
    model = Model()
    assert ad.grad(model.cube)(2.0) == 12.0
    assert ad.value_and_grad(model.cube)(2.0) == (8.0, 12.0)
    assert ad.grad(Model.cube, argnums=1)(model, 2.0) == 12.0
    assert ad.grad(Model.plain_static)(2.0) == 4.0
    assert ad.grad(Model.of_class)(2.0) == 8.0
    assert ad.vjp(model.cube, 2.0)[1](1.0) == (12.0,)


def test_callable_objects():
    assert ad.grad(Model())(3.0) == 6.0
    assert ad.value_and_grad(Model())(3.0) == (9.0, 6.0)


# -- callables without source -------------------------------------------------------------------


def test_ufuncs_and_array_functions():
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(ad.grad(np.sum)(x), np.ones(3))
    np.testing.assert_allclose(ad.grad(np.mean)(x), np.full(3, 1 / 3))
    assert ad.grad(np.sin)(0.0) == 1.0
    assert ad.grad(np.multiply, argnums=(0, 1))(2.0, 3.0) == (3.0, 2.0)
    np.testing.assert_allclose(ad.grad(np.linalg.norm)(np.array([3.0, 4.0])), [0.6, 0.8])
    value, pullback = ad.vjp(np.sin, np.zeros(3))
    np.testing.assert_array_equal(pullback(np.ones(3))[0], np.ones(3))


def test_array_functions_with_keywords():
    x = np.array([[1.0, 2.0]])
    np.testing.assert_array_equal(ad.grad(np.sum)(x, keepdims=True), np.ones((1, 2)))
    np.testing.assert_array_equal(ad.grad(np.sum)(a=x), np.ones((1, 2)))


def test_math_and_builtins():
    import math

    assert ad.grad(math.sin)(0.0) == 1.0
    assert ad.grad(math.pow, argnums=0)(3.0, 2.0) == 6.0
    assert ad.grad(abs)(-2.0) == -1.0


def test_partials():
    assert ad.grad(functools.partial(two, y=3.0))(2.0) == 12.0
    assert ad.grad(functools.partial(two, 2.0))(3.0) == 4.0
    k = np.array([1.0, 2.0])
    partial = functools.partial(lambda k, x: np.sum(k * x * x), k)
    np.testing.assert_array_equal(ad.grad(partial)(np.ones(2)), [2.0, 4.0])


def test_lambdas_that_share_a_line():
    f, g = lambda x: x * x, lambda x: x * x * x
    assert ad.grad(f)(2.0) == 4.0
    assert ad.grad(g)(2.0) == 12.0
    fs = [lambda x: x * 2.0, lambda x: x * 3.0, lambda x: (lambda y: y * 5.0)(x)]
    assert [ad.grad(h)(1.0) for h in fs] == [2.0, 3.0, 5.0]


def test_lambda_over_several_lines():
    f = lambda x: (
        x
        * x
        # a comment (
        * 3.0
    )
    assert ad.grad(f)(2.0) == 12.0


def test_function_in_an_indented_block_with_odd_comments():
    if True:

        def f(x):
            # a comment further left
            """A text
            over several lines"""
            return x * x

    assert ad.grad(f)(2.0) == 4.0


def test_not_a_function():
    for value in (3, "text", None, np.ones(3)):
        with pytest.raises(TypeError, match="expected a function|argnums"):
            ad.grad(value)(1.0)


# -- attributes ---------------------------------------------------------------------------------


def test_attributes():
    g = ad.grad(square)
    assert g.primal is square
    assert g.__name__ == "square"
    assert g.__doc__ == "x times x."
    assert g.__wrapped__ is square
    assert g.value_and_grad(3.0) == (9.0, 6.0)
    assert "square" in repr(g)
    g(3.0)
    assert "def square_grad(x)" in g.source
    assert "2 * x" in g.source


def test_source_before_the_first_call_is_the_general_form():
    text = ad.grad(square).source
    compile(text, "text", "exec")
    assert "def square_grad(x)" in text
    assert ad.source(square) == text


def test_source_follows_the_last_call():
    g = ad.grad(lambda x: (x * x) if isinstance(x, float) else np.sum(np.sin(x)))
    g(3.0)
    scalar = g.source
    g(np.ones(3))
    assert g.source != scalar


def test_source_stands_alone():
    def f(x, w):
        y = np.tanh(x @ w)
        s = 0.0
        for row in y:
            s = s + np.sum(row) ** 2
        return s

    args = np.ones((2, 3)), np.full((3, 2), 0.5)
    text = ad.source(f, *args, argnums=1)
    scope = {}
    exec(compile(text, "text", "exec"), scope)
    np.testing.assert_array_equal(scope["f_grad"](*args), ad.grad(f, argnums=1)(*args))


def test_source_is_the_same_for_equal_functions_and_sizes():
    def make():
        return lambda x: np.sum(np.sin(x) * x)

    assert ad.source(make(), np.ones(3)) == ad.source(make(), np.ones(7))


def test_source_of_a_gradient():
    assert ad.source(ad.grad(square), 3.0) == ad.source(square, 3.0)


# -- pickling, copying ---------------------------------------------------------------------------


def test_pickle_by_reference():
    g = pickle.loads(pickle.dumps(ad.grad(loss, argnames=("w",))))
    assert g.primal is loss
    gradient = g(np.ones(2), np.eye(2))
    np.testing.assert_array_equal(gradient["w"], [2.0, 2.0])
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    with pytest.raises(Exception, match="lambda|local|pickle"):
        pickle.dumps(ad.grad(lambda x: x))


def test_pickle_of_a_method_decorator():
    assert pickle.loads(pickle.dumps(Model.slope)) is Model.slope


# -- threads ------------------------------------------------------------------------------------


def test_threads_compile_once(monkeypatch):
    made = []
    derive = pipeline.derive

    def counted(*args, **kwargs):
        made.append(1)
        return derive(*args, **kwargs)

    monkeypatch.setattr(pipeline, "derive", counted)
    g = ad.grad(lambda x: np.sum(x * x * x))
    barrier = threading.Barrier(32)
    results = [None] * 32

    def work(k):
        barrier.wait()
        results[k] = [g(np.full(3, float(k + r))) for r in range(20)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(32)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(made) == 1
    for k, found in enumerate(results):
        for r, gradient in enumerate(found):
            np.testing.assert_array_equal(gradient, np.full(3, 3.0 * (k + r) ** 2))


def test_threads_with_different_types():
    g = ad.grad(lambda x: np.sum(x * x))
    barrier = threading.Barrier(16)
    failures = []

    def work(k):
        barrier.wait()
        for r in range(30):
            shape = (1,) * (r % 4) + (k % 5 + 1,)
            x = np.full(shape, float(k))
            if not np.array_equal(g(x), 2 * x):
                failures.append((k, r))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


def test_threads_see_their_own_arguments_beside_a_closure_that_changes():
    k = 1.0

    def f(x):
        return x * x * k

    g = ad.grad(f)
    stop = threading.Event()
    failures = []

    def work(value):
        while not stop.is_set():
            if g(value) / (2 * value) not in (1.0, 2.0, 3.0):
                failures.append(value)

    threads = [threading.Thread(target=work, args=(v,)) for v in (1.0, 2.0, 4.0)]
    for t in threads:
        t.start()
    for r in range(200):
        k = float(r % 3 + 1)
    stop.set()
    for t in threads:
        t.join()
    assert not failures


# -- what gradients share -----------------------------------------------------------------------


def arrays_in(value):
    if isinstance(value, dict):
        return [a for v in value.values() for a in arrays_in(v)]
    if isinstance(value, (list, tuple)):
        return [a for v in value for a in arrays_in(v)]
    return [value] if isinstance(value, np.ndarray) else []


ALIAS_CASES = [
    lambda x, y: np.sum(x) + np.sum(y),
    lambda x, y: np.sum(x * y),
    lambda x, y: np.sum(x + y),
    lambda x, y: x @ y,
    lambda x, y: np.sum(x.reshape(1, 3)) + np.sum(y.T),
    lambda x, y: np.sum(np.stack([x, y]) * 2.0),
    lambda x, y: np.sum(np.concatenate([x, y]) ** 2),
    lambda x, y: np.sum(x[::-1] * y[[2, 1, 0]]),
    lambda x, y: x[0] * 1.0,
    lambda x, y: np.sum(np.where(x > 0, x, y)),
    lambda x, y: np.sum(x - (-y)),
    lambda x, y: sum(a * b for a, b in zip(x, y)),
    lambda x, y: sum([np.sum(p * p) for p in (x, y)]),
]


@pytest.mark.parametrize("f", ALIAS_CASES)
def test_gradients_are_memory_of_their_own(f, rng):
    x, y = rng.normal(size=3), rng.normal(size=3)
    kept = x.copy(), y.copy()
    gradients = ad.grad(f, argnums=(0, 1))(x, y)
    _, pullback = ad.vjp(f, x, y)
    pulled, again = pullback(1.0), pullback(1.0)
    found = arrays_in([gradients, pulled, again, [x, y]])
    for i, a in enumerate(found):
        for b in found[:i]:
            assert not np.shares_memory(a, b)
    want = [g.copy() for g in gradients]
    for a in arrays_in([gradients, pulled]):
        assert a.flags.writeable
        a[...] = 99.0
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(y, kept[1])
    for got, expected in zip(pullback(1.0), want):
        np.testing.assert_allclose(got, expected)


def test_gradients_in_one_container_are_memory_of_their_own():
    x = np.ones(3)
    gradient = ad.grad(lambda p: np.sum(p["a"] + p["b"][0] + p["b"][1]))({"a": x, "b": (x, x)})
    found = arrays_in(gradient)
    assert len(found) == 3
    for i, a in enumerate(found):
        assert not any(np.shares_memory(a, b) for b in [x, *found[:i]])


def test_structure_and_dtype_of_gradients():
    p = {"w": np.ones((2, 3), np.float32), "b": [1.0, (np.float64(2.0), 3)], "n": None}

    def f(p):
        return np.sum(p["w"]) * p["b"][0] * p["b"][1][0] * p["b"][1][1]

    gradient = ad.grad(f)(p)
    assert list(gradient) == ["w", "b", "n"]
    assert gradient["w"].dtype == np.float32
    assert gradient["w"].shape == (2, 3)
    assert type(gradient["b"]) is list
    assert type(gradient["b"][0]) is float
    assert type(gradient["b"][1]) is tuple
    assert isinstance(gradient["b"][1][0], np.float64)
    assert type(gradient["b"][1][1]) is float
    assert gradient["n"] is None


def test_zeros_for_what_is_not_used():
    p = {"w": np.ones((2, 3), np.float32), "b": [1.0], "n": "name"}
    gradient = ad.grad(lambda p, x: x * x)(p, 2.0)
    np.testing.assert_array_equal(gradient["w"], np.zeros((2, 3), np.float32), strict=True)
    assert gradient["b"] == [0.0]
    assert gradient["n"] is None
    assert ad.grad(lambda x, y: 3)(2.0, 1.0) == 0.0
    assert ad.grad(lambda x: 3.0)(2.0) == 0.0


# -- vjp ----------------------------------------------------------------------------------------


def test_vjp_of_arrays(rng):
    w, x = rng.normal(size=(3, 2)), rng.normal(size=(4, 3))
    value, pullback = ad.vjp(lambda w, x: np.tanh(x @ w), w, x)
    np.testing.assert_array_equal(value, np.tanh(x @ w))
    d = rng.normal(size=(4, 2))
    d_w, d_x = pullback(d)
    e = d * (1 - value**2)
    np.testing.assert_allclose(d_w, x.T @ e)
    np.testing.assert_allclose(d_x, e @ w.T)


def test_vjp_of_containers():
    def f(p, x):
        return {"y": p["k"] * x, "s": (np.sum(x), p["k"] ** 2)}

    value, pullback = ad.vjp(f, {"k": 3.0}, np.array([1.0, 2.0]))
    assert value["s"] == (3.0, 9.0)
    d_p, d_x = pullback({"y": np.array([1.0, 10.0]), "s": (100.0, 1000.0)})
    assert d_p == {"k": 21.0 + 6000.0}
    np.testing.assert_array_equal(d_x, [103.0, 130.0])


def test_vjp_gives_none_for_what_is_not_differentiable():
    value, pullback = ad.vjp(
        lambda x, flag, name, nothing, index: np.sum(x[index]) if flag else 0.0,
        np.ones(3), True, "name", None, np.array([0, 2]),
    )  # fmt: skip
    assert value == 2.0
    gradients = pullback(1.0)
    np.testing.assert_array_equal(gradients[0], [1.0, 0.0, 1.0])
    assert gradients[1:] == (None, None, None, None)


def test_vjp_with_defaults_and_star_arguments():
    def f(x, *rest, k=2.0):
        s = x * k
        for r in rest:
            s = s * r
        return s

    value, pullback = ad.vjp(f, 3.0, 4.0, 5.0)
    assert value == 120.0
    assert pullback(1.0) == (40.0, 30.0, 24.0)
    value, pullback = ad.vjp(lambda x, y=5.0: x * y, 3.0)
    assert pullback(1.0) == (5.0,)


@pytest.mark.parametrize("form", forms.BOTH)
def test_ints_that_star_arguments_take_beside_floats_are_counts(form):
    def power(x, n):
        return np.sum(x**n) if isinstance(n, int) else np.sum(x)

    with forms.only(form):
        x = np.array([0.5, 2.0])
        value, pullback = ad.vjp(lambda *args: power(*args), x, 3)
        assert value == np.sum(x**3)
        d_x, d_n = pullback(1.0)
        np.testing.assert_allclose(d_x, 3 * x**2)
        assert d_n is None
        value, pullback = ad.vjp(lambda *args: np.sum(args[0][args[1]] ** 2), x, np.array([1, 1]))
        np.testing.assert_allclose(pullback(1.0)[0], [0.0, 8.0])
        assert ad.vjp(lambda *args: args[0] * args[1], 3, 2)[1](1.0) == (2.0, 3.0)


def test_pullback_may_be_called_again_and_is_not_disturbed(rng):
    x, p = rng.normal(size=3), {"w": rng.normal(size=3)}

    def f(x, p):
        h = np.zeros(3)
        for i in range(3):
            h[i] = x[i] * p["w"][i] + np.sum(h)
        return h * x

    value, pullback = ad.vjp(f, x, p)
    kept = value.copy()
    d = rng.normal(size=3)
    first = pullback(d)
    x[:] = 0.0
    p["w"] *= 5.0
    p["w"] = None
    value[:] = 7.0
    second = pullback(d)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1]["w"], second[1]["w"])
    third = pullback(2 * d)
    np.testing.assert_allclose(third[0], 2 * first[0])
    np.testing.assert_array_equal(kept.shape, value.shape)


@pytest.mark.parametrize("form", ["typed", "recorded"])
def test_pullback_of_an_array_without_axes_is_not_disturbed(form):
    with forms.only(form):
        x = np.array(0.5)
        _, pullback = ad.vjp(lambda x: np.sum(x * x), x)
        x[...] = 7.0
        assert pullback(1.0) == (1.0,)


def _outside_bound_anew(x):
    return np.sum(x * x * _SCALE)


def _outside_changed(x):
    total = 0.0
    for i in range(len(x)):
        row = _TABLE["rows"][i].T
        total += np.sum(x[i] ** 2 * row)
    return total


def _outside_in_a_recursion(x, n=2):
    return np.sum(x * x * _SCALE) if n == 0 else _outside_in_a_recursion(x * _SCALE, n - 1)


_SCALE, _TABLE = 2.0, {"rows": [np.ones(2), np.ones(2)]}


@pytest.mark.parametrize("form", ["typed", "recorded"])
@pytest.mark.parametrize(
    "fn", [_outside_bound_anew, _outside_changed, _outside_in_a_recursion, "attribute", "cell"]
)
def test_pullback_reads_values_outside_as_they_were(fn, form, monkeypatch):
    """Other cotangents are pulled back later, when names outside stand for other values."""
    holder = SimpleNamespace(scale=2.0, weights=np.ones(3))
    inside = np.ones(2)

    def of_attributes(x, holder):
        return np.sum(x * x * holder.scale * holder.weights[1:])

    def of_a_cell(x):
        return np.sum(x * x * inside)

    monkeypatch.setitem(_TABLE, "rows", [np.ones(2), np.ones(2)])
    beside = (holder,) if fn == "attribute" else ()
    fn = {"attribute": of_attributes, "cell": of_a_cell}.get(fn, fn)
    x = np.array([0.5, 2.0])
    with forms.only(form):
        want = ad.grad(fn)(x, *beside)
        _, pullback = ad.vjp(fn, x, *beside)
        monkeypatch.setitem(globals(), "_SCALE", 5.0)
        _TABLE["rows"][0][:] = 7.0
        holder.scale, holder.weights[:] = 3.0, 4.0
        inside[:] = 6.0
        _, later = ad.vjp(fn, x, *beside)
        np.testing.assert_allclose(pullback(1.0)[0], want)
        np.testing.assert_allclose(later(1.0)[0], ad.grad(fn)(x, *beside))
        assert not np.allclose(later(1.0)[0], want)


def _stores_by_another_name(x, y):
    x[0] = 5 * y[1]
    return x[0] * y[0]


def _appends_by_another_name(x, y):
    x.append(y[0] * 2)
    return x[-1] * y[-1]


def _stores_by_another_part(xs):
    return _stores_by_another_name(xs[0], xs[1])


def _stores_before_a_view_is_read(x, y):
    x[1] = 3 * x[0]
    return np.sum(x * y)


class _Text(str):
    pass


def _number(text):
    return 2.0 if text == "a" else 3.0


_OPTIONS = {
    "slices": (lambda x, i: np.sum(x[i] ** 2), [slice(1, 3), slice(None, None, -2), slice(1)]),
    "slices in a list": (lambda x, i: np.sum(x[i[0]] ** 2), [[slice(1, 3)], [slice(2)], [0]]),
    "slices in a dict": (lambda x, i: np.sum(x[i[0]] ** 2), [{0: slice(1, 3)}, {0: slice(2)}]),
    "bytes": (lambda x, i: x[i[0]] * len(i), [b"\x01", b"\x02\x01", b"\x00\x00"]),
    "texts of a class": (lambda x, i: x[0] * _number(i), [_Text("a"), _Text("b"), "b", "a"]),
    "ranges": (lambda x, i: sum(x[k] * k for k in i), [range(3), range(2, -1, -2), range(1, 3)]),
    "modules": (lambda x, i: x[0] * i.sqrt(4.0) * i.pi, [np, math, np]),
    "dtypes": (lambda x, i: np.sum(x.astype(i)), [np.dtype(">f4"), np.dtype("f8"), np.dtype("f4")]),
}


@pytest.mark.parametrize("form", ["typed", "recorded"])
@pytest.mark.parametrize("case", _OPTIONS)
def test_code_for_one_option_does_not_serve_another(case, form):
    fn, options = _OPTIONS[case]
    x = np.array([0.5, 2.0, 3.0])
    d_fn, rate = ad.value_and_grad(fn), 1e-6
    with forms.only(form):
        for option in [*options, *options]:
            ends = [[fn(x + e, option) for e in sign * rate * np.eye(3)] for sign in (1, -1)]
            value, d_x = d_fn(x, option)
            assert value == pytest.approx(fn(x, option))
            tolerance = 1.0 if case == "dtypes" else 1e-6
            np.testing.assert_allclose(d_x, np.subtract(*ends) / (2 * rate), atol=tolerance)


def _twice(x):
    return x, x


def _stores_what_an_object_reads(x, holder):
    x[0] = 3 * x[1]
    return np.sum(x * holder.inner.values[0])


_VALUES = [np.array([0.5, 1.0]), [0.5, 1.0], {0: 0.5, 1: 1.0}]


@pytest.mark.parametrize("form", ["typed", "recorded"])
@pytest.mark.parametrize(
    ("fn", "value", "arguments"),
    [
        *((_stores_by_another_name, value, _twice) for value in _VALUES),
        (_appends_by_another_name, [0.5, 1.0], _twice),
        *((_stores_by_another_part, value, lambda x: ([x, x],)) for value in _VALUES),
        (_stores_by_another_part, _VALUES[0], lambda x: ({0: x, 1: x[::-1]},)),
        (_stores_before_a_view_is_read, _VALUES[0], lambda x: (x, x[1, ...])),
    ],
)
def test_what_is_changed_may_be_given_once(fn, value, arguments, form):
    """That an argument is changed by another name is not followed: it is refused."""
    everything = tuple(range(len(arguments(value))))
    ways = [
        *(ad.grad(fn, argnums=n) for n in (*everything, everything)),
        lambda *args: ad.vjp(fn, *args),
        lambda *args: ad.jvp(fn, args, copy.deepcopy(args)),
    ]
    with forms.only(form):
        for way in ways:
            with pytest.raises(ad.AliasingError, match="share"):
                way(*arguments(copy.deepcopy(value)))


@pytest.mark.parametrize("form", ["typed", "recorded"])
def test_what_is_changed_may_not_belong_to_an_object_as_well(form):
    x = np.array([0.5, 1.0])
    holder = SimpleNamespace(inner=SimpleNamespace(values=[x]))
    with forms.only(form), pytest.raises(ad.AliasingError, match="share"):
        ad.grad(_stores_what_an_object_reads)(x, holder)


@pytest.mark.parametrize("form", ["typed", "recorded"])
@pytest.mark.parametrize("value", _VALUES)
def test_what_is_only_read_may_be_given_twice(value, form):
    with forms.only(form):
        d_x, d_y = ad.grad(lambda x, y: x[0] * y[1], argnums=(0, 1))(value, value)
        assert (d_x[0], d_x[1], d_y[0], d_y[1]) == (1.0, 0.0, 0.0, 0.5)


def test_pullback_does_not_change_the_cotangent(rng):
    def f(x):
        y = x * 2
        y[0] = x[1]
        y *= x
        return y

    _, pullback = ad.vjp(f, rng.normal(size=3))
    d = rng.normal(size=3)
    kept = d.copy()
    result = pullback(d)[0]
    np.testing.assert_array_equal(d, kept)
    assert not np.shares_memory(result, d)


@pytest.mark.parametrize("f", [lambda x: x, lambda x: x * 1, lambda x: x.T, lambda x: [x, x][1]])
def test_pullback_of_the_identity_copies(f):
    x, d = np.ones((2, 2)), np.full((2, 2), 3.0)
    value, pullback = ad.vjp(f, x)
    result = pullback(d)[0]
    assert not np.shares_memory(result, d)
    np.testing.assert_array_equal(result, d)


def test_vjp_leaves_arguments_as_the_function_does():
    def f(x, xs, p):
        x[0] = 5.0
        xs.append(x[1])
        xs[0] = 7.0
        p["new"] = x
        return np.sum(x) * xs[1]

    plain = np.array([1.0, 2.0]), [1.0, 3.0], {"a": 1.0}
    given = np.array([1.0, 2.0]), [1.0, 3.0], {"a": 1.0}
    f(*plain)
    _, pullback = ad.vjp(f, *given)
    np.testing.assert_array_equal(given[0], plain[0])
    assert given[1] == plain[1]
    assert list(given[2]) == ["a", "new"]
    assert given[2]["new"] is given[0]
    d_x, d_xs, d_p = pullback(1.0)
    np.testing.assert_array_equal(d_x, [0.0, 3.0])
    assert d_xs == [0.0, 7.0]
    assert d_p == {"a": 0.0}


def test_vjp_of_numbers():
    value, pullback = ad.vjp(lambda x, y: x * y, 2.0, np.float32(3.0))
    assert value == 6.0
    d_x, d_y = pullback(1.0)
    assert type(d_x) is float
    assert isinstance(d_y, np.float32)


# -- the cache ----------------------------------------------------------------------------------


def test_new_sizes_compile_nothing(monkeypatch):
    g = ad.grad(lambda w, x: np.sum(np.tanh(x @ w)))
    g(np.ones(4), np.ones((5, 4)))

    def refuse(*args, **kwargs):
        raise AssertionError("compiled again")

    monkeypatch.setattr(pipeline, "derive", refuse)
    for n in range(2, 30):
        if n != 4:
            assert g(np.ones(4), np.ones((n, 4))).shape == (4,)
    assert g(np.ones(40), np.ones((3, 40))).shape == (40,)


def test_cache_is_bounded():
    g = ad.grad(lambda x: np.sum(x * x))
    for n in range(1, 1500):
        g(np.ones(n))
    assert len(g._compiler.exact) <= 1000
    assert len(g._compiler.patterns) <= 1000
    flagged = ad.grad(lambda x, name: x * x)
    for n in range(300):
        assert flagged(3.0, f"name {n}") == 6.0
    assert len(flagged._compiler.patterns) <= 200


def test_cache_keeps_no_arguments():
    class Array(np.ndarray):
        pass

    g = ad.grad(lambda x, k: np.sum(x * x * k["w"]))
    v = ad.value_and_grad(lambda x, k: np.sum(x * x * k["w"]))
    x, w = np.ones(3), np.ones(3)
    refs = [weakref.ref(x), weakref.ref(w)]
    g(x, {"w": w})
    v(x, {"w": w})
    ad.vjp(lambda x: x * x, x)
    ad.source(lambda x: np.sum(x * x), x)
    del x, w
    gc.collect()
    assert [r() for r in refs] == [None, None]


def test_functions_are_not_kept():
    def make():
        big = np.ones(1000)

        def f(x):
            return np.sum(x * big)

        return f, weakref.ref(big)

    f, big = make()
    ref = weakref.ref(f)
    g = ad.grad(f)
    g(np.ones(1000))
    del f, g
    gc.collect()
    assert ref() is None
    assert big() is None


def test_functions_given_to_vjp_are_not_kept_for_ever():
    def make(k):
        big = np.full(10, k)

        def f(x):
            return np.sum(x * big)

        return f, weakref.ref(big)

    refs = []
    for k in range(600):
        f, ref = make(k)
        ad.vjp(f, np.ones(10))
        refs.append(ref)
    del f
    gc.collect()
    assert not any(r() is not None for r in refs)


def test_unhashable_arguments_and_callables():
    class Unhashable:
        __hash__ = None

        def __eq__(self, other):
            return True

        def __call__(self, x):
            return x * x

    assert ad.grad(Unhashable())(3.0) == 6.0
    assert ad.vjp(Unhashable(), 3.0)[1](1.0) == (6.0,)


@pytest.mark.parametrize("allowed", [forms.BOTH, ("recorded",)])
def test_callables_that_hold_arrays_cannot_be_hashed(allowed):
    class Layer(NamedTuple):
        w: np.ndarray

        def __call__(self, x):
            return np.sum(self.w * x)

    @dataclass(frozen=True)
    class Frozen:
        w: np.ndarray

        def __call__(self, x):
            return np.sum(self.w * x)

    def f(x, layer):
        return layer(x) * Layer(x)(x) * Frozen(x)(x)

    x = np.array([1.0, 2.0])
    for layer in (Layer(np.ones(2)), Frozen(np.ones(2))):
        with forms.only(*allowed):
            np.testing.assert_allclose(ad.grad(f)(x, layer), 25.0 + 60.0 * x)


def test_functions_as_arguments_are_told_apart():
    g = ad.grad(lambda x, f: f(x) * x)
    assert g(2.0, lambda x: x) == 4.0
    assert g(2.0, lambda x: x * x) == 12.0
    assert g(0.0, np.cos) == 1.0


def test_flags_and_texts_are_told_apart():
    g = ad.grad(lambda x, mode: x if mode == "a" else x * x if mode else x * 5)
    assert [g(3.0, m) for m in ("a", "b", "", True, False, None, 1, 0)] == [
        1.0, 6.0, 5.0, 6.0, 5.0, 5.0, 6.0, 5.0,
    ]  # fmt: skip


def test_nan_and_infinity_as_defaults():
    def f(x, k=float("nan"), m=float("inf")):
        return x * x if k != k and m > 1e308 else x

    g = ad.grad(f)
    assert g(3.0) == 6.0
    assert g(3.0) == 6.0
    assert len(g._compiler.patterns) == 1


@pytest.mark.parametrize("form", ["typed", "recorded"])
def test_what_is_changed_may_not_be_outside_as_well(form):
    around = np.array([1.0, 2.0])

    def f(x):
        x *= 2.0
        return np.sum(around * x)

    with forms.only(form):
        for way in (ad.grad(f), lambda x: ad.vjp(f, x), lambda x: ad.jvp(f, (x,), (x,))):
            with pytest.raises(ad.AliasingError, match="outside"):
                way(around)
            around[:] = [1.0, 2.0]
        np.testing.assert_array_equal(ad.grad(f)(np.ones(2)), [2.0, 4.0])


def test_pullback_of_what_a_branch_has_not_read_from_outside():
    around = (np.array([0.5]), 2.0)

    def f(x, y, c):
        if c > 0:
            v = around[0] * y
            x[1] = v[0] * v[1]
        return np.sum(x * x)

    x, y = np.array([0.3, 0.7]), np.array([2.0, 3.0])
    for c, d_y in ((-1.0, [0.0, 0.0]), (1.0, [0.5 * 3.0 * 1.5, 0.5 * 2.0 * 1.5])):
        value, pullback = ad.vjp(f, x.copy(), y, c)
        assert value == f(x.copy(), y, c)
        np.testing.assert_allclose(pullback(1.0)[1], d_y)
