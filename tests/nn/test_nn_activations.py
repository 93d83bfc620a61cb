import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite.variable import plain
from tests.nn.nn_checks import assert_derivatives, exactly

POINTS = np.random.default_rng(3).uniform(-2, 2, (3, 4))
FAR = np.array([-1000.0, -300.0, -40.0, -20.0, -3.0, -0.5, 0.0, 0.5, 3.0, 20.0, 40.0, 300.0, 1000])


def noisy_relu(x):
    return nn.noisy_relu(x, np.random.default_rng(1))


ELEMENTWISE = [
    nn.sigmoid,
    nn.tanh,
    nn.linear,
    nn.binary_step,
    nn.relu,
    nn.leaky_relu,
    noisy_relu,
    nn.elu,
    nn.softplus,
    nn.swish,
    nn.gelu,
]
ALONG_AN_AXIS = [nn.softmax, nn.log_softmax, nn.logsumexp]
every = pytest.mark.parametrize("function", ELEMENTWISE + ALONG_AN_AXIS, ids=lambda f: f.__name__)


def exact_sigmoid(x):
    return 1 / (1 + (-x).exp())


def gradient(function, x):
    v = ag.Variable(x)
    return ag.gradients(np.sum(function(v)), v)


def curvature(function, x):
    """The second derivatives of a function that works entry by entry."""
    v = ag.Variable(x)
    slope = ag.gradients(np.sum(function(v)), v, create_graph=True)
    return ag.gradients(np.sum(slope), v) if slope.requires_grad else np.zeros_like(x)


# --- sigmoid --------------------------------------------------------------------------------------


def test_sigmoid_keeps_its_digits_in_both_tails():
    x = np.linspace(-700, 1000, 171)
    expected = [exactly(exact_sigmoid, entry) for entry in x]
    # exp is good to one unit in the last place, and two more roundings follow
    np.testing.assert_allclose(nn.sigmoid(x), expected, rtol=1e-15)


@pytest.mark.parametrize(("dtype", "furthest"), [(np.float64, 700), (np.float32, 87)])
def test_sigmoid_slopes_keep_their_digits_in_both_tails(dtype, furthest):
    x = ag.Variable(np.linspace(-furthest, furthest, 200, dtype=dtype))
    first = ag.gradients(nn.sigmoid(x).sum(), x, create_graph=True)
    second = ag.gradients(first.sum(), x)
    points = [float(entry) for entry in x.data]
    slopes = [exactly(lambda a: exact_sigmoid(a) * exact_sigmoid(-a), p) for p in points]
    bends = [
        exactly(lambda a: exact_sigmoid(a) * exact_sigmoid(-a) * (1 - 2 * exact_sigmoid(a)), p)
        for p in points
    ]
    # a product of a few factors, each off by two or three units in the last place
    tolerance = 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(first.data, slopes, rtol=tolerance)
    np.testing.assert_allclose(second, bends, rtol=tolerance)
    assert second.dtype == dtype


