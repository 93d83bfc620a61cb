"""Standardisation: scikit-learn's on the same rows, constants, extremes, dtypes, as a layer."""

import re

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from nn.data import split
from nn.datasets import load_dataset
from nn.layers import FullyConnected
from nn.losses import mean_squared_error
from nn.network import Network
from nn.standardisation import Standardiser
from tests.nn.nn_checks import assert_derivatives

X = np.arange(14.0).reshape(7, 2)
HOLE = X.copy()
HOLE[[1, 3], [1, 0]] = np.nan, -np.inf


def generator(seed=0):
    return np.random.default_rng(seed)


def refuses(error, message):
    return pytest.raises(error, match="^" + re.escape(message))


def test_it_agrees_with_scikit_learn_on_unseen_rows():
    data = load_dataset("wine").X
    (training,), (unseen,) = split(data, fraction=0.3, rng=generator())
    ours, theirs = Standardiser(13).fit(training), StandardScaler().fit(training)
    for rows in (training, unseen):
        # a few roundings of numbers of size 1
        np.testing.assert_allclose(ours(rows), theirs.transform(rows), rtol=0, atol=1e-13)
        np.testing.assert_allclose(ours.invert(ours(rows)), rows, rtol=1e-13)
    assert np.abs(ours(training).mean(axis=0)).max() < 1e-13
    assert np.abs(ours(training).std(axis=0) - 1).max() < 1e-13
    assert np.abs(ours(unseen).mean(axis=0)).max() > 1e-3  # fitted on the training part alone


def test_constant_features_become_zero_and_come_back():
    # 0.1 and 1/3: their means over 7 rows are rounded, so that they seem to vary
    data = np.column_stack([X[:, 0], np.full(7, 0.1), np.zeros(7), np.full(7, 1 / 3)])
    layer = Standardiser(4).fit(data)
    assert layer.deviation.data[1:].tolist() == [1, 1, 1]
    assert layer.mean.data[1:].tolist() == [0.1, 0, 1 / 3]
    assert not layer(data)[:, 1:].any()
    assert layer(data + 2)[:, 2].tolist() == [2] * 7
    np.testing.assert_allclose(layer.invert(layer(data)), data, rtol=1e-15)


@pytest.mark.parametrize("scale", [1e-300, 1e300, 5e-324, 1.0])
def test_squares_neither_overflow_nor_vanish(scale):
    data = scale * np.array([[1.0], [3.0]])
    layer = Standardiser(1).fit(data)
    # 3·1e±300 is rounded; the rest is exact
    np.testing.assert_allclose(layer.deviation.data, scale, rtol=4e-16)
    np.testing.assert_allclose(layer(data), [[-1], [1]], rtol=8e-16)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, bool])
def test_whole_numbers_are_standardised_in_floating_point(dtype):
    data = np.array([[0], [127], [127], [1]]).astype(dtype)
    layer = Standardiser(1, dtype=np.float32).fit(data)
    expected = (data - data.astype(float).mean()) / data.astype(float).std()
    assert layer(data).dtype == np.float32
    np.testing.assert_allclose(layer(data), expected, rtol=1e-6)  # float32 has 7 digits


def test_floating_data_keep_their_dtype():
    for fitted in (np.float32, np.float64):
        layer = Standardiser(2, dtype=fitted).fit(X)
        for dtype in (np.float16, np.float32, np.float64):
            assert layer(X.astype(dtype)).dtype == dtype
            assert layer.invert(X.astype(dtype)).dtype == dtype
    tiny = Standardiser(1).fit([[0.0], [1e-50]])  # the deviation is no float32
    assert tiny(np.zeros((1, 1), np.float32)).tolist() == [[-1]]


def test_float32_is_summed_in_float64():
    # in float32, sums of 1e8 are rounded to 8, and the mean to more than its last digit
    data = (1000 + generator().random((100_001, 1))).astype(np.float32)
    layer = Standardiser(1).fit(data)
    exact = data.astype(float)
    np.testing.assert_allclose(layer.mean.data, exact.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(layer.deviation.data, exact.std(axis=0), rtol=1e-12)


def test_features_have_any_shape():
    images = generator().normal(3, 2, (5, 4, 6))
    layer = Standardiser((4, 6)).fit(images)
    assert np.array_equal(layer.mean.data, images.mean(axis=0))
    np.testing.assert_allclose(layer(images).std(axis=0), np.ones((4, 6)), rtol=1e-14)
    targets = Standardiser(()).fit(X[:, 0])
    assert targets.mean.data == 6
    assert targets.deviation.data == 4
    assert targets.invert([-1.0, 0.0, 0.5]).tolist() == [2, 6, 8]
    assert [repr(each) for each in (layer, targets, Standardiser(3))] == [
        "Standardiser((4, 6))",
        "Standardiser(())",
        "Standardiser(3)",
    ]


def test_a_network_carries_it_and_its_state():
    def network():
        return Network(
            Standardiser(2, dtype=np.float32),
            FullyConnected(2, 1, generator(), dtype=np.float32),
            loss=mean_squared_error,
        )

    first, second = network(), network()
    standardiser = first.layers[0].fit(X)
    first.fit(X, X[:, :1], epochs=2, batch_size=3, learning_rate=0.1, progress=False)
    assert np.array_equal(standardiser.mean.data, X.mean(axis=0))  # not learned
    assert len(first.parameters()) == 2
    assert first.predict(X).dtype == np.float32
    state = first.state_dict()
    assert state["layers.0.deviation"].tolist() == [4, 4]
    second.load_state_dict(state)
    assert np.array_equal(second.predict(X), first.predict(X))


def test_gradients_pass_it():
    layer = Standardiser(2).fit(X)
    assert_derivatives(layer, generator().normal(size=(3, 2)))
    assert_derivatives(layer.invert, generator().normal(size=(3, 2)))


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda layer: layer(X), "Standardiser: it has neither mean nor deviation yet; call fit(X"),
        (lambda layer: layer.invert(X), "Standardiser: it has neither mean nor deviation yet"),
        (lambda layer: layer.fit(X[:0]), "Standardiser.fit: X has no rows; pass at least one"),
        (lambda layer: layer.fit(HOLE), "Standardiser.fit: X has 2 of 14 entries that are not fin"),
        (lambda layer: layer.fit(X.T), "Standardiser: expected rows of shape (2,), received: flo"),
        (lambda layer: layer.fit(X)(X[0]), "Standardiser: expected rows of shape (2,), received: "),
        (
            lambda layer: layer.fit([[0.0, 1.7e308], [0.0, 1.7e308], [0.0, -1.7e308]]),
            "Standardiser.fit: feature 1 has mean inf and deviation nan, beyond what float64 holds",
        ),
        (
            lambda _: Standardiser(1, dtype=np.float32, name="in").fit([[0.0], [2e-50]]),
            "in.fit: feature 0 has mean 1e-50 and deviation 1e-50, beyond what float32 holds; sc",
        ),
        (
            lambda _: Standardiser(0),
            "Standardiser: features must be a whole number of at least 1, received: 0",
        ),
    ],
)
def test_what_a_standardiser_refuses(use, message):
    layer = Standardiser(2)
    with refuses(ValueError, message):
        use(layer)


def test_a_refused_fit_changes_nothing():
    layer = Standardiser(2).fit(X)
    with pytest.raises(ValueError, match="not finite"):
        layer.fit(HOLE)
    assert layer.mean.data.tolist() == [6, 7]
