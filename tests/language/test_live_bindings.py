"""What is bound outside the function, and changes between calls, is seen by the next call."""

import contextlib
import functools
import types

import numpy as np
import pytest

import adjoint as ad
from adjoint.rules import own

k = 2.0
count = 3
flag = True
word = "double"
nothing = None
pair = (2.0, 3.0)
numbers = [1.0, 2.0]
table = {"a": 2.0}
array = np.array([1.0, 2.0])
nested = {"inner": {"w": [2.0, np.array([1.0, 2.0])]}}
module = types.ModuleType("module_that_changes")
module.k = 2.0
module.inner = types.SimpleNamespace(k=3.0)
module.fn = lambda x: x * 2


def helper(x):
    return x * k


def uses_helper(x):
    return helper(x) * 2


def with_default(x, c=2.0, ws=(1.0, 2.0), *, n=2):
    return x * c * n + sum(ws) * x


class Model:
    scale = 2.0
    sizes = [1.0, 2.0]

    def __init__(self, rate):
        self.rate = rate
        self.layers = [2.0, 3.0]
        self.activation = np.sin

    def forward(self, x):
        return x * self.rate * self.scale

    def total(self, x):
        s = 0.0
        for layer in self.layers:
            s = s + layer * x
        return s

    @staticmethod
    def static(x):
        return x * 2

    @classmethod
    def made(cls, x):
        return x * cls.scale

    @property
    def doubled(self):
        return 2 * self.rate

    def __call__(self, x):
        return x * self.rate


class Child(Model):
    pass


model = Model(3.0)
child = Child(3.0)


def set_global(name, value):
    return set_item(globals(), name, value)


def set_item(container, key, value):
    def change(undo):
        undo.callback(container.__setitem__, key, container[key])
        container[key] = value

    return change


def add_item(container, key, value):
    def change(undo):
        undo.callback(container.pop, key)
        container[key] = value

    return change


def set_attribute(owner, name, value):
    def change(undo):
        if name in vars(owner):
            undo.callback(setattr, owner, name, vars(owner)[name])
        else:
            undo.callback(delattr, owner, name)
        setattr(owner, name, value)

    return change


def set_code(fn, other):
    def change(undo):
        undo.callback(setattr, fn, "__code__", fn.__code__)
        fn.__code__ = other.__code__

    return change


def set_defaults(fn, name, value):
    def change(undo):
        undo.callback(setattr, fn, name, getattr(fn, name))
        setattr(fn, name, value)

    return change


def set_elements(target, values):
    return set_item(target, slice(None), values)


def branch(x):
    return x * 2 if flag else x * 5


def by_word(x):
    return x * 2 if word == "double" else x * 5


def maybe(x):
    return x * 2 if nothing is None else x * nothing


def loop(x):
    s = 0.0
    for _ in range(count):
        s = s + x
    return s


def over_numbers(x):
    s = 0.0
    for v in numbers:
        s = s + v * x
    return s


def closure_over(value):
    def f(x):
        return x * value

    return f


