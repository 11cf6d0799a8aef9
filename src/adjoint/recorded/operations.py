"""Operators, elements and attributes: what rewritten code calls in place of them.

Each carries out just what Python would, and notes it at the levels at which an operand is active.
"""

from __future__ import annotations

import collections
import operator
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .. import anomaly
from ..errors import AnomalyError
from ..rules import RULES, is_zero, own
from ..rules.methods import ATTRIBUTES
from ..rules.operands import ARRAYS_OF
from ..rules.reductions import REDUCTIONS
from ..runtime.generic import rebuild
from ..runtime.structs import is_struct
from ..types import is_sequence
from . import origins, templates
from .checks import check_value
from .levels import Level, outside, state
from .memory import is_array, owner_of

_NUMBERS = frozenset({float, int, bool, complex, np.float64, np.float32, np.float16})
_PLAIN = _NUMBERS | {np.ndarray, list, tuple, str, dict, set, frozenset, bytes, type(None)}


_OF_INTEGERS = frozenset({"add", "sub", "mul", "floordiv", "mod"})  # integers of integers


class Promoted(float):
    """A Python int that counts as a real number, and may still be an index or a count."""

    def __index__(self) -> int:
        return int(self)


# -- noting -----------------------------------------------------------------------------------


def apply(fn: Any, native: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """native(*args, **kwargs), noted as an application of `fn`, which has the rule."""
    value = native(*args, **kwargs)
    if state.levels:
        note(fn, args, kwargs, value)
        if state.levels[0].muted:
            return still(value)
    return value


def still(value: Any) -> Any:
    """What is computed in `no_grad`, apart from what varies: a view of that, an equal number."""
    if isinstance(value, (list, tuple)):
        return rebuild(value, list(map(still, value)))
    if not any(level.muted and level.is_active(value) for level in state.levels):
        return value
    return detached(value, value.copy()) if is_array(value) else fresh(value)


def note(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> None:
    """Tell each level what was computed, the outermost first."""
    if anomaly.threads:
        try:
            check_value(fn, value)
        except AnomalyError as error:
            raise refuse(error) from None
    has_list = any(a.__class__ in (list, tuple) for a in args)
    if has_list and isinstance(fn, np.ufunc) and not is_zero(fn):
        args = tuple(map(_as_array, args))  # rules compute with arrays
    elif has_list and fn in REDUCTIONS:
        args = (_as_array(args[0]), *args[1:])
    elif has_list and fn in ARRAYS_OF:
        count = ARRAYS_OF[fn]
        args = (*map(_as_array, args[:count]), *args[count:])
    elif has_list and fn is np.einsum and isinstance(args[0], str):
        args = (args[0], *map(_as_array, args[1:]))
    for level in state.levels:
        if level.muted:
            continue
        if any(map(level.is_active, args)) or any(map(level.is_active, kwargs.values())):
            if is_zero(fn) or not varies(value):
                continue
            with guarded(level), outside(level):
                level.note(fn, args, kwargs, value)


def _as_array(value: Any) -> Any:
    """What an operation on arrays makes of an operand."""
    if not isinstance(value, (list, tuple)):
        return value
    return calls().call(np.array, value) if is_active(value) else np.array(value)


class guarded:
    """What goes wrong while noting ends the derivative, even if the user's code catches it."""

    __slots__ = ("level",)

    def __init__(self, level: Level) -> None:
        self.level = level

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if error is not None and self.level.failure is None:
            self.level.failure = error


def refuse(error: Exception) -> Exception:
    """The same error, which ends the derivatives under way even if the user's code catches it."""
    for level in state.levels:
        if level.failure is None:
            level.failure = error
    return error


def refuse_object(value: Any, what: str) -> None:
    """Refuse an object with parts where a derivative goes through it and nothing would be noted."""
    if is_struct(value.__class__) and holds_active(value):
        raise refuse(origins.unsupported(
            f"a {type(value).__name__} that is differentiated by is {what}",
            "Give it the arrays of the object.",
        ))  # fmt: skip


def varies(value: Any) -> bool:
    """Whether a result can have a derivative: real or complex numbers, or a structure of them."""
    cls = value.__class__
    if cls is float or cls is complex:
        return True
    if isinstance(value, (list, tuple)):
        return any(map(varies, value))
    if isinstance(value, dict):
        return any(map(varies, value.values()))
    if is_struct(cls):
        return any(map(varies, value.__tree_flatten__().values()))
    dtype = getattr(value, "dtype", None)
    kind = getattr(dtype, "kind", "")
    if kind == "O":
        raise refuse(origins.unsupported(
            "an array of objects has no derivative", "Use an array of floats, or a list."
        ))  # fmt: skip
    return kind in ("f", "c") or isinstance(value, (float, complex))


def is_active(value: Any) -> bool:
    """Whether a derivative goes through a value, or a part of it."""
    return any(level.is_active(value) for level in state.levels)


def holds_active(value: Any, depth: int = 6) -> bool:
    """The same, also through dicts, sets and the attributes of objects."""
    if not state.levels:
        return False
    if is_active(value):
        return True
    if depth == 0 or isinstance(value, (str, bytes, int, float, types.ModuleType, type)):
        return False
    if isinstance(value, dict):
        parts: Iterable[Any] = list(value.values())
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts = list(value)
    elif isinstance(value, types.MethodType):
        parts = [value.__self__]
    elif isinstance(value, types.FunctionType) or callable(value) and not _has_dict(value):
        return False
    else:
        parts = _attributes(value)
    return any(holds_active(part, depth - 1) for part in parts)


def _has_dict(value: Any) -> bool:
    return hasattr(value, "__dict__")


def _attributes(value: Any) -> list[Any]:
    found = list(vars(value).values()) if _has_dict(value) else []
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if isinstance(name, str) and hasattr(value, name):
                found.append(getattr(value, name))
    return found


# -- operators --------------------------------------------------------------------------------


def _binary(native: Callable[..., Any], rule: Any) -> Callable[[Any, Any], Any]:
    name = native.__name__.rstrip("_")
    forward, reflected = f"__{name}__", f"__r{name}__"

    def operate(x: Any, y: Any) -> Any:
        if x.__class__ in _PLAIN and y.__class__ in _PLAIN:
            value = native(x, y)
            if state.levels:
                if x.__class__ is str and name == "mod":
                    shown(y)
                elif value.__class__ not in (list, tuple, str):
                    note(rule, (x, y), {}, value)
            return value
        if Promoted in (x.__class__, y.__class__) and name in _OF_INTEGERS:
            if all(v.__class__ in (int, Promoted) for v in (x, y)):
                value = Promoted(native(x, y))
                note(rule, (x, y), {}, value)
                return value
        return _of_objects(native, rule, forward, reflected, x, y)

    operate.__name__ = native.__name__
    return operate


def _of_objects(native: Any, rule: Any, forward: str, reflected: str, x: Any, y: Any) -> Any:
    """x + y where one may be of a class of the user's: its methods are noted as well."""
    own_x, own_y = python_method(x, forward), python_method(y, reflected)
    if own_x is None and own_y is None:
        return apply(rule, native, x, y)
    first = [(own_x, x, y)] if own_x is not None else []
    second = [(own_y, y, x)] if own_y is not None and type(x) is not type(y) else []
    if isinstance(y, type(x)) and type(y) is not type(x) and own_y is not own_x:
        first, second = second, first
    if own_x is None and isinstance(x, np.ndarray) and x.ndim:
        if getattr(type(y), "__array_ufunc__", 0) is not None:
            raise refuse(origins.unsupported(
                f"an array meets an object of class {type(y).__name__}, element by element",
                "Let the class set `__array_ufunc__ = None`, so that its own operator is used.",
            ))  # fmt: skip
    elif own_x is None and not isinstance(x, np.generic):
        # A method of the left operand that is not in Python: of a float, a list.
        method = getattr(type(x), forward, None)
        value = NotImplemented if method is None else method(x, y)
        if value is not NotImplemented:
            note(rule, (x, y), {}, value)
            return value
    for method, owner, other in [*first, *second]:
        value = calls().call(method, owner, other)
        if value is not NotImplemented:
            return value
    return native(x, y)  # raises the error that Python raises


def python_method(value: Any, name: str) -> Any:
    """The method of a class that is written in Python; None where it is built in or missing."""
    found = class_attribute(type(value), name)
    return found if isinstance(found, types.FunctionType) else None


def class_attribute(cls: type, name: str) -> Any:
    """What a class or a base of it has under a name, as it stands there; None if nothing."""
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


add = _binary(operator.add, np.add)
sub = _binary(operator.sub, np.subtract)
mul = _binary(operator.mul, np.multiply)
truediv = _binary(operator.truediv, np.true_divide)
floordiv = _binary(operator.floordiv, np.floor_divide)
mod = _binary(operator.mod, np.remainder)
pow = _binary(operator.pow, np.power)
matmul = _binary(operator.matmul, np.matmul)
lshift = _binary(operator.lshift, np.left_shift)
rshift = _binary(operator.rshift, np.right_shift)
and_ = _binary(operator.and_, np.bitwise_and)
or_ = _binary(operator.or_, np.bitwise_or)
xor = _binary(operator.xor, np.bitwise_xor)


def _unary(native: Callable[..., Any], rule: Any) -> Callable[[Any], Any]:
    name = f"__{native.__name__}__"

    def operate(x: Any) -> Any:
        if x.__class__ not in _PLAIN:
            method = python_method(x, name)
            if method is not None:
                return calls().call(method, x)
        return apply(rule, native, x)

    operate.__name__ = native.__name__
    return operate


neg = _unary(operator.neg, np.negative)
pos = _unary(operator.pos, np.positive)
invert = _unary(operator.invert, np.invert)


def _in_place(operation: Callable[[Any, Any], Any], native: Any) -> Callable[[Any, Any], Any]:
    """x += y: an array is changed, for all its names."""
    name = f"__{native.__name__}__"

    def operate(x: Any, y: Any) -> Any:
        if x.__class__ in _NUMBERS:
            return operation(x, y)
        if is_array(x):
            return change_array(x, y, operation, native)
        method = python_method(x, name)
        if method is not None:
            value = calls().call(method, x, y)
            return operation(x, y) if value is NotImplemented else value
        if isinstance(x, list) and native is operator.iadd:
            x.extend(iterate(y))
            return x
        if class_attribute(type(x), name) is not None:
            return native(x, y)  # of a set, a dict, a deque
        return operation(x, y)

    operate.__name__ = native.__name__
    return operate


def change_array(x: Any, y: Any, operation: Callable[[Any, Any], Any], native: Any) -> Any:
    if not is_active(x) and not is_active(y):
        changes(x)
        return native(x, y)
    value = operation(x, y)
    if not np.can_cast(value.dtype, x.dtype, "same_kind") or value.shape != x.shape:
        return native(x, y)  # raises the error that NumPy raises
    set_item(x, ..., value)
    return x


iadd = _in_place(add, operator.iadd)
isub = _in_place(sub, operator.isub)
imul = _in_place(mul, operator.imul)
itruediv = _in_place(truediv, operator.itruediv)
ifloordiv = _in_place(floordiv, operator.ifloordiv)
imod = _in_place(mod, operator.imod)
ipow = _in_place(pow, operator.ipow)
imatmul = _in_place(matmul, operator.imatmul)
ilshift = _in_place(lshift, operator.ilshift)
irshift = _in_place(rshift, operator.irshift)
iand = _in_place(and_, operator.iand)
ior = _in_place(or_, operator.ior)
ixor = _in_place(xor, operator.ixor)


# -- elements ---------------------------------------------------------------------------------

slice = slice


def item(x: Any, index: Any) -> Any:
    """x[index]"""
    value = part(x, index)
    return still(value) if state.levels and state.levels[0].muted and is_array(x) else value


def part(x: Any, index: Any) -> Any:
    """x[index], which is then changed: in `no_grad` too it is a view."""
    if is_array(x):
        value = x[index]
        for level in state.levels:
            if level.is_active(x) and not level.muted:
                if not (is_array(value) and level.is_active(value)):
                    with guarded(level), outside(level):
                        level.note_element(x, index, value)
        return value
    if x.__class__ in _PLAIN:
        return x[index]  # type: ignore[index]
    if isinstance(x, np.flatiter):
        return item(calls().call(np.ravel, x.base), index)
    if isinstance(x, np.generic):
        return apply(np.copy, lambda x: x[index], x) if index == () else x[index]  # type: ignore[index]
    if (x is np.r_ or x is np.c_) and is_active(index):
        return _joined(x, index)
    method = python_method(x, "__getitem__")
    if method is not None:
        return calls().call(method, x, index)
    missing = python_method(x, "__missing__")
    if missing is not None and index not in x:
        return calls().call(missing, x, index)
    return x[index]


def _joined(joiner: Any, index: Any) -> Any:
    """np.r_[x, y] or np.c_[x, y] of arrays; others are refused, as the method of their class."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if joiner is np.r_ and all(is_array(p) and p.ndim for p in parts):
        return calls().call(np.concatenate, parts)
    if joiner is np.c_ and all(is_array(p) and p.ndim in (1, 2) for p in parts):
        return calls().call(np.column_stack, parts)
    return calls().call(type(joiner).__getitem__, joiner, index)


def set_item(x: Any, index: Any, value: Any) -> None:
    """x[index] = value"""
    if is_array(x):
        if state.levels and is_array(value) and _is_part(x, index, value):
            return  # x[i] += v has changed the view x[i] already
        if state.levels and isinstance(value, (list, tuple)) and is_active(value):
            value = calls().call(np.array, value)
        if x.dtype.kind == "V" and is_active(value):
            raise _not_followed("an array of fields")
        changes(x)
        overlaps = state.levels and is_array(value) and owner_of(value) is owner_of(x)
        before = value.copy() if overlaps else None
        x[index] = value
        if before is not None and not _is_stored(x[index], before):
            raise refuse(origins.aliasing(
                "a part of an array is stored into a part that crosses it, and NumPy has read "
                "elements that it had overwritten", "Store a copy: x[i] = y.copy().",
            ))  # fmt: skip
        for level in state.levels:
            if level.is_active(x) or level.is_active(value):
                with guarded(level), outside(level):
                    level.note_store(x, index, None if level.muted else value)
        return
    method = python_method(x, "__setitem__") if x.__class__ not in _PLAIN else None
    if method is not None:
        calls().call(method, x, index, value)
    elif isinstance(x, np.flatiter):
        base = x.base
        set_item(base, np.unravel_index(np.arange(base.size)[index], base.shape), value)
    else:
        if isinstance(x, list) and isinstance(index, slice):
            value = iterate(value)
        if hasattr(x, "__setitem__") and not isinstance(x, _HOLDING) and holds_active(value):
            raise _not_followed(f"memory of a `{type(x).__name__}`")
        x[index] = value


_HOLDING = (list, dict, collections.deque)  # which keep the very objects that are stored


def _not_followed(what: str) -> Exception:
    """The refusal of a store into memory in which no derivative is kept."""
    return refuse(origins.no_derivative(
        f"a value that varies is stored into {what}",
        "Use a list, a dict or an array of floats.",
    ))  # fmt: skip


def _is_stored(part: Any, value: Any) -> bool:
    """Whether a store has put a value where it belongs."""
    return bool(np.all((part == value) | ((part != part) & (value != value))))


def _is_part(x: Any, index: Any, value: Any) -> bool:
    """Whether a value is the very part of x that it is stored to."""
    if value.base is None or owner_of(value) is not owner_of(x):
        return False
    part = x[index]
    return (
        is_array(part)
        and part.shape == value.shape
        and part.strides == value.strides
        and owner_of(part) is owner_of(value)
        and part.__array_interface__["data"] == value.__array_interface__["data"]
    )


def changes(x: Any) -> None:
    """Tell the levels that the memory of an array is about to be changed."""
    if state.levels and state.detached.is_at_stake(x):
        raise refuse(origins.aliasing(
            "an array is changed of which a constant or complex part is in use",
            "Take a copy where the part is made.",
        ))  # fmt: skip
    for level in state.levels:
        with guarded(level), outside(level):
            level.before_change(x)


def delete_item(x: Any, index: Any) -> None:
    """del x[index]"""
    method = python_method(x, "__delitem__")
    if method is not None:
        calls().call(method, x, index)
    else:
        del x[index]


# -- iteration --------------------------------------------------------------------------------


def iterate(x: Any, pattern: Any = None) -> Iterable[Any]:
    """What a loop runs over: the elements of an array are noted, and taken apart by `pattern`."""
    found = _iterable(x)
    if pattern is None:
        return found
    return (unpack(element, pattern) for element in found)


def _iterable(x: Any) -> Iterable[Any]:
    if x.__class__ in _PLAIN and x.__class__ is not np.ndarray:
        return x  # type: ignore[return-value]
    if is_array(x):
        if x.ndim == 0:
            return iter(x)  # raises the error that NumPy raises
        return (item(x, i) for i in range(len(x)))
    if isinstance(x, np.flatiter):
        return _iterable(calls().call(np.ravel, x.base))
    method = python_method(x, "__iter__")
    if method is not None:
        return _iterator(calls().call(method, x))
    if python_method(x, "__next__") is not None:
        return _iterator(x)
    getitem = python_method(x, "__getitem__")
    if getitem is not None and class_attribute(type(x), "__iter__") is None:
        return _by_index(x, getitem)
    return x


def _iterator(x: Any) -> Iterator[Any]:
    """An iterator whose `__next__`, if it is written in Python, is noted."""
    step = python_method(x, "__next__")
    if step is None:
        return iter(_iterable(x))

    def elements() -> Iterator[Any]:
        while True:
            try:
                element = calls().call(step, x)
            except StopIteration:
                return
            yield element

    return elements()


def _by_index(x: Any, getitem: Any) -> Iterator[Any]:
    position = 0
    while True:
        try:
            element = calls().call(getitem, x, position)
        except IndexError:
            return
        yield element
        position += 1


def unpack(x: Any, pattern: Any) -> Any:
    """What an assignment to several targets takes apart."""
    found = _iterable(x)
    if pattern == 1:
        return found
    parts = list(found)
    star = pattern.index("*") if "*" in pattern else len(parts)
    after = len(pattern) - star - 1
    for k, inner in enumerate(pattern):
        if isinstance(inner, tuple):
            place = k if k < star else len(parts) - after + (k - star - 1)
            if 0 <= place < len(parts):
                parts[place] = unpack(parts[place], inner if any(
                    isinstance(p, tuple) for p in inner) else 1)  # fmt: skip
    return parts


def matched(x: Any, depth: int) -> Any:
    """What `match` takes apart by sequences, so deep: Python reads the elements itself, unnoted."""
    if _is_taken_apart(x, depth):
        raise refuse(origins.unsupported(
            "an array is taken apart by a pattern", "Unpack it first: a, b = x."
        ))  # fmt: skip
    return x


def _is_taken_apart(x: Any, depth: int) -> bool:
    if depth == 0:
        return False
    if is_array(x):
        return is_sequence(type(x)) and is_active(x)
    parts = x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else ()
    return any(_is_taken_apart(part, depth - 1) for part in parts)


# -- attributes -------------------------------------------------------------------------------


def attribute(x: Any, name: str) -> Any:
    """x.name"""
    if name in ("data", "ctypes") and state.levels and isinstance(x, np.ndarray):
        raise refuse(origins.unsupported(
            f"`{name}` of an array gives its memory as bytes", "Index the array itself."
        ))  # fmt: skip
    if is_array(x) or isinstance(x, (np.generic, float, complex)):
        if name in ATTRIBUTES:
            return _part_of_array(x, name)
        if type(x).__module__ in ("numpy", "builtins") or is_array(x):
            return getattr(x, name)
    if isinstance(x, (types.ModuleType, type)):
        return getattr(x, name)
    if isinstance(x, super):
        found = _after(x, name)
    else:
        getter = python_method(x, "__getattribute__")
        if getter is not None:
            return calls().call(getter, x, name)
        found = class_attribute(type(x), name)
    own = getattr(x, "__dict__", None) if not isinstance(x, super) else None
    if isinstance(found, property) and found.fget is not None:
        owner: Any = x
        return calls().call(found.fget, owner.__self__ if isinstance(x, super) else x)
    if found is None or (own is not None and name in own):
        return _missing(x, name, own)
    get = python_method(found, "__get__")
    if get is not None:
        return calls().call(get, found, x, type(x))
    return getattr(x, name)


def _missing(x: Any, name: str, own: Any) -> Any:
    getter = python_method(x, "__getattr__")
    if getter is None or (own is not None and name in own):
        return getattr(x, name)
    return calls().call(getter, x, name)


def _after(x: Any, name: str) -> Any:
    """What `super()` finds under a name, as it stands in the class."""
    order = x.__self_class__.__mro__
    for base in order[order.index(x.__thisclass__) + 1 :]:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


def _part_of_array(x: Any, name: str) -> Any:
    function = ATTRIBUTES[name]
    if name in ("real", "imag") and is_array(x) and x.dtype.kind == "c" and is_active(x):
        # A view of another dtype has no matching view of the cotangent.
        return apply(function, lambda x: detached(x, getattr(x, name).copy()), x)
    return apply(function, lambda x: getattr(x, name), x)


def fresh(value: Any) -> Any:
    """An equal number, as an object of its own."""
    return type(value)(value) if isinstance(value, np.generic) else value * 1.0


def detached(x: Any, copied: Any) -> Any:
    """A copy that stands for the memory of x as long as neither is changed."""
    state.detached.add(x, copied)
    return copied


def set_attribute(x: Any, name: str, value: Any) -> None:
    """x.name = value"""
    if is_array(x):
        if name in ("real", "imag", "flat") and x.dtype.kind in "fc":
            return _set_part(x, name, value)
        changes(x)
        setattr(x, name, value)
        return
    setter = python_method(x, "__setattr__")
    if setter is not None:
        calls().call(setter, x, name, value)
        return
    found = class_attribute(type(x), name)
    if isinstance(found, property) and found.fset is not None:
        calls().call(found.fset, x, value)
    elif python_method(found, "__set__") is not None:
        calls().call(python_method(found, "__set__"), found, x, value)
    else:
        setattr(x, name, value)


def _set_part(x: Any, name: str, value: Any) -> None:
    if name == "flat":
        set_item(x.flat, slice(None), value)
    elif x.dtype.kind != "c":
        if name == "real":
            set_item(x, ..., value)
        else:
            setattr(x, name, value)  # raises the error that NumPy raises
    elif name == "real":
        set_item(x, ..., add(value, mul(1j, attribute(x, "imag"))))
    else:
        set_item(x, ..., add(attribute(x, "real"), mul(1j, value)))


def delete_attribute(x: Any, name: str) -> None:
    """del x.name"""
    found = class_attribute(type(x), name)
    if isinstance(found, property) and found.fdel is not None:
        calls().call(found.fdel, x)
    else:
        delattr(x, name)


# -- texts ------------------------------------------------------------------------------------


def shown(x: Any) -> Any:
    """A value that is made part of a text: a number that is read from a text has no derivative."""
    for level in state.levels:
        if not level.shows and holds_active(x):
            level.shows = True
    return x


def has_rule(fn: Any) -> bool:
    try:
        return fn in RULES or own.has_rule(fn)
    except TypeError:  # not hashable
        return False


def calls() -> Any:
    from . import calls as module

    return module


def missing_rule(fn: Any) -> Exception:
    return refuse(templates.missing(fn))
