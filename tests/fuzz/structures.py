"""Numbers in containers: steps in a random direction, comparison."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np


def is_float(x: Any) -> bool:
    dtype = getattr(x, "dtype", None)
    return isinstance(x, float) or (dtype is not None and dtype.kind == "f")


def has_float(x: Any) -> bool:
    if isinstance(x, dict):
        return any(map(has_float, x.values()))
    if isinstance(x, (list, tuple)):
        return any(map(has_float, x))
    return is_float(x)


def direction_of(x: Any, rng: np.random.Generator) -> Any:
    """A random direction in which to move a value; every part moves by 0.5 to 1."""
    if isinstance(x, dict):
        return {k: direction_of(v, rng) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [direction_of(v, rng) for v in x]
    if not is_float(x):
        return None
    shape = np.shape(x)
    return rng.uniform(0.5, 1.0, shape) * rng.choice([-1.0, 1.0], shape)


def moved(x: Any, direction: Any, step: float) -> Any:
    if isinstance(x, dict):
        return {k: moved(v, direction[k], step) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return _like(x, [moved(v, d, step) for v, d in zip(x, direction, strict=True)])
    if direction is None:
        return copy.copy(x)
    if isinstance(x, np.ndarray):
        return np.asarray(np.asarray(x, np.float64) + step * direction)
    return float(x + step * direction)


def _like(x: Any, items: list[Any]) -> Any:
    return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)


def tangent_of(x: Any, direction: Any) -> Any:
    """A direction in the form that `ad.jvp` and pullbacks want it."""
    if isinstance(x, dict):
        return {k: tangent_of(v, direction[k]) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return _like(x, [tangent_of(v, d) for v, d in zip(x, direction, strict=True)])
    if direction is None:
        return None
    return direction.astype(x.dtype) if isinstance(x, np.ndarray) else float(direction)


def is_single(x: Any) -> bool:
    """Whether there are float32 arrays."""
    if isinstance(x, dict):
        return any(map(is_single, x.values()))
    if isinstance(x, (list, tuple)):
        return any(map(is_single, x))
    return getattr(x, "dtype", None) == np.float32


def printed_differs(a: str, b: str) -> bool:
    """Whether two texts differ by more than the last digits of their numbers."""
    number = re.compile(r"-?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)")
    if number.sub("#", a) != number.sub("#", b):
        return True
    pairs = zip(number.findall(a), number.findall(b), strict=True)
    return any(differs(float(x), float(y), 1e-3) for x, y in pairs)


def along(gradient: Any, direction: Any) -> float:
    """The derivative in a direction, by a gradient."""
    if isinstance(direction, dict):
        return sum(along(gradient[k], d) for k, d in direction.items())
    if isinstance(direction, list):
        return sum(along(g, d) for g, d in zip(gradient, direction, strict=True))
    if direction is None:
        return 0.0
    return float(np.sum(np.asarray(gradient, np.float64) * direction))


def misfit(gradient: Any, x: Any, where: str) -> str:
    """In what a gradient does not fit its argument; empty where it does."""
    if isinstance(x, dict):
        if not isinstance(gradient, dict) or list(gradient) != list(x):
            return f"{where}: {type(gradient).__name__} for a dict with keys {list(x)}"
        found = (misfit(gradient[k], v, f"{where}[{k!r}]") for k, v in x.items())
        return next((f for f in found if f), "")
    if isinstance(x, (list, tuple)):
        if type(gradient) is not type(x) or len(gradient) != len(x):
            return f"{where}: {gradient!r} for {x!r}"
        found = (misfit(g, v, f"{where}[{i}]") for i, (g, v) in enumerate(zip(gradient, x)))
        return next((f for f in found if f), "")
    if not is_float(x):
        return ""
    if isinstance(x, np.ndarray):
        if getattr(gradient, "shape", None) != x.shape:
            return f"{where}: shape {np.shape(gradient)} for {x.shape}"
        if gradient.dtype != x.dtype:
            return f"{where}: dtype {gradient.dtype} for {x.dtype}"
        return ""
    if not isinstance(gradient, float):
        return f"{where}: {type(gradient).__name__} for a float"
    return ""


def differs(a: Any, b: Any, rtol: float = 1e-10) -> bool:
    """Whether two structures differ by more than rounding."""
    if isinstance(a, dict):
        if not isinstance(b, dict) or list(a) != list(b):
            return True
        return any(differs(v, b[k], rtol) for k, v in a.items())
    if isinstance(a, (list, tuple)):
        if type(a) is not type(b) or len(a) != len(b):
            return True
        return any(differs(x, y, rtol) for x, y in zip(a, b))
    if is_float(a) or is_float(b):
        if np.shape(a) != np.shape(b):
            return True
        return not np.allclose(a, b, rtol=rtol, atol=rtol, equal_nan=True)
    if isinstance(a, np.ndarray):
        return not np.array_equal(a, b)
    return a != b
