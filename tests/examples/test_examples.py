"""Each example runs, prints what it promises and draws its picture."""

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]

matplotlib_image = pytest.importorskip("matplotlib.image")


def start(name, out, *options):
    """Run an example on the adjoint of this tree."""
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, ROOT / "examples" / f"{name}.py", "--out", out, *options],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=out,
        env={**os.environ, "PYTHONPATH": path},
    )


def run(name, out, *options):
    """The standard output of an example that has to succeed and to draw `out/name.png`."""
    done = start(name, out, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    picture = matplotlib_image.imread(out / f"{name}.png")
    assert picture.shape[0] > 300 and picture.shape[1] >= 600
    assert picture[..., :3].std() > 0.01, "the picture is blank"
    return done.stdout


def number(pattern, text):
    """The number after `pattern`."""
    found = re.search(pattern + r"\s*(-?[\d.]+(?:e[+-]\d+)?)", text)
    assert found, f"{pattern!r} is not in:\n{text}"
    return float(found[1])


def test_quickstart(tmp_path):
    text = run("quickstart", tmp_path)
    assert "y     at [2. 3.] = [ 9. 16.]" in text
    assert "dy/dx at [2. 3.] = [6. 8.]" in text
    assert number("loss     =", text) == 3
    assert number("dloss/dw =", text) == 2
    assert number("dloss/db =", text) == 1
    assert len(re.findall("^def ", text, re.MULTILINE)) >= 2, "both derivatives are printed"


def test_linear_regression(tmp_path):
    pytest.importorskip("sklearn")
    text = run("linear_regression", tmp_path)

    # The same descent with the gradient by hand.
    x, y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 4.0, 6.0, 8.0])
    w = b = 0.0
    expected = []
    for epoch in range(1, 101):
        error = w * x + b - y
        if epoch % 10 == 0:
            expected.append(f"Epoch [{epoch}/100], Loss: {np.mean(error**2):.4f}")
        w, b = w - 0.02 * np.mean(error * x), b - 0.02 * np.mean(error)
    assert [line for line in text.splitlines() if line.startswith("Epoch")] == expected

    assert number("gradient descent: R2 train", text) == number("least squares: R2 train", text)
    assert number("gradient descent: R2 train", text) > 0.5
    assert number("Largest difference of a coefficient:", text) < 1e-4


def test_digits(tmp_path):
    pytest.importorskip("sklearn")
    text = run("digits_mlp", tmp_path, "--show-source")
    assert re.search("^def ", text, re.MULTILINE), "the derivative is printed"
    assert number("Test accuracy:", text) >= 0.96


def test_digits_fails_when_not_trained(tmp_path):
    pytest.importorskip("sklearn")
    done = start("digits_mlp", tmp_path, "--epochs", "1")
    assert done.returncode == 1, done.stderr
    assert number("Test accuracy:", done.stdout) < 0.96


def test_sunspots(tmp_path):
    pytest.importorskip("statsmodels")
    text = run("rnn_series", tmp_path, "--quick", "--show-source")
    assert re.search("^def ", text, re.MULTILINE), "the derivative is printed"
    assert number("recurrent network", text) < number("persistence", text)


def test_nn_linear_regression(tmp_path):
    pytest.importorskip("sklearn")
    text = run("nn_linear_regression", tmp_path, "--show-source")
    assert "def loss_fn_value_and_grad(net, x, y):" in text
    assert number(r"Epoch \[100/100\], Loss:", text) < number(r"Epoch \[10/100\], Loss:", text)
    assert number("held out:", text) > number("of least squares", text) - 0.01


def test_mnist_net(tmp_path):
    pytest.importorskip("sklearn")
    text = run("mnist_net", tmp_path, "--show-source")
    assert "def loss_fn_value_and_grad(net, x, y):" in text
    assert number("Test accuracy:", text) >= 0.96


def test_convnet_resumes_where_it_stopped(tmp_path, mnist):
    pytest.importorskip("safetensors")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    first = start("convnet", parts, "--mnist", mnist, "--epochs", "1")
    assert first.returncode == 1, first.stderr  # too little to learn from
    second = start("convnet", parts, "--mnist", mnist, "--epochs", "2", "--resume", "--show-source")
    assert "def loss_fn_value_and_grad(net, x, y):" in second.stdout
    both = start("convnet", whole, "--mnist", mnist, "--epochs", "2")
    lines = re.findall(r"Epoch \[2/2\].*", both.stdout)
    assert lines and lines == re.findall(r"Epoch \[2/2\].*", second.stdout)
    assert "Epoch [1/2]" not in second.stdout
    files = [folder / "convnet.safetensors" for folder in (whole, parts)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert matplotlib_image.imread(parts / "convnet.png").shape[0] > 300


@pytest.fixture
def mnist(tmp_path):
    """A folder with the four files of MNIST, which here hold few images, of noise."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for part, count in (("train", 64), ("t10k", 20)):
        images = rng.integers(0, 256, (count, 28, 28), np.uint8)
        labels = rng.integers(0, 10, count, np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            sizes = np.array(array.shape, ">u4").tobytes()
            content = bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()
            path = folder / f"{part}-{kind}-ubyte"
            if part == "train":
                path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content))
            else:
                path.write_bytes(content)
    return folder


def test_multi_task(tmp_path):
    pytest.importorskip("sklearn")
    text = run("multi_task", tmp_path, "--show-source")
    assert "def loss_fn_value_and_grad(net, upper, digit, lower):" in text
    assert number("Test accuracy:", text) >= 0.85
    assert number("Error of the lower halves:", text) < 0.75


def test_lstm(tmp_path):
    pytest.importorskip("statsmodels")
    text = run("lstm_series", tmp_path, "--epochs", "30", "--show-source")
    assert "def loss_fn_value_and_grad(net, x, y):" in text
    assert number("LSTM", text) < number("persistence", text) / 3


def test_transformer(tmp_path):
    pytest.importorskip("sklearn")
    done = start("transformer_digits", tmp_path, "--epochs", "6", "--show-source")
    assert "def loss_fn_value_and_grad(net, x, y):" in done.stdout, done.stderr
    assert number(r"Epoch \[6/6\], Loss:", done.stdout) < 1
    reached = number("Test accuracy:", done.stdout)
    assert reached > 0.8
    assert done.returncode == (0 if reached >= 0.96 else 1)
