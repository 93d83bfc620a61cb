import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
import nn
from tests.nn.nn_checks import assert_derivatives, exactly

rows = hnp.arrays(
    float,
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6),
    elements=st.floats(-1000, 1000),
)


def exact_softmax(x):
    e = [entry.exp() for entry in x]
    return [entry / sum(e) for entry in e]


def gradient(function, x):
    v = ag.Variable(x)
    return ag.gradients(np.sum(function(v)), v)


# --- softmax, log_softmax, logsumexp --------------------------------------------------------------


def test_softmax_of_the_lecture():
    np.testing.assert_array_equal(nn.softmax([2.0, 1.0, 0.1]).round(1), [0.7, 0.2, 0.1])


def test_softmax_jacobian_of_the_lecture():
    d = ag.Variable([2.0, 1.0, 0.1])
    e = nn.softmax(d)
    jacobian = [ag.gradients(e, d, cotangent=row) for row in np.eye(3)]
    y = e.data
    np.testing.assert_allclose(jacobian, y[:, None] * (np.eye(3) - y), rtol=1e-14)


@pytest.mark.parametrize(
    "x",
    [[1000.0, 0.0, -1000.0], [-1000.0, -1000.5, -999.0], [1000.0, 999.0, 1000.0], [300.0, -300.0]],
)
def test_softmax_and_its_kin_far_out_are_exact(x):
    softmax = exactly(exact_softmax, x)
    np.testing.assert_allclose(nn.softmax(x), softmax, rtol=1e-15)
    logsumexp = exactly(lambda a: sum(entry.exp() for entry in a).ln(), x)
    np.testing.assert_allclose(nn.logsumexp(x), logsumexp, rtol=1e-15)
    logs = exactly(lambda a: [entry.ln() for entry in exact_softmax(a)], x)
    # near 0 a sum of exponentials near 1 has been rounded: exact to rounding of 1, not of itself
    np.testing.assert_allclose(nn.log_softmax(x), logs, rtol=1e-15, atol=2e-16)
    np.testing.assert_allclose(gradient(nn.logsumexp, np.array(x)), softmax, rtol=1e-15)


@given(rows)
def test_softmax_is_a_distribution(x):
    z = nn.softmax(x)
    assert (z >= 0).all()
    # at most 6 terms, each rounded twice
    np.testing.assert_allclose(z.sum(axis=-1), 1, rtol=6 * 2.3e-16)


