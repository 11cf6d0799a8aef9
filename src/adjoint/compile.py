"""Text -> function, and the cache of compiled derivatives by argument types.

Two levels: the exact sizes of the arguments, which are quick to look up, and behind them the
pattern of sizes for which the code was made, so that a new batch size compiles nothing.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import linecache
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .emit import Emitted
from .errors import ArgumentError
from .lower.expressions import _is_static
from .lower.function import Argument
from .lower.guards import Guard
from .pipeline import Request, derive
from .signature import signature_of
from .types import Array, Scalar, Symbols, Type, freeze, is_container, type_of

_MOST_SIGNATURES = 512  # exact signatures kept for one function
_MOST_PATTERNS = 128  # compiled forms kept for one function
_numbers = itertools.count(1)


@dataclass(eq=False)
class Compiled:
    """A derivative for one pattern of argument types."""

    run: Callable[..., Any]
    emitted: Emitted
    guards: list[tuple[Guard, Any]]
    live: list[tuple[Any, Any]]  # cells of the code, and where their values are read
    filename: str
    backward: Callable[..., Any]  # of a pair for vjp: the function before `run`

    def is_current(self) -> bool:
        """Whether what was assumed of values outside still holds; refreshes those read anew."""
        for guard, expected in self.guards:
            try:
                value = guard.where.read()
            except (KeyError, AttributeError, ValueError):
                return False
            if guard.kind == "identity":
                if value is not expected:
                    return False
            elif guard.kind == "value":
                if type(value) is not type(expected) or value != expected:
                    return False
            elif signature_of(value) != expected:
                return False
        for cell, where in self.live:
            cell.cell_contents = where.read()
        return True


class Compiler:
    """Compiles one derivative of one function, once for each pattern of argument types."""

    def __init__(self, fn: Any, request: Callable[[tuple[str, ...]], Request], select: Any) -> None:
        self.fn = fn
        self.request = request
        self.select = select  # bound arguments -> the names to differentiate by
        self.signature = _signature(fn)
        self.parameters = tuple(self.signature.parameters.values())
        self.plain = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in self.parameters)
        self.arity = len(self.parameters)
        self.exact: OrderedDict[Any, Compiled] = OrderedDict()
        self.patterns: OrderedDict[Any, Compiled] = OrderedDict()
        self.lock = threading.RLock()
        self.latest: Compiled | None = None

    def find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Compiled, list[Any]]:
        """The compiled derivative for these arguments, and the arguments in its order."""
        bound, given = self.bind(args, kwargs)
        values = list(bound.values())
        key = tuple(
            (signature_of(v), name in given) for name, v in bound.items()
        )
        compiled = self.exact.get(key)
        if compiled is None or ((compiled.guards or compiled.live) and not compiled.is_current()):
            compiled = self._compile(bound, given, key)
        return compiled, values

    def bind(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[dict[str, Any], frozenset[str]]:
        """Arguments by parameter name, and which of them the caller gave."""
        bound = self.signature.bind(*args, **kwargs)
        given = frozenset(bound.arguments)
        bound.apply_defaults()
        return dict(bound.arguments), given

    def _compile(self, bound: dict[str, Any], given: frozenset[str], key: Any) -> Compiled:
        with self.lock:
            found = self.exact.get(key)
            if found is not None and found.is_current():
                return found
            wrt = self.select(bound)
            symbols = Symbols()
            arguments = [
                self._argument(name, value, name in wrt, name in given, symbols)
                for name, value in bound.items()
            ]
            pattern = tuple(
                (a.type, freeze(a.value) if a.literal else None)
                for a in arguments
            )
            compiled = self.patterns.get(pattern)
            if compiled is None or not compiled.is_current():
                compiled = self.make(arguments, wrt, symbols)
                self.patterns[pattern] = compiled
                while len(self.patterns) > _MOST_PATTERNS:
                    self.patterns.popitem(last=False)
            self.exact[key] = compiled
            while len(self.exact) > _MOST_SIGNATURES:
                self.exact.popitem(last=False)
            self.latest = compiled
            return compiled

    def _argument(
        self, name: str, value: Any, wrt: bool, given: bool, symbols: Symbols
    ) -> Argument:
        if wrt:
            check_differentiable(value, name)
        t = type_of(value, symbols, promote=wrt)
        default = not given and isinstance(value, (int, float))
        literal = not wrt and (default or _is_static(value))
        return Argument(name, t, wrt, literal, value if literal else None)

    def make(self, arguments: list[Argument], wrt: tuple[str, ...], symbols: Symbols) -> Compiled:
        text = ", ".join(_parameter_texts(self.parameters))
        derivative = derive(self.fn, arguments, self.request(wrt), symbols, text)
        return build(derivative.emitted, derivative.guards, self.fn)


def check_differentiable(value: Any, name: str) -> None:
    """Refuse an argument that no derivative can be taken by."""
    t = type_of(value, Symbols(), promote=True)
    problem = _problem(t)
    if problem is not None:
        raise ArgumentError(
            f"the argument `{name}` is {problem}, and cannot be differentiated by",
            None,
            "Give a float, an array of floats, or a list, tuple or dict of those"
            + ("; convert it with x.astype(float)." if "dtype" in problem else "."),
        )


def _problem(t: Type) -> str | None:
    if isinstance(t, Array):
        return None if t.element.kind in "fc" else f"an array of dtype {t.element}"
    if isinstance(t, Scalar):
        return None if t.kind in ("float", "complex") else f"a {t.kind}"
    if is_container(t):
        for part in t.items or ():  # type: ignore[attr-defined]
            if isinstance(part, Array) and part.element.kind in "iu":
                return f"a container that holds an array of dtype {part.element}"
        return None
    cls = getattr(t, "cls", None)
    return "None" if cls is type(None) else f"a {getattr(cls, '__name__', t)}"


def _signature(fn: Any) -> inspect.Signature:
    try:
        signature = inspect.signature(fn)
    except (TypeError, ValueError):
        positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
        count = getattr(fn, "nin", 1)
        return inspect.Signature([inspect.Parameter(f"x{i}", positional) for i in range(count)])
    return signature


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
    tree = ast.parse(emitted.text, filename)
    names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    bindings = list(emitted.bindings)
    outer = ast.parse(f"def make({', '.join(bindings)}):\n    return {', '.join(names)},").body[0]
    assert isinstance(outer, ast.FunctionDef)
    outer.body[:0] = tree.body
    scope: dict[str, Any] = {}
    globals_ = getattr(fn, "__globals__", {"__builtins__": __builtins__})
    exec(compile(ast.Module([outer], []), filename, "exec"), globals_, scope)
    made = scope["make"](*emitted.bindings.values())
    cells = {}
    for function in made:
        for cell_name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            cells[cell_name] = cell
    live = [(cells[n], where) for n, where in emitted.live.items() if n in cells]
    expected = [(g, g.expected()) for g in guards]
    return Compiled(made[-1], emitted, expected, live, filename, made[-2 if len(made) > 1 else -1])


