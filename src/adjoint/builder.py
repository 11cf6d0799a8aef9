"""Builds blocks of the core: types each operation, folds what is known, shares what is equal.

Both `lower` and the derivative passes build through this, so that their results are simple from
the start: constants are folded, an element read from a tuple that was just built is the element,
equal operations on equal operands are carried out once, and a broadcast that the next elementwise
operation implies is left to it.
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from . import core, naming
from .core import Atom, Block, Const, If, Intrinsic, Op, Var
from .errors import Origin
from .infer import PYTHON_OPERATORS, constant, intrinsic_type, result_type
from .new_axes import taken_out
from .rules import own
from .rules.template import named
from .runtime import generic
from .types import (
    UNDEFINED_TYPE,
    Array,
    Dict,
    Dim,
    List,
    Object,
    Range,
    Scalar,
    Symbols,
    Tuple,
    Type,
    broadcasts_to_same,
    carries_derivative,
    dims_of,
    freeze,
    is_container,
    is_many,
    is_undefined,
    may_be_ints,
)

# Functions whose result shares memory with their first operand, whatever the operands are.
VIEWS: frozenset[Any] = frozenset(
    {np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.broadcast_to}
)
# Functions whose result may share memory with their first operand.
MAYBE_VIEWS: frozenset[Any] = frozenset(
    {
        np.reshape,
        np.ravel,
        np.asarray,
        np.asanyarray,
        np.asfortranarray,
        np.real,
        np.imag,
        np.real_if_close,
        np.diagonal,
        np.diag,
        np.atleast_1d,
        np.atleast_2d,
        np.atleast_3d,
        np.split,
        np.array_split,
        np.hsplit,
        np.vsplit,
        np.dsplit,
        *named(np, "unstack"),  # from NumPy 2.1
        np.broadcast_arrays,
        np.einsum,
        np.ndarray.view,
        np.linalg.matrix_power,
        np.flip,
        np.fliplr,
        np.flipud,
        np.rot90,
        np.ascontiguousarray,
        np.rollaxis,
        np.matrix_transpose,
    }
)
_FOLDABLE = frozenset(PYTHON_OPERATORS) | {len, operator.getitem, int, float, bool, abs, min, max}


def is_basic_index(t: Type) -> bool:
    """Whether indexing by a value of this type gives a view (ints, slices, None, Ellipsis)."""
    if isinstance(t, Tuple):
        return all(map(is_basic_index, t.items))
    if isinstance(t, Scalar):
        return t.kind == "int"
    if isinstance(t, Array):
        return t.dims == () and t.element.kind in "iu"
    return isinstance(t, Object) and t.cls in (slice, type(None), type(...))


def is_copying_index(t: Type) -> bool:
    """Whether indexing by a value of this type certainly gives a copy: it is an array or a list."""
    if isinstance(t, Tuple):
        return any(map(is_copying_index, t.items))
    return isinstance(t, List) or (isinstance(t, Array) and t.dims != () and t.dims is not None)


def is_number(t: Type) -> bool:
    """A Python number or an array of rank 0: a value that nothing changes in place."""
    # CuPy's arrays of rank 0 are arrays: they are changed in place, and x[0] is a view.
    return isinstance(t, Scalar) or (isinstance(t, Array) and t.dims == () and t.module == "numpy")


def is_mutable(t: Type) -> bool:
    """Whether a value of this type may be changed in place."""
    if is_number(t) or isinstance(t, (Object, Range)):
        return False
    if isinstance(t, Tuple):
        return any(map(is_mutable, t.items))
    return True


_Split = tuple[Const | None, Atom | None]  # a number, and what it is multiplied by


class Builder:
    def __init__(self, symbols: Symbols | None = None) -> None:
        self.symbols = symbols or Symbols()
        self.block = Block()
        self.definitions: dict[Var, Op] = {}
        self.selects: dict[Var, tuple[Atom, Atom, Atom]] = {}  # result -> test, then, orelse
        self.origin: Origin | None = None
        self.guards: list[Any] = []  # what derivatives assume of values outside
        self.records: set[Var] = set()  # lists that loops record in for their backward sweeps
        self.buffers: set[Var] = set()  # parameters of backward loops that are summed into
        self.backward = False  # what is built now belongs to a derivative
        self.tangent = False  # and to the tangents of a forward pass
        self.pulled_later = False  # the caller has the backward sweep, and runs it when he likes
        self._changed: set[Var] = set()  # objects changed in place: not to be shared any more
        self._known: list[dict[Any, Atom]] = [{}]
        self._part_dims: dict[Any, Any] = {}  # (sizes, index) -> the sizes of the part
        self._around: list[Block] = []  # the blocks around the present one, outermost first
        self.home: dict[Var, Block] = {}  # variable -> the block that defines it
        self.loop_bodies: set[int] = set()  # blocks out of which invariant work may move

    # -- blocks ---------------------------------------------------------------------------

    @contextmanager
    def inside(self, block: Block) -> Iterator[Block]:
        """Append to `block`; what is computed in it is not known outside."""
        outer, self.block = self.block, block
        self._around.append(outer)
        self._known.append({})
        try:
            yield block
        finally:
            self.block = outer
            self._around.pop()
            self._known.pop()

    @property
    def blocks(self) -> list[Block]:
        """The block that is built, and those around it."""
        return [*self._around, self.block]

    def branch(self, test: Atom, then: Block, orelse: Block) -> list[Atom]:
        """`If` with the yields of the two blocks as results; equal yields need none."""
        results: list[Atom] = []
        kept: list[tuple[Atom, Atom]] = []
        variables: list[Var] = []
        for a, b in zip(then.yields, orelse.yields, strict=True):
            if same_atom(a, b):
                results.append(a)
                continue
            var = self.merged(a, b)
            self.selects[var] = (test, a, b)
            results.append(var)
            kept.append((a, b))
            variables.append(var)
        then.yields = [a for a, _ in kept]
        orelse.yields = [b for _, b in kept]
        if then.stmts or orelse.stmts or variables:
            self.block.stmts.append(If(test, then, orelse, variables, self.origin, self.backward))
        return results

    def merged(self, a: Atom, b: Atom) -> Var:
        from .types import join

        named = a if isinstance(a, Var) and a.named else b
        if not isinstance(named, Var):
            named = a
        name = named.name if isinstance(named, Var) else "value"
        var = Var(name, join(a.type, b.type, self.symbols))
        var.named = isinstance(named, Var) and named.named
        var.varied = a.varied or b.varied
        return var

    # -- operations -----------------------------------------------------------------------

    def op(
        self,
        fn: Any,
        *args: Atom,
        style: str = "",
        type: Type | None = None,
        name: str | None = None,
        **kwargs: Atom,
    ) -> Atom:
        """The value of `fn(*args, **kwargs)`: an atom that is known already, or a new variable."""
        operands = self._tidied(fn, list(args)) if self.backward else list(args)
        ours = _is_ours(fn)
        if ours:
            operands, kwargs = options_by_name(fn, operands, kwargs)
        if self.backward or self.tangent or ours:  # options are passed on, given or not
            kwargs = {k: a for k, a in kwargs.items() if not is_default(fn, k, a)}
        folded = self._fold(fn, operands, kwargs, style)
        if folded is not None:
            return folded
        sunk = self._sink_broadcast(fn, operands, kwargs, style)
        if sunk is not None:
            return sunk
        key = self._key(fn, operands, kwargs)
        if key is not None and fn is np.broadcast_to and isinstance(type, Array):
            key += (type.element,)  # a number is spread in the dtype of what it is added to
        if key is not None:
            for known in reversed(self._known):
                found = known.get(key)
                if found is not None and self._may_share(found):
                    return found
        if self.backward and fn is np.multiply and len(operands) == 2:
            swapped = self._known_value(fn, operands[1], operands[0])
            if swapped is not None:
                return swapped
        if type is None:
            if any(isinstance(a, Var) and is_undefined(a.type) for a in operands):
                type = UNDEFINED_TYPE  # not known yet: the result of a recursive call
            elif isinstance(fn, Intrinsic):
                type = intrinsic_type(fn, operands, kwargs, self.symbols)
            else:
                type = result_type(fn, operands, kwargs, self.symbols, style)
            if fn is operator.getitem:
                type = self._part_type(operands, type)
        name = name or naming.for_operation(fn, operands, style)
        if self.tangent and not name.startswith("t_") and any(map(_is_tangent, operands)):
            name = f"t_{name.strip('_')}"
        target = Var(name, type)
        target.tangent = self.tangent
        target.varied = carries_derivative(type) and any(
            a.varied for a in [*operands, *kwargs.values()]
        )
        op = Op(target, fn, operands, kwargs, style, self.origin)
        level = self._level_for(op)
        if level < len(self._around):
            inner, self.block = self.block, self._around[level]
            self.emit(op)
            self.block = inner
        else:
            self.emit(op)
        if key is not None and len(self._known) == len(self._around) + 1:
            self._known[level][key] = target
        return target

    def _part_type(self, operands: list[Atom], found: Type) -> Type:
        """The type of x[index]: parts of equal arrays at one index have equal sizes."""
        source, index = operands
        if not (isinstance(source.type, Array) and isinstance(found, Array) and found.dims):
            return found
        if source.type.dims is None or any(isinstance(n, Dim) and n.wild for n in source.type.dims):
            return found
        dims = self._part_dims.setdefault((source.type.dims, _atom_key(index)), found.dims)
        return replace(found, dims=dims)

    def _may_share(self, found: Atom) -> bool:
        """Whether a value that is known already can stand for an equal one.

        Two arrays of the user's with equal contents are two arrays: one may be changed later.
        """
        if not isinstance(found, Var):
            return True
        if found.root in self._changed:
            return False
        return self.backward or not is_mutable(found.type)

    def _level_for(self, op: Op) -> int:
        """How far out an operation can move: out of loops whose iterations do not change it.

        Only cheap arithmetic on numbers moves, which cannot fail.
        """
        level = len(self._around)
        if op.style != "operator" or op.fn not in _MOVABLE or op.target is None:
            return level
        if not self.backward or not is_number(op.target.type):
            return level
        blocks = self.blocks
        homes = {id(self.home.get(a)) for a in op.args if isinstance(a, Var) and not a.external}
        while (
            level > 0 and id(blocks[level]) in self.loop_bodies and id(blocks[level]) not in homes
        ):
            if not homes <= {id(b) for b in blocks[:level]}:
                break
            level -= 1
        return level

    def unshare(self, var: Var) -> None:
        """Take a value out of the table of known ones: it will be changed in place."""
        self._changed.add(var.root)

    def unshare_changed(self, aliases: Mapping[Var, Iterable[Var]]) -> None:
        """Take what a function changes in place out of that table, and what shares its memory.

        An operation that read it cannot be carried out again later.
        """
        for root, others in aliases.items():
            self._changed.update((root, *others))

    def emit(self, op: Op) -> None:
        if op.target is not None:
            self.definitions[op.target] = op
            self.home[op.target] = self.block
        op.backward, op.tangent = self.backward, self.tangent
        self.block.stmts.append(op)

    def in_place(
        self, fn: Any, target: Atom, *args: Atom, style: str = "", value: Var | None = None
    ) -> Var:
        """Carry out an operation that changes `target`; the result is its new version."""
        assert isinstance(target, Var)
        self._changed.add(target.root)
        version = Var(target.name, target.type, named=target.named)
        version.root = target.root
        version.tangent = target.tangent
        version.varied = target.varied or any(a.varied for a in args)
        op = Op(value, fn, [target, *args], {}, style, self.origin, version)
        self.emit(op)
        self.definitions[version] = op
        return version

    def definition(self, atom: Atom, fn: Any) -> Op | None:
        """The operation that gave an atom, if it is one of `fn`."""
        op = self.made(atom)
        return op if op is not None and op.fn is fn else None

    def made(self, atom: Atom) -> Op | None:
        """The operation that gave an atom, if carrying it out again would give the same."""
        op = self.definitions.get(atom) if isinstance(atom, Var) else None
        if op is None or op.target is not atom:
            return None
        changed = any(
            isinstance(a, Var) and a.root in self._changed and is_mutable(a.type) for a in op.args
        )
        return None if changed and self.backward else op

    def tuple(self, *items: Atom) -> Atom:
        if all(isinstance(i, Const) and i.path is None for i in items):
            return constant(tuple(i.value for i in items))  # type: ignore[union-attr]
        return self.op(core.TUPLE, *items)

    def item(self, container: Atom, key: Any) -> Atom:
        return self.op(
            operator.getitem, container, constant(key), type=item_type(container.type, key)
        )

    def filled_like(self, fn: Any, of: Var, *value: Atom, type: Type) -> Atom:
        """np.zeros_like(of), np.full_like(of, value): of floats where the array may be of ints."""
        if may_be_ints(type):
            return self.op(fn, of, *value, type=type, dtype=constant(np.dtype(float)))
        return self.op(fn, of, *value, type=type)

    # -- simplification -------------------------------------------------------------------

    def _tidied(self, fn: Any, args: list[Atom]) -> list[Atom]:
        """Whole numbers without their `.0`, where they meet a float anyway."""
        if fn not in (np.add, np.subtract, np.multiply, np.true_divide):
            return args
        if not any(carries_derivative(a.type) for a in args if isinstance(a, Var)) and (
            fn is not np.true_divide
        ):
            return args
        return [
            constant(int(a.value))
            if isinstance(a, Const)
            and type(a.value) is float
            and a.path is None
            and a.value.is_integer()
            and abs(a.value) < 1e6
            and a.value != 0
            else a
            for a in args
        ]

    def _key(self, fn: Any, args: list[Atom], kwargs: dict[str, Atom]) -> Any:
        """What makes two operations equal; None for those that must be carried out each time."""
        if isinstance(fn, Intrinsic) and fn not in _SHARED_INTRINSICS:
            return None
        if not isinstance(fn, Intrinsic) and not _is_pure(fn):
            return None
        return (
            _hashable(fn),
            tuple(_atom_key(a) for a in args),
            tuple((k, _atom_key(a)) for k, a in sorted(kwargs.items())),
        )

    def _fold(self, fn: Any, args: list[Atom], kwargs: dict[str, Atom], style: str) -> Atom | None:
        if fn is operator.getitem and len(args) == 2:
            for known in (self._element, self._element_of_spread, self._sum_of_kept_axes):
                element = known(*args)
                if element is not None:
                    return element
        if fn is core.SLICE and all(isinstance(a, Const) and a.path is None for a in args):
            return constant(slice(*(a.value for a in args)))  # type: ignore[union-attr]
        if fn is core.NOT:
            inner = self.definition(args[0], core.NOT)
            if inner is not None:
                return inner.args[0]
        if fn in (np.equal, np.not_equal) and len(args) == 2:
            same = _are_same_sizes(args[0].type, args[1].type)
            if same is not None:
                return constant(same == (fn is np.equal))
        if not self.backward and own.has_rule(fn):
            return None  # its derivative need not be the one that algebra preserves
        literal = all(_is_literal_value(a) for a in [*args, *kwargs.values()])
        if literal and args and _foldable(fn, style):
            values = [a.value for a in args]  # type: ignore[union-attr]
            try:
                if fn is core.NOT:
                    return constant(not values[0])
                if fn in PYTHON_OPERATORS:
                    fn = PYTHON_OPERATORS[fn]
                return constant(fn(*values, **{k: a.value for k, a in kwargs.items()}))  # type: ignore[union-attr]
            except Exception:
                return None  # leave it to the run time, where the user's code would fail
        found = self._identity(fn, args)
        if isinstance(found, Var) and not self.backward and is_mutable(found.type):
            return None  # a copy, which the user may change
        return found

    def _identity(self, fn: Any, args: list[Atom]) -> Atom | None:
        """Algebra that holds for every number, nan and inf included."""
        if fn is np.multiply:
            for one, other in ((args[0], args[1]), (args[1], args[0])):
                if self._may_be_int(other):
                    continue
                if _is_literal(one, 1) and _absorbs(other.type, one):
                    return other
                if _is_literal(one, -1) and _absorbs(other.type, one):
                    return self.op(np.negative, other, style="operator")
            for simpler in (
                self._negative_factor, self._numbers_meet, self._multiply_by_number,
                self._known_quotient,
            ):  # fmt: skip
                found = simpler(args)
                if found is not None:
                    return found
            return None
        if fn in (np.true_divide, np.power) and self._may_be_int(args[0]):
            return None
        if fn is np.true_divide and _is_literal(args[1], 1) and _absorbs(args[0].type, args[1]):
            return args[0] if carries_derivative(args[0].type) else None
        if fn is np.true_divide and self._is_reciprocal(args[0], of=args[1]):
            return self.op(np.multiply, args[0], args[0], style="operator")
        if fn is np.power and _is_literal(args[1], 1) and _absorbs(args[0].type, args[1]):
            return args[0]
        if fn is np.negative:
            inner = self.definition(args[0], np.negative)
            if inner is not None and carries_derivative(args[0].type):
                return inner.args[0]
        if fn is np.subtract and _is_literal(args[1], 0) and _absorbs(args[0].type, args[1]):
            return args[0]
        if fn in (np.add, np.subtract):
            # a + -b is a - b, and a - -b is a + b.
            inner = self.definition(args[1], np.negative)
            if inner is not None and inner.style == "operator" and carries_derivative(args[1].type):
                flipped = np.subtract if fn is np.add else np.add
                return self.op(flipped, args[0], inner.args[0], style="operator")
            if fn is np.add:
                inner = self.definition(args[0], np.negative)
                if inner is not None and inner.style == "operator":
                    return self.op(np.subtract, args[1], inner.args[0], style="operator")
        if fn is generic.fit:
            inner = self.definition(args[0], generic.fit)
            if inner is not None and inner.args[1] is args[1]:
                return args[0]
        if fn is np.transpose and len(args) == 1:
            if isinstance(args[0], Var) and args[0].root in self._changed:
                return None  # a view of what is changed: of this very array
            inner = self.definition(args[0], np.transpose)
            if inner is not None and len(inner.args) == 1 and not inner.kwargs:
                return inner.args[0]
            solid = self.definition(args[0], np.ascontiguousarray) if self.backward else None
            if solid is not None:
                inner = self.definition(solid.args[0], np.transpose)
                if inner is not None and len(inner.args) == 1 and not inner.kwargs:
                    return inner.args[0]
            product = self.definition(args[0], np.matmul) if self.backward else None
            if product is not None and all(_is_matrix(a.type) for a in product.args):
                # (x.T @ d).T, of a weight that is used transposed, is d.T @ x.
                left, right = (self.op(np.transpose, a, style="attribute") for a in product.args)
                return self.op(np.matmul, right, left, style="operator")
        if fn is np.broadcast_to and same_dims(args[0].type, args[1].type):
            return args[0]
        return None

    def _negative_factor(self, args: list[Atom]) -> Atom | None:
        """(-a) * b is -(a * b): signs move outwards, where a sum takes them up."""
        if not self.backward:
            return None
        for position, atom in enumerate(args):
            inner = self.definition(atom, np.negative)
            if inner is not None and inner.backward and inner.style == "operator":
                factors = list(args)
                factors[position] = inner.args[0]
                product = self.op(np.multiply, *factors, style="operator")
                return self.op(np.negative, product, style="operator")
        return None

    def _may_be_int(self, atom: Atom) -> bool:
        """Whether a float of the function itself may be an int of Python's, until it is computed
        with: s = 0 before a loop that adds to it.
        """
        if isinstance(atom.type, Array) and atom.type.dims:
            return may_be_ints(atom.type) and not self.backward
        return not (self.backward or self.tangent)

    def _numbers_meet(self, args: list[Atom]) -> Atom | None:
        """(0.5 * d) * (2 * x) is d * x, and 2 * (0.5 * x) is x."""
        if not self.backward:
            return None
        (a, x), (b, y) = map(self._number_and_rest, args)
        if a is None or b is None or not _is_exact(a, b):
            return None
        number = constant(a.value * b.value)
        rest = [atom for atom in (x, y) if atom is not None]
        if not rest:
            return number
        product = self.op(np.multiply, *rest, style="operator") if len(rest) == 2 else rest[0]
        return self.op(np.multiply, number, product, style="operator")

    def _number_and_rest(self, product: Atom) -> _Split:
        """The number that the rest is multiplied by, if there is one; None for no rest.

        What the user named is shown by its name.
        """
        if isinstance(product, Const):
            return (product, None) if _is_real_literal(product) else (None, product)
        made = self.definition(product, np.multiply)
        if made is not None and made.style == "operator" and not product.named:
            for number, rest in (made.args, made.args[::-1]):
                if isinstance(number, Const) and _is_real_literal(number):
                    return number, rest
        return None, product

    def _multiply_by_number(self, args: list[Atom]) -> Atom | None:
        """Numbers move outwards, where they meet other numbers: 2 * (k * x) is (2 * k) * x.

        Quotients too: a * (1 / b) is a / b, and 2 * (1 / n) is 2 / n. An array that the function
        has computed itself is there, and a product with it is quicker than a division.
        """
        if not self.backward:
            return None
        a, b = args
        if isinstance(b, Const) and isinstance(a, Var):
            a, b = b, a
        inner = self.made(b)
        if inner is None or inner.target is not b or inner.style != "operator":
            return None
        if inner.fn is np.true_divide and isinstance(inner.args[0], Const):
            if not inner.backward and not is_number(b.type):
                return None
            if _is_literal(inner.args[0], 1):
                return self.op(np.true_divide, a, inner.args[1], style="operator")
            if isinstance(a, Const) and _both_small(a, inner.args[0]):
                factor = self.op(np.multiply, a, inner.args[0], style="operator")
                return self.op(np.true_divide, factor, inner.args[1], style="operator")
        if inner.fn is np.multiply and _is_smaller(a.type, inner.args[1].type):
            first = inner.args[0]
            if isinstance(first, Const) or _is_smaller(first.type, inner.args[1].type):
                if (
                    not isinstance(a, Const)
                    or not isinstance(first, Const)
                    or _both_small(a, first)
                ):
                    factor = self.op(np.multiply, a, first, style="operator")
                    return self.op(np.multiply, factor, inner.args[1], style="operator")
        return None

    def _is_reciprocal(self, atom: Atom, *, of: Atom) -> bool:
        """Whether the function has computed 1 / y, for this array: 1 / y ** 2 is its square."""
        if not self.backward or is_number(atom.type):
            return False
        made = self.made(atom)
        return (
            made is not None
            and not made.backward
            and made.fn is np.true_divide
            and made.style == "operator"
            and made.args[1] is of
            and _is_literal(made.args[0], 1)
            and atom.type == of.type
        )

    def _known_quotient(self, args: list[Atom]) -> Atom | None:
        """d * (z / y) is q * z, if there is q = d / y: of z = x / y, the cotangent of x."""
        if not self.backward:
            return None
        for first, second in (args, args[::-1]):
            inner = self.made(first)
            if inner is None or inner.fn is not np.true_divide or inner.style != "operator":
                continue
            z, y = inner.args
            if inner.backward and _is_older(z, second):
                known = self._known_value(np.true_divide, second, y)
                if known is not None:
                    return self.op(np.multiply, known, z, style="operator")
        return None

    def _known_value(self, fn: Any, *args: Atom) -> Atom | None:
        """The result of an operation on floats, if it has been carried out."""
        if not all(dims_of(a.type) is not None and carries_derivative(a.type) for a in args):
            return None
        for order in (args, args[::-1]) if fn is np.multiply else (args,):
            key = self._key(fn, list(order), {})
            for known in reversed(self._known):
                found = known.get(key)
                if found is not None and self._may_share(found):
                    return found
        return None

    def _element(self, container: Atom, key: Atom) -> Atom | None:
        """The element that was put into a container at a constant key."""
        if not isinstance(key, Const):
            return None
        if isinstance(container, Const):
            return None
        value = key.value
        for fn in (core.TUPLE, core.LIST, core.DICT):
            built = self.definition(container, fn)
            if built is None:
                continue
            if fn is core.DICT:
                keys = built.kwargs["keys"].value  # type: ignore[union-attr]
                position = keys.index(value) if value in keys else None
            else:
                position = value if isinstance(value, int) and not isinstance(value, bool) else None
                if position is not None and not -len(built.args) <= position < len(built.args):
                    position = None
            if position is None:
                return None
            item = built.args[position]
            return self._object(item)
        shape = self.definition(container, core.ATTRIBUTE)
        if shape is not None and isinstance(container.type, Tuple) and isinstance(value, int):
            if -len(container.type.items) <= value < len(container.type.items):
                size = container.type.items[value]
                if isinstance(size, Scalar) and isinstance(size.size, int):
                    return constant(size.size)
        stored = self.definitions.get(container) if isinstance(container, Var) else None
        if stored is not None and stored.fn is core.STORE and stored.version is container:
            if is_container(container.type) and isinstance(stored.args[1], Const):
                if freeze(stored.args[1].value) == freeze(value):
                    item = stored.args[2]
                    return self._object(item)
        return None

    def _element_of_spread(self, whole: Atom, index: Atom) -> Atom | None:
        """np.broadcast_to(1.0, shape)[i] is 1.0."""
        spread = self.definition(whole, np.broadcast_to) if self.backward else None
        if spread is None or dims_of(spread.args[0].type) != ():
            return None
        parts = index.type.items if isinstance(index.type, Tuple) else (index.type,)
        numbers = all(isinstance(t, Scalar) and t.kind == "int" for t in parts)
        return spread.args[0] if numbers and len(dims_of(whole.type) or ()) == len(parts) else None

    def _sum_of_kept_axes(self, whole: Atom, index: Atom) -> Atom | None:
        """x.sum(axis=1, keepdims=True)[:, 0] is x.sum(axis=1)."""
        made = self.definition(whole, np.sum) if self.backward else None
        dims = dims_of(whole.type)
        if made is None or dims is None or made.kwargs.keys() != {"axis", "keepdims"}:
            return None
        axis, kept = made.kwargs["axis"], made.kwargs["keepdims"]
        if not (isinstance(axis, Const) and isinstance(kept, Const) and kept.value is True):
            return None
        axes = axis.value if isinstance(axis.value, tuple) else (axis.value,)
        if sorted(a % len(dims) for a in axes) != taken_out(index):
            return None
        return self.op(np.sum, made.args[0], style=made.style, axis=axis)

    def _object(self, item: Atom) -> Atom:
        """What a container holds: in the user's code the object, whatever state it is in by now."""
        return item.root if isinstance(item, Var) and not self.backward else item

    def _sink_broadcast(
        self, fn: Any, args: list[Atom], kwargs: dict[str, Atom], style: str
    ) -> Atom | None:
        """Elementwise operations commute with broadcasting: compute on the small operand.

        f(broadcast_to(a, s), b) is f(a, b) where b has shape s, else broadcast_to(f(a, b), s).
        """
        if not self.backward:
            return None  # the user's product is an array that may be written to; a view is not
        if not (isinstance(fn, np.ufunc) and fn.signature is None and fn.nout == 1) or kwargs:
            return None
        sources = [self.definition(a, np.broadcast_to) for a in args]
        if not any(sources):
            return None
        whole = result_type(fn, args, kwargs, self.symbols, style)
        small = [s.args[0] if s is not None else a for s, a in zip(sources, args, strict=True)]
        if dims_of(whole) is None or any(dims_of(a.type) is None for a in small):
            return None
        value = self.op(fn, *small, style=style)
        if fills(value.type, whole, [a.type for a in small], sources, args):
            return value
        # The operation may go on to broadcast: d * x[:, None]. Then no operand has the whole shape.
        full = [s for s, a in zip(sources, args) if s and dims_of(a.type) == dims_of(whole)]
        if not full:
            return None
        shape = full[0].args[1]
        return self.op(np.broadcast_to, value, shape, type=whole)


