"""A second call with arguments of the same types goes to the code directly: what must be seen."""

import traceback

import numpy as np
import pytest

import adjoint as ad

factor = 2.0
OWN = "__call__", "_find_and_call"


def loss(params, x):
    w, extra = params["w"], params["extra"]
    return np.sum(w * x) * extra[0] + np.sum(extra[1] * extra[1])


def params(n=3, dtype=float, **options):
    return {"w": np.ones(n, dtype), "extra": [2.0, np.ones(2)], **options}


@pytest.mark.parametrize(
    "other",
    [
        params(4),
        params(dtype=np.float32),
        params(extra=(2.0, np.ones(2))),
        params(extra=[2, np.ones(2)]),
        params(extra=[np.ones(1)[0], np.ones(2)]),
        params(extra=[2.0, np.ones((2, 2))]),
        params(extra=[2.0, np.ones(2), 1.0]),
        params(more=1.0),
        {"extra": [2.0, np.ones(2)], "w": np.ones(3)},
        params(w=np.float64(1.5)),
    ],
)  # fmt: skip
def test_other_containers_are_noticed(other):
    d = ad.grad(loss)
    x = np.ones(np.shape(other["w"]) or 3)
    d(params(), np.ones(3))
    d(params(), np.ones(3))
    found, expected = d(other, x), ad.grad(loss)(other, x)
    assert list(found) == list(expected) == list(other)
    assert type(found["extra"]) is type(other["extra"])
    np.testing.assert_array_equal(found["w"], expected["w"])
    assert np.asarray(found["w"]).dtype == np.asarray(expected["w"]).dtype
    for mine, theirs in zip(found["extra"], expected["extra"], strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_values_are_read_at_each_call():
    d = ad.value_and_grad(loss)
    for scale in (1.0, 2.0, 3.0):
        given = {"w": np.full(3, scale), "extra": [scale, np.full(2, scale)]}
        value, gradient = d(given, np.ones(3))
        assert value == loss(given, np.ones(3))
        np.testing.assert_array_equal(gradient["w"], np.full(3, scale))


def test_gradients_are_arranged_at_each_call():
    d = ad.grad(lambda x, y: np.sum(x * y), argnames=("y", "x"))
    for _ in range(3):
        found = d(np.ones(2), np.full(2, 3.0))
        np.testing.assert_array_equal(found["x"], [3.0, 3.0])
        np.testing.assert_array_equal(found["y"], [1.0, 1.0])
    with_aux = ad.value_and_grad(lambda x: (x * x, "aux"), has_aux=True)
    assert [with_aux(3.0) for _ in range(3)] == [((9.0, "aux"), 6.0)] * 3


def test_shared_memory_is_refused_at_each_call():
    def assign(a, b):
        a[0] = 0.0
        return np.sum(a * b)

    d = ad.grad(assign, argnums=1)
    for _ in range(2):
        d(np.ones(2), np.ones(2))
    x = np.ones(2)
    with pytest.raises(ad.AliasingError):
        d(x, x)
    np.testing.assert_array_equal(x, np.ones(2))


def test_globals_are_read_anew(monkeypatch):
    d = ad.grad(lambda x: factor * x)
    assert [d(1.0), d(1.0)] == [2.0, 2.0]
    monkeypatch.setitem(globals(), "factor", 5.0)
    assert d(1.0) == 5.0
    monkeypatch.setitem(globals(), "factor", np.full((), 7.0))
    assert d(1.0) == 7.0
    monkeypatch.delitem(globals(), "factor")
    with pytest.raises((NameError, ad.AdjointError)):
        d(1.0)


def test_tracebacks_show_the_user_and_not_the_direct_call():
    def fails(x, y):
        return np.sum(x @ y)

    d = ad.grad(fails)
    d(np.ones((2, 3)), np.ones((3, 2)))
    seen = []
    for _ in range(2):
        with pytest.raises(ValueError, match="matmul") as caught:
            d(np.ones((2, 3)), np.ones((4, 2)))
        frames = traceback.extract_tb(caught.value.__traceback__)
        seen.append([(f.name, f.filename) for f in frames if f.name not in OWN])
    assert seen[0] == seen[1]
    assert any(name == "fails" and filename == __file__ for name, filename in seen[1])


def test_a_key_error_of_the_function_is_its_own():
    calls = []

    def looks_up(x, key):
        calls.append(key)
        return {"a": x, "b": x * x}[key]

    d = ad.grad(looks_up)
    assert d(3.0, "b") == 6.0
    assert d(3.0, "b") == 6.0
    count = len(calls)
    with pytest.raises((KeyError, ad.AdjointError)):
        d(3.0, "c")
    assert len(calls) <= count + 1


def test_the_end_of_the_stack_is_told_as_such():
    d = ad.grad(lambda x: x * x)
    d(1.0)

    def deeper(x):
        return d(x) + deeper(x)

    with pytest.raises(RecursionError):
        deeper(1.0)
    assert d(1.0) == 2.0


def test_keywords_and_wrong_counts():
    d = ad.grad(lambda x, y=3.0: x * y)
    assert [d(1.0, 2.0), d(1.0, 2.0), d(1.0), d(x=1.0), d(1.0, y=5.0), d(1.0, 2.0)] == [
        2.0, 2.0, 3.0, 3.0, 5.0, 2.0
    ]  # fmt: skip
    with pytest.raises(TypeError):
        d(1.0, 2.0, 3.0)


def test_anomaly_mode_is_seen_between_direct_calls():
    d = ad.grad(lambda x: np.sqrt(x) * 1.0)
    assert d(4.0) == d(4.0) == 0.25
    with np.errstate(invalid="ignore"), ad.detect_anomaly(), pytest.raises(ad.AnomalyError):
        d(-1.0)
    assert d(4.0) == 0.25
