"""Facts about the values that are called."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from ..core import Atom, Const
from ..errors import SourceUnavailableError
from ..infer import constant
from ..rules import RULES, ZERO
from ..rules.advice import example_of_a_rule, name_of
from ..runtime.structs import is_struct
from ..types import Array, Dict, List, Type


def lookup(table: dict[Any, Any], value: Any) -> Any:
    try:
        return table.get(value)
    except TypeError:
        return None


def found_in(value: Any, table: Any) -> bool:
    try:
        return value in table
    except TypeError:
        return False


def is_callable_object(value: Any) -> bool:
    """Whether a value is an object of the user's with a `__call__` written in Python."""
    call = getattr(type(value), "__call__", None)  # noqa: B004
    module = getattr(call, "__module__", None) or ""
    if not isinstance(call, types.FunctionType):
        return False
    return module.split(".")[0] != "adjoint" or is_struct(type(value))


def is_ufunc_method(value: Any, name: str) -> bool:
    return isinstance(getattr(value, "__self__", None), np.ufunc) and value.__name__ == name


def is_random(fn: Any) -> bool:
    owner = getattr(fn, "__self__", None)
    return isinstance(owner, (np.random.RandomState, np.random.Generator))


def is_array_method(value: Any) -> bool:
    """Whether a value is a method of an array, with the array: `a.dot`."""
    return isinstance(value, types.BuiltinMethodType) and isinstance(value.__self__, np.ndarray)


_PURE_MODULES = frozenset({"numpy", "scipy", "math", "cmath", "cupy"})


_METHODS = (types.MethodDescriptorType, types.WrapperDescriptorType, types.MethodWrapperType)


def is_unbound_method(value: Any, t: Type) -> bool:
    """Whether a value is a method that a class of C code has, `list.append`, and `t` is of it."""
    if not isinstance(value, _METHODS[:2]):
        return False
    kind = {list: List, dict: Dict, np.ndarray: Array}.get(value.__objclass__)
    return type(t) is kind


def is_pure(fn: Atom) -> bool:
    """Whether a callable that is not looked into keeps nothing of what it is given."""
    if not isinstance(fn, Const):
        return False
    value = fn.value
    if isinstance(value, type):
        return True  # what it makes is its result
    if isinstance(value, _METHODS):
        return False
    owner = getattr(value, "__self__", None)
    module = getattr(value, "__module__", None) or type(owner).__module__
    if isinstance(owner, types.ModuleType):
        module = owner.__name__
    if module == "builtins":
        return value is not setattr and (owner is None or isinstance(owner, types.ModuleType))
    if isinstance(value, np.ufunc) or module == "logging":
        return True
    return module.split(".")[0] in _PURE_MODULES and owner is None


def is_primitive(fn: Any) -> bool:
    """Whether calls of a function are operations of the core: pure, and typed by a trial run."""
    return has_known_derivative(fn) or isinstance(fn, np.ufunc)


def has_known_derivative(fn: Any) -> bool:
    return found_in(fn, RULES) or found_in(fn, ZERO)


def without_source(fn: Any) -> SourceUnavailableError:
    """The error for a function that nothing is known of, and how to give it a rule."""
    return SourceUnavailableError(
        f"`{name_of(fn)}` has neither Python source nor a derivative rule", None,
        f"Give it a rule (ad.rule says more):\n{example_of_a_rule(fn)}",
    )  # fmt: skip


def of_text(owner: Atom, name: str, args: list[Atom]) -> Const | None:
    """What a method of a known text gives: `name.endswith("bias")` decides a branch."""
    known = [a.value for a in (owner, *args) if isinstance(a, Const) and a.path is None]
    if len(known) != len(args) + 1 or not all(type(v) in (str, int) for v in known):
        return None
    method = getattr(str, name, None)
    if type(known[0]) is not str or method is None:
        return None
    try:
        found = method(*known)
    except Exception:  # Python tells of it when the function runs
        return None
    return constant(found) if type(found) in (str, bool, int) else None
