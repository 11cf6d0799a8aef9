"""Arguments of unusual types: integers, float32, rank 0, size 1, empty; types that change."""

import numpy as np
import pytest
from support.programs import array, check_program, table

import adjoint as ad

programs = []
program = table(programs)


@program(array(3, dtype=np.float32))
def float32(x):
    return np.sum(np.sin(x) * x)


@program(array(3, dtype=np.float32), 2.5)
def float32_and_float(x, k):
    return np.sum(x * k) * k


@program(array(3, dtype=np.float32), array(3))
def float32_and_float64(x, y):
    z = x * y
    z = z + x
    return np.sum(z * z)


@program(array(3, dtype=np.float32))
def float32_in_a_loop(x):
    s = 0.0
    for v in x:
        s = s * 0.5 + v * v
    return s


@program(array(3, dtype=np.float32))
def float32_result_in_float64(x):
    return np.sum(x.astype(np.float64) ** 2)


@program(array())
def rank_0(x):
    return x * x + np.sin(x)


@program(array(), array(3))
def rank_0_and_array(x, y):
    return np.sum(x * y * y) + x


@program(array(1))
def size_1(x):
    return x * x


@program(array(1, 1))
def size_1_of_rank_2(x):
    return np.exp(x) * x


@program(array(1, 3), array(4, 1))
def sizes_1_broadcast(x, y):
    return np.sum(x * y + y)


@program(array(1, 3), array(1, 3))
def sizes_1_equal(x, y):
    return np.sum(x * y)


@program(array(1), array(3))
def size_1_and_3(x, y):
    z = x
    for v in y:
        z = z * v + x
    return np.sum(z * y)


@program(array(3), array(2, 3))
def ranks_broadcast(x, y):
    s = x
    for row in y:
        s = s * row + y[0]
    return np.sum(s + y)


@program(array(0))
def empty(x):
    return np.sum(x * x) + 1.0


@program(array(0, 3), array(3))
def empty_rows(x, y):
    s = np.sum(y)
    for row in x:
        s = s + np.sum(row * y)
    return s + np.sum(x)


@program(array(2, 2), 1)
def result_of_shape_1(x, n):
    return np.sum(x * x, keepdims=True)


@program(np.float64(1.5))
def numpy_scalar(x):
    return x * x


@program(np.float32(1.5), 2.0)
def numpy_float32_scalar(x, y):
    return x * x * y


@program(array(3), 3, True, "text", None, np.arange(3), np.array([True, False, True]))
def other_arguments(x, n, flag, text, nothing, index, mask):
    if flag and text == "text" and nothing is None:
        return np.sum(x[index] * n) + np.sum(x[mask] ** 2)
    return 0.0


@program(array(3), (1, 2), [0, 2], {"keepdims": False}, slice(0, 2), range(2))
def other_containers(x, pair, index, options, part, walk):
    s = np.sum(x[index] * pair[1], **options) + np.sum(x[part])
    for i in walk:
        s = s * x[i]
    return s


@program(array(2, 3, 4))
def rank_3(x):
    y = np.transpose(x, (2, 0, 1))
    return np.sum(y[0] @ y[1].T)


@pytest.mark.parametrize("case", programs, ids=str)
def test_program(case):
    check_program(case)


@pytest.mark.parametrize("value", [3, -2, 0])
def test_ints_count_as_floats(value):
    gradient = ad.grad(lambda x: x**2 + 1)(value)
    assert type(gradient) is float
    assert gradient == 2.0 * value


def test_ints_in_containers_count_as_floats():
    gradient = ad.grad(lambda p: p[0] * p[1]["k"])([3, {"k": 4}])
    assert gradient == [4.0, {"k": 3.0}]
    assert type(gradient[0]) is float


def test_bools_texts_and_none_in_containers_have_none():
    p = {"w": 2.0, "on": True, "name": "a", "nothing": None, "n": np.arange(3)}
    p.pop("n")
    gradient = ad.grad(lambda p: p["w"] ** 2 if p["on"] else 0.0)(p)
    assert gradient == {"w": 4.0, "on": None, "name": None, "nothing": None}


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::2],
        lambda a: a[::-1],
        lambda a: a[1:4],
        lambda a: np.asfortranarray(np.outer(a, a)),
        lambda a: np.outer(a, a).T[1:],
        lambda a: np.broadcast_to(a, (2, 6)),
    ],
)
def test_layout_of_arguments_does_not_matter(view, rng):
    def f(x):
        y = x * 2
        y[0] = x[1]
        return np.sum(y * x)

    a = rng.normal(size=6)
    gradient = ad.grad(f)(view(a))
    np.testing.assert_allclose(gradient, ad.grad(f)(np.array(view(a), order="C")))
    assert gradient.flags.writeable


def test_read_only_arguments(rng):
    x = rng.normal(size=3)
    x.flags.writeable = False
    gradient = ad.grad(lambda x: np.sum(x * x))(x)
    np.testing.assert_allclose(gradient, 2 * x)
    gradient[0] = 1.0


class Meters(float):
    """A float of a class of its own."""


def test_subclass_of_float():
    gradient = ad.grad(lambda x: x * x)(Meters(3.0))
    assert gradient == 6.0
    assert isinstance(gradient, float)


def test_type_changes_from_call_to_call():
    g = ad.grad(lambda x: x * x if not hasattr(x, "shape") else (x * x).sum())
    assert g(3.0) == 6.0
    np.testing.assert_array_equal(g(np.array([3.0])), [6.0])
    np.testing.assert_array_equal(g(np.array([[3.0, 1.0]])), [[6.0, 2.0]])
    assert g(np.array([3.0], np.float32)).dtype == np.float32
    assert g(2) == 4.0
    assert g(3.0) == 6.0


COMPARISONS = [
    lambda x: x.dtype == bool,
    lambda x: float == x.dtype,
    lambda x: x.dtype != "float32",
    lambda x: x.dtype == np.float64,
    lambda x: x.dtype == None,  # noqa: E711
    lambda x: x.dtype in (bool, float),
    lambda x: x.dtype not in (int, np.float32),
    lambda x: float != x.dtype == np.float32,
]


@pytest.mark.parametrize("dtype", [bool, "float32", float])
@pytest.mark.parametrize("number", range(len(COMPARISONS)))
def test_dtypes_are_compared_as_dtypes(number, dtype, typed_only):
    """np.dtype(bool) == bool holds, and np.bool_ == bool, of NumPy's classes, does not."""
    compare, x = COMPARISONS[number], np.ones(2, dtype)
    slope = ad.grad(lambda k, x: k * 2 if compare(x) else k * 3)(1.0, x)
    assert slope == (2 if compare(x) else 3)


def made_a_float(p):
    s = 0
    for e in (p[0], p[1]):
        if e > 0.5:
            break
        s += np.sum(p * p)
    s = s * 1.0
    return np.sum(p) if isinstance(s, float) else 2 * np.sum(p)


@pytest.mark.parametrize("p", [np.array([1.0, 2.0]), np.array([0.1, 0.2])])
def test_an_int_times_one_is_a_float(p):
    value, gradient = ad.value_and_grad(made_a_float)(p)
    assert value == made_a_float(p)
    np.testing.assert_array_equal(gradient, np.ones(2))
