"""The type of an operation's result, found by carrying the operation out on stand-ins.

A NumPy function knows best what it returns. So it is called on small arrays whose sizes encode
the symbols of their dimensions, twice with different encodings; a size of the result that decodes
to the same symbol both times is that symbol, a size that is equal both times is that number, and
any other is new. No function needs a shape rule of its own.
"""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import core
from .core import Atom, Const, Intrinsic, Var
from .types import (
    BOOL,
    FLOAT,
    INT,
    UNKNOWN,
    Array,
    Dict,
    Dim,
    List,
    Object,
    Range,
    Scalar,
    Size,
    Struct,
    Symbols,
    Tuple,
    Type,
    either_dtype,
    filled,
    freeze,
    is_many,
    join,
    join_all,
    type_of,
)


class _CannotTell(Exception):
    """No stand-in for a value of this type, or none that decides the result."""


# How a NumPy function that stands for a Python operator acts on Python numbers.
PYTHON_OPERATORS: dict[Any, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.true_divide: operator.truediv,
    np.floor_divide: operator.floordiv,
    np.remainder: operator.mod,
    np.power: operator.pow,
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.absolute: abs,
    np.matmul: operator.matmul,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.bitwise_and: operator.and_,
    np.bitwise_or: operator.or_,
    np.bitwise_xor: operator.xor,
    np.invert: operator.invert,
    np.left_shift: operator.lshift,
    np.right_shift: operator.rshift,
}

# Functions that few stand-ins are in the domain of, by one whose result has the same type.
_SAME_RESULT: dict[Any, Callable[..., Any]] = {np.linalg.cholesky: np.linalg.inv}

# Encodings of symbol k as a size: far enough apart that sums, products and small offsets of
# sizes are not mistaken for one another in both.
_ENCODINGS: tuple[Callable[[int], int], ...] = (lambda k: 7 + 6 * k, lambda k: 12 + 8 * k)
_OFFSETS = range(-2, 3)
_LARGEST = 2_000_000  # elements of a stand-in

_MOST_RESULTS = 4096  # types of results kept
_cache: dict[Any, Any] = {}
_OWN: dict[Any, Callable[..., Type | None]] = {}


def typed_by(*fns: Any) -> Callable[[Callable[..., Type | None]], Callable[..., Type | None]]:
    """Let the decorated function say what type these functions return.

    It is for those that few stand-ins are in the domain of, such as windows that have to fit into
    images. It is called with the symbols and the operands, atoms or default values, and returns
    None where it cannot tell.
    """

    def register(function: Callable[..., Type | None]) -> Callable[..., Type | None]:
        _OWN.update(dict.fromkeys(fns, function))
        return function

    return register


def result_type(
    fn: Any, args: list[Atom], kwargs: dict[str, Atom], symbols: Symbols, style: str = ""
) -> Type:
    """The type of `fn(*args, **kwargs)`; Unknown where it depends on values."""
    found = _certain_type(fn, args, kwargs, symbols, style)
    atoms = [*args, *kwargs.values()]
    if all(_is_certain(a.type) for a in atoms):
        return found
    for read in (_as_pythons, _as_wider, _as_narrower, _as_ints):
        others = [_reread(a, read) for a in args]
        named = {k: _reread(a, read) for k, a in kwargs.items()}
        if [a.type for a in atoms] != [a.type for a in (*others, *named.values())]:
            other = _certain_type(fn, others, named, symbols, style)
            found = _either(found, other, symbols)
    if fn is np.absolute and style != "operator" and isinstance(found, Array) and found.weak:
        return filled(found, found.dims)  # abs is of Python's numbers, which this one may not be
    return found


