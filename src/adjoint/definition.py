"""The syntax of one `def`, parsed from its own lines: a file may be long, and one is wanted."""

from __future__ import annotations

import ast
import inspect
import sys
import tokenize
from collections.abc import Iterator


def definitions(lines: list[str], first: int, name: str) -> Iterator[ast.stmt]:
    """The `def` of a name that starts, with its decorators, at a line (1-based) of a file.

    What was found quickly comes first, and then what Python's own reader finds.
    """
    for block_of in (_indented_block, inspect.getblock):
        try:
            text = "".join(block_of(lines[first - 1 :]))
            if text[:1].isspace():
                # Under an `if`: to dedent the block would change the texts in it.
                around = "\n" * (first - 2) + "if 1:\n"
                statements = ast.parse(around + text).body[0].body  # type: ignore[attr-defined]
            else:
                # Empty lines before it give nodes the line numbers of the file.
                statements = ast.parse("\n" * (first - 1) + text).body
        except (tokenize.TokenError, SyntaxError):
            continue
        yield from (node for node in statements if getattr(node, "name", "") == name)


def _indented_block(lines: list[str]) -> list[str]:
    """The decorators, the def and the lines indented deeper than it."""
    start = 0
    while start < len(lines) and not lines[start].lstrip().startswith(("def ", "async def ")):
        start += 1
    if start == len(lines):
        return []
    depth = _depth(lines[start])
    end = start + 1
    while end < len(lines) and _depth(lines[end]) > depth:
        end += 1
    return lines[:end]


def _depth(line: str) -> int:
    """How far a line is indented; blank lines and comments belong to any block."""
    text = line.lstrip()
    return len(line) - len(text) if text and not text.startswith("#") else sys.maxsize
