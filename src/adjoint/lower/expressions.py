"""Expressions: every operator, attribute, index and literal becomes operations of the core."""

from __future__ import annotations

import builtins
import numbers
import operator
import types
from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

import gast
import numpy as np

from .. import core
from ..builder import (
    Builder,
    is_copying_index,
    is_mutable,
    item_type,
)
from ..core import UNDEFINED, Atom, Block, Const, External, Function, Var
from ..errors import Origin, UnsupportedSyntaxError
from ..infer import constant
from ..rules import ZERO
from ..rules.methods import ATTRIBUTES
from ..rules.operands import ARRAYS_OF
from ..runtime.structs import is_struct
from ..types import (
    INT,
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
    carries_derivative,
    freeze,
    is_container,
    may_be_ints,
    type_of,
)
from ..views import is_rank_0_view, is_view, may_give_operand, path_of
from .aliases import Aliases
from .guards import Guard
from .state import Bound, Frame, Key, Known, Poison, State, is_instance, stale_error

BINARY: dict[type, Any] = {
    gast.Add: np.add,
    gast.Sub: np.subtract,
    gast.Mult: np.multiply,
    gast.Div: np.true_divide,
    gast.FloorDiv: np.floor_divide,
    gast.Mod: np.remainder,
    gast.Pow: np.power,
    gast.MatMult: np.matmul,
    gast.BitAnd: np.bitwise_and,
    gast.BitOr: np.bitwise_or,
    gast.BitXor: np.bitwise_xor,
    gast.LShift: np.left_shift,
    gast.RShift: np.right_shift,
}
UNARY: dict[type, Any] = {
    gast.USub: np.negative,
    gast.UAdd: np.positive,
    gast.Invert: np.invert,
}
COMPARE: dict[type, Any] = {
    gast.Eq: np.equal,
    gast.NotEq: np.not_equal,
    gast.Lt: np.less,
    gast.LtE: np.less_equal,
    gast.Gt: np.greater,
    gast.GtE: np.greater_equal,
}

_SPECIAL_NUMBERS = (bool, int, float, complex)


