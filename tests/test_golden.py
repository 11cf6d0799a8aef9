"""The printed derivatives of ordinary functions, word for word: a change is seen in review.

After a change that is meant: `python -m tests.test_golden` writes the files anew.
"""

import copy
from pathlib import Path

import numpy as np
import pytest

import adjoint as ad
from tests.golden.programs import PROGRAMS

FOLDER = Path(__file__).parent / "golden"


def printed(name):
    function, args, argnums = PROGRAMS[name]
    return ad.source(function, *copy.deepcopy(args), argnums=argnums)


@pytest.mark.parametrize("name", PROGRAMS)
def test_printed_derivative(name):
    assert printed(name) == (FOLDER / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", PROGRAMS)
def test_equal_on_every_run(name):
    assert printed(name) == printed(name)


@pytest.mark.parametrize("name", [n for n, (_, args, _) in PROGRAMS.items() if args])
def test_no_helper_where_types_are_known(name):
    assert "import fit" not in printed(name)
    assert "adjoint.runtime" not in printed(name)


@pytest.mark.parametrize("name", [n for n, (_, args, _) in PROGRAMS.items() if args])
def test_right(name):
    function, args, argnums = PROGRAMS[name]
    ad.testing.check_grads(function, copy.deepcopy(args), argnums=argnums)


def test_written_form_runs_as_a_module_of_its_own():
    function, args, argnums = PROGRAMS["logistic_regression"]
    scope = {}
    exec(printed("logistic_regression"), scope)
    got = scope["logistic_regression_grad"](*args)
    for a, b in zip(got, ad.grad(function, argnums=argnums)(*args), strict=True):
        np.testing.assert_array_equal(a, b)


if __name__ == "__main__":
    for program in PROGRAMS:
        (FOLDER / f"{program}.txt").write_text(printed(program))
