"""Training steps of networks, side by side with PyTorch eager: `python -m benchmarks.training`.

Each row is one whole step: the loss, the gradients and the update by SGD, on the same batch from
the same initial values. Each library has a process of its own, as in a script that trains: in one
process the threads of one disturb the other for milliseconds. They take turns, and the ratio is the
median over the rounds.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import adjoint as ad
import adjoint.nn.functional as F
from adjoint import nn, optim
from benchmarks.machine import describe
from benchmarks.report import put_between_markers
from benchmarks.timing import Calls, median, process_of, ratio

LR = 0.01
MARKERS = ("<!-- training: begin -->", "<!-- training: end -->")


@dataclass(frozen=True)
class Row:
    """A network in both libraries, a batch for it, and the most that our time may be of theirs."""

    name: str
    ours: Callable[[], nn.Module]
    theirs: Callable[[], torch.nn.Module]
    loss: Callable[..., Any]
    torch_loss: Callable[..., Any]
    batch: Callable[[np.random.Generator], tuple[np.ndarray, ...]]
    bar: float


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


class TorchNet(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = torch.nn.Linear(784, 128)
        self.fc2 = torch.nn.Linear(128, 10)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


class ConvNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.reshape(-1, 64 * 7 * 7)
        return self.fc2(F.relu(self.fc1(x)))


class TorchConvNet(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = torch.nn.Conv2d(32, 64, 3, padding=1)
        self.fc1 = torch.nn.Linear(64 * 7 * 7, 128)
        self.fc2 = torch.nn.Linear(128, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = x.reshape(-1, 64 * 7 * 7)
        return self.fc2(torch.relu(self.fc1(x)))


def classification(net, x, y):
    return F.cross_entropy(net(x), y)


def torch_classification(net, x, y):
    return torch.nn.functional.cross_entropy(net(x), y)


def recurrent(net, x):
    outputs, _ = net(x)
    return np.mean(outputs**2)


def torch_recurrent(net, x):
    outputs, _ = net(x)
    return (outputs**2).mean()


def encoder(net, x):
    return np.mean((net(x) - x) ** 2)


def torch_encoder(net, x):
    return ((net(x) - x) ** 2).mean()


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


ROWS = (
    Row(
        "Net 784-128-10, batch 64",
        Net,
        TorchNet,
        classification,
        torch_classification,
        lambda rng: (normal(rng, 64, 784), rng.integers(0, 10, 64)),
        0.8,
    ),
    Row(
        "ConvNet, batch 64 of 28x28",
        ConvNet,
        TorchConvNet,
        classification,
        torch_classification,
        lambda rng: (normal(rng, 64, 1, 28, 28), rng.integers(0, 10, 64)),
        1.0,
    ),
    Row(
        "LSTM, 64 hidden, 50 steps, batch 32",
        lambda: nn.LSTM(64, 64),
        lambda: torch.nn.LSTM(64, 64),
        recurrent,
        torch_recurrent,
        lambda rng: (normal(rng, 50, 32, 64),),
        1.0,
    ),
    Row(
        "Transformer encoder layer, d=128, 8 heads, 64 tokens, batch 16",
        lambda: nn.TransformerEncoderLayer(128, 8, batch_first=True),
        lambda: torch.nn.TransformerEncoderLayer(128, 8, batch_first=True),
        encoder,
        torch_encoder,
        lambda rng: (normal(rng, 16, 64, 128),),
        1.0,
    ),
)


def steps(name: str) -> Calls:
    """One training step in each library; their first losses and gradients are compared."""
    row = next(row for row in ROWS if row.name == name)
    nn.manual_seed(1)
    net, twin = row.ours(), row.theirs()
    # Copies: the arrays are trained in place.
    twin.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in net.state_dict().items()})
    batch = row.batch(np.random.default_rng(0))
    tensors = [torch.from_numpy(array.copy()) for array in batch]
    optimizer = optim.SGD(net.parameters(), lr=LR)
    twin_optimizer = torch.optim.SGD(twin.parameters(), lr=LR)
    value_and_grad = ad.value_and_grad(row.loss)
    # One object, since who differentiates keeps what was compiled.
    compare(row, value_and_grad, net, batch, twin, tensors)

    def ours() -> None:
        _, grads = value_and_grad(net, *batch)
        optimizer.step(grads)

    def theirs() -> None:
        twin_optimizer.zero_grad()
        row.torch_loss(twin, *tensors).backward()
        twin_optimizer.step()

    return {"adjoint": ours, "torch": theirs}


def compare(row: Row, value_and_grad, net, batch, twin, tensors) -> None:
    net.eval()
    twin.eval()
    value, grads = value_and_grad(net, *batch)
    loss = row.torch_loss(twin, *tensors)
    loss.backward()
    np.testing.assert_allclose(value, loss.item(), rtol=1e-4)
    for name, gradient in grads.named_parameters():
        theirs = dict(twin.named_parameters())[name].grad.numpy()
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(gradient, theirs, rtol=1e-3, atol=1e-4 * scale, err_msg=name)
    net.train()
    twin.train()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--only", help="rows whose name has this text")
    parser.add_argument("--update-docs", type=Path, metavar="FILE", help="put the table in FILE")
    arguments = parser.parse_args()
    lines = [f"- {name}: {value}" for name, value in describe(None).items()]
    lines += ["", "| training step | adjoint | PyTorch eager | ratio | bar | one thread each |"]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    for row in ROWS:
        if not arguments.only or arguments.only.lower() in row.name.lower():
            lines.append(line_of(row, arguments.rounds))
    table = "\n".join(lines)
    print(table)
    if arguments.update_docs:
        put_between_markers(arguments.update_docs, table, MARKERS)


def line_of(row: Row, rounds: int) -> str:
    times = measured(row, rounds)
    limit_threads(1)
    alone = measured(row, rounds)
    limit_threads(None)
    mine, other = (1e3 * median(times[name]) for name in ("adjoint", "torch"))
    shown = ratio(times["adjoint"], times["torch"])
    verdict = "pass" if shown <= row.bar else "**miss**"
    of_one = ratio(alone["adjoint"], alone["torch"])
    return (
        f"| {row.name} | {mine:.2f} ms | {other:.2f} ms | {shown:.2f} | {row.bar}: {verdict} "
        f"| {of_one:.2f} |"
    )


def measured(row: Row, rounds: int) -> dict[str, list[float]]:
    """Seconds per step, one number a round, each library in a process of its own."""
    times: dict[str, list[float]] = {"adjoint": [], "torch": []}
    with process_of(steps, row.name) as ours, process_of(steps, row.name) as theirs:
        for _ in range(rounds):
            times["adjoint"].append(ours("adjoint", 0.2))
            times["torch"].append(theirs("torch", 0.2))
    return times


def limit_threads(count: int | None) -> None:
    """How many threads the libraries of processes started from now on may use; None: as many as
    they like.
    """
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        if count is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = str(count)


if __name__ == "__main__":
    main()
