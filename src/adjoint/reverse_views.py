"""The backward sweep of a change through a view: carried out in the matching view of a cotangent.

    row = A[i]                          d_row = d_A[i]
    row[j] = v                          d_v += d_row[j]
                                        d_row[j] = 0

`d_row` is no variable of its own: what is done to it is done to `d_A`.
"""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import numpy as np

from . import core
from .core import Atom, Block, Op, Var
from .infer import constant
from .types import Array
from .views import path_of


def through(reverse: Any, op: Op) -> None:
    """The backward sweep of `through(A, row)` and of the change of `row` before it."""
    version, before, seen = op.version, op.args[0], op.args[1]
    assert version is not None and isinstance(before, Var) and isinstance(seen, Var)
    d = reverse.d
    value = d.pop(version)
    if value is None:
        return
    d.set(version, d.materialise(value, version))
    whole = d.own(version)
    change = reverse.definitions[seen]
    view = change.args[0]
    path = path_of(view, reverse.definitions)
    shown = _shown(reverse, whole, path)
    others = d.pop(view)  # by what reads the view before it is changed
    after = d.pop(seen)
    if after is not None:
        after = d.fit(d.materialise(after, seen), seen)
        shown = reverse.b.in_place(np.add, shown, after, style="inplace")
        whole = reverse.b.in_place(core.THROUGH, whole, shown)
    d.set(seen, shown)
    outer, d.resident = d.resident, (shown, view)
    reverse.in_place(change)
    d.resident = outer
    after = d.pop(view)
    d.pop(version)
    if others is not None:
        d.set(view, others)
    if reverse.is_active(before):
        d.add(before, _put_back(reverse, whole, path, shown, after), fitted=True)


def elements(reverse: Any, op: Op) -> bool:
    """The backward sweep of `row = A[i]` where only elements of `row` are read afterwards.

    Their cotangents are added into the view of `d_A`. False where `row` is read as a whole.
    """
    d, b = reverse.d, reverse.b
    view = op.target
    if view is None or view not in d.scattered or view in d.values:
        return False
    path = _in_one_block(path_of(view, reverse.definitions), b.home)
    if not path:
        return False
    array = path[0].args[0]
    if not reverse.is_active(array) or any(not p.unique for p in d.scattered[view]):
        return False
    parts = d.scattered.pop(view)
    whole = d.own(array)
    shown = _shown(reverse, whole, path)
    origin = b.origin
    for part in parts:
        shown = d.add_part(shown, part)
        whole = b.in_place(core.THROUGH, whole, shown)
    b.origin = origin
    d.set(array, whole)
    return True


def _in_one_block(path: list[Op], home: dict[Var, Block]) -> list[Op]:
    """The end of a path of views that is in the block of its last step.

    Loops and branches hand on the cotangents of what they read, and of no array behind that.
    """
    kept = path[-1:]
    for step in path[-2::-1]:
        here = home.get(kept[0].target)  # type: ignore[arg-type]
        if here is None or home.get(step.target) is not here:  # type: ignore[arg-type]
            break
        kept.insert(0, step)
    return kept


def _shown(reverse: Any, whole: Var, path: list[Op]) -> Var:
    """The part of a cotangent that a view shows of its array."""
    shown: Any = whole
    assert isinstance(whole.type, Array)
    reverse.b.unshare(whole)  # its view is to be a view of it, and not of what it was made from
    for step in path:
        assert step.target is not None and isinstance(step.target.type, Array)
        shown = reverse.b.op(
            step.fn,
            shown,
            *map(reverse.saved, step.args[1:]),
            style=step.style,
            type=replace(whole.type, dims=step.target.type.dims),
            **{k: reverse.saved(a) for k, a in step.kwargs.items()},
        )
    reverse.b.buffers.add(shown)
    reverse.b.unshare(shown)  # what is computed from it now is not what it will be later
    return reverse.d.named(shown, path[-1].target)


def _put_back(reverse: Any, whole: Var, path: list[Op], shown: Var, after: Any) -> Var:
    """The whole cotangent, once the part that a view shows has become `after`."""
    b, d = reverse.b, reverse.d
    if isinstance(after, Var) and after.root is shown.root:
        return whole if after is shown else b.in_place(core.THROUGH, whole, after)
    part = constant(0.0) if after is None else d.materialise(after, path[-1].target)
    step = _step_of(b.definitions.get(part) if isinstance(part, Var) else None, shown)
    if step is not None:
        changed = b.in_place(*step, style="inplace")
        return b.in_place(core.THROUGH, whole, changed)
    if len(path) == 1 and path[0].fn is operator.getitem:
        return b.in_place(core.STORE, whole, reverse.saved(path[0].args[1]), part)
    changed = b.in_place(core.STORE, shown, constant(Ellipsis), part)
    return b.in_place(core.THROUGH, whole, changed)


def _step_of(made: Op | None, shown: Var) -> tuple[Any, Var, Atom] | None:
    """`shown * w` as an operation that can be carried out in place: d_row *= w."""
    if made is None or made.style != "operator" or made.target is None:
        return None
    if made.target.type != shown.type:
        return None
    if made.fn is np.multiply and made.args[1] is shown:
        return np.multiply, shown, made.args[0]
    if made.fn in (np.multiply, np.true_divide) and made.args[0] is shown:
        return made.fn, shown, made.args[1]
    return None
