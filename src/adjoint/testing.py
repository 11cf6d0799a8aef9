"""Checks of derivatives against central differences: for users, and for our own rules."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import ArgumentError
from .runtime.generic import copy, rebuild
from .runtime.modules import module_of
from .runtime.shared_parts import has_ties
from .runtime.structs import is_struct, map_parts

__all__ = ["check_grads"]

_DIRECTIONS = 2  # random directions for each argument, each with a cotangent of its own
_MOST_ELEMENTS = 64  # of an argument that is also checked element by element
_SEED = 0
_TOLERANCE = {"float16": 1e-1, "float32": 5e-3, "float64": 1e-6}

Path = tuple[Any, ...]  # the keys that lead to a number or an array inside a container


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 1,
    modes: Sequence[str] = ("reverse", "forward"),
    eps: float | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    argnums: int | Sequence[int] | None = None,
) -> None:
    """Check the derivatives of a function against central differences.

    Returns None if they agree, and raises AssertionError if not: the message names the argument,
    the element or the direction, what the derivative gives and what the differences give.

    f: a function of numbers, arrays, and lists, tuples and dicts of those; its result may be any
        of these too. It is called often and must give the same result each time.
    args: its arguments, in a tuple or a list. f gets copies of them.
    order: up to which order derivatives are checked. Above 1, the library must be able to
        differentiate a gradient; where it cannot, its AdjointError is passed on.
    modes: "reverse" checks `ad.vjp`, "forward" checks `ad.jvp`.
    eps: the step of the differences; by default the cube root of the rounding unit of the
        coarsest dtype met, about 6e-6 for float64 and 5e-3 for float32.
    rtol, atol: the tolerances; by default 1e-6 for float64 and 5e-3 for float32, and to `atol`
        is added what the rounding of f can do to a difference.
    argnums: the positions of the arguments to check. By default these are all arguments that are
        floats, complex numbers, arrays of those or containers; Python ints count as parameters.

    Each argument is checked along random directions, which are the same on every run, and one of
    at most 64 elements also element by element. Checked too: that value and arguments are those
    that f gives and leaves, and that cotangents have the structure, shapes and dtypes of the
    arguments.

    Raises ArgumentError for an order or a mode that does not exist.

    >>> import numpy as np
    >>> def loss(params, x):
    ...     return np.tanh(x @ params["w"] + params["b"])
    >>> check_grads(loss, ({"w": np.ones((3, 2)), "b": np.zeros(2)}, np.eye(3)))

    A derivative that is wrong on purpose:

    >>> from adjoint import stop_gradient
    >>> def cube(x):
    ...     return x * x * stop_gradient(x)
    >>> check_grads(cube, (2.0,))
    Traceback (most recent call last):
    AssertionError: the reverse derivative of `cube` by `x` is wrong:
        vjp gives            8
        differences give     12
    """
    if not isinstance(order, int) or isinstance(order, bool) or order < 1:
        raise ArgumentError(f"order must be a positive integer, got {order!r}")
    modes = (modes,) if isinstance(modes, str) else tuple(modes)
    for mode in modes:
        if mode not in ("reverse", "forward"):
            raise ArgumentError(f"modes are 'reverse' and 'forward', got {mode!r}")
    check = _Check(f, tuple(args), eps, rtol, atol, argnums)
    if "reverse" in modes:
        check.reverse()
    if "forward" in modes:
        check.forward()
    if order > 1:
        pulled, primals, numbers = check.pulled()
        check_grads(pulled, primals, order - 1, modes, eps, rtol, atol, numbers)


def _operators() -> Any:
    import adjoint  # late: adjoint imports this module

    return adjoint


class _Check:
    """One function at one point, with the steps and tolerances that suit its dtypes."""

    def __init__(
        self,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        eps: float | None,
        rtol: float | None,
        atol: float | None,
        argnums: int | Sequence[int] | None,
    ) -> None:
        self.f = f
        self.name = getattr(f, "__name__", type(f).__name__)
        self.positions = _positions(args, argnums)
        self.args = tuple(
            _floated(a) if i in self.positions and argnums is not None else a
            for i, a in enumerate(args)
        )
        self.arg_names = _argument_names(f, len(args))
        for i in self.positions:
            if has_ties(args[i]):
                raise ArgumentError(
                    f"`{self.arg_names[i]}` holds an array or an object at two places, "
                    "and differences move each place by itself",
                    None,
                    "Check the function of the array, as an argument of its own.",
                )
        self.random = np.random.default_rng(_SEED)
        self.left = self.fresh()
        self.value = f(*self.left)
        dtype = _coarsest([self.args[i] for i in self.positions], self.value)
        self.unit = float(np.finfo(dtype).eps)
        self.eps = self.unit ** (1 / 3) if eps is None else eps
        self.rtol = _TOLERANCE[dtype.name] if rtol is None else rtol
        self.atol = atol
        self.default_atol = _TOLERANCE[dtype.name]

    def fresh(self) -> list[Any]:
        return [copy(a) for a in self.args]

    # -- the two modes --------------------------------------------------------------------

    def reverse(self) -> None:
        given = self.fresh()
        value, pullback = _operators().vjp(self.f, *given)
        self.compare_value(value, "vjp")
        self.compare_arguments(given, "vjp")
        for turn in range(_DIRECTIONS):
            cotangent = self.cotangent(simple=turn == 0)
            kept = copy(cotangent)
            pulled = pullback(cotangent)
            self.compare_arguments(given, "the pullback")
            if not _equal(cotangent, kept):
                raise AssertionError(f"the pullback of `{self.name}` changes its cotangent")
            if not isinstance(pulled, tuple) or len(pulled) != len(self.args):
                raise AssertionError(
                    f"the pullback of `{self.name}` gives {_brief(pulled)}, "
                    f"and not one cotangent for each of {len(self.args)} arguments"
                )
            for i in self.positions:
                self.compare_form(pulled[i], self.args[i], self.arg_names[i])
                for step in self.steps(self.args[i], turn):
                    self.compare_step(i, step, cotangent, pulled[i])

    def steps(self, arg: Any, turn: int) -> Iterator[_Step]:
        leaves = list(_leaves(arg))
        size = sum(leaf.host.size for leaf in leaves)
        if size <= (_MOST_ELEMENTS if turn == 0 else 1):
            for leaf in leaves:
                yield from self.elements(leaf)
        if size > 1:
            yield self.direction(leaves)

    def compare_step(self, i: int, step: _Step, cotangent: Any, pulled: Any) -> None:
        """sum(ct[x] * dx) against the change of sum(ct[y] * y), for one step of one argument."""
        moved, want, noise = self.difference(i, step, cotangent)
        got = 0.0
        for path, by in moved.items():
            got += float(np.real(np.sum(_host(_at(pulled, path)) * by)))
        self.compare("reverse", "vjp", i, step, got / step.length, want, noise)

    def forward(self) -> None:
        """sum(ct[y] * t[y]) for the tangent of a step against the change of sum(ct[y] * y)."""
        for _ in range(_DIRECTIONS):
            cotangent = self.cotangent()
            for i in self.positions:
                step = self.direction(list(_leaves(self.args[i])))
                moved, want, noise = self.difference(i, step, cotangent)
                tangents = tuple(
                    _tangent(a, {p: t / step.length for p, t in moved.items()} if k == i else {})
                    for k, a in enumerate(self.args)
                )
                given = self.fresh()
                value, tangent = _operators().jvp(self.f, tuple(given), tangents)
                self.compare_value(value, "jvp")
                self.compare_arguments(given, "jvp")
                self.compare_form(tangent, self.value, "the value")
                got = self.weigh(tangent, cotangent)[0]
                self.compare("forward", "jvp", i, step, got, want, noise)

    def pulled(self) -> tuple[Callable[..., Any], tuple[Any, ...], tuple[int, ...]]:
        """The gradient as a function to check in turn, and what to check it at."""
        f, positions, vjp = self.f, self.positions, _operators().vjp
        cotangent = self.cotangent()

        def gradient(*primals: Any) -> Any:
            _, pullback = vjp(f, *primals)
            cotangents = pullback(cotangent)
            return tuple([cotangents[i] for i in positions])

        gradient.__name__ = f"{self.name}_grad"
        return gradient, self.args, self.positions

    # -- differences ----------------------------------------------------------------------

    def cotangent(self, *, simple: bool = False) -> Any:
        """A random cotangent of the value; zeros and None where it does not vary.

        simple: it is 1 for a value that is one real number.
        """
        if simple and _varies(self.value) and np.shape(self.value) == ():
            if _kind(self.value) == "f":
                return _like(self.value, 1.0)

        def draw(value: Any) -> Any:
            if not _varies(value):
                return module_of(value).zeros(value.shape) if _is_array(value) else None
            return _like(value, self.normal(np.shape(value), _kind(value)))

        return _map(draw, self.value)

    def normal(self, shape: tuple[int, ...], kind: str) -> Any:
        drawn = self.random.standard_normal(shape)
        return drawn + 1j * self.random.standard_normal(shape) if kind == "c" else drawn

    def direction(self, leaves: list[_Leaf]) -> _Step:
        """A random direction of one argument, of length 1 as measured by the values there."""
        drawn = {leaf.path: self.normal(leaf.shape, leaf.kind) for leaf in leaves}
        length = np.sqrt(sum(float(np.sum(np.abs(t) ** 2)) for t in drawn.values())) or 1.0
        scaled = {
            leaf.path: drawn[leaf.path] * np.maximum(1.0, np.abs(leaf.host)) / length
            for leaf in leaves
        }
        return _Step(scaled, self.eps, ", along a random direction")

    def elements(self, leaf: _Leaf) -> Iterator[_Step]:
        """A step for each element of one number or array; two for a complex one."""
        for index in np.ndindex(leaf.shape):
            size = max(1.0, float(np.abs(leaf.host[index])))
            place = f"[{', '.join(map(str, index))}]" if index else ""
            place = _show_path(leaf.path) + place
            for unit in (1.0, 1j) if leaf.kind == "c" else (1.0,):
                one = np.zeros(leaf.shape, complex if leaf.kind == "c" else float)
                one[index] = unit
                part = ", imaginary part" if unit == 1j else ", real part"
                yield _Step(
                    {leaf.path: one}, self.eps * size, part if leaf.kind == "c" else "", place
                )

    def difference(
        self, i: int, step: _Step, cotangent: Any
    ) -> tuple[dict[Path, Any], float, float]:
        """(how far each leaf moved, the central difference, what rounding can do to it)."""
        ends: list[float] = []
        moved: dict[Path, Any] = {}
        noise = 0.0
        for sign in (1, -1):
            args = self.fresh()
            args[i] = _moved(args[i], step, sign)
            for path in step.along:  # what was really added, once it is rounded
                moved[path] = moved.get(path, 0) + sign * _host(_at(args[i], path)) / 2
            total, size = self.weigh(self.f(*args), cotangent)
            ends.append(total)
            noise = max(noise, size)
        want = (ends[0] - ends[1]) / (2 * step.length)
        return moved, want, 8 * self.unit * noise / step.length

    def weigh(self, value: Any, cotangent: Any) -> tuple[float, float]:
        """sum(real(ct * y)) over all parts of a value, and the sum of the terms' sizes."""
        total, size = 0.0, 0.0
        for leaf in _leaves(value):
            weight = _host(_at(cotangent, leaf.path))
            if weight.dtype == object:  # None: this part did not vary at the point itself
                continue
            terms = np.real(weight * leaf.host)
            total += float(np.sum(terms))
            size += float(np.sum(np.abs(terms)))
        return total, size

    # -- comparisons ----------------------------------------------------------------------

    def compare(
        self, mode: str, operator: str, i: int, step: _Step, got: float, want: float, noise: float
    ) -> None:
        atol = self.default_atol + noise if self.atol is None else self.atol
        if abs(got - want) <= atol + self.rtol * max(abs(got), abs(want)):
            return
        by = f"`{self.arg_names[i]}{step.place}`{step.which}"
        lines = [
            f"the {mode} derivative of `{self.name}` by {by} is wrong:",
            f"    {operator} gives            {got:.9g}",
            f"    differences give     {want:.9g}",
        ]
        if not np.isfinite(want):
            lines.append("    f is not finite a step away: choose a smaller eps, or another point")
        raise AssertionError("\n".join(lines))

    def compare_value(self, value: Any, operator: str) -> None:
        if not _close(value, self.value, 100 * self.unit):
            raise AssertionError(
                f"the value of `{self.name}` from {operator} is {_brief(value)}, "
                f"but the function returns {_brief(self.value)}"
            )

    def compare_arguments(self, given: list[Any], by: str) -> None:
        for name, mine, other in zip(self.arg_names, given, self.left, strict=True):
            if not _close(mine, other, 100 * self.unit):
                raise AssertionError(
                    f"{by} of `{self.name}` leaves `{name}` as {_brief(mine)}, "
                    f"but the function leaves it as {_brief(other)}"
                )

    def compare_form(self, cotangent: Any, of: Any, name: str) -> None:
        """A derivative has the structure, shapes and dtypes of what it belongs to."""

        def fail(what: str) -> AssertionError:
            return AssertionError(f"the derivative for `{name}` of `{self.name}` is {what}")

        if isinstance(of, (dict, list, tuple)):
            if type(cotangent) is not type(of) or len(cotangent) != len(of):
                raise fail(f"{_brief(cotangent)}, not a {type(of).__name__} of length {len(of)}")
            if isinstance(of, dict) and list(cotangent) != list(of):
                raise fail(f"a dict with keys {list(cotangent)}, not {list(of)}")
            for key in of if isinstance(of, dict) else range(len(of)):
                self.compare_form(cotangent[key], of[key], f"{name}[{key!r}]")
        elif is_struct(of.__class__):
            if type(cotangent) is not type(of):
                raise fail(f"{_brief(cotangent)}, not of class {type(of).__name__}")
            mine, parts = cotangent.__tree_flatten__(), of.__tree_flatten__()
            if list(mine) != list(parts):
                raise fail(f"an object with parts {list(mine)}, not {list(parts)}")
            for key, part in parts.items():
                self.compare_form(mine[key], part, f"{name}.{key}")
        elif _varies(of):
            plain = not _is_array(of)  # a 0-d array and a scalar of NumPy stand for one another
            if plain != (not _is_array(cotangent)) or plain and type(cotangent) is not type(of):
                raise fail(f"of type {type(cotangent).__name__}, not {type(of).__name__}")
            if np.shape(cotangent) != np.shape(of):
                raise fail(f"of shape {np.shape(cotangent)}, not {np.shape(of)}")
            if _is_array(of) and cotangent.dtype != of.dtype:
                raise fail(f"of dtype {cotangent.dtype}, not {of.dtype}")
        elif not (cotangent is None or type(of) is int and type(cotangent) is float):
            raise fail(f"{_brief(cotangent)}, but no derivative by it exists")


