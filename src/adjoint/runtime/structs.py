"""Objects with parts that are differentiated, such as modules of neural networks.

A class takes part by two methods: `__tree_flatten__()` gives the parts of an object (arrays,
and other objects of such classes) by the names of its attributes, and `__tree_unflatten__(parts)`
an object of the same kind with other parts.
"""

from __future__ import annotations

from typing import Any


def is_struct(cls: type) -> bool:
    return hasattr(cls, "__tree_flatten__")


def with_parts(like: Any, *parts: Any, **named: Any) -> Any:
    """An object like `like` with other parts: all of them, in order or by name."""
    if parts:
        named = dict(zip(like.__tree_flatten__(), parts, strict=True))
    return like.__tree_unflatten__(named)


def map_parts(fn: Any, like: Any, *others: Any) -> Any:
    """An object whose parts are `fn` of the parts of `like`, and of those of `others` beside."""
    parts = like.__tree_flatten__()
    beside = [other.__tree_flatten__() for other in others]
    return like.__tree_unflatten__({k: fn(v, *(b[k] for b in beside)) for k, v in parts.items()})
