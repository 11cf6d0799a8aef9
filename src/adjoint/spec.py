"""Which arguments a derivative is taken by, and how the gradients are arranged."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from .errors import ArgumentError

Names = str | Sequence[str] | None
Numbers = int | Sequence[int] | None


_MOST_UNTOLD = 4  # arguments of a builtin that does not tell how many it takes


class Spec:
    """Which arguments to differentiate by, and how the gradients are arranged."""

    def __init__(self, argnums: Numbers, argnames: Names, has_aux: bool) -> None:
        if argnums is None and argnames is None:
            argnums = 0
        self.argnums = argnums
        self.argnames = argnames
        self.has_aux = has_aux
        self.is_plain = argnames is None and not has_aux

    def positions(self) -> tuple[int, ...]:
        if self.argnums is None:
            return ()
        return (self.argnums,) if isinstance(self.argnums, int) else tuple(self.argnums)

    def keywords(self) -> tuple[str, ...]:
        if self.argnames is None:
            return ()
        return (self.argnames,) if isinstance(self.argnames, str) else tuple(self.argnames)

    def check(self, parameters: tuple[inspect.Parameter, ...], name: str) -> None:
        """Refuse argnums and argnames that the function does not have."""
        if not isinstance(self.argnums, (int, tuple, list, type(None))):
            raise ArgumentError(f"argnums must be an integer or a tuple, got {self.argnums!r}")
        if not isinstance(self.argnames, (str, tuple, list, type(None))):
            raise ArgumentError(f"argnames must be a name or a tuple, got {self.argnames!r}")
        for n in self.positions():
            if not isinstance(n, int) or isinstance(n, bool):
                raise ArgumentError(f"argnums must be integers, got {n!r}")
        names = self.names(parameters, name)
        if len(set(names)) != len(names):
            raise ArgumentError(
                f"argnums={self.argnums!r}, argnames={self.argnames!r}: "
                f"an argument of `{name}` is named twice"
            )

    def reaches_rest(self, parameters: tuple[inspect.Parameter, ...]) -> bool:
        """Whether argnums name arguments that only `*args` takes."""
        named = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
        return any(p.kind is p.VAR_POSITIONAL for p in parameters) and any(
            type(n) is int and n >= named for n in self.positions()
        )

    def names(
        self, parameters: tuple[inspect.Parameter, ...], function: str = "the function"
    ) -> tuple[str, ...]:
        positional = [
            p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        found = []
        for n in self.positions():
            if not -len(positional) <= n < len(positional):
                raise ArgumentError(
                    f"argnums={self.argnums!r}, but `{function}` has {len(positional)} positional "
                    f"argument{'s' * (len(positional) != 1)}: ({', '.join(positional)})",
                    None,
                    "Write a function with a parameter for each argument to differentiate by.",
                )
            found.append(positional[n])
        known = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        for name in self.keywords():
            if name not in known:
                raise ArgumentError(
                    f"argnames={self.argnames!r}, but `{function}` has no argument `{name}`; "
                    f"it has ({', '.join(known)})"
                )
            found.append(name)
        return tuple(found)

    def is_single(self) -> bool:
        """Whether there is one gradient, which is not wrapped in a tuple."""
        if self.argnames is None:
            return isinstance(self.argnums, int)
        return self.argnums is None and isinstance(self.argnames, str)

    def as_argnums(self, parameters: tuple[inspect.Parameter, ...]) -> Numbers:
        order = [p.name for p in parameters]
        found = [order.index(n) for n in self.names(parameters)]
        return found[0] if self.is_single() else tuple(found)

    def arrange(self, result: Any, mode: str) -> Any:
        """Gradients by name become a dict, those by position a tuple; aux goes beside."""
        if mode == "value_and_grad":
            return result[0], self._gradients(result[1])
        if self.has_aux:
            return self._gradients(result[0]), result[1]
        return self._gradients(result)

    def _gradients(self, gradients: Any) -> Any:
        if self.argnames is None or self.is_single():
            return gradients
        count = len(self.positions())
        by_position: Any = gradients[:count]
        if isinstance(self.argnums, int):
            by_position = by_position[0]
        by_name: Any = dict(zip(self.keywords(), gradients[count:], strict=True))
        if isinstance(self.argnames, str):
            by_name = gradients[count]
        return by_name if self.argnums is None else (by_position, by_name)


def parameters_of(fn: Any) -> tuple[inspect.Parameter, ...]:
    """The parameters of a callable; made up where it does not tell, as ufuncs do not."""
    return tuple(callable_signature(fn).parameters.values())


def callable_signature(fn: Any) -> inspect.Signature:
    try:
        return inspect.signature(fn)
    except (TypeError, ValueError):
        positional = inspect.Parameter.POSITIONAL_ONLY
        count = getattr(fn, "nin", 1)
        made = [inspect.Parameter(f"x{i}", positional) for i in range(count)]
        if not hasattr(fn, "nin"):  # a builtin, such as max, may take more
            more = range(1, _MOST_UNTOLD)
            made += [inspect.Parameter(f"x{i}", positional, default=None) for i in more]
        return inspect.Signature(made)


def parameters_in(function: FunctionType) -> list[inspect.Parameter]:
    """What `inspect.signature` finds of a plain `def`, in a tenth of its time."""
    if function.__dict__:  # it may stand for another function
        return list(inspect.signature(function).parameters.values())
    code, made = function.__code__, inspect.Parameter
    names = list(code.co_varnames)
    positional, only = names[: code.co_argcount], code.co_posonlyargcount
    named = names[code.co_argcount :][: code.co_kwonlyargcount]
    rest = names[code.co_argcount + code.co_kwonlyargcount :]
    found: list[tuple[str, Any]] = [(n, made.POSITIONAL_ONLY) for n in positional[:only]]
    found += [(n, made.POSITIONAL_OR_KEYWORD) for n in positional[only:]]
    if code.co_flags & inspect.CO_VARARGS:
        found.append((rest.pop(0), made.VAR_POSITIONAL))
    found += [(n, made.KEYWORD_ONLY) for n in named]
    if code.co_flags & inspect.CO_VARKEYWORDS:
        found.append((rest.pop(0), made.VAR_KEYWORD))
    values = function.__defaults__ or ()
    defaults = dict(zip(positional[len(positional) - len(values) :], values))
    defaults.update(function.__kwdefaults__ or {})
    return [made(n, kind, default=defaults.get(n, made.empty)) for n, kind in found]
