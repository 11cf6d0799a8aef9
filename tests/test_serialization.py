"""Files of arrays and checkpoints: what comes back, what is refused, what a kill leaves."""

import builtins
import copy
import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from adjoint import data, optim
from adjoint.optim import lr_scheduler
from adjoint.serialization import load_checkpoint, load_file, save_checkpoint, save_file

safetensors = pytest.importorskip("safetensors", reason="safetensors is not installed")


class Net:
    """A model as a checkpoint knows it: `state_dict` and `load_state_dict`."""

    def __init__(self, rng, width=4):
        self.arrays = {
            "fc1.weight": rng.normal(size=(3, width)),
            "fc1.bias": np.zeros(width),
            "fc2.weight": rng.normal(size=(width, 1)),
            "steps": np.array(0),
        }

    def state_dict(self):
        return dict(self.arrays)

    def load_state_dict(self, state):
        for name, array in self.arrays.items():
            array[...] = state[name]

    def parameters(self):
        return {k: v for k, v in self.arrays.items() if v.dtype.kind == "f"}

    def gradients(self, x, t):
        a = self.arrays
        h = np.tanh(x @ a["fc1.weight"] + a["fc1.bias"])
        d_y = 2 * (h @ a["fc2.weight"] - t) / len(x)
        d_h = d_y @ a["fc2.weight"].T * (1 - h * h)
        return {"fc1.weight": x.T @ d_h, "fc1.bias": d_h.sum(0), "fc2.weight": h.T @ d_y}


class Training:
    """A small network with all that a checkpoint holds."""

    def __init__(self, seed, optimizer=optim.Adam, bits=np.random.PCG64, **options):
        rng = np.random.default_rng(0)
        x, t = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
        self.net = Net(np.random.default_rng(seed))
        self.optimizer = optimizer(self.net.parameters(), lr=0.1, **options)
        self.scheduler = lr_scheduler.CosineAnnealingLR(self.optimizer, 10)
        self.loader = data.DataLoader(x, t, batch_size=6, shuffle=True, seed=seed)
        self.generator = np.random.Generator(bits(seed))

    def epochs(self, count):
        for _ in range(count):
            for x, t in self.loader:
                noise = self.generator.normal(size=x.shape) / 10
                self.optimizer.step(self.net.gradients(x + noise, t))
                self.net.arrays["steps"] += 1
            self.scheduler.step()

    def parts(self):
        names = ("optimizer", "scheduler", "loader", "generator")
        return {"model": self.net, **{name: getattr(self, name) for name in names}}

    def state(self):
        parts = {k: v.state_dict() for k, v in self.parts().items() if k != "generator"}
        return repr({**parts, "generator": self.generator.bit_generator.state})


# -- files of arrays ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", "?,i1,u1,i2,u2,i4,u4,i8,u8,f2,f4,f8,>f4,>i8".split(","))
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4)])
def test_arrays_come_back(dtype, shape, tmp_path):
    array = (np.arange(np.prod(shape)) * 3).reshape(shape).astype(dtype)
    path = tmp_path / "a.safetensors"
    save_file({"a": array}, path)
    found = load_file(path)["a"]
    assert found.dtype == array.dtype.newbyteorder("=") and found.shape == shape
    assert found.flags.writeable
    np.testing.assert_array_equal(found, array)


def test_any_layout_in_memory(tmp_path):
    array = np.arange(12.0).reshape(3, 4)
    path = tmp_path / "a.safetensors"
    save_file({"t": array.T, "s": array[::2, ::-1], "f": np.asfortranarray(array)}, path)
    found = load_file(path)
    np.testing.assert_array_equal(found["t"], array.T)
    np.testing.assert_array_equal(found["s"], array[::2, ::-1])
    np.testing.assert_array_equal(found["f"], array)


