"""`dataclass`, `field` and `replace` of the standard library, for a quick import.

The standard decorator writes the methods of a class as text and compiles them when the class is
defined. That takes half a millisecond, and the compiler has some fifty such classes, most of which
a program never uses. Here `__init__` is compiled when the first object is made, and the others are
plain functions. That nobody assigns to what is `frozen` is checked by the type checker alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["dataclass", "field", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:
    from operator import attrgetter

    _NONE = object()  # no default

    class _Factory:
        def __init__(self, make):
            self.make = make

    def field(*, default_factory):
        """A field whose default is made anew for each object."""
        return _Factory(default_factory)

    def dataclass(cls=None, *, eq=True, frozen=False):
        """The methods of a class whose annotations are its fields, as the standard one has them."""
        if cls is None:
            return lambda c: dataclass(c, eq=eq, frozen=frozen)
        fields = dict(getattr(cls, "_fields_", {}))  # name -> default; those of the base first
        for name in cls.__annotations__:
            fields[name] = cls.__dict__.get(name, _NONE)
            if isinstance(fields[name], _Factory):
                delattr(cls, name)
        cls._fields_ = fields

        def complete(self, *args, **kwargs):
            cls.__init__ = _initialiser(fields)
            cls.__init__(self, *args, **kwargs)

        cls.__init__ = complete
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = _shown
        if eq:
            cls.__eq__, hashed = _comparison(tuple(fields))
            cls.__hash__ = hashed if frozen else None
        return cls

    def replace(obj, **changes):
        """A copy of an object with other values of some fields."""
        values = {name: getattr(obj, name) for name in obj._fields_}
        return obj.__class__(**{**values, **changes})

    def _initialiser(fields):
        known, parameters, body = {"_NONE": _NONE}, ["self"], []
        for name, default in fields.items():
            known[f"_of_{name}"] = default
            if isinstance(default, _Factory):
                known[f"_of_{name}"] = default.make
                parameters.append(f"{name}=_NONE")
                body.append(f"self.{name} = _of_{name}() if {name} is _NONE else {name}")
            else:
                parameters.append(name if default is _NONE else f"{name}=_of_{name}")
                body.append(f"self.{name} = {name}")
        exec(f"def __init__({', '.join(parameters)}):\n  {'; '.join(body) or 'pass'}", known)
        return known["__init__"]

    def _comparison(names):
        """`__eq__` and `__hash__` by the values of the fields."""
        if len(names) > 1:
            values = attrgetter(*names)
        else:

            def values(self):
                return tuple([getattr(self, name) for name in names])

        def equal(self, other):
            if other.__class__ is not self.__class__:
                return NotImplemented
            return values(self) == values(other)

        def hashed(self):
            return hash(values(self))

        return equal, hashed

    def _shown(self):
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields_)
        return f"{self.__class__.__qualname__}({values})"
