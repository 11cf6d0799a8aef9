"""Arguments that are objects with parts: `net(x)` is `forward`, `net.fc1.weight` a parameter.

Parts are read as elements of a container are. Attributes by which the code is chosen (flags,
sizes, texts) are compiled in; all others are read once, when the function starts.
"""

from __future__ import annotations

import inspect
import operator
from typing import Any

from .. import core
from ..core import Atom, Const, External, Op, Var
from ..infer import constant
from ..types import Fixed, Object, Struct, Type
from .expressions import _is_plain
from .special_methods import SpecialMethods


class Structs(SpecialMethods):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.identities: dict[Any, Any] = {}
        self.beside_parts: dict[tuple[Var, str], Atom] = {}  # attributes that are no parts

    def attribute(self, value: Atom, name: str, node: Any) -> Atom:
        t = value.type
        if not isinstance(t, Struct) or isinstance(value, Const):
            return super().attribute(value, name, node)
        assert isinstance(value, Var)
        if isinstance(inspect.getattr_static(t.cls, name, None), property):
            return self._from_classes(value, t.cls.__mro__, name, node)
        if name in (t.keys or ()):
            return self.item(value, name)
        for fixed, known in t.fixed:
            if fixed == name:
                return _fixed(known, name)
        for other, kind in t.others:
            if other == name:
                return self._attribute_beside(value, name, kind)
        return self._from_classes(value, t.cls.__mro__, name, node)

    def _attribute_beside(self, owner: Var, name: str, kind: Type) -> Atom:
        """An attribute that is no part: nothing is differentiated by it."""
        place = owner.root, name
        if place not in self.beside_parts:
            target = Var(name, kind)
            with self.b.inside(self.entry):
                self.b.emit(Op(target, core.ATTRIBUTE, [owner, constant(name)], {}, "", None))
            self.beside_parts[place] = target
        return self.beside_parts[place]

    def assign_attribute(self, owner: Atom, name: str, value: Atom, node: Any) -> None:
        if isinstance(owner.type, Struct) and isinstance(owner, Var):
            known = self.beside_parts.get((owner.root, name))
            if known is not None and isinstance(value, Var) and value.root is known:
                return  # self.mean *= 0.9 changes the array that is there
            raise self.refuse(
                f"the attribute `{name}` of the argument `{owner.name}` is assigned", node,
                "Change the array in place, or return the value.",
            )  # fmt: skip
        super().assign_attribute(owner, name, value, node)

    def method(
        self, owner: Atom, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        if isinstance(owner.type, Struct):
            return self.call(self.attribute(owner, name, node), args, kwargs, node)
        return super().method(owner, name, args, kwargs, node)

    def identity_of_method(self, function: Any, args: list[Atom]) -> Any:
        """What tells that a function calls itself: a layer's `forward` calls that of a part."""
        if not (args and isinstance(args[0], Var) and isinstance(args[0].type, Struct)):
            return function
        found = function, self._path(args[0])
        return self.identities.setdefault(found, found)

    def _path(self, part: Atom) -> tuple[Any, ...]:
        """Which part of which argument this is."""
        made = self.b.definition(part, operator.getitem)
        if made is None:
            return (part.name if isinstance(part, Var) else part,)
        return (*self._path(made.args[0]), made.args[1].value)  # type: ignore[union-attr]

    def as_iterable(self, value: Atom, node: Any) -> Atom:
        """The parts of a numbered object, as a tuple."""
        if isinstance(value.type, Struct):
            return self.b_tuple(self._numbered(value, node))
        return super().as_iterable(value, node)

    def subscript(self, value: Atom, index: Atom, node: Any) -> Atom:
        t = value.type
        if not isinstance(t, Struct):
            return super().subscript(value, index, node)
        parts = self._numbered(value, node)
        if not isinstance(index, Const):
            raise self.refuse("which part this is depends on a value", node, "Use a loop.")
        try:
            found = parts[index.value]
        except (IndexError, TypeError) as error:
            raise self.refuse(f"this index fails: {error}", node) from None
        return self.b_tuple(found) if isinstance(found, list) else found

    def _numbered(self, value: Atom, node: Any) -> list[Atom]:
        t = value.type
        assert isinstance(t, Struct)
        if not getattr(t.cls, "__tree_sequence__", False):
            raise self.refuse(f"a {t.cls.__name__} has no elements", node)
        return [self.item(value, key) for key in t.keys or ()]


def _fixed(known: Any, name: str) -> Const:
    value = _value(known)
    if _is_plain(value) or isinstance(value, tuple):
        return constant(value)
    return Const(value, Object(type(value)), name, External("value", value, name))


def _value(known: Any) -> Any:
    return known.value if isinstance(known, Fixed) else known
