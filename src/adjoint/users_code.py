"""Code of the user's in a derivative: what rules call, and what hooks do with a cotangent."""

from __future__ import annotations

from typing import Any

import gast

from . import core
from .builder import Builder
from .core import Atom, Block, Const, Var
from .errors import AdjointError, UnsupportedSyntaxError
from .infer import constant
from .lower.calls import Calls
from .lower.exits import EXIT, GO_ON
from .lower.hooks import FUNCTION, Hook
from .lower.invocation import Recursive
from .lower.state import Closure, Frame
from .parse import parse_function
from .runtime.surgery import hooked, replaced
from .types import NONE, UNKNOWN, Dict, List, Object, Type, dims_of


def call_function(
    lowering: Calls, fn: Const, args: list[Atom], kwargs: dict[str, Atom], node: Any
) -> Atom:
    """Call a Python function of the user's: an expression takes the place of the call."""
    depth, origin, block = len(lowering.frames), lowering.b.origin, Block()
    try:
        source = parse_function(fn.value)
        if is_expression(source.node):
            defaults = lowering.defaults_of(fn.value, source)
            with lowering.b.inside(block):
                result = lowering.invoke(source, None, defaults, args, kwargs, node, fn.value)
            lowering.b.block.stmts += block.stmts
            return result
    except (AdjointError, Recursive):
        del lowering.frames[depth:]
        lowering.b.origin = origin
    t = lowering.type_of_call(fn.value, args, kwargs)
    return lowering.opaque(fn, args, kwargs, t, has_rule=True)


def is_expression(node: Any) -> bool:
    """Whether a function only names values and returns one: it changes nothing in place."""
    if isinstance(node, gast.Lambda):
        return True
    *body, last = node.body
    return isinstance(last, gast.Return) and all(
        (isinstance(s, gast.Expr) and isinstance(s.value, gast.Constant))
        or (isinstance(s, gast.Assign) and all(isinstance(t, gast.Name) for t in s.targets))
        for s in body
    )


def through_hook(builder: Builder, hook: Hook, values: dict[str, Atom], cotangent: Atom) -> Atom:
    """The cotangent that a hook makes of one, in the backward sweep.

    values: what the hook reads of the function, by name.
    """
    interpreter = _Inset(builder, cotangent)
    if hook.function == FUNCTION:
        return _by_function(interpreter, hook, values[FUNCTION])
    block, origin = Block(), builder.origin
    builder.backward = False  # what simplifies derivatives does not hold for a user's statements
    try:
        with builder.inside(block):
            made = interpreter.through(hook, values)
    finally:
        builder.backward = True
    for stmt in core.walk(block):
        stmt.backward, stmt.origin = True, origin
    builder.block.stmts += block.stmts
    return _fitted(builder, made, cotangent)


def _by_function(interpreter: _Inset, hook: Hook, function: Atom) -> Atom:
    """Call a function from outside: directly, if the type of what it returns is known."""
    b, before = interpreter.b, interpreter.cotangent
    t: Type = UNKNOWN
    if isinstance(function, Const):
        interpreter.frames.append(Frame(hook.frame.source, {}, _empty(hook.frame.parent)))
        t = interpreter.type_of_call(function.value, [before], {})
    args = [function, before]
    dims = dims_of(t)
    if t != NONE and (dims is None or dims != dims_of(before.type)):
        t, args = before.type, [Const(hooked, Object(type(hooked)), None), before, function]
    result = Var("hooked", t)
    b.emit(core.Op(result, core.CALL, args, {}, "", b.origin))
    return before if t == NONE else result


def _fitted(builder: Builder, made: Atom, before: Atom) -> Atom:
    """What takes the place of a cotangent: None leaves it, and its shape stays."""
    if made is before or isinstance(made, Const) and made.value is None:
        return before
    have, want = dims_of(made.type), dims_of(before.type)
    if have is not None and have == want:
        return made
    return builder.op(replaced, made, before, type=before.type)


class _Inset(Calls):
    """Interprets statements that a user puts into the backward sweep."""

    def __init__(self, builder: Builder, cotangent: Atom) -> None:
        super().__init__(builder)
        self.guards = builder.guards
        self.cotangent = cotangent
        self.mark = Var.count()  # variables made later belong to these statements
        self.hook: Hook | None = None

    def through(self, hook: Hook, values: dict[str, Atom]) -> Atom:
        """The cotangent after the statements, or what the function returns."""
        self.hook = hook
        around = Frame(hook.frame.source, dict(values), _empty(hook.frame.parent))
        around.env[EXIT] = constant(GO_ON)
        self.frames.append(around)
        if isinstance(hook.function, Closure):
            closure = hook.function
            defaults = {name: values[f"{FUNCTION}{name}"] for name in closure.defaults}
            node, args = closure.source.node, [self.cotangent]
            return self.read(self.invoke(closure.source, around, defaults, args, {}, node, closure))
        assert hook.cotangent is not None
        self.env[hook.cotangent] = self.object_of(self.cotangent)
        if isinstance(self.cotangent, Var) and self.cotangent.root is not self.cotangent:
            self.versions[self.cotangent.root] = self.cotangent
        self.statements(hook.statements)
        return self.read(self.load(hook.cotangent, hook.statements[-1]))

    def at(self, node: Any) -> None:
        """All statements of a hook belong to the line of the hook."""

    def python_function(
        self, fn: Const, value: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        return call_function(self, fn, args, kwargs, node)

    def closure_call(
        self, fn: Closure, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        if not any(fn.frame is f for f in self.frames):
            raise self.refuse(
                f"`{fn.__name__}`, which is defined in the function, is called by a hook", node,
                "Define it outside.",
            )  # fmt: skip
        return super().closure_call(fn, args, kwargs, node)

    def opaque(
        self,
        fn: Atom,
        args: list[Atom],
        kwargs: dict[str, Atom],
        t: Type = UNKNOWN,
        has_rule: bool = False,
    ) -> Atom:
        """A cotangent may be given away: no later value depends on who keeps it."""
        return super().opaque(fn, args, kwargs, t, has_rule=True)

    def method(
        self, owner: Atom, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        """Lists and dicts outside the function may be changed: a log, for instance."""
        if isinstance(owner.type, (List, Dict)) and self._is_outside(owner):
            callee = self.op(core.ATTRIBUTE, owner, constant(name), type=UNKNOWN, name=name)
            return self.opaque(callee, args, kwargs)
        return super().method(owner, name, args, kwargs, node)

    def _is_outside(self, owner: Atom) -> bool:
        if not isinstance(owner, Var):
            return False
        if owner.root.external is not None:
            return True
        made = self.b.definitions.get(owner.root)
        return made is not None and bool(made.args) and self._is_outside(made.args[0])

    def change(
        self,
        fn: Any,
        target: Atom,
        *args: Atom,
        style: str = "",
        type: Type | None = None,
        value: Var | None = None,
    ) -> Var:
        own = isinstance(self.cotangent, Var) and self.cotangent.root
        if isinstance(target, Var) and target.root.serial < self.mark and target.root is not own:
            raise UnsupportedSyntaxError(
                f"a hook changes `{target.root.name}` in place", self.b.origin,
                "A hook may change the cotangent, and call methods of lists and dicts that are\n"
                "outside of the function.",
            )  # fmt: skip
        return super().change(fn, target, *args, style=style, type=type, value=value)


def _empty(frame: Frame | None) -> Frame | None:
    """The functions around, for what their names mean outside; their variables are values."""
    return None if frame is None else Frame(frame.source, {}, _empty(frame.parent))
