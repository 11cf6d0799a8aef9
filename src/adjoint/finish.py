"""The two ends of a backward sweep: the seed of the result, and the gradients handed out."""

from __future__ import annotations

import builtins
import operator
from typing import Any

import numpy as np

from . import core
from .builder import item_type
from .core import Atom, Block, Const, Function, Var
from .cotangents import Cotangent, Parts
from .errors import OutputError
from .infer import constant, dict_options
from .runtime import generic
from .runtime.shared_parts import Path
from .types import (
    Array,
    Dict,
    List,
    Object,
    Scalar,
    Struct,
    Tuple,
    Type,
    Unknown,
    carries_derivative,
    has_open_dtype,
    has_to_be_cast,
    is_container,
)

_ONE_NUMBER = "Return one real number: take the sum or the mean, or use vjp with a cotangent."


def seed_for(function: Function, has_aux: bool, reverse: Any, whole: bool = False) -> None:
    """Give the result of a function the cotangent 1, if it is one real number.

    `whole`: the result may be an array, of which every element has the cotangent 1.
    """
    result: Atom = function.result
    b = reverse.b
    if has_aux:
        t = result.type
        if isinstance(t, Tuple) and len(t.items) != 2 or isinstance(t, (Scalar, Array)):
            raise OutputError(
                f"`{function.name}` must return (value, aux) with has_aux=True, not {t}",
                function.origin,
            )
        result = b.item(result, 0)
    check_output(result.type, function, whole)
    seed: Atom = constant(1.0)
    rankless = isinstance(result.type, Array) and result.type.dims is None
    if isinstance(result.type, Unknown) or rankless:
        fn = generic.unit_seeds if whole else generic.unit_seed
        seed = b.op(fn, result, type=result.type)
    elif isinstance(result.type, Array) and result.type.dims:
        seed = b.op(np.ones_like, result, type=result.type)
    if not isinstance(result, Var):
        return
    if has_aux and isinstance(function.result, Var) and function.result in reverse.active:
        made = b.definition(function.result, core.TUPLE)
        if made is not None:
            reverse.d.add(made.args[0], seed)
        else:
            reverse.d.add_item(function.result, 0, seed)
    elif result in reverse.active:
        reverse.d.add(result, seed)


def check_output(t: Type, function: Function, whole: bool = False) -> None:
    """Refuse a result that is not one real number; `whole`: an array of them will do."""
    what = None
    if isinstance(t, Scalar):
        what = f"a {t.kind}" if t.kind in ("bool", "complex") else None
    elif isinstance(t, Array):
        if t.element.kind not in "fiu":
            what = f"an array of dtype {t.element}"
        elif t.dims and any(n != 1 for n in t.dims) and not whole:
            what = f"an array of shape ({', '.join(map(str, t.dims))})"
    elif is_container(t):
        what = "a dict" if isinstance(t, Dict) else "a list" if isinstance(t, List) else "a tuple"
    elif isinstance(t, Object):
        what = "None" if t.cls is type(None) else f"a {t.cls.__name__}"
    if what is not None:
        name = function.name.removesuffix("_grad").removesuffix("_value_and")
        name = name.removesuffix("_elementwise")
        raise OutputError(f"`{name}` returns {what}", function.origin, _ONE_NUMBER)


def finish_gradient(reverse: Any, wrt: list[Var]) -> list[Atom]:
    """The gradients of the arguments: of their structure, shapes and dtypes, in own memory."""
    finisher = _Finisher(reverse)
    return [finisher.finish(reverse.d.pop(p), p) for p in wrt]


