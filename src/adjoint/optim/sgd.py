"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from . import functional
from .optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for.

    Without momentum, `p -= lr * d`, with `d = gradient + weight_decay * p`. With it, `d` is
    replaced by `buffer = momentum * buffer + (1 - dampening) * d`, or by `d + momentum * buffer` if
    `nesterov`. `maximize` goes uphill. See `optim.functional.sgd_` for the source.

    params: see `Optimizer`. Raises what `Optimizer` raises, and ValueError for `nesterov` without
    momentum or with dampening.

    >>> import numpy as np
    >>> import adjoint as ad
    >>> w = np.array([3.0, -2.0])
    >>> optimizer = SGD([w], lr=0.25)
    >>> loss = lambda w: np.sum(w * w)
    >>> for _ in range(2):
    ...     optimizer.step([ad.grad(loss)(w)])
    >>> w
    array([ 0.75, -0.5 ])
    """

    _update = staticmethod(functional.sgd_)
    _slots = staticmethod(functional.sgd_slots)
    _counts = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = dict(
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
        )
        super().__init__(params, defaults)

    def _check_options(self, options: dict[str, Any]) -> None:
        super()._check_options(options)
        if options.get("nesterov") and not (options["momentum"] and options["dampening"] == 0):
            raise ValueError("nesterov needs a momentum and no dampening")
