"""The loop of training: what it measures, what it refuses, modes and schedules."""

import math
import re

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn import evaluation
from tests.nn.training_models import assert_same, data, fit, line, model, trainer


def test_the_numbers_of_an_epoch_are_those_of_all_its_predictions():
    """Training rows as predicted for the steps, validation rows by what the epoch ended with."""
    seen, after = [], []

    def loss(x, t):
        seen.append((np.array(ag.variable.plain(x)), t, training_now[-1]))
        return nn.cross_entropy_from_logits(x, t)

    training_now = []

    class Watch(nn.Module):
        def forward(self, x):
            training_now.append(self.training)
            return x

    class Look(nn.Callback):
        def on_epoch_end(self, trainer):
            after.append(trainer.module.state_dict())

    module = nn.Sequential(model(), Watch())
    X, y = data()
    metrics = ["accuracy", nn.mean_absolute_error, "top_k_accuracy"]
    metrics[1:] = [lambda p, t: float(p[np.arange(len(t)), t].sum())]
    X_val, y_val = data(40)[0][23:], data(40)[1][23:]
    found = fit(
        trainer(module, loss, metrics=metrics, callbacks=[Look()]),
        X,
        y,
        validation=(X_val, y_val),
        epochs=3,
    )
    assert list(found.history) == [
        "loss",
        "accuracy",
        "<lambda>",
        "validation_loss",
        "validation_accuracy",
        "validation_<lambda>",
    ]
    del seen[0]  # the try before the first step
    assert len(seen) == 3 * (5 + 1)
    for epoch in range(3):
        *steps, last = seen[6 * epoch : 6 * epoch + 6]
        assert [was_training for _, _, was_training in steps] == [True] * 5
        p, t = (np.concatenate([step[k] for step in steps]) for k in (0, 1))
        assert len(t) == 23
        assert found.history["accuracy"][epoch] == nn.accuracy(p, t)
        assert found.history["<lambda>"][epoch] == metrics[1](p, t)
        mean = nn.cross_entropy_from_logits(p, t)
        np.testing.assert_allclose(found.history["loss"][epoch], mean, rtol=1e-14)  # its rounding
        twin = nn.Sequential(model(), Watch())
        twin.load_state_dict(after[epoch])
        p = twin.eval()(X_val).data
        np.testing.assert_array_equal(last[0], p)
        assert last[2] is False
        assert found.history["validation_loss"][epoch] == nn.cross_entropy_from_logits(p, y_val)
        assert found.history["validation_accuracy"][epoch] == nn.accuracy(p, y_val)
        assert found.history["validation_<lambda>"][epoch] == metrics[1](p, y_val)


def test_validation_changes_nothing_of_the_training():
    plain, watched = trainer(), trainer(metrics=["accuracy"])
    X, y = data(40)
    fit(plain, X[:23], y[:23])
    fit(watched, X[:23], y[:23], validation=(X[23:], y[23:]))
    assert_same(plain.module.state_dict(), watched.module.state_dict())
    assert plain.batch_losses == watched.batch_losses


def test_a_share_is_held_out_the_same_at_every_call_and_never_trained_on():
    X = np.arange(20.0)[:, None] / 20
    trained, held = [], []

    def loss(x, t):
        (trained if isinstance(x, ag.Variable) else held).append(t.ravel().tolist())
        return nn.mean_squared_error(x, t)

    found = line(loss)
    fit(found, X, X, validation=0.3, epochs=2)
    fit(found, X, X, validation=0.3, epochs=1)
    assert [len(rows) for rows in held] == [6] * 5  # tried, two epochs, tried, one epoch
    assert all(rows == held[0] for rows in held)
    for epoch in (trained[:3], trained[3:6], trained[6:]):
        assert sorted(sum(epoch, held[0])) == X.ravel().tolist()


@pytest.mark.parametrize(
    ("validation", "error", "message"),
    [
        (0, ValueError, "fit: validation must be a pair (X, y), or a share of the rows between 0"),
        (
            1.0,
            ValueError,
            "fit: validation must be a pair (X, y), or a share of the rows between 0",
        ),
        (-0.1, ValueError, "fit: validation must be"),
        (math.nan, ValueError, "fit: validation must be"),
        (True, ValueError, "fit: validation must be"),
        ("0.2", ValueError, "fit: validation must be"),
        (
            np.zeros((2, 3)),
            ValueError,
            "fit: validation must be a pair (X, y), or a share of the r",
        ),
        (0.01, ValueError, "fit: validation takes 0.01 of 23 rows, which leaves none for one of"),
        (0.99, ValueError, "fit: validation takes 0.99 of 23 rows, which leaves none for one of"),
        (
            (1, 2, 3),
            ValueError,
            "fit: validation is a pair (X, y) or a share of the rows, received",
        ),
        ((data()[0], data()[1][1:]), ValueError, "fit: validation: X has 23 rows, y has 22"),
        ((data()[0] * np.nan, data()[1]), ValueError, "fit: validation: X has 69 of 69 entries"),
        ((data()[0][:0], data()[1][:0]), ValueError, "fit: validation: X and y have no rows"),
    ],
)
def test_bad_validation_is_refused_before_training(validation, error, message):
    found = trainer()
    before = found.module.state_dict()
    with pytest.raises(error, match="^" + re.escape(message)):
        fit(found, validation=validation)
    assert_same(found.module.state_dict(), before)
    assert (found.epoch, found.history, found.batch_losses) == (0, {}, [])