def test_arrays_of_another_module(tmp_path):
    from support.strict_arrays import strict

    save_file({"a": strict.asarray([1.0, 2.0])}, tmp_path / "a.safetensors")
    assert load_file(tmp_path / "a.safetensors")["a"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": [1.0]}, "a is a list, not an array"),
        ({"a": np.float64(1.0)}, "a is a float64, not an array"),
        ({"a": np.zeros(2, complex)}, "a has dtype complex128"),
        ({"a": np.array([{}])}, "a has dtype object"),
        ({1: np.zeros(2)}, "names of arrays are texts, got 1"),
    ],
)
def test_what_is_no_array_is_refused(state, message, tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": np.ones(2)}, path)
    with pytest.raises(TypeError, match=message):
        save_file({"good": np.zeros(2), **state}, path)
    assert list(load_file(path)) == ["a"] and os.listdir(tmp_path) == ["a.safetensors"]


def test_files_that_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": np.arange(100.0)}, path)
    whole = path.read_bytes()
    for content in (b"", whole[:5], whole[:40], whole[:-1], b"\x80\x04pickle" * 20):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is cut off, or no safetensors file"):
            load_file(path)
    with pytest.raises(FileNotFoundError):
        load_file(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        save_file({"a": np.zeros(2)}, tmp_path / "missing" / "a.safetensors")


def test_what_to_install_is_said(monkeypatch, tmp_path):
    real = builtins.__import__

    def without(module, *args, **kwargs):
        if module.partition(".")[0] == "safetensors":
            raise ImportError("no safetensors")
        return real(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'adjoint\[train\]'"):
        save_file({"a": np.zeros(2)}, tmp_path / "a.safetensors")


def test_what_is_loaded_does_not_change_with_the_file(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": np.zeros(1000)}, path)
    found = load_file(path)
    save_file({"a": np.ones(1000)}, path)
    assert (found["a"] == 0).all()


# -- kills --------------------------------------------------------------------------------------

KILLED_WHILE_WRITING = """
import os, signal, sys
import numpy as np
from adjoint import serialization

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(os, sys.argv[2], kill)
serialization.save_file({"a": np.ones(100_000)}, sys.argv[1])
"""

WRITES_FOR_EVER = """
import sys
import numpy as np
from adjoint import serialization

number = 0
while True:
    number += 1
    serialization.save_file({"a": np.full(300_000, float(number))}, sys.argv[1])
    print(number, flush=True)
"""


def python(code, *args, **kwargs):
    paths = os.pathsep.join(p for p in sys.path if p)
    env = {**os.environ, "PYTHONPATH": paths}
    return subprocess.Popen([sys.executable, "-c", code, *map(str, args)], env=env, **kwargs)


posix = pytest.mark.skipif(os.name != "posix", reason="kills by signals of POSIX")


@posix
@pytest.mark.parametrize("during", ["fsync", "replace"])
def test_a_kill_while_writing_leaves_the_old_file(during, tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": np.zeros(3)}, path)
    assert python(KILLED_WHILE_WRITING, path, during).wait() == -9
    assert load_file(path)["a"].tolist() == [0.0, 0.0, 0.0]
    save_file({"a": np.ones(3)}, path)
    assert load_file(path)["a"].tolist() == [1.0, 1.0, 1.0]


@posix
def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path):
    pauses = random.Random(5)
    for round_ in range(5):
        path = tmp_path / f"{round_}.safetensors"
        with python(WRITES_FOR_EVER, path, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()  # one is written
            time.sleep(pauses.uniform(0, 0.05))
            process.kill()
        a = load_file(path)["a"]
        assert a.shape == (300_000,) and (a == a[0]).all() and a[0] >= 1


# -- checkpoints --------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937])
@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        (optim.SGD, {}),
        (optim.SGD, {"momentum": 0.9}),
        (optim.Adam, {"amsgrad": True}),
        (optim.RMSprop, {"centered": True, "momentum": 0.5}),
        (optim.Adagrad, {}),
    ],
)
@pytest.mark.parametrize("before", [0, 3])
def test_a_training_resumes_bit_for_bit(optimizer, options, bits, before, tmp_path):
    path = tmp_path / "last.safetensors"
    straight = Training(1, optimizer, bits, **options)
    straight.epochs(before)
    save_checkpoint(path, **straight.parts(), epoch=before, best=np.float64(0.1), note=None)
    straight.epochs(4)
    resumed = Training(2, optimizer, bits, **options)
    resumed.epochs(1)
    assert load_checkpoint(path, **resumed.parts()) == {"epoch": before, "best": 0.1, "note": None}
    resumed.epochs(4)
    assert resumed.state() == straight.state()


def test_a_part_of_a_checkpoint(tmp_path):
    path = tmp_path / "last.safetensors"
    training = Training(1)
    training.epochs(2)
    save_checkpoint(path, model=training.net, optimizer=training.optimizer)
    other = Training(2)
    load_checkpoint(path, model=other.net)
    np.testing.assert_array_equal(other.net.arrays["fc1.weight"], training.net.arrays["fc1.weight"])
    assert other.optimizer.state_dict()["state"] == {}
    with pytest.raises(ValueError, match="holds no scheduler"):
        load_checkpoint(path, model=other.net, scheduler=other.scheduler)


def test_values_of_all_kinds(tmp_path):
    path = tmp_path / "last.safetensors"
    history = data.History()
    history.append(loss=0.5)
    values = {
        "big": 2**130,
        "nested": {"a": [1, 2.5, {"b": None}], 3: "text"},
        "nan": float("nan"),
        "history": history.state_dict(),
        "array": np.arange(3),
    }
    save_checkpoint(path, **copy.deepcopy(values))
    found = load_checkpoint(path)
    assert np.isnan(found.pop("nan")) and values.pop("nan")
    np.testing.assert_array_equal(found.pop("array"), values.pop("array"))
    assert found == values
    with pytest.raises(TypeError, match="values.f is a function, which a checkpoint cannot hold"):
        save_checkpoint(path, f=test_values_of_all_kinds)
    assert load_checkpoint(path)["big"] == 2**130


def changed_models():
    def missing(net):
        del net.arrays["fc2.weight"]
        return "unexpected: fc2.weight"

    def unexpected(net):
        net.arrays["fc3.weight"] = np.zeros(2)
        return "missing: fc3.weight"

    def shape(net):
        net.arrays["fc1.bias"] = np.zeros(5)
        return r"fc1.bias has shape \(4,\), expected \(5,\)"

    def dtype(net):
        net.arrays["fc1.bias"] = np.zeros(4, "float32")
        return "fc1.bias has dtype float64, expected float32"

    return [missing, unexpected, shape, dtype]


@pytest.mark.parametrize("change", changed_models(), ids=lambda f: f.__name__)
def test_a_checkpoint_of_another_model_changes_nothing(change, tmp_path):
    path = tmp_path / "last.safetensors"
    training = Training(1)
    training.epochs(1)
    save_checkpoint(path, **training.parts())
    other = Training(2)
    message = change(other.net)
    before = other.state()
    with pytest.raises(ValueError, match=message):
        load_checkpoint(path, **other.parts())
    assert other.state() == before


def test_a_checkpoint_of_another_training_changes_nothing(tmp_path):
    path = tmp_path / "last.safetensors"
    training = Training(1)
    training.epochs(1)
    save_checkpoint(path, **training.parts())
    for other, message in (
        (Training(2, optim.AdamW), None),
        (Training(2, optim.SGD), "unexpected: param_groups.0.betas"),
        (Training(2, bits=np.random.MT19937), "the generator is a MT19937"),
    ):
        other.epochs(1)
        other.optimizer.param_groups[0]["lr"] = 0.77  # not the scheduler's
        if message is None:
            load_checkpoint(path, **other.parts())
            continue
        before = other.state()
        with pytest.raises(ValueError, match=message):
            load_checkpoint(path, **other.parts())
        assert other.state() == before


def test_a_checkpoint_that_is_cut_off_or_none(tmp_path):
    path = tmp_path / "last.safetensors"
    training = Training(1)
    save_checkpoint(path, **training.parts())
    whole, before = path.read_bytes(), training.state()
    for length in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="is cut off, or no safetensors file"):
            load_checkpoint(path, **training.parts())
    save_file(training.net.state_dict(), path)
    with pytest.raises(ValueError, match="is no checkpoint: read it by load_file"):
        load_checkpoint(path, **training.parts())
    for text in ("{", "[]", '{"version": 2}', '{"version": 1, "optimizer": {"__array__": "x"}}'):
        save_file({}, path, {"adjoint.checkpoint": text})
        with pytest.raises(ValueError, match="cannot be read"):
            load_checkpoint(path)
    assert training.state() == before


# -- PyTorch ------------------------------------------------------------------------------------


def test_files_go_between_pytorch_and_here(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors import torch as of_torch

    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    path = tmp_path / "net.safetensors"
    of_torch.save_file(net.state_dict(), path)
    found = load_file(path)
    assert list(found) == sorted(net.state_dict())
    for name, tensor in net.state_dict().items():
        assert found[name].shape == tuple(tensor.shape)
        np.testing.assert_array_equal(found[name], tensor.numpy())
    doubled = {name: array * 2 for name, array in found.items()}
    doubled["1.num_batches_tracked"] = np.array(7)
    save_file(doubled, path)
    net.load_state_dict(of_torch.load_file(path))
    np.testing.assert_array_equal(net[0].weight.detach().numpy(), doubled["0.weight"])
    assert net[1].num_batches_tracked == 7


def test_a_dtype_that_numpy_lacks_is_refused(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors import torch as of_torch

    if "ml_dtypes" in sys.modules:
        pytest.skip("another test has imported JAX, which gives NumPy this dtype")
    path = tmp_path / "net.safetensors"
    of_torch.save_file({"a": torch.zeros(2, dtype=torch.bfloat16)}, path)
    with pytest.raises(ValueError, match="bfloat16|BF16|dtype"):
        load_file(path)
