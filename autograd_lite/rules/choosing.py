"""Entries chosen by index, mask, rank or place: take, select, sort, diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autograd_lite.errors import MissingRuleError
from autograd_lite.primitive import composition, primitive
from autograd_lite.rules.indexing import put
from autograd_lite.rules.operands import along, without_out
from autograd_lite.variable import Variable, plain

Axis = int | None

# --- where things are: integers, untracked --------------------------------------------------------

primitive(np.nonzero, None)
primitive(np.flatnonzero, None)
primitive(np.argwhere, None)
primitive(np.argsort, None)
primitive(np.argpartition, None)
primitive(np.lexsort, None, variadic=True)
primitive(np.searchsorted, None, None)
primitive(np.digitize, None, None)
primitive(np.isin, None, None)

# --- by index -------------------------------------------------------------------------------------


def _within(indices: Any, count: int, mode: str) -> Any:
    """Indices as `mode` wants them: wrapped around, or clipped to the ends."""
    if mode == "wrap":
        return np.remainder(indices, count)
    return np.clip(indices, 0, count - 1) if mode == "clip" else indices


@composition(np.take)
def take(a: Any, indices: Any, axis: Axis = None, out: None = None, mode: str = "raise") -> Any:
    """Read by index along one axis."""
    without_out("take", out)
    if axis is None:
        a, axis = np.ravel(a), 0
    if type(indices) is not Variable:
        indices = np.asarray(indices, int)  # in np.take, a boolean is 0 or 1
    axis = normalize_axis_index(axis, a.ndim)
    return a[along(axis, _within(indices, a.shape[axis], mode))]


@composition(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: Axis = -1) -> Any:
    """Read by an index of its own at every place along the axis."""
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, arr.ndim)
    if indices.ndim != arr.ndim:
        raise ValueError(
            f"take_along_axis: the indices have {indices.ndim} axes and the array has {arr.ndim}"
        )
    index = list(np.ix_(*map(range, arr.shape)))
    index[axis] = indices
    return arr[tuple(index)]


@composition(np.compress)
def compress(condition: Any, a: Any, axis: Axis = None, out: None = None) -> Any:
    """The entries along an axis for which the condition holds."""
    without_out("compress", out)
    return np.take(a, np.nonzero(condition)[0], axis)


composition(np.extract)(lambda condition, arr: np.compress(np.ravel(condition), np.ravel(arr)))


@composition(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """The choice of the first condition that holds: one np.where inside another."""
    if not len(condlist) or len(condlist) != len(choicelist):
        raise ValueError(
            f"select: {len(condlist)} conditions and {len(choicelist)} choices; there must be one "
            f"choice for each condition, and at least one"
        )
    dtype = np.result_type(*choicelist, default)
    z = default.astype(dtype) if type(default) is Variable else np.asarray(default, dtype)
    conditions = np.broadcast_arrays(*condlist)
    for condition, choice in zip(reversed(conditions), reversed(choicelist), strict=True):
        if condition.dtype != bool:
            raise TypeError(f"select: a condition is {condition.dtype}, and must be bool")
        z = np.where(condition, choice, z)
    return z


@composition(np.choose)
def choose(a: Any, choices: Any, out: None = None, mode: Any = "raise") -> Any:
    """At every place, the entry of the choice with the number that stands there."""
    without_out("choose", out)
    np.choose(plain(a), np.arange(len(choices)), mode=mode)  # raises what NumPy raises
    number, *arrays = np.broadcast_arrays(_within(a, len(choices), mode), *choices)
    stacked = np.stack(arrays, dtype=np.result_type(*choices))
    return np.take_along_axis(stacked, number[None], 0)[0]


@composition(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Each function of the entries of x for which its condition holds; 0 where none does."""
    conditions = list(condlist) if np.ndim(condlist[0]) or not np.ndim(x) else [condlist]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(np.stack(conditions), axis=0))
    if len(funclist) != len(conditions):
        raise ValueError(
            f"piecewise: {len(funclist)} functions for {len(conditions)} conditions; there is one "
            f"for each, and possibly one more for everywhere else"
        )
    z = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        z = put(
            z, condition, function(x[condition], *args, **kw) if callable(function) else function
        )
    return z


# --- by rank: sorting is reading by a permutation, and its derivative follows the entries ---------


def _refuse_fields(name: str, order: Any) -> None:
    if order is not None:
        raise MissingRuleError(f"{name}: order= names fields of records, and a Variable has none")


@composition(np.sort)
def sort(
    a: Any, axis: Axis = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None
) -> Any:
    """Always stable: equal entries keep their order, and each its own cotangent."""
    _refuse_fields("sort", order)
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take_along_axis(a, np.argsort(a, axis=axis, kind="stable"), axis)


@composition(np.partition)
def partition(
    a: Any, kth: Any, axis: Axis = -1, kind: str = "introselect", order: Any = None
) -> Any:
    """Read by np.argpartition."""
    _refuse_fields("partition", order)
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take_along_axis(a, np.argpartition(a, kth, axis=axis), axis)


# --- by place: diagonals and triangles ------------------------------------------------------------

primitive(np.tril, lambda g, z, x, *, k=0: np.tril(g, k))
primitive(np.triu, lambda g, z, x, *, k=0: np.triu(g, k))
_diagonal_matrix = primitive(np.diag, lambda g, z, x, *, k=0: np.diagonal(g, k))  # of a vector


@composition(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """x[..., i, i + offset] for all i, of the two axes."""
    if a.ndim < 2:
        raise ValueError(f"diagonal: it needs two or more axes, and the array has {a.ndim}")
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = max(0, -offset), max(0, offset)
    i = np.arange(max(0, min(a.shape[-2] - rows, a.shape[-1] - columns)))
    return a[..., i + rows, i + columns]


@composition(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix with this diagonal."""
    if v.ndim not in (1, 2):
        raise ValueError(f"diag: the array must have one or two axes, and has {v.ndim}")
    return np.diagonal(v, k) if v.ndim == 2 else _diagonal_matrix(v, k=k)


@composition(np.trace)
def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None
) -> Any:
    """The sum over a diagonal."""
    without_out("trace", out)
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


composition(np.diagflat)(lambda v, k=0: _diagonal_matrix(np.ravel(v), k=k))
composition(np.linalg.diagonal)(lambda x, /, *, offset=0: np.diagonal(x, offset, -2, -1))
composition(np.linalg.trace)(
    lambda x, /, *, offset=0, dtype=None: np.trace(x, offset, -2, -1, dtype)
)

# --- counted --------------------------------------------------------------------------------------

_weighted_count = primitive(np.bincount, None, lambda g, z, x, weights, *, minlength=0: g[x])


@composition(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """Weights added up by number; without weights, a count, which has no derivative."""
    if weights is None:
        return np.bincount(plain(x), minlength=minlength)
    return _weighted_count(x, weights, minlength=minlength)
