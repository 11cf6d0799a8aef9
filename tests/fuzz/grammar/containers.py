"""Lists and dicts."""

from __future__ import annotations

from .kinds import FLOAT, Arr, Dct, Lst, Type


class Containers:
    """Lists that grow, comprehensions, stores into lists and dicts."""

    def do_list(self) -> bool:
        name = self.name("xs")
        t = self.weighted([(3, FLOAT), (2, Arr(self.shape()))])
        n = self.rng.randint(1, 3)
        self.emit(f"{name} = [{', '.join(self.expr(t, 2) for _ in range(n))}]")
        self.bind(name, Lst(t, n))
        return True

    def do_append(self) -> bool:
        lists = [
            n
            for n in self.named(lambda t: isinstance(t, Lst), owned=True)
            if n not in self.fixed and n.startswith("xs")
        ]
        if lists and self.flip(0.5):
            name = self.pick(lists)
            t = self.scope[name]
            self.emit(f"{name}.append({self.expr(t.item, 2)})")
            self.bind(name, Lst(t.item, None if t.n is None else t.n + 1))
            return True
        if self.mult > 12 or self.depth > 2:
            return False
        name = self.name("xs")
        t = self.weighted([(3, FLOAT), (2, Arr(self.shape()))])
        first = self.flip(0.5)
        self.emit(f"{name} = [{self.expr(t, 1) if first else ''}]")
        head, n, params = self.walked()
        self.emit(f"for {head}:")
        seen = {name: Lst(t, None)} if first else {}
        sometimes = self.flip(0.25) and first
        with self.loop(n, params | seen, may_leave=first):
            self.owned.discard(name)
            self.fixed.add(name)
            if self.flip(0.4):
                self.block(1)
            text = f"{name}.append({self.expr(t, 2)})"
            if sometimes:
                self.emit(f"if {self.condition()}:")
                text = "    " + text
            self.emit(text)
            certain = not self.left and not sometimes
        exact = certain and not any("[1:]" in x or "zip" in x for x in [head]) and "xs" not in head
        if not first and not exact:
            self.emit(f"{name}.append({self.expr(t, 1)})")
        self.bind(name, Lst(t, n + first if exact else None))
        return True

    def do_comprehension(self) -> bool:
        if self.mult > 12:
            return False
        name = self.name("xs")
        text, t, n = self.comprehension(2)
        self.emit(f"{name} = {text}")
        self.bind(name, Lst(t, n))
        return True

    def comprehension(self, depth: int, t: Type | None = None) -> tuple[str, Type, int | None]:
        t = t or self.weighted([(3, FLOAT), (2, Arr(self.shape()))])
        head, n, params = self.walked()
        kept = self.scope
        self.scope = dict(kept) | params
        text = self.expr(t, depth)
        self.scope = kept
        certain = head.split(" in ", 1)[1].startswith("range")
        if self.flip(0.05):
            self.scope = dict(kept) | params
            test = self.condition()
            self.scope = kept
            return f"[{self.expr(t, 1)}] + [{text} for {head} if {test}]", t, None
        return f"[{text} for {head}]", t, n if certain else None

    def do_list_store(self) -> bool:
        names = self.named(lambda t: isinstance(t, Lst), owned=True)
        if not names:
            return False
        name = self.pick(names)
        t = self.scope[name]
        i = self.index(t.n or 1)
        if isinstance(t.item, Arr) and self.flip(0.4):
            place = f"{name}[{i}][{self.index(t.item.shape[0])}]"
            self.emit(f"{place} {self.pick(['=', '+=', '*='])} {self.expr(self.row(t.item), 1)}")
            return True
        op = self.pick(["=", "=", "+=", "*="])
        self.emit(f"{name}[{i}] {op} {self.expr(t.item, 2)}")
        return True

    def do_dict(self) -> bool:
        name = self.name("d")
        items = tuple((k, self.some_type()) for k in ["a", "b", "c"][: self.rng.randint(1, 3)])
        if self.flip(0.2):
            text = ", ".join(f"{k}={self.expr(t, 2)}" for k, t in items)
            self.emit(f"{name} = dict({text})")
        else:
            text = ", ".join(f"{k!r}: {self.expr(t, 2)}" for k, t in items)
            self.emit(f"{name} = {{{text}}}")
        self.bind(name, Dct(items))
        return True

    def do_dict_store(self) -> bool:
        names = self.named(lambda t: isinstance(t, Dct), owned=True)
        if not names:
            return False
        name = self.pick(names)
        key, t = self.pick(list(self.scope[name].items))
        if isinstance(t, Arr) and self.flip(0.4):
            place = f"{name}[{key!r}][{self.index(t.shape[0])}]"
            self.emit(f"{place} {self.pick(['=', '+='])} {self.expr(self.row(t), 1)}")
            return True
        self.emit(f"{name}[{key!r}] {self.pick(['=', '=', '+=', '*='])} {self.expr(t, 2)}")
        return True
