"""hvp, hessian, jacobian and elementwise_grad: closed forms, structures, refusals."""

import math

import numpy as np
import pytest

import adjoint as ad

A = np.random.default_rng(0).normal(size=(3, 3))
X = np.array([0.3, -0.7, 1.1])


def quadratic(x):
    return 0.5 * x @ A @ x


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_hessian(x):
    n = len(x)
    h = np.zeros((n, n))
    for i in range(n - 1):
        h[i, i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        h[i, i + 1] = h[i + 1, i] = -400 * x[i]
        h[i + 1, i + 1] += 200
    return h


def test_hessian_of_a_quadratic_form():
    np.testing.assert_allclose(ad.hessian(quadratic)(X), (A + A.T) / 2, rtol=1e-12)


def test_hessian_of_rosenbrock():
    np.testing.assert_allclose(ad.hessian(rosenbrock)(X), rosenbrock_hessian(X), rtol=1e-12)


def test_hvp_is_the_hessian_times_the_vector():
    v = np.array([1.0, 2.0, -1.0])
    got = ad.hvp(rosenbrock, (X,), (v,))
    np.testing.assert_allclose(got, rosenbrock_hessian(X) @ v, rtol=1e-12)


def test_hvp_along_several_arguments():
    def f(w, x, n):
        return np.sum(w * x**n)

    w, x = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    got = ad.hvp(f, (w, x, 2), (np.zeros(2), np.array([1.0, 0.5]), None))
    np.testing.assert_allclose(got, 2 * x * [1.0, 0.5])


def test_hessian_of_a_number():
    assert ad.hessian(lambda x: x**3)(2.0) == 12.0
    assert ad.hessian(lambda x: x**3)(2) == 12.0
    assert ad.hessian(math.sin)(1.0) == -math.sin(1.0)


def log_sum_exp(x):
    top = np.max(x)
    return np.log(np.sum(np.exp(x - top))) + top


def test_hessian_of_log_sum_exp():
    p = np.exp(X) / np.sum(np.exp(X))
    np.testing.assert_allclose(ad.hessian(log_sum_exp)(X), np.diag(p) - np.outer(p, p), atol=1e-14)


def test_hessian_of_log_det():
    def f(a):
        return np.linalg.slogdet(a)[1]

    a = A @ A.T + 3 * np.eye(3)
    inverse = np.linalg.inv(a)
    got = ad.hessian(f)(a)
    want = -np.einsum("li,jk->ijkl", inverse, inverse)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


# -- programs with control flow, against differences of the gradient -----------------------------


def stores_in_a_loop(x):
    h = np.zeros(6)
    h[0] = np.sum(x)
    for t in range(5):
        h[t + 1] = np.tanh(h[t]) * x[t % 3] + h[t] ** 2 * 0.1
    return np.sum(h**2)


def overwritten_buffer(x):
    h = np.sin(x)
    for _ in range(4):
        h[1:] = h[:-1] * x[1:]
        h *= np.cos(h)
        h[0] += x[2]
    return np.sum(h * x)


def branches(x):
    total = 0.0
    for v in x:
        if v > 0:
            total = total + v * v * total + np.sin(v)
        else:
            total = total - np.exp(v) * v
    return total * total


def newton(a):
    x = 1.0
    while abs(x * x - a) > 1e-12:
        x = x - (x * x - a) / (2 * x)
    return x


def power(x, n):
    if n == 0:
        return 1.0
    return x * power(x, n - 1)


def recursion(x):
    return power(x[0], 4) * x[1] + power(x[2], 3) * x[0]


def lists(x):
    parts = [x[0]]
    for v in x:
        parts.append(parts[-1] * v + np.sin(v))
    parts[1] = parts[2] * parts[0]
    total = parts[-1] ** 2
    for p in parts:
        total = total + p**3
    return total


def early_return(x):
    s = 0.0
    for i in range(10):
        s = s + np.sum(x**3) * 0.1
        if s > 0.2:
            return s * i * x[0]
    return s


def views(x):
    a = np.outer(x, x)
    row = a[1]
    a[0] += row * x
    diagonal = np.diagonal(a)
    return np.sum(diagonal**2) + np.sum(a[0] * row)


def solved(x):
    m = np.outer(x, x) + 3 * np.eye(3)
    return np.sum(np.linalg.solve(m, x) ** 2)


def containers(x):
    p = {"w": x * x, "b": [np.sin(x), x[0]]}
    p["b"][1] = p["b"][1] * 2
    h = np.tanh(p["w"] + p["b"][0]) * p["b"][1]
    return np.mean(h**2)


PROGRAMS = [
    quadratic, rosenbrock, log_sum_exp, stores_in_a_loop, overwritten_buffer, branches, recursion,
    lists, early_return, views, solved, containers,
]  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_hessian_against_differences(f):
    got = ad.hessian(f)(X)
    want = np.zeros((3, 3))
    for k in range(3):
        step = np.zeros(3)
        step[k] = 1e-5
        want[:, k] = (ad.grad(f)(X + step) - ad.grad(f)(X - step)) / 2e-5
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got, got.T, rtol=1e-9, atol=1e-9)


