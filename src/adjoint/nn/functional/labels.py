"""Labels of classes, which no derivative goes through."""

from __future__ import annotations

from typing import Any

from ...types import array_module, array_namespace


def labelled(input: Any, target: Any, ignore_index: int) -> tuple[Any, Any]:
    """The rows of `input` that have a label that counts, and these labels.

    input: (N, C) or (N, C, d1, ...), of which the rows are (N, d1, ...), flattened. target: ints,
    one for each row. Raises ValueError where the shapes do not fit, IndexError for a label that is
    out of range and not ignore_index: NumPy would take -1 for the last class.

    >>> import numpy as np
    >>> labelled(np.zeros((3, 5)), np.array([2, -100, 0]), -100)
    (array([0, 2]), array([2, 0]))
    """
    if input.ndim < 2 or target.shape != (input.shape[0], *input.shape[2:]):
        raise ValueError(
            f"nll_loss: expected input of shape (N, C, ...) and labels of shape (N, ...); "
            f"got {input.shape} and {target.shape}"
        )
    if target.dtype.kind not in "iu":
        raise ValueError(f"nll_loss: expected labels that are ints, got an array of {target.dtype}")
    xp = array_namespace(array_module(type(target)) or "numpy")
    classes = input.shape[1]
    labels = target.reshape(-1)
    counts = labels != ignore_index
    if counts.all():
        rows = xp.arange(labels.size)
    else:
        rows = xp.flatnonzero(counts)
        labels = labels[rows]
    wrong = labels[_wrong(labels, classes)]
    if wrong.size:
        raise IndexError(
            f"nll_loss: the label {wrong[0]} is out of range: there are {classes} classes"
        )
    return rows, labels


def _wrong(labels: Any, classes: int) -> Any:
    return (labels < 0) | (labels >= classes)


def check_positions(x: Any, rows: int) -> None:
    """Refuse what are no positions in a table of so many rows."""
    if x.dtype.kind not in "iu":
        raise ValueError(f"embedding: expected positions that are ints, got an array of {x.dtype}")
    wrong = x[_wrong(x, rows)]
    if wrong.size:
        raise IndexError(
            f"embedding: the position {wrong[0]} is out of range: there are {rows} rows"
        )
