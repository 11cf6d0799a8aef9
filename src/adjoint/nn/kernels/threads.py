"""Work on parts of a batch, each on a thread of its own.

NumPy lets other threads run while it computes, so parts of a batch can be worked on together. The
threads stay for the next call. There are as many as the process has cores, or as the environment
allows for BLAS: `OMP_NUM_THREADS` and `OPENBLAS_NUM_THREADS` are read at the first use.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

count: int | None = None  # how many threads work, the caller's included; None: not decided yet

_pool: Any = None
_own = threading.local()
_lock = threading.Lock()
_LINE = 64  # bytes of a line of the cache
_KEPT = 1 << 22  # bytes that a thread keeps at most


def over(n: int, work: Callable[[int, int], Any], worthwhile: bool = True) -> list[Any]:
    """What work(start, stop) returns for parts of range(n), in their order.

    An error in any part is raised when all parts have ended.

    >>> over(5, lambda start, stop: None, worthwhile=False)
    [None]
    """
    parts = min(n, _count()) if worthwhile else 1
    if parts <= 1:
        return [work(0, n)]
    bounds = [n * i // parts for i in range(parts + 1)]
    pool = _get_pool()
    # each runs in a copy of the caller's context, which has np.errstate
    others = [
        pool.submit(contextvars.copy_context().run, work, start, stop)
        for start, stop in zip(bounds[1:], bounds[2:])
    ]
    try:
        first = work(bounds[0], bounds[1])
    finally:
        for other in others:
            other.exception()  # waits
    return [first, *(other.result() for other in others)]


@contextmanager
def scratch(*sizes: int) -> Iterator[list[Any]]:
    """Memory for a while, as arrays of bytes: a thread's own, which it keeps for the next time.

    Fresh memory of this size costs more than what is computed in it, as the system clears it.
    """
    whole = sum(n + _LINE for n in sizes)
    memory = _own.__dict__.pop("memory", None)  # who asks within has to do without
    if memory is None or memory.nbytes < whole:
        memory = np.empty(whole, np.uint8)
    parts, start = [], 0
    for n in sizes:
        start += -(memory.ctypes.data + start) % _LINE
        parts.append(memory[start : start + n])
        start += n
    try:
        yield parts
    finally:
        if memory.nbytes <= _KEPT:
            _own.memory = memory


def _count() -> int:
    global count
    if count is None:
        count = _cores()
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
            if os.environ.get(name, "").isdigit():
                count = min(count, max(1, int(os.environ[name])))
    return count


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _get_pool() -> Any:
    global _pool
    with _lock:
        if _pool is None:
            from concurrent.futures import ThreadPoolExecutor

            _pool = ThreadPoolExecutor(max(1, _count() - 1), thread_name_prefix="adjoint")
        return _pool


def _forget() -> None:
    """A process that was forked has no threads but the one that it was forked by."""
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
