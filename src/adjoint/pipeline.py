"""The compiler on one page: parse -> lower -> reverse | forward -> optimise -> emit.

parse and lower turn the user's function, for arguments of given types, into the core. reverse
appends the backward sweep, forward puts tangent statements between; one may follow the other.
optimise drops what is not needed. emit prints it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import core, sweeps
from .builder import Builder
from .core import Function
from .emit import Emitted, emit
from .errors import Origin
from .lower import lower_function
from .lower.guards import Guard
from .optimise.checks import check_values
from .optimise.dead_code import drop_dead
from .optimise.fusion import fuse_pooling
from .optimise.hooks import remove_hooks
from .optimise.in_place import reuse_memory
from .optimise.invariant import move_out
from .optimise.lists import read_from_lists
from .optimise.records import slim_records
from .optimise.recurrences import carry_elements
from .optimise.stores import store_once
from .optimise.unchanged import drop_unchanged
from .optimise.views import settle_views
from .request import Argument, Request
from .reverse import halves
from .types import Array, Symbols, Type, is_container


@dataclass
class Derivative:
    emitted: Emitted
    guards: list[Guard] = field(default_factory=list)
    changes: frozenset[str] = frozenset()  # arguments that the function may change in place
    recursive: bool = False


def derive(
    fn: Any, arguments: list[Argument], request: Request, symbols: Symbols, signature: str
) -> Derivative:
    """The printed derivative of `fn` for arguments of these types."""
    builder = Builder(symbols)
    function, guards, builder = lower_function(
        fn, arguments, builder, sweeps, request.is_gradient_only
    )
    carry_elements(function, builder)
    fuse_pooling(function)
    function.defaults["signature"] = signature
    changes = function.changes
    builder.backward = True
    builder.origin = function.origin
    if request.mode == "vjp":
        ends = list(_vjp(function, _wrt(function, request), builder))
    else:
        ends = [_derivative(function, request, builder)]
    callees = _callees(*reversed(ends))
    functions = [*callees, *ends]
    for each in functions:
        remove_hooks(each)
        drop_dead(each)
        if slim_records(each) | move_out(each):
            drop_dead(each)
        store_once(each)
        reuse_memory(each, symbols)
        drop_unchanged(each)
        settle_views(each)
        read_from_lists(each)
        if request.checks is not None:
            check_values(each, request.checks)
    globals_ = getattr(fn, "__globals__", {})
    return Derivative(
        emit(functions, globals_, _array_module(arguments), symbols),
        [*guards, *builder.guards],
        changes,
        recursive=bool(callees),  # all others are part of the one that calls them
    )


def _wrt(function: Function, request: Request) -> list[core.Var]:
    return [p for name in request.wrt for p in function.params if p.name == name]


def _derivative(function: Function, request: Request, builder: Builder) -> Function:
    """The derivative that is asked for, and then that of the derivative, if it is asked for."""
    wrt = _wrt(function, request)
    if request.mode in ("jvp", "tangent"):
        made = _forward(function, wrt, request, builder)
    else:
        made = _gradient(function, wrt, request, builder)
    return made if request.then is None else _derivative(made, request.then, builder)


def _forward(
    function: Function, wrt: list[core.Var], request: Request, builder: Builder
) -> Function:
    names = ", ".join(f"`{p.name}`" for p in wrt)
    what = "Tangent" if request.mode == "tangent" else "Value and tangent"
    function.doc = f"{what} of {function.name}{_place(function.origin)} along {names}."
    function.name = f"{function.name}_{request.mode}".replace("<lambda>", "lambda_")
    function.defaults.pop("signature", None)  # the tangents are parameters as well
    params, tangent = sweeps.tangent(function, wrt, builder)
    if request.mode == "tangent":
        function.body.yields = [tangent]
    else:
        with builder.inside(function.body):
            builder.origin, builder.tangent = None, True
            function.body.yields = [builder.op(core.TUPLE, function.result, tangent)]
            builder.tangent = False
    function.params = [*function.params, *params]
    return function


_TITLES = {
    "grad": "Gradient",
    "value_and_grad": "Value and gradient",
    "elementwise_grad": "Derivative at each element",
}


def _place(origin: Origin | None) -> str:
    """Where a function stands, for the docstring of its derivative."""
    if origin is None or origin.is_made_up:
        return ""
    return f" ({origin.filename.rsplit('/', 1)[-1]}:{origin.line})"


def _gradient(
    function: Function, wrt: list[core.Var], request: Request, builder: Builder
) -> Function:
    names = ", ".join(f"`{p.name}`" for p in wrt)
    what = _TITLES[request.mode]
    function.doc = f"{what} of {function.name}{_place(function.origin)} with respect to {names}."
    function.name = f"{function.name}_{request.mode}".replace("<lambda>", "lambda_")
    with builder.inside(function.body):
        found = sweeps.gradients(
            function,
            wrt,
            builder,
            request.has_aux,
            whole=request.mode == "elementwise_grad",
        )
        result = found[0] if request.single else builder.op(core.TUPLE, *found)
        if request.mode == "value_and_grad":
            result = builder.op(core.TUPLE, function.result, result)
        elif request.has_aux:
            result = builder.op(core.TUPLE, result, builder.item(function.result, 1))
        function.body.yields = [result]
    return function


def _vjp(function: Function, wrt: list[core.Var], builder: Builder) -> tuple[Function, Function]:
    positions = tuple(function.params.index(p) for p in wrt)
    builder.pulled_later = True
    forward, backward = halves(function, positions, builder, finish=True)
    return backward, forward


def _callees(*functions: Function) -> list[Function]:
    """The functions that these call, in the order in which they are found."""
    found: dict[int, Function] = {}
    todo = list(functions)
    while todo:
        for stmt in core.walk(todo.pop(0).body):
            if isinstance(stmt, core.Op) and stmt.fn is core.CALL_CORE:
                callee = stmt.kwargs["function"].value  # type: ignore[union-attr]
                if id(callee) not in found:
                    found[id(callee)] = callee
                    todo.append(callee)
    return list(found.values())


def _array_module(arguments: list[Argument]) -> str:
    """The module of the arrays among the arguments; numpy where there are none."""
    for argument in arguments:
        module = _module_of(argument.type)
        if module is not None and module != "numpy":
            return module
    return "numpy"


def _module_of(t: Type) -> str | None:
    if isinstance(t, Array):
        return t.module
    if is_container(t):
        parts = t.items or (getattr(t, "item", Type()),)  # type: ignore[attr-defined]
        found = [m for m in map(_module_of, parts) if m is not None]
        return next((m for m in found if m != "numpy"), found[0] if found else None)
    return None
