"""What generated code calls to check what a user's rule gives, where types do not tell."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import RuleError
from ..rules.own import place_of
from .generic import fit, fit_tangent, is_differentiable, zeros_like


def one_for_each(cotangents: Any, least: int, most: int, rule: Any) -> tuple[Any, ...]:
    """The cotangents that a function gives, one for each argument in order.

    least: how many are asked for; most: how many arguments there are.
    """
    if most == 1 and not isinstance(cotangents, tuple):
        return (cotangents,)
    if not isinstance(cotangents, tuple) or not least <= len(cotangents) <= most:
        given = (
            f"a tuple of {len(cotangents)}"
            if isinstance(cotangents, tuple)
            else f"a {type(cotangents).__name__}"
        )
        raise RuleError(
            f"the rule returns {given}, but the function was called with {most} "
            f"argument{'s' * (most != 1)}",
            place_of(rule),
            "Return a tuple with the cotangent of each argument, None where it is zero.",
        )
    return cotangents


def by_rule(d: Any, x: Any, d_z: Any, rule: Any, name: str) -> Any:
    """The cotangent `d` of an argument `x`, fitted to it: an error if it has another form.

    d_z: the cotangent of the result. d may have its shape, which x was broadcast to.
    """
    if d is None:
        return zeros_like(x)
    if isinstance(x, (list, tuple, dict)):
        _check_structure(d, x, rule, name)
        return d
    if isinstance(d, (list, tuple, dict)) or not is_differentiable(d):
        raise _wrong(d, x, rule, name)
    have, want = np.shape(d), np.shape(x)
    if have not in ((), want) and not (have == np.shape(d_z) and _broadcasts(want, have)):
        raise _wrong(d, x, rule, name)
    return fit(d, x)


def tangent_by_rule(t: Any, z: Any, rule: Any) -> Any:
    """The tangent `t` of a result `z`, fitted to it: an error if it has another form."""
    if isinstance(z, (list, tuple, dict)):
        _check_structure(t, z, rule, "result")
        return t
    if t is not None:
        unfit = isinstance(t, (list, tuple, dict)) or not is_differentiable(t)
        if unfit or not _broadcasts(np.shape(t), np.shape(z)):
            raise RuleError(
                f"the rule gives the result {_form(t, 'a tangent')}, but it is "
                f"{_form(z, 'an array')}",
                place_of(rule),
                "A tangent has the shape and the structure of the result.",
            )
    return fit_tangent(t, z)


def _check_structure(d: Any, x: Any, rule: Any, name: str) -> None:
    if d is None or not isinstance(x, (list, tuple, dict)):
        if d is not None and np.shape(d) != np.shape(x):
            raise _wrong(d, x, rule, name)
        return
    if not isinstance(d, type(x)) or len(d) != len(x) or isinstance(x, dict) and set(d) != set(x):
        raise _wrong(d, x, rule, name)
    for key in x if isinstance(x, dict) else range(len(x)):
        _check_structure(d[key], x[key], rule, f"{name}[{key!r}]")


def _broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(small, large) == large
    except ValueError:
        return False


def _wrong(d: Any, x: Any, rule: Any, name: str) -> RuleError:
    return RuleError(
        f"the rule gives the argument `{name}` {_form(d, 'a cotangent')}, "
        f"but it is {_form(x, 'an array')}",
        place_of(rule),
        "A cotangent has the shape and the structure of its argument.",
    )


def _form(value: Any, what: str) -> str:
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, dict):
        return f"a dict with the keys {list(value)}"
    if hasattr(value, "shape"):
        return f"{what} of shape {value.shape}"
    return f"a {type(value).__name__}"
