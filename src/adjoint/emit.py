"""Core -> the text of a function that an expert could have written."""

from __future__ import annotations

import ast
import builtins
import functools
import keyword
import math
import operator
import re
import types
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import core
from .analysis.boxed import boxed_vars
from .analysis.unbound import checked_vars
from .control import stop_gradient
from .core import (
    COUNT,
    UNDEFINED,
    Atom,
    Block,
    Const,
    External,
    For,
    Function,
    If,
    Intrinsic,
    Op,
    Stmt,
    Var,
)
from .errors import Origin, UnsupportedSyntaxError
from .folding import Folding, unpacked
from .infer import constant
from .lower.expressions import BINARY, COMPARE, UNARY
from .lower.state import Bound, Closure, Instance
from .names import Names
from .releases import releases
from .rules.methods import ATTRIBUTES, METHODS
from .runtime.checks import check_finite, check_nan
from .runtime.structs import with_parts
from .types import Array, Struct, Symbols, Type, array_namespace

with warnings.catch_warnings():
    # astor 0.8.1 touches names that Python 3.12 deprecates, when it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    import astor


@dataclass
class Emitted:
    """The text of a function and of those that it calls, and what it needs to run."""

    text: str
    name: str
    header: str = ""  # the imports that make the text a file of its own
    origins: dict[int, Origin] = field(default_factory=dict)  # line of the text -> user's line
    # line, as text -> the expressions in it that come from places of their own
    pieces: dict[str, list[tuple[ast.expr, Origin]]] = field(default_factory=dict)
    bindings: dict[str, Any] = field(default_factory=dict)  # name -> value
    live: dict[str, External] = field(default_factory=dict)  # name -> where to read it anew


_MOST_DEAD = 3  # large arrays that are not needed any more, before a line deletes them
_NOTHING: Mapping[int, list[str]] = types.MappingProxyType({})
_BINARY = {fn: getattr(ast, op.__name__)() for op, fn in BINARY.items()}
_UNARY = {fn: getattr(ast, op.__name__)() for op, fn in UNARY.items()}
_COMPARE = {fn: getattr(ast, op.__name__)() for op, fn in COMPARE.items()}
_METHOD_NAMES = {fn: name for name, fn in reversed(list(METHODS.items()))}
_ATTRIBUTE_NAMES = {fn: name for name, fn in reversed(list(ATTRIBUTES.items()))}


def emit(
    functions: list[Function], globals_: dict[str, Any], array_module: str, symbols: Symbols
) -> Emitted:
    """The text of `functions`; the last one is the one that is called.

    `globals_` are those of the user's function; `array_module` is what its `np` stands for.
    """
    result = Emitted("", functions[-1].name)
    writer = _Writer(result, functions, globals_, array_module, symbols)
    for function in functions:
        writer.function(function)
    result.text = "\n".join(writer.lines) + "\n"
    result.header = writer.header()
    return result


