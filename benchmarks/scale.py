"""How the compiler and its derivatives grow: `python -m benchmarks.scale`.

Compiling is measured in processor time, for functions of many statements that are made for it. The
memory of a loop is the peak of a gradient call, above what was there before, by iteration.
"""

import argparse
import gc
import importlib.util
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

import adjoint as ad
from benchmarks.machine import describe, installed
from benchmarks.report import put_between_markers, table

STATEMENTS = 2000
ITERATIONS = 1_000_000

# --- functions of many statements ---


def statements(pattern: str, count: int = STATEMENTS) -> str:
    return "".join(pattern.format(i=i, after=i + 1, k=i % 5) for i in range(count))


def terms(pattern: str, operator: str) -> str:
    return operator.join(pattern.format(i=i, k=i % 5) for i in range(STATEMENTS))


VECTOR = np.linspace(0.1, 1.0, 6)
LONG = {
    "assignments, a name each": (
        "def f(v0):\n"
        + statements("    v{after} = np.sin(v{i}) * 0.9 + {k}.5\n")
        + f"    return v{STATEMENTS}\n",
        0.7,
    ),
    "assignments to one array": (
        "def f(v):\n" + statements("    v = np.sin(v) * 0.9 + {k}.5\n") + "    return np.sum(v)\n",
        VECTOR,
    ),
    "branches": (
        "def f(v):\n" + statements("    if v > {k}.5:\n        v = v * 0.5\n") + "    return v\n",
        0.7,
    ),
    "loops": (
        "def f(v):\n"
        + statements("    for i in range(3):\n        v = np.sin(v)\n")
        + "    return v\n",
        0.7,
    ),
    "assignments in one loop": (
        "def f(v0):\n    for i in range(3):\n"
        + statements("        v{after} = np.sin(v{i}) * 0.9 + {k}.5\n")
        + f"        v0 = v{STATEMENTS} * 0.5\n    return v0\n",
        0.7,
    ),
    "stores and operations in place": (
        "def f(x):\n    y = x * 2\n"
        + statements("    y *= x * 0.5 + 0.7\n    y[{k}] = x[0]\n", STATEMENTS // 2)
        + "    return np.sum(y)\n",
        VECTOR,
    ),
    "calls of a helper": (
        "def g(a, b):\n    return np.sin(a) * b + a\n\n\ndef f(v):\n    w = v * 0.5\n"
        + statements("    v = g(v, w) * 0.7\n")
        + "    return v\n",
        0.7,
    ),
    "terms of one sum": ("def f(x):\n    return " + terms("{k}.5 * np.sin(x)", " + ") + "\n", 0.7),
    "factors of one product": (
        "def f(x):\n    return " + terms("(0.3 + x + {i}e-4)", " * ") + "\n",
        0.7,
    ),
}


def written(text: str, directory: Path) -> ModuleType:
    path = directory / f"made_{len(list(directory.iterdir()))}.py"
    path.write_text(f"import numpy as np\n\n\n{text}", encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def first_call(f: Callable, argument: object) -> float:
    """Processor seconds of a first value and gradient."""
    gradient = ad.value_and_grad(f)
    start = time.process_time()
    gradient(argument)
    return time.process_time() - start


def compiling() -> str:
    lines = []
    with tempfile.TemporaryDirectory() as directory:
        for title, (text, argument) in LONG.items():
            first_call(written(text, Path(directory)).f, argument)  # reads the rules
            seconds = first_call(written(text, Path(directory)).f, argument)
            lines.append([f"{STATEMENTS:,} {title}", f"{seconds:.1f} s"])
    return table(["function", "first gradient"], lines)


# --- loops of many iterations ---


def linear(x: float, n: int) -> float:
    h = 0.5
    for _ in range(n):
        h = 0.9 * h + x
    return h


def logistic(x: float, n: int) -> float:
    h = 0.5
    for _ in range(n):
        h = x * h * (1 - h)
    return h


def branching(x: float, n: int) -> float:
    h = 0.5
    for _ in range(n):
        if h > 0.4:
            h = x * h * h
        else:
            h = h + x
    return h


def until(x: float, n: int) -> float:
    i, h = 0, 0.5
    while i < n:
        h = x * h * (1 - h)
        i += 1
    return h


def pendulum(x: float, n: int) -> float:
    angle, speed = x, 0.0
    for _ in range(n):
        speed = speed - 0.001 * angle * angle * angle
        angle = angle + 0.001 * speed
    return angle


def filled(x: float, n: int) -> float:
    h = np.zeros(n + 1)
    h[0] = x
    for t in range(n):
        h[t + 1] = 0.9 * h[t] * h[t]
    return h[n]


LOOPS = {
    "`h = 0.9 * h + x`": (linear, "nothing: the range is walked again"),
    "`h = x * h * (1 - h)`": (logistic, "`h`"),
    "the same in a `while` loop": (until, "`h`"),
    "two branches, `h = x * h * h` or `h = h + x`": (branching, "`h`; the test is made again"),
    "two states, one of them read": (pendulum, "`angle`"),
    "`h[t + 1] = 0.9 * h[t] * h[t]`": (
        filled,
        "`t` and `h[t]`, beside the arrays of `h` and its cotangent",
    ),
}


def memory(f: Callable) -> tuple[float, float]:
    """Bytes for each iteration at the peak, of the function and of its gradient."""
    gradient = ad.grad(f)
    gradient(0.9, 10)
    return peak(f) / ITERATIONS, peak(gradient) / ITERATIONS


def peak(fn: Callable) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        fn(0.9, ITERATIONS)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def loops() -> str:
    lines = []
    for title, (f, recorded) in LOOPS.items():
        own, found = memory(f)
        lines.append([title, recorded, f"{own:.0f} bytes", f"{found:.0f} bytes"])
    return table(["loop", "recorded", "function", "gradient"], lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--update-docs", type=Path, metavar="FILE", help="put the tables in FILE")
    arguments = parser.parse_args()
    machine = describe(None)
    versions = f"adjoint {installed('adjoint')}, numpy {installed('numpy')}"
    parts = [
        f"- CPU: {machine['CPU']}\n- Python: {machine['Python']}\n- versions: {versions}",
        "Processor time of a first value and gradient, everything compiled in it:",
        compiling(),
        f"Memory for each of {ITERATIONS:,} iterations:",
        loops(),
    ]
    found = "\n\n".join(parts)
    print(found)
    if arguments.update_docs:
        put_between_markers(arguments.update_docs, found)
