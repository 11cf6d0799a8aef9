"""Runs a case of the table through the compiler, and compares gradients with differences."""

import linecache

import numpy as np

from adjoint.compile import build
from adjoint.pipeline import Request, derive
from adjoint.request import Argument
from adjoint.types import UNKNOWN, Symbols

from .case import MODULES, NAMES


def function_of(text, namespace=MODULES):
    """The function `f` that a text defines, with its source where `inspect` looks for it."""
    filename = f"<case {' '.join(text.split())}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    scope = dict(namespace)
    exec(compile(text, filename, "exec"), scope)
    return scope["f"]


def generic_vjp(fn, count, active):
    """The pair that the compiler makes for `count` arguments of no known type."""
    names = NAMES[:count]
    arguments = [Argument(n, UNKNOWN, i in active) for i, n in enumerate(names)]
    request = Request("vjp", tuple(names[i] for i in active))
    derivative = derive(fn, arguments, request, Symbols(), ", ".join(names))
    return build(derivative.emitted, derivative.guards, fn)


def generic_jvp(fn, count, active):
    """What the compiler makes in forward mode for `count` arguments of no known type."""
    names = NAMES[:count]
    arguments = [Argument(n, UNKNOWN, i in active) for i, n in enumerate(names)]
    request = Request("jvp", tuple(names[i] for i in active))
    derivative = derive(fn, arguments, request, Symbols(), ", ".join(names))
    return build(derivative.emitted, derivative.guards, fn)


def nested(x):
    return isinstance(x, (list, tuple))


def each(change, *trees):
    """`change` of the leaves of structures that are alike."""
    if nested(trees[0]):
        assert len({len(t) for t in trees}) == 1, trees
        made = [each(change, *parts) for parts in zip(*trees)]
        first = type(trees[0])
        return first(*made) if hasattr(first, "_fields") else first(made)
    return change(*trees)


def leaves(tree):
    if nested(tree):
        return [leaf for part in tree for leaf in leaves(part)]
    return [tree]


def random_like(rng, value):
    """A cotangent for a value; zeros for what is neither real nor complex."""

    def one(v):
        v = np.asarray(v)
        if v.dtype.kind not in "fc":
            return np.zeros(v.shape)
        t = rng.normal(size=v.shape)
        if v.dtype.kind == "c":
            t = t + 1j * rng.normal(size=v.shape)
        return np.asarray(t, dtype=v.dtype)

    return each(one, value)


def inner(x, y):
    """The real part of sum(x * y), over structures that are alike."""
    return sum(
        float(np.real(np.sum(np.asarray(a) * np.asarray(b)))) for a, b in zip(leaves(x), leaves(y))
    )


def slope(fn, args, i, direction, cotangent, h=1e-6):
    """The central difference of sum(cotangent * fn(*args)) where argument i moves."""

    def at(step):
        moved = list(args)
        moved[i] = args[i] + step * direction
        return fn(*moved)

    ends = at(h), at(-h)
    return sum(
        float(np.real(np.sum((np.asarray(a) - np.asarray(b)) / (2 * h) * np.asarray(c))))
        for a, b, c in zip(leaves(ends[0]), leaves(ends[1]), leaves(cotangent))
        if np.asarray(a).dtype.kind in "fc"
    )


def assert_same(got, want, rtol=0.0, atol=0.0):
    """Structures alike, and in each place the same dtype, shape and numbers."""
    assert nested(got) == nested(want), (got, want)
    if nested(want):
        assert len(got) == len(want)
        for a, b in zip(got, want):
            assert_same(a, b, rtol, atol)
        return
    assert np.asarray(got).dtype == np.asarray(want).dtype
    assert np.shape(got) == np.shape(want)
    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)


def assert_like(gradient, argument):
    """A gradient has the shape and dtype of its argument, and is a float where that is one."""
    assert np.shape(gradient) == np.shape(argument)
    if isinstance(argument, (float, complex)) and not isinstance(argument, np.generic):
        assert type(gradient) is type(argument)
    else:
        assert gradient.dtype == argument.dtype


def is_summable(case):
    """Whether a case gives real numbers that vary."""
    value = case.call(*case.args(np.random.default_rng(7)))
    return case.active and not nested(value) and np.asarray(value).dtype.kind == "f"


def number_text(case, args, part):
    """The text of a function that returns the sum of the case's value, or its last element."""
    text = case.source_text.rstrip()
    rank = np.ndim(case.call(*args))
    if part == "sum":
        text = text.replace("return ", "return np.sum(") + ")"
    elif rank:
        text = text.replace("return ", "z = ") + f"; return z[{'-1, ' * rank}]"
    return text + "\n"
