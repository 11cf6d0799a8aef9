"""A function -> the same function with its numeric operations noted.

`x * y` becomes `record.mul(x, y)`, `x[i] = v` becomes `record.set_item(x, i, v)`, `f(x)` becomes
`record.call(f, x)`. Control flow, names and containers stay as they are. Every node keeps its place
in the user's file, so that tracebacks and debuggers show the user's own lines.

>>> def halves(x):
...     return [v / 2 for v in x]
>>> print(text_of(halves))
def halves(x):
    return [record.truediv(v, 2) for v in record.iterate(x)]
"""

from __future__ import annotations

import ast
import builtins
import copy
import itertools
import types
import weakref
from collections.abc import Container
from typing import Any

import gast

from ..errors import Origin, UnsupportedSyntaxError
from ..frames import MANY, room_for
from ..locking import compiling
from ..parse import parsed_node
from ..printing import to_source
from ..surgery import insert_grad_of
from . import origins

_BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv",
    ast.FloorDiv: "floordiv", ast.Mod: "mod", ast.Pow: "pow", ast.MatMult: "matmul",
    ast.LShift: "lshift", ast.RShift: "rshift", ast.BitAnd: "and_", ast.BitOr: "or_",
    ast.BitXor: "xor",
}  # fmt: skip
_UNARY = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert"}
# Builtins that need the caller's own frame, or on whose result no derivative depends.
_LEFT_ALONE = frozenset(
    {"super", "locals", "globals", "vars", "dir", "print", "len", "isinstance", "issubclass",
     "range", "type", "id", "callable"}
)  # fmt: skip
_FUNCTIONS = (ast.FunctionDef, ast.Lambda)
_SIMPLE = (ast.Name, ast.Constant)