_MOVABLE = frozenset({np.add, np.subtract, np.multiply, np.negative})
_SHARED_INTRINSICS = frozenset(
    {core.TUPLE, core.SLICE, core.ATTRIBUTE, core.NOT, core.IS, core.IS_NOT, core.RANGE}
)


def fills(
    value: Type, whole: Type, small: list[Type], sources: list[Op | None], args: list[Atom]
) -> bool:
    """Whether `value` has the shape of `whole` already, without the broadcast."""
    dims, full = dims_of(value), dims_of(whole)
    if dims is None or full is None or len(dims) != len(full):
        return False
    if dims == full:
        return True
    return broadcasts_to_same(value, whole)


def same_dims(t: Type, shape: Type) -> bool:
    """Whether a value of type `t` certainly has the shape given by a tuple of sizes."""
    dims = dims_of(t)
    if dims is None or not isinstance(shape, Tuple) or len(shape.items) != len(dims):
        return False
    return all(
        isinstance(i, Scalar) and i.size is not None and i.size == n
        for i, n in zip(shape.items, dims, strict=True)
    )


def same_atom(a: Atom, b: Atom) -> bool:
    if a is b:
        return True
    if isinstance(a, Const) and isinstance(b, Const):
        return a.path == b.path and freeze(a.value) == freeze(b.value)
    return False


