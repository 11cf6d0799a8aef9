"""Learning rates that change while one trains.

Names, arguments, defaults and learning rates are those of torch.optim.lr_scheduler. A scheduler
sets `lr` in the parameter groups of its optimiser: when it is made, for epoch 0, and at each
`step()`, for the next. What an epoch is, is up to you: `step()` may be called after each batch.

Each learning rate is computed from the first one and the number of the epoch, so that nothing is
rounded on the way. If you change `lr` in a group between two steps, what follows is scaled by the
same factor.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from .optimizer import Optimizer

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "SequentialLR",
    "StepLR",
]


class LRScheduler:
    """The base of the schedulers. One of your own defines `rate(base, epoch, group)`.

    last_epoch: the epoch whose learning rates are set. -1, the default, begins at epoch 0.

    Raises TypeError if `optimizer` is no Optimizer, and ValueError for settings out of range.
    """

    _settings: ClassVar[tuple[str, ...]] = ()  # the attributes that `state_dict` has

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer must be an Optimizer, got a {type(optimizer).__name__}")
        self.optimizer = optimizer
        groups = optimizer.param_groups
        if last_epoch == -1:
            self.base_lrs = [float(g.setdefault("initial_lr", g["lr"])) for g in groups]
        elif all("initial_lr" in g for g in groups):
            self.base_lrs = [float(g["initial_lr"]) for g in groups]
        else:
            raise ValueError("with a last_epoch, the parameter groups must have an 'initial_lr'")
        self.last_epoch = last_epoch + 1
        self._scales = [1.0] * len(groups)
        self._last_lr = self._rates()
        self._set()

    def rate(self, base: float, epoch: int, group: int) -> float:
        """The learning rate in an epoch of the parameter group with this position."""
        raise NotImplementedError(f"{type(self).__name__} has no method `rate`")

    def step(self) -> None:
        """Set the learning rates of the next epoch."""
        count = len(self.optimizer.param_groups)
        if count != len(self.base_lrs):
            raise ValueError(
                f"the scheduler was made for {len(self.base_lrs)} parameter groups, "
                f"and the optimizer has {count} now: make another scheduler"
            )
        for position, group in enumerate(self.optimizer.param_groups):
            last = self._last_lr[position]
            if group["lr"] != last and last:
                self._scales[position] *= group["lr"] / last
        self.last_epoch += 1
        self._last_lr = self._rates()
        self._set()

    def get_last_lr(self) -> list[float]:
        """The learning rates that were set last, one for each parameter group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """The settings and the position in the schedule: numbers and lists of numbers.

        Functions, such as those of LambdaLR, are not part of it.
        """
        state = {name: getattr(self, name) for name in self._settings}
        state = {k: list(v) if isinstance(v, (list, tuple)) else v for k, v in state.items()}
        return {
            **state,
            "last_epoch": self.last_epoch,
            "base_lrs": list(self.base_lrs),
            "scales": list(self._scales),
            "last_lr": list(self._last_lr),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over settings and position, and set the learning rates of that position.

        Raises ValueError that names what differs, and changes nothing, where it does not fit.
        """
        self._check_state(state_dict)
        self._take_state(state_dict)
        self._set()

    def _check_state(self, state_dict: dict[str, Any]) -> None:
        own = self.state_dict()
        problems = [f"missing: {k}" for k in own if k not in state_dict]
        problems += [f"unexpected: {k}" for k in state_dict if k not in own]
        if not problems:
            for name in ("base_lrs", "scales", "last_lr"):
                count = len(state_dict[name])
                if count != len(self.base_lrs):
                    problems.append(f"{name}: {count} groups, expected {len(self.base_lrs)}")
        if problems:
            raise ValueError(
                f"the state does not fit this {type(self).__name__}:\n  " + "\n  ".join(problems)
            )

    def _take_state(self, state_dict: dict[str, Any]) -> None:
        for name in self._settings:
            setattr(self, name, state_dict[name])
        self.last_epoch = int(state_dict["last_epoch"])
        self.base_lrs = [float(x) for x in state_dict["base_lrs"]]
        self._scales = [float(x) for x in state_dict["scales"]]
        self._last_lr = [float(x) for x in state_dict["last_lr"]]

    def _rates(self) -> list[float]:
        return [
            float(self.rate(base, self.last_epoch, position)) * scale
            for position, (base, scale) in enumerate(zip(self.base_lrs, self._scales))
        ]

    def _set(self) -> None:
        for group, lr in zip(self.optimizer.param_groups, self._last_lr):
            group["lr"] = lr


class LambdaLR(LRScheduler):
    """`base * lr_lambda(epoch)`; a list has a function for each parameter group.

    >>> import numpy as np
    >>> from adjoint import optim
    >>> optimizer = optim.SGD([np.zeros(2)], lr=0.5)
    >>> scheduler = LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        count = len(getattr(optimizer, "param_groups", ()))
        self.lr_lambdas = [lr_lambda] * count if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != count:
            raise ValueError(f"there are {len(self.lr_lambdas)} functions for {count} groups")
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int, group: int) -> float:
        return base * self.lr_lambdas[group](epoch)


