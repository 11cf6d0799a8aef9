"""Adagrad."""

from __future__ import annotations

from typing import Any

from . import functional
from .optimizer import Optimizer


class Adagrad(Optimizer):
    """Adagrad: the gradient over the root of the sum of its squares so far.

    `p -= lr / (1 + (step - 1) * lr_decay) * d / (sqrt(s) + eps)`, with `s += d * d` and
    `d = gradient + weight_decay * p`. `maximize` goes uphill. `optim.functional.adagrad_` has the
    source.

    params: see `Optimizer`, which also says what is raised.

    >>> import numpy as np
    >>> w = np.array([1.0, 2.0])
    >>> optimizer = Adagrad([w], lr=0.5)
    >>> optimizer.step([np.array([0.25, -4.0])])
    >>> w
    array([0.5, 2.5])
    """

    _update = staticmethod(functional.adagrad_)
    _slots = staticmethod(functional.adagrad_slots)

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = dict(
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
            maximize=maximize,
        )
        super().__init__(params, defaults)
