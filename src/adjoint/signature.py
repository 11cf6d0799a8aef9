"""The key under which compiled code is kept: what of a value's type the code depends on.

Exact sizes are part of this key, since they are quick to read; code is shared between keys whose
sizes have the same pattern (`compile.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np


_ndarray = np.ndarray  # one look-up less, where every nanosecond of a call shows


def signature_of(value: Any) -> Any:
    """A hashable description of a value's type. Flags, texts and functions count by value."""
    cls = value.__class__
    if cls is _ndarray:
        return value.dtype, value.shape
    if cls in _BY_CLASS:
        return cls
    if cls is dict:
        signatures = [
            (v.dtype, v.shape) if v.__class__ is _ndarray else signature_of(v)
            for v in value.values()
        ]
        return (dict, *value, *signatures)
    if cls is list or cls is tuple:
        return (cls, *[signature_of(v) for v in value])
    if cls is bool:
        return bool, value
    if value is None or cls is str or isinstance(value, type):
        return value
    if isinstance(value, np.generic):
        return cls
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return cls, value.dtype, tuple(value.shape)
    if isinstance(value, tuple):
        return (cls, *[signature_of(v) for v in value])
    if callable(value):
        return value
    return cls


_BY_CLASS = frozenset({int, float, complex, range, slice, bytes})


@functools.cache
def key_function(arity: int) -> Callable[..., Any]:
    """A function of `arity` arguments that gives the tuple of their signatures, unrolled."""
    names = [f"a{i}" for i in range(arity)]
    parts = [
        f"({n}.dtype, {n}.shape) if {n}.__class__ is _ndarray else "
        f"float if {n}.__class__ is float else signature_of({n})"
        for n in names
    ]
    text = f"lambda {', '.join(names)}: ({''.join(f'{p}, ' for p in parts)})"
    return eval(text, {"_ndarray": _ndarray, "signature_of": signature_of})
