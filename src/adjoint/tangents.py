"""Tangents while a forward pass is built: fitted to their variables, zeros left out, in own memory.

A variable that has no tangent here does not move: its tangent is a zero that is written nowhere,
unless something has to hold it.
"""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import numpy as np

from . import core
from .analysis.memory import Memory, returns_operand
from .builder import Builder, is_mutable, item_type, same_atom
from .core import UNDEFINED, Atom, Const, Op, Var
from .infer import constant, dict_options
from .runtime import generic
from .runtime.shared_parts import Path
from .types import (
    NONE,
    UNKNOWN,
    Array,
    Dict,
    List,
    Object,
    Scalar,
    Struct,
    Tuple,
    Type,
    Unknown,
    broadcasts_to_same,
    carries_derivative,
    dims_of,
    filled,
    has_open_dtype,
    has_to_be_cast,
    is_complex,
    is_container,
)


def tangent_type(t: Type) -> Type:
    """The type of the tangent of a value: None where nothing can move."""
    if isinstance(t, Tuple):
        return Tuple(tuple(map(tangent_type, t.items)), t.cls)
    if isinstance(t, List):
        items = None if t.items is None else tuple(map(tangent_type, t.items))
        return List(tangent_type(t.item), items)
    if isinstance(t, Dict):
        return replace(t, item=tangent_type(t.item), items=tuple(map(tangent_type, t.items)))
    if type(t) is Type:
        return t
    return t if carries_derivative(t) else NONE


