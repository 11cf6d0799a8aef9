"""Derivatives that a user gives as functions (`adjoint_of`, `tangent_of`), called on values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..rules.advice import name_of
from ..rules.own import FunctionRule
from ..runtime.own_rules import by_rule, one_for_each, tangent_by_rule
from . import origins


@dataclass(frozen=True)
class OwnFunction:
    """Such a derivative for a call with these arguments: it stands where a rule's template does."""

    rule: FunctionRule
    names: tuple[str, ...]  # x0, x1, ...: the positional arguments
    keywords: tuple[str, ...]

    output = "z"

    def pullback(self, active: frozenset[str]) -> Pullback:
        self._require(self.rule.adjoint, "reverse mode", "adjoint_of", "tangent_of")
        self._require_positional(active)
        return Pullback(self, tuple(n for n in self.names if n in active))

    def pushforward(self, active: frozenset[str]) -> Pushforward:
        self._require(self.rule.tangent, "forward mode", "tangent_of", "adjoint_of")
        self._require_positional(active)
        return Pushforward(self)

    def _require_positional(self, active: frozenset[str]) -> None:
        """A derivative is given by position: there is none by a keyword."""
        for name in sorted(active.difference(self.names)):
            raise origins.no_derivative(
                f"no derivative is known for {name_of(self.rule.fn)} by its argument `{name}`",
                "Pass the argument by position, and give the rule a parameter for it.",
            )

    def _require(self, function: Any, mode: str, missing: str, given: str) -> None:
        if function is None:
            raise origins.no_derivative(
                f"{name_of(self.rule.fn)} has a derivative by ad.{given} only, which does not "
                f"serve {mode}",
                f"Give it one by ad.{missing} as well.",
            )

    def split(self, values: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        count = len(self.names)
        return values[:count], dict(zip(self.keywords, values[count:]))


def function_rule(
    rule: FunctionRule, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The rule for a call, and its operands by name."""
    arranged, keywords = rule.arrange(list(args), kwargs, lambda value: value)
    names = tuple(f"x{i}" for i in range(len(arranged)))
    made = OwnFunction(rule, names, tuple(f"{k}" for k in keywords))
    return made, dict(zip(names, arranged)) | keywords


class _Checked:
    """What is asked of a rule: a function form checks what it gives by itself."""

    own = False


class Pullback:
    rule = _Checked
    derivatives = ("z",)
    shapes: frozenset[str] = frozenset()

    def __init__(self, own: OwnFunction, targets: tuple[str, ...]) -> None:
        self.own, self.targets = own, targets
        self.values = ("z", *own.names, *own.keywords)

    def __call__(self, d_z: Any, z: Any, *values: Any) -> tuple[Any, ...]:
        from .calls import call

        own, function = self.own, self.own.rule.adjoint
        args, keywords = own.split(values)
        found = call(function, z, d_z, *args, **keywords)
        places = [own.names.index(n) for n in self.targets]
        parts = one_for_each(found, max(places) + 1, len(args), function)
        parameters = [p.name for p in own.rule.positional] or list(own.names)
        return tuple(
            None
            if parts[i] is None
            else call(by_rule, parts[i], args[i], d_z, function, (parameters + list(own.names))[i])
            for i in places
        )


class Pushforward:
    rule = _Checked
    shapes: frozenset[str] = frozenset()

    def __init__(self, own: OwnFunction) -> None:
        self.own = own
        self.derivatives = own.names
        self.values = ("z", *own.names, *own.keywords)

    def __call__(self, *given: Any) -> Any:
        from .calls import call

        count = len(self.own.names)
        tangents, z, values = given[:count], given[count], given[count + 1 :]
        args, keywords = self.own.split(values)
        function = self.own.rule.tangent
        return call(tangent_by_rule, call(function, z, tangents, *args, **keywords), z, function)
