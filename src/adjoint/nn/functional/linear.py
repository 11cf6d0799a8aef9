"""Affine maps and look-ups."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...control import stop_gradient
from .labels import check_positions


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """x @ weight.T + bias.

    x: (..., in). weight: (out, in). bias: (out,) or None. The result is (..., out).

    >>> import numpy as np
    >>> linear(np.array([[1.0, 2.0]]), np.array([[1.0, 1.0], [0.0, 3.0]]), np.array([0.0, 1.0]))
    array([[3., 7.]])
    """
    if x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"linear: expected x of shape (..., {weight.shape[1]}) for a weight of shape "
            f"{weight.shape}; got {x.shape}"
        )
    return affine(x, weight, bias)


def affine(x: Any, weight: Any, bias: Any) -> Any:
    """`linear`, of shapes that have been checked."""
    if x.ndim <= 2:
        return _affine(x, weight, bias)
    # One product of matrices is quicker than one for each sample.
    y = _affine(x.reshape(-1, weight.shape[1]), weight, bias)
    return y.reshape(*x.shape[:-1], weight.shape[0])


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    y = x @ weight.T
    if bias is not None:
        y += bias
    return y


def embedding(x: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of `weight`, of shape (rows, dim), at the positions x, ints of any shape.

    No derivative goes to the row padding_idx; a negative one counts from the end. Raises
    IndexError for positions out of range: NumPy would count negative ones from the end.

    >>> import numpy as np
    >>> embedding(np.array([1, 0, 1]), np.array([[0.0, 1.0], [2.0, 3.0]]))
    array([[2., 3.],
           [0., 1.],
           [2., 3.]])
    """
    check_positions(x, len(weight))
    rows = weight[x]
    if padding_idx is not None:
        if padding_idx < 0:
            padding_idx = padding_idx + len(weight)
        varies = (x != padding_idx)[..., np.newaxis]
        rows = np.where(varies, rows, stop_gradient(rows))
    return rows
