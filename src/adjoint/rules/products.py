"""Products of vectors, matrices and tensors. All are bilinear: no conjugates, save in vdot.

With z = x @ y, d_x = d_z @ y.T and d_y = x.T @ d_z: Giles (2008), section 2.2.2.
"""

import numpy as np

from .helpers import (
    column,
    conj,
    einsum_from,
    einsum_missing,
    einsum_repeated,
    free_axes,
    inline,
    keep,
    mT,
    rows,
    tensordot_axes,
    tensordot_back,
    unconvolved,
)
from .runtime import diagonal_mask
from .template import d, named, rule


def _ranks(low_x, high_x, low_y, high_y):
    return lambda x, y: low_x <= np.ndim(x) <= high_x and low_y <= np.ndim(y) <= high_y


@rule(np.matmul, np.dot, np.inner, np.vdot, *named(np, "vecdot"),
      when=lambda x, y: np.ndim(x) == np.ndim(y) == 1 and not np.iscomplexobj(x),
      broadcasts=False)  # fmt: skip
def vectors(z, x, y):
    d[z] = d[x] @ y + x @ d[y]
    d[x] += d[z] * y
    d[y] += d[z] * x


@rule(np.matmul, np.dot, np.inner, when=_ranks(1, 1, 1, 1), broadcasts=False)
def vectors_complex(z, x, y):
    d[z] = d[x] @ y + x @ d[y]
    d[x] += d[z] * y
    d[y] += d[z] * x


@rule(np.matmul, np.dot, when=_ranks(2, 2, 2, 2), broadcasts=False)
def matmul(z, x, y):
    d[z] = d[x] @ y + x @ d[y]
    d[x] += d[z] @ y.T
    d[y] += x.T @ d[z]


@rule(np.matmul, np.dot, when=_ranks(2, 2, 1, 1), broadcasts=False)
def matrix_vector(z, x, y):
    d[z] = d[x] @ y + x @ d[y]
    d[x] += column(d[z]) * y
    d[y] += d[z] @ x


@rule(np.matmul, np.dot, when=_ranks(1, 1, 2, 2), broadcasts=False)
def vector_matrix(z, x, y):
    d[z] = d[x] @ y + x @ d[y]
    d[x] += y @ d[z]
    d[y] += column(x) * d[z]


@rule(np.matmul, np.dot, when=_ranks(3, 99, 2, 2), broadcasts=False)
def stack_matrix(z, x, y):
    """One matrix for all: its cotangent is one product of matrices."""
    d[z] = d[x] @ y + x @ d[y]
    d[x] += d[z] @ y.T
    d[y] += rows(x).T @ rows(d[z])


@rule(np.matmul, np.dot, when=_ranks(3, 99, 1, 1))
def stack_vector(z, x, y):
    d[z] = d[x] @ y + x @ d[y]
    d[x] += column(d[z]) * y
    d[y] += rows(x).T @ np.reshape(d[z], -1)


@rule(np.matmul, when=_ranks(1, 1, 3, 99))
def vector_stack(z, x, y):
    d[z] = d[x] @ y + x @ d[y]
    d[x] += (y @ column(d[z]))[..., 0]
    d[y] += column(x) * np.expand_dims(d[z], -2)


@rule(np.matmul, when=_ranks(2, 99, 3, 99))
def stacks(z, x, y):
    d[z] = d[x] @ y + x @ d[y]
    d[x] += d[z] @ np.swapaxes(y, -1, -2)
    d[y] += np.swapaxes(x, -1, -2) @ d[z]


@rule(*named(np.linalg, "matmul"), when=_ranks(2, 99, 2, 99))
def linalg_matmul(z, x, y):
    d[z] = d[x] @ y + x @ d[y]
    d[x] += d[z] @ mT(y)
    d[y] += mT(x) @ d[z]


@rule(np.dot, np.inner, when=lambda x, y: np.ndim(x) == 0 or np.ndim(y) == 0)
def dot_number(z, x, y):
    d[z, x] = y
    d[z, y] = x


@rule(np.dot, when=_ranks(1, 99, 3, 99))
def dot_stack(z, x, y):
    """z[i, j, k, m] == sum(x[i, j, :] * y[k, :, m])."""
    d[z] = np.dot(d[x], y) + np.dot(x, d[y])
    d[x] += np.tensordot(d[z], np.swapaxes(y, -1, -2), y.ndim - 1)
    d[y] += np.moveaxis(np.tensordot(x, d[z], free_axes(x.ndim - 1)), 0, -2)


@rule(np.inner)
def inner(z, x, y):
    """z[i, j] == sum(x[i, :] * y[j, :])."""
    d[z] = np.inner(d[x], y) + np.inner(x, d[y])
    d[x] += np.tensordot(d[z], y, y.ndim - 1)
    d[y] += np.moveaxis(np.tensordot(x, d[z], free_axes(x.ndim - 1)), 0, -1)


