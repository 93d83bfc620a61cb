"""Derivatives that keep their digits: in the tails, next to a pole, and at 0 to the third order.

Expected values come from Python's decimal arithmetic with 350 digits, in which a float is exact and
a formula means what it says. Tolerance: a rule is a handful of operations, each within an ulp or a
few of 1.1e-16, and an exponential of ±700 adds 700 of them: 1e-12 is room for that, and nothing
that cancels or saturates comes near it. Where float64 itself has fewer digits, below 2.3e-308, the
tolerance is that number. Warnings are errors here too: nothing may overflow on the way.
"""

import decimal
import math
from decimal import Decimal

import numpy as np
import pytest

import autograd_lite as ag

RELATIVE, TINY = 1e-12, 2.3e-308
DECIMAL = decimal.Context(prec=350, Emin=-(10**6), Emax=10**6)

SMALL = [0.0, 1e-300, -1e-16, 1e-8, 0.3, -0.9]
MIDDLE = [1.0, -3.0, 20.0, -40.0, 300.0]
TAILS = [*SMALL, *MIDDLE, 354.0, -700.0]
HUGE = [*SMALL, *MIDDLE, 1e8, -1e154, 1e200, 1e300]
POSITIVE = [5e-300, 1e-100, 0.5, 3.0, 1e100, 1e300]
BELOW_1 = [*SMALL, 1 - 2**-53, -(1 - 2**-40), 0.999]
LN2, LN10 = Decimal(2).ln(DECIMAL), Decimal(10).ln(DECIMAL)


def cosh(x):
    return (x.exp() + (-x).exp()) / 2


def sinh(x):
    return (x.exp() - (-x).exp()) / 2


def logistic(x):
    return 1 / (1 + (-x).exp())


def sinc_slope(x):
    """Σ (−1)ᵏ π²ᵏ x²ᵏ⁻¹·2k/(2k + 1)!."""
    pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
    terms = [
        (-1) ** k * pi ** (2 * k) * x ** (2 * k - 1) * 2 * k / math.factorial(2 * k + 1)
        for k in range(1, 40)
    ]
    return sum(terms)


LARGE, LITTLE = 1e200, 1e-200

