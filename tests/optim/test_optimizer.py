"""Optimisers without PyTorch: known steps, gradients of all shapes, errors, memory."""

import tracemalloc

import numpy as np
import pytest
from support import strict_arrays
from support.strict_arrays import strict

import adjoint as ad
from adjoint import optim, tree
from adjoint.optim import functional
from adjoint.optim.parameter import BLOCK

ALL = [
    (optim.SGD, {"lr": 0.1}),
    (optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "maximize": True}),
    (optim.Adam, {"weight_decay": 0.1, "amsgrad": True}),
    (optim.AdamW, {}),
    (optim.RMSprop, {"momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    (optim.Adagrad, {"lr_decay": 0.1, "initial_accumulator_value": 0.1}),
]
each = pytest.mark.parametrize(("cls", "options"), ALL)


class Net:
    """A tree with two parameters by name."""

    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def __tree_flatten__(self):
        return dict(vars(self))

    def __tree_unflatten__(self, children):
        return Net(**children)


def net():
    return Net(np.ones((2, 3)), np.zeros(3))


@each
def test_a_quadratic_is_minimised(cls, options):
    uphill = -1 if options.get("maximize") else 1
    w = np.array([0.5, -0.3])
    lr = 0.5 if cls is optim.Adagrad else 0.05
    optimizer = cls([w], **{**options, "lr": lr, "weight_decay": 0.0})
    for _ in range(1500):
        optimizer.step([2 * uphill * w])
    assert np.abs(w).max() < 0.06


@each
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_updates_are_in_place_and_keep_the_dtype(cls, options, dtype):
    w = np.ones(4, dtype)
    same = w
    optimizer = cls([w], **options)
    optimizer.step([np.full(4, 0.5, dtype)])
    assert optimizer.param_groups[0]["params"][0] is same
    assert same.dtype == dtype and (same != 1).all() and np.isfinite(same).all()


@each
def test_no_memory_is_allocated_after_the_first_step(cls, options):
    params = [np.ones((400, 500), "float32"), np.ones(500, "float32"), np.ones((), "float32")]
    grads = [np.full_like(p, 0.5) for p in params]
    optimizer = cls(params, **options)
    optimizer.step(grads)
    tracemalloc.start()
    try:
        optimizer.step(grads)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000


@each
@pytest.mark.parametrize(
    "shape", [(3 * BLOCK + 5,), (7, BLOCK), (2, 3, BLOCK // 4), (1, 2 * BLOCK)]
)
def test_blocks_give_what_the_whole_gives(cls, options, shape, rng):
    start = rng.normal(size=shape)
    gradients = [rng.normal(size=shape) for _ in range(3)]
    blocks = start.copy()
    optimizer = cls([blocks], **options)
    whole, state = start, None
    pure = {optim.SGD: functional.sgd, optim.RMSprop: functional.rmsprop}
    pure |= {optim.Adam: functional.adam, optim.AdamW: functional.adam}
    pure |= {optim.Adagrad: functional.adagrad}
    options_of_kernel = dict(optimizer.defaults)
    if cls is optim.AdamW:
        options_of_kernel["decoupled"] = True
    for g in gradients:
        optimizer.step([g])
        whole, state = pure[cls](whole, g, state, **options_of_kernel)
    np.testing.assert_array_equal(blocks, whole)


@each
def test_any_layout_in_memory(cls, options, rng):
    start, g = rng.normal(size=(300, 200)), rng.normal(size=(300, 200))
    plain, fortran, strided = start.copy(), np.asfortranarray(start), np.ones((600, 400))[::2, ::2]
    strided[...] = start
    for w in (plain, fortran, strided):
        optimizer = cls([w], **options)
        optimizer.step([np.asfortranarray(g)])
        optimizer.step([g])
    np.testing.assert_array_equal(plain, fortran)
    np.testing.assert_array_equal(plain, strided)


@each
def test_arrays_of_another_module(cls, options, rng):
    numbers, gradient = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    device = strict.asarray(numbers)
    ours, theirs = cls([numbers], **options), cls([device], **options)
    for _ in range(2):
        ours.step([gradient])
        theirs.step([strict.asarray(gradient)])
    assert isinstance(device, strict_arrays.StrictArray)
    np.testing.assert_array_equal(device.get(), numbers)
    with pytest.raises(TypeError, match="parameter 0 is a ndarray, the parameter a StrictArray"):
        theirs.step([gradient])


@each
def test_a_gradient_that_is_the_parameter(cls, options):
    same, apart = np.full(3, 2.0), np.full(3, 2.0)
    first, second = cls([same], **options), cls([apart], **options)
    for _ in range(3):
        first.step([same])
        second.step([apart.copy()])
    np.testing.assert_array_equal(same, apart)


@each
def test_pure_updates_leave_their_arguments(cls, options):
    p, g = {"w": np.ones(3)}, {"w": np.full(3, 0.5)}
    pure = {optim.SGD: functional.sgd, optim.RMSprop: functional.rmsprop}
    pure |= {optim.Adagrad: functional.adagrad}
    update = pure.get(cls, functional.adam)
    new, state = update(p, g, **options)
    kept = tree.map(np.copy, {k: v for k, v in state.items() if k != "step"})
    update(new, g, state, **options)
    assert (p["w"] == 1).all() and (new["w"] != 1).all() and state["step"] == 1
    for name, value in kept.items():
        np.testing.assert_array_equal(state[name]["w"], value["w"])


# -- parameters and gradients -----------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        lambda n: n,
        lambda n: [n.weight, n.bias],
        lambda n: iter([n.weight, n.bias]),
        lambda n: (p for p in (n.weight, n.bias)),
        lambda n: {"weight": n.weight, "bias": n.bias},
        lambda n: {"weight": n.weight, "bias": n.bias}.values(),
        lambda n: iter(vars(n).items()),
        lambda n: [{"params": [n.weight]}, {"params": n.bias}],
        lambda n: [{"params": {"weight": n.weight, "bias": n.bias}}],
    ],
)
@pytest.mark.parametrize(
    "grads",
    [
        lambda w, b: Net(w, b),
        lambda w, b: [w, b],
        lambda w, b: (w, b),
        lambda w, b: iter([w, b]),
        lambda w, b: {"weight": w, "bias": b},
    ],
)
def test_parameters_and_gradients_in_any_structure(given, grads):
    n = net()
    optimizer = optim.SGD(given(n), lr=1.0)
    optimizer.step(grads(np.full((2, 3), 2.0), np.full(3, 3.0)))
    assert (n.weight == -1).all() and (n.bias == -3).all()


def test_dicts_are_matched_by_key():
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    optimizer = optim.SGD(params, lr=1.0)
    optimizer.step({"b": np.full(2, 1.0), "a": np.full(2, 2.0)})
    assert (params["a"] == -2).all() and (params["b"] == -1).all()
    layers = [{"w": np.zeros(2), "v": np.zeros(2)}, {"w": np.zeros(2), "v": np.zeros(2)}]
    optim.SGD(layers, lr=1.0).step([{"v": np.ones(2), "w": np.zeros(2)}] * 2)
    assert (layers[0]["w"] == 0).all() and (layers[1]["v"] == -1).all()


def test_one_array_is_a_tree():
    w = np.ones(2)
    optim.SGD(w, lr=1.0).step(np.ones(2))
    assert (w == 0).all()


def test_an_array_that_occurs_twice_is_updated_once():
    w, b = np.ones(2), np.ones(2)
    optimizer = optim.SGD({"encoder": w, "decoder": w, "b": b}, lr=1.0)
    d_w = np.full(2, 0.5)
    optimizer.step({"encoder": d_w, "decoder": d_w, "b": np.zeros(2)})
    assert (w == 0.5).all() and len(optimizer.param_groups[0]["params"]) == 2
    with pytest.raises(ValueError, match="is the parameter decoder as well, and has two gradients"):
        optimizer.step({"encoder": d_w, "decoder": d_w.copy(), "b": np.zeros(2)})


def test_gradients_are_accumulated():
    w = np.zeros(2)
    optimizer = optim.SGD([w], lr=1.0)
    g = np.array([1.0, 2.0])
    optimizer.accumulate([g])
    optimizer.accumulate([g])
    assert g.tolist() == [1.0, 2.0]
    optimizer.step()
    assert w.tolist() == [-2.0, -4.0]
    with pytest.raises(ValueError, match="gradients were accumulated: write step()"):
        optimizer.step([g])
    optimizer.zero_grad()
    with pytest.raises(ValueError, match="there are no gradients: write step"):
        optimizer.step()
    optimizer.accumulate([g])
    optimizer.step()
    assert w.tolist() == [-3.0, -6.0]


def test_gradients_of_a_function():
    def loss(params, x):
        return np.sum((x @ params["w"] + params["b"]) ** 2)

    params = {"w": np.ones((3, 2), "float32"), "b": np.ones(2, "float32")}
    optimizer = optim.Adam(params, lr=0.05)
    x = np.eye(3, dtype="float32")
    before = loss(params, x)
    for _ in range(200):
        optimizer.step(ad.grad(loss)(params, x))
    assert loss(params, x) < 1e-3 * before
    assert params["w"].dtype == np.float32


@pytest.mark.parametrize(
    ("grads", "error", "message"),
    [
        ([np.ones((2, 3))], ValueError, "2 parameters and 1 gradients"),
        ([np.ones((2, 3)), np.ones(2)], ValueError, r"parameter bias has shape \(2,\)"),
        ([np.ones((2, 3)), None], ValueError, "no gradient for parameter bias"),
        ([np.ones((2, 3)), np.ones(3, "float32")], ValueError, "parameter bias has dtype float32"),
        ([np.ones((2, 3)), [1.0, 2.0, 3.0]], ValueError, "2 parameters and 4 gradients"),
        ([np.ones((2, 3)), 1.0], TypeError, "gradient of parameter bias is a float"),
        (
            {"weight": np.ones((2, 3)), "b": np.ones(3)},
            ValueError,
            "no gradient for parameter bias",
        ),
        (
            {"weight": np.ones((2, 3)), "bias": np.ones(3), "c": np.ones(3)},
            ValueError,
            "a gradient for c, which is no parameter",
        ),
        (Net(np.ones((2, 3)), None), ValueError, "no gradient for parameter bias"),
    ],
)
@pytest.mark.parametrize("use", ["step", "accumulate"])
def test_gradients_that_do_not_fit_change_nothing(use, grads, error, message):
    n = net()
    optimizer = optim.SGD(n, lr=1.0)
    with pytest.raises(error, match=message):
        getattr(optimizer, use)(grads)
    assert (n.weight == 1).all() and (n.bias == 0).all()
    with pytest.raises(ValueError, match="there are no gradients"):
        optimizer.step()


def read_only():
    w = np.ones(2)
    w.flags.writeable = False
    return w


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([], ValueError, "there are no parameters to train"),
        ({}, ValueError, "there are no parameters to train"),
        ([np.ones(2, int)], TypeError, "parameter 0 has dtype int64, not floats"),
        ([np.ones(2, complex)], TypeError, "parameter 0 has dtype complex128, not floats"),
        ({"a": {"w": 1.0}}, TypeError, "parameter a.w is a float, not an array of floats"),
        ([np.ones(2), "name"], TypeError, "parameter 1 is a str, not an array of floats"),
        ([read_only()], ValueError, "parameter 0 is read-only"),
        ([{"params": [np.ones(2)], "rate": 1.0}], ValueError, "SGD has no hyperparameter 'rate'"),
        ([{"params": [np.ones(2)]}, {"lr": 1.0}], TypeError, "a dict with the key 'params'"),
    ],
)
def test_parameters_that_are_refused(params, error, message):
    with pytest.raises(error, match=message):
        optim.SGD(params, lr=0.1)


