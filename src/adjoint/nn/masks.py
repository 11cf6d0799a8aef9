"""Masks of attention in the form of PyTorch's modules: True where attention may not go."""

from __future__ import annotations

from typing import Any

import numpy as np


def with_masks(scores: Any, attn_mask: Any, key_padding_mask: Any) -> Any:
    """Scores, (N, heads, L, S), which are -inf where attention may not go.

    attn_mask: (L, S) or (N * heads, L, S). key_padding_mask: (N, S). Both bools, True where
    attention may not go, or numbers that are added; either may be None.
    """
    samples, heads, length, positions = scores.shape
    if attn_mask is not None:
        if attn_mask.ndim == 2:
            check_shape("attn_mask", attn_mask, (length, positions))
        else:
            check_shape("attn_mask", attn_mask, (samples * heads, length, positions))
            attn_mask = attn_mask.reshape(samples, heads, length, positions)
        scores = masked(scores, attn_mask)
    if key_padding_mask is not None:
        check_shape("key_padding_mask", key_padding_mask, (samples, positions))
        scores = masked(scores, key_padding_mask.reshape(samples, 1, 1, positions))
    return scores


def masked(scores: Any, mask: Any) -> Any:
    """-inf where a mask of bools is True, or the sum with a mask of numbers."""
    if mask.dtype == bool:
        return np.where(mask, -np.inf, scores)
    if mask.dtype != scores.dtype:
        mask = mask.astype(scores.dtype)
    return scores + mask


def check_shape(name: str, mask: Any, expected: tuple[int, ...]) -> None:
    if mask.shape != expected:
        raise ValueError(
            f"MultiheadAttention: expected {name} of shape {expected}, got {mask.shape}"
        )
