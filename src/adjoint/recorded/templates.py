"""The lines of a rule, carried out on values: a rule becomes a pullback and a pushforward.

For each rule and each choice of active operands one plain function is made of the template's lines:

    @rule(np.multiply)                  def multiply_pullback(d_z, y):
    def multiply(z, x, y):      x only      return (d_z * y,)
        d[z, x] = y             ------->
        d[z, y] = x                     def multiply_pushforward(t_x, y):
                                            return t_x * y
"""

from __future__ import annotations

import ast
import copy
import functools
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import NoDerivativeError
from ..rules import Rule, lookup, refusal
from ..rules.advice import example_of_a_rule, name_of
from ..rules.binding import bind
from ..rules.own import FunctionRule
from ..rules.template import is_derivative
from . import origins, rewrite
from .levels import state
from .own_functions import OwnFunction, function_rule

# What of a helper's arguments is read for its shape and dtype only.
_READ_FOR_SHAPE = {
    "unreduce": 1, "scatter": 1, "untake": 1, "untake_along_axis": 1, "undiagonal": 1, "count": 0,
    "split_like": 1, "unstack_like": 1, "unstack": 1, "unconcatenate": 1, "untile": 1,
    "full_like": 0, "zeros_like": 0, "ones_like": 0, "shape": 0, "ndim": 0, "size": 0,
}  # fmt: skip
_SHAPE_ATTRIBUTES = ("shape", "ndim", "size", "dtype")


@dataclass(eq=False)
class Template:
    """A function made of a rule's lines."""

    function: types.FunctionType
    tree: ast.FunctionDef
    rule: Rule
    values: tuple[str, ...]  # parameters that are values of operands, of the output, or options
    derivatives: tuple[str, ...]  # parameters that are tangents or cotangents, by operand
    shapes: frozenset[str]  # those of the values whose shape and dtype are enough
    targets: tuple[str, ...] = ()  # of a pullback: the operands, in the order of its results
    _noted: Any = None

    def __call__(self, *args: Any) -> Any:
        return self.noted(*args) if state.levels else self.function(*args)

    @property
    def noted(self) -> Any:
        """The same function, its own operations noted: for derivatives of derivatives."""
        if self._noted is None:
            self._noted = rewrite.noted_form(self.tree, self.function)
        return self._noted


def choose(
    fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any], is_active: Callable[[Any], bool]
) -> tuple[Rule, dict[str, Any]]:
    """The rule for a call, and its operands by the rule's names. NoDerivativeError if none fits.

    A rule's condition sees a number that varies as an array, and any other as it is: some rules
    are for literal numbers.
    """
    rules = lookup(fn)
    if not rules:
        raise missing(fn)
    unbound = None
    for rule in rules:
        if isinstance(rule, FunctionRule):
            return function_rule(rule, args, kwargs)
        try:
            bound = bind(rule, fn, args, kwargs)
        except TypeError as error:
            unbound = error
            continue
        shown = {n: _as_array(v) if is_active(v) else v for n, v in bound.items()}
        if _applies(rule, shown):
            return rule, bound
    why = "for these operands" if unbound is None else f"for this call: {unbound}"
    raise origins.no_derivative(
        f"the derivative of {name_of(fn)} is not known {why}",
        "Write it with other functions, or give the function a rule of your own.",
    )


def fits(
    fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any], is_active: Callable[[Any], bool]
) -> bool:
    """Whether there is a rule for a call."""
    try:
        choose(fn, args, kwargs, is_active)
    except NoDerivativeError:
        return False
    return True


def _applies(rule: Rule, bound: dict[str, Any]) -> bool:
    if rule.when is None:
        return True
    try:
        return rule.applies(bound)
    except AttributeError:  # a number has no rank: as an array it has
        return rule.applies({n: _as_array(v) for n, v in bound.items()})


def _as_array(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_as_array(v) for v in value]
    return np.asarray(value) if isinstance(value, (bool, int, float, complex)) else value


