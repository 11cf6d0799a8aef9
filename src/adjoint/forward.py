"""Forward mode: a function in the core -> the same function with tangent statements between.

Each statement that makes or changes an active variable is followed by one that does so with its
tangent. What is changed in place has its tangent changed in the same way, a container has a
container of tangents beside it, a loop carries tangents beside what it carries. A value that does
not move has no tangent, and nothing is written for it.

Griewank & Walther, "Evaluating Derivatives", 2nd ed. (2008), section 3.1.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import core
from .analysis.activity import active_vars, blocks_derivative
from .analysis.invariance import cancelling
from .analysis.memory import Memory
from .analysis.unbound import unbound_vars
from .builder import Builder, item_type, same_atom
from .core import COUNT, Atom, Block, Const, For, Function, If, Loop, Op, Stmt, Var, While
from .expand import Application, Expander, FunctionApplication, apply_rule, called, no_rule
from .forward_views import ViewChanges
from .infer import constant
from .late import LATE, late_call
from .linear import without
from .partials import Counts, count_partial, is_zero, scaled
from .runtime.push import push
from .structure import copy_function
from .tangents import Tangents, tangent_type
from .types import (
    UNKNOWN,
    Array,
    List,
    Range,
    Scalar,
    Tuple,
    Type,
    Unknown,
    carries_derivative,
    is_complex,
    is_container,
    may_be_pythons,
)


class Forward:
    """Puts the tangent statements into one function, in place.

    `params` are the new parameters: the tangents of those in `wrt`.
    """

    def __init__(self, function: Function, wrt: list[Var], builder: Builder) -> None:
        self.function = function
        self.wrt = wrt
        self.active = active_vars(function, wrt) - cancelling(function)
        self.b = builder
        self.expander = Expander(builder)
        builder.unshare_changed(function.aliases)
        self.memory = Memory(function)
        self.views = ViewChanges(function)
        self.t = Tangents(builder, self.memory, unbound_vars(function))
        self.params: list[Var] = []
        self.has_arrays = any(
            not isinstance(v.type, (Scalar, Range))
            for v in [*function.params, *(v for s in core.walk(function.body)
                                          for v in core.defined_by(s))]
        )  # fmt: skip

    def run(self) -> None:
        """Rewrite the body. `result` then gives the tangent of an atom at its end."""
        body = self.function.body
        stmts, body.stmts = body.stmts, []
        with self._at_top(body):
            for param in self.wrt:
                self._param(param)
            self._statements(stmts)

    def result(self, atom: Atom) -> Atom:
        """The tangent of a result, to be held by something."""
        with self._inside(self.function.body):
            return self.t.or_zero(atom)

    def finished(self, atom: Atom) -> Atom:
        """The tangent of a result as it is handed to the caller."""
        with self._inside(self.function.body):
            return self.t.finish(self.t.get(atom), atom)

    def _param(self, param: Var) -> None:
        made = self._variable(param, tangent_type(param.type))
        self.params.append(made)
        if param not in self.active:
            return
        self.t.set(param, made)
        if self.memory.is_changed(param):  # the caller's own tangent stays as it is
            self.b.origin = self.function.origin
            own = self.t.copy(made, param)
            if isinstance(own, Var):
                own.name, own.named = made.name, True
            self.t.set(param, own)

    @contextmanager
    def _at_top(self, block: Block) -> Iterator[None]:
        """Build in `block` from its start: what later statements compute is not known yet."""
        before = self.b.block, self.b._known, self.b._around
        self.b.block, self.b._known, self.b._around = block, [{}], []
        with self._tangents():
            try:
                yield
            finally:
                self.b.block, self.b._known, self.b._around = before

    @contextmanager
    def _inside(self, block: Block) -> Iterator[None]:
        with self._tangents(), self.b.inside(block):
            yield

    @contextmanager
    def _tangents(self) -> Iterator[None]:
        before = self.b.backward, self.b.tangent
        self.b.backward = self.b.tangent = True
        try:
            yield
        finally:
            self.b.backward, self.b.tangent = before

    def _variable(self, of: Var, t: Type) -> Var:
        made = Var(f"t_{of.name.strip('_<>')}", t, named=of.named)
        made.tangent = True
        return made

    # -- statements -----------------------------------------------------------------------

    def _statements(self, stmts: list[Stmt]) -> None:
        position = 0
        while position < len(stmts):
            stmt = stmts[position]
            self.b.origin = stmt.origin
            if isinstance(stmt, Op):
                run = _taken_apart(stmts, position)
                for op in run:  # a, b = pair first, then t_a, t_b = t_pair
                    self._keep(op)
                for op in run:
                    self._made(op)
                position += len(run)
                if not run:
                    self._op(stmt)
                    position += 1
                continue
            if isinstance(stmt, If):
                self._branch(stmt)
            else:
                self._loop(stmt)
            position += 1

    def _keep(self, op: Op) -> None:
        """The operation itself; what it gives is known from here on."""
        self.b.block.stmts.append(op)
        for var in core.defined_by(op):
            self.b.definitions[var] = op
        if op.target is not None:
            self.b.home[op.target] = self.b.block
            if op.version is None:
                key = self.b._key(op.fn, op.args, op.kwargs)
                if key is not None:
                    self.b._known[-1].setdefault(key, op.target)

    def _op(self, op: Op) -> None:
        if op.version is not None:
            self._in_place(op)
        elif op.fn is core.CALL_CORE and op.target in self.active:
            self._call(op)
        else:
            self._keep(op)
            self._made(op)

    def _made(self, op: Op) -> None:
        """The tangent of what an operation has made."""
        if op.target is None or op.target not in self.active:
            return
        if op.fn is core.HOOK:  # which is for cotangents alone
            tangent = self.t.get(op.args[0])
            if tangent is not None:
                self.t.set(op.target, tangent)
            return
        if op.fn in (core.TUPLE, core.LIST, core.DICT):
            value: Atom | None = self._built(op)
        elif op.fn is operator.getitem and is_container(op.args[0].type):
            value = self._element(op)
        else:
            value = self._by_rule(op)
        if value is not None:
            self.t.bind(op.target, value, op)

    def _built(self, op: Op) -> Atom | None:
        if not any(self.t.get(a) for a in op.args):
            return None
        parts = [self.t.get(a) or self._still(a, op.fn) for a in op.args]
        return self.b.op(op.fn, *parts, **op.kwargs)  # type: ignore[arg-type]

    def _still(self, atom: Atom, holder: Any) -> Atom:
        """The tangent of an element that does not move: lists and dicts are read at any place."""
        return self.t.zero(atom) if holder is core.TUPLE else self.t.number(atom)

    def _element(self, op: Op) -> Atom | None:
        """An element or a slice of a container: that of the container of tangents."""
        assert op.target is not None
        whole = self.t.get(op.args[0])
        if whole is None:
            return None
        t = tangent_type(op.target.type)
        index = op.args[1]
        if isinstance(index, Const):
            known = item_type(whole.type, index.value)
            t = known if known is not None and not isinstance(known, Unknown) else t
        parts = self.t.parts_of(whole) if isinstance(op.args[0].type, Tuple) else None
        if parts is not None and isinstance(index, Const) and type(index.value) is int:
            value = parts[index.value]
        else:
            value = self.b.op(operator.getitem, whole, index, type=t)
        if self.t.is_zero(value):
            return None
        made = self.b.definitions.get(whole) if isinstance(whole, Var) else None
        if made is not None and made.fn is core.CALL_CORE:
            return value
        return self.t.solid(value, op.target)

    # -- rules ----------------------------------------------------------------------------

    def _by_rule(self, op: Op) -> Atom | None:
        """The tangent of an operation's result from those of its operands."""
        moving = [a for a in op.operands() if self.t.get(a) is not None]
        if not moving or blocks_derivative(op):
            return None
        if op.fn in _LINEAR:
            return self._linear(op)
        if op.fn in LATE:
            return self._late(op)
        if getattr(op.fn, "__adjoint_inline__", False):
            return self._pushed(op)
        op = called(op)
        if isinstance(op.fn, core.Intrinsic):
            raise no_rule(op, moving[0])
        target = op.target or op.version
        if op.fn is np.multiply and target is not None and isinstance(target.type, List):
            args = [a if self.t.get(a) is None else self.t.or_zero(a) for a in op.args]
            return self.b.op(np.multiply, *args, style=op.style, type=tangent_type(target.type))
        rule = apply_rule(self.expander, op, moving)
        if rule is None:
            return self._pushed(op)
        lines = rule.lines_for("tangent", rule.rule.output)
        kinds = ("tangent", "work") if lines else ("partial",)
        known = {n for x in rule.rule.lines if x.kind in kinds for n in (x.target, *x.cotangents)}
        for name, atom in _operands(rule):
            if self.t.get(atom) is None or name in rule.rule.differentiable and lines:
                continue
            if name not in known:
                if isinstance(atom.type, Unknown):
                    return self._pushed(op)
                raise no_rule(op, atom)
        tangents = _Moving(self.t, rule.bound)
        if isinstance(rule, FunctionApplication):
            value: Atom | None = rule.value(lines[0].expr, tangents)
        else:
            value = self._by_line(rule, lines[0]) if lines else self._by_partials(rule)
        return value if value is None or target is None else rule.checked_tangent(value, target)

    def _by_line(self, rule: Application, line: Any) -> Atom | None:
        """By a line d[z] = e, without the terms of what does not move."""
        still = frozenset(
            name for name, atom in rule.bound.items()
            if not any(self.t.get(a) is not None for a in _each(atom))
        )  # fmt: skip
        key = line, still
        if key not in _shortened:
            work = {x.target: x.expr for x in rule.rule.lines if x.kind == "work"}
            shared = {n: without(e, still, work) for n, e in work.items()}
            _shortened[key] = without(line.expr, still, work), shared
        expr, shared = _shortened[key]
        if expr is None:
            return None
        tangents = _Moving(self.t, rule.bound)
        for x in rule.rule.lines:  # shared work in its shortened form
            if x.kind == "work" and x.mode == "forward" and _reads(expr, x.target, shared):
                rule._work[x.target] = rule.value(shared[x.target] or x.expr, tangents)
        return self._as_written(rule.value(expr, tangents), rule.op)

    def _as_written(self, value: Atom, op: Op) -> Atom:
        """The user's x.mean(axis=0) has the tangent t_x.mean(axis=0)."""
        made = self.b.definitions.get(value) if isinstance(value, Var) else None
        if made is not None and made.fn is op.fn and op.style == "method" and made.args:
            t = made.args[0].type
            if isinstance(t, Array) and t.dims:
                made.style = op.style
        return value

    def _by_partials(self, rule: Application) -> Atom | None:
        counts: dict[Atom, Counts] = {}
        for name, atom in _operands(rule):
            tangent = self.t.get(atom)
            if tangent is None:
                continue
            for line in rule.lines_for("partial", name):
                if not is_zero(line.expr):
                    # By its tangent: where x and y have the same, the partials are summed.
                    partial = rule.value(line.expr, {})
                    count_partial(self.b, partial, counts.setdefault(tangent, {}))
        total: Atom | None = None
        for tangent, partials in counts.items():
            for factor, count in partials.items():
                if count == 0:
                    continue
                term = scaled(self.b, tangent, factor, count)
                if total is None:
                    total = term
                else:
                    total = self.b.op(np.add, total, term, style="operator")
        return total

    def _linear(self, op: Op) -> Atom | None:
        """A function that is linear in some operands, and looks at the form of others."""
        args = list(op.args)
        for place in _LINEAR[op.fn]:
            args[place] = self.t.or_zero(args[place])
        target = op.target
        assert target is not None
        return self.b.op(op.fn, *args, style=op.style, type=tangent_type(target.type))

    def _late(self, op: Op) -> Atom:
        """The tangent of what was found at run time is found at run time."""
        call = late_call(op, self.b, lambda atom: atom)
        moving: list[tuple[int, Atom]] = []
        for position, (source, key) in enumerate(call.sources):
            tangent = self.t.get(source)
            if tangent is not None and carries_derivative(call.args[position].type):
                moving.append((position, tangent if key is None else self.b.item(tangent, key)))
        assert op.target is not None
        places = constant(tuple(place for place, _ in moving))
        tangents = self.b.op(core.TUPLE, *(t for _, t in moving))
        operands = self.b.op(core.TUPLE, *call.args)
        fn, t = Const(call.fn, UNKNOWN, None), tangent_type(op.target.type)
        return self.b.op(push, fn, operands, places, tangents, constant(None), type=t)

    def _pushed(self, op: Op) -> Atom:
        """Which rule holds is known only at run time."""
        target = op.target or op.version
        assert target is not None
        keywords = (
            self.b.op(core.DICT, *op.kwargs.values(), keys=constant(tuple(op.kwargs)))
            if op.kwargs
            else constant(None)
        )
        given: list[tuple[int | str, Atom]] = [*enumerate(op.args), *op.kwargs.items()]
        moving = [(place, t) for place, a in given if (t := self.t.get(a)) is not None]
        places = constant(tuple(place for place, _ in moving))
        operands = self.b.op(core.TUPLE, *op.args)
        tangents = self.b.op(core.TUPLE, *(t for _, t in moving))
        fn = Const(op.fn, UNKNOWN, None)
        return self.b.op(
            push, fn, operands, places, tangents, keywords, type=tangent_type(target.type)
        )

    # -- operations in place --------------------------------------------------------------

    def _in_place(self, op: Op) -> None:
        version, before = op.version, op.args[0]
        assert version is not None
        if version not in self.active and (op.target is None or op.target not in self.active):
            self._keep(op)
            return
        self.views.enter(self, op)
        if op.fn is core.THROUGH:
            self._keep(op)
            self.views.leave(self, op)
        elif op.fn in (core.STORE, core.STORE_ADD, core.STORE_SUB, core.ADD_AT):
            self._stored(op)
        elif op.fn in (core.APPEND, core.POP, core.REVERSE):
            self._list_changed(op)
        else:
            self._updated(op, version, before)

    def whole(self, op: Op) -> Var | None:
        """The tangent of what is changed in place: zeros, if it had none and now gets one."""
        before, version = op.args[0], op.version
        assert version is not None
        found = self.t.get(before)
        if found is None:
            moving = any(self.t.get(a) is not None for a in op.args[1:])
            if not moving:
                return None
            found = self.t.zero(before)
            if isinstance(found, Var):
                self.b.unshare(found)
                self.t.zeros.discard(found)
                found.name, found.named = f"t_{version.name.strip('_')}", version.named
        return found if isinstance(found, Var) else None

    def _stored(self, op: Op) -> None:
        """x[i] = v: t_x[i] = t_v."""
        assert op.version is not None
        index, new = op.args[1], op.args[2]
        adds = op.fn is not core.STORE
        if adds and self.t.get(new) is None:
            self._keep(op)
            self._unchanged(op)
            return
        whole = self.whole(op)
        self._keep(op)
        if whole is None:
            return
        tangent = self.t.get(new) or self.t.number(new)
        if op.fn is core.STORE and self._stands_there(tangent, whole, index):
            self.t.set(op.version, whole)
            return
        changed = self.b.in_place(op.fn, whole, index, tangent)
        self.changed(op, changed)

    def _stands_there(self, tangent: Atom, whole: Var, index: Atom) -> bool:
        """Whether what is to be stored is what was read there: x[i] += 1 changes no tangent."""
        made = self.b.definition(tangent, np.copy)
        if made is not None:
            tangent = made.args[0]
        read = self.b.definitions.get(tangent) if isinstance(tangent, Var) else None
        return (
            read is not None
            and read.fn is operator.getitem
            and read.args[0] is whole
            and same_atom(read.args[1], index)
        )

    def _unchanged(self, op: Op) -> None:
        found = self.t.get(op.args[0])
        if found is not None and op.version is not None:
            self.t.set(op.version, found)

    def changed(self, op: Op, changed: Var) -> None:
        assert op.version is not None
        changed.type = tangent_type(op.version.type)
        self.t.set(op.version, changed)

    def _list_changed(self, op: Op) -> None:
        """xs.append(v), v = xs.pop(), xs.reverse(): the same with the list of tangents."""
        whole = self.whole(op)
        self._keep(op)
        if whole is None:
            return
        if op.fn is core.APPEND:
            item = self.t.get(op.args[1]) or self.t.number(op.args[1])
            changed = self.b.in_place(op.fn, whole, item)
        elif op.fn is core.REVERSE:
            changed = self.b.in_place(op.fn, whole)
        else:
            assert op.target is not None
            popped = self._variable(op.target, self._joined(op.target.type))
            changed = self.b.in_place(op.fn, whole, value=popped)
            self.b.definitions[popped] = self.b.block.stmts[-1]  # type: ignore[assignment]
            if op.target in self.active:
                self.t.set(op.target, self.t.solid(popped, op.target))
        self.changed(op, changed)

    def _updated(self, op: Op, version: Var, before: Atom) -> None:
        """x += v, x *= v and the like on arrays: t_x is changed in place as well."""
        tangent = self.t.get(before)
        stands = Op(version, op.fn, op.args, op.kwargs, op.style, op.origin)
        reads_result = self._reads_result(op)
        if reads_result and tangent is not None:
            # The rule reads the value before and after.
            assert isinstance(before, Var)
            copy = Var(before.name, before.type, named=before.named)
            kept = Op(copy, np.copy, [before], {}, "method", op.origin)
            self._keep(kept)
            self.t.values[copy] = tangent
            stands.args = [copy if a is before else a for a in op.args]
        if reads_result:
            self._keep(op)
            value = self._by_rule(stands)
        else:
            value = self._by_rule(stands)
        changed = self._written(value, tangent, version, stands)
        if not reads_result:
            self._keep(op)
        if changed is not None:
            self.t.set(version, changed)

    def _reads_result(self, op: Op) -> bool:
        """Whether the rule of an operation in place reads what it gives."""
        stands = Op(op.version, op.fn, op.args, op.kwargs, op.style, op.origin)
        moving = [a for a in op.operands() if self.t.get(a) is not None]
        if not moving or blocks_derivative(op):
            return False
        rule = apply_rule(self.expander, stands, moving)
        if rule is None:
            return False
        wanted = {n for n, a in _operands(rule) if self.t.get(a) is not None}
        for line in rule.rule.lines:
            if line.kind == "partial" and line.target not in wanted:
                continue
            if line.mode != "reverse" and rule.rule.output in line.reads:
                return True
        return False

    def _written(
        self, value: Atom | None, tangent: Atom | None, version: Var, op: Op
    ) -> Atom | None:
        """Let the memory of a tangent hold its new value."""
        if tangent is None:
            if value is None:
                return None
            value = self.t.fit(value, version)
            if not self.t.is_own(value) or self.t.holders.get(self.t.base(value)):  # type: ignore[arg-type]
                value = self.t.copy(value, version)
            return self.t.named(value, version)
        assert isinstance(tangent, Var)
        if value is tangent:
            return tangent
        made = None if value is None else self.b.definitions.get(value)  # type: ignore[arg-type]
        if made is not None and made.target is value and made.style == "operator":
            first, second = (*made.args, None)[:2]
            if second is tangent and made.fn in (np.add, np.multiply):
                first, second = second, first
            if first is tangent and second is not None and made.fn in _IN_PLACE:
                if _fits_in(second, version):
                    return self.b.in_place(made.fn, tangent, second, style="inplace")
        if self.memory.is_alone(version):
            if value is not None:
                self.t.bind(version, value, op)
            return self.t.get(version)
        held: Atom = constant(0.0) if value is None else value
        return self.b.in_place(core.STORE, tangent, constant(...), held)

    # -- branches -------------------------------------------------------------------------

    def _branch(self, stmt: If) -> None:
        sides = (stmt.then, stmt.orelse)
        for side in sides:
            outside = dict(self.t.values)
            inside = {v for s in core.walk(side) for v in core.defined_by(s)}
            stmts, side.stmts = side.stmts, []
            with self.b.inside(side):
                self._statements(stmts)
            # A tangent that is made on one side for what was there before is not on the other.
            for var in [v for v in self.t.values if v not in outside and v not in inside]:
                del self.t.values[var]
            self.t.values |= outside
        self.b.origin = stmt.origin
        rows = list(zip(stmt.results, stmt.then.yields, stmt.orelse.yields, strict=True))
        for result, *ends in rows:
            if result not in self.active:
                continue
            found = [self.t.get(end) for end in ends]
            if all(f is None for f in found):
                continue
            if found[0] is not None and found[1] is not None and same_atom(found[0], found[1]):
                self.t.set(result, found[0])
                continue
            values: list[Atom] = []
            for side, end in zip(sides, ends, strict=True):
                with self.b.inside(side):
                    values.append(self._handed(end, result))
                side.yields.append(values[-1])
            tangent = self._variable(result, self._joined(result.type))
            self._same_memory(result, tangent, values)
            stmt.results.append(tangent)
            if all(map(self.t.is_own, values)):
                self.t.owned.add(tangent)
            self.t.set(result, tangent)
        self.b.block.stmts.append(stmt)
        for var in stmt.results:
            self.b.home[var] = self.b.block

    def _handed(self, end: Atom, to: Var) -> Atom:
        """The tangent that a block hands on: the arrays' in the dtype of what they belong to."""
        value = self.t.get(end)
        if value is None:
            return self.t.number(end) if carries_derivative(to.type) else self.t.zero(end)
        if isinstance(end, Var) and isinstance(to.type, Array) and isinstance(value.type, Scalar):
            if to.type.dims:
                return self.t.copy(value, end)
        return value

    def _same_memory(self, of: Var, tangent: Var, values: list[Atom]) -> None:
        """What is one object throughout has one tangent throughout."""
        roots = {v.root for v in values if isinstance(v, Var)}
        if of.root is not of and len(roots) == 1 and len(values) == sum(
            isinstance(v, Var) for v in values
        ):  # fmt: skip
            tangent.root = roots.pop()

    def _joined(self, t: Type) -> Type:
        """The type of a tangent where paths meet: a Python number's may be one of NumPy's."""
        if isinstance(t, Scalar) and carries_derivative(t) and self.has_arrays:
            t = Array(np.dtype("complex128" if t.kind == "complex" else "float64"), ())
        return tangent_type(may_be_pythons(t))

    # -- loops ----------------------------------------------------------------------------

    def _loop(self, loop: Loop) -> None:
        self.b.loop_bodies.add(id(loop.body))
        carried = [i for i, p in enumerate(loop.params) if p in self.active]
        params: list[Var] = []
        inits: list[Atom] = []
        for i in carried:
            init = self._handed(loop.inits[i], loop.params[i])
            param = self._variable(loop.params[i], self._joined(loop.params[i].type))
            if isinstance(init, Var) and loop.params[i].root is not loop.params[i]:
                param.root = init.root  # one object, changed by the loop
            inits.append(init)
            params.append(param)
            self.t.set(loop.params[i], param)
        if isinstance(loop, For):
            self._items(loop)
        if isinstance(loop, While):
            self._body(loop.cond)
        self._body(loop.body, loop if isinstance(loop, For) else None)
        self.b.origin = loop.origin
        stop = loop.body.yields.pop()
        with self.b.inside(loop.body):
            ends = [self._handed(loop.body.yields[i], loop.params[i]) for i in carried]
        for i, param, init, end in zip(carried, params, inits, ends, strict=True):
            result = self._variable(loop.results[i], param.type)
            of = loop.results[i]
            if of.root is not of and _same_root(end, param):
                result.root = param.root
            loop.params.append(param)
            loop.inits.append(init)
            loop.results.append(result)
            loop.body.yields.append(end)
            if self.t.is_own(init) and (_same_root(end, param) or self.t.is_own(end)):
                self.t.owned.add(result)
            if of in self.active:
                self.t.set(of, result)
        loop.body.yields.append(stop)
        self.b.block.stmts.append(loop)  # type: ignore[arg-type]
        for var in loop.results:
            self.b.home[var] = self.b.block

    def _body(self, block: Block, loop: For | None = None) -> None:
        stmts, block.stmts = block.stmts, []
        with self.b.inside(block):
            for item in self.unknown_items if loop is not None else ():
                self.t.set(item, self.t.solid(self.t.or_zero(item), item))
            self._statements(stmts)

    def _items(self, loop: For) -> None:
        """The tangents of what a loop walks are walked beside it."""
        self.unknown_items: list[Var] = []
        for item, source in list(zip(loop.items, loop.iterables, strict=True)):
            whole = self.t.get(source)
            if item is None or item not in self.active or source is COUNT or whole is None:
                continue
            t = self._joined(item.type)
            inner = getattr(whole.type, "item", None)
            if isinstance(item.type, Tuple) and isinstance(inner, Tuple):
                t = inner
            tangent = self._variable(item, t)
            loop.items.append(tangent)
            loop.iterables.append(whole)
            self.t.set(item, tangent)
            if isinstance(item.type, Unknown):
                self.unknown_items.append(item)

    # -- calls ----------------------------------------------------------------------------

    def _call(self, op: Op) -> None:
        """A function of its own: the version of it that takes and returns tangents too."""
        assert op.target is not None
        callee = op.kwargs["function"].value  # type: ignore[union-attr]
        wanted = tuple(i for i, a in enumerate(op.args) if self.t.get(a) is not None)
        if not wanted:
            self._keep(op)
            return
        made = with_tangents(callee, wanted, self.b)
        t = self._joined(op.target.type)
        pair = Var("pair", Tuple((op.target.type, t)))
        args = [*op.args, *(self.t.or_zero(op.args[i]) for i in wanted)]
        call = Op(pair, core.CALL_CORE, args, {"function": Const(made, UNKNOWN)}, "", op.origin)
        call.backward = op.backward
        self._keep(call)
        value = Op(op.target, operator.getitem, [pair, constant(0)], {}, "", op.origin)
        tangent = self._variable(op.target, t)
        part = Op(tangent, operator.getitem, [pair, constant(1)], {}, "", op.origin)
        part.backward = part.tangent = True
        self._keep(value)
        self._keep(part)
        self.b.definitions[op.target] = call
        self.b.definitions[tangent] = call
        self.t.bind(op.target, tangent, op)


