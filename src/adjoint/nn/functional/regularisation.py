"""Dropout."""

from __future__ import annotations

from typing import Any

from ..random import dropout_mask


def dropout(x: Any, p: float = 0.5, training: bool = True, generator: Any = None) -> Any:
    """x with each element set to 0 with probability p, the others divided by 1 - p.

    Without `training`, x itself (Srivastava et al. 2014). generator: a np.random.Generator; that
    of `nn.manual_seed`, if it is None.

    >>> import numpy as np
    >>> dropout(np.ones(4), 0.5, generator=np.random.default_rng(0))
    array([2., 2., 2., 0.])
    """
    if not training:
        return x
    return x * dropout_mask(x, p, generator)