def test_sigmoid_saturates_without_warning():
    x = np.array([-np.inf, -1e308, -1000.0, 1000.0, 1e308, np.inf])
    np.testing.assert_array_equal(nn.sigmoid(x), [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(gradient(nn.sigmoid, x), 0.0)
    v = ag.Variable(x)
    slope = ag.gradients(nn.sigmoid(v).sum(), v, create_graph=True)
    np.testing.assert_array_equal(ag.gradients(slope.sum(), v), 0.0)


def test_sigmoid_derivatives_at_zero_are_the_known_ones():
    x = ag.Variable(0.0)
    derivatives = [nn.sigmoid(x)]
    for _ in range(3):
        derivatives.append(ag.gradients(derivatives[-1], x, create_graph=True))
    assert [d.item() for d in derivatives] == [1 / 2, 1 / 4, 0, -1 / 8]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@every
def test_dtype_in_is_dtype_out(function, dtype):
    x = np.array([-1000.0, -1.0, 0.0, 1.0, 1000.0], dtype)
    z = function(ag.Variable(x))
    assert z.dtype == dtype
    assert gradient(function, x).dtype == dtype
    assert function(x).dtype == dtype
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


# --- rectifiers and their kin ---------------------------------------------------------------------


@pytest.mark.parametrize("function", ELEMENTWISE, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_warns_or_fails_far_out_to_second_order(function, dtype):
    x = np.array([-np.inf, *np.linspace(-1000, 1000, 41)], dtype)  # warnings are errors here
    z, first, second = function(x), gradient(function, x), curvature(function, x)
    if function in (nn.linear, nn.leaky_relu):
        assert z[0] == -np.inf
    assert not np.isnan(z).any()
    for derivative in (first, second):
        assert np.isfinite(derivative).all()
        assert derivative.dtype == dtype
    if function not in (nn.linear, nn.leaky_relu):  # which have a slope there
        np.testing.assert_array_equal(first[:2], 0)
    np.testing.assert_array_equal(second[[0, 1, -1]], 0)


def test_the_simple_ones():
    x = np.array([-2.0, -0.0, 0.0, 5e-324, 3.0])
    np.testing.assert_array_equal(nn.linear(x), x)
    np.testing.assert_array_equal(gradient(nn.linear, x), 1)
    np.testing.assert_array_equal(nn.binary_step(x), [0, 1, 1, 1, 1])
    np.testing.assert_array_equal(gradient(nn.binary_step, x), 0)
    np.testing.assert_array_equal(nn.leaky_relu(np.array([-2.0, 0.0, 3.0])), [-0.02, 0, 3])
    np.testing.assert_array_equal(nn.elu(np.array([-1000.0, 0.0, 3.0]), 2.0), [-2, 0, 3])
    np.testing.assert_array_equal(nn.softplus(0.0), np.log(2))
    np.testing.assert_array_equal(nn.swish(np.array([0.0, 3.0]), beta=0), [0, 1.5])
    assert nn.gelu(0.0) == 0


def test_a_linear_layer_with_sizes_says_where_to_go():
    with pytest.raises(TypeError, match=r"takes no sizes, received: 784, 10; .* nn.FullyConnected"):
        nn.Linear(784, 10)


@pytest.mark.parametrize(("slope", "expected"), [(0.01, 0.01), (0.5, 0.5), (2, 1), (-0.5, 0)])
def test_the_leaky_kink_has_the_slope_of_smallest_norm(slope, expected):
    x = np.array([-1.0, -0.0, 0.0, 1.0])
    for function in (nn.leaky_relu, nn.parametric_relu):
        found = gradient(lambda v, f=function: f(v, slope), x)
        np.testing.assert_array_equal(found, [slope, expected, expected, 1])


@pytest.mark.parametrize(("alpha", "expected"), [(0.0, 0), (0.5, 0.5), (1.0, 1), (2.0, 1)])
def test_the_kink_of_elu_has_the_slope_of_smallest_norm(alpha, expected):
    x = np.array([-0.0, 0.0, 1.0])
    np.testing.assert_array_equal(gradient(lambda v: nn.elu(v, alpha), x), [expected, expected, 1])


@pytest.mark.parametrize("alpha", [-1.0, np.nan])
def test_elu_refuses_alpha_below_zero(alpha):
    with pytest.raises(ValueError, match=f"elu: alpha must be at least 0, received: {alpha}"):
        nn.elu(POINTS, alpha)
    with pytest.raises(ValueError, match="ELU: alpha"):
        nn.ELU(alpha)


def exact_softplus(x):
    s = exact_sigmoid(x)
    z = (1 + x.exp()).ln() if x > -60 else x.exp()  # within e^−60 of it, relatively
    return z, s, s * exact_sigmoid(-x)


def exact_elu(x):
    return (x, 1, 0) if x > 0 else (x.exp() - 1, x.exp(), x.exp() if x < 0 else 0)


def exact_gate(x, u, slope, bend):
    """x·σ(u), where u is a function of x with these derivatives."""
    if abs(u) > 10**5:  # e^−100000 is no float
        return (x, 1, 0) if x > 0 else (0, 0, 0)
    s, rest = exact_sigmoid(u), exact_sigmoid(-u)
    first = s + x * s * rest * slope
    return x * s, first, s * rest * (2 * slope + x * ((rest - s) * slope**2 + bend))


def exact_swish(x):
    return exact_gate(x, x, 1, 0)


def exact_gelu(x):
    c, a = Decimal(float(np.sqrt(8 / np.pi))), Decimal("0.044715")
    return exact_gate(x, c * (x + a * x**3), c * (1 + 3 * a * x**2), 6 * a * c * x)


@pytest.mark.parametrize(
    ("function", "exact", "tolerance"),
    [
        # a few roundings each
        (nn.softplus, exact_softplus, 2e-15),
        (nn.elu, exact_elu, 2e-15),
        (nn.swish, exact_swish, 2e-15),
        # u is near −700 where σ(u) is last above 0, and its rounding is that many times larger
        (nn.gelu, exact_gelu, 2e-12),
    ],
)
def test_values_and_two_orders_of_derivatives_are_exact_from_end_to_end(function, exact, tolerance):
    x = np.array([*FAR, -700.0, -12.0, -2.0, 2.0, 12.0])
    computed = function(x), gradient(function, x), curvature(function, x)
    for order in range(3):
        expected = [exactly(lambda a, k=order: Decimal(exact(a)[k]), entry) for entry in x]
        np.testing.assert_allclose(
            computed[order], expected, rtol=tolerance, atol=1e-300, err_msg=f"order {order}"
        )


def test_gelu_is_within_its_bound_of_the_one_with_the_error_function():
    x = np.linspace(-10, 10, 2001)
    exact = [0.5 * entry * math.erfc(-entry / math.sqrt(2)) for entry in x]
    difference = np.abs(nn.gelu(x) - exact)
    assert 4e-4 < difference.max() < 5e-4


def test_swish_has_its_limits():
    x = np.array([-3.0, 0.5, 2.0])
    np.testing.assert_array_equal(nn.swish(x, 0.0), x / 2)
    np.testing.assert_array_equal(nn.swish(x, 1000.0), [0, 0.5, 2])
    assert nn.swish(-np.inf) == 0
    assert nn.swish(-np.inf, beta=-1.0) == -np.inf
    beta = ag.Variable(0.7)
    assert_derivatives(lambda b: nn.swish(x, b), np.array([0.7, 0.7, -0.7]))
    layer = nn.Swish(beta)
    layer(x).sum().backward()
    assert layer.parameters() == [beta]
    np.testing.assert_allclose(beta.grad, gradient(lambda b: nn.swish(x, b), 0.7), rtol=1e-15)


def test_numbers_as_beta_take_on_the_dtype_and_all_keep_the_shape():
    x = np.ones(3, np.float32)
    for beta in (2, np.float64(2), [2.0, 2.0, 2.0], ag.Variable(np.float32(2))):
        assert nn.swish(x, beta).dtype == np.float32
        np.testing.assert_allclose(plain(nn.swish(x, beta)), nn.sigmoid(2 * x), rtol=1e-6)
    with pytest.raises(ValueError, match=r"^swish: x: .* beta: .*; pass one beta, or one for each"):
        nn.swish(x, np.ones((2, 1)))
    for wrong in ("a", None):
        for function in (nn.swish, nn.parametric_relu):
            with pytest.raises(TypeError, match=r"^nn: expected real numbers, received: "):
                function(x, wrong)


@pytest.mark.parametrize("function", [nn.softmax, nn.log_softmax, nn.logsumexp])
def test_an_axis_that_is_not_there_is_told(function):
    with pytest.raises(np.exceptions.AxisError, match=f"^{function.__name__}: axis 2 is out of bo"):
        function(np.ones((2, 2)), axis=2)


# --- parametric and noisy -------------------------------------------------------------------------


def test_slopes_are_learned():
    x = np.array([[-2.0, -3.0], [4.0, -5.0], [0.0, 0.0]])
    slope = ag.Variable([0.5, 0.25])
    z = nn.parametric_relu(x, slope)
    np.testing.assert_array_equal(z.data, [[-1, -0.75], [4, -1.25], [0, 0]])
    z.sum().backward()
    np.testing.assert_array_equal(slope.grad, [-2, -8])
    assert_derivatives(lambda s: np.square(nn.parametric_relu(x, s)), np.array([0.5, 0.25]))
    assert_derivatives(lambda v: np.square(nn.parametric_relu(v, slope.data)), x + 0.5)


def test_a_parametric_layer_has_one_slope_or_one_for_each_feature_along_an_axis():
    layer = nn.ParametricReLU(dtype=np.float32, name="act")
    assert [(n, p.shape, p.name) for n, p in layer.named_parameters()] == [("slope", (), "act.β")]
    z = layer(POINTS.astype(np.float32))
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z.data, nn.leaky_relu(POINTS.astype(np.float32), 0.25))
    images = np.random.default_rng(0).standard_normal((2, 3, 4, 4))
    layer = nn.ParametricReLU(features=3, axis=1)
    layer.slope.data = [0.0, 0.5, 1.0]
    expected = [nn.relu(images[:, 0]), nn.leaky_relu(images[:, 1], 0.5), images[:, 2]]
    np.testing.assert_array_equal(layer(images).data, np.stack(expected, axis=1))
    layer(images).sum().backward()
    np.testing.assert_allclose(
        layer.slope.grad, np.minimum(images, 0).sum(axis=(0, 2, 3)), rtol=1e-14
    )
    assert repr(nn.ParametricReLU(axis=1)) == "ParametricReLU()"  # where an axis says nothing
    assert repr(layer) == "ParametricReLU(features=3, axis=1)"


def test_parametric_relu_refuses_what_would_broadcast():
    layer = nn.ParametricReLU(features=3)
    message = r"expected 3 features along axis -1, received: float64 array of shape \(2, 4\)"
    with pytest.raises(ValueError, match=message):
        layer(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="expected 3 features"):
        layer(np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"expected 3 features .* float64 scalar"):
        layer(np.array(1.0))
    with pytest.raises(
        ValueError, match="ParametricReLU: features must be a whole number of at least 1"
    ):
        nn.ParametricReLU(features=0)
    for slope in (np.zeros((2, 3)), np.zeros(5), np.zeros((1, 3))):
        with pytest.raises(ValueError, match=r"parametric_relu: x: .* \(3,\), slope: .*one slope"):
            nn.parametric_relu(np.zeros(3), slope)


def test_noise_has_the_variance_of_the_lecture():
    x = np.repeat([1.0, 6.0], 40_000).reshape(2, -1)  # far enough from 0 for the second row
    rng = np.random.default_rng(2)
    n = rng.standard_normal(x.shape)
    expected = np.maximum(0, x + np.sqrt(nn.sigmoid(x)) * n)
    z = nn.noisy_relu(x, np.random.default_rng(2))
    np.testing.assert_allclose(z, expected, rtol=1e-14, atol=1e-15)
    # of 40000 numbers, the standard deviation of the mean is 0.005 and that of the variance 0.007
    np.testing.assert_allclose(z[1].mean(), 6, atol=0.025)
    np.testing.assert_allclose(z[1].var(), nn.sigmoid(6.0), atol=0.035)


def test_noise_is_for_training():
    layer = nn.NoisyReLU(np.random.default_rng(4))
    once, again = layer(POINTS), layer(POINTS)
    assert (once != again).any()
    np.testing.assert_array_equal(layer.eval()(POINTS), nn.relu(POINTS))
    np.testing.assert_array_equal(nn.NoisyReLU(np.random.default_rng(4)).train()(POINTS), once)


def test_nan_stays_nan():
    assert np.isnan(nn.softmax([np.nan, 0.0])).all()
    assert np.isnan(nn.logsumexp([np.nan, 0.0]))
    assert np.isnan(nn.logsumexp([np.nan, np.inf]))
    with np.errstate(invalid="ignore"):  # np.logaddexp warns of NaN
        for function in ELEMENTWISE:
            assert np.isnan(function(np.nan)), function.__name__


# --- derivatives, kinds of arguments --------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        *ELEMENTWISE,
        *ALONG_AN_AXIS,
        lambda x: nn.leaky_relu(x, 0.3),
        lambda x: nn.elu(x, 0.5),
        lambda x: nn.elu(x, 2.0),
        lambda x: nn.swish(x, 0.5),
        lambda x: nn.softmax(x, axis=0),
        lambda x: nn.log_softmax(x, axis=0),
        lambda x: nn.logsumexp(x, axis=0, keepdims=True),
    ],
)
def test_derivatives_to_second_order(function):
    assert_derivatives(function, POINTS)


