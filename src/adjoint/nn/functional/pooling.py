"""Pooling of images: one number for each window, the largest or the mean.

The arguments are named and laid out as in torch.nn.functional: images are arrays (N, C, H, W).
`kernel_size`, `stride` and `padding` are an int or two, for rows and columns.

`max_pool2d` is made of two steps: where the largest element of each window is, and what stands
there. The derivative is by the second alone, with the places held fixed (Danskin's theorem). So at
ties the first of the largest elements, row by row, takes the whole cotangent, as in PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..kernels.windows import Windows, pair
from .convolution import positive


def max_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Any:
    """The largest element of each window of the images x, of shape (N, C, H, W): (N, C, H', W').

    kernel_size: the rows and columns of a window, an int or two.
    stride: how far windows are apart; kernel_size, if it is None.
    padding: at most half of kernel_size. It counts as -inf.

    H' = (H + 2 * padding - kernel_size) // stride + 1, and so is W'. The dtype is that of x; nan
    counts as the largest. At ties, the derivative by the first of the largest elements is 1, and
    by the others 0. Raises ValueError for shapes that do not fit.

    >>> import numpy as np
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    >>> max_pool2d(np.ones((1, 1, 2, 2)), 3)
    Traceback (most recent call last):
    ...
    ValueError: max_pool2d: expected x of at least (3, 3) rows and columns with its padding, for \
kernel_size=3; got x of shape (1, 1, 2, 2) and padding=0
    """
    pooled, positions = max_pool2d_with_positions(x, kernel_size, stride, padding)
    return pooled


def max_pool2d_with_positions(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0
) -> tuple[Any, Any]:
    """What `max_pool2d` returns, and where in its window each of these elements was found.

    A position is an int: in a window of 2 rows and 3 columns it is 4 in the second row and the
    second column. (torch.nn.functional.max_pool2d_with_indices has places in the image instead.)

    >>> import numpy as np
    >>> max_pool2d_with_positions(np.array([[[[1.0, 5.0], [5.0, 0.0]]]]), 2)
    (array([[[[5.]]]]), array([[[[1]]]], dtype=uint8))
    """
    windows = windows_of_pooling("max_pool2d", x.shape, kernel_size, stride, padding)
    return kernels.of(x).max_pool(x, windows)


def pick2d(x: Any, positions: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Any:
    """The element of each window of the images x that stands at its position.

    >>> import numpy as np
    >>> pick2d(np.array([[[[1.0, 5.0], [5.0, 0.0]]]]), np.array([[[[2]]]]), 2)
    array([[[[5.]]]])
    """
    windows = windows_of_pooling("pick2d", x.shape, kernel_size, stride, padding)
    _check_result("pick2d", windows, x.shape, positions)
    return kernels.of(x, positions).pick(x, positions, windows)


def unpick2d(
    grad_output: Any,
    positions: Any,
    input_size: tuple[int, ...],
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
) -> Any:
    """Zeros of shape input_size, with each number added to its window at its position.

    This is the cotangent of x, where grad_output is that of pick2d(x, positions, ...), and so that
    of max_pool2d(x, ...).

    >>> import numpy as np
    >>> unpick2d(np.array([[[[7.0]]]]), np.array([[[[2]]]]), (1, 1, 2, 2), 2)
    array([[[[0., 0.],
             [7., 0.]]]])
    """
    windows = windows_of_pooling("unpick2d", input_size, kernel_size, stride, padding)
    _check_result("unpick2d", windows, input_size, positions)
    _check_result("unpick2d", windows, input_size, grad_output)
    return kernels.of(grad_output, positions).put(grad_output, positions, input_size, windows)


def avg_pool2d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window of the images x, of shape (N, C, H, W): an array (N, C, H', W').

    kernel_size: the rows and columns of a window, an int or two.
    stride: how far windows are apart; kernel_size, if it is None.
    padding: at most half of kernel_size. It counts as 0.
    count_include_pad: whether the mean is over padding too.

    H' = (H + 2 * padding - kernel_size) // stride + 1, and so is W'. The dtype is that of x. Raises
    ValueError for shapes that do not fit.

    >>> import numpy as np
    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """
    windows = windows_of_pooling("avg_pool2d", x.shape, kernel_size, stride, padding)
    form = kernels.of(x)
    return _over_counts(form, form.window_sums(x, windows), x.shape, windows, count_include_pad)


def avg_pool2d_input(
    grad_output: Any,
    input_size: tuple[int, ...],
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    count_include_pad: bool = True,
) -> Any:
    """The cotangent of x, of shape input_size, where grad_output is that of avg_pool2d(x, ...).

    >>> import numpy as np
    >>> avg_pool2d_input(np.array([[[[8.0]]]]), (1, 1, 2, 2), 2)
    array([[[[2., 2.],
             [2., 2.]]]])
    """
    windows = windows_of_pooling("avg_pool2d_input", input_size, kernel_size, stride, padding)
    _check_result("avg_pool2d_input", windows, input_size, grad_output)
    form = kernels.of(grad_output)
    shares = _over_counts(form, grad_output, input_size, windows, count_include_pad)
    return form.spread(shares, input_size, windows)


def _over_counts(form: Any, d: Any, size: Any, windows: Windows, count_include_pad: bool) -> Any:
    """d, each number over the count of elements in its window."""
    if count_include_pad or not windows.padded:
        return d / (windows.kernel[0] * windows.kernel[1])
    seen = [windows.seen(position, (size[2], size[3])) for position in windows.positions()]
    counts = np.zeros(d.shape[2:], dtype=int)
    for which, _ in seen:
        counts[which] += 1
    return d / form.asarray_like(counts, d)


def windows_of_pooling(
    function: str, x: Any, kernel_size: Any, stride: Any, padding: Any
) -> Windows:
    """The windows of pooling, if images of this shape fit."""
    x = tuple(x)
    if len(x) != 4:
        raise ValueError(f"{function}: expected x of shape (N, C, H, W); got {x}")
    kernel = positive(kernel_size, "kernel_size", function)
    strides = kernel if stride is None else positive(stride, "stride", function)
    around = pair(padding, "padding", function)
    if min(around) < 0 or any(2 * p > k for p, k in zip(around, kernel)):
        raise ValueError(
            f"{function}: expected padding between 0 and half of kernel_size={kernel_size}; got "
            f"{padding!r}"
        )
    windows = Windows(kernel, strides, (1, 1), around, around)
    if min(windows.count((x[2], x[3]))) < 1:
        raise ValueError(
            f"{function}: expected x of at least {windows.extent} rows and columns with its "
            f"padding, for kernel_size={kernel_size}; got x of shape {x} and padding={padding!r}"
        )
    return windows


def _check_result(function: str, windows: Windows, x: Any, d: Any) -> None:
    expected = (x[0], x[1], *windows.count((x[2], x[3])))
    if tuple(d.shape) != expected:
        raise ValueError(
            f"{function}: expected an array of shape {expected} for the windows of images of shape "
            f"{tuple(x)}; got {tuple(d.shape)}"
        )
