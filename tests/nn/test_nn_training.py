"""The loop of training: what it measures, keeps, refuses, and how it stops and goes on."""

import io
import linecache
import math
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn import training


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


# --- history, metrics and validation --------------------------------------------------------------


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
    assert len(held) == 3
    assert [len(rows) for rows in held] == [6, 6, 6]
    assert held[0] == held[1] == held[2]
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
    training.predicted(module, data()[0])
    assert not any(m.training for _, m in module.named_modules())


# --- interruptions --------------------------------------------------------------------------------


class Interrupt:
    """While it is entered, the n-th line of these functions that is run is interrupted instead."""

    def __init__(self, n, *functions):
        self.left, self.codes = n, {function.__code__ for function in functions}

    def trace(self, frame, event, argument):
        if frame.f_code not in self.codes:
            return None
        text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        # a tracer is called between the end of a block and the manager's exit, signals are not
        if event == "line" and not text.startswith("with "):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self.trace

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)


def test_an_interruption_anywhere_keeps_whole_steps_and_whole_epochs():
    X, y = data(8)
    states = []

    def make():
        return trainer(model(dropout=0), metrics=["accuracy"])

    def run(found):
        fit(found, X, y, batch_size=4, validation=(X, y))

    class Collect(nn.Callback):
        def on_begin(self, trainer):
            states.append([p.data for p in trainer.module.parameters()])

        on_batch_end = on_begin

    whole = make()
    whole.callbacks.append(Collect())
    run(whole)
    assert len(states) == 5
    own = nn.Trainer
    functions = [own._epoch, own.step, own._train, own._validate, own._note, training.measured]
    functions += [training.predicted, nn.FirstOrderOptimiser.step]
    errors = np.geterr()
    n = places = 0
    while True:
        n += 1
        found = make()
        with Interrupt(n, *functions) as interrupt:
            try:
                run(found)
            except KeyboardInterrupt:
                places += 1
            else:
                break
        assert interrupt.left == 0
        assert {len(values) for values in found.history.values()} <= {found.epoch}
        for name, values in found.history.items():
            assert values == whole.history[name][: found.epoch]
        steps = len(found.batch_losses)
        assert found.batch_losses == whole.batch_losses[:steps]
        assert steps // 2 >= found.epoch
        parameters = [p.data for p in found.module.parameters()]
        equal = [
            all(np.array_equal(a, b) for a, b in zip(state, parameters, strict=True))
            for state in states
        ]
        # the step may be done, and its loss not yet noted
        assert equal.index(True) in (steps, steps + 1)
        assert all(m.training for _, m in found.module.named_modules())
        assert (ag.Variable(1.0) * 2).requires_grad
        assert np.geterr() == errors
    assert places > 150
    run(found)  # and it can go on


@pytest.mark.parametrize("event", ["on_begin", "on_gradients", "on_batch_end", "on_epoch_end"])
def test_a_callback_may_be_interrupted(event):
    class Interrupting(nn.Callback):
        calls = 0
        ended = 0

        def on_end(self, trainer):
            self.ended += 1

    def interrupt(self, trainer):
        self.calls += 1
        if self.calls == {"on_begin": 1, "on_epoch_end": 2}.get(event, 7):
            raise KeyboardInterrupt

    setattr(Interrupting, event, interrupt)
    callback = Interrupting()
    found = trainer(callbacks=[callback], metrics=["accuracy"])
    with pytest.raises(KeyboardInterrupt):
        fit(found, epochs=5, validation=0.2, batch_size=5)
    finished = {"on_begin": 0, "on_gradients": 1, "on_batch_end": 1, "on_epoch_end": 2}[event]
    assert found.epoch == finished
    assert {len(v) for v in found.history.values()} == ({finished} if finished else set())
    taken = {"on_begin": 0, "on_gradients": 6, "on_batch_end": 7, "on_epoch_end": 8}[event]
    assert len(found.batch_losses) == taken
    assert callback.ended == (event != "on_begin")


# --- what is not finite ---------------------------------------------------------------------------


def test_nan_in_the_first_batch_leaves_parameters_and_buffers_as_they_were():
    module = model()
    before = module.state_dict()
    found = trainer(module, lambda x, t: nn.cross_entropy_from_logits(x, t) * np.inf)
    with pytest.raises(
        FloatingPointError, match=r"^fit: the loss is inf in epoch 1, batch 1: every"
    ):
        fit(found)
    assert_same(module.state_dict(), before)


def test_nan_later_goes_back_to_where_the_loss_was_finite_buffers_too():
    module, states = model(dropout=0), []
    forward = module.forward

    def watched(x):
        states.append(module.state_dict())
        return forward(x)

    def loss(x, t):
        return nn.cross_entropy_from_logits(x, t) * (np.nan if len(states) == 4 else 1)

    module.forward = watched

    found = trainer(module, loss, metrics=["accuracy"])
    with pytest.raises(
        FloatingPointError, match=r"^fit: the loss is nan in epoch 1, batch 4: every"
    ):
        fit(found)
    assert_same(module.state_dict(), states[2])  # the third step is undone, the second is not
    assert (states[2]["layers.1.running_mean"] != states[1]["layers.1.running_mean"]).all()
    assert found.history == {}
    assert len(found.batch_losses) == 3


