"""The base class of layers and networks: parameters are attributes that are arrays of floats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..types import array_module, moved

# What is seen at a glance to be no array: gradients are matched with parameters at each step.
_SETTINGS = frozenset((bool, dict, float, int, list, str, tuple, type(None)))


class Module:
    """A network, or a part of one: a plain class with a method `forward`.

    An attribute that is an array of floats is a parameter, an attribute that is a Module is a part;
    both are found by `parameters()` and `state_dict()`, at any depth, in the order in which they
    were assigned. Arrays that are not trained are kept by `register_buffer`. All other attributes
    are settings. Calling a module calls its `forward`.

    `grad` by a module gives an object of its class with the gradients in place of the parameters:
    `grads.fc1.weight` is the gradient by `net.fc1.weight`.

    >>> import numpy as np
    >>> import adjoint as ad
    >>> from adjoint import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = np.array([2.0, 3.0])
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> net = Scale()
    >>> net(np.ones(2))
    array([2., 3.])
    >>> grads = ad.grad(lambda net, x: np.sum(net(x)))(net, np.array([5.0, 7.0]))
    >>> grads.factor
    array([5., 7.])
    """

    training: bool
    _buffers: tuple[str, ...]
    __tree_sequence__ = False  # whether parts are numbered: `net[0]`
    # Methods that give parts and nothing else: the compiler answers them from the types.
    __tree_walks__ = ("parameters", "named_parameters", "children", "named_children", "modules",
                      "named_modules")  # fmt: skip

    def __init__(self) -> None:
        self.training = True
        self._buffers = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no method `forward`")

    def __setattr__(self, name: str, value: Any) -> None:
        if "training" not in self.__dict__ and name != "training":
            raise AttributeError(
                f"{type(self).__name__}.__init__ must call super().__init__() "
                f"before it assigns `{name}`"
            )
        object.__setattr__(self, name, value)

    # -- parts ------------------------------------------------------------------------------

    def __tree_flatten__(self) -> dict[str, Any]:
        """The parameters and the modules of this module, by attribute.

        Arrays come first, as in `parameters()`: the leaves of a gradient are in its order.
        """
        buffers = self._buffers
        parts: dict[str, Any] = {}
        modules: dict[str, Module] = {}
        for name, value in self.__dict__.items():
            if isinstance(value, Module):
                modules[name] = value
            elif name not in buffers and _is_parameter(value):
                parts[name] = value
        parts.update(modules)
        return parts

    def __tree_unflatten__(self, parts: dict[str, Any]) -> Module:
        """A module like this one with other parts."""
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.__dict__.update(parts)
        return made

    def children(self) -> Iterator[Module]:
        """The modules that are attributes of this one."""
        return (module for _, module in self.named_children())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes of this one, with their names."""
        for name, value in self.__dict__.items():
            if isinstance(value, Module):
                yield name, value

    def modules(self) -> Iterator[Module]:
        """This module and all in it, each once."""
        return (module for _, module in self.named_modules())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all in it, each once, with dotted names."""
        yield from self._named_modules(prefix, set())

    def _named_modules(self, prefix: str, seen: set[int]) -> Iterator[tuple[str, Module]]:
        if id(self) in seen:
            return
        seen.add(id(self))
        yield prefix, self
        for name, child in self.named_children():
            yield from child._named_modules(_joined(prefix, name), seen)

    # -- arrays -----------------------------------------------------------------------------

    def register_buffer(self, name: str, value: Any) -> None:
        """Keep an array that is part of the state and is not trained, such as a running mean."""
        setattr(self, name, value)
        if name not in self._buffers:
            self._buffers = (*self._buffers, name)

    def parameters(self) -> list[Any]:
        """The arrays that are trained, each once."""
        return [array for _, array in self.named_parameters()]

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        """(dotted name, array) of the arrays that are trained, each once."""
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, value in module.__dict__.items():
                if _is_parameter(value) and name not in module._buffers and id(value) not in seen:
                    seen.add(id(value))
                    yield _joined(prefix, name), value

    def named_buffers(self) -> Iterator[tuple[str, Any]]:
        """(dotted name, array) of the arrays that are kept and not trained."""
        for prefix, module in self.named_modules():
            for name in module._buffers:
                yield _joined(prefix, name), module.__dict__[name]

    def state_dict(self) -> dict[str, Any]:
        """All arrays by dotted name, as PyTorch names them; the arrays themselves, no copies."""
        found: dict[str, Any] = {}
        _collect(self, "", found)
        return found

    def load_state_dict(self, state_dict: Any) -> None:
        """Copy arrays into this module, in place.

        Raises ValueError, and leaves the module as it is, where names, shapes or dtypes differ.
        """
        own = self.state_dict()
        problems = [f"missing: {name}" for name in own if name not in state_dict]
        problems += [f"unexpected: {name}" for name in state_dict if name not in own]
        arrays = {}
        for name, array in own.items():
            if name not in state_dict:
                continue
            given = state_dict[name]
            if array_module(type(given)) is None:
                given = np.asarray(given)
            arrays[name] = given
            if given.shape != array.shape:
                problems.append(f"{name} has shape {given.shape}, expected {array.shape}")
            elif given.dtype != array.dtype:
                problems.append(f"{name} has dtype {given.dtype}, expected {array.dtype}")
        if problems:
            raise ValueError(
                f"the state does not fit this {type(self).__name__}:\n  " + "\n  ".join(problems)
            )
        for name, array in own.items():
            array[...] = arrays[name]

    # -- modes ------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Module:
        """Set `training` in this module and all in it; returns the module."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Module:
        """The same as `train(False)`: no dropout, and running statistics are used."""
        return self.train(False)

    def astype(self, dtype: Any) -> Module:
        """Replace all arrays of floats by arrays of another dtype; returns the module."""
        return self._with_arrays(lambda a: a.astype(dtype) if a.dtype.kind in "fc" else a)

    def to(self, namespace: Any) -> Module:
        """Move all arrays to an array module: `net.to(cupy)`, `net.to(numpy)`; returns the module.

        An optimiser that was made before has the arrays of before.

        >>> import numpy as np
        >>> from adjoint import nn
        >>> nn.Linear(2, 2).to(np).weight.shape
        (2, 2)
        """
        return self._with_arrays(lambda array: moved(array, namespace))

    def _with_arrays(self, made_from: Callable[[Any], Any]) -> Module:
        """Replace each parameter and buffer; an array at two places is replaced by one."""
        made: dict[int, tuple[Any, Any]] = {}
        for module in self.modules():
            for name, value in list(module.__dict__.items()):
                if value is not None and (_is_parameter(value) or name in module._buffers):
                    made.setdefault(id(value), (value, made_from(value)))
                    module.__dict__[name] = made[id(value)][1]
        return self

    # -- for people -------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """The settings that `repr` shows in brackets."""
        return ""

    def __repr__(self) -> str:
        lines = []
        for name, child in self.named_children():
            lines.append(f"({name}): {_indented(repr(child))}")
        extra = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({extra})"
        inner = "\n".join(f"  {line}" for line in ([extra] if extra else []) + lines)
        return f"{type(self).__name__}(\n{inner}\n)"


def _is_parameter(value: Any) -> bool:
    cls = value.__class__
    if cls in _SETTINGS or (cls is not np.ndarray and array_module(cls) is None):
        return False
    return value.dtype.kind in "fc"


def _collect(module: Module, prefix: str, found: dict[str, Any]) -> None:
    """The arrays of a module and of those in it: one that is a part twice is named twice."""
    for name, value in module.__dict__.items():
        if _is_parameter(value) and name not in module._buffers:
            found[_joined(prefix, name)] = value
    for name in module._buffers:
        found[_joined(prefix, name)] = module.__dict__[name]
    for name, child in module.named_children():
        _collect(child, _joined(prefix, name), found)


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")
