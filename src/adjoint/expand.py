"""Puts a rule's expressions into the code that is being built, for the operands of one operation.

The template's expressions are interpreted like user code: helpers marked inline dissolve, branches
on ranks and options are decided, and what remains are the operations that an expert would write.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

import gast
import numpy as np

from . import core
from .builder import Builder
from .core import Atom, Const, External, Op, Var
from .errors import AdjointError, NoDerivativeError, RuleError, SourceUnavailableError
from .infer import constant
from .lower.calls import Calls
from .lower.expressions import _is_d, _is_static, _static_type
from .lower.state import Frame
from .parse import Source, parse_function
from .rules import Line, lookup, own, refusal
from .rules.advice import example_of_a_rule, name_of
from .rules.binding import bind
from .rules.own import FunctionRule, place_of
from .rules.template import is_derivative
from .runtime.generic import zeros_like
from .runtime.own_rules import by_rule, one_for_each, tangent_by_rule
from .types import (
    NONE,
    UNKNOWN,
    Array,
    List,
    Object,
    Scalar,
    Tuple,
    Undecided,
    Unknown,
    dims_of,
)
from .users_code import call_function

# How to ask for what numbers have not as attributes.
_ASKED: dict[str, Any] = {
    "shape": np.shape, "ndim": np.ndim, "size": np.size, "dtype": np.result_type
}  # fmt: skip


class Expander(Calls):
    """Interprets rule templates.

    What our rules read outside is ours, and needs no guards. What a user's rule reads is the
    user's: it is read anew at each call, and a helper that is more than an expression is called.
    """

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.guards = builder.guards
        self.users = False  # whether the rule at hand is a user's

    def at(self, node: Any) -> None:
        """What a rule emits belongs to the user's line, not to the rule's."""

    def object_of(self, atom: Atom) -> Atom:
        """Rules change nothing in place: a name stands for the version that it is given."""
        return atom

    def external(self, value: Any, where: External, path: str) -> Atom:
        if self.users:
            return super().external(value, where, path)
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

    def expr_Subscript(self, node: Any) -> Atom:
        """Of several results, and of their cotangents, a rule reads single ones."""
        frame, index = self.frame, node.slice
        if frame.template is not None and isinstance(index, gast.Constant):
            if frame.result is not None and getattr(node.value, "id", None) == frame.result[0]:
                return frame.result[1](index.value)
            if isinstance(node.value, gast.Subscript) and _is_d(node.value.value):
                parts = self.parts_of(frame.template[node.value.slice.id])
                if parts is not None and type(index.value) is int:
                    return parts[index.value]
        return super().expr_Subscript(node)

    def parts_of(self, cotangent: Atom) -> list[Atom] | None:
        """What a cotangent has been put together from."""
        made = self.b.definitions.get(cotangent) if isinstance(cotangent, Var) else None
        return made.args if made is not None and made.fn is core.TUPLE else None

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
        if self.users and not (value.__module__ or "").startswith("adjoint."):
            return call_function(self, fn, args, kwargs, node)
        return self.op(value, *args, **kwargs)  # type: ignore[arg-type]


class Application:
    """A rule bound to the operands of one operation."""

    def __init__(self, expander: Expander, rule: Any, op: Op, bound: dict[str, Any]) -> None:
        self.expander, self.rule, self.op = expander, rule, op
        self.bound = bound
        self.output: Atom | None = op.target or op.version
        # Where the result is a tuple whose parts can be read one by one: how to read one.
        self.part: Callable[[int], Atom] | None = None
        self._work: dict[str, Atom] = {}

    def lines_for(self, kind: str, target: str) -> list[Any]:
        return [x for x in self.rule.lines if x.kind == kind and x.target == target]

    def reads_only_zeros(self, line: Any, cotangent: Atom) -> bool:
        """Whether a line reads of a cotangent only parts that nothing was added to."""
        parts = self.expander.parts_of(cotangent)
        shared = [x for x in self.rule.lines if x.kind == "work" and x.mode == "reverse"]
        if parts is None or any(x.target in line.reads for x in shared):
            return False
        found = [n for n in ast.walk(line.expr) if is_derivative(n)]
        read = [
            parts[n.slice.value]
            for n in ast.walk(line.expr)
            if isinstance(n, ast.Subscript)
            and is_derivative(n.value)
            and isinstance(n.slice, ast.Constant)
            and isinstance(n.slice.value, int)
        ]
        return len(read) == len(found) > 0 and all(
            self.expander.b.definition(part, np.zeros_like) is not None for part in read
        )

    def checked(self, contribution: Atom, of: Atom, cotangent: Atom) -> Atom:
        """A contribution to the cotangent of an operand, in its shape: a user's rule may be wrong.

        It may have the shape of the result, which the operand was broadcast to, or be a number.
        """
        if not self.rule.own and not self.rule.broadcasts:
            self._has_shape_of(contribution, of)
        if not self.rule.own or not isinstance(of, Var):
            return contribution
        have, want, z = (dims_of(a.type) for a in (contribution, of, cotangent))
        if have is not None and want is not None:
            if have in ((), want) or (have == z and len(want) <= len(have)):
                return contribution
            if len(have) < len(want) or _certainly_differ(have, want, z):
                raise RuleError(
                    f"the rule gives the argument `{of.name}` of {name_of(self.op.fn)} a "
                    f"cotangent of shape {_shape(have)}, but it has shape {_shape(want)}",
                    place_of(self.rule.function),
                    "A cotangent has the shape of its argument.",
                )
        name = constant(of.name)
        args = [contribution, of, cotangent, _named(self.rule.function), name]
        return self.expander.b.op(by_rule, *args, type=of.type)

    def _has_shape_of(self, contribution: Atom, operand: Atom) -> None:
        """Let the type of a product say that it has the sizes of the operand."""
        made, like = contribution.type, operand.type
        if not (isinstance(made, Array) and isinstance(like, Array) and made.dims and like.dims):
            return
        if made.dims != like.dims and len(made.dims) == len(like.dims):
            op = self.expander.b.made(contribution)
            if op is not None and op.backward and op.fn in (np.matmul, np.multiply):
                assert isinstance(contribution, Var)
                contribution.type = replace(made, dims=like.dims)

    def checked_tangent(self, tangent: Atom, of: Var) -> Atom:
        """The tangent of the result, in its shape: a user's rule may be wrong."""
        if not self.rule.own:
            return tangent
        have, want = dims_of(tangent.type), dims_of(of.type)
        if have is not None and want is not None:
            if have in ((), want):
                return tangent
            if len(have) > len(want) or _certainly_differ(
                want[len(want) - len(have) :], have, want
            ):
                raise RuleError(
                    f"the rule gives the result of {name_of(self.op.fn)} a tangent of shape "
                    f"{_shape(have)}, but it has shape {_shape(want)}",
                    place_of(self.rule.function),
                    "A tangent has the shape of the result.",
                )
        args = [tangent, of, _named(self.rule.function)]
        return self.expander.b.op(tangent_by_rule, *args, type=of.type)

    def value(self, expr: Any, derivatives: dict[str, Atom]) -> Atom:
        """The value of one right-hand side; d[x] is `derivatives[x]`."""
        names = _names_in(expr)
        for line in self.rule.lines:
            if line.kind == "work" and line.target in names and line.target not in self._work:
                self._work[line.target] = self.value(line.expr, derivatives)
        env: dict[str, Any] = dict(self.bound) | self._work
        env[self.rule.output] = self.output
        # Of one object, the states before and after an operation in place may both be at hand.
        env = {name: value for name, value in env.items() if name in names}
        frame = Frame(_source(self.rule), env, template=derivatives)
        frame.result = (self.rule.output, self.part) if self.part is not None else None
        return self.interpret(frame, lambda: self.expander.expr(_as_gast(expr)))

    def interpret(self, frame: Frame, run: Callable[[], Atom]) -> Atom:
        """What `run` gives, in a frame of the rule."""
        expander, users = self.expander, self.expander.users
        expander.frames.append(frame)
        derivatives = (frame.template or {}).values()
        expander.versions = _versions([*frame.env.values(), *derivatives])
        expander.users = self.rule.own
        try:
            return expander.read(run())
        finally:
            expander.frames.pop()
            expander.users = users


