"""Initialisers: their distributions, shapes, and that a generator decides every bit."""

from functools import partial

import numpy as np
import pytest

import nn
from nn import initialisers

VARIANCES = {
    "glorot_uniform": lambda inputs, outputs: 2 / (inputs + outputs),
    "glorot_normal": lambda inputs, outputs: 2 / (inputs + outputs),
    "he_uniform": lambda inputs, outputs: 2 / inputs,
    "he_normal": lambda inputs, outputs: 2 / inputs,
    "lecun_uniform": lambda inputs, outputs: 1 / inputs,
    "lecun_normal": lambda inputs, outputs: 1 / inputs,
}
RANDOM = [*VARIANCES, "orthogonal"]
each_shape = pytest.mark.parametrize(
    ("shape", "inputs", "outputs"),
    [((300, 200), 300, 200), ((40, 30, 5, 6), 30 * 30, 40 * 30), ((50, 120, 9), 120 * 9, 50 * 9)],
)


def named(name):
    return getattr(initialisers, name)


@each_shape
@pytest.mark.parametrize("name", VARIANCES)
def test_the_distribution(name, shape, inputs, outputs):
    drawn = named(name)(shape, np.random.default_rng(0))
    assert drawn.shape == shape
    assert initialisers.fans(shape) == (inputs, outputs)
    variance = VARIANCES[name](inputs, outputs)
    # of 36000 draws or more: the mean's deviation is 0.005 of one, that of the variance 0.008
    assert abs(drawn.mean()) < 0.025 * variance**0.5
    assert drawn.var() == pytest.approx(variance, rel=0.035)
    limit = (3 * variance) ** 0.5
    if name.endswith("uniform"):
        assert 0.999 * limit < abs(drawn).max() <= limit
    else:  # of a normal distribution, 8.3 % lie beyond √3 deviations
        assert np.mean(abs(drawn) > limit) == pytest.approx(0.0833, abs=0.01)


@pytest.mark.parametrize("name", RANDOM)
def test_the_generator_decides_every_bit(name):
    def draw(seed, **settings):
        return named(name)((7, 5), np.random.default_rng(seed), **settings)

    first = draw(3)
    np.testing.assert_array_equal(first, draw(3))
    assert not np.array_equal(first, draw(4))
    single = draw(3, dtype=np.float32)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, first.astype(np.float32))
    assert first.flags.writeable


def test_one_generator_goes_on():
    rng = np.random.default_rng(0)
    W1, W2 = initialisers.he_normal((3, 2), rng), initialisers.he_normal((3, 2), rng)
    assert not np.array_equal(W1, W2)


@pytest.mark.parametrize("dtype", [float, np.float32])
def test_fully_connected_starts_with_glorot_uniform(dtype):
    """To the last bit of the paper's √(6 / (inputs + outputs)), so that results do not move."""
    for inputs, outputs in [(1, 1), (2, 3), (3, 2), (10, 10), (784, 10), (13, 29)]:
        limit = np.sqrt(6 / (inputs + outputs))
        expected = np.random.default_rng(5).uniform(-limit, limit, (inputs, outputs)).astype(dtype)
        layer = nn.FullyConnected(inputs, outputs, np.random.default_rng(5), dtype=dtype)
        drawn = initialisers.glorot_uniform((inputs, outputs), np.random.default_rng(5), dtype)
        np.testing.assert_array_equal(layer.weight.data, expected)
        np.testing.assert_array_equal(drawn, expected)


@pytest.mark.parametrize("name", ["he_uniform", "he_normal"])
def test_he_knows_the_slope_of_a_leaky_rectifier(name):
    flat = named(name)((20, 10), np.random.default_rng(0))
    leaky = named(name)((20, 10), np.random.default_rng(0), slope=3.0)
    # a uniform number near 0 is a difference of numbers near the limit
    np.testing.assert_allclose(leaky, flat / 10**0.5, rtol=1e-14, atol=1e-15)