def _are_same_sizes(a: Type, b: Type) -> bool | None:
    """Whether two sizes, or two shapes, are equal; None where it is not known."""
    if isinstance(a, Tuple) and isinstance(b, Tuple):
        if len(a.items) != len(b.items):
            return False
        pairs = [_are_same_sizes(m, n) for m, n in zip(a.items, b.items)]
        return False if False in pairs else None if None in pairs else True
    if not (isinstance(a, Scalar) and isinstance(b, Scalar)):
        return None
    m, n = a.size, b.size
    if m is None or n is None:
        return None
    if m == n:
        return None if isinstance(m, Dim) and m.wild else True
    if isinstance(m, int) and isinstance(n, int):
        return False
    one_and_many = (m == 1 and is_many(n)) or (n == 1 and is_many(m))
    return False if one_and_many else None


def _is_older(a: Atom, b: Atom) -> bool:
    """Whether one variable was there when the other was made."""
    return isinstance(a, Var) and isinstance(b, Var) and a.serial < b.serial


def _is_matrix(t: Type) -> bool:
    return isinstance(t, Array) and t.dims is not None and len(t.dims) == 2


def item_type(t: Type, key: Any) -> Type | None:
    """The type of a container's element at a constant key; None where it is not known."""
    if isinstance(t, (Tuple, List)) and t.items is not None and isinstance(key, int):
        return t.items[key] if -len(t.items) <= key < len(t.items) else None
    if isinstance(t, Dict) and t.keys is not None:
        return t.items[t.keys.index(key)] if key in t.keys else None
    if isinstance(t, (List, Dict)) and not isinstance(key, slice):
        return t.item
    return None


