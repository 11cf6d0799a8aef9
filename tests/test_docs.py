"""The Python code in README.md and docs/ runs, and prints what the pages say.

The ```python blocks of a page run in order, in one namespace. A block of `>>>` lines is a
doctest. After any other block, a block marked `output` (```text output, ```python output) holds
what it prints. A block marked `notest` does not run.
"""

import contextlib
import doctest
import io
import linecache
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from adjoint.rules import RULES

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<code>.*?)^(?P=indent)```\s*$", re.M | re.S
)


@dataclass
class Block:
    """A fenced block of a page; `line` is the number of its first line of code."""

    words: list[str]
    code: str
    line: int

    @property
    def is_output(self):
        return "output" in self.words

    @property
    def is_code(self):
        return self.words[:1] == ["python"] and not {"notest", "output"} & set(self.words)

    @property
    def is_doctest(self):
        return self.code.lstrip().startswith(">>>")


def blocks_of(text):
    """The fenced blocks of a Markdown text, in order.

    >>> blocks_of("Text\\n```python\\nx = 1\\n```\\n")
    [Block(words=['python'], code='x = 1\\n', line=3)]
    """
    found = []
    for match in FENCE.finditer(text):
        indent = match["indent"]
        code = "".join(line.removeprefix(indent) for line in match["code"].splitlines(True))
        line = text.count("\n", 0, match.start("code")) + 1
        found.append(Block(match["info"].split(), code, line))
    return found


def remember_source(filename, source):
    """Let `inspect` and tracebacks read the code of a block, as they do the code of a file."""
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)


def run_doctest(block, name, namespace):
    test = doctest.DocTestParser().get_doctest(block.code, {}, name, name, block.line - 1)
    test.globs = namespace
    for number, example in enumerate(test.examples):
        remember_source(f"<doctest {name}[{number}]>", example.source)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    failed, _ = runner.run(test, out=report.write, clear_globs=False)
    assert not failed, report.getvalue()


PAGE_LINES = {}  # page -> its lines of code so far, each at its place on the page


def run_block(block, name, namespace):
    """What the block prints. Errors and sources name the page and its lines."""
    lines = PAGE_LINES.setdefault(name, [])
    first, code = block.line - 1, block.code.splitlines(True)
    lines += ["\n"] * (first + len(code) - len(lines))
    lines[first : first + len(code)] = code
    remember_source(name, "".join(lines))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile("\n" * first + block.code, name, "exec"), namespace)
    return printed.getvalue()


@pytest.fixture
def rules_of_the_page_only():
    """A page shows how rules of our own are written: they do not stay in the table."""
    yield
    for fn, found in list(RULES.items()):
        if any(not rule.filename.startswith(str(ROOT)) for rule in found):
            del RULES[fn]


@pytest.mark.usefixtures("rules_of_the_page_only")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = page.relative_to(ROOT).as_posix()
    namespace = {"__name__": f"page_{page.stem}"}
    printed = None
    for block in blocks_of(page.read_text(encoding="utf-8")):
        if block.is_output:
            where = f"{name}:{block.line}"
            assert printed is not None, f"{where}: no code stands above this output"
            assert printed.strip() == block.code.strip(), f"{where}: the code prints\n{printed}"
            printed = None
        elif block.is_code and block.is_doctest:
            run_doctest(block, f"{name}:{block.line}", namespace)
        elif block.is_code:
            printed = run_block(block, name, namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    for target in targets:
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
