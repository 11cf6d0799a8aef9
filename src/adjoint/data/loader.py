"""Batches of arrays, in an order that can be shuffled and taken up again."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np


class DataLoader:
    """Batches of one or more arrays of the same length, as copies.

    arrays: an array, several, or one tuple or dict of arrays. Their first axis counts the samples.
        A batch has the same structure: the arrays `x, t` give pairs `x, t`.
    batch_size: samples in a batch; the last one may have fewer.
    shuffle: take the samples in another order in each epoch.
    drop_last: leave out a last batch that has fewer samples.
    generator: a `np.random.Generator` to shuffle with; or `seed`, to make one.

    Each `for` over the loader is an epoch, in one thread, with the arrays' own module: CuPy arrays
    stay on the device. `len` is the number of batches.

    Raises ValueError for arrays of different lengths or without axes, for no arrays, for a
    batch_size below 1, and if both generator and seed are given.

    >>> loader = DataLoader(np.arange(5), batch_size=2)
    >>> list(loader)
    [array([0, 1]), array([2, 3]), array([4])]
    >>> x, t = np.arange(6).reshape(3, 2), np.array([10, 20, 30])
    >>> for batch, target in DataLoader(x, t, batch_size=2, shuffle=True, seed=1, drop_last=True):
    ...     print(batch.tolist(), target)
    [[0, 1], [2, 3]] [10 20]
    """

    def __init__(
        self,
        *arrays: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        generator: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        structure = arrays[0] if len(arrays) == 1 else arrays
        self._keys: list[Any] | None = list(structure) if isinstance(structure, dict) else None
        self._single = not isinstance(structure, (dict, list, tuple))
        if isinstance(structure, dict):
            structure = tuple(structure.values())
        self._arrays = (structure,) if self._single else tuple(structure)
        self.samples = _length(self._arrays, self._keys)
        if isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1:
            raise ValueError(f"batch_size must be an integer, at least 1, got {batch_size!r}")
        if generator is not None and seed is not None:
            raise ValueError("give a generator or a seed, not both")
        if generator is not None and not isinstance(generator, np.random.Generator):
            raise TypeError(
                f"generator must be a np.random.Generator, got a {type(generator).__name__}"
            )
        self.batch_size, self.shuffle, self.drop_last = int(batch_size), shuffle, drop_last
        self.generator = np.random.default_rng(seed) if generator is None else generator
        # Of the epoch that is under way: the generator's state before it, and the batches given.
        self._before: dict[str, Any] | None = None
        self._given = 0
        self._resumed = False

    def __len__(self) -> int:
        whole, rest = divmod(self.samples, self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        if self._resumed:
            assert self._before is not None
            order, self._resumed = self._order(_with_state(self.generator, self._before)), False
        else:
            self._before, self._given = _state(self.generator), 0
            order = self._order(self.generator)
        before = self._before
        for number in range(self._given, len(self)):
            rows = slice(number * self.batch_size, (number + 1) * self.batch_size)
            batch = [_taken(a, rows if order is None else order[rows]) for a in self._arrays]
            if self._before is before:  # not if another epoch has begun meanwhile
                self._given = number + 1
            yield self._structured(batch)
        if self._before is before:
            self._before, self._given = None, 0

    def state_dict(self) -> dict[str, Any]:
        """The state of the generator, and where in an epoch the loader is.

        Taken in the midst of an epoch, the next `for` of the loader that loads it gives the rest
        of that epoch. Numbers, texts, dicts and, for some generators, arrays.
        """
        return {
            "generator": _state(self.generator),
            "epoch": copy.deepcopy(self._before),
            "batches": self._given,
            "samples": self.samples,
            "batch_size": self.batch_size,
            "shuffle": bool(self.shuffle),
            "drop_last": bool(self.drop_last),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where the loader was that gave `state_dict`.

        Raises ValueError that names what differs, and changes nothing, if it is of a loader of
        other batches or of another generator.
        """
        own = self.state_dict()
        problems = [f"missing: {k}" for k in own if k not in state_dict]
        problems += [f"unexpected: {k}" for k in state_dict if k not in own]
        for name in ("samples", "batch_size", "shuffle", "drop_last"):
            if name in state_dict and state_dict[name] != own[name]:
                problems.append(f"{name} is {state_dict[name]}, expected {own[name]}")
        if problems:
            raise ValueError("the state does not fit this DataLoader:\n  " + "\n  ".join(problems))
        before, given = copy.deepcopy(state_dict["epoch"]), state_dict["batches"]
        if not 0 <= given <= len(self):
            raise ValueError(f"the state does not fit this DataLoader:\n  batches is {given}")
        for state in (state_dict["generator"], before):
            if state is not None:
                _with_state(self.generator, state)  # raises if it is none
        self.generator.bit_generator.state = state_dict["generator"]
        self._before, self._given, self._resumed = before, int(given), before is not None

    def _order(self, generator: np.random.Generator) -> Any:
        return generator.permutation(self.samples) if self.shuffle else None

    def _structured(self, batch: list[Any]) -> Any:
        if self._single:
            return batch[0]
        return tuple(batch) if self._keys is None else dict(zip(self._keys, batch))


def _length(arrays: tuple[Any, ...], keys: list[Any] | None) -> int:
    if not arrays:
        raise ValueError("there are no arrays to take batches of")
    lengths = []
    for position, array in enumerate(arrays):
        name = f"array {position if keys is None else keys[position]!r}"
        if not hasattr(array, "shape"):
            raise TypeError(f"{name} is a {type(array).__name__}, not an array")
        if not array.shape:
            raise ValueError(f"{name} has no axis, and so no samples")
        lengths.append(array.shape[0])
    if len(set(lengths)) > 1:
        raise ValueError(f"the arrays have different lengths: {', '.join(map(str, lengths))}")
    return lengths[0]


def _taken(array: Any, rows: Any) -> Any:
    """A copy of some rows: what is done to a batch is not done to the data."""
    if isinstance(rows, slice):
        return array[rows].copy()
    if isinstance(array, np.ndarray):
        return array.take(rows, axis=0)
    return array[array.__array_namespace__().asarray(rows)]


def _state(generator: np.random.Generator) -> dict[str, Any]:
    return copy.deepcopy(dict(generator.bit_generator.state))


def _with_state(generator: np.random.Generator, state: dict[str, Any]) -> np.random.Generator:
    """Another generator of the same kind, in a given state."""
    bits = type(generator.bit_generator)()
    try:
        bits.state = state
    except (KeyError, TypeError, ValueError) as error:
        kind = type(bits).__name__
        raise ValueError(f"the state of the generator does not fit a {kind}: {error}") from error
    return np.random.Generator(bits)
