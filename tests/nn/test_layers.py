"""Each layer: its derivatives by differences, its printed code, its checks, its random numbers."""

import re

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms, nn
from adjoint.nn import functional as F
from adjoint.testing import check_grads


def f8(*shape):
    """Numbers in float64."""
    return np.random.default_rng([*shape, 3]).normal(size=shape)


class Own(nn.Module):
    """A layer with two parts, in the way that users write theirs."""

    def __init__(self, generator, dtype):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1, generator=generator, dtype=dtype)
        self.norm = nn.BatchNorm2d(2, dtype=dtype)
        self.fc = nn.Linear(8, 3, generator=generator, dtype=dtype)

    def forward(self, x):
        h = F.avg_pool2d(F.silu(self.norm(self.conv(x))), 2)
        return self.fc(h.reshape(x.shape[0], -1))


def recurrent(kind, **options):
    return lambda **o: getattr(nn, kind)(2, 2, **options, **o)


# name: a constructor that takes dtype and generator, and the arguments.
PLAIN = {
    "Linear": (lambda **o: nn.Linear(3, 2, **o), f8(2, 3)),
    "Conv2d": (lambda **o: nn.Conv2d(1, 2, 2, **o), f8(2, 1, 3, 3)),
    "MaxPool2d": (lambda **o: nn.MaxPool2d(2), f8(1, 2, 4, 4)),
    "AvgPool2d": (lambda **o: nn.AvgPool2d(2), f8(1, 2, 4, 4)),
    "BatchNorm2d": (lambda dtype, **o: nn.BatchNorm2d(2, dtype=dtype), f8(2, 2, 2, 2)),
    "BatchNorm2d, eval": (
        lambda dtype, **o: nn.BatchNorm2d(2, dtype=dtype).eval(),
        f8(2, 2, 2, 2),
    ),
    "LayerNorm": (lambda dtype, **o: nn.LayerNorm(3, dtype=dtype), f8(2, 3)),
    "Flatten": (lambda **o: nn.Flatten(), f8(2, 2, 2)),
    "Dropout, eval": (lambda **o: nn.Dropout(0.5).eval(), f8(2, 3)),
    "RNN": (recurrent("RNN"), f8(3, 1, 2)),
    "RNN, relu": (recurrent("RNN", nonlinearity="relu"), f8(2, 1, 2)),
    "LSTM": (recurrent("LSTM", batch_first=True), f8(1, 3, 2)),
    "GRU": (recurrent("GRU", bidirectional=True), f8(2, 1, 2)),
    "Sequential": (
        lambda **o: nn.Sequential(nn.Linear(3, 2, **o), nn.Tanh(), nn.Linear(2, 1, **o)),
        f8(2, 3),
    ),
    "Own": (lambda **o: Own(**o), f8(2, 1, 4, 4)),
}
for name in ("ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softplus",
             "Softmax", "LogSoftmax"):  # fmt: skip
    PLAIN[name] = (lambda *, name=name, **o: getattr(nn, name)(), f8(2, 3))
PLAIN["GELU, tanh"] = (lambda **o: nn.GELU("tanh"), f8(2, 3))
ATTENTION = {
    "MultiheadAttention": (lambda **o: nn.MultiheadAttention(4, 2, **o), f8(2, 1, 4)),
    "TransformerEncoderLayer": (
        lambda **o: nn.TransformerEncoderLayer(4, 2, 3, dropout=0.0, activation="gelu", **o),
        f8(2, 1, 4),
    ),
}
LAYERS = PLAIN | ATTENTION


def made(name, dtype=np.float64):
    make, x = LAYERS[name]
    return make(dtype=dtype, generator=np.random.default_rng(0)), x.astype(dtype)


def result(layer, x):
    """What a layer returns first; query, key and value of attention are three arrays."""
    if isinstance(layer, nn.MultiheadAttention):
        return layer(x, x[::-1], 2 * x)[0]
    out = layer(x)
    return out[0] if isinstance(layer, (nn.RNN, nn.LSTM, nn.GRU)) else out


def squares(layer, x):
    return np.sum(result(layer, x) ** 2)