@given(rows, st.integers(-1000, 1000))
def test_a_shift_changes_neither_softmax_nor_differences_of_logs(x, shift):
    x = np.round(x, 3)
    # shifting rounds the entries by up to half a unit in the last place of 2000: 1.2e-13 each
    # (and the smallest of numbers have few digits)
    np.testing.assert_allclose(nn.softmax(x + shift), nn.softmax(x), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(nn.log_softmax(x + shift), nn.log_softmax(x), rtol=0, atol=1e-12)
    np.testing.assert_allclose(nn.logsumexp(x + shift), nn.logsumexp(x) + shift, atol=1e-12)


@given(rows)
def test_logsumexp_lies_between_the_maximum_and_log_n_above_it(x):
    z, top, n = nn.logsumexp(x), x.max(axis=-1), x.shape[-1]
    assert (z >= top).all()
    assert (z <= top + np.log(n) + 1e-12).all()


def test_logsumexp_of_equal_entries_is_log_n_above_them():
    np.testing.assert_allclose(nn.logsumexp(np.full((2, 7), 5.0)), 5 + np.log(7), rtol=1e-15)


def test_logsumexp_takes_numpys_axis_and_keepdims():
    x = np.arange(6.0).reshape(2, 3)
    assert nn.logsumexp(x).shape == (2,)
    assert nn.logsumexp(x, axis=0).shape == (3,)
    assert nn.logsumexp(ag.Variable(x), axis=0, keepdims=True).shape == (1, 3)
    np.testing.assert_allclose(nn.logsumexp(x, axis=0), np.log(np.exp(x).sum(axis=0)), rtol=1e-15)
    np.testing.assert_array_equal(nn.softmax(x, axis=0), nn.softmax(x.T).T)
    np.testing.assert_array_equal(nn.Softmax(axis=0)(x), nn.softmax(x, axis=0))


@pytest.mark.parametrize("function", [nn.softmax, nn.log_softmax, nn.logsumexp])
def test_a_masked_entry_is_as_if_it_were_not_there(function):
    kept = np.array([0, 2, 3])
    x = np.array([[1.0, -np.inf, 2.0, -1000.0], [1000.0, -np.inf, 0.0, 0.5]])
    without = function(x[:, kept])
    z = function(x)
    np.testing.assert_array_equal(z[:, kept] if z.ndim > 1 else z, without)
    if function is not nn.log_softmax:  # whose −∞ entry cannot be summed
        g = gradient(lambda v: function(v)[..., 0], x)
        np.testing.assert_array_equal(g[:, 1], 0.0)
        np.testing.assert_array_equal(
            g[:, kept], gradient(lambda v: function(v)[..., 0], x[:, kept])
        )


def test_derivatives_through_a_mask_are_exact_zeros_to_second_order():
    x = ag.Variable([0.5, -np.inf, -0.5])
    for z in (nn.softmax(x)[0], nn.log_softmax(x)[0], nn.logsumexp(x)):
        first = ag.gradients(z, x, create_graph=True)
        assert first.data[1] == 0.0
        second = ag.gradients(np.sum(first * np.array([1.0, 2.0, 3.0])), x)
        assert second[1] == 0.0
        assert np.isfinite(second).all()


def test_a_row_of_masks_gives_zeros_and_minus_infinity():
    x = np.array([[-np.inf, -np.inf], [0.0, 0.0]])
    np.testing.assert_array_equal(nn.softmax(x), [[0, 0], [0.5, 0.5]])
    np.testing.assert_array_equal(nn.logsumexp(x), [-np.inf, np.log(2)])
    np.testing.assert_array_equal(nn.log_softmax(x)[0], [-np.inf, -np.inf])
    np.testing.assert_array_equal(gradient(nn.logsumexp, x), [[0, 0], [0.5, 0.5]])
    np.testing.assert_array_equal(
        gradient(lambda v: nn.softmax(v)[:, 0], x), [[0, 0], [0.25, -0.25]]
    )


@pytest.mark.parametrize("tracked", [False, True])
def test_logsumexp_of_no_entries_is_minus_infinity(tracked):
    """The logarithm of an empty sum; SciPy's logsumexp says the same."""
    x = ag.Variable(np.zeros((3, 0)), requires_grad=tracked)
    np.testing.assert_array_equal(nn.logsumexp(x).data, [-np.inf] * 3)
    np.testing.assert_array_equal(nn.logsumexp(x.data, keepdims=True), [[-np.inf]] * 3)
    assert nn.logsumexp(x, axis=0).shape == (0,)
    assert nn.softmax(x).shape == nn.log_softmax(x).shape == (3, 0)
    if tracked:
        assert gradient(nn.logsumexp, x.data).shape == (3, 0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_logsumexp_with_infinity_is_infinity(dtype):
    x = np.array([[np.inf, 3, -np.inf], [np.inf, np.inf, 5], [0, 0, -np.inf]], dtype)
    z = nn.logsumexp(ag.Variable(x))
    assert z.dtype == dtype
    np.testing.assert_array_equal(z.data, np.array([np.inf, np.inf, np.log(dtype(2))]))
    assert nn.logsumexp(x[0]) == np.inf


def test_derivatives_do_not_depend_on_ties_for_the_maximum():
    assert_derivatives(nn.softmax, np.zeros((2, 3)))
    assert_derivatives(nn.logsumexp, np.zeros((2, 3)))


def test_the_shift_is_recorded_so_that_a_replay_finds_its_own_maximum():
    x = ag.Variable([1.0, 3.0])
    z = nn.softmax(x)
    names = [v.operation.name for v in ag.tape() if v.number > x.number]
    assert "max" in names
    assert "detach" in names
    assert z.requires_grad


@pytest.mark.parametrize("axis", [(0, 1), None, 1, -2])
def test_an_axis_is_what_it_is_to_numpy_s_reductions(axis):
    x = np.array([[0.5, -1.0, 2.0], [0.0, 1.0, -0.5]])
    e = np.exp(x)
    total = e.sum(axis=axis, keepdims=True)
    np.testing.assert_allclose(nn.softmax(x, axis), e / total, rtol=1e-14)
    np.testing.assert_allclose(nn.log_softmax(x, axis), np.log(e / total), rtol=1e-14)
    np.testing.assert_allclose(nn.logsumexp(x, axis, keepdims=True), np.log(total), rtol=1e-14)


@pytest.mark.parametrize("axis", [0, -1])
def test_a_number_has_an_axis(axis):
    assert nn.softmax(3.0, axis) == 1
    assert nn.log_softmax(3.0, axis) == 0
    assert nn.logsumexp(3.0, axis) == 3


@pytest.mark.parametrize("axis", [2, -3, (0, 2)])
@pytest.mark.parametrize("function", [nn.softmax, nn.log_softmax, nn.logsumexp])
def test_an_axis_that_is_not_there_is_refused(function, axis):
    with pytest.raises(np.exceptions.AxisError, match=f"^{function.__name__}: axis"):
        function(np.ones((2, 3)), axis)
