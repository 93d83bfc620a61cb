"""Going on from a checkpoint by `resume=`, through every door, bit for bit."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

import nn
from tests.nn.training_models import assert_same, data, model

EPOCHS = 7


class Die(nn.Callback):
    """The process is killed, or interrupted, in the middle of the fourth epoch."""

    def __init__(self, how):
        self.how = how

    def on_batch_end(self, trainer):
        if trainer.epoch == 3 and len(trainer.batch_losses) % 5 == 2:
            if self.how == "kill":
                os.kill(os.getpid(), 9)
            elif self.how == "interrupt":
                raise KeyboardInterrupt


def compiled(path, how, resume):
    """Lecture 5's door, with all that has a state: schedule, callbacks, dropout, generators."""
    network = nn.Network(*model().layers, loss=nn.cross_entropy_from_logits)
    adam = nn.Adam(network.parameters(), 0.05)
    network.compile(adam, metrics=["accuracy"])
    norms = nn.GradientNorms()
    network.fit(
        *data(),
        epochs=EPOCHS,
        batch_size=4,
        validation=0.2,
        schedule=nn.Schedule(adam, nn.CosineDecay(30)),
        callbacks=[nn.Checkpoint(path), nn.EarlyStopping(patience=4), norms, Die(how)],
        rng=np.random.default_rng(5),
        resume=resume,
        progress=False,
    )
    return network, [adam.state_dict(), norms.values]


def by_rate(path, how, resume):
    """Lecture 5's door with SGD that `fit` makes."""
    network = nn.Network(*model().layers, loss=nn.cross_entropy_from_logits)
    network.fit(
        *data(),
        epochs=EPOCHS,
        batch_size=5,
        learning_rate=0.1,
        callbacks=[nn.Checkpoint(path), Die(how)],
        rng=np.random.default_rng(5),
        resume=resume,
        progress=False,
    )
    return network, []


def lecture_1(path, how, resume):
    network = nn.Network(nn.InputLayer(3), nn.CrossEntropyFromLogits(), *model().layers)
    callbacks = [nn.Checkpoint(path), Die(how)]
    rng = np.random.default_rng(5)
    door = nn.SGDTrainer(
        0.05,
        epochs=EPOCHS,
        batch_size=5,
        update_rule=nn.Adam,
        callbacks=callbacks,
        rng=rng,
        progress=False,
    )
    door.optimize(data(), network, resume=resume)
    return network, []


DOORS = {"compiled": compiled, "by_rate": by_rate, "lecture_1": lecture_1}


def everything(found):
    network, more = found
    return [network.state_dict(), dict(network.history), list(network.batch_losses), more]


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_an_interrupted_training_goes_on_and_ends_where_it_would_have_ended(door, tmp_path):
    path = tmp_path / "checkpoint.npz"
    whole = everything(door(tmp_path / "whole.npz", "", None))
    with pytest.raises(KeyboardInterrupt):
        door(path, "interrupt", None)
    assert len(nn.load(path)["history"]["loss"]) == 3
    assert_same(everything(door(path, "", path)), whole)
    assert len(whole[1]["loss"]) == EPOCHS
    assert_same(everything(door(path, "", path)), whole)  # nothing is left to do


@pytest.mark.parametrize("door", ["compiled", "lecture_1"])
def test_a_killed_training_goes_on_in_another_process(door, tmp_path):
    def run(name, how, resume):
        program = (
            "import sys, nn, tests.nn.test_nn_resuming as t; name, door, how, resume = sys.argv[1:]"
            "; nn.save(name + '.npz', t.everything(t.DOORS[door](name + 'c.npz', how, "
            "resume or None)))"
        )
        environment = {**os.environ, "PYTHONWARNINGS": "error"}
        command = [sys.executable, "-c", program, str(tmp_path / name), door, how, resume]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        print(done.stderr)
        return done.returncode

    assert run("whole", "", "") == 0
    assert run("part", "kill", "") == -9
    assert not (tmp_path / "part.npz").exists()
    assert run("part", "", str(tmp_path / "partc.npz")) == 0
    assert_same(nn.load(tmp_path / "part.npz"), nn.load(tmp_path / "whole.npz"))


