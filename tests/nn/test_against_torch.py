"""Layers, losses and functions next to PyTorch's: values, gradients, states, initial values."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms, nn
from adjoint.nn import functional as F

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seeded():
    """The same weights on every run."""
    nn.manual_seed(0)


def drawn(shape, seed=0):
    """Normal float32 numbers."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def blocking(length, positions):
    """A mask, True above the diagonal, and in a row that is not blocked as a whole."""
    return ~np.tri(length, positions, 1, dtype=bool)


PADDING = np.array([[False] * 5, [False, False, False, True, True], [True] + [False] * 4])
NUMBERS = np.where(PADDING, np.float32(-2), np.float32(0.5))


def same(net, *xs):
    return net(*xs)


def one(out):
    return (out,)


def states(out):
    return out


def lstm_states(out):
    return out[0], *out[1]


def lstm_from_state(net, x, h, c):
    return net(x, (h, c))


def first(out):
    return (out[0],)


def with_mask(net, q, k, v, mask):
    return net(q, k, v, attn_mask=mask)


def with_padding(net, q, k, v, padding):
    return net(q, k, v, key_padding_mask=padding)


def with_both(net, q, k, v, mask, padding):
    return net(q, k, v, attn_mask=mask, key_padding_mask=padding)


def without_weights(net, q, k, v):
    return net(q, k, v, need_weights=False)


def weights_of_heads(net, q, k, v):
    return net(q, k, v, average_attn_weights=False)


def itself(net, x):
    return net(x, x, x)


def masked(net, x, mask):
    return net(x, src_mask=mask)


def padded(net, x, padding):
    return net(x, src_key_padding_mask=padding)


def masked_and_padded(net, x, mask, padding):
    return net(x, mask, padding)


QKV = [(4, 3, 8), (5, 3, 8), (5, 3, 8)]
QKV_BATCH_FIRST = [(3, 4, 8), (3, 5, 8), (3, 5, 8)]

