"""How to name a function in a message, and how to give it a rule."""

from __future__ import annotations

import keyword
import sys
from typing import Any

import numpy as np

from .binding import positional_names


def name_of(fn: Any) -> str:
    """The full name of a function: `scipy.special.jv`.

    >>> name_of(np.linalg.eig), name_of(len)
    ('numpy.linalg.eig', 'len')
    """
    name = getattr(fn, "__qualname__", None) or getattr(fn, "__name__", None)
    if name is None:
        return repr(fn)
    module = getattr(fn, "__module__", None)
    if isinstance(fn, np.ufunc):  # it does not say where it is from
        special = sys.modules.get("scipy.special")
        module = "scipy.special" if getattr(special, name, None) is fn else "numpy"
    if not module or module == "builtins":
        return name
    return f"{_public(module, name, fn)}.{name}"


def _public(module: str, name: str, fn: Any) -> str:
    """The shortest module around a private one that has the function too."""
    parts = module.split(".")
    if not any(p.startswith("_") for p in parts):
        return module
    for end in range(1, len(parts)):
        around = ".".join(parts[:end])
        if getattr(sys.modules.get(around), name, None) is fn:
            return around
    return module


def example_of_a_rule(fn: Any, by: int | str | None = None) -> str:
    """Two lines that give a function a rule, with the partial by the argument `by`.

    by: its name, or its place.

    >>> print(example_of_a_rule(np.linalg.cond))
    @ad.rule(numpy.linalg.cond)
    def cond_rule(z, x, p): ad.d[z, x] = ...
    """
    name = name_of(fn)
    short = name.rpartition(".")[2].strip("<>")
    if not short.isidentifier() or keyword.iskeyword(short):
        short = "my"
    names = list(positional_names(fn))[: getattr(fn, "nin", None)]
    if not names:
        names = [f"x{i + 1}" for i in range(getattr(fn, "nin", 1))]
    if isinstance(by, int):
        by = names[by] if by < len(names) else None
    by = by if by in names else names[0]
    output = "z" if "z" not in names else "result"
    given = ", ".join([output, *names])
    return f"@ad.rule({name})\ndef {short}_rule({given}): ad.d[{output}, {by}] = ..."
