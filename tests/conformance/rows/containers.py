"""Lists, tuples, dicts, sets, and what changes them."""

import collections
import copy
import heapq

import numpy as np
from support.programs import array

from ..table import category

row = category("Lists, tuples and dicts")


@row("a list of numbers as an argument", [0.7, 1.9, -0.4])
def list_argument(xs):
    return xs[0] * xs[1] + xs[-1] ** 2


@row("a tuple of arrays as an argument", (array(3), array(2, 3)))
def tuple_argument(pair):
    v, m = pair
    return np.sum((m @ v) ** 2)


@row("a dict of numbers and arrays as an argument", {"w": array(2, 3), "b": array(2), "k": 0.7})
def dict_argument(params):
    return np.sum(params["w"].T @ params["b"]) * params["k"]


@row("a nested structure as an argument", {"layers": [(array(2, 2), array(2)), (array(2, 2), 0.5)]})
def nested_argument(params):
    y = np.ones(2)
    for w, b in params["layers"]:
        y = np.tanh(w @ y + b)
    return np.sum(y)


@row(
    "leaves that are not differentiated: text, `None`, bools, ints",
    {"w": 0.7, "n": 3, "name": "a", "on": True, "none": None},
)
def mixed_leaves(params):
    return params["w"] ** params["n"] if params["on"] and params["none"] is None else 0.0


@row("an empty list or dict in an argument", ([], {}, 0.7))
def empty_containers(parts):
    return parts[2] ** 2 + len(parts[0])


@row("`append`, `extend`, `insert`", 0.7)
def adds_to_a_list(x):
    xs = [x]
    xs.append(x * x)
    xs.extend([np.sin(x), 2.0])
    xs.insert(1, 3.0 * x)
    xs += (x**3,)
    return xs[1] * xs[2] + sum(xs)


@row("`pop`, with and without an index", 0.7)
def pops(x):
    xs = [x, x * x, x**3]
    last = xs.pop()
    first = xs.pop(0)
    return last * first * xs[0]


@row("`remove`, `clear`, `reverse`, `copy`, `index`, `count`", 0.7)
def list_methods(x):
    xs = [1.0, x, 2.0, x * x]
    xs.remove(1.0)
    ys = xs.copy()
    xs.reverse()
    k = ys.index(2.0) + ys.count(2.0)
    xs[0] = xs[0] * k
    ys.clear()
    return xs[0] * xs[2] + len(ys)


@row("`sort`, by key and reversed", [0.7, -1.9, 0.4])
def sorts_a_list(xs):
    ys = list(xs)
    ys.sort()
    zs = list(xs)
    zs.sort(key=lambda v: v * v, reverse=True)
    return ys[0] * ys[1] ** 2 + zs[0] ** 3 * zs[2]


@row("`sort` in place of an argument", [0.7, -1.9, 0.4])
def sorts_an_argument(xs):
    xs.sort()
    return xs[0] * xs[1] ** 2 + xs[2] ** 3


@row("`sorted` of pairs, by the first", [(0.7, 2.0), (-1.9, 3.0), (0.4, 5.0)])
def sorts_pairs(pairs):
    ordered = sorted(pairs)
    return ordered[0][1] * ordered[1][0] + ordered[2][1] ** 2


@row("item assignment in a list", 0.7)
def stores_items(x):
    xs = [0.0] * 3
    xs[0] = x
    xs[1] = xs[0] * x
    xs[-1] = np.sin(xs[1])
    xs[0] *= xs[2]
    return sum(xs)


@row("item assignment in a list, in a loop", 0.7)
def fills_a_list(x):
    xs = [x] * 5
    for i in range(1, 5):
        xs[i] = np.sin(xs[i - 1]) * x
    return sum(xs)


@row("slice assignment and `del` of slices and items", 0.7)
def slices_of_a_list(x):
    xs = [x, x * x, x**3, 1.0]
    xs[1:3] = [2.0 * x, 3.0 * x, np.sin(x)]
    xs[::2] = [x, x, x * x]
    del xs[0]
    del xs[1:2]
    return sum(xs) * xs[0]


@row("a list of lists", array(2, 2))
def list_of_lists(m):
    rows = [[m[0, 0], m[0, 1]], [m[1, 0], m[1, 1]]]
    rows[0][1] = rows[1][0] * rows[0][0]
    return rows[0][0] * rows[1][1] - rows[0][1]


@row("two names of one list", 0.7)
def aliased_list(x):
    xs = [x, 1.0]
    ys = xs
    ys[1] = x * x
    ys.append(x**3)
    return xs[1] * xs[2]


@row("one list twice in a list: `[[0.0] * 2] * 2`", 0.7)
def shared_rows(x):
    table = [[0.0] * 2] * 2
    table[0][1] = x
    return table[1][1] ** 2


@row("an argument's list is changed", [0.7, 1.9])
def changes_a_list_argument(xs):
    xs[0] = xs[0] * xs[1]
    xs.append(xs[0])
    return xs[0] * xs[1]


@row("`in` and comparisons of lists and tuples", [0.7, 1.9])
def compares_lists(xs):
    if 3.0 not in xs and xs != [1.0] and (1, 2) < (1, 3) and xs == list(xs):
        return xs[0] * xs[1]
    return 0.0


@row("slices, indices and unpacking of tuples", 0.7)
def tuples(x):
    t = (x, x * x, x**3, 1.0)
    a, b = t[1:3]
    return a * t[-1] + b * t[::3][0] + len(t)


@row("`dict` stores and reads", 0.7)
def dict_stores(x):
    d = {"a": x}
    d["b"] = d["a"] * x
    d["a"] += d["b"]
    return d["a"] * d["b"]


