"""Derivatives by modules in every mode and in both forms, against differences."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms, nn
from tests.support.networks import (
    MLP,
    Chain,
    Dense,
    Pair,
    Tied,
    TwiceTheSame,
    check_gradient,
    loss,
    numeric,
    output,
    zeros,
)


@pytest.fixture(params=["typed", "recorded"], autouse=True)
def form(request):
    with forms.only(request.param):
        yield request.param


@pytest.fixture
def x(rng):
    return rng.standard_normal((5, 3))


def directions(net, seed=1):
    rng = np.random.default_rng(seed)
    return ad.tree.map(lambda p: rng.standard_normal(p.shape), net)


def dot(a, b):
    pairs = zip(ad.tree.leaves(a), ad.tree.leaves(b), strict=True)
    return sum(np.sum(p * q) for p, q in pairs)


# -- reverse ---------------------------------------------------------------------------------------


def test_grad(x):
    net = MLP()
    check_gradient(ad.grad(loss)(net, x), loss, net, x)


def test_gradient_has_memory_of_its_own(x):
    net = MLP()
    grads = ad.grad(loss)(net, x)
    own = [id(p) for p in net.parameters()]
    for array in grads.parameters():
        assert id(array) not in own
        assert not any(np.shares_memory(array, p) for p in net.parameters())


def test_value_and_grad(x):
    net = MLP()
    value, grads = ad.value_and_grad(loss)(net, x)
    np.testing.assert_allclose(value, loss(net, x))
    check_gradient(grads, loss, net, x)


def test_aux(x):
    def with_output(net, x):
        y = net(x)
        return np.sum(y**2), {"y": y}

    net = MLP()
    grads, aux = ad.grad(with_output, has_aux=True)(net, x)
    check_gradient(grads, loss, net, x)
    np.testing.assert_allclose(aux["y"], net(x))
    (value, aux), grads = ad.value_and_grad(with_output, has_aux=True)(net, x)
    np.testing.assert_allclose(value, loss(net, x))
    np.testing.assert_allclose(aux["y"], net(x))


def test_settings_of_the_gradient_are_those_of_the_module(x):
    net = MLP().eval()
    grads = ad.grad(loss)(net, x)
    assert grads.slope == 0.5 and not grads.training and not grads.fc1.training


def test_vjp(x):
    net = MLP()
    value, pullback = ad.vjp(output, net, x)
    np.testing.assert_allclose(value, net(x))
    d_net, d_x = pullback(2 * value)
    check_gradient(d_net, loss, net, x)
    np.testing.assert_allclose(d_x, ad.grad(loss, 1)(net, x))


def test_pullback_does_not_see_later_changes(x):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = Dense(3, 2, np.random.default_rng(0))
            self.register_buffer("scale", np.array([2.0, 3.0]))
            self.table = {"offset": np.array([0.5, 0.25])}

        def forward(self, x):
            return np.tanh(self.fc(x) * self.scale) * self.table["offset"]

    net = Scaled()
    value, pullback = ad.vjp(output, net, x)
    before = pullback(value)
    net.fc.weight *= 0.0
    net.fc.bias += 7.0
    net.scale *= 0.0
    net.table["offset"] *= 0.0
    for a, b in zip(ad.tree.leaves(before), ad.tree.leaves(pullback(value)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_vjp_of_the_module_itself(x):
    net = MLP()
    value, pullback = ad.vjp(net, x)
    (d_x,) = pullback(2 * value)
    np.testing.assert_allclose(d_x, ad.grad(loss, 1)(net, x))


def test_vjp_of_a_gradient(x):
    net, direction = Pair(), Pair(0.5, -1.0)
    x = x[0, :2]
    value, pullback = ad.vjp(ad.grad(loss), net, x)
    assert type(value) is Pair
    d_net, _ = pullback(direction)
    expected = ad.hvp(loss, (net, x), (direction, 0 * x))
    np.testing.assert_allclose(d_net.a, expected.a)
    with pytest.raises(ad.CotangentError, match="class Pair, not dict"):
        pullback({"a": direction.a, "b": direction.b})
    with pytest.raises(ad.CotangentError, match=r"the value\.b has shape \(3,\)"):
        direction.b = np.zeros(3)
        pullback(direction)


def test_several_modules(x):
    def product(first, second, x):
        return np.sum(first(x) * second(x))

    first, second = MLP(), MLP(seed=3)
    d_first, d_second = ad.grad(product, argnums=(0, 1))(first, second, x)
    check_gradient(d_first, lambda net, x: product(net, second, x), first, x)
    check_gradient(d_second, lambda net, x: product(first, net, x), second, x)
    by_name = ad.grad(product, argnames=("second", "x"))(first, second, x)
    assert list(by_name) == ["second", "x"]
    np.testing.assert_allclose(by_name["second"].fc1.weight, d_second.fc1.weight)


def test_two_arguments_that_are_one_module(x):
    """As with arrays: the gradient by each argument is that by this argument alone."""

    def product(first, second, x):
        return np.sum(first(x) * second(x))

    net = MLP()
    d_first, d_second = ad.grad(product, argnums=(0, 1))(net, net, x)
    other = MLP()
    check_gradient(d_first, lambda net, x: product(net, other, x), net, x)
    np.testing.assert_allclose(d_second.fc1.weight, d_first.fc1.weight)


def test_by_another_argument(x):
    net = MLP()
    d_x = ad.grad(loss, 1)(net, x)
    expected = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = 1e-6
        expected[index] = (loss(net, x + step) - loss(net, x - step)) / 2e-6
    np.testing.assert_allclose(d_x, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", [list, tuple])
def test_in_a_sequence(kind, x):
    def product(nets, x):
        return np.sum(nets[0](x) * nets[1](x))

    first, second = MLP(), MLP(seed=3)
    grads = ad.grad(product)(kind([first, second]), x)
    assert type(grads) is kind
    check_gradient(grads[1], lambda net, x: product([first, net], x), second, x)


def test_loop_over_a_list_of_modules(x):
    def chained(nets, x):
        for net in nets:
            x = np.tanh(net(x)) * net.scale
        return np.sum(x)

    nets = [Dense(3, 3, np.random.default_rng(i)) for i in range(3)]
    for i, net in enumerate(nets):
        net.scale = 0.5 + i
    grads = ad.grad(chained)(nets, x)
    for i in range(3):
        check_gradient(
            grads[i], lambda net, x, i=i: chained([*nets[:i], net, *nets[i + 1 :]], x), nets[i], x
        )


def test_in_a_dict_beside_a_number(x):
    def scaled(params, x):
        return np.sum(params["net"](x) * params["scale"])

    net = MLP()
    grads = ad.grad(scaled)({"net": net, "scale": 2.0}, x)
    check_gradient(grads["net"], lambda net, x: scaled({"net": net, "scale": 2.0}, x), net, x)
    np.testing.assert_allclose(grads["scale"], np.sum(net(x)))


def test_part_of_an_argument_is_no_module(x):
    """A bias of None is a setting; an array of integers is a constant."""

    class Embedding(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = np.linspace(-1.0, 1.0, 12).reshape(4, 3)
            self.order = np.array([2, 0, 2])
            self.fc = Dense(3, 2, np.random.default_rng(0), bias=False)

        def forward(self, x):
            return self.fc(self.table[self.order] * x)

    net = Embedding()
    grads = ad.grad(loss)(net, x[:3])
    check_gradient(grads, loss, net, x[:3])
    assert grads.fc.bias is None
    np.testing.assert_array_equal(grads.order, net.order)
    net.order = np.array([1, 1, 3])
    check_gradient(ad.grad(loss)(net, x[:3]), loss, net, x[:3])


def test_float32(x):
    net = MLP().astype(np.float32)
    grads = ad.grad(loss)(net, x.astype(np.float32))
    assert all(g.dtype == np.float32 for g in grads.parameters())
    expected = ad.grad(loss)(MLP(), x)
    np.testing.assert_allclose(grads.fc1.weight, expected.fc1.weight, rtol=1e-4, atol=1e-5)


def test_module_that_is_not_used(x):
    net = MLP()
    grads = ad.grad(lambda net, x: np.sum(x**2) * 1.0)(net, x)
    assert type(grads) is MLP
    assert all(not g.any() and g.shape == p.shape
               for g, p in zip(grads.parameters(), net.parameters(), strict=True))  # fmt: skip


def test_branches_and_loops(x):
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = Dense(3, 3, np.random.default_rng(0))
            self.second = Dense(3, 3, np.random.default_rng(1))

        def forward(self, x):
            for _ in range(3):
                if np.sum(x) > 0.0:
                    x = np.tanh(self.first(x))
                else:
                    x = np.sin(self.second(x)) + self.first.bias
            return x

    net = Gated()
    for sign in (1.0, -1.0):
        check_gradient(ad.grad(loss)(net, sign * x), loss, net, sign * x)


# -- forward ---------------------------------------------------------------------------------------


def test_jvp(x):
    net = MLP()
    direction = directions(net)
    value, tangent = ad.jvp(loss, (net, x), (direction, np.zeros_like(x)))
    np.testing.assert_allclose(value, loss(net, x))
    np.testing.assert_allclose(tangent, dot(ad.grad(loss)(net, x), direction))


def test_jvp_in_containers(x):
    def scaled(params, x):
        return np.sum(params[0](x) * params[1])

    net = MLP()
    direction = directions(net)
    _, tangent = ad.jvp(scaled, ((net, 2.0), x), ((direction, 1.0), np.zeros_like(x)))
    d_net, d_scale = ad.grad(scaled)((net, 2.0), x)
    np.testing.assert_allclose(tangent, dot(d_net, direction) + d_scale)


def test_jvp_leaves_tangents_alone(x):
    net = MLP()
    direction = directions(net)
    before = [p.copy() for p in direction.parameters()]
    ad.jvp(loss, (net, x), (direction, np.zeros_like(x)))
    for a, b in zip(before, direction.parameters(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("tangent", "message"),
    [
        (lambda net: None, "the tangent of `net` must be of class MLP, not NoneType"),
        (lambda net: {}, "the tangent of `net` must be of class MLP, not dict"),
        (lambda net: MLP(hidden=7), r"`net`.fc1.weight has shape \(7, 3\)"),
        (lambda net: net.fc1, "must be of class MLP, not Dense"),
    ],
)
def test_tangent_that_does_not_fit(tangent, message, x):
    net = MLP()
    with pytest.raises(ad.CotangentError, match=message):
        ad.jvp(loss, (net, x), (tangent(net), np.zeros_like(x)))


def test_tangent_without_a_part(x):
    net, direction = MLP(), directions(MLP())
    del direction.fc1.bias
    with pytest.raises(ad.CotangentError, match=r"`net`\.fc1, of class Dense, must have the parts"):
        ad.jvp(loss, (net, x), (direction, np.zeros_like(x)))


def test_hvp(x):
    net = MLP()
    direction = directions(net)
    found = ad.hvp(loss, (net, x), (direction, np.zeros_like(x)))
    check_gradient(
        found, lambda net, x: dot(ad.grad(loss)(net, x), direction), net, x
    )  # fmt: skip


def test_grad_of_a_function_of_a_gradient(x):
    def size(net, x):
        grads = ad.grad(loss)(net, x)
        return np.sum(grads.fc1.weight**2) + np.sum(grads.fc2.bias * grads.slope)

    net = MLP()
    check_gradient(ad.grad(size)(net, x), size, net, x)


def test_step_of_descent_inside(x):
    """The derivative goes through a step of training, made by hand."""

    def after_a_step(net, x):
        grads = ad.grad(loss)(net, x)
        weight = net.a - 0.1 * grads.a
        return np.sum((weight * np.sin(net.b * x)) ** 2)

    net, x = Pair(), x[0, :2]
    check_gradient(ad.grad(after_a_step)(net, x), after_a_step, net, x)


def test_jvp_of_a_gradient(x):
    net = MLP()
    direction = directions(net)
    value, tangent = ad.jvp(ad.grad(loss), (net, x), (direction, np.zeros_like(x)))
    np.testing.assert_allclose(value.fc1.weight, ad.grad(loss)(net, x).fc1.weight)
    expected = ad.hvp(loss, (net, x), (direction, np.zeros_like(x)))
    assert type(tangent) is MLP
    for a, b in zip(tangent.parameters(), expected.parameters(), strict=True):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian(mode, x):
    net = Pair()
    x = x[0, :2]
    found = ad.jacobian(output, mode=mode)(net, x)
    assert type(found) is Pair
    np.testing.assert_allclose(found.a, np.diag(np.sin(net.b * x)))
    np.testing.assert_allclose(found.b, np.diag(net.a * x * np.cos(net.b * x)))


def test_hessian(x):
    net = Pair()
    x = x[0, :2]
    found = ad.hessian(loss)(net, x)
    unit = Pair()
    unit.a, unit.b = np.array([1.0, 0.0]), np.zeros(2)
    column = ad.hvp(loss, (net, x), (unit, 0 * x))
    np.testing.assert_allclose(found.b.a[:, 0], column.b)
    np.testing.assert_allclose(found.a.b, found.b.a.T)


def test_source(form, x):
    text = ad.source(loss, MLP(), x)
    if form == "typed":
        assert "return with_parts(net, fc1=" in text or "d_net = with_parts(net" in text
    assert ad.source(loss, MLP(), x, mode="forward")


def test_check_grads(x):
    ad.testing.check_grads(loss, (MLP(), x))
    ad.testing.check_grads(loss, (Pair(), x[0, :2]), order=2)

    def wrong(net, x):
        return np.sum(ad.stop_gradient(net.fc1(x)) * net.fc1(x))

    with pytest.raises(AssertionError, match=r"by `net\.fc1\.(weight|bias)|by `net`"):
        ad.testing.check_grads(wrong, (MLP(), x))


# -- modules from outside --------------------------------------------------------------------------


def test_closure_sees_what_changes(x):
    net = MLP()

    def by_x(x):
        return np.sum(net(x) ** 2)

    def check():
        np.testing.assert_allclose(d(x), ad.grad(loss, 1)(net, x))

    d = ad.grad(by_x)
    check()
    net.fc1.weight *= 2.0
    check()
    net.fc1.weight = net.fc1.weight + 0.5
    check()
    net.slope = 0.25
    check()
    net.fc2.bias = None
    check()
    net.fc1 = Dense(3, 4, np.random.default_rng(9))
    check()
    net.fc1 = Dense(3, 6, np.random.default_rng(9))
    net.fc2 = Dense(6, 2, np.random.default_rng(9))
    check()


class Modal(Pair):
    def forward(self, x):
        if self.training:
            return self.a * x
        return self.b * x * x


modal = Modal()


def test_global_module_and_its_mode():
    d = ad.grad(lambda x: np.sum(modal(x)))
    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(d(x), modal.a)
    modal.eval()
    np.testing.assert_allclose(d(x), 2 * modal.b * x)
    modal.train()
    np.testing.assert_allclose(d(x), modal.a)


def test_mode_of_an_argument():
    d, net, x = ad.grad(loss, 1), Modal(), np.array([1.0, 2.0])
    np.testing.assert_allclose(d(net, x), 2 * net.a**2 * x)
    np.testing.assert_allclose(d(net.eval(), x), 4 * net.b**2 * x**3)
    np.testing.assert_allclose(d(net.train(), x), 2 * net.a**2 * x)


# -- tied weights ----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Tied, TwiceTheSame])
def test_tied(make, x):
    net = make()
    grads = ad.grad(loss)(net, x)
    check_gradient(grads, loss, net, x)
    assert grads.decoder.weight is grads.encoder.weight
    assert len(grads.parameters()) == len(net.parameters())
    assert (grads.decoder is grads.encoder) == (net.decoder is net.encoder)


@pytest.mark.parametrize("make", [Tied, TwiceTheSame])
def test_tied_in_every_mode(make, x):
    net = make()
    total = ad.grad(loss)(net, x)
    value, pullback = ad.vjp(output, net, x)
    (d_net, _) = pullback(2 * value)
    np.testing.assert_allclose(d_net.decoder.weight, total.encoder.weight)
    assert d_net.decoder.weight is d_net.encoder.weight
    direction = make(seed=5)
    _, tangent = ad.jvp(loss, (net, x), (direction, 0 * x))
    each = zip(total.parameters(), direction.parameters(), strict=True)
    np.testing.assert_allclose(tangent, sum(np.sum(a * b) for a, b in each))
    found = ad.hvp(loss, (net, x), (direction, 0 * x))

    def along(net, x):
        grads = ad.grad(loss)(net, x)
        pairs = zip(grads.parameters(), direction.parameters(), strict=True)
        return sum(np.sum(a * b) for a, b in pairs)

    expected = numeric(along, net, x)
    for name, array in found.named_parameters():
        np.testing.assert_allclose(array, expected[name], rtol=1e-5, atol=1e-7)


def test_tied_gradient_of_a_gradient(x):
    def size(net, x):
        grads = ad.grad(loss)(net, x)
        return np.sum(grads.encoder.weight**2) + np.sum(grads.decoder.weight)

    net = Tied()
    check_gradient(ad.grad(size)(net, x), size, net, x)


def test_ties_that_come_and_go(x):
    net = Tied()
    d = ad.grad(loss)
    check_gradient(d(net, x), loss, net, x)
    net.decoder.weight = net.encoder.weight.copy()
    grads = d(net, x)
    check_gradient(grads, loss, net, x)
    assert grads.decoder.weight is not grads.encoder.weight
    net.encoder.weight = net.decoder.weight
    check_gradient(d(net, x), loss, net, x)


def test_tied_through_branches_and_loops(x):
    class Often(Tied):
        def forward(self, x):
            for _ in range(3):
                if np.sum(x) > 0:
                    x = np.tanh(self.encoder(x))
                else:
                    x = np.sin(self.decoder(x)) * self.decoder.weight[0]
            return x

    net = Often()
    for sign in (1.0, -1.0):
        check_gradient(ad.grad(loss)(net, sign * x), loss, net, sign * x)


def test_tangents_of_tied_weights_agree(x):
    net, direction = Tied(), ad.tree.map(np.ones_like, Tied())
    ad.jvp(loss, (net, x), (direction, 0 * x))
    direction.decoder.weight[0, 0] = 2.0
    with pytest.raises(ad.CotangentError, match=r"decoder\.weight and `net`\.encoder\.weight are"):
        ad.jvp(loss, (net, x), (direction, 0 * x))


def test_jacobian_by_tied_weights_is_refused(x):
    with pytest.raises(ad.ArgumentError, match="at two places"):
        ad.jacobian(output)(Tied(), x)
    with pytest.raises(ad.ArgumentError, match="at two places"):
        ad.testing.check_grads(loss, (Tied(), x))


def test_tied_weight_changed_in_place(x):
    class Doubled(Tied):
        def forward(self, x):
            y = self.encoder(x)
            self.encoder.weight *= 2.0
            return self.decoder(y)

    net = Doubled()
    weight = net.encoder.weight.copy()
    if forms.allowed == ("typed",):
        with pytest.raises((ad.UnsupportedSyntaxError, ad.AliasingError)):
            ad.grad(loss)(net, x)
        return
    grads = ad.grad(loss)(net, x)
    np.testing.assert_array_equal(net.encoder.weight, 2 * weight)
    net.encoder.weight /= 2.0

    def without_a_change(net, x):
        return np.sum((net.encoder(x) @ (2 * net.encoder.weight.T) + net.decoder.bias) ** 2)

    np.testing.assert_allclose(
        grads.encoder.weight, numeric(without_a_change, net, x)["encoder.weight"], rtol=1e-5
    )


def test_parts_in_a_list_as_well(form, x):
    """Parameters are read through a list of layers that are parts by their attributes."""

    class Listed(MLP):
        def __init__(self):
            super().__init__()
            self.layers = [self.fc1, self.fc2]
            self.methods = {"last": self.last}

        def last(self, x):
            return self.fc2(x)

        def forward(self, x):
            x = np.tanh(self.layers[0](x))
            return self.methods["last"](x) + self.layers[1](x)

    net = Listed()
    if form == "typed":
        with pytest.raises(ad.UnsupportedSyntaxError, match="attribute `layers` of `net` holds"):
            ad.grad(loss)(net, x)
        return
    check_gradient(ad.grad(loss)(net, x), loss, net, x)
    assert net.layers == [net.fc1, net.fc2]
    assert net.methods["last"].__self__ is net


def test_function_that_holds_the_module_is_refused(form, x):
    class Holding(MLP):
        def __init__(self):
            super().__init__()
            self.scaled = lambda y: y * self.fc2.bias

        def forward(self, x):
            return self.scaled(self.fc2(self.fc1(x)))

    with pytest.raises(ad.UnsupportedSyntaxError, match="`scaled`.* holds a part of it"):
        ad.grad(loss)(Holding(), x)


def test_part_of_itself():
    net = MLP()
    net.fc1.owner = net
    with pytest.raises(ad.ArgumentError, match="MLP is a part of itself"):
        ad.grad(loss)(net, np.ones((2, 3)))


# -- what forward changes --------------------------------------------------------------------------


class Running(Pair):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", np.zeros(2))

    def forward(self, x):
        self.mean *= 0.9
        self.mean += 0.1 * x
        return self.b * (x - self.mean) * self.a


def test_buffer_changed_in_place():
    def expected(net, x):
        return np.sum((net.b * (x - mean) * net.a) ** 2)

    x, d = np.array([1.0, 2.0]), ad.grad(loss)
    net, mean = Running(), np.zeros(2)
    kept = net.mean
    for _ in range(3):
        mean = 0.9 * mean + 0.1 * x
        check = d(net, x)
        np.testing.assert_allclose(net.mean, mean)
        np.testing.assert_allclose(check.a, numeric(expected, net, x)["a"], rtol=1e-6)
    assert net.mean is kept


def test_derivative_through_a_buffer():
    x = np.array([1.0, 2.0])
    net = Running()
    d_x = ad.grad(loss, 1)(net, x)
    np.testing.assert_allclose(d_x, 2 * 0.9**2 * net.a**2 * net.b**2 * x)


@pytest.mark.parametrize("operator", ["vjp", "jvp"])
def test_buffer_changed_in_other_modes(operator):
    x, net = np.array([1.0, 2.0]), Running()
    kept = net.mean
    if operator == "vjp":
        value, pullback = ad.vjp(output, net, x)
        np.testing.assert_allclose(pullback(value)[1], 0.9**2 * net.a**2 * net.b**2 * x)
    else:
        _, tangent = ad.jvp(output, (net, x), (zeros(net), np.ones(2)))
        np.testing.assert_allclose(tangent, 0.9 * net.a * net.b)
    assert net.mean is kept
    np.testing.assert_allclose(net.mean, 0.1 * x)


def test_buffer_of_a_part_changed_twice():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = Running()
            self.same = self.norm

        def forward(self, x):
            return self.same(self.norm(x))

    by_hand, net, x = Running(), Twice(), np.array([1.0, 2.0])
    expected = by_hand(by_hand(x))
    value = ad.value_and_grad(loss)(net, x)[0]
    np.testing.assert_allclose(value, np.sum(expected**2))
    np.testing.assert_allclose(net.norm.mean, by_hand.mean)


def test_buffer_that_is_overwritten_after_it_was_read():
    class Late(Running):
        def forward(self, x):
            y = self.a * x * self.mean
            self.mean[...] = x
            return y * self.mean

    def make():
        net = Late()
        net.mean += 3.0
        return net

    x = np.array([1.0, 2.0])
    net = make()
    grads = ad.grad(loss)(net, x)
    np.testing.assert_allclose(grads.a, 2 * net.a * (x * 3.0 * x) ** 2)
    np.testing.assert_array_equal(net.mean, x)
    np.testing.assert_allclose(
        ad.grad(loss, 1)(make(), x), 4 * x**3 * (3 * net.a) ** 2
    )  # fmt: skip


def test_parameter_changed_in_place():
    class Doubling(Pair):
        def forward(self, x):
            y = self.a * x
            self.b *= 2.0
            return y * self.b

    net, x = Doubling(), np.array([1.0, 2.0])
    a, b = net.a.copy(), net.b.copy()
    grads = ad.grad(loss)(net, x)
    np.testing.assert_array_equal(net.b, 2 * b)
    np.testing.assert_allclose(grads.a, 2 * a * (x * 2 * b) ** 2)
    np.testing.assert_allclose(grads.b, 2 * b * (2 * a * x) ** 2)


def test_two_arguments_share_a_buffer_that_is_changed():
    def both(first, second, x):
        return np.sum(first(x) * second(x))

    net = Running()
    with pytest.raises(ad.AliasingError, match="share"):
        ad.grad(both, argnums=(0, 1))(net, net, np.array([1.0, 2.0]))


class Counting(Pair):
    calls = 0

    def forward(self, x):
        self.calls += 1
        self.last = x
        self.hidden = self.a * x
        return self.b * self.hidden


def test_assigned_attributes(form):
    net, x = Counting(), np.array([1.0, 2.0])
    if form == "typed":
        with pytest.raises(ad.UnsupportedSyntaxError, match="attribute `calls` of the argument"):
            ad.grad(loss)(net, x)
        return
    d = ad.grad(loss)
    grads = d(net, x)
    assert net.calls == 1 and net.last is x
    np.testing.assert_array_equal(net.hidden, net.a * x)
    np.testing.assert_allclose(grads.a, 2 * net.a * (net.b * x) ** 2)
    assert type(net).calls == 0
    d(net, x)
    assert net.calls == 2
    _, pullback = ad.vjp(output, net, x)
    assert net.calls == 3
    np.testing.assert_allclose(pullback(np.ones(2))[0].b, net.a * x)


def test_assigned_and_then_read(form):
    class Remembering(Pair):
        def forward(self, x):
            self.state = self.a * x
            self.state = self.state * self.b
            return self.state

    if form == "typed":
        return
    net, x = Remembering(), np.array([1.0, 2.0])
    grads = ad.grad(loss)(net, x)
    np.testing.assert_allclose(grads.a, 2 * net.a * (net.b * x) ** 2)
    np.testing.assert_array_equal(net.state, net.a * x * net.b)


def test_parameter_replaced_in_forward(form):
    class Replacing(Pair):
        def forward(self, x):
            self.a = self.a * 2.0
            return self.a * self.b * x

    if form == "typed":
        return
    net, x = Replacing(), np.array([1.0, 2.0])
    before = net.a.copy()
    grads = ad.grad(loss)(net, x)
    np.testing.assert_array_equal(net.a, 2 * before)
    np.testing.assert_allclose(grads.a, 8 * before * (net.b * x) ** 2)


# -- sequences -------------------------------------------------------------------------------------


def chain():
    rng = np.random.default_rng(0)
    return Chain(Dense(3, 4, rng), Dense(4, 4, rng), Dense(4, 2, rng))


def test_sequence(x):
    net = chain()
    grads = ad.grad(loss)(net, x)
    check_gradient(grads, loss, net, x)
    assert len(grads) == 3


def read_in_many_ways(net, x):
    total = 0.0
    for i, layer in enumerate(net):
        x = layer(x) * (i + 1)
    for layer, k in zip(net, [1.0, 2.0, 3.0]):
        total = total + k * np.sum(layer.weight**2)
    for layer in net[:2]:
        total = total + np.sum(np.sin(layer.bias))
    for layer in reversed(list(net)):
        total = total * 1.5 + np.sum(layer.bias**2)
    first, *rest = net
    total = total + np.sum(first.weight) * len(net) + len(rest)
    total = total + sum([np.sum(layer.weight) for layer in net])
    return np.sum(x) + total + np.sum(net[-1].weight ** 3)


def test_sequence_read_in_many_ways(x):
    net = chain()
    check_gradient(ad.grad(read_in_many_ways)(net, x), read_in_many_ways, net, x)


def test_sequence_inside_a_module(x):
    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = chain()
            self.head = Dense(2, 1, np.random.default_rng(5))

        def forward(self, x):
            for layer in self.layers[:-1]:
                x = np.tanh(layer(x))
            return self.head(self.layers[-1](x))

    net = Holder()
    check_gradient(ad.grad(loss)(net, x), loss, net, x)


def test_sequence_with_parts_that_become_more(x):
    net, d = chain(), ad.grad(loss)
    check_gradient(d(net, x), loss, net, x)
    setattr(net, "3", Dense(2, 3, np.random.default_rng(7)))
    check_gradient(d(net, x), loss, net, x)


def test_index_that_depends_on_a_value(form, x):
    def picked(net, x):
        for i in range(len(net) - 1):
            x = np.tanh(net[i](x))
        return np.sum(x)

    if form == "typed":
        with pytest.raises(ad.UnsupportedSyntaxError, match="which part this is depends"):
            ad.grad(picked)(chain(), x)
        return
    net = chain()
    check_gradient(ad.grad(picked)(net, x), picked, net, x)


# -- what classes can do ---------------------------------------------------------------------------


def test_kinds_of_layers_and_settings(x):
    class Net(MLP):
        power = 2

        def __init__(self):
            super().__init__()
            self.names = ("fc1", "fc2")
            self.options = {"scale": 1.5, "shift": [0.5]}
            self.activation = np.tanh

        @property
        def scale(self):
            return self.fc2.bias[0] * 2.0

        @staticmethod
        def squared(x):
            return x * x

        def step(self, layer, x, *, twice=False):
            x = layer(x)
            return x * 2.0 if twice else x

        def forward(self, x):
            layers = (self.fc1, self.fc2)
            for i, layer in enumerate(layers):
                if isinstance(layer, Dense) and hasattr(layer, "weight"):
                    x = self.activation(self.step(layer, x, twice=i == 0))
            x = x * self.options["scale"] + self.options["shift"][0]
            y = self.squared(x) * self.scale + self.fc1.bias[0]
            return y**self.power + (0.0 if hasattr(self, "absent") else 1.0)

    net = Net()
    d = ad.grad(loss)
    check_gradient(d(net, x), loss, net, x)
    net.options["scale"] = 0.5
    net.options["shift"] = [1.0]
    check_gradient(d(net, x), loss, net, x)
    net.activation = np.sin
    check_gradient(d(net, x), loss, net, x)
    net.power = 3
    check_gradient(d(net, x), loss, net, x)
    net.absent = "here"
    check_gradient(d(net, x), loss, net, x)


def test_super(x):
    class Scaled(MLP):
        def forward(self, x):
            return super().forward(x) * self.fc2.bias

    class Again(Scaled):
        def forward(self, x, power=2):
            return super().forward(x) ** power

    net = Again()
    check_gradient(ad.grad(loss)(net, x), loss, net, x)


def test_setting_that_is_a_float_compiles_nothing_new(form, x):
    net, d = MLP(), ad.grad(loss)
    d(net, x)
    before = d._latest
    net.slope = 0.75
    check_gradient(d(net, x), loss, net, x)
    assert d._latest is before


def test_setting_that_is_an_int_is_compiled_in(x):
    class Power(Pair):
        n = 0

        def forward(self, x):
            for _ in range(self.n):
                x = self.a * np.sin(x)
            return x

    net, d, x = Power(), ad.grad(loss), x[0, :2]
    for n in (1, 3, True, 2):
        net.n = n
        check_gradient(d(net, x), loss, net, x)


def test_settings_that_are_equal_and_not_the_same(x):
    class Kinds(Pair):
        def forward(self, x):
            return self.a * x * (2.0 if self.flags[0] is True else 3.0)

    net, d, x = Kinds(), ad.grad(loss), x[0, :2]
    for flags in ((1,), (True,), (1,)):
        net.flags = flags
        check_gradient(d(net, x), loss, net, x)


def test_class_that_gets_another_forward(x):
    class Changing(Pair):
        def forward(self, x):
            return self.a * x

    net, d, x = Changing(), ad.grad(loss), x[0, :2]
    check_gradient(d(net, x), loss, net, x)
    Changing.forward = lambda self, x: self.b * x * x
    check_gradient(d(net, x), loss, net, x)

    class Other(Changing):
        def forward(self, x):
            return self.a * self.b * x

    net.__class__ = Other
    check_gradient(d(net, x), loss, net, x)


def test_forward_that_the_object_has_itself(x):
    net, d, x = Pair(), ad.grad(loss), x[0, :2]
    check_gradient(d(net, x), loss, net, x)
    net.forward = lambda x: x * 2.0 * np.sum(x)
    outer = Chain(net)
    for whole in (net, outer):
        if whole is net:
            np.testing.assert_allclose(d(net, x).a, 0.0)
        y, pullback = ad.vjp(output, whole, x)
        np.testing.assert_allclose(y, whole(x))
        np.testing.assert_allclose(
            ad.grad(loss, 1)(whole, x),
            [(loss(whole, x + h) - loss(whole, x - h)) / 2e-6 for h in np.eye(2) * 1e-6],
            rtol=1e-5,
        )


def test_module_made_in_the_function():
    def made(a):
        pair = Pair()
        pair.a = a
        return np.sum(pair(np.array([1.0, 2.0])))

    a = np.array([1.0, 2.0])
    if forms.allowed == ("recorded",):
        np.testing.assert_allclose(ad.grad(made)(a), np.sin(Pair().b * [1.0, 2.0]))


@pytest.mark.parametrize("make", [MLP, Tied, TwiceTheSame, lambda: Chain(MLP(), Pair())])
def test_penalty_on_all_parameters(make, x):
    def penalty(net, x):
        total = sum([np.sum(p**2) for p in net.parameters()])
        for name, p in net.named_parameters():
            if name.endswith("bias"):
                total = total + 0.5 * np.sum(p**3)
        return total * np.sum(x) + len(net.parameters())

    def through_modules(net, x):
        total = 0.0
        for module in net.modules():
            if isinstance(module, Dense):
                total = total + np.sum(module.weight**2)
        for name, module in net.named_modules():
            if name.endswith("fc1"):
                total = total + np.sum(module.bias**2)
        for child in net.children():
            total = total + len(child.parameters())
        return total + sum([len(name) for name, _ in net.named_children()])

    net = make()
    for fn in (penalty, through_modules):
        value, grads = ad.value_and_grad(fn)(net, x)
        np.testing.assert_allclose(value, fn(net, x))
        check_gradient(grads, fn, net, x)


def test_parameters_changed_in_place_through_a_list():
    def halved(net, x):
        for p in net.parameters():
            p *= 0.5
        return np.sum(net(x))

    net, x = Pair(), np.array([1.0, 2.0])
    a, b = net.a.copy(), net.b.copy()
    try:
        grads = ad.grad(halved)(net, x)
    except ad.AdjointError:
        assert forms.allowed == ("typed",)
        return
    np.testing.assert_array_equal(net.a, 0.5 * a)
    np.testing.assert_allclose(grads.a, 0.5 * np.sin(0.5 * b * x))


def test_method_of_the_users_that_is_called_parameters(x):
    class Own(MLP):
        def parameters(self):
            return [2.0 * self.fc1.weight]

    def fn(net, x):
        return np.sum(net.parameters()[0] ** 2)

    net = Own()
    np.testing.assert_allclose(ad.grad(fn)(net, x).fc1.weight, 8 * net.fc1.weight)


# -- a module is no dict -----------------------------------------------------------------------


def matched_as_a_mapping(net, x):
    match net:
        case {"a": a}:
            return np.sum(a * x) * 100
        case [a, b]:
            return np.sum(a * x) * 100
        case "text":
            return 0.0
        case Chain():
            return np.sum(net.a)
        case Pair(a=a, b=b):
            return np.sum(a * b * x)
    return 0.0


def asked_for_its_class(net, x):
    if isinstance(net, dict) or type(net) is not Pair or type(net).__name__ != "Pair":
        return np.sum(net.b * x)
    return np.sum(net.a * x)


def as_a_condition(net, x):
    chosen = net or None
    if all([net, True]) and any((net,)) and bool(net) and not (not net):
        return np.sum(chosen(x))
    return 0.0


def compared(net, x):
    if net == net and net in (None, net) and net is not None and not net != net:
        return np.sum(net.a * x)
    return 0.0


def class_attribute(net, x):
    return np.sum(net.a * x) if net.__class__ is Pair else np.sum(net.b)


def printed(net, x):
    return np.sum(net.a * x) * len(f"{net!r}")


def recursive(net, x):
    def down(net, y, k):
        return np.sum(y) if k == 0 else down(net, net(y), k - 1)

    return down(net, x, 3)


def paired(net, x):
    total = 0.0
    for part, k in [(net, 1.0), (net, 2.0)]:
        total = total + k * np.sum(part(x))
    return total + np.sum({"net": net}["net"](x))


def stopped(net, x):
    return np.sum(ad.stop_gradient(net)(x) * 0.0 + net.a)


@pytest.mark.parametrize("fn", [
    matched_as_a_mapping, asked_for_its_class, as_a_condition, compared, class_attribute, printed,
    recursive, paired, stopped,
])  # fmt: skip
def test_no_dict(fn, form):
    net, x = Pair(), np.array([1.0, 2.0])
    try:
        value, grads = ad.value_and_grad(fn)(net, x)
    except ad.UnsupportedSyntaxError:
        assert form == "typed" and fn in (compared, class_attribute)
        return
    np.testing.assert_allclose(value, fn(net, x))
    check_gradient(grads, fn, net, x)


def test_stop_gradient_of_a_module():
    def product(net, x):
        return np.sum(ad.stop_gradient(net)(x) * net.a)

    net, x = Pair(), np.array([1.0, 2.0])
    grads = ad.grad(product)(net, x)
    np.testing.assert_allclose(grads.a, net(x))
    np.testing.assert_array_equal(grads.b, [0.0, 0.0])


def test_hook_of_a_module_is_refused():
    def hooked(net, x):
        return np.sum(ad.register_hook(net, print)(x))

    if forms.allowed == ("recorded",):
        with pytest.raises(ad.UnsupportedSyntaxError, match="Pair .* is given a hook"):
            ad.grad(hooked)(Pair(), np.array([1.0, 2.0]))


# -- errors ----------------------------------------------------------------------------------------


def test_module_without_parameters(x):
    class Nothing(nn.Module):
        def forward(self, x):
            return x * 2.0

    grads, d_x = ad.grad(loss, argnums=(0, 1))(Nothing(), x)
    assert type(grads) is Nothing and grads.parameters() == []
    np.testing.assert_allclose(d_x, 8 * x)


def test_module_without_forward(x):
    class Headless(Pair):
        forward = nn.Module.forward

    with pytest.raises(NotImplementedError, match="Headless has no method `forward`"):
        ad.grad(loss)(Headless(), x)


def test_unknown_attribute(x):
    def wrong(net, x):
        return np.sum(net.fc3(x))

    with pytest.raises((AttributeError, ad.UnsupportedSyntaxError), match="fc3"):
        ad.grad(wrong)(MLP(), x)


def test_module_that_is_no_sequence(x):
    def wrong(net, x):
        for layer in net:
            x = layer(x)
        return np.sum(x)

    with pytest.raises((TypeError, ad.UnsupportedSyntaxError), match="MLP"):
        ad.grad(wrong)(MLP(), x)


# -- one cache, many objects -----------------------------------------------------------------------


def test_many_modules_of_one_class_share_code(x):
    d = ad.grad(loss)
    nets = [MLP(seed=s) for s in range(3)]
    for net in nets:
        check_gradient(d(net, x), loss, net, x)
    compiled = d._latest
    for net in nets:
        d(net, x)
    assert d._latest is compiled
    check_gradient(d(MLP(hidden=5), x), loss, MLP(hidden=5), x)


def test_other_order_of_attributes(x):
    """Parts are matched by name where two objects have them in another order."""
    first, second, d = Chain(Pair(), Pair(0.5)), Chain(), ad.grad(loss)
    setattr(second, "1", Pair(0.5))
    setattr(second, "0", Pair())
    x = x[0, :2]
    for net in (first, second, first):
        check_gradient(d(net, x), loss, net, x)
