"""Loops: what they walk, what they change, and how they end."""

# ruff: noqa: B023

import itertools
import math

import numpy as np
import pytest
from support.programs import array, check_program, table

programs = []
program = table(programs)


@program(1.3)
def over_range(x):
    y = x
    for _ in range(5):
        y = y * x + math.sin(y)
    return y


@program(1.3, 4)
def over_range_of_an_argument(x, n):
    y = x
    for i in range(n):
        y = y * x + i
    return y


@program(array(6))
def over_range_with_start_and_step(x):
    s = 0.0
    for i in range(1, 6, 2):
        s = s + x[i] * i * s + x[i]
    return s


@program(array(6))
def over_range_downwards(x):
    s = 1.0
    for i in range(5, -1, -1):
        s = s * x[i] + i
    return s


@program(array(6))
def over_range_downwards_by_two(x):
    s = 1.0
    for i in range(len(x) - 1, 0, -2):
        s = s * x[i] + x[i - 1] * i
    return s


@program(array(6))
def over_reversed_range(x):
    s = 1.0
    for i in reversed(range(6)):
        s = s * x[i] + i
    return s


@program(array(4), 0)
def zero_iterations(x, n):
    s = np.sum(x)
    for i in range(n):
        s = s * x[i]
    return s


@program(array(4), 0)
def zero_iterations_of_an_array(x, n):
    s = x[0]
    for v in x[:n]:
        s = s * v
    return s


@program(array(4), 0)
def zero_iterations_leave_names_alone(x, n):
    i = 3
    y = x[1]
    for i in range(n):
        y = x[i] * y
    return y * x[i]


@program(array(4))
def counter_after_the_loop(x):
    s = 0.0
    for i in range(3):
        s = s + x[i] * x[i]
    return s * x[i] * i


@program(array(4))
def last_item_after_the_loop(x):
    s = 0.0
    for v in x:
        s = s + v * v
    return s * v


@program(array(4))
def names_of_the_body_after_the_loop(x):
    s = 0.0
    for v in x:
        w = v * v
        s = s + w * v
    return s * w


@program(array(5))
def over_an_array(x):
    h = 0.0
    for v in x:
        h = math.tanh(h * v + v)
    return h


@program(array(3, 2))
def over_rows(x):
    s = 0.0
    for row in x:
        s = s + np.sum(row**2) * row[0]
    return s


@program(array(3, 2), array(2))
def over_rows_carrying_a_row(x, h):
    for row in x:
        h = np.tanh(h + row)
    return np.sum(h * h)


@program(array(2, 3, 2))
def over_blocks(x):
    s = 0.0
    for block in x:
        s = s + np.sum(block @ block.T)
    return s


@program(array(3, 2))
def over_rows_and_their_elements(x):
    s = 1.0
    for row in x:
        for v in row:
            s = s * 0.5 + v * v * s
    return s


@program(array(3, 2))
def over_transposed(x):
    s = 0.0
    for k, column in enumerate(x.T):
        s = s + np.sum(column**3) * (k + 1)
    return s


@program(array(5))
def over_a_slice(x):
    s = 0.0
    for v in x[1:4]:
        s = s + v**3
    return s * x[0]


@program(array(5))
def over_a_reversed_array(x):
    s = 0.0
    for v in x[::-1]:
        s = s * v + v
    return s


@program(array(5))
def over_an_expression(x):
    s = 0.0
    for v in x * x:
        s = s + v * x[0]
    return s


@program([1.5, -0.5, 2.0])
def over_a_list_argument(xs):
    s = 1.0
    for v in xs:
        s = s * v + v
    return s


@program((1.5, -0.5, 2.0))
def over_a_tuple_argument(xs):
    s = 1.0
    for v in xs:
        s = s * v + v
    return s


@program([array(2, 3), array(4, 2), array(2, 4)], array(3))
def over_layers(layers, x):
    for w in layers:
        x = np.tanh(w @ x)
    return np.sum(x)


