"""`for` loops: what they walk, item by item or unrolled."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gast
import numpy as np

from .. import core
from ..builder import is_mutable
from ..core import COUNT, Atom, Const, For, Var, While
from ..errors import AdjointError, AliasingError
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
    join_all,
)
from . import lazy
from .exits import BREAK, CONTINUE, EXIT, GO_ON, RETURNED
from .expressions import known_length, truth
from .loops import Loops
from .state import is_static

MAX_UNROLLED = 64


class _ChangedInside(Exception):
    """A loop changes an array that it walks: `for row in a: row *= 2`."""

    def __init__(self, position: int, refusal: AdjointError) -> None:
        self.position, self.refusal = position, refusal


class ForLoops(Loops):
    def stmt_For(self, node: Any) -> None:
        iterable = self.iterable(node.iter)
        self.for_(iterable, lambda item: self._loop_body(node, item), node)

    def _loop_body(self, node: Any, item: Atom) -> None:
        self.assign(node.target, item)
        self.statements(node.body)

    def iterable(self, node: Any) -> Any:
        """What a loop walks: an atom, or ("zip", parts), or ("enumerate", part)."""
        if not isinstance(node, gast.Call) or any(isinstance(a, gast.Starred) for a in node.args):
            return self.as_iterable(self.expr(node), node)
        callee = self.expr(node.func)
        if not (isinstance(callee, Const) and lazy.is_one_of(callee.value, lazy.BY_ELEMENT)):
            self.walked.add(id(node))
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
        return self.as_iterable(self.expr(node), node)

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
        self.raise_(kind, "zip() has arguments of different lengths")

    def for_(self, iterable: Any, body: Callable[[Atom], None], node: Any) -> None:
        unrolled = self.unrolled(iterable)
        if unrolled is not None:
            self._unroll(unrolled, body, node)
            return
        sources: list[Atom] = []
        self._flatten(iterable, sources, node)
        indexed: set[int] = set()  # of arrays that the body changes: walked by an index
        before = self.snapshot()
        while True:
            depth = len(self.frames)
            problem: AdjointError
            try:
                self._walk(iterable, sources, indexed, body, node)
                return
            except _ChangedInside as changed:
                position, problem = changed.position, changed.refusal
            except AliasingError as error:
                shown = self._shown_by(error.root, sources, indexed)
                if shown is None:
                    raise
                position, problem = shown, error
            del self.frames[depth:]
            self.restore(before)
            if isinstance(sources[position].type, Array):
                indexed.add(position)
                continue
            items = self.unrolled(iterable, always=True)
            if items is None:
                raise problem
            self._unroll(items, body, node)
            return

    def _shown_by(self, view: Var | None, sources: list[Atom], indexed: set[int]) -> int | None:
        """The source whose items, in a loop over it, are changed: arrays of a list, or views."""
        near = set() if view is None else {view, *self.aliases.of(view)}
        for position, source in enumerate(sources):
            if position not in indexed and isinstance(source, Var) and source.root in near:
                return position
        return None

    def _walk(
        self,
        iterable: Any,
        sources: list[Atom],
        indexed: set[int],
        body: Callable[[Atom], None],
        node: Any,
    ) -> None:
        """One loop over all sources in parallel."""
        self.at(node)
        walked = [self.read(s) for s in sources]
        places = list(range(len(sources)))  # of the item, or the index, that goes with a source
        for position in sorted(indexed):
            steps = self.op(core.RANGE, self.op(len, sources[position], type=INT))
            if COUNT in walked:
                places[position] = walked.index(COUNT)
            walked[places[position]] = steps
        kept = sorted(set(places))
        iterables = [walked[k] for k in kept]
        items: list[Var | None] = []

        def start() -> None:
            slots = [self._loop_item(s, node) for s in iterables]
            items[:] = slots
            values: list[Atom] = [slots[kept.index(k)] for k in places]
            for position in indexed:
                values[position] = self.op(operator.getitem, sources[position], values[position])
            body(self._rebuild_item(iterable, iter(values)))

        def make(loop: dict[str, Any]) -> For | While:
            changed = {p.root for p in loop["params"]}
            for position, source in enumerate(sources):
                if position in indexed or not isinstance(source, Var):
                    continue
                if source.root not in changed and source.root not in self.stale:
                    continue
                refusal = self.refuse(
                    f"`{source.name}`, which this loop walks, is changed in it",
                    node,
                    "Walk a copy, or use an index: for i in range(len(x)).",
                )
                if source.root in changed or source.root in self.rewritten:
                    if not isinstance(source.type, Array):
                        raise refusal
                raise _ChangedInside(position, refusal)
            return For(**loop, items=list(items), iterables=iterables)

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
            item: Type = UNKNOWN if t.dims is None else replace(t, dims=t.dims[1:])
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

    def unrolled(self, iterable: Any, *, always: bool = False) -> list[Atom] | None:
        """The items of a loop over few values of different kinds, which has no common body."""
        if isinstance(iterable, tuple):
            parts = iterable[1] if iterable[0] == "zip" else [iterable[1]]
            columns = [self.unrolled(p, always=always) for p in parts]
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
        made = self.b.definition(iterable, core.LIST) or self.b.definition(iterable, core.TUPLE)
        if made is not None and any(map(is_static, made.args)) and len(made.args) <= MAX_UNROLLED:
            return [self.item(iterable, i) for i in range(len(made.args))]
        if isinstance(iterable, Const) and isinstance(iterable.value, (tuple, list, dict, str)):
            values = list(iterable.value)
            if len(values) <= MAX_UNROLLED:
                return [constant(v) for v in values]
            return None
        if isinstance(t, Dict) and t.keys is not None and len(t.keys) <= MAX_UNROLLED:
            return [constant(k) for k in t.keys]
        if isinstance(t, (Tuple, List)) and t.items is not None and len(t.items) <= MAX_UNROLLED:
            item = join_all(t.items, self.b.symbols)
            if isinstance(t, Tuple) or _mixed(item) or always:
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


def _mixed(t: Type) -> bool:
    """Whether joining types has lost what operations need: a dtype, a rank."""
    if isinstance(t, Tuple):
        return any(map(_mixed, t.items))
    if isinstance(t, (List, Dict)):
        return _mixed(t.item)
    return isinstance(t, Unknown) or (isinstance(t, Array) and t.dims is None)
