"""sinc, whose derivatives of every order are combinations of spherical Bessel functions.

(cos πx − sinc x)/x, the derivative as calculus gives it, is 0/0 at 0 and has no digits near it. But
sinc x = j₀(πx), and the functions jₙ are each other's derivatives without any division:
(2n + 1)·jₙ′ = n·jₙ₋₁ − (n + 1)·jₙ₊₁ (Abramowitz & Stegun 10.1.20).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_lite.primitive import Primitive, primitive


def _bessel(x: Any, *, n: int) -> Any:
    """jₙ(x): by its power series where |x| < n + 1, by recurrence in n, stable there, elsewhere."""
    x = np.asarray(x)
    near = np.abs(x) < n + 1
    result = np.empty_like(x)
    result[near] = _series(x[near], n)
    result[~near] = _recurrence(x[~near], n)
    return result


def _series(x: Any, n: int) -> Any:
    """xⁿ/(2n+1)!! · Σ (−x²/2)ᵏ / (k!·(2n+3)(2n+5)…(2n+2k+1))."""
    term = x**n / math.prod(range(1, 2 * n + 2, 2))
    total = np.zeros_like(x)
    for k in range(1, 12 + 2 * n):  # the terms left out are below a rounding error for |x| < n + 1
        total += term
        term = term * (-0.5 * x * x) / (k * (2 * n + 2 * k + 1))
    return total


def _recurrence(x: Any, n: int) -> Any:
    """From j₀ and j₁ upwards: jₘ₊₁ = (2m + 1)/x·jₘ − jₘ₋₁."""
    low, high = np.sin(x) / x, (np.sin(x) / x - np.cos(x)) / x
    for m in range(1, n):
        low, high = high, (2 * m + 1) / x * high - low
    return high if n else low


def _bessel_rule(g: Any, z: Any, x: Any, *, n: int) -> Any:
    below = n * bessel(x, n=n - 1) if n else 0
    return g * (below - (n + 1) * bessel(x, n=n + 1)) / (2 * n + 1)


bessel = Primitive(_bessel, (_bessel_rule,), "spherical Bessel function")

primitive(np.sinc, lambda g, z, x: g * (-np.pi * bessel(np.pi * x, n=1)))
