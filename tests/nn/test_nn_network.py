import re
import sys
from itertools import chain

import numpy as np
import pytest

import autograd_lite as ag
import nn

XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])


def small(seed=0, loss=None, dtype=float):
    rng = np.random.default_rng(seed)
    return nn.Network(
        nn.FullyConnected(2, 8, rng, dtype=dtype),
        nn.Tanh(),
        nn.FullyConnected(8, 2, rng, dtype=dtype),
        nn.Softmax(),
        loss=loss or nn.CrossEntropy(),
    )


def linear(loss=nn.mean_squared_error):
    return nn.Network(nn.FullyConnected(2, 1, np.random.default_rng(0)), loss=loss)


def train(network, data=XOR, **settings):
    defaults = {"epochs": 3, "batch_size": 2, "rng": np.random.default_rng(1), "progress": False}
    if "optimiser" not in settings:
        defaults["learning_rate"] = 0.5
    network.fit(*data, **{**defaults, **settings})
    return network


def parameters_of(network):
    return [parameter.data.copy() for parameter in network.parameters()]


def assert_same_parameters(network, expected):
    for parameter, value in zip(network.parameters(), expected, strict=True):
        np.testing.assert_array_equal(parameter.data, value, err_msg=parameter.name)


# --- training ---------------------------------------------------------------------------------


def test_it_learns_xor_from_labels_and_from_one_hot_rows():
    X, y = XOR
    for targets in (y, np.eye(2)[y]):
        network = train(small(), (X, targets), epochs=300)
        np.testing.assert_array_equal(network.predict(X).argmax(axis=1), y)
        loss, accuracy, _ = network.evaluate(X, targets)
        assert accuracy == 1.0
        assert loss < 0.05
        assert network.loss_history[-1] < 0.1 < network.loss_history[0]


def test_it_finds_the_line_through_points():
    X = np.random.default_rng(0).standard_normal((50, 2))
    y = X @ np.array([[2.0], [-1.0]]) + 0.5
    network = train(linear(), (X, y), epochs=200, batch_size=10, learning_rate=0.1)
    np.testing.assert_allclose(network.layers[0].weight.data, [[2], [-1]], atol=1e-10)
    np.testing.assert_allclose(network.layers[0].bias.data, [0.5], atol=1e-10)
    assert network.evaluate(X, y)[:2] == (pytest.approx(0, abs=1e-18), None)


def test_one_step_is_gradient_descent_on_the_whole_batch():
    X, y = XOR
    network, twin = small(), small()
    train(network, epochs=1, batch_size=4, learning_rate=0.5)
    loss = twin.loss(twin(X), y)
    loss.backward()
    for trained, before in zip(network.parameters(), twin.parameters(), strict=True):
        # the rows come in another order, and sums round differently
        np.testing.assert_allclose(trained.data, before.data - 0.5 * before.grad, atol=1e-15)
    assert network.loss_history == [pytest.approx(loss.item(), rel=1e-15)]


def test_every_row_comes_once_an_epoch_in_a_shuffled_order_and_the_last_batch_is_kept():
    seen = []

    def loss(x, t):
        seen.append(t.ravel().tolist())
        return nn.mean_squared_error(x, t)

    X, y = np.zeros((7, 2)), np.arange(7.0)[:, None]
    train(linear(loss), (X, y), epochs=2, batch_size=3, rng=np.random.default_rng(4))
    assert [len(batch) for batch in seen] == [3, 3, 1, 3, 3, 1]
    first, second = [*chain(*seen[:3])], [*chain(*seen[3:])]
    assert sorted(first) == sorted(second) == list(range(7))
    assert first != second
    assert first != sorted(first)
    rng = np.random.default_rng(4)
    assert [first, second] == [rng.permutation(7).tolist(), rng.permutation(7).tolist()]


def test_the_history_is_the_mean_over_each_epoch_weighted_by_rows():
    y = np.array([[1.0], [1.0], [4.0]])
    network = linear()
    train(network, (np.zeros((3, 2)), y), epochs=2, batch_size=2, learning_rate=1e-300)
    # the prediction stays 0: the mean of all squares, whatever the batches are
    np.testing.assert_allclose(network.loss_history, [6.0, 6.0], rtol=1e-15)
    assert len(network.batch_losses) == 4
    assert set(network.batch_losses) <= {1.0, 8.5, 16.0}


