"""Types of values: what the compiler knows of an argument before the code runs.

A type is specialised on the *pattern* of shapes, not on sizes: dimensions are symbols, equal where
the example's sizes are equal, and 1 where they are 1. Code compiled for one batch size serves the
next one.

>>> import numpy as np
>>> print(type_of((np.ones((32, 4)), np.ones(4)), Symbols()))
(float64[a, b], float64[b])
"""

from __future__ import annotations

import importlib
import itertools
import math
import types as python_types
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .runtime.shared_parts import Path, ties
from .runtime.structs import is_struct
from .signature import is_fixed


class Undecided(Exception):
    """A fact was asked of a type that does not know it."""


@dataclass(frozen=True)
class Dim:
    """The size `symbol + offset`. `many`: certainly not 1. `wild`: differs between iterations."""

    symbol: int
    offset: int = 0
    many: bool = False
    wild: bool = False

    def __str__(self) -> str:
        letter = chr(ord("a") + self.symbol % 26) + str(self.symbol // 26 or "")
        return letter + (f"{self.offset:+d}" if self.offset else "")


Size = int | Dim
Shape = tuple[Size, ...]


class Symbols:
    """Gives out dimension symbols; equal sizes of one signature share a symbol."""

    def __init__(self) -> None:
        self._next: Iterator[int] = itertools.count()
        self._by_size: dict[int, Dim] = {}
        self._derived: dict[Any, Dim] = {}
        self._examples: dict[int, int] | None = None  # symbol -> size

    def for_size(self, size: int) -> Size:
        if size == 1:
            return 1
        if size not in self._by_size:
            self._by_size[size] = Dim(next(self._next), many=True)
        return self._by_size[size]

    def example_size(self, size: Size) -> int | None:
        """How large a size is for the arguments that code is made from; None where it is unknown.

        The code serves other sizes too: this decides what is quick, never what is right.
        """
        if isinstance(size, int):
            return size
        if self._examples is None or len(self._examples) != len(self._by_size):
            self._examples = {dim.symbol: n for n, dim in self._by_size.items()}
        found = self._examples.get(size.symbol)
        return None if found is None else found + size.offset

    def derived(self, what: str, *sizes: Any) -> Dim:
        """A size that follows from others: the same whenever it is asked for."""
        if any(isinstance(n, Dim) and n.wild for n in sizes):
            return self.fresh()
        key = what, *sizes
        if key not in self._derived:
            self._derived[key] = self.fresh()
        return self._derived[key]

    def fresh(self, *, many: bool = False, wild: bool = False) -> Dim:
        return Dim(next(self._next), many=many, wild=wild)


_LARGE = 1 << 18  # bytes; from about here on, new memory is fetched from the system each time


def is_large(t: Type, symbols: Symbols) -> bool:
    """Whether an array of this type is so large, for the example, that its memory counts."""
    if not isinstance(t, Array) or not t.dims:
        return False
    sizes = [symbols.example_size(n) for n in t.dims]
    return None not in sizes and math.prod(sizes) * t.element.itemsize >= _LARGE  # type: ignore[arg-type]


def is_many(size: Size) -> bool:
    """Whether a size is certainly not 1, so that it broadcasts against nothing but itself and 1."""
    if isinstance(size, int):
        return size != 1
    return size.many and size.offset >= 0


@dataclass(frozen=True)
class Type:
    """The type of no value at all; base of the others."""

    def __str__(self) -> str:
        return "undefined"

    @property
    def ndim(self) -> int:
        raise Undecided

    @property
    def shape(self) -> Any:
        raise Undecided

    @property
    def dtype(self) -> Any:
        raise Undecided


@dataclass(frozen=True)
class Unknown(Type):
    """Anything. Generated code falls back on the generic runtime."""

    def __str__(self) -> str:
        return "unknown"


_KINDS = ("bool", "int", "float", "complex")


@dataclass(frozen=True)
class Scalar(Type):
    """A Python number; an int may be known as a size."""

    kind: str
    size: Size | None = None

    def __str__(self) -> str:
        return self.kind

    @property
    def ndim(self) -> int:
        return 0

    @property
    def shape(self) -> Any:
        return ()

    @property
    def dtype(self) -> Any:
        return np.dtype(self.kind)


@dataclass(frozen=True)
class Array(Type):
    """An array or a NumPy scalar (rank 0). `dims` is None where the rank is not known.

    Where paths meet, a number may be one of NumPy's or one of Python's, which takes on the dtype of
    what it meets: `weak` is the kind of Python's. What is made of it alone (`np.full`, `np.exp`)
    may then have another dtype than `element`, of another precision or even of ints: it is `loose`.
    """

    element: np.dtype
    dims: Shape | None
    module: str = "numpy"
    weak: str = ""
    loose: str = ""  # or "precision" or "kind"

    def __str__(self) -> str:
        dims = "..." if self.dims is None else ", ".join(map(str, self.dims))
        return f"{self.element}{'?' * bool(self.loose)}[{dims}]"

    @property
    def is_certain(self) -> bool:
        """Whether its values have this dtype, and are none of Python's numbers."""
        return not self.weak and not self.loose

    @property
    def ndim(self) -> int:
        if self.dims is None:
            raise Undecided
        return len(self.dims)

    @property
    def shape(self) -> Any:
        if self.dims is None:
            raise Undecided
        return self.dims

    @property
    def dtype(self) -> Any:
        if not self.is_certain:
            raise Undecided
        return self.element


def has_open_dtype(t: Type) -> bool:
    """Whether the dtype of an array that is filled with this value is not known."""
    return isinstance(t, Array) and bool(filled(t, t.dims).loose)


def may_be_ints(t: Type) -> bool:
    return isinstance(t, Array) and t.loose == "kind"


def filled(t: Array, dims: Shape | None) -> Array:
    """The type of an array of this shape that is filled with values of a type."""
    number = replace(t, element=np.dtype(t.weak or t.element), weak="")
    return replace(either_dtype(t, number), dims=dims, weak="")


def looser(*grades: str) -> str:
    """How loose a dtype is that may be any of several, given how loose they are."""
    return max(grades, key=("", "precision", "kind").index)


def _difference(a: np.dtype, b: np.dtype) -> str:
    return "precision" if a.kind == b.kind else "kind"


def either_dtype(a: Array, b: Array) -> Array:
    """The first of two types, for values that may have the dtype of the second."""
    found = "" if a.element == b.element else _difference(a.element, b.element)
    return replace(a, weak=_wider(a.weak, b.weak), loose=looser(a.loose, b.loose, found))


def may_be_pythons(t: Type) -> Type:
    """The type of a number of which the cotangent may be a float of Python's, a zero or a one."""
    if isinstance(t, Array) and t.dims == ():
        return replace(t, weak="complex" if t.element.kind == "c" else "float")
    return t


def has_to_be_cast(have: Array, want: Array) -> bool:
    """Whether a value is to be cast, to have the dtype of another type."""
    return not want.loose and (bool(have.loose) or have.element != want.element)


@dataclass(frozen=True)
class Tuple(Type):
    items: tuple[Type, ...]
    cls: type = tuple  # or a namedtuple class

    def __str__(self) -> str:
        return "(" + ", ".join(map(str, self.items)) + ")"


@dataclass(frozen=True)
class List(Type):
    """A list. `items` are its elements' types where its length is known."""

    item: Type
    items: tuple[Type, ...] | None = None

    def __str__(self) -> str:
        inner = f"{self.item}, ..." if self.items is None else ", ".join(map(str, self.items))
        return f"[{inner}]"


@dataclass(frozen=True)
class Dict(Type):
    """A dict. `keys` are known where it was built from constants."""

    item: Type
    keys: tuple[Any, ...] | None = None
    items: tuple[Type, ...] = ()

    def __str__(self) -> str:
        if self.keys is None:
            return f"{{...: {self.item}}}"
        pairs = zip(self.keys, self.items, strict=True)
        return "{" + ", ".join(f"{k!r}: {t}" for k, t in pairs) + "}"


@dataclass(frozen=True)
class Struct(Dict):
    """An object with parts that are differentiated, such as a module of a neural network.

    `keys` and `items` are these parts. `fixed` are attributes that the code is made for: flags,
    sizes, texts and functions, by value. The types of `others` are known, their values are read
    anew at each call; they are constants of the derivative.

    What is at two places is read at each as if it were two, and has one gradient, the sum.
    """

    cls: type = object
    fixed: tuple[tuple[str, Any], ...] = ()
    others: tuple[tuple[str, Type], ...] = ()
    ties: tuple[tuple[Path, Path], ...] = ()  # (place, first place) of what is a part once more

    def __str__(self) -> str:
        parts = zip(self.keys or (), self.items, strict=True)
        return f"{self.cls.__name__}({', '.join(f'{k}: {t}' for k, t in parts)})"


@dataclass(frozen=True)
class Fixed:
    """A value that counts by what it is, and of which class: 1, 1.0 and True differ."""

    cls: type
    value: Any
    kinds: Any = None  # what tells the items of a tuple apart that are equal


@dataclass(frozen=True)
class Range(Type):
    start: Size | None = None
    stop: Size | None = None
    step: int | None = None

    def __str__(self) -> str:
        return "range"


@dataclass(frozen=True)
class Object(Type):
    """A value that is no number and holds none that is differentiated."""

    cls: type

    def __str__(self) -> str:
        return self.cls.__name__


NONE = Object(type(None))
INT = Scalar("int")
FLOAT = Scalar("float")
BOOL = Scalar("bool")
UNKNOWN = Unknown()
UNDEFINED_TYPE = Type()


def is_undefined(t: Type) -> bool:
    """Whether a type is that of no value, which none of its subclasses is."""
    return t.__class__ is Type


_ARRAY_MODULES: dict[type, str] = {np.ndarray: "numpy"}
_NAMESPACES: dict[str, Any] = {"numpy": np}


def array_module(cls: type) -> str | None:
    """The name of the module whose arrays are of class `cls`; None if it is no array class.

    CuPy is known by name; any other class takes part by the array API's `__array_namespace__`.
    """
    if cls in _ARRAY_MODULES:
        return _ARRAY_MODULES[cls]
    if cls.__module__.split(".")[0] == "cupy" and cls.__name__ == "ndarray":
        return _ARRAY_MODULES.setdefault(cls, "cupy")
    if hasattr(cls, "__array_namespace__") and not issubclass(cls, np.generic):
        namespace = cls.__array_namespace__(object.__new__(cls))  # type: ignore[attr-defined]
        name = namespace.__name__
        while _NAMESPACES.setdefault(name, namespace) is not namespace:
            name += "_"  # another module of this name
        return _ARRAY_MODULES.setdefault(cls, name)
    return None


def is_sequence(cls: type) -> bool:
    """Whether `case [a, b]` takes objects of a class apart: NumPy's arrays from NumPy 2.5 on."""
    return bool(cls.__flags__ & (1 << 5))  # Py_TPFLAGS_SEQUENCE


def array_namespace(name: str) -> Any:
    """The array module that `array_module` gave this name."""
    if name not in _NAMESPACES:
        _NAMESPACES[name] = importlib.import_module(name)
    return _NAMESPACES[name]


def moved(array: Any, namespace: Any) -> Any:
    """An array as one of another module: to NumPy from CuPy by `get`, else by `asarray`."""
    if namespace is np and hasattr(array, "get"):
        return array.get()
    return namespace.asarray(array)


def type_of(value: Any, symbols: Symbols, *, promote: bool = False) -> Type:
    """The type of a run-time value. `promote`: Python ints count as floats (differentiated)."""
    cls = type(value)
    if cls is bool:
        return BOOL
    if cls is int:
        return FLOAT if promote else INT
    if cls is float or cls is complex:
        return Scalar(cls.__name__)
    module = array_module(cls)
    if module is not None:
        return Array(value.dtype, tuple(symbols.for_size(n) for n in value.shape), module)
    if isinstance(value, np.generic):
        return Array(value.dtype, ())
    for kind in (int, float, complex):
        if isinstance(value, kind):  # of a class of the user's
            return type_of(kind(), symbols, promote=promote)
    if isinstance(value, (tuple, list)):
        items = tuple(type_of(v, symbols, promote=promote) for v in value)
        if isinstance(value, tuple):
            return Tuple(items, cls)
        return List(join_all(items, symbols), items)
    if cls is dict:
        items = tuple(type_of(v, symbols, promote=promote) for v in value.values())
        return Dict(join_all(items, symbols), tuple(value), items)
    if cls is range:
        return Range(step=value.step)
    if value is None:
        return NONE
    if is_struct(cls):
        return _struct_of(value, symbols)
    return Object(cls)


def _struct_of(value: Any, symbols: Symbols) -> Struct:
    cls = type(value)
    children = value.__tree_flatten__()
    items = tuple(type_of(v, symbols) for v in children.values())
    fixed, others = [], []
    for name, attribute in value.__dict__.items():
        if name in children:
            continue
        if is_fixed(attribute):
            kinds = freeze(attribute) if isinstance(attribute, tuple) else None
            fixed.append((name, Fixed(type(attribute), attribute, kinds)))
        else:
            others.append((name, type_of(attribute, symbols)))
    item = items[0] if items else UNDEFINED_TYPE
    return Struct(item, tuple(children), items, cls, tuple(fixed), tuple(others), ties(value))


def join_all(types: tuple[Type, ...] | list[Type], symbols: Symbols) -> Type:
    joined = UNDEFINED_TYPE
    for t in types:
        joined = join(joined, t, symbols)
    return joined


def join(a: Type, b: Type, symbols: Symbols) -> Type:
    """The smallest type that covers both: what a variable has where two paths meet."""
    if a == b or type(b) is Type:
        return a
    if type(a) is Type:
        return b
    if isinstance(a, Scalar) and isinstance(b, Scalar):
        return Scalar(_wider(a.kind, b.kind))
    if isinstance(a, Array) and isinstance(b, Array):
        return _join_arrays(a, b, symbols)
    if isinstance(a, Scalar) and isinstance(b, Array):
        a, b = b, a
    if isinstance(a, Array) and isinstance(b, Scalar):
        if not _weakly_below(b.kind, a.element):
            return UNKNOWN
        weak = _wider(a.weak, b.kind)
        return replace(a, weak=weak) if a.dims == () else replace(a, dims=None, weak=weak)
    if isinstance(a, Tuple) and isinstance(b, Tuple):
        if len(a.items) == len(b.items) and a.cls is b.cls:
            return Tuple(_join_each(a.items, b.items, symbols), a.cls)
        return UNKNOWN
    if isinstance(a, List) and isinstance(b, List):
        item = join(a.item, b.item, symbols)
        if a.items is None or b.items is None or len(a.items) != len(b.items):
            return List(item)
        return List(item, _join_each(a.items, b.items, symbols))
    if isinstance(a, Struct) or isinstance(b, Struct):
        return UNKNOWN
    if isinstance(a, Dict) and isinstance(b, Dict):
        item = join(a.item, b.item, symbols)
        if a.keys is None or a.keys != b.keys:
            return Dict(item)
        return Dict(item, a.keys, _join_each(a.items, b.items, symbols))
    if isinstance(a, Range) and isinstance(b, Range):
        return Range(step=a.step if a.step == b.step else None)
    return UNKNOWN


def _wider(*kinds: str) -> str:
    """The kind of numbers that covers these; an empty one is of none."""
    return max(filter(None, kinds), key=_KINDS.index, default="")


def _join_each(a: tuple[Type, ...], b: tuple[Type, ...], symbols: Symbols) -> tuple[Type, ...]:
    return tuple(join(s, t, symbols) for s, t in zip(a, b, strict=True))


def _join_arrays(a: Array, b: Array, symbols: Symbols) -> Type:
    if a.element != b.element or a.module != b.module:
        return UNKNOWN
    a = replace(a, weak=_wider(a.weak, b.weak), loose=looser(a.loose, b.loose))
    if a.dims is None or b.dims is None or len(a.dims) != len(b.dims):
        return replace(a, dims=None)
    dims = tuple(_join_sizes(m, n, symbols) for m, n in zip(a.dims, b.dims, strict=True))
    return replace(a, dims=dims)


def _join_sizes(m: Size, n: Size, symbols: Symbols) -> Size:
    if m == n:
        return m
    many = is_many(m) and is_many(n)
    if isinstance(m, Dim) and m.wild and m.many == many:
        return m
    return symbols.fresh(many=many, wild=True)


def _weakly_below(kind: str, dtype: np.dtype) -> bool:
    """Whether a Python number of this kind takes on an array's dtype when they meet (NEP 50)."""
    ranks = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}
    return dtype.kind in ranks and _KINDS.index(kind) <= ranks[dtype.kind]


