"""`adjoint show`, as a command and as a function."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adjoint.cli import main

SOURCE = Path(__file__).resolve().parents[1] / "src"

MODEL = """
import sys

import numpy as np

import adjoint as ad

print("loading", __name__)

SHAPE = (3, 4)


def loss(w, x):
    e = x @ w
    return np.sum(e * e)


def power(x, n):
    return x**n


class Net:
    def score(self, x):
        return np.sum(np.tanh(x))


net = Net()
slope = ad.grad(power)


def opaque(x):
    return float(str(x))


if __name__ == "__main__":
    sys.exit("run as a script")
"""


@pytest.fixture
def model(tmp_path, monkeypatch):
    """The folder of a user's `model.py`, which is also the working folder."""
    (tmp_path / "model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.delitem(sys.modules, "model", raising=False)
    yield tmp_path
    sys.modules.pop("model", None)


@pytest.fixture
def show(capsys, model):
    """`adjoint show ...` in this process: its exit status, its stdout and its stderr."""

    def run(*args):
        status = main(["show", *args])
        printed = capsys.readouterr()
        return status, printed.out, printed.err.replace("loading model\n", "")

    return run


def command(*args, **kwargs):
    env = {**os.environ, "PYTHONPATH": str(SOURCE)}
    kwargs = {"capture_output": True, "text": True, "timeout": 60, **kwargs}
    return subprocess.run([sys.executable, "-m", "adjoint", *args], env=env, **kwargs)


def test_generic_form(show):
    status, out, err = show("model.py:loss")
    assert (status, err) == (0, "")
    compile(out, "shown", "exec")
    assert "def " in out
    assert "\x1b" not in out


def test_module_and_file_show_the_same(show):
    assert show("model:loss") == show("model.py:loss")


def test_it_shows_what_source_returns(show):
    import numpy as np

    import adjoint as ad

    status, out, _ = show("model.py:loss", "--shapes", "4,2 3,4", "--wrt", "x,w")
    loss = sys.modules["model"].loss
    assert status == 0
    assert (
        out.rstrip() == ad.source(loss, np.ones((4, 2)), np.ones((3, 4)), argnums=(1, 0)).rstrip()
    )


@pytest.mark.parametrize(
    "options",
    [
        ["model.py:loss", "--wrt", "w"],
        ["model.py:loss", "--wrt", "0,1"],
        ["model.py:loss", "--shapes", "4,2:float32", "3,4:float32"],
        ["model.py:loss", "--args", "np.ones((4, 2))", "np.ones(SHAPE)"],
        ["model.py:power", "--args", "-1.5", "2"],
        ["model.py:power", "--shapes", "float int"],
        ["model.py:Net.score", "--wrt", "x"],
        ["model.py:net.score"],
        ["model.py:slope"],
    ],
    ids=" ".join,
)
def test_options(show, options):
    status, out, err = show(*options)
    assert (status, err) == (0, "")
    compile(out, "shown", "exec")


def test_typed_form_differs_from_the_generic_one(show):
    assert show("model.py:power") != show("model.py:power", "--shapes", "float int")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["model.py"], "not of the form FILE.py:FUNCTION"),
        (["gone.py:loss"], "no file gone.py"),
        (["gone:loss"], "cannot import gone: ModuleNotFoundError"),
        (["broken.py:f"], "cannot import broken.py: SyntaxError"),
        (["model.py:los"], "model.py has no 'los'; did you mean 'loss'?"),
        (["model.py:nothing"], "it has loss, power, Net"),
        (["model.py:Net.scores"], "model.py:Net has no 'scores'; did you mean 'score'?"),
        (["model.py:SHAPE"], "not a function but of type tuple"),
        (["model.py:loss", "--args", "np.ones("], "--args np.ones(: SyntaxError"),
        (["model.py:loss", "--args", "unknown"], "--args unknown: NameError"),
        (["model.py:loss", "--shapes", "3;4"], "'3;4' is none of 32,784"),
        (["model.py:loss", "--shapes", "3:text"], "'3:text' is none of"),
        (["model.py:loss", "--wrt", "y"], "--wrt y: the arguments are w, x"),
        ([], "the following arguments are required: TARGET"),
        (["model.py:loss", "--args", "1", "--shapes", "1"], "not allowed with"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage_is_one_line_and_status_2(show, model, options, message):
    (model / "broken.py").write_text("def f(:\n")
    status, out, err = show(*options)
    assert (status, out) == (2, "")
    assert message in err
    assert err.startswith("adjoint: ")
    assert err.count("\n") == 1


def test_no_derivative_is_status_1(show):
    status, out, err = show("model.py:opaque", "--shapes", "float")
    assert (status, out) == (1, "")
    assert "Error: " in err
    assert "model.py:" in err


def test_color(show):
    pytest.importorskip("pygments")
    plain = show("model.py:loss")[1]
    assert "\x1b[" in show("model.py:loss", "--color", "always")[1]
    assert show("model.py:loss", "--color", "never")[1] == plain


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_color_on_a_terminal(monkeypatch, variables, coloured):
    pytest.importorskip("pygments")
    from adjoint.cli import _painter

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert ("\x1b[" in _painter("auto")("def f(): return 1")) is coloured


def test_plain_text_without_pygments(monkeypatch):
    from adjoint.cli import _painter

    monkeypatch.setitem(sys.modules, "pygments", None)
    assert _painter("always")("def f(): pass") == "def f(): pass"


def test_files_of_a_package_and_files_with_a_taken_name(show, model):
    package = model / "package" / "inner"
    package.mkdir(parents=True)
    (model / "package" / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "helper.py").write_text("def double(x):\n    return 2 * x\n")
    (package / "use.py").write_text(
        "from .helper import double\n\n\ndef quadruple(x):\n    return double(double(x))\n"
    )
    (model / "json.py").write_text("def triple(x):\n    return 3 * x\n")
    assert show("package/inner/use.py:quadruple")[0] == 0
    assert show("json.py:triple")[0] == 0
    assert "triple" not in vars(sys.modules["json"])


def test_as_a_command(model):
    done = command("show", "model.py:loss")
    assert (done.returncode, done.stderr) == (0, "loading model\n")
    assert done.stdout.endswith("\n")
    compile(done.stdout, "shown", "exec")


def test_version():
    done = command("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("adjoint 0.")


def test_help_names_the_command():
    done = command("--help")
    assert done.returncode == 0
    assert "show" in done.stdout


def test_no_command_is_bad_usage():
    done = command()
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="no SIGPIPE")
def test_a_closed_pipe_is_quiet(model):
    reader, writer = os.pipe()
    os.close(reader)
    done = command("show", "model.py:loss", capture_output=False, stdout=writer, stderr=-1)
    os.close(writer)
    assert done.stderr == "loading model\n"
    assert done.returncode == 141
