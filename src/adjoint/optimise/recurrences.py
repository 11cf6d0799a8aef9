"""Hand an element on to the next iteration, where a loop reads what it has just stored.

    for t in range(n):                      h_t = x
        h[t + 1] = f(h[t])        becomes   for t in range(n):
                                                h_t = f(h_t)
                                                h[t + 1] = h_t

A Python variable is several times quicker to read than an element of an array. And in the backward
sweep the cotangent of `h_t` is a number as well, which is not added into an array and read again.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np

from .. import core
from ..analysis.overwrites import Overwrites
from ..analysis.plain_numbers import PlainNumbers
from ..builder import Builder
from ..core import Atom, Block, Const, For, Function, Op, Var
from ..infer import constant
from ..types import FLOAT, Array, Dim, Scalar, Type


def carry_elements(function: Function, builder: Builder) -> None:
    """Let loops over a range carry the elements of arrays that they fill, in place."""
    if not any(isinstance(s, For) for s in core.walk(function.body)):
        return
    _Carrying(function, builder).block(function.body)


@dataclass
class _Filled:
    """An array that a loop fills: it stores into the element `counter + number`, and no other."""

    param: Var
    init: Atom
    store: Op
    counter: Var
    number: int
    first: int  # the first element that is stored


class _Carrying:
    def __init__(self, function: Function, builder: Builder) -> None:
        self.function = function
        self.b = builder
        self.facts = Overwrites(function)

    def block(self, block: Block) -> None:
        for position, stmt in reversed(list(enumerate(block.stmts))):
            for inner in core.blocks_of(stmt):
                self.block(inner)
            if isinstance(stmt, For):
                for filled in self._filled(stmt):
                    self._carry(stmt, filled, block, position)

    def _filled(self, loop: For) -> list[_Filled]:
        found = []
        for param, init, end in zip(loop.params, loop.inits, loop.body.yields):
            if not _is_line(param.type) or param.root is param or not isinstance(end, Var):
                continue
            store = self.facts.definitions.get(end)
            if store is None or store.version is not end or store.args[0] is not param:
                continue
            if store.fn is not core.STORE or store not in loop.body.stmts:
                continue
            offset = self.facts.offset(store.args[1])
            if offset is None or offset[0] not in loop.items or not _is_float(store.args[2].type):
                continue
            first = self.facts.first_value(offset)
            if first is not None and not self._has_other_changes(loop, store):
                found.append(_Filled(param, init, store, *offset, first))
        return found

    def _has_other_changes(self, loop: For, store: Op) -> bool:
        """Whether the loop may change the array in another way."""
        assert store.version is not None
        root = store.version.root
        near = {root, *self.function.aliases.get(root, ())}
        return any(
            isinstance(s, Op)
            and s is not store
            and s.version is not None
            and s.version.root in near
            for s in core.walk(loop.body)
        )

    def _carry(self, loop: For, filled: _Filled, block: Block, position: int) -> None:
        value = filled.store.args[2]
        after = loop.body.stmts.index(filled.store)
        renamed: dict[Var, Atom] = {}
        carried: list[Op] = []
        for stmt in core.walk(loop.body):
            if not isinstance(stmt, Op) or not self._reads(stmt, filled):
                continue
            offset = self.facts.offset(stmt.args[1])
            assert stmt.target is not None
            if offset == (filled.counter, filled.number - 1):
                carried.append(stmt)
            elif offset == (filled.counter, filled.number) and stmt in loop.body.stmts[after:]:
                renamed[stmt.target] = value
        if carried:
            init = self._initial(filled, block, position)
            if init is not None and not self._is_plain([*carried, filled.store]):
                init = self._numpy_number(filled, init, block, loop)
            if init is not None:
                param = self._param(loop, carried[0], init, value)
                renamed |= {op.target: param for op in carried if op.target is not None}
        if not renamed:
            return
        _drop(loop.body, renamed)
        core.rewrite(loop.body, lambda a: renamed.get(a, a) if isinstance(a, Var) else a)

    def _is_plain(self, ops: list[Op]) -> bool:
        """Whether an element may be one of Python's numbers."""
        start = [v for op in ops for v in (op.target, op.args[-1]) if isinstance(v, Var)]
        numbers = [v for v in start if _is_float(v.type)]
        return PlainNumbers(self.function, functions=False).spread(numbers) is not None

    def _numpy_number(self, filled: _Filled, init: Atom, block: Block, loop: For) -> Atom | None:
        """The first element as the number that would be read; None if later ones are not such."""
        if isinstance(filled.store.args[2].type, Scalar):
            return None
        if not isinstance(init.type, Scalar):
            return init
        with self.b.inside(Block()) as made_here:
            self.b.origin = filled.store.origin
            number = self.b.op(np.float64, init)
        position = block.stmts.index(loop)
        block.stmts[position:position] = made_here.stmts
        return number

    def _reads(self, op: Op, filled: _Filled) -> bool:
        if op.fn is not operator.getitem or op.target is None:
            return False
        source = op.args[0]
        return (
            isinstance(source, Var)
            and source.root is filled.param.root
            and (isinstance(op.target.type, Array) and op.target.type.dims == ())
        )

    def _param(self, loop: For, read: Op, init: Atom, value: Atom) -> Var:
        """A parameter of the loop that is the element stored in the iteration before."""
        assert read.target is not None
        t: Type = FLOAT
        if not all(isinstance(a.type, Scalar) for a in (init, value)):
            t = Array(np.dtype(float), ())
        # Named: it does not take the name of what it starts from.
        made = [Var(read.target.name, t, named=True) for _ in range(2)]
        for var in made:
            var.varied = init.varied or value.varied
        loop.params.append(made[0])
        loop.inits.append(init)
        loop.body.yields.insert(-1, value)
        loop.results.append(made[1])
        return made[0]

    def _initial(self, filled: _Filled, block: Block, position: int) -> Atom | None:
        """The element that the first iteration reads, if it is certain to be there."""
        index = filled.first - 1
        if index < 0:
            return None
        state = filled.init
        while isinstance(state, Var):
            made = self.facts.definitions.get(state)
            if made is None or made.version is not state or made.fn is not core.STORE:
                break
            at = made.args[1]
            if not isinstance(at, Const) or type(at.value) is not int or at.value < 0:
                break
            if at.value == index:
                return _as_float(made.args[2])
            state = made.args[0]
        assert isinstance(filled.init, Var)
        made = self.facts.definitions.get(state) if isinstance(state, Var) else None
        if made is not None and made.target is state and made.fn in (np.zeros, np.zeros_like):
            return constant(0.0)
        t = filled.init.type
        size = t.dims[0] if isinstance(t, Array) and t.dims else 0
        surely = size.offset if isinstance(size, Dim) else size
        if surely <= index:
            return None
        with self.b.inside(Block()) as made_here:
            self.b.origin = filled.store.origin
            element = self.b.op(operator.getitem, filled.init, constant(index))
        block.stmts[position:position] = made_here.stmts
        return element


def _drop(block: Block, renamed: dict[Var, Atom]) -> None:
    block.stmts = [s for s in block.stmts if not (isinstance(s, Op) and s.target in renamed)]
    for stmt in block.stmts:
        for inner in core.blocks_of(stmt):
            _drop(inner, renamed)


def _as_float(value: Atom) -> Atom | None:
    if isinstance(value, Const) and type(value.value) in (int, float) and value.path is None:
        return constant(float(value.value))
    return value if _is_float(value.type) else None


def _is_float(t: Type) -> bool:
    """A number that is the same once it has been stored into an array of float64."""
    if isinstance(t, Scalar):
        return t.kind == "float"
    return isinstance(t, Array) and t.dims == () and t.element == np.float64


def _is_line(t: Type) -> bool:
    return (
        isinstance(t, Array)
        and t.dims is not None
        and len(t.dims) == 1
        and t.element == np.float64
        and t.module == "numpy"
    )
