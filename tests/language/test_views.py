"""Views of arrays: what is stored through them changes the array, and its derivative."""

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad

programs = []
program = table(programs)


@program(array(3, 4), array(4))
def store_through_a_row(m, r):
    a = m * 1.0
    row = a[1]
    row[2] = r[0] * r[1]
    row[0] += row[2] * r[2]
    return np.sum(a * a * m)


@program(array(3, 4), array(4))
def row_changed_as_a_whole(m, r):
    a = m * 1.0
    row = a[1]
    row += r
    row *= r
    s = np.sum(row * row)
    row[:] = r
    row /= r + 3
    row -= a[0]
    row **= 2
    return np.sum(a * a * m) + s


@program(array(3, 4), array(4))
def rows_in_a_loop(m, r):
    a = m * 1.0
    for i in range(3):
        row = a[i]
        row += r
        row *= r
    return np.sum(a * a * m)


@program(array(3, 4), array(4))
def row_made_before_the_loop(m, r):
    a = m * 1.0
    row = a[0]
    for j in range(1, 4):
        row[j] = row[j - 1] * r[j]
    return np.sum(a * a * m)


@program(array(3, 4), array(4))
def loop_over_rows_that_change(m, r):
    for row in m:
        row *= r
        row[0] += row[1]
    return np.sum(m * m)


@program(array(4))
def loop_over_elements_that_change(x):
    for i, v in enumerate(x):
        x[i] = v * v
        x[3] = x[3] * v
    return np.sum(x)


@program(array(3, 4), array(4))
def loop_over_rows_of_an_array_that_changes(m, r):
    for i, (row, k) in enumerate(zip(m, r)):
        row[i] = k * row[0]
        m[0] *= row
    return np.sum(m * m)


@program(array(3, 4), array(3, 4))
def loop_over_rows_of_two_arrays(a, b):
    for p, q in zip(a, b):
        p -= 0.1 * q
        q *= p
    return np.sum(a * b)


@program(array(3, 4), 3)
def row_that_is_stepped_in_a_while_loop(m, n):
    a = m * m + 1.0
    i = 0
    while i < n:
        row = a[i]
        row /= row[0]
        a[i:] -= 0.5 * row
        i += 1
    return np.sum(a * m)


@program(array(3, 4), array(3))
def transposed(m, c):
    m.T[0] += c
    m.T[1:3, 2] *= c[:2]
    t = m.T
    t[3] = c * c
    np.transpose(m)[2][0] = c[1]
    return np.sum(m * t.T)


@program(array(2, 3, 4), array(2, 3))
def axes_moved(m, c):
    m.swapaxes(0, 2)[1] *= c.T
    np.moveaxis(m, -1, 0)[3] += c
    m[:, None, :, 2][:, 0] -= c
    np.squeeze(m[:, :1])[1] = 0.5
    m[::-1, :, 1] *= c
    np.flip(m, 2)[0, 0, 1:] = c[0, 0]
    return np.sum(m * m)


@program(array(4, 4), array(4))
def views_of_views(m, r):
    part = m[1:]
    part[0] *= r
    inner = part[:, 2]
    inner[1] = r[0] * m[0, 0]
    part[1:][0] += inner[0]
    m[1:][:, ::2][0, 1] = r[3] * inner[2]
    return np.sum(m * m * part[0])


@program(array(5))
def overlapping_views(x):
    y = x * 1.0
    y[1:] = y[:-1]
    y[1:] += y[:-1]
    y[:-1] *= y[1:]
    y[::-1] += y * x
    y[:] = y[::-1]
    return np.sum(y * x)


@program(array(5))
def view_of_the_whole(x):
    y = x * 1.0
    all_of_it = y[:]
    reverse = all_of_it[::-1]
    all_of_it *= x
    reverse[0] = all_of_it[0] * 2
    y += reverse
    return np.sum(all_of_it * reverse * x)


@program(array(3, 4))
def views_that_overlap(m):
    a = m * 1.0
    upper, lower = a[:2], a[1:]
    upper *= lower
    lower[0] += upper[0]
    s = np.sum(upper * lower)
    lower -= m[1:]
    return s + np.sum(upper * a[1:])


@program(array(3, 4))
def view_read_before_and_after_its_array_changes(m):
    a = m * 1.0
    row = a[0]
    s = np.sum(row * row)
    a *= 2
    t = np.sum(row * row * row)
    a[0, 1] = s
    return t * np.sum(row)


