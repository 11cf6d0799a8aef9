"""How long a user waits once: importing adjoint, and the first call of a derivative."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.results import Quantity

ROOT = Path(__file__).resolve().parent.parent

# Prints like `benchmarks.cold`, but with nothing imported that adjoint may need itself.
IMPORT = """
import warnings
warnings.simplefilter("ignore")
import astor, gast, numpy
from time import perf_counter
begin = perf_counter()
import adjoint
print('{"import": %r}' % (perf_counter() - begin))
"""

# The process to start -> what it measures: how to call it, and the bar in milliseconds.
PROCESSES = {
    ("-c", IMPORT): {
        "import": ("import adjoint, after NumPy, gast and astor", 40),
    },
    ("-m", "benchmarks.cold"): {
        "first": ("first gradient in a new process, a loss of ten lines", 60),
        "second": ("second function in that process, with the same rules", 25),
        "fresh": ("the first loss again, as a new function", None),
    },
}


def measure(repeats: int) -> Iterator[Quantity]:
    """Medians over fresh processes; one before them, not counted, writes the bytecode files."""
    for command, quantities in PROCESSES.items():
        try:
            runs = [fresh_process(*command) for _ in range(repeats + 1)][1:]
            failure = ""
        except subprocess.CalledProcessError as failed:
            runs, failure = [], failed.stderr.strip().splitlines()[-1]
        for name, (title, limit) in quantities.items():
            value = 1e3 * median(times[name] for times in runs) if runs else None
            yield Quantity(title, value, "ms", limit, failure)


def fresh_process(*command: str) -> dict[str, float]:
    """What a new Python process prints when given that command."""
    # An installed package has its bytecode, whatever this process was told of writing it.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(process.stdout)
