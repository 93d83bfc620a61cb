"""Callbacks: when each is called, what it keeps, and what it refuses before any work is done."""

import errno
import math
import os
import re

import numpy as np
import pytest

import nn

EVENTS = ["on_begin", "on_gradients", "on_batch_end", "on_epoch_end", "on_checkpoint", "on_end"]


def trainer(*callbacks, rate=0.1, optimiser=None, metrics=(), loss=nn.mean_squared_error):
    layer = nn.FullyConnected(1, 1, np.random.default_rng(0), name="fc")
    optimiser = optimiser or nn.SGD(layer.parameters(), rate)
    rng = np.random.default_rng(0)
    return nn.Trainer(layer, loss, optimiser, callbacks=callbacks, metrics=metrics, rng=rng)


def fit(found, **settings):
    X = np.linspace(-1, 1, 8)[:, None]
    return found.fit(X, 3 * X + 1, **{"epochs": 3, "batch_size": 4, "progress": False, **settings})


class Says(nn.Callback):
    """Notes every call, with the epoch, as (name, event, epoch)."""

    def __init__(self, name, heard):
        self.name, self.heard = name, heard


def _say(event):
    def say(self, trainer):
        self.heard.append((self.name, event, trainer.epoch))

    return say


for _event in EVENTS:
    setattr(Says, _event, _say(_event))


class Script(nn.Callback):
    """Puts numbers in the place of what was measured, epoch by epoch."""

    def __init__(self, *numbers):
        self.numbers = iter(numbers)
        self.parameters = []

    def on_epoch_end(self, trainer):
        trainer._latest["loss"] = next(self.numbers)
        self.parameters.append(trainer.module.state_dict())


def assert_state(module, expected):
    for path, value in module.state_dict().items():
        np.testing.assert_array_equal(value, expected[path])


# --- when ---------------------------------------------------------------------------------------


def test_callbacks_are_told_in_order():
    heard = []
    fit(trainer(Says("a", heard), Says("b", heard)), epochs=2)
    expected = [("on_begin", 0)]
    for epoch in (0, 1):
        expected += [("on_gradients", epoch), ("on_batch_end", epoch)] * 2
        expected += [("on_epoch_end", epoch + 1), ("on_checkpoint", epoch + 1)]
    expected.append(("on_end", 2))
    assert heard == [(name, event, epoch) for event, epoch in expected for name in "ab"]


def test_what_a_callback_sees():
    class Look(nn.Callback):
        def on_gradients(self, trainer):
            assert trainer.module.weight.grad is not None
            self.weight = trainer.module.weight.item()
            self.losses = len(trainer.batch_losses)

        def on_batch_end(self, trainer):
            assert trainer.module.weight.item() != self.weight
            assert len(trainer.batch_losses) == self.losses + 1

        def on_epoch_end(self, trainer):
            assert trainer.latest("loss") == trainer.history["loss"][-1]
            assert trainer.latest("validation_loss") == trainer.history["validation_loss"][-1]

    assert fit(trainer(Look()), validation=0.25).epoch == 3


def test_a_change_of_gradients_is_what_the_step_sees():
    class Forget(nn.Callback):
        def on_gradients(self, trainer):
            trainer.module.zero_grad()

    found = trainer(Forget())
    before = found.module.state_dict()
    assert_state(fit(found).module, before)


def test_stop_ends_after_the_epoch_and_only_this_fit():
    class Stop(nn.Callback):
        def on_batch_end(self, trainer):
            trainer.stop = True

    found = trainer(Stop())
    assert fit(found).epoch == 1
    assert len(found.batch_losses) == 2
    assert fit(found).epoch == 2


def test_one_callback_need_not_be_a_list():
    heard = []
    layer = nn.FullyConnected(1, 1)
    sgd = nn.SGD(layer.parameters(), 0.1)
    said = Says("a", heard)
    fit(nn.Trainer(layer, nn.mean_squared_error, sgd, callbacks=said))
    assert len(heard) == 2 + 3 * 6