# id: the layer, made of either library; inputs: arrays, or shapes of float arrays, by all of which
# is differentiated; how it is called; its results as a tuple.
LAYERS = {
    "linear": (lambda nn: nn.Linear(4, 3), [(5, 4)], same, one),
    "linear, one sample": (lambda nn: nn.Linear(4, 3), [(4,)], same, one),
    "linear, more axes": (lambda nn: nn.Linear(4, 3), [(2, 5, 4)], same, one),
    "linear, no bias": (lambda nn: nn.Linear(4, 3, bias=False), [(5, 4)], same, one),
    "conv": (lambda nn: nn.Conv2d(2, 4, 3, padding=1), [(3, 2, 6, 5)], same, one),
    "conv, no bias": (lambda nn: nn.Conv2d(2, 3, 2, bias=False), [(3, 2, 4, 5)], same, one),
    "conv, options": (
        lambda nn: nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=2, groups=2),
        [(2, 4, 9, 7)],
        same,
        one,
    ),
    "conv, same": (lambda nn: nn.Conv2d(2, 3, (3, 5), padding="same"), [(2, 2, 5, 6)], same, one),
    "max pool": (lambda nn: nn.MaxPool2d(2), [(3, 2, 6, 7)], same, one),
    "max pool, options": (lambda nn: nn.MaxPool2d((3, 2), 2, (1, 0)), [(3, 2, 7, 6)], same, one),
    "avg pool": (lambda nn: nn.AvgPool2d(2), [(3, 2, 6, 7)], same, one),
    "avg pool, options": (
        lambda nn: nn.AvgPool2d(3, 2, 1, count_include_pad=False),
        [(3, 2, 7, 6)],
        same,
        one,
    ),
    "batch norm": (lambda nn: nn.BatchNorm2d(2), [(3, 2, 4, 5)], same, one),
    "batch norm, eval": (lambda nn: nn.BatchNorm2d(2).eval(), [(3, 2, 4, 5)], same, one),
    "batch norm, not affine": (
        lambda nn: nn.BatchNorm2d(2, eps=1e-2, affine=False),
        [(3, 2, 4, 5)],
        same,
        one,
    ),
    "batch norm, nothing tracked, eval": (
        lambda nn: nn.BatchNorm2d(2, track_running_stats=False).eval(),
        [(3, 2, 4, 5)],
        same,
        one,
    ),
    "layer norm": (lambda nn: nn.LayerNorm(4), [(5, 4)], same, one),
    "layer norm, two axes": (lambda nn: nn.LayerNorm((3, 4), eps=0.1), [(5, 3, 4)], same, one),
    "layer norm, no bias": (lambda nn: nn.LayerNorm(4, bias=False), [(2, 5, 4)], same, one),
    "layer norm, not affine": (
        lambda nn: nn.LayerNorm([4], elementwise_affine=False),
        [(5, 4)],
        same,
        one,
    ),
    "embedding": (
        lambda nn: nn.Embedding(10, 4),
        [np.array([[1, 9, 1], [0, 3, 1]])],
        same,
        one,
    ),
    "embedding, padding": (
        lambda nn: nn.Embedding(10, 4, padding_idx=1),
        [np.array([[1, 9, 1], [0, 9, 3]])],
        same,
        one,
    ),
    "embedding, padding from the end": (
        lambda nn: nn.Embedding(10, 4, padding_idx=-1),
        [np.array([1, 9, 9, 0])],
        same,
        one,
    ),
    "dropout, eval": (lambda nn: nn.Dropout(0.3).eval(), [(5, 4)], same, one),
    "flatten": (lambda nn: nn.Flatten(), [(2, 3, 4, 5)], same, one),
    "flatten, some": (lambda nn: nn.Flatten(1, 2), [(2, 3, 4, 5)], same, one),
    "attention": (lambda nn: nn.MultiheadAttention(8, 2), QKV, same, states),
    "attention, batch first": (
        lambda nn: nn.MultiheadAttention(8, 4, batch_first=True),
        QKV_BATCH_FIRST,
        same,
        states,
    ),
    "attention, no bias": (
        lambda nn: nn.MultiheadAttention(8, 2, bias=False),
        QKV,
        same,
        states,
    ),
    "attention, itself": (lambda nn: nn.MultiheadAttention(8, 2), [(5, 3, 8)], itself, states),
    "attention, mask of bools": (
        lambda nn: nn.MultiheadAttention(8, 2),
        [*QKV, blocking(4, 5)],
        with_mask,
        states,
    ),
    "attention, mask of numbers": (
        lambda nn: nn.MultiheadAttention(8, 2),
        [*QKV, (4, 5)],
        with_mask,
        states,
    ),
    "attention, mask of each head": (
        lambda nn: nn.MultiheadAttention(8, 2, batch_first=True),
        [*QKV_BATCH_FIRST, (6, 4, 5)],
        with_mask,
        states,
    ),
    "attention, mask of bools of each head": (
        lambda nn: nn.MultiheadAttention(8, 2),
        [*QKV, np.stack([blocking(4, 5), np.zeros((4, 5), bool)] * 3)],
        with_mask,
        states,
    ),
    "attention, padding": (
        lambda nn: nn.MultiheadAttention(8, 2, batch_first=True),
        [*QKV_BATCH_FIRST, PADDING],
        with_padding,
        states,
    ),
    "attention, padding of numbers": (
        lambda nn: nn.MultiheadAttention(8, 2),
        [*QKV, NUMBERS],
        with_padding,
        states,
    ),
    "attention, mask and padding": (
        lambda nn: nn.MultiheadAttention(8, 2),
        [*QKV, blocking(4, 5), PADDING],
        with_both,
        states,
    ),
    "attention, mask and padding of numbers": (
        lambda nn: nn.MultiheadAttention(8, 2),
        [*QKV, (4, 5), NUMBERS],
        with_both,
        states,
    ),
    "attention, no weights": (
        lambda nn: nn.MultiheadAttention(8, 2),
        QKV,
        without_weights,
        first,
    ),
    "attention, weights of the heads": (
        lambda nn: nn.MultiheadAttention(8, 2),
        QKV,
        weights_of_heads,
        states,
    ),
    "encoder": (
        lambda nn: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0),
        [(5, 3, 8)],
        same,
        one,
    ),
    "encoder, batch first": (
        lambda nn: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True),
        [(3, 5, 8)],
        same,
        one,
    ),
    "encoder, norm first, gelu": (
        lambda nn: nn.TransformerEncoderLayer(
            8, 2, 16, 0.0, "gelu", layer_norm_eps=1e-3, norm_first=True
        ),
        [(5, 3, 8)],
        same,
        one,
    ),
    "encoder, eval": (
        lambda nn: nn.TransformerEncoderLayer(8, 2, 16, norm_first=True, batch_first=True).eval(),
        [(3, 5, 8)],
        same,
        one,
    ),
    "encoder, no bias": (
        lambda nn: nn.TransformerEncoderLayer(8, 2, 16, 0.0, bias=False),
        [(5, 3, 8)],
        same,
        one,
    ),
    "encoder, mask": (
        lambda nn: nn.TransformerEncoderLayer(8, 2, 16, 0.0),
        [(5, 3, 8), blocking(5, 5)],
        masked,
        one,
    ),
    "encoder, mask of numbers": (
        lambda nn: nn.TransformerEncoderLayer(8, 2, 16, 0.0, norm_first=True),
        [(5, 3, 8), (5, 5)],
        masked,
        one,
    ),
    "encoder, padding": (
        lambda nn: nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True),
        [(3, 5, 8), PADDING],
        padded,
        one,
    ),
    "encoder, mask and padding": (
        lambda nn: nn.TransformerEncoderLayer(8, 2, 16, 0.0),
        [(5, 3, 8), blocking(5, 5), PADDING],
        masked_and_padded,
        one,
    ),
    "sequential": (
        lambda nn: nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)),
        [(3, 4)],
        same,
        one,
    ),
    "sequential in sequential": (
        lambda nn: nn.Sequential(
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2)),
            nn.Sequential(nn.Flatten(), nn.Linear(8, 3)),
        ),
        [(4, 1, 6, 6)],
        same,
        one,
    ),
    "module list": (
        lambda nn: nn.ModuleList([nn.Linear(4, 4) for _ in range(3)]),
        [(3, 4)],
        lambda layers, x: layers[2](layers[0](x) * layers[1](x)),
        one,
    ),
}