class Rewriter(ast.NodeTransformer):
    """Rewrites the tree of one function, those inside it included."""

    def __init__(
        self, tree: ast.AST, code: types.CodeType, globals_: dict[str, Any], qualname: str
    ) -> None:
        self.tree = tree
        self.code = code
        self.globals = globals_
        self.bound = _bound_names(tree) | set(code.co_freevars)
        self.record = "record"
        while self.record in self.bound or self.record in _read_names(tree):
            self.record += "_"
        self.classes = [_class_of(qualname)]
        self.temporaries = (f"value_{n}" for n in itertools.count(1))
        self.pending: list[ast.stmt] = []  # statements to be put after the one at hand

    # -- making nodes -----------------------------------------------------------------------

    def noted(self, what: str, *args: ast.expr, at: ast.AST, keywords: Any = ()) -> ast.Call:
        function = ast.Attribute(ast.Name(self.record, ast.Load()), what, ast.Load())
        return _at(ast.Call(function, list(args), list(keywords)), at)

    def temporary(self) -> str:
        return next(n for n in self.temporaries if n not in self.bound)

    def refuse(self, node: ast.AST, what: str, advice: str) -> UnsupportedSyntaxError:
        line, start = node.lineno, node.col_offset  # type: ignore[attr-defined]
        end = node.end_col_offset if node.end_lineno == line else 0  # type: ignore[attr-defined]
        origin = Origin(self.code.co_filename, line, start, end or 0, self.code.co_name)
        return UnsupportedSyntaxError(what, origin, advice)

    def is_builtin(self, name: str) -> bool:
        return name not in self.bound and name not in self.globals and hasattr(builtins, name)

    def is_module_path(self, node: ast.AST) -> bool:
        """Whether an expression is a module, or reads through modules only: np, np.linalg."""
        return self.module(node) is not None

    def module(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Name) and node.id not in self.bound:
            found = self.globals.get(node.id)
        elif isinstance(node, ast.Attribute):
            found = getattr(self.module(node.value), node.attr, None)
        else:
            found = None
        return found if isinstance(found, types.ModuleType) else None

    def mangled(self, name: str) -> ast.Constant:
        """The name of an attribute as a text; `__x` in a class is its private name."""
        cls = self.classes[-1]
        if cls and name.startswith("__") and not name.endswith("__"):
            name = f"_{cls.lstrip('_')}{name}"
        return ast.Constant(name)

    # -- expressions ------------------------------------------------------------------------

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        if _is_literal(node):
            return node
        left, right = self.visit(node.left), self.visit(node.right)
        return self.noted(_BINARY[type(node.op)], left, right, at=node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not) or _is_literal(node):
            return self.generic_visit(node)
        return self.noted(_UNARY[type(node.op)], self.visit(node.operand), at=node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        if self.is_module_path(node.value):
            return node
        return self.noted("attribute", self.visit(node.value), self.mangled(node.attr), at=node)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        return self.noted("item", self.visit(node.value), self.index(node.slice), at=node)

    def index(self, node: ast.expr) -> ast.expr:
        """An index as an expression of its own: slices become calls of `slice`."""
        if isinstance(node, ast.Slice):
            parts = [ast.Constant(None) if p is None else self.visit(p)
                     for p in (node.lower, node.upper, node.step)]  # fmt: skip
            while (
                len(parts) > 2 and isinstance(parts[-1], ast.Constant) and parts[-1].value is None
            ):
                parts.pop()
            return self.noted("slice", *parts, at=node)
        if isinstance(node, ast.Tuple):
            return _at(ast.Tuple([self.index(e) for e in node.elts], ast.Load()), node)
        return self.visit(node)

    def visit_Starred(self, node: ast.Starred) -> Any:
        if isinstance(node.ctx, ast.Store):
            return self.generic_visit(node)
        return _at(ast.Starred(self.iterated(node.value), node.ctx), node)

    def iterated(self, node: ast.expr, target: ast.expr | None = None) -> ast.expr:
        """An expression as an iterable whose elements are noted."""
        pattern = None if target is None else _pattern(target)
        inner = self.visit(node)
        if pattern is not None:
            return self.noted("iterate", inner, pattern, at=node)
        if isinstance(node, (ast.List, ast.Tuple, ast.ListComp, ast.Constant)):
            return inner
        if self._calls_builtin(node, {"range"}):
            return inner
        return self.noted("iterate", inner, at=node)

    def _calls_builtin(self, node: ast.AST, names: frozenset[str] | set[str]) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in names
            and self.is_builtin(node.func.id)
        )

    def visit_Call(self, node: ast.Call) -> Any:
        args = [self.visit(a) for a in node.args]
        keywords = [ast.keyword(k.arg, self.visit(k.value)) for k in node.keywords]
        if self._calls_builtin(node, _LEFT_ALONE):
            return _at(ast.Call(node.func, args, keywords), node)
        func = node.func
        if isinstance(func, ast.Attribute) and not self.is_module_path(func.value):
            owner, name = self.visit(func.value), self.mangled(func.attr)
            return self.noted("method", owner, name, *args, at=node, keywords=keywords)
        return self.noted("call", self.visit(func), *args, at=node, keywords=keywords)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> Any:
        node.value = self.noted("shown", self.visit(node.value), at=node.value)
        if node.format_spec is not None:
            node.format_spec = self.visit(node.format_spec)
        return node

    def visit_YieldFrom(self, node: ast.YieldFrom) -> Any:
        node.value = self.iterated(node.value)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> Any:
        if node.is_async:
            raise self.refuse(node.iter, "an asynchronous comprehension is not supported",
                              "Write a plain comprehension.")  # fmt: skip
        if not _all_names(node.target):
            raise self.refuse(node.target, "this target of a comprehension is not supported",
                              "Assign to a plain name.")  # fmt: skip
        node.iter = self.iterated(node.iter, node.target)
        node.ifs = [self.visit(test) for test in node.ifs]
        return node

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        node.args = self.visit(node.args)
        node.body = self.visit(node.body)
        return node

    def visit_arg(self, node: ast.arg) -> Any:
        node.annotation = None
        return node

    def visit_Await(self, node: ast.AST) -> Any:
        raise self.refuse(node, "`await` is not supported", "Write a plain function.")

    # -- statements -------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.args = self.visit(node.args)
        node.returns = None
        node.decorator_list = [
            self.noted("decorator", self.visit(d), at=d) for d in node.decorator_list
        ]
        node.body = self.block(node.body)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AST) -> Any:
        raise self.refuse(node, "a coroutine is not supported", "Write a plain function.")

    visit_AsyncFor = visit_AsyncWith = visit_AsyncFunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        node.decorator_list = [
            self.noted("decorator", self.visit(d), at=d) for d in node.decorator_list
        ]
        node.bases = [self.visit(b) for b in node.bases]
        self.classes.append(node.name)
        node.body = self.block(node.body)
        self.classes.pop()
        return node

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for statement in body:
            made = self.visit(statement)
            found += made if isinstance(made, list) else [made]
        return found

    def generic_visit(self, node: ast.AST) -> Any:
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, name, self.block(value))
            elif isinstance(value, list):
                value[:] = [self.visit(v) if isinstance(v, ast.AST) else v for v in value]
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        value = self.visit(node.value)
        if len(node.targets) == 1:
            return self.assign(node.targets[0], value, node)
        name = self.temporary()
        made = [_at(ast.Assign([ast.Name(name, ast.Store())], value), node)]
        for target in node.targets:
            made += self.assign(target, _at(ast.Name(name, ast.Load()), node), node)
        return made

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is None:
            if not isinstance(node.target, ast.Name):
                return _at(ast.Pass(), node)
            # It makes the name a local one, and does nothing else.
            return _at(ast.AnnAssign(node.target, ast.Constant(None), None, node.simple), node)
        return self.assign(node.target, self.visit(node.value), node)

    def assign(self, target: ast.expr, value: ast.expr, at: ast.AST) -> list[ast.stmt]:
        """target = value, where `value` is rewritten already."""
        if isinstance(target, (ast.Subscript, ast.Attribute)):
            return self.store(target, value, at)
        if isinstance(target, (ast.Tuple, ast.List)):
            target, after = self.plain_target(target)
            value = self.noted("unpack", value, _pattern(target) or ast.Constant(1), at=at)
            return [_at(ast.Assign([target], value), at), *after]
        return [_at(ast.Assign([target], value), at)]

    def plain_target(self, target: ast.expr) -> tuple[ast.expr, list[ast.stmt]]:
        """A target of plain names, and the statements that put them where they belong."""
        after: list[ast.stmt] = []

        def plain(node: ast.expr) -> ast.expr:
            if isinstance(node, (ast.Subscript, ast.Attribute)):
                name = self.temporary()
                after.extend(self.store(node, _at(ast.Name(name, ast.Load()), node), node))
                return _at(ast.Name(name, ast.Store()), node)
            if isinstance(node, (ast.Tuple, ast.List)):
                return _at(type(node)([plain(e) for e in node.elts], ast.Store()), node)
            if isinstance(node, ast.Starred):
                return _at(ast.Starred(plain(node.value), ast.Store()), node)
            return node

        return plain(target), after

    def store(
        self, target: ast.Subscript | ast.Attribute, value: ast.expr, at: ast.AST
    ) -> list[ast.stmt]:
        """owner[i] = value or owner.name = value; Python evaluates the value first."""
        owner = self.visit(target.value)
        if isinstance(target, ast.Subscript):
            what, place = "set_item", self.index(target.slice)
        else:
            what, place = "set_attribute", self.mangled(target.attr)
        before: list[ast.stmt] = []
        if not isinstance(value, _SIMPLE) and not (_is_simple(owner) and _is_simple(place)):
            name = self.temporary()
            before = [_at(ast.Assign([ast.Name(name, ast.Store())], value), at)]
            value = _at(ast.Name(name, ast.Load()), at)
        return [*before, _at(ast.Expr(self.noted(what, owner, place, value, at=target)), at)]

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        operation = "i" + _BINARY[type(node.op)].rstrip("_")
        target = node.target
        if isinstance(target, ast.Name):
            before = _at(ast.Name(target.id, ast.Load()), target)
            value = self.noted(operation, before, self.visit(node.value), at=node)
            return _at(ast.Assign([target], value), node)
        made: list[ast.stmt] = []
        owner = self.once(self.visit(target.value), made, node)
        if isinstance(target, ast.Subscript):
            place = self.once(self.index(target.slice), made, node)
            read, write = "part", "set_item"
        else:
            place = self.mangled(target.attr)
            read, write = "attribute", "set_attribute"
        before = self.noted(read, owner, place, at=target)
        value = self.noted(operation, before, self.visit(node.value), at=node)
        made.append(_at(ast.Expr(self.noted(write, owner, place, value, at=node)), node))
        return made

    def once(self, value: ast.expr, before: list[ast.stmt], at: ast.AST) -> ast.expr:
        """An expression that may be written twice: a name or a literal."""
        if _is_simple(value):
            return value
        name = self.temporary()
        before.append(_at(ast.Assign([ast.Name(name, ast.Store())], value), at))
        return _at(ast.Name(name, ast.Load()), at)

    def visit_Delete(self, node: ast.Delete) -> Any:
        made: list[ast.stmt] = []
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                call = self.noted(
                    "delete_item", self.visit(target.value), self.index(target.slice), at=target
                )
                made.append(_at(ast.Expr(call), node))
            elif isinstance(target, ast.Attribute):
                call = self.noted(
                    "delete_attribute", self.visit(target.value), self.mangled(target.attr),
                    at=target,
                )  # fmt: skip
                made.append(_at(ast.Expr(call), node))
            else:
                made.append(_at(ast.Delete([target]), node))
        return made

    def visit_For(self, node: ast.For) -> Any:
        target, first = self.plain_target(node.target)
        node.iter = self.iterated(node.iter, target)
        node.target = target
        node.body = [*first, *self.block(node.body)]
        node.orelse = self.block(node.orelse)
        return node

    def visit_Match(self, node: Any) -> Any:
        subject = self.visit(node.subject)
        depth = max(_depth_of_sequences(case.pattern) for case in node.cases)
        if depth:
            subject = self.noted("matched", subject, ast.Constant(depth), at=node.subject)
        node.subject = subject
        for case in node.cases:
            case.guard = None if case.guard is None else self.visit(case.guard)
            case.body = self.block(case.body)
        return node

    def visit_With(self, node: ast.With) -> Any:
        if any(self.value_of(item.context_expr) is insert_grad_of for item in node.items):
            return self.surgery(node)
        first: list[ast.stmt] = []
        for item in node.items:
            item.context_expr = self.noted("context", self.visit(item.context_expr),
                                           at=item.context_expr)  # fmt: skip
            if item.optional_vars is not None:
                target, after = self.plain_target(item.optional_vars)
                if isinstance(target, (ast.Tuple, ast.List)):
                    name = self.temporary()
                    entered = ast.Name(name, ast.Load())
                    pattern = _pattern(target) or ast.Constant(1)
                    value = self.noted("unpack", entered, pattern, at=node)
                    after.insert(0, _at(ast.Assign([target], value), node))
                    target = ast.Name(name, ast.Store())
                item.optional_vars = target
                first += after
        node.body = [*first, *self.block(node.body)]
        return node

    def value_of(self, call: ast.expr) -> Any:
        """What is called, where that can be read from names outside the function."""
        func = call.func if isinstance(call, ast.Call) else None
        if isinstance(func, ast.Attribute):
            return getattr(self.module(func.value), func.attr, None)
        if isinstance(func, ast.Name) and func.id not in self.bound:
            return self.globals.get(func.id)
        return None

    def surgery(self, node: ast.With) -> list[ast.stmt]:
        """`with insert_grad_of(x) as d_x: ...`: its statements become a function of d_x."""
        item = node.items[0]
        variable = item.context_expr.args[0] if item.context_expr.args else None  # type: ignore[attr-defined]
        derivative = item.optional_vars
        if (
            len(node.items) > 1
            or not isinstance(variable, ast.Name)
            or not isinstance(derivative, ast.Name)
        ):
            raise self.refuse(node, "`insert_grad_of` takes one variable, and gives its cotangent "
                              "a name", "Write `with ad.insert_grad_of(x) as d_x:`.")  # fmt: skip
        for inner in (n for statement in node.body for n in ast.walk(statement)):
            if isinstance(inner, _NO_SURGERY):
                raise self.refuse(inner, "this statement cannot be put into the backward sweep",
                                  "Print, compute or assign there.")  # fmt: skip
        inside = {id(n) for statement in node.body for n in ast.walk(statement)}
        outer = _bound_names(self.tree, leaving_out=inside | {id(derivative)})
        read = _read_names(ast.Module(node.body, []))
        # As arguments, the variables have the values that they have at this point.
        given = sorted((read & outer) - {derivative.id})
        name = self.temporary()
        parameters = [ast.arg(derivative.id), *map(ast.arg, given)]
        arguments = ast.arguments([], parameters, None, [], [], None, [])
        returned = ast.Return(ast.Name(derivative.id, ast.Load()))
        function = ast.FunctionDef(name, arguments, [*self.block(node.body), returned], [])
        if "type_params" in ast.FunctionDef._fields:
            function.type_params = []  # type: ignore[attr-defined]
        passed = [ast.Name(n, ast.Load()) for n in (variable.id, name, *given)]
        value = self.noted("insert_grad_of", *passed, at=node)
        target = ast.Name(variable.id, ast.Store())
        return [_at(function, node), _at(ast.Assign([target], value), node)]


