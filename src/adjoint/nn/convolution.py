"""Convolution and pooling of images (N, C, H, W)."""

from __future__ import annotations

from typing import Any

from . import functional as F
from . import init
from .checks import positive_sizes
from .kernels.windows import pair
from .module import Module


class Conv2d(Module):
    """The cross-correlation of images with filters, and a bias for each channel of the result.

    (N, in_channels, H, W) -> (N, out_channels, H', W'); the arguments are those of
    torch.nn.Conv2d, see `F.conv2d`. Weight and bias are drawn evenly from (-1, 1) / sqrt(n), with
    n the numbers that a filter sums up.

    >>> import numpy as np
    >>> from adjoint import nn
    >>> nn.Conv2d(1, 8, 3, padding=1)(np.ones((2, 1, 6, 6), np.float32)).shape
    (2, 8, 6, 6)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        positive_sizes("Conv2d", in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"Conv2d: in_channels and out_channels must be multiples of groups={groups}, "
                f"got {in_channels} and {out_channels}"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair(kernel_size, "kernel_size", "Conv2d")
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        size = (out_channels, in_channels // groups, *self.kernel_size)
        summed = size[1] * size[2] * size[3]
        self.weight = init.fan_in_uniform(size, summed, dtype, generator)
        self.bias = None
        if bias:
            self.bias = init.fan_in_uniform((out_channels,), summed, dtype, generator)

    def forward(self, x: Any) -> Any:
        channels = self.in_channels if self.groups > 1 else self.weight.shape[1]
        if x.ndim != 4 or x.shape[1] != channels:
            raise ValueError(
                f"{self!r}: expected x of shape (N, {self.in_channels}, H, W), got {x.shape}"
            )
        return F.conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        for name, default in (("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1)):
            value = getattr(self, name)
            text += "" if value == default else f", {name}={value}"
        return text + ("" if self.bias is not None else ", bias=False")


class MaxPool2d(Module):
    """The largest element of each window; see `F.max_pool2d`."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding

    def forward(self, x: Any) -> Any:
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The mean of each window; see `F.avg_pool2d`."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.count_include_pad = count_include_pad

    def forward(self, x: Any) -> Any:
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
