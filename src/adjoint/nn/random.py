"""The generator of initial values and of dropout: one for all modules, unless they are given one.

>>> import numpy as np
>>> from adjoint import nn
>>> generator = nn.manual_seed(0)
>>> first = nn.Linear(2, 2).weight
>>> generator = nn.manual_seed(0)
>>> bool(np.all(first == nn.Linear(2, 2).weight))
True
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..types import array_module, array_namespace
from .constant import constant

_default = np.random.default_rng()


def manual_seed(seed: int) -> np.random.Generator:
    """Start the common generator anew; returns it."""
    _default.bit_generator.state = np.random.default_rng(seed).bit_generator.state
    return _default


def default_generator() -> np.random.Generator:
    """The generator that modules use which were given none."""
    return _default


@constant
def dropout_mask(x: Any, p: float, generator: Any = None) -> Any:
    """An array like x: 0 with probability p, and 1 / (1 - p) elsewhere."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p must be from 0 to 1, got {p}")
    if p == 1:
        mask = np.zeros(x.shape, x.dtype)
    else:
        rng = _default if generator is None else generator
        # Each draw is two words of 32 bits, in whose memory the mask may be.
        draws = rng.integers(2**64, size=(x.size + 1) // 2, dtype=np.uint64)
        words = draws.view(np.uint32)[: x.size].reshape(x.shape)
        out = words.view(np.float32) if x.dtype == np.float32 else None
        mask = np.multiply(words >= np.uint32(p * 2**32), x.dtype.type(1 / (1 - p)), out=out)
    module = array_module(type(x)) or "numpy"
    return mask if module == "numpy" else array_namespace(module).asarray(mask)
