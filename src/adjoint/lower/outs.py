"""An `out` that is given by position: `np.add(x, y, z)` stores into `z`."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from ..core import Atom
from ..signature import is_hashable

# Functions written in C, of which older versions of NumPy tell no signature.
_POSITIONS: dict[Any, int] = {np.dot: 2, np.concatenate: 2}


def named_out(
    fn: Any, args: list[Atom], kwargs: dict[str, Atom]
) -> tuple[list[Atom], dict[str, Atom]]:
    """The arguments of a call of a NumPy function, with `out` by its name.

    fn: the function; of a method, the function that does the same to its first argument.
    """
    if len(args) < 2:
        return args, kwargs
    of_numpy = str(getattr(fn, "__module__", "")).startswith("numpy")
    if not (isinstance(fn, np.ufunc) or of_numpy) or not is_hashable(fn):
        return args, kwargs
    place = position_of_out(fn)
    if place is None or len(args) <= place or "out" in kwargs:
        return args, kwargs
    return [*args[:place], *args[place + 1 :]], kwargs | {"out": args[place]}


@functools.cache
def position_of_out(fn: Any) -> int | None:
    """Where among the arguments of a NumPy function `out` stands, if it may be given so.

    >>> position_of_out(np.add), position_of_out(np.sum), position_of_out(np.sort)
    (2, 3, None)
    """
    if isinstance(fn, np.ufunc):
        return fn.nin
    if fn in _POSITIONS:
        return _POSITIONS[fn]
    try:
        parameters = inspect.signature(fn).parameters
    except (TypeError, ValueError):
        return None
    if "out" not in parameters or parameters["out"].kind is inspect.Parameter.KEYWORD_ONLY:
        return None
    return list(parameters).index("out")
