"""The printed derivatives of ordinary functions, word for word: a change is seen in review.

After a change that is meant: `python -m tests.test_golden` writes the files anew.
"""

import copy
from pathlib import Path

import numpy as np
import pytest

import adjoint as ad
from adjoint.compilers import compiler_for
from adjoint.spec import Spec
from tests.golden.networks import NETWORKS
from tests.golden.programs import PROGRAMS as FUNCTIONS

PROGRAMS = FUNCTIONS | NETWORKS
FOLDER = Path(__file__).parent / "golden"


FORWARD = [
    "logistic_regression", "network", "loop_with_branch", "recurrent_network", "layers_in_a_list",
    "newton", "power_by_recursion", "in_place", "early_return", "filled_array",
]  # fmt: skip


SECOND_ORDER = ["in_place", "filled_array", "logistic_regression"]


def printed(name):
    function, args, argnums = PROGRAMS[name]
    return ad.source(function, *copy.deepcopy(args), argnums=argnums)


def printed_forward(name):
    function, args, argnums = PROGRAMS[name]
    return ad.source(function, *copy.deepcopy(args), argnums=argnums, mode="forward")


def printed_second_order(name):
    """The tangent of the gradient, which `hvp` and `hessian` run."""
    function, args, argnums = PROGRAMS[name]
    compiler = compiler_for("hessian", function, Spec(argnums, None, False))
    return compiler.find(copy.deepcopy(args), {})[0].emitted.text


@pytest.mark.parametrize("name", PROGRAMS)
def test_printed_derivative(name):
    assert printed(name) == (FOLDER / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", FORWARD)
def test_printed_tangents(name):
    assert printed_forward(name) == (FOLDER / f"{name}_forward.txt").read_text()


@pytest.mark.parametrize("name", SECOND_ORDER)
def test_printed_second_order(name):
    assert printed_second_order(name) == (FOLDER / f"{name}_second_order.txt").read_text()


@pytest.mark.parametrize("name", PROGRAMS)
def test_equal_on_every_run(name):
    assert printed(name) == printed(name)
    assert printed_forward(name) == printed_forward(name)


@pytest.mark.parametrize("name", [n for n, (_, args, _) in PROGRAMS.items() if args])
def test_no_helper_where_types_are_known(name):
    for text in (printed(name), printed_forward(name)):
        assert "import fit" not in text
        assert "adjoint.runtime.generic" not in text


@pytest.mark.parametrize("name", [n for n, (_, args, _) in FUNCTIONS.items() if args])
def test_right(name):  # of networks it is tested in tests/nn
    function, args, argnums = FUNCTIONS[name]
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
    for program in FORWARD:
        (FOLDER / f"{program}_forward.txt").write_text(printed_forward(program))
    for program in SECOND_ORDER:
        (FOLDER / f"{program}_second_order.txt").write_text(printed_second_order(program))
