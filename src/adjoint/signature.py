"""The key under which compiled code is kept: what of a value's type the code depends on.

Exact sizes are part of this key, since they are quick to read; code is shared between keys whose
sizes have the same pattern (`compile.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np


def signature_of(value: Any) -> Any:
    """A hashable description of a value's type. Flags, texts and functions count by value."""
    cls = value.__class__
    if cls is np.ndarray:
        return value.dtype, value.shape
    if cls in _BY_CLASS:
        return cls
    if cls is bool or cls is str or value is None:
        return value if cls is not bool else (bool, value)
    if cls is dict:
        return (dict, *[(k, signature_of(v)) for k, v in value.items()])
    if cls is list or cls is tuple:
        return (cls, *[signature_of(v) for v in value])
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
