"""Containers of parameters, local lists and dicts, comprehensions."""

# ruff: noqa: B007, C409, C419

import collections
import math

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad
from adjoint import forms

programs = []
program = table(programs)

Layer = collections.namedtuple("Layer", "w b")


@program((array(2), array(2)))
def tuple_argument(p):
    a, b = p
    return np.sum(a * b * p[0])


@program([array(2), 1.5])
def list_argument(p):
    return np.sum(p[0]) * p[1] + p[-1]


@program({"w": array(3, 2), "b": array(2)}, array(4, 3))
def dict_argument(p, x):
    z = x @ p["w"] + p["b"]
    z = z - np.max(z, axis=1, keepdims=True)
    e = np.exp(z)
    s = e / np.sum(e, axis=1, keepdims=True)
    return -np.mean(np.log(s[np.arange(4), np.array([0, 1, 1, 0])]))


@program(Layer(array(2, 3), array(2)), array(3))
def namedtuple_argument(layer, x):
    w, _ = layer
    return np.sum((layer.w @ x + layer.b) ** 2) * w[0, 0]


@program({"enc": {"w": array(2), "n": 3}, "dec": [array(2), (array(2), 0.5)]})
def nested_containers(p):
    a = p["enc"]["w"] * p["enc"]["n"]
    b = p["dec"][0] * p["dec"][1][0]
    return np.sum(a * b) * p["dec"][1][1]


@program({"w": array(2), "name": "linear", "bias": None, "on": True})
def other_values_in_a_dict(p):
    s = np.sum(p["w"] ** 2)
    if p["name"] == "linear" and p["bias"] is None and p["on"]:
        s = s * 2
    return s


@program({"w": array(2), "unused": array(3)})
def unused_entry(p):
    return np.sum(p["w"] ** 2)


@program((array(2), array(2)))
def element_used_many_times(p):
    s = 0.0
    for i in range(3):
        s = s + np.sum(p[0] * p[1]) * i
    return s * np.sum(p[0])


@program([1.0, 2.0, 3.0])
def list_of_numbers_by_index(p):
    s = 0.0
    for i in range(3):
        s = s + p[i] * p[i - 1]
    return s


@program([array(2), array(2), array(2)])
def list_of_arrays_by_index(p):
    s = 0.0
    for i in range(3):
        s = s + np.sum(p[i] * p[2 - i])
    return s


@program([array(2), array(3)])
def list_of_different_arrays_by_index(p):
    s = 0.0
    for i in range(2):
        s = s + np.sum(p[i] ** 2) * (i + 1)
    return s


@program([array(2), array(2), array(2)])
def list_argument_as_an_array(p):
    return np.sum(np.array(p) ** 2) + np.sum(np.stack(p) * np.concatenate(p).reshape(3, 2))


@program((1.0, 2.0, 3.0))
def tuple_argument_as_an_array(p):
    return np.sum(np.array(p) ** 3)


@program([1.0, 2.0, 3.0])
def list_argument_unpacked(p):
    a, *rest = p
    return a * rest[0] + sum(rest)


@program([1.0, 2.0, 3.0])
def list_argument_sliced(p):
    return sum(p[1:]) * p[:2][0] + max(p) * min(p[::-1])


@program({"a": 1.0, "b": 2.0})
def dict_methods(p):
    q = p.copy()
    s = 0.0
    for k in p.keys():
        s = s + p[k] * q[k]
    if "a" in p and "c" not in p:
        s = s * p.get("a") + p.get("c", 3.0)
    return s * len(p)


@program({"a": 1.0, "b": 2.0})
def dict_unpacked(p):
    q = {**p, "c": p["a"] * p["b"]}
    r = dict(q, b=5.0)
    return q["c"] * r["b"] * r["a"]


@program(array(4))
def local_list(x):
    xs = []
    s = 0.0
    for v in x:
        s = s + v * v
        xs.append(s)
    return xs[-1] * xs[0] + sum(xs)


@program(array(4))
def local_list_of_rows(x):
    rows = []
    for i in range(3):
        rows.append(x * i + x[0])
    return np.sum(np.stack(rows) ** 2) + np.sum(rows[1] * rows[2])


@program(array(4))
def local_list_grows_from_itself(x):
    xs = [x[0]]
    for i in range(4):
        xs.append(xs[-1] * x[i] + xs[0])
    return xs[4] * xs[2]


