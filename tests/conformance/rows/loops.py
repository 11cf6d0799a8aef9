"""`for` and `while`."""

import itertools

import numpy as np
from support.programs import array

from ..table import category

row = category("Loops")


@row("`for` over a `range`", array(4))
def sum_of_squares(x):
    total = 0.0
    for i in range(4):
        total += x[i] ** 2
    return total


@row("`range` with start, stop and step, downwards", array(5))
def horner(coefficients):
    y = 0.0
    for i in range(4, -1, -1):
        y = y * 0.5 + coefficients[i]
    return y * y


@row("`range` of a length known at run time", array(5))
def alternating(x):
    total = 0.0
    for i in range(1, len(x), 2):
        total += x[i] * x[i - 1]
    return total


@row("`for` over an array", array(4))
def product_of_elements(x):
    product = 1.0
    for element in x:
        product = product * (1.0 + element)
    return product


@row("`for` over the rows of a matrix", array(3, 2))
def sum_of_norms(points):
    total = 0.0
    for point in points:
        total += np.sqrt(point @ point)
    return total


@row("`for` over a list or a tuple of numbers", [0.5, 1.5, -0.3])
def polynomial(coefficients):
    y = 0.0
    for c in coefficients:
        y = y * 0.7 + c
    return y * y


@row("`for` over pairs, unpacked", [(0.5, 1.2), (0.7, -0.4)])
def trapezoids(points):
    area = 0.0
    for x, (y) in points:
        area += x * y
    return area


@row("`zip`", array(3), array(3))
def weighted_sum(w, x):
    total = 0.0
    for a, b in zip(w, x):
        total += a * b**2
    return total


@row("`enumerate`, with a start", [0.5, 1.5, -0.3])
def power_series(coefficients):
    total = 0.0
    for k, c in enumerate(coefficients, start=1):
        total += c * 0.5**k * c
    return total


@row("`reversed`", array(4))
def backwards(x):
    y = 1.0
    for element in reversed(x):
        y = np.tanh(y * element)
    return y


@row("`sorted` as what is walked", array(4))
def in_order(x):
    total = 0.0
    for rank, value in enumerate(sorted(x)):
        total += rank * value**2
    return total


@row("the items, keys and values of a dict", {"a": 0.5, "b": 1.5})
def walks_a_dict(params):
    total = 0.0
    for key in params:
        total += params[key] ** 2
    for value in params.values():
        total *= value
    for key, value in params.items():
        if key == "a":
            total += value
    return total


@row("a set or a string of things that are not differentiated", 0.7)
def walks_a_string(x):
    y = x
    for letter in "sccs":
        y = np.sin(y) if letter == "s" else np.cos(y)
    return y


@row("`itertools`: chain, product, repeat, islice", array(3))
def walks_with_itertools(x):
    total = 0.0
    for a in itertools.chain(x, [2.0]):
        total += a**2
    for i, j in itertools.product(range(3), repeat=2):
        total += x[i] * x[j]
    for a in itertools.islice(x, 1, None):
        total += np.sin(a)
    return total


@row("`np.ndindex`", array(2, 2))
def walks_indices(m):
    total = 0.0
    for i, j in np.ndindex(2, 2):
        total += m[i, j] * m[j, i]
    return total


@row.refused("`np.ndenumerate`", array(2, 2), says="ndenumerate", instead="`np.ndindex`")
def walks_with_ndenumerate(m):
    total = 0.0
    for (i, j), value in np.ndenumerate(m):
        total += (i + 2 * j) * value**2
    return total


@row(
    "an iterator by hand, `iter` and `next`",
    array(3),
)
def by_hand(x):
    elements = iter(x)
    y = next(elements)
    for element in elements:
        y = y * element + y
    return y


@row("`while`", 2.0)
def newton_square_root(a):
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


@row("`while True` with `break`", 2.0)
def series_until_small(x):
    total, term, k = 1.0, 1.0, 0
    while True:
        k += 1
        term = term * x / k
        total += term
        if abs(term) < 1e-15:
            break
    return total


@row("a loop that does not run", array(3), 0)
def no_iterations(x, n):
    y = np.sum(x * x)
    for _ in range(n):
        y = y * 2.0
    while n > 0:
        n -= 1
    return y


@row("`break`", array(5))
def until_the_sum_is_large(x):
    total = 0.0
    for element in x:
        total += element**2
        if total > 1.0:
            break
    return total * total


@row("`continue`", array(5))
def positive_part(x):
    total = 0.0
    for element in x:
        if element < 0:
            continue
        total += element**3
    return total + np.sum(x)


