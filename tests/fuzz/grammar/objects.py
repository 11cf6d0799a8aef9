"""Classes, dataclasses, named tuples; objects, their attributes and methods."""

from __future__ import annotations

from .kinds import FLOAT, Arr, Fn, Obj


class Objects:
    """Classes of the module, and statements with their objects."""

    def user_class(self) -> None:
        form = self.weighted([(5, "class"), (2.5, "dataclass"), (2, "namedtuple")])
        name = self.name("M")
        kinds = [FLOAT, FLOAT, Arr(self.shape())]
        fields = tuple((f, self.pick(kinds)) for f in ["a", "b", "c"][: self.rng.randint(1, 3)])
        t = Obj(name, form, fields)
        self.emit("")
        self.emit("")
        if form == "namedtuple" and self.flip(0.5):
            self.emit(
                f"{name} = collections.namedtuple('{name}', '{' '.join(f for f, _ in fields)}')"
            )
        else:
            self.class_body(t)
        self.classes.append(t)

    def class_body(self, t: Obj) -> None:
        if t.form == "class":
            bases = [c for c in self.classes if c.form == "class" and c.fields == t.fields]
            base = self.pick(bases) if bases and self.flip(0.8) else None
            self.emit(f"class {t.name}({base.name}):" if base else f"class {t.name}:")
            self.indent += 1
            names = ", ".join(f for f, _ in t.fields)
            self.emit(f"def __init__(self, {names}):")
            if base:
                self.emit(f"    super().__init__({names})")
                t.methods.update(base.methods)
            else:
                for f, _ in t.fields:
                    self.emit(f"    self.{f} = {f}")
        else:
            if t.form == "dataclass":
                self.emit(self.pick(["@dataclasses.dataclass", "@dataclasses.dataclass(eq=False)"]))
            self.emit(f"class {t.name}{'(typing.NamedTuple)' if t.form == 'namedtuple' else ''}:")
            self.indent += 1
            for f, u in t.fields:
                self.emit(f"{f}: {'float' if u == FLOAT else 'np.ndarray'}")
        for _ in range(self.rng.randint(0, 2)):
            self.method(t)
        if self.flip(0.4):
            self.operator(t)
        self.indent -= 1

    def method(self, t: Obj) -> None:
        form = self.pick(["method", "method", "method", "property", "call", "static", "override"])
        result = self.weighted([(3, FLOAT), (1.5, Arr(self.shape()))])
        me = [("self", t)]
        name = {"call": "__call__", "property": self.name("p")}.get(form) or self.name("m")
        params = [] if form == "property" else self.parameters(1)
        params = [(p, u) for p, u in params if not isinstance(u, Obj)]
        if form == "override":
            known = [n for n, fn in t.methods.items() if n.startswith("m") and fn.result == FLOAT]
            if not known or t.form != "class":
                return
            name = self.pick(known)
            fn = t.methods[name]
            self.emit("")
            self.emit(f"def {name}(self, {', '.join(fn.names)}):".replace(", )", ")"))
            self.emit(f"    return {self.number()} * super().{name}({', '.join(fn.names)})"
                      if self.inherits(t, name) else f"    return {self.number()}")  # fmt: skip
            return
        if form == "property":
            self.emit("")
            self.emit("@property")
        elif form == "static":
            me = []
            self.emit("")
            self.emit("@staticmethod")
        self.function(name, me + params, result, self.rng.randint(0, 2), 0, nested=True)
        names = tuple(p for p, _ in params)
        t.methods[name] = Fn(tuple(u for _, u in params), names, 0, result)

    def inherits(self, t: Obj, name: str) -> bool:
        return any(c.name != t.name and name in c.methods and c.fields == t.fields
                   and self.derives(t, c) for c in self.classes)  # fmt: skip

    def derives(self, t: Obj, base: Obj) -> bool:
        return f"class {t.name}({base.name}):" in (line.strip() for line in self.lines)

    def operator(self, t: Obj) -> None:
        form = self.pick(["+", "*", "getitem"])
        self.emit("")
        if form == "+":
            sums = ", ".join(f"self.{f} + 0.5 * other.{f}" for f, _ in t.fields)
            self.emit("def __add__(self, other):")
            self.emit(f"    return {t.name}({sums})")
        elif form == "*":
            if t.form == "namedtuple":
                self.emit("def scaled(self):")
                self.emit("    return self")
                return
            products = ", ".join(f"self.{f} * k" for f, _ in t.fields)
            self.emit("def __mul__(self, k):")
            self.emit(f"    return {t.name}({products})")
            self.emit("")
            self.emit("__rmul__ = __mul__")
        elif t.form == "namedtuple":
            self.emit("def __neg__(self):")
            self.emit(f"    return {t.name}({', '.join(f'-self.{f}' for f, _ in t.fields)})")
            form = "-"
        else:
            self.emit("def __getitem__(self, key):")
            self.emit("    return getattr(self, key)")
        t.operators.add(form)

    def construction(self, t: Obj, depth: int) -> str:
        values = [self.expr(u, depth - 1) for _, u in t.fields]
        if self.flip(0.2):
            values[-1] = f"{t.fields[-1][0]}={values[-1]}"
        return f"{t.name}({', '.join(values)})"

    def object_expression(self, t: Obj, depth: int) -> str:
        same = self.named(lambda u: u == t)
        if same and depth > 0 and self.flip(0.3):
            a = self.pick(same)
            b = self.pick(same)
            if "+" in t.operators:
                return f"({a} + {b})"
            if "*" in t.operators:
                return self.pick([f"({a} * {self.float(1)})", f"({self.number()} * {a})"])
            if "-" in t.operators:
                return f"(-{a})"
        if same and self.flip(0.5):
            return self.pick(same)
        return self.construction(t, depth)

    def do_object(self) -> bool:
        if not self.classes:
            return False
        t = self.pick(self.classes)
        name = self.name("o")
        text = self.construction(t, 2)
        same = self.named(lambda u: u == t)
        if same and self.flip(0.4):
            text = self.object_expression(t, 2)
            if t.form == "namedtuple" and self.flip(0.5):
                f, u = self.pick(list(t.fields))
                text = f"{self.pick(same)}._replace({f}={self.expr(u, 2)})"
            elif t.form == "dataclass" and self.flip(0.5):
                f, u = self.pick(list(t.fields))
                text = f"dataclasses.replace({self.pick(same)}, {f}={self.expr(u, 2)})"
        self.emit(f"{name} = {text}")
        self.bind(name, t)
        if t.form == "namedtuple" and len(t.fields) == 2 and self.flip(0.3):
            a, b = self.name("v"), self.name("v")
            self.emit(f"{a}, {b} = {name}")
            self.bind(a, t.fields[0][1])
            self.bind(b, t.fields[1][1])
        return True

    def do_attribute(self) -> bool:
        names = self.named(lambda t: isinstance(t, Obj) and t.form != "namedtuple", owned=True)
        if not names:
            return False
        name = self.pick(names)
        f, u = self.pick(list(self.scope[name].fields))
        place = f"{name}.{f}"
        if isinstance(u, Arr) and self.flip(0.6):
            part, shape = self.place(place, u.shape)
            value = self.expr(Arr(shape), 1) if shape else self.float(1)
            self.emit(f"{part} {self.pick(['=', '+=', '='])} {value}")
            return True
        op = self.pick(["=", "=", "+=", "-="])
        if op == "=" and self.flip(0.2):
            self.emit(f"setattr({name}, {f!r}, {self.expr(u, 2)})")
        else:
            self.emit(f"{place} {op} {self.expr(u, 2)}")
        return True

    def methods_of(self, name: str, t: Obj) -> list[tuple[str, Fn]]:
        """What can be called on an object; a property is not called."""
        return [
            (name if method == "__call__" else f"{name}.{method}", fn)
            for method, fn in t.methods.items()
            if not method.startswith("p")
        ]
