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
Term = tuple[float, tuple[Atom, ...]]  # coefficient, factors


def collect(b: Builder, total: Atom, mark: int) -> Atom:
    """The same sum with like terms taken together; the sum itself where there are none.

    Variables made after `mark` belong to the derivative: their sums are opened.
    """
    if not isinstance(total, Var) or not is_number(total.type):
        return total
    terms: list[Term] = []
    if not _open(b, total, 1.0, mark, terms) or len(terms) < 2:
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


def _open(b: Builder, atom: Atom, sign: float, mark: int, terms: list[Term]) -> bool:
    """Split a sum into its terms; False where there are too many."""
    made = b.definitions.get(atom) if isinstance(atom, Var) else None
    if made is not None and made.target is atom and isinstance(atom, Var) and atom.serial >= mark:
        if not atom.named and made.style == "operator":
            if made.fn is np.add or made.fn is np.subtract:
                second = sign if made.fn is np.add else -sign
                return _open(b, made.args[0], sign, mark, terms) and _open(
                    b, made.args[1], second, mark, terms
                )
            if made.fn is np.negative:
                return _open(b, made.args[0], -sign, mark, terms)
    coefficient, factors = _factors(b, atom)
    terms.append((sign * coefficient, tuple(factors)))
    return len(terms) <= _MOST_TERMS


def _factors(b: Builder, atom: Atom) -> tuple[float, list[Atom]]:
    """A product as a number and its factors; what the user named is one factor."""
    if isinstance(atom, Const):
        if atom.path is None and type(atom.value) in (int, float):
            return float(atom.value), []
        return 1.0, [atom]
    made = b.definitions.get(atom)
    if made is None or made.target is not atom or not is_number(atom.type):
        return 1.0, [atom]
    if made.fn is np.multiply and made.style == "operator" and not atom.named:
        m, left = _factors(b, made.args[0])
        n, right = _factors(b, made.args[1])
        return m * n, left + right
    if made.fn is np.negative and made.style == "operator":
        m, inner = _factors(b, made.args[0])
        return -m, inner
    return 1.0, [atom]


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