class _Writer:
    def __init__(
        self,
        result: Emitted,
        functions: list[Function],
        globals_: dict[str, Any],
        array_module: str,
        symbols: Symbols,
    ) -> None:
        self.result = result
        self.symbols = symbols
        self.globals = globals_
        self.array_module = array_module
        self.lines: list[str] = []
        self.pieces: list[tuple[ast.expr, Origin]] = []  # of the line that is being written
        self.depth = 0
        self.comment: Origin | None = None
        self.origin: Origin | None = None  # of the statement that is being written
        self.np = _alias(globals_, np, "np")
        self.modules: dict[str, str] = {}  # alias -> module, for the header
        self.helpers: dict[str, list[str]] = {}
        self.externals: dict[int, str] = {}
        self.params = {p.name for f in functions for p in f.params}
        # Globals that are assigned: what was read of them before has to be kept.
        self.assigned = {
            s.args[1].value  # type: ignore[union-attr]
            for f in functions
            for s in core.walk(f.body)
            if isinstance(s, Op) and s.fn is core.SETATTR
        }
        self.functions = _unique_names(functions)
        self.reserved = set(self.functions.values())
        for function in functions:
            self._collect_reserved(function.body)
        self.unread = "_"  # what values that nobody reads are stored to
        while self.unread in self.params | self.reserved:
            self.unread += "_"
        self.reserved.add(self.unread)

    # -- names from outside ---------------------------------------------------------------

    def _collect_reserved(self, block: Block) -> None:
        self.reserved.add(self.np)

        def see(atom: Atom) -> Atom:
            if isinstance(atom, Var) and atom.external is not None:
                self.reserved.add(atom.external.name)
            elif isinstance(atom, Const) and atom.path:
                self.reserved.add(atom.path.split(".")[0])
            elif isinstance(atom, Const) and callable(atom.value):
                self.reserved.add(_own_name(atom.value))
            return atom

        core.rewrite(block, see)
        for stmt in core.walk(block):
            if isinstance(stmt, Op) and not isinstance(stmt.fn, Intrinsic):
                if _numpy_path(stmt.fn) is None:
                    self.reserved.add(getattr(stmt.fn, "__name__", ""))

    def external(self, external: External, path: str) -> ast.expr:
        """An expression that reads a value from outside the function at run time."""
        name = path.split(".")[0]
        if (
            external.kind == "global"
            and external.holder is self.globals
            and name not in self.params
            and name not in self.assigned
        ):
            return _parse(path)
        key = (
            id(external.holder) if external.kind != "global" else hash((id(external.holder), name))
        )
        key = hash((key, path))
        if key not in self.externals:
            value = external.read()
            bound = self.free_name(path.replace(".", "_"), value)
            if _is_ours(value) and getattr(value, "__name__", None) == bound:
                self.imported(value)
            self.externals[key] = bound
            self.result.bindings[bound] = value
            self.result.live[bound] = external
        return _name(self.externals[key])

    def free_name(self, name: str, value: Any) -> str:
        """A name that can be bound to a value: one that means nothing else here."""
        name = "".join(c if c.isalnum() else "_" for c in name.strip("<>")) or "function"
        if keyword.iskeyword(name) or not name.isidentifier():
            name += "_" if name.isidentifier() else "function"
        while not (
            name not in self.params
            and self.result.bindings.get(name, value) is value
            and (self.globals.get(name, value) is value or name in self.result.bindings)
        ):
            name += "_"
        return name

    def helper(self, fn: Any) -> ast.expr:
        """A function of our own, which generated code calls by its name."""
        self.result.bindings[fn.__name__] = fn
        self.imported(fn)
        return _name(fn.__name__)

    def imported(self, fn: Any) -> None:
        """Import a function of our own at the top of the text."""
        names = self.helpers.setdefault(fn.__module__, [])
        if fn.__name__ not in names:
            names.append(fn.__name__)

    def module(self, module: types.ModuleType, default: str) -> str:
        alias = _alias(self.globals, module, default)
        if alias in self.params:
            alias = f"{alias}_module"
        self.modules[alias] = module.__name__
        self.result.bindings[alias] = module
        return alias

    def np_name(self) -> str:
        alias = self.np if self.np not in self.params else "np_module"
        self.modules[alias] = self.array_module
        self.result.bindings[alias] = array_namespace(self.array_module)
        return alias

    def header(self) -> str:
        lines = []
        for alias, module in self.modules.items():
            lines.append(f"import {module}" + ("" if alias == module else f" as {alias}"))
        for module, names in self.helpers.items():
            lines.append(f"from {module} import {', '.join(names)}")
        return "\n".join(lines)

    def callee(self, fn: Any, op: Op) -> ast.expr:
        """An expression for the function that an operation calls."""
        if isinstance(fn, types.BuiltinFunctionType) and fn.__module__ == "math":
            return ast.Attribute(_name(self.module(math, "math")), str(fn.__name__), ast.Load())
        path = _numpy_path(fn)
        if path is not None:
            return _parse(f"{self.np_name()}.{path}")
        if getattr(builtins, getattr(fn, "__name__", ""), None) is fn:
            return _name(fn.__name__)  # type: ignore[union-attr]
        if _is_ours(fn):
            return self.helper(fn)
        name = self.free_name(_own_name(fn), fn)
        self.result.bindings[name] = fn
        return _name(name)

    # -- lines ----------------------------------------------------------------------------

    def line(self, text: str, origin: Origin | None) -> None:
        if self.pieces:
            self.result.pieces.setdefault(text.split("\n")[0].strip(), []).extend(self.pieces)
            self.pieces = []
        if text:
            for part in text.split("\n"):
                self.lines.append("    " * self.depth + part)
                if origin is not None:
                    self.result.origins[len(self.lines)] = origin
        else:
            self.lines.append("")

    def write(self, node: ast.stmt, stmt: Any) -> None:
        origin = stmt.origin if stmt is not None else None
        self.note(stmt)
        self.line(_to_source(node), origin)

    def note(self, stmt: Any) -> None:
        """The user's line above the statements that differentiate it."""
        if stmt is None or not stmt.backward or stmt.origin is None:
            return
        if isinstance(stmt, Op) and stmt.tangent:
            return
        origin = stmt.origin
        if self.comment is None or _statement(origin) != _statement(self.comment):
            text = origin.text
            if text:
                self.line(f"# {text}", None)
        self.comment = origin

    def function(self, function: Function) -> None:
        if self.lines:
            self.line("", None)
            self.line("", None)
        self.folding = Folding(function)
        self.unpacked = unpacked(function.body, self.folding)
        for parts in self.unpacked.values():
            for part in parts:
                self.folding.folded.pop(part, None)  # type: ignore[arg-type]
        self.taken = {p for parts in self.unpacked.values() for p in parts if p is not None}
        reserved = self.reserved - {p.name for p in function.params}
        self.names = Names(function, reserved, self.folding.folded)
        folded = self.folding.folded
        self.checked = checked_vars(function)
        self.boxed = {self.names[v] for v in boxed_vars(function) if v not in folded}
        name = self.functions[id(function)]
        self.line(f"def {name}({self._signature(function)}):", function.origin)
        self.depth += 1
        if function.doc:
            self.line(f'"""{function.doc}"""', None)
        self.comment = None
        self.block(function.body, releases(function, folded, self.names, self.symbols))
        self.line(_to_source(ast.Return(self.atom(function.result))), None)
        self.depth -= 1

    def _signature(self, function: Function) -> str:
        kinds = function.defaults.get("signature")
        if kinds is None:
            return ", ".join(self.names[p] for p in function.params)
        return kinds

    def block(self, block: Block, released: Mapping[int, list[str]] = _NOTHING) -> None:
        """`released`: position of a statement -> the names that are not needed after it."""
        opened: list[int] = []  # where the lines of each `with` block start
        dead: list[str] = []
        for position, stmt in enumerate(block.stmts):
            if dead and (len(dead) >= _MOST_DEAD or self.starts_group(stmt)):
                self.line(f"del {', '.join(dead)}", None)
                dead = []
            if isinstance(stmt, Op) and stmt.fn is core.ENTER:
                self.enter(stmt)
                opened.append(len(self.lines))
            elif isinstance(stmt, Op) and stmt.fn is core.LEAVE:
                if len(self.lines) == opened.pop():
                    self.line("pass", stmt.origin)
                self.depth -= 1
            elif isinstance(stmt, Op):
                self.op(stmt)
            elif isinstance(stmt, If):
                self.branch(stmt)
            else:
                self.loop(stmt)
            dead += released.get(position, ())
        if dead:
            self.line(f"del {', '.join(dead)}", None)

    def starts_group(self, stmt: Stmt) -> bool:
        """Whether a statement is printed, and not under the comment that stands above."""
        if isinstance(stmt, Op) and stmt.target in self.folding.folded:
            return False
        if not stmt.backward or stmt.origin is None or self.comment is None:
            return True
        return _statement(stmt.origin) != _statement(self.comment)

    def enter(self, op: Op) -> None:
        """The head of a `with` block; what follows is written inside, up to its end."""
        self.note(op)
        manager = _expr_source(self.atom(op.args[0]))
        named = ""
        if op.target is not None and self.folding.uses[op.target]:
            named = f" as {self.names[op.target]}"
        self.line(f"with {manager}{named}:", op.origin)
        self.depth += 1

    def op(self, op: Op) -> None:
        if op.target is not None and op.target in self.folding.folded:
            return
        self.origin = op.origin or self.origin
        if op.target in self.taken and op.fn is operator.getitem:
            return
        if op.target in self.unpacked:
            parts = self.unpacked[op.target]
            value = self.popped(op) if op.fn is core.POP else self.expression(op)
            self.write(ast.Assign([self._parts(parts)], value), op)
            return
        if op.version is not None:
            self.in_place(op)
        elif op.fn is core.RAISE:
            self.write(ast.Raise(self.atom(op.args[0]), None), op)
        elif op.fn is core.SETATTR:
            name = op.args[1].value  # type: ignore[union-attr]
            place = ast.Attribute(self.atom(op.args[0]), name, ast.Store())
            self.write(ast.Assign([place], self.value(op.args[2])), op)
        elif op.fn is core.CHECK:
            self.check(op)
        elif op.fn is core.ASSERT:
            message = self.atom(op.args[1]) if len(op.args) > 1 else None
            self.write(ast.Assert(self.atom(op.args[0]), message), op)
        elif op.target is None or self.folding.uses[op.target] == 0:
            self.write(ast.Expr(self.expression(op)), op)
        else:
            self.assign(op.target, self.expression(op), op)

    def check(self, op: Op) -> None:
        """check_nan(h, "h"): the variable and its name."""
        what = op.kwargs["what"].value  # type: ignore[union-attr]
        value = self.atom(op.args[0])
        args = [value, ast.Constant(_expr_source(value)), *map(self.atom, _sweep_of(op))]
        check = {"nan": check_nan, "inf": check_finite}[what]
        self.write(ast.Expr(ast.Call(self.helper(check), args, [])), op)

    def assign(self, target: Var, value: ast.expr, stmt: Any) -> None:
        name = self.names[target]
        if isinstance(value, ast.Name) and value.id == name:
            return
        # x = x + y, of numbers, is x += y. (Of arrays only where the memory is known to be ours.)
        if (
            isinstance(value, ast.BinOp)
            and isinstance(value.left, ast.Name)
            and value.left.id == name
            and core_is_number(target)
            and name not in self.boxed
        ):
            self.write(ast.AugAssign(_store(name), value.op, value.right), stmt)
            return
        self.write(ast.Assign([_store(name)], value), stmt)

    def _parts(self, parts: list[Var | None]) -> ast.expr:
        names = [_store(self.unread if p is None else self.names[p]) for p in parts]
        return ast.Tuple(names, ast.Store())  # type: ignore[arg-type]

    def in_place(self, op: Op) -> None:
        target = self.atom(op.args[0])
        if op.fn is core.STORE and op.style == "out" and self._out(op, target):
            return
        if op.fn is core.STORE:
            place = ast.Subscript(target, self.index(op.args[1]), ast.Store())
            self.write(ast.Assign([place], self.atom(op.args[2])), op)
        elif op.fn in (core.STORE_ADD, core.STORE_SUB):
            place = ast.Subscript(target, self.index(op.args[1]), ast.Store())
            sign = ast.Add() if op.fn is core.STORE_ADD else ast.Sub()
            self.write(ast.AugAssign(place, sign, self.atom(op.args[2])), op)
        elif op.fn is core.ADD_AT:
            call = ast.Call(
                _parse(f"{self.np_name()}.add.at"), [target, *map(self.atom, op.args[1:])], []
            )
            self.write(ast.Expr(call), op)
        elif op.fn is core.APPEND:
            call = ast.Call(
                ast.Attribute(target, "append", ast.Load()), [self.atom(op.args[1])], []
            )
            self.write(ast.Expr(call), op)
        elif op.fn is core.POP:
            value = self.popped(op)
            if op.target is not None and self.folding.uses[op.target]:
                self.write(ast.Assign([_store(self.names[op.target])], value), op)
            else:
                self.write(ast.Expr(value), op)
        elif op.fn is core.REVERSE:
            call = ast.Call(ast.Attribute(target, "reverse", ast.Load()), [], [])
            self.write(ast.Expr(call), op)
        elif len(op.args) == 1:
            # Not `out=`: a function that writes over what it reads may be ten times slower.
            value = ast.Call(self.callee(op.fn, op), [target], [])
            self.write(ast.Assign([_as_store(target)], value), op)
        else:
            value = self.atom(op.args[1])
            self.write(ast.AugAssign(_as_store(target), _BINARY[op.fn], value), op)

    def popped(self, op: Op) -> ast.expr:
        return ast.Call(ast.Attribute(self.atom(op.args[0]), "pop", ast.Load()), [], [])

    def _out(self, op: Op, target: ast.expr) -> bool:
        """np.multiply(x, y, out=z), if the product is printed here."""
        value = op.args[2]
        if not isinstance(value, Var) or value not in self.folding.folded:
            return False
        call = self.atom(value)
        if not isinstance(call, ast.Call):
            return False
        call.keywords.append(ast.keyword("out", target))
        self.write(ast.Expr(call), op)
        return True

    # -- branches and loops ---------------------------------------------------------------

    def branch(self, stmt: If) -> None:
        then = self._captured(stmt.then, stmt)
        orelse = self._captured(stmt.orelse, stmt)
        if not then and not orelse:
            return
        test = self.atom(stmt.test)
        self.note(stmt)
        if not then:
            test, then, orelse = _negated(test), orelse, []
        self.line(f"if {_expr_source(test)}:", stmt.origin)
        self._append(then)
        if orelse:
            if _is_single_if(orelse):
                self._append_elif(orelse)
            else:
                self.line("else:", None)
                self._append(orelse)

    def _side(self, block: Block, stmt: If) -> None:
        self.block(block)
        self.copies(stmt.results, block.yields, stmt)

    def _captured(self, block: Block, stmt: If) -> list[tuple[str, Origin | None]]:
        """The lines of one side of a branch, one level deeper, kept back."""
        lines, origins, comment = self.lines, self.result.origins, self.comment
        self.lines, self.result.origins = [], {}
        if stmt.backward and stmt.origin is not None:
            self.comment = stmt.origin  # its line stands above the branch
        self.depth += 1
        self._side(block, stmt)
        self.depth -= 1
        found = [(t, self.result.origins.get(i + 1)) for i, t in enumerate(self.lines)]
        self.lines, self.result.origins, self.comment = lines, origins, comment
        return found

    def _append(self, lines: list[tuple[str, Origin | None]]) -> None:
        for text, origin in lines:
            self.lines.append(text)
            if origin is not None:
                self.result.origins[len(self.lines)] = origin

    def _append_elif(self, lines: list[tuple[str, Origin | None]]) -> None:
        indent = "    " * (self.depth + 1)
        first = next(i for i, (t, _) in enumerate(lines) if t.startswith(indent + "if "))
        for position, (text, origin) in enumerate(lines):
            text = text[4:]
            if position == first:
                text = "    " * self.depth + "el" + text.lstrip()
            self._append([(text, origin)])

    def copies(self, targets: list[Var], values: list[Atom], stmt: Any) -> None:
        """Give variables their values at the end of a block, all at once."""
        pairs: list[tuple[str, ast.expr, Var]] = []
        for target, value in zip(targets, values, strict=True):
            if value is UNDEFINED:
                if self.folding.uses[target]:
                    pairs.append((self.names[target], ast.Constant(None), target))
                continue
            if (
                isinstance(value, Var)
                and value.root is target.root
                and value not in self.folding.folded
            ):
                continue
            if self.folding.uses[target] == 0:
                continue
            expr = self.atom(value)
            name = self.names[target]
            if not (isinstance(expr, ast.Name) and expr.id == name):
                pairs.append((name, expr, target))
        names = {name for name, _, _ in pairs}
        entangled = any(
            isinstance(n, ast.Name) and n.id in names - {name}
            for name, expr, _ in pairs
            for n in ast.walk(expr)
        )
        if entangled:
            left = ast.Tuple([_store(n) for n, _, _ in pairs], ast.Store())  # type: ignore[arg-type]
            right = ast.Tuple([e for _, e, _ in pairs], ast.Load())
            self.write(ast.Assign([left], right), stmt)
            return
        for _, expr, target in pairs:
            self.assign(target, expr, stmt)

    def loop(self, stmt: Any) -> None:
        self.copies_in(stmt)
        self.note(stmt)
        if isinstance(stmt, For):
            self._for(stmt)
        else:
            self._while(stmt)

    def copies_in(self, stmt: Any) -> None:
        """What the loop carries gets its first value: None, if it has none and is read."""
        pairs = [
            (p, i)
            for p, i in zip(stmt.params, stmt.inits, strict=True)
            if self._needed(stmt, p)
            if i is not UNDEFINED or self.folding.uses[p] or self._may_not_run(stmt)
        ]
        self._copies(pairs, stmt)

    def _may_not_run(self, stmt: Any) -> bool:
        """Whether it is asked for any value of a loop if its body has ever given it."""
        carried = zip(stmt.results, stmt.inits, strict=True)
        return any(i is UNDEFINED and r in self.checked for r, i in carried)

    def _needed(self, stmt: Any, param: Var) -> bool:
        result = stmt.results[stmt.params.index(param)]
        return bool(self.folding.uses[param] or self.folding.uses[result])

    def _copies(self, pairs: list[tuple[Var, Atom]], stmt: Any) -> None:
        uses = self.folding.uses
        for param, _ in pairs:
            uses[param] += 1
        self.copies([p for p, _ in pairs], [a for _, a in pairs], stmt)
        for param, _ in pairs:
            uses[param] -= 1

    def _body(self, stmt: Any) -> None:
        before = len(self.lines)
        self.comment = None
        self.block(stmt.body)
        pairs = [
            (p, y)
            for p, y in zip(stmt.params, stmt.body.yields, strict=False)
            if self._needed(stmt, p)
        ]
        self._copies(pairs, stmt)
        stop = stmt.stop
        if not (isinstance(stop, Const) and stop.value is False):
            self.line(f"if {_expr_source(self.atom(stop))}:", stmt.origin)
            self.line("    break", stmt.origin)
        if len(self.lines) == before:
            self.line("pass", None)

    def _for(self, stmt: For) -> None:
        target, iterable = self._header(stmt)
        self.line(f"for {_target_source(target)} in {_expr_source(iterable)}:", stmt.origin)
        self.depth += 1
        self._body(stmt)
        self.depth -= 1
        self.comment = None

    def _header(self, stmt: For) -> tuple[ast.expr, ast.expr]:
        counted = [(i, s) for i, s in zip(stmt.items, stmt.iterables) if s is COUNT]
        others = [(i, s) for i, s in zip(stmt.items, stmt.iterables) if s is not COUNT]
        counted = [(i, s) for i, s in counted if i is not None and self.folding.uses[i]]
        targets = [self._item(i) for i, _ in others]
        if len(others) == 1:
            target, iterable = targets[0], self.atom(others[0][1])
        else:
            target = ast.Tuple(targets, ast.Store())
            iterable = ast.Call(_name("zip"), [self.atom(s) for _, s in others], [])
        if counted:
            target = ast.Tuple([self._item(counted[0][0]), target], ast.Store())
            iterable = ast.Call(_name("enumerate"), [iterable], [])
        return target, iterable

    def _item(self, item: Var | None) -> ast.expr:
        if item is None or not self.folding.uses[item]:
            return _store(self.unread)
        if item in self.unpacked:
            return self._parts(self.unpacked[item])
        return _store(self.names[item])

    def _while(self, stmt: Any) -> None:
        plain = all(isinstance(s, Op) and s.target in self.folding.folded for s in stmt.cond.stmts)
        if plain:
            self.line(f"while {_expr_source(self.atom(stmt.cond.yields[0]))}:", stmt.origin)
        else:
            self.line("while True:", stmt.origin)
        self.depth += 1
        if not plain:
            self.block(stmt.cond)
            test = _negated(self.atom(stmt.cond.yields[0]))
            self.line(f"if {_expr_source(test)}:", stmt.origin)
            self.line("    break", stmt.origin)
        self._body(stmt)
        self.depth -= 1
        self.comment = None

    # -- expressions ----------------------------------------------------------------------

    def atom(self, atom: Atom) -> ast.expr:
        if isinstance(atom, Var):
            if atom.external is not None:
                return self.external(atom.external, atom.external.name)
            if atom in self.folding.folded:
                folded = self.folding.folded[atom]
                node = self.expression(folded)
                if folded.origin is not None:
                    self.pieces.append((node, folded.origin))
                return node
            return _name(self.names[atom])
        if atom is UNDEFINED:
            return ast.Constant(None)
        if atom.path is not None:
            return self.path(atom)
        return self.literal(atom.value)

    def path(self, atom: Const) -> ast.expr:
        assert atom.path is not None
        value, path = atom.value, atom.path
        if isinstance(value, types.ModuleType):
            if value is np:
                return _parse(self.np_name())
            if value is math:
                return _name(self.module(math, "math"))
        if isinstance(value, type) and value.__module__ == "adjoint.errors":
            return self.helper(value)
        if atom.external is not None:
            holder = atom.external
            if holder.kind == "global" and isinstance(
                holder.holder.get(holder.name), types.ModuleType
            ):
                module = holder.holder[holder.name]
                if module is np:
                    return _parse(".".join([self.np_name(), *path.split(".")[1:]]))
                if module is math:
                    return _parse(".".join([self.module(math, "math"), *path.split(".")[1:]]))
            if holder.kind == "module" and holder.holder is np:
                return _parse(f"{self.np_name()}.{holder.name}")
            if holder.kind == "module" and holder.holder is math:
                return _parse(f"{self.module(math, 'math')}.{holder.name}")
            return self.external(holder, path)
        return _parse(path)

    def literal(self, value: Any) -> ast.expr:
        if isinstance(value, (tuple, list)):
            items = [self.literal(v) for v in value]
            cls = ast.Tuple if isinstance(value, tuple) else ast.List
            return cls(items, ast.Load())  # type: ignore[arg-type]
        if isinstance(value, dict):
            return ast.Dict(
                [self.literal(k) for k in value], [self.literal(v) for v in value.values()]
            )
        if isinstance(value, np.dtype):
            return _parse(f"{self.np_name()}.{_dtype_name(value)}")
        if isinstance(value, slice):
            parts = [
                None if p is None else self.literal(p)
                for p in (value.start, value.stop, value.step)
            ]
            return ast.Slice(*parts)
        if isinstance(value, np.generic):
            value = value.item()
        if (
            isinstance(value, bool)
            or value is None
            or value is Ellipsis
            or isinstance(value, (str, bytes))
        ):
            return ast.Constant(value)
        if isinstance(value, (int, float)):
            return self._number(value)
        if isinstance(value, complex):
            return _parse(repr(value))
        if isinstance(value, (Instance, Closure, Bound)):
            name = value.cls.__name__ if isinstance(value, Instance) else value.__name__
            raise UnsupportedSyntaxError(
                f"`{name}`, which is made inside, is kept where only the run can find it",
                self.origin,
                "Use it where it is made, or define it outside.",
            )
        if callable(value):
            return self.callee(value, None)  # type: ignore[arg-type]
        bound = f"constant_{len(self.result.bindings)}"
        self.result.bindings[bound] = value
        return _name(bound)

    def _number(self, value: float) -> ast.expr:
        if isinstance(value, float) and not math.isfinite(value):
            name = "nan" if math.isnan(value) else "inf"
            expr: ast.expr = _parse(f"{self.np_name()}.{name}")
            return ast.UnaryOp(ast.USub(), expr) if value < 0 else expr
        if value < 0 or (value == 0 and math.copysign(1, value) < 0):
            return ast.UnaryOp(ast.USub(), ast.Constant(-value))
        return ast.Constant(value)

    def index(self, atom: Atom) -> ast.expr:
        """An index: slices are written with colons."""
        if isinstance(atom, Const) and isinstance(atom.value, tuple) and atom.path is None:
            return ast.Tuple([self.literal(v) for v in atom.value], ast.Load())
        if isinstance(atom, Var) and atom in self.folding.folded:
            op = self.folding.folded[atom]
            if op.fn is core.SLICE:
                return self.slice(op)
            if op.fn is core.TUPLE:
                return ast.Tuple([self.index(a) for a in op.args], ast.Load())
        return self.atom(atom)

    def slice(self, op: Op) -> ast.expr:
        parts = [
            None if isinstance(a, Const) and a.value is None else self.atom(a) for a in op.args
        ]
        return ast.Slice(*parts)

    def expression(self, op: Op) -> ast.expr:
        fn = op.fn
        if isinstance(fn, Intrinsic):
            return self.intrinsic(op)
        if fn is operator.getitem:
            if isinstance(op.args[0].type, Struct):
                return self.part(op)
            return ast.Subscript(self.atom(op.args[0]), self.index(op.args[1]), ast.Load())
        if op.style == "operator":
            args = [self.atom(a) for a in op.args]
            if fn in _BINARY:
                return ast.BinOp(args[0], _BINARY[fn], args[1])
            if fn in _UNARY:
                return ast.UnaryOp(_UNARY[fn], args[0])
            return ast.Compare(args[0], [_COMPARE[fn]], [args[1]])
        if op.style == "attribute" and fn in _ATTRIBUTE_NAMES:
            return ast.Attribute(self.atom(op.args[0]), _ATTRIBUTE_NAMES[fn], ast.Load())
        if op.style == "method" and fn in _METHOD_NAMES:
            method = ast.Attribute(self.atom(op.args[0]), _METHOD_NAMES[fn], ast.Load())
            return self.call(method, op.args[1:], op.kwargs)
        if fn is np.expand_dims and len(op.args) == 2 and isinstance(op.args[1], Const):
            index = _new_axes(op)
            if index is not None:
                return ast.Subscript(self.atom(op.args[0]), _parse(index).slice, ast.Load())  # type: ignore[attr-defined]
        if fn is np.mean and len(op.args) == 1 and not op.kwargs and _has_quick_mean(op.args[0]):
            # As NumPy computes it, without the detour through Python that np.mean takes.
            total = ast.Attribute(self.atom(op.args[0]), "sum", ast.Load())
            size = ast.Attribute(self.atom(op.args[0]), "size", ast.Load())
            return ast.BinOp(ast.Call(total, [], []), ast.Div(), size)
        if fn in _SHORT_METHODS and op.args and _is_array(op.args[0]):
            method = ast.Attribute(self.atom(op.args[0]), _METHOD_NAMES[fn], ast.Load())
            return self.call(method, op.args[1:], op.kwargs)
        if fn in _SPREADING and core_is_scalar(op.args[0]):
            return self.spread(op)
        if fn is np.broadcast_to and op.backward and _may_be_pythons(op.args[0].type):
            return self.spread(op)
        if fn is np.absolute and op.target is not None and core_is_scalar(op.target):
            return self.call(_name("abs"), op.args, op.kwargs)
        if fn is stop_gradient:
            return self.atom(op.args[0])
        return self.call(self.callee(fn, op), op.args, op.kwargs)

    def rebuilt(self, op: Op, keys: tuple[str, ...]) -> ast.expr:
        """An object with other parts: with_parts(net, weight=d_weight)."""
        like, parts = self.atom(op.kwargs["like"]), list(map(self.value, op.args))
        callee = self.callee(with_parts, op)
        if all(k.isidentifier() and not keyword.iskeyword(k) for k in keys):
            named = [ast.keyword(k, v) for k, v in zip(keys, parts, strict=True)]
            return ast.Call(callee, [like], named)
        return ast.Call(callee, [like, *parts], [])

    def part(self, op: Op) -> ast.expr:
        """A part of an object: net.layer, or net[0] where the parts are numbered."""
        owner, key = self.atom(op.args[0]), op.args[1].value  # type: ignore[union-attr]
        if key.isidentifier() and not keyword.iskeyword(key):
            return ast.Attribute(owner, key, ast.Load())
        keys = op.args[0].type.keys  # type: ignore[attr-defined]
        if keys == tuple(map(str, range(len(keys)))):
            return ast.Subscript(owner, self.literal(int(key)), ast.Load())
        return ast.Call(_name("getattr"), [owner, self.literal(key)], [])

    def spread(self, op: Op) -> ast.expr:
        """A number as an array, in the dtype that it stands for."""
        t = op.target.type if op.target is not None else None
        dtype = t.element if isinstance(t, Array) and t.element != np.float64 else None
        if self.array_module != "numpy":  # its functions take no plain numbers
            args = [_spread_shape(op), op.args[0], *([] if dtype is None else [constant(dtype)])]
            return self.call(_parse(f"{self.np_name()}.full"), args, {})
        callee = self.callee(op.fn, op)
        if dtype is None or op.fn is not np.broadcast_to:
            return self.call(callee, op.args, op.kwargs)
        number = ast.Call(self.literal(dtype), [self.value(op.args[0])], [])
        return ast.Call(callee, [number, self.value(op.args[1])], [])

    def call(self, fn: ast.expr, args: list[Atom], kwargs: dict[str, Atom]) -> ast.expr:
        keywords = [ast.keyword(k, self.value(a)) for k, a in kwargs.items()]
        return ast.Call(fn, [self.value(a) for a in args], keywords)

    def value(self, atom: Atom) -> ast.expr:
        """An argument: slices are objects here."""
        if isinstance(atom, Const) and isinstance(atom.value, slice) and atom.path is None:
            bounds = [self.literal(v) for v in (atom.value.start, atom.value.stop, atom.value.step)]
            return ast.Call(_name("slice"), bounds, [])
        if isinstance(atom, Const) and isinstance(atom.value, tuple) and atom.path is None:
            parts = [self.value(Const(v, atom.type)) for v in atom.value]
            return ast.Tuple(parts, ast.Load())
        if isinstance(atom, Var) and atom in self.folding.folded:
            op = self.folding.folded[atom]
            if op.fn is core.TUPLE and not op.kwargs:
                return ast.Tuple([self.value(a) for a in op.args], ast.Load())
        return self.atom(atom)

    def intrinsic(self, op: Op) -> ast.expr:
        fn, args = op.fn, op.args
        if fn is core.TUPLE:
            if "cls" in op.kwargs:
                return ast.Call(self.atom(op.kwargs["cls"]), [self.atom(a) for a in args], [])
            return ast.Tuple([self.value(a) for a in args], ast.Load())
        if fn is core.LIST:
            return ast.List([self.value(a) for a in args], ast.Load())
        if fn is core.DICT:
            keys = op.kwargs["keys"].value  # type: ignore[union-attr]
            if "like" in op.kwargs:
                return self.rebuilt(op, keys)
            return ast.Dict([self.literal(k) for k in keys], [self.value(a) for a in args])
        if fn is core.SLICE:
            return ast.Call(_name("slice"), [self.atom(a) for a in args], [])
        if fn is core.RANGE:
            return ast.Call(_name("range"), [self.atom(a) for a in args], [])
        if fn is core.ATTRIBUTE:
            return ast.Attribute(self.atom(args[0]), args[1].value, ast.Load())  # type: ignore[union-attr]
        if fn in (core.CALL, core.PURE_CALL):
            return self.call(self.atom(args[0]), args[1:], op.kwargs)
        if fn is core.CALL_CORE:
            callee = op.kwargs["function"].value  # type: ignore[union-attr]
            return self.call(_name(self.functions[id(callee)]), args, {})
        if fn is core.HOOK:
            return self.atom(args[0])
        if fn is core.NOT:
            return _negated(self.atom(args[0]))
        compare = {core.IS: ast.Is(), core.IS_NOT: ast.IsNot(), core.IN: ast.In()}[fn]
        return ast.Compare(self.atom(args[0]), [compare], [self.atom(args[1])])


