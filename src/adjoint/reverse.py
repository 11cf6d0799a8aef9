"""Reverse mode: a function in the core -> its forward sweep followed by its backward sweep.

Straight-line code is single assignment already, so its backward sweep reads the forward values
where they are. A loop records, in one tuple for each iteration, what its backward sweep reads of
it, and the backward loop walks the record in reverse. A branch is taken again by its saved test.
The cotangent of what a loop changes is a parameter of the backward loop; the cotangent of what it
only reads is summed in one more parameter.

Griewank & Walther, "Evaluating Derivatives", 2nd ed. (2008), chapters 3 and 12.
"""

from __future__ import annotations

import builtins
import operator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import core
from .analysis.activity import active_vars, blocks_derivative
from .analysis.contexts import entries
from .analysis.invariance import cancelling
from .analysis.overwrites import Overwrites
from .analysis.plain_numbers import divides_by_constant
from .analysis.unbound import unbound_vars
from .builder import Builder, is_basic_index, is_mutable, is_number, item_type
from .core import COUNT, UNDEFINED, Atom, Block, Const, For, Function, If, Loop, Op, Stmt, Var
from .cotangents import Cotangent, Cotangents, Parts
from .errors import UnsupportedSyntaxError
from .expand import Expander, apply_rule, called, no_rule
from .infer import constant
from .late import LATE, late_call
from .lower.state import Closure
from .new_axes import inserted_axes, without
from .outside import as_they_are
from .partials import Counts, count_partial, is_zero, scaled
from .reverse_literals import literal
from .reverse_views import elements, through
from .runtime import generic
from .runtime.pull import pull
from .structure import (
    Exports,
    Places,
    block_with,
    copy_function,
    defined_within,
    definitions,
    is_changed,
    read_outside,
    same_memory,
)
from .types import (
    BOOL,
    INT,
    UNKNOWN,
    Array,
    Dict,
    Dim,
    List,
    Range,
    Scalar,
    Tuple,
    Type,
    Unknown,
    carries_derivative,
    dims_of,
    is_complex,
    is_container,
    may_be_pythons,
)
from .users_code import through_hook


