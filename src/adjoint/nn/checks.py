"""Checks of what layers are made with."""

from __future__ import annotations

import operator
from typing import Any


def positive_sizes(layer: str, **sizes: Any) -> None:
    """Refuse sizes that are no ints of at least 1."""
    for name, size in sizes.items():
        try:
            valid = operator.index(size) >= 1
        except TypeError:
            valid = False
        if not valid:
            raise ValueError(f"{layer}: {name} must be an int of at least 1, got {size!r}")


def probability(layer: str, p: float) -> None:
    """Refuse what is no probability."""
    if not 0 <= p <= 1:
        raise ValueError(f"{layer}: p must be from 0 to 1, got {p!r}")
