"""Hooks on cotangents, and statements in the backward sweep."""

import sys

import numpy as np
import pytest

import adjoint as ad
from adjoint.testing import check_grads

log = []
limit = 1.0


@pytest.fixture(autouse=True)
def empty_log():
    log.clear()


def body_of(fn, *args):
    """The lines of a derivative without imports and docstring."""
    lines = ad.source(fn, *args).splitlines()
    return [x.strip() for x in lines if x.startswith("    ") and '"""' not in x]


def clip(g):
    return np.clip(g, -limit, limit)


def note(g):
    log.append(g)


def halved_if_large(g):
    if np.max(g) > 1:
        return g / 2
    return None


# -- hooks ------------------------------------------------------------------------------------


def test_a_hook_replaces_the_cotangent():
    def f(x):
        h = np.tanh(x)
        h = ad.register_hook(h, clip)
        return np.sum(100 * h * h)

    x = np.array([0.5, -0.001])
    h = np.tanh(x)
    expected = np.clip(200 * h, -1, 1) * (1 - h * h)
    np.testing.assert_allclose(ad.grad(f)(x), expected)
    np.testing.assert_allclose(ad.vjp(f, x)[1](1.0)[0], expected)
    assert f(x) == np.sum(100 * h * h)
    lines = body_of(f, x)
    assert lines[lines.index("# h = ad.register_hook(h, clip)") + 1] == "d_h = clip(d_h)"


def test_a_hook_is_read_anew(monkeypatch):
    g = ad.grad(lambda x: ad.register_hook(x * 5, clip) * 1.0)
    assert g(1.0) == 5.0
    monkeypatch.setitem(globals(), "limit", 0.5)
    assert g(1.0) == 2.5
    monkeypatch.setitem(globals(), "clip", lambda g: 7.0)
    assert g(1.0) == 35.0


def test_a_hook_that_returns_none_reads():
    def f(x):
        y = ad.register_hook(x * x, note)
        return np.sum(y * y) + y[0]

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(ad.grad(f)(x), 4 * x**3 + [2, 0])
    assert [v.tolist() for v in log] == [[3, 8]]


def test_what_a_hook_keeps_does_not_change_later():
    def f(x):
        y = ad.register_hook(x * 1.0, note)
        z = ad.register_hook(y * 1.0, note)
        return np.sum(z * z) + np.sum(np.exp(y)) + np.sum(np.exp(x)) + np.sum(x)

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(ad.grad(f)(x), 2 * x + 2 * np.exp(x) + 1)
    np.testing.assert_allclose(log[0], 2 * x)
    np.testing.assert_allclose(log[1], 2 * x + np.exp(x))


def test_a_hook_that_may_return_none():
    def f(x):
        return np.sum(ad.register_hook(x * 1.0, halved_if_large) * np.array([1.0, 4.0]))

    assert ad.grad(f)(np.ones(2)).tolist() == [0.5, 2]
    assert ad.grad(lambda x: f(x) / 8)(np.ones(2)).tolist() == [1 / 8, 1 / 2]


def test_a_hook_acts_on_the_result_alone():
    def f(x):
        return x * ad.register_hook(x, lambda g: g * 10)

    assert ad.grad(f)(3.0) == 3 + 30


def test_lambdas_and_nested_functions():
    def f(x, k):
        def scaled(g):
            size = np.sqrt(np.sum(g * g))
            if size > 1:
                g = g / size
            log.append(size)
            return g * k

        y = ad.register_hook(x * 3, scaled)
        y = ad.register_hook(y, lambda g: g * k)
        return np.sum(y)

    np.testing.assert_allclose(ad.grad(f)(np.ones(4), 2.0), 3 * 2 * np.ones(4) / 2)
    assert log == [4.0]


def test_a_nested_function_that_returns_nothing(capsys):
    def f(x):
        def show(g):
            print("cotangent", g)

        y = ad.register_hook(x * 3.0, show)
        return y * y

    assert ad.grad(f)(1.0) == 18.0
    assert capsys.readouterr().out == "cotangent 6.0\n"


