"""The libraries that `adjoint` is compared with; each is None where it is not installed."""

from importlib import import_module
from types import ModuleType


def optional(name: str) -> ModuleType | None:
    """The module of that name, or None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


autograd = optional("autograd")
autograd_numpy = optional("autograd.numpy")
jax = optional("jax")
jnp = optional("jax.numpy")
torch = optional("torch")

if jax:
    jax.config.update("jax_enable_x64", True)  # the dtype of the inputs decides, as in NumPy