def test_second_derivative_of_newtons_method():
    got = ad.hessian(newton)(2.0)
    assert got == pytest.approx(-0.25 * 2.0**-1.5, rel=1e-6)


# -- jacobian -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_jacobian_of_a_linear_map(mode):
    m = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(ad.jacobian(lambda x: m @ x, mode=mode)(X), m)
    np.testing.assert_array_equal(ad.jacobian(lambda x: m.T @ x, mode=mode)(X[:2]), m.T)


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_shape_is_outputs_then_inputs(mode):
    def f(x):
        return np.sum(x, axis=0)[:, None] * np.ones(4)

    x = np.ones((2, 3))
    got = ad.jacobian(f, mode=mode)(x)
    assert got.shape == (3, 4, 2, 3)
    want = np.zeros((3, 4, 2, 3))
    for i in range(3):
        want[i, :, :, i] = 1.0
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_jacobian_of_numbers(mode):
    assert ad.jacobian(lambda x: x * x, mode=mode)(3.0) == 6.0
    got = ad.jacobian(lambda x: x * np.ones(2), mode=mode)(3.0)
    np.testing.assert_array_equal(got, [1.0, 1.0])
    got = ad.jacobian(lambda x: np.sum(x**2), mode=mode)(X)
    np.testing.assert_allclose(got, 2 * X)


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_structures(mode):
    def f(p, k):
        return {"y": p["w"] * k, "n": 3, "s": (np.sum(p["b"]) * p["c"], p["w"][0])}

    p = {"w": np.array([1.0, 2.0]), "b": np.ones(3), "c": 2.0}
    by_p, by_k = ad.jacobian(f, argnums=(0, 1), mode=mode)(p, 4.0)["y"]
    np.testing.assert_array_equal(by_p["w"], 4 * np.eye(2))
    np.testing.assert_array_equal(by_p["b"], np.zeros((2, 3)))
    np.testing.assert_array_equal(by_p["c"], np.zeros(2))
    np.testing.assert_array_equal(by_k, p["w"])
    found = ad.jacobian(f, mode=mode)(p, 4.0)
    assert found["n"] is None
    np.testing.assert_array_equal(found["s"][0]["b"], np.full(3, 2.0))
    assert found["s"][0]["c"] == 3.0
    np.testing.assert_array_equal(found["s"][1]["w"], [1.0, 0.0])


def test_argnums_of_one_element_gives_a_tuple():
    got = ad.jacobian(lambda x, y: x * y, argnums=(1,))(2.0, 3.0)
    assert got == (2.0,)
    assert ad.jacobian(lambda x, y: x * y, argnums=-1)(2.0, 3.0) == 2.0


