"""Exceptions in generated code, told in the user's lines.

The traceback gets a frame of the user's own file above the generated one, at the line that the
failing statement came from.
"""

from __future__ import annotations

import ast
import itertools
import types
from typing import TYPE_CHECKING

from .errors import AnomalyError, Origin

if TYPE_CHECKING:
    from .emit import Emitted


def retell(error: BaseException, filename: str, emitted: Emitted) -> None:
    """Put the user's lines into the traceback of an error that generated code has raised."""
    tb = error.__traceback__
    while tb is not None:
        rest = tb.tb_next
        if tb.tb_frame.f_code.co_filename == filename:
            origin = _origin_of(tb, emitted)
            if origin is not None and not origin.filename.startswith("<adjoint"):
                tb.tb_next = _told(origin, rest)
                if isinstance(error, AnomalyError):
                    error.locate(origin)
        tb = rest


def _origin_of(tb: types.TracebackType, emitted: Emitted) -> Origin | None:
    """Where the expression that failed comes from, else its line, else the line before."""
    lines = emitted.text.splitlines()
    line = tb.tb_lineno
    first = line
    while first > 1 and lines[first - 1].strip() not in emitted.pieces:
        if first in emitted.origins:
            break
        first -= 1
    pieces = emitted.pieces.get(lines[first - 1].strip(), [])
    failed = _failed(tb, lines)
    for node, origin in pieces:
        if failed is not None and ast.dump(node) == failed:
            return origin
    if failed is None and len({origin.line for _, origin in pieces}) == 1:
        return pieces[-1][1]
    if line in emitted.origins:
        return emitted.origins[line]
    if pieces:
        return pieces[-1][1]
    return next((emitted.origins[n] for n in range(line, 0, -1) if n in emitted.origins), None)


def _failed(tb: types.TracebackType, lines: list[str]) -> str | None:
    """The expression that failed, as `ast.dump` shows it; None where Python does not tell."""
    code = tb.tb_frame.f_code
    if not hasattr(code, "co_positions"):
        return None
    place = next(itertools.islice(code.co_positions(), tb.tb_lasti // 2, None), None)
    if place is None or None in place:
        return None
    line, end_line, col, end_col = (n or 0 for n in place)
    text = [*lines[line - 1 : end_line]]
    text[-1] = text[-1].encode()[:end_col].decode()
    text[0] = text[0].encode()[col:].decode()
    try:
        return ast.dump(ast.parse(f"({' '.join(text)})", mode="eval").body)
    except SyntaxError:
        return None


def _told(origin: Origin, rest: types.TracebackType | None) -> types.TracebackType:
    """A traceback entry that stands at a place in the user's file, before `rest`."""
    end = max(origin.end_col, origin.col + 1)
    place = {
        "lineno": origin.line, "end_lineno": origin.line,
        "col_offset": origin.col, "end_col_offset": end,
    }  # fmt: skip
    error = ast.Name("ZeroDivisionError", ast.Load(), **place)
    module = ast.Module([ast.Raise(error, None, **place)], [])
    code = compile(module, origin.filename, "exec").replace(co_name=origin.function)
    try:
        exec(code, {})
    except ZeroDivisionError as made:
        assert made.__traceback__ is not None
        tb = made.__traceback__.tb_next
        assert tb is not None
        return types.TracebackType(rest, tb.tb_frame, tb.tb_lasti, origin.line)
    raise AssertionError("unreachable")
