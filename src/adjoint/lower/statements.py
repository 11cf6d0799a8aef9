"""Statements: each kind is interpreted in order, up to the first that leaves the block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from .. import core
from ..core import Atom, Const
from ..infer import constant
from ..types import Object
from .exits import (
    BREAK,
    CONTINUE,
    EXIT,
    GO_ON,
    RAISED,
    RETURN,
    RETURNED,
    always_exits,
    always_raises,
)
from .patterns import Patterns
from .refusals import ADVICE, NAMES


class Statements(Patterns):
    # -- blocks ---------------------------------------------------------------------------

    def statements(self, nodes: list[Any]) -> None:
        """Interpret statements up to the first that leaves the block for certain.

        What follows a branch that ends early moves into the other branch, so that nothing has to
        be skipped by a flag; only a branch that *may* end early needs a test of how it ended. What
        follows a branch that raises stays where it is: it is not reached from there.
        """
        for position, node in enumerate(nodes):
            rest = nodes[position + 1 :]
            if isinstance(node, gast.If) and rest:
                if always_exits(node.body) and not always_raises(node.body):
                    self.branch_statement(node, node.body, node.orelse + rest)
                    return
                if always_exits(node.orelse) and not always_raises(node.orelse):
                    self.branch_statement(node, node.body + rest, node.orelse)
                    return
            self.statement(node)
            exit_code = self.env[EXIT]
            if isinstance(exit_code, Const) and exit_code.value == GO_ON:
                continue
            if rest and not isinstance(exit_code, Const):
                self._after_possible_exit(exit_code, rest)
            return

    def _after_possible_exit(self, exit_code: Atom, rest: list[Any]) -> None:
        goes_on = self._flag(exit_code, (GO_ON,))
        if goes_on is None:
            goes_on = self.op(np.equal, exit_code, constant(GO_ON), style="operator")

        def go_on() -> None:
            self.env[EXIT] = constant(GO_ON)
            self.statements(rest)

        self.if_(goes_on, go_on, lambda: None)

    def statement(self, node: Any) -> None:
        method: Callable[[Any], None] | None = getattr(self, f"stmt_{type(node).__name__}", None)
        if method is None:
            name = NAMES.get(type(node).__name__, type(node).__name__)
            raise self.refuse(f"{name} is not supported", node, ADVICE.get(type(node).__name__, ""))
        outer, self.frame.statement = self.frame.statement, node.lineno
        method(node)
        self.frame.statement = outer

    def stmt_Expr(self, node: Any) -> None:
        if not isinstance(node.value, gast.Constant):
            self.expr(node.value)

    def stmt_Pass(self, node: Any) -> None:
        pass

    def stmt_Global(self, node: Any) -> None:
        pass  # `Frame.globals` knows

    def stmt_Nonlocal(self, node: Any) -> None:
        pass  # `Frame.nonlocals` knows

    def stmt_Import(self, node: Any) -> None:
        import importlib

        for alias in node.names:
            module = importlib.import_module(alias.name)
            bound = module if alias.asname else importlib.import_module(alias.name.split(".")[0])
            name = alias.asname or alias.name.split(".")[0]
            self.bind(name, Const(bound, Object(type(bound)), alias.asname or alias.name))

    def stmt_ImportFrom(self, node: Any) -> None:
        import importlib

        if node.level or any(alias.name == "*" for alias in node.names):
            raise self.refuse(
                "this form of `import` is not supported", node, "Import at the top of the file."
            )
        module = importlib.import_module(node.module)
        for alias in node.names:
            path = f"{node.module}.{alias.name}"
            found = getattr(module, alias.name, None)
            if found is None:
                found = importlib.import_module(path)
            holder = Const(module, Object(type(module)), node.module)
            value = self.attribute(holder, alias.name, node)
            self.bind(alias.asname or alias.name, value)

    def stmt_Assert(self, node: Any) -> None:
        test = self.as_test(self.expr(node.test), node)
        message = [self.expr(node.msg)] if node.msg is not None else []
        self.at(node)
        self.b.emit(
            core.Op(
                None,
                core.ASSERT,
                [self.read(test), *map(self.read, message)],
                {},
                "",
                self.b.origin,
            )
        )

    def stmt_Raise(self, node: Any) -> None:
        if node.exc is None or node.cause is not None:
            raise self.refuse("this form of `raise` is not supported", node)
        error = self.expr(node.exc)
        self.at(node)
        self.b.emit(core.Op(None, core.RAISE, [self.read(error)], {}, "", self.b.origin))
        self.env[EXIT] = constant(RAISED)

    def stmt_Return(self, node: Any) -> None:
        value = constant(None) if node.value is None else self.expr(node.value)
        self.env[RETURN] = self.object_of(value)
        self.env[EXIT] = constant(RETURNED)

    def stmt_Break(self, node: Any) -> None:
        self.env[EXIT] = constant(BREAK)

    def stmt_Continue(self, node: Any) -> None:
        self.env[EXIT] = constant(CONTINUE)

    # -- functions ------------------------------------------------------------------------

    def stmt_FunctionDef(self, node: Any) -> None:
        value = self.closure(node, node.name)
        for decorator in reversed(node.decorator_list):
            self.at(decorator)
            value = self.call(self.expr(decorator), [value], {}, decorator)
        self.bind(node.name, value)

    def closure(self, node: Any, name: str) -> Atom:
        raise NotImplementedError  # by Invocation

    def primitive(self, fn: Any, args: list[Atom], kwargs: dict[str, Atom]) -> Atom:
        raise NotImplementedError  # by Calls