# what is computed, where, and its derivative there
SLOPES = [
    ("tanh", np.tanh, TAILS, lambda x: 1 / cosh(x) ** 2),
    ("arctan", np.arctan, HUGE, lambda x: 1 / (1 + x * x)),
    ("arcsinh", np.arcsinh, HUGE, lambda x: 1 / (1 + x * x).sqrt()),
    ("arccosh", np.arccosh, [1 + 2**-52, 1.5, 1e200, 1e300], lambda x: 1 / (x * x - 1).sqrt()),
    ("arctanh", np.arctanh, BELOW_1, lambda x: 1 / (1 - x * x)),
    ("arcsin", np.arcsin, BELOW_1, lambda x: 1 / (1 - x * x).sqrt()),
    ("arccos", np.arccos, BELOW_1, lambda x: -1 / (1 - x * x).sqrt()),
    ("sinh", np.sinh, TAILS, cosh),
    ("cosh", np.cosh, TAILS, sinh),
    ("exp", np.exp, TAILS, lambda x: x.exp()),
    ("exp2", np.exp2, [*TAILS, -1000.0], lambda x: LN2 * (x * LN2).exp()),
    ("expm1", np.expm1, TAILS, lambda x: x.exp()),
    ("log", np.log, POSITIVE, lambda x: 1 / x),
    ("log2", np.log2, POSITIVE, lambda x: 1 / (x * LN2)),
    ("log10", np.log10, POSITIVE, lambda x: 1 / (x * LN10)),
    ("log1p", np.log1p, [*SMALL, *POSITIVE, -1 + 2**-53], lambda x: 1 / (1 + x)),
    ("sqrt", np.sqrt, POSITIVE, lambda x: 1 / (2 * x.sqrt())),
    ("cbrt", np.cbrt, POSITIVE, lambda x: ((x.ln() * -2 / 3).exp()) / 3),
    ("reciprocal", np.reciprocal, [1e-150, -3.0, 1e153, 1e300], lambda x: -1 / (x * x)),
    ("x**-2", lambda x: x**-2, [1e-100, -3.0, 1e100, 1e200], lambda x: -2 / x**3),
    ("sinc", np.sinc, [*SMALL, 1e-3, 1.5, 3.25], sinc_slope),
    ("logaddexp with 0", lambda x: np.logaddexp(x, 0), TAILS, logistic),
    ("logaddexp2 with 0", lambda x: np.logaddexp2(x, 0), TAILS, lambda x: logistic(x * LN2)),
    (
        "logaddexp of large numbers",
        lambda x: np.logaddexp(x + 2.0**40, 2.0**40),
        [0.0, 0.5, -30.0],
        logistic,
    ),
    (
        "hypot with a small one",
        lambda x: np.hypot(x, LITTLE),
        HUGE[4:],
        lambda x: x.copy_sign(x) / abs(x),
    ),
    (
        "hypot with a large one",
        lambda x: np.hypot(x, LARGE),
        [1e150, 3e199, LARGE],
        lambda x: x / (x * x + Decimal(LARGE) ** 2).sqrt(),
    ),
    (
        "hypot with a tiny one",
        lambda x: np.hypot(x, LITTLE),
        [1e-250, 3e-201, LITTLE],
        lambda x: x / (x * x + Decimal(LITTLE) ** 2).sqrt(),
    ),
    (
        "arctan2 of tiny numbers",
        lambda x: np.arctan2(x, LITTLE),
        [1e-250, -3e-201, LITTLE],
        lambda x: Decimal(LITTLE) / (x * x + Decimal(LITTLE) ** 2),
    ),
    (
        "arctan2 of large numbers",
        lambda x: np.arctan2(LARGE, x),
        [1e150, -3e199, LARGE],
        lambda x: -Decimal(LARGE) / (x * x + Decimal(LARGE) ** 2),
    ),
]

SECOND_SLOPES = [
    ("tanh", np.tanh, TAILS, lambda x: -2 * sinh(x) / cosh(x) ** 3),
    ("arctan", np.arctan, HUGE, lambda x: -2 * x / (1 + x * x) ** 2),
    ("expm1", np.expm1, TAILS, lambda x: x.exp()),
    ("log1p", np.log1p, [*SMALL, 1e100], lambda x: -1 / (1 + x) ** 2),
    ("arccosh", np.arccosh, [1 + 2**-52, 2.0, 1e100], lambda x: -x / ((x * x - 1) ** 3).sqrt()),
    ("arcsin", np.arcsin, BELOW_1, lambda x: x / ((1 - x * x) ** 3).sqrt()),
    ("arctanh", np.arctanh, BELOW_1, lambda x: 2 * x / (1 - x * x) ** 2),
    ("arcsinh", np.arcsinh, HUGE, lambda x: -x / ((1 + x * x) ** 3).sqrt()),
    ("logaddexp with 0", lambda x: np.logaddexp(x, 0), TAILS, lambda x: logistic(x) * logistic(-x)),
    ("hypot with 1", lambda x: np.hypot(x, 1), HUGE, lambda x: 1 / (1 + x * x).sqrt() ** 3),
    (
        "hypot with a tiny one",
        lambda x: np.hypot(x, LITTLE),
        [1e-250, 3e-201, LITTLE, 1e-190, 1.0],
        lambda x: Decimal(LITTLE) ** 2 / (x * x + Decimal(LITTLE) ** 2).sqrt() ** 3,
    ),
    (
        "hypot with a large one",
        lambda x: np.hypot(x, LARGE),
        [1e150, 3e199, LARGE, 1e210],
        lambda x: Decimal(LARGE) ** 2 / (x * x + Decimal(LARGE) ** 2).sqrt() ** 3,
    ),
]

