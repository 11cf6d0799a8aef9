"""Which operand of a call is which parameter of a rule."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..kept import Kept

_OMITTED = inspect.Parameter.empty
# Keywords that a function, or the method of an array that it stands for, has beside its own.
_OTHER_NAMES = {np.clip: {"min": "a_min", "max": "a_max"}}


def _positional_names(fn: Any) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(
        p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    )


positional_names = Kept(_positional_names, most=1024)


def bind(
    rule: Any,
    fn: Any,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    literal: Callable[[Any], Any] = lambda value: value,
) -> dict[str, Any]:
    """Parameter name of the rule -> operand, by the function's own signature.

    Operands are values, or what stands for values in the compiler; `literal` makes one of a default
    of the rule. Raises TypeError, naming the argument, where the rule does not take the call.
    """
    params = rule.params
    if any(p.kind is p.VAR_POSITIONAL for p in params):
        head = [p for p in params if p.kind is p.POSITIONAL_OR_KEYWORD]
        if len(args) < len(head):
            raise TypeError("too few operands")
        bound = {p.name: a for p, a in zip(head, args)}
        rest = next(p for p in params if p.kind is p.VAR_POSITIONAL)
        bound[rest.name] = args[len(head) :]
        keywords = {p.name for p in params if p.kind is p.KEYWORD_ONLY}
    else:
        names = [p.name for p in params]
        bound = {}
        own = () if isinstance(fn, np.ufunc) else positional_names(fn)
        for position, operand in enumerate(args):
            # NumPy's own names place positional options; operands are placed by position.
            name = own[position] if position < len(own) and own[position] in names else None
            if name is None or name in bound:
                if (
                    position >= len(names)
                    or params[position].kind is inspect.Parameter.KEYWORD_ONLY
                ):
                    raise TypeError(f"argument {position + 1}")
                name = names[position]
                own_name = own[position] if position < len(own) else None
                default = params[position].default
                if default is not _OMITTED and own_name not in (None, name) and len(own) > position:
                    raise TypeError(f"the argument `{own_name}`")
            bound[name] = operand
        keywords = set(names)
    other = _OTHER_NAMES.get(fn, {}) if kwargs else {}
    for given, operand in kwargs.items():
        name = other.get(given, given)
        if name not in keywords:
            raise TypeError(f"the argument `{name}`")
        bound[name] = operand
    for p in params:
        if p.name in bound or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        if p.default is _OMITTED:
            raise TypeError(f"`{p.name}` is missing")
        bound[p.name] = literal(p.default)
    return bound
