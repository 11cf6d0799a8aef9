"""A training step of a convolutional network next to PyTorch: `python -m benchmarks.convolution`.

Two layers of convolution, rectifier and pooling, two linear layers, cross-entropy and SGD, on 64
images of 28 by 28 in single precision. Both forms of the kernels take turns with PyTorch eager, in
its default layout; then the most memory that each needs for a step is measured, each in a process
of its own.
"""

import argparse
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe
from benchmarks.peers import optional, torch
from benchmarks.timing import median, ratio, round_robin

BATCH, RATE = 64, 0.01
BARS = {"numba": 1.0, "numpy": 2.0}
MEMORY_BAR = 1.5


def drawn() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Parameters, images and labels."""
    rng = np.random.default_rng(0)
    shapes = {
        "w1": (32, 1, 3, 3), "b1": (32,), "w2": (64, 32, 3, 3), "b2": (64,),
        "w3": (128, 3136), "b3": (128,), "w4": (10, 128), "b4": (10,),
    }  # fmt: skip
    params = {
        name: (rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        for name, shape in shapes.items()
    }
    images = rng.normal(size=(BATCH, 1, 28, 28)).astype(np.float32)
    return params, images, rng.integers(10, size=BATCH)


def network(f: Any, params: Any, images: Any, labels: Any) -> Any:
    """The loss; `f` is adjoint.nn.functional or torch.nn.functional."""
    h = f.max_pool2d(f.relu(f.conv2d(images, params["w1"], params["b1"], padding=1)), 2)
    h = f.max_pool2d(f.relu(f.conv2d(h, params["w2"], params["b2"], padding=1)), 2)
    h = f.relu(f.linear(h.reshape(-1, 3136), params["w3"], params["b3"]))
    return f.cross_entropy(f.linear(h, params["w4"], params["b4"]), labels)


def by_adjoint(form: str) -> Callable[[], float]:
    import adjoint as ad
    import adjoint.nn.functional as f
    from adjoint.nn import kernels

    params, images, labels = drawn()

    def loss(params, images, labels):
        return network(f, params, images, labels)

    gradient = ad.value_and_grad(loss)

    def step() -> float:
        kernels.form = form
        value, gradients = gradient(params, images, labels)
        for name, param in params.items():
            param -= RATE * gradients[name]
        return float(value)

    return step


def by_torch() -> Callable[[], float]:
    arrays, *batch = drawn()
    params = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    images, labels = map(torch.from_numpy, batch)
    optimizer = torch.optim.SGD(params.values(), lr=RATE)

    def step() -> float:
        optimizer.zero_grad()
        value = network(torch.nn.functional, params, images, labels)
        value.backward()
        optimizer.step()
        return value.item()

    return step


def contenders() -> dict[str, Callable[[], Callable[[], float]]]:
    found = {"numpy": lambda: by_adjoint("numpy")}
    if optional("numba"):
        found["numba"] = lambda: by_adjoint("numba")
    if torch:
        found["torch"] = by_torch
    return found


def peak(name: str) -> float:
    """Megabytes that a process of its own needs for steps, above what it has before the first."""
    code = f"from benchmarks.convolution import print_peak; print_peak({name!r})"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    return float(found.stdout)


def print_peak(name: str) -> None:
    """Steps on one image come first: libraries, threads and compiled code are there before."""
    global BATCH
    images, BATCH = BATCH, 1
    step = contenders()[name]()
    for _ in range(3):
        step()
    BATCH = images
    step = contenders()[name]()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
    before = memory_of_process("VmRSS")
    for _ in range(5):
        step()
    print((memory_of_process("VmHWM") - before) / 1e3)


def memory_of_process(what: str) -> int:
    """Kilobytes, as Linux counts them."""
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith(what)).split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--threads", type=int, help="the threads that every library may use")
    arguments = parser.parse_args()
    if arguments.threads:
        for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            if os.environ.get(variable) != str(arguments.threads):
                os.environ[variable] = str(arguments.threads)
                os.execv(
                    sys.executable, [sys.executable, "-m", "benchmarks.convolution", *sys.argv[1:]]
                )

    steps = {name: prepare() for name, prepare in contenders().items()}
    losses = {name: [step() for _ in range(5)] for name, step in steps.items()}
    for name, values in losses.items():
        np.testing.assert_allclose(values, losses["numpy"], rtol=1e-3, err_msg=name)
    times = round_robin(steps, arguments.rounds, burst=0.1, pause=0.03)
    memory = {name: peak(name) for name in steps}

    for what, value in describe(arguments.threads).items():
        print(f"{what}: {value}")
    for name in steps:
        text = f"{name:6} median {median(times[name]) * 1e3:6.1f} ms, least "
        text += f"{min(times[name]) * 1e3:6.1f} ms, peak {memory[name]:5.1f} MB"
        if torch and name in BARS:
            of_time = ratio(times[name], times["torch"])
            of_memory = memory[name] / memory["torch"]
            text += f"; time {of_time:.2f} of PyTorch's ({verdict(of_time, BARS[name])})"
            text += f", memory {of_memory:.2f} ({verdict(of_memory, MEMORY_BAR)})"
        print(text)


def verdict(found: float, bar: float) -> str:
    return f"bar {bar}: {'pass' if found <= bar else 'MISS'}"


if __name__ == "__main__":
    main()