def test_a_parameter_in_two_groups_is_refused():
    w = np.ones(2)
    with pytest.raises(ValueError, match="is in another parameter group already"):
        optim.SGD([{"params": [w]}, {"params": [w]}], lr=0.1)


@pytest.mark.parametrize(
    ("cls", "options", "error", "message"),
    [
        (optim.SGD, {"lr": -0.1}, ValueError, "lr must be a finite number, at least 0, got -0.1"),
        (optim.SGD, {"lr": np.nan}, ValueError, "lr must be a finite number"),
        (optim.SGD, {"lr": "fast"}, TypeError, "lr must be a number, got 'fast'"),
        (optim.SGD, {"momentum": -1}, ValueError, "momentum must be"),
        (optim.SGD, {"nesterov": True}, ValueError, "nesterov needs a momentum and no dampening"),
        (optim.SGD, {"nesterov": 1}, TypeError, "nesterov must be True or False"),
        (optim.Adam, {"betas": (0.9, 1.0)}, ValueError, "betas must be at least 0 and less than 1"),
        (optim.Adam, {"betas": 0.9}, TypeError, "betas must be two numbers"),
        (optim.AdamW, {"eps": -1e-8}, ValueError, "eps must be"),
        (optim.RMSprop, {"alpha": -0.1}, ValueError, "alpha must be"),
        (optim.Adagrad, {"lr_decay": -1.0}, ValueError, "lr_decay must be"),
    ],
)
def test_hyperparameters_out_of_range(cls, options, error, message):
    with pytest.raises(error, match=message):
        cls([np.ones(2)], **options)


