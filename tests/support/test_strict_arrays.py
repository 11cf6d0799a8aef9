"""The stand-in refuses what CuPy refuses, and computes what NumPy computes."""

import copy
import math
import pickle

import numpy as np
import pytest
from support.strict_arrays import StrictArray, strict


@pytest.fixture
def x():
    return strict.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def same(actual, expected):
    assert type(actual) is StrictArray
    np.testing.assert_array_equal(actual.get(), expected, strict=True)


@pytest.mark.parametrize(
    "function",
    [
        lambda np, x: np.sin(x),
        lambda np, x: np.sum(x, axis=0),
        lambda np, x: x.T @ x - 1,
        lambda np, x: 2**-x,
        lambda np, x: 7.0 / x // 1 % 2,
        lambda np, x: np.where(x > 2, x, 0.0),
        lambda np, x: np.concatenate([x, x], axis=1),
        lambda np, x: np.einsum("ij,kj->ik", x, x),
        lambda np, x: np.linalg.inv(x @ x.T),
        lambda np, x: np.fft.fft(x).real,
        lambda np, x: np.linalg.svd(x, full_matrices=False)[1],
        lambda np, x: x[:, np.newaxis, ::-1],
        lambda np, x: x[[1, 0, 1]],
        lambda np, x: x[x > 2],
        lambda np, x: x[np.asarray([1, 0]), ..., 0],
        lambda np, x: np.maximum(x, 2).reshape(3, 2).mean(1),
        lambda np, x: np.split(x, 3, axis=1)[1],
        lambda np, x: np.add.outer(x, np.arange(2)),
        lambda np, x: np.clip(x, 1.5, None),
        lambda np, x: np.zeros_like(x, dtype=np.float32),
        lambda np, x: np.r_[x[0], x[1]],
        lambda np, x: divmod(x, 2)[1],
    ],
)
def test_computes_what_numpy_computes(function, x):
    same(function(strict, x), function(np, x.get()))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.sum(),
        lambda x: strict.max(x),
        lambda x: x[0, 0],
        lambda x: strict.sqrt(2.0),
        lambda x: x[0] @ x[0],
        lambda x: next(iter(x[0])),
        lambda x: strict.allclose(x, x),
        lambda x: strict.linalg.norm(x),
        lambda x: strict.random.default_rng(0).random(),
        lambda x: strict.random.rand(),
        lambda x: np.mean(x),
        lambda x: np.float64(2) * x[0, 0],
    ],
)
def test_scalars_are_0d_arrays(function, x):
    result = function(x)
    assert type(result) is StrictArray
    assert result.shape == ()


@pytest.mark.parametrize(
    "function",
    [
        lambda x, n: np.asarray(x),
        lambda x, n: np.array([x, x]),
        lambda x, n: n.__setitem__(0, x[0]),
        lambda x, n: n[x[0, 0].astype(int)],
        lambda x, n: x + n,
        lambda x, n: n + x,
        lambda x, n: x == n,
        lambda x, n: x.__iadd__(n),
        lambda x, n: n.__iadd__(x),
        lambda x, n: x + [1.0, 2.0, 3.0],
        lambda x, n: [1.0, 2.0, 3.0] * x,
        lambda x, n: np.add(x, n),
        lambda x, n: np.sin(x, out=n),
        lambda x, n: np.concatenate([x, n]),
        lambda x, n: np.where(x > 0, x, n),
        lambda x, n: strict.sin(n),
        lambda x, n: strict.sin([1.0]),
        lambda x, n: strict.sum(n),
        lambda x, n: strict.sum([1.0]),
        lambda x, n: strict.sum(1.0),
        lambda x, n: strict.dot(x, [1.0, 2.0, 3.0]),
        lambda x, n: x.dot(n.T),
        lambda x, n: x[np.array([0])],
        lambda x, n: x.__setitem__(0, n[0]),
        lambda x, n: x.__setitem__(0, [1.0, 2.0, 3.0]),
        lambda x, n: x[: x[0, 0]],
        lambda x, n: range(x[0, 0]),
        lambda x, n: [1, 2, 3][x[0, 0].astype(int)],
        lambda x, n: hash(x),
        lambda x, n: strict.sum(x, where=x > 1),
        lambda x, n: strict.divide(x, x, where=x > 1),
        lambda x, n: x.max(initial=0.0),
        lambda x, n: iter(x[0, 0]).__next__(),
    ],
)
def test_refuses(function, x):
    with pytest.raises((TypeError, IndexError)):
        function(x, np.ones((2, 3)))


def test_what_cupy_lacks_is_missing(x):
    for name in ["block", "errstate", "insert", "vecdot", "no_such_name"]:
        assert not hasattr(strict, name)
    assert not hasattr(strict.linalg, "multi_dot")
    with pytest.raises(NotImplementedError):
        strict.maximum.reduce(x)
    with pytest.raises(TypeError):
        np.insert(x, 0, 1.0)


def test_numpy_functions_dispatch(x):
    same(np.sin(x), np.sin(x.get()))
    same(np.linalg.pinv(x), np.linalg.pinv(x.get()))
    same(np.add.reduce(x), np.add.reduce(x.get()))
    assert np.shape(x) == (2, 3)
    assert np.ndim(x) == 2
    assert np.result_type(x, np.float32) == np.float64


def test_conversions_of_one_element(x):
    one = x[0, 1]
    assert (float(one), int(one), complex(one), bool(one), one.item()) == (2.0, 2, 2 + 0j, True, 2)
    assert math.sqrt(one) == math.sqrt(2)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(x)
    assert type(one.get()) is np.ndarray
    assert type(strict.asnumpy(x)) is np.ndarray


def test_in_place(x):
    alias, row, total = x, x[0], x.sum()
    x += 1
    row[1] = -1.0
    assert alias is x
    assert x[0].tolist() == [2.0, -1.0, 4.0]
    before = total
    total += 1  # a 0-d array changes in place; a NumPy scalar would not
    assert before.item() == 22.0
    strict.add.at(x, strict.asarray([0, 0]), 1.0)
    assert x[0].tolist() == [4.0, 1.0, 6.0]
    out = strict.empty_like(x)
    assert strict.multiply(x, 2, out=out) is out
    assert strict.asarray(x) is x


def test_dtypes():
    x = strict.ones(3, dtype=strict.float32)
    assert (x * 2.0).dtype == np.float32
    assert (x * strict.float64(2)).dtype == np.float64
    assert (x.sum() * 2.0).dtype == np.float32
    assert x.astype(int).dtype.kind == "i"


def test_names_are_stable_and_copies_are_copies(x):
    assert strict.sin is strict.sin
    assert strict.sum.__name__ == "sum"
    assert strict.linalg.solve.__module__ == "strict.linalg"
    assert strict.ndarray is StrictArray
    assert x.__array_namespace__() is strict
    assert strict.pi == np.pi
    assert strict.newaxis is None
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        same(twin, x.get())
        twin[:] = 0
        assert x[0, 0].item() == 1.0
