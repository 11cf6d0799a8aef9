"""Which of the two forms of a derivative may be made: the typed one, the recorded one.

The typed form is tried first, and the recorded form serves where it is refused. Tests ask for one
of them alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import AdjointError, NoDerivativeError, UnsupportedSyntaxError

BOTH = ("typed", "recorded")

allowed: tuple[str, ...] = BOTH
strict = False  # whether an error of the compiler itself is raised; for its tests


def serves_after(error: Exception) -> bool:
    """Whether the recorded form takes over after the compiler has failed with this error.

    It does after a refusal, and after a failure of the compiler itself: the recorded form is right
    whatever the compiler stumbled over. Errors of the caller's (a wrong argument) are final.
    """
    if "recorded" not in allowed:
        return False
    if isinstance(error, AdjointError):
        return isinstance(error, (UnsupportedSyntaxError, NoDerivativeError))
    return not strict


@contextmanager
def only(*forms: str) -> Iterator[None]:
    """Make derivatives in these forms alone."""
    global allowed
    before = allowed
    allowed = forms
    try:
        yield
    finally:
        allowed = before
