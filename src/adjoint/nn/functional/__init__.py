"""Functions of neural networks, named and laid out as in torch.nn.functional."""

from .activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from .attention import scaled_dot_product_attention
from .convolution import conv2d
from .linear import embedding, linear
from .losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from .normalisation import batch_norm, count_batch, layer_norm
from .pooling import avg_pool2d, max_pool2d
from .recurrent import gru_sequence, lstm_sequence, rnn_sequence
from .regularisation import dropout

__all__ = [
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "count_batch",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "gru_sequence",
    "huber_loss",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "lstm_sequence",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "relu",
    "rnn_sequence",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]
