"""break, continue, early return, for-else and while-else, alone and together."""

import math

import numpy as np
import pytest
from support.programs import array, check_program, table

programs = []
program = table(programs)


@program(array(6), 0.3)
def break_and_continue(x, a):
    h = 0.0
    total = 0.0
    for v in x:
        h = math.tanh(a * h + v)
        if h > 0.2:
            continue
        total = total + h * v
        if total < -3:
            break
    return total + h


@program(array(4))
def break_in_the_first_iteration(x):
    s = x[1]
    for v in x:
        if v < 100:
            break
        s = s * v
    return s * s


@program(array(4))
def break_at_once(x):
    s = x[0]
    for v in x:
        s = s * v
        break
    return s


@program(array(4))
def continue_always(x):
    s = x[0]
    for v in x:
        if v < 100:
            continue
        s = s * v
    return s * s


@program(array(4))
def continue_at_the_end(x):
    s = x[0]
    for v in x:
        s = s * v
        continue
    return s


@program(array(4), 2)
def break_at(x, k):
    s = 1.0
    for i in range(4):
        if i == k:
            break
        s = s * x[i]
    return s * i


@program(array(4), 2)
def break_after_change(x, k):
    s = 1.0
    for i in range(4):
        s = s * x[i]
        if i == k:
            s = s * 3
            break
        s = s + 1
    return s


@program(array(4), 2)
def for_else_left(x, k):
    s = 0.0
    for i in range(4):
        if i == k:
            s = s + x[i] * 5
            break
        s = s + x[i] ** 2
    else:
        s = s * 2
    return s


@program(array(4), 9)
def for_else_run_through(x, k):
    s = 0.0
    for i in range(4):
        if i == k:
            s = s + x[i] * 5
            break
        s = s + x[i] ** 2
    else:
        s = s * 2
    return s


@program(array(4), 0)
def for_else_of_zero_iterations(x, n):
    s = x[0]
    for i in range(n):
        if x[i] > 0:
            break
        s = s * x[i]
    else:
        s = s * x[1]
    return s


@program(array(4))
def for_else_without_break(x):
    s = x[0]
    for v in x:
        s = s * v
    else:
        s = s * 3
    return s


@program(array(4))
def for_else_returns(x):
    for v in x:
        if v > 100:
            return v
    else:
        return x[0] * x[1]


@program(5.0)
def while_else(x):
    y = x
    while x > 1:
        x = x / 2
        y = y * x
        if y > 1000:
            break
    else:
        y = y + x * 3
    return y


@program(5.0)
def while_else_left(x):
    y = x
    while x > 1:
        x = x / 2
        y = y * x
        if y > 1:
            break
    else:
        y = y + x * 3
    return y


@program(1.4)
def return_from_a_loop(x):
    for i in range(10):
        x = x * 1.3
        if x > 4:
            return x * i
    return x


@program(1.4)
def return_not_reached_in_a_loop(x):
    for i in range(3):
        x = x * 1.3
        if x > 400:
            return x * i
    return x


@program(array(3))
def return_in_the_first_iteration(x):
    for v in x:
        if v < 100:
            return v * x[0]
        x = x * 2
    return np.sum(x)


@program(array(3))
def return_at_once(x):
    for v in x:
        return v * x[0]
    return np.sum(x)


@program(array(3), 0)
def return_at_once_of_zero_iterations(x, n):
    for v in x[:n]:
        return v * x[0]
    return np.sum(x * x)


@program(array(3, 3))
def return_from_two_loops(x):
    s = 0.0
    for i in range(3):
        for j in range(3):
            s = s + x[i, j] * x[j, i]
            if i * 3 + j > 4:
                return s * x[i, j]
    return s


@program(array(3, 3))
def break_from_the_inner_loop(x):
    s = 0.0
    for i in range(3):
        for j in range(3):
            if j > i:
                break
            s = s + x[i, j] * x[j, i]
        s = s * x[i, 0]
    return s


@program(array(3, 3))
def break_from_both_loops(x):
    s = 1.0
    for row in x:
        found = False
        for v in row:
            if v > 0.8:
                found = True
                break
            s = s * v
        if found:
            s = s + row[0]
            break
        s = s + 1
    return s


