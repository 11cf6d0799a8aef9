"""What is asked of the compiler: which derivative, for arguments of which types."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

from . import anomaly
from .types import Type


@dataclass(frozen=True)
class Request:
    """Which derivative of a function is wanted, by which of its arguments."""

    mode: str  # "grad", "value_and_grad", "elementwise_grad", "vjp", "jvp" or "tangent"
    wrt: tuple[str, ...]
    single: bool = True  # one gradient, not a tuple of them
    has_aux: bool = False
    then: Request | None = None  # the derivative of that derivative
    checks: str | None = field(default_factory=anomaly.checks)  # of values, in detect_anomaly

    @property
    def is_gradient_only(self) -> bool:
        """Whether this is a gradient, and not the derivative of one."""
        return self.then is None and self.mode not in ("jvp", "tangent")


@dataclass(frozen=True)
class Argument:
    """One argument of the function that is compiled.

    `literal` arguments (flags, texts, None, functions, defaults) are compiled in by value.
    """

    name: str
    type: Type
    wrt: bool = False
    literal: bool = False
    value: Any = None
    given: bool = True  # by the caller; else it is the default
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
