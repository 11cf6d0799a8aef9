"""What an object with parts holds at two places: tied weights, and parts in other attributes.

Identity decides: one array, or one object, at two places. A network of which the decoder has the
weight of the encoder has one weight, and the gradient by it is the sum of what both uses give.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

from .structs import is_struct

Path = tuple[str, ...]

_NUMBERS = (float, complex, int, type(None))


class Circular(Exception):
    """An object is a part of itself."""


def ties(value: Any) -> tuple[tuple[Path, Path], ...]:
    """(place, the first place) of each array or object that is a part once more."""
    first: dict[int, Path] = {}
    found: list[tuple[Path, Path]] = []
    around: set[int] = set()

    def visit(part: Any, path: Path) -> None:
        if part.__class__ in _NUMBERS:
            return
        if id(part) in around:
            raise Circular(".".join(path))
        if id(part) in first:
            found.append((path, first[id(part)]))
            return
        first[id(part)] = path
        if is_struct(part.__class__):
            around.add(id(part))
            for name, child in part.__tree_flatten__().items():
                visit(child, (*path, name))
            around.discard(id(part))

    visit(value, ())
    return tuple(found)


def part_at(value: Any, path: Path) -> Any:
    """The part of an object at a path of names."""
    for name in path:
        value = value.__tree_flatten__()[name]
    return value


def has_ties(value: Any) -> bool:
    """Whether an object, or one in a container, has a part at two places."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return any(map(has_ties, value))
    return is_struct(value.__class__) and bool(ties(value))


def parts_within(value: Any) -> Iterator[tuple[str, Any]]:
    """An object and all parts in it that are no numbers, with dotted names, some several times."""

    def visit(part: Any, name: str) -> Iterator[tuple[str, Any]]:
        if part.__class__ in _NUMBERS:
            return
        yield name, part
        if is_struct(part.__class__):
            for key, child in part.__tree_flatten__().items():
                yield from visit(child, f"{name}.{key}" if name else key)

    return visit(value, "")


def held_beside(value: Any) -> str | None:
    """The name of an attribute that is no part and holds one: a list of layers that are parts.

    What is read through it is a part all the same, though nothing tells which.
    """
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return next(filter(None, map(held_beside, value)), None)
    if not is_struct(value.__class__):
        return None
    within = list(parts_within(value))
    known = {id(part) for _, part in within}
    for prefix, part in within:
        if not is_struct(part.__class__):
            continue
        children = part.__tree_flatten__()
        for name, attribute in part.__dict__.items():
            if name not in children and holds(attribute, known):
                return f"{prefix}.{name}" if prefix else name
    return None


_DEEPEST = 5


def holds(value: Any, known: Any, depth: int = _DEEPEST) -> bool:
    """Whether a value is, or holds, one of the objects whose identities are known."""
    cls = value.__class__
    if cls in _PLAIN:
        return False
    if id(value) in known:
        return True
    return depth > 0 and any(holds(part, known, depth - 1) for part in _inside(value))


_PLAIN = frozenset({bool, int, float, complex, str, bytes, type(None), type})


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if isinstance(value, types.MethodType):
        return [value.__self__]
    if isinstance(value, types.FunctionType):
        cells = value.__closure__ or ()
        return [cell.cell_contents for cell in cells if _is_filled(cell)]
    if isinstance(value, (type, types.ModuleType)):
        return []
    return list(getattr(value, "__dict__", {}).values())


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


class Unfollowed(Exception):
    """An attribute holds a part in a way that a copy cannot have."""


class Copies:
    """Copies of objects with parts, in which what was at two places is at two places again.

    leaf: makes the copy of an array or number among the parts.
    beside: that of an array among the other attributes, which nothing is differentiated by.

    `made` tells of each copy what it is a copy of.
    """

    def __init__(
        self, leaf: Callable[[Any], Any], beside: Callable[[Any], Any] = lambda value: value
    ) -> None:
        self.leaf, self.beside = leaf, beside
        self.made: list[tuple[Any, Any]] = []  # (copy, original)
        self._known: dict[int, Any] = {}  # id of an original -> its copy
        self._kept: list[Any] = []

    def parts(self, value: Any) -> Any:
        """A copy with other parts; the other attributes are those that it has."""
        return self._part(value)

    def copy(self, value: Any) -> Any:
        made = self._part(value)
        done = 0
        while done < len(self.made):
            copied, original = self.made[done]
            done += 1
            if is_struct(original.__class__):
                self._attributes(copied, original)
        return made

    def _part(self, value: Any) -> Any:
        if value.__class__ in _NUMBERS:
            return self.leaf(value)
        if id(value) not in self._known:
            if is_struct(value.__class__):
                parts = {k: self._part(v) for k, v in value.__tree_flatten__().items()}
                made = value.__tree_unflatten__(parts)
            else:
                made = self.leaf(value)
            self._known[id(value)] = made
            self.made.append((made, value))
        return self._known[id(value)]

    def _attributes(self, made: Any, original: Any) -> None:
        parts = original.__tree_flatten__()
        for name, attribute in original.__dict__.items():
            if name in parts or attribute.__class__ in _PLAIN:
                continue
            copied = self._other(attribute, name)
            if copied is not attribute:
                made.__dict__[name] = copied

    def _other(self, value: Any, name: str) -> Any:
        cls = value.__class__
        if cls in _PLAIN:
            return value
        if id(value) in self._known:
            return self._known[id(value)]
        if isinstance(value, dict):
            found = {k: self._other(v, name) for k, v in value.items()}
            if all(v is found[k] for k, v in value.items()):
                return value
            made: Any = found
        elif isinstance(value, (list, tuple)):
            items = [self._other(v, name) for v in value]
            if all(a is b for a, b in zip(items, value)):
                return value
            made = items if isinstance(value, list) else _tuple_like(value, items)
        elif isinstance(value, types.MethodType):
            owner = self._other(value.__self__, name)
            if owner is value.__self__:
                return value
            made = types.MethodType(value.__func__, owner)
        elif is_struct(cls):
            return self._part(value) if holds(value, self._known) else value
        elif hasattr(value, "dtype") and hasattr(value, "shape"):
            made = self.beside(value)
            if made is value:
                return value
        elif holds(value, self._known):
            raise Unfollowed(name)
        else:
            return value
        self._known[id(value)] = made
        self.made.append((made, value))
        return made


def _tuple_like(value: Any, items: list[Any]) -> Any:
    return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
