"""Three doors to one room: lecture 1's, lecture 5's and the plain loop train bit for bit alike."""

import re

import numpy as np
import pytest

import autograd_lite as ag
import nn

RULES = {
    "SGD": nn.SGD,
    "momentum": lambda parameters, learning_rate: nn.SGD(parameters, learning_rate, momentum=0.9),
    "Adagrad": nn.Adagrad,
    "RMSProp": nn.RMSProp,
    "Adam": nn.Adam,
    "AdamW": nn.AdamW,
}
RATE, EPOCHS, BATCH = 0.05, 4, 5


def data():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((23, 3))  # the last batch has three rows
    return X, (X @ [1.0, -1.0, 0.5] > 0).astype(int)


def layers(dtype=float):
    rng = np.random.default_rng(0)
    return [
        nn.FullyConnected(3, 6, rng, dtype=dtype),
        nn.BatchNorm(6, dtype=dtype),
        nn.Tanh(),
        nn.Dropout(0.25, rng),
        nn.FullyConnected(6, 2, rng, dtype=dtype),
        nn.Softmax(),
    ]


def lecture_1(rule, dtype=float):
    network = nn.Network(nn.InputLayer(3), nn.CrossEntropy(), *layers(dtype))
    trainer = nn.SGDTrainer(
        RATE,
        epochs=EPOCHS,
        batch_size=BATCH,
        update_rule=rule,
        rng=np.random.default_rng(1),
        progress=False,
    )
    trainer.optimize(data(), network)
    return network.state_dict(), network.batch_losses


def lecture_5(rule, dtype=float):
    network = nn.Network(*layers(dtype))
    optimiser = rule(network.parameters(), learning_rate=RATE)
    network.compile(optimiser, "cross_entropy", metrics=["accuracy"])
    X, y = data()
    rng = np.random.default_rng(1)
    network.fit(X, y, epochs=EPOCHS, batch_size=BATCH, rng=rng, progress=False)
    return network.state_dict(), network.batch_losses


