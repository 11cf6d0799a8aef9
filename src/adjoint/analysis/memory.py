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
from ..types import Array, Unknown, is_container

_HOLDERS = frozenset({core.TUPLE, core.LIST, core.DICT, core.CALL, core.PURE_CALL, core.CALL_CORE,
                      core.HOOK, core.APPEND, core.STORE, core.POP, core.ATTRIBUTE})  # fmt: skip
_SUMS = frozenset({generic.add, generic.add_item})  # of which one term may be None
_FRESH_HELPERS = frozenset({generic.zeros_like, generic.copy, generic.as_list, generic.as_gradient})


class Memory:
    """The classes of one function's variables, and those that are changed."""

    def __init__(self, function: Function) -> None:
        self._objects = _Classes()  # one object, or arrays that overlap
        self._reach = _Classes()  # these, and what holds them
        self._holders: dict[Var, set[Var]] = {}  # object -> the containers that it is put into
        changed: list[Var] = []
        for stmt in core.walk(function.body):
            self._read(stmt)
            if isinstance(stmt, Op) and stmt.version is not None:
                changed.append(stmt.version)
        for root, others in function.aliases.items():
            for other in others:
                self._hold(other, root) if is_container(root.type) else self._join(root, other)
        containers = [v for v in changed if is_container(v.type)]
        self._changed = {self._reach.of(v) for v in changed if not is_container(v.type)}
        self._grown = self._with_holders({self._objects.of(v) for v in containers})

    def is_changed(self, var: Var) -> bool:
        """Whether something may change the memory of `var`, or of what it holds, in place.

        What a list holds is not changed where the list is.
        """
        return self._objects.of(var) in self._grown or self._reach.of(var) in self._changed

    @property
    def has_changes(self) -> bool:
        """Whether anything is changed in place."""
        return bool(self._changed or self._grown)

    def is_alone(self, var: Var) -> bool:
        """Whether nothing but the states of one object has the memory of `var`."""
        return self._reach.size(var) == 1

    def _with_holders(self, objects: set[Var]) -> set[Var]:
        todo, found = list(objects), set(objects)
        holders: dict[Var, set[Var]] = {}
        for part, containers in self._holders.items():
            holders.setdefault(self._objects.of(part), set()).update(containers)
        while todo:
            for container in holders.get(todo.pop(), ()):
                holder = self._objects.of(container)
                if holder not in found:
                    found.add(holder)
                    todo.append(holder)
        return found

    def _join(self, a: Atom | None, b: Atom | None) -> None:
        """Two variables may be one object, or share memory."""
        if _both_mutable(a, b):
            self._objects.join(a, b)  # type: ignore[arg-type]
            self._reach.join(a, b)  # type: ignore[arg-type]

    def _hold(self, container: Atom | None, part: Atom | None) -> None:
        if _both_mutable(container, part):
            self._holders.setdefault(part.root, set()).add(container.root)  # type: ignore[union-attr]
            self._reach.join(container, part)  # type: ignore[arg-type]

    def _read(self, stmt: Stmt) -> None:
        if isinstance(stmt, Op):
            self._read_op(stmt)
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
                    self._part(source, item)

    def _read_op(self, op: Op) -> None:
        if op.version is not None:
            self._join(op.version, op.args[0])
            if not isinstance(op.version.type, Array):  # a store into an array copies
                for atom in op.args[1:]:
                    self._hold(op.version, atom)
                self._hold(op.version, op.target)
            return
        for atom in shared_operands(op):
            if op.fn in (core.TUPLE, core.LIST, core.DICT):
                self._hold(op.target, atom)
            else:
                self._part(atom, op.target)

    def _part(self, whole: Atom, part: Atom | None) -> None:
        """An element of a container, or a view of an array."""
        is_element = is_container(whole.type) and not (part is not None and _alike(part, whole))
        self._hold(whole, part) if is_element else self._join(whole, part)


class _Classes:
    """Sets of objects, joined as more is found out (union-find)."""

    def __init__(self) -> None:
        self._parents: dict[Var, Var] = {}
        self._sizes: dict[Var, int] = {}

    def of(self, var: Var) -> Var:
        var = var.root
        while var in self._parents:
            var = self._parents[var]
        return var

    def join(self, a: Var, b: Var) -> None:
        first, second = self.of(a), self.of(b)
        if first is not second:
            self._parents[second] = first
            self._sizes[first] = self.size(first) + self.size(second)

    def size(self, var: Var) -> int:
        return self._sizes.get(self.of(var), 1)


def _alike(part: Atom, whole: Atom) -> bool:
    """Whether a part of a container may be a container of the same kind: a slice, a reversal."""
    return type(part.type) is type(whole.type) or isinstance(part.type, Unknown)


def _both_mutable(a: Atom | None, b: Atom | None) -> bool:
    return isinstance(a, Var) and isinstance(b, Var) and is_mutable(a.type) and is_mutable(b.type)


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