class Expressions:
    """Interprets expressions in the frame on top; `Statements` and `Calls` build on it."""

    def __init__(self, builder: Builder) -> None:
        self.b = builder
        self.frames: list[Frame] = []
        self.cells: dict[Any, Any] = {}  # names of other frames, attributes: by holder and name
        self.walked: set[int] = set()  # nodes of the syntax that are walked where they stand
        self.versions: dict[Var, Var] = {}
        self.stale: dict[Var, Origin | None] = {}
        self.unbound: set[Var] = set()
        self.captured: list[Frame] = []  # frames whose names functions inside them can see
        self.loop_starts: list[int] = []  # what exists before the loops around has smaller serials
        self.published: set[Var] = set()  # what objects outside hold by now
        self.awaited: set[Var] = set()  # read in a loop before the type that it gives them is known
        self.aliases = Aliases()
        self.rebuilt: dict[Var, Var] = {}  # stale view or container -> made anew last
        self.rewritten: set[Var] = set()  # lists and dicts that may hold other elements by now
        self.guards: list[Guard] = []
        self.attributes: dict[tuple[int, str], tuple[Any, Atom]] = {}  # of objects from outside
        self.silent = 0  # inside no_grad
        self.given_away: str | None = None  # to whom a varying value was given, which may keep it
        self.entry = Block()  # reads of the arguments' elements, before everything else
        self.entry_items: dict[Var, dict[Any, Atom]] = {}  # container -> its elements read

    # -- state ----------------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    @property
    def env(self) -> dict[str, Any]:
        return self.frame.env

    def snapshot(self) -> State:
        env: dict[Any, Any] = {**self.env, **self.cells}
        return State(
            env,
            dict(self.versions),
            dict(self.stale),
            set(self.unbound),
            Var.count(),
        )

    def restore(self, state: State) -> None:
        state = state.copy()
        self.frame.env = {k: v for k, v in state.env.items() if isinstance(k, str)}
        self.cells = {k: v for k, v in state.env.items() if not isinstance(k, str)}
        self.versions, self.stale, self.unbound = state.versions, state.stale, state.unbound

    def bound(self, key: Key) -> Any:
        """What a name or an attribute is bound to at this point."""
        if isinstance(key, str):
            return self.env.get(key, UNDEFINED)
        return self.cells[key] if key in self.cells else self.missing(key)

    def missing(self, key: Any) -> Any:
        """What an attribute is that has not been looked at yet."""
        return UNDEFINED

    def rebind(self, key: Key, value: Any) -> None:
        if isinstance(key, str):
            self.env[key] = value
        else:
            self.cells[key] = value

    def refuse(self, what: str, node: Any, advice: str = "") -> UnsupportedSyntaxError:
        return UnsupportedSyntaxError(what, self.frame.source.origin(node), advice)

    def at(self, node: Any) -> None:
        if self.frame.template is None:
            self.b.origin = self.frame.source.origin(node, self.frame.statement)

    # -- objects --------------------------------------------------------------------------

    def read(self, atom: Atom) -> Atom:
        """The present version of an object."""
        if not isinstance(atom, Var):
            return atom
        root = atom.root
        if root in self.stale:
            rebuilt = self._rebuild(root)
            if rebuilt is None:
                raise stale_error(root, self.stale[root], self.b.origin)
            return rebuilt
        return self.versions.get(root, atom)

    def _rebuild(self, root: Var) -> Atom | None:
        """Make a stale view or container anew from the present version of what it shows."""
        made = self.b.definitions.get(root)
        if made is None or made.target is not root or root in self.versions:
            return None
        if root in self.rewritten:
            return None
        container = made.fn in (core.TUPLE, core.LIST, core.DICT)
        if not container and not is_view(made) and made.fn is not np.broadcast_to:
            return None
        args = [self.read(a) for a in made.args]
        latest = self.rebuilt.get(root)
        if latest is not None and latest not in self.stale and self._is_at_hand(latest):
            if self.b.definitions[latest].args == args:
                return latest
        fresh = self.b.op(
            made.fn, *args, style=made.style, type=root.type, name=root.name, **made.kwargs
        )
        assert isinstance(fresh, Var)
        fresh.named = root.named
        self.note_aliases(made.fn, args, fresh, made.kwargs)
        self.aliases.same(fresh, root)
        if not container:
            self.rebuilt[root] = fresh
        return fresh

    def _is_at_hand(self, var: Var) -> bool:
        """Whether a variable is defined on the way to the present place."""
        return self.b.home.get(var) in self.b.blocks

    def op(self, fn: Any, *args: Atom, style: str = "", **kwargs: Any) -> Atom:
        """An operation on the present versions of its operands."""
        if fn in (operator.getitem, core.ATTRIBUTE) and not self._is_changed(args[0]):
            folded = self.b._fold(fn, list(args), {}, style)
            if folded is not None:
                return folded
        present = self._operands(fn, args)
        options = {k: self.read(a) if isinstance(a, (Var, Const)) else a for k, a in kwargs.items()}
        result = self.b.op(fn, *present, style=style, **options)  # type: ignore[arg-type]
        if isinstance(result, Var):
            self.note_aliases(fn, list(args), result, options, style)
            if _holds_objects(result.type, options) and any(a.varied for a in present):
                raise UnsupportedSyntaxError(
                    "an array of Python objects is made", self.b.origin,
                    "Use an array of floats, or a list.",
                )  # fmt: skip
        return result if self.silent and self._hands_on(fn, present) else self.quiet(result)

    def _hands_on(self, fn: Any, operands: list[Atom]) -> bool:
        """Whether an operation computes nothing: a container is made, read or put together."""
        if fn in (core.TUPLE, core.LIST, core.DICT):
            return True
        varied = [a for a in operands if a.varied]
        if fn is operator.getitem and varied and isinstance(operands[0].type, Unknown):
            raise UnsupportedSyntaxError(
                "whether this is computed is known only when the function runs", self.b.origin,
                "Read it outside the `no_grad` block.",
            )  # fmt: skip
        moves = fn in (operator.getitem, np.add, np.multiply, list, tuple)
        return moves and bool(varied) and all(is_container(a.type) for a in varied)

    def _operands(self, fn: Any, args: Iterable[Atom]) -> list[Atom]:
        """The present versions of operands. Rules of elementwise functions compute with arrays."""
        present = [self.read(a) for a in args]
        if not any(a.varied for a in present):
            return present
        if isinstance(fn, np.ufunc) and fn not in ZERO:
            are_lists = [isinstance(a.type, (List, Tuple)) for a in present]
        elif fn in (np.sum, np.mean):  # whose rules know lists of a known length
            are_lists = [isinstance(a.type, List) and a.type.items is None for a in present]
        elif fn in ARRAYS_OF:
            first = present[: ARRAYS_OF[fn]]
            are_lists = [isinstance(a.type, (List, Tuple)) for a in first]
            are_lists += [False] * (len(present) - len(first))
        elif fn is np.einsum:
            are_lists = [isinstance(a.type, (List, Tuple)) and a.varied for a in present]
        else:
            return present
        return [self.op(np.array, a) if is_list else a for a, is_list in zip(present, are_lists)]

    def quiet(self, value: Atom) -> Atom:
        """Inside no_grad: the same value as a constant."""
        return self.stopped(value) if self.silent else value

    def stopped(self, atom: Atom) -> Atom:
        """The same value, which no derivative goes through."""
        from ..control import stop_gradient

        value = self.read(atom)
        if not isinstance(value, Var) or not value.varied:
            return atom
        target = Var(value.name, value.type, named=value.named)
        self.b.emit(core.Op(target, stop_gradient, [value], {}, "", self.b.origin))
        if is_mutable(target.type):
            self.aliases.same(target, value.root)
        return target

    def _is_changed(self, atom: Atom) -> bool:
        if not isinstance(atom, Var):
            return False
        root = atom.root
        return root in self.versions or root in self.stale and root in self.rewritten

    def note_aliases(
        self,
        fn: Any,
        args: list[Atom],
        result: Var,
        options: dict[str, Any] | None = None,
        style: str = "",
    ) -> None:
        """Record what the result of an operation may share with its operands."""
        options = options or {}
        root = result.root
        if not is_mutable(result.type):
            if is_rank_0_view(self.b.definitions.get(result)) and is_shared(args[0]):
                self.aliases.same(root, args[0].root)
            return
        if fn in (core.TUPLE, core.LIST, core.DICT):
            keys = options["keys"].value if fn is core.DICT else range(len(args))
            for key, atom in zip(keys, args, strict=True):
                if is_shared(atom):
                    self.aliases.put(atom.root, root, key)
        elif fn is operator.getitem:
            container, key = args
            if not is_shared(container):
                return
            if not isinstance(container.type, Array):
                known = isinstance(key, Const) and not isinstance(key.value, slice)
                if is_container(container.type) and not _is_slice(key):
                    self.aliases.taken(root, container.root, key.value if known else None)  # type: ignore[union-attr]
                    return
            elif is_copying_index(key.type):
                return
            self.aliases.same(root, container.root)
        elif may_give_operand(fn, args, options, style):
            for atom in filter(is_shared, args):
                if is_container(result.type) and not is_container(atom.type):
                    self.aliases.put(atom.root, root)  # a list of views of the array
                else:
                    self.aliases.same(root, atom.root)
        elif fn in (core.CALL, core.PURE_CALL, core.CALL_CORE):
            for atom in args:
                if is_shared(atom):
                    for each in (atom.root, *self.aliases.held(atom.root)):
                        self.aliases.same(root, each)

    def change(
        self,
        fn: Any,
        target: Atom,
        *args: Atom,
        style: str = "",
        type: Type | None = None,
        value: Var | None = None,
    ) -> Var:
        """Change an object in place: a new version, and its aliases are stale."""
        if not isinstance(target, Var):
            raise UnsupportedSyntaxError("a constant is changed in place", self.b.origin)
        root = target.root
        if may_be_ints(target.type) and style != "inplace":
            raise UnsupportedSyntaxError(
                "a store into what may be an array of ints is not supported", self.b.origin,
                "Start with a float: s = 0.0.",
            )  # fmt: skip
        if root.external is not None:
            raise UnsupportedSyntaxError(
                f"`{root.name}`, which lives outside the function, is changed in place",
                self.b.origin,
                "Pass it as an argument, or change a copy.",
            )
        if self._is_from_call(root):
            raise UnsupportedSyntaxError(
                "what a function returned that is not looked into is changed in place",
                self.b.origin,
                "Make an array or a list of it: np.array(y).",
            )
        if any(other.external is not None for other in self.aliases.of(root)):
            raise UnsupportedSyntaxError(
                f"`{root.name}`, which may belong to a value outside the function, is changed",
                self.b.origin,
                "Change a copy.",
            )
        if any(isinstance(a, Const) and isinstance(a.value, Known) for a in args):
            what = "an object" if any(map(is_instance, args)) else "a function"
            raise UnsupportedSyntaxError(
                f"{what} is put into a list or dict that exists already", self.b.origin,
                "Write it where the list is made: [f, g].",
            )  # fmt: skip
        held = (root, *self.aliases.of(root))
        if any(self._is_attribute(v) or v in self.published for v in held):
            raise UnsupportedSyntaxError(
                "an array or a list that belongs to an object is changed", self.b.origin,
                "Change a copy, and return it.",
            )  # fmt: skip
        if self.silent and isinstance(root.type, Array):
            if fn is core.STORE:
                args = (args[0], self.quiet(args[1]))
            elif any(a.varied for a in map(self.read, (target, *args))):
                raise UnsupportedSyntaxError(
                    "an array is changed by what is computed in `no_grad`", self.b.origin,
                    "Bind the result to a name: y = y + v.",
                )  # fmt: skip
        path = path_of(root, self.b.definitions)
        if fn is core.STORE and _is_part_stored_whole(path, root, args[0]):
            return self.change(fn, path[0].args[0], path[0].args[1], args[1])  # a[i][:] = v
        present, *operands = self._operands(fn, (target, *args))
        version = self.b.in_place(fn, present, *operands, style=style, value=value)  # type: ignore[arg-type]
        if type is not None:
            version.type = type
        version.varied = version.varied and carries_derivative(version.type)
        changed = {root, *self.aliases.of(root)}
        if path:
            # What has the state is the array; its view is made anew where it is read next.
            whole = self.read(path[0].args[0])
            assert isinstance(whole, Var)
            changed |= {*self.aliases.of(whole.root)} - {whole.root}
            root, version = whole.root, self.b.in_place(core.THROUGH, whole, version)
            version.varied = version.varied and carries_derivative(version.type)
        holders = self.aliases.holders(root)  # they hold the same objects as before
        for other in changed - {root}:
            self.stale[other] = self.b.origin
            if is_container(root.type) and not isinstance(other.type, Tuple):
                if other not in holders:
                    self.rewritten.add(other)
        self.versions[root] = version
        return version

    def touch(self, target: Var, by: Var) -> None:
        """An array was given to a call that nothing is known of: it may have been changed."""
        root = target.root
        others = self.aliases.of(root)
        if any(v.external is not None or self._is_attribute(v) for v in (root, *others)):
            return
        present = self.versions.get(root, target)
        self.versions[root] = self.b.in_place(core.THROUGH, present, by)
        for other in others:
            self.stale[other] = self.b.origin

    def _is_from_call(self, var: Var) -> bool:
        """Whether an object of any type was returned by a call, or taken out of what was."""
        made = self.b.definitions.get(var)
        while made is not None and made.fn in (operator.getitem, list, tuple, sorted):
            whole = made.args[0]
            if not isinstance(whole, Var):
                return False
            var, made = whole.root, self.b.definitions.get(whole.root)
        return made is not None and made.fn is core.CALL and isinstance(var.type, Unknown)

    def _is_attribute(self, var: Var) -> bool:
        made = self.b.definitions.get(var)
        return made is not None and made.fn is core.ATTRIBUTE

    def aliases_of_changed(self, function: Function) -> dict[Var, frozenset[Var]]:
        """For each object that a function changes in place, those that may share its memory.

        What an iteration hands to the next, which changes it, is such an object too.
        """
        stmts = list(core.walk(function.body))
        handed = [
            (param.root, end.root)
            for loop in stmts if isinstance(loop, core.Loop)
            for param, end in zip(loop.params, loop.body.yields)
            if isinstance(end, Var) and is_mutable(end.type)
        ]  # fmt: skip
        todo = {s.version.root for s in stmts if isinstance(s, core.Op) and s.version is not None}
        found: dict[Var, frozenset[Var]] = {}
        while todo:
            root = todo.pop()
            found[root] = frozenset(self.aliases.of(root, at_once=False))
            same = {root, *found[root]}
            todo |= {end for param, end in handed if param in same and end not in found}
        return found

    # -- names ----------------------------------------------------------------------------

    def load(self, name: str, node: Any) -> Atom:
        frame: Frame | None = self.frame
        if name not in self.frame.scope.globals:
            while frame is not None:
                if (frame, name) in self.cells:
                    return self._checked(self.cells[frame, name], name, node)
                if name in frame.env:
                    return self._checked(frame.env[name], name, node)
                if name in frame.scope.locals:
                    return self._checked(UNDEFINED, name, node)
                if name in frame.source.cells or frame.parent is None:
                    break
                frame = frame.parent
        frame = frame or self.frame
        assigned = self.assigned_outside(frame, name, node)
        if assigned is not None:
            return assigned
        if name in frame.externals:
            return frame.externals[name]
        atom = self._load_external(frame, name, node)
        frame.externals[name] = atom
        return atom

    def assigned_outside(self, frame: Frame, name: str, node: Any) -> Atom | None:
        """What has been assigned to a name that lives outside, if anything has."""
        return None

    def _checked(self, value: Any, name: str, node: Any) -> Atom:
        if isinstance(value, Poison):
            raise value.error
        if value is UNDEFINED:
            raise self.refuse(f"`{name}` is read before it has a value", node)
        if isinstance(value, Var) and value in self.unbound:
            self.at(node)
            self.check_bound(value, name, node)
        return value

    def check_bound(self, value: Var, name: str, node: Any) -> None:
        raise NotImplementedError  # by Branches

    def _load_external(self, frame: Frame, name: str, node: Any) -> Atom:
        cells = frame.source.cells
        if name in cells:
            try:
                value = cells[name].cell_contents
            except ValueError:
                raise self.refuse(f"`{name}` has no value yet", node) from None
            return self.external(value, External("cell", cells[name], name), name)
        if name in frame.source.globals:
            value = frame.source.globals[name]
            return self.external(value, External("global", frame.source.globals, name), name)
        if hasattr(builtins, name):
            return Const(getattr(builtins, name), Object(type), name)
        raise self.refuse(f"the name `{name}` is not defined", node)

    def external(self, value: Any, where: External, path: str) -> Atom:
        """A value from outside the function: read anew at each call, its type guarded."""
        if _is_static(value):
            kind = "value" if _is_plain(value) else "identity"
            if hasattr(value, "__self__"):
                kind = "signature"  # a bound method is made anew whenever it is read
            self.guards.append(Guard(where, kind, value))
            return Const(value, _static_type(value), path, where)
        self.guards.append(Guard(where, "signature", value))
        var = Var(where.name, type_of(value, self.b.symbols), named=True)
        var.external = where
        return var

    # -- expressions ----------------------------------------------------------------------

    def expr(self, node: Any) -> Atom:
        """What an expression gives; a container with the type that it has by now."""
        method: Callable[[Any], Atom] | None = getattr(self, f"expr_{type(node).__name__}", None)
        if method is None:
            raise self.refuse(
                f"{_describe(node)} is not supported", node, "Write it as plain statements."
            )
        return self.present(method(node))

    def present(self, atom: Atom) -> Atom:
        """A container in its latest version: its length and the types of its elements change.

        Of a stale one too: what is read of it is checked then, its length is not.
        """
        if isinstance(atom, Var) and is_container(atom.type):
            return self.versions.get(atom.root, atom)
        return atom

    def expr_Constant(self, node: Any) -> Atom:
        return constant(node.value)

    def expr_Name(self, node: Any) -> Atom:
        return self.load(node.id, node)

    def expr_BinOp(self, node: Any) -> Atom:
        left, right = self.expr(node.left), self.expr(node.right)
        return self.binary(type(node.op), left, right, node)

    def binary(self, op: type, left: Atom, right: Atom, node: Any) -> Atom:
        self.at(node)
        if op is gast.Add and isinstance(left.type, Tuple) and isinstance(right.type, Tuple):
            return self.b.tuple(
                *(
                    self.op(operator.getitem, left, constant(i))
                    for i in range(len(left.type.items))
                ),
                *(
                    self.op(operator.getitem, right, constant(i))
                    for i in range(len(right.type.items))
                ),
            )
        if op is gast.Add and _have_items(left.type, right.type):
            sides = [self.unpack_all(side, node) for side in (left, right)]
            return self.op(core.LIST, *sides[0], *sides[1])
        if op is gast.Mult and isinstance(left.type, (List, Tuple)) and _is_count(right):
            return self.repeated(left, right, node)
        if op is gast.Mult and isinstance(right.type, (List, Tuple)) and _is_count(left):
            return self.repeated(right, left, node)
        if is_container(left.type) or is_container(right.type):
            if not (isinstance(left.type, Array) or isinstance(right.type, Array)):
                raise self.refuse("this operator on a list, tuple or dict is not supported", node)
        return self.op(BINARY[op], left, right, style="operator")

    def repeated(self, items: Atom, count: Atom, node: Any) -> Atom:
        """[a, b] * n"""
        t = items.type
        assert isinstance(t, (List, Tuple))
        if isinstance(count, Const) and t.items is not None:
            first = [self.item(items, i) for i in range(len(t.items))]
            if isinstance(t, Tuple):
                return self.b_tuple(first * count.value)
            return self.op(core.LIST, *(first * count.value))
        if isinstance(t, Tuple):
            raise self.refuse("the length of this tuple is not known here", node, "Use a list.")
        if items.varied:
            raise self.refuse(
                "how often this list is repeated is not known here",
                node,
                "Write [x for _ in range(n)].",
            )
        if count.varied:
            count = self.stopped(count)
        result = self.op(
            np.multiply, items, count, style="operator", type=List(t.item), name="items"
        )
        if isinstance(result, Var) and isinstance(items, Var):
            self.aliases.same(result.root, items.root)
        return result

    def expr_UnaryOp(self, node: Any) -> Atom:
        operand = self.expr(node.operand)
        self.at(node)
        if isinstance(node.op, gast.Not):
            operand = self.as_test(operand, node)
            known = truth(operand)
            if known is not None:
                return constant(not known)
            return self.op(core.NOT, operand)
        return self.unary(operand, node)

    def unary(self, operand: Atom, node: Any) -> Atom:
        return self.op(UNARY[type(node.op)], operand, style="operator")

    def expr_Compare(self, node: Any) -> Atom:
        left = self.expr(node.left)

        def chain(left: Atom, ops: list[Any], rights: list[Any]) -> Atom:
            right = self.expr(rights[0])
            self.at(node)
            result = self.compare(ops[0], left, right, node)
            if len(ops) == 1:
                return result
            return self.either(
                self.as_test(result, node),
                lambda: chain(right, ops[1:], rights[1:]),
                lambda: result,
            )

        return chain(left, node.ops, node.comparators)

    def compare(self, op: Any, left: Atom, right: Atom, node: Any) -> Atom:
        if isinstance(op, (gast.Is, gast.IsNot)):
            known = _is_same(left, right)
            if known is not None:
                return constant(known is isinstance(op, gast.Is))
            fn = core.IS if isinstance(op, gast.Is) else core.IS_NOT
            return self.op(fn, left, right)
        if _is_dtype(left) or _is_dtype(right):
            return self._compare_dtype(op, left, right, node)
        if isinstance(op, (gast.In, gast.NotIn)):
            known_in = _is_in(left, right)
            if known_in is not None:
                return constant(known_in is isinstance(op, gast.In))
            found = self.op(core.IN, left, right)
            return found if isinstance(op, gast.In) else self.op(core.NOT, found)
        if isinstance(left, Const) and isinstance(right, Const) and isinstance(left.value, str):
            return constant((left.value == right.value) is isinstance(op, gast.Eq))
        return self.op(COMPARE[type(op)], left, right, style="operator")

    def _compare_dtype(self, op: Any, left: Atom, right: Atom, node: Any) -> Atom:
        """Decided here. np.dtype(bool) == bool, but not np.bool_ == bool, as it is printed."""
        others = [right]
        if isinstance(op, (gast.In, gast.NotIn)):
            made = self.b.definition(right, core.TUPLE)
            others = made.args if made is not None else []
        elif not isinstance(op, (gast.Eq, gast.NotEq)):
            others = []
        known = [atom.value for atom in (left, *others) if isinstance(atom, Const)]
        if not others or len(known) <= len(others):
            what = "this comparison of a dtype is not supported"
            raise self.refuse(what, node, "Compare its `kind`, a text.")
        equal = any(known[0] == value for value in known[1:])
        return constant(equal is isinstance(op, (gast.In, gast.Eq)))

    def expr_BoolOp(self, node: Any) -> Atom:
        def chain(values: list[Any]) -> Atom:
            first = self.expr(values[0])
            if len(values) == 1:
                return first
            self.at(node)
            test = self.as_test(first, node)
            if isinstance(node.op, gast.And):
                return self.either(test, lambda: chain(values[1:]), lambda: first)
            return self.either(test, lambda: first, lambda: chain(values[1:]))

        return chain(node.values)

    def as_test(self, value: Atom, node: Any) -> Atom:
        """What `if value:` asks for: an object of the user's class may answer itself."""
        return value

    def as_iterable(self, value: Atom, node: Any) -> Atom:
        """What a loop over a value walks: an object of the user's class gives it itself."""
        return value

    def as_sequence(self, value: Atom, node: Any) -> Atom:
        """What is unpacked of a value: a generator is walked to its end."""
        return self.as_iterable(value, node)

    def expr_IfExp(self, node: Any) -> Atom:
        test = self.as_test(self.expr(node.test), node)
        self.at(node)
        return self.either(test, lambda: self.expr(node.body), lambda: self.expr(node.orelse))

    def either(self, test: Atom, then: Callable[[], Atom], orelse: Callable[[], Atom]) -> Atom:
        """A value that depends on a test; only the chosen side is evaluated."""
        known = truth(test)
        if known is not None:
            return then() if known else orelse()
        name = "<value>"

        def store(side: Callable[[], Atom]) -> Callable[[], None]:
            def run() -> None:
                self.env[name] = self.object_of(side())

            return run

        self.if_(self.read(test), store(then), store(orelse))
        value = self.env.pop(name)
        return self._checked(value, "this value", self.frame.source.node)

    def if_(self, test: Atom, then: Callable[[], None], orelse: Callable[[], None]) -> None:
        raise NotImplementedError  # by Statements

    def expr_NamedExpr(self, node: Any) -> Atom:
        value = self.expr(node.value)
        self.bind(node.target.id, value)
        return value

    def object_of(self, atom: Atom) -> Atom:
        """The object that an atom is a version of: what names are bound to."""
        return atom.root if isinstance(atom, Var) else atom

    def bind(self, name: str, value: Atom) -> None:
        """Give a value a name of the user's."""
        if isinstance(value, Var) and not value.named and value.root is value:
            value.name, value.named = name, True
        self.rebind(self.key_of(name), self.object_of(value))

    def key_of(self, name: str) -> Key:
        """Where the frame on top keeps what it binds to a name."""
        return (self.frame, name) if name in self.frame.scope.shared else name

    def expr_Tuple(self, node: Any) -> Atom:
        return self.b_tuple(self._elements(node.elts))

    def b_tuple(self, items: list[Atom]) -> Atom:
        if all(isinstance(i, Const) and i.path is None and _is_plain(i.value) for i in items):
            return constant(tuple(i.value for i in items))  # type: ignore[union-attr]
        return self.op(core.TUPLE, *items)

    def expr_List(self, node: Any) -> Atom:
        return self.op(core.LIST, *self._elements(node.elts))

    def _elements(self, nodes: list[Any]) -> list[Atom]:
        items: list[Atom] = []
        for node in nodes:
            if isinstance(node, gast.Starred):
                self.walked.add(id(node.value))
                items += self.unpack_all(self.expr(node.value), node)
            else:
                items.append(self.expr(node))
        return items

    def unpack_all(self, value: Atom, node: Any) -> list[Atom]:
        """The elements of a container of known length."""
        value = self.as_sequence(value, node)
        steps = self.b.definition(value, core.RANGE)
        if steps is not None and all(isinstance(a, Const) for a in steps.args):
            return [constant(i) for i in range(*(a.value for a in steps.args))]  # type: ignore[union-attr]
        length = known_length(value)
        if length is None:
            raise self.refuse("the number of elements to unpack is not known here", node)
        return [self.item(value, i) for i in range(length)]

    def item(self, container: Atom, key: Any) -> Atom:
        if isinstance(container, Const) and not isinstance(container.value, np.ndarray):
            return constant(container.value[key])
        t = item_type(container.type, key)
        if t is None:
            return self.op(operator.getitem, container, constant(key))
        if isinstance(container, Var) and container in self.entry_items:
            return self._entry_item(container, key, t)
        return self.op(operator.getitem, container, constant(key), type=t)

    def _entry_item(self, container: Var, key: Any, t: Type) -> Atom:
        """An element of an argument: read once, when the function starts."""
        if container in self.versions or container in self.stale:
            return self.op(operator.getitem, container, constant(key), type=t)
        known = self.entry_items[container]
        place = freeze(key)
        if place not in known:
            with self.b.inside(self.entry):
                made = self.op(operator.getitem, container, constant(key), type=t)
            known[place] = made
            if isinstance(made, Var) and is_container(t):
                self.entry_items[made] = {}
        return known[place]

    def expr_Dict(self, node: Any) -> Atom:
        keys, values = [], []
        for k, v in zip(node.keys, node.values, strict=True):
            if k is None:
                inner = self.expr(v)
                t = inner.type
                if not isinstance(t, Dict) or isinstance(t, Struct) or t.keys is None:
                    raise self.refuse("the keys of this dict are not known here", v)
                for name in t.keys:
                    keys.append(name)
                    values.append(self.item(inner, name))
                continue
            key = self.expr(k)
            if not isinstance(key, Const):
                raise self.refuse("a dict with computed keys is not supported", k)
            keys.append(key.value)
            values.append(self.expr(v))
        merged = dict(zip(keys, values, strict=True))
        return self.op(core.DICT, *merged.values(), keys=constant(tuple(merged)))

    def expr_Slice(self, node: Any) -> Atom:
        parts = [
            constant(None) if p is None else self.expr(p)
            for p in (node.lower, node.upper, node.step)
        ]
        return self.op(core.SLICE, *parts, type=Object(slice))

    def expr_Subscript(self, node: Any) -> Atom:
        if self.frame.template is not None and _is_d(node.value):
            return self.frame.template[node.slice.id]
        value, index = self.expr(node.value), self.expr(node.slice)
        self.at(node)
        return self.subscript(value, index, node)

    def subscript(self, value: Atom, index: Atom, node: Any) -> Atom:
        if isinstance(value, Const) and isinstance(index, Const):
            try:
                return constant(value.value[index.value])
            except Exception as error:
                raise self.refuse(f"this index fails: {error}", node) from None
        t = value.type
        if isinstance(t, (Tuple, List)) and _is_slice(index) and t.items is not None:
            positions = range(len(t.items))[index.value]  # type: ignore[union-attr]
            items = [self.item(value, i) for i in positions]  # type: ignore[attr-defined]
            return self.op(core.LIST, *items) if isinstance(t, List) else self.b_tuple(items)
        if isinstance(t, List) and isinstance(index.type, Object) and index.type.cls is slice:
            return self.op(operator.getitem, value, index, type=List(t.item))
        if is_container(t) and isinstance(index, Const):
            return self.item(value, index.value)
        if isinstance(t, (List, Dict)):
            return self.op(operator.getitem, value, index, type=t.item)
        if isinstance(t, Tuple):
            if isinstance(index.type, (Object, Unknown)):
                raise self.refuse(
                    "it is not known here which elements of this tuple are meant", node,
                    "Write the index or the slice out, or use a list.",
                )  # fmt: skip
            if value.varied:
                # A cotangent is stored at that position, and a tuple cannot be stored into.
                items = [self.item(value, i) for i in range(len(t.items))]
                return self.subscript(self.op(core.LIST, *items), index, node)
            from ..types import join_all

            return self.op(operator.getitem, value, index, type=join_all(t.items, self.b.symbols))
        if isinstance(value, Const) and isinstance(t, Object) and carries_derivative(index.type):
            return self._joined(value, index, node)
        return self.op(operator.getitem, value, index)

    def _joined(self, joiner: Const, index: Atom, node: Any) -> Atom:
        """np.r_[x, y], np.c_[x, y]; what other objects make of values is not known."""
        parts = [index]
        if isinstance(index.type, Tuple):
            parts = [self.item(index, i) for i in range(len(index.type.items))]  # type: ignore[attr-defined]
        ranks = [p.type.ndim if isinstance(p.type, Array) else None for p in parts]
        if joiner.value is np.r_ and all(ranks):
            return self.op(np.concatenate, self.op(core.LIST, *parts))
        if joiner.value is np.c_ and all(rank in (1, 2) for rank in ranks):
            return self.op(np.column_stack, self.op(core.LIST, *parts))
        raise self.refuse(
            "what becomes of these values in `[...]` is not known here", node,
            "Join arrays with np.concatenate or np.column_stack.",
        )  # fmt: skip

    def expr_Attribute(self, node: Any) -> Atom:
        value = self.pinned(self.expr(node.value))
        self.at(node)
        return self.attribute(value, node.attr, node)

    def attribute(self, value: Atom, name: str, node: Any) -> Atom:
        if isinstance(value, Const):
            return self._attribute_of_constant(value, name, node)
        t = value.type
        if isinstance(t, Array):
            return self._attribute_of_array(value, t, name, node)
        if isinstance(t, Tuple) and name in getattr(t.cls, "_fields", ()):
            return self.item(value, t.cls._fields.index(name))  # type: ignore[attr-defined]
        if isinstance(t, Scalar) and name in ("real", "imag", "ndim", "shape", "size", "dtype"):
            known = {"ndim": 0, "shape": (), "size": 1, "dtype": t.dtype}
            if name in known:
                return constant(known[name])
            return self.op(ATTRIBUTES[name], value, style="attribute")
        if name in ATTRIBUTES and not isinstance(t, Object):
            return self.op(ATTRIBUTES[name], value, style="attribute")
        cls = {List: list, Dict: dict}.get(type(t))
        if cls is not None and hasattr(cls, name):  # `push = xs.append`, called later
            function = Const(getattr(cls, name), Object(type(getattr(cls, name))), None)
            return Const(Bound(function, [value], {}), Object(Bound), name)
        if isinstance(t, Object) and name.startswith("__"):
            raise self.refuse(f"the attribute `{name}` is not supported", node)
        self.check_not_given_away(f"the attribute `{name}`")
        return self.op(core.ATTRIBUTE, value, constant(name), type=UNKNOWN, name=name)

    def _attribute_of_array(self, value: Atom, t: Array, name: str, node: Any) -> Atom:
        if name in ATTRIBUTES:
            return self.op(ATTRIBUTES[name], value, style="attribute")
        if name == "ndim" and t.dims is not None:
            return constant(len(t.dims))
        if name == "dtype":
            if t.is_certain or t.dims == () and self.b.backward:
                return constant(t.element)
            return self.op(core.ATTRIBUTE, value, constant(name), type=UNKNOWN, name=name)
        if name == "size" and t.dims is not None and all(isinstance(n, int) for n in t.dims):
            return constant(int(np.prod(t.dims)))  # type: ignore[arg-type]
        if name in ("shape", "size", "ndim"):
            result: Type = INT
            if name == "shape":
                sizes = t.dims
                result = UNKNOWN if sizes is None else Tuple(tuple(Scalar("int", n) for n in sizes))
                if sizes == ():
                    return constant(())
            elif name == "size" and t.dims is not None and len(t.dims) == 1:
                result = Scalar("int", t.dims[0])
            return self.op(core.ATTRIBUTE, value, constant(name), type=result, name=name)
        raise self.refuse(f"the attribute `{name}` of an array is not supported", node)

    def _attribute_of_constant(self, value: Const, name: str, node: Any) -> Atom:
        obj = value.value
        if isinstance(obj, Known):
            raise self.refuse(f"the attribute `{name}` of a function is not supported", node)
        try:
            found = getattr(obj, name)
        except AttributeError as error:
            raise self.refuse(str(error), node) from None
        path = f"{value.path}.{name}" if value.path else None
        if isinstance(obj, types.ModuleType) and _is_array_module(obj):
            if found is None:
                return constant(None)  # np.newaxis: what an index gives is known by its parts
            where = value.external
            if where is not None and where.kind != "global":  # an argument, or of a closure
                where = External("module", obj, name)
            return Const(found, _static_type(found), path, where)
        if isinstance(obj, (str, bytes, slice, np.dtype, np.finfo, np.iinfo)):
            return constant(found) if _is_plain(found) else Const(found, _static_type(found), path)
        if not _is_static(found):
            self.check_not_given_away(f"the attribute `{name}`")
        known = self.attributes.get((id(obj), name))
        if known is None:
            # The holder is kept, so that no other object gets its id.
            known = obj, self.external(found, External("module", obj, name), path or name)
            self.attributes[id(obj), name] = known
        return known[1]

    def check_not_given_away(self, what: str) -> None:
        """Refuse to read what may hold a varying value that was given away."""
        if self.given_away is not None:
            raise UnsupportedSyntaxError(
                f"{what} may hold a value that was given to `{self.given_away}`", self.b.origin,
                "Return the value, instead of keeping it in an object.",
            )  # fmt: skip

    def pinned(self, atom: Atom) -> Atom:
        """An object from outside whose attributes are read: the code is made for this object."""
        if not isinstance(atom, Var) or atom.external is None or not isinstance(atom.type, Object):
            return atom
        if atom.type.cls in (type(None), set, frozenset):
            return atom
        obj = atom.external.read()
        if atom.external.kind != "value":
            self.guards.append(Guard(atom.external, "identity", obj))
        return Const(obj, atom.type, atom.external.name, atom.external)

    def expr_JoinedStr(self, node: Any) -> Atom:
        """An f-string: the same text by str.format."""
        text, args = "", []
        for part in node.values:
            if isinstance(part, gast.Constant):
                text += str(part.value).replace("{", "{{").replace("}", "}}")
                continue
            spec = part.format_spec
            if spec is not None and any(not isinstance(v, gast.Constant) for v in spec.values):
                raise self.refuse("a computed format is not supported", node)
            suffix = ":" + "".join(v.value for v in spec.values) if spec is not None else ""
            conversion = f"!{chr(part.conversion)}" if part.conversion > 0 else ""
            text += "{" + conversion + suffix + "}"
            args.append(self.expr(part.value))
        self.at(node)
        if not args:
            return constant(text.format())
        return self.op(
            core.PURE_CALL,
            Const(text.format, Object(str), f"{text!r}.format"),
            *args,
            type=Object(str),
            name="text",
        )


