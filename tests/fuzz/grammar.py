"""Random programs as Python text: valid, bounded, and smooth almost everywhere.

The generator tracks the type and shape of every name, so that a program runs without error; the
few that do not (a division by nearly zero, an overflow) are discarded by the check. The same seed
gives the same text.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

FLOAT = "float"


@dataclass(frozen=True)
class Int:
    low: int  # bounds, both included
    high: int


@dataclass(frozen=True)
class Arr:
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Lst:
    item: Any
    n: int | None  # None: not known, at least 1


@dataclass(frozen=True)
class Tup:
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Dct:
    items: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Fn:
    params: tuple[Any, ...]
    names: tuple[str, ...]
    optional: int  # how many of the last parameters have defaults
    result: Any


Type = Any

# How often each statement is drawn, relative to the others. A weight of 0 leaves it out.
WEIGHTS: dict[str, float] = {
    "new": 6,
    "rebind": 4,
    "augment": 3,
    "augment_array": 2,
    "unpack": 1.5,
    "swap": 0.7,
    "branch": 3,
    "for": 3.5,
    "while": 1,
    "def": 1.2,
    "lambda": 0.7,
    "list": 1.5,
    "append": 1,
    "list_store": 1,
    "dict_store": 0.8,
    "fill": 1.5,
    "store": 4,
    "view": 1,
    "view_store": 0.4,
    "alias": 0.7,
    "copy": 0.7,
    "accumulate": 1.5,
    "no_grad": 0.3,
    "walrus": 0.3,
    "retype": 0.7,
    "call": 0.5,
    "scan": 0.8,
    "comprehension": 1,
    "dict": 0.5,
    "misc": 0.4,
}

_UNARY = [
    "math.sin({})", "math.cos({})", "math.tanh({})", "np.sin({})", "np.cos({})", "np.tanh({})",
    "math.sqrt(1.5 + math.sin({}))", "np.sqrt(1.0 + np.square({}))", "math.atan({})",
    "math.exp(math.sin({}))", "np.exp(-np.square({}))", "math.log(2.5 + math.cos({}))",
    "(1.0 / (2.5 + np.sin({})))", "(-{})", "({} ** 2)", "(0.3 * {} ** 3)", "float({})",
    "np.square(np.tanh({}))", "np.arctan({})", "abs({})", "np.log1p(np.square({}))",
    "(1.5 + math.sin({})) ** 1.5", "np.expm1(np.tanh({}))", "(2.0 ** np.tanh({}))",
    "math.hypot({}, 1.0)", "np.arctan2({}, 1.5)", "(+{})", "math.erf({})", "np.abs({})",
    "np.cosh(np.sin({}))", "(1.0 - {})", "(0.5 * {})", "np.float64({})",
    "np.reciprocal(2.0 + np.sin({}))",
]  # fmt: skip
_UNARY_ARRAY = [
    "np.sin({})", "np.cos({})", "np.tanh({})", "np.sqrt(1.0 + np.square({}))",
    "np.exp(-np.square({}))", "np.log(2.5 + np.cos({}))", "(1.0 / (2.5 + np.sin({})))",
    "(-{})", "({} ** 2)", "(0.5 * {})", "np.abs({})", "np.square(np.tanh({}))", "np.arctan({})",
    "np.log1p(np.square({}))", "(1.0 - {})", "({} * 0.3 + 0.1)", "np.copy({})", "{}.copy()",
    "np.maximum({}, 0.05)", "np.minimum({}, 0.3)", "np.clip({}, -0.6, 0.7)", "({} / 2.0)",
    "np.array({})", "np.where({} > 0.1, 0.5, -0.4)", "{}.astype(float)", "np.cumsum({}, axis=0)",
    "np.flip({}, axis=0)", "np.roll({}, 1, axis=0)", "np.sort({}, axis=0)", "np.negative({})",
    "np.asarray({})", "np.cumsum({}, axis=-1)", "{}[::-1]", "{}[...]", "np.nan_to_num({})",
]  # fmt: skip
_BINARY = ["({} + {})", "({} - {})", "({} * {})", "({} / (2.5 + np.sin({})))", "({} + 0.5 * {})"]
_BINARY_FLOAT = [
    "max({}, {})", "min({}, {})", "np.maximum({}, {})", "np.hypot({}, 1.0 + {} ** 2)",
    "np.logaddexp({}, {})", "((1.5 + np.sin({})) ** np.tanh({}))", "np.arctan2({}, 2.0 + {} ** 2)",
    "np.minimum({}, {})", "math.atan2({}, 2.0 + {} ** 2)", "math.pow(1.5 + math.sin({}), {})",
    "np.add({}, {})", "np.multiply({}, {})", "np.subtract({}, {})",
]  # fmt: skip
_BINARY_ARRAY = [
    "np.maximum({}, {})", "np.minimum({}, {})", "np.add({}, {})", "np.multiply({}, {})",
    "np.logaddexp({}, {})", "np.hypot({}, 1.0 + {} ** 2)", "np.subtract({}, {})",
]  # fmt: skip
_REDUCE = [
    "np.sum({})", "{}.sum()", "np.mean({})", "{}.mean()", "np.max({})", "{}.min()", "np.var({})",
    "np.sum({} ** 2)", "np.prod(np.sin({}))", "np.linalg.norm({})", "np.sum(np.abs({}))",
    "np.amax({})", "np.sum(np.tanh({}))", "np.ravel({})[0]", "np.ravel({})[-1]",
    "np.sum({}[::-1])", "np.median({})", "np.std(np.append({}, [3.0, -2.0]))",
]  # fmt: skip
_REDUCE_AXIS = ["np.sum", "np.mean", "np.max", "np.sum", "np.min", "np.prod", "np.var"]


class Generator:
    """Draws one program."""

    def __init__(self, seed: int, weights: dict[str, float] | None = None) -> None:
        self.rng = random.Random(seed)
        self.weights = WEIGHTS | (weights or {})
        self.lines: list[str] = []
        self.indent = 0
        self.count = 0
        self.scope: dict[str, Type] = {}
        self.owned: set[str] = set()  # names that the current function may rebind
        self.fixed: set[str] = set()  # names whose type must stay
        self.helpers: dict[str, Fn] = {}
        self.result: Type = FLOAT  # of the current function
        self.in_loop = False
        self.may_leave = False  # break and continue are allowed here
        self.left = False  # the loop at hand contains break, continue or return
        self.mult = 1  # iterations of the loops around
        self.depth = 0
        self.budget = 0
        self.single = False

    # -- choices --------------------------------------------------------------------------

    def flip(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, options: list[Any]) -> Any:
        return self.rng.choice(options)

    def weighted(self, options: list[tuple[float, Any]]) -> Any:
        return self.rng.choices([o for _, o in options], [w for w, _ in options])[0]

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def emit(self, line: str) -> None:
        self.lines.append("    " * self.indent + line)

    def named(self, test: Callable[[Type], bool], owned: bool = False) -> list[str]:
        return [n for n, t in self.scope.items() if test(t) and (not owned or n in self.owned)]

    def bind(self, name: str, t: Type) -> None:
        self.scope[name] = t
        self.owned.add(name)

    # -- whole programs -------------------------------------------------------------------

    def program(self) -> str:
        self.single = self.flip(0.06)
        self.emit("import math")
        self.emit("")
        self.emit("import numpy as np")
        self.emit("")
        self.emit("import adjoint as ad")
        self.emit("")
        if self.flip(0.4):
            name = self.name("K")
            self.emit(f"{name} = {self.number()}")
            self.scope[name] = FLOAT
        if self.flip(0.3):
            name, shape = self.name("C"), self.shape()
            self.emit(f"{name} = {self.literal(Arr(shape))}")
            # Constants of the module are read, and not stored into.
            self.scope[name] = Tup((Arr(shape), FLOAT)) if self.flip(0.2) else Arr(shape)
            if isinstance(self.scope[name], Tup):
                self.lines[-1] = f"{name} = ({self.literal(Arr(shape))}, {self.number()})"
        for _ in range(self.weighted([(3, 0), (3, 1), (2, 2)])):
            self.helper()
        params = self.parameters(self.pick([1, 2, 2, 3, 3, 4]))
        size = self.pick([2, 3, 4, 5, 6, 8, 10])
        self.function("f", params, FLOAT, size, defaults=0)
        self.emit("")
        self.emit("")
        self.emit("def arguments():")
        values = ", ".join(self.literal(t) for _, t in params)
        self.emit(f"    return ({values},)")
        return "\n".join(self.lines) + "\n"

    def parameters(self, count: int) -> list[tuple[str, Type]]:
        return [(self.name("p"), self.parameter_type()) for _ in range(count)]

    def parameter_type(self) -> Type:
        kind = self.weighted(
            [(4, "float"), (4, "vector"), (4, "matrix"), (1, "list"), (0.7, "arrays"),
             (0.7, "tuple"), (1, "dict"), (0.6, "int")]
        )  # fmt: skip
        if kind == "float":
            return FLOAT
        if kind == "vector":
            return Arr(self.shape(1))
        if kind == "matrix":
            return Arr(self.shape(2))
        if kind == "list":
            return Lst(FLOAT, self.rng.randint(2, 4))
        if kind == "arrays":
            return Lst(Arr(self.shape()), self.rng.randint(1, 3))
        if kind == "tuple":
            return Tup(tuple(self.pick([FLOAT, Arr(self.shape())]) for _ in range(2)))
        if kind == "dict":
            keys = ["w", "b", "c"][: self.rng.randint(1, 3)]
            return Dct(tuple((k, self.pick([FLOAT, Arr(self.shape())])) for k in keys))
        return Int(0, 2)

    def shape(self, ndim: int | None = None) -> tuple[int, ...]:
        ndim = ndim or self.pick([1, 1, 2])
        return tuple(self.weighted([(0.5, 1), (3, 2), (4, 3), (1.5, 4)]) for _ in range(ndim))

    def number(self) -> str:
        return str(round(self.rng.uniform(-1.2, 1.2), 2) or 0.3)

    def literal(self, t: Type) -> str:
        """An argument as text."""
        if t == FLOAT:
            return self.number()
        if isinstance(t, Int):
            return str(self.rng.randint(t.low, t.high))
        if isinstance(t, Arr):
            dtype = ", dtype=np.float32" if self.single else ""
            return f"np.array({self._nested(t.shape)}{dtype})"
        if isinstance(t, Lst):
            return "[" + ", ".join(self.literal(t.item) for _ in range(t.n or 2)) + "]"
        if isinstance(t, Tup):
            return "(" + ", ".join(self.literal(i) for i in t.items) + ",)"
        return "{" + ", ".join(f"{k!r}: {self.literal(i)}" for k, i in t.items) + "}"

    def _nested(self, shape: tuple[int, ...]) -> str:
        if not shape:
            return str(round(self.rng.uniform(-1.2, 1.2), 3))
        return "[" + ", ".join(self._nested(shape[1:]) for _ in range(shape[0])) + "]"

    # -- functions ------------------------------------------------------------------------

    def helper(self) -> None:
        if self.flip(0.2):
            self.recursive_helper()
            return
        name = self.name("h")
        params = self.parameters(self.rng.randint(1, 3))
        result = self.weighted(
            [(4, FLOAT), (3, Arr(self.shape())), (1.5, Tup((FLOAT, Arr(self.shape())))),
             (1, Tup((FLOAT, FLOAT)))]
        )  # fmt: skip
        optional = 1 if params[-1][1] == FLOAT and self.flip(0.4) else 0
        self.function(name, params, result, self.rng.randint(0, 4), optional)
        self.helpers[name] = self.signature(params, optional, result)

    def signature(self, params: list[tuple[str, Type]], optional: int, result: Type) -> Fn:
        return Fn(tuple(t for _, t in params), tuple(n for n, _ in params), optional, result)

    def recursive_helper(self) -> None:
        name, x, n = self.name("r"), self.name("x"), self.name("n")
        t = self.pick([FLOAT, FLOAT, Arr(self.shape(1))])
        wrap = "np.sin" if t != FLOAT else self.pick(["math.sin", "np.tanh"])
        self.emit("")
        self.emit("")
        self.emit(f"def {name}({x}, {n}):")
        self.emit(f"    if {n} <= 0:")
        self.emit(f"        return {x}")
        form = self.pick(["{w}({r}({x} * 0.9, {n} - 1)) + {x}", "{r}({w}({x}) * 1.1, {n} - 1)",
                          "{x} * {r}({w}({x}), {n} - 1)"])  # fmt: skip
        self.emit("    return " + form.format(w=wrap, r=name, x=x, n=n))
        self.emit("")
        self.helpers[name] = Fn((t, Int(0, 3)), (x, n), 0, t)

    def function(
        self,
        name: str,
        params: list[tuple[str, Type]],
        result: Type,
        size: int,
        defaults: int,
        nested: bool = False,
    ) -> None:
        """Emit a function; its body ends with a return of the result type."""
        kept = (
            self.scope, self.owned, self.fixed, self.result, self.in_loop, self.may_leave,
            self.left, self.depth,
        )  # fmt: skip
        outer = dict(self.scope)
        self.scope = outer | dict(params)
        self.owned = {n for n, _ in params}
        self.fixed = set(outer)
        self.result, self.in_loop, self.may_leave, self.left = result, False, False, False
        if not nested:
            self.emit("")
            self.emit("")
        texts = [n for n, _ in params]
        for i in range(len(params) - defaults, len(params)):
            texts[i] += f"={self.number()}"
        self.emit(f"def {name}({', '.join(texts)}):")
        self.indent += 1
        if self.flip(0.05):
            self.emit('"""Text that explains nothing."""')
        left = self.block(size)
        if not left:
            self.emit(f"return {self.final(result)}")
        self.indent -= 1
        (self.scope, self.owned, self.fixed, self.result, self.in_loop, self.may_leave,
         self.left, self.depth) = kept  # fmt: skip

    def final(self, t: Type) -> str:
        """What a function returns: it reads several of the names at hand."""
        if t != FLOAT:
            return self.expr(t, 2)
        names = [n for n, u in self.scope.items() if not isinstance(u, (Fn, Int))]
        own = [n for n in names if n in self.owned]
        self.rng.shuffle(own)
        chosen = own[: self.rng.randint(1, 4)]
        terms = [self.number_of(n, self.scope[n]) for n in chosen]
        if not terms or self.flip(0.2):
            terms.append(self.float(2))
        return " + ".join(terms)

    def number_of(self, text: str, t: Type) -> str:
        """A float made of a value of any type."""
        if t == FLOAT:
            return self.pick([text, text, f"{text} * {self.number()}", f"np.sin({text})"])
        if isinstance(t, Arr):
            form = self.pick(["np.sum({})", "np.sum(np.sin({}))", "np.mean({} ** 2)", "{}.sum()",
                              "np.sum({} * {})"])  # fmt: skip
            return form.replace("{}", text)
        if isinstance(t, Lst):
            if t.item == FLOAT and self.flip(0.6):
                return f"sum({text})"
            v = self.name("e")
            return f"sum([{self.number_of(v, t.item)} for {v} in {text}])"
        if isinstance(t, Tup):
            i = self.rng.randrange(len(t.items))
            return self.number_of(f"{text}[{i}]", t.items[i])
        if isinstance(t, Dct):
            key, u = self.pick(list(t.items))
            return self.number_of(f"{text}[{key!r}]", u)
        return text

    # -- blocks ---------------------------------------------------------------------------

    def block(self, size: int) -> bool:
        """Emit statements; whether they end by leaving the block for certain."""
        start = len(self.lines)
        for _ in range(size):
            self.statement()
        left = False
        if self.depth and self.flip(0.12):
            left = self.leave()
        if len(self.lines) == start:
            self.emit("pass")
        return left

    def leave(self) -> bool:
        options = []
        if self.may_leave:
            options += ["break", "continue"]
        if self.flip(0.5):
            options.append("return")
        if not options:
            return False
        how = self.pick(options)
        self.emit(how if how != "return" else f"return {self.final(self.result)}")
        self.left = True
        return True

    @contextmanager
    def inner(self, params: dict[str, Type] | None = None):
        """A block inside: what it binds is forgotten afterwards, what exists keeps its type."""
        before, fixed = dict(self.scope), set(self.fixed)
        self.fixed |= set(self.scope)
        self.scope = before | (params or {})
        self.owned |= set(params or {})
        self.indent += 1
        self.depth += 1
        yield
        self.depth -= 1
        self.indent -= 1
        self.scope, self.fixed = dict(before), fixed

    def statement(self) -> None:
        for _ in range(20):
            kind = self.weighted([(w, k) for k, w in self.weights.items()])
            if self.depth > 2 and kind in ("branch", "for", "while", "def", "fill", "scan"):
                continue
            mark = len(self.lines)
            if getattr(self, f"do_{kind}")() is not False:
                return
            del self.lines[mark:]
        self.do_new()

    # -- assignments ----------------------------------------------------------------------

    def some_type(self) -> Type:
        return self.weighted([(4, FLOAT), (3, Arr(self.shape(1))), (2, Arr(self.shape(2)))])

    def do_new(self) -> None:
        t = self.some_type()
        text = self.expr(t, 3)
        name = self.name("v")
        if self.flip(0.05):
            self.emit(f"{name}: object = {text}")
        elif self.flip(0.04):
            other = self.name("v")
            self.emit(f"{name} = {other} = {text}")
            self.bind(other, t)
        else:
            self.emit(f"{name} = {text}")
        self.bind(name, t)

    def do_rebind(self) -> bool:
        names = self.named(lambda t: t == FLOAT or isinstance(t, (Arr, Lst, Tup)), owned=True)
        if not names:
            return False
        name = self.pick(names)
        t = self.scope[name]
        if isinstance(t, Lst) and t.n is None:
            return False
        text = self.expr(t, 2)
        if t == FLOAT and self.in_loop:
            text = self.pick(["math.tanh({})", "{} * 0.5", "np.sin({})", "{}"]).format(text)
        self.emit(f"{name} = {text}")
        return True

    def do_retype(self) -> bool:
        names = [n for n in self.owned if n in self.scope and n not in self.fixed]
        names = sorted(n for n in names if self.scope[n] == FLOAT or isinstance(self.scope[n], Arr))
        if not names:
            return False
        name = self.pick(names)
        t = self.some_type()
        self.emit(f"{name} = {self.expr(t, 2)}")
        self.bind(name, t)
        return True

    def do_augment(self) -> bool:
        names = self.named(lambda t: t == FLOAT, owned=True)
        if not names:
            return False
        name = self.pick(names)
        op = self.pick(["+=", "+=", "-=", "*=", "/="])
        text = self.float(2)
        if op == "/=":
            text = f"2.5 + np.sin({text})"
        elif op == "*=" and self.in_loop:
            text = f"np.cos({text})"
        self.emit(f"{name} {op} {text}")
        return True

    def do_augment_array(self) -> bool:
        names = self.named(lambda t: isinstance(t, Arr), owned=True)
        if not names:
            return False
        name = self.pick(names)
        op = self.pick(["+=", "+=", "-=", "*=", "/="])
        text = self.operand(self.scope[name].shape, 2)
        if op == "/=":
            text = f"2.5 + np.sin({text})"
        elif op == "*=":
            text = f"np.cos({text})"
        self.emit(f"{name} {op} {text}")
        return True

    def do_unpack(self) -> bool:
        form = self.pick(["pair", "nested", "tuple", "star", "array", "call"])
        a, b, c = self.name("v"), self.name("v"), self.name("v")
        t, u = self.some_type(), self.some_type()
        if form == "pair":
            self.emit(f"{a}, {b} = {self.expr(t, 2)}, {self.expr(u, 2)}")
            self.bind(a, t)
            self.bind(b, u)
        elif form == "nested":
            x, y, z = self.expr(t, 2), self.expr(u, 2), self.float(2)
            self.emit(f"({a}, {b}), {c} = ({x}, {y}), {z}")
            for name, v in ((a, t), (b, u), (c, FLOAT)):
                self.bind(name, v)
        elif form == "tuple":
            self.emit(f"{a} = {self.expr(t, 2)}, {self.expr(u, 2)}")
            self.bind(a, Tup((t, u)))
        elif form == "star":
            names = self.named(lambda v: isinstance(v, Lst) and (v.n or 0) >= 2)
            if not names:
                return False
            name = self.pick(names)
            v = self.scope[name]
            self.emit(f"{a}, *{b} = {name}")
            self.bind(a, v.item)
            self.bind(b, Lst(v.item, v.n - 1))
        elif form == "array":
            names = self.named(lambda v: isinstance(v, Arr) and v.shape[0] == 2)
            names += self.named(lambda v: isinstance(v, Tup) and len(v.items) == 2)
            if not names:
                return False
            name = self.pick(names)
            v = self.scope[name]
            items = v.items if isinstance(v, Tup) else (self.row(v),) * 2
            self.emit(f"{a}, {b} = {name}")
            self.bind(a, items[0])
            self.bind(b, items[1])
        else:
            found = [(n, v) for n, v in self.functions() if isinstance(v.result, Tup)]
            if not found:
                return False
            name, fn = self.pick(found)
            self.emit(f"{a}, {b} = {self.call(name, fn, 2)}")
            self.bind(a, fn.result.items[0])
            self.bind(b, fn.result.items[1])
        return True

    def row(self, t: Arr) -> Type:
        return FLOAT if len(t.shape) == 1 else Arr(t.shape[1:])

    def do_swap(self) -> bool:
        names = self.named(lambda t: t == FLOAT or isinstance(t, Arr), owned=True)
        self.rng.shuffle(names)
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                if self.scope[a] == self.scope[b]:
                    c = self.expr(self.scope[a], 1)
                    self.emit(self.pick([f"{a}, {b} = {b}, {a}", f"{a}, {b} = {b}, {c}"]))
                    return True
        return False

    def do_walrus(self) -> bool:
        name = self.name("v")
        self.emit(f"{name}_ = ({name} := {self.float(2)}) * {name}")
        self.bind(name, FLOAT)
        self.bind(f"{name}_", FLOAT)
        return True

    def do_no_grad(self) -> bool:
        name, t = self.name("v"), self.pick([FLOAT, Arr(self.shape(1))])
        # No calls: what they change in place would be constant as well.
        helpers, scope = self.helpers, self.scope
        self.helpers = {}
        self.scope = {n: u for n, u in scope.items() if not isinstance(u, Fn)}
        text = self.fresh(t)
        self.helpers, self.scope = helpers, scope
        self.emit("with ad.no_grad():")
        self.emit(f"    {name} = {text}")
        self.bind(name, t)
        return True

    def fresh(self, t: Type) -> str:
        """An expression whose value is a new object."""
        return f"({self.expr(t, 2)} * 1.0)"

    def do_misc(self) -> bool:
        form = self.pick(["assert", "del", "comment", "print", "len"])
        if form == "assert":
            self.emit(f"assert {self.float(1)} < 1000.0, 'too large'")
        elif form == "del":
            names = sorted(n for n in self.owned if n in self.scope and n not in self.fixed)
            names = [n for n in names if n.startswith("v")]
            if len(names) < 3 or self.depth:
                return False
            name = self.pick(names)
            self.emit(f"del {name}")
            del self.scope[name]
        elif form == "comment":
            self.emit("# nothing happens here")
            self.emit("pass")
        elif form == "print":
            return False
        else:
            names = self.named(lambda t: isinstance(t, Arr))
            if not names:
                return False
            x = self.pick(names)
            name = self.name("n")
            self.emit(self.pick([f"{name} = len({x})", f"{name} = {x}.shape[0]"]))
            n = self.scope[x].shape[0]
            self.bind(name, Int(n, n))
        return True

    # -- branches -------------------------------------------------------------------------

    def condition(self) -> str:
        form = self.rng.random()
        ints = self.named(lambda t: isinstance(t, Int))
        if ints and form < 0.3:
            i = self.pick(ints)
            return self.pick([f"{i} > 0", f"{i} % 2 == 0", f"{i} == 1", f"{i} < 2", f"{i} != 1"])
        a = self.float(1)
        base = f"{a} {self.pick(['<', '>', '<=', '>='])} {self.rng.uniform(-0.5, 0.9):.3f}"
        if form < 0.4:
            return f"{base} {self.pick(['and', 'or'])} {self.float(1)} > 0.123"
        if form < 0.45:
            return f"not {a} > 0.177"
        if form < 0.5:
            return f"-0.513 < {a} < 0.823"
        if form < 0.53:
            arrays = self.named(lambda t: isinstance(t, Arr))
            if arrays:
                form_ = self.pick(["np.any({} > 0.317)", "np.all({} > -0.713)", "({} > 0.2).any()"])
                return form_.format(self.pick(arrays))
        return base

    def do_branch(self) -> None:
        known = self.flip(0.5)
        target, t = self.name("v"), self.some_type()
        sides = self.weighted([(3, 1), (4, 2), (1.5, 3)])
        ends: list[tuple[bool, dict[str, Type]]] = []
        for side in range(sides):
            last = side == sides - 1 and sides > 1
            if side == 0:
                self.emit(f"if {self.condition()}:")
            elif last:
                self.emit("else:")
            else:
                self.emit(f"elif {self.condition()}:")
            with self.inner():
                left = self.block(self.rng.randint(1, 3))
                if not left and known and sides > 1:
                    self.emit(f"{target} = {self.expr(t, 2)}")
                    self.bind(target, t)
                ends.append((left, dict(self.scope)))
        if sides == 1:
            return
        alive = [scope for left, scope in ends if not left]
        if not alive:
            # Unreachable afterwards; what is read there exists in the generator's eyes only.
            return
        first = alive[0]
        for name, u in first.items():
            if name not in self.scope and not isinstance(u, (Fn, Int)):
                if all(scope.get(name) == u for scope in alive):
                    self.bind(name, u)

    # -- loops ----------------------------------------------------------------------------

    @contextmanager
    def loop(self, n: int, params: dict[str, Type], may_leave: bool = True):
        kept = self.in_loop, self.may_leave, self.left, self.mult
        self.in_loop, self.may_leave, self.left = True, may_leave, False
        self.mult *= max(n, 1)
        with self.inner(params):
            yield
        left = self.left
        self.in_loop, self.may_leave, self.left, self.mult = kept
        self.left = self.left or left

    def do_for(self) -> bool:
        if self.mult > 12:
            return False
        head, n, params = self.walked()
        before = dict(self.scope)
        self.emit(f"for {head}:")
        with self.loop(n, params):
            # What it walks may be a list: its length must stay.
            left = self.block(self.rng.randint(1, 4))
            found = dict(self.scope)
            certain = not self.left and not left
        if self.flip(0.12):
            self.emit("else:")
            with self.inner():
                self.block(self.rng.randint(1, 2))
        elif certain and n > 0 and self.flip(0.3):
            for name, t in found.items():
                if name not in before and not isinstance(t, Fn):
                    self.bind(name, t)
        return True

    def walked(self) -> tuple[str, int, dict[str, Type]]:
        """The head of a `for`: its text, the number of iterations, and what it binds."""
        form = self.weighted(
            [(4, "range"), (3, "items"), (1.5, "zip"), (1.5, "enumerate"), (0.5, "literal"),
             (0.5, "dict"), (0.4, "reversed"), (0.6, "length"), (0.4, "nested")]
        )  # fmt: skip
        i = self.name("i")
        if form == "dict":
            names = self.named(lambda t: isinstance(t, Dct))
            same = [n for n in names if len({u for _, u in self.scope[n].items}) == 1]
            if same:
                name = self.pick(same)
                t = self.scope[name].items[0][1]
                n = len(self.scope[name].items)
                v, k = self.name("e"), self.name("k")
                if self.flip(0.5):
                    return f"{v} in {name}.values()", n, {v: t}
                return f"{k}, {v} in {name}.items()", n, {v: t}
        if form == "length":
            names = self.named(lambda t: isinstance(t, Arr))
            if names:
                x = self.pick(names)
                n = self.scope[x].shape[0]
                size = self.pick([f"len({x})", f"{x}.shape[0]"])
                return f"{i} in range({size})", n, {i: Int(0, n - 1)}
        if form == "literal":
            v = self.name("e")
            count = self.rng.randint(2, 3)
            items = ", ".join(self.float(1) for _ in range(count))
            return f"{v} in ({items})", count, {v: FLOAT}
        sources = self.sources()
        if form == "zip" and sources:
            (a, t, n), (b, u, m) = self.pick(sources), self.pick(sources)
            x, y = self.name("e"), self.name("e")
            return f"{x}, {y} in zip({a}, {b})", min(n, m), {x: t, y: u}
        if form == "nested" and sources:
            (a, t, n), (b, u, m) = self.pick(sources), self.pick(sources)
            x, y = self.name("e"), self.name("e")
            k = min(n, m)
            return (
                f"{i}, ({x}, {y}) in enumerate(zip({a}, {b}))", k,
                {x: t, y: u, i: Int(0, k - 1)},
            )  # fmt: skip
        if form == "enumerate" and sources:
            a, t, n = self.pick(sources)
            x = self.name("e")
            return f"{i}, {x} in enumerate({a})", n, {x: t, i: Int(0, n - 1)}
        if form in ("items", "reversed") and sources:
            a, t, n = self.pick(sources)
            x = self.name("e")
            if form == "reversed" and "[" not in a:
                return f"{x} in reversed({a})", n, {x: t}
            return f"{x} in {a}", n, {x: t}
        n = self.rng.randint(1, 4)
        texts = [
            (f"range({n})", n, Int(0, n - 1)),
            (f"range({n})", n, Int(0, n - 1)),
            (f"range(1, {n + 1})", n, Int(1, n)),
            (f"range({n - 1}, -1, -1)", n, Int(0, n - 1)),
            (f"range(0, {2 * n}, 2)", n, Int(0, 2 * n - 2)),
            (f"reversed(range({n}))", n, Int(0, n - 1)),
        ]
        text, n, t = self.pick(texts)
        if self.flip(0.1):
            return f"_ in {text}", n, {}
        return f"{i} in {text}", n, {i: t}

    def sources(self) -> list[tuple[str, Type, int]]:
        """What can be walked: text, type of an item, a bound on the number of items."""
        found: list[tuple[str, Type, int]] = []
        for name, t in self.scope.items():
            if isinstance(t, Arr):
                found.append((name, self.row(t), t.shape[0]))
                if len(t.shape) == 2 and self.flip(0.3):
                    found.append((f"{name}.T", Arr(t.shape[:1]), t.shape[1]))
                if self.flip(0.2) and t.shape[0] > 1:
                    found.append((f"{name}[1:]", self.row(t), t.shape[0] - 1))
            elif isinstance(t, Lst):
                found.append((name, t.item, t.n or 4))
            elif isinstance(t, Tup) and len(set(t.items)) == 1:
                found.append((name, t.items[0], len(t.items)))
        return found

    def do_while(self) -> bool:
        if self.mult > 12:
            return False
        k, n = self.name("k"), self.rng.randint(1, 4)
        self.emit(f"{k} = 0")
        early = self.flip(0.5)
        test = f"{k} < {n}"
        if self.flip(0.3):
            test += f" and {self.float(1)} < 1.713"
        if self.flip(0.15):
            test = "True"
        self.emit(f"while {test}:")
        with self.loop(n, {k: Int(1, n) if early else Int(0, n - 1)}, may_leave=early):
            if test == "True":
                self.emit(f"    if {k} >= {n - 1 if early else n - 1}:"[4:])
                self.emit("    break")
            self.owned.discard(k)
            if early:
                self.emit(f"{k} += 1")
            self.block(self.rng.randint(1, 3))
            if not early:
                self.emit(f"{k} += 1")
        if self.flip(0.1):
            self.emit("else:")
            with self.inner():
                self.block(1)
        return True

    def do_accumulate(self) -> bool:
        """A sum that starts as a number and may become an array."""
        if self.mult > 12 or self.depth > 2:
            return False
        name = self.name("s")
        t = self.pick([FLOAT, FLOAT, Arr(self.shape(1)), Arr(self.shape(2))])
        start = self.pick(["0.0", "0.0", "0", self.number(), "1"])
        if t != FLOAT and self.flip(0.5):
            start = self.pick([f"np.zeros({t.shape})", f"np.ones({t.shape})"])
        head, n, params = self.walked()
        self.emit(f"{name} = {start}")
        self.emit(f"for {head}:")
        with self.loop(n, params):
            self.owned.discard(name)
            if self.flip(0.6):
                self.block(self.rng.randint(1, 2))
            elif self.flip(0.3):
                self.emit(f"if {self.condition()}:")
                self.emit("    " + self.pick(["continue", "break"]))
            text = self.expr(t, 2)
            bounded = [
                f"{name} = {name} + {text}",
                f"{name} += {text}",
                f"{name} = {text} - 0.5 * {name}",
                f"{name} = np.sin({name} + {text})",
            ]
            self.emit(self.pick(bounded))
        if t != FLOAT:
            # It may still be the number that it started as.
            self.emit(f"{name} = {name} + np.zeros({t.shape})")
        else:
            self.emit(f"{name} = {name} * 1.0")
        self.bind(name, t)
        return True

    def do_scan(self) -> bool:
        """h[t + 1] = g(h[t], x[t]): states that are written into an array."""
        arrays = self.named(lambda t: isinstance(t, Arr))
        if not arrays or self.mult > 12:
            return False
        x = self.pick(arrays)
        t = self.scope[x]
        h, i = self.name("h"), self.name("i")
        n = t.shape[0]
        whole = Arr((n + 1, *t.shape[1:]))
        self.emit(f"{h} = {self.pick(['np.zeros', 'np.ones'])}({whole.shape})")
        if self.flip(0.5):
            self.emit(f"{h}[0] = {self.expr(self.row(t), 1)}")
        with_block = self.flip(0.3)
        self.emit(f"for {i} in range({n}):")
        with self.loop(n, {i: Int(0, n - 1), h: whole}, may_leave=False):
            self.owned.discard(h)
            if with_block:
                self.block(1)
            extra = self.expr(self.row(t), 1)
            self.emit(f"{h}[{i} + 1] = np.tanh({h}[{i}] + {x}[{i}]) * 0.8 + {extra}")
            if self.flip(0.3):
                self.emit(f"{h}[{i}] {self.pick(['*=', '+=', '='])} {self.expr(self.row(t), 1)}")
        self.bind(h, whole)
        return True

    # -- functions inside functions -------------------------------------------------------

    def do_def(self) -> bool:
        if self.depth > 1 or self.indent > 4:
            return False
        name = self.name("g")
        params = self.parameters(self.rng.randint(0, 2))
        if params and self.flip(0.15):
            # A parameter that hides a name of the function around it.
            hidden = self.named(lambda t: t == FLOAT, owned=True)
            if hidden:
                params[0] = (self.pick(hidden), params[0][1])
        result = self.weighted(
            [(4, FLOAT), (3, Arr(self.shape())), (1, Tup((FLOAT, Arr(self.shape()))))]
        )
        optional = 1 if params and params[-1][1] == FLOAT and self.flip(0.3) else 0
        self.fixed |= set(self.scope)
        mult, self.mult = self.mult, max(self.mult, 4)
        depth = self.depth
        self.function(name, params, result, self.rng.randint(0, 2), optional, nested=True)
        self.depth, self.mult = depth, mult
        self.bind(name, self.signature(params, optional, result))
        return True

    def do_lambda(self) -> bool:
        name, x = self.name("g"), self.name("x")
        t, result = self.some_type(), self.some_type()
        self.fixed |= set(self.scope)
        kept = self.scope
        self.scope = dict(kept) | {x: t}
        text = self.expr(result, 2)
        self.scope = kept
        self.emit(f"{name} = lambda {x}: {text}")
        self.bind(name, Fn((t,), (x,), 0, result))
        return True

    def functions(self) -> list[tuple[str, Fn]]:
        local = [(n, t) for n, t in self.scope.items() if isinstance(t, Fn)]
        return local + list(self.helpers.items())

    def call(self, name: str, fn: Fn, depth: int) -> str:
        given = len(fn.params) - (self.rng.randint(0, fn.optional))
        texts = [self.expr(t, depth - 1) for t in fn.params[:given]]
        if given and self.flip(0.1) and not name.startswith("r"):
            texts[-1] = f"{fn.names[given - 1]}={texts[-1]}"
        return f"{name}({', '.join(texts)})"

    def do_call(self) -> bool:
        """Call a function for its effect, or bind its result."""
        found = self.functions()
        if not found:
            return False
        name, fn = self.pick(found)
        text = self.call(name, fn, 2)
        if self.flip(0.2):
            self.emit(text)
            return True
        target = self.name("v")
        self.emit(f"{target} = {text}")
        self.bind(target, fn.result)
        return True

    # -- lists and dicts ------------------------------------------------------------------

    def do_list(self) -> bool:
        name = self.name("xs")
        t = self.weighted([(3, FLOAT), (2, Arr(self.shape()))])
        n = self.rng.randint(1, 3)
        self.emit(f"{name} = [{', '.join(self.expr(t, 2) for _ in range(n))}]")
        self.bind(name, Lst(t, n))
        return True

    def do_append(self) -> bool:
        lists = [
            n
            for n in self.named(lambda t: isinstance(t, Lst), owned=True)
            if n not in self.fixed and n.startswith("xs")
        ]
        if lists and self.flip(0.5):
            name = self.pick(lists)
            t = self.scope[name]
            self.emit(f"{name}.append({self.expr(t.item, 2)})")
            self.bind(name, Lst(t.item, None if t.n is None else t.n + 1))
            return True
        if self.mult > 12 or self.depth > 2:
            return False
        name = self.name("xs")
        t = self.weighted([(3, FLOAT), (2, Arr(self.shape()))])
        first = self.flip(0.5)
        self.emit(f"{name} = [{self.expr(t, 1) if first else ''}]")
        head, n, params = self.walked()
        self.emit(f"for {head}:")
        seen = {name: Lst(t, None)} if first else {}
        sometimes = self.flip(0.25) and first
        with self.loop(n, params | seen, may_leave=first):
            self.owned.discard(name)
            self.fixed.add(name)
            if self.flip(0.4):
                self.block(1)
            text = f"{name}.append({self.expr(t, 2)})"
            if sometimes:
                self.emit(f"if {self.condition()}:")
                text = "    " + text
            self.emit(text)
            certain = not self.left and not sometimes
        exact = certain and not any("[1:]" in x or "zip" in x for x in [head]) and "xs" not in head
        if not first and not exact:
            self.emit(f"{name}.append({self.expr(t, 1)})")
        self.bind(name, Lst(t, n + first if exact else None))
        return True

    def do_comprehension(self) -> bool:
        if self.mult > 12:
            return False
        name = self.name("xs")
        text, t, n = self.comprehension(2)
        self.emit(f"{name} = {text}")
        self.bind(name, Lst(t, n))
        return True

    def comprehension(self, depth: int, t: Type | None = None) -> tuple[str, Type, int | None]:
        t = t or self.weighted([(3, FLOAT), (2, Arr(self.shape()))])
        head, n, params = self.walked()
        kept = self.scope
        self.scope = dict(kept) | params
        text = self.expr(t, depth)
        self.scope = kept
        certain = head.split(" in ", 1)[1].startswith("range")
        if self.flip(0.05):
            self.scope = dict(kept) | params
            test = self.condition()
            self.scope = kept
            return f"[{self.expr(t, 1)}] + [{text} for {head} if {test}]", t, None
        return f"[{text} for {head}]", t, n if certain else None

    def do_list_store(self) -> bool:
        names = self.named(lambda t: isinstance(t, Lst), owned=True)
        if not names:
            return False
        name = self.pick(names)
        t = self.scope[name]
        i = self.index(t.n or 1)
        if isinstance(t.item, Arr) and self.flip(0.4):
            place = f"{name}[{i}][{self.index(t.item.shape[0])}]"
            self.emit(f"{place} {self.pick(['=', '+=', '*='])} {self.expr(self.row(t.item), 1)}")
            return True
        op = self.pick(["=", "=", "+=", "*="])
        self.emit(f"{name}[{i}] {op} {self.expr(t.item, 2)}")
        return True

    def do_dict(self) -> bool:
        name = self.name("d")
        items = tuple((k, self.some_type()) for k in ["a", "b", "c"][: self.rng.randint(1, 3)])
        if self.flip(0.2):
            text = ", ".join(f"{k}={self.expr(t, 2)}" for k, t in items)
            self.emit(f"{name} = dict({text})")
        else:
            text = ", ".join(f"{k!r}: {self.expr(t, 2)}" for k, t in items)
            self.emit(f"{name} = {{{text}}}")
        self.bind(name, Dct(items))
        return True

    def do_dict_store(self) -> bool:
        names = self.named(lambda t: isinstance(t, Dct), owned=True)
        if not names:
            return False
        name = self.pick(names)
        key, t = self.pick(list(self.scope[name].items))
        if isinstance(t, Arr) and self.flip(0.4):
            place = f"{name}[{key!r}][{self.index(t.shape[0])}]"
            self.emit(f"{place} {self.pick(['=', '+='])} {self.expr(self.row(t), 1)}")
            return True
        self.emit(f"{name}[{key!r}] {self.pick(['=', '=', '+=', '*='])} {self.expr(t, 2)}")
        return True

    # -- arrays ---------------------------------------------------------------------------

    def do_fill(self) -> bool:
        """Allocate an array, fill it in a loop, and go on."""
        if self.mult > 6:
            return False
        name, shape = self.name("a"), self.shape()
        make = self.pick(["np.zeros({})", "np.empty({})", "np.ones({})", "np.full({}, 0.3)"])
        sizes = str(shape) if len(shape) > 1 else str(self.pick([shape[0], shape]))
        self.emit(f"{name} = {make.format(sizes)}")
        i, j = self.name("i"), self.name("j")
        n = shape[0]
        seen = {name: Arr(shape)}
        hidden = "empty" in make  # nothing may read it, functions defined in the loop included
        if hidden:
            seen = {}
            self.scope.pop(name, None)
        self.emit(f"for {i} in range({n}):")
        with self.loop(n, {i: Int(0, n - 1)} | seen, may_leave=False):
            self.owned.discard(name)
            if self.flip(0.25):
                self.block(1)
            if len(shape) == 2 and self.flip(0.5):
                m = shape[1]
                self.emit(f"for {j} in range({m}):")
                with self.loop(m, {j: Int(0, m - 1)}, may_leave=False):
                    self.emit(f"{name}[{i}, {j}] = {self.float(2)}")
            else:
                self.emit(f"{name}[{i}] = {self.expr(self.row(Arr(shape)), 2)}")
        self.bind(name, Arr(shape))
        return True

    def index(self, n: int) -> str:
        """An index into n elements that is never out of bounds."""
        options: list[tuple[float, str]] = [(1, str(self.rng.randrange(n)))]
        options.append((0.4, str(-1 - self.rng.randrange(n))))
        for name, t in self.scope.items():
            if not isinstance(t, Int):
                continue
            if -n <= t.low and t.high < n:
                options.append((3, name))
            if -n <= t.low - 1 and t.high - 1 < n:
                options.append((1, f"{name} - 1"))
            if t.high + 1 < n:
                options.append((1, f"{name} + 1"))
            if t.low >= 0 and n > 1:
                options.append((0.5, f"({name} + 1) % {n}"))
        return self.weighted(options)

    def do_store(self) -> bool:
        names = self.named(lambda t: isinstance(t, Arr), owned=True)
        if not names:
            return False
        name = self.pick(names)
        place, shape = self.place(name, self.scope[name].shape)
        op = self.weighted([(5, "="), (2, "+="), (1, "*="), (1, "-="), (0.5, "/=")])
        if shape == ():
            text = self.float(2)
        elif self.flip(0.2):
            text = self.float(1)
        else:
            text = self.operand(shape, 2)
        if op == "/=":
            text = f"2.5 + np.sin({text})"
        elif op == "*=":
            text = f"np.cos({text})"
        self.emit(f"{place} {op} {text}")
        return True

    def place(self, name: str, shape: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
        """A part of an array that can be stored to, and its shape."""
        n = shape[0]
        rest = shape[1:]
        options: list[tuple[float, tuple[str, tuple[int, ...]]]] = [
            (4, (f"{name}[{self.index(n)}]", rest)),
            (0.4, (f"{name}[:]", shape)),
            (0.3, (f"{name}[...]", shape)),
            (0.3, (f"{name}[::-1]", shape)),
            (0.3, (f"{name}[::2]", ((n + 1) // 2, *rest))),
            (0.3, (f"{name}[np.arange({n})]", shape)),
        ]
        if n > 1:
            k = self.rng.randint(1, n - 1)
            order = self.rng.sample(range(n), k)
            options += [
                (1, (f"{name}[:{k}]", (k, *rest))),
                (1, (f"{name}[{k}:]", (n - k, *rest))),
                (0.7, (f"{name}[-{k}:]", (k, *rest))),
                (0.6, (f"{name}[{order}]", (k, *rest))),
                (0.15, (f"{name}[[0, 1, 0]]", (3, *rest))),
            ]
        if rest:
            m = rest[0]
            options += [
                (5, (f"{name}[{self.index(n)}, {self.index(m)}]", ())),
                (2, (f"{name}[:, {self.index(m)}]", (n,))),
                (1, (f"{name}[{self.index(n)}, :]", (m,))),
                (1, (f"{name}[{self.index(n)}][{self.index(m)}]", ())),
                (0.3, (f"{name}[:, ::-1]", shape)),
                (0.3, (f"{name}[{self.index(n)}, 1:]", (m - 1,) if m > 1 else (0,))),
            ]
            if m == 1:
                options.pop()
        else:
            options.append((0.5, (f"{name}[{name} > 0.217]", ())))
        return self.weighted(options)

    def do_view(self) -> bool:
        names = self.named(lambda t: isinstance(t, Arr))
        if not names:
            return False
        x = self.pick(names)
        text, shape = self.part(x, self.scope[x].shape)
        name = self.name("v")
        self.emit(f"{name} = {text}")
        self.bind(name, Arr(shape) if shape else FLOAT)
        return True

    def part(self, x: str, shape: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
        """A part of an array, most often a view."""
        n, rest = shape[0], shape[1:]
        options: list[tuple[float, tuple[str, tuple[int, ...]]]] = [
            (3, (f"{x}[{self.index(n)}]", rest)),
            (1, (f"{x}[::-1]", shape)),
            (0.5, (f"{x}[:]", shape)),
            (0.5, (f"{x}[None]", (1, *shape)))
            if not rest
            else (0.5, (f"{x}.ravel()", (n * rest[0],))),
            (0.5, (f"{x}[::2]", ((n + 1) // 2, *rest))),
        ]
        if n > 1:
            k = self.rng.randint(1, n - 1)
            options += [(2, (f"{x}[{k}:]", (n - k, *rest))), (2, (f"{x}[:{k}]", (k, *rest)))]
        if rest:
            m = rest[0]
            options += [
                (2, (f"{x}.T", (m, n))),
                (2, (f"{x}[:, {self.index(m)}]", (n,))),
                (1, (f"{x}[{self.index(n)}, :]", (m,))),
                (1, (f"{x}.reshape({n * m})", (n * m,))),
                (1, (f"np.reshape({x}, ({m}, {n}))", (m, n))),
                (0.5, (f"np.transpose({x})", (m, n))),
                (0.5, (f"{x}.reshape(-1)", (n * m,))),
            ]
        else:
            options += [
                (0.5, (f"{x}[:, None]", (n, 1))),
                (0.5, (f"np.expand_dims({x}, 0)", (1, n))),
            ]
        return self.weighted(options)

    def do_view_store(self) -> bool:
        """Change an array through a view of it, and go on with either."""
        names = self.named(lambda t: isinstance(t, Arr), owned=True)
        if not names:
            return False
        x = self.pick(names)
        text, shape = self.part(x, self.scope[x].shape)
        if not shape:
            return False
        name = self.name("v")
        self.emit(f"{name} = {text}")
        self.bind(name, Arr(shape))
        place, inner = self.place(name, shape)
        if self.flip(0.4):
            self.emit(f"{name} {self.pick(['+=', '*='])} {self.operand(shape, 1)}")
        else:
            self.emit(f"{place} = {self.expr(Arr(inner), 1) if inner else self.float(1)}")
        return True

    def do_alias(self) -> bool:
        names = self.named(lambda t: isinstance(t, (Arr, Lst, Dct)), owned=True)
        if not names:
            return False
        x = self.pick(names)
        name = self.name("v")
        t = self.scope[x]
        self.emit(f"{name} = {x}")
        self.fixed |= {x, name}
        self.bind(name, t)
        if isinstance(t, Arr) and self.flip(0.5):
            which = self.pick([x, name])
            if self.flip(0.5):
                self.emit(f"{which} {self.pick(['+=', '*=', '-='])} {self.operand(t.shape, 1)}")
            else:
                place, shape = self.place(which, t.shape)
                self.emit(f"{place} = {self.expr(Arr(shape), 1) if shape else self.float(1)}")
        return True

    def do_copy(self) -> bool:
        names = self.named(lambda t: isinstance(t, Arr))
        if not names:
            return False
        x = self.pick(names)
        name = self.name("v")
        form = self.pick(["{}.copy()", "np.copy({})", "np.array({})", "{} + 0", "{} * 1.0"])
        self.emit(f"{name} = {form.format(x)}")
        self.bind(name, self.scope[x])
        return True

    # -- expressions ----------------------------------------------------------------------

    def expr(self, t: Type, depth: int) -> str:
        if t == FLOAT:
            return self.float(depth)
        if isinstance(t, Arr):
            return self.array(t.shape, depth)
        if isinstance(t, Int):
            names = self.named(lambda u: isinstance(u, Int) and t.low <= u.low and u.high <= t.high)
            if names and self.flip(0.6):
                return self.pick(names)
            return str(self.rng.randint(t.low, t.high))
        same = self.named(lambda u: u == t)
        if same and self.flip(0.6):
            return self.pick(same)
        if isinstance(t, Lst):
            return "[" + ", ".join(self.expr(t.item, depth - 1) for _ in range(t.n or 2)) + "]"
        if isinstance(t, Tup):
            return "(" + ", ".join(self.expr(i, depth - 1) for i in t.items) + ")"
        if isinstance(t, Dct):
            return "{" + ", ".join(f"{k!r}: {self.expr(i, depth - 1)}" for k, i in t.items) + "}"
        raise TypeError(t)

    def float_leaf(self) -> str:
        options: list[tuple[float, str]] = [(0.4, self.number())]
        for name, t in self.scope.items():
            recent = 1.5 if name in self.owned else 1.0
            for text, u in self.parts_of(name, t):
                if u == FLOAT:
                    options.append((recent * (1.0 if text != name else 1.5), text))
                elif isinstance(u, Arr) and len(u.shape) == 1:
                    options.append((recent, f"{text}[{self.index(u.shape[0])}]"))
                elif isinstance(u, Arr):
                    i, j = (self.index(n) for n in u.shape)
                    form = self.pick(
                        [f"{text}[{i}, {j}]", f"{text}[{i}, {j}]", f"{text}[{i}][{j}]"]
                    )
                    options.append((recent, form))
                elif isinstance(u, Int):
                    options.append((0.2, f"{text} * 0.3"))
        return self.weighted(options)

    def parts_of(self, text: str, t: Type) -> list[tuple[str, Type]]:
        """The floats and arrays that a value holds."""
        if isinstance(t, Tup):
            return [p for i, u in enumerate(t.items) for p in self.parts_of(f"{text}[{i}]", u)]
        if isinstance(t, Dct):
            return [p for k, u in t.items for p in self.parts_of(f"{text}[{k!r}]", u)]
        if isinstance(t, Lst):
            return self.parts_of(f"{text}[{self.index(t.n or 1)}]", t.item)
        return [] if isinstance(t, Fn) else [(text, t)]

    def float(self, depth: int) -> str:
        if depth <= 0:
            return self.float_leaf()
        kind = self.weighted(
            [(3, "leaf"), (4, "binary"), (3, "unary"), (1, "binary_fn"), (3, "reduce"),
             (0.7, "ternary"), (0.3, "andor"), (1.2, "call"), (0.3, "stop"), (0.5, "dot"),
             (0.3, "sumgen"), (0.1, "walrus"), (0.3, "builtin"), (0.3, "immediate")]
        )  # fmt: skip
        if kind == "leaf":
            return self.float_leaf()
        if kind == "binary":
            form = self.pick(_BINARY)
            return form.format(self.float(depth - 1), self.float(depth - 1))
        if kind == "unary":
            return self.pick(_UNARY).format(self.float(depth - 1))
        if kind == "binary_fn":
            return self.pick(_BINARY_FLOAT).format(self.float(depth - 1), self.float(depth - 1))
        if kind == "reduce":
            return self.pick(_REDUCE).format(self.some_array(depth - 1))
        if kind == "ternary":
            a, b = self.float(depth - 1), self.float(depth - 1)
            return f"({a} if {self.condition()} else {b})"
        if kind == "andor":
            a, b = self.float(depth - 1), self.float(depth - 1)
            test = self.condition()
            return self.pick([f"(({test}) and {a} or {b})", f"({a} or {b})", f"({a} and {b})"])
        if kind == "call":
            found = [(n, f) for n, f in self.functions() if f.result == FLOAT]
            if found and self.mult <= 12:
                return self.call(*self.pick(found), depth)
            pairs = [(n, f) for n, f in self.functions() if isinstance(f.result, Tup)]
            if pairs and self.mult <= 12:
                return self.call(*self.pick(pairs), depth) + "[0]"
        if kind == "stop":
            return f"(ad.stop_gradient({self.float(depth - 1)}) * {self.float(depth - 1)})"
        if kind == "dot":
            n = self.pick([2, 3])
            a, b = self.array((n,), depth - 1), self.array((n,), depth - 1)
            return self.pick(["np.dot({}, {})", "({} @ {})", "np.inner({}, {})", "np.vdot({}, {})",
                              "np.sum({} * {})", "{}.dot({})"]).format(a, b)  # fmt: skip
        if kind == "sumgen" and self.mult <= 12:
            text, _, _ = self.comprehension(depth - 1, FLOAT)
            if text.count("[") and " + [" not in text and self.flip(0.5):
                return f"sum({text[1:-1]})"
            return f"sum({text})"
        if kind == "walrus" and self.indent:
            return f"({self.float(depth - 1)})"
        if kind == "builtin":
            a, b, c = (self.float(depth - 1) for _ in range(3))
            forms = ["max({}, {}, {})", "sum(({}, {}, {}))", "min([{}, {}, {}])",
                     "sum([{}, {}], {})", "({}, {}, {})[1]", "[{}, {}, {}][-1]"]  # fmt: skip
            return self.pick(forms).format(a, b, c)
        if kind == "immediate":
            x = self.name("x")
            kept = self.scope
            self.scope = dict(kept) | {x: FLOAT}
            body = self.float(depth - 1)
            self.scope = kept
            return f"(lambda {x}: {body})({self.float(depth - 1)})"
        return self.float_leaf()

    def some_array(self, depth: int) -> str:
        """An array of any shape."""
        names = [
            text
            for name, t in self.scope.items()
            for text, u in self.parts_of(name, t)
            if isinstance(u, Arr)
        ]
        if names and self.flip(0.6):
            return self.pick(names)
        return self.array(self.shape(), depth)

    def operand(self, shape: tuple[int, ...], depth: int) -> str:
        """Something that broadcasts to a shape."""
        if self.flip(0.6):
            return self.array(shape, depth)
        if self.flip(0.4):
            return self.float(depth)
        if len(shape) == 2 and self.flip(0.5):
            return self.array(shape[1:], depth)
        return self.array(tuple(1 if self.flip(0.4) else n for n in shape), depth)

    def array_leaf(self, shape: tuple[int, ...]) -> str:
        options: list[tuple[float, str]] = []
        for name, t in self.scope.items():
            for text, u in self.parts_of(name, t):
                if not isinstance(u, Arr):
                    continue
                if u.shape == shape:
                    options.append((5, text))
                elif len(u.shape) == 2 and u.shape[1:] == shape:
                    options.append((2, f"{text}[{self.index(u.shape[0])}]"))
                elif len(u.shape) == 2 and u.shape[:1] == shape:
                    options.append((1, f"{text}[:, {self.index(u.shape[1])}]"))
                elif u.shape == shape[::-1]:
                    options.append((2, f"{text}.T"))
                elif len(u.shape) == len(shape) == 1:
                    n, m = u.shape[0], shape[0]
                    if n > m:
                        options.append((1, self.pick([f"{text}[:{m}]", f"{text}[{n - m}:]"])))
                    picks = [self.rng.randrange(n) for _ in range(m)]
                    options.append((0.5, f"{text}[{picks}]"))
                    options.append((0.3, f"{text}[np.array({picks})]"))
                elif len(u.shape) == 2 and u.shape[0] * u.shape[1] == _size(shape):
                    options.append((1, f"{text}.reshape{_call(shape)}"))
                elif len(u.shape) == 1 and len(shape) == 2:
                    if u.shape[0] == shape[1] and shape[0] == 1:
                        options.append((1, f"{text}[None, :]"))
                    if u.shape[0] == shape[0] and shape[1] == 1:
                        options.append((1, f"{text}[:, None]"))
                elif len(u.shape) == len(shape) == 2 and u.shape[1] == shape[1]:
                    picks = [self.rng.randrange(u.shape[0]) for _ in range(shape[0])]
                    options.append((0.5, f"{text}[{picks}]"))
        if not options or self.flip(0.15):
            texts = [
                (1, f"np.ones({shape}) * {self.float_leaf()}"),
                (0.6, f"np.full({shape}, {self.float_leaf()})"),
                (0.4, f"np.zeros({shape})"),
            ]
            if len(shape) == 1:
                items = ", ".join(self.float_leaf() for _ in range(shape[0]))
                texts.append((4, f"np.array([{items}])"))
            else:
                rows = ", ".join(
                    "[" + ", ".join(self.float_leaf() for _ in range(shape[1])) + "]"
                    for _ in range(shape[0])
                )
                texts.append((1.5, f"np.array([{rows}])"))
            options += [(w * 0.7, f"({x})" if "*" in x else x) for w, x in texts]
        return self.weighted(options)

    def array(self, shape: tuple[int, ...], depth: int) -> str:
        if depth <= 0:
            return self.array_leaf(shape)
        kind = self.weighted(
            [(3, "leaf"), (4, "binary"), (3, "unary"), (1, "binary_fn"), (1.5, "reduce"),
             (1.5, "matmul"), (1, "where"), (1, "join"), (1, "shape"), (0.7, "call"), (0.4, "list"),
             (0.3, "ternary"), (0.2, "stop"), (0.5, "fancy"), (0.4, "special"), (0.3, "temporary")]
        )  # fmt: skip
        if kind == "binary":
            a, b = self.array(shape, depth - 1), self.operand(shape, depth - 1)
            if self.flip(0.3):
                a, b = b, a
            return self.pick(_BINARY).format(a, b)
        if kind == "unary":
            form = self.pick(_UNARY_ARRAY)
            return form.format(self.atom(shape, depth - 1))
        if kind == "binary_fn":
            a, b = self.array(shape, depth - 1), self.operand(shape, depth - 1)
            return self.pick(_BINARY_ARRAY).format(a, b)
        if kind == "reduce":
            k = self.pick([2, 3])
            axis = self.rng.randint(0, len(shape)) if len(shape) == 1 else None
            fn = self.pick(_REDUCE_AXIS)
            if axis is not None:
                full = (*shape[:axis], k, *shape[axis:])
                return f"{fn}({self.array(full, depth - 1)}, axis={self.pick([axis, axis - 2])})"
            where = self.rng.randrange(2)
            if shape[where] == 1:
                full = tuple(k if i == where else n for i, n in enumerate(shape))
                return f"{fn}({self.array(full, depth - 1)}, axis={where}, keepdims=True)"
            x = self.atom(shape, depth - 1)
            return f"({x} - {x}.mean(axis={where}, keepdims=True))"
        if kind == "matmul":
            k = self.pick([2, 3])
            if len(shape) == 2:
                a, b = self.array((shape[0], k), depth - 1), self.array((k, shape[1]), depth - 1)
                if self.flip(0.2):
                    a, b = self.array(shape[:1], depth - 1), self.array(shape[1:], depth - 1)
                    return f"np.outer({a}, {b})"
                return self.pick(["({} @ {})", "np.dot({}, {})", "np.matmul({}, {})",
                                  "np.einsum('ij,jk->ik', {}, {})"]).format(a, b)  # fmt: skip
            if self.flip(0.5):
                a, b = self.array((shape[0], k), depth - 1), self.array((k,), depth - 1)
            else:
                a, b = self.array((k,), depth - 1), self.array((k, shape[0]), depth - 1)
            return self.pick(["({} @ {})", "np.dot({}, {})"]).format(a, b)
        if kind == "where":
            test = f"{self.array_leaf(shape)} {self.pick(['>', '<'])} {self.pick([0.117, -0.233])}"
            a, b = self.operand(shape, depth - 1), self.array(shape, depth - 1)
            return f"np.where({test}, {a}, {b})"
        if kind == "join":
            return self.join(shape, depth)
        if kind == "shape":
            return self.reshaped(shape, depth)
        if kind == "call":
            found = [(n, f) for n, f in self.functions() if f.result == Arr(shape)]
            if found and self.mult <= 12:
                return self.call(*self.pick(found), depth)
        if kind == "list":
            names = self.named(lambda t: isinstance(t, Lst) and t.n == shape[0])
            item = self.row(Arr(shape))
            names = [n for n in names if self.scope[n].item == item]
            if names:
                return self.pick(["np.array({})", "np.array({})", "np.stack({})" if item != FLOAT
                                  else "np.asarray({})"]).format(self.pick(names))  # fmt: skip
            if self.mult <= 12:
                i = self.name("i")
                kept = self.scope
                self.scope = dict(kept) | {i: Int(0, shape[0] - 1)}
                text = self.expr(item, depth - 1)
                self.scope = kept
                return f"np.array([{text} for {i} in range({shape[0]})])"
        if kind == "ternary":
            a, b = self.array(shape, depth - 1), self.array(shape, depth - 1)
            return f"({a} if {self.condition()} else {b})"
        if kind == "stop":
            return f"(ad.stop_gradient({self.array(shape, depth - 1)}) * {self.float(depth - 1)})"
        if kind == "fancy":
            n = self.rng.randint(2, 3)
            picks = [self.rng.randrange(-n, n) for _ in range(shape[0])]
            base = self.atom((n, *shape[1:]), depth - 1)
            if self.flip(0.3):
                return f"np.take({base}, {picks}, axis=0)"
            return f"{base}[{picks}]"
        if kind == "special":
            x = self.atom(shape, depth - 1)
            if len(shape) == 2:
                if shape[0] == shape[1]:
                    eye = f"np.eye({shape[0]})"
                    return self.pick([f"np.tril({x})", f"np.triu({x})", f"({x} + {eye})",
                                      f"np.linalg.inv(0.1 * {x} + 2.0 * {eye})"])  # fmt: skip
                return f"np.atleast_2d({x})"
            n = shape[0]
            return self.pick([
                f"np.diag({self.array((n, n), depth - 1)})",
                f"np.linalg.solve(np.eye({n}) * 3.0 + 0.2 * {self.array((n, n), depth - 1)}, {x})",
                f"np.diff({self.array((n + 1,), depth - 1)})", f"np.atleast_1d({x})",
                f"np.convolve({x}, {self.array((2,), depth - 1)})[:{n}]",
            ])  # fmt: skip
        return self.array_leaf(shape)

    def atom(self, shape: tuple[int, ...], depth: int) -> str:
        """An array expression that can be followed by a method or an index."""
        text = self.array(shape, depth)
        return text if text.replace("_", "").isalnum() else f"({text})"

    def join(self, shape: tuple[int, ...], depth: int) -> str:
        n = shape[0]
        if n > 1:
            k = self.rng.randint(1, n - 1)
            a = self.array((k, *shape[1:]), depth - 1)
            b = self.array((n - k, *shape[1:]), depth - 1)
            last = "np.hstack([{}, {}])" if len(shape) == 1 else "np.vstack([{}, {}])"
            form = self.pick(["np.concatenate([{}, {}])", "np.concatenate(({}, {}), axis=0)", last])
            if len(shape) == 2 and self.flip(0.4):
                return "np.stack([" + ", ".join(
                    self.array(shape[1:], depth - 1) for _ in range(n)) + "])"  # fmt: skip
            return form.format(a, b)
        if len(shape) == 2:
            return f"np.stack([{self.array(shape[1:], depth - 1)}])"
        return f"np.array([{self.float(depth - 1)}])"

    def reshaped(self, shape: tuple[int, ...], depth: int) -> str:
        if len(shape) == 1:
            n = shape[0]
            if n == 4:
                x = self.atom((2, 2), depth - 1)
                return self.pick([f"{x}.ravel()", f"{x}.reshape(-1)", f"{x}.flatten()",
                                  f"np.reshape({x}, 4)", f"np.ravel({x})"])  # fmt: skip
            if n == 2 and self.flip(0.5):
                return f"np.tile({self.array((1,), depth - 1)}, 2)"
            x = self.atom((1, n), depth - 1)
            return self.pick([f"{x}[0]", f"np.squeeze({x}, axis=0)", f"{x}.reshape({n})"])
        n, m = shape
        x = self.atom((m, n), depth - 1)
        forms = [f"{x}.T", f"np.transpose({x})", f"{x}.reshape({n}, {m})",
                 f"np.swapaxes({x}, 0, 1)", f"{x}.transpose()",
                 f"np.reshape({x}, ({n}, -1))"]  # fmt: skip
        forms.append(f"np.broadcast_to({self.array((m,), depth - 1)}, {shape}) * 1.0")
        forms.append(f"np.repeat({self.atom((1, m), depth - 1)}, {n}, axis=0)")
        return "(" + self.pick(forms) + ")"


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


def _call(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def generate(seed: int, weights: dict[str, float] | None = None) -> str:
    """The program of a seed, as text."""
    return Generator(seed, weights).program()
