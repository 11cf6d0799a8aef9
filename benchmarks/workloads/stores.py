"""An array filled element by element in a loop, then read as a whole."""

import numpy as np

from benchmarks.peers import autograd_numpy, jax, jnp, torch
from benchmarks.problem import Problem


def fill(start, rate, target):
    x = np.zeros(len(target) + 1)
    x[0] = start
    for i in range(len(target)):
        x[i + 1] = x[i] + rate * (target[i] - x[i])
    return np.mean((x[1:] - target) ** 2)


def fill_by_hand(start, rate, target):
    """The elements are read as Python floats, which are several times faster than NumPy's."""
    targets = target.tolist()
    states = [start]
    state = start
    for goal in targets:
        state = state + rate * (goal - state)
        states.append(state)
    x = np.array(states)
    error = x[1:] - target
    d_x = ((2 / len(target)) * error).tolist()

    d_state = d_rate = 0.0
    keep = 1 - rate
    for i in range(len(targets) - 1, -1, -1):
        d_state += d_x[i]
        d_rate += d_state * (targets[i] - states[i])
        d_state *= keep
    return error @ error / len(target), (d_state, d_rate)


def fill_in_torch(start, rate, target):
    """A list, then stack: writing into a tensor that was read is an error in PyTorch."""
    x = start
    states = []
    for goal in target.unbind():
        x = x + rate * (goal - x)
        states.append(x)
    return torch.nn.functional.mse_loss(torch.stack(states), target)


def fill_in_autograd(start, rate, target):
    """A list, then stack: HIPS autograd has no assignment to elements."""
    x = start
    states = []
    for goal in target:
        x = x + rate * (goal - x)
        states.append(x)
    return autograd_numpy.mean((autograd_numpy.stack(states) - target) ** 2)


def fill_in_jax(start, rate, target):
    def step(x, goal):
        x = x + rate * (goal - x)
        return x, x

    _, states = jax.lax.scan(step, start, target)
    return jnp.mean((states - target) ** 2)


FILL = Problem(
    primal=fill,
    by_hand=fill_by_hand,
    inputs=lambda rng, steps: (0.5, 0.1, np.cumsum(rng.normal(size=steps)) / 10),
    argnums=(0, 1),
    torch=fill_in_torch,
    autograd=fill_in_autograd,
    jax=fill_in_jax,
    small={"steps": 20},
)
