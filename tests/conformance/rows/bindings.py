"""Live bindings: what changes outside the function is seen by the next call."""

from types import SimpleNamespace

import numpy as np
from support.programs import array

from ..table import category

row = category("Live bindings")

GAIN = 2.0
WEIGHTS = np.array([1.0, 2.0, 3.0])
TABLE = {"k": 2.0, "list": [1.0]}
MODE = "square"
settings = SimpleNamespace(rate=2.0, function=np.sin)


def helper(x):
    return x * GAIN


def inner_helper(x):
    return np.sin(x)


def outer_helper(x):
    return inner_helper(x) * x


def reset():
    global GAIN, WEIGHTS, MODE, helper, inner_helper
    GAIN, WEIGHTS, MODE = 2.0, np.array([1.0, 2.0, 3.0]), "square"
    TABLE.clear()
    TABLE.update(k=2.0, list=[1.0])
    settings.rate, settings.function = 2.0, np.sin
    helper, inner_helper = HELPERS
    Model.scale, Model.decay = MODEL


HELPERS = helper, inner_helper


def sets(**values):
    """A change: names of this module are bound anew."""
    return lambda: globals().update(values)


@row("a global number", 0.7, changes=(sets(GAIN=5.0), sets(GAIN=3)), reset=reset)
def global_number(x):
    return GAIN * x * x


@row(
    "a global number that becomes an array, and an array of another shape",
    array(3),
    changes=(sets(GAIN=np.ones(3)), sets(GAIN=np.ones((2, 3)))),
    reset=reset,
)
def global_changes_its_type(x):
    return np.sum(GAIN * x * x)


def change_weights_in_place():
    WEIGHTS[1] = 7.0


@row(
    "a global array: bound anew, and changed in place",
    array(3),
    changes=(sets(WEIGHTS=np.array([4.0, 5.0, 6.0])), change_weights_in_place),
    reset=reset,
)
def global_array(x):
    return np.sum(WEIGHTS * x * x)


def grow_the_table():
    TABLE["k"] = 5.0
    TABLE["list"].append(3.0)


@row("a global dict and list", 0.7, changes=(grow_the_table,), reset=reset)
def global_dict(x):
    return TABLE["k"] * x * x + sum(TABLE["list"]) * x


@row("a global text that decides", 0.7, changes=(sets(MODE="cube"),), reset=reset)
def global_switch(x):
    return x * x if MODE == "square" else x**3


@row(
    "a helper that is bound anew",
    0.7,
    changes=(sets(helper=lambda x: x**3), sets(helper=np.cos)),
    reset=reset,
)
def rebound_helper(x):
    return helper(x) * x


@row("a helper of a helper", 0.7, changes=(sets(inner_helper=np.exp),), reset=reset)
def rebound_inner_helper(x):
    return outer_helper(x) * x


@row("a global that a helper reads", 0.7, changes=(sets(GAIN=4.0),), reset=reset)
def global_of_a_helper(x):
    return helper(x) * x


def change_settings():
    settings.rate = 5.0
    settings.function = np.cos


@row("an attribute of a global object", 0.7, changes=(change_settings,), reset=reset)
def attribute_of_a_global(x):
    return settings.function(x) * settings.rate * x


class Model:
    """A class whose attributes change."""

    scale = 2.0

    def decay(self, x):
        return np.exp(-x * self.scale)


MODEL = Model.scale, Model.decay


def change_the_class():
    Model.scale = 3.0
    Model.decay = lambda self, x: self.scale / (1.0 + x * x)


@row("a method and an attribute of a class", 0.7, changes=(change_the_class,), reset=reset)
def changed_class(x):
    return Model().decay(x) * x


def closure():
    k = 2.0

    def scaled(x):
        return k * x * x

    def change():
        nonlocal k
        k = 5.0

    def undo():
        nonlocal k
        k = 2.0

    return scaled, change, undo


SCALED, CHANGE, UNDO = closure()
row.of("a closure cell", SCALED, 0.7, changes=(CHANGE,), reset=UNDO)


bound = Model()


def change_the_object():
    bound.scale = 7.0


def undo_the_object():
    vars(bound).clear()
    reset()


row.of(
    "an attribute of the object of a bound method",
    bound.decay,
    0.7,
    changes=(change_the_object,),
    reset=undo_the_object,
)
