"""The state of a training: out, in, and bit for bit on."""

import copy
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn.training_models import assert_same, fit, model, trainer


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
    program = "import sys, tests.nn.test_nn_training_state as t; t.part_of_training(*sys.argv[1:5])"
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
        ({**state, "batch_losses": ["a"]}, "batch_losses is a list ['a'] in the state; it must be"),
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


def spoilt(state, *path, to=None, without=False):
    """A deep copy of a state with another value, or none, at a path."""
    state = copy.deepcopy(state)
    inner = state
    for key in path[:-1]:
        inner = inner[key]
    if without:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    return state


def test_whatever_a_state_lacks_or_holds_instead_is_a_refusal_that_changes_nothing(tmp_path):
    """Every entry, at any depth, is left out, and replaced by things of other kinds."""
    source = long_training(str(tmp_path / "checkpoint.npz"))
    source.callbacks[1] = nn.EarlyStopping(patience=3)
    fit(source, validation=0.2)
    state = source.state_dict()
    target = long_training(str(tmp_path / "checkpoint.npz"))
    target.callbacks[1] = nn.EarlyStopping(patience=3)
    before = target.state_dict()

    def paths(x, path=()):
        if path:
            yield path
        if isinstance(x, dict | list) and path[:1] != ("batch_losses",):
            for key, part in x.items() if isinstance(x, dict) else enumerate(x):
                yield from paths(part, (*path, key))

    tried = taken = 0
    for path in paths(state):
        for change in ({"without": True}, {"to": None}, {"to": "x"}, {"to": [object()]}):
            tried += 1
            try:
                target.load_state_dict(spoilt(state, *path, **change))
            except (ValueError, TypeError) as error:
                assert str(error).startswith("Trainer.load_state_dict: "), (path, change)  # noqa: PT017
                assert_same(target.state_dict(), before)
            else:
                taken += 1
                # what there may be less of: settings of groups, parameters' states, logs, metrics
                lists = {("optimiser", "groups"), ("optimiser", "parameters"), ("callbacks", 1)}
                lists |= {("callbacks", 3), ("callbacks", 4), ("history", path[-1])}
                assert path[:2] in lists, (path, change)
                assert change == {"without": True} or path[-1] == "module", (path, change)
                target.load_state_dict(before)
    assert tried > 300
    assert taken < 50


@pytest.mark.parametrize(
    ("path", "change", "message"),
    [
        (["surplus"], {"to": 1}, "the state has an entry 'surplus', which a Trainer's has not"),
        (["modul"], {"to": 1}, "the state has an entry 'modul', which a Trainer's has not; is 'mo"),
        (["module"], {"to": 3}, "module is an int 3 in the state; it must be a dict"),
        (["stop"], {"to": 0}, "stop is an int 0 in the state; it must be True or False"),
        (["history"], {"to": []}, "history is a list [] in the state; it must be a dict"),
        (["history", "loss"], {"to": [1.0]}, "the history has 1 of 'loss', 2 of 'accuracy', 2 of"),
        (["history", "loss"], {"without": True}, "the history has 2 of 'accuracy', 2 of"),
        (
            ["callbacks", 0],
            {"to": "Checkpoint"},
            "a callback is a str 'Checkpoint' in the state",
        ),
        (
            ["schedule", "steps"],
            {"without": True},
            "the state of the schedule does not fit: Schedule.load_state_dict: expected what state",
        ),
        (
            ["callbacks", 1, "state", "waited"],
            {"without": True},
            "the state of the callback EarlyStopping does not fit: it has no 'waited'. Nothing w",
        ),
        (
            ["callbacks", 1, "state", "module"],
            {"to": 3},
            "the state of the callback EarlyStop",
        ),
        (["generators", "rows"], {"to": {}}, "the state of the generator rows does not fit: "),
        (
            ["optimiser", "settings"],
            {"to": None},
            "the state of the optimiser does not fit: AdamW.load_state_dict: the entry 'settings",
        ),
        (
            ["optimiser", "groups"],
            {"to": {"0": 1, "1": 2}},
            "the state of the optimiser does not fit: AdamW.load_state_dict: the entry 'groups'",
        ),
        (
            ["module"],
            {"to": {}},
            "the state of the module does not fit: load_state_dict: the state",
        ),
    ],
)
def test_what_is_wrong_with_a_state_is_named(path, change, message, tmp_path):
    found = long_training(str(tmp_path / "checkpoint.npz"))
    fit(found, validation=0.2)
    state = found.state_dict()
    message = f"Trainer.load_state_dict: {message}"
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        found.load_state_dict(spoilt(state, *path, **change))
    assert_same(found.state_dict(), state)


def test_the_best_parameters_of_another_module_are_refused_before_training():
    stopping = nn.EarlyStopping(monitor="loss")
    state = {"best": 1.0, "waited": 0, "module": {"weight": [1.0]}}
    stopping.load_state_dict(state)
    with pytest.raises(ValueError, match=r"^EarlyStopping: the best parameters that it remembers"):
        fit(trainer(callbacks=[stopping]))


class Noise(nn.Module):
    """A layer with its generators in a list that contains itself."""

    def __init__(self):
        self.rngs = [np.random.default_rng(5)]
        self.rngs.append(self.rngs)

    def forward(self, x):
        return x + self.rngs[0].standard_normal(x.shape) if self.training else x


def test_generators_in_lists_go_on_too(tmp_path):
    def run(epochs, resume=None):
        found = trainer(
            nn.Sequential(model(), Noise()), callbacks=nn.Checkpoint(tmp_path / "c.npz")
        )
        return fit(found, epochs=epochs, resume=resume).batch_losses

    whole = run(4)
    run(2)
    assert run(4, tmp_path / "c.npz") == whole


@pytest.mark.parametrize(
    "values", [np.array(1.0), [1j, 2.0], [10**400, 1], [[1.0], [2.0, 3.0]], np.ones((2, 1)), "12"]
)
def test_a_history_is_of_real_numbers(values):
    found = fit(trainer())
    before = found.state_dict()
    state = copy.deepcopy(before)
    state["history"]["loss"] = values
    with pytest.raises(ValueError, match=r"loss is .*; it must be a list of numbers\. Nothing was"):
        found.load_state_dict(state)
    assert_same(found.state_dict(), before)
