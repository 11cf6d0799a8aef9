"""Exceptions in generated code, told in the user's lines.

The traceback gets a frame of the user's own file above the generated one, at the line that the
failing statement came from.
"""

from __future__ import annotations

import ast
import types

from .errors import Origin


def retell(error: BaseException, filename: str, origins: dict[int, Origin]) -> None:
    """Put the user's line into the traceback of an error that generated code has raised."""
    tb = error.__traceback__
    while tb is not None:
        rest = tb.tb_next
        if tb.tb_frame.f_code.co_filename == filename:
            origin = _origin_at(origins, tb.tb_lineno)
            if origin is not None and not origin.filename.startswith("<adjoint"):
                tb.tb_next = _told(origin, rest)
        tb = rest


def _origin_at(origins: dict[int, Origin], line: int) -> Origin | None:
    while line > 0:
        if line in origins:
            return origins[line]
        line -= 1
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