for kind in ("RNN", "LSTM", "GRU"):
    results = lstm_states if kind == "LSTM" else states
    for options in (
        {},
        {"num_layers": 2},
        {"bidirectional": True},
        {"num_layers": 2, "bidirectional": True, "batch_first": True},
        {"batch_first": True, "bias": False},
        {"bias": False, "num_layers": 2},
    ):
        LAYERS[f"{kind}, {', '.join(options) or 'defaults'}"] = (
            lambda nn, kind=kind, options=options: getattr(nn, kind)(4, 5, **options),
            [(2, 6, 4) if options.get("batch_first") else (6, 2, 4)],
            same,
            results,
        )
    LAYERS[f"{kind}, initial state"] = (
        lambda nn, kind=kind: getattr(nn, kind)(4, 5, num_layers=2, bidirectional=True),
        [(6, 2, 4), (4, 2, 5)] + [(4, 2, 5)] * (kind == "LSTM"),
        lstm_from_state if kind == "LSTM" else same,
        results,
    )
LAYERS["RNN, relu"] = (
    lambda nn: nn.RNN(4, 5, num_layers=2, nonlinearity="relu"),
    [(6, 2, 4)],
    same,
    states,
)

ACTIVATIONS = {
    "ReLU": lambda nn: nn.ReLU(),
    "LeakyReLU": lambda nn: nn.LeakyReLU(),
    "LeakyReLU, slope": lambda nn: nn.LeakyReLU(0.3),
    "ELU": lambda nn: nn.ELU(),
    "ELU, alpha": lambda nn: nn.ELU(0.5),
    "GELU": lambda nn: nn.GELU(),
    "GELU, tanh": lambda nn: nn.GELU(approximate="tanh"),
    "SiLU": lambda nn: nn.SiLU(),
    "Sigmoid": lambda nn: nn.Sigmoid(),
    "Tanh": lambda nn: nn.Tanh(),
    "Softplus": lambda nn: nn.Softplus(),
    "Softmax": lambda nn: nn.Softmax(1),
    "Softmax, first axis": lambda nn: nn.Softmax(dim=0),
    "Softmax, last axis": lambda nn: nn.Softmax(dim=-1),
    "LogSoftmax": lambda nn: nn.LogSoftmax(1),
    "LogSoftmax, last axis": lambda nn: nn.LogSoftmax(dim=-1),
}
# From where exp overflows in float32 to where it is 0, and 0 itself.
FAR = np.array([[-200, -90, -20, -1, 0], [0.5, 3, 20, 90, 200]], np.float32)
for name, made in ACTIVATIONS.items():
    LAYERS[f"activation {name}"] = (made, [(2, 3, 4)], same, one)
    LAYERS[f"activation {name}, far from 0"] = (made, [FAR], same, one)


