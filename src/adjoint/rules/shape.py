"""Shapes: what moves, joins, parts or repeats elements without changing them."""

import numpy as np

from .helpers import (
    head,
    inline,
    inverse_permutation,
    item,
    negative,
    pad_index,
    tail,
)
from .runtime import split_columns, split_like, unpad, unrepeat, unstack_like, untile
from .template import d, named, rule


@rule(np.reshape, when=lambda order: order == "C")
def reshape(z, x, shape, order="C"):
    d[z] = np.reshape(d[x], z.shape)
    d[x] += np.reshape(d[z], x.shape)


@rule(np.reshape, when=lambda order: order == "F")
def reshape_fortran(z, x, shape, order="C"):
    d[z] = np.reshape(d[x], z.shape, order="F")
    d[x] += np.reshape(d[z], x.shape, order="F")


@rule(np.ravel, np.ndarray.flatten, when=lambda order: order == "C")
def ravel(z, x, order="C"):
    d[z] = np.reshape(d[x], z.shape)
    d[x] += np.reshape(d[z], x.shape)


@rule(np.ravel, np.ndarray.flatten, when=lambda order: order == "F")
def ravel_fortran(z, x, order="C"):
    d[z] = np.reshape(d[x], z.shape, order="F")
    d[x] += np.reshape(d[z], x.shape, order="F")


@rule(np.squeeze)
def squeeze(z, x, axis=None):
    d[z] = np.reshape(d[x], z.shape)
    d[x] += np.reshape(d[z], x.shape)


@rule(np.atleast_1d, np.atleast_2d, np.atleast_3d)
def atleast(z, x):
    d[z] = np.reshape(d[x], z.shape)
    d[x] += np.reshape(d[z], x.shape)


@rule(np.expand_dims)
def expand_dims(z, x, axis):
    d[z] = np.expand_dims(d[x], axis)
    d[x] += np.reshape(d[z], x.shape)


@rule(np.transpose, when=lambda axes: axes is None)
def transpose(z, x, axes=None):
    d[z] = d[x].T
    d[x] += d[z].T


@rule(np.transpose)
def transpose_axes(z, x, axes=None):
    d[z] = np.transpose(d[x], axes)
    d[x] += np.transpose(d[z], inverse_permutation(axes))


@rule(*named(np, "matrix_transpose"), *named(np.linalg, "matrix_transpose"))
def matrix_transpose(z, x):
    d[z] = np.swapaxes(d[x], -1, -2)
    d[x] += np.swapaxes(d[z], -1, -2)


@rule(np.swapaxes)
def swapaxes(z, x, axis1, axis2):
    d[z] = np.swapaxes(d[x], axis1, axis2)
    d[x] += np.swapaxes(d[z], axis1, axis2)


@rule(np.moveaxis)
def moveaxis(z, x, source, destination):
    d[z] = np.moveaxis(d[x], source, destination)
    d[x] += np.moveaxis(d[z], destination, source)


@rule(np.broadcast_to)
def broadcast_to(z, x, shape):
    d[z] = np.broadcast_to(d[x], z.shape)
    d[x] += d[z]


@rule(np.broadcast_arrays)
def broadcast_arrays(z, x, y):
    d[z] = [np.broadcast_to(d[x], z[0].shape), np.broadcast_to(d[y], z[1].shape)]
    d[x] += d[z][0]
    d[y] += d[z][1]


@rule(np.meshgrid, when=lambda indexing: indexing == "xy")
def meshgrid(z, x, y, *, indexing="xy"):
    d[z] = np.meshgrid(d[x], d[y])
    d[x] += np.sum(d[z][0], axis=0)
    d[y] += np.sum(d[z][1], axis=1)


@rule(np.meshgrid, when=lambda indexing: indexing == "ij")
def meshgrid_ij(z, x, y, *, indexing="xy"):
    d[z] = np.meshgrid(d[x], d[y], indexing="ij")
    d[x] += np.sum(d[z][0], axis=1)
    d[y] += np.sum(d[z][1], axis=0)


# joining and parting


