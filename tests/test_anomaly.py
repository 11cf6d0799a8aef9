"""`detect_anomaly`: the first value that is nan is told, with its line."""

import sys
import threading

import numpy as np
import pytest

import adjoint as ad
from adjoint import forms, nn

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture(params=["typed", "recorded"], autouse=True)
def form(request):
    """Each test in both forms."""
    with forms.only(request.param):
        yield request.param


def deep(w, x):
    h = x @ w
    for _ in range(3):
        h = 2 * np.log(h)
    return np.mean(h * h)


def kink(x):
    s = np.sum(x * x)
    return np.sqrt(s)


def infinite(x):
    y = x + np.inf
    return np.sum(np.minimum(y, 1.0))


def by_branches(x, flag):
    if flag > 0:
        y = np.arcsin(x)
    else:
        y = np.arccos(x)
    return np.sum(y)


def inner(x):
    return np.log(x)


def nested(x):
    def own(y):
        return inner(y) + 1

    return np.sum(own(x))


def in_place(x):
    y = x * 2
    y -= np.inf
    y -= y
    return np.sum(y * x)


def power(x, n):
    return 1.0 if n == 0 else np.sqrt(x) * power(x, n - 1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4, dtype=np.float64)

    def forward(self, x):
        return np.log(self.first(x))


NET = Net()
NET.first.weight[...] = -1
NEGATIVE = np.array([4.0, -1.0])

# name: the function, its arguments, the text with carets, which the message has to hold
FORWARD = {
    "loop": (deep, (np.ones((2, 2)), np.ones((3, 2)) / 4), ["2 * np.log(h)", "    ^^^^^^^^^"]),
    "branch": (by_branches, (NEGATIVE, 1), ["y = np.arcsin(x)", "    ^^^^^^^^^^^^"]),
    "other branch": (by_branches, (NEGATIVE, 0), ["y = np.arccos(x)"]),
    "functions": (nested, (NEGATIVE,), ["in inner:", "return np.log(x)"]),
    "in place": (in_place, (np.ones(2),), ["y -= y"]),
    "recursion": (power, (-1.0, 3), ["in power:", "np.sqrt(x)"]),
    "module": (lambda x, net: np.sum(net(x)), (np.ones((2, 3)), NET), ["np.log(self.first(x))"]),
}


@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.parametrize(
    "derive",
    [
        lambda f, *args: ad.value_and_grad(f)(*args),
        lambda f, x, *args: ad.jvp(lambda x: f(x, *args), (x,), (np.ones_like(x),)),
        lambda f, x, *args: ad.vjp(lambda x: f(x, *args), x),
    ],
    ids=["value_and_grad", "jvp", "vjp"],
)
def test_the_forward_sweep(name, derive, form):
    function, args, shown = FORWARD[name]
    args = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
    with ad.detect_anomaly(), pytest.raises(ad.AnomalyError) as error:
        derive(function, *args)
    text = str(error.value)
    assert "test_anomaly.py:" in text and "nan" in text and "in the forward sweep" in text
    for part in shown:
        if form == "recorded" and sys.version_info < (3, 11):
            part = part.strip()  # Python 3.10 knows the statement, and not the call in it
        assert part in text
    assert isinstance(error.value, (FloatingPointError, ad.AdjointError))


def test_the_variable_is_named(typed_only):
    with ad.detect_anomaly(), pytest.raises(ad.AnomalyError, match="`y` is nan in 1 of 2 elements"):
        ad.value_and_grad(by_branches)(NEGATIVE, 1)


@pytest.mark.parametrize(
    "derive",
    [
        lambda: ad.grad(kink)(np.zeros(2)),
        lambda: ad.value_and_grad(kink)(np.zeros(2)),
        lambda: ad.vjp(kink, np.zeros(2))[1](1.0),
    ],
)
def test_the_backward_sweep(derive, form):
    with ad.detect_anomaly(), pytest.raises(ad.AnomalyError, match="in the backward sweep") as e:
        derive()
    assert "s = np.sum(x * x)" in str(e.value)
    assert ("the cotangent `d_x` is nan" if form == "typed" else "a cotangent of") in str(e.value)


def test_a_tangent():
    with ad.detect_anomaly(), pytest.raises(ad.AnomalyError, match="tangent") as error:
        ad.jvp(kink, (np.zeros(2),), (np.ones(2),))
    assert "return np.sqrt(s)" in str(error.value)


def test_infinite_values_only_if_asked():
    with ad.detect_anomaly():
        value, _ = ad.value_and_grad(infinite)(np.ones(2))
    assert value == 2
    with ad.detect_anomaly(check_inf=True):
        with pytest.raises(ad.AnomalyError, match="is infinite in 2 of 2 elements") as error:
            ad.value_and_grad(infinite)(np.ones(2))
    assert "y = x + np.inf" in str(error.value)


def whole(x):
    """Nothing wrong: memory that is filled later, a constant nan that is not used."""
    h = np.empty((4, *x.shape))
    best = np.full(2, np.nan)
    h[0] = x
    for t in range(3):
        h[t + 1] = np.where(h[t] > 0, np.sqrt(np.abs(h[t])), 0.0)
    best[0] = 1.0
    return np.sum(h) * best[0]


@pytest.mark.parametrize("function", [whole, kink])
def test_what_is_all_right_is_the_same(function):
    x = np.array([0.5, 0.25])
    expected = ad.value_and_grad(function)(x)
    with ad.detect_anomaly(check_inf=True):
        found = ad.value_and_grad(function)(x)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


def test_the_mode_ends_with_the_block():
    """Also where a derivative was made before, and called in the same way."""
    derivative = ad.value_and_grad(by_branches)
    for _ in range(3):
        assert np.isnan(derivative(NEGATIVE, 1)[0])
        with ad.detect_anomaly(), pytest.raises(ad.AnomalyError):
            derivative(NEGATIVE, 1)
        with ad.detect_anomaly():
            with ad.detect_anomaly(False):
                assert np.isnan(derivative(NEGATIVE, 1)[0])
            with pytest.raises(ad.AnomalyError):
                derivative(NEGATIVE, 1)


def test_as_a_statement():
    derivative = ad.grad(deep)
    args = FORWARD["loop"][1]
    ad.detect_anomaly()
    try:
        with pytest.raises(ad.AnomalyError):
            derivative(*args)
    finally:
        ad.detect_anomaly(False)
    assert np.isnan(derivative(*args)).any()


def test_each_thread_has_its_mode():
    derivative = ad.value_and_grad(by_branches)
    found = []

    def other():
        found.append(derivative(NEGATIVE, 1)[0])

    with ad.detect_anomaly():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with pytest.raises(ad.AnomalyError):
            derivative(NEGATIVE, 1)
    assert len(found) == 1 and np.isnan(found[0])


def test_a_handler_of_the_users_does_not_hide_it():
    def handles(x):
        try:
            y = np.sqrt(x)
        except FloatingPointError:
            y = x
        return np.sum(y)

    with forms.only("recorded"), ad.detect_anomaly(), pytest.raises(ad.AnomalyError):
        ad.grad(handles)(NEGATIVE)


def test_the_checks_are_seen_in_the_text(form):
    if form == "recorded":
        return
    plain = ad.source(kink, np.ones(2))
    with ad.detect_anomaly():
        text = ad.source(kink, np.ones(2))
    assert "check" not in plain
    assert "    s = prod.sum()\n    check_nan(s, 's')\n" in text
    assert "check_nan(d_x, 'd_x', 'backward')\n    return d_x" in text
    assert ad.source(kink, np.ones(2)) == plain
