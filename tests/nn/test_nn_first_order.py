"""What optimisers share: groups, state out and in, and what is refused."""

import copy
import re

import numpy as np
import pytest

import autograd_lite as ag
from nn.first_order import NOT_NEGATIVE, FirstOrderOptimiser
from nn.optimisers import SGD, Adagrad, Adam, AdamW, RMSProp
from tests.nn.optimiser_kinds import (
    KINDS,
    each_kind,
    start,
    steps,
    values,
    with_gradient,
)

# --- groups -----------------------------------------------------------------------------------


def test_groups_have_settings_of_their_own_and_share_the_rest():
    x, y, z = (with_gradient(1.0, 1.0) for _ in range(3))
    groups = [
        {"parameters": [x, y], "learning_rate": 0.5},
        {"parameters": z, "weight_decay": 1.0},
    ]
    sgd = SGD(groups, learning_rate=0.25)
    sgd.step()
    assert (x.item(), y.item(), z.item()) == (0.5, 0.5, 1 - 0.25 * 2)
    sgd.learning_rate = 0.125  # of those that have none of their own
    sgd.groups[0]["learning_rate"] = 0.25
    sgd.step()
    assert (x.item(), y.item(), z.item()) == (0.25, 0.25, 0.5 - 0.125 * 1.5)
    assert [p is q for p, q in zip(sgd.parameters, [x, y, z], strict=True)] == [True] * 3


def test_the_dicts_that_are_passed_are_left_alone():
    given = {"parameters": iter([ag.Variable(1.0)]), "learning_rate": 0.5}
    sgd = SGD([given], 0.1)
    sgd.groups[0]["learning_rate"] = 0.7
    assert given["learning_rate"] == 0.5
    assert len(sgd.parameters) == 1


def test_a_rule_of_ones_own():
    class SignDescent(FirstOrderOptimiser):
        settings = {"learning_rate": NOT_NEGATIVE}  # noqa: RUF012

        def __init__(self, parameters, learning_rate):
            self.learning_rate = learning_rate
            super().__init__(parameters)

        def _update(self, theta, g, state, learning_rate):
            return theta - learning_rate * np.sign(g)

    x = with_gradient([1.0, 1.0], [5.0, -5.0])
    SignDescent(x, 0.5).step()
    np.testing.assert_array_equal(x.data, [0.5, 1.5])
    with pytest.raises(NotImplementedError, match="an optimiser must define _update"):
        FirstOrderOptimiser._update(FirstOrderOptimiser.__new__(FirstOrderOptimiser))


# --- state ------------------------------------------------------------------------------------


def through_arrays(nested):
    """What a file of arrays gives back: every number is an array without axes."""
    if isinstance(nested, dict):
        return {key: through_arrays(value) for key, value in nested.items()}
    return np.array(nested)