@program(array(4))
def local_list_by_index(x):
    xs = [v * v for v in x]
    s = 0.0
    for i in range(len(xs)):
        s = s + xs[i] * xs[i - 1]
    return s


@program(array(4))
def local_list_item_assignment(x):
    xs = [x[0], x[1], x[2] * 2]
    xs[1] = xs[0] * xs[2]
    xs[0] = xs[1] + xs[0]
    return xs[0] * xs[1] * xs[2]


@program(array(4))
def local_list_item_assignment_in_a_loop(x):
    xs = [0.0, 0.0, 0.0, 0.0]
    for i in range(4):
        xs[i] = x[i] * x[i]
    for i in range(3):
        xs[i + 1] = xs[i] * xs[i + 1]
    return xs[3] + xs[1]


@program(array(4))
def local_list_multiplied(x):
    xs = [0.0] * 4
    for i in range(4):
        xs[i] = x[i] * (xs[i - 1] + 1)
    return sum(xs)


@program(array(4), 4)
def local_list_of_unknown_length(x, n):
    xs = [1.0] * n
    for i in range(n):
        xs[i] = x[i] * xs[i - 1]
    return sum(xs)


@program(array(4))
def local_list_changed_after_use(x):
    xs = [x[0], x[1]]
    a = xs[0] * xs[1]
    xs[0] = a * a
    b = xs[0] * xs[1]
    xs[0] = 1.0
    return a * b + xs[0]


@program(array(4))
def local_list_changed_after_use_in_a_loop(x):
    xs = [x[0], x[1]]
    s = 0.0
    for i in range(4):
        s = s + xs[0] * xs[1]
        xs[i % 2] = s * x[i]
    return s


@program(array(4))
def local_list_two_names(x):
    xs = [x[0]]
    ys = xs
    ys.append(x[1])
    return xs[1] * xs[0] * len(xs)


@program(array(4))
def local_list_of_changed_arrays(x):
    xs = []
    y = x * 2
    for i in range(3):
        y = y * x
        xs.append(y)
    return np.sum(xs[0] * xs[2])


@program(array(4))
def nested_lists(x):
    m = [[x[0], x[1]], [x[2], x[3]]]
    return m[0][0] * m[1][1] - m[0][1] * m[1][0]


@program(array(3))
def nested_lists_by_loops(x):
    m = [[a * b for b in x] for a in x]
    s = 0.0
    for row in m:
        for v in row:
            s = s + v * row[0]
    return s


@program(array(3))
def nested_lists_item_assignment(x):
    m = [[0.0, 0.0], [0.0, 0.0]]
    m[0][1] = x[0] * x[1]
    m[1][0] = m[0][1] * x[2]
    return m[1][0] * m[0][1]


@program(array(4))
def comprehension(x):
    ys = [math.exp(v) * v for v in x]
    return np.sum(np.array(ys))


@program(array(4))
def comprehension_with_a_condition(x):
    return sum([v * v for v in x if v > 0]) + sum(v * 2 for v in x if v < 0 if v > -5)


@program(array(3))
def comprehension_with_two_loops(x):
    return sum([a * b * i for i, a in enumerate(x) for b in x])


@program(array(3), array(3))
def comprehension_over_zip(x, y):
    return sum([a * b for a, b in zip(x, y)])


@program(array(3))
def comprehension_does_not_leak(x):
    v = x[1]
    ys = [v * 2 for v in x]
    return ys[0] * v


@program(array(3, 2))
def comprehension_of_rows(x):
    return np.sum(np.array([row * row[0] for row in x]))


@program([array(2, 3), array(4, 2)], array(3))
def comprehension_over_parameters(layers, x):
    norms = [np.sum(w * w) for w in layers]
    return sum(norms) * np.sum(layers[1] @ (layers[0] @ x))


@program({"a": array(2), "b": array(3)})
def generator_over_dict_values(p):
    return sum(np.sum(v**2) for v in p.values())


@program({"a": array(2), "b": array(3)})
def dict_comprehension(p):
    q = {k: v * 2 for k, v in p.items()}
    return np.sum(q["a"]) * np.sum(q["b"] ** 2)


@program(array(4))
def local_dict(x):
    d = {"sum": np.sum(x), "square": x * x}
    d["prod"] = d["sum"] * np.sum(d["square"])
    d["sum"] = d["sum"] + 1
    return d["prod"] * d["sum"]


@program(array(4))
def local_dict_in_a_loop(x):
    d = {"s": 0.0, "n": 0}
    for v in x:
        d["s"] = d["s"] + v * v
        d["n"] += 1
    return d["s"] / d["n"]


