"""Masks of attention in the form of PyTorch's modules, as numbers that are added to scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..types import array_module, array_namespace
from .constant import constant


@constant
def blocked(scores: Any, attn_mask: Any, key_padding_mask: Any) -> Any:
    """What is added to scores, (N, heads, L, S): -inf where attention may not go.

    attn_mask: (L, S) or (N * heads, L, S). key_padding_mask: (N, S). Both bools, True where
    attention may not go, or numbers that are added; either may be None.
    """
    xp = array_namespace(array_module(type(scores)) or "numpy")
    samples, heads, length, positions = scores.shape
    added = xp.zeros((1, 1, 1, 1), scores.dtype)
    if attn_mask is not None:
        if attn_mask.shape not in ((length, positions), (samples * heads, length, positions)):
            raise ValueError(
                f"expected attn_mask of shape {(length, positions)} or "
                f"{(samples * heads, length, positions)}, got {attn_mask.shape}"
            )
        shape = (1, 1) if attn_mask.ndim == 2 else (samples, heads)
        added = added + _numbers(attn_mask, scores.dtype, xp).reshape(*shape, length, positions)
    if key_padding_mask is not None:
        if key_padding_mask.shape != (samples, positions):
            raise ValueError(
                f"expected key_padding_mask of shape {(samples, positions)}, "
                f"got {key_padding_mask.shape}"
            )
        padding = _numbers(key_padding_mask, scores.dtype, xp)
        added = added + padding.reshape(samples, 1, 1, positions)
    return added


def _numbers(mask: Any, dtype: Any, xp: Any) -> Any:
    if mask.dtype == bool:
        return xp.where(mask, dtype.type(-np.inf), dtype.type(0))
    return mask.astype(dtype)
