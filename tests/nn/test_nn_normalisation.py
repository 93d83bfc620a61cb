import re
from fractions import Fraction

import numpy as np
import pytest

import autograd_lite as ag
from nn.normalisation import (
    BatchNorm,
    L1Normalisation,
    L2Normalisation,
    LayerNorm,
    l1_normalisation,
    l2_normalisation,
)
from tests.nn.nn_checks import assert_derivatives

RNG = np.random.default_rng(3)
ROWS, IMAGES = RNG.standard_normal((6, 3)), RNG.standard_normal((4, 3, 2, 5))
NORMALISATIONS = [(l1_normalisation, L1Normalisation, 1), (l2_normalisation, L2Normalisation, 2)]
by_order = pytest.mark.parametrize(("function", "layer", "order"), NORMALISATIONS)


# --- vectors of length one ------------------------------------------------------------------------


@by_order
def test_a_vector_is_divided_by_its_norm(function, layer, order):
    for axis in (-1, 0, 1):
        expected = IMAGES / np.linalg.norm(IMAGES, order, axis=axis, keepdims=True)
        np.testing.assert_allclose(function(IMAGES, axis), expected, rtol=1e-15)  # a few roundings
        np.testing.assert_array_equal(layer(axis)(IMAGES), function(IMAGES, axis))
    np.testing.assert_array_equal(layer()(IMAGES), function(IMAGES))
    x = [3, -4] if order == 2 else [1, -3]
    np.testing.assert_array_equal(function(x), [0.6, -0.8] if order == 2 else [0.25, -0.75])


@by_order
def test_derivatives_of_normalisations_to_second_order(function, layer, order):
    x = np.array([[0.5, -1.5, 0.8], [1.2, 0.7, -0.6]])
    assert_derivatives(function, x)
    assert_derivatives(lambda x: function(x, axis=0), x)


@by_order
def test_the_zero_vector_gives_zero_and_no_gradient(function, layer, order):
    x = ag.Variable([[0.0, 0.0], [2.0, 0.0]])
    y = function(x)
    np.testing.assert_array_equal(y.data, [[0, 0], [1, 0]])
    slope = ag.gradients(np.sum(y * [[1.0, 2.0], [3.0, 4.0]]), x, create_graph=True)
    # of the second row: (g − y·(g·y)) / 2, and the ℓ1 norm has slope 0 in an entry that is 0
    np.testing.assert_array_equal(slope.data, [[0, 0], [0, 2]])
    assert np.isfinite(ag.gradients(np.sum(slope**2), x)).all()


@by_order
@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e-160, 1e160, 1e300])
def test_nothing_overflows_or_vanishes_on_the_way(function, layer, order, scale):
    x = np.array([3.0, -4.0, 12.0]) * scale
    numbers = [Fraction(float(n)) for n in x]
    length = sum(map(abs, numbers)) if order == 1 else 13 * abs(numbers[0]) / 3
    expected = [float(n / length) for n in numbers]
    np.testing.assert_allclose(function(x), expected, rtol=1e-15)
    if scale > 1e-300:  # or the slope itself is beyond the largest number
        v = ag.Variable(x)
        slope = ag.gradients(function(v)[0], v) * scale
        unscaled = ag.Variable([3.0, -4.0, 12.0])
        np.testing.assert_allclose(
            slope, ag.gradients(function(unscaled)[0], unscaled), rtol=1e-14, atol=1e-16
        )


@by_order
def test_float32_and_whole_numbers(function, layer, order):
    v = ag.Variable(ROWS.astype(np.float32))
    y = layer()(v)
    assert y.dtype == np.float32
    assert {
        r.dtype for r in ag.tape() if r.operation.name == "divide" and r.number <= y.number
    } >= {np.dtype(np.float32)}
    np.testing.assert_allclose(y.data, function(ROWS), rtol=1e-6)
    assert function(np.array([1e30, 1e30], np.float32)).dtype == np.float32
    assert function(np.array([1, 0])).dtype == np.float64


@by_order
def test_nan_is_passed_on_in_its_vector_alone(function, layer, order):
    y = function(np.array([[np.nan, 1.0], [0.0, 1.0]]))
    assert np.isnan(y[0]).all()
    np.testing.assert_array_equal(y[1], [0, 1])


