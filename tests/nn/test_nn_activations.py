from pathlib import Path

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
POINTS = np.random.default_rng(3).uniform(-2, 2, (3, 4))


def exact_sigmoid(x):
    return 1 / (1 + (-x).exp())


def exact_softmax(x):
    e = [entry.exp() for entry in x]
    return [entry / sum(e) for entry in e]


def gradient(function, x):
    v = ag.Variable(x)
    return ag.gradients(np.sum(function(v)), v)


# --- sigmoid --------------------------------------------------------------------------------------


def test_sigmoid_keeps_its_digits_in_both_tails():
    x = np.linspace(-700, 1000, 171)
    expected = [exactly(exact_sigmoid, entry) for entry in x]
    # exp is good to one unit in the last place, and two more roundings follow
    np.testing.assert_allclose(nn.sigmoid(x), expected, rtol=1e-15)


def test_sigmoid_slope_keeps_its_digits_in_both_tails():
    x = np.linspace(-350, 700, 211)
    expected = [exactly(lambda a: exact_sigmoid(a) * exact_sigmoid(-a), entry) for entry in x]
    np.testing.assert_allclose(gradient(nn.sigmoid, x), expected, rtol=2e-15)


def test_sigmoid_saturates_without_warning():
    x = np.array([-np.inf, -1e308, -1000.0, 1000.0, 1e308, np.inf])
    np.testing.assert_allclose(nn.sigmoid(x), [0, 0, 0, 1, 1, 1], rtol=0, atol=1e-300)
    np.testing.assert_array_equal(gradient(nn.sigmoid, x), 0.0)


def test_sigmoid_derivatives_at_zero_are_the_known_ones():
    x = ag.Variable(0.0)
    derivatives = [nn.sigmoid(x)]
    for _ in range(3):
        derivatives.append(ag.gradients(derivatives[-1], x, create_graph=True))
    assert [d.item() for d in derivatives] == [1 / 2, 1 / 4, 0, -1 / 8]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "function", [nn.sigmoid, nn.relu, nn.softmax, nn.log_softmax, nn.logsumexp]
)
def test_dtype_in_is_dtype_out(function, dtype):
    x = np.array([-1000.0, -1.0, 0.0, 1.0, 1000.0], dtype)
    z = function(ag.Variable(x))
    assert z.dtype == dtype
    assert gradient(function, x).dtype == dtype
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(z.data, function(x.astype(float)), rtol=tolerance, atol=tolerance)


# --- relu, tanh -----------------------------------------------------------------------------------


def test_relu_and_its_slope_which_is_zero_at_the_kink():
    x = np.array([-1000.0, -1e-300, 0.0, 1e-300, 1000.0])
    np.testing.assert_array_equal(nn.relu(x), [0, 0, 0, 1e-300, 1000])
    np.testing.assert_array_equal(gradient(nn.relu, x), [0, 0, 0, 1, 1])


def test_tanh_layer_keeps_the_slope_in_the_tails():
    x = ag.Variable([-300.0, 0.0, 300.0])
    nn.Tanh()(x).sum().backward()
    tail = exactly(lambda a: 4 * (-2 * a).exp(), 300)  # 1/cosh² x, but for a factor of 1 + e^−600
    np.testing.assert_allclose(x.grad, [tail, 1, tail], rtol=1e-14)


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


def test_nan_stays_nan():
    assert np.isnan(nn.softmax([np.nan, 0.0])).all()
    assert np.isnan(nn.logsumexp([np.nan, 0.0]))
    assert np.isnan(nn.sigmoid(np.nan))
    assert np.isnan(nn.relu(np.nan))


# --- derivatives, kinds of arguments --------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        nn.sigmoid,
        nn.relu,
        nn.softmax,
        lambda x: nn.softmax(x, axis=0),
        nn.log_softmax,
        lambda x: nn.log_softmax(x, axis=0),
        nn.logsumexp,
        lambda x: nn.logsumexp(x, axis=0, keepdims=True),
    ],
)
def test_derivatives_to_second_order(function):
    assert_derivatives(function, POINTS)


def test_derivatives_do_not_depend_on_ties_for_the_maximum():
    assert_derivatives(nn.softmax, np.zeros((2, 3)))
    assert_derivatives(nn.logsumexp, np.zeros((2, 3)))


@pytest.mark.parametrize(
    "function", [nn.sigmoid, nn.relu, nn.softmax, nn.log_softmax, nn.logsumexp]
)
def test_arrays_lists_and_integers_give_arrays(function):
    expected = function(np.array([1.0, 2.0, 4.0]))
    assert isinstance(expected, np.ndarray | np.floating)
    for x in ([1.0, 2.0, 4.0], [1, 2, 4], np.array([1, 2, 4], np.uint8)):
        np.testing.assert_array_equal(function(x), expected)
    np.testing.assert_array_equal(function(ag.Variable([1.0, 2.0, 4.0])).data, expected)


@pytest.mark.parametrize("function", [nn.sigmoid, nn.softmax, nn.log_softmax, nn.logsumexp])
@pytest.mark.parametrize("x", [np.array([1j]), np.array(["a"])])
def test_what_is_not_real_is_refused(function, x):
    with pytest.raises(TypeError, match=r"nn: expected real numbers, received: .* array of shape"):
        function(x)


def test_layers_are_their_functions():
    for layer, function in [
        (nn.Sigmoid(), nn.sigmoid),
        (nn.Tanh(), np.tanh),
        (nn.ReLU(), nn.relu),
        (nn.Softmax(), nn.softmax),
    ]:
        np.testing.assert_array_equal(layer(POINTS), function(POINTS))
        z = layer(ag.Variable(POINTS))
        assert z.scope.path == type(layer).__name__
        assert z.scope.formula == layer.formula


def test_the_shift_is_recorded_so_that_a_replay_finds_its_own_maximum():
    x = ag.Variable([1.0, 3.0])
    z = nn.softmax(x)
    names = [v.operation.name for v in ag.tape() if v.number > x.number]
    assert "max" in names
    assert "detach" in names
    assert z.requires_grad


def test_no_file_of_nn_defines_a_derivative_rule():
    for file in Path(nn.__file__).parent.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "primitive(" not in text.replace("autograd_lite.primitive", ""), file.name
        assert "OPERATIONS" not in text, file.name


def test_the_tests_of_this_file_would_see_a_warning():
    with pytest.raises(RuntimeWarning):
        np.exp(np.array(1000.0))