def test_a_learning_rate_that_is_changed_is_used_and_checked():
    w = np.ones(2, "float32")
    optimizer = optim.SGD([w], lr=1.0)
    optimizer.param_groups[0]["lr"] = np.float64(0.5)
    optimizer.step([np.ones(2, "float32")])
    assert w.tolist() == [0.5, 0.5] and w.dtype == np.float32
    optimizer.param_groups[0]["lr"] = -1.0
    with pytest.raises(ValueError, match="lr must be"):
        optimizer.step([np.ones(2, "float32")])
    assert w.tolist() == [0.5, 0.5]


def test_options_may_change_on_the_way():
    w = np.ones(2)
    optimizer = optim.SGD([w], lr=1.0)
    optimizer.step([np.ones(2)])
    optimizer.param_groups[0]["momentum"] = 0.5
    optimizer.step([np.ones(2)])
    optimizer.step([np.ones(2)])
    assert w.tolist() == [-2.5, -2.5]


def test_centered_rmsprop_survives_rounding():
    w = np.ones(1000, "float32")
    optimizer = optim.RMSprop([w], lr=1e-6, centered=True)
    for _ in range(2000):
        optimizer.step([np.full(1000, 0.7, "float32")])
    assert np.isfinite(w).all()


# -- state --------------------------------------------------------------------------------------


