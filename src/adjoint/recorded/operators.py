"""The operators where they are called inside a function that is differentiated itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import api, jacobians, pushforward
from ..compilers import compiler_for
from ..differentiable import check_type
from ..request import Request
from ..runtime.generic import rebuild
from ..runtime.structs import is_struct, map_parts
from ..spec import Spec
from ..types import Symbols, type_of
from . import operations as op
from . import run
from .calls import BY_CLASS, SPECIAL, call


class Native:
    """A callable that notes what it computes by itself."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def derivative(fn: Any, signature: inspect.Signature, request: Request) -> Callable[..., Any]:
    """The function that a request describes: of the arguments, and of tangents if it takes some."""
    made = _forward(fn, signature, request) if request.mode in ("jvp", "tangent") else (
        _reverse(fn, signature, request)
    )  # fmt: skip
    return made if request.then is None else derivative(Native(made), signature, request.then)


def _reverse(fn: Any, signature: inspect.Signature, request: Request) -> Callable[..., Any]:
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return run.gradient(
            fn,
            run.bind(signature, request.wrt, *args, **kwargs),
            request.wrt,
            with_value=request.mode == "value_and_grad",
            single=request.single,
            has_aux=request.has_aux,
            whole=request.mode == "elementwise_grad",
        )

    return gradient


def _forward(fn: Any, signature: inspect.Signature, request: Request) -> Callable[..., Any]:
    count = len(signature.parameters)

    def push(*values: Any) -> Any:
        """Takes a value for each parameter, and then the tangents."""
        bound = by_position(signature, request.wrt, values[:count])
        tangents = dict(zip(request.wrt, values[count:], strict=True))
        value, tangent = run.pushforward(fn, bound, tangents)
        return tangent if request.mode == "tangent" else (value, tangent)

    return push


def by_position(signature: inspect.Signature, wrt: Any, values: Any) -> inspect.BoundArguments:
    """Arguments from one value for each parameter; defaults are left to the function itself."""
    parameters = signature.parameters
    given = {
        name: value
        for name, value in zip(parameters, values)
        if name in wrt or value is not parameters[name].default
    }
    return inspect.BoundArguments(signature, given)  # type: ignore[arg-type]


def _gradient(operator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    compiler, spec = operator._compiler, operator._spec
    wrt = spec.names(compiler.parameters)
    given = run.bind(compiler.signature, wrt, *args, **kwargs).arguments
    for name in wrt:
        check_type(type_of(given[name], Symbols(), promote=True), name)
    request = Request(operator._mode, wrt, spec.is_single(), spec.has_aux)
    result = derivative(operator.primal, compiler.signature, request)(*args, **kwargs)
    return result if spec.is_plain else spec.arrange(result, operator._mode)


def _vjp(fn: Any, *primals: Any) -> Any:
    compiler = api._vjp_compiler(fn)
    bound, given = compiler.bind(primals, {})
    wrt = compiler.select(bound, given)
    value, saved = run.pullback(fn, compiler.signature.bind(*primals), wrt)

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        api._checked_cotangent(cotangent, value, "the value")
        return api._one_for_each(compiler, dict.fromkeys(bound) | saved(cotangent), len(primals))

    return value, Native(pullback)


def _jvp(fn: Any, primals: Any, tangents: Any) -> Any:
    pushforward.check_sequences(primals, tangents)
    compiler = compiler_for("pushforward", fn)
    bound, given = compiler.bind(tuple(primals), {})
    beside, _ = compiler.bind(tuple(tangents), {})
    beside = {name: _with_zeros(beside[name], bound[name]) for name in beside}
    for name in given:
        pushforward.checked_tangent(beside[name], bound[name], f"`{name}`")
    moving = {name: beside[name] for name in compiler.select(bound, given)}
    return run.pushforward(fn, compiler.signature.bind(*primals), moving)


def _with_zeros(tangent: Any, value: Any) -> Any:
    """A tangent with 0.0 for the ints that count as real numbers, whose tangent may be None."""
    if isinstance(value, dict) and isinstance(tangent, dict):
        return {k: _with_zeros(t, value.get(k)) for k, t in tangent.items()}
    if isinstance(value, (list, tuple)) and isinstance(tangent, (list, tuple)):
        if len(value) == len(tangent):
            return rebuild(tangent, [_with_zeros(t, v) for t, v in zip(tangent, value)])
    if is_struct(value.__class__) and type(tangent) is type(value):
        return map_parts(_with_zeros, tangent, value)
    return 0.0 if tangent is None and isinstance(value, op.Promoted) else tangent


def _hvp(fn: Any, primals: Any, tangents: Any) -> Any:
    return _jvp(api.grad(fn), primals, tangents)[1]


def _matrix(operator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A Jacobian or a Hessian, column by column."""
    fn, spec = operator.primal, operator._spec
    moved = api.grad(fn, spec.argnums) if operator._mode == "hessian" else fn
    return _columns_of(moved, fn, spec, args, kwargs)


def _columns_of(moved: Any, fn: Any, spec: Spec, args: Any, kwargs: Any) -> Any:
    """The tangents of `moved` along each number in the arguments, put together."""
    call_of = jacobians.Call(fn, spec, args, kwargs)
    signature = compiler_for("jvp", fn, spec).signature
    columns = []
    for name in call_of.names:
        for unit in jacobians.units(call_of.by[name]):
            moving = {n: unit if n == name else jacobians.zeros(v) for n, v in call_of.by.items()}
            bound = run.bind(signature, call_of.names, *call_of.args, **call_of.kwargs)
            columns.append(run.pushforward(moved, bound, moving)[1])

    def of_output(*tangents: Any) -> Any:
        return None if tangents[0] is None else call_of.arranged(iter(tangents), _column)

    return jacobians.tree_map(of_output, *columns)


def _column(tangents: Iterator[Any], leaf: Any) -> Any:
    parts = [next(tangents) for _ in range(np.size(leaf))]
    if np.shape(leaf) == ():
        return parts[0]
    stacked = call(np.stack, [call(np.asarray, p) for p in parts], axis=-1)
    return call(np.reshape, stacked, np.shape(parts[0]) + np.shape(leaf))


BY_CLASS[api.Gradient] = _gradient
BY_CLASS[jacobians.Matrix] = _matrix
BY_CLASS[Native] = lambda fn, args, kwargs: fn.function(*args, **kwargs)
SPECIAL.update({
    api.grad: api.grad,
    api.value_and_grad: api.value_and_grad,
    api.vjp: _vjp,
    jacobians.elementwise_grad: jacobians.elementwise_grad,
    jacobians.hessian: jacobians.hessian,
    jacobians.hvp: _hvp,
    jacobians.jacobian: jacobians.jacobian,
    pushforward.jvp: _jvp,
})  # fmt: skip
