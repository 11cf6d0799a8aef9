"""Linear regression by gradient descent, on four points and on a real data set.

1. Four points on the line y = 2x: w and b start at zero, 100 epochs.
2. scikit-learn's diabetes data: ten standardised measurements of 442 patients predict the
   progression of their disease. Gradient descent has to find what least squares gives exactly.

Run:  python examples/linear_regression.py
The loss curves go to out/linear_regression.png.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

import adjoint as ad


def predict(w, b, x):
    return x @ w + b


def mean_squared_error(w, b, x, y):
    error = predict(w, b, x) - y
    return np.mean(error**2)


loss_and_gradient = ad.value_and_grad(mean_squared_error, argnums=(0, 1))


def fit(x, y, rate, epochs, report_every=None):
    """Gradient descent from zero: w, b and the loss before each step."""
    w, b = np.zeros((x.shape[1], 1)), 0.0
    losses = []
    for epoch in range(1, epochs + 1):
        loss, (d_w, d_b) = loss_and_gradient(w, b, x, y)
        w = w - rate * d_w
        b = b - rate * d_b
        losses.append(loss)
        if report_every and epoch % report_every == 0:
            print(f"Epoch [{epoch}/{epochs}], Loss: {loss:.4f}")
    return w, b, losses


def r_squared(prediction, y):
    return 1 - np.sum((y - prediction) ** 2) / np.sum((y - np.mean(y)) ** 2)


def four_points():
    x = np.array([[1.0], [2.0], [3.0], [4.0]])
    y = np.array([[2.0], [4.0], [6.0], [8.0]])

    print("Four points on the line y = 2x")
    w, b, losses = fit(x, y, rate=0.01, epochs=100, report_every=10)
    print(f"w = {w.item():.4f}, b = {b:.4f}, prediction at x = 5: {w.item() * 5 + b:.4f}\n")
    return losses


def diabetes():
    x, y = load_diabetes(return_X_y=True, scaled=False)
    y = y[:, None]
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=0)
    centre, spread = x_train.mean(axis=0), x_train.std(axis=0)
    x_train, x_test = (x_train - centre) / spread, (x_test - centre) / spread

    w, b, losses = fit(x_train, y_train, rate=0.2, epochs=5000)

    with_ones = np.hstack([x_train, np.ones((len(x_train), 1))])
    exact = np.linalg.lstsq(with_ones, y_train)[0]
    exact_w, exact_b = exact[:-1], exact[-1]

    print(f"Diabetes: {len(x_train)} patients to train on, {len(x_test)} to test")
    for name, w_, b_ in [("gradient descent", w, b), ("least squares", exact_w, exact_b)]:
        train = r_squared(predict(w_, b_, x_train), y_train)
        test = r_squared(predict(w_, b_, x_test), y_test)
        print(f"{name:>16}: R2 train {train:.4f}, test {test:.4f}")
    difference = max(np.max(np.abs(w - exact_w)), np.max(np.abs(b - exact_b)))
    print(f"Largest difference of a coefficient: {difference:.1e} (of {np.max(np.abs(w)):.1f})")

    best = mean_squared_error(exact_w, exact_b, x_train, y_train)
    return losses, best


def draw(path, four_losses, diabetes_losses, best):
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)

    left.semilogy(np.arange(1, len(four_losses) + 1), four_losses)
    left.set(title="Four points on y = 2x", xlabel="epoch", ylabel="mean squared error")

    epochs = np.arange(1, len(diabetes_losses) + 1)
    right.loglog(epochs, diabetes_losses, label="gradient descent")
    right.axhline(best, color="k", linestyle=":", label="least squares")
    right.set(title="Diabetes, training set", xlabel="epoch", ylabel="mean squared error")
    right.legend()
    figure.savefig(path, dpi=120)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    four_losses = four_points()
    diabetes_losses, best = diabetes()

    picture = args.out / "linear_regression.png"
    draw(picture, four_losses, diabetes_losses, best)
    print(f"\nPicture: {picture}")


if __name__ == "__main__":
    main()
