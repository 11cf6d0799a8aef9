"""Carry out elementwise steps of the backward sweep in memory that is not needed any more.

    d_z = d_h * (1 - h * h)   becomes   d_h *= 1 - h * h

where d_h was made by the sweep itself, has the type of the result, and is read nowhere later. Large
networks spend as much time on fetching new memory as on arithmetic.

A large array of the forward sweep may be overwritten by a function of its own, such as its square,
when it is read for the last time: `h *= h` and `d_h *= 1 - h` are one array less at the peak.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from .. import core
from ..analysis.memory import returns_operand
from ..core import Atom, Block, Const, Function, Intrinsic, Op, Stmt, Var
from ..types import Array, Symbols, is_large

_COMMUTATIVE = frozenset({np.add, np.multiply})
_ELEMENTWISE = _COMMUTATIVE | {np.subtract, np.true_divide}


def reuse_memory(function: Function, symbols: Symbols) -> None:
    """Let elementwise operations overwrite an operand that dies with them, in place."""
    _Reuse(function, symbols).run()


class _Reuse:
    def __init__(self, function: Function, symbols: Symbols) -> None:
        self.function, self.symbols = function, symbols
        self.left: Counter[Var] = Counter()  # reads to come, in the block at hand
        self.changed: set[Var] = set()
        self.states: dict[Var, list[Var]] = {}  # object -> its later versions
        self.views: dict[Var, list[Var]] = {}  # array -> what may share its memory
        self.readers: dict[Var, set[Var | None]] = {}  # variable -> what is computed from it
        self.kept: set[Var] = set()  # what something may hold on to, in a way not followed here
        for root, others in function.aliases.items():
            self.kept.update((root, *others))
        uses = Counter(a for a in function.body.yields if isinstance(a, Var))
        for stmt in core.walk(function.body):
            uses.update(_reads(stmt))
            self._read(stmt)
        self.returned = set(_returned(function))  # gradients, which are called what they are of
        # Others are printed inside the expression that reads them, where NumPy uses memory again.
        self.printed = {v for v, count in uses.items() if count > 1 or v.root.named}

    def _read(self, stmt: Stmt) -> None:
        for var in [*core.defined_by(stmt), *core.defined_inside(stmt)]:
            if var.root is not var:
                self.states.setdefault(var.root, []).append(var)
        for var in _reads(stmt):
            self.readers.setdefault(var, set()).add(stmt.target if isinstance(stmt, Op) else None)
        if not isinstance(stmt, Op):
            self.kept.update(_reads(stmt))
            return
        if stmt.version is not None:
            self.changed.add(stmt.version.root)
            if not isinstance(stmt.version.type, Array):
                self.kept.update(_reads(stmt))
        elif stmt.target is not None and _is_view(stmt) and isinstance(stmt.args[0], Var):
            self.views.setdefault(stmt.args[0], []).append(stmt.target)
            self.kept.update(a for a in stmt.operands() if a is not stmt.args[0])  # type: ignore[misc]
        elif not _is_fresh(stmt) and not _reads_a_size(stmt):
            self.kept.update(_reads(stmt))

    def run(self) -> None:
        blocks = [self.function.body]
        while blocks:
            block = blocks.pop()
            made: dict[Var, Op] = {}
            self.left = Counter(a for a in block.yields if isinstance(a, Var))
            for stmt in block.stmts:
                self.left.update(_reads_within(stmt))
            for stmt in block.stmts:
                blocks += core.blocks_of(stmt)
                self.left.subtract(_reads_within(stmt))
                if isinstance(stmt, Op) and stmt.target is not None:
                    self._op(stmt, made)

    def _op(self, op: Op, made: dict[Var, Op]) -> None:
        assert op.target is not None
        position = self._reusable(op, made)
        if position is not None:
            later = self.states.pop(op.target, [])
            root = _overwrite(op, position)
            for var in later:
                var.root = root
            self.states.setdefault(root, []).extend(later)
            made[op.version] = op  # type: ignore[index]
        elif _is_fresh(op) and (op.backward or is_large(op.target.type, self.symbols)):
            made[op.target] = op

    def _reusable(self, op: Op, made: dict[Var, Op]) -> int | None:
        """The position of an operand whose memory the result may take."""
        if not op.backward or not (_is_operator(op) or _is_unary(op)):
            return None
        assert op.target is not None
        for position, atom in enumerate(op.args):
            if position == 1 and op.fn not in _COMMUTATIVE:
                break
            if (
                isinstance(atom, Var)
                and atom in made
                and atom.root in self.printed
                and self._may_take(op, atom, made[atom])
                and atom not in self.changed
                and isinstance(atom.type, Array)
                and atom.type.dims
                and atom.type == op.target.type
                and atom.type.is_certain
                and self._dies(atom)
            ):
                return position
        return None

    def _may_take(self, op: Op, var: Var, made: Op) -> bool:
        """Whether the result reads well in this memory: it keeps the name."""
        if op.target in self.returned and op.target.name != var.root.name:  # type: ignore[union-attr]
            return False
        if var.tangent != op.tangent:
            return False  # a tangent between the steps of the function: what follows reads it
        if made.version is not None or not made.backward:
            if is_large(var.type, self.symbols) and _is_of_one(op, var):
                return True
        if made.version is None and not made.backward or _is_unary(op):
            return False
        beside = {op.target, *op.args} - set(self.views.get(var, ()))
        return self.readers[var] <= beside

    def _dies(self, var: Var) -> bool:
        """Whether nothing reads an array later, nor what may share its memory."""
        if self.left[var] or var in self.kept:
            return False
        return all(map(self._dies, self.views.get(var, ())))


def _returned(function: Function) -> Iterator[Var]:
    """What a function returns, and what is in it."""
    made = {s.target: s for s in function.body.stmts if isinstance(s, Op)}
    todo = list(function.body.yields)
    while todo:
        atom = todo.pop()
        if isinstance(atom, Var):
            yield atom
            op = made.get(atom)
            if op is not None and op.fn in (core.TUPLE, core.LIST, core.DICT):
                todo += op.args


def _is_operator(op: Op) -> bool:
    return op.style == "operator" and op.fn in _ELEMENTWISE


def _is_unary(op: Op) -> bool:
    """Whether this is np.sign(x), or another function of one array, element by element."""
    unary = isinstance(op.fn, np.ufunc) and op.fn.nin == op.fn.nout == 1
    return unary and not op.style and not op.kwargs and len(op.args) == 1


def _is_of_one(op: Op, var: Var) -> bool:
    """Whether an operation reads this variable, and numbers that are written out."""
    return all(a is var or isinstance(a, Const) for a in op.args)


def _overwrite(op: Op, position: int) -> Var:
    """Let the result take an operand's memory; returns the object that it now is a state of."""
    reused = op.args.pop(position)
    assert isinstance(reused, Var) and op.target is not None
    op.args.insert(0, reused)
    op.version, op.target = op.target, None
    op.version.root = reused.root
    op.style = "inplace"
    return reused.root


def _reads(stmt: Stmt) -> list[Var]:
    atoms: list[Atom] = core.read_by(stmt) + [a for b in core.blocks_of(stmt) for a in b.yields]
    return [a for a in atoms if isinstance(a, Var)]


def _reads_within(stmt: Stmt) -> list[Var]:
    """What a statement reads, and those inside it."""
    if isinstance(stmt, Op):
        return _reads(stmt)
    return [a for s in core.walk(Block([stmt])) for a in _reads(s)]


def _is_view(op: Op) -> bool:
    """Whether the result may share memory with the first operand, and with nothing else."""
    return not isinstance(op.fn, Intrinsic) and returns_operand(op.fn)


def _reads_a_size(op: Op) -> bool:
    sizes = ("shape", "size", "ndim", "dtype")
    return op.fn is core.ATTRIBUTE and op.args[1].value in sizes  # type: ignore[union-attr]


def _is_fresh(op: Op) -> bool:
    """Whether the result is memory of its own, not an operand or a part of one."""
    if isinstance(op.fn, Intrinsic) or returns_operand(op.fn) or "out" in op.kwargs:
        return False
    return isinstance(op.fn, np.ufunc) or op.fn in (np.sum, np.copy, np.zeros_like)
