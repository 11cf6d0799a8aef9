"""Calls: what is called decides how.

A function with a rule is carried out and noted. A function or class of the user's is rewritten and
called. Builtins that only move values (list.append, zip, sorted) are called as they are. Anything
else is refused where an active value is given to it, for nobody knows what it does with it.
"""

from __future__ import annotations

import bisect
import builtins
import collections
import contextlib
import copy
import dataclasses
import functools
import heapq
import inspect
import itertools
import operator
import random
import sys
import types
import typing
from collections.abc import Callable
from typing import Any

import numpy as np

from ..control import no_grad, stop_gradient
from ..errors import SourceUnavailableError, UnsupportedSyntaxError
from ..lower.outs import position_of_out
from ..rules import is_zero, own
from ..rules.template import WRITTEN_OUT, import_late
from ..runtime.generic import rebuild
from ..runtime.shared_parts import Copies
from ..runtime.structs import is_struct
from ..signature import is_hashable
from ..surgery import register_hook
from . import arrays, hooks, origins, templates
from . import operations as op
from .errstate import Errstate
from .faults import examine
from .levels import constant, state
from .memory import is_array
from .rewrite import rewritten


def call(fn: Any, /, *args: Any, **kwargs: Any) -> Any:
    """fn(*args, **kwargs)"""
    if not state.levels:
        return fn(*args, **kwargs)
    try:
        kind = fn.__class__
        try:
            special = SPECIAL.get(fn)
        except TypeError:  # not hashable: an object of a class of the user's
            special = None
        if special is not None:
            return special(*args, **kwargs)
        if op.has_rule(fn):
            return rule_call(fn, args, kwargs)
        if kind is types.FunctionType:
            return function(fn, args, kwargs)
        if kind is types.MethodType:
            return call(fn.__func__, fn.__self__, *args, **kwargs)
        handler = BY_CLASS.get(kind)
        if handler is not None:
            return handler(fn, args, kwargs)
        if isinstance(fn, type):
            return construct(fn, args, kwargs)
        inner = op.python_method(fn, "__call__")
        if inner is not None:
            return call(inner, fn, *args, **kwargs)
        return opaque(fn, args, kwargs)
    except Exception as error:
        examine(error, fn, args, kwargs)
        raise


