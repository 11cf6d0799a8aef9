"""Compile and check one program: its value, effects and derivatives against plain execution.

A program is the text of a module with a function `f` and a function `arguments` that makes fresh
arguments for it.
"""

from __future__ import annotations

import ast
import linecache
import re
import traceback
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import adjoint as ad

from .running import Plain, Ran, Timeout, load, run, time_limit
from .structures import (
    along,
    differs,
    direction_of,
    has_float,
    is_float,
    is_single,
    misfit,
    moved,
    printed_differs,
    tangent_of,
)

OK, WRONG, CRASH, REFUSED, ILL, INVALID, SLOW = (
    "ok", "WRONG", "CRASH", "REFUSED", "ILL", "INVALID", "SLOW"
)  # fmt: skip
BAD = (WRONG, CRASH, SLOW)
LIMIT = 20.0  # seconds for one program
PLAIN_LIMIT = 1.0  # for its plain execution, which takes milliseconds unless it is without end
STEPS = (1e-4, 1e-5)
TOLERANCE = 5e-6
SECOND_TOLERANCE = 1e-4
WAYS = ("jvp of grad", "grad of grad", "grad of jvp", "jvp of grad")  # to second derivatives


@dataclass
class Outcome:
    kind: str
    detail: str = ""
    source: str = ""

    @property
    def group(self) -> str:
        """The detail without what differs between programs: names, numbers, lines."""
        text = self.detail.split("\n")[0]
        if self.kind in (WRONG, ILL):
            return text.split(":")[0] if self.kind == WRONG else ""
        text = re.sub(r"^\S*<fuzz[^>]*>:\d+, in \w+: ", "", text)
        text = re.sub(r"<fuzz[^>]*>|<adjoint of[^>]*>", "<file>", text)
        text = re.sub(r"`[^`]*`", "`_`", text)
        text = re.sub(r"\w+@\w+", "_", text)
        text = re.sub(r"name '(d_)?\w+'", r"name '\1_'", text)
        text = re.sub(r"variable '(d_)?\w+'", r"variable '\1_'", text)
        return re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "#", text)


class Failed(Exception):
    """Something is not as it should be."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail


def check(text: str, limit: float = LIMIT, thorough: bool = False, first: bool = False) -> Outcome:
    """Check one program.

    thorough: check all that there is to check; else, besides value, effects and gradient, some by
    a checksum of the text. first: no second derivatives.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            with time_limit(PLAIN_LIMIT):
                started = _start(text)
        except Timeout:
            return Outcome(INVALID, "plain execution does not end")
        if isinstance(started, Outcome):
            return started
        try:
            with time_limit(limit):
                return _check(text, started, thorough, first)
        except Timeout:
            return Outcome(SLOW, f"not done after {limit} s")
        except RecursionError as error:
            return Outcome(CRASH, f"RecursionError: {error}")


def _start(text: str) -> _Derivatives | Outcome:
    """The program's derivatives, or why there is nothing to check."""
    try:
        plain = Plain(text)
        args = plain.space["arguments"]()
        ran = plain.run(args)
        if np.shape(ran.value) != () or not is_float(ran.value) or not np.isfinite(ran.value):
            return Outcome(INVALID, f"value {ran.value!r}")
        if abs(float(ran.value)) > 1e4:
            return Outcome(INVALID, "a large value")
    except Exception as error:
        return Outcome(INVALID, f"{type(error).__name__}: {error}")
    numbers = [i for i, a in enumerate(args) if has_float(a)]
    if not numbers:
        return Outcome(INVALID, "no float argument")
    return _Derivatives(load(text), args, numbers, plain, ran)


def _check(text: str, done: _Derivatives, thorough: bool, first: bool) -> Outcome:
    try:
        variants = range(8) if thorough else [zlib.crc32(text.encode()) % 8]
        ill = done.check([v for v in variants if v < 4 or not first])
    except Failed as failed:
        return Outcome(failed.kind, failed.detail, done.source)
    except ad.AdjointError as error:
        detail = f"{type(error).__name__}: {error.what}\n{error}"
        missing = _missing(error)
        if missing:
            return Outcome(CRASH, f"{missing}: {detail}", done.source)
        return Outcome(REFUSED, detail, done.source)
    except (Timeout, RecursionError):
        raise
    except Exception as error:
        return Outcome(CRASH, _crash_text(error), done.source or _source_in(error))
    return Outcome(ILL if ill else OK, ill, done.source)


