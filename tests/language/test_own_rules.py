"""Rules of the user's: templates and functions, for functions of every kind, live."""

import functools
import math

import numpy as np
import pytest
import scipy.linalg
import scipy.special

import adjoint as ad
from adjoint import forms
from adjoint.rules import own
from adjoint.testing import check_grads

slope = 1.0


def body_of(fn, *args, **options):
    """The lines of a derivative without imports and docstring."""
    lines = ad.source(fn, *args, **options).splitlines()
    return [x.strip() for x in lines if x.startswith("    ") and '"""' not in x]


# -- templates --------------------------------------------------------------------------------


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def give_softplus_a_rule():
    @ad.rule(softplus)
    def softplus_rule(z, x):
        ad.d[z, x] = 1 - np.exp(-z)


def test_a_partial_serves_an_elementwise_function():
    give_softplus_a_rule()

    def loss(w, x):
        return np.sum(softplus(w * x))

    assert body_of(loss, np.ones(3), np.ones(3)) == [
        "result = softplus(w * x)",
        "return (1 - np.exp(-result)) * x",
    ]
    check_grads(loss, (np.array([-1.0, 0.5, 40.0]), np.ones(3)))
    check_grads(loss, (np.array([[-1.0], [0.5]]), np.ones(3)))
    check_grads(lambda x: softplus(x) * x, (0.3,))


def test_the_function_is_called_as_it_is():
    calls = []

    def f(x):
        calls.append(float(x))
        return math.exp(x)

    @ad.rule(f)
    def f_rule(z, x):
        ad.d[z, x] = z

    g = ad.grad(lambda x: f(x) * f(2 * x))
    assert calls == []
    assert g(1.0) == pytest.approx(3 * math.exp(3))
    assert calls == [1.0, 2.0]
    # Its effects happen in the order of the calls, also where the result is not used.
    calls.clear()

    def unused(x):
        f(x)
        return x * f(3.0)

    assert ad.grad(unused)(1.0) == pytest.approx(math.exp(3))
    assert calls == [1.0, 3.0]


def test_cotangent_lines():
    def energy(x, k):
        return np.einsum("i,ij,j->", x, k, x)

    @ad.rule(energy)
    def energy_rule(e, x, k):
        ad.d[x] += ad.d[e] * (k @ x + x @ k)
        ad.d[k] += ad.d[e] * np.outer(x, x)

    args = np.array([1.0, -2.0]), np.array([[2.0, 0.5], [0.1, 1.0]])
    check_grads(energy, args, modes=("reverse",))
    check_grads(lambda x, k: np.sin(energy(2 * x, k)), args, modes=("reverse",))


def test_the_function_itself_is_differentiated_by_its_rule():
    def f(x):
        return x * x

    @ad.rule(f)
    def f_rule(z, x):
        ad.d[z, x] = 10.0

    assert ad.grad(f)(3.0) == 10.0
    assert ad.vjp(f, 3.0)[1](2.0) == (20.0,)
    assert ad.value_and_grad(f)(3.0) == (9.0, 10.0)


def test_options_and_conditions():
    def norm_of(x, squared=False):
        return np.sum(x * x) if squared else np.sqrt(np.sum(x * x))

    @ad.rule(norm_of, when=lambda squared: squared)
    def squared_norm(z, x, squared=False):
        ad.d[x] += 2 * ad.d[z] * x

    @ad.rule(norm_of)
    def plain_norm(z, x, squared=False):
        ad.d[x] += ad.d[z] * x / z

    check_grads(norm_of, (np.array([3.0, 4.0]),), modes=("reverse",))
    check_grads(lambda x: norm_of(x, True), (np.array([3.0, 4.0]),), modes=("reverse",))
    check_grads(lambda x: norm_of(x, squared=True), (np.array([3.0, 4.0]),), modes=("reverse",))


