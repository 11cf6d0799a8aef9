"""The command line: `python -m benchmarks`."""

import argparse
import os
from pathlib import Path


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time derivatives by adjoint against hand-written NumPy and its peers.",
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="workloads, 'start', 'memory'")
    parser.add_argument("--no-peers", action="store_true", help="adjoint and by hand, no others")
    parser.add_argument("--quick", action="store_true", help="few rounds: rougher numbers")
    parser.add_argument("--threads", type=int, metavar="N", help="give every library N threads")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers to FILE")
    parser.add_argument("--update-docs", type=Path, metavar="FILE", help="put the tables in FILE")
    return parser.parse_args()


def limit_threads(count: int) -> None:
    """To be called before the libraries are loaded, which is when they read this."""
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(count)
    os.environ["XLA_FLAGS"] = (
        f"--xla_cpu_multi_thread_eigen={str(count > 1).lower()} "
        f"intra_op_parallelism_threads={count}"
    )


if __name__ == "__main__":
    arguments = parse_arguments()
    if arguments.threads:
        limit_threads(arguments.threads)
    from benchmarks.run import run

    run(arguments)
