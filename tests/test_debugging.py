"""`ag.debug()`: the user's line behind each operation, the first bad number, arrays written to."""

import contextvars
import inspect
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
import nn
from autograd_lite import debugging
from tests.test_contract import TRACKED, derivative, gradients, random_directions

HERE = Path(__file__).name


def here() -> int:
    """The line of the caller."""
    return sys._getframe(1).f_lineno


@pytest.fixture(autouse=True)
def quiet():
    """NumPy's own warnings are not the subject, and would be errors before ag.debug() looks."""
    with np.errstate(all="ignore"):
        yield


def stops(message: str, error: type[Exception] = FloatingPointError):
    """Expect the error with exactly this message; `…` stands for anything."""
    pattern = re.escape(message).replace("…", ".*")
    return pytest.raises(error, match=f"^{pattern}$")


# --- where an operation came from ----------------------------------------------------------------


def test_origin_is_the_callers_line_and_file():
    x = ag.Variable([1.0, 2.0])
    with ag.debug():
        y, line = np.exp(x), here()
    assert (y.origin.file, y.origin.line) == (__file__, line)
    assert str(y.origin) == f"{HERE}:{line}: y, line = np.exp(x), here()"


def test_no_origin_when_off_nor_of_leaves():
    x = ag.Variable([1.0, 2.0])
    y = np.exp(x)
    assert y.origin is None
    assert not hasattr(y, "_origin"), "not even the slot is filled"
    with ag.debug():
        assert x.origin is None
        assert ag.Variable(1.0).origin is None
    assert np.exp(x).origin is None


def test_each_line_of_an_expression_over_several_lines():
    x = ag.Variable([1.0, 2.0])
    with ag.debug():
        first = here()
        y = np.sum(
            np.exp(x)
            * np.sin(x)
        )  # fmt: skip
    product = y.inputs[0]
    lines = [v.origin.line - first for v in (y, product, *product.inputs)]
    assert lines == [1, 2, 2, 3]


class Doubled(nn.Module):
    """A user's own layer, around one of the library's."""

    def __init__(self):
        self.inner = nn.FullyConnected(2, 3, rng=np.random.default_rng(0))

    def forward(self, x):
        z = self.inner(x)
        return z + z


def test_through_layers_the_line_that_called_them():
    layer = Doubled()
    with ag.debug():
        y = layer(np.ones((4, 2)))
    start = Doubled.forward.__code__.co_firstlineno
    assert y.origin.line == start + 2
    affine = y.inputs[0]
    assert affine.operation.name == "add", "X·W + b, computed in nn/layers.py"
    assert (affine.origin.file, affine.origin.line) == (__file__, start + 1)


def test_through_a_composition_of_the_library():
    x = ag.Variable([1.0, 2.0, 4.0])
    with ag.debug():
        y, line = np.std(x), here()
    waiting, seen = [y], []
    while waiting:
        v = waiting.pop()
        seen.append(v)
        waiting += [u for u in v.inputs if isinstance(u, ag.Variable) and u is not x]
    assert seen
    assert {(v.origin.file, v.origin.line) for v in seen} == {(__file__, line)}


def test_through_a_transform_the_line_in_the_function():
    found = []

    def f(x):
        found.append((np.sin(x), here()))
        return found[0][0] * 2.0

    with ag.debug():
        ag.grad(f)(1.0)
    ((y, line),) = found
    assert (y.origin.file, y.origin.line) == (__file__, line)


def test_in_a_worker_thread():
    """A thread starts with a state of its own: debug is on there if it was carried or entered."""
    x = ag.Variable(2.0)
    found = {}

    def work(key):
        found[key] = np.exp(x), here()

    def run(target, *args):
        thread = threading.Thread(target=target, args=args)
        thread.start()
        thread.join()

    with ag.debug():
        run(work, "alone")
        run(contextvars.copy_context().run, work, "carried")
    run(ag.debug()(work), "decorated")
    line = work.__code__.co_firstlineno + 1
    assert found["alone"][0].origin is None
    for key in ("carried", "decorated"):
        origin = found[key][0].origin
        assert (origin.file, origin.line) == (__file__, line), key


