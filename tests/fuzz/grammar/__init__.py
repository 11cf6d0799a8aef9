"""Random programs as Python text: valid, bounded, and smooth almost everywhere.

The generator tracks the type and shape of every name, so that a program runs without error; the
few that do not (a division by nearly zero, an overflow) are discarded by the check. The same seed
gives the same text.
"""

from __future__ import annotations

from .arrays import Arrays
from .assignments import Assignments
from .buffers import Buffers
from .callables import Callables
from .containers import Containers
from .control import Control
from .exits import Exits
from .expressions import Expressions
from .functions import Functions
from .generators import Generators
from .inner import Inner
from .lists import Lists
from .objects import Objects
from .state import State

# How often each statement is drawn, relative to the others. A weight of 0 leaves it out.
WEIGHTS: dict[str, float] = {
    "new": 6,
    "rebind": 4,
    "augment": 3,
    "augment_array": 2,
    "unpack": 1.5,
    "swap": 0.7,
    "branch": 3,
    "for": 3.5,
    "while": 1,
    "def": 1.2,
    "lambda": 0.7,
    "list": 1.5,
    "append": 1,
    "list_store": 1,
    "dict_store": 0.8,
    "fill": 1.5,
    "store": 4,
    "view": 1,
    "view_store": 0.8,
    "alias": 0.7,
    "copy": 0.7,
    "accumulate": 1.5,
    "no_grad": 0.3,
    "walrus": 0.3,
    "retype": 0.7,
    "call": 0.5,
    "scan": 0.8,
    "comprehension": 1,
    "dict": 0.5,
    "misc": 0.8,
    "try": 1,
    "with": 0.7,
    "match": 0.7,
    "generator": 0.4,
    "consume": 0.5,
    "star": 0.4,
    "nonlocal": 0.5,
    "factory": 0.7,
    "object": 1.5,
    "attribute": 1.5,
    "list_method": 1,
    "shared_list": 0.4,
    "dict_method": 0.8,
    "out": 1,
    "store_function": 1,
    "swap_buffers": 0.5,
    "reuse": 0.6,
    "share": 0.8,
}


class Generator(
    State,
    Functions,
    Assignments,
    Control,
    Exits,
    Inner,
    Callables,
    Generators,
    Objects,
    Containers,
    Lists,
    Arrays,
    Buffers,
    Expressions,
):
    """Draws one program: each base class draws one kind of syntax."""

    def __init__(self, seed: int, weights: dict[str, float] | None = None) -> None:
        super().__init__(seed, WEIGHTS | (weights or {}))


def generate(seed: int, weights: dict[str, float] | None = None) -> str:
    """The program of a seed, as text."""
    return Generator(seed, weights).program()