@by_order
def test_scope_repr_and_refusals_of_normalisations(function, layer, order):
    assert layer()(ag.Variable(ROWS)).scope.formula == layer.formula
    name = layer.__name__
    assert (repr(layer()), repr(layer(axis=1))) == (f"{name}()", f"{name}(axis=1)")
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        function(ROWS, axis=2)
    with pytest.raises(TypeError, match="expected real numbers"):
        function(ROWS + 1j)


# --- over the batch -------------------------------------------------------------------------------


def standardised(x, axes, epsilon=1e-5):
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


@pytest.mark.parametrize(
    ("x", "axis"),
    [(ROWS, 1), (IMAGES[..., 0], 1), (IMAGES, 1), (np.moveaxis(IMAGES, 1, -1), -1)],
    ids=["rows", "series", "images", "channels last"],
)
def test_channels_have_mean_0_and_deviation_1_over_the_batch(x, axis):
    layer = BatchNorm(3, axis=axis)
    gamma, beta = np.array([1.0, 2.0, -3.0]), np.array([0.5, 0.0, 1.0])
    layer.weight.data, layer.bias.data = gamma, beta
    axes = tuple(n for n in range(x.ndim) if n != axis % x.ndim)
    shape = np.ones(x.ndim, int)
    shape[axis] = 3
    expected = standardised(x, axes)
    expected = gamma.reshape(shape) * expected + beta.reshape(shape)
    np.testing.assert_allclose(layer(x).data, expected, rtol=1e-14, atol=1e-15)
    # one batch from 0 and 1 on, and the variance with divisor m − 1
    np.testing.assert_allclose(layer.running_mean.data, 0.1 * x.mean(axes), rtol=1e-14)
    variance = x.var(axes, ddof=1)
    np.testing.assert_allclose(layer.running_variance.data, 0.9 + 0.1 * variance, rtol=1e-14)


def test_known_numbers():
    layer = BatchNorm(1, momentum=0.5, epsilon=2.0)
    np.testing.assert_array_equal(layer([[1], [3], [5], [7]]).data.T.round(4), [TO_4])
    # mean 4, deviations −3, −1, 1, 3, variance 20/4, without bias 20/3
    assert layer.running_mean.data == 2.0
    np.testing.assert_allclose(layer.running_variance.data, 0.5 + 0.5 * 20 / 3, rtol=1e-15)
    np.testing.assert_allclose(
        layer.eval()([[1]]).data, (1 - 2) / np.sqrt(2 + 0.5 + 10 / 3), rtol=1e-15
    )


TO_4 = np.round(np.array([-3, -1, 1, 3]) / np.sqrt(5 + 2), 4)


def test_outside_of_training_the_running_statistics_are_used_and_kept():
    layer = BatchNorm(3).eval()
    layer.running_mean.data, layer.running_variance.data = [1.0, 2.0, 3.0], [4.0, 9.0, 16.0]
    before = layer.state_dict()
    expected = (ROWS - [1, 2, 3]) / np.sqrt(np.array([4, 9, 16]) + 1e-5)
    np.testing.assert_allclose(layer(ROWS).data, expected, rtol=1e-15)
    # a sample's result does not depend on the others
    np.testing.assert_array_equal(layer(ROWS[:1]).data, layer(ROWS).data[:1])
    for path, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


def test_running_statistics_go_on_from_batch_to_batch():
    layer, mean, variance = BatchNorm(3, momentum=0.3), np.zeros(3), np.ones(3)
    for batch in (ROWS[:2], ROWS[2:], ROWS):
        layer(batch)
        mean = 0.7 * mean + 0.3 * batch.mean(0)
        variance = 0.7 * variance + 0.3 * batch.var(0, ddof=1)
    np.testing.assert_allclose(layer.running_mean.data, mean, rtol=1e-14)
    np.testing.assert_allclose(layer.running_variance.data, variance, rtol=1e-14)
    assert layer.batches.item() == 3


def test_without_momentum_they_are_plain_means():
    layer = BatchNorm(3, momentum=None)
    batches = ROWS[:2], ROWS[2:4], ROWS[3:]
    for batch in batches:
        layer(batch)
    expected = np.mean([b.mean(0) for b in batches], axis=0)
    np.testing.assert_allclose(layer.running_mean.data, expected, rtol=1e-14)
    expected = np.mean([b.var(0, ddof=1) for b in batches], axis=0)
    np.testing.assert_allclose(layer.running_variance.data, expected, rtol=1e-14)


