"""Item assignment and changes in place: what is overwritten is needed on the way back."""

import math

import numpy as np
import pytest
from support.programs import array, check_program, table

programs = []
program = table(programs)


@program(array(5))
def fill_then_sum(x):
    y = np.zeros(6)
    y[0] = 1.0
    for i in range(5):
        y[i + 1] = y[i] * x[i] + x[i]
    return np.sum(y**2)


@program(array(4, 3), array(3, 3), array(3))
def fill_rows(x, w, b):
    h = np.zeros((5, 3))
    for t in range(4):
        h[t + 1] = np.tanh(x[t] + h[t] @ w + b)
    return np.mean(h[1:] ** 2)


@program(array(4))
def fill_backwards(x):
    y = np.zeros(5)
    for i in range(3, -1, -1):
        y[i] = y[i + 1] * x[i] + x[i]
    return np.sum(y * y)


@program(array(4))
def fill_by_two_steps(x):
    y = np.zeros(6)
    y[0] = x[0]
    y[1] = x[1]
    for i in range(2, 6):
        y[i] = y[i - 1] * y[i - 2] + x[i - 2]
    return y[5] * y[3]


@program(array(4))
def fill_empty(x):
    y = np.empty(4)
    for i in range(4):
        y[i] = x[i] * x[3 - i]
    return np.sum(y * x)


@program(array(4))
def fill_empty_like(x):
    y = np.empty_like(x)
    for i, v in enumerate(x):
        y[i] = v * v
    return np.sum(y * x)


@program(array(3, 3))
def fill_by_two_indices(x):
    y = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            y[i, j] = x[j, i] * x[i, i]
    return np.sum(y * x)


@program(array(3, 3))
def fill_a_triangle(x):
    y = np.zeros((3, 3))
    for i in range(3):
        for j in range(i):
            y[i, j] = x[i, j] * y[i - 1, j] + x[j, i]
    return np.sum(y * y)


