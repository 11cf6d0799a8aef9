"""A neural network that reads handwritten digits, in plain functions.

The network (64 pixels, 64 hidden units, 10 classes), its loss and the Adam optimiser are all
written out below in ordinary NumPy; adjoint writes only the gradient. The data are the 1797
images of 8x8 pixels that come with scikit-learn.

Run:  python examples/digits_mlp.py [--show-source]
The curves go to out/digits_mlp.png. The exit status is 1 if the test accuracy is under 0.96.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import adjoint as ad

REQUIRED_ACCURACY = 0.96


def network(params, x):
    hidden = np.maximum(x @ params["w1"] + params["b1"], 0)
    return hidden @ params["w2"] + params["b2"]


def cross_entropy(logits, labels):
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_probability = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(log_probability[np.arange(len(labels)), labels])


def loss(params, x, labels):
    return cross_entropy(network(params, x), labels)


loss_and_gradient = ad.value_and_grad(loss)


def initial_params(rng, inputs=64, hidden=64, classes=10):
    return {
        "w1": rng.normal(0, np.sqrt(2 / inputs), (inputs, hidden)),
        "b1": np.zeros(hidden),
        "w2": rng.normal(0, np.sqrt(1 / hidden), (hidden, classes)),
        "b2": np.zeros(classes),
    }


def adam_step(params, gradient, mean, square, step, rate=1e-3):
    """One step of Adam (Kingma & Ba 2015, algorithm 1), in place."""
    for name, g in gradient.items():
        mean[name] += 0.1 * (g - mean[name])
        square[name] += 0.001 * (g * g - square[name])
        m = mean[name] / (1 - 0.9**step)
        v = square[name] / (1 - 0.999**step)
        params[name] -= rate * m / (np.sqrt(v) + 1e-8)


def accuracy(params, x, labels):
    return np.mean(np.argmax(network(params, x), axis=1) == labels)


def digits():
    """Pixels in [0, 1] and labels: x_train, x_test, y_train, y_test."""
    x, y = load_digits(return_X_y=True)
    return train_test_split(x / 16, y, test_size=0.25, stratify=y, random_state=0)


def train(params, x_train, x_test, y_train, y_test, epochs, batch, rng):
    """Train `params` in place; the mean loss and the test accuracy of every epoch."""
    mean = {name: np.zeros_like(p) for name, p in params.items()}
    square = {name: np.zeros_like(p) for name, p in params.items()}
    losses, accuracies = [], []
    step = 0
    progress = tqdm(range(epochs), unit="epoch")
    for _ in progress:
        order = rng.permutation(len(x_train))
        batch_losses = []
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            value, gradient = loss_and_gradient(params, x_train[rows], y_train[rows])
            step += 1
            adam_step(params, gradient, mean, square, step)
            batch_losses.append(value)
        losses.append(np.mean(batch_losses))
        accuracies.append(accuracy(params, x_test, y_test))
        progress.set_postfix(loss=f"{losses[-1]:.4f}", test_accuracy=f"{accuracies[-1]:.3f}")
    return losses, accuracies


def draw(path, losses, accuracies):
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = np.arange(1, len(losses) + 1)

    left.semilogy(epochs, losses)
    left.set(title="Training loss", xlabel="epoch", ylabel="cross-entropy")

    right.plot(epochs, accuracies)
    right.axhline(REQUIRED_ACCURACY, color="k", linestyle=":", label=f"{REQUIRED_ACCURACY}")
    right.set(title="Test accuracy", xlabel="epoch", ylim=(0.8, 1.0))
    right.legend(loc="lower right")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.savefig(path, dpi=120)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    parser.add_argument("--show-source", action="store_true", help="print the derivative first")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    rng = np.random.default_rng(args.seed)
    x_train, x_test, y_train, y_test = digits()
    params = initial_params(rng)
    if args.show_source:
        print(ad.source(loss, params, x_train[:32], y_train[:32]))

    losses, accuracies = train(
        params, x_train, x_test, y_train, y_test, epochs=args.epochs, batch=32, rng=rng
    )
    print(f"Loss {losses[0]:.4f} in the first epoch, {losses[-1]:.4f} in the last")
    print(f"Test accuracy: {accuracies[-1]:.4f} on {len(x_test)} images")

    picture = args.out / "digits_mlp.png"
    draw(picture, losses, accuracies)
    print(f"Picture: {picture}")
    return 0 if accuracies[-1] >= REQUIRED_ACCURACY else 1


if __name__ == "__main__":
    sys.exit(main())