def test_the_backward_of_a_thread_alone_has_no_line_of_the_user_and_still_works():
    x = ag.Variable([1.0, 2.0])
    with ag.debug():
        y = np.sum(x**3.0)
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(y.backward,), kwargs={"create_graph": True}
        )
        thread.start()
        thread.join()
    assert Path(x.grad.origin.file).name == "threading.py"
    np.testing.assert_array_equal(x.grad.data, [3.0, 12.0])


@pytest.mark.parametrize("scope", [{}, {"__name__": "__main__"}, {"__name__": "numpy_of_mine"}])
def test_code_without_a_file(scope):
    """As in an interactive session: the line has a number and no text."""
    names = {"ag": ag, "np": np, "x": ag.Variable(1.0), **scope}
    exec("with ag.debug():\n    y = np.exp(x)\n", names)
    origin = names["y"].origin
    assert (origin.file, origin.line, str(origin)) == ("<string>", 2, "<string>:2")


@pytest.mark.parametrize("package", ["autograd_lite.rules.products", "nn", "viz.nodes", "numpy.ma"])
def test_a_module_of_the_library_is_not_the_users(package):
    names = {"np": np, "__name__": package}
    exec("def f(x):\n    return np.exp(x)\n", names)
    with ag.debug():
        y, line = names["f"](ag.Variable(1.0)), here()
    assert (y.origin.file, y.origin.line) == (__file__, line)


def test_a_failing_rule_says_the_line_too():
    broken = ag.primitive(lambda x: x + 1.0, lambda g, z, x: 1 / 0, name="broken")
    with ag.debug(), ag.scope("outer"):
        y, line = broken(ag.Variable(1.0, name="x")), here()
    with pytest.raises(ZeroDivisionError) as caught:
        y.backward()
    (note,) = caught.value.__notes__
    assert note.startswith(f"in the derivative rule of {y.label} for argument 0 (in scope 'outer')")
    assert f", at {HERE}:{line}: " in note


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


# --- arrays written to in between ----------------------------------------------------------------


