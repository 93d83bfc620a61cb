"""The sweep: accumulation, cotangents, gradients of anything, higher orders, stale data."""

import numpy as np
import pytest

import autograd_lite as ag


def count_calls(function, *rules):
    """The operation with rules that note when they run."""
    calls = []

    def noting(position, rule):
        def noted(g, z, *arrays):
            calls.append(position)
            return rule(g, z, *arrays)

        return noted

    row = ag.Primitive(function, tuple(noting(*pair) for pair in enumerate(rules)), "counted")
    return row, calls


class TestBackward:
    def test_accumulates_over_uses_in_one_graph(self):
        x = ag.Variable(3.0)
        (x * x * x + x).backward()
        assert x.grad == 28

    def test_accumulates_over_calls(self):
        x = ag.Variable(3.0)
        y = x * x
        y.backward()
        y.backward()
        (5.0 * x).backward()
        assert x.grad == 6 + 6 + 5

    def test_accumulation_does_not_write_into_what_was_handed_out(self):
        x = ag.Variable([3.0])
        y = x * x
        y.backward()
        first = x.grad
        y.backward()
        assert first.tolist() == [6]

    def test_of_a_shared_result(self):
        """A result used twice is visited once, after both uses: 36, not 18 or 72."""
        x = ag.Variable(3.0)
        y = x * x
        z = (y * y) / 3.0
        z.backward()
        assert x.grad == 36

    def test_each_rule_runs_once_however_often_its_result_is_used(self):
        row, calls = count_calls(np.sin, lambda g, z, x: g * np.cos(x))
        x = ag.Variable(0.5)
        y = row(x)
        (y * y + y * 3.0 + y).backward()
        assert calls == [0]
        assert x.grad == pytest.approx(np.cos(0.5) * (2 * np.sin(0.5) + 4), rel=1e-15)

    def test_diamond_of_exponentially_many_paths(self):
        """2¹⁰⁰ paths, 100 operations."""
        x = ag.Variable(1.0)
        y = x
        for _ in range(100):
            y = y + y
        y.backward()
        assert x.grad == 2.0**100

    def test_of_a_leaf_is_its_cotangent(self):
        x = ag.Variable([1.0, 2.0])
        x.backward([3.0, 4.0])
        assert x.grad.tolist() == [3, 4]

    def test_non_scalar_names_its_cotangent(self):
        x = ag.Variable([1.0, 2.0])
        y = x * x
        y.backward(np.array([1.0, 10.0]))
        assert x.grad.tolist() == [2, 40]

    @pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
    def test_single_element_needs_no_cotangent(self, shape):
        x = ag.Variable(np.full(shape, 3.0))
        (x * x).backward()
        assert np.array_equal(x.grad, np.full(shape, 6.0))

    @pytest.mark.parametrize(
        "cotangent",
        [
            [1, 2],
            (1.0, 2.0),
            np.array([1, 2], np.int8),
            np.array([1, 2], ">f4"),
            ag.Variable([1.0, 2.0]),
            ag.Variable([1, 2], requires_grad=False),
        ],
        ids=["list", "tuple", "int8", "big-endian", "tracked", "untracked"],
    )
    def test_cotangents_of_every_real_kind(self, cotangent):
        x = ag.Variable([1.0, 1.0])
        (3.0 * x).backward(cotangent)
        assert x.grad.tolist() == [3, 6]
        assert type(x.grad) is np.ndarray

    def test_boolean_cotangent_selects(self):
        x = ag.Variable([1.0, 1.0])
        (3.0 * x).backward([True, False])
        assert x.grad.tolist() == [3, 0]

    def test_retain_grads_fills_intermediate_variables(self):
        x = ag.Variable([1.0, 2.0])
        y = x * x
        loss = np.sum(y * y)
        loss.backward()
        assert (y.grad, loss.grad) == (None, None)
        loss.backward(retain_grads=True)
        assert y.grad.tolist() == [2, 8]
        assert loss.grad == 1
        assert x.grad.tolist() == [8, 64]

    def test_retained_gradients_are_read_from_pieces_too(self):
        x = ag.Variable([1.0, 2.0, 3.0])
        y = 2.0 * x
        (y[0] * y[2] + y[0]).backward(retain_grads=True)
        assert y.grad.tolist() == [7, 0, 2]
        assert x.grad.tolist() == [14, 0, 4]

    def test_does_not_touch_untracked_variables(self):
        c = ag.Variable(2.0, requires_grad=False)
        x = ag.Variable(3.0)
        (c * x).backward(retain_grads=True)
        assert c.grad is None

    def test_asks_no_rule_for_a_constant(self):
        row, calls = count_calls(np.multiply, lambda g, z, x, y: g * y, lambda g, z, x, y: g * x)
        row(ag.Variable(2.0), 3.0).backward()
        row(3.0, ag.Variable(2.0)).backward()
        row(ag.Variable(2.0, requires_grad=False), ag.Variable(2.0)).backward()
        assert calls == [0, 1, 1]

    def test_visits_only_what_the_output_depends_on(self):
        row, calls = count_calls(np.sin, lambda g, z, x: g * np.cos(x))
        x = ag.Variable(0.5)
        aside = row(x)
        (x * 2.0).backward()
        assert calls == []
        assert aside.requires_grad

    @pytest.mark.parametrize("given", ["cotangent", "result", "argument", "view"])
    def test_a_rule_may_return_what_it_was_given(self, given):
        """Accumulating must not write into it: twice used, the second cotangent is added."""
        rules = {
            "cotangent": lambda g, z, x: g,
            "result": lambda g, z, x: z,
            "argument": lambda g, z, x: x,
            "view": lambda g, z, x: x[:],
        }
        same = ag.Primitive(lambda x: x.copy(), (rules[given],), "same")
        x = ag.Variable([1.0, 1.0])
        first, second = same(x), same(x)
        (first + second).backward(np.ones(2))
        assert x.grad.tolist() == [2, 2]
        for v in (x, first, second):
            assert v.data.tolist() == [1, 1]
            assert not np.shares_memory(v.data, x.grad)

    def test_gradient_is_a_leafs_own_dtype_whatever_it_met(self):
        x = ag.Variable(np.array([1, 2], np.float32))
        y = ag.Variable(np.array([3.0, 4.0]))
        np.sum((x * y) ** 2).backward(retain_grads=True)
        assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)

    def test_mixed_dtypes_accumulate_in_the_leafs_dtype(self):
        x = ag.Variable(np.float32(2))
        (x * np.array(3.0) + x).backward()
        assert (x.grad.dtype, x.grad) == (np.float32, 4)

    def test_gradients_of_many_slices_add_up(self):
        x = ag.Variable(np.arange(6.0).reshape(3, 2))
        total = sum(x[i] * float(i) for i in range(3)) + x[1:].sum(0) + x[[0, 0]].sum(0)
        np.sum(total).backward()
        assert x.grad.tolist() == [[2, 2], [2, 2], [3, 3]]


