"""Assignment: to names, to several names, to elements, and in place."""

from __future__ import annotations

from typing import Any

import gast
import numpy as np

from .. import core
from ..builder import is_number
from ..core import Atom, Const, Var
from ..infer import constant
from ..types import INT, Array, Dict, List, Object, Tuple, Type, is_container, join
from ..views import is_rank_0_view, path_of
from .crossing import may_cross
from .expressions import BINARY, Expressions, is_shared, known_length


class Assignment(Expressions):
    def stmt_Assign(self, node: Any) -> None:
        if all(isinstance(target, (gast.Tuple, gast.List)) for target in node.targets):
            self.walked.add(id(node.value))
        value = self.expr(node.value)
        for target in node.targets:
            self.assign(target, value)

    def stmt_AnnAssign(self, node: Any) -> None:
        if node.value is not None:
            self.assign(node.target, self.expr(node.value))

    def assign(self, target: Any, value: Atom) -> None:
        self.at(target)
        if isinstance(target, gast.Name):
            self.bind(target.id, value)
        elif isinstance(target, (gast.Tuple, gast.List)):
            self._unpack(target, value)
        elif isinstance(target, gast.Subscript):
            container, index = self.expr(target.value), self.expr(target.slice)
            self.at(target)
            self.store(container, index, value, target)
        else:
            owner = self.pinned(self.expr(target.value))
            self.at(target)
            self.assign_attribute(owner, target.attr, value, target)

    def assign_attribute(self, owner: Atom, name: str, value: Atom, node: Any) -> None:
        raise NotImplementedError  # by OutsideState

    def _unpack(self, target: Any, value: Atom) -> None:
        targets = target.elts
        value = self.as_sequence(value, target)
        starred = [i for i, t in enumerate(targets) if isinstance(t, gast.Starred)]
        length = known_length(value)
        if starred:
            at = starred[0]
            after = len(targets) - at - 1
            if length is None:
                items = self._around_star(value, at, after, target)
            elif length < at + after:
                raise self.refuse(f"{length} values are too few to be unpacked here", target)
            else:
                items = self.unpack_all(value, target)
                middle = self.op(core.LIST, *items[at : length - after])
                items = [*items[:at], middle, *items[length - after :]]
            names = [*targets[:at], targets[at].value, *targets[at + 1 :]]
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

    def _around_star(self, value: Atom, before: int, after: int, target: Any) -> list[Atom]:
        """What `first, *middle, last = value` binds, for a value of any length."""
        if not isinstance(value.type, (Array, List)):
            raise self.refuse("the number of elements to unpack is not known here", target)
        least = constant(before + after)
        length = self.op(len, value, type=INT)
        short = self.op(np.less, length, least, style="operator")
        kind = Const(ValueError, Object(type), "ValueError")
        text = f"not enough values to unpack (expected at least {before + after})"
        self.if_(self.read(short), lambda: self.raise_(kind, text), lambda: None)
        inside = constant(slice(before, -after if after else None))
        return [
            *(self.item(value, i) for i in range(before)),
            self.collected(self.subscript(value, inside, target), target),
            *(self.item(value, i - after) for i in range(after)),
        ]

    def raise_(self, kind: Const, text: str) -> None:
        raise NotImplementedError  # by Branches

    def collected(self, iterable: Any, node: Any) -> Atom:
        raise NotImplementedError  # by Comprehensions

    def store_slice(self, owner: Atom, index: Atom, value: Atom, node: Any) -> None:
        raise NotImplementedError  # by Containers

    def store(self, container: Atom, index: Atom, value: Atom, node: Any) -> None:
        """container[index] = value"""
        if isinstance(container, Const):
            raise self.refuse("a constant is changed in place", node)
        t = container.type
        if isinstance(t, Tuple):
            raise self.refuse("a tuple cannot be changed", node)
        if isinstance(t, List) and _is_slice(index):
            self.store_slice(container, index, value, node)
            return
        if isinstance(t, Array) and t.dims == ():
            raise self.refuse(
                "a store into an array of rank 0 is not supported", node,
                "Bind the name anew: x = v.",
            )  # fmt: skip
        if isinstance(t, Array) and index.type == Object(str):
            raise self.refuse(
                "a field of a structured dtype is assigned", node,
                "Keep each field in an array of its own.",
            )  # fmt: skip
        self.refuse_crossing(container, index, value, node)
        self.change(core.STORE, container, index, value, type=_stored(t, index, value, self))
        if is_container(t) and is_shared(value):
            key = index.value if isinstance(index, Const) else None
            self.aliases.put(value.root, container.root, key)

    def refuse_crossing(self, container: Atom, index: Atom, value: Atom, node: Any) -> None:
        if may_cross(self, container, index, value):
            raise self.refuse(
                "a part of an array is stored into a part that it may cross", node,
                "Store a copy: x[i] = y.copy().",
            )  # fmt: skip

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
        if isinstance(target, gast.Attribute):
            owner = self.pinned(self.expr(target.value))
            current = self.present(self.attribute(owner, target.attr, target))
            value = self.expr(node.value)
            self.at(node)
            after = self.augmented(current, value, node)
            if after is not None:
                self.assign_attribute(owner, target.attr, after, target)
            return
        container, index = self.expr(target.value), self.expr(target.slice)
        if isinstance(container.type, Array):
            before = self.subscript(container, index, target)
            value = self.expr(node.value)
            self.at(node)
            if not is_number(before.type):  # a view, which shows what `value` has changed
                before = self.subscript(container, index, target)
            if isinstance(before, Var) and path_of(before, self.b.definitions):
                self.change(BINARY[type(node.op)], before, value, style="inplace")
                return
            self.store(container, index, self.binary(type(node.op), before, value, node), target)
            return
        if isinstance(container.type, List) and _is_slice(index):
            raise self.refuse("a slice of a list is changed in place", target)
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
            if t.dims is None and self._count_names(current) > 1:
                raise self._unclear(node)  # it may be a number, which nothing changes in place
            self.change(BINARY[type(node.op)], current, value, style="inplace")
            return None
        if isinstance(t, List) and isinstance(node.op, gast.Add):
            self.extend(current, value, node)
            return None
        if isinstance(t, (List, Dict)):
            raise self.refuse("this operation in place is not supported", node)
        if not is_number(t) and is_shared(current) and self._has_other_names(current):
            raise self._unclear(node)
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
        if is_rank_0_view(made):
            return True
        if made is None or made.fn not in _MAKE_ARRAYS:
            return False
        return self._count_names(current) > 1

    def _unclear(self, node: Any) -> Exception:
        return self.refuse(
            "whether this changes an array that has another name is not known here",
            node,
            "Write x = x + y for a new value, x[...] += y to change an array.",
        )

    def _has_other_names(self, current: Atom) -> bool:
        """Whether a value that may be an array can be seen under another name as well."""
        assert isinstance(current, Var)
        return bool(self.aliases.of(current.root)) or self._count_names(current) > 1

    def _count_names(self, current: Var) -> int:
        names = [v for f in self.frames for v in f.env.values() if isinstance(v, Var)]
        return sum(v.root is current.root for v in names)

    def extend(self, items: Atom, iterable: Any, node: Any) -> None:
        raise NotImplementedError  # by Comprehensions


def _is_slice(index: Atom) -> bool:
    return index.type == Object(slice) or (
        isinstance(index, Const) and isinstance(index.value, slice)
    )


def _stored(t: Type, index: Atom, value: Atom, lowering: Assignment) -> Type | None:
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


# Functions that give an array even of rank 0, where others give a number.
_MAKE_ARRAYS: frozenset[Any] = frozenset(
    {np.array, np.asarray, np.zeros, np.ones, np.full, np.empty, np.copy,
     np.zeros_like, np.ones_like, np.full_like, np.empty_like}
)  # fmt: skip
