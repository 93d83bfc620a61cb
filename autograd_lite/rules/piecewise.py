"""Element by element, piece by piece: extrema, clip, where, signs, remainders; comparisons.

At kinks the gradient is the subgradient of smallest norm. What is constant piece by piece, like
rounding, and what is no number at all, like a comparison, is untracked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.primitive import composition, primitive
from autograd_lite.rules.operands import refuse_mask, without_out
from autograd_lite.variable import Variable

# --- one of two -----------------------------------------------------------------------------------

for _function in (np.maximum, np.minimum, np.fmax, np.fmin):
    primitive(  # a tie is shared; of two NaN, neither was chosen
        _function,
        lambda g, z, x, y: np.where(x == y, 0.5 * g, np.where(z == x, g, 0)),
        lambda g, z, x, y: np.where(x == y, 0.5 * g, np.where(z == y, g, 0)),
    )

# A NaN or ∞ in the slope of the branch not taken meets a cotangent of 0 there, and 0·∞ is NaN:
# d/dx where(x > 0, sqrt(x), 0) is NaN at 0. The cure is to keep the branch itself harmless:
# np.where(x > 0, np.sqrt(np.where(x > 0, x, 1)), 0).
where = primitive(
    np.where,
    None,
    lambda g, z, condition, x, y: np.where(condition, g, 0),
    lambda g, z, condition, x, y: np.where(condition, 0, g),
)


@composition(np.where)
def _where(condition: Any, /, *branches: Any) -> Any:
    if not branches:
        return np.nonzero(condition)
    refuse_mask(condition, *branches)
    if type(condition) is Variable and condition.requires_grad:
        condition = condition != 0  # no gradient comes from it, and what has none is untracked
    return where(condition, *branches)


def _clip(x: Any, lower: Any, upper: Any) -> Any:
    x = x if lower is None else np.maximum(x, lower)
    return x if upper is None else np.minimum(x, upper)


def _inside(x: Any, lower: Any, upper: Any) -> Any:
    """Where clip lets x through: strictly between the bounds, so that the slope is 0 at them."""
    if lower is None or upper is None:
        return x < upper if lower is None else x > lower
    return (x > lower) & (x < upper)


SMALL = 4096
"""Fewer entries than this cost less than the questions by which a shorter way would be found."""


def only_where(mask: Any, g: Any) -> Any:
    """The cotangent g where the mask holds, and 0 elsewhere, also where g is ∞ or NaN.

    On a large array the product takes a tenth of the time of np.where, but 0·∞ is NaN.
    """
    recorded = type(g) is Variable or type(mask) is Variable
    if recorded or mask.size < SMALL or not np.isfinite(g).all():
        return np.where(mask, g, 0)
    return g * mask


clip = primitive(
    _clip,
    lambda g, z, x, lower, upper: only_where(_inside(x, lower, upper), g),
    lambda g, z, x, lower, upper: np.where(
        x < lower if upper is None else (x < lower) & (lower < upper), g, 0
    ),
    lambda g, z, x, lower, upper: np.where(_clip(x, lower, None) > upper, g, 0),
    name="clip",
)


@composition(np.clip, kind="primitive")
def _numpy_clip(
    a: Any,
    a_min: Any = None,
    a_max: Any = None,
    out: Any = None,
    *,
    min: Any = None,  # noqa: A002 - NumPy's names
    max: Any = None,  # noqa: A002
    **options: Any,
) -> Any:
    without_out("clip", out)
    if options:  # a ufunc's, of which some mean something on Variables
        a = np.positive(a, **options)
    lower, upper = a_min if min is None else min, a_max if max is None else max
    return np.positive(a) if lower is None and upper is None else clip(a, lower, upper)


@composition(np.nan_to_num)
def _nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """Always a new value; numbers given for NaN and ±∞ get gradients where they are used."""
    if x.dtype.kind != "f":
        return x
    limits = np.finfo(x.dtype)
    nan, posinf, neginf = [  # NumPy's numbers would widen float32
        n.item() if isinstance(n, np.generic) else n for n in (nan, posinf, neginf)
    ]
    x = np.where(np.isnan(x), nan, x)
    x = np.where(x == np.inf, limits.max if posinf is None else posinf, x)
    return np.where(x == -np.inf, limits.min if neginf is None else neginf, x)


# --- signs ----------------------------------------------------------------------------------------

primitive(np.absolute, lambda g, z, x: g * np.sign(x))
primitive(np.fabs, lambda g, z, x: g * np.sign(x))
primitive(np.copysign, lambda g, z, x, y: g * (np.sign(x) * np.sign(z)), None)
primitive(np.heaviside, None, lambda g, z, x, y: np.where(x == 0, g, 0))

# --- remainders, and numbers taken apart ----------------------------------------------------------

primitive(np.remainder, lambda g, z, x, y: g, lambda g, z, x, y: -g * np.floor_divide(x, y))
# not trunc(x/y): the quotient of 1 and 0.1 is 10, and fmod, which is exact, subtracts 9 times
primitive(np.fmod, lambda g, z, x, y: g, lambda g, z, x, y: -g * np.rint((x - z) / y))
primitive(np.ldexp, lambda g, z, x, y: np.ldexp(g, y), None)


@composition(np.divmod)
def _divmod(x: Any, y: Any, /) -> Any:
    return np.floor_divide(x, y), np.remainder(x, y)


_fraction = primitive(lambda x: np.modf(x)[0], lambda g, z, x: g, name="fraction")
_exponent = primitive(lambda x: np.frexp(x)[1], None, name="exponent")


@composition(np.modf)
def _modf(x: Any, /) -> Any:
    return _fraction(x), np.trunc(x)


@composition(np.frexp)
def _frexp(x: Any, /) -> Any:
    exponent = _exponent(x)
    return np.ldexp(x, -exponent), exponent


# --- constant piece by piece, true or false: untracked --------------------------------------------

_UNARY: list[Any] = [
    np.sign,
    np.floor,
    np.ceil,
    np.trunc,
    np.rint,
    np.round,
    np.around,
    np.fix,
    np.spacing,
    np.signbit,
    np.isnan,
    np.isinf,
    np.isfinite,
    np.isposinf,
    np.isneginf,
    np.isreal,
    np.iscomplex,
    np.logical_not,
    np.invert,
    np.bitwise_count,
]
_BINARY: list[Any] = [
    np.floor_divide,
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
    np.equal,
    np.not_equal,
    np.isclose,
    np.allclose,
    np.array_equal,
    np.array_equiv,
    np.logical_and,
    np.logical_or,
    np.logical_xor,
    np.bitwise_and,
    np.bitwise_or,
    np.bitwise_xor,
    np.left_shift,
    np.right_shift,
    np.gcd,
    np.lcm,
]
for _function in _UNARY:
    primitive(_function, None)
for _function in _BINARY:
    primitive(_function, None, None)
