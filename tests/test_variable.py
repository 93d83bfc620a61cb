"""Variable: what it holds, what can be assigned, and Python's and NumPy's ways of using it."""

import copy
import math
import operator
import pickle

import numpy as np
import pytest

import autograd_lite as ag


def variable(shape=(2, 3), **options):
    return ag.Variable(np.arange(1.0, 1 + math.prod(shape)).reshape(shape), **options)


class TestData:
    def test_is_a_copy(self):
        source = np.ones(3)
        v = ag.Variable(source)
        source[0] = 7
        assert v.data.tolist() == [1, 1, 1]

    @pytest.mark.parametrize(
        "read",
        [
            lambda v: v.data,
            lambda v: (v * 1.0).data,
            lambda v: v.T.data,
            lambda v: v.detach().data,
            lambda v: np.asarray(v.detach()),
        ],
        ids=["leaf", "result", "view", "detached", "asarray"],
    )
    def test_is_read_only(self, read):
        v = variable()
        with pytest.raises(ValueError, match="read-only"):
            read(v)[0, 0] = 7
        assert v.data[0, 0] == 1

    def test_of_a_leaf_cannot_be_made_writable(self):
        v = variable()
        for _ in ("as made", "as assigned"):
            with pytest.raises(ValueError, match="WRITEABLE"):
                v.data.flags.writeable = True
            v.data = np.zeros((2, 3))

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
    def test_keeps_its_floating_dtype(self, dtype):
        v = ag.Variable(np.ones(2, dtype))
        assert v.dtype == dtype
        np.sum(v * v).backward()
        assert v.grad.dtype == dtype

    def test_from_a_number_a_list_and_a_variable(self):
        assert ag.Variable(2.0).shape == ()
        assert ag.Variable([[1.0, 2.0]]).shape == (1, 2)
        v = variable()
        again = ag.Variable(v)
        assert again.operation is None
        assert again.data.tolist() == v.data.tolist()
        assert not np.shares_memory(again.data, v.data)

    def test_from_a_subclass_is_a_plain_array(self):
        assert type(ag.Variable(np.ma.masked_array([1.0, 2.0])).data) is np.ndarray

    def test_assignment_copies_an_array_of_the_same_dtype(self):
        v, new = ag.Variable(np.zeros(2)), np.array([1.0, 2.0])
        v.data = new
        new[0] = 9
        assert v.data.tolist() == [1, 2]

    def test_assign_takes_an_array_over_but_copies_a_view(self):
        """Who owns what it is a view of may write there."""
        v, owner = ag.Variable(np.zeros(2)), np.array([1.0, 2.0, 3.0])
        v.assign(owner[1:])
        owner[1] = 9
        assert v.data.tolist() == [2, 3]
        whole = np.array([4.0, 5.0])
        v.assign(whole)
        assert np.shares_memory(v.data, whole)
        assert not whole.flags.writeable

    def test_assignment_copies_and_keeps_the_dtype(self):
        v = ag.Variable(np.zeros(2, np.float32))
        new = np.array([1.0, 2.0])
        v.data = new
        new[0] = 9
        assert v.dtype == np.float32
        assert v.data.tolist() == [1, 2]
        v.data = [3, 4]
        assert v.data.tolist() == [3, 4]

    def test_assignment_leaves_the_recorded_graph_as_it_was(self):
        v = ag.Variable(3.0)
        y = v * v
        view = v.data
        v.data = 100.0
        y.backward()
        assert (y.item(), view.item(), v.item()) == (9, 3, 100)
        assert v.grad == 6

    def test_augmented_assignment_rebinds(self):
        v = before = ag.Variable(3.0)
        v += 1
        v *= 2
        assert (before.item(), v.item()) == (3, 8)
        v.backward()
        assert before.grad == 2