_NO_SURGERY = (
    ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.Import, ast.ImportFrom, ast.Break,
    ast.Continue, ast.Global, ast.Nonlocal, ast.FunctionDef, ast.ClassDef,
)  # fmt: skip


def _is_simple(node: ast.expr) -> bool:
    """Whether evaluating an expression twice, or earlier, makes no difference."""
    if isinstance(node, ast.Tuple):
        return all(map(_is_simple, node.elts))
    return isinstance(node, _SIMPLE)


def _is_literal(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_literal(node.left) and _is_literal(node.right)
    if isinstance(node, ast.UnaryOp):
        return _is_literal(node.operand)
    return isinstance(node, ast.Constant)


def _all_names(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(map(_all_names, target.elts))
    if isinstance(target, ast.Starred):
        return _all_names(target.value)
    return isinstance(target, ast.Name)


def _depth_of_sequences(pattern: ast.pattern) -> int:
    """How many containers deep a pattern takes sequences apart: 2 for [a, (b, c)]."""
    inside = [p for p in ast.iter_child_nodes(pattern) if isinstance(p, ast.pattern)]
    depth = max(map(_depth_of_sequences, inside), default=0)
    if isinstance(pattern, ast.MatchSequence):
        return depth + 1
    return depth + 1 if depth and isinstance(pattern, (ast.MatchMapping, ast.MatchClass)) else depth


def _pattern(target: ast.expr) -> ast.expr | None:
    """How a value is taken apart, as a literal: 1 for a name, "*" for the rest, tuples of those.

    None for a plain name, which takes nothing apart.
    """
    if not isinstance(target, (ast.Tuple, ast.List)):
        return None

    def shape(node: ast.expr) -> ast.expr:
        if isinstance(node, (ast.Tuple, ast.List)):
            return ast.Tuple([shape(e) for e in node.elts], ast.Load())
        return ast.Constant("*" if isinstance(node, ast.Starred) else 1)

    if any(isinstance(e, (ast.Tuple, ast.List)) for e in target.elts):
        return _at(shape(target), target)
    return _at(ast.Constant(1), target)


def _at(node: Any, place: ast.AST) -> Any:
    ast.copy_location(node, place)
    return ast.fix_missing_locations(node)


def _bound_names(tree: ast.AST, leaving_out: Container[int] = ()) -> set[str]:
    """Every name that a function or one inside it binds, but for the nodes left out."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in leaving_out:
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            found.update(node.names)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(a.asname or a.name.partition(".")[0] for a in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif type(node).__name__ in ("MatchAs", "MatchStar") and node.name:  # type: ignore[attr-defined]
            found.add(node.name)  # type: ignore[attr-defined]
        elif type(node).__name__ == "MatchMapping" and node.rest:  # type: ignore[attr-defined]
            found.add(node.rest)  # type: ignore[attr-defined]
    return found


def _read_names(tree: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def _class_of(qualname: str) -> str:
    """The class in whose body the function stands: its private names are mangled by it."""
    path = qualname.split(".")
    return path[-2] if len(path) > 1 and path[-2] != "<locals>" else ""


# -- functions ------------------------------------------------------------------------------


def function_from(
    tree: ast.FunctionDef | ast.Lambda,
    filename: str,
    globals_: dict[str, Any],
    cells: dict[str, Any],
    name: str | None = None,
) -> types.FunctionType:
    """The function of a tree, with these cells for its free names."""
    code = _compiled(tree, filename, list(cells))
    closure = tuple(cells[n] for n in code.co_freevars)
    return types.FunctionType(code, globals_, name or code.co_name, None, closure)


def _compiled(tree: ast.FunctionDef | ast.Lambda, filename: str, free: list[str]) -> types.CodeType:
    """The code of a function that finds the names in `free` in cells."""
    inner: list[ast.stmt]
    if isinstance(tree, ast.Lambda):
        name, inner = "<lambda>", [_at(ast.Return(tree), tree)]
    else:
        # Under its own name it would hide the global function of this name from itself.
        name, inner = tree.name, [tree]
        tree.name = "function_"
    arguments = ast.arguments([], [ast.arg(n) for n in free], None, [], [], None, [])
    outer = ast.FunctionDef("make", arguments, inner, [])
    if "type_params" in ast.FunctionDef._fields:
        outer.type_params = []  # type: ignore[attr-defined]
    module = ast.fix_missing_locations(ast.Module([outer], []))
    try:
        made = compile(module, filename, "exec")
    finally:
        if not isinstance(tree, ast.Lambda):
            tree.name = name
    make = next(c for c in made.co_consts if isinstance(c, types.CodeType))
    code = next(c for c in make.co_consts if isinstance(c, types.CodeType))
    return code.replace(co_name=name)


class _Rewritten:
    """What is kept of a rewritten function, as long as its code lives."""

    def __init__(self, code: types.CodeType, tree: Any, record: str) -> None:
        self.code, self.tree, self.record = code, tree, record


_known: dict[int, tuple[Any, _Rewritten]] = {}  # by identity of the user's code object


def _rewritten_code(fn: types.FunctionType) -> _Rewritten:
    code = fn.__code__
    found = _known.get(id(code))
    if found is not None and found[0]() is code:
        return found[1]
    with room_for(MANY):
        tree = gast.gast_to_ast(parsed_node(code, code.co_filename, fn.__qualname__))
    made = rewrite_tree(tree, code, fn.__globals__, fn.__qualname__)
    key = id(code)

    def forget(_: Any) -> None:
        if _known is not None:  # else the interpreter ends
            _, gone = _known.pop(key)
            origins.forget(gone.code)

    _known[key] = weakref.ref(code, forget), made
    return made


def rewrite_tree(
    tree: Any, code: types.CodeType, globals_: dict[str, Any], qualname: str
) -> _Rewritten:
    with room_for(MANY):
        rewriter = Rewriter(tree, code, globals_, qualname)
        if isinstance(tree, ast.Lambda):
            made = rewriter.visit(tree)
        elif isinstance(tree, ast.FunctionDef):
            tree.decorator_list = []
            tree.args = rewriter.visit(tree.args)
            tree.args.defaults = [ast.Constant(None) for _ in tree.args.defaults]
            tree.args.kw_defaults = [
                None if d is None else ast.Constant(None) for d in tree.args.kw_defaults
            ]
            tree.returns = None
            tree.body = rewriter.block(tree.body)
            made = tree
        else:
            raise rewriter.refuse(tree, "a coroutine is not supported", "Write a plain function.")
        ast.fix_missing_locations(made)
        free = [rewriter.record, *code.co_freevars]
        compiled = _compiled(made, code.co_filename, free)
    origins.remember(compiled)
    return _Rewritten(compiled, made, rewriter.record)


_functions: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def rewritten(fn: types.FunctionType) -> types.FunctionType:
    """The function with its operations noted; it shares globals, defaults and cells with `fn`."""
    code = fn.__code__
    if origins.is_rewritten(code):
        return fn
    known = _functions.get(fn)
    if known is not None and known[0] is code:
        made = known[1]
    else:
        with compiling():
            made = with_cells(_rewritten_code(fn), fn)
        if fn.__closure__ is None:  # a cell may hold the function, and would keep it alive
            _functions[fn] = code, made
    made.__defaults__ = fn.__defaults__
    made.__kwdefaults__ = fn.__kwdefaults__
    return made


def with_cells(kept: _Rewritten, fn: types.FunctionType) -> types.FunctionType:
    from . import namespace

    cells = dict(zip(fn.__code__.co_freevars, fn.__closure__ or ()))
    cells[kept.record] = types.CellType(namespace.record)
    closure = tuple(cells[n] for n in kept.code.co_freevars)
    made = types.FunctionType(kept.code, fn.__globals__, fn.__name__, None, closure)
    made.__qualname__, made.__module__ = fn.__qualname__, fn.__module__
    return made


def noted_form(tree: ast.FunctionDef, fn: types.FunctionType) -> types.FunctionType:
    """The function of a tree that is not in a file, with its operations noted."""
    return with_cells(rewrite_tree(copy.deepcopy(tree), fn.__code__, fn.__globals__, ""), fn)


def text_of(fn: types.FunctionType) -> str:
    """The rewritten function as text."""
    tree = _rewritten_code(fn).tree
    if isinstance(tree, ast.Lambda):
        tree = _at(ast.Assign([ast.Name("lambda_", ast.Store())], tree), tree)
    return to_source(tree).rstrip("\n")
