"""Losses. `reduction` is "mean", "sum" or "none", as in torch.nn.functional."""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import log_softmax
from .labels import labelled


def reduced(losses: Any, reduction: str) -> Any:
    """The mean or the sum of losses, or all of them."""
    if reduction == "mean":
        return np.mean(losses)
    if reduction == "sum":
        return np.sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f'reduction must be "mean", "sum" or "none", got {reduction!r}')


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(input - target)**2, of arrays of one shape.

    >>> import numpy as np
    >>> mse_loss(np.array([1.0, 2.0]), np.array([0.0, 4.0]))
    np.float64(2.5)
    """
    check_same_shape("mse_loss", input, target)
    return reduced((input - target) ** 2, reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """abs(input - target), of arrays of one shape.

    >>> import numpy as np
    >>> l1_loss(np.array([1.0, 2.0]), np.array([0.0, 4.0]))
    np.float64(1.5)
    """
    check_same_shape("l1_loss", input, target)
    return reduced(np.abs(input - target), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """e**2 / 2 for errors e up to delta, delta * (abs(e) - delta / 2) beyond (Huber 1964).

    >>> import numpy as np
    >>> huber_loss(np.array([0.5, 3.0]), np.zeros(2), "none")
    array([0.125, 2.5  ])
    """
    check_same_shape("huber_loss", input, target)
    error = np.abs(input - target)
    inner = np.minimum(error, delta)
    return reduced(inner * (error - 0.5 * inner), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """huber_loss divided by its bound: e**2 / (2 * beta) up to beta, abs(e) - beta / 2 beyond.

    >>> import numpy as np
    >>> smooth_l1_loss(np.array([0.5, 3.0]), np.zeros(2), "none", beta=2.0)
    array([0.0625, 2.    ])
    """
    if beta == 0:
        return l1_loss(input, target, reduction)
    return huber_loss(input, target, reduction, beta) / beta


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of labels: the mean of -input[n, target[n]].

    input: log-probabilities, (N, C) or (N, C, d1, ...). target: ints (N,) or (N, d1, ...); those
    that are ignore_index do not count. weight: a number for each of the C classes; the mean is
    weighted by it. Raises ValueError where shapes do not fit, IndexError for labels out of range.

    >>> import numpy as np
    >>> nll_loss(np.log(np.array([[0.5, 0.5], [0.1, 0.9]])), np.array([0, 1])).round(4)
    np.float64(0.3993)
    """
    rows, labels = labelled(input, target, ignore_index)
    if input.ndim > 2:
        classes = input.shape[1]
        input = np.moveaxis(input, 1, -1).reshape(-1, classes)
    losses = -input[rows, labels]
    if weight is not None:
        losses = losses * weight[labels]
    if reduction == "none":
        spread = np.zeros(target.size, input.dtype)
        spread[rows] = losses
        return spread.reshape(target.shape)
    if weight is not None and reduction == "mean":
        return np.sum(losses) / np.sum(weight[labels])
    return reduced(losses, reduction)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The cross-entropy of labels and the softmax of `input`.

    input: logits (N, C) or (N, C, d1, ...). target: ints (N,) or (N, d1, ...), or probabilities
    of the shape of input. weight, ignore_index: see `nll_loss`. label_smoothing: the part of the
    probability that is spread over all classes (Szegedy et al. 2016).

    Raises ValueError where shapes do not fit, IndexError for labels that are out of range.

    >>> import numpy as np
    >>> cross_entropy(np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([0, 0])).round(4)
    np.float64(1.1269)
    """
    log_p = log_softmax(input, 1)
    if target.dtype.kind == "f":
        return _soft_cross_entropy(log_p, target, weight, reduction, label_smoothing)
    if label_smoothing == 0:
        return nll_loss(log_p, target, weight, ignore_index, reduction)
    return _smoothed(log_p, target, weight, ignore_index, reduction, label_smoothing)


def _soft_cross_entropy(
    log_p: Any, target: Any, weight: Any, reduction: str, label_smoothing: float
) -> Any:
    """Of probabilities of the classes; the mean is over samples."""
    check_same_shape("cross_entropy", log_p, target)
    classes = log_p.shape[1]
    p = target * (1 - label_smoothing) + label_smoothing / classes
    if weight is not None:
        p = p * weight.reshape((-1,) + (1,) * (log_p.ndim - 2))
    losses = -np.sum(p * log_p, axis=1)
    return reduced(losses, reduction)


def _smoothed(
    log_p: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Any:
    """(1 - smoothing) of the loss, and smoothing of its mean over all classes."""
    hard = nll_loss(log_p, target, weight, ignore_index, reduction)
    classes = log_p.shape[1]
    kept = target != ignore_index
    if weight is None:
        soft = -np.mean(log_p, axis=1) * kept
        counted = np.sum(kept, dtype=log_p.dtype)
    else:
        by_class = weight.reshape((-1,) + (1,) * (log_p.ndim - 2))
        soft = -np.sum(log_p * by_class, axis=1) / classes * kept
        counted = np.sum(weight[np.where(kept, target, 0)] * kept)
    if reduction == "none":
        return (1 - smoothing) * hard + smoothing * soft
    total = np.sum(soft) / counted if reduction == "mean" else np.sum(soft)
    return (1 - smoothing) * hard + smoothing * total


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """The cross-entropy of probabilities `target` and sigmoid(input), of arrays of one shape.

    weight: of each element. pos_weight: of the part of the loss where the target is 1.

    >>> import numpy as np
    >>> binary_cross_entropy_with_logits(np.array([0.0, 100.0]), np.array([1.0, 1.0])).round(4)
    np.float64(0.3466)
    """
    check_same_shape("binary_cross_entropy_with_logits", input, target)
    if pos_weight is None:
        losses = np.logaddexp(0, input) - target * input
    else:
        losses = (1 - target) * input + (1 + (pos_weight - 1) * target) * np.logaddexp(0, -input)
    if weight is not None:
        losses = losses * weight
    return reduced(losses, reduction)


def check_same_shape(name: str, input: Any, target: Any) -> None:
    """Refuse arrays that NumPy would broadcast, which is a mistake here."""
    if input.shape != target.shape:
        raise ValueError(
            f"{name}: expected a target of the shape of the input, {input.shape}; "
            f"got {target.shape}"
        )
