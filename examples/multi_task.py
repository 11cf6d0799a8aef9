"""One network with two tasks: which digit is it, and how does it go on?

The network sees the upper half of a handwritten digit (scikit-learn's, 8x8 pixels). A common trunk
feeds two heads: one tells the digit, the other draws the lower half. The loss is the sum of the
cross-entropy of the first and the mean squared error of the second.

Run:  python examples/multi_task.py [--show-source]
Some digits with what was drawn go to out/multi_task.png. The exit status is 1 if fewer than 0.85 of
the test digits are told, or if the squared error of the drawings is not under 0.75 of that of the
mean lower half.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import adjoint as ad
from adjoint import nn, optim
from adjoint.data import DataLoader
from adjoint.nn import functional as F

REQUIRED_ACCURACY = 0.85
ALLOWED_ERROR = 0.75  # of that of the mean lower half


class TwoTasks(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.digit = nn.Linear(64, 10)
        self.lower = nn.Linear(64, 32)

    def forward(self, upper):
        features = self.trunk(upper)
        return self.digit(features), self.lower(features)


@ad.value_and_grad(has_aux=True)
def loss_fn(net, upper, digit, lower):
    logits, drawn = net(upper)
    digit_loss = F.cross_entropy(logits, digit)
    lower_loss = F.mse_loss(drawn, lower)
    return digit_loss + lower_loss, (digit_loss, lower_loss)


def halves():
    """Upper and lower halves (N, 32) and digits: each of them for training, and for the test."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    return train_test_split(x[:, :32], x[:, 32:], y, test_size=0.25, stratify=y, random_state=0)


def train(net, upper, digit, lower, epochs, seed):
    """Train `net` in place."""
    optimizer = optim.Adam(net.parameters(), lr=2e-3)
    loader = DataLoader(upper, digit, lower, batch_size=32, shuffle=True, seed=seed)
    for epoch in range(1, epochs + 1):
        losses = []
        for batch in loader:
            (_, both), grads = loss_fn(net, *batch)
            optimizer.step(grads)
            losses.append(both)
        if epoch % 5 == 0 or epoch == epochs:
            a, b = np.mean(losses, axis=0)
            print(f"Epoch [{epoch}/{epochs}], Loss: {a + b:.4f} (digit {a:.4f}, lower {b:.4f})")


def draw(path, upper, lower, drawn, told):
    """Each column: a digit as it is, and its upper half with the lower half that was drawn."""
    figure = Figure(figsize=(10, 2.8), layout="constrained")
    for n, column in enumerate(figure.subplots(2, len(told)).T):
        for axes, below in zip(column, (lower[n], drawn[n])):
            axes.imshow(np.concatenate([upper[n], below]).reshape(8, 8), "gray_r", vmin=0, vmax=1)
            axes.axhline(3.5, color="C1")
            axes.set_axis_off()
        column[1].set_title(f"{told[n]}?")
    figure.suptitle("Digits of the test; below, how the network goes on from their upper halves")
    figure.savefig(path, dpi=120)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    parser.add_argument("--show-source", action="store_true", help="print the derivative that ran")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    nn.manual_seed(args.seed)
    upper_train, upper_test, lower_train, lower_test, digit_train, digit_test = halves()
    net = TwoTasks()
    start = time.perf_counter()
    train(net, upper_train, digit_train, lower_train, args.epochs, args.seed)
    seconds = time.perf_counter() - start
    if args.show_source:
        print(loss_fn.source)

    logits, drawn = net(upper_test)
    told = np.argmax(logits, axis=1)
    accuracy = np.mean(told == digit_test)
    mean = lower_train.mean(axis=0)
    error = np.mean((drawn - lower_test) ** 2) / np.mean((mean - lower_test) ** 2)
    print(f"Test accuracy: {accuracy:.4f} on {len(told)} upper halves")
    print(f"Error of the lower halves: {error:.4f} of that of their mean")
    print(f"Time: {seconds:.1f} s")

    picture = args.out / "multi_task.png"
    draw(picture, upper_test[:12], lower_test, drawn, told[:12])
    print(f"Picture: {picture}")
    return 0 if accuracy >= REQUIRED_ACCURACY and error < ALLOWED_ERROR else 1


if __name__ == "__main__":
    sys.exit(main())
