"""The tangent line of a rule where some of its inputs do not move.

A tangent line is linear in the tangents that it reads, so a tangent that is zero takes its terms
with it.

>>> expr = ast.parse("solve(a, d[b] - d[a] @ x)", mode="eval").body
>>> print(ast.unparse(without(expr, frozenset({"a"}), {})))
solve(a, d[b])
>>> without(expr, frozenset({"a", "b"}), {}) is None
True
"""

from __future__ import annotations

import ast
from typing import Any

_SELECTING = ("where",)  # functions that take a 0 in place of an array of zeros


def without(expr: Any, still: frozenset[str], work: dict[str, Any]) -> Any:
    """The expression without the terms in tangents of the inputs `still`; None where none is left.

    `work` has the expressions of names that stand for shared work. Where a function reads a zero
    beside tangents that move, its operand stays, and is an array of zeros.
    """
    return _Linear(still, work).of(expr)


class _Linear:
    def __init__(self, still: frozenset[str], work: dict[str, Any]) -> None:
        self.still, self.work = still, work

    def moves(self, expr: Any) -> bool:
        """Whether an expression reads a tangent at all."""
        return any(_is_tangent(n) or self._is_moving_work(n) for n in ast.walk(expr))

    def _is_moving_work(self, node: Any) -> bool:
        return isinstance(node, ast.Name) and node.id in self.work and self.moves(
            self.work[node.id]
        )  # fmt: skip

    def of(self, expr: Any) -> Any:
        if not self.moves(expr):
            return expr
        if _is_tangent(expr):
            return None if expr.slice.id in self.still else expr
        if isinstance(expr, ast.Name):
            return None if self.of(self.work[expr.id]) is None else expr
        if isinstance(expr, ast.UnaryOp):
            operand = self.of(expr.operand)
            return None if operand is None else _like(expr, operand=operand)
        if isinstance(expr, ast.BinOp):
            return self._binary(expr)
        if isinstance(expr, ast.Subscript):
            value = self.of(expr.value)
            return None if value is None else _like(expr, value=value)
        if isinstance(expr, ast.Call):
            return self._call(expr)
        if isinstance(expr, (ast.Tuple, ast.List)):
            return self._parts(expr)
        return expr

    def _binary(self, expr: ast.BinOp) -> Any:
        left, right = self.of(expr.left), self.of(expr.right)
        if isinstance(expr.op, (ast.Add, ast.Sub)):
            if right is None:
                return left
            if left is None:
                return right if isinstance(expr.op, ast.Add) else ast.copy_location(
                    ast.UnaryOp(ast.USub(), right), expr
                )  # fmt: skip
        elif left is None or right is None:
            return None
        return _like(expr, left=left, right=right)

    def _call(self, expr: ast.Call) -> Any:
        if isinstance(expr.func, ast.Attribute) and self.moves(expr.func.value):  # d[x].item()
            value = self.of(expr.func.value)
            return None if value is None else _like(expr, func=_like(expr.func, value=value))
        given = [*expr.args, *(k.value for k in expr.keywords)]
        parts = [self.of(a) for a in given]
        if all(p is None for a, p in zip(given, parts, strict=True) if self.moves(a)):
            return None
        zero = ast.copy_location(ast.Constant(0), expr)
        selects = getattr(expr.func, "attr", "") in _SELECTING
        kept = [
            (zero if selects else a) if p is None else p for a, p in zip(given, parts, strict=True)
        ]
        count = len(expr.args)
        keywords = [ast.keyword(k.arg, v) for k, v in zip(expr.keywords, kept[count:], strict=True)]
        return _like(expr, args=kept[:count], keywords=keywords)

    def _parts(self, expr: Any) -> Any:
        parts = [self.of(e) for e in expr.elts]
        moving = [p for e, p in zip(expr.elts, parts, strict=True) if self.moves(e)]
        if all(p is None for p in moving):
            return None
        kept = [e if p is None else p for e, p in zip(expr.elts, parts, strict=True)]
        return _like(expr, elts=kept)


def _is_tangent(node: Any) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "d"
    )


def _like(node: Any, **changed: Any) -> Any:
    fields = {name: getattr(node, name) for name in node._fields} | changed
    return ast.copy_location(type(node)(**fields), node)
