"""`adjoint show`: print the derivative of a function, from a shell.

Only the public API is used: this module finds the function, reads the example arguments and
colours the text.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import importlib.metadata
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

import adjoint as ad

EXAMPLES = """\
examples:
  adjoint show model.py:loss
  adjoint show model.py:loss --wrt w,b --shapes "32,784 784,10 10"
  adjoint show model.py:Net.loss --args "Net()" "np.ones((3, 4))" 1.0
"""

Color = Callable[[str], str]


class UsageError(Exception):
    """The command cannot be carried out as it was written; its text is one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (that of the process by default) and return its exit status.

    0: printed. 1: no derivative can be made. 2: the command is wrong.
    """
    try:
        options = _parser().parse_args(argv)
        text = show(options)
        print(_painter(options.color)(text))
        sys.stdout.flush()
    except UsageError as error:
        print(f"adjoint: {error}", file=sys.stderr)
        return 2
    except ad.AdjointError as error:
        print(_with_kind(error), file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has gone (`| head`). Python would flush, and complain, once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13  # as a process that SIGPIPE ends
    return 0


def show(options: argparse.Namespace) -> str:
    """The text that `adjoint show` prints for these options."""
    module, function = find_target(options.target)
    if options.shapes is not None:
        args = read_shapes(" ".join(options.shapes))
    else:
        args = [evaluate(text, module) for text in options.args]
    argnums = 0 if options.wrt is None else read_wrt(options.wrt, function)
    return ad.source(function, *args, argnums=argnums).rstrip("\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="adjoint", description="Derivatives of plain Python, as plain Python.")
    version = importlib.metadata.version("adjoint")
    parser.add_argument("--version", action="version", version=f"adjoint {version}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    command = commands.add_parser(
        "show",
        help="print the derivative of a function",
        description="Print the derivative of a function. Without example arguments this is the "
        "generic form; with them, the form compiled for arguments of these types.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "target",
        metavar="TARGET",
        help="FILE.py:FUNCTION or MODULE:FUNCTION; FUNCTION may be dotted, as in Class.method",
    )
    command.add_argument(
        "--wrt",
        metavar="NAMES",
        help="the arguments to differentiate by: names or positions, separated by commas "
        "(default: the first)",
    )
    examples = command.add_mutually_exclusive_group()
    examples.add_argument(
        "--args",
        nargs="+",
        default=[],
        metavar="EXPR",
        help="example arguments as Python expressions; np and the names of the module are known",
    )
    examples.add_argument(
        "--shapes",
        nargs="+",
        metavar="SHAPE",
        help="example arguments by shape: '32,784 784,10:float32 10 float int'; () is 0-d",
    )
    command.add_argument(
        "--color",
        choices=["auto", "always", "never"],
        default="auto",
        help="auto: on a terminal, unless NO_COLOR is set; needs Pygments",
    )
    return parser


# Finding the function


def find_target(target: str) -> tuple[ModuleType, Callable[..., Any]]:
    """The module and the function that `FILE.py:FUNCTION` or `MODULE:FUNCTION` names."""
    place, colon, qualname = target.rpartition(":")
    if not colon or not place or not qualname:
        raise UsageError(f"'{target}' is not of the form FILE.py:FUNCTION or MODULE:FUNCTION")
    is_file = place.endswith(".py") or os.sep in place
    with contextlib.redirect_stdout(sys.stderr):  # stdout is for the derivative alone
        if is_file:
            module = _load_file(place)
        else:
            sys.path.insert(0, os.getcwd())
            module = _load_module(place)
    found: Any = module
    walked = place
    for name in qualname.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise UsageError(f"{walked} has no '{name}'{_alternatives(name, found)}") from None
        walked = f"{walked}:{name}" if walked == place else f"{walked}.{name}"
    found = getattr(found, "primal", found)  # of an ad.grad object, the function itself
    if not callable(found):
        raise UsageError(f"{walked} is not a function but of type {type(found).__name__}")
    return module, found


def _alternatives(name: str, owner: object) -> str:
    """What to say when `owner` has no `name`: the nearest name, or the functions there are."""
    own = vars(owner) if hasattr(owner, "__dict__") else {}
    module = getattr(owner, "__name__", None)
    functions = [
        key
        for key, value in own.items()
        if callable(value)
        and not key.startswith("__")
        and (not inspect.ismodule(owner) or getattr(value, "__module__", module) == module)
    ]
    near = difflib.get_close_matches(name, functions, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; it has {', '.join(functions)}" if functions else ""


def _load_file(place: str) -> ModuleType:
    """The module in a file, not run as `__main__`, with its own folder on sys.path.

    A file of a package is imported as a part of that package, so its relative imports work.
    """
    path = Path(place).resolve()
    if not path.is_file():
        raise UsageError(f"no file {place}")
    folder, parts = path.parent, [path.stem]
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    if parts[-1] == "__init__":
        parts.pop()
    sys.path.insert(0, str(folder))
    name = ".".join(parts)
    known = sys.modules.get(name)
    if known is not None and _is_file_of(known, path):
        return known
    if len(parts) > 1:
        module = _load_module(name)
        if not _is_file_of(module, path):
            raise UsageError(f"cannot import {place}: {name} is {module.__file__}")
        return module
    if known is not None:  # the name of the file is taken, as of a json.py
        name = f"{name} ({place})"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{place} is not a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    loader = spec.loader
    _run(place, lambda: loader.exec_module(module))
    return module


def _is_file_of(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path


def _load_module(name: str) -> ModuleType:
    return _run(name, lambda: importlib.import_module(name))


def _run(place: str, load: Callable[[], Any]) -> Any:
    """`load()`, with any error of the user's module as one line."""
    try:
        return load()
    except (Exception, SystemExit) as error:
        raise UsageError(f"cannot import {place}: {_describe(error)}") from error


