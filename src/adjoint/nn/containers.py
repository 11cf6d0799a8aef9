"""Modules that hold others in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .module import Module


class _Numbered(Module):
    """Modules as attributes "0", "1", ..., by which PyTorch names them too."""

    __tree_sequence__ = True

    def __init__(self, modules: Iterable[Module]) -> None:
        super().__init__()
        self._add(modules)

    def _add(self, modules: Iterable[Module]) -> None:
        for module in modules:
            if not isinstance(module, Module):
                raise TypeError(
                    f"{type(self).__name__}: expected modules, got a {type(module).__name__}"
                )
            setattr(self, str(len(self)), module)

    def append(self, module: Module) -> _Numbered:
        """Add a module at the end; returns this one."""
        self._add([module])
        return self

    def __len__(self) -> int:
        return sum(1 for _ in self.children())

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __getitem__(self, index: Any) -> Any:
        found = list(self.children())[index]
        return type(self)._of(found) if isinstance(found, list) else found

    @classmethod
    def _of(cls, modules: list[Module]) -> _Numbered:
        raise NotImplementedError


class Sequential(_Numbered):
    """Modules that are called one after another.

    >>> import numpy as np
    >>> from adjoint import nn
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> net(np.ones((3, 4), np.float32)).shape
    (3, 2)
    >>> net
    Sequential(
      (0): Linear(4, 8, bias=True)
      (1): ReLU()
      (2): Linear(8, 2, bias=True)
    )
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    @classmethod
    def _of(cls, modules: list[Module]) -> _Numbered:
        return cls(*modules)

    def forward(self, x: Any) -> Any:
        for module in self:
            x = module(x)
        return x


class ModuleList(_Numbered):
    """A list of modules, whose parameters are found as those of attributes are.

    >>> from adjoint import nn
    >>> layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    >>> len(layers), len(layers[:2]), layers[0].in_features
    (3, 2, 4)
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__(modules)

    @classmethod
    def _of(cls, modules: list[Module]) -> _Numbered:
        return cls(modules)