def test_a_condition_on_ranks():
    def total(x):
        return np.sum(x)

    @ad.rule(total, when=lambda x: x.ndim == 2)
    def of_a_matrix(z, x):
        ad.d[x] += ad.d[z] * np.full(x.shape, 2.0)

    @ad.rule(total, when=lambda x: x.ndim == 1)
    def of_a_line(z, x):
        ad.d[x] += ad.d[z] * np.full(x.shape, 1.0)

    assert ad.grad(total)(np.ones(2)).tolist() == [1, 1]
    assert ad.grad(total)(np.ones((1, 2))).tolist() == [[2, 2]]
    with pytest.raises(ad.NoDerivativeError, match="not known for these operands"):
        ad.grad(total)(np.ones((1, 1, 2)))


def test_an_input_without_a_line_is_an_option():
    def f(x, k):
        return x * k

    @ad.rule(f)
    def f_rule(z, x, k):
        ad.d[z, x] = k

    assert ad.grad(f)(2.0, 3.0) == 3.0
    with pytest.raises(ad.NoDerivativeError, match="`k`"):
        ad.grad(f, argnums=1)(2.0, 3.0)


@pytest.mark.parametrize("form", forms.BOTH)
def test_names_that_derivatives_might_have(form):
    def f(x, d_z):
        return x * d_z

    @ad.rule(f)
    def f_rule(z, x, d_z):
        t_x = d_z * ad.d[d_z]
        ad.d[z] = ad.d[x] * d_z + x * t_x / d_z
        d_x = ad.d[z] * d_z
        ad.d[x] += d_x
        ad.d[d_z] += ad.d[z] * x

    with forms.only(form):
        assert ad.grad(f, argnums=(0, 1))(2.0, 3.0) == (3.0, 2.0)
        assert ad.jvp(f, (2.0, 3.0), (1.0, 10.0)) == (6.0, 23.0)


def test_names_of_a_template_are_read_anew(monkeypatch):
    def f(x):
        return x

    local = 1.0

    @ad.rule(f)
    def f_rule(z, x):
        ad.d[z, x] = slope * local

    g = ad.grad(f)
    assert g(3.0) == 1.0
    monkeypatch.setitem(globals(), "slope", 5.0)
    assert g(3.0) == 5.0
    local = 7.0
    assert g(3.0) == 35.0


def derivative_of_square(x):
    return 2 * x


def test_a_helper_of_a_template_is_read_anew(monkeypatch):
    def f(x):
        return x * x

    @ad.rule(f)
    def f_rule(z, x):
        ad.d[z, x] = derivative_of_square(x)

    g = ad.grad(f)
    assert g(3.0) == 6.0
    assert body_of(f, 3.0)[-1] == "return 2 * x"
    monkeypatch.setitem(globals(), "derivative_of_square", lambda x: 100.0)
    assert g(3.0) == 100.0


def loud(x):
    print("pulled back", x)
    return 2 * x


def test_a_helper_that_is_more_than_an_expression_is_called(capsys):
    def f(x):
        return x * x

    @ad.rule(f)
    def f_rule(z, x):
        ad.d[z, x] = loud(x)

    assert ad.grad(f)(3.0) == 6.0
    assert capsys.readouterr().out == "pulled back 3.0\n"


def returned(x):
    print(end="")
    return x


def test_a_helper_that_returns_its_argument_shares_memory():
    def f(x, y):
        return x + y

    @ad.rule(f)
    def f_rule(z, x, y):
        ad.d[x] += returned(ad.d[z])
        ad.d[y] += ad.d[z]

    def loss(x, y):
        z = f(x, y)
        return np.sum(z * z) + np.sum(np.exp(y)) + np.sum(np.exp(y) * x)

    check_grads(loss, (np.ones(3), np.arange(3.0)), modes=("reverse",))


def test_rules_in_loops_branches_and_recursion():
    give_softplus_a_rule()

    def loop(x):
        s = 0.0
        for i in range(4):
            if i % 2:
                x = softplus(x) * 0.5
            else:
                s = s + softplus(x * i)
        return s * x

    def power(x, n):
        return softplus(x) if n == 0 else softplus(x) * power(x, n - 1)

    check_grads(loop, (0.7,))
    check_grads(lambda x: np.sum(loop(x)), (np.array([0.1, -2.0]),))
    check_grads(lambda x: power(x, 3), (0.7,))


