"""The tables, in Markdown with aligned columns: the same on a terminal and in the docs."""

from pathlib import Path

from benchmarks.contenders import CONTENDERS
from benchmarks.results import Quantity, Row

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
PEERS = ("torch", "autograd", "jax")


def markdown(machine: dict[str, str], rows: list[Row], quantities: list[Quantity]) -> str:
    parts = ["\n".join(f"- {name}: {value}" for name, value in machine.items())]
    if rows:
        parts += [speed_table(rows), LEGEND]
    if quantities:
        parts.append(quantity_table(quantities))
    if failures := failure_list(rows, quantities):
        parts.append(failures)
    return "\n\n".join(parts)


LEGEND = (
    "Median time of one call for the value and the gradient (*function*: the value alone). In "
    "brackets the multiple of the time by hand, the median over rounds in which the contenders "
    "took turns. *bar* is the most that adjoint may take, as a multiple of another's time; beside "
    "PyTorch eager and HIPS autograd, *pass* says that adjoint is faster."
)


def speed_table(rows: list[Row]) -> str:
    header = ["workload", "function", "by hand", "adjoint", "bar"]
    header += [CONTENDERS[name].title for name in PEERS]
    lines = [
        [
            row.title,
            time_cell(row, "primal"),
            time_cell(row, "hand"),
            compared_cell(row, "adjoint"),
            bar_cell(row),
            *(f"{compared_cell(row, name)} {mark(row, name)}".strip() for name in PEERS),
        ]
        for row in rows
    ]
    return table(header, lines)


def quantity_table(quantities: list[Quantity]) -> str:
    lines = []
    for q in quantities:
        measured = "fails" if q.value is None else f"{q.value:.1f} {q.unit}"
        bar = ""
        if q.limit is not None:
            bar = f"at most {q.limit:.1f} {q.unit}: {verdict(q.value, q.limit)}"
        lines.append([q.title, measured, bar])
    return table(["what", "measured", "bar"], lines)


def failure_list(rows: list[Row], quantities: list[Quantity]) -> str:
    lines = [
        f"- {row.title}, {CONTENDERS[name].title}: {first_line(reason)}"
        for row in rows
        for name, reason in row.failures.items()
    ]
    lines += [f"- {q.title}: {first_line(q.failure)}" for q in quantities if q.failure]
    return "\n".join(["Failed:", "", *lines]) if lines else ""


def first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def time_cell(row: Row, name: str) -> str:
    if name in row.failures:
        return "fails"
    return duration(row.seconds[name]) if name in row.seconds else "-"


def compared_cell(row: Row, name: str) -> str:
    """The time, and how it compares to the time by hand."""
    cell = time_cell(row, name)
    return f"{cell} ({figure(row.to_hand[name])})" if name in row.to_hand else cell


def bar_cell(row: Row) -> str:
    """The bars against our own code: what is not said in a peer's cell."""
    return ", ".join(
        f"{limit:g} x {CONTENDERS[name].title} "
        + (mark(row, name, show=name != "hand") or verdict(None, limit))
        for name, limit in row.limits.items()
        if name not in PEERS
    )


def mark(row: Row, name: str, show: bool = False) -> str:
    """Whether adjoint clears the bar against that contender; nothing where one has no times."""
    if name not in row.limits or name not in row.adjoint_to:
        return ""
    measured = row.adjoint_to[name]
    return (f"{figure(measured)} " if show else "") + verdict(measured, row.limits[name])


def verdict(measured: float | None, limit: float) -> str:
    return "pass" if measured is not None and measured <= limit else "**miss**"


def duration(seconds: float) -> str:
    """Three digits and the unit that suits."""
    if seconds < 1e-3:
        return f"{figure(seconds * 1e6)} us"
    return f"{figure(seconds * 1e3)} ms"


def figure(number: float) -> str:
    """To two decimals below 10, one below 100, none above."""
    return f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f}"


def table(header: list[str], lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(map(str.ljust, cells, widths)) + " |" for cells in [header, rule, *lines]
    )


def put_between_markers(page: Path, text: str, markers: tuple[str, str] = (BEGIN, END)) -> None:
    """Replace what stands between the markers in the page; a page that is not there is begun."""
    first, last = markers
    if not page.exists():
        page.write_text(f"# Benchmarks\n\n{first}\n{last}\n", encoding="utf-8")
    before, begin, rest = page.read_text(encoding="utf-8").partition(first)
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise SystemExit(f"{page}: the markers are missing: {first} and {last}")
    page.write_text(f"{before}{first}\n\n{text}\n\n{last}{after}", encoding="utf-8")
