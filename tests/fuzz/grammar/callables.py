"""Star-arguments, `nonlocal`, partial functions, functions of `functools` and `itertools`."""

from __future__ import annotations

from .kinds import FLOAT, Arr, Lst


class Callables:
    """Functions as values."""

    def do_star(self) -> bool:
        if self.depth > 1:
            return False
        g, v = self.name("g"), self.name("v")
        form = self.pick(["args", "kwargs", "handed on", "only"])
        kept = self.scope
        self.fixed |= set(kept)
        self.scope = dict(kept) | {"a": FLOAT, "b": FLOAT}
        body = self.float(2)
        self.scope = kept
        if form == "args":
            self.emit(f"def {g}(a, *rest, b={self.number()}):")
            self.emit(f"    return {body} + sum(rest) * a")
            starred = self.pick([f"*[{self.float(1)}, {self.float(1)}]", f"*({self.float(1)},)"])
            calls = [f"{g}({starred})", f"{g}({self.float(1)}, {starred}, b={self.float(1)})"]
        elif form == "kwargs":
            self.emit(f"def {g}(a, **more):")
            self.emit("    b = more.get('b', 0.5)")
            self.emit(f"    return {body} + sum(more.values())")
            calls = [f"{g}({self.float(1)}, b={self.float(1)}, c={self.float(1)})",
                     f"{g}(**{{'a': {self.float(1)}, 'b': {self.float(1)}}})"]  # fmt: skip
        elif form == "handed on":
            self.emit(f"def {g}_(a, b={self.number()}):")
            self.emit(f"    return {body}")
            self.emit(f"def {g}(*args, **kwargs):")
            self.emit(f"    return {g}_(*args, **kwargs) * 0.5")
            calls = [f"{g}({self.float(1)})", f"{g}({self.float(1)}, b={self.float(1)})"]
        else:
            self.emit(f"def {g}(a, /, *, b):")
            self.emit(f"    return {body}")
            calls = [f"{g}({self.float(1)}, b={self.float(1)})"]
        self.emit(f"{v} = {self.pick(calls)}")
        self.bind(v, FLOAT)
        return True

    def do_nonlocal(self) -> bool:
        """A closure that keeps a number or an array of the function around it."""
        if self.depth > 1:
            return False
        names = [n for n in self.named(lambda t: t == FLOAT, owned=True) if "." not in n]
        names = [n for n in names if n in self.locals_of_function()]
        if not names:
            return False
        x, g, e, v = self.pick(names), self.name("g"), self.name("e"), self.name("v")
        self.fixed |= set(self.scope)
        kept = self.scope
        self.scope = dict(kept) | {e: FLOAT}
        text = self.float(2)
        self.scope = kept
        self.emit(f"def {g}({e}):")
        self.emit(f"    nonlocal {x}")
        self.emit("    " + self.pick([f"{x} = {x} * 0.5 + {text}", f"{x} += {text}"]))
        self.emit(f"    return {x} * {e}")
        a, b = self.float(1), self.float(1)
        self.emit(f"{v} = {g}({a}) + {self.pick([f'{g}({b})', f'{x}', f'{x} * {g}({b})'])}")
        self.bind(v, FLOAT)
        return True

    def locals_of_function(self) -> set[str]:
        return {n for n in self.owned if n[0] in "vsp" and n[1:].isdigit()}

    def do_factory(self) -> bool:
        """Functions that are returned, partial, decorated, or kept in a list or a dict."""
        if self.depth > 1:
            return False
        g, x, v = self.name("g"), self.name("x"), self.name("v")
        self.fixed |= set(self.scope)
        kept = self.scope
        self.scope = dict(kept) | {x: FLOAT, "k": FLOAT}
        body = self.float(2)
        self.scope = kept
        a, b = self.float(1), self.float(1)
        form = self.pick(["factory", "partial", "decorator", "list", "loop", "dict", "chosen"])
        if form == "factory":
            self.emit(f"def {g}(k):")
            self.emit(f"    return lambda {x}: {body}")
            self.emit(f"{v} = {g}({a})({b})")
        elif form == "partial":
            self.emit(f"def {g}(k, {x}):")
            self.emit(f"    return {body}")
            partial = f"functools.partial({g}, {a})"
            self.emit(f"{v} = {self.pick([f'{partial}({b})', f'{partial}({x}={b})'])}")
        elif form == "decorator":
            self.emit(f"def {g}_(fn):")
            self.emit("    @functools.wraps(fn)")
            self.emit("    def wrapper(*args):")
            self.emit(f"        return fn(*args) * {a}")
            self.emit("    return wrapper")
            self.emit(f"@{g}_")
            self.emit(f"def {g}({x}, k={self.number()}):")
            self.emit(f"    return {body}")
            self.emit(f"{v} = {g}({b})")
        elif form == "list":
            e = self.name("e")
            self.emit(f"k = {a}")
            self.emit(f"{v} = {b}")
            self.emit(f"for {e} in [np.sin, lambda {x}: {body}, math.cos]:")
            self.emit(f"    {v} = {e}({v})")
        elif form == "loop":
            self.emit(f"{g} = []")
            late = self.flip(0.5)
            self.emit("for k in (0.3, 0.7):")
            self.emit(f"    {g}.append(lambda {x}{'' if late else ', k=k'}: {body})")
            self.emit(f"{v} = {g}[0]({a}) + {g}[1]({b})")
        elif form == "dict":
            self.emit(f"k = {a}")
            self.emit(f"{g} = {{'u': lambda {x}: {body}, 'w': np.sin}}")
            self.emit(f"{v} = {g}['u']({a}) + {g}['w']({b})")
        else:
            self.emit(f"k = {a}")
            self.emit(f"{g} = (lambda {x}: {body}) if {self.condition()} else np.cos")
            self.emit(f"{v} = {g}({b})")
        if "k" in self.scope:
            del self.scope["k"]
        self.bind(v, FLOAT)
        return True

    def numbers(self) -> list[str]:
        """What can be walked and gives numbers, as text."""
        names = self.named(lambda t: isinstance(t, Lst) and t.item == FLOAT)
        names += self.named(lambda t: isinstance(t, Arr) and len(t.shape) == 1)
        return names

    def functional(self, depth: int) -> str | None:
        """A number from a list of numbers, by functions of functions."""
        names = self.numbers()
        if not names or self.mult > 12:
            return None
        xs, e = self.pick(names), self.name("e")
        kept = self.scope
        self.scope = dict(kept) | {e: FLOAT}
        body = self.float(min(depth - 1, 1))
        self.scope = kept
        forms = [
            f"functools.reduce(lambda a, b: a * 0.5 + b, {xs})",
            f"functools.reduce(operator.add, {xs}, {self.float(0)})",
            f"sum(map(lambda {e}: {body}, {xs}))",
            f"sum(filter(lambda {e}: {e} > 0.117, {xs}))",
            f"sorted({xs}, key=lambda {e}: -{e})[0]",
            f"sorted({xs})[-1]",
            f"max({xs}, key=lambda {e}: {e} * {e})",
            f"min({xs})",
            f"sum(itertools.accumulate({xs}))",
            f"list(itertools.accumulate({xs}, lambda a, b: a * 0.5 + b))[-1]",
            f"sum(a * b for a, b in zip({xs}, reversed({xs})))",
            f"sum({{{e}: {body} for {e} in range(2)}}.values())"
            if "[" not in body
            else f"sum({xs})",
            f"sum({{k: {e} for k, {e} in enumerate({xs})}}.values())",
            f"max({body} for {e} in {xs})",
            f"sum([{body} for {e} in {xs} if {e} > -0.317])",
            f"sum(list({body} for {e} in {xs}))",
            f"sum([a * b for a in {xs} for b in {xs}])",
            f"next(iter({xs}))",
            f"sum([*{xs}, {self.float(0)}])",
            f"(lambda a, *rest: a * sum(rest))(*{xs})",
            f"math.fsum({xs})",
            f"math.prod(list({xs}))",
            f"np.fromiter(({body} for {e} in {xs}), float).sum()",
            f"operator.mul({xs}[0], {xs}[-1])",
            f"sum(i * {e} for i, {e} in enumerate({xs}, 1))",
        ]
        return self.pick(forms)
