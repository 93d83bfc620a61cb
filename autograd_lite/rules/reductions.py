"""From many entries to few: sum, product, mean, extrema; any, all, argmax.

The primitives take NumPy's axis, keepdims and initial. What else NumPy allows is composed around
them: `where=` puts a value without effect where it is False, `dtype=` is a conversion before.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autograd_lite.errors import MissingRuleError
from autograd_lite.primitive import Primitive, composition, primitive
from autograd_lite.rules.operands import without_out
from autograd_lite.rules.piecewise import SMALL, only_where
from autograd_lite.rules.scaled import in_range, running_product, times, value
from autograd_lite.variable import Variable

Axis = int | tuple[int, ...] | None
ABSENT: Any = object()


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
        g = g.reshape(kept(x.shape, axis))
    if type(g) is not Variable and x.size < SMALL:  # np.broadcast_to is Python
        filled = np.empty(x.shape, g.dtype)
        filled[...] = g
        return filled
    return np.broadcast_to(g, x.shape)


def trailing(x: Any, axis: Axis) -> tuple[Any, tuple[int, ...]]:
    """The axes to reduce merged into one last axis, and the order of axes that this took."""
    ndim = x.ndim
    last = tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)
    order = (*(i for i in range(ndim) if i not in last), *last)
    rest = tuple(x.shape[i] for i in order[: ndim - len(last)])
    merged = math.prod(x.shape[i] for i in last)
    return np.reshape(np.transpose(x, order), (*rest, merged)), order


# --- the primitives -------------------------------------------------------------------------------


def _extremum_rule(
    g: Any, z: Any, x: Any, *, axis: Axis = None, keepdims: bool = False, initial: Any = None
) -> Any:
    """Shared equally by all entries that attain the extremum; a NaN attains nothing."""
    z = np.reshape(z, kept(x.shape, axis))
    g = np.reshape(g, z.shape)
    attains = x == z
    if type(attains) is not Variable and initial is None and _once(attains, z):
        return only_where(attains, g)
    # counted in floating point, and divided where it is small: integers would make it float64
    count = np.sum(attains, axis, np.result_type(x.dtype, np.float32), keepdims=True)
    if initial is not None:  # a constant, which gets its share as well
        count = count + (z == initial)
    return only_where(attains, g / np.maximum(count, 1))


def _once(attains: Any, z: Any) -> bool:
    """Whether each extremum is attained by one entry alone, as most are: nothing is shared then."""
    return bool(np.count_nonzero(attains) == z.size and not np.isnan(z).any())


def others(x: Any) -> Any:
    """The product of all other entries along the last axis, for each: never by dividing."""
    one = np.ones((*x.shape[:-1], 1), x.dtype)
    before = np.concatenate([one, x[..., :-1]], axis=-1)
    after = np.concatenate([one, x[..., :0:-1]], axis=-1)
    if in_range(x, -1):
        return np.cumprod(before, axis=-1) * np.cumprod(after, axis=-1)[..., ::-1]
    last = x.ndim - 1
    fraction, exponent = running_product(after, last)
    return value(times(running_product(before, last), (fraction[..., ::-1], exponent[..., ::-1])))


def _prod_rule(
    g: Any, z: Any, x: Any, *, axis: Axis = None, keepdims: bool = False, initial: Any = 1
) -> Any:
    if x.size == 0:
        return np.zeros(x.shape)
    rows, order = trailing(x, axis if x.ndim else None)  # NumPy lets a scalar have an axis 0
    rest = np.reshape(others(rows), tuple(x.shape[i] for i in order))
    return spread(initial * g, x, axis, keepdims) * np.transpose(rest, tuple(np.argsort(order)))


# What np.sum and its like come to after their wrappers in Python, which cost more than a small sum.


def _total(x: Any, *, axis: Axis = None, keepdims: bool = False, initial: Any = 0) -> Any:
    add: Any = np.add  # its stubs know no initial= with an unknown keepdims=
    return add.reduce(x, axis, keepdims=keepdims, initial=initial)


def _average(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    # NumPy sums float16 in float32 and integers in float64, and knows what nothing and one are
    if x.dtype == np.float16 or x.dtype.kind != "f" or not x.ndim or not x.size:
        return np.mean(x, axis=axis, keepdims=keepdims)
    return _total(x, axis=axis, keepdims=keepdims) / reduced_count(x.shape, axis)


def _largest(x: Any, *, axis: Axis = None, keepdims: bool = False, **initial: Any) -> Any:
    return np.maximum.reduce(x, axis, keepdims=keepdims, **initial)


def _smallest(x: Any, *, axis: Axis = None, keepdims: bool = False, **initial: Any) -> Any:
    return np.minimum.reduce(x, axis, keepdims=keepdims, **initial)


def _shared(g: Any, count: int) -> Any:
    """The quotient g/count, also where float16 holds no such count."""
    return g / count if count <= 65504 else g * (1 / count)


_sum = Primitive(
    _total,
    (lambda g, z, x, *, axis=None, keepdims=False, initial=0: spread(g, x, axis, keepdims),),
    "sum",
)
_mean = Primitive(
    _average,
    (
        lambda g, z, x, *, axis=None, keepdims=False: spread(
            _shared(g, reduced_count(x.shape, axis)), x, axis, keepdims
        ),
    ),
    "mean",
)
_prod = primitive(np.prod, _prod_rule)
_max = Primitive(_largest, (_extremum_rule,), "max")
_min = Primitive(_smallest, (_extremum_rule,), "min")
_nanmax = primitive(np.nanmax, _extremum_rule)
_nanmin = primitive(np.nanmin, _extremum_rule)
_any = primitive(np.any, None)
_all = primitive(np.all, None)

for _function in (np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.count_nonzero):
    primitive(_function, None)

# --- NumPy's full arguments -----------------------------------------------------------------------


def _reduce(
    row: Primitive,
    a: Any,
    axis: Axis,
    dtype: Any,
    out: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
    without_effect: Any,
) -> Any:
    """Call `row` as NumPy would, with only those settings that say something."""
    settings: dict[str, Any] = {} if axis is None else {"axis": axis}
    if keepdims:
        settings["keepdims"] = True
    if dtype is None and out is None and initial is ABSENT and where is True:
        return row(a, **settings)  # as most people write it
    without_out(row.name, out)
    if initial is not ABSENT:
        if type(initial) is Variable:
            raise MissingRuleError(
                f"{row.name}: initial= takes a number, and was given {initial.label}; combine it "
                f"with the result: np.sum(x) + initial, np.maximum(np.max(x), initial)"
            )
        settings["initial"] = initial
    if where is not True:
        if without_effect is ABSENT:
            raise ValueError(f"{row.name}: where= needs initial=, the result where it is all False")
        if np.broadcast_shapes(np.shape(where), a.shape) != a.shape:
            raise ValueError(
                f"{row.name}: where= of shape {np.shape(where)} does not broadcast to the array's "
                f"{a.shape}"
            )
        a = np.where(where, a, without_effect)
    return row(a if dtype is None or a.dtype == dtype else np.astype(a, dtype), **settings)


@composition(np.sum, kind="primitive")
def _numpy_sum(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = ABSENT,
    where: Any = True,
) -> Any:
    return _reduce(_sum, a, axis, dtype, out, keepdims, initial, where, 0)


@composition(np.prod)
def _numpy_prod(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = ABSENT,
    where: Any = True,
) -> Any:
    return _reduce(_prod, a, axis, dtype, out, keepdims, initial, where, 1)


def _extremum(row: Primitive, lowest: float, *functions: Any) -> None:
    """`lowest`: what no entry loses against."""

    @composition(*functions, kind="primitive")
    def extremum(
        a: Any,
        axis: Axis = None,
        out: Any = None,
        keepdims: bool = False,
        initial: Any = ABSENT,
        where: Any = True,
    ) -> Any:
        without_effect = lowest if a.dtype.kind == "f" and initial is not ABSENT else initial
        return _reduce(row, a, axis, None, out, keepdims, initial, where, without_effect)


_extremum(_max, -math.inf, np.max, np.amax)
_extremum(_min, math.inf, np.min, np.amin)
_extremum(_nanmax, -math.inf, np.nanmax)
_extremum(_nanmin, math.inf, np.nanmin)


@composition(np.any)
def _numpy_any(
    a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    return _reduce(_any, a, axis, None, out, keepdims, ABSENT, where, False)


@composition(np.all)
def _numpy_all(
    a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    return _reduce(_all, a, axis, None, out, keepdims, ABSENT, where, True)


@composition(np.mean, kind="primitive")
def _numpy_mean(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Any:
    if where is True:
        return _reduce(_mean, a, axis, dtype, out, keepdims, ABSENT, True, ABSENT)
    total = _reduce(_sum, a, axis, dtype, out, keepdims, ABSENT, where, 0)
    return per_count(total, counted(a, axis, where, keepdims))


def counted(a: Any, axis: Axis, where: Any, keepdims: bool) -> Any:
    """How many entries each result is made of, given NumPy's where=."""
    if where is True:
        return reduced_count(a.shape, axis)
    return np.sum(np.broadcast_to(where, a.shape), axis=axis, keepdims=keepdims)


def per_count(total: Any, count: Any) -> Any:
    """The quotient in the dtype of the total, which an array of integers would widen."""
    mean = total / count
    widened = total.dtype.kind == "f" and mean.dtype != total.dtype
    return np.astype(mean, total.dtype) if widened else mean


@composition(np.ptp)
def _ptp(a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Any:
    without_out("ptp", out)
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@composition(np.nansum)
def _nansum(a: Any, *args: Any, **settings: Any) -> Any:
    return np.sum(np.where(np.isnan(a), 0, a), *args, **settings)


@composition(np.nanprod)
def _nanprod(a: Any, *args: Any, **settings: Any) -> Any:
    return np.prod(np.where(np.isnan(a), 1, a), *args, **settings)
