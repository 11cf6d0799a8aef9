"""Forward mode as users meet it: jvp, what it takes and gives, and what it refuses."""

import math
from collections import namedtuple

import numpy as np
import pytest
from support.strict_arrays import strict

import adjoint as ad


def cubed(x):
    return x**3


def test_number():
    value, tangent = ad.jvp(cubed, (2.0,), (1.0,))
    assert (value, tangent) == (8.0, 12.0)
    assert type(tangent) is float


def test_array():
    x = np.array([1.0, 2.0])
    value, tangent = ad.jvp(lambda x: np.sin(x), (x,), (np.array([1.0, -1.0]),))
    np.testing.assert_array_equal(value, np.sin(x))
    np.testing.assert_allclose(tangent, np.cos(x) * [1.0, -1.0])


def test_lists_of_primals_and_tangents():
    assert ad.jvp(cubed, [2.0], [1.0]) == (8.0, 12.0)


@pytest.mark.parametrize("n", [3, True, "text", None])
@pytest.mark.parametrize("t", [None, 0, 0.0])
def test_what_cannot_move_has_no_tangent(n, t):
    def f(x, n):
        return x * (2.0 if n == 3 else 1.0)

    _, tangent = ad.jvp(f, (1.5, n), (1.0, t))
    assert tangent == (2.0 if n == 3 else 1.0)


def test_an_array_of_ints_cannot_move():
    def f(x, i):
        return x[i]

    x, i = np.array([1.0, 2.0, 3.0]), np.array([2, 0])
    for t in (None, 0, np.zeros(2, int)):
        np.testing.assert_array_equal(ad.jvp(f, (x, i), (x * 2, t))[1], [6.0, 2.0])


Point = namedtuple("Point", "x y")


def test_containers_in_and_out():
    def f(p, q):
        return {"sum": p["a"][0] + q.x, "n": p["a"][1], "parts": (q.y * 2, [p["b"]])}

    p = {"a": [1.0, 3], "b": np.ones(2)}
    q = Point(2.0, 4.0)
    value, tangent = ad.jvp(f, (p, q), ({"a": [1.0, None], "b": np.full(2, 5.0)}, Point(0.5, 0.25)))
    assert value["n"] == 3
    assert tangent["sum"] == 1.5
    assert tangent["n"] is None
    assert tangent["parts"][0] == 0.5
    np.testing.assert_array_equal(tangent["parts"][1][0], [5.0, 5.0])


def test_a_named_tuple_comes_out_as_one():
    def f(x):
        return Point(x * 2, x * x)

    _, tangent = ad.jvp(f, (3.0,), (1.0,))
    assert tangent == Point(2.0, 6.0)
    assert type(tangent) is Point


def test_result_without_a_derivative():
    assert ad.jvp(lambda x: x > 1, (2.0,), (1.0,)) == (True, None)
    assert ad.jvp(lambda x: None, (2.0,), (1.0,)) == (None, None)
    assert ad.jvp(lambda x: 3, (2.0,), (1.0,)) == (3, None)


def test_result_that_does_not_depend():
    value, tangent = ad.jvp(lambda x: np.ones(3), (2.0,), (1.0,))
    np.testing.assert_array_equal(value, np.ones(3))
    np.testing.assert_array_equal(tangent, np.zeros(3))
    assert ad.jvp(lambda x: 1.5, (2.0,), (1.0,)) == (1.5, 0.0)


def test_dtypes_are_those_of_the_value():
    x = np.ones(2, np.float32)
    _, tangent = ad.jvp(lambda x: x * 2.0, (x,), (np.ones(2),))
    assert tangent.dtype == np.float32
    _, tangent = ad.jvp(lambda x, y: x + y, (x, np.ones(2)), (x, np.zeros(2)))
    assert tangent.dtype == np.float64


def test_complex():
    _, tangent = ad.jvp(lambda z: z * z, (1 + 2j,), (1j,))
    assert tangent == 2 * (1 + 2j) * 1j
    _, tangent = ad.jvp(lambda x: x * 1j, (2.0,), (1.0,))
    assert tangent == 1j
    _, tangent = ad.jvp(lambda z: z.real * z.imag, (np.array([1 + 2j]),), (np.array([1 + 0j]),))
    np.testing.assert_array_equal(tangent, [2.0])


