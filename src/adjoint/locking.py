"""One thread compiles at a time.

The passes use tables and trees that threads would get in each other's way with. As they are Python
code, they would not run faster side by side.
"""

from __future__ import annotations

import os
import threading

_lock = threading.RLock()


def compiling() -> threading.RLock:  # type: ignore[valid-type]
    """The lock to hold while something is compiled; a thread may take it again."""
    return _lock


def _renew() -> None:
    """After a fork, the thread that held the lock does not exist in the new process."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
