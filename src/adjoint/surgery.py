"""Gradient surgery: what a user does to a cotangent at a point of the function.

`register_hook` calls a function with it; `insert_grad_of` puts statements into the backward sweep.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


def register_hook(x: T, hook: Callable[[Any], Any]) -> T:
    """The same value, whose cotangent goes through `hook` on its way backwards.

    hook: called with the cotangent that has come together for the result of this call; what it
        returns takes its place, None leaves it as it is. So it may print, log, clip or replace.

    The hook acts on what uses the *result*: write `x = ad.register_hook(x, hook)`. It is not called
    outside of derivatives, nor in forward mode, where there are no cotangents; tangents pass as
    they are. In PyTorch, this is `x.register_hook(hook)`.

    >>> import adjoint as ad
    >>> def f(x):
    ...     y = ad.register_hook(x * x, lambda d_y: 10 * d_y)
    ...     return 3 * y
    >>> ad.grad(f)(1.0), f(1.0)
    (60.0, 3.0)
    """
    return x


class insert_grad_of:
    """Statements that are put into the backward sweep at this point.

    `with ad.insert_grad_of(x) as d_x:` gives the variable's cotangent a name for the statements of
    the block. They may print it, log it or assign to it; what `d_x` is at the end goes on
    backwards. They see the values that variables have at this point. Only the uses of `x` after
    this point have contributed to `d_x` by then.

    Nothing of the block runs when the function is simply called, nor in forward mode.

    >>> import numpy as np
    >>> import adjoint as ad
    >>> def f(x):
    ...     y = x * x
    ...     with ad.insert_grad_of(y) as d_y:
    ...         d_y = np.clip(d_y, -1.0, 1.0)
    ...     return 3 * y
    >>> ad.grad(f)(2.0), f(2.0)
    (4.0, 12.0)
    """

    def __init__(self, x: Any) -> None:
        self._trace: Any = None

    def __enter__(self) -> None:
        """Skip the block: a trace function raises at the first instruction of it."""
        frame = sys._getframe(1)
        self._trace = sys.gettrace(), frame.f_trace, frame.f_trace_opcodes
        frame.f_trace, frame.f_trace_opcodes = _skip, True
        sys.settrace(_no_trace)

    def __exit__(
        self, kind: type | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        frame = sys._getframe(1)
        outer, frame.f_trace, frame.f_trace_opcodes = self._trace
        sys.settrace(outer)
        return kind is _Skipped


class _Skipped(BaseException):
    """Leaves the block of `insert_grad_of`."""


def _skip(frame: FrameType, event: str, argument: Any) -> Any:
    raise _Skipped


def _no_trace(frame: FrameType, event: str, argument: Any) -> Any:
    return None
