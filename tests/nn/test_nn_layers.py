import re

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn import cheat_sheets, initialisers
from nn.dropout import Dropout
from nn.layers import Flatten, augmented
from nn.lecture_layers import RBF, CosinePlusPi
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
    with pytest.raises(
        ValueError, match=r"^FullyConnected: (in|out)puts must be a whole number of at"
    ):
        nn.FullyConnected(*sizes)


def test_an_integer_dtype_is_refused():
    with pytest.raises(TypeError, match="only floating point can be tracked"):
        layer(dtype=int)


# --- how the weight starts ------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(2, 3), (20, 21), (784, 512)])
def test_by_default_the_weight_is_drawn_as_ever(sizes):
    limit = np.sqrt(6 / sum(sizes))
    expected = np.random.default_rng(5).uniform(-limit, limit, sizes)
    fc = nn.FullyConnected(*sizes, np.random.default_rng(5))
    np.testing.assert_array_equal(fc.weight.data, expected)  # to the last bit


def test_the_initialiser_draws_the_weight_with_the_generator():
    fc = layer(initialiser=initialisers.he_normal)
    expected = initialisers.he_normal((2, 3), np.random.default_rng(0))
    np.testing.assert_array_equal(fc.weight.data, expected)
    fc = layer(initialiser=initialisers.he_normal, dtype=np.float32)
    np.testing.assert_array_equal(fc.weight.data, expected.astype(np.float32))
    fc = layer(initialiser=lambda shape, rng: np.arange(6.0).reshape(shape))
    np.testing.assert_array_equal(fc.weight.data, [[0, 1, 2], [3, 4, 5]])


def test_an_initialiser_of_another_shape_is_refused():
    message = "^hidden: expected an initialiser that gives an array of shape .2, 3., received: "
    with pytest.raises(ValueError, match=message):
        layer(initialiser=lambda shape, rng: np.zeros(shape[::-1]), name="hidden")


# --- lecture 4: the bias as a row of the weight ---------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
def test_the_bias_is_an_extra_row_of_the_weight(bias):
    fc = layer(bias=bias)
    if bias:
        fc.bias.data = [1.0, 2.0, 3.0]
    W = fc.augmented_weight()
    expected = np.vstack([fc.weight.data, fc.bias.data if bias else np.zeros(3)])
    np.testing.assert_array_equal(W.data, expected)
    np.testing.assert_array_equal(augmented(X), np.hstack([X, np.ones((5, 1))]))
    # a sum of products in another order: a rounding or two
    np.testing.assert_allclose((augmented(X) @ W).data, fc(X).data, rtol=1e-14, atol=1e-15)


def test_lecture_4_backward_and_update_in_that_layout():
    eta, fc, x = 0.1, layer(), ag.Variable(X)
    fc.bias.data = [1.0, 2.0, 3.0]
    W = ag.Variable(fc.augmented_weight().data, name="W′")
    X1 = augmented(x)
    y = X1 @ W
    loss = np.sum(np.tanh(y) ** 2)
    E, below, dW = ag.gradients(loss, [y, X1, W])
    np.testing.assert_allclose(below, E @ W.data.T, rtol=1e-14)  # E′ₙ₋₁ = E′ₙ·W′ᵀ
    np.testing.assert_allclose(dW, X1.data.T @ E, rtol=1e-14)
    # the same as the layer with a separate bias: for what is below, and after a step
    dx, dweight, dbias = ag.gradients(np.sum(np.tanh(fc(x)) ** 2), [x, fc.weight, fc.bias])
    np.testing.assert_allclose(below[:, :-1], dx, rtol=1e-12)
    updated = W.data - eta * X1.data.T @ E  # W′ ← W′ − η·X′ᵀ·E′ₙ
    separate = np.vstack([fc.weight.data - eta * dweight, fc.bias.data - eta * dbias])
    np.testing.assert_allclose(updated, separate, rtol=1e-13)


def test_gradients_reach_weight_and_bias_through_the_augmented_weight():
    fc = layer()
    np.sum((augmented(X) @ fc.augmented_weight()) ** 2).backward()
    found = fc.weight.grad, fc.bias.grad
    fc.zero_grad()
    np.sum(fc(X) ** 2).backward()
    np.testing.assert_allclose(found[0], fc.weight.grad, rtol=1e-13)
    np.testing.assert_allclose(found[1], fc.bias.grad, rtol=1e-13)


