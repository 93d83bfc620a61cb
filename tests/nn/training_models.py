"""Small data, models and trainers, on which the tests of training are made."""

import numpy as np

import nn


def data(rows=23):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((rows, 3))
    return X, (X @ [1.0, -1.0, 0.5] > 0).astype(int)


def model(seed=0, dropout=0.25):
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.FullyConnected(3, 6, rng, name="fc1"),
        nn.BatchNorm(6),
        nn.Tanh(),
        nn.Dropout(dropout, np.random.default_rng(seed + 1)),
        nn.FullyConnected(6, 2, rng, name="fc2"),
    )


def trainer(module=None, loss=nn.cross_entropy_from_logits, optimiser=None, **settings):
    module = module or model()
    optimiser = optimiser or nn.Adam(module.parameters(), 0.01)
    rng = np.random.default_rng(7)
    return nn.Trainer(module, loss, optimiser, **{"rng": rng, **settings})


def fit(found, X=None, y=None, **settings):
    X, y = data() if X is None else (X, y)
    return found.fit(X, y, **{"epochs": 2, "batch_size": 5, "progress": False, **settings})


def line(loss=nn.mean_squared_error, rate=0.1, **settings):
    """A trainer of one weight and one bias, and nothing that is random but the order of rows."""
    module = nn.FullyConnected(1, 1, np.random.default_rng(0), name="fc")
    return trainer(module, loss, nn.SGD(module.parameters(), rate), **settings)


def assert_same(a, b):
    """Two nests are equal, bit for bit."""
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    else:
        assert a == b or (a != a and b != b)