class Tangents:
    """The tangents of a function's variables: variable -> atom."""

    def __init__(self, builder: Builder, memory: Memory, unbound: set[Var]) -> None:
        self.b = builder
        self.unbound = unbound  # of these no element may be read, where it is not the program's
        self.mark = Var.count()  # variables made later belong to the tangents
        self.memory = memory
        self.values: dict[Var, Atom] = {}
        self.zeros: set[Var] = set()  # made only to be held by something
        self.holders: dict[Var, set[Var]] = {}  # memory of tangents -> the objects that have it
        self.given: set[Var] = set()  # memory that is part of the result already
        self.tied: dict[Path | None, Path] = {}  # place -> the first place of what is there too
        self.finished: dict[Path, Atom] = {}  # what stands at places of an object with ties
        self.owned: set[Var] = set()  # what branches and loops hand on in memory of its own

    def get(self, atom: Any) -> Atom | None:
        return self.values.get(atom) if isinstance(atom, Var) else None

    def set(self, var: Var, value: Atom) -> None:
        """`value` is the tangent of `var`, with the memory that it has."""
        self.values[var] = value
        if isinstance(value, Var):
            self.holders.setdefault(self.base(value), set()).add(var.root)

    def bind(self, var: Var, value: Atom, op: Op) -> None:
        """The tangent of what an operation has made: fitted, and in memory of its own if need be.

        A view has the matching view of the tangent. Anything else that shares memory with another
        tangent is copied where one of the two is changed in place.
        """
        self._mirror(value, var, op)
        if not (isinstance(var.type, Unknown) and self._all_move(op)):
            value = self.fit(value, var)
        value = self._with_own_parts(value, var, op)
        view = returns_operand(op.fn) or op.fn is core.ATTRIBUTE
        if not view and self._is_at_risk(var, value):
            value = self.copy(value, var)
        if isinstance(value, Var) and self.memory.is_changed(var):
            self.b.unshare(value)  # equal operations give what it is now, not what it will be
        self.set(var, self.named(value, var))

    def _with_own_parts(self, value: Atom, var: Var, op: Op) -> Atom:
        """Of several results that a rule has given tangents, where one is changed in place."""
        parts = None if op.fn is core.TUPLE else self.parts_of(value)
        if parts is None or not isinstance(var.type, Tuple) or not self.memory.is_changed(var):
            return value
        own: list[Atom] = []
        for position, part in enumerate(parts):
            shared = not isinstance(part, Var) or self.base(part) is not part or part in own
            if shared and is_mutable(var.type.items[position]) and part.type != NONE:
                part = self.copy(part, self.b.item(var, position))  # type: ignore[arg-type]
            own.append(part)
        return self.b.op(core.TUPLE, *own)

    def _all_move(self, op: Op) -> bool:
        """Whether no operand is broadcast against something that has no tangent."""
        return all(not isinstance(a, Var) or a in self.values for a in op.operands())

    def _mirror(self, value: Atom, var: Var, op: Op) -> None:
        """The same operation on tangents, of the shapes of the values, gives the shape of var."""
        made = self.b.definitions.get(value) if isinstance(value, Var) else None
        if made is None or made.target is not value or made.fn is not op.fn:
            return
        if len(made.args) != len(op.args) or made.kwargs.keys() != op.kwargs.keys():
            return
        pairs = [*zip(made.args, op.args), *((made.kwargs[k], a) for k, a in op.kwargs.items())]
        alike = all(same_atom(a, b) or _same_dims(a, b) for a, b in pairs)
        have, want = value.type, var.type
        if alike and isinstance(have, Array) and isinstance(want, Array):
            value.type = replace(have, dims=want.dims)  # type: ignore[union-attr]

    def _is_at_risk(self, var: Var, value: Atom) -> bool:
        if not is_mutable(var.type):
            return False
        changed = self.memory.is_changed(var)
        if not isinstance(value, Var):
            return changed
        base = self.base(value)
        if base.serial < self.mark:  # a value of the function itself
            return changed or self.memory.is_changed(base)
        holders = self.holders.get(base, set()) - {var.root}
        if changed and self.b.definition(value, np.broadcast_to) is not None:
            return True
        if holders:
            return changed or any(map(self.memory.is_changed, holders))
        made = self.b.definitions.get(base)
        if made is not None and made.fn is core.CALL:  # it may have returned another tangent
            return self.memory.has_changes
        return changed and (made is None or made.fn is core.CALL_CORE)

    def base(self, value: Var) -> Var:
        """The variable whose memory a value lies in."""
        while True:
            value = value.root
            made = self.b.definitions.get(value)
            if made is None or made.target is not value or not made.args:
                return value
            source = made.args[0]
            if not returns_operand(made.fn) or not isinstance(source, Var):
                return value
            value = source

    def is_own(self, value: Atom) -> bool:
        """Whether the memory of a tangent belongs to nothing else that the caller knows."""
        if not isinstance(value, Var):
            return False
        base = self.base(value)
        if base in self.owned:
            return True
        made = self.b.definitions.get(base)
        return (
            base.serial >= self.mark
            and made is not None
            and not isinstance(made.fn, core.Intrinsic)
            and self.b.definition(value, np.broadcast_to) is None
        )

    def copy(self, value: Atom, of: Var) -> Atom:
        t = of.type
        if not isinstance(t, Array) or dims_of(value.type) is None:
            return self.b.op(generic.copy, value, type=tangent_type(t))
        if dims_of(value.type) == ():
            return self.b.filled_like(np.full_like, of, value, type=t) if t.dims else value
        spread = self.b.definition(value, np.broadcast_to)
        if spread is not None and dims_of(spread.args[0].type) == ():
            return self.b.filled_like(np.full_like, of, spread.args[0], type=t)
        copy = self.b.op(np.copy, value, style="method", type=t)
        if isinstance(copy, Var):
            self.b.unshare(copy)
        return copy

    def named(self, value: Atom, of: Var) -> Atom:
        """Call the tangent of `x` `t_x`, if the value has no name yet."""
        if isinstance(value, Var) and value.serial >= self.mark and not value.named:
            value.name = f"t_{of.name.strip('_<>')}"
            value.named = of.named
        return value

    # -- zeros ----------------------------------------------------------------------------

    def or_zero(self, atom: Atom) -> Atom:
        """The tangent of an atom, written out if it is zero."""
        found = self.get(atom)
        return self.zero(atom) if found is None else found

    def zero(self, of: Atom) -> Atom:
        """A tangent of zeros, in memory of its own; None for what cannot move."""
        if of is UNDEFINED:
            return UNDEFINED
        t = of.type
        if isinstance(of, Const):
            return constant(generic.zeros_like(of.value))
        if not carries_derivative(t) and not isinstance(t, (List, Dict)):  # which may grow
            return constant(None)
        if isinstance(t, Scalar) or (isinstance(t, Array) and t.dims == ()):
            return constant(0.0)
        made: Atom
        built = self.b.definitions.get(of)
        if isinstance(t, Array):
            made = self.b.filled_like(np.zeros_like, of, type=t)
        elif built is not None and built.target is of and built.fn in (core.LIST, core.DICT):
            parts = [self.zero(a) for a in built.args]
            made = self.b.op(built.fn, *parts, **built.kwargs)  # type: ignore[arg-type]
        elif is_container(t) and _keys(t) is not None and of not in self.unbound:
            parts = [self.zero(self.b.item(of, key)) for key in _keys(t)]
            made = self.container(of, parts)
        elif isinstance(t, Unknown):  # if it is an int: a zero to calculate with, not None
            made = self.b.op(generic.fit_tangent, constant(None), of, type=t)
        else:
            made = self.b.op(generic.zeros_like, of, type=tangent_type(t))
        if isinstance(made, Var):
            self.zeros.add(made)
        return self.named(made, of)

    def number(self, of: Atom) -> Atom:
        """A zero beside values that may move: of an int or a bool a number too, and not None."""
        t = of.type
        if carries_derivative(t) or of is UNDEFINED:
            return self.zero(of)
        if isinstance(t, Scalar) or (isinstance(t, Array) and t.dims == ()):
            return constant(0.0)
        if isinstance(t, Array) and t.element.kind in "biu":
            return self.b.op(generic.fit_tangent, constant(None), of, type=UNKNOWN)
        if isinstance(t, (List, Tuple)) and isinstance(of, Var):
            made = self.b.definitions.get(of)
            if made is not None and made.target is of and made.fn in (core.LIST, core.TUPLE):
                return self.container(of, [self.number(a) for a in made.args])
        return self.zero(of)

    def container(self, of: Atom, parts: list[Atom]) -> Atom:
        """A container like `of` made of its parts."""
        t = of.type
        if isinstance(t, Dict):
            return self.b.op(core.DICT, *parts, **dict_options(t, of))
        if isinstance(t, List):
            return self.b.op(core.LIST, *parts)
        assert isinstance(t, Tuple)
        if t.cls is not tuple:
            return self.b.op(core.TUPLE, *parts, cls=Const(t.cls, Object(type), None))
        return self.b.op(core.TUPLE, *parts)

    def is_zero(self, value: Atom) -> bool:
        """Whether a tangent that was read from a container is a zero put there."""
        if isinstance(value, Const):
            return value.value is None or value.value == 0
        return value in self.zeros or value.type == NONE

    # -- fitting --------------------------------------------------------------------------

    def fit(self, value: Atom, target: Var) -> Atom:
        """A tangent in the shape and dtype of its variable; emits nothing where types agree."""
        t = target.type
        if is_container(t) or is_container(value.type):
            return value
        if isinstance(t, Unknown) or isinstance(value.type, Unknown):
            return self.b.op(generic.fit_tangent, value, target, type=t)
        have, want = dims_of(value.type), dims_of(t)
        if have is None or want is None:
            return self.b.op(generic.fit_tangent, value, target, type=t)
        if have != want and not broadcasts_to_same(value.type, t):
            if len(have) > len(want):
                return self.b.op(generic.fit_tangent, value, target, type=t)
            if isinstance(t, Array) and have == () and has_open_dtype(value.type):
                value = self._cast(value, t)
            value = self._spread(value, target)
        if is_complex(value.type) and not is_complex(t):
            value = self.b.op(np.real, value, style="attribute")
        if isinstance(t, Array) and isinstance(value.type, Array):
            if has_to_be_cast(value.type, t):
                value = self._cast(value, t)
        return value

    def _spread(self, value: Atom, target: Var) -> Atom:
        dims = dims_of(target.type)
        assert dims is not None and isinstance(target.type, Array)
        shape_type = Tuple(tuple(Scalar("int", n) for n in dims))
        shape = self.b.op(core.ATTRIBUTE, target, constant("shape"), type=shape_type)
        of = value.type if isinstance(value.type, Array) else target.type
        made = replace(filled(of, dims), module=target.type.module)
        return self.b.op(np.broadcast_to, value, shape, type=made)

    def _cast(self, value: Atom, t: Array) -> Atom:
        assert isinstance(value.type, Array)
        made = Array(t.element, value.type.dims, value.type.module)
        if made.dims == () and made.module == "numpy":
            return self.b.op(t.element.type, value, type=made)
        return self.b.op(np.ndarray.astype, value, constant(t.element), style="method", type=made)

    def solid(self, value: Atom, of: Atom) -> Atom:
        """A tangent read from a container, where the value's type is unknown: no None in it."""
        if not isinstance(of.type, Unknown) or not isinstance(of, Var):
            return value
        return self.b.op(generic.fit_tangent, value, of, type=UNKNOWN)

    # -- results --------------------------------------------------------------------------

    def finish(self, value: Atom | None, of: Atom, path: Path | None = None) -> Atom:
        """A tangent handed to the caller: of the structure of its value, in own memory.

        path: where it stands in an object of which a part is at two places.
        """
        t = of.type
        if isinstance(t, Struct) and t.ties and path is None:
            self.tied, self.finished, path = dict(t.ties), {}, ()
        if isinstance(of, Const) and not carries_derivative(t):
            return constant(None)
        if isinstance(of, Const) or value is None and not isinstance(t, Unknown):
            zero = self.zero(of)
            return self._number(zero, t) if isinstance(t, (Scalar, Array)) else zero
        if is_container(t) and _keys(t) is not None:
            assert value is not None
            parts: list[Atom] = []
            made = self.parts_of(value)
            for place, key in enumerate(_keys(t)):
                item = self.b.item(of, key)
                kind = tangent_type(item_type(t, key) or UNKNOWN)
                if not carries_derivative(kind):
                    parts.append(constant(None))
                    continue
                inner = None if path is None else (*path, key)
                if inner in self.tied and self.tied[inner] in self.finished:
                    parts.append(self.finished[self.tied[inner]])
                    continue
                if made is not None:
                    part = made[place]
                else:
                    part = self.b.op(operator.getitem, value, constant(key), type=kind)
                parts.append(self.finish(None if self.is_zero(part) else part, item, inner))
                if inner is not None:
                    self.finished[inner] = parts[-1]
            return self.container(of, parts)
        if not carries_derivative(t):
            return constant(None)
        undecided = is_container(t) or dims_of(t) is None or has_open_dtype(t)
        if value is None or undecided:  # it may be a Python number
            value = constant(None) if value is None else value
            return self.b.op(generic.as_tangent, value, of, type=tangent_type(t))
        if isinstance(value.type, Unknown):
            return self.b.op(generic.as_tangent, value, of, type=t)
        return self._number(value, t, of)

    def parts_of(self, value: Atom) -> list[Atom] | None:
        """The parts of a container that was built here and never changed."""
        made = self.b.definitions.get(value) if isinstance(value, Var) else None
        if made is None or made.target is not value or value.root is not value:  # type: ignore[union-attr]
            return None
        return made.args if made.fn in (core.TUPLE, core.LIST, core.DICT) else None

    def _number(self, value: Atom, t: Type, of: Atom | None = None) -> Atom:
        if isinstance(t, Scalar):
            if isinstance(value, Const):
                if value.value is None:
                    return value
                return constant(complex(value.value) if t.kind == "complex" else float(value.value))
            if isinstance(value.type, Scalar) and value.type.kind == t.kind:
                if self._is_python(value, 12):
                    return value
            return self.b.op(complex if t.kind == "complex" else float, value, type=t)
        assert isinstance(t, Array)
        if t.dims == ():
            if isinstance(value.type, Array) and value.type.element == t.element:
                if not has_open_dtype(value.type):
                    return value
            if isinstance(value, Const) and value.value is None:
                return value
            if t.module != "numpy" and of is not None:
                return self.b.op(np.full_like, of, value, type=t)
            return self.b.op(t.element.type, value, type=t)
        if of is None:
            return value
        assert isinstance(of, Var)
        if isinstance(value.type, Array) and has_to_be_cast(value.type, t):
            value = self._cast(value, t)
        if not self.is_own(value) or self.base(value) in self.given:  # type: ignore[arg-type]
            value = self.copy(value, of)
        if isinstance(value, Var):
            self.given.add(self.base(value))
        return self.named(value, of)

    def _is_python(self, atom: Atom, depth: int) -> bool:
        """Whether a number is certainly one of Python's own, and not one of NumPy's."""
        if isinstance(atom, Const):
            return True
        if not isinstance(atom.type, Scalar) or depth == 0:
            return False
        made = self.b.definitions.get(atom)
        if made is None:
            return True  # an argument, or what a loop of numbers carries
        if made.target is not atom or made.style != "operator":
            return made.fn in (float, complex)
        return all(self._is_python(a, depth - 1) for a in made.args)


def _same_dims(a: Atom, b: Atom) -> bool:
    dims = dims_of(a.type)
    return dims is not None and dims == dims_of(b.type)


def _keys(t: Type) -> Any:
    """The keys of a container of known form; None for any other."""
    if isinstance(t, (Tuple, List)) and t.items is not None:
        return range(len(t.items))
    return t.keys if isinstance(t, Dict) else None
