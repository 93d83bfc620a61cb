import numpy as np
import pytest

import autograd_lite as ag
import nn


def test_gradient_descent_of_the_lecture():
    x = ag.Variable(0.0)
    sgd = nn.SGD([x], learning_rate=0.5)

    def f():
        return x**2 + 2 * x - 2

    f().backward()
    sgd.step()
    assert x.item() == -1.0
    assert f().item() == -3.0
    sgd.zero_grad()
    f().backward()
    assert x.grad == 0.0


def test_a_step_goes_against_the_gradient_and_keeps_dtype_and_shape():
    w = ag.Variable(np.ones((2, 3), np.float32))
    np.sum(w * w).backward()
    sgd = nn.SGD((p for p in [w]), 0.25)
    sgd.step()
    assert w.dtype == np.float32
    np.testing.assert_array_equal(w.data, np.full((2, 3), 0.5))
    sgd.learning_rate = 0.5
    sgd.step()  # the gradient is still there: 2
    np.testing.assert_array_equal(w.data, np.full((2, 3), -0.5))
    sgd.zero_grad()
    assert w.grad is None


def test_a_parameter_without_gradient_stays_as_it_is():
    w, unused = ag.Variable(1.0), ag.Variable(2.0)
    sgd = nn.SGD([w, unused], 0.1)
    (3 * w).backward()
    sgd.step()
    assert (w.item(), unused.item()) == (1.0 - 0.1 * 3.0, 2.0)


def test_a_recorded_graph_is_left_as_it_was():
    w = ag.Variable(3.0)
    loss = w * w
    loss.backward()
    nn.SGD([w], 0.1).step()
    w.zero_grad()
    loss.backward()
    assert w.grad == 6.0


SHARED = ag.Variable(1.0, name="shared")


@pytest.mark.parametrize(
    ("parameters", "kind", "message"),
    [
        ([], ValueError, "SGD: there are no parameters"),
        ([SHARED, ag.Variable(2.0), SHARED], ValueError, "parameter 2, shared, was given twice"),
        ([np.ones(2)], TypeError, "parameter 0 is a float64 array .* not a tracked Variable"),
        (
            [SHARED, ag.Variable(1.0, name="c", requires_grad=False)],
            TypeError,
            "parameter 1, c, is not tracked and never gets a gradient",
        ),
    ],
)
def test_bad_parameters_are_refused(parameters, kind, message):
    with pytest.raises(kind, match=message):
        nn.SGD(parameters, 0.1)


@pytest.mark.parametrize("rate", [0, -1.0, np.nan, np.inf])
def test_a_rate_that_is_not_a_positive_number_is_refused(rate):
    with pytest.raises(ValueError, match="SGD: the learning rate must be a positive number, rec"):
        nn.SGD([ag.Variable(1.0)], rate)
