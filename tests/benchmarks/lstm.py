"""An LSTM's training step on the tape, written by hand in NumPy, and in PyTorch, in one run.

    python -m tests.benchmarks.lstm

128 units, 50 steps, a batch of 32 with 64 inputs: forward, and backward to all weights. The three
are timed in turn; the table gives medians, and medians of the ratios round by round. Their
gradients are checked against each other first. "traced" is the most memory that NumPy took for one
step; "growth" how much a process of its own grew by one step (both on Linux only); "faults" how
often a step had to fetch a page of memory from the system, for the C library gives freed memory
back: what that costs is in the time, and goes away with MALLOC_TRIM_THRESHOLD_ and
MALLOC_MMAP_THRESHOLD_ set to 1000000000 in the environment. OPENBLAS_NUM_THREADS=1 and
OMP_NUM_THREADS=1 give every side one thread. Last, the time per step of longer and longer
sequences. PyTorch is left out where it is missing.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np

from nn.recurrent import LSTM

Step = Callable[[], list[np.ndarray]]
Rounds = list[list[float]]

UNITS, STEPS, BATCH, INPUTS = 128, 50, 32, 64
BOUND = 1.6


class Problem:
    """Inputs (steps, batch, inputs), the cotangent of all outputs, and weights as nn.LSTM's."""

    def __init__(self, dtype: type, steps: int = STEPS, units: int = UNITS, inputs: int = INPUTS):
        rng = np.random.default_rng(0)
        self.X = rng.standard_normal((steps, BATCH, inputs)).astype(dtype)
        self.dY = (rng.standard_normal((steps, BATCH, units)) / 100).astype(dtype)
        self.lstm = LSTM(inputs, units, rng, batch_first=False, dtype=dtype)
        (direction,) = self.lstm.directions
        self.weights = direction.input_weight, direction.state_weight, direction.bias


def on_tape(problem: Problem) -> Step:
    """nn.LSTM, and backward from the outputs."""

    def step() -> list[np.ndarray]:
        problem.lstm.zero_grad()
        y, _ = problem.lstm(problem.X)
        y.backward(problem.dY)
        return [weight.grad for weight in problem.weights]

    return step


def by_hand(problem: Problem) -> Step:
    """The same mathematics with every product as large, and every array as seldom new, as can be.

    Gates are blocks (4, batch, units) on the way forth, and columns (batch, 4·units) on the way
    back, where one product takes them all; the weights' gradients are one product each, at the end.
    """
    X, dY = problem.X, problem.dY
    W, U, bias = (weight.data for weight in problem.weights)
    steps, batch, inputs = X.shape
    units = U.shape[-1]
    dtype = X.dtype

    def step() -> list[np.ndarray]:
        projected = np.matmul(X.reshape(steps * batch, inputs), W)
        projected += bias[:, None]
        projected = projected.reshape(4, steps, batch, units)
        hidden = np.zeros((steps + 1, batch, units), dtype)
        cell = np.zeros((steps + 1, batch, units), dtype)
        squashed = np.empty((steps, batch, units), dtype)
        gates = np.empty((steps, 4, batch, units), dtype)
        part, slopes = np.empty((batch, units), dtype), np.empty((3, batch, units), dtype)
        for t in range(steps):
            a = gates[t]
            np.matmul(hidden[t], U, out=a)
            a += projected[:, t]
            sigmoids = a[:3]
            np.negative(sigmoids, out=sigmoids)
            np.exp(sigmoids, out=sigmoids)
            sigmoids += 1
            np.divide(1, sigmoids, out=sigmoids)
            i, f, o, g = a
            np.tanh(g, out=g)
            c = cell[t + 1]
            np.multiply(f, cell[t], out=c)
            np.multiply(i, g, out=part)
            c += part
            np.tanh(c, out=squashed[t])
            np.multiply(o, squashed[t], out=hidden[t + 1])

        transposed = np.ascontiguousarray(np.swapaxes(U, 1, 2)).reshape(4 * units, units)
        columns = np.empty((steps, batch, 4 * units), dtype)
        dh, dc = np.zeros((batch, units), dtype), np.zeros((batch, units), dtype)
        for t in range(steps - 1, -1, -1):
            i, f, o, g = gates[t]
            d = columns[t].reshape(batch, 4, units)
            tanh = squashed[t]
            np.subtract(1, gates[t, :3], out=slopes)
            slopes *= gates[t, :3]
            dh += dY[t]
            np.multiply(tanh, tanh, out=part)
            np.subtract(1, part, out=part)
            part *= o
            part *= dh
            dc += part
            dh *= tanh
            np.multiply(dh, slopes[2], out=d[:, 2])
            np.multiply(dc, g, out=part)
            np.multiply(part, slopes[0], out=d[:, 0])
            np.multiply(dc, cell[t], out=part)
            np.multiply(part, slopes[1], out=d[:, 1])
            np.multiply(g, g, out=part)
            np.subtract(1, part, out=part)
            part *= i
            np.multiply(part, dc, out=d[:, 3])
            dc *= f
            np.matmul(columns[t], transposed, out=dh)
        all_rows = columns.reshape(steps * batch, 4 * units)
        dW = X.reshape(steps * batch, inputs).T @ all_rows
        dU = hidden[:-1].reshape(steps * batch, units).T @ all_rows
        return [
            dW.reshape(inputs, 4, units).swapaxes(0, 1),
            dU.reshape(units, 4, units).swapaxes(0, 1),
            all_rows.sum(axis=0).reshape(4, units),
        ]

    return step


