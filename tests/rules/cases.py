"""The table of cases: every rule has a row here, and every option of its template.

A tuple is an array operand of that shape, a list of an option's values stands for each of them, and
`Literal` is for a tuple or list that is written as it is.
"""

import builtins
import math
import operator

import numpy as np

from adjoint.nn.functional.activations import normal_cdf
from adjoint.rules import runtime
from adjoint.rules.template import named

from .case import case
from .cases_generic import GENERIC
from .cases_linalg import FFT, INTERPOLATION, LINALG, NORMS, PRODUCTS
from .cases_nn import ACTIVATIONS, CELLS, CONVOLUTION, FUSED, POOLING
from .cases_statistics import STATISTICS
from .domains import (
    Literal,
    Sequence,
    complex_,
    distinct,
    far_from_zero,
    fixed,
    increasing,
    ints,
    mask,
    normal,
    number,
    positive,
    ragged,
    with_nan,
    with_zeros,
    within,
)

# np.pad takes a dict of axes from NumPy 2.2 on.
PADS_BY_AXIS = np.lib.NumpyVersion(np.__version__) >= "2.2.0"
AXES = [None, 0, -1, (0, 1)]

ARITHMETIC = [
    *(case(f, (2, 3), (3,)) for f in (np.add, np.subtract, np.multiply)),
    *(case(f, (2, 3), number()) for f in (np.add, np.subtract, np.multiply)),
    *(case(f, number(), number()) for f in (np.add, np.subtract, np.multiply)),
    case(np.multiply, complex_(2, 3), (3,)),
    case(np.true_divide, (2, 3), far_from_zero(3)),
    case(np.true_divide, complex_(3), complex_(3)),
    case(np.positive, (3,)),
    case(np.negative, (3,)),
    case(np.square, (3,)),
    case(np.square, complex_(3)),
    case(np.reciprocal, far_from_zero(3)),
    case(np.power, positive(2, 3), (3,)),
    *(case(np.power, far_from_zero(2, 3), n) for n in (1, 2, 3, -1)),
    case(np.power, positive(3), 0.5),
    case(np.power, positive(3), 0),
    case(np.power, complex_(3), 2),
    case(np.power, number(0.5, 2), number()),
    case(np.float_power, positive(3), (3,)),
    case(np.divmod, far_from_zero(4), far_from_zero(4)),
    case(builtins.divmod, number(1, 2), number(0.3, 0.4)),
    case(np.remainder, far_from_zero(2, 4), far_from_zero(4)),
    case(np.fmod, far_from_zero(2, 4), far_from_zero(4)),
]

ELEMENTWISE = [
    *(case(f, (2, 3)) for f in (np.exp, np.exp2, np.expm1, np.sin, np.cos, np.tan, np.arctan,
                                np.sinh, np.cosh, np.tanh, np.arcsinh, np.sinc, np.deg2rad,
                                np.rad2deg, np.radians, np.degrees)),
    *(case(f, positive(2, 3)) for f in (np.log, np.log2, np.log10, np.log1p, np.sqrt)),
    *(case(f, within(-0.8, 0.8, 2, 3)) for f in (np.arcsin, np.arccos, np.arctanh)),
    *(case(f, complex_(3)) for f in (np.exp, np.log, np.sqrt, np.sin, np.cos, np.tan, np.sinh,
                                     np.cosh, np.tanh, np.arcsinh, np.arccosh, np.arcsin)),
    case(np.cbrt, far_from_zero(2, 3)),
    case(np.arccosh, within(1.5, 3, 2, 3)),
    case(np.sinc, within(-0.009, 0.009, 4)),
    case(np.arctan2, (2, 3), (3,)),
    case(np.hypot, (2, 3), (3,)),
    case(np.logaddexp, (2, 3), (3,)),
    case(np.logaddexp2, (2, 3), (3,)),
    case(np.ldexp, (3,), ints(4, 3)),
    case(np.modf, within(1.1, 1.9, 2, 3)),
    case(np.unwrap, within(-3, 3, 2, 5), discont=[None, 4.0], axis=[-1, 0], period=[7.0]),
    *(case(f, complex_(2, 3)) for f in (np.conjugate, np.real, np.imag, np.angle, np.absolute)),
    *(case(f, (2, 3)) for f in (np.conjugate, np.real, np.imag, np.real_if_close)),
    case(np.angle, (3,), deg=[False, True]),
    case(np.angle, complex_(3), deg=[False]),
    case(np.sign, far_from_zero(3)),
]  # fmt: skip

