"""Function object -> its source as a gast tree, every node at its place in the user's file."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import textwrap
import types
from dataclasses import dataclass
from typing import Any

import gast

from .errors import Origin, SourceUnavailableError, UnsupportedSyntaxError
from .frames import MANY, room_for


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
        node = parsed_node(code, code.co_filename)
    if isinstance(node, gast.AsyncFunctionDef) or inspect.iscoroutinefunction(fn):
        raise UnsupportedSyntaxError(
            f"`{fn.__name__}` is a coroutine", _start(code), "Write a plain function."
        )
    if inspect.isgeneratorfunction(fn) and not generators:
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


@functools.lru_cache(maxsize=1024)
def parsed_node(code: types.CodeType, filename: str) -> Any:
    # Equal code objects may come from different files.
    linecache.checkcache(filename)
    lines = linecache.getlines(filename)
    if not 0 < code.co_firstlineno <= len(lines):
        raise _unavailable(code)
    if code.co_name == "<lambda>":
        return _find_lambda(code, "".join(lines))
    return _parse_def(code, lines)


def _parse_def(code: types.CodeType, lines: list[str]) -> Any:
    """Parse just the lines of one `def`: a file may be long, and a function is wanted quickly."""
    first = code.co_firstlineno - 1
    block = inspect.getblock(lines[first:])
    indent = len(block[0]) - len(block[0].lstrip())
    text = textwrap.dedent("".join(block))
    if indent and text[:1].isspace():
        # A comment or a string further left defeats dedent: put the block under an `if`.
        text = "if 1:\n" + "".join(block)
        first, indent = first - 1, 0
    try:
        tree = gast.parse(text)
    except SyntaxError:
        raise _unavailable(code) from None
    found = [n for n in gast.walk(tree) if _is_def_named(n, code.co_name)]
    if not found:
        raise _unavailable(code)
    node = found[0]
    for inner in gast.walk(node):
        if hasattr(inner, "lineno") and inner.lineno is not None:
            inner.lineno += first
            inner.end_lineno += first
            inner.col_offset += indent
            inner.end_col_offset += indent
    return node


def _is_def_named(node: Any, name: str) -> bool:
    return isinstance(node, (gast.FunctionDef, gast.AsyncFunctionDef)) and node.name == name


def _find_lambda(code: types.CodeType, text: str) -> Any:
    """The lambda that was compiled to `code`: several may share a line."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        raise _unavailable(code) from None
    candidates = [
        n for n in ast.walk(tree) if isinstance(n, ast.Lambda) and _spans(n, code.co_firstlineno)
    ]
    if len(candidates) > 1:
        around = _around_positions(candidates, code)
        candidates = around or [n for n in candidates if _same_code(_compile_lambda(n, code), code)]
    if not candidates:
        raise _unavailable(code)
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


def _compile_lambda(node: ast.Lambda, like: types.CodeType) -> types.CodeType | None:
    """Compile one lambda alone, with the same free variables as the original."""
    if like.co_freevars:
        outer = ast.parse(
            f"def outer({', '.join(like.co_freevars)}):\n    return None", like.co_filename
        )
        outer.body[0].body[0].value = node  # type: ignore[attr-defined]
    else:
        outer = ast.Module([ast.Expr(node)], [])
    ast.fix_missing_locations(outer)
    return _first_lambda(compile(outer, like.co_filename, "exec"))


def _first_lambda(code: types.CodeType) -> types.CodeType | None:
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            if const.co_name == "<lambda>":
                return const
            found = _first_lambda(const)
            if found is not None:
                return found
    return None


def _same_code(a: types.CodeType | None, b: types.CodeType) -> bool:
    if a is None:
        return False
    if hasattr(a, "co_positions") and list(a.co_positions()) != list(b.co_positions()):
        return False
    return (
        a.co_code == b.co_code
        and a.co_names == b.co_names
        and a.co_varnames == b.co_varnames
        and _plain(a.co_consts) == _plain(b.co_consts)
    )


def _plain(consts: tuple[Any, ...]) -> list[Any]:
    """Constants that can be compared; the names of inner functions without those around them."""
    plain: list[Any] = []
    for const in consts:
        if isinstance(const, types.CodeType):
            plain += [const.co_code, const.co_names, const.co_varnames, _plain(const.co_consts)]
            continue
        if isinstance(const, str):
            const = const.rpartition("<locals>.")[2]
        plain.append((type(const), const))
    return plain
