"""Assignment to what lives outside: globals, cells of outer functions, attributes of real objects.

The assignment is carried out where the user wrote it. What is assigned is remembered as well, so
that a later read gives this value, with its derivative, and not what the object holds.
"""

from __future__ import annotations

import inspect
import sys
import types
from dataclasses import dataclass, field
from typing import Any

from .. import core
from ..core import UNDEFINED, Atom, Const, External, Var
from ..errors import UnsupportedSyntaxError
from ..infer import constant
from ..types import UNKNOWN, Object
from .contexts import Contexts
from .state import Bound, Closure, Frame, Key, Poison


@dataclass(eq=False)
class Outside:
    """An object that exists outside the function: a module, a cell, or an object of the user's."""

    atom: Atom
    value: Any = None  # the object itself, where it is known
    serial: int = -1  # before every variable
    names: set[str] = field(default_factory=set)  # the attributes that were assigned


class OutsideState(Contexts):
    def __init__(self, builder: Any) -> None:
        super().__init__(builder)
        self.outside: dict[Any, Outside] = {}
        self.cores: dict[Any, core.Function] = {}  # recursive functions, by signature

    # -- names ----------------------------------------------------------------------------

    def key_of(self, name: str) -> Key:
        frame = self.frame
        if name in frame.scope.globals:
            return (self.module_of(frame), name)
        if name in frame.scope.nonlocals:
            holder = frame.parent
            while holder is not None:
                if name in holder.scope.shared:
                    return (holder, name)
                if name in holder.source.cells:
                    break
                holder = holder.parent
            holder = holder or frame
            if name in holder.source.cells:
                return (self.cell(holder.source.cells[name], name), "cell_contents")
        return super().key_of(name)

    def module_of(self, frame: Frame) -> Outside:
        """The module whose globals a function assigns."""
        names = frame.source.globals
        module = sys.modules.get(names.get("__name__", ""))
        if module is None or module.__dict__ is not names:
            raise UnsupportedSyntaxError(
                "a global of code that belongs to no module is assigned", self.b.origin,
                "Return the value instead.",
            )  # fmt: skip
        return self._known(module, module.__name__.split(".")[-1])

    def cell(self, cell: Any, name: str) -> Outside:
        return self._known(cell, f"{name}_cell")

    def _known(self, value: Any, path: str) -> Outside:
        key = id(value)
        if key not in self.outside:
            where = External("value", value, path)
            self.outside[key] = Outside(Const(value, Object(type(value)), path, where), value)
        return self.outside[key]

    def bind(self, name: str, value: Atom) -> None:
        key = self.key_of(name)
        if isinstance(key, tuple) and isinstance(key[0], Outside):
            self.assign_outside(key[0], key[1], value)
        else:
            super().bind(name, value)

    def assigned_outside(self, frame: Frame, name: str, node: Any) -> Atom | None:
        if name in frame.source.cells:
            holder, attribute = self.outside.get(id(frame.source.cells[name])), "cell_contents"
        else:
            module = sys.modules.get(frame.source.globals.get("__name__", ""))
            holder, attribute = self.outside.get(id(module)), name
            if module is None or module.__dict__ is not frame.source.globals:
                holder = None
        if holder is None or (holder, attribute) not in self.cells:
            return None
        return self._checked(self.cells[holder, attribute], name, node)

    # -- attributes -----------------------------------------------------------------------

    def assign_attribute(self, owner: Atom, name: str, value: Atom, node: Any) -> None:
        """owner.name = value"""
        if isinstance(owner, Const) and isinstance(owner.value, (Bound, Closure)):
            raise self.refuse("an attribute of a function is assigned", node, "Use a variable.")
        cls = type(owner.value) if isinstance(owner, Const) else getattr(owner.type, "cls", None)
        if not isinstance(owner.type, Object) or cls is None:
            raise self.refuse(f"the attribute `{name}` of this value is assigned", node)
        found = inspect.getattr_static(cls, name, None)
        if isinstance(found, property) and found.fset is not None:
            setter = self.external(found.fset, External("value", found.fset, name), name)
            self.call(setter, [owner, value], {}, node)
            return
        special = isinstance(owner, Const) and isinstance(owner.value, type)
        if not special and not _has_plain_attributes(cls, found):
            raise self.refuse(
                f"how a {cls.__name__} keeps its attributes is not known here", node,
                "Return the value instead.",
            )  # fmt: skip
        self.assign_outside(self.holder_of(owner), name, value)

    def attribute(self, value: Atom, name: str, node: Any) -> Atom:
        if isinstance(value.type, Object) and any(name in o.names for o in self.outside.values()):
            known = self.bound((self.holder_of(value), name))
            if known is not UNDEFINED:
                return self._checked(known, name, node)
        return super().attribute(value, name, node)

    def holder_of(self, owner: Atom) -> Outside:
        """The object outside that an atom stands for."""
        if isinstance(owner, Const):
            key = id(owner.value)
            if key not in self.outside:
                self.outside[key] = Outside(owner, owner.value)
            return self.outside[key]
        if owner.root not in self.outside:
            self.outside[owner.root] = Outside(owner.root)
        return self.outside[owner.root]

    def assign_outside(self, holder: Outside, name: str, value: Atom) -> None:
        if isinstance(value, Const) and not _is_plain_constant(value):
            raise UnsupportedSyntaxError(
                "a function or an object that is made inside is kept outside", self.b.origin,
                "Return it instead.",
            )  # fmt: skip
        if self.cores:
            raise UnsupportedSyntaxError(
                f"`{name}` is assigned beside a recursive function, which may read it",
                self.b.origin,
                "Pass it as an argument, and return it.",
            )
        for other in {k[0] for k in self.cells if not isinstance(k, str) and k[1] == name}:
            if isinstance(other, Outside) and other is not holder and _may_be_one(other, holder):
                self.cells[other, name] = Poison(self._hidden(name))
        holder.names.add(name)
        self.b.emit(
            core.Op(
                None,
                core.SETATTR,
                [holder.atom, constant(name), self.read(value)],
                {},
                "",
                self.b.origin,
            )
        )
        self.rebind((holder, name), self.object_of(value))
        if isinstance(value, Var):
            self.published.add(value.root)

    def missing(self, key: Any) -> Any:
        holder, name = key
        if not isinstance(holder, Outside):
            return UNDEFINED
        others = [o for o in self.outside.values() if name in o.names and o is not holder]
        if any(_may_be_one(o, holder) for o in others):
            return Poison(self._hidden(name))
        if isinstance(holder.value, types.CellType):
            try:
                found = holder.value.cell_contents
            except ValueError:
                return UNDEFINED
            where = External("cell", holder.value, str(holder.atom.path).removesuffix("_cell"))  # type: ignore[union-attr]
            return self.external(found, where, where.name)
        if isinstance(holder.value, types.ModuleType):
            names = holder.value.__dict__
            if name not in names:
                return UNDEFINED
            return self.external(names[name], External("global", names, name), name)
        if isinstance(holder.atom, Const):
            if not hasattr(holder.value, name):
                return UNDEFINED
            if name not in getattr(holder.value, "__dict__", {}):
                for cls in type(holder.value).__mro__:
                    of_class = self.outside.get(id(cls))
                    if of_class is not None and (of_class, name) in self.cells:
                        return self.cells[of_class, name]
            return self._attribute_of_constant(holder.atom, name, None)
        if any(isinstance(o.value, type) for o in others):
            return Poison(self._hidden(name))
        return self.op(core.ATTRIBUTE, holder.atom, constant(name), type=UNKNOWN, name=name)

    def _hidden(self, name: str) -> UnsupportedSyntaxError:
        return UnsupportedSyntaxError(
            f"the attribute `{name}` may have been assigned through another object",
            self.b.origin,
            "Use one name for the object.",
        )

    def forget_outside(self, callee: str) -> None:
        """A function that is not looked into may have assigned what was remembered."""
        for key in [k for k in self.cells if isinstance(k[0], Outside)]:
            self.cells[key] = Poison(
                UnsupportedSyntaxError(
                    f"`{key[1]}` may have been changed by `{callee}`", self.b.origin,
                    "Read it before the call.",
                )
            )  # fmt: skip


def _has_plain_attributes(cls: type, found: Any) -> bool:
    """Whether assigning an attribute only stores the value in the object."""
    if cls is not types.ModuleType and "__setattr__" in _own_names(cls):
        return False
    slot = isinstance(found, types.MemberDescriptorType)
    return slot or not hasattr(type(found), "__set__")


def _own_names(cls: type) -> set[str]:
    """What a class and its bases define, `object` excepted."""
    return {name for base in cls.__mro__[:-1] for name in vars(base)}


def _may_be_one(a: Outside, b: Outside) -> bool:
    """Whether two objects may be the same one."""
    if isinstance(a.atom, Const) and isinstance(b.atom, Const):
        return a.value is b.value
    classes = [
        type(o.value) if isinstance(o.atom, Const) else getattr(o.atom.type, "cls", object)
        for o in (a, b)
    ]
    return classes[0] is classes[1] or object in classes


def _is_plain_constant(value: Const) -> bool:
    return value.path is not None or not callable(value.value)