@every
def test_arrays_lists_and_integers_give_arrays(function):
    expected = function(np.array([1.0, 2.0, 4.0]))
    assert isinstance(expected, np.ndarray | np.floating)
    for x in ([1.0, 2.0, 4.0], [1, 2, 4], np.array([1, 2, 4], np.uint8)):
        np.testing.assert_array_equal(function(x), expected)
    np.testing.assert_array_equal(function(ag.Variable([1.0, 2.0, 4.0])).data, expected)


@pytest.mark.parametrize("function", [f for f in ELEMENTWISE + ALONG_AN_AXIS if f is not nn.relu])
@pytest.mark.parametrize("x", [np.array([1j]), np.array(["a"])])
def test_what_is_not_real_is_refused(function, x):
    with pytest.raises(TypeError, match=r"nn: expected real numbers, received: .* array of shape"):
        function(x)


def test_layers_are_their_functions():
    for layer, function, text in [
        (nn.BinaryStep(), nn.binary_step, "BinaryStep()"),
        (nn.Linear(), nn.linear, "Linear()"),
        (nn.Sigmoid(), nn.sigmoid, "Sigmoid()"),
        (nn.Tanh(), np.tanh, "Tanh()"),
        (nn.ReLU(), nn.relu, "ReLU()"),
        (nn.LeakyReLU(), nn.leaky_relu, "LeakyReLU(slope=0.01)"),
        (nn.LeakyReLU(0.3), lambda x: nn.leaky_relu(x, 0.3), "LeakyReLU(slope=0.3)"),
        (nn.ParametricReLU(), lambda x: nn.leaky_relu(x, 0.25), "ParametricReLU()"),
        (nn.NoisyReLU().eval(), nn.relu, "NoisyReLU()"),
        (nn.ELU(), nn.elu, "ELU()"),
        (nn.ELU(0.5), lambda x: nn.elu(x, 0.5), "ELU(alpha=0.5)"),
        (nn.Softplus(), nn.softplus, "Softplus()"),
        (nn.Swish(), nn.swish, "Swish(beta=1.0)"),
        (nn.Swish(2.0), lambda x: nn.swish(x, 2.0), "Swish(beta=2.0)"),
        (nn.GELU(), nn.gelu, "GELU()"),
        (nn.Softmax(), nn.softmax, "Softmax()"),
        (nn.Softmax(0), lambda x: nn.softmax(x, 0), "Softmax(axis=0)"),
        (nn.LogSoftmax(), nn.log_softmax, "LogSoftmax()"),
        (nn.LogSoftmax(0), lambda x: nn.log_softmax(x, 0), "LogSoftmax(axis=0)"),
    ]:
        z = layer(ag.Variable(POINTS))
        np.testing.assert_array_equal(z.data, function(POINTS))
        assert z.scope.path == type(layer).__name__
        assert layer.formula
        assert z.scope.formula == layer.formula
        assert repr(layer) == text


