"""Which names pieces of code assign, and how they may end: questions to the syntax alone."""

from __future__ import annotations

from typing import Any

import gast

from .exits import RETURN


def assigned_names(node: Any, augmented: bool = True) -> list[str]:
    """The names that a loop assigns, in order; those of functions defined in it excepted."""
    found: dict[str, None] = {}

    def visit(n: Any) -> None:
        if isinstance(n, (gast.FunctionDef, gast.Lambda, gast.ClassDef)):
            if isinstance(n, gast.FunctionDef):
                found.setdefault(n.name)
            return
        if isinstance(n, gast.AugAssign) and isinstance(n.target, gast.Name) and not augmented:
            visit(n.value)
            return
        if isinstance(n, gast.Name) and isinstance(n.ctx, gast.Store):
            found.setdefault(n.id)
        for name in captured(n):
            found.setdefault(name)
        if isinstance(n, gast.Return):
            found.setdefault(RETURN)
        for child in gast.iter_child_nodes(n):
            visit(child)

    if isinstance(node, ComprehensionLoop):
        visit(node.generator.target)
        for n in gast.walk(node.node):
            if isinstance(n, gast.NamedExpr):  # it binds in the function, not in the comprehension
                visit(n.target)
        return list(found)
    for child in [*([node.target] if hasattr(node, "target") else [node.test]), *node.body]:
        visit(child)
    return list(found)


def captured(pattern: Any) -> list[str]:
    """The names that a pattern of `match` binds itself."""
    if isinstance(pattern, (gast.MatchAs, gast.MatchStar)):
        return [pattern.name] if pattern.name is not None else []
    if isinstance(pattern, gast.MatchMapping):
        return [pattern.rest] if pattern.rest is not None else []
    return []


def assigned_in_comprehension(node: Any) -> list[str]:
    return [n.id for g in node.generators for n in gast.walk(g.target) if isinstance(n, gast.Name)]


class ComprehensionLoop:
    """Gives a comprehension the shape of a `for` statement, for the search of assigned names."""

    orelse: list[Any] = []

    def __init__(self, node: Any, generator: Any) -> None:
        self.node, self.generator = node, generator
        self.lineno, self.col_offset = node.lineno, node.col_offset
        self.end_lineno, self.end_col_offset = node.end_lineno, node.end_col_offset
