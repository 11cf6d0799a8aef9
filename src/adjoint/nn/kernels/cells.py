"""The step of a long short-term memory in plain array code, in the memory of its results.

sigmoid(x) = tanh(x / 2) / 2 + 1 / 2, so one tanh serves all four gates.
"""

from __future__ import annotations

from typing import Any

from ...runtime.modules import module_of


def lstm_cell(inputs: Any, hidden: Any, c: Any) -> tuple[Any, Any, Any]:
    xp, (inputs, hidden, c) = of_one_dtype(inputs, hidden, c)
    gates = inputs + hidden
    i, f, g, o = split(gates)
    i_and_f = gates[:, : 2 * c.shape[1]]
    i_and_f *= 0.5
    o *= 0.5
    xp.tanh(gates, out=gates)
    i_and_f *= 0.5
    i_and_f += 0.5
    o *= 0.5
    o += 0.5
    next_c = f * c
    next_c += i * g
    h = xp.tanh(next_c)
    h *= o
    return h, next_c, gates


def lstm_cell_backward(gates: Any, c: Any, next_c: Any, d_h: Any, d_next_c: Any) -> tuple[Any, Any]:
    xp, (gates, c, next_c, d_h, d_next_c) = of_one_dtype(gates, c, next_c, d_h, d_next_c)
    i, f, g, o = split(gates)
    d_gates = xp.empty_like(gates)
    d_i, d_f, d_g, d_o = split(d_gates)
    work = xp.tanh(next_c)
    xp.multiply(d_h, work, out=d_o)
    work *= work
    xp.subtract(1, work, out=work)
    work *= d_h
    work *= o
    work += d_next_c  # the whole cotangent of the next c
    xp.multiply(work, g, out=d_i)
    xp.multiply(work, c, out=d_f)
    xp.multiply(work, i, out=d_g)
    d_c = xp.multiply(work, f, out=work)
    # The slope of a sigmoid s is (1 - s) * s, that of a tanh g is (1 - g) * (1 + g).
    d_gates *= 1 - gates
    d_gates[:, : 2 * c.shape[1]] *= gates[:, : 2 * c.shape[1]]
    d_g *= 1 + g
    d_o *= o
    return d_gates, d_c


def of_one_dtype(*arrays: Any) -> tuple[Any, tuple[Any, ...]]:
    """The module of arrays, and the arrays: each step writes into the memory of the one before."""
    xp = module_of(*arrays)
    if len({x.dtype for x in arrays}) > 1:
        dtype = xp.result_type(*arrays)
        arrays = tuple(x.astype(dtype, copy=False) for x in arrays)
    return xp, arrays


def split(gates: Any) -> tuple[Any, ...]:
    """i, f, g and o, each (N, size), as parts of the gates."""
    size = gates.shape[1] // 4
    return tuple(gates[:, k * size : (k + 1) * size] for k in range(4))
