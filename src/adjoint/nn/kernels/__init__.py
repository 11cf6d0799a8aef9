"""The work of convolution and pooling on arrays: one set of forms for each kind of array.

`windows` has the arithmetic of windows (how many there are, where they begin), `arrays` the form in
plain array code, which serves NumPy, CuPy and what works like them.
"""

from typing import Any

from . import arrays


def of(*values: Any) -> Any:
    """The form of the kernels for these arrays: a module with the functions of `arrays`."""
    return arrays
