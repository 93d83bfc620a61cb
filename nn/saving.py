"""Saving: nests of arrays, numbers and texts in one file, whole or not at all, and never code."""

from __future__ import annotations

import json
import math
import os
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from autograd_lite.errors import a_kind, kind
from autograd_lite.variable import Array
from nn.files import LoadError, PathLike, Reader, container, opened, parsed, replacing

FORMAT = "autograd_lite state"
VERSION = 1
DEEPEST = 100
"""How many levels a nest may have: with more, it probably contains itself."""

_Refuses: TypeAlias = Callable[[Any], str | None]


def save(path: PathLike, state: Any) -> None:
    """Write a nest of arrays, numbers and texts to a file, whole or not at all.

    `state`: dicts with texts as keys, lists and tuples, of NumPy arrays and scalars, numbers,
    booleans, texts and None, for instance of what `state_dict()` of modules, optimisers and
    schedules and a generator's `bit_generator.state` give. `nn.load` gives the same back bit for
    bit: types, dtypes, byte order, and the order of axes in memory, by which products are rounded.

    `path` ends in .npz, which `np.load` can read and which holds every real or complex dtype; or in
    .safetensors, which needs the package safetensors and holds no complex128 nor longdouble. Both
    hold a JSON text that says what stands where, and the arrays, under names made of their path.

    All is written to a file `.{name}.{random}.tmp` beside it, which then takes the place of the old
    one in one step, flushed to the disk before: after a crash the file is the old one or the new
    one, and what is left of the other may be deleted. The file keeps its permissions; behind a
    symbolic link it is the link's target that is replaced; other hard links keep the old content.

    Raises, before anything is written, TypeError for what cannot be saved, naming its place;
    ValueError for another suffix and for nests of more than 100 levels; OSError for places where
    nothing can be written; ImportError if safetensors is missing.

    >>> import nn, numpy as np, os, tempfile
    >>> layer = nn.FullyConnected(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "checkpoint.npz")
    ...     nn.save(path, {"layer": layer.state_dict(), "epoch": 7})
    ...     state = nn.load(path)
    >>> state["epoch"], np.array_equal(state["layer"]["weight"], layer.weight.data)
    (7, True)
    """
    kind_of_file = container("save", path)
    arrays: dict[str, Array] = {}
    described = _described(state, (), arrays, kind_of_file.refuses)
    description = json.dumps({"format": FORMAT, "version": VERSION, "state": described})
    with replacing(path) as file:
        kind_of_file.write(file, description, arrays)


def load(path: PathLike) -> Any:
    """The nest that `nn.save` wrote to this file; arrays are new and writable.

    Nothing in a file is executed, nothing is unpickled, and no more memory is taken than a small
    multiple of the file's size. Every byte that matters is checked by a checksum; these find
    damage, not forgery: whoever can write the file can choose the numbers in it.

    Raises OSError for a file that cannot be opened, and for a pipe or a device; ValueError for a
    suffix other than .npz and .safetensors; ImportError if safetensors is missing; and LoadError, a
    ValueError, for all that is wrong with the content.

    Training goes on, to the last bit, once everything that changed in it has its state again:

    >>> import autograd_lite as ag, nn, numpy as np, os, tempfile
    >>> x, rng = ag.Variable(0.0), np.random.default_rng(0)
    >>> adam = nn.Adam([x], 0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "checkpoint.npz")
    ...     state = {"x": x.data, "adam": adam.state_dict(), "rng": rng.bit_generator.state}
    ...     nn.save(path, state)
    ...     state = nn.load(path)
    >>> x.data = state["x"]
    >>> adam.load_state_dict(state["adam"])
    >>> rng.bit_generator.state = state["rng"]
    """
    kind_of_file = container("load", path)
    with opened("load", path) as file:
        try:
            description, arrays = kind_of_file.read(file)
            return _restored(description, arrays)
        except MemoryError:
            raise
        except Exception as error:  # whatever a hostile file makes a parser raise is a refusal
            raise LoadError(
                f"load: {os.fspath(path)!r} is not a whole file written by nn.save: {error}; take "
                f"an older copy, and for a file of another program one of its own readers"
            ) from error


# --- the nest, as JSON and arrays -----------------------------------------------------------------


def _described(x: Any, path: tuple[str, ...], arrays: dict[str, Array], refuses: _Refuses) -> Any:
    """What JSON can say of x; arrays are put aside, and named there."""
    if len(path) > DEEPEST:
        raise ValueError(
            f"save: the nest has more than {DEEPEST} levels at {_place(path[:3])}…; does it "
            f"contain itself?"
        )
    if x is None or type(x) in (bool, str):
        return x
    if type(x) is int:  # JSON readers may round large ones, and Python's refuses very large ones
        return x if abs(x) < 2**53 else {"int": hex(x)}
    if type(x) is float:
        return x if math.isfinite(x) else {"float": struct.pack(">d", x).hex()}
    if type(x) is complex:
        return {"complex": struct.pack(">dd", x.real, x.imag).hex()}
    if type(x) in (np.ndarray, np.memmap) or isinstance(x, np.generic):
        return _array_described(x, path, arrays, refuses)
    if type(x) in (list, tuple):
        parts = [_described(part, (*path, str(i)), arrays, refuses) for i, part in enumerate(x)]
        return parts if type(x) is list else {"tuple": parts}
    if type(x) is dict:
        for key in x:
            if type(key) is not str:
                raise TypeError(
                    f"save: the keys of dicts must be texts, {_place(path)} has {kind(key)}; write "
                    f"str(key)"
                )
        return {"dict": {k: _described(v, (*path, k), arrays, refuses) for k, v in x.items()}}
    advice = "pass arrays, numbers, texts, None, and dicts, lists and tuples of them"
    if hasattr(x, "state_dict"):
        advice = "pass its state_dict()"
    elif hasattr(x, "bit_generator"):
        advice = "pass its bit_generator.state"
    elif hasattr(x, "requires_grad"):
        advice = "pass its .data"
    elif isinstance(x, Mapping | list | tuple | str | int | float):
        advice = "make it a plain dict, list, tuple, text or number"
    raise TypeError(f"save: {_place(path)} is {a_kind(x)}, which cannot be saved; {advice}")


