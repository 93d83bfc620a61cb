"""What a training refuses before its first step: data, metrics and parts that cannot work."""

import functools
import re

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn.training_models import assert_same, data, fit, line, model, trainer

X, Y = data()


def wrong_metric(predictions, targets):
    raise ArithmeticError("no such thing")


def refused(error, message, X=X, y=Y, module=None, **settings):
    """That fit raises this, and that nothing at all has changed by it; gives the error."""
    given = {k: settings.pop(k) for k in ("metrics", "loss") if k in settings}
    found = trainer(module, **given)
    before, count = found.state_dict(), len(ag.tape())
    with pytest.raises(error, match=message) as caught:
        fit(found, X, y, **settings)
    assert_same(found.state_dict(), before)
    assert (found.batch_losses, found.history) == ([], {})
    assert len(ag.tape()) == count
    assert all(p.grad is None for p in found.module.parameters())
    assert all(m.training for _, m in found.module.named_modules())
    return caught.value


TRIED = "fit: found by trying the {} before the first step; nothing was changed"
VALIDATION = TRIED.format("validation data")


@pytest.mark.parametrize(
    ("validation", "error", "message"),
    [
        ((np.ones((5, 4)), Y[:5]), ValueError, "expected rows of 3 features, received"),
        ((np.ones((5, 3, 2)), Y[:5]), ValueError, "expected"),
        ((X, np.where(np.arange(23) == 22, 2, Y)), ValueError, "label 2 at position 22 is out of"),
        ((X, Y.astype(float)), TypeError, "labels must be integers"),
        ((X, np.eye(3)[Y]), ValueError, "pass one integer label per row"),
    ],
)
def test_validation_data_that_cannot_work_are_noticed_before_the_first_step(
    validation, error, message
):
    """The wrong label is in the last row, which is never predicted here."""
    assert refused(error, message, validation=validation).__notes__ == [VALIDATION]


def test_every_target_is_looked_at_and_only_a_few_rows_are_predicted():
    rows = []
    watched = nn.Sequential(model(), nn.Function(lambda x: rows.append(len(x)) or x))
    y = np.zeros(3000, int)
    y[2999] = 7
    refused(
        ValueError, "label 7 at position 2999", module=watched, validation=(np.ones((3000, 3)), y)
    )
    assert rows == [32]


@pytest.mark.parametrize("validation", [None, 0.2])
def test_a_metric_that_raises_is_noticed_before_the_first_step(validation):
    error = refused(ArithmeticError, "no such thing", metrics=[wrong_metric], validation=validation)
    assert error.__notes__ == [TRIED.format("metrics on the training data")]
    refused(TypeError, "'confusion_matrix' gives a Confus", metrics=[nn.confusion_matrix])
    refused(ValueError, "^r_squared: ", metrics=["r_squared"])
    no_number = refused(
        ValueError,
        "one number is needed; take its mean",
        loss=lambda x, t: nn.cross_entropy_from_logits(x, t, reduction="none"),
        validation=0.2,
    )
    assert no_number.__notes__ == [VALIDATION]


def test_a_metric_that_needs_all_rows_is_not_refused():
    """The first 32 targets are equal, and have no variance; all together have some."""
    X = np.linspace(0, 1, 100)[:, None]
    y = (X > 0.5) * 1.0
    found = line(metrics=["r_squared"])
    assert len(fit(found, X, y, validation=(X, y)).history["validation_r_squared"]) == 2


