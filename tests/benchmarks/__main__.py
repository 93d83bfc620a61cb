"""What recording costs: the same mathematics on the tape and written by hand in NumPy, in one run.

    python -m tests.benchmarks

Each pair is timed in turn, A B A B …, so that a machine whose speed drifts slows both; the table
gives the medians, and the median of the ratios pair by pair. A ratio above its bound is marked, and
makes the exit status 1.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

import autograd_lite as ag
import nn

Step = Callable[[], object]


def chain() -> tuple[Step, Step]:
    """1000 operations on 4 numbers, multiply and sine in turn, and the gradient."""
    rng = np.random.default_rng(0)
    start, factor = rng.standard_normal(4), rng.standard_normal(4)

    def by_hand() -> np.ndarray:
        x, products = start, []
        for _ in range(500):
            product = x * factor
            products.append(product)
            x = np.sin(product)
        x.sum()
        g = np.ones(4)
        for product in reversed(products):
            g = g * np.cos(product) * factor
        return g

    def on_tape() -> np.ndarray:
        leaf = x = ag.Variable(start)
        for _ in range(500):
            x = np.sin(x * factor)
        x.sum().backward()
        return leaf.grad

    np.testing.assert_allclose(on_tape(), by_hand(), rtol=1e-12)
    return by_hand, on_tape


def _by_formula(d: ag.Variable, t: np.ndarray) -> ag.Variable:
    """Softmax and cross entropy as the version by hand has them: the same mathematics, no more."""
    exponentials = np.exp(d - d.detach().max())
    return -(t * np.log(exponentials / exponentials.sum())).sum()


def _by_nn(d: ag.Variable, t: np.ndarray) -> ag.Variable:
    return nn.cross_entropy(nn.softmax(d), t)


def lecture_1(
    sigmoid: Callable[[ag.Variable], ag.Variable] = lambda x: 1 / (1 + np.exp(-x)),
    loss: Callable[[ag.Variable, np.ndarray], ag.Variable] = _by_formula,
) -> tuple[Step, Step]:
    """2 → 3 → σ → 2 → softmax → cross entropy, one sample: forward, backward, update."""
    rng = np.random.default_rng(0)
    a, t, rate = np.array([0.5, -1.0]), np.array([1.0, 0.0]), 0.1
    start = [rng.standard_normal((2, 3)), np.zeros(3), rng.standard_normal((3, 2)), np.zeros(2)]

    W1, bias1, W2, bias2 = (p.copy() for p in start)

    def by_hand() -> list[np.ndarray]:
        c = 1 / (1 + np.exp(-(a @ W1 + bias1)))
        d = c @ W2 + bias2
        exponentials = np.exp(d - d.max())
        e = exponentials / exponentials.sum()
        -(t * np.log(e)).sum()
        de = -t / e
        dd = e * (de - (de * e).sum())
        dc = W2 @ dd
        db = c * (1 - c) * dc
        W2[...] -= rate * np.outer(c, dd)
        bias2[...] -= rate * dd
        W1[...] -= rate * np.outer(a, db)
        bias1[...] -= rate * db
        return [W1, bias1, W2, bias2]

    parameters = [ag.Variable(p) for p in start]
    optimiser = nn.SGD(parameters, rate)
    V1, v1, V2, v2 = parameters

    def on_tape() -> list[np.ndarray]:
        optimiser.zero_grad()
        loss(sigmoid(a @ V1 + v1) @ V2 + v2, t).backward()
        optimiser.step()
        return [p.data for p in parameters]

    for ours, theirs in zip(on_tape(), by_hand(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    return by_hand, on_tape


def lecture_1_nn() -> tuple[Step, Step]:
    """The same step with nn's functions, which also mind overflow, masks and impossible classes."""
    return lecture_1(nn.sigmoid, _by_nn)


