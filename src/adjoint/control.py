"""What a user writes inside a function to steer its derivative."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


def stop_gradient(x: Any) -> Any:
    """The same value, treated as a constant by derivatives.

    >>> import adjoint as ad
    >>> ad.grad(lambda x: x * ad.stop_gradient(x))(3.0)
    3.0
    """
    return x


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Inside a differentiated function, what is computed in this block counts as constant.

    A value that is only given another name, `y = x`, or put into a list, is what it was. An element
    or a view of an array is computed. Elsewhere the block changes nothing: nothing is recorded
    outside derivatives.

    >>> import adjoint as ad
    >>> def f(x):
    ...     with ad.no_grad():
    ...         scale = x * x
    ...     return x * scale
    >>> ad.grad(f)(3.0)
    9.0
    """
    yield
