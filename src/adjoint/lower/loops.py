"""Loops: what they change becomes parameters, whose types are found by interpreting again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from .. import core
from ..builder import is_number, same_atom
from ..core import COUNT, UNDEFINED, Atom, Block, Const, For, Var, While
from ..errors import AdjointError, UnsupportedSyntaxError
from ..infer import constant
from ..types import (
    INT,
    UNKNOWN,
    Array,
    Object,
    Type,
    carries_derivative,
    join,
)
from .assigned import assigned_names
from .branches import Branches, is_outer
from .exits import BREAK, CONTINUE, EXIT, GO_ON, RETURNED, returns
from .expressions import known_length, truth
from .loop_aliases import LoopAliases
from .state import Key, Poison, State, is_instance, is_static, shown

_MAX_ROUNDS = 12  # of the search for the types that a loop keeps


class Loops(Branches):
    def stmt_While(self, node: Any) -> None:
        if any(isinstance(n, gast.NamedExpr) for n in gast.walk(node.test)):
            node = self._with_test_inside(node)
        cond = Block()

        def test() -> None:
            with self.b.inside(cond):
                cond.stmts.clear()
                versions = dict(self.versions)
                cond.yields = [self.read(self.as_test(self.expr(node.test), node))]
                if self.versions != versions:
                    raise self.refuse(
                        "this test changes an array or a list", node.test,
                        "Write `while True`, and leave the loop by `break`.",
                    )  # fmt: skip

        def make(loop: dict[str, Any]) -> For | While:
            return While(**loop, cond=cond)

        self.at(node)
        self.loop(node, lambda: self.statements(node.body), make, test)

    def _with_test_inside(self, node: Any) -> Any:
        """`while (v := f(x)) > 0` assigns in its test: the same loop, left by `break`."""
        if node.orelse:
            raise self.refuse("an assignment in the test of this loop", node.test)

        def at(made: Any) -> Any:
            for inner in gast.walk(made):
                if not hasattr(inner, "lineno"):
                    gast.copy_location(inner, node.test)
            return made

        leave = at(gast.If(gast.UnaryOp(gast.Not(), node.test), [gast.Break()], []))
        loop = gast.While(at(gast.Constant(True, None)), [leave, *node.body], [])
        return gast.copy_location(loop, node)

    def loop(
        self,
        node: Any,
        body: Callable[[], None],
        make: Callable[[dict[str, Any]], For | While],
        test: Callable[[], None] | None,
    ) -> None:
        """Interpret a loop: again and again, until the types of what it changes are stable.

        What it changes is found on the way: the names that its body assigns, and the objects that
        it changes in place.
        """
        origin = self.b.origin
        before = self.snapshot()
        assigned = [self.key_of(n) for n in assigned_names(node) if self._is_own_name(n)]
        names = [n for n in assigned if not self._keeps(n, node)]
        rebound: set[Key] = set()  # names that were taken for kept once, and are not
        params: dict[Any, tuple[Type, bool]] = {}  # name or root -> type and variedness
        roots: list[Var] = []
        stale: dict[Var, Any] = {}
        objects: dict[Any, Const] = {}  # name -> the object that it is when an iteration starts
        lost: dict[Any, Poison] = {}  # names that cannot be read when an iteration ends
        identity = LoopAliases(self.aliases, before.mark)
        for round_ in range(_MAX_ROUNDS):
            self.restore(before)
            known = len(lost)
            given_away = self.given_away
            entry, inits, yields, block = self._round(
                names, roots, params, lost, stale, identity, objects, body, test, origin
            )
            end = self.snapshot()
            changed = [
                r
                for r in end.versions
                if end.versions[r] is not entry.versions.get(r, r)
                and r not in roots
                and is_outer(r, before)
            ]
            assigned += [k for k in end.env if self._is_new_cell(k, assigned, entry, end, before)]
            assigned += [
                k
                for k, v in before.env.items()
                if isinstance(k, str) and k[0] != "<" and k not in assigned
                if end.env.get(k) is not entry.env.get(k)
            ]
            replaced = [
                (key, init)
                for key, init, last in zip(names, inits, yields)
                if key not in objects and _is_replaced(init, last)
            ]
            for key, init in replaced:
                objects[key] = self.either_object([init])
                attributes = [k[1] for k in before.env if k[0] is init.value]  # type: ignore[union-attr]
                assigned += [(objects[key].value, a) for a in attributes]
            for key, init, last in zip(names, inits, yields):
                if key not in objects and _is_exchanged(init, last):
                    lost.setdefault(key, Poison(self._exchanged(key)))
            if replaced:
                names = [n for n in assigned if n in names or not isinstance(n, str)]
                params = {k: v for k, v in params.items() if isinstance(k, Var)}
                continue
            # `y += v` changes an array, and binds no other: y is not carried, its versions are.
            kept = {n for n in names if _is_kept(entry.env.get(n), end.env.get(n))} - rebound
            rebound |= {
                n for n in assigned if n not in names and end.env.get(n) is not entry.env.get(n)
            }
            wanted = [n for n in assigned if n in rebound or (n in names and n not in kept)]
            if wanted != names:
                names = wanted
                params = {k: v for k, v in params.items() if isinstance(k, Var)}
                continue
            grown = self._grow(names, roots, inits, yields, params, give_up=round_ > 6)
            ends = dict(zip(names, yields))
            grown |= identity.leave({n: entry.env.get(n, UNDEFINED) for n in names}, ends)
            new_stale = {
                r: o
                for r, o in end.stale.items()
                if r not in stale and r not in before.stale and is_outer(r, before)
            }
            roots += changed
            stale.update(new_stale)
            if not changed and not grown and not new_stale and len(lost) == known:
                if self.given_away != given_away:
                    continue  # what the body reads first was given away in the iteration before
                break
        else:
            raise self.refuse("no fixed types are found for what this loop changes", node)
        self._finish_loop(
            node, names, roots, entry, inits, yields, objects, block, make, before, stale
        )

    def _is_own_name(self, name: str) -> bool:
        return name not in self.frame.scope.nonlocals and name not in self.frame.scope.globals

    def _is_new_cell(
        self, key: Any, assigned: list[Any], entry: State, end: State, before: State
    ) -> bool:
        """Whether a body has changed an attribute, or a name of another frame, from outside it."""
        if isinstance(key, str) or key in assigned or key[0].serial >= before.mark:
            return False
        old, new = entry.env.get(key), end.env[key]
        both = isinstance(old, (Var, Const)) and isinstance(new, (Var, Const))
        return not same_atom(old, new) if both else old is not new  # type: ignore[arg-type]

    def _keeps(self, name: Key, node: Any) -> bool:
        """Whether a loop only changes the array of this name, by `y += v`, and binds no other."""
        value = self.env.get(name) if isinstance(name, str) else None
        if not isinstance(value, Var) or not isinstance(value.type, Array):
            return False
        return not is_number(value.type) and name not in assigned_names(node, False)

    def _round(
        self,
        names: list[Any],
        roots: list[Var],
        params: dict[Any, tuple[Type, bool]],
        lost: dict[Any, Poison],
        stale: dict[Var, Any],
        identity: LoopAliases,
        objects: dict[Any, Const],
        body: Callable[[], None],
        test: Callable[[], None] | None,
        origin: Any,
    ) -> tuple[State, list[Atom], list[Atom], Block]:
        """Interpret the body once, with parameters of the types found so far."""
        self.b.origin = origin
        inits: list[Atom] = []
        poisoned = dict(lost)
        self._copy_objects(objects, entering=True)
        for name in names:
            value = self.bound(name)
            if isinstance(value, Poison):
                poisoned[name] = value
            try:
                inits.append(UNDEFINED if isinstance(value, Poison) else self.read(value))
            except AdjointError as error:
                poisoned[name] = Poison(error)
                inits.append(UNDEFINED)
        inits += [self.versions.get(r, r) for r in roots]
        self.stale.update(stale)
        keys: list[Any] = [*names, *roots]
        for key, init in zip(keys, inits, strict=True):
            if key in poisoned:
                params.setdefault(key, (init.type, False))
                self.rebind(key, poisoned[key])
                continue
            t, varied = params.setdefault(key, (init.type, init.varied))
            name = key.name if isinstance(key, Var) else shown(key)
            param = Var(name, t, named=True, varied=varied)
            if not isinstance(key, Var):
                param.named = name[0] != "<"
                if key in objects:
                    self.rebind(key, objects[key])
                elif is_static(init) or (type(t) is Type and name[0] == "<"):
                    self.rebind(key, init)
                else:
                    self.rebind(key, param)
                    if param.named and self.may_be_unbound(init):
                        self.unbound.add(param)
            else:
                param.root = key
                param.named = key.named
                self.versions[key] = param
        self.env[EXIT] = constant(GO_ON)
        entry = self.snapshot()
        bound = {n: entry.env.get(n, UNDEFINED) for n in names}
        identity.enter(bound, dict(zip(names, inits)))
        block = Block()
        if test is not None:
            test()
        with self.b.inside(block):
            self.loop_starts.append(entry.mark)
            try:
                body()
            finally:
                self.loop_starts.pop()
            self._copy_objects(objects, entering=False)
            yields: list[Atom] = []
            for name in names:
                yields.append(UNDEFINED)
                value = self.bound(name)
                if isinstance(value, Poison):
                    lost.setdefault(name, value)
                    continue
                try:
                    yields[-1] = self.read(value)
                except AdjointError as error:
                    lost.setdefault(name, Poison(error))
            yields += [self.versions.get(r, r) for r in roots]
        return entry, inits, yields, block

    def _exchanged(self, key: Any) -> UnsupportedSyntaxError:
        return UnsupportedSyntaxError(
            f"which function or object `{shown(key)}` is depends on a loop", self.b.origin,
            "Give it a name of its own.",
        )  # fmt: skip

    def _copy_objects(self, objects: dict[Any, Const], entering: bool) -> None:
        """An object that each iteration makes anew has the attributes of the one before."""
        for key, held in objects.items():
            other = self.bound(key)
            if not is_instance(other) or other.value.cls is not held.value.cls:
                raise UnsupportedSyntaxError(
                    f"which object `{shown(key)}` is depends on a loop", self.b.origin,
                    "Keep one object, or only numbers and arrays.",
                )  # fmt: skip
            if other.value is held.value:
                continue
            other.value.shared = True
            names = {k[1] for k in self.cells if k[0] is other.value}
            if not entering and names != {k[1] for k in self.cells if k[0] is held.value}:
                raise UnsupportedSyntaxError(
                    f"the attributes of `{shown(key)}` change in a loop", self.b.origin,
                    "Give it all attributes when it is made.",
                )  # fmt: skip
            for name in names:
                self.cells[held.value, name] = self.cells[other.value, name]
            if not entering:
                self.rebind(key, held)

    def _grow(
        self,
        names: list[Any],
        roots: list[Var],
        inits: list[Atom],
        yields: list[Atom],
        params: dict[Any, tuple[Type, bool]],
        give_up: bool,
    ) -> bool:
        """Join what the body yields into the types of the parameters; whether any has changed."""
        grown = False
        for key, init, end in zip([*names, *roots], inits, yields, strict=True):
            t, varied = params[key]
            if is_static(end):
                continue
            joined = join(t, end.type, self.b.symbols)
            if isinstance(init, Const) and isinstance(end, Const) and init is not UNDEFINED:
                if isinstance(joined, Object) and init.value is not end.value:
                    joined = UNKNOWN
            if give_up and joined != t:
                joined = UNKNOWN
            new = (joined, (varied or end.varied) and carries_derivative(joined))
            if new != params[key]:
                params[key] = new
                grown = True
        return grown

    def _finish_loop(
        self,
        node: Any,
        names: list[Any],
        roots: list[Var],
        entry: State,
        inits: list[Atom],
        yields: list[Atom],
        objects: dict[Any, Const],
        block: Block,
        make: Callable[[dict[str, Any]], For | While],
        before: State,
        stale: dict[Var, Any],
    ) -> None:
        exit_code = self.env[EXIT]
        unbound_at_end = self.unbound
        with self.b.inside(block):
            stop = self._stop_flag(exit_code)
        self.restore(before)
        self.stale.update(stale)
        loop_params: list[Var] = []
        loop_inits: list[Atom] = []
        loop_yields: list[Atom] = []
        results: list[Var] = []
        after: dict[Any, Any] = {}
        keys: list[Any] = [*names, *roots]
        held = [o.value for o in objects.values()]
        after |= {k: v for k, v in entry.env.items() if k[0] in held and k not in keys}
        for key, init, end in zip(keys, inits, yields, strict=True):
            if not isinstance(key, Var):
                param = entry.env.get(key, UNDEFINED)
                if key in objects:
                    after[key] = objects[key]
                    continue
                if isinstance(param, Poison) and end is UNDEFINED:
                    after[key] = param
                    continue
                if end is param or (not isinstance(param, Var) and end is UNDEFINED):
                    continue  # unchanged by the body
                if is_static(end):
                    after[key] = end
                    if _is_exchanged(init, end):
                        after[key] = Poison(self._exchanged(key))
                    elif is_instance(end) and end.value.serial >= before.mark:
                        after[key] = Poison(
                            self.refuse("an object that a loop makes is used after it", node)
                        )
                    continue
                if not isinstance(param, Var):
                    param = Var(shown(key), end.type, named=shown(key)[0] != "<")
            else:
                param = entry.versions[key]
            assert isinstance(param, Var)
            if param in self.awaited and type(param.type) is Type:
                raise self.refuse(f"`{shown(key)}` is read before it has a value", node)
            result = Var(param.name, param.type, named=param.named)
            result.varied = param.varied or end.varied
            loop_params.append(param)
            loop_inits.append(init)
            loop_yields.append(end)
            results.append(result)
            if not isinstance(key, Var):
                after[key] = result
            else:
                result.root = key
                self.versions[key] = result
        count = len(results) - len(roots)  # those of names come first
        self.alias_results(results[:count], loop_inits[:count], loop_yields[:count])
        code = self._exit_after_loop(exit_code, loop_params, loop_inits, loop_yields, results)
        block.yields = [*loop_yields, stop]
        loop = make(
            {
                "params": loop_params,
                "inits": loop_inits,
                "body": block,
                "results": results,
                "origin": self.frame.source.origin(node),
            }
        )
        self.b.block.stmts.append(loop)
        for key, value in after.items():
            self.rebind(key, value)
        for init, end, result in zip(loop_inits, loop_yields, results, strict=True):
            skipped = self.may_be_unbound(init) and not self._runs(loop)
            if result.named and (skipped or end is UNDEFINED or end in unbound_at_end):
                self.unbound.add(result)
        if isinstance(loop, While) and _is_true(loop.cond.yields[0]) and not _breaks(node):
            self.env[EXIT] = constant(RETURNED)  # or an error: there is no other way out
            return
        self._after_loop(node, code)

    def _runs(self, loop: For | While) -> bool:
        """Whether a loop's body certainly runs at least once."""
        if isinstance(loop, While):
            return _is_true(loop.cond.yields[0])
        return all(s is COUNT or self._has_items(s) for s in loop.iterables)

    def _has_items(self, source: Atom) -> bool:
        made = self.b.definition(source, core.RANGE)
        if made is not None:
            known = all(isinstance(a, Const) and a.path is None for a in made.args)
            return known and len(range(*(a.value for a in made.args))) > 0  # type: ignore[union-attr]
        return (known_length(source) or 0) > 0

    def _stop_flag(self, code: Atom) -> Atom:
        if isinstance(code, Const):
            return constant(code.value in (BREAK, RETURNED))
        known = self._flag(code, (BREAK, RETURNED))
        return self.op(core.IN, code, constant((BREAK, RETURNED))) if known is None else known

    def _flag(self, code: Atom, values: tuple[int, ...]) -> Atom | None:
        """Whether an exit code is one of these: the test that gave it, where it is known."""
        select = self.b.selects.get(code) if isinstance(code, Var) else None
        if select is None or not all(isinstance(s, Const) for s in select[1:]):
            return None
        test, a, b = select
        fits = [s.value in values for s in (a, b)]  # type: ignore[union-attr]
        if fits == [True, False]:
            return test
        return self.op(core.NOT, test) if fits == [False, True] else constant(fits[0])

    def _exit_after_loop(
        self,
        code: Atom,
        params: list[Var],
        inits: list[Atom],
        yields: list[Atom],
        results: list[Var],
    ) -> Atom:
        """How the last iteration ended, as a value after the loop."""
        if isinstance(code, Const) and code.value in (GO_ON, CONTINUE):
            return constant(GO_ON)
        params.append(Var("ended", INT))
        inits.append(constant(GO_ON))
        yields.append(code)
        result = Var("ended", INT)
        results.append(result)
        return result

    def _after_loop(self, node: Any, code: Atom) -> None:
        """`else` runs unless the loop was left; a `return` inside it returns here."""
        self.env[EXIT] = constant(GO_ON)
        orelse = getattr(node, "orelse", [])
        if isinstance(code, Const):
            self.statements(orelse)
            return
        if orelse:
            left = self.op(core.IN, code, constant((BREAK, RETURNED)))
            self.if_(left, lambda: None, lambda: self.statements(orelse))
        if returns(node):
            returned = self.op(np.equal, code, constant(RETURNED), style="operator")
            known = truth(returned)
            if known is None:
                self.if_(returned, self._mark_returned, lambda: None)

    def _mark_returned(self) -> None:
        self.env[EXIT] = constant(RETURNED)


