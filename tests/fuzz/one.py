"""The check of one program, in a module that a process of its own can import."""

from __future__ import annotations

from adjoint import forms

from .check import Outcome, check
from .grammar import generate
from .running import forget


def one(seed: int, first: bool = False, form: str = "both") -> tuple[int, Outcome]:
    with forms.only(*allowed(form)):  # in a process of its own
        outcome = check(generate(seed), first=first)
    forget()
    return seed, outcome


def allowed(form: str) -> tuple[str, ...]:
    return forms.BOTH if form == "both" else (form,)
