"""The operators by name, so that the compiler knows them where they are called inside a function.

`api.py` enters what it defines here. The compiler looks it up without importing `api.py`, which
imports the compiler.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

OPERATORS: dict[Any, str] = {}  # function, or class of what an operator makes -> its name


def operator(name: str) -> Callable[[F], F]:
    """Enter the decorated function, or class, as the operator of this name."""

    def enter(made: F) -> F:
        OPERATORS[made] = name
        return made

    return enter


def operator_of(value: Any) -> str | None:
    """The name of the operator that a value is; "derivative" for what an operator has made."""
    try:
        return OPERATORS.get(value) or OPERATORS.get(type(value))
    except TypeError:  # not hashable
        return None
