"""IDX files: against the format's definition, back and forth, damaged, and with false sizes."""

import gzip
import math
import os
import re
import struct
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest

from nn.datasets import load_dataset
from nn.idx import read_idx, write_idx

FORMAT = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
SUFFIXES = ["idx3-ubyte", "idx.gz"]


def generator(seed=0):
    return np.random.default_rng(seed)


def refuses(error, message):
    return pytest.raises(error, match="^" + re.escape(message))


def header(code, *sizes, axes=None):
    return struct.pack(
        f">BBBB{len(sizes)}I", 0, 0, code, len(sizes) if axes is None else axes, *sizes
    )


def written(path, content):
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", FORMAT)
def test_files_as_the_format_defines_them_are_read(tmp_path, dtype, suffix):
    content = header(FORMAT[dtype], 2, 3) + struct.pack(
        f">6{np.dtype(dtype).char}", 1, 2, 3, 4, 5, 100
    )
    array = read_idx(written(tmp_path / f"six.{suffix}", content))
    assert array.tolist() == [[1, 2, 3], [4, 5, 100]]
    assert array.dtype == np.dtype(dtype)
    assert array.dtype.isnative
    array[0, 0] = 7  # it is yours


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", FORMAT)
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 0, 3), (3, 4, 5), (1,) * 64])
def test_what_is_written_is_read_back(tmp_path, dtype, shape, suffix):
    content = generator().bytes(math.prod(shape) * np.dtype(dtype).itemsize)
    array = np.frombuffer(content, dtype).reshape(
        shape
    )  # all bit patterns, NaNs and infinities among them
    path = tmp_path / f"array.{suffix}"
    write_idx(path, array)
    found = read_idx(str(path))
    assert found.shape == shape
    assert found.dtype == array.dtype
    assert found.tobytes() == array.tobytes()


def test_the_bytes_are_those_of_the_format_and_always_the_same(tmp_path):
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    content = header(0x0C, 2, 3) + struct.pack(">6i", *range(6))
    for n, same in enumerate([array, array.astype(">i4"), np.asfortranarray(array)]):
        write_idx(tmp_path / f"{n}.idx", same)
        write_idx(tmp_path / f"{n}.idx.gz", same)
        assert (tmp_path / f"{n}.idx").read_bytes() == content
        assert gzip.decompress((tmp_path / f"{n}.idx.gz").read_bytes()) == content
        assert (tmp_path / f"{n}.idx.gz").read_bytes() == (tmp_path / "0.idx.gz").read_bytes()
        # no name, no time of writing (RFC 1952)
        assert (tmp_path / f"{n}.idx.gz").read_bytes()[3:8] == bytes(5)


def test_mnist_files_are_written_read_and_packed_under_any_name(tmp_path):
    digits = load_dataset("digits")
    images, labels = digits.X.reshape(-1, 8, 8).astype(np.uint8), digits.y.astype(np.uint8)
    write_idx(tmp_path / "t10k-images-idx3-ubyte.gz", images)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", labels)
    (tmp_path / "t10k-images-idx3-ubyte.gz").rename(tmp_path / "images")
    assert np.array_equal(read_idx(tmp_path / "images"), images)
    assert np.array_equal(read_idx(tmp_path / "t10k-labels-idx1-ubyte"), labels)


def test_what_packs_best_is_read_back(tmp_path):
    path = tmp_path / "zeros.gz"
    write_idx(path, np.zeros((10_000, 1000), np.uint8))
    assert path.stat().st_size < 10_000  # near the 1032 of a byte that deflate makes at most
    assert read_idx(path).shape == (10_000, 1000)


