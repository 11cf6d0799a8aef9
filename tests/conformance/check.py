"""What is checked of a row: against plain execution, central differences, and itself."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from support.programs import assert_same, flat, is_object, leaves, moved, structure

import adjoint as ad

from .table import REFUSED, Row

EPS = 1e-6
FIRST = {"rtol": 2e-5, "atol": 2e-7}
SECOND = {"rtol": 1e-4, "atol": 1e-5}
SINGLE = {"rtol": 1e-5, "atol": 1e-5}
EXACT = {"rtol": 1e-9, "atol": 1e-11}


def check_row(row: Row, order: int = 2) -> None:
    """Everything that a row promises, up to second derivatives.

    A change of the world outside is checked before and after.
    """
    if row.status == REFUSED:
        check_refused(row)
        return
    try:
        checks = Checks(row, order)
        checks.everything()
        for change in row.changes:
            change()
            checks.everything()
    finally:
        if row.reset:
            row.reset()


@dataclass
class Ran:
    value: Any
    args: list[Any]
    printed: str


class Checks:
    """The checks of one program. Its derivatives are made once, and called in each state."""

    def __init__(self, row: Row, order: int = 2) -> None:
        self.row, self.order = row, order
        self.derivative = ad.value_and_grad(row.fn, argnums=row.wrt)
        self.gradient = ad.grad(row.fn, argnums=row.wrt)
        rng = np.random.default_rng(7)
        given = [row.arguments()[i] for i in row.wrt]
        self.sizes = [flat(a).size for a in given]
        self.direction = [
            rng.uniform(0.5, 1.0, n) * rng.choice([-1, 1], n) * moving(a)
            for n, a in zip(self.sizes, given)
        ]
        self.single = any(getattr(a, "dtype", None) == np.float32 for a in given)

    def everything(self) -> None:
        plain = self.run(self.row.fn)
        gradients = self.reverse(plain)
        self.text()
        self.forward(plain, gradients)
        if self.order > 1 and not self.row.first_only:
            self.second()

    # -- running --------------------------------------------------------------------------

    def run(self, fn: Any, args: list[Any] | None = None) -> Ran:
        args = self.row.arguments() if args is None else args
        if self.row.reset and not self.row.changes:
            self.row.reset()
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            value = fn(*args)
        return Ran(value, args, printed.getvalue())

    def at(self, step: float) -> list[Any]:
        """The arguments, moved along the direction."""
        args = self.row.arguments()
        for i, direction in zip(self.row.wrt, self.direction):
            args[i] = moved(args[i], iter(step * direction))
        return args

    def tangents(self) -> tuple[Any, ...]:
        """The direction, in the form of the arguments; zero for those not differentiated by."""
        whole: list[Any] = []
        for i, a in enumerate(self.row.arguments()):
            step = self.direction[self.row.wrt.index(i)] if i in self.row.wrt else ()
            whole.append(tangent(a, iter(step)))
        return tuple(whole)

    # -- first derivatives ----------------------------------------------------------------

    def reverse(self, plain: Ran) -> np.ndarray:
        ran = self.run(self.derivative)
        value, gradients = ran.value
        np.testing.assert_allclose(value, plain.value, rtol=1e-14)
        same_effects(ran, plain)
        for i, gradient in zip(self.row.wrt, gradients, strict=True):
            assert structure(gradient) == structure(self.row.arguments()[i])
        found = np.concatenate([flat(g) for g in gradients])
        np.testing.assert_allclose(found, self.differences(), **FIRST)
        return found

    def differences(self) -> np.ndarray:
        """The gradient by all arguments, numerically."""
        found = []
        for i, size in zip(self.row.wrt, self.sizes):
            for k in range(size):
                ends = []
                for sign in (1, -1):
                    args = self.row.arguments()
                    step = np.zeros(size)
                    step[k] = sign * EPS
                    args[i] = moved(args[i], iter(step))
                    ends.append(float(np.asarray(self.run(self.row.fn, args).value).item()))
                found.append((ends[0] - ends[1]) / (2 * EPS))
        return np.array(found)

    def text(self) -> None:
        try:
            texts = [
                ad.source(self.row.fn, *self.row.arguments(), argnums=self.row.wrt)
                for _ in range(2)
            ]
        except ad.NoDerivativeError:
            return  # differentiated as it runs, and so without a text
        assert texts[0] == texts[1], "the text differs from one compilation to the next"
        ast.parse(texts[0])

    def forward(self, plain: Ran, gradients: np.ndarray) -> None:
        tangents = self.tangents()
        ran = self.run(lambda *args: ad.jvp(self.row.fn, args, tangents))
        value, slope = ran.value
        np.testing.assert_allclose(value, plain.value, rtol=1e-14)
        same_effects(ran, plain)
        along = float(gradients @ np.concatenate(self.direction))
        np.testing.assert_allclose(slope, along, **(SINGLE if self.single else EXACT))

    # -- second derivatives ---------------------------------------------------------------

    def second(self) -> None:
        """The gradient's derivative along the direction, in three ways."""
        ends = [
            np.concatenate([flat(g) for g in self.run(self.gradient, self.at(step)).value])
            for step in (EPS, -EPS)
        ]
        wanted = (ends[0] - ends[1]) / (2 * EPS)
        tangents = self.tangents()

        slope, moving = self.slope()

        def by_gradient() -> np.ndarray:
            _, pullback = self.run(lambda *args: ad.vjp(self.gradient, *args)).value
            parts = pullback(tuple(tangents[i] for i in self.row.wrt))
            return np.concatenate([flat(parts[i]) for i in self.row.wrt])

        def by_slope() -> np.ndarray:
            value, pullback = self.run(lambda *args: ad.vjp(slope, *args), moving).value
            one = np.ones_like(value) if isinstance(value, np.ndarray) else 1.0
            return np.concatenate([flat(part) for part in pullback(one)])

        def pushed() -> np.ndarray:
            _, found = self.run(lambda *args: ad.jvp(self.gradient, args, tangents)).value
            return np.concatenate([flat(p) for p in found])

        ways = {
            "jvp of grad": pushed,
            "grad of grad": by_gradient,
            "grad of jvp": by_slope,
        }
        for way, compute in ways.items():
            np.testing.assert_allclose(compute(), wanted, err_msg=way, **SECOND)

    def slope(self) -> tuple[Any, list[Any]]:
        """The slope along tangents as a function of what is differentiated by, and its arguments.

        The other arguments are constants in it.
        """
        fn, args, along = self.row.fn, self.row.arguments(), self.tangents()
        first, last = self.row.wrt[0], self.row.wrt[-1] + 1
        assert self.row.wrt == tuple(range(first, last))
        before, after = args[:first], args[last:]

        along = along[first:last]

        def whole(*moving: Any) -> Any:
            return fn(*before, *moving, *after)

        inner = whole if before or after else fn

        def slope(*moving: Any) -> Any:
            return ad.jvp(inner, moving, along)[1]

        return slope, args[first:last]


