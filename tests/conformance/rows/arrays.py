"""Stores into arrays, views, aliases, buffers."""

from types import SimpleNamespace

import numpy as np
from support.programs import array

from ..table import category, made

row = category("Mutation and aliasing of arrays")


@row("`x[i] = v`", array(4))
def element_store(x):
    y = np.zeros(4)
    for i in range(4):
        y[i] = x[i] * x[i - 1]
    return np.sum(y * y)


@row("`x[i] = v` overwrites an argument", array(4))
def overwrites_argument(x):
    y = x * x
    x[1] = x[0] * x[2]
    return np.sum(x * y)


@row("`x[i] += v`, `-=`, `*=`, `/=`, `**=`", array(4))
def augmented_elements(x):
    y = np.ones(4)
    y[0] += x[0]
    y[1] -= x[1] * x[0]
    y[2] *= x[2]
    y[3] /= 1.0 + x[3] ** 2
    y[0] **= 2
    return np.sum(y * x)


@row("a store of an element that is read before and after", array(3))
def read_before_and_after(x):
    a = x[0] * x[0]
    x[0] = np.sin(x[1])
    return a * x[0] + x[0] ** 2


@row("`m[i, j] = v`, two loops", array(3, 3))
def matrix_elements(m):
    out = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = m[i, j] * m[j, i]
    return np.sum(np.sin(out))


@row("Gauss-Seidel: elements read before and after they change", array(5))
def gauss_seidel(x):
    for _ in range(3):
        for i in range(1, 4):
            x[i] = 0.5 * (x[i - 1] + x[i + 1]) + 0.1 * x[i] ** 2
    return np.sum(x * x)


@row("elimination in place, rows and columns", array(3, 3))
def eliminates(a):
    a += 5.0 * np.eye(3)
    for k in range(3):
        for i in range(k + 1, 3):
            a[i, k] /= a[k, k]
            a[i, k + 1 :] -= a[i, k] * a[k, k + 1 :]
    return np.sum(np.log(np.abs(np.diag(a))))


@row("slice stores", array(5))
def slice_stores(x):
    y = np.zeros(5)
    y[1:3] = x[:2] ** 2
    y[::-2] += x[::2]
    y[-1:] *= x[1]
    y[:] = y * x
    return np.sum(y)


@row("overlapping slices of one array", array(5))
def overlapping_slices(x):
    x[1:] = x[:-1] * 2.0
    x[:-1] += x[1:]
    return np.sum(x * x)


@row("a store of a number into a slice, a store that broadcasts", array(3))
def broadcast_stores(x):
    y = np.zeros((2, 3))
    y[0] = x
    y[:, 1] = x[2] ** 2
    y[1:] += x
    y[...] = y * 2.0
    return np.sum(y * y)


@row("fancy stores", array(5))
def fancy_stores(x):
    y = np.zeros(5)
    y[[0, 3]] = x[:2] ** 2
    y[np.array([1, 2])] += x[3:]
    return np.sum(y * x)


@row("fancy stores with a repeated index", array(3))
def repeated_index(x):
    y = np.zeros(3)
    y[[0, 0, 1]] = x * x
    y[[1, 1, 2]] += x
    return np.sum(y * y)


@row("boolean stores", array(5))
def boolean_stores(x):
    y = x * 2.0
    y[x > 0] = 1.5
    y[y < -0.5] *= x[0]
    y[np.isnan(y)] = 0.0
    return np.sum(y * x)


@row("boolean stores of active values", array(5))
def boolean_stores_of_values(x):
    y = np.zeros(5)
    mask = x > 0
    y[mask] = x[mask] ** 2
    y[~mask] = np.exp(x[~mask])
    return np.sum(y * y)


@row("`x += v` on an array", array(3))
def array_in_place(x):
    y = x.copy()
    y += x * x
    y *= np.sin(x)
    y -= 0.5
    y /= 2.0 + x**2
    y **= 2
    return np.sum(y)


@row("`x += v` on an argument", array(3), array(3))
def argument_in_place(x, v):
    x += v * v
    x *= v
    return np.sum(x * x)


@row("`y = x; y *= 2`: two names of one array", array(3))
def two_names(x):
    y = x
    y *= 2.0
    y[0] = x[1] ** 2
    return np.sum(x * x)


@row("`row = A[i]; row += v`: a view is changed", array(2, 3))
def changed_row(a):
    row = a[1]
    row += a[0] ** 2
    row[0] = row[1] * row[2]
    return np.sum(a * a)