def test_running_statistics_are_buffers_and_in_the_state():
    layer, other = BatchNorm(3), BatchNorm(3)
    assert [path for path, _ in layer.named_parameters()] == ["weight", "bias"]
    buffers = ["running_mean", "running_variance", "batches"]
    assert [path for path, _ in layer.named_buffers()] == buffers
    layer(ROWS)
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(other.eval()(ROWS).data, layer.eval()(ROWS).data)
    assert other.batches.item() == 1


def test_a_tracked_input_leaves_nothing_of_its_graph_in_the_statistics():
    layer, v = BatchNorm(3), ag.Variable(ROWS)
    loss = np.sum(layer(v) ** 3)
    layer(ROWS)  # moves the statistics, which were no part of the record
    slope = ag.gradients(loss, v, create_graph=True)
    ag.gradients(np.sum(slope**2), v)
    assert layer.running_mean.operation is None


def test_inside_a_checkpoint_the_gradient_is_the_same():
    layer, x = BatchNorm(3), ag.Variable(ROWS)
    expected = ag.gradients(np.sum(layer(x) ** 3), [x, layer.weight])
    found = ag.gradients(np.sum(ag.checkpoint(layer)(x) ** 3), [x, layer.weight])
    for e, f in zip(expected, found, strict=True):
        np.testing.assert_array_equal(f, e)
    assert layer.batches.item() == 2  # computing it once more counts for nothing


@pytest.mark.parametrize("training", [True, False])
def test_derivatives_of_batch_norm_to_second_order(training):
    layer = BatchNorm(3).train(training)
    layer.weight.data, layer.bias.data = [1.0, 1.5, -2.0], [0.5, 0.0, 1.0]
    layer.running_variance.data = [0.5, 1.0, 1.5]
    # values that do not lie close together, where derivatives of high order would be large
    x = np.array([[2.0, -1.5, 1.2], [-1.0, 1.8, -1.6], [-2.5, 0.3, 0.2], [1.5, -0.6, 2.3]])
    assert_derivatives(lambda x: np.tanh(layer(x)), x)
    weight = layer.weight.data.copy()

    def of_weight(gamma):
        layer.weight = gamma if isinstance(gamma, ag.Variable) else ag.Variable(gamma)
        return np.tanh(layer(x))

    assert_derivatives(of_weight, weight)


