"""One step of a long short-term memory, without its products of matrices, and its transpose.

What is left between two products is some twenty elementwise operations on small arrays. As one
function, they are carried out in the memory of few (and, where Numba is installed, in few passes),
and its derivative reads the gates and nothing that they were computed from.
"""

from __future__ import annotations

from typing import Any

from .. import kernels


def lstm_cell(inputs: Any, hidden: Any, c: Any) -> tuple[Any, Any, Any]:
    """The next h and c, and the gates (Hochreiter, Schmidhuber 1997; Gers et al. 2000).

    inputs, hidden: what the input and the last h give to each gate, (N, 4 * size), in the order
        input gate, forget gate, cell, output gate: i, f, g, o.
    c: (N, size).

    i, f and o are the sigmoid of the sum of both, and g is its tanh. The next c is f * c + i * g,
    and the next h is o * tanh of that, both (N, size). The gates are (N, 4 * size). Raises
    ValueError for other shapes.

    >>> import numpy as np
    >>> h, c, gates = lstm_cell(np.zeros((1, 4)), np.zeros((1, 4)), np.ones((1, 1)))
    >>> h.round(3), c, gates
    (array([[0.231]]), array([[0.5]]), array([[0.5, 0.5, 0. , 0.5]]))
    """
    _check("lstm_cell", c, inputs, hidden)
    return kernels.of(inputs, hidden, c).lstm_cell(inputs, hidden, c)


def lstm_cell_backward(
    gates: Any, c: Any, next_c: Any, grad_h: Any, grad_next_c: Any
) -> tuple[Any, Any]:
    """The cotangents of the inputs and of c, from those of the next h and c.

    gates, next_c: what `lstm_cell` has returned for c. The cotangent of `inputs` is that of
    `hidden` too. Raises ValueError for shapes that are not those of `lstm_cell`.

    >>> import numpy as np
    >>> h, c, gates = lstm_cell(np.zeros((1, 4)), np.zeros((1, 4)), np.ones((1, 1)))
    >>> lstm_cell_backward(gates, np.ones((1, 1)), c, np.zeros((1, 1)), np.ones((1, 1)))
    (array([[0.  , 0.25, 0.5 , 0.  ]]), array([[0.5]]))
    """
    _check("lstm_cell_backward", c, gates)
    for each in (next_c, grad_h, grad_next_c):
        if each.shape != c.shape:
            raise ValueError(
                f"lstm_cell_backward: expected next_c, grad_h and grad_next_c of the shape of c, "
                f"{c.shape}; got {each.shape}"
            )
    return kernels.of(gates, c, next_c, grad_h, grad_next_c).lstm_cell_backward(
        gates, c, next_c, grad_h, grad_next_c
    )


def _check(function: str, c: Any, *gates: Any) -> None:
    if c.ndim != 2:
        raise ValueError(f"{function}: expected c of shape (N, size); got {c.shape}")
    expected = (c.shape[0], 4 * c.shape[1])
    for each in gates:
        if each.shape != expected:
            raise ValueError(
                f"{function}: expected gates of shape {expected} for c of shape {c.shape}; "
                f"got {each.shape}"
            )