def _certain_type(
    fn: Any, args: list[Atom], kwargs: dict[str, Atom], symbols: Symbols, style: str
) -> Type:
    """The result's type where the operands are what their types say first."""
    if isinstance(fn, np.ufunc) and not kwargs and fn.signature is None and fn.nout == 1:
        elementwise = _elementwise_type(fn, [a.type for a in args], symbols, style)
        if elementwise is not None:
            return elementwise
    if fn is np.matmul and len(args) == 2 and not kwargs:
        product = _matmul_type(args[0].type, args[1].type, symbols)
        if product is not None:
            return product
    if fn is operator.getitem and isinstance(args[0].type, Array):
        part = _part_type(args[0].type, args[1], symbols)
        if part is not None:
            return part
    if fn is np.reshape and len(args) == 2 and isinstance(args[0].type, Array):
        dims = dims_from(args[1], symbols, args[0].type.dims)
        if dims is not None:
            return Array(args[0].type.element, dims, args[0].type.module)
    if fn is np.floor_divide and len(args) == 2:
        quotient = _quotient(_as_size(args[0]), _as_size(args[1]), symbols)
        if quotient is not None:
            return Scalar("int", quotient)
    if _says_itself(fn):
        return _OWN[fn](symbols, *args, **kwargs) or UNKNOWN
    numbering: dict[int, int] = {}
    originals: dict[int, Dim] = {}
    try:
        key = (
            fn,
            style == "operator",
            tuple(_canonical(a, numbering, originals) for a in args),
            tuple((k, _canonical(a, numbering, originals)) for k, a in kwargs.items()),
        )
        found = _cache.get(key, _cache)
        if found is _cache:
            found = _run(fn, args, kwargs, numbering, style)
            if len(_cache) >= _MOST_RESULTS:
                _cache.clear()
            _cache[key] = found
    except _CannotTell:
        return UNKNOWN
    if found is None:
        return UNKNOWN
    made = _decode(found, originals, symbols)
    return _of_any_size(made, symbols) if _is_sized_by_values(fn, args, kwargs) else made


# What is known of a dtype -----------------------------------------------------------------


def _is_certain(t: Type) -> bool:
    """Whether values of a type have the dtypes that it names."""
    if isinstance(t, Array):
        return t.is_certain
    if isinstance(t, Tuple):
        return all(map(_is_certain, t.items))
    if isinstance(t, List):
        return all(map(_is_certain, t.items)) if t.items is not None else _is_certain(t.item)
    return True


def _reread(atom: Atom, read: Callable[[Array], Type]) -> Atom:
    """An operand as it may be where its type is not certain."""
    t = _each_array(atom.type, read)
    return atom if t == atom.type else Var("operand", t)


def _each_array(t: Type, read: Callable[[Array], Type]) -> Type:
    if isinstance(t, Array):
        return t if t.is_certain else read(t)
    if isinstance(t, Tuple):
        return replace(t, items=tuple(_each_array(i, read) for i in t.items))
    if isinstance(t, List):
        items = None if t.items is None else tuple(_each_array(i, read) for i in t.items)
        return List(_each_array(t.item, read), items)
    return t


def _as_pythons(t: Array) -> Type:
    """A number as one of Python's."""
    return Scalar(t.weak) if t.weak else t


def _as_wider(t: Array) -> Type:
    """An array in another precision than the likely one."""
    return replace(t, element=np.result_type(t.element, np.float64)) if t.loose else t


def _as_narrower(t: Array) -> Type:
    narrow = np.dtype(np.complex64 if t.element.kind == "c" else np.float32)
    is_wide = t.loose == "precision" and t.element.itemsize > narrow.itemsize
    return replace(t, element=narrow) if is_wide else t


def _as_ints(t: Array) -> Type:
    """An array that is one of ints, because a number was one."""
    return replace(t, element=np.dtype(int)) if t.loose == "kind" else t


def _either(a: Type, b: Type, symbols: Symbols) -> Type:
    """The type of what has one of two types, depending on what a number was."""
    if isinstance(a, Array) and isinstance(b, Array):
        kinds = {a.element.kind, b.element.kind}
        if a.module != b.module or not (len(kinds) == 1 or kinds <= set("biuf")):
            return UNKNOWN
        has_rank = a.dims is not None and b.dims is not None and len(a.dims) == len(b.dims)
        return replace(either_dtype(a, b), dims=a.dims if has_rank else None)
    if isinstance(a, Tuple) and isinstance(b, Tuple) and len(a.items) == len(b.items):
        return replace(a, items=tuple(_either(s, t, symbols) for s, t in zip(a.items, b.items)))
    if isinstance(a, List) and isinstance(b, List) and a.items is not None:
        if b.items is not None and len(a.items) == len(b.items):
            items = tuple(_either(s, t, symbols) for s, t in zip(a.items, b.items))
            return List(join_all(items, symbols), items)
    return join(a, b, symbols)