def missing(fn: Any, name: str | None = None) -> NoDerivativeError:
    by = f" by its argument `{name}`" if name else ""
    return origins.no_derivative(
        f"no derivative is known for {name_of(fn)}{by}",
        refusal(fn)
        or "If it is a constant here, write ad.stop_gradient(...) around the argument;\n"
        "otherwise give the function a rule (ad.rule says more):\n"
        + example_of_a_rule(fn, name),
    )


@functools.lru_cache(maxsize=4096)
def pullback(rule: Any, active: frozenset[str]) -> Any:
    """(d_z, values) -> the contributions to the cotangents of the active operands, or None each."""
    if isinstance(rule, OwnFunction):
        return rule.pullback(active)
    prefix = _prefix(rule, "d_")
    output = prefix + rule.output
    targets, results = [], []
    for name in (p.name for p in rule.params if p.name in active):
        if name not in rule.differentiable:
            raise missing(rule.fn, name)
        terms = []
        for line in rule.lines:
            if line.target != name or line.kind not in ("partial", "cotangent"):
                continue
            expr = _with_names(line.expr, prefix)
            term = _scaled(expr, output) if line.kind == "partial" else expr
            if term is not None:
                terms.append(term if line.sign > 0 else ast.UnaryOp(ast.USub(), term))
        targets.append(name)
        results.append(_sum(terms) or ast.Constant(None))
    result = ast.Tuple(results, ast.Load())
    return _template(rule, "pullback", result, prefix, tuple(targets))


@functools.lru_cache(maxsize=4096)
def pushforward(rule: Any, active: frozenset[str]) -> Any:
    """(tangents of the operands, values) -> the tangent of the output, or None for zero."""
    if isinstance(rule, OwnFunction):
        return rule.pushforward(active)
    whole = [line for line in rule.lines if line.kind == "tangent"]
    partials = {line.target for line in rule.lines if line.kind == "partial"}
    for name in active:
        if name not in (rule.differentiable if whole and not rule.own else partials) and not (
            whole and name in _moving(rule)
        ):
            raise missing(rule.fn, name)
    prefix = _prefix(rule, "t_")
    if whole:
        result = _with_names(whole[0].expr, prefix)
    else:
        terms = [
            _scaled(_with_names(line.expr, prefix), prefix + line.target)
            for line in rule.lines
            if line.kind == "partial" and line.target in active
        ]
        result = _sum([t for t in terms if t is not None]) or ast.Constant(None)
    return _template(rule, "pushforward", result, prefix, ())


def _prefix(rule: Rule, prefix: str) -> str:
    """What the names of derivatives start with: no other name of the rule is one of theirs."""
    names = {p.name for p in rule.params} | {rule.output} | {line.target for line in rule.lines}
    while any(prefix + name in names for name in names):
        prefix = "_" + prefix
    return prefix


def _moving(rule: Rule) -> set[str]:
    """The operands whose tangents a tangent line reads, or the work that it shares."""
    lines = [line for line in rule.lines if line.kind in ("tangent", "work")]
    return {name for line in lines for name in line.cotangents}


def _scaled(partial: ast.expr, derivative: str) -> ast.expr | None:
    """derivative * partial; None where the partial is the number 0."""
    name = ast.Name(derivative, ast.Load())
    value, sign = partial, 1
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        value, sign = value.operand, -1
    if isinstance(value, ast.Constant) and type(value.value) is int and value.value in (0, 1):
        if value.value == 0:
            return None
        return name if sign > 0 else ast.UnaryOp(ast.USub(), name)
    return ast.BinOp(name, ast.Mult(), partial)


def _sum(terms: list[ast.expr]) -> ast.expr | None:
    if not terms:
        return None
    return functools.reduce(lambda a, b: ast.BinOp(a, ast.Add(), b), terms)