def plain_loop(rule, dtype=float):
    model = nn.Sequential(*layers(dtype))
    optimiser = rule(model.parameters(), learning_rate=RATE)
    X, y = data()
    X = X.astype(dtype)
    batches = nn.batches(X, y, batch_size=BATCH, rng=np.random.default_rng(1))
    losses = []
    for _ in range(EPOCHS):
        for inputs, labels in batches:
            loss = nn.cross_entropy(model(inputs), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    return model.state_dict(), losses


def trainer(rule, dtype=float):
    model = nn.Sequential(*layers(dtype))
    optimiser = rule(model.parameters(), learning_rate=RATE)
    rng = np.random.default_rng(1)
    found = nn.Trainer(model, nn.cross_entropy, optimiser, rng=rng)
    found.fit(*data(), epochs=EPOCHS, batch_size=BATCH, progress=False)
    return model.state_dict(), found.batch_losses


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_all_doors_give_the_same_bits(rule, dtype):
    state, losses = plain_loop(rule, dtype)
    assert len(set(losses)) == 20  # every step made a difference
    for door in (lecture_1, lecture_5, trainer):
        theirs, their_losses = door(rule, dtype)
        assert their_losses == losses, door.__name__
        # lecture 1's list of layers has the InputLayer in front
        shift = 1 if door is lecture_1 else 0
        paths = [path.split(".") for path in state]
        assert list(theirs) == [f"layers.{int(n) + shift}.{name}" for _, n, name in paths]
        for ours, value in zip(state.values(), theirs.values(), strict=True):
            assert ours.dtype == value.dtype
            np.testing.assert_array_equal(ours, value)


def test_compile_by_names_is_compile_by_objects():
    def trained(by_name):
        network = nn.Network(*layers())
        if by_name:
            network.compile("adam", "cross_entropy")
        else:
            network.compile(nn.Adam(network.parameters(), 0.001), nn.CrossEntropy())
        rng = np.random.default_rng(1)
        network.fit(*data(), epochs=2, batch_size=BATCH, rng=rng, progress=False)
        return network.batch_losses

    assert trained(True) == trained(False)


# --- lecture 4 ------------------------------------------------------------------------------------


class NeuralNetwork:
    """Lecture 4: a list of layers, one data source, one loss, and its history over iterations.

    It "recursively calls forward on its layers passing the input-data", and "backward on its layers
    passing the error"; the tape does the second.
    """

    def __init__(self, optimiser, learning_rate):
        self.layers, self.loss = [], []
        self.data_layer = self.loss_layer = None
        self.optimiser, self.learning_rate = optimiser, learning_rate

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def train(self, iterations):
        parameters = [p for layer in self.layers for p in layer.parameters()]
        optimiser = self.optimiser(parameters, self.learning_rate)
        for _ in range(iterations):
            x, labels = next(self.data_layer)
            loss = self.loss_layer(self.forward(x), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            self.loss.append(loss.item())


def test_lecture_4s_class_is_the_same():
    X, y = data()

    def endless():
        batches = nn.batches(X, y, batch_size=BATCH, rng=np.random.default_rng(1))
        while True:
            yield from batches

    theirs = NeuralNetwork(nn.SGD, RATE)
    theirs.layers += layers()
    theirs.data_layer, theirs.loss_layer = endless(), nn.CrossEntropy()
    theirs.train(20)
    network = nn.Network(*layers(), loss=nn.CrossEntropy())
    rng = np.random.default_rng(1)
    network.fit(X, y, epochs=4, batch_size=BATCH, learning_rate=RATE, rng=rng, progress=False)
    assert network.batch_losses == theirs.loss
    for layer, same in zip(network.layers, theirs.layers, strict=True):
        for ours, value in zip(layer.parameters(), same.parameters(), strict=True):
            np.testing.assert_array_equal(ours.data, value.data)


# --- lecture 1: the door itself -------------------------------------------------------------------


def test_an_input_layer_says_what_is_expected_and_changes_nothing():
    layer = nn.InputLayer(8, 8)
    X = np.zeros((5, 8, 8))
    assert layer(X) is X
    v = ag.Variable(X)
    assert layer(v) is v
    message = "InputLayer: expected an array (rows, 8, 8), received: float64 array of shape (5, 64)"
    with pytest.raises(ValueError, match="^" + re.escape(message) + "$"):
        layer(X.reshape(5, 64))
    network = nn.Network(nn.InputLayer(3), nn.CrossEntropy(), *layers())
    with pytest.raises(ValueError, match=r"^input\w*: expected an array \(rows, 3\), received"):
        network.predict(np.zeros((2, 4)))
    assert layer(X[0]).shape == (8, 8)  # one sample
    assert repr(layer) == "InputLayer(8, 8)"


def test_the_loss_stands_second_and_a_layer_there_stays_a_layer():
    fc1, fc2 = nn.FullyConnected(3, 4), nn.FullyConnected(4, 2)
    for loss in (nn.CrossEntropy(), nn.cross_entropy, lambda x, t: nn.cross_entropy(x, t)):
        network = nn.Network(nn.InputLayer(3), loss, fc1, fc2)
        assert network.loss is loss
        assert list(network.layers[1:]) == [fc1, fc2]
    network = nn.Network(nn.InputLayer(3), fc1, fc2)  # the loss comes by compile
    assert list(network.layers[1:]) == [fc1, fc2]
    assert network.loss is None
    network.compile("sgd", "cross_entropy_from_logits")
    assert network.predict(np.zeros((1, 3))).shape == (1, 2)


BAD = [
    (
        {"epochs": 0},
        ValueError,
        "optimize: epochs must be a whole number of at least 1, received 0",
    ),
    ({"batch_size": 0}, ValueError, "optimize: batch_size must be a whole number of at least 1"),
    ({"rng": 7}, TypeError, "optimize: rng must be a numpy.random.Generator, received int 7"),
    ({"update_rule": "adam"}, TypeError, "SGDTrainer: the update rule is a str 'adam'; pass a cla"),
]


@pytest.mark.parametrize(("settings", "error", "message"), BAD)
def test_settings_out_of_range_are_refused(settings, error, message):
    network = nn.Network(nn.InputLayer(3), nn.CrossEntropy(), *layers())
    before = network.state_dict()
    with pytest.raises(error, match="^" + re.escape(message)):
        nn.SGDTrainer(
            **{"learning_rate": 0.1, "epochs": 1, "progress": False, **settings}
        ).optimize(data(), network)
    for path, value in network.state_dict().items():
        np.testing.assert_array_equal(value, before[path])


def test_bad_data_and_bad_networks_name_optimize():
    door = nn.SGDTrainer(0.1, epochs=1, progress=False)
    network = nn.Network(nn.InputLayer(3), nn.CrossEntropy(), *layers())
    X, y = data()
    with pytest.raises(TypeError, match=r"^optimize: data is the pair \(X, y\), received: float64"):
        door.optimize(X, network)
    with pytest.raises(ValueError, match=r"^optimize: X has 23 rows, y has 22"):
        door.optimize((X, y[:-1]), network)
    X[4, 2] = np.nan
    with pytest.raises(ValueError, match=r"^optimize: X has 1 of 69 .* at row 4, column 2"):
        door.optimize((X, y), network)
    with pytest.raises(TypeError, match=r"^optimize: expected a Network to train, received: Tanh"):
        door.optimize(data(), nn.Tanh())
    with pytest.raises(ValueError, match=r"^optimize: the network has no loss; pass loss= to Netw"):
        door.optimize(data(), nn.Network(nn.FullyConnected(3, 2)))
    linear = nn.Network(nn.FullyConnected(3, 1), loss=nn.mean_squared_error)
    wild = nn.SGDTrainer(1e200, epochs=1, batch_size=5, progress=False)
    with pytest.raises(FloatingPointError, match=r"^optimize: the loss is inf in epoch 1, batch 2"):
        wild.optimize((data()[0], data()[0][:, :1]), linear)


# --- lecture 5: the door itself -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (["adm"], ValueError, "compile: there is no optimiser 'adm'; did you mean 'adam'?"),
        (["SGD", "hinge"], ValueError, "compile: there is no optimiser 'SGD'; did you mean 'sgd'?"),
        (
            ["sgd", "mse"],
            ValueError,
            "compile: there is no loss 'mse'; did you mean 'mean_squared_er",
        ),
        (
            ["sgd", "crossentropy"],
            ValueError,
            "compile: there is no loss 'crossentropy'; did you mean 'cross_entropy'?",
        ),
        (
            ["sgd", "hinge", ["acuracy"]],
            ValueError,
            "compile: there is no metric 'acuracy'; did you mean 'accuracy'?",
        ),
        (["sgd", "hinge", "accuracy"], TypeError, "compile: metrics is a list of names, received"),
        (["sgd", 3.0], TypeError, "compile: the loss is a float 3.0; pass a function of predictio"),
        ([nn.Adam, "hinge"], TypeError, "compile: the optimiser is a type <class"),
        (
            ["sgd"],
            ValueError,
            "compile: the network has no loss; pass one of binary_cross_entropy,",
        ),
    ],
)
def test_compile_refuses_and_suggests_and_changes_nothing(settings, error, message):
    network = nn.Network(*layers())
    with pytest.raises(error, match="^" + re.escape(message)):
        network.compile(*settings)
    assert (network.loss, network.optimiser, network.metrics) == (None, None, [])


