"""Programs on which the compiler once failed, made small. Each is checked on every run."""

from __future__ import annotations

_HEADER = "import math\n\nimport numpy as np\n\nimport adjoint as ad\n\nK = 0.34\n\n\n"


def _split(text: str) -> dict[str, str]:
    """Name -> program, from programs separated by lines `# --- name: arguments`."""
    found = {}
    for part in text.split("# --- ")[1:]:
        head, body = part.split("\n", 1)
        name, arguments = head.split(": ", 1)
        assert name not in found, name
        tail = f"\n\n\ndef arguments():\n    return ({arguments},)\n"
        found[name] = _HEADER + body.rstrip() + tail
    return found


FOUND = _split("""
# --- element_of_array_in_list: [np.array([[0.6], [0.2]]), np.array([[-0.4], [1.1]])]
def f(p):
    v = p[1][1]
    return np.sum(v)
# --- augmented_cotangent_of_item: {"w": np.array([-0.3, -0.4, 0.1]), "b": 0.1}
def f(p):
    v = np.where(np.array([True, False, True]), p["w"], 0.1)
    return np.sum(np.sin(p["w"])) + np.sum(v)
# --- list_walked_in_a_comprehension: [0.9, 0.5]
def f(p):
    xs = [1.0, 2.0, 0.3]
    return sum([0.5 for e in xs]) + p[0]
# --- name_bound_by_a_loop: np.array([-0.1, -0.2, 0.3])
def f(p):
    for e in p:
        v = p
    return np.mean(v) * e
# --- names_bound_by_nested_loops: np.array([[-0.1, -0.2], [0.3, 0.7]])
def f(p):
    for i in range(2):
        for e in p:
            v = p * 2.0
    return e[i] + np.sum(v)
# --- return_in_while: np.array([-0.1, -0.2])
def f(p):
    k = 0
    while k < 4:
        v = np.sin(k * 0.1)
        return np.sum(p) + v
# --- return_under_if_in_while: np.array([[-0.4], [-0.2], [0.1]])
def f(p):
    k = 0
    while k < 3:
        k += 1
        v = p.reshape(3)
        if k > 1:
            return np.sum(v * k)
    return 0.1
# --- return_under_if_in_for: np.array([[0.3, 0.4], [0.2, 0.5]]), 0.67
def f(p, q):
    for e in p:
        v = np.dot(p[:, 0], e)
        if v > -10.0:
            return v * q
    return q
# --- return_from_a_loop_in_a_loop: (np.array([-0.5, 0.1]), np.array([[0.2, -0.6], [-0.5, 0.4]]))
def f(p):
    q = (0.5, np.array([p[0] for i in range(2)]))
    for e in np.ones(2):
        k = 0
        while k < 2:
            return q[1][k][1]
    return 0.1
# --- float32_seed: np.ones((3, 3), np.float32)
def f(p):
    xs = [2 for e in p]
    return np.sum(0.5) + np.sum(p) + sum([0.5 for e in xs])
# --- append_under_another_name: np.array([-0.6, -0.5, -0.9])
def f(p):
    v = p
    xs = []
    xs.append(v)
    return sum([np.sum(e) for e in xs])
# --- whole_read_between_stores: np.array([-0.7, 1.0])
def f(p):
    h = np.zeros(3)
    for i in range(2):
        h[i] = p[i] + np.dot(h, h)
    return np.mean(h)
# --- element_read_between_stores: np.array([[-0.8, -0.1], [-1.0, -0.2]])
def f(p):
    h = np.zeros((3, 2))
    for i in range(2):
        h[1] = h[i] + p[i]
    return np.sum(h)
# --- nested_list_to_array: np.array([-0.2, 0.5, 0.7])
def f(p):
    v = np.var(np.array([[3, 1, 2], [3, 0.5, p[1]]]), axis=-2)
    return np.sum(v) + p.sum()
# --- walked_while_stored: np.array([-0.1, -1.1])
def f(p):
    for e in p:
        p[1] = e
    return 0.5 + np.sum(p)
# --- walked_while_stored_rows: np.array([[-0.1, -1.1], [0.4, 0.3]])
def f(p):
    s = 0.0
    for e in p:
        p[1] = p[0] * 2.0
        s += np.sum(e * e)
    return s
# --- no_grad_expression: np.array([-0.2, 0.7, -0.6])
def f(p):
    with ad.no_grad():
        v = np.max(p) * 2.0
    return v * p[0]
# --- no_grad_name: -0.19
def f(p):
    with ad.no_grad():
        v = p
    return v * 2.0
# --- no_grad_item: {"w": -1.1, "b": np.array([-0.3, 0.3, -0.9])}
def f(p):
    with ad.no_grad():
        v = np.array([1, p["b"][2], 0.73]).reshape(3)
    return np.mean(v) * p["w"]
# --- return_after_stop_gradient: np.array([[-1.0, -1.1], [0.1, 0.6], [-0.5, -0.2]])
def f(p):
    v = p[2, 1] + 0.77
    for i in range(1, 3):
        p[-1:] -= ad.stop_gradient((K, v, v)[1])
        return v * -1.01 + np.mean(p ** 2)
# --- array_without_axes: 0.3
def f(p):
    v = np.array(0.5)
    w = v
    w += 0.5
    return v.copy() * p
# --- comprehension_of_comprehension: np.array([0.2, 1.0, -0.8], np.float32)
def f(p):
    xs = [e for e in p]
    return sum([e for e in xs])
# --- tuple_rebound_in_a_loop: (np.array([[-0.7, 0.1], [-0.5, 1.0]]), 0.17)
def f(p):
    v = p[1]
    for _ in range(2):
        p = (0.5, v)
    return p[1]
# --- tuple_returned_in_part: (np.array([-0.7, 0.9]), -1.0)
def f(p):
    if p[0][0] > 0.5:
        q = p[1]
    else:
        q = p[0][1] * p[1]
    return q
# --- broadcast_cotangent_after_a_loop: np.array([[0.8, 0.6], [-0.7, 0.4]]), np.array([0.2, 0.6])
def f(p, q):
    v = q[0]
    a = np.full(2, 0.3)
    for i in range(2):
        u, w = (q, 0.5)
        a[i] = p[i, i]
    return np.sum(a) + v + q.sum()
# --- broadcast_cotangent_in_a_loop: np.array([[0.9, 0.2], [-0.8, 0.1], [1.1, 0.7]])
def f(p):
    h = np.zeros((4, 2))
    for i in range(3):
        h[i] = p[i]
    for e in p:
        h = h[[1, 1, 1, 1]]
    return np.sum(p) + np.sum(h)
# --- broadcast_cotangent_of_a_row: np.array([[-0.2, 0.4], [-0.5, 0.7], [-1.0, -0.4]])
def f(p):
    p = p[2]
    k = 0
    while k > 0:
        p = p * 2.0
        k -= 1
    return np.sum(p)
# --- convolve_element: np.array([0.1, 0.4])
def f(p):
    v = np.convolve(p, p)[2]
    return v
# --- convolve_in_a_loop: np.array([0.5, 1.0, 0.6, -0.7])
def f(p):
    for i in range(2):
        p -= np.convolve(np.full(4, 1.0), p)[4]
        s = p[i]
    return s
# --- concatenate_element: np.array([-0.1, -1.0, -0.2]), np.array([0.1, 0.2, -0.7])
def f(p, q):
    p = np.concatenate([q, np.var(p[None], axis=1)])
    return 0.5 * p[2]
# --- concatenate_twice: np.array([-0.1, -1.0, -0.2])
def f(p):
    v = np.concatenate((p, p), axis=0)
    return v[1]
# --- array_in_list_changed: np.array([[0.8, 0.3], [-0.8, -0.2]])
def f(p):
    xs = [p, p]
    xs[0] *= p
    return p.sum()
# --- array_appended_changed: (np.array([-0.1, -0.2, 0.6]), -1.0)
def f(p):
    xs = []
    for i in range(1, 5):
        xs.append(p[0])
    xs[2] += 0.5
    return 0.5 * np.sum(p[0])
# --- loop_in_a_branch_in_a_loop: np.array([[-0.7, 0.1], [0.1, 0.7]])
def f(p):
    for i in range(2):
        if p[i, 0] > 0.0:
            for e in p:
                p[i] = e * 0.5
        else:
            p[i] = p[i] * p[0]
    return np.sum(p)
# --- unreachable_loop: np.array([[-0.7, 0.1], [0.1, 0.7]])
def f(p):
    d = {"a": p, "b": 0.5}
    for i in range(1):
        k = 0
        while True:
            return d["a"][i][k]
        for e in p:
            p[i] = 0.5
# --- loops_in_branches: np.array([0.4, 0.3]), np.array([0.8])
def f(p, q):
    if p[0] > 0.9:
        for e in p:
            h = 0.5
        q[0] = 1.0
        return 0.5
    else:
        k = 0
        while k < 1:
            p += q[0] * 0.3
            k += 1
    return np.amax(p[np.array([0, 0, 0])]) / 2.5
# --- maximum_of_list_item: -0.1, [-0.6, -0.06, -0.6]
def f(p, q):
    v = np.array([p for i in range(3)])
    return np.maximum(q[1], v[0])
# --- list_element_overwritten: np.array([0.9, -0.03]), [0.9, 0.6]
def f(p, q):
    q[0] += np.inner(p, p)
    q[-1] = np.sum(0.5)
    return sum([e for e in q])
# --- argument_changed_while_walked: np.array([0.8, -0.02, 0.1])
def f(p):
    for i, e in enumerate(p):
        p /= 2.5
    return 0.5
# --- changed_after_a_branch: np.array([[0.8, -0.02], [0.1, 0.2]])
def f(p):
    if p[1, 1] > 5.0:
        p = p * 2.0
    p /= 2.5
    return 0.5 + p[0, 0]
# --- duplicates_stored: -0.5, np.array([-0.1, 0.6, 1.1])
def f(p, q):
    q[[0, 1, 0]] = p
    return q.sum()
# --- element_read_in_no_grad: [np.array([0.1, 1.1, 0.7])], np.array([-0.1, -1.1])
def f(p, q):
    with ad.no_grad():
        v = p[0]
    q[-1] = np.sum(p[0])
    return np.sum(q) + v[0]
# --- list_changed_under_a_name_from_a_loop: [0.3, -0.9, -0.7]
def f(p):
    for e in np.ones(2):
        v = p
    v[1] += 1
    return sum([e for e in p])
# --- float32_store: np.array([-0.9, -0.6], np.float32)
def f(p):
    p[1] = 0
    return np.sum(p)
# --- float32_branch: np.array([0.2, -0.9], np.float32), 0.8
def f(p, q):
    if q > 0.5:
        p -= p
    return p.sum()
# --- float32_return_in_loop: np.array([0.3, 0.9], np.float32), 0.35
def f(p, q):
    for e in p:
        return np.sin(q) + np.sum(p)
    return q
# --- list_of_a_loop_used_after_it: np.array([0.1, -0.7, -0.8])
def f(p):
    for i in range(0, 6, 2):
        xs = []
        xs.append(p[1])
    return sum(xs)
# --- negative_list_index_stored: np.array([0.6, 0.3]), [-0.4, 0.9, -0.8, -0.7]
def f(p, q):
    q[-2] = sum([1 for e in p])
    return sum([e for e in q])
# --- in_place_by_own_multiple: [-0.8, 0.3], np.array([-0.4])
def f(p, q):
    q -= q * p[0]
    return np.sum(q * q)
# --- in_place_by_own_ratio: np.array([0.7, 0.3])
def f(p):
    p += p / (p * p + 1.0)
    return np.sum(np.tanh(p))
# --- overwritten_before_stacked: np.array([0.1, -0.5, 0.7]), np.array([-0.1, 0.6])
def f(p, q):
    q[1] = 2
    q = p[1:] + q
    v = np.prod([[1, 1, 3], [2, 1, 4], [0.5, q[1], 0.5]], axis=1)
    return v.sum()
# --- in_place_by_itself: np.array([[-0.3, 0.5], [-0.4, -0.1]])
def f(p):
    p = p - (p + 0.5 * p)
    p[1] = 0
    return np.sum(p)
# --- in_place_with_other: np.array([-0.5, 0.3]), np.array([[1.1, 0.2], [1.1, 0.1]])
def f(p, q):
    p -= q[:, -2] + p
    return q.sum() + np.sum(p * p)
# --- in_place_by_own_mean: np.array([[-0.3, 0.5], [-0.4, -0.1]])
def f(p):
    p -= p - p.mean(axis=0, keepdims=True)
    return np.sum(p[0])
# --- changed_after_a_recursive_call: np.array([-0.7, 0.6])
def r(x, n):
    if n <= 0:
        return x
    return r(np.sin(x), n - 1)


def f(p):
    v = np.ones(2) @ r(p, 3)
    p[1] = 0.5
    return v
# --- in_place_by_recursive_call: np.array([-0.7, 0.6])
def r(x, n):
    if n <= 0:
        return x
    return r(np.sin(x), n - 1)


def f(p):
    p += r(p, 3)
    return p.sum()
# --- zip_of_unequal_lengths: [0.5, -0.06]
def f(p):
    xs = [e for _, e in zip(np.zeros(1), p)]
    return sum(xs)
# --- name_bound_in_a_branch_of_a_loop: np.array([[0.7, -0.5], [-0.4, 0.1]])
def f(p):
    for i in range(3):
        if i:
            v = np.sin(math.exp(p[1, 1]) * i)
    for i in range(len(p)):
        h = p
    p[i] = v
    return np.sum(p * h)
# --- appended_element_of_itself: np.array([0.5, 0.1])
def f(p):
    a = p * 2.0
    for i in range(2):
        xs = [p[0] - a[i - 1]]
        xs.append(xs[i - 1])
        a = xs[1] * np.array([1.0, 0.3])
    return np.sum(a)
# --- float32_element_replaced: [np.array([0.5, 0.1], np.float32)], 0.3
def f(p, q):
    p[-1] = np.ones(2) * q
    return np.sum(p[0])
# --- rows_of_unknown_type: np.array([[0.5, 0.1, 0.7], [0.4, -0.1, 0.5], [0.9, -0.9, 0.3]])
def f(p):
    s = 0.0
    p = np.stack([p[1] @ p, p[1], np.min(np.ones((3, 2)) * -0.07, axis=-1)])
    for e in p.T:
        s += e[0] * e[1]
    return s
# --- swapped_in_a_loop: np.array([[0.1, -0.2], [1.1, -0.9]])
def f(p):
    v = np.array(p)
    p[1] += v[1, 0]
    for _ in range(3):
        p, v = (v, p)
    return p.sum()
# --- name_stale_at_the_end_of_an_iteration: np.array([-0.5, -0.9, -0.3])
def f(p):
    for e in range(2):
        q = np.ones(3) * p[e]
        if q.sum() < 5.0:
            v = q
        v[1] = 0.5
    q[:] -= np.clip(q, 0.6, 0.7)
    return np.sum(q)
# --- stepped_before_its_use: 0.37, np.array([0.4, -0.6]), np.array([-0.5, -0.8, 0.8])
def f(p, q, r):
    k = 0
    while True:
        if k >= 1:
            break
        k += 1
        p *= np.sum([q[k - 1], r[k]])
    return p
# --- float32_sums_in_a_list: np.array([-0.9, -1.1], np.float32)
def f(p):
    xs = [np.cumsum(p, axis=0), np.dot(0.5, 2)]
    return sum([e.sum() for e in xs])
# --- all_changed_by_a_row: np.array([[0.9, -0.4], [-0.4, 0.7]])
def f(p):
    p[:] *= p[1]
    return p.sum()
# --- changed_by_the_row_of_an_int_argument: 1, np.array([[0.9, -0.4], [-0.4, 0.7]])
def f(i, p):
    p[:] *= p[i]
    return p.sum()
# --- indexed_by_an_int_argument: 1, np.array([[0.9, -0.4], [-0.4, 0.7]])
def f(i, p):
    p = p * 2.0
    return p[i % 2][i]
# --- entry_replaced_and_changed: {"w": np.array([1.0, -0.9]), "b": 0.2}
def f(p):
    p["w"] = p["w"] - np.array([0.5, 0.4])
    p["w"] *= 0.117
    return p["b"]
# --- product_with_one_of_a_read_only_view: np.array([1.0, -0.9])
def f(p):
    v = np.broadcast_to(4, 2) * 1.0
    v /= 2.5
    return np.sum(v * p)
# --- out_by_position: np.array([0.3, 0.7])
def f(p):
    q = np.ones(2)
    np.add(p, p, q)
    np.sin(q, q)
    np.clip(p, 0.0, 0.5, q[:])
    return np.sum(q * p)
# --- out_of_a_reduction_by_position: np.array([[0.3, 0.7], [0.1, 0.2]])
def f(p):
    q = np.ones(2)
    np.sum(p * p, 0, None, q)
    p.cumsum(0, None, p)
    return np.sum(q * p)
# --- walrus_in_a_comprehension: 0.7
def f(p):
    last = p
    xs = [last := last * p for _ in range(3)]
    return sum(xs) * last
# --- generator_expression_kept: np.array([0.3, 0.7])
def f(p):
    k = 2.0
    values = (k * v for v in p)
    k = 3.0
    return sum(values) + sum(values)
# --- map_walked_twice: np.array([0.3, 0.7])
def f(p):
    values = map(lambda v: v * v, p)
    return sum(values) + 10.0 * sum(values)
# --- reversed_kept: np.array([0.3, 0.7])
def f(p):
    values = reversed(p)
    p[0] = 3.0 * p[1]
    return sum([i * v for i, v in enumerate(values)])
# --- view_of_a_dict_kept: 0.7
def f(p):
    d = {"a": p}
    values = d.values()
    d["b"] = p * p
    return sum(values)
# --- generator_walked_by_a_loop_that_rebinds: np.array([0.3, 0.7])
def f(p):
    s = 0.0
    k = 1.0
    for v in (e * k for e in p):
        k = k + 1.0
        s += v
    return s
# --- generator_given_to_a_function: np.array([0.3, 0.7])
def f(p):
    def twice(g):
        return sum(g) + sum(g)
    return twice(v * v for v in p)
# --- any_stops_early: np.array([0.3, -0.7])
def f(p):
    seen = []
    def positive(v):
        seen.append(v)
        return v > 0
    found = any(positive(v) for v in p)
    return sum(seen) * 2.0
# --- slice_of_a_list_stored: 0.7
def f(p):
    xs = [p, p * p, 3.0]
    xs[0:2] = [2.0 * p]
    xs[:1] += [p]
    return sum(xs) * xs[0]
# --- sorted_constants_by_a_lambda: 0.7
def f(p):
    xs = sorted((4, 2), key=lambda e: -e)
    return p * xs[0]
# --- changed_by_a_context_manager: np.array([0.3, 0.7])
def f(p):
    import contextlib
    @contextlib.contextmanager
    def doubled(array):
        array *= 2.0
        yield
        array += 1.0
    with doubled(p):
        s = np.sum(p ** 2)
    return s + np.sum(p)
# --- flattened_and_changed_in_forward_mode: np.array([[-0.383, 0.069]])
def f(p):
    v = p.ravel()
    v += ad.stop_gradient(v) * p[-1]
    return np.sum(v)
# --- walked_after_an_element_has_changed: np.array([0.3, 0.7]), np.ones(2)
def f(p, q):
    xs = [p for e in q]
    xs[0] += p
    return sum([0.5 for e in xs])
# --- array_kept_in_a_named_tuple_and_an_exception: np.array([0.3, 0.7])
Pair = __import__("collections").namedtuple("Pair", "a b")
def f(p):
    pair = Pair(p * 2.0, p)
    try:
        raise ValueError(pair.a)
    except ValueError as error:
        return np.sum(error.args[0] * pair.b) + pair.a[1]
""")
