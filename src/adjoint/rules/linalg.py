"""Inverses, determinants, factorisations and norms of matrices, or of stacks of them.

Giles (2008) is "An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation". Factorisations of symmetric matrices take the argument as symmetric:
their cotangents are symmetric, as in JAX and HIPS autograd.
"""

import numpy as np

from .helpers import (
    as_matrices,
    column,
    inline,
    lower_half,
    mT,
    off_diagonal,
    symmetric,
    unit,
)
from .template import d, named, rule


def _real(a):
    return not np.iscomplexobj(a)


@rule(np.linalg.inv)
def inv(z, a):
    """Giles (2008), section 2.2.3."""
    d[z] = -z @ d[a] @ z
    d[a] -= mT(z) @ d[z] @ mT(z)


@rule(np.linalg.det)
def det(z, a):
    """Giles (2008), section 2.2.4. A singular matrix raises LinAlgError."""
    d[z] = z * np.trace(np.linalg.solve(a, d[a]), axis1=-2, axis2=-1)
    d[a] += as_matrices(d[z] * z) * mT(np.linalg.inv(a))


@rule(np.linalg.slogdet, when=_real)
def slogdet(z, a):
    """The sign is a step function."""
    d[z] = (
        np.zeros_like(z[0]),
        np.trace(np.linalg.solve(a, d[a]), axis1=-2, axis2=-1),
    )
    d[a] += as_matrices(d[z][1]) * mT(np.linalg.inv(a))


@rule(np.linalg.solve, when=lambda a, b: a.ndim == 2 and b.ndim == 1)
def solve_vector(x, a, b):
    """a @ x = b. Giles (2008), section 2.3.1."""
    d[x] = np.linalg.solve(a, d[b] - d[a] @ x)

    w = np.linalg.solve(a.T, d[x])
    d[b] += w
    d[a] -= np.outer(w, x)


@rule(np.linalg.solve, when=lambda b: b.ndim >= 2)
def solve(x, a, b):
    """a @ x = b. Giles (2008), section 2.3.1."""
    d[x] = np.linalg.solve(a, d[b] - d[a] @ x)

    w = np.linalg.solve(mT(a), d[x])
    d[b] += w
    d[a] -= w @ mT(x)


@rule(np.linalg.solve)
def solve_vector_stack(x, a, b):
    """Each of a stack of matrices with one vector."""
    d[x] = np.linalg.solve(a, column(d[b]) - d[a] @ column(x))[..., 0]

    w = np.linalg.solve(mT(a), column(d[x]))
    d[b] += w[..., 0]
    d[a] -= w @ np.expand_dims(x, -2)


@inline
def pinv_change(p, a, t):
    """How pinv(a), which is p, changes with a along t: Golub and Pereyra (1973), (4.12)."""
    near = unit(a.shape[-1], a) - p @ a
    far = unit(a.shape[-2], a) - a @ p
    return -p @ t @ p + p @ mT(p) @ mT(t) @ far + near @ mT(t) @ mT(p) @ p


@rule(np.linalg.pinv, when=_real)
def pinv(z, a, rcond=None, *, rtol=None):
    """Where the rank does not change. `pinv_change`, turned round."""
    d[z] = pinv_change(z, a, d[a])
    near = unit(a.shape[-1], a) - z @ a
    far = unit(a.shape[-2], a) - a @ z
    d[a] -= mT(z) @ d[z] @ mT(z)
    d[a] += far @ mT(d[z]) @ z @ mT(z) + mT(z) @ z @ mT(d[z]) @ near


@rule(*named(np.linalg, "trace"))
def trace_of_last(z, x, *, offset=0):
    d[z] = np.trace(d[x], offset, -2, -1)
    d[x] += as_matrices(d[z]) * np.eye(x.shape[-2], x.shape[-1], offset, dtype=x.dtype)


@rule(np.linalg.matrix_power, when=lambda n: n in (1, 2, 3))
def matrix_power(z, a, n):
    d[z] = power_change(a, d[a], n)
    d[a] += power_change(mT(a), d[z], n)


@inline
def power_change(a, t, n):
    """How the n-th power of a changes with a along t."""
    if n == 1:
        return t
    if n == 2:
        return t @ a + a @ t
    return t @ a @ a + a @ t @ a + a @ a @ t


def _further_power(n):
    return type(n) is int and (3 < n <= 16 or -16 <= n < 0)


@rule(np.linalg.matrix_power, when=_further_power)
def matrix_power_by_steps(z, a, n):
    d[z] = change_by_steps(a, d[a], n)
    d[a] += change_by_steps(mT(a), d[z], n)


@inline
def change_by_steps(a, t, n):
    """How the n-th power of a changes with a along t: a ** n == a @ a ** (n - 1)."""
    if n < 0:
        b = np.linalg.inv(a)
        return change_by_steps(b, -b @ t @ b, -n)
    if n < 4:
        return power_change(a, t, n)
    return t @ np.linalg.matrix_power(a, n - 1) + a @ change_by_steps(a, t, n - 1)


# factorisations


