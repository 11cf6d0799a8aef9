"""The functions that a derivative may call: where NumPy has no one expression for it.

Each takes arrays of any module that works like NumPy, and has a rule of its own, so that
derivatives can be differentiated again. Their names say what they undo: `untake` is the transpose
of `np.take` as a linear map.
"""

import numpy as np

from ..runtime.generic import rebuild, zeros_like
from ..runtime.modules import module_of


def zeros_for(d, x):
    """Zeros of the shape of x in a dtype that holds d."""
    xp = module_of(d, x)
    return xp.zeros(np.shape(x), dtype=getattr(d, "dtype", float))


# indexing


def scatter(d, x, index):
    """Zeros like x, with d added at the index: the transpose of x[index]."""
    if isinstance(x, dict):
        return zeros_like(x) | {index: d}
    if isinstance(x, (list, tuple)):
        parts = [zeros_like(part) for part in x]
        parts[index] = d
        return rebuild(x, parts)
    out = zeros_for(d, x)
    if may_repeat(index):
        module_of(out).add.at(out, index, d)
    else:
        out[index] = d
    return out


def may_repeat(index):
    """Whether an index may name one element twice: an integer array may."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(
        isinstance(p, list) or (getattr(p, "ndim", 0) > 0 and p.dtype != bool) for p in parts
    )


def untake(d, x, indices, axis=None):
    """The transpose of np.take(x, indices, axis)."""
    out = zeros_for(d, x)
    if axis is None:
        module_of(out).add.at(out.reshape(-1), indices, d)
    else:
        module_of(out).add.at(out, (slice(None),) * (axis % out.ndim) + (indices,), d)
    return out


def untake_along_axis(d, x, indices, axis):
    """The transpose of np.take_along_axis(x, indices, axis)."""
    xp, out = module_of(d), zeros_for(d, x)
    if axis is None:
        xp.add.at(out.reshape(-1), indices, d)
        return out
    axis %= out.ndim
    sizes = [n if i == axis else m for i, (n, m) in enumerate(zip(indices.shape, d.shape))]
    grid = list(xp.ogrid[tuple(slice(n) for n in sizes)])
    grid[axis] = indices
    xp.add.at(out, tuple(grid), d)
    return out


def undiagonal(d, x, offset=0, axis1=0, axis2=1):
    """The transpose of np.diagonal(x, offset, axis1, axis2)."""
    out = zeros_for(d, x)
    ends = module_of(d).moveaxis(out, (axis1, axis2), (-2, -1))
    i = module_of(d).arange(d.shape[-1])
    ends[..., i + max(-offset, 0), i + max(offset, 0)] = d
    return out


def diagonal_mask(x, pairs):
    """1 where the indices on each of the pairs of axes agree, else 0; broadcasts with x."""
    xp, out = module_of(x), 1
    for a, b in pairs:
        eye = xp.eye(x.shape[a], dtype=x.dtype)
        out = out * eye.reshape([n if i in (a, b) else 1 for i, n in enumerate(x.shape)])
    return out


def unselect(d, condlist):
    """What each choice of np.select receives: d where its condition is the first to hold."""
    xp, left, out = module_of(d), True, []
    for condition in map(xp.asarray, condlist):
        out.append(xp.where(condition & left, d, 0))
        left = left & ~condition
    return out


def unchoose(d, a, choices):
    """What each choice of np.choose(a, choices) receives."""
    xp = module_of(d)
    chosen = xp.asarray(a)
    return [xp.where(chosen == i, d, 0) for i in range(len(choices))]


# sequences


def split_like(d, xs, axis=0):
    """The parts of a concatenation, one for each of xs."""
    if axis is None:
        sizes, d = [np.size(x) for x in xs], d.reshape(-1)
    else:
        sizes = [np.shape(x)[axis] for x in xs]
    ends = [sum(sizes[:i]) for i in range(1, len(sizes))]
    parts = module_of(d).split(d, ends, axis=axis or 0)
    if axis is None:
        return [p.reshape(np.shape(x)) for p, x in zip(parts, xs)]
    return [unstack_like(p, x) if isinstance(x, (list, tuple)) else p for p, x in zip(parts, xs)]


def split_columns(d, xs):
    """The parts of np.column_stack(xs), in which a vector is a column."""
    sizes = [np.shape(x)[1] if np.ndim(x) > 1 else 1 for x in xs]
    ends = [sum(sizes[:i]) for i in range(1, len(sizes))]
    parts = module_of(d).split(d, ends, axis=1)
    return [p.reshape(np.shape(x)) for p, x in zip(parts, xs)]


def unstack_like(d, xs, axis=0):
    """The layers of a stack, one for each of xs, nested as xs is."""
    layers = module_of(d).moveaxis(d, axis, 0)
    if axis == 0 and any(isinstance(x, (list, tuple)) for x in xs):
        return [unstack_like(p, x) if isinstance(x, (list, tuple)) else p
                for p, x in zip(layers, xs)]  # fmt: skip
    return [layers[i] for i in range(len(xs))]


# repetition and padding


def untile(d, x, reps):
    """The transpose of np.tile(x, reps)."""
    reps = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    shape = (1,) * (len(reps) - np.ndim(x)) + np.shape(x)
    reps = (1,) * (len(shape) - len(reps)) + reps
    pairs = [n for pair in zip(reps, shape) for n in pair]
    return d.reshape(pairs).sum(axis=tuple(range(0, 2 * len(shape), 2))).reshape(np.shape(x))


def unrepeat(d, x, repeats, axis=None):
    """The transpose of np.repeat(x, repeats, axis)."""
    xp = module_of(d)
    if axis is None:
        return unrepeat(d, xp.ravel(x), repeats, 0).reshape(np.shape(x))
    axis %= x.ndim
    if np.ndim(repeats) == 0:
        shape = (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])
        return d.reshape(shape).sum(axis=axis + 1)
    return untake(d, x, xp.repeat(xp.arange(x.shape[axis]), xp.asarray(repeats)), axis)


def unpad(d, x, pad_width, mode):
    """The transpose of np.pad with a mode that repeats elements of x."""
    xp = module_of(d)
    pairs = np.broadcast_to(pad_width, (x.ndim, 2)).tolist()
    for axis, (pair, n) in enumerate(zip(pairs, x.shape)):
        source = xp.pad(xp.arange(n), pair, mode=mode)
        part = xp.zeros(d.shape[:axis] + (n,) + d.shape[axis + 1 :], dtype=d.dtype)
        xp.add.at(part, (slice(None),) * axis + (source,), d)
        d = part
    return d


def fit_axis(d, n, axis=-1):
    """Cut, or padded with zeros at the end, to length n along the axis."""
    have = d.shape[axis]
    if have >= n:
        return d[(slice(None),) * (axis % d.ndim) + (slice(None, n),)]
    pairs = [(0, n - have if i == axis % d.ndim else 0) for i in range(d.ndim)]
    return module_of(d).pad(d, pairs)


# products that stay right at zeros, where dividing the whole product does not


def others_last(x):
    """Along the last axis, for every element the product of all the others."""
    xp = module_of(x)
    ones = xp.ones_like(x[..., :1])
    before = xp.cumprod(xp.concatenate([ones, x[..., :-1]], axis=-1), axis=-1)
    after = xp.cumprod(xp.concatenate([ones, x[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return before * after


def recurrence(a, b):
    """s along axis 0, where s[i] == a[i] * s[i - 1] + b[i], starting from 0."""
    xp = module_of(b)
    out = xp.empty(np.broadcast_shapes(a.shape, b.shape), dtype=xp.result_type(a, b))
    s = 0
    for i in range(len(out)):
        s = a[i] * s + b[i]
        out[i] = s
    return out


def ungradient(d, axis):
    """The transpose of np.gradient along an axis, where the points have distance 1."""
    xp = module_of(d)
    d = xp.moveaxis(d, axis, 0)
    half = d / 2
    half[0], half[-1] = d[0], d[-1]  # at the ends, differences of neighbours
    first, last = -half[:1] - half[1:2], half[-2:-1] + half[-1:]
    return xp.moveaxis(xp.concatenate([first, half[:-2] - half[2:], last]), 0, axis)


def exponents(n, x):
    """n - 1 ... 0, beside x and in its dtype."""
    return module_of(x).arange(n - 1, -1, -1, dtype=x.dtype)


# numbers


def share(d, z, xs):
    """d for each of xs that equals z, shared equally among them."""
    ties = [x == z for x in xs]
    part = d / sum(ties)
    return [part if tie else 0.0 for tie in ties]


def copies(d, n):
    """A list of n times the same."""
    return [d] * n


def half_weights(z, axis=-1):
    """How often rfft's elements stand in the whole transform of z: once or twice."""
    n = z.shape[axis]
    w = module_of(z).full(n // 2 + 1, 2, dtype=z.dtype)
    w[0] = 1
    if n % 2 == 0:
        w[-1] = 1
    return w.reshape((-1,) + (1,) * (z.ndim - 1 - axis % z.ndim))
