"""Rules that users give: to functions of theirs, or in place of the rules of this package.

A user's rule is a template, as ours are, or a function that is run (`adjoint_of`, `tangent_of`). It
takes effect at once: `version` counts the changes of this table, and compiled code that was made
under another version is made anew.
"""

from __future__ import annotations

import builtins
import inspect
import linecache
import operator
import types
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import epoch
from ..errors import Origin, RuleError
from . import template
from .advice import name_of
from .builtins_ import ALIASES
from .methods import METHODS

F = TypeVar("F", bound=Callable[..., Any])

version = 0  # how often a user has given or taken away a rule
_RULES: dict[Any, list[Any]] = {}  # callable -> its rules, in the order in which they are tried

# What the compiler takes apart itself: a rule would not be asked.
_BUILT_IN = frozenset(
    {operator.getitem, builtins.len, builtins.isinstance, builtins.tuple, builtins.list,
     builtins.dict, builtins.range, builtins.zip, builtins.map, builtins.enumerate}
)  # fmt: skip


def rule(*fns: Any, when: Callable[..., Any] | None = None) -> Callable[[F], F]:
    """Give functions a derivative: decorates a template.

    fns: the functions that the rule is for: a Python function, a method (`Net.layer`), a function
        of a C module, of SciPy, of NumPy. A Python function that has a rule is called as it is; the
        compiler does not look inside. NumPy's operators, methods and functions are one:
        a rule for np.multiply is one for `x * y`.
    when: the rule holds only where this is true. It is called with the inputs that it names; arrays
        have `ndim`, `shape` and `dtype`, options have their values.

    The template's first parameter is the result of the function, the others are its arguments. Its
    body is read and never run. The left-hand side says what a line is:

        d[z, x] = e     the partial of z by x, element by element
        d[x] += e       a contribution to the cotangent of x, from d[z]: for reverse mode
        d[z] = e        the tangent of z, from d[x]: for forward mode
        w = e           what several lines share

    A rule replaces a former one for the same function (with `when`, one of the same name or the
    same condition). Rules with `when` are tried first. Raises RuleError for a template that is
    malformed.

    >>> import numpy as np
    >>> import adjoint as ad
    >>> def logistic(x):
    ...     return 1 / (1 + np.exp(-x))
    >>> @ad.rule(logistic)
    ... def logistic_rule(z, x):
    ...     ad.d[z, x] = z * (1 - z)
    >>> ad.grad(logistic)(0.0)
    0.25
    """
    if not fns:
        raise RuleError(
            "`rule` is given the functions that the rule is for", None, "Write @ad.rule(f)."
        )
    named = [_registrable(fn) for fn in fns]

    def register(function: F) -> F:
        if not isinstance(function, types.FunctionType):
            raise RuleError(f"a rule is a function, not a {type(function).__name__}")
        made = []
        for fn in named:
            one = template.Rule(fn, function, when)
            one.own = True
            _check(one)
            made.append(one)
        for one in made:
            _put(one)
        return function

    return register


def adjoint_of(*fns: Any) -> Callable[[F], F]:
    """Give functions a derivative in reverse mode, as a Python function.

    The decorated function is called with the result, its cotangent, and the arguments of the call.
    It returns a tuple with the cotangent of each argument, None for one whose derivative is zero.
    Where there is one argument, its cotangent may be returned alone. In JAX this is
    `custom_vjp`, whose residuals are here the result and the arguments.

    >>> import numpy as np
    >>> import adjoint as ad
    >>> def scaled(x, k):
    ...     return k * x
    >>> @ad.adjoint_of(scaled)
    ... def scaled_adjoint(z, d_z, x, k):
    ...     return k * d_z, np.sum(x * d_z)
    >>> ad.grad(lambda x: np.sum(scaled(x, 3.0)))(np.ones(2))
    array([3., 3.])
    """
    return _function_form(fns, "adjoint")


