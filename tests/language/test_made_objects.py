"""Objects that the function makes: attributes, methods, operators, inheritance, dataclasses."""

import collections
import dataclasses
import functools
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad

programs = []
program = table(programs)


class Vector:
    scale = 2.0
    made = 0

    def __init__(self, x, y=1.0):
        self.x, self.y = x, y
        self.asked = 0

    def norm(self):
        self.asked += 1
        return np.sqrt(self.x * self.x + self.y * self.y)

    def __add__(self, other):
        if not isinstance(other, Vector):
            return NotImplemented
        return Vector(self.x + other.x, self.y + other.y)

    def __radd__(self, number):
        return Vector(self.x + number, self.y + number)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    __rmul__ = __mul__

    def __neg__(self):
        return Vector(-self.x, -self.y)

    def __iadd__(self, other):
        self.x = self.x + other.x
        self.y = self.y * other.y
        return self

    def __getitem__(self, i):
        return self.x if i == 0 else self.y

    def __setitem__(self, i, value):
        if i == 0:
            self.x = value
        else:
            self.y = value

    def __len__(self):
        return 2

    def __call__(self, t):
        return self.x * t + self.y

    def __lt__(self, other):
        return self.norm() < other.norm()

    def __contains__(self, value):
        return value == self.x or value == self.y

    def __float__(self):
        return float(self.x * self.y)

    def __abs__(self):
        return self.norm() * 2

    @property
    def area(self):
        return self.x * self.y * self.scale

    @area.setter
    def area(self, value):
        self.x = value / (self.y * self.scale)

    @classmethod
    def diagonal(cls, x):
        return cls(x, x)

    @staticmethod
    def square(x):
        return x * x


class Weighted(Vector):
    def __init__(self, x, weight):
        super().__init__(x, 3.0)
        self.weight = weight

    def norm(self):
        return super().norm() * self.weight

    def __add__(self, other):
        return Weighted(self.x + other.x, self.weight * 2)

    def __radd__(self, other):
        return Weighted(other.x - self.x, self.weight)


@dataclass
class Pair:
    a: float
    b: float = 2.0
    history: list = field(default_factory=list)

    def total(self):
        return self.a * self.b


@dataclass(frozen=True)
class State:
    position: float
    velocity: float = 1.0

    def __post_init__(self):
        object.__setattr__(self, "energy", self.velocity * self.velocity)

    def step(self, force, dt):
        return dataclasses.replace(
            self, position=self.position + dt * self.velocity, velocity=self.velocity + dt * force
        )


class Point(NamedTuple):
    x: float
    y: float = 3.0

    def norm(self):
        return self.x * self.x + self.y

    @property
    def product(self):
        return self.x * self.y


Old = collections.namedtuple("Old", "p q")


class Counter:
    total = 0.0
    step = 2

    def add(self, v):
        self.total += v * self.step
        self.step += 1


class Cached:
    def __init__(self, x):
        self.x = x

    @functools.cached_property
    def square(self):
        return self.x * self.x


@program(1.5)
def attributes_and_methods(x):
    v = Vector(x)
    v.x = v.x * x
    v.y += x
    return v.norm() * v.asked + v.norm() * v.asked


@program(1.5)
def properties(x):
    v = Vector(x)
    v.area = x * x * x
    return v.area * v.x


@program(1.5)
def class_and_static_methods(x):
    return Vector.diagonal(x).norm() * Vector(x).square(x) * Vector.square(2.0)


@program(1.5)
def operators(x):
    a, b = Vector(x), Vector(x * x, x)
    c = a + 2 * b * 3 + (1.0 + a)
    c += b
    c = -c
    return c[0] * c[1] + len(c) * c(x) + abs(a)


@program(1.5)
def elements_are_assigned(x):
    v = Vector(x)
    v[0] = x * 3
    v[1] *= x
    return v[0] * v[1]


@program(1.5)
def comparisons(x):
    a, b = Vector(x), Vector(2 * x)
    total = x if a < b else 2 * x
    if b > a:
        total = total * a.norm()
    if x in a:
        total = total + b.y
    return total * float(a) if a else total


@program(1.5)
def inherits(x):
    w = Weighted(x, x * 2)
    v = Vector(x)
    both = v + w  # of a subclass: its reflected operator is asked first
    return w.norm() * w.asked + both.x + both.weight + (w + v).x


