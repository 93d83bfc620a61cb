"""Slopes from values alone: differences of a function of arrays, and whether it has a slope at all.

Nothing here knows the tape. `slopes` is thorough: a ladder of steps, extrapolated, with an error
estimate, and a verdict on kinks. `central_differences` is for many entries: one step for each, and
the ladder only where that one is in doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EPSILON = float(np.finfo(np.float64).eps)

STEP = float(np.cbrt(EPSILON))
"""What makes the two errors of a central difference, of truncation and of rounding, alike."""

NUMERIC_TOLERANCE = 1e-5
"""What one central difference can be trusted to, relative to the largest entry."""


def rounding_tolerance(dtype: np.dtype) -> float:
    """What rounding in a deep computation of this dtype comes to: a few million units for float64.

    >>> import numpy as np
    >>> from autograd_lite.finite_differences import rounding_tolerance
    >>> rounding_tolerance(np.dtype(np.float32)), rounding_tolerance(np.dtype(np.float64))
    (0.0001, 1e-09)
    """
    return {np.dtype(np.float16): 1e-2, np.dtype(np.float32): 1e-4}.get(dtype, 1e-9)


# --- a ladder of steps along one direction -------------------------------------------------------

RATIO = 4.0
"""Each step of the ladder is the one before divided by this."""

LONGEST = 13 / 32
"""The longest step, times the size of x: few bits, so that x ± h·v is exact, and no fraction of a
period that people would choose, on which the differences of a wave vanish."""

OTHERS = (11 / 32, 9 / 32, 15 / 32)
"""Where a kink is to be confirmed, by steps on which the noise of f is another."""

STEPS = 22
"""The shortest step is still some hundred units in the last place of x."""

STRETCH = 4096
"""So many components of a function are read at a time."""

WITHIN = 10
"""On so many of the shortest steps f may stand still because of rounding."""

ROUGH = 1e-9
"""A slope known no better than this calls for steps of another scale."""

EXTRAPOLATIONS = 4
"""Richardson's: each removes one more even power of h from the error."""


@dataclass(frozen=True)
class Slopes:
    """dφ/dt at t = 0 of φ(t) = f(x + t·v), one number for each component of f."""

    value: Array
    error: Array
    """How far the value may be off, as far as the ladder can tell; infinite where it cannot."""
    unit: Array
    """f's size over the step used: times ε, what rounding of f itself leaves uncertain."""
    reach: Array
    """f's size at the longest step that has a value."""
    finite: NDArray[np.bool_]
    """Whether f has values on both sides, however near."""
    kink: NDArray[np.bool_]
    """Whether the slopes from below and above do not tend to one limit."""
    below: Array
    """The slope from below, for a kink; infinite for a jump."""
    above: Array


def ladder(size: float, longest: float = LONGEST) -> Array:
    """The steps to try for an x of this size, longest first.

    >>> from autograd_lite.finite_differences import ladder
    >>> steps = ladder(1.0)
    >>> print(len(steps), steps[0], f"{steps[-1]:.1e}")
    22 0.40625 9.2e-14
    """
    steps: Array = longest * 2.0 ** np.floor(np.log2(size)) / RATIO ** np.arange(STEPS)
    return steps


