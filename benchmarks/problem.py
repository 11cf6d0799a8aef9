"""What a workload is: one function, its derivative by hand, and its twins for the peers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Problem:
    """A plain NumPy function to differentiate, and what is needed to judge the result.

    primal:    the function, `primal(*inputs) -> scalar`; this is what `adjoint` is given.
    by_hand:   what an expert writes for it, `by_hand(*inputs) -> (value, gradients)`.
    inputs:    `inputs(rng, **sizes) -> tuple`, the arguments.
    argnums:   the arguments to differentiate, as in `ad.grad`.
    torch:     the same function in PyTorch's idiom.
    autograd:  the same for HIPS autograd; None: the primal itself, `np` being `autograd.numpy`.
    jax:       the same for JAX; None: the primal itself, `np` being `jax.numpy`.
    small:     sizes at which central differences are quick; the tests use them.
    """

    primal: Callable[..., Any]
    by_hand: Callable[..., tuple[Any, Any]]
    inputs: Callable[..., tuple]
    argnums: int | tuple[int, ...]
    torch: Callable[..., Any]
    autograd: Callable[..., Any] | None = None
    jax: Callable[..., Any] | None = None
    small: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """A problem at one size, with the bars that its timing has to clear.

    bars:  the name of a contender -> how many of its times `adjoint` may take at most.
    """

    name: str
    title: str
    problem: Problem
    sizes: Mapping[str, Any]
    bars: Mapping[str, float] = field(default_factory=dict)

    def inputs(self) -> tuple:
        return self.problem.inputs(np.random.default_rng(0), **self.sizes)


def with_numpy(function: FunctionType, np_like: ModuleType) -> FunctionType:
    """The same code with `np` meaning another module, in it and in its neighbours in the file."""
    namespace = {**function.__globals__, "np": np_like}
    for name, value in function.__globals__.items():
        if isinstance(value, FunctionType) and value.__globals__ is function.__globals__:
            namespace[name] = FunctionType(value.__code__, namespace, name, value.__defaults__)
    return namespace[function.__name__]


def leaves(tree: Any) -> list:
    """The arrays and numbers in a structure of tuples, lists and dicts, dicts in order of keys."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, (tuple, list)):
        return [leaf for item in tree for leaf in leaves(item)]
    return [tree]


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The same structure with `function` applied to every leaf (and to those of `others` there)."""
    if isinstance(tree, dict):
        return {k: map_leaves(function, tree[k], *(other[k] for other in others)) for k in tree}
    if isinstance(tree, (tuple, list)):
        return type(tree)(map_leaves(function, *items) for items in zip(tree, *others, strict=True))
    return function(tree, *others)


def wrt(args: tuple, argnums: int | tuple[int, ...]) -> Any:
    """The arguments that are differentiated: one for an int, a tuple for a tuple."""
    return args[argnums] if isinstance(argnums, int) else tuple(args[i] for i in argnums)
