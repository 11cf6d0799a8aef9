"""`detect_anomaly`: derivatives whose code checks each value for nan as soon as it is computed.

The mode belongs to the thread, and is part of what compiled code is kept by: code with checks is
other code. Outside of the mode nothing is checked, and nothing is slower.
"""

from __future__ import annotations

import threading
from typing import Any

from . import epoch


class _Mode(threading.local):
    checks: str | None = None  # "nan", or "inf" for both


_mode = _Mode()
_lock = threading.Lock()
threads = 0  # that are in the mode: while it is 0, nobody has to ask


def checks() -> str | None:
    """What this thread checks for: "nan", "inf" for both, None for nothing."""
    return _mode.checks


class detect_anomaly:
    """Let derivatives stop at the first value that is nan, with the line that has computed it.

    check_inf: stop at infinite values too.

    Inside the `with` block each value of the forward and the backward sweep is checked as soon as
    it is computed. AnomalyError, which is a FloatingPointError too, shows the line of your file.
    Outside nothing is checked, and nothing is slower. It holds for the thread that asks for it.

    Called as a statement, detect_anomaly() holds until detect_anomaly(False).

    >>> import numpy as np
    >>> import adjoint as ad
    >>> def loss(x):
    ...     root = np.sqrt(x)
    ...     return np.sum(root)
    >>> try:
    ...     with np.errstate(invalid="ignore"), ad.detect_anomaly():
    ...         ad.value_and_grad(loss)(np.array([4.0, -1.0]))
    ... except ad.AnomalyError as error:
    ...     print(error.what)
    `root` is nan in 1 of 2 elements
    """

    def __init__(self, mode: bool = True, check_inf: bool = False) -> None:
        self._before = _mode.checks
        _set(("inf" if check_inf else "nan") if mode else None)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        _set(self._before)


def _set(checked: str | None) -> None:
    global threads
    with _lock:
        threads += (checked is not None) - (_mode.checks is not None)
        epoch.suspend(threads > 0)
    _mode.checks = checked


def wrong_part(value: Any, infinite: bool) -> str | None:
    """Says which part of a number or an array is nan; None where it is all right."""
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        if not isinstance(value, (float, complex)):
            return None
        parts = (value.real, value.imag)
        if any(p != p for p in parts):
            return "is nan"
        return "is infinite" if infinite and any(abs(p) == _INF for p in parts) else None
    if dtype.kind not in "fc":
        return None
    wrong, word = value != value, "nan"
    if infinite and not bool(wrong.any()):
        wrong, word = abs(value) == _INF, "infinite"
    count = int(wrong.sum())
    if not count:
        return None
    return f"is {word}" if value.ndim == 0 else f"is {word} in {count} of {value.size} elements"


_INF = float("inf")
