"""Figures, marks and the generated part of a page."""

import pytest

from benchmarks.report import BEGIN, END, bar_cell, duration, figure, mark, put_between_markers
from benchmarks.results import Row
from benchmarks.timing import ratio, round_robin


@pytest.mark.parametrize(
    ("number", "text"), [(1.004, "1.00"), (9.999, "10.0"), (99.96, "100"), (1234.5, "1234")]
)
def test_figures_have_about_three_digits(number, text):
    assert figure(number) == text


def test_durations_choose_their_unit():
    assert duration(6.3e-6) == "6.30 us"
    assert duration(0.0152) == "15.2 ms"


def test_a_bar_is_passed_or_missed():
    row = Row(
        name="w",
        title="w",
        seconds={"hand": 1.0, "adjoint": 1.2, "torch": 1.0},
        to_hand={"adjoint": 1.2},
        adjoint_to={"hand": 1.2, "torch": 1.2},
        limits={"hand": 1.25, "torch": 1.0, "autograd": 1.0},
    )
    assert bar_cell(row) == "1.25 x by hand pass"
    assert mark(row, "torch") == "**miss**"
    assert mark(row, "autograd") == ""


def test_a_ratio_is_the_median_over_rounds():
    assert ratio([2.0, 4.0, 30.0], [1.0, 2.0, 10.0]) == 2.0


def test_every_contender_runs_in_every_round():
    times = round_robin({"a": lambda: None, "b": lambda: None}, rounds=3, burst=1e-5, pause=0)
    assert [len(times[name]) for name in "ab"] == [3, 3]


def test_only_the_text_between_the_markers_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put_between_markers(page, "new")
    assert page.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


def test_a_page_without_markers_is_left_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("mine\n")
    with pytest.raises(SystemExit, match="markers are missing"):
        put_between_markers(page, "new")
    assert page.read_text() == "mine\n"
