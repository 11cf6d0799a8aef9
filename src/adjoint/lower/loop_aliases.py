"""Which objects the names that a loop binds may be when an iteration starts.

    a, b = x * 1.0, np.zeros(4)
    for i in range(3):
        b[i] = a[i] * a[0]
        a, b = b, a

Both names may be either array, but they are never the same one. So a change of `b` leaves `a` as it
is, which is found by interpreting the body until nothing is added: if no two names are the same
object before the loop, and none are at the end of an iteration in which none were at the start,
then none ever are.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from ..core import Atom, Var
from ..types import is_container
from .aliases import Aliases
from .expressions import is_shared
from .state import Key


class LoopAliases:
    """What a name may be is noted by the object that it is when an iteration ends.

    What that one shares memory with is found by way of it. If it is what another name was when the
    iteration started, the name may as well be all that the other one may be at another start.
    """

    def __init__(self, aliases: Aliases, mark: int) -> None:
        self.aliases = aliases
        self.mark = mark  # objects with a smaller serial number exist before the loop
        self.outer: dict[Key, set[Var]] = {}  # name -> the objects from before that it may be
        self.inner: dict[Key, set[Var]] = {}  # the same, of objects of the iteration before
        self.handed: dict[Key, set[Key]] = {}  # name -> the names whose objects it may have
        self.reached: set[tuple[Key, Var]] = set()  # objects from before that share its memory
        self.overlapping: set[tuple[Key, Key]] = set()  # names that may be one object

    def enter(self, params: Mapping[Key, Atom], inits: Mapping[Key, Atom]) -> None:
        """An iteration starts: note what its parameters may be."""
        names = [n for n, p in params.items() if is_shared(p)]
        self._overlaps(names, inits)
        group = Var.count()
        for name in names:
            init, param = inits[name], params[name]
            assert isinstance(param, Var)
            if is_shared(init):
                self.outer.setdefault(name, set()).add(init.root)
            objects = self.outer.get(name, set()) | self.inner.get(name, set())
            self.aliases.choose(param, objects, group)
        for a, b in self.overlapping:
            if a in names and b in names:
                self.aliases.same(params[a], params[b])  # type: ignore[arg-type]

    def leave(self, params: Mapping[Key, Atom], ends: Mapping[Key, Atom]) -> bool:
        """An iteration ends: whether its parameters may be more than was noted at its start."""
        before = self._size()
        names = [n for n, end in ends.items() if is_shared(end)]
        for name in names:
            end = ends[name]
            assert isinstance(end, Var)
            if end.root is params.get(name):
                continue
            others = self.aliases.of(end.root)
            if end.root.serial >= self.mark and not others:
                continue  # made in this iteration, and known by no other name
            kind = is_container(end.type)
            found = {v for v in (end.root, *others) if is_container(v.type) == kind}
            self.reached.update((name, v) for v in found if v.serial < self.mark)
            self.handed.setdefault(name, set()).update(n for n in names if params.get(n) in found)
            if end.root.serial < self.mark:
                self.outer.setdefault(name, set()).add(end.root)
                self.inner[name] = set()
            else:
                self.inner[name] = {end.root}
        self._hand_on()
        self._overlaps(names, ends)
        return self._size() != before

    def _hand_on(self) -> None:
        grown = True
        while grown:
            grown = False
            for name, others in self.handed.items():
                mine = self.inner.setdefault(name, set())
                for other in others:
                    more = self.inner.get(other, set()) - mine
                    mine |= more
                    grown = grown or bool(more)

    def _overlaps(self, names: list[Key], atoms: Mapping[Key, Atom]) -> None:
        for a, b in itertools.combinations(names, 2):
            x, y = atoms[a], atoms[b]
            if is_shared(x) and is_shared(y) and self.aliases.may_share(x.root, y.root):
                self.overlapping.add((a, b))

    def _size(self) -> tuple[int, ...]:
        handed = sum(map(len, self.handed.values()))
        inner = sum(map(bool, self.inner.values()))
        return len(self.reached), handed, inner, len(self.overlapping)
