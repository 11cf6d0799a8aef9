"""Errors of our own are not for the user's handlers: they end the derivative.

An operation of rewritten code may fail because Python's own would, and `except` may count on it; or
because something is wrong here. The two are told apart where the error leaves us: Python's own
operation is carried out again, and has to fail in the same way. Refusals are noted where they are
made (operations.refuse).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import AdjointError
from .levels import outside, state
from .origins import is_rewritten

_OURS = str(Path(__file__).parents[1])


def examine(
    error: Exception, native: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Note an error of native(*args, **kwargs), if it is ours, as what ends the derivative."""
    levels = [level for level in state.levels if level.failure is None]
    if not levels or isinstance(error, (AdjointError, RecursionError, MemoryError)):
        return
    if not _is_raised_here(error.__traceback__):
        return
    try:
        with outside(state.levels[0]):
            native(*args, **kwargs)
    except Exception as expected:
        if type(expected) is type(error):
            return
    for level in levels:
        level.failure = error


def _is_raised_here(trace: TracebackType | None) -> bool:
    """Whether the innermost frame is one of ours, with none of the user's above it."""
    filename = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if is_rewritten(code):
            return False
        filename, trace = code.co_filename, trace.tb_next
    return filename.startswith(_OURS)


def bounded(operation: Callable[..., Any], native: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that rewritten code calls; `native` is Python's own."""

    @functools.wraps(operation)
    def bound(*args: Any) -> Any:
        try:
            return operation(*args)
        except Exception as error:
            examine(error, native, args[: _COUNTS.get(operation.__name__)], {})
            raise

    return bound


_COUNTS = {"iterate": 1, "unpack": 1}  # how many operands are Python's
