"""Real data: accuracies that networks must reach, and models whose best parameters are known."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import nn


@pytest.fixture(autouse=True)
def _one_thread():
    """The matrices are small, and threads of several test processes wait for each other."""
    with threadpool_limits(1):
        yield


def parts(name):
    """Rows to train on and 30 % to test with, every class in both, standardised by the former."""
    data = nn.load_dataset(name)
    rng = np.random.default_rng(0)
    (X, y), (X_test, y_test) = nn.split(data.X, data.y, fraction=0.3, rng=rng, stratify=data.y)
    standardiser = nn.Standardiser(X.shape[1]).fit(X)
    return (standardiser(X), y), (standardiser(X_test), y_test)


# --- accuracies on rows that were not trained on --------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"), [("breast_cancer", 0.95), ("wine", 0.96), ("iris", 0.93)]
)
def test_small_networks_tell_classes_apart(name, expected):
    (X, y), test = parts(name)
    rng = np.random.default_rng(0)
    network = nn.Network(
        nn.FullyConnected(X.shape[1], 16, rng),
        nn.Tanh(),
        nn.FullyConnected(16, y.max() + 1, rng),
        loss=nn.cross_entropy_from_logits,
    )
    adam = nn.Adam(network.parameters(), learning_rate=0.01)
    network.fit(X, y, epochs=30, batch_size=16, optimiser=adam, rng=rng, progress=False)
    assert network.evaluate(*test).accuracy >= expected


def test_a_convolutional_network_reads_digits():
    data = nn.load_dataset("digits")
    images = data.X.reshape(-1, 1, *data.image_shape).astype(np.float32) / 16
    rng = np.random.default_rng(0)
    (X, y), test = nn.split(images, data.y, fraction=0.3, rng=rng, stratify=data.y)
    single = {"dtype": np.float32}
    he = {"initialiser": nn.initialisers.he_uniform, **single}
    network = nn.Network(
        nn.Convolution2D(1, 16, 3, rng, padding="same", **he),
        nn.BatchNorm(16, **single),
        nn.ReLU(),
        nn.MaxPool(2),
        nn.Convolution2D(16, 32, 3, rng, padding="same", **he),
        nn.BatchNorm(32, **single),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.5, rng),
        nn.FullyConnected(32 * 4 * 4, 10, rng, **single),
        loss=nn.cross_entropy_from_logits,
    )
    adam = nn.Adam(network.parameters(), learning_rate=0.005)
    schedule = nn.Schedule(adam, nn.CosineDecay(12 * 40))
    settings = {"optimiser": adam, "schedule": schedule, "rng": rng, "progress": False}
    network.fit(X, y, epochs=12, batch_size=32, **settings)
    assert network.predict(test[0]).dtype == np.float32
    assert network.evaluate(*test).accuracy >= 0.975


# --- models whose best parameters are known -------------------------------------------------------


def trained(layer, loss, X, y, *, learning_rate, momentum, steps):
    """The layer after so many steps on all rows, by Nesterov's gradient."""
    sgd = nn.SGD(layer.parameters(), learning_rate, momentum=momentum, nesterov=True)
    trainer = nn.Trainer(layer, loss, sgd)
    trainer.fit(X, y, epochs=steps, batch_size=len(X), progress=False)
    return layer


def test_one_layer_converges_to_least_squares():
    data = nn.load_dataset("diabetes")
    X = nn.Standardiser(10).fit(data.X)(data.X)
    layer = trained(
        nn.FullyConnected(10, 1, np.random.default_rng(0)),
        nn.mean_squared_error,
        X,
        data.y[:, None],
        learning_rate=0.1,
        momentum=0.95,
        steps=1200,
    )
    best = np.linalg.lstsq(nn.augmented(X), data.y)[0]
    # the error shrinks by √momentum a step: 1200 of them take 0.95^600 = 4e-14 of 150 away
    np.testing.assert_allclose(layer.augmented_weight().data[:, 0], best, rtol=0, atol=1e-6)


@pytest.mark.parametrize("strength", [1.0, 10.0])
@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_logistic_regression_converges_to_scikit_learn_s(name, strength):
    (X, y), _ = parts(name)
    theirs = LogisticRegression(C=1 / strength, tol=1e-10, max_iter=10_000).fit(X, y)
    outputs = len(theirs.coef_)
    layer = nn.FullyConnected(X.shape[1], outputs, np.random.default_rng(0))
    if outputs == 1:
        surprise, targets = nn.binary_cross_entropy_from_logits, y[:, None]
    else:
        surprise, targets = nn.cross_entropy_from_logits, y

    def loss(logits, t):  # theirs sums over rows, has half the squares, and leaves the bias out
        return surprise(logits, t) + strength / (2 * len(X)) * nn.l2_penalty(layer.weight)

    trained(layer, loss, X, targets, learning_rate=0.5, momentum=0.95, steps=1000)
    np.testing.assert_allclose(layer.weight.data.T, theirs.coef_, rtol=0, atol=1e-4)
    np.testing.assert_allclose(layer.bias.data, theirs.intercept_, rtol=0, atol=1e-4)
