"""RMSprop."""

from __future__ import annotations

from typing import Any

from . import functional
from .optimizer import Optimizer


class RMSprop(Optimizer):
    """RMSprop: the gradient over the root of the running mean of its square.

    `p -= lr * d / (sqrt(v) + eps)`, with `v = alpha * v + (1 - alpha) * d * d` and
    `d = gradient + weight_decay * p`. `centered` takes the variance in place of `v`; `momentum`
    keeps a running sum of the quotients; `maximize` goes uphill. `optim.functional.rmsprop_` has
    the sources.

    params: see `Optimizer`, which also says what is raised.

    >>> import numpy as np
    >>> w = np.array([1.0, 2.0])
    >>> optimizer = RMSprop([w], lr=0.1, alpha=0.75)
    >>> optimizer.step([np.array([0.5, -5.0])])
    >>> w.round(3)
    array([0.8, 2.2])
    """

    _update = staticmethod(functional.rmsprop_)
    _slots = staticmethod(functional.rmsprop_slots)

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = dict(
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )
        super().__init__(params, defaults)
