"""Batches, files, progress and the record of metrics."""

import builtins
import gzip
import io
import json
import struct

import numpy as np
import pytest
from support.strict_arrays import StrictArray, strict

from adjoint import data


def batches(loader):
    return [batch.tolist() for batch in loader]


# -- DataLoader ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("drop_last", "sizes"), [(False, [4, 4, 2]), (True, [4, 4])])
def test_batches_in_order(drop_last, sizes):
    x, t = np.arange(20).reshape(10, 2), np.arange(10)
    loader = data.DataLoader(x, t, batch_size=4, drop_last=drop_last)
    assert len(loader) == len(sizes) and [len(a) for a, _ in loader] == sizes
    np.testing.assert_array_equal(np.concatenate([a for a, _ in loader]), x[: sum(sizes)])


def test_the_structure_of_a_batch():
    x, t = np.zeros((3, 2)), np.zeros(3)
    assert next(iter(data.DataLoader(x, batch_size=2))).shape == (2, 2)
    assert isinstance(next(iter(data.DataLoader((x, t), batch_size=2))), tuple)
    batch = next(iter(data.DataLoader({"x": x, "t": t}, batch_size=2)))
    assert list(batch) == ["x", "t"] and batch["x"].shape == (2, 2)


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_batch_is_a_copy(shuffle):
    x = np.zeros((4, 2))
    for batch in data.DataLoader(x, batch_size=2, shuffle=shuffle):
        batch += 1
    assert (x == 0).all()


def test_shuffling_takes_each_sample_once_and_rows_together():
    x = np.arange(50)
    loader = data.DataLoader(x, 2 * x, batch_size=8, shuffle=True, seed=3)
    first, second = list(loader), list(loader)
    for epoch in (first, second):
        assert sorted(np.concatenate([a for a, _ in epoch])) == list(range(50))
        assert all((b == 2 * a).all() for a, b in epoch)
    assert first[0][0].tolist() != second[0][0].tolist()


def test_the_seed_decides():
    def order(**how):
        return batches(data.DataLoader(np.arange(20), batch_size=6, shuffle=True, **how))

    assert order(seed=1) == order(seed=1) == order(generator=np.random.default_rng(1))
    assert order(seed=1) != order(seed=2)


def test_arrays_of_another_module():
    x = strict.asarray(np.arange(6.0))
    for shuffle in (False, True):
        found = list(data.DataLoader(x, batch_size=4, shuffle=shuffle, seed=0))
        assert all(isinstance(batch, StrictArray) for batch in found)
        assert sorted(np.concatenate([batch.get() for batch in found])) == list(range(6))


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
@pytest.mark.parametrize("stop", [0, 1, 3, 5, 7])
def test_a_loader_resumes_anywhere(bits, stop):
    """Two epochs of five batches, left after `stop` of them."""

    def made(seed):
        generator = np.random.Generator(bits(seed))
        return data.DataLoader(np.arange(20), batch_size=4, shuffle=True, generator=generator)

    straight = made(1)
    expected = batches(straight) + batches(straight)
    first, seen = made(1), []
    state = first.state_dict()
    while len(seen) < stop:
        for batch in first:
            seen.append(batch.tolist())
            state = first.state_dict()
            if len(seen) == stop:
                break
    second = made(2)
    second.load_state_dict(state)
    while len(seen) < 10:
        seen += batches(second)
    assert seen == expected
    assert second.generator.random() == straight.generator.random()


def test_a_break_is_followed_by_a_new_epoch():
    loader = data.DataLoader(np.arange(5), batch_size=2)
    for _ in loader:
        break
    assert batches(loader) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": 7}, "samples is 7, expected 6"),
        ({"batch_size": 3}, "batch_size is 3, expected 2"),
        ({"other": 1}, "unexpected: other"),
        ({"batches": 9}, "batches is 9"),
        ({"generator": {"bit_generator": "MT19937"}}, "does not fit a PCG64"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_whole(change, message):
    loader = data.DataLoader(np.arange(6), batch_size=2, shuffle=True, seed=1)
    before = loader.state_dict()
    with pytest.raises(ValueError, match=message):
        loader.load_state_dict({**before, **change})
    assert loader.state_dict() == before


@pytest.mark.parametrize(
    ("arrays", "options", "error", "message"),
    [
        ([], {}, ValueError, "there are no arrays"),
        ([np.zeros(3), np.zeros(4)], {}, ValueError, "different lengths: 3, 4"),
        ([np.zeros(())], {}, ValueError, "array 0 has no axis"),
        ([{"x": 1.0}], {}, TypeError, "array 'x' is a float, not an array"),
        ([np.zeros(3)], {"batch_size": 0}, ValueError, "batch_size must be"),
        ([np.zeros(3)], {"seed": 1, "generator": np.random.default_rng()}, ValueError, "not both"),
        ([np.zeros(3)], {"generator": 3}, TypeError, "must be a np.random.Generator, got a int"),
    ],
)
def test_loaders_that_are_refused(arrays, options, error, message):
    with pytest.raises(error, match=message):
        data.DataLoader(*arrays, **options)


# -- files --------------------------------------------------------------------------------------


def idx(array, code):
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("dtype", "code"),
    [("u1", 8), ("i1", 9), ("i2", 0x0B), ("i4", 0x0C), ("f4", 0x0D), ("f8", 0x0E)],
)
def test_idx_files(dtype, code, packed, tmp_path):
    array = (np.arange(24).reshape(2, 3, 4) * 5).astype(dtype)
    content = idx(array, code)
    path = tmp_path / "images-idx3-ubyte"
    path.write_bytes(gzip.compress(content) if packed else content)
    found = data.read_idx(path)
    assert found.dtype == array.dtype and found.dtype.isnative and found.flags.writeable
    np.testing.assert_array_equal(found, array)