CHANGES = {
    "constant": (lambda x, c: x * c, "multiply: operand 1 (a constant)"),
    "view of it": (lambda x, c: x * c[::-1], "multiply: operand 1 (a constant)"),
    "in a list": (lambda x, c: np.stack([c, x, c]), "stack: operand 0 (a constant)"),
    "in concatenate": (lambda x, c: np.concatenate([x, c]), "concatenate: operand 1 (a constant)"),
    "in where": (lambda x, c: np.where(c > 0, c, x), "where: operand 1 (a constant)"),
    "in matmul": (lambda x, c: c @ x, "matmul: operand 0 (a constant)"),
    "in einsum": (lambda x, c: np.einsum("i,i->", x, c), "…: operand … (a constant)"),
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", CHANGES)
def test_a_constant_written_to(name, create_graph):
    function, what = CHANGES[name]
    x, c = ag.Variable([1.0, 2.0], name="x"), np.array([3.0, 4.0])
    message = (
        f"{what} was written to after … was computed (in scope 'data'), at {HERE}:…; the "
        f"gradient would be wrong: write to a copy, or differentiate first"
    )
    with ag.debug():
        with ag.scope("data"):
            y = function(x, c)
        c[0] = 5.0
        with stops(message, ag.errors.ChangedArrayError):
            y.backward(np.ones(y.shape), create_graph=create_graph)
        assert x.grad is None
        c[0] = 3.0
        y.backward(np.ones(y.shape))  # restored: the gradient is right again
    assert x.grad is not None


def test_an_index_written_to():
    x = ag.Variable([1.0, 2.0, 3.0], name="x")
    for make in (lambda i: x[i], lambda i: x[(i,)], lambda i: ag.put(x, i, 0.0)):
        i = np.array([0, 1])
        with ag.debug():
            y = make(i)
            i[0] = 2
            with stops(
                f"…: its index was written to after … was computed, at {HERE}:…",
                ag.errors.ChangedArrayError,
            ):
                y.backward(np.ones(y.shape))
            i[0] = 0
            y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(x.grad, [2.0, 2.0, 1.0])


def test_a_mask_written_to():
    x, mask = ag.Variable([1.0, 2.0], name="x"), np.array([True, False])
    with ag.debug():
        y = np.sum(np.where(mask, x, 0.0))
        mask[:] = True
        with stops("where: operand 0 (a constant) was written to …", ag.errors.ChangedArrayError):
            y.backward()


def test_an_assigned_array_that_another_view_reaches():
    x, new = ag.Variable([1.0, 2.0], name="x"), np.array([3.0, 4.0])
    other = new[:]
    x.assign(new)
    with ag.debug():
        y = np.sum(x * x)
        other[0] = 5.0
        with stops("multiply: operand 0 (x) was written to after …", ag.errors.ChangedArrayError):
            y.backward()


def test_the_result_of_a_primitive_that_uses_its_buffer_again():
    buffer = np.empty(2)
    triple = ag.primitive(lambda x: np.multiply(x, 3.0, out=buffer), lambda g, z, x: 3.0 * g)
    x = ag.Variable([1.0, 2.0])
    with ag.debug():
        y = triple(x) * triple(x + 1.0)
        with pytest.raises(ag.errors.ChangedArrayError, match=r"^<lambda>: its result was written"):
            y.backward(np.ones(2))


def test_assigning_a_variable_is_no_change():
    """The recording keeps the arrays it was computed from."""
    x = ag.Variable([1.0, 2.0])
    with ag.debug():
        y = np.sum(x * x)
        x.data = [5.0, 6.0]
        y.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def test_what_was_recorded_before_is_not_verified():
    x, c = ag.Variable([1.0, 2.0]), np.array([3.0, 4.0])
    y = np.sum(x * c)
    c[0] = 7.0
    with ag.debug():
        y.backward()
    assert x.grad[0] == 7.0


# --- on and off ----------------------------------------------------------------------------------


def test_nested_with_no_grad():
    x = ag.Variable(0.0, name="x")
    with ag.debug():
        with ag.no_grad():
            assert np.log(x).item() == -np.inf
            with ag.debug():
                assert np.log(x).item() == -np.inf
        with ag.debug(), ag.scope("inner"):
            assert np.exp(x).origin is not None
            assert np.exp(x).scope.path == "inner"
        with pytest.raises(FloatingPointError):
            np.log(x)
    with ag.no_grad(), ag.debug():
        y = np.exp(x)
        assert (y.requires_grad, y.origin) == (False, None)
    assert np.exp(x).origin is None


def test_state_is_restored_after_the_exception():
    x = ag.Variable(0.0)

    @ag.debug()
    def fails():
        return np.log(x)

    for _ in range(2):
        with pytest.raises(FloatingPointError, match=r"^log: "):
            fails()
        assert np.log(x).item() == -np.inf
        assert np.log(x).origin is None


def test_decorated_function():
    @ag.debug()
    def f(x):
        """Square it."""
        return x * x

    assert (f.__name__, f.__doc__) == ("f", "Square it.")
    assert f(ag.Variable(2.0)).origin.line == f.__wrapped__.__code__.co_firstlineno + 3
    with pytest.raises(TypeError, match=r"^debug: it takes no arguments; write @ag.debug\(\)$"):

        @ag.debug
        def g(x):
            return x

    with pytest.raises(TypeError, match=r"^debug: cannot decorate the generator"):

        @ag.debug()
        def h(x):
            yield x


def program(x, w):
    """Some of everything that the gates do: ufuncs, reductions, indices, several results, masks."""
    with ag.scope("program"):
        h = np.tanh(x @ w)
        a, b = np.split(np.concatenate([h, h * 2.0, -h]), [3])
        u, s, _ = np.linalg.svd(w)
        gain = np.where(a > 0, a, 0.1 * a)[:, [0, 1, 1]]
        return np.sum(gain) + np.mean(b**3) + np.max(s) + np.sum(u * u[0])


def test_the_same_bits_and_the_same_record():
    rng = np.random.default_rng(0)
    x, w = ag.Variable(rng.normal(size=(4, 3))), ag.Variable(rng.normal(size=(3, 3)))

    def everything():
        loss = program(x, w)
        entries, waiting = {}, [loss]
        while waiting:
            v = waiting.pop()
            entries[v.number] = v
            waiting += [u for u in v.inputs if isinstance(u, ag.Variable)]
        first = min(v.number for v in entries.values() if v.operation)
        record = [
            (
                n - first if v.operation else n,
                v.operation and v.operation.name,
                v.shape,
                v.requires_grad,
                dict(v.settings).keys(),
                v.scope and v.scope.path,
            )
            for n, v in sorted(entries.items())
        ]
        slopes = ag.gradients(loss, [x, w], create_graph=True)
        second = ag.gradients(np.sum(slopes[0] ** 2), [x, w])
        arrays = [loss.data, *(g.data for g in slopes), *second]
        return record, [a.tobytes() for a in arrays]

    plain = everything()
    with ag.debug():
        watched = everything()
    assert plain == watched
    assert len(plain[0]) > 20


STEPS = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: np.sin(a) - b,
    lambda a, b: np.where(a > b, a, b * 0.5),
    lambda a, b: a[::-1] / (1.0 + b * b),
    lambda a, b: np.cumsum(np.tanh(a)) + b[[0, 2, 1]],
    lambda a, b: np.stack([a, b])[1] * np.max(a),
]


