"""Which variables are needed later, and so cannot share a name.

Two variables interfere when one is defined while the value of the other is still needed. The
versions of one object, and a loop's parameter and result, are one variable here: they are one name
in the printed code.
"""

from __future__ import annotations

from collections.abc import Iterable

from .. import core
from ..core import Atom, Block, For, Function, If, Loop, Op, Var, While


class Interference:
    """Which storage roots interfere; `root` finds the root of a variable.

    Sets of roots are integers, one bit for each root. In a long function nearly everything is
    needed to its end, so there are about as many pairs as the square of its length: a set is
    copied, joined and compared as a whole, and never walked.
    """

    def __init__(self, function: Function, folded: dict[Var, Op]) -> None:
        self.folded = folded  # printed where they are used: they read their operands there
        self.roots: dict[Var, Var] = {}
        self._bits: dict[Var, int] = {}
        self._needed: dict[Var, int] = {}  # root -> what is needed where it is defined
        self._join_loops(function.body)
        live = self._block(function.body, 0)
        params = self._all(function.params)
        for param in function.params:
            self._define(param, live | params)

    def root(self, var: Var) -> Var:
        var = var.root
        while var in self.roots:
            var = self.roots[var]
        return var

    def bit(self, root: Var) -> int:
        """The set of this one root."""
        found = self._bits.get(root)
        if found is None:
            found = self._bits[root] = 1 << len(self._bits)
        return found

    def needed_beside(self, root: Var) -> int:
        """The roots that are needed where this one is defined.

        Two interfere when one of them is needed beside the other: each is to be asked.
        """
        return self._needed.get(root, 0)

    def _join_loops(self, block: Block) -> None:
        for stmt in core.walk(block):
            if isinstance(stmt, Loop):
                for param, result in zip(stmt.params, stmt.results, strict=True):
                    a, b = self.root(param), self.root(result)
                    if a is not b:
                        self.roots[b] = a

    def _all(self, variables: Iterable[Var]) -> int:
        found = 0
        for var in variables:
            found |= self.bit(self.root(var))
        return found

    def _define(self, var: Var, live: int) -> None:
        root = self.root(var)
        self._needed[root] = (self._needed.get(root, 0) | live) & ~self.bit(root)

    def _use(self, live: int, atom: Atom) -> int:
        if not isinstance(atom, Var) or atom.external is not None:
            return live
        if atom in self.folded:
            for operand in self.folded[atom].operands():
                live = self._use(live, operand)
            return live
        return live | self.bit(self.root(atom))

    def _block(self, block: Block, live: int) -> int:
        """Go backwards through a block; `live` is what is needed after it."""
        for atom in block.yields:
            live = self._use(live, atom)
        for stmt in reversed(block.stmts):
            if isinstance(stmt, Op):
                if stmt.target in self.folded:
                    continue
                for var in core.defined_by(stmt):
                    self._define(var, live)
                    if var.root is var:
                        live &= ~self.bit(self.root(var))
                for atom in stmt.operands():
                    live = self._use(live, atom)
            elif isinstance(stmt, If):
                live = self._branch(stmt, live)
            else:
                live = self._loop(stmt, live)
        return live

    def _branch(self, stmt: If, live: int) -> int:
        for result in stmt.results:
            self._define(result, live)
        after = live & ~self._all(r for r in stmt.results if r.root is r)
        live = self._block(stmt.then, after) | self._block(stmt.orelse, after)
        return self._use(live, stmt.test)

    def _loop(self, stmt: Loop, live: int) -> int:
        """The body ends by giving the parameters their next values: there they are dead."""
        results = self._all(stmt.results)
        for result in stmt.results:
            self._define(result, live | results)
        params = self._all(stmt.params)
        around = live & ~results
        while True:
            head = self._block(stmt.body, around)
            if isinstance(stmt, While):
                head = self._block(stmt.cond, head)
            if isinstance(stmt, For):
                items = [v for v in stmt.items if v is not None]
                for item in items:
                    self._define(item, head | params)
                head &= ~self._all(items)
            outer = head & ~params
            if not outer & ~around:
                break
            around |= outer
        for param in stmt.params:
            self._define(param, around | params)
        live = around
        for atom in core.read_by(stmt):
            live = self._use(live, atom)
        return live
