"""Gradient surgery: a cotangent goes through a function of the user's on its way backwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..runtime.generic import rebuild
from ..runtime.surgery import replaced
from . import operations as op
from .levels import outside, state
from .memory import is_array


def register_hook(x: Any, hook: Callable[[Any], Any]) -> Any:
    """The same value as something new, so that the hook acts on the uses of the result alone."""
    op.refuse_object(x, "given a hook")
    if not op.is_active(x):
        return x
    value = _apart(x)
    _note(x, value, hook)
    return value


def _apart(x: Any) -> Any:
    if isinstance(x, dict):
        return {k: _apart(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return rebuild(x, [_apart(v) for v in x])
    if not op.is_active(x):
        return x
    return op.detached(x, x.copy()) if is_array(x) else op.fresh(x)


def insert_grad_of(x: Any, statements: Callable[..., Any], *values: Any) -> Any:
    """The variable after a block `with insert_grad_of(x) as d_x`: an array stays what it is.

    statements: the block, as a function of d_x and of the values of the variables that it reads.
    """
    op.refuse_object(x, "given a hook")
    if not op.is_active(x):
        return x
    value = x if is_array(x) else _apart(x)
    _note(x, value, statements, values)
    return value


def _note(x: Any, value: Any, hook: Callable[..., Any], values: tuple[Any, ...] = ()) -> None:
    for level in state.levels:
        if level.is_active(x) and not level.muted:
            with op.guarded(level), outside(level):
                level.note_hook(x, value, hook, values)


class Hooked:
    """`out` is the value that a hook was registered for; None for the array at the place itself."""

    def __init__(
        self, place: Any, out: Any, like: Any, hook: Callable[..., Any], values: list[Any]
    ) -> None:
        self.place, self.out, self.hook, self.values = place, out, hook, values
        self.is_tuple = isinstance(like, tuple)

    def pull(self, sweep: Any) -> None:
        call = op.calls().call
        if self.out is None:
            d = sweep.read(self.place)
            if d is not None:
                before = call(np.copy, d)
                op.set_item(d, ..., call(replaced, call(self.hook, before, *self.values), before))
            return
        d = sweep.take(self.out)
        if d is not None:
            d = tuple(d) if self.is_tuple else d
            sweep.add(self.place, call(replaced, call(self.hook, d, *self.values), d))
