"""A table of programs: each is run as it is, differentiated in every way, and compared."""

import ast
import copy
import zlib
from dataclasses import dataclass

import numpy as np

import adjoint as ad


@dataclass(frozen=True)
class Normal:
    """An argument: an array of normally distributed numbers, the same on every run."""

    shape: tuple
    dtype: type = np.float64

    def draw(self, rng):
        return rng.normal(size=self.shape).astype(self.dtype)


def array(*shape, dtype=np.float64):
    return Normal(shape, dtype)


@dataclass(frozen=True)
class Program:
    """A function and arguments for it; `wrt` are those to differentiate by."""

    fn: object
    args: tuple
    wrt: tuple

    def __str__(self):
        return self.fn.__name__

    def arguments(self):
        """The arguments, made anew at each call."""
        rng = np.random.default_rng(zlib.crc32(self.fn.__name__.encode()))
        return [copy.deepcopy(realise(a, rng)) for a in self.args]


def table(programs):
    """A decorator that adds a function and arguments for it to a list of programs."""

    def program(*args, wrt=None):
        def add(fn):
            where = wrt
            if where is None:
                where = tuple(i for i, a in enumerate(args) if is_differentiable(a))
            programs.append(Program(fn, args, where))
            return fn

        return add

    return program


def realise(spec, rng):
    if isinstance(spec, Normal):
        return spec.draw(rng)
    if isinstance(spec, dict):
        return {k: realise(v, rng) for k, v in spec.items()}
    if isinstance(spec, tuple) and hasattr(spec, "_fields"):
        return type(spec)(*(realise(v, rng) for v in spec))
    if isinstance(spec, (list, tuple)):
        return type(spec)(realise(v, rng) for v in spec)
    return spec


def is_differentiable(spec):
    if isinstance(spec, (Normal, float)):
        return True
    if isinstance(spec, dict):
        return any(map(is_differentiable, spec.values()))
    if isinstance(spec, (list, tuple)):
        return any(map(is_differentiable, spec))
    return isinstance(spec, np.ndarray) and spec.dtype.kind == "f"


def is_object(value):
    """Whether a value is an object with parts, such as a module."""
    return hasattr(type(value), "__tree_flatten__")


def leaves(value):
    """The numbers and arrays in a container, in order; what is not differentiable left out."""
    if isinstance(value, dict):
        return [leaf for v in value.values() for leaf in leaves(v)]
    if isinstance(value, (list, tuple)):
        return [leaf for v in value for leaf in leaves(v)]
    if is_object(value):
        return [leaf for v in value.__tree_flatten__().values() for leaf in leaves(v)]
    if value is None or isinstance(value, (str, bool)):
        return []
    if isinstance(value, np.ndarray) and value.dtype.kind != "f":
        return []
    return [value]


def flat(value):
    """All numbers of a container as one array of float64."""
    found = leaves(value)
    return np.concatenate([np.ravel(leaf) for leaf in found] or [[]]).astype(float)


def moved(value, step):
    """A container of the same form as `value`, its numbers changed by the next of `step`."""
    if isinstance(value, dict):
        return {k: moved(v, step) for k, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(moved(v, step) for v in value))
    if isinstance(value, (list, tuple)):
        return type(value)(moved(v, step) for v in value)
    if is_object(value):
        parts = value.__tree_flatten__().items()
        return value.__tree_unflatten__({k: moved(v, step) for k, v in parts})
    if not leaves(value):
        return value
    change = np.array([next(step) for _ in range(np.size(value))]).reshape(np.shape(value))
    if isinstance(value, np.ndarray):
        return value.astype(float) + change
    return float(value) + float(change)


def central_differences(program, position, eps=1e-6):
    """The gradient of a program by one argument, numerically."""
    size = flat(program.arguments()[position]).size
    gradient = np.zeros(size)
    for k in range(size):
        ends = []
        for sign in (1, -1):
            args = program.arguments()
            step = np.zeros(size)
            step[k] = sign * eps
            args[position] = moved(args[position], iter(step))
            ends.append(float(np.asarray(program.fn(*args)).item()))
        gradient[k] = (ends[0] - ends[1]) / (2 * eps)
    return gradient


