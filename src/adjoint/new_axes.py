"""Indices that insert axes, x[:, None], and those that take them out again, d[:, 0]."""

from __future__ import annotations

from typing import Any

from .core import Atom, Const

_WHOLE = slice(None)


def inserted_axes(index: Atom) -> list[int] | None:
    """The axes of x[index] that x has not; None where the index does anything else.

    >>> inserted_axes(Const((slice(None), None), None))
    [1]
    >>> inserted_axes(Const((0, None), None)) is None
    True
    """
    parts = _parts(index)
    if parts is None or None not in parts or any(p is not None and p != _WHOLE for p in parts):
        return None
    return [axis for axis, part in enumerate(parts) if part is None]


def taken_out(index: Atom) -> list[int] | None:
    """The axes that x[index] reads the first element of, and the others whole.

    >>> taken_out(Const((slice(None), 0), None))
    [1]
    """
    parts = _parts(index)
    if parts is None or any(p != _WHOLE and (type(p) is not int or p) for p in parts):
        return None
    return [axis for axis, part in enumerate(parts) if part != _WHOLE]


def without(axes: list[int]) -> Any:
    """The index that takes these axes out.

    >>> without([1])
    (slice(None, None, None), 0)
    """
    parts = [0 if axis in axes else _WHOLE for axis in range(max(axes) + 1)]
    return tuple(parts) if len(parts) > 1 else parts[0]


def _parts(index: Atom) -> tuple[Any, ...] | None:
    if not isinstance(index, Const):
        return None
    return index.value if isinstance(index.value, tuple) else (index.value,)
