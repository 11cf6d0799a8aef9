"""Programs in which a value could slip past the notes: each once went wrong, or nearly did."""

import array
import copy
import itertools
import logging
import math

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms

WEIGHTS = np.array([1.0, 2.0, 3.0])
X = np.array([-0.8, 0.7, 0.55])


@pytest.fixture(autouse=True)
def recorded_only():
    with forms.only("recorded"):
        yield


def one_number_seen_three_times(x):
    return np.sum(np.broadcast_to(x[0] * x[1], (3,)) * WEIGHTS)


def rows_seen_four_times(x):
    return np.sum(np.broadcast_to(x * 2, (4, 3)) * np.arange(12.0).reshape(4, 3))


def slice_of_a_list_from_an_array(x):
    values = [1.0, 2.0, 3.0, 4.0]
    values[1:3] = x * x
    return values[0] * values[1] + values[2] * values[3]


class Items(list):
    pass


def list_of_a_class_from_an_array(x):
    return sum(v * v for v in Items(x))


def counted_by_an_active_step(x):
    return sum(v * v for v in itertools.islice(itertools.count(x[0], x[1]), 3))


def gradient_inside_no_grad(x):
    with ad.no_grad():
        slope = ad.grad(lambda y: np.sum(y * y))(x)
    return np.sum(slope * x)


def gradient_of_what_changes_its_argument(x):
    def changes(p):
        p[0] *= np.sum(p)
        return np.sum(p)

    return np.sum(WEIGHTS * ad.grad(changes)(x.copy()))


def view_changed_through_a_container(x):
    y = x * 1.0
    parts = {"head": y[:2], "tail": y[1:]}
    parts["head"][1] *= y[0]
    parts["tail"] += 1.0
    return np.sum(y * WEIGHTS) + np.sum(parts["head"])


def copied_deep(x):
    state = {"w": x * x, "n": 2.0 * x[0]}
    twin = copy.deepcopy(state)
    twin["w"][0] = 5.0
    return np.sum(state["w"]) * twin["n"] + np.sum(twin["w"])


def made_from_a_generator(x):
    return np.sum(np.fromiter((v * v for v in x), float) * WEIGHTS)


def told_to_a_log(x):
    y = np.sum(x * x)
    logging.getLogger("adjoint.tests").debug("y = %s", y)
    return y


def rounded_into_an_array(x):
    y = x * 2
    s = np.sum(y)
    np.round(x, out=y)
    return s * np.sum(y * x)


def constants_of_one_file_are_one_object(x):
    def half(v):
        return 0.5 if v > 10 else v

    return half(x[0]) * 0.5 + half(x[1]) * half(x[2])


def sorted_by_a_key_with_state(x):
    seen = []

    def key(v):
        seen.append(v * 2)
        return -v

    ordered = sorted(x, key=key)
    return ordered[0] * 3 + ordered[2] + sum(seen)


def called_by_its_call(x):
    return np.sin.__call__(x[0]) * math.exp.__call__(x[1])


def view_made_by_a_function_without_a_rule(x):
    y = np.zeros(3)
    np.lib.stride_tricks.as_strided(y, (3,), y.strides)[:] = x * x
    return np.sum(y * x)


PROGRAMS = [
    one_number_seen_three_times,
    rows_seen_four_times,
    slice_of_a_list_from_an_array,
    list_of_a_class_from_an_array,
    counted_by_an_active_step,
    gradient_inside_no_grad,
    gradient_of_what_changes_its_argument,
    view_changed_through_a_container,
    copied_deep,
    made_from_a_generator,
    told_to_a_log,
    rounded_into_an_array,
    constants_of_one_file_are_one_object,
    sorted_by_a_key_with_state,
    called_by_its_call,
    view_made_by_a_function_without_a_rule,
]
# What is constant for the derivative is not for differences of the function.
BY_HAND = {"gradient_inside_no_grad": 2 * X}


def differences(fn, eps=1e-6):
    steps = np.eye(len(X)) * eps
    return np.array([(fn(X + e) - fn(X - e)) / (2 * eps) for e in steps])