def test_result_that_is_changed_in_place():
    def same(x):
        return x

    @ad.rule(same)
    def same_rule(z, x):
        ad.d[z, x] = 1

    def f(x):
        y = x * 2
        z = same(y)
        z[0] = 0.0
        return np.sum(z * z)

    np.testing.assert_allclose(ad.grad(f)(np.array([1.0, 2.0])), [0, 16])

    def reads_both(x):
        y = x * 2
        z = same(y)
        z[0] = 0.0
        return np.sum(z * y)

    with pytest.raises(ad.AliasingError):
        ad.grad(reads_both)(np.array([1.0, 2.0]))


def test_a_rule_for_several_functions():
    def f(x):
        return x

    def g(x):
        return 2 * x

    @ad.rule(f, g)
    def both(z, x):
        ad.d[z, x] = 5

    assert ad.grad(lambda x: f(x) + g(x))(1.0) == 10.0


# -- functions of every kind ------------------------------------------------------------------


class Net:
    def __init__(self, k):
        self.k = k

    def layer(self, x):
        return float(f"{x * self.k}")

    @classmethod
    def made(cls, x):
        return float(f"{3 * x}")

    @staticmethod
    def plain(x):
        return float(f"{4 * x}")

    def __call__(self, x):
        return float(f"{x * self.k}")


def test_methods():
    @ad.rule(Net.layer, Net.__call__)
    def layer_rule(z, self, x):
        ad.d[z, x] = self.k

    @ad.rule(Net.made)
    def made_rule(z, x):
        ad.d[z, x] = 3

    @ad.rule(Net.plain)
    def plain_rule(z, x):
        ad.d[z, x] = 4

    net = Net(2.0)
    assert ad.grad(lambda x: net.layer(x) * x)(3.0) == 12.0
    assert ad.grad(lambda x: net(x) * x)(3.0) == 12.0
    assert ad.grad(lambda x: Net.made(x) * x)(3.0) == 18.0
    assert ad.grad(lambda x: net.plain(x) * x)(3.0) == 24.0
    assert ad.grad(net.layer)(3.0) == 2.0
    assert ad.grad(net)(3.0) == 2.0
    assert ad.grad(lambda net, x: net.layer(x) * x, argnums=1)(Net(5.0), 1.0) == 10.0
    net.k = 7.0
    assert ad.grad(net.layer)(3.0) == 7.0


def test_a_bound_method_has_a_rule_of_its_own():
    one, other = Net(2.0), Net(2.0)

    @ad.rule(one.layer)
    def one_rule(z, x):
        ad.d[z, x] = 100

    assert ad.grad(lambda x: one.layer(x))(3.0) == 100.0
    with pytest.raises(ad.AdjointError):
        ad.grad(lambda x: other.layer(x))(3.0)


def test_partials():
    def f(k, x):
        return float(f"{x * k}")

    @ad.rule(f)
    def f_rule(z, k, x):
        ad.d[z, x] = k
        ad.d[z, k] = x

    twice = functools.partial(f, 2.0)
    assert ad.grad(lambda x: twice(x) * x)(3.0) == 12.0
    assert ad.grad(twice)(3.0) == 2.0


def test_a_ufunc_of_scipy():
    with pytest.raises(ad.NoDerivativeError, match="gammaln"):
        ad.grad(lambda x: scipy.special.gammaln(x))(2.5)

    @ad.rule(scipy.special.gammaln)
    def gammaln_rule(z, x):
        ad.d[z, x] = scipy.special.digamma(x)

    check_grads(lambda x: np.sum(scipy.special.gammaln(x) * x), (np.array([2.5, 3.0]),))


def test_a_function_of_scipy():
    @ad.rule(scipy.linalg.expm)
    def expm_rule(z, a):
        ad.d[a] += scipy.linalg.expm_frechet(a.T, ad.d[z], compute_expm=False)

    a = np.array([[0.1, 0.4], [-0.3, 0.2]])
    check_grads(lambda a: np.sum(np.sin(scipy.linalg.expm(a))), (a,), modes=("reverse",))


