"""Every exception that `adjoint` raises, and the one function that prints a source location."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Origin:
    """Where a piece of code stands in the user's file: 1-based line, 0-based columns."""

    filename: str
    line: int
    col: int
    end_col: int
    function: str
    statement: int = 0  # the line on which the whole statement starts, if it is another

    @property
    def is_made_up(self) -> bool:
        """Whether it is no place in a file: that of a function without source, such as np.sum."""
        return self.filename.startswith("<") and not linecache.getline(self.filename, self.line)

    @property
    def text(self) -> str:
        """The first line of the statement, stripped; empty where the file cannot be read."""
        return linecache.getline(self.filename, self.statement or self.line).strip()


def show_location(origin: Origin) -> str:
    """The source line of `origin` with its number, and a caret line under the expression.

    >>> import linecache
    >>> linecache.cache["m.py"] = (9, None, ["y = f(x)\\n"], "m.py")
    >>> print(show_location(Origin("m.py", 1, 4, 8, "loss")))
        1 | y = f(x)
          |     ^^^^
    """
    raw = linecache.getline(origin.filename, origin.line).rstrip("\n")
    if not raw:
        return ""
    stripped = raw.lstrip()
    indent = len(raw) - len(stripped)
    start, end = (
        len(raw.encode()[:n].decode(errors="ignore")) for n in (origin.col, origin.end_col)
    )
    start, stop = max(start - indent, 0), end - indent if end > start else len(stripped)
    carets = "^" * max(min(stop, len(stripped)) - start, 1)
    number = str(origin.line)
    gutter = " " * len(number)
    return f"    {number} | {stripped}\n    {gutter} | {' ' * start}{carets}"


class AdjointError(Exception):
    """Base of all errors of this package.

    The message says where in the user's file, what was met, and what to do instead.
    """

    def __init__(self, what: str, origin: Origin | None = None, advice: str = "") -> None:
        self.what = what
        self.origin = origin
        self.advice = advice
        super().__init__(self._message())

    def _message(self) -> str:
        lines = [self.what]
        if self.origin is not None:
            where = f"in {self.origin.function}"
            if not self.origin.is_made_up:
                where = f"{self.origin.filename}:{self.origin.line}, {where}"
            lines = [f"{where}: {self.what}"]
            location = show_location(self.origin)
            if location:
                lines.append(location)
        if self.advice:
            lines.append("    " + self.advice.replace("\n", "\n    "))
        return "\n".join(lines)


class UnsupportedSyntaxError(AdjointError):
    """A construct of Python that the compiler does not differentiate."""


class NoDerivativeError(AdjointError):
    """A function without a derivative rule lies on the path from the arguments to the result."""


class SourceUnavailableError(AdjointError):
    """The source of a function cannot be read, and no rule covers the function itself."""


class RuleError(AdjointError, ValueError):
    """A derivative rule is malformed, or gives something that is no derivative of its function."""


class AliasingError(UnsupportedSyntaxError):
    """An array is read after it may have been changed through another name."""

    root: Any = None  # the variable of the core that is read


class ArgumentError(AdjointError, TypeError):
    """The operator was called with arguments that it cannot differentiate by."""


class OutputError(AdjointError, TypeError):
    """The function's result cannot be differentiated: not a single real number, for example."""


class CotangentError(AdjointError, ValueError):
    """A cotangent or tangent does not have the structure, shape or dtype of its value."""


class AnomalyError(AdjointError, FloatingPointError):
    """In `detect_anomaly`, a value is nan; or infinite, if that is checked as well."""

    def locate(self, origin: Origin | None) -> None:
        """Say where in the user's file it is."""
        self.origin = origin
        self.args = (self._message(),)
