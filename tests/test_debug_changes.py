"""`ag.debug()` stops where an array was written to between its use and the backward pass."""

from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag
from tests.debugging_tools import here, quiet, stops  # noqa: F401 - a fixture for every test

HERE = Path(__file__).name


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