def _versions(values: Iterable[Any]) -> dict[Var, Var]:
    """The states of objects that a rule reads: those it was given, not those at first."""
    found: dict[Var, Var] = {}
    for value in values:
        for atom in value if isinstance(value, list) else [value]:
            if isinstance(atom, Var) and atom.root is not atom:
                found[atom.root] = atom
    return found


@functools.lru_cache(maxsize=4096)
def _names_in(expr: Any) -> frozenset[str]:
    return frozenset(n.id for n in ast.walk(expr) if isinstance(n, ast.Name))


@functools.lru_cache(maxsize=4096)
def _as_gast(expr: Any) -> Any:
    return gast.ast_to_gast(expr)


_EMPTY = gast.parse("def f():\n    pass").body[0]


@functools.lru_cache(maxsize=1024)
def _source(rule: Any) -> Source:
    node = copy.copy(_EMPTY)
    node.lineno = rule.firstlineno
    function = rule.function
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
    return Source(node, rule.filename, function.__name__, function.__globals__, cells, {})


@dataclass(frozen=True)
class _OneCall:
    """What there is of a template for a rule that is a function."""

    function: Any
    differentiable: tuple[str, ...]
    own = True
    output = "z"
    lines = ()

    @property
    def firstlineno(self) -> int:
        return self.function.__code__.co_firstlineno

    @property
    def filename(self) -> str:
        return self.function.__code__.co_filename


