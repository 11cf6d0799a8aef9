"""The operators: grad, value_and_grad, vjp, source, and what steers them."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, overload

import numpy as np

from . import epoch
from .by_name import by_reference
from .compile import Compiled, Compiler
from .compilers import compiler_for
from .differentiable import is_exact
from .direct import direct_call
from .errors import ArgumentError, CotangentError, NoDerivativeError
from .kept import Kept
from .operators import operator
from .pushforward import checked_parts
from .request import Argument, Request
from .retell import retell
from .runtime.generic import copy, is_differentiable, rebuild
from .runtime.pull import caller
from .runtime.shared_parts import Copies
from .runtime.structs import is_struct
from .spec import Names, Numbers, Spec
from .types import UNKNOWN, Symbols, array_module, array_namespace


@operator("derivative")
class Gradient:
    """A function that computes the gradient of another; made by `grad` and `value_and_grad`.

    Called like the function itself. `primal` is that function, `source` the text of the derivative
    that the last call ran (the general form, before the first call).
    """

    # Each has a `__call__` of its own, which tries the signature of the last call first.
    __slots__ = ("__call__", "__dict__", "__weakref__")
    __call__: Callable[..., Any]

    def __init__(self, fn: Callable[..., Any], mode: str, spec: Spec) -> None:
        if not callable(fn):
            raise ArgumentError(f"expected a function to differentiate, got {type(fn).__name__}")
        functools.update_wrapper(self, fn)
        self.primal = fn
        self._mode = mode
        self._spec = spec
        self._plain = spec.is_plain
        self._compiler = Compiler(fn, self._request, self._names)
        self._name = getattr(fn, "__name__", "the function")
        # What *args holds has names only where it is called: one derivative for each way to call.
        self._by_call: dict[Any, Gradient] | None = None
        if spec.reaches_rest(self._compiler.parameters):
            self._by_call = {}
        else:
            spec.check(self._compiler.parameters, self._name)
        self._latest: Compiled | None = None
        self._objects: dict[Any, Any] = {}  # signature -> whether a network has it
        self._arity = self._compiler.arity if self._compiler.plain else -1
        self.__call__ = self._find_and_call

    @property
    def parts(self) -> tuple[Callable[..., Any], str, Spec]:
        """What the compiler makes the same derivative from, inside another function."""
        return self.primal, self._mode, self._spec

    def _request(self, names: tuple[str, ...]) -> Request:
        return Request(self._mode, names, self._spec.is_single(), self._spec.has_aux)

    def _names(self, bound: dict[str, Any], given: frozenset[str]) -> tuple[str, ...]:
        return self._spec.names(self._compiler.parameters)

    def _find_and_call(self, *args: Any, **kwargs: Any) -> Any:
        if self._by_call is not None:
            return self._for_call(len(args), tuple(kwargs))(*args, **kwargs)
        number = epoch.number
        compiled, _ = self._compiler.find(args, kwargs)
        self._remember(compiled, args, kwargs, number)
        bound = self._compiler.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if compiled.changes:
            compiled.check_apart(bound.arguments, self.primal)
        try:
            result = compiled.run(*bound.args, **bound.kwargs)
        except Exception as error:
            retell(error, compiled.filename, compiled.emitted)
            raise
        return result if self._plain else self._spec.arrange(result, self._mode)

    def _remember(
        self, compiled: Compiled, args: tuple[Any, ...], kwargs: dict[str, Any], number: int | None
    ) -> None:
        """Call this code directly, the next time that arguments have the same signature.

        number: that of the epoch in which the code was asked for
        """
        self._latest, self.__call__ = compiled, self._find_and_call
        if kwargs or len(args) != self._arity or number is None:
            return
        run = compiled.run
        if compiled.changes or not self._plain:
            run = self._checked_and_arranged(compiled)
        otherwise = self._find_and_call
        self.__call__ = direct_call(args, compiled, run, otherwise, number, self._objects)

    def _checked_and_arranged(self, compiled: Compiled) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            if compiled.changes:
                compiled.check_apart(self._compiler.bind(args, {})[0], self.primal)
            result = compiled.run(*args)
            return result if self._plain else self._spec.arrange(result, self._mode)

        return run

    def _for_call(self, count: int, keywords: tuple[str, ...]) -> Gradient:
        """The derivative for calls with so many arguments: a function that names them has it."""
        assert self._by_call is not None
        key = count, keywords
        if key not in self._by_call:
            call = caller(self.primal, count, keywords)
            call.__name__ = self._name
            self._by_call[key] = Gradient(call, self._mode, self._spec)
        return self._by_call[key]

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """As a method: `self` is the first argument."""
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> Any:
        again = self.primal, self._mode, self._spec
        return by_reference(self, self.primal, Gradient, *again)

    @property
    def value_and_grad(self) -> Gradient:
        """The same gradient together with the function's value."""
        return Gradient(self.primal, "value_and_grad", self._spec)

    @property
    def source(self) -> str:
        """The derivative as text: as the last call ran it, else its general form."""
        if self._latest is not None:
            return _text(self._latest.emitted)
        if self._by_call:
            return next(reversed(self._by_call.values())).source
        return source(self.primal, argnums=self._spec.as_argnums(self._compiler.parameters))

    def __repr__(self) -> str:
        name = getattr(self.primal, "__qualname__", repr(self.primal))
        return f"<adjoint.{self._mode} of {name}>"