class TestCopies:
    """A copy is a leaf of its own: were they one to the sweep, their gradients would be added."""

    @pytest.mark.parametrize(
        "duplicate",
        [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v)), ag.Variable],
        ids=["copy", "deepcopy", "pickle", "Variable"],
    )
    def test_has_a_gradient_of_its_own(self, duplicate):
        x = ag.Variable(2.0)
        y = duplicate(x)
        assert y.number != x.number
        assert ag.gradients(x * y * y, [x, y]) == [4, 8]
        y.data = 5.0
        assert x.item() == 2

    @pytest.mark.parametrize("requires_grad", [True, False])
    def test_keeps_name_value_and_whether_it_is_tracked(self, requires_grad):
        x = ag.Variable(np.float32([1, 2]), name="x", requires_grad=requires_grad)
        for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
            assert (y.name, y.dtype, y.requires_grad) == ("x", np.float32, requires_grad)
            assert y.data.tolist() == [1, 2]

    def test_a_structure_keeps_its_sharing(self):
        x = ag.Variable(2.0)
        first, second = copy.deepcopy([x, x])
        assert first is second


class TestGrad:
    def test_is_none_until_backward(self):
        assert variable().grad is None

    def test_is_always_an_array(self):
        v = ag.Variable(2.0)
        (v * v).backward()
        assert type(v.grad) is np.ndarray
        assert v.grad.shape == ()

    def test_zero_grad_forgets(self):
        v = ag.Variable(2.0)
        for _ in range(2):
            (v * v).backward()
        assert v.grad == 8
        v.zero_grad()
        assert v.grad is None
        (v * v).backward()
        assert v.grad == 4

    def test_can_be_assigned_and_is_then_a_copy(self):
        v = ag.Variable(np.zeros(2, np.float32))
        new = np.array([1, 2], np.float32)
        v.grad = new
        new[0] = 7
        np.sum(3 * v).backward()
        assert v.grad.tolist() == [4, 5]
        v.grad = [1, 2]
        assert v.grad.dtype == np.float32
        v.grad = None
        assert v.grad is None


class TestRecord:
    def test_of_a_leaf(self):
        v = variable(name="v")
        assert (v.operation, v.inputs, v.scope, v.requires_grad) == (None, (), None, True)
        assert dict(v.settings) == {}
        assert v.label == "v"

    def test_of_a_result(self):
        v, w = variable(), variable((3,))
        with ag.scope("model"):
            z = v * w
        assert z.operation.name == "multiply"
        assert z.inputs[0] is v
        assert z.inputs[1] is w
        assert z.scope.path == "model"
        assert z.label == f"multiply #{z.number}"
        assert v.number < w.number < z.number

    def test_of_settings_and_constants(self):
        v, constant = variable(), np.ones(3)
        assert dict(np.sum(v, 0, keepdims=True).settings) == {"axis": 0, "keepdims": True}
        assert (v + constant).inputs[1] is constant

    def test_small_powers_cost_no_general_power(self):
        v = variable()
        names = [(v**p).operation.name for p in (2, 2.0, 3, 4, 5)]
        assert names == ["square", "square", "multiply", "square", "power"]

    def test_a_mask_in_an_index_is_an_operand(self):
        """Not baked in: a replay of the program computes it anew."""
        v = variable((3,))
        mask = v > 1.5
        position = np.argmax(v)
        for z in (v[mask], ag.put(v, mask, 0.0), v[None, position]):
            assert any(operand is mask or operand is position for operand in z.inputs)

    def test_a_list_as_index_is_copied(self):
        v, index = variable((3,)), [0, 1]
        z = v[index]
        index[0] = 2
        assert ag.gradients(z, v, np.ones(2)).tolist() == [1, 1, 0]

    def test_detach(self):
        v = ag.Variable(3.0, name="v")
        d = v.detach()
        assert not d.requires_grad
        assert d.inputs == (v,)
        assert ag.gradients(v * d, v) == 3

    def test_detached_results_are_recorded_too(self):
        d = variable().detach() * 2.0
        assert d.operation.name == "multiply"
        assert not d.requires_grad

    def test_constants_alone_are_not_recorded(self):
        c = ag.Variable([1.0], requires_grad=False)
        z = c * 2.0
        assert (z.operation, z.requires_grad) == (None, False)


