"""Loops that Numba compiles: serial, and run without the interpreter's lock, so that threads may.

They are compiled at the first call and kept on disk, where the directory of this file (or Numba's
own, see NUMBA_CACHE_DIR) can be written to. Nothing checks an index: the caller does.

Loops over single elements count in unsigned ints, which Numba need not test for being negative:
without that it does not use vector instructions.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

index = np.uintp


def compiled(function: Any) -> Any:
    # Products may be fused with sums; what is divided by zero is as in NumPy, which is one loop.
    options: dict[str, Any] = dict(nogil=True, fastmath={"contract"}, error_model="numpy")
    try:
        return numba.njit(function, cache=True, **options)
    except RuntimeError:  # no directory for the cache can be written to
        return numba.njit(function, **options)


@compiled
def max_pool_two_by_two(x, out, positions):
    """The largest element of windows of two by two that lie side by side, the first at ties.

    nan is the largest.
    """
    for n in range(out.shape[0]):
        for c in range(out.shape[1]):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    best, place = x[n, c, 2 * i, 2 * j], 0
                    found = x[n, c, 2 * i, 2 * j + 1]
                    better = (found > best) | (found != found) & (best == best)
                    best, place = (found, 1) if better else (best, place)
                    found = x[n, c, 2 * i + 1, 2 * j]
                    better = (found > best) | (found != found) & (best == best)
                    best, place = (found, 2) if better else (best, place)
                    found = x[n, c, 2 * i + 1, 2 * j + 1]
                    better = (found > best) | (found != found) & (best == best)
                    best, place = (found, 3) if better else (best, place)
                    out[n, c, i, j] = best
                    positions[n, c, i, j] = place


@compiled
def add_and_rectify(out, bias):
    """Add each channel's number, and put 0 for what is below 0; nan stays."""
    for n in range(out.shape[0]):
        for c in range(out.shape[1]):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    found = out[n, c, i, j] + bias[c]
                    out[n, c, i, j] = out.dtype.type(0) if found < 0 else found


@compiled
def put(d, positions, out, rows, columns, stride, before):
    """Add each number to images that are 0, at its position: rows[position], columns[position]."""
    height, width = out.shape[2:]
    for n in range(d.shape[0]):
        for c in range(d.shape[1]):
            out[n, c] = 0
            for i in range(d.shape[2]):
                for j in range(d.shape[3]):
                    place = positions[n, c, i, j]
                    a = i * stride[0] - before[0] + rows[place]
                    b = j * stride[1] - before[1] + columns[place]
                    if 0 <= a < height and 0 <= b < width:
                        out[n, c, a, b] += d[n, c, i, j]


# Convolution at one element of each window of a pooling. Images are one row of numbers, the
# channels last: the elements that a row of a window sees are one run of these, `run` long, and
# those of the next row begin `row` later. Filters are (O, rows of the kernel, run), as one row.
# Element p of the window of a pooling at (i, j) begins at offsets[p] + i * down + j * across.


@compiled
def channels_last(x, image, top, left, width):
    """Copy an image (C, H, W) to (., width, C), from the row `top` and the column `left` on."""
    for c in range(x.shape[0]):
        for i in range(x.shape[1]):
            start = index(((i + top) * width + left) * x.shape[0] + c)
            for j in range(index(x.shape[2])):
                image[start + j * index(x.shape[0])] = x[c, i, j]


@compiled
def channels_first(image, x, top, left, width):
    """Copy back what `channels_last` has copied."""
    for c in range(x.shape[0]):
        for i in range(x.shape[1]):
            start = index(((i + top) * width + left) * x.shape[0] + c)
            for j in range(index(x.shape[2])):
                x[c, i, j] = image[start + j * index(x.shape[0])]


@compiled
def add_rows(target, source, t, step, starts, numbers, count, size, run, row):
    """Add rows of the source times numbers to one of the target, four at a time.

    Four rows at a time are a third of the reading and writing of one at a time. `t` is where the
    target begins, and `step` how far its next run is; for the source these are `starts` and `row`.
    """
    last = count - count % index(4)
    for q in range(index(0), last, index(4)):
        a, b, c, d = numbers[q], numbers[q + 1], numbers[q + 2], numbers[q + 3]
        i, j, k, n = starts[q], starts[q + 1], starts[q + 2], starts[q + 3]
        at = t
        for _ in range(size // run):
            for m in range(run):
                target[at + m] += (a * source[i + m] + b * source[j + m]) + (
                    c * source[k + m] + d * source[n + m]
                )
            at += step
            i, j, k, n = i + row, j + row, k + row, n + row
    for q in range(last, count):
        a, i, at = numbers[q], starts[q], t
        for _ in range(size // run):
            for m in range(run):
                target[at + m] += a * source[i + m]
            at += step
            i += row


@compiled
def picked_weight(x, d, positions, total, image, around, width, offsets, down, across, run, row):
    """Add to filters the sums, over images and windows, of each number times what it sees.

    image: memory for one image with its padding, which is 0. around: the padding above and left.
    """
    run, row, size = index(run), index(row), index(total.size // d.shape[1])
    windows = d.shape[2] * d.shape[3]
    starts, numbers = np.empty(windows, index), np.empty(windows, d.dtype)
    for n in range(x.shape[0]):
        channels_last(x[n], image, around[0], around[1], width)
        for o in range(index(d.shape[1])):
            count = index(0)
            for i in range(index(d.shape[2])):
                for j in range(index(d.shape[3])):
                    number = d[n, o, i, j]
                    if number != 0:
                        numbers[count] = number
                        starts[count] = index(offsets[positions[n, o, i, j]]) + (
                            i * index(down) + j * index(across)
                        )
                        count += index(1)
            add_rows(total, image, o * size, run, starts, numbers, count, size, run, row)


@compiled
def picked_input(d, positions, weight, out, image, around, width, offsets, down, across, run, row):
    """Images, to which each number times its filter is added, where it sees them."""
    run, row, size = index(run), index(row), index(weight.size // d.shape[1])
    # of one window, the filters of each position
    filters = np.empty((offsets.size, d.shape[1]), index)
    numbers = np.empty((offsets.size, d.shape[1]), d.dtype)
    counts = np.empty(offsets.size, index)
    for n in range(out.shape[0]):
        image[:] = 0
        for i in range(index(d.shape[2])):
            for j in range(index(d.shape[3])):
                counts[:] = 0
                for o in range(index(d.shape[1])):
                    number = d[n, o, i, j]
                    if number != 0:
                        place = positions[n, o, i, j]
                        count = counts[place]
                        filters[place, count], numbers[place, count] = o * size, number
                        counts[place] = count + index(1)
                for place in range(offsets.size):
                    start = index(offsets[place]) + i * index(down) + j * index(across)
                    add_rows(
                        image, weight, start, row, filters[place], numbers[place], counts[place],
                        size, run, run,
                    )  # fmt: skip
        channels_first(image, out[n], around[0], around[1], width)
