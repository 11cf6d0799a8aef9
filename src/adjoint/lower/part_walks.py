"""Methods that give the parts of an object, as `parameters()` of a module does, without their code.

They read `__dict__`, of which nothing is known here; what they give is known from the type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import core
from ..core import Atom
from ..infer import constant
from ..types import Struct


def walk(lowering: Any, owner: Atom, name: str) -> Atom | None:
    """What the method gives; None if it is another than that of the class that tells of it."""
    t = owner.type
    assert isinstance(t, Struct)
    teller = next((c for c in t.cls.__mro__ if "__tree_walks__" in vars(c)), None)
    if teller is None or name not in vars(teller)["__tree_walks__"]:
        return None
    if next(c for c in t.cls.__mro__ if name in vars(c)) is not teller:
        return None
    if "children" in name:
        found = [(k, lowering.item(owner, k)) for k, part in _items(t) if isinstance(part, Struct)]
    else:
        wanted = Struct if "modules" in name else object
        found = [
            (".".join(path), part)
            for path, part in _within(lowering, owner, (), dict(t.ties))
            if isinstance(part.type, Struct) == (wanted is Struct)
        ]
    if name.startswith("named_"):
        pairs = [lowering.op(core.TUPLE, constant(path), part) for path, part in found]
        return lowering.op(core.TUPLE, *pairs)  # type: ignore[no-any-return]
    parts = [part for _, part in found]
    return lowering.op(core.LIST if name == "parameters" else core.TUPLE, *parts)  # type: ignore[no-any-return]


def _items(t: Struct) -> Iterator[tuple[str, Any]]:
    return zip(t.keys or (), t.items, strict=True)


def _within(
    lowering: Any, part: Atom, path: tuple[str, ...], again: dict[Any, Any]
) -> Iterator[tuple[tuple[str, ...], Atom]]:
    """An object and all parts in it, those at two places once, with the ways to them."""
    yield path, part
    if isinstance(part.type, Struct):
        for key in part.type.keys or ():
            if (*path, key) not in again:
                yield from _within(lowering, lowering.item(part, key), (*path, key), again)