def slopes(function: Callable[[Array], Array], at: Array, direction: Array) -> Slopes:
    """The slope of f along a direction, with its error and whether there is one at all.

    `function` takes a float64 array of the shape of `at` and returns a vector. Central differences
    on a ladder of steps, h, h/4, h/16, …, are extrapolated (Richardson 1911); of all results the
    one is taken whose shorter-stepped neighbour confirms it best and which no shorter step
    contradicts (so that steps that leap over a narrow bend have no say). The error adds the noise
    of f, measured on the shortest steps. Steps begin at the size of x, at least 1; where they tell
    too little, as for log(1e-12), they begin again at the scale of the smallest entry that moves.

    A kink is where (f(x + hv) − 2f(x) + f(x − hv)) / h does not shrink on the shortest steps at
    which it stands out of the noise: for a smooth f it is h·f″ and shrinks with h. ArithmeticError
    and ValueError at a shifted point count as no value there.

    >>> import numpy as np
    >>> from autograd_lite.finite_differences import slopes
    >>> s = slopes(np.exp, np.array([1.0]), np.array([1.0]))
    >>> bool(abs(s.value[0] - np.e) <= s.error[0] < 1e-9), bool(s.kink[0])
    (True, False)
    >>> s = slopes(np.abs, np.array([0.0]), np.array([1.0]))
    >>> bool(s.kink[0]), float(s.below[0]), float(s.above[0])
    (True, -1.0, 1.0)
    """
    middle = function(at)

    def value(t: float) -> Array:
        try:
            moved = function(at + t * direction)
        except (ArithmeticError, ValueError):
            return np.full_like(middle, np.nan)
        return moved if moved.shape == middle.shape else np.full_like(middle, np.nan)

    def climb(size: float, longest: float = LONGEST) -> Slopes:
        h = ladder(size, longest)
        above = np.array([value(t) for t in h])
        below = np.array([value(-t) for t in h])
        # a stretch of components at a time, or the tables would take much memory
        stretches = [slice(k, k + STRETCH) for k in range(0, max(len(middle), 1), STRETCH)]
        parts = [_read(middle[k], above[:, k], below[:, k], h[:, None]) for k in stretches]
        return Slopes(
            *(np.concatenate(columns) for columns in zip(*map(_columns, parts), strict=True))
        )

    moving = direction != 0
    own = np.abs(at[moving] / direction[moving])
    size = max(1.0, float(np.max(np.abs(at[moving]), initial=0.0)))
    smallest = float(np.min(own[own > 0], initial=size))
    with np.errstate(all="ignore"):
        first = climb(size)
        if first.kink.any():
            kink = first.kink  # among very many components, noise looks like one now and then
            for longest in OTHERS:
                kink = kink & climb(size, longest).kink if kink.any() else kink
            below, above = (np.where(kink, x, first.value) for x in (first.below, first.above))
            first = replace(first, kink=kink, below=below, above=above)
        known = ROUGH * np.abs(first.value) + 64 * EPSILON * first.unit
        rough = ~first.kink & ~(first.error <= known)
        if smallest >= size / RATIO or not rough.any():
            return first
        # the domain may end as near as a small entry is to 0: try the steps of its own scale
        second = climb(smallest)
        better = rough & second.finite & ~(second.error >= first.error)
        pairs = zip(_columns(first), _columns(second), strict=True)
        return Slopes(*(np.where(better, new, old) for old, new in pairs))


def _columns(s: Slopes) -> list[Array]:
    return [getattr(s, field.name) for field in fields(Slopes)]


def _minus(a: Array, b: Array) -> Array:
    """A − b, where equal infinities are no difference."""
    return np.where(a == b, 0.0, a - b)


def _read(middle: Array, above: Array, below: Array, h: Array) -> Slopes:
    """What the values on the ladder tell; a row for each step, a column for each component."""
    sizes = np.abs(np.stack([above, below, np.broadcast_to(middle, above.shape)]))
    size = np.max(np.where(np.isfinite(sizes), sizes, 0.0), axis=0)
    across = _minus(above, below)
    central = across / (2 * h)
    up, down = _minus(above, middle), _minus(middle, below)
    noise = 2 * (_noise(across) + 2 * EPSILON * size) / h
    value, error, unit = _extrapolated(central, noise, size / h)

    forward, backward = up / h, down / h
    bend = forward - backward
    kink = _persists(bend, noise) | _persists(central[:-1] - central[1:], noise[1:])
    finite = np.isfinite(bend[-3:]).all(axis=0) & ~np.isnan(middle)
    kink &= finite
    return Slopes(
        value=np.where(finite, value, np.nan),
        error=np.where(finite, error, np.inf),
        unit=unit,
        reach=np.take_along_axis(size, np.argmax(size > 0, axis=0)[None], axis=0)[0],
        finite=finite,
        kink=kink,
        below=np.where(kink, _limit(backward, noise, EPSILON * size / h), value),
        above=np.where(kink, _limit(forward, noise, EPSILON * size / h), value),
    )


def _noise(across: Array) -> Array:
    """How much f(x + hv) − f(x − hv) scatters, seen on the shortest steps at which f moves.

    There a smooth f has a·h + b·h³, and a jump has a constant; what is left of both is scatter.
    """
    upwards = across[::-1]
    first = np.argmax(upwards != 0, axis=0)
    first = np.where(first <= WITHIN, first, 0)  # a wider plateau is f's own: floor has one
    window = np.minimum(first + np.arange(6)[:, None], len(across) - 1)
    near = np.take_along_axis(upwards, window, axis=0)
    c, b, a = near[:-2], near[1:-1], near[2:]
    smooth = np.abs(a - (RATIO + RATIO**3) * b + RATIO**4 * c) / RATIO**4
    scatter: Array = np.fmax.reduce(np.fmin(smooth, np.abs(b - c)), axis=0)
    # where the shortest steps vanish within f (as in x + 1e8), the first that does not is noise
    return np.nan_to_num(np.where(first > 0, np.fmax(scatter, np.abs(near[0])), scatter))


