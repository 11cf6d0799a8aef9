"""Small networks that the tests of modules share, and numeric gradients by them."""

from __future__ import annotations

import numpy as np

import adjoint as ad
from adjoint import nn


class Dense(nn.Module):
    def __init__(self, n, m, rng, bias=True):
        super().__init__()
        self.weight = rng.standard_normal((m, n)) / np.sqrt(n)
        self.bias = 0.1 * rng.standard_normal(m) if bias else None

    def forward(self, x):
        y = x @ self.weight.T
        if self.bias is not None:
            y = y + self.bias
        return y


class MLP(nn.Module):
    """Two layers in attributes, and a setting that is a float."""

    def __init__(self, n=3, hidden=4, m=2, seed=0):
        super().__init__()
        rng = np.random.default_rng(seed)
        self.fc1 = Dense(n, hidden, rng)
        self.fc2 = Dense(hidden, m, rng)
        self.slope = 0.5

    def forward(self, x):
        return self.fc2(np.tanh(self.fc1(x)) * self.slope)


class Pair(nn.Module):
    """Two parameters and nothing else."""

    def __init__(self, a=1.5, b=2.0):
        super().__init__()
        self.a = np.array([a, 0.3])
        self.b = np.array([b, 0.7])

    def forward(self, x):
        return self.a * np.sin(self.b * x)


class Chain(nn.Module):
    """Parts by number."""

    __tree_sequence__ = True

    def __init__(self, *layers):
        super().__init__()
        for i, layer in enumerate(layers):
            setattr(self, str(i), layer)

    def __len__(self):
        return len(self.__tree_flatten__())

    def __iter__(self):
        return iter(self.__tree_flatten__().values())

    def __getitem__(self, index):
        return list(self)[index]

    def forward(self, x):
        for layer in self:
            x = np.tanh(layer(x))
        return x


class Tied(nn.Module):
    """The decoder has the weight of the encoder."""

    def __init__(self, seed=0):
        super().__init__()
        rng = np.random.default_rng(seed)
        self.encoder = Dense(3, 3, rng)
        self.decoder = Dense(3, 3, rng)
        self.decoder.weight = self.encoder.weight

    def forward(self, x):
        return self.decoder(np.tanh(self.encoder(x)))


class TwiceTheSame(nn.Module):
    """One layer at two places."""

    def __init__(self, seed=0):
        super().__init__()
        self.encoder = Dense(3, 3, np.random.default_rng(seed))
        self.between = Pair()
        self.decoder = self.encoder

    def forward(self, x):
        return self.decoder(np.tanh(self.encoder(x))) * self.between.a[0]


def loss(net, x):
    return np.sum(net(x) ** 2)


def output(net, x):
    return net(x)


def numeric(fn, net, *args, eps=1e-6):
    """The gradients of fn(net, *args) by all parameters, by differences: {name: array}."""
    found = {}
    for name, array in net.named_parameters():
        gradient = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            before = array[index]
            array[index] = before + eps
            above = fn(net, *args)
            array[index] = before - eps
            below = fn(net, *args)
            array[index] = before
            gradient[index] = (above - below) / (2 * eps)
        found[name] = gradient
    return found


def check_gradient(grads, fn, net, *args):
    """Compare a gradient by a module, in the module's structure, with differences."""
    assert type(grads) is type(net)
    expected = numeric(fn, net, *args)
    found = dict(grads.named_parameters())
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-6, atol=1e-8, err_msg=name)
        assert found[name].dtype == dict(net.named_parameters())[name].dtype


def zeros(net):
    return ad.tree.map(np.zeros_like, net)