# --- early stopping -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "numbers", "stops", "best"),
    [
        ({"patience": 2}, [5, 4, 4, 4, 3], 4, 2),
        ({"patience": 2}, [5, 4, 4.5, 3, 3.5, 3.0, 1], 6, 4),
        ({"patience": 1, "mode": "max"}, [1, 2, 3, 3, 9], 4, 3),
        ({"patience": 2, "least_change": 0.5}, [5, 4.6, 4.5, 9], 3, 1),
        ({"patience": 1, "least_change": 0.5}, [5, 4.4, 3.8, 3.4, 0], 4, 3),
        ({"patience": 2}, [5, math.nan, math.nan, 0], 3, 1),
        ({"patience": 3}, [math.inf, math.nan, 2, 1, 1, 1, 1, 0], 7, 4),
    ],
)
def test_early_stopping_waits_and_goes_back_to_the_best(settings, numbers, stops, best):
    for restore in (True, False):
        script = Script(*numbers)
        stopping = nn.EarlyStopping(monitor="loss", restore_best=restore, **settings)
        found = fit(trainer(script, stopping), epochs=20)
        assert found.epoch == stops
        assert_state(found.module, script.parameters[best - 1 if restore else stops - 1])
        assert stopping.best == numbers[best - 1]


def test_early_stopping_restores_buffers_and_after_an_interruption():
    class Interrupt(nn.Callback):
        def on_epoch_end(self, trainer):
            if trainer.epoch == 3:
                raise KeyboardInterrupt

    rng = np.random.default_rng(0)
    module = nn.Sequential(nn.BatchNorm(1), nn.FullyConnected(1, 1, rng))
    sgd = nn.SGD(module.parameters(), 0.1)
    script, stopping = Script(1.0, 2.0, 3.0), nn.EarlyStopping(monitor="loss")
    callbacks = [script, stopping, Interrupt()]
    found = nn.Trainer(module, nn.mean_squared_error, sgd, callbacks=callbacks)
    with pytest.raises(KeyboardInterrupt):
        fit(found)
    assert "layers.0.running_mean" in script.parameters[0]
    assert_state(module, script.parameters[0])


