"""Expressions of a given type."""

from __future__ import annotations

from .kinds import FLOAT, Arr, Dct, Fn, Gen, Int, Lst, Obj, Tup, Type, as_arguments, size_of

_UNARY = [
    "math.sin({})", "math.cos({})", "math.tanh({})", "np.sin({})", "np.cos({})", "np.tanh({})",
    "math.sqrt(1.5 + math.sin({}))", "np.sqrt(1.0 + np.square({}))", "math.atan({})",
    "math.exp(math.sin({}))", "np.exp(-np.square({}))", "math.log(2.5 + math.cos({}))",
    "(1.0 / (2.5 + np.sin({})))", "(-{})", "({} ** 2)", "(0.3 * {} ** 3)", "float({})",
    "np.square(np.tanh({}))", "np.arctan({})", "abs({})", "np.log1p(np.square({}))",
    "(1.5 + math.sin({})) ** 1.5", "np.expm1(np.tanh({}))", "(2.0 ** np.tanh({}))",
    "math.hypot({}, 1.0)", "np.arctan2({}, 1.5)", "(+{})", "math.erf({})", "np.abs({})",
    "np.cosh(np.sin({}))", "(1.0 - {})", "(0.5 * {})", "np.float64({})",
    "np.reciprocal(2.0 + np.sin({}))", "np.asarray({}).item()", "float(np.float64({}))",
    "np.array([{}])[0]", "np.real(np.exp(1j * {}))", "complex({}, 1.0).real", "np.abs({} + 1.0j)",
    "np.array({}).item()", "float(np.array([{}]).sum())", "(int({}) * 0.5 + 0.3)",
]  # fmt: skip
_UNARY_ARRAY = [
    "np.sin({})", "np.cos({})", "np.tanh({})", "np.sqrt(1.0 + np.square({}))",
    "np.exp(-np.square({}))", "np.log(2.5 + np.cos({}))", "(1.0 / (2.5 + np.sin({})))",
    "(-{})", "({} ** 2)", "(0.5 * {})", "np.abs({})", "np.square(np.tanh({}))", "np.arctan({})",
    "np.log1p(np.square({}))", "(1.0 - {})", "({} * 0.3 + 0.1)", "np.copy({})", "{}.copy()",
    "np.maximum({}, 0.05)", "np.minimum({}, 0.3)", "np.clip({}, -0.6, 0.7)", "({} / 2.0)",
    "np.array({})", "np.where({} > 0.1, 0.5, -0.4)", "{}.astype(float)", "np.cumsum({}, axis=0)",
    "np.flip({}, axis=0)", "np.roll({}, 1, axis=0)", "np.sort({}, axis=0)", "np.negative({})",
    "np.array({}.tolist())", "np.array(list({}))", "np.asarray({}, dtype=float)",
    "np.real({} * (1.0 + 2.0j))", "np.abs({} + 1.0j)", "({} * (1.0 + 1.0j)).imag",
    "{}.astype(np.float64)", "np.ascontiguousarray({})",
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
    "float(np.sum({}))", "np.sum({}).item()", "sum({}.ravel().tolist())", "{}.item(0)",
    "np.amax({})", "np.sum(np.tanh({}))", "np.ravel({})[0]", "np.ravel({})[-1]",
    "np.sum({}[::-1])", "np.median({})", "np.std(np.append({}, [3.0, -2.0]))",
]  # fmt: skip
_REDUCE_AXIS = ["np.sum", "np.mean", "np.max", "np.sum", "np.min", "np.prod", "np.var"]


class Expressions:
    """`expr(t, depth)` is an expression of type t, of about that depth."""

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
        if isinstance(t, Obj):
            return self.object_expression(t, depth)
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
        if isinstance(t, Obj):
            found = [p for f, u in t.fields for p in self.parts_of(f"{text}.{f}", u)]
            for name, fn in t.methods.items():
                if name.startswith("p"):
                    found += self.parts_of(f"{text}.{name}", fn.result)
            return found
        return [] if isinstance(t, (Fn, Gen)) else [(text, t)]

    def float(self, depth: int) -> str:
        if depth <= 0:
            return self.float_leaf()
        kind = self.weighted(
            [(3, "leaf"), (4, "binary"), (3, "unary"), (1, "binary_fn"), (3, "reduce"),
             (0.7, "ternary"), (0.3, "andor"), (1.2, "call"), (0.3, "stop"), (0.5, "dot"),
             (0.3, "sumgen"), (0.1, "walrus"), (0.3, "builtin"), (0.3, "immediate"),
             (0.8, "functional"), (0.4, "consume")]
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
        if kind == "functional":
            return self.functional(depth) or self.float_leaf()
        if kind == "consume" and self.mult <= 12:
            found = self.generators(FLOAT)
            if found:
                return f"{self.pick(['sum', 'max', 'next'])}({self.call(*self.pick(found), depth)})"
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
                elif len(u.shape) == 2 and u.shape[0] * u.shape[1] == size_of(shape):
                    options.append((1, f"{text}.reshape{as_arguments(shape)}"))
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
