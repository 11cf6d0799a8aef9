"""The tangent of a single operation whose rule depends on types known only at run time."""

from __future__ import annotations

from typing import Any

from .generic import fit_tangent, is_differentiable
from .pull import Place, find


def push(
    fn: Any,
    operands: tuple[Any, ...],
    places: tuple[Place, ...],
    tangents: tuple[Any, ...],
    keywords: Any,
) -> Any:
    """The tangent of `fn(*operands, **keywords)`, where the operands at `places` move.

    Zeros for a result that does not move.
    """
    given: dict[Place, Any] = dict(enumerate(operands)) | (keywords or {})
    moving = dict(zip(places, tangents, strict=True))
    wrt = tuple(p for p in places if moving[p] is not None and _moves(given[p]))
    if not wrt:
        return fit_tangent(None, fn(*operands, **(keywords or {})))
    compiled = find(fn, given, wrt, "jvp")
    value, tangent = compiled.run(*given.values(), *(moving[p] for p in wrt))
    return fit_tangent(tangent, value)


def _moves(x: Any) -> bool:
    """Whether a tangent of this value counts; an int has one of zeros."""
    return is_differentiable(x) and type(x) is not int
