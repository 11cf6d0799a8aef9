"""A contribution in the shape, dtype and kind of number of what it is a derivative of.

Plain functions: where a derivative is differentiated again, they are noted like any others.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def fit_number(d: Any, dtype: Any, is_complex: bool) -> Any:
    """A contribution to a number: summed over what it was broadcast to, real where it is real."""
    if np.ndim(d) > 0:
        d = np.sum(d)
    if not is_complex and np.iscomplexobj(d):
        d = np.real(d)
    if dtype is not None:
        return dtype.type(d)
    return complex(d) if is_complex else float(d)


def fit_array(d: Any, shape: tuple[int, ...], is_complex: bool) -> Any:
    """A contribution to an array, summed over the axes along which the array was broadcast."""
    if np.shape(d) != shape and np.ndim(d) > 0:
        lead = np.ndim(d) - len(shape)
        if lead > 0:
            d = np.sum(d, axis=tuple(range(lead)))
        missing = max(-lead, 0)
        sizes = np.shape(d)
        axes = tuple(i for i, n in enumerate(sizes) if n != 1 and shape[i + missing] == 1)
        if axes:
            d = np.sum(d, axis=axes, keepdims=True)
    if not is_complex and np.iscomplexobj(d):
        d = np.real(d)
    return d


def fit_sequence(d: Any, shape: tuple[int, ...]) -> Any:
    """A contribution to a list that NumPy took for an array of this shape."""
    d = fit_array(d, shape, True)
    return d if np.shape(d) == shape else np.broadcast_to(d, shape)


def kept_index(index: Any) -> Any:
    """An index that later changes of its arrays and lists leave as it is."""
    if isinstance(index, tuple):
        return tuple(kept_index(i) for i in index)
    return index.copy() if isinstance(index, (np.ndarray, list)) else index