def tangent_of(*fns: Any) -> Callable[[F], F]:
    """Give functions a derivative in forward mode, as a Python function.

    The decorated function is called with the result, a tuple with the tangent of each argument
    (zeros for one that does not vary, None for one that has no derivative), and the arguments of
    the call. It returns the tangent of the result. In JAX this is `custom_jvp`.

    >>> import adjoint as ad
    >>> def scaled(x, k):
    ...     return k * x
    >>> @ad.tangent_of(scaled)
    ... def scaled_tangent(z, t, x, k):
    ...     return k * t[0] + t[1] * x
    """
    return _function_form(fns, "tangent")


class FunctionRule:
    """A derivative that is a Python function: `adjoint` for reverse, `tangent` for forward mode."""

    own = True
    when = None
    when_params = ()

    def __init__(self, fn: Any) -> None:
        self.fn = fn
        self.adjoint: Any = None
        self.tangent: Any = None
        self.positional = _positional(fn)

    def applies(self, arguments: dict[str, Any]) -> bool:
        return True

    def arrange(
        self, args: list[Any], kwargs: dict[str, Any], literal: Callable[[Any], Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments of a call by position, as far as the function's signature tells.

        literal: makes an argument of a default value.
        """
        args, kwargs = list(args), dict(kwargs)
        missing: list[Any] = []
        for p in self.positional[len(args) :]:
            if p.name in kwargs:
                args += [*missing, kwargs.pop(p.name)]
                missing = []
            elif p.default is not p.empty:
                missing.append(literal(p.default))
            else:
                break
        return args, kwargs

    def __repr__(self) -> str:
        return f"<derivative of {name_of(self.fn)} by functions>"


def rules_of(fn: Any) -> tuple[Any, ...]:
    """The user's rules for a callable, in the order in which they are tried."""
    try:
        return tuple(_RULES.get(fn, ()))
    except TypeError:  # unhashable
        return ()


def has_rule(fn: Any) -> bool:
    """Whether a user has given this callable a rule."""
    return bool(_RULES) and bool(rules_of(fn))


def forget(*fns: Any) -> None:
    """Take the user's rules for these functions away."""
    for fn in fns:
        _RULES.pop(_registrable(fn), None)
    _changed()


def place_of(function: Any) -> Origin:
    """Where a function of the user's stands: at its `def`, below the decorators."""
    code = function.__code__
    line = code.co_firstlineno
    text = linecache.getline(code.co_filename, line)
    while text and not text.lstrip().startswith(("def ", "async def ")) and "lambda" not in text:
        line += 1
        text = linecache.getline(code.co_filename, line)
    line = line if text else code.co_firstlineno
    return Origin(code.co_filename, line, 0, 0, function.__name__)


# -- registration -----------------------------------------------------------------------------


def _registrable(fn: Any) -> Any:
    """The callable that a rule for `fn` is kept under."""
    if not callable(fn):
        raise RuleError(f"a rule is for a function, not for a {type(fn).__name__}")
    try:
        known = ALIASES.get(fn, fn)
    except TypeError:
        raise RuleError(
            f"`{name_of(fn)}` is not hashable, so no rule can be kept for it", None,
            "Give the rule to the method that it calls, type(f).__call__.",
        ) from None  # fmt: skip
    if known in _BUILT_IN:
        raise RuleError(
            f"`{name_of(fn)}` is built into the compiler, and cannot have another derivative",
            None,
            "Write a function of yours that calls it, and give that function a rule.",
        )
    if isinstance(known, types.MethodDescriptorType) and known.__objclass__ is np.ndarray:
        return METHODS.get(known.__name__, known)
    return known


def _put(new: Any) -> None:
    """Add a rule; it takes the place of those that it replaces."""
    before = _RULES.get(new.fn, [])
    kept = [r for r in before if not _replaces(new, r)]
    # Those with a condition are tried first.
    position = len(kept) if new.when is None else sum(r.when is not None for r in kept)
    _RULES[new.fn] = [*kept[:position], new, *kept[position:]]
    _changed()


def _changed() -> None:
    global version
    version += 1
    epoch.begin()


def _replaces(new: Any, old: Any) -> bool:
    if new.when is None and old.when is None:
        return True
    if isinstance(new, FunctionRule) or isinstance(old, FunctionRule):
        return False
    one, other = new.function, old.function
    if one.__name__ != "_" and (one.__module__, one.__qualname__) == (
        other.__module__, other.__qualname__
    ):  # fmt: skip
        return True
    if new.when is None or old.when is None:
        return False
    a, b = new.when.__code__, old.when.__code__
    return (a.co_code, a.co_consts, a.co_names) == (b.co_code, b.co_consts, b.co_names)


def _function_form(fns: tuple[Any, ...], mode: str) -> Callable[[F], F]:
    if not fns:
        raise RuleError(f"`{mode}_of` is given the functions that the rule is for")
    named = [_registrable(fn) for fn in fns]

    def register(function: F) -> F:
        if not isinstance(function, types.FunctionType):
            raise RuleError(f"a rule is a Python function, not a {type(function).__name__}")
        for fn in named:
            _check_function(fn, function, mode)
        for fn in named:
            present = next((r for r in rules_of(fn) if isinstance(r, FunctionRule)), None)
            if present is None:
                present = FunctionRule(fn)
                _put(present)
            setattr(present, mode, function)
            _changed()
        return function

    return register


# -- checks -----------------------------------------------------------------------------------


def _positional(fn: Any) -> list[inspect.Parameter]:
    found = _parameters(fn) or []
    return [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _parameters(fn: Any) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        return None


def _check(one: Any) -> None:
    """Refuse a template whose lines are malformed, or that does not fit its function."""
    if not one.lines:
        raise RuleError(
            "the rule says nothing: it has no line", place_of(one.function),
            f"Write d[{one.output}, x] = the partial by x (0, if the derivative is zero).",
        )  # fmt: skip
    parameters = _parameters(one.fn)
    if parameters is None:
        return
    name, where = name_of(one.fn), place_of(one.function)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    has_rest = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    inputs = [p for p in one.params if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    takes_rest = any(p.kind is p.VAR_POSITIONAL for p in one.params)
    keywords = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    inputs = [p for p in inputs if p.name not in keywords]
    asked = "Its parameters are the result, and then the arguments: "
    names = ", ".join([one.output, *(p.name for p in parameters)])
    asked += f"def {one.function.__name__}({names})."
    if len(inputs) > len(positional) and not (has_rest or takes_any):
        extra = inputs[len(positional)].name
        raise RuleError(f"`{name}` has no argument `{extra}`", where, asked)
    required = [p for p in positional if p.default is p.empty]
    if len(inputs) < len(required) and not takes_rest:
        raise RuleError(f"the argument `{required[len(inputs)].name}` is missing", where, asked)


def _check_function(fn: Any, function: Any, mode: str) -> None:
    """Refuse a function that cannot be called with what such a rule is given."""
    code = function.__code__
    given = "the result, its cotangent" if mode == "adjoint" else "the result, the tangents"
    first = ("z", "d_z") if mode == "adjoint" else ("z", "t")
    names = [p.name for p in _positional(fn)]
    required = [p.name for p in _positional(fn) if p.default is p.empty]
    advice = f"It is called with {given} and the arguments: "
    advice += f"def {function.__name__}({', '.join([*first, *names])})."
    takes_rest = bool(code.co_flags & inspect.CO_VARARGS)
    if not takes_rest and code.co_argcount < 2 + len(required):
        raise RuleError(
            f"the rule takes {code.co_argcount} arguments, and is given "
            f"{2 + len(required)} or more", place_of(function), advice,
        )  # fmt: skip
