"""Comprehensions: loops that append to a list, or that are unrolled into a dict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gast

from .. import core
from ..core import Atom, Const, Var
from ..infer import constant
from ..types import Array, List, join
from .assigned import ComprehensionLoop, assigned_in_comprehension
from .expressions import is_shared, known_length, truth
from .iteration import MAX_UNROLLED, ForLoops


class Comprehensions(ForLoops):
    def expr_ListComp(self, node: Any) -> Atom:
        self.at(node)
        items = self.op(core.LIST)
        assert isinstance(items, Var)
        items.name = "items"
        outer = {n: self.env.get(n) for n in assigned_in_comprehension(node)}

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

            self.for_(self.iterable(first.iter), body, ComprehensionLoop(node, first))

        generate(node.generators)
        self._forget(outer)
        return items

    def expr_DictComp(self, node: Any) -> Atom:
        """{k: v for ...}, where the loop can be unrolled and the keys are known."""
        table: dict[Any, Atom] = {}
        outer = {n: self.env.get(n) for n in assigned_in_comprehension(node)}

        def generate(generators: list[Any]) -> None:
            if not generators:
                key = self.expr(node.key)
                if not isinstance(key, Const):
                    raise self.refuse("a dict with computed keys is not supported", node.key)
                table[key.value] = self.expr(node.value)
                return
            first = generators[0]
            items = self.unrolled(self.iterable(first.iter))
            if items is None:
                items = self._counted(first.iter)
            if items is None:
                raise self.refuse("the keys of this dict are not known here", first.iter)
            for item in items:
                self.assign(first.target, item)
                tests = [truth(self.as_test(self.expr(t), t)) for t in first.ifs]
                if None in tests:
                    raise self.refuse("the keys of this dict are not known here", node)
                if all(tests):
                    generate(generators[1:])

        generate(node.generators)
        self._forget(outer)
        self.at(node)
        return self.op(core.DICT, *table.values(), keys=constant(tuple(table)))

    def _counted(self, node: Any) -> list[Atom] | None:
        """The items of a short `range` of known numbers."""
        made = self.b.definition(self.expr(node), core.RANGE)
        if made is None or not all(isinstance(a, Const) and a.path is None for a in made.args):
            return None
        counted = range(*(a.value for a in made.args))  # type: ignore[union-attr]
        return [constant(i) for i in counted] if len(counted) <= MAX_UNROLLED else None

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

        if not isinstance(iterable, tuple):
            iterable = self.as_iterable(iterable, node)
        length = None if isinstance(iterable, tuple) else known_length(iterable)
        if length is not None and not isinstance(iterable.type, Array):
            for item in self.unpack_all(iterable, node):
                add(item)
            return
        walk = gast.comprehension(gast.Tuple([], gast.Store()), node, [], 0)
        self.for_(iterable, add, ComprehensionLoop(node, walk))

    def _filtered(self, tests: list[Any], body: Callable[[], None]) -> None:
        if not tests:
            body()
            return
        test = self.as_test(self.expr(tests[0]), tests[0])
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
