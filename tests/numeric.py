"""Finite differences, written without the package that they check.

The five-point stencil leaves an error of h⁴·f⁽⁵⁾/30 + ε/h: with h = 1e-3 and derivatives of order
one, about 1e-12. A two-point difference stops at 1e-8 or so and would let small mistakes through.
"""

from collections.abc import Callable, Sequence

import numpy as np

STEP = 1e-3


def central(f: Callable[[float], np.ndarray]) -> np.ndarray:
    """f'(0), for f of one number."""
    near, far = f(STEP) - f(-STEP), f(2 * STEP) - f(-2 * STEP)
    return (8 * near - far) / (12 * STEP)


def along(function: Callable, arrays: Sequence, directions: Sequence) -> list[np.ndarray]:
    """d/dt function(arrays + t·directions) at t = 0, one array per output."""

    def moved(t: float) -> list:
        return function(*[x + t * u for x, u in zip(arrays, directions, strict=True)])

    return [central(lambda t, k=k: np.asarray(moved(t)[k])) for k in range(len(function(*arrays)))]


def gradients(function: Callable, arrays: Sequence, weights: Sequence) -> list[np.ndarray]:
    """The gradient of Σ weights·function(*arrays), entry by entry."""

    def total(*moved: np.ndarray) -> float:
        return sum(np.sum(w * z) for w, z in zip(weights, function(*moved), strict=True))

    results = []
    for i, x in enumerate(arrays):
        slopes = np.zeros_like(x)
        for entry in np.ndindex(x.shape):

            def shifted(t: float, i: int = i, entry: tuple = entry) -> float:
                moved = [np.array(a) for a in arrays]
                moved[i][entry] += t
                return total(*moved)

            slopes[entry] = central(shifted)
        results.append(slopes)
    return results
