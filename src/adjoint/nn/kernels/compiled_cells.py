"""The elementwise work of a long short-term memory, in one pass each, as loops that Numba compiles.

The rows of `gates` are four parts of one size: i, f, g, o. Each part has a loop of its own, since
Numba does not use vector instructions for one that writes several parts of an array. What is left
to NumPy is tanh, which has them there.
"""

from __future__ import annotations

from .compiled import compiled, index


@compiled
def add_and_halve(inputs, hidden, gates, size):
    """The sum of both, halved where a sigmoid is made of its tanh."""
    half = gates.dtype.type(0.5)
    for n in range(gates.shape[0]):
        for j in range(index(2 * size)):
            gates[n, j] = half * (inputs[n, j] + hidden[n, j])
        for j in range(index(2 * size), index(3 * size)):
            gates[n, j] = inputs[n, j] + hidden[n, j]
        for j in range(index(3 * size), index(4 * size)):
            gates[n, j] = half * (inputs[n, j] + hidden[n, j])


@compiled
def next_state(gates, c, next_c):
    """Make sigmoids of their tanh, in place, and the next c of all gates."""
    half = gates.dtype.type(0.5)
    size = index(c.shape[1])
    for n in range(c.shape[0]):
        for j in range(index(2) * size):
            gates[n, j] = half * gates[n, j] + half
        for j in range(index(3) * size, index(4) * size):
            gates[n, j] = half * gates[n, j] + half
        for j in range(size):
            i, f, g = gates[n, j], gates[n, size + j], gates[n, index(2) * size + j]
            next_c[n, j] = f * c[n, j] + i * g


@compiled
def output(gates, h):
    """Multiply h, which is the tanh of the next c, with the output gate."""
    size = index(h.shape[1])
    for n in range(h.shape[0]):
        for j in range(size):
            h[n, j] *= gates[n, index(3) * size + j]


@compiled
def cotangents(gates, c, tanh_c, d_h, d_next_c, d_gates, d_c):
    """The cotangents of what the gates were computed from, and of c."""
    one = gates.dtype.type(1)
    size = index(c.shape[1])
    second, third = index(2) * size, index(3) * size
    for n in range(c.shape[0]):
        for j in range(size):  # the whole cotangent of the next c
            o, t = gates[n, third + j], tanh_c[n, j]
            d_c[n, j] = d_next_c[n, j] + d_h[n, j] * o * (one - t * t)
        for j in range(size):
            i, g = gates[n, j], gates[n, second + j]
            d_gates[n, j] = d_c[n, j] * g * (i * (one - i))
        for j in range(size):
            f = gates[n, size + j]
            d_gates[n, size + j] = d_c[n, j] * c[n, j] * (f * (one - f))
        for j in range(size):
            i, g = gates[n, j], gates[n, second + j]
            d_gates[n, second + j] = d_c[n, j] * i * (one - g * g)
        for j in range(size):
            o = gates[n, third + j]
            d_gates[n, third + j] = d_h[n, j] * tanh_c[n, j] * (o * (one - o))
        for j in range(size):
            d_c[n, j] *= gates[n, size + j]
