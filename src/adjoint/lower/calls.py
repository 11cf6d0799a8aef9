"""Calls: to functions with rules, to the user's own functions, to builtins and methods."""

from __future__ import annotations

import functools
import types
import weakref
from typing import Any

import gast
import numpy as np

from .. import core
from ..builder import is_number
from ..core import Atom, Block, Const, External, Var
from ..errors import (
    AdjointError,
    NoDerivativeError,
    SourceUnavailableError,
    UnsupportedSyntaxError,
)
from ..infer import constant, result_type
from ..parse import Source, parse_function
from ..rules import REFUSED, WRITTEN_OUT, own
from ..rules.advice import name_of
from ..rules.builtins_ import ALIASES
from ..rules.methods import METHODS
from ..types import (
    FLOAT,
    NONE,
    UNKNOWN,
    Array,
    Dict,
    Object,
    Struct,
    Tuple,
    Type,
    carries_derivative,
)
from . import lazy
from .builtin_calls import HANDLERS
from .callees import (
    found_in,
    is_array_method,
    is_callable_object,
    is_primitive,
    is_pure,
    is_random,
    is_unbound_method,
    lookup,
    of_text,
)
from .expressions import is_shared
from .generators import is_generator
from .guards import Guard
from .invocation import DEEPEST, Recursive
from .mutators import mutation
from .objects import can_be_replaced
from .outs import named_out
from .special_methods import is_more_than_a_tuple
from .state import Bound, Closure, Known, is_instance, is_static
from .structs import Structs

# Without a rule, but free of effects: typed by a trial run; an error where they are active.
_PURE_FUNCTIONS: frozenset[Any] = frozenset(
    {np.arange, np.linspace, np.logspace, np.geomspace, np.meshgrid, np.isin, np.unique}
)

# Functions without a rule that are known to change an array.
_CHANGING = frozenset({"shuffle"})
_TEXTS = frozenset({repr, str, format, ascii})