@each_kind
@pytest.mark.parametrize("way", [lambda s: s, through_arrays], ids=["as it is", "through arrays"])
def test_going_on_from_a_state_is_the_same_bit_for_bit(kind, way):
    parameters = start()
    optimiser = KINDS[kind](parameters, weight_decay=0.01)
    steps(optimiser, parameters, 3)
    optimiser.learning_rate *= 0.3
    state, at = optimiser.state_dict(), values(parameters)
    steps(optimiser, parameters, 4)

    twins = [ag.Variable(v) for v in at]
    twin = type(optimiser)(twins, learning_rate=77.0)  # every setting is in the state
    twin.load_state_dict(way(state))
    steps(twin, twins, 4)
    for one, other in zip(parameters, twins, strict=True):
        np.testing.assert_array_equal(one.data, other.data)

    again = [ag.Variable(v) for v in at]  # the steps of the others did not change the state
    twin = type(optimiser)(again, learning_rate=77.0)
    twin.load_state_dict(state)
    steps(twin, again, 4)
    for one, other in zip(parameters, again, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def test_a_state_holds_dicts_arrays_numbers_and_the_name():
    x, y = start()
    groups = [{"parameters": [x], "learning_rate": np.float64(0.5)}, {"parameters": [y]}]
    adam = Adam(groups, 0.1)
    x.grad = [1.0, -2.0]
    adam.step()
    state = adam.state_dict()
    m, v = (state["parameters"]["0"].pop(name) for name in "mv")
    np.testing.assert_allclose(m, [0.1, -0.2], rtol=1e-15)
    np.testing.assert_allclose(v, [0.001, 0.004], rtol=1e-12)  # 1 − 0.999 has lost 3 digits
    assert state == {
        "optimiser": "Adam",
        "settings": {
            "learning_rate": 0.1,
            "beta1": 0.9,
            "beta2": 0.999,
            "epsilon": 1e-8,
            "weight_decay": 0.0,
            "amsgrad": False,
        },
        "groups": {"0": {"parameters": 1, "learning_rate": 0.5}, "1": {"parameters": 1}},
        "parameters": {"0": {"t": 1}},
    }
    assert type(state["groups"]["0"]["learning_rate"]) is float


def test_groups_come_back_with_their_settings():
    def groups(**more):
        x, y = start()
        return [{"parameters": x, "learning_rate": 0.5}, {"parameters": y, **more}]

    sgd = SGD(groups(), 0.1)
    sgd.groups[1]["momentum"] = 0.5
    twin = SGD(groups(weight_decay=0.3), 0.2)
    twin.load_state_dict(sgd.state_dict())
    assert [{k: v for k, v in g.items() if k != "parameters"} for g in twin.groups] == [
        {"learning_rate": 0.5},
        {"momentum": 0.5},
    ]


def test_a_copy_goes_on_alone():
    parameters = start()
    adam = Adam(parameters, 0.1)
    steps(adam, parameters, 2)
    twins, twin = copy.deepcopy((parameters, adam))
    steps(adam, parameters, 3)
    steps(twin, twins, 3)
    for one, other in zip(parameters, twins, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def stepped(optimiser):
    for parameter in optimiser.parameters:
        parameter.grad = np.ones(parameter.shape)
    optimiser.step()
    return optimiser


def changed(state, *path, to):
    inner = state
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return state


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: {}, "Adam.load_state_dict: the entries must be groups, optimiser, parameters, "),
        (
            lambda s: changed(s, "optimiser", to="AdamW"),
            "the optimiser must be Adam, received AdamW",
        ),
        (
            lambda s: changed(s, "settings", to={}),
            "the settings must be amsgrad, .* received nothing",
        ),
        (
            lambda s: changed(s, "settings", "beta1", to=1.5),
            "the beta1 must be a number from 0 to be",
        ),
        (lambda s: changed(s, "groups", to={}), "the groups must be 0, received nothing"),
        (
            lambda s: changed(s, "groups", "0", "parameters", to=3),
            "the number of parameters in group 0 must be 2, received 3",
        ),
        (
            lambda s: changed(s, "groups", "0", "speed", to=3),
            "group 0 sets 'speed', which is no set",
        ),
        (lambda s: changed(s, "parameters", "7", to={}), "the state of 2 parameters, .* 0, 1, 7"),
        (
            lambda s: changed(s, "parameters", "0", "m", to=np.zeros(3)),
            r"parameter 0, x, is a float64 array of shape \(2,\), the m in the state is a fl",
        ),
        (
            lambda s: changed(s, "parameters", "0", "m", to=np.zeros(2, np.float32)),
            "parameter 0, x, is a float64 array .* is a float32 array",
        ),
        (
            lambda s: changed(s, "parameters", "1", to={"m": np.array(0.0)}),
            "parameter 1, y, expected m, t, v, received m; load",
        ),
        (
            lambda s: changed(s, "parameters", "1", "G", to=np.array(0.0)),
            "parameter 1, y, expected m, t, v, received G, m, t, v; load",
        ),
        (lambda s: changed(s, "parameters", "1", "t", to=0), "parameter 1, y, has taken 0 steps"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(spoil, message):
    adam = stepped(Adam(start(), 0.1))
    before = copy.deepcopy(adam.state_dict())
    state = copy.deepcopy(stepped(Adam(start(), 0.3)).state_dict())
    with pytest.raises(ValueError, match=message):
        adam.load_state_dict(spoil(state))
    np.testing.assert_equal(adam.state_dict(), before)


# --- what is refused --------------------------------------------------------------------------

SHARED = ag.Variable(1.0, name="shared")


@pytest.mark.parametrize(
    ("parameters", "kind", "message"),
    [
        ([], ValueError, "SGD: there are no parameters"),
        ([SHARED, ag.Variable(2.0), SHARED], ValueError, "parameter 2, shared, was given twice"),
        ([np.ones(2)], TypeError, "parameter 0 is a float64 array .* not a tracked Variable"),
        ([2 * SHARED], TypeError, "parameter 0, multiply #.* is the result of 'multiply'"),
        (
            [SHARED, ag.Variable(1.0, name="c", requires_grad=False)],
            TypeError,
            "parameter 1, c, is not tracked and never gets a gradient",
        ),
        ([{"parameters": []}], ValueError, "there are no parameters in group 0; pass"),
        (
            [{"parameters": SHARED}, {"parameters": [SHARED]}],
            ValueError,
            "parameter 0 of group 1, shared, was given twice",
        ),
        (
            [{"params": [SHARED]}],
            TypeError,
            "group 0 must be a dict with 'parameters', received dic",
        ),
        (
            [{"parameters": SHARED}, ag.Variable(1.0)],
            TypeError,
            "group 1 must be a dict with 'para",
        ),
        (
            [{"parameters": SHARED, "lr": 0.1}],
            ValueError,
            "group 0 sets lr, which it does not have; its settings are learning_rate, momentum, ",
        ),
        (
            [{"parameters": SHARED, "learning_rate": 0.0}],
            ValueError,
            "SGD: the learning rate must be a positive number, received 0.0",
        ),
        ([{"parameters": SHARED, "momentum": 1.0}], ValueError, "momentum must be a number from 0"),
    ],
)
def test_bad_parameters_are_refused(parameters, kind, message):
    with pytest.raises(kind, match=message):
        SGD(parameters, 0.1)


@pytest.mark.parametrize("rate", [0, -1.0, np.nan, np.inf])
def test_a_rate_that_is_not_a_positive_number_is_refused(rate):
    with pytest.raises(ValueError, match="SGD: the learning rate must be a positive number, rec"):
        SGD([ag.Variable(1.0)], rate)


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (
            SGD,
            {"momentum": 1.0},
            "SGD: the momentum must be a number from 0 to below 1, received 1",
        ),
        (SGD, {"momentum": -0.1}, "the momentum must be a number from 0 to below 1, received -0.1"),
        (SGD, {"weight_decay": -1}, "the weight decay must be a number of at least 0, received -1"),
        (SGD, {"nesterov": True}, "SGD: nesterov needs momentum; pass for instance momentum=0.9"),
        (
            SGD,
            {"nesterov": 0.5, "momentum": 0.5},
            "the nesterov must be True or False, received 0.5",
        ),
        (Adagrad, {"epsilon": 0}, "Adagrad: the epsilon must be a positive number, received 0"),
        (Adagrad, {"initial": -1}, "the initial must be a number of at least 0, received -1"),
        (
            RMSProp,
            {"decay": 1},
            "RMSProp: the decay must be a number from 0 to below 1, received 1",
        ),
        (RMSProp, {"momentum": np.nan}, "the momentum must be a number from 0 to below 1, receiv"),
        (Adam, {"beta1": 1.0}, "Adam: the beta1 must be a number from 0 to below 1, received 1.0"),
        (Adam, {"beta2": -0.5}, "the beta2 must be a number from 0 to below 1, received -0.5"),
        (
            AdamW,
            {"weight_decay": np.inf},
            "AdamW: the weight decay must be a number of at least 0, ",
        ),
    ],
)
def test_settings_out_of_range_are_refused(make, settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make([ag.Variable(1.0)], **{"learning_rate": 0.1, **settings})


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="learning rate must be a positive number, received str '0"):
        SGD([ag.Variable(1.0)], "0.1")
    with pytest.raises(
        TypeError, match="the beta1 must be a number from 0 to below 1, received tuple"
    ):
        Adam([ag.Variable(1.0)], beta1=(0.9, 0.999))


