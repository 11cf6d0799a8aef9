"""Convolution of images, and its two transposes: by the images and by the filters.

The arguments are named and laid out as in torch.nn.functional and torch.nn.grad: images are arrays
(N, C, H, W), filters are (O, C / groups, h, w). Sizes follow Dumoulin and Visin, "A guide to
convolution arithmetic for deep learning" (2016); the transposes are those of Goodfellow, Bengio and
Courville, "Deep Learning" (2016), section 9.5.

`stride` and `dilation` are an int or two, for rows and columns. `padding` is that, or "valid",
which is none, or "same", which leaves the size of the image as it is.
"""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..kernels.windows import Pair, Windows, pair


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The images x, of shape (N, C, H, W), convolved with filters: an array (N, O, H', W').

    weight: shape (O, C / groups, h, w). It is not turned round: this is a correlation.
    bias: shape (O,), added to what each filter gives.
    stride: how far windows are apart, an int or two.
    padding: rows and columns of zeros on each side, an int or two, "same" or "valid".
    dilation: how far the elements of a window are apart, an int or two.
    groups: the channels are divided in so many groups, each with its own O / groups filters.

    H' = (H + 2 * padding - dilation * (h - 1) - 1) // stride + 1, and so is W'. The dtype is that
    of x, weight and bias together: float32 stays float32. Raises ValueError for shapes that do not
    fit.

    >>> import numpy as np
    >>> image = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d(image, np.ones((1, 1, 2, 2)))
    array([[[[ 8., 12.],
             [20., 24.]]]])
    >>> conv2d(image, np.ones((4, 1, 3, 3)), padding="same").shape
    (1, 4, 3, 3)
    >>> conv2d(image, np.ones((4, 2, 3, 3)))
    Traceback (most recent call last):
    ...
    ValueError: conv2d: expected weight of shape (O, 1, h, w), O divisible by groups=1, for x of \
shape (1, 1, 3, 3); got (4, 2, 3, 3)
    """
    windows = windows_of_images("conv2d", x.shape, weight.shape, stride, padding, dilation, groups)
    check_bias("conv2d", weight, bias)
    return kernels.of(x, weight).convolve(x, weight, bias, windows, groups)


def conv2d_input(
    input_size: tuple[int, ...],
    weight: Any,
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The cotangent of the images of a convolution, of shape input_size.

    grad_output: the cotangent of conv2d(x, weight, None, stride, padding, dilation, groups), where
        x has the shape input_size. Raises ValueError where it has not the shape of that.

    >>> import numpy as np
    >>> conv2d_input((1, 1, 2, 3), np.array([[[[1.0, 2.0]]]]), np.ones((1, 1, 2, 2)))
    array([[[[1., 3., 2.],
             [1., 3., 2.]]]])
    """
    windows = windows_of_images(
        "conv2d_input", input_size, weight.shape, stride, padding, dilation, groups
    )
    _check_result("conv2d_input", windows, input_size, weight.shape, grad_output)
    return kernels.of(weight, grad_output).convolve_input(
        grad_output, weight, input_size, windows, groups
    )


def conv2d_weight(
    input: Any,
    weight_size: tuple[int, ...],
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The cotangent of the filters of a convolution, of shape weight_size.

    grad_output: the cotangent of conv2d(input, weight, None, stride, padding, dilation, groups),
        where weight has the shape weight_size. Raises ValueError where it has not the shape of
        that.

    >>> import numpy as np
    >>> image = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d_weight(image, (1, 1, 2, 2), np.ones((1, 1, 2, 2)))
    array([[[[ 8., 12.],
             [20., 24.]]]])
    """
    windows = windows_of_images(
        "conv2d_weight", input.shape, weight_size, stride, padding, dilation, groups
    )
    _check_result("conv2d_weight", windows, input.shape, weight_size, grad_output)
    return kernels.of(input, grad_output).convolve_weight(
        input, grad_output, weight_size, windows, groups
    )


def windows_of_images(
    function: str, x: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Windows:
    """The windows of a convolution, if images and filters of these shapes fit."""
    x, weight = tuple(x), tuple(weight)
    if len(x) != 4:
        raise ValueError(f"{function}: expected x of shape (N, C, H, W); got {x}")
    if not hasattr(groups, "__index__") or groups < 1 or x[1] % groups:
        raise ValueError(
            f"{function}: expected groups that divide the {x[1]} channels of x of shape {x}; got "
            f"groups={groups!r}"
        )
    if len(weight) != 4 or weight[1] * groups != x[1] or weight[0] % groups:
        raise ValueError(
            f"{function}: expected weight of shape (O, {x[1] // groups}, h, w), O divisible by "
            f"groups={groups}, for x of shape {x}; got {weight}"
        )
    windows = windows_of_convolution(function, weight[2:], stride, padding, dilation)
    if min(windows.kernel) < 1 or min(windows.count(x[2:])) < 1:
        raise ValueError(
            f"{function}: expected x of at least {windows.extent} rows and columns with its "
            f"padding, for weight of shape {weight} and dilation={dilation}; got x of shape {x} "
            f"and padding={padding!r}"
        )
    return windows


def check_bias(function: str, weight: Any, bias: Any) -> None:
    """Refuse a bias that has not one number for each filter."""
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise ValueError(
            f"{function}: expected bias of shape ({weight.shape[0]},), one for each of the filters "
            f"of shape {tuple(weight.shape)}; got {tuple(bias.shape)}"
        )


def windows_of_convolution(
    function: str, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> Windows:
    """The windows that the options of a convolution describe."""
    strides = positive(stride, "stride", function)
    dilations = positive(dilation, "dilation", function)
    before, after = _padding(function, padding, kernel, strides, dilations)
    return Windows((kernel[0], kernel[1]), strides, dilations, before, after)


def _padding(
    function: str, padding: Any, kernel: Any, stride: Pair, dilation: Pair
) -> tuple[Pair, Pair]:
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f'{function}: padding="same" is for stride=1; got stride={stride}')
        whole = [d * (k - 1) for d, k in zip(dilation, kernel)]
        before = (whole[0] // 2, whole[1] // 2)
        return before, (whole[0] - before[0], whole[1] - before[1])
    if isinstance(padding, str):
        raise ValueError(f'{function}: padding is "same", "valid" or numbers, not {padding!r}')
    before = pair(padding, "padding", function)
    if min(before) < 0:
        raise ValueError(f"{function}: expected padding of 0 or more; got {padding!r}")
    return before, before


def positive(value: Any, name: str, function: str) -> Pair:
    """An option of windows as two, if both are 1 or more."""
    both = pair(value, name, function)
    if min(both) < 1:
        raise ValueError(f"{function}: expected {name} of 1 or more; got {value!r}")
    return both


def _check_result(function: str, windows: Windows, x: Any, weight: Any, d: Any) -> None:
    expected = (x[0], weight[0], *windows.count(tuple(x[2:])))
    if tuple(d.shape) != expected:
        raise ValueError(
            f"{function}: expected grad_output of shape {expected}, for x of shape {tuple(x)} and "
            f"weight of shape {tuple(weight)}; got {tuple(d.shape)}"
        )
