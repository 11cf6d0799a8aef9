"""Derivatives of whole functions: what the pipeline asks for, and operators called inside."""

from __future__ import annotations

from .builder import Builder
from .core import Atom, Function, Var
from .finish import finish_gradient, seed_for
from .reverse import Reverse, split

__all__ = ["gradients", "split", "tangent"]


def gradients(
    function: Function, wrt: list[Var], builder: Builder, has_aux: bool, *, whole: bool = False
) -> list[Atom]:
    """Append the backward sweep of a function that returns one number: its gradients.

    `whole`: the result may be an array, and the gradients are those of its sum.
    """
    reverse = Reverse(function, wrt, builder)
    seed_for(function, has_aux, reverse, whole)
    reverse.block(function.body.stmts)
    builder.origin = None
    return finish_gradient(reverse, wrt)


def tangent(function: Function, wrt: list[Var], builder: Builder) -> tuple[list[Var], Atom]:
    """Put tangents into a function: the new parameters for them, and the tangent of its result."""
    from .forward import Forward  # late: a program that only asks for gradients does not need it

    forward = Forward(function, wrt, builder)
    forward.run()
    return forward.params, forward.finished(function.result)
