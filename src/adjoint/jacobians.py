"""What follows from the two modes: hvp, hessian, jacobian and elementwise_grad.

A Jacobian is built column by column in forward mode, row by row in reverse mode; a Hessian is the
Jacobian of the gradient, forward over reverse.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .api import Gradient
from .by_name import by_reference
from .compilers import compiler_for
from .differentiable import check_type
from .errors import ArgumentError, OutputError
from .operators import operator
from .pushforward import check_sequences, promoted, push, run_forward
from .retell import retell
from .runtime.generic import copy, rebuild
from .runtime.modules import module_of
from .runtime.shared_parts import has_ties
from .runtime.structs import is_struct, map_parts
from .spec import Numbers, Spec
from .types import Symbols, type_of


@operator("hvp")
def hvp(fn: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The product of a function's Hessian with a vector, without the Hessian.

    It is the change of the gradient by the first argument where the arguments move along
    `tangents`: `jvp(grad(fn), primals, tangents)[1]`. fn returns one real number; primals and
    tangents are as for `jvp`. The cost is that of a few gradients, whatever the size.

    >>> import numpy as np
    >>> def f(x):
    ...     return np.sum(x ** 3)
    >>> hvp(f, (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),))
    array([6., 0.])
    """
    check_sequences(primals, tangents)
    compiler = compiler_for("hvp", fn, Spec(0, None, False))
    return push(compiler, tuple(primals), tuple(tangents))


@operator("elementwise_grad")
def elementwise_grad(fn: Callable[..., Any], argnums: int = 0) -> Gradient:
    """The derivative of a function that acts on each element alone, at every element.

    It is the gradient of the sum of the result. Returns a function that is called like fn.

    >>> import numpy as np
    >>> elementwise_grad(np.sin)(np.array([0.0, np.pi])).round(4)
    array([ 1., -1.])
    """
    return Gradient(fn, "elementwise_grad", Spec(argnums, None, False))


@operator("hessian")
def hessian(fn: Callable[..., Any], argnums: Numbers = 0) -> Callable[..., Any]:
    """The matrix of second derivatives of a function that returns one real number.

    Returns a function that is called like fn. For an array argument of shape s the result has the
    shape s + s. For containers, and for several argnums, it is nested as in JAX: the structure of
    the gradient, and in each place the structure of the arguments again. fn gets copies of its
    arguments, and is called once for each number in them.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    return Matrix(fn, argnums, "hessian")


@operator("jacobian")
def jacobian(
    fn: Callable[..., Any], argnums: Numbers = 0, mode: str = "auto"
) -> Callable[..., Any]:
    """The matrix of first derivatives of a function of any outputs.

    argnums: the position of the argument to differentiate by, or several.
    mode: "forward" calls fn once for each number in those arguments; "reverse" calls it once, and
    pulls back once for each number in the result; "auto" takes what is less work.

    Returns a function that is called like fn. For an array argument of shape s and an output of
    shape r the result has the shape r + s. For containers, and for several argnums, it is nested
    as in JAX: the structure of the output, and in each place the structure of the arguments. fn
    gets copies of its arguments.

    Raises ArgumentError for a mode that does not exist, and for complex arguments.

    >>> import numpy as np
    >>> def polar(r, angle):
    ...     return np.array([r * np.cos(angle), r * np.sin(angle)])
    >>> jacobian(polar)(2.0, 0.0)
    array([1., 0.])
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ArgumentError(f"mode must be 'auto', 'forward' or 'reverse', got {mode!r}")
    return Matrix(fn, argnums, mode)


@operator("matrix")
class Matrix:
    """What `jacobian` and `hessian` make: called like the function, it gives the derivatives."""

    def __init__(self, fn: Callable[..., Any], argnums: Numbers, mode: str) -> None:
        self._spec = Spec(argnums, None, False)
        parameters = compiler_for("jvp", fn, self._spec).parameters
        self._spec.check(parameters, getattr(fn, "__name__", "the function"))
        functools.update_wrapper(self, fn)
        self.primal, self._mode = fn, mode

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call = Call(self.primal, self._spec, args, kwargs)
        if self._mode == "hessian":
            return call.forward("hessian")
        if self._mode == "forward" or self._mode == "auto" and call.size() == 1:
            return call.forward("jvp")
        return call.reverse(only_if_less=self._mode == "auto")

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """As a method: `self` is the first argument."""
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> Any:
        """Pickled by reference, as functions are: the name leads back here or to the function."""
        again = self.primal, self._spec.argnums, self._mode
        return by_reference(self, self.primal, Matrix, *again)

    def __repr__(self) -> str:
        name = getattr(self.primal, "__qualname__", repr(self.primal))
        what = "hessian" if self._mode == "hessian" else "jacobian"
        return f"<adjoint.{what} of {name}>"


