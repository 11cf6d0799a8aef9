"""Operators of `adjoint` inside a differentiated function."""

import numpy as np
from support.programs import array

import adjoint as ad

from ..table import category

row = category("Derivatives inside a function")


@row("`ad.stop_gradient` of what does not vary", 0.7)
def stopped_constant(x):
    return ad.stop_gradient(2.0) * x * x


@row("`ad.grad` of a helper", 0.7)
def gradient_inside(x):
    return ad.grad(np.sin)(x) * x


@row("`ad.grad` of a lambda that closes over an active value", 0.7)
def gradient_of_a_closure(x):
    return ad.grad(lambda y: x * y * y)(x * 2.0)


@row("`ad.grad` of `ad.grad`", 0.7)
def second_gradient_inside(x):
    return ad.grad(ad.grad(lambda y: y**4))(x) * x


@row("nested gradients over one closure: no perturbation confusion", 0.7)
def no_confusion(x):
    return ad.grad(lambda y: x + ad.grad(lambda z: x * y * z)(y) * y)(x)


@row("a step of gradient descent inside the function", array(3))
def descends(x):
    def loss(w):
        return np.sum((w * x - 1.0) ** 2)

    w = np.zeros(3)
    for _ in range(2):
        w = w - 0.1 * ad.grad(loss)(w)
    return loss(w)


@row("`ad.value_and_grad`", array(3))
def value_and_gradient_inside(x):
    value, slope = ad.value_and_grad(lambda v: np.sum(v**3))(x)
    return value * np.sum(slope * x)


@row("`ad.vjp`", array(3))
def pullback_inside(x):
    value, pullback = ad.vjp(np.sin, x)
    (slope,) = pullback(value)
    return np.sum(slope * x)


@row("`ad.jvp`", 0.7)
def jvp_inside(x):
    value, slope = ad.jvp(lambda y: y**3 * x, (x,), (x * x,))
    return value * slope


@row("a gradient penalty", array(2, 2), array(2))
def gradient_penalty(w, x):
    def critic(v):
        return np.sum(np.tanh(w @ v))

    slope = ad.grad(critic)(x)
    return critic(x) + (slope @ slope - 1.0) ** 2
