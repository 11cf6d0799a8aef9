"""Plain execution of a program: what its derivatives are compared with."""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import itertools
import linecache
import signal
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

_numbers = itertools.count()


class Timeout(BaseException):
    """A program took too long."""


@contextlib.contextmanager
def time_limit(seconds: float):
    """Raise Timeout after some seconds of work, where the platform has a timer."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> None:
        raise Timeout

    def tell(unraisable: Any) -> None:
        if unraisable.exc_type is not Timeout:
            told(unraisable)

    told, sys.unraisablehook = sys.unraisablehook, tell
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)  # again, if a finaliser has swallowed it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        sys.unraisablehook = told


class Replay:
    """Stands for `ad` in plain execution: constants stay what they were at the first run.

    So finite differences see what derivatives see: `stop_gradient(x)` does not change with x.
    """

    def __init__(self) -> None:
        self.record: list[Any] = []
        self.position: int | None = None

    def start(self) -> None:
        self.position = None if not self.record else 0

    def stop_gradient(self, x: Any) -> Any:
        if self.position is None:
            self.record.append(copy.deepcopy(x))
            return x
        value = copy.deepcopy(self.record[self.position % len(self.record)])
        self.position += 1
        return value

    def no_grad(self) -> Any:
        return contextlib.nullcontext()


_FOUND = (ast.Name, ast.Attribute, ast.Subscript)  # of containers, in these programs


class _NoGrad(ast.NodeTransformer):
    """Writes `with ad.no_grad(): v = e` as `v = ad.stop_gradient(e)`, where e is computed."""

    def visit_With(self, node: ast.With) -> Any:
        self.generic_visit(node)
        if ast.unparse(node.items[0].context_expr) != "ad.no_grad()":
            return node
        for stmt in node.body:
            if isinstance(stmt, ast.Assign) and not isinstance(stmt.value, _FOUND):
                stop = ast.parse("ad.stop_gradient", mode="eval").body
                stmt.value = ast.Call(stop, [stmt.value], [])
        return ast.fix_missing_locations(node)


def load(text: str, replay: Replay | None = None) -> dict[str, Any]:
    """Execute a program's text as a module whose source can be read."""
    name = f"<fuzz {next(_numbers)}>"
    lines = text.splitlines(keepends=True)
    linecache.cache[name] = (len(text), None, lines, name)
    module = types.ModuleType("fuzzed")
    tree = ast.parse(text)
    if replay is not None:
        tree = _NoGrad().visit(tree)
    sys.modules["fuzzed"] = module  # where `dataclasses` looks
    exec(compile(tree, name, "exec"), module.__dict__)
    if replay is not None:
        module.__dict__["ad"] = replay
    module.__dict__["_module"] = module
    module.__dict__["_file"] = name
    module.__dict__["_arrays"] = [
        (value, value.copy()) for value in parts(list(vars(module).values()))
    ]
    return module.__dict__


def parts(value: Any) -> list[np.ndarray]:
    """The arrays in a container."""
    if isinstance(value, (list, tuple)):
        return [array for v in value for array in parts(v)]
    return [value] if isinstance(value, np.ndarray) else []


@dataclass
class Ran:
    """A call: what it gave, what it left of its arguments, and what it printed."""

    value: Any
    args: tuple[Any, ...]
    printed: str


def run(fn: Callable[..., Any], args: tuple[Any, ...], space: dict[str, Any]) -> Ran:
    """Call a function on copies of its arguments, with the module's arrays as they were made."""
    given = copy.deepcopy(args)
    for array, values in space["_arrays"]:
        array[...] = values
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        value = fn(*given)
    return Ran(value, given, printed.getvalue())


class Plain:
    """Plain execution of a program."""

    def __init__(self, text: str) -> None:
        self.replay = Replay()
        self.space = load(text, self.replay)

    def run(self, args: tuple[Any, ...]) -> Ran:
        self.replay.start()
        return run(self.space["f"], args, self.space)

    def flaws(self, args: tuple[Any, ...]) -> set[str]:
        """The kinds of values that are not finite and that NumPy computes on the way.

        Programs say what happens then (`np.errstate`): what they ignore is noted all the same.
        """
        found: set[str] = set()

        class Noting(np.errstate):
            def __init__(self, **options: Any) -> None:
                every = options.pop("all", None)
                for flaw in ("over", "divide", "invalid"):
                    if options.setdefault(flaw, every) != "raise":
                        options[flaw] = "call"
                super().__init__(call=lambda kind, _: found.add(kind), **options)

        with mock.patch.object(np, "errstate", Noting), Noting(all="ignore"):
            self.run(args)
        return found


def forget() -> None:
    """Drop the sources of programs that were checked already."""
    for name in [n for n in linecache.cache if n.startswith(("<fuzz", "<adjoint of"))]:
        del linecache.cache[name]
    sys.modules.pop("fuzzed", None)
