"""Convolution and pooling in plain array code, for NumPy and for modules that work like it.

A convolution is a product of matrices: of the weights, and of the columns that have the elements of
all windows, one window a column: Chellapilla, Puri and Simard, "High performance convolutional
neural networks for document processing" (2006), section 3.1. The columns of a whole batch would be
kernel[0] * kernel[1] times as large as the batch, so they are made for a few images at a time, in
memory that the call owns and uses again: threads share nothing.

Images are arrays (N, C, H, W). Columns are (n, C * kernel[0] * kernel[1], windows).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...runtime.modules import module_of
from .cells import lstm_cell, lstm_cell_backward  # noqa: F401
from .sequences import lstm_steps, lstm_steps_backward  # noqa: F401
from .windows import Windows

# Bytes of columns that are made at a time: they are to stay in the cache of a core.
BLOCK = 1 << 20


def convolve(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """The convolution of images (N, C, H, W) with filters (O, C / groups, h, w)."""
    xp = module_of(x, weight)
    dtype = xp.result_type(x, weight) if bias is None else xp.result_type(x, weight, bias)
    n, filters = x.shape[0], weight.shape[0]
    rows, columns = windows.count(x.shape[2:])
    out = xp.empty((n, filters, rows, columns), dtype=dtype)
    matrix = weight.reshape(groups, filters // groups, -1).astype(dtype, copy=False)
    for part, block in _columns(xp, x, windows, groups, dtype):
        product = xp.matmul(matrix, block)
        out[part] = product.reshape(-1, filters, rows, columns)
        if bias is not None:
            out[part] += bias.reshape(-1, 1, 1)
    return out


def convolve_input(d: Any, weight: Any, shape: Any, windows: Windows, groups: int) -> Any:
    """What `convolve` is transposed to, by its images: images of `shape`."""
    xp = module_of(d, weight)
    dtype = xp.result_type(d, weight)
    n, filters = d.shape[:2]
    rows, columns = d.shape[2:]
    out = xp.zeros(shape, dtype=dtype)
    matrix = weight.reshape(groups, filters // groups, -1).astype(dtype, copy=False)
    transposed = xp.swapaxes(matrix, 1, 2)
    seen = _all_seen(windows, shape[2:])
    size = _block_of(xp, n, weight[0].size * groups * rows * columns, dtype)
    for start in range(0, n, size):
        part = d[start : start + size].reshape(-1, groups, filters // groups, rows * columns)
        block = xp.matmul(transposed, part).reshape(-1, shape[1], len(seen), rows, columns)
        images = out[start : start + size]
        for k, (which, elements) in enumerate(seen):
            images[(..., *elements)] += block[(slice(None), slice(None), k, *which)]
    return out


def convolve_weight(x: Any, d: Any, shape: Any, windows: Windows, groups: int) -> Any:
    """What `convolve` is transposed to, by its filters: filters of `shape`."""
    xp = module_of(x, d)
    dtype = xp.result_type(x, d)
    filters = shape[0]
    out = xp.zeros((groups, filters // groups, int(np.prod(shape[1:]))), dtype=dtype)
    for part, block in _columns(xp, x, windows, groups, dtype):
        of_block = d[part].reshape(-1, groups, filters // groups, block.shape[-1])
        for i in range(len(block)):
            out += xp.matmul(of_block[i], xp.swapaxes(block[i], 1, 2))
    return out.reshape(shape)


def _columns(
    xp: Any, x: Any, windows: Windows, groups: int, dtype: Any
) -> Iterator[tuple[slice, Any]]:
    """Some images at a time: which, and their columns (n, groups, rows of one group, windows)."""
    n, channels = x.shape[:2]
    rows, columns = windows.count(x.shape[2:])
    seen = _all_seen(windows, x.shape[2:])
    size = _block_of(xp, n, channels * len(seen) * rows * columns, dtype)
    # where a position meets the padding, nothing is written: it stays 0
    block = xp.zeros((size, channels, len(seen), rows, columns), dtype=dtype)
    for start in range(0, n, max(size, 1)):
        images = x[start : start + size]
        part = block[: len(images)]
        for k, (which, elements) in enumerate(seen):
            part[(slice(None), slice(None), k, *which)] = images[(..., *elements)]
        yield slice(start, start + size), part.reshape(len(part), groups, -1, rows * columns)


def _all_seen(windows: Windows, size: Any) -> list[Any]:
    return [windows.seen(position, size) for position in windows.positions()]


def _block_of(xp: Any, n: int, elements: int, dtype: Any) -> int:
    """How many images are worked on at a time, if the columns of one have so many elements."""
    if xp is not np:
        return max(n, 1)  # a GPU is fastest with all at once
    return max(1, min(n, BLOCK // max(1, elements * np.dtype(dtype).itemsize)))


def convolve_pool(
    x: Any, weight: Any, bias: Any, windows: Windows, groups: int, pooling: Windows
) -> tuple[Any, Any]:
    """What `max_pool` returns for the convolution, the elements below 0 as 0.

    The maximum of a window's elements above 0 is what of their maximum is above 0.
    """
    out, positions = max_pool(convolve(x, weight, bias, windows, groups), pooling)
    return module_of(out).maximum(out, 0), positions


def convolve_picked(
    x: Any, weight: Any, positions: Any, windows: Windows, groups: int, pooling: Windows
) -> Any:
    """The convolution at the positions of the windows of a pooling."""
    return pick(convolve(x, weight, None, windows, groups), positions, pooling)


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
    """What `convolve_picked` is transposed to, by its images; `size` is that of a convolution."""
    return convolve_input(put(d, positions, size, pooling), weight, shape, windows, groups)


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
    """What `convolve_picked` is transposed to, by its filters; `size` is that of a convolution."""
    return convolve_weight(x, put(d, positions, size, pooling), shape, windows, groups)


def max_pool(x: Any, windows: Windows) -> tuple[Any, Any]:
    """The largest element of each window, and the position of the first that is the largest."""
    out, positions = empty_pool(x, windows)
    max_pool_into(x, out, positions, windows)
    return out, positions


def empty_pool(x: Any, windows: Windows) -> tuple[Any, Any]:
    """Memory for what `max_pool` returns."""
    xp = module_of(x)
    shape = (*x.shape[:2], *windows.count(x.shape[2:]))
    return xp.empty(shape, dtype=x.dtype), xp.empty(shape, dtype=dtype_of_positions(windows.kernel))


def max_pool_into(x: Any, out: Any, positions: Any, windows: Windows) -> None:
    xp = module_of(x)
    if windows.kernel == windows.stride == (2, 2) and not windows.padded:
        _two_by_two_into(xp, x, out, positions)
        if not xp.isnan(out).any():
            return
    seen = _all_seen(windows, x.shape[2:])
    out[...] = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    for which, elements in seen:
        part = out[(..., *which)]
        xp.maximum(part, x[(..., *elements)], out=part)  # which nan goes through
    positions[...] = 0
    has_nan = bool(xp.isnan(out).any())
    # backwards, so that the first one stays
    for k, (which, elements) in reversed(list(enumerate(seen))):
        found, part = x[(..., *elements)], out[(..., *which)]
        is_largest = found == part
        if has_nan:
            is_largest |= found != found
        xp.copyto(positions[(..., *which)], positions.dtype.type(k), where=is_largest)


def dtype_of_positions(kernel: Any) -> Any:
    """Bytes, for windows of usual sizes, an int or two."""
    size = kernel[0] * kernel[1] if isinstance(kernel, (tuple, list)) else kernel * kernel
    return np.dtype(np.uint8 if size <= 256 else np.int64)


def _two_by_two_into(xp: Any, x: Any, out: Any, positions: Any) -> None:
    """The usual pooling in half the steps: first along rows, then the better of two rows."""
    rows, columns = out.shape[2:]
    x = x[..., : 2 * rows, : 2 * columns]
    left, right = x[..., ::2], x[..., 1::2]
    larger, is_right = xp.maximum(left, right), right > left
    top, bottom = larger[..., ::2, :], larger[..., 1::2, :]
    xp.maximum(top, bottom, out=out)
    is_bottom = bottom > top
    second = xp.where(is_bottom, is_right[..., 1::2, :], is_right[..., ::2, :])
    xp.multiply(is_bottom, np.uint8(2), out=positions)
    positions += second


def pick(x: Any, positions: Any, windows: Windows) -> Any:
    """The element of each window at its position."""
    out = module_of(x).empty(positions.shape, dtype=x.dtype)
    pick_into(x, positions, out, windows)
    return out


def pick_into(x: Any, positions: Any, out: Any, windows: Windows) -> None:
    xp = module_of(x)
    out[...] = 0
    for k, (which, elements) in enumerate(_all_seen(windows, x.shape[2:])):
        xp.copyto(out[(..., *which)], x[(..., *elements)], where=positions[(..., *which)] == k)


def put(d: Any, positions: Any, shape: Any, windows: Windows) -> Any:
    """What `pick` is transposed to: zeros of `shape`, with d added at the positions."""
    out = module_of(d).empty(shape, dtype=d.dtype)
    put_into(d, positions, out, windows)
    return out


def put_into(d: Any, positions: Any, out: Any, windows: Windows) -> None:
    xp = module_of(d)
    if not windows.cover(out.shape[2:]):
        out[...] = 0
    elif out.flags.c_contiguous:
        out[...] = 0
        out.reshape(-1)[_places(xp, positions, out.shape, windows)] = d
        return
    for k, (which, elements) in enumerate(_all_seen(windows, out.shape[2:])):
        found = xp.where(positions[(..., *which)] == k, d[(..., *which)], 0)
        if windows.apart():
            out[(..., *elements)] = found
        else:
            out[(..., *elements)] += found


def _places(xp: Any, positions: Any, shape: Any, windows: Windows) -> Any:
    """The indices, in the images as one row, of the elements at the positions of their windows."""
    n, channels, height, width = shape
    i, j = np.array(windows.positions()).T
    within = xp.asarray(i * windows.dilation[0] * width + j * windows.dilation[1])
    down = xp.arange(0, positions.shape[2] * windows.stride[0], windows.stride[0])[:, None]
    across = xp.arange(0, positions.shape[3] * windows.stride[1], windows.stride[1])
    image = xp.arange(0, n * channels * height * width, height * width)
    origins = image.reshape(n, channels, 1, 1) + (down * width + across)
    return xp.take(within, positions) + origins


def window_sums(x: Any, windows: Windows) -> Any:
    """The sum of the elements of each window."""
    out = module_of(x).empty((*x.shape[:2], *windows.count(x.shape[2:])), dtype=x.dtype)
    window_sums_into(x, out, windows)
    return out


def window_sums_into(x: Any, out: Any, windows: Windows) -> None:
    out[...] = 0
    for which, elements in _all_seen(windows, x.shape[2:]):
        out[(..., *which)] += x[(..., *elements)]


def spread(d: Any, shape: Any, windows: Windows) -> Any:
    """What `window_sums` is transposed to: each number of d, added to its window's elements."""
    out = module_of(d).empty(shape, dtype=d.dtype)
    spread_into(d, out, windows)
    return out


def spread_into(d: Any, out: Any, windows: Windows) -> None:
    out[...] = 0
    for which, elements in _all_seen(windows, out.shape[2:]):
        out[(..., *elements)] += d[(..., *which)]


def asarray_like(counts: Any, x: Any) -> Any:
    """Numbers of the host as an array of the module and the dtype of x."""
    return module_of(x).asarray(counts.astype(x.dtype))
