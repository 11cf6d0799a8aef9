"""The work of convolution and pooling on arrays: one set of forms for each kind of array.

`windows` has the arithmetic of windows (how many there are, where they begin), `arrays` the form in
plain array code, which serves CuPy and what works like it. For NumPy arrays there is `numpy_`, and,
where Numba is installed, `numba_`, which is imported at the first call. `form` says which of the
two is used: "numpy", "numba" or None, for the faster one that there is. It is the value of the
environment variable ADJOINT_KERNELS at first.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np

from ...runtime.modules import module_of
from . import arrays, numpy_

form: str | None = os.environ.get("ADJOINT_KERNELS") or None

_COMPILED = frozenset("fdBl")  # what the arrays of a compiled loop may be of


def of(*values: Any) -> Any:
    """The form of the kernels for these arrays: a module with the functions of `arrays`."""
    if not all(type(v) is np.ndarray for v in values) and module_of(*values).__name__ != "numpy":
        return arrays
    if form == "numpy" or (form is None and not _has_numba()):
        return numpy_
    kinds = {v.dtype.char for v in values}
    if not kinds <= _COMPILED or {"f", "d"} <= kinds:
        return numpy_  # mixed or unusual types: as NumPy has them
    return _with_numba()


@functools.cache
def _with_numba() -> Any:
    from . import numba_

    return numba_


@functools.cache
def _has_numba() -> bool:
    """Whether Numba can be imported, with this version of NumPy."""
    try:
        import numba  # noqa: F401

        _with_numba()
    except ImportError:
        return False
    return True