class _Names(ast.NodeTransformer):
    """d[x] becomes the variable d_x (or t_x)."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        if is_derivative(node):
            return ast.Name(self.prefix + node.slice.id, ast.Load())  # type: ignore[attr-defined]
        return self.generic_visit(node)


def _with_names(expr: Any, prefix: str) -> ast.expr:
    return _Names(prefix).visit(copy.deepcopy(expr))


def _template(
    rule: Rule, what: str, result: ast.expr, prefix: str, targets: tuple[str, ...]
) -> Template:
    work = {line.target: _with_names(line.expr, prefix) for line in rule.lines
            if line.kind == "work"}  # fmt: skip
    needed: list[str] = []

    def need(expr: ast.expr) -> None:
        for name in _loaded(expr):
            if name in work and name not in needed:
                need(work[name])
                needed.append(name)

    need(result)
    body: list[ast.stmt] = [
        ast.Assign([ast.Name(name, ast.Store())], work[name]) for name in needed
    ]
    body.append(ast.Return(result))
    read = {name for statement in body for name in _loaded(statement)}
    inputs = [p.name for p in rule.params]
    values = tuple(n for n in [rule.output, *inputs] if n in read)
    derivatives = tuple(n for n in [rule.output, *inputs] if prefix + n in read)
    body[:0] = [_as_array_statement(n) for n in values if _has_attribute(body, n)]
    parameters = [*(prefix + n for n in derivatives), *values]
    tree = ast.FunctionDef(
        f"{rule.function.__name__}_{what}",
        ast.arguments([], [ast.arg(p) for p in parameters], None, [], [], None, []),
        body,
        [],
    )
    if "type_params" in ast.FunctionDef._fields:
        tree.type_params = []  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        node.lineno = node.end_lineno = rule.firstlineno  # type: ignore[attr-defined]
        node.col_offset = node.end_col_offset = 0  # type: ignore[attr-defined]
    shapes = frozenset(n for n in values if _is_for_shape(body, n))
    return Template(_compiled(rule, tree), tree, rule, values, derivatives, shapes, targets)


def _compiled(rule: Rule, tree: ast.FunctionDef) -> types.FunctionType:
    cells = dict(zip(rule.function.__code__.co_freevars, rule.function.__closure__ or ()))
    known = rule.function.__globals__
    return rewrite.function_from(
        tree, rule.filename, known, {**cells, "as_array": types.CellType(as_array)}
    )


def as_array(x: Any) -> Any:
    """A number as one that has a shape and a dtype."""
    if isinstance(x, (bool, int, float)):
        return np.float64(x)
    return np.complex128(x) if type(x) is complex else x


def _as_array_statement(name: str) -> ast.stmt:
    call = ast.Call(ast.Name("as_array", ast.Load()), [ast.Name(name, ast.Load())], [])
    return ast.Assign([ast.Name(name, ast.Store())], call)


def _loaded(node: ast.AST) -> list[str]:
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]


def _has_attribute(body: list[ast.stmt], name: str) -> bool:
    return any(
        isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == name
        for statement in body
        for n in ast.walk(statement)
    )


def _is_for_shape(body: list[ast.stmt], name: str) -> bool:
    """Whether every use of a name reads only the shape or dtype of its value."""
    uses = sum(name == n for statement in body for n in _loaded(statement))
    known = 0
    for node in (n for statement in body for n in ast.walk(statement)):
        if isinstance(node, ast.Attribute) and node.attr in _SHAPE_ATTRIBUTES:
            known += isinstance(node.value, ast.Name) and node.value.id == name
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = _READ_FOR_SHAPE.get(called)
            if place is not None and place < len(node.args):
                arg = node.args[place]
                known += isinstance(arg, ast.Name) and arg.id == name
    made_array = 2 * any(
        isinstance(s, ast.Assign) and getattr(s.targets[0], "id", "") == name for s in body
    )
    return uses == known + made_array
