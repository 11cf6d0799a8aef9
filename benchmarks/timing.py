"""Times of several contenders on one workload, taken in turns."""

import gc
import multiprocessing
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter, sleep
from typing import Any

Calls = dict[str, Callable[[], Any]]


def round_robin(calls: Calls, rounds: int, burst: float, pause: float) -> dict[str, list[float]]:
    """Seconds per call: for each contender one number per round.

    A round gives every contender one burst, in an order drawn anew. So what disturbs the machine
    for a while disturbs all of them, and a ratio within a round is worth more than the times.
    Before each burst comes a pause, in which the worker threads of the one before (BLAS, OpenMP)
    stop spinning, and a call which is not timed. The collector of garbage runs as it does for
    users, but does not walk through what was there before.

    burst:  about how many seconds each contender runs in a round, one call at least.
    pause:  how many seconds to wait before each burst.
    """
    repeats = {name: max(1, round(burst / seconds(call))) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    order, shuffle = list(calls), random.Random(0).shuffle
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            sleep(pause)
            calls[name]()
            times[name].append(seconds(calls[name], repeats[name]))
    gc.unfreeze()
    return times


def seconds(call: Callable[[], Any], repeats: int = 1) -> float:
    """The mean time of a call."""
    begin = perf_counter()
    for _ in range(repeats):
        call()
    return (perf_counter() - begin) / repeats


@contextmanager
def process_of(make: Callable[..., Calls], *args: Any) -> Iterator[Callable[..., float]]:
    """A process of its own for one contender: threads, memory and settings that nobody shares.

    make: a function of a module, which gives the calls of all contenders for picklable `args`.
    Yields a function: how many seconds a call of the contender of this name takes, the mean over a
    burst of so many seconds. Before it come calls that are not timed, for half as long: threads
    that sleep are slow to start.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, make, args), daemon=True)
    process.start()

    def burst(name: str, length: float) -> float:
        ours.send((name, length))
        return ours.recv()

    try:
        yield burst
    finally:
        process.terminate()
        process.join()


def _serve(connection: Connection, make: Callable[..., Calls], args: tuple) -> None:
    calls = make(*args)
    while True:
        name, length = connection.recv()
        end, warm = perf_counter() + length / 2, 0
        while not warm or perf_counter() < end:
            calls[name]()
            warm += 1
        connection.send(seconds(calls[name], 2 * warm))


def ratio(times: list[float], base: list[float]) -> float:
    """How many times as long as `base`: the median over the rounds."""
    return median(a / b for a, b in zip(times, base, strict=True))
