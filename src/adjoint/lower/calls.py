"""Calls: to functions with rules, to the user's own functions, to builtins and methods."""

from __future__ import annotations

import builtins
import functools
import inspect
import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gast
import numpy as np

from .. import core
from ..builder import is_number
from ..control import stop_gradient
from ..core import UNDEFINED, Atom, Block, Const, External, Function, Var
from ..errors import (
    AdjointError,
    NoDerivativeError,
    SourceUnavailableError,
    UnsupportedSyntaxError,
)
from ..infer import constant
from ..parse import Source, parse_function
from ..rules import REFUSED, RULES, ZERO
from ..rules.methods import METHODS, VARARG_METHODS
from ..types import (
    NONE,
    UNDEFINED_TYPE,
    UNKNOWN,
    Array,
    Dict,
    Dim,
    List,
    Object,
    Scalar,
    Symbols,
    Tuple,
    Type,
    Unknown,
    carries_derivative,
    freeze,
    join,
)
from .exits import EXIT, GO_ON, RAISED, RETURN, RETURNED
from .expressions import known_length
from .state import Bound, Closure, Frame
from .statements import Statements

_DEEPEST = 60  # calls inside one another


class Recursive(Exception):
    """A function calls itself: it has to become a function of its own."""

    def __init__(self, what: Any) -> None:
        self.what = what


def what_recurs(identity: Any) -> Any:
    """What is remembered of a recursive function when its caller is interpreted again.

    A closure is made anew then; its text stays.
    """
    return identity.source.node if isinstance(identity, Closure) else identity


# Functions that change an operand in place, which the core does not express yet.
_MUTATORS: frozenset[Any] = frozenset(
    {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}
)
# Without a rule, but free of effects: typed by a trial run; an error where they are active.
_PURE_FUNCTIONS: frozenset[Any] = frozenset(
    {np.arange, np.linspace, np.logspace, np.geomspace, np.meshgrid, np.isin, np.unique}
)
_MUTATING_METHODS = frozenset(
    {"fill", "sort", "put", "itemset", "resize", "partition", "setflags", "setfield"}
)
_TEXTS = frozenset({repr, str, format, ascii})
_ALIASES: dict[Any, Any] = {builtins.abs: np.absolute, builtins.pow: np.power}