class Reverse:
    def __init__(self, function: Function, wrt: list[Var], builder: Builder) -> None:
        self.function = function
        self.active = active_vars(function, wrt) - cancelling(function)
        self.b = builder
        self.expander = Expander(builder)
        builder.unshare_changed(function.aliases)
        for param in function.params:
            builder.home[param] = function.body
        self.mark = Var.count()
        self.d = Cotangents(builder, self.mark, unbound_vars(function))
        self.overwrites = Overwrites(function)
        self.places = Places(function)
        self.definitions = self.overwrites.definitions
        self.has_arrays = any(
            not isinstance(v.type, (Scalar, Range))
            for v in [*function.params, *(v for s in core.walk(function.body)
                                          for v in core.defined_by(s))]
        )  # fmt: skip
        self.own_lists: set[Var] = set()  # of cotangents in memory of their own
        self.loops: list[Loop] = []  # those around the statement at hand
        self.copies: dict[Var, Var] = {}  # stale value -> its copy in the forward sweep

    # -- statements -----------------------------------------------------------------------

    def block(self, stmts: list[Stmt]) -> None:
        starts = entries(stmts)
        for stmt in reversed(list(stmts)):  # copies of what is overwritten are put in on the way
            self.b.origin = stmt.origin
            if isinstance(stmt, Op) and stmt.fn is core.LEAVE:
                self.enter_again(starts[stmt])
            elif isinstance(stmt, Op) and stmt.fn is core.ENTER:
                if self._error_state(stmt) is not None:
                    self.b.emit(Op(None, core.LEAVE, [], {}, "", stmt.origin))
            elif isinstance(stmt, Op):
                self.op(stmt)
            elif isinstance(stmt, If):
                self.branch(stmt)
            else:
                self.loop(stmt)

    def op(self, op: Op) -> None:
        if op.version is not None:
            self.in_place(op)
            return
        if op.target is None or op.target not in self.active or elements(self, op):
            return
        value = self.d.pop(op.target)
        if value is None:
            return
        if op.fn in (core.TUPLE, core.LIST, core.DICT):
            self.built(op, value)
        elif op.fn is operator.getitem and self.element(op, value):
            pass
        elif op.fn is core.CALL_CORE:
            self.call(op, value)
        elif op.fn is builtins.reversed and isinstance(op.args[0].type, List):
            self.walked_backwards(op, value)
        elif op.fn is core.HOOK:
            self.hook(op, value)
        else:
            value = self.d.materialise(value, op.target)
            if not literal(self, op, value):
                self.by_rule(op, value)

    def enter_again(self, start: Op) -> None:
        """The derivative of what np.errstate has silenced is silent; others are entered once."""
        made = self._error_state(start)
        if made is not None:
            options: dict[str, Any] = dict(made.kwargs)
            state = self.b.op(made.fn, *made.args, type=UNKNOWN, **options)
            self.b.emit(Op(None, core.ENTER, [state], {}, "", start.origin))

    def _error_state(self, start: Op) -> Op | None:
        """The call that gave the manager of a `with` block, if it silences errors of NumPy."""
        made = self.b.definition(start.args[0], core.PURE_CALL)
        if made is None or made.args[0].value is not np.errstate:  # type: ignore[union-attr]
            return None
        silent = all(isinstance(a, Const) and a.value == "ignore" for a in made.kwargs.values())
        return made if silent else None

    def saved(self, atom: Any, stale: bool = False) -> Any:
        """A forward value as the backward sweep can read it: a copy, if it is overwritten."""
        if isinstance(atom, list):
            return [self.saved(a) for a in atom]
        if not isinstance(atom, Var) or not (stale or self.overwrites.is_stale(atom)):
            return atom
        if atom not in self.copies:
            copy = Var(atom.name, atom.type, named=atom.named)
            block, position = self.places.after(atom)
            # What is of rank 0, or may be, may be a number of Python's.
            is_array = isinstance(atom.type, Array) and bool(atom.type.dims)
            is_array = is_array and not self._may_be_missing(block, atom)
            fn, style = (np.copy, "method") if is_array else (generic.copy, "")
            made = Op(copy, fn, [atom], {}, style, self.b.origin)
            block.stmts.insert(position, made)
            self.b.definitions[copy] = made
            self.copies[atom] = copy
            self.d.kept.add(copy)
        return self.copies[atom]

    def _may_be_missing(self, block: Block, var: Var) -> bool:
        """Whether a branch or a loop of a block may leave a variable of it without a value.

        What is read from a record may be what a branch has not computed.
        """
        made = self.definitions.get(var)
        if made is not None:
            return made.fn is operator.getitem and is_container(made.args[0].type)
        for stmt in block.stmts:
            if isinstance(stmt, Op) or var not in stmt.results:
                continue
            place = stmt.results.index(var)
            if isinstance(stmt, Loop):
                ends = [(stmt.body, stmt.body.yields[place]), (block, stmt.inits[place])]
            else:
                ends = [(inner, inner.yields[place]) for inner in core.blocks_of(stmt)]
            return any(
                end is UNDEFINED or isinstance(end, Var) and self._may_be_missing(inner, end)
                for inner, end in ends
            )
        return False

    def by_rule(self, op: Op, value: Atom) -> None:
        """Contributions to the active operands, by the lines of the operation's rule."""
        target = op.target or op.version
        assert target is not None
        active = [a for a in op.operands() if self.is_active(a)]
        if not active or blocks_derivative(op):
            return
        op = called(op)
        if isinstance(op.fn, core.Intrinsic):
            raise no_rule(op, active[0])
        if op.fn is np.multiply and isinstance(target.type, List):
            self.repeated(op, value)
            return
        if op.fn in LATE:
            self.late(op, value)
            return
        rule = None
        if not getattr(op.fn, "__adjoint_inline__", False):
            rule = apply_rule(self.expander, op, active)
        if rule is None:
            self.by_pull(op, value)
            return
        operands: list[tuple[str, Any]] = []
        for name, atom in rule.bound.items():
            operands += [(name, a) for a in atom] if isinstance(atom, list) else [(name, atom)]
        # What is summed already comes first: its old cotangent is then not needed any longer.
        operands.sort(key=lambda pair: pair[1] not in self.d.values)
        rule.bound = {name: self.saved(atom) for name, atom in rule.bound.items()}
        rule.output = self.saved(target)
        if isinstance(target.type, Tuple) and target is op.target:
            rule.part = lambda index: self.saved_result(target, index)
        known = rule.rule.differentiable
        partials: dict[Var, Counts] = {}
        contributions: list[tuple[Atom, Atom]] = []
        for name, atom in operands:
            if not self.is_active(atom):
                continue
            if name not in known:
                raise no_rule(op, atom)
            for line in rule.lines_for("cotangent", name):
                if rule.reads_only_zeros(line, value):
                    continue
                contribution = rule.value(line.expr, {rule.rule.output: value})
                contribution = rule.checked(contribution, self.saved(atom), value)
                if line.sign < 0:
                    contribution = self.b.op(np.negative, contribution, style="operator")
                contributions.append((atom, contribution))
            for line in rule.lines_for("partial", name):
                if not is_zero(line.expr):
                    partial = rule.value(line.expr, {})
                    count_partial(self.b, partial, partials.setdefault(atom, {}))
        scaled_by: dict[tuple[Var, Atom | None], Atom] = {}
        # Of a quotient z = x / y, the cotangent of x serves that of y: d_x = d / y, d_y = -d_x * z.
        terms = [(a, f, n) for a, counts in partials.items() for f, n in counts.items() if n]
        for atom, factor, count in sorted(terms, key=lambda term: not self._is_divisor(term[1])):
            scaled_by[atom, factor] = scaled(self.b, value, factor, count)
        for atom, factor, _ in terms:
            contribution = scaled_by[atom, factor]
            contributions.append((atom, rule.checked(contribution, atom, value)))
        if op.style == "inplace":
            contributions = [(a, self._of_shape(a, v, op)) for a, v in contributions]
        # Only now: a sum may be made in the memory of `value`, which all of them read.
        self.d.add_all(contributions)

    def saved_result(self, whole: Var, index: int) -> Atom:
        """One of several results as the backward sweep can read it: if it is changed, a copy."""
        part = self.part_of(whole, index)
        return self.saved(part, self.overwrites.is_result_stale(whole, index))

    def part_of(self, whole: Var, index: int) -> Atom:
        """One of several results: as the function itself has read it, or read right after them.

        So what a loop records is the part.
        """
        block, position = self.places.after(whole)
        for stmt in block.stmts[position:]:
            if isinstance(stmt, Op) and stmt.target in self.d.kept:
                continue
            if not (isinstance(stmt, Op) and stmt.fn is operator.getitem and stmt.args[0] is whole):
                break
            if isinstance(stmt.args[1], Const) and stmt.args[1].value == index:
                return stmt.target  # type: ignore[return-value]
        assert isinstance(whole.type, Tuple)
        part = Var(whole.name, whole.type.items[index])
        made = Op(part, operator.getitem, [whole, constant(index)], {}, "", self.b.origin)
        block.stmts.insert(position, made)
        self.b.definitions[part] = made
        return part

    def _is_divisor(self, partial: Atom | None) -> bool:
        """Whether a partial is 1 / y, so that the cotangent is divided by y."""
        made = None if partial is None else self.b.definition(partial, np.true_divide)
        return made is not None and isinstance(made.args[0], Const)

    def _of_shape(self, atom: Atom, value: Atom, op: Op) -> Atom:
        """A contribution to what is changed in place: it has the shape of the result."""
        t = value.type
        if atom is op.args[0] and isinstance(value, Var) and isinstance(t, Array):
            assert isinstance(atom.type, Array)
            if t.dims is not None and atom.type.dims is not None and len(t.dims) == atom.type.ndim:
                value.type = replace(t, dims=atom.type.dims)
        return value

    def repeated(self, op: Op, value: Atom) -> None:
        """[x, y] * n: each element gets the sum over its repetitions."""
        for atom in op.args:
            if self.is_active(atom) and isinstance(atom.type, List):
                part = self.b.op(generic.unrepeat, value, self.saved(atom), type=atom.type)
                self.d.add(atom, part, fitted=True)

    def late(self, op: Op, value: Atom) -> None:
        """The derivative of what was found at run time is found at run time."""
        call = late_call(op, self.b, self.saved)
        wrt = [
            k
            for k, (source, _) in enumerate(call.sources)
            if self.is_active(source) and carries_derivative(call.args[k].type)
        ]
        fn = Const(call.fn, UNKNOWN, None)
        operands = self.b.op(core.TUPLE, *call.args)
        pulled = self.b.op(
            pull, fn, value, operands, constant(tuple(wrt)), constant(None), type=UNKNOWN
        )
        for position, k in enumerate(wrt):
            part = self.b.op(operator.getitem, pulled, constant(position), type=UNKNOWN)
            source, key = call.sources[k]
            assert isinstance(source, Var)
            if key is None:
                self.d.add(source, part)
            else:
                self.d.add_item(source, key, part)

    def by_pull(self, op: Op, value: Atom) -> None:
        """Which rule holds is known only at run time."""
        fn = Const(op.fn, UNKNOWN, None)
        keywords = (
            self.b.op(core.DICT, *op.kwargs.values(), keys=constant(tuple(op.kwargs)))
            if op.kwargs
            else constant(None)
        )
        operands = self.b.op(core.TUPLE, *map(self.saved, op.args))
        given = [*enumerate(op.args), *op.kwargs.items()]
        wrt = [(place, atom) for place, atom in given if self.is_active(atom)]
        places = constant(tuple(place for place, _ in wrt))
        pulled = self.b.op(pull, fn, value, operands, places, keywords, type=UNKNOWN)
        for k, (_, atom) in enumerate(wrt):
            part = self.b.op(operator.getitem, pulled, constant(k), type=UNKNOWN)
            self.d.add(atom, part)

    def hook(self, op: Op, value: Cotangent) -> None:
        """A cotangent goes through what the user does to it at this point."""
        target, hook = op.target, op.kwargs["hook"].value  # type: ignore[union-attr]
        assert target is not None
        cotangent = self.d.materialise(value, target)
        self.d.set(target, cotangent)
        if isinstance(target.type, Array) and target.type.dims:
            cotangent = self.d.own(target)
        elif isinstance(target.type, Unknown):  # None is a zero, which the user does not know
            value_there = self.saved(op.args[0])
            cotangent = self.b.op(generic.as_gradient, cotangent, value_there, type=target.type)
        elif not is_number(target.type):
            cotangent = self.b.op(generic.copy, cotangent, type=target.type)
        self.d.pop(target)
        late = isinstance(hook.function, Closure)
        for atom in op.args[1:]:
            if late and isinstance(atom, Var) and self.overwrites.is_stale(atom):
                raise UnsupportedSyntaxError(
                    f"the hook reads `{atom.name}`, which is changed in place", op.origin,
                    f"Give the hook a copy: lambda d_x, {atom.name}={atom.name}.copy(): ...",
                )  # fmt: skip
        values = {n: self.saved(a) for n, a in zip(hook.names, op.args[1:])} | hook.constants
        made = through_hook(self.b, hook, values, cotangent)
        for atom in {cotangent, made}:  # the user may have kept them
            if isinstance(atom, Var):
                self.d.owners.update((atom, atom.root))
        self.d.add(op.args[0], made)

    def is_active(self, atom: Any) -> bool:
        return isinstance(atom, Var) and atom in self.active

    def built(self, op: Op, value: Cotangent) -> None:
        """A tuple, list or dict was built: each part's cotangent goes to its part."""
        keys: Any = range(len(op.args))
        if op.fn is core.DICT:
            keys = op.kwargs["keys"].value  # type: ignore[union-attr]
        for key, atom in zip(keys, op.args, strict=True):
            if not self.is_active(atom):
                continue
            if isinstance(value, Parts):
                part = value.items.get(key)
                if part is None and isinstance(key, int):
                    part = value.items.get(key - len(op.args))
            else:
                part = self.b.op(
                    operator.getitem, value, constant(key), type=_part_type(value.type, key)
                )
            if part is not None:
                self.d.add(atom, part)

    def element(self, op: Op, value: Cotangent) -> bool:
        """z = x[i]: add d_z into d_x[i]. False where the generic rule has to serve."""
        x, index = op.args[0], self.saved(op.args[1])
        if not self.is_active(x):
            return True
        assert isinstance(x, Var) and op.target is not None
        if is_container(x.type):
            if isinstance(index, Const) and not isinstance(index.value, slice):
                key = index.value
                if isinstance(key, int) and key < 0:
                    length = _length(x.type)
                    key = key + length if length is not None else key
                if _known_keys(x.type):
                    self.d.add_item(x, key, value)
                    return True
            if isinstance(index, Const) and isinstance(index.value, slice):
                return False
            present = self.own_container(x)
            item = self.d.materialise(value, op.target)
            before = self.b.op(operator.getitem, present, index, type=item_type_any(x.type))
            if isinstance(item_type_any(x.type), (Scalar, Array)):
                total = self.b.op(np.add, before, item, style="operator")
            else:
                total = self.b.op(generic.add, before, item, type=item_type_any(x.type))
            self.d.set(x, self.b.in_place(core.STORE, present, index, total))
            return True
        if not isinstance(x.type, Array) or isinstance(index.type, Unknown):
            return False
        item = self.d.materialise(value, op.target)
        if is_complex(item.type) and not is_complex(x.type):
            item = self.b.op(np.real, item, style="attribute")
        axes = inserted_axes(index)
        if axes is not None and _rank(item.type) == _rank(op.target.type):
            place = constant(without(axes))
            self.d.add(x, self.b.op(operator.getitem, item, place))
            return True
        unique = self.names_once(index)
        spread = self.b.definition(item, np.broadcast_to)
        self.d.scatter(x, index, item if spread is None else spread.args[0], unique)
        return True

    def names_once(self, index: Atom) -> bool:
        """Whether an index certainly names no element twice."""
        return is_basic_index(index.type) or _is_mask(index.type) or self._is_counted(index)

    def _is_counted(self, index: Atom) -> bool:
        """Whether one of the parts of an index counts np.arange(n)."""
        parts = self.b.definition(index, core.TUPLE)
        for part in [index] if parts is None else parts.args:
            counted = self.b.definition(part, np.arange)
            if counted is not None and isinstance(part.type, Array) and part.type.ndim == 1:
                others = [index] if parts is None else parts.args
                return all(p is part or _is_line(p.type) for p in others)
        return False

    def own_container(self, x: Var) -> Var:
        """The cotangent of a list whose elements are read at computed positions."""
        present = self.d.get(x)
        if isinstance(present, Var) and self.d.is_owned(present):
            return present
        if isinstance(x.type, Tuple):
            whole = self.d.materialise(Parts() if present is None else present, x)
            parts = [self.b.item(whole, i) for i in range(len(x.type.items))]
            made = self.b.op(core.LIST, *parts)  # which can be stored into
        elif present is None and _known_keys(x.type):
            made = self.d.materialise(Parts(), x)
        elif present is None:
            made = self.b.op(generic.zeros_like, self.saved(x), type=x.type)
        else:
            whole = self.d.materialise(present, x)
            of_list = isinstance(x.type, List) and not isinstance(whole.type, (List, Tuple))
            made = self.b.op(generic.as_list if of_list else generic.copy, whole, type=x.type)
        assert isinstance(made, Var)
        self.b.unshare(made)
        self.b.buffers.add(made)
        self.d.set(x, self.d.named(made, x))
        return made

    # -- operations in place --------------------------------------------------------------

    def in_place(self, op: Op) -> None:
        version, before = op.version, op.args[0]
        assert version is not None and isinstance(before, Var)
        if version not in self.active and op.target not in self.active:
            return
        if op.fn in (core.STORE, core.STORE_ADD, core.STORE_SUB, core.ADD_AT):
            self.stored(op, version, before)
        elif op.fn is core.THROUGH:
            through(self, op)
        elif op.fn is core.APPEND:
            self.appended(op, version, before)
        elif op.fn in (core.POP, core.REVERSE):
            self.taken_out(op, version, before)
        else:
            value = self.d.pop(version)
            if value is not None:
                self.by_rule(op, self.d.materialise(value, version))

    def stored(self, op: Op, version: Var, before: Var) -> None:
        """x[i] = v: d_v gets d_x[i], and d_x[i] is 0 for what stood there before."""
        index, new = self.saved(op.args[1]), op.args[2]
        value = self.d.pop(version)
        if value is None:
            return
        if is_container(version.type):
            self._stored_in_container(op, version, before, value)
            return
        if op.fn is core.STORE and _is_whole(index):
            if self.is_active(new):
                self.d.add(new, value)
            return  # nothing is left of what stood there before
        self.d.set(version, self.d.materialise(value, version))
        once = self._is_unread(op)
        if self.is_active(new):
            present = self.d.get(version)
            assert isinstance(present, Var) and isinstance(new, Var)
            if op.fn is not core.STORE or self.names_once(index):
                part = self.b.op(operator.getitem, present, index)
            else:
                part = self.b.op(generic.gather_stored, present, index)
            if op.fn is core.STORE_SUB:
                part = self.b.op(np.negative, part, style="operator")
            clears = op.fn is core.STORE and self.is_active(before)
            if clears and not once and _shares(part.type, index.type):
                part = self.b.op(np.copy, part, style="method", type=part.type)
            shown = op.fn is not core.STORE and _shares(part.type, index.type)
            self.d.add(new, part, lend=shown)
        if self.is_active(before):
            if op.fn is core.STORE and not once:
                present = self.d.own(version)
                zero = constant(0.0)
                cleared = self.b.in_place(core.STORE, present, index, zero)
                self.d.set(version, cleared)
            present = self.d.pop(version)
            assert present is not None
            self.d.add(before, present, fitted=True)
        else:
            self.d.pop(version)

    def _is_unread(self, op: Op) -> bool:
        """Whether the cotangent of an overwritten element is read by nothing any more.

        So it is where a loop writes each element of a fresh array once: then it need not be
        cleared.
        """
        if op.fn is not core.STORE or not self.overwrites.writes_each_once(op):
            return False
        assert op.version is not None
        loop = self.loops[-1] if self.loops else None
        if loop is None:
            return False
        for param, init in zip(loop.params, loop.inits, strict=True):
            if param.root is op.version.root:
                return not self.is_active(init) or self._is_stored_below(init, op)
        return False

    def _is_stored_below(self, init: Atom, op: Op) -> bool:
        """Whether all that was stored before a loop lies before the elements that it writes."""
        offset = self.overwrites.offset(op.args[1])
        first = None if offset is None else self.overwrites.first_value(offset)
        if first is None:
            return False
        while isinstance(init, Var):
            made = self.b.definitions.get(init)
            if made is None or made.version is not init:
                return not self.is_active(init)
            index = made.args[1] if made.fn is core.STORE else None
            if not isinstance(index, Const) or type(index.value) is not int:
                return False
            if not 0 <= index.value < first:
                return False
            init = made.args[0]
        return False

    def _stored_in_container(self, op: Op, version: Var, before: Var, value: Cotangent) -> None:
        index, new = op.args[1], op.args[2]
        if isinstance(index, Const) and isinstance(value, Parts):
            parts = dict(value.items)
            length = _length(version.type)
            key = index.value
            if isinstance(key, int) and length is not None:
                key %= length
            part = parts.pop(key, None)
            if part is not None:
                self.d.add(new, part)
            if self.is_active(before) and parts:
                self.d.add(before, Parts(parts))
            return
        whole = self.d.materialise(value, version)
        item = self.b.op(operator.getitem, whole, index, type=item_type_any(version.type))
        self.d.add(new, item)
        if self.is_active(before):
            self.d.set(version, whole)
            present = self.own_container(version)
            self.d.pop(version)
            t = item_type_any(version.type)
            zero = constant(0.0)
            if not isinstance(t, Scalar) and not (isinstance(t, Array) and t.dims == ()):
                zero = self.b.op(generic.zeros_like, item, type=t)  # type: ignore[assignment]
            cleared = self.b.in_place(core.STORE, present, index, zero)
            self.d.add(before, cleared, fitted=True)

    def appended(self, op: Op, version: Var, before: Var) -> None:
        """xs.append(v): the cotangent of v is the last of xs."""
        new = op.args[1]
        value = self.d.pop(version)
        if value is None:
            return
        known = isinstance(version.type, List) and version.type.items is not None
        if isinstance(value, Parts) and known:
            last = len(version.type.items) - 1  # type: ignore[attr-defined, union-attr]
            parts = dict(value.items)
            part = parts.pop(last, None)
            if part is not None:
                self.d.add(new, part)
            if parts and self.is_active(before):
                self.d.add(before, Parts(parts))
            return
        whole = self.d.materialise(value, version)
        self.d.set(version, whole)
        present = self.own_container(version) if not self._owned(whole) else whole
        self.d.pop(version)
        assert isinstance(present, Var)
        part = Var("part", may_be_pythons(item_type_any(version.type)))
        rest = self.b.in_place(core.POP, present, value=part)
        rest.type = before.type
        self.b.definitions[part] = self.b.block.stmts[-1]  # type: ignore[assignment]
        if self.is_active(new):
            self.d.add(new, part)
        self.d.add(before, rest, fitted=True)

    def walked_backwards(self, op: Op, value: Cotangent) -> None:
        """The record of a loop, as its backward loop walks it."""
        assert op.target is not None and isinstance(op.args[0], Var)
        whole = self.d.materialise(value, op.target)
        last = self.b.block.stmts[-1] if self.b.block.stmts else None
        if isinstance(last, Op) and last.fn is core.REVERSE and last.version is whole:
            self.b.block.stmts.pop()
            self.d.add(op.args[0], last.args[0], fitted=True)
            return
        self.d.set(op.target, whole)
        present = self.own_container(op.target)
        self.d.pop(op.target)
        self.d.add(op.args[0], self.b.in_place(core.REVERSE, present), fitted=True)

    def taken_out(self, op: Op, version: Var, before: Var) -> None:
        """v = xs.pop(): the cotangent of v goes to the end of xs. Or xs.reverse()."""
        value = self.d.pop(version)
        item = self.d.pop(op.target) if op.target is not None else None
        if value is None and item is None:
            return
        self.d.set(version, self.d.materialise(value, version))
        present = self.own_container(version)
        self.d.pop(version)
        if op.fn is core.REVERSE:
            whole = self.b.in_place(core.REVERSE, present)
        else:
            assert op.target is not None
            part = self.d.materialise(item, op.target)
            self.d.give(part)
            whole = self.b.in_place(core.APPEND, present, part)
        whole.type = before.type
        self.d.add(before, whole, fitted=True)

    def _owned(self, value: Atom) -> bool:
        return isinstance(value, Var) and self.d.is_owned(value)

    # -- branches -------------------------------------------------------------------------

    def branch(self, stmt: If) -> None:
        self.d.flush()
        self._keep_test(stmt)
        values = [self.d.pop(r) if r in self.active else None for r in stmt.results]
        outer = [v for v in read_outside(stmt) if v in self.active]
        if not any(v is not None for v in values):
            return
        rows = zip(values, stmt.results, strict=True)
        atoms = [None if v is None else self.d.materialise(v, r) for v, r in rows]
        before = {v: self.d.get(v) for v in outer}
        for var, value in before.items():
            if isinstance(value, Parts):
                self.d.set(var, self.d.materialise(value, var))
        before = {v: self.d.get(v) for v in outer}
        saved = dict(self.d.values)
        blocks, ends = [], []
        for side in (stmt.then, stmt.orelse):
            self.d.values = dict(saved)
            block = Block()
            with self.b.inside(block):
                for end, value in zip(side.yields, atoms, strict=True):
                    if value is not None and self.is_active(end):
                        self.d.add(end, value)
                self.block(side.stmts)
                ends.append({v: self.d.get(v) for v in outer})
            blocks.append(block)
        self.d.values = saved
        self.b.origin = stmt.origin
        changed = [v for v in outer if any(e[v] is not before[v] for e in ends)]
        for block, values_at_end in zip(blocks, ends, strict=True):
            with self.b.inside(block):
                block.yields = [self.d.solid(values_at_end[v], v) for v in changed]
        handed = [list(block.yields) for block in blocks]
        before_it = Var.count()
        results = self.b.branch(self._test_again(stmt), *blocks)
        for var, result in zip(changed, results, strict=True):
            if isinstance(result, Var) and result.serial >= before_it:
                result.name, result.named = f"d_{var.name.strip('_')}", True
                if not isinstance(var.type, Scalar):
                    result.type = var.type
                self._keep_memory(result, [end[var] for end in ends], handed)
            self.d.set(var, result)

    def _keep_test(self, stmt: If) -> None:
        """`if xs:` of a list that changes afterwards: whether it was empty is kept."""
        test = stmt.test
        if isinstance(test, Var) and is_mutable(test.type) and self.overwrites.is_stale(test):
            flag = Var("test", BOOL)
            made = Op(flag, bool, [test], {}, "", stmt.origin)
            block, position = self.places.after(test)
            block.stmts.insert(position, made)
            self.b.definitions[flag] = made
            stmt.test = flag

    def _test_again(self, stmt: If) -> Atom:
        """The test of a branch inside a branch: cheap ones are made again where they are needed.

        So a chain of `elif` stays one, and the forward sweep need not go through it.
        """
        made = self.b.made(stmt.test)
        here = self.function.body
        if made is None or self.loops or self.b.home.get(made.target) is here:  # type: ignore[arg-type]
            return stmt.test

        def is_known(atom: Atom) -> bool:
            if isinstance(atom, Const):
                return atom.external is None
            return atom.external is None and (
                atom in self.function.params or self.b.home.get(atom) is here
            )

        if not _is_cheap(made) or not all(map(is_known, made.args)):
            return stmt.test
        return self.b.op(made.fn, *made.args, style=made.style)

    def _keep_memory(self, result: Var, ends: list[Any], handed: list[list[Atom]]) -> None:
        """After a branch: memory that was changed in place on either side is still the same."""
        if not all(isinstance(e, Var) for e in ends):
            return
        if ends[0].root is ends[1].root:
            result.root = ends[0].root
        elif all(
            self.d.is_owned(end) and _count_root(row, end) == 1
            for end, row in zip(ends, handed, strict=True)
        ):
            self.b.buffers.add(result)

    # -- loops ----------------------------------------------------------------------------

    def loop(self, loop: Loop) -> None:
        self.d.flush()
        carried = [i for i, p in enumerate(loop.params) if p in self.active]
        inner = defined_within(loop)
        read = [v for v in core.free_vars(loop.body) if v not in inner]
        outer = [v for v in read if v in self.active]
        sources: dict[Var, Var] = {}  # item -> the sequence that it comes from
        if isinstance(loop, For):
            for item, source in zip(loop.items, loop.iterables, strict=True):
                if item is not None and item in self.active and self.is_active(source):
                    sources[item] = source  # type: ignore[assignment]
        ends = {i: self.d.pop(loop.results[i]) for i in carried}
        if not any(v is not None for v in ends.values()):
            return
        array_sources = [s for s in sources.values() if isinstance(s.type, Array)]
        summed = list(dict.fromkeys([*outer, *array_sources]))
        index = self._index_of(loop) if array_sources else None
        inits: list[Atom] = [self.d.solid(ends[i], loop.results[i]) for i in carried]
        params = [self._cotangent_param(loop.params[i]) for i in carried]
        for i, param in zip(carried, params, strict=True):
            t = loop.params[i].type
            if loop.inits[i] is UNDEFINED and isinstance(t, Array) and _varies(t):
                param.type = UNKNOWN  # a zero, or an array like the value of the iteration at hand
        for var in summed:
            before = self.d.pop(var)
            init = self.d.solid(before, var)
            inits.append(init)
            params.append(self._cotangent_param(var))
        for init in inits:
            if isinstance(init, Var):
                self.b.unshare(init)
        lists = {
            item: self._list_of_cotangents(s)
            for item, s in sources.items()
            if not isinstance(s.type, Array)
        }
        body, yields = self._backward_body(loop, carried, summed, params, sources, index, lists)
        shapes = [*(loop.results[i] for i in carried), *summed]
        self._take_over(inits, params, yields, body, shapes)
        results = [
            self._result(param, self._owns(k, params, inits, yields))
            for k, param in enumerate(params)
        ]
        list_params = [p for _, p in lists.values()]
        list_results = []
        for made, param in lists.values():
            result = Var(param.name, param.type, named=True)
            result.root = made
            list_results.append(result)
        backward = For(
            params=params + list_params,
            inits=inits + [made for made, _ in lists.values()],
            body=body,
            results=results + list_results,
            origin=loop.origin,
            backward=True,
        )
        body.yields = [*yields, *(self.b_versions[p] for p in list_params), constant(False)]
        self._record(loop, backward, index)
        self.b.block.stmts.append(backward)
        for var, result in zip(summed, results[len(carried) :], strict=True):
            self.d.set(var, result)
        for position, i in enumerate(carried):
            self.d.add(loop.inits[i], results[position])
        listed = [source for item, source in sources.items() if item in lists]
        for source, result in zip(listed, list_results, strict=True):
            whole: Atom = self.b.in_place(core.REVERSE, result)
            walked = [s for s in loop.iterables if s is not COUNT]  # type: ignore[attr-defined]
            # What a sweep walks has one length: the records, and the counter beside them.
            whole_walk = len(walked) == 1 or loop.backward
            plain = isinstance(source.type, List) and whole_walk and _is_false(loop.stop)
            # A record is walked to its end, and so are the tangents beside it.
            if not plain and self.b.definition(source, builtins.reversed) is None:
                whole = self.b.op(generic.fill_up, whole, self.saved(source), type=source.type)
            self.d.add(source, whole, fitted=True)

    def _cotangent_param(self, var: Var) -> Var:
        param = Var(f"d_{var.name.strip('_')}", self.cotangent_type(var.type), named=True)
        self.b.buffers.add(param)
        if var in self.d.unbound:
            self.d.unbound.add(param)
        return param

    def cotangent_type(self, t: Type) -> Type:
        """The type of a cotangent: that of a Python number may be a number of NumPy's."""
        if isinstance(t, Scalar) and self.has_arrays:
            t = Array(np.dtype("complex128" if t.kind == "complex" else "float64"), ())
        return may_be_pythons(t)

    def _result(self, param: Var, owned: bool) -> Var:
        result = Var(param.name, param.type, named=True)
        if owned:
            self.b.buffers.add(result)
        return result

    def _owns(self, k: int, params: list[Var], inits: list[Atom], yields: list[Atom]) -> bool:
        """Whether a loop's result is memory of its own, however often the body ran."""
        param, end = params[k], yields[k]
        if param in self.summed:
            return True  # see _take_over
        if isinstance(end, Var) and end.root is not param and end.root in self.b.buffers:
            return False
        for row in (inits, yields):
            atom = row[k]
            if not isinstance(atom, Var) or _count_root(row, atom) > 1:
                return False
            if atom.root in self.d.given:
                return False
            if atom.root is not param and not self.d.is_owned(atom):
                return False
        return True

    def _list_of_cotangents(self, source: Var) -> tuple[Var, Var]:
        """An empty list for the cotangents of a list's items, and its version in the loop."""
        made = self.b.op(core.LIST, type=List(item_type_any(source.type)))
        assert isinstance(made, Var)
        made.name, made.named = f"d_{source.name}", True
        param = Var(made.name, made.type, named=True)
        param.root = made
        return made, param

    def _backward_body(
        self,
        loop: Loop,
        carried: list[int],
        summed: list[Var],
        params: list[Var],
        sources: dict[Var, Var],
        index: Var | None,
        lists: dict[Var, tuple[Var, Var]],
    ) -> tuple[Block, list[Atom]]:
        saved = dict(self.d.values)
        self.d.values = {}
        self.b_versions: dict[Var, Var] = {}
        versions: dict[Var, Var] = {}
        body = Block()
        self.b.loop_bodies.add(id(body))
        with self.b.inside(body):
            for var, param in zip(summed, params[len(carried) :], strict=True):
                self.d.set(var, param)
            for i, param in zip(carried, params, strict=False):
                end: Atom = loop.body.yields[i]
                part: Atom = param
                if _is_list_made_anew(loop, i):  # the zeros of `_no_cotangent` are not written out
                    part = self.b.op(generic.fill_up, param, self.saved(end), type=param.type)
                self.d.add(end, part)
            self.loops.append(loop)
            self.block(loop.body.stmts)
            self.loops.pop()
            for item, source in sources.items():
                value = self.d.pop(item)
                if item in lists:
                    made, param = lists[item]
                    if self._is_own(value, item.type):
                        self.own_lists.add(made)
                    atom = self.d.materialise(value, item)
                    self.d.give(atom)
                    versions[param] = self.b.in_place(core.APPEND, param, atom)
                elif value is not None:
                    assert index is not None
                    present = self.d.own(source)
                    atom = self.d.materialise(value, item)
                    self.d.set(source, self.b.in_place(core.STORE_ADD, present, index, atom))
            yields: list[Atom] = []
            for i, param in zip(carried, params, strict=False):
                value = self.d.pop(loop.params[i])
                if value is None:
                    yields.append(self._no_cotangent(loop, i, param))
                else:
                    yields.append(self.d.solid(value, loop.params[i]))
            for var in summed:
                yields.append(self.d.solid(self.d.pop(var), var))
        self.d.values = saved
        self.b_versions = versions
        return body, yields

    def _is_own(self, value: Cotangent | None, t: Type) -> bool:
        """Whether a cotangent is arrays in memory of their own, of the types of its variable."""
        if isinstance(value, Parts) and isinstance(t, Tuple):
            return all(self._is_own(value.items.get(i), part) for i, part in enumerate(t.items))
        return (
            isinstance(value, Var)
            and isinstance(t, Array)
            and bool(t.dims)
            and isinstance(value.type, Array)
            and value.type.element == t.element
            and self.d.is_owned(value)
        )

    def _no_cotangent(self, loop: Loop, position: int, param: Var) -> Atom:
        """Zeros for what a body does not read: like the cotangent at hand, if shapes stay."""
        before = loop.params[position]
        if not _varies(before.type):
            return self.d.zeros(param)
        if loop.inits[position] is not UNDEFINED:
            return self.d.zeros(before)
        if _is_list_made_anew(loop, position):
            return self.b.op(core.LIST, type=param.type)
        last = loop.body.yields[position]
        if isinstance(before.type, Array) or not isinstance(last, Var):
            return constant(0.0)
        return self.d.zeros(last)

    def _take_over(
        self,
        inits: list[Atom],
        params: list[Var],
        yields: list[Atom],
        body: Block,
        of: list[Var],
    ) -> None:
        """Where the body sums into a parameter's memory, that memory must be the loop's own."""
        summed = {p for p in params if is_changed(body, p)}
        memory = {p: same_memory(body, p) for p in params} if len(params) > 1 else {}
        while summed:  # memory that one parameter hands to another in the next iteration
            ends = [end.root for param, end in zip(params, yields, strict=True)
                    if param in summed and isinstance(end, Var)]  # fmt: skip
            handed = {p for p in memory if not memory[p].isdisjoint(ends)}
            if handed <= summed:
                break
            summed |= handed
        self.summed = summed
        for position, param in enumerate(params):
            if param not in summed:
                continue
            init = inits[position]
            if isinstance(init, Var) and not (
                self.d.is_owned(init) and inits.count(init) == 1 and self.d.owners[init] == 0
            ):
                copy = self.d.copy(init, of[position])
                copy.name, copy.named = param.name, True
                inits[position] = copy
            end = yields[position]
            if not isinstance(end, Var):
                continue
            others = [y for k, y in enumerate(yields) if k != position and isinstance(y, Var)]
            lent = end.root in self.d.given or any(self.d.may_overlap(o, end) for o in others)
            if lent or end.root is not param and not self.d.is_owned(end):
                with self.b.inside(body):
                    yields[position] = self.d.copy(end, param)

    def _index_of(self, loop: Loop) -> Var:
        """The number of the iteration, counted beside the sequences that the loop walks."""
        assert isinstance(loop, For)
        for item, source in zip(loop.items, loop.iterables, strict=True):
            if source is COUNT and item is not None:
                return item
        index = Var("i", INT)
        loop.items.insert(0, index)
        loop.iterables.insert(0, COUNT)
        return index

    # -- records --------------------------------------------------------------------------

    def _record(self, loop: Loop, backward: For, index: Var | None) -> None:
        """Let the forward loop record what the backward loop reads of each iteration."""
        inside = set(definitions(loop.body)) | set(core.defined_inside(loop))
        counter = _counter_of(loop)
        self._compute_again(backward.body, inside, loop, counter)
        wanted = [v for v in core.free_vars(backward.body) if v in inside]
        self._carry_states(loop, backward, wanted)
        counted = isinstance(loop, For) and _is_false(loop.stop)
        if counted and self._recount(loop, backward, wanted):  # type: ignore[arg-type]
            return
        if counter in wanted:
            wanted.remove(counter)  # type: ignore[arg-type]
        else:
            counter = None
        saved = list(map(Exports(loop.body, core.defined_inside(loop)).value, wanted))
        result, places = self._known_record(loop, saved) or self._new_record(loop, saved)
        self.b.backward = True
        self.b.origin = loop.origin
        walk = self.b.op(builtins.reversed, result, type=result.type, name="record")
        backward.iterables = [walk]
        if places is None:
            item = Var(wanted[0].name, wanted[0].type, named=wanted[0].named)
            backward.items = [item]
            renamed = {wanted[0]: item}
        else:
            item = Var("record", item_type_any(result.type))
            backward.items = [item]
            reads = []
            renamed = {}
            for place, var in sorted(zip(places, wanted, strict=True), key=lambda pair: pair[0]):
                copy = Var(var.name, var.type, named=var.named)
                renamed[var] = copy
                reads.append(Op(copy, operator.getitem, [item, constant(place)]))
            backward.body.stmts[:0] = reads
        if counter is not None:  # the range itself, backwards, beside the record
            assert isinstance(loop, For)
            steps = loop.iterables[loop.items.index(counter)]
            renamed[counter] = Var(counter.name, counter.type, named=counter.named)
            backward.items.insert(0, renamed[counter])
            backward.iterables.insert(0, self._backwards(steps))
        core.rewrite(backward.body, lambda a: renamed.get(a, a) if isinstance(a, Var) else a)

    def _known_record(self, loop: Loop, saved: list[Atom]) -> tuple[Var, list[int] | None] | None:
        """The record of an inner derivative, if it holds all that is to be saved here.

        With it, the places of its entries that are read; None for entries that are no tuples.
        """
        appended = {s.version: s for s in loop.body.stmts
                    if isinstance(s, Op) and s.fn is core.APPEND}  # fmt: skip
        for param, end, result in zip(loop.params, loop.body.yields, loop.results):
            if param.root not in self.b.records or end not in appended:
                continue
            entry = appended[end].args[1]  # type: ignore[index]
            if saved == [entry]:
                return result, None
            made = self.definitions.get(entry) if isinstance(entry, Var) else None
            if made is not None and made.fn is core.TUPLE and all(a in made.args for a in saved):
                return result, [made.args.index(a) for a in saved]
        return None

    def _new_record(self, loop: Loop, saved: list[Atom]) -> tuple[Var, list[int] | None]:
        """Append what is saved, at the end of each iteration, to a new list."""
        entry: Atom
        if len(saved) == 1:
            entry = saved[0]
        else:
            self.b.backward = False
            with self._at_end(loop.body):
                entry = self.b.tuple(*saved)
        types = tuple(s.type for s in saved)
        kind: Type = types[0] if len(saved) == 1 else Tuple(types)
        self.b.backward = False
        tape = Var("tape", List(kind), named=True)
        made = Op(tape, core.LIST, [], origin=loop.origin)
        self._insert_before(loop, made)
        self.b.definitions[tape] = made
        self.b.records.add(tape)
        param, result = (Var("tape", List(kind), named=True) for _ in range(2))
        param.root = result.root = tape
        with self._at_end(loop.body):
            version = self.b.in_place(core.APPEND, param, entry)
        loop.params.append(param)
        loop.inits.append(tape)
        loop.body.yields.insert(-1, version)
        loop.results.append(result)
        return result, None if len(saved) == 1 else list(range(len(saved)))

    def _backwards(self, steps: Atom) -> Atom:
        """A range from its end; one that is walked backwards already, from its start."""
        walked = self.b.definition(steps, builtins.reversed)
        if walked is not None:
            return walked.args[0]
        return self.b.op(builtins.reversed, steps, type=Range(), name="steps")

    def _compute_again(
        self, body: Block, inside: set[Var], loop: Loop, counter: Var | None
    ) -> None:
        """What is cheap to compute again from the rest is not recorded: t + 1, b * x, x < limit.

        `counter` need not be recorded either; nor does an index that is made of what is, or of one
        number that is recorded in its place.
        """
        # What a branch defines may have no value in other iterations.
        always = set(core.defined_inside(loop)).union(*map(core.defined_by, loop.body.stmts))
        wanted = [v for v in core.free_vars(body) if v in inside]
        known = {*wanted, counter}
        again: dict[Var, Op] = {}

        def needed(made: Op, parts: dict[Var, Op] | None) -> list[Var]:
            """What has to be known for an operation; with `parts`, for those that it is made of."""
            missing: list[Var] = []
            for a in made.args:
                if not isinstance(a, Var) or a not in inside or (a in known and a in always):
                    continue
                part = self.b.definitions.get(a)
                if parts is None or part is None or part.target is not a or a in known:
                    missing.append(a)
                elif _is_cheap(part) or _is_index(part):
                    missing += needed(part, parts)
                    parts[a] = part
                else:
                    missing.append(a)
            return missing

        for var in sorted(wanted, key=lambda v: v.serial, reverse=True):
            made = self.b.definitions.get(var)
            if made is None or made.target is not var or not (_is_cheap(made) or _is_index(made)):
                continue
            parts = {var: made}
            missing = needed(made, parts if _is_index(made) else None)
            # A number is recorded as well as the index that it is in.
            instead = len(set(missing)) == 1 and _is_index(made) and missing[0] in always
            if not missing or instead and not self.overwrites.is_stale(missing[0]):
                known.discard(var)
                known.update(missing)
                again |= parts
        renamed: dict[Var, Atom] = {}
        repeated: list[Stmt] = []
        for var, made in sorted(again.items(), key=lambda item: item[0].serial):
            assert made.target is not None
            copy = Var(made.target.name, made.target.type, named=made.target.named)
            args = [renamed.get(a, a) if isinstance(a, Var) else a for a in made.args]
            op = Op(copy, made.fn, args, {}, made.style, made.origin, None, True)
            self.b.definitions[copy] = op
            renamed[var] = copy
            repeated.append(op)
        if repeated:
            core.rewrite(body, lambda a: renamed.get(a, a) if isinstance(a, Var) else a)
            body.stmts[:0] = repeated

    def _carry_states(self, loop: Loop, backward: For, wanted: list[Var]) -> None:
        """The state after a step is the state before the next: only one of them is recorded."""
        for position, param in enumerate(loop.params):
            after = loop.body.yields[position]
            if param not in wanted or after not in wanted or not isinstance(after, Var):
                continue
            if after is param or loop.body.yields.count(after) > 1:
                continue
            if self.overwrites.is_stale(param):
                continue  # only its shape is read: it holds what the iteration has made of it
            wanted.remove(after)
            # Its shape may vary from one iteration to the next, as that of the parameter does.
            state, result = (Var(after.name, param.type, named=after.named) for _ in range(2))
            core.rewrite(backward.body, lambda a: state if a is after else a)  # noqa: B023
            backward.params.append(state)
            backward.inits.append(loop.results[position])
            backward.body.yields.insert(-1, param)
            backward.results.append(result)

    def _recount(self, loop: For, backward: For, wanted: list[Var]) -> bool:
        """Walk the same range backwards, if nothing but its counter is read."""
        counters = [
            (item, source)
            for item, source in zip(loop.items, loop.iterables, strict=True)
            if item in wanted and (source is COUNT or isinstance(source.type, Range))
        ]
        if len(counters) != len(wanted) or len(counters) > 1:
            return False
        lead = next((s for s in loop.iterables if s is not COUNT), None)
        if lead is None or (
            len(loop.iterables) > 1
            and not (counters and counters[0][1] is COUNT and len(loop.iterables) == 2)
        ):
            return False
        if not counters:
            if not isinstance(lead.type, Range):
                return False
            walked = self.b.definition(lead, builtins.reversed)
            backward.items = [None]
            backward.iterables = [lead if walked is None else walked.args[0]]
            return True
        item, source = counters[0]
        assert item is not None
        steps = source
        if source is COUNT:
            if isinstance(lead.type, Range):
                return False
            size = lead.type.dims[0] if isinstance(lead.type, Array) and lead.type.dims else None
            count = self.b.op(len, lead, type=Scalar("int", size))
            steps = self.b.op(core.RANGE, count)
        copy = Var(item.name, item.type, named=item.named)
        backward.items = [copy]
        backward.iterables = [self._backwards(steps)]
        core.rewrite(backward.body, lambda a: copy if a is item else a)
        return True

    def _at_end(self, block: Block) -> Any:
        return self.b.inside(block)

    def _insert_before(self, loop: Loop, op: Op) -> None:
        block = block_with(self.function.body, loop)
        block.stmts.insert(block.stmts.index(loop), op)  # type: ignore[arg-type]

    # -- calls ----------------------------------------------------------------------------

    def call(self, op: Op, value: Cotangent) -> None:
        """A function of its own: its forward half also returns what its backward half needs."""
        assert op.target is not None
        callee = op.kwargs["function"].value  # type: ignore[union-attr]
        if not callee.complete:
            raise UnsupportedSyntaxError(
                f"the recursive function `{callee.name}` is differentiated inside itself",
                op.origin,
                "Differentiate it in a function around it.",
            )
        wanted = tuple(i for i, a in enumerate(op.args) if self.is_active(a))
        forward, backward = halves(callee, wanted, self.b)
        # What the callee saves of its arguments must not be overwritten here later.
        args = [self.saved(a) for a in op.args]
        if any(a is not b and self._may_be_one(a, op.target) for a, b in zip(op.args, args)):
            raise UnsupportedSyntaxError(
                f"the result of `{callee.name}` may be its argument, which is changed in place",
                op.origin,
                "Let the function return a copy, or change a copy.",
            )
        block = block_with(self.function.body, op)
        position = block.stmts.index(op)
        pair = Var("pair", Tuple((op.target.type, UNKNOWN)))
        saved = Var("saved", UNKNOWN, named=True)
        with self.b.inside(Block()) as before:
            if self.b.pulled_later:
                args = as_they_are(args, self.function.body, self.b)
        call = Op(pair, core.CALL_CORE, args, {"function": constant_of(forward)}, "", op.origin)
        block.stmts[position : position + 1] = [
            *before.stmts,
            call,
            Op(op.target, operator.getitem, [pair, constant(0)], {}, "", op.origin),
            Op(saved, operator.getitem, [pair, constant(1)], {}, "", op.origin),
        ]
        self.b.definitions[pair] = call
        seed = self.d.materialise(value, op.target)
        types = tuple(op.args[i].type for i in wanted)
        made = Var("pulled", Tuple(types))
        pull = Op(
            made, core.CALL_CORE, [saved, seed], {"function": constant_of(backward)}, "", op.origin
        )
        self.b.emit(pull)
        for k, i in enumerate(wanted):
            if len(wanted) == 1:
                made.type = types[0]
                self.d.add(op.args[i], made)
            else:
                part = self.b.op(operator.getitem, made, constant(k), type=types[k])
                self.d.add(op.args[i], part)

    def _may_be_one(self, a: Atom, b: Var) -> bool:
        """Whether two objects that are changed in place may be the same one."""
        groups = ({root, *others} for root, others in self.function.aliases.items())
        return isinstance(a, Var) and any(a.root in g and b.root in g for g in groups)


