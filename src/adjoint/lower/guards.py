"""What compiled code assumes of values outside the function, checked at each call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..core import External
from ..signature import signature_of


@dataclass(frozen=True)
class Guard:
    """`value` is what was found at `where` when the code was compiled.

    kind "identity": the same object; "value": an equal plain constant; "signature": a value that
    has the same types, whose contents are read anew by the generated code.
    """

    where: External
    kind: str
    value: Any

    def expected(self) -> Any:
        return signature_of(self.value) if self.kind == "signature" else self.value
