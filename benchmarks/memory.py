"""The most memory that a gradient call holds at one time, above what was there before."""

import tracemalloc
from collections.abc import Iterator

from benchmarks.contenders import CONTENDERS, Call
from benchmarks.results import Quantity
from benchmarks.workloads import WORKLOADS

WORKLOAD = next(workload for workload in WORKLOADS if workload.name == "mlp-large")
MARGIN = 1.10


def measure() -> Iterator[Quantity]:
    """Peaks of NumPy's allocations, which tracemalloc sees (those of other peers it does not)."""
    args = WORKLOAD.inputs()
    hand = peak(CONTENDERS["hand"].prepare(WORKLOAD.problem, args))
    yield Quantity(f"peak memory by hand, {WORKLOAD.title}", hand / 1e6, "MB")
    title = f"peak memory by adjoint, {WORKLOAD.title}"
    try:
        ours = peak(CONTENDERS["adjoint"].prepare(WORKLOAD.problem, args))
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
