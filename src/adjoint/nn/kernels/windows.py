"""The arithmetic of windows that slide over images: how many there are, and what each covers.

A window of `kernel` elements, `dilation` apart, begins at -padding, -padding + stride, and so on,
as long as it ends within the padded image: Dumoulin and Visin, "A guide to convolution arithmetic
for deep learning" (2016), sections 2 and 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Pair = tuple[int, int]


def pair(value: Any, name: str, function: str) -> Pair:
    """An int, or two for the two axes of an image, as two."""
    if isinstance(value, (tuple, list)):
        if len(value) == 2 and all(map(_is_int, value)):
            return int(value[0]), int(value[1])
    elif _is_int(value):
        return int(value), int(value)
    raise ValueError(f"{function}: {name} is an int or two, not {value!r}")


def _is_int(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


@dataclass(frozen=True)
class Windows:
    """Windows along both axes of an image.

    kernel, stride, dilation    as in convolution
    before, after               rows and columns of padding on either side
    """

    kernel: Pair
    stride: Pair
    dilation: Pair
    before: Pair
    after: Pair

    def count(self, size: Pair) -> Pair:
        """How many windows there are in an image of this size; none is 0 or less."""
        (a, b), (c, d) = self.extent, size
        rows = (c + self.before[0] + self.after[0] - a) // self.stride[0] + 1
        return rows, (d + self.before[1] + self.after[1] - b) // self.stride[1] + 1

    @property
    def extent(self) -> Pair:
        """How many rows and columns a window spans."""
        (a, b), (c, d) = self.kernel, self.dilation
        return (a - 1) * c + 1, (b - 1) * d + 1

    @property
    def padded(self) -> bool:
        return any((*self.before, *self.after))

    def apart(self) -> bool:
        """Whether no element of an image is in two windows."""
        return all(s >= e for s, e in zip(self.stride, self.extent))

    def cover(self, size: Pair) -> bool:
        """Whether each element of an image of this size is in exactly one window."""
        fits = [k == s and n % s == 0 for k, s, n in zip(self.kernel, self.stride, size)]
        return all(fits) and self.apart() and not self.padded

    def positions(self) -> list[Pair]:
        """The places in a window, row by row."""
        return [(i, j) for i in range(self.kernel[0]) for j in range(self.kernel[1])]

    def seen(self, position: Pair, size: Pair) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Which windows have an element of the image at a position, and these elements.

        Slices of the array of windows, and slices of the image. What is padding is in neither.
        """
        found = [
            _seen(position[axis], axis, self, size[axis], n)
            for axis, n in enumerate(self.count(size))
        ]
        (windows_i, image_i), (windows_j, image_j) = found
        return (windows_i, windows_j), (image_i, image_j)


def _seen(position: int, axis: int, windows: Windows, size: int, count: int) -> tuple[slice, slice]:
    stride = windows.stride[axis]
    # window i has the element i * stride + offset of the image there
    offset = position * windows.dilation[axis] - windows.before[axis]
    first = max(0, -(offset // stride))
    last = min(count, (size - 1 - offset) // stride + 1)
    if last <= first:
        return slice(0, 0), slice(0, 0)
    return slice(first, last), slice(
        first * stride + offset, (last - 1) * stride + offset + 1, stride
    )
