"""What a ufunc's keywords and methods cannot do on Variables, and what is theirs alone."""

import numpy as np
import pytest

import autograd_lite as ag

MASK = np.ones((2, 3), bool)


def x(**options):
    return ag.Variable(np.arange(1.0, 7.0).reshape(2, 3), name="x", **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v: np.exp(v, where=MASK), "exp: where= is not supported .* np.where for where="),
        (lambda v: np.add(v, 1, where=MASK, dtype="f4"), "add: where= is not supported"),
        (lambda v: np.add(v, 1, out=np.zeros((2, 3))), "add: out= is not supported"),
        (lambda v: np.add(v, 1, signature="dd->d"), "add: signature= is not supported"),
        (lambda v: np.add.outer(v, v, where=False), "add.outer: .* plain call"),
        (lambda v: np.add.at(v, 0, 1.0), r"add.at: .*writes into its argument: write ag\.put"),
        (lambda v: np.add.reduceat(v, [0, 1]), r"add.reduceat: .*the parts that np\.split gives"),
        (lambda v: np.subtract.reduce(v), "subtract.reduce: .*write the calls out"),
        (lambda v: np.divide.accumulate(v), "divide.accumulate: .*write the calls out"),
        (lambda v: np.maximum.accumulate(v, out=np.zeros((2, 3))), "use the returned value"),
        (lambda v: np.logaddexp.reduce(v, out=np.zeros(3)), "use the returned value"),
    ],
)
def test_refusals_name_what_was_asked_and_what_to_do(call, message):
    with pytest.raises(ag.errors.MissingRuleError, match=message) as caught:
        call(x())
    assert "x is tracked" in str(caught.value)


def test_untracked_variables_may_have_it_all():
    v, array = x(requires_grad=False), x().data
    result = np.zeros((2, 3))
    assert np.add(v, 1, out=result, where=MASK) is result
    np.testing.assert_array_equal(result, array + 1)
    np.testing.assert_array_equal(np.subtract.reduce(v), np.subtract.reduce(array))
    np.testing.assert_array_equal(np.add.reduceat(v, [0, 1]), np.add.reduceat(array, [0, 1]))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda v: np.add(v, 1j, dtype=np.float64), TypeError),
        (lambda v: np.add(v, v.astype(np.float32), casting="no"), TypeError),
        (lambda v: np.add(v, 1, dtype=np.int64), TypeError),
        (lambda v: np.add(v, 1, axis=0), TypeError),
        (lambda v: np.matmul(v, v.T, axis=0), TypeError),
        (lambda v: np.matmul(v, v.T, axes=[(0, 1), (0, 1)]), ValueError),
        (lambda v: np.matmul(v, v.T, axes=[(0, 2), (0, 1), (0, 1)]), np.exceptions.AxisError),
        (lambda v: np.vecdot(v, v, axis=0, axes=[0, 0, ()]), TypeError),
        (lambda v: np.add.accumulate(v[0, 0]), (TypeError, ValueError)),
        (lambda v: np.hypot.reduce(v, axis=2), np.exceptions.AxisError),
        (lambda v: np.fmax.reduce(v[:, :0], axis=1), ValueError),
        (lambda v: np.fmax.reduce(v, where=MASK), ValueError),
    ],
)
def test_what_numpy_refuses_is_refused(call, error):
    for v in (x().data, x()):
        with pytest.raises(error):
            call(v)


def test_dtype_is_a_conversion_and_the_gradient_comes_back_in_the_variables():
    v = x()
    z = np.multiply(v, 2.0, dtype=np.float32)
    assert z.dtype == np.float32
    np.sum(z).backward()
    assert v.grad.dtype == np.float64
    assert (v.grad == 2).all()


def test_a_keyword_that_says_nothing_adds_nothing_to_the_tape():
    v = x()
    assert np.exp(v, where=True, casting="same_kind", order="K", subok=True).inputs == (v,)


def test_logaddexp_reduce_is_the_softmax():
    v = ag.Variable([1000.0, 1001.0, -np.inf])
    z = np.logaddexp.reduce(v)
    z.backward()
    e = np.exp([-1.0, 0.0, -np.inf])
    assert z.item() == pytest.approx(1001 + np.log(np.sum(e)))
    np.testing.assert_allclose(v.grad, e / np.sum(e))


def test_empty_reductions_have_the_identity():
    v = ag.Variable(np.zeros((2, 0)))
    np.testing.assert_array_equal(np.logaddexp.reduce(v, axis=1).data, [-np.inf, -np.inf])
    np.testing.assert_array_equal(np.hypot.reduce(v, axis=1).data, [0, 0])


def test_running_maximum_shares_ties_by_halves():
    """As np.maximum(x₀, x₁) does at each knot of the tree; the shares add up to what came in."""
    v = ag.Variable([1.0, 3.0, 3.0, 2.0])
    z = np.maximum.accumulate(v)
    z.backward(np.array([1.0, 1.0, 1.0, 1.0]))
    assert z.data.tolist() == [1, 3, 3, 3]
    assert v.grad.tolist() == [1, 2, 1, 0]


def test_pad_with_a_tracked_number():
    v, c = x(), ag.Variable(2.0, name="c")
    z = np.pad(v, ((1, 0), (0, 2)), constant_values=c)
    expected = np.pad(v.data, ((1, 0), (0, 2)), constant_values=2.0)
    np.testing.assert_array_equal(z.data, expected)
    weights = np.arange(15.0).reshape(3, 5)
    z.backward(weights)
    np.testing.assert_array_equal(v.grad, weights[1:, :3])
    assert c.grad == weights.sum() - weights[1:, :3].sum()
    with pytest.raises(ag.errors.MissingRuleError, match="must be a single number"):
        np.pad(v, 1, constant_values=ag.Variable([1.0, 2.0]))


@pytest.mark.parametrize("mode", ["mean", "maximum", "minimum", "median", "linear_ramp", "empty"])
def test_other_ways_to_pad_are_refused(mode):
    with pytest.raises(ag.errors.MissingRuleError, match="supported are constant, edge, reflect"):
        np.pad(x(), 1, mode)


def test_weights_of_a_quantile():
    v = ag.Variable([3.0, 1.0, 2.0])
    weights = ag.Variable([1.0, 5.0, 1.0])
    z = np.quantile(v, 0.6, weights=weights, method="inverted_cdf")
    assert z.item() == 1
    assert [g.tolist() for g in ag.gradients(z, [v, weights])] == [[0, 1, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="method='inverted_cdf' only, not 'linear'"):
        np.quantile(v, 0.6, weights=weights)
    holes = np.array([[3.0, np.nan, 2.0], [np.nan] * 3])
    with pytest.warns(RuntimeWarning, match="All-NaN slice"):
        with_holes = np.nanquantile(
            ag.Variable(holes), 0.4, 1, weights=[1, 5, 1], method="inverted_cdf"
        )
    np.testing.assert_array_equal(with_holes.data, [2, np.nan])


def test_einsum_in_another_dtype_minds_casting():
    v = x()
    assert np.einsum("ij->i", v, dtype=np.longdouble).dtype == np.longdouble
    for a in (v, v.data):
        with pytest.raises(TypeError, match="safe"):
            np.einsum("ij->i", a, dtype=np.float32)
