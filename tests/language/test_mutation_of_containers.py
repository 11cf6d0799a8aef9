"""Methods that change lists and dicts, `del`, and functions that order, filter and fold."""

import collections
import functools
import itertools
import operator

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad

programs = []
program = table(programs)
in_either_form = table(recorded_programs := [])  # of which some need the recorded form


@program(1.5)
def pops_and_inserts(x):
    xs = [x, x * x, 3.0]
    last = xs.pop()
    first = xs.pop(0)
    xs.insert(0, x * first)
    xs.insert(-1, last)
    xs.reverse()
    return xs[0] * xs[1] + xs[2] * 2 + len(xs)


@program(1.5)
def deletes_and_slices(x):
    xs = [x, x * x, x**3, 1.0]
    xs[1:3] = [2.0 * x, 3.0 * x, x * x * x]
    xs[::2] = [x, x, x * x]
    del xs[0]
    del xs[1:2]
    ys = xs
    ys[0] = 5 * x
    return sum(xs) * xs[0] * len(ys)


@program(1.5)
def clears(x):
    xs = [x, x]
    ys = xs
    xs.clear()
    xs.append(x * x)
    return ys[0] * len(ys)


@program(array(4))
def stack_in_a_loop(x):
    stack = []
    total = 0.0
    for i in range(4):
        stack.append(x[i] * x[i])
        if i % 2 == 1:
            total += stack.pop() * x[0]
    stack.reverse()
    return total + stack[0] * 2 + stack[1]


@in_either_form(array(3))
def methods_called_by_their_class(x):
    xs, d, y = [1.0], {}, np.zeros(3)
    list.append(xs, x[0])
    list.insert(xs, 0, x[1])
    list.extend(xs, [x[2]])
    list.reverse(xs)
    list.__setitem__(xs, 1, x[1] * x[2])
    dict.update(d, k=x[0])
    dict.__setitem__(d, "l", x[1])
    np.ndarray.__setitem__(y, 0, list.pop(xs) * 3)
    return xs[0] * xs[1] + dict.get(d, "k") * d["l"] + np.sum(y * x)


@program(array(3))
def methods_kept_under_a_name(x):
    out, memo = [], {}
    push, keep, get = out.append, memo.setdefault, memo.get
    for v in x:
        push(v * v)
    keep("first", out[0])
    keep("first", 2.0)
    return sum(out) * out[1] + get("first") * 3


@in_either_form(array(2))
def arrays_changed_in_a_collection(x):
    y, z = np.zeros(2), np.zeros(2)
    rows = collections.deque([y, z])
    rows[0][:] = x * 2
    rows[1][0] = x[1] * x[0]
    return np.sum(y * x) + z[0]


@in_either_form(array(2))
def arrays_changed_that_an_iterator_gave(x):
    y, z = np.zeros(2), np.zeros(2)
    rows = list(itertools.chain([y], [z]))
    rows[0][:] = x * 2
    rows[1][0] = x[1] * x[0]
    return np.sum(y * x) + z[0]


@in_either_form(array(3))
def view_made_by_a_function_without_a_rule(x):
    y = np.zeros(3)
    np.lib.stride_tricks.as_strided(y, (3,), y.strides)[:] = x * x
    return np.sum(y * x)


@program([1.5, 2.5, 0.5])
def pops_from_an_argument(xs):
    last = xs.pop()
    return last * xs[0] * xs[-1]


@program(1.5, 2)
def pop_in_a_branch(x, n):
    xs = [x, 2 * x, x * x]
    if n > 1:
        xs.pop()
    else:
        xs.append(x)
    return sum(xs) * xs[-1]


@program(1.5)
def list_of_lists(x):
    rows = [[x, 1.0], [x * x]]
    rows[0].append(x * 3)
    rows.pop()
    return rows[0][0] * rows[0][-1] + len(rows)


@program([0.3, 2.0, -1.0])
def sorts(xs):
    ys = [x * x for x in xs]
    zs = list(ys)
    sorted_down = sorted(xs, reverse=True)
    by_key = sorted(xs, key=lambda v: -v * v)
    return sorted(zs)[1] * ys[0] + sorted_down[0] * 3 + by_key[0] * 2 + by_key[2]


@program(1.5)
def sorts_in_place(x):
    xs = [3 * x, x, -x * x]
    xs.sort()
    first = xs[0]
    xs.sort(key=lambda v: -v)
    xs.sort(key=abs, reverse=True)
    return first * 2 + xs[0] * xs[1]


@program(array(5))
def orders_of_arrays(x):
    ordered = sorted(x)
    total = 0.0
    for rank, value in enumerate(sorted(x, key=abs)):
        total += rank * value
    return total + ordered[0] * ordered[-1] + max(x, key=abs) ** 2 + min(x, key=lambda v: v * v)


