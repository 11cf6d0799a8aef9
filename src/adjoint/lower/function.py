"""Entry points: a callable and its arguments' types -> a function in the core."""

from __future__ import annotations

import functools
import inspect
import types
from dataclasses import replace
from typing import Any

import gast

from .. import core
from ..builder import Builder
from ..core import UNDEFINED, Atom, Const, External, Function, Var
from ..errors import AliasingError, SourceUnavailableError, UnsupportedSyntaxError
from ..infer import constant, dict_options
from ..operators import operator_of
from ..parse import Source, parse_function
from ..request import Argument
from ..rules import own
from ..types import Dict, List, Object, Tuple, Type, carries_derivative, is_container
from .aliases import TooManyWays
from .callees import (
    found_in,
    has_known_derivative,
    is_array_method,
    is_callable_object,
    without_source,
)
from .calls import Calls
from .expressions import _is_plain
from .guards import Guard
from .invocation import Recursive
from .operators import Sweeps
from .special_methods import is_more_than_a_tuple
from .state import Frame
from .structs import holds_ties
from .symbols_as_functions import SYMBOLS


class Lowering(Calls):
    """Interprets one function for one signature."""

    guards: list[Guard]

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.opened: dict[Var, str] = {}  # containers made anew, of which argument each is

    def params(self, name: str) -> list[Var]:
        """The parameter of this name, if it is a container of known elements."""
        return [p for p in self.parameters if p.name == name and _has_known_items(p.type)]

    def open(self, param: Atom, name: str) -> Atom:
        """A container, or a part of one, of the argument `name`, made anew from its elements."""
        t = param.type
        if not _has_known_items(t):
            return param
        keys = t.keys if isinstance(t, Dict) else range(len(t.items))  # type: ignore[attr-defined]
        items = [self.open(self.item(param, key), name) for key in keys]  # type: ignore[union-attr]
        if isinstance(t, (Dict, List)):
            options = dict_options(t, param) if isinstance(t, Dict) else {}
            made = self.op(core.DICT if options else core.LIST, *items, **options)  # type: ignore[arg-type]
            self.opened[made] = name  # type: ignore[index]
            return made
        cls = Const(t.cls, Object(type), None)  # type: ignore[attr-defined]
        return self.op(core.TUPLE, *items, **({} if cls.value is tuple else {"cls": cls}))  # type: ignore[arg-type]


def _has_known_items(t: Type) -> bool:
    if isinstance(t, Dict):
        return t.keys is not None
    return isinstance(t, (Tuple, List)) and t.items is not None


def lower_function(
    fn: Any,
    arguments: list[Argument],
    builder: Builder | None = None,
    sweeps: Sweeps | None = None,
    gradient_only: bool = False,
) -> tuple[Function, list[Guard], Builder]:
    """The core of `fn`, what it assumes of values outside, and the builder that knows its parts.

    `sweeps` differentiates what `fn` calls operators on. `gradient_only`: what is made of the core
    is a gradient, and not differentiated again.
    """
    recursive: frozenset[Any] = frozenset()
    opened: frozenset[str] = frozenset()
    while True:
        lowering = Lowering(Builder(builder.symbols if builder else None), recursive)
        lowering.sweeps, lowering.gradient_only = sweeps, gradient_only
        try:
            return lower_call(lowering, fn, arguments, opened), lowering.guards, lowering.b
        except Recursive as found:
            recursive |= {found.what}
        except TooManyWays:
            raise UnsupportedSyntaxError(
                "which arrays and lists may share memory here takes too long to find",
                lowering.b.origin,
                "Split the function, or put fewer arrays and lists into one another.",
            ) from None
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
    if any(is_more_than_a_tuple(a.type) for a in arguments):
        raise UnsupportedSyntaxError("a named tuple has operators of its own", None)
    params = [
        Var(a.name, a.type, named=True, varied=a.wrt and carries_derivative(a.type))
        for a in arguments
    ]
    env: dict[str, Any] = {}
    for argument, param in zip(arguments, params, strict=True):
        env[argument.name] = _literal(argument) if argument.literal else param
    lowering.parameters = params
    lowering.entry_items = {p: {} for p in params if is_container(p.type)}
    plain = isinstance(fn, types.FunctionType) and not hasattr(fn, "__wrapped__")
    if plain and not own.has_rule(fn):
        source = parse_function(fn)
        lowering.guard_code(fn)
        frame = Frame(source, env, identity=fn)
        if opened:
            lowering.frames.append(frame)
            env.update({n: lowering.open(env[n], n) for n in opened})
            lowering.frames.pop()
        if fn in lowering.recursive:
            lowering.frames.append(Frame(source, {}))
            result = lowering.call_core(source, None, env, fn)
        else:
            result = lowering.run(frame)
            lowering.frames.append(frame)
        name, doc = fn.__name__.replace("<lambda>", "lambda_"), fn.__doc__ or ""
    else:
        source = _made_up_source(fn)
        lowering.frames.append(Frame(source, {}))
        args, kwargs = _passed(lowering, arguments, env, source.node)
        callee = Const(fn, Type(), source.name, External("value", fn, source.name))
        result = lowering.call(callee, args, kwargs, source.node)
        name, doc = _name_of_made(fn, source.name).replace("<lambda>", "lambda_"), ""
    function = Function(name, params, lowering.b.block, source.origin(source.node), doc)
    function.body.stmts[:0] = lowering.entry.stmts
    function.body.yields = [lowering.read(result) if result is not UNDEFINED else result]
    for each in [function, *lowering.cores.values()]:
        each.aliases = lowering.aliases_of_changed(each)
    _refuse_changed_containers(lowering, function)
    changed = {v for root, others in function.aliases.items() for v in (root, *others)}
    changed |= {lowering.buffers[v] for v in changed if v in lowering.buffers}
    function.changes = frozenset(p.name for p in params if p in changed)
    _refuse_changed_ties(lowering, function)
    return function


