"""Move arithmetic out of the loops of a backward sweep, whose iterations do not change it.

    for x in reversed(tape):                  prod = 2 * d_loss
        d_x += 2 * d_loss * x                 for x in reversed(tape):
                                                  d_x += prod * x

Only Python's own numbers are added, multiplied and divided by constants earlier than the program
says, and only those that certainly have a value there: this cannot fail or warn. What the user
wrote stays where it is.

Needs: no dead code. Leaves parameters of loops that may be dead now.
"""

from __future__ import annotations

import numpy as np

from .. import core
from ..analysis.plain_numbers import divides_by_constant
from ..builder import is_number
from ..core import UNDEFINED, Atom, Block, Const, Function, Loop, Op, Var
from ..infer import constant
from ..structure import defined_within
from ..types import Array, Scalar

_MOVABLE = frozenset({np.add, np.subtract, np.multiply, np.negative})


def move_out(function: Function) -> bool:
    """Move what loops need not repeat, in place; whether there was anything."""
    mover = _Mover(set(function.params))
    mover.block(function.body)
    return mover.changed


class _Mover:
    def __init__(self, known: set[Var]) -> None:
        self.known = known  # what has a value at the place at hand, whatever path led there
        self.changed = False

    def block(self, block: Block) -> None:
        own: list[Var] = []
        stmts: list[core.Stmt] = []
        for stmt in block.stmts:
            for inner in core.blocks_of(stmt):
                self.block(inner)
            if isinstance(stmt, Loop):
                self._settle(stmt)
                moved = self._taken_out(stmt)
                stmts += moved
                own += [op.target for op in moved if op.target is not None]
                self.known.update(own)
            elif isinstance(stmt, Op) and stmt.target is not None and _is_number_made(stmt):
                own.append(stmt.target)
                self.known.add(stmt.target)
            stmts.append(stmt)
        block.stmts = stmts
        self.known.difference_update(own)

    def _settle(self, loop: Loop) -> None:
        """What a loop hands on unchanged is what it was given."""
        given: dict[Atom, Atom] = {
            param: init
            for param, init, end in zip(loop.params, loop.inits, loop.body.yields)
            if end is param and self._is_settled(init)
            if (
                isinstance(param.type, Scalar)
                if isinstance(init, Var)
                else is_number(param.type) and _only_scales(param, loop)
            )
        }
        if not given:
            return
        _fold_products(loop.body, given)

        def settled(atom: Atom) -> Atom:
            while atom in given:
                atom = given[atom]
            return atom

        for inner in core.blocks_of(loop):  # type: ignore[arg-type]
            core.rewrite(inner, settled)
        self.changed = True

    def _is_settled(self, atom: Atom) -> bool:
        if isinstance(atom, Const):
            return atom is not UNDEFINED and atom.external is None
        return atom in self.known and isinstance(atom.type, Scalar)

    def _taken_out(self, loop: Loop) -> list[Op]:
        inside = defined_within(loop)
        moved: list[Op] = []
        self._take_out(loop.body, inside, moved)
        self.changed |= bool(moved)
        return moved

    def _take_out(self, block: Block, inside: set[Var], moved: list[Op]) -> None:
        kept: list[core.Stmt] = []
        for stmt in block.stmts:
            if isinstance(stmt, Op) and self._may_move(stmt, inside, moved):
                moved.append(stmt)
                inside.discard(stmt.target)  # type: ignore[arg-type]
                continue
            for inner in core.blocks_of(stmt):
                self._take_out(inner, inside, moved)
            kept.append(stmt)
        block.stmts = kept

    def _may_move(self, op: Op, inside: set[Var], moved: list[Op]) -> bool:
        if not (op.backward and op.style == "operator"):
            return False
        if op.fn not in _MOVABLE and not divides_by_constant(op):
            return False
        if op.target is None or op.version is not None or not isinstance(op.target.type, Scalar):
            return False
        made = {other.target for other in moved}
        return all(
            isinstance(a.type, Scalar) and (a in made or (a not in inside and self._is_settled(a)))
            for a in op.args
        )


def _is_number_made(op: Op) -> bool:
    """Whether a result is certainly a number: what comes from a record may be None."""
    return isinstance(op.fn, np.ufunc) or op.fn in (len, float)


def _only_scales(param: Var, loop: Loop) -> bool:
    """Whether a parameter is read only where a float, or a number that is known, is multiplied."""
    for block in core.blocks_of(loop):  # type: ignore[arg-type]
        for stmt in core.walk(block):
            yielded = [a for inner in core.blocks_of(stmt) for a in inner.yields]
            if param in yielded or (param in core.read_by(stmt) and not _scales(stmt, param)):
                return False
    return loop.body.yields.count(param) == 1


def _scales(stmt: core.Stmt, param: Var) -> bool:
    if not (isinstance(stmt, Op) and stmt.backward and stmt.fn is np.multiply):
        return False
    others = [a for a in stmt.args if a is not param]
    return stmt.style == "operator" and len(others) == 1 and _is_float(others[0])


def _is_float(atom: Atom) -> bool:
    if isinstance(atom, Const):
        return atom.path is None and type(atom.value) in (int, float)
    if isinstance(atom.type, Array):
        return atom.type.dims == () and atom.type.is_certain and atom.type.element.kind == "f"
    return isinstance(atom.type, Scalar) and atom.type.kind == "float"


def _fold_products(block: Block, given: dict[Atom, Atom]) -> None:
    """2 * 1.0 is 2.0, and 1.0 * x is x; `given` takes up what stands for what."""
    kept: list[core.Stmt] = []
    for stmt in block.stmts:
        if isinstance(stmt, Op) and stmt.target is not None and stmt.fn is np.multiply:
            args = [given.get(a, a) for a in stmt.args]
            product = _known_product(args) if args != stmt.args else None
            if product is not None:
                given[stmt.target] = product
                continue
            if args != stmt.args:
                stmt.args = [_short(a) for a in args]
        for inner in core.blocks_of(stmt):
            _fold_products(inner, given)
        kept.append(stmt)
    block.stmts = kept


def _known_product(factors: list[Atom]) -> Atom | None:
    numbers = [a.value for a in factors if isinstance(a, Const)]
    if len(numbers) == 2:
        return constant(numbers[0] * numbers[1])
    if numbers == [1]:
        return next(a for a in factors if isinstance(a, Var))
    return None


def _short(atom: Atom) -> Atom:
    """A whole number without its `.0`, where it is multiplied by a float."""
    if isinstance(atom, Const) and type(atom.value) is float and atom.value.is_integer():
        return constant(int(atom.value)) if 0 < abs(atom.value) < 1e6 else atom
    return atom
