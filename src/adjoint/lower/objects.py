"""Objects that the function makes: their attributes are variables, and the objects are gone.

`Point(x, y)` becomes an `Instance`: a stand-in that exists only while the function is compiled.
Its attributes are kept with the names, so that branches and loops treat them alike; methods take
the place of their calls. An instance that would have to exist when the code runs, as it is put
into a list or given to a function that is not looked into, is refused.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import types
from dataclasses import dataclass
from typing import Any

from ..core import UNDEFINED, Atom, Const, External, Var
from ..errors import UnsupportedSyntaxError
from ..types import Object, Struct, Tuple
from .operators import Operators
from .state import Bound, Closure, Instance, is_instance


@dataclass(eq=False)
class Parent:
    """What `super()` gives: attributes of the classes after one of an object's."""

    after: type
    owner: Atom

    def __call__(self) -> None:
        raise TypeError("this exists only while it is compiled")


class Objects(Operators):
    def wrap(self, value: Any, name: str = "bound") -> Atom:
        raise NotImplementedError  # by Calls

    # -- making -----------------------------------------------------------------------------

    def construct_instance(
        self, cls: type, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        """cls(*args, **kwargs), of a class written in Python"""
        made = Const(Instance(cls), Object(cls), None)
        if "__init__" in _own_names(cls) and not _is_generated(cls.__init__):  # type: ignore[misc]
            where = External("module", cls, "__init__")
            init = self.external(cls.__init__, where, f"{cls.__name__}.__init__")  # type: ignore[misc]
            self.call(init, [made, *args], kwargs, node)
        elif dataclasses.is_dataclass(cls):
            self._fill_fields(made, cls, args, kwargs, node)
        elif args or kwargs:
            raise self.refuse(f"`{cls.__name__}` takes no arguments", node)
        return made

    def _fill_fields(
        self, made: Const, cls: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> None:
        """What the `__init__` of a dataclass does."""
        if any(f._field_type is not dataclasses._FIELD for f in cls.__dataclass_fields__.values()):  # type: ignore[attr-defined]
            raise self.refuse("a dataclass with InitVar or ClassVar is not supported", node)
        fields = dataclasses.fields(cls)
        positional = [f.name for f in fields if f.init and not f.kw_only]
        given = dict(zip(positional, args))
        known = {f.name for f in fields if f.init}
        if len(args) > len(positional) or set(kwargs) - known or set(kwargs) & set(given):
            raise self.refuse(f"the arguments of `{cls.__name__}` do not fit", node)
        given |= kwargs
        for f in fields:
            if f.name in given:
                value = given[f.name]
            elif f.default_factory is not dataclasses.MISSING:
                factory = f.default_factory
                value = self.call(self.found_in_class(factory, f.name), [], {}, node)
            elif f.default is not dataclasses.MISSING:
                value = self.wrap(f.default, f.name)
            elif f.init:
                raise self.refuse(f"`{cls.__name__}` misses the argument `{f.name}`", node)
            else:
                continue
            self.cells[made.value, f.name] = self.object_of(value)
        after = getattr(cls, "__post_init__", None)
        if after is not None:
            self.call(self.attribute(made, "__post_init__", node), [], {}, node)

    def found_in_class(self, value: Any, name: str) -> Atom:
        """A function that a class or a field holds."""
        return Const(value, Object(type(value)), name, External("value", value, name))

    # -- attributes -------------------------------------------------------------------------

    def attribute(self, value: Atom, name: str, node: Any) -> Atom:
        if is_instance(value):
            return self._attribute_of_instance(value, name, node)
        if isinstance(value, Const) and isinstance(value.value, Parent):
            cls = class_of(value.value.owner)
            mro = cls.__mro__
            rest = mro[mro.index(value.value.after) + 1 :]
            return self._from_classes(value.value.owner, rest, name, node)
        if isinstance(value.type, Tuple) and value.type.cls is not tuple:
            if name not in value.type.cls._fields and not isinstance(value, Const):  # type: ignore[attr-defined]
                return self._from_classes(value, value.type.cls.__mro__, name, node)
        return super().attribute(value, name, node)

    def _attribute_of_instance(self, owner: Const, name: str, node: Any) -> Atom:
        instance = owner.value
        cls = instance.cls
        found = inspect.getattr_static(cls, name, None)
        if name == "__class__":
            return self.found_in_class(cls, cls.__name__)
        if not isinstance(found, property) and (instance, name) in self.cells:
            value = self.cells[instance, name]
            if value is not UNDEFINED:
                if isinstance(value, Var) and value in self.unbound:
                    raise self.refuse(f"the attribute `{name}` may be missing here", node)
                return self._checked(value, name, node)
        return self._from_classes(owner, cls.__mro__, name, node)

    def _from_classes(self, owner: Atom, classes: Any, name: str, node: Any) -> Atom:
        """An attribute that an object has from its classes."""
        for cls in classes:
            if name not in vars(cls) or cls is object:
                continue
            found = vars(cls)[name]
            where = External("module", cls, name)
            if isinstance(found, property) and found.fget is not None:
                getter = self.found_in_class(found.fget, name)
                return self.call(getter, [owner], {}, node)
            if isinstance(found, functools.cached_property):
                value = self.call(self.found_in_class(found.func, name), [owner], {}, node)
                self.assign_attribute(owner, name, value, node)
                return value
            if isinstance(found, types.FunctionType):
                function = self.external(found, where, f"{cls.__name__}.{name}")
                bound = Bound(function, [owner], {})
                return Const(bound, Object(Bound), name)
            if isinstance(found, staticmethod):
                return self.external(getattr(cls, name), where, f"{cls.__name__}.{name}")
            if isinstance(found, classmethod):
                function = self.found_in_class(found.__func__, f"{cls.__name__}.{name}")
                kind = class_of(owner)
                bound = Bound(function, [self.found_in_class(kind, kind.__name__)], {})
                return Const(bound, Object(Bound), name)
            if hasattr(type(found), "__get__"):
                raise self.refuse(f"the attribute `{name}` is computed in its own way", node)
            holder = self.outside.get(id(cls))
            if holder is not None and (holder, name) in self.cells:
                return self._checked(self.cells[holder, name], name, node)
            return self.external(found, where, f"{cls.__name__}.{name}")
        raise self.refuse(f"a {class_of(owner).__name__} has no attribute `{name}` here", node)

    def assign_attribute(self, owner: Atom, name: str, value: Atom, node: Any) -> None:
        if not (is_instance(owner)):
            super().assign_attribute(owner, name, value, node)
            return
        instance = owner.value
        found = inspect.getattr_static(instance.cls, name, None)
        if isinstance(found, property):
            if found.fset is None:
                raise self.refuse(f"the property `{name}` cannot be assigned", node)
            self.call(self.found_in_class(found.fset, name), [owner, value], {}, node)
            return
        if _is_frozen(instance.cls):
            raise self.refuse(f"a {instance.cls.__name__} is frozen", node)
        self.set_attribute(instance, name, value, node)

    def set_attribute(self, instance: Instance, name: str, value: Atom, node: Any) -> None:
        if instance.shared:
            raise self.refuse(
                f"which {instance.cls.__name__} this is depends on the path taken", node,
                "Make a new object instead of assigning the attribute.",
            )  # fmt: skip
        if isinstance(value, Var) and not value.named and value.root is value:
            value.name, value.named = name, True
        self.cells[instance, name] = self.object_of(value)

    def missing(self, key: Any) -> Any:
        holder, name = key
        if not isinstance(holder, Instance):
            return super().missing(key)
        for cls in holder.cls.__mro__[:-1]:
            if name in vars(cls):
                plain = not hasattr(type(vars(cls)[name]), "__get__")
                owner = Const(holder, Object(holder.cls), None)
                return self._from_classes(owner, [cls], name, None) if plain else UNDEFINED
        return UNDEFINED

    # -- calling ----------------------------------------------------------------------------

    def parent_of_caller(self, args: list[Atom], node: Any) -> Atom:
        """super()"""
        if args:
            if not (isinstance(args[0], Const) and isinstance(args[0].value, type)):
                raise self.refuse("this form of `super` is not supported", node)
            after, owner = args[0].value, args[1]
        else:
            source = self.frame.source
            parameters = [*source.node.args.posonlyargs, *source.node.args.args]
            if "__class__" not in source.cells or not parameters:
                raise self.refuse("`super()` is not supported here", node)
            after = source.cells["__class__"].cell_contents
            owner = self.pinned(self.load(parameters[0].id, node))
        if class_of(owner) is object or after not in class_of(owner).__mro__:
            raise self.refuse("the class of this object is not known here", node)
        return Const(Parent(after, owner), Object(Parent), "super()")

    def method_of(self, value: Atom, name: str) -> Atom | None:
        """A special method that the user's class of an object defines, bound to the object."""
        cls = class_of(value)
        for base in cls.__mro__ if is_users_class(cls) else ():
            found = vars(base).get(name)
            if found is None:
                continue
            if not isinstance(found, types.FunctionType):
                return None
            if _is_generated(found):
                raise UnsupportedSyntaxError(
                    f"`{name}` of a {cls.__name__} is not supported", self.b.origin,
                    "Write the comparison of its attributes.",
                )  # fmt: skip
            where = External("module", base, name)
            function = self.external(found, where, f"{base.__name__}.{name}")
            return Const(Bound(function, [value], {}), Object(Bound), name)
        return None


def class_of(atom: Atom) -> type:
    """The class of an object, where it is known; else `object`."""
    if isinstance(atom, Const):
        if isinstance(atom.value, Instance):
            return atom.value.cls
        return type(atom.value)
    if isinstance(atom.type, (Object, Tuple, Struct)):
        return atom.type.cls
    return object


def is_users_class(cls: type) -> bool:
    """Whether a class and all its bases are written in Python, by the user."""
    if cls is object or cls in (Instance, Parent, Bound, Closure):
        return False
    modules = {base.__module__.split(".")[0] for base in cls.__mro__[:-1]}
    return not modules & _OTHERS


_OTHERS = frozenset({"builtins", "numpy", "cupy", "adjoint", "enum", "torch", "jax"})


def can_be_replaced(cls: type) -> bool:
    """Whether objects of a class are what `__init__` makes of them, and nothing else."""
    if type(cls) is not type and type(cls).__module__ != "abc":
        return False
    if not is_users_class(cls) or getattr(cls, "__abstractmethods__", None):
        return False
    bases = cls.__mro__[:-1]
    if any(b.__module__ not in ("typing", "abc") and not hasattr(b, "__dict__") for b in bases):
        return False
    return not _own_names(cls) & _SPECIAL


_SPECIAL = frozenset(
    {"__new__", "__getattr__", "__getattribute__", "__delattr__", "__del__", "__init_subclass__",
     "__class_getitem__"}
)  # fmt: skip


def _own_names(cls: type) -> set[str]:
    """What a class and its bases define, `object` excepted; what `frozen` adds left out."""
    names = {name for base in cls.__mro__[:-1] for name in vars(base)}
    if _is_frozen(cls):
        names -= {"__setattr__", "__delattr__"}
    return names


def _is_frozen(cls: Any) -> bool:
    return dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen  # type: ignore[union-attr]


def _is_generated(function: Any) -> bool:
    """Whether a method was made by `dataclass`, and has no source."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename == "<string>"