def test_a_setting_that_was_spoilt_is_refused_before_anything_changes():
    x, y = with_gradient(1.0, 1.0), with_gradient(1.0, 1.0)
    sgd = SGD([{"parameters": x}, {"parameters": y}], 0.1)
    sgd.groups[1]["learning_rate"] = -0.1
    with pytest.raises(ValueError, match="the learning rate must be a number of at least 0, rec"):
        sgd.step()
    assert (x.item(), y.item()) == (1.0, 1.0)
    del sgd.groups[1]["learning_rate"]
    sgd.learning_rate = 0.0  # where a schedule may end
    sgd.step()
    assert (x.item(), y.item()) == (1.0, 1.0)


# --- what is changed between steps ----------------------------------------------------------------


def test_parameters_cannot_be_added_without_being_trained():
    x, y = with_gradient(1.0, 1.0), with_gradient(1.0, 1.0)
    sgd = SGD([x], 0.5)
    with pytest.raises(AttributeError, match="'tuple' object has no attribute 'append'"):
        sgd.groups[0]["parameters"].append(y)
    with pytest.raises(AttributeError, match="'tuple' object has no attribute 'append'"):
        sgd.groups.append({"parameters": [y]})
    with pytest.raises(AttributeError, match="'tuple' object has no attribute 'append'"):
        sgd.parameters.append(y)
    assert (x.item(), y.item()) == (1.0, 1.0)


