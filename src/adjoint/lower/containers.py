"""Methods of lists and dicts, and `del`.

Changes at the end of a list are made where the user wrote them. A change anywhere else, of a list
whose elements are known and that has no other holder, gives its names a new list of the elements
that are left: so that what remains of it in the derivative is the elements.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gast

from .. import core
from ..core import UNDEFINED, Atom, Const, Var
from ..infer import constant
from ..types import Dict, List, carries_derivative
from .expressions import is_shared, known_length
from .statements import Statements

_NONE = constant(None)
_NO_OTHER = "Build a new list or dict."


class Containers(Statements):
    # -- lists ----------------------------------------------------------------------------

    def list_method(
        self, owner: Atom, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        if not kwargs or name == "sort":
            method = getattr(self, f"_list_{name}", None)
            if method is not None:
                result: Atom = method(owner, node, *args, **kwargs)
                return result
        raise self.refuse(
            f"the list method `{name}` is not supported",
            node,
            "Lists may be changed by append, extend and xs[i] = v.",
        )

    def _list_append(self, owner: Atom, node: Any, value: Atom) -> Atom:
        self.append(owner, value)
        return constant(None)

    def _list_extend(self, owner: Atom, node: Any, values: Atom) -> Atom:
        self.extend(owner, values, node)
        return constant(None)

    def _list_copy(self, owner: Atom, node: Any) -> Atom:
        return self.collected(owner, node)

    def _list_pop(self, owner: Atom, node: Any, index: Atom | None = None) -> Atom:
        last = index is None or (isinstance(index, Const) and index.value == -1)
        if last and not self._is_own_container(owner):
            return self._pop_last(owner)
        items = self._items(owner, node)
        at = self._position(index or constant(-1), len(items), node)
        value = items.pop(at)
        self._become_list(owner, items)
        return value

    def _pop_last(self, owner: Atom) -> Atom:
        """xs.pop(), of a list of any length"""
        t = owner.type
        assert isinstance(t, List)
        last = t.item if not t.items else t.items[-1]
        value = Var("last", last, varied=owner.varied and carries_derivative(last))
        rest = List(t.item, t.items[:-1]) if t.items else List(t.item)
        self.change(core.POP, owner, type=rest, value=value)
        if is_shared(value) and isinstance(owner, Var):
            self.aliases.taken(value, owner.root)
        return value

    def _list_insert(self, owner: Atom, node: Any, index: Atom, value: Atom) -> Atom:
        items = self._items(owner, node)
        if not isinstance(index, Const) or index.path is not None:
            raise self.refuse("where this list is changed is not known here", node, _NO_OTHER)
        items.insert(index.value, value)
        self._become_list(owner, items)
        return constant(None)

    def _list_clear(self, owner: Atom, node: Any) -> Atom:
        self._become_list(owner, [], node)
        return constant(None)

    def _list_reverse(self, owner: Atom, node: Any) -> Atom:
        if self._is_own_container(owner):
            self._become_list(owner, self._items(owner, node)[::-1])
        else:
            t = owner.type
            assert isinstance(t, List)
            self.change(
                core.REVERSE,
                owner,
                type=List(t.item, None if t.items is None else t.items[::-1]),
            )
        return constant(None)

    def _list_sort(
        self, owner: Atom, node: Any, key: Atom | None = None, reverse: Atom | None = None
    ) -> Atom:
        ordered = self.sorted(owner, key, reverse, node)
        self._become_list(owner, self.unpack_all(ordered, node), node)
        return constant(None)

    def sorted(self, values: Atom, key: Atom | None, reverse: Atom | None, node: Any) -> Atom:
        raise NotImplementedError  # by Orders

    # -- dicts ----------------------------------------------------------------------------

    def dict_method(
        self, owner: Atom, t: Dict, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        method = getattr(self, f"_dict_{name}", None)
        if method is None or (kwargs and name != "update"):
            raise self.refuse(f"the dict method `{name}` is not supported", node)
        if t.keys is None:
            raise self.refuse(f"`{name}` of a dict with unknown keys is not supported", node)
        if any(not isinstance(a, Const) for a in args[:1] if name in ("get", "pop", "setdefault")):
            raise self.refuse("this key is not known here", node)
        result: Atom = method(owner, t.keys, node, *args, **kwargs)
        return result

    def _dict_keys(self, owner: Atom, keys: Any, node: Any) -> Atom:
        return constant(keys)

    def _dict_values(self, owner: Atom, keys: Any, node: Any) -> Atom:
        return self.b_tuple([self.item(owner, k) for k in keys])

    def _dict_items(self, owner: Atom, keys: Any, node: Any) -> Atom:
        pairs = [self.op(core.TUPLE, constant(k), self.item(owner, k)) for k in keys]
        return self.op(core.TUPLE, *pairs)

    def _dict_get(
        self, owner: Atom, keys: Any, node: Any, key: Const, default: Atom = _NONE
    ) -> Atom:
        return self.item(owner, key.value) if key.value in keys else default

    def _dict_copy(self, owner: Atom, keys: Any, node: Any) -> Atom:
        return self.op(core.DICT, *(self.item(owner, k) for k in keys), keys=constant(keys))

    def _dict_update(self, owner: Atom, keys: Any, node: Any, *others: Atom, **named: Atom) -> Atom:
        new: dict[Any, Atom] = {}
        for other in others:
            if not isinstance(other.type, Dict) or other.type.keys is None:
                raise self.refuse("the keys of this dict are not known here", node)
            new |= {k: self.item(other, k) for k in other.type.keys}
        for key, value in (new | named).items():
            self.store(self.present(owner), constant(key), value, node)
        return constant(None)

    def _dict_setdefault(
        self, owner: Atom, keys: Any, node: Any, key: Const, default: Atom = _NONE
    ) -> Atom:
        if key.value in keys:
            return self.item(owner, key.value)
        self.store(owner, key, default, node)
        return default

    def _dict_pop(
        self, owner: Atom, keys: Any, node: Any, key: Const, default: Atom = UNDEFINED
    ) -> Atom:
        if key.value not in keys:
            if default is UNDEFINED:
                raise self.refuse(f"this dict has no key {key.value!r}", node)
            return default
        value = self.item(owner, key.value)
        self._become_dict(owner, [k for k in keys if k != key.value], node)
        return value

    def _dict_popitem(self, owner: Atom, keys: Any, node: Any) -> Atom:
        if not keys:
            raise self.refuse("this dict is empty", node)
        pair = self.op(core.TUPLE, constant(keys[-1]), self.item(owner, keys[-1]))
        self._become_dict(owner, keys[:-1], node)
        return pair

    def _dict_clear(self, owner: Atom, keys: Any, node: Any) -> Atom:
        self._become_dict(owner, (), node)
        return constant(None)

    def binary(self, op: type, left: Atom, right: Atom, node: Any) -> Atom:
        if op is gast.BitOr and isinstance(left.type, Dict) and isinstance(right.type, Dict):
            if left.type.keys is not None and right.type.keys is not None:
                self.at(node)
                sides = [{k: self.item(s, k) for k in s.type.keys} for s in (left, right)]  # type: ignore[union-attr, attr-defined]
                merged = sides[0] | sides[1]
                return self.op(core.DICT, *merged.values(), keys=constant(tuple(merged)))
        return super().binary(op, left, right, node)

    def augmented(self, current: Atom, value: Atom, node: Any) -> Atom | None:
        t = current.type
        if isinstance(node.op, gast.BitOr) and isinstance(t, Dict) and t.keys is not None:
            self._dict_update(current, t.keys, node, value)
            return None
        return super().augmented(current, value, node)

    # -- del, and slices ------------------------------------------------------------------

    def stmt_Delete(self, node: Any) -> None:
        for target in node.targets:
            if isinstance(target, gast.Name):
                self.rebind(self.key_of(target.id), UNDEFINED)
            elif isinstance(target, gast.Subscript):
                owner, index = self.expr(target.value), self.expr(target.slice)
                self.at(target)
                self._delete(owner, index, target)
            else:
                raise self.refuse("`del` of an attribute is not supported", node)

    def _delete(self, owner: Atom, index: Atom, node: Any) -> None:
        """del owner[index]"""
        t = owner.type
        if isinstance(t, Dict) and t.keys is not None and isinstance(index, Const):
            self._dict_pop(owner, t.keys, node, index)
        elif isinstance(t, List):
            items = self._items(owner, node)
            if isinstance(index, Const) and isinstance(index.value, slice):
                del items[index.value]
            else:
                del items[self._position(index, len(items), node)]
            self._become_list(owner, items)
        else:
            raise self.refuse("`del` of this element is not supported", node, _NO_OTHER)

    def store_slice(self, owner: Atom, index: Atom, value: Atom, node: Any) -> None:
        """xs[i:j] = values"""
        items = self._items(owner, node)
        if not isinstance(index, Const):
            raise self.refuse("where this list is changed is not known here", node, _NO_OTHER)
        new = self.unpack_all(value, node)
        try:
            items[index.value] = new
        except ValueError as error:
            raise self.refuse(str(error), node) from None
        self._become_list(owner, items)

    # -- containers whose elements are known ----------------------------------------------

    def _is_own_container(self, owner: Atom) -> bool:
        """Whether only names of this function, and no other holder, lead to a list or dict."""
        if not isinstance(owner, Var):
            return False
        root = owner.root
        made = self.b.definitions.get(root)
        if made is None or made.target is not root or made.fn not in (core.LIST, core.DICT):
            return False
        if self.aliases.of(root) or root in self.published or known_length(owner) is None:
            return False
        others = [f.env for f in [*self.frames, *self.captured] if f is not self.frame]
        if any(isinstance(v, Var) and v.root is root for env in others for v in env.values()):
            return False
        return not self.loop_starts or root.serial >= self.loop_starts[-1]

    def _items(self, owner: Atom, node: Any) -> list[Atom]:
        if not self._is_own_container(owner):
            raise self.refuse("how this list or dict changes is not known here", node, _NO_OTHER)
        return [self.item(owner, i) for i in range(known_length(owner) or 0)]

    def _position(self, index: Atom, length: int, node: Any) -> int:
        if not isinstance(index, Const) or not isinstance(index.value, int):
            raise self.refuse("where this list is changed is not known here", node, _NO_OTHER)
        if not -length <= index.value < length:
            raise self.refuse("this list has no such element", node)
        return index.value

    def _become_list(self, owner: Atom, items: Iterable[Atom], node: Any = None) -> None:
        if node is not None and not self._is_own_container(owner):
            raise self.refuse("how this list or dict changes is not known here", node, _NO_OTHER)
        self._rename(owner, self.op(core.LIST, *items))

    def _become_dict(self, owner: Atom, keys: Iterable[Any], node: Any) -> None:
        if not self._is_own_container(owner):
            raise self.refuse("how this list or dict changes is not known here", node, _NO_OTHER)
        left = tuple(keys)
        items = [self.item(owner, k) for k in left]
        self._rename(owner, self.op(core.DICT, *items, keys=constant(left)))

    def _rename(self, owner: Atom, new: Atom) -> None:
        """Every name of a list or dict is one of what it has become."""
        assert isinstance(owner, Var) and isinstance(new, Var)
        new.name, new.named = owner.root.name, owner.root.named
        for table in (self.env, self.cells):
            for key, value in list(table.items()):
                if isinstance(value, Var) and value.root is owner.root:
                    table[key] = new
