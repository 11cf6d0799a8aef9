"""Like terms of a sum of products: d * x * x * b + d * (b * x) * x + ... is 3 * d * b * x * x.

The product rule gives each factor of x * x * x a term of its own, and they are equal. An expert
writes one. Sums of numbers are written anew. For arrays, each product is a pass over memory, and
which of them are kept matters more: there a term is only counted, if it is equal to what it is
added to.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from .builder import Builder, is_number
from .core import Atom, Const, Var
from .infer import constant

_MOST_TERMS = 24
_MOST_FACTORS = 48
_MOST_ARRAY_FACTORS = 16
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


def counted(b: Builder, total: Atom, term: Atom) -> Atom | None:
    """total + term, of arrays, if they are one product: n times what is there already."""
    if not (isinstance(total, Var) and isinstance(term, Var)) or total.type != term.type:
        return None
    found, more = _array_factors(b, total), _array_factors(b, term)
    if found is None or more is None or Counter(found[1]) != Counter(more[1]):
        return None
    count, product = 1, total
    made = b.made(total)
    if made is not None and made.fn is np.multiply and type(_literal(made.args[0])) is int:
        count, product = made.args[0].value, made.args[1]  # type: ignore[assignment, union-attr]
    number = count * (1 + more[0] / found[0])
    if not number or abs(number - round(number)) > 1e-12 * abs(number):
        return None
    return b.op(np.multiply, constant(round(number)), product, style="operator")


def _array_factors(b: Builder, product: Atom) -> Term | None:
    """A product of arrays as a number and its factors; None where there are too many."""
    coefficient = 1.0
    factors: list[Atom] = []
    todo = [product]
    while todo:
        atom = todo.pop()
        number = _literal(atom)
        if number is not None:
            coefficient *= number
            continue
        made = b.made(atom)
        opened = made is not None and made.style == "operator"
        if opened and atom is not product:
            opened = not atom.named  # type: ignore[union-attr]
        if opened and made.fn is np.multiply:  # type: ignore[union-attr]
            todo += made.args  # type: ignore[union-attr]
        elif opened and made.fn is np.negative:  # type: ignore[union-attr]
            coefficient = -coefficient
            todo += made.args  # type: ignore[union-attr]
        else:
            factors.append(atom)
        if len(factors) + len(todo) > _MOST_ARRAY_FACTORS:
            return None
    return (coefficient, tuple(factors)) if coefficient else None


def _literal(atom: Atom) -> float | None:
    if isinstance(atom, Const) and atom.path is None and type(atom.value) in (int, float):
        return atom.value  # type: ignore[no-any-return]
    return None


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
