"""Slopes by differences: right within their stated error, and honest about kinks and noise."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd_lite.finite_differences import (
    EPSILON,
    central_differences,
    ladder,
    rounding_tolerance,
    slopes,
)


def slope_of(f, x):
    with np.errstate(all="ignore"):
        return slopes(lambda a: np.atleast_1d(f(a[0])), np.array([float(x)]), np.array([1.0]))


EVERYWHERE = [0.0, 1e-12, 1e-8, -1e-3, 0.5, 3.0, -1e3, 1e6, 1e8]
POSITIVE = [1e-300, 1e-12, 1e-9, 1.0, 1e8, 1e100]

# name, f, its slope, where
SMOOTH = [
    ("sin", np.sin, np.cos, EVERYWHERE),
    ("cos", np.cos, lambda x: -np.sin(x), EVERYWHERE),
    ("arctan", np.arctan, lambda x: 1 / (1 + x * x), EVERYWHERE),
    ("x²", np.square, lambda x: 2 * x, EVERYWHERE),
    ("x³", lambda x: x * x * x, lambda x: 3 * x * x, EVERYWHERE),
    ("exp", np.exp, np.exp, [-700.0, -20.0, 0.0, 1.0, 20.0, 700.0]),
    ("log", np.log, lambda x: 1 / x, POSITIVE),
    ("sqrt", np.sqrt, lambda x: 0.5 / np.sqrt(x), POSITIVE[1:]),
    ("1/x", np.reciprocal, lambda x: -(x**-2.0), POSITIVE[1:]),
    ("|x|^1.5 at 0", lambda x: np.abs(x) ** 1.5, lambda x: 0.0, [0.0]),
    ("a constant", lambda x: 3.0 + 0 * x, lambda x: 0.0, EVERYWHERE),
]


@pytest.mark.parametrize(
    ("f", "exact", "x"),
    [pytest.param(f, e, x, id=f"{name} at {x:g}") for name, f, e, xs in SMOOTH for x in xs],
)
def test_slope_is_within_its_error_and_the_error_is_small(f, exact, x):
    s = slope_of(f, x)
    slope = exact(x)
    assert s.finite[0]
    assert not s.kink[0]
    assert abs(s.value[0] - slope) <= s.error[0] + 4 * EPSILON * abs(slope)
    # nine digits, or as many as f's own rounding leaves: ε·f over the steps used, times safety
    assert s.error[0] <= 1e-9 * abs(slope) + 512 * EPSILON * abs(f(x)) + 1e-20


# functions whose steps are easy to get wrong
TRAPS = [
    ("a bump far narrower than the step", lambda x: np.exp(-((1e4 * x) ** 2)), 5e-5, -7788.0078307),
    ("a wave whose period divides the step", lambda x: np.sin(16 * np.pi * x), 0.0, 16 * np.pi),
    ("a fast wave", lambda x: np.sin(1e6 * x), 1.0, 1e6 * np.cos(1e6)),
    ("a smooth corner", lambda x: np.sqrt(x * x + 1e-16), 0.0, 0.0),
    ("a smooth corner on a pedestal", lambda x: 1 + np.sqrt(x * x + 1e-12), 0.0, 0.0),
    ("just beside a kink", lambda x: np.maximum(x, 0), 1e-6, 1.0),
    ("on the plateau of a stair", lambda x: np.floor(8 * x) / 8, 0.55, 0.0),
    ("past overflow on one side", lambda x: np.exp(x + 709), 0.0, np.exp(709.0)),
]


@pytest.mark.parametrize(("f", "x", "exact"), [pytest.param(*row, id=name) for name, *row in TRAPS])
def test_traps(f, x, exact):
    s = slope_of(f, x)
    assert not s.kink[0]
    np.testing.assert_allclose(s.value[0], exact, rtol=1e-8, atol=1e-8)
    assert abs(s.value[0] - exact) <= s.error[0] + 1e-8 * abs(exact)  # digits written above


@pytest.mark.parametrize("x", [0.0, 1.0])
@pytest.mark.parametrize("large", [1e4, 1e6, 1e8])
def test_noise_within_the_function_is_seen(large, x):
    s = slope_of(lambda x: (x + large) - large, x)
    assert abs(s.value[0] - 1) <= s.error[0]
    # a rounding of `large` over the longest steps, not over the shortest
    assert EPSILON * large / 10 <= s.error[0] <= 100 * EPSILON * large


def test_noise_of_float32_within_the_function_is_seen():
    s = slope_of(lambda x: np.float64(np.float32(np.sin(x))), 0.5)
    assert abs(s.value[0] - np.cos(0.5)) <= s.error[0] <= 1e-5
    assert not s.kink[0]


KINKS = [
    ("abs", np.abs, 0.0, -1, 1),
    ("relu", lambda x: np.maximum(x, 0), 0.0, 0, 1),
    ("relu just below 0", lambda x: np.maximum(x, 0), -1e-15, 0, 1),
    ("a small kink on a curve", lambda x: np.sin(x) + 1e-3 * abs(x - 0.7), 0.7, None, None),
    ("a kink on a pedestal", lambda x: 1 + np.abs(x - 0.3), 0.3, -1, 1),
    ("floor", np.floor, 3.0, np.inf, 0),
    ("floor on a pedestal", lambda x: 1e9 + np.floor(x), 2.0, np.inf, 0),
    ("round", np.round, 0.5, 0, np.inf),
    ("sign", np.sign, 0.0, np.inf, np.inf),
    ("the square root of |x|", lambda x: np.sqrt(np.abs(x)), 0.0, -np.inf, np.inf),
    ("the cube root", np.cbrt, 0.0, np.inf, np.inf),
]


@pytest.mark.parametrize(
    ("f", "x", "below", "above"), [pytest.param(*row, id=name) for name, *row in KINKS]
)
def test_kinks_are_told_with_both_slopes(f, x, below, above):
    s = slope_of(f, x)
    assert s.kink[0]
    if below is None:
        below, above = np.cos(x) - 1e-3, np.cos(x) + 1e-3
    # one-sided differences lose half of the digits of their step
    np.testing.assert_allclose([s.below[0], s.above[0]], [below, above], rtol=1e-6)


@pytest.mark.parametrize("f", [np.log, np.sqrt, lambda x: x**1.5, lambda x: 1 / x])
def test_end_of_the_domain_is_not_finite(f):
    s = slope_of(f, 0.0)
    assert not s.finite[0]
    assert not s.kink[0]
    assert np.isnan(s.value[0])
    assert s.error[0] == np.inf


@given(
    st.lists(st.floats(-2, 2), min_size=7, max_size=7),
    st.floats(-3, 3),
    st.floats(-8, 3).map(lambda e: 10.0**e),
)
def test_random_smooth_functions_have_no_kinks(c, x, scale):
    def f(x):
        t = x / scale
        return c[0] + c[1] * np.sin(c[2] * t) + c[3] * np.exp(-(t**2)) + c[4] * np.tanh(c[5] * t)

    terms = abs(c[1]) + abs(c[3]) + abs(c[4])
    # or it is lost in the rounding of the pedestal, and long steps tell of a constant; and numbers
    # next to the smallest there are have few digits
    assume(terms == 0 or terms >= max(1e-9 * abs(c[0]), 1e-290))
    t = x
    exact = (
        c[1] * c[2] * np.cos(c[2] * t)
        - 2 * t * c[3] * np.exp(-(t**2))
        + c[4] * c[5] / np.cosh(c[5] * t) ** 2
    ) / scale
    s = slope_of(f, x * scale)
    assert not s.kink[0]
    # the rounding of x/scale and of the terms is no part of the error stated
    assert abs(s.value[0] - exact) <= s.error[0] + 1e-12 * (abs(exact) + terms / scale)
    # a small wave on a pedestal: the pedestal's rounding, 6ε on either side, over a step of 1/40
    rounding = 480 * EPSILON * abs(f(x * scale)) / min(scale, 1)
    assert s.error[0] <= 1e-7 * terms / scale + rounding + 1e-300


def test_several_components_and_entries_at_once():
    x, v = np.array([0.0, 2.0]), np.array([1.0, -0.5])
    s = slopes(lambda a: np.array([np.abs(a[0]), a[0] * a[1], np.log(a[1])]), x, v)
    assert s.kink.tolist() == [True, False, False]
    np.testing.assert_allclose(s.value[1:], [2.0, -0.25], rtol=1e-12)


def test_many_components_are_read_in_stretches():
    weights = np.linspace(1, 2, 10_000)
    s = slopes(lambda a: weights * np.sin(a[0]), np.array([0.5]), np.array([1.0]))
    np.testing.assert_allclose(s.value, weights * np.cos(0.5), rtol=1e-12)


def test_noise_of_very_many_components_is_no_kink():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 50_000))

    def f(x):  # cancellation: the digits that are left are noise
        return np.tanh(a * x[0] + b) * (1 + 1e3 * b) - 1e3 * b * np.tanh(a * x[0] + b)

    s = slopes(f, np.array([0.3]), np.array([1.0]))
    assert not s.kink.any()


def test_constant_infinities_have_slope_zero():
    s = slopes(lambda a: np.array([-np.inf, a[0]]), np.array([1.0]), np.array([1.0]))
    assert s.finite.all()
    np.testing.assert_allclose(s.value, [0.0, 1.0])


def test_values_that_raise_beside_x_are_no_values():
    def f(a):
        if a[0] > 1.001:
            raise ValueError("outside")
        return a**2

    s = slopes(f, np.array([1.0]), np.array([1.0]))
    np.testing.assert_allclose(s.value, [2.0], rtol=1e-9)
    with pytest.raises(ValueError, match="outside"):
        slopes(f, np.array([1.1]), np.array([1.0]))


def test_steps_are_exact():
    for size in (1.0, 1e6, 1e8):
        h = ladder(size)
        moved = size + h
        assert np.array_equal(moved - size, h)


def test_x_is_left_alone():
    x = np.array([1.0, 2.0])
    slopes(np.sin, x, np.ones(2))
    assert x.tolist() == [1.0, 2.0]
    central_differences(lambda a: float(np.sum(a)), x, np.arange(2), np.ones(2))
    assert x.tolist() == [1.0, 2.0]


def test_quick_differences():
    found = central_differences(
        lambda a: float(np.sum(np.sin(a))), np.array([0.5, 1e6]), np.arange(2), np.zeros(2)
    )
    np.testing.assert_allclose(found, np.cos([0.5, 1e6]), rtol=1e-6)


def test_quick_differences_that_are_in_doubt_go_to_the_ladder():
    x = np.array([1e-9, 0.0, 3.0])  # a step over the end of the domain, at it, and far from it

    def f(a):
        if a[2] != 3:
            raise ValueError("no neighbours")
        return float(np.log(a[0]) + np.sqrt(a[1]))

    found = central_differences(f, x, np.arange(3), np.array([1e9, np.inf, 5.0]))
    np.testing.assert_allclose(found, [1e9, np.nan, np.nan], rtol=1e-9)


def test_wrong_doubts_cost_little_and_change_nothing():
    calls = []

    def f(a):
        calls.append(1)
        return float(np.sum(np.sin(a)))

    x = np.linspace(0, 2, 5)
    found = central_differences(f, x, np.arange(5), 7 * np.cos(x))
    assert len(calls) == 4 * 5
    np.testing.assert_allclose(found, np.cos(x), rtol=1e-9)


def test_tolerance_follows_the_dtype():
    assert [rounding_tolerance(np.dtype(d)) for d in ("f2", "f4", "f8")] == [1e-2, 1e-4, 1e-9]
