"""Ordinary functions whose printed derivatives are kept in the files beside this one."""

import math

import numpy as np


def logistic_regression(w, b, x, y):
    z = x @ w + b
    p = 1 / (1 + np.exp(-z))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def network(params, x, labels):
    h = np.tanh(x @ params["w1"] + params["b1"])
    logits = h @ params["w2"] + params["b2"]
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_sums = np.log(np.sum(np.exp(shifted), axis=1))
    return np.mean(log_sums - shifted[np.arange(len(labels)), labels])


def loop_with_branch(x, rate):
    total = 0.0
    for i in range(10):
        if x > 1:
            x = x - rate * x * x
        else:
            x = x + rate
        total += x * i
    return total


def recurrent_network(w, b, x):
    h = np.zeros((len(x) + 1, len(b)))
    for t in range(len(x)):
        h[t + 1] = np.tanh(x[t] + h[t] @ w + b)
    return np.mean(h[1:] ** 2)


def predict(w, x):
    return np.tanh(x @ w)


def penalty(w, strength=0.1):
    return strength * np.sum(w**2)


def calls_two_others(w, x, y):
    error = predict(w, x) - y
    return np.mean(error**2) + penalty(w)


def layers_in_a_list(layers, x):
    for w, b in layers:
        x = np.maximum(x @ w + b, 0)
    return np.sum(x**2)


def newton(a, x):
    while abs(x * x - a) > 1e-9:
        x = x - (x * x - a) / (2 * x)
    return x


def power_by_recursion(x, n):
    if n == 0:
        return 1.0
    return x * power_by_recursion(x, n - 1)


def in_place(x, y):
    z = x * y
    z *= x
    z[0] = np.sum(y)
    return np.sum(z * z)


def early_return(x):
    for i in range(20):
        x = x * 1.1
        if x > 3:
            return x * i
    return math.log(x)


def standardised(x):
    centred = x - x.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0) + 1e-6)
    return np.sum(np.abs(centred / spread))


def black_scholes(spot, strike, rate, volatility, years):
    d1 = (np.log(spot / strike) + (rate + volatility**2 / 2) * years) / (
        volatility * np.sqrt(years)
    )
    d2 = d1 - volatility * np.sqrt(years)
    return np.sum(spot * np.tanh(d1) - strike * np.exp(-rate * years) * np.tanh(d2))


def filled_array(x, k):
    y = np.zeros(len(x) + 1)
    for i in range(len(x)):
        y[i + 1] = y[i] * k + x[i]
    return np.sum(y**2)


def swinging(pull, y, h, n):
    def slope(y):
        return np.array([y[1], -pull * np.sin(y[0])])

    for _ in range(n):
        y = y + h * slope(y + h / 2 * slope(y))
    return y[0] ** 2


def filtered(x, w):
    y = np.zeros(len(x) - len(w) + 1)
    for i in range(len(y)):
        y[i] = x[i : i + len(w)] @ w
    return np.sum(y**2)


_rng = np.random.default_rng(0)
_f = _rng.normal

# name -> (function, arguments of the types that it is printed for, argnums)
PROGRAMS = {
    "logistic_regression": (
        logistic_regression, (_f(size=3), 0.5, _f(size=(4, 3)), np.array([0.0, 1.0, 1.0, 0.0])),
        (0, 1),
    ),
    "network": (
        network,
        ({"w1": _f(size=(4, 3)), "b1": _f(size=3), "w2": _f(size=(3, 2)), "b2": _f(size=2)},
         _f(size=(5, 4)), np.array([0, 1, 1, 0, 1])),
        0,
    ),
    "loop_with_branch": (loop_with_branch, (0.5, 0.3), (0, 1)),
    "recurrent_network": (
        recurrent_network, (_f(size=(3, 3)), _f(size=3), _f(size=(6, 3))), (0, 1)
    ),
    "calls_two_others": (calls_two_others, (_f(size=(3, 2)), _f(size=(4, 3)), _f(size=(4, 2))), 0),
    "layers_in_a_list": (
        layers_in_a_list,
        ([(_f(size=(3, 4)), _f(size=4)), (_f(size=(4, 2)), _f(size=2))], _f(size=(5, 3))),
        0,
    ),
    "newton": (newton, (2.0, 1.5), (0, 1)),
    "power_by_recursion": (power_by_recursion, (1.1, 4), 0),
    "in_place": (in_place, (_f(size=4), _f(size=4)), (0, 1)),
    "early_return": (early_return, (0.7,), 0),
    "standardised": (standardised, (_f(size=(5, 3)),), 0),
    "swinging": (swinging, (0.9, _f(size=2), 0.1, 3), (0, 1)),
    "filtered": (filtered, (_f(size=8), _f(size=3)), (0, 1)),
    "black_scholes": (
        black_scholes,
        tuple(np.abs(_f(size=6)) + 0.5 for _ in range(5)),
        (0, 1, 2, 3, 4),
    ),
    "large_network": (
        network,
        ({"w1": _f(size=(40, 300)), "b1": _f(size=300), "w2": _f(size=(300, 2)), "b2": _f(size=2)},
         _f(size=(200, 40)), np.arange(200) % 2),
        0,
    ),
    "large_black_scholes": (
        black_scholes,
        tuple(np.abs(_f(size=40_000)) + 0.5 for _ in range(5)),
        (0, 1, 2, 3, 4),
    ),
    "filled_array": (filled_array, (np.ones(5), 0.5), (0, 1)),
    "network_of_any_types": (calls_two_others, (), 0),
}  # fmt: skip