def _unique_names(functions: list[Function]) -> dict[int, str]:
    """A name for each function; the last one, which is called from outside, keeps its own."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for function in reversed(functions):
        name, number = function.name, 0
        while name in taken:
            number += 1
            name = f"{function.name}_{number}"
        taken.add(name)
        names[id(function)] = name
    return names


def _statement(origin: Origin) -> tuple[str, int]:
    return origin.filename, origin.statement or origin.line


# Written as methods in derivatives: shorter, and quicker by NumPy's dispatch.
_SHORT_METHODS = frozenset({np.sum, np.max, np.min, np.prod, np.reshape, np.cumsum})


# What takes numbers in NumPy, and in other modules only arrays.
_SPREADING = frozenset({np.broadcast_to, np.reshape, np.expand_dims})


def _spread_shape(op: Op) -> Atom:
    """The shape that one of these gives to a number."""
    if op.fn is not np.expand_dims:
        return op.args[1]
    axes = op.args[1].value  # type: ignore[union-attr]
    return constant((1,) * (1 if isinstance(axes, int) else len(axes)))


def _is_array(atom: Atom) -> bool:
    """Whether a value is certainly an array; where the rank is not known, it may be a number."""
    return isinstance(atom.type, Array) and bool(atom.type.dims)


def _may_be_pythons(t: Type) -> bool:
    """Whether a number may be one of Python's, where it is not known to be."""
    return isinstance(t, Array) and t.weak != "" and t.dims == () and t.module == "numpy"