def test_training_goes_on_where_it_stopped_and_the_seed_decides_everything():
    rng = np.random.default_rng(1)
    network = train(train(small(), epochs=2, rng=rng), epochs=3, rng=rng)
    in_one = train(small(), epochs=5, rng=np.random.default_rng(1))
    assert_same_parameters(in_one, parameters_of(network))
    assert network.loss_history == in_one.loss_history
    other = train(small(), epochs=5, rng=np.random.default_rng(2))
    assert other.loss_history != in_one.loss_history


def test_an_optimiser_of_ones_own_is_used():
    network = small()
    calls = []

    class Still:
        def zero_grad(self):
            calls.append("zero_grad")

        def step(self):
            calls.append("step")

    before = parameters_of(network)
    train(network, optimiser=Still(), epochs=1)
    assert calls == ["zero_grad", "step"] * 2
    assert_same_parameters(network, before)
    sgd = nn.SGD(network.parameters(), 0.5)
    twin = small()
    assert_same_parameters(train(network, optimiser=sgd), parameters_of(train(twin)))


def test_an_interruption_keeps_what_was_learned():
    network, calls = small(), []

    def loss(x, t):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return nn.cross_entropy(x, t)

    network.loss = loss
    with pytest.raises(KeyboardInterrupt):
        train(network, epochs=10)
    assert len(network.loss_history) == 2  # of two batches each, and one more batch
    assert len(network.batch_losses) == 5
    assert np.isfinite(network.predict(XOR[0])).all()
    assert (network.layers[0].weight.data != small().layers[0].weight.data).any()


def test_data_meet_the_parameters_in_their_dtype():
    X, y = XOR
    network = train(small(dtype=np.float32), (X, np.eye(2)[y]))
    assert network.predict(X).dtype == np.float32
    assert all(p.dtype == np.float32 for p in network.parameters())
    assert small().predict(X.astype(int)).dtype == float
    dtypes = []

    def loss(x, t):
        dtypes.append((x.dtype, t.dtype))
        return nn.cross_entropy(x, t)

    network.loss = loss
    network.evaluate(X, np.eye(2)[y])
    network.evaluate(X, y)
    assert dtypes == [(np.float32, np.float32), (np.float32, np.dtype(int))]


def test_training_leaves_data_error_state_and_recording_alone():
    X, y = XOR[0].copy(), XOR[1].copy()
    X.flags.writeable = y.flags.writeable = False
    before = np.geterr()
    train(small(), (X, y))
    assert np.geterr() == before
    assert (ag.Variable(1.0) * 2).requires_grad


def test_the_numbers_of_a_long_training_are_not_searched_for_parameters():
    """Looking for parameters would take longer with every step."""
    network = train(small())
    assert len(network.batch_losses) == 6
    numbers = (network.history, network.batch_losses)
    assert not any(value is each for value in vars(network).values() for each in numbers)
    assert not any(isinstance(value, dict) for value in vars(network).values())


# --- prediction and evaluation ----------------------------------------------------------------


def test_predict_gives_a_writable_array_for_rows_and_for_one_sample():
    network = small()
    rows = network.predict(XOR[0])
    assert type(rows) is np.ndarray
    rows[:] = 0
    np.testing.assert_allclose(network.predict([0.0, 1.0]), network.predict(XOR[0])[1])
    np.testing.assert_array_equal(network.predict(XOR[0]), network(XOR[0]).data)


def test_predict_and_evaluate_record_nothing():
    network = small()
    length = len(ag.tape())
    network.predict(XOR[0])
    network.evaluate(*XOR)
    assert len(ag.tape()) == length
    assert all(parameter.grad is None for parameter in network.parameters())


def test_accuracy_is_given_where_targets_are_classes():
    identity = nn.Network(nn.ReLU(), loss=nn.mean_squared_error)
    X = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.1, 0.6, 0.3]])
    assert identity.evaluate(X, np.eye(3)[[0, 1, 1]]).accuracy == 2 / 3
    assert identity.evaluate(X, X).accuracy is None
    by_labels = nn.Network(nn.ReLU(), loss=nn.cross_entropy_from_logits)
    assert by_labels.evaluate(X, [2, 2, 1])[:2] == (
        nn.cross_entropy_from_logits(X, [2, 2, 1]),
        2 / 3,
    )
    assert linear().evaluate(np.ones((2, 2)), np.ones((2, 1))).accuracy is None


