"""What generated code calls inside `detect_anomaly`, after each value that it has computed."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..anomaly import wrong_part
from ..errors import AnomalyError

_SWEEPS = {
    "forward": "It is computed in the forward sweep.",
    "backward": "It is computed in the backward sweep, where this line is differentiated.",
    "tangent": "It is computed for the tangent of this line.",
}


def check_nan(value: Any, name: str, sweep: str = "forward") -> None:
    """Refuse nan."""
    error = anomaly_in(value, _described(name, sweep), sweep, infinite=False)
    if error is not None:
        raise error


def check_finite(value: Any, name: str, sweep: str = "forward") -> None:
    """Refuse nan and infinite values."""
    error = anomaly_in(value, _described(name, sweep), sweep, infinite=True)
    if error is not None:
        raise error


def _described(name: str, sweep: str) -> str:
    if sweep == "backward" and name.startswith("d_"):
        return f"the cotangent `{name}`"
    return f"the tangent `{name}`" if sweep == "tangent" else f"`{name}`"


def anomaly_in(value: Any, what: str, sweep: str, infinite: bool) -> AnomalyError | None:
    found = wrong_part(value, infinite)
    return None if found is None else AnomalyError(f"{what} {found}", None, _SWEEPS[sweep])


# Functions that compute nothing: their result holds what was there, or what nobody has set yet.
_HAND_ON: frozenset[Any] = frozenset(
    {
        operator.getitem, np.copy, np.ndarray.copy, np.array, np.asarray, np.asanyarray,
        np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze,
        np.broadcast_to, np.empty, np.empty_like, np.full, np.full_like,
        np.zeros, np.zeros_like, np.ones, np.ones_like,
    }
)  # fmt: skip


def hands_on(fn: Any) -> bool:
    """Whether a function computes nothing of its own."""
    try:
        return fn in _HAND_ON
    except TypeError:  # a callable that has no hash
        return False
