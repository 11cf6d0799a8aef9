"""What generated code calls where types are not known at compile time.

A cotangent of None is a zero of any shape, so that sums need not know what they add to.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .modules import module_of
from .shared_parts import Copies
from .structs import is_struct, map_parts


def add(a: Any, b: Any) -> Any:
    """The sum of two cotangents, of containers element by element."""
    if a is None:
        return b
    if b is None:
        return a
    if isinstance(a, dict):
        return {k: add(v, b[k]) for k, v in a.items()}
    if isinstance(a, (list, tuple)):
        summed = [add(x, y) for x, y in zip(a, b, strict=True)]
        return rebuild(a, summed)
    if is_struct(a.__class__):
        return map_parts(add, a, b)
    return a + b


def add_item(container: Any, key: Any, value: Any) -> Any:
    """A cotangent of a container with `value` added at `key`."""
    if isinstance(container, dict):
        return container | {key: add(container.get(key), value)}
    if is_struct(container.__class__):
        parts = container.__tree_flatten__()
        return container.__tree_unflatten__(parts | {key: add(parts[key], value)})
    items = list(container)
    items[key] = add(items[key], value)
    return rebuild(container, items)


def rebuild(like: Any, items: list[Any]) -> Any:
    """A list or tuple of the class of `like`."""
    if isinstance(like, list):
        return items
    return type(like)(*items) if hasattr(like, "_fields") else type(like)(items)


def zeros_like(x: Any) -> Any:
    """Zeros in the structure of x; None where x is no number that varies."""
    if isinstance(x, dict):
        return {k: zeros_like(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return rebuild(x, [zeros_like(v) for v in x])
    if is_struct(x.__class__):
        return map_parts(zeros_like, x)
    if isinstance(x, bool) or x is None or isinstance(x, str):
        return None
    if isinstance(x, (int, float)):
        return 0.0
    if isinstance(x, complex):
        return 0j
    if getattr(getattr(x, "dtype", None), "kind", "O") in "fc":
        return module_of(x).zeros_like(x)
    return None


def is_differentiable(x: Any) -> bool:
    """Whether a derivative by this value can be taken: real or complex, or a structure."""
    if isinstance(x, (bool, str)) or x is None:
        return False
    if isinstance(x, (int, float, complex, tuple, list, dict)) or is_struct(x.__class__):
        return True
    return getattr(getattr(x, "dtype", None), "kind", "") in ("f", "c")


def fit(d: Any, x: Any) -> Any:
    """A contribution d in the shape and dtype of the value x that it is the cotangent of."""
    if d is None or isinstance(x, dict) or isinstance(d, (list, tuple, dict)):
        return d
    if is_struct(x.__class__):
        return d
    if isinstance(x, (list, tuple)):  # it was taken for an array
        return _in_shape(d, shape_of(x))
    d = _in_shape(d, np.shape(x))
    dtype = getattr(x, "dtype", None)
    real = not np.iscomplexobj(x) if dtype is None else dtype.kind != "c"
    if real and (isinstance(d, complex) or getattr(getattr(d, "dtype", None), "kind", "") == "c"):
        d = d.real
    if dtype is None and isinstance(x, (int, float, complex)):
        return float(d) if real else complex(d)
    given = getattr(d, "dtype", None)
    # None == np.dtype(float) is true in NumPy.
    if dtype is not None and dtype.kind in "fc" and (given is None or given != dtype):
        return d.astype(dtype) if hasattr(d, "astype") else dtype.type(d)
    if dtype is None and hasattr(d, "dtype"):
        return complex(d) if isinstance(x, complex) else float(d)
    return d


def _in_shape(d: Any, shape: tuple[int, ...]) -> Any:
    """Sum a contribution over the axes along which a value of this shape was broadcast."""
    if np.shape(d) == shape:
        return d
    lead = np.ndim(d) - len(shape)
    if lead > 0:
        d = d.sum(axis=tuple(range(lead)))
    aligned = shape[max(-lead, 0) :]  # a contribution of fewer axes has the last ones
    axes = tuple(i for i, n in enumerate(aligned) if n == 1 and d.shape[i] != 1)
    if axes:
        d = d.sum(axis=axes, keepdims=True)
    return d if np.shape(d) == shape else module_of(d).broadcast_to(d, shape)


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a value, which may be a list that NumPy takes for an array."""
    if isinstance(x, (list, tuple)):
        return (len(x), *shape_of(x[0])) if x else (0,)
    return np.shape(x)


