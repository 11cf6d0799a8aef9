"""Each optimiser, with its options, and each scheduler takes the steps that PyTorch's takes."""

import numpy as np
import pytest

from adjoint import optim
from adjoint.optim import lr_scheduler

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
torch.set_num_threads(1)

CASES = [
    ("SGD", {"lr": 0.01}),
    ("SGD", {"lr": 0.01, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.01, "momentum": 0.9}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "betas": (0.8, 0.9), "eps": 1e-3}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "amsgrad": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.2, "amsgrad": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.001, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.001, "momentum": 0.9}),
    ("RMSprop", {"lr": 0.001, "momentum": 0.9, "centered": True}),
    ("RMSprop", {"lr": 0.001, "centered": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.3, "eps": 1e-3}),
]
SHAPES = [(5, 3), (3,), (), (40, 50)]


def name_of(case):
    return case if isinstance(case, str) else ",".join(case) or "defaults"


def pair(name, options, rng, dtype):
    """The same optimiser for the same numbers, ours and PyTorch's, with their parameters."""
    params = [rng.normal(size=shape).astype(dtype) for shape in SHAPES]
    theirs = [torch.nn.Parameter(torch.tensor(p)) for p in params]
    return (
        params,
        theirs,
        getattr(optim, name)(params, **options),
        getattr(torch.optim, name)(theirs, **options),
    )


def take_steps(params, theirs, ours, torchs, rng, count):
    for _ in range(count):
        grads = [rng.normal(size=p.shape).astype(p.dtype) for p in params]
        for p, g in zip(theirs, grads):
            p.grad = torch.tensor(g)
        ours.step(grads)
        torchs.step()


def assert_same(params, theirs, dtype):
    for p, q in zip(params, theirs):
        assert p.dtype == dtype
        tolerance = 1e-12 if dtype == "float64" else 2e-5
        np.testing.assert_allclose(p, q.detach().numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=name_of)
def test_a_hundred_steps(name, options, dtype, maximize, rng):
    params, theirs, ours, torchs = pair(name, {**options, "maximize": maximize}, rng, dtype)
    take_steps(params, theirs, ours, torchs, rng, 100)
    assert_same(params, theirs, dtype)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_the_defaults_are_those_of_pytorch(name):
    theirs = getattr(torch.optim, name)([torch.nn.Parameter(torch.zeros(2))]).defaults
    ours = getattr(optim, name)([np.zeros(2)]).defaults
    assert {k: theirs[k] for k in ours} == ours


@pytest.mark.parametrize(("name", "options"), CASES, ids=name_of)
def test_a_state_of_pytorch_is_taken_over(name, options, rng):
    params, theirs, ours, torchs = pair(name, options, rng, "float64")
    for _ in range(7):
        for p in theirs:
            p.grad = torch.tensor(rng.normal(size=p.shape))
        torchs.step()
    for p, q in zip(params, theirs):
        p[...] = q.detach().numpy()
    ours.load_state_dict(torchs.state_dict())
    take_steps(params, theirs, ours, torchs, rng, 20)
    assert_same(params, theirs, "float64")


def test_parameter_groups(rng):
    weight, bias = np.ones((2, 3)), np.ones(3)
    twins = [torch.nn.Parameter(torch.tensor(a)) for a in (weight, bias)]
    groups = [{"params": [weight], "weight_decay": 0.1}, {"params": [bias], "lr": 0.5}]
    theirs = [{**g, "params": [t]} for g, t in zip(groups, twins)]
    ours, torchs = optim.AdamW(groups, lr=0.01), torch.optim.AdamW(theirs, lr=0.01)
    take_steps([weight, bias], twins, ours, torchs, rng, 10)
    assert_same([weight, bias], twins, "float64")


SCHEDULERS = [
    ("StepLR", lambda s, o: s.StepLR(o, 7, gamma=0.5)),
    ("StepLR, defaults", lambda s, o: s.StepLR(o, 30)),
    ("MultiStepLR", lambda s, o: s.MultiStepLR(o, [5, 20, 20, 60], gamma=0.3)),
    ("ExponentialLR", lambda s, o: s.ExponentialLR(o, 0.95)),
    ("CosineAnnealingLR", lambda s, o: s.CosineAnnealingLR(o, 30)),
    ("CosineAnnealingLR, eta_min", lambda s, o: s.CosineAnnealingLR(o, 40, eta_min=0.01)),
    ("LinearLR, defaults", lambda s, o: s.LinearLR(o)),
    ("LinearLR", lambda s, o: s.LinearLR(o, 0.2, 0.7, 20)),
    ("LambdaLR", lambda s, o: s.LambdaLR(o, lambda epoch: 0.9**epoch)),
    ("LambdaLR, list", lambda s, o: s.LambdaLR(o, [lambda e: 1 / (1 + e), lambda e: 1 / (2 + e)])),
    (
        "SequentialLR",
        lambda s, o: s.SequentialLR(
            o,
            [s.LinearLR(o, 0.1, total_iters=10), s.CosineAnnealingLR(o, 50), s.StepLR(o, 9)],
            [10, 60],
        ),
    ),
]


@pytest.mark.parametrize(("name", "made"), SCHEDULERS, ids=[name for name, _ in SCHEDULERS])
@pytest.mark.filterwarnings("ignore")  # PyTorch advises on the order of calls, and against its own
def test_a_hundred_epochs(name, made):
    ours = optim.SGD([{"params": [np.zeros(2)]}, {"params": [np.zeros(2)], "lr": 0.3}], lr=0.1)
    torchs = torch.optim.SGD(
        [{"params": [torch.nn.Parameter(torch.zeros(2))]} for _ in range(2)], lr=0.1
    )
    torchs.param_groups[1]["lr"] = 0.3
    scheduler, theirs = made(lr_scheduler, ours), made(torch.optim.lr_scheduler, torchs)
    for epoch in range(100):
        np.testing.assert_allclose(
            scheduler.get_last_lr(), theirs.get_last_lr(), rtol=1e-9, atol=1e-15, err_msg=str(epoch)
        )
        assert [g["lr"] for g in ours.param_groups] == scheduler.get_last_lr()
        scheduler.step()
        theirs.step()


@pytest.mark.parametrize("p", [2.0, 1.0, 3.0, np.inf])
@pytest.mark.parametrize("max_norm", [0.5, 1e3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipping_by_norm(p, max_norm, dtype, rng):
    grads = [rng.normal(size=shape).astype(dtype) for shape in SHAPES]
    twins = [torch.nn.Parameter(torch.tensor(g)) for g in grads]
    for t, g in zip(twins, grads):
        t.grad = torch.tensor(g)
    norm = optim.clip_grad_norm_(grads, max_norm, p)
    expected = torch.nn.utils.clip_grad_norm_(twins, max_norm, p)
    np.testing.assert_allclose(norm, float(expected), rtol=1e-4)
    for g, t in zip(grads, twins):
        np.testing.assert_allclose(g, t.grad.numpy(), rtol=1e-4)
