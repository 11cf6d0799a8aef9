"""Which classes of Python's syntax tree the programs of the rows contain."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable

from .table import Row

# What Python's `ast` module has besides the syntax of a function.
NOT_SYNTAX = {
    "AugLoad", "AugStore", "Bytes", "Ellipsis", "ExtSlice", "Index", "NameConstant", "Num", "Param",
    "Str", "Suite", "Expression", "FunctionType", "Interactive", "Module", "TypeIgnore", "slice",
    "mod",
}  # fmt: skip


def of_the_grammar() -> set[str]:
    """The classes of nodes that a function may consist of, in the Python that runs.

    >>> {"While", "Lambda", "MatchStar", "FloorDiv"} <= of_the_grammar()
    True
    """
    found = set()
    for name, kind in vars(ast).items():
        if name.startswith("_"):  # kept for what is deprecated
            continue
        if isinstance(kind, type) and issubclass(kind, ast.AST) and name not in NOT_SYNTAX:
            abstract = kind is ast.AST or kind.__base__ is ast.AST and kind.__subclasses__()
            if not abstract:
                found.add(name)
    return found


def of_rows(rows: Iterable[Row]) -> set[str]:
    """The classes of nodes in the programs of rows, each program from its first line on."""
    found: set[str] = set()
    for file in {row.fn.__code__.co_filename for row in rows if hasattr(row.fn, "__code__")}:
        tree = ast.parse("".join(linecache.getlines(file)))
        lines = {
            row.fn.__code__.co_firstlineno
            for row in rows
            if hasattr(row.fn, "__code__") and row.fn.__code__.co_filename == file
        }
        for node in tree.body:
            decorators = getattr(node, "decorator_list", [])
            if min([node.lineno, *(d.lineno for d in decorators)]) in lines:
                of_decorators = {id(n) for d in decorators for n in ast.walk(d)}
                inside = [n for n in ast.walk(node) if id(n) not in of_decorators]
                found |= {type(n).__name__ for n in inside}
    return found
