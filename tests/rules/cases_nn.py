"""Rows of the table of cases: convolution, pooling and activation functions."""

from adjoint.nn.functional import activations, cells, convolution, fused, pooling

from .case import case
from .domains import Literal, distinct, far_from_zero, ints

ACTIVATIONS = [
    case(activations.relu, far_from_zero(2, 3)),
    case(activations.elu, far_from_zero(2, 3), alpha=[1.0, 0.3]),
    *(case(f, (2, 3)) for f in (activations.sigmoid, activations.normal_cdf)),
    case(activations.softmax, (2, 3), dim=[-1, 0]),
    case(activations.log_softmax, (2, 3), dim=[-1, 0]),
]

CELLS = [
    case(cells.lstm_cell, (2, 12), (2, 12), (2, 3)),
    case(cells.lstm_cell_backward, (2, 12), (2, 3), (2, 3), (2, 3), (2, 3)),
]

OPTIONS = [
    {},
    dict(stride=2),
    dict(stride=Literal((2, 1)), padding=1),
    dict(padding=Literal((2, 1)), dilation=Literal((1, 2))),
    dict(padding="same"),
    dict(padding="valid", dilation=2),
]
# What these options make of images of 6 rows and 5 columns, with filters of 3 and 2.
SIZES = [(4, 4), (2, 2), (3, 6), (8, 5), (6, 5), (2, 3)]

CONVOLUTION = [
    *(case(convolution.conv2d, (2, 4, 6, 5), (6, 4, 3, 2), **o) for o in OPTIONS),
    *(case(convolution.conv2d, (2, 4, 6, 5), (6, 4, 3, 2), (6,), **o) for o in OPTIONS),
    case(convolution.conv2d, (2, 4, 6, 5), (6, 2, 3, 2), (6,), groups=2, padding=1),
    case(convolution.conv2d, (2, 4, 6, 5), (6, 2, 3, 2), None, groups=2),
    *(
        case(convolution.conv2d_input, Literal((2, 4, 6, 5)), (6, 4, 3, 2), (2, 6, *size), **o)
        for size, o in zip(SIZES, OPTIONS)
    ),
    case(convolution.conv2d_input, Literal((2, 4, 6, 5)), (6, 2, 3, 2), (2, 6, 4, 4), groups=2),
    *(
        case(convolution.conv2d_weight, (2, 4, 6, 5), Literal((6, 4, 3, 2)), (2, 6, *size), **o)
        for size, o in zip(SIZES, OPTIONS)
    ),
    case(convolution.conv2d_weight, (2, 4, 6, 5), Literal((6, 2, 3, 2)), (2, 6, 4, 4), groups=2),
]

WINDOWS = [
    (dict(kernel_size=2), (3, 2), 4),
    (dict(kernel_size=Literal((3, 2)), stride=1), (4, 4), 6),
    (dict(kernel_size=3, stride=Literal((2, 1)), padding=1), (3, 5), 9),
]

POOLING = [
    *(
        case(pooling.max_pool2d_with_positions, distinct(2, 3, 6, 5), **options)
        for options, _, _ in WINDOWS
    ),
    *(
        case(pooling.pick2d, (2, 3, 6, 5), ints(count, 2, 3, *size), **options)
        for options, size, count in WINDOWS
    ),
    *(
        case(
            pooling.unpick2d, (2, 3, *size), ints(count, 2, 3, *size), Literal((2, 3, 6, 5)),
            **options,
        )
        for options, size, count in WINDOWS
    ),
    *(
        case(pooling.avg_pool2d, (2, 3, 6, 5), **options, count_include_pad=[True, False])
        for options, _, _ in WINDOWS
    ),
    *(
        case(
            pooling.avg_pool2d_input, (2, 3, *size), Literal((2, 3, 6, 5)), **options,
            count_include_pad=[True, False],
        )
        for options, size, _ in WINDOWS
    ),
]  # fmt: skip

# The convolution's options, the pooling's, and the sizes between them and after them.
CHAINS = [
    ({}, dict(kernel_size=2), (2, 2)),
    (dict(padding=1, stride=Literal((1, 2))), dict(kernel_size=3, pool_stride=1), (4, 1)),
    (dict(padding=1, dilation=Literal((1, 2))),
     dict(kernel_size=2, pool_padding=1, pool_stride=2), (4, 3)),
]  # fmt: skip
PICKED = [
    row
    for options, pool, size in CHAINS
    for row in (
        case(fused.picked_conv2d, (2, 4, 6, 5), (6, 4, 3, 2), ints(4, 2, 6, *size),
             **pool, **options),
        case(fused.picked_conv2d_input, Literal((2, 4, 6, 5)), (6, 4, 3, 2), (2, 6, *size),
             ints(4, 2, 6, *size), **pool, **options),
        case(fused.picked_conv2d_weight, (2, 4, 6, 5), Literal((6, 4, 3, 2)), (2, 6, *size),
             ints(4, 2, 6, *size), **pool, **options),
    )
]  # fmt: skip
GROUPED = [
    case(fused.picked_conv2d, (2, 4, 6, 5), (6, 2, 3, 2), ints(4, 2, 6, 2, 2), 2, groups=2),
    case(fused.picked_conv2d_input, Literal((2, 4, 6, 5)), (6, 2, 3, 2), (2, 6, 2, 2),
         ints(4, 2, 6, 2, 2), 2, groups=2),
    case(fused.picked_conv2d_weight, (2, 4, 6, 5), Literal((6, 2, 3, 2)), (2, 6, 2, 2),
         ints(4, 2, 6, 2, 2), 2, groups=2),
    case(fused.conv2d_relu_max_pool2d, (2, 4, 6, 5), (6, 2, 3, 2), None, 2, groups=2),
]  # fmt: skip
FUSED = [
    *PICKED,
    *GROUPED,
    *(
        case(fused.conv2d_relu_max_pool2d, (2, 4, 6, 5), (6, 4, 3, 2), bias, **pool, **options)
        for bias in ((6,), None)
        for options, pool, _ in CHAINS
    ),
    case(fused.conv2d_relu_max_pool2d, (2, 4, 6, 5), (6, 2, 3, 2), (6,), 2, groups=2),
]
