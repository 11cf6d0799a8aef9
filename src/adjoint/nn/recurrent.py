"""Recurrent layers over sequences: RNN, LSTM and GRU, with the arguments of PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import functional as F
from . import init
from .checks import positive_sizes, probability
from .module import Module


class _Recurrent(Module):
    """Layers of cells, each over the whole sequence, forwards and perhaps backwards as well.

    The parameters of layer k are weight_ih_lk, weight_hh_lk, bias_ih_lk and bias_hh_lk, and the
    same with `_reverse` at the end; all drawn evenly from (-1, 1) / sqrt(hidden_size).
    """

    gates = 1
    weight_ih_l0: Any

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        positive_sizes(
            type(self).__name__,
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
        )
        probability(type(self).__name__, dropout)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.batch_first = batch_first
        self.dropout = dropout
        self.has_dropout = dropout > 0
        self.bidirectional = bidirectional
        self.bias = bias
        self.generator = generator
        # The names of the parameters of each layer, for each direction.
        self.names = tuple(
            tuple(
                tuple(f"{name}_l{layer}{side}" for name in _NAMES)
                for side in ("", "_reverse")[: 1 + bidirectional]
            )
            for layer in range(num_layers)
        )
        size = input_size
        for directions in self.names:
            for w_ih, w_hh, b_ih, b_hh in directions:
                rows = self.gates * hidden_size
                for name, shape in ((w_ih, (rows, size)), (w_hh, (rows, hidden_size))):
                    setattr(self, name, init.fan_in_uniform(shape, hidden_size, dtype, generator))
                for name in (b_ih, b_hh):
                    made = init.fan_in_uniform((rows,), hidden_size, dtype, generator)
                    setattr(self, name, made if bias else None)
            size = hidden_size * (1 + bidirectional)

    def steps_first(self, x: Any) -> Any:
        """The input as (T, N, input_size)."""
        if x.ndim != 3 or x.shape[2] != self.weight_ih_l0.shape[1]:
            order = "N, T" if self.batch_first else "T, N"
            raise ValueError(
                f"{self!r}: expected x of shape ({order}, {self.input_size}), got {x.shape}"
            )
        return np.swapaxes(x, 0, 1) if self.batch_first else x

    def parameters_of(self, names: tuple[str, ...]) -> tuple[Any, ...]:
        """The parameters of these names; None for a bias that there is not."""
        w_ih, w_hh, b_ih, b_hh = names
        return getattr(self, w_ih), getattr(self, w_hh), getattr(self, b_ih), getattr(self, b_hh)

    def state_at_start(self, x: Any, given: Any) -> Any:
        """(layers * directions, N, hidden_size): zeros, if no state is given."""
        shape = (self.num_layers * (1 + self.bidirectional), x.shape[1], self.hidden_size)
        if given is None:
            return np.zeros_like(x, shape=shape)
        if given.shape != shape:
            raise ValueError(f"{self!r}: expected a state of shape {shape}, got {given.shape}")
        return given

    def after_layer(self, sides: tuple[Any, ...], layer: int) -> Any:
        """What the next layer gets: both directions side by side, with dropout between layers."""
        x = np.concatenate(sides, axis=2) if self.bidirectional else sides[0]
        if self.has_dropout and layer + 1 < self.num_layers:
            x = F.dropout(x, self.dropout, self.training, self.generator)
        return x

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        for name in ("batch_first", "bidirectional"):
            text += f", {name}=True" if getattr(self, name) else ""
        return text


_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class RNN(_Recurrent):
    """h = tanh(w_ih @ x[t] + b_ih + w_hh @ h + b_hh), see `F.rnn_sequence`.

    x: (T, N, input_size), or (N, T, input_size) with batch_first. h: the state at the start,
    (num_layers * directions, N, hidden_size), zeros by default. Returns all states of the last
    layer, (T, N, directions * hidden_size) in the order of x, and the last state of each layer.

    >>> import numpy as np
    >>> from adjoint import nn
    >>> outputs, h = nn.RNN(3, 4)(np.ones((5, 2, 3), np.float32))
    >>> outputs.shape, h.shape
    ((5, 2, 4), (1, 2, 4))
    """

    def __init__(self, *args: Any, nonlinearity: str = "tanh", **options: Any) -> None:
        super().__init__(*args, **options)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f'RNN: nonlinearity must be "tanh" or "relu", got {nonlinearity!r}')
        self.nonlinearity = nonlinearity

    def forward(self, x: Any, h: Any = None) -> Any:
        x = self.steps_first(x)
        starts = self.state_at_start(x, h)
        ends: tuple[Any, ...] = ()
        for layer, directions in enumerate(self.names):
            sides: tuple[Any, ...] = ()
            for back, names in enumerate(directions):
                steps = x[::-1] if back else x
                w_ih, w_hh, b_ih, b_hh = self.parameters_of(names)
                outputs, end = F.rnn_sequence(
                    steps, starts[len(ends)], w_ih, w_hh, b_ih, b_hh, self.nonlinearity
                )
                sides = (*sides, outputs[::-1] if back else outputs)
                ends = (*ends, end)
            x = self.after_layer(sides, layer)
        return np.swapaxes(x, 0, 1) if self.batch_first else x, np.stack(ends)


class LSTM(_Recurrent):
    """A long short-term memory, see `F.lstm_sequence`.

    x: (T, N, input_size), or (N, T, input_size) with batch_first. state: (h, c) at the start, each
    (num_layers * directions, N, hidden_size), zeros by default. Returns all h of the last layer,
    (T, N, directions * hidden_size) in the order of x, and (h, c) at the end of each layer.

    >>> import numpy as np
    >>> from adjoint import nn
    >>> outputs, (h, c) = nn.LSTM(3, 4, batch_first=True)(np.ones((2, 5, 3), np.float32))
    >>> outputs.shape, h.shape, c.shape
    ((2, 5, 4), (1, 2, 4), (1, 2, 4))
    """

    gates = 4

    def forward(self, x: Any, state: Any = None) -> Any:
        x = self.steps_first(x)
        starts = self.state_at_start(x, None if state is None else state[0])
        memories = self.state_at_start(x, None if state is None else state[1])
        ends: tuple[Any, ...] = ()
        memories_end: tuple[Any, ...] = ()
        for layer, directions in enumerate(self.names):
            sides: tuple[Any, ...] = ()
            for back, names in enumerate(directions):
                steps = x[::-1] if back else x
                w_ih, w_hh, b_ih, b_hh = self.parameters_of(names)
                outputs, h, c = F.lstm_sequence(
                    steps, starts[len(ends)], memories[len(ends)], w_ih, w_hh, b_ih, b_hh
                )
                sides = (*sides, outputs[::-1] if back else outputs)
                ends = (*ends, h)
                memories_end = (*memories_end, c)
            x = self.after_layer(sides, layer)
        outputs = np.swapaxes(x, 0, 1) if self.batch_first else x
        return outputs, (np.stack(ends), np.stack(memories_end))


class GRU(_Recurrent):
    """Gated recurrent units, see `F.gru_sequence`. Arguments and results are those of `RNN`.

    >>> import numpy as np
    >>> from adjoint import nn
    >>> outputs, h = nn.GRU(3, 4, bidirectional=True)(np.ones((5, 2, 3), np.float32))
    >>> outputs.shape, h.shape
    ((5, 2, 8), (2, 2, 4))
    """

    gates = 3

    def forward(self, x: Any, h: Any = None) -> Any:
        x = self.steps_first(x)
        starts = self.state_at_start(x, h)
        ends: tuple[Any, ...] = ()
        for layer, directions in enumerate(self.names):
            sides: tuple[Any, ...] = ()
            for back, names in enumerate(directions):
                steps = x[::-1] if back else x
                w_ih, w_hh, b_ih, b_hh = self.parameters_of(names)
                outputs, end = F.gru_sequence(steps, starts[len(ends)], w_ih, w_hh, b_ih, b_hh)
                sides = (*sides, outputs[::-1] if back else outputs)
                ends = (*ends, end)
            x = self.after_layer(sides, layer)
        return np.swapaxes(x, 0, 1) if self.batch_first else x, np.stack(ends)