# --- names, for pictures and messages ---------------------------------------------------------


def test_layers_and_parameters_get_names_that_read_well():
    network = small()
    assert [layer.name for layer in network.layers] == ["fc1", "tanh", "fc2", "softmax"]
    assert [p.name for p in network.parameters()] == ["fc1.W", "fc1.bias", "fc2.W", "fc2.bias"]
    assert [path for path, _ in network.named_parameters()] == [
        "layers.0.weight",
        "layers.0.bias",
        "layers.2.weight",
        "layers.2.bias",
    ]
    y = network(XOR[0])
    assert y.scope.path == "Network/softmax"
    assert repr(network).splitlines() == [
        "Network(",
        "    FullyConnected(2, 8),  # fc1",
        "    Tanh(),  # tanh",
        "    FullyConnected(8, 2),  # fc2",
        "    Softmax(),  # softmax",
        "    loss=CrossEntropy(),",
        ")",
    ]


def test_names_that_the_user_gave_stay():
    named = nn.FullyConnected(2, 2, name="fc1")
    own = nn.FullyConnected(2, 2)
    own.weight.name = "θ"
    shared = nn.FullyConnected(2, 2)
    network = nn.Network(named, own, shared, shared, loss=nn.mean_squared_error)
    assert [layer.name for layer in network.layers] == ["fc1", "fc2", "fc3", "fc3"]
    assert [p.name for p in network.parameters()] == [
        "fc1.W",
        "fc1.bias",
        "θ",
        "fc2.bias",
        "fc3.W",
        "fc3.bias",
    ]
    nn.Network(own, loss=nn.mean_squared_error)
    assert own.name == "fc2"


def test_modules_of_modules_are_named_too():
    class Block(nn.Module):
        def __init__(self):
            self.inner = nn.FullyConnected(2, 2)

        def forward(self, x):
            return self.inner(x)

    network = nn.Network(Block(), Block(), nn.FullyConnected(2, 1), loss=nn.mean_squared_error)
    assert network(np.zeros((1, 2))).scope.path == "Network/fc3"
    assert [p.name for p in network.parameters()][::2] == ["fc1.W", "fc2.W", "fc3.W"]
    assert [layer.name for layer in network.layers] == ["block1", "block2", "fc3"]


# --- the progress bar -------------------------------------------------------------------------


def test_a_bar_of_epochs_shows_the_loss(capsys):
    network = train(small(), progress=True, epochs=2)
    out, err = capsys.readouterr()
    assert "2/2" in err
    assert f"loss {network.loss_history[-1]:.4g}" in err
    assert out == ""


def test_it_is_quiet_when_asked(capsys):
    train(small(), progress=False)
    assert capsys.readouterr() == ("", "")


def test_without_tqdm_training_works_and_a_bar_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    message = "fit: the progress bar needs tqdm; pip install autograd_lite[nn], or pass progress="
    network = small()
    with pytest.raises(ImportError, match=re.escape(message)):
        train(network, progress=True)
    assert network.batch_losses == []
    train(network, progress=False)


# --- what goes wrong in training --------------------------------------------------------------


@pytest.mark.parametrize(
    ("learning_rate", "message"),
    [
        # the square of the distance overflows, a batch later the weights themselves would
        (1e200, "every layer's output is finite, but the loss is not: predictions far off, or a"),
        (
            1e308,
            "the first output that is not finite is that of layer 0, fc, as fc.W and fc.bias are "
            "not finite; lower the learning rate, or scale the data",
        ),
    ],
)
def test_divergence_is_told_and_the_network_goes_back_to_where_it_was_finite(
    learning_rate, message
):
    network = linear()
    X, y = np.full((4, 2), 10.0), np.ones((4, 1))
    before = parameters_of(network)
    message = f"fit: the loss is inf in epoch 1, batch 2: {message}"
    with pytest.raises(FloatingPointError, match="^" + re.escape(message)):
        train(network, (X, y), learning_rate=learning_rate)
    assert_same_parameters(network, before)
    train(network, (X, y), learning_rate=1e-3)