@rule(np.vdot, when=lambda x, y: np.ndim(x) == np.ndim(y) == 1)
def vdot(z, x, y):
    """sum(conj(x) * y)."""
    d[z] = np.vdot(d[x], y) + np.vdot(x, d[y])
    d[x] += np.conjugate(d[z] * y)
    d[y] += d[z] * np.conjugate(x)


@rule(np.vdot)
def vdot_flat(z, x, y):
    """Of arrays of any shapes, as vectors."""
    d[z] = np.vdot(d[x], y) + np.vdot(x, d[y])
    d[x] += np.reshape(conj(d[z] * y), np.shape(x))
    d[y] += np.reshape(d[z] * conj(x), np.shape(y))


@rule(*named(np, "vecdot"))
def vecdot(z, x, y):
    d[z] = np.sum(conj(d[x]) * y + conj(x) * d[y], axis=-1)
    d[x] += conj(column(d[z]) * y)
    d[y] += column(d[z]) * conj(x)


@rule(*named(np.linalg, "vecdot"))
def linalg_vecdot(z, x, y, *, axis=-1):
    d[z] = np.sum(conj(d[x]) * y + conj(x) * d[y], axis=axis)
    d[x] += conj(keep(d[z], axis) * y)
    d[y] += keep(d[z], axis) * conj(x)


@rule(*named(np, "matvec"))
def matvec(z, x, y):
    d[z] = np.matvec(d[x], y) + np.matvec(x, d[y])
    d[x] += column(d[z]) * np.expand_dims(y, -2)
    d[y] += np.matvec(mT(x), d[z])


@rule(*named(np, "vecmat"), when=lambda x: not np.iscomplexobj(x))
def vecmat(z, x, y):
    d[z] = np.vecmat(d[x], y) + np.vecmat(x, d[y])
    d[x] += np.matvec(y, d[z])
    d[y] += column(x) * np.expand_dims(d[z], -2)


@rule(np.outer, *named(np.linalg, "outer"), when=_ranks(1, 1, 1, 1))
def outer(z, x, y):
    d[z] = np.outer(d[x], y) + np.outer(x, d[y])
    d[x] += d[z] @ y
    d[y] += x @ d[z]


@rule(np.outer)
def outer_flat(z, x, y):
    d[z] = np.outer(d[x], y) + np.outer(x, d[y])
    d[x] += np.reshape(d[z] @ np.reshape(y, -1), x.shape)
    d[y] += np.reshape(np.reshape(x, -1) @ d[z], y.shape)


@rule(np.tensordot, *named(np.linalg, "tensordot"))
def tensordot(z, x, y, axes=2):
    d[z] = np.tensordot(d[x], y, axes) + np.tensordot(x, d[y], axes)
    d[x] += np.transpose(
        np.tensordot(d[z], y, tensordot_axes(x.ndim, y.ndim, axes, 0)),
        tensordot_back(x.ndim, y.ndim, axes, 0),
    )
    d[y] += np.transpose(
        np.tensordot(x, d[z], tensordot_axes(x.ndim, y.ndim, axes, 1)),
        tensordot_back(x.ndim, y.ndim, axes, 1),
    )


# einsum: each operand's cotangent is an einsum of d_z and the others


@inline
def einsum_fit(e, x, subscripts, i):
    """An einsum over the labels that operand i has once and shares, in the form of operand i."""
    if len(einsum_missing(subscripts, i, x.ndim)) > 0:
        full = np.expand_dims(e, einsum_missing(subscripts, i, x.ndim))
        if len(einsum_repeated(subscripts, i, x.ndim)) > 0:
            full = full * diagonal_mask(x, einsum_repeated(subscripts, i, x.ndim))
        return np.broadcast_to(full, x.shape)
    return e


@rule(np.einsum, when=lambda subscripts: isinstance(subscripts, str))
def einsum_1(z, subscripts, x, *, optimize=False):
    d[z] = np.einsum(subscripts, d[x], optimize=optimize)
    d[x] += einsum_fit(np.einsum(einsum_from(subscripts, 0), d[z]), x, subscripts, 0)


@rule(np.einsum, when=lambda subscripts: isinstance(subscripts, str))
def einsum_2(z, subscripts, x, y, *, optimize=False):
    d[z] = np.einsum(subscripts, d[x], y) + np.einsum(subscripts, x, d[y])
    d[x] += einsum_fit(np.einsum(einsum_from(subscripts, 0), d[z], y), x, subscripts, 0)
    d[y] += einsum_fit(np.einsum(einsum_from(subscripts, 1), d[z], x), y, subscripts, 1)


