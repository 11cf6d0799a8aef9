"""Entry points: a callable and its arguments' types -> a function in the core."""

from __future__ import annotations

import types
from typing import Any

import gast

from .. import core
from ..builder import Builder
from ..core import UNDEFINED, Atom, Const, External, Function, Var
from ..errors import AliasingError, SourceUnavailableError
from ..infer import constant
from ..parse import Source, parse_function
from ..request import Argument
from ..rules import RULES
from ..types import Dict, List, Object, Tuple, Type, carries_derivative, is_container
from .calls import Calls, Recursive, _has, _name
from .expressions import _is_plain
from .guards import Guard
from .state import Frame


class Lowering(Calls):
    """Interprets one function for one signature."""

    guards: list[Guard]
    parameters: list[Var]

    def params(self, name: str) -> list[Var]:
        """The parameter of this name, if it is a container of known elements."""
        return [p for p in self.parameters if p.name == name and _has_known_items(p.type)]

    def open(self, param: Atom) -> Atom:
        """A container made anew from its elements."""
        t = param.type
        if not _has_known_items(t):
            return param
        keys = t.keys if isinstance(t, Dict) else range(len(t.items))  # type: ignore[attr-defined]
        items = [self.open(self.item(param, key)) for key in keys]
        if isinstance(t, Dict):
            return self.op(core.DICT, *items, keys=constant(t.keys))
        if isinstance(t, List):
            return self.op(core.LIST, *items)
        cls = Const(t.cls, Object(type), None)  # type: ignore[attr-defined]
        return self.op(core.TUPLE, *items, **({} if cls.value is tuple else {"cls": cls}))


def _has_known_items(t: Type) -> bool:
    if isinstance(t, Dict):
        return t.keys is not None
    return isinstance(t, (Tuple, List)) and t.items is not None


def lower_function(
    fn: Any, arguments: list[Argument], builder: Builder | None = None
) -> tuple[Function, list[Guard], Builder]:
    """The core of `fn`, what it assumes of values outside, and the builder that knows its parts."""
    recursive: frozenset[Any] = frozenset()
    opened: frozenset[str] = frozenset()
    while True:
        lowering = Lowering(Builder(builder.symbols if builder else None), recursive)
        try:
            return lower_call(lowering, fn, arguments, opened), lowering.guards, lowering.b
        except Recursive as found:
            recursive |= {found.code}
        except AliasingError as error:
            if error.root is None:
                raise
            # An array in a container of arguments was changed: take its elements out first.
            shared = {error.root, *lowering.aliases.of(error.root)}
            more = {a.name for a in arguments if any(v in shared for v in lowering.params(a.name))}
            if more <= opened:
                raise
            opened |= more


def lower_call(
    lowering: Lowering, fn: Any, arguments: list[Argument], opened: frozenset[str] = frozenset()
) -> Function:
    params = [
        Var(a.name, a.type, named=True, varied=a.wrt and carries_derivative(a.type))
        for a in arguments
    ]
    env: dict[str, Any] = {}
    for argument, param in zip(arguments, params, strict=True):
        env[argument.name] = _literal(argument) if argument.literal else param
    lowering.parameters = params
    lowering.entry_items = {p: {} for p in params if is_container(p.type)}
    if isinstance(fn, types.FunctionType):
        source = parse_function(fn)
        frame = Frame(source, env, identity=fn.__code__)
        if opened:
            lowering.frames.append(frame)
            env.update({n: lowering.open(env[n]) for n in opened})
            lowering.frames.pop()
        if fn.__code__ in lowering.recursive:
            lowering.frames.append(Frame(source, {}))
            result = lowering.call_core(source, None, env, fn.__code__)
        else:
            result = lowering.run(frame)
            lowering.frames.append(frame)
        name, doc = fn.__name__.replace("<lambda>", "lambda_"), fn.__doc__ or ""
    else:
        source = _made_up_source(fn)
        lowering.frames.append(Frame(source, {}))
        result = lowering.call(
            Const(fn, Type(), getattr(fn, "__name__", "fn")), list(env.values()), {}, source.node
        )
        name, doc = source.name, ""
    function = Function(name, params, lowering.b.block, source.origin(source.node), doc)
    function.body.stmts[:0] = lowering.entry.stmts
    function.body.yields = [lowering.read(result) if result is not UNDEFINED else result]
    for each in [function, *lowering.cores.values()]:
        each.aliases = lowering.aliases_of_changed(each)
    _refuse_changed_containers(function, {env[n] for n in opened})
    changed = {v for root, others in function.aliases.items() for v in (root, *others)}
    function.changes = frozenset(p.name for p in params if p in changed)
    return function


def _refuse_changed_containers(function: Function, opened: set[Any]) -> None:
    """Containers that were made anew are not the caller's: a change of them would be lost."""
    for stmt in core.walk(function.body):
        if isinstance(stmt, core.Op) and stmt.version is not None and stmt.version.root in opened:
            raise AliasingError(
                f"the argument `{stmt.version.root.name}` is changed, and an array in it as well",
                stmt.origin,
                "Change copies, and return them.",
            )


def _literal(argument: Argument) -> Const:
    """An argument that is compiled in: written out, or bound if it cannot be written."""
    value = argument.value
    if _is_plain(value):
        return constant(value)
    return Const(value, argument.type, argument.name, External("value", value, argument.name))


def _made_up_source(fn: Any) -> Source:
    """Stands for the source of a callable that needs none: a ufunc, a bound method, a partial."""
    inner = fn
    while hasattr(inner, "func") or hasattr(inner, "__func__"):
        inner = getattr(inner, "func", None) or inner.__func__
    if not callable(fn):
        raise TypeError(f"expected a function, got {type(fn).__name__}")
    if not isinstance(inner, types.FunctionType) and not _has(inner, RULES):
        raise SourceUnavailableError(
            f"`{_name(inner)}` has neither Python source nor a derivative rule",
            None,
            "Wrap it in a Python function of yours that has a rule.",
        )
    node = gast.parse("def f():\n    pass").body[0]
    name = getattr(inner, "__name__", "function").strip("<>")
    return Source(node, f"<{name}>", name, {}, {}, {})
