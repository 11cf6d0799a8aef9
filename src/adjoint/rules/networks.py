"""Activation functions that are saved as their result, and not as what they are computed from.

Goodfellow, Bengio and Courville (2016), sections 3.10 and 6.2.
"""

import math
from dataclasses import replace

import numpy as np

from ..infer import typed_by
from ..nn.functional.activations import elu, log_softmax, normal_cdf, relu, sigmoid, softmax
from ..nn.functional.labels import check_positions, labelled
from ..nn.functional.normalisation import count_batch, update_running
from ..nn.random import dropout_mask
from ..types import FLOAT, NONE, Array, Tuple
from .template import d, rule, zero_derivative


@rule(relu)
def relu_rule(z, x):
    """0 at 0, where any number from 0 to 1 is a subgradient."""
    d[z, x] = z > 0


@rule(elu)
def elu_rule(z, x, alpha=1.0):
    """alpha at 0, as in PyTorch."""
    d[z, x] = np.where(x > 0, 1, z + alpha)


@rule(sigmoid)
def sigmoid_rule(z, x):
    d[z, x] = z * (1 - z)


@rule(normal_cdf)
def normal_cdf_rule(z, x):
    """The density of the standard normal."""
    d[z, x] = np.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))


@rule(softmax)
def softmax_rule(z, x, dim=-1):
    d[z] = z * (d[x] - np.sum(z * d[x], axis=dim, keepdims=True))
    d[x] += z * (d[z] - np.sum(z * d[z], axis=dim, keepdims=True))


@rule(log_softmax)
def log_softmax_rule(z, x, dim=-1):
    d[z] = d[x] - np.sum(np.exp(z) * d[x], axis=dim, keepdims=True)
    d[x] += d[z] - np.exp(z) * np.sum(d[z], axis=dim, keepdims=True)


zero_derivative(labelled, check_positions)


@typed_by(dropout_mask)
def _type_of_mask(symbols, x, p, generator=None):
    return x.type


@typed_by(labelled)
def _type_of_labelled(symbols, input, target, ignore_index):
    """As many rows as there are labels that count."""
    t = target.type
    if not isinstance(t, Array):
        return None
    rows = Array(np.dtype(np.intp), (symbols.fresh(),), t.module)
    return Tuple((rows, replace(rows, element=t.element)))


@typed_by(update_running)
def _type_of_nothing(symbols, *args):
    return NONE


@typed_by(count_batch)
def _type_of_momentum(symbols, *args):
    return FLOAT
