"""Normalisation by mean and variance."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..constant import constant


def layer_norm(
    x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """(x - mean) / sqrt(variance + eps) * weight + bias, over the last axes (Ba et al. 2016).

    normalized_shape: the sizes of these axes, an int or a tuple; weight and bias have this shape.

    >>> import numpy as np
    >>> layer_norm(np.array([[1.0, 3.0]]), 2).round(4)
    array([[-1.,  1.]])
    """
    sizes = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
    first = x.ndim - len(sizes)
    if x.shape[first:] != (sizes if weight is None else weight.shape):
        raise ValueError(f"layer_norm: expected x with last axes of sizes {sizes}, got {x.shape}")
    axes = (-4, -3, -2, -1)[-len(sizes) :]
    centred = x - np.mean(x, axis=axes, keepdims=True)
    variance = np.mean(centred * centred, axis=axes, keepdims=True)
    y = centred / np.sqrt(variance + eps)
    if weight is not None:
        y = y * weight
    if bias is not None:
        y = y + bias
    return y


def batch_norm(
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: Any = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of x by its mean and variance (Ioffe and Szegedy 2015).

    x: (N, C), (N, C, L) or (N, C, H, W).

    With `training` these are of x, and the running ones, (C,), are changed in place by `momentum`;
    their variance is the unbiased one, as in PyTorch. Else the running ones are taken.

    >>> import numpy as np
    >>> mean, variance = np.zeros(1), np.ones(1)
    >>> batch_norm(np.array([[1.0], [3.0]]), mean, variance, training=True).round(4)
    array([[-1.],
           [ 1.]])
    >>> mean, variance
    (array([0.2]), array([1.1]))
    """
    axes = (0, 2, 3, 4)[: x.ndim - 1]
    if training:
        mean = np.mean(x, axis=axes, keepdims=True)
        centred = x - mean
        variance = np.mean(centred * centred, axis=axes, keepdims=True)
        if running_mean is not None:
            update_running(running_mean, running_var, mean, variance, x.size, momentum)
    else:
        centred = x - by_channel(running_mean, x.ndim)
        variance = by_channel(running_var, x.ndim)
    y = centred / np.sqrt(variance + eps)
    if weight is not None:
        y = y * by_channel(weight, x.ndim)
    if bias is not None:
        y = y + by_channel(bias, x.ndim)
    return y


def by_channel(numbers: Any, ndim: int) -> Any:
    """Numbers (C,) as they are broadcast against an array (N, C, ...) of so many axes."""
    return np.expand_dims(numbers, (0, 2, 3)[: ndim - 1])


@constant
def update_running(
    running_mean: Any, running_var: Any, mean: Any, variance: Any, size: int, momentum: float
) -> None:
    """Move running statistics towards those of a batch, in place."""
    count = size // running_mean.size
    if count < 2:
        raise ValueError(
            f"batch_norm: expected more than one value for each channel, got {size} values "
            f"of {running_mean.size} channels"
        )
    running_mean += momentum * (mean.reshape(-1) - running_mean)
    running_var += momentum * (variance.reshape(-1) * (count / (count - 1)) - running_var)


@constant
def count_batch(batches: Any, momentum: Any) -> float:
    """Count one more in an array of shape (), in place; the momentum, of None that of a mean."""
    batches += 1
    return 1 / float(batches) if momentum is None else momentum
