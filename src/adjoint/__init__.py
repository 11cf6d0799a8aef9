"""Derivatives of plain Python and NumPy, as plain Python and NumPy."""

import importlib

from . import testing
from .anomaly import detect_anomaly
from .api import Gradient, grad, source, value_and_grad, vjp
from .control import no_grad, stop_gradient
from .errors import (
    AdjointError,
    AliasingError,
    AnomalyError,
    ArgumentError,
    CotangentError,
    NoDerivativeError,
    OutputError,
    RuleError,
    SourceUnavailableError,
    UnsupportedSyntaxError,
)
from .jacobians import elementwise_grad, hessian, hvp, jacobian
from .pushforward import jvp
from .rules.own import adjoint_of, rule, tangent_of
from .rules.template import d
from .surgery import insert_grad_of, register_hook

__version__ = "0.1.0"

__all__ = [
    "AdjointError",
    "AliasingError",
    "AnomalyError",
    "ArgumentError",
    "CotangentError",
    "Gradient",
    "NoDerivativeError",
    "OutputError",
    "RuleError",
    "SourceUnavailableError",
    "UnsupportedSyntaxError",
    "adjoint_of",
    "d",
    "detect_anomaly",
    "elementwise_grad",
    "grad",
    "hessian",
    "hvp",
    "insert_grad_of",
    "jacobian",
    "jvp",
    "no_grad",
    "register_hook",
    "rule",
    "source",
    "stop_gradient",
    "tangent_of",
    "testing",
    "value_and_grad",
    "vjp",
]

# Modules that are imported when they are first asked for, as `adjoint.nn` or `ad.nn`.
_ON_DEMAND = frozenset(("data", "nn", "optim", "serialization", "tree"))


def __getattr__(name: str) -> object:
    if name in _ON_DEMAND:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_ON_DEMAND.union(globals()))