@row("`break` and `continue` in nested loops", array(3, 3))
def upper_triangle(m):
    total = 0.0
    for i in range(3):
        for j in range(3):
            if j < i:
                continue
            if j > 1:
                break
            total += m[i, j] ** 2 * m[j, i]
    return total


@row("`for` with `else`", array(3))
def found_or_not(x):
    for element in x:
        if element > 100.0:
            y = element
            break
    else:
        y = np.sum(x * x)
    return y


@row("`for` with `else` that is passed over", array(3))
def else_not_run(x):
    total = 0.0
    for element in x:
        total += element**2
        if total > 0:
            break
    else:
        total = 100.0
    return total


@row("`while` with `else`", 0.7)
def while_else(x):
    k = 0
    while k < 3:
        x = np.sin(x) + x
        k += 1
    else:
        x = x * x
    return x


@row("`return` from inside nested loops", array(3, 3))
def first_large(m):
    total = 0.0
    for i in range(3):
        for j in range(3):
            total += m[i, j] ** 2
            if total > 1.0:
                return total * m[i, j]
    return total


@row("the loop's name after the loop", array(3))
def last_element(x):
    for i, element in enumerate(x):
        y = element * i
    return y * element


@row("a loop target that is an item or an attribute", array(3))
def target_is_an_item(x):
    latest = [0.0]
    total = 0.0
    for latest[0] in x:
        total += latest[0] ** 2
    return total * latest[0]


@row("a starred loop target", [(0.5, 1.2, 2.0), (0.7, -0.4, 1.0)])
def starred_loop_target(rows):
    total = 0.0
    for first, *rest in rows:
        total += first * sum(rest)
    return total


@row("a value carried by the loop that changes its kind", array(3))
def starts_as_a_number(x):
    total = 0
    for k in range(3):
        total = total + x * k
    return np.sum(total * total)


@row("a value carried by the loop that changes its shape", array(2))
def grows(x):
    y = x
    for _ in range(3):
        y = np.concatenate([y, np.sin(y[-1:])])
    return np.sum(y * y)


@row("a recurrence written into an array", array(5))
def filled_states(x):
    h = np.zeros(6)
    for t in range(5):
        h[t + 1] = np.tanh(h[t] + x[t])
    return np.sum(h * h)


@row("a list that is appended to in a loop", 0.7)
def trajectory(x):
    states = [x]
    for _ in range(4):
        states.append(np.sin(states[-1]) + 0.1 * states[0])
    return sum(states)


@row("a list that grows while it is walked", 0.7)
def grows_while_walked(x):
    xs = [x]
    for value in xs:
        if len(xs) < 4:
            xs.append(value * x)
    return sum(xs)


@row("an array that is changed while it is walked", array(3))
def changed_while_walked(x):
    total = 0.0
    for i, value in enumerate(x):
        total += value * (i + 1)
        if i < 2:
            x[i + 1] *= value
    return total


@row("nested loops with a triangular range", array(4))
def pairwise(x):
    energy = 0.0
    for i in range(len(x)):
        for j in range(i):
            energy += 1.0 / (1.0 + (x[i] - x[j]) ** 2)
    return energy


@row("a loop with a branch that binds a name for the next iteration", array(4))
def remembers(x):
    best = x[0]
    for element in x:
        if element > best:
            best = element
    return best**2


@row("an array that each iteration changes in place and then makes anew", array(3))
def changed_and_made_anew(x):
    state = np.full(3, 0.3)
    total = 0.0
    for i in range(3):
        state += 0.5
        state = x * state
        total += np.max(state) + np.sum(state[1:] ** 2)
        if i == 1:
            continue
        state = state * x
        total += np.sum(state * state)
    return total


@row("a list that each iteration makes, of another length each time", (array(3), array(2)))
def list_of_any_length(pair):
    v, w = pair
    for i in range(3):
        xs = [w[1]]
        for x in v:
            if x * (1 - i) > 0.0:
                xs.append(x * w[0])
    return sum([x * x for x in xs]) * v[0]


@row("elements of the rows that a loop walks over", array(2, 2))
def elements_of_rows(x):
    last = 0.0
    for r in x:
        last = np.sin(2.0 * r[1]) + last * r[0]
    return last


@row("`zip` of a list that becomes longer afterwards", array(3))
def list_becomes_longer(x):
    xs = [x[0]]
    total = 0.0
    for _ in range(3):
        for a, b in zip(x, xs):
            total += a * b * b
        xs.append(total)
    return total