def test_a_function_of_c():
    with pytest.raises(ad.NoDerivativeError, match="gamma"):
        ad.grad(lambda x: math.gamma(x) * x)(2.5)

    @ad.rule(math.gamma)
    def gamma_rule(z, x):
        ad.d[z, x] = z * scipy.special.digamma(x)

    check_grads(lambda x: math.gamma(x) * x, (2.5,))
    check_grads(math.gamma, (2.5,))


def test_a_function_without_source():
    scope = {}
    exec("def made(x):\n    return x * 3", scope)
    made = scope["made"]
    with pytest.raises(ad.SourceUnavailableError):
        ad.grad(made)(2.0)

    @ad.rule(made)
    def made_rule(z, x):
        ad.d[z, x] = 3.0

    assert ad.grad(made)(2.0) == 3.0
    assert ad.grad(lambda x: made(x) * x)(2.0) == 12.0


def test_lambdas_and_vectorize():
    step = np.vectorize(lambda x: math.exp(x))

    @ad.rule(step)
    def step_rule(z, x):
        ad.d[z, x] = z

    check_grads(lambda x: np.sum(step(x) * x), (np.array([1.0, 2.0]),))


# -- in place of rules that exist -------------------------------------------------------------


def test_a_rule_in_place_of_ours():
    @ad.rule(np.maximum)
    def maximum_rule(z, x, y):
        ad.d[z, x] = x >= y
        ad.d[z, y] = x < y

    g = ad.grad(lambda x: np.sum(np.maximum(x, 0.0)))
    assert g(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 1, 1]
    own.forget(np.maximum)
    assert g(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 0.5, 1]


def test_what_has_no_derivative_by_nature_is_given_one():
    g = ad.grad(lambda x: np.sum(np.round(x) * x))
    assert g(np.array([1.2, 2.6])).tolist() == [1, 3]

    @ad.rule(np.round)
    def straight_through(z, x):
        ad.d[z, x] = 1

    assert g(np.array([1.2, 2.6])).tolist() == [1 + 1.2, 3 + 2.6]


def test_operators_and_methods_are_the_function():
    @ad.rule(np.multiply)
    def multiply_rule(z, x, y):
        ad.d[z, x] = 100
        ad.d[z, y] = 100

    @ad.rule(np.sum)
    def sum_rule(z, x):
        ad.d[x] += np.full(x.shape, 2 * ad.d[z])

    assert ad.grad(lambda x: x * 3.0)(1.0) == 100
    assert ad.grad(lambda x: x * 1.0)(1.0) == 100
    assert ad.grad(lambda x: x.sum())(np.ones(2)).tolist() == [2, 2]
    # A call that the rule has no parameters for goes to ours.
    assert ad.grad(lambda x: x.sum(axis=0)[0])(np.ones((2, 1))).tolist() == [[1], [1]]


def test_abs_is_absolute():
    @ad.rule(abs)
    def abs_rule(z, x):
        ad.d[z, x] = 7

    assert ad.grad(lambda x: abs(x))(1.0) == 7
    assert ad.grad(lambda x: np.abs(x))(1.0) == 7
    assert ad.grad(lambda x: max(x, 0.0))(1.0) == 1


def test_a_maximum_with_a_rule_does_not_cancel():
    def log_sum_exp(x):
        top = np.max(x)
        return np.log(np.sum(np.exp(x - top))) + top

    x = np.array([1.0, 2.0])
    g = ad.grad(log_sum_exp)
    soft = np.exp(x) / np.exp(x).sum()
    np.testing.assert_allclose(g(x), soft)

    @ad.rule(np.exp)
    def exp_rule(z, x):
        ad.d[z, x] = 2 * z

    # The derivative of each part is now as the rule says: 2 through the exponential.
    np.testing.assert_allclose(g(x), 2 * soft - [0, 1])


# -- taking effect ----------------------------------------------------------------------------


def test_a_rule_given_later_takes_effect_at_once():
    def helper(x):
        return x * x

    def f(x):
        return helper(x) + x

    g = ad.grad(f)
    kept = ad.vjp(f, 3.0)[1]
    assert g(3.0) == 7.0

    @ad.rule(helper)
    def first(z, x):
        ad.d[z, x] = 100

    assert g(3.0) == 101.0
    assert ad.vjp(f, 3.0)[1](1.0) == (101.0,)
    assert kept(1.0) == (7.0,)

    @ad.rule(helper)
    def second(z, x):
        ad.d[z, x] = 200

    assert g(3.0) == 201.0
    assert len(own.rules_of(helper)) == 1
    own.forget(helper)
    assert g(3.0) == 7.0