def inputs_of(specs):
    return [s if isinstance(s, np.ndarray) else drawn(s, i) for i, s in enumerate(specs)]


def tensor(array):
    """A tensor of its own memory; one of floats is differentiated by."""
    made = torch.tensor(array)
    return made.requires_grad_() if made.is_floating_point() else made


def assert_close(pairs):
    """float32 arrays next to tensors. What cancels is compared on the scale of the largest."""
    expected = {name: theirs.detach().numpy() for name, (_, theirs) in pairs.items()}
    scale = max([1e-3, *(np.abs(array).max(initial=0) for array in expected.values())])
    for name, (ours, _) in pairs.items():
        assert ours.dtype == expected[name].dtype, name
        assert ours.shape == expected[name].shape, name
        np.testing.assert_allclose(ours, expected[name], rtol=1e-5, atol=3e-6 * scale, err_msg=name)


def differentiated_by(xs):
    return [i for i, x in enumerate(xs) if x.dtype == np.float32]


def zero_where_none(tensor):
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


@pytest.mark.parametrize("name", LAYERS)
def test_values_and_gradients(name):
    make, specs, call, results = LAYERS[name]
    net, twin = make(nn), make(torch.nn)
    twin.load_state_dict({k: torch.tensor(v) for k, v in net.state_dict().items()})
    xs = inputs_of(specs)
    tensors = [tensor(x) for x in xs]

    theirs = results(call(twin, *tensors))
    weights = [drawn(tuple(part.shape), 99) for part in theirs]
    sum((part * torch.tensor(w)).sum() for part, w in zip(theirs, weights)).backward()

    def loss(net, *xs):
        parts = results(call(net, *xs))
        total = 0.0
        for part, w in zip(parts, weights):
            total = total + np.sum(part * w)
        return total, parts

    by = differentiated_by(xs)
    with forms.only("typed"):
        d_loss = ad.value_and_grad(loss, argnums=(0, *[i + 1 for i in by]), has_aux=True)
        (_, ours), (d_net, *d_xs) = d_loss(net, *xs)

    # The running statistics have moved in the same way.
    state = {k: (v, twin.state_dict()[k]) for k, v in net.state_dict().items()}
    assert_close(state)
    assert_close({f"result {i}": pair for i, pair in enumerate(zip(ours, theirs, strict=True))})
    grads = {k: (d, dict(twin.named_parameters())[k]) for k, d in d_net.named_parameters()}
    assert len(grads) == len(list(twin.parameters()))
    found = {k: (d, zero_where_none(p)) for k, (d, p) in grads.items()}
    found |= {f"input {i}": (d, zero_where_none(tensors[i])) for i, d in zip(by, d_xs, strict=True)}
    if found:
        assert_close(found)


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
def test_running_statistics_of_several_batches(momentum):
    net, twin = nn.BatchNorm2d(3, momentum=momentum), torch.nn.BatchNorm2d(3, momentum=momentum)
    d_loss = ad.grad(lambda net, x: np.sum(net(x) ** 3), argnums=(0, 1))
    for step in range(4):
        x = 2 + drawn((4, 3, 2, 5), step)
        t = tensor(x)
        twin.zero_grad()
        (twin(t) ** 3).sum().backward()
        with forms.only("typed"):
            d_net, d_x = d_loss(net, x)
        assert_close({k: (v, twin.state_dict()[k]) for k, v in net.state_dict().items()})
        assert_close({"x": (d_x, t.grad), "bias": (d_net.bias, twin.bias.grad)})
    net.eval()
    twin.eval()
    before = {k: v.copy() for k, v in net.state_dict().items()}
    assert_close({"result": (net(x), twin(tensor(x)))})
    for k, v in net.state_dict().items():
        np.testing.assert_array_equal(v, before[k])