def test_what_was_not_measured_in_an_epoch_is_nan_and_never_taken_for_new():
    X, y = data()
    found = trainer(metrics=["accuracy"])
    fit(found)
    fit(found, validation=(X, y))
    fit(found, epochs=1)
    lengths = {name: len(values) for name, values in found.history.items()}
    assert lengths == dict.fromkeys(
        ["loss", "accuracy", "validation_loss", "validation_accuracy"], 5
    )
    assert found.epoch == 5
    for name in ("validation_loss", "validation_accuracy"):
        np.testing.assert_array_equal(np.isnan(found.history[name]), [1, 1, 0, 0, 1])
    assert found.latest("validation_loss", "loss") == found.history["loss"][-1]
    with pytest.raises(
        ValueError, match=r"^fit: there is no 'validation_loss' among what is measu"
    ):
        found.latest("validation_loss")
    assert re.fullmatch(r"loss [\d.]+  accuracy [\d.]+", found.latest_line())


def test_a_network_goes_on_counting():
    network = nn.Network(*model().layers, loss=nn.cross_entropy_from_logits)
    epochs = []

    class Count(nn.Callback):
        def on_epoch_end(self, trainer):
            epochs.append(trainer.epoch)

    for _ in range(2):
        network.fit(*data(), epochs=2, learning_rate=0.1, progress=False, callbacks=[Count()])
    assert epochs == [1, 2, 3, 4]
    assert len(network.loss_history) == 4
    assert network.loss_history is network.history["loss"]


def test_metrics_are_checked():
    def loss(p, t):
        return 0.0

    with pytest.raises(ValueError, match=r"^fit: the metric 'loss' has the name of another number"):
        trainer(metrics=[loss])
    with pytest.raises(
        ValueError, match=r"^fit: there is no metric 'acuracy'; did you mean 'accur"
    ):
        trainer(metrics=["acuracy"])
    with pytest.raises(ValueError, match=r"^fit: there are two metrics called 'accuracy'"):
        trainer(metrics=["accuracy", nn.accuracy])
    found = trainer(metrics=[nn.confusion_matrix])
    with pytest.raises(
        TypeError, match=r"^fit: the metric 'confusion_matrix' gives a ConfusionMat"
    ):
        fit(found)
    assert found.history == {}


# --- modes ----------------------------------------------------------------------------------------


def test_all_modules_are_in_training_mode_while_they_are_trained():
    module, same = model().eval(), model()
    ours, theirs = fit(trainer(module)), fit(trainer(same))
    assert ours.batch_losses == theirs.batch_losses
    assert (module.layers[1].running_mean.data != 0).all()


def test_modules_go_back_to_the_modes_they_had():
    module = model()
    module.layers[1].eval()
    before = [m.training for _, m in module.named_modules()]
    assert before.count(False) == 1
    found = trainer(module)
    fit(found, validation=0.2)
    assert [m.training for _, m in module.named_modules()] == before
    found.loss = lambda x, t: 1 / 0
    with pytest.raises(ZeroDivisionError):
        fit(found)
    assert [m.training for _, m in module.named_modules()] == before
    module.eval()
    evaluation.predicted(module, data()[0])
    assert not any(m.training for _, m in module.named_modules())


# --- schedules ------------------------------------------------------------------------------------


def test_a_schedule_counts_steps_and_a_plateau_epochs():
    found = line()
    found.schedule = nn.Schedule(found.optimiser, nn.ExponentialDecay(0.5))
    fit(found, np.ones((10, 1)), np.ones((10, 1)), epochs=2, batch_size=5)
    assert found.optimiser.learning_rate == 0.1 * 0.5**4

    for validation, expected in ((None, "loss"), (0.5, "validation_loss")):
        told = []

        class Plateau(nn.ReduceOnPlateau):
            def step(self, loss):
                told.append(loss)  # noqa: B023 - used before the next round
                super().step(loss)

        found = line()
        found.schedule = Plateau(found.optimiser, patience=1)
        fit(found, np.ones((10, 1)), np.ones((10, 1)), epochs=3, validation=validation)
        assert told == found.history[expected]


def test_parts_that_do_not_belong_together_are_refused():
    module = model()
    adam = nn.Adam(module.parameters())
    other = nn.SGD(model(1).parameters(), 0.1)
    loss = nn.cross_entropy_from_logits
    for settings, error, message in [
        ({"optimiser": other}, ValueError, "the optimiser has none of this network's parameters"),
        (
            {"optimiser": nn.Adam},
            TypeError,
            "the optimiser is a type <class 'nn.optimisers.Adam'>;",
        ),
        ({"optimiser": "adam"}, TypeError, "the optimiser is a str 'adam'; pass for instance nn.A"),
        ({"module": np.tanh}, TypeError, "expected a Module to train, received: ufunc"),
        ({"loss": "hinge"}, TypeError, "the loss is a str 'hinge'; pass a function of predictions"),
        ({"callbacks": [nn.EarlyStopping]}, TypeError, "a callback is "),
        (
            {"schedule": nn.Schedule(other, lambda t: 1.0)},
            ValueError,
            "the schedule is that of ano",
        ),
        ({"schedule": nn.CosineDecay(10)}, TypeError, "the schedule is a CosineDecay"),
        ({"rng": 3}, TypeError, "rng must be a numpy.random.Generator, received int 3"),
    ]:
        with pytest.raises(error, match="^" + re.escape(f"fit: {message}")):
            nn.Trainer(**{"module": module, "loss": loss, "optimiser": adam, **settings})