@rule(np.einsum, when=lambda subscripts: isinstance(subscripts, str))
def einsum_3(z, subscripts, x, y, w, *, optimize=False):
    d[z] = (
        np.einsum(subscripts, d[x], y, w, optimize=optimize)
        + np.einsum(subscripts, x, d[y], w, optimize=optimize)
        + np.einsum(subscripts, x, y, d[w], optimize=optimize)
    )
    d[x] += einsum_fit(
        np.einsum(einsum_from(subscripts, 0), d[z], y, w, optimize=optimize), x, subscripts, 0
    )
    d[y] += einsum_fit(
        np.einsum(einsum_from(subscripts, 1), d[z], x, w, optimize=optimize), y, subscripts, 1
    )
    d[w] += einsum_fit(
        np.einsum(einsum_from(subscripts, 2), d[z], x, y, optimize=optimize), w, subscripts, 2
    )


# others


@rule(np.kron, when=_ranks(2, 2, 2, 2))
def kron(z, x, y):
    """z[i * p + k, j * q + l] == x[i, j] * y[k, l]."""
    d[z] = np.kron(d[x], y) + np.kron(x, d[y])
    w = np.reshape(d[z], (x.shape[0], y.shape[0], x.shape[1], y.shape[1]))
    d[x] += np.einsum("ikjl,kl->ij", w, y)
    d[y] += np.einsum("ikjl,ij->kl", w, x)


@rule(np.kron, when=_ranks(1, 1, 1, 1))
def kron_vectors(z, x, y):
    d[z] = np.kron(d[x], y) + np.kron(x, d[y])
    w = np.reshape(d[z], (x.shape[0], y.shape[0]))
    d[x] += w @ y
    d[y] += x @ w


@inline
def turned(v):
    """Vectors of the plane, turned a quarter clockwise."""
    return np.stack([v[..., 1], -v[..., 0]], axis=-1)


@inline
def cross_left(g, x, y):
    """The cotangent of x, given that of np.cross(x, y)."""
    if g.ndim < max(x.ndim, y.ndim):
        return column(g) * turned(y)  # in the plane the product is a number
    return np.cross(y, g)


@inline
def cross_right(g, x, y):
    """The cotangent of y, given that of np.cross(x, y)."""
    if g.ndim < max(x.ndim, y.ndim):
        return column(g) * -turned(x)
    return np.cross(g, x)


@rule(np.cross, *named(np.linalg, "cross"))
def cross(z, x, y):
    d[z] = np.cross(d[x], y) + np.cross(x, d[y])
    d[x] += cross_left(d[z], x, y)
    d[y] += cross_right(d[z], x, y)


@rule(np.linalg.multi_dot, when=lambda xs: len(xs) == 2 and all(x.ndim == 2 for x in xs))
def multi_dot_2(z, xs):
    d[z] = d[xs][0] @ xs[1] + xs[0] @ d[xs][1]
    d[xs] += [d[z] @ xs[1].T, xs[0].T @ d[z]]


@rule(np.linalg.multi_dot, when=lambda xs: len(xs) == 3 and all(x.ndim == 2 for x in xs))
def multi_dot_3(z, xs):
    d[z] = (
        np.linalg.multi_dot([d[xs][0], xs[1], xs[2]])
        + np.linalg.multi_dot([xs[0], d[xs][1], xs[2]])
        + np.linalg.multi_dot([xs[0], xs[1], d[xs][2]])
    )
    d[xs] += [
        np.linalg.multi_dot([d[z], xs[2].T, xs[1].T]),
        np.linalg.multi_dot([xs[0].T, d[z], xs[2].T]),
        np.linalg.multi_dot([xs[1].T, xs[0].T, d[z]]),
    ]


@rule(np.convolve)
def convolve(z, x, y, mode="full"):
    """Each cotangent is a correlation with the other operand, turned round."""
    d[z] = np.convolve(d[x], y, mode) + np.convolve(x, d[y], mode)
    w = unconvolved(d[z], x, y, mode, (min(x.size, y.size) - 1) // 2)
    d[x] += np.convolve(w, y[::-1], "valid")
    d[y] += np.convolve(w, x[::-1], "valid")


@rule(np.correlate, when=lambda x, y: not (np.iscomplexobj(x) or np.iscomplexobj(y)))
def correlate(z, x, y, mode="valid"):
    """np.convolve(x, y[::-1], mode)."""
    d[z] = np.correlate(d[x], y, mode) + np.correlate(x, d[y], mode)
    # In mode "same" the middle is that of the longer operand.
    w = unconvolved(d[z], x, y, mode, (min(x.size, y.size) - (x.size >= y.size)) // 2)
    d[x] += np.convolve(w, y, "valid")
    d[y] += np.convolve(w, x[::-1], "valid")[::-1]
