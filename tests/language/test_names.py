"""Names that clash: with NumPy, with builtins, with what generated code would use itself."""

import math

import numpy as np
import numpy as xp
import pytest
from support.programs import array, check_program, table

programs = []
program = table(programs)

tape = 3.0
d_x = 2.0
zeros_like = 5.0
fit = 7.0
index = 2
np_module = None
adjoint = "a global"


@program(array(3))
def shadows_builtins(x):
    sum = np.sum(x * x)
    len = sum * 2
    range = [sum, len]
    float = range[0] * range[1]
    return float + len


@program(array(3))
def shadows_what_the_derivative_uses(x):
    zeros_like = np.sum(x)
    reversed = zeros_like * 2
    enumerate = reversed * zeros_like
    list = 0.0
    for v in x:
        list = list + v * enumerate
    return list * reversed


@program(array(3), 2.0)
def names_of_cotangents(d_x, x):
    d_y = d_x * x
    d_d_x = np.sum(d_y * d_y)
    return d_d_x * x


@program(array(3))
def names_of_the_tape(tape):
    record = 1.0
    for saved in tape:
        tape_1 = saved * record
        record = tape_1 + saved * saved
    return record


@program(array(3), 2.0)
def parameter_called_np(np, fit):
    total = 0.0
    for v in np:
        total = total + v * v * fit
    return total


@program(array(2, 3))
def parameter_called_np_with_functions(np):
    y = xp.sin(np)
    z = y.sum(axis=0) @ xp.ones(3)
    y[0] = z
    return xp.mean(y * np)


@program(array(3), 2.0)
def parameters_called_like_builtins(sum, max):
    s = 0.0
    for v in sum:
        s += v * max
    return s * np.max(sum)


@program(array(3), 2.0)
def parameters_called_like_helpers(zeros_like, unit_seed):
    y = np.zeros(3)
    y[1] = unit_seed * zeros_like[0]
    return np.sum(y * zeros_like)


@program(array(3))
def parameter_called_self_and_cls(self):
    cls = self * 2
    return np.sum(cls * self)


@program(array(3))
def globals_called_like_cotangents(x):
    y = x * d_x + tape
    s = 0.0
    for v in y:
        s = s + v * v * fit * zeros_like
    return s * x[index]


@program(array(3))
def underscores(_):
    __ = _ * 2
    _x = __ * _
    x_ = _x.sum()
    return x_ * x_


@program(array(3))
def numbered_names(x):
    x_1 = x * 2
    x_2 = x_1 * x
    y, y_1 = x_2 * x, x_1 * x_2
    x = y * y_1
    x_1 = x * x_1
    return np.sum(x * x_1)


@program(array(3))
def unicode_names(α):
    β = α * 2
    σ = np.sum(β * α)
    return σ * β[0]


@program(array(3))
def same_name_in_helper_and_caller(x):
    def helper(y):
        x = y * 2
        z = x * y
        return z

    y = helper(x)
    z = helper(y)
    x = z * y
    return np.sum(x)


@program(2.0)
def same_name_in_several_lambdas(x):
    f = lambda y: y * x
    y = f(x)
    g = lambda x: x * y
    return g(f(y)) * x


@program(array(3))
def name_of_the_function_itself(x):
    name_of_the_function_itself = x * 2
    return np.sum(name_of_the_function_itself * x)


@program(array(3))
def names_of_the_derivative(x):
    names_of_the_derivative_grad = x * 2
    names_of_the_derivative_value_and_grad = x + 1
    names_of_the_derivative_forward = 2.0
    return (
        np.sum(names_of_the_derivative_grad * names_of_the_derivative_value_and_grad)
        * names_of_the_derivative_forward
    )


@program(array(3), 2.0)
def loop_target_is_a_parameter(x, v):
    s = v
    for v in x:
        s = s * v
    return s * v


@program(array(3), 2.0)
def comprehension_target_is_a_parameter(x, v):
    ys = [v * v for v in x]
    return sum(ys) * v


@program(array(3), 2.0)
def inner_parameter_shadows_outer(x, k):
    def inner(k):
        return k * 3

    return np.sum(inner(x)) * inner(k) * k


@program(0.5)
def module_functions_under_local_names(x):
    sin, m = math.sin, math
    return sin(x) * m.cos(x)


@program(array(3))
def keyword_like_names(x):
    type = x * 2
    id = type + x
    print_ = id * type
    return np.sum(print_)


@program(1.5, array(3))
def parameter_called_like_what_is_not_read(_, x):
    y = 1.0
    for a, b in zip(x, x):  # noqa: B007
        y = y * a
    return y * _**2


@program(array(3), array(3))
def variables_called_like_what_is_not_read(x, y):
    total, _ = 0.0, np.sin(x)
    for i, (a, __) in enumerate(zip(x, y)):  # noqa: B007
        total = total + a * np.sum(_**2) * __
    return total


@program(array(3), 1.5)
def dict_keys_like_names(x, k):
    d = {"x": x * k, "d_x": x * 2, "": k}
    return np.sum(d["x"] * d["d_x"]) * d[""]


@program({"class": array(2), "a b": array(2), "1": 2.0})
def dict_keys_that_are_no_names(p):
    return np.sum(p["class"] * p["a b"]) * p["1"]


@program({0: array(2), (1, "x"): array(2), None: 2.0, 1.5: 3.0, True: 0.5})
def dict_keys_that_are_no_texts(p):
    return np.sum(p[0] * p[1, "x"]) * p[None] * p[1.5] * p[True]


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)