class Call:
    """One call of a function whose Jacobian is wanted, with the arguments to take it by."""

    def __init__(
        self, fn: Callable[..., Any], spec: Spec, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.fn, self.spec = fn, spec
        parameters = compiler_for("jvp", fn, spec).parameters
        self.names = spec.names(parameters, getattr(fn, "__name__", "the function"))
        positions = {p.name: i for i, p in enumerate(parameters)}
        given = list(args)
        for name in self.names:  # a Python int that is differentiated by is a float
            if name in kwargs:
                kwargs = {**kwargs, name: _float(kwargs[name])}
            elif positions[name] < len(given):
                given[positions[name]] = _float(given[positions[name]])
        self.args, self.kwargs = tuple(given), kwargs
        bound, _ = compiler_for("jvp", fn, spec).bind(self.args, self.kwargs)
        self.by = {name: bound[name] for name in self.names}
        for name, value in self.by.items():
            check_type(type_of(value, Symbols(), promote=True), name)
            if has_ties(value):
                raise ArgumentError(
                    f"the argument `{name}` holds an array or an object at two places",
                    None,
                    "Take the Jacobian by the array, as an argument of its own.",
                )
            if any(_kind(leaf) == "c" for leaf in _leaves(value)):
                raise ArgumentError(
                    f"the argument `{name}` is complex: a Jacobian is by real numbers",
                    None,
                    "Take it by the real and the imaginary part, as two arguments.",
                )

    def size(self) -> int:
        """How many numbers the arguments hold."""
        return sum(np.size(leaf) for leaf in _leaves(list(self.by.values())))

    def fresh(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return copy(self.args), copy(self.kwargs)

    def forward(self, kind: str) -> Any:
        """Column by column: one call for each number in the arguments."""
        compiler = compiler_for(kind, self.fn, self.spec)
        columns: list[Any] = []
        for position, name in enumerate(self.names):
            for unit in units(self.by[name]):
                moving = [
                    unit if i == position else zeros(self.by[n]) for i, n in enumerate(self.names)
                ]
                if compiler.promote:
                    pairs = zip(moving, self.by.values(), strict=True)
                    moving = [promoted(t, v) for t, v in pairs]
                result = run_forward(compiler, *self.fresh(), moving)
                columns.append(result if kind == "hessian" else result[1])
        if not columns:
            raise ArgumentError("the arguments to differentiate by hold no numbers")

        def of_output(*tangents: Any) -> Any:
            if tangents[0] is None:
                return None
            return self.arranged(iter(tangents), lambda parts, leaf: _columns(parts, leaf))

        return tree_map(of_output, *columns)

    def reverse(self, *, only_if_less: bool = False) -> Any:
        """Row by row: one backward sweep for each number in the result."""
        compiler = compiler_for("vjp", self.fn, self.spec)
        args, kwargs = self.fresh()
        compiled, values = compiler.find(args, kwargs)
        try:
            value, saved = compiled.run(*values)
            value = copy(value)
            outputs = [leaf for leaf in _leaves(value) if _kind(leaf) in "fc"]
            total = sum(np.size(leaf) for leaf in outputs)
            is_complex = any(_kind(leaf) == "c" for leaf in outputs)
            if only_if_less and (is_complex or self.size() < total):
                return self.forward("jvp")
            if is_complex:
                raise OutputError("the result is complex: take its Jacobian with mode='forward'")
            rows = iter([compiled.backward(saved, unit) for unit in units(value)])
        except Exception as error:
            retell(error, compiled.filename, compiled.emitted)
            raise

        def of_output(leaf: Any) -> Any:
            if _kind(leaf) not in "fc":
                return None
            mine = [next(rows) for _ in range(np.size(leaf))]
            pulled = [_leaves(list(row)) for row in mine]
            parts = iter([[row[k] for row in pulled] for k in range(len(pulled[0]))])
            return self.arranged(parts, lambda rows, part: _rows(rows, leaf, part))

        return tree_map(of_output, value)

    def arranged(self, parts: Iterator[Any], join: Callable[[Any, Any], Any]) -> Any:
        """The parts for one output, in the structure of the arguments."""

        def of_argument(leaf: Any) -> Any:
            if _kind(leaf) not in "fc":
                return None
            return join(parts, leaf)

        found = [tree_map(of_argument, self.by[name]) for name in self.names]
        return found[0] if self.spec.is_single() else tuple(found)


# -- structures -----------------------------------------------------------------------------------


def tree_map(change: Callable[..., Any], *trees: Any) -> Any:
    """`change` of the leaves of structures that are alike."""
    first = trees[0]
    if isinstance(first, dict):
        return {k: tree_map(change, *(t[k] for t in trees)) for k in first}
    if isinstance(first, (list, tuple)):
        return rebuild(first, [tree_map(change, *parts) for parts in zip(*trees, strict=True)])
    if is_struct(first.__class__):
        return map_parts(functools.partial(tree_map, change), *trees)
    return change(*trees)


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in _leaves(part)]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in _leaves(part)]
    if is_struct(tree.__class__):
        return [leaf for part in tree.__tree_flatten__().values() for leaf in _leaves(part)]
    return [tree]