def method(owner: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """owner.name(*args, **kwargs)"""
    if not state.levels:
        return getattr(owner, name)(*args, **kwargs)
    try:
        if is_array(owner) or isinstance(owner, np.generic):
            return arrays.method(owner, name, args, kwargs)
        if isinstance(owner, (float, complex)) and type(owner) in (float, complex):
            return _number_method(owner, name, args)
        if isinstance(owner, np.ufunc):
            return arrays.ufunc_method(owner, name, args, kwargs)
        return call(op.attribute(owner, name), *args, **kwargs)
    except Exception as error:
        examine(error, _own_method, (owner, name, *args), kwargs)
        raise


def _own_method(owner: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(owner, name)(*args, **kwargs)


def _number_method(owner: Any, name: str, args: tuple[Any, ...]) -> Any:
    if name == "conjugate":
        return op.apply(np.conjugate, lambda x: x.conjugate(), owner)
    if name in ("is_integer", "hex", "as_integer_ratio"):
        return getattr(owner, name)(*args)
    return opaque(getattr(owner, name), (owner, *args), {})


def _position_of_out(fn: Any) -> int | None:
    of_numpy = str(getattr(fn, "__module__", "")).startswith("numpy")
    return position_of_out(fn) if of_numpy and is_hashable(fn) else None


# -- functions with a rule ----------------------------------------------------------------------


def rule_call(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function with a rule; what is written to `out=` is stored there."""
    if len(args) > 1 and not isinstance(fn, np.ufunc):
        place = _position_of_out(fn)
        if place is not None and len(args) > place:
            kwargs = {**kwargs, "out": args[place]}
            args = args[:place] + args[place + 1 :]
    if own.has_rule(fn):
        for value in (*args, *kwargs.values()):
            op.refuse_object(value, f"given to {_name(fn)}, which has a rule of its own")
    if not own.has_rule(fn) and (isinstance(fn, np.ufunc) or kwargs.get("out") is not None):
        return arrays.with_out(fn, args, kwargs)
    if any(isinstance(a, types.GeneratorType) for a in args):
        args = tuple(list(a) if isinstance(a, types.GeneratorType) else a for a in args)
    if _is_helper(fn) and not templates.fits(fn, args, kwargs, op.is_active):
        return function(fn, args, kwargs)
    if fn in WRITTEN_OUT:
        return function(WRITTEN_OUT[fn], args, kwargs)
    if isinstance(fn, types.FunctionType) or own.has_rule(fn):
        value = _apart(fn(*args, **kwargs))
        op.note(fn, args, kwargs, value)
        return value
    return op.apply(canonical(fn), fn, *args, **kwargs)


def _is_helper(fn: Any) -> bool:
    """Whether a function is one of ours, which rules call: it can be looked into."""
    return isinstance(fn, types.FunctionType) and (fn.__module__ or "").startswith("adjoint.")


def _apart(value: Any) -> Any:
    """What a function in Python with a rule returns, as something new.

    It may be an argument, or a constant of the function: the rule says how it varies all the same.
    """
    if isinstance(value, dict):
        return {k: _apart(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return rebuild(value, [_apart(v) for v in value])
    if is_array(value):
        return op.detached(value, value.copy()) if op.is_active(value) else value
    return op.fresh(value) if _is_number(value) else value


def canonical(fn: Any) -> Any:
    """The NumPy function whose rule serves a function of CuPy or a builtin."""
    if fn is builtins.abs:
        return np.absolute
    if fn is builtins.pow:
        return np.power
    module = getattr(fn, "__module__", None) or type(fn).__module__
    if str(module).partition(".")[0] == "cupy":
        return getattr(np, getattr(fn, "__name__", ""), fn)
    return fn


# -- the user's functions and classes -----------------------------------------------------------

# Modules of the standard library whose Python code is looked into; others are called as they are.
_ONLY_TELL = ("logging", "warnings")  # those that write what they are given, and compute nothing
_OPEN = ("contextlib", "functools", "collections", "dataclasses")


def is_closed(module: str | None) -> bool:
    """Whether the code of a module is not looked into."""
    top = (module or "").partition(".")[0]
    if top in ("numpy", "cupy"):
        return True
    return top in sys.stdlib_module_names and top not in _OPEN


def function(fn: types.FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if origins.is_rewritten(fn.__code__):
        return fn(*args, **kwargs)
    if fn.__name__ == "__init__" and args and (cls := _class_with(fn, type(args[0]))):
        return _initialise(args[0], cls, fn, args[1:], kwargs)
    if is_closed(fn.__module__):
        if (fn.__module__ or "").partition(".")[0] in _ONLY_TELL:
            return fn(*args, **kwargs)
        return opaque(fn, args, kwargs)
    try:
        made = rewritten(fn)
    except SourceUnavailableError as error:
        if _is_of_namedtuple(fn):
            return fn(*args, **kwargs)
        if origins.here() is None:  # the function itself that is differentiated
            raise op.refuse(error) from None
        return opaque(fn, args, kwargs)
    except UnsupportedSyntaxError as error:
        raise op.refuse(error) from None
    return made(*args, **kwargs)


def _is_of_namedtuple(fn: Any) -> bool:
    """Whether a function is one that `namedtuple` wrote: it only keeps what it is given."""
    return (fn.__module__ or "").startswith("namedtuple_")


def _is_of_dataclass(cls: type, init: Any) -> bool:
    """Whether `dataclass` wrote the `__init__` of a class."""
    return (
        "__dataclass_fields__" in cls.__dict__
        and cls.__dataclass_params__.init  # type: ignore[attr-defined]
        and cls.__dict__.get("__init__") is init
    )


def _class_with(init: Any, cls: type) -> type | None:
    """The class, this one or a base, for which `dataclass` wrote this `__init__`."""
    return next((base for base in cls.__mro__ if _is_of_dataclass(base, init)), None)


def construct(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """cls(*args, **kwargs)"""
    maker = op.python_method(cls, "__call__")
    if maker is not None:  # of a metaclass
        return call(maker, cls, *args, **kwargs)
    if issubclass(cls, (np.ndarray, np.generic, float, complex)):
        return opaque(cls, args, kwargs)
    new, init = cls.__new__, op.class_attribute(cls, "__init__")
    written_new = isinstance(new, types.FunctionType) and not _is_of_namedtuple(new)
    written_init = isinstance(init, types.FunctionType)
    if not written_new and not written_init:
        if cls in _CONVERTED or is_closed(cls.__module__) and not _holds_values(cls):
            return opaque(cls, args, kwargs)
        if issubclass(cls, _COLLECTIONS) and not hasattr(cls, "_fields"):
            args = tuple(op.iterate(a) if is_array(a) else a for a in args)
        return cls(*args, **kwargs)
    if is_closed(cls.__module__):
        return opaque(cls, args, kwargs)
    if written_new:
        made = call(new, cls, *args, **kwargs)
    elif new is object.__new__:
        made = object.__new__(cls)
    else:
        made = new(cls, *args, **kwargs)
    if isinstance(made, cls) and written_init:
        call(init, made, *args, **kwargs)
    elif isinstance(made, cls) and init is not object.__init__:
        init(made, *args, **kwargs)
    return made


def _initialise(
    made: Any, cls: type, init: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """What the `__init__` does that `dataclass` wrote."""
    after = op.python_method(made, "__post_init__")
    if after is None:
        init(made, *args, **kwargs)
        return
    # What `dataclass` wrote calls `__post_init__` itself, unnoted: it is called here instead.
    bound = inspect.signature(init).bind(made, *args, **kwargs)
    bound.apply_defaults()
    given = dict(bound.arguments)
    variables = []
    for field in cls.__dataclass_fields__.values():  # type: ignore[attr-defined]
        kind = getattr(field._field_type, "name", "")
        value = given.get(field.name, field.default)
        if not isinstance(field.default_factory, dataclasses._MISSING_TYPE):
            if field.name not in given or repr(given[field.name]) == "<factory>":
                value = call(field.default_factory)
        if kind == "_FIELD_INITVAR":
            variables.append(value)
        elif kind == "_FIELD" and (field.init or value is not dataclasses.MISSING):
            object.__setattr__(made, field.name, value)
    call(after, made, *variables)


_COLLECTIONS = (list, tuple, set, frozenset, collections.deque)  # they run over what they are given
# Classes that take numbers out of arrays, as bytes.
_CONVERTED = (memoryview, bytes, bytearray)
_HOLDERS = ("collections", "types", "builtins", "contextlib", "functools", "itertools", "enum")


def _holds_values(cls: type) -> bool:
    """Whether a class that is built in only keeps what it is given."""
    module = cls.__module__.partition(".")[0]
    return module in _HOLDERS or issubclass(cls, (BaseException, tuple, list, dict))


# -- what is built in ---------------------------------------------------------------------------

_CONTAINERS = (
    list, tuple, dict, set, frozenset, str, bytes, bytearray, object, type, BaseException,
    property, staticmethod, classmethod, types.GeneratorType, types.SimpleNamespace,
    types.MappingProxyType, super, range, functools.partial,
)  # fmt: skip
_HOLDING_MODULES = ("collections", "itertools", "_io", "io", "re", "_thread", "contextlib")


def built_in(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A method or function of C code."""
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, types.ModuleType) or owner is None:
        objclass = getattr(fn, "__objclass__", None)
        if objclass is None:
            return opaque(fn, args, kwargs)
        if objclass is np.ndarray and args:
            return method(args[0], fn.__name__, *args[1:], **kwargs)
        return _moving(fn, objclass, args, kwargs)
    if is_array(owner) or isinstance(owner, (np.generic, float, complex, np.ufunc)):
        return method(owner, fn.__name__, *args, **kwargs)
    return _moving(fn, type(owner) if not isinstance(owner, type) else owner, args, kwargs)


def _moving(fn: Any, owner: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A method of a container, which moves values, or one that is not known."""
    if issubclass(owner, (float, int, complex)) and not issubclass(owner, bool):
        return opaque(fn, args, kwargs)
    moves = owner in _CONTAINERS or issubclass(owner, (BaseException, list, dict, set, tuple))
    if not moves and owner.__module__ not in _HOLDING_MODULES and not _is_iterator(owner):
        if not (isinstance(fn, types.WrapperDescriptorType | types.MethodWrapperType)):
            return opaque(fn, args, kwargs)
    if owner is str or isinstance(getattr(fn, "__self__", None), str):
        for value in [*args, *kwargs.values()]:
            op.shown(value)
    name = fn.__name__
    if name == "__call__" and isinstance(fn, types.MethodWrapperType):
        return call(fn.__self__, *args, **kwargs)
    if name == "sort" and kwargs.get("key") is not None:
        kwargs = {**kwargs, "key": callback(kwargs["key"])}
    if name in ("extend", "update", "join", "extendleft", "union"):
        args = tuple(a if isinstance(a, dict) else op.iterate(a) for a in args)
    return fn(*args, **kwargs)


def _is_iterator(cls: type) -> bool:
    return cls.__module__ == "builtins" and hasattr(cls, "__next__")


def callback(fn: Any) -> Any:
    """A function that built-in code calls: one that notes what it computes."""
    if fn is None or not callable(fn):
        return fn
    if (
        isinstance(fn, type)
        or isinstance(fn, types.FunctionType)
        and origins.is_rewritten(fn.__code__)
    ):
        return fn if not isinstance(fn, type) else functools.partial(call, fn)
    return functools.partial(call, fn)


def opaque(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call of what the compiler cannot look into: refused where a derivative goes through it."""
    import_late(fn)
    if is_array(kwargs.get("out")):
        return arrays.with_out(fn, args, kwargs)
    if _is_zero(fn):
        return fn(*args, **kwargs)
    given = [*args, *kwargs.values()]
    for value in given:
        if isinstance(value, types.GeneratorType):
            raise op.refuse(origins.no_derivative(
                f"a generator is given to {_name(fn)}, which has no derivative rule",
                "Give it a list.",
            ))  # fmt: skip
        if op.holds_active(value):
            if isinstance(value, types.MethodType) or callable(value) and not is_array(value):
                continue
            raise op.missing_rule(fn)
    if any(_is_written(v) for v in given):
        raise op.refuse(origins.no_derivative(
            f"a function is given to {_name(fn)}, which cannot be looked into",
            "Write the loop that calls it in Python, or give the outer function a rule of its own.",
        ))  # fmt: skip
    for value in given:
        if is_array(value):
            op.changes(value)
    return fn(*args, **kwargs)


def _is_written(value: Any) -> bool:
    """Whether a value is a function of the user's, which may compute with active values."""
    if isinstance(value, types.MethodType):
        value = value.__func__
    return isinstance(value, types.FunctionType) and not is_closed(value.__module__)


def _is_zero(fn: Any) -> bool:
    try:
        return is_zero(fn)
    except TypeError:
        return False


def _name(fn: Any) -> str:
    return f"`{getattr(fn, '__qualname__', None) or getattr(fn, '__name__', None) or fn!r}`"


# -- builtins ----------------------------------------------------------------------------------


def _float(x: Any = 0.0, /) -> Any:
    if type(x) is float:
        return x
    if isinstance(x, str):
        return _from_text(float, x)
    own = op.python_method(x, "__float__")
    return call(own, x) if own is not None else op.apply(float, float, x)


def _complex(*args: Any, **kwargs: Any) -> Any:
    if args and isinstance(args[0], str):
        return _from_text(complex, args[0])
    if not kwargs and len(args) == 1 and type(args[0]) is complex:
        return args[0]
    own = op.python_method(args[0], "__complex__") if args else None
    return call(own, args[0]) if own is not None else op.apply(complex, complex, *args, **kwargs)


def _int(*args: Any, **kwargs: Any) -> Any:
    if args and isinstance(args[0], str):
        return _from_text(int, *args, **kwargs)
    own = next((m for n in ("__int__", "__index__", "__trunc__")
                if args and (m := op.python_method(args[0], n)) is not None), None)  # fmt: skip
    return call(own, args[0]) if own is not None else int(*args, **kwargs)


def _from_text(cls: Any, text: Any, *args: Any, **kwargs: Any) -> Any:
    """A number that is read from a text: it may have been printed from an active one."""
    _check_not_shown("a number is read from a text")
    return cls(text, *args, **kwargs)


def _from_bytes(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """An array that is read from bytes, or from a text."""
    _check_not_shown("an array is read from bytes or a text")
    return opaque(fn, args, kwargs)


def _check_not_shown(what: str) -> None:
    if any(level.shows for level in state.levels):
        raise op.refuse(origins.no_derivative(
            f"{what}, which may be of a value that varies",
            "Compute with the number itself (np.round rounds it).",
        ))  # fmt: skip


def _bool(x: Any = False, /) -> bool:
    own = op.python_method(x, "__bool__")
    return bool(call(own, x)) if own is not None else bool(x)


def _abs(x: Any, /) -> Any:
    own = op.python_method(x, "__abs__")
    return call(own, x) if own is not None else op.apply(np.absolute, abs, x)


def _round(x: Any, *args: Any, **kwargs: Any) -> Any:
    own = op.python_method(x, "__round__")
    return call(own, x, *args, **kwargs) if own is not None else round(x, *args, **kwargs)


def _divmod(x: Any, y: Any, /) -> Any:
    if op.python_method(x, "__divmod__") or op.python_method(y, "__rdivmod__"):
        own = op.python_method(x, "__divmod__")
        return call(own, x, y) if own else call(op.python_method(y, "__rdivmod__"), y, x)
    return op.apply(divmod, divmod, x, y)


def _pow(base: Any, exp: Any, mod: Any = None) -> Any:
    return op.pow(base, exp) if mod is None else pow(base, exp, mod)


def _sum(iterable: Any, /, start: Any = 0) -> Any:
    items = list(op.iterate(iterable))
    if type(start) in (int, float) and all(type(v) in (int, float) for v in items):
        return op.apply(sum, sum, items, start)  # as one operation, as Python carries it out
    for item in items:
        start = op.add(start, item)
    return start


def _extreme(native: Callable[..., Any]) -> Callable[..., Any]:
    def extreme(*args: Any, key: Any = None, **kwargs: Any) -> Any:
        items = list(op.iterate(args[0])) if len(args) == 1 else list(args)
        if key is not None:
            return native(items, key=callback(key), **kwargs)
        value = native(items, **kwargs)
        if not op.is_active(items) or not _is_number(value):
            return value
        # A number of its own: equal numbers share the derivative, and this is one of them.
        return op.apply(native, lambda _: op.fresh(value), items)

    return extreme


def _is_number(value: Any) -> bool:
    return isinstance(value, (float, complex, np.generic))


def _moving_builtin(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A builtin that only moves the elements of what it is given."""

    def moving(*args: Any, **kwargs: Any) -> Any:
        if "key" in kwargs:
            kwargs["key"] = callback(kwargs["key"])
        return fn(*map(_source, args), **kwargs)

    return moving


def _source(x: Any) -> Any:
    """What built-in code runs over."""
    return op.iterate(x) if hasattr(x, "__iter__") or hasattr(x, "__getitem__") else x


def _calling(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A builtin that calls its first argument on the elements of the others."""

    def calling(function_: Any, *args: Any, **kwargs: Any) -> Any:
        return fn(callback(function_), *map(_source, args), **kwargs)

    return calling


def _dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    if args and not isinstance(args[0], dict) and hasattr(args[0], "keys"):
        keys = op.iterate(method(args[0], "keys"))
        return dict({k: op.item(args[0], k) for k in keys}, **kwargs)
    return dict(*map(op.iterate, args), **kwargs)


def _reversed(x: Any, /) -> Any:
    own = op.python_method(x, "__reversed__")
    if own is not None:
        return call(own, x)
    if is_array(x) or op.python_method(x, "__getitem__") is not None:
        return (op.item(x, i) for i in range(len(x) - 1, -1, -1))
    return reversed(x)


def _next(x: Any, *default: Any) -> Any:
    step = op.python_method(x, "__next__")
    if step is None:
        return next(x, *default)
    if not default:
        return call(step, x)
    try:
        return call(step, x)
    except StopIteration:
        return default[0]


def _iter(x: Any, *sentinel: Any) -> Any:
    if sentinel:
        return iter(callback(x), *sentinel)
    return iter(op.iterate(x))


def _getattr(x: Any, name: str, *default: Any) -> Any:
    if not default:
        return op.attribute(x, name)
    try:
        return op.attribute(x, name)
    except AttributeError:
        return default[0]


def _text(fn: Callable[..., Any]) -> Callable[..., Any]:
    def text(*args: Any, **kwargs: Any) -> Any:
        for value in args:
            op.shown(value)
        return fn(*args, **kwargs)

    return text


def _accumulate(iterable: Any, func: Any = None, *, initial: Any = None) -> Any:
    add = op.add if func is None else callback(func)
    return itertools.accumulate(op.iterate(iterable), add, initial=initial)


def _count(start: Any = 0, step: Any = 1) -> Any:
    while True:
        yield start
        start = op.add(start, step)


def _reduce(fn: Any, iterable: Any, *initial: Any) -> Any:
    return functools.reduce(callback(fn), op.iterate(iterable), *initial)


def _stop_gradient(x: Any) -> Any:
    """The same value as an object of its own, which is constant."""
    if isinstance(x, dict):
        return {k: _stop_gradient(v) for k, v in x.items()}
    if isinstance(x, list):
        return [_stop_gradient(v) for v in x]
    if isinstance(x, tuple):
        parts = [_stop_gradient(v) for v in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if is_struct(x.__class__):
        return Copies(_stop_gradient).parts(x)
    if is_array(x):
        return op.detached(x, x.copy()) if op.is_active(x) else x
    return op.fresh(x) if _is_number(x) else x


def _deepcopy(x: Any, memo: dict[int, Any] | None = None) -> Any:
    if not op.holds_active(x):
        return copy.deepcopy(x, memo)
    kept: dict[int, Any] = {} if memo is None else memo
    for value in _leaves(x, 6):
        if is_array(value):
            kept[id(value)] = call(np.copy, value)
        elif _is_number(value):
            kept[id(value)] = value
    return copy.deepcopy(x, kept)


def _leaves(x: Any, depth: int) -> list[Any]:
    if isinstance(x, dict):
        parts = [*x, *x.values()]
    elif isinstance(x, (list, tuple, set, frozenset)):
        parts = list(x)
    elif is_array(x) or _is_number(x) or depth == 0:
        return [x]
    else:
        parts = op._attributes(x)
    return [leaf for part in parts for leaf in _leaves(part, depth - 1)]


def _copy(x: Any) -> Any:
    if is_array(x):
        return call(np.copy, x)
    own = op.python_method(x, "__copy__")
    return call(own, x) if own is not None else copy.copy(x)


def _part(fn: Any, value: Any) -> Any:
    if is_array(value):
        return op.attribute(value, fn.__name__)
    return op.apply(fn, fn, value)


def _refused_builtin(name: str, advice: str) -> Callable[..., Any]:
    def refused(*args: Any, **kwargs: Any) -> Any:
        raise op.refuse(origins.unsupported(f"`{name}` cannot be looked into", advice))

    return refused


def _partial(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return call(fn.func, *fn.args, *args, **{**fn.keywords, **kwargs})


def _partial_method(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return call(fn.__wrapped__, *args, **kwargs)


def _itemgetter(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    found = tuple(op.item(args[0], i) for i in fn.__reduce__()[1])
    return found[0] if len(found) == 1 else found


def _attrgetter(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    found = tuple(
        functools.reduce(op.attribute, path.split("."), args[0]) for path in fn.__reduce__()[1]
    )
    return found[0] if len(found) == 1 else found


def _methodcaller(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    made, given = fn.__reduce__()
    if made is operator.methodcaller:
        return method(args[0], given[0], *given[1:])
    return method(args[0], made.args[0], *given, **made.keywords)


def decorator(fn: Any) -> Any:
    """A decorator of a function or class inside the function."""
    return lambda decorated: call(fn, decorated)


# Decorators that change how a function or class is looked up, not what it computes.
_AS_THEY_ARE = (
    property, staticmethod, classmethod, functools.cached_property, functools.wraps,
    dataclasses.dataclass, contextlib.contextmanager, functools.total_ordering,
    functools.update_wrapper, functools.partial, operator.itemgetter, operator.attrgetter,
    operator.methodcaller, types.SimpleNamespace, dataclasses.field, super, print, len, isinstance,
    issubclass, range, slice, type, id, callable, hasattr, hash, vars, dir, globals, locals,
    object, open, input, typing.cast, ord, chr, bin, hex, oct, functools.partialmethod,
    dataclasses.fields,
    dataclasses.is_dataclass, contextlib.suppress, contextlib.nullcontext, np.errstate,
)  # fmt: skip


def _dataclass_replace(obj: Any, /, **changes: Any) -> Any:
    given = {
        f.name: getattr(obj, f.name)
        for f in dataclasses.fields(obj)
        if f.init and f.name not in changes
    }
    return call(type(obj), **given, **changes)


def _caches(fn: Any = None, *args: Any, **kwargs: Any) -> Any:
    """functools.lru_cache and cache: values are not kept, since each has its own derivative."""
    return fn if callable(fn) else (lambda f: f)


SPECIAL: dict[Any, Callable[..., Any]] = {
    **{fn: fn for fn in _AS_THEY_ARE},
    float: _float, complex: _complex, int: _int, bool: _bool, abs: _abs, round: _round,
    divmod: _divmod, pow: _pow, sum: _sum, max: _extreme(max), min: _extreme(min),
    **{fn: _moving_builtin(fn) for fn in (
        list, tuple, set, frozenset, zip, enumerate, sorted, any, all,
        itertools.chain, itertools.islice, itertools.product, itertools.combinations,
        itertools.permutations, itertools.combinations_with_replacement, itertools.cycle,
        itertools.zip_longest, itertools.pairwise, itertools.tee, itertools.compress,
        itertools.repeat,
    )},
    itertools.chain.from_iterable: lambda xs: itertools.chain.from_iterable(
        op.iterate(x) for x in op.iterate(xs)),
    **{fn: _calling(fn) for fn in (
        map, filter, itertools.starmap, itertools.takewhile, itertools.dropwhile,
        itertools.filterfalse,
    )},
    itertools.groupby: lambda xs, key=None: itertools.groupby(op.iterate(xs), callback(key)),
    itertools.accumulate: _accumulate, itertools.count: _count,
    functools.reduce: _reduce, functools.lru_cache: _caches, functools.cache: _caches,
    dict: _dict, reversed: _reversed, next: _next, iter: _iter,
    getattr: _getattr, setattr: op.set_attribute, delattr: op.delete_attribute,
    **{fn: _text(fn) for fn in (str, repr, format, ascii)},
    stop_gradient: _stop_gradient, no_grad: constant, register_hook: hooks.register_hook,
    copy.copy: _copy, copy.deepcopy: _deepcopy, dataclasses.replace: _dataclass_replace,
    **{fn: fn for fn in (
        heapq.heappush, heapq.heappop, heapq.heapify, heapq.heappushpop, heapq.heapreplace,
        bisect.bisect, bisect.bisect_left, bisect.bisect_right, bisect.insort,
        bisect.insort_left, bisect.insort_right, random.shuffle, random.choice, random.sample,
        random.choices,
    )},
    heapq.nlargest: lambda n, xs, key=None: heapq.nlargest(n, op.iterate(xs), callback(key)),
    heapq.nsmallest: lambda n, xs, key=None: heapq.nsmallest(n, op.iterate(xs), callback(key)),
    eval: _refused_builtin("eval", "Write the expression itself."),
    exec: _refused_builtin("exec", "Write the statements themselves."),
    operator.add: op.add, operator.sub: op.sub, operator.mul: op.mul,
    operator.truediv: op.truediv, operator.floordiv: op.floordiv, operator.mod: op.mod,
    operator.pow: op.pow, operator.matmul: op.matmul, operator.neg: op.neg, operator.pos: op.pos,
    operator.abs: _abs, operator.getitem: op.item, operator.setitem: op.set_item,
    operator.iadd: op.iadd, operator.isub: op.isub, operator.imul: op.imul,
    operator.itruediv: op.itruediv, operator.ipow: op.ipow,
    **{fn: functools.partial(_from_bytes, fn) for fn in (np.frombuffer, np.fromstring)},
    np.real: lambda val: _part(np.real, val), np.imag: lambda val: _part(np.imag, val),
    **arrays.SPECIAL,
}  # fmt: skip

BY_CLASS: dict[type, Callable[..., Any]] = {
    functools.partial: _partial,
    functools._lru_cache_wrapper: _partial_method,
    operator.itemgetter: _itemgetter,
    operator.attrgetter: _attrgetter,
    operator.methodcaller: _methodcaller,
    **dict.fromkeys((
        types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType,
        types.MethodWrapperType, types.ClassMethodDescriptorType,
    ), built_in),
    np.ufunc: lambda fn, args, kwargs: arrays.with_out(fn, args, kwargs),
}  # fmt: skip


def context(manager: Any) -> Any:
    """What a `with` statement enters: methods that are written in Python are noted."""
    if isinstance(manager, np.errstate) and state.levels:
        return Errstate(manager)
    enter = op.python_method(manager, "__enter__")
    leave = op.python_method(manager, "__exit__")
    if enter is None or leave is None or not state.levels:
        return manager
    if is_closed(type(manager).__module__) or isinstance(
        manager, contextlib._GeneratorContextManager
    ):
        return manager  # a generator inside it is rewritten already
    return _Context(manager, enter, leave)


class _Context:
    def __init__(self, manager: Any, enter: Any, leave: Any) -> None:
        self.manager, self.enter, self.leave = manager, enter, leave

    def __enter__(self) -> Any:
        return call(self.enter, self.manager)

    def __exit__(self, *error: Any) -> Any:
        return call(self.leave, self.manager, *error)
