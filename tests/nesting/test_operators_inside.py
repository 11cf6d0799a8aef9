"""Operators that are called inside a differentiated function."""

import math

import numpy as np
import pytest

import adjoint as ad

# What is refused here must not be covered by the recorded form.
pytestmark = pytest.mark.usefixtures("typed_only")

X = np.array([0.3, -0.7, 1.2])


def cube(x):
    return x**3


def energy(x):
    return np.sum(np.sin(x) * x[::-1])


def affine(w, b, x):
    return np.sum(np.tanh(x @ w + b) ** 2)


@ad.grad
def slope(x):
    return x * math.sin(x)


def differences(fn, x, eps=1e-6):
    """The gradient of a function of one number or array, numerically."""
    if isinstance(x, float):
        return (fn(x + eps) - fn(x - eps)) / (2 * eps)
    found = np.zeros(x.size)
    for k in range(x.size):
        step = np.zeros(x.size)
        step[k] = eps
        step = step.reshape(x.shape)
        found[k] = (fn(x + step) - fn(x - step)) / (2 * eps)
    return found.reshape(x.shape)


def check(fn, x):
    """A function that calls an operator: its value runs as it is, its gradient is right."""
    np.testing.assert_allclose(ad.grad(fn)(x), differences(fn, x), rtol=1e-6, atol=1e-7)
    value, gradient = ad.value_and_grad(fn)(x)
    np.testing.assert_allclose(value, fn(x), rtol=1e-12)
    np.testing.assert_allclose(gradient, ad.grad(fn)(x))


# -- orders ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("order", "want"), [(1, 12.0), (2, 12.0), (3, 6.0), (4, 0.0), (5, 0.0)])
def test_any_order(order, want):
    derivative = cube
    for _ in range(order):
        derivative = ad.grad(derivative)
    assert derivative(2.0) == want


def test_third_order_through_a_loop():
    def f(x):
        y = x
        for _ in range(3):
            y = math.sin(y) * x
        return y

    second = ad.grad(ad.grad(f))
    got = ad.grad(second)(0.7)
    assert got == pytest.approx((second(0.7 + 1e-5) - second(0.7 - 1e-5)) / 2e-5, rel=1e-6)


def test_third_order_through_a_branch_and_stores():
    def f(x):
        y = np.zeros(3)
        for i in range(3):
            if x[i] > 0:
                y[i] = x[i] ** 3
            else:
                y[i] = np.exp(x[i])
        return np.sum(y[1:] * y[:-1])

    def first(x):
        return np.sum(ad.grad(f)(x) ** 2)

    def second(x):
        return np.sum(ad.grad(first)(x) ** 2)

    check(first, X)
    check(second, X)


# -- where operators are called ----------------------------------------------------------------


