"""Derivatives of plain Python and NumPy, as plain Python and NumPy."""

from . import testing
from .api import Gradient, grad, source, value_and_grad, vjp
from .control import no_grad, stop_gradient
from .errors import (
    AdjointError,
    AliasingError,
    ArgumentError,
    CotangentError,
    NoDerivativeError,
    OutputError,
    SourceUnavailableError,
    UnsupportedSyntaxError,
)
from .pushforward import jvp

__version__ = "0.1.0"

__all__ = [
    "AdjointError",
    "AliasingError",
    "ArgumentError",
    "CotangentError",
    "Gradient",
    "NoDerivativeError",
    "OutputError",
    "SourceUnavailableError",
    "UnsupportedSyntaxError",
    "grad",
    "jvp",
    "no_grad",
    "source",
    "stop_gradient",
    "testing",
    "value_and_grad",
    "vjp",
]
