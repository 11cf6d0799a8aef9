"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from . import functional
from .optimizer import Optimizer


class Adam(Optimizer):
    """Adam: steps of the size `lr`, less where gradients vary.

    `p -= lr * m / (sqrt(v) + eps)`, with `m` and `v` the unbiased running means of the gradient and
    of its square, which forget by `betas`. `weight_decay * p` is added to the gradient. `amsgrad`
    takes the largest `v` so far; `maximize` goes uphill. `optim.functional.adam_` has the sources.

    params: see `Optimizer`, which also says what is raised.

    >>> import numpy as np
    >>> w = np.array([1.0, 2.0])
    >>> optimizer = Adam([w], lr=0.5)
    >>> optimizer.step([np.array([0.001, -1000.0])])
    >>> w.round(3)
    array([0.5, 2.5])
    """

    _update = staticmethod(functional.adam_)
    _slots = staticmethod(functional.adam_slots)
    _decoupled = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = dict(
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
        )
        super().__init__(params, defaults)

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {**super()._options(options), "decoupled": self._decoupled}


class AdamW(Adam):
    """Adam with decoupled weight decay: `p *= 1 - lr * weight_decay`, beside the step of Adam.

    Arguments and errors are those of `Adam`, with another default of `weight_decay`.

    >>> import numpy as np
    >>> w = np.array([1.0, 2.0])
    >>> optimizer = AdamW([w], lr=0.5, weight_decay=0.2)
    >>> optimizer.step([np.array([0.001, -1000.0])])
    >>> w.round(3)
    array([0.4, 2.3])
    """

    _decoupled = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