class _Finisher:
    def __init__(self, reverse: Any) -> None:
        self.d, self.b = reverse.d, reverse.b
        self.has_arrays = reverse.has_arrays
        self.function: Function = reverse.function
        self.own_lists: set[Var] = reverse.own_lists
        self.changed = {
            s.version.root
            for s in core.walk(self.function.body)
            if isinstance(s, core.Op) and s.version is not None
        }
        self.given: set[Var] = set()  # memory that is part of the result already
        self.tied: dict[Path, Path] = {}  # place -> the first place of what is there too
        self.finished: dict[Path, Atom] = {}  # what stands at places of an object with ties

    def finish(self, value: Cotangent | None, of: Var) -> Atom:
        t = of.type
        if is_container(t):
            return self._container(value, of)
        if not carries_derivative(t):
            return constant(None)
        atom = self.d.materialise(value, of)
        if isinstance(t, Unknown) or isinstance(atom.type, Unknown):
            return self.b.op(generic.as_gradient, atom, of, type=t)
        if isinstance(t, Scalar):
            return self._number(atom, t)
        assert isinstance(t, Array)
        return self._array(atom, of, t)

    def _at(self, value: Cotangent | None, of: Var, path: Path | None) -> Atom:
        if path is None:
            return self.finish(value, of)
        if path in self.tied:
            return self.finished[self.tied[path]]
        made = self._container(value, of, path) if is_container(of.type) else self.finish(value, of)
        self.finished[path] = made
        return made

    def _number(self, atom: Atom, t: Scalar) -> Atom:
        if isinstance(atom, Const):
            return constant(complex(atom.value) if t.kind == "complex" else float(atom.value))
        if isinstance(atom.type, Scalar) and self._is_python(atom, 8):
            return atom
        return self.b.op(builtins.complex if t.kind == "complex" else builtins.float, atom)

    def _is_python(self, atom: Atom, depth: int) -> bool:
        """Whether a number is certainly one of Python's own, and not one of NumPy's."""
        if isinstance(atom, Const):
            return True
        if not isinstance(atom.type, Scalar) or depth == 0:
            return False
        if atom.serial < self.d.mark or not self.has_arrays:
            return True
        made = self.b.definitions.get(atom)
        if made is None or made.target is not atom or made.style != "operator":
            return False
        return all(self._is_python(a, depth - 1) for a in made.args)

    def _array(self, atom: Atom, of: Var, t: Array) -> Atom:
        if t.dims == ():
            if isinstance(atom.type, Array) and atom.type.element == t.element:
                if not has_open_dtype(atom.type):
                    return atom
            if t.module != "numpy":
                return self.b.op(np.full_like, of, atom, type=t)
            return self.b.op(t.element.type, atom, type=t)
        if isinstance(atom, Const):
            return self._full(of, atom, t)
        spread = self.b.definition(atom, np.broadcast_to)
        if spread is not None and isinstance(spread.args[0].type, (Scalar, Array)):
            source = spread.args[0]
            if isinstance(source.type, Scalar) or source.type.dims == ():  # type: ignore[union-attr]
                return self._full(of, source, t)
        if atom.type.dims == () if isinstance(atom.type, Array) else True:
            return self._full(of, atom, t)
        assert isinstance(atom, Var)
        if isinstance(atom.type, Array) and has_to_be_cast(atom.type, t):
            atom = self.b.op(  # type: ignore[assignment]
                np.ndarray.astype, atom, constant(t.element), style="method", type=t
            )
        if atom.root in self.given or not self.d.is_owned(atom):  # type: ignore[arg-type, union-attr]
            atom = self.b.op(np.copy, atom, style="method", type=t)  # type: ignore[assignment]
            self.b.unshare(atom)  # type: ignore[arg-type]
        self.given.add(atom.root)  # type: ignore[union-attr]
        self.d.owners.update((atom, atom.root))  # type: ignore[union-attr]
        return self.d.named(atom, of)

    def _full(self, of: Var, value: Atom, t: Array) -> Atom:
        if isinstance(value, Const) and value.value == 0:
            return self.b.op(np.zeros_like, of, type=t)
        if isinstance(value, Const) and value.value == 1:
            return self.b.op(np.ones_like, of, type=t)
        return self.b.op(np.full_like, of, value, type=t)

    def _element(self, of: Var, key: Any) -> Var:
        """An element of an argument as it was at entry: the function may replace it."""
        if of.root not in self.changed:
            element = self.b.item(of, key)
        else:
            with self.b.inside(Block()) as entry:
                element = self.b.item(of, key)
            self.function.body.stmts[:0] = entry.stmts
        assert isinstance(element, Var)
        return element

    def _with_ties(self, value: Cotangent | None, of: Var, t: Struct) -> Atom:
        """The gradient by an object of which a part is at two places: one, and their sum."""
        whole = Parts() if value is None else value
        if not isinstance(whole, Parts):
            whole = self.d.taken_apart(whole, of)
        for place, first in t.ties:
            found = self._taken_out(whole, of, place)
            if found is not None:
                container = self._parts_at(whole, of, first[:-1])
                self.d.add_part_of(container, _type_at(t, first[:-1]), first[-1], found)
        self.tied, self.finished = dict(t.ties), {}
        made = self._container(whole, of, ())
        self.tied = {}
        return made

    def _parts_at(self, whole: Parts, of: Var, path: Path) -> Parts:
        """The cotangents of the parts of the part at a path, as they stand in the whole."""
        t = of.type
        for name in path:
            t = item_type(t, name) or Unknown()
            inner = whole.items.get(name)
            if inner is None:
                inner = Parts()
            elif not isinstance(inner, Parts):
                inner = self.d.taken_apart(inner, Var("part", t))
            whole.items[name] = inner
            whole = inner
        return whole

    def _taken_out(self, whole: Parts, of: Var, path: Path) -> Cotangent | None:
        return self._parts_at(whole, of, path[:-1]).items.pop(path[-1], None)

    def _container(self, value: Cotangent | None, of: Var, path: Path | None = None) -> Atom:
        """`path`: where it stands in an object with ties."""
        t = of.type
        if isinstance(t, Struct) and t.ties and path is None:
            return self._with_ties(value, of, t)
        keys: Any = None
        if isinstance(t, (Tuple, List)) and t.items is not None:
            keys = range(len(t.items))
        elif isinstance(t, Dict) and t.keys is not None:
            keys = t.keys
        if keys is None:
            atom = self.d.materialise(value, of)
            return self.b.op(generic.as_gradient, atom, of, type=t)
        if isinstance(value, Var) and value.root in self.own_lists:
            return value
        parts: list[Atom] = []
        for key in keys:
            element = Var("part", item_type(t, key) or Unknown())
            if not isinstance(value, Parts):
                if not carries_derivative(element.type) and not isinstance(element.type, Struct):
                    parts.append(constant(None))
                    continue
                stored: Any = None
                if value is not None:
                    stored = self.b.op(operator.getitem, value, constant(key), type=element.type)
            else:
                stored = value.items.get(key)
            if carries_derivative(element.type) or isinstance(element.type, Struct):
                element = self._element(of, key)
            parts.append(self._at(stored, element, None if path is None else (*path, key)))
        name = f"d_{of.name}"
        if isinstance(t, Dict):
            return self.b.op(core.DICT, *parts, name=name, **dict_options(t, of))
        if isinstance(t, Tuple) and t.cls is not tuple:
            return self.b.op(core.TUPLE, *parts, name=name, cls=Const(t.cls, Object(type), None))
        return self.b.op(core.LIST if isinstance(t, List) else core.TUPLE, *parts, name=name)


def _type_at(t: Type, path: Path) -> Type:
    for name in path:
        t = item_type(t, name) or Unknown()
    return t
