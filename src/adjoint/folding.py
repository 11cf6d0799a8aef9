"""Which temporaries are printed inside the expression that uses them.

A temporary that is used once moves to its use, unless the result would be hard to read or something
that it reads is changed in between. What the user named keeps its statement.
"""

from __future__ import annotations

import operator
from collections import Counter

import numpy as np

from . import core
from .analysis.memory import shared_operands
from .builder import is_basic_index, is_number
from .core import Atom, Block, Const, For, Function, Op, Stmt, Var
from .types import Object, Range, Scalar, Tuple, Type
from .views import is_view

_LONGEST = 62  # characters of a folded expression, roughly
_SHORT = 24  # and of an index that is printed several times
_INDEXING = frozenset({operator.getitem, core.STORE, core.STORE_ADD, core.STORE_SUB})
_NEVER = frozenset({core.CALL, core.CALL_CORE, core.LIST, core.DICT, core.POP})


class Folding:
    """`folded`: temporary -> its operation. `uses`: how often each variable is read."""

    def __init__(self, function: Function) -> None:
        self.uses: Counter[Var] = Counter()
        self._count(function.body)
        self.folded: dict[Var, Op] = {}
        self._changed = {
            s.version.root
            for s in core.walk(function.body)
            if isinstance(s, Op) and s.version is not None
        }
        # A mean is printed as x.sum() / x.size, which reads x twice.
        self._twice = {
            s.args[0]
            for s in core.walk(function.body)
            if isinstance(s, Op) and s.fn is np.mean and len(s.args) == 1 and not s.kwargs
        }
        # A view that is made to be changed is printed where it is: A[i] += v, A[1:][j] = v.
        # Only an element or a part stands before an operator: A.T += v would set an attribute.
        self._targets = {
            s.args[0]: s.fn in (core.STORE, core.STORE_ADD)
            for s in core.walk(function.body)
            if isinstance(s, Op) and s.version is not None and not self.uses[s.version]
        }
        # How often a variable is read as an index.
        self._indexed = Counter(
            s.args[1]
            for s in core.walk(function.body)
            if isinstance(s, Op) and s.fn in _INDEXING and isinstance(s.args[1], Var)
        )
        self._width: dict[Var, int] = {}
        self._made = {
            v: s for s in core.walk(function.body) if isinstance(s, Op) for v in core.defined_by(s)
        }
        self._memory: dict[Var, frozenset[bool]] = {}
        self._block(function.body, is_function=True)

    def _count(self, block: Block) -> None:
        for stmt in core.walk(block):
            for atom in core.read_by(stmt):
                self._count_atom(atom)
            for inner in core.blocks_of(stmt):
                for atom in inner.yields:
                    self._count_atom(atom)
        for atom in block.yields:
            self._count_atom(atom)

    def _count_atom(self, atom: Atom) -> None:
        if isinstance(atom, Var):
            self.uses[atom] += 1

    def _block(self, block: Block, is_function: bool = False) -> None:
        waiting: dict[Var, Op] = {}  # defined, not used yet
        for position, stmt in enumerate(block.stmts):
            self._use(core.read_by(stmt), waiting)
            if isinstance(stmt, Op) and stmt.fn is core.ENTER and position:
                self._fold_manager(block.stmts[position - 1], stmt)
            for inner in core.blocks_of(stmt):
                self._block(inner)
            if isinstance(stmt, Op) and stmt.fn in (core.ENTER, core.LEAVE):
                waiting.clear()  # what was computed on one side of it stays there
            elif _changes_memory(stmt):
                of = _memory_changed(stmt)
                for var in [v for v, op in waiting.items() if self._reads_memory(op, of)]:
                    del waiting[var]
            if (
                isinstance(stmt, Op)
                and is_function
                and stmt.fn in (core.DICT, core.LIST)
                and self.uses[stmt.target] == 1  # type: ignore[index]
                and not stmt.target.named  # type: ignore[union-attr]
                and stmt.target.root not in self._changed  # type: ignore[union-attr]
            ):
                waiting[stmt.target] = stmt  # type: ignore[index]
            if isinstance(stmt, Op) and self._is_short_index(stmt):
                self.folded[stmt.target] = stmt  # type: ignore[index]
                self._width[stmt.target] = self._width_of(stmt)  # type: ignore[index]
            elif isinstance(stmt, Op) and self._is_candidate(stmt):
                assert stmt.target is not None
                waiting[stmt.target] = stmt
            elif (
                isinstance(stmt, Op)
                and is_function
                and stmt.backward
                and stmt.target is not None
                and list(block.yields) == [stmt.target]
                and self._is_candidate(stmt, named=True)
            ):
                waiting[stmt.target] = stmt
        for atom in block.yields if is_function else ():
            # Several results are returned as a tuple, however long: its parts are short enough.
            made = waiting.get(atom) if isinstance(atom, Var) else None
            if made is not None and made.fn in (core.TUPLE, core.DICT, core.LIST) and made.tangent:
                self.folded[atom] = waiting.pop(atom)  # type: ignore[index, arg-type]
        self._use(block.yields, waiting)

    def _fold_manager(self, made: Stmt, enter: Op) -> None:
        """`with open(path):` instead of a variable for the manager."""
        if isinstance(made, Op) and made.fn is core.CALL and made.target is enter.args[0]:
            if self.uses[made.target] == 1 and not made.target.named:  # type: ignore[index, union-attr]
                self.folded[made.target] = made  # type: ignore[index]

    def _is_short_index(self, op: Op) -> bool:
        """Whether an index is printed wherever it is used: x[i, j], and not x[pair]."""
        if op.fn not in (core.TUPLE, core.SLICE) or op.target is None or op.target.named:
            return False
        if self.uses[op.target] != self._indexed[op.target] or not is_basic_index(op.target.type):
            return False
        return self._width_of(op) <= _SHORT and self._is_of_numbers(op)

    def _is_of_numbers(self, op: Op) -> bool:
        """Whether what is printed in an index are numbers, and sums of them: x[i + 1:n, j]."""
        for atom in op.operands():
            folded = self.folded.get(atom) if isinstance(atom, Var) else None
            if folded is not None:
                if folded.fn is not core.SLICE and folded.style != "operator":
                    return False
                if not self._is_of_numbers(folded):
                    return False
            elif isinstance(atom, Var) and not isinstance(atom.type, Scalar):
                return False
        return True

    def _use(self, atoms: list[Atom], waiting: dict[Var, Op]) -> None:
        budget = _LONGEST
        for atom in atoms:
            if not isinstance(atom, Var) or atom not in waiting:
                continue
            op = waiting.pop(atom)
            width = self._width_of(op)
            if width <= budget:
                budget -= width // 2
                self.folded[atom] = op
                self._width[atom] = width

    def _is_candidate(self, op: Op, named: bool = False) -> bool:
        if op.target is None or op.version is not None or op.effect:
            return False
        if op.target in self._twice:
            return False
        if op.target.root in self._changed and not self._is_printed_view(op):
            return False
        if op.target.named and not named:
            return False
        return self.uses[op.target] == 1 and op.fn not in _NEVER

    def _is_printed_view(self, op: Op) -> bool:
        """Whether a view is printed where it is changed."""
        if op.target not in self._targets or not is_view(op):
            return False
        return self._targets[op.target] or op.fn is operator.getitem

    def _reads_memory(self, op: Op, of: frozenset[bool]) -> bool:
        """Whether an operation reads what may be changed; `of`: that of tangents, or of others."""
        for atom in op.operands():
            if isinstance(atom, Const):
                continue
            if atom in self.folded:
                if self._reads_memory(self.folded[atom], of):
                    return True
            elif not _is_fixed(atom.type) and of & self._memory_of(atom):
                if op.fn is not core.ATTRIBUTE:
                    return True
        return False

    def _memory_of(self, var: Var) -> frozenset[bool]:
        """Whether a variable's memory may be that of tangents, and whether it may be other."""
        if var not in self._memory:
            self._memory[var] = frozenset({var.tangent})
            made = self._made.get(var)
            operands = [] if made is None else shared_operands(made)
            shared = [self._memory_of(a) for a in operands if isinstance(a, Var)]
            self._memory[var] = self._memory[var].union(*shared)
        return self._memory[var]

    def _width_of(self, op: Op) -> int:
        """Roughly how many characters an operation takes when printed."""
        own = 3 if op.style == "operator" else 2 + len(getattr(op.fn, "__name__", "name"))
        return own + sum(self._width_of_atom(a) for a in op.operands())

    def _width_of_atom(self, atom: Atom) -> int:
        if isinstance(atom, Const):
            return len(atom.path or repr(atom.value)[:20])
        return self._width.get(atom, len(atom.name))


