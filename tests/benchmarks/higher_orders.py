"""What derivatives cost beside what they are derivatives of, as the dimension grows.

    python -m tests.benchmarks.higher_orders

Each row times four things in turn, round by round: the objective on plain arrays, `ag.grad`,
`ag.jvp` and `ag.hvp` of it; the table gives medians, of the times and of the ratios round by round.
In theory (Griewank and Walther, "Evaluating Derivatives", 2008) a gradient costs at most 4 or 5
objectives and a Hessian-vector product a small multiple of a gradient, whatever the dimension. On
small arrays it is recording that costs: microseconds for each operation, where NumPy takes one. On
arrays of 100 kB and more it is fresh memory: a recording keeps its values, and the system hands out
new pages more slowly than NumPy fills them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.text import table

Problem = tuple[str, int, Callable[[Any], Any], Any]


def rosenbrock(x: Any) -> Any:
    """The Rosenbrock function in any dimension."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def perceptron(width: int) -> Problem:
    """Mean squared error of 32 inputs → `width` → tanh → 1 on 64 samples, in all parameters."""
    rng = np.random.default_rng(0)
    X, t = rng.standard_normal((64, 32)), rng.standard_normal(64)
    parameters = {
        "W": rng.standard_normal((32, width)) / 6,
        "bias": np.zeros(width),
        "V": rng.standard_normal(width) / np.sqrt(width),
    }

    def loss(p: Any) -> Any:
        return np.mean((np.tanh(X @ p["W"] + p["bias"]) @ p["V"] - t) ** 2)

    return "perceptron", sum(p.size for p in parameters.values()), loss, parameters


def problems() -> list[Problem]:
    """Both objectives, at growing dimensions."""
    rng = np.random.default_rng(0)
    return [
        *[("Rosenbrock", 10**k, rosenbrock, rng.uniform(-2, 2, 10**k)) for k in range(1, 6)],
        *[perceptron(width) for width in (1, 3, 30, 300, 3_000)],
    ]


def rounds(runs: list[Callable[[], object]], seconds: float = 2.0) -> list[list[float]]:
    """The times of each run, taken in turn, so that a machine whose speed drifts slows all."""
    times: list[list[float]] = [[] for _ in runs]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 10:
        for run, taken in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
    return times


def main() -> None:
    """Print the table."""
    rows = []
    for name, dimension, f, x in problems():
        gradient, v = ag.grad(f), ag.grad(f)(x)  # any direction will do
        objective, slope, change, product = rounds(
            [
                lambda f=f, x=x: f(x),
                lambda gradient=gradient, x=x: gradient(x),
                lambda f=f, x=x, v=v: ag.jvp(f, x, v),
                lambda f=f, x=x, v=v: ag.hvp(f, x, v),
            ]
        )

        def ratio(above: list[float], below: list[float]) -> str:
            return f"{statistics.median(a / b for a, b in zip(above, below, strict=True)):.1f}"

        rows.append(
            (
                name,
                f"{dimension:,}",
                *(f"{statistics.median(t) * 1e6:,.0f} µs" for t in (objective, slope)),
                ratio(slope, objective),
                ratio(change, objective),
                ratio(product, slope),
            )
        )
    head = ("", "dimension", "objective", "gradient", "grad / f", "jvp / f", "hvp / grad")
    print("\n".join(table(head, rows)))


if __name__ == "__main__":
    main()