def test_a_rule_with_the_same_name_or_condition_is_replaced():
    def f(x):
        return x

    def give(slope):
        @ad.rule(f, when=lambda x: x.ndim == 0)
        def scalar_rule(z, x):
            ad.d[z, x] = slope

        @ad.rule(f)
        def any_rule(z, x):
            ad.d[z, x] = -slope

    give(1)
    give(2)
    assert len(own.rules_of(f)) == 2
    assert ad.grad(f)(1.0) == 2
    assert ad.grad(lambda x: np.sum(f(x)))(np.ones(2)).tolist() == [-2, -2]


# -- functions as rules -----------------------------------------------------------------------


def scaled(x, k, axis=None):
    return float(f"{np.sum(x) * k}")


def test_adjoint_of():
    @ad.adjoint_of(scaled)
    def scaled_adjoint(z, d_z, x, k, axis=None):
        assert axis == "axis"
        return np.full_like(x, k * d_z), np.sum(x) * d_z

    def loss(x, k):
        return scaled(x, k, axis="axis") ** 2

    assert callable(scaled_adjoint)
    x = np.array([1.0, 2.0])
    d_x, d_k = ad.grad(loss, argnums=(0, 1))(x, 3.0)
    np.testing.assert_allclose(d_x, [54, 54])
    assert d_k == pytest.approx(2 * 9 * 3)
    np.testing.assert_allclose(ad.grad(lambda x: scaled(x, axis="axis", k=3.0))(x), [3, 3])
    assert body_of(loss, x, 3.0)[0] == "result = scaled(x, k, axis='axis')"
    assert any("scaled_adjoint(result, " in line for line in body_of(loss, x, 3.0))


def test_adjoint_of_one_argument_and_by_expression():
    def f(x):
        print(end="")
        return np.exp(x)

    @ad.adjoint_of(f)
    def f_adjoint(z, d_z, x):
        return z * d_z

    check_grads(lambda x: np.sum(f(x) * x), (np.array([1.0, 2.0]),), modes=("reverse",))
    check_grads(f, (1.5,), modes=("reverse",))


def test_adjoint_of_a_structure():
    def norm(params):
        return float(f"{np.sum(params['w'] ** 2) + params['b'][0]}")

    @ad.adjoint_of(norm)
    def norm_adjoint(z, d_z, params):
        return {"w": 2 * d_z * params["w"], "b": (d_z,)}

    gradient = ad.grad(lambda p: norm(p) * 2)({"w": np.ones(2), "b": (3.0,)})
    assert gradient["w"].tolist() == [4, 4]
    assert gradient["b"] == (2.0,)


def test_adjoint_of_with_none_and_with_any_number_of_arguments():
    def total(*xs, scale=1.0):
        return float(f"{sum(xs) * scale}")

    @ad.adjoint_of(total)
    def total_adjoint(z, d_z, *xs, scale=1.0):
        return tuple(None if i == 0 else scale * d_z for i in range(len(xs)))

    def f(x):
        return total(x, 2 * x, 3 * x, scale=2.0)

    assert ad.grad(f)(1.0) == 2 * (2 + 3)
    with pytest.raises(ad.NoDerivativeError, match="total"):
        ad.grad(lambda x: total(x, scale=x))(1.0)


def test_lists_and_several_results():
    def total(xs):
        return float(f"{sum(xs)}")

    @ad.rule(total)
    def total_rule(z, xs):
        ad.d[xs] += [ad.d[z]] * len(xs)

    assert ad.grad(lambda x: total([x, 2 * x]) * x)(3.0) == 18.0

    @ad.adjoint_of(total)
    def total_adjoint(z, d_z, xs):
        return [d_z] * len(xs)

    assert ad.grad(lambda x: total([x, 2 * x]) * x)(3.0) == 18.0

    def pair(x):
        return float(f"{x * 2}"), float(f"{x * 3}")

    @ad.adjoint_of(pair)
    def pair_adjoint(z, d, x):
        return 2 * d[0] + 3 * d[1]

    @ad.tangent_of(pair)
    def pair_tangent(z, t, x):
        return 2 * t[0], 3 * t[0]

    def f(x):
        a, b = pair(x)
        return a * b

    check_grads(f, (3.0,))
    check_grads(lambda x: pair(x)[1] * x, (3.0,))