SELECTION = [
    *(case(f, far_from_zero(2, 3)) for f in (np.absolute, np.fabs)),
    case(np.copysign, far_from_zero(2, 3), far_from_zero(3)),
    case(np.heaviside, fixed(with_zeros(6)), (6,)),
    *(case(f, distinct(2, 3), (3,)) for f in (np.maximum, np.minimum, np.fmax, np.fmin)),
    case(np.maximum, far_from_zero(2, 3), 0),
    case(np.maximum, 0, far_from_zero(2, 3)),
    case(np.minimum, far_from_zero(2, 3), 0),
    case(np.minimum, 0, far_from_zero(2, 3)),
    case(np.fmax, with_nan(2, 3), (3,)),
    case(np.fmin, with_nan(2, 3), (3,)),
    case(np.clip, (3, 4), -0.5, 0.5),
    case(np.clip, (3, 4), within(-1, -0.2, 4), within(0.2, 1, 3, 1)),
    case(np.clip, (3, 4), within(0.2, 1, 4), within(-1, -0.2, 3, 1)),
    case(np.clip, (3, 4), within(-1, 1, 4), None),
    case(np.clip, (3, 4), None, within(-1, 1, 4)),
    case(np.where, mask(2, 3), (2, 3), (3,)),
    case(np.where, mask(3), number(), (2, 3)),
    case(np.select, Sequence(mask(3), mask(3)), Sequence((3,), (3,)), default=[0, number()]),
    case(np.choose, ints(2, 4), Sequence((4,), (4,))),
    case(runtime.unselect, (3,), Sequence(mask(3), mask(3))),
    case(runtime.unchoose, (4,), ints(2, 4), Sequence((4,), (4,))),
    case(np.nan_to_num, with_nan(2, 3), nan=[0.0, 2.0], posinf=[None, 3.0], neginf=[None, 1.0]),
]

REDUCTIONS = [
    case(np.sum, (2, 3), axis=AXES, keepdims=[False, True]),
    case(np.sum, complex_(2, 3), axis=0),
    *(case(f, (2, 3), axis=AXES, keepdims=[False, True], where=mask(2, 3))
      for f in (np.sum, np.prod)),
    case(np.mean, (9, 8), axis=AXES, keepdims=[False, True], where=mask(9, 8)),
    *(case(f, complex_(2, 3), axis=[None, 1], where=mask(3)) for f in (np.sum, np.prod)),
    case(np.prod, with_zeros(2, 3), axis=[None, 1], where=mask(2, 3)),
    case(np.sum, (2, 3, 4), axis=[(0, 2), (-1, 0), ()]),
    case(np.mean, (2, 3), axis=AXES, keepdims=[False, True]),
    case(np.mean, (2, 3, 4), axis=[(0, -1), ()]),
    case(np.nansum, with_nan(2, 3), axis=[None, 1], keepdims=[False, True]),
    case(np.nanmean, with_nan(2, 3), axis=[None, 1], keepdims=[False, True]),
    case(np.average, (2, 3), axis=AXES, keepdims=[False, True]),
    case(np.average, (2, 3), axis=AXES, weights=positive(2, 3), keepdims=[False, True]),
    *(case(f, distinct(2, 3), axis=AXES, keepdims=[False, True]) for f in (
        np.max, np.amax, np.min, np.amin, np.ptp)),
    *(case(f, with_nan(2, 3), axis=[None, 1], keepdims=[False, True]) for f in (
        np.nanmax, np.nanmin)),
    *(case(f, (2, 3), axis=AXES, ddof=[0, 1], keepdims=[False, True]) for f in (np.var, np.std)),
    *(case(f, complex_(2, 3), axis=[None, 1]) for f in (np.var, np.std)),
]  # fmt: skip

