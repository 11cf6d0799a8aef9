"""Schedulers without PyTorch: known rates, resuming, changes by hand, errors."""

import json

import numpy as np
import pytest

from adjoint import optim
from adjoint.optim import lr_scheduler as lrs


def sgd(lr=1.0):
    return optim.SGD([np.zeros(2)], lr=lr)


def rates(scheduler, count):
    found = []
    for _ in range(count):
        found += scheduler.get_last_lr()
        scheduler.step()
    return found


ALL = {
    "step": lambda o: lrs.StepLR(o, 2, gamma=0.5),
    "multi": lambda o: lrs.MultiStepLR(o, [1, 3]),
    "exponential": lambda o: lrs.ExponentialLR(o, 0.5),
    "linear": lambda o: lrs.LinearLR(o, 0.5, 1.0, 4),
    "cosine": lambda o: lrs.CosineAnnealingLR(o, 4, eta_min=0.1),
    "lambda": lambda o: lrs.LambdaLR(o, lambda epoch: 1 / (1 + epoch)),
    "sequential": lambda o: lrs.SequentialLR(o, [lrs.LinearLR(o), lrs.StepLR(o, 2)], [3]),
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("step", [1, 1, 0.5, 0.5, 0.25]),
        ("multi", [1, 0.1, 0.1, 0.01, 0.01]),
        ("exponential", [1, 0.5, 0.25, 0.125, 0.0625]),
        ("linear", [0.5, 0.625, 0.75, 0.875, 1, 1]),
        ("cosine", [1, 0.55 + 0.45 * 0.5**0.5, 0.55, 0.55 - 0.45 * 0.5**0.5, 0.1]),
        ("lambda", [1, 1 / 2, 1 / 3, 1 / 4]),
        ("sequential", [1 / 3, 1 / 3 + 2 / 15, 0.6, 1, 1, 0.1]),
    ],
)
def test_known_rates(name, expected):
    np.testing.assert_allclose(rates(ALL[name](sgd()), len(expected)), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_a_schedule_resumes(name):
    straight = ALL[name](sgd())
    expected = rates(straight, 10)
    first = ALL[name](sgd())
    rates(first, 4)
    state = json.loads(json.dumps(first.state_dict()))
    optimizer = sgd(0.7)
    second = ALL[name](optimizer)
    second.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == expected[4]
    assert rates(second, 6) == expected[4:]


def test_settings_are_part_of_the_state():
    scheduler = lrs.StepLR(sgd(), 5)
    scheduler.load_state_dict(lrs.StepLR(sgd(), 2, gamma=0.5).state_dict())
    assert rates(scheduler, 3) == [1.0, 1.0, 0.5]


def test_a_change_by_hand_scales_what_follows():
    optimizer = sgd()
    scheduler = lrs.ExponentialLR(optimizer, 0.5)
    scheduler.step()
    optimizer.param_groups[0]["lr"] = 5.0
    scheduler.step()
    assert scheduler.get_last_lr() == [2.5]


def test_last_epoch():
    optimizer = sgd()
    with pytest.raises(ValueError, match="must have an 'initial_lr'"):
        lrs.ExponentialLR(optimizer, 0.5, last_epoch=3)
    lrs.ExponentialLR(optimizer, 0.5)
    assert lrs.ExponentialLR(optimizer, 0.5, last_epoch=1).get_last_lr() == [0.25]


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (lambda o: lrs.StepLR(o, 0), ValueError, "step_size must be an integer, at least 1"),
        (lambda o: lrs.CosineAnnealingLR(o, 2.5), ValueError, "T_max must be an integer"),
        (lambda o: lrs.ExponentialLR(o, np.inf), ValueError, "gamma must be a finite number"),
        (lambda o: lrs.LinearLR(o, 0.0), ValueError, "start_factor must be greater than 0"),
        (lambda o: lrs.LinearLR(o, end_factor=2.0), ValueError, "end_factor must be between"),
        (lambda o: lrs.LambdaLR(o, []), ValueError, "0 functions for 1 groups"),
        (lambda o: lrs.StepLR([np.zeros(2)], 3), TypeError, "must be an Optimizer, got a list"),
        (lambda o: lrs.SequentialLR(o, [lrs.StepLR(o, 3)], [2]), ValueError, "need 0 milestones"),
        (
            lambda o: lrs.SequentialLR(o, [lrs.StepLR(o, 3), lrs.StepLR(sgd(), 3)], [2]),
            ValueError,
            "a scheduler of another optimizer",
        ),
    ],
)
def test_what_is_refused(made, error, message):
    with pytest.raises(error, match=message):
        made(sgd())


@pytest.mark.parametrize("name", ALL)
def test_a_state_that_does_not_fit_is_refused_whole(name):
    scheduler = ALL[name](sgd())
    before = scheduler.state_dict()
    saved = dict(before, last_epoch=7)
    del saved["base_lrs"]
    with pytest.raises(ValueError, match="missing: base_lrs"):
        scheduler.load_state_dict(saved)
    with pytest.raises(ValueError, match="base_lrs: 2 groups, expected 1"):
        scheduler.load_state_dict(dict(before, last_epoch=7, base_lrs=[1.0, 2.0]))
    assert scheduler.state_dict() == before


def test_a_group_that_came_later_is_seen():
    optimizer = sgd()
    scheduler = lrs.ExponentialLR(optimizer, 0.5)
    optimizer.add_param_group({"params": np.ones(3)})
    with pytest.raises(ValueError, match="made for 1 parameter groups, and the optimizer has 2"):
        scheduler.step()
