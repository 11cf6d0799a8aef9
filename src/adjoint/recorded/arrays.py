"""Methods of arrays, `out=` and `where=`, and the functions that change an array in place.

All of them come down to an operation with a rule and a store.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..rules.methods import METHODS, VARARG_METHODS
from . import operations as op
from . import origins
from .levels import outside, state
from .memory import is_array


def calls() -> Any:
    from . import calls as module

    return module


# -- out= and where= --------------------------------------------------------------------------


def with_out(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call that may write to `out=`: the result is stored there."""
    if isinstance(fn, np.ufunc) and len(args) > fn.nin:
        given = args[fn.nin :]
        kwargs = kwargs if all(g is None for g in given) else {**kwargs, "out": given}
        args = args[: fn.nin]
    out, where = kwargs.get("out"), kwargs.get("where", True)
    if isinstance(out, tuple):
        out = out[0] if len(out) == 1 else out
    masked = isinstance(fn, np.ufunc) and where is not True
    if out is None and not masked:
        return _applied(fn, args, kwargs)
    parts = [*args, *(out if isinstance(out, tuple) else [out])]
    if not any(op.is_active(v) for v in parts if v is not None):
        for array in out if isinstance(out, tuple) else [out]:
            if array is not None:
                op.changes(array)
        return fn(*args, **kwargs)
    if out is None or isinstance(out, tuple):
        raise op.refuse(origins.unsupported(
            f"`{fn.__name__}` with `where=` but no single `out=` leaves elements without a value",
            "Give out= one array, or use np.where.",
        ))  # fmt: skip
    options = {k: v for k, v in kwargs.items() if k not in ("out", "where")}
    if masked:
        return _masked(fn, args, options, out, where)
    if not isinstance(fn, np.ufunc) and where is not True:
        options["where"] = where
    casting = options.pop("casting", "same_kind")
    value = _applied(fn, args, options)
    if np.shape(value) != out.shape and not isinstance(fn, np.ufunc):
        fn(*args, **kwargs)  # raises the error that NumPy raises
    if not np.can_cast(np.result_type(value), out.dtype, casting):
        fn(*args, **kwargs)
    op.set_item(out, ..., value)
    return out


