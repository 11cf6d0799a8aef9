"""Affine layers, look-up tables and changes of shape."""

from __future__ import annotations

from typing import Any

from . import functional as F
from . import init
from .checks import positive_sizes
from .functional.linear import affine
from .module import Module


class Linear(Module):
    """x @ weight.T + bias: (..., in_features) -> (..., out_features).

    Weight (out_features, in_features) and bias are drawn evenly from (-1, 1) / sqrt(in_features).
    generator: the np.random.Generator that draws them (default: that of `nn.manual_seed`).

    >>> import numpy as np
    >>> from adjoint import nn
    >>> nn.Linear(3, 2)(np.ones((5, 3), np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        positive_sizes("Linear", in_features=in_features, out_features=out_features)
        self.in_features = in_features
        self.out_features = out_features
        size = (out_features, in_features)
        self.weight = init.fan_in_uniform(size, in_features, dtype, generator)
        self.bias = None
        if bias:
            self.bias = init.fan_in_uniform((out_features,), in_features, dtype, generator)

    def forward(self, x: Any) -> Any:
        if x.shape[-1] != self.weight.shape[1]:
            raise ValueError(
                f"{self!r}: expected x of shape (..., {self.in_features}), got {x.shape}"
            )
        return affine(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """The rows of a table, of shape (num_embeddings, embedding_dim), at positions.

    x: ints of any shape, from 0 up to num_embeddings. The table's numbers are normal.
    padding_idx: a row that is 0 and stays so.

    >>> import numpy as np
    >>> from adjoint import nn
    >>> nn.Embedding(10, 3)(np.array([[0, 9]])).shape
    (1, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        positive_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.weight = init.normal((num_embeddings, embedding_dim), dtype, generator)
        if padding_idx is not None:
            self.weight[padding_idx] = 0

    def forward(self, x: Any) -> Any:
        return F.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class Flatten(Module):
    """All axes from start_dim to end_dim as one: (N, C, H, W) -> (N, C * H * W).

    >>> import numpy as np
    >>> from adjoint import nn
    >>> nn.Flatten()(np.ones((2, 3, 4, 5))).shape
    (2, 60)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Any) -> Any:
        start = self.start_dim % x.ndim
        end = self.end_dim % x.ndim
        return x.reshape(*x.shape[:start], -1, *x.shape[end + 1 :])

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
