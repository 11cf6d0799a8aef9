"""Operators that are called inside the function that is compiled: `ad.grad(g)(x)`, `ad.vjp(g, x)`.

The function that an operator is given is interpreted into a block of its own, by parameters that
are new variables: so its derivative is taken by these and by nothing that it shares with the code
around it. The block gets its backward sweep, as any function does, and takes the place of the call.
What is left is plain code in the core, which the derivative of the whole goes through like through
any other.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from .. import core
from ..builder import is_mutable
from ..core import Atom, Block, Const, External, Function, Var
from ..differentiable import check_type
from ..errors import AdjointError, AliasingError, ArgumentError, CotangentError, Origin
from ..infer import constant, dict_options
from ..operators import operator_of
from ..optimise.dead_code import drop_dead
from ..rules.advice import name_of
from ..spec import Spec, parameters_of
from ..structure import close_scopes, copy_block
from ..types import (
    BOOL,
    FLOAT,
    NONE,
    UNDEFINED_TYPE,
    Array,
    Dict,
    List,
    Object,
    Scalar,
    Size,
    Tuple,
    Type,
    Unknown,
    carries_derivative,
    dims_of,
    is_complex,
    is_container,
    is_many,
)
from .generators import Generators
from .sharing import note_sharing
from .state import Bound, Closure, Frame, Known

_OMITTED = inspect.Parameter.empty


class Split(Protocol):
    """A function whose backward sweep is a block of its own; see `reverse.Split`."""

    seed: Var
    tail: Block
    residuals: list[Var]
    exported: list[Atom]


class Sweeps(Protocol):
    """The passes that append backward sweeps; they are built on lowering, which so gets them."""

    def gradients(
        self,
        function: Function,
        wrt: list[Var],
        builder: Any,
        has_aux: bool,
        *,
        whole: bool = False,
    ) -> list[Atom]: ...

    def split(
        self, function: Function, wrt: list[Var], builder: Any, *, finish: bool = False
    ) -> Split: ...

    def tangent(
        self, function: Function, wrt: list[Var], builder: Any
    ) -> tuple[list[Var], Atom]: ...


@dataclass(eq=False)
class Derivative(Known):
    """What `ad.grad(g)` gives: which function is meant is known, and not yet what it is given."""

    fn: Const
    mode: str
    spec: Spec

    @property
    def __name__(self) -> str:
        return f"{self.mode} of {_name(self.fn)}"


@dataclass(eq=False)
class Pullback(Known):
    """What `ad.vjp(g, x)` gives besides the value."""

    split: Split
    value: Atom
    places: list[bool]  # for each argument, whether it has a cotangent
    block: Block  # where the forward sweep stands
    states: dict[Var, Var | None]  # what the tail reads -> the version that it had

    @property
    def __name__(self) -> str:
        return "pullback"


@dataclass
class _Inner:
    """A function that is being differentiated inside another."""

    origin: Origin | None
    name: str
    block: Block = field(default_factory=Block)
    actual: dict[Var, Atom] = field(default_factory=dict)  # its parameter -> the caller's value


class Operators(Generators):
    sweeps: Sweeps | None = None
    gradient_only = False  # what is asked for is a gradient that is not differentiated again

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stands_for: dict[Var, Atom] = {}  # a parameter of an inner derivative -> its argument

    def wrap(self, value: Any, name: str = "bound") -> Atom:
        raise NotImplementedError  # by Calls

    def call_operator(
        self, fn: Const, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom | None:
        """The result of a call that has to do with derivatives; None for any other call."""
        value = fn.value
        if isinstance(value, Derivative):
            return self._derivative_call(value, args, kwargs, node)
        if isinstance(value, Pullback):
            return self._pull(value, args, kwargs, node)
        name = operator_of(value)
        if name == "derivative":
            return self._derivative_call(_inside(fn), args, kwargs, node)
        if name in ("grad", "value_and_grad", "elementwise_grad"):
            return self._derivative(fn, name, args, kwargs, node)
        if name == "vjp":
            return self._vjp(args, kwargs, node)
        if name == "jvp":
            given = self._bound(fn, args, kwargs, node)
            return self._jvp(self._function(given["fn"], node), given, node)
        if name == "hvp":
            given = self._bound(fn, args, kwargs, node)
            gradient = Derivative(self._function(given["fn"], node), "grad", Spec(0, None, False))
            return self.item(self._jvp(_known(gradient), given, node), 1)
        if name in ("jacobian", "hessian", "matrix"):
            raise self.refuse(
                "a Jacobian or a Hessian is computed inside a function that is differentiated",
                node,
                "Write its products with vectors: ad.jvp, ad.vjp, ad.hvp.",
            )
        return None

    def _attribute_of_constant(self, value: Const, name: str, node: Any) -> Atom:
        """`g.value_and_grad` and `g.primal` of a derivative."""
        known = value.value
        if operator_of(known) == "derivative":
            known = _inside(value)
        if isinstance(known, Derivative):
            if name == "value_and_grad":
                return _known(Derivative(known.fn, "value_and_grad", known.spec))
            if name == "primal":
                return known.fn
        return super()._attribute_of_constant(value, name, node)

    # -- grad and value_and_grad ----------------------------------------------------------

    def _derivative(
        self, fn: Const, mode: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        """ad.grad(g, ...): the function that gives the gradient of g."""
        names = ("fn", "argnums", "argnames", "has_aux")
        given = dict(zip(names, args)) | kwargs
        if "fn" not in given:  # a decorator, with arguments
            return _known(Bound(fn, args, kwargs))
        options = {}
        for name in names[1:]:
            atom = given.get(name, constant(False if name == "has_aux" else None))
            if not isinstance(atom, Const):
                raise self.refuse(f"`{name}` is not known when this is compiled", node)
            options[name] = atom.value
        inner = self._function(given["fn"], node)
        spec = Spec(options["argnums"], options["argnames"], options["has_aux"])
        with_line(lambda: spec.check(self.parameters_of(inner), _name(inner)), self.b.origin)
        return _known(Derivative(inner, mode, spec))

    def _function(self, atom: Atom, node: Any) -> Const:
        if isinstance(atom, Const) and callable(atom.value):
            return atom
        if isinstance(atom, Const) or not isinstance(atom.type, Unknown):
            what = type(atom.value).__name__ if isinstance(atom, Const) else str(atom.type)
            raise ArgumentError(
                f"expected a function to differentiate, got {what}",
                self.frame.source.origin(node),
            )
        raise self.refuse("which function is differentiated is not known here", node)

    def parameters_of(self, fn: Const) -> tuple[inspect.Parameter, ...]:
        """The parameters of a function; their defaults are atoms or values."""
        value = fn.value
        if isinstance(value, Derivative):
            return self.parameters_of(value.fn)
        if isinstance(value, Closure):
            return _parameters_of_closure(value)
        if isinstance(value, Bound):
            left = list(self.parameters_of(value.fn))[len(value.args) :]  # type: ignore[arg-type]
            names = [p.name for p in left]
            first = min((names.index(k) for k in value.kwargs if k in names), default=len(left))
            return tuple(
                p.replace(kind=p.KEYWORD_ONLY) if k >= first and p.kind < p.VAR_POSITIONAL else p
                for k, p in enumerate(left)
                if p.name not in value.kwargs
            )
        return parameters_of(value)

    def _derivative_call(
        self, derivative: Derivative, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        """The gradient at these arguments, computed here."""
        spec, fn = derivative.spec, derivative.fn
        inner = _Inner(self.frame.source.origin(node), _name(fn))
        parameters = self.parameters_of(fn)
        try:
            bound = inspect.Signature(parameters).bind(*args, **kwargs)
        except TypeError as error:
            raise self.refuse(f"`{inner.name}`: {error}", node) from None
        names = spec.names(parameters, inner.name)
        for p in parameters:
            if p.name in names:
                given = bound.arguments.get(p.name)
                bound.arguments[p.name] = self._parameter(
                    inner, p.name, self._default(p) if given is None else given
                )
        wrt = [bound.arguments[n] for n in names]
        if any(p.type == UNDEFINED_TYPE for p in wrt):
            return Var("result", UNDEFINED_TYPE)  # the result of a recursive call, not known yet
        assert self.sweeps is not None
        silent, self.silent = self.silent, 0
        with self.b.inside(inner.block):
            function = self._lowered(inner, fn, list(bound.args), dict(bound.kwargs), node)
            value = function.result
            backward, self.b.backward = self.b.backward, True
            try:
                whole = derivative.mode == "elementwise_grad"
                gradients = self.sweeps.gradients(function, wrt, self.b, spec.has_aux, whole=whole)
                found = self._arranged(spec, gradients)
                if derivative.mode == "value_and_grad":
                    found = self.b.op(core.TUPLE, value, found)
                elif spec.has_aux:
                    found = self.b.op(core.TUPLE, found, self.read(self.b.item(value, 1)))
            finally:
                self.b.backward = backward
            for gradient in gradients:
                if isinstance(gradient, Var) and is_mutable(gradient.type):
                    self.b.unshare(gradient)  # the user may change it
        self.silent = silent
        (found,) = self._spliced(inner, [found])
        self.b.origin = inner.origin
        return self.quiet(found)

    def _default(self, p: inspect.Parameter) -> Atom:
        return p.default if isinstance(p.default, (Var, Const)) else self.wrap(p.default, p.name)

    def _arranged(self, spec: Spec, gradients: list[Atom]) -> Atom:
        """Gradients as `Spec.arrange` has them: by name in a dict, by position in a tuple."""
        if spec.is_single():
            return gradients[0]
        count = len(spec.positions())
        by_position: Atom = constant(None)
        by_name: Atom = constant(None)
        if count:
            by_position = gradients[0]
            if not isinstance(spec.argnums, int):
                by_position = self.b.op(core.TUPLE, *gradients[:count])
        if spec.argnames is not None:
            by_name = gradients[count]
            if not isinstance(spec.argnames, str):
                keys = constant(spec.keywords())
                by_name = self.b.op(core.DICT, *gradients[count:], keys=keys)
        if spec.argnames is None:
            return by_position
        return by_name if spec.argnums is None else self.b.op(core.TUPLE, by_position, by_name)

    # -- vjp ------------------------------------------------------------------------------

    def _vjp(self, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
        """ad.vjp(g, *primals): the value, and a function that is known at compile time."""
        if kwargs or not args:
            raise self.refuse("`vjp` takes a function and its arguments by position", node)
        fn = self._function(args[0], node)
        inner = _Inner(self.frame.source.origin(node), _name(fn))
        primals = [self.read(a) for a in args[1:]]
        differ = [carries_derivative(_floats(a.type)) for a in primals]
        vary = [d and carries_derivative(a.type) for d, a in zip(differ, primals, strict=True)]
        # Beside floats, an int is a count, an index or an axis; alone, it stands for a float.
        places = vary if any(vary) else differ
        given = [
            self._parameter(inner, _shown(a, k), a) if by else a
            for k, (a, by) in enumerate(zip(primals, places, strict=True))
        ]
        assert self.sweeps is not None
        silent, self.silent = self.silent, 0
        with self.b.inside(inner.block):
            function = self._lowered(inner, fn, given, {}, node)
            value = function.result
            wrt = [p for p, by in zip(given, places, strict=True) if by]
            backward, self.b.backward = self.b.backward, True
            try:
                split = self.sweeps.split(function, wrt, self.b, finish=True)  # type: ignore[arg-type]
            finally:
                self.b.backward = backward
        self.silent = silent
        value, *exported = self._spliced(inner, [value, *split.exported], split.tail)
        split.exported = exported
        read = [*exported, *core.free_vars(split.tail)]
        states = {
            v: self.versions.get(v.root)
            for v in read
            if isinstance(v, Var) and v not in split.residuals and is_mutable(v.type)
        }
        pullback = Pullback(split, value, places, self.b.block, states)
        self.b.origin = inner.origin
        return self.b.op(core.TUPLE, self.quiet(value), _known(pullback))

    def _pull(
        self, pullback: Pullback, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        """pullback(cotangent): the backward sweep takes the place of the call."""
        if len(args) != 1 or kwargs:
            raise self.refuse("a pullback takes one cotangent", node)
        origin = self.frame.source.origin(node)
        if not any(b is pullback.block for b in [*self.b._around, self.b.block]):
            raise self.refuse("a pullback is called outside the block that makes it", node)
        for var, state in pullback.states.items():
            if var.root in self.stale or self.versions.get(var.root) is not state:
                raise AliasingError(
                    f"`{var.root.name}` was changed after `vjp`, and its pullback needs it",
                    origin,
                    "Change a copy.",
                )
        split = pullback.split
        seed = self._like(self.read(args[0]), pullback.value, "cotangent", origin)
        renamed: dict[Var, Atom] = dict(zip(split.residuals, split.exported, strict=True))
        renamed[split.seed] = seed
        copy = copy_block(split.tail, renamed, self.b)
        self._put(copy)
        (found,) = copy.yields
        # An item is an object; what the sweep has summed into it is its present version.
        parts = [self.read(self.b.item(found, k)) for k in range(sum(pullback.places))]
        each = iter(parts)
        return self.quiet(
            self.b.op(core.TUPLE, *(next(each) if by else constant(None) for by in pullback.places))
        )

    # -- jvp ------------------------------------------------------------------------------

    def _jvp(self, fn: Const, given: dict[str, Atom], node: Any) -> Atom:
        """ad.jvp(g, primals, tangents): the value and its tangent, computed here."""
        inner = _Inner(self.frame.source.origin(node), _name(fn))
        primals = [self.read(a) for a in self.unpack_all(given["primals"], node)]
        tangents = [self.read(a) for a in self.unpack_all(given["tangents"], node)]
        if len(primals) != len(tangents):
            raise CotangentError(
                f"there are {len(primals)} primals and {len(tangents)} tangents", inner.origin
            )
        wrt: list[Var] = []
        moves: list[Atom] = []
        for k, (primal, move) in enumerate(zip(primals, tangents, strict=True)):
            if carries_derivative(primal.type):
                primals[k] = self._parameter(inner, _shown(primal, k), primal, promote=False)
                wrt.append(primals[k])  # type: ignore[arg-type]
                moves.append(self._like(move, primal, "tangent", inner.origin))
            elif move.type != NONE and not (isinstance(move, Const) and move.value == 0):
                raise CotangentError(
                    f"the tangent of argument {k} must be None or 0: it does not move", inner.origin
                )
        assert self.sweeps is not None
        silent, self.silent = self.silent, 0
        with self.b.inside(inner.block):
            function = self._lowered(inner, fn, primals, {}, node)
            value = function.result
            params, tangent = self.sweeps.tangent(function, wrt, self.b)
            if isinstance(tangent, Var) and is_mutable(tangent.type):
                self.b.unshare(tangent)  # the user may change it
        self.silent = silent
        inner.actual |= zip(params, moves, strict=True)
        value, tangent = self._spliced(inner, [value, tangent])
        self.b.origin = inner.origin
        return self.b.op(core.TUPLE, self.quiet(value), self.quiet(tangent))

    def _bound(
        self, fn: Const, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> dict[str, Atom]:
        """The arguments of an operator by name."""
        try:
            return dict(inspect.signature(fn.value).bind(*args, **kwargs).arguments)
        except TypeError as error:
            raise self.refuse(f"`{_name(fn)}`: {error}", node) from None

    # -- what a user gives ----------------------------------------------------------------

    def _like(self, atom: Atom, value: Atom, what: str, origin: Origin | None) -> Atom:
        """A cotangent, or a tangent, of the user's in the form of the value that it is for."""
        given, t = atom.type, value.type
        if given == NONE and isinstance(t, Scalar):
            return constant(0.0)  # an int has no tangent, also where it counts as a float
        if given == t or isinstance(t, Unknown) or isinstance(given, Unknown):
            return atom
        if is_container(t):
            keys = _keys(t)
            if keys is None or not is_container(given) or _keys(given) != keys:
                raise CotangentError(f"this {what} is {given}, and the value is {t}", origin)
            parts = [
                self._like(self.item(atom, k), self.b.item(value, k), what, origin) for k in keys
            ]
            if isinstance(t, Dict):
                return self.b.op(core.DICT, *parts, **dict_options(t, value))
            return self.b.op(core.TUPLE if isinstance(t, Tuple) else core.LIST, *parts)
        if not carries_derivative(t):
            return atom
        if is_complex(given) and not is_complex(t):
            raise CotangentError(f"this {what} is complex, but the value is real", origin)
        if isinstance(given, (Scalar, Array)) and self._fits(atom, value, what):
            if isinstance(given, Scalar) and given.kind == "int":
                return self._promoted(atom)
            if isinstance(given, Array) and isinstance(t, Array) and given.dims:
                dtype = constant(t.element)
                return self.op(np.ndarray.astype, atom, dtype, style="method")
            return atom
        raise CotangentError(
            f"this {what} has shape {_shape(given)}, but the value has shape {_shape(t)}", origin
        )

    def _fits(self, atom: Atom, value: Atom, what: str) -> bool:
        """Whether `atom` may have the shape of `value`; what is not known is checked."""
        have, want = dims_of(atom.type), dims_of(value.type)
        if have is None or want is None:
            return have == want
        if have == want:
            return True
        pairs = list(zip(have, want))
        if len(have) != len(want) or any(_differ(m, n) or _differ(n, m) for m, n in pairs):
            return False
        shapes = [
            self.b.op(core.ATTRIBUTE, a, constant("shape"), type=_shape_type(a.type))
            for a in (atom, value)
        ]
        differ = self.b.op(np.not_equal, *shapes, style="operator", type=BOOL)
        name = "CotangentError"
        kind = Const(CotangentError, Object(type), name, External("value", CotangentError, name))
        text = f"the {what} has another shape than the value"
        self.if_(differ, lambda: self.raise_(kind, text), lambda: None)
        return True

    # -- blocks that take the place of a call ---------------------------------------------

    def _parameter(self, inner: _Inner, name: str, atom: Atom, promote: bool = True) -> Var:
        """A new variable that stands for an argument while the derivative is taken by it."""
        atom = self.read(self._promoted(atom) if promote else atom)
        if not isinstance(atom.type, Unknown) and atom.type != UNDEFINED_TYPE:
            check_type(atom.type, name, inner.origin)
        param = Var(name, atom.type, named=True, varied=True)
        if isinstance(atom, Var) and is_mutable(atom.type):
            self.aliases.same(param, atom.root)
        inner.actual[param] = self.stands_for[param] = atom
        return param

    def _promoted(self, atom: Atom) -> Atom:
        """Ints count as floats where they are differentiated by."""
        t = atom.type
        if _floats(t) == t:
            return atom
        if isinstance(t, Scalar):
            if isinstance(atom, Const):
                return constant(float(atom.value))
            return self.op(float, atom)
        keys = _keys(t)
        if keys is None:
            raise ArgumentError(
                "a list of ints cannot be differentiated by", self.b.origin, "Give floats."
            )
        parts = [self._promoted(self.item(atom, k)) for k in keys]
        if isinstance(t, Dict):
            return self.op(core.DICT, *parts, **dict_options(t, atom))
        if isinstance(t, List):
            return self.op(core.LIST, *parts)
        cls = t.cls  # type: ignore[attr-defined]
        options = {} if cls is tuple else {"cls": Const(cls, Object(type))}
        return self.op(core.TUPLE, *parts, **options)  # type: ignore[arg-type]

    def _lowered(
        self, inner: _Inner, fn: Const, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Function:
        """The function as a block, by its new parameters."""
        gradient_only, self.gradient_only = self.gradient_only, False
        result = self.read(self.call(fn, args, kwargs, node))
        self.gradient_only = gradient_only
        if _holds_functions(result, self.b):
            raise self.refuse(f"`{inner.name}` returns a function", node)
        inner.block.yields = [result]
        function = Function(inner.name, list(inner.actual), inner.block, inner.origin)
        function.aliases = self.aliases_of_changed(function)
        return function

    def _spliced(self, inner: _Inner, found: list[Atom], tail: Block | None = None) -> list[Atom]:
        """Put a block in the place of a call; its results as values of the caller."""
        block, actual = inner.block, inner.actual
        made = {v for s in core.walk(block) for v in core.defined_by(s)}
        tables = self._names_around()
        bound = [v for names in tables for v in names.values() if isinstance(v, Var)]
        # What the function has left behind outside: states of objects, names of outer functions.
        left = [v for v in [*self.versions.values(), *bound] if v in made]
        tails = [] if tail is None else [v for v in core.free_vars(tail) if v in made]
        block.yields = [*found, *left, *tails]
        close_scopes(block)
        found = block.yields[: len(found)]
        drop_dead(Function(inner.name, [], block))
        self._keep_changes(inner)

        def change(atom: Atom) -> Atom:
            return actual.get(atom, atom) if isinstance(atom, Var) else atom

        core.rewrite(block, change)
        if tail is not None:
            core.rewrite(tail, change)
        for names in tables:
            for name, value in names.items():
                if isinstance(value, Var) and value in actual:
                    names[name] = self.object_of(actual[value])
        varies = any(a.varied for a in actual.values()) or any(
            v.varied for v in core.free_vars(block)
        )
        for stmt in core.walk(block):
            for var in [*core.defined_by(stmt), *core.defined_inside(stmt)]:
                var.varied = var.varied and varies
                if var in self.b.selects:
                    test, a, b = map(change, self.b.selects[var])
                    self.b.selects[var] = test, a, b
                if var.root in actual:
                    var.root = self.object_of(actual[var.root])  # type: ignore[assignment]
        self._put(block)
        return block.yields[: len(found)]

    def _put(self, block: Block) -> None:
        """The statements of a block, here; what they leave behind is known from now on."""
        for stmt in block.stmts:
            for var in core.defined_by(stmt):
                self.b.home[var] = self.b.block
                if var.root is not var:
                    self.versions[var.root] = var
        note_sharing(self, block)
        self.b.block.stmts += block.stmts

    def _keep_changes(self, inner: _Inner) -> None:
        """What the function changed of its arguments is changed for its caller."""
        for param, atom in inner.actual.items():
            version = self.versions.pop(param, None)
            if version is None:
                continue
            root = self.object_of(atom)
            if not isinstance(root, Var):
                raise AliasingError(
                    f"`{inner.name}` changes its argument `{param.name}`, which is a constant",
                    inner.origin,
                    "Pass an array of its own.",
                )
            others = [a for p, a in inner.actual.items() if p is not param]
            if any(self.object_of(a) is root for a in others):
                raise AliasingError(
                    f"`{inner.name}` changes its argument `{param.name}`, which it is given twice",
                    inner.origin,
                    "Pass copies.",
                )
            self.stale.pop(root, None)
            self.versions[root] = version
            self.b.unshare(root)

    def _names_around(self) -> list[dict[Any, Any]]:
        """What the names of the functions around are bound to, and the attributes of objects."""
        found: dict[int, Frame] = {}
        for frame in self.frames:
            inner: Frame | None = frame
            while inner is not None and id(inner) not in found:
                found[id(inner)] = inner
                inner = inner.parent
        return [self.cells, *(f.env for f in found.values())]


def with_line(check: Any, origin: Origin | None) -> None:
    """Carry out a check; an error gets the place in the user's file."""
    try:
        check()
    except AdjointError as error:
        raise type(error)(error.what, origin, error.advice) from None


def _known(value: Known) -> Const:
    return Const(value, Object(type(value)), value.__name__)  # type: ignore[attr-defined]


def _inside(fn: Const) -> Derivative:
    """A derivative that was made outside, as if it had been made here."""
    primal, mode, spec = fn.value.parts
    name = getattr(primal, "__name__", "function")
    return Derivative(
        Const(primal, Object(type(primal)), name, External("value", primal, name)), mode, spec
    )


def _name(fn: Const) -> str:
    name = getattr(fn.value, "__name__", None)
    return str(name) if name else name_of(fn.value)


def _shown(atom: Atom, position: int) -> str:
    """What to call the parameter that stands for an argument."""
    return atom.name if isinstance(atom, Var) and atom.named else f"x{position}"


def _parameters_of_closure(closure: Closure) -> tuple[inspect.Parameter, ...]:
    spec = closure.source.node.args
    found = []
    for args, kind in (
        (spec.posonlyargs, inspect.Parameter.POSITIONAL_ONLY),
        (spec.args, inspect.Parameter.POSITIONAL_OR_KEYWORD),
        ([spec.vararg] if spec.vararg else [], inspect.Parameter.VAR_POSITIONAL),
        (spec.kwonlyargs, inspect.Parameter.KEYWORD_ONLY),
        ([spec.kwarg] if spec.kwarg else [], inspect.Parameter.VAR_KEYWORD),
    ):
        for arg in args:
            default = closure.defaults.get(arg.id, _OMITTED)
            found.append(inspect.Parameter(arg.id, kind, default=default))
    return tuple(found)


def _floats(t: Type) -> Type:
    """The same type with floats in place of ints."""
    if isinstance(t, Scalar):
        return FLOAT if t.kind == "int" else t
    if isinstance(t, Tuple):
        return Tuple(tuple(map(_floats, t.items)), t.cls)
    if isinstance(t, List):
        items = None if t.items is None else tuple(map(_floats, t.items))
        return List(_floats(t.item), items)
    if isinstance(t, Dict):
        return replace(t, item=_floats(t.item), items=tuple(map(_floats, t.items)))
    return t


def _keys(t: Type) -> Any:
    """The keys of a container of known form; None if they are not known."""
    if isinstance(t, Dict):
        return t.keys
    return None if t.items is None else tuple(range(len(t.items)))  # type: ignore[attr-defined]


def _differ(m: Size, n: Size) -> bool:
    """Whether two sizes certainly differ."""
    return isinstance(m, int) and (isinstance(n, int) and m != n or m == 1 and is_many(n))


def _shape_type(t: Type) -> Type:
    return Tuple(tuple(Scalar("int", n) for n in dims_of(t) or ()))


def _shape(t: Type) -> str:
    dims = dims_of(t)
    if dims is None:
        return str(t)
    return f"({', '.join(map(str, dims))}{',' if len(dims) == 1 else ''})"


def _holds_functions(atom: Atom, builder: Any) -> bool:
    if isinstance(atom, Const):
        return isinstance(atom.value, Known)
    made = builder.definitions.get(atom)
    if made is None or made.fn not in (core.TUPLE, core.LIST, core.DICT):
        return False
    return any(_holds_functions(a, builder) for a in made.args)
