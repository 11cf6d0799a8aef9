"""Arrays from files: IDX, the format of MNIST, and NumPy's own."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

# The third byte of the magic number: the type of the elements, which are stored big-endian.
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in an IDX file, such as those of MNIST, compressed by gzip or not.

    The format is described by LeCun, Cortes and Burges, "The MNIST database of handwritten digits",
    under "The IDX file format": two zero bytes, the type, the number of axes, the sizes as 32-bit
    integers, the elements. The array has the byte order of the machine.

    Raises ValueError if that is not what the file holds: another magic number, an unknown type,
    fewer or more elements than the sizes say.
    """
    content = Path(path).read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path} is cut off or no gzip file: {error}") from error
    if len(content) < 4 or content[:2] != b"\0\0":
        raise ValueError(f"{path} is no IDX file: it begins with {content[:4].hex(' ')!r}")
    kind, ndim = content[2], content[3]
    if kind not in _IDX_TYPES:
        raise ValueError(f"{path} is no IDX file: there is no element type {kind:#04x}")
    begin = 4 + 4 * ndim
    if len(content) < begin:
        raise ValueError(f"{path} is cut off: it has {len(content)} bytes, its head {begin}")
    dtype = np.dtype(_IDX_TYPES[kind])
    shape = [int(n) for n in np.frombuffer(content, ">u4", ndim, offset=4)]
    expected = begin + math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        what = "is cut off" if len(content) < expected else "goes on past its end"
        raise ValueError(
            f"{path} {what}: it has {len(content)} bytes, "
            f"and its sizes {tuple(shape)} make {expected}"
        )
    elements = np.frombuffer(content, dtype, offset=begin).reshape(shape)
    return elements.astype(dtype.newbyteorder("="))


def read_npy(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in a .npy file, never unpickled.

    Raises ValueError if the file is cut off, is none, or holds Python objects.
    """
    found = _read(path)
    if isinstance(found, dict):
        raise ValueError(f"{path} holds several arrays: read it by read_npz")
    return found


def read_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays in a .npz file by name, never unpickled.

    Raises ValueError if the file is cut off, is none, or holds Python objects.
    """
    found = _read(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds one array: read it by read_npy")
    return found


def _read(path: str | os.PathLike[str]) -> np.ndarray | dict[str, np.ndarray]:
    with open(path, "rb") as file:
        try:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            with loaded:
                return {name: loaded[name] for name in loaded.files}
        except Exception as error:  # of many kinds: zipfile's, zlib's, NumPy's
            raise ValueError(f"{path} is cut off, or no file of NumPy arrays: {error}") from error