def test_the_tangent_given_is_not_changed_and_not_handed_out():
    def f(x):
        x[0] = 5.0
        return x

    x, t = np.ones(3), np.ones(3)
    value, tangent = ad.jvp(f, (x,), (t,))
    np.testing.assert_array_equal(t, np.ones(3))
    np.testing.assert_array_equal(tangent, [0.0, 1.0, 1.0])
    assert value is x
    _, same = ad.jvp(lambda x: x, (x,), (t,))
    assert same is not t


def test_two_results_that_are_one_array_have_tangents_of_their_own():
    def f(x):
        y = x * 2
        return y, y

    _, (a, b) = ad.jvp(f, (np.ones(2),), (np.ones(2),))
    a[0] = 7.0
    np.testing.assert_array_equal(b, [2.0, 2.0])


def test_effects_on_arguments_are_those_of_the_function():
    def f(x, xs):
        x *= 2
        xs.append(np.sum(x))
        return xs[-1]

    x, xs = np.ones(2), [1.0]
    value, tangent = ad.jvp(f, (x, xs), (np.ones(2), [0.0]))
    assert value == 4.0 and tangent == 4.0
    np.testing.assert_array_equal(x, [2.0, 2.0])
    assert xs == [1.0, 4.0]


def test_default_arguments_do_not_move():
    def f(x, k=3.0):
        return x * k

    assert ad.jvp(f, (2.0,), (1.0,)) == (6.0, 3.0)
    assert ad.jvp(f, (2.0, 3.0), (1.0, 1.0)) == (6.0, 5.0)


def test_star_arguments():
    def f(x, *rest):
        return x * rest[0] + rest[1]

    assert ad.jvp(f, (2.0, 3.0, 4.0), (1.0, 1.0, 1.0)) == (10.0, 6.0)


def test_functions_without_source():
    assert ad.jvp(math.sin, (0.0,), (2.0,)) == (0.0, 2.0)
    value, tangent = ad.jvp(np.sum, (np.ones(3),), (np.arange(3.0),))
    assert (value, tangent) == (3.0, 3.0)


def test_closures_and_globals_are_live():
    scale = 2.0

    def f(x):
        return x * scale

    assert ad.jvp(f, (1.0,), (1.0,)) == (2.0, 2.0)
    scale = 5.0
    assert ad.jvp(f, (1.0,), (1.0,)) == (5.0, 5.0)


def test_array_of_another_module():
    x = strict.asarray([1.0, 2.0])
    _, tangent = ad.jvp(lambda x: x * x, (x,), (strict.asarray([1.0, 0.0]),))
    assert type(tangent) is type(x)
    np.testing.assert_array_equal(np.asarray(tangent.get()), [2.0, 0.0])


WRONG = [
    ((np.ones(2),), (np.ones(3),), r"the tangent of `x` has shape \(3,\), .* shape \(2,\)"),
    ((np.ones(2),), (1.0,), r"the tangent of `x` has shape \(\)"),
    ((np.ones(2),), (None,), r"the tangent of `x` must be like its value, .* shape \(2,\)"),
    ((1.0,), ("up",), "the tangent of `x` must be like its value, a float, not str"),
    ((1.0,), (1j,), "the tangent of `x` is complex, but the value is real"),
    ((np.ones(2),), (np.ones(2) * 1j,), "the tangent of `x` is complex"),
    ((2,), (1.0,), "the tangent of `x` must be None or 0: a value of type int does not move"),
    (("a",), ("b",), "the tangent of `x` must be None or 0"),
    (([1.0, 2.0],), ([1.0],), "the tangent of `x` must be a list of length 2"),
    (({"w": 1.0},), ({"v": 1.0},), r"the tangent of `x` must be a dict with keys \['w'\]"),
    (({"w": np.ones(2)},), ({"w": 1.0},), r"the tangent of `x`\['w'\] has shape \(\)"),
    (([1.0, 2],), ([1.0, 3.0],), r"the tangent of `x`\[1\] must be None or 0"),
    ((1.0,), (1.0, 2.0), "there are 1 primals and 2 tangents"),
]