# -- losses ------------------------------------------------------------------------------------

WEIGHT = np.array([0.5, 2.0, 1.0, 0.1], np.float32)  # of 4 classes
LABELS = np.array([0, 3, 1, 1, 2])
SOME_IGNORED = np.array([0, -100, 1, 3, -100])
SECOND_IGNORED = np.array([0, 3, 1, 1, 2])  # with ignore_index=1
LABELS_ND = np.array([[[0, 1, 3], [2, 2, 1]], [[3, -100, 0], [1, 0, 0]]])


def probabilities(shape):
    made = np.exp(drawn(shape, 7))
    return made / made.sum(axis=1, keepdims=True)


def zeros_and_ones(shape):
    return (drawn(shape, 5) > 0).astype(np.float32)


# id: the class, its options, the input (an array or a shape), the target.
LOSSES = {}
for name, options in [
    ("MSELoss", {}),
    ("L1Loss", {}),
    ("HuberLoss", {}),
    ("HuberLoss", {"delta": 0.3}),
    ("SmoothL1Loss", {}),
    ("SmoothL1Loss", {"beta": 0.4}),
    ("SmoothL1Loss", {"beta": 0.0}),
]:
    LOSSES[f"{name} {options}"] = name, options, (5, 4), drawn((5, 4), 3)
for key, name, options, x, target in [
    ("labels", "CrossEntropyLoss", {}, (5, 4), LABELS),
    ("weight", "CrossEntropyLoss", {"weight": WEIGHT}, (5, 4), LABELS),
    ("ignored", "CrossEntropyLoss", {}, (5, 4), SOME_IGNORED),
    ("ignore_index", "CrossEntropyLoss", {"ignore_index": 1}, (5, 4), SECOND_IGNORED),
    ("ignored, weight", "CrossEntropyLoss", {"weight": WEIGHT}, (5, 4), SOME_IGNORED),
    ("smoothed", "CrossEntropyLoss", {"label_smoothing": 0.2}, (5, 4), LABELS),
    (
        "smoothed, ignored, weight",
        "CrossEntropyLoss",
        {"label_smoothing": 0.2, "weight": WEIGHT},
        (5, 4),
        SOME_IGNORED,
    ),
    ("smoothed, ignored", "CrossEntropyLoss", {"label_smoothing": 0.1}, (5, 4), SOME_IGNORED),
    ("more axes", "CrossEntropyLoss", {}, (2, 4, 2, 3), LABELS_ND),
    (
        "more axes, all options",
        "CrossEntropyLoss",
        {"weight": WEIGHT, "label_smoothing": 0.3},
        (2, 4, 2, 3),
        LABELS_ND,
    ),
    ("probabilities", "CrossEntropyLoss", {}, (5, 4), probabilities((5, 4))),
    (
        "probabilities, all options",
        "CrossEntropyLoss",
        {"weight": WEIGHT, "label_smoothing": 0.3},
        (5, 4),
        probabilities((5, 4)),
    ),
    (
        "probabilities, more axes",
        "CrossEntropyLoss",
        {"weight": WEIGHT},
        (2, 4, 2, 3),
        probabilities((2, 4, 2, 3)),
    ),
    ("far", "CrossEntropyLoss", {}, 60 * drawn((5, 4)), LABELS),
    ("labels", "NLLLoss", {}, (5, 4), LABELS),
    ("weight, ignored", "NLLLoss", {"weight": WEIGHT}, (5, 4), SOME_IGNORED),
    ("more axes", "NLLLoss", {"ignore_index": 1}, (2, 4, 2, 3), np.abs(LABELS_ND) % 4),
    ("plain", "BCEWithLogitsLoss", {}, (5, 4), zeros_and_ones((5, 4))),
    ("far", "BCEWithLogitsLoss", {}, 99 * drawn((5, 4)), zeros_and_ones((5, 4))),
    ("weight", "BCEWithLogitsLoss", {"weight": WEIGHT}, (5, 4), zeros_and_ones((5, 4))),
    ("pos_weight", "BCEWithLogitsLoss", {"pos_weight": WEIGHT}, (5, 4), zeros_and_ones((5, 4))),
    (
        "pos_weight, far",
        "BCEWithLogitsLoss",
        {"pos_weight": WEIGHT},
        99 * drawn((5, 4)),
        zeros_and_ones((5, 4)),
    ),
    (
        "both weights, probabilities",
        "BCEWithLogitsLoss",
        {"weight": WEIGHT, "pos_weight": WEIGHT},
        (5, 4),
        probabilities((5, 4)),
    ),
]:
    LOSSES[f"{name}, {key}"] = name, options, x, target


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("key", LOSSES)
def test_losses(key, reduction):
    name, options, x, target = LOSSES[key]
    (x,) = inputs_of([x])
    for_torch = {k: torch.tensor(v) if k.endswith("weight") else v for k, v in options.items()}
    twin = getattr(torch.nn, name)(reduction=reduction, **for_torch)
    layer = getattr(nn, name)(reduction=reduction, **options)
    t = tensor(x)
    theirs = twin(t, torch.tensor(target))
    w = drawn(tuple(theirs.shape), 99)
    (theirs * torch.tensor(w)).sum().backward()

    def loss(x, target):
        found = layer(x, target)
        return np.sum(found * w), found

    with forms.only("typed"):
        (_, ours), d_x = ad.value_and_grad(loss, has_aux=True)(x, target)
    assert_close({"loss": (ours, theirs)})
    assert_close({"gradient": (d_x, t.grad)})


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "HuberLoss", "BCEWithLogitsLoss"])
def test_losses_have_gradients_by_targets(name):
    x, target = drawn((5, 4)), probabilities((5, 4))
    t, s = tensor(x), tensor(target)
    getattr(torch.nn, name)()(t, s).backward()
    layer = getattr(nn, name)()
    with forms.only("typed"):
        d_x, d_target = ad.grad(lambda x, target: layer(x, target), (0, 1))(x, target)
    assert_close({"x": (d_x, t.grad), "target": (d_target, s.grad)})


