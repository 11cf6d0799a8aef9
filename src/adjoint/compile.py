"""Text -> function, and the cache of compiled derivatives by argument types.

Two levels: the exact sizes of the arguments, which are quick to look up, and behind them the
pattern of sizes for which the code was made, so that a new batch size compiles nothing.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import linecache
import types as python_types
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from . import anomaly, forms
from .core import External
from .differentiable import check_parts, check_type, is_exact
from .errors import AliasingError, Origin, UnsupportedSyntaxError
from .frames import MANY, room_for
from .kept import reference
from .locking import compiling
from .request import Argument, Request
from .rules import RULES, own
from .rules.builtins_ import ALIASES
from .runtime.generic import rebuild
from .runtime.shared_parts import held_beside, parts_within
from .runtime.structs import is_struct
from .signature import hidden_methods, is_fixed, is_same, signature_of
from .spec import callable_signature
from .struct_matcher import struct_matcher
from .types import Dict, Struct, Symbols, Tuple, Type, freeze, join_all, type_of

if TYPE_CHECKING:
    from .emit import Emitted
    from .lower.guards import Guard

_MOST_SIGNATURES = 512  # exact signatures kept for one function
_MOST_PATTERNS = 128  # compiled forms kept for one function
_numbers = itertools.count(1)


@dataclass(eq=False)
class Compiled:
    """A derivative for one pattern of argument types."""

    run: Callable[..., Any]
    emitted: Emitted
    is_current: Assumptions | None  # None: nothing outside is assumed
    filename: str
    backward: Callable[..., Any]  # of a pair for vjp: the function before `run`
    changes: frozenset[str] = frozenset()  # arguments that the function may change in place
    version: int = -1  # of the table of the user's rules that it was made under
    recorded: bool = False  # the recorded form, which takes care of its arguments itself
    refusal: Exception | None = None  # why it is in the recorded form

    def check_apart(self, bound: dict[str, Any], fn: Any) -> None:
        """Refuse what shares memory with an argument that is changed in place."""
        name = getattr(fn, "__name__", "the function")
        found = [
            (n, one)
            for n, value in bound.items()
            for one in (*mutables_in(value), *mutables_beside(value))
        ]
        for position, (n, one) in enumerate(found):
            for m, other in found[:position]:
                if (n in self.changes or m in self.changes) and overlap(one, other):
                    changed = n if n in self.changes else m
                    raise AliasingError(
                        f"`{name}` changes its argument `{changed}` in place, but "
                        + (f"`{m}` and `{n}` share memory" if m != n else "its parts share memory"),
                        None,
                        "Pass copies.",
                    )
        check_outside((one for n, one in found if n in self.changes), fn)


def check_outside(changed: Iterable[Any], fn: Any) -> None:
    """Refuse an argument that is changed, and that the function has by a name outside as well."""
    changed = list(changed)
    if changed and any(overlap(one, other) for other in _named_outside(fn) for one in changed):
        raise AliasingError(
            f"`{getattr(fn, '__name__', 'the function')}` changes an argument in place that it has "
            "outside as well", None, "Pass a copy.",
        )  # fmt: skip


def _named_outside(fn: Any) -> Iterator[Any]:
    """The arrays, lists and dicts that a function names, of its module and of functions around."""
    fn = inspect.unwrap(getattr(fn, "__func__", fn))
    if not isinstance(fn, python_types.FunctionType):
        return
    for cell in fn.__closure__ or ():
        with suppress(ValueError):  # it is empty
            yield from mutables_in(cell.cell_contents)
    todo = [fn.__code__]
    while todo:
        code = todo.pop()
        todo += [c for c in code.co_consts if isinstance(c, python_types.CodeType)]
        for name in code.co_names:
            yield from mutables_in(fn.__globals__.get(name))


def mutables_in(value: Any) -> Iterator[Any]:
    """The arrays, lists and dicts in a value, itself among them."""
    if isinstance(value, (list, dict)):
        yield value
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from mutables_in(part)
    elif is_struct(value.__class__):
        # Tied weights are one array: that it is at two places is known.
        once = {id(part): part for part in _attributes_within(value)}
        for part in once.values():
            yield from mutables_in(part)
    elif isinstance(value, np.ndarray):
        yield value


def mutables_beside(value: Any, depth: int = 3) -> Iterator[Any]:
    """The same for the attributes of an object, and of objects that it has."""
    if is_struct(value.__class__) or isinstance(value, _NO_OBJECTS):
        return
    for part in getattr(value, "__dict__", {}).values():
        yield from mutables_in(part)
        if depth > 0:
            yield from mutables_beside(part, depth - 1)


_NO_OBJECTS = (type, python_types.FunctionType, python_types.ModuleType)


def overlap(a: Any, b: Any) -> bool:
    """Whether a change of one array, list or dict may be seen in another."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.may_share_memory(a, b)
    return a is b


