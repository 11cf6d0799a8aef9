"""Which variables are needed later, and so cannot share a name.

Two variables interfere when one is defined while the value of the other is still needed. The
versions of one object, and a loop's parameter and result, are one variable here: they are one name
in the printed code.
"""

from __future__ import annotations

from .. import core
from ..core import Atom, Block, For, Function, If, Loop, Op, Var, While


class Interference:
    """An undirected graph over storage roots; `root` finds the root of a variable."""

    def __init__(self, function: Function, folded: dict[Var, Op]) -> None:
        self.folded = folded  # printed where they are used: they read their operands there
        self.roots: dict[Var, Var] = {}
        self.edges: dict[Var, set[Var]] = {}
        self._join_loops(function.body)
        live = self._block(function.body, set())
        for param in function.params:
            self._define(param, live | set(map(self.root, function.params)))

    def root(self, var: Var) -> Var:
        var = var.root
        while var in self.roots:
            var = self.roots[var]
        return var

    def _join_loops(self, block: Block) -> None:
        for stmt in core.walk(block):
            if isinstance(stmt, Loop):
                for param, result in zip(stmt.params, stmt.results, strict=True):
                    a, b = self.root(param), self.root(result)
                    if a is not b:
                        self.roots[b] = a

    def interfere(self, a: Var, b: Var) -> bool:
        return b in self.edges.get(a, ())

    def _define(self, var: Var, live: set[Var]) -> None:
        root = self.root(var)
        mine = self.edges.setdefault(root, set())
        for other in live:
            if other is not root:
                mine.add(other)
                self.edges.setdefault(other, set()).add(root)

    def _use(self, live: set[Var], atom: Atom) -> None:
        if not isinstance(atom, Var) or atom.external is not None:
            return
        if atom in self.folded:
            for operand in self.folded[atom].operands():
                self._use(live, operand)
            return
        live.add(self.root(atom))

    def _block(self, block: Block, live: set[Var]) -> set[Var]:
        """Go backwards through a block; `live` is what is needed after it."""
        live = set(live)
        for atom in block.yields:
            self._use(live, atom)
        for stmt in reversed(block.stmts):
            if isinstance(stmt, Op):
                if stmt.target in self.folded:
                    continue
                for var in core.defined_by(stmt):
                    self._define(var, live)
                    if var.root is var:
                        live.discard(self.root(var))
                for atom in stmt.operands():
                    self._use(live, atom)
            elif isinstance(stmt, If):
                live = self._branch(stmt, live)
            else:
                live = self._loop(stmt, live)
        return live

    def _branch(self, stmt: If, live: set[Var]) -> set[Var]:
        for result in stmt.results:
            self._define(result, live)
        after = live - {self.root(r) for r in stmt.results if r.root is r}
        live = self._block(stmt.then, after) | self._block(stmt.orelse, after)
        self._use(live, stmt.test)
        return live

    def _loop(self, stmt: Loop, live: set[Var]) -> set[Var]:
        """The body ends by giving the parameters their next values: there they are dead."""
        results = {self.root(r) for r in stmt.results}
        for result in stmt.results:
            self._define(result, live | results)
        params = {self.root(p) for p in stmt.params}
        around = live - results
        while True:
            head = self._block(stmt.body, around)
            if isinstance(stmt, While):
                head = self._block(stmt.cond, head)
            if isinstance(stmt, For):
                items = [v for v in stmt.items if v is not None]
                for item in items:
                    self._define(item, head | params)
                head -= {self.root(v) for v in items}
            outer = head - params
            if outer <= around:
                break
            around |= outer
        for param in stmt.params:
            self._define(param, around | params)
        live = around
        for atom in core.read_by(stmt):
            self._use(live, atom)
        return live
