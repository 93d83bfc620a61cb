"""Pooling: every window by itself, ties, padding, derivatives, layers and refusals."""

import re

import numpy as np
import pytest

import autograd_lite as ag
from nn.pooling import (
    AveragePool,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool,
    average_pool,
    global_average_pool,
    global_max_pool,
    max_pool,
)
from tests.nn.nn_checks import assert_derivatives

SETTINGS = [  # size, stride, padding, dilation
    (2, None, 0, 1),
    (2, None, 1, 1),
    (3, 1, 1, 1),
    (3, 2, 1, 1),
    ((2, 3), (1, 2), (0, 1), (2, 1)),
    (2, 2, 0, 2),
    (3, 2, "same", 1),
]


def by_window(x, size, stride, padding, dilation, reduce):
    """`reduce` of the entries of each window that are data, over two axes."""
    size, dilation = np.broadcast_to(size, 2), np.broadcast_to(dilation, 2)
    stride = np.broadcast_to(size if stride is None else stride, 2)
    reach = dilation * (size - 1) + 1
    if padding == "same":
        windows = -(-np.array(x.shape[2:]) // stride)
        missing = np.maximum((windows - 1) * stride + reach - x.shape[2:], 0)
        before, after = missing // 2, missing - missing // 2
    else:
        before = after = np.broadcast_to(padding, 2)
    space = (np.array(x.shape[2:]) + before + after - reach) // stride + 1
    z = np.zeros((*x.shape[:2], *space))
    for n, c, i, j in np.ndindex(*z.shape):
        entries = []
        for k in np.ndindex(*size):
            at = stride * (i, j) + dilation * k - before
            if (at >= 0).all() and (at < x.shape[2:]).all():
                entries.append(x[n, c, at[0], at[1]])
        z[n, c, i, j] = reduce(entries)
    return z


def data(shape=(2, 3, 7, 8)):
    """Distinct negative numbers, so that padding would win, and no two entries tie."""
    rng = np.random.default_rng(0)
    return rng.permutation(np.arange(1.0, np.prod(shape) + 1)).reshape(shape) / -50


@pytest.mark.parametrize(("size", "stride", "padding", "dilation"), SETTINGS)
def test_every_window(size, stride, padding, dilation):
    x = data()
    settings = size, stride, padding, dilation
    largest = max_pool(x, *settings)
    assert type(largest) is np.ndarray
    np.testing.assert_array_equal(largest, by_window(x, *settings, np.max))
    mean = by_window(x, *settings, np.mean)
    np.testing.assert_allclose(average_pool(x, *settings), mean, rtol=1e-14)  # nine numbers summed
    np.testing.assert_array_equal(max_pool(ag.Variable(x), *settings).data, largest)


def test_padding_counts_when_asked():
    x = np.array([[[3.0, 6.0]]])
    np.testing.assert_array_equal(average_pool(x, 2, padding=1), [[[3.0, 6.0]]])
    z = average_pool(x, 2, padding=1, count_padding=True)
    np.testing.assert_array_equal(z, [[[1.5, 3.0]]])


@pytest.mark.parametrize("pool", [max_pool, average_pool])
@pytest.mark.parametrize(("size", "stride", "padding", "dilation"), SETTINGS)
def test_derivatives(pool, size, stride, padding, dilation):
    x = data((1, 2, 5, 6))  # entries differ by 0.02, the differences step by 0.002 at most
    settings = size, stride, padding, dilation
    assert_derivatives(lambda v: pool(v, *settings) ** 3, x, tolerance=1e-8)


@pytest.mark.parametrize(
    ("size", "stride", "x", "expected"),
    [
        (2, None, [[1, 1], [1, 1]], [[1 / 4] * 2] * 2),
        (2, None, [[5, 5], [5, 1]], [[1 / 3, 1 / 3], [1 / 3, 0]]),
        (2, None, [[5, 1], [1, 5]], [[1 / 2, 0], [0, 1 / 2]]),
        # two windows, (0, 1) and (1, 2), share their middle
        ((1, 2), 1, [[3, 3, 2]], [[1 / 2, 3 / 2, 0]]),
    ],
)
def test_ties_share_equally(size, stride, x, expected):
    v = ag.Variable(np.array([[x]], float))
    z = max_pool(v, size, stride)
    np.testing.assert_allclose(ag.gradients(np.sum(z), v)[0, 0], expected, rtol=1e-15)
    g = ag.gradients(np.sum(z), v, create_graph=True)
    np.testing.assert_allclose(g.data[0, 0], expected, rtol=1e-15)


def test_a_tie_beside_a_nan():
    """As many entries attain a maximum as there are maxima, and yet one is shared."""
    v = ag.Variable(np.array([[[1.0, 1.0, np.nan, 0.0]]]))
    z = max_pool(v, 2)
    np.testing.assert_array_equal(z.data, [[[1.0, np.nan]]])
    np.testing.assert_array_equal(ag.gradients(np.sum(z), v), [[[0.5, 0.5, 0.0, 0.0]]])


def test_gradients_fall_on_data_alone():
    x = ag.Variable(data((1, 1, 3, 3)))
    for pool in (max_pool, average_pool):
        z = pool(x, 3, 1, 1)
        g = ag.gradients(np.sum(z), x)
        np.testing.assert_allclose(g.sum(), z.size, rtol=1e-14)  # nothing went to the padding


def test_one_and_three_axes():
    x = data((2, 3, 4, 6, 5))
    expected = x[:, :, :, :, :4].reshape(2, 3, 2, 2, 3, 2, 2, 2).max(axis=(3, 5, 7))
    np.testing.assert_array_equal(max_pool(x, 2), expected)
    row = x[:, :, 0, 0]
    np.testing.assert_array_equal(max_pool(row, 2), row[..., :4].reshape(2, 3, 2, 2).max(axis=3))


def test_global():
    x = data((2, 3, 4, 5))
    np.testing.assert_array_equal(global_max_pool(x), x.max(axis=(2, 3)))
    np.testing.assert_allclose(global_average_pool(x), x.mean(axis=(2, 3)), rtol=1e-14)
    np.testing.assert_array_equal(GlobalMaxPool()(x[..., 0]), x[..., 0].max(axis=2))
    v = ag.Variable(x)
    g = ag.gradients(np.sum(GlobalAveragePool()(v)), v)
    np.testing.assert_allclose(g, np.full(x.shape, 1 / 20), rtol=1e-15)
    assert_derivatives(lambda v: global_max_pool(v) ** 2, x[:1, :2], tolerance=1e-8)


@pytest.mark.parametrize("pool", [max_pool, average_pool])
@pytest.mark.parametrize("padding", [0, 1, "same"])
def test_float32_stays(pool, padding):
    x = ag.Variable(data().astype(np.float32))
    z = pool(x, 3, 2, padding)
    assert z.dtype == np.float32
    assert ag.gradients(np.sum(z), x, create_graph=True).dtype == np.float32
    np.testing.assert_allclose(z.data, pool(x.data.astype(float), 3, 2, padding), rtol=1e-6)


def test_integers_are_numbers():
    np.testing.assert_array_equal(max_pool(np.array([[[1, 4, 2]]]), 3, 1, 1), [[[4.0, 4.0, 4.0]]])


def test_layers():
    x = data()
    np.testing.assert_array_equal(MaxPool(3, 2, 1)(x), max_pool(x, 3, 2, 1))
    layer = AveragePool(3, 2, 1, count_padding=True, name="pool1")
    np.testing.assert_array_equal(layer(x), average_pool(x, 3, 2, 1, count_padding=True))
    assert not layer.parameters()
    assert repr(layer) == "AveragePool(3, stride=2, padding=1)"
    assert repr(MaxPool((2, 1), dilation=2)) == "MaxPool((2, 1), dilation=2)"


X = np.ones((2, 4, 8, 7))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: max_pool(X[0, 0], 2), "max_pool: expected an array (batch, channels, *space)"),
        (lambda: max_pool(X[:0], 2), "max_pool: expected at least one sample, channel and entry"),
        (lambda: max_pool(X, 9), "max_pool: expected an input of at least 9×9, which is how far"),
        (lambda: max_pool(X, (2, 2, 2)), "size takes a number from 1 on, or 2 of them"),
        (lambda: max_pool(X, 0), "max_pool: size takes a number from 1 on, or 2 of them"),
        (lambda: average_pool(X, 2, stride=0), "average_pool: stride takes a number from 1 on"),
        (
            lambda: average_pool(X, 2, padding="valid"),
            "average_pool: padding is 'same' or",
        ),
        (lambda: max_pool(X, 2, padding=2), "max_pool: expected data in every window, received"),
        (lambda: average_pool(X[..., :1], 2, 1, 1, 2), "some hold nothing but padding; pad less"),
        (lambda: global_max_pool(X[:0]), "global_max_pool: expected at least one sample"),
        (lambda: global_average_pool(X[0, 0]), "global_average_pool: expected an array (batch,"),
        (lambda: MaxPool(9, name="pool1")(X), "received 8×7 (in scope 'pool1')"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_refusals_of_kinds():
    with pytest.raises(TypeError, match=r"max_pool: size takes whole numbers, received: 2\.0"):
        max_pool(X, 2.0)
    with pytest.raises(TypeError, match="expected real numbers"):
        max_pool(X.astype(complex), 2)


@pytest.mark.parametrize("layer", [MaxPool, AveragePool])
@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"size": 0}, ValueError, "size takes a number from 1 on, received: 0"),
        ({"size": "a"}, TypeError, "size takes whole numbers, received: 'a'"),
        ({"size": 2.0}, TypeError, "size takes whole numbers, received: 2.0"),
        ({"size": 2, "stride": 0}, ValueError, "stride takes a number from 1 on, received: 0"),
        ({"size": 2, "padding": -1}, ValueError, "padding takes a number from 0 on"),
        ({"size": 2, "padding": "valid"}, ValueError, "padding is 'same' or a number for each"),
        ({"size": 2, "dilation": 0}, ValueError, "dilation takes a number from 1 on"),
        ({"size": (2, 0)}, ValueError, "size takes a number from 1 on, or 2 of them, received:"),
        ({"size": (2, 2), "stride": (1, 1, 1)}, ValueError, "size takes a number from 1 on, or 3"),
    ],
)
def test_settings_are_checked_when_the_layer_is_made(layer, settings, error, message):
    with pytest.raises(error, match="^pool1: " + re.escape(message)):
        layer(**settings, name="pool1")
    with pytest.raises(error, match=f"^{layer.__name__}: " + re.escape(message)):
        layer(**settings)


def test_settings_that_fit_are_kept_as_they_are():
    assert repr(MaxPool((2, 3), padding="same")) == "MaxPool((2, 3), padding='same')"
    assert MaxPool(2, stride=(1, 2)).stride == (1, 2)
