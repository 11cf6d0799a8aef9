"""All steps of a long short-term memory for NumPy arrays, where Numba is installed.

In single precision, with SciPy, through which Numba reaches BLAS, and for layers that are not too
large: SciPy has an OpenBLAS of its own, whose threads and those of NumPy's keep each other from the
cores. A block of samples is so small that OpenBLAS does not divide its product between threads.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from . import numba_cells, sequences

_UNDIVIDED = 1 << 18  # multiplications in a product up to which OpenBLAS has one thread for it
_FEWEST = 8  # rows in a block below which products are slow


def lstm_steps(inputs: Any, h: Any, c: Any, w_hh: Any) -> Any:
    if not _is_compiled(w_hh, inputs, h, c):
        return sequences.lstm_steps(inputs, h, c, w_hh, numba_cells.lstm_cell)
    from . import compiled_sequences

    w = np.ascontiguousarray(w_hh.T)
    outputs, memories, gates = sequences.empty_steps(np, inputs, c)
    inputs, h, c = map(np.ascontiguousarray, (inputs, h, c))
    if len(inputs):
        compiled_sequences.lstm_steps(inputs, h, c, w, outputs, memories, gates, _rows(w))
        h, c = outputs[-1], memories[-1]
    return outputs, h.copy(), c.copy(), memories, gates


def lstm_steps_backward(
    gates: Any, memories: Any, c: Any, w_hh: Any, d_outputs: Any, d_h: Any, d_c: Any
) -> tuple[Any, Any, Any]:
    if not _is_compiled(w_hh, gates, memories, c, d_outputs, d_h, d_c):
        return sequences.lstm_steps_backward(
            gates, memories, c, w_hh, d_outputs, d_h, d_c, numba_cells.lstm_cell_backward
        )
    from . import compiled_sequences

    d_h, d_c = d_h.copy(), d_c.copy()
    d_inputs = np.empty(gates.shape, gates.dtype)
    arrays = map(np.ascontiguousarray, (gates, memories, c, w_hh, d_outputs))
    compiled_sequences.lstm_steps_backward(*arrays, d_h, d_c, d_inputs, _rows(w_hh))
    return d_inputs, d_h, d_c


def _is_compiled(w_hh: Any, *arrays: Any) -> bool:
    single = all(a.dtype == np.float32 for a in (w_hh, *arrays))
    return single and _rows(w_hh) >= _FEWEST and _has_blas()


def _rows(w: Any) -> int:
    """How many samples are in a block."""
    return int(_UNDIVIDED // w.size)


@functools.cache
def _has_blas() -> bool:
    try:
        import scipy.linalg.cython_blas  # noqa: F401
    except ImportError:
        return False
    return True
