"""The workloads of the benchmarks at small sizes: everyone computes the same derivative."""

import numpy as np
import pytest

from benchmarks.contenders import CONTENDERS, disagreement, tolerance
from benchmarks.problem import leaves, map_leaves, wrt
from benchmarks.workloads import WORKLOADS

PEERS = ("adjoint", "torch", "autograd", "jax")

each_workload = pytest.mark.parametrize("workload", WORKLOADS, ids=lambda w: w.name)


def small_inputs(problem, seed=3):
    return problem.inputs(np.random.default_rng(seed), **problem.small)


@each_workload
def test_by_hand_returns_the_value_of_the_function(workload):
    problem = workload.problem
    args = small_inputs(problem)
    value, _ = problem.by_hand(*args)
    assert value == pytest.approx(problem.primal(*args), rel=1e-12)


@each_workload
def test_by_hand_has_the_structure_and_the_shapes_of_the_arguments(workload):
    problem = workload.problem
    args = small_inputs(problem)
    _, gradients = problem.by_hand(*args)
    map_leaves(
        lambda leaf, d_leaf: np.testing.assert_equal(np.shape(d_leaf), np.shape(leaf)),
        wrt(args, problem.argnums),
        gradients,
    )


@each_workload
@pytest.mark.parametrize("seed", range(3))
def test_by_hand_agrees_with_central_differences(workload, seed):
    """Along a random direction in the space of all arguments that are differentiated."""
    problem = workload.problem
    args = small_inputs(problem)
    rng = np.random.default_rng(seed)
    direction = map_leaves(lambda leaf: rng.normal(size=np.shape(leaf)), wrt(args, problem.argnums))

    def along(step):
        moved = map_leaves(
            lambda leaf, way: leaf + step * way, wrt(args, problem.argnums), direction
        )
        return problem.primal(*replaced(args, problem.argnums, moved))

    step = 1e-6
    expected = (along(step) - along(-step)) / (2 * step)
    _, gradients = problem.by_hand(*args)
    slope = sum(
        np.sum(d * way) for d, way in zip(leaves(gradients), leaves(direction), strict=True)
    )
    assert slope == pytest.approx(expected, rel=1e-6, abs=1e-8)


@each_workload
@pytest.mark.parametrize("name", PEERS)
def test_contender_agrees_with_by_hand(workload, name):
    contender = CONTENDERS[name]
    if not contender.installed:
        pytest.skip(f"{contender.title} is not installed")
    problem = workload.problem
    args = small_inputs(problem)
    expected = problem.by_hand(*args)
    assert disagreement(contender.prepare(problem, args)(), expected) < tolerance(expected)


@each_workload
def test_inputs_are_the_same_in_every_run_and_are_not_changed(workload):
    problem = workload.problem
    args, again = small_inputs(problem), small_inputs(problem)
    problem.primal(*args)
    problem.by_hand(*args)
    for before, after in zip(leaves(again), leaves(args), strict=True):
        np.testing.assert_array_equal(before, after)


def replaced(args, argnums, values):
    """The arguments with those at `argnums` exchanged."""
    if isinstance(argnums, int):
        argnums, values = (argnums,), (values,)
    new = dict(zip(argnums, values, strict=True))
    return tuple(new.get(i, arg) for i, arg in enumerate(args))
