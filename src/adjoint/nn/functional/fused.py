"""Several steps of a network in one: what the compiler writes for chains of them.

A convolution's result is several times as large as what a pooling leaves of it. In one step it is
never stored as a whole. Nor is its cotangent, which is 0 but for one element of each window: the
functions whose names begin with `picked` are the convolution and its transposes at these elements.

The options of the pooling are `kernel_size`, `pool_stride` and `pool_padding`; the others are those
of the convolution.
"""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..kernels.windows import Windows
from .convolution import check_bias, windows_of_images
from .pooling import windows_of_pooling


def conv2d_relu_max_pool2d(
    x: Any,
    weight: Any,
    bias: Any,
    kernel_size: Any,
    pool_stride: Any = None,
    pool_padding: Any = 0,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> tuple[Any, Any]:
    """max_pool2d(relu(conv2d(x, weight, bias))), and where in its window each element was.

    The positions are those of max_pool2d_with_positions(conv2d(x, weight)). Raises ValueError for
    shapes that do not fit.

    >>> import numpy as np
    >>> image = np.array([[[[1.0, 5.0], [7.0, -3.0]]]])
    >>> conv2d_relu_max_pool2d(image, np.ones((1, 1, 1, 1)), np.array([0.5]), 2)
    (array([[[[7.5]]]]), array([[[[2]]]], dtype=uint8))
    """
    windows, pooling, _ = _windows(
        "conv2d", x.shape, weight.shape, (stride, padding, dilation, groups),
        (kernel_size, pool_stride, pool_padding),
    )  # fmt: skip
    check_bias("conv2d", weight, bias)
    return kernels.of(x, weight).convolve_pool(x, weight, bias, windows, groups, pooling)


def picked_conv2d(
    x: Any,
    weight: Any,
    positions: Any,
    kernel_size: Any,
    pool_stride: Any = None,
    pool_padding: Any = 0,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """pick2d(conv2d(x, weight), positions): of each window, the element at its position.

    >>> import numpy as np
    >>> image = np.array([[[[1.0, 5.0], [7.0, -3.0]]]])
    >>> picked_conv2d(image, np.ones((1, 1, 1, 1)), np.array([[[[1]]]]), 2)
    array([[[[5.]]]])
    """
    windows, pooling, _ = _windows(
        "picked_conv2d", x.shape, weight.shape, (stride, padding, dilation, groups),
        (kernel_size, pool_stride, pool_padding), positions,
    )  # fmt: skip
    form = kernels.of(x, weight, positions)
    return form.convolve_picked(x, weight, positions, windows, groups, pooling)


def picked_conv2d_input(
    input_size: tuple[int, ...],
    weight: Any,
    grad_output: Any,
    positions: Any,
    kernel_size: Any,
    pool_stride: Any = None,
    pool_padding: Any = 0,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The cotangent of x, where grad_output is that of picked_conv2d(x, weight, positions).

    >>> import numpy as np
    >>> d, positions = np.array([[[[3.0]]]]), np.array([[[[1]]]])
    >>> picked_conv2d_input((1, 1, 2, 2), np.full((1, 1, 1, 1), 2.0), d, positions, 2)
    array([[[[0., 6.],
             [0., 0.]]]])
    """
    windows, pooling, size = _windows(
        "picked_conv2d_input", input_size, weight.shape, (stride, padding, dilation, groups),
        (kernel_size, pool_stride, pool_padding), positions, grad_output,
    )  # fmt: skip
    form = kernels.of(weight, grad_output, positions)
    return form.convolve_picked_input(
        grad_output, positions, weight, tuple(input_size), windows, groups, pooling, size
    )


def picked_conv2d_weight(
    input: Any,
    weight_size: tuple[int, ...],
    grad_output: Any,
    positions: Any,
    kernel_size: Any,
    pool_stride: Any = None,
    pool_padding: Any = 0,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The cotangent of weight, if grad_output is that of picked_conv2d(input, weight, positions).

    >>> import numpy as np
    >>> image = np.array([[[[1.0, 5.0], [7.0, -3.0]]]])
    >>> d, positions = np.array([[[[3.0]]]]), np.array([[[[1]]]])
    >>> picked_conv2d_weight(image, (1, 1, 1, 1), d, positions, 2)
    array([[[[15.]]]])
    """
    windows, pooling, size = _windows(
        "picked_conv2d_weight", input.shape, weight_size, (stride, padding, dilation, groups),
        (kernel_size, pool_stride, pool_padding), positions, grad_output,
    )  # fmt: skip
    form = kernels.of(input, grad_output, positions)
    return form.convolve_picked_weight(
        input, grad_output, positions, tuple(weight_size), windows, groups, pooling, size
    )


def _windows(
    function: str, x: Any, weight: Any, options: Any, pool: Any, *results: Any
) -> tuple[Windows, Windows, Any]:
    """The windows of both steps and the shape between them, if the results have their shape."""
    stride, padding, dilation, groups = options
    windows = windows_of_images(function, x, weight, stride, padding, dilation, groups)
    size = (x[0], weight[0], *windows.count((x[2], x[3])))
    pooling = windows_of_pooling("max_pool2d", size, *pool)
    expected = (*size[:2], *pooling.count(size[2:]))
    for result in results:
        if tuple(result.shape) != expected:
            raise ValueError(
                f"{function}: expected an array of shape {expected} for the windows of x of shape "
                f"{tuple(x)} and weight of shape {tuple(weight)}; got {tuple(result.shape)}"
            )
    return windows, pooling, size
