"""Points along a curve: evenly spaced, interpolated, unwrapped, and of polynomials."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autograd_lite.primitive import composition
from autograd_lite.rules.operands import operand
from autograd_lite.variable import Variable

# --- evenly spaced points -------------------------------------------------------------------------


def _with_ends(points: Any, **ends: Any) -> Any:
    """Points along the first axis, the first or last exactly as given, whatever rounding did."""
    parts = {"first": points[:1], "inner": points[1:-1], "last": points[1:][-1:]}
    for name, value in ends.items():
        if len(parts[name]):
            parts[name] = np.broadcast_to(operand(value, points.dtype), parts[name].shape)
    return np.concatenate(list(parts.values()))


@composition(np.linspace)
def _linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    if num < 0:
        raise ValueError(f"linspace: {num} points cannot be made; num must be 0 or more")
    length = np.subtract(stop, start)
    intervals = num - 1 if endpoint else num
    step = length / intervals if intervals > 0 else length
    ramp = np.reshape(np.arange(num, dtype=step.dtype), (num,) + (1,) * length.ndim)
    points = ramp * step + start
    if endpoint and num > 1:
        points = _with_ends(points, last=stop)
    points = points if axis == 0 else np.moveaxis(points, 0, axis)
    if dtype is not None:
        integers = np.dtype(dtype).kind in "iu"
        points = operand(np.floor(points) if integers else points, dtype)
    if not retstep:
        return points
    return points, step if intervals > 0 else length * math.nan


@composition(np.logspace)
def _logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    if np.ndim(base):  # a base for each pair of ends
        ends = [operand(x) for x in (start, stop, base)]
        ndim = max(x.ndim for x in ends)
        start, stop, base = [np.reshape(x, (1,) * (ndim - x.ndim) + x.shape) for x in ends]
        base = np.expand_dims(base, axis)
    points = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return points if dtype is None else operand(points, dtype)


@composition(np.geomspace)
def _geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    start, stop = operand(start), operand(stop)
    wide = np.result_type(start.dtype, stop.dtype, np.float64 if dtype is None else dtype)
    start, stop = operand(start, wide), operand(stop, wide)
    sign = np.sign(start)
    if np.any(sign == 0) or np.any(stop == 0):
        raise ValueError("geomspace: a geometric sequence cannot include 0; move start or stop")
    first, last = start / sign, stop / sign
    points = np.logspace(np.log10(first), np.log10(last), num, endpoint)
    ends = {"first": first, "last": last} if endpoint else {"first": first}
    points = _with_ends(points, **ends) * sign
    points = points if axis == 0 else np.moveaxis(points, 0, axis)
    return points if dtype is None else operand(points, dtype)


# --- between given points -------------------------------------------------------------------------


@composition(np.interp)
def _interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """The broken line through (xp, fp); on a point of it the slope to its right, on the last left.

    As for NumPy, an infinite value fp reaches all between its neighbours, and not these themselves.
    """
    x, xp, fp = [operand(values, np.float64) for values in (x, xp, fp)]
    if xp.ndim != 1 or xp.shape != fp.shape or xp.size == 0:
        raise ValueError(
            f"interp: xp has shape {xp.shape} and fp has shape {fp.shape}; these are the "
            f"coordinates of points: one axis each, equally many, at least one"
        )
    if period is not None:
        left = right = None
        period = np.absolute(period)
        x, xp = x % period, xp % period
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    below = fp[0] if left is None else left
    above = fp[-1] if right is None else right
    i = np.clip(np.searchsorted(xp, x, side="right"), 1, max(xp.size - 1, 1)) - 1
    inside = low = fp[i]
    if xp.size > 1:
        high, left_end, right_end = fp[i + 1], xp[i], xp[i + 1]
        infinite = ~(np.isfinite(low) & np.isfinite(high) | np.isnan(x))
        with np.errstate(invalid="ignore"):  # ∞ − ∞ between two points, and 0·∞ beyond all
            ends = np.where(x == left_end, low, np.where(x == right_end, high, low + high))
            low, high = np.where(infinite, 0, low), np.where(infinite, 0, high)
            inside = low + (high - low) / (right_end - left_end) * (x - left_end)
        inside = np.where(infinite, ends, inside)
    return np.where(x < xp[0], below, np.where(x > xp[-1], above, inside))


@composition(np.unwrap)
def _unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Any:
    """Multiples of the period, added after steps larger than `discont` (half the period)."""
    axis = normalize_axis_index(axis, p.ndim)
    half = period / 2
    step = np.diff(p, axis=axis)
    wrapped = (step + half) % period - half
    wrapped = np.where((wrapped == -half) & (step > 0), half, wrapped)
    jump = np.where(np.absolute(step) < (half if discont is None else discont), 0, wrapped - step)
    rest = (slice(None),) * axis
    return np.concatenate(
        [p[(*rest, slice(None, 1))], p[(*rest, slice(1, None))] + np.cumsum(jump, axis=axis)],
        axis=axis,
    )


# --- polynomials, the highest power first ---------------------------------------------------------


@composition(np.polyval)
def _polyval(p: Any, x: Any) -> Any:
    p, x = operand(p), operand(x)
    y: Any = np.zeros(x.shape, x.dtype)
    for i in range(p.shape[0]):
        y = y * x + p[i]
    return y


def _same_length(*polynomials: Any) -> list[Any]:
    polynomials = tuple(np.reshape(p, -1) if p.ndim == 0 else p for p in map(operand, polynomials))
    length = max(p.shape[0] for p in polynomials)
    return [np.concatenate([np.zeros(length - len(p), p.dtype), p]) for p in polynomials]


@composition(np.polyadd)
def _polyadd(a1: Any, a2: Any) -> Any:
    return np.add(*_same_length(a1, a2))


@composition(np.polysub)
def _polysub(a1: Any, a2: Any) -> Any:
    return np.subtract(*_same_length(a1, a2))


def _without_leading_zeros(p: Any) -> Any:
    """What np.poly1d makes of coefficients; how many are left depends on the values."""
    p = operand(p)
    p = np.reshape(p, -1) if p.ndim == 0 else p
    places = np.flatnonzero(p.data if type(p) is Variable else p)
    return p[places[0] :] if places.size else p[-1:]


@composition(np.polymul)
def _polymul(a1: Any, a2: Any) -> Any:
    return np.convolve(_without_leading_zeros(a1), _without_leading_zeros(a2))


@composition(np.polyder)
def _polyder(p: Any, m: int = 1) -> Any:
    if m < 0:
        raise ValueError(f"polyder: m is {m}; np.polyint integrates")
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@composition(np.polyint)
def _polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    if m < 0:
        raise ValueError(f"polyint: m is {m}; np.polyder differentiates")
    p = operand(p)
    constants = np.zeros(m, p.dtype) if k is None else operand(k)
    constants = np.broadcast_to(constants, (m,)) if constants.size == 1 else constants
    if constants.shape[0] < m:
        raise ValueError(f"polyint: k has {constants.size} constants for {m} integrals; give {m}")
    for i in range(m):
        p = np.concatenate([p / np.arange(len(p), 0, -1), constants[i : i + 1]])
    return p


@composition(np.vander)
def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of x as columns, each the one before times x."""
    x = operand(x)
    if x.ndim != 1:
        raise ValueError(f"vander: x must be one-dimensional, and has shape {x.shape}")
    n = len(x) if N is None else N
    x = operand(x, np.promote_types(x.dtype, int))
    columns = np.broadcast_to(x[:, None], (len(x), max(n - 1, 0)))
    powers = np.concatenate([np.ones((len(x), min(n, 1)), x.dtype), columns], axis=1)
    powers = np.cumprod(powers, axis=1)
    return powers if increasing else powers[:, ::-1]