ATTENTION = {
    "plain": ((2, 3, 4, 8), (2, 3, 5, 8), None, False),
    "two axes": ((4, 8), (5, 8), None, False),
    "causal": ((2, 5, 8), (2, 5, 8), None, True),
    "causal, more positions": ((2, 4, 8), (2, 6, 8), None, True),
    "bools": ((2, 4, 8), (2, 5, 8), ~blocking(4, 5), False),
    "bools of each sample": ((2, 4, 8), (2, 5, 8), ~blocking(8, 5).reshape(2, 4, 5), False),
    "numbers": ((2, 4, 8), (2, 5, 8), drawn((4, 5)), False),
    "numbers of each sample": ((2, 3, 4, 8), (2, 3, 5, 8), drawn((2, 1, 4, 5)), False),
}


@pytest.mark.parametrize("name", ATTENTION)
def test_scaled_dot_product_attention(name):
    q, k, mask, causal = ATTENTION[name]
    xs = [drawn(q, 1), drawn(k, 2), drawn((*k[:-1], 6), 3)]
    if mask is not None:
        xs.append(mask)
    tensors = [tensor(x) for x in xs]
    theirs = torch.nn.functional.scaled_dot_product_attention(*tensors, is_causal=causal)
    w = drawn(tuple(theirs.shape), 99)
    (theirs * torch.tensor(w)).sum().backward()

    def loss(*xs):
        return np.sum(F.scaled_dot_product_attention(*xs, is_causal=causal) * w)

    by = differentiated_by(xs)
    with forms.only("typed"):
        grads = ad.grad(loss, argnums=tuple(by))(*xs)
    ours = F.scaled_dot_product_attention(*xs, is_causal=causal)
    assert_close({"result": (ours, theirs)})
    assert_close({f"input {i}": (d, tensors[i].grad) for i, d in zip(by, grads, strict=True)})