def _says_itself(fn: Any) -> bool:
    try:
        return fn in _OWN
    except TypeError:  # unhashable
        return False


# Functions whose results have sizes that depend on values.
_SIZED_BY_VALUES = frozenset(
    {np.extract, np.compress, np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.bincount,
     np.trim_zeros, np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d}
)  # fmt: skip


def _is_sized_by_values(fn: Any, args: list[Atom], kwargs: dict[str, Atom]) -> bool:
    if fn is np.repeat:
        return not all(isinstance(a, Const) for a in [*args[1:2], *kwargs.values()])
    try:
        return fn in _SIZED_BY_VALUES
    except TypeError:
        return False


def _of_any_size(t: Type, symbols: Symbols) -> Type:
    """The same type, all its sizes open."""
    if isinstance(t, Array) and t.dims is not None:
        return Array(t.element, tuple(symbols.fresh() for _ in t.dims), t.module)
    if isinstance(t, Tuple):
        return Tuple(tuple(_of_any_size(i, symbols) for i in t.items), t.cls)
    return t


def dims_from(
    shape: Atom, symbols: Symbols, before: tuple[Size, ...] | None = None
) -> tuple[Size, ...] | None:
    """The sizes that the shape given to np.reshape names, for an array that had those `before`."""
    if isinstance(shape, Const):
        given = shape.value if isinstance(shape.value, (tuple, list)) else (shape.value,)
        if not all(type(n) is int for n in given):
            return None
        sizes = list(given)
    else:
        t = shape.type
        parts = t.items if isinstance(t, (Tuple, List)) else (t,)
        if parts is None or not all(isinstance(p, Scalar) and p.kind == "int" for p in parts):
            return None
        sizes = [p.size for p in parts]  # type: ignore[attr-defined]
    known = [n for n in sizes if n is not None and not _is_open(n)]
    rest = None
    if len(known) == len(sizes) - 1 and before is not None and None not in sizes:
        rest = _left_of(before, known, symbols)
    return tuple(
        n if n is not None and not _is_open(n) else symbols.fresh() if rest is None else rest
        for n in sizes
    )


def _is_open(size: Size) -> bool:
    """Whether it is the -1 of a shape, which stands for what is left."""
    return isinstance(size, int) and size < 0


def _left_of(sizes: Iterable[Size], without: list[Size], symbols: Symbols) -> Size | None:
    """The product of sizes, divided by some of them; None where these are no factors."""
    left = [n for n in sizes if n != 1]
    for n in without:
        if n in left:
            left.remove(n)
        elif n != 1:
            return None
    if len(left) < 2:
        return left[0] if left else 1
    return symbols.derived("product", *sorted(left, key=str))


def _quotient(size: Size | None, by: Size | None, symbols: Symbols) -> Size | None:
    """size // by, of a size that is not known as a number."""
    if size is None or by is None or not isinstance(size, Dim):
        return None
    return symbols.derived("quotient", size, by)


def _elementwise_type(
    ufunc: np.ufunc, types: list[Type], symbols: Symbols, style: str
) -> Type | None:
    """The result of a ufunc on numbers and arrays of known rank, by NumPy's own promotion."""
    if len(types) != ufunc.nin or not any(isinstance(t, Array) for t in types):
        return None
    modules = {t.module for t in types if isinstance(t, Array) and t.module != "numpy"}
    operands: list[Any] = []
    for t in types:
        if isinstance(t, Array):
            operands.append(t.element)
        elif isinstance(t, Scalar):
            operands.append(
                {"bool": np.dtype(bool), "int": int, "float": float}.get(t.kind, complex)
            )
        else:
            return None
    try:
        dtype = ufunc.resolve_dtypes((*operands, None))[-1]
    except TypeError:
        return None
    dims = [() if isinstance(t, Scalar) else t.dims for t in types]  # type: ignore[attr-defined]
    module = modules.pop() if modules else "numpy"
    if any(d is None for d in dims):
        return Array(dtype, None, module)
    return Array(dtype, broadcast_dims(dims, symbols), module)


