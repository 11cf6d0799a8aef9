"""The work of convolution and pooling on arrays: one set of forms for each kind of array.

`windows` has the arithmetic of windows (how many there are, where they begin), `arrays` the form in
plain array code, which serves NumPy, CuPy and what works like them.
"""

from typing import Any

from ...runtime.modules import module_of
from . import arrays, numpy_


def of(*values: Any) -> Any:
    """The form of the kernels for these arrays: a module with the functions of `arrays`."""
    return numpy_ if module_of(*values).__name__ == "numpy" else arrays