def test_the_gradient_for_the_batch_is_the_papers():
    layer, x = BatchNorm(3), ag.Variable(ROWS)
    g = RNG.standard_normal(ROWS.shape)
    layer(x).backward(g)
    m, centred = len(ROWS), ROWS - ROWS.mean(0)
    sigma2 = ROWS.var(0) + 1e-5
    d_variance = (g * centred).sum(0) * -0.5 * sigma2**-1.5
    d_mean = (-g / np.sqrt(sigma2)).sum(0) + d_variance * (-2 * centred).mean(0)
    expected = g / np.sqrt(sigma2) + d_variance * 2 * centred / m + d_mean / m
    np.testing.assert_allclose(x.grad, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(layer.weight.grad, (g * standardised(ROWS, 0)).sum(0), rtol=1e-13)
    np.testing.assert_allclose(layer.bias.grad, g.sum(0), rtol=1e-13)


def test_affine_and_bias_can_be_left_out():
    plain, scaled = BatchNorm(3, affine=False), BatchNorm(3, bias=False)
    np.testing.assert_array_equal(plain(ROWS), scaled(ROWS).data)
    assert plain.parameters() == []
    assert [path for path, _ in scaled.named_parameters()] == ["weight"]
    assert isinstance(plain(ROWS), np.ndarray)


def test_float32_stays_float32():
    layer = BatchNorm(3, dtype=np.float32)
    y = layer(ag.Variable(IMAGES.astype(np.float32)))
    recorded = [v for v in ag.tape() if v.scope is y.scope]
    assert len(recorded) > 5
    assert {v.dtype for v in recorded} == {np.dtype(np.float32)}
    assert layer.eval()(IMAGES.astype(np.float32)).dtype == np.float32
    assert layer.running_mean.dtype == layer.running_variance.dtype == np.float32
    expected = BatchNorm(3)
    expected(IMAGES)
    np.testing.assert_allclose(y.data, expected.train()(IMAGES).data, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(layer.running_mean.data, expected.running_mean.data / 1.9, rtol=1e-5)


def test_a_constant_channel_is_zero_and_its_slope_finite():
    layer, x = BatchNorm(1), ag.Variable(np.full((4, 1), 7.0))
    y = layer(x)
    np.testing.assert_array_equal(y.data, 0)
    np.testing.assert_allclose(
        ag.gradients(y[0, 0], x).T, [np.array([3, -1, -1, -1]) / 4 / np.sqrt(1e-5)], rtol=1e-13
    )


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_the_running_mean_would_never_lose_is_refused(wrong):
    x = ROWS.copy()
    x[2, 1] = wrong
    layer = BatchNorm(3, name="bn")
    with pytest.raises(
        FloatingPointError, match=r"^bn: expected finite numbers in training.*channel 1,"
    ):
        layer(ag.Variable(x))
    assert layer.batches.item() == 0
    assert np.isfinite(layer.running_mean.data).all()


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("size", [1e20, 1.6e19])  # 1.6e19² is below 3.4e38, and twice that is not
def test_a_variance_that_overflows_does_not_reach_the_buffers(size):
    layer = BatchNorm(1, name="bn", dtype=np.float32)
    with pytest.raises(
        FloatingPointError, match=r"^bn: .* too large for float32, in channel 0, .* varian"
    ):
        layer(np.array([[size], [-size]], np.float32))  # the mean is 0
    assert layer.batches.item() == 0
    np.testing.assert_array_equal(layer.running_variance.data, 1)


@pytest.mark.parametrize("function", [l1_normalisation, l2_normalisation])
def test_an_axis_that_is_not_there_is_told(function):
    with pytest.raises(np.exceptions.AxisError, match=f"^{function.__name__}: axis 2 is out of"):
        function(np.ones((2, 2)), axis=2)


def test_nan_is_passed_on_in_use_in_its_channel_alone():
    x = ROWS.copy()
    x[2, 1] = np.nan
    y = BatchNorm(3).eval()(ag.Variable(x)).data
    np.testing.assert_array_equal(np.argwhere(np.isnan(y)), [[2, 1]])


@pytest.mark.parametrize("shape", [(6, 2), (6,), (), (3, 6, 1), (6, 2, 3)])
def test_another_number_of_channels_is_refused(shape):
    for name, training in ((None, True), ("bn", False)):
        layer = BatchNorm(3, name=name).train(training)
        message = f"{name or 'BatchNorm'}: expected an array with 3 channels on axis 1, "
        with pytest.raises(ValueError, match="^" + re.escape(message)):
            layer(np.zeros(shape))
        assert layer.batches.item() == 0


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1)])
def test_one_value_per_channel_has_no_deviation(shape):
    layer = BatchNorm(3)
    with pytest.raises(ValueError, match="BatchNorm: expected at least two values per channel in"):
        layer(np.zeros(shape))
    assert layer.batches.item() == 0
    assert layer.eval()(np.zeros(shape)).shape == shape


@pytest.mark.parametrize("function", [l1_normalisation, l2_normalisation])
def test_no_entries_have_no_length(function):
    assert function(np.ones((2, 0))).shape == (2, 0)
    assert function(np.ones((0, 3))).shape == (0, 3)


def test_empty_batches_are_refused_in_training_and_in_use():
    for layer in (BatchNorm(3, name="n"), BatchNorm(3, name="n").eval(), LayerNorm(3, name="n")):
        with pytest.raises(ValueError, match=r"^n: expected samples .*received: float64 array of "):
            layer(np.zeros((0, 3)))


