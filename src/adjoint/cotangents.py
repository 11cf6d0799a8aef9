"""Cotangents while a backward sweep is built: fitted to their variables, summed, kept apart.

A cotangent is an atom, or for a container the cotangents of its parts (`Parts`), so that
`params["w"]` costs nothing. Adding decides nothing at run time: the first contribution is the
cotangent, later ones are added to it.
"""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from . import core
from .algebra import collect, counted
from .builder import VIEWS, Builder, is_number, item_type
from .core import Atom, Const, Op, Var
from .disjoint import are_disjoint, cover
from .errors import Origin
from .infer import constant, dict_options
from .rules import runtime as rule_runtime
from .runtime import generic
from .types import (
    NONE,
    Array,
    Dict,
    Dim,
    List,
    Scalar,
    Shape,
    Tuple,
    Type,
    Unknown,
    carries_derivative,
    dims_of,
    filled,
    has_to_be_cast,
    is_complex,
    is_container,
    is_many,
    may_be_ints,
)


@dataclass
class Parts:
    """The cotangents of a container's elements, those that are not zero."""

    items: dict[Any, Cotangent] = field(default_factory=dict)


Cotangent = Atom | Parts

# Operations whose result is memory of its own, which a cotangent may be summed into.
_NOT_FRESH = VIEWS | {np.reshape, np.ravel, np.real, np.imag, np.asarray, np.diagonal, np.flip}


@dataclass(frozen=True)
class Scatter:
    index: Atom
    value: Atom
    unique: bool  # the index names no element twice
    origin: Origin | None