def test_names_of_a_hook_have_one_value(typed_only):
    def rebound(x):
        k = 2.0
        y = ad.register_hook(x, lambda g: g * k)
        k = 3.0
        return y * k

    with pytest.raises(ad.UnsupportedSyntaxError, match="`k`, which has more than one value"):
        ad.grad(rebound)(1.0)

    def in_a_loop(x):
        for i in range(1, 4):
            x = ad.register_hook(x, lambda g: g * i)  # noqa: B023
        return x

    with pytest.raises(ad.UnsupportedSyntaxError, match="`i`, which has more than one value"):
        ad.grad(in_a_loop)(1.0)

    def by_default(x):
        for i in range(1, 4):
            x = ad.register_hook(x, lambda g, i=i: g * i)
        return x

    assert ad.grad(by_default)(1.0) == 6.0

    def changed(x):
        k = np.ones(2)
        y = ad.register_hook(x * 1.0, lambda g: g * k)
        k[0] = 5.0
        return np.sum(y * k)

    with pytest.raises(ad.UnsupportedSyntaxError, match="`k`, which is changed in place"):
        ad.grad(changed)(np.ones(2))


def test_hooks_in_loops_branches_and_recursion():
    def loop(x):
        for _ in range(3):
            x = ad.register_hook(np.sin(x), clip)
            if x > 0.5:
                x = ad.register_hook(x * 2, lambda g: 3 * g)
        return 10 * x

    def by_hand(x):
        xs, large = [x], []
        for _ in range(3):
            x = np.sin(x)
            large.append(x > 0.5)
            x = 2 * x if x > 0.5 else x
            xs.append(x)
        d = 10.0
        for x, was_large in zip(reversed(xs[:-1]), reversed(large)):
            d = 6 * d if was_large else d
            d = np.clip(d, -1, 1) * np.cos(x)
        return d

    assert ad.grad(loop)(0.7) == pytest.approx(by_hand(0.7))
    assert ad.grad(loop)(-0.7) == pytest.approx(by_hand(-0.7))

    def power(x, n):
        return x if n == 0 else ad.register_hook(power(x, n - 1), lambda g: 2 * g) * x

    assert ad.grad(lambda x: power(x, 2))(1.0) == pytest.approx(1 + 2 * (1 + 2))


def test_hooks_on_containers():
    def f(p):
        q = ad.register_hook(p, lambda d: {"w": d["w"] * 2, "b": d["b"]})
        return np.sum(q["w"]) * q["b"]

    d = ad.grad(f)({"w": np.ones(2), "b": 3.0})
    assert d["w"].tolist() == [6, 6]
    assert d["b"] == 2.0


def test_hooks_and_changes_in_place():
    def f(x):
        y = x * 2
        y = ad.register_hook(y, lambda g: 10 * g)
        y[0] = 0.0
        return np.sum(y * y)

    np.testing.assert_allclose(ad.grad(f)(np.array([1.0, 2.0])), [0, 160])


def test_hooks_where_nothing_is_differentiated():
    def f(x, k):
        k = ad.register_hook(k, note)
        with ad.no_grad():
            z = ad.register_hook(x, note)
        return x * k * z

    assert ad.grad(f)(2.0, 3.0) == 6.0
    assert log == []
    assert ad.register_hook(3.0, note) == 3.0


def test_tangents_pass_hooks():
    def f(x):
        y = ad.register_hook(x * x, clip)
        with ad.insert_grad_of(y) as d_y:
            d_y = d_y * 0
        z = ad.register_hook(np.sin(y), lambda g: 3 * g)
        return np.sum(z)

    check_grads(f, (np.array([1.0, 2.0]),), modes=("forward",))

    def changed(x):
        y = ad.register_hook(x * x, clip)
        y[0] = 1.0
        return np.sum(y)

    check_grads(changed, (np.array([1.0, 2.0]),), modes=("forward",))