class TestPython:
    @pytest.mark.parametrize(
        "f", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
    )
    @pytest.mark.parametrize(
        "other", [2, 2.5, np.float64(2.5), np.array([1.0, 2.0, 3.0])], ids=repr
    )
    def test_arithmetic_from_both_sides(self, f, other):
        v = variable()
        assert np.array_equal(f(v, other).data, f(v.data, other))
        assert np.array_equal(f(other, v).data, f(other, v.data))
        assert f(v, other).requires_grad
        assert f(other, v).requires_grad

    def test_matrix_product_from_both_sides(self):
        v, square = variable(), np.arange(9.0).reshape(3, 3)
        assert np.array_equal((v @ square).data, v.data @ square)
        assert np.array_equal((square[:, :2] @ v).data, square[:, :2] @ v.data)

    def test_item(self):
        assert type(ag.Variable(2.0).item()) is float
        assert (ag.Variable([[2.0]]) > 1).item() is True

    def test_untracked_converts(self):
        c = ag.Variable(2.0).detach()
        assert (float(c), int(c), complex(c), bool(c)) == (2.0, 2, 2 + 0j, True)
        assert math.sqrt(c * 2.0) == 2.0
        assert [10, 20, 30][np.argmax(variable((3,)))] == 30
        assert np.asarray(c) == 2.0

    def test_comparison_decides_a_branch(self):
        v = ag.Variable(2.0)
        assert v > 1
        assert v != 1
        assert (v == None) is False  # noqa: E711 - the comparison itself
        assert (v != None) is True  # noqa: E711

    def test_hash_is_identity(self):
        v, w = ag.Variable(1.0), ag.Variable(1.0)
        assert {v: "v", w: "w"}[w] == "w"

    def test_length_iteration_and_membership(self):
        v = variable()
        assert len(v) == 2
        assert [row.data.tolist() for row in v] == v.data.tolist()
        _, second = v
        assert np.array_equal(ag.gradients(np.sum(second), v), [[0, 0, 0], [1, 1, 1]])
        assert 3.0 in v

    def test_zero_dimensional_has_no_length(self):
        with pytest.raises(TypeError, match="unsized"):
            len(ag.Variable(1.0))
        with pytest.raises(TypeError, match="unsized"):
            list(ag.Variable(1.0))

    @pytest.mark.parametrize(
        ("v", "text"),
        [
            (ag.Variable([1.0, 2.0]), "Variable([1., 2.])"),
            (ag.Variable(2.0, name="x"), "Variable(2., name='x')"),
            (ag.Variable(np.float32(2)), "Variable(2., dtype=float32)"),
            (
                ag.Variable([1, 2], requires_grad=False),
                "Variable([1, 2], dtype=int64, requires_grad=False)",
            ),
            (ag.Variable(2.0) * 2, "Variable(4., operation='multiply')"),
        ],
    )
    def test_repr(self, v, text):
        assert repr(v) == text

    def test_format_of_a_single_element(self):
        assert f"{ag.Variable(1.2345):.2f}" == "1.23"
        assert f"{ag.Variable(1.5)}" == "Variable(1.5)"

    def test_repr_of_something_large_is_short(self):
        assert len(repr(ag.Variable(np.zeros(10**6)))) < 200


