"""The table of cases, continued: products, linear algebra, Fourier transforms, interpolation."""

import numpy as np

from adjoint.rules import runtime

from .case import case
from .domains import (
    Literal,
    Sequence,
    complex_,
    distinct,
    far_from_zero,
    increasing,
    spd,
    spread_values,
    well_conditioned,
    within,
)

PRODUCTS = [
    *(case(f, a, b) for f in (np.matmul, np.dot) for a, b in (
        ((3,), (3,)), ((2, 3), (3, 4)), ((2, 3), (3,)), ((3,), (3, 4)), ((5, 2, 3), (3, 4)),
        ((5, 2, 3), (3,)), (complex_(2, 3), (3, 4)), (complex_(3), complex_(3)))),
    *(case(np.matmul, a, b) for a, b in (
        ((3,), (5, 3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)),
        ((5, 2, 3), (6, 1, 3, 4)), ((6, 5, 2, 3), (3,)))),
    *(case(np.dot, a, b) for a, b in (
        ((), (2, 3)), ((2, 3), ()), ((3,), (5, 3, 4)), ((2, 3), (5, 3, 4)),
        ((2, 2, 3), (2, 5, 3, 4)))),
    case(np.linalg.matmul, (2, 3), (3, 4)),
    case(np.linalg.matmul, (5, 2, 3), (3, 4)),
    *(case(np.inner, a, b) for a, b in (
        ((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), (3,)), ((2, 5, 3), (4, 3)), ((), (3,)),
        (complex_(3), complex_(3)))),
    case(np.vdot, (3,), (3,)),
    case(np.vdot, complex_(3), complex_(3)),
    *(case(np.vdot, a, b) for a, b in (((2, 3), (2, 3)), ((2, 3), (6,)), ((), ()),
      (complex_(2, 3), complex_(2, 3)), (complex_(2, 3), (2, 3)), ((3, 1), complex_(1, 3)))),
    case(np.vecdot, complex_(2, 3), complex_(3)),
    case(np.linalg.vecdot, (2, 3), (2, 3), axis=[-1, 0]),
    case(np.linalg.tensordot, (2, 3), (3, 4), axes=[1]),
    case(np.vecdot, (3,), (3,)),
    case(np.vecdot, (2, 3), (4, 1, 3)),
    case(np.outer, (2,), (3,)),
    case(np.outer, (2, 2), (3, 1)),
    case(np.linalg.outer, (2,), (3,)),
    case(np.tensordot, (2, 3, 4), (3, 4, 5), axes=[2]),
    case(np.tensordot, (2, 3), (4,), axes=[0]),
    case(np.tensordot, (2, 3, 4), (4, 5, 3), axes=[Literal(([1, 2], [2, 0]))]),
    case(np.tensordot, (2, 3, 4), (4, 5, 3), axes=[Literal(([-1, 1], [0, -1])), Literal((2, 0))]),
    *(case(np.einsum, s, (2, 3) if s[:2] == "ij" else (3, 3)) for s in (
        "ij->ji", "ij->i", "ij->", "ii->i", "ii", "...j->...", "...ij->...ji")),
    case(np.einsum, "iij->j", (3, 3, 2)),
    case(np.einsum, "iij->i", (3, 3, 2)),
    case(np.einsum, "ij,jk->ik", (2, 3), (3, 4), optimize=[True]),
    case(np.einsum, "ij->j", (2, 3), optimize=[True]),
    *(case(np.einsum, s, (2, 3), (3, 4)) for s in ("ij,jk->ik", "ij,jk", "ij,jk->ki", "ij,kl->jl")),
    *(case(np.einsum, s, (2, 3), (2, 3)) for s in ("ij,ij->", "ij,ij->i", "ij,ik->jk")),
    case(np.einsum, "ii,ij->j", (3, 3), (3, 2)),
    case(np.einsum, "i,j->ij", (2,), (3,)),
    case(np.einsum, "...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    case(np.einsum, "ij,...jk->...ik", (2, 3), (5, 3, 4)),
    case(np.einsum, "ij,jk->ik", complex_(2, 3), (3, 4)),
    case(np.einsum, "i,ij,j->", (2,), (2, 3), (3,), optimize=[False, True]),
    case(np.kron, (2, 3), (3, 2)),
    case(np.kron, (2,), (3,)),
    *(case(np.cross, a, b) for a, b in (((3,), (3,)), ((4, 3), (3,)), ((2, 4, 3), (4, 3)))),
    case(np.linalg.cross, (4, 3), (4, 3)),
    case(np.linalg.multi_dot, Sequence((2, 3), (3, 4))),
    case(np.linalg.multi_dot, Sequence((2, 3), (3, 4), (4, 2))),
    *(case(np.convolve, a, b, mode=["full", "same", "valid"]) for a, b in (
        ((5,), (3,)), ((3,), (5,)), ((6,), (4,)), ((4,), (4,)), ((4,), (6,)))),
    case(np.convolve, complex_(5), complex_(3)),
    *(case(np.correlate, a, b, mode=["full", "same", "valid"]) for a, b in (
        ((5,), (3,)), ((3,), (5,)), ((6,), (4,)), ((4,), (4,)), ((4,), (6,)), ((4,), (5,)))),
]  # fmt: skip
if hasattr(np, "matvec"):
    PRODUCTS += [case(np.matvec, (5, 2, 3), (3,)), case(np.vecmat, (2,), (5, 2, 3))]

_STACKS = [(3,), (2, 3, 3)]

LINALG = [
    *(case(f, well_conditioned(*s)) for f in (np.linalg.inv, np.linalg.det, np.linalg.slogdet)
      for s in _STACKS),
    *(case(np.linalg.solve, well_conditioned(*a), b) for a, b in (
        ((3,), (3,)), ((3,), (3, 2)), ((2, 3, 3), (3,)), ((2, 3, 3), (3, 2)), ((3,), (2, 3, 2)))),
    case(np.linalg.solve, complex_(3, 3), complex_(3, 2)),
    case(np.linalg.inv, complex_(3, 3)),
    *(case(np.linalg.pinv, spread_values(*s)) for s in ((4, 3), (3, 4), (2, 4, 3))),
    case(np.linalg.pinv, spread_values(4, 3), rcond=[1e-10]),
    case(np.linalg.pinv, spread_values(4, 3), rtol=[1e-10]),
    *(case(np.linalg.matrix_power, (3, 3), n) for n in (1, 2, 3, 4, 6)),
    *(case(np.linalg.matrix_power, well_conditioned(3), n) for n in (-1, -2, -5)),
    *(case(np.linalg.trace, (2, 3, 4), offset=[k]) for k in (0, 1)),
    *(case(f, spd(*s)) for f in (np.linalg.cholesky, np.linalg.eigh, np.linalg.eigvalsh)
      for s in _STACKS),
    *(case(f, spd(3), UPLO=["L", "U"]) for f in (np.linalg.eigh, np.linalg.eigvalsh)),
    *(case(np.linalg.svd, spread_values(*s), full_matrices=[False])
      for s in ((3, 3), (4, 3), (3, 4), (2, 4, 3))),
    case(np.linalg.svd, spread_values(3, 3)),
    *(case(np.linalg.svd, spread_values(*s), compute_uv=[False])
      for s in ((3, 3), (4, 3), (2, 3, 4))),
    case(np.linalg.svdvals, spread_values(4, 3)),
    *(case(np.linalg.qr, well_conditioned(*s), mode=["reduced"])
      for s in ((3, 3), (4, 3), (2, 4, 3))),
]  # fmt: skip

NORMS = [
    case(np.linalg.norm, (5,), ord=[None, 2, 3, 2.5], keepdims=[False, True]),
    case(np.linalg.norm, far_from_zero(5), ord=[1, 0]),
    case(np.linalg.norm, distinct(5), ord=[np.inf, -np.inf], keepdims=[False, True]),
    case(np.linalg.norm, (2, 3), axis=[None, 0, -1, (0, 1)], keepdims=[False, True]),
    case(np.linalg.norm, (2, 3), ord=[2, 3], axis=[0, 1], keepdims=[False, True]),
    case(np.linalg.norm, distinct(2, 3), ord=[1, np.inf, -np.inf], axis=[0, 1]),
    case(np.linalg.norm, (2, 3), ord="fro", axis=[None, (0, 1)]),
    case(np.linalg.norm, (4, 2, 3), axis=[(1, 2), (0, -1)]),
    case(np.linalg.norm, distinct(3, 4), ord=[1, -1, np.inf, -np.inf], keepdims=[False, True]),
    case(np.linalg.norm, spread_values(3, 4), ord=["nuc", 2, -2], keepdims=[False, True]),
    case(np.linalg.norm, complex_(5), ord=[None, 1, 3, np.inf]),
    case(np.linalg.vector_norm, (2, 3), axis=[None, 0], keepdims=[False, True], ord=[2]),
    case(np.linalg.matrix_norm, (2, 3, 4), keepdims=[False, True], ord=["fro"]),
]

_NORMS = [None, "backward", "ortho", "forward"]

FFT = [
    *(case(f, domain(4, 5), n=[None, 4, 7], axis=[-1, 0])
      for f in (np.fft.fft, np.fft.ifft) for domain in (complex_, lambda *s: within(-1, 1, *s))),
    *(case(f, complex_(5), norm=_NORMS) for f in (np.fft.fft, np.fft.ifft)),
    case(np.fft.rfft, (4, 5), n=[None, 4, 7, 8], axis=[-1, 0]),
    case(np.fft.rfft, (5,), norm=_NORMS),
    case(np.fft.rfft, (5,), n=4, norm=_NORMS),
    case(np.fft.irfft, complex_(4, 5), n=[None, 4, 7, 9, 12], axis=[-1, 0]),
    case(np.fft.irfft, complex_(5), n=[None, 9], norm=_NORMS),
    *(case(f, complex_(2, 3, 4), axes=[None, (0, 1)] if f in (np.fft.fftn, np.fft.ifftn) else (
        [(-2, -1), (0, 1)]), norm=_NORMS)
      for f in (np.fft.fft2, np.fft.ifft2, np.fft.fftn, np.fft.ifftn)),
    *(case(np.fft.rfft2, (2, *s), norm=_NORMS) for s in ((3, 4), (4, 5))),
    *(case(f, (2, 3, 5), axes=[(0, 2), (-1, 0)]) for f in (np.fft.rfft2, np.fft.rfftn)),
    case(np.fft.rfftn, (2, 3, 4), norm=_NORMS),
    case(np.fft.rfftn, (2, 3, 4), axes=[(1, 2), (-2, 0)]),
    *(case(f, complex_(2, 3, 4), norm=_NORMS) for f in (np.fft.irfft2, np.fft.irfftn)),
    case(np.fft.irfft2, complex_(2, 3, 4), axes=[(0, 1), (-1, 0)]),
    case(np.fft.irfftn, complex_(2, 3, 4), axes=[(0, 1), (-1, 0)]),
    *(case(f, (3, 4), axes=[None, 0, (0, 1)]) for f in (np.fft.fftshift, np.fft.ifftshift)),
    case(runtime.fit_axis, (3, 4), 2, axis=[-1, 0]),
    case(runtime.fit_axis, (3, 4), 6, axis=[-1, 0]),
]  # fmt: skip

INTERPOLATION = [
    case(np.interp, within(0, 6, 7), increasing(5), (5,)),
    case(np.interp, within(-1, 9, 2, 7), increasing(5), (5,)),
]
