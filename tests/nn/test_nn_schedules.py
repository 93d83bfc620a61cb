"""Schedules: known answers, composition, groups, state, and what is refused."""

import json
import math

import numpy as np
import pytest

import autograd_lite as ag
from nn.optimisers import SGD, Adam
from nn.schedules import (
    CosineDecay,
    ExponentialDecay,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    WarmUp,
)


def shape_of(shape, count):
    return [shape(t) for t in range(count)]


def sgd(rate=1.0):
    return SGD([ag.Variable(1.0)], rate)


def grouped():
    groups = [
        {"parameters": ag.Variable(1.0), "learning_rate": 0.5},
        {"parameters": ag.Variable(1.0)},
    ]
    return SGD(groups, 0.25)


def rates_of(optimiser):
    return [group.get("learning_rate", optimiser.learning_rate) for group in optimiser.groups]


# --- shapes -----------------------------------------------------------------------------------


def test_shapes():
    assert shape_of(StepDecay(3, 0.5), 8) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert shape_of(ExponentialDecay(0.5), 4) == [1, 0.5, 0.25, 0.125]
    assert shape_of(WarmUp(4, start=0.0), 6) == [0, 0.25, 0.5, 0.75, 1, 1]
    assert shape_of(WarmUp(3), 5) == [0.25, 0.5, 0.75, 1, 1]
    cosine = CosineDecay(6, least=0.2)
    expected = [0.2 + 0.8 * (1 + math.cos(math.pi * t / 6)) / 2 for t in range(7)]
    np.testing.assert_allclose(shape_of(cosine, 9), [*expected, 0.2, 0.2], rtol=1e-15)
    assert cosine(10**9) == 0.2
    assert StepDecay(1, 0.5)(5000) == 0.0  # and no error


def test_warm_up_goes_over_into_another_shape():
    cosine = CosineDecay(10)
    both = WarmUp(5, then=cosine)
    np.testing.assert_allclose(shape_of(both, 5), np.arange(1, 6) / 6, rtol=1e-15)
    assert [both(5 + t) for t in range(12)] == shape_of(cosine, 12)
    assert max(shape_of(both, 20)) == both(5) == 1.0
    nested = WarmUp(2, then=WarmUp(2, start=0.5, then=ExponentialDecay(0.5)), start=0.0)
    assert shape_of(nested, 6) == [0, 0.5, 0.5, 0.75, 1, 0.5]


