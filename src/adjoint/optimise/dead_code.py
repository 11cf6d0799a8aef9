"""Drop what nobody needs: operations, branch results, what loops carry, whole loops.

What must stay are the function's result and its effects: raising, calls that the compiler does not
look into, and stores into memory that the caller can see.
"""

from __future__ import annotations

import operator
from collections import Counter
from typing import Any

import numpy as np

from .. import core
from ..builder import MAYBE_VIEWS, VIEWS
from ..core import Atom, Block, Function, If, Intrinsic, Loop, Op, Stmt, Var, While
from ..types import Array, broadcasts_to_same


def drop_dead(function: Function) -> None:
    """Remove dead code from a function, in place."""
    _Marker(function).run()


class _Marker:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.defined: dict[Var, tuple[Stmt, int]] = {}
        self.parents: dict[int, Stmt | None] = {}
        self.operations: dict[Var, Op] = {}
        self.needed: set[Var] = set()
        self.kept: set[int] = set()
        self.todo: list[Any] = []
        self.uses: Counter[Atom] = Counter()
        self.forms: list[Op] = []  # kept operations that only read a shape: of any like value
        self._index(function.body, None)

    def _index(self, block: Block, parent: Stmt | None) -> None:
        for stmt in block.stmts:
            self.parents[id(stmt)] = parent
            for position, var in enumerate(core.defined_by(stmt)):
                self.defined[var] = (stmt, position)
                if isinstance(stmt, Op):
                    self.operations[var] = stmt
            for var in core.defined_inside(stmt):
                position = stmt.params.index(var) if var in stmt.params else -1  # type: ignore[union-attr]
                self.defined[var] = (stmt, position)
            for inner in core.blocks_of(stmt):
                self._index(inner, stmt)

    def run(self) -> None:
        for atom in self.function.body.yields:
            self.need(atom)
        for stmt in core.walk(self.function.body):
            if isinstance(stmt, Op) and self._has_effect(stmt):
                self.keep(stmt)
        self._close()
        for op in self.forms:
            op.args[0] = self._of_same_shape(op.args[0])
            self.need(op.args[0])
            self._close()
        self._sweep(self.function.body)

    def _close(self) -> None:
        while self.todo:
            self._follow(self.todo.pop())

    def _of_same_shape(self, atom: Atom) -> Atom:
        """A value of the same shape that is kept in a variable anyway; else what costs least."""
        chain = [atom]
        while True:
            made = self.operations.get(chain[-1]) if isinstance(chain[-1], Var) else None
            like = None
            if made is not None and made.target is chain[-1]:
                like = _operand_of_same_shape(made)
            if like is None:
                break
            chain.append(like)
        kept = [v for v in chain if v in self.needed and isinstance(v, Var)]
        often = [v for v in kept if v.named or self.uses[v] > 1]
        return (often or kept or chain[-1:])[0]

    def need(self, atom: Atom) -> None:
        if isinstance(atom, Var) and atom not in self.needed:
            self.needed.add(atom)
            self.todo.append(atom)

    def keep(self, stmt: Stmt | None) -> None:
        """A statement runs: so must what decides whether it does."""
        while stmt is not None and id(stmt) not in self.kept:
            self.kept.add(id(stmt))
            if isinstance(stmt, Op):
                operands = list(stmt.operands())
                if _reads_form(stmt):
                    self.forms.append(stmt)
                    operands = operands[1:]
                for atom in operands:
                    self.need(atom)
                    self.uses[atom] += 1
            elif isinstance(stmt, If):
                self.need(stmt.test)
            else:
                for atom in getattr(stmt, "iterables", ()):
                    self.need(atom)
                self.need(stmt.stop)
                if isinstance(stmt, While):
                    self.need(stmt.cond.yields[0])
            stmt = self.parents[id(stmt)]

    def _follow(self, var: Var) -> None:
        if var not in self.defined:
            return
        stmt, position = self.defined[var]
        self.keep(stmt)
        if isinstance(stmt, If):
            self.need(stmt.then.yields[position])
            self.need(stmt.orelse.yields[position])
        elif isinstance(stmt, Loop) and position >= 0:
            self.need(stmt.params[position])
            self.need(stmt.inits[position])
            self.need(stmt.body.yields[position])

    def _has_effect(self, op: Op) -> bool:
        if op.version is not None:
            return not self._is_own(op.version.root)
        if op.fn is core.CALL_CORE:
            return _calls_for_effect(op, set())
        return op.effect

    def _is_own(self, root: Var) -> bool:
        """Whether an object was made in this function, so that only its readers see it change."""
        made = self.operations.get(root)
        if made is None or made.target is not root:
            return (
                root in self.defined
                and isinstance(self.defined[root][0], Loop)
                and self._loop_own(root)
            )
        if isinstance(made.fn, Intrinsic):
            return made.fn is core.LIST
        return made.fn not in VIEWS and made.fn not in MAYBE_VIEWS and _makes_memory(made.fn)

    def _loop_own(self, root: Var) -> bool:
        """A loop's own buffer, in a backward sweep."""
        return self.defined[root][0].backward

    def _sweep(self, block: Block) -> None:
        stmts = []
        for stmt in block.stmts:
            if id(stmt) not in self.kept:
                continue
            if isinstance(stmt, If):
                self._sweep_branch(stmt)
            elif isinstance(stmt, Loop):
                self._sweep_loop(stmt)
            stmts.append(stmt)
            if _is_idle_context(stmts[-3:]):
                del stmts[-3:]
        block.stmts = stmts

    def _sweep_branch(self, stmt: If) -> None:
        wanted = [i for i, r in enumerate(stmt.results) if r in self.needed]
        stmt.results = [stmt.results[i] for i in wanted]
        for side in (stmt.then, stmt.orelse):
            side.yields = [side.yields[i] for i in wanted]
            self._sweep(side)

    def _sweep_loop(self, stmt: Loop) -> None:
        wanted = [
            i
            for i, p in enumerate(stmt.params)
            if p in self.needed or stmt.results[i] in self.needed
        ]
        stmt.params = [stmt.params[i] for i in wanted]
        stmt.inits = [stmt.inits[i] for i in wanted]
        stmt.results = [stmt.results[i] for i in wanted]
        stmt.body.yields = [*(stmt.body.yields[i] for i in wanted), stmt.stop]
        if isinstance(stmt, While):
            self._sweep(stmt.cond)
        self._sweep(stmt.body)