@program([(array(2, 3), array(2)), (array(4, 2), array(4))], array(3))
def over_layers_of_pairs(layers, x):
    for w, b in layers:
        x = np.tanh(w @ x + b)
    return np.sum(x)


@program([{"w": array(2, 3), "b": array(2)}, {"w": array(4, 2), "b": array(4)}], array(3))
def over_layers_of_dicts(layers, x):
    for layer in layers:
        x = np.tanh(layer["w"] @ x + layer["b"])
    return np.sum(x)


@program({"a": array(2), "b": array(2), "c": array(2)})
def over_a_dict(p):
    s = 0.0
    for k in p:
        s = s + np.sum(p[k] ** 2)
    return s


@program({"a": array(2), "b": array(3)})
def over_dict_items(p):
    s = 1.0
    for k, v in p.items():
        s = s * np.sum(v**2) + (1 if k == "a" else 2)
    return s


@program({"a": array(2), "b": array(3)})
def over_dict_values(p):
    s = 1.0
    for v in p.values():
        s = s * np.sum(v**2)
    return s


@program(array(3), array(3))
def over_zip(x, y):
    s = 1.0
    for a, b in zip(x, y):
        s = s * a + b
    return s


@program(array(3), array(5))
def over_zip_of_different_lengths(x, y):
    s = 1.0
    for a, b in zip(x, y):
        s = s * a + b
    return s


@program(array(3))
def over_zip_of_the_same_array(x):
    s = 1.0
    for a, b in zip(x, x[1:]):
        s = s * a + b
    return s


@program(array(3), array(3, 2))
def over_zip_of_numbers_and_rows(x, y):
    s = 0.0
    for a, row in zip(x, y):
        s = s + a * np.sum(row * row)
    return s


@program(array(3), array(3))
def over_enumerate_zip(x, y):
    s = 0.0
    for i, (a, b) in enumerate(zip(x, y)):
        s += a * b * (i + 1)
    return s


@program(array(3), array(3))
def over_zip_with_range(x, y):
    s = 0.0
    for i, a, b in zip(range(3), x, y):
        s += a * b * y[i]
    return s


@program(array(4))
def over_enumerate(x):
    s = 1.0
    for i, v in enumerate(x):
        s = s * v + i
    return s


@program(array(4))
def over_enumerate_of_a_part(x):
    s = 0.0
    for i, v in enumerate(x[1:]):
        s = s + v * x[i]
    return s


@program(array(3))
def over_constants(x):
    s = 0.0
    for k in (1, 2.5, 3):
        s = s + np.sum(x * k) ** 2
    return s


@program(array(3))
def over_texts(x):
    s = 0.0
    for how in ["sum", "mean"]:
        s = s * 2 + (np.sum(x * x) if how == "sum" else np.mean(x))
    return s


@program(array(3, 3))
def nested_ranges(x):
    s = 0.0
    for i in range(3):
        for j in range(i + 1):
            if x[i, j] > 0:
                s += x[i, j] * x[j, i]
            else:
                s -= math.sin(x[i, j])
    return s


@program(array(3), array(3))
def nested_with_inner_state(x, w):
    total = 0.0
    for i in range(3):
        h = x[i]
        for j in range(2):
            h = math.tanh(h * w[j])
        total += h * h
    return total


@program(array(3), 0.4)
def nested_three_deep(x, k):
    s = 1.0
    for v in x:
        for i in range(2):
            t = s * v
            for j in range(i + 1):
                t = t * k + j
            s = s + t * v
    return s


@program(array(2, 3), 0.4)
def nested_inner_of_zero_iterations(x, k):
    s = 0.0
    for i in range(2):
        t = k
        for j in range(i * 3):
            t = t * x[i, j]
        s = s + t
    return s


@program(5.0)
def while_with_a_count(x):
    n = 0
    while x > 1:
        x = x / 1.7
        n = n + 1
    return x * n


@program(0.5)
def while_never_entered(x):
    y = x * x
    while x > 1:
        x = x / 1.7
        y = y * x
    return y * x