def test_what_was_assigned_between_two_trainings_is_what_it_goes_back_to():
    found = line()
    X = np.ones((4, 1))
    fit(found, X, X)
    found.module.weight.data = [[5.0]]
    found.loss = lambda x, t: np.mean(x) * np.nan
    with pytest.raises(FloatingPointError, match="loss is nan in epoch 3, batch 1"):
        fit(found, X, X)
    assert found.module.weight.item() == 5.0


def test_a_step_that_breaks_the_parameters_is_noticed_before_anybody_is_told(tmp_path):
    class Log(nn.Callback):
        def on_epoch_end(self, trainer):
            raise AssertionError("it was told")

    found = line(lambda x, t: np.mean(np.sqrt(x - x)), callbacks=[Log()])
    before = found.module.state_dict()
    with pytest.raises(
        FloatingPointError,
        match=r"^fit: fc\.W and fc\.bias are not finite after the last step of e",
    ):
        fit(found, np.ones((4, 1)), np.ones((4, 1)), validation=0.5)
    assert_same(found.module.state_dict(), before)
    assert found.history == {}


def test_a_buffer_that_overflows_is_noticed():
    module = nn.Sequential(nn.BatchNorm(1, name="norm"), nn.FullyConnected(1, 1))
    X = np.array([[-1e160], [1e160]])
    with pytest.raises(FloatingPointError, match=r"norm\.running_variance is not finite after the"):
        fit(trainer(module, nn.mean_squared_error), X, X / 1e160, batch_size=2)
    assert module.layers[0].running_variance.item() == 1.0


def test_a_module_that_is_no_row_of_layers_is_looked_at_by_its_tape():
    class Model(nn.Module):
        layers = 3  # as in nn.LSTM, not what is called

        def __init__(self):
            self.first, self.second = nn.FullyConnected(1, 2), nn.FullyConnected(2, 1)
            self.first.name, self.second.name = "first", "second"
            self.embedded = nn.Function(np.log, name="logarithm")

        def forward(self, x):
            return self.second(self.embedded(self.first(x) * 0 - 1))

    message = "the first result that is not finite is that of log in Model/logarithm; lower the"
    with pytest.raises(FloatingPointError, match=message):
        fit(trainer(Model(), nn.mean_squared_error), np.ones((4, 1)), np.ones((4, 1)))
    broken = Model()
    broken.embedded = nn.Tanh()
    broken.second.bias.data = [np.nan]
    message = r"that of add in Model/second, as bias is not finite"
    with pytest.raises(FloatingPointError, match=message):
        fit(trainer(broken, nn.mean_squared_error), np.ones((4, 1)), np.ones((4, 1)))


def test_a_layer_with_several_results_is_looked_at_too():
    rng = np.random.default_rng(0)
    last = nn.Function(lambda results: np.log(results[0][:, -1] * 0), name="last")
    module = nn.Sequential(nn.LSTM(1, 2, rng), last)
    with pytest.raises(FloatingPointError, match=r"is that of layer 1, last; lower the learning"):
        fit(trainer(module, nn.mean_squared_error), np.ones((4, 3, 1)), np.ones((4, 2)))


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


