"""check_grads accepts what is right and says precisely what is wrong."""

import re
from collections import namedtuple

import numpy as np
import pytest
from support.strict_arrays import strict

import adjoint as ad
from adjoint.rules.template import RULES, Rule, d
from adjoint.testing import check_grads

Point = namedtuple("Point", "x y")


def affine(params, x):
    return np.tanh(x @ params["w"] + params["b"])


def several(t, z):
    a, (b, n) = t
    return {"first": a * b, "rest": (np.abs(z), [np.sum(a) * n])}


def power(x, n):
    return x**n


def repeated(x, n):
    for _ in range(n):
        x = np.sin(x) * x
    return x


def changed(x):
    x[0] = x[1] * 2
    return x * x


def middle(p):
    return p.x * p.y


def product(x, y):
    return x * y


def total(x):
    return np.sum(x * x)


def product_of_all(z):
    return np.sum(z * z * np.conj(z))


ARRAY = np.array([[0.3, -1.2, 0.5], [2.0, 0.1, -0.4]])

RIGHT = [
    (affine, ({"w": np.ones((3, 2)), "b": np.zeros(2)}, ARRAY)),
    (several, ((ARRAY, (2.0, 3)), np.array([1 + 2j, -0.5j]))),
    (power, (1.5, 3)),
    (repeated, (0.7, 3)),
    (changed, (np.array([1.0, 2.0, 3.0]),)),
    (middle, (Point(2.0, 3.0),)),
    (product, (ARRAY, ARRAY[0])),
    (product, (ARRAY.astype(np.float32), np.float32(2.0))),
    (product, (ARRAY.astype(np.float16), 2.0)),
    (product, (np.array(2.0), np.complex64(1 + 2j))),
    (product, (np.ones((0, 3)), 2.0)),
    (total, (np.linspace(-1, 1, 1000),)),
    (product_of_all, (np.array([1 + 2j, -0.5j]),)),
]


@pytest.mark.parametrize("f, args", RIGHT, ids=lambda v: getattr(v, "__name__", None))
def test_right_derivatives_pass(f, args):
    assert check_grads(f, args) is None


def test_arguments_are_left_alone():
    x = np.array([1.0, 2.0, 3.0])
    check_grads(changed, (x,))
    assert x.tolist() == [1.0, 2.0, 3.0]


def test_python_ints_are_checked_on_request():
    check_grads(power, (1.5, 3), argnums=(0, 1))
    check_grads(power, (1.5, 3), argnums=-1)


def half_stopped(x):
    return x * ad.stop_gradient(x)


def stopped_dict(p, scale):
    return np.sum(p["w"] * scale) + np.sum(ad.stop_gradient(p["b"]))


WRONG = [
    (half_stopped, (3.0,), "by `x` is wrong", "vjp gives            3\n", "give     6"),
    (half_stopped, (ARRAY,), "by `x[0, 0]` is wrong", None, None),
    (half_stopped, (np.ones((9, 9)),), "by `x`, along a random direction is wrong", None, None),
    (half_stopped, (np.array([1 + 1j]),), "by `x[0]`, real part is wrong", None, None),
    (
        stopped_dict,
        ({"w": np.ones(2), "b": np.ones(2)}, 2.0),
        "by `p['b'][0]` is wrong",
        "vjp gives            0\n",
        "differences give     1",
    ),
]


@pytest.mark.parametrize("f, args, where, got, want", WRONG)
def test_wrong_derivatives_are_told(f, args, where, got, want):
    with pytest.raises(AssertionError, match=re.escape(f"`{f.__name__}` {where}")) as caught:
        check_grads(f, args)
    for part in filter(None, (got, want)):
        assert part in str(caught.value)


def test_only_the_chosen_arguments_are_checked():
    args = ({"w": np.ones(2), "b": np.ones(2)}, 2.0)
    check_grads(stopped_dict, args, argnums=1)
    with pytest.raises(AssertionError, match="by `p"):
        check_grads(stopped_dict, args, argnums=(1, 0))


def third(x):
    return x / 3


def wrong_rule(z, x):
    d[z, x] = 0.5


def uses_third(x):
    return third(np.sin(x))


def test_a_wrong_rule_is_caught(monkeypatch):
    monkeypatch.setitem(RULES, third, [Rule(third, wrong_rule)])
    with pytest.raises(AssertionError, match="`uses_third` by `x` is wrong"):
        check_grads(uses_third, (1.0,))


def give(monkeypatch, value, *cotangents):
    """Let vjp give this value and a pullback that gives these cotangents."""
    monkeypatch.setattr(ad, "vjp", lambda f, *primals: (value, lambda cotangent: cotangents))


@pytest.mark.parametrize(
    "cotangent, message",
    [
        (np.ones(3), r"for `x` of `total` is of shape \(3,\), not \(2,\)"),
        (np.ones(2, np.float32), "of dtype float32, not float64"),
        ([1.0, 1.0], "of type list, not ndarray"),
        (None, "of type NoneType, not ndarray"),
    ],
)
def test_the_form_of_cotangents_is_checked(monkeypatch, cotangent, message):
    give(monkeypatch, np.float64(2.0), cotangent)
    with pytest.raises(AssertionError, match=message):
        check_grads(total, (np.ones(2),))


def first(p):
    return p["a"] * 2.0


