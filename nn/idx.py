"""The IDX file format, in which MNIST is published: an array of any shape, with a short header."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import ArrayLike

from autograd_lite.errors import kind
from autograd_lite.variable import Array
from nn.files import opened, replacing

# the third byte of the file → what the numbers are, most significant byte first
DTYPES = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
CODES = {dtype.newbyteorder("="): code for code, dtype in DTYPES.items()}
NAMES = ", ".join(dtype.name for dtype in CODES)

_GZIP = b"\x1f\x8b"
_MOST_PER_BYTE = 1032  # deflate: 258 bytes of two bits, at best
_PIECE = 1 << 16


def read_idx(path: str | os.PathLike[str]) -> Array:
    """The array in an IDX file, also one packed with gzip, which is known by its first bytes.

    The file holds two zero bytes, one for the dtype, one for the number of axes, the sizes as
    32-bit numbers, and the entries in C order, all with the most significant byte first. The result
    has that shape, the machine's byte order, and belongs to you. Nothing is allocated for sizes
    that the file is too short for. Source: LeCun, Cortes and Burges, the MNIST database.

    Raises ValueError for a file that is no IDX file, is cut short or goes on behind the last entry,
    and OSError for one that cannot be read, such as a pipe.

    >>> import os, tempfile, numpy as np, nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "train-labels-idx1-ubyte.gz")
    ...     nn.write_idx(path, np.array([5, 0, 4], np.uint8))
    ...     nn.read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    with opened("read_idx", path) as file:
        packed = file.read(2) == _GZIP
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if not packed:
            return _read(path, file, size, exact=True)
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _read(path, unpacked, size * _MOST_PER_BYTE, exact=False)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(
                f"read_idx: {os.fspath(path)!r} is damaged ({error}); fetch it again"
            ) from error


def _read(path: str | os.PathLike[str], file: IO[bytes], size: int, exact: bool) -> Array:
    """The array in an open file of `size` bytes, or of at most so many."""

    def refuse(reason: str) -> ValueError:
        return ValueError(f"read_idx: {os.fspath(path)!r} {reason}")

    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES:
        raise refuse(
            f"is no IDX file: it begins with the bytes [{magic.hex(' ')}], and [00 00], a dtype "
            f"([08] to [0e]) and a number of axes are expected"
        )
    dtype, axes = DTYPES[magic[2]], magic[3]
    if axes > 64:
        raise refuse(f"has {axes} axes by its header, and NumPy's arrays have at most 64")
    header = file.read(4 * axes)
    if len(header) < 4 * axes:
        raise refuse(
            f"ends within its header: {axes} axes need {4 * axes} bytes, not {len(header)}"
        )
    shape = tuple(np.frombuffer(header, ">u4").tolist())
    expected, there = math.prod(shape) * dtype.itemsize, size - 4 - len(header)
    needed = expected if expected < 1 << 63 else "2⁶³ or more"

    def misfit(found: object) -> ValueError:
        return refuse(
            f"has {found} bytes of data, but shape {shape} of {dtype.name} needs {needed}; it is "
            f"damaged, or no IDX file"
        )

    if expected > there or (exact and expected < there):
        raise misfit(there if exact else f"at most {there}")
    data = bytearray()  # which grows with what is there, not with what the header says
    while piece := file.read(min(_PIECE, expected - len(data))):
        data += piece
    if len(data) < expected or file.read(1):
        raise misfit(len(data) if len(data) < expected else "more")
    try:
        array = np.frombuffer(data, dtype).reshape(shape)
    except ValueError as error:  # without entries, but with other sizes that are huge
        raise refuse(f"has shape {shape}, which NumPy cannot hold: {error}") from error
    return array.astype(dtype.newbyteorder("="), copy=False)


def write_idx(path: str | os.PathLike[str], array: ArrayLike) -> None:
    """Write an array as an IDX file, packed with gzip where the name ends in .gz.

    The dtypes of the format are uint8, int8, int16, int32, float32 and float64; `read_idx` gives
    back the same array. The same array makes the same bytes, packed or not.

    Raises TypeError for another dtype, ValueError for a size of 2³² and more.

    >>> import os, tempfile, numpy as np, nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "pairs.idx")
    ...     nn.write_idx(path, np.array([[1, 2]], np.int16))
    ...     with open(path, "rb") as file:
    ...         print(file.read().hex(" ", 4))
    00000b02 00000001 00000002 00010002
    """
    array = np.asarray(array)
    code = CODES.get(array.dtype.newbyteorder("="))
    if code is None:
        raise TypeError(
            f"write_idx: the format has the dtypes {NAMES}, received: {kind(array)}; convert it, "
            f"for instance with array.astype(np.{_nearest(array)})"
        )
    if max(array.shape, default=0) >= 1 << 32:
        raise ValueError(f"write_idx: sizes must be below 2³², received: {kind(array)}; divide it")
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content = header + array.astype(DTYPES[code]).tobytes()
    with replacing(path) as file:
        if Path(path).suffix == ".gz":
            # without name and time, which would make other bytes of the same array
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                packed.write(content)
        else:
            file.write(content)


def _nearest(array: Array) -> str:
    return {"b": "uint8", "i": "int32", "u": "int32"}.get(array.dtype.kind, "float64")