@dataclass
class Split:
    """A function whose backward sweep is a block of its own, for any number of cotangents."""

    seed: Var  # stands for the cotangent of the result
    tail: Block  # yields the cotangents of the arguments
    residuals: list[Var]  # what the tail reads of the forward sweep
    exported: list[Atom]  # the same, as values that are known when the forward sweep is over


def split(function: Function, wrt: list[Var], builder: Builder, *, finish: bool = False) -> Split:
    """Make the backward sweep of a function as a block; its body is what is built at present.

    `finish`: the cotangents are handed to the user, as a tuple, in memory of their own.
    """
    result = function.result
    seed = Var(f"d_{printable(function.name)}", result.type, named=True)
    reverse = Reverse(function, wrt, builder)
    tail = Block()
    with builder.inside(tail):
        if isinstance(result, Var) and result in reverse.active:
            reverse.d.add(result, seed)
        reverse.block(function.body.stmts)
        if finish:
            from .finish import finish_gradient

            tail.yields = [builder.op(core.TUPLE, *finish_gradient(reverse, wrt))]
        else:
            atoms = [reverse.d.materialise(reverse.d.get(p), p) for p in wrt]
            tail.yields = [atoms[0] if len(atoms) == 1 else builder.op(core.TUPLE, *atoms)]
    inside = set(definitions(function.body)) | set(function.params)
    free = core.free_vars(tail)
    residuals = [v for v in free if v in inside or builder.pulled_later and v.external is not None]
    beside = [*function.params, *(v for v in residuals if v not in inside)]
    exported = list(map(Exports(function.body, beside).value, residuals))
    if builder.pulled_later:
        exported = as_they_are(exported, function.body, builder)
    return Split(seed, tail, residuals, exported)