@overload
def grad(
    fn: Callable[..., Any], argnums: Numbers = ..., argnames: Names = ..., has_aux: bool = ...
) -> Gradient: ...
@overload
def grad(
    fn: None = ..., argnums: Numbers = ..., argnames: Names = ..., has_aux: bool = ...
) -> Callable[[Callable[..., Any]], Gradient]: ...
@operator("grad")
def grad(
    fn: Callable[..., Any] | None = None,
    argnums: Numbers = None,
    argnames: Names = None,
    has_aux: bool = False,
) -> Any:
    """The gradient of a function that returns one real number.

    fn: a plain Python function of numbers, arrays, and lists, tuples and dicts of those.
    argnums: the position of the argument to differentiate by (default 0), or several.
    argnames: the same by name; several names give a dict.
    has_aux: fn returns (value, aux); the result is (gradients, aux).

    Returns a function that is called like fn and gives the gradient: the shape, dtype and container
    structure of the argument, a float for a Python number, None for a part that is not
    differentiable. Also a decorator, with or without arguments.

    Raises UnsupportedSyntaxError, NoDerivativeError or SourceUnavailableError where fn cannot be
    differentiated, ArgumentError (a TypeError) for an argument that is not real or complex,
    OutputError (a TypeError) where fn does not return one real number.

    >>> import numpy as np
    >>> def loss(w, x):
    ...     return np.sum((x @ w) ** 2)
    >>> grad(loss)(np.array([1.0, 2.0]), np.eye(2))
    array([2., 4.])
    """
    spec = Spec(argnums, argnames, has_aux)
    if fn is None:
        return lambda f: Gradient(f, "grad", spec)
    return Gradient(fn, "grad", spec)


@operator("value_and_grad")
def value_and_grad(
    fn: Callable[..., Any] | None = None,
    argnums: Numbers = None,
    argnames: Names = None,
    has_aux: bool = False,
) -> Any:
    """Like `grad`, but gives (value, gradient); with has_aux, ((value, aux), gradient).

    >>> value_and_grad(lambda x: x ** 2)(3.0)
    (9.0, 6.0)
    """
    spec = Spec(argnums, argnames, has_aux)
    if fn is None:
        return lambda f: Gradient(f, "value_and_grad", spec)
    return Gradient(fn, "value_and_grad", spec)


def _new_vjp_compiler(fn: Callable[..., Any]) -> Compiler:
    def names(bound: dict[str, Any], given: frozenset[str]) -> tuple[str, ...]:
        found = [n for n, v in bound.items() if n in given and is_differentiable(v)]
        # Beside floats, an int is a count, an index or an axis; alone, it stands for a float.
        varying = [n for n in found if not is_exact(bound[n])]
        return tuple(varying or found)

    if not callable(fn):
        raise ArgumentError(f"expected a function to differentiate, got {type(fn).__name__}")
    return Compiler(fn, lambda wrt: Request("vjp", wrt), names, weakly=True)


