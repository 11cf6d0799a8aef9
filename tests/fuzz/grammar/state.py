"""What the generator knows while it writes a program, and how it chooses."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from .kinds import FLOAT, Fn, Obj, Type


class State:
    """The lines so far, the names at hand with their types, and the random choices."""

    def __init__(self, seed: int, weights: dict[str, float]) -> None:
        self.rng = random.Random(seed)
        self.weights = weights
        self.lines: list[str] = []
        self.indent = 0
        self.count = 0
        self.scope: dict[str, Type] = {}
        self.owned: set[str] = set()  # names that the current function may rebind
        self.fixed: set[str] = set()  # names whose type must stay
        self.helpers: dict[str, Fn] = {}
        self.result: Type = FLOAT  # of the current function
        self.in_loop = False
        self.classes: list[Obj] = []
        self.may_leave = False  # break and continue are allowed here
        self.left = False  # the loop at hand contains break, continue or return
        self.weights_of_leaving = 1.0  # 0 where break, continue and return are not wanted
        self.uses_scaled = self.uses_shifted = False
        self.mult = 1  # iterations of the loops around
        self.depth = 0
        self.single = False

    def flip(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, options: list[Any]) -> Any:
        return self.rng.choice(options)

    def weighted(self, options: list[tuple[float, Any]]) -> Any:
        return self.rng.choices([o for _, o in options], [w for w, _ in options])[0]

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def emit(self, line: str) -> None:
        self.lines.append("    " * self.indent + line)

    def named(self, test: Callable[[Type], bool], owned: bool = False) -> list[str]:
        return [n for n, t in self.scope.items() if test(t) and (not owned or n in self.owned)]

    def bind(self, name: str, t: Type) -> None:
        self.scope[name] = t
        self.owned.add(name)
