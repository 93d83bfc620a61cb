"""What `Network.fit` costs over the plain loop that does the same steps, in one run.

    python -m tests.benchmarks.fit

Three sizes of network, from one whose steps are all overhead to one that is all arithmetic. The two
loops train twin networks epoch by epoch in turn, F P F P …, and which goes first changes every
time; the table gives the medians of an epoch, and of the ratios pair by pair. That the twins stay
bit for bit the same is checked at the end. The last rows have metrics and callbacks, as they are
used, against the same plain loop.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import nn

BOUND = 1.05


class Workload:
    """Twin networks, data, and an epoch of either loop."""

    def __init__(self, sizes: tuple[int, ...], rows: int, batch: int, dtype: type, **settings: Any):
        rng = np.random.default_rng(0)
        self.X = rng.standard_normal((rows, sizes[0])).astype(dtype)
        self.y = rng.integers(0, sizes[-1], rows)
        self.batch, self.settings = batch, settings
        self.fitted, self.looped = (self._network(sizes, dtype) for _ in range(2))
        self.optimisers = [nn.Adam(n.parameters(), 1e-3) for n in (self.fitted, self.looped)]
        self.rngs = [np.random.default_rng(1) for _ in range(2)]

    def _network(self, sizes: tuple[int, ...], dtype: type) -> nn.Network:
        rng = np.random.default_rng(0)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.FullyConnected(inputs, outputs, rng, dtype=dtype), nn.ReLU()]
        return nn.Network(*layers[:-1], loss=nn.cross_entropy_from_logits)

    def fit(self, epochs: int) -> None:
        """Epochs by `Network.fit`."""
        self.fitted.compile(self.optimisers[0], metrics=self.settings.get("metrics", ()))
        self.fitted.fit(
            self.X,
            self.y,
            epochs=epochs,
            batch_size=self.batch,
            callbacks=self.settings.get("callbacks", ()),
            rng=self.rngs[0],
            progress=False,
        )

    def loop(self, epochs: int) -> None:
        """Epochs by the plain loop, which notes its losses, too."""
        optimiser = self.optimisers[1]
        losses = []
        for _ in range(epochs):
            for X, y in nn.batches(self.X, self.y, batch_size=self.batch, rng=self.rngs[1]):
                loss = nn.cross_entropy_from_logits(self.looped(X), y)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                losses.append(loss.item())


def measure(workload: Workload, epochs: int, seconds: float = 6.0) -> tuple[float, float, float]:
    """Medians of an epoch in seconds by fit and by the loop, and of their ratio pair by pair."""
    pairs: list[tuple[float, float]] = []
    sides: list[Callable[[int], None]] = [workload.fit, workload.loop]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(pairs) < 20:
        times = {}
        for side in sides if len(pairs) % 2 else sides[::-1]:
            start = time.perf_counter()
            side(epochs)
            times[side] = (time.perf_counter() - start) / epochs
        pairs.append((times[sides[0]], times[sides[1]]))
    ours, theirs = workload.fitted.state_dict(), workload.looped.state_dict()
    assert all(np.array_equal(ours[path], theirs[path]) for path in ours)
    fit, loop = (statistics.median(side) for side in zip(*pairs, strict=True))
    return fit, loop, statistics.median(f / p for f, p in pairs)


def main() -> None:
    """Print the table."""
    metrics = {"metrics": ["accuracy"], "callbacks": [nn.GradientNorms(), nn.LearningRateLog()]}
    workloads = {
        "2→8→2, batch 4": (Workload((2, 8, 2), 400, 4, np.float64), 2),
        "64→64→10, batch 32": (Workload((64, 64, 10), 1280, 32, np.float64), 3),
        "784→256→10, batch 128": (Workload((784, 256, 10), 2560, 128, np.float32), 1),
        "the second, watched": (Workload((64, 64, 10), 1280, 32, np.float64, **metrics), 2),
    }
    print(f"{'an epoch of':<24}{'fit':>12}{'plain loop':>12}{'ratio':>8}{'bound':>8}")
    for name, (workload, epochs) in workloads.items():
        fit, loop, ratio = measure(workload, epochs)
        bound = "–" if workload.settings else BOUND
        print(f"{name:<24}{fit * 1e3:>9.2f} ms{loop * 1e3:>9.2f} ms{ratio:>8.3f}{bound:>8}")


if __name__ == "__main__":
    main()
