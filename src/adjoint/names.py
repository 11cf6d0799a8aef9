"""Names for the variables of a function: the user's, the same on every run.

Variables that follow one another under one name (`x = f(x)`, a loop's `h`) share it as long as no
older value is needed any more; else the newer one is numbered.
"""

from __future__ import annotations

import builtins
import keyword

from . import core
from .analysis.liveness import Interference
from .core import Atom, Block, Function, If, Loop, Op, Var


class _Set:
    """Variables as a set of bits, and all that is needed where one of them is defined."""

    __slots__ = ("members", "beside")

    def __init__(self, members: int = 0, beside: int = 0) -> None:
        self.members, self.beside = members, beside

    def interferes(self, other: _Set) -> bool:
        return bool(self.members & other.beside or other.members & self.beside)

    def add(self, other: _Set) -> None:
        self.members |= other.members
        self.beside |= other.beside


_ROW = 32


class _Numbered:
    """The variables called `base`, those called `base_1`, ..., as far as these have been asked for.

    A function may have thousands of them, and most are needed at the same time. So each set has a
    *mark*, the variable that came to it last: where the marks of a whole row of sets are needed
    beside a variable, none of the row is looked at.
    """

    def __init__(self) -> None:
        self.sets: list[_Set | None] = []  # None: a name that is not to be used
        self._marks: list[int] = []  # of each set; 0 where it is empty
        self._rows: list[int] = []  # the marks of a row of sets

    def next_name(self, base: str) -> str:
        return f"{base}_{len(self.sets)}" if self.sets else base

    def add(self, found: _Set | None) -> None:
        """The next name belongs to these; nobody's name is to be taken at once."""
        if len(self.sets) % _ROW == 0:
            self._rows.append(0)
        self.sets.append(found)
        self._marks.append(0)
        if found is not None and found.members:
            self.take(len(self.sets) - 1, found)

    def take(self, number: int, members: _Set) -> None:
        """Some variables have got this number."""
        mark = members.members & -members.members
        self._rows[number // _ROW] ^= self._marks[number] ^ mark
        self._marks[number] = mark

    def first_free(self, mine: _Set) -> int | None:
        """The first number that none has whom `mine` interferes with."""
        members, beside = mine.members, mine.beside
        for row, marks in enumerate(self._rows):
            if not marks & ~beside:
                continue
            start = row * _ROW
            for number in range(start, min(start + _ROW, len(self.sets))):
                taken = self.sets[number]
                if taken is not None and not (members & taken.beside or taken.members & beside):
                    return number
        return None


class Names:
    def __init__(self, function: Function, reserved: set[str], folded: dict[Var, Op]) -> None:
        self.graph = Interference(function, folded)
        self.reserved = reserved
        self._merged: dict[Var, Var] = {}
        self._members: dict[Var, list[Var]] = {}
        self._sets: dict[Var, _Set] = {}
        self._names: dict[Var, str] = {}
        self._by_name: dict[str, _Set] = {}
        self._numbered: dict[str, _Numbered] = {}
        self._fixed = {self.group(p) for p in function.params}
        order = _definition_order(function)
        for a, b in _copies(function.body):
            self._merge(a, b)
        for param in function.params:
            self._take(self.group(param), param.name)
        for var in order:
            if var in folded:
                continue
            group = self.group(var)
            if group not in self._names:
                self._take(group, self._free_name(group, self._base(group, var)))

    def __getitem__(self, var: Var) -> str:
        return self._names[self.group(var)]

    def get(self, var: Var) -> str | None:
        """The name of a variable, if it has one: what is printed elsewhere has none."""
        return self._names.get(self.group(var))

    def group(self, var: Var) -> Var:
        """The variable that stands for all those that share a name with this one."""
        found = root = self.graph.root(var)
        while found in self._merged:
            found = self._merged[found]
        while root is not found:  # so that a chain of merges is walked once
            self._merged[root], root = found, self._merged[root]
        return found

    def _group_members(self, group: Var) -> list[Var]:
        return self._members.get(group, [group])

    def _set(self, group: Var) -> _Set:
        found = self._sets.get(group)
        if found is None:
            found = _Set(self.graph.bit(group), self.graph.needed_beside(group))
            self._sets[group] = found
        return found

    def _base(self, group: Var, first: Var) -> str:
        """A user's name if any member has one; else the first member's."""
        for member in self._group_members(group):
            if member.named:
                return member.name
        return first.name

    def _merge(self, a: Var, b: Var) -> None:
        """Let two variables, one of which is copied to the other, share a name if they can."""
        a, b = self.group(a), self.group(b)
        if a is b or (a.named and b.named and a.name != b.name):
            return
        if b in self._fixed:
            a, b = b, a
        if b in self._fixed:
            return
        if self._set(a).interferes(self._set(b)):
            return
        self._merged[b] = a
        self._members[a] = [*self._group_members(a), *self._group_members(b)]
        self._set(a).add(self._set(b))

    def _free_name(self, group: Var, base: str) -> str:
        base = base.strip("<>")
        if not base.strip("_"):  # the user's name for what is not read
            base = "value"
        if keyword.iskeyword(base) or not base.isidentifier():
            base = f"{base}_" if f"{base}_".isidentifier() else "value"
        mine = self._set(group)
        numbered = self._numbered.setdefault(base, _Numbered())
        number = numbered.first_free(mine)
        while number is None:
            name = numbered.next_name(base)
            usable = name not in self.reserved and not hasattr(builtins, name)
            taken = self._by_name.setdefault(name, _Set()) if usable else None
            numbered.add(taken)
            if taken is not None and not mine.interferes(taken):
                number = len(numbered.sets) - 1
        numbered.take(number, mine)
        return f"{base}_{number}" if number else base

    def _take(self, group: Var, name: str) -> None:
        self._names[group] = name
        self._by_name.setdefault(name, _Set()).add(self._set(group))


def _definition_order(function: Function) -> list[Var]:
    found = list(function.params)
    for stmt in core.walk(function.body):
        found += core.defined_inside(stmt)
        found += core.defined_by(stmt)
    return found


def _copies(block: Block) -> list[tuple[Var, Var]]:
    """Pairs of variables where one takes the value of the other at the end of a block."""
    pairs: list[tuple[Var, Atom]] = []
    for stmt in core.walk(block):
        if isinstance(stmt, Op):
            continue
        if isinstance(stmt, If):
            pairs += zip(stmt.results, stmt.then.yields)
            pairs += zip(stmt.results, stmt.orelse.yields)
        elif isinstance(stmt, Loop):
            pairs += zip(stmt.params, stmt.body.yields)
            pairs += zip(stmt.params, stmt.inits)
    return [(a, b) for a, b in pairs if isinstance(b, Var)]