class Stubborn(nn.Module):
    """A layer that draws, counts and keeps a mean in any mode."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.mean = ag.Variable(0.0, requires_grad=False)

    def forward(self, x):
        self.mean.data = self.mean.data + 1.0
        return x + 0 * self.rng.standard_normal(x.shape)


def test_the_try_changes_nothing_whatever_layers_do():
    """Neither a generator nor a buffer, so that the training is that without validation."""

    def trained(**settings):
        module = nn.Sequential(Stubborn(3), model(dropout=0.5))
        seen = []

        class Look(nn.Callback):
            def on_begin(self, trainer):
                seen.append(trainer.state_dict())

        found = trainer(module, callbacks=[Look()], metrics=settings.pop("metrics", ()))
        first = found.state_dict()
        fit(found, X, Y, epochs=1, **settings)
        assert_same(seen[0], first)
        return found

    plain, tried = trained(), trained(validation=(X, Y), metrics=["accuracy"])
    assert plain.batch_losses == tried.batch_losses
    assert plain.module.layers[0].mean.item() == 5  # batches
    assert tried.module.layers[0].mean.item() == 6  # and the one of validation


def test_a_network_without_rows_of_its_own_is_tried_whole():
    """Its outputs have two rows for each row of the data."""

    def twice(x):
        return np.concatenate([x, x])

    def loss(x, t):
        return nn.mean_squared_error(x, np.concatenate([t, t]))

    found = trainer(nn.Sequential(nn.FullyConnected(3, 1), nn.Function(twice)), loss)
    assert fit(found, X, X[:, :1], validation=0.5).epoch == 2


def test_what_is_not_finite_from_the_start_is_left_to_the_first_step_which_says_more():
    module = model()
    module.layers[4].bias.data = [np.nan, 0.0]
    found = trainer(module, metrics=["accuracy"])
    with pytest.raises(FloatingPointError, match=r"epoch 1, batch 1: .* layer 4, fc2"):
        fit(found, validation=0.2)


# --- parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"callbacks": None},
            "fit: callbacks is None; pass a list such as [nn.EarlyStopping()]",
        ),
        ({"callbacks": nn.EarlyStopping}, "fit: callbacks is a type <class 'nn.callbacks.EarlySt"),
        ({"metrics": None}, "fit: metrics is None; pass a list of names and functions, such as ['"),
        ({"metrics": nn.accuracy}, "fit: metrics is a function <function accuracy"),
        ({"metrics": [("top", 3)]}, "fit: a metric is a name, a function of predictions and targ"),
        ({"metrics": [nn.CrossEntropy]}, "fit: a metric is a name, a function of predictions and"),
        ({"loss": nn.CrossEntropy}, "fit: the loss is the class CrossEntropy; make one: CrossEnt"),
    ],
)
def test_parts_of_a_wrong_kind_are_named(settings, message):
    module = model()
    parts = {"loss": nn.cross_entropy_from_logits, "optimiser": nn.SGD(module.parameters(), 0.1)}
    with pytest.raises(TypeError, match="^" + re.escape(message)):
        nn.Trainer(module, **{**parts, **settings})


def test_callbacks_may_come_out_of_a_generator():
    found = trainer(callbacks=(callback for callback in [nn.GradientNorms()]))
    fit(found, epochs=1)
    assert len(found.callbacks[0].values) == 5


def test_what_the_user_called_is_no_setting_of_a_trainer():
    module = model()
    with pytest.raises(TypeError, match="unexpected keyword argument 'asked'"):
        nn.Trainer(module, nn.hinge, nn.SGD(module.parameters(), 0.1), asked="fit")


# --- metrics by name ------------------------------------------------------------------------------


def binary(**settings):
    rng = np.random.default_rng(0)
    network = nn.Network(nn.FullyConnected(3, 1, rng))
    network.compile("adam", "binary_cross_entropy_from_logits", **settings)
    network.optimiser.learning_rate = 0.1
    network.fit(X, Y[:, None], epochs=30, rng=rng, validation=(X, Y[:, None]), progress=False)
    return network


def test_binary_accuracy_of_logits_by_name():
    network = binary(metrics=["accuracy_from_logits"])
    found = network.evaluate(X, Y[:, None]).metrics["accuracy_from_logits"]
    expected = np.mean((network.predict(X) > 0) == Y[:, None])
    assert found == expected == network.history["validation_accuracy_from_logits"][-1] > 0.8
    assert nn.accuracy_from_logits([[3.0, 1.0], [-2.0, -1.0]], [0, 1]) == 1.0
    stopping = nn.EarlyStopping(monitor="accuracy_from_logits")
    assert stopping.mode == "max"
    with pytest.raises(ValueError, match=r"pass threshold=0, or take accuracy_from_logits"):
        binary(metrics=["accuracy"])
    with pytest.raises(ValueError, match=r"^accuracy_from_logits: target 2 at position 0; with"):
        nn.accuracy_from_logits(np.array([1.0]), [2])


def test_a_metric_goes_by_the_name_of_its_pair_everywhere():
    """Two partials and two lambdas, which have no names or one name, and stop each other's way."""
    metrics = [
        ("top 1", functools.partial(nn.top_k_accuracy, k=1)),
        ("top 2", functools.partial(nn.top_k_accuracy, k=2)),
        ("rows", lambda p, t: float(len(p))),
    ]
    network = nn.Network(*model().layers).compile("adam", "cross_entropy_from_logits", metrics)
    stopping = nn.EarlyStopping(monitor="validation_top 1", mode="max")
    settings = {"validation": 0.2, "callbacks": [stopping], "progress": False}
    network.fit(X, Y, epochs=2, **settings)
    assert network.history["rows"] == [18.0, 18.0]
    assert network.history["validation_rows"] == [5.0, 5.0]
    assert network.history["top 2"] == [1.0, 1.0]
    assert list(network.evaluate(X, Y).metrics) == ["top 1", "top 2", "rows"]
    with pytest.raises(ValueError, match=r"called 'partial'; pass it once, or as a pair, \(an"):
        nn.Network(*model().layers).compile("adam", "hinge", [metric for _, metric in metrics[:2]])


# --- dtypes ---------------------------------------------------------------------------------------


class Note(nn.Module):
    """Notes the dtype that it gets."""

    def __init__(self):
        self.seen = []

    def forward(self, x):
        self.seen.append(x.dtype)
        return x


