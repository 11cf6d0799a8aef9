"""What rewritten code calls `record`."""

from __future__ import annotations

import operator
import types

from . import calls, hooks, operations
from .faults import bounded

_OPERATORS = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift", "rshift",
    "and_", "or_", "xor", "neg", "pos", "invert",
    "iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "imatmul", "ilshift",
    "irshift", "iand", "ior", "ixor",
)  # fmt: skip
_OTHERS = {
    "item": operator.getitem, "part": operator.getitem, "set_item": operator.setitem,
    "delete_item": operator.delitem,
    "iterate": iter, "unpack": iter,
    "attribute": getattr, "set_attribute": setattr, "delete_attribute": delattr,
}  # fmt: skip
_NATIVE = {name: getattr(operator, name) for name in _OPERATORS} | _OTHERS

record = types.SimpleNamespace(
    **{name: bounded(getattr(operations, name), native) for name, native in _NATIVE.items()},
    **{name: getattr(operations, name) for name in ("slice", "matched", "shown")},
    insert_grad_of=hooks.insert_grad_of,
    **{name: getattr(calls, name) for name in ("call", "method", "decorator", "context")},
)
