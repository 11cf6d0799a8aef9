"""The derivatives under way, one inside another, and what each knows of a value.

`grad` of a function that calls `grad` has two levels. An operation is noted at every level at
which an operand is active, the outermost first; what a level itself computes (its backward sweep,
its tangents) is noted at those outside it. So derivatives nest, and are not confused.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .detached import Detached
from .memory import Geometry, geometry_of, is_array, owner_of


class _State(threading.local):
    def __init__(self) -> None:
        self.levels: tuple[Level, ...] = ()  # the outermost first
        self.detached = Detached()


state = _State()


@contextmanager
def inside(level: Level) -> Iterator[None]:
    """Note what is computed in this block at one more level."""
    before = state.levels
    state.levels = (*before, level)
    if not before:
        state.detached = Detached()
    try:
        yield
    finally:
        state.levels = before


@contextmanager
def outside(level: Level) -> Iterator[None]:
    """Note what is computed in this block only at the levels around `level`."""
    before = state.levels
    if level in before:
        state.levels = before[: before.index(level)]
    try:
        yield
    finally:
        state.levels = before


@contextmanager
def constant() -> Iterator[None]:
    """What is computed in this block is constant; what is stored still overwrites.

    It is so for the derivatives under way, and not for one that is taken inside the block.
    """
    muted = state.levels
    for level in muted:
        level.muted += 1
    try:
        yield
    finally:
        for level in muted:
            level.muted -= 1


class Number:
    """An active number: a Python number or a NumPy scalar, known by its identity."""

    __slots__ = ("value", "index", "dtype")

    def __init__(self, value: Any, index: int) -> None:
        self.value = value  # kept, so that no other object gets its identity
        self.index = index
        self.dtype = getattr(value, "dtype", None)  # None for a Python number


class Memory:
    """Memory that holds an active array, known by its owner."""

    __slots__ = ("owner", "index", "dtype", "size", "module", "whole", "__weakref__")

    def __init__(self, owner: Any, index: int, forget: Callable[[Any], None]) -> None:
        self.owner = weakref.ref(owner, forget)
        self.index = index
        self.dtype = owner.dtype
        self.size = owner.size
        self.module = type(owner)
        self.whole = Geometry(0, owner.shape, owner.strides)


class View:
    """An active array: where in its memory it lies."""

    __slots__ = ("memory", "geometry")

    def __init__(self, memory: Memory, geometry: Geometry) -> None:
        self.memory = memory
        self.geometry = geometry

    @property
    def dtype(self) -> Any:
        return self.memory.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self.geometry.shape

    @property
    def is_whole(self) -> bool:
        return self.geometry == self.memory.whole


Place = Number | View


class Level:
    """What one derivative knows: which numbers and which memory are active."""

    def __init__(self) -> None:
        self.numbers: dict[int, Number] = {}
        self.memories: dict[int, Memory] = {}
        self.count = 0
        self.muted = 0  # how many `no_grad` blocks are open
        self.shows = False  # whether an active value was made a text
        self.failure: BaseException | None = None  # what ended the derivative
        self.changed: set[int] = set()  # owners whose memory was changed

    def place(self, value: Any) -> Any:
        """Where the derivative of a value is kept; None for a constant.

        Of a list or tuple, a list of the places of its elements, of a dict a dict; None if all are
        constants.
        """
        if is_array(value):
            return self.place_of_array(value)
        if isinstance(value, (list, tuple)):
            places = [self.place(v) for v in value]
            return None if all(p is None for p in places) else places
        if isinstance(value, dict):
            found = {k: self.place(v) for k, v in value.items()}
            return None if all(p is None for p in found.values()) else found
        return self.numbers.get(id(value))

    def place_of_array(self, array: Any) -> View | None:
        if not self.memories:
            return None
        owner = owner_of(array)
        memory = self.memories.get(id(owner))
        if memory is None:
            return None
        if array is owner:
            return View(memory, memory.whole)
        if array.dtype != memory.dtype:
            if array.dtype.kind not in "fc":
                return None
            raise _reinterpreted()
        return View(memory, geometry_of(array, owner))

    def is_active(self, value: Any) -> bool:
        """Whether a value, or a part of it, is active."""
        cls = value.__class__
        if cls is np.ndarray:
            return bool(self.memories) and id(owner_of(value)) in self.memories
        if cls is list or cls is tuple:
            return any(map(self.is_active, value))
        if id(value) in self.numbers:
            return True
        if is_array(value):
            return id(owner_of(value)) in self.memories
        if isinstance(value, (list, tuple)):
            return any(map(self.is_active, value))
        if isinstance(value, dict):
            return any(map(self.is_active, value.values()))
        return False

    def activate(self, value: Any) -> Place:
        """Make a new number, or the memory of an array, active."""
        if is_array(value):
            owner = owner_of(value)
            known = self.memories.get(id(owner))
            if known is None:
                known = self._remember(owner)
            if value is owner:
                return View(known, known.whole)
            if value.dtype != known.dtype:
                raise _reinterpreted()
            return View(known, geometry_of(value, owner))
        number = Number(value, self.next_index())
        self.numbers[id(value)] = number
        return number

    # What a level is told; nothing of it concerns a level that keeps no notes.

    def note(self, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> None:
        """`value` is fn(*args, **kwargs)."""
        raise NotImplementedError

    def note_element(self, x: Any, index: Any, value: Any) -> None:
        """`value` is x[index], and no view."""
        raise NotImplementedError

    def note_store(self, x: Any, index: Any, value: Any) -> None:
        """x[index] = value; None for a constant."""
        raise NotImplementedError

    def note_add_at(self, x: Any, index: Any, value: Any) -> None:
        """np.add.at(x, index, value)"""
        raise NotImplementedError

    def note_setting(self, entry: Any) -> None:
        """A block of settings starts or ends."""

    def note_hook(
        self, x: Any, value: Any, hook: Callable[..., Any], values: tuple[Any, ...]
    ) -> None:
        """`value` is x, whose cotangent goes through a hook, which is given these values too."""
        raise NotImplementedError

    def before_change(self, x: Any) -> None:
        """The memory of an array is about to be changed."""
        self.changed.add(id(owner_of(x)))

    def next_index(self) -> int:
        self.count += 1
        return self.count - 1

    def _remember(self, owner: Any) -> Memory:
        memories, key = self.memories, id(owner)

        def forget(_: Any) -> None:
            memories.pop(key, None)  # an array that is gone leaves its identity to others

        known = memories[key] = Memory(owner, self.next_index(), forget)
        return known


def _reinterpreted() -> Exception:
    from .origins import aliasing

    return aliasing(
        "an array shares memory with one of another dtype, and a derivative goes through it",
        "Take a copy of the part: x.real.copy().",
    )