def _extrapolated(central: Array, noise: Array, units: Array) -> tuple[Array, Array, Array]:
    """The best of Richardson's table, its error, and the unit of rounding at its step."""
    steps = len(central)
    change = np.nan_to_num(np.abs(np.diff(central, axis=0)))
    slack = 8 * noise + 2 * np.concatenate([change, change[-1:]])
    # what all shorter steps allow, each within its own error
    low = np.fmax.accumulate((central - slack)[::-1], axis=0)[::-1]
    high = np.fmin.accumulate((central + slack)[::-1], axis=0)[::-1]
    values, errors, places = [], [], []
    table = central
    for level in range(min(EXTRAPOLATIONS + 1, steps - 2)):
        if level:
            table = table[1:] + (table[1:] - table[:-1]) / (RATIO ** (2 * level) - 1)
        tried = table[:-1]
        error = np.abs(tried - table[1:]) + noise[level:-1]
        allowed = (low[level + 1 :] <= tried) & (tried <= high[level + 1 :])
        values.append(tried)
        errors.append(np.where(allowed & np.isfinite(error), error, np.inf))
        places.append(units[level:-1])
    all_values, all_errors, all_units = (np.concatenate(x) for x in (values, errors, places))
    best = np.argmin(all_errors, axis=0)[None]
    value, error, unit = (
        np.take_along_axis(x, best, axis=0)[0] for x in (all_values, all_errors, all_units)
    )
    return value, error, unit


def _persists(quantity: Array, noise: Array) -> NDArray[np.bool_]:
    """Whether something that must vanish with h does not, down to where noise hides it.

    Over the four shortest steps at which it stands out it keeps its sign and its law: constant at
    a bend, 1/h at a jump, and in between at a cusp. What is smooth shrinks; noise has no law.
    """
    size = np.abs(quantity)
    steps = len(size)
    seen = size > 12 * noise
    last = steps - 1 - np.argmax(seen[::-1], axis=0)
    rows = np.clip(last + np.arange(-3, 1)[:, None], 0, steps - 1)
    near = np.take_along_axis(quantity, rows, axis=0)
    growth = near[1:] / near[:-1]  # NaN where there is none
    least, most = np.min(growth, axis=0), np.max(growth, axis=0)
    below = np.take_along_axis(noise, np.clip(last + 1, 0, steps - 1)[None], axis=0)[0]
    hidden = (last == steps - 1) | (12 * below >= 0.5 * np.abs(near[-1]))
    found: NDArray[np.bool_] = (
        seen.any(axis=0) & (last >= 3) & (least >= 0.75) & (most <= 1.5 * least) & hidden
    )
    return found


def _limit(one_sided: Array, noise: Array, rounding: Array) -> Array:
    """What a one-sided slope tends to; infinite if it grows by more than the square root of h."""
    change = np.abs(np.diff(one_sided, axis=0)) + noise[:-1]
    k = np.argmin(np.where(np.isnan(change), np.inf, change), axis=0)[None]
    limit = np.take_along_axis(one_sided, k, axis=0)[0]
    near = one_sided[-2]
    grows = np.abs(near) > 6 * np.abs(one_sided[-5]) + 16 * rounding[-2]
    found: Array = np.where(grows, np.sign(near) * np.inf, limit)
    return found


# --- entry by entry ------------------------------------------------------------------------------


def central_differences(
    function: Callable[[Array], float], at: Array, entries: NDArray[np.intp], doubt: Array
) -> Array:
    """∂f/∂xᵢ for the entries i (flat): one quick step each, and `slopes` where that may be wrong.

    A step can be too long: past the end of a domain, or across the bends of a fast function. So
    where a quotient is not what is in `doubt`, it is taken again with a step an eighth as long;
    and unless that moves it by little of the doubt, the ladder decides. ArithmeticError and
    ValueError beside `at` count as no value there, as for `slopes`.

    >>> import numpy as np
    >>> from autograd_lite.finite_differences import central_differences
    >>> x = np.array([2.0, 1e-9])
    >>> central_differences(lambda a: np.sum(np.log(a)), x, np.arange(2), 1 / x).round(1).tolist()
    [0.5, 1000000000.0]
    """
    moved = at.copy()
    flat = moved.reshape(-1)

    def quotient(entry: int, step: float) -> float:
        middle = flat[entry]
        h = step * max(1.0, abs(middle))
        upper, lower = middle + h, middle - h
        try:
            flat[entry] = upper
            above = function(moved)
            flat[entry] = lower
            below = function(moved)
        except (ArithmeticError, ValueError):
            return float("nan")
        finally:
            flat[entry] = middle
        return float((above - below) / (upper - lower))  # what was shifted after rounding

    with np.errstate(all="ignore"):  # a shift may leave the domain; that is found out below
        found = np.array([quotient(i, STEP) for i in entries])
        off = np.abs(found - doubt)
        sizes = np.abs(doubt[np.isfinite(doubt)])
        scale = max(np.max(sizes, initial=0.0), np.finfo(np.float64).tiny)
        for k in np.flatnonzero(~(off <= NUMERIC_TOLERANCE * scale)):
            i = entries[k]
            if not abs(quotient(i, STEP / 8) - found[k]) <= off[k] / 8:
                direction = np.zeros(at.shape)
                direction.flat[i] = 1.0
                found[k] = slopes(lambda x: np.array([function(x)]), at, direction).value[0]
    return found
