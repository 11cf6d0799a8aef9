"""NumPy's functions and methods that change an array: as stores into it.

    np.multiply(x, y, out=z)          z[...] = x * y
    np.log(x, out=z, where=m)         z[m] = np.log(x[m])
    np.copyto(z, x)                   z[...] = x
    np.fill_diagonal(z, v)            i = np.arange(n); z[i, i] = v
    x.sort()                          x[...] = np.sort(x)

Where the elements that are stored, or the values, depend on how the arrays are laid out or on how
often values are repeated, the call is refused.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .. import core
from ..builder import is_number
from ..core import Atom, Const, Var
from ..errors import UnsupportedSyntaxError
from ..infer import constant
from ..rules.advice import name_of
from ..types import INT, Array, filled
from .callees import is_ufunc_method, lookup

ALL = constant(Ellipsis)  # the index of a whole array


def mutation(
    lowering: Any, fn: Any, value: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any
) -> Atom | None:
    """What a call of a function that changes an array gives; None if it is no such call.

    `fn` is NumPy's function for `value`, which may be CuPy's.
    """
    handler = lookup(_HANDLERS, fn)
    if is_ufunc_method(value, "at"):
        handler = _AT.get(value.__self__)
        if handler is None:
            raise lowering.refuse(
                f"`np.{value.__self__.__name__}.at` is not supported", node,
                "Write a loop, or assign to elements: x[i] = v.",
            )  # fmt: skip
    if handler is not None:
        target = args[0] if args else next(iter(kwargs.values()), constant(None))
        if not (isinstance(target.type, Array) and target.type.dims):
            raise lowering.refuse(
                f"what `{name_of(value)}` changes is not known here", node, "Store: x[i] = v."
            )
        handler(lowering, args, kwargs, node)
        return constant(None)
    if fn is np.nan_to_num and _truth(_argument(args, kwargs, 1, "copy")) is False:
        fixed = lowering.op(
            fn, args[0], *args[2:], **{k: v for k, v in kwargs.items() if k != "copy"}
        )
        lowering.store(args[0], ALL, fixed, node)
        return args[0]
    if not _is_numpy(fn):
        return None
    given = len(args) + len(kwargs)
    out, args, kwargs = _take_out(lowering, fn, args, kwargs)
    where = kwargs.get("where") if isinstance(fn, np.ufunc) else None
    if where is not None and _truth(where) is True:
        kwargs = {k: v for k, v in kwargs.items() if k != "where"}
        where = None
    if out is None:
        changed = len(args) + len(kwargs) < given  # out=None, where=True
        return lowering.primitive(fn, args, kwargs) if changed else None
    return into(lowering, out, node, lambda: lowering.primitive(fn, args, kwargs), fn, args, kwargs)


def into(
    lowering: Any,
    out: Atom,
    node: Any,
    compute: Callable[[], Atom],
    fn: Any = None,
    args: list[Atom] | None = None,
    kwargs: dict[str, Atom] | None = None,
) -> Atom:
    """Store what is computed into the array given as `out`, and give that array."""
    if not (isinstance(out, Var) and isinstance(out.type, Array) and out.type.dims):
        raise lowering.refuse("what `out` is is not known here", node, "Assign: x[...] = v.")
    if kwargs and "where" in kwargs and isinstance(fn, np.ufunc):
        _into_where(lowering, out, fn, args or [], kwargs, node)
        return out
    value = compute()
    if isinstance(value.type, Array) or is_number(value.type):
        lowering.refuse_crossing(out, ALL, value, node)
        lowering.change(core.STORE, out, ALL, value, style="out")
        return out
    raise lowering.refuse("this function with `out` is not supported", node, "Assign: x[...] = v.")


def _into_where(
    lowering: Any, out: Var, fn: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any
) -> None:
    """Only the elements where the mask is true are computed: no others divide by zero."""
    mask = _mask(lowering, kwargs["where"], out, node)
    picked = [_picked(lowering, a, mask, out, node) for a in args]
    options = {k: v for k, v in kwargs.items() if k != "where"}
    lowering.store(out, mask, lowering.primitive(fn, picked, options), node)


def _mask(lowering: Any, mask: Atom, like: Var, node: Any) -> Atom:
    t = mask.type
    if not (isinstance(t, Array) and t.element.kind == "b" and t.dims is not None):
        raise lowering.refuse("what `where` is is not known here", node, "Store: z[mask] = v.")
    return mask if t.dims == like.type.dims else _spread(lowering, mask, like)  # type: ignore[attr-defined]


def _picked(lowering: Any, value: Atom, mask: Atom, like: Var, node: Any) -> Atom:
    """The elements of an operand that go along with those where a mask is true."""
    t = value.type
    if is_number(t):
        return value
    if not isinstance(t, Array) or t.dims is None:
        raise lowering.refuse(
            "this value with a mask is not supported", node, "Store: z[mask] = v."
        )
    whole = value if t.dims == like.type.dims else _spread(lowering, value, like)  # type: ignore[attr-defined]
    return lowering.subscript(whole, mask, node)


def _spread(lowering: Any, value: Atom, like: Var) -> Atom:
    shape = lowering.attribute(like, "shape", None)
    assert isinstance(like.type, Array) and isinstance(value.type, Array)
    made = replace(filled(value.type, like.type.dims), module=like.type.module)
    return lowering.op(np.broadcast_to, value, shape, type=made)


# -- functions that are statements ------------------------------------------------------------


def _copyto(lowering: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> None:
    target, value = _argument(args, kwargs, 0, "dst"), _argument(args, kwargs, 1, "src")
    where = _argument(args, kwargs, 3, "where")
    if where is None or _truth(where) is True:
        lowering.store(target, ALL, value, node)
        return
    mask = _mask(lowering, where, target, node)
    lowering.store(target, mask, _picked(lowering, value, mask, target, node), node)


def _place(lowering: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> None:
    target, mask = _argument(args, kwargs, 0, "arr"), _argument(args, kwargs, 1, "mask")
    value = _argument(args, kwargs, 2, "vals")
    if not is_number(value.type):
        raise _repeats(lowering, np.place, node)
    lowering.store(target, _same_mask(lowering, mask, target, node), value, node)


def _putmask(lowering: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> None:
    target, mask = _argument(args, kwargs, 0, "a"), _argument(args, kwargs, 1, "mask")
    value = _argument(args, kwargs, 2, "values")
    if not is_number(value.type) and getattr(value.type, "dims", None) != target.type.dims:
        raise _repeats(lowering, np.putmask, node)
    mask = _same_mask(lowering, mask, target, node)
    lowering.store(target, mask, _picked(lowering, value, mask, target, node), node)


def _same_mask(lowering: Any, mask: Atom, target: Atom, node: Any) -> Atom:
    """These functions walk array and mask in their order in memory: of one shape it is the same."""
    if getattr(mask.type, "dims", None) != target.type.dims:  # type: ignore[attr-defined]
        raise lowering.refuse("a mask of another shape is not supported", node, "x[mask] = v")
    return _mask(lowering, mask, target, node)  # type: ignore[arg-type]


def _put(lowering: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> None:
    target, index = _argument(args, kwargs, 0, "a"), _argument(args, kwargs, 1, "ind")
    value, mode = _argument(args, kwargs, 2, "v"), _argument(args, kwargs, 3, "mode")
    if mode is not None and not (isinstance(mode, Const) and mode.value == "raise"):
        raise lowering.refuse("`np.put` with this mode is not supported", node)
    if target.type.ndim != 1:
        raise lowering.refuse(
            "`np.put` into an array of several axes is not supported", node, "x[i, j] = v"
        )
    fits = is_number(value.type) or (
        isinstance(value.type, Array) and value.type.dims == getattr(index.type, "dims", None)
    )
    if not fits:
        raise _repeats(lowering, np.put, node)
    lowering.store(target, index, value, node)


def _fill_diagonal(lowering: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> None:
    target, value = _argument(args, kwargs, 0, "a"), _argument(args, kwargs, 1, "val")
    wrap = _argument(args, kwargs, 2, "wrap")
    t = target.type
    if t.ndim != 2 or (wrap is not None and _truth(wrap) is not False):
        raise lowering.refuse(
            "this form of `np.fill_diagonal` is not supported", node, "x[i, i] = v"
        )
    rows, columns = (_size(lowering, target, axis) for axis in (0, 1))
    square = t.dims[0] == t.dims[1]
    if not is_number(value.type) and not (square and value.type.dims == t.dims[:1]):  # type: ignore[attr-defined]
        raise _repeats(lowering, np.fill_diagonal, node)
    count = rows if square else lowering.op(builtins.min, rows, columns, type=INT)
    index = lowering.op(np.arange, count)
    lowering.store(target, lowering.b_tuple([index, index]), value, node)


def _put_along_axis(lowering: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> None:
    target, index = _argument(args, kwargs, 0, "arr"), _argument(args, kwargs, 1, "indices")
    value, axis = _argument(args, kwargs, 2, "values"), _argument(args, kwargs, 3, "axis")
    rank = target.type.ndim
    if rank == 1 and isinstance(axis, Const):
        lowering.store(target, index, value, node)
        return
    if not (isinstance(axis, Const) and type(axis.value) is int) or index.type.ndim != rank:
        raise lowering.refuse("this form of `np.put_along_axis` is not supported", node)
    places: list[Atom] = []
    for k in range(rank):
        if k == axis.value % rank:
            places.append(index)
            continue
        line = lowering.op(np.arange, _size(lowering, target, k))
        shape = tuple(-1 if i == k else 1 for i in range(rank))
        places.append(lowering.op(np.reshape, line, constant(shape)))
    lowering.store(target, lowering.b_tuple(places), value, node)


def _add_at(lowering: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> None:
    lowering.change(core.ADD_AT, *args)


def _subtract_at(lowering: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> None:
    target, index, value = args
    lowering.change(core.ADD_AT, target, index, lowering.op(np.negative, value, style="operator"))


_HANDLERS: dict[Any, Callable[..., None]] = {
    np.copyto: _copyto,
    np.place: _place,
    np.putmask: _putmask,
    np.put: _put,
    np.fill_diagonal: _fill_diagonal,
    np.put_along_axis: _put_along_axis,
}
_AT: dict[Any, Callable[..., None]] = {np.add: _add_at, np.subtract: _subtract_at}


# -- methods ----------------------------------------------------------------------------------


def method_mutation(
    lowering: Any, owner: Atom, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
) -> Atom | None:
    """What a method that changes its array gives; None if it is no such method."""
    if name == "fill" and len(args) == 1:
        lowering.store(owner, ALL, args[0], node)
    elif name in ("sort", "partition"):
        kwargs = {k: v for k, v in kwargs.items() if k not in ("kind", "stable")}
        if "order" in kwargs:
            raise lowering.refuse("`order` is not supported", node)
        fn = np.sort if name == "sort" else np.partition
        lowering.store(owner, ALL, lowering.op(fn, owner, *args, **kwargs), node)
    elif name == "put":
        _put(lowering, [owner, *args], kwargs, node)
    elif name == "__setitem__" and len(args) == 2:
        lowering.store(owner, args[0], args[1], node)
    else:
        return None
    return constant(None)


# -- arguments --------------------------------------------------------------------------------


def _argument(args: list[Atom], kwargs: dict[str, Atom], position: int, name: str) -> Any:
    return args[position] if position < len(args) else kwargs.get(name)


def _truth(atom: Atom | None) -> bool | None:
    return atom.value if isinstance(atom, Const) and isinstance(atom.value, bool) else None


def _size(lowering: Any, array: Atom, axis: int) -> Atom:
    return lowering.item(lowering.attribute(array, "shape", None), axis)


def _take_out(
    lowering: Any, fn: Any, args: list[Atom], kwargs: dict[str, Atom]
) -> tuple[Atom | None, list[Atom], dict[str, Atom]]:
    """The `out` of a call, and its other arguments."""
    out = kwargs.get("out")
    kwargs = {k: v for k, v in kwargs.items() if k != "out"}
    single = lowering.b.definition(out, core.TUPLE) if out is not None else None
    if single is not None and len(single.args) == 1:
        out = single.args[0]
    if isinstance(out, Const) and out.value is None:
        out = None
    if out is not None and isinstance(fn, np.ufunc):
        kwargs = {k: v for k, v in kwargs.items() if k not in ("casting", "order", "subok")}
    return out, args, kwargs


def _is_numpy(fn: Any) -> bool:
    if isinstance(fn, np.ufunc):
        return True
    module = str(getattr(fn, "__module__", None) or "")
    return module.partition(".")[0] == "numpy" and not isinstance(fn, type)


def _repeats(lowering: Any, fn: Any, node: Any) -> UnsupportedSyntaxError:
    return lowering.refuse(
        f"`{name_of(fn)}` repeats its values to fill the elements, which is not supported", node,
        "Store values of the elements' own shape: x[mask] = v.",
    )  # fmt: skip