def perceptron() -> tuple[Step, Step]:
    """784 → 512 → ReLU → 10, cross entropy from logits, batch 128, float32: a training step."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((128, 784), dtype=np.float32)
    y = rng.integers(0, 10, 128)
    rows, rate = np.arange(128), np.float32(0.01)
    start = [
        rng.standard_normal((784, 512), dtype=np.float32) * np.float32(0.05),
        np.zeros(512, np.float32),
        rng.standard_normal((512, 10), dtype=np.float32) * np.float32(0.05),
        np.zeros(10, np.float32),
    ]
    W1, bias1, W2, bias2 = (p.copy() for p in start)

    def by_hand() -> list[np.ndarray]:
        hidden = X @ W1
        hidden += bias1
        np.maximum(hidden, 0, out=hidden)
        logits = hidden @ W2
        logits += bias2
        logits -= logits.max(axis=1, keepdims=True)
        probabilities = np.exp(logits)
        total = probabilities.sum(axis=1, keepdims=True)
        -np.mean(logits[rows, y] - np.log(total[:, 0]))
        probabilities /= total
        probabilities[rows, y] -= 1
        probabilities /= len(X)
        d_hidden = probabilities @ W2.T
        d_hidden *= hidden > 0
        for parameter, gradient in (
            (W2, hidden.T @ probabilities),
            (bias2, probabilities.sum(axis=0)),
            (W1, X.T @ d_hidden),
            (bias1, d_hidden.sum(axis=0)),
        ):
            gradient *= rate
            parameter -= gradient
        return [W1, bias1, W2, bias2]

    parameters = [ag.Variable(p) for p in start]
    optimiser = nn.SGD(parameters, float(rate))
    V1, v1, V2, v2 = parameters

    def on_tape() -> list[np.ndarray]:
        optimiser.zero_grad()
        logits = nn.relu(X @ V1 + v1) @ V2 + v2
        shifted = logits - logits.detach().max(axis=1, keepdims=True)
        np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, y]).backward()
        optimiser.step()
        return [p.data for p in parameters]

    for ours, theirs in zip(on_tape(), by_hand(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
    return by_hand, on_tape


def slices(count: int) -> Step:
    """So many rows of one Variable, each used once, and its gradient."""
    x = ag.Variable(np.random.default_rng(0).standard_normal((count, 8)))

    def step() -> np.ndarray:
        x.zero_grad()
        total = x[0]
        for i in range(1, count):
            total = total + x[i]
        np.sum(total).backward()
        return x.grad

    np.testing.assert_array_equal(step(), np.ones((count, 8)))
    return step


def measure(by_hand: Step, on_tape: Step, seconds: float = 3.0) -> tuple[float, float, float]:
    """Medians of the two in seconds, and of their ratio pair by pair."""
    pairs = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(pairs) < 20:
        start = time.perf_counter()
        by_hand()
        middle = time.perf_counter()
        on_tape()
        pairs.append((middle - start, time.perf_counter() - middle))
    hand, tape = zip(*pairs, strict=True)
    ratio = statistics.median(t / h for h, t in pairs)
    return statistics.median(hand), statistics.median(tape), ratio


def main() -> bool:
    """Print the table; whether every ratio keeps its bound."""
    workloads: list[tuple[Callable[[], tuple[Step, Step]], float | None]] = [
        (chain, 3.4),
        (lecture_1, 3.7),
        (lecture_1_nn, None),
        (perceptron, 1.2),
    ]
    print(f"{'workload':<14}{'by hand':>12}{'on the tape':>14}{'ratio':>8}{'bound':>8}")
    kept = True
    for workload, bound in workloads:
        kept &= show(workload.__name__, measure(*workload()), bound)
    print(f"\n{'rows of one':<14}{'500':>12}{'4000':>14}")
    kept &= show("Variable", measure(slices(500), slices(4000)), 12)
    return kept


def show(name: str, measured: tuple[float, float, float], bound: float | None) -> bool:
    """Print a row of the table; whether the ratio keeps its bound."""
    first, second, ratio = measured
    row = f"{name:<14}{first * 1e6:>9.1f} µs{second * 1e6:>11.1f} µs{ratio:>8.2f}{bound or '–':>8}"
    over = bound is not None and ratio > bound
    print(row + ("  over its bound" if over else ""), flush=True)
    return not over


if __name__ == "__main__":
    sys.exit(not main())