def printable(name: str) -> str:
    """The name of a function, as it can stand in a program."""
    return name.replace("<lambda>", "lambda_")


def halves(
    callee: Function, wanted: tuple[int, ...], builder: Builder, *, finish: bool = False
) -> tuple[Function, Function]:
    """The forward and the backward half of a function, by the arguments at `wanted`.

    forward(*args) -> (result, saved); backward(saved, d_result) -> the cotangents. `finish`: the
    cotangents are handed to the user, as a tuple, in memory of their own.
    """
    if wanted in callee.derivatives:
        return callee.derivatives[wanted]
    forward = Function(f"{printable(callee.name)}_forward", [], Block(), callee.origin)
    backward = Function(f"{printable(callee.name)}_backward", [], Block(), callee.origin)
    callee.derivatives[wanted] = forward, backward
    copy = copy_function(callee)
    for stmt in core.walk(copy.body):  # a range that is walked backwards is walked forwards again
        if isinstance(stmt, Op) and stmt.fn is builtins.reversed and stmt.target is not None:
            builder.definitions[stmt.target] = stmt
    outer_block, outer_known = builder.block, builder._known
    builder.block, builder._known = copy.body, [{}]
    try:
        parts = split(copy, [copy.params[i] for i in wanted], builder, finish=finish)
    finally:
        builder.block, builder._known = outer_block, outer_known
    saved_type = Tuple(tuple(v.type for v in parts.exported))
    saved = Var("saved", saved_type, named=True)
    pair = Var("pair", Tuple((copy.result.type, saved_type)))
    copy.body.stmts += [
        Op(saved, core.TUPLE, list(parts.exported)),
        Op(pair, core.TUPLE, [copy.result, saved]),
    ]
    forward.params, forward.body = copy.params, copy.body
    forward.body.yields = [pair]
    record = Var("saved", saved_type, named=True)
    renamed = {v: Var(v.name, v.type, named=v.named) for v in parts.residuals}
    reads: list[Stmt] = [
        Op(renamed[v], operator.getitem, [record, constant(i)])
        for i, v in enumerate(parts.residuals)
    ]
    tail = parts.tail
    core.rewrite(tail, lambda a: renamed.get(a, a) if isinstance(a, Var) else a)
    tail.stmts[:0] = reads
    backward.params, backward.body = [record, parts.seed], tail
    return forward, backward


