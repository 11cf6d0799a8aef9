"""Forward mode of a change through a view: carried out in the matching view of a tangent.

row = A[i]              t_row = t_A[i]
row[j] = v              t_row[j] = t_v
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import core
from .core import Function, Op, Var
from .types import Array
from .views import path_of


class ViewChanges:
    """The changes through views of one function."""

    def __init__(self, function: Function) -> None:
        self._made: dict[Var, Op] = {}
        self._through: dict[Var, Op] = {}  # state of a view -> what its array is then
        for stmt in core.walk(function.body):
            if not isinstance(stmt, Op):
                continue
            if stmt.target is not None:
                self._made[stmt.target] = stmt
            if stmt.fn is core.THROUGH and isinstance(stmt.args[1], Var):
                self._through[stmt.args[1]] = stmt

    def enter(self, forward: Any, op: Op) -> None:
        """A view is about to be changed: its tangent is the view of its array's."""
        through = self._through.get(op.version) if op.version is not None else None
        view = op.args[0]
        path = path_of(view, self._made) if through is not None and isinstance(view, Var) else []
        if through is None or not path:
            return
        array = through.args[0]
        stands = Op(None, op.fn, [array, *op.args[1:]], version=through.version)
        whole = forward.whole(stands)
        if whole is None:
            return
        forward.t.set(array, whole)
        shown: Any = whole
        for step in path:
            assert step.target is not None and isinstance(step.target.type, Array)
            t = replace(whole.type, dims=step.target.type.dims)
            shown = forward.b.op(
                step.fn, shown, *step.args[1:], style=step.style, type=t, **step.kwargs
            )
        forward.b.unshare(shown)
        forward.t.set(view, forward.t.named(shown, view))

    def leave(self, forward: Any, op: Op) -> None:
        """The view has been changed, and so has its array."""
        whole, seen = forward.t.get(op.args[0]), forward.t.get(op.args[1])
        if seen is not None and whole is not None and seen.root is seen:
            forward.t.set(op.version, whole)  # the change was by a constant
        elif seen is not None and whole is not None:
            forward.changed(op, forward.b.in_place(core.THROUGH, whole, seen))
