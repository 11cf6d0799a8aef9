"""Methods of lists and dicts."""

from __future__ import annotations

from .kinds import FLOAT, Dct, Lst


class Lists:
    """Lists and dicts that are changed by their methods."""

    def do_list_method(self) -> bool:
        names = [
            n
            for n in self.named(lambda t: isinstance(t, Lst) and t.n is not None, owned=True)
            if n not in self.fixed and n.startswith("xs")
        ]
        if not names or self.depth:
            return self.do_sort()
        name = self.pick(names)
        t = self.scope[name]
        n = t.n
        value = lambda: self.expr(t.item, 2)
        i = self.rng.randrange(n)
        forms = [
            (f"{name}.insert({i}, {value()})", 1),
            (f"{name}.extend([{value()}, {value()}])", 2),
            (f"{name} += [{value()}]", 1),
            (f"{name}[{i}:{i + 1}] = [{value()}, {value()}]", 1),
            (f"{name}[:1] = ({value()},)", 0),
            (f"{name}.reverse()", 0),
            (f"{name} = {name} + [{value()}]", 1),
            (f"{name} = {name}[::-1]", 0),
            (f"{name} = {name}.copy()", 0),
            (f"{name} = list({name})", 0),
            (f"{name}[0], {name}[-1] = {name}[-1], {name}[0]", 0),
        ]
        if n > 1:
            v = self.name("v")
            forms += [
                (f"{v} = {name}.pop()", -1),
                (f"{v} = {name}.pop({i})", -1),
                (f"{v} = {name}.pop(0) * 0.5", -1),
                (f"del {name}[{i}]", -1),
            ]
        text, more = self.pick(forms)
        self.emit(text)
        self.bind(name, Lst(t.item, n + more))
        if text.startswith("v"):
            self.bind(text.split(" = ")[0], t.item)
        return True

    def do_sort(self) -> bool:
        names = self.named(lambda t: isinstance(t, Lst) and t.item == FLOAT, owned=True)
        names = [n for n in names if n.startswith("xs")]
        if not names:
            return False
        key = self.pick(["", "reverse=True", "key=lambda e: -e", "key=lambda e: e * e", "key=abs"])
        self.emit(f"{self.pick(names)}.sort({key})")
        return True

    def do_shared_list(self) -> bool:
        """A list under two names, and a list twice in a list."""
        a, b = self.name("xs"), self.name("v")
        t = FLOAT
        self.emit(f"{a} = [{self.float(1)}, {self.float(1)}]")
        form = self.pick(["name", "inner", "argument"])
        n = 2
        if form == "name":
            self.emit(f"{b} = {a}")
            self.emit(f"{b}.append({self.float(2)})")
            self.emit(f"{a}[0] = {self.float(1)}")
            self.bind(b, Lst(t, 3))
            n = 3
        elif form == "inner":
            self.emit(f"{b} = [{a}, {a}]")
            self.emit(f"{b}[1][0] = {self.float(1)}")
            self.bind(b, Lst(Lst(t, 2), 2))
        else:
            self.emit(f"{b} = (lambda xs: xs.append({self.float(1)}))({a})")
            n = 3
        self.bind(a, Lst(t, n))
        self.fixed |= {a, b}
        return True

    def do_dict_method(self) -> bool:
        names = [
            n
            for n in self.named(lambda t: isinstance(t, Dct), owned=True)
            if n not in self.fixed and n.startswith("d")
        ]
        if not names or self.depth:
            return False
        name = self.pick(names)
        items = dict(self.scope[name].items)
        key = self.pick(list(items))
        t, new = items[key], self.some_type()
        v = self.name("v")
        forms = ["setdefault", "new", "update", "get", "default", "or", "merge"]
        if len(items) > 1:
            forms += ["pop", "del"]
        form = self.pick(forms)
        bound = None
        if form == "setdefault":
            self.emit(f"{v} = {name}.setdefault({key!r}, {self.expr(t, 1)})")
            bound = t
        elif form == "new":
            self.emit(f"{name}.setdefault('z', {self.expr(new, 2)})")
            items.setdefault("z", new)
        elif form == "update":
            self.emit(f"{name}.update({{{key!r}: {self.expr(t, 2)}}}, y={self.float(1)})")
            items["y"] = FLOAT
        elif form == "get":
            self.emit(f"{v} = {name}.get({key!r})")
            bound = t
        elif form == "default":
            self.emit(f"{v} = {name}.get('none', {self.float(1)})")
            bound = FLOAT
        elif form == "or":
            self.emit(f"{name} |= {{'x': {self.expr(new, 1)}}}")
            items["x"] = new
        elif form == "merge":
            self.emit(f"{name} = {{**{name}, 'x': {self.expr(new, 1)}}}")
            items["x"] = new
        elif form == "pop":
            self.emit(f"{v} = {name}.pop({key!r})")
            bound = items.pop(key)
        else:
            self.emit(f"del {name}[{key!r}]")
            del items[key]
        self.bind(name, Dct(tuple(items.items())))
        if bound is not None:
            self.bind(v, bound)
        return True
