"""Second derivatives by reverse mode over reverse mode, against differences of the first."""

import linecache

import numpy as np
from support.programs import flat, leaves, moved

import adjoint as ad


def second_order(program, position, rtol=2e-5, atol=2e-6):
    """The gradient of a weighted sum of a program's gradient by one argument is right."""
    first = ad.grad(program.fn, argnums=position)
    gradient = first(*program.arguments())
    size = flat(gradient).size
    rng = np.random.default_rng(size)
    weights = [rng.normal(size=np.shape(leaf)) for leaf in leaves(gradient)]
    weighted = weighted_sum(first, gradient, weights, len(program.args))

    got = ad.grad(weighted, argnums=position)(*program.arguments())
    flat_weights = np.concatenate([np.ravel(w) for w in weights] or [[]])
    numerical = np.zeros(flat(got).size)
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
    np.testing.assert_allclose(flat(got), numerical, rtol=rtol, atol=atol * scale)
    return weighted


def weighted_sum(gradient_of, example, weights, count):
    """A plain function that adds up the gradient that `gradient_of` gives, with weights."""
    names = [f"a{i}" for i in range(count)]
    terms = [f"np.sum(weights[{k}] * gradient{path})" for k, path in enumerate(paths(example))] or [
        "0.0"
    ]
    text = (
        f"def weighted({', '.join(names)}):\n"
        f"    gradient = gradient_of({', '.join(names)})\n"
        f"    return {' + '.join(terms)}\n"
    )
    filename = f"<weighted gradient of {gradient_of.primal.__name__}, {id(weights)}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    scope = {"np": np, "gradient_of": gradient_of, "weights": weights}
    exec(compile(text, filename, "exec"), scope)
    return scope["weighted"]


def paths(value):
    """How to reach each leaf of a container, as the text of an expression."""
    if isinstance(value, dict):
        return [f"[{k!r}]{rest}" for k, v in value.items() for rest in paths(v)]
    if isinstance(value, (list, tuple)):
        return [f"[{i}]{rest}" for i, v in enumerate(value) for rest in paths(v)]
    return [""] * len(leaves(value))
