"""`return`, exceptions, `with`, `assert`."""

import contextlib
import warnings

import numpy as np
from support.programs import array

from ..table import category

row = category("Returns, exceptions and contexts")


@row("early `return`", -0.7)
def leaky(x):
    if x < 0:
        return 0.1 * x * x
    return x


@row("`return` of a tuple from a helper", 0.7)
def helper_returns_a_tuple(x):
    def polar(x, y):
        return np.hypot(x, y), np.arctan2(y, x)

    r, angle = polar(x, x * x)
    return r * angle


@row("a helper without `return`", array(3))
def helper_without_return(x):
    def scale(v):
        v *= 2.0

    scale(x)
    return np.sum(x * x)


@row("`raise` that is not reached", 0.7)
def checked_domain(x):
    if x <= 0:
        raise ValueError(f"x must be positive, got {x}")
    return np.log(x)


@row("`try` and `except`, nothing raised", 0.7)
def nothing_raised(x):
    try:
        y = np.log(x)
    except ValueError:
        y = 0.0
    return y * x


@row("`try` and `except`, raised and caught", {"scale": 2.0})
def missing_key(params):
    try:
        y = params["rate"]
    except KeyError:
        y = params["scale"] ** 2
    return y * 3.0


@row("what was computed before the exception counts", 0.7)
def raised_halfway(x):
    y = x
    try:
        y = y * x
        y = y * [][0]
    except IndexError:
        y = y + np.sin(x)
    return y


@row("`except ... as error`, the exception's arguments", 0.7)
def carries_a_value(x):
    try:
        raise ValueError(x * x)
    except ValueError as error:
        return error.args[0] * x


@row("several `except` clauses and a tuple of types", 0.7)
def several_handlers(x):
    total = x
    for k in range(3):
        try:
            if k == 0:
                raise ValueError("none")
            if k == 1:
                raise KeyError("none")
            total = total * x
        except ValueError:
            total = np.sin(total)
        except (KeyError, TypeError):
            total = total + x
    return total


@row("`try` with `else`", 0.7)
def try_else(x):
    try:
        y = x * x
    except ZeroDivisionError:
        y = x
    else:
        y = y * x
    return y


@row("`try` with `finally`", 0.7)
def try_finally(x):
    y = x
    try:
        y = np.sin(y)
    finally:
        y = y * x
    return y


@row("`finally` after a `return`", array(2))
def finally_after_return(x):
    def result():
        try:
            return np.sum(x * x)
        finally:
            x[0] = 1.0

    return result() * np.sum(x)


@row("`finally` with `break` and `continue` in a loop", array(4))
def finally_in_a_loop(x):
    total, visits = 0.0, 0.0
    for value in x:
        try:
            if value < 0:
                continue
            total += value**2
        finally:
            visits = visits + 0.5 * value
    return total * visits


@row("`raise` of an exception that a caller catches", 0.7)
def raised_in_a_helper(x):
    def root(y):
        if y < 0:
            raise ArithmeticError
        return np.sqrt(y)

    try:
        return root(-x)
    except ArithmeticError:
        return root(x) * x


@row("`raise` again, and `raise ... from`", 0.7)
def raised_again(x):
    y = x
    try:
        try:
            raise KeyError("k")
        except KeyError as error:
            y = y * x
            raise ValueError("v") from error
    except ValueError:
        y = np.sin(y)
    return y


@row("a user's exception class", 0.7)
def stops_by_exception(x):
    class Converged(Exception):
        def __init__(self, value):
            super().__init__("converged")
            self.value = value

    def iterate(y):
        for _ in range(50):
            y = np.cos(y)
            if abs(y - np.cos(y)) < 0.05:
                raise Converged(y)

    try:
        iterate(x)
    except Converged as found:
        return found.value * x
    return x


@row("nested `try`", 0.7)
def nested_try(x):
    y = x
    try:
        try:
            y = y * 2.0
            raise ValueError
        finally:
            y = np.sin(y)
    except ValueError:
        y = y * x
    return y


@row("`ZeroDivisionError` of an active value", 0.7)
def division_by_zero(x):
    try:
        return 1.0 / (x - x)
    except ZeroDivisionError:
        return 3.0 * x + 1.0


@row("`with`, a context manager of the standard library", 0.7)
def suppresses(x):
    y = x
    with contextlib.suppress(ValueError):
        y = y * x
        raise ValueError("enough")
    return y * x


@row("`with np.errstate(...)`", array(3))
def without_warnings(x):
    with np.errstate(all="ignore"):
        y = np.where(x > 0, np.log(np.abs(x)), x)
    return np.sum(y)


@row("`with`, a user's context manager, and `as`", 0.7)
def user_context(x):
    class Scaled:
        def __init__(self, factor):
            self.factor = factor

        def __enter__(self):
            return self.factor

        def __exit__(self, *details):
            return False

    with Scaled(x * x) as factor:
        y = factor * x
    return y


@row("`with`, an `__exit__` that suppresses the exception", 0.7)
def user_context_suppresses(x):
    class Ignoring:
        def __enter__(self):
            return self

        def __exit__(self, kind, error, trace):
            return kind is ArithmeticError

    y = x
    with Ignoring():
        y = np.sin(y)
        if y < 10:
            raise ArithmeticError
        y = 100.0
    return y * x


@row("`contextlib.contextmanager`", array(2))
def generator_context(x):
    @contextlib.contextmanager
    def shifted(v, by):
        v += by
        yield v
        v -= by

    with shifted(x, 0.5) as moved:
        total = np.sum(moved**3)
    return total * np.sum(x)


@row("several items in one `with`", 0.7)
def several_contexts(x):
    with contextlib.nullcontext(x) as a, contextlib.nullcontext(x * x) as b:
        return a * b


@row("`return` from inside `with`", 0.7)
def return_inside_with(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.sin(x) * x


@row.no_effect("`with ad.no_grad()` around nothing that varies", 0.7)
def counts_without_derivative(x):
    import adjoint as ad

    count = 0
    with ad.no_grad():
        count += 1
    return count * x * x


@row.no_effect("`assert`", 0.7)
def asserts(x):
    assert x > 0, f"x must be positive, got {x}"
    return np.sqrt(x)


@row("an `assert` that fails and is caught", 0.7)
def failed_assert(x):
    try:
        assert x > 1
        return x
    except AssertionError:
        return x**3


row.text(
    "`except*`",
    """
    def f(x):
        y = x
        try:
            y = y * x
            raise ExceptionGroup("several", [ValueError(1), KeyError(2)])
        except* ValueError:
            y = np.sin(y)
        except* KeyError:
            y = y * x
        return y
    """,
    0.7,
    since=(3, 11),
)
