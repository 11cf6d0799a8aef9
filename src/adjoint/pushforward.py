"""Forward mode for the user: jvp, and what makes a tangent fit its argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .compile import Compiler
from .compilers import compiler_for, varies
from .errors import ArgumentError, CotangentError
from .operators import operator
from .retell import retell
from .runtime.generic import rebuild
from .runtime.shared_parts import part_at, ties
from .runtime.structs import is_struct, map_parts
from .types import array_module, array_namespace


@operator("jvp")
def jvp(fn: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of a function, and how it changes where its arguments move along tangents.

    primals: the arguments, in a tuple or a list. tangents: one for each, of its structure, shape
    and dtype; None (or 0) for an int, a bool, a text or None, which cannot move.

    Returns (value, tangent); the tangent has the structure, shapes and dtypes of the value, with
    None for its parts that cannot move. The tangents given are left as they are.

    Raises CotangentError (a ValueError) for a tangent that does not fit its argument.

    >>> import numpy as np
    >>> def f(x, n):
    ...     return np.sin(x) ** n
    >>> value, tangent = jvp(f, (np.array([0.0, 1.0]), 2), (np.array([1.0, 1.0]), None))
    >>> tangent.round(4)
    array([0.    , 0.9093])
    """
    check_sequences(primals, tangents)
    return push(compiler_for("pushforward", fn), tuple(primals), tuple(tangents))


def check_sequences(primals: Any, tangents: Any) -> None:
    """Refuse what is no tuple of arguments beside a tuple of tangents."""
    for what, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise ArgumentError(f"{what} must be a tuple, got {type(given).__name__}")
    if len(primals) != len(tangents):
        raise CotangentError(f"there are {len(primals)} primals and {len(tangents)} tangents")


