"""A Transformer encoder reads handwritten digits line by line.

Each image of 8x8 pixels (scikit-learn's digits) is a sequence of 8 tokens, its rows. Two encoder
layers relate the rows to each other, and the mean of what comes out tells the digit.

The training has what large ones have: gradients that are clipped and accumulated over two batches,
a learning rate that warms up and then falls along a cosine, weight decay and dropout.

Run:  python examples/transformer_digits.py [--show-source]
The curves go to out/transformer_digits.png. The exit status is 1 if the test accuracy is under
0.96.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from curves import draw
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import adjoint as ad
from adjoint import nn, optim
from adjoint.data import DataLoader, History
from adjoint.nn import functional as F
from adjoint.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

REQUIRED_ACCURACY = 0.96
ACCUMULATED = 2  # batches for each step
WARM_UP = 40  # steps
LARGEST_NORM = 1.0  # of the gradient of a batch


class RowTransformer(nn.Module):
    def __init__(self, rows=8, pixels=8, size=48, heads=4, layers=2, classes=10):
        super().__init__()
        self.embed = nn.Linear(pixels, size)
        self.position = np.zeros((rows, size), np.float32)  # learned, as every array of floats is
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(size, heads, 2 * size, dropout=0.1, batch_first=True)
            for _ in range(layers)
        )
        self.head = nn.Linear(size, classes)

    def forward(self, x):  # (N, rows, pixels)
        x = self.embed(x) + self.position
        for layer in self.layers:
            x = layer(x)
        return self.head(np.mean(x, axis=1))


@ad.value_and_grad
def loss_fn(net, x, y):
    # A step takes the sum over its batches: of the parts of a mean.
    return F.cross_entropy(net(x), y) / ACCUMULATED


def digits():
    """Images (N, 8, 8) of float32 and labels (N,): x_train, x_test, y_train, y_test."""
    x, y = load_digits(return_X_y=True)
    x = ((x - x.mean()) / x.std()).astype(np.float32).reshape(-1, 8, 8)
    return train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)


def schedule(optimizer, steps):
    """From a hundredth of the learning rate up to all of it, then down to 0 along a cosine."""
    warm_up = LinearLR(optimizer, start_factor=0.01, total_iters=WARM_UP)
    fall = CosineAnnealingLR(optimizer, T_max=max(1, steps - WARM_UP))
    return SequentialLR(optimizer, [warm_up, fall], milestones=[WARM_UP])


def train_epoch(net, loader, optimizer, scheduler):
    """One pass over the data; the mean loss."""
    net.train()
    losses = []
    for number, (x, y) in enumerate(loader, 1):
        loss, grads = loss_fn(net, x, y)
        losses.append(loss * ACCUMULATED)
        optim.clip_grad_norm_(grads, LARGEST_NORM)
        optimizer.accumulate(grads)
        if number % ACCUMULATED == 0:
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
    return np.mean(losses)


def accuracy(net, x, y):
    net.eval()
    with ad.no_grad():
        return np.mean(np.argmax(net(x), axis=1) == y)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    parser.add_argument("--show-source", action="store_true", help="print the derivative that ran")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    nn.manual_seed(args.seed)
    x_train, x_test, y_train, y_test = digits()
    net = RowTransformer()
    optimizer = optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.05)
    loader = DataLoader(
        x_train, y_train, batch_size=32, shuffle=True, drop_last=True, seed=args.seed
    )
    scheduler = schedule(optimizer, args.epochs * len(loader) // ACCUMULATED)

    history = History()
    start = time.perf_counter()
    for epoch in range(1, args.epochs + 1):
        loss = train_epoch(net, loader, optimizer, scheduler)
        history.append(loss=loss, accuracy=accuracy(net, x_test, y_test))
        print(f"Epoch [{epoch}/{args.epochs}], Loss: {loss:.4f}")
    seconds = time.perf_counter() - start
    if args.show_source:
        print(loss_fn.source)

    reached = history["accuracy"][-1]
    print(f"Test accuracy: {reached:.4f} on {len(x_test)} images")
    print(f"Time: {seconds:.1f} s")

    picture = args.out / "transformer_digits.png"
    draw(picture, history, REQUIRED_ACCURACY)
    print(f"Picture: {picture}")
    return 0 if reached >= REQUIRED_ACCURACY else 1


if __name__ == "__main__":
    sys.exit(main())