def test_a_layer_that_makes_nan_is_named():
    class Logarithm(nn.Module):
        def forward(self, x):
            return np.log(x)

    fc = nn.FullyConnected(2, 1, np.random.default_rng(0))
    fc.weight.data = [[-1.0], [-1.0]]
    network = nn.Network(fc, Logarithm(), nn.ReLU(), loss=nn.mean_squared_error)
    before = parameters_of(network)
    message = (
        "fit: the loss is nan in epoch 1, batch 1: the first output that is not finite is that of "
        "layer 1, logarithm; lower the learning rate, or scale the data"
    )
    with pytest.raises(FloatingPointError, match="^" + re.escape(message) + "$"):
        train(network, (np.ones((4, 2)), np.ones((4, 1))))
    assert_same_parameters(network, before)


def test_parameters_that_are_not_finite_are_named():
    network = small()
    network.layers[2].bias.data = [np.nan, 0.0]
    with pytest.raises(
        FloatingPointError, match=r"layer 2, fc2, as fc2\.bias is not finite; lower"
    ):
        train(network)


def test_a_loss_that_alone_is_infinite_says_so():
    identity = nn.FullyConnected(2, 2)
    identity.weight.data = np.eye(2)
    network = nn.Network(identity, nn.Softmax(), loss=nn.CrossEntropy())
    message = "the loss is inf in epoch 1, batch 1: every layer's output is finite, but the loss is"
    with pytest.raises(FloatingPointError, match=message):
        train(network, (np.array([[1000.0, 0.0]]), [1]))
    train(nn.Network(identity, loss=nn.cross_entropy_from_logits), ([[1000.0, 0.0]], [1]))


def test_a_last_step_that_breaks_the_parameters_is_noticed():
    network = linear(lambda x, t: np.mean(np.sqrt(x - x)))  # 0, with the slope inf − inf
    before = parameters_of(network)
    message = (
        "fit: fc.W and fc.bias are not finite after the last step of epoch 1; the gradients of "
        "fc.W and fc.bias in layer 0, fc, were not finite in the last step, though its loss was: "
    )
    with pytest.raises(FloatingPointError, match=message):
        train(network, (np.ones((1, 2)), np.ones((1, 1))), epochs=1)
    assert_same_parameters(network, before)


# --- bad input --------------------------------------------------------------------------------

X, Y = XOR
HOLE = np.array([[0.0, 1.0], [2.0, np.nan], [np.inf, 0.0], [0.0, 0.0]])
METHODS = pytest.mark.parametrize("method", ["fit", "evaluate"])


@METHODS
@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        ((X, Y[:3]), ValueError, "X has 4 rows, y has 3; pass one target for every row"),
        ((X, 1), ValueError, "X has 4 rows, y has none; pass one target"),
        ((X[:0], Y[:0]), ValueError, "X and y have no rows; pass at least one"),
        ((X[0], Y[:2]), ValueError, "X is a float64 array of shape (2,), and rows of features"),
        (
            (HOLE, Y),
            ValueError,
            "X has 2 of 8 entries that are not finite, the first is nan at row 1, column 1; remove",
        ),
        ((X, [0.0, np.nan, 0.0, 0.0]), ValueError, "y has 1 of 4 entries that are not finite"),
        (
            (HOLE.reshape(4, 1, 2), Y),
            ValueError,
            "X has 2 of 8 entries that are not finite, the first is nan at (1, 0, 1)",
        ),
        ((X, list("abba")), TypeError, "y is a <U1 array of shape (4,); pass an array of real"),
        ((X + 1j, Y), TypeError, "X is a complex128 array of shape (4, 2); pass an array of real"),
    ],
)
def test_bad_data_are_refused(method, data, kind, message):
    settings = {"epochs": 1, "batch_size": 2, "learning_rate": 0.1} if method == "fit" else {}
    with pytest.raises(kind, match="^" + re.escape(f"{method}: {message}")):
        getattr(small(), method)(*data, **settings)