def test_a_maximum_with_a_hook_does_not_cancel():
    def f(x):
        top = ad.register_hook(np.max(x), note)
        return np.log(np.sum(np.exp(x - top))) + top

    ad.grad(f)(np.array([1.0, 2.0]))
    assert len(log) == 1


def hidden(x):
    return eval("x * 2.0")


@pytest.mark.parametrize("hook", [lambda d: 10 * d, np.copy, note])
def test_cotangents_of_unknown_type(hook):
    @ad.rule(hidden)
    def hidden_rule(z, x):
        ad.d[z, x] = 2.0

    def f(x):
        y = ad.register_hook(hidden(x), hook)
        z = ad.register_hook(hidden(x), lambda d: d * 3)
        with ad.insert_grad_of(z) as d_z:
            d_z = np.clip(d_z, 0.0, 0.5)
        return np.sum(y) if x[0] > 5 else np.sum(z)

    factor = 10 if hook(1.0) == 10 else 1
    np.testing.assert_allclose(ad.grad(f)(np.array([1.0, 2.0])), [3, 3])
    np.testing.assert_allclose(ad.grad(f)(np.array([7.0, 2.0])), [2 * factor, 2 * factor])


def test_float32_stays():
    def f(x):
        return np.sum(ad.register_hook(x * 2, lambda g: g.astype(np.float64)))

    assert ad.grad(f)(np.ones(2, np.float32)).dtype == np.float32


def test_a_wrong_shape_is_refused():
    def f(x):
        return np.sum(ad.register_hook(x * 2, np.sum))

    with pytest.raises(ad.CotangentError, match="shape \\(\\) of a cotangent of shape \\(3,\\)"):
        ad.grad(f)(np.ones(3))
    with pytest.raises(ad.CotangentError, match="shape"):
        ad.grad(lambda x: np.sum(ad.register_hook(x * 2, lambda g: g[:1])))(np.ones(3))


def test_calls_of_register_hook_that_are_no_calls(typed_only):
    with pytest.raises(ad.UnsupportedSyntaxError, match="takes a value and a function"):
        ad.grad(lambda x: ad.register_hook(x))(1.0)


# -- statements in the backward sweep ---------------------------------------------------------


def test_statements_read_and_replace(capsys):
    def f(x):
        y = x * x
        with ad.insert_grad_of(y) as d_y:
            print("d_y =", d_y)
            d_y = np.clip(d_y, -limit, limit)
        return np.sum(3 * y)

    x = np.array([1.0, 2.0])
    assert f(x) == 15.0
    assert ad.grad(f)(x).tolist() == [2, 4]
    assert capsys.readouterr().out == "d_y = [3. 3.]\n"
    lines = body_of(f, x)
    start = lines.index("# with ad.insert_grad_of(y) as d_y:")
    assert lines[start + 1 :] == [
        "d_y = np.full_like(x, 3.0)",
        "print('d_y =', d_y)",
        "d_y = np.clip(d_y, -limit, limit)",
        "return 2 * d_y * x",
    ]


def test_statements_may_change_the_cotangent_in_place():
    def f(x):
        y = x * x
        with ad.insert_grad_of(y) as g:
            g[0] = 0.0
            g *= 2
        return np.sum(3 * y)

    assert ad.grad(f)(np.array([1.0, 2.0])).tolist() == [0, 24]


def test_statements_see_the_values_at_their_point():
    def f(x):
        k = x[0] * 2
        y = x * 1.0
        with ad.insert_grad_of(y) as g:
            g = g * k + y[1]
            k = 100.0
        y[1] = 7.0
        k = k * 10
        return np.sum(y) * k

    x = np.array([2.0, 3.0])
    # y = (2, 7), k = 40: d_y = (40, 0), and then 40 * 4 + 3, 3
    assert ad.grad(f)(x).tolist() == [40 * 4 + 3 + 9 * 20, 3]