@row("a view changed in a loop", array(3, 2))
def changed_rows(a):
    for i in range(1, 3):
        row = a[i]
        row += 0.5 * a[i - 1]
        row *= row[0]
    return np.sum(a * a)


@row("`for row in A: row *= 2`", array(3, 2))
def changed_by_the_loop(a):
    for row in a:
        row *= row[1]
        row[0] += 1.0
    return np.sum(a * a)


@row("the array is changed, the view is read", array(4))
def view_sees_the_change(x):
    tail = x[2:]
    x[3] = x[0] * x[1]
    x *= 2.0
    return np.sum(tail**3)


@row("a view of a view", array(3, 4))
def view_of_a_view(a):
    block = a[1:, 1:]
    column = block[:, 0]
    column *= a[0, 0]
    block[0, 0] += 1.0
    return np.sum(a * a)


@row("transposed, reversed, reshaped and flattened views", array(2, 3))
def other_views(a):
    a.T[2, 1] = a[0, 0] ** 2
    a[::-1][0] *= 2.0
    a.reshape(6)[1] = a[1, 1]
    a.ravel()[2] += a[0, 1]
    a.reshape(-1)[::2] *= 1.5
    a.flat[3] = a[0, 0]
    return np.sum(a * a)


@row("`np.diagonal`-like views by strides and `einsum` views", array(3, 3))
def diagonal_views(a):
    d = np.einsum("ii->i", a)
    d *= 2.0
    a.ravel()[:: 3 + 1] += 1.0
    return np.sum(a**3)


@row("a view returned by a helper", array(2, 3))
def helper_returns_a_view(a):
    def second(m):
        return m[1]

    row = second(a)
    row *= a[0]
    return np.sum(a * a)


@row("a helper that changes a view of its argument", array(3, 2))
def helper_changes_a_view(a):
    def scale(row, k):
        row *= k

    for i in range(3):
        scale(a[i], a[0, 1])
    return np.sum(a * a)


@row("a view or a copy, depending on the layout", array(2, 2))
def view_or_copy(x):
    flat = x.reshape(4)
    x[0, 0] = 3.0
    return np.sum(flat * flat)


@row("a view or a copy, depending on a branch", array(4), True)
def view_or_copy_by_a_flag(x, shared):
    y = x[1:] if shared else x[1:].copy()
    x *= 2.0
    return np.sum(y * y)


@row("a view or a copy, depending on values", array(4))
def view_or_copy_by_value(x):
    y = x[1:] if x[0] > 0 else x[1:].copy()
    x *= 2.0
    y[0] = 1.0
    return np.sum(y * y) + np.sum(x)


@row("one of two arrays is changed, which depends on values", array(3), array(3))
def one_of_two(x, y):
    z = x if x[0] > y[0] else y
    z *= 2.0
    z[1] = x[2] * y[2]
    return np.sum(x * x) + np.sum(y**3)


@row("swapped buffers, `a, b = b, a`", array(4))
def swapped_buffers(u):
    a, b = u.copy(), np.zeros(4)
    for _ in range(3):
        for i in range(4):
            b[i] = 0.5 * a[i] + 0.25 * (a[i - 1] + a[(i + 1) % 4]) ** 2
        a, b = b, a
    return np.sum(a * b)


@row("swapped buffers with whole-array stores", array(4))
def swapped_whole_buffers(u):
    a, b = u, np.zeros(4)
    for _ in range(3):
        b[1:-1] = a[1:-1] + 0.1 * (a[2:] - 2 * a[1:-1] + a[:-2])
        b[0], b[-1] = a[0], a[-1] * a[0]
        a, b = b, a
    return np.sum(a * a)


@row("a buffer reused over iterations", array(4))
def reused_buffer(x):
    buffer = np.zeros(4)
    total = 0.0
    for k in range(3):
        buffer[:] = x * (k + 1)
        buffer *= buffer
        total += np.sum(np.sin(buffer))
    return total


@row("arrays appended to a list while a buffer is reused", array(3))
def appended_buffer(x):
    history = []
    state = x.copy()
    for _ in range(3):
        state *= np.cos(state)
        history.append(state.copy())
        history.append(state)
    return np.sum(history[0] * history[1]) + np.sum(history[2])


@row("`out=`", array(3))
def out_argument(x):
    y = np.empty(3)
    np.multiply(x, x, out=y)
    np.sin(y, out=y)
    np.add(y, x, y)
    z = np.exp(x, out=np.zeros(3))
    return np.sum(y * z)