@dataclass
class _Step:
    """A direction of one argument: how each of its numbers and arrays moves."""

    along: dict[Path, Any]
    length: float
    which: str  # what it is, for people
    place: str = ""  # of a single element


@dataclass
class _Leaf:
    """A number or an array inside an argument or a value."""

    path: Path
    host: Any  # its values, as an array of NumPy
    kind: str  # "f" or "c"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.host.shape


def _leaves(value: Any, path: Path = ()) -> Iterator[_Leaf]:
    """The parts of a value that vary, in order."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, (*path, key))
    elif isinstance(value, (list, tuple)):
        for key, part in enumerate(value):
            yield from _leaves(part, (*path, key))
    elif is_struct(value.__class__):
        for name, part in value.__tree_flatten__().items():
            yield from _leaves(part, (*path, _Part(name)))
    elif _varies(value):
        yield _Leaf(path, _host(value), _kind(value))


def _map(change: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _map(change, v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return rebuild(value, [_map(change, v) for v in value])
    if is_struct(value.__class__):
        return map_parts(functools.partial(_map, change), value)
    return change(value)


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value.__tree_flatten__()[key] if isinstance(key, _Part) else value[key]
    return value


def _is_array(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "shape")


def _varies(value: Any) -> bool:
    if _is_array(value):
        return value.dtype.kind in "fc"
    return isinstance(value, (float, complex))


def _kind(value: Any) -> str:
    return "c" if _host(value).dtype.kind == "c" else "f"


def _host(value: Any) -> Any:
    """A number or an array as an array of NumPy, in double precision."""
    found = np.asarray(value.get() if hasattr(value, "get") else value)
    if found.dtype.kind in "fc":
        return found.astype(complex if found.dtype.kind == "c" else float)
    return found


def _like(value: Any, numbers: Any) -> Any:
    """Numbers of NumPy in the class and dtype of a value."""
    if not _is_array(value):
        return type(value)(numbers)
    if isinstance(value, np.generic):
        return value.dtype.type(numbers)
    return module_of(value).asarray(numbers, dtype=value.dtype)


def _moved(value: Any, step: _Step, sign: int, path: Path = ()) -> Any:
    if isinstance(value, dict):
        return {k: _moved(v, step, sign, (*path, k)) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        moved = [_moved(v, step, sign, (*path, k)) for k, v in enumerate(value)]
        return rebuild(value, moved)
    if is_struct(value.__class__):
        parts = value.__tree_flatten__().items()
        return value.__tree_unflatten__(
            {k: _moved(v, step, sign, (*path, _Part(k))) for k, v in parts}
        )
    if path not in step.along:
        return value
    return _like(value, _host(value) + sign * step.length * step.along[path])


def _tangent(value: Any, along: dict[Path, Any], path: Path = ()) -> Any:
    """A tangent of a value: `along` where it moves, zeros elsewhere, None where it cannot."""
    if isinstance(value, dict):
        return {k: _tangent(v, along, (*path, k)) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return rebuild(value, [_tangent(v, along, (*path, k)) for k, v in enumerate(value)])
    if is_struct(value.__class__):
        parts = value.__tree_flatten__().items()
        return value.__tree_unflatten__(
            {k: _tangent(v, along, (*path, _Part(k))) for k, v in parts}
        )
    if not _varies(value):
        return None
    return _like(value, along.get(path, np.zeros(np.shape(value))))


def _positions(args: tuple[Any, ...], argnums: int | Sequence[int] | None) -> tuple[int, ...]:
    if argnums is None:
        return tuple(i for i, a in enumerate(args) if any(True for _ in _leaves(a)))
    given = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for n in given:
        if not -len(args) <= n < len(args):
            raise ArgumentError(f"argnums={argnums!r}, but there are {len(args)} arguments")
    return tuple(n % len(args) for n in given)


def _floated(value: Any) -> Any:
    """Python ints that are to be differentiated by are floats."""
    return float(value) if type(value) is int else value


def _argument_names(f: Callable[..., Any], count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return names[:count] + [f"args[{i}]" for i in range(len(names), count)]


def _coarsest(args: list[Any], value: Any) -> np.dtype:
    """The real dtype of the least precision among arguments and value."""
    found = np.dtype(float)

    def look(part: Any) -> None:
        nonlocal found
        if _is_array(part) and part.dtype.kind in "fc":
            real = np.zeros(0, part.dtype.name).real.dtype
            if real.name in _TOLERANCE and real.itemsize < found.itemsize:
                found = real

    _map(look, [args, value])
    return found


def _equal(a: Any, b: Any) -> bool:
    return _close(a, b, 0.0)


def _close(a: Any, b: Any, tolerance: float) -> bool:
    """Whether two values have one structure and the same numbers, up to rounding."""
    if isinstance(b, dict):
        if not isinstance(a, dict) or list(a) != list(b):
            return False
        return all(_close(a[k], b[k], tolerance) for k in b)
    if isinstance(b, (list, tuple)):
        if type(a) is not type(b) or len(a) != len(b):
            return False
        return all(_close(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if is_struct(b.__class__):
        if type(a) is not type(b):
            return False
        return _close(a.__dict__, b.__dict__, tolerance)
    if _is_array(b) or isinstance(b, (int, float, complex)):
        if np.shape(a) != np.shape(b):
            return False
        x, y = _host(a), _host(b)
        if x.dtype.kind not in "biufc":
            return False
        return np.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)
    return a is b or bool(a == b)


def _show_path(path: Path) -> str:
    return "".join(f".{key}" if isinstance(key, _Part) else f"[{key!r}]" for key in path)


class _Part(str):
    """The name of a part of an object, in a path."""


def _brief(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."
