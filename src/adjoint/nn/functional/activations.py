"""Activation functions, elementwise but for the softmax family. Float32 stays float32."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def relu(x: Any) -> Any:
    """max(x, 0). Its derivative at 0 is 0, as in PyTorch.

    >>> import numpy as np
    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return np.maximum(x, 0)


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """x where it is positive, and negative_slope * x elsewhere.

    >>> import numpy as np
    >>> leaky_relu(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """
    return np.where(x > 0, x, negative_slope * x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, and alpha * (exp(x) - 1) elsewhere (Clevert et al. 2016).

    >>> import numpy as np
    >>> elu(np.array([-1.0, 2.0])).round(4)
    array([-0.6321,  2.    ])
    """
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)); of a large negative x it is 0, without a warning.

    >>> import numpy as np
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def tanh(x: Any) -> Any:
    """np.tanh, under the name that it has in torch.nn.functional."""
    return np.tanh(x)


def silu(x: Any) -> Any:
    """x * sigmoid(x) (Elfwing et al. 2018; Hendrycks and Gimpel 2016).

    >>> import numpy as np
    >>> silu(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.7311])
    """
    return x * sigmoid(x)


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), without overflow.

    >>> import numpy as np
    >>> softplus(np.array([0.0, 1000.0])).round(4)
    array([6.931e-01, 1.000e+03])
    """
    return np.logaddexp(x, 0)


def gelu(x: Any, approximate: str = "none") -> Any:
    """x * Phi(x), with Phi the distribution function of the normal (Hendrycks and Gimpel 2016).

    approximate: "none", or "tanh" for the formula with tanh of the same paper.

    >>> import numpy as np
    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    if approximate != "none":
        raise ValueError(f'gelu: approximate must be "none" or "tanh", got {approximate!r}')
    return x * normal_cdf(x)


def normal_cdf(x: Any) -> Any:
    """The distribution function of the standard normal: erfc(-x / sqrt(2)) / 2.

    By scipy.special where SciPy is installed; it has vectorised code, NumPy has none.

    >>> import numpy as np
    >>> normal_cdf(np.array([0.0, 1.96])).round(4)
    array([0.5  , 0.975])
    """
    if type(x).__module__.split(".")[0] == "cupy":
        from cupyx.scipy.special import ndtr
    else:
        try:
            from scipy.special import ndtr
        except ImportError:
            ndtr = _ndtr
    return ndtr(x)


def _ndtr(x: Any) -> Any:
    values = np.asarray(x)
    half = [0.5 * math.erfc(-v / math.sqrt(2)) for v in values.ravel().tolist()]
    return np.array(half, values.dtype).reshape(values.shape)[()]


def softmax(x: Any, dim: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along an axis, without overflow.

    >>> import numpy as np
    >>> softmax(np.array([[0.0, 1000.0], [1.0, 1.0]]))
    array([[0. , 1. ],
           [0.5, 0.5]])
    """
    e = np.exp(x - np.max(x, axis=dim, keepdims=True))
    return e / np.sum(e, axis=dim, keepdims=True)


def log_softmax(x: Any, dim: int = -1) -> Any:
    """The logarithm of `softmax`, exact where that is tiny.

    >>> import numpy as np
    >>> log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    shifted = x - np.max(x, axis=dim, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=dim, keepdims=True))
