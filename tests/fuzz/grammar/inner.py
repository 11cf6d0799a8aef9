"""Functions inside functions, and calls."""

from __future__ import annotations

from .kinds import FLOAT, Arr, Fn, Gen, Obj, Tup


class Inner:
    """`def`, `lambda`, and calls of what they make."""

    def do_def(self) -> bool:
        if self.depth > 1 or self.indent > 4:
            return False
        name = self.name("g")
        params = self.parameters(self.rng.randint(0, 2))
        if params and self.flip(0.15):
            # A parameter that hides a name of the function around it.
            hidden = self.named(lambda t: t == FLOAT, owned=True)
            if hidden:
                params[0] = (self.pick(hidden), params[0][1])
        result = self.weighted(
            [(4, FLOAT), (3, Arr(self.shape())), (1, Tup((FLOAT, Arr(self.shape()))))]
        )
        optional = 1 if params and params[-1][1] == FLOAT and self.flip(0.3) else 0
        self.fixed |= set(self.scope)
        mult, self.mult = self.mult, max(self.mult, 4)
        depth = self.depth
        self.function(name, params, result, self.rng.randint(0, 2), optional, nested=True)
        self.depth, self.mult = depth, mult
        self.bind(name, self.signature(params, optional, result))
        return True

    def do_lambda(self) -> bool:
        name, x = self.name("g"), self.name("x")
        t, result = self.some_type(), self.some_type()
        self.fixed |= set(self.scope)
        kept = self.scope
        self.scope = dict(kept) | {x: t}
        text = self.expr(result, 2)
        self.scope = kept
        self.emit(f"{name} = lambda {x}: {text}")
        self.bind(name, Fn((t,), (x,), 0, result))
        return True

    def functions(self) -> list[tuple[str, Fn]]:
        local = [(n, t) for n, t in self.scope.items() if isinstance(t, Fn)]
        for name, t in self.scope.items():
            if isinstance(t, Obj):
                local += self.methods_of(name, t)
        return local + list(self.helpers.items())

    def call(self, name: str, fn: Fn, depth: int) -> str:
        given = len(fn.params) - (self.rng.randint(0, fn.optional))
        texts = [self.expr(t, depth - 1) for t in fn.params[:given]]
        if given and self.flip(0.1) and not name.startswith("r"):
            texts[-1] = f"{fn.names[given - 1]}={texts[-1]}"
        return f"{name}({', '.join(texts)})"

    def do_call(self) -> bool:
        """Call a function for its effect, or bind its result."""
        found = [(n, fn) for n, fn in self.functions() if not isinstance(fn.result, Gen)]
        if not found:
            return False
        name, fn = self.pick(found)
        text = self.call(name, fn, 2)
        if self.flip(0.2):
            self.emit(text)
            return True
        target = self.name("v")
        self.emit(f"{target} = {text}")
        self.bind(target, fn.result)
        return True
