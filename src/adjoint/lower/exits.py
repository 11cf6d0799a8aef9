"""How statements end: they go on, or leave a loop, an iteration, the function, or by an error."""

from __future__ import annotations

from typing import Any

import gast

from ..core import Const
from .state import State

EXIT = "<exit>"  # the name under which an environment keeps how the statements so far ended
RETURN = "<return>"  # the name under which it keeps what is returned
GO_ON, BREAK, CONTINUE, RETURNED, RAISED = range(5)


def exit_code_of(end: State) -> int | None:
    code = end.env[EXIT]
    return code.value if isinstance(code, Const) else None


def always_raises(statements: list[Any]) -> bool:
    """Whether the last of these statements raises, on all paths."""
    if not statements:
        return False
    last = statements[-1]
    if isinstance(last, gast.If):
        return always_raises(last.body) and always_raises(last.orelse)
    return isinstance(last, gast.Raise)


def always_exits(nodes: list[Any]) -> bool:
    """Whether statements never run to their end: they return, raise, break or continue."""
    if not nodes:
        return False
    last = nodes[-1]
    if isinstance(last, (gast.Return, gast.Raise, gast.Break, gast.Continue)):
        return True
    return isinstance(last, gast.If) and always_exits(last.body) and always_exits(last.orelse)


def returns(node: Any) -> bool:
    body = getattr(node, "body", [])
    leaving = (gast.Return, gast.Yield, gast.YieldFrom)  # a generator may end at a `yield`
    return any(isinstance(n, leaving) for s in body for n in gast.walk(s))


def returns_values(function: Any) -> bool:
    """Whether any `return` of a function gives a value; those of functions inside it excepted."""
    todo = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, gast.Return) and node.value is not None:
            return True
        if not isinstance(node, (gast.FunctionDef, gast.Lambda, gast.ClassDef)):
            todo += gast.iter_child_nodes(node)
    return False