class TestGradients:
    def test_stores_nothing(self):
        x = ag.Variable(3.0)
        y = x * x
        assert ag.gradients(y, [x, y]) == [6, 1]
        assert (x.grad, y.grad) == (None, None)

    def test_one_variable_gives_one_array(self):
        x = ag.Variable([1.0, 2.0])
        slope = ag.gradients(np.sum(x * x), x)
        assert type(slope) is np.ndarray
        assert slope.tolist() == [2, 4]

    def test_of_an_intermediate_variable(self):
        x = ag.Variable(2.0)
        y = x * x
        z = y * y
        assert ag.gradients(z, y) == 8

    def test_does_not_run_below_the_oldest_input(self):
        row, calls = count_calls(np.sin, lambda g, z, x: g * np.cos(x))
        y = row(ag.Variable(0.5))
        assert ag.gradients(y * 3.0, y) == 3
        assert calls == []

    def test_of_the_output_itself_is_the_cotangent(self):
        x = ag.Variable([1.0, 2.0])
        y = x * x
        cotangent = np.array([5.0, 7.0])
        (to_y,) = ag.gradients(y, [y], cotangent)
        assert to_y.tolist() == [5, 7]
        assert not np.shares_memory(to_y, cotangent)

    def test_where_the_output_does_not_depend_on_it_are_zeros(self):
        x, unrelated = ag.Variable(2.0), ag.Variable(np.ones((2, 3), np.float32))
        zeros = ag.gradients(x * x, [x, unrelated])[1]
        assert zeros.dtype == np.float32
        assert np.array_equal(zeros, np.zeros((2, 3)))
        later = ag.Variable(1.0)
        assert ag.gradients(x * x, later) == 0

    def test_asked_for_twice_are_two_arrays(self):
        x = ag.Variable([1.0, 2.0])
        first, second = ag.gradients(np.sum(x * x), [x, x])
        assert first.tolist() == second.tolist() == [2, 4]
        assert not np.shares_memory(first, second)

    def test_of_no_variables(self):
        assert ag.gradients(ag.Variable(2.0) * 1.0, []) == []


