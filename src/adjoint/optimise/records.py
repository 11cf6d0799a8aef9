"""Take out of a loop's records what its backward loop does not read.

    tape.append((x, prod))                   tape.append(x)
    for x, _ in reversed(tape): ...          for x in reversed(tape): ...

What is to be recorded is decided while the backward loop is made; like terms that are taken
together, and dead code, then leave entries that nobody reads.

Needs: no dead code. Leaves what computed the entries, which may be dead now.
"""

from __future__ import annotations

import builtins
import operator
from collections import Counter

from .. import core
from ..core import Block, Const, For, Function, Op, Var
from ..infer import constant
from ..types import List, Tuple


def slim_records(function: Function) -> bool:
    """Shorten the records of a function, in place; whether there was anything to take out."""
    found = _Records(function)
    shortened = [found.slim(loop) for loop in found.loops]
    return any(shortened)


class _Records:
    def __init__(self, function: Function) -> None:
        self.loops: list[For] = []
        self.uses: Counter[Var] = Counter()
        self.made: dict[Var, Op] = {}
        self.appended: dict[Var, list[Op]] = {}  # list -> what appends to it
        self.parts: dict[Var, list[Op]] = {}  # tuple -> what reads an element of it
        self.homes: dict[int, Block] = {}
        self._index(function.body)

    def _index(self, block: Block) -> None:
        self.uses.update(a for a in block.yields if isinstance(a, Var))
        for stmt in block.stmts:
            self.uses.update(a for a in core.read_by(stmt) if isinstance(a, Var))
            if isinstance(stmt, Op):
                self._index_op(stmt, block)
            elif isinstance(stmt, For) and stmt.backward:
                self.loops.append(stmt)
            for inner in core.blocks_of(stmt):
                self._index(inner)

    def _index_op(self, op: Op, block: Block) -> None:
        if op.target is not None:
            self.made[op.target] = op
        if op.fn is core.APPEND:
            self.appended.setdefault(op.args[0].root, []).append(op)  # type: ignore[union-attr]
        elif op.fn is operator.getitem and isinstance(op.args[0], Var):
            self.parts.setdefault(op.args[0], []).append(op)
            self.homes[id(op)] = block

    def slim(self, loop: For) -> bool:
        # A counter stands before the record: for i, (x, y) in zip(reversed(steps), reversed(tape)).
        item, walk = loop.items[-1], self.made.get(loop.iterables[-1])  # type: ignore[arg-type]
        if item is None or walk is None or walk.fn is not builtins.reversed:
            return False
        tape = walk.args[0]
        if not isinstance(tape, Var) or not isinstance(item.type, Tuple):
            return False
        appended = self.appended.get(tape.root, [])
        if len(appended) != 1 or self.uses[tape] != 1 or self.uses[walk.target] != 1:  # type: ignore[index]
            return False
        entry = self.made.get(appended[0].args[1])  # type: ignore[arg-type]
        if entry is None or entry.fn is not core.TUPLE or entry.kwargs:
            return False
        reads = self.parts.get(item, [])
        if self.uses[entry.target] != 1 or self.uses[item] != len(reads):  # type: ignore[index]
            return False
        if not all(isinstance(r.args[1], Const) and type(r.args[1].value) is int for r in reads):
            return False
        read = sorted({r.args[1].value for r in reads})  # type: ignore[union-attr]
        if len(read) == len(entry.args):
            return False
        self._shorten(loop, item, appended[0], entry, read, reads)
        return True

    def _shorten(
        self, loop: For, item: Var, append: Op, entry: Op, read: list[int], reads: list[Op]
    ) -> None:
        entry.args = [entry.args[position] for position in read]
        if len(read) == 1 and len(reads) == 1:
            append.args[1] = entry.args[0]
            loop.items[-1] = reads[0].target
            self.homes[id(reads[0])].stmts.remove(reads[0])
            kind = entry.args[0].type
        else:
            for op in reads:
                op.args[1] = constant(read.index(op.args[1].value))  # type: ignore[union-attr]
            kind = Tuple(tuple(a.type for a in entry.args))
            item.type = entry.target.type = kind  # type: ignore[union-attr]
        for var in (append.args[0], append.version, self.made[loop.iterables[-1]].args[0]):  # type: ignore[index]
            var.type = List(kind)  # type: ignore[union-attr]
