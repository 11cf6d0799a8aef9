"""Calls of the user's functions: a body takes the place of a call, or becomes a core of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gast

from .. import core
from ..core import UNDEFINED, Atom, Block, Const, Function, Var
from ..errors import (
    UnsupportedSyntaxError,
)
from ..infer import constant
from ..parse import Source
from ..types import (
    UNDEFINED_TYPE,
    Array,
    Dict,
    Dim,
    List,
    Object,
    Scalar,
    Symbols,
    Tuple,
    Type,
    carries_derivative,
    freeze,
    join,
)
from .exits import EXIT, GO_ON, RAISED, RETURN, RETURNED, always_exits, returns_values
from .methods import Methods
from .state import Closure, Frame, Poison, is_static

DEEPEST = 60  # calls inside one another


class Recursive(Exception):
    """A function calls itself: it has to become a function of its own."""

    def __init__(self, what: Any) -> None:
        self.what = what


def what_recurs(identity: Any) -> Any:
    """What is remembered of a recursive function when its caller is interpreted again.

    A closure is made anew then; its text stays.
    """
    return identity.source.node if isinstance(identity, Closure) else identity


class Invocation(Methods):
    def __init__(self, builder: Any, recursive: frozenset[Any] = frozenset()) -> None:
        super().__init__(builder)
        self.recursive = recursive
        self.result_types: dict[Any, Type] = {}
        self.symbols_of: dict[Any, dict[int, int]] = {}  # canonical symbol -> the core's own
        self.typing: list[Any] = []  # functions whose result's type is being found

    def call(self, fn: Atom, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
        """Call a value; what it is decides how."""
        raise NotImplementedError  # by Calls

    def closure(self, node: Any, name: str) -> Atom:
        source = self.frame.source
        inner = Source(node, source.filename, name, source.globals, {}, {})
        defaults: dict[str, Atom] = {}
        spec = node.args
        positional = spec.posonlyargs + spec.args
        for arg, default in zip(positional[len(positional) - len(spec.defaults) :], spec.defaults):
            defaults[arg.id] = self.expr(default)
        for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            if default is not None:
                defaults[arg.id] = self.expr(default)
        self.captured.append(self.frame)
        return Const(Closure(inner, self.frame, defaults), Object(Closure), name)

    def closure_call(
        self, fn: Closure, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        return self.invoke(fn.source, fn.frame, fn.defaults, args, kwargs, node, fn)

    def invoke(
        self,
        source: Source,
        parent: Frame | None,
        defaults: dict[str, Atom],
        args: list[Atom],
        kwargs: dict[str, Atom],
        node: Any,
        identity: Any,
    ) -> Atom:
        """Call a function whose source is known: its body takes the place of the call."""
        env = self.bind_arguments(source, defaults, args, kwargs, node)
        if what_recurs(identity) in self.recursive:
            return self.call_core(source, parent, env, identity)
        if identity is not None and any(f.identity is identity for f in self.frames):
            raise Recursive(what_recurs(identity))
        if len(self.frames) > DEEPEST:
            raise self.refuse("calls are nested too deeply, or without end, here", node)
        env = {n: self.object_of(a) for n, a in env.items()}
        frame = Frame(source, env, parent)
        frame.identity = identity
        return self.run(frame)

    def run(self, frame: Frame) -> Atom:
        """Interpret the body of a function; the object that it returns."""
        origin = self.b.origin
        frame.env[EXIT] = constant(GO_ON)
        frame.env[RETURN] = UNDEFINED
        self.frames.append(frame)
        for name in frame.scope.shared & frame.env.keys():
            self.cells[frame, name] = frame.env.pop(name)
        node = frame.source.node
        if isinstance(node, gast.Lambda):
            result = self.expr(node.body)
        else:
            self.statements([*node.body, *self._fall_off(node)])
            code = self.env[EXIT]
            result = self.env[RETURN]
            if isinstance(code, Const) and code.value not in (RETURNED, RAISED):
                result = constant(None)
            result = (
                self._checked(result, "the result", node)
                if result is not UNDEFINED
                else (constant(None))
            )
        self.frames.pop()
        self.b.origin = origin
        return result

    def _fall_off(self, function: Any) -> list[Any]:
        """What happens where a function that returns values ends without `return`."""
        if always_exits(function.body) or not returns_values(function):
            return []
        last = function.body[-1]
        if len(self.frames) > 1:
            return [gast.copy_location(gast.Return(None), last)]
        text = f"`{self.frame.source.name}` returns None here: it ends without a `return`"
        error = gast.Call(gast.Name("TypeError", gast.Load()), [gast.Constant(text, None)], [])
        for made in gast.walk(error):
            gast.copy_location(made, last)
        return [gast.copy_location(gast.Raise(error, None), last)]

    def bind_arguments(
        self,
        source: Source,
        defaults: dict[str, Atom],
        args: list[Atom],
        kwargs: dict[str, Atom],
        node: Any,
    ) -> dict[str, Any]:
        """Parameter name -> argument, as Python binds them."""
        spec = source.node.args
        positional = [a.id for a in spec.posonlyargs + spec.args]
        keyword_only = [a.id for a in spec.kwonlyargs]
        env: dict[str, Any] = dict(zip(positional, args))
        extra = args[len(positional) :]
        rest = dict(kwargs)
        for name in positional + keyword_only:
            if name in rest:
                if name in env:
                    raise self.refuse(f"`{source.name}` got two values for `{name}`", node)
                env[name] = rest.pop(name)
            elif name not in env and name in defaults:
                env[name] = defaults[name]
        missing = [n for n in positional + keyword_only if n not in env]
        if missing:
            raise self.refuse(f"`{source.name}` misses the argument `{missing[0]}`", node)
        if spec.vararg is not None:
            env[spec.vararg.id] = self.b_tuple(extra)
        elif extra:
            raise self.refuse(f"`{source.name}` is called with too many arguments", node)
        if spec.kwarg is not None:
            env[spec.kwarg.id] = self.op(core.DICT, *rest.values(), keys=constant(tuple(rest)))
        elif rest:
            raise self.refuse(f"`{source.name}` has no argument `{next(iter(rest))}`", node)
        return env

    def call_core(
        self, source: Source, parent: Frame | None, env: dict[str, Any], identity: Any
    ) -> Atom:
        """Call a recursive function, compiled once for each signature as a function of its own."""
        dynamic = {n: a for n, a in env.items() if not _is_specialised(a)}
        # Sizes get symbols of the function's own, the same for all calls of one pattern.
        symbols: dict[int, int] = {}
        types = {n: _renamed(_widened(a.type), symbols) for n, a in dynamic.items()}
        signature = tuple(
            (n, types[n], a.varied) if n in dynamic else (n, freeze(a.value))
            for n, a in env.items()
        )
        key = (identity, signature)
        if key not in self.cores:
            own = {canonical: self.b.symbols.fresh().symbol for canonical in symbols.values()}
            self.symbols_of[key] = own
            params = {n: _renamed(t, dict(own), self.b.symbols) for n, t in types.items()}
            self.lower_core(key, source, parent, env, dynamic, params)
        function = self.cores[key]
        own = self.symbols_of[key]
        back = {own[canonical]: given for given, canonical in symbols.items()}
        t = _renamed(self.result_types[key], back, self.b.symbols)
        args = [self.read(a) for a in dynamic.values()]
        target = Var("result", t)
        target.varied = any(a.varied for a in args) and (
            t == UNDEFINED_TYPE or carries_derivative(t)
        )
        self.b.emit(
            core.Op(
                target,
                core.CALL_CORE,
                args,
                {"function": Const(function, Object(Function))},
                "",
                self.b.origin,
            )
        )
        self.note_aliases(core.CALL_CORE, list(args), target)
        return target

    def lower_core(
        self,
        key: Any,
        source: Source,
        parent: Frame | None,
        env: dict[str, Any],
        dynamic: dict[str, Atom],
        types: dict[str, Type],
    ) -> None:
        """Compile a recursive function: until the type of its result is stable."""
        saved = self.frames, self.b.block, self.b._known, self.versions, self.stale
        cells = self.cells
        hidden = Poison(
            UnsupportedSyntaxError(
                f"the recursive function `{source.name}` uses a name or an attribute that is "
                "assigned elsewhere",
                self.b.origin,
                "Pass it as an argument, and return it.",
            )
        )
        self.result_types[key] = UNDEFINED_TYPE
        function = Function(source.name, [], Block(), self.b.origin, complete=False)
        self.cores[key] = function
        for _ in range(8):
            params = {n: Var(n, types[n], named=True, varied=a.varied) for n, a in dynamic.items()}
            frame = Frame(source, {**env, **params}, parent)
            self.frames, self.versions, self.stale = [], {}, {}
            self.cells = dict.fromkeys(cells, hidden)
            self.b.block, self.b._known = Block(), [{}]
            block = self.b.block
            try:
                result = self.read(self.run(frame))
                assigned = [k for k in self.cells if k[0].serial < frame.serial]
                if is_static(result) or any(self.cells[k] is not hidden for k in assigned):
                    raise hidden.error
                changed = {v for r in self.versions for v in (r, *self.aliases.of(r))}
                block.yields = [result]
            finally:
                self.frames, self.b.block, self.b._known, self.versions, self.stale = saved
                self.cells = cells
            if changed & set(params.values()):
                raise UnsupportedSyntaxError(
                    f"the recursive function `{source.name}` changes an argument in place",
                    self.b.origin,
                    "Let it return a new array.",
                )
            function.params, function.body = list(params.values()), block
            found = join(self.result_types[key], _widened(result.type), self.b.symbols)
            if found == self.result_types[key]:
                break
            self.result_types[key] = found
        else:
            raise UnsupportedSyntaxError(
                f"no fixed type is found for the result of the recursive function `{source.name}`",
                self.b.origin,
                "Return values of one kind and number of dimensions.",
            )
        if found == UNDEFINED_TYPE:
            raise UnsupportedSyntaxError(
                f"the recursive function `{source.name}` never returns: all its ways lead to "
                "another call of it",
                self.b.origin,
                "Let one of them return a value.",
            )
        free = [
            v
            for v in core.free_vars(function.body)
            if v not in function.params and v.external is None
        ]
        if free:
            raise UnsupportedSyntaxError(
                f"the recursive function `{source.name}` uses `{free[0].name}` of the function "
                "around it",
                self.b.origin,
                "Pass it as an argument.",
            )
        function.aliases = self.aliases_of_changed(function)
        function.complete = True


def _is_specialised(atom: Atom) -> bool:
    """Whether a recursive function is compiled for the value of an argument, not its type."""
    if not isinstance(atom, Const):
        return False
    return not isinstance(atom.value, (int, float, complex)) or isinstance(atom.value, bool)


def _widened(t: Type) -> Type:
    return Scalar(t.kind) if isinstance(t, Scalar) else t


def _renamed(t: Type, names: dict[int, int], symbols: Symbols | None = None) -> Type:
    """A type with other symbols for its sizes; new ones go into `names`, numbered or fresh."""

    def size(n: Any) -> Any:
        if not isinstance(n, Dim):
            return n
        if n.symbol not in names:
            names[n.symbol] = len(names) if symbols is None else symbols.fresh().symbol
        return replace(n, symbol=names[n.symbol])

    def rename(t: Any) -> Any:
        return _renamed(t, names, symbols)

    if isinstance(t, Array) and t.dims is not None:
        return replace(t, dims=tuple(map(size, t.dims)))
    if isinstance(t, Scalar):
        return replace(t, size=size(t.size))
    if isinstance(t, Tuple):
        return replace(t, items=tuple(map(rename, t.items)))
    if isinstance(t, List):
        items = None if t.items is None else tuple(map(rename, t.items))
        return List(rename(t.item), items)
    if isinstance(t, Dict):
        return replace(t, item=rename(t.item), items=tuple(map(rename, t.items)))
    return t
