"""Clipping of gradients: by their norm as one vector, or element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import tree


def clip_grad_norm_(
    grads: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Scale gradients in place so that their norm is at most `max_norm`; returns the norm before.

    grads: a tree of arrays, taken as one vector; an array that occurs twice counts once.
    norm_type: the p of the p-norm; `math.inf` for the largest absolute value.
    error_if_nonfinite: raise ValueError, and change nothing, if the norm is infinite or nan.
        Otherwise gradients become nan or 0 then, as in PyTorch.

    The factor is `max_norm / (norm + 1e-6)`, and at most 1, as in torch.nn.utils.
    Pascanu et al. (2013), "On the difficulty of training recurrent neural networks", section 3.2.

    Raises ValueError for a `max_norm` below 0 and for arrays that cannot be changed.

    >>> grads = {"w": np.array([3.0, 0.0]), "b": np.array([4.0])}
    >>> clip_grad_norm_(grads, 1.0)
    5.0
    >>> grads["w"].round(3), grads["b"].round(3)
    (array([0.6, 0. ]), array([0.8]))
    """
    arrays = _writeable(grads)
    factor, norm = _factor(arrays, max_norm, norm_type, error_if_nonfinite)
    if factor != 1:
        for g in arrays:
            np.multiply(g, factor, out=g)
    return norm


def clip_grad_norm(
    grads: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> tuple[Any, float]:
    """(clipped gradients as new arrays, norm before); otherwise as `clip_grad_norm_`."""
    arrays = list(_named_once(grads).values())
    factor, norm = _factor(arrays, max_norm, norm_type, error_if_nonfinite)
    return tree.map(lambda g: g * factor, grads), norm


def clip_grad_value_(grads: Any, clip_value: float) -> None:
    """Bring each element of gradients, in place, between `-clip_value` and `clip_value`.

    Raises ValueError for a `clip_value` below 0 and for arrays that cannot be changed.

    >>> grads = [np.array([3.0, -0.5]), np.array([-4.0])]
    >>> clip_grad_value_(grads, 1.0)
    >>> grads
    [array([ 1. , -0.5]), array([-1.])]
    """
    _check_bound("clip_value", clip_value)
    for g in _writeable(grads):
        np.clip(g, -float(clip_value), float(clip_value), out=g)


def clip_grad_value(grads: Any, clip_value: float) -> Any:
    """New gradients, each element between `-clip_value` and `clip_value`."""
    _check_bound("clip_value", clip_value)
    return tree.map(lambda g: np.clip(g, -float(clip_value), float(clip_value)), grads)


def _factor(
    arrays: list[Any], max_norm: float, norm_type: float, error_if_nonfinite: bool
) -> tuple[float, float]:
    _check_bound("max_norm", max_norm)
    if not norm_type > 0:
        raise ValueError(f"norm_type must be greater than 0, got {norm_type!r}")
    norm = _norm([_array_norm(g, norm_type) for g in arrays], norm_type)
    if error_if_nonfinite and not math.isfinite(norm):
        raise ValueError(f"the norm of the gradients is {norm}, and they cannot be clipped")
    factor = max_norm / (norm + 1e-6)
    return (1.0 if factor > 1 else factor), norm  # nan stays nan


def _array_norm(g: Any, p: float) -> float:
    if g.size == 0:
        return 0.0
    if p == math.inf:
        return float(abs(g).max())
    if p == 2 and g.dtype.itemsize > 2:
        squares = float(np.vdot(g, g))
        if 1e-30 < squares < math.inf:
            return math.sqrt(squares)
    # What over- or underflows in the dtype of the gradient is scaled first.
    largest = float(abs(g).max())
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * float((abs(g / largest).astype(np.float64) ** p).sum()) ** (1 / p)


def _norm(norms: list[float], p: float) -> float:
    if any(math.isnan(norm) for norm in norms):
        return math.nan
    if p == math.inf:
        return max(norms, default=0.0)
    if p == 2:
        return math.hypot(*norms)
    largest = max(norms, default=0.0)
    if largest == 0 or math.isinf(largest):
        return largest
    return largest * math.fsum((norm / largest) ** p for norm in norms) ** (1 / p)


def _named_once(grads: Any) -> dict[str, Any]:
    """The gradients by name, each array once."""
    once: dict[int, tuple[str, Any]] = {}
    for name, g in tree.named_leaves(grads).items():
        if not hasattr(g, "dtype") or g.dtype.kind != "f":
            what = getattr(g, "dtype", type(g).__name__)
            raise TypeError(f"gradient {name or '0'} is no array of floats: {what}")
        once.setdefault(id(g), (name or "0", g))
    return dict(once.values())


def _writeable(grads: Any) -> list[Any]:
    named = _named_once(grads)
    for name, g in named.items():
        if isinstance(g, np.generic) or (isinstance(g, np.ndarray) and not g.flags.writeable):
            raise ValueError(f"gradient {name} is read-only, and cannot be clipped in place")
    return list(named.values())


def _check_bound(name: str, value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{name} must be at least 0, got {value!r}")