def _kind(leaf: Any) -> str:
    """ "f" or "c" for what can move, else "-"."""
    if isinstance(leaf, (bool, int)):
        return "-"
    kind = getattr(getattr(leaf, "dtype", None), "kind", None)
    if kind is None:
        return "c" if isinstance(leaf, complex) else "f" if isinstance(leaf, float) else "-"
    return kind if kind in ("f", "c") else "-"


def _float(value: Any) -> Any:
    return float(value) if type(value) is int else value


def zeros(value: Any) -> Any:
    def zero(leaf: Any) -> Any:
        if _kind(leaf) not in "fc":
            return None
        return leaf * 0.0 if not hasattr(leaf, "dtype") else module_of(leaf).zeros_like(leaf)

    return tree_map(zero, value)


def units(value: Any) -> Iterator[Any]:
    """For each number in a value, a structure like it with 1 there and 0 everywhere else."""
    sizes = [np.size(leaf) if _kind(leaf) in "fc" else 0 for leaf in _leaves(value)]
    for which, size in enumerate(sizes):
        for index in range(size):
            places = iter([index if k == which else None for k in range(len(sizes))])
            yield tree_map(functools.partial(_unit, places), value)


def _unit(places: Iterator[int | None], leaf: Any) -> Any:
    """Zeros like one part of a value, with a 1 at the next of `places`."""
    zero, index = zeros(leaf), next(places)
    if index is None:
        return zero
    if isinstance(leaf, np.generic):
        return leaf.dtype.type(1)
    if not hasattr(leaf, "dtype"):
        return zero + 1.0
    zero.reshape(-1)[index] = 1
    return zero


def _columns(tangents: Iterator[Any], leaf: Any) -> Any:
    """Tangents of one output for each number of an argument -> output's shape + argument's."""
    parts = [next(tangents) for _ in range(np.size(leaf))]
    if np.shape(leaf) == ():
        return parts[0]
    xp = module_of(leaf, *parts)
    stacked = xp.stack([xp.asarray(p) for p in parts], axis=-1)
    return stacked.reshape(np.shape(parts[0]) + np.shape(leaf))


def _rows(parts: Iterator[Any], output: Any, leaf: Any) -> Any:
    """Cotangents of one argument for each number of an output -> output's shape + argument's."""
    rows = next(parts)
    if np.shape(output) == ():
        return rows[0]
    xp = module_of(output, leaf, *rows)
    stacked = xp.stack([xp.asarray(r) for r in rows], axis=0)
    return stacked.reshape(np.shape(output) + np.shape(leaf))