def _count_root(row: list[Atom], atom: Var) -> int:
    """How many of what a block hands on is the object of an atom."""
    return sum(isinstance(a, Var) and a.root is atom.root for a in row)


def _is_false(atom: Atom) -> bool:
    return isinstance(atom, Const) and atom.value is False


def _varies(t: Type) -> bool:
    """Whether a loop's variable may change its shape from one iteration to the next."""
    if isinstance(t, Scalar):
        return False
    if not isinstance(t, Array) or t.dims is None:
        return True
    return any(isinstance(n, Dim) and n.wild for n in t.dims)


def _is_list_made_anew(loop: Loop, position: int) -> bool:
    """Whether each iteration makes a list, which may have any length."""
    t, end = loop.params[position].type, loop.body.yields[position]
    return (
        loop.inits[position] is UNDEFINED
        and isinstance(t, List) and t.items is None and isinstance(end, Var)
    )  # fmt: skip


def _is_line(t: Type) -> bool:
    """Index parts that go along with a counter: lines of ints, single ints."""
    if isinstance(t, Scalar):
        return t.kind == "int"
    return (
        isinstance(t, Array) and t.dims is not None and len(t.dims) <= 1 and t.element.kind in "iu"
    )


def _is_int(atom: Atom) -> bool:
    return isinstance(atom.type, Scalar) and atom.type.kind == "int"


