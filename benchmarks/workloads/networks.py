"""One training step's gradient: linear regression, and networks of two layers."""

import numpy as np

from benchmarks.peers import torch
from benchmarks.problem import Problem

# --- Linear regression ---


def regression(w, b, x, y):
    return np.mean((x @ w + b - y) ** 2)


def regression_by_hand(w, b, x, y):
    error = x @ w + b - y
    d_error = (2 / error.size) * error
    return error @ error / error.size, (d_error @ x, d_error.sum())


def regression_in_torch(w, b, x, y):
    return torch.nn.functional.mse_loss(x @ w + b, y)


def regression_inputs(rng, rows, features):
    x, y = rng.normal(size=(rows, features)), rng.normal(size=rows)
    return rng.normal(size=features), 0.3, x, y


REGRESSION = Problem(
    primal=regression,
    by_hand=regression_by_hand,
    inputs=regression_inputs,
    argnums=(0, 1),
    torch=regression_in_torch,
    small={"rows": 4, "features": 3},
)

# --- A layer with tanh or relu, a linear layer, softmax cross-entropy ---


def cross_entropy(logits, labels):
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_sums = np.log(np.sum(np.exp(shifted), axis=1))
    return np.mean(log_sums - shifted[np.arange(len(labels)), labels])


def tanh_network(params, x, labels):
    h = np.tanh(x @ params["w1"] + params["b1"])
    return cross_entropy(h @ params["w2"] + params["b2"], labels)


def relu_network(params, x, labels):
    h = np.maximum(x @ params["w1"] + params["b1"], 0)
    return cross_entropy(h @ params["w2"] + params["b2"], labels)


def cross_entropy_by_hand(logits, labels):
    """The value, and the cotangent of the logits in their own memory."""
    n = len(labels)
    rows = np.arange(n)
    logits -= logits.max(axis=1, keepdims=True)
    picked = logits[rows, labels]
    np.exp(logits, out=logits)
    sums = logits.sum(axis=1, keepdims=True)
    value = (np.log(sums).sum() - picked.sum()) / n

    # (softmax - one_hot) / n
    logits /= sums * n
    logits[rows, labels] -= 1 / n
    return value, logits


def tanh_network_by_hand(params, x, labels):
    w2 = params["w2"]
    h = x @ params["w1"]
    h += params["b1"]
    np.tanh(h, out=h)
    logits = h @ w2
    logits += params["b2"]
    value, d_logits = cross_entropy_by_hand(logits, labels)

    d_w2 = h.T @ d_logits
    d_z = d_logits @ w2.T
    h *= h
    np.subtract(1, h, out=h)
    d_z *= h
    return value, {"w1": x.T @ d_z, "b1": d_z.sum(axis=0), "w2": d_w2, "b2": d_logits.sum(axis=0)}


def relu_network_by_hand(params, x, labels):
    w2 = params["w2"]
    h = x @ params["w1"]
    h += params["b1"]
    np.maximum(h, 0, out=h)
    logits = h @ w2
    logits += params["b2"]
    value, d_logits = cross_entropy_by_hand(logits, labels)

    d_w2 = h.T @ d_logits
    d_z = d_logits @ w2.T
    d_z *= h > 0
    return value, {"w1": x.T @ d_z, "b1": d_z.sum(axis=0), "w2": d_w2, "b2": d_logits.sum(axis=0)}


def network_in_torch(activation):
    """`addmm` adds the bias within the product, as nn.Linear does."""

    def network(params, x, labels):
        h = activation(torch.addmm(params["b1"], x, params["w1"]))
        logits = torch.addmm(params["b2"], h, params["w2"])
        return torch.nn.functional.cross_entropy(logits, labels)

    return network


def network_inputs(rng, batch, features, hidden, classes, dtype=np.float64):
    def normal(scale, *shape):
        return (scale * rng.normal(size=shape)).astype(dtype)

    params = {
        "w1": normal(features**-0.5, features, hidden),
        "b1": normal(0.1, hidden),
        "w2": normal(hidden**-0.5, hidden, classes),
        "b2": normal(0.1, classes),
    }
    return params, normal(1, batch, features), rng.integers(classes, size=batch)


def network(primal, by_hand, activation):
    return Problem(
        primal=primal,
        by_hand=by_hand,
        inputs=network_inputs,
        argnums=0,
        torch=network_in_torch(activation),
        small={"batch": 5, "features": 3, "hidden": 4, "classes": 3},
    )


TANH_NETWORK = network(tanh_network, tanh_network_by_hand, torch and torch.tanh)
RELU_NETWORK = network(relu_network, relu_network_by_hand, torch and torch.relu)