class FunctionApplication(Application):
    """A rule that is a function of the user's, as if it were a template for this one call.

    Its lines are `d[x0] += pulled[0]` and so on, of one call of the function, and one tangent line.
    """

    def __init__(
        self, expander: Expander, rule: FunctionRule, op: Op, active: Iterable[Atom]
    ) -> None:
        self.functions = rule
        args, self.keywords = rule.arrange(op.args, op.kwargs, _default)
        self.names = [f"x{i}" for i in range(len(args))]
        function = rule.adjoint or rule.tangent
        bound = dict(zip(self.names, args)) | {f"{k}=": a for k, a in self.keywords.items()}
        super().__init__(expander, _OneCall(function, tuple(self.names)), op, bound)
        self._pulled: Atom | None = None
        followed = list(active)
        # The last argument whose cotangent is asked for.
        self.last = max((i for i, a in enumerate(args) if a in followed), default=0)

    def lines_for(self, kind: str, target: str) -> list[Any]:
        if kind == "cotangent" and target in self.names:
            self._require("adjoint", "tangent_of", "reverse mode", "adjoint_of")
            return [Line(kind, target, target, 1, 0, frozenset(), frozenset("z"), "reverse")]
        if kind == "tangent":
            self._require("tangent", "adjoint_of", "forward mode", "tangent_of")
            return [Line(kind, "z", "z", 1, 0, frozenset(), frozenset(self.names), "forward")]
        return []

    def _require(self, which: str, given: str, mode: str, missing: str) -> None:
        if getattr(self.functions, which) is None:
            raise NoDerivativeError(
                f"{name_of(self.op.fn)} has a derivative by ad.{given} only, which does not "
                f"serve {mode}", self.op.origin, f"Give it one by ad.{missing} as well.",
            )  # fmt: skip

    def value(self, expr: Any, derivatives: dict[str, Atom]) -> Atom:
        operands = [self.bound[n] for n in self.names]
        keywords = {k: self.bound[f"{k}="] for k in self.keywords}
        if expr == "z":
            tangents = self.expander.b.tuple(*(derivatives[n] for n in self.names))
            args = [self.output, tangents, *operands]
            return self._call(self.functions.tangent, args, keywords)  # type: ignore[arg-type]
        if self._pulled is None:
            args = [self.output, derivatives["z"], *operands]
            self._pulled = self._call(self.functions.adjoint, args, keywords)  # type: ignore[arg-type]
        return self._part(self.names.index(expr))

    def _call(self, function: Any, args: list[Atom], keywords: dict[str, Atom]) -> Atom:
        fn = _named(function)
        frame = Frame(_source(self.rule), dict(enumerate([*args, *keywords.values()])))  # type: ignore[arg-type]
        node = frame.source.node
        return self.interpret(frame, lambda: self.expander.call(fn, args, keywords, node))

    def _part(self, position: int) -> Atom:
        """The cotangent of one argument, of those that the function has returned."""
        assert self._pulled is not None
        b, t, count = self.expander.b, self._pulled.type, len(self.names)
        if count == 1 and not isinstance(t, Tuple):
            if not isinstance(t, Unknown) or b.definition(self._pulled, core.CALL) is None:
                return self._pulled
        if not (isinstance(t, Tuple) and self.last < len(t.items) <= count):
            types = Tuple((UNKNOWN,) * (self.last + 1))
            limits = constant(self.last + 1), constant(count)
            rule = _named(self.rule.function)
            self._pulled = b.op(one_for_each, self._pulled, *limits, rule, type=types)
        part = b.item(self._pulled, position)
        if part.type == NONE:
            return b.op(zeros_like, self.bound[self.names[position]])
        return part


