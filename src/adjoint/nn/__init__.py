"""Neural networks on plain arrays."""

from .module import Module

__all__ = ["Module"]
