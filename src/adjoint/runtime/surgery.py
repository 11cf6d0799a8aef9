"""What generated code calls where a user changes a cotangent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import CotangentError
from .generic import fit


def hooked(d: Any, hook: Callable[[Any], Any]) -> Any:
    """The cotangent that a hook makes of `d`; the same, if it returns None."""
    return replaced(hook(d), d)


def replaced(new: Any, d: Any) -> Any:
    """What takes the place of the cotangent `d`, in its dtype; None leaves it as it is."""
    if new is None or new is d:
        return d
    if isinstance(d, (list, tuple, dict)):
        if type(new) is not type(d) or len(new) != len(d):
            raise CotangentError(
                f"a hook makes a {type(new).__name__} of a cotangent that is a {type(d).__name__}"
            )
        return new
    if np.shape(new) != np.shape(d):
        raise CotangentError(
            f"a hook makes an array of shape {np.shape(new)} of a cotangent of shape {np.shape(d)}",
            None,
            "A cotangent keeps its shape; return None to leave it as it is.",
        )
    return fit(new, d)