SIX = header(0x08, 2, 3) + bytes(6)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no IDX file: it begins with the bytes [], and [00 00], a dtype"),
        (b"\0\0\x08", "is no IDX file: it begins with the bytes [00 00 08], and"),
        (b"\x89PNG....", "is no IDX file: it begins with the bytes [89 50 4e 47], and"),
        (header(0x0A, 1) + b"1", "is no IDX file: it begins with the bytes [00 00 0a 01], and"),
        (header(0x08, 2, axes=3), "ends within its header: 3 axes need 12 bytes, not 4"),
        (SIX[:-1], "5 bytes of data, but shape (2, 3) of uint8 needs 6; it is"),
        (header(0x0E, 2) + bytes(15), "15 bytes of data, but shape (2,) of float64 needs 16; it"),
        (SIX + b"1", " bytes of data, but shape (2, 3) of uint8 needs 6; it is"),
        (
            header(0x0E, *[2**32 - 1] * 200) + bytes(9),
            "has 200 axes by its header, and NumPy's arrays have at most 64",
        ),
        (header(0x08, 0, *[2**32 - 1] * 4), "which NumPy cannot hold: "),
        (header(0x08, *[1] * 65) + b"1", "has 65 axes by its header, and NumPy's"),
        (header(0x09, 2**32 - 1, 2**32 - 1) + b"1", "4294967295) of int8 needs 2⁶³ or more; it"),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, message, suffix):
    path = written(tmp_path / f"bad.{suffix}", content)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read_idx(path)
    assert str(caught.value).startswith(f"read_idx: {str(path)!r} ")


def test_a_file_that_goes_on_is_told_by_its_size(tmp_path):
    path = written(tmp_path / "long.idx", SIX + bytes(3))
    with pytest.raises(
        ValueError, match=r"has 9 bytes of data, but shape \(2, 3\) of uint8 needs 6"
    ):
        read_idx(path)


@pytest.mark.parametrize("cut", [3, 9, 12, -9, -1])
def test_packed_files_that_are_cut_short_are_refused(tmp_path, cut):
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(SIX)[:cut])
    with pytest.raises(
        ValueError, match=r"read_idx: '.*cut\.gz' is damaged \(.*\); fetch it again"
    ):
        read_idx(path)


def test_packed_files_with_a_wrong_byte_are_refused(tmp_path):
    content = gzip.compress(header(0x08, 1000) + generator().bytes(1000))
    path = tmp_path / "wrong.gz"
    for position, message in [
        (2, "Unknown compression method"),
        (10, "invalid block type"),
        (500, "CRC check failed"),
    ]:
        path.write_bytes(content[:position] + b"\xff" + content[position + 1 :])
        with pytest.raises(ValueError, match=rf"is damaged \(.*{message}.*fetch it again"):
            read_idx(path)


HUGE = [(2**31,), (2**16, 2**16), (10**6, 1000), (10**4, 10**4)]


@pytest.mark.parametrize("sizes", HUGE)
def test_sizes_beyond_the_file_are_refused_before_it_is_read(tmp_path, sizes):
    path = tmp_path / "huge.idx"
    with open(path, "wb") as file:
        file.write(header(0x08, *sizes))
        file.truncate(10**8)  # with a hole, which takes no space
    there = 10**8 - 4 - 4 * len(sizes)
    with refuses_within_a_megabyte(f"has {there} bytes of data, but shape {sizes} of uint8 needs"):
        read_idx(path)


@pytest.mark.parametrize("sizes", [*HUGE, (5000, 1000)])
def test_sizes_beyond_what_a_packed_file_can_hold_are_refused(tmp_path, sizes):
    path = tmp_path / "huge.idx.gz"
    written(path, header(0x08, *sizes) + generator().bytes(5000))
    most = 1032 * path.stat().st_size - 4 - 4 * len(sizes)
    # 5 million bytes could be packed in 5000: the file is read, and memory grows with what is there
    found = f"at most {most}" if sizes in HUGE else "5000"
    with refuses_within_a_megabyte(f"has {found} bytes of data, but shape {sizes} of uint8 needs"):
        read_idx(path)


@contextmanager
def refuses_within_a_megabyte(message):
    """A ValueError, raised with no more memory than buffers of files take."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=re.escape(message)):
            yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10**6, peak


@pytest.mark.parametrize("dtype", [bool, np.int64, np.uint16, np.uint32, np.float16, complex, str])
def test_dtypes_that_the_format_lacks_are_refused(tmp_path, dtype):
    path = tmp_path / "a.idx"
    message = "write_idx: the format has the dtypes uint8, int8, int16, int32, float32, float64, re"
    with refuses(TypeError, message):
        write_idx(path, np.zeros(2, dtype))
    assert not path.exists()


def test_sizes_that_the_format_lacks_are_refused(tmp_path):
    array = np.broadcast_to(np.uint8(0), (2**32,))  # one byte in memory
    with refuses(ValueError, "write_idx: sizes must be below 2³², received: uint8 array of shape"):
        write_idx(tmp_path / "a.idx", array)


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nowhere.idx")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="read_idx: it is no regular file"):
        read_idx(tmp_path / "pipe")
