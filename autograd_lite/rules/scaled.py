"""Running products that neither overflow nor vanish on the way: numbers as fraction and exponent.

A product of many numbers may be a float where the product of some of them is none. Here a number is
a pair (f, e), for f·2ᵉ with ½ ≤ |f| < 1, and e is an integer of any size. That costs a few times as
much as plain products: `in_range` says where those will do.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_lite.variable import plain

Pair = tuple[Any, Any]
_NEVER = -(2**24)
"""The exponent of 0: below that of any product, and far from where integers overflow."""


def in_range(x: Any, axis: int, g: Any = None) -> bool:
    """Whether all products of neighbours along the axis, of some times g, are normal floats.

    The answer looks at the numbers, and may: both ways are the same derivative, of every order.
    """
    sizes = np.abs(plain(x).astype(np.float64))
    if sizes.size == 0:
        return True
    with np.errstate(invalid="ignore"):
        logs = np.cumsum(np.log2(np.where(sizes == 0, 1, sizes)), axis=axis)
        span = np.max(np.max(logs, axis=axis, initial=0) - np.min(logs, axis=axis, initial=0))
    if g is not None:
        largest = float(np.max(np.abs(plain(g)), initial=0))
        span += abs(math.log2(largest or 1)) if math.isfinite(largest) else math.nan
        span += math.log2(sizes.size)
    limits = np.finfo(x.dtype)
    return bool(span < min(limits.maxexp, -limits.minexp) - 2)


def times(a: Pair, b: Pair) -> Pair:
    """The product a·b."""
    fraction, exponent = np.frexp(a[0] * b[0])
    return fraction, exponent + a[1] + b[1]


def plus(a: Pair, b: Pair) -> Pair:
    """The sum a + b."""
    (f, i), (g, j) = a, b
    top = np.maximum(np.where(f == 0, _NEVER, i), np.where(g == 0, _NEVER, j))
    fraction, exponent = np.frexp(np.ldexp(f, i - top) + np.ldexp(g, j - top))
    return fraction, exponent + top


def value(a: Pair) -> Any:
    """The number itself: it is infinite, or 0, only where it truly is no float."""
    return np.ldexp(*a)


def _joined(a: Pair, b: Pair, axis: int) -> Pair:
    return np.concatenate([a[0], b[0]], axis=axis), np.concatenate([a[1], b[1]], axis=axis)


def running_product(x: Any, axis: int) -> Pair:
    """The pairs of np.cumprod(x, axis), in log₂ n rounds."""
    a: Pair = np.frexp(x)
    lead = (slice(None),) * axis
    reach = 1
    while reach < x.shape[axis]:
        start, early, late = slice(None, reach), slice(None, -reach), slice(reach, None)
        rest = times(
            (a[0][*lead, early], a[1][*lead, early]), (a[0][*lead, late], a[1][*lead, late])
        )
        a = _joined((a[0][*lead, start], a[1][*lead, start]), rest, axis)
        reach *= 2
    return a
