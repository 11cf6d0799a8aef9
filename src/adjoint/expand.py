"""Puts a rule's expressions into the code that is being built, for the operands of one operation.

The template's expressions are interpreted like user code: helpers marked inline dissolve, branches
on ranks and options are decided, and what remains are the operations that an expert would write.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from typing import Any

import gast
import numpy as np

from . import core
from .builder import Builder
from .core import Atom, Const, External, Op, Var
from .errors import NoDerivativeError
from .infer import constant
from .lower.calls import Calls
from .lower.expressions import _is_static, _static_type
from .lower.state import Frame
from .parse import Source, parse_function
from .rules import lookup, refusal
from .rules.binding import bind
from .types import Array, List, Scalar, Tuple, Undecided, Unknown

# How to ask for what numbers have not as attributes.
_ASKED: dict[str, Any] = {
    "shape": np.shape, "ndim": np.ndim, "size": np.size, "dtype": np.result_type
}  # fmt: skip


class Expander(Calls):
    """Interprets rule templates; its externals are our own functions and need no guards."""

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)

    def at(self, node: Any) -> None:
        """What a rule emits belongs to the user's line, not to the rule's."""

    def object_of(self, atom: Atom) -> Atom:
        """Rules change nothing in place: a name stands for the version that it is given."""
        return atom

    def external(self, value: Any, where: External, path: str) -> Atom:
        if _is_static(value):
            return Const(value, _static_type(value), path, where)
        return constant(value)

    def attribute(self, value: Atom, name: str, node: Any) -> Atom:
        """A cotangent may be a number that is written out: it counts as an array of rank 0."""
        if isinstance(value, Const) and isinstance(value.type, Scalar):
            known = {"ndim": 0, "shape": (), "size": 1, "dtype": value.type.dtype, "T": value.value}
            if name in known:
                return constant(known[name])
        if isinstance(value.type, Unknown) and name in _ASKED:
            return self.op(_ASKED[name], value)  # it may be a Python number
        return super().attribute(value, name, node)

    def call(self, fn: Atom, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
        """np.shape(x) is x.shape where x is known to be an array; rules meet numbers as well."""
        if isinstance(fn, Const) and len(args) == 1 and isinstance(args[0].type, (Array, Scalar)):
            for name in ("shape", "ndim", "size"):
                if fn.value is getattr(np, name):
                    return self.attribute(args[0], name, node)
        return super().call(fn, args, kwargs, node)

    def python_function(
        self, fn: Const, value: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        unknown = any(isinstance(a.type, Unknown) for a in args)
        if getattr(value, "__adjoint_inline__", False) and not unknown:
            source = parse_function(value)
            defaults: dict[str, Atom] = {k: constant(v) for k, v in source.defaults.items()}
            # No identity: a helper may call itself, as long as its tests are decided here.
            return self.invoke(source, None, defaults, args, kwargs, node, None)
        return self.op(value, *args, **kwargs)  # type: ignore[arg-type]


class Application:
    """A rule bound to the operands of one operation."""

    def __init__(self, expander: Expander, rule: Any, op: Op, bound: dict[str, Any]) -> None:
        self.expander, self.rule, self.op = expander, rule, op
        self.bound = bound
        self.output: Atom | None = op.target or op.version
        self._work: dict[str, Atom] = {}

    def lines_for(self, kind: str, target: str) -> list[Any]:
        return [x for x in self.rule.lines if x.kind == kind and x.target == target]

    def value(self, expr: Any, derivatives: dict[str, Atom]) -> Atom:
        """The value of one right-hand side; d[x] is `derivatives[x]`."""
        names = {n.id for n in ast.walk(expr) if isinstance(n, ast.Name)}
        for line in self.rule.lines:
            if line.kind == "work" and line.target in names and line.target not in self._work:
                self._work[line.target] = self.value(line.expr, derivatives)
        env: dict[str, Any] = dict(self.bound) | self._work
        env[self.rule.output] = self.output
        frame = Frame(_source(self.rule), env, template=derivatives)
        self.expander.frames.append(frame)
        self.expander.versions = _versions([*env.values(), *derivatives.values()])
        try:
            return self.expander.read(self.expander.expr(_as_gast(expr)))
        finally:
            self.expander.frames.pop()


def _versions(values: Iterable[Any]) -> dict[Var, Var]:
    """The states of objects that a rule reads: those it was given, not those at first."""
    found: dict[Var, Var] = {}
    for value in values:
        for atom in value if isinstance(value, list) else [value]:
            if isinstance(atom, Var) and atom.root is not atom:
                found[atom.root] = atom
    return found


@functools.lru_cache(maxsize=4096)
def _as_gast(expr: Any) -> Any:
    return gast.ast_to_gast(expr)


@functools.lru_cache(maxsize=1024)
def _source(rule: Any) -> Source:
    node = gast.parse("def f():\n    pass").body[0]
    node.lineno = rule.firstlineno
    return Source(node, rule.filename, rule.function.__name__, rule.function.__globals__, {}, {})


def apply_rule(expander: Expander, op: Op, active: Iterable[Atom]) -> Application | None:
    """The rule for an operation; None where types leave open which one (see `runtime.pull`).

    Raises NoDerivativeError where there is none.
    """
    rules = lookup(op.fn)
    if not rules:
        raise no_rule(op, next(iter(active), None))
    unbound: str | None = None
    for rule in rules:
        try:
            bound = bind(rule, op.fn, op.args, op.kwargs, constant)
        except TypeError as error:
            unbound = str(error)
            continue
        try:
            if rule.applies({n: _seen_by_when(bound[n]) for n in rule.when_params}):
                return Application(expander, rule, op, bound)
        except Undecided:
            return None
    name = display_name(op.fn)
    if unbound is not None:
        raise NoDerivativeError(
            f"the derivative of {name} is not known for this call: {unbound}",
            op.origin,
            "Write it without this argument, or give the function a rule of your own.",
        )
    raise NoDerivativeError(
        f"the derivative of {name} is not known for these operands",
        op.origin,
        "Write it with other functions, or give the function a rule of your own.",
    )


def _seen_by_when(atom: Any) -> Any:
    """What a rule's `when` looks at: a literal's value, a sequence of types, or a type."""
    if isinstance(atom, Const):
        return atom.value
    t = atom.type
    if isinstance(t, Unknown):
        raise Undecided
    if isinstance(t, Tuple):
        return t.items
    if isinstance(t, List):
        return _Items((t.item,) if t.items is None else t.items, t.items is not None)
    return t


class _Items(tuple):  # type: ignore[type-arg]
    """The types of a list's elements; of unknown number, they count as one kind."""

    known: bool

    def __new__(cls, items: tuple[Any, ...], known: bool) -> _Items:
        made = super().__new__(cls, items)
        made.known = known
        return made

    def __len__(self) -> int:
        if not self.known:
            raise Undecided
        return super().__len__()


def no_rule(op: Op, atom: Atom | None) -> NoDerivativeError:
    name = display_name(op.fn)
    if op.fn is core.ATTRIBUTE:
        name = f"the attribute `{op.args[1].value}` of this object"  # type: ignore[union-attr]
    elif op.args and isinstance(op.args[0], Const) and callable(op.args[0].value):
        name = display_name(op.args[0].value)
    elif op.fn is core.CALL:
        name = "this function, which is known only at run time,"
    by = f" by its argument `{atom.name}`" if isinstance(atom, Var) and atom.named else ""
    why = refusal(op.fn)
    return NoDerivativeError(
        f"no derivative is known for {name}{by}",
        op.origin,
        why
        or "If it is a constant here, write ad.stop_gradient(...) around the argument;\n"
        "otherwise give the function a rule of its own.",
    )


def display_name(fn: Any) -> str:
    name = str(getattr(fn, "__qualname__", None) or getattr(fn, "__name__", repr(fn)))
    module = getattr(fn, "__module__", None)
    if type(fn).__name__ == "ufunc":
        module = "numpy"
    return name if module in (None, "builtins") else f"{module}.{name}"
