"""Arguments that are objects with parts: `net(x)` is `forward`, `net.fc1.weight` a parameter.

Parts are read as elements of a container are. Attributes by which the code is chosen (flags,
sizes, texts) are compiled in; all others are read once, when the function starts.
"""

from __future__ import annotations

import inspect
import operator
from typing import Any

import gast

from .. import core
from ..builder import item_type
from ..core import Atom, Const, External, Op, Var
from ..infer import constant
from ..signature import is_hashable
from ..types import Array, Fixed, Object, Struct, Type, is_container
from .expressions import _is_plain
from .part_walks import walk
from .special_methods import ASKING, SpecialMethods


class Structs(SpecialMethods):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parameters: list[Var] = []
        self.identities: dict[Any, Any] = {}
        self.beside_parts: dict[_Place, Var] = {}  # attributes that are no parts
        self.buffers: dict[Var, Var] = {}  # arrays among these -> the argument that has them

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
        """An attribute that is no part: nothing is differentiated by it.

        It is read once, when the function starts, where it is known whose it is.
        """
        found = self._place_of(owner)
        if found is None:
            target = Var(name, kind)
            self.b.emit(Op(target, core.ATTRIBUTE, [owner, constant(name)], {}, "", None))
            return target
        whole, path = found
        place = whole, path, name
        if place not in self.beside_parts:
            target = Var(name, kind)
            target.serial = whole.serial  # it exists before the loops and branches around
            with self.b.inside(self.entry):
                part: Atom = whole
                for key in path:
                    part = self.item(part, key)
                self.b.emit(Op(target, core.ATTRIBUTE, [part, constant(name)], {}, "", None))
            self.beside_parts[place] = target
            if whole in self.parameters and isinstance(kind, Array) and kind.dims:
                self.buffers[target] = whole
        return self.read(self.beside_parts[place])

    def _place_of(self, owner: Atom) -> tuple[Var, tuple[Any, ...]] | None:
        """Which part an object is, of which argument or of what value outside.

        What is a part at two places is told by the first.
        """
        while isinstance(owner, Var) and owner in self.stands_for:
            owner = self.stands_for[owner]
        if not isinstance(owner, Var) or owner.root in self.versions or owner in self.stale:
            return None
        if owner in self.parameters or owner.external is not None:
            return owner, ()
        made = self.b.definition(owner, core.DICT)
        if made is not None and "like" in made.kwargs:
            return self._place_of(made.kwargs["like"])
        made = self.b.definition(owner, operator.getitem)
        if made is None or not isinstance(made.args[1], Const):
            return None
        around = self._place_of(made.args[0])
        if around is None:
            return None
        whole, path = around
        return whole, _first_place(whole.type, (*path, made.args[1].value))

    def _is_attribute(self, var: Var) -> bool:
        return super()._is_attribute(var) and var not in self.buffers

    def assign_attribute(self, owner: Atom, name: str, value: Atom, node: Any) -> None:
        if isinstance(owner.type, Struct) and isinstance(owner, Var):
            place = self._place_of(owner)
            known = place and self.beside_parts.get((*place, name))
            if known is not None and isinstance(value, Var) and value.root is known:
                return  # self.mean *= 0.9 changes the array that is there
            if name in (owner.type.keys or ()):
                part = self.item(owner, name)
                if isinstance(value, Var) and isinstance(part, Var) and value.root is part.root:
                    return  # and so does self.weight *= 0.9
            raise self.refuse(
                f"the attribute `{name}` of the argument `{owner.name}` is assigned", node,
                "Change the array in place, or return the value.",
            )  # fmt: skip
        super().assign_attribute(owner, name, value, node)

    def method(
        self, owner: Atom, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        if isinstance(owner.type, Struct):
            parts = None if args or kwargs else walk(self, owner, name)
            if parts is not None:
                return parts
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

    # -- what an object answers that a dict would answer in another way -----------------------

    def as_iterable(self, value: Atom, node: Any) -> Atom:
        """The parts of a numbered object, as a tuple."""
        if not is_object(value):
            return super().as_iterable(value, node)
        if _is_numbered(value):
            return self.b_tuple(self._numbered(value, node))
        found = self._special(value, "__iter__", [], node)
        if found is None:
            raise self.refuse(f"a loop over a {_name(value)} is not supported", node)
        return self.as_iterable(found, node)

    def as_test(self, value: Atom, node: Any) -> Atom:
        if not is_object(value):
            return super().as_test(value, node)
        if _is_numbered(value) and not hasattr(_class(value), "__bool__"):
            return constant(bool(self._numbered(value, node)))
        for name in ("__bool__", "__len__"):
            found = self._special(value, name, [], node)
            if found is not None:
                return found
        return constant(True)

    def compare(self, op: Any, left: Atom, right: Atom, node: Any) -> Atom:
        if isinstance(op, (gast.Is, gast.IsNot)) or not (is_object(left) or is_object(right)):
            return super().compare(op, left, right, node)
        raise self.refuse("this comparison of objects is not supported", node)

    def binary(self, op: type, left: Atom, right: Atom, node: Any) -> Atom:
        if not (is_object(left) or is_object(right)):
            return super().binary(op, left, right, node)
        raise self.refuse("this operator on objects with parts is not supported", node)

    def store(self, container: Atom, index: Atom, value: Atom, node: Any) -> None:
        if is_object(container):
            raise self.refuse(
                f"a part of the {_name(container)} `{container.name}` is replaced", node,  # type: ignore[union-attr]
                "Change the array in place, or return the value.",
            )  # fmt: skip
        super().store(container, index, value, node)

    def answered(
        self, fn: Const, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom | None:
        if args and is_object(args[0]) and is_hashable(fn.value):
            found = self._of_object(fn.value, args[0], args[1:], node)
            if found is not None:
                return found
        return super().answered(fn, args, kwargs, node)

    def _of_object(self, fn: Any, owner: Atom, args: list[Atom], node: Any) -> Atom | None:
        """What a builtin gives for an object; None where that is as for any value."""
        if fn is type and not args:
            return self.found_in_class(_class(owner), _name(owner))
        if fn is len:
            if _is_numbered(owner):
                return constant(len(self._numbered(owner, node)))
            found = self._special(owner, "__len__", [], node)
            if found is None:
                raise self.refuse(f"a {_name(owner)} has no length", node)
            return found
        if fn is bool:
            return self.as_test(owner, node)
        if fn in (hasattr, getattr) and args and isinstance(args[0], Const):
            has = self._has_attribute(owner, args[0].value)
            if fn is hasattr:
                return constant(has)
            if not has and len(args) == 2:
                return args[1]
            return self.attribute(owner, args[0].value, node)
        if fn in (dict, vars, dir, sorted, callable, hash) or fn in _ASKED:
            raise self.refuse(f"`{fn.__name__}` of a {_name(owner)} is not supported", node)
        return None

    def _has_attribute(self, owner: Atom, name: str) -> bool:
        t = owner.type
        assert isinstance(t, Struct)
        own = [*(t.keys or ()), *(n for n, _ in t.fixed), *(n for n, _ in t.others)]
        return name in own or hasattr(t.cls, name)

    def _special(self, owner: Atom, name: str, args: list[Atom], node: Any) -> Atom | None:
        """What a special method of the object's class answers; None if it has none."""
        if not hasattr(_class(owner), name):
            return None
        return self.call(self.attribute(owner, name, node), args, {}, node)

    def subscript(self, value: Atom, index: Atom, node: Any) -> Atom:
        if not is_object(value):
            return super().subscript(value, index, node)
        if not _is_numbered(value):
            found = self._special(value, "__getitem__", [index], node)
            if found is None:
                raise self.refuse(f"a {_name(value)} has no elements", node)
            return found
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
        return [self.item(value, key) for key in t.keys or ()]


def is_object(atom: Atom) -> bool:
    """Whether an atom is an object with parts, and no dict."""
    return isinstance(atom.type, Struct)


def _class(atom: Atom) -> type:
    assert isinstance(atom.type, Struct)
    return atom.type.cls


def _name(atom: Atom) -> str:
    return _class(atom).__name__


def _is_numbered(atom: Atom) -> bool:
    return bool(getattr(_class(atom), "__tree_sequence__", False))


# Builtins that ask an object for a number or a text.
_ASKED = frozenset(ASKING) - {len, bool, iter, reversed}

_Place = tuple[Var, tuple[Any, ...], str]


def _first_place(t: Type, path: tuple[Any, ...]) -> tuple[Any, ...]:
    """The path to the first place at which what is at the end of a path is a part."""
    for depth, key in enumerate(path):
        if isinstance(t, Struct):
            for place, first in t.ties:
                inner = path[depth:]
                if inner[: len(place)] == place:
                    return (*path[:depth], *first, *inner[len(place) :])
        t = item_type(t, key) or Type()
    return path


def _fixed(known: Any, name: str) -> Const:
    value = _value(known)
    if _is_plain(value) or isinstance(value, tuple):
        return constant(value)
    return Const(value, Object(type(value)), name, External("value", value, name))


def _value(known: Any) -> Any:
    return known.value if isinstance(known, Fixed) else known


def holds_ties(t: Type) -> bool:
    """Whether a value of this type holds an object of which a part is at two places."""
    if isinstance(t, Struct) and t.ties:
        return True
    return is_container(t) and any(map(holds_ties, t.items or ()))  # type: ignore[attr-defined]
