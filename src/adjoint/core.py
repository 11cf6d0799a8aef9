"""The core language: typed single-assignment statements in structured blocks.

Every pass after `lower` reads and writes this form. It is small on purpose:

    atom   = Var | Const
    stmt   = Op        target = fn(*args, **kwargs), all operands atoms
           | If        results = then.yields or orelse.yields
           | For       results = params after the last iteration
           | While
    block  = stmts; yields

A variable is assigned once. What a loop changes is a *parameter* of the loop: it enters as
`inits`, the body yields its next value, and `results` are its values afterwards. A branch that
changes a variable yields it. Early exits are gone: `return` and `continue` have become nested
branches, and `break` is the flag that a loop body yields last (`Loop.stop`).

An operation that changes an object in place (`x[i] = v`, `xs.append(v)`) gives a new *version*
of its first operand: the same object, a later state. Passes can thus treat states as values, and
`emit` prints the versions of an object under one name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .errors import Origin
from .types import Object, Type

_serials = itertools.count()  # next() of it gives no number to two threads


class Var:
    """A variable of the core; `named` when the user gave the name, else it is a temporary."""

    __slots__ = ("name", "named", "type", "varied", "root", "external", "serial",
                 "tangent")  # fmt: skip

    def __init__(self, name: str, type: Type, *, named: bool = False, varied: bool = False) -> None:
        self.name = name
        self.type = type
        self.named = named
        self.varied = varied  # depends on an argument that is differentiated
        self.root: Var = self  # the first version of the same object
        self.external: External | None = None  # read from outside the function
        self.tangent = False  # belongs to the tangents of a forward pass
        self.serial = Var.next_serial()

    @staticmethod
    def next_serial() -> int:
        return next(_serials)

    @staticmethod
    def count() -> int:
        """A number greater than the serial of every variable made so far."""
        return next(_serials)

    def __repr__(self) -> str:
        return f"{self.name}@{id(self) & 0xFFF:x}"


@dataclass(frozen=True)
class External:
    """How generated code reads a value that lives outside the function, at each call anew."""

    kind: str  # "global", "cell", "module", "weak" (the holder is a weak reference) or "value"
    holder: Any  # the globals dict, the cell, the module, or the value
    name: str

    def read(self) -> Any:
        if self.kind == "global":
            return self.holder[self.name]
        if self.kind == "cell":
            return self.holder.cell_contents
        if self.kind == "module":
            return getattr(self.holder, self.name)
        if self.kind == "weak":
            return getattr(self.holder(), self.name)
        return self.holder


class Const:
    """A value known at compile time. `path` is how the user wrote it, if not as a literal."""

    __slots__ = ("value", "type", "path", "external")

    def __init__(
        self, value: Any, type: Type, path: str | None = None, external: External | None = None
    ) -> None:
        self.value = value
        self.type = type
        self.path = path
        self.external = external

    varied = False

    def __repr__(self) -> str:
        return f"Const({self.value!r})"


Atom = Var | Const


class Intrinsic:
    """An operation of the core that is no Python function: building, storing, reading."""

    def __init__(self, name: str, *, effect: bool = False) -> None:
        self.name = name
        self.effect = effect

    def __repr__(self) -> str:
        return self.name


TUPLE = Intrinsic("tuple")
LIST = Intrinsic("list")
DICT = Intrinsic("dict")  # args: values; kwargs["keys"]: Const tuple
SLICE = Intrinsic("slice")
RANGE = Intrinsic("range")
ATTRIBUTE = Intrinsic("attribute")  # args: object, Const name
CALL = Intrinsic("call", effect=True)  # args: callee, *args; opaque to the compiler
HOOK = Intrinsic("hook")  # args: x, what the hook reads; kwargs["hook"]: Const lower.hooks.Hook
PURE_CALL = Intrinsic("pure_call")  # the same, for callees that have no effect
CALL_CORE = Intrinsic("call_core")  # args; kwargs["function"]: Const Function
NOT = Intrinsic("not")
IS = Intrinsic("is")
IS_NOT = Intrinsic("is_not")
IN = Intrinsic("in")
STORE = Intrinsic("store", effect=True)  # a[i] = v
STORE_ADD = Intrinsic("store_add", effect=True)  # a[i] += v
STORE_SUB = Intrinsic("store_sub", effect=True)  # a[i] -= v
ADD_AT = Intrinsic("add_at", effect=True)  # np.add.at(a, i, v)
APPEND = Intrinsic("append", effect=True)  # xs.append(v)
POP = Intrinsic("pop", effect=True)  # v = xs.pop()
REVERSE = Intrinsic("reverse", effect=True)  # xs.reverse()
THROUGH = Intrinsic("through", effect=True)  # a, after its view v was changed: no code
RAISE = Intrinsic("raise", effect=True)
ASSERT = Intrinsic("assert", effect=True)
CHECK = Intrinsic("check", effect=True)  # args: value; kwargs: Const what, Const sweep
SETATTR = Intrinsic("setattr", effect=True)  # args: object, Const name, value
ENTER = Intrinsic("enter", effect=True)  # a `with` block starts; the value is that of __enter__
LEAVE = Intrinsic("leave", effect=True)  # it ends, in the same block of the core

UNDEFINED = Const(None, Type())
"""Stands for a variable on a path where it has no value."""

COUNT = Const(None, Object(enumerate), "<count>")
"""Stands for the counter of `enumerate` among the iterables of a loop."""


@dataclass(eq=False)
class Op:
    target: Var | None
    fn: Any  # a canonical callable (np.multiply) or an Intrinsic
    args: list[Atom]
    kwargs: dict[str, Atom] = field(default_factory=dict)
    style: str = ""  # "operator", "method", "attribute" or "" for a call
    origin: Origin | None = None
    version: Var | None = None  # the state of args[0] after an operation in place
    backward: bool = False  # belongs to a derivative, and is printed under its source line
    tangent: bool = False  # of a forward pass: stands beside its source line, needs no comment

    @property
    def effect(self) -> bool:
        return isinstance(self.fn, Intrinsic) and self.fn.effect

    def operands(self) -> Iterator[Atom]:
        yield from self.args
        yield from self.kwargs.values()


@dataclass(eq=False)
class Block:
    stmts: list[Stmt] = field(default_factory=list)
    yields: list[Atom] = field(default_factory=list)


@dataclass(eq=False)
class If:
    test: Atom
    then: Block
    orelse: Block
    results: list[Var]
    origin: Origin | None = None
    backward: bool = False


@dataclass(eq=False)
class Loop:
    """What `for` and `while` share. The body yields the next `params`, then the stop flag."""

    params: list[Var]
    inits: list[Atom]
    body: Block
    results: list[Var]
    origin: Origin | None = None
    backward: bool = False

    @property
    def stop(self) -> Atom:
        return self.body.yields[-1]


@dataclass(eq=False)
class For(Loop):
    items: list[Var | None] = field(default_factory=list)
    iterables: list[Atom] = field(default_factory=list)  # walked in parallel, as by zip


@dataclass(eq=False)
class While(Loop):
    cond: Block = field(default_factory=Block)  # yields the test


Stmt = Op | If | For | While


@dataclass(eq=False)
class Function:
    """A function in the core. The body yields one atom: the result."""

    name: str
    params: list[Var]
    body: Block
    origin: Origin | None = None
    doc: str = ""
    defaults: dict[str, Any] = field(default_factory=dict)
    derivatives: dict[Any, Any] = field(default_factory=dict)
    aliases: dict[Var, frozenset[Var]] = field(default_factory=dict)  # changed object -> others
    changes: frozenset[str] = frozenset()  # parameters whose value it may change in place
    complete: bool = True  # False while a recursive function is being lowered

    @property
    def result(self) -> Atom:
        return self.body.yields[0]


def blocks_of(stmt: Stmt) -> list[Block]:
    """The blocks inside a statement, in the order in which they run."""
    if isinstance(stmt, Op):  # as nearly all are
        return []
    if isinstance(stmt, If):
        return [stmt.then, stmt.orelse]
    if isinstance(stmt, While):
        return [stmt.cond, stmt.body]
    if isinstance(stmt, For):
        return [stmt.body]
    return []


def defined_by(stmt: Stmt) -> list[Var]:
    """The variables that a statement defines for those after it."""
    if isinstance(stmt, Op):
        return [v for v in (stmt.target, stmt.version) if v is not None]
    return stmt.results


def defined_inside(stmt: Stmt | Loop) -> list[Var]:
    """The variables that a statement defines for its own blocks only."""
    if isinstance(stmt, Op):
        return []
    if isinstance(stmt, For):
        return stmt.params + [v for v in stmt.items if v is not None]
    if isinstance(stmt, While):
        return stmt.params
    return []


def read_by(stmt: Stmt | Loop) -> list[Atom]:
    """The atoms that a statement itself reads, not those inside its blocks."""
    if isinstance(stmt, Op):
        return list(stmt.operands())
    if isinstance(stmt, If):
        return [stmt.test]
    if isinstance(stmt, For):
        return stmt.iterables + stmt.inits
    return list(stmt.inits)


def walk(block: Block) -> Iterator[Stmt]:
    """Every statement of a block and of the blocks inside it, in program order."""
    around = [iter(block.stmts)]
    while around:
        for stmt in around[-1]:
            yield stmt
            if not isinstance(stmt, Op):
                around += [iter(b.stmts) for b in reversed(blocks_of(stmt))]
                break
        else:
            around.pop()


def free_vars(block: Block) -> list[Var]:
    """The variables that a block reads and does not define, in the order of first use."""
    found: dict[Var, None] = {}
    _collect_free(block, set(), found)
    return list(found)


def _collect_free(block: Block, bound: set[Var], found: dict[Var, None]) -> None:
    """Adds to `found`. `bound`: what is defined around the block; the same again afterwards."""
    here: list[Var] = []  # what the block defines

    def use(atom: Atom) -> None:
        if isinstance(atom, Var) and atom not in bound:
            found.setdefault(atom)

    for stmt in block.stmts:
        for atom in read_by(stmt):
            use(atom)
        if not isinstance(stmt, Op):
            inside = set(defined_inside(stmt)) - bound
            bound |= inside
            for sub in blocks_of(stmt):
                _collect_free(sub, bound, found)
            bound -= inside
        made = [v for v in defined_by(stmt) if v not in bound]
        here += made
        bound.update(made)
    for atom in block.yields:
        use(atom)
    bound.difference_update(here)


def rewrite(block: Block, change: Callable[[Atom], Atom]) -> None:
    """Replace every atom read in a block, in place, by `change(atom)`."""
    for stmt in block.stmts:
        if isinstance(stmt, Op):
            stmt.args = [change(a) for a in stmt.args]
            stmt.kwargs = {k: change(a) for k, a in stmt.kwargs.items()}
        elif isinstance(stmt, If):
            stmt.test = change(stmt.test)
        else:
            stmt.inits = [change(a) for a in stmt.inits]
            if isinstance(stmt, For):
                stmt.iterables = [change(a) for a in stmt.iterables]
        for inner in blocks_of(stmt):
            rewrite(inner, change)
    block.yields = [change(a) for a in block.yields]


def show(function: Function) -> str:
    """The core of a function as text, for people.

    >>> from adjoint.types import FLOAT
    >>> x = Var("x", FLOAT)
    >>> print(show(Function("f", [x], Block([], [x]))))
    f(x: float)
      yield x
    """
    params = ", ".join(f"{p.name}: {p.type}" for p in function.params)
    return "\n".join([f"{function.name}({params})", *_show_block(function.body, "  ")])


def _show_block(block: Block, indent: str) -> Iterator[str]:
    for stmt in block.stmts:
        yield from _show_stmt(stmt, indent)
    yield f"{indent}yield {', '.join(map(_show_atom, block.yields))}"


def _show_stmt(stmt: Stmt, indent: str) -> Iterator[str]:
    names = ", ".join(f"{v.name}: {v.type}" for v in defined_by(stmt))
    if isinstance(stmt, Op):
        operands = [_show_atom(a) for a in stmt.args]
        operands += [f"{k}={_show_atom(a)}" for k, a in stmt.kwargs.items()]
        fn = getattr(stmt.fn, "__name__", repr(stmt.fn))
        yield f"{indent}{names} = {fn}({', '.join(operands)})"
        return
    if isinstance(stmt, If):
        yield f"{indent}{names} = if {_show_atom(stmt.test)}"
    else:
        carried = zip(stmt.params, stmt.inits, strict=True)
        entry = ", ".join(f"{p.name}: {p.type} = {_show_atom(i)}" for p, i in carried)
        walked = ""
        if isinstance(stmt, For):
            items = ", ".join("_" if i is None else f"{i.name}: {i.type}" for i in stmt.items)
            walked = f" for {items} in {', '.join(map(_show_atom, stmt.iterables))}"
        yield f"{indent}{names} = loop({entry}){walked}"
    for inner in blocks_of(stmt):
        yield from _show_block(inner, indent + "  ")


def _show_atom(atom: Atom) -> str:
    return atom.name if isinstance(atom, Var) else atom.path or repr(atom.value)
