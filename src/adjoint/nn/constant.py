"""Functions that are called as they are, and that no derivative goes through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def constant(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function whose result counts as a constant, whatever it is given.

    Other than a function with no derivative by nature, such as np.argmax, it may draw numbers or
    change arrays, so each call of it is made. Its arguments are no copies.
    """
    function.__adjoint_constant__ = True  # type: ignore[attr-defined]
    return function
