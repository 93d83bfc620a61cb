"""A small LeNet on the tape, by hand in NumPy, and in PyTorch: forward and backward in one run.

    python -m tests.benchmarks.lenet

64 images of 28×28 in float32: 5×5 convolutions of 8 and 16 channels, each with 2×2 maximum pooling
and ReLU, a fully connected layer of 10 outputs, cross entropy from logits. ReLU comes after
pooling, on all sides: that is the same function for a quarter of the work. First the gradients of
all three are compared.

Times are medians of runs in turn, A B A B …, in one process. There freed memory is kept for the
next step. By default the allocator returns it to the system after some steps, and which of the two
then pays for getting it back, with more time than the arithmetic takes, is chance. So the second
table has each side alone in a fresh process, with the allocator as it comes, and with the peak of
memory of one step: NumPy's arrays as tracemalloc counts them, and what the process grew by.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import statistics
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import autograd_lite as ag
import nn
from nn.convolution_layers import Convolution2D
from nn.pooling import MaxPool
from tests.benchmarks.__main__ import Step, measure

BATCH = 64
CLASSES = 10


def data(batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Images and their labels."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((batch, 1, 28, 28), dtype=np.float32)
    return images, rng.integers(0, CLASSES, batch)


class LeNet(nn.Module):
    """The network on the tape, as a user writes it."""

    def __init__(self):
        rng = np.random.default_rng(1)
        self.conv1 = Convolution2D(1, 8, 5, rng, dtype=np.float32)
        self.conv2 = Convolution2D(8, 16, 5, rng, dtype=np.float32)
        self.output = nn.FullyConnected(256, CLASSES, rng, dtype=np.float32)
        self.pool = MaxPool(2)

    def forward(self, x: np.ndarray) -> ag.Variable:
        """The logits."""
        x = nn.relu(self.pool(self.conv1(x)))
        x = nn.relu(self.pool(self.conv2(x)))
        return self.output(x.reshape(len(x), -1))


def on_tape(batch: int = BATCH) -> Step:
    """One forward and backward pass on the tape."""
    images, labels = data(batch)
    network = LeNet()
    parameters = network.parameters()

    def step() -> list[np.ndarray]:
        for parameter in parameters:  # as an optimiser does, without looking for them again
            parameter.zero_grad()
        nn.cross_entropy_from_logits(network(images), labels).backward()
        return [parameter.grad for parameter in parameters]

    return step


def by_hand(batch: int = BATCH) -> Step:
    """The same by hand, as fast as it was made: arrays are (height, channels, width, batch).

    Of what was tried, the fastest are: windows copied row by row of the output, one matrix product
    for each row; their gradients added up kernel place by kernel place (the correlation with the
    flipped kernel takes ten times as long); the product for the weight's gradient with its few
    channels as columns; maxima pair by pair; in place, wherever nothing is needed again. Of entries
    that tie in a window, all get the gradient: in such data they tie at 0 alone, if at all, where
    ReLU stops it.
    """
    images, labels = data(batch)
    W1, b1, W2, b2, W3, b3 = (parameter.data for parameter in LeNet().parameters())
    rows = np.arange(batch)

    def convolve(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, channels, width, _ = x.shape
        height, width = height - 4, width - 4
        view = sliding_window_view(x, (5, 5), (0, 2)).transpose(0, 1, 4, 5, 2, 3)
        columns = view.reshape(height, channels * 25, width * batch)
        z = np.matmul(W.reshape(len(W), -1), columns)
        z += b[:, None]
        return z.reshape(height, len(W), width, batch), columns

    def pool_and_relu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        upper = np.maximum(z[::2, :, ::2], z[::2, :, 1::2])
        lower = np.maximum(z[1::2, :, ::2], z[1::2, :, 1::2])
        pooled = np.maximum(upper, lower, out=upper)
        return pooled, np.maximum(pooled, 0)

    def unpool(g: np.ndarray, z: np.ndarray, pooled: np.ndarray) -> np.ndarray:
        g *= pooled > 0
        dz = np.empty_like(z)
        for i in (0, 1):
            for j in (0, 1):
                np.multiply(g, z[i::2, :, j::2] == pooled, out=dz[i::2, :, j::2])
        return dz.reshape(len(z), z.shape[1], -1)

    def weight_gradient(dz: np.ndarray, columns: np.ndarray, W: np.ndarray) -> np.ndarray:
        return np.matmul(columns, dz.transpose(0, 2, 1)).sum(axis=0).T.reshape(W.shape)

    def step() -> list[np.ndarray]:
        x = np.ascontiguousarray(images.transpose(2, 1, 3, 0))
        z1, columns1 = convolve(x, W1, b1)
        pooled1, h1 = pool_and_relu(z1)
        z2, columns2 = convolve(h1, W2, b2)
        pooled2, h2 = pool_and_relu(z2)
        flat = h2.transpose(3, 1, 0, 2).reshape(batch, -1)
        logits = flat @ W3
        logits += b3
        logits -= logits.max(axis=1, keepdims=True)
        p = np.exp(logits)
        total = p.sum(axis=1, keepdims=True)
        -np.mean(logits[rows, labels] - np.log(total[:, 0]))  # the loss

        p /= total
        p[rows, labels] -= 1
        p /= batch
        dW3, db3 = flat.T @ p, p.sum(axis=0)
        g = np.ascontiguousarray((p @ W3.T).reshape(batch, 16, 4, 4).transpose(2, 1, 3, 0))
        dz2 = unpool(g, z2, pooled2)
        dW2, db2 = weight_gradient(dz2, columns2, W2), dz2.sum(axis=(0, 2))
        pieces = np.matmul(W2.reshape(16, -1).T, dz2).reshape(8, 8, 5, 5, 8, batch)
        g = np.zeros((12, 8, 12, batch), np.float32)
        for i in range(5):
            for j in range(5):
                g[i : i + 8, :, j : j + 8] += pieces[:, :, i, j]
        dz1 = unpool(g, z1, pooled1)
        dW1, db1 = weight_gradient(dz1, columns1, W1), dz1.sum(axis=(0, 2))
        return [dW1, db1, dW2, db2, dW3, db3]

    return step


def in_torch(batch: int = BATCH) -> Step:
    """The same in PyTorch."""
    import torch
    from torch.nn import functional

    images, labels = map(torch.tensor, data(batch))
    start = [parameter.data for parameter in LeNet().parameters()]
    parameters = [torch.tensor(array, requires_grad=True) for array in start]
    W1, b1, W2, b2, W3, b3 = parameters

    def step() -> list[np.ndarray]:
        for parameter in parameters:
            parameter.grad = None
        x = functional.relu(functional.max_pool2d(functional.conv2d(images, W1, b1), 2))
        x = functional.relu(functional.max_pool2d(functional.conv2d(x, W2, b2), 2))
        functional.cross_entropy(x.flatten(1) @ W3 + b3, labels).backward()
        return [parameter.grad.numpy() for parameter in parameters]

    return step


SIDES = {"by hand": by_hand, "on the tape": on_tape, "PyTorch": in_torch}


def alone(side: str, seconds: float = 3.0) -> tuple[float, float, float]:
    """Median time, peak of NumPy's arrays and growth of the process in a step, in s and bytes."""
    make = SIDES[side]
    make(1)()  # libraries loaded, threads started
    step = make()
    _libc().malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _resident("VmRSS")
    step()
    grown = _resident("VmHWM") - before
    tracemalloc.start()
    step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 20:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times), peak, grown


