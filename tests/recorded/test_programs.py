"""Every program of tests/language, differentiated in the recorded form alone."""

import importlib
import pathlib

import pytest
from support.programs import check_program

from adjoint import forms

FOLDER = pathlib.Path(__file__).parent.parent / "language"
PROGRAMS = [
    program
    for path in sorted(FOLDER.glob("test_*.py"))
    for program in getattr(importlib.import_module(f"language.{path.stem}"), "programs", ())
]


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_program(program):
    with forms.only("recorded"):
        check_program(program)
