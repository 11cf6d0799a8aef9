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


class Names:
    def __init__(self, function: Function, reserved: set[str], folded: dict[Var, Op]) -> None:
        self.graph = Interference(function, folded)
        self.reserved = reserved
        self._merged: dict[Var, Var] = {}
        self._members: dict[Var, list[Var]] = {}
        self._names: dict[Var, str] = {}
        self._by_name: dict[str, list[Var]] = {}
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

    def group(self, var: Var) -> Var:
        var = self.graph.root(var)
        while var in self._merged:
            var = self._merged[var]
        return var

    def _group_members(self, group: Var) -> list[Var]:
        return self._members.get(group, [group])

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
        first, second = self._group_members(a), self._group_members(b)
        if any(self.graph.interfere(x, y) for x in first for y in second):
            return
        self._merged[b] = a
        self._members[a] = [*first, *second]

    def _free_name(self, group: Var, base: str) -> str:
        base = base.strip("<>") or "value"
        if keyword.iskeyword(base) or not base.isidentifier():
            base = f"{base}_" if f"{base}_".isidentifier() else "value"
        candidate, number = base, 0
        while not self._is_free(group, candidate):
            number += 1
            candidate = f"{base}_{number}"
        return candidate

    def _is_free(self, group: Var, name: str) -> bool:
        if name in self.reserved or hasattr(builtins, name):
            return False
        members = self._group_members(group)
        return not any(
            self.graph.interfere(x, y)
            for other in self._by_name.get(name, ())
            for y in self._group_members(other)
            for x in members
        )

    def _take(self, group: Var, name: str) -> None:
        self._names[group] = name
        self._by_name.setdefault(name, []).append(group)


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
