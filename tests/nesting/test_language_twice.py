"""Every program of the language tests at order 2, in every order of the two modes."""

import importlib

import numpy as np
import pytest
from support.nesting import second_order
from support.programs import leaves

# What is refused here must not be covered by the recorded form.
pytestmark = pytest.mark.usefixtures("typed_only")

AREAS = ("assignment", "branches", "calls", "containers", "exits", "loops", "made_objects", "match",
         "mutation_of_containers", "mutators", "names", "state", "stores", "types", "unbound",
         "views", "with")  # fmt: skip
# In these, the function changes an array in a container of arguments: only at the outermost level
# the elements are taken out of the container first.
REFUSED = {"changes_an_array_in_its_argument", "changes_an_array_in_a_list",
           "gradient_descent_in_place", "list_of_arrays_changed_in_place",
           "array_or_number_with_two_names"}  # fmt: skip


def every_program():
    for area in AREAS:
        for program in importlib.import_module(f"language.test_{area}").programs:
            if str(program) in REFUSED or is_single(program):
                continue
            for position in program.wrt:
                yield pytest.param(program, position, id=f"{area}-{program}-{position}")


def is_single(program):
    """Differences of gradients in single precision tell nothing."""
    given = leaves(program.arguments())
    return any(getattr(leaf, "dtype", None) == np.float32 for leaf in given)


@pytest.mark.parametrize(("program", "position"), list(every_program()))
def test_second_derivative(program, position):
    second_order(program, position)
