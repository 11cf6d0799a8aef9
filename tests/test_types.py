"""What the compiler knows of values before the code runs."""

import collections

import numpy as np
import pytest

from adjoint import epoch
from adjoint.compile import Compiled
from adjoint.direct import direct_call
from adjoint.signature import signature_of
from adjoint.types import (
    FLOAT,
    INT,
    NONE,
    UNKNOWN,
    Array,
    Dict,
    Dim,
    List,
    Object,
    Scalar,
    Symbols,
    Tuple,
    Undecided,
    broadcasts_to_same,
    carries_derivative,
    dims_of,
    filled,
    freeze,
    is_complex,
    is_container,
    is_many,
    join,
    join_all,
    same_shape,
    type_of,
)

Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "bool"),
        (3, "int"),
        (3.0, "float"),
        (3j, "complex"),
        (None, "NoneType"),
        ("text", "str"),
        (np.float64(3.0), "float64[]"),
        (np.float32(3.0), "float32[]"),
        (np.ones(()), "float64[]"),
        (np.ones(3), "float64[a]"),
        (np.ones((3, 4)), "float64[a, b]"),
        (np.ones((3, 3)), "float64[a, a]"),
        (np.ones((1, 3)), "float64[1, a]"),
        (np.ones((0, 3), np.float32), "float32[a, b]"),
        (np.ones(3, int), "int64[a]"),
        ((np.ones((3, 4)), np.ones(4)), "(float64[a, b], float64[b])"),
        ([1.0, 2.0], "[float, float]"),
        ({"w": np.ones(3), "b": 1.0}, "{'w': float64[a], 'b': float}"),
        (range(3), "range"),
        (np.sum, "_ArrayFunctionDispatcher"),
    ],
)
def test_type_of(value, text):
    assert str(type_of(value, Symbols())) == text


def test_promoted_ints_are_floats():
    t = type_of([3, {"k": (True, 4)}, np.arange(3)], Symbols(), promote=True)
    assert str(t) == "[float, {'k': (bool, float)}, int64[a]]"


def test_namedtuples_keep_their_class():
    t = type_of(Point(1.0, 2.0), Symbols())
    assert isinstance(t, Tuple)
    assert t.cls is Point


def test_subclasses_of_numbers():
    class Meters(float):
        pass

    class Count(int):
        pass

    assert type_of(Meters(3.0), Symbols()) == FLOAT
    assert type_of(Count(3), Symbols()) == INT
    assert type_of(Count(3), Symbols(), promote=True) == FLOAT


def test_equal_sizes_share_a_symbol():
    symbols = Symbols()
    a = type_of(np.ones((3, 5)), symbols)
    b = type_of(np.ones((5, 1)), symbols)
    assert a.dims[1] == b.dims[0]
    assert a.dims[0] != a.dims[1]
    assert b.dims[1] == 1
    assert symbols.fresh() != symbols.fresh()


def test_is_many():
    assert is_many(3)
    assert is_many(0)
    assert not is_many(1)
    assert is_many(Dim(0, many=True))
    assert is_many(Dim(0, 1, many=True))
    assert not is_many(Dim(0, -1, many=True))
    assert not is_many(Dim(0))


S = Symbols()
A, B = S.fresh(many=True), S.fresh(many=True)
F8, F4 = np.dtype(float), np.dtype(np.float32)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (FLOAT, FLOAT, FLOAT),
        (INT, FLOAT, FLOAT),
        (Scalar("bool"), INT, INT),
        (FLOAT, Scalar("complex"), Scalar("complex")),
        (Array(F8, (A,)), Array(F8, (A,)), Array(F8, (A,))),
        (Array(F8, (A,)), Array(F8, (A, B)), Array(F8, None)),
        (Array(F8, (A,)), Array(F4, (A,)), UNKNOWN),
        (Array(F8, ()), FLOAT, Array(F8, (), weak="float")),
        (Array(F4, ()), FLOAT, Array(F4, (), weak="float")),
        (Array(F8, ()), INT, Array(F8, (), weak="int")),
        (Array(np.dtype(int), ()), FLOAT, UNKNOWN),
        (Array(F8, (A,)), FLOAT, Array(F8, None, weak="float")),
        (Tuple((INT, FLOAT)), Tuple((FLOAT, FLOAT)), Tuple((FLOAT, FLOAT))),
        (Tuple((INT,)), Tuple((INT, INT)), UNKNOWN),
        (Tuple((INT,)), List(INT), UNKNOWN),
        (List(INT, (INT,)), List(FLOAT, (FLOAT,)), List(FLOAT, (FLOAT,))),
        (List(INT, (INT,)), List(INT, (INT, INT)), List(INT)),
        (Dict(INT, ("a",), (INT,)), Dict(FLOAT, ("a",), (FLOAT,)), Dict(FLOAT, ("a",), (FLOAT,))),
        (Dict(INT, ("a",), (INT,)), Dict(INT, ("b",), (INT,)), Dict(INT)),
        (NONE, FLOAT, UNKNOWN),
        (Object(str), Object(str), Object(str)),
        (UNKNOWN, FLOAT, UNKNOWN),
    ],
)
def test_join(a, b, expected):
    assert join(a, b, S) == expected
    assert join(b, a, S) == expected
    assert join(join(a, b, S), b, S) == expected


