"""Assignments and small statements."""

from __future__ import annotations

from .kinds import FLOAT, Arr, Fn, Int, Lst, Tup, Type


class Assignments:
    """`do_x` emits a statement of the kind x, or returns False where it cannot."""

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
            found = self.float_leaf()
            self.emit(self.pick([f"print({found})", f"print('value', round({found}, 4))"]))
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