def test_tangent_of_alone_does_not_serve_reverse_mode():
    def f(x):
        return float(f"{x}")

    @ad.tangent_of(f)
    def f_tangent(z, t, x):
        return t[0]

    with pytest.raises(ad.NoDerivativeError, match="ad.tangent_of only") as caught:
        ad.grad(lambda x: f(x) * x)(1.0)
    assert "ad.adjoint_of" in str(caught.value)


def test_a_function_replaces_a_template_and_the_other_way_round():
    def f(x):
        return x

    @ad.rule(f)
    def template(z, x):
        ad.d[z, x] = 1

    @ad.adjoint_of(f)
    def function(z, d_z, x):
        return 2 * d_z

    assert ad.grad(f)(1.0) == 2

    @ad.rule(f)
    def again(z, x):
        ad.d[z, x] = 3

    assert ad.grad(f)(1.0) == 3


def test_rules_without_source():
    def f(x):
        return float(f"{x}")

    scope = {"f": f, "ad": ad}
    with pytest.raises(ad.RuleError, match="source is not available") as caught:
        exec("@ad.rule(f)\ndef f_rule(z, x):\n    ad.d[z, x] = 5.0\n", scope)
    assert "ad.adjoint_of" in str(caught.value)
    exec("@ad.adjoint_of(f)\ndef f_adjoint(z, d_z, x):\n    return 5.0 * d_z\n", scope)
    assert ad.grad(lambda x: f(x) * 2)(1.0) == 10.0


# -- forward mode -----------------------------------------------------------------------------


def test_partials_serve_forward_mode():
    give_softplus_a_rule()

    def loss(w, x):
        return np.sum(softplus(w * x))

    check_grads(loss, (np.array([[-1.0], [0.5]]), np.ones(3)))

    def loop(x):
        s = 0.0
        for i in range(4):
            x = softplus(x) * 0.5 if i % 2 else x
            s = s + softplus(x * i)
        return s * x

    check_grads(loop, (0.7,))


def test_tangent_lines():
    def energy(x, k):
        return np.einsum("i,ij,j->", x, k, x)

    @ad.rule(energy)
    def energy_rule(e, x, k):
        ad.d[e] = (x @ k) @ ad.d[x] + ad.d[x] @ (k @ x) + x @ ad.d[k] @ x
        ad.d[x] += ad.d[e] * (k @ x + x @ k)
        ad.d[k] += ad.d[e] * np.outer(x, x)

    args = np.array([1.0, -2.0]), np.array([[2.0, 0.5], [0.1, 1.0]])
    check_grads(energy, args)
    check_grads(lambda x: np.sin(energy(2 * x, args[1])), args[:1])


def test_lines_of_one_mode_do_not_serve_the_other():
    def f(x):
        return np.sum(x)

    @ad.rule(f)
    def reverse_only(z, x):
        ad.d[x] += np.full(x.shape, ad.d[z])

    with pytest.raises(ad.NoDerivativeError, match="derivative"):
        ad.jvp(lambda x: f(x) * 2, (np.ones(2),), (np.ones(2),))

    @ad.rule(f)
    def forward_only(z, x):
        ad.d[z] = np.sum(ad.d[x])

    assert ad.jvp(lambda x: f(x) * 2, (np.ones(2),), (np.ones(2),))[1] == 4
    with pytest.raises(ad.NoDerivativeError, match="derivative"):
        ad.grad(lambda x: f(x) * 2)(np.ones(2))