@program(1.5)
def dataclass_attributes(x):
    p = Pair(x)
    p.b = p.b * x
    p.history.append(x * 3)
    p.history.append(p.b)
    q = Pair(b=x, a=2.0)
    return p.total() * p.history[0] + p.history[1] + len(q.history) + q.total()


@program(1.5, 0.1)
def frozen_state_in_a_loop(x, dt):
    state = State(x)
    for _ in range(4):
        state = state.step(-state.position, dt)
    return state.position * state.energy


@program(1.5)
def object_changed_in_a_loop(x):
    v = Vector(x)
    for i in range(3):
        v.x = v.x * x
        if i > 1:
            v.y = v.y + x
        v.norm()
    return v.norm() * v.asked


@program(1.5)
def object_chosen_by_a_branch(x):
    v = Vector(x)
    if x > 1:
        v = Vector(x * x, x)
    return v.x * v.y


@program(1.5)
def one_object_under_two_names(x):
    v = Vector(x)
    w = v
    w.x = x * 3
    return v.x * (1.0 if v is w else x)


@program(1.5)
def several_objects_in_a_list(x):
    vectors = [Vector(x), Vector(2 * x), Vector(x * x)]
    total = 0.0
    for i, v in enumerate(vectors):
        v.y = i * x
        total = total + v.norm()
    return total + vectors[1].y


@program(1.5)
def object_that_holds_objects(x):
    v = Vector(Vector(x), Pair(x))
    v.x.y = x * 2
    v.y.b = v.x.y
    return v.x.norm() * v.y.total()


@program(1.5)
def nested_functions_see_the_object(x):
    v = Vector(x)

    def grow(k):
        v.x = v.x * k

    for k in (1.0, 2.0):
        grow(k * x)
    return v.x


@program(1.5)
def named_tuples(x):
    p = Point(x)
    q = p._replace(y=x * x)
    old = Old(p=x, q=q.norm())
    a, b = q
    return p.norm() * q.product + old.q * old._asdict()["p"] + a * b


@program(1.5)
def attributes_that_start_in_the_class(x):
    c = Counter()
    for i in range(3):
        c.add(x * i)
    if x > 1:
        c.total = c.total * x
    return c.total * c.step


@program(1.5)
def cached_property(x):
    c = Cached(x)
    first = c.square
    c.x = 100.0
    return first * c.square


@program(array(3))
def arrays_in_attributes(x):
    p = Pair(x * 2, np.zeros(3))
    p.b[0] = x[1]
    p.b += p.a
    p.a *= 2
    return np.sum(p.a * p.b)


@program(1.5)
def attributes_by_name(x):
    v = Vector(x)
    setattr(v, "z", x * x)  # noqa: B010
    return getattr(v, "z") * v.x if hasattr(v, "z") and not hasattr(v, "w") else x  # noqa: B009


@program(1.5)
def inactive_object(x):
    v = Vector(2.0)
    v.y = 5.0
    return v.norm() * x


@program(1.5)
def while_on_an_attribute(x):
    p = Pair(3, x)
    while p.a > 0:
        p.a -= 1
        p.b = p.b * x
    return p.b


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


def test_no_object_is_made():
    text = ad.source(frozen_state_in_a_loop, 1.5, 0.1)
    lines = [line for line in text.splitlines() if "#" not in line]
    assert not any("State(" in line or "step(" in line for line in lines)


# -- refused ---------------------------------------------------------------------------------------


def put_into_a_growing_list(x):
    vs = []
    for i in range(3):
        vs.append(Vector(x * i))  # here
    return vs[0].x


def printed(x):
    v = Vector(x)
    print(v)  # here
    return v.x


def chosen_and_then_assigned(x):
    v = w = Vector(x)
    if x > 1:
        v = Vector(x * x)
    v.x = 2.0  # here
    return v.x * w.x


def of_two_classes(x):
    v = Vector(x) if x > 1 else Pair(x)  # here
    return v.x * x


def frozen(x):
    s = State(x)
    s.position = 2.0  # here
    return s.position


@pytest.mark.parametrize(
    "fn, says",
    [
        (put_into_a_growing_list, "object is put into a list"),
        (printed, "an object that is defined inside is given to `print`"),
        (chosen_and_then_assigned, "which Vector this is depends on the path"),
        (of_two_classes, "which object `<value>` is depends on a branch"),
        (frozen, "a State is frozen"),
    ],
)
def test_refused(fn, says, typed_only):
    with pytest.raises(ad.UnsupportedSyntaxError, match=says):
        ad.grad(fn)(1.5)
