"""What a gradient costs beside its objective, at growing sizes: reverse mode promises a constant.

    python -m tests.benchmarks.objectives

Each row times an objective of tests/objectives on plain arrays, and the same function on Variables
with its backward pass, in turn: medians, and the median of the ratios pair by pair. The last column
is the ratio with Python's cycle collector switched off. What makes the ratios differ:

- Small arrays: recording and sweeping an operation take microseconds, NumPy less than one.
- Long recordings: the cycle collector walks over all that is recorded again and again while it
  grows. It has nothing to free there, and a program may switch it off meanwhile.
- Arrays of tens of megabytes: memory fetched anew from the system costs more than filling it, on
  both sides, and the recording holds more of it.
- Matrix times vector: the gradient of the matrix is a matrix at every use, written and added.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from types import ModuleType

import numpy as np

import autograd_lite as ag
from autograd_lite.text import table
from tests.benchmarks.__main__ import measure
from tests.objectives import (
    bundle_adjustment,
    least_squares,
    log_sum_exp,
    lotka_volterra,
    lstm,
    mixture,
)

Size = tuple[int, ...]

SIZES: list[tuple[ModuleType, str, list[Size]]] = [
    (log_sum_exp, "numbers", [(100,), (10_000,), (1_000_000,)]),
    (least_squares, "equations × unknowns", [(100, 10), (1_000, 100), (4_000, 1_000)]),
    (
        mixture,
        "points × dimensions × components",
        [(100, 2, 5), (1_000, 10, 10), (1_000, 32, 25), (10_000, 32, 25)],
    ),
    (
        bundle_adjustment,
        "cameras × points × observations",
        [(5, 50, 100), (20, 500, 2_000), (50, 5_000, 20_000), (100, 20_000, 100_000)],
    ),
    (lotka_volterra, "steps × species", [(30, 2), (300, 2), (3_000, 2), (30, 300), (30, 1_000)]),
    (
        lstm,
        "characters × layers × bits",
        [(10, 2, 14), (100, 2, 14), (1_000, 2, 14), (10, 2, 1_000), (10, 2, 100_000)],
    ),
]


def pair(
    parameters: list[np.ndarray], data: tuple, objective: Callable
) -> tuple[Callable[[], object], Callable[[], object]]:
    """The objective on arrays, and recorded with its gradient."""

    def on_arrays() -> object:
        return objective(*parameters, *data)

    def with_gradient() -> list[np.ndarray | None]:
        variables = [ag.Variable(p) for p in parameters]
        objective(*variables, *data).backward()
        return [v.grad for v in variables]

    return on_arrays, with_gradient


def operations(parameters: list[np.ndarray], data: tuple, objective: Callable) -> int:
    """How many operations are recorded."""
    value = objective(*[ag.Variable(p) for p in parameters], *data)
    return sum(v.number <= value.number for v in ag.tape())


def main() -> None:
    """Print the table."""
    rows = []
    for module, _, sizes in SIZES:
        for size in sizes:
            problem = (*module.problem(np.random.default_rng(0), *size), module.objective)
            plain, gradient, ratio = measure(*pair(*problem), seconds=1.0)
            gc.disable()
            try:
                _, _, uncollected = measure(*pair(*problem), seconds=1.0)
            finally:
                gc.enable()
            rows.append(
                (
                    module.__name__.rpartition(".")[2] if size == sizes[0] else "",
                    " × ".join(f"{n:,}" for n in size),
                    f"{sum(p.size for p in problem[0]):,}",
                    f"{operations(*problem):,}",
                    f"{plain * 1e3:,.3f} ms",
                    f"{gradient * 1e3:,.3f} ms",
                    f"{ratio:.1f}",
                    f"{uncollected:.1f}",
                )
            )
    head = ("", "size", "parameters", "operations", "objective", "gradient", "ratio", "no gc")
    print("\n".join(table(head, rows)), end="\n\n")
    print("\n".join(table(("", "size"), [(m.__name__.rpartition(".")[2], s) for m, s, _ in SIZES])))


if __name__ == "__main__":
    main()