def test_he_keeps_the_size_of_signals_through_rectifiers():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 300))
    slope = 0.2
    for _ in range(20):
        x = x @ initialisers.he_normal((300, 300), rng, slope=slope)
        x = np.where(x > 0, x, slope * x)
    # 20 layers, each with a deviation of a few hundredths; it is 2.2 if the slope is forgotten
    assert np.mean(x**2) == pytest.approx(1, rel=0.4)


@pytest.mark.parametrize(
    ("shape", "matrix"),
    [
        ((5, 5), (5, 5)),
        ((7, 3), (7, 3)),
        ((3, 7), (3, 7)),
        ((4, 3, 2, 2), (4, 12)),
        ((1, 1), (1, 1)),
    ],
)
def test_orthogonal_has_orthonormal_columns_or_rows(shape, matrix):
    Q = initialisers.orthogonal(shape, np.random.default_rng(0), gain=2.0)
    assert Q.shape == shape
    Q = Q.reshape(matrix) / 2
    rows, columns = matrix
    product = Q.T @ Q if rows >= columns else Q @ Q.T
    np.testing.assert_allclose(product, np.eye(min(matrix)), atol=1e-14)


def test_all_orthogonal_matrices_are_equally_likely():
    """Without the signs of R, the first entry of Q is never positive."""
    rng = np.random.default_rng(0)
    drawn = np.array([initialisers.orthogonal((2, 2), rng) for _ in range(4000)])
    # ±: 4000 throws of a coin deviate by 0.008; the angle is uniform: E q⁴ = 3/8, by 0.006
    np.testing.assert_allclose((drawn > 0).mean(axis=0), 0.5, atol=0.04)
    np.testing.assert_allclose((drawn**4).mean(axis=0), 3 / 8, atol=0.03)
    assert np.linalg.det(drawn).mean() == pytest.approx(0, abs=0.08)


def test_constants():
    np.testing.assert_array_equal(initialisers.zeros((2, 3)), np.zeros((2, 3)))
    assert initialisers.zeros(4, dtype=np.float32).dtype == np.float32
    np.testing.assert_array_equal(initialisers.constant((2,), value=0.5), [0.5, 0.5])
    # called as the others are
    start = partial(initialisers.constant, value=1)
    ones = start((2, 2), np.random.default_rng(0), np.float32)
    np.testing.assert_array_equal(ones, np.ones((2, 2), np.float32))
    assert ones.dtype == np.float32


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize(
    ("shape", "rng", "settings", "kind", "message"),
    [
        ((3,), 0, {}, ValueError, r"the shape of a weight has two axes or more, received \(3,\)"),
        ((3, 0), 0, {}, ValueError, r"sizes are at least 1, received \(3, 0\)"),
        ((3, 2.5), 0, {}, TypeError, r"a shape is whole numbers, received \(3, 2.5\)"),
        (
            (3, 2),
            0,
            {},
            TypeError,
            "rng must be a numpy.random.Generator, received int 0; pass for",
        ),
        ((3, 2), None, {}, TypeError, "rng must be a numpy.random.Generator, received None"),
        (
            (3, 2),
            np.random.default_rng(0),
            {"dtype": int},
            TypeError,
            "parameters are floating point, received dtype int64; pass float",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(name, shape, rng, settings, kind, message):
    with pytest.raises(kind, match=message):
        named(name)(shape, rng, **settings)


def test_a_slope_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="the slope must be a finite number, received: nan"):
        initialisers.he_normal((2, 2), np.random.default_rng(0), slope=np.nan)


def test_settings_that_are_no_finite_numbers_are_refused():
    rng = np.random.default_rng(0)
    for asked, make in [
        ("the slope", lambda x: initialisers.he_normal((2, 2), rng, slope=x)),
        ("the gain", lambda x: initialisers.orthogonal((2, 2), rng, gain=x)),
        ("the value", lambda x: initialisers.constant(2, value=x)),
    ]:
        for value, error in ((np.nan, ValueError), (np.inf, ValueError), ("a", TypeError)):
            message = f"^initialisers: {asked} must be a finite number, received: {value!r}"
            with pytest.raises(error, match=message):
                make(value)