def unit_seed(value: Any) -> Any:
    """The cotangent 1 of a result, which must be one real number."""
    from ..errors import OutputError

    advice = "Return one real number: take the sum or the mean, or use vjp with a cotangent."
    if isinstance(value, (bool, complex)) or not (
        isinstance(value, (int, float)) or hasattr(value, "dtype")
    ):
        raise OutputError(f"the function returns a {type(value).__name__}", None, advice)
    if isinstance(value, (int, float)):
        return 1.0
    if value.dtype.kind not in "fiu" or value.size != 1:
        raise OutputError(
            f"the function returns an array of dtype {value.dtype} and shape {value.shape}",
            None,
            advice,
        )
    if value.shape or not isinstance(value, (np.ndarray, np.generic)):
        return module_of(value).ones_like(value)
    return 1.0


def unit_seeds(value: Any) -> Any:
    """The cotangent 1 of each element of a result, which must be real."""
    from ..errors import OutputError

    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind is None and type(value) in (int, float):
        return 1.0
    if kind is None or kind not in "fiu":
        raise OutputError(f"the function returns a {type(value).__name__}", None)
    return module_of(value).ones_like(value)


def as_gradient(d: Any, x: Any) -> Any:
    """A cotangent in the structure, shapes and dtypes of x, in memory of its own."""
    if isinstance(x, dict):
        return {k: as_gradient(None if d is None else d.get(k), v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        parts = [None] * len(x) if d is None else d
        return rebuild(x, [as_gradient(a, b) for a, b in zip(parts, x, strict=True)])
    if is_struct(x.__class__):
        if d is None:
            return map_parts(zeros_like, x)
        return map_parts(lambda v, d: as_gradient(d, v), x, d)
    zero = zeros_like(x)
    if zero is None or d is None:
        return zero
    d = fit(d, x)
    if isinstance(x, complex):
        return complex(d)
    if isinstance(x, (int, float)) and not isinstance(x, np.generic):
        return float(d)
    made = module_of(x).array(d, dtype=x.dtype)
    return made if isinstance(x, np.ndarray) or not isinstance(x, np.generic) else made[()]


def copy(x: Any) -> Any:
    """The same structure with copies of its arrays."""
    if isinstance(x, dict):
        return {k: copy(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return rebuild(x, [copy(v) for v in x])
    if is_struct(x.__class__):
        return Copies(copy, copy).copy(x)
    if hasattr(x, "dtype") and hasattr(x, "shape") and not isinstance(x, np.generic):
        return x.copy()
    return x


def as_list(d: Any) -> Any:
    """A cotangent of a list, which may be an array, as a list in memory of its own."""
    return copy(list(d)) if hasattr(d, "shape") else copy(d)


def fill_up(d: Any, xs: Any) -> Any:
    """Cotangents of the first elements of a sequence, with zeros for the others, in its form."""
    if xs is None:  # a name that has no value
        return d
    whole = [*d, *(zeros_like(x) for x in xs[len(d) :])]
    if hasattr(xs, "shape"):
        xp = module_of(xs)
        if not whole:
            return xp.zeros_like(xs)
        return xp.stack([xp.asarray(v) for v in whole])
    return rebuild(xs, whole)


def unrepeat(d: list[Any], xs: list[Any]) -> list[Any]:
    """The transpose of xs * n: for each element the sum over its repetitions."""
    total = d[: len(xs)]
    for start in range(len(xs), len(d), max(len(xs), 1)):
        total = add(total, d[start : start + len(xs)])
    return total or [zeros_like(x) for x in xs]


def gather_stored(d: Any, index: Any) -> Any:
    """d[index], with 0 where a later element of the same store has overwritten one.

    The cotangent of v in x[index] = v, where the index may name an element twice: the last wins.
    """
    xp, part = module_of(d), d[index]
    order = xp.arange(part.size).reshape(part.shape)
    last = xp.zeros(d.shape, dtype=order.dtype)
    last[index] = order
    return xp.where(last[index] == order, part, 0)


def fit_tangent(t: Any, x: Any) -> Any:
    """A tangent in the shape and dtype of the value x; zeros where it is None."""
    if t is None:
        return _still(x)
    if isinstance(x, (dict, list, tuple)) or is_struct(x.__class__):
        return t
    shape, dtype = np.shape(x), getattr(x, "dtype", None)
    if isinstance(x, (str, type)) or x is None:
        return None
    if getattr(t, "dtype", None) == np.dtype(object):  # of a list, with None for what stays
        t = np.array([0.0 if e is None else e for e in t.flat]).reshape(t.shape)
    if np.shape(t) != shape:
        t = module_of(x).broadcast_to(t, shape)
    if dtype is None or dtype.kind not in "fc":
        return t
    if dtype.kind == "f" and np.iscomplexobj(t):
        t = t.real
    if getattr(t, "dtype", None) == dtype:
        return t
    return t.astype(dtype) if hasattr(t, "astype") else dtype.type(t)


def _still(x: Any) -> Any:
    """The tangent of a value that does not move, as a number or an array to calculate with."""
    if isinstance(x, dict):
        return {k: _still(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return rebuild(x, [_still(v) for v in x])
    if is_struct(x.__class__):
        return map_parts(_still, x)
    dtype = getattr(x, "dtype", None)
    if dtype is not None and dtype.kind in "biufc":
        return module_of(x).zeros(x.shape, dtype if dtype.kind in "fc" else float)
    if isinstance(x, (int, float)):
        return 0.0
    return 0j if isinstance(x, complex) else None


def as_tangent(t: Any, x: Any) -> Any:
    """A tangent in the structure, shapes and dtypes of the value x, in memory of its own.

    None for what cannot move: an int, a bool, a text, None.
    """
    if isinstance(x, dict):
        return {k: as_tangent(None if t is None else t.get(k), v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        parts = [None] * len(x) if t is None else t
        return rebuild(x, [as_tangent(a, b) for a, b in zip(parts, x, strict=True)])
    if is_struct(x.__class__):
        if t is None:
            return map_parts(lambda v: as_tangent(None, v), x)
        return map_parts(lambda v, t: as_tangent(t, v), x, t)
    dtype = getattr(x, "dtype", None)
    if not (isinstance(x, (float, complex)) if dtype is None else dtype.kind in "fc"):
        return None
    t = fit_tangent(t, x)
    if dtype is None:
        return complex(t) if isinstance(x, complex) else float(t)
    if isinstance(x, np.generic):
        return dtype.type(t)
    return module_of(x).array(t, dtype=dtype)


def heads(d: Any, like: Any) -> list[Any]:
    """The first elements of a sequence, as many as `like` has: the transpose of `fill_up`."""
    return [d[i] for i in range(len(like))]


def repeat_like(d: list[Any], like: list[Any]) -> list[Any]:
    """The elements of a list over and over, as many as `like` has: the transpose of `unrepeat`."""
    return [d[i % len(d)] for i in range(len(like))]


def scatter_last(d: Any, x: Any, index: Any) -> Any:
    """Zeros like x with d stored at the index, the last where it names an element twice."""
    out = module_of(d).zeros(x.shape, dtype=d.dtype)
    out[index] = d
    return out
