"""`python -m tests.fuzz --n 10000 --seed 0`: check many random programs and print a summary."""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path

from adjoint import forms

from .check import BAD, REFUSED, Outcome, check
from .found import FOUND
from .grammar import generate
from .one import allowed, one
from .shrink import same_failure, shrink


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="number of programs")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print the program of --seed")
    parser.add_argument("--shrink", type=float, default=0, help="seconds to spend on each failure")
    parser.add_argument("--out", type=Path, help="folder to write failing programs to")
    parser.add_argument("--stop", type=int, default=0, help="stop after so many failures")
    parser.add_argument("--first", action="store_true", help="no second derivatives")
    parser.add_argument("--form", choices=("typed", "recorded", "both"), default="both")
    parser.add_argument("--found", action="store_true", help="check the programs of found.py only")
    options = parser.parse_args()
    with forms.only(*allowed(options.form)):
        return carry_out(options)


def carry_out(options: argparse.Namespace) -> int:
    if options.found:
        outcomes = {
            name: check(text, thorough=True, first=options.first) for name, text in FOUND.items()
        }
        for name, outcome in outcomes.items():
            if outcome.kind != "ok":
                print(name, outcome.kind, outcome.detail.split("\n")[0][:200])
        return int(any(o.kind in BAD for o in outcomes.values()))
    if options.show:
        text = generate(options.seed)
        outcome = check(text)
        print(text, "\n#", outcome.kind, outcome.detail, "\n", outcome.source)
        return 0
    return run(options)


def run(options: argparse.Namespace) -> int:
    seeds = range(options.seed, options.seed + options.n)
    counts: Counter[str] = Counter()
    groups: dict[tuple[str, str], list[int]] = {}
    start = time.monotonic()
    pool = get_context("spawn").Pool(options.jobs) if options.jobs > 1 else None
    task = functools.partial(one, first=options.first, form=options.form)
    results = pool.imap(task, seeds, 8) if pool else map(task, seeds)
    for seed, outcome in results:
        counts[outcome.kind] += 1
        if outcome.kind != "ok":
            groups.setdefault((outcome.kind, outcome.group), []).append(seed)
        if outcome.kind in BAD:
            report(seed, outcome, options, len(groups[outcome.kind, outcome.group]) == 1)
            if options.stop and sum(counts[k] for k in BAD) >= options.stop:
                break
    total = sum(counts.values())
    print(f"\n{total} programs in {time.monotonic() - start:.0f} s:", dict(counts))
    for (kind, group), found in sorted(groups.items(), key=lambda g: (g[0][0], -len(g[1]))):
        rate = f"{100 * len(found) / total:.2f}%" if kind == REFUSED else ""
        print(f"  {kind} {len(found)} {rate} {group[:160]}   seeds {found[:4]}")
    return 1 if any(counts[k] for k in BAD) else 0


def report(seed: int, outcome: Outcome, options: argparse.Namespace, first: bool) -> None:
    print(f"seed {seed}: {outcome.kind} {outcome.detail.splitlines()[0][:300]}", flush=True)
    text = generate(seed)
    if options.shrink and first:
        text = shrink(text, same_failure(outcome), options.shrink)
        outcome = check(text)
        print("    " + text.replace("\n", "\n    "), flush=True)
        print(f"    -> {outcome.detail[:1500]}\n", flush=True)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        body = f"{text}\n\n# {outcome.kind}\n# " + outcome.detail.replace("\n", "\n# ")
        body += "\n\n# " + outcome.source.replace("\n", "\n# ")
        (options.out / f"{outcome.kind}_{seed}.py").write_text(body + "\n")


if __name__ == "__main__":
    sys.exit(main())
