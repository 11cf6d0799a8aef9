"""A recurrent network whose states are written into an array."""

from dataclasses import replace

import numpy as np

from benchmarks.peers import autograd_numpy, jax, jnp, torch
from benchmarks.problem import Problem


def rnn(params, x, target):
    h = np.zeros((len(x) + 1, len(params["b"])))
    for t in range(len(x)):
        h[t + 1] = np.tanh(x[t] @ params["wx"] + h[t] @ params["wh"] + params["b"])
    return np.mean((h[1:] - target) ** 2)


def rnn_by_hand(params, x, target):
    """The sums of outer products over the steps are gathered into one product each."""
    wx, wh, b = params["wx"], params["wh"], params["b"]
    h = np.zeros((len(x) + 1, len(b)))
    for t in range(len(x)):
        h[t + 1] = np.tanh(x[t] @ wx + h[t] @ wh + b)
    error = h[1:] - target
    value = np.mean(error * error)

    d_z = (2 / error.size) * error
    slope = 1 - h[1:] * h[1:]
    carried = np.zeros_like(b)
    for t in range(len(x) - 1, -1, -1):
        d_step = d_z[t]
        d_step += carried
        d_step *= slope[t]
        carried = wh @ d_step
    return value, {"wx": x.T @ d_z, "wh": h[:-1].T @ d_z, "b": d_z.sum(axis=0)}


def rnn_step_by_step(params, x, target):
    """The program walked back as it stands: each step adds to the gradients of the weights."""
    wx, wh, b = params["wx"], params["wh"], params["b"]
    h = np.zeros((len(x) + 1, len(b)))
    for t in range(len(x)):
        h[t + 1] = np.tanh(x[t] @ wx + h[t] @ wh + b)
    error = h[1:] - target
    value = np.mean(error * error)

    d_h = np.zeros_like(h)
    np.multiply(error, 2 / error.size, out=d_h[1:])
    d_wx, d_wh, d_b = np.zeros_like(wx), np.zeros_like(wh), np.zeros_like(b)
    for t in range(len(x) - 1, -1, -1):
        y = h[t + 1]
        d_z = d_h[t + 1] * (1 - y * y)
        d_wx += x[t][:, None] * d_z
        d_wh += h[t][:, None] * d_z
        d_b += d_z
        d_h[t] += wh @ d_z
    return value, {"wx": d_wx, "wh": d_wh, "b": d_b}


def rnn_in_torch(params, x, target):
    h = torch.zeros_like(params["b"])
    states = []
    for x_t in x.unbind():
        h = torch.tanh(x_t @ params["wx"] + h @ params["wh"] + params["b"])
        states.append(h)
    return torch.nn.functional.mse_loss(torch.stack(states), target)


def rnn_in_autograd(params, x, target):
    h = autograd_numpy.zeros(target.shape[1])
    states = []
    for x_t in x:
        h = autograd_numpy.tanh(x_t @ params["wx"] + h @ params["wh"] + params["b"])
        states.append(h)
    return autograd_numpy.mean((autograd_numpy.stack(states) - target) ** 2)


def rnn_in_jax(params, x, target):
    def step(h, x_t):
        h = jnp.tanh(x_t @ params["wx"] + h @ params["wh"] + params["b"])
        return h, h

    _, states = jax.lax.scan(step, jnp.zeros_like(params["b"]), x)
    return jnp.mean((states - target) ** 2)


def inputs(rng, steps, features, hidden):
    params = {
        "wx": rng.normal(size=(features, hidden)) / np.sqrt(features),
        "wh": rng.normal(size=(hidden, hidden)) / np.sqrt(hidden),
        "b": 0.1 * rng.normal(size=hidden),
    }
    return params, rng.normal(size=(steps, features)), 0.5 * rng.normal(size=(steps, hidden))


RNN = Problem(
    primal=rnn,
    by_hand=rnn_by_hand,
    inputs=inputs,
    argnums=0,
    torch=rnn_in_torch,
    autograd=rnn_in_autograd,
    jax=rnn_in_jax,
    small={"steps": 4, "features": 2, "hidden": 3},
)
RNN_STEP_BY_STEP = replace(RNN, by_hand=rnn_step_by_step)
