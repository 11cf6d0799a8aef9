"""Arrays: filled, stored into, viewed, and known under several names."""

from __future__ import annotations

from .kinds import FLOAT, Arr, Dct, Int, Lst


class Arrays:
    """Stores and views."""

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
