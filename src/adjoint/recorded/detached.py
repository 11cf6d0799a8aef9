"""Copies that stand for memory which a derivative cannot follow into."""

from __future__ import annotations

import weakref
from typing import Any

from .memory import owner_of


class Detached:
    """Constant copies of active memory, which stand for the memory itself until it is changed."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}  # owner of a copy -> a reference to it
        self._copies: dict[int, list[Any]] = {}  # owner -> references to the copies of its memory

    def add(self, array: Any, copied: Any) -> None:
        self._made[id(owner_of(copied))] = weakref.ref(owner_of(copied))
        for one, other in ((array, copied), (copied, array)):
            kept = self._copies.setdefault(id(owner_of(one)), [])
            kept.append((weakref.ref(owner_of(one)), weakref.ref(owner_of(other))))

    def is_at_stake(self, array: Any) -> bool:
        """Whether a change of this array ought to be seen in a copy that is still in use."""
        owner = owner_of(array)
        found = self._copies.get(id(owner), ())
        return any(one() is owner and other() is not None for one, other in found)

    def is_copy(self, array: Any) -> bool:
        """Whether an array is such a copy, or a part of one.

        Who keeps its values, and not what is seen in it later, keeps a copy of these: while it is
        alive, the memory that it stands for cannot be changed.
        """
        owner = owner_of(array)
        made = self._made.get(id(owner))
        return made is not None and made() is owner
