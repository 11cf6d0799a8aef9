"""Trees of arrays: leaves, names, functions over them, and what is refused."""

import collections

import numpy as np
import pytest

from adjoint import tree

Pair = collections.namedtuple("Pair", "weight bias")


class Node:
    """An object with children by name, by the protocol of trees."""

    def __init__(self, **children):
        self.children = children

    def __tree_flatten__(self):
        return self.children

    def __tree_unflatten__(self, children):
        return type(self)(**children)


class Other(Node):
    pass


def net():
    return {"fc": Pair(1.0, 2.0), "rest": [3.0, None, (4.0,)], "node": Node(a=5.0, b=Node(c=6.0))}


def test_leaves_are_in_the_order_of_the_containers():
    assert tree.leaves(net()) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_names_are_the_way_to_the_leaf():
    names = ["fc.weight", "fc.bias", "rest.0", "rest.2.0", "node.a", "node.b.c"]
    assert tree.named_leaves(net()) == dict(zip(names, tree.leaves(net())))


def test_a_tree_may_be_a_leaf_or_nothing():
    x = np.ones(3)
    assert tree.named_leaves(x) == {"": x}
    assert tree.leaves(None) == []
    assert tree.map(lambda leaf: leaf + 1, 1.0) == 2.0
    assert tree.map(lambda leaf: leaf + 1, None) is None


def test_two_leaves_of_one_name_are_refused():
    with pytest.raises(ValueError, match="the name 'a.1'"):
        tree.named_leaves({"a": {1: 1.0, "1": 2.0}})


def test_map_keeps_the_structure():
    twice = tree.map(lambda x: 2 * x, net())
    assert tree.named_leaves(twice) == {k: 2 * v for k, v in tree.named_leaves(net()).items()}
    assert isinstance(twice["fc"], Pair) and isinstance(twice["rest"][2], tuple)
    assert isinstance(twice["node"], Node) and isinstance(twice["node"].children["b"], Node)


def test_map_keeps_what_else_a_subclass_has():
    table = collections.defaultdict(list, a=1.0)
    twice = tree.map(lambda x: 2 * x, table)
    assert twice == {"a": 2.0} and twice["new"] == [] and table == {"a": 1.0}
    ordered = tree.map(lambda x: 2 * x, collections.OrderedDict(b=1.0, a=2.0))
    assert isinstance(ordered, collections.OrderedDict) and list(ordered) == ["b", "a"]


def test_dicts_are_matched_by_key_in_the_order_of_the_first():
    first, second = {"a": 1.0, "b": 2.0}, {"b": 20.0, "a": 10.0}
    total = tree.map(lambda x, y: x + y, first, second)
    assert list(total.items()) == [("a", 11.0), ("b", 22.0)]


def test_none_stands_for_a_leaf_that_has_no_gradient():
    params, grads = {"w": 1.0, "name": "first"}, {"w": 0.5, "name": None}
    updated = tree.map(lambda p, g: p if g is None else p - g, params, grads)
    assert updated == {"w": 0.5, "name": "first"}
    assert tree.map(lambda g, p: p - g, grads, params) == {"w": 0.5, "name": None}


@pytest.mark.parametrize(
    ("first", "other", "message"),
    [
        ({"a": [1.0, 2.0]}, {"a": [1.0]}, "at 'a': a list of 2 in the first, a list of 1"),
        ({"a": [1.0]}, {"a": (1.0,)}, "at 'a': a list of 1 in the first, a tuple of 1"),
        ({"a": {"b": 1.0}}, {"a": {}}, "at 'a.b': there is nothing in another"),
        ({"a": {}}, {"a": {"b": 1.0}}, "at 'a.b': the first has nothing"),
        ({"a": 1.0}, {"a": [1.0]}, "at 'a': a float in the first, a list of 1"),
        ({"a": None}, {"a": [1.0]}, "at 'a': None in the first, a list of 1"),
        ([1.0], 1.0, "at the top: a list of 1 in the first, a float in another"),
        (Node(a=1.0), Other(a=1.0), "at the top: a Node in the first, an Other in another"),
        (Node(a=1.0), Node(b=1.0), "at 'a': there is nothing in another"),
        (Pair(1.0, 2.0), (1.0, 2.0), "at the top: a Pair of 2 in the first, a tuple of 2"),
    ],
)
def test_the_first_difference_is_named(first, other, message):
    with pytest.raises(ValueError, match=message):
        tree.map(lambda x, y: x, first, other)


def test_unflatten_puts_leaves_in_their_places():
    numbers = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    new = tree.unflatten(net(), iter(numbers))
    assert tree.leaves(new) == numbers
    assert new["rest"] == [30.0, None, (40.0,)]


@pytest.mark.parametrize("count", [5, 7])
def test_unflatten_counts(count):
    with pytest.raises(ValueError, match=f"6 leaves, and there are {count} new ones"):
        tree.unflatten(net(), range(count))
