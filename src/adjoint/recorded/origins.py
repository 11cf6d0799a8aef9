"""Where in the user's file the operation stands that is being carried out."""

from __future__ import annotations

import itertools
import sys
from types import CodeType, FrameType
from typing import Any

from ..errors import AliasingError, NoDerivativeError, Origin, UnsupportedSyntaxError

_rewritten: dict[int, CodeType] = {}  # by identity: equal code may come from the user as well


def remember(code: CodeType) -> None:
    """Note that this code, and the code of the functions inside it, is rewritten."""
    _rewritten[id(code)] = code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            remember(part)


def forget(code: CodeType) -> None:
    _rewritten.pop(id(code), None)
    for part in code.co_consts:
        if isinstance(part, CodeType):
            forget(part)


def is_rewritten(code: Any) -> bool:
    return id(code) in _rewritten


def here() -> Origin | None:
    """The place in the innermost rewritten function that is running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_rewritten(frame.f_code):
        frame = frame.f_back
    return None if frame is None else _origin(frame.f_code, frame.f_lasti, frame.f_lineno)


def _origin(code: CodeType, instruction: int, line: int) -> Origin:
    start, end = 0, 0
    if hasattr(code, "co_positions"):  # from Python 3.11
        places = itertools.islice(code.co_positions(), instruction // 2, None)
        first, last, col, end_col = next(places, (None, None, None, None))
        if None not in (first, last, col, end_col):
            line, start = first, col  # type: ignore[assignment]
            end = end_col if first == last else 0  # type: ignore[assignment]
    return Origin(code.co_filename, line, start or 0, end or 0, code.co_name)


def aliasing(what: str, advice: str) -> AliasingError:
    return AliasingError(what, here(), advice)


def unsupported(what: str, advice: str) -> UnsupportedSyntaxError:
    return UnsupportedSyntaxError(what, here(), advice)


def no_derivative(what: str, advice: str) -> NoDerivativeError:
    return NoDerivativeError(what, here(), advice)
