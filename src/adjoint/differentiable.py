"""Which types and values a derivative can be taken by."""

from __future__ import annotations

from typing import Any

from .errors import ArgumentError, Origin
from .runtime.generic import is_differentiable
from .runtime.shared_parts import Circular, ties
from .runtime.structs import is_struct
from .types import Array, Scalar, Type, is_container


def check_type(t: Type, name: str, origin: Origin | None = None) -> None:
    """Refuse an argument that no derivative can be taken by."""
    problem = _problem(t)
    if problem is not None:
        raise ArgumentError(
            f"the argument `{name}` is {problem}, and cannot be differentiated by",
            origin,
            "Give a float, an array of floats, or a list, tuple or dict of those"
            + ("; convert it with x.astype(float)." if "dtype" in problem else "."),
        )


def check_parts(value: Any) -> None:
    """Refuse an object that is a part of itself."""
    if isinstance(value, (list, tuple)):
        for part in value:
            check_parts(part)
    elif isinstance(value, dict):
        check_parts(list(value.values()))
    elif is_struct(value.__class__):
        try:
            ties(value)
        except Circular as error:
            raise ArgumentError(
                f"the object of class {type(value).__name__} is a part of itself: its part "
                f"`{error}` is one that it is in", None, "Let parts not refer to their owner.",
            ) from None  # fmt: skip


def _integers_in(t: Type) -> Any:
    """The dtype of an array of integers in a container; None where there is none."""
    if isinstance(t, Array):
        return t.element if t.element.kind in "iu" else None
    parts = t.items or () if is_container(t) else ()  # type: ignore[attr-defined]
    return next((d for d in map(_integers_in, parts) if d is not None), None)


def _problem(t: Type) -> str | None:
    if isinstance(t, Array):
        return None if t.element.kind in "fc" else f"an array of dtype {t.element}"
    if isinstance(t, Scalar):
        return None if t.kind in ("float", "complex") else f"a {t.kind}"
    if is_container(t):
        held = _integers_in(t)
        return None if held is None else f"a container that holds an array of dtype {held}"
    cls = getattr(t, "cls", None)
    return "None" if cls is type(None) else f"a {getattr(cls, '__name__', t)}"


def is_exact(value: Any) -> bool:
    """Whether a value holds Python ints, and no other number."""
    if isinstance(value, dict):
        return all(map(is_exact, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_exact, value))
    if is_struct(value.__class__):
        return False
    return type(value) is int or not is_differentiable(value)
