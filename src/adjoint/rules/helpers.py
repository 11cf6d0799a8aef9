"""What rule templates call besides NumPy.

`@inline` functions are plain expressions that branch only on static facts: the compiler puts their
body in place of the call. `@static` functions are pure functions of ranks, axes, numbers and
strings: the compiler evaluates them. Both can also be called as they are. The functions that
remain calls in a derivative are in runtime.py.
"""

import numpy as np


def inline(function):
    """Mark a function for the compiler to put its body in place of a call."""
    function.__adjoint_inline__ = True
    return function


def static(function):
    """Mark a function for the compiler to evaluate where the arguments are known."""
    function.__adjoint_static__ = True
    return function


# reductions


@inline
def keep(d, axis, keepdims=False):
    """A reduction's result, or its cotangent, with the reduced axes back at length 1."""
    if keepdims:
        return d
    if axis is None or np.ndim(d) == 0:
        return d  # a scalar, which broadcasts as it is
    return np.expand_dims(d, axis)


@inline
def unreduce(d, x, axis=None, keepdims=False):
    """The cotangent of a reduction of x, spread over the axes that were reduced."""
    return np.broadcast_to(keep(d, axis, keepdims), np.shape(x))


@inline
def count(x, axis):
    """How many elements of x are reduced to one."""
    if axis is None:
        return np.size(x)
    if isinstance(axis, tuple):
        if len(axis) == 0:
            return 1
        if len(axis) == 1:
            return x.shape[axis[0]]
        return x.shape[axis[0]] * count(x, axis[1:])
    return x.shape[axis]


@inline
def nonzero_or_one(x):
    """x, with 1 in place of 0: a divisor for what is 0 wherever x is."""
    return np.where(x == 0, 1, x)


@inline
def reversed_cumsum(d, axis):
    """Sums from each element to the end."""
    return np.flip(np.cumsum(np.flip(d, axis), axis=axis), axis)


# complex numbers: no call is made where the operand is known to be real


@inline
def conj(x):
    """The complex conjugate."""
    if np.iscomplexobj(x):
        return np.conjugate(x)
    return x


@inline
def re(x):
    """The real part."""
    if np.iscomplexobj(x):
        return np.real(x)
    return x


# matrices


@inline
def mT(x):
    """Each matrix transposed."""
    if x.ndim == 2:
        return x.T
    return np.swapaxes(x, -1, -2)


@inline
def rows(x):
    """All leading axes made one."""
    if x.ndim == 2:
        return x
    return np.reshape(x, (-1, x.shape[-1]))


@inline
def column(x):
    """Vectors as matrices of one column."""
    return np.expand_dims(x, -1)


@inline
def as_matrices(x):
    """Numbers as matrices of size 1 by 1."""
    if np.ndim(x) == 0:
        return x  # broadcasts as it is
    return np.expand_dims(x, (-2, -1))


@inline
def unit(n, x):
    """The identity matrix of size n, in the dtype of x."""
    return np.eye(n, dtype=x.dtype)


@inline
def symmetric(x):
    """The symmetric part of each matrix."""
    return (x + mT(x)) / 2


# parts of an array along one axis


@inline
def head(x, n, axis):
    """The first n along the axis."""
    if axis == 0:
        return x[:n]
    if axis == -1:
        return x[..., :n]
    if axis == 1:
        return x[:, :n]
    if axis == -2:
        return x[..., :n, :]
    if axis == 2:
        return x[:, :, :n]
    return x[along(axis, slice(None, n))]


@inline
def tail(x, n, axis):
    """All but the first n along the axis."""
    if axis == 0:
        return x[n:]
    if axis == -1:
        return x[..., n:]
    if axis == 1:
        return x[:, n:]
    if axis == -2:
        return x[..., n:, :]
    if axis == 2:
        return x[:, :, n:]
    return x[along(axis, slice(n, None))]


@inline
def item(x, i, axis):
    """The i-th along the axis, which goes away."""
    if axis == 0:
        return x[i]
    if axis == -1:
        return x[..., i]
    if axis == 1:
        return x[:, i]
    if axis == -2:
        return x[..., i, :]
    if axis == 2:
        return x[:, :, i]
    return x[along(axis, i)]


@static
def along(axis, index):
    """The index that applies `index` on one axis."""
    if axis >= 0:
        return (slice(None),) * axis + (index,)
    return (Ellipsis, index) + (slice(None),) * (-axis - 1)


# axes


@static
def inverse_permutation(axes):
    """The axes argument that undoes a transpose."""
    axes = [a % len(axes) for a in axes]
    return tuple(axes.index(i) for i in range(len(axes)))


@static
def negative(shift):
    """The shifts that undo a roll."""
    return tuple(-s for s in shift) if isinstance(shift, (tuple, list)) else -shift


@static
def last_two(ndim, axis1, axis2):
    """The axes argument that moves two axes to the end, in this order."""
    axis1, axis2 = axis1 % ndim, axis2 % ndim
    return (*(i for i in range(ndim) if i not in (axis1, axis2)), axis1, axis2)


@static
def reduced_last(ndim, axis):
    """The axes argument that moves the axes of a tuple to the end, in their own order."""
    axis = [a % ndim for a in axis]
    return (*(i for i in range(ndim) if i not in axis), *axis)


@static
def widths(ndim, axis, before, after):
    """np.pad's widths for one axis."""
    return tuple((before, after) if i == axis % ndim else (0, 0) for i in range(ndim))


