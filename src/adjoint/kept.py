"""What is made for a callable and used again, without keeping the callable alive."""

from __future__ import annotations

import types
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def reference(fn: Any) -> Callable[[], Any]:
    """A weak reference to a callable; a strong one, where Python has no other.

    A bound method is a new object each time it is asked for: it lives as long as its instance.

    >>> def f(x):
    ...     return x
    >>> found = reference(f)
    >>> found() is f
    True
    >>> del f
    >>> found() is None
    True
    """
    try:
        return weakref.WeakMethod(fn) if isinstance(fn, types.MethodType) else weakref.ref(fn)
    except TypeError:
        return lambda: fn


# What is compiled for a method holds its instance: of these few are kept.
_MOST_METHODS = 16


class Kept(Generic[T]):
    """The results of `make`, found again for the same callable; the last `most` made are kept.

    What is made must hold a function by `reference` only. Two bound methods are the same if they
    are one function bound to one object, even if that is equal to others.
    """

    def __init__(self, make: Callable[[Any], T], most: int = 256) -> None:
        self._make = make
        self._functions: _Table[T] = _Table(most)
        self._methods: _Table[T] = _Table(_MOST_METHODS)

    def __call__(self, fn: Any) -> T:
        table = self._methods if isinstance(fn, types.MethodType) else self._functions
        found = table.get(fn)
        if found is None:
            found = table[fn] = self._make(fn)
        return found


class _Table(Generic[T]):
    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[Any, tuple[Callable[[], Any], T]] = OrderedDict()

    def get(self, fn: Any) -> T | None:
        key = _identity(fn)
        entry = self._found.get(key)
        # The object of this number may be a new one, in the place of one that is gone.
        return entry[1] if entry is not None and _identity(entry[0]()) == key else None

    def __setitem__(self, fn: Any, made: T) -> None:
        key = _identity(fn)
        self._found[key] = reference(fn), made
        _forget_with(fn, self._found, key)
        while len(self._found) > self._most:
            self._found.popitem(last=False)


def _identity(fn: Any) -> tuple[int, int]:
    if isinstance(fn, types.MethodType):
        return id(fn.__self__), id(fn.__func__)
    return id(fn), 0


def _forget_with(fn: Any, table: OrderedDict[Any, Any], key: Any) -> None:
    """Drop an entry when the callable, or what a method is bound to, is gone."""
    owner = fn.__self__ if isinstance(fn, types.MethodType) else fn
    try:
        weakref.finalize(owner, table.pop, key, None).atexit = False
    except TypeError:
        pass  # it cannot be told: the entry goes when others come