@pytest.mark.parametrize(
    "cotangent, message",
    [
        ({"b": 1.0}, r"a dict with keys \['b'\], not \['a'\]"),
        ({"a": 2.0, "b": 0.0}, "not a dict of length 1"),
        ({"a": 1}, r"for `p\['a'\]` of `first` is of type int, not float"),
    ],
)
def test_the_structure_of_cotangents_is_checked(monkeypatch, cotangent, message):
    give(monkeypatch, 2.0, cotangent)
    with pytest.raises(AssertionError, match=message):
        check_grads(first, ({"a": 1.0},))


def labelled(p):
    return p["x"] * 2.0


def test_what_does_not_vary_has_no_cotangent(monkeypatch):
    check_grads(labelled, ({"x": 1.0, "label": "a"},))
    give(monkeypatch, 2.0, {"x": 2.0, "label": 0.0})
    with pytest.raises(AssertionError, match="no derivative by it exists"):
        check_grads(labelled, ({"x": 1.0, "label": "a"},))


def test_the_number_of_cotangents_is_checked(monkeypatch):
    give(monkeypatch, np.float64(2.0), np.ones(2), np.ones(2))
    with pytest.raises(AssertionError, match="not one cotangent for each of 1 arguments"):
        check_grads(total, (np.ones(2),))


def test_the_value_is_checked(monkeypatch):
    give(monkeypatch, np.float64(2.5), np.ones(2) * 2)
    with pytest.raises(AssertionError, match=r"value of `total` from vjp is np.float64\(2.5\)"):
        check_grads(total, (np.ones(2),))


def test_changes_of_arguments_are_checked(monkeypatch):
    real = ad.vjp

    def on_copies(f, *primals):
        return real(f, *[p.copy() for p in primals])

    monkeypatch.setattr(ad, "vjp", on_copies)
    with pytest.raises(AssertionError, match="vjp of `changed` leaves `x` as"):
        check_grads(changed, (np.array([1.0, 2.0, 3.0]),))


def test_a_pullback_that_changes_its_cotangent(monkeypatch):
    def changes(cotangent):
        cotangent *= 2
        return (cotangent,)

    monkeypatch.setattr(ad, "vjp", lambda f, *primals: (primals[0] * 2, changes))
    with pytest.raises(AssertionError, match="changes its cotangent"):
        check_grads(lambda x: x * 2, (np.ones(2),))


def logarithm(x):
    return np.log(x)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_step_out_of_the_domain():
    with pytest.raises(AssertionError, match="choose a smaller eps"):
        check_grads(logarithm, (1e-7,))
    check_grads(logarithm, (1e-7,), eps=1e-12)


def test_tolerances():
    slightly_off = 1 + 1e-3

    def off(x):
        return x * x + ad.stop_gradient(x) * slightly_off

    with pytest.raises(AssertionError):
        check_grads(off, (100.0,))
    check_grads(off, (100.0,), rtol=1e-2)
    check_grads(off, (100.0,), modes="reverse", atol=2.0)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"order": 0}, "order must be a positive integer, got 0"),
        ({"modes": ("sideways",)}, "modes are 'reverse' and 'forward', got 'sideways'"),
        ({"argnums": 1}, "argnums=1, but there are 1 arguments"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ad.AdjointError, match=message):
        check_grads(total, (np.ones(2),), **options)


def test_forward_mode_is_checked_too():
    with pytest.raises(AssertionError, match="the forward derivative of `half_stopped` by `x`"):
        check_grads(half_stopped, (np.ones(2),), modes="forward")


def test_forward_mode_compares_jvp(monkeypatch):
    def jvp(f, primals, tangents):
        return f(*primals), factor * 2 * np.sum(primals[0] * tangents[0])

    monkeypatch.setattr(ad, "jvp", jvp, raising=False)
    factor = 1
    check_grads(total, (np.arange(3.0),), modes="forward")
    factor = 2
    with pytest.raises(AssertionError, match="the forward derivative of `total` by `x`"):
        check_grads(total, (np.arange(3.0),), modes="forward")


def test_second_order_checks_the_gradient(monkeypatch):
    """By a vjp that knows cubes: value 3 * x * x of the gradient, derivative 6 * x."""

    def vjp(f, x):
        value = f(x)
        if f is product_alone:
            return value, lambda c: (c * 3 * x * x,)
        return value, lambda c: (c[0] * factor * value[0] / x,)

    monkeypatch.setattr(ad, "vjp", vjp)
    factor = 2
    check_grads(product_alone, (1.5,), order=2)
    factor = 3
    check_grads(product_alone, (1.5,))
    with pytest.raises(AssertionError, match="derivative of `product_alone_grad` by"):
        check_grads(product_alone, (1.5,), order=2)


def test_second_order_by_a_number_and_an_array():
    check_grads(lambda x, w: np.sum(x * w) ** 2, (0.5, np.ones(2)), order=2)


def product_alone(x):
    return x * x * x


def test_second_order_passes_on_what_the_library_refuses():
    try:
        check_grads(product_alone, (2.0,), order=2)
    except ad.AdjointError:
        pass


def row_sums(x, y):
    return x * y, (x * y).sum(axis=0)


def test_arrays_of_other_modules():
    x, y = strict.asarray([1.0, 2.0]), strict.asarray([[1.0, 2.0], [3.0, 4.0]])
    check_grads(row_sums, (x, y))
    with pytest.raises(AssertionError, match=re.escape("by `x[0]` is wrong")):
        check_grads(half_stopped, (x,))
