"""Orders by key, filters and folds: `sorted`, `min` and `max` by key, `filter`, `reduce`."""

from __future__ import annotations

from typing import Any

import gast
import numpy as np

from .. import core
from ..builder import is_number
from ..core import Atom, Const
from ..infer import constant
from ..types import INT, Array, List, Object, Scalar, Tuple, Type
from .assigned import ComprehensionLoop
from .containers import Containers
from .exits import BREAK, EXIT
from .expressions import known_length, truth

_MOST = 64  # elements that are written one by one
_FOLDED = "<folded>"
_FOUND = "<found>"


class Orders(Containers):
    def sorted(self, values: Atom, key: Atom | None, reverse: Atom | None, node: Any) -> Atom:
        """A list of the elements in order; equal ones stay in their order."""
        downwards = truth(reverse) if reverse is not None else False
        if downwards is None:
            raise self.refuse("the direction of this order is not known here", node)
        values = self._walkable(values, node)
        keys = self._keys(values, key, node)
        if downwards:
            keys = self.op(np.negative, keys, style="operator")
        order = self.op(np.argsort, keys, kind=constant("stable"))
        length = known_length(values)
        if length is not None and length <= _MOST:
            places = [self.item(order, i) for i in range(length)]
            return self.op(core.LIST, *(self.subscript(values, p, node) for p in places))
        return self.collected(order, node, lambda place: self.subscript(values, place, node))

    def extreme(self, function: Any, values: Atom, key: Atom, node: Any) -> Atom:
        """min(values, key=key): the first of those with the least key"""
        values = self._walkable(values, node)
        keys = self._keys(values, key, node)
        place = self.op(np.argmin if function is min else np.argmax, keys)
        return self.subscript(values, place, node)

    def _walkable(self, values: Atom, node: Any) -> Atom:
        values = self.as_iterable(values, node)
        t = values.type
        if not isinstance(t, (Array, List, Tuple)):
            raise self.refuse("the order of this value is not supported", node, "Use a list.")
        return values

    def _keys(self, values: Atom, key: Atom | None, node: Any) -> Atom:
        """The numbers by which elements are put in order, as an array."""
        plain = key is None or (isinstance(key, Const) and key.value is None)
        if plain and isinstance(values.type, Array):
            return values
        if plain:
            keys = values
        else:
            assert key is not None
            keys = self.collected(values, node, lambda v: self.call(key, [v], {}, node))
        item = _item_of(keys.type)
        if not is_number(item) or (isinstance(item, Scalar) and item.kind in ("bool", "complex")):
            raise self.refuse("an order by what is no number is not supported", node)
        return self.op(np.array, keys)

    def filtered(self, test: Atom, values: Atom, node: Any) -> Atom:
        """[v for v in values if test(v)]"""
        items = self.op(core.LIST)
        ask = not (isinstance(test, Const) and test.value is None)

        def body(item: Atom) -> None:
            answer = self.call(test, [item], {}, node) if ask else item
            answer = self.as_test(answer, node)
            known = truth(answer)
            if known is None:
                self.if_(self.read(answer), lambda: self.append(items, item), lambda: None)
            elif known:
                self.append(items, item)

        self.for_(self.as_iterable(values, node), body, _walk(node))
        return self.present(items)

    def quantified(self, function: Any, values: Atom, node: Any) -> Atom:
        """any(values) or all(values): the walk ends where the answer is known."""
        self.env[_FOUND] = constant(function is all)

        def decided() -> None:
            self.env[_FOUND] = constant(function is any)
            self.env[EXIT] = constant(BREAK)

        def go_on() -> None:
            pass

        def body(item: Atom) -> None:
            test = self.as_test(item, node)
            known = truth(test)
            sides = (decided, go_on) if function is any else (go_on, decided)
            if known is None:
                self.if_(self.read(test), *sides)
            else:
                sides[not known]()

        self.for_(values, body, _walk(node, _FOUND))
        result: Atom = self.env.pop(_FOUND)
        return result

    def folded(self, fn: Atom, values: Atom, start: Atom | None, node: Any) -> Atom:
        """functools.reduce(fn, values, start)"""
        values = self.as_iterable(values, node)
        if start is None:
            self._check_first(values)
            start = self.item(values, 0)
            rest: Atom = self.subscript(values, constant(slice(1, None)), node)
        else:
            rest = values
        self.env[_FOLDED] = self.object_of(start)

        def body(item: Atom) -> None:
            result = self.call(fn, [self.env[_FOLDED], item], {}, node)
            self.env[_FOLDED] = self.object_of(result)

        self.for_(rest, body, _walk(node, _FOLDED))
        result: Atom = self.env.pop(_FOLDED)
        return result

    def _check_first(self, values: Atom) -> None:
        if known_length(values):
            return
        length = self.op(len, values, type=INT)
        empty = self.op(np.equal, length, constant(0), style="operator")
        kind = Const(TypeError, Object(type), "TypeError")
        text = "reduce() of empty iterable with no initial value"
        self.if_(self.read(empty), lambda: self.raise_(kind, text), lambda: None)


def _item_of(t: Type) -> Type:
    if isinstance(t, List):
        return t.item
    if isinstance(t, Tuple) and t.items:
        return t.items[0]
    return Type()


def _walk(node: Any, *names: str) -> ComprehensionLoop:
    """The shape of a loop that assigns these names."""
    target = gast.Tuple([gast.Name(n, gast.Store(), None, None) for n in names], gast.Store())
    return ComprehensionLoop(node, gast.comprehension(target, node, [], 0))
