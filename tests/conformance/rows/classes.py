"""Classes and objects."""

import copy
import enum
import functools
from collections import namedtuple
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from support.programs import array

from adjoint import nn

from ..table import category, made

row = category("Classes and objects")


class Model:
    """A model with a rate."""

    count = 2

    def __init__(self, rate):
        self.rate = rate

    def decay(self, t):
        return np.exp(-self.rate * t)

    def __call__(self, t):
        return self.decay(t) * t

    @property
    def half_life(self):
        return np.log(2.0) / self.rate

    @classmethod
    def of_half_life(cls, t):
        return cls(np.log(2.0) / t)

    @staticmethod
    def cubed(t):
        return t**3


@row("a method of an argument", made(Model, 0.5), 1.3, wrt=(1,))
def calls_a_method(model, t):
    return model.decay(t) * model.decay(2.0 * t)


@row("attributes of an argument are read", made(Model, 0.5), 1.3, wrt=(1,))
def reads_an_attribute(model, t):
    return model.rate * t * t * model.count


@row("an attribute of an argument is written", made(Model, 0.5), 1.3, wrt=(1,))
def writes_an_attribute(model, t):
    model.rate = model.rate * t
    model.last = t
    return model.rate * model.last * t


@row("an attribute is changed in place, `self.n += v`", made(Model, 0.5), 1.3, wrt=(1,))
def augments_an_attribute(model, t):
    for _ in range(3):
        model.rate += np.sin(t)
        model.rate *= t
    return model.rate


@row("an object made in the function from active values", 0.7)
def makes_an_object(x):
    model = Model(x * x)
    return model.decay(x) * model.rate


@row("`__call__`", 0.7)
def calls_an_object(x):
    model = Model(x)
    return model(x) + model(2.0)


@row("a property", 0.7)
def reads_a_property(x):
    return Model(x).half_life * x**2


@row("a classmethod and a staticmethod", 0.7)
def class_and_static_methods(x):
    return Model.of_half_life(x).rate * Model.cubed(x) + Model(x).cubed(2.0 * x)


@row("a property with a setter", 0.7)
def property_setter(x):
    class Celsius:
        def __init__(self, degrees):
            self.degrees = degrees

        @property
        def kelvin(self):
            return self.degrees + 273.15

        @kelvin.setter
        def kelvin(self, value):
            self.degrees = value - 273.15

    t = Celsius(x)
    t.kelvin = t.kelvin * x
    return t.degrees


