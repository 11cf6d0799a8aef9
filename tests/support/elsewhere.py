"""Functions in a file of their own: errors in them name this file."""

import numpy as np


def product(a, b):
    c = a + 1
    return c @ b  # the line that fails


def outer(a, b):
    return np.sum(product(a, b))


def with_try(x):
    try:
        return x * x
    except ValueError:
        return x
