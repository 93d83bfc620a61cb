"""Element by element, and smooth: arithmetic, powers, exponentials, logarithms, trigonometry.

Rules leave broadcasting to the sweep. They are smooth wherever the function is, so that the next
order is right too, and they are written for the tails: no difference of nearly equal numbers, and
no square that overflows where the derivative itself is finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.operators import OPERATIONS
from autograd_lite.primitive import Primitive, Rule, composition, primitive

LN2, LN10 = math.log(2), math.log(10)

# --- arithmetic -----------------------------------------------------------------------------------

primitive(np.add, lambda g, z, x, y: g, lambda g, z, x, y: g)
primitive(np.subtract, lambda g, z, x, y: g, lambda g, z, x, y: -g)
primitive(np.multiply, lambda g, z, x, y: g * y, lambda g, z, x, y: g * x)
primitive(np.divide, lambda g, z, x, y: g / y, lambda g, z, x, y: -g * z / y)
primitive(np.negative, lambda g, z, x: -g)
primitive(np.positive, lambda g, z, x: g)
primitive(np.conjugate, lambda g, z, x: g)
primitive(np.reciprocal, lambda g, z, x: -g * np.square(z))
primitive(np.deg2rad, lambda g, z, x: np.deg2rad(g))
primitive(np.rad2deg, lambda g, z, x: np.rad2deg(g))
primitive(np.radians, lambda g, z, x: np.radians(g))
primitive(np.degrees, lambda g, z, x: np.degrees(g))

# --- powers and roots -----------------------------------------------------------------------------

primitive(np.square, lambda g, z, x: g * (2 * x))
primitive(np.sqrt, lambda g, z, x: g / (2 * z))
primitive(np.cbrt, lambda g, z, x: g / (3 * np.square(z)))


def _power_base(g: Any, z: Any, x: Any, y: Any) -> Any:
    """y·x^(y−1), and 0 for y = 0 even at x = 0, where the formula would say 0·∞."""
    if type(y) is float or type(y) is int:
        return g * (y * x ** (y - 1)) if y != 0 else np.where(False, g, 0)
    return g * (y * np.where((x == 0) & (y == 0), 1, x) ** (y - 1))


def _power_exponent(g: Any, z: Any, x: Any, y: Any) -> Any:
    """x^y·log x, and 0 at x = 0, its limit for y > 0."""
    return g * (z * np.log(np.where(x == 0, 1, x)))


primitive(np.float_power, _power_base, _power_exponent)
primitive(np.power, _power_base, _power_exponent)
_general_power = OPERATIONS[np.power]
# The exponents for which NumPy's own ** computes something simpler; and a few more that products
# give, ten times as quickly as np.power and equal to it but for the last bit.
_SIMPLE_POWERS: dict[float, Callable[[Any], Any]] = {
    2: OPERATIONS[np.square],
    1: OPERATIONS[np.positive],
    0.5: OPERATIONS[np.sqrt],
    -1: OPERATIONS[np.reciprocal],
    3: lambda x: np.square(x) * x,
    4: lambda x: np.square(np.square(x)),
}


@composition(np.power)
def _power(x: Any, y: Any, /) -> Any:
    if (type(y) is int or type(y) is float) and y in _SIMPLE_POWERS and x.dtype.kind == "f":
        return _SIMPLE_POWERS[y](x)
    return _general_power(x, y)


def nonzero(x: Any) -> Any:
    """The array x with 1 for every 0, to divide by where the numerator is 0 as well."""
    return np.where(x == 0, 1, x)


def _over_radius(x: Any, y: Any) -> Any:
    return x / nonzero(np.hypot(x, y))


def _bend(y: Any, x: Any) -> Any:
    """The ratio y/r², as a product of numbers that neither overflow nor vanish before it does."""
    return hypot_slope(y, x) / nonzero(np.hypot(x, y))


# The slope x/r has the derivatives y²/r³ and −xy/r³; by the quotient rule, the first would be the
# difference 1/r − x²/r³, without digits where y is small. At the origin, where there is no
# derivative, all of them are 0.
hypot_slope: Primitive = Primitive(
    _over_radius,
    (
        lambda g, z, x, y: g * (hypot_slope(y, x) * _bend(y, x)),
        lambda g, z, x, y: -g * (z * _bend(y, x)),
    ),
    "slope of hypot",
)
primitive(
    np.hypot,
    lambda g, z, x, y: g * hypot_slope(x, y),
    lambda g, z, x, y: g * hypot_slope(y, x),
)

# --- exponentials and logarithms ------------------------------------------------------------------

primitive(np.exp, lambda g, z, x: g * z)
primitive(np.exp2, lambda g, z, x: g * (LN2 * z))
primitive(np.expm1, lambda g, z, x: g * np.exp(x))  # z + 1 has no digits left where exp x is small
primitive(np.log, lambda g, z, x: g / x)
primitive(np.log2, lambda g, z, x: g / x / LN2)
primitive(np.log10, lambda g, z, x: g / x / LN10)
primitive(np.log1p, lambda g, z, x: g / (1 + x))


def _logistic(x: Any) -> Any:
    with np.errstate(over="ignore"):  # 1/∞ is the right 0, without the warning on the way there
        return 1 / (1 + np.exp(-x))


logistic = Primitive(_logistic, (lambda g, z, x: g * logistic_slope(x),), "logistic")


def _gap(x: Any, y: Any) -> Any:
    """The difference x − y, and 0 for equal infinities: masks of −∞ get a share, and no NaN."""
    same = np.isinf(x) & (x == y)
    return np.where(same, 0, x) - np.where(same, 0, y)


# exp(x − z) would carry the rounding of z, which is large where x and y are
primitive(
    np.logaddexp,
    lambda g, z, x, y: g * logistic(_gap(x, y)),
    lambda g, z, x, y: g * logistic(_gap(y, x)),
)
primitive(
    np.logaddexp2,
    lambda g, z, x, y: g * logistic(LN2 * _gap(x, y)),
    lambda g, z, x, y: g * logistic(LN2 * _gap(y, x)),
)

# --- slopes that are operations themselves --------------------------------------------------------

# Left to the chain rule, the slope 1/((1 − x)(1 + x)) would have the derivative (1 + x) − (1 − x),
# without digits near 0, and 1/cosh² x one that is e⁻³ˣ halfway, 0 in the tails too soon. Written
# by hand, their derivatives are simple, and keep all digits at every order.


def _slope(of: np.ufunc, value: Callable[[Any], Any], rule: Rule) -> Primitive:
    return Primitive(value, (rule,), f"slope of {of.__name__}")


def _logistic_slope(x: Any) -> Any:
    """Of e = exp(−|x|), e/(1 + e)²: all digits in both tails, where z·(1 − z) has none in one."""
    e = np.exp(-np.abs(x))
    return e / np.square(1 + e)


def _tanh_slope(x: Any) -> Any:
    """1/cosh² x, where cosh x may overflow: of e = exp(−|x|), (2e/(1 + e²))²."""
    e = np.exp(-np.abs(x))
    return np.square(2 * e / (1 + e * e))


def _arctan_slope(x: Any) -> Any:
    with np.errstate(over="ignore"):  # as in the logistic function
        return 1 / (1 + np.square(x))


logistic_slope: Primitive = Primitive(
    _logistic_slope, (lambda g, z, x: g * (-np.tanh(x / 2) * z),), "slope of logistic"
)
tanh_slope = _slope(np.tanh, _tanh_slope, lambda g, z, x: g * (-2 * np.tanh(x) * z))
arctan_slope = _slope(np.arctan, _arctan_slope, lambda g, z, x: g * (-2 * x * z * z))
arctanh_slope = _slope(
    np.arctanh, lambda x: 1 / ((1 - x) * (1 + x)), lambda g, z, x: g * (2 * x * z * z)
)
arcsin_slope = _slope(
    np.arcsin, lambda x: 1 / np.sqrt((1 - x) * (1 + x)), lambda g, z, x: g * (x * z * z * z)
)
arcsinh_slope = _slope(
    np.arcsinh, lambda x: 1 / np.hypot(1, x), lambda g, z, x: g * (-x * z * z * z)
)
arccosh_slope = _slope(
    np.arccosh,
    lambda x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)),
    lambda g, z, x: g * (-x * z * z * z),
)

# --- trigonometric and hyperbolic functions -------------------------------------------------------

primitive(np.sin, lambda g, z, x: g * np.cos(x))
primitive(np.cos, lambda g, z, x: -g * np.sin(x))
primitive(np.tan, lambda g, z, x: g * (1 + np.square(z)))
primitive(np.arcsin, lambda g, z, x: g * arcsin_slope(x))
primitive(np.arccos, lambda g, z, x: -g * arcsin_slope(x))
primitive(np.arctan, lambda g, z, x: g * arctan_slope(x))
primitive(np.sinh, lambda g, z, x: g * np.cosh(x))
primitive(np.cosh, lambda g, z, x: g * np.sinh(x))
primitive(np.tanh, lambda g, z, x: g * tanh_slope(x))
primitive(np.arcsinh, lambda g, z, x: g * arcsinh_slope(x))
primitive(np.arccosh, lambda g, z, x: g * arccosh_slope(x))
primitive(np.arctanh, lambda g, z, x: g * arctanh_slope(x))


def _over_squared_radius(a: Any, y: Any, x: Any) -> Any:
    """The ratio a/(x² + y²), and a at the origin, so that the gradient there is 0."""
    radius = nonzero(np.hypot(y, x))
    return a / radius / radius


primitive(
    np.arctan2,
    lambda g, z, y, x: g * _over_squared_radius(x, y, x),
    lambda g, z, y, x: -g * _over_squared_radius(y, y, x),
)
