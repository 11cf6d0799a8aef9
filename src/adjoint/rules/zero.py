"""What has no derivative by nature, and what is refused by name.

A function that picks or moves its argument's values has a derivative and is not listed here,
however much it looks like bookkeeping.
"""

import builtins
import math
import operator

import numpy as np

from .template import named, not_differentiable, zero_derivative

# comparisons and truth
zero_derivative(
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.isnan, np.isinf, np.isfinite, np.isneginf, np.isposinf, np.signbit,
    np.iscomplex, np.isreal, np.iscomplexobj, np.isrealobj, np.isscalar,
    np.isclose, np.allclose, np.array_equal, np.array_equiv, np.all, np.any, np.isin,
    operator.not_, operator.is_, operator.is_not, operator.contains, operator.truth,
    math.isnan, math.isinf, math.isfinite, math.isclose,
    builtins.all, builtins.any, builtins.bool, builtins.callable, builtins.isinstance,
    builtins.issubclass, builtins.hasattr,
)  # fmt: skip

# steps
zero_derivative(
    np.floor, np.ceil, np.trunc, np.rint, np.round, np.around, np.fix, np.floor_divide,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift,
    math.floor, math.ceil, math.trunc, builtins.round, builtins.int, operator.index,
    math.factorial, math.comb, math.perm, math.gcd, math.lcm, math.isqrt,
)  # fmt: skip

# positions and counts
zero_derivative(
    np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.lexsort,
    np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.searchsorted, np.digitize,
    np.unravel_index, np.ravel_multi_index, np.linalg.matrix_rank,
)  # fmt: skip

# shapes and types
zero_derivative(
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.finfo, np.iinfo, np.dtype,
    np.issubdtype, np.broadcast_shapes, np.may_share_memory, np.shares_memory,
    builtins.len, builtins.range, builtins.slice, builtins.type, builtins.id, builtins.hash,
)  # fmt: skip

# new arrays, whose values depend on no argument's value
zero_derivative(
    np.zeros, np.ones, np.empty, np.zeros_like, np.ones_like, np.empty_like,
    np.eye, np.identity, np.tri, np.indices, np.ix_,
    np.tril_indices, np.triu_indices, np.diag_indices, np.tril_indices_from, np.triu_indices_from,
    np.hanning, np.hamming, np.blackman, np.bartlett,
)  # fmt: skip

# texts
zero_derivative(
    builtins.print, builtins.str, builtins.repr, builtins.format,
    np.array2string, np.array_repr, np.array_str,
)  # fmt: skip


_ADVICE = "if it is a constant here, wrap its argument in ad.stop_gradient; else "

for _fn, _instead in (
    (np.frexp, "write x * 2.0 ** -exponent with the exponent stopped"),
    (math.frexp, "write x * 2.0 ** -exponent with the exponent stopped"),
    (np.nextafter, "use the number itself: a step of one rounding has no derivative"),
    (np.spacing, "treat it as a constant: it changes by steps"),
    (np.unique, "sort, and index with positions found from stopped values"),
    (np.histogram, "counts change by steps: sum smooth weights instead"),
    (np.linalg.eig, "use np.linalg.eigh, for a symmetric matrix"),
    (np.linalg.eigvals, "use np.linalg.eigvalsh, for a symmetric matrix"),
    (np.linalg.lstsq, "use np.linalg.pinv(a) @ b, or np.linalg.solve of the normal equations"),
    (np.linalg.cond, "divide singular values, np.linalg.svd(a, compute_uv=False)"),
    (math.gamma, "give it a rule with the digamma function, as of scipy.special"),
    (math.lgamma, "give it a rule with the digamma function, as of scipy.special"),
    (np.i0, "give it a rule with the Bessel function i1, as of scipy.special"),
    (np.ndarray.view, "convert numbers with x.astype(dtype)"),
    (np.ndarray.tolist, "index the array, or iterate over it"),
    *((_f, "use NumPy's functions on the whole array") for _f in named(
        np, "vectorize", "apply_along_axis", "apply_over_axes", "fromiter", "frompyfunc")),
):  # fmt: skip
    not_differentiable(_fn, _ADVICE + _instead)