def _counter_of(loop: Loop) -> Var | None:
    """The counter of a loop over one range, if it runs to its end."""
    if not (isinstance(loop, For) and _is_false(loop.stop)):
        return None
    walked = [(i, s) for i, s in zip(loop.items, loop.iterables, strict=True) if s is not COUNT]
    if len(walked) != 1 and not loop.backward:  # of a sweep, all that it walks has one length
        return None
    return next((i for i, s in walked if isinstance(s.type, Range)), None)


def _is_index(op: Op) -> bool:
    """Whether an operation puts an index together: i, 1:n."""
    assert op.target is not None
    return op.fn in (core.TUPLE, core.SLICE) and not op.kwargs and is_basic_index(op.target.type)


def _is_cheap(op: Op) -> bool:
    """Arithmetic and comparisons of Python numbers: about as quick as a record's entry."""
    if op.style != "operator" or op.target is None:
        return False
    if op.fn not in _CHEAP and not divides_by_constant(op):
        return False
    return all(isinstance(a.type, Scalar) for a in [op.target, *op.args])


_CHEAP = frozenset(
    {np.add, np.subtract, np.multiply, np.negative, np.less, np.less_equal, np.greater,
     np.greater_equal}
)  # fmt: skip


def _is_whole(index: Atom) -> bool:
    """Whether x[index] is all of an array: x[...], x[:]."""
    return isinstance(index, Const) and (index.value is Ellipsis or index.value == slice(None))


def _is_mask(t: Type) -> bool:
    return isinstance(t, Array) and t.element.kind == "b"


def _shares(part: Type, index: Type) -> bool:
    """Whether reading at this index gives a view, which a later store would change."""
    return is_basic_index(index) and not is_number(part)


def _rank(t: Type) -> int | None:
    dims = dims_of(t)
    return None if dims is None else len(dims)


def _length(t: Type) -> int | None:
    if isinstance(t, (Tuple, List)) and t.items is not None:
        return len(t.items)
    return None


def _known_keys(t: Type) -> bool:
    if isinstance(t, Tuple):
        return True
    if isinstance(t, List):
        return t.items is not None
    return isinstance(t, Dict) and t.keys is not None


def _part_type(t: Type, key: Any) -> Type:
    """The type of a cotangent that is read from a container: a number may be one of Python's."""
    return may_be_pythons(item_type(t, key) or UNKNOWN)


def item_type_any(t: Type) -> Type:
    return t.item if isinstance(t, (List, Dict)) else UNKNOWN


def constant_of(function: Function) -> Const:
    return Const(function, UNKNOWN)
