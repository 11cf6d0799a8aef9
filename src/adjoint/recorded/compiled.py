"""The recorded form as what the compiler keeps for a signature, in place of compiled code."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

from ..compile import Compiled
from ..emit import Emitted
from ..errors import AdjointError, NoDerivativeError
from ..kept import reference
from ..request import Request
from . import run
from .operators import by_position, derivative
from .rewrite import text_of


def recorded_form(
    fn: Callable[..., Any],
    signature: inspect.Signature,
    request: Request,
    refusal: Exception | None,
) -> Compiled:
    """The derivative that is asked for, made as the function runs.

    `refusal` is why the compiler did not make it: told where the recorded form fails for the same
    reason, since the compiler knows the names.
    """
    if refusal is not None:
        refusal = refusal.with_traceback(None)  # it would keep what the compiler had at hand alive
    found = reference(fn)  # not to keep the function alive
    if request.mode == "vjp":
        made, backward = _vjp(found, signature, request)
    else:

        def made(*args: Any, **kwargs: Any) -> Any:
            return derivative(found(), signature, request)(*args, **kwargs)

        backward = made
    filename = f"<recorded form of {getattr(fn, '__name__', 'function')}>"
    return Compiled(
        _telling(made, refusal),
        Emitted(_text(fn), getattr(fn, "__name__", "function")),
        None,
        filename,
        _telling(backward, refusal),
        recorded=True,
        refusal=refusal,
    )


def _telling(made: Callable[..., Any], refusal: Exception | None) -> Callable[..., Any]:
    @functools.wraps(made)
    def telling(*args: Any, **kwargs: Any) -> Any:
        try:
            return made(*args, **kwargs)
        except AdjointError as error:
            if isinstance(refusal, NoDerivativeError) and isinstance(error, NoDerivativeError):
                if _line(refusal) == _line(error):
                    raise refusal from None
            raise

    return telling


def _line(error: AdjointError) -> Any:
    return error.origin and (error.origin.filename, error.origin.line)


def _text(fn: Any) -> str:
    inner = fn
    while isinstance(inner, (functools.partial, types.MethodType)):
        inner = inner.func if isinstance(inner, functools.partial) else inner.__func__
    if not isinstance(inner, types.FunctionType):
        inner = getattr(type(inner), "__call__", None)  # noqa: B004
    try:
        return text_of(inner) + "\n"
    except (AdjointError, AttributeError):
        return f"# {fn!r} has no Python source\n"


def _vjp(found: Callable[[], Any], signature: inspect.Signature, request: Request) -> Any:
    def forward(*values: Any) -> Any:
        return run.pullback(found(), by_position(signature, request.wrt, values), request.wrt)

    def backward(saved: Any, cotangent: Any) -> Any:
        found = saved(cotangent)
        return tuple(found[name] for name in request.wrt)

    return forward, backward
