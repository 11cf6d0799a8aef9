"""Generator functions, where a loop walks them: the loop's body is interpreted at each `yield`.

While the generator runs, the names of the function that walks it are kept with the cells of the
state, so that the generator's branches and loops see what the body changes. Leaving the loop ends
the generator there. Cells of the generator hold how far it is: loops over two of them may nest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gast
import numpy as np

from ..core import UNDEFINED, Atom, Const, Var
from ..infer import constant
from ..parse import Source
from ..types import Object
from .exits import BREAK, CONTINUE, EXIT, GO_ON, RAISED, RETURN, RETURNED
from .invocation import DEEPEST, Invocation
from .scopes import scope_of
from .state import Frame, Known

_LEFT = "<left>"  # how the body of the loop that walks a generator ended
_COUNT = "<count>"


@dataclass(eq=False)
class Generator(Known):
    """A call of a generator function, which has not run yet."""

    source: Source
    parent: Frame | None
    env: dict[str, Any]
    serial: int = field(default_factory=Var.next_serial)

    @property
    def __name__(self) -> str:
        return self.source.name


def is_generator(atom: Any) -> bool:
    return isinstance(atom, Const) and isinstance(atom.value, Generator)


class Generators(Invocation):
    def __init__(self, builder: Any, recursive: frozenset[Any] = frozenset()) -> None:
        super().__init__(builder, recursive)
        self.on_yield: dict[Frame, Callable[[Atom], None]] = {}

    # -- making -----------------------------------------------------------------------------

    def invoke(
        self,
        source: Source,
        parent: Frame | None,
        defaults: dict[str, Atom],
        args: list[Atom],
        kwargs: dict[str, Atom],
        node: Any,
        identity: Any,
    ) -> Atom:
        if not scope_of(source.node).yields:
            return super().invoke(source, parent, defaults, args, kwargs, node, identity)
        env = self.bind_arguments(source, defaults, args, kwargs, node)
        made = Generator(source, parent, {n: self.object_of(a) for n, a in env.items()})
        return Const(made, Object(Generator), source.name)

    def kept_expression(self, node: Any) -> Atom:
        """A generator expression that is walked later: its first iterable is evaluated now."""
        if any(isinstance(n, gast.NamedExpr) for n in gast.walk(node)):
            raise self.refuse("`:=` in a generator expression that is kept", node)
        first = self.expr(node.generators[0].iter)
        body: Any = gast.Expr(gast.Yield(node.elt))
        for position, part in reversed(list(enumerate(node.generators))):
            for test in reversed(part.ifs):
                body = gast.If(test, [body], [])
            walked = part.iter if position else gast.Name(".0", gast.Load(), None, None)
            body = gast.For(part.target, walked, [body], [], None)
        spec = gast.arguments(
            [gast.Name(".0", gast.Param(), None, None)], [], None, [], [], None, []
        )
        function = gast.FunctionDef("<genexpr>", spec, [body], [], None, None, [])
        for made in gast.walk(function):
            if getattr(made, "lineno", None) is None:
                gast.copy_location(made, node)
        outer = self.frame.source
        source = Source(function, outer.filename, "<genexpr>", outer.globals, {}, {})
        self.captured.append(self.frame)
        generator = Generator(source, self.frame, {".0": self.object_of(first)})
        return Const(generator, Object(Generator), "<genexpr>")

    # -- walking ----------------------------------------------------------------------------

    def for_(self, iterable: Any, body: Callable[[Atom], None], node: Any) -> None:
        if is_generator(iterable):
            self._walk_generator(iterable.value, body, node)
        elif _is_counted(iterable):
            generator = iterable[1].value
            self.cells[generator, _COUNT] = self.object_of(iterable[2])

            def counted(item: Atom) -> None:
                count = self.cells[generator, _COUNT]
                after = self.op(np.add, count, constant(1), style="operator")
                self.cells[generator, _COUNT] = after
                body(self.b_tuple([count, item]))

            self._walk_generator(generator, counted, node)
            self.cells.pop((generator, _COUNT), None)
        elif _holds_generator(iterable):
            raise self.refuse("this `zip` of a generator is not supported", node)
        else:
            super().for_(iterable, body, node)

    def as_sequence(self, value: Atom, node: Any) -> Atom:
        value = super().as_sequence(value, node)
        return self.collected(value, node) if is_generator(value) else value

    def _walk_generator(
        self, generator: Generator, body: Callable[[Atom], None], node: Any
    ) -> None:
        if (generator, "walked") in self.cells:
            raise self.refuse(
                f"the generator `{generator.__name__}` is walked a second time, or in a loop", node,
                "Make a new one, or a list.",
            )  # fmt: skip
        if len(self.frames) > DEEPEST:
            raise self.refuse("calls are nested too deeply, or without end, here", node)
        self.cells[generator, "walked"] = constant(True)
        consumer = self.frame
        frame = Frame(generator.source, dict(generator.env), generator.parent)
        frame.env |= {EXIT: constant(GO_ON), RETURN: UNDEFINED}
        self.cells[generator, _LEFT] = constant(GO_ON)
        origin, statement = self.b.origin, consumer.statement

        def yielded(item: Atom) -> None:
            top = self.frames.pop()
            self._bring_back(consumer)
            consumer.statement = statement
            body(item)
            code = self.env[EXIT]
            if isinstance(code, Const) and code.value == CONTINUE:
                code = constant(GO_ON)
            self.cells[generator, _LEFT] = code
            self._put_aside(consumer)
            self.frames.append(top)
            self._end_if_left(code)

        self._put_aside(consumer)
        self.on_yield[frame] = yielded
        self.frames.append(frame)
        for name in frame.scope.shared & frame.env.keys():
            self.cells[frame, name] = frame.env.pop(name)
        self.statements(generator.source.node.body)
        ended = self.frames.pop().env[EXIT]
        self._bring_back(consumer)
        self.b.origin = origin
        code = self.cells.pop((generator, _LEFT))
        if isinstance(ended, Const) and ended.value == RAISED:
            self.env[EXIT] = ended
        elif not isinstance(code, Const):
            self._after_loop(node, code)
        elif code.value == RETURNED:
            self.env[EXIT] = code
        elif code.value != BREAK:
            self.statements(getattr(node, "orelse", []))

    def _end_if_left(self, code: Atom) -> None:
        """A generator ends where the loop that walks it is left."""
        if isinstance(code, Const):
            if code.value != GO_ON:
                self.env[EXIT] = constant(RAISED if code.value == RAISED else RETURNED)
            return
        left = self._stop_flag(code)
        self.if_(self.read(left), lambda: self.rebind(EXIT, constant(RETURNED)), lambda: None)

    def _put_aside(self, frame: Frame) -> None:
        """Keep the names of a function with the cells, while another one runs in between."""
        for name, value in frame.env.items():
            if name != EXIT:
                self.cells[frame, name] = value
        frame.env = {}

    def _bring_back(self, frame: Frame) -> None:
        names = [k for k in self.cells if k[0] is frame and k[1] not in frame.scope.shared]
        frame.env = {k[1]: self.cells.pop(k) for k in names} | {EXIT: constant(GO_ON)}

    # -- statements -------------------------------------------------------------------------

    def stmt_Expr(self, node: Any) -> None:
        if isinstance(node.value, gast.Yield):
            self._yield(node.value)
        elif isinstance(node.value, gast.YieldFrom):
            self._yield_from(node.value)
        else:
            super().stmt_Expr(node)

    def stmt_Assign(self, node: Any) -> None:
        if not isinstance(node.value, gast.Yield):
            super().stmt_Assign(node)
            return
        self._yield(node.value)
        code = self.env[EXIT]
        if not isinstance(code, Const):
            raise self.refuse("a `yield` that has a value, in a loop that may be left", node)
        if code.value == GO_ON:
            for target in node.targets:
                self.assign(target, constant(None))

    def _yield(self, node: Any) -> None:
        value = constant(None) if node.value is None else self.expr(node.value)
        self.on_yield[self.frame](value)

    def _yield_from(self, node: Any) -> None:
        """`yield from xs` is `for x in xs: yield x`."""
        name = gast.Name("<yielded>", gast.Store(), None, None)
        value = gast.Name("<yielded>", gast.Load(), None, None)
        loop = gast.For(name, node.value, [gast.Expr(gast.Yield(value))], [], None)
        for made in gast.walk(loop):
            if getattr(made, "lineno", None) is None:
                gast.copy_location(made, node)
        self.stmt_For(loop)


def _is_counted(iterable: Any) -> bool:
    """Whether a loop walks `enumerate(generator)`."""
    return isinstance(iterable, tuple) and iterable[0] == "enumerate" and is_generator(iterable[1])


def _holds_generator(iterable: Any) -> bool:
    """Whether a generator is among what `zip` and `enumerate` walk."""
    if not isinstance(iterable, tuple):
        return is_generator(iterable)
    parts = iterable[1] if iterable[0] == "zip" else [iterable[1]]
    return any(map(_holds_generator, parts))