@pytest.mark.parametrize("given", [np.int64, np.uint8, bool, np.float64, np.float32])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_data_are_converted_to_the_dtype_of_the_parameters_at_every_door(given, dtype):
    rng = np.random.default_rng(0)
    first, last = Note(), Note()
    fc = nn.FullyConnected(3, 2, rng, dtype=dtype)
    rows = (X > 0).astype(given)
    network = nn.Network(nn.InputLayer(3), nn.cross_entropy_from_logits, first, fc, last)
    network.fit(rows, Y, epochs=1, learning_rate=0.1, validation=0.2, progress=False)
    nn.SGDTrainer(0.1, epochs=1, progress=False).optimize((rows, Y), network)
    network.evaluate(rows, Y)
    assert network.predict(rows).dtype == network.predict(rows[:1]).dtype == dtype
    assert {*first.seen, *last.seen} == {np.dtype(dtype)}
    assert fc.weight.grad.dtype == dtype
    fc.weight.requires_grad = fc.bias.requires_grad = False  # a frozen one has a dtype, too
    assert network.predict(rows).dtype == dtype


def test_integers_stay_where_a_layer_takes_them():
    rng = np.random.default_rng(0)
    words = rng.integers(0, 5, (20, 3))
    first = Note()
    network = nn.Network(first, nn.Embedding(5, 4, rng, dtype=np.float32), nn.Flatten())
    network.layers[2]
    network = nn.Network(*network.layers, nn.FullyConnected(12, 2, rng, dtype=np.float32))
    network.compile("adam", "cross_entropy_from_logits")
    network.fit(words, words[:, 0] % 2, epochs=1, validation=0.5, progress=False)
    assert network.predict(words).dtype == np.float32
    assert set(first.seen) == {words.dtype}
    own = nn.Function(lambda x: np.eye(5, dtype=np.float32)[x[:, 0]])
    own.takes_integers = True
    network = nn.Network(own, nn.FullyConnected(5, 2, rng, dtype=np.float32))
    assert network.predict(words).dtype == np.float32


def test_what_is_too_large_for_the_dtype_of_the_parameters_is_named():
    layer = nn.FullyConnected(2, 1, np.random.default_rng(0), dtype=np.float32)
    network = nn.Network(layer, loss=nn.mean_squared_error)
    X, y = np.ones((4, 2)), np.ones((4, 1))
    large_X, large_y = X.copy(), y.copy()
    large_X[2, 1], large_y[3] = 1e300, -1e300

    def fit(X, y, validation=None):
        given = {"epochs": 1, "learning_rate": 0.1, "progress": False}
        network.fit(X, y, validation=validation, **given)

    in_x = ": X as float32 has 1 of 8 .* inf at row 2, column 1;"
    in_y = ": y as float32 has 1 of 4 .* -inf at row 3, column 0;"
    for act, message in {
        lambda: fit(large_X, y): f"^fit{in_x}",
        lambda: fit(X, large_y): f"^fit{in_y}",
        lambda: fit(X, y, (large_X, y)): f"^fit: validation{in_x}",
        lambda: network.evaluate(X, large_y): f"^evaluate{in_y}",
        lambda: network.predict(large_X): f"^predict{in_x}",
    }.items():
        with pytest.raises(ValueError, match=message):
            act()
    assert network.history == {}


@pytest.mark.parametrize("value", [None, "0.5", 1j, np.complex128(1j), [0.5]])
def test_a_metric_that_gives_no_number_is_named(value):
    message = "^fit: the metric 'mine' gives .*, and one number is needed"
    refused(TypeError, message, metrics=[("mine", lambda p, t: value)])


def test_a_layer_that_gives_several_results_is_told_to_give_one():
    lstm = nn.LSTM(3, 2, np.random.default_rng(0))
    X, y = np.zeros((4, 5, 3)), np.zeros((4, 5, 2))
    refused(TypeError, "return_state=False", X, y, lstm, validation=(X, y))


def test_the_try_leaves_attributes_and_generators_in_lists_as_they_are():
    class Counting(nn.Module):
        def __init__(self):
            self.calls, self.rngs = 0, {"noise": [np.random.default_rng(0)]}

        def forward(self, x):
            self.calls += 1
            self.rngs["noise"][0].random()
            return x

    layer = Counting()
    before = layer.rngs["noise"][0].bit_generator.state
    refused(
        ArithmeticError, "no such", module=nn.Sequential(layer, model()), metrics=[wrong_metric]
    )
    assert (layer.calls, layer.rngs["noise"][0].bit_generator.state) == (0, before)


def test_what_a_batch_is_refused_for_is_told_with_epoch_and_batch():
    y = Y.copy()
    y[-1] = 2
    order = np.random.default_rng(7).permutation(len(y))  # as the trainer's generator draws it
    batch, position = divmod(int(np.flatnonzero(order == len(y) - 1)[0]), 5)
    with pytest.raises(ValueError, match=f"label 2 at position {position} ") as caught:
        fit(trainer(), X, y, batch_size=5)
    assert f"fit: in epoch 1, batch {batch + 1};" in caught.value.__notes__[0]
