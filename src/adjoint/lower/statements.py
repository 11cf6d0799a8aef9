"""Statements: assignment, branches and loops become single assignment in structured blocks."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from .. import core
from ..builder import is_mutable, is_number
from ..control import no_grad
from ..core import UNDEFINED, Atom, Block, Const, For, Var, While
from ..errors import AdjointError, UnsupportedSyntaxError
from ..infer import constant
from ..types import (
    INT,
    UNKNOWN,
    Array,
    Dict,
    List,
    Object,
    Range,
    Tuple,
    Type,
    Unknown,
    carries_derivative,
    is_container,
    join,
    join_all,
)
from .expressions import BINARY, EXIT, RETURN, Expressions, is_shared, known_length, truth
from .state import Poison, State

GO_ON, BREAK, CONTINUE, RETURNED, RAISED = range(5)
_MAX_ROUNDS = 12  # of the search for the types that a loop keeps
_MAX_UNROLLED = 64

COUNT = Const(None, Object(enumerate), "<count>")
"""Stands for the counter of `enumerate` among the iterables of a loop."""


class Statements(Expressions):
    # -- blocks ---------------------------------------------------------------------------

    def statements(self, nodes: list[Any]) -> None:
        """Interpret statements up to the first that leaves the block for certain.

        What follows a branch that ends early moves into the other branch, so that nothing has to
        be skipped by a flag; only a branch that *may* end early needs a test of how it ended.
        """
        for position, node in enumerate(nodes):
            rest = nodes[position + 1 :]
            if isinstance(node, gast.If) and rest:
                if always_exits(node.body):
                    self.branch_statement(node, node.body, node.orelse + rest)
                    return
                if node.orelse and always_exits(node.orelse):
                    self.branch_statement(node, node.body + rest, node.orelse)
                    return
            self.statement(node)
            exit_code = self.env[EXIT]
            if isinstance(exit_code, Const) and exit_code.value == GO_ON:
                continue
            if rest and not isinstance(exit_code, Const):
                self._after_possible_exit(exit_code, rest)
            return

    def _after_possible_exit(self, exit_code: Atom, rest: list[Any]) -> None:
        goes_on = self.op(np.equal, exit_code, constant(GO_ON), style="operator")

        def go_on() -> None:
            self.env[EXIT] = constant(GO_ON)
            self.statements(rest)

        self.if_(goes_on, go_on, lambda: None)

    def statement(self, node: Any) -> None:
        method: Callable[[Any], None] | None = getattr(self, f"stmt_{type(node).__name__}", None)
        if method is None:
            name = _STATEMENT_NAMES.get(type(node).__name__, type(node).__name__)
            raise self.refuse(
                f"{name} is not supported", node, _ADVICE.get(type(node).__name__, "")
            )
        outer, self.frame.statement = self.frame.statement, node.lineno
        method(node)
        self.frame.statement = outer

    def stmt_Expr(self, node: Any) -> None:
        if not isinstance(node.value, gast.Constant):
            self.expr(node.value)

    def stmt_Pass(self, node: Any) -> None:
        pass

    def stmt_Global(self, node: Any) -> None:
        self.frame.globals |= frozenset(node.names)

    def stmt_Import(self, node: Any) -> None:
        import importlib

        for alias in node.names:
            module = importlib.import_module(alias.name)
            bound = module if alias.asname else importlib.import_module(alias.name.split(".")[0])
            self.env[alias.asname or alias.name.split(".")[0]] = Const(
                bound, Object(type(bound)), alias.asname or alias.name
            )

    def stmt_Assert(self, node: Any) -> None:
        test = self.expr(node.test)
        message = [self.expr(node.msg)] if node.msg is not None else []
        self.at(node)
        self.b.emit(
            core.Op(
                None,
                core.ASSERT,
                [self.read(test), *map(self.read, message)],
                {},
                "",
                self.b.origin,
            )
        )

    def stmt_Raise(self, node: Any) -> None:
        if node.exc is None or node.cause is not None:
            raise self.refuse("this form of `raise` is not supported", node)
        error = self.expr(node.exc)
        self.at(node)
        self.b.emit(core.Op(None, core.RAISE, [self.read(error)], {}, "", self.b.origin))
        self.env[EXIT] = constant(RAISED)

    def stmt_Delete(self, node: Any) -> None:
        for target in node.targets:
            if not isinstance(target, gast.Name):
                raise self.refuse("`del` of an element is not supported", node)
            self.env[target.id] = UNDEFINED

    def stmt_Return(self, node: Any) -> None:
        value = constant(None) if node.value is None else self.expr(node.value)
        self.env[RETURN] = self.object_of(value)
        self.env[EXIT] = constant(RETURNED)

    def stmt_Break(self, node: Any) -> None:
        self.env[EXIT] = constant(BREAK)

    def stmt_Continue(self, node: Any) -> None:
        self.env[EXIT] = constant(CONTINUE)

    # -- assignment -----------------------------------------------------------------------

    def stmt_Assign(self, node: Any) -> None:
        value = self.expr(node.value)
        for target in node.targets:
            self.assign(target, value)

    def stmt_AnnAssign(self, node: Any) -> None:
        if node.value is not None:
            self.assign(node.target, self.expr(node.value))

    def assign(self, target: Any, value: Atom) -> None:
        self.at(target)
        if isinstance(target, gast.Name):
            if target.id in self.frame.globals:
                raise self.refuse(
                    f"the global `{target.id}` is assigned", target, "Return the value instead."
                )
            self.bind(target.id, self.quiet(value))
        elif isinstance(target, (gast.Tuple, gast.List)):
            self._unpack(target, value)
        elif isinstance(target, gast.Subscript):
            container, index = self.expr(target.value), self.expr(target.slice)
            self.at(target)
            self.store(container, index, value, target)
        else:
            raise self.refuse(
                f"assignment to {_STATEMENT_NAMES.get(type(target).__name__, 'this target')} "
                "is not supported",
                target,
                "Keep the value in a local variable and return it.",
            )

    def _unpack(self, target: Any, value: Atom) -> None:
        targets = target.elts
        starred = [i for i, t in enumerate(targets) if isinstance(t, gast.Starred)]
        length = known_length(value)
        if starred:
            if length is None:
                raise self.refuse("the number of elements to unpack is not known here", target)
            items = self.unpack_all(value, target)
            at = starred[0]
            after = len(targets) - at - 1
            middle = self.op(core.LIST, *items[at : length - after])
            items = [*items[:at], middle, *items[length - after :]]
            names = [*targets[:at], targets[at].value, *targets[at + 1 :]]
            if len(items) != len(names):
                raise self.refuse(f"{length} values cannot be unpacked here", target)
            for t, item in zip(names, items, strict=True):
                self.assign(t, item)
            return
        if length is not None and length != len(targets):
            raise self.refuse(f"{length} values are unpacked into {len(targets)} names", target)
        parts = []
        for i in range(len(targets)):
            parts.append(self.item(value, i))
        for t, part in zip(targets, parts, strict=True):
            self.assign(t, part)

    def store(self, container: Atom, index: Atom, value: Atom, node: Any) -> None:
        """container[index] = value"""
        if isinstance(container, Const):
            raise self.refuse("a constant is changed in place", node)
        made = self.b.definitions.get(container.root)
        t = container.type
        if isinstance(t, Tuple):
            raise self.refuse("a tuple cannot be changed", node)
        if (
            isinstance(t, Array)
            and made is not None
            and made.target is container.root
            and made.fn is operator.getitem
            and isinstance(made.args[0].type, Array)
        ):
            raise self.refuse(
                f"`{container.name}` is a view of `{made.args[0].name}` "  # type: ignore[union-attr]
                "and is changed in place",
                node,
                "Index the whole array instead: a[i, j] = v, not row = a[i]; row[j] = v.",
            )
        self.change(core.STORE, container, index, value, type=_stored(t, index, value, self))
        if is_container(t) and is_shared(value):
            key = index.value if isinstance(index, Const) else None
            self.aliases.put(value.root, container.root, key)

    def stmt_AugAssign(self, node: Any) -> None:
        target = node.target
        if isinstance(target, gast.Name):
            current = self.present(self.load(target.id, target))
            value = self.expr(node.value)
            self.at(node)
            after = self.augmented(current, value, node)
            if after is not None:
                self.bind(target.id, after)
            return
        if not isinstance(target, gast.Subscript):
            raise self.refuse("assignment to an attribute is not supported", node)
        container, index = self.expr(target.value), self.expr(target.slice)
        if isinstance(container.type, Array):
            before = self.subscript(container, index, target)
            value = self.expr(node.value)
            self.at(node)
            if not is_number(before.type):  # a view, which shows what `value` has changed
                before = self.subscript(container, index, target)
            self.store(container, index, self.binary(type(node.op), before, value, node), target)
            return
        current = self.present(self.subscript(container, index, target))
        value = self.expr(node.value)
        self.at(node)
        after = self.augmented(current, value, node)
        if after is not None:
            self.store(container, index, after, target)

    def augmented(self, current: Atom, value: Atom, node: Any) -> Atom | None:
        """`current op= value`: the new value, or None where the object itself has changed."""
        t = current.type
        if isinstance(t, Array) and not is_number(t) and isinstance(current, Var):
            self.change(BINARY[type(node.op)], current, value, style="inplace")
            return None
        if isinstance(t, List) and isinstance(node.op, gast.Add):
            self.extend(current, value, node)
            return None
        if isinstance(t, (List, Dict)):
            raise self.refuse("this operation in place is not supported", node)
        if not is_number(t) and is_shared(current) and self.aliases.of(current.root):
            raise self.refuse(
                "whether this changes an array that has another name is not known here",
                node,
                "Write x = x + y for a new value, x[...] += y to change an array.",
            )
        if is_number(t) and isinstance(current, Var) and self._is_rank_0_with_names(current):
            raise self.refuse(
                "an array of rank 0 that has several names is changed in place",
                node,
                "Write x = x + y for a new value.",
            )
        return self.binary(type(node.op), current, value, node)

    def _is_rank_0_with_names(self, current: Var) -> bool:
        """Whether this is no number but an array, which a change in place is seen through."""
        made = self.b.definitions.get(current.root)
        if made is None or made.fn not in _MAKE_ARRAYS:
            return False
        names = [v for f in self.frames for v in f.env.values() if isinstance(v, Var)]
        return sum(v.root is current.root for v in names) > 1

    # -- functions ------------------------------------------------------------------------

    def stmt_FunctionDef(self, node: Any) -> None:
        value = self.closure(node, node.name)
        for decorator in reversed(node.decorator_list):
            self.at(decorator)
            value = self.call(self.expr(decorator), [value], {}, decorator)
        self.env[node.name] = value

    def closure(self, node: Any, name: str) -> Atom:
        raise NotImplementedError  # by Calls

    def call(self, fn: Atom, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
        raise NotImplementedError  # by Calls

    def stmt_With(self, node: Any) -> None:
        if len(node.items) == 1 and node.items[0].optional_vars is None:
            context = node.items[0].context_expr
            if isinstance(context, gast.Call):
                callee = self.expr(context.func)
                if isinstance(callee, Const) and callee.value is no_grad:
                    self.silent += 1
                    try:
                        self.statements(node.body)
                    finally:
                        self.silent -= 1
                    return
        raise self.refuse(
            "`with` is not supported", node, "Move it out of the function that is differentiated."
        )

    # -- branches -------------------------------------------------------------------------

    def stmt_If(self, node: Any) -> None:
        self.branch_statement(node, node.body, node.orelse)

    def branch_statement(self, node: Any, body: list[Any], orelse: list[Any]) -> None:
        test = self.expr(node.test)
        self.at(node)
        known = truth(test)
        if known is not None:
            self.statements(body if known else orelse)
            return
        self.if_(self.read(test), lambda: self.statements(body), lambda: self.statements(orelse))

    def if_(self, test: Atom, then: Callable[[], None], orelse: Callable[[], None]) -> None:
        """Interpret both branches and bind each name to what it is after either."""
        origin = self.b.origin
        before = self.snapshot()
        blocks, ends = [], []
        for side in (then, orelse):
            self.restore(before)
            block = Block()
            with self.b.inside(block):
                side()
            blocks.append(block)
            ends.append(self.snapshot())
        self.b.origin = origin
        self._merge(test, before, blocks, ends)

    def _merge(self, test: Atom, before: State, blocks: list[Block], ends: list[State]) -> None:
        raised = [_code(end) == RAISED for end in ends]
        if raised[0] != raised[1]:
            # Only one side goes on: what it knows holds afterwards. Values that it computed are
            # defined on every path that gets here.
            alive = ends[raised.index(False)]
        else:
            alive = None
        names = [n for n in {**ends[0].env, **ends[1].env} if not _equal(ends, n)]
        roots = [
            r
            for r in {**ends[0].versions, **ends[1].versions}
            if ends[0].versions.get(r, r) is not ends[1].versions.get(r, r) and _is_outer(r, before)
        ]
        merged: dict[str, Any] = {
            n: v for n, v in ends[0].env.items() if n not in names and n in ends[1].env
        }
        kept: list[str] = []
        for name in names:
            value = self._merge_static(name, ends, alive)
            if value is None:
                kept.append(name)
            else:
                merged[name] = value
        for block, end, ended in zip(blocks, ends, raised, strict=True):
            self.restore(end)
            with self.b.inside(block):
                if ended and alive is not None:
                    block.yields = [UNDEFINED] * (len(kept) + len(roots))
                    continue
                block.yields = [self._yielded(end.env.get(n, UNDEFINED), merged, n) for n in kept]
                block.yields += [end.versions.get(r, r) for r in roots]
        kept_names = [n for n in kept if n not in merged]
        for block in blocks:
            block.yields = [
                y
                for n, y in zip([*kept, *[None] * len(roots)], block.yields, strict=True)
                if n not in merged
            ]
        self.restore(before)
        self.stale = ends[0].stale | ends[1].stale
        sources = [list(b.yields) for b in blocks]
        results = self.b.branch(test, *blocks)
        for name, result, a, b in zip(kept_names, results, sources[0], sources[1]):
            if isinstance(result, Var) and name[0] != "<":
                result.name, result.named = name, True
            self._alias_merge(result, a, b)
            merged[name] = result
        self.env.update(merged)
        for root, result in zip(roots, results[len(kept_names) :], strict=True):
            assert isinstance(result, Var)
            result.name, result.named = root.name, root.named
            result.root = root
            self.versions[root] = result

    def _merge_static(self, name: str, ends: list[State], alive: State | None) -> Any:
        """A merged value that needs no variable; None where one is needed."""
        values = [end.env.get(name, UNDEFINED) for end in ends]
        if alive is not None and name == EXIT:
            return alive.env[EXIT]
        for value in values:
            if isinstance(value, Poison):
                return value
        statics = [v for v in values if isinstance(v, Const) and callable(v.value)]
        if statics:
            error = UnsupportedSyntaxError(
                f"which function `{name}` is depends on a branch",
                self.b.origin,
                "Call each function in its own branch.",
            )
            return Poison(error)
        return None

    def _yielded(self, value: Any, merged: dict[str, Any], name: str) -> Atom:
        try:
            return self.read(value)
        except AdjointError as error:
            merged[name] = Poison(error)
            return UNDEFINED

    def _alias_merge(self, result: Atom, *sources: Atom) -> None:
        if not isinstance(result, Var) or not is_mutable(result.type):
            return
        for source in sources:
            if isinstance(source, Var) and is_mutable(source.type):
                self.aliases.same(result.root, source.root)

    # -- loops ----------------------------------------------------------------------------

    def stmt_While(self, node: Any) -> None:
        if any(isinstance(n, gast.NamedExpr) for n in gast.walk(node.test)):
            node = self._with_test_inside(node)
        cond = Block()

        def test() -> None:
            with self.b.inside(cond):
                cond.stmts.clear()
                versions = dict(self.versions)
                cond.yields = [self.read(self.expr(node.test))]
                if self.versions != versions:
                    raise self.refuse(
                        "this test changes an array or a list", node.test,
                        "Write `while True`, and leave the loop by `break`.",
                    )  # fmt: skip

        def make(loop: dict[str, Any]) -> For | While:
            return While(**loop, cond=cond)

        self.at(node)
        self.loop(node, lambda: self.statements(node.body), make, test)

    def _with_test_inside(self, node: Any) -> Any:
        """`while (v := f(x)) > 0` assigns in its test: the same loop, left by `break`."""
        if node.orelse:
            raise self.refuse("an assignment in the test of this loop", node.test)

        def at(made: Any) -> Any:
            for inner in gast.walk(made):
                if not hasattr(inner, "lineno"):
                    gast.copy_location(inner, node.test)
            return made

        leave = at(gast.If(gast.UnaryOp(gast.Not(), node.test), [gast.Break()], []))
        loop = gast.While(at(gast.Constant(True, None)), [leave, *node.body], [])
        return gast.copy_location(loop, node)

    def stmt_For(self, node: Any) -> None:
        iterable = self.iterable(node.iter)
        self.for_(iterable, lambda item: self._loop_body(node, item), node)

    def _loop_body(self, node: Any, item: Atom) -> None:
        self.assign(node.target, item)
        self.statements(node.body)

    def iterable(self, node: Any) -> Any:
        """What a loop walks: an atom, or ("zip", parts), or ("enumerate", part)."""
        if not isinstance(node, gast.Call) or any(isinstance(a, gast.Starred) for a in node.args):
            return self.expr(node)
        callee = self.expr(node.func)
        keywords = {k.arg: k.value for k in node.keywords}
        if isinstance(callee, Const) and callee.value is zip and node.args:
            if set(keywords) <= {"strict"}:
                parts = [self.iterable(a) for a in node.args]
                if "strict" in keywords and truth(self.expr(keywords["strict"])) is not False:
                    self._check_lengths(parts, node)
                return ("zip", parts)
        if isinstance(callee, Const) and callee.value is enumerate and node.args:
            starts = [*node.args[1:], *keywords.values()]
            if len(starts) <= 1 and set(keywords) <= {"start"}:
                start = self.expr(starts[0]) if starts else constant(0)
                return ("enumerate", self.iterable(node.args[0]), start)
        return self.expr(node)

    def _check_lengths(self, parts: list[Any], node: Any) -> None:
        """zip(strict=True): refuse at run time what differs in length."""
        if any(isinstance(p, tuple) for p in parts):
            raise self.refuse("this `zip` with `strict` is not supported", node)
        self.at(node)
        lengths = []
        for part in parts:
            known = known_length(part)
            lengths.append(self.op(len, part, type=INT) if known is None else constant(known))
        for length in lengths[1:]:
            differ = self.op(np.not_equal, length, lengths[0], style="operator")
            if truth(differ) is not False:
                self.if_(self.read(differ), lambda: self._raise_lengths(node), lambda: None)

    def _raise_lengths(self, node: Any) -> None:
        self.at(node)
        kind = Const(ValueError, Object(type), "ValueError")
        text = constant("zip() has arguments of different lengths")
        error = self.b.op(core.PURE_CALL, kind, text, type=Object(ValueError), name="error")
        self.b.emit(core.Op(None, core.RAISE, [error], {}, "", self.b.origin))
        self.env[EXIT] = constant(RAISED)

    def for_(self, iterable: Any, body: Callable[[Atom], None], node: Any) -> None:
        unrolled = self._unrolled(iterable)
        if unrolled is not None:
            self._unroll(unrolled, body, node)
            return
        sources: list[Atom] = []
        self._flatten(iterable, sources, node)
        sources = [self.read(s) for s in sources]
        items: list[Var | None] = []
        slots: list[Var] = []
        self.at(node)

        def start() -> None:
            slots[:] = [self._loop_item(s, node) for s in sources]
            items[:] = slots
            body(self._rebuild_item(iterable, iter(slots)))

        def make(loop: dict[str, Any]) -> For | While:
            changed = {p.root for p in loop["params"]}
            for source in sources:
                if isinstance(source, Var) and (
                    source.root in changed or source.root in self.stale
                ):
                    raise self.refuse(
                        f"`{source.name}`, which this loop walks, is changed in it",
                        node,
                        "Walk a copy, or use an index: for i in range(len(x)).",
                    )
            return For(**loop, items=list(items), iterables=list(sources))

        self.loop(node, start, make, None)

    def _flatten(self, iterable: Any, sources: list[Atom], node: Any) -> None:
        if not isinstance(iterable, tuple):
            t = iterable.type
            if isinstance(t, Dict):
                raise self.refuse("a loop over a dict with unknown keys is not supported", node)
            sources.append(iterable)
        elif iterable[0] == "zip":
            for part in iterable[1]:
                self._flatten(part, sources, node)
        else:
            sources.append(COUNT)
            self._flatten(iterable[1], sources, node)

    def _rebuild_item(self, iterable: Any, slots: Any) -> Atom:
        if not isinstance(iterable, tuple):
            return next(slots)
        if iterable[0] == "zip":
            return self.b_tuple([self._rebuild_item(p, slots) for p in iterable[1]])
        count, start = next(slots), iterable[2]
        if not (isinstance(start, Const) and start.value == 0):
            count = self.op(np.add, count, start, style="operator")
        return self.b_tuple([count, self._rebuild_item(iterable[1], slots)])

    def _loop_item(self, source: Atom, node: Any) -> Var:
        t = source.type
        if source is COUNT or isinstance(t, Range):
            return Var("i", INT)
        if isinstance(t, Array):
            if t.dims == ():
                raise self.refuse("a loop over a single number", node)
            item: Type = UNKNOWN if t.dims is None else Array(t.element, t.dims[1:], t.module)
        elif isinstance(t, Tuple):
            item = join_all(t.items, self.b.symbols)
        elif isinstance(t, List):
            item = t.item
        elif isinstance(t, Object) and not isinstance(source, Const):
            raise self.refuse(f"a loop over a {t} is not supported", node)
        else:
            item = UNKNOWN
        var = Var("item", item)
        var.varied = source.varied and carries_derivative(item)
        if isinstance(source, Var) and is_mutable(item):
            if is_container(t):
                self.aliases.taken(var, source.root)
            else:
                self.aliases.same(var, source.root)
        return var

    def _unrolled(self, iterable: Any) -> list[Atom] | None:
        """The items of a loop over few values of different kinds, which has no common body."""
        if isinstance(iterable, tuple):
            parts = iterable[1] if iterable[0] == "zip" else [iterable[1]]
            columns = [self._unrolled(p) for p in parts]
            if all(c is None for c in columns):
                return None
            known = [c for c in columns if c is not None]
            lengths = {len(c) for c in known}
            for position, part in enumerate(parts):
                if columns[position] is None and not isinstance(part, tuple):
                    length = known_length(part)
                    if length is None:
                        return None
                    columns[position] = [self.item(part, i) for i in range(length)]
                    lengths.add(length)
            if any(c is None for c in columns):
                return None
            count = min(lengths)
            if iterable[0] == "zip":
                return [self.b_tuple([c[i] for c in columns]) for i in range(count)]  # type: ignore[index]
            start = iterable[2].value if isinstance(iterable[2], Const) else None
            if start is None:
                return None
            return [self.b_tuple([constant(start + i), columns[0][i]]) for i in range(count)]  # type: ignore[index]
        t = iterable.type
        if isinstance(iterable, Const) and isinstance(iterable.value, (tuple, list, dict, str)):
            values = list(iterable.value)
            if len(values) <= _MAX_UNROLLED:
                return [constant(v) for v in values]
            return None
        if isinstance(t, Dict) and t.keys is not None and len(t.keys) <= _MAX_UNROLLED:
            return [constant(k) for k in t.keys]
        if isinstance(t, (Tuple, List)) and t.items is not None and len(t.items) <= _MAX_UNROLLED:
            item = join_all(t.items, self.b.symbols)
            if isinstance(t, Tuple) or _mixed(item):
                return [self.item(iterable, i) for i in range(len(t.items))]
        return None

    def _unroll(self, items: list[Atom], body: Callable[[Atom], None], node: Any) -> None:
        def run(position: int) -> None:
            if position == len(items):
                if node is not None and getattr(node, "orelse", None):
                    self.statements(node.orelse)
                return
            body(items[position])
            code = self.env[EXIT]
            if isinstance(code, Const):
                if code.value in (GO_ON, CONTINUE):
                    self.env[EXIT] = constant(GO_ON)
                    run(position + 1)
                return
            ended = self.op(np.equal, code, constant(BREAK), style="operator")
            returned = self.op(np.equal, code, constant(RETURNED), style="operator")

            def go_on() -> None:
                self.env[EXIT] = constant(GO_ON)
                run(position + 1)

            self.if_(ended, lambda: None, lambda: self.if_(returned, lambda: None, go_on))

        run(0)
        code = self.env[EXIT]
        if isinstance(code, Const):
            if code.value == BREAK:
                self.env[EXIT] = constant(GO_ON)
        else:
            returned = self.op(np.equal, code, constant(RETURNED), style="operator")
            self.if_(
                returned,
                lambda: self.env.__setitem__(EXIT, constant(RETURNED)),
                lambda: self.env.__setitem__(EXIT, constant(GO_ON)),
            )

    def loop(
        self,
        node: Any,
        body: Callable[[], None],
        make: Callable[[dict[str, Any]], For | While],
        test: Callable[[], None] | None,
    ) -> None:
        """Interpret a loop: again and again, until the types of what it changes are stable.

        What it changes is found on the way: the names that its body assigns, and the objects that
        it changes in place.
        """
        origin = self.b.origin
        before = self.snapshot()
        assigned = _assigned(node)
        names = [n for n in assigned if not self._keeps(n, node)]
        rebound: set[str] = set()  # names that were taken for kept once, and are not
        params: dict[Any, tuple[Type, bool]] = {}  # name or root -> type and variedness
        roots: list[Var] = []
        stale: dict[Var, Any] = {}
        lost: dict[Any, Poison] = {}  # names that cannot be read when an iteration ends
        for round_ in range(_MAX_ROUNDS):
            self.restore(before)
            self.stale.update(stale)
            known = len(lost)
            entry, inits, yields, block = self._round(
                names, roots, params, lost, body, test, origin
            )
            end = self.snapshot()
            changed = [
                r
                for r in end.versions
                if end.versions[r] is not entry.versions.get(r, r)
                and r not in roots
                and _is_outer(r, before)
            ]
            # `y += v` changes an array, and binds no other: y is not carried, its versions are.
            kept = {n for n in names if _is_kept(entry.env.get(n), end.env.get(n))} - rebound
            rebound |= {
                n for n in assigned if n not in names and end.env.get(n) is not before.env.get(n)
            }
            wanted = [n for n in assigned if n in rebound or (n in names and n not in kept)]
            if wanted != names:
                names = wanted
                params = {k: v for k, v in params.items() if not isinstance(k, str)}
                continue
            grown = self._grow(names, roots, inits, yields, params, give_up=round_ > 6)
            new_stale = {
                r: o
                for r, o in end.stale.items()
                if r not in stale and r not in before.stale and _is_outer(r, before)
            }
            roots += changed
            stale.update(new_stale)
            if not changed and not grown and not new_stale and len(lost) == known:
                break
        else:
            raise self.refuse("no fixed types are found for what this loop changes", node)
        self._finish_loop(node, names, roots, entry, inits, yields, block, make, before, stale)

    def _keeps(self, name: str, node: Any) -> bool:
        """Whether a loop only changes the array of this name, by `y += v`, and binds no other."""
        value = self.env.get(name)
        if not isinstance(value, Var) or not isinstance(value.type, Array):
            return False
        return not is_number(value.type) and name not in _assigned(node, False)

    def _round(
        self,
        names: list[str],
        roots: list[Var],
        params: dict[Any, tuple[Type, bool]],
        lost: dict[Any, Poison],
        body: Callable[[], None],
        test: Callable[[], None] | None,
        origin: Any,
    ) -> tuple[State, list[Atom], list[Atom], Block]:
        """Interpret the body once, with parameters of the types found so far."""
        self.b.origin = origin
        inits: list[Atom] = []
        poisoned = dict(lost)
        for name in names:
            value = self.env.get(name, UNDEFINED)
            try:
                inits.append(UNDEFINED if isinstance(value, Poison) else self.read(value))
            except AdjointError as error:
                poisoned[name] = Poison(error)
                inits.append(UNDEFINED)
        inits += [self.versions.get(r, r) for r in roots]
        keys: list[Any] = [*names, *roots]
        for key, init in zip(keys, inits, strict=True):
            if key in poisoned:
                params.setdefault(key, (init.type, False))
                self.env[key] = poisoned[key]
                continue
            t, varied = params.setdefault(key, (init.type, init.varied))
            param = Var(key if isinstance(key, str) else key.name, t, named=True, varied=varied)
            if isinstance(key, str):
                param.named = key[0] != "<"
                static = isinstance(init, Const) and callable(init.value)
                if type(t) is Type or static:
                    self.env[key] = init
                    if isinstance(init, Const) and init is UNDEFINED:
                        self.env[key] = UNDEFINED
                else:
                    self.env[key] = param
                    self._alias_merge(param, init)
            else:
                param.root = key
                param.named = key.named
                self.versions[key] = param
        self.env[EXIT] = constant(GO_ON)
        entry = self.snapshot()
        block = Block()
        if test is not None:
            test()
        with self.b.inside(block):
            body()
            yields: list[Atom] = []
            for name in names:
                yields.append(UNDEFINED)
                value = self.env.get(name, UNDEFINED)
                if isinstance(value, Poison):
                    lost.setdefault(name, value)
                    continue
                try:
                    yields[-1] = self.read(value)
                except AdjointError as error:
                    lost.setdefault(name, Poison(error))
            yields += [self.versions.get(r, r) for r in roots]
        return entry, inits, yields, block

    def _grow(
        self,
        names: list[str],
        roots: list[Var],
        inits: list[Atom],
        yields: list[Atom],
        params: dict[Any, tuple[Type, bool]],
        give_up: bool,
    ) -> bool:
        """Join what the body yields into the types of the parameters; whether any has changed."""
        grown = False
        for key, init, end in zip([*names, *roots], inits, yields, strict=True):
            t, varied = params[key]
            if isinstance(end, Const) and callable(end.value):
                continue
            joined = join(t, end.type, self.b.symbols)
            if isinstance(init, Const) and isinstance(end, Const) and init is not UNDEFINED:
                if isinstance(joined, Object) and init.value is not end.value:
                    joined = UNKNOWN
            if give_up and joined != t:
                joined = UNKNOWN
            new = (joined, (varied or end.varied) and carries_derivative(joined))
            if new != params[key]:
                params[key] = new
                grown = True
        return grown

    def _finish_loop(
        self,
        node: Any,
        names: list[str],
        roots: list[Var],
        entry: State,
        inits: list[Atom],
        yields: list[Atom],
        block: Block,
        make: Callable[[dict[str, Any]], For | While],
        before: State,
        stale: dict[Var, Any],
    ) -> None:
        end_env = self.env
        exit_code = end_env[EXIT]
        with self.b.inside(block):
            stop = self._stop_flag(exit_code)
        self.restore(before)
        self.stale.update(stale)
        loop_params: list[Var] = []
        loop_inits: list[Atom] = []
        loop_yields: list[Atom] = []
        results: list[Var] = []
        after: dict[str, Any] = {}
        keys: list[Any] = [*names, *roots]
        for key, init, end in zip(keys, inits, yields, strict=True):
            if isinstance(key, str):
                param = entry.env.get(key, UNDEFINED)
                if isinstance(param, Poison) and end is UNDEFINED:
                    after[key] = param
                    continue
                if end is param or (not isinstance(param, Var) and end is UNDEFINED):
                    continue  # unchanged by the body
                if isinstance(end, Const) and callable(end.value):
                    after[key] = end
                    continue
                if not isinstance(param, Var):
                    param = Var(key, end.type, named=key[0] != "<")
            else:
                param = entry.versions[key]
            assert isinstance(param, Var)
            result = Var(param.name, param.type, named=param.named)
            result.varied = param.varied or end.varied
            loop_params.append(param)
            loop_inits.append(init)
            loop_yields.append(end)
            results.append(result)
            if isinstance(key, str):
                after[key] = result
                self._alias_merge(result, init, end)
            else:
                result.root = key
                self.versions[key] = result
        code = self._exit_after_loop(exit_code, loop_params, loop_inits, loop_yields, results)
        block.yields = [*loop_yields, stop]
        loop = make(
            {
                "params": loop_params,
                "inits": loop_inits,
                "body": block,
                "results": results,
                "origin": self.frame.source.origin(node),
            }
        )
        self.b.block.stmts.append(loop)
        self.env.update(after)
        self._after_loop(node, code)

    def _stop_flag(self, code: Atom) -> Atom:
        if isinstance(code, Const):
            return constant(code.value in (BREAK, RETURNED))
        select = self.b.selects.get(code) if isinstance(code, Var) else None
        if select is not None and all(isinstance(s, Const) for s in select[1:]):
            test, a, b = select
            stops = [s.value in (BREAK, RETURNED) for s in (a, b)]  # type: ignore[union-attr]
            if stops == [True, False]:
                return test
            if stops == [False, True]:
                return self.op(core.NOT, test)
            return constant(stops[0])
        return self.op(core.IN, code, constant((BREAK, RETURNED)))

    def _exit_after_loop(
        self,
        code: Atom,
        params: list[Var],
        inits: list[Atom],
        yields: list[Atom],
        results: list[Var],
    ) -> Atom:
        """How the last iteration ended, as a value after the loop."""
        if isinstance(code, Const) and code.value in (GO_ON, CONTINUE):
            return constant(GO_ON)
        params.append(Var("ended", INT))
        inits.append(constant(GO_ON))
        yields.append(code)
        result = Var("ended", INT)
        results.append(result)
        return result

    def _after_loop(self, node: Any, code: Atom) -> None:
        """`else` runs unless the loop was left; a `return` inside it returns here."""
        self.env[EXIT] = constant(GO_ON)
        orelse = getattr(node, "orelse", [])
        if isinstance(code, Const):
            self.statements(orelse)
            return
        if orelse:
            left = self.op(core.IN, code, constant((BREAK, RETURNED)))
            self.if_(left, lambda: None, lambda: self.statements(orelse))
        if _returns(node):
            returned = self.op(np.equal, code, constant(RETURNED), style="operator")
            known = truth(returned)
            if known is None:
                self.if_(returned, self._mark_returned, lambda: None)

    def _mark_returned(self) -> None:
        self.env[EXIT] = constant(RETURNED)

    # -- comprehensions -------------------------------------------------------------------

    def expr_ListComp(self, node: Any) -> Atom:
        self.at(node)
        items = self.op(core.LIST)
        assert isinstance(items, Var)
        items.name = "items"
        outer = {n: self.env.get(n) for n in _assigned_in_comprehension(node)}

        def generate(generators: list[Any]) -> None:
            if not generators:
                value = self.expr(node.elt)
                self.at(node)
                self.append(items, value)
                return
            first = generators[0]
            if first.is_async:
                raise self.refuse("an asynchronous comprehension is not supported", node)

            def body(item: Atom) -> None:
                self.assign(first.target, item)
                self._filtered(first.ifs, lambda: generate(generators[1:]))

            self.for_(self.iterable(first.iter), body, _ComprehensionLoop(node, first))

        generate(node.generators)
        self._forget(outer)
        return items

    def expr_DictComp(self, node: Any) -> Atom:
        """{k: v for ...}, where the loop can be unrolled and the keys are known."""
        table: dict[Any, Atom] = {}
        outer = {n: self.env.get(n) for n in _assigned_in_comprehension(node)}

        def generate(generators: list[Any]) -> None:
            if not generators:
                key = self.expr(node.key)
                if not isinstance(key, Const):
                    raise self.refuse("a dict with computed keys is not supported", node.key)
                table[key.value] = self.expr(node.value)
                return
            first = generators[0]
            items = self._unrolled(self.iterable(first.iter))
            if items is None:
                raise self.refuse("the keys of this dict are not known here", first.iter)
            for item in items:
                self.assign(first.target, item)
                tests = [truth(self.expr(test)) for test in first.ifs]
                if None in tests:
                    raise self.refuse("the keys of this dict are not known here", node)
                if all(tests):
                    generate(generators[1:])

        generate(node.generators)
        self._forget(outer)
        self.at(node)
        return self.op(core.DICT, *table.values(), keys=constant(tuple(table)))

    def _forget(self, outer: dict[str, Any]) -> None:
        """Give the names that a comprehension assigns their outer values again."""
        for name, value in outer.items():
            if value is None:
                self.env.pop(name, None)
            else:
                self.env[name] = value

    def collected(
        self, iterable: Any, node: Any, change: Callable[[Atom], Atom] | None = None
    ) -> Atom:
        """[change(item) for item in iterable]"""
        items = self.op(core.LIST)
        self.extend(items, iterable, node, change)
        return self.present(items)

    def extend(
        self,
        items: Atom,
        iterable: Any,
        node: Any,
        change: Callable[[Atom], Atom] | None = None,
    ) -> None:
        """items.extend(change(item) for item in iterable)"""

        def add(item: Atom) -> None:
            self.append(items, item if change is None else change(item))

        length = None if isinstance(iterable, tuple) else known_length(iterable)
        if length is not None and not isinstance(iterable.type, Array):
            for item in self.unpack_all(iterable, node):
                add(item)
            return
        walk = gast.comprehension(gast.Tuple([], gast.Store()), node, [], 0)
        self.for_(iterable, add, _ComprehensionLoop(node, walk))

    def _filtered(self, tests: list[Any], body: Callable[[], None]) -> None:
        if not tests:
            body()
            return
        test = self.expr(tests[0])
        known = truth(test)
        if known is None:
            self.if_(self.read(test), lambda: self._filtered(tests[1:], body), lambda: None)
        elif known:
            self._filtered(tests[1:], body)

    def append(self, items: Atom, value: Atom) -> None:
        present = self.read(items)
        t = present.type
        assert isinstance(t, List)
        joined = join(t.item, value.type, self.b.symbols)
        known = None if t.items is None else (*t.items, value.type)
        self.change(core.APPEND, items, value, type=List(joined, known))
        if is_shared(value) and isinstance(items, Var):
            self.aliases.put(value.root, items.root)


class _ComprehensionLoop:
    """Gives a comprehension the shape of a `for` statement, for the search of assigned names."""

    orelse: list[Any] = []

    def __init__(self, node: Any, generator: Any) -> None:
        self.node, self.generator = node, generator
        self.lineno, self.col_offset = node.lineno, node.col_offset
        self.end_lineno, self.end_col_offset = node.end_lineno, node.end_col_offset


def _stored(t: Type, index: Atom, value: Atom, lowering: Statements) -> Type | None:
    """The type of a container after an element is stored."""
    if isinstance(t, List):
        item = join(t.item, value.type, lowering.b.symbols)
        if t.items is not None and isinstance(index, Const) and isinstance(index.value, int):
            items = list(t.items)
            items[index.value] = value.type
            return List(item, tuple(items))
        items_ = (
            None
            if t.items is None
            else tuple(join(i, value.type, lowering.b.symbols) for i in t.items)
        )
        return List(item, items_)
    if isinstance(t, Dict):
        item = join(t.item, value.type, lowering.b.symbols)
        if t.keys is not None and isinstance(index, Const):
            table = dict(zip(t.keys, t.items, strict=True)) | {index.value: value.type}
            return Dict(item, tuple(table), tuple(table.values()))
        return Dict(item)
    return None


def _is_kept(before: Any, after: Any) -> bool:
    """Whether a name is bound to the same object at the end of a body as at its start."""
    return isinstance(before, Var) and isinstance(after, Var) and before.root is after.root


def _mixed(t: Type) -> bool:
    """Whether joining types has lost what operations need: a dtype, a rank."""
    if isinstance(t, Tuple):
        return any(map(_mixed, t.items))
    if isinstance(t, (List, Dict)):
        return _mixed(t.item)
    return isinstance(t, Unknown) or (isinstance(t, Array) and t.dims is None)


def _code(end: State) -> int | None:
    code = end.env[EXIT]
    return code.value if isinstance(code, Const) else None


def _equal(ends: list[State], name: str) -> bool:
    from ..builder import same_atom

    a, b = (end.env.get(name, UNDEFINED) for end in ends)
    if isinstance(a, Poison) or isinstance(b, Poison):
        return a is b
    return same_atom(a, b)


def _is_outer(root: Var, before: State) -> bool:
    """Whether an object existed before the branch or loop whose entry is `before`."""
    return root.serial < before.mark


def always_exits(nodes: list[Any]) -> bool:
    """Whether statements never run to their end: they return, raise, break or continue."""
    if not nodes:
        return False
    last = nodes[-1]
    if isinstance(last, (gast.Return, gast.Raise, gast.Break, gast.Continue)):
        return True
    return isinstance(last, gast.If) and always_exits(last.body) and always_exits(last.orelse)


def _assigned(node: Any, augmented: bool = True) -> list[str]:
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
        if isinstance(n, gast.Return):
            found.setdefault(RETURN)
        for child in gast.iter_child_nodes(n):
            visit(child)

    if isinstance(node, _ComprehensionLoop):
        visit(node.generator.target)
        return list(found)
    for child in [*([node.target] if hasattr(node, "target") else [node.test]), *node.body]:
        visit(child)
    return list(found)


def _assigned_in_comprehension(node: Any) -> list[str]:
    return [n.id for g in node.generators for n in gast.walk(g.target) if isinstance(n, gast.Name)]


def _returns(node: Any) -> bool:
    body = getattr(node, "body", [])
    return any(isinstance(n, gast.Return) for s in body for n in gast.walk(s))


# Functions that give an array even of rank 0, where others give a number.
_MAKE_ARRAYS: frozenset[Any] = frozenset(
    {np.array, np.asarray, np.zeros, np.ones, np.full, np.empty, np.copy,
     np.zeros_like, np.ones_like, np.full_like, np.empty_like}
)  # fmt: skip
_STATEMENT_NAMES = {
    "Try": "`try`",
    "TryStar": "`try`",
    "With": "`with`",
    "Match": "`match`",
    "ClassDef": "a class inside a function",
    "Nonlocal": "`nonlocal`",
    "AsyncFor": "`async for`",
    "AsyncWith": "`async with`",
    "Attribute": "an attribute",
    "ImportFrom": "`from ... import` inside a function",
}
_ADVICE = {
    "Try": "Move the `try` out of the function that is differentiated.",
    "Match": "Write it with if and elif.",
    "ClassDef": "Define the class outside.",
    "Nonlocal": "Return the value instead.",
    "ImportFrom": "Import at the top of the file.",
}
