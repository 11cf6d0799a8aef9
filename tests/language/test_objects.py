"""Objects: methods, attributes, properties; what changes of them between calls is seen."""

import operator
import types

import numpy as np
import pytest

import adjoint as ad


class Layer:
    gain = 2.0

    def __init__(self, k=0.5):
        self.k = k
        self.w = np.array([1.0, 2.0, 3.0])
        self.options = {"power": 2, "scale": 1.5}
        self.name = "tanh"

    def activate(self, x):
        return np.tanh(x) * self.k if self.name == "tanh" else x * self.k

    def forward(self, x):
        return self.activate(x * self.w) * self.gain

    def loss(self, x):
        return np.sum(self.forward(x) ** self.options["power"]) * self.options["scale"]

    @property
    def double(self):
        return self.k * 2

    @staticmethod
    def square(x):
        return x * x

    @classmethod
    def scaled(cls, x):
        return x * cls.gain

    def mixed(self, x):
        return self.square(x) * self.double + self.scaled(x)

    def keeps(self, x):
        self.last = x
        return x * x


class Child(Layer):
    def activate(self, x):
        return super_activate(self, x) + x


def super_activate(self, x):
    return Layer.activate(self, x)


layer = Layer()
settings = types.SimpleNamespace(rate=2.0, inner=types.SimpleNamespace(k=3.0), on=True)


def numerical(f, x, eps=1e-6):
    steps = np.eye(len(x)) * eps
    return np.array([(f(x + e) - f(x - e)) / (2 * eps) for e in steps])


X = np.array([0.3, -0.2, 0.1])


@pytest.mark.parametrize("cls", [Layer, Child])
@pytest.mark.parametrize(
    "how",
    [
        lambda m: ad.grad(m.loss)(X),
        lambda m: ad.grad(type(m).loss, argnums=1)(m, X),
        lambda m: ad.grad(lambda x: m.loss(x))(X),
        lambda m: ad.grad(lambda x, net: net.loss(x))(X, m),
        lambda m: ad.vjp(m.loss, X)[1](1.0)[0],
    ],
    ids=["bound", "unbound", "closure", "argument", "vjp"],
)
def test_methods(cls, how):
    model = cls()
    np.testing.assert_allclose(how(model), numerical(model.loss, X), rtol=1e-6)


def test_static_class_methods_and_properties():
    model = Layer()
    assert ad.grad(model.mixed)(3.0) == 6.0 * 1.0 + 2.0
    assert ad.grad(lambda x, m: m.mixed(x))(3.0, model) == 8.0


def test_a_global_object():
    gradient = ad.grad(lambda x: layer.loss(x))(X)
    np.testing.assert_allclose(gradient, numerical(layer.loss, X), rtol=1e-6)


def test_attributes_are_read_at_each_call():
    model = Layer()
    g = ad.grad(model.loss)
    for change in (
        lambda: setattr(model, "k", 2.0),
        lambda: setattr(model, "w", np.array([0.5, 0.5, 0.1])),
        lambda: model.w.__setitem__(0, 3.0),
        lambda: setattr(model, "name", "linear"),
        lambda: model.options.update(power=3),
        lambda: setattr(model, "k", np.float32(1.5)),
        lambda: setattr(model, "k", np.array([1.0, 2.0, 3.0])),
        lambda: setattr(model, "gain", 5.0),
        lambda: setattr(model, "activate", lambda x: x * 7.0),
    ):
        change()
        np.testing.assert_allclose(g(X), numerical(model.loss, X), rtol=1e-5)


def test_methods_of_the_class_are_read_at_each_call(monkeypatch):
    model = Layer()
    g = ad.grad(model.loss)
    h = ad.grad(lambda x, m: m.loss(x))
    g(X), h(X, model)
    monkeypatch.setattr(Layer, "activate", lambda self, x: x * x * self.k)
    np.testing.assert_allclose(g(X), numerical(model.loss, X), rtol=1e-6)
    np.testing.assert_allclose(h(X, model), numerical(model.loss, X), rtol=1e-6)
    monkeypatch.setattr(Layer, "gain", 11.0)
    np.testing.assert_allclose(g(X), numerical(model.loss, X), rtol=1e-6)
    np.testing.assert_allclose(h(X, model), numerical(model.loss, X), rtol=1e-6)