def _attributes_within(value: Any) -> Iterator[Any]:
    """The attributes of an object with parts and of all parts in it: arrays and containers."""
    for _, part in parts_within(value):
        if is_struct(part.__class__):
            children = part.__tree_flatten__()
            for name, attribute in part.__dict__.items():
                if not (name in children and is_struct(attribute.__class__)):
                    yield attribute
        else:
            yield part


class Assumptions:
    """What compiled code assumes of values outside, as one function made for it.

    `conditions` are the same as expressions over the names in `known`, to be checked along with
    the arguments; None where values have to be fetched as well.
    """

    def __init__(
        self, check: Callable[[], bool], conditions: list[str] | None, known: dict[str, Any]
    ) -> None:
        self.check, self.conditions, self.known = check, conditions, known

    def __call__(self) -> bool:
        return self.check()


def is_current(compiled: Compiled) -> bool:
    """Whether what was assumed of values outside still holds; refreshes those read anew."""
    if compiled.version != own.version:
        return False
    return compiled.is_current is None or compiled.is_current()


class Compiler:
    """Compiles one derivative of one function, once for each pattern of argument types."""

    def __init__(
        self,
        fn: Any,
        request: Callable[[tuple[str, ...]], Request],
        select: Any,
        *,
        promote: bool = True,
        weakly: bool = False,
    ) -> None:
        # `weakly`: who asks for a derivative has the function in hand; here it is not kept alive.
        self._fn = reference(fn) if weakly else lambda: fn
        self.promote = promote  # ints that are differentiated by count as floats
        self.request = request
        self.select = select  # (bound arguments, those given) -> the names to differentiate by
        self._read_signature()
        self.exact: OrderedDict[Any, Compiled] = OrderedDict()
        self.patterns: OrderedDict[Any, Compiled] = OrderedDict()
        self.latest: Compiled | None = None

    @property
    def fn(self) -> Any:
        """The function; None where it is gone."""
        return self._fn()

    def _read_signature(self) -> None:
        self._defaults = _defaults_of(self.fn)
        self.signature = callable_signature(self.fn)
        self.parameters = tuple(self.signature.parameters.values())
        self.options = _options(self.fn, self.parameters)
        self.plain = not self.options and all(
            p.kind is p.POSITIONAL_OR_KEYWORD for p in self.parameters
        )
        self.arity = len(self.parameters)

    def find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Compiled, list[Any]]:
        """The compiled derivative for these arguments, and the arguments in its order."""
        bound, given = self.bind(args, kwargs)
        values = list(bound.values())
        key: Any = (
            forms.allowed, anomaly.checks(),
            *((signature_of(v), name in given) for name, v in bound.items()),
        )  # fmt: skip
        if self.options:
            key = key, *[freeze(v) for n, v in bound.items() if self._is_by_value(n, v)]
        compiled = self.exact.get(key)
        if compiled is None or not is_current(compiled):
            compiled = self._compile(bound, given, key)
        return compiled, values

    def bind(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[dict[str, Any], frozenset[str]]:
        """Arguments by parameter name, and which of them the caller gave."""
        if not _are_same(self._defaults, _defaults_of(self.fn)):
            self._read_signature()
            self.exact.clear()
        bound = self.signature.bind(*args, **kwargs)
        given = frozenset(bound.arguments)
        bound.apply_defaults()
        return dict(bound.arguments), given

    def _compile(self, bound: dict[str, Any], given: frozenset[str], key: Any) -> Compiled:
        with compiling(), room_for(MANY):
            found = self.exact.get(key)
            if found is not None and is_current(found):
                return found
            for value in bound.values():
                check_parts(value)
            wrt = self.select(bound, given)
            symbols = Symbols()
            arguments = [
                self._argument(name, value, name in wrt, name in given, symbols)
                for name, value in bound.items()
            ]
            refusal = _held_in_other_attributes(bound)
            pattern = (
                forms.allowed,
                anomaly.checks(),
                refusal is None,
                *((a.type, a.wrt, a.given, a.literal and freeze(a.value)) for a in arguments),
            )
            compiled = self.patterns.get(pattern)
            if compiled is None or not is_current(compiled):
                if refusal is None:
                    compiled = self.make(arguments, wrt, symbols)
                elif forms.serves_after(refusal):
                    compiled = self._recorded(wrt, refusal, own.version)
                else:
                    raise refusal
                self.patterns[pattern] = compiled
                while len(self.patterns) > _MOST_PATTERNS:
                    self.patterns.popitem(last=False)
            if self.promote and any(_holds_ints(bound[name]) for name in wrt):
                compiled = self._with_floats(compiled, wrt)
            self.exact[key] = compiled
            while len(self.exact) > _MOST_SIGNATURES:
                self.exact.popitem(last=False)
            self.latest = compiled
            return compiled

    def _with_floats(self, compiled: Compiled, wrt: tuple[str, ...]) -> Compiled:
        """The same code; gradients of ints, which count as floats, are made floats."""
        request, run, backward = self.request(wrt), compiled.run, compiled.backward

        def floats(*args: Any, **kwargs: Any) -> Any:
            result = run(*args, **kwargs)
            if request.mode == "value_and_grad":
                return result[0], _floats(result[1])
            if request.has_aux:
                return _floats(result[0]), result[1]
            return _floats(result)

        if request.mode == "vjp":
            return replace(compiled, backward=lambda *args: _floats(backward(*args)))
        return replace(compiled, run=floats)

    def _argument(
        self, name: str, value: Any, wrt: bool, given: bool, symbols: Symbols
    ) -> Argument:
        from .lower.expressions import _is_static

        promote = wrt and self.promote
        kind = self.signature.parameters[name].kind
        rest = kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        if promote and not rest:
            check_type(type_of(value, Symbols(), promote=True), name)
        t = (_type_of_rest if rest else type_of)(value, symbols, promote=promote)
        hidden = hidden_methods(value)
        if hidden and type(value).__module__ != "builtins" and not isinstance(t, Struct):
            raise UnsupportedSyntaxError(
                f"an attribute of `{name}` itself hides the method `{hidden[0]}` of its class",
                None,
                "Bind the object to a global name, or put the function into its class.",
            )
        default = not given and isinstance(value, (int, float))
        literal = not wrt and (default or _is_static(value) or self._is_by_value(name, value))
        return Argument(name, t, wrt, literal, value if literal else None, given, kind)

    def _is_by_value(self, name: str, value: Any) -> bool:
        """Whether an option is compiled in: an axis decides which shapes there are."""
        if isinstance(value, tuple):
            return name in self.options and all(type(v) is int for v in value)
        return name in self.options and type(value) is int

    def make(self, arguments: list[Argument], wrt: tuple[str, ...], symbols: Symbols) -> Compiled:
        fn = self.fn
        text = ", ".join(_parameter_texts(self.parameters))
        # Imported late: `import adjoint` is quick, and a program may only define functions.
        from .pipeline import derive

        version = own.version
        try:
            # The passes walk expressions by recursion, and a sum may have thousands of terms.
            with room_for(MANY):
                if "typed" not in forms.allowed:
                    return self._recorded(wrt, None, version)
                derivative = derive(fn, arguments, self.request(wrt), symbols, text)
        except RecursionError:
            raise _too_deep(fn, "its expressions or calls are nested too deeply") from None
        except Exception as error:
            if not forms.serves_after(error):
                raise
            return self._recorded(wrt, error, version)
        compiled = build(derivative.emitted, derivative.guards, fn)
        if derivative.recursive:
            compiled = with_room(compiled)
        compiled.changes, compiled.version = derivative.changes, version
        return compiled

    def _recorded(self, wrt: tuple[str, ...], refusal: Exception | None, version: int) -> Compiled:
        from .recorded.compiled import recorded_form

        made = recorded_form(self.fn, self.signature, self.request(wrt), refusal)
        return replace(made, version=version)


def _held_in_other_attributes(bound: dict[str, Any]) -> UnsupportedSyntaxError | None:
    """The refusal of an object of which a part is read through a list, say, as well."""
    for name, value in bound.items():
        beside = held_beside(value)
        if beside is not None:
            return UnsupportedSyntaxError(
                f"the attribute `{beside}` of `{name}` holds a part of it", None,
                "Read the part where it is an attribute itself.",
            )  # fmt: skip
    return None


def _options(fn: Any, parameters: tuple[inspect.Parameter, ...]) -> frozenset[str]:
    """The parameters of a function with rules, such as np.sum, that no rule differentiates by."""
    try:
        found = RULES.get(ALIASES.get(fn, fn))
    except TypeError:
        return frozenset()
    if not found:
        return frozenset()
    inputs = {name for rule in found for name in rule.differentiable}
    first = {rule.params[0].name for rule in found if rule.params}
    places = {p.name: i for i, p in enumerate(parameters)}
    taken = {p.name for rule in found for p in rule.params}
    return frozenset(n for n in taken - inputs - first if n in places)


def _holder_of_defaults(fn: Any) -> Any:
    """The function whose defaults a callable has."""
    while not isinstance(fn, python_types.FunctionType):
        inner = getattr(fn, "__func__", None) or getattr(fn, "func", None)
        inner = inner or getattr(type(fn), "__call__", None)  # noqa: B004
        if inner is None or inner is fn or not callable(inner):
            return None
        if not isinstance(inner, (python_types.FunctionType, python_types.MethodType)):
            if not hasattr(inner, "func"):
                return None
        fn = inner
    return inspect.unwrap(fn)


def _defaults_of(fn: Any) -> tuple[Any, dict[str, Any]]:
    """What tells that a function has other defaults than before."""
    holder = _holder_of_defaults(fn)
    if holder is None:
        return None, {}
    return holder.__defaults__, dict(getattr(holder, "__kwdefaults__", None) or {})


def _are_same(before: tuple[Any, dict[str, Any]], now: tuple[Any, dict[str, Any]]) -> bool:
    return (
        before[0] is now[0]
        and before[1].keys() == now[1].keys()
        and all(value is now[1][name] for name, value in before[1].items())
    )


def _type_of_rest(value: Any, symbols: Symbols, *, promote: bool) -> Type:
    """The type of what `*args` or `**kwargs` took: each item is an argument of its own."""
    items = value.values() if isinstance(value, dict) else value
    alone = is_exact(value)  # beside a float argument, an int is a count
    types = tuple(
        type_of(v, symbols, promote=promote and (alone or not is_exact(v))) for v in items
    )
    if isinstance(value, dict):
        return Dict(join_all(types, symbols), tuple(value), types)
    return Tuple(types)


def _holds_ints(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_ints, value))
    if isinstance(value, dict):
        return any(map(_holds_ints, value.values()))
    return isinstance(value, int)


