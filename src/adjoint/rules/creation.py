"""Making, copying and converting arrays from values that may be active."""

import builtins

import numpy as np

from .runtime import unstack_like
from .template import d, named, rule


def _sequence(x):
    return isinstance(x, (list, tuple))


def _to_step(dtype):
    """Whether a conversion to this dtype rounds, or leaves the numbers."""
    return dtype is not None and np.dtype(dtype).kind not in "fc"


@rule(np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray,
      when=lambda object, dtype: _to_step(dtype))  # fmt: skip
def array_rounded(z, object, dtype=None):
    """Integers and booleans do not vary."""
    d[z, object] = 0


@rule(np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray,
      when=lambda object: _sequence(object))  # fmt: skip
def array_of_sequence(z, object, dtype=None):
    """Of a list of values, which may be lists."""
    d[z] = np.array(d[object])
    d[object] += unstack_like(d[z], object)


@rule(np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray)
def array(z, object, dtype=None):
    """Of an array or a number."""
    d[z] = np.asarray(d[object], dtype=dtype)
    d[object] += d[z]


@rule(np.copy, builtins.float, builtins.complex)
def copy(z, x):
    d[z, x] = 1


@rule(np.ndarray.item)
def item(z, x):
    d[z] = d[x].item()
    d[x] += np.full_like(x, d[z])


@rule(builtins.complex)
def complex_(z, real, imag):
    d[z, real] = 1
    d[z, imag] = 1j


@rule(np.ndarray.astype, *named(np, "astype"), when=lambda dtype: _to_step(dtype))
def astype_rounded(z, x, dtype):
    """Integers and booleans do not vary."""
    d[z, x] = 0


@rule(np.ndarray.astype, *named(np, "astype"))
def astype(z, x, dtype):
    d[z] = d[x].astype(dtype)
    d[x] += d[z]


@rule(np.float64, np.float32, np.float16, np.complex128, np.complex64)
def number(z, x):
    d[z, x] = 1


def _one_array(fill_value, dtype):
    """A list spread over an array has a cotangent in parts, which is not written yet."""
    return not isinstance(fill_value, (list, tuple)) and not _to_step(dtype)


@rule(np.full, when=_one_array)
def full(z, shape, fill_value, dtype=None):
    d[z] = np.broadcast_to(d[fill_value], z.shape)
    d[fill_value] += d[z]


@rule(np.full_like, when=_one_array)
def full_like(z, a, fill_value, dtype=None):
    d[z, a] = 0
    d[z] = np.broadcast_to(d[fill_value], z.shape)
    d[fill_value] += d[z]


@rule(np.geomspace, when=lambda start, stop: np.ndim(start) == np.ndim(stop) == 0)
def geomspace(z, start, stop, num=50, endpoint=True):
    """start ** (1 - t) * stop ** t."""
    t = np.linspace(0, 1, num, endpoint, dtype=z.dtype)
    d[z] = z * ((1 - t) * (d[start] / start) + t * (d[stop] / stop))
    d[start] += d[z] * z * (1 - t) / start
    d[stop] += d[z] * z * t / stop


@rule(np.logspace, when=lambda start, stop: np.ndim(start) == np.ndim(stop) == 0)
def logspace(z, start, stop, num=50, endpoint=True, base=10.0):
    """base ** (start * (1 - t) + stop * t)."""
    t = np.linspace(0, 1, num, endpoint, dtype=z.dtype)
    slope = z * np.log(base)
    d[z] = slope * ((1 - t) * d[start] + t * d[stop])
    d[start] += d[z] * slope * (1 - t)
    d[stop] += d[z] * slope * t


@rule(np.linspace, when=lambda start, stop: np.ndim(start) == np.ndim(stop) == 0)
def linspace(z, start, stop, num=50, endpoint=True):
    t = np.linspace(0, 1, num, endpoint, dtype=z.dtype)
    d[z] = d[start] * (1 - t) + d[stop] * t
    d[start] += d[z] * (1 - t)
    d[stop] += d[z] * t