def test_tangent_of():
    @ad.tangent_of(scaled)
    def scaled_tangent(z, t, x, k, axis=None):
        assert axis == "axis"
        return k * np.sum(t[0]) + np.sum(x) * t[1]

    def loss(x, k):
        return scaled(2 * x, k, axis="axis") ** 2

    x, t = np.array([1.0, 2.0]), np.array([1.0, 0.5])
    assert ad.jvp(loss, (x, 3.0), (t, 1.0))[1] == pytest.approx(2 * 18 * (9 + 6))
    assert ad.jvp(lambda x: loss(x, 3.0), (x,), (t,))[1] == pytest.approx(2 * 18 * 9)
    with pytest.raises(ad.NoDerivativeError, match="ad.tangent_of only"):
        ad.grad(loss)(x, 3.0)

    @ad.adjoint_of(scaled)
    def scaled_adjoint(z, d_z, x, k, axis=None):
        return np.full_like(x, k * d_z), np.sum(x) * d_z

    check_grads(loss, (x, 3.0))
    own.forget(scaled)

    @ad.adjoint_of(scaled)
    def adjoint_alone(z, d_z, x, k, axis=None):
        return np.full_like(x, k * d_z), np.sum(x) * d_z

    with pytest.raises(ad.NoDerivativeError, match="ad.adjoint_of only"):
        ad.jvp(loss, (x, 3.0), (t, 1.0))


def test_a_tangent_that_is_an_argument_shares_memory():
    def same(x):
        return float(x) if np.ndim(x) == 0 else x

    @ad.tangent_of(same)
    def same_tangent(z, t, x):
        print(end="")
        return t[0]

    def f(x):
        y = x * 2
        z = same(y) * 1.0
        y[0] = 7.0
        return np.sum(z) + np.sum(y)

    assert ad.jvp(f, (np.ones(2),), (np.ones(2),))[1] == 2 + 2 + 0 + 2


def test_a_wrong_tangent_is_refused():
    def total(x):
        return np.sum(x)

    @ad.rule(total)
    def total_rule(z, x):
        ad.d[z] = ad.d[x]

    with pytest.raises(ad.RuleError, match="total_rule: .*tangent of shape"):
        ad.jvp(total, (np.ones(3),), (np.ones(3),))

    def dark(x):
        return float(f"{np.sum(x)}")

    @ad.tangent_of(dark)
    def dark_tangent(z, t, x):
        print(end="")
        return [t[0]]

    with pytest.raises(ad.RuleError, match="dark_tangent: .*a list of 1"):
        ad.jvp(dark, (np.ones(3),), (np.ones(3),))


# -- derivatives of derivatives ---------------------------------------------------------------


def test_rules_are_differentiated_in_turn():
    give_softplus_a_rule()

    def f(x):
        return np.sum(softplus(x * x))

    def second(x):
        return np.sum(ad.grad(f)(x) * x)

    check_grads(second, (np.array([1.0, 2.0]),))
    check_grads(ad.grad(softplus), (0.3,))


def test_functions_as_rules_are_differentiated_in_turn():
    def cube(x):
        return float(f"{x**3}")

    @ad.adjoint_of(cube)
    def cube_adjoint(z, d_z, x):
        return 3 * x * x * d_z

    @ad.tangent_of(cube)
    def cube_tangent(z, t, x):
        return 3 * x * x * t[0]

    assert ad.grad(ad.grad(cube))(2.0) == 12.0
    assert ad.jvp(ad.grad(cube), (2.0,), (1.0,)) == (12.0, 12.0)
    assert ad.grad(ad.grad(ad.grad(cube)))(2.0) == 6.0


def test_hooks_of_the_inner_derivative():
    def f(x):
        return ad.register_hook(x * x, lambda g: g * x) * 3

    # The first derivative is 3 x * 2 x, and the hook is applied on the way through it.
    assert ad.grad(f)(2.0) == 24.0


# -- errors -----------------------------------------------------------------------------------


def test_a_malformed_rule_is_refused_where_it_is_written():
    def f(x):
        return x

    with pytest.raises(ad.RuleError) as caught:

        @ad.rule(f)
        def f_rule(z, x):
            ad.d[x] = 2 * ad.d[z]

    assert isinstance(caught.value, ad.AdjointError)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(__file__) and "in the rule f_rule: x is an input" in lines[0]
    assert lines[1].endswith("| ad.d[x] = 2 * ad.d[z]")
    assert lines[2].endswith("| ^^^^^^^^^^^^^^^^^^^^^")
    assert "d[x] += contribution from d[z]" in lines[3]
    assert not own.rules_of(f)


