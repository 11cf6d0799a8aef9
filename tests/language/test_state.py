"""Names and attributes that are assigned from elsewhere: nonlocal, global, obj.attribute."""

import math

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad

programs = []
program = table(programs)


@program(1.5)
def nonlocal_in_a_loop(x):
    total = x

    def add(v):
        nonlocal total
        total = total * x + v

    for i in range(4):
        add(i + 1.0)
    return total


@program(1.5)
def nonlocal_in_branches(x):
    n, y = 0, x

    def step(k):
        nonlocal n, y
        n += 1
        if k > 1:
            y = y * x
        elif k > 0:
            y = y + x
        return n

    step(0)
    step(1)
    return y * step(2) + step(3)


@program(array(3))
def nonlocal_of_a_parameter(x):
    def scale(k):
        nonlocal x
        x = x * k

    scale(2.0)
    scale(x[0])
    return np.sum(x)


@program(2.0)
def counter_factory(x):
    def make(start):
        value = start

        def step():
            nonlocal value
            value = value * x
            return value

        return step

    a, b = make(x), make(3.0)
    return a() + a() * b() + b()


@program(2.0)
def two_levels_of_nonlocal(x):
    y = x

    def outer():
        def inner():
            nonlocal y
            y = y * x

        inner()
        inner()
        return y

    return outer() * y


@program(2.0)
def reader_and_writer(x):
    state = x

    def get():
        return state * x

    def put(v):
        nonlocal state
        state = v

    before = get()
    put(x * 3)
    return before + get()


@program(1.1)
def while_on_a_nonlocal(x):
    left = 3

    def go_on():
        nonlocal left
        left -= 1
        return left >= 0

    while True:
        if not go_on():
            break
        x = x * x
    return x


@program(1.1)
def late_binding(x):
    k = 2.0

    def f(v):
        return v * k

    k = x * x
    first = f(x)
    k = 3.0
    return first * f(x)


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


# -- what lives outside the function --------------------------------------------------------------

runs = 0
level = 2.0


def helper(x):
    return x * level


def assigns_globals(x):
    global runs, level
    runs += 1
    level = level * x
    return level * helper(x)


def test_globals_are_assigned_once_per_call():
    global runs, level
    for make in (ad.grad, ad.value_and_grad):
        runs, level = 0, 2.0
        make(assigns_globals)(3.0)
        assert (runs, level) == (1, 6.0)
    runs, level = 0, 2.0
    assert ad.value_and_grad(assigns_globals)(3.0) == (108.0, 108.0)
    assert ad.value_and_grad(assigns_globals)(3.0) == (972.0, 972.0)
    level = 2.0
    assert ad.jvp(assigns_globals, (3.0,), (1.0,)) == (108.0, 108.0)
    assert runs == 3


def test_cell_of_an_outer_function():
    n, kept = 0, 0.0

    def f(x):
        nonlocal n, kept
        n += 1
        kept = x * x
        return kept * n

    derivative = ad.grad(f)
    assert derivative(3.0) == 6.0
    assert derivative(3.0) == 12.0
    assert (n, kept) == (2, 9.0)


class Meter:
    factor = 0.5
    total_calls = 0

    def __init__(self):
        self.calls = 0
        self.last = None
        self.total = 1.0
        self.inner = Inner()

    def loss(self, x):
        self.calls += 1
        self.last = x * x
        return np.sum(self.last) * self.factor

    def loop(self, x):
        for i in range(3):
            if i == 1:
                self.total = self.total * x
            self.total = self.total + x
        return self.total

    def nested(self, x):
        self.inner.k = x * 2
        self.inner.k += 1
        return self.inner.k * x

    def count_all(self, x):
        Meter.total_calls += 1
        return x * self.total_calls

    @property
    def double(self):
        return self.total * 2

    @double.setter
    def double(self, value):
        self.total = value / 2

    def by_setter(self, x):
        self.double = x * x
        return self.total * x


class Inner:
    k = 1.0


def test_attribute_of_a_bound_method():
    meter = Meter()
    derivative = ad.grad(meter.loss)
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(derivative(x), x)
    np.testing.assert_array_equal(derivative(x), x)
    assert meter.calls == 2
    np.testing.assert_array_equal(meter.last, x * x)


def check_method(name, x):
    """A method's derivative, and what it leaves in its object."""
    ran, again = Meter(), Meter()
    value = getattr(ran, name)(x)
    got, slope = ad.value_and_grad(getattr(again, name))(x)
    assert got == value
    assert (again.total, again.inner.k) == (ran.total, ran.inner.k)
    ends = [getattr(Meter(), name)(x + step) for step in (1e-6, -1e-6)]
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)
    assert ad.jvp(getattr(Meter(), name), (x,), (1.0,))[1] == pytest.approx(slope)


@pytest.mark.parametrize("name", ["loop", "nested", "by_setter"])
def test_method_that_assigns_attributes(name):
    check_method(name, 1.7)


def test_attribute_of_a_class():
    Meter.total_calls = 0
    assert ad.grad(Meter().count_all)(2.0) == 1.0
    assert ad.grad(Meter().count_all)(2.0) == 2.0
    assert Meter.total_calls == 2


def by_argument(x, meter):
    meter.last = x * x
    return meter.last * meter.total


def test_attribute_of_an_argument():
    meter = Meter()
    assert ad.grad(by_argument)(3.0, meter) == 6.0
    assert meter.last == 9.0


def two_arguments(x, a, b):
    a.last = x * x
    return b.last * x


def test_objects_that_may_be_one(typed_only):
    meter = Meter()
    with pytest.raises(ad.UnsupportedSyntaxError, match="`last` may have been assigned through"):
        ad.grad(two_arguments)(3.0, meter, meter)


class Guarded:
    def __setattr__(self, name, value):
        raise TypeError("read only")


def test_class_that_keeps_attributes_in_its_own_way(typed_only):
    def f(x, obj):
        obj.k = x
        return obj.k * x

    with pytest.raises(ad.UnsupportedSyntaxError, match="how a Guarded keeps its attributes"):
        ad.grad(f)(2.0, Guarded())


def test_array_that_an_object_holds_by_now_is_not_changed(typed_only):
    def f(x, meter):
        buffer = np.zeros(2)
        meter.last = buffer
        buffer[0] = x
        return np.sum(buffer)

    with pytest.raises(ad.UnsupportedSyntaxError, match="belongs to an object"):
        ad.grad(f)(2.0, Meter())


def test_printed():
    text = ad.source(Meter().loss, np.ones(2))
    assert "    self.calls = calls + 1\n    self.last = x * x\n" in text


def test_a_number_of_unknown_type_is_added_to_an_array():
    def f(x):
        s = 1.0

        def set_s():
            nonlocal s
            s = sum(x[i] for i in range(2))

        set_s()
        x[:] += math.sin(s)
        return np.sum(x)

    x = np.array([0.3, -0.2])
    np.testing.assert_allclose(ad.grad(f)(x.copy()), 1 + 2 * math.cos(0.1))
