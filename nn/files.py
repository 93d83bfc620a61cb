"""Files that hold a text and arrays, .npz and .safetensors, and how one is replaced in one step."""

from __future__ import annotations

import errno
import importlib
import json
import math
import os
import secrets
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NoReturn, Protocol, TypeAlias

import numpy as np

from autograd_lite.errors import a_kind
from autograd_lite.variable import Array

PathLike: TypeAlias = str | os.PathLike[str]

Reader: TypeAlias = Callable[[np.dtype, tuple[int, ...]], Array]
"""Gives one array of a file, which must have this dtype and this shape."""

DESCRIPTION = "description.json"


class LoadError(ValueError):
    """A file is not what `nn.save` wrote: cut off, damaged, of another origin, or malicious."""


# --- the two kinds of files -----------------------------------------------------------------------


class Container(Protocol):
    """A kind of file that holds a text and arrays."""

    def refuses(self, dtype: Any) -> str | None:
        """Why arrays of a dtype cannot be in it, or None."""

    def write(self, file: IO[bytes], description: str, arrays: dict[str, Array]) -> None:
        """Write the text and the arrays, all contiguous."""

    def read(self, file: IO[bytes]) -> tuple[str, dict[str, Reader]]:
        """The text, and by name what gives each array when it is told dtype and shape."""


class _Npz:
    """A zip file of .npy files, nothing compressed: so its size bounds what it can hold."""

    def refuses(self, dtype: Any) -> None:
        return None

    def write(self, file: IO[bytes], description: str, arrays: dict[str, Array]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(DESCRIPTION, description)
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)

    def read(self, file: IO[bytes]) -> tuple[str, dict[str, Reader]]:
        archive = zipfile.ZipFile(file)
        members = {info.filename: info for info in archive.infolist()}
        if len(members) != len(archive.infolist()):
            raise LoadError("it has two members of one name")
        sizes = [info.file_size for info in members.values()]
        if sum(sizes) > os.fstat(file.fileno()).st_size or any(
            info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size
            for info in members.values()
        ):
            raise LoadError("it is compressed, or says that it holds more than its size")
        if DESCRIPTION not in members:
            raise LoadError(f"it has no {DESCRIPTION}")
        description = archive.read(members.pop(DESCRIPTION)).decode()
        names = {name.removesuffix(".npy"): name for name in members}
        if len(names) != len(members) or not all(name.endswith(".npy") for name in members):
            raise LoadError(f"it has members that are no arrays among {sorted(members)[:10]}")

        def reader(name: str) -> Reader:
            return lambda dtype, shape: _read_npy(archive, members[name], dtype, shape)

        return description, {name: reader(full) for name, full in names.items()}


