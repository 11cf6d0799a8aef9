"""The checks of `detect_anomaly` in the recorded form: of each operation, as it is noted."""

from __future__ import annotations

from typing import Any

from .. import anomaly
from ..errors import Origin
from ..rules.advice import name_of
from ..runtime.checks import anomaly_in, hands_on
from . import origins


def check_value(fn: Any, value: Any) -> None:
    """Refuse what an operation of the user's has computed."""
    if not hands_on(fn):
        _check(value, f"the result of `{name_of(fn)}`", "forward", None)


def check_tangent(value: Any) -> None:
    """Refuse the tangent of what has just been computed."""
    _check(value, "the tangent", "tangent", None)


def check_cotangents(fn: Any, values: Any, origin: Origin | None) -> None:
    """Refuse what the backward sweep has computed for the operands of an operation."""
    _check(values, f"a cotangent of the operands of `{name_of(fn)}`", "backward", origin)


def _check(value: Any, what: str, sweep: str, origin: Origin | None) -> None:
    checked = anomaly.checks()
    if checked is None:
        return
    for part in value if isinstance(value, (list, tuple)) else (value,):
        error = anomaly_in(part, what, sweep, infinite=checked == "inf")
        if error is not None:
            error.locate(origin or origins.here())
            raise error