def _floats(gradient: Any) -> Any:
    if isinstance(gradient, dict):
        return {k: _floats(v) for k, v in gradient.items()}
    if isinstance(gradient, (list, tuple)):
        return rebuild(gradient, list(map(_floats, gradient)))
    return float(gradient) if isinstance(gradient, (int, np.integer)) else gradient


def _parameter_texts(parameters: tuple[inspect.Parameter, ...]) -> list[str]:
    """The parameters as they are written in a `def`, without annotations and defaults."""
    texts = []
    starred = False
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not starred:
            texts.append("*")
            starred = True
        if p.kind is p.VAR_POSITIONAL:
            texts.append(f"*{p.name}")
            starred = True
        elif p.kind is p.VAR_KEYWORD:
            texts.append(f"**{p.name}")
        else:
            texts.append(p.name)
    return texts


def build(emitted: Emitted, guards: list[Guard], fn: Any) -> Compiled:
    """Compile the text; tracebacks and debuggers show it as a file of its own.

    The functions are nested in one that takes their bindings, so that they live in the user's own
    globals, and nothing is added there.
    """
    name = getattr(fn, "__name__", "function").strip("<>")
    filename = f"<adjoint of {name} #{next(_numbers)}>"
    lines = emitted.text.splitlines(keepends=True)
    linecache.cache[filename] = (len(emitted.text), None, lines, filename)
    try:
        tree = ast.parse(emitted.text, filename)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise _beyond_python(fn, error) from None
    names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    bindings = list(emitted.bindings)
    outer = ast.parse(f"def make({', '.join(bindings)}):\n    return {', '.join(names)},").body[0]
    assert isinstance(outer, ast.FunctionDef)
    outer.body[:0] = tree.body
    scope: dict[str, Any] = {}
    globals_ = getattr(fn, "__globals__", {"__builtins__": __builtins__})
    try:
        code = compile(ast.Module([outer], []), filename, "exec")
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise _beyond_python(fn, error) from None
    exec(code, globals_, scope)
    made = scope["make"](*emitted.bindings.values())
    # The text is shown as long as the function can be run.
    weakref.finalize(made[-1], linecache.cache.pop, filename, None).atexit = False
    cells = {}
    for function in made:
        for cell_name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            cells[cell_name] = cell
    live = [(cells[n], where) for n, where in emitted.live.items() if n in cells]
    check = checker(guards, live)
    return Compiled(made[-1], emitted, check, filename, made[-2 if len(made) > 1 else -1])