def _applied(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    given = {k: v for k, v in kwargs.items() if not (k == "out" and v is None)}
    noted = {k: v for k, v in given.items() if not (k == "where" and v is True)}
    value = fn(*args, **given)
    if state.levels:
        op.note(calls().canonical(fn), args, noted, value)
    return value


def _masked(fn: Any, args: Any, options: dict[str, Any], out: Any, where: Any) -> Any:
    """A ufunc carried out where a mask holds, and nowhere else: there it may be infinite."""
    call = calls().call
    mask = np.broadcast_to(where, out.shape)
    parts = [op.item(call(np.broadcast_to, a, out.shape), mask) if np.ndim(a) else a for a in args]
    op.set_item(out, mask, call(fn, *parts, **options))
    return out


# -- methods ----------------------------------------------------------------------------------


def method(x: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """x.name(*args, **kwargs) of an array or a NumPy scalar."""
    changing = _CHANGING.get(name)
    if changing is not None and is_array(x):
        return changing(x, *args, **kwargs)
    if name == "tolist":
        return _tolist(x)
    if name == "item" and args:
        return _item(x, args)
    if name == "__getitem__":
        return op.item(x, *args)
    if name == "__setitem__":
        return op.set_item(x, *args)
    bound = getattr(x, name)
    fn = METHODS.get(name)
    if fn is None:
        if name == "tobytes":
            op.shown(x)
        if name in _QUERIES or not any(map(op.holds_active, [x, *args, *kwargs.values()])):
            return bound(*args, **kwargs)
        return calls().opaque(bound, (x, *args), kwargs)
    if not op.is_active(x) and not any(map(op.is_active, [*args, *kwargs.values()])):
        if kwargs.get("out") is not None:
            op.changes(kwargs["out"])
        return bound(*args, **kwargs)
    if name == "view":
        raise op.missing_rule(np.ndarray.view)
    if kwargs.get("out") is not None:
        return with_out(fn, (x, *_as_one(name, args)), kwargs)
    if name in VARARG_METHODS:
        args = _as_one(name, args)
    return op.apply(fn, lambda x, *a, **k: getattr(x, name)(*a, **k), x, *args, **kwargs)


_QUERIES = frozenset({"tobytes", "dump", "byteswap", "__len__", "__array_namespace__"})


def _as_one(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """x.reshape(2, 3) as x.reshape((2, 3))."""
    return (args,) if name in VARARG_METHODS and len(args) > 1 else args


def _tolist(x: Any) -> Any:
    if not op.is_active(x):
        return x.tolist()
    if np.ndim(x) == 0:
        return _item(x, ())
    return [_tolist(part) for part in op.iterate(x)]


def _item(x: Any, args: tuple[Any, ...]) -> Any:
    """x.item(i): an element as a Python number."""
    if not args:
        return op.apply(np.ndarray.item, lambda x: x.item(), x)
    index = args if len(args) > 1 else np.unravel_index(args[0], x.shape)
    return _item(op.item(x, index if isinstance(index, tuple) else tuple(index)), ())


def ufunc_method(fn: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """np.add.reduce, np.add.at and their like."""
    if name == "__call__":
        return calls().call(fn, *args, **kwargs)
    bound = getattr(fn, name)
    if name == "at":
        return _at(fn, *args)
    if not any(map(op.is_active, args)):
        if kwargs.get("out") is not None:
            op.changes(kwargs["out"])
        return bound(*args, **kwargs)
    twin = _SAME_AS.get((fn, name))
    if twin is not None and not kwargs.keys() - {"axis", "keepdims"} and len(args) <= 2:
        axis = kwargs.get("axis", args[1] if len(args) > 1 else 0)
        options = {k: v for k, v in kwargs.items() if k == "keepdims"}
        return calls().call(twin, args[0], axis=axis, **options)
    if name == "outer" and len(args) == 2 and not kwargs:
        x, y = args
        spread = op.item(calls().call(np.asarray, x), (..., *[None] * np.ndim(y)))
        return calls().call(fn, spread, y)
    return calls().opaque(bound, args, kwargs)


_SAME_AS = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
}


def _at(fn: Any, x: Any, index: Any, value: Any = None) -> None:
    """np.add.at(x, index, value): repeated elements of the index add up."""
    if not op.is_active(x) and not op.is_active(value):
        op.changes(x)
        fn.at(x, index, *([] if value is None else [value]))
        return
    if fn is np.subtract:
        fn, value = np.add, op.neg(value)
    if fn is not np.add:
        _at_in_turns(fn, x, index, value)
        return
    op.changes(x)
    np.add.at(x, index, value)
    for level in state.levels:
        if level.is_active(value) and not level.muted:
            with op.guarded(level), outside(level):
                level.note_add_at(x, index, value)


def _at_in_turns(fn: Any, x: Any, index: Any, value: Any) -> None:
    """fn.at(x, index, value): all elements the first time, then those named again, and so on."""
    call = calls().call
    named = np.arange(x.size).reshape(x.shape)[index]
    flat = named.ravel()
    order = np.argsort(flat, kind="stable")
    turns = np.empty_like(order)
    turns[order] = np.arange(flat.size) - np.searchsorted(flat[order], flat[order])
    if value is not None:
        value = call(np.reshape, call(np.broadcast_to, value, named.shape), -1)
    for turn in range(max(turns, default=-1) + 1):
        now = np.flatnonzero(turns == turn)
        places = np.unravel_index(flat[now], x.shape)
        operands = [op.item(x, places), *([] if value is None else [op.item(value, now)])]
        result = call(fn, *operands)
        if not np.can_cast(result.dtype, x.dtype, "same_kind"):
            fn.at(x, index, *([] if value is None else [value]))  # raises the error of NumPy's
        op.set_item(x, places, result)


# -- functions that change an array in place ----------------------------------------------------


def _copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if not op.is_active(dst) and not op.is_active(src):
        op.changes(dst)
        np.copyto(dst, src, casting, where)
    elif where is True:
        op.set_item(dst, ..., src)
    else:
        mask = np.broadcast_to(where, dst.shape)
        spread = calls().call(np.broadcast_to, src, dst.shape)
        op.set_item(dst, mask, op.item(spread, mask))


def _repeated(values: Any, count: int) -> Any:
    """Values repeated up to a length, as np.put does."""
    if np.ndim(values) == 0:
        return values
    flat = calls().call(np.ravel, calls().call(np.asarray, values))
    return op.item(flat, np.arange(count) % flat.size)


def _nan_to_num(x: Any, copy: bool = True, **options: Any) -> Any:
    if copy or not is_array(x):
        return op.apply(np.nan_to_num, np.nan_to_num, x, **options)
    op.set_item(x, ..., op.apply(np.nan_to_num, np.nan_to_num, x, **options))
    return x


def _fromiter(iter: Any, dtype: Any, count: int = -1, **options: Any) -> Any:
    values = list(op.iterate(iter))
    if not op.is_active(values):
        return np.fromiter(values, dtype, count, **options)
    return calls().call(np.array, values if count < 0 else values[:count], dtype=dtype)


def _put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    positions = np.ravel(np.asarray(ind))
    if mode == "wrap":
        positions = positions % a.size
    elif mode == "clip":
        positions = np.clip(positions, 0, a.size - 1)
    places = np.unravel_index(np.where(positions < 0, positions + a.size, positions), a.shape)
    op.set_item(a, places, _repeated(v, positions.size))


def _place(arr: Any, mask: Any, vals: Any) -> None:
    mask = np.asarray(mask, dtype=bool)
    op.set_item(arr, mask, _repeated(vals, int(mask.sum())))


def _putmask(a: Any, mask: Any, values: Any) -> None:
    mask = np.asarray(mask, dtype=bool)
    if np.ndim(values) == 0:
        op.set_item(a, mask, values)
        return
    whole = calls().call(np.reshape, _repeated(values, a.size), a.shape)
    op.set_item(a, mask, op.item(whole, mask))


def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    marked = np.zeros(a.shape, dtype=bool)
    np.fill_diagonal(marked, True, wrap)
    op.set_item(a, np.nonzero(marked), _repeated(val, int(marked.sum())))


def _put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None = -1) -> None:
    if axis is None:
        _put(arr, indices, values)
        return
    axis %= arr.ndim
    sizes = [n if i == axis else m for i, (n, m) in enumerate(zip(indices.shape, arr.shape))]
    grid = list(np.ogrid[tuple(slice(n) for n in sizes)])
    grid[axis] = indices
    op.set_item(arr, tuple(grid), values)


def _sort_in_place(x: Any, axis: int = -1, *args: Any, **kwargs: Any) -> None:
    if not op.is_active(x):
        op.changes(x)
        x.sort(axis, *args, **kwargs)
    else:
        op.set_item(x, ..., calls().call(np.sort, x, axis=axis))


def _partition_in_place(x: Any, kth: Any, axis: int = -1, **kwargs: Any) -> None:
    if not op.is_active(x):
        op.changes(x)
        x.partition(kth, axis, **kwargs)
    else:
        op.set_item(x, ..., calls().call(np.partition, x, kth, axis=axis))


def _refused(name: str, advice: str) -> Callable[..., Any]:
    def refused(x: Any, *args: Any, **kwargs: Any) -> Any:
        if op.is_active(x):
            raise op.refuse(origins.unsupported(f"`{name}` of an array is not supported", advice))
        op.changes(x)
        return getattr(x, name)(*args, **kwargs)

    return refused


_CHANGING: dict[str, Callable[..., Any]] = {
    "fill": lambda x, value: op.set_item(x, ..., value),
    "sort": _sort_in_place,
    "partition": _partition_in_place,
    "put": _put,
    "resize": _refused("resize", "Make a new array: np.resize(x, shape)."),
    "setfield": _refused("setfield", "Assign to elements instead: x[i] = v."),
    "byteswap": _refused("byteswap", "Convert with x.astype."),
}


SPECIAL: dict[Any, Callable[..., Any]] = {
    # What they return is a view, which is known by the memory that it lies in.
    np.lib.stride_tricks.as_strided: np.lib.stride_tricks.as_strided,
    np.lib.stride_tricks.sliding_window_view: np.lib.stride_tricks.sliding_window_view,
    np.nan_to_num: _nan_to_num,
    np.fromiter: _fromiter,
    np.copyto: _copyto, np.put: _put, np.place: _place, np.putmask: _putmask,
    np.fill_diagonal: _fill_diagonal, np.put_along_axis: _put_along_axis,
}  # fmt: skip