def with_tangents(callee: Function, wanted: tuple[int, ...], builder: Builder) -> Function:
    """The function that also takes tangents of the arguments at `wanted`.

    made(*args, *tangents) -> (result, its tangent).
    """
    key = ("forward", wanted)
    if key in callee.derivatives:
        return callee.derivatives[key]
    made = Function(f"{callee.name}_jvp", [], Block(), callee.origin)
    callee.derivatives[key] = made
    copy = copy_function(callee)
    forward = Forward(copy, [copy.params[i] for i in wanted], builder)
    forward.run()
    tangent = forward.result(copy.result)
    pair = Var("pair", Tuple((copy.result.type, tangent.type)))
    copy.body.stmts.append(Op(pair, core.TUPLE, [copy.result, tangent]))
    made.params, made.body, made.aliases = [*copy.params, *forward.params], copy.body, copy.aliases
    made.body.yields = [pair]
    return made


class _Moving(dict):  # type: ignore[type-arg]
    """The tangents of a rule's inputs by name, zeros written out where they are asked for."""

    def __init__(self, tangents: Tangents, bound: dict[str, Any]) -> None:
        super().__init__()
        for name, atom in bound.items():
            if isinstance(atom, list):
                if any(tangents.get(a) is not None for a in atom):
                    self[name] = tangents.b.tuple(*map(tangents.or_zero, atom))
            elif tangents.get(atom) is not None:
                self[name] = tangents.or_zero(atom)
        self._tangents, self._bound = tangents, bound

    def __missing__(self, name: str) -> Atom:
        atom = self._bound[name]
        if isinstance(atom, list):
            return self._tangents.b.tuple(*map(self._tangents.zero, atom))
        return self._tangents.zero(atom)