def _resident(name: str) -> int:
    """A line of Linux's account of this process's memory, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def keep_freed_memory() -> None:
    """Tell glibc not to return memory to the system: its M_TRIM_THRESHOLD and M_MMAP_THRESHOLD."""
    for option, value in ((-1, 2**31 - 1), (-3, 2**25)):
        if not _libc().mallopt(option, value):
            raise RuntimeError(f"mallopt refused {option}: {value}")


def main() -> None:
    """Compare the gradients, and print both tables."""
    keep_freed_memory()
    hand, tape, torch = (make() for make in SIDES.values())
    for ours, by, theirs in zip(tape(), hand(), torch(), strict=True):
        scale = np.abs(by).max()  # sums of some 10⁴ products in float32
        np.testing.assert_allclose(ours, by, rtol=0, atol=1e-5 * scale)
        np.testing.assert_allclose(theirs, by, rtol=0, atol=1e-5 * scale)

    print(f"{'in one process':<20}{'the other':>12}{'on the tape':>14}{'ratio':>8}{'bound':>8}")
    for name, step, bound in (("by hand", hand, 1.3), ("PyTorch", torch, None)):
        other, ours, ratio = measure(step, tape, seconds=5.0)
        row = f"{name:<20}{other * 1e3:>9.2f} ms{ours * 1e3:>11.2f} ms{ratio:>8.2f}"
        print(f"{row}{bound or '–':>8}")

    print(f"\n{'each alone':<20}{'a step':>12}{'arrays':>14}{'process':>14}")
    spawn = multiprocessing.get_context("spawn")
    for side in SIDES:
        with ProcessPoolExecutor(1, mp_context=spawn) as process:
            seconds, peak, grown = process.submit(alone, side).result()
        arrays = f"{peak / 1e6:>11.1f} MB" if side != "PyTorch" else f"{'–':>14}"
        print(f"{side:<20}{seconds * 1e3:>9.2f} ms{arrays}{grown / 1e6:>11.1f} MB")


if __name__ == "__main__":
    main()