class StepLR(LRScheduler):
    """`base * gamma ** (epoch // step_size)`"""

    _settings = ("step_size", "gamma")

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = _count("step_size", step_size), _finite("gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int, group: int) -> float:
        return base * self.gamma ** (epoch // self.step_size)


class MultiStepLR(LRScheduler):
    """`base * gamma ** n`, with `n` the number of milestones up to this epoch."""

    _settings = ("milestones", "gamma")

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), _finite("gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int, group: int) -> float:
        return base * self.gamma ** bisect.bisect_right(self.milestones, epoch)


class ExponentialLR(LRScheduler):
    """`base * gamma ** epoch`"""

    _settings = ("gamma",)

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = _finite("gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int, group: int) -> float:
        return base * self.gamma**epoch


class LinearLR(LRScheduler):
    """A factor that goes linearly from `start_factor` to `end_factor` in `total_iters` epochs.

    The defaults are a warm-up from a third of the learning rate, within 5 epochs.
    """

    _settings = ("start_factor", "end_factor", "total_iters")

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(
                f"start_factor must be greater than 0 and at most 1, got {start_factor!r}"
            )
        if not 0 <= end_factor <= 1:
            raise ValueError(f"end_factor must be between 0 and 1, got {end_factor!r}")
        self.start_factor, self.end_factor = float(start_factor), float(end_factor)
        self.total_iters = _count("total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int, group: int) -> float:
        way = min(epoch, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * way)


class CosineAnnealingLR(LRScheduler):
    """`eta_min + (base - eta_min) * (1 + cos(pi * epoch / T_max)) / 2`

    Loshchilov and Hutter (2017), "SGDR: stochastic gradient descent with warm restarts", equation
    5. There are no restarts: past `T_max`, the learning rate goes up again as it went down.
    """

    _settings = ("T_max", "eta_min")

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max, self.eta_min = _count("T_max", T_max), _finite("eta_min", eta_min)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int, group: int) -> float:
        way = (1 + math.cos(math.pi * epoch / self.T_max)) / 2
        return self.eta_min + (base - self.eta_min) * way


class SequentialLR(LRScheduler):
    """Several schedulers, one after the other: each begins with its epoch 0 at its milestone.

    schedulers: schedulers of the same optimiser.
    milestones: the epochs at which the second and the later ones begin, ascending.

    A warm-up, and then a cosine:

    >>> import numpy as np
    >>> from adjoint import optim
    >>> optimizer = optim.SGD([np.zeros(2)], lr=1.0)
    >>> warm_up = LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> scheduler = SequentialLR(optimizer, [warm_up, CosineAnnealingLR(optimizer, 4)], [3])
    >>> rates = []
    >>> for epoch in range(8):
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> [round(lr, 3) for lr in rates]
    [0.25, 0.5, 0.75, 1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        self._schedulers, self.milestones = list(schedulers), list(milestones)
        if len(self.milestones) != len(self._schedulers) - 1:
            raise ValueError(
                f"{len(self._schedulers)} schedulers need {len(self._schedulers) - 1} "
                f"milestones, got {len(self.milestones)}"
            )
        if sorted(set(self.milestones)) != self.milestones or min(self.milestones, default=1) < 1:
            raise ValueError(f"milestones must ascend from 1 or more, got {self.milestones!r}")
        for scheduler in self._schedulers:
            if scheduler.optimizer is not optimizer:
                raise ValueError("a scheduler of another optimizer is among the schedulers")
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int, group: int) -> float:
        position = bisect.bisect_right(self.milestones, epoch)
        begin = self.milestones[position - 1] if position else 0
        return self._schedulers[position].rate(base, epoch - begin, group)

    def state_dict(self) -> dict[str, Any]:
        """The position, and the states of the schedulers."""
        own = super().state_dict()
        return {
            **own,
            "milestones": list(self.milestones),
            "schedulers": [s.state_dict() for s in self._schedulers],
        }

    def _check_state(self, state_dict: dict[str, Any]) -> None:
        super()._check_state(state_dict)
        counts = len(state_dict["schedulers"]), len(state_dict["milestones"]) + 1
        if counts != (len(self._schedulers),) * 2:
            raise ValueError(
                f"the state is of {counts[0]} schedulers, this SequentialLR has "
                f"{len(self._schedulers)}"
            )
        for scheduler, state in zip(self._schedulers, state_dict["schedulers"]):
            scheduler._check_state(state)

    def _take_state(self, state_dict: dict[str, Any]) -> None:
        super()._take_state(state_dict)
        self.milestones = list(state_dict["milestones"])
        for scheduler, state in zip(self._schedulers, state_dict["schedulers"]):
            scheduler._take_state(state)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or value != int(value) or value < 1:
        raise ValueError(f"{name} must be an integer, at least 1, got {value!r}")
    return int(value)


def _finite(name: str, value: Any) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return float(value)