def test_no_confusion_of_perturbations():
    assert ad.grad(lambda x: x * ad.grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert ad.grad(lambda x: x * ad.grad(lambda y: x + y)(1.0))(2.0) == 1.0
    assert ad.grad(lambda x: ad.grad(lambda y: x * y * y)(x))(3.0) == 12.0


def test_the_argument_is_a_constant_by_another_name():
    assert ad.grad(lambda x: ad.grad(lambda y: x * y)(x))(3.0) == 1.0
    assert ad.grad(lambda x: ad.grad(lambda y: x**2)(x))(3.0) == 0.0


def test_decorated_function():
    check(lambda x: slope(x) * x, 0.7)


def test_operator_called_inside_on_a_function_outside():
    check(lambda x: np.sum(ad.grad(energy)(x) ** 2), X)


def test_operator_called_inside_on_a_function_inside():
    def f(x):
        def g(y):
            return np.sum(np.sin(x * y))

        return np.sum(ad.grad(g)(x * x) * x)

    check(f, X)


def test_decorator_inside():
    def f(x):
        @ad.grad
        def g(y):
            return y * y * x

        @ad.grad(argnums=1)
        def h(y, z):
            return y * z * x

        return g(x) * h(x, x)

    check(f, 0.7)


def test_derivative_is_passed_on():
    def twice(g, x):
        return g(x) + g(2 * x)

    check(lambda x: twice(ad.grad(math.sin), x), 0.7)


def test_derivative_of_a_derivative_inside():
    check(lambda x: ad.grad(ad.grad(cube))(x) * x, 0.7)


def test_attributes_of_a_derivative():
    def f(x):
        value, gradient = slope.value_and_grad(x)
        return value * gradient + slope.primal(x)

    check(f, 0.7)

    def g(x):
        value, gradient = ad.grad(cube).value_and_grad(x)
        return value * gradient

    check(g, 0.7)


def test_attribute_of_a_derivative_is_compiled_once():
    def f(x):
        return slope.value_and_grad(x)[1]

    derivative = ad.grad(f)
    derivative(0.3)
    before = derivative._compiler.latest
    derivative(0.5)
    assert derivative._compiler.latest is before


def test_in_a_loop():
    def descent(x):
        y = x * 1.0
        for _ in range(4):
            y = y - 0.1 * ad.grad(energy)(y)
        return np.sum(y * y)

    check(descent, X)


def test_in_a_branch():
    def f(x):
        if np.sum(x) > 0:
            y = ad.grad(energy)(x)
        else:
            y = x
        return np.sum(y * y)

    check(f, X)
    check(f, -X)


def test_in_a_comprehension():
    def f(x):
        return sum([slope(v) * v for v in x])

    check(f, X)


def test_around_a_loop_that_closes_over_active_values():
    def f(x):
        def g(y):
            s = 0.0
            for i in range(3):
                s = s * y + x[i]
            return s

        return ad.grad(g)(x[0])

    check(f, X)


def test_newton_with_derivatives_of_the_function():
    def root(a):
        x = 1.0
        for _ in range(6):
            value, gradient = ad.value_and_grad(lambda t: t**3 - a)(x)
            x = x - value / gradient
        return x

    assert ad.grad(root)(2.0) == pytest.approx(2.0 ** (-2 / 3) / 3, rel=1e-9)


# -- forms -------------------------------------------------------------------------------------


def test_argnums_and_argnames():
    w, b = np.ones((3, 2)) * 0.3, np.array([0.1, -0.2])

    def f(x):
        d_w, d_b = ad.grad(affine, argnums=(0, 1))(w, b, x)
        d_x = ad.grad(affine, argnames="x")(w, b, x=x)
        named = ad.grad(affine, argnames=("w", "b"))(w, b, x)
        both = ad.grad(affine, argnums=1, argnames="x")(w, b, x)
        return (np.sum(d_w**2) + np.sum(d_b) + np.sum(d_x * x) + np.sum(named["w"])
                + np.sum(both[0] * both[1][:2]))  # fmt: skip

    check(f, X)


def test_negative_argnums_and_defaults():
    def g(x, y=2.0):
        return x * x * y

    check(lambda x: ad.grad(g, argnums=-1)(x) * ad.grad(g)(x), 0.7)


def test_has_aux():
    def g(x):
        return np.sum(x**3), (x[0] * x[1], "text")

    def f(x):
        gradient, (aux, _) = ad.grad(g, has_aux=True)(x)
        (value, (more, _)), again = ad.value_and_grad(g, has_aux=True)(x)
        return np.sum(gradient * again) * aux + value * more

    check(f, X)


def test_gradient_by_containers():
    def g(params, scale):
        return scale * np.sum(params["w"] ** 3) * params["b"][0] + params["b"][1] ** 2

    def f(x):
        params = {"w": x * x, "b": [x[0], x[1]]}
        found = ad.grad(g)(params, x[2])
        return np.sum(found["w"] * x) + found["b"][0] * found["b"][1]

    check(f, X)


def test_gradient_by_ints_is_a_float():
    def f(x):
        return x * ad.grad(cube)(2) + ad.grad(lambda p: p[0] * p[1] * x)((2, 3))[0]

    check(f, 0.7)


def test_star_arguments():
    def g(*values, scale=1.0):
        return scale * values[0] * values[1] ** 2

    def f(x):
        return ad.grad(lambda y: g(x, y, scale=x))(x)

    check(f, 0.7)


def test_unused_argument_gives_zeros():
    assert ad.grad(lambda x: x * ad.grad(lambda y: 2.0 * x)(x))(3.0) == 0.0

    def f(x):
        return np.sum(ad.grad(lambda y: np.sum(x))(x) * x)

    np.testing.assert_array_equal(ad.grad(f)(X), np.zeros(3))


# -- vjp ---------------------------------------------------------------------------------------


def test_vjp():
    def f(x):
        value, pullback = ad.vjp(lambda y: np.sin(y) * x, x)
        (gradient,) = pullback(value)
        return np.sum(gradient * value)

    check(f, X)


def test_pullback_as_the_whole_result():
    def f(x):
        xs = [x * x, x * 2]
        xs.append(x)
        s = xs[1] * 2.0 if x[0] > 0 else x
        return np.sum(s * s)

    def slopes(x):
        return ad.vjp(f, x)[1](1.0)

    (value,), pullback = ad.vjp(slopes, X)
    np.testing.assert_allclose(value, 32 * X)
    np.testing.assert_allclose(pullback((np.ones(3),))[0], np.full(3, 32.0))


def test_pullback_called_again():
    def f(x):
        value, pullback = ad.vjp(lambda y: (y * y, np.sum(y)), x)
        total = 0.0
        for k in range(3):
            (part,) = pullback((x * k, 1.0))
            total = total + np.sum(part * x)
        return total + np.sum(pullback(value)[0])

    check(f, X)


def test_vjp_by_several_primals():
    def f(x):
        value, pullback = ad.vjp(lambda a, n, b: a[:n] * b, x, 2, x[0])
        d_a, d_n, d_b = pullback(value)
        assert d_n is None
        return np.sum(d_a * x) + d_b

    check(f, X)


def test_vjp_through_a_loop():
    def g(y):
        for _ in range(3):
            y = np.sin(y) * y
        return y

    def f(x):
        value, pullback = ad.vjp(g, x * 2)
        return np.sum(pullback(value * x)[0] ** 2)

    check(f, X)


def test_hessian_by_rows():
    def f(x):
        gradient, pullback = ad.vjp(ad.grad(energy), x)
        total = 0.0
        for i in range(3):
            direction = np.zeros(3)
            direction[i] = 1.0
            total = total + pullback(direction)[0][i] * gradient[i]
        return total

    check(f, X)


# -- jvp ---------------------------------------------------------------------------------------


def test_jvp():
    def f(x):
        value, change = ad.jvp(energy, (x,), (x * x,))
        return value * change

    check(f, X)


def test_jvp_of_a_closure_over_active_values():
    def f(x):
        _, change = ad.jvp(lambda y, n: np.sum(np.sin(x * y) ** n), (x * 2, 2), (x, None))
        return change

    check(f, X)


def test_jvp_by_containers():
    def g(p):
        return {"out": p["w"] * p["b"][0], "text": "a"}

    def f(x):
        primal, along = {"w": x, "b": (x[0], 3)}, {"w": x * x, "b": (1.0, None)}
        value, change = ad.jvp(g, (primal,), (along,))
        assert change["text"] is None
        return np.sum(value["out"] * change["out"])

    check(f, X)


def test_product_of_hessian_and_vector():
    def f(x):
        _, product = ad.jvp(ad.grad(energy), (x,), (x * x,))
        return np.sum(product * x)

    check(f, X)


def test_modes_inside_one_another():
    def f(x):
        def g(y):
            return ad.jvp(lambda z: ad.grad(lambda u: u**3 * y * x)(z * y), (y,), (x,))[1]

        return ad.grad(g)(x) * x

    check(f, 0.7)


def test_rules_that_are_found_at_run_time():
    def f(x):
        y = x if np.sum(x) > 0 else np.sum(x)  # an array or a number
        return np.sum(np.sin(np.sum(y * x, axis=0)))

    first = lambda x: np.sum(ad.grad(f)(x) ** 2)
    second = lambda x: ad.jvp(first, (x,), (x * x,))[1]
    for point in (X, -X):
        check(first, point)
        check(second, point)
        check(lambda x: np.sum(ad.grad(second)(x) * x), point)


# -- in place ----------------------------------------------------------------------------------


def test_inner_function_changes_its_argument():
    def g(y):
        s = np.sum(y**3)
        y[0] = 2 * y[1]
        return s * np.sum(y**2)

    def f(x):
        y = x * x
        gradient = ad.grad(g)(y)
        return np.sum(gradient * y)

    check(f, X)


def test_inner_function_changes_an_array_around_it():
    def f(x):
        seen = np.zeros(3)

        def g(y):
            seen[0] = y[1] * x[0]
            return np.sum(y**2) * seen[0]

        gradient = ad.grad(g)(x)
        return np.sum(gradient * x) + seen[0]

    def by_hand(x):
        gradient = 2 * x * x[1] * x[0]
        gradient[1] += np.sum(x**2) * x[0]
        return np.sum(gradient * x) + x[1] * x[0]

    np.testing.assert_allclose(ad.value_and_grad(f)(X)[0], by_hand(X))
    np.testing.assert_allclose(ad.grad(f)(X), differences(by_hand, X), rtol=1e-6)


def test_inner_function_reads_an_array_that_it_changes():
    def f(x):
        seen = x * 1.0

        def g(y):
            s = np.sum(seen * y**3)
            seen[1] = 0.0
            return s * np.sum(seen * y)

        return np.sum(ad.grad(g)(x))

    def by_hand(x):
        kept = x * np.array([1.0, 0.0, 1.0])
        return np.sum(3 * x * x**2) * np.sum(kept * x) + np.sum(x * x**3) * np.sum(kept)

    np.testing.assert_allclose(ad.value_and_grad(f)(X)[0], by_hand(X))
    np.testing.assert_allclose(ad.grad(f)(X), differences(by_hand, X), rtol=1e-6)


def test_gradients_are_arrays_of_their_own():
    def f(x):
        a = ad.grad(energy)(x)
        b = ad.grad(energy)(x)
        a *= 2.0
        a[0] = 0.0
        return np.sum(a * b)

    check(f, X)


def test_argument_changed_after_the_gradient():
    def f(x):
        y = x * 1.0
        gradient = ad.grad(energy)(y)
        y[0] = 5.0
        return np.sum(gradient * y)

    check(f, X)


# -- recursion ---------------------------------------------------------------------------------


def power(x, n):
    if n == 0:
        return 1.0
    return x * power(x, n - 1)


def test_derivative_of_a_recursive_function():
    def f(x, n):
        return ad.grad(power)(x, n)

    assert ad.grad(f)(2.0, 3) == 12.0
    assert ad.grad(ad.grad(f))(2.0, 3) == 6.0


def total(tree):
    if len(tree) == 1:
        return tree[0] ** 2
    middle = len(tree) // 2
    return total(tree[:middle]) * total(tree[middle:])


def test_derivative_of_a_recursive_function_of_arrays():
    def f(x):
        return np.sum(ad.grad(total)(x))

    check(f, X)


# -- refusals ----------------------------------------------------------------------------------


def test_refusals_name_the_line():
    def not_a_function(x):
        return ad.grad(x)(x)

    with pytest.raises(TypeError, match="in not_a_function: expected a function"):
        ad.grad(not_a_function)(2.0)

    def of_an_array(x):
        return np.sum(ad.grad(lambda y: y * y)(x))

    with pytest.raises(ad.OutputError, match="returns an array of shape"):
        ad.grad(of_an_array)(X)

    def by_an_int(x):
        return x * np.sum(ad.grad(lambda y: np.sum(y))(np.arange(3)))

    with pytest.raises(ad.ArgumentError, match="in by_an_int: the argument `y` is an array of dty"):
        ad.grad(by_an_int)(2.0)

    def wrong_argnums(x):
        return ad.grad(cube, argnums=1)(x)

    with pytest.raises(ad.ArgumentError, match="in wrong_argnums: argnums=1, but `cube` has 1"):
        ad.grad(wrong_argnums)(2.0)

    def wrong_cotangent(x):
        return ad.vjp(energy, x)[1](x)[0]

    with pytest.raises(ad.CotangentError, match="in wrong_cotangent: this cotangent has shape"):
        ad.grad(wrong_cotangent)(X)

    def no_rule(x):
        return ad.grad(lambda y: np.unique(y)[0])(x)

    with pytest.raises(ad.NoDerivativeError, match="numpy.unique"):
        ad.grad(no_rule)(X)


def test_tangents_that_do_not_fit():
    def of_an_int(x):
        return ad.jvp(lambda y, n: y * n, (x, 2), (x, 1.0))[1]

    with pytest.raises(ad.CotangentError, match="in of_an_int: the tangent of argument 1 must be"):
        ad.grad(of_an_int)(2.0)

    def too_few(x):
        return ad.jvp(lambda y, n: y * n, (x, 2), (x,))[1]

    with pytest.raises(ad.CotangentError, match="there are 2 primals and 1 tangents"):
        ad.grad(too_few)(2.0)


def test_cotangent_that_is_found_not_to_fit():
    def f(x, n):
        return np.sum(ad.vjp(np.sin, x)[1](np.ones(n))[0])

    np.testing.assert_allclose(ad.grad(f)(X, 3), -np.sin(X))
    with pytest.raises(ad.CotangentError, match="has another shape"):
        ad.grad(f)(X, 4)


def test_printed_check_runs_as_a_module_of_its_own():
    def f(x, n):
        return np.sum(ad.vjp(np.sin, x)[1](np.ones(n))[0])

    scope = {}
    exec(ad.source(f, X, 3), scope)
    np.testing.assert_allclose(scope["f_grad"](X, 3), -np.sin(X))
    with pytest.raises(ad.CotangentError):
        scope["f_grad"](X, 4)


def test_one_record_serves_both_sweeps():
    def f(x):
        y = x
        for _ in range(3):
            y = math.sin(y) * x
        return y

    text = ad.source(lambda x: ad.grad(f)(x) ** 2, 0.7)
    forward = text.split("# return y")[0].split("reversed")[0]
    assert forward.count("tape.append") == 1 and "tape_1.append" not in forward
    check(lambda x: ad.grad(f)(x) ** 2, 0.7)


def test_pullback_of_an_array_that_was_changed(typed_only):
    def f(x):
        y = x * 1.0
        value, pullback = ad.vjp(lambda z: np.sum(z**2), y)
        y[0] = 0.0
        return np.sum(pullback(value)[0])

    with pytest.raises(ad.AliasingError, match="`y` was changed after `vjp`"):
        ad.grad(f)(X)


def test_recursion_through_a_derivative(typed_only):
    def f(x, n):
        return x if n == 0 else ad.grad(f)(x, n - 1) * x

    with pytest.raises(ad.UnsupportedSyntaxError, match="is differentiated inside itself"):
        ad.grad(f)(2.0, 2)
