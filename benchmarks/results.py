"""What was measured: plain data, ready for a table or a JSON file."""

from dataclasses import dataclass, field


@dataclass
class Row:
    """A workload's times. Ratios are medians over the rounds, not ratios of the medians.

    seconds:     contender -> median seconds per call.
    to_hand:     contender -> its time as a multiple of the time by hand.
    adjoint_to:  contender -> the time of adjoint as a multiple of the contender's.
    limits:      contender -> the bar: the most that `adjoint_to` may be.
    failures:    contender -> why it has no times.
    """

    name: str
    title: str
    seconds: dict[str, float]
    to_hand: dict[str, float]
    adjoint_to: dict[str, float]
    limits: dict[str, float]
    failures: dict[str, str] = field(default_factory=dict)


@dataclass
class Quantity:
    """One number other than a workload's time; None where it could not be measured."""

    title: str
    value: float | None
    unit: str
    limit: float | None = None
    failure: str = ""