def _has_quick_mean(atom: Atom) -> bool:
    """An array in a variable of its own, of a dtype that NumPy sums as it is."""
    return _is_array(atom) and isinstance(atom.type, Array) and atom.type.element.char in "fdFD"


def _new_axes(op: Op) -> str | None:
    """The index that np.expand_dims stands for: x[:, None]."""
    axes = op.args[1].value  # type: ignore[union-attr]
    t = op.args[0].type
    if not isinstance(t, Array) or not t.dims:
        return None
    axes = (axes,) if isinstance(axes, int) else axes
    rank = len(t.dims) + len(axes)
    places = {a % rank for a in axes}
    entries = ["None" if i in places else ":" for i in range(rank)]
    while len(entries) > 1 and entries[-1] == ":":
        entries.pop()
    return f"_[{', '.join(entries)}]"


# -- small things -----------------------------------------------------------------------------


def core_is_number(var: Var) -> bool:
    from .builder import is_number

    return is_number(var.type)


def core_is_scalar(atom: Atom) -> bool:
    from .types import Scalar

    return isinstance(atom.type, Scalar)


def _negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _OPPOSITE:
        return ast.Compare(test.left, [_OPPOSITE[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


_OPPOSITE = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is}


def _is_single_if(lines: list[tuple[str, Origin | None]]) -> bool:
    """Whether an `else` holds nothing but one `if`, so that it can be an `elif`."""
    depth = len(lines[0][0]) - len(lines[0][0].lstrip())
    top = [t.lstrip() for t, _ in lines if len(t) - len(t.lstrip()) == depth]
    heads = [t for t in top if not t.startswith("#")]  # comments stand above them
    return heads[0].startswith("if ") and all(h.startswith(("elif ", "else:")) for h in heads[1:])


def _target_source(target: ast.expr) -> str:
    text = _expr_source(target)
    enclosed = text.startswith("(") and text.endswith(")") and _balanced(text[1:-1])
    return text[1:-1] if enclosed else text


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _store(name: str) -> ast.Name:
    return ast.Name(name, ast.Store())


def _as_store(node: ast.expr) -> Any:
    return _store(node.id) if isinstance(node, ast.Name) else node


@functools.lru_cache(maxsize=1024)
def _parse(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _to_source(node: ast.stmt) -> str:
    text = astor.to_source(node, indent_with="    ", pretty_source="".join)
    return re.sub(r"\n\s*", " ", text.strip()) if "\n" in text.strip() else text.strip()


def _expr_source(node: ast.expr) -> str:
    text = _to_source(ast.Expr(node))
    if text.startswith("(") and text.endswith(")") and isinstance(node, (ast.Tuple,)):
        return text
    if text.startswith("(") and text.endswith(")") and _balanced(text[1:-1]):
        return text[1:-1]
    return text


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _own_name(fn: Any) -> str:
    """A name for a function that is called by no name of the user's: `Net_layer`, `sum_squares`."""
    qualname = getattr(fn, "__qualname__", None) or getattr(fn, "__name__", "function")
    return str(qualname).rpartition("<locals>.")[2].replace(".", "_")


def _is_ours(value: Any) -> bool:
    return callable(value) and (getattr(value, "__module__", "") or "").startswith("adjoint.")


def _alias(globals_: dict[str, Any], module: Any, default: str) -> str:
    """The name under which the user's file imports a module."""
    if globals_.get(default) is module:
        return default
    for name, value in globals_.items():
        if value is module and not name.startswith("_"):
            return name
    return default if default not in globals_ else f"{default}_"


def _numpy_path(fn: Any) -> str | None:
    """Where a function stands in NumPy: "exp", "linalg.inv"; None if it is not NumPy's."""
    if isinstance(fn, types.MethodDescriptorType):
        return f"ndarray.{fn.__name__}"
    name = getattr(fn, "__name__", "")
    if not name or (isinstance(fn, type) and not issubclass(fn, np.generic)):
        return None
    if np.__dict__.get(name) is fn:
        return name
    for part in ("linalg", "fft", "random"):
        module = np.__dict__.get(part)
        if module is not None and getattr(module, name, None) is fn:
            return f"{part}.{name}"
    return None


def _dtype_name(dtype: np.dtype) -> str:
    return "bool_" if dtype.kind == "b" else dtype.name


def _sweep_of(op: Op) -> list[Atom]:
    return [op.kwargs["sweep"]] if "sweep" in op.kwargs else []
