"""The forms of the kernels: those of Numba equal those of NumPy, threads, memory, the choice."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import adjoint as ad
from adjoint.nn import kernels
from adjoint.nn.functional.convolution import conv2d, conv2d_input, conv2d_weight
from adjoint.nn.functional.fused import (
    conv2d_relu_max_pool2d,
    picked_conv2d,
    picked_conv2d_input,
    picked_conv2d_weight,
)
from adjoint.nn.functional.pooling import max_pool2d_with_positions, pick2d, unpick2d
from adjoint.nn.kernels import arrays, numpy_, products, threads


@pytest.fixture
def form(monkeypatch):
    """Sets the form by name."""
    return lambda name: monkeypatch.setattr(kernels, "form", name)


@pytest.fixture(params=[1, 2, 3])
def count(request, monkeypatch):
    """Sets how many threads work, whatever the work is."""
    monkeypatch.setattr(threads, "count", request.param)
    monkeypatch.setattr(products, "WORTHWHILE", 0)
    monkeypatch.setattr(numpy_, "WORTHWHILE", 0)
    return request.param


# images, filters, options of the convolution, options of the pooling
CHAINS = [
    ((5, 1, 8, 8), (4, 1, 3, 3), dict(padding=1), dict(kernel_size=2)),
    ((5, 16, 8, 8), (4, 16, 3, 3), dict(padding=1), dict(kernel_size=2)),
    ((5, 16, 9, 7), (4, 16, 3, 2), {}, dict(kernel_size=2)),
    ((5, 16, 9, 11), (4, 16, 3, 3), dict(stride=(2, 1), padding=1), dict(kernel_size=(2, 3))),
    ((5, 16, 9, 11), (4, 16, 3, 3), dict(dilation=(2, 1), padding=2), dict(kernel_size=2)),
    ((5, 16, 9, 11), (4, 16, 3, 3), dict(dilation=2, padding="same"), dict(kernel_size=2)),
    ((5, 16, 9, 11), (4, 16, 3, 3), {}, dict(kernel_size=2, pool_stride=3)),
    ((5, 16, 9, 11), (4, 16, 3, 3), {}, dict(kernel_size=3, pool_stride=2, pool_padding=1)),
    ((5, 16, 8, 8), (4, 8, 3, 3), dict(groups=2), dict(kernel_size=2)),
    ((0, 16, 8, 8), (4, 16, 3, 3), {}, dict(kernel_size=2)),
]
chains = pytest.mark.parametrize(
    ("images", "filters", "options", "pool"), CHAINS, ids=[f"{c[0]}-{c[2]}-{c[3]}" for c in CHAINS]
)


def results(images, filters, options, pool, dtype, change=lambda x: x):
    """What every kernel gives for one chain of a convolution and a pooling."""
    rng = np.random.default_rng(0)

    def draw(*shape):
        return change(rng.normal(size=shape).astype(dtype))

    x, weight, bias = draw(*images), draw(*filters), draw(filters[0])
    z = conv2d(x, weight, bias, **options)
    own = {name.removeprefix("pool_"): value for name, value in pool.items()}
    pooled, positions = max_pool2d_with_positions(z, **own)
    d = draw(*pooled.shape)
    d_z = draw(*z.shape)
    return [
        z, pooled, positions,
        conv2d_input(images, weight, d_z, **options),
        conv2d_weight(x, filters, d_z, **options),
        pick2d(z, positions, **own),
        unpick2d(d, positions, z.shape, **own),
        *conv2d_relu_max_pool2d(x, weight, bias, **pool, **options),
        *conv2d_relu_max_pool2d(x, weight, None, **pool, **options),
        picked_conv2d(x, weight, positions, **pool, **options),
        picked_conv2d_input(images, weight, d, positions, **pool, **options),
        picked_conv2d_weight(x, filters, d, positions, **pool, **options),
    ]  # fmt: skip


def assert_alike(got, want, dtype):
    near = 1e-4 if dtype == np.float32 else 1e-11
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=near, atol=near)


def strided(x):
    """The same numbers, apart from each other and in another order."""
    return np.repeat(np.asfortranarray(x), 2, axis=0)[::2]


@chains
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numba_gives_what_numpy_gives(images, filters, options, pool, dtype, form):
    pytest.importorskip("numba", reason="Numba is not installed")
    form("numpy")
    want = results(images, filters, options, pool, dtype)
    form("numba")
    assert kernels.of(np.ones(1, dtype)).__name__.endswith("numba_")
    assert_alike(results(images, filters, options, pool, dtype), want, dtype)
    got = results(images, filters, options, pool, dtype, strided)
    assert_alike(got, want, dtype)


@chains
def test_numpy_gives_what_plain_arrays_give(images, filters, options, pool, form, monkeypatch):
    form("numpy")
    got = results(images, filters, options, pool, np.float64)
    assert_alike(results(images, filters, options, pool, np.float64, strided), got, np.float64)
    monkeypatch.setattr(kernels, "numpy_", arrays)
    assert_alike(got, results(images, filters, options, pool, np.float64), np.float64)


def test_many_threads_give_what_one_gives(count, form):
    for name in ("numpy", None):
        form(name)
        got = results(*CHAINS[1], np.float64)
        threads.count = 1
        assert_alike(got, results(*CHAINS[1], np.float64), np.float64)
        threads.count = count


def test_large_products_are_made_whole():
    """Filters too large to be divided, and images too wide."""
    rng = np.random.default_rng(0)
    for images, filters in [((2, 67, 9, 130), (7, 67, 3, 3)), ((1, 300, 6, 6), (4, 300, 3, 3))]:
        x, weight = rng.normal(size=images), rng.normal(size=filters)
        z = conv2d(x, weight)
        windows = numpy_.Windows((3, 3), (1, 1), (1, 1), (0, 0), (0, 0))
        want = arrays.convolve(x, weight, None, windows, 1)
        np.testing.assert_allclose(z, want, atol=1e-9)
        for got, want in (
            (conv2d_weight(x, filters, z), arrays.convolve_weight(x, z, filters, windows, 1)),
            (conv2d_input(images, weight, z), arrays.convolve_input(z, weight, images, windows, 1)),
        ):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-7)


def test_nan_and_ties_in_each_form(form):
    x = np.round(np.random.default_rng(0).normal(size=(2, 3, 8, 8)))
    x[0, 0, :2, :2] = [[1.0, np.nan], [5.0, np.nan]]
    x[0, 0, :2, 2:4] = -np.inf
    found = []
    for name in ("numpy", None):
        form(name)
        pooled, positions = max_pool2d_with_positions(x, 2)
        assert np.isnan(pooled[0, 0, 0, 0]) and positions[0, 0, 0, 0] in (1, 3)
        assert pooled[0, 0, 0, 1] == -np.inf and positions[0, 0, 0, 1] == 0
        assert np.isnan(pooled).sum() == 1
        found.append(positions)
    np.testing.assert_array_equal(found[0][1:], found[1][1:])


def test_positions_outside_are_refused(form):
    pytest.importorskip("numba", reason="Numba is not installed")
    form("numba")
    for wrong in (4, -1):
        positions = np.full((1, 1, 2, 2), wrong)
        with pytest.raises(ValueError, match="positions of 0 to 3"):
            unpick2d(np.ones((1, 1, 2, 2)), positions, (1, 1, 4, 4), 2)


def test_an_error_on_a_thread_is_raised():
    def work(start, stop):
        if start > 0:
            raise ArithmeticError(f"from {start} to {stop}")

    before, threads.count = threads.count, 3
    try:
        with pytest.raises(ArithmeticError, match="from 2 to 4"):
            threads.over(6, work)
    finally:
        threads.count = before


def test_settings_of_the_caller_hold_on_threads(count, form):
    form("numpy")
    huge = np.full((8, 1, 8, 8), 1e300)
    with np.errstate(over="raise", invalid="ignore"), pytest.raises(FloatingPointError):
        conv2d(huge, np.full((4, 1, 3, 3), 1e300))
    with np.errstate(over="ignore", invalid="ignore"):
        assert np.isinf(conv2d(huge, np.full((4, 1, 3, 3), 1e300))).all()


def test_memory_is_a_threads_own():
    inside, addresses = threading.Barrier(3), []

    def work():
        with threads.scratch(1000, 10) as (a, b):
            assert a.nbytes == 1000 and b.nbytes == 10 and a.ctypes.data % 64 == 0
            with threads.scratch(1000) as (c,):
                assert not np.shares_memory(a, c)
            addresses.append(a.ctypes.data)
            inside.wait()

    others = [threading.Thread(target=work) for _ in range(3)]
    for t in others:
        t.start()
    for t in others:
        t.join()
    assert len(set(addresses)) == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_threads_of_its_own():
    code = """
import os, sys, warnings
import numpy as np
from adjoint.nn import kernels
from adjoint.nn.functional.convolution import conv2d
from adjoint.nn.kernels import products, threads
threads.count, products.WORTHWHILE, kernels.form = 2, 0, "numpy"
x, w = np.ones((4, 1, 8, 8)), np.ones((2, 1, 3, 3))
want = conv2d(x, w)
warnings.simplefilter("ignore")  # Python warns of a fork with threads
child = os.fork()
if child == 0:
    os._exit(int(not np.array_equal(conv2d(x, w), want)))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    run(code)


def test_form_of_the_environment():
    code = (
        "import numpy as np, sys; from adjoint.nn import kernels; "
        "assert kernels.of(np.ones(3)) is kernels.numpy_; assert 'numba' not in sys.modules"
    )
    run(code, ADJOINT_KERNELS="numpy")


def test_numba_is_not_needed():
    code = (
        "import sys; sys.modules['numba'] = None; import numpy as np; "
        "from adjoint.nn import kernels; assert kernels.of(np.ones(3)) is kernels.numpy_"
    )
    run(code, ADJOINT_KERNELS="")


def run(code, **environment):
    there = str(Path(ad.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": there, **environment}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=120)