@static
def minus_one_to(n):
    """(-1) ** n."""
    return -1 if n % 2 else 1


@static
def pad_index(pad_width, ndim):
    """The index of what np.pad put in the middle."""
    if isinstance(pad_width, dict):
        given = {axis % ndim: width for axis, width in pad_width.items()}
        pairs = [np.broadcast_to(given.get(i, 0), 2).tolist() for i in range(ndim)]
    else:
        pairs = np.broadcast_to(pad_width, (ndim, 2)).tolist()
    return tuple(slice(before, -after if after else None) for before, after in pairs)


# tensordot and einsum


def _paired(ndim_x, ndim_y, axes):
    if isinstance(axes, int):
        return list(range(ndim_x - axes, ndim_x)), list(range(axes))
    of_x, of_y = axes
    return _counted(of_x, ndim_x), _counted(of_y, ndim_y)


def _counted(axes, ndim):
    """An axis, or several, as a list that counts from the front."""
    return [a % ndim for a in ([axes] if isinstance(axes, int) else axes)]


def _others(ndim, axes):
    return [a for a in range(ndim) if a not in axes]


@static
def free_axes(n):
    """tensordot's axes where the first n axes of both operands are summed."""
    return (tuple(range(n)), tuple(range(n)))


@static
def tensordot_axes(ndim_x, ndim_y, axes, i):
    """The axes for tensordot(d_z, y), i == 0, or tensordot(x, d_z), i == 1: sum what is free."""
    of_x, of_y = _paired(ndim_x, ndim_y, axes)
    free_x, free_y = _others(ndim_x, of_x), _others(ndim_y, of_y)
    if i == 0:
        return tuple(range(len(free_x), len(free_x) + len(free_y))), tuple(free_y)
    return tuple(free_x), tuple(range(len(free_x)))


@static
def tensordot_back(ndim_x, ndim_y, axes, i):
    """The permutation that brings that product into the order of operand i."""
    of_x, of_y = _paired(ndim_x, ndim_y, axes)
    if i == 0:
        # the free axes of x, then the summed axes in the order that they have in y
        order = _others(ndim_x, of_x) + [of_x[k] for k in np.argsort(of_y)]
    else:
        # the summed axes in the order that they have in x, then the free axes of y
        order = [of_y[k] for k in np.argsort(of_x)] + _others(ndim_y, of_y)
    return inverse_permutation(order)


def _labels(subscripts):
    """The label strings of einsum's operands and of its result, "..." written as one dot."""
    text = subscripts.replace(" ", "").replace("...", ".")
    operands, arrow, result = text.partition("->")
    operands = operands.split(",")
    if not arrow:
        every = "".join(operands)
        result = "." * ("." in every)
        result += "".join(sorted(c for c in set(every) - {"."} if every.count(c) == 1))
    return operands, result


def _kept(subscripts, i):
    """The labels of operand i that the others or the result have, each once, and the dot."""
    operands, result = _labels(subscripts)
    rest = operands[:i] + operands[i + 1 :]
    known = set("".join([result, *rest]))
    kept = "".join(dict.fromkeys(c for c in operands[i] if c in known))
    if "." in "".join(known) and "." not in kept:
        kept = "." + kept  # what the others broadcast over; summed where it is fitted to operand i
    return rest, result, kept


@static
def einsum_from(subscripts, i):
    """The subscripts that give operand i's cotangent from the result's and the other operands."""
    rest, result, kept = _kept(subscripts, i)
    return (",".join([result, *rest]) + "->" + kept).replace(".", "...")


def _positions(subscripts, i, ndim):
    """The axis of every label of operand i, None for those of the dots."""
    operands, _ = _labels(subscripts)
    labels = operands[i]
    dots = ndim - len(labels.replace(".", ""))
    return list(labels.replace(".", "." * dots))


@static
def einsum_missing(subscripts, i, ndim):
    """The axes of operand i that `einsum_from` leaves out: labels of its own, and repeated ones."""
    _, _, kept = _kept(subscripts, i)
    labels = _positions(subscripts, i, ndim)
    return tuple(
        a - ndim for a, c in enumerate(labels) if c != "." and (c not in kept or c in labels[:a])
    )


@static
def einsum_repeated(subscripts, i, ndim):
    """Pairs of axes of operand i that have one label."""
    labels = _positions(subscripts, i, ndim)
    return tuple((labels.index(c), a) for a, c in enumerate(labels) if c != "." and c in labels[:a])


@inline
def unconvolved(d, x, y, mode, before):
    """The cotangent of np.convolve(x, y, mode) in the form of the full convolution.

    before: how many elements of that come before those of mode "same"
    """
    if mode == "full":
        return d
    k = min(x.size, y.size) - 1
    if mode == "valid":
        return np.pad(d, (k, k))
    return np.pad(d, (before, k - before))


# factorisations


@inline
def lower_half(x):
    """The lower triangle of each matrix, with half of its diagonal."""
    return np.tril(x) - np.triu(np.tril(x)) / 2


@inline
def off_diagonal(x):
    """Each matrix with zeros on its diagonal."""
    return np.tril(x, -1) + np.triu(x, 1)


@static
def sum_axis(ord):
    """The axis that a matrix norm sums over."""
    return 0 if ord in (1, -1) else 1


@static
def other_norm(norm):
    """The convention for the transform back that scales as `norm` does forward."""
    return {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}[norm]