def test_epochs_count_those_of_the_file_for_a_trainer_too(tmp_path):
    path, epochs = tmp_path / "checkpoint.npz", []

    class Count(nn.Callback):
        def on_epoch_end(self, trainer):
            epochs.append(trainer.epoch)

    def trainer():
        module = model()
        adam = nn.Adam(module.parameters(), 0.01)
        loss, callbacks = nn.cross_entropy_from_logits, [nn.Checkpoint(path), Count()]
        return nn.Trainer(module, loss, adam, callbacks=callbacks, rng=np.random.default_rng(0))

    settings = {"batch_size": 5, "progress": False}
    trainer().fit(*data(), epochs=3, **settings)
    trainer().fit(*data(), epochs=5, resume=path, **settings)
    trainer().fit(*data(), epochs=5, resume=path, **settings)  # there is nothing left to do
    assert epochs == [1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match=r"the file is at epoch 5, .* pass epochs=7 for 2 more"):
        trainer().fit(*data(), epochs=2, resume=path, **settings)


def test_a_training_that_stopped_early_stays_stopped(tmp_path):
    """It was killed after the last checkpoint, before the best parameters were put back."""
    path = tmp_path / "checkpoint.npz"

    class Kill(nn.Callback):
        def on_checkpoint(self, trainer):
            if trainer.stop and path.exists():
                raise KeyboardInterrupt

    class Worse(nn.Callback):
        def on_epoch_end(self, trainer):
            trainer._latest["loss"] = float(trainer.epoch)

    def run(*callbacks, **settings):
        network = nn.Network(*model().layers, loss=nn.cross_entropy_from_logits)
        stopping = nn.EarlyStopping(patience=2, monitor="loss")
        network.fit(
            *data(),
            epochs=20,
            learning_rate=0.1,
            callbacks=[Worse(), stopping, nn.Checkpoint(path), *callbacks],
            rng=np.random.default_rng(0),
            progress=False,
            **settings,
        )
        return network

    whole = run()
    path.unlink()
    with pytest.raises(KeyboardInterrupt):
        run(Kill())
    state = nn.load(path)
    assert state["stop"] is True
    state["callbacks"].pop()  # Kill, which the call that goes on does not have
    nn.save(path, state)
    again = run(resume=path)
    assert len(again.loss_history) == len(whole.loss_history) == 3
    assert_same(again.state_dict(), whole.state_dict())


def test_callbacks_of_another_training_take_over_the_file_s_best(tmp_path):
    path = tmp_path / "checkpoint.npz"
    whole = everything(compiled(tmp_path / "whole.npz", "", None))
    with pytest.raises(KeyboardInterrupt):
        compiled(path, "interrupt", None)
    state = nn.load(path)
    used = nn.EarlyStopping(patience=4)
    used._module = lambda: None  # it has watched a module that is gone
    used.load_state_dict(state["callbacks"][1]["state"])
    assert used._module is None
    assert used.best == min(whole[1]["validation_loss"][:3])


def test_a_file_that_does_not_fit_changes_nothing(tmp_path):
    path = tmp_path / "checkpoint.npz"
    by_rate(path, "", None)
    network = nn.Network(*model(1).layers, loss=nn.cross_entropy_from_logits)
    before = everything((network, []))
    rng = np.random.default_rng(0)

    def fit(**settings):
        settings = {"epochs": 9, "learning_rate": 0.1, "rng": rng, "progress": False, **settings}
        network.fit(*data(), **settings)

    drawn = rng.bit_generator.state
    message = "Trainer.load_state_dict: the callbacks are none, and those of the state Checkpoint, "
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        fit(resume=path)
    with pytest.raises(FileNotFoundError):
        fit(resume=tmp_path / "missing.npz")
    nn.save(path, {"some": "thing"})
    with pytest.raises(ValueError, match="the state lacks module, optimiser"):
        fit(resume=path)
    path.write_bytes(b"PK")
    with pytest.raises(nn.LoadError):
        fit(resume=path)
    assert_same(everything((network, [])), before)
    assert rng.bit_generator.state == drawn