def test_shapes_are_equal_and_print_by_what_they_are():
    assert WarmUp(3, CosineDecay(4)) == WarmUp(3, CosineDecay(4))
    assert repr(StepDecay(2)) == "StepDecay(every=2, factor=0.1)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: StepDecay(0),
            "StepDecay: every must be a whole number of at least 1, received: 0",
        ),
        (lambda: StepDecay(2.5), "every must be a whole number of at least 1, received: 2.5"),
        (lambda: StepDecay(2, -1), "StepDecay: factor must be a positive number, received: -1"),
        (
            lambda: ExponentialDecay(0),
            "ExponentialDecay: factor must be a positive number, receive",
        ),
        (lambda: ExponentialDecay(math.nan), "factor must be a positive number, received: nan"),
        (lambda: CosineDecay(True), "steps must be a whole number of at least 1, received: True"),
        (lambda: CosineDecay(3, least=2.0), "CosineDecay: least must be from 0 to 1, received: 2"),
        (lambda: WarmUp(0), "WarmUp: steps must be a whole number of at least 1, received: 0"),
        (lambda: WarmUp(3, start=-0.5), "WarmUp: start must be from 0 to 1, received: -0.5"),
    ],
)
def test_shapes_out_of_range_are_refused(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


# --- bound to an optimiser --------------------------------------------------------------------


def test_a_schedule_sets_the_rate_of_every_step():
    x = ag.Variable(0.0)
    optimiser = SGD(x, 0.5)
    schedule = Schedule(optimiser, ExponentialDecay(0.5))
    expected = 0.0
    for t in range(4):
        x.grad = 1.0
        optimiser.step()
        expected -= 0.5 * 0.5**t
        assert x.item() == expected
        schedule.step()
    assert schedule.steps == 4


def test_any_function_is_a_shape_and_rates_of_groups_keep_their_ratio():
    optimiser = grouped()
    schedule = Schedule(optimiser, lambda t: 1 / (1 + t))
    assert rates_of(optimiser) == [0.5, 0.25]
    schedule.step()
    assert rates_of(optimiser) == [0.25, 0.125]
    for _ in range(2):
        schedule.step()
    assert rates_of(optimiser) == [0.125, 0.0625]
    assert "learning_rate" not in optimiser.groups[1]  # it goes on following the optimiser's


def test_a_rate_may_end_at_0():
    x = ag.Variable(1.0)
    optimiser = SGD(x, 0.5)
    schedule = Schedule(optimiser, CosineDecay(1))
    schedule.step()
    x.grad = 1.0
    optimiser.step()
    assert (optimiser.learning_rate, x.item()) == (0.0, 1.0)


def noisy_descent(x, optimiser, schedule, first, last):
    for t in range(first, last):
        x.grad = np.cos(t + x.data)
        optimiser.step()
        schedule.step()


def test_going_on_from_a_state_is_the_same_bit_for_bit():
    def fresh(start, rate):
        x = ag.Variable(start)
        optimiser = Adam(x, rate)
        return x, optimiser, Schedule(optimiser, WarmUp(4, then=CosineDecay(20)))

    whole = fresh([1.0, 2.0], 0.1)
    noisy_descent(*whole, 0, 7)
    at = whole[0].data.copy()
    states = json.loads(json.dumps(whole[2].state_dict())), whole[1].state_dict()
    noisy_descent(*whole, 7, 20)
    resumed = fresh(at, 99.0)
    resumed[1].load_state_dict(states[1])
    resumed[2].load_state_dict(states[0])
    noisy_descent(*resumed, 7, 20)
    np.testing.assert_array_equal(whole[0].data, resumed[0].data)
    assert resumed[1].learning_rate == whole[1].learning_rate


def test_a_state_of_other_groups_is_refused():
    for make in (lambda o: Schedule(o, StepDecay(1)), ReduceOnPlateau):
        with pytest.raises(
            ValueError, match="expected the rates of optimiser, received 0, optimis"
        ):
            make(sgd()).load_state_dict(make(grouped()).state_dict())


def test_what_a_schedule_cannot_use_is_refused():
    for make in (lambda o: Schedule(o, StepDecay(1)), ReduceOnPlateau):
        with pytest.raises(TypeError, match="the optimiser has no learning_rate, received list"):
            make([])
    with pytest.raises(
        TypeError, match="Schedule: the shape must be a function of the step, recei"
    ):
        Schedule(sgd(), 0.5)
    schedule = Schedule(sgd(), lambda t: 1 - t)
    schedule.step()
    with pytest.raises(ValueError, match=r"at least 0, received -1.0 from <function .* at step 2"):
        schedule.step()
    with pytest.raises(ValueError, match="received nan"):
        Schedule(sgd(), lambda t: math.nan)
    for factor in (10, 10.0):  # a power that no float holds is an error of its own in Python
        schedule = Schedule(sgd(), ExponentialDecay(factor))
        schedule.steps = 308
        with pytest.raises(ValueError, match=r"received inf from Exponential.* at step 309"):
            schedule.step()
    with pytest.raises(TypeError, match=r"^WarmUp: then must be a function of the step, recei"):
        WarmUp(2, then=0.5)


# --- plateau ----------------------------------------------------------------------------------


def rates_after(losses, **settings):
    optimiser = sgd()
    plateau = ReduceOnPlateau(optimiser, **settings)
    rates = []
    for loss in losses:
        plateau.step(loss)
        rates.append(optimiser.learning_rate)
    return rates


def test_a_plateau_reduces_the_rate():
    losses = [5, 4, 4, 4, 4, 3, 3, 3, 3]
    assert rates_after(losses, factor=0.5, patience=2) == [1] * 4 + [0.5] * 4 + [0.25]
    assert rates_after(losses, factor=0.5, patience=0)[:4] == [1, 1, 0.5, 0.25]
    assert rates_after([5] + [5] * 11) == [1] * 11 + [0.1]  # patience is 10


def test_better_is_better_by_more_than_the_threshold():
    falling = [1.0, 0.95, 0.91, 0.8]  # against 0.9·best: no, no, yes
    assert rates_after(falling, factor=0.5, patience=1, threshold=0.1) == [1, 1, 0.5, 0.5]
    assert rates_after(falling, factor=0.5, patience=1, threshold=0.0) == [1, 1, 1, 1]


def test_a_plateau_below_zero_is_one():
    assert rates_after([-1.0] * 4, factor=0.5, patience=1) == [1, 1, 0.5, 0.5]
    rising_accuracy = [-0.5, -0.6, -0.7, -0.8]
    assert rates_after(rising_accuracy, factor=0.5, patience=0) == [1] * 4


def test_cooldown_and_least():
    assert rates_after([1] * 7, factor=0.5, patience=0, cooldown=2) == [
        1,
        0.5,
        0.5,
        0.5,
        0.25,
        0.25,
        0.25,
    ]
    assert rates_after([1] * 5, factor=0.5, patience=0, least=0.3) == [1, 0.5, 0.3, 0.3, 0.3]
    # a rate that is lower already does not grow
    assert rates_after([1] * 3, factor=0.5, patience=0, least=2.0) == [1, 1, 1]


def test_infinite_losses_count_as_not_better():
    assert rates_after([np.inf] * 3, factor=0.5, patience=1) == [1, 0.5, 0.5]


def test_all_groups_are_reduced():
    optimiser = grouped()
    plateau = ReduceOnPlateau(optimiser, factor=0.5, patience=0)
    for loss in (1.0, 1.0):
        plateau.step(loss)
    assert rates_of(optimiser) == [0.25, 0.125]


def test_a_plateau_goes_on_from_a_state():
    losses = [3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1]
    settings = {"factor": 0.5, "patience": 1, "cooldown": 1}
    for cut in range(len(losses)):
        first, second = sgd(), sgd(7.0)
        plateau = ReduceOnPlateau(first, **settings)
        for loss in losses[:cut]:
            plateau.step(loss)
        resumed = ReduceOnPlateau(second, **settings)
        resumed.load_state_dict({**plateau.state_dict(), "best": np.array(plateau.best)})
        rates = []
        for loss in losses[cut:]:
            resumed.step(loss)
            rates.append(second.learning_rate)
        assert rates == rates_after(losses, **settings)[cut:]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"factor": 1.0}, "ReduceOnPlateau: factor must be between 0 and 1, received: 1.0"),
        ({"factor": 0.0}, "factor must be between 0 and 1, received: 0.0"),
        ({"patience": -1}, "patience must be a whole number of at least 0, received: -1"),
        ({"cooldown": 0.5}, "cooldown must be a whole number of at least 0, received: 0.5"),
        ({"threshold": -0.1}, "threshold must be from 0 to 1, received: -0.1"),
        ({"factor": "a"}, "factor must be between 0 and 1, received: 'a'"),
        ({"least": -1.0}, "least must be at least 0, received: -1.0"),
    ],
)
def test_settings_of_a_plateau_out_of_range_are_refused(settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        ReduceOnPlateau(sgd(), **settings)


def test_a_loss_that_is_no_number_is_refused():
    plateau = ReduceOnPlateau(sgd())
    with pytest.raises(
        ValueError, match="ReduceOnPlateau: the loss is nan; lower the learning rat"
    ):
        plateau.step(math.nan)
    with pytest.raises(TypeError, match="is tracked and would silently leave the tape; use"):
        plateau.step(ag.Variable(1.0))


@pytest.mark.parametrize("make", [lambda o: Schedule(o, StepDecay(2)), ReduceOnPlateau])
def test_what_is_no_state_is_refused(make):
    schedule = make(sgd())
    asked = f"^{type(schedule).__name__}.load_state_dict: expected what state_dict gave, with "
    with pytest.raises(ValueError, match=asked + ".*rates, received: nothing"):
        schedule.load_state_dict({})
    with pytest.raises(ValueError, match=asked + ".*, received: rates$"):
        schedule.load_state_dict({"rates": {}})
    with pytest.raises(TypeError, match=asked + ".*, received: None"):
        schedule.load_state_dict(None)
    state = schedule.state_dict()
    with pytest.raises(ValueError, match="expected the rates of optimiser, received list"):
        schedule.load_state_dict({**state, "rates": [0.1]})
    with pytest.raises(ValueError, match="the rate of optimiser must be at least 0, received: nan"):
        schedule.load_state_dict({**state, "rates": {"optimiser": math.nan}})
    assert schedule.state_dict() == state


def test_a_number_of_steps_is_whole_and_not_negative():
    schedule = Schedule(sgd(), StepDecay(2))
    for steps, error in ((-1, ValueError), ("2", TypeError)):
        message = "^Schedule.load_state_dict: steps must be a whole number of at least 0, received"
        with pytest.raises(error, match=message):
            schedule.load_state_dict({**schedule.state_dict(), "steps": steps})
