"""Whole programs, functions, blocks of statements."""

from __future__ import annotations

from contextlib import contextmanager

from .exits import SCALED, SHIFTED
from .kinds import FLOAT, Arr, Dct, Fn, Gen, Int, Lst, Obj, Tup, Type

# Statements that hold others.
COMPOUND = (
    "branch", "for", "while", "def", "fill", "scan", "try", "with", "match", "generator", "star",
    "nonlocal", "factory", "swap_buffers", "reuse",
)  # fmt: skip


class Functions:
    """A module with helpers, a function `f` and a function `arguments`."""

    def program(self) -> str:
        self.single = self.flip(0.06)
        for module in ("collections", "contextlib", "dataclasses", "functools", "itertools"):
            self.emit(f"import {module}")
        for module in ("math", "operator", "typing"):
            self.emit(f"import {module}")
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
        start = len(self.lines)
        for _ in range(self.weighted([(4, 0), (2, 1), (1, 2)])):
            self.user_class()
        for _ in range(self.weighted([(3, 0), (3, 1), (2, 2)])):
            self.helper()
        params = self.parameters(self.pick([1, 2, 2, 3, 3, 4]))
        size = self.pick([2, 3, 4, 5, 6, 8, 10])
        self.function("f", params, FLOAT, size, defaults=0)
        before = SCALED * self.uses_scaled + SHIFTED * self.uses_shifted
        self.lines[start:start] = before.rstrip().split("\n") if before else []
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

    def helper(self) -> None:
        form = self.weighted([(6, "plain"), (2, "recursive"), (1.5, "generator"), (1.5, "view")])
        if form != "plain":
            getattr(self, f"{form}_helper")()
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
            self.left, self.depth, self.weights_of_leaving,
        )  # fmt: skip
        outer = dict(self.scope)
        self.scope = outer | dict(params)
        self.owned = {n for n, _ in params}
        self.fixed = set(outer)
        self.result, self.in_loop, self.may_leave, self.left = result, False, False, False
        self.weights_of_leaving = 1.0
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
         self.left, self.depth, self.weights_of_leaving) = kept  # fmt: skip

    def final(self, t: Type) -> str:
        """What a function returns: it reads several of the names at hand."""
        if t != FLOAT:
            return self.expr(t, 2)
        names = [n for n, u in self.scope.items() if not isinstance(u, (Fn, Gen, Int))]
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
        if isinstance(t, Obj):
            f, u = self.pick(list(t.fields))
            return self.number_of(f"{text}.{f}", u)
        if isinstance(t, Dct):
            key, u = self.pick(list(t.items))
            return self.number_of(f"{text}[{key!r}]", u)
        return text

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
        if self.flip(0.5 * self.weights_of_leaving):
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
            if self.depth > 2 and kind in COMPOUND:
                continue
            mark = len(self.lines)
            if getattr(self, f"do_{kind}")() is not False:
                return
            del self.lines[mark:]
        self.do_new()
