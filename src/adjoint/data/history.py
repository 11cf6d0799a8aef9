"""A record of the metrics of a training, as columns, a file or a plot."""

from __future__ import annotations

import csv
import math
import os
from typing import Any


class History:
    """Metrics by epoch: one row for each `append`, one column for each name.

    A row need not have all the columns; where it has none, the column has nan.

    >>> history = History()
    >>> history.append(loss=0.7)
    >>> history.append(loss=0.5, accuracy=0.9)
    >>> history["loss"], history["accuracy"]
    ([0.7, 0.5], [nan, 0.9])
    >>> len(history)
    2
    """

    def __init__(self) -> None:
        self._rows: list[dict[str, float]] = []

    def append(self, **metrics: float) -> None:
        """Add a row: numbers, or arrays of one number. Raises TypeError for anything else."""
        row = {}
        for name, value in metrics.items():
            try:
                row[name] = float(value)
            except (TypeError, ValueError) as error:
                raise TypeError(f"the metric {name} must be a number, got {value!r}") from error
        self._rows.append(row)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, name: str) -> list[float]:
        """A column. Raises KeyError if there is none of this name."""
        if name not in self.names():
            raise KeyError(name)
        return [row.get(name, math.nan) for row in self._rows]

    def names(self) -> list[str]:
        """The names of the columns, in the order in which they came up."""
        return list(dict.fromkeys(name for row in self._rows for name in row))

    def to_dict(self) -> dict[str, list[float]]:
        """The columns by name."""
        return {name: self[name] for name in self.names()}

    def state_dict(self) -> dict[str, Any]:
        """The rows: lists and dicts of numbers."""
        return {"rows": [dict(row) for row in self._rows]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the rows of another history."""
        if set(state_dict) != {"rows"}:
            raise ValueError("the state of a History has the key 'rows', and no other")
        loaded = History()
        for row in state_dict["rows"]:
            loaded.append(**row)
        self._rows = loaded._rows

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a file with a line for each epoch, counted from 1; nan is left out."""
        names = self.names()
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *names])
            for epoch, row in enumerate(self._rows, 1):
                cells = [row.get(name, math.nan) for name in names]
                writer.writerow([epoch, *("" if math.isnan(c) else repr(c) for c in cells)])

    def plot(self, path: str | os.PathLike[str], *names: str, title: str = "") -> None:
        """Draw columns, by default all, over the epochs into a file; its ending says the format.

        Raises KeyError for a column that does not exist, and ImportError that says what to install
        where Matplotlib is missing.
        """
        try:
            from matplotlib.figure import Figure  # no pyplot: no window, no global state
        except ImportError as error:
            raise ImportError(
                "a plot needs Matplotlib: pip install 'adjoint[train]', or pip install matplotlib"
            ) from error
        columns = {name: self[name] for name in names or self.names()}
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.add_subplot()
        epochs = range(1, len(self._rows) + 1)
        for name, values in columns.items():
            axes.plot(epochs, values, label=name, marker="." if len(epochs) < 30 else None)
        axes.set_xlabel("epoch")
        if len(columns) == 1:
            axes.set_ylabel(next(iter(columns)))
        elif columns:
            axes.legend()
        if title:
            axes.set_title(title)
        figure.savefig(os.fspath(path))
