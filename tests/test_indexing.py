"""Any index of NumPy's; reading orders, cost, and what is refused among shapes and indices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_lite as ag
from autograd_lite.rules import indexing

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)


@st.composite
def shapes_and_indices(draw):
    """Basic indices, masks, integer arrays that broadcast, and integer arrays beside slices."""
    shape = draw(SHAPES)
    kind = draw(st.sampled_from(["basic", "mask", "arrays", "mixed"]))
    if kind == "basic":
        return shape, draw(hnp.basic_indices(shape, allow_newaxis=True))
    if kind == "mask":
        axes = draw(st.integers(1, len(shape)))
        return shape, draw(hnp.arrays(bool, shape[:axes]))
    if kind == "arrays":
        return shape, draw(hnp.integer_array_indices(shape))
    axis = draw(st.integers(0, len(shape) - 1))
    n = shape[axis]
    places = draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=6))
    index = [draw(st.slices(m)) for m in shape]
    index[axis] = np.array(places)
    return shape, tuple(index)


@given(shapes_and_indices())
def test_any_index(drawn):
    shape, index = drawn
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    x = ag.Variable(values)
    z = x[index]
    np.testing.assert_array_equal(z.data, values[index])
    weights = np.cos(np.arange(z.size)).reshape(z.shape)
    z.backward(weights)
    expected = np.zeros(shape)
    np.add.at(expected, index, weights)
    np.testing.assert_allclose(x.grad, expected, atol=1e-14)


@given(shapes_and_indices())
def test_any_index_written(drawn):
    """What was written has the gradient of its place, what was overwritten has none."""
    shape, index = drawn
    x = ag.Variable(np.arange(np.prod(shape), dtype=float).reshape(shape))
    value = ag.Variable(-1.0 - np.arange(x[index].size, dtype=float).reshape(x[index].shape))
    z = ag.put(x, index, value)
    expected = np.array(x.data)
    expected[index] = value.data
    np.testing.assert_array_equal(z.data, expected)
    weights = np.cos(np.arange(z.size)).reshape(shape)
    z.backward(weights)
    np.testing.assert_array_equal(x.grad, np.where(expected < 0, 0, weights))
    number = np.where(expected < 0, -1 - expected, -1).astype(int)  # of the value that stands there
    for place, weight in np.ndenumerate(weights):
        if number[place] >= 0:
            assert value.grad.flat[number[place]] == weight
    assert np.count_nonzero(value.grad) == np.count_nonzero(expected < 0)


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
@pytest.mark.parametrize("layout", ["C", "F", "middle axis first"])
def test_reading_orders_follow_the_layout(order, layout):
    values = np.arange(24.0).reshape(2, 3, 4)
    if layout == "F":
        values = np.asfortranarray(values)
    elif layout != "C":
        values = values.swapaxes(0, 1).copy().swapaxes(0, 1)
    x = ag.Variable(values)
    z = np.ravel(x, order)
    np.testing.assert_array_equal(z.data, values.ravel(order))
    z.backward(values.ravel(order))  # entry n is n, so each must get back its own number
    np.testing.assert_array_equal(x.grad, values)
    if order != "K":
        z = np.reshape(x, (4, 6), order)
        np.testing.assert_array_equal(z.data, np.reshape(values, (4, 6), order))


def test_slices_are_merged_once(monkeypatch):
    """n slices of one Variable: one array of its size, not n of them."""
    calls = []
    merge = indexing._scatter
    monkeypatch.setattr(indexing, "_scatter", lambda *a, **k: calls.append(1) or merge(*a, **k))
    x = ag.Variable(np.ones((50, 3)))
    np.sum(sum(x[i] * i for i in range(50))).backward()
    assert len(calls) == 1
    assert x.grad[:, 0].tolist() == list(range(50))


def test_ties_keep_their_order_in_sort():
    x = ag.Variable([2.0, 1.0, 2.0, 1.0])
    np.sort(x).backward([1.0, 2.0, 3.0, 4.0])
    assert x.grad.tolist() == [3, 1, 4, 2]


def test_sort_puts_nan_last():
    x = ag.Variable([np.nan, 2.0, 1.0])
    z = np.sort(x)
    np.testing.assert_array_equal(z.data, [1, 2, np.nan])
    z.backward([1.0, 2.0, 3.0])
    assert x.grad.tolist() == [3, 2, 1]


def test_windows_overlap():
    """Each entry is read by as many windows as reach it."""
    x = ag.Variable(np.zeros(6))
    np.sum(np.lib.stride_tricks.sliding_window_view(x, 3)).backward()
    assert x.grad.tolist() == [1, 2, 3, 3, 2, 1]


def test_reflected_padding_returns_to_where_it_was_read():
    x = ag.Variable(np.zeros(3))
    np.pad(x, (2, 1), mode="reflect").backward([1.0, 2.0, 10.0, 20.0, 30.0, 3.0])
    assert x.grad.tolist() == [10, 20 + 2 + 3, 30 + 1]


X = ag.Variable(np.arange(6.0).reshape(2, 3), name="X")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: np.pad(X, 1, mode="mean"), "mode='mean' .*supported are constant, edge"),
        (lambda: np.pad(X, 1, constant_values=X), "must be a single number"),
        (lambda: np.full_like(X, X[0, 0]), "full_like makes a constant; write np.broadcast_to"),
        (lambda: np.sort(X, order="name"), "order= names fields of records"),
        (lambda: np.take(X, 0, out=np.zeros(())), "use the returned value"),
        (lambda: np.concatenate([X, X], out=np.zeros((4, 3))), "use the returned value"),
        (lambda: np.put_along_axis(X, np.zeros((1, 3), int), 0, 0), "ag.put"),
        (lambda: np.fill_diagonal(X, 0), "ag.put"),
        (lambda: np.copyto(np.zeros((2, 3)), X), "ag.put"),
        (lambda: np.unique(X), "index the Variable"),
        (lambda: X.sort(), "np.sort.x. gives a sorted copy"),
        (lambda: X.astype(complex), "the real and the imaginary part as two Variables"),
        (lambda: np.concatenate([X, X], dtype=int, casting="unsafe"), "would be int64"),
    ],
)
def test_refusals_say_what_to_do(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: np.split(X, 2, axis=1), "axis 1 of length 3 has no 2 equal parts"),
        (lambda: np.array_split(X, 0), "must be positive"),
        (lambda: np.vsplit(X[0], 3), "it needs 2 or more axes, and the array has 1"),
        (lambda: np.unstack(X[0, 0]), "no axis to unstack"),
        (lambda: np.block([[X], X]), "not equally deep"),
        (lambda: np.concatenate([X, X[0]]), r"concatenate: all the input .*number of dimensions"),
        (lambda: np.concatenate([X, X], axis=2), "axis 2 is out of bounds"),
        (lambda: np.stack([X, X[0]]), "same shape"),
        (lambda: np.resize(X, (-1, 2)), "negative"),
        (lambda: np.meshgrid(X[0], indexing="yx"), "neither 'xy' nor 'ij'"),
        (lambda: np.rot90(X, axes=(0, -2)), "two different axes"),
        (lambda: np.diagonal(X[0]), "two or more axes"),
        (lambda: np.diag(X[None]), "one or two axes, and has 3"),
        (lambda: np.take_along_axis(X, np.array([0]), 0), "the indices have 1 axes"),
        (lambda: np.select([X > 0], [X, X]), "1 conditions and 2 choices"),
        (lambda: np.choose([3], [X[0], 1.0]), "invalid entry in choice array"),
        (lambda: np.piecewise(X, [X > 0], [1, 2, 3]), "3 functions for 1 conditions"),
        (lambda: np.apply_along_axis(np.sum, 0, X[:, :0]), "no vector"),
        (lambda: np.take(X, 7), "out of bounds"),
    ],
)
def test_errors_say_what_is_wrong(call, message):
    with pytest.raises((ValueError, IndexError), match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.take(x, [0], axis=2),
        lambda x: np.take_along_axis(x, np.array([0]), axis=3),
        lambda x: np.repeat(x, 2, axis=1),
        lambda x: np.split(x, 3, axis=1),
        lambda x: np.array_split(x, 3, axis=-2),
        lambda x: np.unstack(x, axis=2),
        lambda x: np.insert(x, 0, 1.0, axis=1),
        lambda x: np.delete(x, 0, axis=1),
        lambda x: np.rollaxis(x, 1),
        lambda x: np.apply_along_axis(np.sum, 1, x),
        lambda x: np.apply_over_axes(np.sum, x, [1]),
        lambda x: np.tensordot(x, x, ([3], [0])),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1),
        lambda x: np.average(x, axis=1, weights=[1.0]),
    ],
)
def test_an_axis_that_is_not_there(call):
    """It is no other axis either: −2 and 3 of one axis are not axis 0."""
    with pytest.raises(np.exceptions.AxisError, match="is out of bounds for array of dimension 1"):
        call(ag.Variable([1.0, 2.0, 3.0]))
