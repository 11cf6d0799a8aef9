"""Make a failing program small: remove statements, and replace expressions by parts of them."""

from __future__ import annotations

import ast
import copy
import time
from collections.abc import Callable, Iterator

from .check import CRASH, REFUSED, Outcome, check


def same_failure(wanted: Outcome) -> Callable[[str], bool]:
    """Whether a program fails as another did."""

    def test(text: str) -> bool:
        got = check(text, limit=3.0, thorough=True)
        if got.kind != wanted.kind:
            return False
        if wanted.kind in (CRASH, REFUSED):
            return got.group == wanted.group
        return _sort(got) == _sort(wanted)

    return test


def _sort(outcome: Outcome) -> tuple[str, bool]:
    """What is wrong: a value, an effect, a structure, or any of the ways to a gradient."""
    what = outcome.detail.split(":")[0]
    what = "gradient" if what in ("alone", "vjp", "again") else what
    return what, "nan" in outcome.detail or "inf" in outcome.detail


def shrink(text: str, fails: Callable[[str], bool], seconds: float = 60.0) -> str:
    """The smallest program found for which `fails` still holds."""
    until = time.monotonic() + seconds
    best = ast.unparse(ast.parse(text))
    if not fails(best):
        return text
    seen = {best}
    progress = True
    while progress and time.monotonic() < until:
        progress = False
        position = 0
        while time.monotonic() < until:
            # The candidates of the smaller program at the same place come next.
            found = False
            for at, candidate in _from(best, position):
                if time.monotonic() > until:
                    break
                if len(candidate) >= len(best) or candidate in seen:
                    continue
                seen.add(candidate)
                if fails(candidate):
                    best, position, found, progress = candidate, at, True, True
                    break
            if not found:
                break
    return best


def _from(text: str, start: int) -> Iterator[tuple[int, str]]:
    for position, candidate in enumerate(candidates(text)):
        if position >= start:
            yield position, candidate


def candidates(text: str) -> Iterator[str]:
    """Programs that are one step smaller: the large steps first."""
    tree = ast.parse(text)
    for make in (_without_statements, _without_parameters, _with_smaller_expressions):
        for changed in make(tree):
            try:
                yield ast.unparse(ast.fix_missing_locations(changed))
            except (ValueError, RecursionError, AttributeError):
                continue


def _blocks(tree: ast.AST) -> list[tuple[int, str]]:
    """Every list of statements, as the number of its owner in a walk, and the field."""
    return [
        (number, field)
        for number, node in enumerate(ast.walk(tree))
        for field in ("body", "orelse")
        if isinstance(getattr(node, field, None), list)
    ]


def _without_statements(tree: ast.AST) -> Iterator[ast.AST]:
    for number, field in _blocks(tree):
        statements = getattr(_node(tree, number), field)
        size = len(statements)
        for width in (size, size // 2, size // 4, 1):
            if width < 1 or (width == 1 and size == 1 and field == "body" and number):
                continue
            for start in range(0, size, width):
                changed = copy.deepcopy(tree)
                block = getattr(_node(changed, number), field)
                del block[start : start + width]
                if not block and field == "body":
                    block.append(ast.Pass())
                yield changed
        for i, statement in enumerate(statements):
            for inner in ("body", "orelse"):
                part = getattr(statement, inner, None)
                if isinstance(part, list) and part and not isinstance(statement, ast.FunctionDef):
                    changed = copy.deepcopy(tree)
                    block = getattr(_node(changed, number), field)
                    block[i : i + 1] = getattr(block[i], inner)
                    yield changed


def _node(tree: ast.AST, number: int) -> ast.AST:
    for i, node in enumerate(ast.walk(tree)):
        if i == number:
            return node
    raise IndexError


def _without_parameters(tree: ast.AST) -> Iterator[ast.AST]:
    """Without one parameter of `f`, and its argument."""
    f = next(n for n in tree.body if getattr(n, "name", "") == "f")
    for i in range(len(f.args.args)):
        changed = copy.deepcopy(tree)
        f = next(n for n in changed.body if getattr(n, "name", "") == "f")
        del f.args.args[i]
        made = next(n for n in changed.body if getattr(n, "name", "") == "arguments")
        value = made.body[-1].value
        if isinstance(value, ast.Tuple) and len(value.elts) > i:
            del value.elts[i]
            yield changed


def _with_smaller_expressions(tree: ast.AST) -> Iterator[ast.AST]:
    nodes = list(ast.walk(tree))
    inside = {
        id(n) for made in nodes if getattr(made, "name", "") == "arguments" for n in ast.walk(made)
    }
    for number, node in enumerate(nodes):
        if not isinstance(node, ast.expr) or id(node) in inside:
            continue
        if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            continue
        parts = [
            n
            for n in ast.iter_child_nodes(node)
            if isinstance(n, ast.expr) and isinstance(getattr(n, "ctx", ast.Load()), ast.Load)
        ]
        parts += [e for p in parts if isinstance(p, (ast.List, ast.Tuple)) for e in p.elts]
        simple = [] if isinstance(node, (ast.Constant, ast.Name)) else [ast.Constant(0.5)]
        for part in [*parts, *simple]:
            if isinstance(part, ast.Name) and part.id in ("np", "math", "ad"):
                continue
            changed = copy.deepcopy(tree)
            if _replace(changed, number, copy.deepcopy(part)):
                yield changed


def _replace(tree: ast.AST, number: int, new: ast.AST) -> bool:
    old = _node(tree, number)
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
                return True
            if isinstance(value, list):
                for i, item in enumerate(value):
                    if item is old:
                        value[i] = new
                        return True
    return False
