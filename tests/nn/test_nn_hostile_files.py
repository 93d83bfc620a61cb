"""Damaged and malicious files: refused with one kind of error, and nothing is executed."""

import io
import json
import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
import safetensors.numpy

from nn import files
from nn.saving import LoadError, load, save
from tests.nn.test_nn_saving import same


@pytest.fixture(params=[".npz", ".safetensors"])
def path(request, tmp_path):
    return tmp_path / f"state{request.param}"


def small():
    """A bit of everything, in a file of a few hundred bytes."""
    return {"w": np.array([[1.5, -0.0], [np.nan, 2.0]]), "n": (3, 0.1, None, "ü", np.float32(0.1))}


def test_every_prefix_is_refused(path):
    save(path, small())
    content = path.read_bytes()
    for n in range(len(content)):
        path.write_bytes(content[:n])
        with pytest.raises(LoadError, match=r"is not a whole file written by nn\.save"):
            load(path)


@pytest.mark.parametrize("bits", [0x01, 0x10, 0x80, 0xFF])
def test_flipped_bits_are_found_wherever_they_matter(path, bits):
    save(path, small())
    content = path.read_bytes()
    refused = 0
    for n in range(len(content)):
        path.write_bytes(content[:n] + bytes([content[n] ^ bits]) + content[n + 1 :])
        try:
            found = load(path)
        except LoadError:
            refused += 1
        else:
            assert same(found, small()), f"byte {n} of {len(content)}"  # the time of a member
    assert refused > len(content) * 0.7


def test_a_missing_file_is_an_os_error(path):
    with pytest.raises(FileNotFoundError):
        load(path)


class Evil:
    """Unpickling it makes a directory."""

    def __init__(self, place):
        self.place = str(place)

    def __reduce__(self):
        return os.mkdir, (self.place,)


def npy(array):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def describe(state, **others):
    whole = {"format": "autograd_lite state", "version": 1, "state": state, **others}
    return json.dumps(whole).encode()


def zipped(path, *members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)


ONES = npy(np.ones(2))
W = {"array": "w", "dtype": "<f8", "shape": [2]}


@pytest.mark.parametrize("dtype", ["|O", "<f8", "|O8", "object"])
def test_pickles_are_refused_and_not_executed(tmp_path, dtype):
    pickled = npy(np.array([Evil(tmp_path / "executed")], object))
    path = tmp_path / "x.npz"
    zipped(
        path,
        ("description.json", describe({"array": "w", "dtype": dtype, "shape": [1]})),
        ("w.npy", pickled),
    )
    with pytest.raises(LoadError):
        load(path)
    np.savez(tmp_path / "y.npz", w=np.array([Evil(tmp_path / "executed")], object))
    with pytest.raises(LoadError):
        load(tmp_path / "y.npz")
    assert not (tmp_path / "executed").exists()
    with np.load(path, allow_pickle=True) as careless:
        careless["w"]
    assert (tmp_path / "executed").exists()  # so it would have been


