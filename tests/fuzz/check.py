"""Compile and check one program: its value, effects and gradients against plain execution.

A program is the text of a module with a function `f` and a function `arguments` that makes fresh
arguments for it.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import itertools
import linecache
import re
import signal
import sys
import traceback
import types
import warnings
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

import adjoint as ad

OK, WRONG, CRASH, REFUSED, ILL, INVALID, SLOW = (
    "ok", "WRONG", "CRASH", "REFUSED", "ILL", "INVALID", "SLOW"
)  # fmt: skip
BAD = (WRONG, CRASH, SLOW)
LIMIT = 20.0  # seconds for one program
STEPS = (1e-4, 1e-5)
TOLERANCE = 5e-6

_numbers = itertools.count()


@dataclass
class Outcome:
    kind: str
    detail: str = ""
    source: str = ""

    @property
    def group(self) -> str:
        """The detail without what differs between programs: names, numbers, lines."""
        text = self.detail.split("\n")[0]
        if self.kind in (WRONG, ILL):
            return text.split(":")[0] if self.kind == WRONG else ""
        text = re.sub(r"^\S*<fuzz[^>]*>:\d+, in \w+: ", "", text)
        text = re.sub(r"<fuzz[^>]*>|<adjoint of[^>]*>", "<file>", text)
        text = re.sub(r"`[^`]*`", "`_`", text)
        text = re.sub(r"\w+@\w+", "_", text)
        text = re.sub(r"name '(d_)?\w+'", r"name '\1_'", text)
        text = re.sub(r"variable '(d_)?\w+'", r"variable '\1_'", text)
        return re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "#", text)


class _Timeout(BaseException):
    pass


@contextlib.contextmanager
def time_limit(seconds: float):
    """Raise _Timeout after some seconds, where the platform has a timer."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> None:
        raise _Timeout

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# -- execution ----------------------------------------------------------------------------


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


class _NoGrad(ast.NodeTransformer):
    """Writes `with ad.no_grad(): v = e` as `v = ad.stop_gradient(e)`."""

    def visit_With(self, node: ast.With) -> Any:
        for stmt in node.body:
            if isinstance(stmt, ast.Assign):
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
    exec(compile(tree, name, "exec"), module.__dict__)
    if replay is not None:
        module.__dict__["ad"] = replay
    module.__dict__["_module"] = module
    module.__dict__["_file"] = name
    return module.__dict__


# -- structures of floats -----------------------------------------------------------------


def is_float(x: Any) -> bool:
    dtype = getattr(x, "dtype", None)
    return isinstance(x, float) or (dtype is not None and dtype.kind == "f")


def has_float(x: Any) -> bool:
    if isinstance(x, dict):
        return any(map(has_float, x.values()))
    if isinstance(x, (list, tuple)):
        return any(map(has_float, x))
    return is_float(x)


