"""What the interpreter knows at a point of the program: names, object versions, aliases.

Names are bound to *objects* (the root variable); an operation in place gives the object a new
version. So `y = x; y *= 2` changes what `x` reads, as it should, with no alias analysis at all.
Where two objects may share memory (a view and its base, what two branches bound to one name), they
are recorded as aliases: a change of one makes the other stale, and reading a stale object is an
error rather than a guess.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from ..core import Atom, Const, Var
from ..errors import AliasingError, Origin
from ..parse import Source
from .scopes import Scope, scope_of


class Known:
    """A function that exists only while the code that calls it is compiled."""

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"`{self.__name__}` exists only while it is compiled")  # type: ignore[attr-defined]


@dataclass(eq=False)
class Closure(Known):
    """A function defined inside the function that is compiled; its names are bound late."""

    source: Source
    frame: Frame
    defaults: dict[str, Atom]

    @property
    def __name__(self) -> str:
        return self.source.name


@dataclass(eq=False)
class Bound(Known):
    """A function with some of its arguments: what `functools.partial` gives."""

    fn: Atom
    args: list[Atom]
    kwargs: dict[str, Atom]

    @property
    def __name__(self) -> str:
        return "partial"


@dataclass(eq=False)
class Instance(Known):
    """Stands for an object that the function makes; its attributes are kept as cells of a state."""

    cls: type
    shared: bool = False  # on two paths it is two objects: it may be read, but not assigned
    serial: int = field(default_factory=Var.next_serial)


def is_instance(atom: Any) -> TypeGuard[Const]:
    return isinstance(atom, Const) and isinstance(atom.value, Instance)


def is_static(atom: Any) -> TypeGuard[Const]:
    """Whether a value exists only while the function is compiled, or is a function: no variable."""
    return isinstance(atom, Const) and (callable(atom.value) or isinstance(atom.value, Instance))


@dataclass(eq=False)
class Poison:
    """Stands for a name that cannot be read here, and the error that reading it gives."""

    error: Exception


@dataclass(eq=False)
class Frame:
    """One call of a function that is being interpreted."""

    source: Source
    env: dict[str, Any] = field(default_factory=dict)
    parent: Frame | None = None
    externals: dict[str, Atom] = field(default_factory=dict)
    template: dict[str, Atom] | None = None  # what d[x] means, inside a rule
    # Inside a rule with several results: the name that they have together, and how to read one.
    result: tuple[str, Callable[[int], Atom]] | None = None
    statement: int = 0  # the line of the statement that is being interpreted
    identity: Any = None  # what tells that a function calls itself
    serial: int = field(default_factory=Var.next_serial)

    @functools.cached_property
    def scope(self) -> Scope:
        """What the function's statements bind and declare."""
        return scope_of(self.source.node)


Key = str | tuple[Any, str]
"""What a state binds: a name of the frame on top; or, beside its holder, a name of another frame
or an attribute of an object."""


def shown(key: Any) -> str:
    """The name in a key, as the user wrote it."""
    return key[1] if isinstance(key, tuple) else key


@dataclass
class State:
    env: dict[Key, Any]
    versions: dict[Var, Var]
    stale: dict[Var, Origin | None]
    unbound: set[Var]  # variables that have no value on some of the paths to here
    mark: int = 0  # objects with a smaller serial number exist already

    def copy(self) -> State:
        return State(
            dict(self.env), dict(self.versions), dict(self.stale), set(self.unbound), self.mark
        )


def stale_error(var: Var, changed: Origin | None, here: Origin | None) -> AliasingError:
    where = f" (line {changed.line})" if changed is not None else ""
    error = AliasingError(
        f"`{var.name}` may share memory with an array that was changed{where} since",
        here,
        f"Take a copy where `{var.name}` is made, or read the changed array itself.",
    )
    error.root = var
    return error