class Vector:
    """A vector in the plane with operators."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    __rmul__ = __mul__

    def __neg__(self):
        return self * -1.0

    def __matmul__(self, other):
        return self.x * other.x + self.y * other.y

    def __getitem__(self, i):
        return (self.x, self.y)[i]

    def __setitem__(self, i, value):
        if i == 0:
            self.x = value
        else:
            self.y = value

    def __len__(self):
        return 2

    def __iadd__(self, other):
        self.x += other.x
        self.y += other.y
        return self

    def __abs__(self):
        return np.sqrt(self @ self)

    def __lt__(self, other):
        return abs(self) < abs(other)

    def __eq__(self, other):
        return self.x == other.x and self.y == other.y

    def __bool__(self):
        return self.x != 0 or self.y != 0

    def __float__(self):
        return float(abs(self))

    def __contains__(self, value):
        return value in (self.x, self.y)


@row("operator methods: `__add__`, `__mul__`, `__rmul__`, `__neg__`, `__matmul__`", 0.7)
def operator_methods(x):
    a, b = Vector(x, x * x), Vector(np.sin(x), 1.0)
    return (2.0 * a + b * x) @ -b


@row("`__getitem__`, `__setitem__`, `__len__`", 0.7)
def container_methods(x):
    v = Vector(x, 1.0)
    v[1] = v[0] * x
    return v[0] * v[1] * len(v)


@row("`__iadd__`", 0.7)
def in_place_method(x):
    a = Vector(x, 1.0)
    b = a
    a += Vector(x * x, x)
    return b @ a


@row("`__abs__`, `__lt__`, `__eq__`, `__bool__`, `__contains__`", 0.7)
def comparison_methods(x):
    a, b = Vector(x, x), Vector(x * x, x)
    larger = b if a < b else a
    if a and not a == b and x in a:
        return abs(larger) * x
    return x


@row("a value that NumPy reads through `__float__`", 0.7)
def float_method(x):
    return float(Vector(x, x * x)) * x


class Layer:
    """A base class."""

    def __init__(self, width):
        self.width = width

    def forward(self, x):
        return x * self.width

    def __call__(self, x):
        return self.forward(x) + self.bias()

    def bias(self):
        return 0.5


class Dense(Layer):
    """A derived class that calls its base."""

    def __init__(self, width, weight):
        super().__init__(width)
        self.weight = weight

    def forward(self, x):
        return np.tanh(super().forward(x) * self.weight)


@row("inheritance, overriding and `super()`", 0.7)
def inherits(x):
    return Dense(2.0, x)(x) * Layer(x)(x)


@row("a class attribute and a method that changes it", 0.7)
def class_attributes(x):
    class Counter:
        total = 0.0

        def add(self, value):
            type(self).total = self.total + value

    counter = Counter()
    counter.add(x)
    counter.add(x * x)
    return Counter.total * counter.total


@row("`class` inside the function, with a closure", 0.7)
def class_in_the_function(x):
    class Scaled:
        factor = x * x

        def of(self, y):
            return self.factor * y * x

    return Scaled().of(x)


@row("`__slots__`", 0.7)
def slots(x):
    class Point:
        __slots__ = ("x", "y")

        def __init__(self, x, y):
            self.x = x
            self.y = y

    p = Point(x, x * x)
    p.x *= p.y
    return p.x + p.y


@row("`__getattr__`, `getattr`, `setattr`, `hasattr`", 0.7)
def attributes_by_name(x):
    class Lazy:
        def __getattr__(self, name):
            return x * len(name)

    lazy = Lazy()
    setattr(lazy, "fixed", np.sin(x))
    return getattr(lazy, "fixed") * lazy.abc * hasattr(lazy, "fixed")


@row("`vars` and `__dict__` of an object", 0.7)
def attributes_as_a_dict(x):
    model = Model(x)
    model.__dict__["shift"] = x * x
    return sum(vars(model).values())


@row("a descriptor", 0.7)
def descriptor(x):
    class Doubled:
        def __get__(self, instance, owner):
            return 2.0 * instance.value

        def __set__(self, instance, value):
            instance.value = value * value

    class Holder:
        slot = Doubled()

    holder = Holder()
    holder.slot = x
    return holder.slot * x


@row("`functools.cached_property`", 0.7)
def cached_property(x):
    class Spectrum:
        def __init__(self, value):
            self.value = value

        @functools.cached_property
        def power(self):
            return self.value**2

    spectrum = Spectrum(x)
    return spectrum.power * spectrum.power + spectrum.value


@row.refused(
    "`functools.singledispatch`",
    0.7,
    says="WeakKeyDictionary",
    instead="`isinstance` in one function",
)
def dispatched(x):
    @functools.singledispatch
    def size(value):
        return value * value

    @size.register(list)
    def _(value):
        return sum(value)

    return size(x) * size([x, np.sin(x)])


@row("multiple inheritance and a mixin", 0.7)
def mixin(x):
    class Squares:
        def power(self):
            return self.value**2

    class Doubles:
        def power(self):
            return 2.0 * super().power()

    class Both(Doubles, Squares):
        def __init__(self, value):
            self.value = value

    return Both(x).power() * x


@row.refused(
    "a class with abstract methods, made in the function",
    0.7,
    says="abstractmethod",
    instead="the class outside the function",
)
def abstract_method(x):
    import abc

    class Kernel(abc.ABC):
        @abc.abstractmethod
        def value(self, r): ...

        def twice(self, r):
            return self.value(self.value(r))

    class Gaussian(Kernel):
        def value(self, r):
            return np.exp(-r * r)

    return Gaussian().twice(x)


@dataclass
class Spring:
    """A dataclass with a method."""

    stiffness: float
    rest: float = 1.0
    history: list = field(default_factory=list)

    def energy(self, length):
        self.history.append(length)
        return 0.5 * self.stiffness * (length - self.rest) ** 2


@row("a dataclass made in the function", 0.7)
def makes_a_dataclass(x):
    spring = Spring(x, rest=0.5)
    return spring.energy(2.0 * x) + spring.stiffness * sum(spring.history)


@row("a dataclass as an argument", made(Spring, 2.0), 0.7, wrt=(1,))
def dataclass_argument(spring, x):
    return spring.energy(x) * x


@row.refused(
    "a dataclass that is made in the function",
    0.7,
    says="exec",
    instead="the class outside the function",
)
def replaced(x):
    @dataclass(frozen=True)
    class Setting:
        rate: float
        scale: float = 2.0

        def __post_init__(self):
            object.__setattr__(self, "product", self.rate * self.scale)

    setting = replace(Setting(x), scale=x * x)
    return setting.product * setting.rate


Point = namedtuple("Point", "x y")


class State(NamedTuple):
    """A typed named tuple with a method."""

    position: float
    velocity: float

    def energy(self):
        return 0.5 * self.velocity**2 + np.cos(self.position)


@row("a named tuple made in the function", 0.7)
def makes_a_namedtuple(x):
    p = Point(x, y=x * x)
    q = p._replace(x=np.sin(x))
    a, b = q
    return p.x * q.y + a * b + p[1] + sum(p._asdict().values())


@row("a named tuple as an argument", Point(0.7, 1.9))
def namedtuple_argument(p):
    return p.x**2 * p.y


@row("a `NamedTuple` class with a method, advanced in a loop", 0.7)
def integrates(x):
    state = State(x, 0.1)
    for _ in range(4):
        state = State(
            state.position + 0.1 * state.velocity, state.velocity - 0.1 * np.sin(state.position)
        )
    return state.energy()


@row("`SimpleNamespace`", 0.7)
def namespace(x):
    n = SimpleNamespace(a=x, b=x * x)
    n.a = n.a * n.b
    return n.a + n.b


@row("an `Enum` as a switch", 0.7)
def by_enum(x):
    class Kind(enum.Enum):
        SINE = 1
        COSINE = 2

    kind = Kind.SINE
    return np.sin(x) * x if kind is Kind.SINE else np.cos(x)


@row("`copy.copy` and `copy.deepcopy` of an object", array(3))
def copies_of_objects(x):
    model = SimpleNamespace(w=x, k=2.0)
    shallow, deep = copy.copy(model), copy.deepcopy(model)
    model.w *= 2.0
    return np.sum(shallow.w * deep.w)


@row("an object in a list in a dict", 0.7)
def nested_objects(x):
    network = {"layers": [Dense(1.0, x), Dense(2.0, x * x)]}
    y = x
    for layer in network["layers"]:
        y = layer(y)
    network["layers"][0].weight = y
    return y * network["layers"][0].weight


@row("two names of one object", 0.7)
def aliased_object(x):
    a = Model(x)
    b = a
    b.rate = b.rate * x
    return a.rate * b.rate


@row("a linked list of objects", array(3))
def linked_list(x):
    class Node:
        def __init__(self, value, rest):
            self.value = value
            self.rest = rest

    head = None
    for value in x:
        head = Node(value * value, head)
    total = 0.0
    while head is not None:
        total = total * 0.5 + head.value
        head = head.rest
    return total


@row("a method passed as a function", 0.7)
def bound_method_as_value(x):
    model = Model(x)
    f = model.decay
    return sum(map(f, [x, 2.0 * x])) + Model.decay(model, x)


@row("`type(x)`, `isinstance` with user classes, `type(name, bases, dict)`", 0.7)
def classes_by_hand(x):
    Made = type("Made", (Model,), {"twice": lambda self: 2.0 * self.rate})
    model = Made(x)
    assert isinstance(model, Model) and type(model) is Made
    return model.twice() * x


@row("a metaclass and `__init_subclass__`", 0.7)
def metaclass(x):
    registry = {}

    class Base:
        def __init_subclass__(cls, name):
            registry[name] = cls

    class Square(Base, name="square"):
        def __call__(self, y):
            return y * y

    return registry["square"]()(x) * x


@row("`__new__` and a subclass of `float` that is not active", 0.7)
def subclass_of_float(x):
    class Metres(float):
        def doubled(self):
            return self * 2.0

    return Metres(3.0).doubled() * x * x


row.refused(
    "a gradient by the attributes of an object",
    made(Model, 0.5),
    1.3,
    wrt=(0,),
    says="Model",
    instead="pass the attributes in a dict, a dataclass or a named tuple",
    names_line=False,
    modes=("reverse",),
)(lambda model, t: model.decay(t))


class Affine(nn.Module):
    """A layer, of which the arrays are parts."""

    def __init__(self, seed, scale=0.5):
        super().__init__()
        rng = np.random.default_rng(seed)
        self.weight = rng.normal(size=(3, 3))
        self.bias = rng.normal(size=3)
        self.scale = scale

    def forward(self, x):
        return np.tanh(self.weight @ x + self.bias) * self.scale


class Stack(nn.Module):
    """Layers in order, a running mean, and a count of calls."""

    def __init__(self, size):
        super().__init__()
        self.layers = nn.ModuleList(Affine(seed) for seed in range(size))
        self.register_buffer("mean", np.zeros(3))
        self.calls = 0

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


@row("an object with parts (a module) as an argument", made(Affine, 3), array(3), wrt=(0, 1))
def calls_a_module(net, x):
    return np.sum(net(x) ** 2)


@row(
    "parts in order: a loop, `enumerate`, an index, a slice, `len`",
    made(Stack, 3), array(3), wrt=(0, 1),
)  # fmt: skip
def reads_parts_in_order(net, x):
    total = np.sum(net.layers[0].weight[0] * x) * len(net.layers)
    for i, layer in enumerate(net.layers[1:]):
        total = total + (i + 1) * np.sum(layer(x) * layer.bias)
    return total


def two_layers():
    return [Affine(1), Affine(2)]


@row("objects with parts in a list", made(two_layers), array(3), wrt=(0, 1))
def calls_modules_in_a_list(nets, x):
    for net in nets:
        x = net(x)
    return np.sum(x * x)


@row("an array of such an object that is no part is changed", made(Stack, 2), array(3), wrt=(0, 1))
def changes_a_buffer(net, x):
    net.mean *= 0.9
    net.mean += 0.1 * x
    return np.sum((net(x) - net.mean) ** 2)


@row("an attribute of such an object is assigned", made(Stack, 2), array(3), wrt=(0, 1))
def assigns_an_attribute(net, x):
    net.calls += 1
    net.hidden = net.layers[0](x)
    return np.sum(net.hidden * net(x)) * net.calls


def replaces_parts():
    LAYER.weight = np.linspace(-1.0, 1.0, 9).reshape(3, 3)
    LAYER.scale = 2.0


LAYER = Affine(5)


@row(
    "such an object from outside, with parts that are replaced", array(3), changes=(replaces_parts,)
)
def calls_a_module_from_outside(x):
    return np.sum(LAYER(x) ** 2)