def direction_of(x: Any, rng: np.random.Generator) -> Any:
    """A random direction in which to move a value; every part moves by 0.5 to 1."""
    if isinstance(x, dict):
        return {k: direction_of(v, rng) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [direction_of(v, rng) for v in x]
    if not is_float(x):
        return None
    shape = np.shape(x)
    return rng.uniform(0.5, 1.0, shape) * rng.choice([-1.0, 1.0], shape)


def moved(x: Any, direction: Any, step: float) -> Any:
    if isinstance(x, dict):
        return {k: moved(v, direction[k], step) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x)(moved(v, d, step) for v, d in zip(x, direction, strict=True))
    if direction is None:
        return copy.copy(x)
    if isinstance(x, np.ndarray):
        return np.asarray(np.asarray(x, np.float64) + step * direction)
    return float(x + step * direction)


def along(gradient: Any, direction: Any) -> float:
    """The derivative in a direction, by a gradient."""
    if isinstance(direction, dict):
        return sum(along(gradient[k], d) for k, d in direction.items())
    if isinstance(direction, list):
        return sum(along(g, d) for g, d in zip(gradient, direction, strict=True))
    if direction is None:
        return 0.0
    return float(np.sum(np.asarray(gradient, np.float64) * direction))


def misfit(gradient: Any, x: Any, where: str) -> str:
    """In what a gradient does not fit its argument; empty where it does."""
    if isinstance(x, dict):
        if not isinstance(gradient, dict) or list(gradient) != list(x):
            return f"{where}: {type(gradient).__name__} for a dict with keys {list(x)}"
        found = (misfit(gradient[k], v, f"{where}[{k!r}]") for k, v in x.items())
        return next((f for f in found if f), "")
    if isinstance(x, (list, tuple)):
        if type(gradient) is not type(x) or len(gradient) != len(x):
            return f"{where}: {gradient!r} for {x!r}"
        found = (misfit(g, v, f"{where}[{i}]") for i, (g, v) in enumerate(zip(gradient, x)))
        return next((f for f in found if f), "")
    if not is_float(x):
        return ""
    if isinstance(x, np.ndarray):
        if getattr(gradient, "shape", None) != x.shape:
            return f"{where}: shape {np.shape(gradient)} for {x.shape}"
        if gradient.dtype != x.dtype:
            return f"{where}: dtype {gradient.dtype} for {x.dtype}"
        return ""
    if not isinstance(gradient, float):
        return f"{where}: {type(gradient).__name__} for a float"
    return ""


def differs(a: Any, b: Any, rtol: float = 1e-10) -> bool:
    """Whether two structures differ by more than rounding."""
    if isinstance(a, dict):
        if not isinstance(b, dict) or list(a) != list(b):
            return True
        return any(differs(v, b[k], rtol) for k, v in a.items())
    if isinstance(a, (list, tuple)):
        if type(a) is not type(b) or len(a) != len(b):
            return True
        return any(differs(x, y, rtol) for x, y in zip(a, b))
    if is_float(a) or is_float(b):
        if np.shape(a) != np.shape(b):
            return True
        return not np.allclose(a, b, rtol=rtol, atol=rtol, equal_nan=True)
    if isinstance(a, np.ndarray):
        return not np.array_equal(a, b)
    return a != b


# -- the check ----------------------------------------------------------------------------


def check(text: str, limit: float = LIMIT, thorough: bool = False) -> Outcome:
    """Check one program.

    thorough: compile it again, by one argument alone, and as a vjp; else one of the three, or
    none, by a checksum of the text.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            with time_limit(limit):
                return _check(text, thorough)
        except _Timeout:
            return Outcome(SLOW, f"not done after {limit} s")
        except RecursionError as error:
            return Outcome(CRASH, f"RecursionError: {error}")


class _Plain:
    """Plain execution of a program."""

    def __init__(self, text: str) -> None:
        self.replay = Replay()
        self.space = load(text, self.replay)

    def run(self, args: tuple[Any, ...]) -> float:
        self.replay.start()
        return self.space["f"](*args)


def _check(text: str, thorough: bool) -> Outcome:
    try:
        plain = _Plain(text)
        args = plain.space["arguments"]()
        after = copy.deepcopy(args)
        value = plain.run(after)
        if np.shape(value) != () or not is_float(value) or not np.isfinite(value):
            return Outcome(INVALID, f"value {value!r}")
        if abs(float(value)) > 1e4:
            return Outcome(INVALID, "a large value")
    except Exception as error:
        return Outcome(INVALID, f"{type(error).__name__}: {error}")
    numbers = [i for i, a in enumerate(args) if has_float(a)]
    if not numbers:
        return Outcome(INVALID, "no float argument")
    space = load(text)
    done = _Derivatives(space, args, numbers)
    try:
        outcome = done.run(value, after, thorough, zlib.crc32(text.encode()))
    except ad.AdjointError as error:
        return Outcome(REFUSED, f"{type(error).__name__}: {_plain_message(error)}", done.source)
    except (_Timeout, RecursionError):
        raise
    except Exception as error:
        return Outcome(CRASH, _crash_text(error), done.source or _source_in(error))
    if outcome.kind != OK:
        return outcome
    return _compare(plain, args, numbers, done, float(value))


class _Derivatives:
    """What the compiler makes of a program."""

    def __init__(self, space: dict[str, Any], args: tuple[Any, ...], numbers: list[int]) -> None:
        self.space, self.args, self.numbers = space, args, numbers
        self.source = ""
        self.gradients: Any = None

    def run(self, value: Any, after: Any, thorough: bool, number: int) -> Outcome:
        f, args = self.space["f"], self.args
        g = ad.value_and_grad(f, argnums=tuple(self.numbers))
        given = copy.deepcopy(args)
        found, self.gradients = g(*given)
        self.source = g.source
        tol = 1e-4 if _is_single(args) else 1e-10
        try:
            ast.parse(self.source)
        except SyntaxError as error:
            return Outcome(CRASH, f"SyntaxError: {error}", self.source)
        if differs(float(found), float(value), tol):
            return Outcome(WRONG, f"value: {found!r}, plain execution gives {value!r}", self.source)
        if differs(given, after, tol):
            detail = f"effect: arguments are left {given!r}, plain execution leaves {after!r}"
            return Outcome(WRONG, detail, self.source)
        for i, gradient in zip(self.numbers, self.gradients, strict=True):
            problem = misfit(gradient, args[i], f"gradient {i}")
            if problem:
                return Outcome(WRONG, f"structure: {problem}", self.source)
        _, again = g(*copy.deepcopy(args))
        if differs(again, self.gradients, 1e-12):
            detail = f"again: {again!r} in a second call, {self.gradients!r} in the first"
            return Outcome(WRONG, detail, self.source)
        variants = [self.again, lambda: self.by_vjp(tol)]
        if thorough:
            variants += [lambda k=k: self.by_one(k) for k in range(len(self.numbers))]
        else:
            variants.append(lambda: self.by_one(number // 4 % len(self.numbers)))
            variants = variants[number % 4 : number % 4 + 1]
        outcomes = (variant() for variant in variants)
        return next((o for o in outcomes if o.kind != OK), Outcome(OK))

    def again(self) -> Outcome:
        """A second compilation gives the same text."""
        twin = ad.value_and_grad(self.space["f"], argnums=tuple(self.numbers))
        twin(*copy.deepcopy(self.args))
        if twin.source != self.source:
            return Outcome(WRONG, "text: differs in a second compilation", self.source)
        return Outcome(OK)

    def by_one(self, k: int) -> Outcome:
        """By one argument alone the gradient is the same."""
        g = ad.grad(self.space["f"], argnums=self.numbers[k])
        alone = g(*copy.deepcopy(self.args))
        if differs(alone, self.gradients[k], 1e-9):
            detail = f"alone: {alone!r} by argument {self.numbers[k]}, {self.gradients[k]!r} by all"
            return Outcome(WRONG, detail, self.source + "\n\n# alone:\n" + g.source)
        return Outcome(OK)

    def by_vjp(self, tol: float) -> Outcome:
        """The pullback gives the same, twice."""
        given = copy.deepcopy(self.args)
        value, pullback = ad.vjp(self.space["f"], *given)
        seed = value.dtype.type(1.0) if isinstance(value, np.generic) else 1.0
        seed = np.ones_like(value) if isinstance(value, np.ndarray) else seed
        for _ in range(2):
            parts = pullback(seed)
            found = tuple(parts[i] for i in self.numbers)
            if differs(found, self.gradients, 1e-9 if tol < 1e-8 else 1e-3):
                detail = f"vjp: {found!r}, value_and_grad gives {self.gradients!r}"
                return Outcome(WRONG, detail, self.source)
        return Outcome(OK)


def _is_single(x: Any) -> bool:
    if isinstance(x, dict):
        return any(map(_is_single, x.values()))
    if isinstance(x, (list, tuple)):
        return any(map(_is_single, x))
    return getattr(x, "dtype", None) == np.float32


def _compare(
    plain: _Plain, args: tuple[Any, ...], numbers: list[int], done: _Derivatives, value: float
) -> Outcome:
    """Gradients against central differences, in one random direction for each argument."""
    rng = np.random.default_rng(5)
    single = _is_single(args)
    ill = ""
    for k, i in enumerate(numbers):
        direction = direction_of(args[i], rng)

        def at(step: float, i: int = i, direction: Any = direction) -> float:
            given = [moved(a, direction_of(a, rng), 0.0) for a in args]
            given[i] = moved(args[i], direction, step)
            return float(plain.run(tuple(given)))

        try:
            slopes = [(at(h) - at(-h)) / (2 * h) for h in STEPS]
            slope = slopes[1]
            scale = max(1.0, abs(slope), abs(value))
            found = along(done.gradients[k], direction)
            if not np.isfinite(slopes).all() or abs(slopes[0] - slope) > 2 * TOLERANCE * scale:
                ill = f"argument {i}: differences {slopes}"
                continue
            tolerance = (2e-3 if single else TOLERANCE) * scale
            if abs(found - slope) <= tolerance:
                continue
            h = 1e-6
            middle, left, right = at(0.0), at(-h), at(h)
        except Exception as error:
            ill = f"argument {i}: {type(error).__name__}"
            continue
        sides = (middle - left) / h, (right - middle) / h
        if abs(sides[0] - sides[1]) > 1e-2 * scale or abs(sides[0] - slope) > 1e-2 * scale:
            ill = f"argument {i}: one-sided differences {sides}"
            continue
        detail = (
            f"gradient: by argument {i}, {found!r} in a direction where finite differences give "
            f"{slope!r}; gradient {done.gradients[k]!r}, direction {direction!r}"
        )
        return Outcome(WRONG, detail, done.source)
    return Outcome(ILL, ill, done.source) if ill else Outcome(OK, "", done.source)


def _plain_message(error: ad.AdjointError) -> str:
    return f"{error.what}\n{error}"


def _crash_text(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = next(
        (f for f in reversed(frames) if "adjoint" in f.filename), frames[-1] if frames else None
    )
    where = ""
    if last is not None:
        name = last.filename.rsplit("/", 1)[-1]
        name = "generated code" if name.startswith("<adjoint") else name
        where = f" in {name}, {last.name}"
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return f"{type(error).__name__}: {error}{where}\n" + "".join(lines[-12:])


def _source_in(error: Exception) -> str:
    """The generated code that an exception went through."""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith("<adjoint of"):
            return "".join(linecache.getlines(frame.filename))
    return ""


def forget() -> None:
    """Drop the sources of programs that were checked already."""
    for name in [n for n in linecache.cache if n.startswith(("<fuzz", "<adjoint of"))]:
        del linecache.cache[name]
    sys.modules.pop("fuzzed", None)
