"""From many entries to few: sum, mean, max, min; argmax and its like, untracked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_lite.primitive import primitive

Axis = int | tuple[int, ...] | None


def kept(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """The shape a reduction over `axis` leaves with keepdims=True: 1 where it reduced."""
    if axis is None:
        return (1,) * len(shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    reduced = {a % len(shape) for a in axes} if shape else set()
    return tuple(1 if i in reduced else n for i, n in enumerate(shape))


def reduced_count(shape: tuple[int, ...], axis: Axis) -> int:
    """How many entries each result of a reduction over `axis` is made of."""
    return math.prod(n for n, k in zip(shape, kept(shape, axis), strict=True) if k == 1)


def spread(g: Any, x: Any, axis: Axis, keepdims: bool = False) -> Any:
    """A reduction's cotangent, repeated over the axes that it reduced, in the shape of x."""
    if axis is not None and not keepdims:
        g = np.reshape(g, kept(x.shape, axis))
    return np.broadcast_to(g, x.shape)


def _ties(x: Any, z: Any, axis: Axis) -> Any:
    """The weight of each entry in an extremum: shared equally by all entries that attain it."""
    attains = x == np.reshape(z, kept(x.shape, axis))
    count = np.sum(attains, axis=axis, keepdims=True)
    return attains / np.maximum(count, 1)  # a NaN attains nothing


def _extremum_rule(g: Any, z: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    return spread(g, x, axis, keepdims) * _ties(x, z, axis)


primitive(
    np.sum,
    lambda g, z, x, *, axis=None, keepdims=False: spread(g, x, axis, keepdims),
)
primitive(
    np.mean,
    lambda g, z, x, *, axis=None, keepdims=False: spread(
        g / reduced_count(x.shape, axis), x, axis, keepdims
    ),
)
primitive(np.max, _extremum_rule)
primitive(np.min, _extremum_rule)

for _function in (np.argmax, np.argmin, np.any, np.all, np.count_nonzero):
    primitive(_function, None)