def _holds_objects(t: Type, options: dict[str, Any]) -> bool:
    dtype = options.get("dtype")
    asked = isinstance(dtype, Const) and dtype.value in (object, "O", np.dtype(object))
    return asked or (isinstance(t, Array) and t.element.kind == "O")


def _is_part_stored_whole(path: list[core.Op], view: Var, index: Atom) -> bool:
    """Whether all of a part without a name is replaced."""
    if len(path) != 1 or path[0].fn is not operator.getitem or view.named:
        return False
    return isinstance(index, Const) and (index.value is Ellipsis or index.value == slice(None))


def is_shared(atom: Atom) -> TypeGuard[Var]:
    """Whether an atom is an object that may be changed through another name."""
    return isinstance(atom, Var) and is_mutable(atom.type)


# -- facts about atoms ------------------------------------------------------------------------


def truth(atom: Atom) -> bool | None:
    """The truth of a value where it is known; None where only the run can tell."""
    if isinstance(atom, Const) and atom.path is None:
        return bool(atom.value)
    if isinstance(atom, Const):
        return bool(atom.value) if _is_static(atom.value) else None
    t = atom.type
    if isinstance(t, Object) and t.cls is type(None):
        return False
    length = known_length(atom) if is_container(t) else None
    return None if length is None else length > 0


