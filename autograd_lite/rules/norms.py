"""Norms of vectors and matrices, of every order; 0 is the slope of each at the zero vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import linalg
from numpy.lib.array_utils import normalize_axis_tuple

from autograd_lite.primitive import composition, primitive
from autograd_lite.rules.reductions import kept

_root = primitive(
    lambda s, *, p: np.sqrt(s) if p == 2 else s ** s.dtype.type(1 / p),
    lambda g, z, s, *, p: np.where(s == 0, 0, g * z / (p * np.where(s == 0, 1, s))),
    name="root",
)


def _powers(x: Any, p: float) -> Any:
    """|x|^p. Its slope at 0 is 0, also where a branch of it is infinitely steep, for p < 1.

    For p < 0, one entry 0 makes the norm 0, and the norm's slope is 0 there as that of |x| is.
    """
    if p == 2:
        return np.square(x)
    if float(p / 2).is_integer() and p > 0:
        return x**p  # smooth, where |x| is not
    zero = x == 0
    return np.where(zero, 0 if p > 0 else np.inf, np.abs(np.where(zero, 1, x)) ** p)


def _of_vectors(x: Any, order: Any, axis: Any, keepdims: bool) -> Any:
    over = {"axis": axis, "keepdims": keepdims}
    if order is None:
        order = 2
    if isinstance(order, str):
        raise ValueError(
            f"norm: order {order!r} is for matrices, and the axes are those of vectors"
        )
    if order == np.inf:
        return np.max(np.abs(x), initial=0, **over)
    if order == -np.inf:
        return np.min(np.abs(x), **over)
    if order == 0:
        return np.sum(np.astype(x != 0, x.dtype), **over)
    if order == 1:
        return np.sum(np.abs(x), **over)
    p = float(order)  # Python's: a NumPy number would widen float32
    return _root(np.sum(_powers(x, p), **over), p=p)


def _of_matrices(x: Any, order: Any) -> Any:
    """Over the last two axes."""
    if order in (None, "f", "fro"):
        return _of_vectors(x, 2, (-2, -1), False)
    if order in ("nuc", 2, -2):
        s = linalg.svdvals(x)
        if order == "nuc":
            return np.sum(s, axis=-1)
        return np.max(s, axis=-1, initial=0) if order == 2 else np.min(s, axis=-1)
    if order in (1, -1, np.inf, -np.inf):
        sums = np.sum(np.abs(x), axis=-2 if abs(order) == 1 else -1)
        return np.max(sums, axis=-1, initial=0) if order > 0 else np.min(sums, axis=-1)
    raise ValueError(
        f"norm: order {order!r} is not defined for matrices; use None, 'fro', 'nuc', ±1, ±2 or ±inf"
    )


@composition(linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
    """Of vectors for one axis, of matrices for two; of all entries if neither is said."""
    if axis is None and ord is None:
        return _of_vectors(x, 2, None, keepdims)
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    if len(axes) == 1:
        return _of_vectors(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError(f"norm: {len(axes)} axes, where vectors have one and matrices two")
    z = _of_matrices(np.moveaxis(x, axes, (-2, -1)), ord)
    return np.reshape(z, kept(x.shape, axes)) if keepdims else z


@composition(linalg.vector_norm)
def vector_norm(
    x: Any,
    /,
    *,
    axis: Any = None,
    keepdims: bool = False,
    ord: Any = 2,  # noqa: A002
) -> Any:
    """Of the entries along the axes, however many, as one vector."""
    return _of_vectors(x, ord, axis, keepdims)


@composition(linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:  # noqa: A002
    """Of the matrices in the last two axes."""
    return linalg.norm(x, ord, (-2, -1), keepdims)
