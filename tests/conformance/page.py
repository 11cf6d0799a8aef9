"""docs/language.md, written from the rows."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .table import NO_EFFECT, REFUSED, SUPPORTED, Row

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "language.md"

CATEGORIES = (
    "Names and assignment",
    "Branches",
    "Loops",
    "Patterns",
    "Returns, exceptions and contexts",
    "Comprehensions",
    "Generators",
    "Expressions",
    "Functions",
    "Classes and objects",
    "Lists, tuples and dicts",
    "Mutation and aliasing of arrays",
    "Conversions",
    "Sources of functions",
    "Live bindings",
    "Derivatives inside a function",
    "Effects and the world outside",
)

HEAD = """\
# The language

What you may write in a function that is differentiated. [tour.md](tour.md) shows it by examples;
this page is the complete list: {total} constructs of Python and NumPy, each with the program that
proves it. It is written by `python -m tests.conformance --write` from the rows in
[tests/conformance](../tests/conformance), and the tests check every row:

- **supported**: the value, the effects on the arguments and what is printed are those of the
  function itself; the gradient agrees with central differences; forward mode agrees with the
  gradient; and the gradient of the gradient, forward mode over it, and the gradient of forward mode
  agree with differences of the gradient.
- **no effect**: the same is checked. The construct runs and adds nothing to the derivative.
- **refused**: an error that names the line and says what to write instead.

| | Rows |
| --- | --- |
{counts}

"""


def text_of(rows: list[Row]) -> str:
    """The page.

    A row of the table links the line of its program.
    """
    unknown = {row.category for row in rows} - set(CATEGORIES)
    assert not unknown, f"no place on the page for {unknown}"
    counts = "\n".join(
        f"| {status} | {sum(row.status == status for row in rows)} |"
        for status in (SUPPORTED, NO_EFFECT, REFUSED)
    )
    parts = [HEAD.format(total=len(rows), counts=counts)]
    for name in CATEGORIES:
        parts.append(section(name, [row for row in rows if row.category == name]))
    return "\n".join(parts).rstrip() + "\n"


def section(name: str, rows: Iterable[Row]) -> str:
    lines = [f"## {name}", "", "| Construct | | Program |", "| --- | --- | --- |"]
    return "\n".join([*lines, *map(line_of, rows), ""])


def line_of(row: Row) -> str:
    status = row.status
    if row.status == REFUSED:
        status = f"refused: write {row.instead}"
    if row.first_only:
        status = f"{status}; of second derivatives: {row.first_only}"
    path = Path(os.path.relpath(row.file, PAGE.parent)).as_posix()
    label = row.name if row.name.isidentifier() else row.file.stem
    return f"| {escape(row.construct)} | {escape(status)} | [{label}]({path}#L{row.line}) |"


def escape(text: str) -> str:
    return text.replace("|", "\\|")