# -- dropout -----------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_dropout_draws_as_often_and_scales_alike(p):
    x = np.full(200_000, 3, np.float32)
    torch.manual_seed(0)
    theirs = torch.nn.Dropout(p)(torch.tensor(x)).numpy()
    layer = nn.Dropout(p, generator=np.random.default_rng(0))
    with forms.only("typed"):
        (_, ours), d_x = ad.value_and_grad(lambda x: (np.sum(layer(x)), layer(x)), has_aux=True)(x)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(np.unique(ours), np.unique(theirs), rtol=1e-6)
    assert np.mean(ours == 0) == pytest.approx(np.mean(theirs == 0), abs=0.005)
    assert set(np.unique(d_x)) == set(np.unique(ours / 3))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_dropout_between_recurrent_layers(kind):
    """It is before the second layer, and not after it: no output is 0."""
    x = np.ones((3, 4, 20), np.float32)
    layer = getattr(nn, kind)(20, 50, num_layers=2, dropout=0.5)
    twin = getattr(torch.nn, kind)(20, 50, num_layers=2, dropout=0.5)
    twin.load_state_dict({k: torch.tensor(v) for k, v in layer.state_dict().items()})
    runs = np.stack([layer(x)[0] for _ in range(200)])
    theirs = np.stack([twin(torch.tensor(x))[0].detach().numpy() for _ in range(200)])
    assert np.all(runs != 0)
    assert np.std(runs, axis=0).mean() == pytest.approx(np.std(theirs, axis=0).mean(), rel=0.05)
    assert_close({"eval": (layer.eval()(x)[0], twin.eval()(torch.tensor(x))[0])})


# -- states and initial values -----------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
def test_states_are_exchanged(name):
    make, specs, call, results = LAYERS[name]
    net, twin = make(nn), make(torch.nn)
    ours, theirs = net.state_dict(), twin.state_dict()
    assert [(k, v.shape, str(v.dtype)) for k, v in ours.items()] == [
        (k, tuple(v.shape), str(v.dtype).removeprefix("torch.")) for k, v in theirs.items()
    ]
    assert [k for k, _ in net.named_parameters()] == [k for k, _ in twin.named_parameters()]
    net.load_state_dict(theirs)
    for k, v in net.state_dict().items():
        np.testing.assert_array_equal(v, theirs[k].numpy())
    net = make(nn)
    twin.load_state_dict({k: torch.from_numpy(v) for k, v in net.state_dict().items()})
    for k, v in twin.state_dict().items():
        np.testing.assert_array_equal(net.state_dict()[k], v.numpy())


LARGE = {
    "Linear": lambda nn: nn.Linear(400, 2000),
    "Conv2d": lambda nn: nn.Conv2d(32, 800, 5, groups=2),
    "Embedding": lambda nn: nn.Embedding(1000, 100, padding_idx=3),
    "BatchNorm2d": lambda nn: nn.BatchNorm2d(500),
    "LayerNorm": lambda nn: nn.LayerNorm((20, 30)),
    "RNN": lambda nn: nn.RNN(50, 800),
    "LSTM": lambda nn: nn.LSTM(50, 200, num_layers=2, bidirectional=True),
    "GRU": lambda nn: nn.GRU(50, 300),
    "MultiheadAttention": lambda nn: nn.MultiheadAttention(256, 8),
    "TransformerEncoderLayer": lambda nn: nn.TransformerEncoderLayer(64, 4, 1000),
}


@pytest.mark.parametrize("name", LARGE)
def test_initial_values_are_drawn_alike(name):
    """The same deviation, the same shape of the distribution, the same bounds."""
    torch.manual_seed(0)
    twin = LARGE[name](torch.nn).state_dict()
    for key, ours in LARGE[name](nn).state_dict().items():
        theirs = twin[key].numpy()
        if np.all(theirs == theirs.flat[0]):
            np.testing.assert_array_equal(ours, theirs, key)
            continue
        accuracy = 5 / np.sqrt(ours.size)
        assert np.std(ours) == pytest.approx(np.std(theirs), rel=accuracy), key
        assert abs(np.mean(ours)) < accuracy * np.std(theirs), key
        # 0.866 of a deviation where numbers are drawn evenly, 0.798 where they are normal
        shape_of = [np.mean(np.abs(w)) / np.std(w) for w in (ours, theirs)]
        assert shape_of[0] == pytest.approx(shape_of[1], rel=accuracy), key
        if shape_of[1] > 0.83:
            assert np.max(np.abs(ours)) == pytest.approx(np.max(np.abs(theirs)), rel=accuracy), key
    if name == "Embedding":
        assert not LARGE[name](nn).weight[3].any()