def _is_true(test: Atom) -> bool:
    return isinstance(test, Const) and truth(test) is True


def _breaks(node: Any) -> bool:
    """Whether a `break` in the body of a loop leaves this loop, and not one inside it."""
    todo = list(getattr(node, "body", []))
    while todo:
        inner = todo.pop()
        if isinstance(inner, gast.Break):
            return True
        if isinstance(inner, (gast.For, gast.While)):
            todo += inner.orelse
        elif not isinstance(inner, (gast.FunctionDef, gast.ClassDef)):
            todo += gast.iter_child_nodes(inner)
    return False


def _is_replaced(init: Atom, last: Atom) -> bool:
    """Whether a name is bound to another object, of the same class, when an iteration ends."""
    if not (is_instance(init) and is_instance(last)) or init.value is last.value:
        return False
    return init.value.cls is last.value.cls


def _is_exchanged(init: Atom, last: Atom) -> bool:
    """Whether a name is bound to another function or object when an iteration ends."""
    if init is UNDEFINED or not (is_static(init) or is_static(last)):
        return False
    return not (is_static(init) and is_static(last) and init.value is last.value)


def _is_kept(before: Any, after: Any) -> bool:
    """Whether a name is bound to the same object at the end of a body as at its start."""
    return isinstance(before, Var) and isinstance(after, Var) and before.root is after.root
