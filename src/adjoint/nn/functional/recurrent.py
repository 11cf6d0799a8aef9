"""Recurrent layers over a whole sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import sigmoid
from .linear import linear
from .sequences import lstm_steps


def rnn_sequence(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, nonlinearity: str = "tanh"
) -> tuple[Any, Any]:
    """h = tanh(w_ih @ x[t] + b_ih + w_hh @ h + b_hh) over the steps t (Elman 1990).

    x: (T, N, in). h: (N, hidden). Returns all h, (T, N, hidden), and the last one.
    """
    inputs = linear(x, w_ih, None if b_ih is None else b_ih + b_hh)
    outputs = np.empty_like(x, shape=(len(x), *h.shape))
    for t in range(len(x)):
        total = inputs[t] + h @ w_hh.T
        h = np.tanh(total) if nonlinearity == "tanh" else np.maximum(total, 0)
        outputs[t] = h
    return outputs, h


def lstm_sequence(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any
) -> tuple[Any, Any, Any]:
    """A long short-term memory over a sequence (Hochreiter, Schmidhuber 1997; Gers et al. 2000).

    x: (T, N, in). h, c: (N, hidden). The rows of w_ih (4 * hidden, in), w_hh (4 * hidden, hidden)
    and the biases are for the input gate, the forget gate, the cell and the output gate, as in
    PyTorch. Returns all h, (T, N, hidden), and the last h and c.
    """
    inputs = linear(x, w_ih, None if b_ih is None else b_ih + b_hh)
    outputs, h, c, memories, gates = lstm_steps(inputs, h, c, w_hh)
    return outputs, h, c


def gru_sequence(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> tuple[Any, Any]:
    """Gated recurrent units over a sequence (Cho et al. 2014), in the form of PyTorch.

    x: (T, N, in). h: (N, hidden). The rows of the weights are for the reset gate, the update gate
    and the new state. Returns all h, (T, N, hidden), and the last one.
    """
    samples, size = h.shape
    inputs = linear(x, w_ih, b_ih)
    outputs = np.empty_like(x, shape=(len(x), *h.shape))
    for t in range(len(x)):
        hidden = h @ w_hh.T
        if b_hh is not None:
            hidden = hidden + b_hh
        now, before = inputs[t].reshape(samples, 3, size), hidden.reshape(samples, 3, size)
        r = sigmoid(now[:, 0] + before[:, 0])
        z = sigmoid(now[:, 1] + before[:, 1])
        n = np.tanh(now[:, 2] + r * before[:, 2])
        h = n + z * (h - n)
        outputs[t] = h
    return outputs, h