@rule(np.linalg.cholesky, when=_real)
def cholesky(z, a):
    """a = z @ z.T. Murray (2016), "Differentiation of the Cholesky decomposition", section 3."""
    d[z] = z @ lower_half(np.linalg.solve(z, mT(np.linalg.solve(z, symmetric(d[a])))))

    s = np.linalg.solve(mT(z), lower_half(mT(z) @ d[z]))
    d[a] += symmetric(mT(np.linalg.solve(mT(z), mT(s))))


@inline
def gaps(w):
    """w[j] - w[i], with 1 on the diagonal."""
    return np.expand_dims(w, -2) - column(w) + unit(w.shape[-1], w)


@inline
def over(x, y):
    """x / y, and 0 where x is 0, whatever y is."""
    return x / np.where(x == 0, 1, y)


@rule(np.linalg.eigh, when=_real)
def eigh(wv, a, UPLO="L"):
    """a @ v = v * w. Giles (2008), section 3.1, for symmetric a, where inv(v) == v.T.

    The vectors of equal eigenvalues are not differentiable: their part is infinite or nan.
    """
    t = mT(wv[1]) @ symmetric(d[a]) @ wv[1]
    d[wv] = (
        np.diagonal(t, axis1=-2, axis2=-1),
        wv[1] @ over(off_diagonal(t), gaps(wv[0])),
    )
    g = over(off_diagonal(mT(wv[1]) @ d[wv][1]), gaps(wv[0]))
    d[a] += symmetric(wv[1] * np.expand_dims(d[wv][0], -2) @ mT(wv[1]) + wv[1] @ g @ mT(wv[1]))


@rule(np.linalg.eigvalsh, when=_real)
def eigvalsh(w, a, UPLO="L"):
    """Giles (2008), section 3.1."""
    v = np.linalg.eigh(a, UPLO)[1]
    d[w] = np.sum(v * (symmetric(d[a]) @ v), axis=-2)
    d[a] += v * np.expand_dims(d[w], -2) @ mT(v)


@rule(np.linalg.svd, when=lambda a, compute_uv: not compute_uv and _real(a))
def svd_values(s, a, full_matrices=True, compute_uv=True):
    """Giles (2008), section 3.2."""
    usv = np.linalg.svd(a, full_matrices=False)
    d[s] = np.sum(usv[0] * (d[a] @ mT(usv[2])), axis=-2)
    d[a] += usv[0] * np.expand_dims(d[s], -2) @ usv[2]


@rule(np.linalg.svdvals, when=_real)
def svdvals(s, a):
    """Giles (2008), section 3.2."""
    usv = np.linalg.svd(a, full_matrices=False)
    d[s] = np.sum(usv[0] * (d[a] @ mT(usv[2])), axis=-2)
    d[a] += usv[0] * np.expand_dims(d[s], -2) @ usv[2]


@rule(np.linalg.svd, when=lambda a, full_matrices: _real(a) and (not full_matrices or (
      a.shape is not None and a.shape[-1] == a.shape[-2])))  # fmt: skip
def svd(usv, a, full_matrices=True, compute_uv=True):
    """Townsend (2016), "Differentiating the singular value decomposition", (17) to (19) and (33).

    The vectors of equal singular values are not differentiable: their part is infinite or nan.
    """
    u = usv[0]
    s = np.expand_dims(usv[1], -2)  # scales columns
    v = mT(usv[2])
    gap = gaps(usv[1] * usv[1])

    t = mT(u) @ d[a] @ v
    d[usv] = (
        u @ over(off_diagonal(t * s + mT(t * s)), gap) + (d[a] @ v - u @ t) / s,
        np.diagonal(t, axis1=-2, axis2=-1),
        mT(v @ over(off_diagonal(mT(s) * t + mT(mT(s) * t)), gap) + (mT(d[a]) @ u - v @ mT(t)) / s),
    )

    p = mT(u) @ d[usv][0]
    q = mT(v) @ mT(d[usv][2])
    core = over(off_diagonal(p - mT(p)), gap) * s + mT(s) * over(off_diagonal(q - mT(q)), gap)
    d[a] += u @ (core + unit(usv[1].shape[-1], a) * np.expand_dims(d[usv][1], -2)) @ mT(v)
    d[a] += ((d[usv][0] - u @ p) / s) @ mT(v)
    d[a] += (u / s) @ mT(mT(d[usv][2]) - v @ q)


@rule(np.linalg.qr, when=lambda a, mode: mode == "reduced" and _real(a))
def qr(z, a, mode="reduced"):
    """a = q @ r with no more columns than rows. Walter and Lehmann (2012), section 3."""
    x = mT(np.linalg.solve(mT(z[1]), mT(d[a])))
    c = mT(z[0]) @ x
    turn = np.tril(c, -1) - mT(np.tril(c, -1))
    d[z] = (z[0] @ turn + x - z[0] @ c, (c - turn) @ z[1])

    m = z[1] @ mT(d[z][1]) - mT(d[z][0]) @ z[0]
    g = d[z][0] + z[0] @ (np.tril(m) + mT(np.tril(m, -1)))
    d[a] += mT(np.linalg.solve(z[1], mT(g)))
