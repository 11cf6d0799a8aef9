"""An LSTM forecasts the carbon dioxide in the air, one month ahead.

The series is that of Mauna Loa, monthly means from 1958 to 2001, from statsmodels. The network sees
the changes of 24 months and forecasts the next. It learns on the years before 1990 and is tested on
the rest, where its error has to be under a third of that of persistence ("next month will be like
this month"). Printed too: the error of "the change will be that of a year ago".

Run:  python examples/lstm_series.py [--show-source]
The forecast goes to out/lstm_series.png. The exit status is 1 if it is not that good.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from statsmodels.datasets import co2

import adjoint as ad
from adjoint import nn, optim
from adjoint.data import DataLoader
from adjoint.nn import functional as F

FIRST_TEST_YEAR = 1990
ALLOWED_ERROR = 1 / 3  # of that of persistence
WINDOW = 24


class Forecaster(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        outputs, _ = self.lstm(x)
        return self.fc(outputs[:, -1])


@ad.value_and_grad
def loss_fn(net, x, y):
    return F.mse_loss(net(x), y)


def monthly_means():
    """Months as fractions of years, and the means, in parts per million."""
    weeks = co2.load_pandas().data["co2"]
    months = weeks.resample("MS").mean().interpolate()
    return months.index.year + (months.index.month - 0.5) / 12, months.to_numpy()


def train(net, x, y, epochs, seed):
    """Train `net` in place."""
    optimizer = optim.Adam(net.parameters(), lr=5e-3)
    loader = DataLoader(x, y, batch_size=32, shuffle=True, seed=seed)
    for epoch in range(1, epochs + 1):
        losses = []
        for batch in loader:
            loss, grads = loss_fn(net, *batch)
            optim.clip_grad_norm_(grads, 1.0)
            optimizer.step(grads)
            losses.append(loss)
        if epoch % 10 == 0 or epoch == epochs:
            print(f"Epoch [{epoch}/{epochs}], Loss: {np.mean(losses):.4f}")


def root_mean_square(error):
    return np.sqrt(np.mean(error**2))


def draw(path, years, observed, forecast):
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(years, observed, "k", linewidth=1, label="observed")
    axes.plot(years, forecast, "C1.", label="forecast from the months before")
    axes.set(title="Carbon dioxide at Mauna Loa, forecast one month ahead")
    axes.set(xlabel="year", ylabel="parts per million")
    axes.legend()
    figure.savefig(path, dpi=120)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    parser.add_argument("--show-source", action="store_true", help="print the derivative that ran")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    years, level = monthly_means()
    change = np.diff(level)  # change[t] = level[t + 1] - level[t]
    windows = np.lib.stride_tricks.sliding_window_view(change[:-1], WINDOW)
    following = change[WINDOW:]  # the change after each window
    years, level, level_before = years[WINDOW + 1 :], level[WINDOW + 1 :], level[WINDOW:-1]

    learned = np.count_nonzero(years < FIRST_TEST_YEAR)
    centre, spread = following[:learned].mean(), following[:learned].std()
    x = ((windows[:, :, None] - centre) / spread).astype(np.float32)
    y = ((following[:, None] - centre) / spread).astype(np.float32)

    nn.manual_seed(args.seed)
    net = Forecaster()
    start = time.perf_counter()
    train(net, x[:learned], y[:learned], args.epochs, args.seed)
    seconds = time.perf_counter() - start
    if args.show_source:
        print(loss_fn.source)

    forecast = level_before + net(x)[:, 0] * spread + centre
    test = slice(learned, None)
    persistence = root_mean_square(level_before[test] - level[test])
    year_ago = root_mean_square(windows[test, -12] - following[test])
    network = root_mean_square(forecast[test] - level[test])
    print(f"Root mean square error from {FIRST_TEST_YEAR} on, in parts per million:")
    print(f"  persistence           {persistence:.3f}")
    print(f"  change of a year ago  {year_ago:.3f}")
    print(f"  LSTM                  {network:.3f}")
    print(f"Time: {seconds:.1f} s")

    picture = args.out / "lstm_series.png"
    draw(picture, years[test], level[test], forecast[test])
    print(f"Picture: {picture}")
    return 0 if network < ALLOWED_ERROR * persistence else 1


if __name__ == "__main__":
    sys.exit(main())