@row("`out=` of reductions and matrix products", array(2, 2))
def out_of_reductions(m):
    y = np.zeros(2)
    p = np.zeros((2, 2))
    np.sum(m * m, axis=0, out=y)
    np.matmul(m, m, out=p)
    np.dot(p, m, out=m)
    return np.sum(y) * np.sum(p * m)


@row("`where=` of ufuncs", array(4))
def where_argument(x):
    y = np.zeros(4)
    np.square(x, out=y, where=x > 0)
    np.add(y, x, out=y, where=np.array([True, False, True, False]))
    return np.sum(y * x)


@row("`np.copyto`, `np.put`, `np.place`, `np.putmask`, `np.fill_diagonal`", array(4))
def stores_by_functions(x):
    y = np.zeros(4)
    np.copyto(y, x)
    np.put(y, [1, 2], x[:2] ** 2)
    np.putmask(y, y > 1.0, x)
    np.place(y, y < -1.0, [x[0] * 2.0])
    m = np.ones((4, 4)) * x
    np.fill_diagonal(m, x * x)
    return np.sum(m @ y)


@row("`np.copyto` with `where=`", array(4))
def copyto_where(x):
    y = x * x
    np.copyto(y, x, where=x > 0)
    return np.sum(y * y)


@row("`np.add.at`, `np.subtract.at`", array(4))
def ufunc_at(x):
    y = np.zeros(3)
    np.add.at(y, [0, 1, 1, 2], x * x)
    np.subtract.at(y, [0, 0], x[:2])
    return np.sum(y * y)


@row("`np.multiply.at` and others", array(4))
def other_ufuncs_at(x):
    y = x * x
    np.multiply.at(y, [0, 1, 1, 2], x)
    np.negative.at(y, [0, 0, 3])
    return np.sum(y * y)


@row("`fill`, `sort`, `partition`, `put`, `itemset`-like methods that change an array", array(5))
def changing_methods(x):
    y = x.copy()
    y.sort()
    z = np.zeros(5)
    z.fill(x[0] ** 2)
    z.put([1, 3], x[1])
    return np.sum(y * np.arange(5) * z)


@row("`sort` of an argument, of rows", array(2, 3))
def sorts_rows(a):
    a.sort(axis=1)
    a[::-1].sort(axis=0)
    return np.sum(a * np.arange(6.0).reshape(2, 3) * a)


@row("`resize`-like changes of `shape`", array(2, 3))
def assigns_shape(a):
    b = a.copy()
    b.shape = (3, 2)
    return np.sum(b[:, 0] * b[:, 1])


@row.refused(
    "`x.real`, `x.imag` of a complex array that is stored to",
    array(3),
    says="complex part",
    instead="`z = re + 1j * im`",
)
def complex_parts_stored(x):
    z = np.zeros(3, complex)
    z.real = x
    z.imag[:] = x * x
    return np.sum(np.abs(z) ** 2)


@row("an array reached through a list, a dict and an attribute", array(3))
def reached_through_containers(x):
    state = SimpleNamespace(u=x, parts={"v": np.zeros(3)}, all=[x])
    state.u[0] = 2.0 * x[1]
    state.parts["v"][:] = state.u**2
    state.all[0] *= state.parts["v"]
    state.u += 1.0
    return np.sum(x * state.parts["v"])


def grid(n):
    return SimpleNamespace(u=np.linspace(0.0, 1.0, n), steps=0)


@row("an array of an argument's attribute is changed", made(grid, 4), 0.7, wrt=(1,))
def changes_an_attribute_array(g, k):
    for i in range(1, 4):
        g.u[i] += k * g.u[i - 1]
        g.steps += 1
    return np.sum(g.u**2) * g.steps


@row("one array under two keys", {"w": array(3)})
def tied_weights(params):
    tied = {"a": params["w"], "b": params["w"]}
    tied["a"] *= 2.0
    tied["b"][0] = tied["a"][1]
    return np.sum(params["w"] ** 3)


@row("an array that a closure changes", array(3))
def closure_changes_array(x):
    total = np.zeros(3)

    def add(v):
        total[:] += v * v

    add(x)
    add(2.0 * x)
    return np.sum(total * x)


SCRATCH = np.zeros(3)


def clear_scratch():
    SCRATCH[:] = 0.0


@row("an array of the module that is changed", array(3), reset=clear_scratch)
def changes_a_global_array(x):
    SCRATCH[:] = x * x
    SCRATCH[0] += x[1]
    return np.sum(SCRATCH * x)