# --- progress -------------------------------------------------------------------------------------


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_a_screen_gets_lines_and_a_bar_and_a_log_the_lines_alone(monkeypatch):
    for stream in (Screen(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        found = fit(trainer(metrics=["accuracy"]), progress=True, epochs=3, validation=0.2)
        monkeypatch.undo()
        written = stream.getvalue()
        lines = re.findall(r"epoch \d/3  [^\r\n]*", written)
        for epoch, text in enumerate(lines, 1):
            numbers = {name: values[epoch - 1] for name, values in found.history.items()}
            said = "  ".join(f"{n.replace('_', ' ')} {v:.4g}" for n, v in numbers.items())
            assert text == f"epoch {epoch}/3  {said}"
        assert len(lines) == 3
        if isinstance(stream, Screen):
            assert "epoch/s" in written or "s/epoch" in written or "?epoch" in written
        else:
            assert written == "".join(f"{text}\n" for text in lines)


# --- state: out, in, and bit for bit on -----------------------------------------------------------


class Killed(nn.Callback):
    """The process is killed in the middle of the fifth epoch."""

    def on_batch_end(self, trainer):
        if "kill" in sys.argv and len(trainer.batch_losses) == 4 * 4 + 2:
            os.kill(os.getpid(), 9)


def long_training(path, plateau=False):
    """A trainer with everything that has a state, its checkpoint the first of its callbacks."""
    module = model(dropout=0.5)
    groups = [
        {"parameters": module.layers[0].parameters(), "weight_decay": 0.01},
        {"parameters": [p for layer in module.layers[1:] for p in layer.parameters()]},
    ]
    adam = nn.AdamW(groups, 0.05)
    if plateau:
        schedule = nn.ReduceOnPlateau(adam, factor=0.5, patience=0, threshold=0.5)
    else:
        schedule = nn.Schedule(adam, nn.CosineDecay(40))
    callbacks = [
        nn.Checkpoint(path),
        nn.EarlyStopping(patience=3, restore_best=False),
        nn.BestModel(path.replace("checkpoint", "best")),
        nn.LearningRateLog(),
        nn.GradientNorms(),
        Killed(),
    ]
    loss = nn.cross_entropy_from_logits
    return trainer(module, loss, adam, schedule=schedule, callbacks=callbacks, metrics=["accuracy"])


def part_of_training(path, epochs, on, plateau):
    found = long_training(path, plateau == "plateau")
    if on == "on":
        found.load_state_dict(nn.load(path))
    fit(found, epochs=int(epochs) - found.epoch, validation=0.2)
    nn.save(path.replace("checkpoint", "end"), found.state_dict())


def run_part(*arguments):
    program = "import sys, tests.nn.test_nn_training as t; t.part_of_training(*sys.argv[1:5])"
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True).returncode


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_training_that_was_killed_goes_on_bit_for_bit_in_another_process(tmp_path, schedule):
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole, parts = (tmp_path / name / "checkpoint.npz" for name in ("whole", "parts"))
    assert run_part(whole, 8, "anew", schedule) == 0
    assert run_part(parts, 8, "anew", schedule, "kill") == -9
    assert len(nn.load(parts)["history"]["loss"]) == 4
    assert run_part(parts, 8, "on", schedule) == 0
    one, two = (nn.load(path.with_name("end.npz")) for path in (whole, parts))
    assert len(one["history"]["loss"]) > 4
    assert_same(one, two)
    assert_same(nn.load(whole), nn.load(parts))
    assert_same(nn.load(whole.with_name("best.npz")), nn.load(parts.with_name("best.npz")))


def test_going_on_within_a_process_too_and_the_checkpoint_is_the_whole_state(tmp_path):
    path = str(tmp_path / "checkpoint.npz")
    first = long_training(path)
    fit(first, epochs=2, validation=0.2)
    assert_same(nn.load(path), first.state_dict())
    second = long_training(path)
    second.load_state_dict(nn.load(path))
    assert second.epoch == 2
    for each in (first, second):
        fit(each, epochs=2, validation=0.2)
    assert_same(first.state_dict(), second.state_dict())


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(tmp_path):
    path = str(tmp_path / "checkpoint.npz")
    source = long_training(path)
    fit(source, validation=0.2)
    state = source.state_dict()

    def without(name):
        return {key: value for key, value in state.items() if key != name}

    wrong = [
        (without("history"), "the state lacks history; is it a Trainer's?"),
        (source.module.state_dict(), "the state lacks module, optimiser, schedule, callbacks, gen"),
        (
            {**state, "generators": {"rows": state["generators"]["rows"]}},
            "there are random generators at rows, layers.3.rng, and the state has them at rows; ma",
        ),
        ({**state, "callbacks": state["callbacks"][1:]}, "the callbacks are Checkpoint, EarlyStop"),
        ({**state, "callbacks": state["callbacks"][::-1]}, "the callbacks are Checkpoint, EarlySt"),
        ({**state, "schedule": None}, "here is one, and the state has none; make the Trainer"),
        ({**state, "optimiser": nn.SGD([ag.Variable(1.0)], 0.1).state_dict()}, "AdamW.load_state"),
        ({**state, "module": model().layers[0].state_dict()}, "load_state_dict: the state does"),
        ({**state, "batch_losses": ["a"]}, "could not convert string to float"),
    ]
    target = long_training(path)
    before = target.state_dict()
    for each, message in wrong:
        with pytest.raises(ValueError, match=re.escape(message)):
            target.load_state_dict(each)
        assert_same(target.state_dict(), before)
    with pytest.raises(
        TypeError, match=r"^Trainer.load_state_dict: expected what state_dict\(\) g"
    ):
        target.load_state_dict(7)
    bare = trainer(model(dropout=0.5), optimiser=None)
    with pytest.raises(
        ValueError, match="the callbacks are none, and those of the state Checkpoin"
    ):
        bare.load_state_dict(state)
    bare = long_training(path)
    bare.schedule = None
    with pytest.raises(ValueError, match="the state has a schedule, and here is none"):
        bare.load_state_dict(state)
    target.load_state_dict(state)
    assert_same(target.state_dict(), state)


def test_a_state_is_a_copy():
    found = fit(trainer())
    state = found.state_dict()
    fit(found)
    assert len(state["history"]["loss"]) == 2
    state["history"]["loss"].clear()
    assert found.epoch == 4


def test_an_optimiser_without_state_is_named():
    class Still:
        def zero_grad(self):
            pass

        step = zero_grad

    with pytest.raises(
        TypeError, match=r"^Trainer.state_dict: the optimiser is a Still .* has no s"
    ):
        trainer(optimiser=Still()).state_dict()
