"""`with`: blocks that a context manager enters and leaves.

A manager is entered once, in the forward sweep, and around the statements that the user wrote in
its block. One that may swallow an error is refused: the statements after it would then run with
what the block has not computed.
"""

from __future__ import annotations

import contextlib
import inspect
import types
from typing import Any

import gast
import numpy as np

from .. import core
from ..builder import is_mutable
from ..control import no_grad
from ..core import Atom, Const, Var
from ..errors import SourceUnavailableError, UnsupportedSyntaxError
from ..infer import constant
from ..parse import parse_function
from ..surgery import insert_grad_of
from ..types import UNKNOWN, Object
from . import hooks
from .comprehensions import Comprehensions


class Contexts(Comprehensions):
    def call(self, fn: Atom, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
        raise NotImplementedError  # by Calls

    def opaque(self, fn: Atom, args: list[Atom], kwargs: dict[str, Atom]) -> Atom:
        raise NotImplementedError  # by Calls

    def arguments(self, node: Any) -> tuple[list[Atom], dict[str, Atom]]:
        raise NotImplementedError  # by Calls

    def stmt_With(self, node: Any) -> None:
        self._with_items(node.items, node)

    def _with_items(self, items: list[Any], node: Any) -> None:
        if not items:
            self.statements(node.body)
            return
        first, rest = items[0], items[1:]
        callee = None
        if isinstance(first.context_expr, gast.Call):
            callee = self.expr(first.context_expr.func)
        if isinstance(callee, Const) and callee.value is no_grad and first.optional_vars is None:
            self.silent += 1
            try:
                self._with_items(rest, node)
            finally:
                self.silent -= 1
            return
        if isinstance(callee, Const) and callee.value is contextlib.nullcontext:
            given, _ = self.arguments(first.context_expr)
            if first.optional_vars is not None:
                self.assign(first.optional_vars, given[0] if given else constant(None))
            self._with_items(rest, node)
            return
        if isinstance(callee, Const) and callee.value is insert_grad_of:
            if rest or len(node.items) > 1:
                raise self.refuse("`insert_grad_of` stands in a `with` of its own", node)
            hooks.insert(self, first, node)
            return
        manager = self._manager(first.context_expr, callee)
        self.at(node)
        entered = Var("entered", UNKNOWN, varied=manager.varied)
        self.b.emit(core.Op(entered, core.ENTER, [manager], {}, "", self.b.origin))
        if first.optional_vars is not None:
            self.assign(first.optional_vars, entered)
        self._with_items(rest, node)
        self.at(node)
        self.b.emit(core.Op(None, core.LEAVE, [], {}, "", self.b.origin))

    def _manager(self, node: Any, callee: Atom | None) -> Atom:
        """The context manager of a block, if it lets every error pass."""
        if callee is None:
            manager = self.pinned(self.expr(node))
            self._check_passes(_class_of(manager), node)
            return self.read(manager)
        args, kwargs = self.arguments(node)
        self.at(node)
        if not isinstance(callee, Const):
            raise self.refuse("which context manager this is is not known here", node)
        made = callee.value
        if made is np.errstate:
            return self.op(core.PURE_CALL, callee, *args, type=Object(np.errstate), **kwargs)  # type: ignore[arg-type]
        if made is not open and not is_manager_function(made):
            self._check_passes(made if isinstance(made, type) else None, node)
        elif made is not open and _catches(made.__wrapped__):
            self._check_passes(None, node)
        if any(a.varied or is_mutable(a.type) for a in [*args, *kwargs.values()]):
            raise self.refuse(
                "what this context manager does to its arguments is not known here", node,
                "Call functions before and after the block instead.",
            )  # fmt: skip
        return self.read(self.opaque(callee, args, kwargs))

    def _check_passes(self, cls: type | None, node: Any) -> None:
        if cls is None or not passes_errors(cls):
            raise self.refuse(
                "a `with` block that may swallow errors is not supported", node,
                "Let `__exit__` return None.",
            )  # fmt: skip


def _class_of(manager: Atom) -> type | None:
    if isinstance(manager, Const):
        return type(manager.value)
    return manager.type.cls if isinstance(manager.type, Object) else None


def is_manager_function(value: Any) -> bool:
    """Whether a function is one that `contextlib.contextmanager` has made."""
    wrapped = getattr(value, "__wrapped__", None)
    made = getattr(value, "__code__", None)
    return inspect.isgeneratorfunction(wrapped) and made in _MANAGER_CODES


_MANAGER_CODES = (contextlib.contextmanager(lambda: iter(())).__code__,)  # type: ignore[attr-defined]
_PASSING_MODULES = ("io", "_io", "_thread", "threading", "numpy", "decimal", "warnings", "tempfile")


def passes_errors(cls: type) -> bool:
    """Whether the `__exit__` of a class certainly lets every error pass."""
    leave = getattr(cls, "__exit__", None)
    if leave is None or not hasattr(cls, "__enter__"):
        return False
    if cls.__module__.split(".")[0] in _PASSING_MODULES or cls is contextlib.nullcontext:
        return True
    if not isinstance(leave, types.FunctionType):
        return False
    try:
        source = parse_function(leave)
    except (SourceUnavailableError, UnsupportedSyntaxError):
        return False
    if inspect.isgeneratorfunction(leave) or inspect.iscoroutinefunction(leave):
        return False
    results = [n.value for n in gast.walk(source.node) if isinstance(n, gast.Return)]
    return all(r is None or (isinstance(r, gast.Constant) and not r.value) for r in results)


def _catches(generator: Any) -> bool:
    """Whether a generator that makes a context manager may catch what is raised at its `yield`."""
    try:
        node = parse_function(generator, generators=True).node
    except (SourceUnavailableError, UnsupportedSyntaxError):
        return True
    tries = [n for n in gast.walk(node) if isinstance(n, (gast.Try, gast.With))]
    return any(t.handlers if isinstance(t, gast.Try) else True for t in tries)
