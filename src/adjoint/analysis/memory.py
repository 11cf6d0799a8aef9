"""Which variables may share memory with one that is changed in place.

A class holds the objects that may share memory: the versions of one object, an array and its
views, what a branch or a loop hands on under another name, and what lowering knows of aliases. It
is coarse on purpose: it decides where a tangent must have memory of its own.

>>> from ..core import Block, Function, Op, STORE, Var
>>> from ..infer import constant
>>> from ..types import Array
>>> x, row, after, y = (Var(n, Array(np.dtype(float), None)) for n in ("x", "row", "x", "y"))
>>> after.root = x
>>> stmts = [
...     Op(row, operator.getitem, [x, constant(0)]),
...     Op(None, STORE, [x, constant(1), constant(0.0)], version=after),
...     Op(y, np.sin, [x]),
... ]
>>> memory = Memory(Function("f", [x], Block(stmts, [row])))
>>> memory.is_changed(row), memory.is_changed(y)
(True, False)
"""

from __future__ import annotations

import operator

import numpy as np

from .. import core
from ..builder import MAYBE_VIEWS, VIEWS, is_mutable
from ..core import Atom, For, Function, If, Intrinsic, Op, Stmt, Var
from ..rules import runtime as rule_runtime
from ..runtime import generic
from ..types import Array

_HOLDERS = frozenset({core.TUPLE, core.LIST, core.DICT, core.CALL, core.PURE_CALL, core.CALL_CORE,
                      core.HOOK, core.APPEND, core.STORE, core.POP, core.ATTRIBUTE})  # fmt: skip
_SUMS = frozenset({generic.add, generic.add_item})  # of which one term may be None
_FRESH_HELPERS = frozenset({generic.zeros_like, generic.copy, generic.as_gradient})


class Memory:
    """The classes of one function's variables, and those that are changed."""

    def __init__(self, function: Function) -> None:
        self._parents: dict[Var, Var] = {}
        self._members: dict[Var, set[Var]] = {}  # class -> the objects in it, if several
        self._changed: set[Var] = set()
        changed: list[Var] = []
        for stmt in core.walk(function.body):
            self._read(stmt)
            if isinstance(stmt, Op) and stmt.version is not None:
                changed.append(stmt.version)
        for root, others in function.aliases.items():
            for other in others:
                self._join(root, other)
        self._changed = {self._find(v) for v in changed}

    @property
    def has_changes(self) -> bool:
        """Whether the function changes anything in place."""
        return bool(self._changed)

    def is_changed(self, var: Var) -> bool:
        """Whether something may change the memory of `var` in place."""
        return bool(self._changed) and self._find(var) in self._changed

    def is_alone(self, var: Var) -> bool:
        """Whether nothing but the states of one object has the memory of `var`."""
        return len(self._members.get(self._find(var), {var.root})) == 1

    def _find(self, var: Var) -> Var:
        var = var.root
        while var in self._parents:
            var = self._parents[var]
        return var

    def _join(self, a: Atom | None, b: Atom | None) -> None:
        if not (isinstance(a, Var) and isinstance(b, Var)):
            return
        if not (is_mutable(a.type) and is_mutable(b.type)):
            return
        first, second = self._find(a), self._find(b)
        if first is not second:
            self._parents[second] = first
            members = self._members.setdefault(first, {first})
            members |= self._members.pop(second, {second})

    def _read(self, stmt: Stmt) -> None:
        if isinstance(stmt, Op):
            if stmt.version is not None:
                self._join(stmt.version, stmt.args[0])
                if isinstance(stmt.version.type, Array):  # a store into an array copies
                    return
            for var in core.defined_by(stmt):
                for atom in shared_operands(stmt):
                    self._join(var, atom)
        elif isinstance(stmt, If):
            for side in (stmt.then, stmt.orelse):
                for result, end in zip(stmt.results, side.yields, strict=True):
                    self._join(result, end)
        else:
            rows = zip(stmt.params, stmt.inits, stmt.body.yields, stmt.results)
            for param, init, end, result in rows:
                self._join(param, init)
                self._join(param, end)
                self._join(param, result)
            if isinstance(stmt, For):
                for item, source in zip(stmt.items, stmt.iterables, strict=True):
                    self._join(item, source)


def shared_operands(op: Op) -> list[Atom]:
    """The operands whose memory the result of an operation may share, or hold."""
    if isinstance(op.fn, Intrinsic):
        return list(op.operands()) if op.fn in _HOLDERS else []
    if not returns_operand(op.fn):
        return []
    return list(op.args) if op.fn in _SUMS else op.args[:1]


def returns_operand(fn: object) -> bool:
    """Whether a function may return memory that it was given."""
    if fn is operator.getitem or fn in (reversed, np.float64, np.conjugate):
        return True
    if fn in VIEWS or fn in MAYBE_VIEWS:
        return True
    module = getattr(fn, "__module__", "") or ""
    ours = module in (rule_runtime.__name__, generic.__name__) or ".runtime." in module
    return ours and fn not in _FRESH_HELPERS
