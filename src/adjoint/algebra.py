"""Like terms of a sum of products: d * x * x * b + d * (b * x) * x + ... is 3 * d * b * x * x.

The product rule gives each factor of x * x * x a term of its own, and they are equal. An expert
writes one. Only numbers are treated so: for arrays, each product is a pass over memory, and which
of them are kept matters more.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from .builder import Builder, is_number
from .core import Atom, Const, Var
from .infer import constant

_MOST_TERMS = 24
_MOST_FACTORS = 48
Term = tuple[float, tuple[Atom, ...]]  # coefficient, factors


def collect(b: Builder, total: Atom, mark: int) -> Atom:
    """The same sum with like terms taken together; the sum itself where there are none.

    Variables made after `mark` belong to the derivative: their sums are opened.
    """
    if not isinstance(total, Var) or not is_number(total.type):
        return total
    terms = _terms(b, total, mark)
    if terms is None or len(terms) < 2:
        return total
    merged: dict[frozenset[tuple[Atom, int]], Term] = {}
    for coefficient, factors in terms:
        key = frozenset(Counter(factors).items())
        before = merged.get(key)
        merged[key] = (
            coefficient + (before[0] if before else 0.0),
            before[1] if before else factors,
        )
    if len(merged) == len(terms):
        return total
    return _sum(b, [t for t in merged.values() if t[0] != 0])


def _terms(b: Builder, total: Atom, mark: int) -> list[Term] | None:
    """The terms of a sum; None where there are too many, or too many factors in one."""
    terms: list[Term] = []
    todo = [(total, 1.0)]
    while todo:
        atom, sign = todo.pop()
        made = b.definitions.get(atom) if isinstance(atom, Var) else None
        if made is not None and made.target is atom and isinstance(atom, Var):
            if atom.serial >= mark and not atom.named and made.style == "operator":
                if made.fn is np.add or made.fn is np.subtract:
                    if len(terms) + len(todo) + 2 > _MOST_TERMS:
                        return None
                    todo.append((made.args[1], sign if made.fn is np.add else -sign))
                    todo.append((made.args[0], sign))
                    continue
                if made.fn is np.negative:
                    todo.append((made.args[0], -sign))
                    continue
        term = _factors(b, atom)
        if term is None:
            return None
        terms.append((sign * term[0], term[1]))
    return terms


def _factors(b: Builder, product: Atom) -> Term | None:
    """A product as a number and its factors; what the user named is one factor."""
    coefficient = 1.0
    factors: list[Atom] = []
    todo = [product]
    while todo:
        atom = todo.pop()
        if isinstance(atom, Const):
            if atom.path is None and type(atom.value) in (int, float):
                coefficient *= float(atom.value)
            else:
                factors.append(atom)
            continue
        made = b.definitions.get(atom)
        if made is not None and made.target is atom and made.style == "operator":
            if is_number(atom.type):
                if made.fn is np.multiply and not atom.named:
                    if len(factors) + len(todo) + 2 > _MOST_FACTORS:
                        return None
                    todo += [made.args[1], made.args[0]]
                    continue
                if made.fn is np.negative:
                    coefficient = -coefficient
                    todo.append(made.args[0])
                    continue
        factors.append(atom)
    return coefficient, tuple(factors)


def _sum(b: Builder, terms: list[Term]) -> Atom:
    total: Atom | None = None
    for coefficient, factors in terms:
        size = abs(coefficient)
        number = int(size) if size.is_integer() else size
        product: Atom = constant(number)
        for factor in factors:
            product = b.op(np.multiply, product, factor, style="operator")
        if total is None:
            total = product if coefficient > 0 else b.op(np.negative, product, style="operator")
        else:
            fn = np.add if coefficient > 0 else np.subtract
            total = b.op(fn, total, product, style="operator")
    return constant(0.0) if total is None else total