def _is_fixed(t: Type) -> bool:
    """Values that nothing changes in place."""
    if isinstance(t, Tuple):
        return all(map(_is_fixed, t.items))
    return is_number(t) or isinstance(t, (Scalar, Range, Object))


def _memory_changed(stmt: Stmt) -> frozenset[bool]:
    """Which memory a statement may change: that of tangents (True), other (False), or both."""
    if isinstance(stmt, Op) and stmt.version is not None:
        return frozenset({stmt.tangent})
    return frozenset({True, False})


def _changes_memory(stmt: Stmt) -> bool:
    if isinstance(stmt, Op):
        return stmt.effect or stmt.version is not None
    return any(_changes_memory(s) for b in core.blocks_of(stmt) for s in b.stmts)


def unpacked(block: Block, folding: Folding) -> dict[Var, list[Var | None]]:
    """Tuples that are only taken apart, right after they are made: variable -> its parts."""
    found: dict[Var, list[Var | None]] = {}

    def consider(var: Var, stmts: list[Stmt], start: int) -> int:
        """How many statements from one on take a variable apart, if they are its only readers."""
        if not isinstance(var.type, Tuple) or var in folding.folded:
            return 0
        parts: list[Var | None] = [None] * len(var.type.items)
        count = 0
        for following in range(start, len(stmts)):
            stmt = stmts[following]
            if not (
                isinstance(stmt, Op)
                and stmt.fn is operator.getitem
                and stmt.args[0] is var
                and isinstance(stmt.args[1], Const)
                and type(stmt.args[1].value) is int
            ):
                break
            position = stmt.args[1].value
            if parts[position] is not None:
                break
            parts[position] = stmt.target
            count += 1
        if count != folding.uses[var]:
            return 0
        found[var] = parts
        return count

    def visit(block: Block) -> None:
        for position, stmt in enumerate(block.stmts):
            if isinstance(stmt, Op) and stmt.target is not None:
                if stmt.fn in (core.CALL_CORE, core.CALL, core.POP) or _returns_tuple(stmt):
                    consider(stmt.target, block.stmts, position + 1)
            if isinstance(stmt, For):
                start = 0  # one item is taken apart after the other
                for item in stmt.items:
                    if item is not None:
                        start += consider(item, stmt.body.stmts, start)
            for inner in core.blocks_of(stmt):
                visit(inner)

    visit(block)
    return found


def _returns_tuple(op: Op) -> bool:
    return not isinstance(op.fn, core.Intrinsic) and op.fn is not operator.getitem
