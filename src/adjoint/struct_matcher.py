"""A function made for one object with parts: whether another has the same signature.

A network is an argument of every step of its training. Walking its attributes in general takes
ten times as long as asking for just what was found there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .runtime.structs import is_struct


def struct_matcher(
    value: Any, is_fixed: Callable[[Any], bool], same: Callable[[Any, Any], bool]
) -> Callable[[Any], bool] | None:
    """None where an attribute cannot be told in this way, such as a list.

    It may say no where the signatures are equal.
    """
    made = _Matcher(is_fixed, same)
    try:
        made.object(value, "a")
    except _Unknown:
        return None
    return made.function()


class _Unknown(Exception):
    pass


class _Matcher:
    def __init__(self, is_fixed: Callable[[Any], bool], same: Callable[[Any, Any], bool]) -> None:
        self.is_fixed = is_fixed
        self.known: dict[str, Any] = {"_ndarray": np.ndarray, "same": same}
        self.lines: list[str] = []
        self.places: dict[int, str] = {}  # objects and arrays: the variables that hold them

    def function(self) -> Callable[[Any], bool]:
        ids = ", ".join(f"id({name})" for name in self.places.values())
        lines = ["def matches(a):", *self.lines, f"return len({{{ids}}}) == {len(self.places)}"]
        exec("\n    ".join(lines), self.known)
        return self.known["matches"]  # type: ignore[no-any-return]

    def name(self, value: Any) -> str:
        name = f"v{len(self.known)}"
        self.known[name] = value
        return name

    def require(self, test: str) -> None:
        self.lines.append(f"if {test}: return False")

    def object(self, value: Any, variable: str) -> None:
        self.places[id(value)] = variable
        self.require(f"{variable}.__class__ is not {self.name(value.__class__)}")
        table = f"{variable}_"
        self.lines.append(f"{table} = {variable}.__dict__")
        self.require(f"tuple({table}) != {self.name(tuple(value.__dict__))}")
        for position, (name, attribute) in enumerate(value.__dict__.items()):
            self.attribute(attribute, f"{table}[{name!r}]", f"{variable}_{position}")

    def attribute(self, value: Any, read: str, variable: str) -> None:
        cls = value.__class__
        if self.is_fixed(value) and not getattr(value, "__closure__", None):
            known = self.name(value)
            self.require(f"{read} is not {known} and not same({read}, {known})")
        elif cls is float or cls is complex:
            self.require(f"{read}.__class__ is not {cls.__name__}")
        elif cls is np.random.Generator:
            self.require(f"{read}.__class__ is not {self.name(cls)}")
        elif id(value) in self.places:
            self.require(f"{read} is not {self.places[id(value)]}")
        elif cls is np.ndarray:
            self.places[id(value)] = variable
            self.lines.append(f"{variable} = {read}")
            self.require(
                f"{variable}.__class__ is not _ndarray "
                f"or {variable}.shape != {self.name(value.shape)} "
                f"or {variable}.dtype is not {self.name(value.dtype)}"
            )
        elif is_struct(cls):
            self.lines.append(f"{variable} = {read}")
            self.object(value, variable)
        else:
            raise _Unknown
