"""User Python -> core, by abstract interpretation over the types of the arguments."""

from .function import Lowering, lower_call, lower_function

__all__ = ["Lowering", "lower_call", "lower_function"]
