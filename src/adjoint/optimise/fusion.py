"""Make one step of a convolution, a rectifier and a pooling, if nothing reads what is between.

    z = conv2d(x, w, b)
    h = np.where(z > 0, z, 0)
    pooled, positions = max_pool2d_with_positions(h, 2)

becomes `pooled, positions = conv2d_relu_max_pool2d(x, w, b, 2)`, before derivatives are taken: the
derivative of this one step needs neither `z` nor `h`, which are four times as large as the result.

Leaves valid: types, origins.
"""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from typing import Any

import numpy as np

from .. import core
from ..core import Atom, Block, Const, Function, Op, Stmt, Var
from ..infer import constant

_MODULE = "adjoint.nn.functional.pooling"


def fuse_pooling(function: Function) -> None:
    """Write chains of convolution, rectifier and pooling as one operation, in place."""
    pooling: Any = sys.modules.get(_MODULE)
    if pooling is None:
        return
    fn = pooling.max_pool2d_with_positions
    if not any(isinstance(s, Op) and s.fn is fn for s in core.walk(function.body)):
        return
    uses = Counter(a for a in function.body.yields if isinstance(a, Var))
    for stmt in core.walk(function.body):
        atoms = core.read_by(stmt) + [a for b in core.blocks_of(stmt) for a in b.yields]
        uses.update(a for a in atoms if isinstance(a, Var))
    blocks = [function.body]
    while blocks:
        block = blocks.pop()
        _drop_unread_tuples(block, uses)
        for stmt in list(block.stmts):
            blocks += core.blocks_of(stmt)
            if isinstance(stmt, Op) and stmt.fn is fn:
                _fuse(block, stmt, uses)


def _drop_unread_tuples(block: Block, uses: Counter[Var]) -> None:
    """Such as `args` of `def __call__(self, *args)`, which is a reader of each argument."""
    kept: list[Stmt] = []
    for stmt in reversed(block.stmts):
        if isinstance(stmt, Op) and stmt.fn is core.TUPLE and stmt.target is not None:
            if not uses[stmt.target]:
                uses.subtract(a for a in stmt.args if isinstance(a, Var))
                continue
        kept.append(stmt)
    block.stmts = kept[::-1]


def _fuse(block: Block, pool: Op, uses: Counter[Var]) -> None:
    from ..nn.functional.convolution import conv2d
    from ..nn.functional.fused import conv2d_relu_max_pool2d

    at = block.stmts.index(pool)
    made = {s.target: s for s in block.stmts[:at] if isinstance(s, Op) and s.target is not None}
    rectifier = _only_reader(made, pool.args[0], uses, 1)
    if rectifier is None:
        return
    chain = [rectifier]
    if rectifier.fn is np.where and len(rectifier.args) == 3:
        test = _only_reader(made, rectifier.args[0], uses, 1)
        convolution = _only_reader(made, rectifier.args[1], uses, 2)
        if test is None or convolution is None or not _is_zero(rectifier.args[2]):
            return
        if not (test.fn is np.greater and _reads(test, rectifier.args[1])):
            return
        chain.append(test)
    elif _is_relu(rectifier.fn) and len(rectifier.args) == 1 and not rectifier.kwargs:
        convolution = _only_reader(made, rectifier.args[0], uses, 1)
    else:
        return
    if convolution is None or convolution.fn is not conv2d:
        return
    first = block.stmts.index(convolution)
    if not all(map(_changes_nothing, block.stmts[first:at])):
        return

    options = _bound(conv2d, convolution)
    pooled = _bound(pool.fn, pool)
    x, weight = options.pop("x"), options.pop("weight")
    bias = options.pop("bias", constant(None))
    pool.fn, pool.args = conv2d_relu_max_pool2d, [x, weight, bias, pooled["kernel_size"]]
    pool.kwargs = {
        f"pool_{name}": pooled[name] for name in ("stride", "padding") if name in pooled
    } | options
    pool.origin = convolution.origin
    gone = {id(s) for s in (convolution, *chain)}
    block.stmts = [s for s in block.stmts if id(s) not in gone]


def _only_reader(made: dict[Var, Op], atom: Atom, uses: Counter[Var], count: int) -> Op | None:
    """The operation that makes a value, if it is read so many times and is nobody's name."""
    if not isinstance(atom, Var) or uses[atom] != count or atom.root is not atom:
        return None
    return made.get(atom)


def _changes_nothing(stmt: Stmt) -> bool:
    return isinstance(stmt, Op) and not stmt.effect and stmt.version is None


def _reads(test: Op, z: Atom) -> bool:
    """Whether this is `z > 0`."""
    return len(test.args) == 2 and test.args[0] is z and _is_zero(test.args[1])


def _is_zero(atom: Atom) -> bool:
    return isinstance(atom, Const) and type(atom.value) in (int, float) and atom.value == 0


def _is_relu(fn: Any) -> bool:
    """Whether this is a rectifier whose derivative at 0 is 0."""
    module = getattr(fn, "__module__", None) or ""
    return module.startswith("adjoint.nn.functional") and getattr(fn, "__name__", "") == "relu"


def _bound(fn: Any, op: Op) -> dict[str, Atom]:
    """The operands by parameter, those that are given."""
    return dict(inspect.signature(fn).bind(*op.args, **op.kwargs).arguments)