@pytest.mark.parametrize(("primals", "tangents", "message"), WRONG)
def test_a_tangent_that_does_not_fit(primals, tangents, message):
    def f(x):
        return x

    with pytest.raises(ad.CotangentError, match=message):
        ad.jvp(f, primals, tangents)


def test_primals_that_are_no_tuple():
    with pytest.raises(ad.ArgumentError, match="primals must be a tuple, got float"):
        ad.jvp(cubed, 1.0, (1.0,))
    with pytest.raises(ad.ArgumentError, match="tangents must be a tuple, got ndarray"):
        ad.jvp(cubed, (1.0,), np.ones(1))
    with pytest.raises(ad.ArgumentError, match="expected a function to differentiate, got int"):
        ad.jvp(3, (1.0,), (1.0,))


def test_a_function_without_a_rule_is_refused():
    def f(x):
        return np.sum(np.poly(x))

    with pytest.raises(ad.NoDerivativeError, match=r"numpy\.poly"):
        ad.jvp(f, (np.ones(3),), (np.ones(3),))


def test_errors_of_the_function_are_those_of_the_function():
    def f(x):
        if x > 0:
            raise KeyError("negative numbers only")
        return x

    with pytest.raises(KeyError, match="negative numbers only"):
        ad.jvp(f, (1.0,), (1.0,))


def test_compiled_once_for_all_batch_sizes():
    def f(x):
        return np.sum(x * x)

    from adjoint.compilers import compiler_for

    for n in (2, 5, 9):
        ad.jvp(f, (np.ones(n),), (np.ones(n),))
    assert len(compiler_for("pushforward", f).patterns) == 1


def test_unhashable_callables():
    class Scaled:
        __hash__ = None

        def __call__(self, x):
            return 3.0 * x

    assert ad.jvp(Scaled(), (2.0,), (1.0,)) == (6.0, 3.0)


def test_source():
    text = ad.source(cubed, 2.0, mode="forward")
    assert "def cubed_jvp(x, t_x):" in text
    scope = {}
    exec(text, scope)
    assert scope["cubed_jvp"](2.0, 1.0) == (8.0, 12.0)
    general = ad.source(cubed, mode="forward")
    scope = {}
    exec(general, scope)
    assert scope["cubed_jvp"](2.0, 1.0) == (8.0, 12.0)
    np.testing.assert_array_equal(scope["cubed_jvp"](np.ones(2), np.ones(2))[1], [3.0, 3.0])
    with pytest.raises(ad.ArgumentError, match="mode must be 'reverse' or 'forward'"):
        ad.source(cubed, 2.0, mode="sideways")


def test_source_by_some_of_the_arguments():
    def f(x, y):
        return x * y

    assert "def f_jvp(x, y, t_y):" in ad.source(f, 1.0, 2.0, argnums=1, mode="forward")
    assert "def f_jvp(x, y, t_x, t_y):" in ad.source(f, 1.0, 2.0, argnums=(0, 1), mode="forward")


def mixed_list(x, n):
    xs = []
    for k in range(n):
        xs.append(k)
        xs.append(x[k])
    ys = [n, x[0]]
    s = 0.0
    for i in range(2 * n):
        s = s + xs[i] * x[0] + ys[i % 2] ** 2
    return s


def starts_as_an_int(x, n):
    s = n
    for v in x:
        s = s * v + n
    return s


def starts_as_ints_or_floats(x, n):
    s = np.arange(n) if x[0] > 0 else x
    for v in x:
        s = s * x + v
    return np.sum(s)


def starts_as_a_bool(x, n):
    s = x[0] > n if n > 5 else x[0] > 0
    for v in x:
        s = s * v + x[1]
    return s


@pytest.mark.parametrize(
    "f", [mixed_list, starts_as_an_int, starts_as_ints_or_floats, starts_as_a_bool]
)
def test_zeros_beside_what_moves_are_numbers(f):
    x = np.array([1.0, 2.0, 3.0])
    value, tangent = ad.jvp(f, (x, 3), (np.array([1.0, -2.0, 0.5]), None))
    assert value == f(x, 3)
    assert tangent == pytest.approx(np.dot(ad.grad(f)(x, 3), [1.0, -2.0, 0.5]))