@program(array(4))
def memo_dict_of_constants(x):
    weights = {0: 1.0, 1: 2.0, 2: 0.5, 3: 4.0}
    s = 0.0
    for i in range(4):
        s = s + weights[i] * x[i] ** 2
    return s


@program(array(4))
def list_of_constants_by_index(x):
    weights = [1.0, 2.0, 0.5, 4.0]
    s = 0.0
    for i in range(4):
        s = s + weights[i] * x[i] ** 2
    return s


@program(array(4))
def list_of_index_pairs(x):
    s = 0.0
    for i, j in [(0, 1), (1, 3), (2, 2)]:
        s = s + x[i] * x[j]
    return s


@program(array(4))
def tuple_arithmetic(x):
    a = (x[0], x[1]) + (x[2],)
    return a[0] * a[1] * a[2] * len(a)


@program(array(4))
def namedtuple_made_inside(x):
    layer = Layer(x * 2, b=np.sum(x))
    w, b = layer
    return np.sum(layer.w * w) * b


@program(array(3))
def conversions(x):
    xs = list(x)
    ys = tuple([x[0], x[1], xs[2]])
    return xs[0] * ys[1] + np.sum(np.asarray(ys) * x) * np.sum(np.array(list(ys)))


@program(array(3))
def any_all(x):
    xs = [v for v in x if v > -100]
    if any([v > 100 for v in xs]) or all(v > 100 for v in x):
        return xs[0]
    return xs[1] * xs[2]


@program(array(3), array(3))
def lists_joined(x, y):
    xs = [x[0]] + [y[1], y[2]]
    xs += [x[1] * 2]
    xs.extend([x[2]])
    xs.extend(y)
    zs = [v * 2 for v in xs]
    return xs[0] * xs[1] * xs[2] + zs[4] * zs[6]


@program(array(4), 2)
def tree_of_dicts(x, depth):
    def tree(values, depth):
        if depth == 0 or len(values) < 2:
            return {"leaf": np.sum(values)}
        half = len(values) // 2
        return {"left": tree(values[:half], depth - 1), "right": tree(values[half:], depth - 1)}

    def fold(node):
        if "leaf" in node:
            return node["leaf"] ** 2
        return fold(node["left"]) * 2 + fold(node["right"]) * 3

    return fold(tree(x, depth))


@program((array(2), array(3)))
def tuple_argument_at_a_counter(p):
    total = 0.0
    for i in range(2):
        total = total + np.sum(p[i] ** 2) * np.sum(p[0])
    return total


@program(array(2), array(3))
def tuple_at_a_counter(x, y):
    pair = x * 2, y
    total = 0.0
    for k in range(4):
        total = total + np.sum(np.sin(pair[k % 2])) * pair[1][k % 3]
    return total + np.sum(pair[0])


class Choice:
    def __init__(self, which):
        self.which = which


FIRST, LAST = Choice(slice(0, 2)), Choice(slice(1, None))


@program(array(2), array(3))
def tuple_at_a_slice_that_an_object_holds(x, y):
    total = 0.0
    for choice in (FIRST, LAST):
        for z in (x, y, x * 2)[choice.which]:
            total = total + np.sum(np.sin(z))
    return total


@program(array(2), array(2), slice(0, 2))
def tuple_at_a_slice_that_is_an_argument(x, y, part):
    chosen = (x, y, x * y)[part]
    total = 0.0
    for i in range(2):
        total = total + np.sum(chosen[i] ** 2) * np.sum(chosen[0])
    return total


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


def number_written_out_in_a_list(p, t):
    v = p[0]
    for i in range(2):
        if p[i][0] > 0.5:
            xs = [-0.28, np.sum(np.abs(p[0])), t * 2.0]
            v = np.full((2,), xs[i]) + p[i]
        else:
            v = np.square(p[i] + p[i - 1])
    return np.sum(v)


@pytest.mark.parametrize("first", [0.6, 0.1])
def test_a_number_written_out_among_elements_has_no_cotangent(first):
    with forms.only("typed"):
        p = [np.array([first, 0.2], np.float32), np.array([first, 0.4], np.float32)]
        g = ad.grad(number_written_out_in_a_list)(p, 1.5)
        want = [[2.0, 2.0], [1.0, 1.0]] if first > 0.5 else [[0.4, 1.2], [0.4, 1.2]]
        np.testing.assert_allclose(g, want, rtol=1e-6)