def test_keyword_arguments():
    def f(x, *, scale=1.0):
        return x * scale

    assert ad.jacobian(f)(2.0, scale=3.0) == 3.0
    assert ad.jacobian(f)(x=2.0, scale=3.0) == 3.0
    assert ad.hessian(lambda x, k: x**2 * k)(3.0, k=2.0) == 4.0


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_the_function_gets_copies(mode):
    def f(x):
        x *= 2.0
        return x[:2] * x[0]

    x = np.array([1.0, 2.0, 3.0])
    got = ad.jacobian(f, mode=mode)(x)
    np.testing.assert_array_equal(x, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(got, [[8.0, 0.0, 0.0], [8.0, 4.0, 0.0]])


def test_auto_takes_the_shorter_way(monkeypatch):
    from adjoint import jacobians

    taken = []
    for name in ("forward", "reverse"):
        method = getattr(jacobians.Call, name)

        def noted(self, *args, _name=name, _method=method, **options):
            taken.append(_name)
            return _method(self, *args, **options)

        monkeypatch.setattr(jacobians.Call, name, noted)
    assert ad.jacobian(lambda x: np.outer(x, x).reshape(-1))(np.ones(3)).shape == (9, 3)
    assert taken[-1] == "forward"
    assert ad.jacobian(lambda x: np.sum(x)[None])(np.ones(20)).shape == (1, 20)
    assert taken[-1] == "reverse"
    assert ad.jacobian(lambda x: x * np.ones(2))(1.0).shape == (2,)
    assert taken[-1] == "forward"


def test_complex_results():
    def f(x):
        return x * (1 + 2j)

    for mode in ("auto", "forward"):
        got = ad.jacobian(f, mode=mode)(np.ones(2))
        np.testing.assert_array_equal(got, (1 + 2j) * np.eye(2))
    with pytest.raises(ad.OutputError, match="complex"):
        ad.jacobian(f, mode="reverse")(np.ones(2))
    with pytest.raises(ad.ArgumentError, match="`x` is complex: a Jacobian is by real numbers"):
        ad.jacobian(f)(np.ones(2) * 1j)


def test_dtype():
    x = np.ones(2, np.float32)
    for mode in ("forward", "reverse"):
        assert ad.jacobian(lambda x: x * x, mode=mode)(x).dtype == np.float32
    assert ad.hessian(lambda x: np.sum(x**3))(x).dtype == np.float32


def test_hessian_of_containers_and_of_several_arguments():
    def f(p, k):
        return p["a"] ** 2 * k + p["b"][0] * p["b"][1] * k

    h = ad.hessian(f)({"a": 3.0, "b": np.array([1.0, 2.0])}, 5.0)
    assert h["a"]["a"] == 10.0
    np.testing.assert_array_equal(h["a"]["b"], [0.0, 0.0])
    np.testing.assert_array_equal(h["b"]["b"], [[0.0, 5.0], [5.0, 0.0]])
    (xx, xy), (yx, yy) = ad.hessian(lambda x, y: x**2 * y**3, argnums=(0, 1))(2.0, 3.0)
    assert (xx, xy, yx, yy) == (54.0, 108.0, 108.0, 72.0)


def test_refusals():
    with pytest.raises(ad.ArgumentError, match="mode must be 'auto', 'forward' or 'reverse'"):
        ad.jacobian(quadratic, mode="both")
    with pytest.raises(ad.ArgumentError, match="argnums=3, but `quadratic` has 1 positional"):
        ad.jacobian(quadratic, argnums=3)
    with pytest.raises(ad.ArgumentError, match="argnums=2, but `quadratic` has 1 positional"):
        ad.hessian(quadratic, argnums=2)
    with pytest.raises(ad.ArgumentError, match="the argument `x` is an array of dtype int64"):
        ad.jacobian(quadratic)(np.arange(3))
    with pytest.raises(ad.OutputError, match="an array of shape"):
        ad.hessian(lambda x: x * x)(X)
    with pytest.raises(ad.OutputError, match="an array of shape"):
        ad.hvp(lambda x: x * x, (X,), (X,))
    with pytest.raises(ad.CotangentError, match="the tangent of `x` has shape"):
        ad.hvp(quadratic, (X,), (X[:2],))
    with pytest.raises(ad.ArgumentError, match="the argument `x` is None"):
        ad.hvp(quadratic, (None,), (None,))


def test_names_and_docstrings_are_kept():
    assert ad.jacobian(rosenbrock).__name__ == "rosenbrock"
    assert ad.hessian(rosenbrock).__wrapped__ is rosenbrock
    assert repr(ad.hessian(rosenbrock)) == "<adjoint.hessian of rosenbrock>"
    assert repr(ad.jacobian(rosenbrock)) == "<adjoint.jacobian of rosenbrock>"


def test_as_methods():
    class Model:
        scale = 2.0

        @ad.hessian
        def energy(self, x):
            return self.scale * x

    with pytest.raises(ad.ArgumentError, match="the argument `self`"):
        Model().energy(1.0)

    class Other:
        scale = 2.0

        def energy(self, x):
            return self.scale * x**2

        curvature = ad.hessian(energy, argnums=1)

    assert Other().curvature(3.0) == 4.0


# -- inside functions that are differentiated ----------------------------------------------------


def test_hvp_inside():
    def f(x):
        return np.sum(ad.hvp(lambda y: np.sum(y**3), (x,), (x,)))

    np.testing.assert_allclose(ad.grad(f)(X), 12 * X)
    _, tangent = ad.jvp(f, (X,), (np.ones(3),))
    assert tangent == pytest.approx(np.sum(12 * X))


def test_elementwise_grad_inside():
    def f(x):
        return np.sum(ad.elementwise_grad(np.sin)(x) * x)

    np.testing.assert_allclose(ad.grad(f)(X), np.cos(X) - X * np.sin(X))
    np.testing.assert_allclose(ad.hessian(f)(X), np.diag(-2 * np.sin(X) - X * np.cos(X)))


def test_operators_of_operators():
    def cubes(x):
        return np.sum(x**3)

    def slope(x):
        return ad.jvp(cubes, (x,), (np.ones(3),))[1]

    np.testing.assert_allclose(ad.jacobian(ad.grad(cubes))(X), np.diag(6 * X))
    np.testing.assert_allclose(ad.jacobian(ad.elementwise_grad(np.sin))(X), np.diag(-np.sin(X)))
    np.testing.assert_allclose(ad.hessian(slope)(X), 6 * np.eye(3))
    assert ad.hvp(ad.elementwise_grad(lambda x: x**4), (2.0,), (1.0,)) == 48.0


@pytest.mark.parametrize("make", [ad.hessian, ad.jacobian])
def test_matrices_inside_are_refused(make, typed_only):
    made = make(lambda x: np.sum(x**3))
    for f in (lambda x: np.sum(made(x)), lambda x: np.sum(make(lambda y: np.sum(y**3))(x))):
        with pytest.raises(ad.UnsupportedSyntaxError, match="a Jacobian or a Hessian is computed"):
            ad.grad(f)(X)


# -- elementwise_grad -----------------------------------------------------------------------------


def test_elementwise_grad():
    got = ad.elementwise_grad(lambda x: x**2 * np.sin(x))(X)
    np.testing.assert_allclose(got, 2 * X * np.sin(X) + X**2 * np.cos(X))
    assert ad.elementwise_grad(np.tanh)(0.0) == 1.0
    m = np.ones((2, 3))
    np.testing.assert_array_equal(
        ad.elementwise_grad(lambda x, y: x * y, argnums=1)(m * 2, m), m * 2
    )


def test_elementwise_grad_with_a_loop_and_a_branch():
    def f(x):
        y = np.zeros_like(x)
        for i in range(len(x)):
            y[i] = x[i] ** 2 if x[i] > 0 else np.sin(x[i])
        return y

    np.testing.assert_allclose(ad.elementwise_grad(f)(X), np.where(X > 0, 2 * X, np.cos(X)))


def test_elementwise_grad_of_other_results_is_refused():
    with pytest.raises(ad.OutputError, match="returns a tuple"):
        ad.elementwise_grad(lambda x: (x, x))(X)
    with pytest.raises(ad.OutputError, match="dtype complex128"):
        ad.elementwise_grad(lambda x: x * 1j)(X)


def test_a_range_that_is_walked_back_twice():
    def f(x):
        return np.sum(np.array(list(x[None, :])) ** 3)

    _, pullback = ad.vjp(ad.grad(f), X)
    np.testing.assert_allclose(pullback(np.ones(3))[0], 6 * X)