@program({"a": 1.5, "b": 2.0})
def dict_methods(d):
    e = {"a": d["a"], "c": d["b"] * 2}
    e.update({"a": d["a"] * d["b"], "z": 3.0}, w=d["a"])
    taken = e.pop("c")
    missing = e.pop("nothing", d["b"])
    kept = e.setdefault("z", 10.0) + e.setdefault("new", d["a"])
    del e["w"]
    key, value = e.popitem()
    total = sum(e.values()) + sum(v * len(k) for k, v in e.items())
    both = {"p": d["a"], "q": 1.0} | {"q": kept}
    both |= {"p": both["q"]}
    total += both["p"] * both["q"]
    return taken * missing + kept + total + value * len(key) + len(e) + e.get("none", 1.0)


@program({"a": 1.5, "b": 2.0})
def update_of_an_argument(d):
    d.update(b=d["a"] * 3)
    return d["a"] * d["b"]


@program(array(4))
def folds_and_filters(x):
    positive = list(filter(lambda v: v > 0, x))
    first = functools.reduce(lambda a, b: a * 0.5 + b, x, 1.0)
    second = functools.reduce(operator.mul, x)
    third = functools.reduce(lambda a, b: a + b * b, [x[0], x[1], x[2]])
    both = list(map(lambda a, b: a * b, [x[0], x[1]], [x[2], x[3]]))
    return sum(positive) + first * second + third + both[0] * both[1]


@program(1.5)
def operators_as_functions(x):
    return operator.add(x, operator.mul(x, 3.0)) / operator.sub(x, 0.25) ** operator.pow(x, 2)


def pops(owner):
    return owner.pop()


@program(1.5)
def helper_changes_a_list(x):
    xs = [x, x * x, 2 * x]
    a = pops(xs)
    b = pops(xs)
    return a * b + len(xs)


@program(1.5)
def closure_changes_a_list(x):
    def make():
        xs = [x, x * x, 3 * x]

        def take():
            return xs.pop()

        return take

    take = make()
    return take() * take()


@program(array(3))
def list_emptied_under_its_own_test(x):
    xs = [x * 1.5]
    total = 0.0
    for _ in range(2):
        if xs:
            total += np.sum(xs.pop() * x)
    return total


@program(array(3))
def list_filled_and_emptied_under_its_own_test(x):
    xs = []
    c = x * 1.0
    for _ in range(3):
        if xs:
            a, b = xs.pop()
            c += a * b
        xs.append((c - 0.5, np.sin(c)))
    return sum([np.sum(a * b) for a, b in xs])


@program(array(3))
def mean_of_a_list_of_losses(x):
    losses = []
    for k in range(3):
        losses.append(np.sum(x * x) * k)
    return np.mean(losses) * np.max(losses)


@program(array(3))
def sum_of_a_list_of_arrays_by_numpy(x):
    rows = []
    for k in range(3):
        rows.append(x * k)
    return np.sum(rows) * np.sum([np.sum(r * r) for r in rows])


@pytest.mark.parametrize("case", [*programs, *recorded_programs], ids=str)
def test_program(case):
    check_program(case)


def test_what_is_left_of_a_list_is_its_elements():
    def f(x):
        xs = [x, x * x]
        xs.insert(0, 3.0)
        xs.pop()
        return xs[0] * xs[1]

    text = ad.source(f, 2.0)
    assert "insert" not in text and "pop" not in text and "[" not in text


def test_fold_of_nothing_is_an_error():
    def f(x):
        return functools.reduce(lambda a, b: a + b, x)

    with pytest.raises(TypeError, match="empty iterable"):
        ad.grad(f)(np.zeros(0))


def insert_into_an_argument(xs):
    xs.insert(0, 1.0)  # here
    return xs[1] * xs[1]


def insert_into_a_held_list(x):
    xs = [x]
    holder = [xs]
    xs.insert(0, x * x)  # here
    return holder[0][0]


def two_names_in_two_functions(x):
    xs = [x, x * x]

    def shorten(ys):
        ys.pop(0)  # here
        return ys[0]

    return shorten(xs) * xs[0]


@pytest.mark.parametrize(
    "fn, args",
    [
        (insert_into_an_argument, ([1.0, 2.0],)),
        (insert_into_a_held_list, (2.0,)),
        (two_names_in_two_functions, (2.0,)),
    ],
)
def test_refused(fn, args, typed_only):
    with pytest.raises(ad.UnsupportedSyntaxError, match="how this list or dict changes"):
        ad.grad(fn)(*args)
