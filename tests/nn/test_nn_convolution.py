"""Convolution and its transpose: sums written out, derivatives, shapes, layers and refusals."""

import re

import numpy as np
import pytest

import autograd_lite as ag
from nn.convolution import convolution, transposed_convolution
from nn.convolution_layers import (
    Convolution1D,
    Convolution2D,
    TransposedConvolution1D,
    TransposedConvolution2D,
)
from tests.nn.nn_checks import assert_derivatives

SETTINGS = [  # stride, padding, dilation, groups
    (1, 0, 1, 1),
    (2, 1, 1, 1),
    (1, 2, 2, 2),
    (3, 1, 2, 1),
    ((2, 1), (0, 2), (1, 3), 2),
]


def written_out(x, weight, bias, stride, padding, dilation, groups):
    """The sum of the docstring, term by term, over two axes."""
    (s, t), (p, q), (d, e) = (np.broadcast_to(v, 2) for v in (stride, padding, dilation))
    outputs, share, height, width = weight.shape
    batch, _, rows, columns = x.shape
    rows = (rows + 2 * p - d * (height - 1) - 1) // s + 1
    columns = (columns + 2 * q - e * (width - 1) - 1) // t + 1
    z = np.zeros((batch, outputs, rows, columns)) + bias[:, None, None]
    for n, o, i, j in np.ndindex(*z.shape):
        first = o // (outputs // groups) * share
        for c, k, m in np.ndindex(share, height, width):
            row, column = s * i + d * k - p, t * j + e * m - q
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                z[n, o, i, j] += weight[o, c, k, m] * x[n, first + c, row, column]
    return z


def arrays(seed=0, groups=1):
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal((2, 4, 8, 7)),
        rng.standard_normal((6, 4 // groups, 3, 2)),
        rng.standard_normal(6),
    )


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), SETTINGS)
def test_every_term_of_the_sum(stride, padding, dilation, groups):
    x, weight, bias = arrays(groups=groups)
    expected = written_out(x, weight, bias, stride, padding, dilation, groups)
    z = convolution(x, weight, bias, stride, padding, dilation, groups)
    assert type(z) is np.ndarray
    np.testing.assert_allclose(z, expected, rtol=1e-12, atol=1e-12)  # 25 terms near 1
    recorded = convolution(ag.Variable(x), weight, bias, stride, padding, dilation, groups)
    np.testing.assert_array_equal(recorded.data, z)


def test_known_numbers():
    x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    kernel = np.array([[[[1.0, 0.0], [0.0, -1.0]]]])  # not flipped: upper left minus lower right
    np.testing.assert_array_equal(convolution(x, kernel), np.full((1, 1, 2, 2), -4.0))
    padded = [[-1, -2, -3, 0], [-4, -4, -4, 3], [-7, -4, -4, 6], [0, 7, 8, 9]]
    np.testing.assert_array_equal(convolution(x, kernel, padding=1)[0, 0], padded)


def test_three_axes_of_space():
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((2, 3, 4, 5, 6)), rng.standard_normal((2, 3, 2, 2, 3))
    z = convolution(x, weight, stride=(1, 2, 1))
    assert z.shape == (2, 2, 3, 2, 4)
    expected = np.sum(x[1, :, 2:4, 2:4, 3:6] * weight[1])
    np.testing.assert_allclose(z[1, 1, 2, 1, 3], expected, rtol=1e-12)


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), SETTINGS)
@pytest.mark.parametrize("which", [0, 1, 2])
def test_derivatives(stride, padding, dilation, groups, which):
    x, weight, bias = arrays(groups=groups)
    given = [x[:1, :, :6, :5], weight, bias]

    def f(v):
        return convolution(
            *given[:which], v, *given[which + 1 :], stride, padding, dilation, groups
        )

    # the square makes it depend on v to second order: values near 5, with 1e-12 of their squares
    assert_derivatives(lambda v: f(v) ** 2, given[which], tolerance=1e-8)


def test_mixed_second_derivative():
    """∂²/∂W∂x of Σ z·u, which each alone does not have, is the convolution's bilinear form."""
    x, weight, _ = arrays()
    v, W = ag.Variable(x), ag.Variable(weight)
    rng = np.random.default_rng(3)
    z = convolution(v, W, stride=2, padding=1)
    u, a, b = (rng.standard_normal(shape) for shape in (z.shape, x.shape, weight.shape))
    slope = np.sum(ag.gradients(z, v, u, create_graph=True) * a)
    second = np.sum(ag.gradients(slope, W) * b)
    expected = np.sum(convolution(a, b, stride=2, padding=1) * u)
    np.testing.assert_allclose(second, expected, rtol=1e-11)