class Cotangents:
    """The cotangents known at one point of a backward sweep: variable -> cotangent."""

    def __init__(self, builder: Builder, mark: int, unbound: set[Var]) -> None:
        self.b = builder
        self.mark = mark  # variables made later belong to the backward sweep
        self.unbound = unbound  # what may have no value, and so no cotangent
        self.values: dict[Var, Cotangent] = {}
        self.owners: Counter[Var] = Counter()  # how many cotangents are this very atom
        self.kept: set[Var] = set()  # copies of values of the forward sweep, which others read
        self.given: set[Var] = set()  # memory that lists of cotangents hold
        self.scattered: dict[Var, list[Scatter]] = {}  # contributions to elements, put off
        # While a change through a view is undone: the view of the cotangent, and whose it is.
        self.resident: tuple[Var, Var] | None = None

    # -- the table ------------------------------------------------------------------------

    def get(self, var: Var) -> Cotangent | None:
        if var in self.scattered:
            self._gather(var)
        return self.values.get(var)

    def pop(self, var: Var) -> Cotangent | None:
        if var in self.scattered:
            self._gather(var)
        value = self.values.pop(var, None)
        if isinstance(value, Var):
            self.owners[value] -= 1
        return value

    def set(self, var: Var, value: Cotangent) -> None:
        before = self.values.pop(var, None)
        if isinstance(before, Var):
            self.owners[before] -= 1
        self.values[var] = value
        if isinstance(value, Var):
            self.owners[value] += 1

    # -- contributions to elements --------------------------------------------------------

    def scatter(self, var: Var, index: Atom, value: Atom, unique: bool) -> None:
        """Add `value` at `index` of the cotangent of an array.

        It is put off until the whole cotangent is asked for: added into another contribution's
        memory, it needs no array of zeros.
        """
        self.scattered.setdefault(var, []).append(Scatter(index, value, unique, self.b.origin))
        if isinstance(value, Var):
            self.owners[value] += 1

    def flush(self) -> None:
        """Carry out what was put off."""
        for var in list(self.scattered):
            self._gather(var)

    def _gather(self, var: Var) -> None:
        origin = self.b.origin
        parts = self.scattered.pop(var)
        fresh = var not in self.values
        self.b.origin = parts[0].origin
        whole = self.own(var)
        if fresh and self._are_all(parts, var):
            made = self.b.definition(whole, np.zeros_like)
            if made is not None:
                made.fn = np.empty_like
        for position, part in enumerate(parts):
            untouched = fresh and self._is_apart(part, parts[:position])
            whole = self.add_part(whole, part, untouched)
            self.set(var, whole)
        self.b.origin = origin

    def _is_apart(self, part: Scatter, others: list[Scatter]) -> bool:
        """Whether a contribution is to other elements than all of these."""
        return all(
            other.unique and are_disjoint(other.index, part.index, self.b.definitions)
            for other in others
        )

    def _are_all(self, parts: list[Scatter], var: Var) -> bool:
        """Whether contributions are to all elements of an array."""
        indices = [part.index for part in parts]
        return all(p.unique for p in parts) and cover(indices, var.type, self.b.definitions)

    def add_part(self, present: Var, part: Scatter, first: bool = False) -> Var:
        """Add a contribution to elements of an array; the first one may be stored."""
        self.b.origin = part.origin
        fn = core.STORE if first else core.STORE_ADD
        negative = self.b.definition(part.value, np.negative)
        if isinstance(part.value, Var):
            self.owners[part.value] -= 1
        if not part.unique:
            return self.b.in_place(core.ADD_AT, present, part.index, part.value)
        if negative is not None and not first:
            return self.b.in_place(core.STORE_SUB, present, part.index, negative.args[0])
        if not first and isinstance(part.value, Const) and part.value.value < 0:
            positive = constant(-part.value.value)
            return self.b.in_place(core.STORE_SUB, present, part.index, positive)
        return self.b.in_place(fn, present, part.index, part.value)

    def add(self, atom: Atom, value: Cotangent, *, fitted: bool = False, lend: bool = True) -> None:
        """Add a contribution to the cotangent of an atom.

        `lend`: it may share memory with the cotangent that it was computed from.
        """
        if not isinstance(atom, Var):
            return
        if isinstance(value, Parts):
            self._add_parts(atom, value)
            return
        if not fitted:
            value = self.fit(value, atom)
        if self.resident is not None:
            shown, view = self.resident
            if atom is view:
                lend = False
            elif self._is_part_of(value, shown):
                value, lend = self.copy(value, atom), False
        if lend:
            self._lend(value)
        before = self.values.get(atom)
        if isinstance(before, Parts):
            before = self.materialise(before, atom)
        if before is None:
            self.set(atom, self.named(value, atom) if _is_array(atom.type) else value)
            return
        if is_container(atom.type) or isinstance(atom.type, Unknown):
            total = self.b.op(generic.add, before, value, type=atom.type)
        elif before is value:
            total = self.b.op(np.multiply, constant(2), value, style="operator")
        elif _is_array(atom.type) and (found := counted(self.b, before, value)) is not None:
            total = found
        elif self._can_sum_into(before, value, atom):
            assert isinstance(before, Var)
            negative = self.b.definition(value, np.negative)
            fn = np.add if negative is None else np.subtract
            term = self._unspread(value if negative is None else negative.args[0])
            last = self.b.block.stmts[-1] if self.b.block.stmts else None
            if isinstance(last, Op) and last.version is before and last.args[1:] == [term]:
                if last.fn is fn:  # twice the same: d_x += d; d_x += d
                    self.b.block.stmts.pop()
                    before = last.args[0]  # type: ignore[assignment]
                    term = self.b.op(np.multiply, constant(2), term, style="operator")
            self.set(atom, self.b.in_place(fn, before, term, style="inplace"))
            return
        elif dims_of(before.type) and dims_of(before.type) == dims_of(value.type):
            total = self.b.op(np.add, before, self._unspread(value), style="operator")
        else:
            total = self.b.op(np.add, before, value, style="operator")
        self.set(atom, self.named(total, atom) if _is_array(atom.type) else total)

    def _unspread(self, value: Atom) -> Atom:
        """What is added to an array of the same shape: NumPy spreads it as it adds."""
        spread = self.b.definition(value, np.broadcast_to)
        return value if spread is None else spread.args[0]

    def add_all(self, contributions: list[tuple[Atom, Atom]]) -> None:
        """Add contributions that were computed together: none is changed by adding another."""
        values = [v for _, v in contributions if isinstance(v, Var)]
        self.owners.update(values)
        for atom, value in contributions:
            if isinstance(value, Var):
                self.owners[value] -= 1
            self.add(atom, value)

    def _is_part_of(self, value: Atom, whole: Var) -> bool:
        """Whether a value may share the memory of a part of a cotangent."""
        while isinstance(value, Var) and not is_number(value.type):
            if value.root is whole.root:
                return True
            made = self.b.definitions.get(value)
            if made is None or not (made.fn in _NOT_FRESH or _returns_operand(made.fn)):
                return False
            value = made.args[0]
        return False

    def may_overlap(self, a: Var, b: Var) -> bool:
        """Whether two values may share memory."""
        return self._is_part_of(a, b) or self._is_part_of(b, a)

    def _lend(self, value: Atom) -> None:
        """A view of a cotangent's memory is handed on: that memory is not summed into any more.

        A number that was read from an array shares nothing with it.
        """
        if is_number(value.type):
            return
        made = self.b.definitions.get(value) if isinstance(value, Var) else None
        while made is not None and made.target is value and isinstance(value, Var):
            if made.fn is core.CALL:  # a function of the user's, which may return what it was given
                for operand in made.operands():
                    if isinstance(operand, Var) and not is_number(operand.type):
                        self.owners.update((operand, operand.root))
                        self._lend(operand)
                return
            if value.serial < self.mark or not (made.fn in _NOT_FRESH or _returns_operand(made.fn)):
                return
            source = made.args[0]
            if not isinstance(source, Var):
                return
            self.owners[source] += 1
            if source.root is not source:
                self.owners[source.root] += 1
            value, made = source, self.b.definitions.get(source)

    def give(self, value: Cotangent | None) -> None:
        """A cotangent is put into a list: its memory is not changed any more."""
        if isinstance(value, Parts):
            for part in value.items.values():
                self.give(part)
        while isinstance(value, Var) and not is_number(value.type) and value.serial >= self.mark:
            self.given.add(value.root)
            made = self.b.definitions.get(value)
            if made is None or made.target is not value or not made.args:
                return
            if made.fn in (core.TUPLE, core.LIST):
                for operand in made.args:
                    self.give(operand)
                return
            if not (made.fn in _NOT_FRESH or _returns_operand(made.fn)):
                return
            value = made.args[0]

    def _add_parts(self, atom: Var, value: Parts) -> None:
        before = self.values.get(atom)
        if before is None:
            self.set(atom, value)
        elif isinstance(before, Parts):
            for key, part in value.items.items():
                self._add_part(before, atom, key, part)
        else:
            self.add(atom, self.materialise(value, atom), fitted=True)

    def add_item(self, container: Var, key: Any, value: Cotangent) -> None:
        """Add to the cotangent of container[key], for a constant key."""
        before = self.values.get(container)
        if before is not None and not isinstance(before, Parts):
            before = self.taken_apart(before, container)
            self.set(container, before)
        if before is None:
            before = Parts()
            self.set(container, before)
        self._add_part(before, container, key, value)

    def taken_apart(self, whole: Atom, container: Var) -> Parts:
        """A cotangent of a container of known form, as the cotangents of its elements."""
        t = container.type
        keys: Any = t.keys if isinstance(t, Dict) else range(len(t.items or ()))  # type: ignore[attr-defined]
        parts = Parts()
        for key in keys:
            element = item_type(t, key) or Unknown()
            if carries_derivative(element):
                parts.items[key] = self.b.op(operator.getitem, whole, constant(key), type=element)
        return parts

    def add_part_of(self, parts: Parts, t: Type, key: Any, value: Cotangent) -> None:
        """Add to the cotangent of an element of a container of type `t`."""
        self._add_part(parts, Var("whole", t), key, value)

    def _add_part(self, parts: Parts, container: Var, key: Any, value: Cotangent) -> None:
        before = parts.items.get(key)
        if before is None:
            if isinstance(value, Var):
                self.owners[value] += 1
            parts.items[key] = value
        elif isinstance(before, Parts) and isinstance(value, Parts):
            for inner, part in value.items.items():
                self._add_part(before, container, inner, part)
        else:
            stand_in = Var("part", item_type(container.type, key) or Unknown())
            if isinstance(before, Parts):
                before = self.materialise(before, stand_in)
            if isinstance(value, Parts):
                value = self.materialise(value, stand_in)
            if is_container(stand_in.type) or isinstance(stand_in.type, Unknown):
                total = self.b.op(generic.add, before, value, type=stand_in.type)
            else:
                total = self.b.op(np.add, before, value, style="operator")
                if isinstance(total, Var) and isinstance(before, Var) and before.named:
                    total.name, total.named = before.name, True
            parts.items[key] = total

    def named(self, value: Atom, of: Var) -> Atom:
        """Call the cotangent of `x` `d_x`, if the value has no name yet."""
        if isinstance(value, Var) and value.serial >= self.mark and not value.named:
            value.name = f"d_{of.name.strip('_')}"
            value.named = of.named
        return value

    # -- zeros and containers -------------------------------------------------------------

    def zeros(self, of: Var) -> Atom:
        """A cotangent of zeros, as an array or number that can be added to."""
        t = of.type
        if isinstance(t, Scalar) or (isinstance(t, Array) and t.dims == ()):
            return constant(0.0)
        if isinstance(t, Array):
            zeros = self.b.filled_like(np.zeros_like, of, type=t)
        else:
            zeros = self.b.op(generic.zeros_like, of, type=t)
        return self.named(zeros, of)

    def materialise(self, value: Cotangent | None, of: Var) -> Atom:
        """A cotangent as one atom; zeros where there is none."""
        if value is None:
            return self.zeros(of)
        if not isinstance(value, Parts):
            return self.named(collect(self.b, value, self.mark), of)
        t = of.type
        if isinstance(t, (Tuple, List)) and t.items is not None:
            length = len(t.items)
            parts = {k % length if isinstance(k, int) else k: v for k, v in value.items.items()}
            items = [self._part(parts.get(i), of, i) for i in range(length)]
            made = self.b.op(core.TUPLE if isinstance(t, Tuple) else core.LIST, *items)
        elif isinstance(t, Dict) and t.keys is not None:
            items = [self._part(value.items.get(k), of, k) for k in t.keys]
            made = self.b.op(core.DICT, *items, **dict_options(t, of))
        else:
            made = self.b.op(generic.zeros_like, of, type=t)
            for key, part in value.items.items():
                element = self._part(part, of, key)
                made = self.b.op(generic.add_item, made, constant(key), element, type=t)
        return self.named(made, of)

    def solid(self, value: Cotangent | None, of: Var) -> Atom:
        """A cotangent as one atom of the variable's dtype: what a branch or a loop hands on."""
        atom = self.materialise(value, of)
        t = of.type
        if isinstance(t, Array) and isinstance(atom.type, Array) and has_to_be_cast(atom.type, t):
            return self.copy(atom, of) if t.dims else self._cast(atom, t)
        return atom

    def _cast(self, value: Atom, t: Array) -> Atom:
        """A cotangent in another dtype; a number may be one of Python's, which has no astype."""
        assert isinstance(value.type, Array)
        made = Array(t.element, value.type.dims, value.type.module)
        if made.dims == () and made.module == "numpy":
            return self.b.op(t.element.type, value, type=made)
        return self.b.op(np.ndarray.astype, value, constant(t.element), style="method", type=made)

    def _part(self, value: Cotangent | None, of: Var, key: Any) -> Atom:
        if value is not None and not isinstance(value, Parts):
            return value
        if not carries_derivative(item_type(of.type, key) or Unknown()):
            return constant(None)
        element = self.b.item(of, key)
        if isinstance(element, Const):  # a number that is written out, or a constant array
            is_small = is_number(element.type)
            return constant(0.0) if is_small else self.b.op(np.zeros_like, element)
        return self.materialise(value, element)

    # -- fitting --------------------------------------------------------------------------

    def fit(self, value: Atom, target: Var) -> Atom:
        """A contribution in the shape and dtype of its variable.

        Sums over the axes along which the variable was broadcast; drops an imaginary part that a
        real variable cannot have; keeps float32 float32. Emits nothing where types agree.
        """
        t = target.type
        if isinstance(t, Dict) or is_container(value.type):
            return value
        if is_container(t):
            return self._fit_to_sequence(value, target)
        if isinstance(t, Unknown) or isinstance(value.type, Unknown):
            return self.b.op(generic.fit, value, target, type=t)
        value = self._fit_shape(value, target)
        if is_complex(value.type) and not is_complex(t):
            value = self.b.op(np.real, value, style="attribute")
        if isinstance(t, Array) and isinstance(value.type, Array) and has_to_be_cast(value.type, t):
            spread = self.b.definition(value, np.broadcast_to)
            if spread is None or not is_number(spread.args[0].type):
                return self._cast(value, t)
            number, shape = spread.args
            if isinstance(number.type, Array) and has_to_be_cast(number.type, t):
                number = self._cast(number, t)
            made = Array(t.element, value.type.dims, t.module)
            return self.b.op(np.broadcast_to, number, shape, type=made)
        return value

    def _fit_to_sequence(self, value: Atom, target: Var) -> Atom:
        """A contribution to a list that was taken for an array: it stays an array, in its shape."""
        if value.type == NONE:
            return value
        have, want = dims_of(value.type), _dims_of_sequence(target.type)
        element = np.dtype("complex128" if is_complex(value.type) else "float64")
        known = isinstance(value.type, (Array, Scalar))
        made = Array(element, want) if known else value.type
        if have is None or want is None or len(have) < len(want):
            return self._by_call(value, target, made)
        return self._summed(value, want, made, target)

    def _fit_shape(self, value: Atom, target: Var) -> Atom:
        have, want = dims_of(value.type), dims_of(target.type)
        if have is None or want is None:
            return self._by_call(value, target, target.type)
        if len(have) < len(want):
            return self._spread(value, target)
        return self._summed(value, want, target.type, target)

    def _by_call(self, value: Atom, target: Var, t: Type) -> Atom:
        return self.b.op(generic.fit, value, target, type=t)

    def _summed(self, value: Atom, want: Shape, t: Type, target: Var) -> Atom:
        """The sum over the axes along which a variable of shape `want` was broadcast."""
        have = dims_of(value.type)
        assert have is not None
        if have == want:
            return value
        lead = len(have) - len(want)
        undecided = any(
            h != w and w != 1 and not is_many(w) for h, w in zip(have[lead:], want, strict=True)
        )
        if undecided:
            return self._by_call(value, target, t)
        if not want and have:
            return self.b.op(np.sum, value)
        if lead:
            axis = 0 if lead == 1 else tuple(range(lead))
            value = self.b.op(np.sum, value, axis=constant(axis))
            have = have[lead:]
        axes = tuple(i for i, (h, w) in enumerate(zip(have, want)) if w == 1 and h != 1)
        if axes:
            axis = axes[0] if len(axes) == 1 else axes
            value = self.b.op(np.sum, value, axis=constant(axis), keepdims=constant(True))
            have = tuple(1 if i in axes else h for i, h in enumerate(have))
        if any(h == 1 and w != 1 or _may_be_one(h, w) for h, w in zip(have, want)):
            if is_container(target.type):
                return self._by_call(value, target, t)
            return self._spread(value, target)
        return value

    def _spread(self, value: Atom, target: Var) -> Atom:
        shape = self.b.op(core.ATTRIBUTE, target, constant("shape"), type=_shape_type(target.type))
        return self.b.op(np.broadcast_to, value, shape, type=_with_dims(value.type, target.type))

    # -- memory ---------------------------------------------------------------------------

    def own(self, var: Var) -> Var:
        """The cotangent of an array, in memory that nothing else reads: it may be added into."""
        value = self.materialise(self.values.get(var), var)
        if isinstance(value, Var) and self.is_owned(value) and not may_be_ints(value.type):
            self.set(var, value)
            return value
        copy = self.copy(value, var)
        self.set(var, self.named(copy, var))
        return copy

    def copy(self, value: Atom, of: Var) -> Var:
        """A cotangent of an array in memory of its own, in the array's dtype."""
        spread = self.b.definition(value, np.broadcast_to)
        source = value if spread is None else spread.args[0]
        if isinstance(of.type, List) and not is_container(value.type):  # it may be an array
            copy = self.b.op(generic.as_list, value, type=of.type)
        elif dims_of(source.type) == ():
            copy = self.b.filled_like(np.full_like, of, source, type=of.type)
        elif isinstance(value.type, Unknown) or of in self.unbound:
            copy = self.b.op(generic.copy, value, type=of.type)  # it may be a number, or None
        elif may_be_ints(value.type):
            copy = self._cast(value, Array(np.dtype(float), None))
        else:
            copy = self.b.op(np.copy, value, style="method", type=of.type)
        assert isinstance(copy, Var)
        self.b.unshare(copy)
        return copy

    def _can_sum_into(self, before: Atom, value: Atom, of: Var) -> bool:
        """Whether a sum can be made in the memory of its first term."""
        return (
            isinstance(before, Var)
            and isinstance(of.type, Array)
            and bool(of.type.dims)
            and isinstance(before.type, Array)
            and not before.type.loose
            and before.type.element == of.type.element
            and dims_of(before.type) == of.type.dims
            and self.is_owned(before)
        )

    def is_owned(self, value: Var) -> bool:
        if value.serial < self.mark or self.owners[value] > 1:
            return False
        if self.owners[value.root] > (value is value.root):
            return False
        if value.root in self.kept or value.root in self.given:
            return False
        if value.root in self.b.buffers:
            return True
        made = self.b.definitions.get(value.root)
        if made is not None and made.fn is core.LIST:
            return True
        return (
            made is not None
            and not isinstance(made.fn, core.Intrinsic)
            and made.fn not in _NOT_FRESH
            and not _returns_operand(made.fn)
        )


