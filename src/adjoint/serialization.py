"""Files of arrays in the safetensors format, and checkpoints from which a training resumes.

    save_file(net.state_dict(), "net.safetensors")
    net.load_state_dict(load_file("net.safetensors"))

PyTorch reads and writes the same files, by `safetensors.torch`. A checkpoint is such a file, with
the state of the optimiser and the rest beside the arrays of the model:

    save_checkpoint("last.safetensors", model=net, optimizer=optimizer, loader=loader, epoch=3)
    values = load_checkpoint("last.safetensors", model=net, optimizer=optimizer, loader=loader)

A file is complete or it is not there: it is written under another name, and then renamed. Nothing
is pickled, so that a file from someone else runs no code. It needs the package safetensors, of the
extra `train`.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import secrets
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

__all__ = ["load_checkpoint", "load_file", "save_checkpoint", "save_file"]

_KEY = "adjoint.checkpoint"  # in the metadata of a checkpoint: JSON of all that is no array
_VERSION = 1
_ARRAY = "__array__"  # in that JSON: the name of the tensor that stands there
_PARTS = ("optimizer", "scheduler", "loader", "generator")
_DTYPES = frozenset("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()) | frozenset(
    "float16 float32 float64".split()
)


def save_file(
    state_dict: Mapping[str, Any],
    path: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays by name into a safetensors file; another file there is replaced, or stays whole.

    state_dict: NumPy or CuPy arrays of bools, integers or floats, of any shape and layout.
    metadata: texts that are kept with them.

    Raises TypeError for what is no such array, before anything is written, and ImportError that
    says what to install where safetensors is missing.
    """
    arrays = {name: _portable(name, value) for name, value in state_dict.items()}
    for key, text in (metadata or {}).items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise TypeError(f"metadata are texts by name, got {key!r}: {text!r}")
    content = _safetensors().numpy.save(arrays, metadata=dict(metadata) if metadata else None)
    _write_whole(path, content)