CASES = [
    # the function, a change, the derivative at 1.0 before and after
    (lambda x: x * k, set_global("k", 5.0), 2, 5),
    (lambda x: x * k, set_global("k", 5), 2, 5),
    (lambda x: x * k, set_global("k", np.float32(5)), 2, 5),
    (lambda x: np.sum(x * k), set_global("k", np.array([1.0, 2.0])), 2, 3),
    (branch, set_global("flag", False), 2, 5),
    (by_word, set_global("word", "other"), 2, 5),
    (maybe, set_global("nothing", 5.0), 2, 5),
    (loop, set_global("count", 5), 3, 5),
    (lambda x: x * pair[0] * pair[1], set_global("pair", (2.0, 5.0)), 6, 10),
    (lambda x: sum(pair) * x, set_global("pair", (2.0, 5.0, 1.0)), 5, 8),
    (over_numbers, set_elements(numbers, [1.0, 5.0]), 3, 6),
    (over_numbers, set_elements(numbers, [1.0, 5.0, 7.0]), 3, 13),
    (over_numbers, set_elements(numbers, []), 3, 0),
    (lambda x: sum(numbers) * x, set_elements(numbers, [1.0, 2.0, 3.0]), 3, 6),
    (lambda x: len(numbers) * x, set_elements(numbers, [1.0, 2.0, 3.0]), 2, 3),
    (lambda x: numbers[0] * numbers[-1] * x, set_elements(numbers, [3.0, 1.0, 7.0]), 2, 21),
    (lambda x: table["a"] * x, set_item(table, "a", 5.0), 2, 5),
    (lambda x: sum(table.values()) * x, add_item(table, "b", 5.0), 2, 7),
    (lambda x: np.sum(array * x), set_item(array, 0, 5.0), 3, 7),
    (lambda x: np.sum(array * x), set_global("array", np.ones((2, 2))), 3, 4),
    (
        lambda x: nested["inner"]["w"][0] * np.sum(nested["inner"]["w"][1] * x),
        set_item(nested, "inner", {"w": [5.0, np.array([1.0])]}), 6, 5,
    ),
    (lambda x: nested["inner"]["w"][0] * x, set_item(nested["inner"]["w"], 0, 5.0), 2, 5),
    (lambda x: module.k * x, set_attribute(module, "k", 5.0), 2, 5),
    (lambda x: module.k * x, set_attribute(module, "k", np.array(5.0)), 2, 5),
    (lambda x: module.inner.k * x, set_attribute(module.inner, "k", 5.0), 3, 5),
    (
        lambda x: module.inner.k * x,
        set_attribute(module, "inner", types.SimpleNamespace(k=7.0)), 3, 7,
    ),
    (lambda x: module.fn(x), set_attribute(module, "fn", lambda x: x * 5), 2, 5),
    (lambda x: module.fn(x), set_attribute(module, "fn", abs), 2, 1),
    (uses_helper, set_global("helper", lambda x: x * 5), 4, 10),
    (uses_helper, set_global("k", 5.0), 4, 10),
    (uses_helper, set_code(helper, lambda x: x * 7), 4, 14),
    (with_default, set_defaults(with_default, "__defaults__", (5.0, (1.0,))), 7, 11),
    (with_default, set_defaults(with_default, "__kwdefaults__", {"n": 3}), 7, 9),
    (lambda x: with_default(x), set_defaults(with_default, "__defaults__", (5.0, (1.0,))), 7, 11),
    (lambda x: with_default(x), set_defaults(with_default, "__kwdefaults__", {"n": 3}), 7, 9),
    (lambda x: model.forward(x), set_attribute(model, "rate", 5.0), 6, 10),
    (lambda x: model.forward(x), set_attribute(Model, "scale", 5.0), 6, 15),
    (lambda x: model.forward(x), set_attribute(Model, "forward", lambda self, x: x * 7), 6, 7),
    (lambda x: child.forward(x), set_attribute(Model, "forward", lambda self, x: x * 7), 6, 7),
    (
        lambda x: child.forward(x),
        set_attribute(Child, "forward", lambda self, x: x * 7), 6, 7,
    ),
    (lambda x: model.forward(x), set_attribute(model, "forward", lambda x: x * 7), 6, 7),
    (lambda x: model.total(x), set_elements(model.layers, [1.0]), 5, 1),
    (lambda x: model.total(x), set_attribute(model, "layers", [5.0, 6.0]), 5, 11),
    (lambda x: model.activation(x), set_attribute(model, "activation", np.negative), np.cos(1), -1),
    (lambda x: Model.static(x), set_attribute(Model, "static", lambda x: x * 7), 2, 7),
    (lambda x: Model.made(x), set_attribute(Model, "scale", 7.0), 2, 7),
    (lambda x: model.doubled * x, set_attribute(model, "rate", 5.0), 6, 10),
    (lambda x: model(x), set_attribute(model, "rate", 5.0), 3, 5),
    (lambda x: model(x), set_attribute(Model, "__call__", lambda self, x: x * 7), 3, 7),
    (lambda x: model.forward(x), set_global("model", Model(1.0)), 6, 2),
    (lambda x: Model(x).forward(1.0), set_attribute(Model, "scale", 7.0), 2, 7),
    (
        lambda x: Model(x).forward(1.0),
        set_attribute(Model, "forward", lambda self, x: x * self.rate * 9), 2, 9,
    ),
    (model.forward, set_attribute(model, "rate", 5.0), 6, 10),
    (model, set_attribute(model, "rate", 5.0), 3, 5),
    (model, set_attribute(Model, "__call__", lambda self, x: x * 7), 3, 7),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "change", "before", "after"), CASES)