class TestHigherOrders:
    def test_third_derivative(self):
        x = ag.Variable(0.5)
        y = np.sin(x)
        for expected in (np.cos(0.5), -np.sin(0.5), -np.cos(0.5), np.sin(0.5)):
            y = ag.gradients(y, x, create_graph=True)
            assert y.item() == pytest.approx(expected, rel=1e-15)

    def test_of_a_product_of_both_arguments(self):
        x, y = ag.Variable(2.0), ag.Variable(3.0)
        to_x, to_y = ag.gradients(x**2 * y**3, [x, y], create_graph=True)
        assert ag.gradients(to_x, [x, y]) == [2 * 27, 2 * 2 * 3 * 9]
        assert ag.gradients(to_y, [x, y]) == [2 * 2 * 3 * 9, 4 * 6 * 3]

    def test_backward_through_a_recorded_gradient(self):
        """A gradient penalty: the loss contains a gradient."""
        x = ag.Variable([1.0, 2.0])
        slope = ag.gradients(np.sum(x**3), x, create_graph=True)
        np.sum(slope**2).backward()
        np.testing.assert_allclose(x.grad, 36 * x.data**3, rtol=1e-15)

    def test_in_a_tracked_cotangent(self):
        x, g = ag.Variable([1.0, 2.0]), ag.Variable([3.0, 4.0])
        to_x = ag.gradients(x * x, x, g, create_graph=True)
        assert ag.gradients(to_x, g, np.ones(2)).tolist() == [2, 4]

    def test_cotangent_takes_the_outputs_dtype(self):
        x = ag.Variable(np.ones(2, np.float32))
        assert ag.gradients(x, x, [1, 2], create_graph=True).dtype == np.float32
        assert ag.gradients(x, x, [1, 2]).dtype == np.float32
        scalar = ag.Variable(np.float32(1))
        assert ag.gradients(scalar, scalar, create_graph=True).dtype == np.float32

    def test_a_gradient_that_depends_on_nothing_has_the_gradient_zero(self):
        x = ag.Variable([1.0, 2.0])
        slope = ag.gradients(np.sum(3.0 * x), x, create_graph=True)
        assert slope.data.tolist() == [3, 3]
        assert ag.gradients(np.sum(slope), x).tolist() == [0, 0]
        curvature = ag.gradients(np.sum(slope), x, create_graph=True)
        assert ag.gradients(np.sum(curvature), x).tolist() == [0, 0]

    def test_of_indexing(self):
        x = ag.Variable([1.0, 2.0, 3.0])
        slope = ag.gradients(
            x[0] ** 3 + x[2] ** 3 * x[0] + np.sum(x[[1, 1]] ** 2), x, create_graph=True
        )
        assert slope.data.tolist() == [30, 8, 27]
        second = [ag.gradients(slope, x, row).tolist() for row in np.eye(3)]
        assert second == [[6, 0, 27], [0, 4, 0], [27, 0, 18]]

    def test_polynomial_at_zero_has_every_order(self):
        x = ag.Variable(0.0)
        y = x**3 + 5.0 * x**2
        orders = []
        for _ in range(3):
            y = ag.gradients(y, x, create_graph=True)
            orders.append(y.item())
        assert orders == [0, 10, 6]

    def test_tanh_at_zero_has_its_third_derivative(self):
        x = ag.Variable(0.0)
        y = np.tanh(x)
        for expected in (1, 0, -2):
            y = ag.gradients(y, x, create_graph=True)
            assert y.item() == expected

    def test_constant_cotangents_meet_a_recorded_one(self):
        """The sum of the first two is an array of the sweep's own, and a Variable comes third."""
        x = ag.Variable([1.0, 2.0])
        slope = ag.gradients(np.sum(x * x) + np.sum(2 * x) + np.sum(x), x, create_graph=True)
        assert slope.data.tolist() == [5, 7]
        assert ag.gradients(slope, x, [1.0, 1.0]).tolist() == [2, 2]


