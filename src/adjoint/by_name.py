"""Pickling of functions that are made from functions.

By reference, as functions are: what a decorator made is found under the name of the function;
everything else is made again, from the function.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any


def by_reference(made: Any, fn: Any, again: Callable[..., Any], *args: Any) -> Any:
    """What `__reduce__` returns for `made`, which `again(*args)` makes from `fn`."""
    module, name = fn.__module__, fn.__qualname__
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return (_by_name, (module, name)) if found is made else (again, args)


def _by_name(module: str, name: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found