@each
def test_training_resumes_bit_for_bit(cls, options, rng):
    grads = [[rng.normal(size=(2, 3)), rng.normal(size=3)] for _ in range(6)]
    straight, n = net(), net()
    optimizer = cls(straight, **options)
    for g in grads:
        optimizer.step(g)
    first = cls(n, **options)
    for g in grads[:3]:
        first.step(g)
    second = cls(n, lr=0.7)
    second.load_state_dict(first.state_dict())
    for g in grads[3:]:
        second.step(g)
    np.testing.assert_array_equal(n.weight, straight.weight)
    np.testing.assert_array_equal(n.bias, straight.bias)


def test_the_layout_of_the_state():
    n = net()
    optimizer = optim.Adam([{"params": [n.weight]}, {"params": [n.bias], "lr": 0.1}])
    assert optimizer.state_dict()["state"] == {}
    optimizer.step([np.ones((2, 3)), np.ones(3)])
    state = optimizer.state_dict()
    assert list(state["state"][1]) == ["step", "exp_avg", "exp_avg_sq"]
    assert [g["params"] for g in state["param_groups"]] == [[0], [1]]
    assert state["param_groups"][1]["lr"] == 0.1


def broken_states():
    def drop(state):
        del state["state"][0]["exp_avg"]
        return "missing: state.0 .weight..exp_avg"

    def shape(state):
        state["state"][0]["exp_avg"] = np.ones((3, 2))
        return r"exp_avg has shape \(3, 2\), expected \(2, 3\)"

    def dtype(state):
        state["state"][1]["exp_avg_sq"] = np.ones(3, "float32")
        return "exp_avg_sq has dtype float32, expected float64"

    def unknown(state):
        state["state"][0]["momentum_buffer"] = np.ones((2, 3))
        return "unexpected: state.0 .weight..momentum_buffer"

    def extra(state):
        state["state"][2] = {}
        return "unexpected: state.2"

    def option(state):
        del state["param_groups"][0]["eps"]
        return "missing: param_groups.0.eps"

    def bad_option(state):
        state["param_groups"][0]["lr"] = -1.0
        return "param_groups.0: lr must be"

    def other(state):
        state["param_groups"][0]["momentum"] = 0.9
        return "unexpected: param_groups.0.momentum"

    def count(state):
        state["param_groups"][0]["params"] = [0]
        return "param_groups.0.params: 1 parameters, expected 2"

    def groups(state):
        state["param_groups"] = []
        return "param_groups: 0 groups, expected 1"

    def step(state):
        state["state"][0]["step"] = -1
        return "step is -1.0, no number of steps"

    return [drop, shape, dtype, unknown, extra, option, bad_option, other, count, groups, step]