def _matmul_type(a: Type, b: Type, symbols: Symbols) -> Type | None:
    """The product of vectors and matrices: the inner sizes must be equal, not known."""
    if not (isinstance(a, Array) and isinstance(b, Array) and a.dims and b.dims):
        return None
    try:
        dtype = np.result_type(a.element, b.element)
    except TypeError:
        return None
    rows, columns = a.dims[-2:-1], b.dims[-1:] if len(b.dims) > 1 else ()
    stack = broadcast_dims((a.dims[:-2], b.dims[:-2]), symbols)
    module = b.module if a.module == "numpy" else a.module
    return Array(dtype, (*stack, *rows, *columns), module)


def _part_type(t: Array, index: Atom, symbols: Symbols) -> Type | None:
    """x[i, :, 2:], x[[0, 2]], x[:, rows], x[mask] by the index: whole axes keep their sizes."""
    if t.dims is None:
        return None
    if isinstance(index, Const):
        entries = index.value if isinstance(index.value, tuple) else (index.value,)
        kinds: list[Any] = list(entries)
    else:
        parts = index.type.items if isinstance(index.type, Tuple) else (index.type,)
        kinds = [_kind_of_index(p) for p in parts]
    kinds = [_Picked((len(k),)) if _is_plain_list(k) else k for k in kinds]
    if any(k is _CANNOT_TELL or isinstance(k, (list, np.ndarray, bool, np.generic)) for k in kinds):
        return None
    used = sum(_axes_of(k) for k in kinds)
    if used > len(t.dims):
        return None
    fill = [slice(None)] * (len(t.dims) - used)
    if Ellipsis in kinds:
        at = kinds.index(Ellipsis)
        kinds = [*kinds[:at], *fill, *kinds[at + 1 :]]
    else:
        kinds += fill
    dims: list[Size] = []
    sizes = iter(t.dims)
    places: list[int | None] = []  # of the indices that pick elements, whose axes become one group
    for kind in kinds:
        if kind is None:
            dims.append(1)
            places.append(None)
            continue
        size = next(sizes)
        places.append(len(dims) if isinstance(kind, (_Picked, int)) or kind is _ANY_INT else None)
        if isinstance(kind, slice):
            dims.append(_sliced(size, kind, symbols))
        elif kind is _ANY_SLICE:
            dims.append(symbols.fresh())
        elif isinstance(kind, _Picked):
            for _ in range(kind.axes - 1):
                next(sizes)
    picked = [k for k in kinds if isinstance(k, _Picked)]
    if picked:
        group = broadcast_dims([k.dims or (symbols.fresh(),) for k in picked], symbols)
        used_at = [i for i, p in enumerate(places) if p is not None]
        together = used_at == list(range(used_at[0], used_at[-1] + 1))
        first = (places[used_at[0]] or 0) if together else 0
        dims[first:first] = group
    return Array(t.element, tuple(dims), t.module)


@dataclass(frozen=True)
class _Picked:
    """An index that picks elements: an integer array of shape `dims`, or a mask over `axes`."""

    dims: tuple[Size, ...] | None
    axes: int = 1


_CANNOT_TELL, _ANY_SLICE, _ANY_INT = object(), object(), object()


def _axes_of(kind: Any) -> int:
    """How many axes of the array an entry of an index is for."""
    if isinstance(kind, _Picked):
        return kind.axes
    return int(kind is not None and kind is not Ellipsis)


def _is_plain_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(v) is int for v in value)