def push(compiler: Compiler, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    """What the compiled function gives for these arguments and tangents."""
    bound, given = compiler.bind(primals, {})
    beside, _ = compiler.bind(tangents, {})
    for name in given:
        if not varies(bound[name]):
            checked_tangent(beside[name], bound[name], f"`{name}`")
    moving = [checked_tangent(beside[n], bound[n], f"`{n}`") for n in compiler.select(bound, given)]
    if compiler.promote:
        names = compiler.select(bound, given)
        moving = [promoted(t, bound[n]) for t, n in zip(moving, names, strict=True)]
    return run_forward(compiler, primals, {}, moving)


def promoted(tangent: Any, value: Any) -> Any:
    """A tangent with 0.0 for the ints in a value, where these count as floats."""
    if isinstance(value, dict):
        return {k: promoted(tangent[k], v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        if tangent is None:
            tangent = [None] * len(value)
        return rebuild(value, [promoted(t, v) for t, v in zip(tangent, value, strict=True)])
    if is_struct(value.__class__) and tangent is not None:
        return map_parts(lambda v, t: promoted(t, v), value, tangent)
    return 0.0 if type(value) is int else tangent


def run_forward(
    compiler: Compiler, args: tuple[Any, ...], kwargs: dict[str, Any], moving: list[Any]
) -> Any:
    """The compiled function's result; `moving` are the tangents that it takes, in their order."""
    compiled, values = compiler.find(args, kwargs)
    if compiled.changes:
        bound, _ = compiler.bind(args, kwargs)
        compiled.check_apart(bound, compiler.fn)
    try:
        return compiled.run(*values, *moving)
    except Exception as error:
        retell(error, compiled.filename, compiled.emitted)
        raise


def checked_tangent(tangent: Any, value: Any, what: str) -> Any:
    """A tangent in the dtype of its value; an error where structure or shape differ."""
    if isinstance(value, (dict, list, tuple)):
        return _checked_container(tangent, value, what)
    if is_struct(value.__class__):
        return _checked_struct(tangent, value, what)
    if not varies(value):
        if tangent is None or _is_zero(tangent):
            return None
        raise CotangentError(
            f"the tangent of {what} must be None or 0: a value of type {type(value).__name__} "
            "does not move"
        )
    if tangent is None or not _is_number(tangent):
        raise CotangentError(
            f"the tangent of {what} must be like its value, "
            f"a {type(value).__name__}{_form(value)}, not {type(tangent).__name__}"
        )
    if np.shape(tangent) != np.shape(value):
        raise CotangentError(
            f"the tangent of {what} has shape {np.shape(tangent)}, "
            f"but the value has shape {np.shape(value)}"
        )
    given = getattr(tangent, "dtype", None)
    is_complex = given.kind == "c" if given is not None else isinstance(tangent, complex)
    dtype = getattr(value, "dtype", None)
    if is_complex and not (isinstance(value, complex) if dtype is None else dtype.kind == "c"):
        raise CotangentError(f"the tangent of {what} is complex, but the value is real")
    if dtype is None:
        return complex(tangent) if isinstance(value, complex) else float(tangent)
    module = array_module(type(value)) or "numpy"
    if isinstance(value, np.generic):
        return dtype.type(tangent)
    return array_namespace(module).asarray(tangent, dtype)


def _checked_container(tangent: Any, value: Any, what: str) -> Any:
    if tangent is None and not varies(value):
        return None
    if isinstance(value, dict):
        if not isinstance(tangent, dict) or list(tangent) != list(value):
            raise CotangentError(f"the tangent of {what} must be a dict with keys {list(value)}")
        return {k: checked_tangent(tangent[k], v, f"{what}[{k!r}]") for k, v in value.items()}
    if not isinstance(tangent, (list, tuple)) or len(tangent) != len(value):
        raise CotangentError(
            f"the tangent of {what} must be a {type(value).__name__} of length {len(value)}"
        )
    pairs = zip(tangent, value, strict=True)
    return rebuild(value, [checked_tangent(t, v, f"{what}[{i}]") for i, (t, v) in enumerate(pairs)])


def checked_parts(
    given: Any, value: Any, what: str, kind: str, check: Callable[[Any, Any, str], Any]
) -> Any:
    """A tangent or cotangent of an object with parts: an object of its class, part by part."""
    cls = type(value)
    if type(given) is not cls:
        raise CotangentError(
            f"the {kind} of {what} must be of class {cls.__name__}, not {type(given).__name__}"
        )
    parts, moving = value.__tree_flatten__(), given.__tree_flatten__()
    if list(parts) != [name for name in parts if name in moving or hasattr(given, name)]:
        raise CotangentError(
            f"the {kind} of {what}, of class {cls.__name__}, must have the parts {list(parts)}, "
            f"not {list(moving)}"
        )
    return value.__tree_unflatten__({
        k: check(moving.get(k, getattr(given, k, None)), v, f"{what}.{k}")
        for k, v in parts.items()
    })  # fmt: skip


def _checked_struct(tangent: Any, value: Any, what: str) -> Any:
    """A tangent of an object with parts; one that is at two places moves in one way."""
    if tangent is None and not varies(value):
        return None
    checked = checked_parts(tangent, value, what, "tangent", checked_tangent)
    for place, first in ties(value):
        pairs = zip(_arrays(part_at(checked, place)), _arrays(part_at(checked, first)), strict=True)
        if not all(a is b or np.array_equal(a, b, equal_nan=True) for a, b in pairs):
            raise CotangentError(
                f"{what}.{'.'.join(place)} and {what}.{'.'.join(first)} are one object, "
                "and their tangents differ"
            )
    return checked


def _arrays(part: Any) -> list[Any]:
    if is_struct(part.__class__):
        return [a for child in part.__tree_flatten__().values() for a in _arrays(child)]
    return [part]


def _is_number(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    if isinstance(value, (int, float, complex)):
        return True
    return getattr(getattr(value, "dtype", None), "kind", "") in ("i", "u", "f", "c")


def _is_zero(tangent: Any) -> bool:
    if isinstance(tangent, (dict, list, tuple, str)) or is_struct(tangent.__class__):
        return False
    return bool(np.all(np.asarray(tangent) == 0))


def _form(value: Any) -> str:
    return f" of shape {np.shape(value)}" if np.shape(value) else ""
