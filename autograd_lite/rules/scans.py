"""Along an axis: cumulative sums and products, differences, integrals, convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autograd_lite.primitive import Primitive, composition, primitive
from autograd_lite.rules.operands import operand, part, without_out
from autograd_lite.rules.scaled import in_range, plus, running_product, times, value


def _filled(value: float, like: Any, axis: int, length: int) -> Any:
    """A constant array like another, but of this length along the axis."""
    return np.full((*like.shape[:axis], length, *like.shape[axis + 1 :]), value, like.dtype)


# --- cumulative sums and products -----------------------------------------------------------------


def _cumsum_rule(g: Any, z: Any, x: Any, *, axis: int) -> Any:
    backwards = part(axis, None, None, -1)
    return np.cumsum(g[backwards], axis=axis)[backwards]


def _ahead(x: Any, axis: int, distance: int) -> Any:
    """x[i + distance] at i, and 0 beyond the end."""
    beyond = _filled(0, x, axis, min(distance, x.shape[axis]))
    return np.concatenate([x[part(axis, distance, None)], beyond], axis=axis)


def _cumprod_rule(g: Any, z: Any, x: Any, *, axis: int) -> Any:
    """Entry i reaches every later product: x̄ᵢ = zᵢ₋₁·sᵢ, where sᵢ = gᵢ + xᵢ₊₁·sᵢ₊₁; no division.

    The recurrence is solved for all i at once in log₂ n rounds, an associative scan: each round
    doubles how far ahead s has looked, and the product a of the entries that it looked across.
    """
    n = x.shape[axis]
    if not in_range(x, axis, g):
        return _scaled_cumprod_rule(g, x, axis)
    s, a, reach = g, _ahead(x, axis, 1), 1
    while reach < n:
        s = s + a * _ahead(s, axis, reach)
        a = a * _ahead(a, axis, reach)
        reach *= 2
    return _shifted(z, axis, 1) * s


def _shifted(z: Any, axis: int, first: float) -> Any:
    """z[i − 1] at i, and `first` at 0."""
    start = _filled(first, z, axis, min(1, z.shape[axis]))
    return np.concatenate([start, z[part(axis, None, -1)]], axis=axis)


def _scaled_cumprod_rule(g: Any, x: Any, axis: int) -> Any:
    """The same, where some product on the way is no float."""

    def ahead(pair: Any, distance: int) -> Any:
        return _ahead(pair[0], axis, distance), _ahead(pair[1], axis, distance)

    s, factors = np.frexp(g), np.frexp(x)
    a, reach = ahead(factors, 1), 1
    while reach < x.shape[axis]:
        s = plus(s, times(a, ahead(s, reach)))
        a = times(a, ahead(a, reach))
        reach *= 2
    fraction, exponent = running_product(x, axis)
    before = _shifted(fraction, axis, 0.5), _shifted(exponent, axis, 1)  # 1 is ½·2¹
    return value(times(before, s))


_cumsum = primitive(np.cumsum, _cumsum_rule)
_cumprod = primitive(np.cumprod, _cumprod_rule)


def _cumulate(row: Primitive, a: Any, axis: int | None, dtype: Any, out: Any) -> Any:
    without_out(row.name, out)
    a = a if dtype is None else np.astype(a, dtype)
    if axis is None or a.ndim == 0:
        a, axis = np.reshape(a, -1), 0
    return row(a, axis=normalize_axis_index(axis, a.ndim))


@composition(np.cumsum)
def _numpy_cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    return _cumulate(_cumsum, a, axis, dtype, out)


@composition(np.cumprod)
def _numpy_cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    return _cumulate(_cumprod, a, axis, dtype, out)


@composition(np.nancumsum)
def _nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    return _cumulate(_cumsum, np.where(np.isnan(a), 0, a), axis, dtype, out)


@composition(np.nancumprod)
def _nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    return _cumulate(_cumprod, np.where(np.isnan(a), 1, a), axis, dtype, out)


def _cumulative(row: Primitive, first: float, function: Any) -> None:
    @composition(function)
    def cumulative(
        x: Any,
        /,
        *,
        axis: int | None = None,
        dtype: Any = None,
        out: Any = None,
        include_initial: bool = False,
    ) -> Any:
        if axis is None:
            if x.ndim != 1:
                raise ValueError(
                    f"{function.__name__}: axis= is needed, for x has shape {x.shape}, not one axis"
                )
            axis = 0
        z = _cumulate(row, x, axis, dtype, out)
        axis = normalize_axis_index(axis, z.ndim)
        return np.concatenate([_filled(first, z, axis, 1), z], axis=axis) if include_initial else z


_cumulative(_cumsum, 0, np.cumulative_sum)
_cumulative(_cumprod, 1, np.cumulative_prod)

# --- differences and integrals --------------------------------------------------------------------


@composition(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    if n < 0:
        raise ValueError(f"diff: n = {n} differences cannot be taken; n must be 0 or more")
    a = operand(a)
    if n == 0:
        return a
    if a.ndim == 0:
        raise ValueError("diff: a scalar has no axis to take differences along")
    axis = normalize_axis_index(axis, a.ndim)
    ends = [None if end is None else operand(end) for end in (prepend, append)]
    column = (*a.shape[:axis], 1, *a.shape[axis + 1 :])
    before, after = [
        [] if end is None else [np.broadcast_to(end, column) if end.ndim == 0 else end]
        for end in ends
    ]
    if before or after:
        a = np.concatenate([*before, a, *after], axis=axis)
    subtract = np.not_equal if a.dtype == bool else np.subtract
    for _ in range(n):
        a = subtract(a[part(axis, 1, None)], a[part(axis, None, -1)])
    return a


@composition(np.ediff1d)
def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    differences = np.diff(np.reshape(operand(ary), -1))
    ends = [
        [] if end is None else [np.reshape(np.astype(operand(end), differences.dtype), -1)]
        for end in (to_begin, to_end)
    ]
    return np.concatenate([*ends[0], differences, *ends[1]])


@composition(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = operand(y)
    axis = normalize_axis_index(axis, y.ndim)
    if x is not None:
        x = operand(x)
        dx = np.diff(x, axis=axis if x.ndim > 1 else -1)
        if x.ndim == 1:
            dx = np.reshape(dx, (-1,) + (1,) * (y.ndim - 1 - axis))
    return np.sum(dx * (y[part(axis, 1, None)] + y[part(axis, None, -1)]) / 2.0, axis=axis)


@composition(np.gradient)
def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """NumPy's second-order differences: central inside, one-sided at the edges."""
    f = operand(f)
    f = f if f.dtype.kind == "f" else np.astype(f, float)  # unsigned differences would wrap round
    axes = range(f.ndim) if axis is None else normalize_axis_tuple(axis, f.ndim)
    spacings = [operand(spacing) for spacing in varargs or (1.0,)]
    if len(spacings) == 1 and spacings[0].ndim == 0:
        spacings = spacings * len(axes)
    if len(spacings) != len(axes):
        raise TypeError(
            f"gradient: {len(spacings)} spacings were given for {len(axes)} axes; give one number, "
            f"or a number or coordinates for each axis"
        )
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: edge_order must be 1 or 2, not {edge_order}")
    slopes = [_slope(f, spacing, i, edge_order) for i, spacing in zip(axes, spacings, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _slope(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    """∂f along one axis: the slope of the parabola through each three neighbours."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(
            f"gradient: at least {edge_order + 1} entries are needed along axis {axis}, not {n}"
        )
    column = (-1,) + (1,) * (f.ndim - 1 - axis)
    if spacing.ndim:
        if spacing.shape != (n,):
            raise ValueError(
                f"gradient: coordinates of shape {spacing.shape} do not fit the {n} entries along "
                f"axis {axis}; give one number, or {n} coordinates"
            )
        steps = np.reshape(np.diff(spacing), column)
    else:
        steps = np.broadcast_to(spacing, (n - 1, *column[1:]))
    secants = np.diff(f, axis=axis) / steps
    left, right = secants[part(axis, None, -1)], secants[part(axis, 1, None)]
    h, k = steps[:-1], steps[1:]
    inside = (k * left + h * right) / (h + k)
    first, last = secants[part(axis, None, 1)], secants[part(axis, -1, None)]
    if edge_order == 2:
        bend = (right - left) / (h + k)
        first = first - (bend * h)[part(axis, None, 1)]
        last = last + (bend * k)[part(axis, -1, None)]
    slopes = np.concatenate([first, inside, last], axis=axis)
    # the spacing does not set the dtype
    return slopes if slopes.dtype == f.dtype else np.astype(slopes, f.dtype)


# --- convolutions ---------------------------------------------------------------------------------

# zₖ = Σ xᵢ yₖ₋ᵢ of all overlaps, and zₖ = Σ xₖ₊ᵢ yᵢ of full overlaps, y not longer than x: each
# is the derivative of the other
_convolve: Primitive = Primitive(
    lambda x, y: np.convolve(x, y),
    (lambda g, z, x, y: _correlate(g, y), lambda g, z, x, y: _correlate(g, x)),
    "convolve",
)
_correlate: Primitive = Primitive(
    lambda x, y: np.correlate(x, y, "valid"),
    (lambda g, z, x, y: _convolve(g, y), lambda g, z, x, y: _correlate(x, g)),
    "correlate",
)


def _overlaps(name: str, x: Any, y: Any, mode: Any, centre: int) -> Any:
    """The part of the convolution that a mode asks for; "same" begins at overlap `centre`."""
    if x.shape[0] == 0 or y.shape[0] == 0:
        raise ValueError(f"{name}: neither array may be empty; the shapes are {x.shape}, {y.shape}")
    short, long = sorted((x.shape[0], y.shape[0]))
    bounds = {
        "full": slice(None),
        "same": slice(centre, centre + long),
        "valid": slice(short - 1, long),
    }
    if mode not in bounds:
        raise ValueError(f"{name}: mode must be 'full', 'same' or 'valid', not {mode!r}")
    full = _convolve(x, y)
    return full if mode == "full" else full[bounds[mode]]


def _vectors(*arrays: Any) -> list[Any]:
    return [np.reshape(x, -1) if x.ndim == 0 else x for x in map(operand, arrays)]


@composition(np.convolve, kind="primitive")
def _numpy_convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    a, v = _vectors(a, v)
    return _overlaps("convolve", a, v, mode, (min(a.size, v.size) - 1) // 2)


@composition(np.correlate)
def _numpy_correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    a, v = _vectors(a, v)
    # NumPy puts the longer one first and turns the result round: an even one leans the other way
    centre = (v.size - 1) // 2 if a.size >= v.size else a.size // 2
    return _overlaps("correlate", a, v[::-1], mode, centre)
