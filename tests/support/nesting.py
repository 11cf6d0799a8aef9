"""Second derivatives of programs: in every order of the modes, against differences of the first."""

import itertools
import linecache

import numpy as np
from support.programs import flat, leaves, moved

import adjoint as ad


def second_order(program, position, rtol=2e-5, atol=2e-6):
    """Derivatives of a weighted sum of a program's gradient by one argument are right."""
    first = ad.grad(program.fn, argnums=position)
    gradient = first(*program.arguments())
    rng = np.random.default_rng(flat(gradient).size)
    weights = [rng.normal(size=np.shape(leaf)) for leaf in leaves(gradient)]
    flat_weights = np.concatenate([np.ravel(w) for w in weights] or [[]])
    weighted = weighted_sum(first, gradient, weights, len(program.args))

    got = flat(ad.grad(weighted, argnums=position)(*program.arguments()))
    numerical = np.zeros(got.size)
    for k in range(numerical.size):
        ends = []
        for sign in (1, -1):
            args = program.arguments()
            step = np.zeros(numerical.size)
            step[k] = sign * 1e-6
            args[position] = moved(args[position], iter(step))
            ends.append(flat(first(*args)) @ flat_weights)
        numerical[k] = (ends[0] - ends[1]) / 2e-6
    scale = max(1.0, np.abs(numerical).max(initial=0))
    np.testing.assert_allclose(got, numerical, rtol=rtol, atol=atol * scale)
    exact = {"rtol": 1e-6, "atol": 1e-8 * scale}

    # Forward mode through the reverse mode inside.
    args = program.arguments()
    direction = rng.normal(size=got.size) * movable(args[position])
    tangents = [tangent(a, itertools.repeat(0.0)) for a in args]
    tangents[position] = tangent(args[position], direction)
    _, moves = ad.jvp(weighted, tuple(args), tuple(tangents))
    np.testing.assert_allclose(np.sum(moves), got @ direction, **exact)

    # Reverse mode through the forward mode inside.
    along = tangent(program.arguments()[position], flat_weights, ints=True)
    pushed = pushed_forward(program.fn, position, along, len(program.args))
    again = flat(ad.grad(pushed, argnums=position)(*program.arguments()))
    np.testing.assert_allclose(again, got, **exact)


def tangent(value, step, ints=False):
    """A tangent of the form of `value`, with the numbers of `step`; None for what cannot move.

    `ints`: they stand for floats.
    """
    step = iter(step)

    def fill(v):
        if isinstance(v, dict):
            return {k: fill(part) for k, part in v.items()}
        if isinstance(v, tuple) and hasattr(v, "_fields"):
            return type(v)(*map(fill, v))
        if isinstance(v, (list, tuple)):
            return type(v)(map(fill, v))
        if isinstance(v, np.ndarray) and v.dtype.kind == "f":
            return np.array([next(step) for _ in range(v.size)]).reshape(v.shape)
        if type(v) is int:
            move = next(step)  # it has a place among the numbers
            return move if ints else None
        return float(next(step)) if isinstance(v, (float, np.floating)) else None

    return fill(value)


def movable(value):
    """For each number of a value, whether it can move: ints count as constants."""
    parts = [np.full(np.size(leaf), type(leaf) is not int) for leaf in leaves(value)]
    return np.concatenate([*parts, np.zeros(0, bool)])


def weighted_sum(gradient_of, example, weights, count):
    """A plain function that adds up the gradient that `gradient_of` gives, with weights."""
    names = ", ".join(f"a{i}" for i in range(count))
    terms = [f"np.sum(weights[{k}] * gradient{path})" for k, path in enumerate(paths(example))] or [
        "0.0"
    ]
    text = (
        f"def weighted({names}):\n"
        f"    gradient = gradient_of({names})\n"
        f"    return {' + '.join(terms)}\n"
    )
    return made("weighted", text, gradient_of=gradient_of, weights=weights)


def pushed_forward(fn, position, direction, count):
    """A plain function that moves one argument of `fn` and gives how the result changes."""
    names = [f"a{i}" for i in range(count)]
    passed = ", ".join("moving" if i == position else n for i, n in enumerate(names))
    text = (
        f"def pushed({', '.join(names)}):\n"
        f"    along = lambda moving: fn({passed})\n"
        f"    value, change = ad.jvp(along, ({names[position]},), (direction,))\n"
        "    return np.sum(change)\n"
    )
    return made("pushed", text, fn=fn, direction=direction)


def made(name, text, **scope):
    """The function that a text defines; its source is found like that of any function."""
    filename = f"<{name} #{len(linecache.cache)}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    scope |= {"np": np, "ad": ad}
    exec(compile(text, filename, "exec"), scope)
    return scope[name]


def paths(value):
    """How to reach each leaf of a container, as the text of an expression."""
    if isinstance(value, dict):
        return [f"[{k!r}]{rest}" for k, v in value.items() for rest in paths(v)]
    if isinstance(value, (list, tuple)):
        return [f"[{i}]{rest}" for i, v in enumerate(value) for rest in paths(v)]
    return [""] * len(leaves(value))