def test_join_of_different_sizes_is_stable():
    a, b = Array(F8, (A, 1)), Array(F8, (B, 1))
    joined = join(a, b, S)
    assert joined.dims[0].wild
    assert joined.dims[0].many
    assert joined.dims[1] == 1
    assert join(joined, a, S) == joined
    assert join(joined, b, S) == joined
    one_or_many = join(Array(F8, (1,)), Array(F8, (A,)), S)
    assert not is_many(one_or_many.dims[0])


def test_join_all_of_nothing_is_undefined():
    assert str(join_all((), S)) == "undefined"


def test_facts():
    assert carries_derivative(FLOAT)
    assert carries_derivative(UNKNOWN)
    assert not carries_derivative(INT)
    assert not carries_derivative(Array(np.dtype(int), (A,)))
    assert carries_derivative(Tuple((INT, List(FLOAT))))
    assert not carries_derivative(Dict(INT, ("a",), (INT,)))
    assert is_container(List(INT))
    assert not is_container(FLOAT)
    assert is_complex(Array(np.dtype(complex), ()))
    assert dims_of(FLOAT) == ()
    assert dims_of(UNKNOWN) is None
    assert same_shape(Array(F8, (A,)), Array(F4, (A,)))
    assert not same_shape(Array(F8, None), Array(F8, None))
    assert broadcasts_to_same(Array(F8, (A, B)), Array(F8, (A, B)))
    assert not broadcasts_to_same(Array(F8, (1, B)), Array(F8, (A, B)))
    assert not broadcasts_to_same(Array(F8, (B,)), Array(F8, (A, B)))


def test_unknown_facts_are_undecided():
    for name in ("ndim", "shape", "dtype"):
        with pytest.raises(Undecided):
            getattr(UNKNOWN, name)
    with pytest.raises(Undecided):
        Array(F8, None).shape
    assert Array(F8, (A,)).ndim == 1


def test_freeze_tells_types_apart():
    values = [1, 1.0, True, 1 + 0j, "1", b"1", None, ..., (1,), [1], {"a": 1}, slice(1), 0.0, -0.0]
    frozen = [freeze(v) for v in values]
    assert len(set(frozen)) == len(values)
    assert freeze(float("nan")) == freeze(float("nan"))
    assert freeze([1, (2.0, {"k": None})]) == freeze([1, (2.0, {"k": None})])


VALUES = [
    1, 1.0, True, False, None, "a", "b", 1j, np.float64(1.0), np.float32(1.0), np.ones(3),
    np.ones(4), np.ones((3, 1)), np.ones(3, np.float32), np.arange(3), [1.0], [1.0, 2.0], (1.0,),
    {"a": 1.0}, {"b": 1.0}, {"a": 1}, {"a": np.ones(3)}, Point(1.0, 2.0), (1.0, 2.0), range(3),
    np.sin, np.cos, float, np.float64, [True], [False], [None], ["a"], (), [], {},
]  # fmt: skip


def test_signatures_differ_for_what_code_depends_on():
    signatures = [signature_of(v) for v in VALUES]
    for i, a in enumerate(signatures):
        hash(a)
        for j, b in enumerate(signatures):
            assert (a == b) == (i == j), (VALUES[i], VALUES[j])


def test_signatures_are_equal_for_equal_types():
    assert signature_of(1.0) == signature_of(2.0)
    assert signature_of(np.ones(3)) == signature_of(np.zeros(3))
    assert signature_of({"a": [1.0, np.ones(2)]}) == signature_of({"a": [2.0, np.zeros(2)]})


@pytest.mark.parametrize("i", range(len(VALUES)))
def test_direct_calls_agree_with_signatures(i):
    def found(*args):
        return "found"

    def missed(*args):
        return args

    args = VALUES[i], 1.0
    call = direct_call(args, Compiled(found, None, None, "", found), found, missed, epoch.number)
    for j, other in enumerate(VALUES):
        assert call(other, 5.0) == ("found" if i == j else (other, 5.0))
    assert call(VALUES[i], 1) == (VALUES[i], 1)


def test_weak_numbers_join_and_fill():
    weak = join(Array(F4, ()), FLOAT, S)
    assert weak == join(weak, Array(F4, ()), S) == join(weak, INT, S)
    assert filled(weak, (A,)) == Array(F4, (A,), loose="precision")
    assert filled(Array(F8, (), weak="float"), (A,)) == Array(F8, (A,))
    assert filled(Array(F8, (), weak="int"), (A,)) == Array(F8, (A,), loose="kind")
    with pytest.raises(Undecided):
        weak.dtype