@pytest.mark.parametrize("name", LAYERS)
def test_derivatives_by_differences(name):
    layer, x = made(name)
    with forms.only("typed"):
        check_grads(squares, (layer, x), order=1, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_second_derivatives_by_differences(name):
    """Of the gradients by parameters and inputs, along a direction in both."""
    layer, x = made(name)
    t_layer, t_x = made(name)[0], f8(*x.shape[::-1]).reshape(x.shape)
    for number, p in enumerate(t_layer.parameters()):
        p[...] = np.random.default_rng(number).normal(size=p.shape)
    eps = 1e-5

    def gradients(sign):
        moved = made(name)[0]
        for p, q in zip(moved.parameters(), t_layer.parameters()):
            p += sign * eps * q
        d_layer, d_x = ad.grad(squares, argnums=(0, 1))(moved, x + sign * eps * t_x)
        return [*d_layer.parameters(), d_x]

    with forms.only("typed"):
        slope = ad.grad(squares, argnums=(0, 1))
        _, (d_layer, d_x) = ad.jvp(slope, (layer, x), (t_layer, t_x))
        found = [*(d_layer.parameters() if layer.parameters() else ()), d_x]
        for ours, ahead, behind in zip(found, gradients(1), gradients(-1), strict=True):
            np.testing.assert_allclose(ours, (ahead - behind) / (2 * eps), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_both_forms_give_the_same(name):
    found = {}
    for form in ("typed", "recorded"):
        layer, x = made(name)
        with forms.only(form):
            value, (d_layer, d_x) = ad.value_and_grad(squares, argnums=(0, 1))(layer, x)
        found[form] = [value, d_x, *d_layer.parameters(), *layer.state_dict().values()]
    for typed, recorded in zip(found["typed"], found["recorded"], strict=True):
        np.testing.assert_allclose(typed, recorded, rtol=1e-10, atol=1e-12)


HELPERS = re.compile(r"(?<![\w.])(fit|add|pull|push|unit_seed|copy|zeros_like|full_like)\(")


@pytest.mark.parametrize("name", LAYERS)
def test_the_code_calls_no_helper(name):
    """The types are known: with_parts, which makes the gradient, is all that it needs."""
    layer, x = made(name, np.float32)
    derivative = ad.value_and_grad(squares, argnums=(0, 1))
    with forms.only("typed"):
        derivative(layer, x)
    lines = derivative.source.splitlines()
    imports = [line for line in lines if line.startswith("from adjoint.runtime")]
    assert imports == ["from adjoint.runtime.structs import with_parts"]
    assert not HELPERS.search(derivative.source)


# -- what does not fit -------------------------------------------------------------------------


def f4(*shape):
    return np.zeros(shape, np.float32)


WRONG_INPUTS = {
    "Linear": (lambda: nn.Linear(3, 2)(f4(5, 4)), r"Linear\(3, 2.*\(\.\.\., 3\).*\(5, 4\)"),
    "Conv2d": (lambda: nn.Conv2d(2, 3, 3)(f4(1, 4, 5, 5)), r"Conv2d\(2, 3.*\(N, 2.*\(1, 4, 5, 5\)"),
    "Conv2d, rank": (lambda: nn.Conv2d(2, 3, 3)(f4(2, 5, 5)), r"Conv2d.*\(N, 2.*\(2, 5, 5\)"),
    "Conv2d, small": (lambda: nn.Conv2d(2, 3, 3)(f4(1, 2, 2, 2)), r"conv2d.*\(1, 2, 2, 2\)"),
    "MaxPool2d": (lambda: nn.MaxPool2d(3)(f4(1, 1, 2, 2)), r"max_pool2d.*\(1, 1, 2, 2\)"),
    "AvgPool2d": (lambda: nn.AvgPool2d(2)(f4(2, 2)), r"avg_pool2d.*\(N, C, H, W\).*\(2, 2\)"),
    "BatchNorm2d": (
        lambda: nn.BatchNorm2d(2)(f4(4, 3, 2, 2)),
        r"BatchNorm2d\(2.*\(N, 2, H, W\).*\(4, 3, 2, 2\)",
    ),
    "BatchNorm2d, one value": (lambda: nn.BatchNorm2d(2)(f4(1, 2, 1, 1)), "more than one value"),
    "LayerNorm": (lambda: nn.LayerNorm(3)(f4(2, 4)), r"layer_norm.*\(3,\).*\(2, 4\)"),
    "Embedding": (lambda: nn.Embedding(3, 2)(f4(2)), "embedding: expected .* ints.*float32"),
    "Embedding, range": (lambda: nn.Embedding(3, 2)(np.array([0, 3])), "3 .*3 rows"),
    "Embedding, negative": (lambda: nn.Embedding(3, 2)(np.array([-1])), "-1 .*3 rows"),
    "RNN": (lambda: nn.RNN(3, 2)(f4(5, 2, 4)), r"RNN\(3, 2\).*\(T, N, 3\).*\(5, 2, 4\)"),
    "LSTM": (
        lambda: nn.LSTM(3, 2, batch_first=True)(f4(5, 2, 4)),
        r"LSTM\(3, 2.*\(N, T, 3\).*\(5, 2, 4\)",
    ),
    "GRU, state": (
        lambda: nn.GRU(3, 2)(f4(5, 1, 3), f4(2, 1, 2)),
        r"GRU\(3, 2\).*\(1, 1, 2\).*\(2, 1, 2\)",
    ),
    "MultiheadAttention": (
        lambda: nn.MultiheadAttention(4, 2)(f4(2, 1, 4), f4(2, 1, 3), f4(2, 1, 4)),
        r"MultiheadAttention: .*\(L, N, 4\).*\(2, 1, 3\)",
    ),
    "MultiheadAttention, mask": (
        lambda: nn.MultiheadAttention(4, 2)(*[f4(2, 1, 4)] * 3, attn_mask=f4(2, 3)),
        r"MultiheadAttention: .*attn_mask.*\(2, 2\).*\(2, 3\)",
    ),
    "MultiheadAttention, padding": (
        lambda: nn.MultiheadAttention(4, 2)(*[f4(2, 1, 4)] * 3, key_padding_mask=f4(2, 1)),
        r"MultiheadAttention: .*key_padding_mask.*\(1, 2\).*\(2, 1\)",
    ),
    "MSELoss": (lambda: nn.MSELoss()(f4(2, 3), f4(2)), r"mse_loss.*\(2, 3\).*\(2,\)"),
    "CrossEntropyLoss": (
        lambda: nn.CrossEntropyLoss()(f4(2, 3), np.zeros(3, int)),
        r"nll_loss.*\(N, C, \.\.\.\).*\(2, 3\) and \(3,\)",
    ),
    "CrossEntropyLoss, label": (
        lambda: nn.CrossEntropyLoss()(f4(2, 3), np.array([0, 3])),
        "label 3 is out of range.*3 classes",
    ),
}


@pytest.mark.parametrize("name", WRONG_INPUTS)
def test_wrong_inputs_are_told(name):
    call, message = WRONG_INPUTS[name]
    with pytest.raises((ValueError, IndexError), match=message) as alone:
        call()
    with pytest.raises(type(alone.value), match=message):
        ad.grad(lambda k: k * np.sum(call()))(1.0)  # and in a derivative


WRONG_OPTIONS = [
    (lambda: nn.Linear(0, 2), "Linear: in_features"),
    (lambda: nn.Linear(2, 2.5), "Linear: out_features .*2.5"),
    (lambda: nn.Conv2d(3, 4, 3, groups=2), "Conv2d: .*groups=2.* 3 and 4"),
    (lambda: nn.Conv2d(3, 4, (3, 3, 3)), "Conv2d.*kernel_size"),
    (lambda: nn.BatchNorm2d(-1), "BatchNorm2d: num_features .*-1"),
    (lambda: nn.LayerNorm((2, 0)), "LayerNorm"),
    (lambda: nn.Embedding(0, 2), "Embedding: num_embeddings"),
    (lambda: nn.Dropout(1.5), "Dropout: p .*1.5"),
    (lambda: nn.RNN(2, 2, nonlinearity="sigmoid"), "RNN: nonlinearity .*sigmoid"),
    (lambda: nn.LSTM(2, 2, num_layers=0), "LSTM: num_layers"),
    (lambda: nn.GRU(2, 2, dropout=-0.1), "GRU: p .*-0.1"),
    (lambda: nn.MultiheadAttention(5, 2), "MultiheadAttention: embed_dim=5 .*num_heads=2"),
    (
        lambda: nn.TransformerEncoderLayer(4, 2, activation="swish"),
        "activation .*swish",
    ),
    (lambda: nn.GELU("erf"), "GELU: approximate .*erf"),
    (lambda: nn.MSELoss("average"), "MSELoss: reduction .*average"),
    (lambda: nn.HuberLoss(delta=0), "HuberLoss: delta"),
    (lambda: nn.SmoothL1Loss(beta=-1.0), "SmoothL1Loss: beta"),
]


@pytest.mark.parametrize("number", range(len(WRONG_OPTIONS)))
def test_wrong_options_are_told(number):
    make, message = WRONG_OPTIONS[number]
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_no_module_is_no_part():
    with pytest.raises(TypeError, match="Sequential: expected modules, got a function"):
        nn.Sequential(nn.Linear(2, 2), lambda x: x)


# -- random numbers and modes ------------------------------------------------------------------


def arrays(layer):
    return [a.copy() for a in layer.state_dict().values()]


@pytest.mark.parametrize("name", ["Linear", "Conv2d", "LSTM", "GRU", *ATTENTION])
def test_initial_values_are_drawn_again(name):
    make, _ = LAYERS[name]
    nn.manual_seed(5)
    first = arrays(make(dtype=np.float32))
    other = arrays(make(dtype=np.float32))
    nn.manual_seed(5)
    again = arrays(make(dtype=np.float32))
    own = [arrays(make(dtype=np.float32, generator=np.random.default_rng(7))) for _ in range(2)]
    assert all(map(np.array_equal, first, again))
    assert all(map(np.array_equal, *own))
    assert not all(map(np.array_equal, first, other))
    assert not all(map(np.array_equal, first, own[0]))


def test_a_generator_leaves_the_common_one_alone():
    nn.manual_seed(5)
    nn.Linear(2, 2, generator=np.random.default_rng(0))
    nn.Dropout(0.5, generator=np.random.default_rng(0))(f4(3))
    after = nn.Linear(2, 2).weight
    nn.manual_seed(5)
    np.testing.assert_array_equal(after, nn.Linear(2, 2).weight)


@pytest.mark.parametrize("form", ["typed", "recorded"])
def test_dropout_is_drawn_again(form):
    layer, x = nn.Dropout(0.5), np.ones(50)

    def loss(x):
        return np.sum(layer(x) * x)

    with forms.only(form):
        derivative = ad.value_and_grad(loss)
        nn.manual_seed(1)
        (first, d_first), (second, _) = derivative(x), derivative(x)
        nn.manual_seed(1)
        again, d_again = derivative(x)
    assert first == again != second
    np.testing.assert_array_equal(d_first, d_again)
    assert set(np.unique(d_first)) == {0.0, 4.0}


@pytest.mark.parametrize("form", ["typed", "recorded"])
def test_modes(form):
    """A derivative follows train() and eval() of what it was given, and of the parts of that."""
    net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm2d(3).eval(), nn.Dropout(1.0))
    assert [m.training for m in net.modules()] == [True, True, False, True]
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert net.train() is net and all(m.training for m in net.modules())

    layer, x = nn.Dropout(1.0), np.ones(3)
    with forms.only(form):
        derivative = ad.grad(lambda layer, x: np.sum(layer(x)), argnums=1)
        for training in (True, False, True, False):
            layer.train(training)
            np.testing.assert_array_equal(derivative(layer, x), np.full(3, float(not training)))


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.dropout = nn.Dropout(0.25)
        self.classifier = nn.Linear(8 * 14 * 14, 10)


def test_repr_of_a_network():
    assert repr(ConvNet()) == (
        "ConvNet(\n"
        "  (features): Sequential(\n"
        "    (0): Conv2d(1, 8, kernel_size=(3, 3), padding=1)\n"
        "    (1): BatchNorm2d(8, eps=1e-05, momentum=0.1)\n"
        "    (2): ReLU()\n"
        "    (3): MaxPool2d(kernel_size=2, stride=2, padding=0)\n"
        "  )\n"
        "  (dropout): Dropout(p=0.25)\n"
        "  (classifier): Linear(1568, 10, bias=True)\n"
        ")"
    )
