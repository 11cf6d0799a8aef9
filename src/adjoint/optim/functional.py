"""The updates of the optimisers: formulas on arrays, and pure functions on trees of arrays.

A function with a trailing underscore changes a parameter `p` and its state in place. It allocates
nothing: `work` holds two arrays like `p` to compute in. `g` is the gradient and may be the same
array as `p`; `step` counts from 1. The operations are ufuncs with `out=`, which CuPy arrays take as
well.

The functions without underscore, `sgd`, `adam`, `rmsprop` and `adagrad`, take trees (see
`adjoint.tree`) and give new ones:

    params, state = adam(params, grads, state, lr=1e-3)

`state` is None at first. Arguments have the names, defaults and meanings of the optimiser classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import tree

Slots = dict[str, Any]  # name -> array like the parameter

add, divide, maximum, multiply = np.add, np.divide, np.maximum, np.multiply
sqrt, square, subtract = np.sqrt, np.square, np.subtract


def sgd_(
    p: Any,
    g: Any,
    slots: Slots,
    work: tuple[Any, Any],
    step: int,
    *,
    lr: float = 1e-3,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> None:
    """p -= lr * d, where d is the gradient, its running sum or Nesterov's look ahead.

    Sutskever et al. (2013), "On the importance of initialization and momentum in deep learning",
    in the form of PyTorch: `buffer = momentum * buffer + (1 - dampening) * d`, and the learning
    rate is not part of the buffer. The first buffer is the first gradient.
    """
    w, u = work
    d, sign = _direction(p, g, w, weight_decay, maximize)
    if momentum:
        buffer = slots["momentum_buffer"]
        if step == 1:
            multiply(d, sign, out=buffer)
        else:
            multiply(buffer, momentum, out=buffer)
            rate = sign * (1 - dampening)
            if rate == 1:
                add(buffer, d, out=buffer)
            else:
                multiply(d, rate, out=u)
                add(buffer, u, out=buffer)
        if nesterov:
            multiply(buffer, momentum, out=u)
            (add if sign > 0 else subtract)(u, d, out=u)
            d = u
        else:
            d = buffer
        sign = 1.0
    multiply(d, lr * sign, out=w)
    subtract(p, w, out=p)


def adam_(
    p: Any,
    g: Any,
    slots: Slots,
    work: tuple[Any, Any],
    step: int,
    *,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    maximize: bool = False,
    decoupled: bool = False,
) -> None:
    """p -= lr * m / (sqrt(v) + eps), with m and v the unbiased running means of d and d * d.

    Kingma and Ba (2015), "Adam", algorithm 1, in the order of the end of section 2. `amsgrad`: the
    largest v so far, before it is made unbiased; Reddi et al. (2018), "On the convergence of Adam
    and beyond". `decoupled`: p *= 1 - lr * weight_decay, and the decay is no part of d; Loshchilov
    and Hutter (2019), "Decoupled weight decay regularization".
    """
    w, u = work
    beta1, beta2 = betas
    d, sign = _direction(p, g, w, 0.0 if decoupled else weight_decay, maximize)
    mean, v = slots["exp_avg"], slots["exp_avg_sq"]
    multiply(mean, beta1, out=mean)
    multiply(d, sign * (1 - beta1), out=u)
    add(mean, u, out=mean)
    _mean_of_squares(v, d, beta2, u)
    if amsgrad:
        largest = slots["max_exp_avg_sq"]
        maximum(largest, v, out=largest)
        v = largest
    # m / (1 - beta1**step) / (sqrt(v / (1 - beta2**step)) + eps), by scalars outside
    root = math.sqrt(1 - beta2**step)
    sqrt(v, out=u)
    add(u, eps * root, out=u)
    divide(mean, u, out=u)
    multiply(u, lr * root / (1 - beta1**step), out=u)
    if decoupled and weight_decay:
        multiply(p, 1 - lr * weight_decay, out=p)
    subtract(p, u, out=p)


def rmsprop_(
    p: Any,
    g: Any,
    slots: Slots,
    work: tuple[Any, Any],
    step: int,
    *,
    lr: float = 1e-2,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    maximize: bool = False,
) -> None:
    """p -= lr * d / (sqrt(v) + eps), with v the running mean of d * d.

    Tieleman and Hinton (2012), "Neural networks for machine learning", lecture 6.5. `centered`:
    less the square of the running mean of d; Graves (2013), "Generating sequences with recurrent
    neural networks", equations 38 to 40. Rounding can make that difference negative; it counts as 0
    then.
    """
    w, u = work
    d, sign = _direction(p, g, w, weight_decay, maximize)
    v = slots["square_avg"]
    _mean_of_squares(v, d, alpha, u)
    if centered:
        mean = slots["grad_avg"]
        multiply(mean, alpha, out=mean)
        multiply(d, sign * (1 - alpha), out=u)
        add(mean, u, out=mean)
        square(mean, out=u)
        subtract(v, u, out=u)
        maximum(u, 0, out=u)
        v = u
    sqrt(v, out=u)
    add(u, eps, out=u)
    divide(d, u, out=u)
    if momentum:
        buffer = slots["momentum_buffer"]
        multiply(buffer, momentum, out=buffer)
        (add if sign > 0 else subtract)(buffer, u, out=buffer)
        multiply(buffer, lr, out=u)
    else:
        multiply(u, sign * lr, out=u)
    subtract(p, u, out=p)


def adagrad_(
    p: Any,
    g: Any,
    slots: Slots,
    work: tuple[Any, Any],
    step: int,
    *,
    lr: float = 1e-2,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    initial_accumulator_value: float = 0.0,
    eps: float = 1e-10,
    maximize: bool = False,
) -> None:
    """p -= lr / (1 + (step - 1) * lr_decay) * d / (sqrt(s) + eps), with s the sum of d * d.

    Duchi, Hazan and Singer (2011), "Adaptive subgradient methods for online learning and stochastic
    optimization", the diagonal form. The sum starts at `initial_accumulator_value`.
    """
    w, u = work
    d, sign = _direction(p, g, w, weight_decay, maximize)
    total = slots["sum"]
    multiply(d, d, out=u)
    add(total, u, out=total)
    sqrt(total, out=u)
    add(u, eps, out=u)
    divide(d, u, out=u)
    multiply(u, sign * lr / (1 + (step - 1) * lr_decay), out=u)
    subtract(p, u, out=p)


def _direction(p: Any, g: Any, w: Any, weight_decay: float, maximize: bool) -> tuple[Any, float]:
    """(d, sign): the way uphill is `sign * d`, with the decay of the weights in it."""
    if not weight_decay:
        return g, -1.0 if maximize else 1.0
    multiply(p, weight_decay, out=w)
    (subtract if maximize else add)(w, g, out=w)
    return w, 1.0


def _mean_of_squares(v: Any, d: Any, decay: float, u: Any) -> None:
    """v = decay * v + (1 - decay) * d * d"""
    multiply(v, decay, out=v)
    multiply(d, d, out=u)
    multiply(u, 1 - decay, out=u)
    add(v, u, out=v)


def sgd_slots(*, momentum: float = 0.0, **_: Any) -> dict[str, float]:
    """What state SGD keeps for each parameter: arrays by name, with what they are filled first."""
    return {"momentum_buffer": 0.0} if momentum else {}


def adam_slots(*, amsgrad: bool = False, **_: Any) -> dict[str, float]:
    """What state Adam and AdamW keep for each parameter."""
    names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    return dict.fromkeys(names if amsgrad else names[:2], 0.0)


def rmsprop_slots(*, momentum: float = 0.0, centered: bool = False, **_: Any) -> dict[str, float]:
    """What state RMSprop keeps for each parameter."""
    slots = {"square_avg": 0.0}
    if momentum:
        slots["momentum_buffer"] = 0.0
    if centered:
        slots["grad_avg"] = 0.0
    return slots


def adagrad_slots(*, initial_accumulator_value: float = 0.0, **_: Any) -> dict[str, float]:
    """What state Adagrad keeps for each parameter."""
    return {"sum": float(initial_accumulator_value)}


def _pure(
    params: Any,
    grads: Any,
    state: dict[str, Any] | None,
    update: Callable[..., None],
    slots: dict[str, float],
    options: dict[str, Any],
) -> tuple[Any, dict[str, Any]]:
    """The parameters and the state after one update, as new trees."""
    if state is None:
        state = {"step": 0}
        for name, fill in slots.items():
            state[name] = tree.map(lambda p, fill=fill: np.full_like(p, fill), params)
    step = state["step"] + 1
    names = [name for name in state if name != "step"]
    new = {name: tree.map(np.copy, state[name]) for name in names}

    def updated(p: Any, g: Any, *arrays: Any) -> Any:
        p = np.copy(p)
        work = np.empty_like(p), np.empty_like(p)
        update(p, g, dict(zip(names, arrays)), work, step, **options)
        return p

    params = tree.map(updated, params, grads, *new.values())
    return params, {"step": step, **new}


def sgd(params: Any, grads: Any, state: Any = None, **options: Any) -> tuple[Any, Any]:
    """(parameters, state) after a step of stochastic gradient descent; see `optim.SGD`.

    >>> params, state = sgd({"w": np.array([1.0, 2.0])}, {"w": np.array([1.0, 4.0])}, lr=0.5)
    >>> params
    {'w': array([0.5, 0. ])}
    """
    return _pure(params, grads, state, sgd_, sgd_slots(**options), options)


def adam(params: Any, grads: Any, state: Any = None, **options: Any) -> tuple[Any, Any]:
    """(parameters, state) after a step of Adam, or of AdamW with `decoupled=True`.

    >>> params, state = adam(np.array([1.0, 2.0]), np.array([-3.0, 5.0]), lr=0.5)
    >>> params.round(6), state["step"]
    (array([1.5, 1.5]), 1)
    """
    return _pure(params, grads, state, adam_, adam_slots(**options), options)


def rmsprop(params: Any, grads: Any, state: Any = None, **options: Any) -> tuple[Any, Any]:
    """(parameters, state) after a step of RMSprop; see `optim.RMSprop`."""
    return _pure(params, grads, state, rmsprop_, rmsprop_slots(**options), options)


def adagrad(params: Any, grads: Any, state: Any = None, **options: Any) -> tuple[Any, Any]:
    """(parameters, state) after a step of Adagrad; see `optim.Adagrad`."""
    return _pure(params, grads, state, adagrad_, adagrad_slots(**options), options)