def structure(value):
    """What a gradient has to share with its argument: containers, shapes and dtypes."""
    if isinstance(value, dict):
        return {k: structure(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [type(value), *map(structure, value)]
    if is_object(value):
        return type(value), structure(value.__tree_flatten__())
    if not leaves(value):
        return None
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype, value.shape
    return float


def assert_same(got, want):
    """Equal containers of equal numbers, exactly; nan equals nan."""
    assert type(got) is type(want) or (np.ndim(got) == 0 and np.ndim(want) == 0)
    if isinstance(want, dict):
        assert list(got) == list(want)
        for key in want:
            assert_same(got[key], want[key])
    elif isinstance(want, (list, tuple)):
        assert len(got) == len(want)
        for a, b in zip(got, want, strict=True):
            assert_same(a, b)
    elif is_object(want):
        assert_same(vars(got), vars(want))
    elif isinstance(want, np.ndarray):
        np.testing.assert_array_equal(got, want, strict=True)
    elif isinstance(want, (float, np.floating)):
        np.testing.assert_equal(got, want)
    else:
        assert got == want


def check_program(program):
    """Everything that holds for every program."""
    ran = program.arguments()
    value = program.fn(*ran)
    single = any(
        leaf.dtype == np.float32 for leaf in leaves(program.arguments()) if hasattr(leaf, "dtype")
    )
    tolerance = {"rtol": 5e-3, "atol": 5e-3} if single else {"rtol": 2e-5, "atol": 1e-7}
    gradients = []
    for position in program.wrt:
        args = program.arguments()
        derivative = ad.value_and_grad(program.fn, argnums=position)
        got, gradient = derivative(*args)
        np.testing.assert_allclose(got, value, rtol=1e-6 if single else 1e-14)
        assert_same(args, ran)
        assert structure(gradient) == structure(program.arguments()[position])
        numerical = central_differences(program, position, 1e-2 if single else 1e-6)
        np.testing.assert_allclose(flat(gradient), numerical, **tolerance)
        gradients.append(gradient)
        assert_same(ad.grad(program.fn, argnums=position)(*program.arguments()), gradient)
        check_source(program, position)
    check_all_at_once(program, gradients)
    check_pullback(program, value, gradients)
    check_forward(program, value, ran, gradients)
    if not single:
        check_second_order(program)


def check_source(program, position):
    texts = [ad.source(program.fn, *program.arguments(), argnums=position) for _ in range(2)]
    assert texts[0] == texts[1], "the text differs from one compilation to the next"
    ast.parse(texts[0])
    assert max(map(len, texts[0].splitlines())) < 200


def check_all_at_once(program, gradients):
    """Several gradients from one backward sweep are those of one sweep each."""
    if len(program.wrt) < 2:
        return
    together = ad.grad(program.fn, argnums=program.wrt)(*program.arguments())
    assert isinstance(together, tuple)
    for got, want in zip(together, gradients, strict=True):
        np.testing.assert_allclose(flat(got), flat(want), rtol=1e-5, atol=1e-12)
        assert structure(got) == structure(want)


def check_pullback(program, value, gradients):
    """vjp agrees with grad; a pullback may be called again."""
    got, pullback = ad.vjp(program.fn, *program.arguments())
    np.testing.assert_allclose(got, value, rtol=1e-6)
    seed = np.ones_like(value) if isinstance(value, np.ndarray) else type(value)(1)
    for _ in range(2):
        parts = pullback(seed)
        assert len(parts) == len(program.args)
        for position, want in zip(program.wrt, gradients, strict=True):
            np.testing.assert_allclose(flat(parts[position]), flat(want), rtol=1e-5, atol=1e-12)


def check_forward(program, value, ran, gradients):
    """Forward mode: value and effects of the function, and the tangent that the gradients give."""
    for positions in {tuple(program.wrt), *((p,) for p in program.wrt)}:
        args, tangents, want = program.arguments(), [], 0.0
        rng = np.random.default_rng(3)
        for position, arg in enumerate(args):
            moves = position in positions
            step = rng.normal(size=10_000) if moves else np.zeros(10_000)
            tangents.append(tangent_of(arg, iter(step)))
            if moves:
                gradient = gradients[program.wrt.index(position)]
                want += float(np.dot(flat(gradient), flat_tangent(tangents[-1], arg)))
        given = copy.deepcopy(tangents)
        got, tangent = ad.jvp(program.fn, tuple(args), tuple(tangents))
        np.testing.assert_allclose(got, value, rtol=1e-6)
        assert_same(args, ran)
        assert_same(tangents, given)
        assert np.shape(tangent) == np.shape(got) and np.result_type(tangent) == np.result_type(got)
        single = any(getattr(leaf, "dtype", None) == np.float32 for leaf in leaves(ran))
        tolerance = {"rtol": 1e-4, "atol": 1e-4} if single else {"rtol": 1e-9, "atol": 1e-10}
        np.testing.assert_allclose(np.ravel(tangent), np.ravel(want), **tolerance)


def check_second_order(program):
    """The gradient by the first argument, differentiated in forward mode along all of them."""
    if 0 not in program.wrt:
        return
    rng = np.random.default_rng(5)
    tangents = []
    for position, arg in enumerate(program.arguments()):
        moves = position in program.wrt
        tangents.append(
            tangent_of(arg, iter(rng.normal(size=10_000) if moves else np.zeros(10_000)))
        )
    given = copy.deepcopy(tangents)
    got = ad.hvp(program.fn, tuple(program.arguments()), tuple(tangents))
    assert_same(tangents, given)
    assert structure(got) == structure(program.arguments()[0])
    ends = []
    for sign in (1e-5, -1e-5):
        args = [
            moved(a, iter(sign * flat_tangent(t, a))) if i in program.wrt else a
            for i, (a, t) in enumerate(zip(program.arguments(), tangents, strict=True))
        ]
        ends.append(flat(ad.grad(program.fn)(*args)))
    np.testing.assert_allclose(flat(got), (ends[0] - ends[1]) / 2e-5, rtol=1e-4, atol=1e-5)


def tangent_of(value, step):
    """A tangent of the form of `value`, made of the next numbers of `step`; None for an int."""
    if isinstance(value, dict):
        return {k: tangent_of(v, step) for k, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(tangent_of(v, step) for v in value))
    if isinstance(value, (list, tuple)):
        return type(value)(tangent_of(v, step) for v in value)
    if not is_differentiable(value) and not isinstance(value, np.floating):
        return None
    change = np.array([next(step) for _ in range(np.size(value))]).reshape(np.shape(value))
    return change.astype(value.dtype)[()] if hasattr(value, "dtype") else float(change)


def flat_tangent(tangent, value):
    """The numbers of a tangent in the order of `flat(value)`; 0 where nothing moves."""
    if isinstance(value, dict):
        parts = [flat_tangent(tangent[k], v) for k, v in value.items()]
    elif isinstance(value, (list, tuple)):
        parts = [flat_tangent(t, v) for t, v in zip(tangent, value, strict=True)]
    elif not leaves(value):
        return np.zeros(0)
    else:
        return np.zeros(np.size(value)) if tangent is None else np.ravel(tangent).astype(float)
    return np.concatenate([np.zeros(0), *parts])