def _calls_for_effect(call: Op, seen: set[int]) -> bool:
    """Whether a recursive function does more than to return: it changes only what it has made."""
    function = call.kwargs["function"].value  # type: ignore[union-attr]
    if id(function) in seen:
        return False
    seen.add(id(function))
    return any(
        _calls_for_effect(stmt, seen) if stmt.fn is core.CALL_CORE else stmt.effect
        for stmt in core.walk(function.body)
        if isinstance(stmt, Op) and stmt.version is None
    )


def _makes_memory(fn: Any) -> bool:
    return fn is not operator.getitem


def _is_idle_context(stmts: list[Stmt]) -> bool:
    """Whether these are a `with np.errstate(...)` with nothing in it."""
    if not all(isinstance(s, Op) for s in stmts):
        return False
    return [s.fn for s in stmts] == [core.PURE_CALL, core.ENTER, core.LEAVE]  # type: ignore[union-attr]


_LIKE = frozenset({np.zeros_like, np.ones_like, np.full_like})


def _reads_form(op: Op) -> bool:
    """Whether an operation reads only the shape of its first operand (and a known dtype)."""
    if op.fn is core.ATTRIBUTE:
        return op.args[1].value in ("shape", "size")  # type: ignore[union-attr]
    return op.fn in _LIKE if not isinstance(op.fn, Intrinsic) else False


def _operand_of_same_shape(op: Op) -> Var | None:
    if not isinstance(op.fn, np.ufunc) or op.fn.signature is not None or op.target is None:
        return None
    whole = op.target.type
    for operand in op.args:
        if isinstance(operand, Var) and isinstance(operand.type, Array) and operand.type.dims:
            if isinstance(whole, Array) and operand.type.element == whole.element:
                if broadcasts_to_same(operand.type, whole):
                    return operand
    return None