class TestNumPy:
    def test_attributes(self):
        v = variable((2, 3, 4))
        assert (v.shape, v.ndim, v.size, v.dtype) == ((2, 3, 4), 3, 24, np.float64)
        assert v.T.shape == (4, 3, 2)

    def test_dtype_follows_numpy(self):
        v = ag.Variable(np.ones(2, np.float32))
        assert (v * 2.0).dtype == np.float32
        assert (v * np.float64(2)).dtype == np.float64
        assert (v * np.arange(2)).dtype == np.float64
        assert np.mean(v).dtype == np.float32

    def test_numpy_scalar_or_array_on_the_left_does_not_win(self):
        v = variable((3,))
        for left in (np.float64(2), np.arange(3.0), np.arange(6.0).reshape(2, 3)):
            z = left * v
            assert type(z) is ag.Variable
            assert z.requires_grad

    def test_lists_are_constants(self):
        v = variable((3,))
        z = v * [1.0, 2.0, 3.0]
        assert ag.gradients(np.sum(z), v).tolist() == [1, 2, 3]

    def test_astype(self):
        v = variable((2,))
        narrow = v.astype(np.float32)
        assert (narrow.dtype, narrow.requires_grad) == (np.float32, True)
        assert ag.gradients(np.sum(narrow), v).dtype == np.float64
        assert not v.astype(int).requires_grad
        assert np.astype(v, np.float32, copy=False).dtype == np.float32

    @pytest.mark.parametrize("order", ["C", "F", "A"])
    @pytest.mark.parametrize("layout", ["C", "F"])
    def test_reshape_reads_in_the_order_asked_for(self, order, layout):
        """Its gradient puts every entry back where it was read, whatever the memory layout."""
        array = np.array(np.arange(6.0).reshape(2, 3), order=layout)
        v = ag.Variable(array)
        z = np.reshape(v, 6, order=order)
        assert np.array_equal(z.data, np.reshape(array, 6, order=order))
        assert np.array_equal(ag.gradients(z, v, z.data), array)

    @pytest.mark.parametrize("reduce", [np.add.reduce, np.maximum.reduce, np.minimum.reduce])
    def test_ufunc_reduce(self, reduce):
        v = variable((2, 3))
        assert np.array_equal(reduce(v).data, reduce(v.data))
        assert np.array_equal(reduce(v, 1).data, reduce(v.data, 1))
        assert reduce(v, axis=None, keepdims=True).shape == (1, 1)

    def test_functions_without_a_rule_work_on_untracked_variables(self):
        c = variable().detach()
        assert np.array_equal(np.unique(c), np.unique(c.data))
        assert np.array_equal(np.histogram(c, 2)[0], np.histogram(c.data, 2)[0])

    def test_put_leaves_its_argument_alone(self):
        v = variable((3,))
        z = ag.put(v, 0, 9.0)
        assert (v.data[0], z.data[0]) == (1, 9)


def test_write_through_a_constant_before_backward_is_the_callers_mistake():
    """Constants are held by reference: no copy, as the documentation says."""
    constant = np.ones(3)
    z = variable((3,)) * constant
    assert z.inputs[1] is constant


class TestRequiresGrad:
    def test_a_leaf_can_be_frozen_and_go_on(self):
        x, w = ag.Variable(2.0), ag.Variable(3.0)
        w.requires_grad = False
        (x * w).backward()
        assert (x.grad, w.grad) == (3.0, None)
        w.requires_grad = True
        (x * w).backward()
        assert w.grad == 2.0

    def test_integers_cannot_become_tracked(self):
        c = ag.Variable([1, 2], requires_grad=False)
        with pytest.raises(TypeError, match="only floating point can be tracked"):
            c.requires_grad = True

    @pytest.mark.parametrize("make", [lambda x: x * 2, lambda x: x.detach(), lambda x: x > 0])
    def test_of_a_result_it_follows_from_the_operands(self, make):
        result = make(ag.Variable(1.0))
        with pytest.raises(ValueError, match=r"requires_grad: .* follows from its operands"):
            result.requires_grad = not result.requires_grad


def test_a_tracked_result_does_not_become_a_leaf_silently():
    x = ag.Variable(1.0)
    with pytest.raises(TypeError, match=r"is tracked and would silently leave the tape.*\.detach"):
        ag.Variable(x * 2)
    assert ag.Variable((x * 2).detach()).item() == 2.0


def test_masked_arrays_get_no_hold_of_a_tracked_variable():
    x = ag.Variable([1.0, 2.0])
    with pytest.raises(TypeError, match="tracked"):
        np.ma.exp(x)
    with pytest.raises(TypeError, match="tracked"):
        np.ma.getdata(x * 2)
