"""What a Module offers: its arrays by name, its state, its modes, its text."""

import copy
import pickle

import numpy as np
import pytest

import adjoint as ad
from adjoint import nn
from tests.support.networks import MLP, Chain, Dense, Pair, Tied, TwiceTheSame


class Normed(nn.Module):
    """A part, a parameter, a buffer, an array of integers and settings."""

    def __init__(self, dtype=np.float64):
        super().__init__()
        self.fc = Dense(3, 2, np.random.default_rng(0))
        self.scale = np.ones(2, dtype)
        self.register_buffer("mean", np.zeros(2, dtype))
        self.order = np.array([1, 0])
        self.eps = 1e-5
        self.table = {"a": np.ones(2)}

    def forward(self, x):
        return (self.fc(x) - self.mean) * self.scale

    def extra_repr(self):
        return f"eps={self.eps}"


# -- parts and arrays ------------------------------------------------------------------------------


def test_parameters_are_arrays_of_floats():
    net = Normed()
    assert [name for name, _ in net.named_parameters()] == ["scale", "fc.weight", "fc.bias"]
    assert [id(p) for p in net.parameters()] == [id(net.scale), id(net.fc.weight), id(net.fc.bias)]
    net.order = np.array([0.5, 1.5])
    assert "order" in dict(net.named_parameters())
    net.fc.bias = None
    assert "fc.bias" not in dict(net.named_parameters())


def test_parameters_of_numbered_parts():
    rng = np.random.default_rng(0)
    net = Chain(Dense(3, 3, rng), Chain(Dense(3, 3, rng, bias=False)))
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.0.weight"]


def test_leaves_are_in_the_order_of_parameters():
    net = Normed()
    assert [id(a) for a in ad.tree.leaves(net)] == [id(p) for p in net.parameters()]
    assert list(ad.tree.named_leaves(net)) == [n for n, _ in net.named_parameters()]


def test_tied_weights_are_listed_once():
    net = Tied()
    assert len(net.parameters()) == 3
    assert "decoder.weight" not in dict(net.named_parameters())
    assert len(TwiceTheSame().parameters()) == 4
    assert len(list(TwiceTheSame().modules())) == 3


def test_modules_and_children():
    net = MLP()
    assert list(net.children()) == [net.fc1, net.fc2]
    assert dict(net.named_children()) == {"fc1": net.fc1, "fc2": net.fc2}
    assert list(net.modules()) == [net, net.fc1, net.fc2]
    outer = Chain(net)
    assert [n for n, _ in outer.named_modules()] == ["", "0", "0.fc1", "0.fc2"]
    assert [n for n, _ in outer.named_modules("net")] == ["net", "net.0", "net.0.fc1", "net.0.fc2"]


def test_buffers():
    net = Normed()
    assert dict(net.named_buffers()) == {"mean": net.mean}
    net.mean = np.array([1.0, 2.0])
    assert "mean" not in dict(net.named_parameters())
    np.testing.assert_array_equal(dict(net.named_buffers())["mean"], [1.0, 2.0])
    net.register_buffer("mean", np.zeros(2))
    assert len(list(net.named_buffers())) == 1


def test_parts_make_a_module_like_it():
    net = Normed()
    parts = net.__tree_flatten__()
    assert list(parts) == ["scale", "fc"]
    made = net.__tree_unflatten__({**parts, "scale": np.array([5.0, 6.0])})
    assert type(made) is Normed and made.fc is net.fc and made.mean is net.mean
    np.testing.assert_array_equal(net.scale, [1.0, 1.0])
    made.eps = 0.5
    assert net.eps == 1e-5


def test_attributes_before_init():
    class Early(nn.Module):
        def __init__(self):
            self.weight = np.ones(2)
            super().__init__()

    with pytest.raises(AttributeError, match=r"Early.__init__ must call super\(\).__init__\(\)"):
        Early()


def test_module_without_forward():
    with pytest.raises(NotImplementedError, match="Module has no method `forward`"):
        nn.Module()(1.0)


def test_call_passes_everything_on():
    class Keywords(nn.Module):
        def forward(self, x, *more, power=1, **options):
            return x**power + sum(more) + options.get("shift", 0.0)

    assert Keywords()(2.0, 1.0, 1.0, power=3, shift=0.5) == 10.5


# -- state -----------------------------------------------------------------------------------------


