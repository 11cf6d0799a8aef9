"""Attention (Vaswani et al. 2017, section 3.2)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .activations import softmax
from .regularisation import dropout


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
) -> Any:
    """softmax(query @ key.T / sqrt(E)) @ value, for each sample and head.

    query: (..., L, E). key: (..., S, E). value: (..., S, V). The result is (..., L, V).
    attn_mask: (L, S) or broadcast to (..., L, S): bools, True where attention may go, or numbers
    that are added to the scores. is_causal: position l attends to positions up to l.

    >>> import numpy as np
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> scaled_dot_product_attention(x, x, x, is_causal=True).round(4)
    array([[1.    , 0.    ],
           [0.3302, 0.6698]])
    """
    scores = query * (1 / math.sqrt(query.shape[-1])) @ np.swapaxes(key, -1, -2)
    if is_causal:
        length, positions = scores.shape[-2:]
        scores = np.where(np.tri(length, positions, dtype=bool), scores, -np.inf)
    if attn_mask is not None:
        if attn_mask.dtype == bool:
            scores = np.where(attn_mask, scores, -np.inf)
        else:
            scores = scores + attn_mask
    weights = softmax(scores)
    if dropout_p > 0:
        weights = dropout(weights, dropout_p)
    return weights @ value
