"""The picture of a training, for the examples that learn to classify."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


def draw(path, history, required):
    """Draw the columns "loss" and "accuracy" of a History; `required`: the accuracy to reach."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = range(1, len(history) + 1)

    left.semilogy(epochs, history["loss"])
    left.set(title="Training loss", xlabel="epoch", ylabel="cross-entropy")

    right.plot(epochs, history["accuracy"])
    right.axhline(required, color="k", linestyle=":", label=f"{required}")
    right.set(title="Test accuracy", xlabel="epoch", ylim=(None, 1.0))
    right.legend(loc="lower right")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.savefig(path, dpi=120)