def test_every_name_of_compile_makes_what_it_says():
    for name, (kind, rate) in nn.network.OPTIMISERS.items():
        network = nn.Network(nn.FullyConnected(2, 1)).compile(name, "mean_squared_error")
        assert type(network.optimiser) is kind
        assert network.optimiser.learning_rate == rate
        assert network.loss is nn.mean_squared_error
    for name, function in nn.network.LOSSES.items():
        assert function is getattr(nn, name)


def test_fit_takes_one_optimiser_and_says_which_when_there_are_two():
    network = nn.Network(*layers()).compile("adam", "cross_entropy")
    with pytest.raises(
        ValueError, match=r"^fit: compile was given the optimiser, and learning_rat"
    ):
        network.fit(*data(), epochs=1, learning_rate=0.1, progress=False)
    own = nn.SGD(network.parameters(), 0.1)
    network.fit(*data(), epochs=1, optimiser=own, progress=False)
    assert not network.optimiser.state_dict()["parameters"]  # compile's took no step
    network.fit(*data(), epochs=1, progress=False)
    assert network.optimiser.state_dict()["parameters"]
    with pytest.raises(ValueError, match=r"^fit: pass either learning_rate, for SGD, or optimiser"):
        nn.Network(*layers(), loss=nn.cross_entropy).fit(*data(), epochs=1, progress=False)


def test_evaluate_gives_loss_accuracy_and_metrics_of_all_rows_out_of_training():
    X, y = data()

    def largest(p, t):
        return np.abs(p).max()

    network = nn.Network(*layers()).compile("adam", "cross_entropy", ["accuracy", largest])
    network.fit(X, y, epochs=3, progress=False)
    p = network.eval()(X).data
    found = network.train().evaluate(X, y)
    assert found.loss == nn.cross_entropy(p, y)
    assert found.metrics == {"accuracy": nn.accuracy(p, y), "largest": np.abs(p).max()}
    assert found.accuracy == found.metrics["accuracy"]
    assert all(m.training for _, m in network.named_modules())
    network.metrics = [nn.confusion_matrix]
    with pytest.raises(TypeError, match=r"^evaluate: the metric 'confusion_matrix' gives a Confus"):
        network.evaluate(X, y)
    network.loss = lambda x, t: x
    with pytest.raises(
        ValueError, match=r"^evaluate: the loss is a float64 array of shape \(23, 2"
    ):
        network.evaluate(X, y)


def test_many_rows_are_predicted_in_parts_that_make_the_whole():
    seen = []
    network = nn.Network(nn.Function(lambda x: seen.append(len(x)) or 2 * x), loss=nn.hinge)
    X = np.random.default_rng(0).standard_normal((2500, 3))
    np.testing.assert_array_equal(network.predict(X), 2 * X)
    assert seen == [1024, 1024, 452]
    assert network.predict(X[0]).shape == (3,)