@program(array(4))
def fill_some_twice(x):
    y = np.zeros(4)
    for i in range(4):
        y[i] = x[i] * 2
        y[i // 2] = x[i] * x[0]
    return np.sum(y * x)


@program(array(4))
def fill_the_same_element(x):
    y = np.zeros(4)
    for i in range(4):
        y[0] = y[0] * 0.5 + x[i]
    return np.sum(y * y)


@program(array(4))
def fill_modulo(x):
    y = np.zeros(2)
    for i in range(4):
        y[i % 2] = y[i % 2] * x[i] + x[i]
    return y[0] * y[1]


@program(array(4))
def fill_by_negative_index(x):
    y = np.zeros(4)
    for i in range(1, 5):
        y[-i] = x[-i] * x[i - 1]
    return np.sum(y * x)


@program(array(4))
def overwrite_what_was_read(x):
    y = x * 2
    a = y[0] * y[1]
    y[0] = 3.0
    b = y[0] * y[1]
    y[1] = a
    return a * b + np.sum(y * y)


@program(array(4))
def overwrite_with_a_constant(x):
    y = x * x
    s = np.sum(y * y)
    y[1:3] = 0.0
    return s * np.sum(y * x)


@program(array(4))
def overwrite_everything(x):
    y = x * x
    s = np.sum(np.exp(y))
    y[:] = x
    return s * np.sum(y * y)


@program(array(4))
def overwrite_everything_by_ellipsis(x):
    y = x * x
    s = np.prod(y)
    y[...] = 2.0
    return s * np.sum(y * x)


@program(array(4))
def overwrite_by_itself(x):
    y = x * x
    y[0] = y[0] * y[0]
    y[1] = y[0]
    y[2] = y[1] + y[2]
    return np.sum(y * x)


@program(array(4))
def overwrite_elements_swapped(x):
    y = x * x
    y[0], y[1] = y[1], y[0]
    return np.sum(y * x)


@program(array(4))
def overwrite_reversed(x):
    y = x * 2
    for i in range(2):
        t = y[i]
        y[i] = y[3 - i]
        y[3 - i] = t
    return np.sum(y * x * x)


@program(array(4))
def element_is_overwritten_after_use_in_a_product(x):
    y = x * 1.5
    s = 0.0
    for i in range(4):
        s = s + y[i] * y[0]
        y[0] = x[i] * s
    return s * y[0]


@program(array(4))
def whole_array_read_between_stores(x):
    y = np.zeros(4)
    s = 0.0
    for i in range(4):
        y[i] = x[i] * x[i]
        s = s + np.sum(y * y) * x[i]
    return s


@program(array(4))
def whole_array_read_before_and_after(x):
    y = x * 2
    a = np.sum(np.sin(y))
    y[2] = x[0] * x[1]
    b = np.sum(np.sin(y))
    y[0] = a
    return a * b + np.sum(np.cos(y))


@program(array(4))
def product_kept_before_the_store(x):
    y = x * 2
    z = y * y
    y[0] = 0.0
    w = y * z
    y[1] = 0.0
    return np.sum(w * y)


@program(array(5))
def slices(x):
    y = np.zeros(5)
    y[:3] = x[2:]
    y[3:] = x[:2] * y[:2]
    y[::2] = x[::2] * 2
    y[::-1] = y * x
    return np.sum(y * x)


@program(array(5), 2.0)
def number_into_a_slice(x, k):
    y = x * 1.5
    y[1:4] = k * k
    return np.sum(y * y * x)


@program(array(3, 4))
def rows_and_columns(x):
    y = np.ones((3, 4))
    y[0] = x[1] * x[2]
    y[:, 1] = x[:, 0] ** 2
    y[1:, 2:] = x[:2, :2]
    y[-1, -1] = x[0, 0]
    return np.sum(y * x)


@program(array(4), array(3, 4))
def row_into_all_rows(r, x):
    y = x * 2
    y[:] = r
    y[1] = y[1] * x[0]
    return np.sum(y * x)


@program(array(5))
def fancy_indices(x):
    y = x * 2
    index = np.array([3, 0])
    y[index] = x[index] * x[:2]
    y[[1, 2]] = 7.0
    return np.sum(y * x)


@program(array(3, 4))
def fancy_indices_of_two_axes(x):
    y = x * 2
    rows, columns = np.array([0, 2, 1]), np.array([1, 3, 0])
    y[rows, columns] = x[columns % 3, rows] * 3
    return np.sum(y * x)


@program(array(5))
def boolean_mask(x):
    y = x * 2
    y[x > 0] = 1.5
    y[y < -1] *= 3
    return np.sum(y * y * x)


@program(array(5))
def boolean_mask_of_values(x):
    y = x * 2
    m = x > 0
    y[m] = x[m] ** 3
    return np.sum(y * y * x)


@program(array(3, 3))
def boolean_mask_of_a_matrix(x):
    y = x * 2
    y[y > 0.5] = 0.5
    return np.sum(y * x)


@program(array(4))
def add_to_elements(x):
    y = np.zeros(3)
    for i in range(4):
        y[i % 3] += x[i] * x[0]
    return np.sum(y * y)


@program(array(4))
def add_to_elements_of_themselves(x):
    y = x * 1.5
    for i in range(3):
        y[i + 1] += y[i] * x[i]
    return np.sum(y * y)


@program(array(3, 3))
def multiply_elements(x):
    y = x * 1.5
    y[0, 0] *= x[1, 1]
    y[1] *= y[0]
    y[:, 2] -= y[:, 0] * x[2]
    return np.sum(y * x)


@program(array(3, 4), 3)
def add_to_rows(x, n):
    y = np.zeros((2, 4))
    for i in range(n):
        y[i % 2] += x[i] * x[0]
    return np.sum(y * y)


@program(array(4))
def bubble_sort(x):
    y = x * 1.5
    for i in range(3):
        for j in range(3 - i):
            if y[j] > y[j + 1]:
                t = y[j]
                y[j] = y[j + 1]
                y[j + 1] = t
    return np.sum(y * np.array([1.0, -2.0, 3.0, 0.5]) * y)


@program(array(4))
def conditional_stores(x):
    y = x * 2
    for i in range(4):
        if x[i] > 0:
            y[i] = x[i] * y[0]
        else:
            y[0] = y[0] + x[i]
    return np.sum(y * y)


@program(array(4))
def stores_in_a_while_loop(x):
    y = np.zeros(4)
    i = 0
    while i < 4:
        y[i] = x[i] * x[i] if i == 0 else y[i - 1] * x[i]
        i += 1
    return np.sum(y * x)


@program(array(4))
def buffer_reused_in_each_iteration(x):
    buffer = np.zeros(3)
    s = 0.0
    for i in range(4):
        buffer[0] = x[i]
        buffer[1] = buffer[0] * x[0]
        buffer[2] = buffer[1] * buffer[0]
        s = s + np.sum(buffer * buffer)
    return s


@program(array(4))
def buffer_cleared_in_each_iteration(x):
    buffer = np.zeros(4)
    s = 0.0
    for i in range(4):
        buffer[:] = 0.0
        buffer[i] = x[i]
        s = s + np.sum(buffer * x) ** 2
    return s


@program(array(4))
def buffer_made_in_each_iteration(x):
    s = 0.0
    for i in range(4):
        buffer = np.zeros(4)
        buffer[i] = x[i]
        buffer[0] += x[0] * s
        s = s + np.sum(buffer * x)
    return s


@program(array(4))
def buffer_carries_over(x):
    buffer = np.ones(4)
    s = 0.0
    for i in range(4):
        s = s + np.sum(buffer * x)
        buffer[i] = x[i] * s
    return s


@program(array(4))
def two_buffers_by_turns(x):
    a, b = x * 1.0, np.zeros(4)
    for _ in range(3):
        for i in range(4):
            b[i] = a[i] * a[(i + 1) % 4]
        a = b * 1.0
    return np.sum(a * x)


@program(array(5))
def heat_equation(x):
    u = x * 1.0
    for _ in range(3):
        v = u * 1.0
        for i in range(1, 4):
            v[i] = u[i] + 0.1 * (u[i - 1] - 2 * u[i] + u[i + 1]) * u[i]
        u = v
    return np.sum(u * u)


@program(array(6))
def heat_equation_by_slices(x):
    u = x * 1.0
    for _ in range(3):
        u[1:-1] = u[1:-1] + 0.1 * (u[:-2] - 2 * u[1:-1] + u[2:]) * u[1:-1]
    return np.sum(u * u)


@program(array(6))
def heat_equation_in_place(x):
    u = x.copy()
    for _ in range(3):
        u[1:-1] += 0.1 * (u[:-2] - 2 * u[1:-1] + u[2:])
    return np.sum(u * u)


@program(array(3, 3))
def gauss_elimination(a):
    a = a + 3 * np.eye(3)
    for k in range(3):
        for i in range(k + 1, 3):
            f = a[i, k] / a[k, k]
            for j in range(k, 3):
                a[i, j] = a[i, j] - f * a[k, j]
    return a[0, 0] * a[1, 1] * a[2, 2]


@program(array(3, 3))
def cholesky_by_hand(x):
    a = x @ x.T + np.eye(3)
    c = np.zeros((3, 3))
    for i in range(3):
        for j in range(i + 1):
            s = a[i, j]
            for k in range(j):
                s = s - c[i, k] * c[j, k]
            if i == j:
                c[i, j] = math.sqrt(s)
            else:
                c[i, j] = s / c[j, j]
    return np.sum(c)


@program(array(4, 2))
def dynamic_program(cost):
    best = np.zeros((5, 2))
    for i in range(4):
        for j in range(2):
            stay = best[i, j]
            move = best[i, 1 - j] + 0.3
            if stay < move:
                best[i + 1, j] = stay + cost[i, j] ** 2
            else:
                best[i + 1, j] = move + cost[i, j] ** 2
    return min(best[4, 0], best[4, 1])


@program(array(4))
def array_in_place_in_a_loop(x):
    y = x * 1.0
    for i in range(3):
        y *= x
        y += i
    return np.sum(y)


@program(array(4))
def array_in_place_read_in_a_loop(x):
    y = x * 1.0
    s = 0.0
    for _ in range(3):
        s = s + np.sum(y * y)
        y *= x
        s = s + np.sum(np.sin(y))
    return s


@program(array(4))
def array_in_place_two_names_in_a_loop(x):
    y = x * 1.5
    z = y
    s = 0.0
    for v in x:
        z *= v
        s = s + y[0]
    return s + np.sum(y * z)


@program(array(4))
def momentum_in_place(x):
    v = np.zeros(4)
    for _ in range(4):
        v *= 0.9
        v += x
        x = x - 0.1 * v
    return np.sum(x * x)


@program(array(3), array(3))
def changes_its_arguments(x, y):
    x[0] = y[1] * 2
    x += y
    return np.sum(x * y)


@program(array(3), array(3))
def changes_its_argument_after_reading(x, y):
    s = np.sum(x * x)
    x[1] = s * y[0]
    y *= x
    return np.sum(x) + np.sum(y * y)


@program(array(4))
def changes_its_argument_in_a_loop(x):
    for i in range(3):
        x[i + 1] = x[i] * x[i + 1]
    return x[3]


@program({"w": array(3), "b": array(3)})
def changes_an_array_in_its_argument(p):
    p["w"] *= 2
    return np.sum(p["w"] * p["b"])


@program([array(3), array(3)])
def changes_an_array_in_a_list(p):
    p[0][1] = 3.0
    return np.sum(p[0] * p[1])


@program({"w": array(3), "b": array(3)})
def changes_an_entry_of_its_argument(p):
    p["w"] = p["w"] * p["b"]
    return np.sum(p["w"] * p["b"])


@program([1.0, 2.0, 3.0])
def changes_a_list_argument(xs):
    xs[1] = xs[0] * xs[2]
    xs[0] += xs[1]
    return xs[0] * xs[1] * xs[2]


@program([1.0, 2.0, 3.0])
def appends_to_a_list_argument(xs):
    xs.append(xs[0] * xs[2])
    return xs[0] * xs[3]


@program(array(4))
def view_of_an_array_read_before_the_change(x):
    y = x * 2
    v = y[1:3]
    s = np.sum(v * v)
    y[0] = 1.0
    return s * np.sum(y)


@program(array(4))
def copy_is_not_changed(x):
    y = x * 2
    z = y.copy()
    w = np.array(y)
    y[0] = 1.0
    return np.sum(z * y * w)


@program(array(4))
def copy_by_addition_is_not_changed(x):
    y = x * 2
    z = y + 0
    y[0] = 1.0
    y *= x
    return np.sum(z * y)


@program(array(4))
def copy_by_multiplication_is_not_changed(x):
    z = x * 1
    z[0] = 5.0
    w = z / 1
    w[1] = x[0]
    return np.sum(z * x * w)


@program(array(4))
def copy_by_double_negation_is_not_changed(x):
    y = -x
    z = -y
    z[0] = 5.0
    return np.sum(z * x * y)


@program(array(2, 3))
def copy_by_power_is_not_changed(x):
    y = x**1
    y[0] = 5.0
    return np.sum(y * x)


@program(array(2, 3))
def double_transpose_shares(x):
    y = x * 1.5
    z = y.T
    s = np.sum(z[0] * z[1])
    y[0] = 5.0
    return s * np.sum(y * x)


@program(array(3))
def equal_zeros_are_two_arrays(x):
    a = np.zeros(3)
    b = np.zeros(3)
    a[0] = x[0]
    b[1] = x[1]
    return np.sum(a * x + b * b)


@program(array(3))
def equal_products_are_two_arrays(x):
    a = x * 2
    b = x * 2
    a[0] = x[1] * 5
    return np.sum(a * b)


@program(array(3))
def equal_products_one_changed_later(x):
    a = x * 2
    s = np.sum(a * a)
    a[0] = 1.0
    b = x * 2
    return s * np.sum(a * b)


@program(array(3))
def equal_elements_around_a_store(x):
    y = x * 2
    a = y[0]
    y[0] = a * a
    b = y[0]
    return a * b


@program(array(3))
def equal_expressions_around_a_change(x):
    y = x * 2
    a = np.sum(y * y)
    y += 1
    b = np.sum(y * y)
    return a * b


@program(array(3, 4))
def multiple_of_a_view_that_changes(m):
    a = m * m
    row = a[1]
    twice = 2 * row
    a[1] = 0.0
    return np.sum(twice**2) + np.sum(a)


@program(array(3))
def equal_operations_on_tangents_around_a_change_in_a_loop(x):
    y = x + x
    s = 0.0
    for i in range(3):
        s = s + np.sum(x * x)
        y[i] += s
    return s * np.sum(y * y)


@program(array(3))
def equal_functions_around_a_change_in_a_loop(x):
    y = np.sin(x)
    s = 0.0
    for _ in range(3):
        z = np.sin(x)
        z *= 0.5
        s = s + np.sum(z)
        y *= x
    return s * np.sum(y)


@program(array(3))
def index_array_changes(x):
    index = np.array([0, 1, 2])
    a = x[index]
    index[0] = 2
    b = x[index]
    return np.sum(a * b * x)


@program(array(3))
def index_array_changes_in_a_loop(x):
    index = np.zeros(2, dtype=int)
    s = 0.0
    for i in range(3):
        index[0] = i
        s = s + np.sum(x[index] * x[index]) * x[2]
    return s


@program(array(4))
def constant_array_changes(x):
    k = np.ones(4)
    s = np.sum(x * k)
    k[1] = 3.0
    s = s * np.sum(x * k)
    k *= 2
    return s * np.sum(x * k)


@program(array(4))
def constant_array_changes_in_a_loop(x):
    k = np.ones(4)
    s = 1.0
    for i in range(3):
        k[i] = 0.5
        s = s * np.sum(x * k)
    return s


@program(array(1, 3), array(3, 1))
def sizes_of_one(x, y):
    z = x * y
    z[0] = x[0] * y[0]
    z[:, :1] = y
    z[1:2] = x
    return np.sum(z * z)


@program(array(1))
def array_of_one(x):
    y = np.zeros(1)
    y[0] = x[0] * x[0]
    y[0] = y[0] * x[0]
    return y * x


@program(array(3), 2.0)
def number_is_broadcast_into_an_array(x, k):
    x[:] = k
    return np.sum(x * k)


@program(array(4, dtype=np.float32))
def float32_array(x):
    y = np.zeros(4, dtype=np.float32)
    for i in range(4):
        y[i] = x[i] * x[i] * 2.5
    return np.sum(y * x)


@program(array(4, dtype=np.float32), 1.5)
def float32_array_and_float(x, k):
    y = x * k
    y *= 2.0
    y[0] = k
    return np.sum(y * y)


@program(array(4))
def view_is_made_anew_after_a_change(x):
    y = x * 2
    z = y[:2]
    y[0] = 7.0
    return np.sum(z * z * x[:2])


@program(array(4))
def view_by_a_branch_before_a_change(x):
    y = x * 2
    z = y[:2] if x[0] > 0 else y[2:]
    s = np.sum(z * z)
    y[0] = 7.0
    return s * np.sum(y)


@program(array(3))
def array_in_a_list_is_changed(x):
    xs = [x * 1.0, x * 2.0]
    xs[0][1] = 9.0
    xs[1] += x
    a, b = xs
    return np.sum(a * b)


@program(array(3))
def array_twice_in_a_list_is_changed(x):
    a = x * 1.0
    xs = [a, a]
    xs[0][1] = 9.0
    return np.sum(xs[1] * a * x)


@program(array(3))
def array_in_a_tuple_and_a_dict_is_changed(x):
    a = x * 1.0
    t = (a, {"a": a, "b": x * 2})
    t[0][1] = 9.0
    b = t[1]["a"]
    b += 1
    return np.sum(a * t[1]["b"] * t[0])


@program(array(3))
def array_in_a_dict_has_another_name(x):
    d = {"a": x * 1.0}
    w = d["a"]
    d["a"] *= 2
    return np.sum(w * d["a"])


@program(array(3))
def array_in_a_dict_is_replaced(x):
    d = {"a": x * 1.0}
    w = d["a"]
    d["a"] = d["a"] * 2
    return np.sum(w * d["a"])


@program(array(3))
def helper_returns_its_argument(x):
    def same(a):
        return a

    y = x * 2
    z = same(y)
    z[0] = 3.0
    return np.sum(y * x)


@program(array(3))
def helper_changes_what_an_augmented_element_reads(x):
    y = x * 1.0

    def change():
        y[0] = 5.0
        return 1.0

    y[0] += change()
    return np.sum(y * x)


@program(array(3))
def rows_are_swapped(x):
    a = np.outer(x, x)
    a[[0, 1]] = a[[1, 0]]
    return np.sum(a * x)


@program(array(3))
def chained_names_one_changed(x):
    a = b = c = x * 1.0
    a += 1
    b = b * 2
    return np.sum(a * b * c)


@program(array(3))
def integer_array_as_index_is_filled(x):
    k = np.zeros(3, dtype=int)
    for i in range(3):
        k[i] = i * 2 % 3
    return np.sum(x[k] * x)


@program(array(3))
def shuffled_weights(x):
    k = np.ones(3)
    s = np.sum(x * k)
    np.random.default_rng(0).shuffle(k)
    k[0] = 5.0
    return s * np.sum(x * k)


@program(array(3))
def cotangent_is_a_value_that_is_kept(x):
    w = x * 1.0
    z = np.exp(x)
    s = np.sum(np.sin(w)) + np.sum(z * z) + np.sum(w * z)
    w[0] = 5.0
    return s + np.sum(w)


@program(array(3))
def cotangent_of_a_loop_is_a_value_that_is_kept(x):
    c = np.cos(x)
    d = x
    xs = [x * 2.0]
    for _ in range(4):
        d = xs[-1]
        d *= 0.9
    return np.sum(c) + np.sum(xs[0] * xs[0]) + np.sum(d * x)


@program(array(3))
def cotangents_of_nested_loops_are_values_that_are_kept(x):
    a, b, c, d = x * 1.0, x + 0.5, np.cos(x), x
    held = x * 2.0
    for _ in range(2):
        a = held
        b = c[::-1]
        a *= 0.9
        for _ in range(2):
            d = np.sin(b)
            a, b = c, d
    return np.sum(a * b) + np.sum(d * x)


@program(array(3))
def cotangents_of_a_loop_are_equal(x):
    s = 0.0
    a, b, c, d = x * 1.0, x + 0.5, np.cos(x), x
    for _ in range(2):
        d, b = a, b
    for _ in range(2):
        s += np.sum(b * a)
        s += np.sum(c * b)
        c = np.sin(d)
        a = b
    return s


def multiples(x):
    found = []
    for k in range(3):
        found.append(x * (k + 1.0))
    return found


@program(array(3))
def list_of_arrays_summed_into_one_that_changes(x):
    total = np.zeros(3)
    for h in multiples(x):
        total += h
        total[0] *= 2.0
    return np.sum(total * x)


@program(array(3))
def arrays_taken_from_a_list_into_one_that_changes(x):
    hs = multiples(x)
    total = np.zeros(3)
    for _ in range(3):
        total[0] *= 2.0
        total += hs.pop()
    total[1] *= x[0]
    return np.sum(total * x)


@program(array(3))
def parts_of_arrays_taken_from_a_list(x):
    hs = multiples(x)
    total = x * 2.0
    while hs:
        total[1:] += hs.pop()[1:]
        total[1] *= 2.0
    total[0] *= x[1]
    return np.sum(total * x)


@program(array(3))
def pairs_of_arrays_summed_into_one_that_changes(x):
    pairs = []
    for k in range(3):
        pairs.append((x * (k + 1.0), x * x))
    total = np.zeros(3)
    for a, b in pairs:
        total += a
        total[0] *= 2.0
        total += b
        total[1] *= 3.0
    total[2] *= 5.0
    return np.sum(total * x)


@program(array(3), 3)
def exchanged_buffers_of_which_copies_are_kept(x, n):
    now, after = x.copy(), np.zeros_like(x)
    seen = []
    for _ in range(n):
        for i in range(len(now)):
            after[i] = now[i - 1] * now[i]
        now, after = after, now
        seen.append(now.copy())
    return np.sum(now * after) + sum(np.sum(h * h) for h in seen)


@program(array(3))
def copy_of_one_that_changes_is_handed_on(x):
    a, b, c = x * 1.0, np.cos(x), x - 0.3
    for _ in range(2):
        a, b = b, a
        c[0] *= 0.2
        b = c.copy()
    return np.sum(a * b)


@program(array(3))
def local_function_appends(x):
    squares = []

    def add(v):
        squares.append(v * v)

    for v in x:
        add(v)
    return sum(squares) * squares[0]


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)
