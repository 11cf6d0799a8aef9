"""Branches: both sides are interpreted, and each name is bound to what it is after either."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from .. import core
from ..builder import same_atom
from ..core import UNDEFINED, Atom, Block, Const, Var
from ..errors import AdjointError, UnsupportedSyntaxError
from ..infer import constant
from ..types import UNDEFINED_TYPE, Object, Unknown
from .assignment import Assignment
from .exits import EXIT, RAISED, exit_code_of
from .expressions import is_shared, truth
from .state import Instance, Key, Poison, State, is_instance, is_static, shown


class Branches(Assignment):
    def statements(self, nodes: list[Any]) -> None:
        raise NotImplementedError  # by Statements

    def stmt_If(self, node: Any) -> None:
        self.branch_statement(node, node.body, node.orelse)

    def branch_statement(self, node: Any, body: list[Any], orelse: list[Any]) -> None:
        test = self.as_test(self.expr(node.test), node)
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
        raised = [exit_code_of(end) == RAISED for end in ends]
        if raised[0] != raised[1]:
            # Only one side goes on: what it knows holds afterwards. Values that it computed are
            # defined on every path that gets here.
            alive = ends[raised.index(False)]
        else:
            alive = None
        if alive is None:
            self._merge_objects(ends)
        names = [n for n in {**ends[0].env, **ends[1].env} if not _equal(ends, n)]
        roots = [
            r
            for r in {**ends[0].versions, **ends[1].versions}
            if ends[0].versions.get(r, r) is not ends[1].versions.get(r, r) and is_outer(r, before)
        ]
        merged: dict[Key, Any] = {
            n: v for n, v in ends[0].env.items() if n not in names and n in ends[1].env
        }
        kept: list[Key] = []
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
                block.yields = [self._yielded(self.bound(n), merged, n) for n in kept]
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
        self.unbound = ends[0].unbound | ends[1].unbound
        sources = [list(b.yields) for b in blocks]
        results = self.b.branch(test, *blocks)
        self.alias_results(results[: len(kept_names)], *(s[: len(kept_names)] for s in sources))
        for name, result, a, b in zip(kept_names, results, sources[0], sources[1]):
            if isinstance(result, Var) and shown(name)[0] != "<":
                result.name, result.named = shown(name), True
            merged[name] = result
            live = [a, b] if alive is None else [(a, b)[ends.index(alive)]]
            if isinstance(result, Var) and result.named and self.may_be_unbound(*live):
                self.unbound.add(result)
        for name, value in merged.items():
            self.rebind(name, value)
        for root, result in zip(roots, results[len(kept_names) :], strict=True):
            assert isinstance(result, Var)
            result.name, result.named = root.name, root.named
            result.root = root
            self.versions[root] = result

    def _merge_objects(self, ends: list[State]) -> None:
        """Objects of one class under one name: an object whose attributes are merged."""
        todo: list[Key] = [n for n in ends[0].env if not _equal(ends, n)]
        made: dict[tuple[int, int], Const] = {}
        while todo:
            name = todo.pop()
            pair = [end.env.get(name, UNDEFINED) for end in ends]
            if not all(map(is_instance, pair)) or pair[0].value.cls is not pair[1].value.cls:
                continue
            place = (id(pair[0].value), id(pair[1].value))
            if place not in made:
                made[place] = self.either_object(pair)
                merged = made[place].value
                for end, atom in zip(ends, pair, strict=True):
                    attributes = {k[1]: v for k, v in end.env.items() if k[0] is atom.value}
                    for attribute, value in attributes.items():
                        end.env[merged, attribute] = value
                        todo.append((merged, attribute))
            for end in ends:
                end.env[name] = made[place]

    def either_object(self, atoms: list[Any]) -> Const:
        """An object that stands for one of several: they may be read from now on, not assigned."""
        for atom in atoms:
            atom.value.shared = True
        return Const(Instance(atoms[0].value.cls, shared=True), atoms[0].type)

    def may_be_unbound(self, *sources: Atom) -> bool:
        return any(s is UNDEFINED or s in self.unbound for s in sources)

    def check_bound(self, value: Var, name: str, node: Any) -> None:
        """Raise what Python raises where a name has no value on the path that was taken."""

        def fail() -> None:
            kind = Const(UnboundLocalError, Object(type), "UnboundLocalError")
            text = f"cannot access local variable '{name}' where it is not associated with a value"
            self.raise_(kind, text)

        def go_on() -> None:
            pass

        if value.type == UNDEFINED_TYPE:
            self.awaited.add(value)
            return
        self.unbound.discard(value)
        if value in self.b.selects:
            test, then, orelse = self.b.selects[value]
            if then is UNDEFINED and not self.may_be_unbound(orelse):
                self.if_(test, fail, go_on)
                return
            if orelse is UNDEFINED and not self.may_be_unbound(then):
                self.if_(test, go_on, fail)
                return
        if isinstance(value.type, (Unknown, Object)):
            raise self.refuse(
                f"`{name}` may have no value here", node, "Give it one on every path."
            )
        self.if_(self.b.op(core.IS, value, constant(None)), fail, go_on)

    def raise_(self, kind: Const, text: str) -> None:
        """raise kind(text)"""
        error = self.b.op(
            core.PURE_CALL, kind, constant(text), type=Object(kind.value), name="error"
        )
        self.b.emit(core.Op(None, core.RAISE, [error], {}, "", self.b.origin))
        self.env[EXIT] = constant(RAISED)

    def _merge_static(self, name: Key, ends: list[State], alive: State | None) -> Any:
        """A merged value that needs no variable; None where one is needed."""
        values = [end.env.get(name, UNDEFINED) for end in ends]
        if alive is not None and name == EXIT:
            return alive.env[EXIT]
        for value in values:
            if isinstance(value, Poison):
                return value
        if alive is not None and is_static(alive.env.get(name)):
            return alive.env[name]
        if any(map(is_static, values)):
            kind = "object" if any(map(is_instance, values)) else "function"
            error = UnsupportedSyntaxError(
                f"which {kind} `{shown(name)}` is depends on a branch",
                self.b.origin,
                "Call each function in its own branch."
                if kind == "function"
                else "Finish with the object in its own branch.",
            )
            return Poison(error)
        return None

    def _yielded(self, value: Any, merged: dict[Key, Any], name: Key) -> Atom:
        if isinstance(value, Poison):
            merged[name] = value
            return UNDEFINED
        try:
            return self.read(value)
        except AdjointError as error:
            merged[name] = Poison(error)
            return UNDEFINED

    def alias_results(self, results: Sequence[Atom], *sides: Sequence[Atom]) -> None:
        """What the results of a branch or a loop may be: on each side, what it gives.

        Two of them are the same only if they are on one of the sides.
        """
        rows = [
            (result, column)
            for result, *column in zip(results, *sides, strict=True)
            if is_shared(result)
        ]
        overlapping = [
            (a.root, b.root)
            for (a, of_a), (b, of_b) in itertools.combinations(rows, 2)
            if any(self.may_share(x, y) for x, y in zip(of_a, of_b, strict=True))
        ]
        group = Var.count()
        for result, column in rows:
            objects = [a.root for a in column if is_shared(a)]
            self.aliases.choose(result.root, objects, group)
        for one, other in overlapping:
            self.aliases.same(one, other)

    def may_share(self, a: Atom, b: Atom) -> bool:
        return is_shared(a) and is_shared(b) and self.aliases.may_share(a.root, b.root)


def _equal(ends: list[State], name: Key) -> bool:
    a, b = (end.env.get(name, UNDEFINED) for end in ends)
    if isinstance(a, Poison) or isinstance(b, Poison):
        return a is b
    return same_atom(a, b)


def is_outer(root: Var, before: State) -> bool:
    """Whether an object existed before the branch or loop whose entry is `before`."""
    return root.serial < before.mark
