"""The most memory that a gradient call holds at one time, above what was there before."""

import tracemalloc
from collections.abc import Iterator

from benchmarks.contenders import CONTENDERS, Call
from benchmarks.problem import Workload
from benchmarks.results import Quantity
from benchmarks.workloads import MANY_IMAGES, WORKLOADS
from benchmarks.workloads.networks import TANH_NETWORK

# With tanh, whose derivative reads its result, and with relu, whose derivative by the rule for a
# maximum reads the operand as well (equal operands share it), so that one array more is kept.
NETWORKS = [
    Workload("tanh", "MLP 784-512-10 with tanh, batch 512", TANH_NETWORK, MANY_IMAGES),
    next(workload for workload in WORKLOADS if workload.name == "mlp-large"),
]
MARGIN = 1.10


def measure() -> Iterator[Quantity]:
    """Peaks of NumPy's allocations, which tracemalloc sees (those of other peers it does not)."""
    for workload in NETWORKS:
        args = workload.inputs()
        hand = peak(CONTENDERS["hand"].prepare(workload.problem, args))
        yield Quantity(f"peak memory by hand, {workload.title}", hand / 1e6, "MB")
        title = f"peak memory by adjoint, {workload.title}"
        try:
            ours = peak(CONTENDERS["adjoint"].prepare(workload.problem, args))
            yield Quantity(title, ours / 1e6, "MB", limit=MARGIN * hand / 1e6)
        except Exception as failure:  # reported like a missed bar
            yield Quantity(title, None, "MB", MARGIN * hand / 1e6, f"{failure}")


def peak(call: Call) -> int:
    """Bytes at the peak of a second call (the first may compile and fill caches)."""
    call()
    tracemalloc.start()
    try:
        call()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