def test_state_dict():
    net = Normed()
    state = net.state_dict()
    assert set(state) == {"fc.weight", "fc.bias", "scale", "mean"}
    assert state["fc.weight"] is net.fc.weight and state["mean"] is net.mean


def test_state_dict_has_tied_weights_at_both_places():
    net = Tied()
    state = net.state_dict()
    assert state["decoder.weight"] is state["encoder.weight"]


def test_load_state_dict_copies_in_place():
    net, other = Normed(), Normed()
    other.fc.weight += 1.0
    other.mean += 2.0
    before = [net.fc.weight, net.mean]
    net.load_state_dict(other.state_dict())
    assert net.fc.weight is before[0] and net.mean is before[1]
    np.testing.assert_array_equal(net.fc.weight, other.fc.weight)
    np.testing.assert_array_equal(net.mean, other.mean)
    other.mean += 1.0
    assert not np.array_equal(net.mean, other.mean)


def test_load_state_dict_takes_lists():
    net = Pair()
    net.load_state_dict({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    np.testing.assert_array_equal(net.b, [3.0, 4.0])


def changed(state, name, value):
    state = dict(state)
    if value is None:
        del state[name]
    else:
        state[name] = value
    return state


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("fc.bias", None, "missing: fc.bias"),
        ("fc.gain", np.ones(2), "unexpected: fc.gain"),
        ("fc.bias", np.ones(3), r"fc.bias has shape \(3,\), expected \(2,\)"),
        ("mean", np.ones(2, np.float32), "mean has dtype float32, expected float64"),
    ],
)
def test_state_that_does_not_fit(name, value, message):
    net = Normed()
    before = {k: v.copy() for k, v in net.state_dict().items()}
    state = changed({k: v + 1.0 for k, v in before.items()}, name, value)
    with pytest.raises(ValueError, match=message) as caught:
        net.load_state_dict(state)
    assert "does not fit this Normed" in str(caught.value)
    for key, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[key])


def test_all_problems_are_told_at_once():
    net = Normed()
    state = {"fc.weight": np.ones(1), "other": np.ones(1)}
    with pytest.raises(ValueError) as caught:
        net.load_state_dict(state)
    for text in ("missing: fc.bias", "missing: mean", "unexpected: other", "fc.weight has shape"):
        assert text in str(caught.value)


# -- modes -----------------------------------------------------------------------------------------


def test_train_and_eval():
    net = MLP()
    assert net.training and net.fc1.training
    assert net.eval() is net
    assert not net.training and not net.fc2.training
    assert net.train() is net and net.fc2.training
    net.train(False)
    assert not net.fc1.training


def test_astype():
    net = Normed()
    order, kept = net.order, net.table
    assert net.astype(np.float32) is net
    assert all(p.dtype == np.float32 for p in net.parameters())
    assert net.mean.dtype == np.float32
    assert net.order is order and net.table is kept


def test_astype_keeps_ties():
    net = Tied().astype(np.float32)
    assert net.decoder.weight is net.encoder.weight


# -- for people, copies ----------------------------------------------------------------------------


def test_repr():
    assert repr(Pair()) == "Pair()"
    assert repr(Normed()) == "Normed(\n  eps=1e-05\n  (fc): Dense()\n)"
    assert repr(Chain(MLP())) == (
        "Chain(\n  (0): MLP(\n    (fc1): Dense()\n    (fc2): Dense()\n  )\n)"
    )


@pytest.mark.parametrize("make", [Tied, TwiceTheSame, MLP])
@pytest.mark.parametrize("how", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies(make, how):
    net = make().eval()
    made = how(net)
    assert type(made) is make and not made.training
    x = np.linspace(-1.0, 1.0, 6).reshape(2, 3)
    np.testing.assert_array_equal(made(x), net(x))
    assert len(made.parameters()) == len(net.parameters())
    made.parameters()[0][...] = 0.0
    assert net.parameters()[0].any()
    grads = ad.grad(lambda net, x: np.sum(net(x)))(made, x)
    assert len(grads.parameters()) == len(net.parameters())


def test_gradients_are_pickled():
    x = np.ones((2, 3))
    grads = ad.grad(lambda net, x: np.sum(net(x)))(MLP(), x)
    again = pickle.loads(pickle.dumps(grads))
    np.testing.assert_array_equal(again.fc1.weight, grads.fc1.weight)


def test_shallow_copy_has_attributes_of_its_own():
    net = MLP()
    made = copy.copy(net)
    made.slope = 3.0
    assert net.slope == 0.5 and made.fc1 is net.fc1
