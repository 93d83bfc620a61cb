"""Ctrl-C anywhere in a training: what was learned is kept, in whole steps and whole epochs."""

import linecache
import signal
import sys

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn import evaluation
from tests.nn.training_models import assert_same, data, fit, model, trainer


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
                signal.raise_signal(signal.SIGINT)  # as Ctrl-C does, so that it can be held back
        return self.trace

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)


def test_an_interruption_anywhere_keeps_whole_steps_and_whole_epochs():
    X, y = data(8)
    states, optimisers = [], []

    def make():
        return trainer(model(dropout=0), metrics=["accuracy"])

    def run(found):
        fit(found, X, y, batch_size=4, validation=(X, y))

    class Collect(nn.Callback):
        def on_begin(self, trainer):
            states.append([p.data for p in trainer.module.parameters()])
            optimisers.append(trainer.optimiser.state_dict())

        on_batch_end = on_begin

    whole = make()
    whole.callbacks.append(Collect())
    run(whole)
    assert len(states) == 5
    own = nn.Trainer
    functions = [own._epoch, own.step, own._train, own._validate, own._note, evaluation.measured]
    functions += [evaluation.predicted, nn.FirstOrderOptimiser.step, nn.Adam._update]
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
        assert interrupt.left <= 0
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
        assert equal.index(True) == steps
        assert_same(found.optimiser.state_dict(), optimisers[steps])
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
