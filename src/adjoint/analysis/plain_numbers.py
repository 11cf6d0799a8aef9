"""Which numbers may be Python's instead of NumPy's, and nobody would know the difference.

Sums, differences, products and comparisons of Python's floats and of NumPy's are equal, bit by bit,
and several times quicker with Python's. But dividing by zero is an error in Python, a power may
overflow in one, and NumPy's numbers have methods. So numbers may be Python's if they, and what is
computed from them, meet no other operation, and are handed on as nothing but elements of arrays,
entries of a loop's record, and numbers that are converted.
"""

from __future__ import annotations

import builtins
import operator
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import core
from ..core import Atom, Block, Const, For, Function, If, Loop, Op, Var, While
from ..types import Array, Scalar

EXACT = frozenset({np.add, np.subtract, np.multiply, np.negative, np.positive})
_COMPARISONS = frozenset(
    {np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal}
)
_STORES = frozenset({core.STORE, core.STORE_ADD, core.STORE_SUB})


def divides_by_constant(op: Op) -> bool:
    """x / 2: a division that cannot fail, where x is a number."""
    divisor = op.args[1] if op.fn is np.true_divide else None
    if not isinstance(divisor, Const) or divisor.external is not None:
        return False
    return type(divisor.value) in (int, float) and divisor.value != 0


class PlainNumbers:
    """Follows numbers through one function.

    `functions`: whether they may be given to functions like np.sin. Not before the derivative is
    known, which may divide by them.
    """

    def __init__(self, function: Function, *, functions: bool) -> None:
        self.function = function
        self.functions = functions
        self.made: dict[Var, Op] = {}
        self.users: dict[Var, list[Any]] = defaultdict(list)  # variable -> what reads it
        self.loops: list[tuple[Block, For]] = []
        self._index(function.body)
        if isinstance(function.result, Var):
            self.users[function.result].append(function)

    def _index(self, block: Block) -> None:
        for stmt in block.stmts:
            for atom in core.read_by(stmt):
                if isinstance(atom, Var):
                    self.users[atom].append(stmt)
            if isinstance(stmt, Op):
                for var in core.defined_by(stmt):
                    self.made[var] = stmt
            for inner in core.blocks_of(stmt):
                for atom in inner.yields:
                    if isinstance(atom, Var):
                        self.users[atom].append((stmt, inner))
                self._index(inner)
            if isinstance(stmt, For):
                self.loops.append((block, stmt))

    def spread(self, start: Iterable[Var]) -> set[Var] | None:
        """All numbers that would be Python's if those at the start were; None if they must not."""
        numbers = set(start)
        todo = list(numbers)
        while todo:
            var = todo.pop()
            for user in self.users[var]:
                gives = self._gives(user, var)
                if gives is None:
                    return None
                todo += set(gives) - numbers
                numbers.update(gives)
        return numbers

    def certain(self, numbers: set[Var]) -> set[Var]:
        """Those that are Python's numbers on every path: not where a loop starts from NumPy's."""
        sources: dict[Var, list[Atom]] = defaultdict(list)
        for stmt in core.walk(self.function.body):
            if isinstance(stmt, Op):
                if stmt.target in numbers and stmt.fn in EXACT:
                    sources[stmt.target] += stmt.args  # type: ignore[index]
            elif isinstance(stmt, If):
                for side in core.blocks_of(stmt):
                    for result, end in zip(stmt.results, side.yields, strict=True):
                        sources[result].append(end)
            else:
                rows = zip(stmt.params, stmt.results, stmt.inits, stmt.body.yields)
                for param, result, init, end in rows:
                    sources[param] += [init, end]
                    sources[result] += [init, end]
        certain = set(numbers)
        while True:
            doubtful = {
                v
                for v in certain
                if any(a not in certain and not isinstance(a.type, Scalar) for a in sources[v])
            }
            if not doubtful:
                return certain
            certain -= doubtful

    def _gives(self, user: Any, var: Var) -> list[Var] | None:
        """The variables that become numbers of Python's with `var`; None if it must not."""
        if isinstance(user, Op):
            return self._given_by(user, var)
        if isinstance(user, For | While):
            found = [
                v
                for p, i, r in zip(user.params, user.inits, user.results)
                for v in (p, r)
                if i is var
            ]
            return found if not isinstance(user, For) or var not in user.iterables else None
        if isinstance(user, tuple):
            stmt, block = user
            places = [k for k, y in enumerate(block.yields) if y is var]
            if isinstance(stmt, If):
                return [stmt.results[k] for k in places]
            if isinstance(stmt, Loop) and block is stmt.body and max(places) < len(stmt.params):
                return [v for k in places for v in (stmt.params[k], stmt.results[k])]
        return None

    def _given_by(self, op: Op, var: Var) -> list[Var] | None:
        if op.fn in EXACT and op.style == "operator" and op.target is not None:
            if isinstance(op.target.type, Array) and op.target.type.dims != ():
                return []  # an array and a number
            return [op.target]
        if op.fn in _COMPARISONS and op.style == "operator" and op.target is not None:
            tested = all(isinstance(u, If) for u in self.users[op.target])
            return [] if tested else None
        if op.fn in _STORES and op.args[2] is var and isinstance(op.args[0].type, Array):
            return []
        if op.fn in (builtins.float, np.float64):
            return [] if self.functions else None
        if op.fn is core.APPEND and op.args[1] is var:
            return self._recorded(op.args[0], None)
        if op.fn is core.TUPLE and op.target is not None and not op.kwargs:
            return self._packed(op, var)
        if isinstance(op.fn, np.ufunc) and op.style == "" and len(op.args) == 1 and not op.kwargs:
            return [] if self.functions else None
        return None

    def _packed(self, op: Op, var: Var) -> list[Var] | None:
        """A tuple that is an entry of a loop's record."""
        found: list[Var] = []
        assert op.target is not None
        for user in self.users[op.target]:
            if not (isinstance(user, Op) and user.fn is core.APPEND):
                return None
            for place, atom in enumerate(op.args):
                if atom is var:
                    more = self._recorded(user.args[0], place)
                    if more is None:
                        return None
                    found += more
        return found

    def _recorded(self, record: Atom, place: int | None) -> list[Var] | None:
        """What is read from a record that is walked backwards: its entries, or parts of them."""
        assert isinstance(record, Var)
        found: list[Var] = []
        for _, loop in self.loops:
            for item, source in zip(loop.items, loop.iterables, strict=True):
                made = self.made.get(source) if isinstance(source, Var) else None
                if made is None or made.fn is not builtins.reversed:
                    continue
                if not isinstance(made.args[0], Var) or made.args[0].root is not record.root:
                    continue
                if item is None:
                    continue
                if place is None:
                    found.append(item)
                    continue
                for user in self.users[item]:
                    if not (isinstance(user, Op) and user.fn is operator.getitem):
                        return None
                    key = user.args[1]
                    if isinstance(key, Const) and key.value == place and user.target is not None:
                        found.append(user.target)
        return found if found else None
