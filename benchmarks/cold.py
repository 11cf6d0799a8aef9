"""The first calls of derivatives in a new process. Prints seconds as JSON.

`benchmarks.startup` runs it: `python -m benchmarks.cold`.
"""

import inspect
import json
import linecache
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np

import adjoint as ad


def first_loss(params, x, labels):
    hidden = np.tanh(x @ params["w1"] + params["b1"])
    logits = hidden @ params["w2"] + params["b2"]
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_sums = np.log(np.sum(np.exp(shifted), axis=1))
    picked = shifted[np.arange(len(labels)), labels]
    data = np.mean(log_sums - picked)
    size_w1 = np.sum(params["w1"] ** 2)
    size_w2 = np.sum(params["w2"] ** 2)
    return data + 0.001 * (size_w1 + size_w2)


def second_loss(params, x, labels):
    hidden = np.tanh(x @ params["w1"] + params["b1"])
    hidden = np.tanh(hidden * 0.5 + params["b1"])
    scores = np.exp(0.1 * (hidden @ params["w2"]) - params["b2"])
    best = np.max(scores, axis=1)
    chosen = scores[np.arange(len(labels)), labels]
    margin = np.log(np.sum(scores, axis=1)) - chosen
    roughness = np.sum(params["w2"] ** 2)
    spread = np.mean(best - chosen)
    return np.mean(margin**2) + 0.1 * spread + 0.01 * roughness


def inputs() -> tuple:
    rng = np.random.default_rng(0)
    shapes = {"w1": (6, 5), "b1": (5,), "w2": (5, 3), "b2": (3,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return params, rng.normal(size=(8, 6)), rng.integers(3, size=8)


def copies(function: Callable, count: int) -> list[Callable]:
    """The function again and again, as if each had been typed into a notebook."""
    text = inspect.getsource(function)
    made = []
    for i in range(count):
        name, filename = f"{function.__name__}_{i}", f"<cell {i}>"
        source = text.replace(f"def {function.__name__}(", f"def {name}(")
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        namespace = {"np": np}
        exec(compile(source, filename, "exec"), namespace)
        made.append(namespace[name])
    return made


def first_call(function: Callable, args: tuple) -> float:
    begin = perf_counter()
    ad.grad(function)(*args)
    return perf_counter() - begin


def main() -> None:
    args = inputs()
    for loss in (first_loss, second_loss):
        loss(*args)  # what NumPy does at its own first call is not what we are after
    times = {
        "first": first_call(first_loss, args),
        "second": first_call(second_loss, args),
        "fresh": median(first_call(function, args) for function in copies(first_loss, 5)),
    }
    print(json.dumps(times))


if __name__ == "__main__":
    main()
