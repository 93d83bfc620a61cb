"""What the peers take for the same mathematics: PyTorch eager, HIPS autograd, MyGrad, in one run.

    pip install "autograd_lite[bench]" && python -m tests.benchmarks.peers

All must give the gradients of the hand-written version first. Then they are timed in turn, one step
each and around again, so that a machine whose speed drifts slows all; the table gives medians, and
medians of the ratios round by round. Each peer is written as its users would, with its own sigmoid
and softmax if it has them: PyTorch on one thread, and updated without an optimiser object, which is
faster; MyGrad with its guard against mutation, its default, which is about a third of its time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import autograd
import autograd.numpy as anp
import mygrad
import numpy as np
import torch
from mygrad.nnet import activations

from tests.benchmarks import __main__ as ours

Step = Callable[[], object]
NAMES = ["by hand", "autograd_lite", "PyTorch", "HIPS autograd", "MyGrad"]


def chain() -> list[Step]:
    """1000 operations on 4 numbers, multiply and sine in turn, and the gradient."""
    by_hand, on_tape = ours.chain()
    rng = np.random.default_rng(0)
    start, factor = rng.standard_normal(4), rng.standard_normal(4)
    torch_factor = torch.from_numpy(factor)

    def in_torch() -> np.ndarray:
        leaf = x = torch.from_numpy(start).requires_grad_()
        for _ in range(500):
            x = torch.sin(x * torch_factor)
        x.sum().backward()
        return leaf.grad.numpy()

    def end(x: np.ndarray) -> np.ndarray:
        for _ in range(500):
            x = anp.sin(x * factor)
        return anp.sum(x)

    slope = autograd.grad(end)

    def in_hips() -> np.ndarray:
        return slope(start)

    def in_mygrad() -> np.ndarray:
        leaf = x = mygrad.tensor(start)
        for _ in range(500):
            x = mygrad.sin(x * factor)
        x.sum().backward()
        return leaf.grad

    return [by_hand, on_tape, in_torch, in_hips, in_mygrad]


def lecture_1() -> list[Step]:
    """2 → 3 → σ → 2 → softmax → cross entropy, one sample: forward, backward, update."""
    by_hand, on_tape = ours.lecture_1()
    on_tape()
    start = [p.copy() for p in by_hand()]  # ours are here by now, and the peers begin here
    a, t, rate = np.array([0.5, -1.0]), np.array([1.0, 0.0]), 0.1

    parameters = W1, b1, W2, b2 = [torch.tensor(p, requires_grad=True) for p in start]
    torch_a, torch_t = torch.from_numpy(a), torch.from_numpy(t)

    def in_torch() -> list[np.ndarray]:
        e = torch.softmax(torch.sigmoid(torch_a @ W1 + b1) @ W2 + b2, dim=-1)
        for p in parameters:
            p.grad = None
        (-(torch_t * torch.log(e)).sum()).backward()
        with torch.no_grad():
            for p in parameters:
                p -= rate * p.grad
        return [p.detach().numpy() for p in parameters]

    def loss(parameters: list[np.ndarray]) -> np.ndarray:
        W1, b1, W2, b2 = parameters
        c = 1 / (1 + anp.exp(-(a @ W1 + b1)))
        d = c @ W2 + b2
        exponentials = anp.exp(d - anp.max(d))
        e = exponentials / anp.sum(exponentials)
        return -anp.sum(t * anp.log(e))

    slopes = autograd.value_and_grad(loss)
    arrays = [p.copy() for p in start]

    def in_hips() -> list[np.ndarray]:
        _, gradients = slopes(arrays)
        for p, g in zip(arrays, gradients, strict=True):
            p -= rate * g
        return arrays

    tensors = V1, v1, V2, v2 = [mygrad.tensor(p) for p in start]

    def in_mygrad() -> list[np.ndarray]:
        e = activations.softmax(activations.sigmoid(a @ V1 + v1) @ V2 + v2)
        (-(t * mygrad.log(e)).sum()).backward()
        for p in tensors:
            p.data -= rate * p.grad
        return [p.data for p in tensors]

    return [by_hand, on_tape, in_torch, in_hips, in_mygrad]


def check(steps: list[Step]) -> None:
    """All give the same arrays, twice over."""
    for _ in range(2):
        expected, *results = [step() for step in steps]
        for name, result in zip(NAMES[1:], results, strict=True):
            for e, r in zip(expected, result, strict=True):
                np.testing.assert_allclose(r, e, rtol=1e-9, err_msg=name)


def measure(steps: list[Step], seconds: float = 6.0) -> tuple[list[float], list[float]]:
    """Medians of the times in seconds, and of their ratios to the first, round by round."""
    rounds = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(rounds) < 20:
        times = []
        for step in steps:
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        rounds.append(times)
    medians = [statistics.median(times) for times in zip(*rounds, strict=True)]
    ratios = [statistics.median(t[i] / t[0] for t in rounds) for i in range(len(steps))]
    return medians, ratios


def main() -> None:
    """Print the table: the time by hand, and everyone's as a multiple of it."""
    torch.set_num_threads(1)
    print(f"{'workload':<12}", *(f"{name:>15}" for name in NAMES))
    for workload in (chain, lecture_1):
        steps = workload()
        check(steps)
        medians, ratios = measure(steps)
        print(
            f"{workload.__name__:<12}",
            f"{medians[0] * 1e6:>12.1f} µs",
            *(f"{ratio:>15.2f}" for ratio in ratios[1:]),
        )


if __name__ == "__main__":
    main()
