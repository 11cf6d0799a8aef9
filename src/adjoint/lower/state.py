"""What the interpreter knows at a point of the program: names, object versions, aliases.

Names are bound to *objects* (the root variable); an operation in place gives the object a new
version. So `y = x; y *= 2` changes what `x` reads, as it should, with no alias analysis at all.
Where two objects may share memory (a view and its base, what two branches bound to one name), they
are recorded as aliases: a change of one makes the other stale, and reading a stale object is an
error rather than a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..core import Atom, Var
from ..errors import AliasingError, Origin
from ..parse import Source
from ..types import Array, is_container


@dataclass(eq=False)
class Closure:
    """A function defined inside the function that is compiled; its names are bound late."""

    source: Source
    frame: Frame
    defaults: dict[str, Atom]

    @property
    def __name__(self) -> str:
        return self.source.name


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
    globals: frozenset[str] = frozenset()
    template: dict[str, Atom] | None = None  # what d[x] means, inside a rule
    identity: Any = None  # what tells that a function calls itself


@dataclass
class State:
    env: dict[str, Any]
    versions: dict[Var, Var]
    stale: dict[Var, Origin | None]
    mark: int = 0  # objects with a smaller serial number exist already

    def copy(self) -> State:
        return State(dict(self.env), dict(self.versions), dict(self.stale), self.mark)


class Aliases:
    """Which objects may share memory; symmetric, and never forgotten."""

    def __init__(self) -> None:
        self._neighbours: dict[Var, set[Var]] = {}

    def add(self, a: Var, b: Var) -> None:
        if a is not b:
            self._neighbours.setdefault(a, set()).add(b)
            self._neighbours.setdefault(b, set()).add(a)

    def of(self, root: Var) -> list[Var]:
        """All objects that a change of `root` may change as well, itself excepted.

        A change of a list or dict is one of those that hold it, but not of the arrays in it.
        """
        containers_only = is_container(root.type)
        seen, todo = {root}, [root]
        while todo:
            for other in self._neighbours.get(todo.pop(), ()):
                if other in seen or (containers_only and isinstance(other.type, Array)):
                    continue
                seen.add(other)
                todo.append(other)
        return [v for v in seen if v is not root]


def stale_error(var: Var, changed: Origin | None, here: Origin | None) -> AliasingError:
    where = f" (line {changed.line})" if changed is not None else ""
    return AliasingError(
        f"`{var.name}` may share memory with an array that was changed{where} since",
        here,
        f"Take a copy where `{var.name}` is made, or read the changed array itself.",
    )
