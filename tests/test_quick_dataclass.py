"""Our dataclasses do what those of the standard library do."""

import copy
import dataclasses
import pickle
import threading

import pytest

from adjoint import quick_dataclass


class OneField:
    size: int


class Base:
    name: str
    size: int = 3


class Extended(Base):
    size: int = 4
    items: list = None


def made(module, cls, **options):
    """A class with the fields of another, by one of the two modules."""
    body = {"__annotations__": dict(cls.__annotations__), "__module__": __name__}
    body |= {name: value for name, value in vars(cls).items() if name in cls.__annotations__}
    if "items" in body["__annotations__"]:
        body["items"] = module.field(default_factory=list)
    bases = tuple(made(module, b, **options) for b in cls.__bases__ if b is not object)
    return module.dataclass(**options)(type(cls.__name__, bases, body))


CALLS = [
    (OneField, (1,), {}),
    (Base, ("a",), {}),
    (Base, ("a", 5), {}),
    (Base, (), {"size": 1, "name": "b"}),
    (Extended, ("a",), {}),
    (Extended, ("a", 1, [2]), {}),
]


@pytest.mark.parametrize("options", [{}, {"eq": False}, {"frozen": True}])
@pytest.mark.parametrize("cls, args, kwargs", CALLS)
def test_objects_are_those_of_the_standard_library(cls, args, kwargs, options):
    ours = made(quick_dataclass, cls, **options)
    standard = made(dataclasses, cls, **options)
    one, other = ours(*args, **kwargs), standard(*args, **kwargs)
    assert vars(one) == vars(other)
    assert repr(one) == repr(other)
    assert (one == ours(*args, **kwargs)) is (other == standard(*args, **kwargs))
    assert (ours.__hash__ is None) is (standard.__hash__ is None)
    assert vars(quick_dataclass.replace(one)) == vars(one)


@pytest.mark.parametrize("args, kwargs", [((), {}), ((1, 2, 3), {}), (("a",), {"other": 1})])
def test_wrong_arguments(args, kwargs):
    for module in (quick_dataclass, dataclasses):
        with pytest.raises(TypeError):
            made(module, Base)(*args, **kwargs)


def test_values_are_compared_within_a_class():
    one, other = (made(quick_dataclass, Base, frozen=True) for _ in range(2))
    assert one("a", 1) == one("a", 1) != one("a", 2)
    assert hash(one("a", 1)) == hash(one("a", 1))
    assert one("a", 1) != other("a", 1)
    with pytest.raises(TypeError):
        hash(one("a", []))


def test_a_made_default_is_made_for_each():
    cls = made(quick_dataclass, Extended)
    assert cls("a").items is not cls("a").items
    assert not hasattr(cls, "items")


def test_replace():
    cls = made(quick_dataclass, Extended)
    first = cls("a", 1, [2])
    assert vars(quick_dataclass.replace(first, size=7)) == {"name": "a", "size": 7, "items": [2]}
    assert first.size == 1
    with pytest.raises(TypeError):
        quick_dataclass.replace(first, other=1)


@quick_dataclass.dataclass(frozen=True)
class Place:
    line: int
    column: int = 0


class Named(Place):
    """Has an `__init__` of its own, which is called before that of its base was ever needed."""

    def __init__(self, name, line):
        self.name = name
        super().__init__(line)


def test_subclasses_call_the_initialiser_of_their_base():
    assert vars(Named("a", 2)) == {"name": "a", "line": 2, "column": 0}


def test_copies():
    for again in (pickle.loads(pickle.dumps(Place(3))), copy.deepcopy(Place(3))):
        assert again == Place(3)


def test_first_objects_in_many_threads():
    for _ in range(20):
        cls = made(quick_dataclass, Extended)
        start, found = threading.Barrier(8), []

        def make(cls=cls, start=start, found=found):
            start.wait()
            found.append(vars(cls("a", items=[1])))

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [{"name": "a", "size": 4, "items": [1]}] * 8
