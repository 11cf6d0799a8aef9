"""Each row of the conformance table, checked."""

import pytest

from . import rows  # noqa: F401  (its modules add the rows)
from .check import check_row
from .table import ROWS


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_row(row):
    check_row(row)
