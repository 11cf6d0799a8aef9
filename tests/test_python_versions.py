"""Nothing depends on what newer versions of Python have removed."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import ast, warnings

with warnings.catch_warnings():  # what Python 3.14 does not have any more
    warnings.simplefilter("ignore")
    for name in ("Num", "Str", "Bytes", "NameConstant", "Ellipsis"):
        if hasattr(ast, name):
            ast.__dict__.pop(name, None)
        if hasattr(ast.NodeVisitor, "visit_" + name):
            delattr(ast.NodeVisitor, "visit_" + name)

import numpy as np
import adjoint as ad

def f(x, n, name="a"):
    if n < 0:
        raise ValueError(f"bad {n!r} and {name:>3}")
    assert n > 0, f"n is {n}"
    parts = {"a": 1.0, "b": x}
    y = np.sum(np.sin(x)[::2, ...] ** 2) * parts["a"] - 1.5e-3j.imag
    return y + np.sum(parts["b"][..., None] * 2)

x = np.ones((3, 2))
found = ad.grad(f)(x, 2)
expected = np.full((3, 2), 2.0)
expected[::2] += 2 * np.sin(1.0) * np.cos(1.0)
np.testing.assert_allclose(found, expected)
assert ad.jvp(f, (x, 2), (x, None))[1] > 0
try:
    ad.grad(f)(x, -1)
except ValueError as error:
    assert str(error) == "bad -1 and   a", error
print("right")
"""


def test_without_the_classes_that_python_3_14_removes(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    source = Path(__file__).parents[1] / "src"
    done = subprocess.run(
        [sys.executable, str(path)],
        env={"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "right", done.stderr