def test_early_stopping_by_validation_stops_when_it_overfits():
    """Ten random labels are learned by heart, and the loss on others grows."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 10)), rng.integers(0, 2, 30)
    network = nn.Network(
        nn.FullyConnected(10, 20, rng), nn.Tanh(), nn.FullyConnected(20, 2, rng), nn.Softmax()
    ).compile("adam", "cross_entropy")
    network.optimiser.learning_rate = 0.05
    network.fit(
        X,
        y,
        epochs=500,
        validation=0.3,
        callbacks=[nn.EarlyStopping(patience=5)],
        rng=rng,
        progress=False,
    )
    losses = network.history["validation_loss"]
    assert len(losses) < 100
    assert losses.index(min(losses)) == len(losses) - 6
    held_out = nn.split(X, y, fraction=0.3, rng=np.random.default_rng(0)).validation
    assert network.evaluate(*held_out).loss == min(losses)


# --- files --------------------------------------------------------------------------------------


def test_the_best_model_is_what_the_file_holds(tmp_path):
    path = tmp_path / "best.npz"
    script = Script(3.0, 1.0, 2.0, 1.0)
    found = fit(trainer(script, nn.BestModel(path, monitor="loss")), epochs=4)
    saved = nn.load(path)
    assert {name: a.tolist() for name, a in saved.items()} == {
        name: a.tolist() for name, a in script.parameters[1].items()
    }
    found.module.load_state_dict(saved)
    assert os.listdir(tmp_path) == ["best.npz"]


def test_the_highest_may_be_best(tmp_path):
    path = tmp_path / "best.npz"
    script = Script(0.5, 0.9, 0.7)
    fit(trainer(script, nn.BestModel(path, monitor="loss", mode="max")))
    np.testing.assert_array_equal(nn.load(path)["weight"], script.parameters[1]["weight"])


def test_a_checkpoint_is_saved_every_so_many_epochs(tmp_path):
    path, epochs = tmp_path / "checkpoint.npz", []

    class Look(nn.Callback):
        def on_begin(self, trainer):
            assert not path.exists()

        def on_end(self, trainer):
            epochs.append(len(nn.load(path)["history"]["loss"]))

        def on_gradients(self, trainer):
            epochs.append(len(nn.load(path)["history"]["loss"]) if path.exists() else 0)

    fit(trainer(nn.Checkpoint(path, every=2), Look()), epochs=5, batch_size=8)
    assert epochs == [0, 0, 2, 2, 4, 4]


def test_a_checkpoint_holds_what_later_callbacks_did_in_the_epoch(tmp_path):
    path = tmp_path / "checkpoint.npz"
    stopping = nn.EarlyStopping(monitor="loss", restore_best=False)
    found = fit(trainer(nn.Checkpoint(path), stopping))
    assert nn.load(path)["callbacks"][1]["state"]["best"] == stopping.best
    assert stopping.best == min(found.history["loss"])


@pytest.mark.parametrize("kind", [nn.BestModel, nn.Checkpoint])
def test_files_that_cannot_be_written_are_refused_before_training(kind, tmp_path):
    def make(path):
        return kind(path, monitor="loss") if kind is nn.BestModel else kind(path)

    name = kind.__name__
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "file").write_text("")
    for path, error, message in [
        (tmp_path / "missing" / "a.npz", FileNotFoundError, f"{name}: no file can be made in"),
        (tmp_path / "file" / "a.npz", NotADirectoryError, f"{name}: no file can be made in"),
        (tmp_path / "folder.npz", PermissionError, f"{name}: it is there already, and is no file"),
    ]:
        found = trainer(make(path))
        before = found.module.state_dict()
        with pytest.raises(error, match=re.escape(message)) as caught:
            fit(found)
        assert caught.value.filename == str(path)
        assert found.batch_losses == []
        assert_state(found.module, before)
    with pytest.raises(ValueError, match=r"the path must end in \.npz or \.safetensors"):
        make(tmp_path / "a.pickle")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.npz"]


@pytest.mark.parametrize("kind", [nn.BestModel, nn.Checkpoint])
def test_a_folder_without_the_right_to_write_is_refused_before_training(
    kind, tmp_path, monkeypatch
):
    """Said by the system, and in its words where all may write, as the superuser may."""
    usual = os.open

    def refused(path, flags, *more):
        if flags & os.O_CREAT and os.path.dirname(path) == os.path.realpath(tmp_path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return usual(path, flags, *more)

    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        monkeypatch.setattr(os, "open", refused)
    found = trainer(
        kind(tmp_path / "a.npz", **({"monitor": "loss"} if kind is nn.BestModel else {}))
    )
    with pytest.raises(PermissionError, match=f"{kind.__name__}: no file can be made in"):
        fit(found)
    assert found.batch_losses == []


@pytest.mark.parametrize("kind", [nn.BestModel, nn.Checkpoint])
def test_a_file_that_is_there_is_not_touched_before_there_is_a_better_one(kind, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"old")

    class Fail(nn.Callback):
        def on_gradients(self, trainer):
            assert path.read_bytes() == b"old"
            assert os.listdir(tmp_path) == ["a.npz"]
            raise KeyboardInterrupt

    own = kind(path, monitor="loss") if kind is nn.BestModel else kind(path)
    with pytest.raises(KeyboardInterrupt):
        fit(trainer(own, Fail()))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.npz"]


def test_a_disk_that_fills_up_leaves_the_file_of_the_epoch_before(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.npz"
    fsync, calls = os.fsync, []

    def full(descriptor):
        calls.append(1)
        if len(calls) > 2:  # a file and its folder have gone well
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    found = trainer(nn.Checkpoint(path))
    with pytest.raises(OSError, match="No space left"):
        fit(found)
    assert len(nn.load(path)["history"]["loss"]) == 1
    assert os.listdir(tmp_path) == ["checkpoint.npz"]
    assert found.epoch == 2  # what was learned is kept


def test_an_optimiser_that_cannot_be_saved_is_refused_before_training(tmp_path):
    class Still:
        learning_rate = 0.1

        def zero_grad(self):
            pass

        step = zero_grad

    found = trainer(nn.Checkpoint(tmp_path / "a.npz"), optimiser=Still())
    with pytest.raises(
        TypeError, match=r"^Trainer.state_dict: the optimiser is a Still .* no state"
    ):
        fit(found)
    assert found.batch_losses == []


# --- what is monitored --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["EarlyStopping", "BestModel"])
def test_an_unknown_monitor_is_refused_before_training(kind, tmp_path):
    def make(monitor):
        path = [tmp_path / "a.npz"] if kind == "BestModel" else []
        return getattr(nn, kind)(*path, monitor=monitor)

    for monitor, advice in [
        ("validation_loss", "did you mean 'loss'?"),
        ("valdation_los", "did you mean 'loss'?"),
        ("accuracy", "did you mean 'loss'?"),
    ]:
        found = trainer(make(monitor))
        message = f"{kind}: there is no number to monitor called {monitor!r}; "
        if monitor == "validation_loss":
            message = f"{kind}: it watches 'validation_loss', and there are no validation data; pa"
        with pytest.raises(ValueError, match="^" + re.escape(message)) as caught:
            fit(found)
        assert found.batch_losses == []
        assert ("loss" in str(caught.value)) >= ("loss" in advice)
    found = trainer(make("validation_lss"))
    with pytest.raises(ValueError, match="did you mean 'validation_loss'"):
        fit(found, validation=0.25)
    fit(trainer(make("validation_r_squared"), metrics=["r_squared"]), validation=0.25)
    # it was measured once, and now it is not
    found = trainer(make("validation_loss"))
    fit(found, validation=0.25)
    message = r"validation=0\.2 to fit, or monitor='loss'$"
    with pytest.raises(ValueError, match=message):
        fit(found)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.EarlyStopping(0),
            "EarlyStopping: patience must be a whole number of at least 1",
        ),
        (
            lambda: nn.EarlyStopping(mode="lowest"),
            "EarlyStopping: mode is 'min' or 'max', whichever",
        ),
        (lambda: nn.EarlyStopping(least_change=-1), "EarlyStopping: least_change must be a number"),
        (lambda: nn.EarlyStopping(least_change=math.nan), "EarlyStopping: least_change must be"),
        (
            lambda: nn.BestModel("a.npz", mode="best"),
            "BestModel: mode is 'min' or 'max', whichever is",
        ),
        (lambda: nn.Checkpoint("a.npz", every=0), "Checkpoint: every must be a whole number of at"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        make()


# --- logs ---------------------------------------------------------------------------------------


def test_the_learning_rate_of_every_step():
    found = trainer(nn.LearningRateLog())
    found.schedule = nn.Schedule(found.optimiser, nn.ExponentialDecay(0.5))
    fit(found, epochs=2)
    assert found.callbacks[0].values == [0.1, 0.05, 0.025, 0.0125]

    class Still:
        def zero_grad(self):
            pass

        step = zero_grad

    with pytest.raises(
        TypeError, match=r"^LearningRateLog: the optimiser has no learning_rate, rec"
    ):
        fit(trainer(nn.LearningRateLog(), optimiser=Still()))


def test_the_norm_of_all_gradients_before_every_step():
    norms = nn.GradientNorms()
    found = trainer(norms)
    X = np.array([[1.0], [2.0]])
    w, b = found.module.weight.item(), found.module.bias.item()
    expected = []
    for _ in range(2):
        error = w * X + b - 1
        dw, db = np.mean(2 * error * X), np.mean(2 * error)
        expected.append(math.hypot(dw, db))
        w, b = w - 0.1 * dw, b - 0.1 * db
    found.fit(X, np.ones((2, 1)), epochs=2, batch_size=2, progress=False)
    # the rows come in another order, and sums round differently
    np.testing.assert_allclose(norms.values, expected, rtol=1e-14)


def test_states_are_taken_over():
    for one, other in [
        (nn.EarlyStopping(monitor="loss"), nn.EarlyStopping(monitor="loss")),
        (nn.LearningRateLog(), nn.LearningRateLog()),
        (nn.GradientNorms(), nn.GradientNorms()),
        (nn.Callback(), nn.Callback()),
    ]:
        fit(trainer(one))
        other.load_state_dict(one.state_dict())
        assert repr(other.state_dict()) == repr(one.state_dict())


def test_which_way_is_better_is_known_by_name():
    assert nn.EarlyStopping(monitor="validation_accuracy").mode == "max"
    assert nn.BestModel("best.npz", monitor="r_squared").mode == "max"
    assert nn.EarlyStopping().mode == "min"
    layer = nn.FullyConnected(1, 1)
    trainer = nn.Trainer(
        layer,
        nn.mean_squared_error,
        nn.SGD(layer.parameters(), 0.1),
        metrics=[_distance],
        callbacks=[nn.EarlyStopping(monitor="_distance")],
    )
    with pytest.raises(ValueError, match="is more or less of '_distance' better"):
        trainer.fit(np.ones((2, 1)), np.ones((2, 1)), epochs=1, batch_size=2, progress=False)


def _distance(predictions, targets):
    return float(np.max(np.abs(predictions - targets)))


def test_early_stopping_begins_anew_with_another_network():
    X, y = np.ones((4, 1)), np.ones((4, 1))

    def trained(stopping, seed):
        layer = nn.FullyConnected(1, 1, np.random.default_rng(seed))
        sgd = nn.SGD(layer.parameters(), learning_rate=0.01)
        callbacks = [] if stopping is None else [stopping]
        trainer = nn.Trainer(layer, nn.mean_squared_error, sgd, callbacks=callbacks)
        trainer.fit(X, y, epochs=5, batch_size=4, progress=False)
        return layer.weight.data

    stopping = nn.EarlyStopping(2, monitor="loss")
    trained(stopping, 0)
    np.testing.assert_array_equal(
        trained(stopping, 1), trained(nn.EarlyStopping(2, monitor="loss"), 1)
    )


def test_after_a_gradient_that_is_not_finite_the_optimiser_begins_anew():
    class Root(nn.Module):
        def __init__(self):
            self.fc = nn.FullyConnected(3, 1, np.random.default_rng(0))
            self.fc.weight.data = np.full((3, 1), 0.2)

        def forward(self, x):
            return np.sqrt(np.maximum(self.fc(x), 0.0))

    X, t = np.random.default_rng(0).uniform(1, 2, (40, 3)), np.ones((40, 1))
    module = Root()
    adam = nn.Adam(module.parameters(), 0.01)
    trainer = nn.Trainer(module, nn.mean_squared_error, adam, rng=np.random.default_rng(0))
    bad = X.copy()
    bad[7] = 0  # where the root has an infinite slope
    with pytest.raises(FloatingPointError):
        trainer.fit(bad, t, epochs=2, batch_size=40, progress=False)
    trainer.fit(X, t, epochs=2, batch_size=40, progress=False)
    assert np.isfinite(module.fc.weight.data).all()


def test_logs_are_saved_as_arrays_which_files_take_fast():
    log = nn.GradientNorms()
    log.values = [1.0, 2.5]
    values = log.state_dict()["values"]
    assert isinstance(values, np.ndarray)
    again = nn.GradientNorms()
    again.load_state_dict({"values": values})
    assert again.values == [1.0, 2.5]
    assert type(again.values[0]) is float
