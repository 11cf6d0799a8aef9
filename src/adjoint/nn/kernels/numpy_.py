"""The kernels for NumPy arrays: a few images at a time, on several threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import arrays, products, threads
from .arrays import asarray_like
from .cells import lstm_cell, lstm_cell_backward
from .sequences import lstm_steps, lstm_steps_backward
from .windows import Windows

__all__ = [
    "asarray_like", "convolve", "convolve_input", "convolve_picked", "convolve_picked_input",
    "convolve_picked_weight", "convolve_pool", "convolve_weight", "lstm_cell",
    "lstm_cell_backward", "lstm_steps", "lstm_steps_backward", "max_pool", "pick", "put", "spread",
    "window_sums",
]  # fmt: skip

BLOCK = 1 << 18  # bytes that are worked on at a time
WORTHWHILE = 1 << 15  # elements below which threads cost more than they save


def convolve(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    given = (x, weight) if bias is None else (x, weight, bias)
    found = products.convolve(x, weight, bias, windows, groups, np.result_type(*given))
    return arrays.convolve(x, weight, bias, windows, groups) if found is None else found


def convolve_input(d: Any, weight: Any, shape: Any, windows: Windows, groups: int) -> Any:
    found = products.convolve_input(d, weight, shape, windows, groups)
    return arrays.convolve_input(d, weight, shape, windows, groups) if found is None else found


def convolve_weight(x: Any, d: Any, shape: Any, windows: Windows, groups: int) -> Any:
    found = products.convolve_weight(x, d, shape, windows, groups)
    return arrays.convolve_weight(x, d, shape, windows, groups) if found is None else found


def convolve_pool(
    x: Any, weight: Any, bias: Any, windows: Windows, groups: int, pooling: Windows
) -> tuple[Any, Any]:
    def pool(images: Any, bias: Any, out: Any, positions: Any) -> None:
        arrays.max_pool_into(images, out, positions, pooling)
        if bias is not None:
            out += bias.reshape(-1, 1, 1)
        np.maximum(out, 0, out=out)

    found = products.convolve_pool(x, weight, bias, windows, groups, pooling, pool)
    if found is None:
        out, positions = max_pool(convolve(x, weight, bias, windows, groups), pooling)
        found = np.maximum(out, 0, out=out), positions
    return found


def convolve_picked(
    x: Any, weight: Any, positions: Any, windows: Windows, groups: int, pooling: Windows
) -> Any:
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
    return convolve_weight(x, put(d, positions, size, pooling), shape, windows, groups)


def max_pool(x: Any, windows: Windows) -> tuple[Any, Any]:
    out, positions = arrays.empty_pool(x, windows)
    in_blocks(x, lambda part: arrays.max_pool_into(x[part], out[part], positions[part], windows))
    return out, positions


def pick(x: Any, positions: Any, windows: Windows) -> Any:
    out = np.empty(positions.shape, x.dtype)
    in_blocks(x, lambda part: arrays.pick_into(x[part], positions[part], out[part], windows))
    return out


def put(d: Any, positions: Any, shape: Any, windows: Windows) -> Any:
    out = np.empty(shape, d.dtype)
    in_blocks(out, lambda part: arrays.put_into(d[part], positions[part], out[part], windows))
    return out


def window_sums(x: Any, windows: Windows) -> Any:
    out = np.empty((*x.shape[:2], *windows.count(x.shape[2:])), x.dtype)
    in_blocks(x, lambda part: arrays.window_sums_into(x[part], out[part], windows))
    return out


def spread(d: Any, shape: Any, windows: Windows) -> Any:
    out = np.empty(shape, d.dtype)
    in_blocks(out, lambda part: arrays.spread_into(d[part], out[part], windows))
    return out


def in_blocks(images: Any, work: Any) -> None:
    """Do work(part) for parts of a batch that fit into the cache, on several threads."""
    n = len(images)
    size = max(1, BLOCK // max(1, images.nbytes // max(1, n)))

    def several(start: int, stop: int) -> None:
        for first in range(start, stop, size):
            work(slice(first, min(first + size, stop)))

    threads.over(n, several, images.size > WORTHWHILE)