def _is_tangent(atom: Atom) -> bool:
    return isinstance(atom, Var) and atom.tangent and atom.name.startswith("t_")


def is_default(fn: Any, name: str, atom: Atom) -> bool:
    """Whether an argument is what the function takes anyway: axis=None of np.sum."""
    if not isinstance(atom, Const) or isinstance(fn, Intrinsic) or atom.path is not None:
        return False
    known = _defaults(fn)
    if name not in known:
        return False
    value, default = atom.value, known[name]
    if default is np._NoValue:
        return name == "keepdims" and value is False
    return type(value) in (type(None), bool, int, str) and value is default


def options_by_name(
    fn: Any, args: list[Atom], kwargs: dict[str, Atom]
) -> tuple[list[Atom], dict[str, Atom]]:
    """The constants that are given for parameters with a default by keyword: padding=1."""
    known = _defaults(fn)
    names = list(inspect.signature(fn).parameters)[: len(args)]
    first = len(args)
    while first > 0 and names[first - 1] in known and isinstance(args[first - 1], Const):
        first -= 1
    return args[:first], {**dict(zip(names[first:], args[first:])), **kwargs}


def _is_ours(fn: Any) -> bool:
    return (getattr(fn, "__module__", None) or "").startswith("adjoint.nn.")


@functools.lru_cache(maxsize=1024)
def _defaults(fn: Any) -> dict[str, Any]:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _atom_key(atom: Atom) -> Any:
    if isinstance(atom, Const):
        return ("const", freeze(atom.value), atom.path)
    return atom


