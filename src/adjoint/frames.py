"""Room on Python's stack, for as long as it is needed.

The recursion limit is one for all threads. So it is raised when the first asks for room, and put
back when the last has left, unless someone else has set it meanwhile.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Up to Python 3.10 each frame takes some 500 bytes of the 8 MB that the system's stack has.
MANY = 20_000 if sys.version_info >= (3, 11) else 9_000

_lock = threading.Lock()
_users = 0
_before = 0  # the limit that is put back
_raised = 0  # the limit that was set here


@contextmanager
def room_for(frames: int) -> Iterator[None]:
    """Let so many more frames than usual be on the stack.

    >>> limit = sys.getrecursionlimit()
    >>> with room_for(500):
    ...     sys.getrecursionlimit() - limit
    500
    >>> sys.getrecursionlimit() - limit
    0
    """
    global _users, _before, _raised
    with _lock:
        if _users == 0:
            _before = sys.getrecursionlimit()
        _users += 1
        if _before + frames > sys.getrecursionlimit():
            _raised = _before + frames
            sys.setrecursionlimit(_raised)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0 and sys.getrecursionlimit() == _raised:
                sys.setrecursionlimit(_before)


def _renew() -> None:
    """After a fork, a thread that held the lock does not exist in the new process."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