def carries_derivative(t: Type) -> bool:
    """Whether values of this type can have a derivative at all."""
    if isinstance(t, Scalar):
        return t.kind in ("float", "complex")
    if isinstance(t, Array):
        return t.element.kind in "fc"
    if isinstance(t, Tuple):
        return any(map(carries_derivative, t.items))
    if isinstance(t, Struct):
        return any(map(carries_derivative, t.items))
    if isinstance(t, (List, Dict)):
        parts = t.items if t.items else (t.item,)
        return any(map(carries_derivative, parts))
    return isinstance(t, Unknown)


def is_container(t: Type) -> bool:
    return isinstance(t, (Tuple, List, Dict))


def is_complex(t: Type) -> bool:
    if isinstance(t, Scalar):
        return t.kind == "complex"
    return isinstance(t, Array) and t.element.kind == "c"


def same_shape(a: Type, b: Type) -> bool:
    """Whether two values certainly have the same shape."""
    dims_a, dims_b = dims_of(a), dims_of(b)
    return dims_a is not None and dims_a == dims_b


def dims_of(t: Type) -> Shape | None:
    if isinstance(t, Scalar):
        return ()
    return t.dims if isinstance(t, Array) else None


def broadcasts_to_same(t: Type, whole: Type) -> bool:
    """Whether a value, an operand of an elementwise operation with result `whole`, fills it.

    As the operation succeeded, sizes that are not 1 are equal.
    """
    dims, full = dims_of(t), dims_of(whole)
    if dims is None or full is None or len(dims) != len(full):
        return False
    return all(m == n or is_many(m) for m, n in zip(dims, full, strict=True))


def freeze(value: Any) -> Any:
    """A hashable stand-in for a constant, by value and type (1, 1.0 and True differ)."""
    if isinstance(value, (tuple, list)):
        return (type(value), *map(freeze, value))
    if isinstance(value, dict):
        return (dict, *((k, freeze(v)) for k, v in value.items()))
    if isinstance(value, slice):
        return (slice, freeze(value.start), freeze(value.stop), freeze(value.step))
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None), type(...))):
        return (type(value), repr(value) if isinstance(value, float) else value)
    if isinstance(value, python_types.MethodType):
        return (type(value), id(value.__self__), id(value.__func__))
    try:
        hash(value)
    except TypeError:
        return (type(value), id(value))
    return value