def _read_npy(archive: zipfile.ZipFile, info: Any, dtype: np.dtype, shape: Any) -> Array:
    """An array of this dtype and shape, and no other. There is no way from here to a pickle."""
    with archive.open(info) as member:
        headers: dict[Any, Callable[..., Any]] = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        written, columns_first, found = headers[np.lib.format.read_magic(member)](member)
        size = math.prod(shape) * dtype.itemsize
        begin = member.tell()
        if columns_first or (written, found) != (shape, dtype) or size != info.file_size - begin:
            raise LoadError(
                f"{info.filename!r} has {info.file_size} bytes, dtype {found} and shape {written}, "
                f"and should be a {dtype} array of shape {shape}"
            )
        array = np.empty(shape, dtype)
        flat = array.reshape(-1).view(np.uint8)
        done = 0
        while chunk := member.read(2**20):  # at the end, the checksum is compared
            flat[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
            done += len(chunk)
        if done != size:
            raise LoadError(f"{info.filename!r} ends too early")
    return array


class _Safetensors:
    """A JSON header and the arrays' bytes. Its metadata hold the text, and a checksum of all."""

    dtypes = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", "c8")

    def __init__(self, asked: str) -> None:
        try:
            self.library = importlib.import_module("safetensors.numpy")
        except ImportError as error:
            raise ImportError(
                f"{asked}: a .safetensors file needs safetensors; pip install "
                f"autograd_lite[saving], or use the suffix .npz"
            ) from error

    def refuses(self, dtype: Any) -> str | None:
        known = f"{dtype.kind}{dtype.itemsize}" in self.dtypes
        return None if known else f"a .safetensors file has no {dtype}, a .npz file has"

    def write(self, file: IO[bytes], description: str, arrays: dict[str, Array]) -> None:
        # the library writes the memory behind an array as it lies there, and these are contiguous
        plain = {
            name: array.astype(array.dtype.newbyteorder("<"), copy=False)
            for name, array in arrays.items()
        }
        metadata = {"description": description, "crc32": _checksum(description, plain)}
        file.write(self.library.save(plain, metadata))

    def read(self, file: IO[bytes]) -> tuple[str, dict[str, Reader]]:
        content = file.read()
        arrays = self.library.load(content)  # refuses offsets that overlap or lead outside
        (length,) = struct.unpack("<Q", content[:8])
        metadata = parsed(content[8 : 8 + length]).get("__metadata__", {})
        if "description" not in metadata:
            raise LoadError("it has no description among its metadata")
        description = metadata["description"]
        if metadata.get("crc32") != _checksum(description, arrays):
            raise LoadError("its checksum is not that of its content")

        def reader(name: str) -> Reader:
            def read_array(dtype: np.dtype, shape: Any) -> Array:
                array = arrays[name]
                if array.dtype != dtype.newbyteorder("<") or array.shape != shape:
                    raise LoadError(
                        f"{name!r} is {a_kind(array)}, and should be a {dtype} array of {shape}"
                    )
                return np.array(array, dtype)

            return read_array

        return description, {name: reader(name) for name in arrays}


def _checksum(description: str, arrays: Mapping[str, Array]) -> str:
    """One number for the text and the names and bytes of all arrays, in hexadecimals."""
    total = zlib.crc32(description.encode())
    for name in sorted(arrays):
        total = zlib.crc32(name.encode(), total)
        total = zlib.crc32(arrays[name].reshape(-1).view(np.uint8).data, total)
    return f"{total:08x}"


def container(asked: str, path: PathLike) -> Container:
    """The kind of file that the suffix of a path stands for."""
    suffix = Path(path).suffix.lower()
    if suffix == ".npz":
        return _Npz()
    if suffix == ".safetensors":
        return _Safetensors(asked)
    raise ValueError(
        f"{asked}: the path must end in .npz or .safetensors, received: {os.fspath(path)!r}"
    )


def opened(asked: str, path: PathLike) -> IO[bytes]:
    """A regular file to read from; OSError for others, such as a pipe, that one would wait for."""
    file = open(path, "rb", opener=lambda p, flags: os.open(p, flags | _NOT_WAITING))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, f"{asked}: it is no regular file, but a pipe or a device", path)
    return file


# --- a file in one step ---------------------------------------------------------------------------


@contextmanager
def replacing(path: PathLike) -> Iterator[IO[bytes]]:
    """A file to write to, that takes the place of the one at `path` when all went well."""
    target = os.path.realpath(path)  # the file behind symbolic links
    folder, name = os.path.split(target)
    mode = None
    if os.path.lexists(target):
        mode = os.stat(target).st_mode
        if not stat.S_ISREG(mode) or not os.access(target, os.W_OK):
            raise PermissionError(
                errno.EACCES, "save: it is there already, and is no file that may be written", path
            )
    # a long name with an ending may be more than the file system takes
    temporary = os.path.join(folder, f".{name[:40]}.{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o666)
    except OSError as error:
        raise type(error)(
            error.errno, f"save: no file can be made in {folder!r}: {error.strerror}", path
        ) from error
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, target)
    except BaseException:  # an interruption, too, which may come after the last step
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    if os.name == "posix":  # elsewhere a directory cannot be opened
        try:
            directory = os.open(folder, os.O_RDONLY)
        except PermissionError:  # it may be written and not read, and the new file is in place
            return
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


_BINARY = getattr(os, "O_BINARY", 0)
_NOT_WAITING = getattr(os, "O_NONBLOCK", 0)


# --- JSON that was not written by a friend --------------------------------------------------------


def parsed(text: str | bytes) -> Any:
    """What a JSON text says; refused are equal keys in one object, and NaN and infinities."""
    return json.loads(text, object_pairs_hook=_unlike_keys, parse_constant=_refuse_constant)


def _unlike_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise LoadError("its description has the same key twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise LoadError(f"its description has the number {name}")