@row("`copy`, `np.copy`, `np.array` make arrays of their own", array(3))
def copies(x):
    a, b, c = x.copy(), np.copy(x), np.array(x)
    x *= 2.0
    a[0] = 1.0
    return np.sum(a * b * c * x)


@row("`np.asarray`, `np.atleast_1d`, `np.squeeze` share memory", array(3))
def shares_memory(x):
    y = np.asarray(x)
    z = np.atleast_1d(x)
    w = np.squeeze(x[None])
    y[0] = x[1] ** 2
    z[1] *= 2.0
    w[2] += 1.0
    return np.sum(x * x)


@row(
    "`np.broadcast_to`, `np.swapaxes`, `np.moveaxis` views that are read after a store", array(2, 3)
)
def views_by_functions(a):
    wide = np.broadcast_to(a[0], (2, 3))
    swapped = np.swapaxes(a, 0, 1)
    moved = np.moveaxis(a, 0, -1)
    a[0, 1] = a[1, 2] ** 2
    return np.sum(wide * a) + np.sum(swapped * moved)


@row("views from `np.split`, `x[None]`, `np.nditer`-free unpacking", array(4))
def views_from_split(x):
    left, right = np.split(x, 2)
    left *= right
    first, *_ = x[None]
    first[3] = 2.0 * left[0]
    return np.sum(x * x)


@row(
    "a sliding window view",
    array(5),
)
def sliding_window(x):
    windows = np.lib.stride_tricks.sliding_window_view(x, 3)
    return np.sum(np.prod(windows, axis=1))


@row("the store casts: float64 into float32, active into an integer array", array(3))
def store_that_casts(x):
    y = np.zeros(3, int)
    y[:] = x * 10.0
    return np.sum(y * x)


@row("arrays that share memory as arguments, not changed", array(3))
def same_array_twice(x):
    def product(a, b):
        return np.sum(a * b**2)

    return product(x, x) + product(x[:2], x[1:])


@row("an array that holds its own history: `h = np.zeros((n, k)); h[t] = f(h[t - 1])`", array(2, 2))
def recurrent_states(w):
    h = np.zeros((4, 2))
    h[0] = 1.0
    for t in range(1, 4):
        h[t] = np.tanh(w @ h[t - 1])
    return np.sum(h[-1] * h[1])


@row("accumulation at computed positions", array(6))
def histogram(x):
    bins = np.zeros(3)
    for i in range(6):
        bins[i % 3] += x[i] ** 2
    return np.prod(bins)


@row("an insertion sort in place", array(5))
def insertion_sort(x):
    for i in range(1, len(x)):
        j = i
        while j > 0 and x[j - 1] > x[j]:
            x[j - 1], x[j] = x[j], x[j - 1]
            j -= 1
    return np.sum(x**2 * np.arange(5))


@row("rows swapped by fancy stores", array(3, 2))
def swaps_rows(a):
    a[[0, 2]] = a[[2, 0]]
    a[1], a[0] = a[0].copy(), a[1].copy()
    return np.sum(a[0] ** 2 * a[2])


@row("a swap of two views without copies: Python's own pitfall", array(2, 3))
def swaps_views(a):
    a[0], a[1] = a[1], a[0]
    return np.sum(a[0] * a[1] ** 2)


@row.refused(
    "an array of objects",
    0.7,
    says="object",
    instead="a list, or an array of numbers",
)
def array_of_objects(x):
    cells = np.array([x, None], dtype=object)
    cells[1] = x * x
    return cells[0] * cells[1]


@row.no_effect("the bits of an array under an integer dtype, `x.view(int)`", array(3))
def other_dtype(x):
    return float(np.sum(x.view(np.int64) >> 60)) * x[0]


@row("a list as an operand, taken for an array and broadcast", array(2, 3))
def lists_as_operands(x):
    y = x * [x[0, 0]] + [x[0], x[1]]
    y[0] += [x[0, 1]]
    y[1] = [x[1, 1]]
    y = np.where(y > 0, y, (x[0, 0], 1.0, x[1, 2]))
    return np.sum(np.arctan2([x[0, 0]], [2.0, 3.0])) + np.sum(np.multiply([x[0]], [x[0], x[1]]) * y)


@row("a function that changes a view which has no name", array(2, 3))
def nameless_view_is_changed(x):
    def halve(part):
        part *= 0.5

    y = x * x
    halve(np.transpose(y))
    halve(y[1])
    halve(y.T)
    return np.sum(y * x)
