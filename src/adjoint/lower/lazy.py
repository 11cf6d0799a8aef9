"""Iterators: Python walks them later than it makes them, and once.

A generator expression, `map`, `zip`, `enumerate`, `reversed` and the views of a dict are lowered
to what they give, at the place where they are made. That is the same only where they are walked
at once, as in `sum(v * v for v in x)`. One that is kept in a name could see later changes, or be
walked twice and give nothing the second time, so it is refused.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

import gast

from ..signature import is_hashable

# They walk their first argument to its end, before they do anything else.
WALKING: frozenset[Any] = frozenset(
    {sum, min, max, list, tuple, dict, set, frozenset, sorted, len, math.prod, math.fsum}
)
# They stop early, so what is evaluated for an element must not be seen in any other way.
_STOPPING: frozenset[Any] = frozenset({any, all})
_WALKING_METHODS = frozenset({"extend", "join"})
LAZY: frozenset[Any] = frozenset({builtins.map, zip, enumerate, reversed, filter})
# A loop over them evaluates an element, runs its body, evaluates the next.
BY_ELEMENT: frozenset[Any] = frozenset({builtins.map, filter})
VIEWS = frozenset({"items", "keys", "values"})

ADVICE = "Make a list of it where it is made: list(...), or [... for ... in ...]."


def is_one_of(value: Any, group: frozenset[Any]) -> bool:
    return is_hashable(value) and value in group


def walked_by(value: Any, node: Any, itself_walked: bool) -> list[Any]:
    """The arguments that a call of a function walks at once.

    itself_walked: whether what the call gives is walked at once.
    """
    if is_one_of(value, LAZY):
        return node.args if itself_walked else []
    if is_one_of(value, WALKING):
        return node.args[:1]
    if is_one_of(value, _STOPPING):
        return [arg for arg in node.args[:1] if not _may_have_effects(arg)]
    return []


def walked_by_method(name: str, node: Any) -> list[Any]:
    return node.args if name in _WALKING_METHODS else []


def _may_have_effects(node: Any) -> bool:
    """Whether to evaluate an element may fail, or do something besides giving a value."""
    if not isinstance(node, gast.GeneratorExp):
        return isinstance(node, gast.Call)
    inner = [node.elt, *(test for g in node.generators for test in g.ifs)]
    risky = (gast.Call, gast.Subscript, gast.NamedExpr, gast.Div, gast.Mod, gast.FloorDiv, gast.Pow)
    return any(isinstance(n, risky) for part in inner for n in gast.walk(part))