@row("`dict` keys that are computed", [0.7, 1.9, -0.4], [1, 0, 1])
def computed_keys(values, groups):
    totals = {}
    for v, g in zip(values, groups):
        totals[g] = totals.get(g, 0.0) + v * v
    return totals[0] * totals[1]


@row("`get`, `setdefault`, `pop`, `popitem`, `update`", 0.7)
def dict_methods(x):
    d = {"a": x, "b": x * x}
    d.setdefault("c", np.sin(x))
    d.setdefault("a", 100.0)
    d.update({"a": 2.0 * x}, e=x**3)
    first = d.pop("b")
    missing = d.pop("zz", x)
    key, last = d.popitem()
    return d.get("a") * d.get("q", 3.0) * first + missing * last + d["c"] * len(key)


@row("`del` of a dict's key, `in`, `keys`, `|`", 0.7)
def dict_keys(x):
    d = {"a": x, "b": x * x} | {"c": x**3}
    del d["b"]
    d |= {"a": np.sin(x)}
    return sum(d[k] for k in d.keys() if k in ("a", "c")) * ("b" not in d)


@row("`dict(...)`, `dict(zip(...))`, `dict.fromkeys`", array(3))
def makes_dicts(x):
    d = dict(zip("abc", x))
    e = dict(d, c=x[0] * x[1])
    f = dict.fromkeys("ab", x[2])
    return e["c"] * d["c"] * f["a"] + sum(e.values())


@row("a dict of lists", 0.7)
def dict_of_lists(x):
    d = {"a": [x], "b": []}
    for k in range(3):
        d["b"].append(d["a"][-1] * x)
        d["a"].append(np.sin(d["b"][-1]) + k)
    return sum(d["a"]) * d["b"][0]


@row("an argument's dict is changed", {"a": 0.7, "b": 1.9})
def changes_a_dict_argument(d):
    d["a"] = d["a"] * d["b"]
    d["c"] = d["a"] * 2.0
    return d["c"] * d["b"]


@row("`collections.defaultdict`, `OrderedDict`, `deque`", 0.7)
def collections_of_values(x):
    totals = collections.defaultdict(float)
    for k in range(4):
        totals[k % 2] += x**k
    queue = collections.deque([x, x * x], maxlen=3)
    queue.append(totals[1])
    queue.appendleft(totals[0])
    ordered = collections.OrderedDict(a=queue.popleft(), b=queue[0])
    return sum(ordered.values()) * queue[-1]


@row(
    "`heapq` with active keys",
    [0.7, -1.9, 0.4],
)
def heaps(xs):
    heap = list(xs)
    heapq.heapify(heap)
    smallest = heapq.heappop(heap)
    return smallest**2 * heap[0] + sum(heapq.nlargest(1, xs)) * 3.0


@row("`copy.copy` and `copy.deepcopy` of containers", array(3))
def copies_containers(x):
    params = {"w": [x, 2.0]}
    shallow, deep = copy.copy(params), copy.deepcopy(params)
    x *= 2.0
    return np.sum(shallow["w"][0] * deep["w"][0])


@row("`zip(*pairs)`, transposing", [(0.7, 1.9), (-0.4, 0.3)])
def transposes_pairs(pairs):
    xs, ys = zip(*pairs)
    return xs[0] * ys[1] + ys[0] * xs[1] ** 2


@row("a stack and a queue as lists", 0.7)
def stack_machine(x):
    stack = []
    for op in ["x", "x", "*", "x", "+", "sin"]:
        if op == "x":
            stack.append(x)
        elif op == "*":
            stack.append(stack.pop() * stack.pop())
        elif op == "+":
            stack.append(stack.pop() + stack.pop())
        else:
            stack.append(np.sin(stack.pop()))
    return stack[0] * x


@row("memoisation in a dict", 0.7)
def memoised(x):
    seen = {}

    def fibonacci(n):
        if n < 2:
            return x if n else x * x
        if n not in seen:
            seen[n] = fibonacci(n - 1) * 0.5 + fibonacci(n - 2)
        return seen[n]

    return fibonacci(8) * fibonacci(5)


@row("arrays in a list, changed in place", array(3))
def arrays_in_a_list(x):
    xs = [x, np.ones(3)]
    xs[0] *= 2.0
    xs[1][1] = xs[0][1] ** 2
    xs[1] += xs[0]
    return np.sum(x * xs[1])


@row("an update of a dict of arrays, as in training", {"w": array(2), "b": array(2)}, array(2))
def trains(params, x):
    for _ in range(3):
        error = params["w"] * x + params["b"] - 1.0
        for key, slope in (("w", error * x), ("b", error)):
            params[key] = params[key] - 0.1 * slope
    return np.sum((params["w"] * x + params["b"] - 1.0) ** 2)


@row("the same with in-place updates", {"w": array(2), "b": array(2)}, array(2))
def trains_in_place(params, x):
    for _ in range(3):
        error = params["w"] * x + params["b"] - 1.0
        params["w"] -= 0.1 * error * x
        params["b"] -= 0.1 * error
    return np.sum((params["w"] * x + params["b"] - 1.0) ** 2)


@row("sets, frozensets, ranges and strings of constants", 0.7)
def constant_containers(x):
    chosen = {1, 2} | frozenset([3])
    chosen.add(5)
    chosen.discard(1)
    return sum(x**k for k in sorted(chosen)) + (2 in range(3)) * x


@row("`any`, `all`, `sum` of lists of active values", 0.7)
def reductions_of_lists(x):
    xs = [x, x * x, 0.0]
    return sum(xs, start=x) * any(xs) + all(xs) * x


@row("a class that derives from `list` or `dict`", 0.7)
def derived_containers(x):
    class Stack(list):
        def push(self, value):
            self.append(value * 2.0)

    s = Stack([x])
    s.push(x * x)
    return s[0] * s[1] * len(s)