def test_a_plain_file_of_our_own_making_loads(tmp_path):
    """What the refused files below differ from."""
    zipped(tmp_path / "x.npz", ("description.json", describe({"dict": {"w": W}})), ("w.npy", ONES))
    assert same(load(tmp_path / "x.npz"), {"w": np.ones(2)})


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        (b"\xff", "utf-8"),
        (b"not JSON", "Expecting value"),
        (b"[]", "not one of the format"),
        (b"{}", "not one of the format"),
        (b'{"format": "another"}', "not one of the format"),
        (describe(W, version=2), "version 2 of the format"),
        (describe(W, more=1), "entries"),
        (b"[" * 100_000, "recursion"),
        (describe(W)[:-1] + b', "version": 1}', "same key twice"),
        (describe([W, float("nan")]), "number NaN"),
        (describe([]), r"arrays \['w'\] are not in its description"),
        (describe([W, W]), "array 'w' is missing"),
        (describe([W, {"array": "v", "dtype": "<f8", "shape": [2]}]), "array 'v' is missing"),
        (describe({**W, "array": ["w"]}), "unhashable"),
        (describe({**W, "more": 1}), "entries"),
        (describe({"array": "w"}), "entries"),
        (describe({**W, "dtype": "<f4"}), "should be a float32"),
        (describe({**W, "dtype": "<f3"}), "f3"),
        (describe({**W, "dtype": "<U4"}), "dtype '<U4'"),
        (describe({**W, "dtype": "f8,f8"}), "dtype 'f8,f8'"),
        (describe({**W, "dtype": 8}), "expected string"),
        (describe({**W, "shape": [3]}), r"should be a float64 array of shape \(3,\)"),
        (describe({**W, "shape": [10**15]}), "should be a float64 array"),
        (describe({**W, "shape": [0, 10**30]}), "should be a float64 array"),
        (describe({**W, "shape": [-2]}), r"shape \[-2\]"),
        (describe({**W, "shape": [True, 2]}), r"shape \[True, 2\]"),
        (describe({**W, "shape": 2}), "shape 2"),
        (describe({**W, "axes": [1]}), r"order \[1\]"),
        (describe([W, {"float": "00"}]), "unpack"),
        (describe([W, {"float": "zz"}]), "hexadecimal"),
        (describe([W, {"int": "zz"}]), "invalid literal"),
        (describe([W, {"dict": []}]), "unknown entry 'dict'"),
        (describe([W, {"evil": "os.system"}]), "unknown entry 'evil'"),
        (describe([W, {"tuple": [], "dict": {}}]), "too many values"),
        (describe([W, {}]), "not enough values"),
    ],
)
def test_wrong_descriptions(tmp_path, description, reason):
    zipped(tmp_path / "x.npz", ("description.json", description), ("w.npy", ONES))
    with pytest.raises(LoadError, match=reason):
        load(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([("w.npy", ONES)], "has no description.json"),
        ([], "has no description.json"),
        ([("description.json", describe(W)), ("w.npy", ONES[:-1])], "should be a float64 array"),
        ([("description.json", describe(W)), ("w.npy", ONES + b"0")], "should be a float64 array"),
        ([("description.json", describe(W)), ("w.npy", b"")], "EOF"),
        ([("description.json", describe(W)), ("w.npy", b"PK\3\4" * 9)], "magic"),
        ([("description.json", describe(W)), ("w", ONES)], "members that are no arrays"),
        (
            [("description.json", describe(W)), ("w.npy", ONES), ("../../evil.npy", ONES)],
            r"arrays \['../../evil'\] are not in its description",
        ),
        (
            [("description.json", describe(W)), ("w.npy", ONES), ("/evil.sh", b"")],
            "members that are no arrays",
        ),
        (
            [("description.json", describe(W)), ("w.npy", npy(np.asfortranarray(np.eye(2))))],
            "should be a float64 array",
        ),
    ],
)
def test_wrong_members(tmp_path, members, reason):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    zipped(folder / "x.npz", *members)
    with pytest.raises(LoadError, match=reason):
        load(folder / "x.npz")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["x.npz"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(tmp_path):
    members = [("description.json", describe(W)), ("w.npy", ONES), ("w.npy", ONES)]
    zipped(tmp_path / "x.npz", *members)
    with pytest.raises(LoadError, match="two members of one name"):
        load(tmp_path / "x.npz")


def refused_within(path, memory, reason):
    tracemalloc.start()
    try:
        with pytest.raises(LoadError, match=reason):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < memory
    finally:
        tracemalloc.stop()


def test_zip_bombs_are_refused_before_they_unfold(tmp_path):
    path = tmp_path / "x.npz"
    description = describe({**W, "shape": [10**7]})
    header = npy(np.zeros(1)).replace(b"(1,), }" + b" " * 7, b"(10000000,), }")[:-8]
    bomb = header + bytes(8 * 10**7)
    zipped(path, ("description.json", description), ("w.npy", bomb))
    assert load(path).shape == (10**7,)  # as it stands, it is all right
    zipped(path, ("description.json", description), ("w.npy", bomb), method=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10**6
    refused_within(path, 10**6, "it is compressed")
    # of no more bytes than before, as it says, but to be unpacked by LZMA, with its own memory
    zipped(path, ("description.json", description), ("w.npy", ONES))
    content = path.read_bytes()
    entry = content.rindex(b"PK\1\2")
    path.write_bytes(content[: entry + 10] + struct.pack("<H", 14) + content[entry + 12 :])
    refused_within(path, 10**6, "it is compressed")
    # not compressed, and only the array's own header says that it is long
    zipped(path, ("description.json", description), ("w.npy", header + bytes(8)))
    refused_within(path, 10**6, "should be a float64 array of shape")
    # and the directory of the zip file says so, too
    save(path, np.ones(2))
    content = path.read_bytes()
    entry = content.rindex(b"PK\1\2")
    said = struct.pack("<LL", 2**31, 2**31)
    path.write_bytes(content[: entry + 20] + said + content[entry + 28 :])
    refused_within(path, 10**6, "says that it holds more than its size")


def raw_safetensors(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


TENSOR = {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}


@pytest.mark.parametrize(
    "header",
    [
        {"w": TENSOR},
        {"w": TENSOR, "__metadata__": {"description": describe(W).decode()}},
        {"w": TENSOR, "__metadata__": {"description": describe(W).decode(), "crc32": "00000000"}},
        {"w": {**TENSOR, "data_offsets": [0, 10**15]}},
        {"w": {**TENSOR, "data_offsets": [8, 24]}},
        {"w": {**TENSOR, "data_offsets": [16, 0]}},
        {"w": {**TENSOR, "data_offsets": [-8, 8]}},
        {"w": {**TENSOR, "shape": [2**62, 2**62]}},
        {"w": {**TENSOR, "dtype": "BF16", "shape": [8]}},
        {"w": TENSOR, "v": TENSOR},
        {"w": TENSOR, "v": {**TENSOR, "data_offsets": [8, 24]}},
        {"w": {**TENSOR, "dtype": "O"}},
        b"not JSON",
        b"[]",
        b'{"a":' * 100_000,
    ],
)
def test_wrong_safetensors_headers(tmp_path, header):
    raw_safetensors(tmp_path / "x.safetensors", header, bytes(16))
    with pytest.raises(LoadError):
        load(tmp_path / "x.safetensors")


@pytest.mark.parametrize("length", [0, 17, 2**40, 2**63, 2**64 - 1])
def test_wrong_safetensors_lengths(tmp_path, length):
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", length) + b"{}" + bytes(20))
    with pytest.raises(LoadError):
        load(tmp_path / "x.safetensors")


def test_a_safetensors_file_that_says_one_thing_and_holds_another(tmp_path):
    """The checksum is right, dtype or shape are not."""
    for said in ({**W, "dtype": "<i8"}, {**W, "shape": [1, 2]}):
        text = describe(said).decode()
        held = {"w": np.ones(2)}
        metadata = {"description": text, "crc32": files._checksum(text, held)}
        safetensors.numpy.save_file(held, tmp_path / "x.safetensors", metadata)
        with pytest.raises(LoadError, match="should be a"):
            load(tmp_path / "x.safetensors")


@pytest.mark.parametrize("content", [b"", b"\x80\x04.", b"PK\5\6" + bytes(18), bytes(1000)])
def test_other_files(path, content):
    path.write_bytes(content)
    with pytest.raises(LoadError):
        load(path)


@pytest.mark.parametrize("byte", [2, 0x80, 0xFF])
@pytest.mark.parametrize("shape", [(2,), (2, 2), ()])
def test_booleans_that_are_neither_true_nor_false(path, byte, shape, monkeypatch):
    """NumPy takes such bytes for true, and counts them as they are."""
    forged = np.zeros(shape, np.uint8)
    forged.reshape(-1)[-1] = byte
    save(path, {"b": forged.view(bool)})
    with pytest.raises(LoadError, match="the array 'b' has booleans that are neither 0 nor 1"):
        load(path)
    save(path, {"b": forged.astype(bool), "empty": np.zeros(0, bool)})
    assert load(path)["b"].sum() == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes among the files")
@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_a_pipe_is_refused_and_not_waited_for(ending, tmp_path):
    path = tmp_path / f"pipe{ending}"
    os.mkfifo(path)
    program = f"""
import nn
try:
    nn.load({str(path)!r})
except OSError as error:
    print(type(error).__name__, error.strerror, error.filename)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == f"OSError load: it is no regular file, but a pipe or a device {path}\n"
    (tmp_path / f"folder{ending}").mkdir()
    with pytest.raises(IsADirectoryError):
        load(tmp_path / f"folder{ending}")
