"""The step of a long short-term memory (`nn/functional/cells.py`), all steps, and the transposes.

The transpose multiplies the slope of each gate with a factor, which is made of the other gates and
of the whole cotangent of the next c: the one that is given, and what comes to it from h.
"""

from dataclasses import replace

import numpy as np

from ..infer import typed_by
from ..nn.functional.cells import lstm_cell, lstm_cell_backward
from ..nn.functional.sequences import lstm_steps, lstm_steps_backward, lstm_steps_written_out
from ..types import Array, Tuple
from .helpers import inline
from .template import d, rule


@inline
def part(gates, k, c):
    """Those of one kind, of the four that lie side by side, each of the shape of c."""
    return np.reshape(gates, (c.shape[0], 4, c.shape[1]))[:, k]


@inline
def joined(i, f, g, o, gates):
    return np.reshape(np.stack((i, f, g, o), axis=1), gates.shape)


@inline
def slopes(gates, c):
    """The derivative of each gate by what it was computed from: a sigmoid, or for g a tanh."""
    i, f, g, o = part(gates, 0, c), part(gates, 1, c), part(gates, 2, c), part(gates, 3, c)
    return joined(i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o), gates)


@inline
def bends(gates, c):
    """The derivative of each slope by its gate."""
    i, f, g, o = part(gates, 0, c), part(gates, 1, c), part(gates, 2, c), part(gates, 3, c)
    return joined(1 - 2 * i, 1 - 2 * f, -2 * g, 1 - 2 * o, gates)


@inline
def factors(gates, c, whole, grad_h, tanh_c):
    """What the slope of each gate is multiplied with in the transpose."""
    i, g = part(gates, 0, c), part(gates, 2, c)
    return joined(whole * g, whole * c, whole * i, grad_h * tanh_c, gates)


@rule(lstm_cell)
def lstm_cell_rule(z, inputs, hidden, c):
    """Hochreiter and Schmidhuber (1997); Gers, Schmidhuber and Cummins (2000)."""
    tanh_c = np.tanh(z[1])
    t_gates = slopes(z[2], c) * (d[inputs] + d[hidden])
    t_c = (
        part(t_gates, 1, c) * c + part(z[2], 1, c) * d[c]
        + part(t_gates, 0, c) * part(z[2], 2, c) + part(z[2], 0, c) * part(t_gates, 2, c)
    )  # fmt: skip
    t_h = part(t_gates, 3, c) * tanh_c + part(z[2], 3, c) * (1 - tanh_c * tanh_c) * t_c
    d[z] = (t_h, t_c, t_gates)

    found = lstm_cell_backward(z[2], c, z[1], d[z][0], d[z][1])
    d[inputs] += found[0]
    d[inputs] += slopes(z[2], c) * d[z][2]
    d[hidden] += found[0]
    d[hidden] += slopes(z[2], c) * d[z][2]
    d[c] += found[1]


@rule(lstm_cell_backward)
def lstm_cell_backward_rule(z, gates, c, next_c, grad_h, grad_next_c):
    """z is (factors * slopes, whole * f)."""
    i = part(gates, 0, c)
    f = part(gates, 1, c)
    g = part(gates, 2, c)
    o = part(gates, 3, c)
    tanh_c = np.tanh(next_c)
    slope = 1 - tanh_c * tanh_c
    whole = grad_next_c + grad_h * o * slope

    t_tanh = slope * d[next_c]
    t_whole = (
        d[grad_next_c]
        + (d[grad_h] * o + grad_h * part(d[gates], 3, c)) * slope
        - 2 * grad_h * o * tanh_c * t_tanh
    )
    t_factors = joined(
        t_whole * g + whole * part(d[gates], 2, c),
        t_whole * c + whole * d[c],
        t_whole * i + whole * part(d[gates], 0, c),
        d[grad_h] * tanh_c + grad_h * t_tanh,
        gates,
    )
    d[z] = (
        t_factors * slopes(gates, c)
        + factors(gates, c, whole, grad_h, tanh_c) * bends(gates, c) * d[gates],
        t_whole * f + whole * part(d[gates], 1, c),
    )

    to_factors = d[z][0] * slopes(gates, c)
    to_whole = (
        part(to_factors, 0, c) * g + part(to_factors, 1, c) * c
        + part(to_factors, 2, c) * i + d[z][1] * f
    )  # fmt: skip
    to_tanh = (part(to_factors, 3, c) - 2 * to_whole * o * tanh_c) * grad_h
    d[gates] += factors(gates, c, whole, grad_h, tanh_c) * bends(gates, c) * d[z][0]
    d[gates] += joined(
        part(to_factors, 2, c) * whole, d[z][1] * whole, part(to_factors, 0, c) * whole,
        to_whole * grad_h * slope, gates,
    )  # fmt: skip
    d[c] += part(to_factors, 1, c) * whole
    d[next_c] += to_tanh * slope
    d[grad_h] += part(to_factors, 3, c) * tanh_c + to_whole * o * slope
    d[grad_next_c] += to_whole


@rule(lstm_steps, written_out=lstm_steps_written_out)
def lstm_steps_rule(z, inputs, h, c, w_hh):
    """The cotangent of w_hh gathers those of all steps, in one product."""
    found = lstm_steps_backward(z[4], z[3], c, w_hh, d[z][0], d[z][1], d[z][2])
    before = np.concatenate((h[None], z[0]))[:-1]  # the h that each step starts from
    d[inputs] += found[0]
    d[h] += found[1]
    d[c] += found[2]
    d[w_hh] += np.reshape(found[0], (-1, w_hh.shape[0])).T @ np.reshape(before, (-1, h.shape[1]))


@typed_by(lstm_cell)
def _lstm_cell_type(symbols, inputs, hidden, c):
    if not all(isinstance(a.type, Array) for a in (inputs, hidden, c)):
        return None
    element = np.result_type(*(a.type.element for a in (inputs, hidden, c)))
    state = replace(c.type, element=element)
    return Tuple((state, state, replace(inputs.type, element=element)))


@typed_by(lstm_cell_backward)
def _lstm_cell_backward_type(symbols, gates, c, next_c, grad_h, grad_next_c):
    given = (gates, c, next_c, grad_h, grad_next_c)
    if not all(isinstance(a.type, Array) for a in given):
        return None
    element = np.result_type(*(a.type.element for a in given))
    return Tuple((replace(gates.type, element=element), replace(c.type, element=element)))


@typed_by(lstm_steps)
def _lstm_steps_type(symbols, inputs, h, c, w_hh):
    given = (inputs, h, c, w_hh)
    if not all(isinstance(a.type, Array) and a.type.dims is not None for a in given):
        return None
    element = np.result_type(*(a.type.element for a in given))
    inputs, c = replace(inputs.type, element=element), replace(c.type, element=element)
    outputs = replace(c, dims=(*inputs.dims[:1], *c.dims))
    return Tuple((outputs, c, c, outputs, inputs))


@typed_by(lstm_steps_backward)
def _lstm_steps_backward_type(symbols, gates, memories, c, w_hh, grad_outputs, grad_h, grad_c):
    given = (gates, memories, c, w_hh, grad_outputs, grad_h, grad_c)
    if not all(isinstance(a.type, Array) for a in given):
        return None
    element = np.result_type(*(a.type.element for a in given))
    c = replace(c.type, element=element)
    return Tuple((replace(gates.type, element=element), c, c))
