"""What is wrong in the recorded form itself is never taken for an error of the user's code."""

import contextlib
import itertools

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms
from adjoint.recorded import operations


def by_except(x):
    try:
        return np.sum(x * x)
    except Exception:
        return 3.0 * x[0]


def by_bare_except(x):
    try:
        return np.sum(x[1:])
    except:  # noqa: E722
        return 3.0 * x[0]


def by_finally(x):
    y = 3.0
    for _ in range(2):
        try:
            y = np.sum(x * x)
        finally:
            break  # noqa: B012
    return y


def by_suppress(x):
    y = 3.0
    with contextlib.suppress(TypeError):
        y = x * x
    return y


class Silent:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return True


def by_a_context_manager(x):
    y = 3.0
    with Silent():
        y = np.exp(x).sum()
    return y


def by_a_default(x):
    class Squares:
        def __getattr__(self, name):
            try:
                return (x * x).sum()
            except TypeError:
                raise AttributeError(name) from None

    return getattr(Squares(), "size", 3.0)


SWALLOWERS = (by_except, by_bare_except, by_finally, by_suppress, by_a_context_manager,
              by_a_default)  # fmt: skip
OPERATORS = {
    "grad": ad.grad,
    "vjp": lambda f: lambda x: ad.vjp(f, x),
    "jvp": lambda f: lambda x: ad.jvp(f, (x,), (np.ones(3),)),
    "grad of grad": lambda f: ad.grad(lambda x: np.sum(ad.grad(f)(x) ** 2)),
}


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("f", SWALLOWERS)
@pytest.mark.parametrize("broken", ["is_zero", "note", "varies"])
@pytest.mark.parametrize("allowed", [forms.BOTH, ("recorded",)])
def test_a_fault_is_not_swallowed(allowed, f, broken, operator, monkeypatch):
    monkeypatch.setattr(operations, broken, None)
    with forms.only(*allowed), pytest.raises(TypeError, match="'NoneType' object is not callable"):
        OPERATORS[operator](f)(np.ones(3))


@pytest.mark.parametrize("f", SWALLOWERS)
def test_the_typed_form_has_no_handlers(f):
    with forms.only("typed"), pytest.raises(ad.UnsupportedSyntaxError):
        ad.grad(f)(np.ones(3))


def division(x):
    return x[0] / 0.0 if isinstance(x[0], float) and type(x[0]) is float else 1 / int(x[0] * 0)


def no_such_key(x):
    return {"a": x[0]}["b"]


def no_such_element(x):
    return x[5]


def no_such_attribute(x):
    return x.no_such_attribute


def shapes_that_do_not_fit(x):
    return x + np.ones(2)


def in_place_in_another_dtype(x):
    k = np.arange(3)
    k += x
    return k


def of_a_text(x):
    return x[0] * 2.0 + "a"


def unpacked(x):
    a, b = x
    return a * b


def out_of_values(x):
    return next(iter(x[:0]))


def popped(x):
    return [].pop() + x


def singular(x):
    return np.linalg.inv(np.zeros((2, 2)) * x[0])


def converted(x):
    return int("a") * x


def of_an_inner_derivative(x):
    return ad.grad(lambda y: y * y)(x)


FAILING = (division, no_such_key, no_such_element, no_such_attribute, shapes_that_do_not_fit,
           in_place_in_another_dtype, of_a_text, unpacked, out_of_values, popped, singular,
           converted, of_an_inner_derivative)  # fmt: skip


@pytest.mark.parametrize("fails", FAILING)
def test_python_own_errors_are_the_functions_to_handle(fails):
    def handles(x):
        try:
            return np.sum(fails(x))
        except Exception as error:
            kinds.append(type(error))
            return np.sum(x * x)

    kinds = []
    assert handles(np.arange(3.0)) == 5.0
    np.testing.assert_array_equal(ad.grad(handles)(np.arange(3.0)), [0.0, 2.0, 4.0])
    assert len(kinds) == 2 and kinds[0] is kinds[1]


def test_what_fails_is_not_carried_out_twice():
    def fails(x):
        next(counter)
        raise ValueError(x)

    def handles(x):
        try:
            return fails(x * x)
        except ValueError:
            return x * 3.0

    counter = itertools.count()
    assert ad.grad(handles)(2.0) == 3.0
    assert next(counter) == 1