def known_length(atom: Atom) -> int | None:
    if isinstance(atom, Const):
        return len(atom.value) if hasattr(atom.value, "__len__") else None
    t = atom.type
    if isinstance(t, (Tuple, List)):
        return None if t.items is None else len(t.items)
    if isinstance(t, Dict):
        return None if t.keys is None else len(t.keys)
    if isinstance(t, Array) and t.dims and isinstance(t.dims[0], int):
        return t.dims[0]
    return None


def _is_same(a: Atom, b: Atom) -> bool | None:
    """`a is b`, where it is known: constants, and anything against None."""
    if isinstance(a, Const) and isinstance(b, Const):
        return a.value is b.value
    for x, y in ((a, b), (b, a)):
        if isinstance(y, Const) and y.value is None and not isinstance(x, Const):
            if x.type == NONE:
                return True
            return None if type(x.type) in (type(UNKNOWN), Type) else False
    return None


def _is_in(a: Atom, b: Atom) -> bool | None:
    if not isinstance(a, Const):
        return None
    if isinstance(b, Const):
        return a.value in b.value
    if isinstance(b.type, Dict) and b.type.keys is not None:
        return a.value in b.type.keys
    return None


def _is_dtype(atom: Atom) -> bool:
    return isinstance(atom, Const) and isinstance(atom.value, np.dtype)


