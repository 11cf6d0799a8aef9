"""The epoch that direct calls are made in: each is good only for its own (`direct.py`).

A rule that a user gives, or takes away, begins another one. While a thread lets derivatives check
their values (`anomaly.py`) there is none, and each call asks what code it needs.
"""

from __future__ import annotations

import itertools
import threading

number: int | None = 0

_numbers = itertools.count(1)
_suspended = False
_lock = threading.RLock()


def begin() -> None:
    """End the present epoch, and begin another."""
    global number
    with _lock:
        number = None if _suspended else next(_numbers)


def suspend(suspended: bool) -> None:
    """Let there be no epoch, or let there be one again."""
    global _suspended
    with _lock:
        _suspended = suspended
        begin()