class Calls(Structs):
    # -- call expressions -----------------------------------------------------------------

    def expr_Call(self, node: Any) -> Atom:
        if isinstance(node.func, gast.Attribute):
            owner = self.pinned(self.expr(node.func.value))
            if not isinstance(owner, Const):
                if isinstance(owner.type, Dict) and node.func.attr in lazy.VIEWS:
                    self.check_walked(node, f"`{node.func.attr}` of a dict")
                self.walked |= set(map(id, lazy.walked_by_method(node.func.attr, node)))
                args, kwargs = self.arguments(node)
                self.at(node)
                return self.method(owner, node.func.attr, args, kwargs, node)
            self.at(node.func)
            fn = self.attribute(owner, node.func.attr, node.func)
        else:
            fn = self.expr(node.func)
        if isinstance(fn, Const):
            if lazy.is_one_of(fn.value, lazy.LAZY):
                self.check_walked(node, f"`{name_of(fn.value)}`")
            self.walked |= set(map(id, lazy.walked_by(fn.value, node, id(node) in self.walked)))
        args, kwargs = self.arguments(node)
        self.at(node)
        if isinstance(node.func, gast.Attribute) and not kwargs:
            known = of_text(owner, node.func.attr, args)
            if known is not None:
                return known
        return self.call(fn, args, kwargs, node)

    def arguments(self, node: Any) -> tuple[list[Atom], dict[str, Atom]]:
        args = []
        for arg in node.args:
            if isinstance(arg, gast.Starred):
                self.walked.add(id(arg.value))
                args += self.unpack_all(self.expr(arg.value), arg)
            else:
                args.append(self.expr(arg))
        kwargs: dict[str, Atom] = {}
        for keyword in node.keywords:
            if keyword.arg is not None:
                kwargs[keyword.arg] = self.expr(keyword.value)
                continue
            table = self.expr(keyword.value)
            t = table.type
            if not isinstance(t, Dict) or isinstance(t, Struct) or t.keys is None:
                raise self.refuse("the names of these keyword arguments are not known here", node)
            kwargs |= {k: self.item(table, k) for k in t.keys}
        return args, kwargs

    def expr_GeneratorExp(self, node: Any) -> Atom:
        if id(node) not in self.walked and self.frame.template is None:
            return self.kept_expression(node)
        return self.expr_ListComp(node)

    def check_walked(self, node: Any, what: str) -> None:
        """Refuse an iterator that is not walked where it is made."""
        if id(node) not in self.walked and self.frame.template is None:
            raise self.refuse(f"{what} that is kept is not supported", node, lazy.ADVICE)

    def expr_Lambda(self, node: Any) -> Atom:
        return self.closure(node, "<lambda>")

    def call(self, fn: Atom, args: list[Atom], kwargs: dict[str, Atom], node: Any) -> Atom:
        """Call a value; what it is decides how."""
        if not isinstance(fn, Const):
            if isinstance(fn.type, Struct):
                return self.call(self.attribute(fn, "__call__", node), args, kwargs, node)
            return self.opaque(fn, args, kwargs)
        value = fn.value
        answer = self.answered(fn, args, kwargs, node)
        if answer is not None:
            return answer
        if any(map(is_generator, args)):
            if value in (any, all):
                return self.quantified(value, args[0], node)
            if lazy.is_one_of(value, lazy.WALKING):
                args = [self.collected(a, node) if is_generator(a) else a for a in args]
        if isinstance(value, Closure):
            return self.closure_call(value, args, kwargs, node)
        if isinstance(value, Bound):
            return self.call(value.fn, [*value.args, *args], value.kwargs | kwargs, node)
        found = self.call_operator(fn, args, kwargs, node)
        if found is not None:
            return found
        special = lookup(HANDLERS, value)
        if special is not None:
            return special(self, args, kwargs, node)
        if value is print or found_in(value, _TEXTS):
            return self.opaque(fn, args, kwargs)
        if value in (float, complex) and args and args[0].type == Object(str):
            self.refuse_text(args[0])
        if args and is_unbound_method(value, args[0].type):
            return self.method(self.present(args[0]), value.__name__, args[1:], kwargs, node)
        canonical = self.canonical(value)
        args, kwargs = named_out(canonical, args, kwargs)
        has_own = own.has_rule(canonical)
        if has_own and not is_primitive(canonical):
            return self.by_own_rule(fn, args, kwargs)
        if found_in(canonical, REFUSED) and not has_own:
            if any(a.varied for a in [*args, *kwargs.values()]):
                raise NoDerivativeError(
                    f"`{name_of(value)}` cannot be differentiated",
                    self.frame.source.origin(node),
                    REFUSED[canonical],
                )
        written_out = None if self.gradient_only else lookup(WRITTEN_OUT, canonical)
        if written_out is not None and any(a.varied for a in [*args, *kwargs.values()]):
            return self.call(constant(written_out), args, kwargs, node)
        changed = mutation(self, canonical, value, args, kwargs, node)
        if changed is not None:
            return changed
        if value is np.absolute and len(args) == 1 and args[0].type == FLOAT and not kwargs:
            # Python's abs, which has its rule, gives a number of Python's; this is one of NumPy's.
            return self.op(value, args[0], type=Array(np.dtype(float), ()))
        if has_own or is_primitive(canonical):
            return self.primitive(canonical, args, kwargs)
        if found_in(canonical, _PURE_FUNCTIONS):
            return self.primitive(canonical, args, kwargs)
        if getattr(value, "__adjoint_static__", False):
            return self.op(value, *args, **kwargs)  # type: ignore[arg-type]
        if isinstance(value, types.FunctionType):
            return self.python_function(fn, value, args, kwargs, node)
        if isinstance(value, functools.partial):
            inner = Const(value.func, Object(type(value.func)), None)
            bound = [self.wrap(a) for a in value.args]
            held = value.keywords  # a dict, which may be changed
            named = {k: self.external(a, External("global", held, k), k) for k, a in held.items()}
            return self.call(inner, bound + args, named | kwargs, node)
        if isinstance(value, types.MethodType) and isinstance(value.__func__, types.FunctionType):
            inner = Const(value.__func__, Object(types.FunctionType), None)
            return self.call(inner, [self.wrap(value.__self__, "self"), *args], kwargs, node)
        if isinstance(value, functools._lru_cache_wrapper):  # which does not change values
            inner = Const(value.__wrapped__, Object(type(value.__wrapped__)), None)
            return self.call(inner, args, kwargs, node)
        if is_array_method(value):
            owner = self.wrap(value.__self__, "array")
            return self.method(owner, value.__name__, args, kwargs, node)
        if isinstance(value, type):
            return self.construct(fn, value, args, kwargs, node)
        if is_callable_object(value):
            call = type(value).__call__
            self.guards.append(Guard(External("module", type(value), "__call__"), "identity", call))
            return self.call(
                Const(value.__call__, Object(types.MethodType), fn.path), args, kwargs, node
            )
        return self.opaque(fn, args, kwargs)

    @staticmethod
    def canonical(value: Any) -> Any:
        """The NumPy function that a function of CuPy, or a builtin, stands for."""
        found = lookup(ALIASES, value)
        if found is not None:
            return found
        module = getattr(value, "__module__", None) or type(value).__module__
        if str(module).split(".")[0] == "cupy" and hasattr(value, "__name__"):
            return getattr(np, value.__name__, value)
        if isinstance(value, types.MethodDescriptorType) and value.__objclass__ is np.ndarray:
            return METHODS.get(value.__name__, value)
        return value

    def wrap(self, value: Any, name: str = "bound") -> Atom:
        """A value found inside a callable (a bound argument) as an atom."""
        if isinstance(value, (bool, int, float, complex, str, type(None))):
            return constant(value)
        return self.external(value, External("value", value, name), name)

    def primitive(self, fn: Any, args: list[Atom], kwargs: dict[str, Atom]) -> Atom:
        if any(isinstance(a, Const) and isinstance(a.value, Known) for a in args):
            raise UnsupportedSyntaxError(
                f"a function or a generator is given to `{name_of(fn)}`", self.b.origin,
                "Give it numbers, arrays or lists.",
            )  # fmt: skip
        if is_random(fn):
            return self.random_call(fn, args, kwargs)
        return self.op(fn, *args, **kwargs)  # type: ignore[arg-type]

    def random_call(self, fn: Any, args: list[Atom], kwargs: dict[str, Atom]) -> Atom:
        """A draw: typed by a draw from another generator, and made anew at each call."""
        twin = getattr(np.random.RandomState(0), fn.__name__, None)
        t = UNKNOWN if twin is None else result_type(twin, args, kwargs, self.b.symbols)
        return self.op(fn, *args, type=t, **kwargs)  # type: ignore[arg-type]

    def opaque(
        self,
        fn: Atom,
        args: list[Atom],
        kwargs: dict[str, Atom],
        t: Type = UNKNOWN,
        has_rule: bool = False,
    ) -> Atom:
        """A call that the compiler does not look into; `t` is the type of its result.

        `has_rule`: its derivative is known, so that it does not keep what it is given.
        """
        given = [a for a in [*args, *kwargs.values()] if isinstance(a, Const)]
        if any(isinstance(a.value, Known) for a in given):
            name = name_of(fn.value) if isinstance(fn, Const) else "this function"
            what = "an object" if any(map(is_instance, given)) else "a function"
            raise UnsupportedSyntaxError(
                f"{what} that is defined inside is given to `{name}`", self.b.origin,
                "Write a loop, or define it outside."
                if what == "a function"
                else "Give it the numbers and arrays that the object holds.",
            )  # fmt: skip
        present = [self.read(fn), *(self.read(a) for a in args)]
        options = {k: self.read(a) for k, a in kwargs.items()}
        value = fn.value if isinstance(fn, Const) else None
        if value is print:
            t = NONE
        elif found_in(value, _TEXTS):
            t = Object(str)
        keeps = not (has_rule or value is print or found_in(value, _TEXTS) or is_pure(fn))
        if keeps and t == UNKNOWN:
            self.check_not_given_away("the result of this call")
        target = Var("result", t)
        target.varied = any(a.varied for a in [*args, *kwargs.values()]) and carries_derivative(t)
        self.b.emit(core.Op(target, core.CALL, present, options, "", self.b.origin))
        if not keeps and t == UNKNOWN:  # it may be a view of what was given
            self.note_aliases(core.CALL, [*args, *kwargs.values()], target)
        if keeps:
            self.forget_outside(name_of(value))
        if keeps and not self.silent and any(a.varied for a in [*args, *kwargs.values()]):
            made = self.b.definition(fn, core.ATTRIBUTE)
            name = made.args[1].value if made is not None else name_of(value)  # type: ignore[union-attr]
            self.given_away = str(name)
        if keeps or value is None and t == UNKNOWN:
            self._touched(fn, args, kwargs, target)
        return self.quiet(target) if t != NONE else constant(None)

    def by_own_rule(self, fn: Const, args: list[Atom], kwargs: dict[str, Atom]) -> Atom:
        """A call of a function whose derivative a user has given: it is called as it is."""
        t = self.type_of_call(fn.value, args, kwargs)
        result = self.opaque(fn, args, kwargs, t, has_rule=True)
        if isinstance(result, Var):
            self.note_aliases(core.CALL, [*args, *kwargs.values()], result)
        return result

    def type_of_call(self, value: Any, args: list[Atom], kwargs: dict[str, Atom]) -> Type:
        """What a function returns, without calling it: its body is interpreted, and dropped."""
        if not isinstance(value, types.FunctionType):
            return UNKNOWN
        if (value.__module__ or "").split(".")[0] == "scipy":
            return result_type(value, args, kwargs, self.b.symbols)
        if value in self.typing or len(self.frames) > DEEPEST:
            return UNKNOWN
        before, guards, attributes = self.snapshot(), list(self.guards), dict(self.attributes)
        depth, silent, rewritten = len(self.frames), self.silent, set(self.rewritten)
        origin, given_away = self.b.origin, self.given_away
        externals = [(f, dict(f.externals)) for f in self.frames]
        self.typing.append(value)
        try:
            source = parse_function(value)
            defaults = self.defaults_of(value, source)
            with self.b.inside(Block()):
                node = self.frame.source.node
                made = self.invoke(source, None, defaults, args, kwargs, node, value)
                return self.read(made).type
        except (AdjointError, Recursive):
            return UNKNOWN
        finally:
            self.typing.pop()
            del self.frames[depth:]
            self.restore(before)
            self.guards[:], self.attributes = guards, attributes
            self.silent, self.rewritten = silent, rewritten
            self.b.origin, self.given_away = origin, given_away
            for frame, known in externals:
                frame.externals = known

    def _touched(self, fn: Atom, args: list[Atom], kwargs: dict[str, Atom], result: Var) -> None:
        """What a call of an unknown function does to arrays: it may change constant ones."""
        for atom in [*args, *kwargs.values()]:
            if not is_shared(atom) or not isinstance(atom.type, Array):
                continue
            if not atom.varied:
                self.touch(atom, result)
            elif (
                isinstance(fn, Var)
                and fn.name in _CHANGING
                or (isinstance(fn, Const) and getattr(fn.value, "__name__", "") in _CHANGING)
            ):
                raise UnsupportedSyntaxError(
                    "an array that varies is changed by a function without a derivative",
                    self.b.origin,
                    "Index it: x = x[rng.permutation(len(x))].",
                )

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
            fields = getattr(cls, "_field_defaults", {})
            fields = {k: self.wrap(v, k) for k, v in fields.items()}
            fields = fields | dict(zip(cls._fields, args)) | kwargs
            items = [fields[f] for f in cls._fields if f in fields]
            if len(items) == len(cls._fields):
                if is_more_than_a_tuple(Tuple((), cls)):
                    raise self.refuse("a named tuple with operators of its own is made", node)
                return self.op(
                    core.TUPLE, *items, cls=Const(cls, Object(type), fn.path, fn.external)
                )
        if issubclass(cls, BaseException):
            present = [fn, *(self.read(a) for a in args)]
            return self.b.op(core.PURE_CALL, *present, type=Object(cls), name="error")
        if can_be_replaced(cls):
            return self._instance_or_object(fn, cls, args, kwargs, node)
        if issubclass(cls, np.generic) and len(args) == 1 and not kwargs:
            dtype = constant(np.dtype(cls))
            if is_number(args[0].type):
                return self.op(np.asarray, args[0], dtype=dtype)
        return self.opaque(fn, args, kwargs)

    def _instance_or_object(
        self, fn: Const, cls: type, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        """An object of the user's class: its attributes as variables, or else as it is."""
        before, depth, guards = self.snapshot(), len(self.frames), list(self.guards)
        block = Block()
        try:
            with self.b.inside(block):
                made = self.construct_instance(cls, args, kwargs, node)
        except AdjointError:
            if any(a.varied or is_static(a) for a in [*args, *kwargs.values()]):
                raise
            del self.frames[depth:]
            self.restore(before)
            self.guards[:] = guards
            self.at(node)
            return self.opaque(fn, args, kwargs)
        self.b.block.stmts += block.stmts
        return made

    def defaults_of(self, value: types.FunctionType, source: Source) -> dict[str, Atom]:
        """The defaults of a function whose text is used; that it stays the same is guarded."""
        self.guard_code(value)
        found: dict[str, Atom] = {}
        keywords = value.__kwdefaults__ or {}
        for name, default in source.defaults.items():
            if name in keywords:
                where = External("global", keywords, name)
                found[name] = self.external(default, where, name)
            else:
                found[name] = self.wrap(default)
        for attribute in ("__defaults__", "__kwdefaults__"):
            held = getattr(value, attribute)
            if held is not None:
                where = External("weak", weakref.ref(value), attribute)
                self.guards.append(Guard(where, "identity", held))
        return found

    def guard_code(self, value: types.FunctionType) -> None:
        """A function may be given other code, as tools that reload modules do."""
        where = External("weak", weakref.ref(value), "__code__")
        self.guards.append(Guard(where, "identity", value.__code__))

    def python_function(
        self, fn: Const, value: Any, args: list[Atom], kwargs: dict[str, Atom], node: Any
    ) -> Atom:
        if getattr(value, "__adjoint_constant__", False):
            return self.constant_call(fn, args, kwargs)
        varied = any(a.varied or is_instance(a) for a in [*args, *kwargs.values()])
        module = (value.__module__ or "").split(".")[0]
        if module in ("numpy", "cupy"):
            return self.opaque(fn, args, kwargs)
        try:
            source = parse_function(value, generators=True)
        except SourceUnavailableError:
            return self.opaque(fn, args, kwargs)
        except UnsupportedSyntaxError:
            if varied:
                raise
            return self.opaque(fn, args, kwargs)
        defaults = self.defaults_of(value, source)
        if varied or getattr(value, "__adjoint_inline__", False):
            identity = self.identity_of_method(value, args)
            return self.invoke(source, None, defaults, args, kwargs, node, identity)
        return self._inactive_call(fn, source, defaults, args, kwargs, node, value)

    def constant_call(self, fn: Const, args: list[Atom], kwargs: dict[str, Atom]) -> Atom:
        """A call that is made each time, and that no derivative goes through (see `constant`)."""
        t = result_type(fn.value, args, kwargs, self.b.symbols)
        still = [self.stopped(a) for a in args]
        options = {k: self.stopped(a) for k, a in kwargs.items()}
        return self.opaque(fn, still, options, t, has_rule=True)

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
            given = [*args, *kwargs.values()]
            if any(map(is_shared, given)) or any(_stores(n) for n in gast.walk(source.node)):
                raise  # it may change what it is given
            self.at(node)
            return self.opaque(fn, args, kwargs)
        self.b.block.stmts += block.stmts
        return result


def _stores(node: Any) -> bool:
    if isinstance(node, gast.AugAssign):
        return True
    return isinstance(node, (gast.Subscript, gast.Attribute)) and isinstance(node.ctx, gast.Store)