def _have_items(a: Type, b: Type) -> bool:
    """Whether both are lists of known length."""
    return (
        isinstance(a, List) and isinstance(b, List) and a.items is not None and b.items is not None
    )


def _is_count(atom: Atom) -> bool:
    """Whether an atom can only be how often a list is repeated (an int, perhaps promoted)."""
    return isinstance(atom.type, Scalar)


def _is_slice(atom: Atom) -> bool:
    return isinstance(atom, Const) and isinstance(atom.value, slice)


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, str, bytes, type(None), int, float, complex, slice, type(...)))


def _is_static(value: Any) -> bool:
    """Values that the code is specialised on: functions, modules, classes, flags, texts."""
    if isinstance(value, (bool, str, bytes, type(None), type(...), np.dtype, Known, slice)):
        return True
    if isinstance(value, numbers.Number) or isinstance(value, np.generic):
        return False
    if isinstance(value, (np.ndarray, list, tuple, dict, set, range)):
        return False
    if is_struct(value.__class__):
        return False
    return callable(value) or isinstance(value, types.ModuleType)


def _static_type(value: Any) -> Type:
    if isinstance(value, bool) or isinstance(value, (int, float, complex)):
        return type_of(value, _NO_SYMBOLS)
    return Object(type(value))


_NO_SYMBOLS: Any = None


def _is_array_module(module: types.ModuleType) -> bool:
    return module.__name__.split(".")[0] in ("numpy", "math", "cupy", "cmath")


def _is_d(node: Any) -> bool:
    return isinstance(node, gast.Name) and node.id == "d"


def _describe(node: Any) -> str:
    names = {
        "Await": "`await`",
        "Yield": "`yield`",
        "YieldFrom": "`yield from`",
        "GeneratorExp": "a generator expression here",
        "SetComp": "a set comprehension",
        "DictComp": "a dict comprehension",
        "Set": "a set",
        "Starred": "a starred expression here",
    }
    return names.get(type(node).__name__, f"`{type(node).__name__}`")
