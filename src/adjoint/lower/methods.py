"""Methods of lists, dicts, arrays and objects."""

from __future__ import annotations

import inspect
import types
from typing import Any

from .. import core
from ..core import Atom, Const, External
from ..infer import constant
from ..rules.methods import METHODS, VARARG_METHODS
from ..types import (
    UNKNOWN,
    Array,
    Dict,
    List,
    Object,
    Scalar,
    Tuple,
    Type,
    Unknown,
)
from .mutators import into, method_mutation
from .orders import Orders
from .outs import named_out

_MUTATING_METHODS = frozenset(
    {"fill", "sort", "put", "itemset", "resize", "partition", "setflags", "setfield"}
)


class Methods(Orders):
    def method(
        self, owner: Atom, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        t = owner.type
        if isinstance(t, List):
            return self.list_method(owner, name, args, kwargs, node)
        if isinstance(t, Tuple) and hasattr(t.cls, "_fields"):
            return self.named_tuple_method(owner, t, name, args, kwargs, node)
        if isinstance(t, Dict):
            return self.dict_method(owner, t, name, args, kwargs, node)
        if isinstance(t, (Array, Unknown, Scalar)) or type(t) is Type:
            return self.array_method(owner, name, args, kwargs, node)
        if isinstance(t, Object):
            found = inspect.getattr_static(t.cls, name, None)
            if isinstance(found, (types.FunctionType, staticmethod, classmethod)):
                # Of the class: that no attribute of the object itself hides it is trusted.
                where = External("module", t.cls, name)
                bound = self.external(getattr(t.cls, name), where, f"{t.cls.__name__}.{name}")
                first = [owner] if isinstance(found, types.FunctionType) else []
                return self.call(bound, [*first, *args], kwargs, node)
        callee = self.op(core.ATTRIBUTE, owner, constant(name), type=UNKNOWN, name=name)
        return self.opaque(callee, args, kwargs)

    def named_tuple_method(
        self, owner: Atom, t: Tuple, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        fields: tuple[str, ...] = t.cls._fields  # type: ignore[attr-defined]
        items = {f: self.item(owner, i) for i, f in enumerate(fields)}
        if name == "_replace" and not args and set(kwargs) <= set(fields):
            cls = Const(
                t.cls, Object(type), t.cls.__name__, External("value", t.cls, t.cls.__name__)
            )
            return self.op(core.TUPLE, *(items | kwargs).values(), cls=cls)
        if name == "_asdict" and not args:
            return self.op(core.DICT, *items.values(), keys=constant(fields))
        return self.call(self.attribute(owner, name, node), args, kwargs, node)

    def array_method(
        self, owner: Atom, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        if isinstance(owner.type, Array):
            changed = method_mutation(self, owner, name, args, kwargs, node)
            if changed is not None:
                return changed
        if name in _MUTATING_METHODS:
            raise self.refuse(
                f"the method `{name}` changes the array in place, which is not supported",
                node,
                "Use the function that returns a new array, or assign: x[...] = v.",
            )
        if name in METHODS:
            (owner, *args), kwargs = named_out(METHODS[name], [owner, *args], kwargs)
        out = kwargs.get("out")
        kwargs = {k: v for k, v in kwargs.items() if k != "out"}
        if out is not None and not (isinstance(out, Const) and out.value is None):
            return into(self, out, node, lambda: self.array_method(owner, name, args, kwargs, node))
        if name not in METHODS:
            given = [*args, *kwargs.values()] if isinstance(owner.type, Array) else []
            if any(a.varied for a in (owner, *given)):
                raise self.refuse(f"the array method `{name}` is not supported", node)
            callee = self.op(core.ATTRIBUTE, owner, constant(name), type=UNKNOWN, name=name)
            return self.opaque(callee, args, kwargs)
        if name in VARARG_METHODS and (len(args) > 1 or (args and _is_int(args[0]))):
            args = [self.b_tuple(args)]
        return self.op(METHODS[name], owner, *args, style="method", **kwargs)


def _is_int(atom: Atom) -> bool:
    return isinstance(atom.type, Scalar) and atom.type.kind == "int"
