"""`python -m tests.conformance`: check the rows, or write docs/language.md from them.

python -m tests.conformance              check all rows, print those that do not hold
python -m tests.conformance loops        the rows of rows/loops.py
python -m tests.conformance loops:horner one row, with its program and the whole error
python -m tests.conformance --write      write docs/language.md
"""

from __future__ import annotations

import argparse
import sys
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `support`, as in pytest


def main() -> int:
    from adjoint import forms

    from . import page, rows  # noqa: F401  (the modules of `rows` add the rows)
    from .table import ROWS

    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("which", nargs="*", help="a module of rows, or module:program")
    parser.add_argument("--first", action="store_true", help="first derivatives only")
    parser.add_argument("--form", choices=("typed", "recorded"), help="one form only")
    parser.add_argument("--write", action="store_true", help="write docs/language.md")
    options = parser.parse_args()
    if options.write:
        page.PAGE.write_text(page.text_of(ROWS), encoding="utf-8")
        return 0
    chosen = [
        row
        for row in ROWS
        if not options.which or str(row) in options.which or row.file.stem in options.which
    ]
    whole = any(":" in which for which in options.which)
    with forms.only(*((options.form,) if options.form else forms.BOTH)):
        return report(chosen, 1 if options.first else 2, whole)


def report(chosen: list, order: int, whole: bool) -> int:
    from .check import check_row

    bad = 0
    for row in chosen:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                check_row(row, order)
        except Exception as error:
            bad += 1
            text = str(error) or "".join(traceback.format_tb(error.__traceback__)[-1:])
            if whole:
                traceback.print_exc()
            else:
                print(f"{row}: {type(error).__name__}: {' '.join(text.split())[:200]}")
    print(f"{len(chosen) - bad} of {len(chosen)} rows hold")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
