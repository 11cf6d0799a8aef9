"""All steps of a long short-term memory at once, and their transpose.

As one function, the steps can be carried out by a loop that Numba compiles, for the samples of a
batch on several threads, and the cotangent of the weights is one product of all steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from .cells import lstm_cell


def lstm_steps(inputs: Any, h: Any, c: Any, w_hh: Any) -> tuple[Any, Any, Any, Any, Any]:
    """`lstm_cell` for each step t, with inputs[t] and the last h times the transpose of w_hh.

    inputs: (T, N, 4 * size). h, c: (N, size). w_hh: (4 * size, size).
    Returns all h, (T, N, size), the last h and c, and for the derivative all c and all gates, of
    the shape of inputs. Raises ValueError for other shapes.

    >>> import numpy as np
    >>> h, c = np.zeros((1, 1)), np.ones((1, 1))
    >>> outputs, h, c, *_ = lstm_steps(np.zeros((2, 1, 4)), h, c, np.zeros((4, 1)))
    >>> outputs.round(3).ravel(), c
    (array([0.231, 0.122]), array([[0.25]]))
    """
    _check("lstm_steps", inputs, h, c, w_hh)
    return kernels.of(inputs, h, c, w_hh).lstm_steps(inputs, h, c, w_hh)


def lstm_steps_backward(
    gates: Any, memories: Any, c: Any, w_hh: Any, grad_outputs: Any, grad_h: Any, grad_c: Any
) -> tuple[Any, Any, Any]:
    """The cotangents of inputs, h and c of `lstm_steps`, from those of all h and the last h and c.

    gates, memories: the gates and all c that `lstm_steps` has returned for c and w_hh. Raises
    ValueError for shapes that are not those of `lstm_steps`.

    >>> import numpy as np
    >>> h, c, w = np.zeros((1, 1)), np.ones((1, 1)), np.zeros((4, 1))
    >>> outputs, h, _, memories, gates = lstm_steps(np.zeros((2, 1, 4)), h, c, w)
    >>> lstm_steps_backward(gates, memories, c, w, 0 * outputs, 0 * h, c)[2]
    array([[0.25]])
    """
    _check("lstm_steps_backward", gates, grad_h, c, w_hh)
    for each, shape in ((memories, grad_outputs.shape), (grad_c, c.shape)):
        if each.shape != shape or grad_outputs.shape != (len(gates), *c.shape):
            raise ValueError(
                f"lstm_steps_backward: expected memories and grad_outputs of shape "
                f"{(len(gates), *c.shape)}, and grad_c of {c.shape}; got {memories.shape}, "
                f"{grad_outputs.shape} and {grad_c.shape}"
            )
    return kernels.of(gates, memories, c, w_hh, grad_outputs, grad_h, grad_c).lstm_steps_backward(
        gates, memories, c, w_hh, grad_outputs, grad_h, grad_c
    )


def lstm_steps_written_out(
    inputs: Any, h: Any, c: Any, w_hh: Any
) -> tuple[Any, Any, Any, None, None]:
    """`lstm_steps` as the loop that it is, without what only its own derivative reads."""
    h, c = h.copy(), c.copy()  # what is returned, if there are no steps
    w = np.ascontiguousarray(w_hh.T)  # which BLAS is quicker with
    outputs = np.empty_like(inputs, shape=(len(inputs), *h.shape))
    for t in range(len(inputs)):
        h, c, gates = lstm_cell(inputs[t], h @ w, c)
        outputs[t] = h
    return outputs, h, c, None, None


def _check(function: str, inputs: Any, h: Any, c: Any, w_hh: Any) -> None:
    if c.ndim == 2 and h.shape == c.shape:
        samples, size = c.shape
        if inputs.ndim == 3 and inputs.shape[1:] == (samples, 4 * size):
            if w_hh.shape == (4 * size, size):
                return
    raise ValueError(
        f"{function}: expected inputs or gates of shape (T, N, 4 * size), h and c of (N, size) and "
        f"w_hh of (4 * size, size); got {inputs.shape}, {h.shape}, {c.shape} and {w_hh.shape}"
    )
