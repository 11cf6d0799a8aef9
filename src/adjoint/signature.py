"""The key under which compiled code is kept: what of a value's type the code depends on.

Exact sizes are part of this key, since they are quick to read; code is shared between keys whose
sizes have the same pattern (`compile.py`).
"""

from __future__ import annotations

import types
import weakref
from typing import Any

import numpy as np

from .runtime.shared_parts import holds
from .runtime.structs import is_struct

_ndarray = np.ndarray  # one look-up less, where every nanosecond of a call shows


def signature_of(value: Any) -> Any:
    """A hashable description of a value's type. Flags, texts and functions count by value."""
    cls = value.__class__
    if cls is _ndarray:
        return value.dtype, value.shape
    if cls in _BY_CLASS:
        return cls
    if cls is dict:
        signatures = [
            (v.dtype, v.shape) if v.__class__ is _ndarray else signature_of(v)
            for v in value.values()
        ]
        return (dict, *value, *signatures)
    if cls is list or cls is tuple:
        return (cls, *[signature_of(v) for v in value])
    if is_struct(cls):
        return _signature_of_struct(value)
    if cls is bool:
        return bool, value
    if value is None or cls is str:
        return value
    if cls is range:
        return range, value.step
    if cls is slice:
        return slice, *[_known(v) for v in (value.start, value.stop, value.step)]
    if isinstance(value, _BY_VALUE):
        return cls, value
    if isinstance(value, np.generic):
        return cls
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return cls, value.dtype, tuple(value.shape)
    if isinstance(value, tuple):
        return (cls, *[signature_of(v) for v in value])
    if callable(value):
        return value if is_hashable(value) else (cls, id(value))
    hidden = hidden_methods(value)
    return (cls, *hidden) if hidden else cls


def _known(value: Any) -> Any:
    """A hashable stand-in for a bound of a slice."""
    return (value.__class__, value) if is_hashable(value) else id(value)


def is_hashable(value: Any) -> bool:
    """Whether a value can be looked up in a table; a tuple is, unless it holds an array."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _signature_of_struct(value: Any) -> Any:
    """Of an object with parts that are differentiated: its attributes, sizes and flags by value.

    What is at two places is told by its number, and so is whether a list, say, holds a part.
    """
    numbers: dict[int, int] = {}
    beside: list[Any] = []
    found = _attributes_of_struct(value, numbers, beside)
    return (found, *[holds(attribute, numbers) for attribute in beside]) if beside else found


def _attributes_of_struct(value: Any, numbers: dict[int, int], beside: list[Any]) -> Any:
    if id(value) in numbers:
        return numbers[id(value)]
    numbers[id(value)] = len(numbers)
    found: list[Any] = [value.__class__]
    for name, attribute in value.__dict__.items():
        cls = attribute.__class__
        found.append(name)
        if cls is _ndarray:
            if id(attribute) in numbers:
                found.append(numbers[id(attribute)])
            else:
                numbers[id(attribute)] = len(numbers)
                found.append((attribute.dtype, attribute.shape))
        elif is_fixed(attribute):
            found.append((_kinds(attribute), attribute))
            if cls is types.FunctionType and attribute.__closure__:
                beside.append(attribute)
        elif is_struct(cls):
            found.append(_attributes_of_struct(attribute, numbers, beside))
        else:
            found.append(signature_of(attribute))
            if cls not in _BY_CLASS:
                beside.append(attribute)
    return tuple(found)


def _kinds(value: Any) -> Any:
    """The class of a value, of a tuple also those of its items: (1,) and (True,) are equal."""
    if isinstance(value, tuple):
        return (value.__class__, *map(_kinds, value))
    return value.__class__


def is_same(value: Any, fixed: Any) -> bool:
    """Whether a value is equal to a fixed one, and so are the classes."""
    return is_fixed(value) and _kinds(value) == _kinds(fixed) and bool(value == fixed)


def is_fixed(attribute: Any) -> bool:
    """Whether code is made for the value of an object's attribute, and not for its type."""
    if attribute is None or isinstance(attribute, (bool, int, str, bytes, type)):
        return True
    if isinstance(attribute, tuple):
        return all(map(is_fixed, attribute))
    return isinstance(attribute, _FUNCTIONS)


_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, np.ufunc)


_methods: weakref.WeakKeyDictionary[type, frozenset[str]] = weakref.WeakKeyDictionary()


def hidden_methods(value: Any) -> list[str]:
    """The methods of an object's class that attributes of the object itself stand before."""
    own = getattr(value, "__dict__", None)
    if not own:
        return []
    cls = value.__class__
    names = _methods.get(cls)
    if names is None:
        kinds = (types.FunctionType, staticmethod, classmethod)
        names = _methods[cls] = frozenset(
            name for c in cls.__mro__ for name, v in vars(c).items() if isinstance(v, kinds)
        )
    return sorted(own.keys() & names)


_BY_CLASS = frozenset({int, float, complex})
_BY_VALUE = (str, bytes, type, types.ModuleType, np.dtype)