@inline
def unconcatenate(d, xs, axis):
    """The parts of a concatenation, one for each of xs."""
    if axis is None:
        return split_like(d, xs, axis)
    if len(xs) == 1:
        return [d]
    if len(xs) == 2:
        n = np.shape(xs[0])[axis]
        return [head(d, n, axis), tail(d, n, axis)]
    return split_like(d, xs, axis)


@inline
def unstack(d, xs, axis):
    """The layers of a stack, one for each of xs."""
    if len(xs) == 1:
        return [item(d, 0, axis)]
    if len(xs) == 2:
        return [item(d, 0, axis), item(d, 1, axis)]
    if len(xs) == 3:
        return [item(d, 0, axis), item(d, 1, axis), item(d, 2, axis)]
    return unstack_like(d, xs, axis)


@inline
def restack(layers, z, axis):
    """What these are the layers of, as z is: it may have none."""
    return np.stack(layers, axis=axis) if len(layers) > 0 else np.zeros_like(z)


@rule(np.concatenate)
def concatenate(z, xs, axis=0):
    d[z] = np.concatenate(d[xs], axis=axis)
    d[xs] += unconcatenate(d[z], xs, axis)


@rule(split_like)
def split_like_rule(parts, z, xs, axis=0):
    d[parts, xs] = 0
    d[parts] = split_like(d[z], xs, axis)
    d[z] += np.reshape(np.concatenate(d[parts], axis=axis), z.shape)


@rule(np.stack)
def stack(z, xs, axis=0):
    d[z] = np.stack(d[xs], axis=axis)
    d[xs] += unstack(d[z], xs, axis)


@rule(unstack_like, when=lambda xs: not any(isinstance(x, (list, tuple)) for x in xs))
def unstack_like_rule(layers, z, xs, axis=0):
    d[layers, xs] = 0
    d[layers] = unstack_like(d[z], xs, axis)
    d[z] += restack(d[layers], z, axis)


@rule(np.hstack, when=lambda xs: xs[0].ndim < 2)
def hstack_vectors(z, xs):
    d[z] = np.hstack(d[xs])
    d[xs] += split_like(d[z], xs, None)


@rule(np.hstack)
def hstack(z, xs):
    d[z] = np.hstack(d[xs])
    d[xs] += unconcatenate(d[z], xs, 1)


@rule(np.vstack, when=lambda xs: all(x.ndim < 2 for x in xs))
def vstack_vectors(z, xs):
    d[z] = np.vstack(d[xs])
    d[xs] += unstack(d[z], xs, 0)


@rule(np.vstack, when=lambda xs: all(x.ndim >= 2 for x in xs))
def vstack(z, xs):
    d[z] = np.vstack(d[xs])
    d[xs] += unconcatenate(d[z], xs, 0)


@rule(np.vstack)
def vstack_of_several_ranks(z, xs):
    """The elements of one come after those of the other."""
    d[z] = np.vstack(d[xs])
    d[xs] += split_like(d[z], xs, None)


@rule(np.column_stack, when=lambda xs: all(x.ndim < 2 for x in xs))
def column_stack_vectors(z, xs):
    d[z] = np.column_stack(d[xs])
    d[xs] += unstack(d[z], xs, 1)


@rule(np.column_stack, when=lambda xs: all(x.ndim >= 2 for x in xs))
def column_stack(z, xs):
    d[z] = np.column_stack(d[xs])
    d[xs] += unconcatenate(d[z], xs, 1)


@rule(np.column_stack)
def column_stack_of_several_ranks(z, xs):
    d[z] = np.column_stack(d[xs])
    d[xs] += split_columns(d[z], xs)


@rule(split_columns)
def split_columns_rule(parts, z, xs):
    d[parts, xs] = 0
    d[parts] = split_columns(d[z], xs)
    d[z] += np.column_stack(d[parts])


@rule(np.dstack, when=lambda xs: all(x.ndim >= 3 for x in xs))
def dstack(z, xs):
    d[z] = np.dstack(d[xs])
    d[xs] += unconcatenate(d[z], xs, 2)


@rule(np.append, when=lambda axis: axis is None)
def append_flat(z, x, values, axis=None):
    d[z] = np.append(d[x], d[values])
    d[x] += np.reshape(d[z][: x.size], x.shape)
    d[values] += np.reshape(d[z][x.size :], values.shape)


