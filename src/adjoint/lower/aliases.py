"""Which objects may share memory, or hold one another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..core import Var
from ..types import Array, is_container

# So many ways from one object to others are searched with the groups passed through in mind, of
# which there may be exponentially many; beyond, more objects are taken to share memory than may.
_MANY = 2000
# So many steps are taken in all for one function, which are seconds; beyond, it is given up.
_MOST = 300_000


class TooManyWays(Exception):
    """What may share memory takes too long to find."""


class Aliases:
    """Which objects may share memory, or hold one another; never forgotten.

    `same`: two objects may be one, or overlap (an array and its view). `put`: an element went into
    a container, `taken`: an element came out of one; each at a key, or at None where it is not
    known. Elements at different keys are different objects: `compile` checks that of arguments.
    `choose`: what branches or loops bind to names, `a, b = b, a`: each variable of a group is one
    of several objects, and no two are the same.
    """

    def __init__(self) -> None:
        self._same: dict[Var, set[Var]] = {}
        self._holders: dict[Var, set[tuple[Var, bool, Any]]] = {}  # element -> container, put, key
        self._parts: dict[Var, set[tuple[Var, bool, Any]]] = {}  # container -> element, put, key
        # In both directions between a variable and the objects that it may be.
        self._choices: dict[Var, set[tuple[Var, int]]] = {}
        # What `of` has found. It is asked for all pairs of names, while nothing is added.
        self._found: dict[tuple[Var, bool], dict[Var, None]] = {}
        self._steps = 0

    def same(self, a: Var, b: Var) -> None:
        if a is not b:
            self._add(self._same, a, b)
            self._add(self._same, b, a)

    def _add(self, table: dict[Var, set[Any]], var: Var, entry: Any) -> None:
        entries = table.setdefault(var, set())
        if entry not in entries:
            entries.add(entry)
            self._found.clear()

    def choose(self, var: Var, objects: Iterable[Var], group: int) -> None:
        """`var` is one of these objects, and none that another variable of the group is."""
        for each in objects:
            if each is not var:
                self._add(self._choices, var, (each, group))
                self._add(self._choices, each, (var, group))

    def put(self, element: Var, container: Var, key: Any = None) -> None:
        self._link(element, container, True, key)

    def taken(self, element: Var, container: Var, key: Any = None) -> None:
        self._link(element, container, False, key)

    def _link(self, element: Var, container: Var, put: bool, key: Any) -> None:
        if isinstance(key, int) and key < 0:
            key = None  # counted from the other end
        self._add(self._holders, element, (container, put, key))
        self._add(self._parts, container, (element, put, key))

    def holders(self, element: Var) -> set[Var]:
        """The containers that an object was put into, and those that they were put into."""
        found: set[Var] = set()
        todo = [element]
        while todo:
            for container, was_put, _ in self._holders.get(todo.pop(), ()):
                if was_put and container not in found:
                    found.add(container)
                    todo.append(container)
        return found

    def held(self, container: Var) -> set[Var]:
        """The objects that were put into a container, and those that were put into them."""
        found: set[Var] = set()
        todo = [container]
        while todo:
            for element, was_put, _ in self._parts.get(todo.pop(), ()):
                if was_put and element not in found:
                    found.add(element)
                    todo.append(element)
        return found

    def may_share(self, a: Var, b: Var) -> bool:
        return a is b or b in self._of(a)

    def of(self, root: Var, *, at_once: bool = True) -> list[Var]:
        """All objects that a change of `root` may change as well, itself excepted.

        A change of a container is one of those that hold it, but not of what it holds. `at_once`:
        in one iteration of each loop; over several, the variables of a group may be one object.
        """
        return list(self._of(root, at_once))

    def _of(self, root: Var, at_once: bool = True) -> dict[Var, None]:
        found = self._found.get((root, at_once))
        if found is None:
            found = self._found[root, at_once] = self._search(root, at_once)
        return found

    def _search(self, root: Var, at_once: bool) -> dict[Var, None]:
        containers_only = is_container(root.type)
        # (object, whether it holds what changes rather than is it, whether what changes was put
        # into it, at which key, the container that it was found in, the groups passed through)
        start: Any = (root, False, False, None, None, frozenset())
        seen = {start}
        todo: list[Any] = [start]

        def reach(*state: Any) -> None:
            if state not in seen and not (containers_only and isinstance(state[0].type, Array)):
                seen.add(state)
                todo.append(state)

        while todo:
            if len(seen) > _MANY and at_once:
                self._steps += len(seen)
                return self._of(root, at_once=False)
            var, holds, put, key, found_in, passed = todo.pop()
            for other in self._same.get(var, ()):
                reach(other, holds, put, key, None, passed)
            for other, group in self._choices.get(var, ()):
                # A group that is left by one of its objects is not entered by another variable.
                if group not in passed:
                    more = passed | {group} if at_once else passed
                    reach(other, holds, put, key, None, more)
            for container, was_put, at in self._holders.get(var, ()):
                if container is not found_in:
                    reach(container, True, was_put, at, None, frozenset())
            if not holds:
                continue
            for part, was_put, at in self._parts.get(var, ()):
                if put and was_put:
                    continue  # two elements that were put in are one only if they are `same`
                if key is None or at is None or key == at:
                    reach(part, is_container(part.type), False, None, var, frozenset())
        self._steps += len(seen)
        if self._steps > _MOST:
            raise TooManyWays
        return dict.fromkeys(s[0] for s in seen if s[0] is not root)
