"""Convolution on NumPy arrays as many small products of matrices, on several threads.

OpenBLAS computes a product of up to 2**18 multiplications on the calling thread. Such products run
side by side on threads of our own, together with the copying between them, and need no other
thread to be there at the same moment, which is costly where cores are shared. np.matmul of stacks
of matrices makes many of them in one call.

Of the columns of windows (see `arrays`) only those of one row of the kernel are stored: with images
as (H, w * C, W') in place of (C, H, W), the columns of the windows in one row of the result are
`kernel[0]` rows of the image one below the other, which is a matrix that is there already.

The functions return None for sizes at which this does not pay: `arrays` computes these.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from . import threads
from .arrays import dtype_of_positions
from .windows import Windows

MULTIPLICATIONS = 1 << 18  # of a product on the calling thread, in OpenBLAS's interface/gemm.c
SMALLEST = 8  # rows of a matrix below which a product is slow
BLOCK = 1 << 19  # bytes that are worked on at a time: they are to stay in the cache of a core
WORTHWHILE = 1 << 21  # multiplications below which threads cost more than they save


def convolve(x: Any, weight: Any, bias: Any, windows: Windows, groups: int, dtype: Any) -> Any:
    """As in `arrays`."""
    rows = Rows.of(x.shape, weight.shape, windows, groups, dtype)
    if rows is None:
        return None
    matrices = rows.matrices(weight)
    out = np.empty(rows.shape, dtype)

    def work(start: int, stop: int) -> None:
        with threads.scratch(rows.bytes_of_columns) as (memory,):
            for part, block in rows.images(x[start:stop], memory):
                target = out[start:stop][part]
                rows.multiply(matrices, block, target)
                if bias is not None:
                    target += bias.reshape(-1, 1, 1)

    threads.over(len(x), work, rows.worthwhile)
    return out


def convolve_pool(
    x: Any, weight: Any, bias: Any, windows: Windows, groups: int, pooling: Windows, pool: Any
) -> Any:
    """As in `arrays`. pool(images, bias, out, positions): what is to be done with the products."""
    given = (x, weight) if bias is None else (x, weight, bias)
    dtype = np.result_type(*given)
    rows = Rows.of(x.shape, weight.shape, windows, groups, dtype)
    if rows is None:
        return None
    matrices = rows.matrices(weight)
    shape = (*rows.shape[:2], *pooling.count(rows.shape[2:]))
    out, positions = np.empty(shape, dtype), np.empty(shape, dtype_of_positions(pooling.kernel))

    def work(start: int, stop: int) -> None:
        with threads.scratch(rows.bytes_of_columns, rows.bytes_of_images) as (memory, result):
            for part, block in rows.images(x[start:stop], memory):
                images = _array(result, (len(block), *rows.shape[1:]), rows.dtype)
                rows.multiply(matrices, block, images)
                pool(images, bias, out[start:stop][part], positions[start:stop][part])

    threads.over(len(x), work, rows.worthwhile)
    return out, positions


def convolve_input(d: Any, weight: Any, shape: Any, windows: Windows, groups: int) -> Any:
    """As in `arrays`: where windows are 1 apart, a convolution with the filters turned round."""
    if windows.stride != (1, 1):
        return None
    around = [
        (e - 1 - b, e - 1 - a) for e, b, a in zip(windows.extent, windows.before, windows.after)
    ]
    if min(map(min, around)) < 0:
        return None
    (top, bottom), (left, right) = around
    turned = Windows(windows.kernel, (1, 1), windows.dilation, (top, left), (bottom, right))
    filters, channels = weight.shape[:2]
    each = weight.reshape(groups, filters // groups, channels, *windows.kernel)
    each = np.swapaxes(each, 1, 2)[..., ::-1, ::-1].reshape(-1, filters // groups, *windows.kernel)
    return convolve(d, each, None, turned, groups, np.result_type(d, weight))


class Rows:
    """The convolution of images of one shape, a row of the result at a time."""

    def __init__(self, x: Any, weight: Any, windows: Windows, groups: int, dtype: Any) -> None:
        self.windows, self.groups, self.dtype = windows, groups, np.dtype(dtype)
        self.n, self.channels, *self.size = x
        self.rows, self.columns = windows.count((x[2], x[3]))
        self.filters = weight[0]
        self.shape = (self.n, self.filters, self.rows, self.columns)
        self.high = x[2] + windows.before[0] + windows.after[0]
        self.depth = weight[1] * windows.kernel[0] * windows.kernel[1]
        self.parts = 0  # into which the filters of a group are divided

    @classmethod
    def of(cls, x: Any, weight: Any, windows: Windows, groups: int, dtype: Any) -> Rows | None:
        """None if rows of the kernel do not follow each other, or the matrices are too large."""
        if windows.dilation[0] != 1 and windows.kernel[0] != 1:
            return None
        made = cls(x, weight, windows, groups, dtype)
        most = MULTIPLICATIONS // max(1, made.depth * made.columns)
        of_group = made.filters // groups
        height = largest_divisor(of_group, most)
        if height < min(of_group, SMALLEST):
            return None
        made.parts = of_group // height
        return made

    @property
    def worthwhile(self) -> bool:
        return self.n * self.filters * self.rows * self.columns * self.depth > WORTHWHILE

    def matrices(self, weight: Any) -> Any:
        """The filters as matrices (groups, 1, parts, filters of a part, depth)."""
        each = weight.transpose(0, 2, 3, 1).astype(self.dtype)
        return each.reshape(self.groups, 1, self.parts, -1, self.depth)

    @property
    def bytes_of_columns(self) -> int:
        """Memory for the columns of some images."""
        return self.together * int(np.prod(self.of_image)) * self.dtype.itemsize

    @property
    def bytes_of_images(self) -> int:
        """Memory for the results of some images."""
        return self.together * int(np.prod(self.shape[1:])) * self.dtype.itemsize

    @property
    def of_image(self) -> tuple[int, ...]:
        """The columns of one image: (groups, H, columns of the kernel, channels, W')."""
        group, across = self.channels // self.groups, self.windows.kernel[1]
        return self.groups, self.high, across, group, self.columns

    @property
    def together(self) -> int:
        """How many images are worked on at a time."""
        one = int(np.prod(self.of_image)) + int(np.prod(self.shape[1:]))
        return max(1, min(self.n, BLOCK // (one * self.dtype.itemsize)))

    def images(self, x: Any, memory: Any) -> Any:
        """Some images at a time: which, and their columns in memory that serves all of them."""
        many, group = self.together, self.channels // self.groups
        columns = _array(memory, (many, *self.of_image), self.dtype)
        columns[...] = 0  # what is padding is never written
        top = self.windows.before[0]
        inside = columns[:, :, top : top + self.size[0]]
        seen = [self.windows.seen((0, j), self.size) for j in range(self.windows.kernel[1])]
        for start in range(0, len(x), many):
            part = slice(start, min(start + many, len(x)))
            images = x[part].reshape(-1, self.groups, group, *self.size).transpose(0, 1, 3, 2, 4)
            for j, ((_, which), (_, elements)) in enumerate(seen):
                inside[: len(images), :, :, j, :, which] = images[..., elements]
            yield part, columns[: len(images)]

    def multiply(self, matrices: Any, block: Any, out: Any) -> None:
        """The products of all filters and rows, into images `out`."""
        of_image, of_group, of_row, _, of_channel, of_element = block.strides
        columns = as_strided(
            block,
            (len(block), self.groups, self.rows, 1, self.depth, self.columns),
            (of_image, of_group, of_row * self.windows.stride[0], 0, of_channel, of_element),
        )
        out = out.reshape(len(out), self.groups, self.parts, -1, self.rows, self.columns)
        np.matmul(matrices, columns, out=out.transpose(0, 1, 4, 2, 3, 5))


def convolve_weight(x: Any, d: Any, shape: Any, windows: Windows, groups: int) -> Any:
    """As in `arrays`: products of the cotangents and the columns, summed over the images."""
    n, channels = x.shape[:2]
    rows, columns = d.shape[2:]
    size, group, of_group = x.shape[2:], channels // groups, shape[0] // groups
    down, across = windows.kernel
    dtype = np.result_type(x, d)
    # columns of one row of the kernel serve for all of its rows, if windows are 1 apart
    shared = windows.stride[0] == 1 and across * group >= 2 * SMALLEST
    high = size[0] + windows.before[0] + windows.after[0] if shared else rows
    stored = 1 if shared else down
    wide = stored and (across * group if shared else down * across * group)

    strips = _strips(rows, columns)
    length = rows * columns // strips
    height = largest_divisor(of_group, 8 * SMALLEST)
    width = largest_divisor(wide, MULTIPLICATIONS // max(1, length * height))
    if min(length, width) < 1 or width < min(wide, SMALLEST) or height < min(of_group, SMALLEST):
        return None

    one = groups * stored * across * group * high * columns + shape[0] * rows * columns
    one = (one + strips * groups * of_group * down * across * group) * dtype.itemsize

    many = max(1, min(n, BLOCK // one))
    blocks = (many, groups, stored, across, group, high, columns)
    parts = (groups, down if shared else 1, of_group // height, wide // width, height, width)

    def work(start: int, stop: int) -> Any:
        total = np.zeros(parts, dtype)
        with threads.scratch(int(np.prod(blocks)) * dtype.itemsize) as (memory,):
            block = _array(memory, blocks, dtype)
            block[...] = 0  # what is padding is never written
            for first in range(start, stop, many):
                part = slice(first, min(first + many, stop))
                these = block[: part.stop - first]
                _fill(these, x[part], windows, shared)
                total += _products(these, d[part], parts, windows, strips, length)
        return total

    worthwhile = n * shape[0] * rows * columns * wide > WORTHWHILE
    total = sum(threads.over(n, work, worthwhile))
    # (groups, rows of the kernel, parts, parts, filters, columns and channels)
    total = total.transpose(0, 2, 4, 1, 3, 5).reshape(shape[0], down, across, group)
    return np.ascontiguousarray(total.transpose(0, 3, 1, 2))


def _fill(block: Any, images: Any, windows: Windows, shared: bool) -> None:
    """Copy images to columns (n, groups, rows of the kernel, its columns, channels, H', W')."""
    many, groups, stored, across, group, high, columns = block.shape
    images = images.reshape(many, groups, group, *images.shape[2:])
    size, top = images.shape[3:], windows.before[0]
    for i in range(stored):
        for j in range(across):
            (down, which), (rows, elements) = windows.seen((i, j), size)
            if shared:
                down, rows = slice(top, top + size[0]), slice(None)
            block[:, :, i, j, :, down, which] = images[..., rows, elements]


def _products(block: Any, d: Any, shape: Any, windows: Windows, strips: int, length: int) -> Any:
    """Sums over images of cotangents times columns: (groups, down, m, n, height, width)."""
    many = len(block)
    groups, down, parts, others, height, width = shape
    columns = d.shape[3]
    item = block.itemsize
    of_image, of_group, of_channel = block.strides[0], block.strides[1], block.strides[4]
    of_row = windows.dilation[0] * columns * item
    of_strip = length * item
    right = as_strided(
        block,
        (many, strips, groups, down, 1, others, length, width),
        (of_image, of_strip, of_group, of_row, 0, width * of_channel, item, of_channel),
    )
    left = np.ascontiguousarray(d).astype(block.dtype, copy=False)
    left = left.reshape(many, groups, parts, height, strips, length)
    left = left.transpose(0, 4, 1, 2, 3, 5)[:, :, :, None, :, None]
    return np.matmul(left, right).sum(axis=(0, 1))


def _array(memory: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """An array in the first of some bytes."""
    return memory[: int(np.prod(shape)) * dtype.itemsize].view(dtype).reshape(shape)


def _strips(rows: int, columns: int) -> int:
    """Into how many strips of rows an image is divided, so that a product is not too large."""
    most = MULTIPLICATIONS // (8 * SMALLEST * 2 * SMALLEST)
    wanted = largest_divisor(rows, most // max(1, columns))
    return rows // max(1, wanted)


def largest_divisor(n: int, most: int) -> int:
    """The largest divisor of n that is not larger; 0 if there is none.

    >>> largest_divisor(64, 20), largest_divisor(7, 5), largest_divisor(7, 0)
    (16, 1, 0)
    """
    return next((k for k in range(min(n, most), 0, -1) if n % k == 0), 0)
