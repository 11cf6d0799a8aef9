"""Which memory an array lies in, and the same view of other memory.

Two arrays share memory if they have one owner: the array at the end of the chain of `base`. A
cotangent of memory is a flat array of the owner's size; the cotangent of any view of the owner is
then the view of it that starts at the same place and has the same shape and strides (the shadow
memory of Enzyme: Moses and Churavy, NeurIPS 2020, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..types import array_module


def owner_of(array: Any) -> Any:
    """The array that owns the memory of `array`; a foreign buffer has its last array as owner."""
    base = array.base
    while base is not None:
        if isinstance(base, np.ndarray) or array_module(type(base)) is not None:
            array = base
        # as_strided puts an object that is no array between a view and its base.
        base = getattr(base, "base", None)
    return array


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or array_module(type(value)) is not None


def pointer(array: Any) -> int:
    """The address of an array's first element."""
    if isinstance(array, np.ndarray):
        return array.__array_interface__["data"][0]
    return array.data.ptr


@dataclass(frozen=True)
class Geometry:
    """Where in its owner's memory a view lies."""

    offset: int  # in bytes
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in bytes

    def overlaps_itself(self, itemsize: int) -> bool:
        """Whether two elements may be one place in memory (broadcast or sliding views)."""
        reach = 0
        for stride, size in sorted((abs(s), n) for s, n in zip(self.strides, self.shape) if n > 1):
            if stride < reach + itemsize:
                return True
            reach += stride * (size - 1)
        return False


def geometry_of(array: Any, owner: Any) -> Geometry:
    return Geometry(pointer(array) - pointer(owner), array.shape, array.strides)


def view_of(flat: Any, geometry: Geometry) -> Any:
    """The view of flat memory that has this geometry.

    >>> owner = np.arange(6.0).reshape(2, 3)
    >>> view_of(np.arange(10.0, 16.0), geometry_of(owner[:, 1], owner))
    array([11., 14.])
    """
    if isinstance(flat, np.ndarray):
        return np.ndarray(geometry.shape, flat.dtype, flat, geometry.offset, geometry.strides)
    return type(flat)(
        geometry.shape, flat.dtype, flat.data + geometry.offset, strides=geometry.strides
    )


def element_indices(size: int, geometry: Geometry, itemsize: int) -> Any:
    """The position in flat memory of every element of a view."""
    flat = np.arange(size)
    scale = flat.itemsize / itemsize
    strides = tuple(int(s * scale) for s in geometry.strides)
    return np.lib.stride_tricks.as_strided(
        flat[geometry.offset // itemsize :], geometry.shape, strides
    )
