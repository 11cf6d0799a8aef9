"""np.linalg.norm, one template for each kind. Every norm has derivative 0 at 0."""

import numpy as np

from .helpers import conj, inline, keep, nonzero_or_one, re, sum_axis
from .template import d, named, rule


def _of_matrices(x, ord, axis):
    """Whether the norm is one of matrices, and not of vectors."""
    return x.ndim == 2 and ord is not None if axis is None else (
        isinstance(axis, tuple) and len(axis) == 2)  # fmt: skip


def _kind(vector, matrix):
    def holds(x, ord, axis):
        return ord in (matrix if _of_matrices(x, ord, axis) else vector)

    return holds


@rule(np.linalg.norm, when=_kind(vector=(None, 2), matrix=(None, "fro")))
def norm(y, x, ord=None, axis=None, keepdims=False):
    """sqrt(sum(abs(x) ** 2))."""
    d[y] = np.sum(re(conj(x) * d[x]), axis=axis, keepdims=keepdims) / nonzero_or_one(y)
    d[x] += keep(d[y] / nonzero_or_one(y), axis, keepdims) * conj(x)


@rule(np.linalg.norm, when=_kind(vector=(1,), matrix=()))
def norm_1(y, x, ord=None, axis=None, keepdims=False):
    """sum(abs(x))."""
    d[y] = np.sum(re(conj(direction(x)) * d[x]), axis=axis, keepdims=keepdims)
    d[x] += keep(d[y], axis, keepdims) * conj(direction(x))


@rule(np.linalg.norm, when=_kind(vector=(np.inf, -np.inf), matrix=()))
def norm_inf(y, x, ord=None, axis=None, keepdims=False):
    """max(abs(x)) or min(abs(x)); equal ones share equally."""
    tie = np.abs(x) == keep(y, axis, keepdims)
    share = tie / np.sum(tie, axis=axis, keepdims=True, dtype=y.dtype)
    d[y] = np.sum(re(conj(direction(x)) * d[x]) * share, axis=axis, keepdims=keepdims)
    d[x] += keep(d[y], axis, keepdims) * share * conj(direction(x))


@rule(np.linalg.norm, when=_kind(vector=(0,), matrix=()))
def norm_0(y, x, ord=None, axis=None, keepdims=False):
    """How many are not 0: a step function."""
    d[y, x] = 0


@rule(np.linalg.norm, when=lambda x, ord, axis: isinstance(ord, (int, float)) and (
      ord not in (0, 1, 2, np.inf, -np.inf) and not _of_matrices(x, ord, axis)))  # fmt: skip
def norm_p(y, x, ord=None, axis=None, keepdims=False):
    """sum(abs(x) ** p) ** (1 / p)."""
    size = np.abs(x) / keep(nonzero_or_one(y), axis, keepdims)
    slope = np.where(size == 0, 0, nonzero_or_one(size) ** (ord - 1)) * conj(direction(x))
    d[y] = np.sum(re(slope * d[x]), axis=axis, keepdims=keepdims)
    d[x] += keep(d[y], axis, keepdims) * slope


@inline
def direction(x):
    """x / abs(x), and 0 at 0."""
    if np.iscomplexobj(x):
        return x / nonzero_or_one(np.abs(x))
    return np.sign(x)


# norms of one matrix


@rule(np.linalg.norm, when=lambda x, ord, axis: x.ndim == 2 and axis is None and (
      isinstance(ord, (int, float)) and ord in (1, -1, np.inf, -np.inf)))  # fmt: skip
def norm_sums(y, x, ord=None, axis=None, keepdims=False):
    """The largest, or smallest, sum of abs(x) over columns or rows; equal ones share equally."""
    sums = np.sum(np.abs(x), axis=sum_axis(ord), keepdims=True)
    tie = sums == y
    slope = conj(direction(x)) * (tie / np.sum(tie, dtype=y.dtype))
    d[y] = np.reshape(np.sum(re(slope * d[x])), y.shape)
    d[x] += d[y] * slope


@rule(np.linalg.norm, when=lambda x, ord, axis: x.ndim == 2 and axis is None and (
      ord == "nuc" and not np.iscomplexobj(x)))  # fmt: skip
def norm_nuclear(y, x, ord=None, axis=None, keepdims=False):
    """The sum of the singular values. A value of 0 adds nothing."""
    usv = np.linalg.svd(x, full_matrices=False)
    slope = (usv[0] * np.sign(usv[1])) @ usv[2]
    d[y] = np.reshape(np.sum(slope * d[x]), y.shape)
    d[x] += d[y] * slope


@inline
def extreme(s, ord):
    """The first or the last of the singular values."""
    if ord == 2:
        return s[:1]
    return s[-1:]


@rule(np.linalg.norm, when=lambda x, ord, axis: x.ndim == 2 and axis is None and (
      ord in (2, -2) and not np.iscomplexobj(x)))  # fmt: skip
def norm_spectral(y, x, ord=None, axis=None, keepdims=False):
    """The largest, or smallest, singular value; equal ones share equally."""
    usv = np.linalg.svd(x, full_matrices=False)
    tie = usv[1] == extreme(usv[1], ord)  # not y, which may be rounded otherwise
    slope = (usv[0] * (tie / np.sum(tie, dtype=x.dtype))) @ usv[2]
    d[y] = np.reshape(np.sum(slope * d[x]), y.shape)
    d[x] += d[y] * slope


@rule(*named(np.linalg, "vector_norm"), when=lambda ord: ord == 2)
def vector_norm(y, x, *, axis=None, keepdims=False, ord=2):
    """sqrt(sum(abs(x) ** 2))."""
    d[y] = np.sum(re(conj(x) * d[x]), axis=axis, keepdims=keepdims) / nonzero_or_one(y)
    d[x] += keep(d[y] / nonzero_or_one(y), axis, keepdims) * conj(x)


@rule(*named(np.linalg, "matrix_norm"), when=lambda ord: ord == "fro")
def matrix_norm(y, x, *, keepdims=False, ord="fro"):
    """sqrt(sum(abs(x) ** 2))."""
    d[y] = np.sum(re(conj(x) * d[x]), axis=(-2, -1), keepdims=keepdims) / nonzero_or_one(y)
    d[x] += keep(d[y] / nonzero_or_one(y), (-2, -1), keepdims) * conj(x)
