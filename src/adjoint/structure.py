"""Questions about the structure of a function in the core, and edits of it.

Where a statement stands, what a block defines, how a value of a branch gets out of it: what the
derivative passes ask while they add to a function.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import core
from .core import UNDEFINED, Atom, Block, For, Function, If, Loop, Op, Stmt, Var


def copy_function(function: Function) -> Function:
    """The same function with variables and statements of its own."""
    copier = _Copier({}, whole=True)
    params = [copier.var(p) for p in function.params]
    body = copier.block(function.body)
    renamed: dict[Var, Any] = copier.renamed
    return Function(
        function.name, params, body, function.origin, function.doc,
        dict(function.defaults), {},
        {renamed[r]: frozenset(renamed[v] for v in vs if v in renamed)
         for r, vs in function.aliases.items() if r in renamed},
    )  # fmt: skip


def copy_block(block: Block, renamed: dict[Var, Atom], builder: Any) -> Block:
    """The same block with variables and statements of its own; `renamed` stand for others."""
    copier = _Copier(dict(renamed), whole=False)
    copy = copier.block(block)
    for stmt in core.walk(copy):
        for var in core.defined_by(stmt):
            if isinstance(stmt, Op):
                builder.definitions[var] = stmt
    for old, new in copier.renamed.items():
        if isinstance(new, Var):
            if old in builder.buffers:
                builder.buffers.add(new)
            if old.root in builder._changed:
                builder.unshare(new)
    return copy


class _Copier:
    """`whole`: nothing outside of what is copied is changed by it."""

    def __init__(self, renamed: dict[Var, Atom], *, whole: bool) -> None:
        self.renamed = renamed
        self.whole = whole

    def var(self, v: Var | None) -> Any:
        if v is None:
            return None
        if v not in self.renamed:
            copy = Var(v.name, v.type, named=v.named, varied=v.varied)
            copy.tangent = v.tangent
            self.renamed[v] = copy
            copy.root = self.renamed.get(v.root, copy if self.whole else v.root)  # type: ignore[assignment]
        return self.renamed[v]

    def atom(self, a: Atom) -> Atom:
        return self.renamed.get(a, a) if isinstance(a, Var) else a

    def block(self, b: Block) -> Block:
        copy = Block()
        for stmt in b.stmts:
            copy.stmts.append(self.statement(stmt))
        copy.yields = [self.atom(a) for a in b.yields]
        return copy

    def statement(self, s: Stmt) -> Stmt:
        if isinstance(s, Op):
            args = [self.atom(a) for a in s.args]
            kwargs = {k: self.atom(a) for k, a in s.kwargs.items()}
            target, version = self.var(s.target), self.var(s.version)
            return Op(target, s.fn, args, kwargs, s.style, s.origin, version, s.backward, s.tangent)
        if isinstance(s, If):
            test, then, orelse = self.atom(s.test), self.block(s.then), self.block(s.orelse)
            results = [self.var(v) for v in s.results]
            return If(test, then, orelse, results, s.origin, s.backward)
        common: dict[str, Any] = {"inits": [self.atom(a) for a in s.inits]}
        if isinstance(s, For):
            common |= {"iterables": [self.atom(a) for a in s.iterables]}
        common |= {"params": [self.var(v) for v in s.params]}
        if isinstance(s, For):
            common |= {"items": [self.var(v) for v in s.items]}
        else:
            common |= {"cond": self.block(s.cond)}
        common |= {"body": self.block(s.body), "results": [self.var(v) for v in s.results]}
        return type(s)(origin=s.origin, backward=s.backward, **common)


class Exports:
    """Values that are defined in the branches of a block, as values of the block.

    `beside`: variables that the block has, and no statement of it defines.
    """

    def __init__(self, block: Block, beside: Iterable[Var] = ()) -> None:
        # variable -> the branches around its definition, outermost first
        self._paths: dict[Var, tuple[_Side, ...]] = dict.fromkeys(beside, ())
        self._index(block, ())

    def _index(self, block: Block, path: tuple[_Side, ...]) -> None:
        for stmt in block.stmts:
            for var in core.defined_by(stmt):
                self._paths.setdefault(var, path)
            if isinstance(stmt, If):
                self._index(stmt.then, (*path, _Side(stmt, stmt.then, stmt.orelse)))
                self._index(stmt.orelse, (*path, _Side(stmt, stmt.orelse, stmt.then)))

    def value(self, var: Var) -> Atom:
        path = self._paths[var]
        home = self._paths.get(var.root, ())
        value: Atom = var
        for depth in reversed(range(len(path))):
            # A state of an object that exists before: the other side has it as it was.
            before = var.root is not var and home[: depth + 1] != path[: depth + 1]
            value = path[depth].handed_on(value, var, var.root if before else UNDEFINED)
        return value


@dataclass(frozen=True, eq=False)
class _Side:
    """One side of a branch."""

    stmt: If
    block: Block
    other: Block

    def handed_on(self, value: Atom, var: Var, missing: Atom) -> Var:
        """A result of the branch: `value` from this side, `missing` from the other."""
        for position, result in enumerate(self.stmt.results):
            if self.block.yields[position] is value and self.other.yields[position] is missing:
                return result
        self.block.yields.append(value)
        self.other.yields.append(missing)
        result = Var(var.name, var.type, named=var.named)
        result.root = var.root if var.root is not var else result
        self.stmt.results.append(result)
        return result


def close_scopes(block: Block) -> None:
    """Let each value that is read outside the branch that defines it be a result of the branch.

    A backward sweep reads values of the forward sweep where they are, in branches that are taken by
    the same test. In Python that works; a pass that goes through the whole needs it said.
    """
    _close(block, set(), {})


def _close(block: Block, visible: set[Var], hidden: dict[Var, Exports]) -> None:
    """`hidden`: what earlier branches define -> the way out of them."""
    visible, hidden = set(visible), dict(hidden)
    renamed: dict[Var, Atom] = {}

    def seen(atom: Atom) -> Atom:
        if not isinstance(atom, Var) or atom in visible or atom not in hidden:
            return atom
        if atom not in renamed:
            renamed[atom] = hidden[atom].value(atom)
        return renamed[atom]

    for stmt in list(block.stmts):
        if isinstance(stmt, Op):
            stmt.args = [seen(a) for a in stmt.args]
            stmt.kwargs = {k: seen(a) for k, a in stmt.kwargs.items()}
        elif isinstance(stmt, If):
            stmt.test = seen(stmt.test)
        else:
            stmt.inits = [seen(a) for a in stmt.inits]
            if isinstance(stmt, For):
                stmt.iterables = [seen(a) for a in stmt.iterables]
        inner = visible | set(core.defined_inside(stmt))
        for sub in core.blocks_of(stmt):
            _close(sub, inner, hidden)
        visible.update(core.defined_by(stmt))
        if isinstance(stmt, If):
            exports = Exports(Block([stmt]))
            for var in definitions(Block([stmt])):
                if var not in visible:
                    hidden[var] = exports
    block.yields = [seen(a) for a in block.yields]


def definitions(block: Block) -> list[Var]:
    """All variables defined in a block and in its branches; those of inner loops excepted."""
    found: list[Var] = []
    for stmt in block.stmts:
        found += core.defined_by(stmt)
        if isinstance(stmt, If):
            found += definitions(stmt.then) + definitions(stmt.orelse)
    return found


class Places:
    """Where the variables of a function are defined, while statements are put into it."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._found: dict[Var, tuple[Block, Stmt | None]] = {}

    def after(self, var: Var) -> tuple[Block, int]:
        """Where a value has just been defined: a block and a position in it."""
        place = self._found.get(var)
        if place is None:
            self._found = dict.fromkeys(self._function.params, (self._function.body, None))
            self._index(self._function.body)
            outside = self._function.body, None
            place = self._found.setdefault(var, outside)
        block, stmt = place
        return block, 0 if stmt is None else block.stmts.index(stmt) + 1

    def _index(self, block: Block) -> None:
        for stmt in block.stmts:
            for var in core.defined_by(stmt):
                self._found[var] = block, stmt
            for var in core.defined_inside(stmt):
                self._found[var] = stmt.body, None  # type: ignore[union-attr]
            for inner in core.blocks_of(stmt):
                self._index(inner)