def _kind_of_index(t: Type) -> Any:
    if isinstance(t, Scalar) and t.kind == "int":
        return _ANY_INT
    if isinstance(t, Array) and t.dims is not None:
        if t.element.kind in "iu":
            return _ANY_INT if t.dims == () else _Picked(t.dims)
        if t.element.kind == "b" and t.dims:
            return _Picked(None, len(t.dims))
    if isinstance(t, List) and t.items and all(map(_is_int, t.items)):
        return _Picked((len(t.items),))
    if isinstance(t, Object) and t.cls in (slice, type(None), type(...)):
        return {slice: _ANY_SLICE, type(None): None}.get(t.cls, Ellipsis)
    return _CANNOT_TELL


def _is_int(t: Type) -> bool:
    return isinstance(t, Scalar) and t.kind == "int"


def _sliced(size: Size, part: slice, symbols: Symbols) -> Size:
    """The size of x[part] along one axis, where it follows from the size of x."""
    if part == slice(None) or part == slice(None, None, -1):
        return size
    if isinstance(size, int):
        return len(range(size)[part])
    start, stop, step = part.start or 0, part.stop, part.step
    if any(type(n) not in (int, type(None)) for n in (part.start, stop, step)):
        return symbols.fresh()
    derived = symbols.derived("slice", size, start, stop, step)
    if step not in (None, 1):
        return derived
    if 0 < start <= 2 and isinstance(stop, int) and -2 <= stop < 0:
        return Dim(size.symbol, size.offset - start + stop, size.many, size.wild)
    if stop is None and 0 <= start <= 2:
        return Dim(size.symbol, size.offset - start, size.many, size.wild)
    if start == 0 and isinstance(stop, int) and -2 <= stop < 0:
        return Dim(size.symbol, size.offset + stop, size.many, size.wild)
    if part == slice(0, 1) or part == slice(None, 1):
        return 1 if is_many(size) else derived
    return derived


def broadcast_dims(shapes: Iterable[Any], symbols: Symbols) -> tuple[Size, ...]:
    """The shape that broadcasting gives; sizes that are certainly not 1 must be equal."""
    result: list[Size] = []
    shapes = [tuple(reversed(s)) for s in shapes]
    for axis in range(max((len(s) for s in shapes), default=0)):
        sizes = [s[axis] for s in shapes if axis < len(s) and s[axis] != 1]
        many = [n for n in sizes if is_many(n)]
        if not sizes:
            result.append(1)
        elif many:
            known = [n for n in many if isinstance(n, int)]
            result.append(known[0] if known else many[0])
        elif all(n == sizes[0] for n in sizes):
            result.append(sizes[0])
        else:
            result.append(symbols.derived("broadcast", *sorted(set(sizes), key=str)))
    return tuple(reversed(result))


def _canonical(atom: Atom, numbering: dict[int, int], originals: dict[int, Dim]) -> Any:
    if isinstance(atom, Const):
        return ("const", freeze(atom.value))
    return _canonical_type(atom.type, numbering, originals)


def _canonical_size(size: Size | None, numbering: dict[int, int], originals: dict[int, Dim]) -> Any:
    if not isinstance(size, Dim):
        return size
    number = numbering.setdefault(size.symbol, len(numbering))
    originals[number] = Dim(size.symbol, 0, size.many, size.wild)
    return (number, size.offset, size.many)


def _canonical_type(t: Type, numbering: dict[int, int], originals: dict[int, Dim]) -> Any:
    def size(n: Size | None) -> Any:
        return _canonical_size(n, numbering, originals)

    if isinstance(t, Scalar):
        return (t.kind, size(t.size))
    if isinstance(t, Array):
        if t.dims is None:
            raise _CannotTell
        return (t.element, t.module, tuple(map(size, t.dims)))
    if isinstance(t, Tuple):
        return ("tuple", *(_canonical_type(i, numbering, originals) for i in t.items))
    if isinstance(t, List) and t.items is not None:
        return ("list", *(_canonical_type(i, numbering, originals) for i in t.items))
    raise _CannotTell