@given(
    st.lists(
        st.tuples(st.sampled_from(range(len(STEPS))), st.integers(0, 99), st.integers(0, 99)),
        max_size=12,
    )
)
def test_random_programs_have_the_same_bits(steps):
    rng = np.random.default_rng(len(steps))
    leaves = [ag.Variable(rng.normal(size=3)) for _ in range(2)]

    def run():
        values = list(leaves)
        for step, i, j in steps:
            values.append(STEPS[step](values[i % len(values)], values[j % len(values)]))
        loss = np.sum(values[-1] * values[-1])
        slopes = ag.gradients(loss, leaves, create_graph=True)
        second = ag.gradients(np.sum(slopes[0] ** 2) + np.sum(slopes[1]), leaves)
        return [a.tobytes() for a in (loss.data, *(g.data for g in slopes), *second)]

    plain = run()
    with ag.debug():
        assert run() == plain


def test_off_nothing_of_it_runs(monkeypatch):
    """Every function of debugging.py counts its calls: none while off, and some while on."""
    calls = []
    for name in ("computed", "visited", "pulled"):
        original = getattr(debugging._Watch, name)

        def counted(*args, name=name, original=original):
            calls.append(name)
            return original(*args)

        monkeypatch.setattr(debugging._Watch, name, counted)
    code = {
        f.__code__
        for f in vars(debugging).values()
        if inspect.isfunction(f) and f.__module__ == debugging.__name__
    }

    def profile(frame, event, argument):
        if event == "call" and frame.f_code in code:
            calls.append(frame.f_code.co_name)

    x, w = ag.Variable(np.ones((4, 3))), ag.Variable(np.diag([1.0, 2.0, 3.0]))

    def everything():
        loss = program(x, w)
        slopes = ag.gradients(loss, [x, w], create_graph=True)
        ag.gradients(np.sum(slopes[0] ** 2), [x, w])

    sys.setprofile(profile)
    try:
        everything()
        assert calls == []
        with ag.debug():
            everything()
    finally:
        sys.setprofile(None)
    assert {"computed", "visited", "pulled", "_origin", "_checksum"} <= set(calls)
    before = len(calls)
    everything()
    assert len(calls) == before


# --- together with checkpoint --------------------------------------------------------------------


def test_a_checkpointed_function_is_looked_into():
    x = ag.Variable([1.0, 0.0], name="x")

    @ag.checkpoint
    def roots(x):
        with ag.scope("inner"):
            return np.where(x > 0, np.sqrt(x), 0.0)

    with ag.debug():
        with ag.scope("outer"):
            y = np.sum(roots(x))
        line = roots.__wrapped__.__code__.co_firstlineno + 3
        message = (
            f"sqrt: the gradient for x is nan at [1] (1 of 2 entries), from x = 0.0 (in scope "
            f"'outer/inner'), at {HERE}:{line}: return np.where(…; {ZERO}: {AWAY}\n"
            f"in the derivative rule of checkpoint(roots) #… for argument 0 (in scope 'outer'), …"
        )
        with stops(message):
            y.backward()
        with stops(f"log: the result is -inf at [1] … at {HERE}:…"):
            ag.checkpoint(lambda x: np.log(x))(x)


def test_a_mask_inside_a_checkpointed_function_passes():
    x = ag.Variable([1.0, 2.0])
    block = ag.checkpoint(lambda x: x + np.array([0.0, -np.inf]))
    with ag.debug():
        y = np.sum(nn.softmax(block(x)) * np.array([2.0, 1.0]))
        y.backward()
    assert y.item() == 2.0
    np.testing.assert_array_equal(x.grad, [0.0, 0.0])