def test_statements_with_branches_and_loops():
    def f(x):
        s = 0.0
        for i in range(3):
            x = np.sin(x)
            with ad.insert_grad_of(x) as d_x:
                norm = np.sqrt(np.sum(d_x * d_x))
                for _ in range(2):
                    if norm > limit:
                        d_x = d_x / norm
                        norm = norm / 2
                log.append((i, norm))
            s = s + np.sum(x)
        return s

    x = np.array([0.3, 0.4])
    d = np.zeros(2)
    xs = [x, np.sin(x), np.sin(np.sin(x))]
    expected = []
    for i in (2, 1, 0):
        d = d + 1
        norm = np.sqrt(np.sum(d * d))
        for _ in range(2):
            if norm > 1:
                d = d / norm
                norm = norm / 2
        expected.append((i, norm))
        d = d * np.cos(xs[i])
    np.testing.assert_allclose(ad.grad(f)(x), d)
    assert [i for i, _ in log] == [2, 1, 0]
    assert [n for _, n in log] == pytest.approx([n for _, n in expected])


def test_statements_in_a_helper_and_a_method():
    def helper(x):
        y = x * 2
        with ad.insert_grad_of(y) as d_y:
            d_y = d_y * 5
        return y

    assert ad.grad(lambda x: helper(x) * x)(3.0) == 6 + 3 * 10
    assert ad.vjp(helper, 3.0)[1](1.0) == (10.0,)


class Recorder:
    def __init__(self):
        self.values = []
        self.table = {}

    def add(self, value):
        self.values.append(value)


recorder = Recorder()


def test_statements_log_into_objects():
    def f(x):
        y = x * x
        with ad.insert_grad_of(y) as d_y:
            recorder.add(d_y)
            recorder.values.append(d_y * 2)
            recorder.table.update(d_y=d_y)
        return 3 * y

    recorder.values.clear()
    assert ad.grad(f)(2.0) == 12.0
    assert recorder.values == [3.0, 6.0]
    assert recorder.table == {"d_y": 3.0}


def test_only_later_uses_have_contributed():
    def f(x):
        y = x * 1.0
        z = y * 5
        with ad.insert_grad_of(y) as d_y:
            log.append(d_y)
            d_y = d_y * 0
        return z + y * 7

    assert ad.grad(f)(2.0) == 5.0
    assert log == [7.0]


def test_plain_execution_skips_the_statements():
    def f(x):
        y = x + 1
        with ad.insert_grad_of(y) as d_y: log.append(d_y)  # fmt: skip # noqa: E701
        with ad.insert_grad_of(y) as d_y:
            for _ in range(2):
                log.append(d_y)
        for _ in range(2):
            with ad.insert_grad_of(y) as d_y:
                raise AssertionError
        return y

    before = sys.gettrace()
    assert f(1.0) == 2.0
    assert log == []
    assert sys.gettrace() is before
    with pytest.raises(ZeroDivisionError):
        with ad.insert_grad_of(1.0):
            pass
        1 / 0


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        ("with ad.insert_grad_of(x * 2) as d:\n        pass", "takes one variable"),
        ("with ad.insert_grad_of(x):\n        pass", "takes one variable"),
        ("with ad.insert_grad_of(np) as d:\n        pass", "no variable of this function"),
        ("with ad.insert_grad_of(x) as d:\n        return x", "cannot be put into"),
        ("with ad.insert_grad_of(x) as d:\n        import os", "cannot be put into"),
        ("with ad.insert_grad_of(x) as d:\n        y[0] = 1.0", "changes `y` in place"),
        ("with ad.insert_grad_of(x) as d:\n        d = x[:1] * 2", "shape"),
        ("with ad.insert_grad_of(x) as d, ad.no_grad():\n        pass", "of its own"),
    ],
)
def test_what_is_refused(tmp_path, fn, message, typed_only):
    path = tmp_path / "made.py"
    path.write_text(f"def f(x):\n    y = x * 2.0\n    {fn}\n    return np.sum(x * y)\n")
    scope = {"np": np, "ad": ad}
    exec(compile(path.read_text(), str(path), "exec"), scope)
    with pytest.raises(ad.AdjointError, match=message):
        ad.grad(scope["f"])(np.ones(2))
