"""Which values may be overwritten in place before the backward sweep reads them.

A value is stale when a later operation in place may change its memory: its own object, or one that
shares memory with it. "Later" includes earlier statements of a loop, in the next iteration, unless
the object is made anew in each and not handed to the next.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np

from .. import core
from ..builder import is_mutable
from ..core import COUNT, Atom, Block, Const, For, Function, If, Loop, Op, Stmt, Var, While
from ..types import Range
from ..views import is_rank_0_view


@dataclass(frozen=True)
class _Place:
    number: int
    loops: tuple[Loop, ...]


class Overwrites:
    def __init__(self, function: Function) -> None:
        self.function = function
        self._places: dict[Var, _Place] = {}
        self.definitions: dict[Var, Op] = {}
        # An object -> the operations that may change it: it, or what shares its memory.
        self._changes: dict[Var, list[tuple[Op, _Place]]] = {}
        # An object -> the loops whose iterations hand it to the next, and the parameter there.
        self._handed: dict[Var, list[tuple[Loop, Var]]] = {}
        # A loop's parameter that is one object in all iterations -> the loops around that loop.
        self._carried: dict[Var, tuple[Loop, ...]] = {}
        self._count = 0
        start = _Place(0, ())
        for var in [*function.params, *core.free_vars(function.body)]:
            self._places[var] = start  # what is not defined inside was there before
        self._index(function.body, ())

    def _index(self, block: Block, loops: tuple[Loop, ...]) -> None:
        for stmt in block.stmts:
            self._count += 1
            place = _Place(self._count, loops)
            if isinstance(stmt, Op):
                for var in core.defined_by(stmt):
                    self._places[var] = place
                    self.definitions[var] = stmt
                if stmt.version is not None:
                    for root in self._with_aliases(stmt.version.root):
                        self._changes.setdefault(root, []).append((stmt, place))
                continue
            inner = (*loops, stmt) if isinstance(stmt, Loop) else loops
            self._count += 1
            for var in core.defined_inside(stmt):
                self._places[var] = _Place(self._count, inner)
            if isinstance(stmt, Loop):
                self._note_handed(stmt, loops)
            for sub in core.blocks_of(stmt):
                self._index(sub, inner)
            self._count += 1
            for var in core.defined_by(stmt):
                self._places[var] = _Place(self._count, loops)

    def _note_handed(self, loop: Loop, around: tuple[Loop, ...]) -> None:
        for param, end in zip(loop.params, loop.body.yields):
            if isinstance(end, Var) and end.root is param:
                self._carried[param] = around
            if isinstance(end, Var) and end.root is not param.root and is_mutable(end.type):
                for root in self._with_aliases(end.root):
                    self._handed.setdefault(root, []).append((loop, param.root))

    def _with_aliases(self, root: Var) -> set[Var]:
        return {root, *self.function.aliases.get(root, ())}

    def _is_changed_later(self, root: Var) -> bool:
        """Whether the next iteration of a loop may change an object that this one has made."""
        made = self._places.get(root)
        return made is not None and any(
            param in self._changes and any(around is loop for around in made.loops)
            for loop, param in self._handed.get(root, ())
        )

    def is_stale(self, var: Var) -> bool:
        """Whether the memory of `var` may hold something else when the forward sweep is over."""
        if not self._changes or var not in self._places:
            return False
        if not is_mutable(var.type) and not is_rank_0_view(self.definitions.get(var)):
            return False
        if self._is_changed_later(var.root):
            return True
        # The last change first: of many, it is the one that most often comes later.
        changes = reversed(self._changes.get(var.root, ()))
        return any(self._comes_later(op, place, var) for op, place in changes)

    def is_result_stale(self, whole: Var, index: int) -> bool:
        """Whether one of several results may hold something else when the forward sweep is over."""
        if not self.is_stale(whole):
            return False
        changes = self._changes.get(whole.root, ())
        return self._is_changed_later(whole.root) or not all(
            self._is_of_another(op, whole, index) for op, _ in changes
        )

    def _is_of_another(self, change: Op, whole: Var, index: int) -> bool:
        """Whether a change is certainly one of another result than that at the index."""
        assert change.version is not None
        read = self.definitions.get(change.version.root)
        if read is None or read.fn is not operator.getitem or read.args[0] is not whole:
            return False
        place = read.args[1]
        return isinstance(place, Const) and type(place.value) is int and place.value != index

    def _comes_later(self, op: Op, place: _Place, var: Var) -> bool:
        assert op.version is not None
        root = op.version.root
        here = self._places[var]
        common = _common(place.loops, here.loops)
        home = self._places[root].loops if root in self._places else ()
        home = self._carried.get(root, home)
        if len(common) > len(_common(home, common)):
            return not self._is_behind(op, place, var, here)
        return place.number > here.number

    def _is_behind(self, op: Op, place: _Place, var: Var, here: _Place) -> bool:
        """Whether stores like h[t + 1] never reach an element once h[t] has been read.

        Both indices are the counter of one `range` that goes up, plus a number; the store's is
        larger, or equal and carried out before.
        """
        read = self.definitions.get(var)
        if read is None or read.fn is not operator.getitem or op.fn is not core.STORE:
            return False
        if place.loops != here.loops or read.args[0] is var:
            return False
        source = read.args[0]
        assert op.version is not None
        if not isinstance(source, Var) or source.root is not op.version.root:
            return False
        reads, writes = self.offset(read.args[1]), self.offset(op.args[1])
        if reads is None or writes is None or reads[0] is not writes[0]:
            return False
        return reads[1] < writes[1] or (reads[1] == writes[1] and place.number < here.number)

    def offset(self, index: Atom) -> tuple[Var, int] | None:
        """(counter, number) for an index counter + number that is never negative."""
        made = self.definitions.get(index) if isinstance(index, Var) else None
        if made is not None and made.fn is core.TUPLE and made.args:
            index = made.args[0]
            made = self.definitions.get(index) if isinstance(index, Var) else None
        number = 0
        if made is not None and made.fn in (np.add, np.subtract) and made.style == "operator":
            left, right = made.args
            if isinstance(left, Const) and made.fn is np.add:
                left, right = right, left
            if not isinstance(right, Const) or type(right.value) is not int:
                return None
            number = right.value if made.fn is np.add else -right.value
            index = left
        start = self._start_of(index) if isinstance(index, Var) else None
        if start is None or start + number < 0:
            return None
        assert isinstance(index, Var)
        return index, number

    def first_value(self, offset: tuple[Var, int]) -> int | None:
        """The first value that an index counter + number takes."""
        start = self._start_of(offset[0])
        return None if start is None else start + offset[1]

    def _start_of(self, counter: Var) -> int | None:
        """Where a loop's counter starts, if it goes up by one from a known start."""
        place = self._places.get(counter)
        if place is None or not place.loops or not isinstance(place.loops[-1], For):
            return None
        loop = place.loops[-1]
        for item, source in zip(loop.items, loop.iterables, strict=True):
            if item is not counter:
                continue
            if source is COUNT:
                return 0
            t = source.type
            if isinstance(t, Range) and t.step == 1 and isinstance(t.start, int):
                return t.start
        return None

    def writes_each_once(self, op: Op) -> bool:
        """Whether a store in a loop never writes an element twice, and nothing there reads all."""
        offset = self.offset(op.args[1])
        version = op.version
        if offset is None or version is None:
            return False
        place = self._places[version]
        loop = place.loops[-1] if place.loops else None
        param = next((p for p in loop.params if p.root is version.root), None) if loop else None
        if loop is None or param is None:
            return False
        stores = [
            s
            for s in core.walk(loop.body)
            if isinstance(s, Op) and s.version is not None and s.version.root is version.root
        ]
        if len(stores) != 1:
            return False
        return all(self._touches_elements(s, version.root, *offset) for s in core.walk(loop.body))

    def _touches_elements(self, stmt: Stmt, root: Var, counter: Var, number: int) -> bool:
        if isinstance(stmt, (If, For, While)):
            return not any(
                isinstance(a, Var) and a.root is root for a in core.read_by(stmt)
            ) and not (isinstance(stmt, Loop) and any(p.root is root for p in stmt.params))
        for position, atom in enumerate(stmt.operands()):
            if not (isinstance(atom, Var) and atom.root is root):
                continue
            if stmt.fn is core.ATTRIBUTE or stmt.fn is len:
                continue
            element = position == 0 and stmt.fn in (operator.getitem, core.STORE)
            if not element:
                return False
            found = self.offset(stmt.args[1])
            if found is None or found[0] is not counter:
                return False
            if stmt.fn is operator.getitem and found[1] == number:
                return False
        return True


def _common(a: tuple[Loop, ...], b: tuple[Loop, ...]) -> tuple[Loop, ...]:
    count = 0
    while count < min(len(a), len(b)) and a[count] is b[count]:
        count += 1
    return a[:count]
