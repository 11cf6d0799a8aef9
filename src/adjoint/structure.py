"""Questions about the structure of a function in the core, and edits of it.

Where a statement stands, what a block defines, how a value of a branch gets out of it: what the
derivative passes ask while they add to a function.
"""

from __future__ import annotations

from typing import Any

from . import core
from .core import UNDEFINED, Atom, Block, For, Function, If, Loop, Op, Stmt, Var


def copy_function(function: Function) -> Function:
    """The same function with variables and statements of its own."""
    renamed: dict[Var, Var] = {}

    def var(v: Var | None) -> Any:
        if v is None:
            return None
        if v not in renamed:
            copy = Var(v.name, v.type, named=v.named, varied=v.varied)
            renamed[v] = copy
            copy.root = renamed[v.root] if v.root in renamed else copy
        return renamed[v]

    def atom(a: Atom) -> Atom:
        return renamed.get(a, a) if isinstance(a, Var) else a

    def block(b: Block) -> Block:
        copy = Block()
        for stmt in b.stmts:
            copy.stmts.append(statement(stmt))
        copy.yields = [atom(a) for a in b.yields]
        return copy

    def statement(s: Stmt) -> Stmt:
        if isinstance(s, Op):
            args, kwargs = [atom(a) for a in s.args], {k: atom(a) for k, a in s.kwargs.items()}
            return Op(var(s.target), s.fn, args, kwargs, s.style, s.origin, var(s.version))
        if isinstance(s, If):
            test, then, orelse = atom(s.test), block(s.then), block(s.orelse)
            return If(test, then, orelse, [var(v) for v in s.results], s.origin)
        common: dict[str, Any] = {"inits": [atom(a) for a in s.inits]}
        if isinstance(s, For):
            common |= {"iterables": [atom(a) for a in s.iterables]}
        common |= {"params": [var(v) for v in s.params]}
        if isinstance(s, For):
            common |= {"items": [var(v) for v in s.items]}
        else:
            common |= {"cond": block(s.cond)}
        common |= {"body": block(s.body), "results": [var(v) for v in s.results]}
        return type(s)(origin=s.origin, **common)

    params = [var(p) for p in function.params]
    return Function(
        function.name, params, block(function.body), function.origin, function.doc,
        dict(function.defaults), {},
        {renamed[r]: frozenset(renamed[v] for v in vs if v in renamed)
         for r, vs in function.aliases.items() if r in renamed},
    )  # fmt: skip


def export(block: Block, var: Var, outside: set[Var]) -> Atom:
    """A value of a block that is defined in one of its branches, as a value of the block."""
    if var in outside:
        return var
    for stmt in block.stmts:
        if var in core.defined_by(stmt):
            return var
        if isinstance(stmt, If):
            for side, other in ((stmt.then, stmt.orelse), (stmt.orelse, stmt.then)):
                if var not in set(definitions(side)):
                    continue
                value = export(side, var, set())
                # A state of an object that exists before: the other side has it as it was.
                before = var.root is not var and var.root not in set(definitions(side))
                missing: Atom = var.root if before else UNDEFINED
                for position, result in enumerate(stmt.results):
                    if side.yields[position] is value and other.yields[position] is missing:
                        return result
                side.yields.append(value)
                other.yields.append(missing)
                result = Var(var.name, var.type, named=var.named)
                result.root = var.root if var.root is not var else result
                stmt.results.append(result)
                return result
    raise AssertionError(f"{var} is not defined in the block")


def definitions(block: Block) -> list[Var]:
    """All variables defined in a block and in its branches; those of inner loops excepted."""
    found: list[Var] = []
    for stmt in block.stmts:
        found += core.defined_by(stmt)
        if isinstance(stmt, If):
            found += definitions(stmt.then) + definitions(stmt.orelse)
    return found


def after_definition(function: Function, var: Var) -> tuple[Block, int]:
    """Where a value has just been defined: a block and a position in it."""
    if var in function.params:
        return function.body, 0
    todo = [function.body]
    while todo:
        block = todo.pop()
        for position, stmt in enumerate(block.stmts):
            if var in core.defined_by(stmt):
                return block, position + 1
            if var in core.defined_inside(stmt):
                return stmt.body, 0  # type: ignore[union-attr]
            todo += core.blocks_of(stmt)
    raise AssertionError(f"{var} is not defined in {function.name}")


def defined_within(loop: Loop) -> set[Var]:
    found = set(core.defined_inside(loop))  # type: ignore[arg-type]
    for stmt in core.walk(loop.body):
        found.update(core.defined_by(stmt))
        found.update(core.defined_inside(stmt))
    return found


def read_outside(stmt: If) -> list[Var]:
    return list(dict.fromkeys(core.free_vars(stmt.then) + core.free_vars(stmt.orelse)))


def block_with(block: Block, stmt: Any) -> Block:
    if any(s is stmt for s in block.stmts):
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
    same = {param.root}
    before = 0
    while before != len(same):
        before = len(same)
        for stmt in core.walk(body):
            if isinstance(stmt, Op):
                if stmt.version is not None and stmt.version.root in same:
                    return True
                continue
            if isinstance(stmt, If):
                rows = [
                    *zip(stmt.results, stmt.then.yields),
                    *zip(stmt.results, stmt.orelse.yields),
                ]
            else:
                rows = [*zip(stmt.params, stmt.inits), *zip(stmt.results, stmt.inits)]
            same.update(a.root for a, b in rows if isinstance(b, Var) and b.root in same)
    return False
