"""A row of the table of cases: one call of one function, with operands and options."""

import itertools
import math
import operator
import types

import numpy as np

from adjoint.nn.functional import activations, cells, convolution, fused, pooling
from adjoint.rules import runtime
from adjoint.runtime import generic, own_rules

from .domains import Literal, Sequence, operand

NAMES = "xyuvwabc"
MODULES = {
    "np": np, "math": math, "operator": operator, "runtime": runtime, "generic": generic,
    "own_rules": own_rules, "activations": activations, "cells": cells,
    "convolution": convolution, "pooling": pooling, "fused": fused,
}  # fmt: skip


class Case:
    """One call.

    name         the text of the call
    source_text  a function of the operands, as a user writes it
    call         that function
    args(rng)    fresh operands
    active       the indices of the operands that have a derivative
    """

    def __init__(self, fn, operands, options, dtype=np.float64):
        self.fn, self.dtype = fn, dtype
        self.operands = [operand(o) for o in operands]
        self.options = {k: operand(v) if not isinstance(v, tuple) else Literal(v)
                        for k, v in options.items()}  # fmt: skip
        leaves = []
        names = iter(NAMES)

        def written(o):
            if isinstance(o, Sequence):
                return "[" + ", ".join(map(written, o.items)) + "]"
            if isinstance(o, Literal):
                return literal(o.value)
            leaves.append(o)
            return o.text.format(next(names))

        texts = [written(o) for o in self.operands]
        if fn is operator.getitem and isinstance(self.operands[1], Literal):
            texts[1] = index_text(self.operands[1].value)
        texts += [f"{k}={written(o)}" for k, o in self.options.items()]
        self.leaves = leaves
        self.active = tuple(i for i, leaf in enumerate(leaves) if leaf.active)
        call = call_text(fn, texts)
        self.name = call + ("" if dtype == np.float64 else f" in {np.dtype(dtype).name}")
        parameters = ", ".join(NAMES[: len(leaves)])
        self.source_text = f"def f({parameters}):\n    return {call}\n"

    def __repr__(self):
        return f"<case {self.name}>"

    @property
    def call(self):
        namespace = dict(MODULES)
        exec(compile(self.source_text, f"<case {self.name}>", "exec"), namespace)
        return namespace["f"]

    def args(self, rng):
        return [leaf.value(rng, self.dtype) for leaf in self.leaves]

    def direction(self, rng, i, value):
        """A random direction for operand i."""
        return self.leaves[i].direction(rng, value)

    def bound(self, args, literal=lambda value: value):
        """The call's arguments, positional and by keyword, with operands from a flat list."""
        args = iter(args)

        def given(o):
            if isinstance(o, Sequence):
                return [given(i) for i in o.items]
            return literal(o.value) if isinstance(o, Literal) else next(args)

        return [given(o) for o in self.operands], {k: given(o) for k, o in self.options.items()}

    def single(self):
        """The same in single precision, or None."""
        if not all(leaf.single for leaf in self.leaves) or not self.leaves:
            return None
        return Case(self.fn, self.operands, self.options, np.float32)


def case(fn, *operands, **options):
    """Cases for every combination of the options, of which a list holds alternatives."""
    lists = [v if isinstance(v, list) else [v] for v in options.values()]
    return [Case(fn, operands, dict(zip(options, each))) for each in itertools.product(*lists)]


def literal(value):
    if isinstance(value, float) and not math.isfinite(value):
        return {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}[str(value)]
    if isinstance(value, type) and issubclass(value, np.generic):
        return f"np.{value.__name__}"
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()})"
    return repr(value)


def index_text(index):
    def part(p):
        if isinstance(p, slice):
            text = ":".join("" if e is None else str(e) for e in (p.start, p.stop))
            return (text if ":" in text else ":") + (f":{p.step}" if p.step is not None else "")
        return "..." if p is Ellipsis else literal(p)

    return ", ".join(map(part, index)) if isinstance(index, tuple) else part(index)


def call_text(fn, texts):
    if fn is operator.getitem:
        return f"{texts[0]}[{texts[1]}]"
    if isinstance(fn, types.MethodDescriptorType) and fn.__objclass__ is np.ndarray:
        return f"{texts[0]}.{fn.__name__}({', '.join(texts[1:])})"
    return f"{fn_text(fn)}({', '.join(texts)})"


def fn_text(fn):
    places = {
        "np": np, "np.linalg": np.linalg, "np.fft": np.fft, "math": math, "operator": operator,
        "runtime": runtime, "generic": generic, "own_rules": own_rules,
        "activations": activations, "convolution": convolution, "pooling": pooling,
        "fused": fused, "cells": cells,
    }  # fmt: skip
    for prefix, module in places.items():
        if getattr(module, fn.__name__, None) is fn:
            return f"{prefix}.{fn.__name__}"
    return fn.__name__
