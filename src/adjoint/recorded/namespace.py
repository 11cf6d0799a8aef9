"""What rewritten code calls `record`."""

from __future__ import annotations

import types

from . import calls, hooks, operations

record = types.SimpleNamespace(
    **{
        name: getattr(operations, name)
        for name in (
            "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift", "rshift",
            "and_", "or_", "xor", "neg", "pos", "invert",
            "iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "imatmul", "ilshift",
            "irshift", "iand", "ior", "ixor",
            "item", "set_item", "delete_item", "slice", "iterate", "unpack", "matched",
            "attribute", "set_attribute", "delete_attribute", "shown",
        )
    },
    insert_grad_of=hooks.insert_grad_of,
    **{name: getattr(calls, name) for name in ("call", "method", "decorator", "context")},
)  # fmt: skip