@pytest.mark.parametrize("before", [0, 1])  # steps, after which the settings are remembered
@pytest.mark.parametrize("change", ["more", "other", "regrouped", "list"])
def test_a_step_refuses_other_parameters(before, change):
    x, y = with_gradient(1.0, 1.0), with_gradient(1.0, 1.0)
    sgd = SGD([x], 0.25)
    for _ in range(before):
        sgd.step()
    if change == "more":
        sgd.groups[0]["parameters"] += (y,)
    elif change == "other":
        sgd.groups[0]["parameters"] = (y,)
    elif change == "regrouped":
        sgd.groups = (*sgd.groups, {"parameters": [y]})
    else:  # once looked at, a list is a tuple, too
        sgd.groups[0]["parameters"] = [x]
        sgd.step()
        sgd.groups[0]["parameters"] += (y,)
    at = x.item()
    for _ in range(2):  # nothing is remembered of what was refused
        with pytest.raises(ValueError, match=r"^SGD: its groups hold . parameters that are not"):
            sgd.step()
    assert (x.item(), y.item()) == (at, 1.0)


@pytest.mark.parametrize("before", [0, 1])
def test_a_step_refuses_settings_that_there_are_not(before):
    sgd = SGD([with_gradient(1.0, 1.0)], 0.25)
    for _ in range(before):
        sgd.step()
    sgd.groups[0]["lr"] = 0.5
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^SGD: group 0 sets lr, which it does not have; its"):
            sgd.step()
    sgd.groups[0]["learning_rate"] = sgd.groups[0].pop("lr")
    sgd.step()
    sgd.groups[0]["lr"] = sgd.groups[0].pop("learning_rate")  # the same object, as another setting
    with pytest.raises(ValueError, match="SGD: group 0 sets lr, which it does not have; its"):
        sgd.step()


def test_what_changes_between_steps_counts_from_the_next():
    x = with_gradient(1.0, 1.0)
    sgd = SGD([x], 0.25)
    sgd.step()
    sgd.learning_rate = 0.5
    sgd.step()
    sgd.groups[0]["learning_rate"] = rate = np.array(0.125)
    sgd.step()
    assert x.item() == 0.125
    rate[...] = 0.0625  # in place
    sgd.step()
    assert x.item() == 0.0625
    sgd.groups[0].pop("learning_rate")  # all as it was two steps before
    sgd.step()
    assert x.item() == 0.0625 - 0.5
    x.data = 0.0625
    sgd.groups[0]["learning_rate"] = rate
    rate[...] = -1
    with pytest.raises(ValueError, match="learning rate must be a number of at least 0"):
        sgd.step()
    del sgd.groups[0]["learning_rate"]
    sgd.momentum = 0.5
    sgd.step()
    assert x.item() == 0.0625 - 0.5
    sgd.load_state_dict(SGD([ag.Variable(1.0)], 2.0).state_dict())
    sgd.step()
    assert x.item() == 0.0625 - 0.5 - 2


def test_a_copy_steps_by_itself():
    x = with_gradient(1.0, 1.0)
    sgd = SGD([x], 0.25)
    sgd.step()
    twin = copy.deepcopy(sgd)
    twin.learning_rate = 0.5
    twin.parameters[0].grad = np.array(1.0)
    twin.step()
    assert (x.item(), twin.parameters[0].item()) == (0.75, 0.25)


def test_a_module_in_the_place_of_its_parameters():
    import nn

    layer = nn.FullyConnected(2, 1)
    for call in (
        lambda: SGD(layer, 0.1),
        lambda: SGD([{"parameters": layer}], 0.1),
        lambda: nn.clip_gradients_by_norm(layer, 1.0),
        lambda: nn.l2_penalty(layer),
    ):
        with pytest.raises(
            TypeError, match=r"expected Variables, received: FullyConnected .*its p"
        ):
            call()
    with pytest.raises(TypeError, match=r"^Adam: expected Variables, received: float 0.1; pass"):
        Adam(0.1)
    with pytest.raises(TypeError, match="parameter 0 is an int64 array of shape"):
        SGD([np.array([1])], 0.1)


def test_states_that_are_replaced_count_from_the_next_step():
    x = with_gradient(1.0, 1.0)
    sgd = SGD([x], 0.25, momentum=0.5)
    sgd.step()
    sgd._states = [{}]  # as a subclass may, to begin anew
    sgd.step()
    assert x.item() == 0.5  # not 1 − 0.25 − 0.25·1.5