@pytest.mark.parametrize("fn", PROGRAMS, ids=lambda fn: fn.__name__)
def test_gradient(fn):
    want = BY_HAND.get(fn.__name__)
    want = differences(fn) if want is None else want
    np.testing.assert_allclose(ad.grad(fn)(X.copy()), want, rtol=1e-6, atol=1e-9)
    t = np.array([0.3, -0.2, 0.9])
    value, tangent = ad.jvp(fn, (X.copy(),), (t,))
    assert value == pytest.approx(fn(X.copy()))
    assert tangent == pytest.approx(want @ t, rel=1e-6)


def reads_bytes(x):
    return memoryview(x * 2)[0] * x[1]


def writes_bytes(x):
    x.data[0] = 2.0
    return np.sum(x * x)


def computes_in_c(x):
    return sum(np.vectorize(lambda v: v * v)(x))


def reads_a_text(x):
    return float(f"{x[0]:.3f}") * x[1]


def makes_an_array_of_objects(x):
    return np.array([x[0], None])[0] * x[1]


def evaluates(x):
    return eval("x[0] * x[1]")


def reads_bytes_of_an_array(x):
    return np.frombuffer((x * 2).tobytes())[0] * x[1]


def stores_into_memory_of_c(x):
    numbers = array.array("d", [1.0, 2.0])
    numbers[0] = x[0]
    return numbers[0] * x[1]


def stores_into_a_field(x):
    rows = np.zeros(2, dtype=[("a", float)])
    rows["a"] = x[0]
    return rows["a"][0] * x[1]


def stores_into_a_row_of_fields(x):
    rows = np.zeros(2, dtype=[("a", float)])
    rows[0] = (x[0],)
    return rows["a"][0] * x[1]


def adds_by_a_method_of_an_operator(x):
    y = np.zeros(3)
    y.__iadd__(x)
    return np.sum(y)


def multiplies_by_a_method_of_a_constant(x):
    return np.sum(WEIGHTS.__mul__(x))


@pytest.mark.parametrize(
    ("fn", "raises", "says"),
    [
        (reads_bytes_of_an_array, ad.NoDerivativeError, "from bytes"),
        (stores_into_memory_of_c, ad.NoDerivativeError, "memory of a `array`"),
        (stores_into_a_field, ad.NoDerivativeError, "array of fields"),
        (stores_into_a_row_of_fields, ad.NoDerivativeError, "array of fields"),
        (adds_by_a_method_of_an_operator, ad.NoDerivativeError, "__iadd__"),
        (multiplies_by_a_method_of_a_constant, ad.NoDerivativeError, "__mul__"),
        (reads_bytes, ad.NoDerivativeError, "memoryview"),
        (writes_bytes, ad.UnsupportedSyntaxError, "as bytes"),
        (computes_in_c, ad.NoDerivativeError, "vectorize"),
        (reads_a_text, ad.NoDerivativeError, "from a text"),
        (makes_an_array_of_objects, ad.UnsupportedSyntaxError, "array of objects"),
        (evaluates, ad.UnsupportedSyntaxError, "`eval`"),
    ],
)
def test_refused(fn, raises, says):
    with pytest.raises(raises, match=says) as caught:
        ad.grad(fn)(X.copy())
    assert f"in {fn.__name__}: " in str(caught.value)
    assert "^" in str(caught.value)


def test_a_constant_that_was_used_up_does_not_hinder_a_change():
    def loss(p):
        y = np.sum(ad.stop_gradient(p) * p * p)
        p[1] = np.sin(p[0])
        return y + np.sum(p**2)

    x = np.array([1.0, 2.0, 3.0])
    with forms.only("recorded"):
        gradient = ad.grad(loss)(x.copy())
    np.testing.assert_allclose(gradient, [2 + 2 + np.sin(2.0), 8, 18 + 6])


def test_a_constant_that_is_still_in_use_refuses_a_change():
    def loss(p):
        constant = ad.stop_gradient(p)
        y = np.sum(constant * p)
        p[1] = 3.0
        return y + np.sum(constant * p)

    with forms.only("recorded"), pytest.raises(ad.AliasingError, match="constant"):
        ad.grad(loss)(np.array([1.0, 2.0, 3.0]))


def test_a_part_of_a_complex_array_varies_in_second_derivatives():
    def loss(p):
        part = np.real(p * (1 + 2j))
        y = p * p
        y *= part
        p[0] = 1.0
        return np.sum(np.sin(y))

    x = np.array([0.5, 0.7])
    with forms.only("recorded"):
        ad.testing.check_grads(loss, (x,), order=2)
