"""mpmath as an oracle: how many digits the derivatives of elementwise functions have.

Points are spread over the magnitudes of float64, 1e-300 to 1e300 and both signs, and crowd at the
edges of domains. Expected values are formulas in 50 digits, in which a float is exact. The bound is
a relative 1e-12: room for the roundings of a rule of a few operations, and for those of an
exponential of 700, but for no cancellation, saturation or overflow on the way. First and second
order, at all points where float64 can hold the value and the derivatives up to there; warnings are
errors.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import autograd_lite as ag
import nn

mp.dps = 50
RELATIVE = 1e-12
LARGEST = float(np.finfo(np.float64).max)
TINY = float(
    np.finfo(np.float64).tiny
)  # below, float64 has fewer than 53 bits, and this error is theirs

SCALE = np.logspace(-300, 300, 241)
POSITIVE = np.concatenate([SCALE, np.linspace(0.01, 12, 60)])
EVERYWHERE = np.concatenate([-POSITIVE, POSITIVE])
SMALL = np.logspace(-300, -1, 120)
BELOW_1 = 1 - np.logspace(-15, -0.1, 40)
INSIDE = np.concatenate([-SMALL, SMALL, -BELOW_1, BELOW_1])
ABOVE_1 = np.concatenate([1 + np.logspace(-15, 0, 40), SCALE[121:]])
EXPONENTS = np.concatenate([-SMALL, SMALL, np.linspace(-708, 709, 350)])

PI, LN2, LN10 = +mp.pi, mp.log(2), mp.log(10)


def gap(x):
    """1 − x²."""
    return (1 - x) * (1 + x)


def logistic(x):
    return 1 / (1 + mp.exp(-x))


def sinc_slope(x):
    with mp.workdps(700):  # it cancels all digits that x² has not
        return (mp.cospi(x) - mp.sincpi(x)) / x


def sinc_curvature(x):
    with mp.workdps(1400):
        return -PI * PI * mp.sincpi(x) - 2 * (mp.cospi(x) - mp.sincpi(x)) / x**2


# the function, the points, and its first two derivatives
ROWS: dict[str, tuple[Any, ...]] = {
    "absolute": (np.abs, EVERYWHERE, mp.sign, lambda x: 0),
    "square": (np.square, EVERYWHERE, lambda x: 2 * x, lambda x: 2),
    "reciprocal": (np.reciprocal, EVERYWHERE, lambda x: -(x**-2), lambda x: 2 * x**-3),
    "sqrt": (np.sqrt, POSITIVE, lambda x: x**-0.5 / 2, lambda x: -(x**-1.5) / 4),
    "cbrt": (
        np.cbrt,
        EVERYWHERE,
        lambda x: mp.cbrt(abs(x)) / abs(x) / 3,
        lambda x: -2 * mp.cbrt(abs(x)) / x / abs(x) / 9,
    ),
    "x**3": (lambda x: x**3, EVERYWHERE, lambda x: 3 * x**2, lambda x: 6 * x),
    "x**-2": (lambda x: x**-2, EVERYWHERE, lambda x: -2 * x**-3, lambda x: 6 * x**-4),
    "x**2.5": (lambda x: x**2.5, POSITIVE, lambda x: 2.5 * x**1.5, lambda x: 3.75 * x**0.5),
    "x**-0.5": (lambda x: x**-0.5, POSITIVE, lambda x: -(x**-1.5) / 2, lambda x: 0.75 * x**-2.5),
    "2**x": (lambda x: 2.0**x, EXPONENTS, lambda x: LN2 * 2**x, lambda x: LN2**2 * 2**x),
    "exp": (np.exp, EXPONENTS, mp.exp, mp.exp),
    "exp2": (np.exp2, EXPONENTS, lambda x: LN2 * 2**x, lambda x: LN2**2 * 2**x),
    "expm1": (np.expm1, EXPONENTS, mp.exp, mp.exp),
    "log": (np.log, POSITIVE, lambda x: 1 / x, lambda x: -(x**-2)),
    "log2": (np.log2, POSITIVE, lambda x: 1 / x / LN2, lambda x: -(x**-2) / LN2),
    "log10": (np.log10, POSITIVE, lambda x: 1 / x / LN10, lambda x: -(x**-2) / LN10),
    "log1p": (
        np.log1p,
        np.concatenate([-BELOW_1, -SMALL, POSITIVE]),
        lambda x: 1 / (1 + x),
        lambda x: -((1 + x) ** -2),
    ),
    "sin": (np.sin, EVERYWHERE, mp.cos, lambda x: -mp.sin(x)),
    "cos": (np.cos, EVERYWHERE, lambda x: -mp.sin(x), lambda x: -mp.cos(x)),
    "tan": (
        np.tan,
        EVERYWHERE,
        lambda x: mp.sec(x) ** 2,
        lambda x: 2 * mp.tan(x) * mp.sec(x) ** 2,
    ),
    "sinc": (np.sinc, np.concatenate([-SMALL, SMALL]), sinc_slope, sinc_curvature),
    "arcsin": (np.arcsin, INSIDE, lambda x: gap(x) ** -0.5, lambda x: x * gap(x) ** -1.5),
    "arccos": (np.arccos, INSIDE, lambda x: -(gap(x) ** -0.5), lambda x: -x * gap(x) ** -1.5),
    "arctan": (
        np.arctan,
        EVERYWHERE,
        lambda x: 1 / (1 + x * x),
        lambda x: -2 * x / (1 + x * x) ** 2,
    ),
    "sinh": (np.sinh, EXPONENTS, mp.cosh, mp.sinh),
    "cosh": (np.cosh, EXPONENTS, mp.sinh, mp.cosh),
    "tanh": (
        np.tanh,
        EVERYWHERE,
        lambda x: mp.sech(x) ** 2,
        lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2,
    ),
    "arcsinh": (
        np.arcsinh,
        EVERYWHERE,
        lambda x: (1 + x * x) ** -0.5,
        lambda x: -x * (1 + x * x) ** -1.5,
    ),
    "arccosh": (
        np.arccosh,
        ABOVE_1,
        lambda x: (-gap(x)) ** -0.5,
        lambda x: -x * (-gap(x)) ** -1.5,
    ),
    "arctanh": (np.arctanh, INSIDE, lambda x: 1 / gap(x), lambda x: 2 * x * gap(x) ** -2),
    "deg2rad": (np.deg2rad, EVERYWHERE, lambda x: PI / 180, lambda x: 0),
    "rad2deg": (np.rad2deg, EVERYWHERE, lambda x: 180 / PI, lambda x: 0),
    "sigmoid": (
        nn.sigmoid,
        EXPONENTS,
        lambda x: logistic(x) * logistic(-x),
        lambda x: -logistic(x) * logistic(-x) * mp.tanh(x / 2),
    ),
}

MAGNITUDES = 10.0 ** np.array([-300, -200, -150, -100, -20, -8, -1, 0, 0.3, 1, 8, 20, 100, 150])
SIGNED = np.concatenate([-MAGNITUDES, MAGNITUDES, [200.0, -700.0]])
# not ±x anywhere: there, x² − y² is 0, and has no relative error
BESIDE = 1.5 * SIGNED


def unit(x, y):
    """1/r, x/r, y/r."""
    r = mp.sqrt(x * x + y * y)
    return 1 / r, x / r, y / r


def hypot_slopes(x, y):
    s, c, d = unit(x, y)
    return [c, d, s * d * d, -s * c * d, s * c * c]


def arctan2_slopes(x, y):
    s, c, d = unit(x, y)
    return [s * d, -s * c, -2 * s * s * c * d, s * s * (c - d) * (c + d), 2 * s * s * c * d]


def power_slopes(x, y):
    return [
        y * x ** (y - 1),
        x**y * mp.log(x),
        y * (y - 1) * x ** (y - 2),
        x ** (y - 1) * (1 + y * mp.log(x)),
        x**y * mp.log(x) ** 2,
    ]


def logaddexp_slopes(x, y):
    share = logistic(x - y) * logistic(y - x)
    return [logistic(x - y), logistic(y - x), share, -share, share]


def logaddexp2_slopes(x, y):
    first, second, share = logaddexp_slopes(LN2 * x, LN2 * y)[:3]
    return [first, second, LN2 * share, -LN2 * share, LN2 * share]


# the function of x and y, the points of each, and ∂x, ∂y, ∂xx, ∂xy, ∂yy
ROWS_OF_TWO: dict[str, tuple[Any, ...]] = {
    "multiply": (np.multiply, SIGNED, SIGNED, lambda x, y: [y, x, 0, 1, 0]),
    "divide": (
        np.divide,
        SIGNED,
        SIGNED,
        lambda x, y: [1 / y, -x / y**2, 0, -1 / y**2, 2 * x / y**3],
    ),
    "hypot": (np.hypot, SIGNED, BESIDE, hypot_slopes),
    "arctan2": (np.arctan2, SIGNED, BESIDE, arctan2_slopes),
    # below 1e-154, x**(y − 2) alone is too large for small y
    "power": (np.power, MAGNITUDES[2:], SIGNED, power_slopes),
    "logaddexp": (np.logaddexp, SIGNED, SIGNED, logaddexp_slopes),
    "logaddexp2": (np.logaddexp2, SIGNED, SIGNED, logaddexp2_slopes),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", ROWS)
def test_functions_of_one(name: str, order: int):
    function, points, *formulas = ROWS[name]
    expected = [[formula(x) for x in exactly(points)] for formula in formulas[:order]]
    held = holds(function, [points], expected)
    x = ag.Variable(points[held])
    slopes = function(x)
    for _ in range(order):
        slopes = slope(slopes, x)
    assert_digits(slopes, np.array(expected[-1])[held], x.data)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", ROWS_OF_TWO)
def test_functions_of_two(name: str, order: int):
    function, *axes, formulas = ROWS_OF_TWO[name]
    points = [p.ravel() for p in np.meshgrid(*axes)]
    rows = zip(*[formulas(*xy) for xy in zip(*map(exactly, points), strict=True)], strict=True)
    first, second = np.split(np.array(list(rows)), [2])
    held = holds(function, points, [*first, *second][: 2 if order == 1 else 5])
    x, y = xs = [ag.Variable(p[held]) for p in points]
    z = function(x, y)
    if order == 1:
        found = [slope(z, v) for v in xs]
        expected = first
    else:
        found = [slope(slope(z, v), w) for v in xs for w in xs]
        expected = second[[0, 1, 1, 2]]
    for f, e in zip(found, expected, strict=True):
        assert_digits(f, e[held], np.stack([x.data, y.data], axis=-1))


# rows of 5 logits that differ by about 1 to 130, some of them far from 0
LOGITS = np.array(
    [
        np.random.default_rng(i).standard_normal(5) * spread + offset
        for i, spread in enumerate([1e-3, 1.0, 10.0, 60.0, 130.0])
        for offset in (0.0, -3000.0)
    ]
)


def softmax_at(row):
    """The softmax of a row, in as many digits as it takes for 1 − p."""
    e = [mp.exp(a - max(row)) for a in row]
    return [a / sum(e) for a in e]


def test_slopes_of_logsumexp():
    p = [softmax_at(exactly(row)) for row in LOGITS]
    x = ag.Variable(LOGITS)
    found = slope(nn.logsumexp(x), x)
    assert_digits(found.reshape(-1), np.ravel(p), np.repeat(LOGITS, 5, axis=0))


@pytest.mark.parametrize("label", range(5))
def test_slopes_of_softmax_and_its_logarithm(label: int):
    """By other logits they have all digits; by its own, there is 1 − p, exact to rounding of 1."""
    rows = LOGITS
    own = np.arange(5) == label
    x = ag.Variable(rows)
    by_softmax = slope(nn.softmax(x)[:, label], x).data
    by_logarithm = slope(nn.log_softmax(x)[:, label], x).data
    for row, first, second in zip(rows, by_softmax, by_logarithm, strict=True):
        p = softmax_at(exactly(row))
        others = [a for a, mine in zip(p, own, strict=True) if not mine]
        products = [-a * p[label] for a in others]
        assert_digits(ag.Variable(first[~own]), products, row[~own])
        assert_digits(ag.Variable(second[~own]), [-a for a in others], row[~own])
        rest = sum(others)
        assert abs(first[label] - p[label] * rest) <= p[label] * (RELATIVE * rest + 1e-15) + TINY
        assert abs(second[label] - rest) <= RELATIVE * rest + 1e-15


def exactly(points: np.ndarray) -> list[mpf]:
    return [mpf(x) for x in points.tolist()]


def holds(function: Any, points: list[np.ndarray], derivatives: Sequence[Any]) -> np.ndarray:
    """Where float64 can hold the value, with all its bits, and the derivatives."""
    with np.errstate(all="ignore"):
        values = np.abs(function(*points))
    held = (values >= TINY) & (values <= LARGEST)
    for expected in derivatives:
        held &= [abs(e) <= LARGEST for e in expected]
    assert np.mean(held) > 0.3
    return held


def slope(z: ag.Variable, x: ag.Variable) -> ag.Variable:
    """∂(Σz)/∂x, recorded; 0 where z does not depend on anything."""
    if not z.requires_grad:
        return ag.Variable(np.zeros(x.shape))
    return ag.gradients(z, x, np.ones(z.shape), create_graph=True)


def assert_digits(actual: ag.Variable, expected: Any, points: np.ndarray) -> None:
    for a, e, point in zip(actual.data.tolist(), expected, points.tolist(), strict=True):
        assert abs(mpf(a) - e) <= RELATIVE * abs(e) + TINY, f"at {point}: {a}, not {float(e)}"
