"""Branches and loops."""

from __future__ import annotations

from contextlib import contextmanager

from .kinds import FLOAT, Arr, Dct, Fn, Int, Lst, Tup, Type


class Control:
    """`if`, `for`, `while`, and what loops carry."""

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
            if form == "reversed" and "[" not in a and "(" not in a:
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
        for name, fn in self.generators():
            if self.mult <= 6:
                found.append((self.call(name, fn, 1), fn.result.item, fn.result.n))
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