SCANS = [
    *(case(np.prod, domain(2, 3), axis=AXES, keepdims=[False, True])
      for domain in (normal, with_zeros)),
    case(np.prod, (2, 3, 4), axis=[(2, 0), (0, 1), (-1, 1), 1]),
    case(runtime.others_last, (2, 3)),
    case(runtime.others_last, with_zeros(2, 4)),
    case(np.cumsum, (2, 3), axis=[None, 0, -1]),
    case(np.cumprod, (2, 3), axis=[None, 0, -1]),
    case(np.cumprod, with_zeros(2, 4), axis=[None, 0, -1]),
    case(runtime.recurrence, (4, 2), (4, 2)),
    *(case(f, ragged(4, 5), axis=[None, 0, -1]) for f in (np.nanprod, np.nancumsum, np.nancumprod)),
    case(np.nanprod, ragged(4, 5), axis=(0, 1), keepdims=True),
    case(np.ediff1d, (2, 3)),
    case(np.gradient, (5,), number(0.5, 1.5)),
    case(np.gradient, (2,)),
    case(np.gradient, (3, 4), axis=[0, 1, -1]),
    case(np.gradient, (3, 4)),
    case(np.gradient, (3, 4), 0.5, axis=1),
    case(runtime.ungradient, (3, 4), 1),
    case(np.diff, (4, 5), n=[1, 2], axis=[-1, 0]),
    case(np.trapezoid, (3, 4), dx=[1.0, number()], axis=[-1, 0]),
    case(np.trapezoid, (3, 4), increasing(4)),
    case(np.trapezoid, (3, 4), (3, 4), axis=[0, -1]),
]  # fmt: skip
if hasattr(np, "cumulative_sum"):
    SCANS += [case(np.cumulative_sum, (2, 3), axis=[0, -1]), case(np.cumulative_sum, (3,))]
    SCANS += [case(np.cumulative_prod, (2, 3), axis=[0, -1]), case(np.cumulative_prod, (3,))]