@program(5.0)
def while_with_calls_in_the_test(x):
    y = x
    while math.sqrt(x * x) > 1 and y < 100:
        x = x / 1.7
        y = y * x
    return y


@program(2.0)
def while_newton(a):
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


@program(array(3))
def while_over_an_index(x):
    i = 0
    s = 1.0
    while i < len(x):
        s = s * x[i] + i
        i += 1
    return s


@program(array(4))
def while_nested(x):
    i = 0
    s = 0.0
    while i < 3:
        j = i
        p = x[i]
        while j < 4:
            p = p * x[j]
            j += 2
        s = s + p
        i += 1
    return s


@program(array(3))
def while_true(x):
    i = 0
    s = 1.0
    while True:
        s = s * x[i]
        i += 1
        if i == 3:
            break
    return s


@program(1.3)
def carried_int_becomes_float(x):
    y = 0
    for i in range(3):
        y = y * x + i + x
    return y


@program(array(3))
def carried_number_becomes_array(x):
    y = 1.0
    for _ in range(3):
        y = y * x
    return np.sum(y)


@program(array(3), 0)
def carried_number_stays_a_number(x, n):
    y = 1.0
    for _ in range(n):
        y = y * x
    return np.sum(y * x)


@program(array(3))
def carried_array_grows(x):
    y = x
    for _ in range(3):
        y = np.concatenate([y, x * y[0]])
    return np.sum(y * y)


@program(array(6))
def carried_array_shrinks(x):
    while len(x) > 1:
        x = x[1:] * x[:-1]
    return np.sum(x)


@program(array(3))
def carried_rank_grows(x):
    y = np.sum(x)
    for _ in range(2):
        y = np.stack([y, y * 2])
    return np.sum(y * y)


@program(array(3))
def carried_tuple(x):
    state = (x, np.sum(x))
    for _ in range(3):
        a, b = state
        state = (a * b, b + np.mean(a))
    return np.sum(state[0]) * state[1]


@program(array(3))
def carried_dict(x):
    state = {"x": x, "v": x * 0}
    for _ in range(3):
        v = state["v"] * 0.9 + state["x"] * 0.1
        state = {"x": state["x"] - v, "v": v}
    return np.sum(state["x"] ** 2)


@program(array(3))
def carried_dict_changed(x):
    state = {"x": x, "v": x * 0}
    for _ in range(3):
        state["v"] = state["v"] * 0.9 + state["x"] * 0.1
        state["x"] = state["x"] - state["v"]
    return np.sum(state["x"] ** 2)


@program(array(3), array(3))
def carried_pair_swaps(x, y):
    a, b = x * 1.0, y * 1.0
    for _ in range(3):
        a, b = b * 2, a + b
    return np.sum(a * b)


@program(array(3), array(3))
def carried_pair_swaps_buffers(x, y):
    a, b = x, y
    for _ in range(3):
        a, b = b, a
    return np.sum(a * a * b)


@program(1.3)
def fibonacci(x):
    a, b = x, x * x
    for _ in range(5):
        a, b = b, a + b * x
    return a


@program(array(4))
def state_is_reset_in_each_iteration(x):
    s = 0.0
    for v in x:
        t = 0.0
        for w in x:
            t = t + v * w
        s = s + t * t
    return s


@program(array(4))
def previous_value(x):
    previous = x[0]
    s = 0.0
    for v in x:
        s = s + previous * v
        previous = v
    return s


@program(array(4))
def optional_previous_value(x):
    previous = None
    s = 0.0
    for v in x:
        if previous is not None:
            s = s + previous * v
        previous = v
    return s


@program(array(4))
def set_in_the_first_iteration(x):
    s = 0.0
    for i in range(4):
        if i == 0:
            first = x[0] * 2
        s = s + first * x[i]
    return s


@program(array(4), 2.0)
def loop_invariant_work(x, k):
    s = 0.0
    for v in x:
        z = k * k
        s = s + z * v
    return s


@program(array(4), 2.0)
def loop_changes_nothing(x, k):
    for v in x:
        v * k
    return k * x[0]