def _beyond_python(fn: Any, error: Exception) -> Exception:
    """A refusal where Python's own limits are met: 20 loops, 100 levels, its parser's stack."""
    if isinstance(error, SyntaxError) and "too many" not in str(error):
        return error
    return _too_deep(fn, str(error) or type(error).__name__)


def _too_deep(fn: Any, why: str) -> UnsupportedSyntaxError:
    name = getattr(fn, "__name__", "the function")
    code = getattr(fn, "__code__", None)
    origin = None
    if code is not None:
        origin = Origin(code.co_filename, code.co_firstlineno, 0, 0, code.co_name)
    return UnsupportedSyntaxError(
        f"the derivative of `{name}` is nested too deeply for Python ({why})",
        origin,
        "Write it as a loop, or with fewer levels.",
    )


# What our own functions take between the user's call and theirs, with NumPy's at the leaves.
_OWN_FRAMES = 200


def with_room(compiled: Compiled) -> Compiled:
    """A derivative that calls itself: where the function fits on the stack, so must it."""

    def roomy(fn: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            with room_for(_OWN_FRAMES):
                return fn(*args, **kwargs)

        return run

    return replace(compiled, run=roomy(compiled.run), backward=roomy(compiled.backward))


def checker(guards: list[Guard], live: list[tuple[Any, External]]) -> Assumptions | None:
    """All assumptions in one check, made for them: it runs at every call."""
    if not guards and not live:
        return None
    known: dict[str, Any] = {"signature_of": signature_of}
    tests = []
    seen = set()
    for number, guard in enumerate(guards):
        place = (guard.kind, guard.where.kind, id(guard.where.holder), guard.where.name)
        if place in seen or guard.where.kind == "value":
            continue
        seen.add(place)
        known[f"h{number}"], known[f"v{number}"] = guard.where.holder, guard.expected()
        read = _reading(guard.where, f"h{number}")
        if guard.kind == "identity":
            tests.append(f"{read} is v{number}")
        elif guard.kind == "value":
            tests.append(f"{read} == v{number} and {read}.__class__ is v{number}.__class__")
        elif type(guard.value) in (int, float):
            known[f"v{number}"] = type(guard.value)
            tests.append(f"{read}.__class__ is v{number}")
        else:
            test = f"signature_of({read}) == v{number}"
            quick = None
            if is_struct(type(guard.value)):
                quick = struct_matcher(guard.value, is_fixed, is_same)
            if quick is not None:
                known[f"q{number}"] = quick
                test = f"(q{number}({read}) or {test})"
            tests.append(test)
    lines = ["def is_current():", "    try:"]
    lines.append(f"        if not ({' and '.join(tests) or True}):")
    lines.append("            return False")
    for number, (cell, where) in enumerate(live):
        known[f"c{number}"], known[f"w{number}"] = cell, where.holder
        lines.append(f"        c{number}.cell_contents = {_reading(where, f'w{number}')}")
    lines += ["    except (KeyError, AttributeError, ValueError):", "        return False"]
    lines.append("    return True")
    exec("\n".join(lines), known)
    return Assumptions(known["is_current"], None if live else tests, known)


def _reading(where: External, holder: str) -> str:
    """The expression that reads a value from outside, given the name of what holds it."""
    return {
        "global": f"{holder}[{where.name!r}]",
        "cell": f"{holder}.cell_contents",
        "module": f"{holder}.{where.name}",
        "weak": f"{holder}().{where.name}",
        "value": holder,
    }[where.kind]
