"""Methods and attributes of arrays, as the functions that have their rules.

The array becomes the function's first operand. Methods that change the array in place (`sort`,
`fill`, `put`, `partition`, `resize`) are statements, not functions, and are not listed.
"""

import numpy as np

METHODS = {
    "all": np.all,
    "any": np.any,
    "argmax": np.argmax,
    "argmin": np.argmin,
    "argpartition": np.argpartition,
    "argsort": np.argsort,
    "astype": np.ndarray.astype,
    "choose": np.choose,
    "clip": np.clip,
    "conjugate": np.conjugate,  # printed: Python's complex numbers have no `conj`
    "conj": np.conjugate,
    "copy": np.copy,
    "cumprod": np.cumprod,
    "cumsum": np.cumsum,
    "diagonal": np.diagonal,
    "dot": np.dot,
    "flatten": np.ndarray.flatten,  # not np.ravel, which may return a view
    "item": np.ndarray.item,
    "max": np.max,
    "mean": np.mean,
    "min": np.min,
    "nonzero": np.nonzero,
    "prod": np.prod,
    "ravel": np.ravel,
    "repeat": np.repeat,
    "reshape": np.reshape,
    "round": np.round,
    "searchsorted": np.searchsorted,
    "squeeze": np.squeeze,
    "std": np.std,
    "sum": np.sum,
    "swapaxes": np.swapaxes,
    "take": np.take,
    "tolist": np.ndarray.tolist,
    "trace": np.trace,
    "transpose": np.transpose,
    "var": np.var,
    "view": np.ndarray.view,
}

# x.reshape(2, 3) and x.transpose(1, 0): the arguments may be given one by one
VARARG_METHODS = {"reshape", "transpose"}

ATTRIBUTES = {
    "T": np.transpose,
    "mT": np.matrix_transpose,
    "real": np.real,
    "imag": np.imag,
}
