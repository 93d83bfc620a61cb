"""Ctrl-C held back: until the end, in the main thread alone, and leaving handlers as they were."""

import signal
import threading

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.interruptions import Interruptions
from tests.nn.optimiser_kinds import KINDS


def press():
    signal.raise_signal(signal.SIGINT)


def test_it_waits_for_the_end_and_comes_once():
    done, before = [], signal.getsignal(signal.SIGINT)

    def work():
        with Interruptions() as interruptions:
            with interruptions.whole:
                done.append("nothing")
            with interruptions.whole:
                press()
                press()
                done.append("inside")
            done.append("after")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["nothing", "inside"]
    assert signal.getsignal(signal.SIGINT) is before


def test_between_two_stretches_it_comes_at_once():
    done = []

    def work():
        with Interruptions() as interruptions:
            with interruptions.whole:
                done.append("first")
            press()
            done.append("after")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["first"]


def test_one_inside_another_waits_for_both():
    done = []

    def work():
        with Interruptions() as outer, outer.whole:
            with Interruptions() as inner:
                press()
                with inner.whole:
                    press()
                    done.append("inner")
                done.append("between")
            done.append("outer")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["inner", "between", "outer"]


def test_a_handler_of_ones_own_is_called_at_the_end_and_an_ignored_signal_stays_ignored():
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with Interruptions() as interruptions:
            with interruptions.whole:
                press()
                assert heard == []
            assert heard == [signal.SIGINT]
            press()
            assert heard == [signal.SIGINT] * 2
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with Interruptions() as interruptions, interruptions.whole:
            press()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_error_inside_comes_through_and_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), Interruptions() as interruptions, interruptions.whole:
        1 / 0  # noqa: B018
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_leave_handlers_alone():
    seen, before = [], signal.getsignal(signal.SIGINT)

    def work():
        with Interruptions() as interruptions, interruptions.whole:
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


# --- a step of training ---------------------------------------------------------------------------


class Plane(nn.Module):
    """Two parameters, so that something may come between them."""

    def __init__(self):
        self.slopes, self.height = ag.Variable([1.0, 2.0]), ag.Variable(3.0)

    def forward(self, x):
        return x @ self.slopes + self.height


DATA = np.array([[1.0, -1.0], [0.5, 2.0]]), np.array([0.5, -1.0])


def prepared(make):
    plane = Plane()
    return nn.Trainer(plane, nn.mean_squared_error, make(plane.parameters())).fit(
        *DATA, epochs=2, batch_size=2, progress=False
    )


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("when", ["before the first update", "between two", "after the last"])
def test_a_step_that_is_interrupted_inside_is_taken_whole(make, when, monkeypatch):
    trainer, twin = prepared(make), prepared(make)
    update, calls = type(trainer.optimiser)._update, []

    def interrupted(self, *given, **settings):
        calls.append(1)
        if (when, len(calls)) in (("before the first update", 1), ("between two", 2)):
            press()
        new = update(self, *given, **settings)
        if (when, len(calls)) == ("after the last", 2):
            press()
        return new

    twin.fit(*DATA, epochs=1, batch_size=2, progress=False)
    monkeypatch.setattr(type(trainer.optimiser), "_update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(*DATA, epochs=1, batch_size=2, progress=False)
    assert len(calls) == 2
    assert trainer.batch_losses == twin.batch_losses
    np.testing.assert_equal(trainer.optimiser.state_dict(), twin.optimiser.state_dict())
    for ours, theirs in zip(trainer.module.parameters(), twin.module.parameters(), strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)


def test_an_error_in_a_rule_changes_no_parameter(monkeypatch):
    trainer = prepared(KINDS["SGD"])
    values = [parameter.data for parameter in trainer.module.parameters()]
    update = nn.SGD._update

    def spoilt(self, theta, *given, **settings):
        return update(self, theta, *given, **settings) if theta.ndim else 1 / 0

    monkeypatch.setattr(nn.SGD, "_update", spoilt)
    with pytest.raises(ZeroDivisionError):
        trainer.fit(*DATA, epochs=1, batch_size=2, progress=False)
    for parameter, value in zip(trainer.module.parameters(), values, strict=True):
        np.testing.assert_array_equal(parameter.data, value)


def test_entered_again_it_forgets_the_handler_that_was_there_before():
    interruptions, before = Interruptions(), signal.getsignal(signal.SIGINT)
    with interruptions:
        pass
    errors = []

    def work():
        try:
            with interruptions:
                pass
        except ValueError as error:  # signals are for the main thread alone
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not errors
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with interruptions:
            pass
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
