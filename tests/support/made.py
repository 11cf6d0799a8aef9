"""Functions made by a program: written to a file, for a compiler that reads source."""

import importlib.util
import itertools
from pathlib import Path

_numbers = itertools.count()


def function(text, directory: Path, name="f"):
    """The function `name` of a module with this text."""
    path = directory / f"made_{next(_numbers)}.py"
    path.write_text("import numpy as np\n\n\n" + text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)