def _refuse_changed_containers(lowering: Lowering, function: Function) -> None:
    """Containers that were made anew are not the caller's: a change of them would be lost."""
    for stmt in core.walk(function.body) if lowering.opened else ():
        if not isinstance(stmt, core.Op) or stmt.version is None:
            continue
        root = stmt.version.root
        may_be = [v for v in (root, *lowering.aliases.of(root)) if v in lowering.opened]
        if is_container(root.type) and may_be:
            raise AliasingError(
                f"the argument `{lowering.opened[may_be[0]]}` is changed, and an array in it as "
                "well", stmt.origin, "Change copies, and return them.",
            )  # fmt: skip


def _refuse_changed_ties(lowering: Lowering, function: Function) -> None:
    """What is a part at two places is read at each by itself: a change would be seen at one."""
    tied = {p for p in function.params if holds_ties(p.type)}
    for stmt in core.walk(function.body) if tied else ():
        if isinstance(stmt, core.Op) and stmt.version is not None:
            root = stmt.version.root
            if tied & {root, *lowering.aliases.of(root)}:
                raise UnsupportedSyntaxError(
                    "an object of which a part is at two places is changed", stmt.origin,
                    "Change copies of its arrays.",
                )  # fmt: skip


def _literal(argument: Argument) -> Const:
    """An argument that is compiled in: written out, or bound if it cannot be written."""
    value = argument.value
    if _is_plain(value):
        return constant(value)
    return Const(value, argument.type, argument.name, External("value", value, argument.name))


def _name_of_made(fn: Any, name: str) -> str:
    """The name of what an operator made: that of its function, and what it is of it."""
    if operator_of(fn) != "derivative":
        return name
    primal, mode, _ = fn.parts
    return f"{_name_of_made(primal, name)}_{mode}".replace("<lambda>", "lambda_")


def _passed(
    lowering: Lowering, arguments: list[Argument], env: dict[str, Any], node: Any
) -> tuple[list[Atom], dict[str, Atom]]:
    """The arguments of a callable that has defaults of its own: just those that were given."""
    args: list[Atom] = []
    kwargs: dict[str, Atom] = {}
    complete = True  # whether all positional arguments so far were given
    for argument in arguments:
        atom = env[argument.name]
        if argument.kind is inspect.Parameter.VAR_POSITIONAL:
            args += lowering.unpack_all(atom, node)
        elif argument.kind is inspect.Parameter.VAR_KEYWORD:
            kwargs |= {k: lowering.item(atom, k) for k in getattr(atom.type, "keys", None) or ()}
        elif not argument.given and not argument.wrt:
            complete = False
        elif argument.kind is inspect.Parameter.KEYWORD_ONLY or not complete:
            kwargs[argument.name] = atom
        else:
            args.append(atom)
    return args, kwargs


def _made_up_source(fn: Any) -> Source:
    """Stands for the source of a callable that needs none: a ufunc, a bound method, a partial."""
    if not callable(fn):
        raise TypeError(f"expected a function, got {type(fn).__name__}")
    inner = fn
    while _holds_function(inner):
        inner = _inside(inner)
    has_rule = own.has_rule(fn) or own.has_rule(inner)
    if isinstance(inner, types.FunctionType):
        try:
            found = parse_function(inspect.unwrap(inner))
            return replace(found, globals={}, cells={}, defaults={})
        except SourceUnavailableError:
            if not has_rule:
                raise
    elif not (has_rule or is_array_method(inner) or found_in(inner, SYMBOLS)):
        if not has_known_derivative(Calls.canonical(inner)):
            raise without_source(inner)
    node = gast.parse("def f():\n    pass").body[0]
    name = getattr(inner, "__name__", "function").strip("<>")
    return Source(node, f"<{name}>", name, {}, {}, {})


def _holds_function(fn: Any) -> bool:
    held = (functools.partial, types.MethodType, functools._lru_cache_wrapper)
    return isinstance(fn, held) or operator_of(fn) == "derivative" or is_callable_object(fn)


def _inside(fn: Any) -> Any:
    if isinstance(fn, functools.partial):
        return fn.func
    if isinstance(fn, functools._lru_cache_wrapper):
        return fn.__wrapped__
    if operator_of(fn) == "derivative":
        return fn.primal
    return fn.__func__ if isinstance(fn, types.MethodType) else type(fn).__call__
