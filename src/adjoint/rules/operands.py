"""Functions whose rules compute with arrays: of a list, with the array that NumPy makes of it."""

import numpy as np

from .reductions import REDUCTIONS
from .template import named

_OF_TWO = {
    np.dot, np.inner, np.vdot, np.outer, np.kron, np.tensordot, np.cross, np.convolve,
    np.append, np.linalg.solve, np.correlate, np.polyval,
    *named(np, "trapezoid", "trapz"), *named(np.linalg, "matmul", "cross", "outer"),
}  # fmt: skip
_OF_ONE = {
    *REDUCTIONS - {np.sum, np.mean},
    *named(np, "nansum", "nanmean", "nanmax", "nanmin", "nanprod", "nanvar", "nanstd", "average"),
    *named(np, "transpose", "reshape", "ravel", "squeeze", "expand_dims", "atleast_1d",
           "atleast_2d", "atleast_3d", "diag", "diagonal", "trace", "sort", "partition", "cumsum",
           "cumprod", "diff", "pad", "ptp"),
    *named(np.linalg, "inv", "det", "slogdet", "norm", "cholesky", "eigh", "eigvalsh", "svd", "qr",
           "pinv", "matrix_power"),
    *named(np.fft, "fft", "ifft", "rfft", "irfft"),
}  # fmt: skip

# How many of the first operands are arrays.
ARRAYS_OF = {
    **dict.fromkeys(_OF_ONE, 1), **dict.fromkeys(_OF_TWO, 2), np.interp: 3, np.clip: 3
}  # fmt: skip