@program(array(3, 4))
def view_of_what_another_view_changes(m):
    a = m * 1.0
    row, column = a[1], a[:, 2]
    row *= m[0]
    s = np.sum(column * column)
    column += s
    return np.sum(row * m[2])


@program(array(3, 4), array(4))
def value_needed_after_it_is_overwritten(m, r):
    a = np.sin(m)
    row = a[1]
    p = np.exp(row) * r
    q = row * row
    row[1:] = p[:3]
    row *= q
    return np.sum(p * q) + np.sum(a)


@program(array(3, 4), array(4))
def view_returned_by_a_helper(m, r):
    def first(a):
        return a[0]

    a = m * 1.0
    v = first(a)
    v[:] = r * v
    a[1] = v
    v *= 2
    first(a.T)[1] = r[2]
    return np.sum(a * a)


@program(array(3, 4), array(4))
def helper_changes_the_view_that_it_is_given(m, r):
    def scale(v, k):
        v *= k
        v[0] = k[1]
        return v

    a = m * 1.0
    s = np.sum(scale(a[2], r) * r)
    scale(a[:, 1:3].T[0], r[:3])
    return s * np.sum(a * a)


@program(array(3, 4))
def views_in_containers(m):
    a = m * 1.0
    rows = [a[0], a[1]]
    pair = (a[2], {"part": a[:, 1]})
    for row in rows:
        row *= 2
    rows[0] += pair[0]
    pair[1]["part"][1] = 3.0
    return np.sum(a * a) + np.sum(rows[1] * pair[0])


@program({"w": array(3, 2), "b": array(2)}, array(3))
def gradient_descent_in_place(p, x):
    for _ in range(3):
        error = x @ p["w"] + p["b"]
        p["w"] -= 0.1 * np.outer(x, error)
        p["b"][1:] -= 0.1 * error[1:]
        for name in p:
            p[name] *= 0.9
    return np.sum(p["w"]) * np.sum(p["b"] ** 2)


@program([array(3), array(2)], [array(3), array(2)])
def list_of_arrays_changed_in_place(params, steps):
    for p, d in zip(params, steps):
        p -= 0.1 * d * p
        d[0] = p[1]
    return np.sum(params[0] * steps[0]) + np.sum(params[1] * steps[1])


@program(array(3, 4), array(4))
def branch_that_changes_a_view(m, r):
    a = m * 1.0
    row = a[1]
    if r[0] > 0:
        row *= r
    else:
        row[2] = r[1]
        a[0] = row
    return np.sum(a * m * row)


@program(array(3, 4), array(4))
def view_changed_on_one_path_of_a_loop(m, r):
    a = m * 1.0
    row = a[0]
    for i in range(3):
        if m[i, 0] > 0:
            row *= r
            continue
        if i == 2:
            break
        a[i] += row
    return np.sum(a * a)


@program(array(3, 4))
def constants_through_a_view(m):
    a = m * m
    s = np.sum(a[1] ** 2)
    row = a[1]
    row[:] = 0.0
    row[1:3] = 2.0
    return s * np.sum(a * m)


@program(array(4))
def constant_array_filled_through_a_view(x):
    k = np.zeros((2, 4))
    row = k[1]
    s = 1.0
    for i in range(4):
        row[i] = i
        s = s * np.sum(k[1] * x + 1)
    return s


@program(array(3, 4, dtype=np.float32), array(4))
def float64_into_a_view_of_float32(m, r):
    row = m[1]
    row *= r
    row[0] = r[1] * 2
    m[:, 1:][0] += r[:3]
    return np.sum(m * m)


@program(array(3, 4), array(4))
def argument_changed_through_a_view(m, r):
    m[0][:] = r
    m[1][...] = m[0] * m[2]
    m[:2, 1:][0, 1:] = r[2:]
    r[2:] = m[1, 1:3]
    return np.sum(m * r)


@program(array(5, 4))
def gauss_elimination_by_rows(m):
    a = m @ m.T + 5 * np.eye(5)
    for k in range(5):
        pivot = a[k]
        for i in range(k + 1, 5):
            row = a[i]
            row[k:] -= row[k] / pivot[k] * pivot[k:]
    return np.sum(np.log(np.abs(np.diagonal(a))))


@program(array(4))
def buffers_swapped(x):
    a, b = x * 1.0, np.zeros(4)
    for _ in range(3):
        for i in range(4):
            b[i] = a[i] * a[(i + 1) % 4]
        a, b = b, a
    return np.sum(a * x)


@program(array(6))
def buffers_swapped_by_slices(x):
    u, v = x.copy(), x.copy()
    for _ in range(4):
        v[1:-1] = u[1:-1] + 0.1 * (u[:-2] - 2 * u[1:-1] + u[2:]) * u[1:-1]
        u, v = v, u
    return np.sum(u * v)