THIRD_SLOPES = [
    ("hypot with 1", lambda x: np.hypot(x, 1), HUGE, lambda x: -3 * x / (1 + x * x).sqrt() ** 5),
    ("tanh", np.tanh, [1e-8, 3.0, 300.0], lambda x: (4 * sinh(x) ** 2 - 2) / cosh(x) ** 4),
]


def assert_accurate(actual, points, formula):
    with decimal.localcontext(DECIMAL):
        expected = [float(formula(Decimal(x))) for x in points]
    np.testing.assert_allclose(actual, expected, rtol=RELATIVE, atol=TINY)


@pytest.mark.parametrize(
    ("function", "points", "formula"), [row[1:] for row in SLOPES], ids=[row[0] for row in SLOPES]
)
def test_slope(function, points, formula):
    x = ag.Variable(points)
    assert_accurate(ag.gradients(np.sum(function(x)), x), points, formula)


@pytest.mark.parametrize(
    ("function", "points", "formula"),
    [row[1:] for row in SECOND_SLOPES],
    ids=[row[0] for row in SECOND_SLOPES],
)
def test_second_slope(function, points, formula):
    x = ag.Variable(points)
    slope = ag.gradients(np.sum(function(x)), x, create_graph=True)
    assert_accurate(ag.gradients(np.sum(slope), x), points, formula)


@pytest.mark.parametrize(
    ("function", "points", "formula"),
    [row[1:] for row in THIRD_SLOPES],
    ids=[row[0] for row in THIRD_SLOPES],
)
def test_third_slope(function, points, formula):
    x = ag.Variable(points)
    slope = ag.gradients(np.sum(function(x)), x, create_graph=True)
    second = ag.gradients(np.sum(slope), x, create_graph=True)
    assert_accurate(ag.gradients(np.sum(second), x), points, formula)


AT_0 = [
    ("tanh", np.tanh, (1, 0, -2)),
    ("arctan", np.arctan, (1, 0, -2)),
    ("sin", np.sin, (1, 0, -1)),
    ("cos", np.cos, (0, -1, 0)),
    ("tan", np.tan, (1, 0, 2)),
    ("sinh", np.sinh, (1, 0, 1)),
    ("cosh", np.cosh, (0, 1, 0)),
    ("arcsin", np.arcsin, (1, 0, 1)),
    ("arccos", np.arccos, (-1, 0, -1)),
    ("arcsinh", np.arcsinh, (1, 0, -1)),
    ("arctanh", np.arctanh, (1, 0, 2)),
    ("expm1", np.expm1, (1, 1, 1)),
    ("log1p", np.log1p, (1, -1, 2)),
    ("sinc", np.sinc, (0, -(math.pi**2) / 3, 0)),
    ("logaddexp", lambda x: np.logaddexp(x, 0), (1 / 2, 1 / 4, 0)),
    ("hypot with 1", lambda x: np.hypot(x, 1), (0, 1, 0)),
    ("arctan2", lambda x: np.arctan2(x, 1), (1, 0, -2)),
    ("x**2", lambda x: x**2, (0, 2, 0)),
    ("x**3", lambda x: x**3, (0, 0, 6)),
    ("cumprod", lambda x: np.cumprod(np.stack([x, x, x]))[-1], (0, 0, 6)),
    ("prod", lambda x: np.prod(np.stack([x, x, x])), (0, 0, 6)),
]


@pytest.mark.parametrize(
    ("function", "expected"), [row[1:] for row in AT_0], ids=[row[0] for row in AT_0]
)
def test_three_orders_at_0(function, expected):
    """A rule with abs, where or maximum inside goes wrong here, in the second order or third."""
    x = ag.Variable(0.0)
    z, orders = function(x), []
    for _ in range(3):
        z = ag.gradients(z, x, create_graph=True) if z.requires_grad else ag.Variable(0.0)
        orders.append(z.item())
    np.testing.assert_allclose(orders, expected, rtol=1e-14, atol=1e-15)


