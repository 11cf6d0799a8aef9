"""The types of the values that a program has at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FLOAT = "float"


@dataclass(frozen=True)
class Int:
    low: int  # bounds, both included
    high: int


@dataclass(frozen=True)
class Arr:
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Lst:
    item: Any
    n: int | None  # None: not known, at least 1


@dataclass(frozen=True)
class Tup:
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Dct:
    items: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Fn:
    params: tuple[Any, ...]
    names: tuple[str, ...]
    optional: int  # how many of the last parameters have defaults
    result: Any


@dataclass(frozen=True)
class Gen:
    """What a generator function returns: at least one item, at most n."""

    item: Any
    n: int


@dataclass(frozen=True)
class Obj:
    """An object of a class that the program defines."""

    name: str
    form: str  # "class", "dataclass" or "namedtuple"
    fields: tuple[tuple[str, Any], ...]
    # What it can do besides, as it becomes known: methods by name, and operators.
    methods: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)
    operators: set[str] = field(default_factory=set, compare=False, hash=False)


Type = Any


def size_of(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


def as_arguments(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"
