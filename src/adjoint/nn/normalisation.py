"""Layers that normalise, and dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import functional as F
from .checks import positive_sizes, probability
from .functional.normalisation import count_batch
from .module import Module


class BatchNorm2d(Module):
    """Each channel of images (N, C, H, W) by its mean and variance; see `F.batch_norm`.

    In training they are those of the batch, and the running ones are changed; after `eval()` the
    running ones are taken. momentum: None for the mean over all batches.

    >>> import numpy as np
    >>> from adjoint import nn
    >>> norm = nn.BatchNorm2d(1)
    >>> norm(np.array([1.0, 3.0], np.float32).reshape(2, 1, 1, 1)).ravel().round(3)
    array([-1.,  1.], dtype=float32)
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        positive_sizes("BatchNorm2d", num_features=num_features)
        dtype = dtype or np.float32
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.weight = np.ones(num_features, dtype) if affine else None
        self.bias = np.zeros(num_features, dtype) if affine else None
        self.running_mean = self.running_var = self.num_batches_tracked = None
        if track_running_stats:
            self.register_buffer("running_mean", np.zeros(num_features, dtype))
            self.register_buffer("running_var", np.ones(num_features, dtype))
            self.register_buffer("num_batches_tracked", np.array(0))

    def forward(self, x: Any) -> Any:
        channels = self.num_features if self.weight is None else self.weight.shape[0]
        if x.ndim != 4 or x.shape[1] != channels:
            raise ValueError(
                f"{self!r}: expected x of shape (N, {self.num_features}, H, W), got {x.shape}"
            )
        tracked = self.running_mean is not None
        momentum = self.momentum
        if self.training and tracked:
            momentum = count_batch(self.num_batches_tracked, momentum)
        return F.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not tracked,
            momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class LayerNorm(Module):
    """The last axes of x by their mean and variance; see `F.layer_norm`.

    normalized_shape: the sizes of these axes, an int or a tuple.

    >>> import numpy as np
    >>> from adjoint import nn
    >>> nn.LayerNorm(2)(np.array([[1.0, 3.0]], np.float32)).round(3)
    array([[-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        sizes = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(sizes)
        positive_sizes("LayerNorm", **{f"size_{i}": n for i, n in enumerate(self.normalized_shape)})
        self.eps = eps
        dtype = dtype or np.float32
        self.weight = np.ones(self.normalized_shape, dtype) if elementwise_affine else None
        self.bias = np.zeros(self.normalized_shape, dtype) if elementwise_affine and bias else None

    def forward(self, x: Any) -> Any:
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = self.weight is not None
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={affine}"


class Dropout(Module):
    """In training, elements are 0 with probability p, and the others divided by 1 - p.

    generator: the np.random.Generator that chooses them (default: that of `nn.manual_seed`).
    """

    def __init__(self, p: float = 0.5, generator: Any = None) -> None:
        super().__init__()
        probability("Dropout", p)
        self.p = p
        self.generator = generator

    def forward(self, x: Any) -> Any:
        return F.dropout(x, self.p, self.training, self.generator)

    def extra_repr(self) -> str:
        return f"p={self.p}"
