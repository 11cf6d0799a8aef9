"""Take out of loops what they hand from one iteration to the next without changing it.

A backward sweep carries the cotangents of all that a loop carries. Where the loop only reads one,
it is the same before, in and after the loop.
"""

from __future__ import annotations

from .. import core
from ..core import Atom, Function, Loop, Var
from ..structure import rename


def drop_unchanged(function: Function) -> None:
    """Remove the parameters of loops that keep their values, in place."""
    renamed: dict[Var, Atom] = {}
    for stmt in core.walk(function.body):
        if not isinstance(stmt, Loop):
            continue
        kept = [
            k
            for k, param in enumerate(stmt.params)
            if stmt.body.yields[k] is not param or not isinstance(stmt.inits[k], Var)
        ]
        for k in set(range(len(stmt.params))) - set(kept):
            renamed[stmt.params[k]] = renamed[stmt.results[k]] = stmt.inits[k]
        if len(kept) < len(stmt.params):
            stmt.body.yields = [*(stmt.body.yields[k] for k in kept), stmt.stop]
            stmt.params = [stmt.params[k] for k in kept]
            stmt.inits = [stmt.inits[k] for k in kept]
            stmt.results = [stmt.results[k] for k in kept]
    if renamed:
        rename(function, renamed)