@pytest.mark.parametrize(
    ("give", "message"),
    [
        (lambda f: ad.rule(f)(lambda: 0), "first parameter of a rule is the output"),
        (lambda f: ad.rule(f)(3), "a rule is a function"),
        (lambda f: ad.rule(), "is given the functions"),
        (lambda f: ad.rule(3.0), "not for a float"),
        (lambda f: ad.rule(len), "built into the compiler"),
        (lambda f: ad.adjoint_of(f)(lambda z, d_z: 0), "takes 2 arguments, and is given 3"),
        (lambda f: ad.tangent_of(f)(lambda z: 0), "takes 1 arguments"),
        (lambda f: ad.adjoint_of(), "is given the functions"),
        (lambda f: ad.adjoint_of(f)(3), "a rule is a Python function"),
    ],
)
def test_what_cannot_be_a_rule(give, message):
    def f(x):
        return x

    with pytest.raises(ad.RuleError, match=message):
        give(f)


def test_a_rule_that_does_not_fit_its_function():
    def f(x, y):
        return x

    with pytest.raises(ad.RuleError, match="the argument `y` is missing") as caught:

        @ad.rule(f)
        def misses(z, x):
            ad.d[z, x] = 1

    assert "def misses(z, x, y)." in str(caught.value)
    with pytest.raises(ad.RuleError, match="has no argument `k`"):

        @ad.rule(f)
        def more(z, x, y, k):
            ad.d[z, x] = 1

    with pytest.raises(ad.RuleError, match="says nothing"):

        @ad.rule(f)
        def empty(z, x, y):
            pass


def test_a_wrong_shape_is_refused():
    def total(x):
        return np.sum(x)

    @ad.rule(total)
    def total_rule(z, x):
        ad.d[x] += ad.d[z] * np.outer(x, x)

    with pytest.raises(ad.RuleError, match="total_rule.*cotangent of shape .* it has shape"):
        ad.grad(total)(np.ones(3))


def test_a_wrong_shape_is_refused_at_run_time():
    def total(x):
        return float(f"{np.sum(x)}")

    @ad.adjoint_of(total)
    def total_adjoint(z, d_z, x):
        print(end="")
        return np.ones(int(2 * d_z + 2))

    with pytest.raises(ad.RuleError, match="total_adjoint: .*of shape \\(4,\\), but it is") as e:
        ad.grad(total)(np.ones(3))
    assert e.value.origin.filename == __file__
    assert ad.grad(total)(np.ones(4)).tolist() == [1, 1, 1, 1]

    def loose(x):
        return float(f"{x[0]}")

    @ad.adjoint_of(loose)
    def loose_adjoint(z, d_z, x):
        print(end="")
        return "text"

    with pytest.raises(ad.RuleError, match="loose_adjoint: .* a str"):
        ad.grad(loose)(np.ones(3))


def test_a_wrong_structure_is_refused():
    def norm(params):
        return float(f"{np.sum(params['w'] ** 2)}")

    @ad.adjoint_of(norm)
    def norm_adjoint(z, d_z, params):
        print(end="")
        return {"v": params["w"]}

    with pytest.raises(ad.RuleError, match="norm_adjoint: .*a dict with the keys \\['v'\\]"):
        ad.grad(lambda p: norm(p))({"w": np.ones(2)})

    def pair(x, y):
        return float(f"{x * y}")

    @ad.adjoint_of(pair)
    def pair_adjoint(z, d_z, x, y):
        return d_z * y

    with pytest.raises(ad.RuleError, match="returns a float, but .* 2 arguments"):
        ad.grad(pair)(1.0, 2.0)

    @ad.adjoint_of(pair)
    def short(z, d_z, x, y):
        return (d_z * y,)

    assert ad.grad(pair)(1.0, 2.0) == 2.0
    with pytest.raises(ad.RuleError, match="a tuple of 1"):
        ad.grad(pair, argnums=1)(1.0, 2.0)