def test_no_file_of_nn_defines_a_derivative_rule():
    for file in Path(nn.__file__).parent.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "primitive(" not in text.replace("autograd_lite.primitive", ""), file.name
        assert "OPERATIONS" not in text, file.name


def test_the_tests_of_this_file_would_see_a_warning():
    with pytest.raises(RuntimeWarning):
        np.exp(np.array(1000.0))


@pytest.mark.parametrize(
    ("layer", "formula"),
    [
        (nn.Sigmoid(), "Y = σ(X) = 1 / (1 + e^(−X))"),
        (nn.Softmax(), "yᵢ = e^(xᵢ) / Σⱼ e^(xⱼ)"),
        (nn.Tanh(), "Y = tanh(X)"),
        (nn.ReLU(), "Y = max(X, 0)"),
    ],
)
def test_the_scope_says_the_formula_of_the_lectures(layer, formula):
    assert layer(ag.Variable(POINTS)).scope.formula == formula


def test_numpy_numbers_as_settings_leave_float32_as_it_is():
    x = np.array([-1.0, 2.0], np.float32)
    number = np.float64(0.1)
    for z in (
        nn.elu(x, number),
        nn.ELU(number)(x),
        nn.leaky_relu(x, number),
        nn.LeakyReLU(number)(x),
        nn.parametric_relu(x, number),
    ):
        assert z.dtype == np.float32
    # values: what Python's number gives
    np.testing.assert_array_equal(nn.elu(x, number), nn.elu(x, 0.1))
    np.testing.assert_array_equal(nn.parametric_relu(x, number), nn.parametric_relu(x, 0.1))


def test_relu_takes_real_numbers_as_the_others_do():
    assert nn.relu(np.array([-1, 2])).dtype == float
    with pytest.raises(TypeError, match=r"expected real numbers, .* \(in scope 'ReLU'\)"):
        nn.ReLU()(np.array([1j]))


def test_slopes_and_generators_are_checked_when_the_layer_is_made():
    for make in (lambda: nn.LeakyReLU(np.nan), lambda: nn.leaky_relu(1.0, np.nan)):
        with pytest.raises(ValueError, match="the slope must be a number, received: nan"):
            make()
    with pytest.raises(TypeError, match=r"^NoisyReLU: rng must be a numpy.random.Generator"):
        nn.NoisyReLU(0)
    with pytest.raises(TypeError, match=r"^noisy_relu: rng must be a numpy.random.Generator"):
        nn.noisy_relu(1.0, 0)