def defined_within(loop: Loop) -> set[Var]:
    found = set(core.defined_inside(loop))  # type: ignore[arg-type]
    for stmt in core.walk(loop.body):
        found.update(core.defined_by(stmt))
        found.update(core.defined_inside(stmt))
    return found


def read_outside(stmt: If) -> list[Var]:
    return list(dict.fromkeys(core.free_vars(stmt.then) + core.free_vars(stmt.orelse)))


def block_with(block: Block, stmt: Any) -> Block:
    if stmt in block.stmts:
        return block
    for s in block.stmts:
        for inner in core.blocks_of(s):
            try:
                return block_with(inner, stmt)
            except LookupError:
                continue
    raise LookupError(stmt)


def is_changed(body: Block, param: Var) -> bool:
    """Whether a loop's body changes the memory of a parameter, perhaps in a loop inside it."""
    same = same_memory(body, param)
    return any(
        isinstance(s, Op) and s.version is not None and s.version.root in same
        for s in core.walk(body)
    )


def same_memory(body: Block, param: Var) -> set[Var]:
    """The objects that may be a parameter's: what branches and loops inside hand on."""
    same = {param.root}
    before = 0
    while before != len(same):
        before = len(same)
        for stmt in core.walk(body):
            if isinstance(stmt, If):
                rows = [
                    *zip(stmt.results, stmt.then.yields),
                    *zip(stmt.results, stmt.orelse.yields),
                ]
            elif isinstance(stmt, Loop):
                entered = (stmt.inits, stmt.body.yields)
                rows = [r for e in entered for r in (*zip(stmt.params, e), *zip(stmt.results, e))]
            else:
                continue
            same.update(a.root for a, b in rows if isinstance(b, Var) and b.root in same)
    return same


def rename(function: Function, renamed: dict[Var, Atom]) -> None:
    """Put other atoms in the place of variables, in place: also as the roots of later states."""

    def settled(atom: Atom) -> Atom:
        while isinstance(atom, Var) and atom in renamed:
            atom = renamed[atom]
        return atom

    core.rewrite(function.body, settled)
    for stmt in core.walk(function.body):
        if isinstance(stmt, Op):
            states = [stmt.version] if stmt.version is not None else []
        elif isinstance(stmt, If):
            states = stmt.results
        else:
            states = [*stmt.params, *stmt.results]
        for state in states:
            root = settled(state.root)
            if isinstance(root, Var):
                state.root = root.root
