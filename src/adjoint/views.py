"""Views of arrays that are known as such: what shows a part of which array, by which operation.

    row = A[i]          a known view of A
    part = A.T[1:]      a view of a view
    flat = A.reshape(-1)    a view or a copy, depending on the layout of A: not known

A change of a known view is a change of its array: `row[j] = v` is a store into `row` and then an
operation `through(A, row)`, which gives `A` a new version and does nothing when the code runs.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from .builder import MAYBE_VIEWS, VIEWS, is_basic_index, is_number
from .core import Atom, Const, Op, Var
from .types import Array, Object, Tuple

# Functions that show the whole of their first operand in another form. (A broadcast shows an
# element in several places, and cannot be written to.)
_FORMS = frozenset(
    {np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.matrix_transpose,
     np.rollaxis, np.flip, np.fliplr, np.flipud, np.rot90}
)  # fmt: skip


def is_view(op: Op) -> bool:
    """Whether an operation certainly gives a view of its first operand, an array."""
    if not op.args or op.target is None or not isinstance(op.args[0], Var):
        return False
    source = op.args[0].type
    if not isinstance(source, Array) or source.dims is None or is_number(source):
        return False
    if op.fn is operator.getitem:
        return is_basic_index(op.args[1].type) and not is_number(op.target.type)
    return op.fn in _FORMS


def path_of(view: Var, definitions: Mapping[Var, Op]) -> list[Op]:
    """The operations by which an array shows a view of it, the first first; none if unknown."""
    path: list[Op] = []
    var = view.root
    while True:
        made = definitions.get(var)
        if made is None or made.target is not var or not is_view(made):
            return path[::-1]
        path.append(made)
        var = made.args[0].root  # type: ignore[union-attr]


def has_ellipsis(index: Atom) -> bool:
    """Whether an index may hold `...`, with which x[..., 0] is a view of rank 0."""
    if isinstance(index, Const):
        parts = index.value if isinstance(index.value, tuple) else (index.value,)
        return any(p is Ellipsis for p in parts)
    types = index.type.items if isinstance(index.type, Tuple) else (index.type,)
    return any(isinstance(t, Object) and t.cls is type(...) for t in types)


def is_rank_0_view(op: Op | None) -> bool:
    """Whether an operation gives what looks like a number and is a view: x[..., 0] of a vector."""
    return (
        op is not None
        and op.fn is operator.getitem
        and op.target is not None
        and isinstance(op.args[0].type, Array)
        and is_number(op.target.type)
        and has_ellipsis(op.args[1])
    )


# Functions that make a new array unless they are told not to.
_COPY_UNLESS_TOLD = frozenset({np.array, np.ndarray.astype, np.nan_to_num, np.meshgrid, np.diff})


def may_give_operand(fn: Any, args: list[Atom], kwargs: Mapping[str, Any], style: str) -> bool:
    """Whether the result of a function may share memory with an operand."""
    try:
        if fn in VIEWS or fn in MAYBE_VIEWS:
            return True
        if fn in _COPY_UNLESS_TOLD:
            asked = {"copy", "n"} & set(kwargs)
            return bool(asked) or (fn is not np.array and len(args) > 2)
    except TypeError:
        return False
    # x.conj() of a real array is x; np.conj(x) is a copy.
    return fn is np.conjugate and style == "method"