@pytest.mark.parametrize("n", range(3, 9))
@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding(n, size, stride, dilation):
    x = np.arange(1.0, n + 1).reshape(1, 1, n)
    z = convolution(x, np.ones((1, 1, size)), None, stride, "same", dilation)
    assert z.shape == (1, 1, -(-n // stride))
    missing = max((z.shape[2] - 1) * stride + dilation * (size - 1) + 1 - n, 0)
    padded = np.pad(x[0, 0], (missing // 2, missing - missing // 2))
    places = np.arange(z.size)[:, None] * stride + np.arange(size) * dilation
    expected = padded[places].sum(axis=1)
    np.testing.assert_array_equal(z[0, 0], expected)


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), SETTINGS)
@pytest.mark.parametrize("rest", [0, 1])
def test_the_transpose_is_the_gradient(stride, padding, dilation, groups, rest):
    """Of the convolution with respect to its input, whose rest after the last stride comes back."""
    _, weight, _ = arrays(groups=groups)
    s, p, d = (np.broadcast_to(v, 2) for v in (stride, padding, dilation))
    rest = np.minimum(rest, s - 1)
    space = 2 * s + d * (np.array([3, 2]) - 1) + 1 - 2 * p + rest
    x = ag.Variable(np.random.default_rng(1).standard_normal((2, 4, *space)))
    z = convolution(x, weight, None, stride, padding, dilation, groups)
    g = np.random.default_rng(2).standard_normal(z.shape)
    transposed = transposed_convolution(
        g, weight, None, stride, padding, dilation, groups, tuple(rest)
    )
    np.testing.assert_allclose(transposed, ag.gradients(z, x, g), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_derivatives_of_the_transpose(which):
    rng = np.random.default_rng(0)
    given = [rng.standard_normal((1, 4, 3, 2)), rng.standard_normal((4, 3, 3, 2)), np.zeros(6)]

    def f(v):
        return transposed_convolution(*given[:which], v, *given[which + 1 :], 2, 1, 1, 2, (1, 0))

    assert_derivatives(lambda v: f(v) ** 2, given[which], tolerance=1e-8)


def test_output_padding_beyond_the_last_phase():
    z = transposed_convolution(np.ones((1, 1, 2)), np.ones((1, 1, 1)), np.ones(1), 1, 0, 3, 1, 2)
    np.testing.assert_array_equal(z, [[[2.0, 2.0, 1.0, 1.0]]])  # nothing but bias is there
    z = transposed_convolution(np.ones((1, 1, 3)), np.ones((1, 1, 2)), None, 1, 1, 3, 1, 2)
    np.testing.assert_array_equal(z, [[[1.0, 1.0, 1.0, 1.0, 1.0, 0.0]]])  # of 6, the first cut off


@pytest.mark.parametrize("layer", [Convolution2D, TransposedConvolution2D])
@pytest.mark.parametrize(
    "settings", [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "groups": 2}]
)
def test_float32_stays(layer, settings):
    net = layer(2, 4, 3, rng=np.random.default_rng(0), dtype=np.float32, **settings)
    x = ag.Variable(np.ones((2, 2, 9, 9), np.float32))
    z = net(x)
    assert z.dtype == np.float32
    for g in ag.gradients(np.sum(z), [x, *net.parameters()], create_graph=True):
        assert g.dtype == np.float32
    wide = layer(2, 4, 3, rng=np.random.default_rng(0), **settings)
    np.testing.assert_allclose(z.data, wide(x.data).data, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("padding", [0, 1])
def test_results_do_not_depend_on_the_layout(padding):
    x, weight, bias = arrays()
    other = np.asfortranarray(x)
    z = convolution(x, weight, bias, padding=padding)
    np.testing.assert_array_equal(convolution(other, weight, bias, padding=padding), z)


def test_a_layer_draws_names_and_computes():
    layer = Convolution2D(4, 6, (3, 2), np.random.default_rng(5), groups=2, name="conv1")
    again = Convolution2D(4, 6, (3, 2), np.random.default_rng(5), groups=2)
    np.testing.assert_array_equal(layer.weight.data, again.weight.data)
    assert layer.weight.shape == (6, 2, 3, 2)
    # fans of 2·6 and 3·6 entries: √(6/30)
    assert 0.9 * np.sqrt(6 / 30) < np.abs(layer.weight.data).max() <= np.sqrt(6 / 30)
    assert [(name, v.name) for name, v in layer.named_parameters()] == [
        ("weight", "conv1.W"),
        ("bias", "conv1.bias"),
    ]
    x = arrays()[0]
    z = layer(x)
    expected = written_out(x, layer.weight.data, np.zeros(6), 1, 0, 1, 2)
    np.testing.assert_allclose(z.data, expected, rtol=1e-12, atol=1e-12)
    assert z.scope.path == "conv1"
    assert Convolution1D(2, 3, 2, bias=False).parameters()[0].shape == (3, 2, 2)
    assert TransposedConvolution1D(4, 6, 3, groups=2).weight.shape == (4, 3, 3)


def test_groups_are_drawn_each_by_itself():
    seen = []

    def initialiser(shape, rng):
        seen.append(shape)
        return np.full(shape, len(seen))

    layer = Convolution1D(4, 6, 3, groups=2, initialiser=initialiser)
    transposed = TransposedConvolution1D(4, 6, 3, groups=2, initialiser=initialiser)
    assert seen == [(3, 2, 3)] * 4  # outputs, channels, size, whichever way they are then kept
    np.testing.assert_array_equal(layer.weight.data[:, 0, 0], [1, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal(transposed.weight.data[:, 0, 0], [3, 3, 4, 4])
    with pytest.raises(
        ValueError, match="c1: expected an initialiser that gives an array of shape"
    ):
        Convolution1D(1, 2, 3, name="c1", initialiser=lambda shape, rng: np.ones(3))


def test_representations():
    assert repr(Convolution1D(2, 3, 5, padding="same")) == "Convolution1D(2, 3, 5, padding='same')"
    layer = TransposedConvolution2D(4, 6, (3, 2), stride=2, groups=2, bias=False)
    assert repr(layer) == "TransposedConvolution2D(4, 6, (3, 2), stride=2, groups=2, bias=False)"


@pytest.mark.parametrize("shape", [(2, 3, 9), (2, 3, 9, 9)])
def test_a_window_view_where_nothing_is_skipped(shape):
    """One view for all windows at stride 1; a slice per place in the kernel otherwise."""
    x, weight = ag.Variable(np.ones(shape)), np.ones((1, 3, *(3,) * (len(shape) - 2)))
    names = []
    for stride in (1, 2):
        z = convolution(x, weight, stride=stride)
        names.append([v.operation.name for v in ag.tape() if v.number <= z.number])
        del z
    assert names[0].count("sliding_window_view") == 1
    assert names[1].count("getitem") == 3 ** (len(shape) - 2)


X, W = np.ones((2, 4, 8, 7)), np.ones((6, 4, 3, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: convolution(X[0], W), "expected an array (batch, channels, height, width)"),
        (lambda: convolution(X, W[0]), "expected an array (batch, channels, length)"),
        (lambda: convolution(X, W[0, 0]), "expected a weight (outputs, channels / groups, *size)"),
        (lambda: convolution(X, W[:0]), "expected a weight (outputs, channels / groups, *size)"),
        (
            lambda: convolution(X[:0], W),
            "at least one sample, channel and entry, received: ",
        ),
        (lambda: convolution(X[:, :3], W), "expected 4 channels, on axis 1, for a weight of shape"),
        (lambda: convolution(X, W, groups=2), "expected 8 channels"),
        (lambda: convolution(X, W[:, :1], groups=4), "expected groups that divide the 6 outputs"),
        (lambda: convolution(X, W, groups=0), "groups takes a number from 1 on, received: 0"),
        (lambda: convolution(X, W, np.ones(5)), "expected a bias of shape (6,), received: float64"),
        (lambda: convolution(X[:, :, :2], W), "expected an input of at least 3×2"),
        (
            lambda: convolution(X[:, :, :1], W, padding=(1, 0), dilation=2),
            "expected an input of at least 5×3, which is how far a window reaches, received 1×7, "
            "with padding 3×7",
        ),
        (lambda: convolution(X, W, stride=0), "stride takes a number from 1 on, or 2 of them"),
        (lambda: convolution(X, W, stride=(1, 1, 1)), "received: (1, 1, 1)"),
        (lambda: convolution(X, W, padding=-1), "padding takes a number from 0 on"),
        (lambda: convolution(X, W, padding="full"), "padding is 'same' or a number for each axis"),
        (lambda: convolution(X, W, dilation=0), "dilation takes a number from 1 on"),
        (lambda: transposed_convolution(X, W), "expected 6 channels"),
        (lambda: transposed_convolution(X, W[:4], groups=3), "divide the 4 channels"),
        (
            lambda: transposed_convolution(X, W[:4], stride=2, output_padding=2),
            "expected an output_padding below the stride or the dilation, received: 2",
        ),
        (lambda: transposed_convolution(X, W[:4], padding=5), "leaves nothing of the output"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        call()
    assert str(caught.value).startswith(("convolution: ", "transposed_convolution: "))


def test_refusals_of_kinds():
    with pytest.raises(TypeError, match=r"convolution: stride takes whole numbers, received: 1\.5"):
        convolution(X, W, stride=1.5)
    with pytest.raises(TypeError, match="size takes whole numbers"):
        Convolution1D(1, 1, 2.0)


def test_messages_name_the_layer():
    layer = Convolution2D(3, 2, 5, name="conv1")
    with pytest.raises(ValueError, match=r"expected 3 channels.*\(in scope 'conv1'\)"):
        layer(X)
    with pytest.raises(ValueError, match=r"at least 5×5.*received 4×7 \(in scope 'conv1'\)"):
        layer(X[:, :3, :4])
    with pytest.raises(ValueError, match=r"conv2: expected groups that divide.*groups=2"):
        Convolution2D(3, 2, 5, groups=2, name="conv2")
    with pytest.raises(ValueError, match="TransposedConvolution1D: size takes a number from 1 on"):
        TransposedConvolution1D(1, 1, 0)
    with pytest.raises(TypeError, match="padding takes whole numbers, received: 'same'"):
        TransposedConvolution1D(1, 1, 2, padding="same")
