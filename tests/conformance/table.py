"""The rows of the conformance table: how a program says which construct of Python it proves.

    row = category("Loops")

    @row("`for` over a `range`", array(3))
    def sum_of_squares(x):
        total = 0.0
        for i in range(3):
            total += x[i] ** 2
        return total

A program is a natural, short function of a number or an array to a number. What follows the name
of the construct are its arguments, as in `support.programs`: `array(2, 3)` is drawn at random, the
same on every run; anything else is a value. A class of the arguments is given as a function
without arguments that makes one: `made(Model, 2.0)`.
"""

from __future__ import annotations

import copy
import itertools
import linecache
import sys
import textwrap
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from support.programs import is_differentiable, realise

import adjoint as ad

SUPPORTED, REFUSED, NO_EFFECT = "supported", "refused", "no effect"
STATUSES = (SUPPORTED, REFUSED, NO_EFFECT)


@dataclass(frozen=True)
class Made:
    """An argument of a class of the user: made anew for each run."""

    make: Callable[..., Any]
    args: tuple[Any, ...]


def made(make: Callable[..., Any], *args: Any) -> Made:
    return Made(make, args)


@dataclass(frozen=True)
class Row:
    category: str
    construct: str
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    wrt: tuple[int, ...]
    status: str
    file: Path
    line: int
    # Why second derivatives are not checked; empty where they are.
    first_only: str = ""
    # Changes of what lives outside the function; it is checked before and after each.
    changes: tuple[Callable[[], None], ...] = ()
    # What undoes the changes, and what a run does to the world outside.
    reset: Callable[[], None] | None = None
    # Of a refused program: the error, a part of its text, and what to write instead.
    error: type[ad.AdjointError] = ad.AdjointError
    says: str = ""
    instead: str = ""
    # Whether the error can name a line: it cannot where the function itself or an argument is
    # what is wrong.
    names_line: bool = True
    # The modes that refuse it: forward mode accepts any result, and tangents of None.
    modes: tuple[str, ...] = ("reverse", "forward")

    @property
    def name(self) -> str:
        return getattr(self.fn, "__name__", type(self.fn).__name__)

    def __str__(self) -> str:
        return f"{self.file.stem}:{self.name}"

    def arguments(self) -> list[Any]:
        """The arguments, made anew at each call."""
        rng = np.random.default_rng(zlib.crc32(str(self).encode()))
        return [
            a.make(*copy.deepcopy(a.args))
            if isinstance(a, Made)
            else copy.deepcopy(realise(a, rng))
            for a in self.args
        ]


ROWS: list[Row] = []


class Category:
    """Adds rows to the table, under one heading."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(
        self, construct: str, *args: Any, status: str = SUPPORTED, **options: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator: the function is the program that proves the row."""
        caller = sys._getframe(1)
        file, line = Path(caller.f_code.co_filename), caller.f_lineno

        def add(fn: Callable[..., Any]) -> Callable[..., Any]:
            self._add(construct, fn, args, status, file, line, options)
            return fn

        return add

    def no_effect(self, construct: str, *args: Any, **options: Any) -> Any:
        """As a call, of what runs and does not change derivatives."""
        caller = sys._getframe(1)
        file, line = Path(caller.f_code.co_filename), caller.f_lineno

        def add(fn: Callable[..., Any]) -> Callable[..., Any]:
            self._add(construct, fn, args, NO_EFFECT, file, line, options)
            return fn

        return add

    def refused(self, construct: str, *args: Any, says: str, instead: str, **options: Any) -> Any:
        """As a call, of what is refused: what the error says, and what to write instead."""
        caller = sys._getframe(1)
        file, line = Path(caller.f_code.co_filename), caller.f_lineno
        options |= {"says": says, "instead": instead}

        def add(fn: Callable[..., Any]) -> Callable[..., Any]:
            self._add(construct, fn, args, REFUSED, file, line, options)
            return fn

        return add

    def of(self, construct: str, fn: Callable[..., Any], *args: Any, **options: Any) -> None:
        """A row for a function that is not written here: a builtin, a lambda, a bound method."""
        caller = sys._getframe(1)
        status = options.pop("status", SUPPORTED)
        file, line = Path(caller.f_code.co_filename), caller.f_lineno
        self._add(construct, fn, args, status, file, line, options)

    def text(
        self,
        construct: str,
        text: str,
        *args: Any,
        since: tuple[int, int] = (3, 10),
        space: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """A row for a function `f` given as text: syntax that older Pythons do not have."""
        if sys.version_info < since:
            return
        caller = sys._getframe(1)
        status = options.pop("status", SUPPORTED)
        file, line = Path(caller.f_code.co_filename), caller.f_lineno
        found = in_a_file_of_its_own(text, space)
        self._add(construct, found["f"], args, status, file, line, options)

    def _add(
        self,
        construct: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        status: str,
        file: Path,
        line: int,
        options: dict[str, Any],
    ) -> None:
        assert status in STATUSES, status
        wrt = options.pop("wrt", None)
        if wrt is None:
            wrt = tuple(i for i, a in enumerate(args) if is_differentiable(a))
        # Rows of a module that is imported under a second name are the same rows.
        key = file, line, construct
        if key not in {(r.file, r.line, r.construct) for r in ROWS}:
            ROWS.append(Row(self.name, construct, fn, args, wrt, status, file, line, **options))


category = Category

_numbers = itertools.count(1)


def in_a_file_of_its_own(text: str, space: dict[str, Any] | None = None) -> dict[str, Any]:
    """The names that a text defines; its source can be read, as that of a notebook's cell."""
    name = f"<program {next(_numbers)}>"
    text = textwrap.dedent(text).lstrip("\n")
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    found = {"np": np, "ad": ad, "__name__": "program", **(space or {})}
    exec(compile(text, name, "exec"), found)
    return found
