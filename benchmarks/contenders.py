"""Everyone who computes the same value and gradient, and how each is set up for a workload.

A contender's `prepare(problem, args)` does once what a user does once (converts arrays, wraps
the function) and returns the call that is timed: no arguments, returns (value, gradients).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.peers import autograd, autograd_numpy, jax, jnp, torch
from benchmarks.problem import Problem, leaves, map_leaves, with_numpy, wrt

Call = Callable[[], Any]


@dataclass(frozen=True)
class Contender:
    title: str
    installed: bool
    prepare: Callable[[Problem, tuple], Call]


def primal(problem: Problem, args: tuple) -> Call:
    """The function itself, for scale: its call returns the value alone."""
    return partial(problem.primal, *args)


def by_hand(problem: Problem, args: tuple) -> Call:
    return partial(problem.by_hand, *args)


def by_adjoint(problem: Problem, args: tuple) -> Call:
    import adjoint as ad

    return partial(ad.value_and_grad(problem.primal, problem.argnums), *args)


def by_torch(problem: Problem, args: tuple) -> Call:
    """Eager mode; numbers that are not differentiated stay Python numbers, which is faster."""

    def parameter(leaf: Any) -> Any:
        return torch.tensor(np.asarray(leaf), requires_grad=True)

    def constant(leaf: Any) -> Any:
        return torch.from_numpy(leaf) if isinstance(leaf, np.ndarray) else leaf

    active = np.atleast_1d(problem.argnums)
    tensors = tuple(
        map_leaves(parameter if i in active else constant, arg) for i, arg in enumerate(args)
    )
    parameters = leaves(wrt(tensors, problem.argnums))

    def call() -> tuple:
        value = problem.torch(*tensors)
        return value, torch.autograd.grad(value, parameters)

    return call


def by_autograd(problem: Problem, args: tuple) -> Call:
    function = problem.autograd or with_numpy(problem.primal, autograd_numpy)
    return partial(autograd.value_and_grad(function, problem.argnums), *args)


def by_jax(problem: Problem, args: tuple) -> Call:
    """Under jit, on arrays already JAX's own; ints (numbers of steps) are static."""
    function = problem.jax or with_numpy(problem.primal, jnp)
    static = tuple(i for i, arg in enumerate(args) if isinstance(arg, int))
    compiled = jax.jit(jax.value_and_grad(function, problem.argnums), static_argnums=static)
    arrays = [arg if i in static else map_leaves(jnp.asarray, arg) for i, arg in enumerate(args)]
    return lambda: jax.block_until_ready(compiled(*arrays))


CONTENDERS = {
    "primal": Contender("function", True, primal),
    "hand": Contender("by hand", True, by_hand),
    "adjoint": Contender("adjoint", True, by_adjoint),
    "torch": Contender("PyTorch eager", torch is not None, by_torch),
    "autograd": Contender("HIPS autograd", autograd is not None, by_autograd),
    "jax": Contender("jax.jit", jax is not None, by_jax),
}


def disagreement(result: Any, expected: Any) -> float:
    """The largest difference between two results, relative to the size of each leaf."""
    ours, theirs = leaves(result), leaves(expected)
    if len(ours) != len(theirs):
        return float("inf")
    return max(map(relative_difference, ours, theirs))


def relative_difference(a: Any, b: Any) -> float:
    a, b = (np.asarray(x.detach() if hasattr(x, "detach") else x) for x in (a, b))
    if a.shape != b.shape:
        return float("inf")
    difference = np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-300)
    return float(difference) if np.isfinite(difference) else float("inf")


def tolerance(expected: Any) -> float:
    """How much rounding may account for: sums in another order, in the coarsest dtype."""
    dtypes = [np.asarray(leaf).dtype for leaf in leaves(expected)]
    return 1e4 * max(np.finfo(dtype).eps for dtype in dtypes)
