"""Faults planted one at a time: each must be seen by the check named beside it.

Where a second check is named, it must *not* see the fault: these are the mistakes that first
derivatives, or double precision, or contiguous arrays alone would let through.
"""

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import backward, sweep
from autograd_lite.operators import OPERATIONS
from tests import test_contract as contract
from tests.cases import ALL_CASES, Case

CASES = {case.name: case for case in ALL_CASES}


def constant(v):
    """The value of v, off the tape."""
    return v.data if isinstance(v, ag.Variable) else v


def overwritten(g):
    g *= 2
    return g / 2


def in_memory_order(x):
    return np.reshape(np.ravel(x, order="K"), x.shape)


def row_of(function):
    return function(ag.Variable(0.5), *[0.5] * (function.nin - 1)).operation


def layouts(case):
    for layout in contract.LAYOUTS:
        contract.test_memory_layout_makes_no_difference(case, layout)


RULE_FAULTS = {
    "a wrong sign": (
        np.subtract,
        (lambda g, z, x, y: g, lambda g, z, x, y: g),
        "subtract with a row",
        contract.test_first_order,
        None,
    ),
    "a factor forgotten": (
        np.square,
        (lambda g, z, x: g * x,),
        "square",
        contract.test_first_order,
        None,
    ),
    "the result taken for a constant: right at first order only": (
        np.tanh,
        (lambda g, z, x: g * (1 - constant(z) ** 2),),
        "tanh",
        contract.test_higher_orders,
        contract.test_first_order,
    ),
    "the cotangent taken for a constant: right at first order only": (
        np.negative,
        (lambda g, z, x: -constant(g),),
        "negative",
        contract.test_rules_are_recorded_in_their_cotangent,
        contract.test_first_order,
    ),
    "digits lost by cancellation": (
        np.square,
        (lambda g, z, x: g * 2 * ((x + 1e6) - 1e6),),
        "square",
        contract.test_float32_gradient_is_close_to_the_float64_one,
        contract.test_first_order,
    ),
    "entries read in the order of memory": (
        np.multiply,
        (lambda g, z, x, y: g * in_memory_order(y), lambda g, z, x, y: g * in_memory_order(x)),
        "multiply",
        layouts,
        contract.test_first_order,
    ),
    "the cotangent written to": (
        np.negative,
        (lambda g, z, x: -overwritten(g),),
        "negative",
        contract.test_inputs_stay_untouched,
        None,
    ),
}


@pytest.mark.parametrize("fault", RULE_FAULTS)
def test_faulty_rule(fault, monkeypatch):
    function, rules, case, sees, misses = RULE_FAULTS[fault]
    sees(CASES[case])
    monkeypatch.setattr(row_of(function), "rules", rules)
    if misses is not None:
        misses(CASES[case])
    with pytest.raises(AssertionError):
        sees(CASES[case])


def once_per_output():
    run, seen = backward.backward, set()

    def first_time_only(output, *args, **options):
        if output.number not in seen:
            run(output, *args, **options)
        seen.add(output.number)

    return first_time_only


ENGINE_FAULTS = {
    "broadcast axes averaged": (
        sweep,
        "_unbroadcast",
        lambda piece, shape: np.broadcast_to(piece.mean(), shape),
        "add with a scalar",
        contract.test_first_order,
    ),
    "the same array handed out twice": (
        backward,
        "_own_array",
        lambda g, *_: np.asarray(g),
        "add",
        contract.test_gradients_share_no_memory,
    ),
    "the dtype forgotten": (
        backward,
        "_own_array",
        lambda g, *_: np.array(g, np.float64),
        "exp",
        contract.test_float32_gradient_is_close_to_the_float64_one,
    ),
    "a second backward that does nothing": (
        backward,
        "backward",
        once_per_output(),
        "exp",
        contract.test_second_backward_adds_exactly_once_more,
    ),
}


@pytest.mark.parametrize("fault", ENGINE_FAULTS)
def test_faulty_engine(fault, monkeypatch):
    room, name, replacement, case, sees = ENGINE_FAULTS[fault]
    sees(CASES[case])
    monkeypatch.setattr(room, name, replacement)
    with pytest.raises(AssertionError):
        sees(CASES[case])


def test_faulty_value(monkeypatch):
    """One rounding more than NumPy's."""
    row = ag.Primitive(lambda x: np.exp(x / 2) ** 2, (lambda g, z, x: g * z,), "exp")
    monkeypatch.setitem(OPERATIONS, np.exp, row)
    contract.test_first_order(CASES["exp"])
    with pytest.raises(AssertionError):
        contract.test_value(CASES["exp"], np.float64)


def test_untracked_result_that_is_not_recorded(monkeypatch):
    monkeypatch.setitem(
        OPERATIONS, np.argmax, lambda x: ag.Variable(np.argmax(x.data), requires_grad=False)
    )
    with pytest.raises(AssertionError, match="recorded"):
        contract.test_untracked_value(CASES["argmax"])


def test_operation_without_a_row(monkeypatch):
    monkeypatch.setitem(contract.REGISTERED, np.fft.fft, OPERATIONS[np.exp])
    with pytest.raises(AssertionError, match=r"add a row in tests/cases for: fft"):
        contract.test_every_operation_has_a_row()


def test_row_that_does_not_reach_what_it_covers(monkeypatch):
    with pytest.raises(AssertionError):
        contract.test_row_reaches_what_it_covers(Case("mislabelled", np.exp, np.sin), monkeypatch)
