"""Arrays under several names: buffers that are swapped and reused, `out=`, stores by functions."""

from __future__ import annotations

from .kinds import FLOAT, Arr, Int, Lst

_OUT_ONE = ["np.sin", "np.cos", "np.tanh", "np.negative", "np.square", "np.arctan"]
_OUT_TWO = ["np.add", "np.multiply", "np.subtract", "np.add"]


class Buffers:
    """Statements whose effect is in memory that others see too."""

    def own_arrays(self) -> list[str]:
        return self.named(lambda t: isinstance(t, Arr), owned=True)

    def do_out(self) -> bool:
        names = self.own_arrays()
        if not names:
            return False
        x = self.pick(names)
        shape = self.scope[x].shape
        target, part = x, shape
        if self.flip(0.3):
            target, part = self.part(x, shape)
            if not part or "reshape" in target or "ravel" in target:
                target, part = x, shape
        where = ""
        if self.flip(0.2):
            where = f", where={self.array_leaf(part)} > {self.pick(['0.117', '-0.233'])}"
        form = self.pick(["one", "two", "two", "clip", "position"])
        if form == "one":
            text = f"{self.pick(_OUT_ONE)}({self.array(part, 1)}, out={target}{where})"
        elif form == "two":
            a, b = self.array(part, 1), self.operand(part, 1)
            text = f"{self.pick(_OUT_TWO)}({a}, {b}, out={target}{where})"
        elif form == "clip":
            text = f"np.clip({self.array(part, 1)}, -0.6, 0.7, out={target})"
        else:
            text = (
                f"{self.pick(_OUT_TWO)}({self.array(part, 1)}, {self.operand(part, 1)}, {target})"
            )
        if self.flip(0.2):
            name = self.name("v")
            self.emit(f"{name} = {text}")
            self.bind(name, Arr(part))
        else:
            self.emit(text)
        return True

    def do_store_function(self) -> bool:
        """`np.copyto`, `np.add.at`, `fill`, `sort` and others that change an array."""
        names = self.own_arrays()
        if not names:
            return False
        x = self.pick(names)
        shape = self.scope[x].shape
        n = shape[0]
        picks = [self.rng.randrange(n) for _ in range(self.rng.randint(1, 3))]
        rows = (len(picks), *shape[1:])
        forms = [
            f"np.copyto({x}, {self.operand(shape, 1)})",
            f"np.copyto({x}, {self.operand(shape, 1)}, where={x} > 0.117)",
            f"np.add.at({x}, {picks}, {self.array(rows, 1)})",
            f"np.subtract.at({x}, {picks}, {self.float(1)})",
            f"{x}.fill({self.float(1)})",
            f"{x}.sort(axis=0)",
            f"{x}.sort()",
            f"np.putmask({x}, {x} > 0.217, {self.array(shape, 1)})",
            f"{x}.flat[{self.rng.randrange(n)}] = {self.float(1)}",
        ]
        if len(shape) == 1:
            forms.append(f"np.put({x}, {sorted(set(picks))}, {self.float(1)})")
        elif shape[0] == shape[1]:
            forms.append(f"np.fill_diagonal({x}, {self.float(1)})")
        self.emit(self.pick(forms))
        return True

    def do_swap_buffers(self) -> bool:
        if self.mult > 6:
            return False
        n = self.rng.randint(2, 4)
        a, b = self.name("a"), self.name("b")
        shape = (n,)
        first = self.array(shape, 1)
        self.emit(f"{a} = {first if self.flip(0.4) else f'np.array({first})'}")
        self.emit(f"{b} = {self.pick([f'np.zeros({n})', f'np.empty({n})', f'{a}.copy()'])}")
        k, i = self.name("i"), self.name("i")
        steps = self.rng.randint(1, 3)
        self.emit(f"for {k} in range({steps}):")
        self.emit(f"    {b}[0] = {a}[0] * 0.5")
        if self.flip(0.5):
            self.emit(f"    for {i} in range(1, {n}):")
            self.emit(f"        {b}[{i}] = np.tanh({a}[{i}] + 0.5 * {a}[{i} - 1] * {b}[{i} - 1])")
        else:
            self.emit(f"    {b}[1:] = np.sin({a}[1:]) + 0.3 * {a}[:-1] ** 2")
        if self.flip(0.4):
            with self.loop(steps, {a: Arr(shape), b: Arr(shape)}, may_leave=False):
                self.owned -= {a, b}
                self.block(1)
        self.emit(f"    {self.pick([f'{a}, {b} = {b}, {a}', f'{b}, {a} = {a}, {b}'])}")
        self.bind(a, Arr(shape))
        self.bind(b, Arr(shape))
        return True

    def do_reuse(self) -> bool:
        """A buffer that is filled anew in each iteration."""
        if self.mult > 6:
            return False
        shape = self.shape()
        buffer, s, i = self.name("b"), self.name("s"), self.name("i")
        n = self.rng.randint(1, 3)
        self.emit(f"{buffer} = {self.pick(['np.empty', 'np.zeros'])}({shape})")
        self.emit(f"{s} = {self.number()}")
        kept = self.pick(["sum", "sum", "list"])
        xs = self.name("xs")
        if kept == "list":
            self.emit(f"{xs} = []")
        self.emit(f"for {i} in range({n}):")
        with self.loop(n, {i: Int(0, n - 1)}, may_leave=False):
            fill = self.pick([f"{buffer}[...] = ", f"{buffer}[:] = ", "np.copyto"])
            value = self.array(shape, 2)
            self.emit(f"np.copyto({buffer}, {value})" if fill == "np.copyto" else fill + value)
            self.emit(f"{buffer} *= {self.operand(shape, 1)}")
            if kept == "list":
                copied = self.pick([buffer, f"{buffer}.copy()", f"{buffer}[0]"])
                self.emit(f"{xs}.append({copied})")
            self.emit(f"{s} += np.sum(np.sin({buffer}))")
        if kept == "list":
            self.emit(f"{s} += sum([np.sum(e * e) for e in {xs}])")
        self.bind(s, FLOAT)
        self.bind(buffer, Arr(shape))
        return True

    def view_helper(self) -> None:
        """A helper that returns its argument, a view of it, or a copy."""
        name, m = self.name("view"), self.name("m")
        ndim = self.pick([1, 2])
        shape = tuple(self.rng.randint(2, 3) for _ in range(ndim))
        kept, self.scope = self.scope, {m: Arr(shape)}
        text, part = self.part(m, shape)
        self.scope = kept
        self.emit("")
        self.emit("")
        self.emit(f"def {name}({m}):")
        if self.flip(0.2):
            self.emit(f"    {m} *= 0.5")
        if part and self.flip(0.15) and part == shape:
            self.emit(f"    return {text} if {m}.sum() > 0.2 else {m}.copy()")
        else:
            self.emit(f"    return {text}")
        self.helpers[name] = self.signature([(m, Arr(shape))], 0, Arr(part) if part else FLOAT)

    def do_share(self) -> bool:
        """One array in two places, of which one is changed."""
        names = self.own_arrays()
        if not names:
            return False
        x = self.pick(names)
        t = self.scope[x]
        form = self.pick(["list", "dict", "tuple", "choice", "branch", "closure"])
        name = self.name("w")
        place, shape = "", ()
        if form == "list":
            self.emit(f"{name} = [{x}, {self.array(t.shape, 1)}]")
            self.bind(name, Lst(t, 2))
            place, shape = self.place(f"{name}[0]", t.shape)
        elif form == "dict":
            self.emit(f"{name} = {{'k': {x}}}")
            place, shape = self.place(f"{name}['k']", t.shape)
        elif form == "tuple":
            self.emit(f"{name} = ({x}, {x})")
            place, shape = self.place(f"{name}[1]", t.shape)
        elif form == "choice":
            self.emit(f"{name} = {x} if {self.condition()} else {self.array(t.shape, 1)}")
            self.bind(name, t)
            place, shape = self.place(name, t.shape)
        elif form == "branch":
            self.emit(f"if {self.condition()}:")
            self.emit(f"    {name} = {x}")
            self.emit("else:")
            self.emit(f"    {name} = {x}.copy()")
            self.bind(name, t)
            place, shape = self.place(name, t.shape)
        else:
            v = self.name("e")
            self.emit(f"def {name}({v}):")
            self.emit(f"    {x}[{self.index(t.shape[0])}] = {v}")
            self.emit(f"    return np.sum({x}) * {v}")
            self.fixed.add(x)
            s = self.name("v")
            self.emit(f"{s} = {name}({self.float(1)}) + {name}({self.float(1)})")
            self.bind(s, FLOAT)
            return True
        if self.flip(0.5):
            place = x if form != "choice" or self.flip(0.5) else name
            self.emit(f"{place} {self.pick(['+=', '*='])} {self.operand(t.shape, 1)}")
            return True
        value = self.expr(Arr(shape), 1) if shape else self.float(1)
        self.emit(f"{place} {self.pick(['=', '+='])} {value}")
        return True