def _run(
    fn: Any, args: list[Atom], kwargs: dict[str, Atom], numbering: dict[int, int], style: str
) -> Any:
    """The result's type with encoded sizes: pairs of stand-ins, or None where they disagree."""
    runs = []
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for encode in _ENCODINGS:
                positional = [_stand_in(a, numbering, encode) for a in args]
                named = {k: _stand_in(a, numbering, encode) for k, a in kwargs.items()}
                call = _SAME_RESULT.get(fn, fn)
                if all(not isinstance(p, (np.ndarray, np.generic)) for p in positional):
                    if style == "operator" or fn is np.absolute:
                        call = PYTHON_OPERATORS.get(fn, fn)
                runs.append(_carried_out(call, positional, named))
    except Exception:
        # The operation fails on the stand-ins, or there are none. Whether it would on real values,
        # only they can show; the user's own call will raise what NumPy raises.
        return None
    opaque_int = any(
        _has_opaque_int(a.type) for a in [*args, *kwargs.values()] if not isinstance(a, Const)
    )
    module = next((m for a in args if (m := _module(a.type)) is not None), "numpy")
    sliced = fn is operator.getitem
    return _encode(runs[0], runs[1], numbering, opaque_int, module, sliced)


def _carried_out(fn: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """fn's result; functions of math may need numbers above 1 (acosh) or below it (asin)."""
    try:
        return fn(*args, **kwargs)
    except ValueError:
        if not any(type(a) is float for a in args):
            raise
        return fn(*(a + 1 if type(a) is float else a for a in args), **kwargs)


def _has_opaque_int(t: Type) -> bool:
    """Whether an int of unknown value takes part, on which a size may depend."""
    if isinstance(t, Scalar):
        return t.kind == "int" and t.size is None
    if isinstance(t, (Tuple, List)):
        return any(map(_has_opaque_int, t.items or (t.item,) if isinstance(t, List) else t.items))
    return isinstance(t, Array) and t.element.kind in "iu" and t.dims == ()


def _module(t: Type) -> str | None:
    if isinstance(t, Array) and t.module != "numpy":
        return t.module
    if isinstance(t, (Tuple, List)) and t.items:
        return next((m for i in t.items if (m := _module(i)) is not None), None)
    return None


def _stand_in(atom: Atom, numbering: dict[int, int], encode: Callable[[int], int]) -> Any:
    if isinstance(atom, Const):
        return atom.value
    return _stand_in_for(atom.type, numbering, encode)


def _stand_in_for(t: Type, numbering: dict[int, int], encode: Callable[[int], int]) -> Any:
    def size(n: Size) -> int:
        return n if isinstance(n, int) else encode(numbering[n.symbol]) + n.offset

    if isinstance(t, Scalar):
        if t.kind == "int":
            return 1 if t.size is None else size(t.size)
        return {"bool": True, "float": 0.75, "complex": 0.75 + 0.5j}[t.kind]
    if isinstance(t, Array):
        assert t.dims is not None
        shape = tuple(map(size, t.dims))
        count = math.prod(shape)
        if count > _LARGEST:
            raise _CannotTell
        if t.element.kind == "O":
            raise _CannotTell
        # Distinct positive values, so that neither a division nor a sort meets a special case.
        if t.element.kind in "fc":
            values = 0.25 + 0.5 * np.modf(np.arange(count) * 0.618034)[0]
        else:
            values = np.zeros(count)
        return values.reshape(shape).astype(t.element)[()]
    if isinstance(t, Tuple):
        return tuple(_stand_in_for(i, numbering, encode) for i in t.items)
    assert isinstance(t, List) and t.items is not None
    return [_stand_in_for(i, numbering, encode) for i in t.items]


def _encode(
    a: Any, b: Any, numbering: dict[int, int], opaque_int: bool, module: str, sliced: bool
) -> Any:
    """Describe the result of two runs, sizes as ("symbol", number, offset), numbers or None."""

    def size(m: int, n: int) -> Any:
        for number in numbering.values():
            offset = m - _ENCODINGS[0](number)
            if offset in _OFFSETS and offset == n - _ENCODINGS[1](number):
                return ("symbol", number, offset)
        if m != n or opaque_int:
            return "fresh"
        # A slice x[2:4] has two elements of a long array, and fewer of a short one.
        return "fresh" if sliced and m != 1 else m

    if type(a) is not type(b):
        return None
    if isinstance(a, np.ndarray) or isinstance(a, np.generic):
        if a.dtype != b.dtype or a.ndim != b.ndim or a.dtype.kind == "O":
            return None
        return ("array", a.dtype, tuple(map(size, a.shape, b.shape)), module)
    if isinstance(a, bool) or a is None:
        return ("scalar", BOOL) if a is not None else ("scalar", Object(type(None)))
    if isinstance(a, int):
        found = size(a, b)
        return ("int", None if found == "fresh" or (opaque_int) else found)
    if isinstance(a, float):
        return ("scalar", FLOAT)
    if isinstance(a, complex):
        return ("scalar", Scalar("complex"))
    if isinstance(a, (tuple, list)) and len(a) == len(b):
        inner = [_encode(x, y, numbering, opaque_int, module, sliced) for x, y in zip(a, b)]
        if any(i is None for i in inner):
            return None
        return ("tuple" if isinstance(a, tuple) else "list", tuple(inner), type(a))
    return None


def _decode(found: Any, originals: dict[int, Dim], symbols: Symbols) -> Type:
    def size(n: Any) -> Size:
        if n == "fresh":
            return symbols.fresh()
        if isinstance(n, tuple):
            base = originals[n[1]]
            return Dim(base.symbol, n[2], base.many, base.wild)
        return n

    kind = found[0]
    if kind == "array":
        return Array(found[1], tuple(map(size, found[2])), found[3])
    if kind == "int":
        return INT if found[1] is None else Scalar("int", size(found[1]))
    if kind == "scalar":
        return found[1]
    items = tuple(_decode(i, originals, symbols) for i in found[1])
    if kind == "tuple":
        return Tuple(items, found[2])
    return List(join_all(items, symbols), items)


def dict_options(t: Dict, like: Atom) -> dict[str, Any]:
    """What tells core.DICT the keys of a container; `like`, if it is an object with parts."""
    keys: dict[str, Any] = {"keys": constant(t.keys)}
    return keys | {"like": like} if isinstance(t, Struct) else keys


def intrinsic_type(
    fn: Intrinsic, args: list[Atom], kwargs: dict[str, Atom], symbols: Symbols
) -> Type:
    """The result's type of an operation of the core itself."""
    if fn is core.TUPLE:
        cls = kwargs["cls"].value if "cls" in kwargs else tuple  # type: ignore[union-attr]
        return Tuple(tuple(a.type for a in args), cls)
    if fn is core.LIST:
        items = tuple(a.type for a in args)
        return List(join_all(items, symbols), items)
    if fn is core.DICT:
        items = tuple(a.type for a in args)
        if "like" in kwargs:
            like = kwargs["like"].type
            assert isinstance(like, Struct)
            return replace(like, items=items)
        return Dict(join_all(items, symbols), kwargs["keys"].value, items)  # type: ignore[union-attr]
    if fn is core.RANGE:
        bounds = [_as_size(a) for a in args]
        if len(args) == 1:
            return Range(0, bounds[0], 1)
        step = bounds[2] if len(args) == 3 else 1
        return Range(bounds[0], bounds[1], step if isinstance(step, int) else None)
    if fn in (core.NOT, core.IS, core.IS_NOT, core.IN):
        return BOOL
    return UNKNOWN


def _as_size(atom: Atom) -> Size | None:
    if isinstance(atom, Const):
        return atom.value if isinstance(atom.value, int) else None
    return atom.type.size if isinstance(atom.type, Scalar) else None


def constant(value: Any, path: str | None = None, external: Any = None) -> Const:
    """A constant with its own type; an int is known as a size."""
    if type(value) is int:
        return Const(value, Scalar("int", value), path, external)
    if isinstance(value, tuple) and all(type(v) is int for v in value):
        return Const(value, Tuple(tuple(Scalar("int", v) for v in value)), path, external)
    return Const(value, type_of(value, Symbols()), path, external)
