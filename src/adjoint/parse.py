"""Function object -> its source as a gast tree, every node at its place in the user's file."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import types
from dataclasses import dataclass
from typing import Any

import gast

from .definition import definitions
from .errors import Origin, SourceUnavailableError, UnsupportedSyntaxError
from .frames import MANY, room_for
from .same_code import is_source_of


@dataclass(frozen=True)
class Source:
    """A function's tree and where its names are looked up."""

    node: Any  # gast.FunctionDef or gast.Lambda
    filename: str
    name: str
    globals: dict[str, Any]
    cells: dict[str, Any]
    defaults: dict[str, Any]

    def origin(self, node: Any, statement: int = 0) -> Origin:
        line = getattr(node, "lineno", None) or self.node.lineno
        col = getattr(node, "col_offset", 0) or 0
        same_line = getattr(node, "end_lineno", line) == line
        end = (getattr(node, "end_col_offset", 0) or 0) if same_line else 0
        return Origin(self.filename, line, col, end, self.name, statement)


def parse_function(fn: types.FunctionType, generators: bool = False) -> Source:
    """The source of a plain function or lambda.

    Raises SourceUnavailableError where no source can be read (functions made by `exec`, in a
    compiled module), UnsupportedSyntaxError for coroutines, and for generators unless they are
    asked for.
    """
    code = fn.__code__
    # gast walks trees by recursion: a sum of 250 terms exceeds the default limit.
    with room_for(MANY):
        node = parsed_node(code, code.co_filename, fn.__qualname__)
    if isinstance(node, gast.AsyncFunctionDef) or code.co_flags & inspect.CO_COROUTINE:
        raise UnsupportedSyntaxError(
            f"`{fn.__name__}` is a coroutine", _start(code), "Write a plain function."
        )
    if code.co_flags & inspect.CO_GENERATOR and not generators:
        raise UnsupportedSyntaxError(
            f"`{fn.__name__}` is a generator", _start(code), "Return a list or an array instead."
        )
    cells = dict(zip(code.co_freevars, fn.__closure__ or (), strict=True))
    return Source(
        node=node,
        filename=code.co_filename,
        name=fn.__name__,
        globals=fn.__globals__,
        cells=cells,
        defaults=defaults_of(fn),
    )


def defaults_of(fn: types.FunctionType) -> dict[str, Any]:
    """Parameter name -> default value, for all parameters that have one."""
    code = fn.__code__
    names = code.co_varnames[: code.co_argcount]
    values = fn.__defaults__ or ()
    defaults = dict(zip(names[len(names) - len(values) :], values, strict=True))
    return defaults | (fn.__kwdefaults__ or {})


def _start(code: types.CodeType) -> Origin:
    return Origin(code.co_filename, code.co_firstlineno, 0, 0, code.co_name)


def _unavailable(code: types.CodeType) -> SourceUnavailableError:
    name = code.co_name if code.co_name.isidentifier() else "f"
    arguments = ", ".join(code.co_varnames[: code.co_argcount]) or "x"
    return SourceUnavailableError(
        f"the source of `{code.co_name}` cannot be read ({code.co_filename}, "
        f"line {code.co_firstlineno})",
        None,
        "Define the function in a file or a notebook, or give it a rule (ad.rule says more):\n"
        f"@ad.adjoint_of({name})\n"
        f"def {name}_adjoint(z, d_z, {arguments}): return ...  # the cotangents of {arguments}",
    )


def _changed(code: types.CodeType) -> SourceUnavailableError:
    if code.co_filename.startswith("<"):  # the name of several texts, such as <string>
        return _unavailable(code)
    return SourceUnavailableError(
        f"the source of `{code.co_name}` ({code.co_filename}, line {code.co_firstlineno}) is not "
        "what the function was compiled from",
        None,
        "The file has changed since it was imported: import it again. (A tool that rewrites\n"
        "functions on import has the same effect.)",
    )


@functools.lru_cache(maxsize=1024)
def parsed_node(code: types.CodeType, filename: str, qualname: str) -> Any:
    # Equal code objects may come from different files.
    linecache.checkcache(filename)
    lines = linecache.getlines(filename)
    if not lines or code.co_firstlineno < 1:
        raise _unavailable(code)
    if code.co_firstlineno > len(lines):
        raise _changed(code)
    if code.co_name == "<lambda>":
        return _find_lambda(code, "".join(lines), qualname)
    return _parse_def(code, lines, qualname)


def _parse_def(code: types.CodeType, lines: list[str], qualname: str) -> Any:
    for node in definitions(lines, code.co_firstlineno, code.co_name):
        if is_source_of(node, code, qualname):
            return gast.ast_to_gast(node)
    raise _changed(code)


def _find_lambda(code: types.CodeType, text: str, qualname: str) -> Any:
    """The lambda that was compiled to `code`: several may share a line."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        raise _changed(code) from None
    candidates = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.Lambda)
        and _spans(n, code.co_firstlineno)
        and is_source_of(n, code, qualname)
    ]
    if not candidates:
        raise _changed(code)
    if len(candidates) > 1:
        candidates = _around_positions(candidates, code) or candidates
    # Equal code at several places means equal functions: any of them will do.
    module = ast.Module([ast.Expr(candidates[0])], [])
    return gast.ast_to_gast(module).body[0].value


def _spans(node: ast.Lambda, line: int) -> bool:
    return node.lineno == line


def _around_positions(candidates: list[ast.Lambda], code: types.CodeType) -> list[ast.Lambda]:
    """The smallest lambda around all instructions of `code`; none where Python does not tell."""
    if not hasattr(code, "co_positions"):
        return []
    places = [p for p in code.co_positions() if None not in p and p[2:] != (0, 0)]
    if not places:
        return []
    first = min((line, col) for line, _, col, _ in places)
    last = max((end_line, end_col) for _, end_line, _, end_col in places)

    def span(node: ast.Lambda) -> tuple[tuple[int, int], tuple[int, int]]:
        body: Any = node.body
        return (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)

    around = [n for n in candidates if span(n)[0] <= first and last <= span(n)[1]]
    # Those around the same place hold one another: the innermost starts last.
    return [max(around, key=lambda n: span(n)[0])] if around else []