SHAPE = [
    case(np.reshape, (2, 6), Literal((3, 4)), order=["C", "F"]),
    case(np.reshape, (2, 6), -1),
    *(case(f, (2, 3), order=["C", "F"]) for f in (np.ravel, np.ndarray.flatten)),
    case(np.squeeze, (1, 3, 1), axis=[None, 0, (0, 2)]),
    *(case(f, shape) for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d)
      for shape in ((), (3,), (2, 3))),
    case(np.expand_dims, (2, 3), axis=[0, -1, (0, 2)]),
    case(np.transpose, (2, 3, 4), axes=[None, Literal((1, 2, 0)), Literal((-1, 0, 1))]),
    case(np.matrix_transpose, (2, 3, 4)),
    case(np.linalg.matrix_transpose, (3, 4)),
    case(np.swapaxes, (2, 3, 4), 0, -1),
    case(np.moveaxis, (2, 3, 4), 0, -1),
    case(np.moveaxis, (2, 3, 4), Literal((0, 1)), Literal((2, 0))),
    case(np.broadcast_to, (3,), Literal((2, 3))),
    case(np.broadcast_to, (2, 1), Literal((4, 2, 3))),
    case(np.broadcast_arrays, (2, 1), (3,)),
    case(np.meshgrid, (2,), (3,), indexing=["xy", "ij"]),
    case(np.concatenate, Sequence((2, 3), (4, 3)), axis=[0, None]),
    case(np.concatenate, Sequence((3, 2), (3, 1)), axis=[1, -1]),
    case(np.concatenate, Sequence((2, 3, 2), (2, 1, 2)), axis=-2),
    case(np.concatenate, Sequence((2, 3), (1, 3), (4, 3)), axis=0),
    case(np.concatenate, Sequence((2, 3)), axis=0),
    case(runtime.split_like, (5, 3), Sequence((2, 3), (3, 3)), axis=0),
    case(runtime.unstack_like, (2, 3), Sequence((3,), (3,)), axis=0),
    case(runtime.split_like, (2, 5), Sequence((2, 3), (2, 2)), axis=1),
    case(runtime.unstack_like, (3, 2), Sequence((3,), (3,)), axis=1),
    *(case(np.stack, Sequence(*[(2, 3)] * n), axis=[0, 1, -1]) for n in (1, 2, 3, 4)),
    *(case(np.hstack, Sequence(a, b)) for a, b in (((2,), (3,)), ((2, 1), (2, 3)), ((), ()))),
    *(case(np.vstack, Sequence(a, b)) for a, b in (((3,), (3,)), ((2, 3), (1, 3)))),
    case(np.vstack, Sequence((2, 3), (3,))),
    *(case(np.column_stack, Sequence(a, b)) for a, b in (((3,), (3,)), ((2, 3), (2, 1)))),
    case(np.column_stack, Sequence((2,), (2, 3))),
    case(runtime.split_columns, (2, 4), Sequence((2,), (2, 3))),
    case(np.dstack, Sequence((2, 3, 1), (2, 3, 2))),
    case(np.append, (2, 3), (4,)),
    case(np.append, (2, 3), (2, 1), axis=1),
    *(case(f, (4, 6), n, axis=[0, 1]) for f in (np.split, np.array_split)
      for n in (2, Literal([1, 3]))),
    *(case(f, (4, 6), 2) for f in (np.vsplit, np.hsplit)),
    case(np.hsplit, (4,), 2),
    case(np.dsplit, (2, 3, 4), 2),
    *(case(np.tile, shape, r) for shape in ((3,), (2, 3))
      for r in (2, Literal((2, 1)), Literal((2, 1, 2)))),
    case(runtime.untile, (2, 6), (3,), Literal((2, 2))),
    case(np.repeat, (2, 3), 2, axis=[None, 0, -1]),
    case(np.repeat, (2, 3), Literal([0, 2, 1]), axis=1),
    case(runtime.unrepeat, (4, 3), (2, 3), 2, axis=0),
    case(np.roll, (2, 3), 1, axis=[None, 0, -1]),
    case(np.roll, (2, 3), Literal((1, 2)), axis=(0, 1)),
    case(np.flip, (2, 3), axis=[None, 0, (0, 1)]),
    *(case(f, (2, 3)) for f in (np.fliplr, np.flipud)),
    case(np.rot90, (2, 3), k=[1, 2, -1], axes=[(0, 1), (1, 0)]),
    case(np.pad, (2, 3), 1),
    *([case(np.pad, (2, 3), Literal({0: 1, -1: (0, 2)}))] if PADS_BY_AXIS else []),
    case(np.pad, (2, 3), Literal(((1, 0), (0, 2))), mode="constant", constant_values=3.0),
    *(case(np.pad, (4, 5), w, mode=["edge", "reflect", "symmetric", "wrap"])
      for w in (1, Literal((2, 1)))),
    case(runtime.unpad, (4, 5), (2, 3), 1, "edge"),
]  # fmt: skip
if hasattr(np, "unstack"):
    SHAPE += [case(np.unstack, (2, 3), axis=[0, 1])]

_BASIC = [0, -1, slice(1, 3), slice(None, None, -2), (1, slice(None)), (Ellipsis, 0),
          (None, slice(2, None), 1)]  # fmt: skip
_FANCY = [[0, 2, 2], ([0, 1], [2, 2]), (slice(None), [1, 1])]

