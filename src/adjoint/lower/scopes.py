"""The names of a function's own scope: what its statements bind and declare."""

from __future__ import annotations

import functools
from typing import Any

import gast

_SCOPES = (gast.FunctionDef, gast.AsyncFunctionDef, gast.Lambda, gast.ClassDef)
_NONE: frozenset[str] = frozenset()
_COMPREHENSIONS = (gast.ListComp, gast.SetComp, gast.DictComp, gast.GeneratorExp)


class Scope:
    """What one walk through a function finds; what is inside functions in it does not count."""

    def __init__(self, function: Any) -> None:
        assigned: set[str] = set()
        global_: set[str] = set()
        nonlocal_: set[str] = set()
        self.yields = False  # whether it is a generator
        self._inner: list[Any] = []
        self._function = function
        body = function.body if isinstance(function.body, list) else [function.body]
        todo = [(node, False) for node in reversed(body)]
        while todo:
            node, in_comprehension = todo.pop()
            cls = node.__class__
            if cls is gast.Name:
                if not in_comprehension and isinstance(node.ctx, gast.Store):
                    assigned.add(node.id)
                continue
            if cls in _SCOPES:
                assigned.add(getattr(node, "name", "<lambda>"))
                self._inner.append(node)
                continue
            if cls is gast.NamedExpr:
                assigned.add(node.target.id)
            elif cls is gast.MatchAs or cls is gast.MatchStar:
                assigned.update([node.name] if node.name is not None else [])
            elif cls is gast.MatchMapping:
                assigned.update([node.rest] if node.rest is not None else [])
            elif cls is gast.Import or cls is gast.ImportFrom:
                assigned.update(a.asname or a.name.split(".")[0] for a in node.names)
            elif cls is gast.Global:
                global_.update(node.names)
            elif cls is gast.Nonlocal:
                nonlocal_.update(node.names)
            elif cls is gast.Yield or cls is gast.YieldFrom:
                self.yields = True
            inside = in_comprehension or cls in _COMPREHENSIONS
            todo += [(child, inside) for child in children(node)]
        self.globals = frozenset(global_)
        self.nonlocals = frozenset(nonlocal_)
        self.locals = frozenset(assigned) - self.globals - self.nonlocals

    @functools.cached_property
    def shared(self) -> frozenset[str]:
        """The names that functions inside this one assign: kept where those find them."""
        named: set[str] = set()
        for function in self._inner:
            for node in gast.walk(function):
                if isinstance(node, gast.Nonlocal):
                    named.update(node.names)
        named -= self.nonlocals
        return frozenset(named & self.locals.union(_parameters(self._function))) if named else _NONE


@functools.lru_cache(maxsize=1024)
def scope_of(function: Any) -> Scope:
    """The scope of a function, a lambda or a class, by its tree."""
    return Scope(function)


def children(node: Any) -> list[Any]:
    """The nodes in a node's fields. (That of `ast` is a generator, several times as slow.)"""
    found = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [v for v in value if isinstance(v, gast.AST)]
        elif isinstance(value, gast.AST):
            found.append(value)
    return found


def _parameters(function: Any) -> list[str]:
    spec = function.args
    rest = [a for a in (spec.vararg, spec.kwarg) if a is not None]
    return [a.id for a in [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *rest]]