def test_predict_refuses_data_that_are_not_finite():
    with pytest.raises(ValueError, match="predict: X has 2 of 8 entries that are not finite"):
        small().predict(HOLE)


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        ((np.ones((4, 3)), Y), ValueError, "fc1: expected rows of 2 features, received: float64"),
        ((X, [0, 1, 2, 0]), ValueError, "label 2 at position "),
        ((X, [0.0, 1.0, 1.0, 0.0]), TypeError, "labels must be integers"),
        ((X, np.eye(3)[Y]), ValueError, "pass one integer label per row, shape (2,), or one row"),
    ],
)
def test_what_layers_and_losses_refuse_leaves_the_network_as_it_was(data, kind, message):
    network = small()
    before = parameters_of(network)
    with pytest.raises(kind, match=re.escape(message)):
        train(network, data, batch_size=4 if "label 2" in message else 2)
    assert_same_parameters(network, before)
    train(network)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "fit: epochs must be a whole number of at least 1, received 0"),
        ({"batch_size": 2.0}, "fit: batch_size must be a whole number of at least 1, received 2.0"),
        ({"learning_rate": None}, "fit: pass either learning_rate, for SGD, or optimiser"),
        (
            {"learning_rate": 0.1, "optimiser": nn.SGD([ag.Variable(1.0)], 0.1)},
            "fit: pass either learning_rate, for SGD, or optimiser",
        ),
        ({"learning_rate": -1.0}, "SGD: the learning rate must be a positive number"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match="^" + message):
        train(small(), **settings)


def test_a_network_is_made_of_modules():
    with pytest.raises(ValueError, match="Network: there are no layers"):
        nn.Network(loss=nn.cross_entropy)
    with pytest.raises(TypeError, match="Network: layer 1 is a builtin_function_or_method <built"):
        nn.Network(nn.ReLU(), len, loss=nn.cross_entropy)


def test_a_loss_is_one_number():
    with pytest.raises(ValueError, match=r"the loss is a float64 array of shape .*; take its mean"):
        train(linear(lambda x, t: x - t), (X, Y[:, None] * 1.0))


def test_a_network_without_parameters_cannot_be_trained():
    with pytest.raises(ValueError, match="SGD: there are no parameters"):
        train(nn.Network(nn.Softmax(), loss=nn.CrossEntropy()))


@pytest.mark.parametrize(
    ("layers", "settings", "message"),
    [
        (
            lambda: [nn.FullyConnected(2, 2), nn.Softmax(), nn.CrossEntropy()],
            {},
            "Network: layer 2 is the loss CrossEntropy(); pass it as loss=, or as the second after",
        ),
        (
            lambda: [nn.InputLayer(2), nn.Hinge(), nn.ReLU(), nn.Hinge(margin=2.0)],
            {},
            "Network: layer 2 is the loss Hinge(margin=2.0); pass it as loss=",
        ),
        (
            lambda: [nn.ReLU],
            {},
            "Network: layer 0 is a type <class 'nn.activation_layers.ReLU'>",
        ),
        (
            lambda: [nn.ReLU()],
            {"loss": nn.CrossEntropy},
            "Network: the loss is the class CrossEntropy; make one: CrossEntropy()",
        ),
        (
            lambda: [nn.ReLU()],
            {"loss": "hinge"},
            "Network: the loss is a str 'hinge'; pass a",
        ),
    ],
)
def test_losses_and_classes_in_wrong_places_are_named(layers, settings, message):
    with pytest.raises(TypeError, match="^" + re.escape(message)):
        nn.Network(*layers(), **settings)


def test_a_class_as_loss_in_compile_is_named():
    with pytest.raises(TypeError, match=r"^compile: the loss is the class Hinge; make one: Hinge"):
        nn.Network(nn.FullyConnected(2, 2)).compile("sgd", nn.Hinge)


def test_accuracy_in_an_evaluation_is_that_of_metrics_and_none_for_what_are_no_classes():
    network = nn.Network(nn.ReLU(), loss=lambda x, t: np.mean(x))
    X = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]])
    for y, expected in [
        ([0, 1], 0.5),
        ([0, 3], None),  # no class, as where a loss leaves -1 out
        ([-1, 2], None),
        ([0.0, 1.0], None),
        (np.eye(3)[[0, 2]], 1.0),
        (np.eye(3)[[0, 2]] * 0.9, None),
    ]:
        assert network.evaluate(X, y).accuracy == expected
