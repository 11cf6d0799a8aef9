"""Initial values, as PyTorch's layers draw them: float32, unless another dtype is asked for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import random


def uniform(shape: tuple[int, ...], bound: float, dtype: Any, generator: Any) -> np.ndarray:
    """Numbers drawn evenly from (-bound, bound)."""
    rng = random.default_generator() if generator is None else generator
    return rng.uniform(-bound, bound, shape).astype(dtype or np.float32)


def fan_in_uniform(shape: tuple[int, ...], fan_in: int, dtype: Any, generator: Any) -> np.ndarray:
    """Evenly from (-1, 1) / sqrt(fan_in): He et al. (2015) with a slope of sqrt(5), for weights."""
    return uniform(shape, 1 / math.sqrt(fan_in) if fan_in else 0.0, dtype, generator)


def xavier_uniform(shape: tuple[int, int], dtype: Any, generator: Any) -> np.ndarray:
    """Evenly, with the variance 2 / (rows + columns) (Glorot and Bengio 2010)."""
    return uniform(shape, math.sqrt(6 / sum(shape)), dtype, generator)


def normal(shape: tuple[int, ...], dtype: Any, generator: Any) -> np.ndarray:
    """Of mean 0 and variance 1."""
    rng = random.default_generator() if generator is None else generator
    return rng.standard_normal(shape).astype(dtype or np.float32)
