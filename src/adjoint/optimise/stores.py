"""Store into an array of zeros, where a loop adds to each of its elements at most once.

    d_x = np.zeros_like(x)                     d_x = np.empty_like(x)
    for i in reversed(range(len(x))):          for i in reversed(range(len(x))):
        d_x[i] += d_y              becomes         d_x[i] = d_y

A counter of a range takes each value once, so the elements were still zero. If it takes the values
of all indices, there need not be zeros first.

Needs: no dead code.
"""

from __future__ import annotations

import builtins
from collections import Counter

import numpy as np

from .. import core
from ..core import Atom, Block, Const, For, Function, Op, Var
from ..types import Array, Object, Range, Scalar, Size


def store_once(function: Function) -> None:
    """Let loops store what they add to zeros, in place."""
    if any(isinstance(s, For) and s.backward for s in core.walk(function.body)):
        found = _Stores(function)
        for block, loop in found.loops:
            found.visit(block, loop)


class _Stores:
    def __init__(self, function: Function) -> None:
        self.uses: Counter[Var] = Counter()
        self.made: dict[Var, Op] = {}
        self.loops: list[tuple[Block, For]] = []
        self._index(function.body)

    def _index(self, block: Block) -> None:
        self.uses.update(a for a in block.yields if isinstance(a, Var))
        for stmt in block.stmts:
            self.uses.update(a for a in core.read_by(stmt) if isinstance(a, Var))
            if isinstance(stmt, Op) and stmt.target is not None:
                self.made[stmt.target] = stmt
            elif isinstance(stmt, For) and stmt.backward:
                self.loops.append((block, stmt))
            for inner in core.blocks_of(stmt):
                self._index(inner)

    def visit(self, block: Block, loop: For) -> None:
        counters = {
            item: steps
            for item, source in zip(loop.items, loop.iterables, strict=True)
            if item is not None and (steps := self._steps(source)) is not None
        }
        if not counters:
            return
        changes = {
            s.args[0]: s for s in loop.body.stmts if isinstance(s, Op) and s.fn is core.STORE_ADD
        }
        for param, init, end in zip(loop.params, loop.inits, loop.body.yields, strict=False):
            change = changes.get(param)
            if change is None or not isinstance(init, Var):
                continue
            zeros = self.made.get(init)
            if zeros is None or zeros.fn is not np.zeros_like or zeros not in block.stmts:
                continue
            assert change.version is not None
            if end is not change.version or {self.uses[param], self.uses[change.version]} != {1}:
                continue  # what is added to is read in the loop
            if self.uses[init] != 1 or not isinstance(init.type, Array):
                continue
            counter = self._counter(change.args[1], counters)
            if counter is None:
                continue
            change.fn = core.STORE
            stops = isinstance(loop.stop, Const) and loop.stop.value is False
            if stops and self._is_all(change.args[1], counter, counters[counter], init.type):
                zeros.fn = np.empty_like

    def _steps(self, source: Atom) -> Range | None:
        """The range that is walked, if its values are indices of different elements."""
        made = self.made.get(source) if isinstance(source, Var) else None
        if made is not None and made.fn is builtins.reversed:
            source = made.args[0]
        steps = source.type
        if not isinstance(steps, Range) or not isinstance(steps.start, int):
            return None
        return steps if steps.start >= 0 and steps.step is not None and steps.step > 0 else None

    def _entries(self, index: Atom) -> list[Atom]:
        made = self.made.get(index) if isinstance(index, Var) else None
        return made.args if made is not None and made.fn is core.TUPLE else [index]

    def _counter(self, index: Atom, counters: dict[Var, Range]) -> Var | None:
        """The counter among the numbers and slices of an index, each for an axis of its own."""
        entries = self._entries(index)
        if not all(_is_number(e) or _is_slice(e) for e in entries):
            return None
        return next((e for e in entries if e in counters), None)  # type: ignore[return-value, arg-type]

    def _is_all(self, index: Atom, counter: Var, steps: Range, t: Array) -> bool:
        """Whether the loop stores to all elements: at each index of an axis, with all of others."""
        entries = self._entries(index)
        if t.dims is None or steps.start != 0 or steps.step != 1:
            return False
        others = [e for e in entries if e is not counter]
        if len(others) + 1 < len(entries):  # a[i, i] is the diagonal
            return False
        if not all(isinstance(e, Const) and e.value == slice(None) for e in others):
            return False
        size: Size = t.dims[entries.index(counter)]
        return steps.stop is not None and steps.stop == size


def _is_number(entry: Atom) -> bool:
    return isinstance(entry.type, Scalar) and entry.type.kind == "int"


def _is_slice(entry: Atom) -> bool:
    return isinstance(entry.type, Object) and entry.type.cls is slice
