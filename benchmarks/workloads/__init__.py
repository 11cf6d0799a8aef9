"""The table of workloads: which problem at which size, and the bars for its timing."""

import numpy as np

from benchmarks.problem import Workload
from benchmarks.workloads.networks import REGRESSION, RELU_NETWORK, TANH_NETWORK
from benchmarks.workloads.options import CALLS
from benchmarks.workloads.recurrent import RNN, RNN_STEP_BY_STEP
from benchmarks.workloads.scalar import HARVEST, RECURRENCE
from benchmarks.workloads.stores import FILL


def mlp(batch, features, hidden, classes, dtype=np.float64):
    return dict(batch=batch, features=features, hidden=hidden, classes=classes, dtype=dtype)


def bars(**own: float) -> dict[str, float]:
    """A workload's own bars, and those of all: faster than PyTorch eager and HIPS autograd."""
    return {**own, "torch": 1.0, "autograd": 1.0}


STEPS = dict(steps=1000)
ROWS = dict(rows=4, features=3)
UNROLLED = dict(steps=50, features=16, hidden=32)
TINY = mlp(1, 16, 16, 4)
SMALL = mlp(32, 64, 64, 10)
IMAGES = mlp(64, 784, 128, 10, np.float32)
MANY_IMAGES = mlp(512, 784, 512, 10, np.float32)

WORKLOADS = [
    Workload("recurrence", "scalar recurrence, 1,000 steps", RECURRENCE, STEPS, bars(hand=1.3)),
    Workload("branch", "scalar recurrence with a branch", HARVEST, STEPS, bars(hand=1.3)),
    Workload("fill", "array filled in 1,000 steps", FILL, STEPS, bars(hand=1.5)),
    Workload("regression", "linear regression, 4 rows", REGRESSION, ROWS, bars(hand=1.25)),
    Workload("mlp-tiny", "MLP 16-16-4, batch 1", TANH_NETWORK, TINY, bars(hand=1.25)),
    Workload("mlp-small", "MLP 64-64-10, batch 32", TANH_NETWORK, SMALL, bars(hand=1.1)),
    Workload("mlp-images", "MLP 784-128-10, batch 64", RELU_NETWORK, IMAGES, bars(hand=1.1)),
    Workload("mlp-large", "MLP 784-512-10, batch 512", RELU_NETWORK, MANY_IMAGES, bars()),
    Workload("rnn", "RNN, 50 steps, hidden 32", RNN_STEP_BY_STEP, UNROLLED, bars(hand=1.1)),
    Workload("rnn-gathered", "the same, by hand with gathered sums", RNN, UNROLLED, bars()),
    Workload("options", "100,000 options, elementwise", CALLS, dict(count=100_000), bars(primal=3)),
]