def moving(value: Any) -> np.ndarray:
    """1 for the numbers of a container, 0 for its integers, which have no tangent."""
    return np.concatenate(
        [np.full(np.size(leaf), not isinstance(leaf, int)) for leaf in leaves(value)] or [[]]
    )


def tangent(value: Any, step: Any) -> Any:
    """A container of the form of `value` with the next numbers of `step`, then zeros."""
    if isinstance(value, dict):
        return {k: tangent(v, step) for k, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(tangent(v, step) for v in value))
    if isinstance(value, (list, tuple)):
        return type(value)(tangent(v, step) for v in value)
    if is_object(value):
        parts = value.__tree_flatten__().items()
        return value.__tree_unflatten__({k: tangent(v, step) for k, v in parts})
    if type(value) is int:
        next(step, 0.0)
        return 0.0
    if not is_number(value):
        return None
    flat_step = [next(step, 0.0) for _ in range(np.size(value))]
    if isinstance(value, np.ndarray):
        return np.array(flat_step, value.dtype).reshape(value.shape)
    return float(flat_step[0])


def is_number(value: Any) -> bool:
    return (
        not isinstance(value, (bool, str))
        and isinstance(value, (float, np.ndarray, np.generic))
        and bool(leaves(value))
    )


def same_effects(ran: Ran, plain: Ran) -> None:
    """The same is printed, and the arguments are left the same."""
    assert ran.printed == plain.printed
    for got, want in zip(ran.args, plain.args, strict=True):
        assert_same_state(got, want)


def assert_same_state(got: Any, want: Any) -> None:
    if hasattr(want, "__dict__") and not inspect.isroutine(want) and not inspect.isclass(want):
        assert type(got) is type(want)
        assert_same(vars(got), vars(want))
    else:
        assert_same(got, want)


def check_refused(row: Row) -> None:
    """One of our errors, with the user's line and an advice, in both modes."""
    tangents = tuple(tangent(a, itertools.repeat(1.0)) for a in row.arguments())
    ways = {
        "reverse": lambda: ad.grad(row.fn, argnums=row.wrt or 0)(*row.arguments()),
        "forward": lambda: ad.jvp(row.fn, tuple(row.arguments()), tangents),
    }
    for mode in row.modes:
        try:
            found = ways[mode]()
        except ad.AdjointError as error:
            problem = complaint(row, error)
            assert not problem, f"{problem}\n{error}"
        else:
            raise AssertionError(f"{mode} mode does not refuse it, and gives {found!r}")


def complaint(row: Row, error: ad.AdjointError) -> str:
    """What is missing in a refusal; empty where nothing is."""
    if not isinstance(error, row.error):
        return f"a {type(error).__name__}, expected a {row.error.__name__}"
    if row.says not in str(error):
        return f"the error does not say {row.says!r}"
    if not error.advice:
        return "the error gives no advice"
    if row.names_line and error.origin is None:
        return "the error names no line"
    return ""
