"""One parameter of an optimiser: its array, its state, and the blocks in which both are updated."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..types import array_module

# An update passes over its arrays a dozen times; blocks of this many elements stay in the cache,
# and are large beside the cost of a call.
BLOCK = 1 << 17


class Parameter:
    """An array with the state that an optimiser keeps for it.

    slots: arrays like the parameter, by name; empty before the first step.
    steps: how many updates there were.
    """

    def __init__(self, name: str, array: Any) -> None:
        self.name = name
        self.array = array
        self.cls, self.shape, self.dtype = type(array), array.shape, array.dtype
        self.slots: dict[str, Any] = {}
        self.steps = 0
        self.sum: Any = None  # the accumulated gradient
        self.blocks: list[tuple[slice | None, Any, dict[str, Any], tuple[Any, Any]]] = []
        # CuPy starts a kernel for each operation: one block is best there.
        in_cache = isinstance(array, np.ndarray) and array.size > BLOCK and array.ndim > 0
        self._rows = max(1, BLOCK * len(array) // array.size) if in_cache else None

    @property
    def scratch_size(self) -> int:
        """How many elements an array to compute in needs."""
        if self._rows is None:
            return self.array.size
        return self._rows * (self.array.size // len(self.array))

    def lay_out(self, scratch: tuple[Any, Any]) -> None:
        """Make the blocks, with `scratch` (flat arrays) to compute in; after slots changed."""
        if self._rows is None:
            work = self._like(scratch, self.array)
            self.blocks = [(None, self.array, self.slots, work)]
            return
        self.blocks = []
        for start in range(0, len(self.array), self._rows):
            rows = slice(start, start + self._rows)
            part = self.array[rows]
            slots = {name: slot[rows] for name, slot in self.slots.items()}
            self.blocks.append((rows, part, slots, self._like(scratch, part)))

    @staticmethod
    def _like(scratch: tuple[Any, Any], part: Any) -> tuple[Any, Any]:
        first, second = (s[: part.size].reshape(part.shape) for s in scratch)
        return first, second

    def check(self, gradient: Any) -> None:
        """Raise TypeError or ValueError if `gradient` cannot be this parameter's gradient."""
        if gradient is None:
            raise ValueError(f"there is no gradient for parameter {self.name}")
        cls = type(gradient)
        if cls is not self.cls and not (
            issubclass(self.cls, np.ndarray) and issubclass(cls, (np.ndarray, np.generic))
        ):
            raise TypeError(
                f"the gradient of parameter {self.name} is a {cls.__name__}, "
                f"the parameter a {self.cls.__name__}"
            )
        if gradient.shape != self.shape:
            raise ValueError(
                f"the gradient of parameter {self.name} has shape {gradient.shape}, "
                f"the parameter {self.shape}"
            )
        if gradient.dtype != self.dtype:
            raise ValueError(
                f"the gradient of parameter {self.name} has dtype {gradient.dtype}, "
                f"the parameter {self.dtype}"
            )


def check_parameter(name: str, array: Any) -> None:
    """Raise TypeError or ValueError if an optimiser cannot update `array` in place."""
    cls = type(array)
    if not isinstance(array, np.ndarray) and array_module(cls) is None:
        raise TypeError(f"parameter {name} is a {cls.__name__}, not an array of floats")
    if array.dtype.kind != "f":
        raise TypeError(f"parameter {name} has dtype {array.dtype}, not floats")
    if isinstance(array, np.ndarray) and not array.flags.writeable:
        raise ValueError(f"parameter {name} is read-only, and could not be updated in place")