@rule(np.append)
def append(z, x, values, axis=None):
    d[z] = np.concatenate([d[x], d[values]], axis=axis)
    d[x] += head(d[z], x.shape[axis], axis)
    d[values] += tail(d[z], x.shape[axis], axis)


@rule(np.split, np.array_split)
def split(z, x, indices_or_sections, axis=0):
    d[z] = np.array_split(d[x], indices_or_sections, axis=axis)
    d[x] += np.concatenate(d[z], axis=axis)


@rule(np.vsplit)
def vsplit(z, x, indices_or_sections):
    d[z] = np.vsplit(d[x], indices_or_sections)
    d[x] += np.concatenate(d[z], axis=0)


@rule(np.hsplit, when=lambda x: x.ndim == 1)
def hsplit_vector(z, x, indices_or_sections):
    d[z] = np.hsplit(d[x], indices_or_sections)
    d[x] += np.concatenate(d[z], axis=0)


@rule(np.hsplit)
def hsplit(z, x, indices_or_sections):
    d[z] = np.hsplit(d[x], indices_or_sections)
    d[x] += np.concatenate(d[z], axis=1)


@rule(np.dsplit)
def dsplit(z, x, indices_or_sections):
    d[z] = np.dsplit(d[x], indices_or_sections)
    d[x] += np.concatenate(d[z], axis=2)


@rule(*named(np, "unstack"))
def unstack_(z, x, *, axis=0):
    d[z] = np.unstack(d[x], axis=axis)
    d[x] += np.stack(d[z], axis=axis)


# repeating, turning, padding


@rule(np.tile)
def tile(z, x, reps):
    d[z] = np.tile(d[x], reps)
    d[x] += untile(d[z], x, reps)


@rule(untile)
def untile_rule(z, y, x, reps):
    d[z, x] = 0
    d[z] = untile(d[y], x, reps)
    d[y] += np.tile(d[z], reps)


@rule(np.repeat)
def repeat(z, x, repeats, axis=None):
    d[z] = np.repeat(d[x], repeats, axis=axis)
    d[x] += unrepeat(d[z], x, repeats, axis)


@rule(unrepeat)
def unrepeat_rule(z, y, x, repeats, axis=None):
    d[z, x] = 0
    d[z] = unrepeat(d[y], x, repeats, axis)
    d[y] += np.repeat(d[z], repeats, axis=axis)


@rule(np.roll)
def roll(z, x, shift, axis=None):
    d[z] = np.roll(d[x], shift, axis=axis)
    d[x] += np.roll(d[z], negative(shift), axis=axis)


@rule(np.flip)
def flip(z, x, axis=None):
    d[z] = np.flip(d[x], axis)
    d[x] += np.flip(d[z], axis)


@rule(np.fliplr)
def fliplr(z, x):
    d[z] = np.fliplr(d[x])
    d[x] += np.fliplr(d[z])


@rule(np.flipud)
def flipud(z, x):
    d[z] = np.flipud(d[x])
    d[x] += np.flipud(d[z])


@rule(np.rot90)
def rot90(z, x, k=1, axes=(0, 1)):
    d[z] = np.rot90(d[x], k, axes)
    d[x] += np.rot90(d[z], -k, axes)


@rule(np.pad, when=lambda mode: mode == "constant")
def pad(z, x, pad_width, mode="constant", *, constant_values=0):
    d[z] = np.pad(d[x], pad_width)
    d[x] += d[z][pad_index(pad_width, x.ndim)]


@rule(np.pad, when=lambda mode: mode in ("edge", "reflect", "symmetric", "wrap"))
def pad_repeating(z, x, pad_width, mode="constant"):
    d[z] = np.pad(d[x], pad_width, mode=mode)
    d[x] += unpad(d[z], x, pad_width, mode)


@rule(unpad)
def unpad_rule(z, y, x, pad_width, mode):
    d[z, x] = 0
    d[z] = unpad(d[y], x, pad_width, mode)
    d[y] += np.pad(d[z], pad_width, mode=mode)
