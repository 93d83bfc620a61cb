"""`ag.debug()` stops at the first number that is not finite, in a value or a gradient."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.debugging_tools import here, quiet, stops  # noqa: F401 - a fixture for every test
from tests.test_contract import TRACKED, derivative, gradients, random_directions

HERE = Path(__file__).name


# --- the first bad number of the forward pass ----------------------------------------------------

OUTSIDE = "it is not defined there: keep the operands within its domain"
POLE = "it has a pole there, or overflows: keep the operands away from there"
BEFORE = "by np.clip or np.where before it, not after"

FORWARD = {
    "log of 0": (
        lambda x: np.log(x),
        "log: the result is -inf at [1] (1 of 3 entries), from x = 0.0",
        POLE,
    ),
    "log of a negative number": (
        lambda x: np.log(x - 2.0),
        "log: the result is nan at [0] (2 of 3 entries), from subtract #… = -1.0",
        OUTSIDE,
    ),
    "0/0": (
        lambda x: x / np.array([1.0, 0.0, 1.0]),
        "divide: the result is nan at [1] (1 of 3 entries), from x = 0.0 and 0.0",
        OUTSIDE,
    ),
    "1/0": (
        lambda x: 1.0 / x,
        "divide: the result is inf at [1] (1 of 3 entries), from 1.0 and x = 0.0",
        POLE,
    ),
    "overflow": (
        lambda x: np.exp(x * 1000),
        "exp: the result is inf at [0] (2 of 3 entries), from multiply #… = 1000.0",
        POLE,
    ),
    "inf - inf of a mask": (
        lambda x: (x + np.array([-np.inf, 0, 0])) - np.array([-np.inf, 0, 0]),
        "subtract: the result is nan at [0] (1 of 3 entries), from add #… = -inf and -inf",
        OUTSIDE,
    ),
    "0 times a mask": (
        lambda x: x * np.array([1, -np.inf, 1]),
        "multiply: the result is nan at [1] (1 of 3 entries), from x = 0.0 and -inf",
        OUTSIDE,
    ),
    "overflow beside a mask": (
        lambda x: np.exp(x * 1000 + np.array([0, -np.inf, -np.inf])),
        "exp: the result is inf at [0] (1 of 3 entries), from add #… = 1000.0",
        POLE,
    ),
    "an operation not of each entry": (
        lambda x: np.cumprod(x[0] + np.array([1e200, 1e200])),
        "cumprod: the result is inf at [1] (1 of 2 entries)",
        POLE,
    ),
    "a reduction": (lambda x: np.sum(x + 1.7e308), "sum: the result is inf", POLE),
}  # fmt: skip


@pytest.mark.parametrize("name", FORWARD)
def test_where_a_number_goes_wrong(name):
    function, message, advice = FORWARD[name]
    x = ag.Variable([1.0, 0.0, 2.0], name="x")
    with stops(f"{message} (in scope 'model/loss'), at {HERE}:…: …; {advice}, {BEFORE}"):  # noqa: SIM117
        with ag.debug(), ag.scope("model"), ag.scope("loss"):
            function(x)


def test_line_in_the_message_is_the_one_that_computed_it():
    x = ag.Variable(0.0, name="x")
    line = here() + 2
    with ag.debug(), pytest.raises(FloatingPointError) as caught:
        np.log(x)
    assert str(caught.value) == (
        f"log: the result is -inf, from x = 0.0, at {HERE}:{line}: np.log(x); {POLE}, {BEFORE}"
    )


def test_an_operation_with_several_results():
    x = ag.Variable(np.ones((2, 2)), name="x")
    with ag.debug(), stops(f"slogdet: the result is -inf, at {HERE}:…: …; {POLE}, {BEFORE}"):
        np.linalg.slogdet(x)


@pytest.mark.parametrize(
    ("data", "is_what"), [([1.0, np.nan], "nan"), ([1.0, np.inf], "inf"), ([1.0, -np.inf], "-inf")]
)
def test_a_leaf_that_is_not_finite(data, is_what):
    w = ag.Variable(data, name="w")
    message = (
        f"multiply: operand 1, w, is {is_what} at [1] (1 of 2 entries), at {HERE}:…: 2.0 * w; look "
        f"at where it was assigned: was a step of training too long?"
    )
    with ag.debug(), stops(message):
        2.0 * w


def test_nan_in_a_constant():
    x = ag.Variable([[1.0, 2.0], [3.0, 4.0]], name="x")
    data = np.array([[1.0, 2.0], [np.nan, np.nan]])
    message = (
        f"matmul: operand 1, a constant, is nan at [1, 0] (2 of 4 entries), at {HERE}:…: "
        f"x @ data; clean the data, or leave the entry out by np.where"
    )
    with ag.debug(), stops(message):
        x @ data
    untracked = ag.Variable(data, name="data", requires_grad=False)
    with ag.debug(), stops("add: operand 1, data, is nan at [1, 0] …; clean the data, …"):
        x + untracked
    with ag.debug(), stops("multiply: operand 1, a constant, is nan, at …; clean the data, …"):
        x * float("nan")
    with ag.debug(), stops("stack: operand 1, a constant, is nan at [1, 0] …"):
        np.stack([x, data])


def test_nan_from_before():
    x = ag.Variable(-1.0, name="x")
    y = np.sqrt(x)
    message = (
        f"exp: operand 0, {y.label}, is nan, at {HERE}:…: np.exp(y); it was computed before "
        f"ag.debug() was on: begin earlier"
    )
    with ag.debug(), stops(message):
        np.exp(y)


def test_float32_and_zero_dimensions():
    x = ag.Variable(np.float32([1.0, 100.0]), name="x")
    with ag.debug(), stops("exp: the result is inf at [1] (1 of 2 entries), from x = 100.0, …"):
        np.exp(x)
    with ag.debug():
        assert np.exp(x[0]).dtype == np.float32


def test_masks_of_minus_infinity_pass():
    """Softmax, logsumexp and where with a mask: values, gradients, no error."""
    x = ag.Variable([1.0, 2.0, 3.0])
    mask = np.array([0.0, -np.inf, 0.0])
    kept = np.array([True, False, True])
    with ag.debug():
        scores = x + mask
        soft = nn.softmax(scores)
        lse = np.logaddexp.reduce(scores)
        chosen = np.exp(np.where(kept, x, -np.inf))
        padded = np.max(np.pad(x, 1, constant_values=-np.inf))
        largest = np.max(x, initial=-np.inf)
        spread = np.sum(np.clip(x, -np.inf, np.inf))
        loss = np.sum(soft**2) + lse + np.sum(chosen) + padded + largest + spread
        slope = ag.gradients(loss, x, create_graph=True)
        slope = ag.gradients(np.sum(slope * slope), x)
    e = np.exp([1.0, 3.0])
    p = e / e.sum()
    np.testing.assert_allclose(soft.data, [p[0], 0, p[1]], rtol=1e-15)
    assert np.isfinite(slope).all()
    assert slope[1] == 0


def test_nan_that_the_operation_leaves_out_passes():
    x = ag.Variable([1.0, 2.0])
    data = np.array([np.nan, 5.0])
    with ag.debug():
        y = np.sum(np.where(np.isnan(data), x, data) * x)
        y = y + np.sum(np.fmax(x, data)) + np.sum(x > data)
        y.backward()
    np.testing.assert_array_equal(x.grad, [2.0 + 1.0, 5.0])


def test_integers_booleans_and_empties():
    x = ag.Variable(np.arange(6.0).reshape(2, 3))
    with ag.debug():
        order = np.argsort(x)
        positive = x > 2
        some = x[positive] * 2
        none = x[:0]
        empty = np.sum(none) + np.sum(np.exp(none))
        y = np.sum(x * np.arange(3)) + np.sum(some) + np.sum(x[:, [0, 2]]) + empty
        y = y + np.sum(np.take_along_axis(x, order, 1))
        y.backward()
    expected = np.arange(3) + 2.0 * (x.data > 2) + np.array([1, 0, 1]) + 1.0
    np.testing.assert_array_equal(x.grad, expected)


NOT_ON_PURPOSE = [c for c in TRACKED if "nan" not in c.name and "linspace of" not in c.name]


@pytest.mark.parametrize("case", NOT_ON_PURPOSE[::3], ids=str)
def test_no_false_alarm_and_the_same_bits(case):
    """A third of the table of operations, those aside that meet NaN on purpose: two orders."""
    arrays = case.arrays()
    directions = random_directions(case, arrays, 1)
    plain = gradients(case, arrays) + derivative(case, arrays, directions)
    with ag.debug():
        watched = gradients(case, arrays) + derivative(case, arrays, directions)
    for a, b in zip(plain, watched, strict=True):
        assert a.tobytes() == b.tobytes()
        assert (a.dtype, a.shape) == (b.dtype, b.shape)


# --- the first bad number of the backward pass ---------------------------------------------------

INFINITE = "its slope is infinite there, or overflows"
ZERO = "most often 0·∞: its slope is infinite there, and np.where after it lets only 0 come back"
AWAY = "keep the operand away from there, by np.clip or np.where before it"

BACKWARD = {
    "sqrt at 0": (
        lambda x: np.sqrt(x),
        f"sqrt: the gradient for x is inf at [1] (1 of 3 entries), from x = 0.0, at …; {INFINITE}",
    ),
    "0·∞ by where": (
        lambda x: np.where(x > 0, np.sqrt(x), 0.0),
        f"sqrt: the gradient for x is nan at [1] (1 of 3 entries), from x = 0.0, at …; {ZERO}",
    ),
    "a power below 1": (
        lambda x: x**0.75,
        f"power: the gradient for x is inf at [1] (1 of 3 entries), from x = 0.0 and 0.75, at …; "
        f"{INFINITE}",
    ),
    "a part": (
        lambda x: np.sqrt(x[1:]),
        f"sqrt: the gradient for getitem #… is inf at [0] (1 of 2 entries), from getitem #… = 0.0, "
        f"at …; {INFINITE}",
    ),
    "concatenate": (
        lambda x: np.concatenate([x, np.sqrt(x), x]),
        f"sqrt: the gradient for x is inf at [1] (1 of 3 entries), from x = 0.0, at …; {INFINITE}",
    ),
    "split": (
        lambda x: np.split(np.sqrt(x), 3)[2],
        f"sqrt: the gradient for x is nan at [1] (1 of 3 entries), from x = 0.0, at …; {ZERO}",
    ),
    "an operation with several results": (
        lambda x: BOTH(x)[1],
        f"both: the gradient for x is inf at [1] (1 of 3 entries), at …; {INFINITE}",
    ),
}
BOTH = ag.primitive(
    lambda x: (x * 1.0, np.sqrt(x)), lambda g, z, x: g[0] + g[1] * (0.5 / z[1]), name="both"
)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", BACKWARD)
def test_where_a_gradient_goes_wrong(name, create_graph):
    function, message = BACKWARD[name]
    x = ag.Variable([1.0, 0.0, 2.0], name="x")
    with ag.debug():
        y = np.sum(function(x))
        with stops(f"{message}: {AWAY}"):
            y.backward(create_graph=create_graph)
    assert x.grad is None, "nothing is stored"


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradient_before_it_is_summed_over_axes(create_graph):
    x = ag.Variable([1.0, 1e-200], name="x")
    numerator = np.array([[1e-300, 1e-300], [1e-300, 1.0]])
    with ag.debug():
        y, line = np.sum(numerator / x), here()
        message = (
            f"divide: the gradient for x is -inf at [1, 1] of the result (1 of 4 entries), from "
            f"1.0 and x = 1e-200, at {HERE}:{line}: …; {INFINITE}: {AWAY}"
        )
        with stops(message):
            y.backward(create_graph=create_graph)


@pytest.mark.parametrize("create_graph", [False, True])
def test_the_gradient_of_a_part(create_graph):
    """An indexing rule returns (index, piece): the piece is looked at."""
    tail = ag.primitive(
        lambda x: x[1:] * 1.0, lambda g, z, x: (slice(1, None), g * (1.0 / x[1:])), name="tail"
    )
    x = ag.Variable([1.0, 2.0, 0.0], name="x")
    message = (
        f"tail: the gradient for x is inf at [1] of the result (1 of 2 entries), at {HERE}:…; "
        f"{INFINITE}: {AWAY}"
    )
    with ag.debug():
        y = tail(x)
        with stops(message):
            y.backward(np.ones(2), create_graph=create_graph)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_cotangent_that_is_not_finite_is_not_blamed_on_the_operation(create_graph):
    x = ag.Variable([1.0, 2.0], name="x")
    with ag.debug():
        y = x * 2.0
        with stops(
            f"backward: the cotangent of {y.label} is inf at [0] (1 of 2 entries), at {HERE}:…; it "
            f"was handed in so, or is a sum that overflows: make it smaller"
        ):
            y.backward([np.inf, 1.0], create_graph=create_graph)


def test_gradient_for_a_parameter_that_broadcasts_and_a_scope():
    w, line = ag.Variable(0.0, name="w"), 0
    with ag.debug():
        with ag.scope("norm"):
            y, line = np.sum(np.sqrt(w) * np.ones(3)), here()
        message = (
            f"sqrt: the gradient for w is inf, from w = 0.0 (in scope 'norm'), at {HERE}:{line}: …"
        )
        with stops(message):
            ag.gradients(y, w)


def test_second_order_gradient_goes_wrong_later():
    """x^1.5 has the slope 0 at 0, and the second derivative is infinite there."""
    x = ag.Variable(0.0, name="x")
    with ag.debug():
        slope = ag.gradients(x**1.5, x, create_graph=True)
        assert slope.item() == 0
        with pytest.raises(FloatingPointError, match=r"^\w+: the gradient for x is inf"):
            slope.backward()


def test_what_a_rule_computes_on_its_way_may_be_infinite():
    """In a recorded sweep the inside of a rule is recorded too: only its result counts."""
    masked = ag.primitive(
        lambda x: x * x,
        lambda g, z, x: np.where(x == 0, 0.0, g * 2.0 / (1.0 / x)),
        name="masked",
    )
    x = ag.Variable([0.0, 1.0])
    with ag.debug():
        slope = ag.gradients(np.sum(masked(x)), x, create_graph=True)
    np.testing.assert_array_equal(slope.data, [0.0, 2.0])


def test_rules_that_return_something_else_are_refused_as_ever():
    for wrong in (None, [1.0], (), (1,), 3.0):
        rule = ag.primitive(lambda x: x * 1.0, lambda g, z, x, wrong=wrong: wrong, name="wrong")
        x = ag.Variable([1.0, 2.0])
        errors = []
        for on in (False, True):
            y = _under(on, rule, x)
            with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, twice
                _under(on, y.backward, np.ones(2))
            errors.append((type(caught.value), str(caught.value)))
        assert errors[0] == errors[1]


def _under(on: bool, function: Callable, *args):
    return (ag.debug()(function) if on else function)(*args)