def _same_root(a: Atom, b: Var) -> bool:
    return isinstance(a, Var) and a.root is b.root


def _fits_in(value: Atom, of: Var) -> bool:
    """Whether an operation with this operand leaves the dtype of a tangent as it is."""
    if isinstance(value.type, Scalar):
        return value.type.kind != "complex" or is_complex(of.type)
    if not isinstance(value.type, Array) or not isinstance(of.type, Array) or value.type.loose:
        return False
    return np.result_type(value.type.element, of.type.element) == of.type.element


_IN_PLACE = frozenset({np.add, np.subtract, np.multiply, np.true_divide})
_shortened: dict[Any, Any] = {}  # (line, inputs that do not move) -> expression, shared work

# Functions without a rule that are linear in the operands at these places.
_LINEAR: dict[Any, tuple[int, ...]] = {builtins.reversed: (0,)}


def _each(atom: Any) -> list[Any]:
    return atom if isinstance(atom, list) else [atom]


def _operands(rule: Application) -> list[tuple[str, Any]]:
    return [(name, a) for name, atom in rule.bound.items() for a in _each(atom)]


def _reads(expr: Any, name: str, shared: dict[str, Any]) -> bool:
    """Whether an expression reads shared work, perhaps through other shared work."""
    import ast

    for node in ast.walk(expr):
        if isinstance(node, ast.Name):
            if node.id == name:
                return True
            inner = shared.get(node.id)
            if inner is not None and _reads(inner, name, shared):
                return True
    return False


def _taken_apart(stmts: list[Stmt], start: int) -> list[Op]:
    """The statements from `start` on that take one tuple apart."""
    found: list[Op] = []
    for stmt in stmts[start:]:
        if not (isinstance(stmt, Op) and stmt.fn is operator.getitem and stmt.target is not None):
            break
        if not isinstance(stmt.args[0].type, Tuple) or not isinstance(stmt.args[1], Const):
            break
        if found and stmt.args[0] is not found[0].args[0]:
            break
        found.append(stmt)
    return found
