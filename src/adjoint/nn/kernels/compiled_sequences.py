"""All steps of a long short-term memory in single precision, as loops that Numba compiles.

The samples are worked on in blocks of `rows`, each through all steps. The products of matrices are
those of BLAS, which Numba finds in SciPy.
"""

from __future__ import annotations

import numpy as np

from .compiled import compiled, index
from .compiled_cells import cotangents

_LARGEST = np.float32(9.02)  # where tanh is 1 in single precision
_P = tuple(map(np.float32, (1.0, 1.33797064e-1, 3.49402102e-3, 2.05832603e-5, 1.33187736e-8)))
_Q = tuple(map(np.float32, (1.0, 4.67130214e-1, 2.58710217e-2, 3.28307069e-4, 7.76189552e-7)))


@compiled
def tanh(x):
    """x * P(x * x) / Q(x * x), within three units in the last place.

    The ratio has the least relative error, 2e-8, up to where tanh is 1 in single precision: found
    by least squares with weights that grow where the error is large (Lawson 1961). Unlike the tanh
    of the C library, it can be computed for many elements at a time.
    """
    x = _LARGEST if x > _LARGEST else x
    x = -_LARGEST if x < -_LARGEST else x
    s = x * x
    p = x * (_P[0] + s * (_P[1] + s * (_P[2] + s * (_P[3] + s * _P[4]))))
    q = _Q[0] + s * (_Q[1] + s * (_Q[2] + s * (_Q[3] + s * _Q[4])))
    t = p / q
    t = np.float32(1) if t > np.float32(1) else t
    return np.float32(-1) if t < np.float32(-1) else t


@compiled
def lstm_steps(inputs, h, c, w, outputs, memories, gates, rows):
    for start in range(0, len(c), rows):
        stop = min(start + rows, len(c))
        last_h, last_c = h[start:stop], c[start:stop]
        hidden = np.empty((stop - start, w.shape[1]), w.dtype)
        for t in range(len(inputs)):
            next_h, next_c = outputs[t, start:stop], memories[t, start:stop]
            np.dot(last_h, w, hidden)
            _step(inputs[t, start:stop], hidden, last_c, next_h, next_c, gates[t, start:stop])
            last_h, last_c = next_h, next_c


@compiled
def lstm_steps_backward(gates, memories, c, w_hh, d_outputs, d_h, d_c, d_inputs, rows):
    """d_h and d_c are those of the last step, and become those of the state at the start."""
    for start in range(0, len(c), rows):
        stop = min(start + rows, len(c))
        d_last_h, d_next_c = d_h[start:stop], d_c[start:stop].copy()
        d_last_c, tanh_c = np.empty_like(d_next_c), np.empty_like(d_next_c)
        for t in range(len(gates) - 1, -1, -1):
            last_c = memories[t - 1, start:stop] if t else c[start:stop]
            d_now = d_inputs[t, start:stop]
            _add(d_last_h, d_outputs[t, start:stop])
            _tanh(memories[t, start:stop], tanh_c)
            cotangents(gates[t, start:stop], last_c, tanh_c, d_last_h, d_next_c, d_now, d_last_c)
            np.dot(d_now, w_hh, d_last_h)
            d_next_c, d_last_c = d_last_c, d_next_c
        d_c[start:stop] = d_next_c


@compiled
def _step(inputs, hidden, c, next_h, next_c, gates):
    """The elementwise work of one step. Each gate has a loop of its own, which can use vectors."""
    half = np.float32(0.5)
    size = index(c.shape[1])
    second, third, fourth = index(2) * size, index(3) * size, index(4) * size
    for n in range(c.shape[0]):
        for j in range(second):
            gates[n, j] = half * tanh(half * (inputs[n, j] + hidden[n, j])) + half
        for j in range(second, third):
            gates[n, j] = tanh(inputs[n, j] + hidden[n, j])
        for j in range(third, fourth):
            gates[n, j] = half * tanh(half * (inputs[n, j] + hidden[n, j])) + half
        for j in range(size):
            next_c[n, j] = gates[n, size + j] * c[n, j] + gates[n, j] * gates[n, second + j]
        for j in range(size):
            next_h[n, j] = gates[n, third + j] * tanh(next_c[n, j])


@compiled
def _add(d_h, d_output):
    for n in range(d_h.shape[0]):
        for j in range(d_h.shape[1]):
            d_h[n, j] += d_output[n, j]


@compiled
def _tanh(x, out):
    for n in range(x.shape[0]):
        for j in range(index(x.shape[1])):
            out[n, j] = tanh(x[n, j])
