"""Linear regression with a layer, a loss and an optimiser, as one writes it in PyTorch.

scikit-learn's diabetes data: ten measurements of 442 patients predict the progression of their
disease a year later. All are standardised. The result is held against exact least squares.

Run:  python examples/nn_linear_regression.py [--show-source]
The loss curve goes to out/nn_linear_regression.png. The exit status is 1 if the R2 on patients held
out is more than 0.01 below that of least squares.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

import adjoint as ad
from adjoint import nn, optim
from adjoint.data import History

ALLOWED_DIFFERENCE = 0.01


class LinearRegression(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.linear = nn.Linear(inputs, 1)

    def forward(self, x):
        return self.linear(x)


criterion = nn.MSELoss()


@ad.value_and_grad
def loss_fn(net, x, y):
    return criterion(net(x), y)


def diabetes():
    """Standardised measurements (N, 10) and progress (N, 1): x_train, x_test, y_train, y_test."""
    x, y = load_diabetes(return_X_y=True, scaled=False)
    y = y[:, None]
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=0)

    def standardised(values, train):
        return ((values - train.mean(axis=0)) / train.std(axis=0)).astype(np.float32)

    return (
        standardised(x_train, x_train),
        standardised(x_test, x_train),
        standardised(y_train, y_train),
        standardised(y_test, y_train),
    )


def train(net, x, y, epochs):
    """Train `net` in place; its loss by epoch."""
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    history = History()
    for epoch in range(1, epochs + 1):
        loss, grads = loss_fn(net, x, y)
        optimizer.step(grads)
        history.append(loss=loss)
        if epoch % 10 == 0:
            print(f"Epoch [{epoch}/{epochs}], Loss: {loss:.4f}")
    return history


def r_squared(prediction, y):
    return 1 - np.sum((y - prediction) ** 2) / np.sum((y - np.mean(y)) ** 2)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    parser.add_argument("--show-source", action="store_true", help="print the derivative that ran")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    nn.manual_seed(args.seed)
    x_train, x_test, y_train, y_test = diabetes()
    net = LinearRegression(x_train.shape[1])
    start = time.perf_counter()
    history = train(net, x_train, y_train, args.epochs)
    seconds = time.perf_counter() - start
    if args.show_source:
        print(loss_fn.source)

    weights = np.linalg.lstsq(x_train, y_train)[0]  # no bias: the mean of y_train is 0
    exact = r_squared(x_test @ weights, y_test)
    reached = r_squared(net(x_test), y_test)
    print(f"R2 on {len(x_test)} patients held out: {reached:.4f}, of least squares {exact:.4f}")
    print(f"Time: {seconds:.1f} s")

    picture = args.out / "nn_linear_regression.png"
    history.plot(picture, title="Diabetes, training set: mean squared error")
    print(f"Picture: {picture}")
    return 0 if reached > exact - ALLOWED_DIFFERENCE else 1


if __name__ == "__main__":
    sys.exit(main())