def _array_described(
    x: Any, path: tuple[str, ...], arrays: dict[str, Array], refuses: _Refuses
) -> Any:
    reason = f"it has dtype {x.dtype}" if x.dtype.kind not in "biufc" else refuses(x.dtype)
    if reason:
        raise TypeError(
            f"save: {_place(path)} is {a_kind(x)}, which cannot be saved: {reason}; convert it, "
            f"to numbers by .astype, or texts to a list by .tolist()"
        )
    name = wanted = _name(path)
    while name in arrays:
        name = f"{wanted}_{len(arrays)}"
    arrays[name] = np.asarray(x, order="C")
    described: dict[str, Any] = {"array": name, "dtype": x.dtype.str, "shape": x.shape}
    slowest_first = sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))
    if slowest_first != sorted(slowest_first):
        described["axes"] = slowest_first
    if isinstance(x, np.generic):
        described["scalar"] = True
    return described


def _name(path: tuple[str, ...]) -> str:
    """A name for an array in the file that is harmless as a file's, too."""
    name = re.sub(r"[^\w.+-]", "_", ".".join(path))[:100]
    return re.sub(r"\.\.+|^\.|\.$|^__metadata__$", "_", name) or "array"


def _place(path: tuple[str, ...]) -> str:
    return f"state{''.join(f'[{key!r}]' for key in path)}"


def _restored(description: str, arrays: Mapping[str, Reader]) -> Any:
    """The nest that `_described` took apart."""
    whole = parsed(description)
    if type(whole) is not dict or whole.get("format") != FORMAT:
        raise LoadError(f"its description is not one of the format {FORMAT!r}")
    if whole.get("version") != VERSION:
        raise LoadError(
            f"it is of version {whole.get('version')!r} of the format, and this library reads "
            f"version {VERSION}"
        )
    if set(whole) != {"format", "version", "state"}:
        raise LoadError(f"its description has the entries {sorted(whole)}")
    unread = dict(arrays)
    state = _rebuilt(whole["state"], unread)
    if unread:
        raise LoadError(f"the arrays {sorted(unread)[:10]} are not in its description")
    return state


def _rebuilt(x: Any, unread: dict[str, Reader]) -> Any:
    if type(x) is list:
        return [_rebuilt(part, unread) for part in x]
    if type(x) is not dict:
        return x
    if "array" in x:
        return _array_rebuilt(x, unread)
    ((tag, content),) = x.items()
    if tag == "dict" and type(content) is dict:
        return {key: _rebuilt(part, unread) for key, part in content.items()}
    if tag == "tuple" and type(content) is list:
        return tuple([_rebuilt(part, unread) for part in content])
    if tag == "int":
        return int(content, 16)
    if tag == "float":
        return struct.unpack(">d", bytes.fromhex(content))[0]
    if tag == "complex":
        return complex(*struct.unpack(">dd", bytes.fromhex(content)))
    raise LoadError(f"its description has an unknown entry {tag!r}")


def _array_rebuilt(x: dict[str, Any], unread: dict[str, Reader]) -> Any:
    if not {"array", "dtype", "shape"} <= set(x) <= {"array", "dtype", "shape", "axes", "scalar"}:
        raise LoadError(f"its description has an array with the entries {sorted(x)}")
    name, shape = x["array"], x["shape"]
    if name not in unread:
        raise LoadError(f"the array {name!r} is missing")
    if not re.fullmatch(r"[<>|][biufc]\d{1,2}", x["dtype"]):
        raise LoadError(f"the array {name!r} has dtype {x['dtype']!r}")
    if type(shape) is not list or not all(type(n) is int and n >= 0 for n in shape):
        raise LoadError(f"the array {name!r} has shape {shape!r}")
    array = unread.pop(name)(np.dtype(x["dtype"]), tuple(shape))
    if array.dtype == bool and (array.reshape(-1).view(np.uint8) > 1).any():
        raise LoadError(f"the array {name!r} has booleans that are neither 0 nor 1")
    if "axes" in x:
        axes = x["axes"]
        if sorted(axes) != list(range(array.ndim)):
            raise LoadError(f"the array {name!r} has its axes in the order {axes!r}")
        laid_out = np.empty([shape[axis] for axis in axes], array.dtype)
        laid_out[...] = np.transpose(array, axes)
        array = np.transpose(laid_out, np.argsort(axes))
    return array[()] if x.get("scalar") is True else array