def test_augmented_in_float32_and_of_a_number():
    assert augmented(X.astype(np.float32)).dtype == np.float32
    assert layer(dtype=np.float32, bias=False).augmented_weight().dtype == np.float32
    with pytest.raises(ValueError, match="augmented: expected rows of features, received: float64"):
        augmented(np.float64(1))


# --- lecture 2: Jacobians, full and diagonal ------------------------------------------------------


def jacobian(module, x):
    """∂z/∂x as an array; it depends on the parameters, and so it comes as a Variable."""
    J = ag.jacobian(module)(x)
    return J.data if isinstance(J, ag.Variable) else J


def test_the_jacobian_of_a_fully_connected_layer_is_its_weight():
    fc = layer()
    np.testing.assert_array_equal(jacobian(fc, X[0]), fc.weight.data.T)
    sheet = cheat_sheets.Softmax()
    full = jacobian(lambda x: nn.softmax(fc(x)), X[0])
    chain = sheet.jacobian(fc(X[0]).data) @ fc.weight.data.T
    np.testing.assert_allclose(full, chain, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize(
    ("module", "slope"),
    [
        (nn.Sigmoid(), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        (nn.Tanh(), lambda x: 1 / np.cosh(x) ** 2),
        (nn.ReLU(), lambda x: 1.0 * (x > 0)),
        (CosinePlusPi(2.0), lambda x: -2 * np.sin(2 * x)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_elementwise_layers_have_diagonal_jacobians(module, slope):
    x = X[:, 0]
    J = jacobian(module, x)
    np.testing.assert_allclose(np.diag(J), slope(x), rtol=1e-13)
    np.testing.assert_array_equal(J, np.diag(np.diag(J)))
    v = ag.Variable(x)  # the diagonal alone: one product with ones, as the lecture advises
    np.testing.assert_array_equal(ag.gradients(module(v), v, np.ones(5)), np.diag(J))


def test_jacobians_of_other_layers():
    x = X[:3]
    J = jacobian(Flatten(), x)
    np.testing.assert_array_equal(J, np.eye(6).reshape(3, 2, 3, 2))
    mask = Dropout(0.5, np.random.default_rng(4))(np.ones(6))
    J = jacobian(lambda x: Dropout(0.5, np.random.default_rng(4))(x), np.arange(6.0))
    np.testing.assert_array_equal(J, np.diag(mask))
    rbf = RBF(2, 3, rng=np.random.default_rng(0))
    difference = X[0] - rbf.centres.data
    bumps = rbf.weight.data[:, 0] * np.exp(-(difference**2).sum(1))
    np.testing.assert_allclose(jacobian(rbf, X[0]), [-2 * bumps @ difference], rtol=1e-13)


# --- flattening -----------------------------------------------------------------------------------


def test_flatten_keeps_the_batch_and_the_order():
    x = np.arange(24.0).reshape(2, 3, 2, 2)
    np.testing.assert_array_equal(Flatten()(x), np.arange(24.0).reshape(2, 12))
    v = ag.Variable(x)
    y = Flatten()(v)
    np.testing.assert_array_equal(ag.gradients(np.sum(y * y.data), v), x)
    assert Flatten()(np.zeros((0, 3, 2))).shape == (0, 6)
    assert Flatten()(np.zeros((2, 3))).shape == (2, 3)
    assert Flatten()(v.data.astype(np.float32)).dtype == np.float32
    assert (y.scope.path, y.scope.formula, repr(Flatten())) == (
        "Flatten",
        "Y = X, every sample as one row",
        "Flatten()",
    )


@pytest.mark.parametrize("x", [np.zeros(3), np.float64(1)])
def test_flatten_refuses_what_has_no_batch(x):
    with pytest.raises(ValueError, match=r"^Flatten: expected an array \(batch, …\), received: "):
        Flatten()(x)


# --- dropout --------------------------------------------------------------------------------------


def test_the_generator_draws_the_mask():
    x = X + 3
    kept = np.random.default_rng(8).random(x.shape) >= 0.3
    v = ag.Variable(x)
    y = Dropout(0.3, np.random.default_rng(8))(v)
    np.testing.assert_allclose(y.data, np.where(kept, x / 0.7, 0), rtol=1e-15)
    # the same mask is in the gradient
    np.testing.assert_array_equal(ag.gradients(np.sum(y), v), kept / 0.7)
    dropout = Dropout(0.3, np.random.default_rng(8))
    np.testing.assert_array_equal(dropout(x), y.data)
    assert (dropout(x) != y.data).any()  # each call draws anew
    assert y.scope.formula == Dropout.formula


def test_dropout_keeps_the_mean_and_zeroes_the_rate():
    n = 100_000
    y = Dropout(0.3, np.random.default_rng(0))(np.ones(n))
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    # five standard deviations of a mean of n draws
    assert abs(np.mean(y == 0) - 0.3) < 5 * np.sqrt(0.3 * 0.7 / n)
    assert abs(y.mean() - 1) < 5 * np.sqrt(0.3 / 0.7 / n)


def test_outside_of_training_dropout_does_nothing():
    v, rng = ag.Variable(X), np.random.default_rng(0)
    before = rng.bit_generator.state
    dropout = Dropout(0.9, rng).eval()
    assert dropout(v) is v
    np.testing.assert_array_equal(dropout(X), X)
    np.testing.assert_array_equal(Dropout(0, rng)(X), X)
    assert rng.bit_generator.state == before
    assert (dropout.train()(X) == 0).any()


def test_derivatives_of_dropout_to_second_order():
    assert_derivatives(lambda x: np.tanh(Dropout(0.4, np.random.default_rng(1))(x)), X)


def test_dropout_in_float32_of_whole_numbers_and_of_nan():
    dropout = Dropout(0.5, np.random.default_rng(0))
    assert dropout(X.astype(np.float32)).dtype == np.float32
    assert dropout(np.arange(3)).dtype == np.float64
    nan = ag.Variable(np.full(9, np.nan), requires_grad=False)
    assert np.isnan(dropout(nan).data).all()  # dropped or not, as by multiplication
    assert (Dropout()(X) != Dropout()(X)).any()
    assert repr(dropout) == "Dropout(0.5)"


def test_dropout_in_a_checkpoint_drops_the_same_again():
    layer = nn.FullyConnected(2, 4, np.random.default_rng(0))

    def gradient(checkpointed):
        dropout = Dropout(0.5, np.random.default_rng(1))
        block = nn.Sequential(layer, dropout, nn.Tanh())
        block = ag.checkpoint(block, generators=[dropout.rng]) if checkpointed else block
        loss = np.sum(block(X) ** 2) + np.sum(block(X))
        return [*ag.gradients(loss, layer.parameters()), dropout.rng.random()]

    for ours, theirs in zip(gradient(True), gradient(False), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)


@pytest.mark.parametrize("rate", [1, 1.5, -0.1, np.nan])
def test_a_rate_out_of_range_is_refused(rate):
    message = "the rate of dropout must be from 0 up to but not including 1, .*, received: "
    with pytest.raises(ValueError, match=f"^Dropout: {message}{re.escape(repr(rate))}$"):
        Dropout(rate)
    with pytest.raises(ValueError, match=f"^dropout: {message}"):
        nn.dropout(X, rate, np.random.default_rng(0))
    with pytest.raises(ValueError, match=f"^LSTM: {message}"):
        nn.LSTM(2, 3, layers=2, dropout=rate)
    layer = Dropout()
    layer.rate = rate
    with pytest.raises(ValueError, match=f"^dropout: {message}"):
        layer(X)


def test_dropout_needs_a_generator():
    with pytest.raises(TypeError, match=r"^dropout: rng must be a numpy\.random\.Generator, rec"):
        nn.dropout(X, 0.5, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_is_one_function(dtype):
    """The layer's and that between recurrent layers have the bits of nn.dropout."""
    x = X.astype(dtype)
    kept = np.random.default_rng(3).random(x.shape) >= 0.3
    expected = x * np.where(kept, dtype(1 / 0.7), dtype(0))
    found = nn.dropout(x, 0.3, np.random.default_rng(3))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(Dropout(0.3, np.random.default_rng(3))(x), expected)

    two = nn.RNN(2, 3, np.random.default_rng(0), layers=2, dropout=0.3, dtype=dtype)
    first, second = (nn.RNN(n, 3, dtype=dtype, return_state=False) for n in (2, 3))
    for one, direction in zip((first, second), two.directions, strict=True):
        one.directions = [direction]
    steps = np.random.default_rng(1).standard_normal((4, 5, 2)).astype(dtype)
    two.rng, rng = np.random.default_rng(3), np.random.default_rng(3)
    between = np.swapaxes(first(steps), 0, 1)  # masks are drawn for (steps, batch, units)
    thinned = np.swapaxes(nn.dropout(between, 0.3, rng), 0, 1)
    np.testing.assert_array_equal(two(steps)[0].data, second(thinned).data)


# --- lecture 2's modules --------------------------------------------------------------------------


def test_rbf_is_a_sum_of_bumps_in_four_modules():
    rbf = RBF(2, 4, 3, np.random.default_rng(0), beta=[0.5, 1.0, 2.0, 0.0])
    w, u, beta = rbf.centres.data, rbf.weight.data, [0.5, 1, 2, 0]
    expected = np.zeros((5, 3))
    for row in range(5):
        for j in range(4):
            a1 = np.sum((X[row] - w[j]) ** 2)
            a2 = np.exp(-beta[j] * a1)
            expected[row] += u[j] * a2
    np.testing.assert_allclose(rbf(X).data, expected, rtol=1e-13)
    np.testing.assert_allclose(rbf(X[0]).data, expected[0], rtol=1e-13)
    np.testing.assert_allclose(rbf(X[:, None]).data, expected[:, None], rtol=1e-13)
    assert (w.shape, u.shape, rbf.beta.shape) == ((4, 2), (4, 3), (4,))


def test_rbf_gradients_by_hand():
    rbf = RBF(1, 2, rng=np.random.default_rng(0), beta=0.5)
    x = X[:, :1]
    rbf(x).sum().backward()
    w, u, beta = rbf.centres.data[:, 0], rbf.weight.data[:, 0], 0.5
    a1 = (x - w) ** 2
    a2 = np.exp(-beta * a1)
    np.testing.assert_allclose(rbf.weight.grad[:, 0], a2.sum(0), rtol=1e-13)
    np.testing.assert_allclose(rbf.beta.grad, (-a1 * a2 * u).sum(0), rtol=1e-13)
    d_centres = (2 * beta * (x - w) * a2 * u).sum(0)
    np.testing.assert_allclose(rbf.centres.grad[:, 0], d_centres, rtol=1e-13)


@pytest.mark.parametrize("parameter", [None, "centres", "beta", "weight"])
def test_derivatives_of_rbf_to_second_order(parameter):
    rbf = RBF(2, 3, 2, np.random.default_rng(0), beta=0.3)

    def of_parameter(value):
        setattr(rbf, parameter, value if isinstance(value, ag.Variable) else ag.Variable(value))
        return rbf(X)

    if parameter is None:
        assert_derivatives(rbf, X)
    else:
        assert_derivatives(of_parameter, getattr(rbf, parameter).data.copy())


def test_rbf_in_float32_names_and_repr():
    rbf = RBF(2, 3, dtype=np.float32, name="bumps")
    assert rbf(X.astype(np.float32)).dtype == np.float32
    assert [v.name for v in rbf.parameters()] == ["bumps.w", "bumps.β", "bumps.u"]
    assert {v.dtype for v in rbf.parameters()} == {np.dtype(np.float32)}
    assert rbf(X).scope.formula == RBF.formula
    assert repr(rbf) == "RBF(2, 3, 1)"


def test_rbf_refuses_other_features_sizes_and_betas():
    with pytest.raises(ValueError, match=r"^RBF: expected rows of 2 features, received: float64"):
        RBF(2, 3)(np.zeros((5, 3)))
    with pytest.raises(
        ValueError, match="RBF: bumps must be a whole number of at least 1, received: 0"
    ):
        RBF(2, 0)
    for beta in (-1.0, [1.0, 2.0], np.nan):
        with pytest.raises(ValueError, match="RBF: expected beta as one number, or 3, none of"):
            RBF(2, 3, beta=beta)


@pytest.mark.parametrize("theta", [0.7, [0.5, -2.0]])
def test_cosine_plus_pi_and_both_derivatives_of_the_lecture(theta):
    module, x = CosinePlusPi(theta), ag.Variable(X)
    y = module(x)
    np.testing.assert_array_equal(y.data, np.cos(theta * X) + np.pi)
    g = np.cos(np.arange(10.0)).reshape(5, 2)
    y.backward(g)
    np.testing.assert_allclose(x.grad, -np.asarray(theta) * np.sin(theta * X) * g, rtol=1e-14)
    by_theta = -X * np.sin(theta * X) * g
    expected = by_theta.sum(0) if np.ndim(theta) else by_theta.sum()
    np.testing.assert_allclose(module.theta.grad, expected, rtol=1e-13)
    assert_derivatives(module, X)
    assert_derivatives(lambda t: np.cos(t * X) + np.pi, np.asarray(theta))


def test_cosine_plus_pi_names_and_dtypes():
    module = CosinePlusPi(2, dtype=np.float32, name="own")
    assert [v.name for v in module.parameters()] == ["own.θ"]
    assert module(X.astype(np.float32)).dtype == np.float32
    assert module(X).scope.formula == "Y = cos(θ·X) + π"
    assert repr(module) == "CosinePlusPi(2.0)"
    assert repr(CosinePlusPi([1.0, 2.0])) == "CosinePlusPi(shape (2,))"


@pytest.mark.parametrize(
    ("make", "label"),
    [
        (lambda rng: nn.FullyConnected(2, 1, rng), "FullyConnected"),
        (lambda rng: nn.FullyConnected(2, 1, rng, name="fc7"), "fc7"),
        (lambda rng: RBF(2, 1, 1, rng), "RBF"),
        (lambda rng: Dropout(0.5, rng), "Dropout"),
        (lambda rng: nn.Embedding(2, 1, rng), "Embedding"),
        (lambda rng: nn.LSTM(2, 1, rng), "LSTM"),
        (lambda rng: nn.Convolution1D(2, 1, 1, rng), "Convolution1D"),
        (lambda rng: nn.NetworkInNetwork(3, (4, 2), 1, rng), "NetworkInNetwork"),
    ],
)
def test_a_seed_is_no_generator(make, label):
    with pytest.raises(TypeError, match=f"^{label}: rng must be a numpy.random.Generator, receiv"):
        make(0)
    make(None)
    make(np.random.default_rng(0))


@pytest.mark.parametrize("layer", [nn.FullyConnected(3, 2, name="first"), RBF(3, 2, name="first")])
def test_empty_batches_are_refused(layer):
    message = "first: expected rows of 3 features, at least one of them, received: float64 array "
    with pytest.raises(ValueError, match=re.escape(message + "of shape (0, 3)")):
        layer(np.zeros((0, 3)))


@pytest.mark.parametrize(
    "make",
    [
        lambda name: nn.FullyConnected(3, 2, name=name),
        lambda name: RBF(3, 2, name=name),
        lambda name: nn.Sequential(nn.ReLU(), nn.FullyConnected(3, 2), name=name),
        lambda name: nn.BatchNorm(3, name=name).eval(),
        lambda name: nn.LayerNorm(3, name=name),
        lambda name: nn.Embedding(3, 2, name=name),
    ],
)
def test_nan_in_data_is_refused_by_the_layer_that_meets_it(make):
    data = [[1.0, 2.0, 3.0], [1.0, np.nan, 3.0]]
    for given, dtype in ((data, "float64"), (np.array(data, np.float32), "float32")):
        message = f"first: expected numbers, received: {dtype} array of shape (2, 3), with NaN in "
        with pytest.raises(ValueError, match=re.escape(message)) as caught:
            make("first")(given)
        assert "first at position (1, 1); fill it in, or leave that sample out" in str(caught.value)


@pytest.mark.parametrize(
    "layer",
    [nn.Convolution2D(1, 1, 1), nn.MaxPool(1), nn.LSTM(2, 1), nn.Flatten(), nn.Dropout(0.5)],
    ids=lambda layer: type(layer).__name__,
)
def test_nan_in_images_and_sequences_is_refused(layer):
    data = np.zeros((1, 1, 2, 2) if not isinstance(layer, nn.LSTM) else (1, 2, 2))
    data[0, ..., 1, 0] = np.nan
    with pytest.raises(ValueError, match=f"^{type(layer).__name__}: expected numbers, .* NaN"):
        layer(data)


def test_nan_that_was_computed_is_passed_on():
    x = ag.Variable([[1.0, np.nan]], requires_grad=False)
    assert np.isnan(nn.FullyConnected(2, 3)(x).data).all()
    assert np.isnan(nn.FullyConnected(2, 3)(ag.Variable(x.data)).data).all()
    with pytest.raises(TypeError, match=r"join them with np\.stack"):  # a list, but no array
        nn.FullyConnected(2, 3)([ag.Variable(x.data), ag.Variable(x.data)])


def test_a_tuple_of_variables_is_no_array():
    rng = np.random.default_rng(0)
    row = nn.Sequential(nn.LSTM(3, 5, rng), nn.FullyConnected(5, 2, rng, name="out"))
    message = (
        r"^nn: expected an array, received a tuple of 2 with Variables in it \(in scope "
        r"'Sequential/out'\); a recurrent layer gives \(Y, state\): take the first, or make it "
    )
    with pytest.raises(TypeError, match=message):
        row(np.ones((4, 6, 3)))
    with pytest.raises(
        TypeError, match=r"received a list of 2 .*'ReLU'\); join them with np.stack"
    ):
        nn.ReLU()([ag.Variable(1.0), ag.Variable(2.0)])
    assert nn.relu([1.0, -2.0]).tolist() == [1, 0]
