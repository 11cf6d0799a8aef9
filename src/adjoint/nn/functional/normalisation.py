"""Normalisation by mean and variance."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...control import stop_gradient


def layer_norm(
    x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """(x - mean) / sqrt(variance + eps) * weight + bias, over the last axes (Ba et al. 2016).

    normalized_shape: the sizes of these axes, an int or a tuple; weight and bias have this shape.

    >>> import numpy as np
    >>> layer_norm(np.array([[1.0, 3.0]]), 2).round(4)
    array([[-1.,  1.]])
    """
    sizes = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if x.shape[x.ndim - len(sizes) :] != sizes:
        raise ValueError(
            f"layer_norm: expected x of shape (..., {', '.join(map(str, sizes))}), got {x.shape}"
        )
    axes = tuple(range(-len(sizes), 0))
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
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of x, (N, C) or (N, C, ...), by its mean and variance (Ioffe, Szegedy 2015).

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
    axes = (0, *range(2, x.ndim))
    shape = (1, -1) + (1,) * (x.ndim - 2)
    if training:
        mean = np.mean(x, axis=axes, keepdims=True)
        centred = x - mean
        variance = np.mean(centred * centred, axis=axes, keepdims=True)
        if running_mean is not None:
            update_running(
                running_mean,
                running_var,
                stop_gradient(mean),
                stop_gradient(variance),
                x.size,
                momentum,
            )
    else:
        centred = x - running_mean.reshape(shape)
        variance = running_var.reshape(shape)
    y = centred / np.sqrt(variance + eps)
    if weight is not None:
        y = y * weight.reshape(shape)
    if bias is not None:
        y = y + bias.reshape(shape)
    return y


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


def count_batch(batches: Any) -> None:
    """One more, in place: of an array of shape ()."""
    batches += 1