@pytest.mark.parametrize("operator", ["grad", "vjp", "jvp", "value_and_grad"])
def test_a_change_is_seen(fn, change, before, after, operator):
    gradient = ad.value_and_grad(fn) if operator == "value_and_grad" else ad.grad(fn)
    find = {
        "grad": lambda: gradient(1.0),
        "vjp": lambda: ad.vjp(fn, 1.0)[1](1.0)[0],
        "jvp": lambda: ad.jvp(fn, (1.0,), (1.0,))[1],
        "value_and_grad": lambda: gradient(1.0)[1],
    }[operator]
    assert [find(), find()] == pytest.approx([before, before])
    with contextlib.ExitStack() as undo:
        change(undo)
        assert [find(), find()] == pytest.approx([after, after])
    assert find() == pytest.approx(before)


def test_cells_of_the_function_and_of_its_helpers():
    inner = 2.0

    def uses(x):
        return x * inner

    def f(x):
        return uses(x) * inner

    g = ad.grad(f)
    assert g(1.0) == 4.0
    inner = 3.0
    assert g(1.0) == 9.0
    inner = np.array([1.0, 2.0])
    assert ad.grad(lambda x: np.sum(f(x)))(1.0) == 5.0

    inner = 4.0
    assert g(1.0) == 16.0


def test_a_cell_that_gets_its_value_later():
    def f(x):
        return later(x)

    g = ad.grad(f)
    with pytest.raises(Exception, match="later"):
        g(1.0)

    def later(x):
        return 3 * x

    assert g(1.0) == 3.0


def test_closures_of_one_code():
    gradients = [ad.grad(closure_over(v)) for v in (2.0, 3.0)]
    assert [g(1.0) for g in gradients] == [2.0, 3.0]


def test_partials_whose_keywords_change():
    p = functools.partial(with_default, c=3.0)
    g = ad.grad(lambda x: p(x))
    direct = ad.grad(p)
    assert g(1.0) == direct(1.0) == 9.0
    p.keywords["c"] = 5.0
    assert g(1.0) == 13.0
    assert direct(1.0) == 13.0


def test_mutable_defaults():
    def f(x, ws=[1.0, 2.0]):  # noqa: B006
        s = 0.0
        for w in ws:
            s = s + w * x
        return s

    direct, called = ad.grad(f), ad.grad(lambda x: f(x))
    assert direct(1.0) == called(1.0) == 3.0
    f.__defaults__[0].append(5.0)
    assert direct(1.0) == 8.0
    assert called(1.0) == 8.0
    f.__defaults__[0][0] = 2.0
    assert direct(1.0) == 9.0
    assert called(1.0) == 9.0


def test_a_rule_that_comes_and_goes():
    g = ad.grad(uses_helper)
    assert g(1.0) == 4.0

    @ad.rule(helper)
    def helper_rule(z, x):
        ad.d[z, x] = k * 100

    try:
        assert g(1.0) == 400.0
    finally:
        own.forget(helper)
    assert g(1.0) == 4.0


def test_a_helper_that_could_not_be_compiled(monkeypatch):
    def dark(x):
        return float(f"{x}")

    monkeypatch.setitem(globals(), "helper", dark)
    g = ad.grad(uses_helper)
    with pytest.raises(ad.NoDerivativeError):
        g(1.0)
    monkeypatch.setitem(globals(), "helper", lambda x: 3 * x)
    assert g(1.0) == 6.0


def test_what_an_inactive_call_reads(monkeypatch):
    def constant():
        try:
            return module.k
        except AttributeError:
            return 0.0

    def f(x):
        return x * constant() * module.k

    g = ad.grad(f)
    assert g(1.0) == 4.0
    monkeypatch.setattr(module, "k", 3.0)
    assert g(1.0) == 9.0
    monkeypatch.setattr(module, "k", np.array([1.0, 2.0]))
    assert ad.grad(lambda x: np.sum(f(x)))(1.0) == 5.0


def test_an_attribute_of_an_argument_that_hides_a_method():
    def f(m, x):
        return m.forward(x) * 1.0

    g = ad.grad(f, argnums=1)
    given = Model(3.0)
    assert g(given, 1.0) == 6.0
    given.forward = lambda x: x * 7
    try:
        assert g(given, 1.0) == 7.0
    except ad.UnsupportedSyntaxError as error:
        assert "hides the method `forward`" in str(error)
    del given.forward
    assert g(given, 1.0) == 6.0
