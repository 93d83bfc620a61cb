import re

import numpy as np
import pytest

import autograd_lite as ag
from nn.embedding import Embedding
from tests.nn.nn_checks import assert_derivatives, central_differences


def table(**settings):
    return Embedding(4, 3, np.random.default_rng(0), **settings)


@pytest.mark.parametrize("x", [2, [0, 3], [[1, 2, 2], [0, 3, 1]]], ids=["scalar", "row", "matrix"])
@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_it_reads_rows_of_the_table(x, dtype):
    embedding = table()
    y = embedding(np.array(x, dtype))
    assert y.shape == (*np.shape(x), 3)
    np.testing.assert_array_equal(y.data, embedding.weight.data[np.array(x)])


def test_lists_and_untracked_variables_are_numbers_too():
    embedding = table()
    x = ag.Variable([1, 2], requires_grad=False)
    np.testing.assert_array_equal(embedding([1, 2]).data, embedding(x).data)


def test_the_gradient_of_a_row_is_the_sum_over_its_places():
    embedding = table()
    (embedding([2, 0, 2]) * np.array([[1.0], [10.0], [100.0]])).sum().backward()
    expected = np.zeros((4, 3))
    expected[2], expected[0] = 101.0, 10.0
    np.testing.assert_array_equal(embedding.weight.grad, expected)


def test_derivatives_to_second_order():
    embedding = table()
    x = np.array([[2, 0], [2, 3]])
    start = np.array(embedding.weight.data)

    def f(weight):
        embedding.weight = weight
        return np.tanh(embedding(x))

    assert_derivatives(f, start)  # of functions of Variables; by hand for the module's own:
    embedding = table()
    embedding.weight.zero_grad()
    np.sum(np.tanh(embedding(x))).backward()

    def value(at):
        embedding.weight.data = at
        return float(np.sum(np.tanh(embedding(x).data)))

    expected = central_differences(value, start)
    np.testing.assert_allclose(embedding.weight.grad, expected, rtol=1e-10, atol=1e-10)


def test_the_table_is_standard_normal_and_the_generator_decides():
    weight = Embedding(200, 100, np.random.default_rng(0)).weight.data
    # 20 000 draws: the mean is good to 0.007, the variance to 1 %
    np.testing.assert_allclose(weight.mean(), 0, atol=0.03)
    np.testing.assert_allclose(weight.var(), 1, rtol=0.05)
    np.testing.assert_array_equal(table().weight.data, table().weight.data)
    assert (Embedding(4, 3).weight.data != Embedding(4, 3).weight.data).any()


def test_dtype_name_and_scope():
    embedding = table(dtype=np.float32, name="words")
    y = embedding([1])
    assert y.dtype == embedding.weight.dtype == np.float32
    np.sum(y).backward()
    assert embedding.weight.grad.dtype == np.float32
    assert embedding.weight.name == "words.W"
    assert (y.scope.path, y.scope.formula) == ("words", "Y = W[X]")
    assert repr(embedding) == "Embedding(4, 3)"


@pytest.mark.parametrize("name", [None, "words"])
@pytest.mark.parametrize(
    ("x", "error", "received"),
    [
        ([0, 4], IndexError, "4 at [1]"),
        ([[0, 1], [-1, 9]], IndexError, "-1 at [1, 0]"),
        (np.uint8(200), IndexError, "200"),
        ([0.0, 1.0], TypeError, "float64 array of shape (2,)"),
        ([True, False], TypeError, "bool array of shape (2,)"),
        (["cat"], TypeError, "<U3 array of shape (1,)"),
        (np.zeros((0, 2), int), ValueError, "an empty int64 array of shape (0, 2)"),
        ([], ValueError, "an empty float64 array of shape (0,)"),
    ],
    ids=str,
)
def test_what_is_no_row_is_refused(x, error, received, name):
    message = f"{name or 'Embedding'}: expected whole numbers from 0 to 3, received: {received}"
    with pytest.raises(error, match="^" + re.escape(message) + ";"):
        table(name=name)(x)


def test_a_tracked_variable_is_no_number():
    with pytest.raises(TypeError, match="expected whole numbers from 0 to 3, received: float64"):
        table()(ag.Variable([1.0]))


@pytest.mark.parametrize("sizes", [(0, 3), (2, -1)])
def test_sizes_below_one_are_refused(sizes):
    with pytest.raises(
        ValueError, match=r"^Embedding: (entries|features) must be a whole number of at least 1"
    ):
        Embedding(*sizes)
