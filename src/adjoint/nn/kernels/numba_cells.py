"""The step of a long short-term memory for NumPy arrays, where Numba is installed."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import cells, compiled_cells


def lstm_cell(inputs: Any, hidden: Any, c: Any) -> tuple[Any, Any, Any]:
    if not inputs.dtype == hidden.dtype == c.dtype:
        return cells.lstm_cell(inputs, hidden, c)
    gates, next_c = np.empty_like(inputs), np.empty_like(c)
    compiled_cells.add_and_halve(inputs, hidden, gates, c.shape[1])
    np.tanh(gates, out=gates)
    compiled_cells.next_state(gates, c, next_c)
    h = np.tanh(next_c)
    compiled_cells.output(gates, h)
    return h, next_c, gates


def lstm_cell_backward(gates: Any, c: Any, next_c: Any, d_h: Any, d_next_c: Any) -> tuple[Any, Any]:
    if not gates.dtype == c.dtype == next_c.dtype == d_h.dtype == d_next_c.dtype:
        return cells.lstm_cell_backward(gates, c, next_c, d_h, d_next_c)
    d_gates, d_c = np.empty_like(gates), np.empty_like(c)
    compiled_cells.cotangents(gates, c, np.tanh(next_c), d_h, d_next_c, d_gates, d_c)
    return d_gates, d_c