INDEXING = [
    *(case(operator.getitem, (4, 3), Literal(i)) for i in _BASIC + _FANCY),
    case(operator.getitem, (4, 3), ints(4, 5)),
    case(operator.getitem, (4, 3), mask(4)),
    case(operator.getitem, (4, 3), mask(4, 3)),
    case(runtime.scatter, (3, 3), (4, 3), Literal([0, 2, 2])),
    case(runtime.scatter, (2, 3), (4, 3), Literal(slice(1, 3))),
    case(np.take, (4, 3), ints(3, 2, 2), axis=[None, 0, -1]),
    case(runtime.untake, (5, 3), (4, 3), ints(4, 5), axis=[0]),
    case(np.take_along_axis, (4, 3), ints(3, 4, 2), axis=[-1]),
    case(np.take_along_axis, (4, 3), ints(4, 2, 3), axis=[0]),
    case(runtime.untake_along_axis, (2, 3), (4, 3), ints(4, 2, 3), axis=[0]),
    case(np.compress, Literal([True, False, True]), (2, 3), axis=[1]),
    case(np.extract, mask(2, 3), (2, 3)),
    case(np.bincount, ints(4, 6), (6,)),
    case(np.bincount, ints(3, 4), weights=positive(4), minlength=6),
    case(np.sort, distinct(3, 4), axis=[-1, 0, None]),
    case(np.partition, distinct(3, 5), 2, axis=[-1, 0]),
    case(np.diagonal, (3, 4), offset=[0, 1, -1]),
    case(np.diagonal, (2, 3, 3), axis1=[1], axis2=[2]),
    case(np.diagonal, (2, 3, 3), offset=1, axis1=[-1], axis2=[0]),
    case(runtime.undiagonal, (3,), (3, 4), offset=[1]),
    case(runtime.undiagonal, (4, 2), (2, 3, 4), axis1=[1], axis2=[0]),
    case(np.diag, (3,), k=[0, 1]),
    case(np.diag, (3, 4), k=[0, -1]),
    case(np.diagflat, (2, 2), k=[0, 1]),
    case(np.trace, (3, 4), offset=[0, 1, -1]),
    case(np.trace, (2, 3, 4), axis1=[1], axis2=[2]),
    case(np.trace, (2, 3, 4), offset=1, axis1=[2], axis2=[0]),
    *(case(f, (2, 3, 4), k=[0, -1, 1]) for f in (np.tril, np.triu)),
]

_AS_ARRAYS = (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray)

CREATION = [
    *(case(f, (2, 3)) for f in (*_AS_ARRAYS, np.copy)),
    *(case(f, (2, 3), dtype=[np.float64]) for f in _AS_ARRAYS),
    case(np.array, number()),
    case(np.array, Sequence(number(), number())),
    case(np.array, Sequence((2,), (2,))),
    case(np.array, Sequence(Sequence(number(), number()), Sequence(number(), number()))),
    case(builtins.float, number()),
    case(builtins.complex, number()),
    case(builtins.complex, number(), number()),
    case(np.ndarray.item, (1,)),
    case(np.ndarray.astype, (3,), np.float64),
    *(case(f, within(1.2, 1.8, 3), dtype=[int]) for f in (np.array, np.ndarray.astype)),
    *(case(f, number()) for f in (np.float64, np.complex128)),
    case(np.full, Literal((2, 3)), number()),
    case(np.full, Literal((2, 3)), (3,), dtype=[np.float64]),
    case(np.full_like, (2, 3), (3,), dtype=[None, np.float64]),
    case(np.geomspace, number(0.5, 1), number(2, 3), num=[5], endpoint=[True, False]),
    case(np.logspace, number(), number(), num=[5], endpoint=[True, False], base=[10.0, 2.0]),
    case(np.linspace, number(), number(), num=[5], endpoint=[True, False]),
]
if hasattr(np, "astype"):
    CREATION += [case(np.astype, (3,), np.float64), case(np.astype, within(1.2, 1.8, 3), int)]