def _is_array(t: Type) -> bool:
    return isinstance(t, Array) and t.dims != ()


def _returns_operand(fn: Any) -> bool:
    """Whether a function may return memory that it was given."""
    if fn is operator.getitem:
        return True
    module = getattr(fn, "__module__", "") or ""
    ours = module == rule_runtime.__name__ or ".runtime." in module
    return ours and fn is not generic.zeros_like


def _may_be_one(have: Any, want: Any) -> bool:
    """Whether a contribution may have size 1 where its variable is larger."""
    return isinstance(have, Dim) and have != want and not is_many(have) and is_many(want) and False


def _shape_type(t: Type) -> Type:
    dims = dims_of(t)
    return Unknown() if dims is None else Tuple(tuple(Scalar("int", n) for n in dims))


def _dims_of_sequence(t: Type) -> Shape | None:
    """The shape of a list that NumPy takes for an array, if it is known."""
    if not isinstance(t, (Tuple, List)):
        return dims_of(t)
    if not t.items:
        return None
    rows = {_dims_of_sequence(item) for item in t.items}
    row = rows.pop()
    return None if rows or row is None else (len(t.items), *row)


def _with_dims(value: Type, target: Type) -> Type:
    if isinstance(target, Array):
        if isinstance(value, Array):
            return replace(filled(value, target.dims), module=target.module)
        element = np.dtype("complex128" if is_complex(value) else "float64")
        return Array(element, target.dims, target.module)
    return target
