"""Attention layers (Vaswani et al. 2017), with the arguments of PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import functional as F
from . import init
from .checks import positive_sizes, probability
from .linear import Linear
from .masks import with_masks
from .module import Module
from .normalisation import Dropout, LayerNorm


class MultiheadAttention(Module):
    """Attention of several heads, each in embed_dim / num_heads dimensions.

    query: (L, N, E), key and value: (S, N, E); with batch_first, N comes first. Returns the result,
    of the shape of query, and the weights, (N, L, S), averaged over the heads unless
    average_attn_weights is False, or None without need_weights.
    attn_mask: (L, S) or (N * num_heads, L, S). key_padding_mask: (N, S). Bools are True where
    attention may not go, as in PyTorch; numbers are added to the scores.

    >>> import numpy as np
    >>> from adjoint import nn
    >>> attention = nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = np.ones((3, 5, 8), np.float32)
    >>> result, weights = attention(x, x, x)
    >>> result.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        batch_first: bool = False,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        positive_sizes("MultiheadAttention", embed_dim=embed_dim, num_heads=num_heads)
        probability("MultiheadAttention", dropout)
        if embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: embed_dim={embed_dim} is no multiple of num_heads={num_heads}"
            )
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.has_dropout = dropout > 0
        self.batch_first = batch_first
        self.generator = generator
        self.in_proj_weight = init.xavier_uniform((3 * embed_dim, embed_dim), dtype, generator)
        self.in_proj_bias = np.zeros(3 * embed_dim, dtype or np.float32) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype, generator)
        if self.out_proj.bias is not None:
            self.out_proj.bias[...] = 0

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
    ) -> Any:
        size = self.in_proj_weight.shape[1]
        weight, bias = self.in_proj_weight.reshape(3, size, size), self.in_proj_bias
        if bias is not None:
            bias = bias.reshape(3, size)
        projected = []
        for part, x in enumerate((query, key, value)):
            self.check_shape(x)
            y = F.linear(x, weight[part], None if bias is None else bias[part])
            projected.append(self.heads(y))
        q, k, v = projected
        result, weights = self.attend(q, k, v, attn_mask, key_padding_mask)
        if not need_weights:
            return result, None
        return result, np.mean(weights, axis=1) if average_attn_weights else weights

    def check_shape(self, x: Any) -> None:
        if x.ndim != 3 or x.shape[2] != self.in_proj_weight.shape[1]:
            order = "N, L" if self.batch_first else "L, N"
            raise ValueError(
                f"MultiheadAttention: expected arrays of shape ({order}, {self.embed_dim}), "
                f"got {x.shape}"
            )

    def self_attention(self, x: Any, attn_mask: Any = None, key_padding_mask: Any = None) -> Any:
        """`forward` of x three times, with one product of matrices for all three projections."""
        self.check_shape(x)
        y = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        first, second, size = x.shape
        y = y.reshape(first, second, 3, self.num_heads, size // self.num_heads)
        y = y.transpose(2, 0, 3, 1, 4) if self.batch_first else y.transpose(2, 1, 3, 0, 4)
        result, _ = self.attend(y[0], y[1], y[2], attn_mask, key_padding_mask)
        return result

    def heads(self, x: Any) -> Any:
        """(N, heads, L, E / heads), of a projection."""
        first, second, size = x.shape
        x = x.reshape(first, second, self.num_heads, size // self.num_heads)
        return x.transpose(0, 2, 1, 3) if self.batch_first else x.transpose(1, 2, 0, 3)

    def attend(self, q: Any, k: Any, v: Any, attn_mask: Any, key_padding_mask: Any) -> Any:
        """The projected result in the layout of the arguments, and the weights of each head."""
        scores = q * (self.embed_dim // self.num_heads) ** -0.5 @ np.swapaxes(k, -1, -2)
        weights = F.softmax(with_masks(scores, attn_mask, key_padding_mask))
        if self.training and self.has_dropout:
            weights = F.dropout(weights, self.dropout, True, self.generator)
        y = weights @ v
        samples, _, length, _ = y.shape
        size = self.in_proj_weight.shape[1]
        if self.batch_first:
            y = y.transpose(0, 2, 1, 3).reshape(samples, length, size)
        else:
            y = y.transpose(2, 0, 1, 3).reshape(length, samples, size)
        return self.out_proj(y), weights

    def extra_repr(self) -> str:
        return f"{self.embed_dim}, {self.num_heads}, dropout={self.dropout}"


class TransformerEncoderLayer(Module):
    """Self-attention and a network of two layers, each with a sum around it and normalisation.

    x: (L, N, d_model), or (N, L, d_model) with batch_first. src_mask and src_key_padding_mask are
    the masks of `MultiheadAttention`. activation: "relu", "gelu" or a function.

    >>> import numpy as np
    >>> from adjoint import nn
    >>> layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    >>> layer(np.ones((3, 5, 8), np.float32)).shape
    (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        if isinstance(activation, str):
            if activation not in _ACTIVATIONS:
                raise ValueError(
                    'TransformerEncoderLayer: activation must be "relu", "gelu" or a function, '
                    f"got {activation!r}"
                )
            activation = _ACTIVATIONS[activation]
        options = {"dtype": dtype, "generator": generator}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first, dtype, generator
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **options)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **options)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout = Dropout(dropout, generator)
        self.dropout1 = Dropout(dropout, generator)
        self.dropout2 = Dropout(dropout, generator)
        self.activation = activation
        self.norm_first = norm_first

    def forward(self, x: Any, src_mask: Any = None, src_key_padding_mask: Any = None) -> Any:
        if self.norm_first:
            y = self.self_attn.self_attention(self.norm1(x), src_mask, src_key_padding_mask)
            x = x + self.dropout1(y)
            return x + self.dropout2(self.feed_forward(self.norm2(x)))
        y = self.self_attn.self_attention(x, src_mask, src_key_padding_mask)
        x = self.norm1(x + self.dropout1(y))
        return self.norm2(x + self.dropout2(self.feed_forward(x)))

    def feed_forward(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


_ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}