BUILTINS = [
    *(case(f, number(), number()) for f in (builtins.max, builtins.min)),
    *(case(f, Sequence(number(), number(), number())) for f in (builtins.max, builtins.min)),
    *(case(f, distinct(4)) for f in (builtins.max, builtins.min)),
    case(runtime.share, number(), 1.0, Literal([1.0, 0.5, 1.0])),
    case(builtins.sum, Sequence(number(), number())),
    case(builtins.sum, Sequence((2,), (2,)), number()),
    case(builtins.sum, (3, 2), number()),
    case(runtime.copies, number(), 3),
    case(math.fsum, Sequence(number(), number())),
    case(math.fsum, (3,)),
    case(math.prod, Sequence(number(), number(), number()), start=[1, number()]),
]

_ANY = "exp exp2 expm1 sin cos tan atan sinh cosh tanh asinh erf erfc degrees radians fabs"
_POSITIVE = "log log2 log10 log1p sqrt cbrt"

MATH = [
    *(case(getattr(math, f), number()) for f in _ANY.split() if hasattr(math, f)),
    *(case(getattr(math, f), number(0.5, 2)) for f in _POSITIVE.split() if hasattr(math, f)),
    *(case(f, number(-0.8, 0.8)) for f in (math.asin, math.acos, math.atanh)),
    case(math.acosh, number(1.5, 3)),
    case(math.log, number(0.5, 2), number(3, 4)),
    case(math.pow, number(0.5, 2), number()),
    case(math.atan2, number(), number(0.5, 2)),
    case(math.hypot, number(), number(0.5, 2)),
    case(math.copysign, number(0.5, 2), number()),
    case(math.fmod, number(1, 2), number(0.3, 0.4)),
    case(math.remainder, number(1, 2), number(0.3, 0.4)),
    case(math.ldexp, number(), 3),
]

CASES = [
    row
    for table in (
        ARITHMETIC, ELEMENTWISE, SELECTION, REDUCTIONS, SCANS, SHAPE, INDEXING, CREATION, BUILTINS,
        MATH, PRODUCTS, LINALG, NORMS, FFT, INTERPOLATION, STATISTICS, GENERIC, CONVOLUTION,
        POOLING, FUSED, ACTIVATIONS, CELLS,
    )
    for rows in table
    for row in rows
]  # fmt: skip

# the same in single precision, where a rule must not compute in double
SINGLE = [row for row in (row.single() for row in CASES) if row is not None]

# What CuPy 14 cannot run, and why: by function, and by the text of a call.
NOT_IN_CUPY = {
    fn: f"CuPy has no {fn.__name__}"
    for module, names in (
        (np, "matvec vecmat vecdot unstack nanpercentile nanquantile geomspace"),
        (np.linalg, "matrix_norm vector_norm multi_dot outer svdvals tensordot trace vecdot"),
    )
    for fn in named(module, *names.split())
}
NOT_IN_CUPY[normal_cdf] = "it is in cupyx, which the stand-in for CuPy does not have"
CALLS_NOT_IN_CUPY = {
    "np.compress([True, False, True], x, axis=1)": "CuPy takes no list for the condition",
    "np.linalg.pinv(x, rtol=1e-10)": "CuPy's pinv has no rtol",
}

# Functions that NumPy does not hand on to the module of their operands. With types known, the
# derivative calls that module's own; without, plain NumPy is called and refuses such an array.
NOT_HANDED_ON = {*_AS_ARRAYS, np.full}


def handed_on(case):
    """Whether a case of no known types runs on CuPy."""
    quantiles = case.fn in (np.quantile, np.percentile)
    of_a_list = quantiles and isinstance(case.operands[1].value, (list, tuple))
    return case.fn not in NOT_HANDED_ON and not of_a_list


def why_not_on_cupy(case):
    """Why CuPy cannot run a case; None where it can."""
    masked = "CuPy's reductions have no where" if "where" in case.options else None
    return NOT_IN_CUPY.get(case.fn) or CALLS_NOT_IN_CUPY.get(case.name) or masked
