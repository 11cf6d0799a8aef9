"""Operations whose rule is found at run time, differentiated: calls of functions that do it.

`pull` and `push` are given the operands of the operation as one tuple. Here they become calls of a
plain function with operands of their own (runtime/again.py), which have cotangents and tangents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .builder import Builder
from .core import Atom, Const, Op
from .runtime.again import pulling, pushing
from .runtime.pull import pull
from .runtime.push import push

LATE = (pull, push)


@dataclass
class LateCall:
    """`fn(*args)`. Each argument is an operand of the operation, or stands at a key in one."""

    fn: Any
    args: list[Atom]
    sources: list[tuple[Atom, Any]]  # (operand, None or key in it)


def late_call(op: Op, b: Builder, present: Callable[[Atom], Atom]) -> LateCall:
    """A `pull` or a `push` as a call; `present` gives an operand as it can be read here."""
    call = LateCall(None, [], [])

    def parts(atom: Atom) -> tuple[Any, ...]:
        """All elements of an operand that is a tuple or a dict, or None."""
        if isinstance(atom, Const):
            keys: Any = atom.value or ()
            found = atom.value or {}
            keys = tuple(found) if isinstance(found, dict) else tuple(range(len(found)))
        else:
            t: Any = atom.type
            keys = t.keys if hasattr(t, "keys") else tuple(range(len(t.items)))
        whole = present(atom)
        for key in keys:
            call.args.append(b.item(whole, key))
            call.sources.append((atom, key))
        return tuple(keys)

    if op.fn is pull:
        fn, cotangent, operands, places, keywords = op.args
        call.args.append(present(cotangent))
        call.sources.append((cotangent, None))
        count, names = len(parts(operands)), parts(keywords)
        call.fn = pulling(fn.value, count, names, places.value)  # type: ignore[union-attr]
    else:
        fn, operands, places, tangents, keywords = op.args
        count, names = len(parts(operands)), parts(keywords)
        parts(tangents)
        call.fn = pushing(fn.value, count, names, places.value)  # type: ignore[union-attr]
    return call
