"""`try`, `raise`, `with`, `match`."""

from __future__ import annotations

from contextlib import contextmanager

from .kinds import FLOAT, Arr, Dct, Int, Lst, Obj, Tup, Type

# An expression that raises an exception of each class.
_RAISING = {
    "ValueError": "float('none')",
    "IndexError": "[][0]",
    "KeyError": "{}['k']",
    "ZeroDivisionError": "1 // 0",
    "TypeError": "len(0.5)",
    "AttributeError": "math.no_such_name",
}


class Exits:
    """Ways for control to leave, and to come back."""

    def do_try(self) -> bool:
        error = self.pick(list(_RAISING))
        caught = self.pick([error, error, f"({error}, OverflowError)", "Exception"])
        name = self.name("err")
        handled, finished = self.flip(0.85), self.flip(0.35)
        handled = handled or not finished
        self.emit("try:")
        with self.inner(), self.calm(finished):
            left = self.block(self.rng.randint(1, 3))
            valued = False
            if handled and not left:
                valued = error == "ValueError" and self.flip(0.6)
                self.raised(error, valued)
        if handled:
            self.emit(f"except {caught} as {name}:" if valued else f"except {caught}:")
            with self.inner(), self.calm(finished):
                if valued:
                    v = self.name("v")
                    self.emit(f"{v} = {name}.args[0] * {self.number()}")
                    self.bind(v, FLOAT)
                self.block(self.rng.randint(1, 2))
            if not left and self.flip(0.2):
                self.emit("else:")
                with self.inner(), self.calm(finished):
                    self.block(1)
        if finished:
            self.emit("finally:")
            with self.inner(), self.calm(True):
                self.block(self.rng.randint(1, 2))
        return True

    def raised(self, error: str, valued: bool) -> None:
        """Raise an exception here: always, under a condition, or never."""
        value = self.float(2)
        how = f"raise {error}({value})" if valued else self.pick(
            [f"raise {error}", _RAISING[error], f"raise {error}('stop') from None"]
        )  # fmt: skip
        when = self.pick(["always", "sometimes", "sometimes", "never"])
        if valued or when == "sometimes":
            # A handler that reads the value may run only if this very line has raised.
            self.emit(f"if {self.condition()}:")
            how = "    " + how
        elif when == "never":
            self.emit("if len('text') == 3:")
            how = "    " + how
        self.emit(how)

    @contextmanager
    def calm(self, active: bool):
        """No break, continue or return in here, where `active`."""
        kept = self.weights_of_leaving, self.may_leave
        if active:
            self.weights_of_leaving, self.may_leave = 0.0, False
        yield
        self.weights_of_leaving, self.may_leave = kept

    def do_with(self) -> bool:
        form = self.pick(["null", "suppress", "errstate", "scaled", "shifted", "pair"])
        names: dict[str, Type] = {}
        raises = False
        if form in ("null", "pair"):
            a, t = self.name("v"), self.some_type()
            head = f"contextlib.nullcontext({self.expr(t, 2)}) as {a}"
            names[a] = t
            if form == "pair":
                b = self.name("v")
                head += f", contextlib.nullcontext({self.float(2)}) as {b}"
                names[b] = FLOAT
        elif form == "suppress":
            head, raises = "contextlib.suppress(ValueError, KeyError)", True
        elif form == "errstate":
            head = "np.errstate(all='ignore')"
        elif form == "scaled":
            a = self.name("v")
            self.uses_scaled = True
            quiet = self.flip(0.4)
            head, raises = f"Scaled({self.float(2)}, {quiet}) as {a}", quiet
            names[a] = FLOAT
        else:
            arrays = self.named(lambda t: isinstance(t, Arr), owned=True)
            if not arrays:
                return False
            x, a = self.pick(arrays), self.name("v")
            self.uses_shifted = True
            head = f"shifted({x}, {self.float(1)}) as {a}"
            names[a] = self.scope[x]
        self.emit(f"with {head}:")
        # What `shifted` does on the way out would not happen if control left by `return`.
        with self.inner(names), self.calm(form == "shifted"):
            left = self.block(self.rng.randint(1, 3))
            if raises and not left and self.flip(0.7):
                self.raised("ValueError", False)
        return True

    def do_match(self) -> bool:
        subjects = [
            (name, t)
            for name, t in self.scope.items()
            if isinstance(t, (Int, Dct, Tup, Obj)) or t == FLOAT
            or (isinstance(t, Lst) and t.n is not None and t.n >= 2)
        ]  # fmt: skip
        if not subjects:
            return False
        subject, t = self.pick(subjects)
        self.emit(f"match {subject}:")
        self.indent += 1
        for pattern, params in self.patterns(t):
            self.emit(f"case {pattern}:")
            with self.inner(params):
                self.block(self.rng.randint(1, 2))
        if self.flip(0.7):
            self.emit("case _:")
            with self.inner():
                self.block(1)
        self.indent -= 1
        return True

    def patterns(self, t: Type) -> list[tuple[str, dict[str, Type]]]:
        """Patterns for a value of a type, and what each binds."""
        a, b = self.name("m"), self.name("m")
        if isinstance(t, Int):
            k = self.rng.randint(t.low, t.high)
            return self.pick([
                [(f"{k}", {})], [(f"{k} | {k + 1}", {}), (f"{a} if {a} > {t.low}", {a: t})],
                [(f"int() as {a}", {a: t})],
            ])  # fmt: skip
        if t == FLOAT:
            limit = f"{self.rng.uniform(-0.5, 0.9):.3f}"
            return [(f"{a} if {a} > {limit}", {a: FLOAT}), (f"float({b})", {b: FLOAT})]
        if isinstance(t, Tup):
            names = [self.name("m") for _ in t.items]
            bound = dict(zip(names, t.items))
            if len(names) == 2 and self.flip(0.3):
                return [(f"({names[0]}, _) as {a}", {names[0]: t.items[0], a: t})]
            return [(f"({', '.join(names)})", bound), ("[_]", {})]
        if isinstance(t, Lst):
            return [(f"[{a}]", {a: t.item}), (f"[{a}, *{b}]", {a: t.item, b: Lst(t.item, t.n - 1)})]
        if isinstance(t, Dct):
            key, u = self.pick(list(t.items))
            return [("{'missing': _}", {}), (f"{{{key!r}: {a}, **{b}}}", {a: u})]
        key, u = self.pick(list(t.fields))
        return [(f"{t.name}({key}={a})", {a: u})]


SCALED = """

class Scaled:
    def __init__(self, value, quiet):
        self.value = value
        self.quiet = quiet

    def __enter__(self):
        return self.value * 0.5

    def __exit__(self, kind, error, trace):
        self.value = 0.0
        return self.quiet
"""

SHIFTED = """

@contextlib.contextmanager
def shifted(array, by):
    array += by
    yield array
    array -= by * by
"""