_vjp_compiler = Kept(_new_vjp_compiler)


@operator("vjp")
def vjp(fn: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of a function, and the function that pulls a cotangent of it back.

    Returns (value, pullback). `pullback(cotangent)` takes a cotangent of the structure, shape and
    dtype of the value and returns a tuple with one cotangent for each primal (None for a primal
    that is not differentiable). It may be called again, and does not change when the arrays that
    it was made from are changed later.

    Raises CotangentError (a ValueError) for a cotangent that does not fit the value.

    >>> import numpy as np
    >>> value, pullback = vjp(lambda x: x ** 2 + 2 * x + 1, np.array([2.0, 3.0]))
    >>> value
    array([ 9., 16.])
    >>> pullback(np.array([1.0, 1.0]))
    (array([6., 8.]),)
    """
    compiler = _vjp_compiler(fn)
    compiled, _ = compiler.find(primals, {})
    bound, given = compiler.bind(primals, {})
    wrt = compiler.select(bound, given)
    if compiled.changes:
        compiled.check_apart(bound, fn)
    originals: dict[int, tuple[Any, Any]] = {}
    beside: list[tuple[Any, Any]] = []
    kept = list(bound.values())
    if not compiled.recorded:
        kept = [_copied(v, originals, beside) for v in kept]
    try:
        value, saved = compiled.run(*kept)
    except Exception as error:
        retell(error, compiled.filename, compiled.emitted)
        raise
    if compiled.changes:
        for made, original in originals.values():
            _write_back(original, made, originals)
    else:  # nothing is known of what functions without a rule did to the arrays of objects
        for made, original in beside:
            _write_back(original, made, originals)
    backward = compiled.backward
    value = copy(value)
    names, count = tuple(bound), len(primals)  # the arguments themselves are not kept

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        checked = _checked_cotangent(cotangent, value, "the value")
        try:
            parts = iter(backward(saved, checked))
        except Exception as error:
            retell(error, compiled.filename, compiled.emitted)
            raise
        found = {n: next(parts) if n in wrt else None for n in names}
        return _one_for_each(compiler, found, count)

    return value, pullback


def _one_for_each(compiler: Compiler, found: dict[str, Any], count: int) -> tuple[Any, ...]:
    """Cotangents by parameter -> one for each positional argument."""
    parts: list[Any] = []
    for p in compiler.parameters:
        if p.kind is p.VAR_POSITIONAL:
            rest = found[p.name]
            parts += [None] * (count - len(parts)) if rest is None else rest
        elif len(parts) < count:
            parts.append(found[p.name])
    return tuple(parts[:count])


def _copied(
    value: Any, originals: dict[int, tuple[Any, Any]], beside: list[tuple[Any, Any]]
) -> Any:
    """A copy of the arrays and containers in a value; `originals` tells what each is a copy of.

    beside: gets the same of arrays that objects have and that are no parts, such as running means.
    """

    def of_object(array: Any) -> Any:
        copy = _copied_array(array)
        beside.append((copy, array))
        return copy

    made: Any
    if isinstance(value, dict):
        made = {k: _copied(v, originals, beside) for k, v in value.items()}
    elif isinstance(value, (list, tuple)):
        made = rebuild(value, [_copied(v, originals, beside) for v in value])
    elif array_module(type(value)) is not None:
        made = value.copy()
    elif is_struct(value.__class__):
        copies = Copies(_copied_array, of_object)
        made = copies.copy(value)
        originals.update((id(a), (a, b)) for a, b in copies.made)
        return made
    else:
        return value
    originals[id(made)] = made, value
    return made


def _copied_array(value: Any) -> Any:
    return value.copy() if array_module(type(value)) is not None else value


def _write_back(original: Any, made: Any, originals: dict[int, tuple[Any, Any]]) -> None:
    """Let the caller see what the function did to its argument."""

    def given(part: Any) -> Any:
        return originals[id(part)][1] if id(part) in originals else part

    if isinstance(original, dict):
        parts = {k: given(v) for k, v in made.items()}
        original.clear()
        original.update(parts)
    elif isinstance(original, list):
        original[:] = map(given, made)
    elif array_module(type(original)) is not None and not bool((original == made).all()):
        original[...] = made


def _checked_cotangent(cotangent: Any, value: Any, what: str) -> Any:
    """A cotangent in the dtype of its value; an error where structure or shape differ."""
    if isinstance(value, dict):
        if not isinstance(cotangent, dict) or list(cotangent) != list(value):
            raise CotangentError(f"the cotangent of {what} must be a dict with keys {list(value)}")
        return {k: _checked_cotangent(cotangent[k], v, f"{what}[{k!r}]") for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        if not isinstance(cotangent, (list, tuple)) or len(cotangent) != len(value):
            raise CotangentError(
                f"the cotangent of {what} must be a {type(value).__name__} of length {len(value)}"
            )
        return rebuild(
            value,
            [
                _checked_cotangent(c, v, f"{what}[{i}]")
                for i, (c, v) in enumerate(zip(cotangent, value, strict=True))
            ],
        )
    if is_struct(value.__class__):
        return checked_parts(cotangent, value, what, "cotangent", _checked_cotangent)
    if np.shape(cotangent) != np.shape(value):
        raise CotangentError(
            f"the cotangent of {what} has shape {np.shape(cotangent)}, "
            f"but the value has shape {np.shape(value)}"
        )
    dtype = getattr(value, "dtype", None)
    if dtype is None or dtype.kind not in "fc":
        if isinstance(cotangent, (int, float, complex, np.generic)) or cotangent is None:
            return cotangent
        return cotangent.item() if np.shape(cotangent) == () else cotangent
    given = getattr(cotangent, "dtype", None)
    kind = "c" if isinstance(cotangent, complex) else given.kind if given is not None else "f"
    if kind == "c" and dtype.kind != "c":
        raise CotangentError(f"the cotangent of {what} is complex, but the value is real")
    module = array_module(type(value)) or "numpy"
    if module != "numpy":
        return array_namespace(module).asarray(cotangent, dtype)
    if np.shape(value) == ():
        return dtype.type(cotangent)
    return (
        cotangent
        if given == dtype
        else cotangent.astype(dtype)
        if given is not None
        else (np.asarray(cotangent, dtype))
    )


def source(
    fn: Callable[..., Any], *example_args: Any, argnums: Numbers = 0, mode: str = "reverse"
) -> str:
    """The derivative of a function as the text of a Python module.

    With example arguments, the form that runs for arguments of their types; without, a general
    form for arguments of any type. mode: "reverse" gives the gradient, "forward" the value and
    its tangent, both by the arguments `argnums`.

    >>> import numpy as np
    >>> def f(x):
    ...     return np.sum(np.sin(x))
    >>> print(source(f, np.ones(3)))  # doctest: +ELLIPSIS
    import numpy as np
    ...
    """
    if isinstance(fn, Gradient):
        fn = fn.primal
    if mode not in ("reverse", "forward"):
        raise ArgumentError(f"mode must be 'reverse' or 'forward', got {mode!r}")
    spec = Spec(argnums, None, False)
    compiler = Gradient(fn, "grad", spec)._compiler
    if mode == "forward":
        compiler = compiler_for("jvp", fn, spec)
    if example_args:
        compiled, _ = compiler.find(example_args, {})
        if isinstance(compiled.refusal, NoDerivativeError):
            raise compiled.refusal
        return _text(compiled.emitted)
    names = spec.names(compiler.parameters)
    arguments = [Argument(p.name, UNKNOWN, p.name in names) for p in compiler.parameters]
    return _text(compiler.make(arguments, names, Symbols()).emitted)


def _text(emitted: Any) -> str:
    header = f"{emitted.header}\n\n\n" if emitted.header else ""
    return header + emitted.text
