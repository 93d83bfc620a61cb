"""Variance, deviation, averages, covariance, medians, quantiles, and their NaN-skipping forms."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autograd_lite.errors import MissingRuleError
from autograd_lite.primitive import Primitive, composition
from autograd_lite.rules.elementwise import nonzero
from autograd_lite.rules.operands import operand, without_out
from autograd_lite.rules.reductions import ABSENT, Axis, counted, kept, per_count, trailing
from autograd_lite.variable import Variable, plain

# --- variance and deviation -----------------------------------------------------------------------


@composition(np.var)
def _var(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = ABSENT,
    correction: Any = ABSENT,
) -> Any:
    """The mean of squared deviations from the mean, in two passes: 1e8 + {0, 1, 2} is exact."""
    without_out("var", out)
    a = _converted(a, dtype)
    if axis is not None:
        normalize_axis_tuple(axis, a.ndim)  # NumPy's sum takes axis 0 of a scalar, its var does not
    if mean is ABSENT:
        total = np.sum(a, axis=axis, keepdims=True, where=where)
        mean = per_count(total, counted(a, axis, where, keepdims=True))
    total = _squares(a, mean, axis, where, keepdims)
    count = counted(a, axis, where, keepdims) - _lost(ddof, correction)
    if np.any(count <= 0):
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
    return per_count(total, max(count, 0) if where is True else np.maximum(count, 0))


def _converted(a: Any, dtype: Any) -> Any:
    """In this dtype; without one, integers in float64, where their sum cannot overflow."""
    if dtype is None:
        return np.astype(a, np.float64) if a.dtype.kind in "iub" else a
    return a if a.dtype == dtype else np.astype(a, dtype)


def _squares(a: Any, mean: Any, axis: Axis, where: Any, keepdims: bool) -> Any:
    """The sum of squared deviations."""
    deviation = a - mean
    if where is not True:  # here already, for what is left out may be NaN
        deviation = np.where(where, deviation, 0)
    return np.sum(np.square(deviation), axis=axis, keepdims=keepdims)


def _lost(ddof: float, correction: Any) -> float:
    """The degrees of freedom to subtract, for which NumPy has two names."""
    if correction is ABSENT:
        return ddof
    if ddof:
        raise ValueError("var: ddof and correction are two names of one number; give one of them")
    return correction  # type: ignore[no-any-return]


# √ with the slope 0 at 0: the deviation of a constant has a kink there, and 0 is its smallest slope
_root = Primitive(np.sqrt, (lambda g, z, x: np.where(z == 0, 0, g / (2 * nonzero(z))),), "sqrt")


@composition(np.std)
def _std(*args: Any, **settings: Any) -> Any:
    return _root(np.var(*args, **settings))


def _if_any(total: Any, count: Any, complaint: str) -> Any:
    """The quotient total/count; where nothing counts, NaN and a warning, as from NumPy."""
    none = count <= 0
    if np.any(none):
        warnings.warn(complaint, RuntimeWarning, stacklevel=3)
    return np.where(none, np.nan, per_count(total, np.where(none, 1, count)))


@composition(np.nanmean)
def _nanmean(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Any:
    """The mean of what is not NaN. An entry that nothing else depends on has the gradient 0."""
    if a.dtype.kind != "f":
        return np.mean(a, axis, dtype, out, keepdims, where=where)
    without_out("nanmean", out)
    a = a if dtype is None else np.astype(a, dtype)
    valid = np.logical_not(np.isnan(a)) & where
    total = np.sum(a, axis=axis, keepdims=keepdims, where=valid)
    return _if_any(total, counted(a, axis, valid, keepdims), "Mean of empty slice")


@composition(np.nanvar)
def _nanvar(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = ABSENT,
    correction: Any = ABSENT,
) -> Any:
    """As var, of what is not NaN; NaN, of gradient 0, where too few entries are left."""
    ddof = _lost(ddof, correction)
    if a.dtype.kind != "f":
        options = {} if mean is ABSENT else {"mean": mean}
        return np.var(a, axis, dtype, out, ddof, keepdims, where=where, **options)
    without_out("nanvar", out)
    a = a if dtype is None else np.astype(a, dtype)
    valid = np.logical_not(np.isnan(a)) & where
    if mean is ABSENT:
        total = np.sum(a, axis=axis, keepdims=True, where=valid)
        mean = per_count(total, np.maximum(counted(a, axis, valid, keepdims=True), 1))
    total = _squares(a, mean, axis, valid, keepdims)
    count = counted(a, axis, valid, keepdims) - ddof
    return _if_any(total, count, "Degrees of freedom <= 0 for slice.")


@composition(np.nanstd)
def _nanstd(*args: Any, **settings: Any) -> Any:
    return _root(np.nanvar(*args, **settings))


@composition(np.average)
def _average(
    a: Any,
    axis: Axis = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """Σ weights·a / Σ weights; weights with fewer axes belong to the axes averaged over."""
    a = operand(a)
    axis = axis if axis is None else normalize_axis_tuple(axis, a.ndim, argname="axis")
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        total = np.broadcast_to(mean.dtype.type(a.size / max(mean.size, 1)), mean.shape)
        return (mean, total) if returned else mean
    weights = operand(weights)
    if weights.shape != a.shape:
        weights = _along_axes(a, axis, weights)
    dtype = np.result_type(a.dtype, weights.dtype, *([] if a.dtype.kind == "f" else [np.float64]))
    weights = weights if weights.dtype == dtype else np.astype(weights, dtype)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    if np.any(total == 0):
        raise ZeroDivisionError("average: the weights sum to zero and cannot be normalised")
    mean = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (mean, np.broadcast_to(total, mean.shape)) if returned else mean


def _along_axes(a: Any, axis: Axis, weights: Any) -> Any:
    """Weights given for the axes averaged over alone, in the shape of `a`."""
    if axis is None:
        raise TypeError(
            f"average: weights of shape {weights.shape} do not match the array of shape {a.shape}; "
            f"say with axis= which of its axes they belong to"
        )
    axes = normalize_axis_tuple(axis, a.ndim)
    if weights.shape != tuple(a.shape[i] for i in axes):
        raise ValueError(
            f"average: weights of shape {weights.shape} do not match axes {axis} of the array of "
            f"shape {a.shape}"
        )
    in_order = np.transpose(weights, np.argsort(axes))
    shape = [n if i in axes else 1 for i, n in enumerate(a.shape)]
    return np.broadcast_to(np.reshape(in_order, shape), a.shape)


# --- covariance -----------------------------------------------------------------------------------


@composition(np.cov)
def _cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """(X − x̄) diag(w) (X − x̄)ᵀ / (Σw − ddof·Σw·a / Σw), w the product of both kinds of weights."""
    given = [operand(x) for x in (m, y) if x is not None]
    if any(x.ndim > 2 for x in given):
        raise ValueError(f"cov: more than two axes in an array of shape {given[0].shape}")
    dtype = np.result_type(*[x.dtype for x in given], np.float64) if dtype is None else dtype
    rows = [np.astype(np.atleast_2d(x), dtype) for x in given]
    X = np.concatenate([x if rowvar or x.shape[0] == 1 else x.T for x in rows])
    ddof = int(not bias) if ddof is None else ddof
    if fweights is None and aweights is None:
        deviation = X - np.mean(X, axis=1, keepdims=True)
        weighted, count = deviation, max(X.shape[1] - ddof, 0)
    else:
        a = 1 if aweights is None else _weights(aweights, X.shape[1])
        w = a if fweights is None else a * _weights(fweights, X.shape[1])
        deviation = np.astype(X - np.average(X, axis=1, weights=w, keepdims=True), X.dtype)
        weighted, total = deviation * w, np.sum(w)
        count = total - (ddof if aweights is None else ddof * np.sum(w * a) / total)
    return np.squeeze(per_count(np.dot(deviation, weighted.T), count))


def _weights(weights: Any, count: int) -> Any:
    weights = weights if type(weights) is Variable else operand(weights, float)
    if weights.shape != (count,):
        raise ValueError(f"cov: weights of shape {weights.shape} for {count} samples; give {count}")
    return weights


@composition(np.corrcoef)
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    covariance = np.cov(x, y, rowvar, dtype=dtype)
    if covariance.ndim == 0:
        return covariance / covariance
    deviation = np.sqrt(np.diag(covariance))
    return np.clip(covariance / deviation[:, None] / deviation, -1, 1)


# --- medians and quantiles ------------------------------------------------------------------------


def _order_statistic(function: Callable[..., Any]) -> Primitive:
    """The row of a NumPy function that interpolates between two entries of the sorted last axis.

    Which two, and where between them, NumPy itself says when asked about the ranks 0, 1, 2 …: so
    one rule serves every method. Entries that tie share their part equally.
    """

    def along_last(x: Any, *q: Any, **settings: Any) -> Any:
        return function(x, *q, axis=-1, **settings)

    def rule(g: Any, z: Any, x: Any, *q: Any, **settings: Any) -> Any:
        n, rest = x.shape[-1], x.shape[:-1]
        if x.size == 0:
            return np.zeros(x.shape)
        ordered = np.sort(x, axis=-1)
        ranks = np.where(np.isnan(ordered), np.nan, np.arange(float(n)))
        position = np.reshape(along_last(ranks, *q, **settings), (-1, *rest))
        g = np.where(np.isnan(position), 0, np.reshape(g, (-1, *rest)))
        position = np.nan_to_num(position)
        below = np.floor(position)
        above = position - below
        total: Any = 0
        for j in range(position.shape[0]):
            for side, weight in ((np.floor, 1 - above[j]), (np.ceil, above[j])):
                part = np.where(weight == 0, 0, g[j]) * weight  # 0·∞ would be NaN
                rank = side(position[j])[..., None].astype(int)
                attains = x == np.take_along_axis(ordered, rank, axis=-1)
                ties = np.maximum(np.sum(attains, axis=-1, keepdims=True), 1)
                share = part[..., None] / ties
                total = total + np.where(attains, share, 0)
        return total

    return Primitive(along_last, (rule,), function.__name__)


def _over(row: Primitive, a: Any, axis: Axis, keepdims: bool, *q: Any, **settings: Any) -> Any:
    """Apply a row for the last axis to any axes."""
    rows, _ = trailing(a, axis)
    z = row(rows, *q, **settings)
    if keepdims:
        z = np.reshape(z, (*z.shape[: z.ndim - rows.ndim + 1], *kept(a.shape, axis)))
    return z


def _median(function: Callable[..., Any]) -> None:
    row = _order_statistic(function)

    @composition(function)
    def median(
        a: Any,
        axis: Axis = None,
        out: Any = None,
        overwrite_input: bool = False,
        keepdims: bool = False,
    ) -> Any:
        without_out(row.name, out)
        return _over(row, a, axis, keepdims)


def _quantile(function: Callable[..., Any], percentile: Callable[..., Any]) -> None:
    row = _order_statistic(function)

    @composition(function)
    def quantile(
        a: Any,
        q: Any,
        axis: Axis = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: bool = False,
        *,
        weights: Any = None,
    ) -> Any:
        without_out(row.name, out)
        if type(q) is Variable and q.requires_grad:
            raise MissingRuleError(
                f"{row.name}: there is no derivative rule for q, and {q.label} is tracked; "
                f"detach it"
            )
        if weights is not None:
            a = operand(a)
            return _weighted(function, a, axis, keepdims, q, method, weights)
        return _over(row, a, axis, keepdims, q, method=method)

    @composition(percentile)
    def of_percentage(a: Any, q: Any, *args: Any, **settings: Any) -> Any:
        hundred = a.dtype.type(100) if a.dtype.kind == "f" else 100
        q = np.true_divide(q, hundred)
        return quantile(a, q, *args, **settings)


def _chosen(x: Any, weights: Any, *, q: Any, method: str) -> Any:
    """The place, along the last axis, of the entry that is the weighted quantile."""
    order = np.argsort(x, axis=-1, kind="stable")
    in_order = np.take_along_axis(weights, order, -1)
    ranks = np.broadcast_to(np.arange(float(x.shape[-1])), x.shape)
    quantile: Any = np.quantile  # its stubs know no method= by name alone
    rank = quantile(ranks, q, axis=-1, method=method, weights=in_order)
    places = [np.take_along_axis(order, r[..., None].astype(int), -1) for r in _flat(rank, x.ndim)]
    return np.stack(places).reshape((*rank.shape, 1))


def _flat(z: Any, ndim: int) -> Any:
    """One array for each of the probabilities, whose axes come first."""
    return np.reshape(z, (-1, *np.shape(z)[np.ndim(z) - ndim + 1 :]))


_choice = Primitive(_chosen, (None, None), "weighted quantile's place")


def _weighted(
    function: Any, a: Any, axis: Axis, keepdims: bool, q: Any, method: str, weights: Any
) -> Any:
    """One entry is chosen, by method="inverted_cdf", the only one that NumPy weighs.

    Which one it is does not change with small changes of the weights: they have no gradient.
    """
    if method != "inverted_cdf":
        raise ValueError(
            f"{function.__name__}: weights= are for method='inverted_cdf' only, not {method!r}"
        )
    weights = operand(weights)
    if weights.shape != a.shape:
        weights = _along_axes(a, axis, weights)
    if function is np.nanquantile:  # what is NaN comes last, and weighs nothing
        weights = np.where(np.isnan(a), 0, weights)
    rows, weights = trailing(a, axis)[0], trailing(weights, axis)[0]
    if function is np.nanquantile:
        nothing = np.all(np.isnan(rows), axis=-1, keepdims=True)
        if np.any(nothing):
            warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=2)
        weights = weights + nothing  # any of its entries will do
    place = _choice(rows, weights, q=np.asarray(plain(q)), method=method)
    shape = place.shape[: place.ndim - rows.ndim]
    z = np.take_along_axis(np.broadcast_to(rows, shape + rows.shape), place, -1)[..., 0]
    if function is np.quantile:  # a NaN that weighs nothing still makes it NaN
        z = np.where(np.any(np.isnan(rows), axis=-1), np.nan, z)
    return np.reshape(z, (*shape, *kept(a.shape, axis))) if keepdims else z


_median(np.median)
_median(np.nanmedian)
_quantile(np.quantile, np.percentile)
_quantile(np.nanquantile, np.nanpercentile)