def _describe(error: BaseException) -> str:
    """The kind and the text of an error, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _with_kind(error: ad.AdjointError) -> str:
    kind, text = type(error).__name__, str(error)
    return text if text.startswith(kind) else f"{kind}: {text}"


# Reading the options


def evaluate(text: str, module: ModuleType) -> Any:
    """The value of an example argument; it may use `np` and the names of the module."""
    try:
        return eval(text, {"np": np, **vars(module)})
    except Exception as error:
        raise UsageError(f"--args {text}: {_describe(error)}") from error


def read_shapes(text: str) -> list[Any]:
    """Example arguments from their shapes.

    >>> [x.shape for x in read_shapes("32,784 10 ()")]
    [(32, 784), (10,), ()]
    >>> read_shapes("float int 2:float32")
    [1.0, 1, array([1., 1.], dtype=float32)]
    """
    return [_read_shape(word) for word in text.split()]


_SCALARS = {"float": 1.0, "int": 1, "bool": True, "complex": 1 + 0j}


def _read_shape(word: str) -> Any:
    if word in _SCALARS:
        return _SCALARS[word]
    shape, colon, dtype = word.partition(":")
    try:
        sizes = [int(size) for size in shape.strip("()").split(",") if size]
        return np.ones(sizes, dtype if colon else np.float64)
    except (TypeError, ValueError):
        raise UsageError(
            f"--shapes: '{word}' is none of 32,784 or 32,784:float32 or () or "
            + " or ".join(_SCALARS)
        ) from None


def read_wrt(text: str, function: Callable[..., Any]) -> int | tuple[int, ...]:
    """The positions of the arguments that `text` lists; one position alone is no tuple.

    >>> read_wrt("b", lambda a, b: a * b), read_wrt("b,0", lambda a, b: a * b)
    (1, (1, 0))
    """
    positions = tuple(_position(word.strip(), function) for word in text.split(","))
    return positions[0] if len(positions) == 1 else positions


def _position(word: str, function: Callable[..., Any]) -> int:
    try:
        return int(word)
    except ValueError:
        pass
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        raise UsageError(f"--wrt {word}: use positions, the function hides its names") from None
    if word not in names:
        raise UsageError(f"--wrt {word}: the arguments are {', '.join(names) or 'none'}")
    return names.index(word)


# Colour


def _painter(color: str) -> Color:
    """The function that colours Python text as `color` asks; plain text without Pygments."""
    wanted = color == "always" or (
        color == "auto"
        and sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )
    if not wanted:
        return str
    try:
        from pygments import highlight
        from pygments.formatters import TerminalFormatter
        from pygments.lexers import PythonLexer
    except ImportError:
        return str
    lexer, formatter = PythonLexer(), TerminalFormatter()
    return lambda text: highlight(text, lexer, formatter).rstrip("\n")
