"""Builtins and functions of the standard library that the interpreter carries out itself."""

from __future__ import annotations

import builtins
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import core
from ..control import stop_gradient
from ..core import UNDEFINED, Atom, Const, Var
from ..infer import constant
from ..surgery import register_hook
from ..types import (
    Array,
    Dict,
    List,
    Object,
    Scalar,
    Struct,
    Tuple,
    Unknown,
)
from . import hooks
from .expressions import known_length
from .objects import class_of
from .special_methods import SpecialMethods as Methods
from .state import Bound, is_instance, is_static
from .symbols_as_functions import SYMBOLS

Handler = Callable[[Methods, list[Atom], dict[str, Atom], Any], Atom]


def _super(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    return lowering.parent_of_caller(args, node)


def _type(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if len(args) == 1 and (is_instance(args[0]) or isinstance(args[0].type, Tuple)):
        cls = class_of(args[0])
        return lowering.found_in_class(cls, cls.__name__)
    return lowering.opaque(Const(type, Object(type), "type"), args, kwargs)


def _setattr(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if len(args) != 3 or not isinstance(args[1], Const):
        raise lowering.refuse("the name of this attribute is not known here", node)
    lowering.assign_attribute(lowering.pinned(args[0]), args[1].value, args[2], node)
    return constant(None)


def _set_slot(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    """object.__setattr__(self, name, value), by which frozen objects set themselves up"""
    if len(args) != 3 or not is_instance(args[0]) or not isinstance(args[1], Const):
        raise lowering.refuse("this call of `object.__setattr__` is not supported", node)
    lowering.set_attribute(args[0].value, args[1].value, args[2], node)
    return constant(None)


def _replace(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    """dataclasses.replace(obj, **changes)"""
    if len(args) != 1 or not is_instance(args[0]):
        raise lowering.refuse("`replace` of this object is not supported", node)
    cls = class_of(args[0])
    names = [f.name for f in dataclasses.fields(cls) if f.init]  # type: ignore[arg-type]
    given = {n: kwargs[n] if n in kwargs else lowering.attribute(args[0], n, node) for n in names}
    return lowering.call(lowering.found_in_class(cls, cls.__name__), [], given | kwargs, node)


def _len(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    length = known_length(args[0])
    if length is not None:
        return constant(length)
    t = args[0].type
    size = t.dims[0] if isinstance(t, Array) and t.dims else None
    return lowering.op(len, args[0], type=Scalar("int", size))


def _range(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    return lowering.op(core.RANGE, *args)


def _isinstance(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    classes = args[1].value if isinstance(args[1], Const) else _classes(lowering, args[1])
    cls = _class_of(args[0])
    if cls is None or classes is None:
        return lowering.opaque(Const(isinstance, Object(type), "isinstance"), args, kwargs)
    return constant(issubclass(cls, classes))


def _classes(lowering: Methods, atom: Atom) -> Any:
    built = lowering.b.definition(atom, core.TUPLE)
    if built is None or not all(isinstance(a, Const) for a in built.args):
        return None
    return tuple(a.value for a in built.args)  # type: ignore[union-attr]


def _class_of(atom: Atom) -> type | None:
    if isinstance(atom, Const):
        return class_of(atom)
    t = atom.type
    if isinstance(t, Scalar):
        return {"bool": bool, "int": int, "float": float, "complex": complex}[t.kind]
    if isinstance(t, Array):
        return np.ndarray if t.dims else None
    if isinstance(t, Tuple):
        return t.cls
    if isinstance(t, Struct):
        return t.cls
    if isinstance(t, (List, Dict)):
        return list if isinstance(t, List) else dict
    return t.cls if isinstance(t, Object) else None


def _tuple(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if not args:
        return constant(())
    if isinstance(args[0], Const):
        return constant(tuple(args[0].value))
    return lowering.b_tuple(lowering.unpack_all(args[0], node))


def _list(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if not args:
        return lowering.op(core.LIST)
    return lowering.collected(args[0], node)


def _dict(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if args:
        t = args[0].type
        if not (isinstance(t, Dict) and t.keys is not None):
            raise lowering.refuse("`dict` of this value is not supported", node)
        known = {k: lowering.item(args[0], k) for k in t.keys}
    else:
        known = {}
    known |= kwargs
    return lowering.op(core.DICT, *known.values(), keys=constant(tuple(known)))


def _getattr(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if len(args) == 2 and isinstance(args[1], Const):
        return lowering.attribute(args[0], args[1].value, node)
    raise lowering.refuse("this form of `getattr` is not supported", node)


def _hasattr(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    cls = _class_of(args[0])
    if is_instance(args[0]) and isinstance(args[1], Const):
        held = lowering.cells.get((args[0].value, args[1].value), UNDEFINED)
        if held in lowering.unbound:
            raise lowering.refuse("whether this object has the attribute depends on the path", node)
        return constant(held is not UNDEFINED or hasattr(cls, args[1].value))
    if isinstance(args[0], Const) and isinstance(args[1], Const):
        return constant(hasattr(args[0].value, args[1].value))
    if cls is None or not isinstance(args[1], Const):
        raise lowering.refuse("`hasattr` is not supported here", node)
    return constant(hasattr(cls, args[1].value))


def _iscomplexobj(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    from ..types import is_complex

    if isinstance(args[0].type, Unknown):
        return lowering.op(np.iscomplexobj, *args)
    return constant(is_complex(args[0].type))


def _stop_gradient(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    """The same value, which no derivative goes through."""
    return lowering.stopped(args[0])


def _sorted(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    given = [*args, *kwargs.values()]
    if len(args) != 1 or not set(kwargs) <= {"key", "reverse"}:
        raise lowering.refuse("this form of `sorted` is not supported", node)
    if not any(a.varied or is_static(a) for a in given):
        return lowering.opaque(Const(sorted, Object(type), "sorted"), args, kwargs)
    return lowering.sorted(args[0], kwargs.get("key"), kwargs.get("reverse"), node)


def _filter(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    return lowering.filtered(args[0], args[1], node)


def _reduce(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    return lowering.folded(args[0], args[1], args[2] if len(args) > 2 else None, node)


def _map(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    """map(f, xs) is [f(x) for x in xs]: the calls are made at once."""
    if kwargs:
        raise lowering.refuse("`map` takes no keywords", node)
    if len(args) > 2:
        lengths = [n for n in map(known_length, args[1:]) if n is not None]
        if len(lengths) < len(args) - 1:
            raise lowering.refuse("`map` over several values of unknown length", node)
        rows = [[lowering.item(a, i) for a in args[1:]] for i in range(min(lengths))]
        return lowering.op(core.LIST, *(lowering.call(args[0], row, {}, node) for row in rows))
    return lowering.collected(args[1], node, lambda x: lowering.call(args[0], [x], {}, node))


def _zip(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    lengths = [known_length(a) for a in args]
    if kwargs and len(set(lengths)) != 1:
        raise lowering.refuse("`zip` with `strict` needs a loop here", node)
    if any(n is None for n in lengths):
        raise lowering.refuse("`zip` outside a loop needs parts of known length", node)
    count = min(lengths)  # type: ignore[type-var]
    rows = [[lowering.item(a, i) for a in args] for i in range(count)]  # type: ignore[arg-type]
    return lowering.b_tuple([lowering.b_tuple(r) for r in rows])


def _enumerate(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    items = lowering.unpack_all(args[0], node)
    start = kwargs.get("start", args[1] if len(args) > 1 else constant(0))
    if not isinstance(start, Const):
        raise lowering.refuse("the start of this `enumerate` is not known here", node)
    pairs = [lowering.b_tuple([constant(i), item]) for i, item in enumerate(items, start.value)]
    return lowering.b_tuple(pairs)


def _reversed(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    made = lowering.b.definition(args[0], core.RANGE) if isinstance(args[0], Var) else None
    if made is not None and len(made.args) < 3:
        start, stop = made.args if len(made.args) == 2 else (constant(0), made.args[0])
        first = lowering.op(np.subtract, stop, constant(1), style="operator")
        last = lowering.op(np.subtract, start, constant(1), style="operator")
        return lowering.op(core.RANGE, first, last, constant(-1))
    if isinstance(args[0].type, Array):
        return lowering.op(np.flip, args[0], constant(0))
    items = lowering.unpack_all(args[0], node)
    return lowering.b_tuple(items[::-1])


def _min_max(fn: Any) -> Handler:
    def handle(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
        """min(a, b, c) is min(min(a, b), c)."""
        if "key" in kwargs:
            if len(args) != 1 or len(kwargs) > 1:
                raise lowering.refuse("this form of `min` or `max` is not supported", node)
            return lowering.extreme(fn, args[0], kwargs["key"], node)
        if kwargs or len(args) < 3:
            return lowering.primitive(fn, args, kwargs)
        return functools.reduce(lambda a, b: lowering.primitive(fn, [a, b], {}), args)

    return handle


def _partial(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if not isinstance(args[0], Const):
        raise lowering.refuse("which function `partial` is given is not known here", node)
    bound = Bound(args[0], args[1:], kwargs)
    return Const(bound, Object(type(bound)), "partial")


def _wraps(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    """functools.wraps(f) copies names and texts: the decorated function stays what it is."""
    return Const(_identity, Object(type(_identity)), "wraps")


def _identity(fn: Any) -> Any:
    return fn


def _hidden(lowering: Methods, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    raise lowering.refuse(
        "code and names that are made at run time cannot be differentiated", node,
        "Write the expression itself.",
    )  # fmt: skip


HANDLERS: dict[Any, Handler] = {
    builtins.eval: _hidden,
    builtins.exec: _hidden,
    builtins.compile: _hidden,
    builtins.locals: _hidden,
    builtins.globals: _hidden,
    builtins.vars: _hidden,
    builtins.dir: _hidden,
    builtins.min: _min_max(builtins.min),
    builtins.max: _min_max(builtins.max),
    functools.partial: _partial,
    functools.wraps: _wraps,
    **SYMBOLS,
    _identity: lambda lowering, args, kwargs, node: args[0],
    builtins.sorted: _sorted,
    builtins.filter: _filter,
    functools.reduce: _reduce,
    builtins.super: _super,
    builtins.type: _type,
    builtins.setattr: _setattr,
    object.__setattr__: _set_slot,
    dataclasses.replace: _replace,
    builtins.len: _len,
    builtins.range: _range,
    builtins.isinstance: _isinstance,
    builtins.tuple: _tuple,
    builtins.list: _list,
    builtins.dict: _dict,
    builtins.getattr: _getattr,
    builtins.hasattr: _hasattr,
    builtins.map: _map,
    builtins.zip: _zip,
    builtins.enumerate: _enumerate,
    builtins.reversed: _reversed,
    np.iscomplexobj: _iscomplexobj,
    stop_gradient: _stop_gradient,
    register_hook: hooks.register,
}