def _certainly_differ(have: Any, want: Any, result: Any) -> bool:
    """Whether a contribution of these sizes can be fitted to its operand by no sizes at all."""
    if len(have) != len(want):
        return result is not None and len(have) != len(result)
    return any(type(h) is type(w) is int and h != w and w != 1 for h, w in zip(have, want))


def _shape(dims: Any) -> str:
    return f"({', '.join(map(str, dims))}{',' * (len(dims) == 1)})"


def _named(function: Any) -> Const:
    return Const(function, Object(type(function)), None)


def apply_rule(expander: Expander, op: Op, active: Iterable[Atom]) -> Application | None:
    """The rule for an operation; None where types leave open which one (see `runtime.pull`).

    Raises NoDerivativeError where there is none.
    """
    op = called(op)
    rules = lookup(op.fn)
    if not rules and getattr(op.fn, "__adjoint_inline__", False):
        return None  # a helper of ours, which dissolves where types are known
    if not rules:
        raise no_rule(op, next(iter(active), None))
    unbound: str | None = None
    for rule in rules:
        if isinstance(rule, FunctionRule):
            return FunctionApplication(expander, rule, op, active)
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
    name = name_of(op.fn)
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


def called(op: Op) -> Op:
    """The call of a function that a user has given a rule, as an operation by that function."""
    if op.fn is core.CALL and isinstance(op.args[0], Const) and own.has_rule(op.args[0].value):
        fn, *args = op.args
        return Op(op.target, fn.value, args, op.kwargs, "", op.origin, op.version)  # type: ignore[union-attr]
    return op


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


def _default(value: Any) -> Atom:
    """A default of a function that has a rule, as an operand."""
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        return constant(value)
    return Const(value, _static_type(value), None)


def _lacks_source(fn: FunctionType) -> bool:
    try:
        parse_function(fn)
    except SourceUnavailableError:
        return True
    except AdjointError:
        pass
    return False


def _otherwise(op: Op, atom: Atom | None) -> str:
    """How to give the function of an operation a rule, by this operand."""
    callee = op.args[0] if op.fn is core.CALL else None
    fn, args = op.fn, op.args
    if isinstance(callee, Const):
        fn, args = callee.value, op.args[1:]
    if isinstance(fn, core.Intrinsic) or not callable(fn):
        return "."
    place = next((i for i, a in enumerate(args) if a is atom), 0)
    example = example_of_a_rule(fn, place)
    return f";\notherwise give the function a rule (ad.rule says more):\n{example}"


def no_rule(op: Op, atom: Atom | None) -> NoDerivativeError:
    name = name_of(op.fn)
    if op.fn is core.ATTRIBUTE:
        name = f"the attribute `{op.args[1].value}` of this object"  # type: ignore[union-attr]
    elif op.args and isinstance(op.args[0], Const) and callable(op.args[0].value):
        name = name_of(op.args[0].value)
        if isinstance(op.args[0].value, FunctionType) and _lacks_source(op.args[0].value):
            name += ", whose source cannot be read,"
    elif op.fn is core.CALL:
        name = "this function, which is known only at run time,"
    by = f" by its argument `{atom.name}`" if isinstance(atom, Var) and atom.named else ""
    why = refusal(op.fn)
    return NoDerivativeError(
        f"no derivative is known for {name}{by}",
        op.origin,
        why
        or "If it is a constant here, write ad.stop_gradient(...) around the argument"
        + _otherwise(op, atom),
    )