def test_objects_of_one_class_are_told_apart():
    models = [Layer(0.5), Layer(1.0), Layer(2.0)]
    models[2].name = "linear"
    g = ad.grad(lambda x, m: m.loss(x))
    for m in [*models, *models]:
        np.testing.assert_allclose(g(X, m), numerical(m.loss, X), rtol=1e-6)
    gradients = [ad.grad(m.loss) for m in models]
    for gradient, m in zip(gradients, models):
        np.testing.assert_allclose(gradient(X), numerical(m.loss, X), rtol=1e-6)


def test_attributes_of_a_global_namespace(monkeypatch):
    g = ad.grad(lambda x: x * x * settings.rate * settings.inner.k if settings.on else x)
    assert g(1.0) == 12.0
    monkeypatch.setattr(settings, "rate", 5.0)
    assert g(1.0) == 30.0
    monkeypatch.setattr(settings.inner, "k", 1.0)
    assert g(1.0) == 10.0
    monkeypatch.setattr(settings, "inner", types.SimpleNamespace(k=2.0))
    assert g(1.0) == 20.0
    monkeypatch.setattr(settings, "on", False)
    assert g(1.0) == 1.0
    monkeypatch.setitem(globals(), "settings", types.SimpleNamespace(rate=1, inner=layer, on=True))
    assert g(1.0) == 2.0 * layer.k


def test_attributes_of_a_class(monkeypatch):
    g = ad.grad(lambda x: x * Layer.gain)
    assert g(1.0) == 2.0
    monkeypatch.setattr(Layer, "gain", 3.0)
    assert g(1.0) == 3.0


def test_an_attribute_is_assigned():
    kept = Layer()
    assert ad.grad(kept.keeps)(2.0) == 4.0
    assert kept.last == 2.0


def test_an_attribute_array_is_not_changed(typed_only):
    def f(x, m):
        m.w[0] = x[0]
        return np.sum(m.w * x)

    model = Layer()
    with pytest.raises(ad.UnsupportedSyntaxError, match="outside the function"):
        ad.grad(lambda x: f(x, model))(X)
    with pytest.raises(ad.UnsupportedSyntaxError, match="belongs to an object"):
        ad.grad(f)(X, model)


def test_constants_of_modules_and_dtypes():
    def f(x):
        eps = np.finfo(np.float64).eps
        return x * np.pi * np.e + eps * x + np.dtype(float).itemsize * x

    assert ad.grad(f)(1.0) == np.pi * np.e + np.finfo(float).eps + 8


def test_generators_of_random_numbers():
    class Noise:
        def __init__(self):
            self.rng = np.random.default_rng(3)

        def loss(self, x):
            return np.sum(x * self.rng.normal(size=3)) * self.rng.uniform()

    model, twin = Noise(), np.random.default_rng(3)
    g = ad.grad(model.loss)
    for _ in range(3):
        expected = twin.normal(size=3) * twin.uniform()
        np.testing.assert_allclose(g(X), expected)


class Opaque:
    """As C code has it: how an object keeps what it is given is not seen."""

    store = operator.setitem

    def __init__(self):
        self.value = [1.0]


def test_value_that_an_object_may_keep_is_not_read_as_a_constant(typed_only):
    def f(x, holder):
        holder.store(holder.value, 0, x * x)
        return holder.value[0] * x

    with pytest.raises(ad.UnsupportedSyntaxError, match="was given to `store`"):
        ad.grad(f)(2.0, Opaque())

    def first_read(x, holder):
        total = 0.0
        for _ in range(3):
            total = total + holder.value[0] * x
            holder.store(holder.value, 0, x)
        return total

    with pytest.raises(ad.UnsupportedSyntaxError, match="was given to `store`"):
        ad.grad(first_read)(2.0, Opaque())
