"""`register_hook` and `insert_grad_of`: what happens to a cotangent at a point of the function.

Both become an operation HOOK, which hands on its first operand. What the hook reads of the function
are further operands; the backward sweep interprets it with these (`insets.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gast

from .. import core
from ..builder import is_mutable
from ..core import UNDEFINED, Atom, Const, Var
from ..types import Object
from .state import Bound, Closure, Frame

if TYPE_CHECKING:
    from .expressions import Expressions


@dataclass(eq=False)
class Hook:
    """A function, or statements in which the cotangent is called `cotangent`.

    `names` are those of the operands after the first; `constants` the values of other names.
    """

    frame: Frame  # of the point in the function
    function: Any = None  # a Closure; FUNCTION, the name of an operand, for one from outside
    statements: list[Any] = field(default_factory=list)
    cotangent: str | None = None
    names: list[str] = field(default_factory=list)
    constants: dict[str, Const] = field(default_factory=dict)

    @property
    def __name__(self) -> str:
        return "hook"


FUNCTION = "<hook>"
_LEAVES = (gast.Return, gast.Yield, gast.YieldFrom, gast.Await, gast.Global, gast.Nonlocal,
           gast.Delete, gast.ClassDef, gast.Import, gast.ImportFrom)  # fmt: skip


def register(lowering: Expressions, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    """ad.register_hook(x, hook)"""
    given = dict(zip(("x", "hook"), args)) | kwargs
    if set(given) != {"x", "hook"}:
        raise lowering.refuse("`register_hook` takes a value and a function", node)
    function = given["hook"]
    value = function.value if isinstance(function, Const) else None
    if isinstance(value, Bound):
        raise lowering.refuse(
            "a hook that `partial` makes here is not supported", node, "Write a lambda."
        )
    if isinstance(value, Closure):
        values = _values(lowering, value.source.node, value.frame, None)
        values |= {f"{FUNCTION}{name}": default for name, default in value.defaults.items()}
        return _hooked(lowering, given["x"], Hook(value.frame, value), values)
    return _hooked(lowering, given["x"], Hook(lowering.frame, FUNCTION), {FUNCTION: function})


def insert(lowering: Expressions, item: Any, node: Any) -> None:
    """with ad.insert_grad_of(x) as d_x: <statements>"""
    given, target = item.context_expr.args, item.optional_vars
    plain = len(given) == 1 and isinstance(given[0], gast.Name) and not item.context_expr.keywords
    if not plain or not isinstance(target, gast.Name):
        raise lowering.refuse(
            "`insert_grad_of` takes one variable and names its cotangent", node,
            "Write `with ad.insert_grad_of(x) as d_x:`.",
        )  # fmt: skip
    name = given[0].id
    if name not in lowering.env:
        raise lowering.refuse(f"`{name}` is no variable of this function", given[0])
    for statement in node.body:
        _check(lowering, statement, False)
    x = lowering.expr(given[0])
    lowering.at(node)
    block = gast.Module(node.body, [])
    values = _values(lowering, block, lowering.frame, target.id)
    made = Hook(lowering.frame, statements=node.body, cotangent=target.id)
    lowering.env[name] = _hooked(lowering, x, made, values)


def _hooked(lowering: Expressions, x: Atom, hook: Hook, values: dict[str, Atom]) -> Atom:
    """The same value, whose cotangent is given to the hook; `values` are what the hook reads."""
    value = lowering.read(x)
    if not isinstance(value, Var) or not value.varied:
        return x
    if lowering.silent:
        return lowering.stopped(x)
    operands: list[Atom] = [value]
    for name, atom in values.items():
        present = lowering.read(atom)
        if isinstance(present, Const):
            hook.constants[name] = present
        else:
            hook.names.append(name)
            operands.append(present)
    target = Var(value.name, value.type, named=value.named, varied=True)
    payload: dict[str, Atom] = {"hook": Const(hook, Object(Hook))}
    lowering.b.emit(core.Op(target, core.HOOK, operands, payload, "", lowering.b.origin))
    if is_mutable(target.type):
        lowering.aliases.same(target, value.root)
    return target


def _check(lowering: Expressions, node: Any, in_loop: bool) -> None:
    """Refuse what leaves the block, or changes what the rest of the function reads."""
    leaves = isinstance(node, _LEAVES)
    if leaves or (isinstance(node, (gast.Break, gast.Continue)) and not in_loop):
        raise lowering.refuse(
            "this statement cannot be put into the backward sweep", node,
            "The block of `insert_grad_of` may compute, print, and assign to names.",
        )  # fmt: skip
    in_loop = in_loop or isinstance(node, (gast.For, gast.While))
    for child in gast.iter_child_nodes(node):
        _check(lowering, child, in_loop)


def _values(
    lowering: Expressions, node: Any, frame: Frame | None, cotangent: str | None
) -> dict[str, Atom]:
    """The values of the function's variables that a hook reads, by name.

    Statements (with a name for the cotangent) see the values at this point. A function reads its
    names when it is called, so they must have one value only.
    """
    own = {a.id for a in _parameters(node)} | {cotangent}
    values: dict[str, Atom] = {}
    for found in gast.walk(node):
        if not (isinstance(found, gast.Name) and isinstance(found.ctx, gast.Load)):
            continue
        name, around = found.id, frame
        if name in own or name in values:
            continue
        while around is not None and name not in around.env:
            around = around.parent
        value = None if around is None else around.env[name]
        if around is None or not isinstance(value, (Var, Const)) or value is UNDEFINED:
            continue
        if cotangent is None and _bindings(around.source.node, name) > 1:
            raise lowering.refuse(
                f"the hook reads `{name}`, which has more than one value in the function", found,
                f"Give the hook the value that it has here: lambda d_x, {name}={name}: ...",
            )  # fmt: skip
        values[name] = value
    return values


def _parameters(node: Any) -> list[Any]:
    if not isinstance(node, (gast.Lambda, gast.FunctionDef)):
        return []
    spec = node.args
    rest = [a for a in (spec.vararg, spec.kwarg) if a is not None]
    return [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *rest]


def _bindings(function: Any, name: str) -> int:
    """How many values a function's name may have: more than one if a loop binds it."""
    count = sum(a.id == name for a in _parameters(function))
    todo = [(n, 1) for n in (function.body if isinstance(function.body, list) else [])]
    while todo:
        node, weight = todo.pop()
        if isinstance(node, (gast.For, gast.While, gast.comprehension)):
            weight = 2
        if isinstance(node, gast.Name) and isinstance(node.ctx, gast.Store) and node.id == name:
            count += weight
        if isinstance(node, gast.AugAssign) and getattr(node.target, "id", None) == name:
            count += weight
        if isinstance(node, (gast.FunctionDef, gast.Lambda)):
            count += weight * (getattr(node, "name", None) == name)
            continue
        todo += [(child, weight) for child in gast.iter_child_nodes(node)]
    return count
