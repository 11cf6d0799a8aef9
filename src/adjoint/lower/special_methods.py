"""Operators of the user's objects: `a + b` is `a.__add__(b)`, as Python finds it."""

from __future__ import annotations

import builtins
from typing import Any

import gast

from ..core import Atom, Const
from ..infer import constant
from ..types import Dict, List, Object, Scalar, Tuple, Type
from .objects import Objects, class_of, is_users_class
from .state import is_instance

_BINARY = {
    gast.Add: "add",
    gast.Sub: "sub",
    gast.Mult: "mul",
    gast.Div: "truediv",
    gast.FloorDiv: "floordiv",
    gast.Mod: "mod",
    gast.Pow: "pow",
    gast.MatMult: "matmul",
    gast.BitAnd: "and",
    gast.BitOr: "or",
    gast.BitXor: "xor",
    gast.LShift: "lshift",
    gast.RShift: "rshift",
}
_UNARY = {gast.USub: "__neg__", gast.UAdd: "__pos__", gast.Invert: "__invert__"}
_COMPARE = {
    gast.Eq: ("__eq__", "__eq__"),
    gast.NotEq: ("__ne__", "__ne__"),
    gast.Lt: ("__lt__", "__gt__"),
    gast.LtE: ("__le__", "__ge__"),
    gast.Gt: ("__gt__", "__lt__"),
    gast.GtE: ("__ge__", "__le__"),
}
# Builtins that ask the object.
ASKING: dict[Any, str] = {
    builtins.len: "__len__",
    builtins.abs: "__abs__",
    builtins.float: "__float__",
    builtins.int: "__int__",
    builtins.complex: "__complex__",
    builtins.bool: "__bool__",
    builtins.round: "__round__",
    builtins.reversed: "__reversed__",
    builtins.iter: "__iter__",
    builtins.next: "__next__",
    builtins.str: "__str__",
    builtins.repr: "__repr__",
}


_OF_TUPLES = frozenset(
    {"__getitem__", "__contains__"}
    | {name for name in ASKING.values() if name not in ("__str__", "__repr__")}
    | {f"__{r}{name}__" for name in _BINARY.values() for r in ("", "r", "i")}
    | set(_UNARY.values())
    | {name for names in _COMPARE.values() for name in names}
)


def is_more_than_a_tuple(t: Type) -> bool:
    """Whether a value is, or holds, a named tuple that answers operators in its own way."""
    if isinstance(t, (Tuple, List, Dict)) and t.items:
        if any(map(is_more_than_a_tuple, t.items)):
            return True
    if not isinstance(t, Tuple) or t.cls is tuple:
        return False
    own = [c for c in t.cls.__mro__ if c not in (tuple, object)]
    return any(not _OF_TUPLES.isdisjoint(vars(c)) for c in own)


