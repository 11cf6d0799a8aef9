"""Generator functions and what consumes them."""

from __future__ import annotations

from .kinds import FLOAT, Arr, Fn, Gen, Int, Lst


class Generators:
    """A generator yields once at least: its consumers may count on that."""

    def generator_helper(self) -> None:
        name = self.name("gen")
        params = self.parameters(self.rng.randint(1, 2))
        self.emit("")
        self.emit("")
        self.helpers[name] = self.generator_function(name, params)

    def do_generator(self) -> bool:
        """A generator function inside, which may read names of the function around it."""
        if self.depth > 1 or self.indent > 4:
            return False
        name = self.name("gen")
        params = self.parameters(self.rng.randint(0, 1))
        self.fixed |= set(self.scope)
        self.bind(name, self.generator_function(name, params))
        return True

    def generator_function(self, name: str, params: list) -> Fn:
        item = self.weighted([(3, FLOAT), (1.5, Arr(self.shape(1)))])
        n = self.rng.randint(1, 3)
        kept = (
            self.scope, self.owned, self.fixed, self.result, self.in_loop, self.may_leave,
            self.left, self.depth, self.mult,
        )  # fmt: skip
        outer = dict(self.scope)
        self.scope = outer | dict(params)
        self.owned, self.fixed = {p for p, _ in params}, set(outer)
        self.result, self.in_loop, self.may_leave = FLOAT, False, False
        self.mult = max(self.mult, 4)
        self.emit(f"def {name}({', '.join(p for p, _ in params)}):")
        self.indent += 1
        self.emit(f"yield {self.expr(item, 1)}")
        i = self.name("i")
        if self.flip(0.3):
            self.emit(f"{i} = 0")
            self.emit(f"while {i} < {n}:")
            with self.loop(n, {i: Int(1, n)}, may_leave=False):
                self.owned.discard(i)
                self.emit(f"{i} += 1")
                self.yielding(item)
        else:
            self.emit(f"for {i} in range({n}):")
            with self.loop(n, {i: Int(0, n - 1)}):
                self.yielding(item)
        if self.flip(0.3):
            self.emit(f"yield from [{self.expr(item, 1)}, {self.expr(item, 1)}]")
        if self.flip(0.2):
            self.emit(f"return {self.float(1)}")
        self.indent -= 1
        (self.scope, self.owned, self.fixed, self.result, self.in_loop, self.may_leave,
         self.left, self.depth, self.mult) = kept  # fmt: skip
        types = tuple(t for _, t in params)
        return Fn(types, tuple(p for p, _ in params), 0, Gen(item, n + 3))

    def yielding(self, item) -> None:
        """A body of a loop that yields."""
        with self.calm(True):
            self.block(self.rng.randint(0, 2))
        text = f"yield {self.expr(item, 2)}"
        if self.flip(0.2):
            self.emit(f"if {self.condition()}:")
            text = "    " + text
        self.emit(text)
        if self.flip(0.15):
            self.emit(f"if {self.condition()}:")
            self.emit("    return")

    def generators(self, item=None) -> list[tuple[str, Fn]]:
        return [
            (name, fn)
            for name, fn in self.functions()
            if isinstance(fn.result, Gen) and item in (None, fn.result.item)
        ]

    def do_consume(self) -> bool:
        """Take from a generator by hand."""
        found = self.generators()
        if not found or self.mult > 12:
            return False
        name, fn = self.pick(found)
        text, item = self.call(name, fn, 2), fn.result.item
        a, b = self.name("v"), self.name("v")
        form = self.pick(["next", "star", "list", "partly", "default"])
        if form == "next":
            self.emit(f"{a} = next({text})")
            self.bind(a, item)
        elif form == "star":
            self.emit(f"{a}, *{b} = {text}")
            self.bind(a, item)
        elif form == "list":
            self.emit(f"{a} = {self.pick(['list', 'tuple', 'list'])}({text})")
            self.bind(a, Lst(item, None))
            self.fixed.add(a)
        elif form == "default":
            self.emit(f"{b} = {text}")
            self.emit(f"{a} = next({b})")
            self.emit(f"{a} = next({b}, {a})")
            self.bind(a, item)
        else:
            e = self.name("e")
            self.emit(f"{a} = {self.expr(item, 1)}")
            self.emit(f"for {e} in {text}:")
            self.emit(f"    {a} = {a} * 0.5 + {e}")
            self.emit(f"    if {a if item == FLOAT else f'np.sum({a})'} > 0.913:")
            self.emit("        break")
            self.bind(a, item)
        return True
