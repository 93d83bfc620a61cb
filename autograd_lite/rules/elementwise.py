"""Element by element: arithmetic, exponentials, trigonometry, choices; comparisons, untracked.

Rules leave broadcasting to the sweep. They are smooth wherever the function is, so that the next
order is right too, and follow one convention at kinks: the subgradient of smallest norm.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from autograd_lite.errors import MissingRuleError
from autograd_lite.primitive import composition, primitive
from autograd_lite.variable import OPERATIONS

# --- arithmetic ------------------------------------------------------------------------------------

primitive(np.add, lambda g, z, x, y: g, lambda g, z, x, y: g)
primitive(np.subtract, lambda g, z, x, y: g, lambda g, z, x, y: -g)
primitive(np.multiply, lambda g, z, x, y: g * y, lambda g, z, x, y: g * x)
primitive(np.divide, lambda g, z, x, y: g / y, lambda g, z, x, y: -g * z / y)
primitive(np.negative, lambda g, z, x: -g)
primitive(np.positive, lambda g, z, x: g)
primitive(np.square, lambda g, z, x: g * (2 * x))
primitive(np.sqrt, lambda g, z, x: g / (2 * z))
primitive(np.absolute, lambda g, z, x: g * np.sign(x))
primitive(np.sign, None)


def _power_base(g: Any, z: Any, x: Any, y: Any) -> Any:
    """y·x^(y−1), and 0 for y = 0 even at x = 0, where the formula would say 0·∞."""
    if type(y) is float or type(y) is int:
        return g * (y * x ** (y - 1)) if y != 0 else np.where(False, g, 0)
    return g * (y * np.where((x == 0) & (y == 0), 1, x) ** (y - 1))


def _power_exponent(g: Any, z: Any, x: Any, y: Any) -> Any:
    """x^y·log x, and 0 at x = 0, its limit for y > 0."""
    return g * (z * np.log(np.where(x == 0, 1, x)))


primitive(np.power, _power_base, _power_exponent)
_general_power, _square = OPERATIONS[np.power], OPERATIONS[np.square]


@composition(np.power)
def _power(x: Any, y: Any, /) -> Any:
    return _square(x) if (type(y) is int or type(y) is float) and y == 2 else _general_power(x, y)


# --- exponentials and trigonometry -----------------------------------------------------------------

primitive(np.exp, lambda g, z, x: g * z)
primitive(np.log, lambda g, z, x: g / x)
primitive(np.sin, lambda g, z, x: g * np.cos(x))
primitive(np.cos, lambda g, z, x: -g * np.sin(x))
primitive(np.cosh, lambda g, z, x: g * np.sinh(x))
primitive(np.sinh, lambda g, z, x: g * np.cosh(x))


@functools.cache
def exp_bound(dtype: np.dtype[Any]) -> float:
    """The largest b for which exp(b) is finite in this dtype, less a rounding error."""
    limits = np.finfo(dtype)
    return float(np.log(limits.max)) * (1 - 2 * float(limits.eps))


def bounded(x: Any) -> Any:
    """x, kept where exp(±x) is finite. Nothing is lost: beyond, 1/cosh² x is 0 in the dtype."""
    bound = exp_bound(x.dtype)
    return np.minimum(np.maximum(x, -bound), bound)


# 1/cosh² keeps its digits in the tails, where 1 − z² has lost them all
primitive(np.tanh, lambda g, z, x: g * np.square(1 / np.cosh(bounded(x))))

# --- choices ---------------------------------------------------------------------------------------


primitive(
    np.maximum,
    lambda g, z, x, y: np.where(x == y, 0.5 * g, np.where(x > y, g, 0)),
    lambda g, z, x, y: np.where(x == y, 0.5 * g, np.where(y > x, g, 0)),
)
primitive(
    np.minimum,
    lambda g, z, x, y: np.where(x == y, 0.5 * g, np.where(x < y, g, 0)),
    lambda g, z, x, y: np.where(x == y, 0.5 * g, np.where(y < x, g, 0)),
)


def _clip(x: Any, lower: Any, upper: Any) -> Any:
    x = x if lower is None else np.maximum(x, lower)
    return x if upper is None else np.minimum(x, upper)


def _inside(x: Any, lower: Any, upper: Any) -> Any:
    """Where clip lets x through: strictly between the bounds, so that the slope is 0 at them."""
    if lower is None or upper is None:
        return x < upper if lower is None else x > lower
    return (x > lower) & (x < upper)


clip = primitive(
    _clip,
    lambda g, z, x, lower, upper: np.where(_inside(x, lower, upper), g, 0),
    lambda g, z, x, lower, upper: np.where(
        x < lower if upper is None else (x < lower) & (lower < upper), g, 0
    ),
    lambda g, z, x, lower, upper: np.where(_clip(x, lower, None) > upper, g, 0),
    name="clip",
)


@composition(np.clip)
def _numpy_clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None) -> Any:  # noqa: A002 - NumPy's names
    if out is not None:
        raise MissingRuleError("clip: out= is not supported on a Variable; use the returned value")
    lower, upper = a_min if min is None else min, a_max if max is None else max
    return np.positive(a) if lower is None and upper is None else clip(a, lower, upper)


primitive(
    np.where,
    None,
    lambda g, z, condition, x, y: np.where(condition, g, 0),
    lambda g, z, condition, x, y: np.where(condition, 0, g),
)

# --- comparisons and logic: untracked --------------------------------------------------------------

for _function in (
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
    np.equal,
    np.not_equal,
    np.logical_and,
    np.logical_or,
    np.logical_xor,
    np.bitwise_and,
    np.bitwise_or,
    np.bitwise_xor,
):
    primitive(_function, None, None)
for _function in (np.logical_not, np.invert, np.isnan, np.isinf, np.isfinite):
    primitive(_function, None)
