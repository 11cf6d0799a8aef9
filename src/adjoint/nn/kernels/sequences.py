"""All steps of a long short-term memory in plain array code, one after the other."""

from __future__ import annotations

from typing import Any

from . import cells


def lstm_steps(inputs: Any, h: Any, c: Any, w_hh: Any, step: Any = cells.lstm_cell) -> Any:
    xp, (inputs, h, c, w_hh) = cells.of_one_dtype(inputs, h, c, w_hh)
    w = xp.ascontiguousarray(w_hh.T)  # which BLAS is quicker with
    outputs, memories, gates = empty_steps(xp, inputs, c)
    for t in range(len(inputs)):
        h, c, gates[t] = step(inputs[t], h @ w, c)
        outputs[t], memories[t] = h, c
    return outputs, h.copy(), c.copy(), memories, gates


def lstm_steps_backward(
    gates: Any,
    memories: Any,
    c: Any,
    w_hh: Any,
    d_outputs: Any,
    d_h: Any,
    d_c: Any,
    step: Any = cells.lstm_cell_backward,
) -> tuple[Any, Any, Any]:
    given = cells.of_one_dtype(gates, memories, c, w_hh, d_outputs, d_h, d_c)
    xp, (gates, memories, c, w_hh, d_outputs, d_h, d_c) = given
    d_inputs = xp.empty_like(gates)
    for t in reversed(range(len(gates))):
        before = memories[t - 1] if t else c
        d_inputs[t], d_c = step(gates[t], before, memories[t], d_h + d_outputs[t], d_c)
        d_h = d_inputs[t] @ w_hh
    return d_inputs, d_h.copy(), d_c.copy()


def empty_steps(xp: Any, inputs: Any, c: Any) -> tuple[Any, Any, Any]:
    """For all h, all c and all gates."""
    shape = (len(inputs), *c.shape)
    return (
        xp.empty(shape, inputs.dtype),
        xp.empty(shape, inputs.dtype),
        xp.empty(inputs.shape, inputs.dtype),
    )
