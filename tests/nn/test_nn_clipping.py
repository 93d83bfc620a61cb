"""Clipping: known answers, extreme sizes, and what is refused."""

import numpy as np
import pytest

import autograd_lite as ag
from nn.clipping import clip_gradients_by_norm, clip_gradients_by_value


def with_gradient(value, gradient, dtype=float):
    x = ag.Variable(np.array(value, dtype))
    x.grad = gradient
    return x


def test_a_norm_over_all_parameters_is_clipped():
    x, y, unused = with_gradient([1.0, 2.0], [6.0, 0.0]), with_gradient(1.0, -8.0), ag.Variable(1.0)
    assert clip_gradients_by_norm([x, y, unused], 5.0) == 10.0
    np.testing.assert_array_equal(x.grad, [3.0, 0.0])
    assert y.grad == -4.0
    assert unused.grad is None
    assert clip_gradients_by_norm(iter([x, y]), 5.0) == 5.0  # at the bound: as it is
    np.testing.assert_array_equal(x.grad, [3.0, 0.0])
    assert clip_gradients_by_norm([x, y], 6.0) == 5.0  # below it, too
    np.testing.assert_array_equal(x.grad, [3.0, 0.0])
    assert clip_gradients_by_norm(x, 1.0) == 3.0
    np.testing.assert_array_equal(x.grad, [1.0, 0.0])
    assert clip_gradients_by_norm(unused, 1.0) == 0.0
    assert clip_gradients_by_norm(with_gradient([1.0, 1.0], [0.0, 0.0]), 1.0) == 0.0


@pytest.mark.parametrize(
    ("dtype", "size", "largest"),
    [(float, 1e300, 2.0), (float, 1e-300, 1e-301), (np.float32, 1e38, 2e-3)],
)
def test_squares_do_not_overflow_or_vanish(dtype, size, largest):
    x = with_gradient(np.zeros(4), np.full(4, size), dtype)
    # float32 has 24 bits
    assert clip_gradients_by_norm(x, largest) == pytest.approx(2 * size, rel=1e-7)
    np.testing.assert_allclose(x.grad, np.full(4, largest / 2), rtol=1e-7)
    assert x.grad.dtype == dtype


def test_values_are_clipped():
    x = with_gradient([0.0, 0.0, 0.0, 0.0], [3.0, -0.5, -np.inf, np.inf], np.float32)
    clip_gradients_by_value(x, 1.0)
    np.testing.assert_array_equal(x.grad, np.array([1.0, -0.5, -1.0, 1.0], np.float32))
    clip_gradients_by_value(x, 1e300)  # more than float32 holds
    np.testing.assert_array_equal(x.grad, np.array([1.0, -0.5, -1.0, 1.0], np.float32))


def test_recorded_gradients_become_arrays():
    for clip in (clip_gradients_by_norm, clip_gradients_by_value):
        x = ag.Variable(3.0)
        (x**2).backward(create_graph=True)
        clip([x], 1.0)
        assert type(x.grad) is np.ndarray
        assert x.grad == 1.0


@pytest.mark.parametrize(
    ("clip", "entries", "message"),
    [
        (
            clip_gradients_by_norm,
            [1.0, np.nan],
            "of w has 1 of 2 entries that are not finite, the f",
        ),
        (clip_gradients_by_norm, [-np.inf, 0.0], r"not finite, the first at index \(0,\); lower"),
        (clip_gradients_by_value, [1.0, np.nan], r"that are NaN, the first at index \(1,\); lower"),
        (clip_gradients_by_norm, [1.5e308, 1.5e308], "norm of the gradients is more than a float"),
    ],
)
def test_gradients_that_are_not_finite_are_reported(clip, entries, message):
    good, w = with_gradient(0.0, 9.0), with_gradient([0.0, 0.0], entries)
    w.name = "w"
    with pytest.raises(FloatingPointError, match=message):
        clip([good, w], 1.0)
    assert good.grad == 9.0
    np.testing.assert_array_equal(w.grad, entries)


def test_a_scalar_that_is_not_finite_has_no_index():
    with pytest.raises(FloatingPointError, match="has 1 of 1 entries that are not finite; lower"):
        clip_gradients_by_norm(with_gradient(0.0, np.nan), 1.0)


@pytest.mark.parametrize("clip", [clip_gradients_by_norm, clip_gradients_by_value])
def test_bad_bounds_and_parameters_are_refused(clip):
    for bound in (0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"{clip.__name__}: the bound must be a positive numb"):
            clip([ag.Variable(1.0)], bound)
    for bound in ("a", None, np.array([1.0, 2.0])):
        with pytest.raises(TypeError, match="the bound must be a positive number, received: "):
            clip([ag.Variable(1.0)], bound)
    with pytest.raises(TypeError, match="parameter 0 is a float64 array of shape"):
        clip([np.ones(2)], 1.0)


def test_a_parameter_that_is_given_twice_would_count_twice():
    x = ag.Variable([3.0, 4.0])
    (x**2).sum().backward()
    before = np.array(x.grad)
    for clip in (clip_gradients_by_norm, clip_gradients_by_value):
        with pytest.raises(ValueError, match=r"parameter 1, .*, was given twice and would count"):
            clip([x, x], 1.0)
    np.testing.assert_array_equal(x.grad, before)
