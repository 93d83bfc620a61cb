"""Gradients of products whose parts overflow or vanish on the way, against exact fractions."""

from fractions import Fraction

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.rules.scaled import in_range

# of some values, and where the slope truly is infinite
pytestmark = pytest.mark.filterwarnings("ignore:overflow")

NUMBERS = [
    [1e-300, 1.0, 1e200, 1e200],  # the product of the last two is no float, the whole one is
    [1e200, 1e100, -1e-200, 1e-200],  # the last two vanish together
    [1e-300, 1e300, 1e300, 1e-300, 2.0],
    [1e-200, 0.0, 1e200, 1e150, 3.0],
    [1e-300, 0.0, 0.0, 1e300, 1e300],
    [1e-300, -1e-300, 1e-300, 1e300, 1e300, 1e300],
    [1e-320, 1e200, 1e200],  # a subnormal number
    [2.0, 3.0, 0.5, -1.0],
    [2.0, 0.0, 3.0, 4.0],
]


def exact_gradient(numbers, weights):
    """∂/∂xᵢ of Σ wₖ·x₀…xₖ: the products of all others, in fractions."""
    x = [Fraction(float(n)) for n in numbers]
    result = []
    for i in range(len(x)):
        product, total = Fraction(1), Fraction(0)
        for k, factor in enumerate(x):
            product *= 1 if k == i else factor
            total += Fraction(float(weights[k])) * product if k >= i else 0
        result.append(as_float(total))
    return result


def as_float(number):
    try:
        return float(number)
    except OverflowError:
        return np.inf if number > 0 else -np.inf


@pytest.mark.parametrize("numbers", NUMBERS, ids=str)
@pytest.mark.parametrize("create_graph", [False, True], ids=["plain", "recorded"])
def test_of_products(numbers, create_graph):
    x = ag.Variable(numbers)
    last = [0.0] * (len(numbers) - 1) + [1.0]
    for function, weights, cotangent in (
        (np.cumprod, np.cos(np.arange(len(numbers))), np.cos(np.arange(len(numbers)))),
        (np.prod, last, None),
    ):
        slope = ag.gradients(function(x), x, cotangent, create_graph=create_graph)
        slope = slope.data if create_graph else slope
        # a rounding for each of a few factors
        np.testing.assert_allclose(slope, exact_gradient(numbers, weights), rtol=4e-15)


def test_nothing_is_lost_beside_a_zero_of_large_factors():
    """0·1e900 has an exponent of 3000, and is nothing to round a 1 away for."""
    x = ag.Variable([2.0, 1e300, 1e300, 1e300, 0.0])
    with np.errstate(invalid="ignore"):  # ∞·0, in the value
        z = np.cumprod(x)
    slope = ag.gradients(z, x, np.array([1.0, 0.0, 0.0, 0.0, 1.0]))
    assert slope.tolist() == [1, 0, 0, 0, np.inf]


@pytest.mark.parametrize("axis", [0, 1])
def test_along_an_axis(axis):
    rows = np.array([[1e-300, 1.0, 1e200, 1e200], [1.0, 2.0, 3.0, 4.0], [1e-200, 0, 1e200, 1e150]])
    x = ag.Variable(rows if axis else rows.T)
    z = np.cumprod(x, axis=axis)
    slope = ag.gradients(z, x, np.ones(z.shape))
    expected = np.array([exact_gradient(row, np.ones(4)) for row in rows])
    np.testing.assert_allclose(slope, expected if axis else expected.T, rtol=4e-15)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_in_narrow_dtypes(dtype):
    """In float16, 300·300 is infinite already."""
    small = {np.float16: [2**-10, 300, 300, 0.5], np.float32: [1e-30, 1e25, 1e25, 0.5]}[dtype]
    x = ag.Variable(np.array(small, dtype))
    slope = ag.gradients(np.prod(x), x)
    assert slope.dtype == dtype
    expected = np.array(exact_gradient(x.data, [0, 0, 0, 1]), float)
    np.testing.assert_allclose(slope, expected.astype(dtype), rtol=8 * np.finfo(dtype).eps)


def test_second_derivatives():
    """∂²(x₀x₁x₂x₃)/∂x₁∂xᵢ: the products of the two others."""
    x = ag.Variable([1e-300, 1.0, 1e200, 1e200])
    slope = ag.gradients(np.prod(x), x, create_graph=True)
    second = ag.gradients(slope[1], x)
    np.testing.assert_allclose(second, [np.inf, 0, 1e-100, 1e-100], rtol=4e-15)


def test_many_numbers():
    """Pairs have no range to leave: the product of the first half is 1e-5000."""
    numbers = np.repeat([1e-5, 1e5], 1000)
    x = ag.Variable(np.concatenate([numbers[:999], [1e-5], numbers[1000:]]))
    with np.errstate(under="ignore"):
        slope = ag.gradients(np.prod(x), x)
    np.testing.assert_allclose(slope, np.repeat([1e5, 1e-5], 1000), rtol=1e-11)


@pytest.mark.parametrize(
    ("numbers", "answer"),
    [
        ([2.0, 0.5], True),
        ([0.0, 1e100], True),
        ([], True),
        ([1e200, 1e200], False),
        ([1e-200, 1e200, 1e200], False),
        ([np.inf, 1.0], False),
        ([np.nan, 1.0], False),
    ],
)
def test_in_range(numbers, answer):
    assert in_range(np.array(numbers), 0) is answer
    assert not in_range(np.array([1.0, 1.0]), 0, np.array([np.inf, 1.0]))
