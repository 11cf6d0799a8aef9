"""Networks whose printed derivatives are kept, with a batch for each."""

import numpy as np

import adjoint.nn.functional as F
from adjoint import nn


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 5)
        self.fc2 = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 6, 3, padding=1)
        self.fc1 = nn.Linear(6 * 2 * 2, 5)
        self.fc2 = nn.Linear(5, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.reshape(-1, 6 * 2 * 2)
        return self.fc2(F.relu(self.fc1(x)))


def cross_entropy(net, x, y):
    return F.cross_entropy(net(x), y)


def last_output(net, x):
    outputs, _ = net(x)
    return np.mean(outputs[-1] ** 2)


def squared(net, x):
    return np.mean(net(x) ** 2)


def _normal(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


# name -> (function, arguments of the types that it is printed for, argnums)
NETWORKS = {
    "nn_perceptron": (cross_entropy, (Perceptron(), _normal(7, 6), np.arange(7) % 3), 0),
    "nn_convnet": (cross_entropy, (ConvNet(), _normal(7, 1, 8, 8), np.arange(7) % 3), 0),
    "nn_lstm": (last_output, (nn.LSTM(3, 5), _normal(5, 2, 3)), 0),
    "nn_batch_norm": (squared, (nn.BatchNorm2d(3), _normal(5, 3, 4, 4)), 0),
    "nn_transformer": (
        squared, (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), _normal(5, 3, 8)), 0
    ),
}  # fmt: skip