@program(array(3, 3))
def continue_in_the_outer_loop(x):
    s = 1.0
    for row in x:
        for v in row:
            if v > 0.8:
                break
            s = s * v
        else:
            continue
        s = s + row[0] * row[1]
    return s


@program(array(3, 3), 2)
def nested_else_and_return(x, k):
    s = 0.0
    for i in range(3):
        for j in range(3):
            if i == k and j == 1:
                return s * x[i, j]
            if j > i:
                break
            s = s + x[i, j]
        else:
            s = s * 2
    else:
        s = s * 3
    return s


@program(5.0)
def while_with_break_and_continue(x):
    n = 0
    y = 1.0
    while True:
        n = n + 1
        x = x / 1.5
        if n % 2 == 0:
            continue
        y = y * x
        if x < 0.7:
            break
        y = y + 1
    return y * x


@program(5.0)
def while_with_return(x):
    while x > 0.1:
        x = x / 1.5
        if x < 0.7:
            return x * x
    return x


@program(array(5))
def two_breaks(x):
    s = 1.0
    for v in x:
        if v > 1.5:
            s = s * 2
            break
        s = s + v * v
        if s > 2.5:
            s = s * v
            break
    return s * s


@program(array(5))
def break_in_nested_branches(x):
    s = 1.0
    for i, v in enumerate(x):
        if i > 1:
            if v > 0:
                s = s * v
                if s > 0.1:
                    break
            else:
                continue
            s = s + 1
        s = s + v
    return s


@program(array(5))
def break_carries_a_value(x):
    found = 0.0
    for v in x:
        found = v * v
        if v > 0:
            break
    return found


@program(array(5))
def break_leaves_a_name_of_the_body(x):
    for i in range(5):
        y = x[i] * x[i]
        if i == 2:
            break
    return y * x[i]


@program(array(5))
def break_with_list(x):
    seen = []
    for v in x:
        if len(seen) == 3:
            break
        seen.append(v * v)
    s = 0.0
    for v in seen:
        s = s * v + v
    return s


@program(array(5))
def break_with_array(x):
    y = np.zeros(5)
    for i in range(5):
        if i == 3:
            break
        y[i] = x[i] * x[i]
        if i == 1:
            continue
        y[i] = y[i] * 3
    return np.sum(y * x)


@program(array(4))
def return_inside_with_array(x):
    y = np.zeros(4)
    for i in range(4):
        y[i] = x[i] ** 2
        if i == 2:
            return np.sum(y * x)
    return np.sum(y)


@program([array(2, 3), array(4, 2), array(2, 4)], array(3))
def break_in_an_unrolled_loop(layers, x):
    for w in layers:
        x = np.tanh(w @ x)
        if np.sum(x) > 100:
            break
        x = x * 2
    return np.sum(x)


@program([array(2, 3), array(4, 2), array(2, 4)], array(3))
def break_early_in_an_unrolled_loop(layers, x):
    s = 0.0
    for w in layers:
        x = w @ x
        if np.sum(x * x) > 0:
            s = s + np.sum(x)
            break
        s = s + 1
    else:
        s = s * 100
    return s


@program([array(2, 3), array(4, 2), array(2, 4)], array(3))
def return_from_an_unrolled_loop(layers, x):
    for i, w in enumerate(layers):
        x = np.tanh(w @ x)
        if i == 1:
            return np.sum(x)
    return np.sum(x) * 2


@program([array(2, 3), array(4, 2), array(2, 4)], array(3))
def continue_in_an_unrolled_loop(layers, x):
    for i, w in enumerate(layers):
        x = w @ x
        if np.sum(x * x) > 100:
            continue
        x = np.tanh(x) * i
    else:
        x = x * 2
    return np.sum(x)


@program(array(4))
def raise_not_reached(x):
    s = 0.0
    for v in x:
        if v > 100:
            raise ValueError("too large")
        s = s + v * v
    return s


@program(array(4))
def raise_in_an_else(x):
    if x[0] < 100:
        y = x * x
    else:
        raise ValueError(f"too large: {x[0]}")
    return np.sum(y)


@program(array(4))
def return_or_raise(x):
    for v in x:
        if v < 100:
            return v * v
    raise ValueError("nothing found")


@program(array(4))
def assertions(x):
    assert len(x) == 4
    y = x * x
    assert np.all(y >= 0), f"negative: {y}"
    for v in y:
        assert v >= 0
    return np.sum(y * x)


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)