def load_file(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file by name.

    Raises ValueError if the file is cut off or is none, and ImportError that says what to install
    where safetensors is missing.
    """
    return _read(path)[0]


def save_checkpoint(
    path: str | os.PathLike[str],
    *,
    model: Any = None,
    optimizer: Any = None,
    scheduler: Any = None,
    loader: Any = None,
    generator: np.random.Generator | None = None,
    **values: Any,
) -> None:
    """Write all that a training needs to resume bit for bit.

    model, optimizer, scheduler, loader: objects with `state_dict()`.
    generator: a `np.random.Generator`, such as that of dropout.
    values: what else to keep, such as the epoch: numbers, texts, None, arrays, and lists and dicts
        of those; tuples come back as lists.

    Gradients that an optimiser has accumulated are not kept. Errors are those of `save_file`.
    """
    arrays: dict[str, Any] = {}
    if model is not None:
        arrays = {f"model.{name}": value for name, value in model.state_dict().items()}
    parts: dict[str, Any] = {"version": _VERSION, "model": model is not None}
    for name, part in zip(_PARTS, (optimizer, scheduler, loader)):
        if part is not None:
            parts[name] = _encoded(part.state_dict(), name, arrays)
    if generator is not None:
        parts["generator"] = _encoded(_state_of(generator), "generator", arrays)
    parts["values"] = _encoded(values, "values", arrays)
    save_file(arrays, path, {_KEY: json.dumps(parts)})


def load_checkpoint(
    path: str | os.PathLike[str],
    *,
    model: Any = None,
    optimizer: Any = None,
    scheduler: Any = None,
    loader: Any = None,
    generator: np.random.Generator | None = None,
) -> dict[str, Any]:
    """Put a training back to where `save_checkpoint` left it; returns the other values.

    Only what is given here is loaded: `model` alone, to use it.

    Raises ValueError, and leaves everything as it is, if the file is cut off or is no checkpoint,
    if it does not hold what is asked for, or if that is of another model or optimiser: the message
    names the keys, shapes or dtypes that differ.
    """
    arrays, metadata = _read(path)
    parts, states = _decoded_parts(path, arrays, metadata)
    given = dict(zip(_PARTS, (optimizer, scheduler, loader, generator)))
    for name, part in [("model", model), *given.items()]:
        if part is not None and not parts.get(name):
            raise ValueError(f"the checkpoint {path} holds no {name}")
    weights = {k.removeprefix("model."): v for k, v in arrays.items() if k.startswith("model.")}
    if model is not None:
        _check_model(path, model, weights)
    # The optimiser after its scheduler, which sets learning rates.
    order = [name for name in reversed(_PARTS) if given[name] is not None]
    before = {name: copy.deepcopy(_state_of(given[name])) for name in order}
    try:
        for name in order:
            _load(given[name], states[name])
        if model is not None:
            model.load_state_dict(weights)
    except Exception as error:
        for name in order:
            _load(given[name], before[name])
        if isinstance(error, ValueError):
            raise ValueError(f"the checkpoint {path} is of another training: {error}") from error
        raise
    return states["values"]


def _state_of(part: Any) -> Any:
    return part.bit_generator.state if isinstance(part, np.random.Generator) else part.state_dict()


def _load(part: Any, state: Any) -> None:
    if not isinstance(part, np.random.Generator):
        part.load_state_dict(state)
        return
    try:
        part.bit_generator.state = state
    except (KeyError, TypeError, ValueError) as error:
        kind = type(part.bit_generator).__name__
        raise ValueError(f"the generator is a {kind}: {error}") from error


def _check_model(path: Any, model: Any, weights: dict[str, np.ndarray]) -> None:
    own = model.state_dict()
    problems = [f"missing: {name}" for name in own if name not in weights]
    problems += [f"unexpected: {name}" for name in weights if name not in own]
    for name, array in own.items():
        saved = weights.get(name)
        if saved is None:
            continue
        if tuple(saved.shape) != tuple(np.shape(array)):
            problems.append(f"{name} has shape {saved.shape}, expected {tuple(np.shape(array))}")
        elif saved.dtype != np.dtype(str(array.dtype).rpartition(".")[2]):
            problems.append(f"{name} has dtype {saved.dtype}, expected {array.dtype}")
    if problems:
        raise ValueError(f"the checkpoint {path} is of another model:\n  " + "\n  ".join(problems))


# -- what is no array -------------------------------------------------------------------------


def _encoded(value: Any, where: str, arrays: dict[str, Any]) -> Any:
    """`value` as JSON has it, with the arrays taken out of it into `arrays`."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return value.item()
    if isinstance(value, dict):
        # Keys of numbers, as PyTorch's states have them, would come back as texts.
        return {
            "__dict__": [
                [_key(k, where), _encoded(v, f"{where}.{k}", arrays)] for k, v in value.items()
            ]
        }
    if isinstance(value, (list, tuple)):
        return [_encoded(v, f"{where}.{i}", arrays) for i, v in enumerate(value)]
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        name = where
        while name in arrays:
            name += "_"
        arrays[name] = value
        return {_ARRAY: name}
    raise TypeError(f"{where} is a {type(value).__name__}, which a checkpoint cannot hold")


def _key(key: Any, where: str) -> Any:
    if isinstance(key, (str, int)):
        return key
    raise TypeError(f"a key of {where} is a {type(key).__name__}, not a text or an integer")


def _decoded(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_decoded(v, arrays) for v in value]
    if isinstance(value, dict):
        if _ARRAY in value:
            return arrays[value[_ARRAY]]
        return {k: _decoded(v, arrays) for k, v in value["__dict__"]}
    return value


def _decoded_parts(
    path: Any, arrays: dict[str, np.ndarray], metadata: dict[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the checkpoint has as it stands there, and the states in it."""
    if _KEY not in metadata:
        raise ValueError(f"{path} is no checkpoint: read it by load_file")
    try:
        parts = json.loads(metadata[_KEY])
        if parts["version"] != _VERSION:
            raise ValueError(f"its version is {parts['version']}, and {_VERSION} is known here")
        names = [name for name in (*_PARTS, "values") if name in parts]
        return parts, {name: _decoded(parts[name], arrays) for name in names}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the checkpoint {path} cannot be read: {error}") from error


# -- files --------------------------------------------------------------------------------------


def _portable(name: str, value: Any) -> np.ndarray:
    """An array as safetensors takes it: in NumPy, in C order, little-endian."""
    if not isinstance(name, str):
        raise TypeError(f"names of arrays are texts, got {name!r}")
    if isinstance(value, np.generic) or not hasattr(value, "dtype"):
        raise TypeError(f"{name} is a {type(value).__name__}, not an array")
    if hasattr(value, "get") and not isinstance(value, np.ndarray):
        value = value.get()  # CuPy
    array = np.asarray(value)
    if array.dtype.name not in _DTYPES:
        raise TypeError(f"{name} has dtype {array.dtype}, which safetensors does not hold")
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that at each moment the old one or the new one is there, complete."""
    target = os.path.realpath(path)  # a link stays one
    temporary = f"{target}.{secrets.token_hex(4)}.tmp"  # one that is left over is in nobody's way
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    if os.name == "posix":  # the new name is on the disk as well
        folder = os.open(os.path.dirname(target), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    safetensors = _safetensors()
    with open(path, "rb"):
        pass  # a file that cannot be opened is an OSError, as everywhere
    try:
        with safetensors.safe_open(os.fspath(path), framework="numpy") as file:
            # Not mapped: the file may be replaced while its arrays are in use.
            arrays = {name: np.array(file.get_tensor(name)) for name in file.keys()}
            return arrays, file.metadata() or {}
    except (safetensors.SafetensorError, OSError) as error:
        _refuse(path, f"is cut off, or no safetensors file: {error}", error)
    except (KeyError, TypeError, AttributeError) as error:
        _refuse(path, f"has a dtype that NumPy does not have: {error}", error)


def _refuse(path: Any, what: str, error: Exception) -> NoReturn:
    raise ValueError(f"{path} {what}") from error


def _safetensors() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "files of arrays need safetensors: pip install 'adjoint[train]', "
            "or pip install safetensors"
        ) from error
    return safetensors
