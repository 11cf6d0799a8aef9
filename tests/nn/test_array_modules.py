"""Networks on arrays of another module: the strict stand-in for CuPy, and CuPy itself."""

import copy

import numpy as np
import pytest
from support.strict_arrays import StrictArray, strict

import adjoint as ad
import adjoint.nn.functional as F
from adjoint import nn, optim
from tests.golden.networks import ConvNet, Perceptron

try:
    import cupy

    CUPY = cupy if cupy.is_available() else None
except ImportError:
    CUPY = None


MODULES = [
    pytest.param(strict, id="strict"),
    pytest.param(
        CUPY,
        id="cupy",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(CUPY is None, reason="needs CuPy and a CUDA device"),
        ],
    ),
]


def array_of(module):
    return StrictArray if module is strict else module.ndarray


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def result(net, x):
    y = net(x)
    return y[0] if isinstance(y, tuple) else y


def loss(net, x):
    return np.sum(result(net, x) ** 2)


def classification(net, x, y):
    return F.cross_entropy(net(x), y)


# name -> (network, input)
LAYERS = {
    "Linear": (nn.Linear(4, 3), normal(5, 4)),
    "Linear, three axes": (nn.Linear(4, 3), normal(2, 5, 4)),
    "Conv2d": (nn.Conv2d(2, 3, 3, padding=1, stride=2), normal(2, 2, 6, 6)),
    "MaxPool2d": (
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2)), normal(2, 1, 6, 6)
    ),
    "AvgPool2d": (nn.Sequential(nn.Conv2d(1, 2, 3), nn.AvgPool2d(2)), normal(2, 1, 6, 6)),
    "BatchNorm2d": (nn.BatchNorm2d(3), normal(4, 3, 2, 2)),
    "BatchNorm2d, eval": (nn.BatchNorm2d(3).eval(), normal(4, 3, 2, 2)),
    "LayerNorm": (nn.LayerNorm(4), normal(5, 4)),
    "Embedding": (nn.Embedding(7, 3), np.array([[0, 6], [1, 1]])),
    "RNN": (nn.RNN(3, 4), normal(5, 2, 3)),
    "LSTM": (nn.LSTM(3, 4, bidirectional=True), normal(5, 2, 3)),
    "GRU": (nn.GRU(3, 4), normal(5, 2, 3)),
    "activations": (
        nn.Sequential(nn.Linear(4, 4), nn.ELU(), nn.SiLU(), nn.Softplus(), nn.Tanh(), nn.Softmax()),
        normal(5, 4),
    ),
    "TransformerEncoderLayer": (
        nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), normal(3, 5, 8)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("module", MODULES)
def test_gradients_are_numpys(name, module):
    net, x = copy.deepcopy(LAYERS[name])
    there = copy.deepcopy(net).to(module)
    assert all(isinstance(p, array_of(module)) for p in there.parameters())
    value, grads = ad.value_and_grad(loss)(net, x)
    got, found = ad.value_and_grad(loss)(there, module.asarray(x))
    np.testing.assert_allclose(got.get(), value, rtol=1e-5)
    for a, b in zip(found.parameters(), grads.parameters(), strict=True):
        assert isinstance(a, array_of(module))
        np.testing.assert_allclose(a.get(), b, rtol=1e-4, atol=1e-5 * np.abs(b).max())


@pytest.mark.parametrize("make", [Perceptron, ConvNet])
@pytest.mark.parametrize("module", MODULES)
def test_steps_are_numpys(make, module):
    net = make()
    there = copy.deepcopy(net).to(module)
    x = normal(7, 6) if make is Perceptron else normal(7, 1, 8, 8)
    y = np.arange(7) % 3
    value_and_grad = ad.value_and_grad(classification)
    here, away = optim.SGD(net, lr=0.1), optim.SGD(there, lr=0.1)
    for _ in range(3):
        here.step(value_and_grad(net, x, y)[1])
        away.step(value_and_grad(there, module.asarray(x), module.asarray(y))[1])
    for a, b in zip(there.parameters(), net.parameters(), strict=True):
        np.testing.assert_allclose(a.get(), b, rtol=1e-4, atol=1e-5)


def test_there_and_back():
    net = nn.BatchNorm2d(3)
    before = copy.deepcopy(net.state_dict())
    assert isinstance(net.to(strict).running_mean, StrictArray)
    net.to(np)
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_an_array_at_two_places_stays_one():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    net.to(strict)
    assert net[1].weight is net[0].weight
