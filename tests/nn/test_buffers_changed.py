"""Arrays of a module that its functions change in place, in control flow, in every mode."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms
from tests.support.networks import Pair


class State(Pair):
    """Parameters, buffers, an array of integers and a list, and the same in a part."""

    def __init__(self):
        super().__init__()
        self.register_buffer("m", np.array([0.5, 0.25]))
        self.t = 2.0
        self.w = np.array([3, 4])
        self.inner = Pair()
        self.inner.register_buffer("m", np.array([1.0, 2.0]))
        self.tab = [np.array([1.0, 2.0]), 0.5]

    def arrays(self):
        parts = (self.inner.m, self.inner.a, self.inner.b)
        return [self.m, self.w, self.a, self.b, self.tab[0], *parts]


X = np.array([1.0, 2.0])
PROGRAMS = {}
REFUSED = ("tab",)  # in the typed form


def case(fn):
    PROGRAMS[fn.__name__] = fn
    return fn


@case
def branch(net, x):
    if np.sum(x) > 0:
        net.m *= 0.5
        y = net.m * net.a
    else:
        net.m += 1
        y = net.a * net.b
    return np.sum(y * net.m * x)


@case
def loop(net, x):
    s = 0.0
    for _ in range(4):
        net.m += 0.1 * x * net.a
        s = s + np.sum(net.m**2 * net.b)
    return s


@case
def loopinner(net, x):
    s = 0.0
    for _ in range(3):
        net.inner.m *= x
        s = s + np.sum(net.inner.m**2 * net.inner.b)
    return s + np.sum(net.inner(x))


@case
def view(net, x):
    v = net.m[0:1]
    v *= 3.0
    net.m[1] = x[0]
    return np.sum(net.m * net.a * x)


@case
def stored(net, x):
    y = net.m * x
    net.m[...] = x * net.b
    return np.sum(y * net.m * net.m)


@case
def swap(net, x):
    a, b = net.m, net.inner.m
    a += b * x
    b *= a
    return np.sum(a * b * net.a)


@case
def helper(net, x):
    def upd(m, k):
        m *= k
        return m

    return np.sum(upd(net.m, x) * net.a) + np.sum(upd(net.inner.m, x * net.b))


@case
def outarg(net, x):
    np.multiply(net.m, x, out=net.m)
    return np.sum(net.m * net.a)


@case
def whileloop(net, x):
    k = 0
    while np.sum(net.m) < 10.0:
        net.m *= 1.5
        k += 1
    return np.sum(net.m * net.a * x) * k


@case
def tab(net, x):
    net.tab[0] *= 2
    return np.sum(net.tab[0] * net.a) * net.tab[1]


@case
def inta(net, x):
    net.w += 1
    return np.sum(net.w * net.a)


@case
def innergrad(net, x):
    def e(y):
        net.m *= 1.1
        return np.sum(net.m * y**2 * net.a)

    g = ad.grad(e)(x)
    return np.sum(g * net.m)


@case
def innergradnet(net, x):
    def e(k, y):
        k.m *= 1.1
        return np.sum(k.m * y**2 * k.a**2)

    g = ad.grad(e)(net, x)
    return np.sum(g.a * net.m)


@case
def paramview(net, x):
    v = net.a[:1]
    v *= 2.0
    return np.sum(net.a * x)


@case
def paraminner(net, x):
    net.inner.a += x
    y = np.sum(net.inner.a**2)
    net.inner.a *= net.b
    return y + np.sum(net.inner.a * net.a)


@case
def floatset(net, x):
    return np.sum(net.a * x) * net.t


@case
def branch_in_a_loop(net, x):
    total = 0.0
    for i in range(3):
        if i == 1:
            net.m += net.a * x
        else:
            net.inner.m *= 1.5
        total = total + np.sum(net.m**2 * net.inner.m)
    return total


@case
def read_after_the_loop(net, x):
    for _ in range(3):
        net.m += x * net.b
    return np.sum(net.m**3)


@case
def recursive(net, x):
    def down(net, y, k):
        if k <= 0:
            return np.sum(y * net.t)
        return down(net, np.sin(y * net.a) * net.m, k - 1)

    return down(net, x, int(np.sum(net.w)) - 4)


@case
def early_return(net, x):
    net.m *= 2.0
    if np.sum(net.m * x) > 1.0:
        net.m += net.a
        return np.sum(net.m * x)
    return np.sum(net.b)


@case
def two_arrays(net, x):
    for buffer in (net.m, net.inner.m):
        buffer *= x
    return np.sum(net.m * net.inner.m * net.a)


def differences(fn):
    """The gradients of a program by parameters and by x."""
    by_net = {}
    for name, _ in State().named_parameters():
        found = np.zeros(2)
        for i in range(2):
            ends = []
            for step in (1e-6, -1e-6):
                net = State()
                dict(net.named_parameters())[name][i] += step
                ends.append(fn(net, X))
            found[i] = (ends[0] - ends[1]) / 2e-6
        by_net[name] = found
    steps = np.eye(2) * 1e-6
    by_x = np.array([(fn(State(), X + h) - fn(State(), X - h)) / 2e-6 for h in steps])
    return by_net, by_x


def close(grads, by_net):
    found = dict(grads.named_parameters())
    return all(np.allclose(found[name], want, atol=1e-5) for name, want in by_net.items())


@pytest.mark.parametrize("form", ["typed", "recorded"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name, form):
    fn = PROGRAMS[name]
    plain = State()
    value = fn(plain, X)
    by_net, by_x = differences(fn)

    def check(found, net):
        np.testing.assert_allclose(found, value)
        for got, want in zip(net.arrays(), plain.arrays(), strict=True):
            np.testing.assert_allclose(got, want)

    with forms.only(form):
        net = State()
        if form == "typed" and name in REFUSED:
            with pytest.raises(ad.UnsupportedSyntaxError, match="belongs to an object"):
                ad.grad(fn)(net, X)
            return
        found, grads = ad.value_and_grad(fn)(net, X)
        check(found, net)
        assert close(grads, by_net)

        net = State()
        found, pullback = ad.vjp(fn, net, X)
        check(found, net)
        for array in net.arrays():
            array *= 0  # the pullback has copies
        grads, d_x = pullback(1.0)
        assert close(grads, by_net)
        np.testing.assert_allclose(d_x, by_x, atol=1e-5)

        net = State()
        tangents = ad.tree.map(np.ones_like, net), np.ones(2)
        found, tangent = ad.jvp(fn, (net, X), tangents)
        check(found, net)
        total = by_x.sum() + sum(array.sum() for array in by_net.values())
        np.testing.assert_allclose(tangent, total, atol=1e-4)

        net = State()
        found, d_x = ad.value_and_grad(fn, 1)(net, X)
        check(found, net)
        np.testing.assert_allclose(d_x, by_x, atol=1e-5)