class SpecialMethods(Objects):
    def binary(self, op: type, left: Atom, right: Atom, node: Any) -> Atom:
        if not (_answers(left) or _answers(right)):
            return super().binary(op, left, right, node)
        name = _BINARY[op]
        attempts = [(left, f"__{name}__", right), (right, f"__r{name}__", left)]
        if class_of(right) is class_of(left):
            attempts.pop()
        elif issubclass(class_of(right), class_of(left)) and _answers(left):
            attempts.reverse()
        if not _answers(left) and not isinstance(left.type, Scalar):
            raise self.refuse("this operator on an array and an object is not supported", node)
        for owner, method, other in attempts:
            result = self._ask(owner, method, [other], node)
            if result is not None:
                return result
        raise self.refuse(f"no `__{name}__` takes these objects", node)

    def _ask(self, owner: Atom, name: str, args: list[Atom], node: Any) -> Atom | None:
        """What a special method answers; None if there is none, or it does not know."""
        method = self.method_of(owner, name) if _answers(owner) else None
        if method is None:
            return None
        result = self.call(method, args, {}, node)
        unknown = isinstance(result, Const) and result.value is NotImplemented
        return None if unknown else result

    def augmented(self, current: Atom, value: Atom, node: Any) -> Atom | None:
        if _answers(current):
            result = self._ask(current, f"__i{_BINARY[type(node.op)]}__", [value], node)
            if result is not None:
                return result
        if _answers(current) or _answers(value):
            return self.binary(type(node.op), current, value, node)
        return super().augmented(current, value, node)

    def expr_UnaryOp(self, node: Any) -> Atom:
        if isinstance(node.op, gast.Not):
            return super().expr_UnaryOp(node)
        operand = self.expr(node.operand)
        self.at(node)
        if _answers(operand):
            result = self._ask(operand, _UNARY[type(node.op)], [], node)
            if result is None:
                raise self.refuse("this object has no such operator", node)
            return result
        return self.unary(operand, node)

    def compare(self, op: Any, left: Atom, right: Atom, node: Any) -> Atom:
        if isinstance(op, (gast.In, gast.NotIn)) and _answers(right):
            found = self._ask(right, "__contains__", [left], node)
            if found is None:
                raise self.refuse("`in` is not supported for this object", node)
            return found if isinstance(op, gast.In) else self.negated(found, node)
        if type(op) not in _COMPARE or not (_answers(left) or _answers(right)):
            return super().compare(op, left, right, node)
        names = _COMPARE[type(op)]
        attempts = [(left, names[0], right), (right, names[1], left)]
        if class_of(right) is not class_of(left) and issubclass(class_of(right), class_of(left)):
            attempts.reverse()
        for owner, name, other in attempts:
            result = self._ask(owner, name, [other], node)
            if result is not None:
                return result
        if isinstance(op, gast.NotEq):
            return self.negated(self.compare(gast.Eq(), left, right, node), node)
        if isinstance(op, gast.Eq) and is_instance(left) and is_instance(right):
            if not (left.value.shared or right.value.shared):
                return constant(left.value is right.value)
        raise self.refuse("this comparison of objects is not supported", node)

    def negated(self, value: Atom, node: Any) -> Atom:
        from .. import core
        from .expressions import truth

        known = truth(self.as_test(value, node))
        return self.op(core.NOT, value) if known is None else constant(not known)

    def as_test(self, value: Atom, node: Any) -> Atom:
        if not _answers(value):
            return value
        for name in ("__bool__", "__len__"):
            result = self._ask(value, name, [], node)
            if result is not None:
                return result
        return constant(True)

    def as_iterable(self, value: Atom, node: Any) -> Atom:
        if not _answers(value):
            return super().as_iterable(value, node)
        result = self._ask(value, "__iter__", [], node)
        if result is None or _answers(result):
            raise self.refuse("a loop over this object is not supported", node)
        return self.as_iterable(result, node)

    def subscript(self, value: Atom, index: Atom, node: Any) -> Atom:
        if _answers(value):
            result = self._ask(value, "__getitem__", [index], node)
            if result is None:
                raise self.refuse("this object has no elements", node)
            return result
        return super().subscript(value, index, node)

    def store(self, container: Atom, index: Atom, value: Atom, node: Any) -> None:
        if not _answers(container):
            super().store(container, index, value, node)
        elif self._ask(container, "__setitem__", [index, value], node) is None:
            raise self.refuse("the elements of this object cannot be assigned", node)

    def answered(
        self, fn: Const, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom | None:
        """The result of a call that an object answers: of the object, or of a builtin for it."""
        if is_instance(fn):
            method = self.method_of(fn, "__call__")
            if method is None:
                raise self.refuse(f"a {fn.value.cls.__name__} cannot be called", node)
            return self.call(method, args, kwargs, node)
        if args and _answers(args[0]):
            name = _asking(fn.value)
            if fn.value is bool:
                return self.as_test(args[0], node)
            if name is not None:
                result = self._ask(args[0], name, args[1:], node)
                if result is not None:
                    return result
        return None


def _asking(fn: Any) -> str | None:
    try:
        return ASKING.get(fn)
    except TypeError:
        return None


def _answers(atom: Atom) -> bool:
    """Whether an atom is an object of a class of the user's."""
    if is_instance(atom):
        return True
    if isinstance(atom, Const):
        return atom.type == Object(type(atom.value)) and is_users_class(type(atom.value))
    return isinstance(atom.type, Object) and is_users_class(atom.type.cls)