@pytest.mark.parametrize("layer", [BatchNorm, LayerNorm])
def test_settings_that_are_numpy_numbers_leave_float32_as_it_is(layer):
    made = layer(3, epsilon=np.float64(1e-3), dtype=np.float32)
    assert made(ROWS.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channels": 0}, "BatchNorm: channels must be a whole number of at least 1, received: 0"),
        ({"epsilon": 0.0}, "BatchNorm: epsilon must be above 0, and finite, received: 0.0"),
        ({"epsilon": np.nan}, "BatchNorm: epsilon must be above 0, and finite, received: nan"),
        ({"momentum": 1.5}, "BatchNorm: momentum must be from 0 to 1, or None"),
        ({"momentum": -0.1, "name": "bn"}, "bn: momentum must be from 0 to 1, or None"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        BatchNorm(**{"channels": 3, **settings})


def test_names_scope_and_repr():
    layer = BatchNorm(3, name="bn")
    assert [v.name for v in layer.parameters()] == ["bn.γ", "bn.β"]
    assert layer(ROWS).scope.path == "bn"
    assert layer(ROWS).scope.formula == BatchNorm.formula
    assert repr(layer) == "BatchNorm(3)"
    other = BatchNorm(3, momentum=None, epsilon=0.1, affine=False, axis=-1)
    assert repr(other) == "BatchNorm(3, momentum=None, epsilon=0.1, axis=-1, affine=False)"
    assert repr(BatchNorm(3, bias=False)) == "BatchNorm(3, bias=False)"


# --- over a sample's features ---------------------------------------------------------------------


@pytest.mark.parametrize("shape", [5, (5,), [2, 5], np.array([3, 2, 5])], ids=str)
def test_samples_have_mean_0_and_deviation_1_over_their_features(shape):
    layer = LayerNorm(shape, epsilon=1e-3)
    gamma, beta = (RNG.standard_normal(layer.weight.shape) for _ in range(2))
    layer.weight.data, layer.bias.data = gamma, beta
    axes = tuple(range(-gamma.ndim, 0))
    expected = gamma * standardised(IMAGES, axes, 1e-3) + beta
    np.testing.assert_allclose(layer(IMAGES).data, expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(layer.eval()(IMAGES).data, layer.train()(IMAGES).data)
    # each sample by itself, and one without others as well
    np.testing.assert_allclose(layer(IMAGES[0]).data, expected[0], rtol=1e-13, atol=1e-15)


def test_layer_norm_of_known_numbers():
    y = LayerNorm(4, epsilon=4.0, affine=False)([1, 3, 5, 7])
    np.testing.assert_array_equal(y, [-1, -1 / 3, 1 / 3, 1])  # deviations −3 … 3, √(5 + 4)


def test_derivatives_of_layer_norm_to_second_order():
    layer = LayerNorm(3)
    layer.weight.data, layer.bias.data = [1.0, 2.0, -3.0], [0.5, 0.0, 1.0]
    # rows that do not lie close together, where derivatives of high order would be large
    assert_derivatives(lambda x: np.tanh(layer(x)), np.array([[1.0, -1.0, 0.3], [0.2, 1.5, -0.9]]))


def test_layer_norm_in_float32_without_parameters_and_its_names():
    layer = LayerNorm(5, dtype=np.float32, name="ln")
    assert layer(IMAGES.astype(np.float32)).dtype == np.float32
    assert [v.name for v in layer.parameters()] == ["ln.γ", "ln.β"]
    assert layer(IMAGES).scope.path == "ln"
    assert isinstance(LayerNorm(5, affine=False)(IMAGES), np.ndarray)
    assert [path for path, _ in LayerNorm(5, bias=False).named_parameters()] == ["weight"]
    assert list(layer.named_buffers()) == []
    assert repr(LayerNorm(5)) == "LayerNorm(5)"
    assert repr(LayerNorm((2, 5), 0.1, bias=False)) == "LayerNorm((2, 5), epsilon=0.1, bias=False)"


@pytest.mark.parametrize("shape", [(4, 3), (5, 2), (5,), ()])
def test_other_last_lengths_are_refused(shape):
    with pytest.raises(ValueError, match=r"^LayerNorm: expected an array \(…, 2, 5\), received: "):
        LayerNorm((2, 5))(np.zeros(shape))


@pytest.mark.parametrize("shape", [(), 0, (3, 0)])
def test_sizes_of_layer_norm_below_one_are_refused(shape):
    with pytest.raises(
        ValueError, match="LayerNorm: shape must be a whole number of at least 1, received: 0"
    ):
        LayerNorm(shape)


def test_a_checkpointed_batch_counts_once():
    layer, x = BatchNorm(1), np.array([[1.0], [3.0]])
    twin = BatchNorm(1)
    np.sum(ag.checkpoint(layer)(x) ** 3).backward()
    np.sum(twin(x) ** 3).backward()
    for path, value in twin.state_dict().items():
        np.testing.assert_array_equal(layer.state_dict()[path], value, err_msg=path)
    assert layer.batches.item() == 1
