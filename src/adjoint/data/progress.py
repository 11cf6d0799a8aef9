"""A progress bar over batches, with the loss and the samples per second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .. import tree


class progress:
    """The batches of a loader, with a bar of tqdm: samples done, samples per second, metrics.

    batches: a DataLoader, or any iterable of batches: arrays, or tuples or dicts of them.
    description: what stands at the left, such as the number of the epoch.
    options: what else `tqdm` takes, such as `disable=True` or `file=`.

    Raises ImportError that says what to install where tqdm is missing.

    >>> import io
    >>> import numpy as np
    >>> from adjoint.data import DataLoader
    >>> bar = progress(DataLoader(np.zeros((100, 3)), batch_size=30), "epoch 1", file=io.StringIO())
    >>> for x in bar:
    ...     bar.report(loss=0.5)
    >>> bar.samples
    100
    """

    def __init__(self, batches: Iterable[Any], description: str = "", **options: Any) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError(
                "a progress bar needs tqdm: pip install 'adjoint[train]', or pip install tqdm"
            ) from error
        self._batches = batches
        total = getattr(batches, "samples", None)
        if total is not None and getattr(batches, "drop_last", False):
            total = len(batches) * batches.batch_size  # type: ignore[arg-type, attr-defined]
        self._bar = tqdm
        self._options = {"unit": " samples", "total": total, "desc": description or None, **options}
        self._shown: Any = None
        self.samples = 0  # that were given so far

    def __iter__(self) -> Iterator[Any]:
        self.samples = 0
        with self._bar(**self._options) as self._shown:
            for batch in self._batches:
                yield batch
                # After the body of the loop, so that the time for this batch is in the rate.
                count = len(tree.leaves(batch)[0])
                self.samples += count
                self._shown.update(count)

    def report(self, **metrics: float) -> None:
        """Show numbers, such as the loss of this batch, at the right of the bar."""
        if self._shown is not None:
            self._shown.set_postfix(
                {k: f"{float(v):.4g}" for k, v in metrics.items()}, refresh=False
            )