GOOD = idx(np.arange(6, dtype="u1").reshape(2, 3), 8)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no IDX file"),
        (b"\x89PNG1234", "is no IDX file: it begins with '89 50 4e 47'"),
        (b"\0\0\x07\1" + GOOD[4:], "no element type 0x07"),
        (GOOD[:7], "cut off: it has 7 bytes, its head 12"),
        (GOOD[:-1], r"cut off: it has 17 bytes, and its sizes \(2, 3\) make 18"),
        (GOOD + b"1", "goes on past its end"),
        (GOOD[:4] + b"\xff" * 8 + GOOD[12:], "is cut off"),
        (gzip.compress(GOOD, mtime=0)[:-9], "cut off or no gzip file"),
        (gzip.compress(GOOD[:-1], mtime=0), "is cut off"),
    ],
)
def test_idx_files_that_are_refused(content, message, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        data.read_idx(path)


def test_files_of_numpy(tmp_path):
    one, many = tmp_path / "one.npy", tmp_path / "many.npz"
    np.save(one, np.arange(3))
    np.savez(many, x=np.arange(4), t=np.ones(2))
    assert data.read_npy(one).tolist() == [0, 1, 2]
    assert {k: v.tolist() for k, v in data.read_npz(many).items()} == {
        "x": [0, 1, 2, 3],
        "t": [1.0, 1.0],
    }
    with pytest.raises(ValueError, match="read it by read_npz"):
        data.read_npy(many)
    with pytest.raises(ValueError, match="read it by read_npy"):
        data.read_npz(one)
    for path, read in ((one, data.read_npy), (many, data.read_npz)):
        path.write_bytes(path.read_bytes()[:-5])
        with pytest.raises(ValueError, match="cut off"):
            read(path)
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "missing")


def test_objects_are_never_unpickled(tmp_path):
    one, many = tmp_path / "one.npy", tmp_path / "many.npz"
    np.save(one, np.array([{}], dtype=object), allow_pickle=True)
    np.savez(many, x=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="one.npy"):
        data.read_npy(one)
    with pytest.raises(ValueError, match="many.npz"):
        data.read_npz(many)


# -- progress and history -----------------------------------------------------------------------


def test_progress_counts_samples():
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    shown = io.StringIO()
    loader = data.DataLoader(np.zeros((10, 2)), np.zeros(10), batch_size=4)
    bar = data.progress(loader, "epoch 1", file=shown, mininterval=0)
    for _ in bar:
        bar.report(loss=np.float32(0.25))
    assert bar.samples == 10
    text = shown.getvalue()
    assert "epoch 1" in text and "10/10" in text and "loss=0.25" in text and "samples/s" in text


def missing(name, monkeypatch):
    real = builtins.__import__

    def without(module, *args, **kwargs):
        if module.partition(".")[0] == name:
            raise ImportError(f"no {name}")
        return real(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)


def test_what_to_install_is_said(monkeypatch, tmp_path):
    missing("tqdm", monkeypatch)
    with pytest.raises(ImportError, match=r"pip install 'adjoint\[train\]', or pip install tqdm"):
        data.progress([])
    missing("matplotlib", monkeypatch)
    with pytest.raises(ImportError, match=r"adjoint\[train\]"):
        data.History().plot(tmp_path / "loss.png")


def history():
    made = data.History()
    made.append(loss=np.float32(0.5))
    made.append(loss=0.25, accuracy=np.array(0.75))
    return made


def test_a_history_is_written(tmp_path):
    history().to_csv(tmp_path / "metrics.csv")
    assert (tmp_path / "metrics.csv").read_text().split() == [
        "epoch,loss,accuracy",
        "1,0.5,",
        "2,0.25,0.75",
    ]
    assert history().to_dict()["loss"] == [0.5, 0.25]


def test_a_history_is_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    for names in ((), ("loss",)):
        path = tmp_path / f"metrics{len(names)}.png"
        history().plot(path, *names, title="digits")
        assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(KeyError, match="other"):
        history().plot(tmp_path / "x.png", "other")


def test_a_history_resumes():
    other = data.History()
    other.append(error=1.0)
    other.load_state_dict(json.loads(json.dumps(history().state_dict())))
    other.append(loss=0.125)
    assert other["loss"] == [0.5, 0.25, 0.125] and other.names() == ["loss", "accuracy"]
    with pytest.raises(ValueError, match="has the key 'rows'"):
        other.load_state_dict({})
    with pytest.raises(TypeError, match="the metric loss must be a number"):
        other.append(loss="low")
    assert len(other) == 3
