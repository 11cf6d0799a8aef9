"""Exceptions in generated code, told in the user's lines.

The traceback gets a frame of the user's own file above the generated one, at the line that the
failing statement came from.
"""

from __future__ import annotations

import types
from typing import Any

from .errors import Origin


def retell(error: BaseException, filename: str, origins: dict[int, Origin]) -> None:
    """Put the user's line into the traceback of an error that generated code has raised."""
    tb = error.__traceback__
    frames = []
    while tb is not None:
        frames.append(tb)
        tb = tb.tb_next
    for position, frame in enumerate(frames):
        if frame.tb_frame.f_code.co_filename != filename:
            continue
        origin = _origin_at(origins, frame.tb_lineno)
        if origin is None or origin.filename.startswith("<adjoint"):
            continue
        rest: Any = frame.tb_next
        made = types.TracebackType(rest, _frame_at(origin), 0, origin.line)
        frame.tb_next = made
        frames[position + 1 : position + 1] = []
    return


def _origin_at(origins: dict[int, Origin], line: int) -> Origin | None:
    while line > 0:
        if line in origins:
            return origins[line]
        line -= 1
    return None


def _frame_at(origin: Origin) -> types.FrameType:
    """A frame that claims to be at a line of the user's file."""
    name = origin.function if origin.function.isidentifier() else "lambda_"
    text = "\n" * max(origin.line - 1, 0) + "raise ZeroDivisionError"
    code = compile(text, origin.filename, "exec").replace(co_name=name)
    try:
        exec(code, {})
    except ZeroDivisionError as made:
        assert made.__traceback__ is not None and made.__traceback__.tb_next is not None
        return made.__traceback__.tb_next.tb_frame
    raise AssertionError("unreachable")