@program(array(4))
def branch_in_a_loop(x):
    s = 0.0
    n = 0
    for v in x:
        if v > 0:
            s = s + v * v
            n = n + 1
        else:
            s = s * 0.5 - v
    return s * n + s


@program(array(4))
def branch_in_a_loop_defines_a_temporary(x):
    s = 0.0
    for v in x:
        if v > 0:
            t = v * s
            u = t * t
            s = s + u + v
        elif v < -0.5:
            s = s * v
    return s


@program(array(4))
def maximum_by_hand(x):
    best = x[0]
    for v in x:
        if v > best:
            best = v
    return best * 2


@program(array(4))
def argmax_by_hand(x):
    best = 0
    for i in range(len(x)):
        if x[i] > x[best]:
            best = i
    return x[best] ** 3


@program(array(4))
def iterable_rebound_inside(x):
    s = 0.0
    for v in x:
        x = x * 0.5
        s = s + v * x[0]
    return s


@program(array(4))
def counter_rebound_inside(x):
    s = 0.0
    for i in range(3):
        s = s + x[i]
        i = i + 1
        s = s * x[i]
    return s


@program(array(3), array(3))
def same_name_for_two_loops(x, y):
    s = 1.0
    for v in x:
        s = s * v
    for v in y:
        s = s + v * v
    for i in range(3):
        s = s * x[i]
    for i in range(2):
        s = s + y[i]
    return s


@program(array(3))
def sequence_of_loops(x):
    y = x
    for _ in range(2):
        y = y * x
    z = y
    for _ in range(3):
        z = z + y * x
    return np.sum(z * y)


@program(array(5, 3), array(3, 3), array(3))
def recurrent_network(x, w, b):
    h = np.zeros(3)
    for t in range(x.shape[0]):
        h = np.tanh(x[t] + h @ w + b)
    return np.mean(h**2)


@program(array(3), 0.1)
def gradient_descent_inside(x, rate):
    for _ in range(10):
        x = x - rate * 2 * x * (x @ x)
    return np.sum(x)


@program(array(3, 3))
def power_iteration(a):
    v = np.ones(3)
    for _ in range(6):
        v = a @ v
        v = v / np.sqrt(np.sum(v * v))
    return v @ a @ v


@program(1.3)
def large_loop(x):
    s = 0.0
    for i in range(300):
        s = s + math.sin(x * i) / (i + 1)
    return s


@program(array(4))
def while_with_an_assignment_in_the_test(x):
    i = 0
    s = 0.0
    while (v := x[i] * x[i]) < 100 and i < 3:
        s = s + v * x[0]
        i += 1
    return s * v


@program(array(4))
def over_enumerate_from_a_start(x):
    s = 0.0
    for i, v in enumerate(x, 2):
        s = s + v * v * i
    for i, v in enumerate([x[0], x[1]], start=3):
        s = s * v + i
    return s


@program(array(3), array(3))
def over_zip_strict(x, y):
    s = 1.0
    for a, b in zip(x, y, strict=True):
        s = s * a + b
    for a, b in zip((x[0], x[1]), [y[0], y[1]], strict=True):
        s = s + a * b
    return s


@program(array(3))
def over_numpy_indices(x):
    s = 0.0
    for i, j in np.ndindex(3, 2):
        s = s + x[i] * x[j]
    for i in np.arange(3):
        s = s * x[i]
    return s


@program(array(3))
def over_itertools(x):
    s = 0.0
    for i, j in itertools.combinations(range(3), 2):
        s = s + x[i] * x[j] * x[j]
    return s


@program(array(3))
def function_defined_in_a_loop(x):
    s = 0.0
    for i in range(3):

        def f(y):
            return y * x[i]

        s = s + f(2.0) * x[0]
    return s


@program(array(4))
def view_is_carried(x):
    v = x
    s = 0.0
    for _ in range(3):
        s = s + v[0] * v[-1]
        v = v[1:]
    return s


@program(array(4))
def first_or_product(x):
    y = None
    for v in x:
        y = v if y is None else y * v
    return y


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)
