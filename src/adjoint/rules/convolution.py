"""Convolution and pooling of images. All but the choice of a largest element is linear.

Each function's derivative is made of the others, so it has a derivative in turn. Sizes do not
follow from types, in which they are symbols: `typed_by` says what is known of the results.
"""

import numpy as np

from ..core import Const, Var
from ..infer import constant, dims_from, typed_by
from ..nn.functional.convolution import conv2d, conv2d_input, conv2d_weight
from ..nn.functional.fused import (
    conv2d_relu_max_pool2d,
    picked_conv2d,
    picked_conv2d_input,
    picked_conv2d_weight,
)
from ..nn.functional.pooling import (
    avg_pool2d,
    avg_pool2d_input,
    max_pool2d_with_positions,
    pick2d,
    unpick2d,
)
from ..nn.kernels.arrays import dtype_of_positions
from ..types import Array, Tuple
from .helpers import inline
from .template import d, rule


@inline
def by_channel(bias):
    """Numbers, one for each channel, as they are added to images."""
    return np.reshape(bias, (-1, 1, 1))


@rule(conv2d, when=lambda bias: bias is None)
def conv2d_plain(z, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Goodfellow, Bengio and Courville (2016), section 9.5."""
    d[z] = conv2d(d[x], weight, None, stride, padding, dilation, groups) + conv2d(
        x, d[weight], None, stride, padding, dilation, groups
    )
    d[x] += conv2d_input(x.shape, weight, d[z], stride, padding, dilation, groups)
    d[weight] += conv2d_weight(x, weight.shape, d[z], stride, padding, dilation, groups)


@rule(conv2d)
def conv2d_biased(z, x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    d[z] = (
        conv2d(d[x], weight, None, stride, padding, dilation, groups)
        + conv2d(x, d[weight], None, stride, padding, dilation, groups)
        + by_channel(d[bias])
    )
    d[x] += conv2d_input(x.shape, weight, d[z], stride, padding, dilation, groups)
    d[weight] += conv2d_weight(x, weight.shape, d[z], stride, padding, dilation, groups)
    d[bias] += np.sum(d[z], axis=(0, 2, 3))


@rule(conv2d_input)
def conv2d_input_rule(
    z, input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1
):
    d[z] = conv2d_input(
        input_size, d[weight], grad_output, stride, padding, dilation, groups
    ) + conv2d_input(input_size, weight, d[grad_output], stride, padding, dilation, groups)
    d[weight] += conv2d_weight(d[z], weight.shape, grad_output, stride, padding, dilation, groups)
    d[grad_output] += conv2d(d[z], weight, None, stride, padding, dilation, groups)


@rule(conv2d_weight)
def conv2d_weight_rule(
    z, input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1
):
    d[z] = conv2d_weight(
        d[input], weight_size, grad_output, stride, padding, dilation, groups
    ) + conv2d_weight(input, weight_size, d[grad_output], stride, padding, dilation, groups)
    d[input] += conv2d_input(input.shape, d[z], grad_output, stride, padding, dilation, groups)
    d[grad_output] += conv2d(input, d[z], None, stride, padding, dilation, groups)


@rule(max_pool2d_with_positions)
def max_pool2d(z, x, kernel_size, stride=None, padding=0):
    """At ties the first of the largest elements takes the whole cotangent."""
    d[z] = (pick2d(d[x], z[1], kernel_size, stride, padding), np.zeros_like(z[1]))
    d[x] += unpick2d(d[z][0], z[1], x.shape, kernel_size, stride, padding)


@rule(pick2d)
def pick2d_rule(z, x, positions, kernel_size, stride=None, padding=0):
    d[z] = pick2d(d[x], positions, kernel_size, stride, padding)
    d[x] += unpick2d(d[z], positions, x.shape, kernel_size, stride, padding)


@rule(unpick2d)
def unpick2d_rule(z, grad_output, positions, input_size, kernel_size, stride=None, padding=0):
    d[z] = unpick2d(d[grad_output], positions, input_size, kernel_size, stride, padding)
    d[grad_output] += pick2d(d[z], positions, kernel_size, stride, padding)


@rule(avg_pool2d)
def avg_pool2d_rule(z, x, kernel_size, stride=None, padding=0, count_include_pad=True):
    d[z] = avg_pool2d(d[x], kernel_size, stride, padding, count_include_pad)
    d[x] += avg_pool2d_input(d[z], x.shape, kernel_size, stride, padding, count_include_pad)


@rule(avg_pool2d_input)
def avg_pool2d_input_rule(
    z, grad_output, input_size, kernel_size, stride=None, padding=0, count_include_pad=True
):
    d[z] = avg_pool2d_input(
        d[grad_output], input_size, kernel_size, stride, padding, count_include_pad
    )
    d[grad_output] += avg_pool2d(d[z], kernel_size, stride, padding, count_include_pad)


@rule(conv2d_relu_max_pool2d, when=lambda bias: bias is None)
def conv2d_relu_max_pool2d_plain(
    z, x, weight, bias, kernel_size, pool_stride=None, pool_padding=0,
    stride=1, padding=0, dilation=1, groups=1,
):  # fmt: skip
    """Only what is above 0 has a derivative, at the place where it was found."""
    t = picked_conv2d(
        d[x], weight, z[1], kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    ) + picked_conv2d(
        x, d[weight], z[1], kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip
    d[z] = (np.where(z[0] > 0, t, 0), np.zeros_like(z[1]))

    g = np.where(z[0] > 0, d[z][0], 0)
    d[x] += picked_conv2d_input(
        x.shape, weight, g, z[1], kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip
    d[weight] += picked_conv2d_weight(
        x, weight.shape, g, z[1], kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip


@rule(conv2d_relu_max_pool2d)
def conv2d_relu_max_pool2d_biased(
    z, x, weight, bias, kernel_size, pool_stride=None, pool_padding=0,
    stride=1, padding=0, dilation=1, groups=1,
):  # fmt: skip
    """Only what is above 0 has a derivative, at the place where it was found."""
    t = picked_conv2d(
        d[x], weight, z[1], kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    ) + picked_conv2d(
        x, d[weight], z[1], kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    ) + by_channel(d[bias])  # fmt: skip
    d[z] = (np.where(z[0] > 0, t, 0), np.zeros_like(z[1]))

    g = np.where(z[0] > 0, d[z][0], 0)
    d[x] += picked_conv2d_input(
        x.shape, weight, g, z[1], kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip
    d[weight] += picked_conv2d_weight(
        x, weight.shape, g, z[1], kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip
    d[bias] += np.sum(g, axis=(0, 2, 3))


@rule(picked_conv2d)
def picked_conv2d_rule(
    z, x, weight, positions, kernel_size, pool_stride=None, pool_padding=0,
    stride=1, padding=0, dilation=1, groups=1,
):  # fmt: skip
    d[z] = picked_conv2d(
        d[x], weight, positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    ) + picked_conv2d(
        x, d[weight], positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip
    d[x] += picked_conv2d_input(
        x.shape, weight, d[z], positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip
    d[weight] += picked_conv2d_weight(
        x, weight.shape, d[z], positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip


@rule(picked_conv2d_input)
def picked_conv2d_input_rule(
    z, input_size, weight, grad_output, positions, kernel_size, pool_stride=None, pool_padding=0,
    stride=1, padding=0, dilation=1, groups=1,
):  # fmt: skip
    d[z] = picked_conv2d_input(
        input_size, d[weight], grad_output, positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    ) + picked_conv2d_input(
        input_size, weight, d[grad_output], positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip
    d[weight] += picked_conv2d_weight(
        d[z], weight.shape, grad_output, positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip
    d[grad_output] += picked_conv2d(
        d[z], weight, positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip


@rule(picked_conv2d_weight)
def picked_conv2d_weight_rule(
    z, input, weight_size, grad_output, positions, kernel_size, pool_stride=None, pool_padding=0,
    stride=1, padding=0, dilation=1, groups=1,
):  # fmt: skip
    d[z] = picked_conv2d_weight(
        d[input], weight_size, grad_output, positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    ) + picked_conv2d_weight(
        input, weight_size, d[grad_output], positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip
    d[input] += picked_conv2d_input(
        input.shape, d[z], grad_output, positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip
    d[grad_output] += picked_conv2d(
        input, d[z], positions, kernel_size, pool_stride, pool_padding,
        stride, padding, dilation, groups,
    )  # fmt: skip


# the types of the results


@typed_by(conv2d)
def _conv2d_type(symbols, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    images, filters = _images(x), _images(weight)
    element = _element(x, weight, bias)
    if images is None or filters is None or element is None:
        return None
    dims = _convolved(symbols, images, filters, stride, padding, dilation)
    return Array(element, dims, _module(x, weight))


@typed_by(picked_conv2d)
def _picked_type(symbols, x, weight, positions, *_, **__):
    element, images = _element(x, weight), _images(positions)
    if element is None or images is None:
        return None
    return Array(element, images, _module(x, weight))


@typed_by(picked_conv2d_input)
def _picked_input_type(symbols, input_size, weight, grad_output, *_, **__):
    return _of_shape(symbols, input_size, weight, grad_output)


@typed_by(picked_conv2d_weight)
def _picked_weight_type(symbols, input, weight_size, grad_output, *_, **__):
    return _of_shape(symbols, weight_size, input, grad_output)


def _convolved(symbols, images, filters, stride, padding, dilation):
    """The dimensions of images after a convolution."""
    options = tuple(map(_value, (stride, padding, dilation)))
    sizes = [
        _windows_along(symbols, axis, images[2 + axis], filters[2 + axis], *options)
        for axis in (0, 1)
    ]
    return (images[0], filters[0], *sizes)


@typed_by(conv2d_relu_max_pool2d)
def _fused_type(
    symbols, x, weight, bias, kernel_size, pool_stride=None, pool_padding=0, stride=1, padding=0,
    dilation=1, groups=1,
):  # fmt: skip
    made = _conv2d_type(symbols, x, weight, bias, stride, padding, dilation, groups)
    if made is None:
        return None
    return _max_pool2d_type(symbols, Var("z", made), kernel_size, pool_stride, pool_padding)


@typed_by(conv2d_input)
def _conv2d_input_type(symbols, input_size, weight, grad_output, *_, **__):
    return _of_shape(symbols, input_size, weight, grad_output)


@typed_by(conv2d_weight)
def _conv2d_weight_type(symbols, input, weight_size, grad_output, *_, **__):
    return _of_shape(symbols, weight_size, input, grad_output)


@typed_by(unpick2d)
def _unpick2d_type(symbols, grad_output, positions, input_size, *_, **__):
    return _of_shape(symbols, input_size, grad_output)


@typed_by(avg_pool2d_input)
def _avg_pool2d_input_type(symbols, grad_output, input_size, *_, **__):
    return _of_shape(symbols, input_size, grad_output)


@typed_by(avg_pool2d)
def _avg_pool2d_type(symbols, x, kernel_size, stride=None, padding=0, count_include_pad=True):
    return _pooled(symbols, x, kernel_size, stride, padding)


@typed_by(pick2d)
def _pick2d_type(symbols, x, positions, kernel_size, stride=None, padding=0):
    return _pooled(symbols, x, kernel_size, stride, padding)


@typed_by(max_pool2d_with_positions)
def _max_pool2d_type(symbols, x, kernel_size, stride=None, padding=0):
    pooled = _pooled(symbols, x, kernel_size, stride, padding)
    if pooled is None or not _is_known(kernel_size):
        return None
    element = dtype_of_positions(_value(kernel_size))
    return Tuple((pooled, Array(element, pooled.dims, pooled.module)))


def _pooled(symbols, x, kernel_size, stride, padding):
    """Images after pooling."""
    images, element = _images(x), _element(x)
    if images is None or element is None:
        return None
    kernel, stride, padding = map(_value, (kernel_size, stride, padding))
    stride = kernel if stride is None else stride
    sizes = [
        _windows_along(symbols, axis, images[2 + axis], _along(axis, kernel), stride, padding, 1)
        for axis in (0, 1)
    ]
    return Array(element, (*images[:2], *sizes), _module(x))


def _of_shape(symbols, shape, *operands):
    """An array of a shape that is given, in the dtype of the operands together."""
    dims, element = dims_from(_atom(shape), symbols), _element(*operands)
    if dims is None or element is None:
        return None
    return Array(element, dims, _module(*operands))


def _windows_along(symbols, axis, size, kernel, stride, padding, dilation):
    """How many windows there are along one axis: equal for what is equal."""
    stride, padding, dilation = (_along(axis, o) for o in (stride, padding, dilation))
    if padding == "same":
        return size
    options = (size, kernel, stride, padding, dilation)
    if all(isinstance(n, int) for n in options):
        return max(0, (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1)
    return symbols.derived("windows", *options)


def _along(axis, option):
    return option[axis] if isinstance(option, (tuple, list)) else option


def _images(atom):
    """The dimensions of an array of rank 4."""
    dims = atom.type.dims if isinstance(atom.type, Array) else None
    return dims if dims is not None and len(dims) == 4 else None


def _element(*atoms):
    """The dtype of arrays together, without those that are None."""
    given = [a for a in atoms if _value(a) is not None]
    if not all(isinstance(a.type, Array) for a in given):
        return None
    return np.result_type(*(a.type.element for a in given))


def _module(*atoms):
    return next((a.type.module for a in atoms if a.type.module != "numpy"), "numpy")


def _is_known(atom):
    return not isinstance(atom, Var)


def _value(atom):
    """A constant's value; what is known only at run time is itself."""
    return atom.value if isinstance(atom, Const) else atom


def _atom(shape):
    return shape if isinstance(shape, (Const, Var)) else constant(shape)
