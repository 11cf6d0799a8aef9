"""Direct calls: arguments of the same types as those of the last call go to the code at once.

A small derivative takes a few microseconds, of which finding its code must take little. So each
derivative has a `__call__` of its own, made for the signatures of the last call: it asks whether
the arguments have these, and calls the code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import epoch
from .compile import Compiled
from .retell import retell
from .runtime.structs import is_struct
from .signature import is_fixed, is_same, signature_of
from .struct_matcher import struct_matcher

_ndarray = np.ndarray  # one look-up less, where every nanosecond of a call shows
_MISSING = object()


class _Missed(Exception):
    """Arguments of another signature."""


def direct_call(
    args: tuple[Any, ...],
    compiled: Compiled,
    run: Callable[..., Any],
    otherwise: Callable[..., Any],
    number: int,
    made: dict[Any, Any] | None = None,
) -> Callable[..., Any]:
    """A function that calls `run` with arguments of the signatures of `args`, else `otherwise`.

    Comparing with one signature is quicker than looking a key up among many. `number` is that of
    the epoch, `compiled` the code that `run` runs. `made` keeps what was made for objects with
    parts: where the sizes of the data change, a network does not.
    """
    known: dict[str, Any] = {
        "epoch": epoch, "signature_of": signature_of, "_ndarray": _ndarray, "missing": _MISSING,
        "Missed": _Missed, "run": run, "otherwise": otherwise, "retell": retell,
        "filename": compiled.filename, "emitted": compiled.emitted,
    }  # fmt: skip
    conditions = [f"epoch.number == {number}"]
    assumed = compiled.is_current
    if assumed is not None:
        known = assumed.known | known
        conditions += ["is_current()"] if assumed.conditions is None else assumed.conditions
    lines = [_require(" and ".join(conditions))]
    for i, value in enumerate(args):
        lines += _checks(value, f"a{i}", known, {} if made is None else made)
    text = _DIRECT_CALL.format(
        defaults="".join(f"a{i}=missing, " for i in range(len(args))),
        checks="\n        ".join(lines),
        names="".join(f"a{i}, " for i in range(len(args))),
    )
    exec(compile(text, "<direct call>", "exec"), known)
    return known["__call__"]  # type: ignore[no-any-return]


# A name outside that a condition reads may be gone.
_DIRECT_CALL = """
def __call__({defaults}/, *rest, **kwargs):
    try:
        if rest or kwargs: raise Missed
        {checks}
    except (Missed, KeyError, AttributeError, ValueError):
        pass
    else:
        try:
            return run({names})
        except Exception as error:
            retell(error, filename, emitted)
            raise
    return otherwise(*[a for a in ({names}) if a is not missing], *rest, **kwargs)
"""


def _require(test: str) -> str:
    return f"if not ({test}): raise Missed"


def _checks(value: Any, name: str, known: dict[str, Any], made: dict[Any, Any]) -> list[str]:
    """Lines that raise `Missed` unless what a variable stands for has the signature of `value`.

    What they read is entered in `known`, under names that start with that of the variable.
    """
    cls = value.__class__
    if cls is _ndarray:
        known[f"{name}_s"], known[f"{name}_t"] = value.shape, value.dtype
        same = f"{name}.shape == {name}_s and {name}.dtype is {name}_t"
        return [_require(f"{name}.__class__ is _ndarray and {same}")]
    if cls is float or cls is int:
        return [_require(f"{name}.__class__ is {cls.__name__}")]
    if (cls is dict or cls is list or cls is tuple) and len(value) <= _MOST_PARTS:
        known[f"{name}_k"] = tuple(value) if cls is dict else len(value)
        keys = f"tuple({name})" if cls is dict else f"len({name})"
        lines = [_require(f"{name}.__class__ is {cls.__name__} and {keys} == {name}_k")]
        for i, (key, part) in enumerate(value.items() if cls is dict else enumerate(value)):
            known[f"{name}_k{i}"] = key
            lines.append(f"{name}_{i} = {name}[{name}_k{i}]")
            lines += _checks(part, f"{name}_{i}", known, made)
        return lines
    known[f"{name}_s"] = signature_of(value)
    test = f"signature_of({name}) == {name}_s"
    quick = _quick(value, known[f"{name}_s"], made) if is_struct(cls) else None
    if quick is not None:
        known[f"{name}_m"] = quick
        test = f"{name}_m({name}) or {test}"
    return [_require(test)]


_MOST_PARTS = 32  # of a container whose parts are asked for one by one

_MOST_MADE = 16


def _quick(value: Any, signature: Any, made: dict[Any, Any]) -> Callable[[Any], bool] | None:
    """The function made for an object of this signature."""
    if signature not in made:
        if len(made) >= _MOST_MADE:
            made.clear()
        made[signature] = struct_matcher(value, is_fixed, is_same)
    found: Callable[[Any], bool] | None = made[signature]
    return found