def _missing(error: ad.AdjointError) -> str:
    """What a refusal lacks: it has to name a line of the program."""
    if error.origin is None or not error.origin.filename.startswith("<fuzz"):
        return "a refusal without the user's line"
    return ""


class _Derivatives:
    """What the compiler makes of a program."""

    def __init__(
        self,
        space: dict[str, Any],
        args: tuple[Any, ...],
        numbers: list[int],
        plain: Plain,
        ran: Ran,
    ) -> None:
        f = space["f"]
        self.f, self.space, self.args, self.numbers = f, space, args, numbers
        self.plain, self.ran = plain, ran
        self.source = ""
        self.gradients: Any = None
        self.single = is_single(args)
        self.tolerance = 1e-4 if self.single else 1e-10
        self.gradient = ad.value_and_grad(f, argnums=tuple(numbers))
        rng = np.random.default_rng(5)
        self.directions = [direction_of(args[i], rng) for i in numbers]

    def run(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Ran:
        return run(fn, args, self.space)

    def check(self, variants: Any) -> str:
        """Raise Failed, or say in what the program is ill-conditioned."""
        self.reverse()
        ill = self.against_differences()
        for variant in variants:
            if variant == 1:
                self.again()
            elif variant == 2:
                self.by_vjp()
            elif variant == 3:
                for k in range(len(self.numbers)):
                    self.by_one(k)
            elif variant >= 4 and not ill and not self.single and not self.plain.replay.record:
                self.second(WAYS[variant - 4])
        self.forward(ill)
        return ill

    def compare(self, ran: Ran, value: Any, what: str) -> None:
        """A derivative computes the function's value, and does what the function does."""
        if differs(float(value), float(self.ran.value), self.tolerance):
            detail = f"{value!r}, plain execution gives {self.ran.value!r}"
            raise Failed(WRONG, f"value{what}: {detail}")
        if differs(ran.args, self.ran.args, self.tolerance):
            detail = f"arguments are left {ran.args!r}, plain execution leaves {self.ran.args!r}"
            raise Failed(WRONG, f"effect{what}: {detail}")
        if printed_differs(ran.printed, self.ran.printed):
            detail = f"{ran.printed!r}, plain execution prints {self.ran.printed!r}"
            raise Failed(WRONG, f"printed{what}: {detail}")

    # -- first derivatives ----------------------------------------------------------------

    def reverse(self) -> None:
        ran = self.run(self.gradient, self.args)
        value, self.gradients = ran.value
        self.source = self.gradient.source
        try:
            ast.parse(self.source)
        except SyntaxError as error:
            raise Failed(CRASH, f"SyntaxError: {error}") from error
        self.compare(ran, value, "")
        for i, gradient in zip(self.numbers, self.gradients, strict=True):
            problem = misfit(gradient, self.args[i], f"gradient {i}")
            if problem:
                raise Failed(WRONG, f"structure: {problem}")
        _, again = self.run(self.gradient, self.args).value
        if differs(again, self.gradients, 1e-12):
            detail = f"{again!r} in a second call, {self.gradients!r} in the first"
            raise Failed(WRONG, f"again: {detail}")

    def again(self) -> None:
        """A second compilation gives the same text."""
        twin = ad.value_and_grad(self.f, argnums=tuple(self.numbers))
        self.run(twin, self.args)
        if twin.source != self.source:
            raise Failed(WRONG, "text: differs in a second compilation")

    def by_one(self, k: int) -> None:
        """By one argument alone the gradient is the same."""
        g = ad.grad(self.f, argnums=self.numbers[k])
        alone = self.run(g, self.args).value
        if differs(alone, self.gradients[k], 1e-5 if self.single else 1e-9):
            self.source += "\n\n# alone:\n" + g.source
            detail = f"{alone!r} by argument {self.numbers[k]}, {self.gradients[k]!r} by all"
            raise Failed(WRONG, f"alone: {detail}")

    def by_vjp(self) -> None:
        """The pullback gives the same, twice."""
        ran = self.run(lambda *args: ad.vjp(self.f, *args), self.args)
        value, pullback = ran.value
        self.compare(ran, value, " of vjp")
        seed = value.dtype.type(1.0) if isinstance(value, np.generic) else 1.0
        seed = np.ones_like(value) if isinstance(value, np.ndarray) else seed
        for _ in range(2):
            parts = pullback(seed)
            found = tuple(parts[i] for i in self.numbers)
            if differs(found, self.gradients, 1e-3 if self.single else 1e-9):
                raise Failed(WRONG, f"vjp: {found!r}, value_and_grad gives {self.gradients!r}")

    def forward(self, ill: str) -> None:
        """jvp gives the same value, and the gradient along the direction."""
        tangents = self.tangents()
        ran = self.run(lambda *args: ad.jvp(self.f, args, tangents), self.args)
        value, slope = ran.value
        self.compare(ran, value, " of jvp")
        parts = [along(g, d) for g, d in zip(self.gradients, self.directions, strict=True)]
        scale = max(1.0, *map(abs, parts))
        if not ill and differs(float(slope), sum(parts), (1e-3 if self.single else 1e-8) * scale):
            raise Failed(WRONG, f"jvp: {slope!r}, the gradient in this direction is {sum(parts)!r}")

    def tangents(self) -> tuple[Any, ...]:
        directions = dict(zip(self.numbers, self.directions))
        return tuple(
            tangent_of(a, directions[i]) if i in directions else None
            for i, a in enumerate(self.args)
        )

    def at(self, step: float, numbers: list[int]) -> tuple[Any, ...]:
        """The arguments, some of them moved along their directions."""
        given = [moved(a, direction_of(a, np.random.default_rng(5)), 0.0) for a in self.args]
        for i, direction in zip(self.numbers, self.directions, strict=True):
            if i in numbers:
                given[i] = moved(self.args[i], direction, step)
        return tuple(given)

    def against_differences(self) -> str:
        """Gradients against central differences, in one random direction for each argument.

        Where differences at two steps do not agree, or those to the left and to the right, the
        point is near a kink or a jump, and nothing is said.
        """
        ill = ""
        for k, i in enumerate(self.numbers):

            def value(step: float, i: int = i) -> float:
                return float(self.plain.run(self.at(step, [i])).value)

            try:
                slopes = [(value(h) - value(-h)) / (2 * h) for h in STEPS]
                slope = slopes[1]
                scale = max(1.0, abs(slope), abs(float(self.ran.value)))
                found = along(self.gradients[k], self.directions[k])
                if not np.isfinite(slopes).all() or abs(slopes[0] - slope) > 2 * TOLERANCE * scale:
                    ill = f"argument {i}: differences {slopes}"
                    continue
                if abs(found - slope) <= (2e-3 if self.single else TOLERANCE) * scale:
                    continue
                if self.single and self.is_right_in_double(k, slope, scale):
                    ill = f"argument {i}: lost in the rounding of float32"
                    continue
                if self.single and abs(value(0.0) - float(self.ran.value)) > 1e-3 * scale:
                    # As where `case float():` takes a float64 and no float32.
                    ill = f"argument {i}: the program does something else in double precision"
                    continue
                lost = self.lost(k, found, slope, scale)
                if lost:
                    ill = f"argument {i}: {lost}"
                    continue
                h = 1e-6
                middle, left, right = value(0.0), value(-h), value(h)
            except Exception as error:
                ill = f"argument {i}: {type(error).__name__}"
                continue
            sides = (middle - left) / h, (right - middle) / h
            error = abs(found - slope)
            if abs(sides[0] - sides[1]) > 0.2 * error or abs(sides[0] - slope) > 0.2 * error:
                ill = f"argument {i}: one-sided differences {sides}"
                continue
            raise Failed(
                WRONG,
                f"gradient: by argument {i}, {found!r} in a direction where finite differences "
                f"give {slope!r}; gradient {self.gradients[k]!r}, direction "
                f"{self.directions[k]!r}",
            )
        return ill

    def lost(self, k: int, found: float, slope: float, scale: float) -> str:
        """Why values tell nothing of a gradient; nothing if they do.

        Where an intermediate value is infinite or nan, 0 * inf is no number. Where all are finite,
        as in the root of 0, the gradient is what the rules say. A huge gradient that is not seen in
        values, and that is another one a step away, is that of huge terms which cancel. So is one
        that is as far off when arguments move by a few roundings.
        """
        if not np.isfinite(found):
            flaws = self.plain.flaws(self.at(0.0, []))
            if "overflow" in flaws or np.isnan(found) and flaws:
                return "an intermediate value is not finite"
        else:
            near = 0.1 * abs(found - slope)
            steps = [(1e-15, near), (-1e-15, near)]
            if abs(found) > 1e6 * scale:
                steps += [(step, 0.2 * abs(found)) for step in (STEPS[1], -STEPS[1])]
            for step, most in steps:
                _, gradients = self.run(self.gradient, self.at(step, [self.numbers[k]])).value
                if not abs(along(gradients[k], self.directions[k]) - found) <= most:
                    return "huge terms cancel"
        return ""

    def is_right_in_double(self, k: int, slope: float, scale: float) -> bool:
        """Whether the gradient agrees with differences for arguments of double precision."""
        _, gradients = self.run(self.gradient, self.at(0.0, [])).value
        return abs(along(gradients[k], self.directions[k]) - slope) <= TOLERANCE * scale

    # -- second derivatives ---------------------------------------------------------------

    def second(self, way: str) -> None:
        """The derivative of the gradient along the direction, against its differences.

        They are not the same where `stop_gradient` makes a constant of what varies.
        """
        ends = [self.slopes(h) for h in STEPS]
        if ends[0] is None or ends[1] is None:
            return
        scale = max(1.0, float(np.max(np.abs(ends[1]))))
        if not np.isfinite(ends).all() or np.max(np.abs(ends[0] - ends[1])) > 1e-4 * scale:
            return
        found = self.along_each(self.curvature(way))
        wrong = np.max(np.abs(found - ends[1]))
        if wrong > SECOND_TOLERANCE * scale and not self.has_bent_gradient(0.2 * wrong):
            detail = f"{found!r}, differences of the gradient give {ends[1]!r}"
            raise Failed(WRONG, f"second ({way}): {detail}")

    def has_bent_gradient(self, error: float) -> bool:
        """Whether the gradient has other slopes to the left and to the right."""
        h = 1e-5
        ends = [self.run(self.gradient, self.at(s, self.numbers)).value[1] for s in (-h, 0.0, h)]
        left, middle, right = map(self.along_each, ends)
        return bool(np.max(np.abs(right - 2 * middle + left)) / h > error)

    def slopes(self, h: float) -> np.ndarray | None:
        """The difference quotient of the gradient, along the direction of each argument."""
        try:
            gradients = [
                self.run(self.gradient, self.at(s, self.numbers)).value[1] for s in (h, -h)
            ]
        except Exception:
            return None  # a branch that fails is near
        return (self.along_each(gradients[0]) - self.along_each(gradients[1])) / (2 * h)

    def along_each(self, gradients: Any) -> np.ndarray:
        return np.array([along(g, d) for g, d in zip(gradients, self.directions, strict=True)])

    def curvature(self, way: str) -> Any:
        gradient = ad.grad(self.f, argnums=tuple(self.numbers))
        tangents = self.tangents()
        if way == "jvp of grad":
            return self.run(lambda *args: ad.jvp(gradient, args, tangents)[1], self.args).value
        if way == "grad of jvp":
            slope = lambda *args: ad.jvp(self.f, args, tangents)[1]
            parts = self.run(lambda *args: ad.vjp(slope, *args)[1](1.0), self.args).value
        else:
            seed = tuple(tangents[i] for i in self.numbers)
            parts = self.run(lambda *args: ad.vjp(gradient, *args)[1](seed), self.args).value
        return tuple(parts[i] for i in self.numbers)


def _crash_text(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = next(
        (f for f in reversed(frames) if "adjoint" in f.filename), frames[-1] if frames else None
    )
    where = ""
    if last is not None:
        name = last.filename.rsplit("/", 1)[-1]
        name = "generated code" if name.startswith("<adjoint") else name
        where = f" in {name}, {last.name}"
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return f"{type(error).__name__}: {error}{where}\n" + "".join(lines[-12:])


def _source_in(error: Exception) -> str:
    """The generated code that an exception went through."""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith("<adjoint of"):
            return "".join(linecache.getlines(frame.filename))
    return ""
