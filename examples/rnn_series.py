"""A recurrent network, written as a loop, forecasts sunspots one year ahead.

The hidden states are stored in an array as the loop goes, h[t + 1] = tanh(...), the way one
writes a recurrence in plain NumPy. adjoint differentiates the loop and the stores as they stand.

The series is the yearly sunspot number, 1700 to 2008, from statsmodels. The network learns on the
years before 1950 and is tested on the rest. It has to beat persistence ("next year will be like
this year"). A linear autoregression on nine years is printed too: on so short a series the network
is about as good, no better. (Its size, weight decay and epochs were chosen on 1900-1949, with
the network trained on the years before; the test years played no part.)

Run:  python examples/rnn_series.py [--show-source] [--quick]
The forecast goes to out/rnn_series.png. The exit status is 1 if persistence is not beaten.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from statsmodels.datasets import sunspots
from tqdm import tqdm

import adjoint as ad

FIRST_TEST_YEAR = 1950
WEIGHT_DECAY = 3e-3


def forecast(params, x):
    """For each t, the forecast of x[t + 1] from x[0], ..., x[t]."""
    steps = len(x)
    h = np.zeros((steps + 1, len(params["b_h"])))
    for t in range(steps):
        h[t + 1] = np.tanh(x[t] * params["w_x"] + h[t] @ params["w_h"] + params["b_h"])
    return h[1:] @ params["w_y"] + params["b_y"]


def loss(params, x, target):
    error = forecast(params, x) - target
    size = np.sum(params["w_x"] ** 2) + np.sum(params["w_h"] ** 2) + np.sum(params["w_y"] ** 2)
    return np.mean(error**2) + WEIGHT_DECAY * size


loss_and_gradient = ad.value_and_grad(loss)


def initial_params(rng, hidden=16):
    return {
        "w_x": rng.normal(0, 1, hidden),
        "w_h": rng.normal(0, 0.9 / np.sqrt(hidden), (hidden, hidden)),
        "b_h": np.zeros(hidden),
        "w_y": rng.normal(0, 1 / np.sqrt(hidden), hidden),
        "b_y": np.zeros(1),
    }


def adam_step(params, gradient, mean, square, step, rate=1e-2):
    """One step of Adam (Kingma & Ba 2015, algorithm 1), in place."""
    for name, g in gradient.items():
        mean[name] += 0.1 * (g - mean[name])
        square[name] += 0.001 * (g * g - square[name])
        m = mean[name] / (1 - 0.9**step)
        v = square[name] / (1 - 0.999**step)
        params[name] -= rate * m / (np.sqrt(v) + 1e-8)


def train(params, x, target, epochs):
    """Train `params` in place; the last loss."""
    mean = {name: np.zeros_like(p) for name, p in params.items()}
    square = {name: np.zeros_like(p) for name, p in params.items()}
    progress = tqdm(range(1, epochs + 1), unit="epoch")
    for step in progress:
        value, gradient = loss_and_gradient(params, x, target)
        adam_step(params, gradient, mean, square, step)
        progress.set_postfix(loss=f"{value:.4f}", refresh=False)
    return value


def autoregression(spots, learned, order=9):
    """Forecasts of spots[order:], linear in the `order` years before, fitted to `learned` years."""
    past = [spots[order - 1 - lag : len(spots) - 1 - lag] for lag in range(order)]
    inputs = np.column_stack([*past, np.ones(len(spots) - order)])
    coefficients = np.linalg.lstsq(inputs[: learned - order], spots[order:learned])[0]
    return inputs @ coefficients


def root_mean_square(error):
    return np.sqrt(np.mean(error**2))


def draw(path, years, spots, predicted, learned):
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(years, spots, "k", linewidth=1, label="observed")
    axes.plot(years[1:], predicted, "C1", label="forecast from the years before")
    axes.axvspan(years[learned] - 0.5, years[-1] + 0.5, color="C0", alpha=0.12, label="test years")
    axes.set(title="Sunspots, forecast one year ahead", xlabel="year", ylabel="sunspot number")
    axes.set(xlim=(1850, years[-1] + 0.5), ylim=(-5, 225))
    axes.legend(loc="upper left", ncols=3)
    figure.savefig(path, dpi=120)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    parser.add_argument("--show-source", action="store_true", help="print the derivative first")
    parser.add_argument("--quick", action="store_true", help="a tenth of the training")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    table = sunspots.load_pandas().data
    years, spots = table["YEAR"].to_numpy(), table["SUNACTIVITY"].to_numpy()
    learned = np.count_nonzero(years < FIRST_TEST_YEAR)
    centre, spread = spots[:learned].mean(), spots[:learned].std()
    series = (spots - centre) / spread
    x, target = series[:-1], series[1:]

    params = initial_params(np.random.default_rng(args.seed))
    if args.show_source:
        print(ad.source(loss, params, x, target))
    train(params, x[: learned - 1], target[: learned - 1], epochs=40 if args.quick else 400)

    predicted = forecast(params, x) * spread + centre  # of spots[1:]
    test = spots[learned:]
    persistence = root_mean_square(spots[learned - 1 : -1] - test)
    linear = root_mean_square(autoregression(spots, learned)[-len(test) :] - test)
    network = root_mean_square(predicted[-len(test) :] - test)
    print(f"Root mean square error, {years[learned]:.0f} to {years[-1]:.0f}, in sunspots:")
    print(f"  persistence       {persistence:5.1f}")
    print(f"  autoregression(9) {linear:5.1f}")
    print(f"  recurrent network {network:5.1f}")

    picture = args.out / "rnn_series.png"
    draw(picture, years, spots, predicted, learned)
    print(f"Picture: {picture}")
    return 0 if network < persistence else 1


if __name__ == "__main__":
    sys.exit(main())