def in_pytorch(problem: Problem) -> Step:
    """torch.nn.LSTM with the same weights; its gates are in the order i, f, g, o."""
    import torch

    order = [0, 1, 3, 2]
    units, inputs = problem.lstm.units, problem.lstm.inputs
    X, dY = torch.from_numpy(problem.X), torch.from_numpy(problem.dY)
    lstm = torch.nn.LSTM(inputs, units, dtype=X.dtype)
    W, U, bias = (weight.data[order] for weight in problem.weights)
    with torch.no_grad():
        lstm.weight_ih_l0[:] = torch.from_numpy(W.swapaxes(1, 2).reshape(4 * units, inputs))
        lstm.weight_hh_l0[:] = torch.from_numpy(U.swapaxes(1, 2).reshape(4 * units, units))
        lstm.bias_ih_l0[:] = torch.from_numpy(bias.reshape(-1))
        lstm.bias_hh_l0[:] = 0

    def step() -> list[np.ndarray]:
        lstm.zero_grad()
        lstm(X)[0].backward(dY)
        gradients = [lstm.weight_ih_l0.grad, lstm.weight_hh_l0.grad, lstm.bias_ih_l0.grad]
        blocks = [g.numpy().reshape(4, units, *g.shape[1:])[order] for g in gradients]
        return [g.swapaxes(1, 2) if g.ndim == 3 else g for g in blocks]

    return step


SIDES: dict[str, Callable[[Problem], Step]] = {"by hand": by_hand, "on the tape": on_tape}
if find_spec("torch"):
    SIDES["PyTorch"] = in_pytorch


def checked(problem: Problem) -> dict[str, Step]:
    """Every side's step, after it was seen to give the gradients that the others give."""
    steps = {name: side(problem) for name, side in SIDES.items()}
    expected = steps["by hand"]()
    tolerance = 1e-10 if problem.X.dtype == np.float64 else 1e-3
    for step in steps.values():
        for a, b in zip(step(), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(b).max())
    return steps


def measure(steps: dict[str, Step], seconds: float = 8.0) -> tuple[Rounds, Rounds]:
    """Seconds and page faults of each side in turn, round by round."""
    rounds: Rounds = []
    faults: Rounds = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(rounds) < 20:
        times, counts = [time.perf_counter()], [_faults()]
        for step in steps.values():
            step()
            times.append(time.perf_counter())
            counts.append(_faults())
        rounds.append([after - before for before, after in pairwise(times)])
        faults.append([after - before for before, after in pairwise(counts)])
    return rounds, faults


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def traced(step: Step) -> float:
    """The peak of what one step allocates, in MB: NumPy tells tracemalloc what it takes."""
    step()
    tracemalloc.start()
    step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def growth(name: str, dtype: str) -> float:
    """How much a process grows by one step of this side, in MB, after a tiny one to warm up."""
    command = [sys.executable, "-m", "tests.benchmarks.lstm", name, dtype]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def grown(name: str, dtype: str) -> float:
    """What `growth` runs: the highest mark of resident memory, less what there was before."""
    SIDES[name](Problem(np.dtype(dtype).type, steps=2, units=4, inputs=4))()
    step = SIDES[name](Problem(np.dtype(dtype).type))
    before = _highest()
    step()
    return _highest() - before


def _highest() -> float:
    """The most memory that this process ever held, in MB. (ru_maxrss would be the parent's too.)"""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(kilobytes) * 1024 / 1e6


def main() -> None:
    """Print the tables."""
    for dtype in (np.float32, np.float64):
        steps = checked(Problem(dtype))
        rounds, faults = measure(steps)
        head = f"{np.dtype(dtype).name:<14}{'time':>10}{'ratio':>8}{'faults':>8}"
        print(f"{head}{'traced':>10}{'growth':>10}")
        for k, (name, step) in enumerate(steps.items()):
            median = statistics.median(times[k] for times in rounds)
            ratio = statistics.median(times[k] / times[0] for times in rounds)
            fetched = statistics.median(counts[k] for counts in faults)
            memory = f"{traced(step):>7.1f} MB" if name != "PyTorch" else f"{'–':>10}"
            grew = growth(name, np.dtype(dtype).name)
            bound = f"   bound {BOUND}" if name == "on the tape" else ""
            row = f"{name:<14}{median * 1e3:>7.1f} ms{ratio:>8.2f}{fetched:>8.0f}"
            print(f"{row}{memory}{grew:>7.1f} MB{bound}")
        if "PyTorch" in steps:
            against = statistics.median(times[1] / times[2] for times in rounds)
            print(f"on the tape, as a multiple of PyTorch's time: {against:.2f}")
        print()
    print("float32, on the tape: time per step of a longer sequence")
    for length in (50, 100, 200, 400, 800):
        step = on_tape(Problem(np.float32, length))
        rounds, _ = measure({"on the tape": step}, 2.0)
        median = statistics.median(times[0] for times in rounds)
        print(f"{length:>5} steps{median * 1e3:>9.1f} ms{median / length * 1e6:>9.1f} µs per step")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(grown(*sys.argv[1:]))
    else:
        main()
