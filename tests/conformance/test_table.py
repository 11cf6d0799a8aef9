"""The table as a whole: it covers Python's grammar, and the page is written from it."""

import sys

import pytest

from . import rows  # noqa: F401  (its modules add the rows)
from .nodes import of_rows, of_the_grammar
from .page import CATEGORIES, PAGE, text_of
from .table import REFUSED, ROWS


def test_every_kind_of_syntax_has_a_row():
    assert of_the_grammar() - of_rows(ROWS) == set()


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11),
    reason="some rows are of some versions of Python; the page is written with Python 3.11",
)
def test_the_page_is_written_from_the_rows():
    assert PAGE.read_text(encoding="utf-8") == text_of(ROWS), (
        "write it anew: python -m tests.conformance --write"
    )


def test_rows_are_many_and_named_apart():
    assert len(ROWS) >= 250
    assert len({str(row) for row in ROWS if row.name != "<lambda>"}) > 400
    assert {row.category for row in ROWS} == set(CATEGORIES)


def test_a_refusal_says_what_to_write_instead():
    for row in ROWS:
        if row.status == REFUSED:
            assert row.says and row.instead, row
