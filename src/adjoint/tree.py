"""Containers of arrays as trees: their leaves, the names of these, and functions over them.

A tree is a dict, a list, a tuple, a named tuple, an object with the two methods below, or a leaf:
anything else, such as an array or a float. None holds no leaf. Children are taken in the order of
the container, those of a dict in the order of insertion.

An object takes part by two methods, as `adjoint.nn.Module` does:

    def __tree_flatten__(self) -> dict[str, child]: ...
    def __tree_unflatten__(self, children: dict[str, child]) -> object: ...

The first gives its children by name, the second makes another object of its kind that has these
children in their place. One that is met where the other object is expected must be of its class.

A leaf's name is the way to it: "fc1.weight", "layers.0.bias"; that of a tree that is a leaf is "".
"""

from __future__ import annotations

import builtins
import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

__all__ = ["leaves", "map", "named_leaves", "unflatten"]


def leaves(tree: Any) -> list[Any]:
    """The leaves of a tree, in order. An array that stands in two places is there twice.

    >>> leaves({"w": 1.0, "layers": [(2.0, 3.0), None], "b": 4.0})
    [1.0, 2.0, 3.0, 4.0]
    """
    found: list[Any] = []
    _collect(tree, found)
    return found


def named_leaves(tree: Any) -> dict[str, Any]:
    """The leaves of a tree by dotted name, in the order of `leaves`.

    Raises ValueError if two leaves have the same name, as in `{1: x, "1": y}`.

    >>> named_leaves({"fc1": {"weight": 1.0, "bias": 2.0}, "rest": [3.0, None]})
    {'fc1.weight': 1.0, 'fc1.bias': 2.0, 'rest.0': 3.0}
    """
    found: dict[str, Any] = {}
    _collect_named(tree, "", found)
    return found


def map(fn: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """`fn(leaf, *others)` for each leaf of `tree`, in the structure of `tree`.

    rest: trees of the same structure. Children of a dict are matched by key. A leaf of `tree` may
        be None in another tree, and `fn` gets the None: the gradient of a text is None, say.
        Where `tree` itself has None, the result has None; a leaf of another tree is left out.

    Raises ValueError, with the path, where structures differ.

    >>> params, d_params = {"w": 3.0, "b": (1.0, 2.0)}, {"b": (0.5, 0.5), "w": 1.0}
    >>> map(lambda p, d_p: p - d_p, params, d_params)
    {'w': 2.0, 'b': (0.5, 1.5)}
    >>> map(max, {"w": [1.0, 2.0]}, {"w": [1.0]})
    Traceback (most recent call last):
    ValueError: the trees differ at 'w': a list of 2 in the first, a list of 1 in another
    """
    return _map(fn, tree, rest, ())


def unflatten(tree: Any, new_leaves: Iterable[Any]) -> Any:
    """A tree of the structure of `tree` with other leaves, in the order of `leaves`.

    Raises ValueError if there are too many or too few of them.

    >>> unflatten({"w": 1.0, "b": [2.0, None]}, [10.0, 20.0])
    {'w': 10.0, 'b': [20.0, None]}
    """
    taken = list(new_leaves)
    expected = len(leaves(tree))
    if len(taken) != expected:
        raise ValueError(f"the tree has {expected} leaves, and there are {len(taken)} new ones")
    new = iter(taken)
    return map(lambda _: next(new), tree)


def _children(node: Any) -> dict[Any, Any] | None:
    """The children of a node by key, in order; None for a leaf."""
    if node.__class__ is np.ndarray:  # the most frequent leaf
        return None
    if isinstance(node, dict):
        return node
    if isinstance(node, (list, tuple)):
        return dict(zip(getattr(node, "_fields", range(len(node))), node))
    flatten = getattr(type(node), "__tree_flatten__", None)
    return None if flatten is None else flatten(node)


def _with_children(node: Any, children: dict[Any, Any]) -> Any:
    """A container of the kind of `node` with other children under the same keys."""
    if isinstance(node, dict):
        if type(node) is dict:
            return children
        new = copy.copy(node)  # a subclass keeps what else it has, such as a default factory
        new.update(children)
        return new
    if isinstance(node, (list, tuple)):
        if hasattr(node, "_make"):
            return node._make(children.values())
        return type(node)(children.values())
    return node.__tree_unflatten__(children)


def _collect(node: Any, found: list[Any]) -> None:
    children = _children(node)
    if children is not None:
        for child in children.values():
            _collect(child, found)
    elif node is not None:
        found.append(node)


def _collect_named(node: Any, name: str, found: dict[str, Any]) -> None:
    children = _children(node)
    if children is not None:
        prefix = f"{name}." if name else ""
        for key, child in children.items():
            _collect_named(child, f"{prefix}{key}", found)
    elif node is not None:
        if name in found:
            raise ValueError(f"two leaves of the tree have the name {name!r}")
        found[name] = node


def _map(fn: Callable[..., Any], node: Any, others: tuple[Any, ...], path: tuple[str, ...]) -> Any:
    children = _children(node)
    if children is None:
        for other in others:
            if _children(other) is not None:
                raise _difference(node, other, path)
        return None if node is None else fn(node, *others)
    beside = []
    for other in others:
        if _kind(other) is not _kind(node):
            raise _difference(node, other, path)
        found = _children(other)
        assert found is not None
        for key in [*children, *found]:
            if key not in found or key not in children:
                if isinstance(node, (list, tuple)):
                    raise _difference(node, other, path)
                where, missing = ".".join((*path, str(key))), key not in found
                which = "there is nothing in another" if missing else "the first has nothing"
                raise ValueError(f"the trees differ at {where!r}: {which}")
        beside.append(found)
    return _with_children(
        node,
        {
            key: _map(fn, child, tuple([o[key] for o in beside]), (*path, str(key)))
            for key, child in children.items()
        },
    )


def _kind(node: Any) -> type:
    """What two containers have in common that are matched; subclasses of dict and list match."""
    if isinstance(node, dict):
        return dict
    if isinstance(node, list):
        return list
    if isinstance(node, tuple) and not hasattr(node, "_fields"):
        return tuple
    return type(node)


def _difference(node: Any, other: Any, path: tuple[str, ...]) -> ValueError:
    where = f"at {'.'.join(path)!r}" if path else "at the top"
    first, another = builtins.map(_description, (node, other))
    return ValueError(f"the trees differ {where}: {first} in the first, {another} in another")


def _description(node: Any) -> str:
    if node is None:
        return "None"
    article = "an" if type(node).__name__[0] in "aeiouAEIOU" else "a"
    size = f" of {len(node)}" if isinstance(node, (dict, list, tuple)) else ""
    return f"{article} {type(node).__name__}{size}"
