"""Syntax trees as text, by astor; what astor 0.8.1 cannot print is printed by `ast`."""

from __future__ import annotations

import ast
import warnings
from typing import Any

with warnings.catch_warnings():
    # astor 0.8.1 touches names that Python 3.12 deprecates, when it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    import astor


class _Generator(astor.SourceGenerator):  # type: ignore[misc]
    """astor drops or refuses f-strings (on Python 3.14), `match`, `except*` and type parameters."""

    def visit_JoinedStr(self, node: ast.JoinedStr, is_joined: bool = False) -> None:
        self.write(ast.unparse(node))

    def _by_ast(self, node: ast.AST) -> None:
        for line in ast.unparse(node).splitlines():
            self.statement(node, line)

    visit_Match = visit_TryStar = visit_TypeAlias = _by_ast

    def visit_FunctionDef(self, node: Any, is_async: bool = False) -> None:
        if getattr(node, "type_params", None):
            self._by_ast(node)
        else:
            super().visit_FunctionDef(node, is_async)

    def visit_ClassDef(self, node: Any) -> None:
        if getattr(node, "type_params", None):
            self._by_ast(node)
        else:
            super().visit_ClassDef(node)


def to_source(node: ast.AST) -> str:
    """The text of a statement or module, its long lines wrapped.

    >>> print(to_source(ast.parse("x = f(a,b)")), end="")
    x = f(a, b)
    """
    return astor.to_source(node, indent_with="    ", source_generator_class=_Generator)  # type: ignore[no-any-return]
