"""Optimisers for arrays that are trained, learning rate schedules, and clipping of gradients.

Names, arguments, defaults and formulas are those of torch.optim. The one difference is that
gradients are values: `optimizer.step(grads)` takes what `ad.grad` gives.

>>> import numpy as np
>>> import adjoint as ad
>>> def loss(params, x, t):
...     return np.mean((x @ params["w"] + params["b"] - t) ** 2)
>>> params = {"w": np.zeros(2), "b": np.zeros(1)}
>>> x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
>>> optimizer = SGD(params, lr=0.2, momentum=0.9)
>>> for _ in range(300):
...     optimizer.step(ad.grad(loss)(params, x, x @ [2.0, -1.0] + 3))
>>> params["w"].round(3), params["b"].round(3)
(array([ 2., -1.]), array([3.]))
"""

from . import functional, lr_scheduler
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .clip import clip_grad_norm, clip_grad_norm_, clip_grad_value, clip_grad_value_
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value",
    "clip_grad_value_",
    "functional",
    "lr_scheduler",
]