class Calls(Statements):
    def __init__(self, builder: Any, recursive: frozenset[Any] = frozenset()) -> None:
        super().__init__(builder)
        self.recursive = recursive
        self.cores: dict[Any, Function] = {}
        self.result_types: dict[Any, Type] = {}
        self.symbols_of: dict[Any, dict[int, int]] = {}  # canonical symbol -> the core's own
        self.lowering: list[Any] = []

    # -- call expressions -----------------------------------------------------------------

    def expr_Call(self, node: Any) -> Atom:
        if isinstance(node.func, gast.Attribute):
            owner = self.pinned(self.expr(node.func.value))
            if not isinstance(owner, Const):
                args, kwargs = self.arguments(node)
                self.at(node)
                return self.method(owner, node.func.attr, args, kwargs, node)
            self.at(node.func)
            fn = self.attribute(owner, node.func.attr, node.func)
        else:
            fn = self.expr(node.func)
        args, kwargs = self.arguments(node)
        self.at(node)
        return self.call(fn, args, kwargs, node)

    def arguments(self, node: Any) -> tuple[list[Atom], dict[str, Atom]]:
        args = []
        for arg in node.args:
            if isinstance(arg, gast.Starred):
                args += self.unpack_all(self.expr(arg.value), arg)
            else:
                args.append(self.expr(arg))
        kwargs: dict[str, Atom] = {}
        for keyword in node.keywords:
            if keyword.arg is not None:
                kwargs[keyword.arg] = self.expr(keyword.value)
                continue
            table = self.expr(keyword.value)
            if not (isinstance(table.type, Dict) and table.type.keys is not None):
                raise self.refuse("the names of these keyword arguments are not known here", node)
            kwargs |= {k: self.item(table, k) for k in table.type.keys}
        return args, kwargs

    def expr_GeneratorExp(self, node: Any) -> Atom:
        return self.expr_ListComp(node)

    def expr_Lambda(self, node: Any) -> Atom:
        return self.closure(node, "<lambda>")

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
        if any(isinstance(n, (gast.Yield, gast.YieldFrom)) for n in gast.walk(node)):
            raise self.refuse(f"`{name}` is a generator", node, "Return a list instead.")
        return Const(Closure(inner, self.frame, defaults), Object(Closure), name)

    def call(self, fn: Atom, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
        """Call a value; what it is decides how."""
        if not isinstance(fn, Const):
            return self.opaque(fn, args, kwargs)
        value = fn.value
        if isinstance(value, Closure):
            return self.closure_call(value, args, kwargs, node)
        if isinstance(value, Bound):
            return self.call(value.fn, [*value.args, *args], value.kwargs | kwargs, node)
        special = _lookup(_SPECIAL, value)
        if special is not None:
            return special(self, args, kwargs, node)
        if value is print or _has(value, _TEXTS):
            return self.opaque(fn, args, kwargs)
        if value in (float, complex) and args and args[0].type == Object(str):
            self.refuse_text(args[0])
        canonical = self.canonical(value)
        if _has(canonical, REFUSED):
            if any(a.varied for a in [*args, *kwargs.values()]):
                raise NoDerivativeError(
                    f"`{_name(value)}` cannot be differentiated",
                    self.frame.source.origin(node),
                    REFUSED[canonical],
                )
        if _has(canonical, _MUTATORS) or _is_ufunc_method(value, "at"):
            raise self.refuse(
                f"`{_name(value)}` changes its operand in place, which is not supported",
                node,
                "Assign to elements instead: x[i] = v.",
            )
        out = kwargs.get("out")
        if out is not None and not (isinstance(out, Const) and out.value is None):
            raise self.refuse("`out=` is not supported", node, "Assign the result: x[...] = v.")
        if _has(canonical, RULES) or _has(canonical, ZERO) or isinstance(canonical, np.ufunc):
            return self.primitive(canonical, args, kwargs)
        if _has(canonical, _PURE_FUNCTIONS):
            return self.primitive(canonical, args, kwargs)
        if getattr(value, "__adjoint_static__", False):
            return self.op(value, *args, **kwargs)  # type: ignore[arg-type]
        if isinstance(value, types.FunctionType):
            return self.python_function(fn, value, args, kwargs, node)
        if isinstance(value, functools.partial):
            inner = Const(value.func, Object(type(value.func)), fn.path)
            bound = [self.wrap(a) for a in value.args]
            named = {k: self.wrap(a) for k, a in value.keywords.items()}
            return self.call(inner, bound + args, named | kwargs, node)
        if isinstance(value, types.MethodType) and isinstance(value.__func__, types.FunctionType):
            inner = Const(value.__func__, Object(types.FunctionType), fn.path)
            return self.call(inner, [self.wrap(value.__self__, "self"), *args], kwargs, node)
        if isinstance(value, type):
            return self.construct(fn, value, args, kwargs, node)
        if is_callable_object(value):
            return self.call(
                Const(value.__call__, Object(types.MethodType), fn.path), args, kwargs, node
            )
        return self.opaque(fn, args, kwargs)

    def canonical(self, value: Any) -> Any:
        """The NumPy function that a function of CuPy, or a builtin, stands for."""
        found = _lookup(_ALIASES, value)
        if found is not None:
            return found
        module = getattr(value, "__module__", None) or type(value).__module__
        if str(module).split(".")[0] == "cupy" and hasattr(value, "__name__"):
            return getattr(np, value.__name__, value)
        return value

    def wrap(self, value: Any, name: str = "bound") -> Atom:
        """A value found inside a callable (a bound argument) as an atom."""
        if isinstance(value, (bool, int, float, complex, str, type(None))):
            return constant(value)
        return self.external(value, External("value", value, name), name)

    def primitive(self, fn: Any, args: list[Atom], kwargs: dict[str, Atom]) -> Atom:
        if _is_random(fn):
            return self.random_call(fn, args, kwargs)
        return self.op(fn, *args, **kwargs)  # type: ignore[arg-type]

    def random_call(self, fn: Any, args: list[Atom], kwargs: dict[str, Atom]) -> Atom:
        """A draw: typed by a draw from another generator, and made anew at each call."""
        from ..infer import result_type

        twin = getattr(np.random.RandomState(0), fn.__name__, None)
        t = UNKNOWN if twin is None else result_type(twin, args, kwargs, self.b.symbols)
        return self.op(fn, *args, type=t, **kwargs)  # type: ignore[arg-type]

    def opaque(self, fn: Atom, args: list[Atom], kwargs: dict[str, Atom]) -> Atom:
        """A call that the compiler does not look into."""
        if any(isinstance(a, Const) and isinstance(a.value, (Bound, Closure)) for a in args):
            name = _name(fn.value) if isinstance(fn, Const) else "this function"
            raise UnsupportedSyntaxError(
                f"a function that is defined inside is given to `{name}`", self.b.origin,
                "Write a loop, or define the function outside.",
            )  # fmt: skip
        present = [self.read(fn), *(self.read(a) for a in args)]
        options = {k: self.read(a) for k, a in kwargs.items()}
        value = fn.value if isinstance(fn, Const) else None
        t: Type = UNKNOWN
        if value is print:
            t = NONE
        elif _has(value, _TEXTS):
            t = Object(str)
        target = Var("result", t)
        target.varied = any(a.varied for a in [*args, *kwargs.values()]) and carries_derivative(t)
        self.b.emit(core.Op(target, core.CALL, present, options, "", self.b.origin))
        return self.quiet(target) if t != NONE else constant(None)

    def refuse_text(self, text: Atom) -> None:
        """Refuse a number that is read from a text, if the text was made from what varies."""
        made = self.b.definitions.get(text) if isinstance(text, Var) else None
        if made is None:
            return
        for atom in made.operands():
            if atom.varied and isinstance(atom, Var):
                named = f" `{atom.name}`" if atom.named else " a value that varies"
                raise NoDerivativeError(
                    f"a number is read from a text of{named}, which has no derivative",
                    self.b.origin,
                    "Compute with the number itself (np.round rounds it);\n"
                    "if it is a constant here, write ad.stop_gradient(...) around it.",
                )
            if atom.type == Object(str):
                self.refuse_text(atom)

    def construct(
        self, fn: Const, cls: type, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            fields = dict(zip(cls._fields, args)) | kwargs
            items = [fields[f] for f in cls._fields if f in fields]
            if len(items) == len(cls._fields):
                return self.op(
                    core.TUPLE, *items, cls=Const(cls, Object(type), fn.path, fn.external)
                )
        if issubclass(cls, BaseException):
            present = [fn, *(self.read(a) for a in args)]
            return self.b.op(core.PURE_CALL, *present, type=Object(cls), name="error")
        if issubclass(cls, np.generic) and len(args) == 1 and not kwargs:
            dtype = constant(np.dtype(cls))
            if is_number(args[0].type):
                return self.op(np.asarray, args[0], dtype=dtype)
        return self.opaque(fn, args, kwargs)

    # -- the user's functions -------------------------------------------------------------

    def python_function(
        self, fn: Const, value: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        varied = any(a.varied for a in [*args, *kwargs.values()])
        module = (value.__module__ or "").split(".")[0]
        if module in ("numpy", "cupy"):
            return self.opaque(fn, args, kwargs)
        try:
            source = parse_function(value)
        except SourceUnavailableError:
            return self.opaque(fn, args, kwargs)
        except UnsupportedSyntaxError:
            if varied:
                raise
            return self.opaque(fn, args, kwargs)
        defaults = {k: self.wrap(v) for k, v in source.defaults.items()}
        if varied or getattr(value, "__adjoint_inline__", False):
            return self.invoke(source, None, defaults, args, kwargs, node, value)
        return self._inactive_call(fn, source, defaults, args, kwargs, node, value)

    def _inactive_call(
        self,
        fn: Const,
        source: Source,
        defaults: dict[str, Atom],
        args: list[Atom],
        kwargs: dict[str, Atom],
        node: Any,
        value: Any,
    ) -> Atom:
        """No derivative goes through this call: what cannot be compiled is called as it is."""
        before, depth = self.snapshot(), len(self.frames)
        guards = list(self.guards)
        block = Block()
        try:
            with self.b.inside(block):
                result = self.invoke(source, None, defaults, args, kwargs, node, value)
        except AdjointError:
            del self.frames[depth:]
            self.restore(before)
            self.guards = guards
            if any(_stores(n) for n in gast.walk(source.node)):
                raise
            self.at(node)
            return self.opaque(fn, args, kwargs)
        self.b.block.stmts += block.stmts
        return result

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
        if len(self.frames) > _DEEPEST:
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
        node = frame.source.node
        if isinstance(node, gast.Lambda):
            result = self.expr(node.body)
        else:
            self.statements(node.body)
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
        self._note_aliases(core.CALL_CORE, list(args), target)
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
        self.result_types[key] = UNDEFINED_TYPE
        function = Function(source.name, [], Block(), self.b.origin)
        self.cores[key] = function
        for _ in range(8):
            params = {n: Var(n, types[n], named=True, varied=a.varied) for n, a in dynamic.items()}
            frame = Frame(source, {**env, **params}, parent)
            self.frames, self.versions, self.stale = [], {}, {}
            self.b.block, self.b._known = Block(), [{}]
            block = self.b.block
            try:
                result = self.read(self.run(frame))
                changed = {v for r in self.versions for v in (r, *self.aliases.of(r))}
                block.yields = [result]
            finally:
                self.frames, self.b.block, self.b._known, self.versions, self.stale = saved
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

    # -- methods --------------------------------------------------------------------------

    def method(
        self, owner: Atom, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        t = owner.type
        if isinstance(t, List):
            if name == "append" and len(args) == 1 and not kwargs:
                self.append(owner, args[0])
                return constant(None)
            if name == "extend" and len(args) == 1 and not kwargs:
                self.extend(owner, args[0], node)
                return constant(None)
            if name == "copy" and not args:
                return self.collected(owner, node)
            raise self.refuse(
                f"the list method `{name}` is not supported",
                node,
                "Lists may be changed by append, extend and xs[i] = v.",
            )
        if isinstance(t, Dict):
            return self.dict_method(owner, t, name, args, kwargs, node)
        if isinstance(t, (Array, Unknown, Scalar)) or type(t) is Type:
            return self.array_method(owner, name, args, kwargs, node)
        if isinstance(t, Object):
            found = inspect.getattr_static(t.cls, name, None)
            if isinstance(found, (types.FunctionType, staticmethod, classmethod)):
                # Of the class: that no attribute of the object itself hides it is trusted.
                where = External("module", t.cls, name)
                bound = self.external(getattr(t.cls, name), where, f"{t.cls.__name__}.{name}")
                first = [owner] if isinstance(found, types.FunctionType) else []
                return self.call(bound, [*first, *args], kwargs, node)
        callee = self.op(core.ATTRIBUTE, owner, constant(name), type=UNKNOWN, name=name)
        return self.opaque(callee, args, kwargs)

    def array_method(
        self, owner: Atom, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        if name in _MUTATING_METHODS:
            raise self.refuse(
                f"the method `{name}` changes the array in place, which is not supported",
                node,
                "Use the function that returns a new array, or assign: x[...] = v.",
            )
        if "out" in kwargs:
            raise self.refuse("`out=` is not supported", node, "Assign the result instead.")
        if name not in METHODS:
            if owner.varied:
                raise self.refuse(f"the array method `{name}` is not supported", node)
            callee = self.op(core.ATTRIBUTE, owner, constant(name), type=UNKNOWN, name=name)
            return self.opaque(callee, args, kwargs)
        if name in VARARG_METHODS and (len(args) > 1 or (args and _is_int(args[0]))):
            args = [self.b_tuple(args)]
        return self.op(METHODS[name], owner, *args, style="method", **kwargs)

    def dict_method(
        self, owner: Atom, t: Dict, name: str, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        if t.keys is None:
            raise self.refuse(f"`{name}` of a dict with unknown keys is not supported", node)
        if name == "keys" and not args:
            return constant(t.keys)
        if name == "values" and not args:
            return self.b_tuple([self.item(owner, k) for k in t.keys])
        if name == "items" and not args:
            return self.op(
                core.TUPLE,
                *(self.op(core.TUPLE, constant(k), self.item(owner, k)) for k in t.keys),
            )
        if name == "get" and isinstance(args[0], Const):
            if args[0].value in t.keys:
                return self.item(owner, args[0].value)
            return args[1] if len(args) > 1 else constant(None)
        if name == "copy" and not args:
            return self.op(core.DICT, *(self.item(owner, k) for k in t.keys), keys=constant(t.keys))
        raise self.refuse(f"the dict method `{name}` is not supported", node)


# -- builtins ---------------------------------------------------------------------------------

Handler = Callable[[Calls, list[Atom], dict[str, Atom], Any], Atom]


def _len(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    length = known_length(args[0])
    if length is not None:
        return constant(length)
    t = args[0].type
    size = t.dims[0] if isinstance(t, Array) and t.dims else None
    return lowering.op(len, args[0], type=Scalar("int", size))


def _range(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    return lowering.op(core.RANGE, *args)


def _isinstance(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    classes = args[1].value if isinstance(args[1], Const) else _classes(lowering, args[1])
    cls = _class_of(args[0])
    if cls is None or classes is None:
        return lowering.opaque(Const(isinstance, Object(type), "isinstance"), args, kwargs)
    return constant(issubclass(cls, classes))


def _classes(lowering: Calls, atom: Atom) -> Any:
    built = lowering.b.definition(atom, core.TUPLE)
    if built is None or not all(isinstance(a, Const) for a in built.args):
        return None
    return tuple(a.value for a in built.args)  # type: ignore[union-attr]


def _class_of(atom: Atom) -> type | None:
    if isinstance(atom, Const):
        return type(atom.value)
    t = atom.type
    if isinstance(t, Scalar):
        return {"bool": bool, "int": int, "float": float, "complex": complex}[t.kind]
    if isinstance(t, Array):
        return np.ndarray if t.dims != () else None
    if isinstance(t, Tuple):
        return t.cls
    if isinstance(t, (List, Dict)):
        return list if isinstance(t, List) else dict
    return t.cls if isinstance(t, Object) else None


def _tuple(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if not args:
        return constant(())
    if isinstance(args[0], Const):
        return constant(tuple(args[0].value))
    return lowering.b_tuple(lowering.unpack_all(args[0], node))


def _list(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if not args:
        return lowering.op(core.LIST)
    return lowering.collected(args[0], node)


def _dict(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if args:
        t = args[0].type
        if not (isinstance(t, Dict) and t.keys is not None):
            raise lowering.refuse("`dict` of this value is not supported", node)
        known = {k: lowering.item(args[0], k) for k in t.keys}
    else:
        known = {}
    known |= kwargs
    return lowering.op(core.DICT, *known.values(), keys=constant(tuple(known)))


def _getattr(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if len(args) == 2 and isinstance(args[1], Const):
        return lowering.attribute(args[0], args[1].value, node)
    raise lowering.refuse("this form of `getattr` is not supported", node)


def _hasattr(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    cls = _class_of(args[0])
    if isinstance(args[0], Const) and isinstance(args[1], Const):
        return constant(hasattr(args[0].value, args[1].value))
    if cls is None or not isinstance(args[1], Const):
        raise lowering.refuse("`hasattr` is not supported here", node)
    return constant(hasattr(cls, args[1].value))


def _iscomplexobj(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    from ..types import is_complex

    if isinstance(args[0].type, Unknown):
        return lowering.op(np.iscomplexobj, *args)
    return constant(is_complex(args[0].type))


def _stop_gradient(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    """The same value, which no derivative goes through."""
    return lowering.stopped(args[0])


def _map(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    """map(f, xs) is [f(x) for x in xs]: the calls are made at once."""
    if len(args) != 2 or kwargs:
        raise lowering.refuse("`map` over several sequences is not supported", node)
    return lowering.collected(args[1], node, lambda x: lowering.call(args[0], [x], {}, node))


def _zip(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    lengths = [known_length(a) for a in args]
    if kwargs and len(set(lengths)) != 1:
        raise lowering.refuse("`zip` with `strict` needs a loop here", node)
    if any(n is None for n in lengths):
        raise lowering.refuse("`zip` outside a loop needs parts of known length", node)
    count = min(lengths)  # type: ignore[type-var]
    rows = [[lowering.item(a, i) for a in args] for i in range(count)]  # type: ignore[arg-type]
    return lowering.b_tuple([lowering.b_tuple(r) for r in rows])


def _enumerate(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    items = lowering.unpack_all(args[0], node)
    start = kwargs.get("start", args[1] if len(args) > 1 else constant(0))
    if not isinstance(start, Const):
        raise lowering.refuse("the start of this `enumerate` is not known here", node)
    pairs = [lowering.b_tuple([constant(i), item]) for i, item in enumerate(items, start.value)]
    return lowering.b_tuple(pairs)


def _reversed(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    made = lowering.b.definition(args[0], core.RANGE) if isinstance(args[0], Var) else None
    if made is not None and len(made.args) < 3:
        start, stop = made.args if len(made.args) == 2 else (constant(0), made.args[0])
        first = lowering.op(np.subtract, stop, constant(1), style="operator")
        last = lowering.op(np.subtract, start, constant(1), style="operator")
        return lowering.op(core.RANGE, first, last, constant(-1))
    if isinstance(args[0].type, Array):
        return lowering.op(np.flip, args[0], constant(0))
    items = lowering.unpack_all(args[0], node)
    return lowering.b_tuple(items[::-1])


def _min_max(fn: Any) -> Handler:
    def handle(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
        """min(a, b, c) is min(min(a, b), c)."""
        if kwargs or len(args) < 3:
            return lowering.primitive(fn, args, kwargs)
        return functools.reduce(lambda a, b: lowering.primitive(fn, [a, b], {}), args)

    return handle


def _partial(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    if not isinstance(args[0], Const):
        raise lowering.refuse("which function `partial` is given is not known here", node)
    bound = Bound(args[0], args[1:], kwargs)
    return Const(bound, Object(type(bound)), "partial")


def _wraps(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    """functools.wraps(f) copies names and texts: the decorated function stays what it is."""
    return Const(_identity, Object(type(_identity)), "wraps")


def _identity(fn: Any) -> Any:
    return fn


def _hidden(lowering: Calls, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
    raise lowering.refuse(
        "code and names that are made at run time cannot be differentiated", node,
        "Write the expression itself.",
    )  # fmt: skip


_SPECIAL: dict[Any, Handler] = {
    builtins.eval: _hidden,
    builtins.exec: _hidden,
    builtins.compile: _hidden,
    builtins.locals: _hidden,
    builtins.globals: _hidden,
    builtins.vars: _hidden,
    builtins.dir: _hidden,
    builtins.min: _min_max(builtins.min),
    builtins.max: _min_max(builtins.max),
    functools.partial: _partial,
    functools.wraps: _wraps,
    _identity: lambda lowering, args, kwargs, node: args[0],
    builtins.len: _len,
    builtins.range: _range,
    builtins.isinstance: _isinstance,
    builtins.tuple: _tuple,
    builtins.list: _list,
    builtins.dict: _dict,
    builtins.getattr: _getattr,
    builtins.hasattr: _hasattr,
    builtins.map: _map,
    builtins.zip: _zip,
    builtins.enumerate: _enumerate,
    builtins.reversed: _reversed,
    np.iscomplexobj: _iscomplexobj,
    stop_gradient: _stop_gradient,
}


def _lookup(table: dict[Any, Any], value: Any) -> Any:
    try:
        return table.get(value)
    except TypeError:
        return None


def _has(value: Any, table: Any) -> bool:
    try:
        return value in table
    except TypeError:
        return False


def is_callable_object(value: Any) -> bool:
    """Whether a value is an object of the user's with a `__call__` written in Python."""
    call = getattr(type(value), "__call__", None)  # noqa: B004
    module = getattr(call, "__module__", None) or ""
    return isinstance(call, types.FunctionType) and module.split(".")[0] != "adjoint"


def _name(value: Any) -> str:
    name = str(getattr(value, "__qualname__", None) or getattr(value, "__name__", repr(value)))
    module = getattr(value, "__module__", None)
    if isinstance(value, np.ufunc):
        module = "numpy"
    return f"{module}.{name}" if module and module != "builtins" else name


def _is_ufunc_method(value: Any, name: str) -> bool:
    return isinstance(getattr(value, "__self__", None), np.ufunc) and value.__name__ == name


def _is_random(fn: Any) -> bool:
    owner = getattr(fn, "__self__", None)
    return isinstance(owner, (np.random.RandomState, np.random.Generator))


def _is_int(atom: Atom) -> bool:
    return isinstance(atom.type, Scalar) and atom.type.kind == "int"


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
        return Dict(rename(t.item), t.keys, tuple(map(rename, t.items)))
    return t


def _stores(node: Any) -> bool:
    return isinstance(node, (gast.Subscript, gast.Attribute)) and isinstance(node.ctx, gast.Store)
