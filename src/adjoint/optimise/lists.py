"""Read the elements of an array from a list, where a loop walks through it with plain arithmetic.

    for i in range(n):                      target_list = target.tolist()
        y = y + r * target[i]     becomes   for i in range(n):
                                                y = y + r * target_list[i]

An element of an array is one of NumPy's numbers, which take several times as long to read and to
compute with as Python's. The loop must pass over the whole array, or the list would cost more than
it saves; and see `analysis/plain_numbers.py`.
"""

from __future__ import annotations

import builtins
import operator
from typing import Any

import numpy as np

from .. import core
from ..analysis.plain_numbers import EXACT, PlainNumbers
from ..core import Block, Const, For, Function, Op, Var
from ..types import FLOAT, Array, Dim, List, Range, Scalar, Size
from ..views import path_of

_LIST = List(FLOAT)


def read_from_lists(function: Function) -> None:
    """Let loops read elements from lists where that is the same, in place."""
    if any(isinstance(s, For) for s in core.walk(function.body)):
        _Lists(function).run()


class _Lists:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.plain = PlainNumbers(function, functions=True)
        self.counts: dict[Var, Size | None] = {}  # record of a loop -> how many entries it has
        for _, loop in self.plain.loops:
            count = self._count(loop)
            for param, end in zip(loop.params, loop.body.yields):
                made = self.plain.made.get(end) if isinstance(end, Var) else None
                if made is not None and made.fn is core.APPEND and made.args[0] is param:
                    self.counts[param.root] = count

    def run(self) -> None:
        numbers: set[Var] = set()
        for block, loop in self.plain.loops:
            for array, reads in self._candidates(loop).items():
                spread = self.plain.spread(reads)
                if spread is not None and any(map(self._saves, reads)):
                    self._convert(block, loop, array, reads)
                    numbers |= spread
        for var in self.plain.certain(numbers):
            var.type = FLOAT

    def _saves(self, read: Var) -> bool:
        """Whether there is arithmetic with an element, which is quicker then."""
        return any(isinstance(u, Op) and u.fn in EXACT for u in self.plain.users[read])

    def _candidates(self, loop: For) -> dict[Var, list[Var]]:
        """Arrays that a loop reads element by element, and passes over -> their elements."""
        inside = {id(s) for s in core.walk(loop.body)}
        count = self._count(loop)
        found: dict[Var, list[Var]] = {}
        own = set(core.defined_inside(loop))  # items and parameters, which are there in it only
        for array in core.free_vars(loop.body):
            if array in own or not _is_line(array) or array.external is not None:
                continue
            if not _covers(count, array):
                continue
            readers = [u for u in self.plain.users[array] if _in_loop(u, inside)]
            reads = [u.target for u in readers if _reads_element(u, array)]
            if len(reads) == len(readers) and self._is_fixed(array, loop):
                found[array] = reads
        for item, source in zip(loop.items, loop.iterables, strict=True):
            if isinstance(source, Var) and item is not None and _is_line(source):
                if source.external is None and self._is_fixed(source, loop):
                    found.setdefault(source, []).append(item)
        return found

    def _count(self, loop: For) -> Size | None:
        """How often a loop runs, if all of its iterations run."""
        stop = loop.stop
        if not (isinstance(stop, Const) and stop.value is False):
            return None
        for source in loop.iterables:
            made = self.plain.made.get(source) if isinstance(source, Var) else None
            if made is not None and made.fn is builtins.reversed:
                source = made.args[0]
            if isinstance(source.type, Range) and isinstance(source.type.start, int):
                stops = source.type.stop
                if source.type.step == 1 and source.type.start <= 2 and stops is not None:
                    return stops
            if isinstance(source, Var) and source.root in self.counts:
                return self.counts[source.root]
            if isinstance(source.type, Array) and source.type.dims:
                return source.type.dims[0]
        return None

    def _is_fixed(self, array: Var, loop: For) -> bool:
        """Whether nothing in a loop changes an array: all that it changes is memory of its own."""
        near = {array.root, *(p.args[0] for p in path_of(array, self.plain.made)[:1])}
        for stmt in core.walk(loop.body):
            if not isinstance(stmt, Op):
                continue
            if stmt.fn in (core.CALL, core.CALL_CORE):
                return False
            if stmt.version is None:
                continue
            root = stmt.version.root
            if isinstance(root.type, List):
                continue
            others = self.function.aliases.get(root, ())
            if root in near or array.root in others or not self._is_own(root):
                return False
        return True

    def _is_own(self, root: Var) -> bool:
        made = self.plain.made.get(root)
        return (
            made is not None
            and made.target is root
            and not isinstance(made.fn, core.Intrinsic)
            and (isinstance(made.fn, np.ufunc) or made.fn in _CREATING)
        )

    def _convert(self, block: Block, loop: For, array: Var, reads: list[Var]) -> None:
        made = Var(f"{array.name}_list", _LIST, named=True)
        op = Op(made, np.ndarray.tolist, [array], {}, "method", loop.origin, None, loop.backward)
        block.stmts.insert(block.stmts.index(loop), op)
        loop.iterables = [made if s is array else s for s in loop.iterables]
        for read in reads:
            access = self.plain.made.get(read)
            if access is not None and access.args[0] is array:
                access.args = [made, *access.args[1:]]


_CREATING: frozenset[Any] = frozenset(
    {np.zeros, np.ones, np.full, np.empty, np.zeros_like, np.ones_like, np.full_like,
     np.empty_like, np.copy}
)  # fmt: skip


def _is_line(var: Var) -> bool:
    t = var.type
    return (
        isinstance(t, Array)
        and t.dims is not None
        and len(t.dims) == 1
        and t.element == np.float64
        and t.module == "numpy"
    )


def _covers(count: Size | None, array: Var) -> bool:
    """Whether a loop runs about as often as an array has elements."""
    assert isinstance(array.type, Array) and array.type.dims
    size = array.type.dims[0]
    if isinstance(count, Dim) and isinstance(size, Dim):
        return count.symbol == size.symbol and abs(count.offset - size.offset) <= 4
    return isinstance(count, int) and isinstance(size, int) and size <= 2 * count


def _in_loop(user: Any, inside: set[int]) -> bool:
    return id(user[0] if isinstance(user, tuple) else user) in inside


def _reads_element(user: Any, array: Var) -> bool:
    return (
        isinstance(user, Op)
        and user.fn is operator.getitem
        and user.args[0] is array
        and isinstance(user.args[1].type, Scalar)
        and user.args[1].type.kind == "int"
        and user.target is not None
    )