@program(array(4))
def three_buffers_in_turn(x):
    u, v, w = x * 1.0, np.zeros(4), x * 2
    for _ in range(4):
        v[:] = u * w
        w *= u
        u[0] = v[1]
        u, v, w = w, u, v
    return np.sum(u * v * w)


@program(array(4))
def buffers_swapped_by_a_branch(x):
    a, b = x * 1.0, x * 2.0
    if x[0] > 0:
        a, b = b, a
    a[0] = b[1]
    for i in range(4):
        if x[i] > 0:
            a, b = b, a
        a[i] *= b[0]
    return np.sum(a * b * x)


@program(array(4))
def latest_two_arrays(x):
    previous, current = x * 1.0, x * 2.0
    for _ in range(3):
        after = previous * current
        previous, current = current, after
        previous[0] = x[1]
    return np.sum(previous * current)


@program(array(4), array(3, 4))
def buffer_for_products(x, m):
    buffer = np.zeros(4)
    s = 0.0
    for row in m:
        np.multiply(row, x, out=buffer)
        buffer += row
        s = s + np.sum(buffer * buffer)
    return s


@program(array(4))
def name_bound_to_a_new_array_in_a_loop_that_changes_it(x):
    a = x * 1.0
    s = 0.0
    for i in range(3):
        a[0] = a[i] * 2
        s = s + np.sum(a)
        a = a * x
        a += 1
    return s + np.sum(a)


@program(array(4))
def argument_bound_anew_in_a_loop_that_changes_it(x):
    for i in range(3):
        x[i] = x[i + 1] * 2
        x = x * 1.5
    return np.sum(x * x)


@program(array(4))
def view_and_array_under_one_name(x):
    y = x * 1.0
    row = y[:2]
    for i in range(3):
        row[0] = x[i]
        row = row * 2
    return np.sum(row)


@program(array(3))
def view_of_a_view_read_in_a_loop(x):
    a = np.ones((3, 4)) * x[0]
    t = a.T
    total = 0.0
    for i in range(4):
        total = total + t[i][2] * x[1]
    return total * t[1, 0]


@program(array(3))
def view_of_a_view_read_in_a_branch(x):
    a = np.ones((3, 4))
    a[2, 1] = x[0] * x[1]
    t = a.T
    total = x[2]
    if x[2] * x[2] > 0:
        total = total + t[1][2] * 2
    return total * t[1, 2]


@program(array(3))
def view_of_a_view_read_in_a_nested_loop(x):
    t = (np.ones((3, 4)) * x[0]).T
    total = 0.0
    for i in range(2):
        u = t[i:]
        for j in range(2):
            total = total + u[j][1] * x[2]
    return total * t[1, 0]


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


def printed(fn, *args, **options):
    """The lines of a derivative, without its docstring and imports."""
    lines = ad.source(fn, *args, **options).splitlines()
    start = next(i for i, line in enumerate(lines) if '"""' in line)
    return [line.strip() for line in lines[start + 1 :] if line.strip()]


def test_a_change_through_a_view_is_undone_through_the_view_of_the_cotangent():
    def scaled(m, r):
        a = m * 1.0
        for i in range(3):
            row = a[i]
            row += r
            row *= r
        return np.sum(a)

    assert printed(scaled, np.ones((3, 4)), np.ones(4)) == [
        "a = m * 1.0",
        "steps = range(3)",
        "for i in steps:",
        "row = a[i]",
        "row += r",
        "row *= r",
        "# row = a[i]",
        "d_a = np.full_like(a, 1.0)",
        "# for i in range(3):",
        "for i in reversed(steps):",
        "# row *= r",
        "d_row = d_a[i]",
        "d_row *= r",
        "return d_a",
    ]


def test_a_store_into_a_row_costs_one_element():
    def filled(m, r):
        row = m[0]
        for j in range(1, 4):
            row[j] = row[j - 1] * r[j]
        return np.sum(m)

    text = "\n".join(printed(filled, np.ones((3, 4)), np.ones(4)))
    assert "d_row[j - 1] += d_prod * r_j" in text
    assert "zeros" not in text and "copy" not in text


def test_parts_are_changed_where_they_are():
    def parts(x):
        x[1:] *= 2
        x[:-1] += x[1:]
        return np.sum(x)

    text = printed(parts, np.ones(4))
    assert text[:2] == ["x[1:] *= 2", "x[:-1] += x[1:]"]
