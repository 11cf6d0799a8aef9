"""The work of convolution and pooling on arrays: one set of forms for each kind of array.

`windows` has the arithmetic of windows (how many there are, where they begin), `arrays` the form in
plain array code, which serves CuPy and what works like it. For NumPy arrays there is `numpy_`, and,
where Numba is installed, `numba_`, which is imported at the first call. `form` says which of the
two is used: "numpy", "numba" or None, for the faster one that there is. It is the value of the
environment variable ADJOINT_KERNELS at first.
"""

from __future__ import annotations

import os
from typing import Any

from ...runtime.modules import module_of
from . import arrays, numpy_

form: str | None = os.environ.get("ADJOINT_KERNELS") or None

_COMPILED = frozenset("fdBl")  # what the arrays of a compiled loop may be of


def of(*values: Any) -> Any:
    """The form of the kernels for these arrays: a module with the functions of `arrays`."""
    if module_of(*values).__name__ != "numpy":
        return arrays
    if form == "numpy" or (form is None and not _has_numba()):
        return numpy_
    kinds = {v.dtype.char for v in values}
    if not kinds <= _COMPILED or {"f", "d"} <= kinds:
        return numpy_  # mixed or unusual types: as NumPy has them
    from . import numba_

    return numba_


_found: bool | None = None


def _has_numba() -> bool:
    """Whether Numba can be imported, with this version of NumPy."""
    global _found
    if _found is None:
        try:
            import numba  # noqa: F401

            from . import numba_  # noqa: F401

            _found = True
        except ImportError:
            _found = False
    return _found