@pytest.mark.parametrize("break_it", broken_states(), ids=lambda f: f.__name__)
def test_a_state_that_does_not_fit_is_refused_whole(break_it):
    optimizer = optim.Adam(net())
    optimizer.step([np.ones((2, 3)), np.ones(3)])
    other = optim.Adam(net(), lr=0.5)
    state = other.state_dict()
    before = repr(state)
    saved = optimizer.state_dict()
    message = break_it(saved)
    with pytest.raises(ValueError, match=message):
        other.load_state_dict(saved)
    assert repr(other.state_dict()) == before


def test_repr_shows_the_groups():
    assert "9 parameters: lr=0.1, momentum=0.0" in repr(optim.SGD(net(), lr=0.1))


def test_groups_of_dicts_are_matched_by_name():
    encoder, decoder = {"w": np.zeros(2), "v": np.zeros(2)}, {"w": np.zeros(2)}
    optimizer = optim.SGD([{"params": encoder}, {"params": decoder, "lr": 2.0}], lr=1.0)
    optimizer.step([{"v": np.ones(2), "w": np.zeros(2)}, {"w": np.ones(2)}])
    assert (encoder["w"] == 0).all() and (encoder["v"] == -1).all() and (decoder["w"] == -2).all()
    more = np.zeros(3)
    optimizer.add_param_group({"params": more})
    with pytest.raises(ValueError, match="there is no gradient for parameter 2"):
        optimizer.step([{"v": np.ones(2), "w": np.zeros(2)}, {"w": np.ones(2)}])


@each
@pytest.mark.parametrize("part", [lambda x: x, lambda x: x[:, ::-1].T])
def test_gradients_that_are_other_parameters(cls, options, part):
    """The gradient of `sum(a * b)` by `a` is b, which may be b itself or a view of it."""
    a, b = np.arange(9.0).reshape(3, 3), np.ones((3, 3)) * 2
    c, d = a.copy(), b.copy()
    first, second = cls([a, b], **options), cls([c, d], **options)
    for _ in range(2):
        first.step([part(b), part(a)])
        second.step([part(d).copy(), part(c).copy()])
    np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(b, d)


def test_a_view_is_a_parameter_too():
    whole = np.zeros(4)
    optim.SGD([whole[:2], whole[2:]], lr=1.0).step([np.ones(2), whole[:2] + 2])
    assert whole.tolist() == [-1.0, -1.0, -2.0, -2.0]