def _hashable(fn: Any) -> Any:
    try:
        hash(fn)
    except TypeError:
        return id(fn)
    return fn


def _is_pure(fn: Any) -> bool:
    """Equal operands give an equal result that is never changed in place (no np.zeros)."""
    from .rules import RULES

    return isinstance(fn, np.ufunc) or fn in PYTHON_OPERATORS or (_in(fn, RULES)) or fn is len


def _in(fn: Any, table: Any) -> bool:
    try:
        return fn in table
    except TypeError:
        return False


def _foldable(fn: Any, style: str) -> bool:
    if fn is core.NOT:
        return True
    if isinstance(fn, Intrinsic):
        return False
    return (
        _in(fn, _FOLDABLE) and (style == "operator" or not isinstance(fn, np.ufunc))
    ) or getattr(fn, "__adjoint_static__", False)


def _is_literal_value(atom: Atom) -> bool:
    """A constant that has no name worth keeping: np.inf has one that is its text as well."""
    if not isinstance(atom, Const):
        return False
    return atom.path is None or (isinstance(atom.value, float) and not math.isfinite(atom.value))


def _is_smaller(t: Type, whole: Type) -> bool:
    """Whether a value is a number beside an array."""
    return is_number(t) and isinstance(whole, Array) and whole.dims != ()


def _is_literal(atom: Atom, value: int) -> bool:
    return (
        isinstance(atom, Const)
        and atom.path is None
        and type(atom.value) in (int, float)
        and atom.value == value
    )


def _is_real_literal(atom: Const) -> bool:
    return atom.path is None and type(atom.value) in (int, float) and math.isfinite(atom.value)


def _is_exact(a: Const, b: Const) -> bool:
    """Whether the product of two numbers is not rounded."""
    return Fraction(a.value) * Fraction(b.value) == Fraction(a.value * b.value)


def _both_small(a: Const, b: Atom) -> bool:
    numbers = (int, float)
    return (
        a.path is None
        and isinstance(b, Const)
        and b.path is None
        and type(a.value) in numbers
        and type(b.value) in numbers
        and abs(a.value * b.value) < 1e6
        and float(a.value).is_integer()
        and float(b.value).is_integer()
    )


def _absorbs(t: Type, number: Atom) -> bool:
    """Whether an operation with this number leaves the type of a value as it is."""
    if isinstance(t, Array):
        return t.element.kind in "fc"
    if isinstance(t, Scalar):
        return t.kind in ("float", "complex") or (
            t.kind == "int" and isinstance(number, Const) and type(number.value) is int
        )
    return False