class TestAssignedData:
    def test_plain_sweep_uses_what_was_computed_from(self):
        x = ag.Variable(3.0)
        y = np.exp(x * x)
        x.data = 50.0
        assert ag.gradients(y, x) == pytest.approx(6 * np.exp(9.0), rel=1e-15)

    def test_recorded_sweep_refuses(self):
        x = ag.Variable(3.0, name="x")
        y = x * x
        x.data = 4.0
        with pytest.raises(ag.errors.StaleVariableError, match=r"the data of x was assigned after"):
            ag.gradients(y, x, create_graph=True)
        assert ag.gradients(x * x, x, create_graph=True).item() == 8

    def test_recorded_sweep_does_not_mind_what_it_does_not_meet(self):
        x, other = ag.Variable(3.0), ag.Variable(1.0)
        y = x * x
        other.data = 2.0
        assert ag.gradients(y, x, create_graph=True).item() == 6


class TestExactness:
    @pytest.mark.parametrize("x", [0.0, 1e-300, 1e-8, 1.0, 10.0, 100.0, 300.0, 350.0])
    def test_slope_of_tanh_keeps_its_digits_in_the_tails(self, x):
        v = ag.Variable([x, -x])
        np.sum(np.tanh(v)).backward()
        # 1/cosh² = 4e⁻²ˣ/(1 + e⁻²ˣ)², which overflows nowhere
        decay = np.exp(-2 * x)
        np.testing.assert_allclose(v.grad, [4 * decay / (1 + decay) ** 2] * 2, rtol=1e-12)

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_slope_of_tanh_is_0_and_silent_far_out(self, dtype):
        v = ag.Variable(np.array([1000, -1000, np.inf, -np.inf], dtype))
        np.sum(np.tanh(v)).backward()
        assert v.grad.tolist() == [0, 0, 0, 0]

    def test_small_number_over_large_is_not_lost_in_a_square(self):
        """−g·z/y and not −g·x/y²: y² would overflow."""
        y = ag.Variable(1e200)
        (1e200 / y).backward()
        assert y.grad == pytest.approx(-1e-200, rel=1e-15)

    def test_infinity_in_a_branch_not_taken_by_maximum(self):
        x = ag.Variable([-np.inf, 1.0])
        np.max(x).backward()
        assert x.grad.tolist() == [0, 1]


def test_a_second_backward_adds_once_more_for_every_kind_of_entry():
    """Readings, joins, several results, masks, retained intermediates: nothing is used up."""
    both = ag.Primitive(
        lambda x: (np.sin(x), 2 * x), (lambda g, z, x: g[0] * np.cos(x) + 2 * g[1],), "both"
    )
    x = ag.Variable([0.5, 1.0, -1.5])
    sine, double = both(x[::-1])
    joined = np.concatenate([sine, double[[0, 0]], np.where(x > 0, x, -x)])
    loss = np.sum(joined * joined)
    entries = [x, sine, double, joined, loss]
    loss.backward(retain_grads=True)
    once = [v.grad.copy() for v in entries]
    for passes in (2, 3, 4):
        loss.backward(retain_grads=True)
        for v, grad in zip(entries, once, strict=True):
            np.testing.assert_allclose(v.grad, passes * grad, rtol=1e-15)
    assert np.all(once[0] != 0)


def test_a_recorded_gradient_does_not_depend_on_the_array_handed_in():
    x, seed = ag.Variable(np.ones(3)), np.ones(3)
    slope = ag.gradients(x * x, x, seed, create_graph=True)
    (x * x).backward(seed, create_graph=True)
    seed[:] = 100
    assert ag.gradients(slope, x, np.ones(3)).tolist() == [2, 2, 2]
    assert ag.gradients(x.grad, x, np.ones(3)).tolist() == [2, 2, 2]


def test_a_recorded_backward_under_no_grad_is_recorded():
    x = ag.Variable(2.0)
    y = x * 3.0
    with ag.no_grad():
        y.backward(create_graph=True)
    assert x.grad.requires_grad


def test_a_recorded_gradient_keeps_the_byte_order():
    x = ag.Variable(np.ones(2, ">f8"))
    slope = ag.gradients(np.sum(x**3), x, create_graph=True)
    assert slope.dtype == np.dtype(">f8")
    assert ag.gradients(np.sum(slope), x).tolist() == [6, 6]
