"""Indexing, taking, sorting, diagonals and triangles.

The compiler accumulates the cotangent of `x[index]` in place where it can; `scatter` is the general
form.
"""

import operator

import numpy as np

from .helpers import as_matrices
from .runtime import diagonal_mask, scatter, undiagonal, untake, untake_along_axis
from .template import d, rule, zero_derivative

zero_derivative(diagonal_mask)


@rule(operator.getitem)
def getitem(z, x, index):
    d[z, index] = 0
    d[z] = d[x][index]
    d[x] += scatter(d[z], x, index)


@rule(scatter)
def scatter_rule(z, y, x, index):
    d[z, x] = 0
    d[z, index] = 0
    d[z] = scatter(d[y], x, index)
    d[y] += d[z][index]


@rule(np.take)
def take(z, x, indices, axis=None):
    d[z] = np.take(d[x], indices, axis=axis)
    d[x] += untake(d[z], x, indices, axis)


@rule(untake)
def untake_rule(z, y, x, indices, axis=None):
    d[z, x] = 0
    d[z] = untake(d[y], x, indices, axis)
    d[y] += np.take(d[z], indices, axis=axis)


@rule(np.take_along_axis)
def take_along_axis(z, x, indices, axis=-1):
    d[z] = np.take_along_axis(d[x], indices, axis)
    d[x] += untake_along_axis(d[z], x, indices, axis)


@rule(untake_along_axis)
def untake_along_axis_rule(z, y, x, indices, axis):
    d[z, x] = 0
    d[z] = untake_along_axis(d[y], x, indices, axis)
    d[y] += np.take_along_axis(d[z], indices, axis)


@rule(np.compress)
def compress(z, condition, x, axis=None):
    d[z, condition] = 0
    d[z] = np.take(d[x], np.flatnonzero(condition), axis=axis)
    d[x] += untake(d[z], x, np.flatnonzero(condition), axis)


@rule(np.extract)
def extract(z, condition, x):
    d[z, condition] = 0
    d[z] = np.take(d[x], np.flatnonzero(condition))
    d[x] += untake(d[z], x, np.flatnonzero(condition))


@rule(np.bincount)
def bincount(z, x, weights=None, minlength=0):
    """The sums of the weights; numbers of elements do not vary."""
    d[z, x] = 0
    d[z] = np.bincount(x, d[weights], z.size)
    d[weights] += np.take(d[z], x)


# in sorted order, equal elements keep the derivatives of whichever place they are given


@rule(np.sort, when=lambda axis: axis is not None)
def sort(z, x, axis=-1):
    order = np.argsort(x, axis=axis)
    d[z] = np.take_along_axis(d[x], order, axis)
    d[x] += np.take_along_axis(d[z], np.argsort(order, axis=axis), axis)


@rule(np.sort)
def sort_flat(z, x, axis=-1):
    order = np.argsort(x, axis=None)
    d[z] = np.take(d[x], order)
    d[x] += np.reshape(d[z][np.argsort(order)], x.shape)


@rule(np.partition, when=lambda axis: axis is not None)
def partition(z, x, kth, axis=-1):
    order = np.argpartition(x, kth, axis=axis)
    d[z] = np.take_along_axis(d[x], order, axis)
    d[x] += np.take_along_axis(d[z], np.argsort(order, axis=axis), axis)


# diagonals and triangles


@rule(np.diagonal)
def diagonal(z, x, offset=0, axis1=0, axis2=1):
    d[z] = np.diagonal(d[x], offset, axis1, axis2)
    d[x] += undiagonal(d[z], x, offset, axis1, axis2)


@rule(undiagonal)
def undiagonal_rule(z, y, x, offset=0, axis1=0, axis2=1):
    d[z, x] = 0
    d[z] = undiagonal(d[y], x, offset, axis1, axis2)
    d[y] += np.diagonal(d[z], offset, axis1, axis2)


@rule(np.diag, when=lambda v: v.ndim == 1)
def diag(z, v, k=0):
    d[z] = np.diag(d[v], k)
    d[v] += np.diagonal(d[z], k)


@rule(np.diag, when=lambda v: v.ndim == 2)
def diag_of(z, v, k=0):
    d[z] = np.diagonal(d[v], k)
    d[v] += undiagonal(d[z], v, k)


@rule(np.diagflat)
def diagflat(z, v, k=0):
    d[z] = np.diagflat(d[v], k)
    d[v] += np.reshape(np.diagonal(d[z], k), v.shape)


@rule(np.trace, when=lambda x: x.ndim == 2)
def trace(z, x, offset=0, axis1=0, axis2=1):
    d[z] = np.trace(d[x], offset, axis1, axis2)
    d[x] += d[z] * np.eye(x.shape[0], x.shape[1], offset, dtype=x.dtype)


@rule(np.trace)
def trace_stacked(z, x, offset=0, axis1=0, axis2=1):
    d[z] = np.trace(d[x], offset, axis1, axis2)
    d[x] += np.moveaxis(
        as_matrices(d[z]) * np.eye(x.shape[axis1], x.shape[axis2], offset, dtype=x.dtype),
        (-2, -1),
        (axis1, axis2),
    )


@rule(np.tril)
def tril(z, m, k=0):
    d[z] = np.tril(d[m], k)
    d[m] += np.tril(d[z], k)


@rule(np.triu)
def triu(z, m, k=0):
    d[z] = np.triu(d[m], k)
    d[m] += np.triu(d[z], k)
