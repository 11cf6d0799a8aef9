"""Two derivatives small enough to check by hand, and the code that computes them.

1. y = x**2 + 2*x + 1 at x = [2, 3]. With cotangent [1, 1] the pullback gives [6, 8],
   because dy/dx = 2*x + 2.
2. The chain rule: loss = |y_true - (w*x + b)| with x = 2, w = 3, b = 1, y_true = 4.
   The loss is |4 - 7| = 3, and d loss/dw = 2, d loss/db = 1.

Run:  python examples/quickstart.py
The picture goes to out/quickstart.png.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import adjoint as ad


def polynomial(x):
    return x**2 + 2 * x + 1


def absolute_error(w, b, x, y_true):
    y_pred = w * x + b
    return np.abs(y_true - y_pred)


error_slopes = ad.grad(absolute_error, argnums=(0, 1))


def polynomial_example():
    x = np.array([2.0, 3.0])
    y, pullback = ad.vjp(polynomial, x)
    (d_x,) = pullback(np.array([1.0, 1.0]))

    print("1. A polynomial: y = x**2 + 2*x + 1")
    print(f"   y     at {x} = {y}")
    print(f"   dy/dx at {x} = {d_x}")
    print("\nIts derivative for one number, as generated:\n")
    print(ad.source(polynomial, 2.0))


def chain_rule_example():
    w, b, x, y_true = 3.0, 1.0, 2.0, 4.0
    d_w, d_b = error_slopes(w, b, x, y_true)

    print("2. The chain rule: loss = |y_true - (w*x + b)|")
    print(f"   loss     = {absolute_error(w, b, x, y_true):g}")
    print(f"   dloss/dw = {d_w:g}")
    print(f"   dloss/db = {d_b:g}")
    print("\nIts derivative with respect to w and b, as generated:\n")
    print(error_slopes.source)


def draw(path):
    """Both functions and their derivatives; every derivative value is from generated code."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)

    x = np.linspace(-4, 3, 141)
    y, pullback = ad.vjp(polynomial, x)
    (slope,) = pullback(np.ones_like(x))  # y[i] depends on x[i] alone, so ones give dy[i]/dx[i]
    left.plot(x, y, label="y = x² + 2x + 1")
    left.plot(x, slope, "--", label="dy/dx")
    left.set(title="A polynomial", xlabel="x")

    w = np.linspace(-1, 4, 201)
    b, x, y_true = 1.0, 2.0, 4.0
    right.plot(w, absolute_error(w, b, x, y_true), label="|4 − (2w + 1)|")
    right.plot(w, [error_slopes(float(v), b, x, y_true)[0] for v in w], "--", label="d/dw")
    right.set(title="The chain rule, with a kink", xlabel="w")

    for axes in (left, right):
        axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        axes.legend()
    figure.savefig(path, dpi=120)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    polynomial_example()
    print()
    chain_rule_example()

    picture = args.out / "quickstart.png"
    draw(picture)
    print(f"\nPicture: {picture}")


if __name__ == "__main__":
    main()
