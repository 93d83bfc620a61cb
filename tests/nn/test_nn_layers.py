import re

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn.nn_checks import assert_derivatives

X = np.random.default_rng(1).standard_normal((5, 2))


def layer(**settings):
    return nn.FullyConnected(2, 3, np.random.default_rng(0), **settings)


def test_it_is_x_times_w_plus_bias():
    fc = layer()
    fc.bias.data = np.array([1.0, 2.0, 3.0])
    expected = X @ fc.weight.data + [1.0, 2.0, 3.0]
    np.testing.assert_array_equal(fc(X).data, expected)
    np.testing.assert_allclose(fc(X[0]).data, expected[0], rtol=1e-15)
    np.testing.assert_allclose(fc(X[:, None, None]).data, expected[:, None, None], rtol=1e-15)
    np.testing.assert_array_equal(fc([[1, 2]]).data, fc(np.array([[1.0, 2.0]])).data)


def test_without_bias_it_is_x_times_w():
    fc = layer(bias=False)
    np.testing.assert_array_equal(fc(X).data, X @ fc.weight.data)
    assert [name for name, _ in fc.named_parameters()] == ["weight"]
    assert repr(fc) == "FullyConnected(2, 3, bias=False)"


def test_derivatives_to_second_order():
    fc = layer()
    assert_derivatives(lambda x: np.tanh(fc(x)), X)


def test_dimension_analysis_of_the_lecture():
    rng = np.random.default_rng(0)
    first, second = nn.FullyConnected(15, 10, rng), nn.FullyConnected(10, 5, rng)
    a = first(rng.standard_normal(15))
    loss = nn.cross_entropy_from_logits(second(a), 2)
    da, dtheta = ag.gradients(loss, [a, first.weight])
    assert da.shape == (10,)
    assert dtheta.shape == (15, 10)


def test_weights_are_drawn_between_glorots_limits_and_bias_is_zero():
    fc = nn.FullyConnected(200, 100, np.random.default_rng(0))
    limit = np.sqrt(6 / 300)
    assert np.abs(fc.weight.data).max() <= limit
    # the variance is limit²/3; with 20 000 draws its estimate is good to about 1 %
    np.testing.assert_allclose(fc.weight.data.var(), 2 / 300, rtol=0.05)
    np.testing.assert_array_equal(fc.bias.data, 0.0)


def test_the_generator_decides_and_the_global_one_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - what must not change
    np.testing.assert_array_equal(layer().weight.data, layer().weight.data)
    assert (nn.FullyConnected(2, 3).weight.data != nn.FullyConnected(2, 3).weight.data).any()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_dtype_and_name():
    fc = layer(dtype=np.float32, name="hidden")
    assert fc.weight.dtype == fc.bias.dtype == np.float32
    assert (fc.weight.name, fc.bias.name) == ("hidden.W", "hidden.bias")
    y = fc(X.astype(np.float32))
    assert y.dtype == np.float32
    assert y.scope.path == "hidden"
    assert y.scope.formula == "Y = X·W + bias"
    assert layer().weight.name == "W"


@pytest.mark.parametrize("x", [np.zeros((5, 3)), np.zeros(3), np.zeros((2, 0)), np.float64(1)])
@pytest.mark.parametrize("name", [None, "hidden"])
def test_another_number_of_features_names_layer_expected_and_received(x, name):
    received = f"{x.dtype} array of shape {x.shape}" if x.ndim else "float64 scalar"
    message = f"{name or 'FullyConnected'}: expected rows of 2 features, received: {received}"
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        layer(name=name)(x)


@pytest.mark.parametrize("sizes", [(0, 3), (2, -1)])
def test_sizes_below_one_are_refused(sizes):
    with pytest.raises(ValueError, match="at least one input and one output, received"):
        nn.FullyConnected(*sizes)


def test_an_integer_dtype_is_refused():
    with pytest.raises(TypeError, match="only floating point can be tracked"):
        layer(dtype=int)
