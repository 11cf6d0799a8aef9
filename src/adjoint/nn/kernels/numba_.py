"""The kernels for NumPy arrays where Numba is installed: what is not a product of matrices.

A pooling in one pass over what is in the cache, and the transposes of a convolution at the elements
that a pooling has picked. Of windows of two by two only one element in four has a cotangent, so
that sums of a quarter of the rows are less work than the products of all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import compiled, numpy_, products, threads
from .arrays import asarray_like, empty_pool
from .numba_cells import lstm_cell, lstm_cell_backward
from .numba_sequences import lstm_steps, lstm_steps_backward
from .numpy_ import (
    convolve,
    convolve_input,
    convolve_picked,
    convolve_weight,
    in_blocks,
    pick,
    spread,
    window_sums,
)
from .windows import Windows

__all__ = [
    "asarray_like", "convolve", "convolve_input", "convolve_picked", "convolve_picked_input",
    "convolve_picked_weight", "convolve_pool", "convolve_weight", "lstm_cell",
    "lstm_cell_backward", "lstm_steps", "lstm_steps_backward", "max_pool", "pick", "put", "spread",
    "window_sums",
]  # fmt: skip

SHORTEST = 32  # elements in a row of a window below which sums of rows are slow
WORTHWHILE = 1 << 15  # elements below which threads cost more than they save


def max_pool(x: Any, windows: Windows) -> tuple[Any, Any]:
    if not _is_two_by_two(windows):
        return numpy_.max_pool(x, windows)
    out, positions = empty_pool(x, windows)
    in_blocks(x, lambda part: compiled.max_pool_two_by_two(x[part], out[part], positions[part]))
    return out, positions


def convolve_pool(
    x: Any, weight: Any, bias: Any, windows: Windows, groups: int, pooling: Windows
) -> tuple[Any, Any]:
    def pool(images: Any, bias: Any, out: Any, positions: Any) -> None:
        compiled.max_pool_two_by_two(images, out, positions)
        compiled.add_and_rectify(out, bias)

    if _is_two_by_two(pooling):
        if bias is None:
            bias = np.zeros(len(weight), weight.dtype)
        found = products.convolve_pool(x, weight, bias, windows, groups, pooling, pool)
        if found is not None:
            return found
    return numpy_.convolve_pool(x, weight, bias, windows, groups, pooling)


def put(d: Any, positions: Any, shape: Any, windows: Windows) -> Any:
    out = np.empty(shape, d.dtype)
    rows, columns = _places(positions, windows)

    def work(part: slice) -> None:
        compiled.put(
            d[part], positions[part], out[part], rows, columns, windows.stride, windows.before
        )

    in_blocks(out, work)
    return out


def convolve_picked_weight(
    x: Any,
    d: Any,
    positions: Any,
    shape: Any,
    windows: Windows,
    groups: int,
    pooling: Windows,
    size: Any,
) -> Any:
    if not _is_sparse(shape, windows, groups, pooling):
        whole = put(d, positions, size, pooling)
        return convolve_weight(x, whole, shape, windows, groups)
    filters, channels, down, across = shape
    layout = _Layout(x.shape, shape, windows, pooling, positions)

    def work(start: int, stop: int) -> Any:
        total = np.zeros(filters * down * across * channels, d.dtype)
        image = np.zeros(layout.elements, x.dtype)
        compiled.picked_weight(
            x[start:stop], d[start:stop], positions[start:stop], total, image, *layout.arguments
        )
        return total

    total = sum(threads.over(len(x), work, d.size > WORTHWHILE)).reshape(filters, down, across, -1)
    return np.ascontiguousarray(total.transpose(0, 3, 1, 2))


def convolve_picked_input(
    d: Any,
    positions: Any,
    weight: Any,
    shape: Any,
    windows: Windows,
    groups: int,
    pooling: Windows,
    size: Any,
) -> Any:
    if not _is_sparse(weight.shape, windows, groups, pooling):
        whole = put(d, positions, size, pooling)
        return convolve_input(whole, weight, shape, windows, groups)
    out = np.empty(shape, d.dtype)
    rows = np.ascontiguousarray(weight.transpose(0, 2, 3, 1)).reshape(-1)
    layout = _Layout(shape, weight.shape, windows, pooling, positions)

    def work(start: int, stop: int) -> None:
        part = slice(start, stop)
        image = np.empty(layout.elements, d.dtype)
        compiled.picked_input(d[part], positions[part], rows, out[part], image, *layout.arguments)

    threads.over(len(out), work, d.size > WORTHWHILE)
    return out


class _Layout:
    """Where in an image with the channels last and its padding the windows of a pooling see."""

    def __init__(
        self, x: Any, weight: Any, windows: Windows, pooling: Windows, positions: Any
    ) -> None:
        channels, down, across = weight[1:]
        high, wide = (n + b + a for n, b, a in zip(x[2:], windows.before, windows.after))
        row = wide * channels
        self.elements = high * row
        by_row, by_column = windows.stride[0] * row, windows.stride[1] * channels
        rows, columns = _places(positions, pooling)
        self.arguments = (
            windows.before,
            wide,
            rows * by_row + columns * by_column,
            pooling.stride[0] * by_row,
            pooling.stride[1] * by_column,
            across * channels,
            windows.dilation[0] * row,
        )


def _is_two_by_two(pooling: Windows) -> bool:
    return pooling.kernel == pooling.stride == (2, 2) and not pooling.padded


def _is_sparse(weight: Any, windows: Windows, groups: int, pooling: Windows) -> bool:
    """Whether few elements of a convolution are picked, and all that each sees are long rows."""
    few = pooling.apart() and pooling.kernel[0] * pooling.kernel[1] >= 4 and not pooling.padded
    return few and groups == windows.dilation[1] == 1 and weight[1] * weight[3] >= SHORTEST


def _places(positions: Any, pooling: Windows) -> tuple[Any, Any]:
    """The row and the column of each position in a window, if all are in it."""
    count = pooling.kernel[0] * pooling.kernel[1]
    if positions.size and not (0 <= positions.min() and positions.max() < count):
        raise ValueError(f"expected positions of 0 to {count - 1}; got {positions.max()}")
    rows, columns = np.divmod(np.arange(count), pooling.kernel[1])
    return rows, columns