def test_variance_of_close_numbers_is_computed_in_two_passes():
    """The mean of squares less the square of the mean would be 0 ± 2: 1e16 has no digit for it."""
    x = ag.Variable(1e8 + np.array([0.0, 1.0, 2.0]))
    z = np.var(x)
    np.testing.assert_allclose(z.data, 2 / 3, rtol=1e-15)
    np.testing.assert_allclose(ag.gradients(z, x), [-2 / 3, 0, 2 / 3], rtol=1e-15)
    deviation = math.sqrt(2 / 3)
    expected = [-1 / (3 * deviation), 0, 1 / (3 * deviation)]
    np.testing.assert_allclose(ag.gradients(np.std(x), x), expected, rtol=1e-15)


@pytest.mark.parametrize("function", [np.prod, lambda x: np.cumprod(x)[-1]])
def test_product_without_division(function):
    """Exact with zeros and with entries whose own reciprocal is not a float."""
    x = ag.Variable([2.0, 0.0, 1e-310, 1e300])
    slope = ag.gradients(function(x), x)
    np.testing.assert_allclose(slope, [0, 2 * 1e-310 * 1e300, 0, 0], rtol=1e-15)


@pytest.mark.parametrize("function", [np.prod, lambda x: np.cumprod(x)[1:]])
def test_product_with_0_of_numbers_whose_own_product_overflows(function):
    x = ag.Variable([0.0, 3.0, 1e200, 1e200])
    with np.errstate(over="ignore"):  # the slope for the 0 truly does
        assert ag.gradients(np.sum(function(x)), x).tolist() == [np.inf, 0, 0, 0]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.select([x > 1, x > 0], [x, 1.0], 0.0),
        lambda x: np.max(x, initial=np.float64(0), where=np.array([True, False])),
        lambda x: np.linalg.norm(x, np.float64(3)),
        lambda x: np.nan_to_num(x, nan=np.float64(1)),
        lambda x: np.cov(x, dtype=np.float32),
        lambda x: np.cov(x, fweights=[1, 2], dtype=np.float32),
        lambda x: np.cov(x, aweights=[1.0, 2.0], dtype=np.float32),
        lambda x: np.corrcoef(np.stack([x, x[::-1]]), dtype=np.float32),
        lambda x: np.average(np.ones(2, np.int8), weights=x),
    ],
)
def test_dtype_is_that_of_numpy(call):
    x = np.array([1.0, 2.0], np.float32)
    z, expected = call(ag.Variable(x)), call(x)
    assert z.dtype == expected.dtype
    np.testing.assert_allclose(z.data, expected, rtol=1e-6)


def test_mean_of_more_numbers_than_float16_can_count():
    x = ag.Variable(np.ones(100_000, np.float16))
    np.testing.assert_array_equal(ag.gradients(np.mean(x), x), np.float16(1e-5))


def test_cumulative_product_costs_no_quadratic_memory():
    """A matrix of all pairs would take 80 GB here."""
    x = ag.Variable(np.ones(100_000))
    slope = ag.gradients(np.sum(np.cumprod(x)), x)
    np.testing.assert_array_equal(slope, np.arange(100_000, 0, -1))


def test_a_masked_summand_has_no_gradient():
    x, y = ag.Variable([-np.inf, -1000.0, 1000.0]), ag.Variable([3.0, 1000.0, -1000.0])
    slopes = ag.gradients(np.sum(np.logaddexp(x, y)), [x, y])
    np.testing.assert_array_equal(slopes, [[0, 0, 1], [1, 1, 0]])


def test_nan_to_num_replaces_infinity_by_the_largest_number_of_the_dtype():
    x = ag.Variable(np.array([np.nan, np.inf, -np.inf], np.float32))
    z = np.nan_to_num(x)
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z.data, np.nan_to_num(x.data))


def test_sinc_with_the_textbook_derivative_would_fail():
    """The check of `sinc` above is sharp: (cos πx − sinc x)/x has no digits left at 1e-8."""
    x = 1e-8
    textbook = (np.cos(np.pi * x) - np.sinc(x)) / x
    exact = -(np.pi**2) * x / 3
    assert abs(textbook - exact) > 1e-2 * abs(exact)
