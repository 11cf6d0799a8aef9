"""Measure what was asked for, print the tables, write the files."""

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict

from benchmarks import memory, startup
from benchmarks.contenders import CONTENDERS, disagreement, tolerance
from benchmarks.machine import describe
from benchmarks.problem import Workload
from benchmarks.report import markdown, put_between_markers
from benchmarks.results import Quantity, Row
from benchmarks.timing import median, ratio, round_robin
from benchmarks.workloads import WORKLOADS

OURS = ("primal", "hand", "adjoint")
THOROUGH = {"rounds": 21, "burst": 0.010, "pause": 0.030}
QUICK = {"rounds": 5, "burst": 0.004, "pause": 0.010}


def run(arguments: Namespace) -> None:
    known = [workload.name for workload in WORKLOADS] + ["start", "memory"]
    wanted = arguments.only or known
    if unknown := set(wanted) - set(known):
        sys.exit(f"no workload named {', '.join(sorted(unknown))}; there are {', '.join(known)}")

    contenders = [
        name
        for name, contender in CONTENDERS.items()
        if name in OURS or (contender.installed and not arguments.no_peers)
    ]
    effort = QUICK if arguments.quick else THOROUGH
    rows = []
    for workload in WORKLOADS:
        if workload.name in wanted:
            progress(workload.title)
            rows.append(measure(workload, contenders, effort))
    quantities = list(other_quantities(wanted, repeats=effort["rounds"]))
    progress("")

    machine = describe(arguments.threads)
    tables = markdown(machine, rows, quantities)
    print(tables)
    if arguments.json:
        results = {
            "machine": machine,
            "workloads": [asdict(row) for row in rows],
            "quantities": [asdict(quantity) for quantity in quantities],
        }
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if arguments.update_docs:
        put_between_markers(arguments.update_docs, tables)


def measure(workload: Workload, contenders: list[str], effort: dict) -> Row:
    """Check that all contenders give the same answer, then time those which do."""
    args = workload.inputs()
    expected = workload.problem.by_hand(*args)
    calls, failures = {}, {}
    for name in contenders:
        try:
            call = CONTENDERS[name].prepare(workload.problem, args)
            result = call()
            error = disagreement(result, expected[0] if name == "primal" else expected)
            if error > tolerance(expected):
                raise ArithmeticError(f"differs from the result by hand by {error:.1e}")
            calls[name] = call
        except Exception as failure:  # whatever goes wrong is this contender's result
            failures[name] = f"{type(failure).__name__}: {failure}"

    times = round_robin(calls, **effort)
    ours = "adjoint" in times
    return Row(
        name=workload.name,
        title=workload.title,
        seconds={name: median(times[name]) for name in times},
        to_hand={name: ratio(times[name], times["hand"]) for name in times},
        adjoint_to={name: ratio(times["adjoint"], times[name]) for name in times if ours},
        limits=dict(workload.bars),
        failures=failures,
    )


def other_quantities(wanted: list[str], repeats: int) -> Iterator[Quantity]:
    if "start" in wanted:
        progress("start-up")
        yield from startup.measure(repeats)
    if "memory" in wanted:
        progress("memory")
        yield from memory.measure()


def progress(what: str) -> None:
    """Say on a terminal what is running; leave no trace in a file."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)
